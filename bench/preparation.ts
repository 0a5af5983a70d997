import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import pino from 'pino';
import { App } from '../src/app';
import type { Role } from '../src/authz/actor';
import { type LoadRequest, sendAll } from './load';
import { agentLogin, type BenchMerchant } from './merchant';
import { checkAnswer, type QueryName, requestBody } from './queries';
import { audience, configOf, connectorsOf, issuerName, type Settings } from './settings';

export const connections = 16;

export type Say = (text: string) => void;
export const say: Say = (text) => void process.stderr.write(`${text}\n`);

/** A whole number that an option gives. Throws where it is none, or smaller. */
export const whole = (text: string, name: string, smallest: number): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < smallest) throw new Error(`--${name}: expected a whole number of at least ${smallest}`);
  return value;
};

export interface Agent {
  readonly staffId: string;
  readonly token: string;
  readonly tickets: readonly string[];
}

/** The gateway takes tokens of 15 minutes at most. */
const tokenSeconds = 900;
const renewedAfter = 8 * 60_000;

/** An identity provider of the bench's own: publishes its key on this machine and signs for each agent, and for services. */
export const openIssuer = async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES256', use: 'sig' }];
  const server: Server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issue = (login: string, role: Role = 'AGENT'): Promise<string> => {
    const now = Math.floor(Date.now() / 1_000);
    return new SignJWT({
      roles: [role],
      teams: role === 'AGENT' ? ['cards'] : [],
      amr: ['pwd', 'mfa'],
      preferred_username: login,
      auth_time: now,
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'bench' })
      .setIssuer(issuerName)
      .setAudience(audience)
      .setSubject(login)
      .setIssuedAt(now)
      .setExpirationTime(now + tokenSeconds)
      .sign(privateKey);
  };
  const { port } = server.address() as AddressInfo;
  return { issue, jwksUri: `http://127.0.0.1:${port}/keys`, close: () => void server.close() };
};
export type Issuer = Awaited<ReturnType<typeof openIssuer>>;

/** What was loaded, for whoever reads the results. */
export interface Loaded {
  readonly staffIds: ReadonlyMap<string, string>;
  /** The database, in words. */
  readonly database: string;
  readonly rows: Readonly<Record<string, number>>;
}

const counted = {
  tickets: 'helpdesk_ticket',
  messages: 'helpdesk_message',
  customers: 'helpdesk_customer',
  paymentMethods: 'payment_method',
  transactions: 'payment_transaction',
} as const;

/** Fills the database through the gateway's own sync and counts what it holds. */
export const load = async (settings: Settings, merchant: BenchMerchant): Promise<Loaded> => {
  say(`loading ${merchant.customers} customers`);
  const app = await App.open({ config: configOf(settings), log: pino({ level: 'silent' }), connectors: connectorsOf(merchant) });
  const { database } = app;
  try {
    let told = performance.now();
    await app.sources.syncAll(({ phase, done, total }) => {
      if (performance.now() - told < 5_000) return;
      told = performance.now();
      say(`  ${phase}: ${done} of ${total ?? '?'}`);
    });
    const rows: Record<string, number> = {};
    for (const [name, table] of Object.entries(counted)) {
      const [row] = await database.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`);
      rows[name] = Number(row?.n ?? 0);
    }
    const staff = await database.query<{ id: string; reference: string }>('SELECT id, reference FROM helpdesk_staff');
    const staffIds = new Map(staff.map(({ id, reference }) => [reference, id]));
    if (database.engine === 'sqlite') {
      const [version] = await database.query<{ version: string }>('SELECT sqlite_version() AS version');
      return { staffIds, rows, database: `SQLite ${version?.version}, synchronous=FULL, each server a copy of its own` };
    }
    // Over a connection of its own: millions of rows take longer than the gateway waits for a read.
    const connection = await createConnection(settings.databaseUrl);
    try {
      await connection.query(`ANALYZE TABLE ${Object.values(counted).join(', ')}`);
      const [[server]] = await connection.query<RowDataPacket[]>(
        'SELECT VERSION() AS version, @@innodb_flush_log_at_trx_commit AS flush',
      );
      return { staffIds, rows, database: `MariaDB ${server?.version}, innodb_flush_log_at_trx_commit=${server?.flush}` };
    } finally {
      await connection.end();
    }
  } finally {
    await app.close();
  }
};

/** The agents, each with a token that is valid for some minutes more. */
export class Agents {
  private made: { readonly at: number; readonly agents: readonly Agent[] } | undefined;

  constructor(
    private readonly merchant: BenchMerchant,
    private readonly issuer: Issuer,
    private readonly staffIds: ReadonlyMap<string, string>,
  ) {}

  async current(): Promise<readonly Agent[]> {
    if (this.made && performance.now() - this.made.at < renewedAfter) return this.made.agents;
    const at = performance.now();
    const agents: Agent[] = [];
    for (let number = 0; number < this.merchant.agents; number += 1) {
      const login = agentLogin(number);
      const staffId = this.staffIds.get(login);
      if (staffId === undefined) throw new Error(`${login} is not among the staff`);
      agents.push({ staffId, token: await this.issuer.issue(login), tickets: this.merchant.ticketsOf(number) });
    }
    this.made = { at, agents };
    return agents;
  }
}

export const requestOf = (query: QueryName, agent: Agent, reference: string): LoadRequest => ({
  // Servers that protect nothing believe who is asked for; the gateway has a token verified and doesn't read the other header.
  headers: { authorization: `Bearer ${agent.token}`, 'x-staff': agent.staffId },
  body: requestBody(query, reference),
  check: (text) => checkAnswer(query, text, reference),
});

/** One generator a connection, each with agents of its own and so with requests that no other connection sends. */
export const generatorsOf = (query: QueryName, agents: readonly Agent[]): (() => LoadRequest)[] => {
  const perConnection = Math.floor(agents.length / connections);
  return Array.from({ length: connections }, (_, connection) => {
    const own = agents.slice(connection * perConnection, (connection + 1) * perConnection);
    const requests = own.flatMap((agent) =>
      query === 'queue' ? [requestOf(query, agent, '')] : agent.tickets.map((reference) => requestOf(query, agent, reference)),
    );
    return () => requests[randomInt(requests.length)] as LoadRequest;
  });
};

/** Opens every ticket once at a gateway, so that its assistance has begun. */
export const openTickets = async (port: number, agents: readonly Agent[]): Promise<void> => {
  say('opening every ticket once, so that its assistance has begun');
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: connections }, (_, lane) =>
      sendAll(
        port,
        agents
          .filter((_agent, index) => index % connections === lane)
          .flatMap((agent) => agent.tickets.map((reference) => requestOf('context', agent, reference))),
      ),
    ),
  );
  const opened = agents.length * (agents[0]?.tickets.length ?? 0);
  say(`  ${opened} tickets, ${Math.round(opened / ((performance.now() - begun) / 1_000))} a second`);
};
