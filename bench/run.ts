import 'reflect-metadata';
import { type ChildProcess, fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import pino from 'pino';
import { App } from '../src/app';
import { type LoadRequest, type Measured, median, runLoad, sendAll } from './load';
import { agentLogin, type BenchMerchant } from './merchant';
import { checkAnswer, type QueryName, queryNames, requestBody } from './queries';
import {
  audience,
  configOf,
  connectorsOf,
  issuerName,
  merchantOf,
  poolSize,
  raisedQuota,
  type Settings,
  writeSettings,
} from './settings';
import { newDatabase, PrivateMariaDb } from './support/mariadb';

const usage = `npm run bench -- [options]

Measures the gateway with everything on against a bare Apollo Server with the same loaders.

  --rounds N      rounds, each with every contender and query (5)
  --seconds N     of each measurement (4)
  --customers N   customers, each with one ticket, in steps of 100 (5000)
  --json          ends with one line of JSON: {"ratios":{"context":{"bare":…},"queue":{"bare":…}}}
  --help

BENCH_NODE_OPTIONS is handed to the contenders' Node, for example --cpu-prof.`;

const contenders = ['bare', 'counterfoil'] as const;
type Contender = (typeof contenders)[number];

const connections = 16;
const warmUpSeconds = 3;

interface Agent {
  readonly staffId: string;
  readonly token: string;
  readonly tickets: readonly string[];
}

const whole = (text: string, name: string, smallest: number): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < smallest) throw new Error(`--${name}: expected a whole number of at least ${smallest}`);
  return value;
};

/** An identity provider of the bench's own: publishes its key on this machine and signs for each agent. */
const openIssuer = async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES256', use: 'sig' }];
  const server: Server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issue = (login: string): Promise<string> => {
    const now = Math.floor(Date.now() / 1_000);
    return new SignJWT({ roles: ['AGENT'], teams: ['cards'], amr: ['pwd', 'mfa'], preferred_username: login, auth_time: now })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'bench' })
      .setIssuer(issuerName)
      .setAudience(audience)
      .setSubject(login)
      .setIssuedAt(now)
      .setExpirationTime(now + 900)
      .sign(privateKey);
  };
  const { port } = server.address() as AddressInfo;
  return { issue, jwksUri: `http://127.0.0.1:${port}/keys`, close: () => void server.close() };
};

/** Fills the database through the gateway's own sync and counts what it holds. */
const load = async (settings: Settings, merchant: BenchMerchant, say: (text: string) => void) => {
  const app = await App.open({ config: configOf(settings), log: pino({ level: 'silent' }), connectors: connectorsOf(merchant) });
  try {
    let told = 0;
    await app.sources.syncAll(({ phase, done, total }) => {
      if (performance.now() - told < 2_000) return;
      told = performance.now();
      say(`  ${phase}: ${done} of ${total ?? '?'}`);
    });
    const count = async (table: string): Promise<number> => {
      const [row] = await app.database.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`);
      return Number(row?.n ?? 0);
    };
    const [version] = await app.database.query<{ version: string }>('SELECT VERSION() AS version');
    const [flush] = await app.database.query<{ flush: unknown }>('SELECT @@innodb_flush_log_at_trx_commit AS flush');
    const staff = await app.database.query<{ id: string; reference: string }>('SELECT id, reference FROM helpdesk_staff');
    await app.database.query(
      'ANALYZE TABLE helpdesk_ticket, helpdesk_customer, helpdesk_message, payment_method, payment_transaction',
    );
    return {
      staffIds: new Map(staff.map(({ id, reference }) => [reference, id])),
      mariadb: version?.version ?? 'unknown',
      flush: String(flush?.flush),
      rows: {
        tickets: await count('helpdesk_ticket'),
        messages: await count('helpdesk_message'),
        customers: await count('helpdesk_customer'),
        paymentMethods: await count('payment_method'),
        transactions: await count('payment_transaction'),
      },
    };
  } finally {
    await app.close();
  }
};

/** Starts a contender in a process of its own; it ends with ours. */
const startContender = (name: Contender, settings: Settings): Promise<{ child: ChildProcess; port: number }> =>
  new Promise((resolve, reject) => {
    const output = openSync(join(settings.folder, `${name}.log`), 'a');
    const child = fork(join(__dirname, 'contenders', `${name}.js`), {
      env: { ...process.env, NODE_ENV: 'production' },
      execArgv: (process.env.BENCH_NODE_OPTIONS ?? '').split(' ').filter(Boolean),
      stdio: ['ignore', output, 'inherit', 'ipc'],
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${name} stopped with code ${code}`)));
    child.once('message', (message) => resolve({ child, port: (message as { port: number }).port }));
    child.send(settings);
  });

