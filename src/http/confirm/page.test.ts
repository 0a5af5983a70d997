import { decodeHTML } from 'entities';
import fc from 'fast-check';
import { credentialUpdateKinds } from '../../authz/policy/update-policy';
import type { ConfirmationView, NewAddress } from '../../features/credentials/confirm/confirmation.view';
import { countryCodes } from '../../features/credentials/confirm/country-codes';
import { apologyPage, cancelledPage, deadPage, pagesOf, returnedPage } from './pages';
import type { Merchant } from './parts';
import { style } from './style';
import { confirmedPage, continuePage, type Filling, questionPage, refusedPage } from './update.page';

const site: Merchant = { merchant: 'Demo Shop', supportUrl: 'https://shop.example.com/help' };
const now = new Date('2026-09-01T09:00:00Z');
const filling: Filling = { now, address: null, problems: [], codeWasSent: false };
const asked: ConfirmationView = {
  kind: 'REMOVE',
  stage: 'ASKED',
  merchant: 'Demo Shop',
  ticket: '1042',
  askedBy: 'Ana Alvarez',
  reason: 'The card was lost.',
  before: 'Visa •••• 4242, valid until 08/2030',
  after: 'It is removed and can no longer be used for payments.',
  expiresAt: new Date('2026-09-02T08:30:00Z'),
  code: null,
  shown: 'f'.repeat(64),
  continueAt: null,
};
const codeSent = { sentTo: '•••• 12', triesLeft: 5, sendsLeft: 2 };

