import 'reflect-metadata';
import './deferred';
import type { GraphQLSchema } from 'graphql';
import type { Logger } from 'pino';
import type { SignedInActor } from './authz/actor';
import type { ExposurePolicy } from './authz/policy/exposure';
import { Loop } from './background/loop';
import type { Config } from './config/load';
import { loadPolicy } from './config/policy';
import { loadRules } from './config/rules';
import type { Database } from './db/database';
import type { Development } from './development/sites/development';
import type { Actors } from './features/actors/actors.service';
import { createActors } from './features/actors/actors.slice';
import { createAsked } from './features/asked';
import { createAssistance } from './features/assistance/assistance.slice';
import { createAudit } from './features/audit/audit.slice';
import { createBrowsers } from './features/browsers';
import type { Core } from './features/core';
import { createCustomers } from './features/customers/customers.slice';
import { createDisclosures } from './features/disclosures/disclosures.slice';
import { createExposure } from './features/exposure/exposure.slice';
import { recordPolicy } from './features/exposure/policy-in-force';
import { KeysLoader } from './features/keys/keys.loader';
import type { Loading } from './features/loading';
import type { Operations } from './features/operations/operations.service';
import { createOperations } from './features/operations/operations.slice';
import { createPayments } from './features/payments/payments.slice';
import { type RequestContext, RequestOf, type Services } from './features/request';
import { createRisk } from './features/risk';
import { detachedGraph, servedGraph } from './features/schema';
import type { GivenConnectors } from './features/sources/connectors';
import type { Sources } from './features/sources/sources.service';
import { createSources } from './features/sources/sources.slice';
import { createTickets } from './features/tickets/tickets.slice';
import { Admission } from './graphql/admission';
import { Cursors } from './graphql/cursor';
import { unexpectedMessage } from './graphql/errors';
import { ProtectedExecutor } from './graphql/executor';
import { RequestAccess } from './graphql/request-access';
import { openLogWatch, openSigningLog } from './ledger/open-signing-log';
import type { SigningLog } from './ledger/signing-log';
import type { TailWatch } from './ledger/tail-watch';
import { describeError, reportFault } from './log';
import { AnswerSteps } from './privacy/answer-time';
import { openStorage, type StorageOptions } from './storage';
import type { DeliveryChannels } from './upstream/delivery/delivery.port';
import { deliveryChannels } from './upstream/delivery/delivery-channels';

const developments = () => require('./development/sites/development') as typeof import('./development/sites/development');

/** Root fields by which one thing is looked up, with the assistances that it takes. */
const confirming: ReadonlySet<string> = new Set(['ticket', 'ticketByReference', 'customer', 'transaction']);

export interface AppOptions extends StorageOptions {
  /** Takes the place of a configured connector, by source name; for tests that simulate a fault. */
  readonly connectors?: GivenConnectors;
  /** What the policy file says, for tests that open many; otherwise it is read. */
  readonly policy?: ExposurePolicy;
  /** Shorter ones, for tests that wait for many. */
  readonly answerSteps?: AnswerSteps;
}

/** What a running gateway is made of. */
interface AppParts {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: () => Date;
  readonly database: Database;
  readonly services: Services;
  readonly risk: Awaited<ReturnType<typeof createRisk>>;
  readonly browsers: ReturnType<typeof createBrowsers>;
  readonly asked: ReturnType<typeof createAsked>;
  readonly sources: Sources;
  readonly actors: Actors;
  readonly record: ReturnType<typeof createDisclosures>;
  readonly operations: Operations;
  readonly executor: ProtectedExecutor<RequestContext>;
  readonly admission: Admission;
  readonly schema: GraphQLSchema;
  readonly development: Development | null;
  readonly signingLog: SigningLog | null;
  readonly logWatch: TailWatch | null;
  readonly contextOf: (actor: SignedInActor, requestId: string, isRegistered: boolean) => RequestContext;
  readonly channels: DeliveryChannels;
  readonly publicAddress: { url: string };
  readonly answerSteps: AnswerSteps;
  /** What slices do again and again: end what has expired, take over what other processes wrote. */
  readonly recurring: readonly (() => Promise<unknown>)[];
}

