import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import { SMTPServer } from 'smtp-server';
import { type DevelopmentIssuer, openDevelopmentIssuer } from '../../src/development/issuer/development-issuer';
import { freePort } from '../support/mariadb';
import { StripeShapedServer } from '../support/stripe-shaped-server';
import { type CrashDatabase, type Engine, openDatabase } from './crash-database';
import { FaultProxy } from './fault-proxy';
import { GatewayProcess } from './gateway-process';

const webhookSecret = 'whsec_of_the_crash_tests';

/** A customer with an open ticket of Ana's, at both sides. */
export interface Person {
  readonly ticketId: string;
  readonly ticketReference: string;
  /** Stripe's reference. */
  readonly payer: string;
  readonly email: string;
  readonly phone: string;
}

/** What a world is beside the usual one. */
export interface WorldOptions {
  readonly engine?: Engine;
  readonly gateways?: number;
  readonly people?: number;
  /** Of the demo helpdesk, from 0 to 1. */
  readonly size?: number;
  /** Of the configuration, what there is beside or instead. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The same of the payments source. */
  readonly payments?: Readonly<Record<string, unknown>>;
  /** The same of the environment. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly rules?: string;
  readonly policy?: (text: string) => string;
  /** Every contact is old enough to be relied on, or every second one. */
  readonly knownContacts?: 'all' | 'half';
  /** Makes what a customer has at the provider. */
  readonly furnish?: (provider: StripeShapedServer, payer: string) => unknown;
}

export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: an answer is as shaped as its query
  readonly data: any;
  readonly errors?: readonly { readonly extensions: Readonly<Record<string, unknown>> }[];
}

/** When one of the servers around the gateway has something to say about a request, before it answers. */
export interface Moments {
  /** After the mail server has the whole message and before it says so. */
  onMail: () => void;
  /** After it has said so. */
  onMailTaken: () => void;
  /** After the short message gateway has the message and before it says so. */
  onShortMessage: () => void;
}

/**
 * A gateway and everything around it, each a real server of its own: MariaDB (or the embedded database), a mail server, an HTTP gateway for short
 * messages, a provider with Stripe's interface. Between gateway and database, and between gateway and provider, stand
 * proxies that a test tells what to let pass.
 */
export class World {
  readonly moments: Moments = { onMail: () => {}, onMailTaken: () => {}, onShortMessage: () => {} };
  private readonly mails = new Map<string, string[]>();
  private readonly codes = new Map<string, string>();
  private readonly closing: (() => unknown)[] = [];
  provider!: StripeShapedServer;
  toProvider!: FaultProxy;
  /** Null on the embedded engine. */
  toDatabase: FaultProxy | null = null;
  /** See `CrashDatabase`. */
  log: string | null = null;
  query!: CrashDatabase['query'];
  write!: CrashDatabase['write'];
  /** What commands beside the gateway run with. */
  environment: Readonly<Record<string, string>> = {};
  gateways: GatewayProcess[] = [];
  /** On MariaDB alone. */
  database!: Connection;
  people: readonly Person[] = [];
  private issuer!: DevelopmentIssuer;

