import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BuiltGateway } from '../support/built';
import { root } from '../support/readme';

/** Counts the modules that come from scripts, and asks whether V8 refused the code beside one of them. */
const count = `const vm = require('node:vm');
const refused = [];
let packed = 0;
vm.Script = class extends vm.Script {
  constructor(text, options) { super(text, options); if (/start.(?:latin|wide)\\.js$/.test(options?.filename ?? '')) refused.push(this.cachedDataRejected); }
  runInThisContext(...given) { const made = super.runInThisContext(...given); if (Array.isArray(made)) packed += made.length; return made; }
};`;

/** What is noted when a gateway ends: how many modules came from the scripts, all that were loaded, and where a fault says that it is from. */
const note = `${count}
process.on('exit', () => {
  const { isProxy } = require('node:util').types;
  const { dirname, join } = require('node:path');
  const loaded = Object.entries(require.cache).filter(([, { exports }]) => !isProxy(exports)).map(([path]) => path);
  const source = dirname(process.argv[1]);
  let stack;
  try { require(join(source, 'config', 'load.js')).loadConfig({ PORT: 'x' }); } catch (error) { ({ stack } = error); }
  require('node:fs').writeFileSync(process.env.NOTED, JSON.stringify({ packed, loaded, stack: stack.split('\\n').filter((line) => line.startsWith('    at ')).slice(0, 2) }));
});`;

interface Noted {
  readonly packed: number;
  readonly loaded: readonly string[];
  readonly stack: readonly string[];
}

const run = promisify(execFile);
const flags = ['--max-semi-space-size=32'];
let built: BuiltGateway;
const inFolder = (name: string) => join(built.folder, name);
const inPack = (name: string) => join(built.output, 'start', name);

/** A whole life of a gateway with a database of its own. */
const live = async (name: string): Promise<{ readonly said: string; readonly noted: Noted }> => {
  const noted = inFolder(`${name}.json`);
  const gateway = built.start({ DATA_DIR: name, NODE_OPTIONS: `--require ${inFolder('note.js')}`, NOTED: noted });
  await gateway.said(/\d+ (?:ms|s)[^\n]*Ctrl-C/);
  gateway.child.kill('SIGTERM');
  const { code, stdout } = await gateway.finished;
  expect(code).toBe(0);
  return { said: stdout, noted: JSON.parse(readFileSync(noted, 'utf8')) as Noted };
};

/** How many modules a start would take from the scripts, and whether V8 refused the code beside one of them. */
const wouldTake = async (
  ...options: string[]
): Promise<{ readonly packed: number; readonly refused: readonly (boolean | null)[] }> => {
  const script = `${count}
require('./src/packed');
require('./src/failure');
console.log(JSON.stringify({ packed, refused }));`;
  const { stdout } = await run(process.execPath, [...options, '-e', script], { cwd: built.output });
  return JSON.parse(stdout) as { packed: number; refused: (boolean | null)[] };
};

/** Another text in a file for as long as it takes. */
const having = async <T>(file: string, text: string | Buffer, work: () => Promise<T>): Promise<T> => {
  const before = readFileSync(file);
  writeFileSync(file, text);
  try {
    return await work();
  } finally {
    writeFileSync(file, before);
  }
};

/** What a file has, but for a bit in its middle. */
const withAnotherBit = (file: string): Buffer => {
  const bytes = readFileSync(file);
  const middle = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
  return bytes;
};

beforeAll(async () => {
  built = BuiltGateway.copy();
  writeFileSync(inFolder('note.js'), note);
  const { stderr } = await run(process.execPath, [join(root, 'scripts', 'pack.cjs'), built.output]);
  expect(stderr).toBe('');
}, 240_000);
afterAll(() => built.remove());

describe('what a start reads', () => {
  it('is two scripts with the code that was made of them', async () => {
    const { packed, refused } = await wouldTake(...flags);
    expect(packed).toBeGreaterThan(1_400);
    expect(refused).toEqual([false, false]);
  });

  it('is the same without that code, where one bit of it is another, it is cut off, or of other flags', async () => {
    const { packed } = await wouldTake(...flags);
    for (const damaged of [withAnotherBit(inPack('latin.code')), 'no code'])
      expect(await having(inPack('latin.code'), damaged, () => wouldTake(...flags))).toEqual({ packed, refused: [null, false] });
    expect(await wouldTake('--max-semi-space-size=16')).toEqual({ packed, refused: [true, true] });
  });

  it('is each file by itself where one bit of a script is another, or the list of them was cut off', async () => {
    const damaged = ['latin.js', 'wide.js'].map((script): [string, Buffer] => [script, withAnotherBit(inPack(script))]);
    damaged.push(['pack.json', readFileSync(inPack('pack.json')).subarray(0, 5_000)], ['wide.js', Buffer.alloc(0)]);
    for (const [file, bytes] of damaged)
      expect(await having(inPack(file), bytes, () => wouldTake(...flags))).toEqual({ packed: 0, refused: [] });
  });

  it('is each file by itself for who looks at places in files, and for another Node', async () => {
    expect(await wouldTake(...flags, '--enable-source-maps')).toEqual({ packed: 0, refused: [] });
    expect(await wouldTake(...flags, '--inspect=127.0.0.1:0')).toEqual({ packed: 0, refused: [] });
    const pack = readFileSync(inPack('pack.json'), 'utf8');
    const ofAnother = pack.replace(`"node":"${process.version}"`, '"node":"v20.0.0"');
    expect(ofAnother).not.toBe(pack);
    expect(await having(inPack('pack.json'), ofAnother, () => wouldTake(...flags))).toEqual({ packed: 0, refused: [] });
  });

  it('is each file by itself once the packages were installed anew', async () => {
    const pack = JSON.parse(readFileSync(inPack('pack.json'), 'utf8')) as { files: string[]; seen: [number, number, number][] };
    const record = pack.seen.find(([file]) => pack.files[file]?.endsWith('node_modules/.package-lock.json'));
    expect(record).toEqual([expect.any(Number), expect.any(Number), expect.any(Number)]);
    const earlier = { ...pack, seen: pack.seen.map((each) => (each === record ? [each[0], each[1], each[2] - 60] : each)) };
    expect(await having(inPack('pack.json'), JSON.stringify(earlier), () => wouldTake(...flags))).toEqual({
      packed: 0,
      refused: [],
    });
  });
});

describe('a gateway of two scripts and one of its files', () => {
  it('load the same modules in the same order, and a fault names the same place; a file that was changed is what runs', async () => {
    const packed = await live('packed');
    const file = join(built.output, 'src', 'cli', 'start.js');
    const changed = readFileSync(file, 'utf8').replace('Started in', 'Begun within');
    const plain = await having(file, changed, () => live('plain'));
    expect({ packed: packed.noted.packed > 1_400, plain: plain.noted.packed }).toEqual({ packed: true, plain: 0 });
    expect(packed.noted.loaded).toEqual(plain.noted.loaded);
    expect(packed.noted.stack).toEqual(plain.noted.stack);
    expect(packed.noted.stack[0]).toContain(join(built.output, 'src', 'config', 'load.js'));
    expect([/Started in/.test(packed.said), /Begun within/.test(plain.said)]).toEqual([true, true]);
  }, 240_000);
});
