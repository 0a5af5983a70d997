import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Continuation, Inclusion, ProvenContinuation, ProvenInclusion } from '../../console/verifier/steps';
import type { WitnessKey } from '../../src/audit/cosignature';
import type { ReadBytes } from '../../src/audit/lines';
import { formatVerifierKey } from '../../src/audit/note';
import { type Verdict, type VerifyOptions, verifyExport as verifyHere } from '../../src/audit/verify';

/** What of the single file is asked here, as it is delivered. */
export interface Standalone {
  readonly proveInclusion: (given: Inclusion) => Promise<ProvenInclusion>;
  readonly proveContinuation: (given: Continuation) => Promise<ProvenContinuation>;
  readonly verdictOf: (given: {
    readonly read: ReadBytes;
    readonly csv: ReadBytes | undefined;
    readonly keys: string;
    readonly witnesses: string;
    readonly since: string;
    readonly strict: boolean;
  }) => Verdict;
}

/** Makes the single files in this folder, of the sources as they are now. */
export const makeVerifier = (into: string): void => {
  execFileSync(process.execPath, [join(__dirname, '..', '..', 'scripts', 'verifier.mjs'), into]);
};

let folder: string | undefined;
/** Where the single files are, made once for a file of tests. */
export const verifierFolder = (): string => {
  if (folder === undefined) {
    folder = mkdtempSync(join(tmpdir(), 'verifier-'));
    makeVerifier(folder);
  }
  return folder;
};

let loaded: Standalone | undefined;
/** The module as it is delivered, loaded where it finds nothing of Node: neither its own Buffer nor `process`. */
export const standalone = (): Standalone => {
  if (loaded === undefined) {
    const text = readFileSync(join(verifierFolder(), 'counterfoil-verify.mjs'), 'utf8');
    const [exported, names] = /export \{([^}]*)\};\s*$/.exec(text) ?? [];
    if (exported === undefined || /^\s*import\b/m.test(text))
      throw new Error('expected a module that exports, and imports nothing');
    const body = text.slice(0, -exported.length).replaceAll('import.meta.url', '"about:blank"');
    loaded = new Function('globalThis', 'process', 'Buffer', `${body}\nreturn {${names}};`)(
      {},
      undefined,
      undefined,
    ) as Standalone;
  }
  return loaded;
};

const witnessText = ({ name, keyId, type, publicKey }: WitnessKey): string => {
  const [code, bytes] = type === 'Ed25519' ? [0x04, 32] : [0x06, 1_312];
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-bytes);
  return `${name}+${keyId.toString(16).padStart(8, '0')}+${Buffer.concat([Buffer.of(code), raw]).toString('base64')}`;
};

/** What was read, for reading it once more. */
const recording = (read: ReadBytes) => {
  const pieces: Buffer[] = [];
  return {
    read: (into: Buffer): number => {
      const count = read(into);
      pieces.push(Buffer.from(into.subarray(0, count)));
      return count;
    },
    /** The rest is read too: the other verifier must find for itself where to stop. */
    again: (): ReadBytes => {
      const rest = Buffer.alloc(65_536);
      for (let count = read(rest); count > 0; count = read(rest)) pieces.push(Buffer.from(rest.subarray(0, count)));
      let left = Buffer.concat(pieces);
      return (into) => {
        const count = Math.min(left.length, into.length);
        into.set(left.subarray(0, count));
        left = left.subarray(count);
        return count;
      };
    },
  };
};

/** Of two verdicts that are the same, the same text. */
const written = (verdict: Verdict): unknown =>
  JSON.parse(
    JSON.stringify({
      ...verdict,
      checkpoint: verdict.checkpoint && { ...verdict.checkpoint, root: [...verdict.checkpoint.root] },
    }),
  );

/** The verdict of `counterfoil audit verify`, after the single file came to the same. */
export const verifyExport = (read: ReadBytes, options: VerifyOptions): Verdict => {
  const [file, rows] = [recording(read), options.csv && recording(options.csv)];
  const verdict = verifyHere(file.read, { ...options, csv: rows?.read });
  const { since } = options;
  const other = standalone().verdictOf({
    read: file.again(),
    csv: rows?.again(),
    keys: options.keys.map(formatVerifierKey).join('\n'),
    witnesses: (options.witnesses ?? []).map(witnessText).join('\n'),
    since: since === undefined ? '' : typeof since === 'string' ? since : Buffer.from(since).toString('utf8'),
    strict: options.strict ?? false,
  });
  expect(written(other)).toEqual(written(verdict));
  return verdict;
};
