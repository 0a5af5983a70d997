import 'reflect-metadata';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type LoadRequest, runLoad } from './load';
import { warmUp } from './measurement';
import { type Latencies, type OpenMeasured, probe, runOpenLoad } from './open-loop';
import { type Agent, Agents, connections, load, openIssuer, openTickets, requestOf, say, whole } from './preparation';
import { processorTime, residentMemory, type Started, startContender, stopContender } from './processes';
import { queryNames } from './queries';
import { merchantOf, poolSize, type Settings, writeSettings } from './settings';
import { newDatabase, PrivateMariaDb } from './support/mariadb';

const usage = `npm run bench:overload -- [options]

What the gateway does with more than it can: requests that arrive at random instants, three times as many as it can answer.

  --times N       the offered load over the capacity (3)
  --seconds N     of the overload; the others take half of it (20)
  --customers N   customers, each with one ticket, in steps of 100; an agent has fifty (2000)
  --mixes A,B     some of context, mixed: one agent's queue of fifty for nine contexts (context,mixed)
  --connections N to the gateway under overload (256)
  --sqlite        on the embedded database
  --json          ends with one line of JSON
  --help

Capacity: ${connections} connections that send the next request as soon as the one before is answered. Latencies of the others count
from the instant at which a request was due, so that what waits in the client counts too.`;

const mixes = ['context', 'mixed'] as const;
type Mix = (typeof mixes)[number];
/** Contexts for one queue. */
const contextsOfMix = 9;
/** What is offered when nothing is to wait, over the capacity. */
const lightly = 0.3;
const probedEvery = 200;
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

interface Phase extends OpenMeasured {
  readonly name: string;
  readonly offeredPerSecond: number;
  /** Resident memory after it, MiB. */
  readonly memory: number;
  /** Processor time of the server, milliseconds a second. */
  readonly busy: number;
  readonly health: Latencies & { readonly failed: number };
  readonly ready: Latencies & { readonly failed: number };
}

const generator = (mix: Mix, agents: readonly Agent[]): (() => LoadRequest) => {
  const contexts = agents.map((agent) => agent.tickets.map((reference) => requestOf('context', agent, reference)));
  const queues = agents.map((agent) => requestOf('queue', agent, ''));
  return () => {
    const agent = randomInt(agents.length);
    if (mix === 'mixed' && randomInt(contextsOfMix + 1) === 0) return queues[agent] as LoadRequest;
    const own = contexts[agent] as LoadRequest[];
    return own[randomInt(own.length)] as LoadRequest;
  };
};

const chosen = (text: string): readonly Mix[] => {
  const asked = text.split(',').map((name) => name.trim());
  for (const name of asked)
    if (!(mixes as readonly string[]).includes(name)) throw new Error(`--mixes: expected some of ${mixes.join(', ')}`);
  return mixes.filter((name) => asked.includes(name));
};

const cells = (texts: readonly string[], widths: readonly number[]): string =>
  texts.map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0))).join('');
