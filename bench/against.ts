import 'reflect-metadata';
import { execFileSync, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { median, sendAll } from './load';
import { BenchMerchant } from './merchant';
import { Agents, type Issuer, openIssuer, openTickets, requestOf, say, whole } from './preparation';
import { processorTime } from './processes';
import { type QueryName, queryNames } from './queries';
import type { Settings, writeSettings } from './settings';
import { newDatabase, PrivateMariaDb } from './support/mariadb';

const usage = `npm run bench:against -- --other FOLDER [options]

Processor time of a request, server and MariaDB together, of this build over that of another checkout's, which was built by
"npx tsc -p tsconfig.build.json". Each has a MariaDB of its own and they are asked in turns.

  --other FOLDER   the other checkout
  --rounds N       (20)
  --customers N    loaded by each (1000)`;

const lanes = 8;
/** Requests of one lane in one batch, and batches of one round. */
const requestsOf: Readonly<Record<QueryName, number>> = { context: 12, queue: 2 };
const batches = 4;
const warmUps = 6;

interface Side {
  readonly ask: (query: QueryName) => Promise<number>;
  readonly stop: () => Promise<void>;
}

/** Loads by the other build's own modules, in a process of their own; ends with the staff as JSON on the last line. */
const loading = `require('reflect-metadata');
const [root, settings] = [process.argv[1], JSON.parse(process.argv[2])];
const { App } = require(root + '/dist/src/app.js');
const { configOf, connectorsOf, merchantOf } = require(root + '/dist/bench/settings.js');
(async () => {
  const log = require('pino')({ level: 'silent' });
  const app = await App.open({ config: configOf(settings), log, connectors: connectorsOf(merchantOf(settings)) });
  await app.sources.syncAll();
  console.log(JSON.stringify(await app.database.query('SELECT id, reference FROM helpdesk_staff')));
  await app.close();
})();`;

const open = async (root: string, issuer: Issuer, customers: number): Promise<Side> => {
  say(`loading by ${root}`);
  const mariadb = await PrivateMariaDb.start(['--innodb-buffer-pool-size=512M']);
  const { url } = await newDatabase(mariadb.serverUrl);
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-bench-'));
  const settings: Settings = { databaseUrl: url, folder, customers, anchor: Date.now() };
  const env = { ...process.env, NODE_ENV: 'production' };
  // The policy that ships with a checkout is read from where one stands.
  process.chdir(root);
  (require(join(root, 'dist/bench/settings.js')) as { writeSettings: typeof writeSettings }).writeSettings(
    settings,
    issuer.jwksUri,
  );
  const told = execFileSync(process.execPath, ['-e', loading, root, JSON.stringify(settings)], {
    cwd: root,
    env,
    encoding: 'utf8',
  });
  const staff = JSON.parse(told.trim().split('\n').at(-1) ?? '[]') as { id: string; reference: string }[];
  const merchant = new BenchMerchant({ customers, anchor: new Date(settings.anchor) });
  const agents = await new Agents(merchant, issuer, new Map(staff.map(({ id, reference }) => [reference, id]))).current();
  const child = fork(join(root, 'dist/bench/contenders/counterfoil.js'), {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const port = await new Promise<number>((told, failed) => {
    child.once('message', (message) => told((message as { port: number }).port));
    child.once('exit', (code) => failed(new Error(`the gateway of ${root} stopped with code ${code}`)));
    child.send(settings);
  });
  await openTickets(port, agents);
  const used = () => processorTime(child.pid ?? 0) + processorTime(mariadb.processId);
  const anyOf = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;
  return {
    ask: async (query) => {
      const before = used();
      const count = requestsOf[query];
      await Promise.all(
        Array.from({ length: lanes }, () =>
          sendAll(
            port,
            Array.from({ length: count }, () => {
              const agent = anyOf(agents);
              return requestOf(query, agent, query === 'queue' ? '' : anyOf(agent.tickets));
            }),
          ),
        ),
      ).catch((error: unknown) => {
        throw new Error(`${root}: ${error instanceof Error ? error.message : error}`);
      });
      return (used() - before) / (lanes * count);
    },
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.disconnect();
      await ended;
      await mariadb.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      other: { type: 'string' },
      rounds: { type: 'string', default: '20' },
      customers: { type: 'string', default: '1000' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || values.other === undefined) return console.log(usage);
  const rounds = whole(values.rounds, 'rounds', 1);
  const customers = whole(values.customers, 'customers', 1_000);
  const issuer = await openIssuer();
  const sides: Side[] = [];
  try {
    for (const root of [resolve(values.other), resolve(__dirname, '../..')]) sides.push(await open(root, issuer, customers));
    const [other, ours] = sides as [Side, Side];
    for (let batch = 0; batch < warmUps; batch += 1)
      for (const query of queryNames) for (const side of sides) await side.ask(query);
    const times: Record<QueryName, [other: number, ours: number][]> = { context: [], queue: [] };
    for (let round = 0; round < rounds; round += 1)
      for (const query of queryNames) {
        const took = new Map<Side, number>();
        for (const side of round % 2 === 0 ? [other, ours] : [ours, other]) {
          let sum = 0;
          for (let batch = 0; batch < batches; batch += 1) sum += await side.ask(query);
          took.set(side, sum / batches);
        }
        times[query].push([took.get(other) as number, took.get(ours) as number]);
      }
    for (const query of queryNames) {
      const of = (index: 0 | 1) => median(times[query].map((each) => each[index])).toFixed(2);
      const ratio = median(times[query].map(([theirs, own]) => own / theirs)).toFixed(3);
      console.log(`${query}: ${of(0)} ms the other, ${of(1)} ms this one, median of the rounds' ratios ${ratio}`);
    }
  } finally {
    for (const side of sides) await side.stop();
    issuer.close();
  }
};

void main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
