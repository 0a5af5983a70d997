import { isDeepStrictEqual } from 'node:util';
import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import {
  customerOf,
  differing,
  endedEarly,
  grouped,
  type Judgement,
  missing,
  type RecordedEvent,
  readAtMost,
  type Subject,
  type SubjectFinding,
  saysOtherwise,
} from '../../ledger/subjects';
import {
  paymentHoldEffects as e,
  paymentHolds as h,
  paymentHoldJobs as j,
  type StoredMove,
  paymentHoldSteps as s,
} from './hold.entity';
import { isTerminal, placedStates, standingStates } from './hold.states';

const holdKind = 'holds';
const effectKind = 'effects of holds';
const callKind = 'calls of holds';
const jobKind = 'jobs of holds';

const holdRows = select(
  {
    ...h.pick(
      'id',
      'state',
      'cause',
      'subjectKind',
      'ticketId',
      'assistanceId',
      'customerId',
      'customerIds',
      'paymentCustomerId',
      'payerIds',
    ),
    ...h.pick('transactionId', 'emailDomain', 'rule', 'ruleVersion', 'placedById', 'placedByStaffId', 'placedByStaffIds'),
    ...h.pick(
      'reasonSealed',
      'holdKey',
      'openKey',
      'requestKey',
      'ending',
      'planned',
      'moves',
      'placedAt',
      'expiresAt',
      'endedAt',
    ),
  },
  sql`FROM ${h}`,
);
const effectRows = select(e.pick('id', 'holdId', 'kind', 'state', 'enforcedBy', 'deadline', 'revision'), sql`FROM ${e}`);
const callRows = select(s.pick('id', 'holdId', 'ordinal', 'kind', 'phase', 'action', 'state', 'customerId'), sql`FROM ${s}`);
const jobRows = select(j.pick('id', 'holdId', 'state'), sql`FROM ${j}`);

type HoldRow = Selected<typeof holdRows>;
type EffectRow = Selected<typeof effectRows>;
type CallRow = Selected<typeof callRows>;

interface StoredHold {
  readonly row: HoldRow | undefined;
  readonly effects: readonly EffectRow[];
  /** By their ordinal. */
  readonly calls: readonly CallRow[];
  readonly jobs: readonly Selected<typeof jobRows>[];
}

/** Events of a hold that state a move, in the order in which they were made: those of one millisecond have none of their own. */
const movesOf = (about: readonly RecordedEvent[]): readonly RecordedEvent[] =>
  about.filter(({ detail }) => typeof detail.moves === 'number').sort((a, b) => Number(a.detail.moves) - Number(b.detail.moves));

const statedMove = ({ at, actorId, detail }: RecordedEvent): StoredMove =>
  ({
    from: detail.from,
    to: detail.to,
    at: at.getTime(),
    actorId,
    staffId: detail.staff ?? null,
    reason: detail.reason ?? null,
  }) as StoredMove;

/** What a hold ends as, by the event with which it is let go. */
const endings: Readonly<Record<string, string>> = {
  'hold.release': 'RELEASED',
  'hold.expire': 'EXPIRED',
  'hold.lapse': 'LAPSED',
  'hold.fail': 'FAILED',
};

