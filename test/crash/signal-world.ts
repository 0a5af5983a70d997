import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type DevelopmentIssuer, openDevelopmentIssuer } from '../../src/development/issuer/development-issuer';
import { freePort } from '../support/mariadb';
import { PrivateCa } from '../support/private-ca';
import { type CrashDatabase, type Engine, openDatabase } from './crash-database';
import type { FaultProxy } from './fault-proxy';
import { GatewayProcess } from './gateway-process';
import { secretOf, sendSignals } from './send-signals';

/** Every rule in force, and few customers a busy hour already. */
const rulesInForce = (): string => {
  const text = readFileSync('schema/rules.yaml', 'utf8');
  const on = text.replace(/^( {4}mode:) \w+/gm, '$1 ON').replace(/(agent-breadth:[\s\S]*?customers:) \d+/, '$1 4');
  if (/mode: (SHADOW|OFF)/.test(on) || !on.includes('customers: 4')) throw new Error('schema/rules.yaml reads otherwise by now');
  return on;
};

export interface Told {
  readonly id: string;
  readonly body: string;
}

/**
 * A gateway on either engine that may be killed at any moment, those who send it signals, and an endpoint that it tells of alerts and brakes.
 * On MariaDB a proxy stands before the database, so that a test can strike between two statements.
 */
export class SignalWorld {
  private readonly closing: (() => unknown)[] = [];
  private issuer!: DevelopmentIssuer;
  private endpoint!: AddressInfo;
  gateway!: GatewayProcess;
  toDatabase: FaultProxy | null = null;
  /** What the endpoint was sent, in the order of arrival. */
  readonly told: Told[] = [];
  /** The latest place of the log when the sources were loaded. */
  loadedAt = 0;
  /** How the endpoint answers: a status, or null for cutting the connection off. */
  answer: () => number | null = () => 204;
  private readonly environment: Record<string, string> = {};
  query!: CrashDatabase['query'];
  /** Writes to the database while no gateway runs. */
  write!: CrashDatabase['write'];

  static async start(engine: Engine): Promise<SignalWorld> {
    const world = new SignalWorld();
    try {
      await world.open(engine);
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const close of this.closing.reverse()) await close();
  }

  /** The environment that commands beside the gateway run in. */
  get commandEnvironment(): Readonly<Record<string, string>> {
    const { PATH = '', HOME = '' } = process.env;
    return { PATH, HOME, ...this.environment };
  }

  /** Sends signals as a shop or a desk does. Null where no answer came within so many milliseconds. */
  send(source: string, signals: readonly object[], patience: number): Promise<number | null> {
    return sendSignals(this.gateway.address, source, signals, patience);
  }

