import { spawnSync } from 'node:child_process';

/** `runAll` of scripts/check.mjs, in a process of its own as it is run. */
const runAll = (steps: readonly (readonly [name: string, command: readonly string[]])[]) =>
  spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { runAll } from './scripts/check.mjs'; process.exitCode = runAll(${JSON.stringify(steps)}) ? 0 : 1;`,
    ],
    { encoding: 'utf8' },
  );
const ending = (status: number, says: string) => [
  process.execPath,
  '-e',
  `console.log(${JSON.stringify(says)}); process.exitCode = ${status}`,
];
const summary = (output: string) =>
  (output.split('\n\n').at(-1) ?? '')
    .trim()
    .split('\n')
    .map((line) => line.replace(/ \([\d.]+ s\)$/, ''));

describe('npm run check', () => {
  it('goes on after a step that fails, says of each how it ended, and fails', () => {
    const { status, stdout } = runAll([
      ['lint', ending(1, 'a comma is missing')],
      ['types', ['/nowhere/compiler']],
      ['schema', ending(0, 'the graph as it is built')],
    ]);
    expect(status).toBe(1);
    expect(summary(stdout)).toEqual(['FAILED  lint', 'FAILED  types', 'passed  schema']);
    expect(stdout).toContain('a comma is missing');
    expect(stdout).toContain('the graph as it is built');
  });

  it('passes where every step passes', () => {
    const { status, stdout } = runAll([
      ['lint', ending(0, '')],
      ['types', ending(0, '')],
    ]);
    expect([status, summary(stdout)]).toEqual([0, ['passed  lint', 'passed  types']]);
  });
});
