import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { App, type AppOptions } from '../../src/app';
import type { ExposurePolicy } from '../../src/authz/policy/exposure';
import { type Config, loadConfig } from '../../src/config/load';
import { loadPolicy } from '../../src/config/policy';
import type { DemoHelpdesk } from '../../src/development/sources/demo-helpdesk';
import type { DemoPayments } from '../../src/development/sources/demo-payments';
import type { Keys } from '../../src/features/keys/keys.service';
import { servedGraph } from '../../src/features/schema';
import { createServer } from '../../src/http/server';
import { AnswerSteps } from '../../src/privacy/answer-time';
import { tamper } from './audit-log';
import { misfitOf } from './catalogued';
import { copyOf, migratedLocation, type Place } from './database';

/** A clock that stands still until a test moves it; or, where other programs say what time it is too, the real one. */
export class TestClock {
  private ahead = 0;

  constructor(private readonly isReal = false) {}

  readonly now = (): Date => new Date((this.isReal ? Date.now() : Date.UTC(2026, 8, 1, 9, 0, 0)) + this.ahead);

  forward(milliseconds: number): void {
    this.ahead += milliseconds;
  }
}

export interface GraphQLAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: an answer is as shaped as its query
  readonly data: any;
  readonly errors?: readonly { message: string; path?: readonly (string | number)[]; extensions: Record<string, unknown> }[];
}

export interface TestAppOptions {
  readonly config?: Partial<Config>;
  /** Text of a policy file in place of `schema/exposure.yaml`. */
  readonly policy?: string;
  readonly connectors?: NonNullable<AppOptions['connectors']>;
  readonly databaseDeadlines?: NonNullable<AppOptions['databaseDeadlines']>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Where the console was built; there is none unless told. */
  readonly consoleFolder?: string;
  /** The same of the verifier. */
  readonly verifierFolder?: string;
  /** Loads the sources before the test begins. */
  readonly sync?: boolean;
  /** Its clock is the real one: browsers and providers have no other. */
  readonly isNow?: boolean;
}

const testEnvironment = { NODE_ENV: 'test', DEMO_SIZE: '0.02', CONFIG_FILE: '' };

/** What decides about the rows that a first sync stores: a test that says something of its own about these gets its own sync. */
const shapes = {
  environment: /^(DEMO_|KEY_ENCRYPTION_|CONFIG_FILE$|DATA_DIR$|NODE_ENV$)/,
  config: ['database', 'dataFolder', 'demo', 'keyEncryption', 'sources', 'sync'],
};

const hasUsualRows = ({ connectors, environment = {}, config = {} }: TestAppOptions): boolean =>
  connectors === undefined &&
  !Object.keys(environment).some((name) => shapes.environment.test(name)) &&
  !Object.keys(config).some((name) => shapes.config.includes(name));

const policies = new Map<string, ExposurePolicy>();

/** The policy that a configuration asks for, read once a file of tests. Throws as the start of a gateway does. */
const policyOf = (config: Config): ExposurePolicy => {
  const embeds = config.embeds.map(({ source, signed }) => [source, signed?.kind]);
  const key = JSON.stringify([readFileSync(config.policyFile, 'utf8'), config.mfaRequired, config.channels, embeds]);
  const policy = policies.get(key) ?? loadPolicy(config.policyFile, servedGraph().classification, config);
  policies.set(key, policy);
  return policy;
};

const silent = pino({ level: 'silent' });

/** The demo merchant as its first sync stores it, with the keys it is sealed under. */
const loadedPlace = (isNow: boolean): Promise<Place> =>
  copyOf(isNow ? 'loaded-now' : 'loaded', async ({ location, folder }) => {
    const config = loadConfig({ ...testEnvironment, DATA_DIR: join(folder, 'data') });
    const app = await App.open({ config: { ...config, database: location }, log: silent, clock: new TestClock(isNow).now });
    await app.sources.syncAll();
    // Each test has its own policy and rules, and the events that they came into force.
    const areInForce = "action IN ('policy.in-force', 'rules.in-force')";
    await tamper(app.database, `DELETE FROM audit_pending WHERE event_id IN (SELECT id FROM audit_event WHERE ${areInForce})`);
    await tamper(app.database, `DELETE FROM audit_event WHERE ${areInForce}`);
    await tamper(app.database, 'DELETE FROM policy_version');
    await app.close();
  });

/** The whole gateway on an empty database of the engine under test, with the demo merchant unless told otherwise, its clock in the test's hand, driven through its HTTP interface. */
export class TestApp {
  readonly clock: TestClock;
  readonly logLines: string[] = [];
  readonly statements: string[] = [];
  app!: App;
  server!: FastifyInstance;
  private folder = '';
  private open!: () => Promise<App>;
  private consoleFolder: string | undefined;
  private verifierFolder: string | undefined;
  private remove: () => Promise<void> = async () => {};

