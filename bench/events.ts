import 'reflect-metadata';
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createPool, type Pool } from 'mysql2/promise';
import pino from 'pino';
import { raise } from '../src/features/alerts/raising';
import { openStorage } from '../src/storage';
import { plainIngest, sendSignals, type Taken } from './events/ingest';
import { bareEvents, eventsConfigOf } from './events/settings';
import type { Arrival, Subscribing } from './events/subscribers';
import { median, quantile } from './load';
import { type Agent, Agents, load, openIssuer, openTickets, say, whole } from './preparation';
import { processorTime, type Started, startContender, stopContender } from './processes';
import { merchantOf, type Settings, writeSettings } from './settings';
import { newDatabase, PrivateMariaDb } from './support/mariadb';

const usage = `npm run bench:events -- [options]

Signals in, and what happens to alerts out, on MariaDB with three replicas of the gateway, each a process of its own.

  ingest    signals a second that POST /signals/:source acknowledges, over those of a plain INSERT of the same rows, 500 a statement
  lag       p99 from the commit of an alert to its reader, over that of three processes that look at a table and push what is new
  decision  payment decisions a second, over those of a bare route with the same SELECT

  --rounds N       of each, gateway and other in turns; medians count (3)
  --seconds N      of each measurement (10)
  --subscribers N  readers, each an agent with a connection of their own (1000)
  --rate N         alerts a second (10)
  --only WHAT      ingest, lag, decision: these alone, by commas
  --json           ends with one line of JSON
  --help`;

const replicas = 3;
const ticketsPerAgent = 2;
/** Agents to whom alerts come, on tickets that they have opened; the others only listen. */
const mostBusy = 200;
const subscription = `subscription { alerts { cursor kind alertId ticketId
  alert { id rule severity state raisedAt reasons { code count windowSeconds } } } }`;
/** Milliseconds that replicas have which were stopped, before anything is measured of them. */
const settling = 2_000;
const now = (): number => performance.timeOrigin + performance.now();
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Readers in a process of their own. */
class Readers {
  private constructor(private readonly child: ChildProcess) {}

  static async open(asked: Subscribing): Promise<Readers> {
    const child = fork(join(__dirname, 'events', 'subscribers.js'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const ready = new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', (code) => reject(new Error(`the readers ended with ${code}`)));
    });
    child.send(asked);
    await ready;
    return new Readers(child);
  }

  /** What came since it was asked last. */
  arrivals(): Promise<readonly Arrival[]> {
    return new Promise((resolve) => {
      this.child.once('message', (arrivals) => resolve(arrivals as Arrival[]));
      this.child.send('arrivals');
    });
  }

  close(): void {
    if (this.child.connected) this.child.disconnect();
  }
}

interface Lag {
  readonly p50: number;
  readonly p99: number;
  readonly events: number;
}

/** Commits events at a steady rate, and says how long each took to its reader. */
const lagOf = async (
  readers: Readers,
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
  commit: (number: number) => Promise<string>,
): Promise<Lag> => {
  await readers.arrivals();
  const committed = new Map<string, number>();
  const begun = performance.now();
  for (let number = 0; number < rate * seconds; number += 1) {
    await pause(Math.max(0, begun + (number * 1_000) / rate - performance.now()));
    const id = await commit(number);
    committed.set(id, now());
  }
  const lags: number[] = [];
  for (let waits = 0; waits < 100 && lags.length < committed.size; waits += 1) {
    await pause(100);
    for (const { id, at } of await readers.arrivals()) {
      const from = committed.get(id);
      if (from !== undefined) lags.push(Math.max(0, at - from));
    }
  }
  if (lags.length !== committed.size) throw new Error(`${lags.length} of ${committed.size} events reached their reader`);
  lags.sort((a, b) => a - b);
  return { p50: quantile(lags, 0.5), p99: quantile(lags, 0.99), events: lags.length };
};

/** Some of the agents, of every replica. */
const busyOf = (agents: readonly Agent[]): readonly Agent[] => agents.slice(0, mostBusy);

