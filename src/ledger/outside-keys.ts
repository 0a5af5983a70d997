import { distinctKeys, parseVerifierKey, type VerifierKey, verifierKeyOf } from '../audit/note';
import { readKeyFile } from '../privacy/key-file';
import type { AuditSettings } from './audit-settings';
import { signersOf } from './checkpoints';
import type { OutsideKeys } from './trusted-keys';

export interface ConfiguredKeys {
  readonly outside: OutsideKeys;
  /** None is known: whatever is stored, nobody can say who signed it. */
  readonly areNone: boolean;
  /** The file of development, where one of the keys is from there: who can write the database can mostly read it. */
  readonly developmentFile: string | null;
}

/**
 * The public keys that are known from outside the log: those that are `given`, those of `audit.keys`, and the signing key's own, which goes by
 * each name that the log has had. A file of development counts where it exists; it isn't made here. Throws `KeyFileInvalid`.
 */
export const configuredKeys = (
  { keys = [], signingKey, developmentKeyFile = null }: Pick<AuditSettings, 'keys' | 'signingKey' | 'developmentKeyFile'>,
  given: readonly VerifierKey[] = [],
): ConfiguredKeys => {
  const named = [...given, ...keys.map(parseVerifierKey)];
  const file = signingKey !== null && 'file' in signingKey ? signingKey.file : signingKey === null ? developmentKeyFile : null;
  const fileText = file === null ? undefined : readKeyFile(file)?.toString('utf8').trim();
  const text = signingKey !== null && 'value' in signingKey ? signingKey.value : fileText;
  return {
    outside: (origin) =>
      distinctKeys([
        ...named.filter(({ name }) => name === origin),
        ...(text === undefined ? [] : signersOf(origin, text).map(verifierKeyOf)),
      ]),
    areNone: named.length === 0 && text === undefined,
    developmentFile: fileText === undefined ? null : file,
  };
};
