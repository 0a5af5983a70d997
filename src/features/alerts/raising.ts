import { createHash } from 'node:crypto';
import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { select, type Values } from '../../db/table';
import { ulid } from '../../ulid';
import { customer, linkRows } from '../customers/customers.rows';
import { type Keys, sealField } from '../keys/keys.service';
import type { TicketTurn } from '../tickets/tickets.ingest';
import { lockTicket } from '../tickets/tickets.lock';
import { ticket } from '../tickets/tickets.rows';
import { type AlertChange, RiskAlert, riskAlertEvents, riskAlerts, riskSnoozes, type StoredReason } from './alert.entity';
import { alert, latestPlace, openIds, places, settledRows, snooze, snoozes } from './alert.rows';
import {
  type AlertRule,
  type AlertSeverity,
  alertSeverities,
  fewestOthers,
  mostCountries,
  mostReasons,
  type ReasonCode,
  reasonKind,
} from './alert.words';

/** A fact as a rule found it. */
export interface DraftReason {
  readonly code: ReasonCode;
  readonly count?: number | undefined;
  readonly windowSeconds?: number | undefined;
  /** ISO 3166-1 alpha-2. */
  readonly countries?: readonly string[] | undefined;
  /** One of the customer's own. */
  readonly transactionId?: string | undefined;
}

/** What a rule found, or somebody reported, as an alert is made of it. All ids are ours. */
export interface AlertDraft {
  readonly rule: AlertRule;
  readonly version: number;
  readonly severity: AlertSeverity;
  readonly customerId: string;
  /** On which it is told while it is open and the customer's; else, or null: their open ticket that was touched last, if there is one. */
  readonly ticketId: string | null;
  /** Whom among the staff it is about. */
  readonly staffId: string | null;
  /** What it is about, and in which stretch of time, in the rule's own words: of each there is one open alert about a customer. */
  readonly subject: string;
  readonly window: string;
  readonly reasons: readonly DraftReason[];
  /** The signals that it rests on, as `source/id`. */
  readonly signals: readonly string[];
}

/** What became of a draft. */
export type Raised =
  | { readonly outcome: 'raised' | 'updated' | 'unchanged'; readonly id: string }
  | { readonly outcome: 'snoozed' | 'erased' | 'enough' };

/** Somebody's report. */
interface Report {
  readonly note: string;
  readonly byId: string;
  readonly staffIds: readonly string[];
}

const day = 24 * 3_600_000;
/** How long nobody has to say what an alert was, milliseconds from the last that was known of it. */
export const openFor = 7 * day;
/** Signals that an alert names. */
const mostSignals = 40;
/** Open alerts of one rule about one customer: whoever tells of much must not bury the rest. */
const mostOpen = 10;

const ticketIds = select(ticket.pick('id'), sql`FROM ${ticket}`);
const openStatuses = ['NEW', 'OPEN', 'PENDING'];

/** A fact as it is stored; null for one that would tell of few others. */
const storedReason = ({ code, count, windowSeconds, countries = [], transactionId }: DraftReason): StoredReason | null => {
  const others = reasonKind(code).countsOthers === true;
  if (others && (count ?? 0) < fewestOthers) return null;
  return {
    code,
    count: others ? fewestOthers : (count ?? null),
    windowSeconds: windowSeconds ?? null,
    countries: [...new Set(countries)].sort().slice(0, mostCountries),
    transactionId: transactionId ?? null,
  };
};

const storedReasons = (reasons: readonly DraftReason[]): readonly StoredReason[] =>
  reasons.flatMap((reason) => storedReason(reason) ?? []).slice(0, mostReasons);

/** A fact as a leaf states it: code, count, seconds, the number of countries, the transaction. No places. */
export const statedReason = ({ code, count, windowSeconds, countries, transactionId }: StoredReason): string =>
  [code, count ?? '-', windowSeconds ?? '-', countries.length, transactionId ?? '-'].join(' ');

const subjectOf = ({ rule, customerId, subject, window }: AlertDraft): string =>
  createHash('sha256')
    .update(JSON.stringify([rule, customerId, subject, window]))
    .digest('base64url');

const worse = (one: AlertSeverity, other: AlertSeverity): AlertSeverity =>
  alertSeverities.indexOf(one) < alertSeverities.indexOf(other) ? other : one;

/** The open alert of the same rule, customer, subject and window; null where there is none. */
export const openAlertOf = async (change: Change, draft: AlertDraft): Promise<string | null> => {
  const [open] = await change.read(openIds, sql`WHERE ${alert.openKey} = ${subjectOf(draft)}`);
  return open?.id ?? null;
};

