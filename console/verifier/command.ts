import { manifestOf } from '../../src/audit/export-format';
import { jsonOf } from '../../src/audit/verdict-text';
import { InputInvalid, type ReadBytes, verify } from './verifier';

export { proveContinuation, proveInclusion } from './proof';
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
    if ((name === '--strict' || name === '--json') && inline !== undefined) throw new InputInvalid(`${name} takes no value`);
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
  const reached = <T>(path: string, work: () => T): T => {
    try {
      return work();
    } catch {
      throw new InputInvalid(`${path} can't be read.`);
    }
  };
  /** A file that was named for what stands in it: an empty one isn't taken for none. */
  const textOf = (path: string): string => {
    const text = reached(path, () => files.readFileSync(path, 'utf8'));
    if (text.trim() === '') throw new InputInvalid(`${path} is empty.`);
    return text;
  };
  const isKey = (argument: string): boolean => /^[^+]+\+[0-9a-f]{8}\+/.test(argument);
  const keysOf = (given: readonly string[]): string =>
    given.map((argument) => (isKey(argument) ? argument : textOf(argument))).join('\n');
  const csv = file.toLowerCase().endsWith('.csv') ? file : undefined;
  const manifest = csv === undefined ? file : manifestOf(csv);
  const reading = (path: string): ReadBytes => {
    const descriptor = reached(path, () => files.openSync(path, 'r'));
    return (into) => reached(path, () => files.readSync(descriptor, into));
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
  for (const line of json ? [jsonOf(verdict)] : statements) console.log(line);
  if (!ok) console.error(complaints.join('\n'));
  return ok ? 0 : 1;
};

/** Whether Node was asked to run this file, by whatever name, rather than to import it: then what it was asked to run is another file, or none. */
const isRun = (node: NodeJS.Process, files: Files, asked: string): boolean => {
  const { fileURLToPath } = node.getBuiltinModule('node:url');
  const own = files.realpathSync(fileURLToPath(import.meta.url));
  let main: string;
  try {
    main = files.realpathSync(asked);
  } catch {
    return false;
  }
  // Of a folder that was asked for, this may be the file that it names as its main one.
  return own === main || own.startsWith(main + node.getBuiltinModule('node:path').sep);
};

const { process } = globalThis as { process?: NodeJS.Process };
const asked = process?.argv?.[1];
if (process && asked !== undefined && import.meta.url.startsWith('file:')) {
  const fs = process.getBuiltinModule?.('node:fs');
  if (!fs) {
    // Whether it is run or imported can't be told, and ending well would read as a verdict.
    console.error(`Nothing was verified: this takes Node 20.16, 22.3 or a newer one, and ${process.version} runs it.`);
    process.exitCode = 1;
  } else if (isRun(process, fs, asked))
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
