import fc from 'fast-check';
import { cutMail } from '../../../test/support/mail-tree';
import { TextRedactor } from '../../privacy/redaction';
import { bodyLimit, type MailPart, mostAttachments, partLimit, readMail, textParts } from './mail-parts';

const where = 'in ticket 12 at the helpdesk';

const read = (mail: string) => {
  const { parts, contentOf } = cutMail(mail);
  return readMail(parts, contentOf, where);
};

/** A container with these parts, each as its headers, a blank line and its content. */
const holding = (type: string, ...parts: readonly string[]): string => {
  const boundary = `B${type.length}${parts.join('').length}`;
  return [
    `Content-Type: ${type}; boundary=${boundary}`,
    '',
    ...parts.flatMap((part) => [`--${boundary}`, part]),
    `--${boundary}--`,
    '',
  ].join('\n');
};
const plain = (text: string, ...headers: readonly string[]): string =>
  ['Content-Type: text/plain; charset=utf-8', ...headers, '', text].join('\n');
const html = (text: string, ...headers: readonly string[]): string =>
  ['Content-Type: text/html; charset=utf-8', ...headers, '', text].join('\n');
const file = (name: string, type = 'image/png'): string =>
  [
    `Content-Type: ${type}; name=${name}`,
    `Content-Disposition: attachment; filename=${name}`,
    'Content-Transfer-Encoding: base64',
    '',
    'iVBORw0KGgo=',
  ].join('\n');
const alternative = (...parts: readonly string[]) => holding('multipart/alternative', ...parts);
const mixed = (...parts: readonly string[]) => holding('multipart/mixed', ...parts);
const related = (...parts: readonly string[]) => holding('multipart/related', ...parts);
const message = (mail: string, name = 'old.eml') =>
  [
    `Content-Type: message/rfc822; name="${name}"`,
    `Content-Disposition: attachment; filename="${name}"`,
    '',
    'Subject: private',
    mail,
  ].join('\n');

const png = (name: string) => ({ name, type: 'image/png', size: 8 });

describe('the text of a mail', () => {
  it.each<[string, string, string]>([
    [
      'is its HTML where the plain alternative is empty',
      alternative(plain(''), html('<html><body><p>My card was charged twice, please help.</p></body></html>')),
      'My card was charged twice, please help.',
    ],
    [
      'is its HTML with the footer that a list put below it',
      mixed(
        html('<html><body><p>My card was charged twice, please help.</p></body></html>'),
        plain('-- \nSent through the family list. Unsubscribe: https://lists.example/u', 'Content-Disposition: inline'),
      ),
      'My card was charged twice, please help.\n\n-- \nSent through the family list. Unsubscribe: https://lists.example/u',
    ],
    [
      'may have a name',
      mixed(plain('My card was declined three times.', 'Content-Disposition: inline; filename="body.txt"'), file('a.png')),
      'My card was declined three times.',
    ],
    [
      'is never the text of an attached message',
      mixed(plain('See the attached mail.'), message(plain('another person’s letter'))),
      'See the attached mail.',
    ],
    [
      'is the plain alternative where the HTML shows nothing',
      alternative(plain('Help me'), html('<style>p{}</style><img src=x>&nbsp;&zwnj;<p>\u200b</p>')),
      'Help me',
    ],
    ['is the richest alternative', alternative(plain('View this mail in a browser.'), html('<p>My card</p>')), 'My card'],
    [
      'is none of an alternative that can’t be read',
      alternative(plain('Come'), ['Content-Type: text/calendar', '', 'BEGIN:VCALENDAR'].join('\n')),
      'Come',
    ],
    [
      'is that of a container among alternatives',
      alternative(plain('x'), mixed(html('<p>one</p>'), file('a.pdf'), html('<p>two</p>'))),
      'one\n\ntwo',
    ],
    [
      'is that of an earlier alternative where a container shows nothing',
      alternative(plain('x'), mixed(html(' '), file('a.pdf'))),
      'x',
    ],
    ['is that of the root alone of what is related', related(html('<p>seen</p>'), html('<p>its frame</p>')), 'seen'],
    [
      'is that of the root that is named',
      holding(
        'multipart/related; start="<r@x>"',
        html('<p>a frame</p>', 'Content-ID: <f@x>'),
        html('<p>seen</p>', 'Content-ID: <r@x>'),
      ),
      'seen',
    ],
    [
      'is that of the first part where the root that is named isn’t there',
      holding('multipart/related; start="<none@x>"', html('<p>seen</p>'), html('<p>frame</p>')),
      'seen',
    ],
    [
      'is that of all inline parts in order',
      mixed(plain('one'), html('<p>two</p>'), file('a.png'), plain('three')),
      'one\n\ntwo\n\nthree',
    ],
    [
      'is what was signed',
      holding(
        'multipart/signed; protocol="application/pgp-signature"',
        plain('signed'),
        file('signature.asc', 'application/pgp-signature'),
      ),
      'signed',
    ],
    [
      'is the notice of a report',
      holding(
        'multipart/report',
        plain('Undeliverable'),
        ['Content-Type: message/delivery-status', '', 'Action: failed'].join('\n'),
        message(plain('mine')),
      ),
      'Undeliverable',
    ],
    ['is in an unknown container as in a mixed one', holding('multipart/x-own', plain('one'), plain('two')), 'one\n\ntwo'],
    [
      'is not what is attached',
      mixed(plain('seen'), plain('a log', 'Content-Disposition: attachment; filename=log.txt')),
      'seen',
    ],
    ['is not what has an unknown disposition', mixed(plain('seen'), plain('x', 'Content-Disposition: x-hidden')), 'seen'],
    [
      'is not what stands in an attached container',
      mixed(plain('seen'), holding('multipart/mixed', plain('x')).replace('\n\n', '\nContent-Disposition: attachment\n\n')),
      'seen',
    ],
    ['needs no type', 'Subject: x\n\nonly words', 'only words'],
    ['is empty where nothing was written', mixed(file('a.png'), plain(' \u200b\n')), ''],
    [
      'has nothing that turns its direction',
      plain('pay \u202eevil\u202c \u2066x\u2069 a\u200cb\u200dc\u200e'),
      'pay evil x a\u200cb\u200dc\u200e',
    ],
  ])('%s', (_what, mail, body) => {
    expect(read(mail)).toMatchObject({ body, isCut: false });
  });

  it('is the letters that its entities are', () => {
    expect(read(html('<p>informaci&oacute;n &iquest;cu&aacute;ndo?</p>')).body).toBe('información ¿cuándo?');
  });
});

