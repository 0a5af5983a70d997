// `npm run dev`: compiles what changes and restarts the gateway. Ctrl-C ends both.

import { spawn, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const node = (...args) => spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });

const prepared = spawnSync(process.execPath, [join('scripts', 'prepare.mjs'), '--build'], { cwd: root, stdio: 'inherit' });
if (prepared.status !== 0) process.exit(prepared.status ?? 1);

const children = [
  node(join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json', '--watch', '--preserveWatchOutput'),
  node('--watch', '--watch-preserve-output', join('dist', 'src', 'main.js')),
];
const stop = () => {
  for (const child of children) child.kill('SIGTERM');
};
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
for (const child of children) child.on('exit', stop);