const stopContender = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || !child.connected) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.disconnect();
  await ended;
};

/** Processor time that a process has used so far, milliseconds; NaN where the system has no /proc. */
const processorTime = (processId: number): number => {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Clock ticks of user and system time; Linux shows 100 a second to programs, whatever the kernel's own clock.
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
};

/** A measurement with the processor time, milliseconds a request, of the server and of MariaDB: steadier than rates where others use the machine. */
interface Outcome extends Measured {
  readonly serverTime: number;
  readonly databaseTime: number;
}

const requestOf = (query: QueryName, agent: Agent, reference: string): LoadRequest => ({
  // The bare server believes who is asked for; the gateway has a token verified and doesn't read the other header.
  headers: { authorization: `Bearer ${agent.token}`, 'x-staff': agent.staffId },
  body: requestBody(query, reference),
  check: (text) => checkAnswer(query, text, reference),
});

/** One generator a connection, each with agents of its own and so with requests that no other connection sends. */
const generatorsOf = (query: QueryName, agents: readonly Agent[]): (() => LoadRequest)[] => {
  const perConnection = Math.floor(agents.length / connections);
  return Array.from({ length: connections }, (_, connection) => {
    const own = agents.slice(connection * perConnection, (connection + 1) * perConnection);
    const requests = own.flatMap((agent) =>
      query === 'queue' ? [requestOf(query, agent, '')] : agent.tickets.map((reference) => requestOf(query, agent, reference)),
    );
    return () => requests[randomInt(requests.length)] as LoadRequest;
  });
};