/** The newest alert of the same rule, customer, subject and window was said to be false before this instant. */
export const wasFalseBefore = async (change: Change, draft: AlertDraft, at: Date): Promise<boolean> => {
  const [newest] = await change.read(
    settledRows,
    sql`WHERE ${alert.customerId} = ${draft.customerId} AND ${alert.subject} = ${subjectOf(draft)} ORDER BY ${alert.raisedAt} DESC, ${alert.id} DESC LIMIT 1`,
  );
  return newest?.state === 'RESOLVED' && newest.resolution === 'FALSE' && newest.endedAt !== null && newest.endedAt < at;
};

/** Gives what happened to an alert its place in the order in which readers learn of it. */
export const announce = async (
  change: Change,
  happened: readonly {
    readonly kind: AlertChange;
    readonly alertId: string;
    readonly ticketId: string | null;
    readonly heldById?: string | null;
  }[],
): Promise<void> => {
  if (happened.length === 0) return;
  const [begun] = await change.read(places, sql`WHERE ${places.columns.position} = 0`, { lock: true });
  if (!begun) await change.insert(riskAlertEvents, { position: 0, kind: 'BEGUN', alertId: '', ticketId: null, heldById: null });
  // What is locked is as it was committed last, whatever this change has seen before.
  const [latest] = await change.read(latestPlace, sql``, { lock: true });
  const next = (latest?.position ?? 0) + 1;
  await change.insert(
    riskAlertEvents,
    happened.map(({ heldById = null, ...each }, at) => ({ position: next + at, heldById, ...each })),
  );
};

/** Facts of an event that tell what an alert says. */
const stated = ({ version, rule, severity, reasons, signals, expiresAt }: Values<RiskAlert>) => ({
  rule,
  version,
  severity,
  reasons: reasons.map(statedReason),
  signals,
  until: expiresAt.toISOString(),
});

/**
 * The ticket on which something about a customer is told: that one, while it is open and theirs, else their open one that was touched last.
 * Held until the change ends, so that it moves before or after; null where there is none.
 */
export const toldOn = async (
  change: Change,
  { ticketId, customerId }: Pick<AlertDraft, 'ticketId' | 'customerId'>,
): Promise<string | null> => {
  const namedFirst = sql`CASE WHEN ${ticket.id} = ${ticketId ?? ''} THEN 0 ELSE 1 END, ${ticket.updatedAt} DESC, ${ticket.id}`;
  const [found] = await change.read(
    ticketIds,
    sql`WHERE ${ticket.customerId} = ${customerId} AND ${ticket.status} IN (${openStatuses}) ORDER BY ${namedFirst} LIMIT 1`,
  );
  if (!found) return null;
  const held = await lockTicket(change, found.id);
  return held.customerId === customerId ? held.id : null;
};

/** Brings an open alert up to date with what is known now. */
const refresh = async (change: Change, open: RiskAlert, draft: AlertDraft, keys: Keys): Promise<Raised> => {
  const found = storedReasons(draft.reasons);
  // What is counted is counted anew, whichever payment is the latest by now.
  const isFound = ({ code, count, transactionId }: StoredReason) =>
    found.some((each) => each.code === code && (count !== null || each.transactionId === transactionId));
  // What was true of another payment still is.
  const reasons = [...found, ...open.reasons.filter((each) => !isFound(each))].slice(0, mostReasons);
  const signals = [...new Set([...open.signals, ...draft.signals])].slice(0, mostSignals);
  const severity = worse(open.severity, draft.severity);
  const isNew =
    severity !== open.severity ||
    signals.length > open.signals.length ||
    JSON.stringify(reasons.map(statedReason)) !== JSON.stringify(open.reasons.map(statedReason));
  if (!isNew) return { outcome: 'unchanged', id: open.id };
  Object.assign(open, { reasons, signals, severity, version: draft.version, revision: open.revision + 1 });
  Object.assign(open, { updatedAt: change.at, expiresAt: new Date(change.at.getTime() + openFor) });
  await change.save(open);
  const customer = await keys.customerUnderDigest(change, open.customerId);
  change.record('alert.update', {
    ...(open.ticketId === null ? {} : { ticketId: open.ticketId }),
    subject: { type: 'Alert', id: open.id },
    customers: customer ? [customer] : [],
    detail: stated(open),
  });
  await announce(change, [{ kind: 'UPDATED', alertId: open.id, ticketId: open.ticketId }]);
  return { outcome: 'updated', id: open.id };
};

/**
 * Raises an alert, or brings the open one of the same rule, subject and window up to date, in a change that is permitted already. A
 * snoozed rule raises nothing about the customer, nor does one that has as many open as there may be; about one who was erased there is
 * nothing to say.
 */