/** The gateway, wired: the one place where parts meet. `start` begins to follow the sources, `close` finishes what is under way. */
export class App {
  private readonly loops: Loop[] = [];
  readonly config = this.parts.config;
  readonly log = this.parts.log;
  readonly clock = this.parts.clock;
  readonly database = this.parts.database;
  readonly services = this.parts.services;
  readonly signIn = this.parts.browsers.signIn;
  readonly embeds = this.parts.browsers.embeds;
  readonly signals = this.parts.risk.signals;
  readonly webhooks = this.parts.risk.webhooks;
  readonly asked = this.parts.asked;
  readonly deadlines = this.parts.risk.deadlines;
  readonly outreachJobs = this.parts.risk.outreachJobs;
  readonly sessionUses = this.parts.risk.sessionUses;
  readonly sources = this.parts.sources;
  readonly actors = this.parts.actors;
  readonly denials = this.parts.record.denials;
  readonly operations = this.parts.operations;
  readonly executor = this.parts.executor;
  readonly admission = this.parts.admission;
  readonly schema = this.parts.schema;
  readonly answerSteps = this.parts.answerSteps;
  readonly development = this.parts.development;
  /** Null where another process signs the log. */
  readonly signingLog = this.parts.signingLog;

  private constructor(private readonly parts: AppParts) {}

  /** Where links lead to: as configured, otherwise where it listens. */
  get publicUrl(): string {
    return this.parts.publicAddress.url;
  }

  /** Told once it listens: the port may have been any free one. */
  listensAt(address: string): void {
    if (this.config.publicUrl === null) this.parts.publicAddress.url = address;
  }