  /** What an operation was answered, and for what it was refused; null while the gateway is down. */
  async graph(
    user: string,
    query: string,
    variables: Readonly<Record<string, unknown>> = {},
    // biome-ignore lint/suspicious/noExplicitAny: an answer is as shaped as its query
  ): Promise<{ readonly data: any; readonly refused: readonly string[] } | null> {
    try {
      const response = await fetch(`${this.gateway.address}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await this.issuer.issue(user)}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.timeout(5_000),
      });
      const { data, errors = [] } = (await response.json()) as {
        data: unknown;
        errors?: { extensions: { code: string; reason?: string } }[];
      };
      return { data, refused: errors.map(({ extensions: { code, reason } }) => reason ?? code) };
    } catch {
      return null;
    }
  }

  /** Kills nothing any more, and lets everything come to its end. What a killed process had leased is free. */
  async drain(): Promise<void> {
    this.answer = () => 204;
    for (let tries = 0; tries < 3; tries += 1) {
      await this.gateway.stop();
      for (const jobs of ['webhook_delivery', 'payment_hold_job', 'risk_outreach_job'])
        await this.write(`UPDATE ${jobs} SET lease_until = 0 WHERE state = 'PENDING' AND lease_until IS NOT NULL`);
      await this.write("UPDATE webhook_delivery SET next_at = 0 WHERE state = 'PENDING'");
      await this.write("UPDATE risk_outreach_job SET next_at = 0 WHERE state = 'PENDING'");
      await this.write("UPDATE payment_hold_job SET next_at = 0 WHERE state = 'PENDING' AND attempts > 0");
      await this.gateway.startAgain();
      for (const late = Date.now() + 40_000; Date.now() < late; await pause(250)) if (await this.isAtRest()) return;
    }
    throw new Error(`it doesn’t come to rest: ${JSON.stringify(this.waiting)}\n${this.gateway.said.join('')}`);
  }

  private quiet = 0;
  private waiting: Readonly<Record<string, number>> | undefined;
  /** Everything was read, placed and sent, and two looks later it still is. */
  private async isAtRest(): Promise<boolean> {
    const [row] = await this.query<Readonly<Record<string, number>>>(
      `SELECT (SELECT COALESCE(SUM(signals), 0) FROM risk_feed_batch) AS pending, (SELECT COUNT(*) FROM audit_pending) AS leaves,
              (SELECT MAX(position) FROM risk_feed) - (SELECT position FROM risk_consumer WHERE name = 'rules') AS unread,
              (SELECT MAX(leaf_index) + 1 FROM audit_leaf) - (SELECT position FROM risk_consumer WHERE name = 'log') AS unseen,
              (SELECT MAX(leaf_index) + 1 FROM audit_leaf) - (SELECT position FROM webhook_endpoint) AS untold,
              (SELECT COUNT(*) FROM webhook_delivery WHERE state = 'PENDING') AS unsent,
              (SELECT COUNT(*) FROM risk_outreach_job WHERE state = 'PENDING') AS unopened,
              (SELECT COUNT(*) FROM payment_hold WHERE state IN ('PLACING', 'RELEASING')) AS unplaced`,
    );
    this.waiting = row;
    const isDone = row !== undefined && Object.values(row).every((count) => Number(count) === 0);
    this.quiet = isDone ? this.quiet + 1 : 0;
    return this.quiet > 2;
  }

  private async open(engine: Engine): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'counterfoil-crash-signals-'));
    this.closing.push(() => rmSync(folder, { recursive: true, force: true }));
    const ca = new PrivateCa();
    this.closing.push(() => ca.remove());
    await this.listen(ca.issue('DNS:localhost'));
    const { url: databaseUrl, toDatabase, query, write } = await openDatabase(engine, folder, this.closing);
    Object.assign(this, { toDatabase, query, write });
    const port = await freePort();
    writeFileSync(
      join(folder, 'counterfoil.yaml'),
      JSON.stringify({
        sources: {
          helpdesk: [{ kind: 'demo', name: 'demo' }],
          payments: [{ kind: 'demo', name: 'demo-pay', helpdesk: 'demo' }],
        },
        signals: {
          sources: [
            { name: 'shop', secrets: ['${SHOP_SECRET}'], helpdesk: 'demo', payments: 'demo-pay' },
            { name: 'desk', secrets: ['${DESK_SECRET}'], helpdesk: 'demo' },
          ],
        },
        webhooks: [
          {
            name: 'pipeline',
            url: `https://localhost:${this.endpoint.port}/hook`,
            secrets: ['${PIPELINE_SECRET}'],
            networks: ['127.0.0.0/8', '::1/128'],
            ca: ca.file,
          },
        ],
        publicUrl: `http://127.0.0.1:${port}`,
      }),
    );
    writeFileSync(join(folder, 'rules.yaml'), rulesInForce());
    Object.assign(this.environment, {
      DATABASE_URL: databaseUrl,
      DATA_DIR: folder,
      CONFIG_FILE: join(folder, 'counterfoil.yaml'),
      RULES_FILE: join(folder, 'rules.yaml'),
      SHOP_SECRET: secretOf('shop'),
      DESK_SECRET: secretOf('desk'),
      PIPELINE_SECRET: secretOf('pipeline'),
      DEMO_SIZE: '0.05',
      RATE_LIMIT: '1000000',
    });
    this.gateway = new GatewayProcess(port, this.environment);
    this.closing.push(() => this.gateway.stop());
    await this.gateway.start();
    this.issuer = await openDevelopmentIssuer(folder, () => new Date());
    // The first sync tells of months: what follows is told of what is loaded.
    for (let tries = 0; !(await this.isLoaded()); tries += 1) {
      if (tries > 400) throw new Error(`it doesn’t load:\n${this.gateway.said.join('')}`);
      await pause(250);
    }
    const [latest] = await this.query<{ n: number }>('SELECT MAX(leaf_index) AS n FROM audit_leaf');
    this.loadedAt = Number(latest?.n);
    this.told.length = 0;
  }

  private async isLoaded(): Promise<boolean> {
    const [tickets] = await this.query<{ n: number }>("SELECT COUNT(*) AS n FROM helpdesk_ticket WHERE reference = '1001'");
    return Number(tickets?.n) > 0 && (await this.isAtRest());
  }

  private async listen({ key, cert }: { readonly key: string; readonly cert: string }): Promise<void> {
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('error', () => {});
      request.on('end', () => {
        this.told.push({ id: String(request.headers['webhook-id']), body: Buffer.concat(parts).toString('utf8') });
        const status = this.answer();
        if (status === null) request.socket.destroy();
        else response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.endpoint = server.address() as AddressInfo;
    this.closing.push(() => {
      server.closeAllConnections();
      server.close();
    });
  }
}