/** The texts of a page as a person reads them, one space between words. */
const read = (page: string): string =>
  page
    .replace(/<style>.*<\/style>/s, '')
    .replace(/<[^>]*>/g, '')
    .replace(/&(?:#\d+|[a-z]+);/g, (entity) => decodeHTML(entity))
    .replace(/\s+/g, ' ');
const buttons = (page: string): readonly (readonly [string, string])[] =>
  [...page.matchAll(/<button[^>]* value="([^"]*)"[^>]*>([^<]*)<\/button>/g)].map(([, value = '', label = '']) => [value, label]);

/** Every page that can be made of these texts. */
const everyPage = (merchant: Merchant, view: ConfirmationView, message: string, address: NewAddress): readonly string[] => [
  ...credentialUpdateKinds.flatMap((kind) => [
    questionPage(merchant, { ...view, kind }, { ...filling, address }),
    questionPage(
      merchant,
      { ...view, kind },
      {
        ...filling,
        address,
        problems: (['line1', 'city', 'country', 'code', 'agreed', null] as const).map((field) => ({ field, message })),
      },
    ),
  ]),
  continuePage(merchant, { ...view, stage: 'AT_PROVIDER' }, { ...filling, problems: [{ field: null, message }] }),
  confirmedPage(merchant, view, true),
  refusedPage(merchant, view),
  deadPage(merchant),
  returnedPage(merchant),
  cancelledPage(merchant),
];

describe('what is asked', () => {
  it.each(credentialUpdateKinds)('has its own pages: %s', (kind) => {
    const view = { ...asked, kind };
    const atProvider = { ...view, stage: 'AT_PROVIDER' as const };
    const pages = pagesOf[kind];
    expect([
      pages.asked(site, view, filling),
      pages.asked(site, atProvider, filling),
      pages.confirmed(site, view, true),
      pages.refused(site, view),
    ]).toEqual([
      questionPage(site, view, filling),
      continuePage(site, atProvider, filling),
      confirmedPage(site, view, true),
      refusedPage(site, view),
    ]);
  });
});

describe('the question', () => {
  it.each([
    ['REMOVE', 'Remove this payment method?', 'Yes, remove this payment method'],
    ['REPLACE_CARD', 'Replace your card?', 'Yes, replace this card'],
    ['SET_DEFAULT', 'Change your default payment method?', 'Yes, make this my default'],
    ['BILLING_ADDRESS', 'Change your billing address?', 'Yes, use this address'],
  ] as const)('for %s says what a yes does', (kind, heading, yes) => {
    const page = questionPage(site, { ...asked, kind }, filling);
    expect(page).toContain(`<h1>${heading}</h1>`);
    expect(buttons(page)).toEqual([
      ['confirm', yes],
      ['refuse', 'No, I did not ask for this'],
    ]);
  });

  it('shows old and new, whose page it is, the ticket, who asked, why, and until when', () => {
    const text = read(questionPage(site, asked, filling));
    for (const part of [
      'NowVisa •••• 4242, valid until 08/2030',
      'If you say yesIt is removed and can no longer be used for payments.',
      'Ana Alvarez, for Demo Shop',
      'The card was lost.',
      '1042',
      '2 September 2026 at 08:30 UTC (in about 23 hours)',
    ])
      expect(text).toContain(part);
  });

  it('names the merchant where nobody knows who asked', () => {
    expect(read(questionPage(site, { ...asked, askedBy: null }, filling))).toContain('Asked for bysomebody at Demo Shop');
  });

  it.each([
    [new Date(now.getTime() + 30_000), 'in about a minute'],
    [new Date(now.getTime() + 119 * 60_000), 'in about 119 minutes'],
    [new Date(now.getTime() + 179 * 60_000), 'in about 2 hours'],
    [new Date(now.getTime() + 95 * 3_600_000), 'in about 3 days'],
  ])('rounds down how long the link works', (expiresAt, words) => {
    expect(read(questionPage(site, { ...asked, expiresAt }, filling))).toContain(`(${words})`);
  });

  it('offers a code first, before yes is possible, and no without one', () => {
    const page = questionPage(site, { ...asked, code: { ...codeSent, sentTo: null } }, filling);
    expect(buttons(page).map(([value]) => value)).toEqual(['send-code', 'refuse']);
    expect(page).not.toContain('name="code"');
  });

  it('asks for the code that was sent, and says yes where somebody presses Enter in it', () => {
    const page = questionPage(site, { ...asked, code: codeSent }, filling);
    expect(buttons(page).map(([value]) => value)).toEqual(['confirm', 'refuse', 'send-code']);
    expect(page).toMatch(/<input id="code" name="code"[^>]*inputmode="numeric"[^>]*autocomplete="one-time-code"/);
    expect(read(page)).toContain('Sent to •••• 12. You have 5 tries left.');
    expect(read(page)).not.toContain('is on its way');
  });

  it('says so when a code was sent just now', () => {
    expect(read(questionPage(site, { ...asked, code: codeSent }, { ...filling, codeWasSent: true }))).toContain(
      'A code is on its way to •••• 12.',
    );
  });

  it('offers no code that would not be sent', () => {
    for (const sentTo of [null, '•••• 12']) {
      const page = questionPage(site, { ...asked, code: { sentTo, triesLeft: 1, sendsLeft: 0 } }, filling);
      expect(buttons(page).map(([value]) => value)).not.toContain('send-code');
      expect(read(page)).toContain(sentTo === null ? 'No more codes can be sent' : 'You have 1 try left.');
    }
  });

  it('has a no that no required field holds back', () => {
    const page = questionPage(site, { ...asked, kind: 'BILLING_ADDRESS', code: codeSent }, filling);
    expect(page).toMatch(/value="refuse" formnovalidate/);
    expect(page).toMatch(/value="send-code" formnovalidate/);
    expect(page).toMatch(/name="code"[^>]* required>/);
  });

  it('lists every country once, by name', () => {
    const page = questionPage(site, { ...asked, kind: 'BILLING_ADDRESS' }, filling);
    const offered = [...page.matchAll(/<option value="([A-Z]{2})">([^<]+)</g)].map(([, code]) => code);
    expect(offered.length).toBe(249);
    expect(new Set(offered)).toEqual(new Set(countryCodes));
    expect(page).toContain('<option value="DE">Germany</option>');
  });

  it('asks for a state beside the city, as browsers fill it in, and holds nobody back who has none', () => {
    const page = questionPage(site, { ...asked, kind: 'BILLING_ADDRESS' }, filling);
    const input = /<input id="state"[^>]*>/.exec(page)?.[0];
    expect(input).toContain('autocomplete="billing address-level1"');
    expect(input).not.toContain('required');
    expect([...page.matchAll(/<input id="(\w+)"/g)].map(([, name]) => name)).toEqual([
      'line1',
      'line2',
      'city',
      'state',
      'postalCode',
    ]);
  });

  it('sends its answer to the address that it has, which stands nowhere in it', () => {
    expect(questionPage(site, asked, filling)).toContain('<form method="post">');
  });
});

describe('the question once more', () => {
  const address = { line1: 'Marktstraße 12', line2: '', city: '', state: 'Berlin', postalCode: '10115', country: 'DE' };
  const view: ConfirmationView = { ...asked, kind: 'BILLING_ADDRESS', code: { ...codeSent, triesLeft: 4 } };
  const page = questionPage(site, view, {
    ...filling,
    address,
    problems: [
      { field: 'city', message: 'City: this is needed.' },
      { field: 'code', message: 'This is not the code.' },
      { field: null, message: 'Something else.' },
    ],
  });

  it('lists what is wrong with links to the fields', () => {
    expect(page).toContain('<li><a href="#city"><bdi>City: this is needed.</bdi></a></li>');
    expect(page).toContain('<li><a href="#code"><bdi>This is not the code.</bdi></a></li>');
    expect(page).toContain('<li><bdi>Something else.</bdi></li>');
    expect(page).toContain('<title>Problem: ');
  });

  it('ties each problem to its field', () => {
    expect(page).toMatch(/<input id="city" name="city" aria-describedby="city-problem" aria-invalid="true"/);
    expect(page).toMatch(/<input id="code" name="code" aria-describedby="code-problem code-hint" aria-invalid="true"/);
    expect(page).toContain('<p class="problem" id="city-problem">');
    expect(page.match(/aria-invalid/g)).toHaveLength(2 + 1); // and once in the style
  });

  it('keeps the address that was typed, and no code', () => {
    expect(page).toContain('value="Marktstraße 12"');
    expect(page).toContain('value="10115"');
    expect(page).toMatch(/<input id="state"[^>]*value="Berlin"/);
    expect(page).toContain('<option value="DE" selected>');
    expect(page.match(/<input id="code"[^>]*>/)?.[0]).not.toContain('value=');
  });

  it('links to no field that is not there', () => {
    const problems = [
      { field: 'code', message: 'This is not the code.' },
      { field: 'city', message: 'City: this is needed.' },
    ] as const;
    expect(questionPage(site, asked, { ...filling, problems })).not.toContain('href="#');
  });
});

describe('the pages after an answer', () => {
  it('lead to the provider by a link that takes nothing along', () => {
    const view: ConfirmationView = {
      ...asked,
      kind: 'REPLACE_CARD',
      stage: 'AT_PROVIDER',
      continueAt: 'https://checkout.example.com/c/1?a=1&b=2#x',
    };
    expect(continuePage(site, view, filling)).toContain(
      '<a class="button" rel="noreferrer" href="https://checkout.example.com/c/1?a=1&amp;b=2#x">',
    );
    expect(continuePage(site, view, filling)).not.toContain('<form');
  });

  it('lead to the provider after the code only, where the yes took one', () => {
    const view: ConfirmationView = { ...asked, kind: 'REPLACE_CARD', stage: 'AT_PROVIDER', code: codeSent };
    const page = continuePage(site, view, filling);
    expect(buttons(page)).toEqual([
      ['confirm', 'Go on'],
      ['send-code', 'Send a new code'],
    ]);
    expect(page).toContain(`name="shown" value="${asked.shown}"`);
    expect(buttons(continuePage(site, { ...view, code: { ...codeSent, sentTo: null } }, filling))).toEqual([
      ['send-code', 'Send me the code'],
    ]);
    const wrong = continuePage(site, view, { ...filling, problems: [{ field: 'code', message: 'This is not the code.' }] });
    expect(wrong).toContain('<a href="#code">');
    expect(read(continuePage(site, view, { ...filling, codeWasSent: true }))).toContain('A code is on its way to •••• 12.');
  });

  it.each([null, 'javascript:alert(1)', 'data:text/html,x', '//elsewhere.example', ' https://x.example'])(
    'make no link of %j',
    (continueAt) => {
      const page = continuePage(site, { ...asked, stage: 'AT_PROVIDER', continueAt }, filling);
      expect(page).toContain('not ready yet');
      expect([...page.matchAll(/href="([^"]*)"/g)].map(([, target]) => target)).toEqual(['data:,', '', site.supportUrl]);
    },
  );

  it('say what happens next', () => {
    expect(read(confirmedPage(site, asked, true))).toContain('Somebody else at Demo Shop checks it once more');
    expect(read(confirmedPage(site, asked, false))).toContain('as soon as the payment provider answers');
    expect(read(refusedPage(site, asked))).toContain('You said no, nothing was changed');
  });

  it('have nothing left to answer', () => {
    for (const page of [confirmedPage(site, asked, false), refusedPage(site, asked), deadPage(site), returnedPage(site)])
      expect(page).not.toMatch(/<form|<input|<button/);
  });
});

describe('every page', () => {
  const pages = everyPage(site, { ...asked, code: codeSent, continueAt: 'https://x.example' }, 'Wrong.', {
    line1: '',
    line2: '',
    city: '',
    state: '',
    postalCode: '',
    country: '',
  });

  it('has a language, a title, one heading of the first level and its landmarks', () => {
    for (const page of [...pages, apologyPage(site, 'Sorry', 'Later.')]) {
      expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
      for (const element of ['title', 'h1', 'header', 'main', 'footer'])
        expect({ element, count: page.match(new RegExp(`<${element}[ >]`, 'g'))?.length }).toEqual({ element, count: 1 });
    }
  });

  it('loads nothing and runs nothing', () => {
    for (const page of pages) {
      expect(page).not.toMatch(/<script|<img|<iframe|<object|<base|\son\w+=|style="|url\(|@import/);
      expect(page.match(/<link [^>]*>/g)).toEqual(['<link rel="icon" href="data:,">']);
    }
  });

  it('names where to turn to, and no address where there is none or it is none to follow', () => {
    expect(deadPage(site)).toContain('<a href="https://shop.example.com/help" rel="noreferrer">');
    expect(deadPage({ ...site, supportUrl: 'mailto:help@shop.example.com' })).toContain('href="mailto:');
    for (const supportUrl of [null, 'javascript:alert(1)', 'http://shop.example.com'])
      expect(deadPage({ ...site, supportUrl })).not.toContain('<a ');
  });

  it('keeps texts that turn the reading direction to themselves', () => {
    const turning = '\u202egnidaer\u2067';
    for (const page of everyPage({ ...site, merchant: turning }, { ...asked, reason: turning, askedBy: turning }, turning, {
      line1: '',
      line2: '',
      city: '',
      state: '',
      postalCode: '',
      country: '',
    }))
      expect(page.split(turning).length).toBe(page.split(`<bdi>${turning}</bdi>`).length);
  });

  it('writes no text of others unescaped, wherever it stands', () => {
    // What begins or ends markup, an attribute or an entity, and what no page may hold.
    const hostile = fc
      .array(
        fc.constantFrom('<', '>', '"', "'", '&', '`', '</bdi>', '</style>', '<script>', '-->', '&lt;', '\0', '\ud800', '${', 'é'),
        { minLength: 1, maxLength: 6 },
      )
      .map((parts) => `§${parts.join('')}§`);
    const view = fc.record({
      merchant: hostile,
      ticket: hostile,
      askedBy: hostile,
      reason: hostile,
      before: hostile,
      after: hostile,
      shown: hostile,
      code: fc.record({ sentTo: hostile, triesLeft: fc.nat(5), sendsLeft: fc.nat(5) }),
      continueAt: hostile.map((text) => `https://x.example/${text}`),
    });
    const typed = fc.record({
      line1: hostile,
      line2: hostile,
      city: hostile,
      state: hostile,
      postalCode: hostile,
      country: hostile,
    });
    const tags = (page: string) =>
      page
        .replace(/§[^§]*§/g, '')
        .match(/<[^>]*>/g)
        ?.join('');
    const calm = everyPage(
      { merchant: '§§', supportUrl: 'https://x.example/§§' },
      {
        ...asked,
        ...{ merchant: '§§', ticket: '§§', askedBy: '§§', reason: '§§', before: '§§', after: '§§', shown: '§§' },
        code: codeSent,
        continueAt: 'https://x.example/§§',
      },
      '§§',
      { line1: '§§', line2: '§§', city: '§§', state: '§§', postalCode: '§§', country: '§§' },
    );
    fc.assert(
      fc.property(hostile, view, hostile, typed, (merchant, texts, message, address) => {
        const made = everyPage(
          { merchant, supportUrl: `https://x.example/${merchant}` },
          { ...asked, ...texts, code: { ...texts.code, sendsLeft: 2 } },
          message,
          address,
        );
        made.forEach((page, index) => {
          // The markup is that of a page with harmless texts, and between the marks stands none.
          expect(tags(page)).toEqual(tags(calm[index] as string));
          for (const [, inner = ''] of page.replace(`<style>${style.css}</style>`, '').matchAll(/§([^§]*)§/g))
            expect(inner.replace(/&(?:#\d+|[a-z]+);/g, '')).not.toMatch(/[<>"'`&\0]|[\ud800-\udfff]/);
        });
      }),
      { numRuns: 50 },
    );
  });
});

describe('the page of a link that can’t be used', () => {
  it('says what to do, whatever became of the link', () => {
    const text = read(deadPage(site));
    expect(text).toContain('If you answered already, nothing more is to be done.');
    expect(text).toContain('contact Demo Shop and ask for a new one');
  });

  it('is always the same', () => {
    expect(deadPage({ ...site })).toBe(deadPage(site));
  });
});
