import { createCipheriv, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { KeyDestroyed, open, SealBroken, type SealedPlace, seal } from './sealing';

const key = randomBytes(32);
const place: SealedPlace = { table: 'message', column: 'body', row: 'msg_01' };

describe('a sealed text', () => {
  it('opens in its place under its key, whatever it says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 600 }), (text) => {
        expect(open(key, place, seal(key, place, text))).toBe(text);
      }),
    );
  });

  it('may end like its own padding', () => {
    for (const text of ['', '\0', '\0\0', '\u0080', `${'a'.repeat(31)}\0`, `a\u0080\0`, '\uFEFFa']) {
      expect(open(key, place, seal(key, place, text))).toBe(text);
    }
  });

  it('loses unpaired surrogates to the replacement character', () => {
    expect(open(key, place, seal(key, place, 'a\ud800b'))).toBe('a\ufffdb');
  });

  it.each<[string, SealedPlace]>([
    ['table', { ...place, table: 'ticket' }],
    ['column', { ...place, column: 'subject' }],
    ['row', { ...place, row: 'msg_02' }],
  ])('does not open in another %s', (_, elsewhere) => {
    expect(() => open(key, elsewhere, seal(key, place, 'secret'))).toThrow(SealBroken);
  });

  it('has one place only: none reads like another', () => {
    const sealed = seal(key, { table: 'a', column: 'b', row: 'c|d' }, 'secret');
    expect(() => open(key, { table: 'a', column: 'b|c', row: 'd' }, sealed)).toThrow('without "|"');
    expect(() => seal(key, { table: 'a|b', column: 'c', row: 'd' }, '')).toThrow('without "|"');
    expect(() => seal(key, { ...place, row: '' }, '')).toThrow('id of a row');
  });

  it('does not open under another key', () => {
    expect(() => open(randomBytes(32), place, seal(key, place, 'secret'))).toThrow(SealBroken);
  });

  it('notices every changed bit, every cut and every addition', () => {
    const sealed = seal(key, place, 'secret');
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => open(key, place, changed)).toThrow(SealBroken);
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(() => open(key, place, sealed.subarray(0, length))).toThrow(SealBroken);
    }
    expect(() => open(key, place, Buffer.concat([sealed, Buffer.alloc(32)]))).toThrow(SealBroken);
  });

  it('is broken when the padding is missing, even if the key holder made it', () => {
    const header = Buffer.concat([Buffer.from([1]), randomBytes(12)]);
    const cipher = createCipheriv('aes-256-gcm', key, header.subarray(1));
    cipher.setAAD(Buffer.from('counterfoil/seal/1|message|body|msg_01'));
    const sealed = Buffer.concat([header, cipher.update(Buffer.alloc(32, 0x41)), cipher.final(), cipher.getAuthTag()]);
    expect(() => open(key, place, sealed)).toThrow(new SealBroken(place, 'malformed'));
  });

  it('tells its length to 32 bytes only', () => {
    const length = (characters: number) => seal(key, place, 'x'.repeat(characters)).length;
    expect(new Set(Array.from({ length: 32 }, (_, characters) => length(characters)))).toEqual(new Set([29 + 32]));
    expect(length(32)).toBe(29 + 64);
    expect(length(255)).toBe(29 + 256);
    expect(length(500)).toBe(29 + 512);
  });

  it('never looks the same twice and never holds the text', () => {
    const sealed = Array.from({ length: 200 }, () => seal(key, place, 'canary-canary').toString('hex'));
    expect(new Set(sealed.map((each) => each.slice(2, 26))).size).toBe(200);
    expect(sealed.some((each) => each.includes(Buffer.from('canary').toString('hex')))).toBe(false);
  });

  it('is refused under a destroyed or a short key', () => {
    const sealed = seal(key, place, 'secret');
    expect(() => seal(Buffer.alloc(32), place, 'secret')).toThrow(KeyDestroyed);
    expect(() => open(Buffer.alloc(32), place, sealed)).toThrow(KeyDestroyed);
    expect(() => seal(randomBytes(16), place, 'secret')).toThrow('32 bytes');
  });

  it('names the place and nothing else when it is broken', () => {
    const error = new SealBroken(place, 'authentication');
    expect(error.message).toBe("The sealed value of message.body in row msg_01 can't be opened (authentication).");
  });
});