describe('what came with a mail', () => {
  it.each<[string, string, unknown]>([
    [
      'is named',
      mixed(plain('x'), file('a.png'), file('b.pdf', 'application/pdf')),
      [png('a.png'), { ...png('b.pdf'), type: 'application/pdf' }],
    ],
    ['is named where nothing was written', file('a.png'), [png('a.png')]],
    [
      'is an attached message, by its name and not by what is in it',
      mixed(plain('x'), message(mixed(plain('12345'), file('secret.png')))),
      [{ name: 'old.eml', type: 'message/rfc822', size: 13 }],
    ],
    [
      'is all of a mail that is another one',
      message(plain('another person’s letter')),
      [{ name: 'old.eml', type: 'message/rfc822', size: 25 }],
    ],
    ['is a picture within the text', alternative(plain('x'), related(html('<p>y</p>'), file('logo.png'))), [png('logo.png')]],
    [
      'is a text that is attached',
      mixed(plain('x'), plain('12345', 'Content-Disposition: attachment; filename=log.txt')),
      [{ name: 'log.txt', type: 'text/plain', size: 5 }],
    ],
    ['is no other way to say the same', alternative(plain('x'), html('<p>y</p>')), []],
    [
      'may have no name',
      mixed(plain('x'), 'Content-Type: application/pdf\n\n12345'),
      [{ name: null, type: 'application/pdf', size: 5 }],
    ],
    ['has no name that turns its ending', mixed(plain('x'), file('"a\u202egnp.exe"')), [png('agnp.exe')]],
  ])('%s', (_what, mail, attachments) => {
    expect(read(mail).attachments).toEqual(attachments);
  });

  it('is named up to a bound, with names up to one', () => {
    const names = Array.from({ length: mostAttachments + 5 }, (_none, index) => `${index}${'n'.repeat(300)}.png`);
    const { attachments } = read(mixed(...names.map((name) => file(name))));
    expect(attachments.map(({ name }) => name)).toEqual(names.slice(0, mostAttachments).map((name) => name.slice(0, 255)));
  });
});