/** Both must answer about the same objects; and the gateway must have masked what the policy masks, or it would win by showing. */
const compare = (query: QueryName, bare: string, counterfoil: string): void => {
  const idsOf = (text: string) => [...text.matchAll(/"id":"([^"]+)"/g)].map(([, id]) => id).join(' ');
  if (idsOf(bare) !== idsOf(counterfoil)) throw new Error(`${query}: the contenders answer about different objects`);
  if (query === 'context' && (bare.includes('•••') || !counterfoil.includes('•••')))
    throw new Error('the masks are not as they should be');
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '4' },
      customers: { type: 'string', default: '5000' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(usage);
  const rounds = whole(values.rounds, 'rounds', 1);
  const seconds = whole(values.seconds, 'seconds', 1);
  const customers = whole(values.customers, 'customers', 1_000);
  const say = (text: string) => process.stderr.write(`${text}\n`);

  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-bench-'));
  const children: ChildProcess[] = [];
  const closing: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    say('starting a private MariaDB');
    const mariadb = await PrivateMariaDb.start(['--innodb-buffer-pool-size=1G']);
    closing.push(() => mariadb.stop());
    const { url } = await newDatabase(mariadb.serverUrl);
    const issuer = await openIssuer();
    closing.push(issuer.close);
    const settings: Settings = { databaseUrl: url, folder, customers, anchor: Date.now() };
    writeSettings(settings, issuer.jwksUri);
    const merchant = merchantOf(settings);
    say(`loading ${merchant.customers} customers`);
    const stored = await load(settings, merchant, say);

    const agents: Agent[] = [];
    for (let number = 0; number < merchant.agents; number += 1) {
      const login = agentLogin(number);
      const staffId = stored.staffIds.get(login);
      if (staffId === undefined) throw new Error(`${login} is not among the staff`);
      agents.push({ staffId, token: await issuer.issue(login), tickets: merchant.ticketsOf(number) });
    }

    const ports = {} as Record<Contender, number>;
    const processes = {} as Record<Contender, number>;
    for (const name of contenders) {
      const { child, port } = await startContender(name, settings);
      children.push(child);
      ports[name] = port;
      processes[name] = child.pid ?? 0;
    }

    say('opening every ticket once, so that its assistance has begun');
    const begun = performance.now();
    await Promise.all(
      Array.from({ length: connections }, (_, lane) =>
        sendAll(
          ports.counterfoil,
          agents
            .filter((_agent, index) => index % connections === lane)
            .flatMap((agent) => agent.tickets.map((reference) => requestOf('context', agent, reference))),
        ),
      ),
    );
    const opened = agents.length * (agents[0]?.tickets.length ?? 0);
    say(`  ${opened} tickets, ${Math.round(opened / ((performance.now() - begun) / 1_000))} a second`);
    for (const query of queryNames) {
      const agent = agents[0] as Agent;
      const request = requestOf(query, agent, agent.tickets[0] as string);
      const [bare = ''] = await sendAll(ports.bare, [request]);
      const [counterfoil = ''] = await sendAll(ports.counterfoil, [request]);
      compare(query, bare, counterfoil);
    }

    say('warming up');
    const measure = async (name: Contender, query: QueryName, duration: number): Promise<Outcome> => {
      const used = () => [processorTime(processes[name]), processorTime(mariadb.processId)] as const;
      const [server, database] = used();
      const measured = await runLoad({ port: ports[name], seconds: duration, connections: generatorsOf(query, agents) });
      const [serverAfter, databaseAfter] = used();
      return {
        ...measured,
        serverTime: (serverAfter - server) / measured.requests,
        databaseTime: (databaseAfter - database) / measured.requests,
      };
    };
    for (const query of queryNames) for (const name of contenders) await measure(name, query, warmUpSeconds);

    const results = Object.fromEntries(queryNames.map((query) => [query, { bare: [], counterfoil: [] }])) as unknown as Record<
      QueryName,
      Record<Contender, Outcome[]>
    >;
    for (let round = 0; round < rounds; round += 1) {
      // The order turns with each round, so that none is always measured on a machine warmed by the other.
      const order = round % 2 === 0 ? contenders : [...contenders].reverse();
      for (const query of queryNames) {
        for (const name of order) results[query][name].push(await measure(name, query, seconds));
        const [bare, ours] = contenders.map((name) => results[query][name].at(-1)?.perSecond ?? Number.NaN);
        say(`round ${round + 1} ${query}: bare ${bare?.toFixed(0)}/s, counterfoil ${ours?.toFixed(0)}/s`);
      }
    }

    const { rows } = stored;
    console.log(`
bare         Apollo Server 5 with its defaults on Fastify (same integration), type-graphql's types and resolvers, executed by
             graphql-js; the same loaders, columns, pool and unsealing of sealed columns as Counterfoil. It verifies no token and
             has no scope, rule, mask, limit, rate limit, log or record; it believes a header about whose queue is asked for.
counterfoil  the gateway with everything on: tokens verified, scope in SQL, access plan, rules, masks, disclosures durable before
             the answer, limits, request log (to a file), polling its sources. Its assistances have begun. Raised for the bench, in
             its own copy of the configuration: the quota (${raisedQuota} customers an hour) and the rate limit.

${availableParallelism()} cores shared by MariaDB, server and load generator; Node ${process.version}, NODE_ENV=production; MariaDB ${stored.mariadb}, innodb_flush_log_at_trx_commit=${stored.flush}
rows: ${Object.entries(rows)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')}; pool of ${poolSize} connections each
${connections} keep-alive connections, each with its own agents and tickets in random order; ${rounds} rounds of ${seconds} s, interleaved; medians
server ms, db ms: processor time a request of the server and of MariaDB
`);
    const pad = (text: string, width: number) => text.padStart(width);
    console.log(
      `${'query'.padEnd(9)}${'server'.padEnd(13)}${pad('requests/s', 12)}${pad('min–max', 14)}${pad('p50 ms', 9)}${pad('p99 ms', 9)}${pad('server ms', 11)}${pad('db ms', 8)}${pad('ratio', 8)}${pad('min–max', 14)}`,
    );
    const ratios = {} as Record<QueryName, { bare: number }>;
    for (const query of queryNames) {
      const rate = (name: Contender) => results[query][name].map(({ perSecond }) => perSecond);
      const byRound = rate('counterfoil').map((perSecond, round) => perSecond / (rate('bare')[round] ?? Number.NaN));
      const ratio = median(rate('counterfoil')) / median(rate('bare'));
      ratios[query] = { bare: Number(ratio.toFixed(3)) };
      for (const name of contenders) {
        const rates = rate(name);
        const middle = (pick: (measured: Outcome) => number) => median(results[query][name].map(pick)).toFixed(2);
        const ours = name === 'counterfoil';
        console.log(
          `${query.padEnd(9)}${name.padEnd(13)}${pad(median(rates).toFixed(0), 12)}${pad(`${Math.min(...rates).toFixed(0)}–${Math.max(...rates).toFixed(0)}`, 14)}${pad(
            middle(({ p50 }) => p50),
            9,
          )}${pad(
            middle(({ p99 }) => p99),
            9,
          )}${pad(
            middle(({ serverTime }) => serverTime),
            11,
          )}${pad(
            middle(({ databaseTime }) => databaseTime),
            8,
          )}${pad(ours ? ratio.toFixed(2) : '1', 8)}${pad(ours ? `${Math.min(...byRound).toFixed(2)}–${Math.max(...byRound).toFixed(2)}` : '', 14)}`,
        );
      }
    }
    if (values.json) console.log(`\n${JSON.stringify({ ratios })}`);
  } finally {
    await Promise.all(children.map(stopContender));
    for (const close of closing.reverse()) await close();
  }
};

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
