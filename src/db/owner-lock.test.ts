import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformFileSync } from '@swc/core';
import { DatabaseInUse } from './database-in-use';
import { takeOwnership } from './owner-lock';

let folder: string;
let file: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'counterfoil-owner-'));
  file = join(folder, 'data.sqlite');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** A process of its own that tries to take the file, says how that went, and keeps what it got until it is killed. */
const taker = async (): Promise<{ readonly outcome: string; readonly child: ChildProcess }> => {
  const script = join(folder, 'owner-lock.js');
  for (const name of ['database-in-use', 'owner-lock']) {
    if (existsSync(join(folder, `${name}.js`))) continue;
    writeFileSync(
      join(folder, `${name}.js`),
      transformFileSync(join(__dirname, `${name}.ts`), {
        jsc: { parser: { syntax: 'typescript' } },
        module: { type: 'commonjs' },
      }).code,
    );
  }
  const program = `
    try { require(${JSON.stringify(script)}).takeOwnership(${JSON.stringify(file)}); console.log('owner'); }
    catch (error) { console.log(error.name); }
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', program], {
    env: { ...process.env, NODE_PATH: join(__dirname, '../../node_modules') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const outcome = await new Promise<string>((resolve) => child.stdout?.once('data', (line) => resolve(String(line).trim())));
  return { outcome, child };
};

const killed = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });

test('a file has one owner, who is named to the second', () => {
  const release = takeOwnership(file);
  try {
    takeOwnership(file);
    throw new Error('it was taken twice');
  } catch (error) {
    expect(error).toBeInstanceOf(DatabaseInUse);
    expect((error as DatabaseInUse).processId).toBe(process.pid);
    expect((error as Error).message).toMatch(new RegExp(`in use by process ${process.pid}\\.`));
  }
  release();
  takeOwnership(file)();
});

test('a release is of its own taking only, however often it is called', () => {
  const release = takeOwnership(file);
  release();
  const second = takeOwnership(file);
  release();
  expect(() => takeOwnership(file)).toThrow(DatabaseInUse);
  second();
  second();
});

test('two files have two owners', () => {
  const releases = [takeOwnership(file), takeOwnership(`${file}2`)];
  for (const release of releases) release();
});

test('of many processes that start at once one gets it', async () => {
  const outcomes = (await Promise.all(Array.from({ length: 6 }, taker))).map(({ outcome }) => outcome).sort();
  expect(outcomes).toEqual([...Array.from({ length: 5 }, () => 'DatabaseInUse'), 'owner']);
});

test('what a killed process leaves behind holds up nobody', async () => {
  const { outcome, child } = await taker();
  expect(outcome).toBe('owner');
  expect(() => takeOwnership(file)).toThrow(`in use by process ${child.pid}`);
  await killed(child);
  expect(Number(readFileSync(`${file}.owner`, 'utf8'))).toBe(child.pid);
  const release = takeOwnership(file);
  expect(Number(readFileSync(`${file}.owner`, 'utf8'))).toBe(process.pid);
  release();
});

test.each(['', 'canary', '1', `${process.pid}`, '99999999999999999999', '-1'])(
  'a left note of %p means nothing without the lock',
  (note) => {
    writeFileSync(`${file}.owner`, note);
    takeOwnership(file)();
    expect(existsSync(`${file}.owner`)).toBe(false);
  },
);