const measureLag = async (
  { settings, agents, gateways, closing }: Bench,
  { rounds, seconds, subscribers, rate }: Wishes,
): Promise<{ readonly ratio: number; readonly gateway: Lag[]; readonly bare: Lag[] }> => {
  const all = (await agents.current()).slice(0, subscribers);
  const busy = busyOf(all);
  const pool: Pool = createPool({ uri: settings.databaseUrl, connectionLimit: 2 });
  closing.push(() => pool.end());
  await pool.query(`CREATE TABLE ${bareEvents} (position BIGINT PRIMARY KEY AUTO_INCREMENT, reader VARCHAR(64), body TEXT)`);
  const bares: Started[] = [];
  for (let n = 0; n < replicas; n += 1) {
    const bare = await startContender('bare-events', settings);
    bares.push(bare);
    closing.push(() => stopContender(bare));
  }
  say(`${all.length} readers, of whom ${busy.length} have tickets that something happens to`);
  const at = (servers: readonly Started[], index: number) => `ws://127.0.0.1:${servers[index % replicas]?.port}`;
  const ofGateway = await Readers.open({
    readers: all.map(({ token }, index) => ({ url: `${at(gateways, index)}/graphql`, token })),
    query: subscription,
  });
  closing.push(() => ofGateway.close());
  const ofBare = await Readers.open({
    readers: all.map(({ staffId, token }, index) => ({ url: `${at(bares, index)}/${staffId}`, token })),
    query: subscription,
  });
  closing.push(() => ofBare.close());
  const { database, keys } = await openStorage({ config: eventsConfigOf(settings), log: pino({ level: 'silent' }) });
  closing.push(() => database.close());
  const tickets = await database.query<{ id: string; reference: string; customer: string }>(
    'SELECT id, reference, customer_id AS customer FROM helpdesk_ticket',
  );
  const ticketOf = new Map(tickets.map((ticket) => [ticket.reference, ticket]));
  let made = 0;
  const agentOf = (number: number) => busy[number % busy.length] as Agent;
  const commitAlert = async (number: number): Promise<string> => {
    made += 1;
    const agent = agentOf(number);
    const ticket = ticketOf.get(agent.tickets[made % agent.tickets.length] as string);
    if (!ticket) throw new Error('the ticket is not stored');
    const outcome = await database.system('worker', 'alert.raise', (change) =>
      raise(change, keys, {
        rule: 'retries-elsewhere',
        version: 1,
        severity: 'MEDIUM',
        customerId: ticket.customer,
        ticketId: null,
        staffId: null,
        subject: ticket.reference,
        window: String(made),
        reasons: [{ code: 'ATTEMPTS', count: 4, windowSeconds: 3_600 }],
        signals: ['bench/1', 'bench/2', 'bench/3'],
      }),
    );
    if (!('id' in outcome)) throw new Error(outcome.outcome);
    return outcome.id;
  };
  const commitBare = async (number: number): Promise<string> => {
    made += 1;
    const id = `bare_${made}`;
    const body = JSON.stringify({ id: '1', type: 'next', payload: { data: { alerts: { kind: 'RAISED', alertId: id } } } });
    await pool.query(`INSERT INTO ${bareEvents} (reader, body) VALUES (?, ?)`, [agentOf(number).staffId, body]);
    return id;
  };
  const gateway: Lag[] = [];
  const bare: Lag[] = [];
  const wish = { rate, seconds };
  await lagOf(ofGateway, { ...wish, seconds: 3 }, commitAlert);
  await lagOf(ofBare, { ...wish, seconds: 1 }, commitBare);
  for (let round = 0; round < rounds; round += 1) {
    bare.push(await lagOf(ofBare, wish, commitBare));
    gateway.push(await lagOf(ofGateway, wish, commitAlert));
    const [ours, theirs] = [gateway.at(-1) as Lag, bare.at(-1) as Lag];
    say(
      `  lag p99: gateway ${ours.p99.toFixed(0)} ms (p50 ${ours.p50.toFixed(0)}), bare ${theirs.p99.toFixed(0)} ms (p50 ${theirs.p50.toFixed(0)})`,
    );
  }
  // Nobody else is asked anything by what is measured next.
  for (const readers of [ofGateway, ofBare]) readers.close();
  for (const each of bares) await stopContender(each);
  const ratio = median(gateway.map(({ p99 }) => p99)) / median(bare.map(({ p99 }) => p99));
  return { ratio, gateway, bare };
};

interface Bench {
  readonly settings: Settings;
  readonly agents: Agents;
  readonly gateways: readonly Started[];
  /** The database's process. */
  readonly databaseId: number;
  readonly closing: (() => unknown)[];
}
interface Wishes {
  readonly rounds: number;
  readonly seconds: number;
  readonly subscribers: number;
  readonly rate: number;
}

/** Signals a second, and the processor time, in milliseconds, that a thousand took of the gateways and of the database. */
interface Ingest {
  readonly perSecond: number;
  readonly gatewayMilliseconds: number;
  readonly databaseMilliseconds: number;
}