const judgeRow = (row: HoldRow, begun: RecordedEvent, moves: readonly RecordedEvent[]): readonly SubjectFinding[] => {
  const { detail } = begun;
  const last = moves.at(-1)?.detail.to;
  const ended = moves.find(({ detail: { to } }) => isTerminal(to as HoldRow['state']));
  const until = moves.findLast((event) => event.detail.until !== undefined)?.detail.until;
  const letGo = moves.find(({ detail: { to } }) => to === 'RELEASING');
  const ending = letGo ? endings[letGo.action] : null;
  // What couldn't be let go makes it fail whatever it was to end as.
  const endsAsSaid = row.ending === ending || (letGo !== undefined && row.ending === 'FAILED');
  const isOpen = !moves.some(({ detail: { to } }) => to === 'RELEASING' || isTerminal(to as HoldRow['state']));
  const isHistory = isDeepStrictEqual(row.moves, moves.map(statedMove));
  const arePayers = isDeepStrictEqual(row.payerIds, detail.payers ?? null);
  const isSilent = begun.notes.includes('reason') && row.reasonSealed === null;
  const isWhole = isDeepStrictEqual([...row.customerIds].sort(), [...begun.customers].sort());
  return saysOtherwise(
    holdKind,
    row.id,
    differing(row, {
      state: last,
      cause: detail.cause,
      subjectKind: detail.kind,
      ticketId: begun.ticketId,
      assistanceId: begun.assistanceId,
      customerId: row.customerId === null ? null : customerOf(begun, row.customerId),
      paymentCustomerId: detail.payer,
      transactionId: detail.transaction,
      emailDomain: detail.domain,
      rule: detail.rule,
      ruleVersion: detail.version,
      placedById: detail.by,
      placedByStaffId: detail.staff,
      placedByStaffIds: detail.staffRows,
      holdKey: detail.key,
      openKey: isOpen ? detail.key : null,
      requestKey: detail.request,
      placedAt: begun.at,
      expiresAt: new Date(String(until)),
      endedAt: ended?.at ?? null,
    }),
    isWhole ? '' : 'customerIds',
    arePayers ? '' : 'payerIds',
    isHistory ? '' : 'history',
    endsAsSaid ? '' : 'ending',
    isSilent ? 'reason' : '',
    endedEarly(
      moves.find(({ action }) => action === 'hold.expire'),
      until,
    ),
  );
};

const ofHold = ({ holdId }: { readonly holdId: string }): string => holdId;

/** Of each effect the event with the greatest revision says how it is; without one it is as it began. */
const judgeEffects = (
  id: string,
  rows: readonly EffectRow[],
  begun: RecordedEvent,
  about: readonly RecordedEvent[],
): readonly SubjectFinding[] => {
  const kinds = Array.isArray(begun.detail.effects) ? begun.detail.effects : [];
  const lost = kinds.some((kind) => !rows.some((row) => row.kind === kind));
  const findings = rows.flatMap((row): readonly SubjectFinding[] => {
    if (!kinds.includes(row.kind)) return [{ kind: effectKind, fault: 'without an event of the log', id: row.id }];
    const told = about.filter(
      ({ action, detail }) => action === 'hold.effect' && detail.effect === row.kind && 'revision' in detail,
    );
    const latest = told.reduce<RecordedEvent['detail'] | null>(
      (most, { detail }) => (most === null || Number(detail.revision) > Number(most.revision) ? detail : most),
      null,
    );
    const { deadline = null } = latest ?? {};
    return saysOtherwise(
      effectKind,
      row.id,
      differing(row, {
        state: latest?.state ?? 'PENDING',
        enforcedBy: latest?.by ?? 'PIPELINE',
        deadline: deadline === null ? null : new Date(String(deadline)),
        revision: latest?.revision ?? 0,
      }),
    );
  });
  return lost ? [...findings, { kind: effectKind, fault: 'that the log has events of are gone', id }] : findings;
};

/** Nothing comes of a call after these. */
const settled = ['DONE', 'REFUSED', 'DROPPED'];

/** How a call may stand by what was told of it: two events of one millisecond have no order, and who lets a hold go drops without an event what wasn't settled. */
const mayBe = ({ state }: CallRow, told: readonly RecordedEvent[], isReleased: boolean): boolean => {
  const states = told.map(({ detail }) => detail.state);
  const end = states.find((each) => settled.includes(String(each)));
  if (end !== undefined) return state === end;
  return states.includes(state) || (state === 'PLANNED' && !states.includes('INTENDED')) || (state === 'DROPPED' && isReleased);
};

/** There are as many calls as were planned, each as its events say. */
const judgeCalls = (id: string, rows: readonly CallRow[], about: readonly RecordedEvent[]): readonly SubjectFinding[] => {
  const ofEffects = about.filter(({ action }) => action === 'hold.effect');
  const planned = ofEffects.flatMap(({ detail: { calls } }) => (Array.isArray(calls) ? calls.map(String) : []));
  const told = grouped(
    ofEffects.filter(({ detail }) => typeof detail.step === 'number'),
    ({ detail }) => String(detail.step),
  );
  const isReleased = about.some(({ detail }) => detail.to === 'RELEASING');
  const places = new Set(rows.map(({ ordinal }) => ordinal));
  const isLost = planned.length > rows.length || [...told.keys()].some((ordinal) => !places.has(Number(ordinal)));
  const isOther = !isLost && !isDeepStrictEqual([...planned].sort(), rows.map(({ action }) => action).sort());
  return [
    ...(isLost ? [{ kind: callKind, fault: 'that the log has events of are gone', id } as const] : []),
    ...(rows.length > planned.length || isOther ? [{ kind: callKind, fault: 'without an event of the log', id } as const] : []),
    ...rows.flatMap((row) => {
      const events = told.get(String(row.ordinal)) ?? [];
      const [first] = events;
      const columns = first
        ? differing(row, {
            kind: first.detail.effect,
            phase: first.detail.phase,
            action: first.detail.action,
            customerId: first.customers.length === 0 ? row.customerId : customerOf(first, row.customerId),
          })
        : '';
      return saysOtherwise(callKind, row.id, columns, mayBe(row, events, isReleased) ? '' : 'state');
    }),
  ];
};

