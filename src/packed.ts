import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import Module from 'node:module';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';

/** What `scripts/pack.cjs` writes beside the scripts. Files are named from the folder that all of it lies in. */
interface Pack {
  /** The version of Node that it was made with: what a request leads to and what code is made of a text are that one's. */
  readonly node: string;
  /** Every file that is meant below, those of the scripts first, in their order. */
  readonly files: readonly string[];
  /** Bytes and time of change, in seconds, of files that must be as they were: all that the scripts have, and npm's record of packages. */
  readonly seen: readonly (readonly [file: number, bytes: number, changedAt: number])[];
  /** Of each script the SHA-256 digest (hexadecimal), which of the files is its first, and the line at which each of them begins there, counted from 1. */
  readonly scripts: readonly {
    readonly name: string;
    readonly digest: string;
    readonly first: number;
    readonly lines: readonly number[];
  }[];
  /** By file, which file each of its requests leads to. */
  readonly requests: readonly Readonly<Record<string, number>>[];
}

interface Loader {
  readonly _cache: NodeJS.Dict<NodeJS.Module>;
  readonly _extensions: Record<string, (module: NodeJS.Module, file: string) => void>;
  _resolveFilename(request: string, parent: NodeJS.Module | null | undefined, isMain: boolean, options?: object): string;
}

type Wrapped = (exports: unknown, require: NodeJS.Require, module: NodeJS.Module, file: string, folder: string) => void;

const loader = Module as unknown as Loader;
const folder = join(__dirname, '..', 'start');

/** A debugger, a profile and maps of sources know places by their files. */
const isLookedInto = (): boolean =>
  process.sourceMapsEnabled || process.execArgv.some((flag) => /^--(?:inspect|cpu-prof|heap-prof)/.test(flag));

interface Unpacked {
  readonly pack: Pack;
  /** Their paths. */
  readonly files: readonly string[];
}

/** Null where something that it was made of isn't what it was. */
const read = (): Unpacked | null => {
  if (!existsSync(join(folder, 'pack.json'))) return null;
  const pack = JSON.parse(readFileSync(join(folder, 'pack.json'), 'utf8')) as Pack;
  if (pack.node !== process.version) return null;
  const files = pack.files.map((file) => join(folder, file));
  const same = pack.seen.every(([file, bytes, changedAt]) => {
    const found = statSync(files[file] as string, { throwIfNoEntry: false });
    return found?.size === bytes && Math.floor(found.mtimeMs / 1_000) === changedAt;
  });
  return same ? { pack, files } : null;
};

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

/** The code that V8 made of a script, behind its digest. V8 itself runs whatever a damaged file has for code. */
const codeOf = (name: string): { readonly cachedData?: Buffer } => {
  const file = join(folder, `${name}.code`);
  if (!existsSync(file)) return {};
  const written = readFileSync(file);
  const code = written.subarray(32);
  return sha256(code).equals(written.subarray(0, 32)) ? { cachedData: code } : {};
};

/** The texts of the scripts in their order; null where one isn't what was packed. */
const textsOf = ({ scripts }: Pack): readonly { readonly name: string; readonly text: string }[] | null => {
  const texts = scripts.flatMap(({ name, digest }) => {
    const bytes = readFileSync(join(folder, `${name}.js`));
    return sha256(bytes).toString('hex') === digest ? [{ name, text: bytes.toString(name === 'latin' ? 'latin1' : 'utf8') }] : [];
  });
  return texts.length === scripts.length ? texts : null;
};

/** A script's functions, one a file; with the code that V8 made of them when it was packed, unless that is of another V8 or other flags. */
const compile = ({ name, text }: { readonly name: string; readonly text: string }): readonly Wrapped[] =>
  new Script(text, { filename: join(folder, `${name}.js`), ...codeOf(name) }).runInThisContext() as readonly Wrapped[];

const requireOf = (module: NodeJS.Module): NodeJS.Require =>
  Object.assign((request: string) => module.require(request) as unknown, {
    resolve: (request: string, options?: object) => loader._resolveFilename(request, module, false, options),
    main: require.main,
    cache: loader._cache,
    extensions: loader._extensions,
  }) as NodeJS.Require;

/** A line of a stack as it would be without scripts: each file's own lines and columns stand in them as they were. */
const placeOf = ({ scripts }: Pack, files: readonly string[], said: string): string => {
  for (const { name, first, lines } of scripts) {
    const path = `${join(folder, name)}.js:`;
    const at = said.indexOf(path);
    if (at < 0) continue;
    const [, line, column] = /^(\d+)(.*)$/s.exec(said.slice(at + path.length)) ?? [];
    const which = lines.findLastIndex((each) => each <= Number(line));
    if (which >= 0) return `${said.slice(0, at)}${files[first + which]}:${Number(line) - (lines[which] ?? 0) + 1}${column}`;
  }
  return said;
};

/** The pack with its scripts' functions; null where something of it is missing, was cut off or isn't what was packed. */
const unpack = (): (Unpacked & { readonly functions: readonly Wrapped[] }) | null => {
  try {
    const found = read();
    const texts = found && textsOf(found.pack);
    return texts && { ...found, functions: texts.flatMap(compile) };
  } catch {
    // Whatever a build that was interrupted has left.
    return null;
  }
};

/**
 * Has Node take modules from two scripts in place of some 1,450 files, which a start would find, read and compile one by one. They are the same
 * modules, in the same order and in the same `require.cache`; what isn't packed is loaded as ever. Without a pack, or where a file isn't what it
 * was made of, all are: it is made of a build, and never of what a gateway may write.
 */
const usePack = (): void => {
  const packed = isLookedInto() ? null : unpack();
  if (!packed) return;
  const { pack, files, functions } = packed;
  const numbers = new Map(files.map((file, number) => [file, number]));
  const { _resolveFilename: resolve } = loader;
  const load = loader._extensions['.js'] as Loader['_extensions'][string];
  loader._resolveFilename = (request, parent, isMain, options) => {
    const number = parent && !options ? numbers.get(parent.filename) : undefined;
    const requests = number === undefined ? undefined : pack.requests[number];
    const file = requests && Object.hasOwn(requests, request) ? files[requests[request] as number] : undefined;
    return file ?? resolve.call(loader, request, parent, isMain, options);
  };
  loader._extensions['.js'] = (module, file) => {
    const wrapped = functions[numbers.get(file) ?? functions.length];
    if (!wrapped) return load(module, file);
    Reflect.apply(wrapped, module.exports, [module.exports, requireOf(module), module, file, dirname(file)]);
  };
  Error.prepareStackTrace = (error, calls) =>
    [Error.prototype.toString.call(error), ...calls.map((call) => `    at ${placeOf(pack, files, String(call))}`)].join('\n');
};

usePack();
