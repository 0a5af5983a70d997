import { isDeepStrictEqual } from 'node:util';
import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import {
  customerOf,
  differing,
  endedEarly,
  grouped,
  type Judgement,
  judgeEach,
  type RecordedEvent,
  readAtMost,
  type Subject,
  type SubjectFinding,
  saysOtherwise,
} from '../../ledger/subjects';
import {
  credentialConfirmations as c,
  credentialLinks as k,
  credentialTransitions as t,
  credentialUpdates as u,
} from './credential-update.entity';
import { isTerminal, isWaiting } from './credential-update.states';

const updateRows = select(
  {
    ...u.pick('id', 'kind', 'state', 'ticketId', 'customerId', 'assistanceId', 'paymentMethodId', 'requestedById', 'link'),
    ...u.pick('requestedByStaffId', 'requestedByStaffIds', 'contactStaffIds', 'riskRules', 'needsCode', 'needsThreeDSecure'),
    ...u.pick('needsApproval', 'authenticated', 'decidedById', 'decidedByStaffId', 'decidedAt', 'decision'),
    ...u.pick('decisionReasonSealed', 'failure', 'moves', 'createdAt', 'expiresAt', 'endedAt'),
  },
  sql`FROM ${u}`,
);
const transitionRows = select(
  t.pick('id', 'updateId', 'ordinal', 'fromState', 'toState', 'actorKind', 'actorId', 'staffId', 'reason', 'at'),
  sql`FROM ${t}`,
);
const confirmationRows = select(
  c.pick('id', 'updateId', 'outcome', 'channel', 'proofs', 'shownDigest', 'demandId', 'at'),
  sql`FROM ${c}`,
);
const linkRows = select(k.pick('id', 'updateId', 'tokenDigest', 'createdAt', 'expiresAt'), sql`FROM ${k}`);

interface StoredUpdate {
  readonly update: Selected<typeof updateRows> | undefined;
  /** By their ordinal. */
  readonly transitions: readonly Selected<typeof transitionRows>[];
  readonly confirmations: readonly Selected<typeof confirmationRows>[];
  readonly links: readonly Selected<typeof linkRows>[];
}

/** Whether a stored value is the stated one; where nothing states it, nothing says otherwise. */
const isStated = (stated: unknown, stored: unknown): boolean => stated === undefined || isDeepStrictEqual(stated, stored);

/** The staff row of whoever acted, as their event states it: nobody else than people of the merchant has one. */
const staffIn = ({ actorKind, detail }: RecordedEvent): unknown =>
  actorKind === 'staff' || actorKind === 'service' ? detail.staff : null;

const isTransitionOf = (
  { fromState, toState, actorId, actorKind, staffId, reason, at }: Selected<typeof transitionRows>,
  event: RecordedEvent,
): boolean =>
  event.detail.from === fromState &&
  event.detail.to === toState &&
  (event.detail.reason ?? null) === reason &&
  event.actorId === actorId &&
  event.actorKind === actorKind &&
  isStated(staffIn(event), staffId) &&
  event.at.getTime() === at.getTime();

const isConfirmationOf = (
  { outcome, channel, proofs, shownDigest, demandId, at }: Selected<typeof confirmationRows>,
  { action, detail, at: when }: RecordedEvent,
): boolean =>
  detail.channel === channel &&
  when.getTime() === at.getTime() &&
  isDeepStrictEqual(detail.restsOn ?? [], demandId === null ? [] : [demandId]) &&
  (outcome === 'CONFIRMED'
    ? action === 'credential.confirm' && detail.shown === shownDigest && isDeepStrictEqual(detail.proofs, [...proofs])
    : action === 'credential.refuse' && proofs.length === 0);

const isLinkOf = ({ id, tokenDigest, createdAt, expiresAt }: Selected<typeof linkRows>, { detail, at }: RecordedEvent): boolean =>
  detail.link === id &&
  isStated(detail.token, tokenDigest) &&
  at.getTime() === createdAt.getTime() &&
  detail.until === expiresAt.toISOString();

