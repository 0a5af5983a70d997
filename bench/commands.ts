import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const usage = `npm run bench:commands -- [options]

Processor time of commands, user and system, of all threads of their process: alone, and beside a gateway on the embedded
database (the demo merchant, a small one).

  --rounds N   of each command, of which the median counts (7)
  --json       ends with one line of JSON
  --help`;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
});
if (values.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
const rounds = Number(values.rounds);
const program = join(__dirname, '..', 'src', 'cli', 'counterfoil.js');
const folder = mkdtempSync(join(tmpdir(), 'counterfoil-commands-'));
const spent = join(folder, 'spent.json');
const preload = join(folder, 'preload.cjs');
writeFileSync(
  preload,
  `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(spent)}, JSON.stringify(process.cpuUsage())));`,
);
const { PATH = '', HOME = '' } = process.env;
const environment = {
  PATH,
  HOME,
  DATA_DIR: 'data',
  DEMO_SIZE: '0.02',
  PORT: '0',
  POLICY_FILE: resolve('schema/exposure.yaml'),
  RULES_FILE: resolve('schema/rules.yaml'),
};

/** Milliseconds of processor time. */
const measure = (args: readonly string[]): number => {
  const { status, stderr } = spawnSync(process.execPath, ['--require', preload, ...args], { cwd: folder, env: environment });
  if (status !== 0) throw new Error(`${args.join(' ')}\n${stderr}`);
  const { user, system } = JSON.parse(readFileSync(spent, 'utf8')) as NodeJS.CpuUsage;
  return (user + system) / 1_000;
};

const medianOf = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] as number;

const start = async () => {
  const gateway = spawn(process.execPath, [program, 'start'], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((ready, failed) => {
    gateway.once('exit', () => failed(new Error('the gateway ended')));
    gateway.stdout.setEncoding('utf8').on('data', (text: string) => text.includes('Started in') && ready());
  });
  return () =>
    new Promise<void>((ended) => {
      gateway.removeAllListeners('exit').once('exit', () => ended());
      gateway.kill('SIGTERM');
    });
};

const run = async (): Promise<void> => {
  const stop = await start();
  const key = spawnSync(process.execPath, [program, 'audit', 'key'], { cwd: folder, env: environment }).stdout.toString().trim();
  const without: [string, string[]][] = [
    ['node, nothing', ['-e', '0']],
    ['--help', [program, '--help']],
    ['policy check', [program, 'policy', 'check']],
    ['policy explain', [program, 'policy', 'explain', 'Customer.email', '--role', 'AGENT']],
    ['audit verify', [program, 'audit', 'verify', 'log.ndjson', '--key', key]],
  ];
  const year = ['--from', '2020-01-01', '--to', '2120-01-01'];
  const database: [string, string[]][] = [
    ['audit export', [program, 'audit', 'export', '--out', 'log.ndjson']],
    ['audit report', [program, 'audit', 'report', ...year]],
    ['doctor', [program, 'doctor']],
    ['migrate', [program, 'migrate']],
    ['sync', [program, 'sync']],
  ];
  const rows = async (commands: readonly [string, string[]][], where: string) => {
    const found = new Map<string, number[]>(commands.map(([name]) => [name, []]));
    // Interleaved: what else the machine does meets all of them.
    for (let round = 0; round < rounds; round += 1) for (const [name, args] of commands) found.get(name)?.push(measure(args));
    return [...found].map(([name, all]) => ({
      name,
      where,
      median: medianOf(all),
      least: Math.min(...all),
      most: Math.max(...all),
    }));
  };
  const beside = await rows(database, 'beside a gateway');
  const none = await rows(without, 'no database');
  await stop();
  const alone = await rows(database, 'alone');
  const all = [...none, ...beside, ...alone];
  for (const { name, where, median, least, most } of all)
    process.stdout.write(
      `${where.padEnd(18)}${name.padEnd(16)}${(median / 1_000).toFixed(2)} s (${(least / 1_000).toFixed(2)}–${(most / 1_000).toFixed(2)})\n`,
    );
  if (values.json) process.stdout.write(`${JSON.stringify({ commands: all })}\n`);
};

run()
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  })
  .finally(() => rmSync(folder, { recursive: true, force: true }));
