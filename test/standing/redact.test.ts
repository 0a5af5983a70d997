import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuiltGateway, type Finished, Running } from '../support/built';

let built: BuiltGateway;
beforeAll(() => {
  built = BuiltGateway.make();
}, 120_000);
afterAll(() => built.remove());

/** `counterfoil redact`, with nothing of an environment. */
const begin = (...args: readonly string[]) => {
  const child = spawn(process.execPath, [join(built.output, 'src', 'cli', 'counterfoil.js'), 'redact', ...args], {
    cwd: built.folder,
    env: { PATH: process.env.PATH },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // What ends before it has read everything is judged by how it ends.
  child.stdin.on('error', () => undefined);
  return child;
};

const redacted = (input: string | Buffer, ...args: readonly string[]): Promise<Finished> => {
  const child = begin(...args);
  child.stdin.end(input);
  return new Running(child).finished;
};

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
const records = (stdout: string): unknown[] =>
  stdout
    .split('\n')
    .slice(0, -1)
    .map((each) => JSON.parse(each));

describe('counterfoil redact', () => {
  it('cleans a text', async () => {
    expect(await redacted('Visa 4242 4242 4242 4242, 12/29, 123.\r\nGrüße\n')).toEqual({
      code: 0,
      signal: null,
      stdout: 'Visa [card number removed], [expiry date removed], [security code removed].\r\nGrüße\n',
      stderr: '',
    });
    expect(await redacted('')).toMatchObject({ code: 0, stdout: '' });
  });

  it('cleans lines, and says what stood where, in UTF-16 units of what was written', async () => {
    const track = '%B4242424242424242^DOE/JANE^2912101123400001230?';
    const input = [
      line({ id: 'a', text: '😀 4242 4242 4242 4242 exp 12/29 cvv 123' }),
      '\n',
      line({ id: 7, text: 'nothing', more: true }),
      line({ id: null, text: `swiped ${track}` }),
      line({ id: 'b', text: '\ud800 4242424242424242' }).trimEnd(),
    ];
    const { code, stdout, stderr } = await redacted(`\ufeff${input.join('')}`, '--jsonl');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(records(stdout)).toEqual([
      {
        id: 'a',
        text: '😀 [card number removed] exp [expiry date removed] cvv [security code removed]',
        spans: [
          { start: 3, end: 22, type: 'PAN' },
          { start: 27, end: 32, type: 'EXPIRY' },
          { start: 37, end: 40, type: 'CVC' },
        ],
      },
      { id: 7, text: 'nothing', spans: [] },
      {
        id: null,
        text: 'swiped [card data removed]',
        spans: [
          { start: 7, end: 7 + track.length, type: 'TRACK' },
          { start: 9, end: 25, type: 'PAN' },
        ],
      },
      { id: 'b', text: '\ud800 [card number removed]', spans: [{ start: 2, end: 18, type: 'PAN' }] },
    ]);
  });

  it.each([
    ['{"id":"a","text":', 'Line 2 is no JSON.'],
    ['4242424242424242', 'Line 2 has no id'],
    ['{"text":"a"}', 'Line 2 has no id'],
    ['{"id":"4242424242424242","text":5}', 'no text that is a string'],
    ['null', 'Line 2 has no id'],
  ])('ends at a line that is none, with its number and nothing of it: %s', async (bad, said) => {
    const { code, stdout, stderr } = await redacted(
      `${line({ id: 1, text: 'a' })}${bad}\n${line({ id: 3, text: 'c' })}`,
      '--jsonl',
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: line({ id: 1, text: 'a', spans: [] }) });
    expect(stderr).toContain(said);
    expect(stderr).not.toContain('4242');
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('answers each line as it comes, while its input is still open', async () => {
    const child = begin('--jsonl');
    const running = new Running(child);
    child.stdin.write(line({ id: 1, text: 'CVV 123' }));
    await running.said(/"id":1.*\n/);
    child.stdin.end(line({ id: 2, text: 'b' }));
    expect(records((await running.finished).stdout)).toHaveLength(2);
  });

  it('reads no faster than it is read', async () => {
    const child = begin('--jsonl');
    const chunk = line({ id: 1, text: 'x'.repeat(10_000) }).repeat(20);
    let taken = 0;
    // Nobody reads its output: what it takes is what pipes and buffers hold.
    for (let full = false; !full && taken < 64; taken++)
      full = await new Promise<boolean>((resolve) => {
        const stalled = setTimeout(() => resolve(true), 2_000);
        child.stdin.write(chunk, () => {
          clearTimeout(stalled);
          resolve(false);
        });
      });
    expect(taken).toBeLessThan(64);
    child.stdin.end();
    const { code, stdout } = await new Running(child).finished;
    expect([code, records(stdout).length]).toEqual([0, taken * 20]);
  });

  it('ends with one line and 1 where nobody reads any more', async () => {
    const child = begin('--jsonl');
    child.stdout.destroy();
    child.stdin.end(line({ id: 1, text: 'a' }));
    const { code, stderr } = await new Running(child).finished;
    expect([code, stderr]).toEqual([1, "Standard output can't be written to (EPIPE).\n"]);
  });

  it('loads nothing that it doesn’t need', async () => {
    const preload = join(built.folder, 'preload.cjs');
    writeFileSync(preload, "process.on('exit', () => process.stderr.write(Object.keys(require.cache).join('\\n')));");
    const child = spawn(process.execPath, ['--require', preload, join(built.output, 'src', 'cli', 'counterfoil.js'), 'redact'], {
      cwd: built.folder,
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const loaded = (await new Running(child).finished).stderr.split('\n');
    const packages = loaded.flatMap((path) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
    expect(packages.filter((name) => !['commander', 'zod', 'entities', 'ibantools'].includes(name))).toEqual([]);
    expect(loaded).toContainEqual(expect.stringMatching(/src\/privacy\/card-data\.js$/));
    expect(loaded.filter((path) => /\/(?:app|storage|config\/load|main)\.js$/.test(path))).toEqual([]);
  });
});