  static async open({ connectors = {}, policy: loaded, answerSteps = new AnswerSteps(), ...options }: AppOptions): Promise<App> {
    const { config, log, clock = () => new Date() } = options;
    const { schema, fields, classification } = servedGraph();
    const policy = loaded ?? loadPolicy(config.policyFile, classification, config);
    const development = config.developmentIssuer ? await developments().openDevelopment(config.dataFolder, clock) : null;
    const storage = await openStorage({ clock, ...options });
    const { database, keys } = storage;
    try {
      await recordPolicy(database, policy);
      const publicAddress = { url: config.publicUrl ?? `http://${config.host}:${config.port}` };
      const core: Core = {
        ...storage,
        cursors: new Cursors(keys.cursorKey),
        policy,
        answerSteps,
        publicUrl: () => publicAddress.url,
      };
      const maximumAge = {
        assignment: config.sync.assignmentBoundSeconds * 1_000,
        payments: config.sync.paymentsBoundSeconds * 1_000,
      };
      const issuers = [...config.issuers, ...(development ? [development.issuer.issuerOptions()] : [])];
      const sources = await createSources(core, config, connectors);
      const assistance = createAssistance(core, { sources, maximumAge: maximumAge.assignment });
      const assistances = assistance.service;
      const tickets = createTickets(core, { sources, scope: assistance.scope, maximumAge: maximumAge.assignment });
      const reached = { reach: assistance.reach, confirmedOf: (actor: SignedInActor) => assistances.confirmedOf(actor) };
      const customers = createCustomers(core, { ...reached, sources, maximumPaymentsAge: maximumAge.payments });
      const [payments, delivery] = [createPayments(core, reached), deliveryChannels(config, clock)];
      const record = createDisclosures(core);
      const risk = await createRisk(core, config, {
        assistances,
        tickets: tickets.service,
        sources,
        maximumAge: maximumAge.assignment,
        rules: loadRules(config.rulesFile),
        staffIssuers: issuers.map(({ issuer }) => issuer),
        openActors: (watched) => createActors(core, config, { issuers, ...watched }),
      });
      const browsers = createBrowsers(core, config, { actors: risk.actors, development, scope: assistance.scope });
      const asked = createAsked(core, {
        sources,
        assistances,
        tickets: tickets.service,
        scope: assistance.scope,
        holds: risk.services.holds,
        signs: risk.signs,
        delivery,
        channels: config.channels,
        updates: config.updates,
        leaseSeconds: config.updates.leaseSeconds,
        merchant: config.merchant.name,
        satisfiedFor: (reads, payerId, since) => risk.services.stepUps.satisfiedFor(reads, payerId, since),
      });
      const maskTools = { digest: (text: string) => keys.digests.pseudonym(text).replace('psn_', '') };
      const services: Services = {
        sourceReports: sources.reports,
        ...createExposure(core, { maskTools, options: config, detachedGraph }),
        ...createAudit(core, config, record.denials),
        ...asked.services,
        assistances,
        ...risk.services,
        opening: assistance.opening,
        cursors: core.cursors,
        policy,
        customers: customers.service,
        payments: payments.service,
        tickets: tickets.service,
      };
      const signingLog = await openSigningLog(config.audit, database, clock, log);
      const logWatch = await openLogWatch(config.audit, database, log);
      // More at once than twice the connections to the database would only wait for those.
      const admission = new Admission({ most: 2 * config.databasePool, waits: sources.waits });
      const executor = new ProtectedExecutor<RequestContext>(
        {
          schema,
          fields,
          classification,
          policy,
          maskTools,
          limits: config.limits,
          tellUnexpected: unexpectedMessage(config.production),
          admission,
        },
        {
          loadAssistances: async ({ actor, access }, rootFields) => {
            // Each of these sees to what it needs: whoever opens a ticket gets their assistance on it with its row, and of a customer
            // whom no assistance covers nobody is asked.
            if (rootFields.every((field) => confirming.has(field))) return;
            access.grantAll(await assistances.confirmedOf(actor));
          },
          recordShowing: ({ actor, access }, plan, operation) => record.recordShowing(actor, access, plan, operation),
          recordDenials: ({ actor }, found) => record.denials.record(found.map((attempt) => ({ actor, ...attempt }))),
          expectWhereAsked: ({ actor }, calls) => browsers.reach.expect(actor, calls),
          onFault: ({ requestId }, error) => reportFault(log, requestId, error),
        },
      );
      const contextOf = (actor: SignedInActor, requestId: string, isRegistered: boolean): RequestContext => {
        const running = { access: new RequestAccess(new Map(), maskTools) };
        const loading: Loading = {
          keys: new KeysLoader(database),
          fields: () => running.access.fields,
          work: () => running.access.work,
        };
        const loaders = {
          alerts: risk.alerts.loader(actor),
          assistances: assistance.loader(actor, loading),
          ...asked.loaders(actor, loading),
          customers: customers.loader(loading),
          holds: risk.holds.loader(actor),
          payments: payments.loader(loading),
          tickets: tickets.loader(loading),
        };
        return new RequestOf({ actor, requestId, isRegistered, services, loaders, running });
      };
      return new App({
        config,
        log,
        clock,
        database,
        services,
        risk,
        asked,
        sources,
        actors: risk.actors,
        record,
        operations: createOperations(core, config),
        executor,
        admission,
        schema,
        development,
        signingLog,
        logWatch,
        contextOf,
        channels: delivery,
        publicAddress,
        answerSteps,
        browsers,
        recurring: [assistance, asked, risk, browsers].flatMap<() => Promise<unknown>>((slice) => slice.recurring),
      });
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /** What a request of this actor runs in. */
  context(actor: SignedInActor, requestId: string, isRegistered = false): RequestContext {
    return this.parts.contextOf(actor, requestId, isRegistered);
  }

  /** Follows the sources and ends what has expired, until `close`. */
  start(): void {
    this.sources.start();
    this.signingLog?.start();
    this.parts.logWatch?.start();
    void this.sources.unprotectedLinkFields().then((fields) => {
      for (const { source, why } of fields)
        this.log.warn({ source, why }, 'the link field is not protected from agents, so it links nobody');
    });
    const every = (milliseconds: number, turn: () => Promise<unknown>) => {
      const onFault = (error: unknown) => this.log.error({ error: describeError(error) }, 'a job failed');
      this.loops.push(new Loop({ turn, every: milliseconds, onFault }));
    };
    for (const turn of this.parts.recurring) every(5_000, turn);
    for (const loop of this.loops) loop.start();
    this.parts.risk.start();
    this.asked.start();
    this.services.auditScrub.start();
  }

  /** Finishes what is under way: polls, disclosures, counted denials, writes. */
  async close(): Promise<void> {
    // Together: what a loop waits for at a source ends sooner where that source knows that it is to stop.
    await Promise.all(
      [...this.loops, this.parts.risk, this.asked, this.services.auditScrub, this.sources].map((each) => each.stop()),
    );
    await this.development?.close();
    await this.parts.channels.mail?.close();
    await this.parts.record.close();
    await this.parts.risk.close();
    await this.signingLog?.stop();
    await this.parts.logWatch?.stop();
    await this.database.close();
  }
}
