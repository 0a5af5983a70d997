// Runs before `npm start`, `npm test` and whatever else needs an installed, built checkout: in a fresh clone there is
// nothing but Node, so nothing but Node is used here. Quick when there is nothing to do.
//
//   node scripts/prepare.mjs            installs when node_modules isn't what package-lock.json says
//   node scripts/prepare.mjs --build    and builds dist/ when the sources aren't what it was built from

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const inRoot = (...parts) => join(root, ...parts);
const say = (text) => process.stderr.write(`${text}\n`);
const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

const fail = (text) => {
  say(text);
  process.exit(1);
};

const checkNode = () => {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(
    `Counterfoil needs Node 20.19 or newer; this is Node ${process.versions.node}.\nGet one at https://nodejs.org or with your version manager.`,
  );
};

const json = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
};

/** Says now and then that a program still runs: a silent minute looks like a hang. */
const run = (program, args, what) =>
  new Promise((resolve) => {
    const since = Date.now();
    const heartbeat = setInterval(() => say(`  … still ${what}, ${seconds(since)}`), 20_000);
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', (error) => {
      clearInterval(heartbeat);
      say(String(error.message));
      resolve(1);
    });
    child.on('exit', (code) => {
      clearInterval(heartbeat);
      resolve(code ?? 1);
    });
  });

const stampFile = inRoot('node_modules', '.counterfoil.json');
const packed = inRoot('dist', 'start');
const lockFile = inRoot('package-lock.json');

/** Whether npm's own record of what it installed has every package of the lock file. Optional ones belong to other platforms. */
const isInstalled = () => {
  const wanted = json(lockFile)?.packages;
  const installed = json(inRoot('node_modules', '.package-lock.json'))?.packages;
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(
    ([path, { version, optional, devOptional }]) =>
      path === '' || optional || devOptional || installed[path]?.version === version,
  );
};

const install = async () => {
  // Native modules are compiled for one version of Node's binary interface.
  const stamp = { lock: createHash('sha256').update(readFileSync(lockFile)).digest('hex'), modules: process.versions.modules };
  const seen = json(stampFile);
  if (seen?.lock === stamp.lock && seen.modules === stamp.modules) return;
  // It was made of the packages that were there.
  rmSync(packed, { recursive: true, force: true });
  const sameNode = seen === null || seen.modules === stamp.modules;
  if (!sameNode || !isInstalled()) {
    const count = Object.keys(json(lockFile)?.packages ?? {}).length - 1;
    const why = existsSync(inRoot('node_modules'))
      ? sameNode
        ? 'package-lock.json changed since the last install'
        : 'Node changed since the last install'
      : 'first start in this checkout';
    say(`Installing up to ${count} packages with npm ci (${why}).`);
    say(
      '  Where better-sqlite3 finds no prebuilt binary it is compiled, which takes about a minute and needs python3, make and g++.',
    );
    const since = Date.now();
    const npm = process.env.npm_execpath;
    // Development packages hold the compiler, and NODE_ENV=production would leave them out.
    const args = ['ci', '--include=dev', '--no-fund', '--no-audit'];
    const code = npm?.endsWith('.js')
      ? await run(process.execPath, [npm, ...args], 'installing')
      : await run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, 'installing');
    if (code !== 0) {
      fail(
        'The install failed; npm says why above. If it was better-sqlite3: install python3, make and g++ (Debian: apt-get install python3 make g++) and start again.',
      );
    }
    say(`Installed in ${seconds(since)}.`);
  }
  writeFileSync(stampFile, JSON.stringify(stamp));
};

const filesUnder = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesUnder(join(folder, entry.name)) : [join(folder, entry.name)]))
    .filter((file) => !file.endsWith('.test.ts'));

/** Digest of everything that decides what is built. By content: a clone, a checkout and a copy give files any time. */
const digestOfSources = () => {
  const own = ['ormconfig.ts', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  const single = [...own, 'scripts/verifier.mjs', 'scripts/console.mjs', 'scripts/pack.cjs'].map((name) => inRoot(name));
  const folders = ['src', 'migrations', 'bench', 'console'].map((name) => inRoot(name));
  const files = [...single, ...folders.filter((each) => existsSync(each)).flatMap(filesUnder)].filter((each) => existsSync(each));
  const digest = createHash('sha256');
  for (const file of files.sort()) digest.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  return digest.digest('hex');
};

/** What a start reads in place of its modules' files. There may be none, and a start is slower by that. */
const pack = async () => {
  if (existsSync(packed)) return;
  say('Packing what a start loads (a first answer with a demo merchant, some ten seconds).');
  if ((await run(process.execPath, [inRoot('scripts', 'pack.cjs')], 'packing')) !== 0)
    fail('The build failed: what a start loads could not be packed; the reason stands above.');
};

const build = async () => {
  const builtFrom = inRoot('dist', '.sources');
  const digest = digestOfSources();
  if (existsSync(builtFrom) && readFileSync(builtFrom, 'utf8') === digest) return;
  say('Building (tsc).');
  rmSync(packed, { recursive: true, force: true });
  const since = Date.now();
  // The compiler leaves the output of a file that is gone, and a migration is whatever lies in its folder.
  for (const name of existsSync(inRoot('dist', 'migrations')) ? readdirSync(inRoot('dist', 'migrations')) : [])
    if (!existsSync(inRoot('migrations', `${name.split('.')[0]}.ts`))) rmSync(inRoot('dist', 'migrations', name));
  const code = await run(
    process.execPath,
    [inRoot('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'],
    'building',
  );
  if (code !== 0) fail('The build failed; the compiler says why above.');
  // Commands about the policy read it, so that they needn't describe the graph.
  const store = "require('./dist/src/cli/stored-classification').storeClassification()";
  if ((await run(process.execPath, ['-e', store], 'building')) !== 0)
    fail('The build failed: the classes of the fields could not be written down; the reason stands above.');
  if ((await run(process.execPath, [inRoot('scripts', 'verifier.mjs')], 'building')) !== 0)
    fail('The build failed: the verifier for auditors could not be put together; the reason stands above.');
  if ((await run(process.execPath, [inRoot('scripts', 'console.mjs')], 'building')) !== 0)
    fail('The build failed: the console could not be put together; the reason stands above.');
  writeFileSync(builtFrom, digest);
  say(`Built in ${seconds(since)}.`);
};

/** `npx counterfoil`: npm links the programs of dependencies, never a package's own. */
const linkProgram = () => {
  if (process.platform === 'win32') return;
  const program = inRoot('dist', 'src', 'cli', 'counterfoil.js');
  chmodSync(program, 0o755);
  const link = inRoot('node_modules', '.bin', 'counterfoil');
  rmSync(link, { force: true });
  symlinkSync(join('..', '..', 'dist', 'src', 'cli', 'counterfoil.js'), link);
};

checkNode();
await install();
if (process.argv.includes('--build')) {
  await build();
  await pack();
  linkProgram();
}
