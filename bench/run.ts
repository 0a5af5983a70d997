import 'reflect-metadata';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CounterReader, excessOfRaw } from './counters';
import { sendAll } from './load';
import { type DatabaseServer, measure, warmUp } from './measurement';
import {
  type Agent,
  Agents,
  connections,
  type Issuer,
  load,
  openIssuer,
  openTickets,
  requestOf,
  say,
  whole,
} from './preparation';
import { residentMemory, type Started, startContender, stopContender } from './processes';
import { compareAnswers, type QueryName, queryNames } from './queries';
import { lastLine, middle, type Outcome, type Outcomes, tableOf } from './results';
import { merchantOf, poolSize, raisedQuota, type Settings, writeSettings } from './settings';
import { newDatabase, newUser, PrivateMariaDb } from './support/mariadb';

const usage = `npm run bench -- [options]

Measures the gateway with everything on against servers that answer the same over the same rows.

  --contenders A,B   some of raw, mercurius-jit, bare, naive beside counterfoil (all; with --sqlite raw, bare)
  --rounds N         rounds, each with every contender and query (5)
  --seconds N        of each measurement (3)
  --minutes N        rounds for so long instead of --rounds: does memory grow?
  --customers N      customers, each with one ticket, in steps of 100 (3000)
  --sqlite           on the embedded database, each server on a copy of its own
  --json             ends with one line of JSON: {"ratios":{"context":{"raw":…,…},"queue":{…}},"p99":{…}}, our requests a
                     second over each contender's, and the 99th percentile of each in milliseconds
  --help

Fails where raw reads more from MariaDB, or asks it more often, than the limit may.
BENCH_NODE_OPTIONS is handed to the contenders' Node, for example --cpu-prof.`;

const contenders = ['raw', 'mercurius-jit', 'bare', 'naive', 'counterfoil'] as const;
type Contender = (typeof contenders)[number];
const onFile: readonly Contender[] = ['raw', 'bare', 'counterfoil'];
const protecting: ReadonlySet<Contender> = new Set(['naive', 'counterfoil']);

const idleSeconds = 1;

const said: Readonly<Record<Contender, string>> = {
  raw: `nothing between node:http and the driver: SQL by hand, prepared, the selected columns alone, a key once a customer,
              unsealing, JSON.stringify. It protects nothing and believes a header about whose queue is asked for.`,
  'mercurius-jit': `mercurius with compiled execution, the gateway's graph, prepared reads by hand, a DataLoader a relation,
              unsealing. It protects nothing and believes the header.`,
  bare: `Apollo Server 5 with its defaults on Fastify (same integration), type-graphql's types and resolvers, executed by
              graphql-js; the same loaders (every column), pool and unsealing as Counterfoil. It protects nothing and believes the header.`,
  naive: `the usual stack: type-graphql, TypeORM's repositories, graphql-shield on every field, masks in resolvers, one INSERT
              into an audit table before each answer, Apollo's standalone server. It verifies tokens.`,
  counterfoil: `the gateway with everything on: tokens verified, scope in SQL, access plan, rules, masks, disclosures durable before
              the answer, limits, request log (to a file), polling its sources. Its assistances have begun. Raised for the bench,
              in its own copy of the configuration: the quota (${raisedQuota} customers an hour) and the rate limit.`,
};

const chosen = (text: string | undefined, isFile: boolean): readonly Contender[] => {
  const possible = isFile ? onFile : contenders;
  if (text === undefined) return possible;
  const asked = new Set(text.split(',').map((name) => name.trim()));
  for (const name of asked)
    if (!(possible as readonly string[]).includes(name)) throw new Error(`--contenders: expected some of ${possible.join(', ')}`);
  return possible.filter((name) => asked.has(name) || name === 'counterfoil');
};

/** Every one must answer the same: the unprotected ones to the letter. */
const compareAll = async (servers: ReadonlyMap<Contender, Started>, [agent]: readonly Agent[]): Promise<void> => {
  if (!agent) return;
  for (const query of queryNames) {
    // Of the agent's, the first three: with payment methods that are one and that are several.
    for (const reference of query === 'queue' ? [''] : agent.tickets.slice(0, 3)) {
      const request = requestOf(query, agent, reference);
      let unprotected: string | undefined;
      for (const [name, { port }] of servers) {
        const [answer = ''] = await sendAll(port, [request]);
        if (unprotected === undefined && !protecting.has(name)) unprotected = answer;
        else if (unprotected !== undefined) compareAnswers(query, unprotected, answer, protecting.has(name));
      }
    }
  }
};

