import 'reflect-metadata';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { migrations } from '../migrations';
import type { SignedInActor } from './authz/actor';
import { LogoutVerifier } from './authz/identity/back-channel-logout';
import { DevelopmentIssuer, developmentAudience, developmentIssuerName } from './authz/identity/development-issuer';
import { TokenVerifier } from './authz/identity/token-verifier';
import { Loop } from './background/loop';
import { keyEncryptionOf } from './config/key-encryption';
import type { Config } from './config/load';
import { loadPolicy } from './config/policy';
import { Database } from './db/database';
import { Actors } from './features/actors/actors.service';
import { Assistances } from './features/assistance/assistance.service';
import { AssistancesLoader } from './features/assistance/assistances.loader';
import { heldBy } from './features/assistance/held';
import { AnchorUnavailable } from './features/audit/anchor';
import { AuditLog } from './features/audit/audit.service';
import { Checkpoints, type SignedCheckpoint } from './features/audit/checkpoints';
import { AuditDownloads } from './features/audit/downloads.service';
import { AuditExports } from './features/audit/exports.service';
import { LogBroken } from './features/audit/log-broken';
import { SigningLog } from './features/audit/signing-log';
import { Applying } from './features/credentials/applying.service';
import { Confirmations } from './features/credentials/confirmations.service';
import { CredentialsLoader } from './features/credentials/credentials.loader';
import { Credentials } from './features/credentials/credentials.service';
import { Deliveries } from './features/credentials/deliveries.service';
import { CredentialJobs } from './features/credentials/jobs.service';
import { CustomersLoader } from './features/customers/customers.loader';
import { Customers } from './features/customers/customers.service';
import { Denials } from './features/disclosures/denials.service';
import { disclosureOf } from './features/disclosures/disclosure';
import { Disclosures } from './features/disclosures/disclosures.service';
import { entities } from './features/entities';
import { Keys } from './features/keys/keys.service';
import { PaymentsIngest } from './features/payments/payments.ingest';
import { PaymentsLoader } from './features/payments/payments.loader';
import { Payments } from './features/payments/payments.service';
import type { RequestContext, Services } from './features/request';
import { describeGraph, protectGraph } from './features/schema';
import { Ingest } from './features/sources/ingest';
import { Sources } from './features/sources/sources.service';
import { TicketsLoader } from './features/tickets/tickets.loader';
import { Tickets } from './features/tickets/tickets.service';
import { Cursors } from './graphql/cursor';
import { unexpectedMessage } from './graphql/errors';
import { ProtectedExecutor } from './graphql/executor';
import { defaultLimits } from './graphql/limits';
import { RequestAccess } from './graphql/request-access';
import { describeError, reportFault } from './log';
import { TextRedactor } from './privacy/redaction';
import type { DeliveryChannels } from './upstream/delivery/delivery.port';
import { OutboxMail, OutboxShortMessages } from './upstream/delivery/development/outbox-files';
import { HttpShortMessages } from './upstream/delivery/sms/http.sms';
import { SmtpMail } from './upstream/delivery/smtp/smtp.mail';
import { readDemoCursor } from './upstream/demo/cursor';
import { DemoHelpdesk } from './upstream/helpdesk/demo/demo-helpdesk';
import type { HelpdeskConnector } from './upstream/helpdesk/helpdesk.port';
import { RtHelpdesk } from './upstream/helpdesk/rt/rt.connector';
import { DemoPayments } from './upstream/payments/demo/demo-payments';
import type { PaymentsConnector } from './upstream/payments/payments.port';
import { StripePayments } from './upstream/payments/stripe/stripe.connector';
import { SourceUnavailable } from './upstream/source-unavailable';

/** Where the demo provider's card pages are, under the gateway's own address. */
export const demoSetupPath = '/demo-provider/setup';

export interface AppOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly clock?: () => Date;
  /** Sees every read statement; for tests that count them. */
  readonly onStatement?: (sql: string) => void;
  /** In place of the ten seconds that a statement or a change may take on a database server; for tests that stop one. */
  readonly databaseDeadline?: number;
  /** Takes the place of a configured connector, by source name; for tests that simulate a fault. */
  readonly connectors?: Readonly<Record<string, HelpdeskConnector | PaymentsConnector>>;
}

/** The gateway, wired: the one place where parts meet. `start` begins to follow the sources, `close` finishes what is under way. */
export class App {
  private readonly loops: Loop[] = [];