const widths = [12, 9, 10, 9, 8, 8, 12, 8, 10, 10, 10, 10, 9];
const headings = [
  'phase',
  'offered',
  'answered',
  'shed',
  'p50 ms',
  'p99 ms',
  '1st s p99',
  'shed p50',
  'shed p99',
  'healthz',
  'readyz',
  'server',
  'MiB',
];
const row = ({
  name,
  offeredPerSecond,
  seconds,
  admitted,
  admittedAtFirst,
  shed,
  health,
  ready,
  busy,
  memory,
}: Phase): string => {
  const ms = (value: number): string => (Number.isNaN(value) ? '–' : value.toFixed(0));
  return cells(
    [
      name,
      `${offeredPerSecond.toFixed(0)}/s`,
      `${(admitted.count / seconds).toFixed(0)}/s`,
      `${(shed.count / seconds).toFixed(0)}/s`,
      ms(admitted.p50),
      ms(admitted.p99),
      ms(admittedAtFirst.p99),
      ms(shed.p50),
      ms(shed.p99),
      ms(health.p99),
      ms(ready.p99),
      `${(busy / 10).toFixed(0)} %`,
      memory.toFixed(0),
    ],
    widths,
  );
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      times: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '20' },
      customers: { type: 'string', default: '2000' },
      mixes: { type: 'string', default: 'context,mixed' },
      connections: { type: 'string', default: '256' },
      sqlite: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(usage);
  const times = whole(values.times, 'times', 1);
  const seconds = whole(values.seconds, 'seconds', 2);
  const customers = whole(values.customers, 'customers', 1_000);
  const many = whole(values.connections, 'connections', 1);
  const asked = chosen(values.mixes);

  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-bench-'));
  const closing: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    const mariadb = values.sqlite ? null : await PrivateMariaDb.start(['--innodb-buffer-pool-size=1G']);
    if (mariadb) closing.push(() => mariadb.stop());
    const issuer = await openIssuer();
    closing.push(issuer.close);
    const settings: Settings = {
      databaseUrl: mariadb ? (await newDatabase(mariadb.serverUrl)).url : `sqlite:${join(folder, 'rows.db')}`,
      folder,
      customers,
      anchor: Date.now(),
    };
    writeSettings(settings, issuer.jwksUri);
    const merchant = merchantOf(settings);
    const loaded = await load(settings, merchant);
    const agents = new Agents(merchant, issuer, loaded.staffIds);
    const server: Started = await startContender('counterfoil', settings);
    closing.push(() => stopContender(server));
    await openTickets(server.port, await agents.current());
    say('warming up');
    for (const query of queryNames) await warmUp(server, query, agents);
    const memory = () => residentMemory(server.processId);
    const atFirst = memory();

    const json: Record<string, unknown> = {};
    const texts: string[] = [];
    for (const mix of asked) {
      const next = generator(mix, await agents.current());
      const half = Math.ceil(seconds / 2);
      const { perSecond: capacity, p99: saturated } = await runLoad({
        port: server.port,
        seconds: half,
        connections: Array.from({ length: connections }, () => next),
      });
      say(`${mix}: ${capacity.toFixed(0)} requests a second over ${connections} connections, p99 ${saturated.toFixed(0)} ms`);
      const phase = async (name: string, over: number, duration: number): Promise<Phase> => {
        const offeredPerSecond = capacity * over;
        const used = processorTime(server.processId);
        const sending = runOpenLoad({
          port: server.port,
          seconds: duration,
          perSecond: offeredPerSecond,
          connections: many,
          next,
        });
        const [measured, health, ready] = await Promise.all([
          sending,
          probe(server.port, '/healthz', probedEvery, sending),
          probe(server.port, '/readyz', probedEvery, sending),
        ]);
        const busy = (processorTime(server.processId) - used) / measured.seconds;
        const made = { ...measured, name, offeredPerSecond, memory: memory(), busy, health, ready };
        say(row(made));
        return made;
      };
      await pause(500);
      const unloaded = await phase('unloaded', lightly, half);
      const overload = await phase(`${times} times`, times, seconds);
      const recovered = await phase('afterwards', lightly, half);
      const goodput = overload.admitted.count / overload.seconds / capacity;
      const stretch = overload.admitted.p99 / unloaded.admitted.p99;
      texts.push(`
${mix}: capacity ${capacity.toFixed(0)}/s (${connections} connections, p99 ${saturated.toFixed(0)} ms)
${cells(headings, widths)}
${[unloaded, overload, recovered].map(row).join('\n')}
p99 of what was answered at ${times} times the capacity: ${stretch.toFixed(2)} of the unloaded p99; answered ${goodput.toFixed(2)} of the capacity; in the client ${overload.late} of ${overload.offered} were late`);
      json[mix] = { capacity, goodput, stretch, unloaded, overload, recovered };
    }
    console.log(`
${availableParallelism()} cores shared by database, server and load generator; Node ${process.version}; ${loaded.database}${mariadb ? `; pool of ${poolSize} connections` : ''}
unloaded, afterwards: ${lightly} of the capacity. answered, shed: 200; 503 or 429. healthz, readyz: 99th percentile of probes every ${probedEvery} ms
meanwhile, milliseconds. server: its processor time. Latencies from the instant at which a request was due
${texts.join('\n')}

memory of the gateway: ${atFirst.toFixed(0)} MiB before, ${memory().toFixed(0)} MiB after`);
    if (values.json) console.log(`\n${JSON.stringify(json)}`);
  } finally {
    for (const close of closing.reverse()) await close();
  }
};

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
