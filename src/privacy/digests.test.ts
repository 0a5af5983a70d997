import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { auditDigest, KeyedDigests, matchesAuditDigest } from './digests';
import { KeyDestroyed } from './sealing';

const secret = Buffer.alloc(32, 7);
const digests = new KeyedDigests(secret);

describe('keyed digests', () => {
  it('are stable across processes', () => {
    expect(digests.search('email', 'ana@example.com').toString('hex')).toBe(
      new KeyedDigests(Buffer.alloc(32, 7)).search('email', 'ana@example.com').toString('hex'),
    );
    // Fixed: rows written by an earlier version must still be found.
    expect(digests.surrogate('stripe', 'pm_1')).toBe('tok_avubtwpy3c3pfr4mvfyk6yztprri7h6l');
    expect(digests.search('email', 'ana@example.com').toString('hex')).toBe(
      '3ee29cb75e3ba4f08cdfbe445e0061ae2a68df04e9d35ce118c1b8ce9de9ed8f',
    );
  });

  it('depend on the secret, the purpose, the domain and the text', () => {
    const other = new KeyedDigests(randomBytes(32));
    const all = [
      digests.search('email', 'x').toString('hex'),
      digests.search('phone', 'x').toString('hex'),
      digests.search('email', 'y').toString('hex'),
      other.search('email', 'x').toString('hex'),
      ...[digests.surrogate('email', 'x'), digests.device('x'), digests.pseudonym('x'), other.device('x')].map((each) =>
        each.slice(4),
      ),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(createHmac('sha256', secret).update('x').digest('hex')).not.toBe(all[0]);
  });

  it('are HMAC-SHA256 over each part with its length before it, however long it is and whatever was digested before', () => {
    const key = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), 'counterfoil/search/1', 32));
    const part = (text: string): Buffer => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return Buffer.concat([length, bytes]);
    };
    const text = fc.oneof(fc.string({ unit: 'binary', minLength: 1 }), fc.string({ minLength: 900, maxLength: 1_200 }));
    fc.assert(
      fc.property(text, text, (domain, value) => {
        const expected = createHmac('sha256', key).update(part(domain)).update(part(value)).digest();
        expect(digests.search(domain, value).equals(expected)).toBe(true);
      }),
    );
  });

  it('do not take two parts for one another', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (a, b, c, d) => {
        fc.pre(a !== c || b !== d);
        expect(digests.surrogate(a, b)).not.toBe(digests.surrogate(c, d));
      }),
    );
    expect(digests.surrogate('ab', 'c')).not.toBe(digests.surrogate('a', 'bc'));
  });

  it('have their prefix, 160 bits and one case', () => {
    expect(digests.surrogate('stripe', 'pm_1')).toMatch(/^tok_[a-z2-7]{32}$/);
    expect(digests.device('fp')).toMatch(/^dev_[a-z2-7]{32}$/);
    expect(digests.pseudonym('text')).toMatch(/^psn_[a-z2-7]{32}$/);
    expect(digests.search('email', 'x')).toHaveLength(32);
  });

  it('are refused for nothing, so that two empty columns never match', () => {
    expect(() => digests.search('email', '')).toThrow('null');
    expect(() => digests.search('', 'x')).toThrow('domain');
  });

  it('need a secret of 32 bytes that is not zeros, keep no reference to it and show nothing', () => {
    expect(() => new KeyedDigests(Buffer.alloc(31, 1))).toThrow('32 bytes');
    expect(() => new KeyedDigests(Buffer.alloc(32))).toThrow(KeyDestroyed);
    const own = Buffer.from(secret);
    const made = new KeyedDigests(own);
    own.fill(0);
    expect(made.device('x')).toBe(digests.device('x'));
    expect(inspect(made, { showHidden: true, depth: 9 })).not.toContain('07 07');
    expect(JSON.stringify(made)).toBe('{}');
  });
});

describe('an audit digest', () => {
  const key = randomBytes(32);
  const salt = randomBytes(16);

  it('proves its value to who has key and salt', () => {
    const digest = auditDigest(key, salt, 'ana@example.com');
    expect(digest).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(matchesAuditDigest(key, salt, 'ana@example.com', digest)).toBe(true);
  });

  it('proves nothing else', () => {
    const digest = auditDigest(key, salt, 'ana@example.com');
    expect(matchesAuditDigest(key, salt, 'ana@example.org', digest)).toBe(false);
    expect(matchesAuditDigest(key, randomBytes(16), 'ana@example.com', digest)).toBe(false);
    expect(matchesAuditDigest(randomBytes(32), salt, 'ana@example.com', digest)).toBe(false);
    for (const wrong of ['', digest.slice(1), `${digest}A`, `${digest}=`, `${digest} `]) {
      expect(matchesAuditDigest(key, salt, 'ana@example.com', wrong)).toBe(false);
    }
  });

  it('is not made under the sealing key itself, so that neither use weakens the other', () => {
    expect(auditDigest(key, salt, 'x')).not.toBe(createHmac('sha256', key).update(salt).update('x').digest('base64url'));
  });

  it('cannot be made or checked once the key is destroyed', () => {
    expect(() => auditDigest(Buffer.alloc(32), salt, 'x')).toThrow(KeyDestroyed);
    expect(() => matchesAuditDigest(Buffer.alloc(32), salt, 'x', 'y')).toThrow(KeyDestroyed);
  });

  it('needs its whole salt', () => {
    expect(() => auditDigest(key, Buffer.alloc(15), 'x')).toThrow('16 bytes');
  });
});
