import { type KeyEncryption, keyEncryptionFromEnvironment, keyEncryptionFromFile } from '../privacy/key-encryption';
import type { Config } from './load';

/** What unwraps the stored keys. Throws `KeyEncryptionInvalid`. */
export const keyEncryptionOf = ({ keyEncryption }: Pick<Config, 'keyEncryption'>): KeyEncryption =>
  'value' in keyEncryption
    ? keyEncryptionFromEnvironment(keyEncryption.value)
    : keyEncryptionFromFile(keyEncryption.file, { create: keyEncryption.create });
