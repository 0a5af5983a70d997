import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import {
  KeyEncryptionInvalid,
  keyEncryptionFromEnvironment,
  keyEncryptionFromFile,
  LocalKeyEncryption,
  WrappedKeyBroken,
} from './key-encryption';

const messageOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
};

describe('wrapping a key', () => {
  const old = { id: '2025', key: randomBytes(32) };
  const current = { id: '2026', key: randomBytes(32) };
  const encryption = new LocalKeyEncryption([current, old]);
  const key = randomBytes(32);

  it('gives the key back for the same context only', () => {
    const wrapped = encryption.wrap(key, 'customer a');
    expect(encryption.unwrap(wrapped, 'customer a')).toEqual(key);
    expect(() => encryption.unwrap(wrapped, 'customer b')).toThrow(WrappedKeyBroken);
    expect(wrapped.includes(key)).toBe(false);
  });

  it('never wraps the same way twice', () => {
    expect(encryption.wrap(key, 'c')).not.toEqual(encryption.wrap(key, 'c'));
  });

  it('wraps with the first key and opens what any of them wrapped', () => {
    expect(encryption.id).toBe('2026');
    const before = new LocalKeyEncryption([old]).wrap(key, 'c');
    expect(encryption.unwrap(before, 'c')).toEqual(key);
    const after = encryption.wrap(key, 'c');
    expect(new LocalKeyEncryption([current]).unwrap(after, 'c')).toEqual(key);
    expect(messageOf(() => new LocalKeyEncryption([old]).unwrap(after, 'c'))).toContain('"2026"');
  });

  it('notices every changed bit, and every cut', () => {
    const wrapped = encryption.wrap(key, 'c');
    for (let bit = 0; bit < wrapped.length * 8; bit++) {
      const changed = Buffer.from(wrapped);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => encryption.unwrap(changed, 'c')).toThrow(WrappedKeyBroken);
    }
    for (let length = 0; length < wrapped.length; length++) {
      expect(() => encryption.unwrap(wrapped.subarray(0, length), 'c')).toThrow(WrappedKeyBroken);
    }
    expect(() => encryption.unwrap(Buffer.concat([wrapped, Buffer.alloc(1)]), 'c')).toThrow(WrappedKeyBroken);
  });

  it('does not take one key id for another that has the same key', () => {
    const wrapped = new LocalKeyEncryption([{ id: 'a', key: old.key }]).wrap(key, 'c');
    wrapped[2] = 'b'.charCodeAt(0);
    expect(() => new LocalKeyEncryption([{ id: 'b', key: old.key }]).unwrap(wrapped, 'c')).toThrow(WrappedKeyBroken);
  });

  it('keeps its keys when the caller zeroes the buffers, and shows them to nobody', () => {
    const given = randomBytes(32);
    const shown = [given.toString('hex'), given.toString('base64')];
    const own = new LocalKeyEncryption([{ id: 'k', key: given }]);
    const wrapped = own.wrap(key, 'c');
    given.fill(0);
    expect(own.unwrap(wrapped, 'c')).toEqual(key);
    const dump = `${inspect(own, { depth: 9, showHidden: true })}${JSON.stringify(own)}`;
    for (const text of shown) expect(dump).not.toContain(text);
  });

  it.each([
    ['no key', []],
    ['a short key', [{ id: 'k', key: randomBytes(31) }]],
    ['zeros', [{ id: 'k', key: Buffer.alloc(32) }]],
    ['one id twice', [current, { ...old, id: '2026' }]],
    ['an id with a space', [{ id: 'a b', key: randomBytes(32) }]],
  ])('refuses %s', (_, keys) => {
    expect(() => new LocalKeyEncryption(keys)).toThrow(KeyEncryptionInvalid);
  });

  it('refuses to wrap nothing', () => {
    expect(() => encryption.wrap(Buffer.alloc(0), 'c')).toThrow('empty');
  });
});