/**
 * That the calls of a hold are written down already an event says, with which they are, before it is let go: of one that isn't planned nothing
 * would be brought about where its row said so. Only where none of its effects is possible it takes no calls.
 */
const judgePlan = ({ id, state, planned }: HoldRow, effects: readonly EffectRow[], about: readonly RecordedEvent[]) => {
  const isBefore = state === 'PROPOSED' || placedStates.includes(state);
  const isTold = about.some(({ action, detail }) => action === 'hold.effect' && Array.isArray(detail.calls));
  const isSo = !planned || !isBefore || isTold || effects.every((each) => each.state === 'NOT_POSSIBLE');
  return saysOtherwise(holdKind, id, isSo ? '' : 'planned');
};

/** For as long as a hold stands a job of it waits: nobody else would let go of it. */
const judgeJobs = (id: string, jobs: StoredHold['jobs'], moves: readonly RecordedEvent[]): readonly SubjectFinding[] => {
  const stands = standingStates.some((state) => state === moves.at(-1)?.detail.to);
  const isGone = stands && !jobs.some(({ state }) => state === 'PENDING');
  return isGone ? [{ kind: jobKind, fault: 'that the log has events of are gone', id }] : [];
};

/** A hold is as it was placed or proposed and as it moved since; each of its effects is what its last event says. */
export const holdSubject: Subject<StoredHold> = {
  type: 'Hold',
  kinds: [holdKind, effectKind, callKind, jobKind],
  places: [
    { id: h.id, from: sql`FROM ${h} WHERE` },
    { id: e.holdId, from: sql`FROM ${e} WHERE` },
    { id: s.holdId, from: sql`FROM ${s} WHERE` },
    { id: j.holdId, from: sql`FROM ${j} WHERE` },
  ],
  stored: async (reads, ids, most) => {
    const found = await readAtMost(reads, holdRows, sql`WHERE ${h.id} IN (${ids})`, most);
    const parts = await readAtMost(reads, effectRows, sql`WHERE ${e.holdId} IN (${ids}) ORDER BY ${e.id}`, most);
    const made = await readAtMost(reads, callRows, sql`WHERE ${s.holdId} IN (${ids}) ORDER BY ${s.ordinal}, ${s.id}`, most);
    const waiting = await readAtMost(reads, jobRows, sql`WHERE ${j.holdId} IN (${ids}) ORDER BY ${j.id}`, most);
    if (!found || !parts || !made || !waiting) return null;
    const byId = new Map(found.map((row) => [row.id, row]));
    const [effects, calls, jobs] = [grouped(parts, ofHold), grouped(made, ofHold), grouped(waiting, ofHold)];
    return (id) => ({
      row: byId.get(id),
      effects: effects.get(id) ?? [],
      calls: calls.get(id) ?? [],
      jobs: jobs.get(id) ?? [],
    });
  },
  judge: (id, { row, effects, calls, jobs }, about): Judgement => {
    const begun = about.find(({ action }) => action === 'hold.place' || action === 'hold.propose');
    const alone = missing(holdKind, id, row, begun);
    if (alone || !row || !begun) return alone ?? { findings: [] };
    const moves = movesOf(about);
    return {
      findings: [
        ...judgeRow(row, begun, moves),
        ...judgeEffects(id, effects, begun, about),
        ...judgeCalls(id, calls, about),
        ...judgePlan(row, effects, about),
        ...judgeJobs(id, jobs, moves),
      ],
    };
  },
};
