import { manifestOf } from '../../src/audit/export-format';
import { InputInvalid, type ReadBytes, verify } from './verifier';

export { type Given, InputInvalid, type ReadBytes, type Verified, verdictOf, verify } from './verifier';

/*
 * The command of the single file: node counterfoil-verify.mjs EXPORT --key KEY. It imports nothing, so that a browser can load it too:
 * Node's own modules are asked for by name when it is run by Node.
 */

const usage = `Verifies an export of a Counterfoil audit log, without gateway, database or network.

  node counterfoil-verify.mjs EXPORT --key KEY [--key KEY] [--since CHECKPOINT] [--witness KEY] [--strict] [--json]

EXPORT      the NDJSON file, or a CSV file with its manifest beside it
--key       the log's public key, name+hash+base64, or a file with one a line; come by it another way than by the export
--since     a file with a checkpoint that you kept
--witness   a witness's public key, or a file with one a line
--strict    holds each leaf against every rule of its version, and its bytes against canonical JSON
--json      the verdict as JSON

It ends with 0 where nothing is wrong, and with 1 otherwise.`;

const optionOf = { keys: '--key', witnesses: '--witness' } as const;

interface Arguments {
  file: string | null;
  readonly key: string[];
  readonly witness: string[];
  since: string | null;
  strict: boolean;
  json: boolean;
}

const read = (args: readonly string[]): Arguments => {
  const found: Arguments = { file: null, key: [], witness: [], since: null, strict: false, json: false };
  for (let at = 0; at < args.length; at += 1) {
    const [name = '', inline] = args[at]!.startsWith('--') ? args[at]!.split(/=(.*)/s, 2) : [];
    const value = (): string => {
      const given = inline ?? args[++at];
      if (given === undefined) throw new InputInvalid(`${name} takes a value`);
      return given;
    };
    if (name === '--strict') found.strict = true;
    else if (name === '--json') found.json = true;
    else if (name === '--key') found.key.push(value());
    else if (name === '--witness') found.witness.push(value());
    else if (name === '--since') found.since = value();
    else if (name !== '' || found.file !== null) throw new InputInvalid(`"${args[at]}" isn't known.\n\n${usage}`);
    else found.file = args[at]!;
  }
  return found;
};

type Files = typeof import('node:fs');

const run = async (files: Files, args: readonly string[]): Promise<number> => {
  const { file, key, witness, since, strict, json } = read(args);
  if (file === null) throw new InputInvalid(usage);
  const open = (path: string): number => {
    try {
      return files.openSync(path, 'r');
    } catch {
      throw new InputInvalid(`${path} can't be read.`);
    }
  };
  const textOf = (path: string): string => {
    const descriptor = open(path);
    try {
      return files.readFileSync(descriptor, 'utf8');
    } finally {
      files.closeSync(descriptor);
    }
  };
  const isKey = (argument: string): boolean => /^[^+]+\+[0-9a-f]{8}\+/.test(argument);
  const keysOf = (given: readonly string[]): string =>
    given.map((argument) => (isKey(argument) ? argument : textOf(argument))).join('\n');
  const csv = file.toLowerCase().endsWith('.csv') ? file : undefined;
  const manifest = csv === undefined ? file : manifestOf(csv);
  const reading = (path: string): ReadBytes => {
    const descriptor = open(path);
    return (into) => files.readSync(descriptor, into);
  };
  const { ok, statements, complaints, verdict } = await verify({
    read: reading(manifest),
    csv: csv === undefined ? undefined : reading(csv),
    files: { export: manifest, csv },
    givenAs: '--since',
    keys: keysOf(key),
    witnesses: keysOf(witness),
    since: since === null ? '' : textOf(since),
    strict,
  });
  for (const line of json ? [JSON.stringify(verdict)] : statements) console.log(line);
  if (!ok) console.error(complaints.join('\n'));
  return ok ? 0 : 1;
};

/** Whether Node was asked to run this file, rather than to import it. */
const { process } = globalThis as { process?: NodeJS.Process };
const fs = process?.getBuiltinModule?.('node:fs');
if (process && fs && process.argv[1] !== undefined && import.meta.url.startsWith('file:')) {
  const { pathToFileURL } = process.getBuiltinModule('node:url');
  if (pathToFileURL(fs.realpathSync(process.argv[1])).href === import.meta.url)
    run(fs, process.argv.slice(2)).then(
      (code) => {
        process.exitCode = code;
      },
      (error: unknown) => {
        const option = error instanceof InputInvalid && error.about !== null ? `${optionOf[error.about]}: ` : '';
        console.error(error instanceof InputInvalid ? `${option}${error.message}` : error);
        process.exitCode = 1;
      },
    );
}
