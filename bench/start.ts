import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from './load';
import { say, whole } from './preparation';
import { processorTime } from './processes';

const usage = `npm run bench:start -- [options]

From the start of a gateway's process to its first answer: as "npm start" starts it, with the demo merchant in its embedded
database, asked by its agent for the context of ticket 1001. Beside it Node that does nothing, in the same rounds.

  --rounds N       starts, of which the median counts (15)
  --size S         of the demo merchant; 1 is that of "npm start" (1)
  --other FOLDER   another built checkout, in turns with this one
  --json           ends with one line of JSON
  --help`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    size: { type: 'string', default: '1' },
    other: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

/** The README's first query. */
const query = `query Context { ticketByReference(source: "demo", reference: "1001") { subject status assistance { state expiresAt }
  customer { displayName email link paymentMethods { brand last4 status token }
    transactions(first: 1) { totalCount nodes { amount { minorUnits currency } status declineCode risk { band score } } } } } }`;
const body = JSON.stringify({ query });

/** Milliseconds of one start: by the clock, and of the process's processor time. */
interface Start {
  readonly clock: number;
  readonly processor: number;
}

interface Side {
  readonly name: string;
  readonly starts: Start[];
  readonly start: () => Promise<Start>;
}

const pause = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

/** Milliseconds between two attempts to reach a gateway that doesn't listen yet. */
const attempts = 3;

const freePort = (): Promise<number> =>
  new Promise((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => found(port));
    });
  });

/** The answer, or null where nothing listens yet. */
const ask = (port: number, token: string): Promise<{ readonly status: number; readonly text: string } | null> =>
  new Promise((answered) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const asked = request({ port, host: '127.0.0.1', path: '/graphql', method: 'POST', headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => answered({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    asked.on('error', () => answered(null));
    asked.end(body);
  });

/** A gateway of a checkout with a data folder of its own: started once, so that the demo merchant is there, and then each time anew. */
const gatewayOf = async (name: string, root: string, folder: string): Promise<Side> => {
  const { PATH = '', HOME = '' } = process.env;
  const port = await freePort();
  const env = { PATH, HOME, DATA_DIR: join(folder, name), DEMO_SIZE: values.size, PORT: String(port) };
  const options = (process.env.BENCH_NODE_OPTIONS ?? '').split(' ').filter(Boolean);
  const token = (): string =>
    execFileSync(process.execPath, [join(root, 'dist/src/cli/counterfoil.js'), 'token', '--user', 'ana'], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
      encoding: 'utf8',
    }).trim();
  const start = async (): Promise<Start> => {
    const prepared = token();
    const begun = performance.now();
    const gateway = spawn(process.execPath, [...options, '--max-semi-space-size=32', 'dist/src/main.js'], {
      cwd: root,
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const ended = new Promise<void>((end) => gateway.once('exit', () => end()));
    for (;;) {
      if (gateway.exitCode !== null) throw new Error(`the gateway of ${root} ended with ${gateway.exitCode}`);
      const answer = await ask(port, prepared);
      if (answer) {
        const clock = performance.now() - begun;
        const processor = processorTime(gateway.pid ?? 0);
        gateway.kill('SIGTERM');
        await ended;
        if (answer.status !== 200 || !answer.text.includes('"subject":"')) throw new Error(answer.text);
        return { clock, processor };
      }
      await pause(attempts);
    }
  };
  say(`${name}: loading the demo merchant`);
  await start();
  return { name, starts: [], start };
};

const nothing: Side = {
  name: 'node, nothing',
  starts: [],
  start: async () => {
    const begun = performance.now();
    // A process says what it took when it ends.
    const told = spawnSync(process.execPath, ['-e', "process.on('exit', () => console.log(JSON.stringify(process.cpuUsage())))"]);
    const clock = performance.now() - begun;
    const { user, system } = JSON.parse(told.stdout.toString()) as NodeJS.CpuUsage;
    return { clock, processor: (user + system) / 1_000 };
  },
};

const figuresOf = (numbers: readonly number[]) => ({
  median: Math.round(median(numbers)),
  least: Math.round(Math.min(...numbers)),
  most: Math.round(Math.max(...numbers)),
});

const run = async (): Promise<void> => {
  const rounds = whole(values.rounds, 'rounds', 1);
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-start-'));
  try {
    const sides = [nothing, await gatewayOf('counterfoil', join(__dirname, '..', '..'), folder)];
    if (values.other !== undefined) sides.push(await gatewayOf('other', resolve(values.other), folder));
    for (let round = 0; round < rounds; round += 1)
      for (const side of round % 2 ? [...sides].reverse() : sides) side.starts.push(await side.start());
    const results = sides.map(({ name, starts }) => ({
      name,
      clock: figuresOf(starts.map(({ clock }) => clock)),
      processor: figuresOf(starts.map(({ processor }) => processor)),
    }));
    const own = results[0]?.processor.median ?? Number.NaN;
    for (const { name, clock, processor } of results)
      process.stdout.write(
        `${name.padEnd(15)}${clock.median} ms (${clock.least}–${clock.most}), of the processor ${processor.median} ms (${processor.least}–${processor.most}), ${(processor.median / own).toFixed(1)} times Node’s own\n`,
      );
    if (values.json) process.stdout.write(`${JSON.stringify({ rounds, starts: results })}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

if (values.help) process.stdout.write(`${usage}\n`);
else
  run().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
