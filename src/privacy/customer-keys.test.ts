import { randomBytes } from 'node:crypto';
import { DataKeyring, newDataKey } from './customer-keys';
import { LocalKeyEncryption, WrappedKeyBroken } from './key-encryption';
import { KeyDestroyed, open, seal } from './sealing';

const first = { id: 'first', key: randomBytes(32) };
const second = { id: 'second', key: randomBytes(32) };
const encryption = new LocalKeyEncryption([first]);
const place = { table: 'customer', column: 'email', row: 'cus_1' };

describe('a data key', () => {
  it('is new each time, and opens for its owner and under its id only', () => {
    const one = newDataKey(encryption, 'cus_1');
    const other = newDataKey(encryption, 'cus_1');
    expect(one.id).toMatch(/^key_[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(one.key).toHaveLength(32);
    expect(one.key.equals(other.key)).toBe(false);
    const keyring = new DataKeyring(encryption);
    expect(() => keyring.unwrap(one.id, one.wrapped, 'cus_2')).toThrow(WrappedKeyBroken);
    expect(() => keyring.unwrap(other.id, one.wrapped, 'cus_1')).toThrow(WrappedKeyBroken);
    expect(keyring.unwrap(one.id, one.wrapped, 'cus_1')).toEqual(one.key);
  });
});

describe('the keyring', () => {
  it('unwraps a key once while it is in use', () => {
    const { id, wrapped } = newDataKey(encryption, 'cus_1');
    const unwrap = jest.spyOn(encryption, 'unwrap');
    const keyring = new DataKeyring(encryption);
    expect(keyring.unwrap(id, wrapped, 'cus_1')).toBe(keyring.unwrap(id, wrapped, 'cus_1'));
    expect(unwrap).toHaveBeenCalledTimes(1);
    unwrap.mockRestore();
  });

  it('does not give a cached key to another owner or for an altered row', () => {
    const { id, wrapped } = newDataKey(encryption, 'cus_1');
    const keyring = new DataKeyring(encryption);
    keyring.unwrap(id, wrapped, 'cus_1');
    expect(() => keyring.unwrap(id, wrapped, 'cus_2')).toThrow(WrappedKeyBroken);
    const altered = Buffer.from(wrapped);
    altered[altered.length - 1]! ^= 1;
    expect(() => keyring.unwrap(id, altered, 'cus_1')).toThrow(WrappedKeyBroken);
  });

  it('is not fooled when the caller reuses the memory of the wrapped key', () => {
    const { id, wrapped } = newDataKey(encryption, 'cus_1');
    const keyring = new DataKeyring(encryption);
    keyring.unwrap(id, wrapped, 'cus_1');
    wrapped.fill(0);
    expect(() => keyring.unwrap(id, wrapped, 'cus_1')).toThrow(WrappedKeyBroken);
  });

  it('takes a rotated key for the same key', () => {
    const { id, wrapped, key } = newDataKey(encryption, 'cus_1');
    const both = new LocalKeyEncryption([second, first]);
    const keyring = new DataKeyring(both);
    const before = keyring.unwrap(id, wrapped, 'cus_1');
    const after = keyring.unwrap(id, both.wrap(key, `data-key|${id}|cus_1`), 'cus_1');
    expect(after).toBe(before);
  });

  it('refuses a second key under an id in use', () => {
    const { id, wrapped } = newDataKey(encryption, 'cus_1');
    const keyring = new DataKeyring(encryption);
    const held = keyring.unwrap(id, wrapped, 'cus_1');
    const copy = Buffer.from(held);
    expect(() => keyring.unwrap(id, encryption.wrap(randomBytes(32), `data-key|${id}|cus_1`), 'cus_1')).toThrow(WrappedKeyBroken);
    expect(held).toEqual(copy);
  });

  it('refuses what is no data key', () => {
    const keyring = new DataKeyring(encryption);
    expect(() => keyring.unwrap('key_x', encryption.wrap(randomBytes(16), 'data-key|key_x|cus_1'), 'cus_1')).toThrow(
      WrappedKeyBroken,
    );
  });

  it('keeps so many keys and no more, and never zeroes one in use', () => {
    const unwrap = jest.spyOn(encryption, 'unwrap');
    const keyring = new DataKeyring(encryption, { max: 2 });
    const keys = [1, 2, 3].map(() => newDataKey(encryption, 'cus_1'));
    const held = keys.map(({ id, wrapped }) => keyring.unwrap(id, wrapped, 'cus_1'));
    expect(held).toEqual(keys.map(({ key }) => key));
    keyring.unwrap(keys[2]!.id, keys[2]!.wrapped, 'cus_1');
    expect(unwrap).toHaveBeenCalledTimes(3);
    expect(keyring.unwrap(keys[0]!.id, keys[0]!.wrapped, 'cus_1')).toBe(held[0]);
    expect(unwrap).toHaveBeenCalledTimes(4);
    unwrap.mockRestore();
  });

  it('opens nothing any more after a key was forgotten, not even for who holds it or its wrapped form', () => {
    const keyring = new DataKeyring(encryption);
    const { id, wrapped } = newDataKey(encryption, 'cus_1');
    const held = keyring.unwrap(id, wrapped, 'cus_1');
    const sealed = seal(held, place, 'secret');
    expect(open(held, place, sealed)).toBe('secret');
    keyring.forget(id);
    expect(() => open(held, place, sealed)).toThrow(KeyDestroyed);
    expect(() => seal(held, place, 'secret')).toThrow(KeyDestroyed);
    expect(() => keyring.unwrap(id, wrapped, 'cus_1')).toThrow(KeyDestroyed);
  });

  it('reaches a key that already fell out of the cache, too', () => {
    const keyring = new DataKeyring(encryption, { max: 1 });
    const { id, wrapped } = newDataKey(encryption, 'cus_1');
    const held = keyring.unwrap(id, wrapped, 'cus_1');
    const next = newDataKey(encryption, 'cus_2');
    const kept = keyring.unwrap(next.id, next.wrapped, 'cus_2');
    keyring.forget(id);
    expect(() => seal(held, place, 'secret')).toThrow(KeyDestroyed);
    expect(kept).toEqual(next.key);
  });

  it('can forget a key before it was ever asked for', () => {
    const keyring = new DataKeyring(encryption);
    const { id, wrapped } = newDataKey(encryption, 'cus_1');
    keyring.forget(id);
    expect(() => keyring.unwrap(id, wrapped, 'cus_1')).toThrow(KeyDestroyed);
  });
});