  private constructor(isNow: boolean) {
    this.clock = new TestClock(isNow);
  }

  static async start(options: TestAppOptions = {}): Promise<TestApp> {
    const { isNow = false } = options;
    const test = new TestApp(isNow);
    const needsSync = (options.sync ?? true) && !hasUsualRows(options);
    const { location, folder, remove } = await ((options.sync ?? true) && !needsSync ? loadedPlace(isNow) : migratedLocation());
    test.folder = folder;
    test.consoleFolder = options.consoleFolder;
    test.verifierFolder = options.verifierFolder;
    test.remove = remove;
    const environment = { ...testEnvironment, DATA_DIR: join(folder, 'data'), ...options.environment };
    let config: Config = { ...loadConfig(environment), database: location, databasePool: 5, ...options.config };
    if (options.policy !== undefined) {
      mkdirSync(folder, { recursive: true });
      const policyFile = join(folder, 'exposure.yaml');
      writeFileSync(policyFile, options.policy);
      config = { ...config, policyFile };
    }
    const log = pino(
      { level: 'debug', base: null },
      new Writable({
        write: (chunk, _encoding, done) => {
          test.logLines.push(String(chunk));
          done();
        },
      }),
    );
    test.open = () =>
      App.open({
        config,
        policy: policyOf(config),
        log,
        clock: test.clock.now,
        answerSteps: new AnswerSteps(5),
        onStatement: (sql) => test.statements.push(sql),
        ...(options.databaseDeadlines === undefined ? {} : { databaseDeadlines: options.databaseDeadlines }),
        ...(options.connectors ? { connectors: options.connectors } : {}),
      });
    test.app = await test.open();
    if (needsSync) await test.app.sources.syncAll();
    test.server = await createServer(test.app, undefined, test.consoleFolder, test.verifierFolder);
    await test.server.ready();
    return test;
  }

  /** Stops the gateway and starts it anew on the same database. */
  async restart(): Promise<void> {
    await this.server.close();
    this.app = await this.open();
    this.server = await createServer(this.app, undefined, this.consoleFolder, this.verifierFolder);
    await this.server.ready();
  }

  /** A second gateway on the same database, as a replica is; MariaDB only. The caller closes it. */
  replica(): Promise<App> {
    return this.open();
  }

  get keys(): Keys {
    return (Reflect.get(this.app.services.tickets, 'parts') as { readonly keys: Keys }).keys;
  }

  /** The demo helpdesk behind the source `demo`, whose tickets a test may change. */
  get helpdesk(): DemoHelpdesk {
    return this.app.sources.helpdesk('demo').connector as DemoHelpdesk;
  }

  get payments(): DemoPayments {
    return this.app.sources.paymentsSource('demo-pay').connector as DemoPayments;
  }

  token(
    user: string,
    options: { mfa?: boolean; authenticatedAt?: Date; sessionId?: string; device?: string; boundTo?: string } = {},
  ): Promise<string> {
    if (!this.app.development?.issuer) throw new Error('this app has no development issuer');
    return this.app.development?.issuer.issue(user, options);
  }

  /** Runs an operation as one of the demo people (with a second factor), or with a token of one's own (`{ token }`). */
  async as(
    who: string | { readonly token: string },
    query: string,
    variables: Record<string, unknown> = {},
  ): Promise<GraphQLAnswer> {
    const token = typeof who === 'string' ? await this.token(who) : who.token;
    const response = await this.server.inject({
      method: 'POST',
      url: '/graphql',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      payload: JSON.stringify({ query, variables }),
    });
    return { status: response.statusCode, ...(response.json() as Omit<GraphQLAnswer, 'status'>) };
  }

  /** Audit events in their order, newest last, as their leaves have them. */
  async events(action?: string): Promise<Record<string, unknown>[]> {
    const rows = await this.app.database.query<{ leaf: Buffer }>(
      `SELECT leaf FROM audit_event ${action ? 'WHERE action = ?' : ''} ORDER BY at, id, ordinal`,
      action ? [action] : [],
    );
    const events = rows.map(({ leaf }) => JSON.parse(leaf.toString('utf8')) as Record<string, unknown>);
    const misfits = events.map(misfitOf).filter((misfit) => misfit !== null);
    if (misfits.length > 0) throw new Error(`the log says what it can't say: ${[...new Set(misfits)].join('; ')}`);
    return events;
  }

  async stop(): Promise<void> {
    await this.server.close();
    await this.remove();
  }

  get dataFolder(): string {
    return this.folder;
  }
}
