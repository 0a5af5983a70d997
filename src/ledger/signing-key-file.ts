import { randomBytes } from 'node:crypto';
import { createKeyFile, KeyFileInvalid, readKeyFile } from '../privacy/key-file';

/**
 * The signing keys as text (`parseSigningKeys`). A file that is named rather than read already is that of development: it is
 * made with a random key where it doesn't exist. Throws `KeyFileInvalid`.
 */
export const signingKeyText = (key: { readonly value: string } | { readonly file: string }): string => {
  if ('value' in key) return key.value;
  if (readKeyFile(key.file) === null) createKeyFile(key.file, `${randomBytes(32).toString('base64')}\n`);
  const content = readKeyFile(key.file);
  if (content === null) throw new KeyFileInvalid(`${key.file}: the file was there a moment ago and isn't any more.`);
  return content.toString('utf8').trim();
};
