// Makes what a start reads in place of some 1,450 files: their texts in two scripts, the code that V8 makes of them, and which request
// leads to which file (src/packed.ts). What a start loads is what one loads: a gateway with a demo merchant of its own answers the
// README's first query. Where that can't be, a start goes on reading its files one by one, so that no build fails of it.
//
//   node scripts/pack.cjs [FOLDER]     of what the compiler wrote to dist unless told otherwise
//
// The same file is loaded before that gateway (--require), where it writes down what happens.

const { execFileSync, spawn } = require('node:child_process');
const { createHash } = require('node:crypto');
const { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { tmpdir } = require('node:os');
const { dirname, join, relative, resolve, sep } = require('node:path');
const v8 = require('node:v8');
const vm = require('node:vm');

const root = join(__dirname, '..');
// As `npm start` and the image have it: V8 takes code back only under the flags that it was made under.
const flags = ['--max-semi-space-size=32'];
/** Milliseconds that everything may take. */
const longest = 180_000;

const query =
  '{ ticketByReference(source: "demo", reference: "1001") { subject status assistance { state expiresAt } customer { displayName email link paymentMethods { brand last4 status token } transactions(first: 1) { totalCount nodes { amount { minorUnits currency } status declineCode risk { band score } } } } } }';

/** What a gateway on MariaDB loads in place of the embedded database's. */
const loadForServer = () => {
  const inGateway = Module.createRequire(process.argv[1]);
  // A stand-in is loaded once it is looked into.
  for (const each of ['./db/prepared-reads', 'typeorm/driver/mysql/MysqlDriver.js']) Object.keys(inGateway(each));
};

/** In the gateway: which modules are loaded in which order, and what each of their requests leads to. */
const noteModules = (file) => {
  const order = [];
  const requests = {};
  const { _resolveFilename: find } = Module;
  Module._resolveFilename = function (request, parent, isMain, options) {
    const found = find.call(this, request, parent, isMain, options);
    if (parent?.filename && !options && !Module.isBuiltin(request)) {
      requests[parent.filename] ??= {};
      requests[parent.filename][request] = found;
    }
    return found;
  };
  const load = Module._extensions['.js'];
  Module._extensions['.js'] = (module, name) => {
    order.push(name);
    load(module, name);
  };
  process.on('exit', () => {
    loadForServer();
    writeFileSync(file, JSON.stringify({ order, requests }));
  });
};

/** In a gateway that uses the scripts: the code of what it ran, functions that were called among it. */
const noteCode = (folder) => {
  // Code of functions that weren't called for a while would be gone by then.
  v8.setFlagsFromString('--no-flush-bytecode');
  const made = [];
  vm.Script = class extends vm.Script {
    constructor(text, options) {
      super(text, options);
      if (options?.filename?.startsWith(folder + sep)) made.push([options.filename, this]);
    }
  };
  process.on('exit', () => {
    loadForServer();
    v8.setFlagsFromString('--flush-bytecode');
    for (const [file, script] of made) {
      const code = script.createCachedData();
      writeFileSync(file.replace(/\.js$/, '.code'), Buffer.concat([createHash('sha256').update(code).digest(), code]));
    }
  });
};

/** Runs a gateway with a data folder of its own until it has answered. */
const answerOnce = async (output, folder, environment) => {
  const { PATH = '', HOME = '' } = process.env;
  const env = {
    PATH,
    HOME,
    DATA_DIR: join(folder, 'data'),
    PORT: '0',
    DEMO_SIZE: '0.02',
    POLICY_FILE: join(root, 'schema', 'exposure.yaml'),
    RULES_FILE: join(root, 'schema', 'rules.yaml'),
    ...environment,
  };
  // Within the folder, so that no configuration lies beside it.
  const gateway = spawn(process.execPath, [...flags, '--require', __filename, join(output, 'src', 'main.js')], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((end) => gateway.once('close', end));
  const tooLong = setTimeout(() => gateway.kill('SIGKILL'), longest);
  let said = '';
  try {
    const address = await new Promise((found, none) => {
      for (const stream of [gateway.stdout, gateway.stderr])
        stream.setEncoding('utf8').on('data', (text) => {
          said += text;
          const [, at] = /(http:\/\/127\.0\.0\.1:\d+)\/readyz[\s\S]*Started in/.exec(said) ?? [];
          if (at) found(at);
        });
      gateway.once('error', none);
      gateway.once('close', () => none(new Error(`the gateway ended:\n${said}`)));
    });
    const { PACK_MODULES: _modules, PACK_CODE: _code, ...others } = env;
    const token = execFileSync(process.execPath, [join(output, 'src', 'cli', 'counterfoil.js'), 'token', '--user', 'ana'], {
      cwd: folder,
      env: others,
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
      timeout: longest,
    }).trim();
    const response = await fetch(`${address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query }),
      signal: AbortSignal.timeout(longest),
    });
    const answer = await response.text();
    if (!answer.includes('"subject":"')) throw new Error(`the gateway answered ${response.status}: ${answer.slice(0, 500)}`);
    gateway.kill('SIGTERM');
    if ((await ended) !== 0) throw new Error(`the gateway ended with ${gateway.exitCode}:\n${said}`);
  } finally {
    clearTimeout(tooLong);
    gateway.kill('SIGKILL');
    await ended;
  }
};

/** Whether Node takes a `.js` file there for an ES module. */
const isOfModules = (() => {
  const known = new Map();
  const typeOf = (folder) => {
    if (!known.has(folder)) {
      const file = join(folder, 'package.json');
      const type = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')).type ?? 'commonjs') : null;
      known.set(folder, type ?? (dirname(folder) === folder ? 'commonjs' : typeOf(dirname(folder))));
    }
    return known.get(folder);
  };
  return (file) => file.endsWith('.mjs') || (file.endsWith('.js') && typeOf(dirname(file)) === 'module');
})();

const wrapperOf = 'function (exports, require, module, __filename, __dirname) {';

/** The text within a script, or null where it would see that it is in one: a native binding is looked for from the file that asks. */
const textOf = (file) => {
  if (!/\.c?js$/.test(file) || isOfModules(file) || /node_modules.better-sqlite3.lib/.test(file)) return null;
  const text = readFileSync(file, 'utf8').replace(/^#!/, '//');
  if (/\bimport\s*\(|prepareStackTrace|require\.extensions|require\.resolve\.paths/.test(text)) return null;
  return `${wrapperOf}\n${text}\n},\n`;
};

const linesOf = (text) => text.split(/\r\n|[\n\r\u2028\u2029]/).length - 1;

const write = (folder, { order, requests }) => {
  const texts = order.flatMap((file) => {
    const text = textOf(file);
    return text === null ? [] : [{ file, text }];
  });
  // A text with one character beyond Latin-1 takes two bytes for each: those are apart.
  const isLatin = ({ text }) => !/[^\0-\xff]/.test(text);
  const kinds = [
    ['latin', 'latin1', texts.filter(isLatin)],
    ['wide', 'utf8', texts.filter((each) => !isLatin(each))],
  ];
  const packed = kinds.flatMap(([, , ofKind]) => ofKind.map(({ file }) => file));
  const scripts = kinds.map(([name, encoding, ofKind]) => {
    // After the bracket's line and each function's own.
    let line = 3;
    const lines = ofKind.map(({ text }) => {
      const first = line;
      line += linesOf(text);
      return first;
    });
    const text = Buffer.from(`[\n${ofKind.map(({ text }) => text).join('')}]\n`, encoding);
    writeFileSync(join(folder, `${name}.js`), text);
    return { name, digest: createHash('sha256').update(text).digest('hex'), first: packed.indexOf(ofKind[0]?.file), lines };
  });
  const named = [...packed, ...Object.entries(requests).flatMap(([from, to]) => [from, ...Object.values(to)])];
  const packages = [...new Set(named.flatMap((file) => /^.*?node_modules(?=[\\/])/.exec(file)?.[0] ?? []))]
    .map((each) => join(each, '.package-lock.json'))
    .filter((each) => existsSync(each));
  const files = [...new Set([...named, ...packages])];
  const numbers = new Map(files.map((file, number) => [file, number]));
  const fromHere = (file) => relative(folder, file).split(sep).join('/');
  const seen = [...packed, ...packages].map((file) => {
    const { size, mtimeMs } = statSync(file);
    return [numbers.get(file), size, Math.floor(mtimeMs / 1_000)];
  });
  const leadsTo = (file) => Object.fromEntries(Object.entries(requests[file] ?? {}).map(([each, to]) => [each, numbers.get(to)]));
  const pack = { node: process.version, files: files.map(fromHere), seen, scripts, requests: files.map(leadsTo) };
  // What says that there is a pack is there whole, or not.
  writeFileSync(join(folder, 'pack.new'), JSON.stringify(pack));
  renameSync(join(folder, 'pack.new'), join(folder, 'pack.json'));
};

const make = async (output) => {
  const folder = join(output, 'start');
  const scratch = mkdtempSync(join(tmpdir(), 'counterfoil-pack-'));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    const noted = join(scratch, 'modules.json');
    await answerOnce(output, scratch, { PACK_MODULES: noted });
    write(folder, JSON.parse(readFileSync(noted, 'utf8')));
    await answerOnce(output, scratch, { PACK_CODE: folder });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    process.stderr.write(`A start will read its files one by one, since they could not be packed: ${error.message}\n`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};

const { PACK_MODULES, PACK_CODE } = process.env;
if (require.main === module) make(resolve(process.argv[2] ?? join(root, 'dist')));
else if (PACK_MODULES) noteModules(PACK_MODULES);
else if (PACK_CODE) noteCode(PACK_CODE);
