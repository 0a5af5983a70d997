import type { Config } from '../config';
import { type KeyEncryption, keyEncryptionFromEnvironment, keyEncryptionFromFile } from '../privacy/key-encryption';

/** What unwraps the stored keys. Throws `KeyEncryptionInvalid`. */
export const keyEncryptionOf = ({ keyEncryption }: Pick<Config, 'keyEncryption'>): KeyEncryption =>
  'value' in keyEncryption
    ? keyEncryptionFromEnvironment(keyEncryption.value)
    : keyEncryptionFromFile(keyEncryption.file, { create: keyEncryption.create });