const idleText = ({ idle }: DatabaseServer): string => {
  const { bytesRead, bytesWritten, statements } = idle.get('counterfoil') ?? { bytesRead: 0, bytesWritten: 0, statements: 0 };
  return `counterfoil when nobody asks: ${(bytesRead / 1_000).toFixed(1)} kB read, ${(bytesWritten / 1_000).toFixed(1)} kB written, ${statements.toFixed(1)} statements a second`;
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      contenders: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      minutes: { type: 'string' },
      customers: { type: 'string', default: '3000' },
      sqlite: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(usage);
  const rounds = whole(values.rounds, 'rounds', 1);
  const seconds = whole(values.seconds, 'seconds', 1);
  const minutes = values.minutes === undefined ? null : whole(values.minutes, 'minutes', 1);
  const customers = whole(values.customers, 'customers', 1_000);
  const names = chosen(values.contenders, values.sqlite);

  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-bench-'));
  const servers = new Map<Contender, Started>();
  const closing: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    const mariadb = values.sqlite ? null : await PrivateMariaDb.start(['--innodb-buffer-pool-size=1G', '--userstat=1']);
    if (mariadb) closing.push(() => mariadb.stop());
    const counters = mariadb && (await CounterReader.open(mariadb.serverUrl));
    if (counters) closing.push(() => counters.close());
    const issuer: Issuer = await openIssuer();
    closing.push(issuer.close);
    const home = join(folder, 'loaded');
    const settings: Settings = {
      databaseUrl: mariadb ? (await newDatabase(mariadb.serverUrl)).url : `sqlite:${join(home, 'rows.db')}`,
      folder: home,
      customers,
      anchor: Date.now(),
    };
    writeSettings(settings, issuer.jwksUri);
    const merchant = merchantOf(settings);
    const loaded = await load(settings, merchant);
    const agents = new Agents(merchant, issuer, loaded.staffIds);

    for (const name of names) {
      let own = settings;
      // As a user of its own, so that what the others do by themselves isn't counted for it.
      if (mariadb) own = { ...settings, databaseUrl: await newUser(settings.databaseUrl, name) };
      else {
        // One process owns an embedded database.
        own = { ...settings, folder: join(folder, name), databaseUrl: `sqlite:${join(folder, name, 'rows.db')}` };
        cpSync(home, own.folder, { recursive: true });
        writeSettings(own, issuer.jwksUri);
      }
      const started = await startContender(name, own);
      servers.set(name, started);
      closing.push(() => stopContender(started));
    }
    const server = (name: Contender): Started => servers.get(name) as Started;
    await openTickets(server('counterfoil').port, await agents.current());
    await compareAll(servers, await agents.current());

    say('warming up');
    for (const query of queryNames) for (const name of names) await warmUp(server(name), query, agents);
    const database: DatabaseServer | null =
      mariadb && counters ? { processId: mariadb.processId, counters, idle: await counters.idle(names, idleSeconds) } : null;

    const results = Object.fromEntries(
      queryNames.map((query) => [query, Object.fromEntries(names.map((name) => [name, [] as Outcome[]]))]),
    ) as Record<QueryName, Record<Contender, Outcome[]>>;
    const memory = () => residentMemory(server('counterfoil').processId);
    const memories = [memory()];
    const began = performance.now();
    const goesOn = (round: number) => (minutes === null ? round < rounds : performance.now() - began < minutes * 60_000);
    let round = 0;
    for (; goesOn(round); round += 1) {
      // The order turns with each round, so that none is always measured on a machine warmed by the same other.
      const turned = [...names.slice(round % names.length), ...names.slice(0, round % names.length)];
      const atStart = memory();
      for (const query of queryNames) {
        for (const name of turned) results[query][name].push(await measure(server(name), query, { agents, seconds, database }));
        const rates = names.map((name) => `${name} ${results[query][name].at(-1)?.perSecond.toFixed(0)}/s`);
        say(`round ${round + 1} ${query}: ${rates.join(', ')}`);
      }
      memories.push(memory());
      say(`round ${round + 1} memory of counterfoil: ${atStart.toFixed(0)} MiB before, ${memory().toFixed(0)} MiB after`);
    }

    console.log(`
${names.map((name) => `${name.padEnd(14)}${said[name]}`).join('\n')}

${availableParallelism()} cores shared by database, servers and load generator; Node ${process.version}, NODE_ENV=production; ${loaded.database}
rows: ${Object.entries(loaded.rows)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')}${mariadb ? `; pool of ${poolSize} connections each` : ''}
${connections} keep-alive connections, each with its own agents and tickets in random order; ${round} rounds of ${seconds} s, interleaved; medians
server ms, db ms: processor time a request of the server and of MariaDB. read, written, statements: a request, as MariaDB counts
them for the server's user, without what it counts in idle times. ratio: counterfoil's requests/s over the row's, with least and most of the rounds; by
processor: the row's processor time over counterfoil's, which is steadier where others use the machine

${tableOf(results as Outcomes<Contender>, names)}
${database ? `\n${idleText(database)}` : ''}
memory of counterfoil: ${memories[0]?.toFixed(0)} MiB before the first round, ${memories.at(-1)?.toFixed(0)} MiB after the last, ${Math.max(...memories).toFixed(0)} MiB at most`);
    if (values.json) console.log(`\n${lastLine(results as Outcomes<Contender>, names)}`);

    if (database && names.includes('raw'))
      for (const query of queryNames) {
        const counted = (pick: 'bytesRead' | 'statements') =>
          middle(results[query].raw, (outcome) => outcome.counted?.[pick] ?? Number.NaN);
        const excess = excessOfRaw(query, { bytesRead: counted('bytesRead'), statements: counted('statements') });
        if (excess !== null) throw new Error(excess);
      }
  } finally {
    for (const close of closing.reverse()) await close();
  }
};

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
