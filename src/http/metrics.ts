import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What is counted: routes, codes and durations. No label ever holds an id, a name or a value. */
export class Metrics {
  readonly registry = new Registry();

  readonly requests = new Histogram({
    name: 'counterfoil_http_request_duration_seconds',
    help: 'HTTP requests by route pattern, method and status.',
    labelNames: ['route', 'method', 'status'] as const,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [this.registry],
  });

  readonly unidentified = new Counter({
    name: 'counterfoil_unidentified_requests_total',
    help: 'Requests and connections whose sender was not identified, by what was wrong with token (token.*), proof (proof.*) or session.',
    labelNames: ['rule'] as const,
    registers: [this.registry],
  });

  readonly errors = new Counter({
    name: 'counterfoil_graphql_errors_total',
    help: 'Errors in GraphQL responses by code.',
    labelNames: ['code'] as const,
    registers: [this.registry],
  });

  readonly admitted = new Counter({
    name: 'counterfoil_requests_admitted_total',
    help: 'Requests to the graph that were let in.',
    registers: [this.registry],
  });

  readonly refused = new Counter({
    name: 'counterfoil_requests_refused_total',
    help: 'Requests to the graph that were not begun: there was too much for all (overload, 503), or their actor had too many (actor, 429).',
    labelNames: ['reason'] as const,
    registers: [this.registry],
  });

  readonly underWay = new Gauge({
    name: 'counterfoil_requests',
    help: 'Requests to the graph that go on (inside) and that wait to be let in (waiting).',
    labelNames: ['state'] as const,
    registers: [this.registry],
  });

  readonly limit = new Gauge({
    name: 'counterfoil_requests_limit',
    help: 'Requests to the graph that may go on at once, those that wait for a source not counted: as many as keep the process busy.',
    registers: [this.registry],
  });

  readonly webhooks = new Counter({
    name: 'counterfoil_webhooks_total',
    help: 'Webhooks by source and what became of them.',
    labelNames: ['source', 'outcome'] as const,
    registers: [this.registry],
  });

  readonly sourceAge = new Gauge({
    name: 'counterfoil_source_age_seconds',
    help: 'Since when a source was last read to its end.',
    labelNames: ['source'] as const,
    registers: [this.registry],
  });

  readonly unlinked = new Gauge({
    name: 'counterfoil_unlinked_customers',
    help: 'Customers of a helpdesk whose payment side is still to be looked up (waiting), and those of them at whom a source failed (set_aside).',
    labelNames: ['source', 'state'] as const,
    registers: [this.registry],
  });

  readonly textAge = new Gauge({
    name: 'counterfoil_text_age_seconds',
    help: 'How long ago the stored text of the ticket that waits longest was held against its helpdesk.',
    labelNames: ['source'] as const,
    registers: [this.registry],
  });

  readonly textsLate = new Gauge({
    name: 'counterfoil_texts_late',
    help: 'Tickets whose stored text was not held against their helpdesk for more than a day.',
    labelNames: ['source'] as const,
    registers: [this.registry],
  });

  readonly jobs = new Gauge({
    name: 'counterfoil_credential_jobs',
    help: 'Jobs of credential updates that are waiting (PENDING) or were given up (DEAD).',
    labelNames: ['kind', 'state'] as const,
    registers: [this.registry],
  });

  readonly jobFaults = new Gauge({
    name: 'counterfoil_credential_job_faults',
    help: 'Jobs of credential updates whose last try got nowhere, by why: `refused` is about our own account or settings.',
    labelNames: ['kind', 'fault'] as const,
    registers: [this.registry],
  });

  readonly outreachJobs = new Gauge({
    name: 'counterfoil_outreach_jobs',
    help: 'Tickets that rules ask for and that wait to be opened (PENDING) or were given up (DEAD), by why the last try got nowhere.',
    labelNames: ['state', 'fault'] as const,
    registers: [this.registry],
  });

  readonly holdJobs = new Gauge({
    name: 'counterfoil_hold_jobs',
    help: 'Holds of payments that stand or are let go, by why the last look at their provider got nowhere.',
    labelNames: ['state', 'fault'] as const,
    registers: [this.registry],
  });

  readonly alerts = new Gauge({
    name: 'counterfoil_alerts',
    help: 'Alerts that each rule raised, by what they were said to be (TRUE, FALSE, UNSURE), or OPEN, or EXPIRED where it ended unanswered.',
    labelNames: ['rule', 'outcome'] as const,
    registers: [this.registry],
  });

  readonly decisions = new Gauge({
    name: 'counterfoil_payment_decisions',
    help: 'Answers to the payment pipeline by this process, since its start.',
    labelNames: ['stage', 'verdict'] as const,
    registers: [this.registry],
  });

  readonly subscriptions = new Gauge({
    name: 'counterfoil_subscriptions',
    help: 'Subscriptions that are open.',
    registers: [this.registry],
  });

  readonly alertEvents = new Counter({
    name: 'counterfoil_alert_events_total',
    help: 'Events that subscribers were sent, by what had happened to the alert.',
    labelNames: ['kind'] as const,
    registers: [this.registry],
  });

  readonly auditPending = new Gauge({
    name: 'counterfoil_audit_pending_events',
    help: 'Events that are recorded and have no place in the tree yet.',
    registers: [this.registry],
  });

  readonly auditCheckpointAge = new Gauge({
    name: 'counterfoil_audit_checkpoint_age_seconds',
    help: 'Since when the latest checkpoint of the audit log is signed: a minute and a bit at most while somebody signs.',
    registers: [this.registry],
  });

  readonly auditRowsChecked = new Gauge({
    name: 'counterfoil_audit_rows_checked_leaves',
    help: 'Leaves of the audit log, from the first one, that this process held against their rows and found to agree.',
    registers: [this.registry],
  });

  readonly auditRoundAge = new Gauge({
    name: 'counterfoil_audit_round_age_seconds',
    help: 'Since the last whole round began in which this process held log and rows against what was signed; not there before the first is over.',
    registers: [this.registry],
  });

  readonly auditFindings = new Gauge({
    name: 'counterfoil_audit_findings',
    help: 'Places where the stored audit log differs from what was signed, as this process found them: anything but 0 is for whoever investigates.',
    registers: [this.registry],
  });

  readonly signalsReceived = new Counter({
    name: 'counterfoil_signals_received_total',
    help: 'Signals that a sender told of: new ones (stored), and such as were known.',
    labelNames: ['source', 'outcome'] as const,
    registers: [this.registry],
  });

  readonly signalsRefused = new Counter({
    name: 'counterfoil_signal_requests_refused_total',
    help: 'Requests with signals that were refused whole: not proven, or not what a signal is.',
    labelNames: ['source'] as const,
    registers: [this.registry],
  });

  readonly signalsPending = new Gauge({
    name: 'counterfoil_signals_pending',
    help: 'Signals that are stored and have no position in the feed yet.',
    registers: [this.registry],
  });

  readonly signalsUnread = new Gauge({
    name: 'counterfoil_signals_unread',
    help: 'Positions of the feed of signals that a consumer has not read yet.',
    labelNames: ['consumer'] as const,
    registers: [this.registry],
  });

  readonly readsRepeated = new Gauge({
    name: 'counterfoil_reads_repeated',
    help: 'Statements for several requests, since the start, that failed or might have lacked rows and were repeated for each.',
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }
}
