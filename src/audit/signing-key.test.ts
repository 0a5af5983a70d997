import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { parseSigningKeys, SigningKeyInvalid, seedOf } from './signing-key';

const seed = () => randomBytes(32).toString('base64');
const pemOf = () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { pem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), seed: seedOf(privateKey).toString('base64') };
};

describe('several signing keys', () => {
  const [old, next, pem, other] = [seed(), seed(), pemOf(), pemOf()];
  it.each([
    ['separated by a comma', `${old},${next}`, [old, next]],
    ['one below the other, as appended to the file', `${old}\n${next}\n`, [old, next]],
    ['with lines of another system and empty ones', `\r\n${old}\r\n\r\n${next}\r\n`, [old, next]],
    ['in PEM', `${pem.pem}${other.pem}`, [pem.seed, other.seed]],
    ['a PEM below a seed', `${old}\n${pem.pem}`, [old, pem.seed]],
    ['a seed below a PEM', `${pem.pem}${old}\n`, [old, pem.seed]],
  ])('are all taken: %s', (_, text, seeds) => {
    const taken = parseSigningKeys(text).map((key) => seedOf(key).toString('base64'));
    expect(taken.sort()).toEqual([...seeds].sort());
  });

  it.each([
    ['nothing', ''],
    ['only separators', ' ,\n'],
    ['half a key', old.slice(0, 20)],
    ['a key and a word', `${old}\nold`],
    ['a PEM and a word', `${pem.pem}\nold`],
    ['one twice', `${old}\n${old}`],
    ['one twice, in two forms', `${pem.pem}${pem.seed}`],
  ])('are refused where there is %s', (_, text) => {
    expect(() => parseSigningKeys(text)).toThrow(SigningKeyInvalid);
  });
});