  static async start(options: WorldOptions = {}): Promise<World> {
    const world = new World();
    try {
      await world.open(options);
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  /** Ends every process and server that was started, and removes their files. */
  async close(): Promise<void> {
    for (const close of this.closing.reverse()) await close();
  }

  get gateway(): GatewayProcess {
    return this.gateways[0] as GatewayProcess;
  }

  /** Runs an operation as one of the demo people; asks again, as a client does, while the gateway is down. */
  async graph(user: string, query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    for (let tries = 0; ; tries += 1) {
      try {
        const response = await fetch(`${this.gateway.address}/graphql`, {
          method: 'POST',
          headers: { authorization: `Bearer ${await this.issuer.issue(user)}`, 'content-type': 'application/json' },
          body: JSON.stringify({ query, variables }),
          signal: AbortSignal.timeout(10_000),
        });
        const answer = (await response.json()) as Answer;
        const codes = (answer.errors ?? []).map(({ extensions }) => extensions.code);
        // What a killed database connection or a provider that is cut off leads to passes.
        if (!codes.some((code) => ['INTERNAL', 'UPSTREAM_UNAVAILABLE', 'RECORD_UNAVAILABLE'].includes(String(code))))
          return answer;
      } catch {
        // Killed in the middle of it.
      }
      if (tries > 600) throw new Error(`no answer:\n${this.gateway.said.join('')}`);
      await pause(50);
    }
  }

  /** The customer's browser: status and page; null while the gateway is down. */
  async page(
    path: string,
    form?: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly html: string } | null> {
    try {
      const response = await fetch(`${this.gateway.address}${path}`, {
        // Each customer has an address of their own, so that none is told to slow down for the others.
        headers: { 'x-forwarded-for': `10.${[0, 1, 2].map(() => Math.floor(Math.random() * 256)).join('.')}` },
        ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
        signal: AbortSignal.timeout(10_000),
      });
      return { status: response.status, html: await response.text() };
    } catch {
      return null;
    }
  }

  /** The provider's webhook about its latest event, once: whether it arrives is not for sure in life either. */
  async webhook(type: string): Promise<void> {
    const event = this.provider.events.find((each) => each.type === type);
    if (!event) return;
    const { headers, body } = this.provider.signWebhook(event, webhookSecret, Math.floor(Date.now() / 1_000));
    await fetch(`${this.gateway.address}/webhooks/stripe`, { method: 'POST', headers, body: new Uint8Array(body) }).catch(
      () => {},
    );
  }

  /** Tokens that were mailed to an address, oldest first. */
  tokensFor({ email }: Person): readonly string[] {
    return this.mails.get(email) ?? [];
  }

  codeFor({ phone }: Person): string | undefined {
    return this.codes.get(phone);
  }

  forget({ email, phone }: Person): void {
    this.mails.delete(email);
    this.codes.delete(phone);
  }

  private async open(options: WorldOptions): Promise<void> {
    const { engine = 'mariadb', gateways = 1, people = 12, size = 0.04 } = options;
    const folder = mkdtempSync(join(tmpdir(), 'counterfoil-crash-'));
    this.closing.push(() => rmSync(folder, { recursive: true, force: true }));
    const { url: databaseUrl, connection, ...database } = await openDatabase(engine, folder, this.closing);
    Object.assign(this, database, { database: connection });
    this.provider = await StripeShapedServer.start();
    this.provider.followsClock = true;
    this.closing.push(() => this.provider.close());
    this.toProvider = await FaultProxy.start(this.provider.port);
    this.closing.push(() => this.toProvider.close());
    this.provider.hostedAt = `http://127.0.0.1:${this.provider.port}`;

    const ports = await Promise.all(Array.from({ length: gateways }, () => freePort()));
    writeFileSync(
      join(folder, 'counterfoil.yaml'),
      JSON.stringify({
        sources: {
          helpdesk: [{ kind: 'demo', name: 'demo' }],
          payments: [
            {
              kind: 'stripe',
              name: 'stripe',
              apiKey: '${STRIPE_KEY}',
              webhookSecret: '${STRIPE_WEBHOOK_SECRET}',
              url: `http://127.0.0.1:${this.toProvider.port}`,
              resilience: { attemptTimeout: 1_000, retries: 2, breakAfter: 100, breakFor: 200, concurrency: 16 },
              ...options.payments,
            },
          ],
        },
        sync: { pollSeconds: 1, assignmentBoundSeconds: 300, paymentsBoundSeconds: 1 },
        updates: { leaseSeconds: 3 },
        merchant: { name: 'Crash Shop' },
        publicUrl: `http://127.0.0.1:${ports[0]}`,
        delivery: {
          mail: {
            kind: 'smtp',
            host: '127.0.0.1',
            port: await this.mailServer(),
            tls: 'none',
            from: { address: 'shop@shop.example.com', name: 'Crash Shop' },
            timeouts: { whole: 2_000 },
          },
          sms: {
            kind: 'http',
            url: `http://127.0.0.1:${await this.shortMessageGateway()}/messages`,
            contentType: 'json',
            body: { to: '{to}', text: '{text}' },
          },
        },
        ...options.config,
      }),
    );
    const policy = readFileSync('schema/exposure.yaml', 'utf8')
      .replace(/(customersPerHour:) *\d+/, '$1 100000')
      .replace(/(perCustomerPerDay:) *\d+/, '$1 1000');
    writeFileSync(join(folder, 'exposure.yaml'), options.policy?.(policy) ?? policy);
    if (options.rules !== undefined) writeFileSync(join(folder, 'rules.yaml'), options.rules);
    this.environment = {
      DATABASE_URL: databaseUrl,
      DATA_DIR: folder,
      CONFIG_FILE: join(folder, 'counterfoil.yaml'),
      POLICY_FILE: join(folder, 'exposure.yaml'),
      ...(options.rules === undefined ? {} : { RULES_FILE: join(folder, 'rules.yaml') }),
      STRIPE_KEY: this.provider.apiKey,
      STRIPE_WEBHOOK_SECRET: webhookSecret,
      DEMO_SIZE: String(size),
      RATE_LIMIT: '1000000',
      TRUSTED_PROXIES: 'loopback',
      ...options.environment,
    };
    this.gateways = ports.map((port) => new GatewayProcess(port, this.environment));
    // The first one makes the keys and migrates; the others find both.
    for (const gateway of this.gateways) {
      this.closing.push(() => gateway.stop());
      await gateway.start();
    }
    this.issuer = await openDevelopmentIssuer(folder, () => new Date());
    await this.findPeople(people, options);
  }

  private async mailServer(): Promise<number> {
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      logger: false,
      onData: (stream, session, done) => {
        const parts: Buffer[] = [];
        stream.on('data', (part: Buffer) => parts.push(part));
        stream.on('end', () => {
          // Quoted-printable breaks long lines.
          const text = Buffer.concat(parts)
            .toString('utf8')
            .replace(/=\r?\n/g, '');
          const token = /\/confirm\/([\w-]{43})/.exec(text)?.[1];
          for (const { address } of session.envelope.rcptTo)
            if (token) this.mails.set(address, [...(this.mails.get(address) ?? []), token]);
          this.moments.onMail();
          done();
          this.moments.onMailTaken();
        });
      },
    });
    server.on('error', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.closing.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
    return (server.server.address() as AddressInfo).port;
  }

  private async shortMessageGateway(): Promise<number> {
    const server: Server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { to, text } = JSON.parse(Buffer.concat(parts).toString('utf8')) as { to: string; text: string };
        const code = /\b(\d{6})\b/.exec(text)?.[1];
        if (code) this.codes.set(to, code);
        this.moments.onShortMessage();
        response.end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.closing.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  }

  /** Ana's tickets whose customers become customers at the provider too. */
  private async findPeople(most: number, { furnish, knownContacts = 'half', engine }: WorldOptions): Promise<void> {
    const rows = await this.query<{ id: string; reference: string; customer: string }>(
      `SELECT t.id, t.reference, c.reference AS customer FROM helpdesk_ticket t JOIN helpdesk_customer c ON c.id = t.customer_id
         JOIN helpdesk_staff s ON s.id = t.assignee_id AND s.reference = 'ana'
        WHERE t.status IN ('NEW', 'OPEN', 'PENDING') AND t.created_by_id IS NULL AND t.customer_set_by_ids = '[]' ORDER BY t.id`,
    );
    const people: Person[] = [];
    const seen = new Set<string>();
    for (const { id, reference, customer } of rows) {
      if (people.length >= most) break;
      if (seen.has(customer)) continue;
      seen.add(customer);
      const number = people.length + 1;
      const email = `person${number}@people.example.com`;
      const phone = `+3532091${String(number).padStart(5, '0')}`;
      const { id: payer } = this.provider.createCustomer({ email, phone, metadata: { helpdesk_customer: `demo:${customer}` } });
      furnish?.(this.provider, payer);
      const { data } = await this.graph('ana', 'query($id: ID!) { ticket(id: $id) { assistance { state } customer { link } } }', {
        id,
      });
      if (data?.ticket?.assistance?.state !== 'LIVE' || data.ticket.customer?.link !== 'VERIFIED') {
        this.provider.deleteCustomer(payer);
        continue;
      }
      people.push({ ticketId: id, ticketReference: reference, payer, email, phone });
    }
    if (people.length < Math.min(most, 6)) throw new Error(`only ${people.length} of Ana’s tickets are fit for updates`);
    this.people = people;
    // Contacts that are old enough don't make an update high-risk; the others need code and approval.
    const payers = await this.query<{ id: string }>('SELECT id FROM payment_customer ORDER BY id');
    const known = payers.filter((_, index) => knownContacts === 'all' || index % 2 === 0).map(({ id }) => `'${id}'`);
    const isEmbedded = engine === 'sqlite';
    if (isEmbedded) await this.gateway.stop();
    await this.write(`UPDATE payment_customer SET email_seen_since = 1, phone_seen_since = 1 WHERE id IN (${known.join(', ')})`);
    if (isEmbedded) await this.gateway.startAgain();
  }
}
