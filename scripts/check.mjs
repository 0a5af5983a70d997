// Everything that a change has to pass before its tests: `npm run check`. A step that fails doesn't keep the others from being
// run, so that one run says all that is wrong. What is compiled for the types is what then checks schema and policy.

import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const compiled = join('dist', 'check');
const program = (name, ...path) => [process.execPath, join('node_modules', name, ...path)];
const counterfoil = (...args) => [process.execPath, join(compiled, 'src', 'cli', 'counterfoil.js'), ...args];

const steps = [
  ['format and lint', [...program('@biomejs', 'biome', 'bin', 'biome'), 'check', '.']],
  // Emits although types are wrong: schema and policy are checked all the same.
  [
    'types',
    [
      ...program('typescript', 'bin', 'tsc'),
      '--outDir',
      compiled,
      '--incremental',
      '--tsBuildInfoFile',
      join(compiled, '.tsbuildinfo'),
    ],
  ],
  ['types of what browsers run', [...program('typescript', 'bin', 'tsc'), '-p', join('console', 'tsconfig.json')]],
  ['operations of the console', [process.execPath, join('scripts', 'console-operations.mjs'), '--check']],
  ['schema', counterfoil('schema', 'check')],
  ['policy', counterfoil('policy', 'check')],
  ['unused code', [...program('knip', 'bin', 'knip.js'), '--no-config-hints']],
];

/** Runs each of the steps `[name, [program, ...arguments]]`, whatever became of those before, and sums up. Returns whether all passed. */
export const runAll = (all) => {
  const results = all.map(([name, [command, ...args]]) => {
    process.stdout.write(`== ${name}\n`);
    const since = Date.now();
    const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
    if (error) process.stdout.write(`${error.message}\n`);
    return { name, passed: status === 0, seconds: ((Date.now() - since) / 1000).toFixed(1) };
  });
  process.stdout.write('\n');
  for (const { name, passed, seconds } of results)
    process.stdout.write(`${passed ? 'passed' : 'FAILED'}  ${name} (${seconds} s)\n`);
  return results.every(({ passed }) => passed);
};

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = runAll(steps) ? 0 : 1;
