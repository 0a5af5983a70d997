import { isDeepStrictEqual } from 'node:util';
import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import {
  customerOf,
  differing,
  endedEarly,
  type Judgement,
  missing,
  type RecordedEvent,
  readAtMost,
  type Subject,
  type SubjectFinding,
  saysOtherwise,
} from '../../ledger/subjects';
import { riskAlerts as a, riskSnoozes as s } from './alert.entity';
import { statedReason } from './raising';

const alertKind = 'alerts';
const snoozeKind = 'snoozes of alerts';

const alertRows = select(
  {
    ...a.pick('id', 'rule', 'version', 'severity', 'state', 'ticketId', 'customerId', 'paymentCustomerId', 'staffId', 'reasons'),
    ...a.pick('signals', 'reportedById', 'reportedByStaffIds', 'revision', 'subject', 'openKey', 'raisedAt', 'updatedAt'),
    ...a.pick('expiresAt', 'endedAt', 'resolution', 'resolvedById'),
  },
  sql`FROM ${a}`,
);
type AlertRow = Selected<typeof alertRows>;

const judgeAlert = (row: AlertRow, begun: RecordedEvent, about: readonly RecordedEvent[]): readonly SubjectFinding[] => {
  const isReport = begun.action === 'alert.concern';
  const updates = about.filter(({ action }) => action === 'alert.update');
  const latest = updates.at(-1) ?? begun;
  const ended = about.find(({ action }) => action === 'alert.resolve' || action === 'alert.end');
  const { detail } = latest;
  const isAsStated = isDeepStrictEqual(row.reasons.map(statedReason), detail.reasons);
  return saysOtherwise(
    alertKind,
    row.id,
    differing(row, {
      rule: detail.rule,
      version: detail.version,
      severity: detail.severity,
      state: ended === undefined ? 'OPEN' : ended.action === 'alert.resolve' ? 'RESOLVED' : 'EXPIRED',
      ticketId: begun.ticketId,
      customerId: customerOf(begun, row.customerId),
      paymentCustomerId: begun.detail.payer,
      staffId: begun.detail.about,
      signals: detail.signals,
      reportedById: isReport ? begun.actorId : null,
      reportedByStaffIds: isReport ? begun.detail.staffRows : null,
      revision: updates.length,
      subject: begun.detail.key,
      openKey: ended === undefined ? begun.detail.key : null,
      raisedAt: begun.at,
      updatedAt: latest.at,
      expiresAt: new Date(String(detail.until)),
      endedAt: ended?.at ?? null,
      resolution: ended?.detail.resolution ?? null,
      resolvedById: ended?.action === 'alert.resolve' ? ended.actorId : null,
    }),
    isAsStated ? '' : 'reasons',
    endedEarly(ended?.action === 'alert.end' ? ended : undefined, detail.until),
  );
};

/** An alert is as it was raised or reported, brought up to date, and resolved or ended. */
export const alertSubject: Subject<AlertRow | undefined> = {
  type: 'Alert',
  kinds: [alertKind],
  places: [{ id: a.id, from: sql`FROM ${a} WHERE` }],
  stored: async (reads, ids, most) => {
    const found = await readAtMost(reads, alertRows, sql`WHERE ${a.id} IN (${ids})`, most);
    const byId = found && new Map(found.map((row) => [row.id, row]));
    return byId && ((id) => byId.get(id));
  },
  judge: (id, row, about): Judgement => {
    const begun = about.find(({ action }) => action === 'alert.raise' || action === 'alert.concern');
    const alone = missing(alertKind, id, row, begun);
    if (alone || !row || !begun) return alone ?? { findings: [] };
    return { findings: judgeAlert(row, begun, about) };
  },
};

const snoozeRows = select(s.pick('id', 'rule', 'customerId', 'alertId', 'untilAt', 'createdAt'), sql`FROM ${s}`);

/** For how long a rule is silent is what was said when its alert was resolved. */
export const snoozeSubject: Subject<Selected<typeof snoozeRows> | undefined> = {
  type: 'AlertSnooze',
  kinds: [snoozeKind],
  places: [{ id: s.id, from: sql`FROM ${s} WHERE` }],
  stored: async (reads, ids, most) => {
    const found = await readAtMost(reads, snoozeRows, sql`WHERE ${s.id} IN (${ids})`, most);
    const byId = found && new Map(found.map((row) => [row.id, row]));
    return byId && ((id) => byId.get(id));
  },
  judge: (id, row, [event]): Judgement => {
    const alone = missing(snoozeKind, id, row, event);
    if (alone || !row || !event) return alone ?? { findings: [] };
    const stated = {
      rule: event.detail.rule,
      customerId: customerOf(event, row.customerId),
      alertId: event.detail.alert,
      untilAt: new Date(String(event.detail.until)),
      createdAt: event.at,
    };
    return { findings: saysOtherwise(snoozeKind, id, differing(row, stated)) };
  },
};