describe('a text that is too long', () => {
  const tooLong = (type: string, id = 1, parent: number | null = null): MailPart => ({
    id,
    parent,
    type,
    disposition: null,
    name: null,
    size: partLimit + 1,
  });
  const notice = '[This message is longer than what is kept here. Read all of it in ticket 12 at the helpdesk.]';

  it('to be read says so, and where it is', () => {
    expect(readMail([tooLong('text/plain')], () => 'never asked', where)).toEqual({ body: notice, isCut: true, attachments: [] });
    expect(textParts([tooLong('text/plain')])).toEqual([]);
  });

  it('says so below what was read of the others', () => {
    const parts = [
      { ...tooLong('multipart/mixed'), size: 0 },
      { ...tooLong('text/plain', 2, 1), size: 4 },
      tooLong('text/html', 3, 1),
    ];
    expect(readMail(parts, () => 'seen', where)).toEqual({ body: `seen\n\n${notice}`, isCut: true, attachments: [] });
  });

  it('gives way to another way to say the same', () => {
    const parts = [
      { ...tooLong('multipart/alternative'), size: 0 },
      { ...tooLong('text/plain', 2, 1), size: 4 },
      tooLong('text/html', 3, 1),
    ];
    expect(readMail(parts, () => 'seen', where)).toEqual({ body: 'seen', isCut: false, attachments: [] });
  });

  it('to be kept is never cut amid a card’s number, of which the rest would stay', () => {
    const redactor = new TextRedactor();
    const numbers = [
      '4242 4242 4242 4242',
      '4242-4242-4242-4242',
      '4242424242424242',
      '&#52;242&#52;242&#52;242&#52;242',
      '%34242%20%34242%20%34242%20%34242',
      '４２４２４２４２４２４２４２４２',
    ];
    // Where the cut falls follows from the longest body and the sentence about it.
    for (const number of numbers)
      for (let left = 0; left <= number.length + 4; left++) {
        const { body, isCut } = read(plain(`${'a'.repeat(59_880 + left)} ${number} ${'b'.repeat(200)}`));
        expect(isCut).toBe(true);
        const kept = body.slice(0, body.indexOf('[This message'));
        expect([number, left, redactor.redact(kept).text.replace(/a+/, '')]).toEqual([
          number,
          left,
          expect.stringMatching(/^(?: \[card number removed\])?[ b]*\n\n$/),
        ]);
      }
  });

  it('to be kept is cut at a character, and says so', () => {
    fc.assert(
      fc.property(fc.constantFrom('x', 'ä', '👩‍👩‍👧', 'q\u0308'), fc.nat(5), (unit, lead) => {
        const text = 'x'.repeat(lead) + unit.repeat(Math.ceil(bodyLimit / Buffer.byteLength(unit)) + 1);
        const { body, isCut } = read(plain(text));
        expect(isCut).toBe(true);
        expect(Buffer.byteLength(body)).toBeLessThanOrEqual(bodyLimit);
        expect(body.endsWith(`\n\n${notice}`)).toBe(true);
        expect(text.normalize('NFC').startsWith(body.slice(0, -notice.length - 2))).toBe(true);
      }),
      { numRuns: 20 },
    );
    expect(read(plain('x'.repeat(bodyLimit)))).toMatchObject({ isCut: false, body: 'x'.repeat(bodyLimit) });
  });
});

/** A made tree, its parts as they would come from a helpdesk, and what is right about it. */
interface Made {
  readonly type: string;
  readonly disposition: string | null;
  readonly text: string;
  readonly held: readonly Made[];
}

const blankTexts = ['', ' \n', '\u200b\u00a0', '\u2060\t'];
const leaf: fc.Arbitrary<Made> = fc.record({
  type: fc.constantFrom('text/plain', 'text/plain', 'text/html', 'image/png', 'text/calendar', 'application/pdf'),
  disposition: fc.constantFrom(null, null, null, 'inline', 'attachment', 'x-unknown'),
  text: fc.oneof({ weight: 3, arbitrary: fc.constant('word') }, { weight: 1, arbitrary: fc.constantFrom(...blankTexts) }),
  held: fc.constant([]),
});
const { tree } = fc.letrec<{ tree: Made }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.record({
      type: fc.constantFrom(
        'multipart/mixed',
        'multipart/alternative',
        'multipart/related',
        'multipart/signed',
        'message/rfc822',
      ),
      disposition: fc.constantFrom(null, null, null, 'attachment'),
      text: fc.constant(''),
      held: fc.array(tie('tree'), { maxLength: 4 }),
    }),
  ),
}));

