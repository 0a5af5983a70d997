import { parseWitnessKey } from '../../src/audit/cosignature';
import type { ReadBytes } from '../../src/audit/lines';
import { distinctKeys, NoteInvalid, parseVerifierKey } from '../../src/audit/note';
import { complaintsOf, statementsOf, type VerifiedFiles, verdictAsJson } from '../../src/audit/verdict-text';
import { type Verdict, verifyExport } from '../../src/audit/verify';
import { type CheckedSignature, takeChecked } from './crypto';

/**
 * Verifies an export of the audit log without the gateway, Node's libraries or a network: the same checks as `counterfoil audit verify`,
 * from the same source, as one module that a browser or Node loads by itself.
 */

export type { ReadBytes };

/** What was asked to be verified can't be: the message says what is expected. */
export class InputInvalid extends Error {
  /** `about`: what of the input, where that is known. */
  constructor(
    message: string,
    readonly about: 'keys' | 'witnesses' | null = null,
  ) {
    super(message);
    this.name = 'InputInvalid';
  }
}

export interface Given {
  /** The export as NDJSON; beside a CSV file its manifest. */
  readonly read: ReadBytes;
  readonly csv?: ReadBytes | undefined;
  /** How the files are called in what is said of them. */
  readonly files: VerifiedFiles;
  /** How the place is called where a kept checkpoint is given. */
  readonly givenAs: string;
  /** Public keys of the log, one a line, `name+hash+base64`. */
  readonly keys: string;
  /** Keys of witnesses, one a line. */
  readonly witnesses: string;
  /** The checkpoint that was kept; empty without one. */
  readonly since: string;
  readonly strict: boolean;
}

export interface Verified {
  readonly ok: boolean;
  /** What is shown and what isn't, a sentence each. */
  readonly statements: readonly string[];
  /** What is wrong. */
  readonly complaints: readonly string[];
  /** As `counterfoil audit verify --json` has it. */
  readonly verdict: ReturnType<typeof verdictAsJson>;
  /** How many signatures WebCrypto has checked as well, with the same outcome; null where it can't. */
  readonly checkedTwice: number | null;
}

/** Lines with something in them, without the blanks around them. */
export const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

export const keysIn = <K>(text: string, about: 'keys' | 'witnesses', parse: (line: string) => K): K[] => {
  try {
    return linesOf(text).map(parse);
  } catch (error) {
    if (!(error instanceof NoteInvalid)) throw error;
    const whose = about === 'keys' ? 'The log’s public key' : 'The witness’s key';
    throw new InputInvalid(
      `${whose}: ${error.message}. "counterfoil audit key" prints the log’s; several stand one a line.`,
      about,
    );
  }
};

/** What WebCrypto says of an Ed25519 signature; null where it doesn't know how. */
const askWebCrypto = async ({ key, message, signature }: CheckedSignature): Promise<boolean | null> => {
  // Not there in a page that came by plain HTTP.
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  if (subtle === undefined) return null;
  const bytes = (from: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(from);
  let imported: CryptoKey;
  try {
    imported = await subtle.importKey('raw', bytes(key), { name: 'Ed25519' }, false, ['verify']);
  } catch {
    return null;
  }
  return subtle.verify({ name: 'Ed25519' }, imported, bytes(signature), bytes(message));
};

/** Holds the signatures that were checked here against the platform's own arithmetic. Throws where the two differ. */
export const checkAgain = async (signatures: readonly CheckedSignature[]): Promise<number | null> => {
  let agreed = 0;
  for (const each of signatures) {
    const other = each.type === 'Ed25519' ? await askWebCrypto(each) : null;
    if (other === null) continue;
    if (other !== each.isValid)
      throw new Error(
        'The verifier and this browser’s WebCrypto differ about a signature: believe neither, and tell who gave you the verifier.',
      );
    agreed += 1;
  }
  return agreed === 0 ? null : agreed;
};

/** The verdict, by the module's own arithmetic alone. Throws `InputInvalid` where a key isn't one; whatever the files hold comes out as a verdict. */
export const verdictOf = ({ read, csv, keys, witnesses, since, strict }: Omit<Given, 'files' | 'givenAs'>): Verdict => {
  const given = distinctKeys(keysIn(keys, 'keys', parseVerifierKey));
  if (given.length === 0)
    throw new InputInvalid(
      'Give the log’s public key, as its owner published it: an export says nothing about who signed it.',
      'keys',
    );
  return verifyExport(read, {
    keys: given,
    witnesses: keysIn(witnesses, 'witnesses', parseWitnessKey),
    since: since.trim() === '' ? undefined : since,
    strict,
    csv,
  });
};

/** The verdict in words, with the signatures checked by WebCrypto as well where it can. Throws as `verdictOf` does. */
export const verify = async ({ files, givenAs, ...given }: Given): Promise<Verified> => {
  takeChecked();
  const verdict = verdictOf(given);
  const checkedTwice = await checkAgain(takeChecked());
  return {
    ok: verdict.ok,
    statements: statementsOf(verdict, givenAs),
    complaints: complaintsOf(verdict, files),
    verdict: verdictAsJson(verdict),
    checkedTwice,
  };
};