describe('a key-encryption key from the environment', () => {
  const first = randomBytes(32).toString('base64');
  const second = randomBytes(32).toString('base64');

  it('is base64, padded or not, in either alphabet, and is then called default', () => {
    const wrapped = keyEncryptionFromEnvironment(first).wrap(Buffer.from('secret'), 'c');
    for (const form of [first, ` ${first}\n`, first.replace('=', ''), Buffer.from(first, 'base64').toString('base64url')]) {
      expect(keyEncryptionFromEnvironment(form).unwrap(wrapped, 'c').toString()).toBe('secret');
    }
    expect(keyEncryptionFromEnvironment(first).id).toBe('default');
  });

  it('moves from one bare key to a named one', () => {
    const wrapped = keyEncryptionFromEnvironment(first).wrap(Buffer.from('secret'), 'c');
    const rotated = keyEncryptionFromEnvironment(`2027:${second}, default:${first}`);
    expect(rotated.id).toBe('2027');
    expect(rotated.unwrap(wrapped, 'c').toString()).toBe('secret');
  });

  it.each([
    ['empty', ''],
    ['a passphrase', 'correct horse battery staple'],
    ['one byte short', randomBytes(31).toString('base64')],
    ['one byte long', randomBytes(33).toString('base64')],
    ['hex', randomBytes(32).toString('hex')],
    ['a bad character', first.replace(/^./, '$')],
    ['unused bits set', `${'A'.repeat(42)}B=`],
    ['two bare keys', `${first},${second}`],
    ['a trailing comma', `a:${first},`],
    ['an empty id', `:${first}`],
    ['key and id exchanged', `${first}:a`],
    ['an id with a slash', `a/b:${first}`],
    ['one id twice', `a:${first},a:${second}`],
    ['zeros', Buffer.alloc(32).toString('base64')],
  ])('refuses what is %s, naming the variable and not the value', (_, value) => {
    const message = messageOf(() => keyEncryptionFromEnvironment(value, 'MY_VARIABLE'));
    expect(message).toMatch(/^MY_VARIABLE: /);
    for (const part of value.split(/[,:]/).filter((each) => each.length > 8)) expect(message).not.toContain(part.slice(0, 8));
  });
});

describe('a key-encryption key from a file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'key-encryption-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const written = (content: string, mode = 0o600): string => {
    const path = join(folder, 'key');
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  };

  it('is made once, for its owner only, with nothing left beside it', () => {
    const path = join(folder, 'deeper', 'key');
    const wrapped = keyEncryptionFromFile(path, { create: true }).wrap(Buffer.from('secret'), 'c');
    const content = readFileSync(path);
    expect(keyEncryptionFromFile(path, { create: true }).unwrap(wrapped, 'c').toString()).toBe('secret');
    expect(keyEncryptionFromFile(path, { create: false }).unwrap(wrapped, 'c').toString()).toBe('secret');
    expect(readFileSync(path)).toEqual(content);
    expect(readdirSync(join(folder, 'deeper'))).toEqual(['key']);
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('is not made where that was not asked for', () => {
    const path = join(folder, 'absent');
    expect(messageOf(() => keyEncryptionFromFile(path, { create: false }))).toContain('no such file');
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([0o604, 0o620, 0o602, 0o644])('is refused with mode %o', (mode) => {
    if (process.platform === 'win32') return;
    const path = written(randomBytes(32).toString('base64'), mode);
    expect(messageOf(() => keyEncryptionFromFile(path, { create: true }))).toContain('chmod 600');
  });

  it('may be readable by the group of the process, as mounted secrets are', () => {
    const path = written(`a:${randomBytes(32).toString('base64')}`, 0o440);
    expect(keyEncryptionFromFile(path, { create: false }).id).toBe('a');
  });

  it('is never overwritten, however broken', () => {
    for (const content of ['', 'not a key', 'x'.repeat(20_000)]) {
      const path = written(content);
      const message = messageOf(() => keyEncryptionFromFile(path, { create: true }));
      expect(message).toContain('openssl rand -base64 32');
      expect(message).not.toContain('not a key');
      expect(readFileSync(path, 'utf8')).toBe(content);
    }
  });

  it('may be a link to such a file, as mounted secrets are, but not a folder', () => {
    const path = written(`a:${randomBytes(32).toString('base64')}\n`);
    symlinkSync(path, join(folder, 'link'));
    expect(keyEncryptionFromFile(join(folder, 'link'), { create: false }).id).toBe('a');
    mkdirSync(join(folder, 'folder'), { mode: 0o700 });
    expect(() => keyEncryptionFromFile(join(folder, 'folder'), { create: true })).toThrow(KeyEncryptionInvalid);
  });

  it('says why it cannot be made', () => {
    const path = join(written('a file'), 'key');
    expect(messageOf(() => keyEncryptionFromFile(path, { create: true }))).toMatch(/ENOTDIR|EEXIST/);
  });
});