const measureIngest = async ({ settings, gateways, databaseId }: Bench, { rounds, seconds }: Wishes) => {
  const processor = (ids: readonly number[]): number => ids.reduce((sum, id) => sum + processorTime(id), 0);
  const ids = gateways.map(({ processId }) => processId);
  const measured = async (work: () => Promise<Taken>): Promise<Ingest> => {
    const before = [processor(ids), processor([databaseId])] as const;
    const { stored, perSecond } = await work();
    return {
      perSecond,
      gatewayMilliseconds: ((processor(ids) - before[0]) / stored) * 1_000,
      databaseMilliseconds: ((processor([databaseId]) - before[1]) / stored) * 1_000,
    };
  };
  const gateway: Ingest[] = [];
  const plain: Ingest[] = [];
  const ports = gateways.map(({ port }) => port);
  await sendSignals(ports, 3);
  await plainIngest(settings.databaseUrl, 1);
  for (let round = 0; round < rounds; round += 1) {
    // What the gateways still make of what was sent would slow down what is measured beside them.
    for (const id of ids) process.kill(id, 'SIGSTOP');
    plain.push(await measured(() => plainIngest(settings.databaseUrl, seconds)));
    for (const id of ids) process.kill(id, 'SIGCONT');
    // What was under way when they were stopped is out of time: they connect and prepare anew.
    await pause(settling);
    gateway.push(await measured(() => sendSignals(ports, seconds)));
    const told = ({ perSecond, gatewayMilliseconds, databaseMilliseconds }: Ingest) =>
      `${perSecond.toFixed(0)}/s (processor ms a thousand: gateway ${gatewayMilliseconds.toFixed(0)}, database ${databaseMilliseconds.toFixed(0)})`;
    say(`  ingest: gateway ${told(gateway.at(-1) as Ingest)}, plain ${told(plain.at(-1) as Ingest)}`);
  }
  return { ratio: medianOf(gateway) / medianOf(plain), gateway, plain };
};

/** Decisions of a pipeline, where they are measured. */
interface Decisions {
  measureDecisions(bench: Bench, wishes: Wishes): Promise<{ readonly ratio: number }>;
}
const decisionsModule = join(__dirname, 'events-decision.js');
const decisions = (): Decisions | null => (existsSync(decisionsModule) ? (require(decisionsModule) as Decisions) : null);

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '10' },
      subscribers: { type: 'string', default: '1000' },
      rate: { type: 'string', default: '10' },
      only: { type: 'string', default: 'ingest,lag,decision' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(usage);
  const wishes: Wishes = {
    rounds: whole(values.rounds, 'rounds', 1),
    seconds: whole(values.seconds, 'seconds', 1),
    subscribers: whole(values.subscribers, 'subscribers', 1),
    rate: whole(values.rate, 'rate', 1),
  };
  const asked = new Set(values.only.split(','));
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-bench-'));
  const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    const mariadb = await PrivateMariaDb.start(['--innodb-buffer-pool-size=1G']);
    closing.push(() => mariadb.stop());
    const issuer = await openIssuer();
    closing.push(issuer.close);
    const database = await newDatabase(mariadb.serverUrl);
    const settings: Settings = {
      databaseUrl: database.url,
      folder,
      customers: Math.ceil((wishes.subscribers * ticketsPerAgent) / 100) * 100,
      ticketsPerAgent,
      anchor: Date.now(),
    };
    writeSettings(settings, issuer.jwksUri);
    const merchant = merchantOf(settings);
    const loaded = await load(settings, merchant);
    const agents = new Agents(merchant, issuer, loaded.staffIds);
    const gateways: Started[] = [];
    for (let n = 0; n < replicas; n += 1) {
      const gateway = await startContender('events', settings);
      gateways.push(gateway);
      closing.push(() => stopContender(gateway));
    }
    const bench: Bench = { settings, agents, gateways, closing, databaseId: mariadb.processId };
    await openTickets(gateways[0]?.port ?? 0, busyOf(await agents.current()));
    const lag = asked.has('lag') ? await measureLag(bench, wishes) : undefined;
    const ingest = asked.has('ingest') ? await measureIngest(bench, wishes) : undefined;
    // They would make signals of what was sent for minutes yet.
    for (const gateway of gateways) await stopContender(gateway);
    const decision = asked.has('decision') ? await decisions()?.measureDecisions(bench, wishes) : undefined;
    const ratios = {
      ...(ingest ? { ingest: round(ingest.ratio) } : {}),
      ...(lag ? { lag: round(lag.ratio) } : {}),
      ...(decision ? { decision: round(decision.ratio) } : {}),
    };
    const milliseconds = lag && {
      gateway: median(lag.gateway.map(({ p99 }) => p99)),
      bare: median(lag.bare.map(({ p99 }) => p99)),
    };
    if (ingest)
      console.log(
        `ingest ${ratios.ingest} (gateway ${medianOf(ingest.gateway).toFixed(0)} signals/s, plain INSERT ${medianOf(ingest.plain).toFixed(0)}/s)`,
      );
    if (lag && milliseconds)
      console.log(
        `lag ${ratios.lag} (p99 gateway ${milliseconds.gateway.toFixed(0)} ms, bare ${milliseconds.bare.toFixed(0)} ms; ${lag.gateway[0]?.events} events a round)`,
      );
    if (decision) console.log(`decision ${ratios.decision}`);
    console.log(`${loaded.database}; ${replicas} replicas`);
    if (values.json) console.log(JSON.stringify({ ratios, lagMilliseconds: milliseconds, ingest, lag, decision }));
  } finally {
    for (const close of closing.reverse()) await close();
  }
};
const medianOf = (measured: readonly Ingest[]): number => median(measured.map(({ perSecond }) => perSecond));
const round = (value: number): number => Math.round(value * 1_000) / 1_000;

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
