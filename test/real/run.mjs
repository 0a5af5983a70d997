// npm run test:real [-- jest arguments]
//
// Starts a Request Tracker 5 of its own on free ports, runs the suites beside this file against it and stops it, also when
// something fails. RT_CONNECTION names the JSON file with the connection details (see rt.ts). RT sends its webhooks to
// `webhookUrl` of that file, where a suite may listen; while nobody does they are lost, as they are in life.
// KEEP_RT=1 leaves the directory (database, log, outbox) behind.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

let running = null;
const run = (command, args, options) =>
  new Promise((resolve, reject) => {
    running = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options });
    running.on('error', reject);
    running.on('close', (code, signal) => resolve(signal === null ? code : 1));
  });

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const stopRt = async (directory) => {
  const file = join(directory, 'rt.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8'));
  if (!Number.isInteger(pid) || pid <= 1 || !isAlive(pid)) return;
  process.kill(pid, 'SIGTERM');
  for (let tries = 0; tries < 100 && isAlive(pid); tries += 1) await pause(100);
  // rt-up.sh made it the leader of its own group: the workers end with it
  if (isAlive(pid)) process.kill(-pid, 'SIGKILL');
};

const directory = mkdtempSync(join(tmpdir(), 'counterfoil-rt-'));
let code = 1;
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => running?.kill(signal));
try {
  const began = Date.now();
  const [port, webhookPort, gatewayPort] = [await freePort(), await freePort(), await freePort()];
  // A site of its own to browsers.
  const gatewayUrl = `http://gateway.localhost:${gatewayPort}`;
  const webhookUrl = `http://127.0.0.1:${webhookPort}/webhooks/rt`;
  const started = await run(join(here, 'rt-up.sh'), [directory, String(port)], {
    // its answer holds tokens: they are in the file and need not be in a log
    stdio: ['ignore', 'ignore', 'inherit'],
    // a connection kept open holds one of its processes, and so does a webhook
    env: { ...process.env, RT_WEBHOOK_URL: webhookUrl, RT_GATEWAY: gatewayUrl, RT_WORKERS: '10' },
  });
  if (started === 0) {
    const file = join(directory, 'connection.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), webhookUrl, gatewayUrl }), { mode: 0o600 });
    console.error(`RT is ready after ${((Date.now() - began) / 1000).toFixed(1)} s`);
    code = await run(
      process.execPath,
      [join(root, 'node_modules/jest/bin/jest.js'), '--config', join(here, 'jest.config.js'), ...process.argv.slice(2)],
      {
        env: { ...process.env, RT_CONNECTION: file },
      },
    );
    if (code !== 0) console.error(readFileSync(join(directory, 'rt.log'), 'utf8').split('\n').slice(-20).join('\n'));
  }
} finally {
  await stopRt(directory);
  if (process.env.KEEP_RT !== '1') rmSync(directory, { recursive: true, force: true });
}
process.exitCode = code ?? 1;
