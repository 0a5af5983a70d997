import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { createConnection } from 'mysql2/promise';
import pino from 'pino';
import { App } from '../../src/app';
import type { IssuerConfiguration } from '../../src/authz/identity/token-verifier';
import { loadConfig } from '../../src/config/load';
import { Database } from '../../src/db/database';
import { parseDatabaseUrl } from '../../src/db/location';
import { createServer } from '../../src/http/server';
import { grantStatements } from '../../src/ledger/grants';
import type { GraphQLAnswer } from '../support/app';
import { databaseParts, temporaryLocation } from '../support/database';
import { urlOf } from '../support/database-url';
import type { RtConnection } from './rt';

/** What a gateway of these suites is given. Times are real: pauses and bounds in seconds. */
export interface RealGatewayOptions {
  readonly rt: RtConnection;
  readonly rtToken: string;
  readonly stripe: { readonly port: number; readonly apiKey: string; readonly webhookSecret: string };
  /** Port on 127.0.0.1 to listen on, a free one unless told otherwise. RT finds the gateway on its webhooks' port only. */
  readonly port?: number;
  readonly pollSeconds: number;
  readonly assignmentBoundSeconds: number;
  /** Identity providers in place of the development issuer. */
  readonly issuers?: readonly IssuerConfiguration[];
  /** `none`: it is handed over while it reads its sources for the first time, and answers with what it has; otherwise once it has read them. */
  readonly patience?: 'none';
}

const configuration = ({ rt, stripe, pollSeconds, assignmentBoundSeconds, patience }: RealGatewayOptions): string => `
sources:
  helpdesk:
    - kind: rt
      name: rt
      url: ${rt.url}
      token: \${RT_TOKEN}
      webhookSecret: \${RT_WEBHOOK_SECRET}
      queues: [Cards, Wallets]
      teams: { Cards: cards, Wallets: wallets }
      customerField: { name: Payment Customer, writers: [billing] }
      resilience: { breakFor: 1000 }
  payments:
    - kind: stripe
      name: stripe
      apiKey: \${STRIPE_KEY}
      webhookSecret: \${STRIPE_WEBHOOK_SECRET}
      url: http://127.0.0.1:${stripe.port}
sync:
  windowDays: 30
  pollSeconds: ${pollSeconds}
  assignmentBoundSeconds: ${assignmentBoundSeconds}
  openSeconds: 30
${patience === 'none' ? '' : '  readThroughSeconds: 30\n'}`;

/** The URL of an everyday account that may do what `doctor --print-grants` prints for it, on a database that another one migrated. */
const withEverydayRights = async (url: string): Promise<{ url: string; drop: () => Promise<void> }> => {
  const migrated = await Database.open(parseDatabaseUrl(url), databaseParts);
  const tables = migrated.tables();
  await migrated.close();
  const everyday = new URL(url);
  const database = everyday.pathname.slice(1);
  everyday.username = database;
  everyday.password = 'everyday';
  const run = async (...statements: readonly string[]) => {
    const connection = await createConnection(url);
    for (const statement of statements) await connection.query(statement);
    await connection.end();
  };
  await run(
    `CREATE USER '${everyday.username}'@'%' IDENTIFIED BY '${everyday.password}'`,
    ...grantStatements(database, tables, [{ account: `'${everyday.username}'@'%'`, role: 'sequencing gateway' }]),
  );
  return { url: everyday.href, drop: () => run(`DROP USER '${everyday.username}'@'%'`) };
};

/** Resolves once the condition holds; rejects with `what` after a minute, or as many milliseconds as are given. */
export const until = async (what: string, condition: () => boolean | Promise<boolean>, patience = 60_000): Promise<void> => {
  const deadline = performance.now() + patience;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`it did not happen in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

/** The whole gateway as an operator runs it, with a configuration file, a listening port and the machine's clock. */
export class RealGateway {
  readonly logLines: string[] = [];

  private constructor(
    readonly app: App,
    readonly url: string,
    private readonly server: FastifyInstance,
    private readonly remove: () => Promise<void>,
    lines: string[],
  ) {
    this.logLines = lines;
  }

  static async start(options: RealGatewayOptions): Promise<RealGateway> {
    const { location, folder, remove } = await temporaryLocation();
    const everyday = location.engine === 'mariadb' ? await withEverydayRights(urlOf(location)) : null;
    const file = join(folder, 'counterfoil.yaml');
    writeFileSync(file, configuration(options));
    const loaded = loadConfig({
      NODE_ENV: 'test',
      PORT: String(options.port ?? 0),
      DATA_DIR: join(folder, 'keys'),
      DATABASE_URL: everyday?.url ?? urlOf(location),
      CONFIG_FILE: file,
      RT_TOKEN: options.rtToken,
      RT_WEBHOOK_SECRET: options.rt.webhookSecret,
      STRIPE_KEY: options.stripe.apiKey,
      STRIPE_WEBHOOK_SECRET: options.stripe.webhookSecret,
    });
    const config = options.issuers ? { ...loaded, issuers: options.issuers, rateLimit: 100_000 } : loaded;
    const lines: string[] = [];
    const sink = new Writable({
      write: (chunk, _encoding, done) => {
        lines.push(String(chunk));
        done();
      },
    });
    const app = await App.open({ config, log: pino({ level: 'debug', base: null }, sink) });
    const server = await createServer(app);
    app.start();
    const url = await server.listen({ host: config.host, port: config.port });
    const gateway = new RealGateway(app, url, server, () => (everyday?.drop() ?? Promise.resolve()).then(remove), lines);
    if (options.patience !== 'none')
      await until('both sources are read to their end', async () =>
        (await app.sources.health()).every(({ polledAt }) => polledAt !== null),
      );
    return gateway;
  }

  /** Runs an operation as one of the development issuer's people, over HTTP, with a second factor. */
  async as(user: string, query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<GraphQLAnswer> {
    if (!this.app.development?.issuer) throw new Error('this gateway has no development issuer');
    return this.ask(await this.app.development?.issuer.issue(user), query, variables);
  }

  /** Runs an operation under this token, over HTTP. */
  async ask(token: string, query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<GraphQLAnswer> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    return { status: response.status, ...((await response.json()) as Omit<GraphQLAnswer, 'status'>) };
  }

  /** Waits until the gateway has stored what RT says of the ticket now. The look at RT for the comparison stores nothing. */
  async hasRead(reference: string): Promise<void> {
    const current = await this.app.sources.helpdesk('rt').connector.fetchTicket(reference);
    await until(`ticket ${reference} is stored as RT has it`, async () => {
      const [stored] = await this.app.database.query<{ revision: number }>(
        "SELECT revision FROM helpdesk_ticket WHERE source = 'rt' AND reference = ?",
        [reference],
      );
      return stored !== undefined && current !== null && Number(stored.revision) >= current.ticket.revision;
    });
  }

  async stop(): Promise<void> {
    await this.server.close();
    await this.remove();
  }
}