  private constructor(
    readonly config: Config,
    readonly log: Logger,
    readonly database: Database,
    readonly services: Services,
    readonly sources: Sources,
    readonly actors: Actors,
    readonly executor: ProtectedExecutor<RequestContext>,
    readonly schema: ReturnType<typeof protectGraph>,
    readonly developmentIssuer: DevelopmentIssuer | null,
    /** Null where another process signs the log. */
    readonly signingLog: SigningLog | null,
    private readonly disclosures: Disclosures,
    private readonly denials: Denials,
    private readonly contextOf: (actor: SignedInActor, requestId: string) => RequestContext,
    private readonly channels: DeliveryChannels,
    private readonly publicAddress: { url: string },
    readonly clock: () => Date,
  ) {}

  /** Where links lead to: as configured, otherwise where it listens. */
  get publicUrl(): string {
    return this.publicAddress.url;
  }

  /** Told once it listens: the port may have been any free one. */
  listensAt(address: string): void {
    if (this.config.publicUrl === null) this.publicAddress.url = address;
  }

  static async open({
    config,
    log,
    clock = () => new Date(),
    onStatement,
    databaseDeadline = 10_000,
    connectors = {},
  }: AppOptions): Promise<App> {
    const graph = describeGraph();
    const policy = loadPolicy(config.policyFile, graph.classification, config);
    const encryption = keyEncryptionOf(config);
    const developmentIssuer = config.developmentIssuer
      ? await DevelopmentIssuer.open({
          keyFile: join(config.dataFolder, 'keys', 'development-issuer.json'),
          issuer: developmentIssuerName,
          audience: developmentAudience,
          clock,
        })
      : null;
    const database = await Database.open(
      config.database,
      { entities, migrations, poolSize: config.databasePool },
      { clock, deadline: databaseDeadline, ...(onStatement ? { onStatement } : {}) },
    );
    try {
      const keys = await Keys.open(database, encryption);
      await recordPolicy(database, policy.digest);
      const redactor = new TextRedactor();
      const onSourceFault = (source: string, error: unknown) =>
        log.warn(
          {
            source,
            fault: error instanceof SourceUnavailable ? error.why : 'internal',
            ...(error instanceof SourceUnavailable ? {} : { error: describeError(error) }),
          },
          'a source failed',
        );
      const publicAddress = { url: config.publicUrl ?? `http://${config.host}:${config.port}` };
      const publicUrl = () => publicAddress.url;
      const { helpdesks, payments } = await connect(config, database, clock, publicUrl, connectors, onSourceFault);
      const bounds = {
        assignment: config.sync.assignmentBoundSeconds * 1_000,
        payments: config.sync.paymentsBoundSeconds * 1_000,
      };
      const sources = new Sources(
        database,
        keys,
        new Ingest(database, keys, redactor),
        new PaymentsIngest(database, keys, redactor),
        helpdesks,
        payments,
        {
          windowDays: config.sync.windowDays,
          pollEvery: config.sync.pollSeconds * 1_000,
          assignmentBound: bounds.assignment,
          openWithin: config.sync.openSeconds * 1_000,
          paymentsWithin: config.sync.readThroughSeconds * 1_000,
        },
        clock,
        onSourceFault,
      );
      const cursors = new Cursors(keys.cursorKey);
      const assistances = new Assistances(
        database,
        keys,
        redactor,
        policy.assistance,
        { assignmentBound: bounds.assignment },
        clock,
      );
      const channels = deliveryOf(config, clock);
      const { updates } = policy;
      const { name: merchant } = config.merchant;
      const deliveries = new Deliveries(database, keys, sources, channels, updates, merchant, publicUrl);
      const applying = new Applying(database, keys, sources, updates, clock);
      const jobs = new CredentialJobs(
        database,
        {
          LINK: deliveries.link,
          NOTICE: deliveries.notice,
          OUTCOME: deliveries.outcome,
          SETUP: applying.setup,
          PROVIDER: applying.provider,
        },
        config.updates.leaseSeconds * 1_000,
        clock,
        ({ kind, updateId, fault }, error) =>
          log[fault === 'internal' ? 'error' : 'warn'](
            { job: kind, update: updateId, fault, ...(fault === 'internal' ? { error: describeError(error) } : {}) },
            'a job failed',
          ),
      );
      const checkpoints = new Checkpoints(database, config.audit.origin);
      const services: Services = {
        assistances,
        auditDownloads: new AuditDownloads(database, keys, new AuditExports(database, checkpoints), (denial) =>
          denials.record([denial]),
        ),
        auditLog: new AuditLog(database, keys, cursors, checkpoints),
        cursors,
        policy,
        jobs,
        credentials: new Credentials(
          database,
          keys,
          sources,
          assistances,
          cursors,
          updates,
          policy.scope,
          config.channels,
          jobs,
          clock,
        ),
        confirmations: new Confirmations(database, keys, sources, channels, updates, merchant, publicUrl, jobs, clock),
        customers: new Customers(database, keys, sources, bounds.payments, clock),
        payments: new Payments(database, keys, cursors, clock),
        tickets: new Tickets(database, keys, sources, assistances, cursors, policy.scope, bounds.assignment, clock),
      };
      const issuers = [...config.issuers, ...(developmentIssuer ? [await developmentIssuer.issuerOptions()] : [])];
      const trust = {
        issuers,
        clock,
        development: !config.production,
        onKeySetFault: (issuer: string, why: string) =>
          log.warn({ issuer, why }, 'the key set of an issuer could not be fetched'),
      };
      const actors = new Actors(database, keys, new TokenVerifier(trust), new LogoutVerifier(trust), config.mfaRequired, clock);
      await actors.restoreRevocations();
      const onRecordFault = (error: unknown) => log.error({ error: describeError(error) }, 'the audit log could not be written');
      const signingLog = await openSigningLog(config, database, clock, log);
      const disclosures = new Disclosures(database, clock, onRecordFault);
      const denials = new Denials(database, onRecordFault);
      const schema = protectGraph(graph);
      const maskTools = { digest: (text: string) => keys.digests.pseudonym(text).replace('psn_', '') };
      const executor = new ProtectedExecutor<RequestContext>(
        {
          schema,
          classification: graph.classification,
          policy,
          maskTools,
          limits: defaultLimits,
          tellUnexpected: unexpectedMessage(config.production),
        },
        {
          loadAssistances: async ({ actor, access }, rootFields) => {
            // Whoever opens a ticket gets what they hold on it with its row, and needs no other for what it leads to.
            if (rootFields.every((field) => field === 'ticket' || field === 'ticketByReference')) return;
            access.holdAll(await heldBy(actor, assistances, sources));
          },
          recordShowing: async ({ actor, access }, plan, operation) => {
            const disclosure = disclosureOf(actor, access, plan.digest, policy.digest, operation);
            if (disclosure) await disclosures.record(disclosure);
          },
          recordDenials: ({ actor }, found) => denials.record(found.map((attempt) => ({ actor, ...attempt }))),
          onFault: ({ requestId }, error) => reportFault(log, requestId, error),
        },
      );
      const contextOf = (actor: SignedInActor, requestId: string): RequestContext => ({
        actor,
        requestId,
        services,
        loaders: {
          assistances: new AssistancesLoader(actor, assistances, clock),
          credentials: new CredentialsLoader(actor, services.credentials, services.tickets, keys),
          customers: new CustomersLoader(database, keys, bounds.payments, clock),
          payments: new PaymentsLoader(database, keys),
          tickets: new TicketsLoader(database),
        },
        access: new RequestAccess(new Map(), maskTools),
      });
      return new App(
        config,
        log,
        database,
        services,
        sources,
        actors,
        executor,
        schema,
        developmentIssuer,
        signingLog,
        disclosures,
        denials,
        contextOf,
        channels,
        publicAddress,
        clock,
      );
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /** What a request of this actor runs in. */
  context(actor: SignedInActor, requestId: string): RequestContext {
    return this.contextOf(actor, requestId);
  }

  /** Follows the sources and ends what has expired, until `close`. */
  start(): void {
    this.sources.start();
    this.signingLog?.start();
    void this.sources.unprotectedLinkFields().then((fields) => {
      for (const { source, why } of fields)
        this.log.warn({ source, why }, 'the link field is not protected from agents, so it links nobody');
    });
    const every = (milliseconds: number, turn: () => Promise<unknown>) => {
      const onFault = (error: unknown) => this.log.error({ error: describeError(error) }, 'a job failed');
      this.loops.push(new Loop({ turn, every: milliseconds, onFault }));
    };
    every(5_000, () => this.services.assistances.expire());
    every(5_000, () => this.services.credentials.expire());
    every(5_000, () => this.actors.restoreRevocations());
    for (const loop of this.loops) loop.start();
    this.services.jobs.start();
  }

  /** Finishes what is under way: polls, disclosures, counted denials, writes. */
  async close(): Promise<void> {
    // Together: what a loop waits for at a source ends sooner where that source knows that it is to stop.
    await Promise.all([...this.loops, this.services.jobs, this.sources].map((each) => each.stop()));
    await this.channels.mail?.close();
    await this.disclosures.idle();
    await this.denials.close();
    await this.signingLog?.stop();
    await this.database.close();
  }
}

/** Each policy that came into force is an event, so that what was shown can be held against what was allowed then. */
const recordPolicy = async (database: Database, digest: string): Promise<void> => {
  const newest = "SELECT subject_id FROM audit_event WHERE subject_type = 'Policy' ORDER BY at DESC, id DESC LIMIT 1";
  await database.appendGroup(async (group) => {
    const [inForce] = await group.query<{ subject_id: string }>(newest);
    if (inForce?.subject_id === digest) return;
    group.append({
      action: 'policy.in-force',
      actor: { id: 'system:start', kind: 'system', roles: [] },
      subject: { type: 'Policy', id: digest },
    });
  });
};

/** The log as its signer has it, once what is stored was found to be what was signed before; null where another process signs. Throws `LogBroken`. */
export const openSigningLog = async (
  { audit }: Pick<Config, 'audit'>,
  database: Database,
  clock: () => Date,
  log: Logger,
  onCheckpoint?: (checkpoint: SignedCheckpoint) => void,
): Promise<SigningLog | null> => {
  if (audit.signingKey === null) return null;
  const onFault = (error: unknown) => {
    if (error instanceof LogBroken)
      log.fatal(
        { finding: error.finding, why: error.message },
        'the stored audit log is not what was signed, so nothing more is',
      );
    else if (error instanceof AnchorUnavailable)
      log.warn({ anchor: error.anchor, why: error.why }, 'an anchor took no checkpoint; it is tried again');
    else log.error({ error: describeError(error) }, 'the audit log could not be sequenced; it is tried again');
  };
  return SigningLog.open(database, {
    ...audit,
    signingKey: audit.signingKey,
    clock,
    onFault,
    ...(onCheckpoint ? { onCheckpoint } : {}),
  });
};

type Connectors = NonNullable<AppOptions['connectors']>;

const connect = async (
  config: Config,
  database: Database,
  clock: () => Date,
  publicUrl: () => string,
  given: Connectors,
  onFault: (source: string, error: unknown) => void,
) => {
  const demo = await demoSettings(config, database, clock);
  const helpdesk = (source: Config['sources']['helpdesk'][number]): HelpdeskConnector => {
    if (source.kind === 'demo') return new DemoHelpdesk({ ...demo, source: source.name, clock: { now: clock } });
    const { name } = source;
    const onSkipped = (_reference: string, fault: SourceUnavailable) => onFault(name, fault);
    return new RtHelpdesk({ ...source, source: name, windowDays: config.sync.windowDays, clock, onSkipped });
  };
  const payments = (source: Config['sources']['payments'][number]): PaymentsConnector => {
    if (source.kind === 'demo')
      return new DemoPayments({
        ...demo,
        source: source.name,
        helpdeskSource: source.helpdesk,
        clock: { now: clock },
        stateFile: join(config.dataFolder, `demo-${source.name}.json`),
        setupUrl: (reference) => `${publicUrl()}${demoSetupPath}/${reference}`,
      });
    return new StripePayments({ ...source, source: source.name, clock });
  };
  return {
    helpdesks: config.sources.helpdesk.map((source) => ({
      name: source.name,
      connector: (given[source.name] as HelpdeskConnector | undefined) ?? helpdesk(source),
      teams: source.kind === 'rt' ? source.teams : {},
    })),
    payments: config.sources.payments.map((source) => ({
      name: source.name,
      connector: (given[source.name] as PaymentsConnector | undefined) ?? payments(source),
    })),
  };
};

/** What reaches customers. Files stand in where development sends nothing; production has what it is configured for. */
export const deliveryOf = ({ production, delivery, channels }: Config, clock = () => new Date()): DeliveryChannels => {
  const files = { mail: channels.mail && !production, sms: channels.sms && !production };
  return {
    mail: delivery.mail ? new SmtpMail(delivery.mail) : files.mail ? new OutboxMail(delivery.folder, clock) : null,
    sms: delivery.sms ? new HttpShortMessages(delivery.sms) : files.sms ? new OutboxShortMessages(delivery.folder, clock) : null,
  };
};

/** A loaded demo merchant goes on with its own seed, size and day: those of today would be another merchant. */
const demoSettings = async (config: Config, database: Database, clock: () => Date) => {
  const { size, seed } = config.demo ?? { size: 1, seed: 1 };
  const [stored] = await database.query<{ position: string | null; backfill_position: string | null }>(
    "SELECT position, backfill_position FROM upstream_source WHERE kind = 'demo' AND (position IS NOT NULL OR backfill_position IS NOT NULL) ORDER BY name LIMIT 1",
  );
  const cursor = readDemoCursor(stored?.position ?? stored?.backfill_position ?? '');
  return cursor ? { seed: cursor.seed, size: cursor.size, anchor: cursor.anchor } : { seed, size, anchor: clock() };
};