describe('whatever a mail is made of', () => {
  /** Each leaf with words of its own, so that it is known where a text came from. */
  const flat = (root: Made) => {
    const parts: MailPart[] = [];
    const words = new Map<number, string>();
    const above = new Map<number, readonly MailPart[]>();
    const put = (made: Made, ancestors: readonly MailPart[]): void => {
      const id = parts.length + 1;
      const text = made.text === 'word' ? `word${id}.` : made.text;
      const { type, disposition } = made;
      const part = {
        id,
        parent: ancestors.at(-1)?.id ?? null,
        type,
        disposition,
        name: `name${id}`,
        size: made.held.length > 0 ? 0 : 7,
      };
      parts.push(part);
      words.set(id, text);
      above.set(id, ancestors);
      for (const each of made.held) put(each, [...ancestors, part]);
    };
    put(root, []);
    const contentOf = ({ id, type }: Pick<MailPart, 'id' | 'type'>) =>
      type === 'text/html' ? `<p>${words.get(id)}</p>` : (words.get(id) ?? '');
    return { parts, words, above, contentOf, mail: readMail(parts, contentOf, where) };
  };
  const isSeen = ({ disposition }: MailPart) => disposition === null || disposition === 'inline';

  it('no text comes from what is attached, nor from another’s message, nor from what is no text', () => {
    fc.assert(
      fc.property(tree, (root) => {
        const { parts, words, above, mail } = flat(root);
        for (const part of parts) {
          const word = words.get(part.id) ?? '';
          if (!word.startsWith('word') || !mail.body.split('\n\n').includes(word)) continue;
          expect(['text/plain', 'text/html']).toContain(part.type);
          expect([part, ...(above.get(part.id) ?? [])].every(isSeen)).toBe(true);
          expect((above.get(part.id) ?? []).every(({ type }) => type.startsWith('multipart/'))).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('of alternatives one is shown, the last that isn’t blank; of mixed parts all, in order', () => {
    /** The rule as it is said, written otherwise than in the code: from the leaves up, texts alone. */
    const said = (made: Made, next: () => number): string[] => {
      const id = next();
      const held = made.held.map((each) => said(each, next));
      if (made.disposition !== null && made.disposition !== 'inline') return [];
      if (made.type === 'text/plain' || made.type === 'text/html') return made.text === 'word' ? [`word${id}.`] : [];
      if (made.type === 'multipart/alternative') return held.findLast((texts) => texts.length > 0) ?? [];
      if (made.type === 'multipart/related') return held[0] ?? [];
      return made.type.startsWith('multipart/') ? held.flat() : [];
    };
    fc.assert(
      fc.property(tree, (root) => {
        let id = 0;
        const texts = said(root, () => (id += 1));
        expect(flat(root).mail.body).toBe(texts.join('\n\n'));
      }),
      { numRuns: 500 },
    );
  });

  it('every file is named once, none below another’s message, and no text of the mail is one', () => {
    fc.assert(
      fc.property(tree, (root) => {
        const { parts, above, mail } = flat(root);
        const names = mail.attachments.map(({ name }) => name);
        expect(new Set(names).size).toBe(names.length);
        for (const part of parts) {
          const ancestors = above.get(part.id) ?? [];
          const isOthers = ancestors.some(({ type }) => type === 'message/rfc822');
          const isFile = !part.type.startsWith('multipart/') && !['text/plain', 'text/html'].includes(part.type);
          if (isOthers) expect(names).not.toContain(part.name);
          else if (isFile) expect(names).toContain(part.name);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('the parts whose contents are asked for are those that may be the text, and no others', () => {
    fc.assert(
      fc.property(tree, (root) => {
        const { parts, contentOf, mail } = flat(root);
        const asked = new Set(textParts(parts).map(({ id }) => id));
        const again = readMail(parts, (part) => (asked.has(part.id) ? contentOf(part) : 'never asked for'), where);
        expect(again).toEqual(mail);
      }),
      { numRuns: 300 },
    );
  });

  it('parts that stand nowhere are no text, and containers without end are left', () => {
    const part = (id: number, parent: number | null, type: string): MailPart => ({
      id,
      parent,
      type,
      disposition: null,
      name: `${id}`,
      size: 1,
    });
    const lost = [
      part(1, null, 'multipart/mixed'),
      part(2, 99, 'text/plain'),
      part(3, 4, 'text/plain'),
      part(4, 3, 'multipart/mixed'),
    ];
    expect(readMail(lost, () => 'never', where)).toEqual({
      body: '',
      isCut: false,
      attachments: [{ name: '2', type: 'text/plain', size: 1 }],
    });
    const deep = Array.from({ length: 20_000 }, (_none, index) => part(index + 1, index === 0 ? null : index, 'multipart/mixed'));
    expect(readMail([...deep, part(20_001, 20_000, 'text/plain')], () => 'never', where).body).toBe('');
  });
});