/** The row of an update says what its request said, and what its transitions came to; these have events of their own. */
const judgeRow = (
  row: Selected<typeof updateRows>,
  transitions: StoredUpdate['transitions'],
  about: readonly RecordedEvent[],
): readonly SubjectFinding[] => {
  const of = (action: string) => about.find((event) => event.action === action);
  const { id } = row;
  const request = of('credential.request');
  if (!request) return [{ kind: 'updates', fault: 'without an event of the log', id }];
  const { detail } = request;
  const needs = Array.isArray(detail.needs) ? detail.needs : [];
  const [approved, rejected] = [of('credential.approve'), of('credential.reject')];
  const decided = approved ?? rejected;
  const found = about.flatMap((event) => (event.action === 'credential.risk' ? [event.detail.rules] : []));
  const deciding = decided ? decided.detail.staff : null;
  const last = transitions.at(-1);
  // Each waiting state is entered once at most; events of earlier versions don't say until when.
  const untilIn = (state: string): unknown => about.find(({ detail: { to } }) => to === state)?.detail.waitsUntil;
  const waits = last && isWaiting(last.toState) ? untilIn(last.toState) : undefined;
  const expired = of('credential.expire');
  const isChain = transitions.every(
    ({ ordinal, fromState }, index) => ordinal === index + 1 && fromState === (transitions[index - 1]?.toState ?? null),
  );
  const columns = differing(row, {
    kind: detail.kind,
    ticketId: request.ticketId,
    customerId: customerOf(request, row.customerId),
    assistanceId: request.assistanceId,
    paymentMethodId: detail.method,
    requestedById: request.actorId,
    ...(detail.staff === undefined ? {} : { requestedByStaffId: detail.staff }),
    ...(detail.staffRows === undefined ? {} : { requestedByStaffIds: detail.staffRows }),
    link: detail.link,
    riskRules: found.length === 0 ? detail.rules : [detail.rules, ...found].flat(),
    needsCode: needs.includes('code'),
    needsThreeDSecure: needs.includes('three-d-secure'),
    needsApproval: needs.includes('approval') || found.length > 0,
    createdAt: request.at,
    authenticated: of('credential.card-entered')?.detail.authenticated ?? false,
    decidedById: decided?.actorId ?? null,
    ...(deciding === undefined ? {} : { decidedByStaffId: deciding }),
    decidedAt: decided?.at ?? null,
    decision: approved ? 'APPROVED' : rejected ? 'REJECTED' : null,
    moves: transitions.length,
    state: last?.toState,
    endedAt: last && isTerminal(last.toState) ? last.at : null,
    ...(waits === undefined ? {} : { expiresAt: new Date(String(waits)) }),
    ...(last?.toState === 'FAILED' ? { failure: last.reason } : {}),
  });
  const isSilent = decided?.notes.includes('reason') && row.decisionReasonSealed === null;
  return saysOtherwise(
    'updates',
    id,
    columns,
    isStated(detail.contactStaff, row.contactStaffIds.length) ? '' : 'contactStaffIds',
    isChain ? '' : 'history',
    isSilent ? 'decisionReason' : '',
    endedEarly(expired, untilIn(String(expired?.detail.from))),
  );
};

/** An update, its history, its customer's answer and the links that were sent for it are what its events say. */
export const updateSubject: Subject<StoredUpdate> = {
  type: 'CredentialUpdate',
  kinds: ['updates', 'transitions of updates', 'confirmations', 'links to customers'],
  places: [
    { id: u.id, from: sql`FROM ${u} WHERE` },
    { id: t.updateId, from: sql`FROM ${t} WHERE` },
    { id: c.updateId, from: sql`FROM ${c} WHERE` },
    { id: k.updateId, from: sql`FROM ${k} WHERE` },
  ],
  stored: async (reads, ids, most) => {
    const among = (of: typeof u.id) => sql`WHERE ${of} IN (${ids})`;
    const updates = await readAtMost(reads, updateRows, among(u.id), most);
    const moves = await readAtMost(reads, transitionRows, sql`${among(t.updateId)} ORDER BY ${t.ordinal}, ${t.id}`, most);
    const answers = await readAtMost(reads, confirmationRows, sql`${among(c.updateId)} ORDER BY ${c.id}`, most);
    const sent = await readAtMost(reads, linkRows, sql`${among(k.updateId)} ORDER BY ${k.id}`, most);
    if (!updates || !moves || !answers || !sent) return null;
    const byId = new Map(updates.map((row) => [row.id, row]));
    const transitions = grouped(moves, ({ updateId }) => updateId);
    const confirmations = grouped(answers, ({ updateId }) => updateId);
    const links = grouped(sent, ({ updateId }) => updateId);
    return (id) => ({
      update: byId.get(id),
      transitions: transitions.get(id) ?? [],
      confirmations: confirmations.get(id) ?? [],
      links: links.get(id) ?? [],
    });
  },
  judge: (id, { update, transitions, confirmations, links }, about): Judgement => ({
    findings: [
      ...(update
        ? judgeRow(update, transitions, about)
        : [{ kind: 'updates', fault: 'that the log has events of are gone', id } as const]),
      ...judgeEach('transitions of updates', id, {
        rows: transitions,
        events: about.filter(({ detail }) => typeof detail.to === 'string'),
        is: isTransitionOf,
      }),
      ...judgeEach('confirmations', id, {
        rows: confirmations,
        events: about.filter(({ action }) => action === 'credential.confirm' || action === 'credential.refuse'),
        is: isConfirmationOf,
      }),
      ...judgeEach('links to customers', id, {
        rows: links,
        events: about.filter(({ action, detail }) => action === 'credential.link' && typeof detail.link === 'string'),
        is: isLinkOf,
      }),
    ],
    isUnstated: about.some(({ action, detail }) => action === 'credential.request' && detail.staffRows === undefined),
  }),
};