export const raise = async (change: Change, keys: Keys, draft: AlertDraft, report: Report | null = null): Promise<Raised> => {
  const { rule, version, severity, customerId, staffId } = draft;
  const ticketId = await toldOn(change, draft);
  const subject = subjectOf(draft);
  const open = await change.lockIfAny(RiskAlert, { openKey: subject });
  if (open) return report ? { outcome: 'unchanged', id: open.id } : refresh(change, open, draft, keys);
  if (!report) {
    const { customerId: of, rule: silenced, untilAt } = snooze;
    const [silent] = await change.read(
      snoozes,
      sql`WHERE ${of} = ${customerId} AND ${silenced} = ${rule} AND ${untilAt} > ${change.at} LIMIT 1`,
    );
    if (silent) return { outcome: 'snoozed' };
    const isOpen = sql`${alert.customerId} = ${customerId} AND ${alert.rule} = ${rule} AND ${alert.state} = 'OPEN'`;
    const others = await change.read(openIds, sql`WHERE ${isOpen} LIMIT ${mostOpen}`);
    if (others.length === mostOpen) return { outcome: 'enough' };
  }
  const key = (await keys.forOwners(change, [customerId])).get(customerId);
  if (!key) return { outcome: 'erased' };
  const [linked] = await change.read(linkRows, sql`WHERE ${customer.id} = ${customerId}`);
  const id = `alr_${ulid(change.at.getTime())}`;
  const row: Values<RiskAlert> = {
    id,
    rule,
    version,
    severity,
    state: 'OPEN',
    ticketId,
    customerId,
    paymentCustomerId: linked && linked.link !== 'NONE' ? linked.paymentCustomerId : null,
    staffId,
    keyId: key.id,
    reasons: storedReasons(draft.reasons),
    signals: [...new Set(draft.signals)].slice(0, mostSignals),
    noteSealed: report && sealField(riskAlerts, id, 'note', key, report.note),
    reportedById: report?.byId ?? null,
    reportedByStaffIds: report?.staffIds ?? null,
    revision: 0,
    subject,
    openKey: subject,
    raisedAt: change.at,
    updatedAt: change.at,
    expiresAt: new Date(change.at.getTime() + openFor),
    endedAt: null,
    resolution: null,
    resolvedById: null,
  };
  await change.insert(riskAlerts, row);
  const about = await keys.customerUnderDigest(change, customerId);
  const facts = {
    ...(ticketId === null ? {} : { ticketId }),
    subject: { type: 'Alert', id } as const,
    customers: about ? [about] : [],
  };
  const detail = { ...stated(row), about: staffId, payer: row.paymentCustomerId, key: subject };
  if (report)
    change.record('alert.concern', {
      ...facts,
      notes: [keys.note('note', key, report.note)],
      detail: { ...detail, staffRows: report.staffIds },
    });
  else change.record('alert.raise', { ...facts, detail });
  await announce(change, [{ kind: 'RAISED', alertId: id, ticketId }]);
  return { outcome: 'raised', id };
};

/**
 * Tickets that were closed, reassigned or re-addressed: whoever had them learns that their alerts are over for them, whoever has them now that
 * there are some. False where there are none: then nobody was about to be told of any.
 */
export const followTurns = async (change: Change, turns: readonly TicketTurn[]): Promise<boolean> => {
  const heldBy = new Map(turns.map(({ ticketId, heldBy }) => [ticketId, heldBy]));
  if (heldBy.size === 0) return false;
  // What is locked is as it was committed last, whatever this change has seen before.
  const open = await change.read(openIds, sql`WHERE ${alert.ticketId} IN (${[...heldBy.keys()]}) AND ${alert.state} = 'OPEN'`, {
    lock: true,
  });
  await announce(
    change,
    open.map(({ id, ticketId }) => ({ kind: 'MOVED', alertId: id, ticketId, heldById: heldBy.get(ticketId ?? '') ?? null })),
  );
  return open.length > 0;
};

/** Ends an alert that the change has locked. The caller records it. */
export const endAlert = async (
  change: Change,
  open: RiskAlert,
  how: Partial<RiskAlert> & Pick<RiskAlert, 'state'>,
): Promise<void> => {
  Object.assign(open, { ...how, endedAt: change.at, openKey: null });
  await change.save(open);
  await announce(change, [{ kind: 'ENDED', alertId: open.id, ticketId: open.ticketId }]);
};

/** From now on the rule of an alert raises nothing about its customer until then. */
export const silence = async (
  change: Change,
  { id: alertId, rule, customerId, ticketId }: Pick<RiskAlert, 'id' | 'rule' | 'customerId' | 'ticketId'>,
  { until, keys }: { readonly until: Date; readonly keys: Keys },
): Promise<void> => {
  const id = `snz_${ulid(change.at.getTime())}`;
  await change.insert(riskSnoozes, { id, rule, customerId, alertId, untilAt: until, createdAt: change.at });
  const about = await keys.customerUnderDigest(change, customerId);
  change.record('alert.snooze', {
    ...(ticketId === null ? {} : { ticketId }),
    subject: { type: 'AlertSnooze', id },
    customers: about ? [about] : [],
    detail: { alert: alertId, rule, until: until.toISOString() },
  });
};
