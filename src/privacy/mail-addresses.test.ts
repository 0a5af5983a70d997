import { domainToASCII } from 'node:url';
import fc from 'fast-check';
import { formsOfEmail, normalizeEmail } from './mail-addresses';

describe('an e-mail address as it is compared', () => {
  it.each([
    [' Ana@Example.COM\n', 'ana@example.com'],
    ['a.n.a+shop@example.com', 'a.n.a+shop@example.com'],
    ['JOSE\u0301@example.com', 'jos\u00e9@example.com'],
    ['İ@example.com', 'i̇@example.com'],
    ['root@localhost', 'root@localhost'],
    ['kim@xn--bcher-kva.example', 'kim@bücher.example'],
    ['kim@BÜCHER.example', 'kim@bücher.example'],
    ['Kim@XN--BCHER-KVA.Example', 'kim@bücher.example'],
    ['kim@bu\u0308cher.example', 'kim@bücher.example'],
    ['kim@post.xn--bcher-kva.xn--fsqu00a', 'kim@post.bücher.例子'],
    ['kim@faß.de', 'kim@faß.de'],
    ['kim@xn--fa-hia.de', 'kim@faß.de'],
    ['kim@fass.de', 'kim@fass.de'],
    ['kim@xn--nxasmm1c.gr', 'kim@βόλος.gr'],
    ['kim@xn--nxasmq6b.gr', 'kim@βόλοσ.gr'],
    ['kim@ΒΌΛΟΣ.gr', 'kim@βόλοσ.gr'],
    ['kim@xn--mgba3gch31f060k.com', 'kim@نامه‌ای.com'],
    ['kim@نامه‌ای.com', 'kim@نامه‌ای.com'],
    ['xn--bcher-kva@example.com', 'xn--bcher-kva@example.com'],
    // No names: they stay what they are, and are nobody else's.
    ['kim@xn--a.example', 'kim@xn--a.example'],
    ['kim@xn--zzzzzzzz.example', 'kim@xn--zzzzzzzz.example'],
    ['kim@127.1', 'kim@127.1'],
    ["o'neil/x=y@MÜLLER.example", "o'neil/x=y@müller.example"],
  ])('%j is %j', (written, normalized) => {
    expect(normalizeEmail(written)).toBe(normalized);
  });

  it.each(['ana@ｅxample.com', 'ana@exampﬂe.com', 'ana@exаmple.com', 'ana@ex%61mple.com', 'ana@example。com'])(
    '%j is not the domain that a browser would make of it',
    (written) => {
      expect(normalizeEmail(written)).not.toBe('ana@example.com');
    },
  );

  it.each(['ａna@example.com', 'straße@example.com', 'a.na@example.com', 'ana+1@example.com', 'аna@example.com'])(
    '%j stays another one than its look-alikes',
    (written) => {
      expect(normalizeEmail(written)).not.toBeNull();
      expect(['ana@example.com', 'strasse@example.com']).not.toContain(normalizeEmail(written));
    },
  );

  it.each([
    '',
    '@',
    'ana',
    'ana@',
    '@example.com',
    'a@b@c',
    'ana@example..com',
    'ana@.com',
    'ana@example.com.',
    'ana@-example.com',
    'Ana <ana@example.com>',
    'ana@example.com, ben@example.com',
    '"a b"@example.com',
    'a na@example.com',
    'ana @example.com',
    'ana@ example.com',
    'ana@straẞe.example',
    'ana@exam\u200cple.com',
    'an\u200ba@example.com',
    'ana@exam\u202eple.com',
    'an\0a@example.com',
    `${'a'.repeat(65)}@example.com`,
    `a@${'b.'.repeat(130)}com`,
    'a'.repeat(100_000),
  ])('%.40j is none', (written) => {
    expect(normalizeEmail(written)).toBeNull();
  });

  it('is its own normal form', () => {
    const part = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(part, part, (local, domain) => {
        const once = normalizeEmail(`${local}@${domain}`);
        if (once !== null) expect(normalizeEmail(once)).toBe(once);
      }),
      { numRuns: 500 },
    );
  });

  it('is one for both forms of every domain, and two for two domains that the DNS holds apart', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'abcßσςäöüéñøłжшаеоאבعفか漢字'), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(letters, letters, (one, other) => {
        const [first, second] = [one, other].map((name) => ({ name, ascii: domainToASCII(name) }));
        fc.pre(first!.ascii !== '' && second!.ascii !== '');
        const forms = [first!.name, first!.ascii].map((domain) => normalizeEmail(`kim@${domain}.example`));
        expect(forms[0]).toBe(forms[1]);
        const isOne = first!.ascii === second!.ascii;
        expect(normalizeEmail(`kim@${first!.name}.example`) === normalizeEmail(`kim@${second!.ascii}.example`)).toBe(isOne);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('the forms of an address that a source may keep', () => {
  it('are both of its domain, composed or not', () => {
    expect(formsOfEmail('kim@bücher.example')).toEqual([
      'kim@bücher.example',
      'kim@xn--bcher-kva.example',
      'kim@bu\u0308cher.example',
    ]);
    expect(formsOfEmail('josé@bücher.example')).toHaveLength(4);
    expect(formsOfEmail('kim@example.com')).toEqual(['kim@example.com']);
    expect(formsOfEmail('kim@ｅxample.com')).not.toContain('kim@example.com');
  });

  it('are all compared as that address', () => {
    const part = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(part, part, (local, domain) => {
        const normalized = normalizeEmail(`${local}@${domain}`);
        if (normalized === null) return;
        for (const form of formsOfEmail(normalized)) expect(normalizeEmail(form)).toBe(normalized);
      }),
      { numRuns: 500 },
    );
  });
});
