import { isDeepStrictEqual } from 'node:util';
import { auditCustomers, auditEvents } from '../db/audit.entity';
import type { Reads } from '../db/reads';
import { type Sql, sql } from '../db/sql';
import { Column, type Selected, type Selection, select } from '../db/table';
import { actors } from '../features/actors/actor.entity';
import { assistances } from '../features/assistance/assistance.entity';
import {
  credentialConfirmations,
  credentialTransitions,
  credentialUpdates,
} from '../features/credentials/credential-update.entity';
import { isTerminal } from '../features/credentials/credential-update.states';

/** Subjects looked at at once. */
const subjectsAtOnce = 500;
/** Ids that are named of one kind. */
const mostNamed = 20;
/** Looks at what a running gateway changes meanwhile. */
const mostLooks = 5;

const e = auditEvents;
const a = assistances;
const u = credentialUpdates;
const w = actors;
const t = credentialTransitions;
const c = credentialConfirmations;

const events = select(e.pick('id', 'subjectId', 'action', 'at', 'actorId', 'ticketId', 'assistanceId', 'leaf'), sql`FROM ${e}`);
const customersOfEvents = select(auditCustomers.pick('eventId', 'customerId'), sql`FROM ${auditCustomers}`);
const actorRows = select(w.pick('id'), sql`FROM ${w}`);
const assistanceRows = select(
  {
    ...a.pick(
      'id',
      'actorId',
      'ticketId',
      'customerId',
      'purpose',
      'origin',
      'reasonSealed',
      'requestedAt',
      'beginsAt',
      'expiresAt',
    ),
    ...a.pick('needsApproval', 'approvedById', 'approvedAt', 'endedAt', 'endReason', 'openKey'),
  },
  sql`FROM ${a}`,
);
const updateRows = select(
  {
    ...u.pick('id', 'kind', 'state', 'ticketId', 'customerId', 'assistanceId', 'paymentMethodId', 'requestedById', 'link'),
    ...u.pick(
      'riskRules',
      'needsCode',
      'needsThreeDSecure',
      'needsApproval',
      'authenticated',
      'decidedById',
      'decidedAt',
      'decision',
    ),
    ...u.pick('decisionReasonSealed', 'failure', 'moves', 'createdAt', 'endedAt'),
  },
  sql`FROM ${u}`,
);
const transitionRows = select(
  t.pick('id', 'updateId', 'ordinal', 'fromState', 'toState', 'actorKind', 'actorId', 'reason', 'at'),
  sql`FROM ${t}`,
);
const confirmationRows = select(c.pick('id', 'updateId', 'outcome', 'channel', 'proofs', 'shownDigest', 'at'), sql`FROM ${c}`);

/** What a leaf states; nothing where it is no leaf, which the look through the log says. */
interface Stated {
  readonly detail: Readonly<Record<string, unknown>>;
  readonly notes: readonly string[];
  readonly actorKind: unknown;
}
type Recorded = Omit<Selected<typeof events>, 'leaf'> & Stated & { readonly customers: readonly string[] };

const statedIn = (leaf: Buffer): Stated => {
  try {
    const { detail, notes, actor } = JSON.parse(leaf.toString('utf8')) as Readonly<
      Record<'detail' | 'notes' | 'actor', Readonly<Record<string, unknown>> | null | undefined>
    >;
    return { detail: detail ?? {}, notes: Object.keys(notes ?? {}), actorKind: actor?.kind };
  } catch (error) {
    if (error instanceof SyntaxError) return { detail: {}, notes: [], actorKind: null };
    throw error;
  }
};

/** By a key, in the order in which they came. */
const grouped = <Row>(rows: readonly Row[], keyOf: (row: Row) => string): ReadonlyMap<string, readonly Row[]> => {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row]);
  return groups;
};

/** The events about these subjects, by subject. */
const eventsAbout = async (
  reads: Reads,
  type: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly Recorded[]>> => {
  const rows = await reads.read(events, sql`WHERE ${e.subjectType} = ${type} AND ${e.subjectId} IN (${ids}) ORDER BY ${e.id}`);
  const customers = grouped(
    rows.length === 0
      ? []
      : await reads.read(customersOfEvents, sql`WHERE ${auditCustomers.eventId} IN (${rows.map(({ id }) => id)})`),
    ({ eventId }) => eventId,
  );
  return grouped(
    rows.map(({ leaf, ...row }) => ({
      ...row,
      ...statedIn(leaf),
      customers: (customers.get(row.id) ?? []).map(({ customerId }) => customerId),
    })),
    ({ subjectId }) => subjectId ?? '',
  );
};

/** As a finding names several of them. */
type Kind = 'actors' | 'assistances' | 'updates' | 'transitions of updates' | 'confirmations';
/** No event of the log says it; its events say something else; there are events and no row. */
type Fault = 'without an event of the log' | 'that their events say otherwise of' | 'that the log has events of are gone';
interface Finding {
  readonly kind: Kind;
  readonly fault: Fault;
  readonly id: string;
}

/** The columns whose stored values aren't the stated ones, in words. */
const differing = <Row extends object>(row: Row, stated: { readonly [P in keyof Row]?: unknown }): string =>
  Object.entries(stated)
    .filter(([column, value]) => !isDeepStrictEqual((row as Readonly<Record<string, unknown>>)[column], value))
    .map(([column]) => column)
    .join(', ');

const saysOtherwise = (kind: Kind, id: string, columns: string): readonly Finding[] =>
  columns === '' ? [] : [{ kind, fault: 'that their events say otherwise of', id: `${id} (${columns})` }];

const timeIn = (value: unknown): Date => new Date(String(value));

/** Whom an event is about, as rows that are held against its leaf by themselves say: any of them. */
const customerOf = ({ customers }: Recorded, stored: string): string | null =>
  customers.includes(stored) ? stored : (customers[0] ?? null);

const judgeAssistance = (
  id: string,
  row: Selected<typeof assistanceRows> | undefined,
  about: readonly Recorded[],
): readonly Finding[] => {
  const of = (action: string) => about.find((event) => event.action === action);
  const kind = 'assistances';
  const [begun, approved, ended] = [
    of('assistance.begin') ?? of('assistance.request'),
    of('assistance.approve'),
    of('assistance.end'),
  ];
  if (!row) return [{ kind, fault: 'that the log has events of are gone', id }];
  if (!begun || (row.approvedAt !== null && !approved)) return [{ kind, fault: 'without an event of the log', id }];
  const isRequest = begun.action === 'assistance.request';
  const needsApproval = isRequest && begun.detail.needsApproval === true;
  const until = timeIn((approved ?? begun).detail.expiresAt);
  // A request that waited when who asked wasn't kept yet was ended by the migration that keeps it.
  const isCutShort = needsApproval && !approved && row.expiresAt.getTime() === begun.at.getTime();
  const columns = differing(row, {
    actorId: begun.actorId,
    ticketId: begun.ticketId,
    customerId: customerOf(begun, row.customerId),
    purpose: begun.detail.purpose,
    origin: isRequest ? 'REQUESTED' : 'AUTOMATIC',
    requestedAt: begun.at,
    beginsAt: needsApproval ? (approved?.at ?? null) : begun.at,
    ...(isCutShort ? {} : { expiresAt: until }),
    needsApproval,
    approvedById: approved?.actorId ?? null,
    approvedAt: approved?.at ?? null,
    endedAt: ended?.at ?? null,
    endReason: ended?.detail.reason ?? null,
    openKey: ended ? null : `${begun.actorId}|${begun.ticketId}`,
  });
  const isSilent = begun.notes.includes('reason') && row.reasonSealed === null;
  return saysOtherwise(kind, id, [columns, isSilent ? 'reason' : ''].filter((each) => each !== '').join(', '));
};

interface StoredUpdate {
  readonly update: Selected<typeof updateRows> | undefined;
  /** By their ordinal. */
  readonly transitions: readonly Selected<typeof transitionRows>[];
  readonly confirmations: readonly Selected<typeof confirmationRows>[];
}

const isTransitionOf = (
  { fromState, toState, actorId, actorKind, reason, at }: Selected<typeof transitionRows>,
  event: Recorded,
): boolean =>
  event.detail.from === fromState &&
  event.detail.to === toState &&
  (event.detail.reason ?? null) === reason &&
  event.actorId === actorId &&
  event.actorKind === actorKind &&
  event.at.getTime() === at.getTime();

const isConfirmationOf = (
  { outcome, channel, proofs, shownDigest, at }: Selected<typeof confirmationRows>,
  { action, detail, at: when }: Recorded,
): boolean =>
  detail.channel === channel &&
  when.getTime() === at.getTime() &&
  (outcome === 'CONFIRMED'
    ? action === 'credential.confirm' && detail.shown === shownDigest && isDeepStrictEqual(detail.proofs, [...proofs])
    : action === 'credential.refuse' && proofs.length === 0);

/** Rows of which each has an event of its own, and no event is left over. */
const judgeEach = <Row extends { readonly id: string }>(
  kind: Kind,
  update: string,
  { rows, events, is }: { rows: readonly Row[]; events: readonly Recorded[]; is: (row: Row, event: Recorded) => boolean },
): readonly Finding[] => {
  const left = [...events];
  const without = rows.filter((row) => {
    const at = left.findIndex((event) => is(row, event));
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
  return [
    ...without.map(({ id }): Finding => ({ kind, fault: 'without an event of the log', id })),
    ...(rows.length < events.length ? [{ kind, fault: 'that the log has events of are gone', id: update } as const] : []),
  ];
};

/** The row of an update says what its request said, and what its transitions came to; these have events of their own. */
const judgeUpdateRow = (
  row: Selected<typeof updateRows>,
  transitions: StoredUpdate['transitions'],
  about: readonly Recorded[],
): readonly Finding[] => {
  const of = (action: string) => about.find((event) => event.action === action);
  const { id } = row;
  const request = of('credential.request');
  if (!request) return [{ kind: 'updates', fault: 'without an event of the log', id }];
  const { detail } = request;
  const needs = Array.isArray(detail.needs) ? detail.needs : [];
  const [approved, rejected] = [of('credential.approve'), of('credential.reject')];
  const decided = approved ?? rejected;
  const last = transitions.at(-1);
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
    link: detail.link,
    riskRules: detail.rules,
    needsCode: needs.includes('code'),
    needsThreeDSecure: needs.includes('three-d-secure'),
    needsApproval: needs.includes('approval'),
    createdAt: request.at,
    authenticated: of('credential.card-entered')?.detail.authenticated ?? false,
    decidedById: decided?.actorId ?? null,
    decidedAt: decided?.at ?? null,
    decision: approved ? 'APPROVED' : rejected ? 'REJECTED' : null,
    moves: transitions.length,
    state: last?.toState,
    endedAt: last && isTerminal(last.toState) ? last.at : null,
    ...(last?.toState === 'FAILED' ? { failure: last.reason } : {}),
  });
  const others = [
    columns,
    isChain ? '' : 'history',
    decided?.notes.includes('reason') && row.decisionReasonSealed === null ? 'decisionReason' : '',
  ];
  return saysOtherwise('updates', id, others.filter((each) => each !== '').join(', '));
};

const judgeUpdate = (id: string, { update, transitions, confirmations }: StoredUpdate, about: readonly Recorded[]) => [
  ...(update
    ? judgeUpdateRow(update, transitions, about)
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
];

/** What events are about, with the rows that answers go by. */
interface Subject<Stored> {
  readonly type: string;
  /** Where its rows have its id. */
  readonly places: readonly { readonly id: Column<string> /** Up to the condition on it. */; readonly from: Sql }[];
  readonly stored: (reads: Reads, ids: readonly string[]) => Promise<(id: string) => Stored>;
  readonly judge: (id: string, stored: Stored, about: readonly Recorded[]) => readonly Finding[];
}

const byId = async <Row extends { readonly id: string }>(reads: Reads, rows: Selection<Row>, where: Sql) =>
  new Map((await reads.read(rows, where)).map((row) => [row.id, row]));

const actorSubject: Subject<Selected<typeof actorRows> | undefined> = {
  type: 'Actor',
  places: [{ id: w.id, from: sql`FROM ${w} WHERE` }],
  stored: async (reads, ids) => {
    const rows = await byId(reads, actorRows, sql`WHERE ${w.id} IN (${ids})`);
    return (id) => rows.get(id);
  },
  judge: (id, row, about) => {
    if (row && about.length > 0) return [];
    return [{ kind: 'actors', fault: row ? 'without an event of the log' : 'that the log has events of are gone', id }];
  },
};

const assistanceSubject: Subject<Selected<typeof assistanceRows> | undefined> = {
  type: 'Assistance',
  places: [{ id: a.id, from: sql`FROM ${a} WHERE` }],
  stored: async (reads, ids) => {
    const rows = await byId(reads, assistanceRows, sql`WHERE ${a.id} IN (${ids})`);
    return (id) => rows.get(id);
  },
  judge: judgeAssistance,
};

const updateSubject: Subject<StoredUpdate> = {
  type: 'CredentialUpdate',
  places: [
    { id: u.id, from: sql`FROM ${u} WHERE` },
    { id: t.updateId, from: sql`FROM ${t} WHERE` },
    { id: c.updateId, from: sql`FROM ${c} WHERE` },
  ],
  stored: async (reads, ids) => {
    const updates = await byId(reads, updateRows, sql`WHERE ${u.id} IN (${ids})`);
    const moves = await reads.read(transitionRows, sql`WHERE ${t.updateId} IN (${ids}) ORDER BY ${t.ordinal}, ${t.id}`);
    const answers = await reads.read(confirmationRows, sql`WHERE ${c.updateId} IN (${ids}) ORDER BY ${c.id}`);
    const transitions = grouped(moves, ({ updateId }) => updateId);
    const confirmations = grouped(answers, ({ updateId }) => updateId);
    return (id) => ({
      update: updates.get(id),
      transitions: transitions.get(id) ?? [],
      confirmations: confirmations.get(id) ?? [],
    });
  },
  judge: judgeUpdate,
};

const byBytes = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));

/** The next ids after `above` that rows or events have, in the order of their bytes. */
const nextIds = async (
  reads: Reads,
  { type, places }: Pick<Subject<unknown>, 'type' | 'places'>,
  above: string,
): Promise<readonly string[]> => {
  const inEvents = { id: new Column<string>(e.subjectId, null), from: sql`FROM ${e} WHERE ${e.subjectType} = ${type} AND` };
  const found = new Set<string>();
  let end: string | null = null;
  for (const { id, from } of [...places, inEvents]) {
    const rows = await reads.read(
      select({ id }, from),
      sql`${id} > ${above} GROUP BY ${id} ORDER BY ${id} LIMIT ${subjectsAtOnce}`,
    );
    const last = rows.at(-1)?.id;
    for (const row of rows) found.add(row.id);
    // Beyond the end of a full page this place may have ids that weren't read yet.
    if (last !== undefined && rows.length === subjectsAtOnce && (end === null || byBytes(last, end) < 0)) end = last;
  }
  return [...found].filter((id) => end === null || byBytes(id, end) <= 0).sort(byBytes);
};

const look = async <Stored>(reads: Reads, subject: Subject<Stored>): Promise<readonly Finding[]> => {
  const findings: Finding[] = [];
  for (let above = ''; ; ) {
    let ids = await nextIds(reads, subject, above);
    const last = ids.at(-1);
    if (last === undefined) return findings;
    above = last;
    let stored = await subject.stored(reads, ids);
    for (let looks = 0; ids.length > 0 && looks < mostLooks; looks += 1) {
      const about = await eventsAbout(reads, subject.type, ids);
      // A row commits with its events: those that were read between two looks at the same row are its own.
      const again = await subject.stored(reads, ids);
      const before = stored;
      const changed = ids.filter((id) => !isDeepStrictEqual(before(id), again(id)));
      const isChanged = new Set(changed);
      for (const id of ids) if (!isChanged.has(id)) findings.push(...subject.judge(id, again(id), about.get(id) ?? []));
      [ids, stored] = [changed, again];
    }
  }
};

const kinds: readonly Kind[] = ['actors', 'assistances', 'updates', 'transitions of updates', 'confirmations'];
const faults: readonly Fault[] = [
  'without an event of the log',
  'that their events say otherwise of',
  'that the log has events of are gone',
];

/**
 * Actors, assistances, updates, transitions of updates and customers' confirmations that the log says nothing of, or something else, and those of
 * which it has events and nothing is stored: each commits with its event, so one that differs was written by somebody else, or the
 * log lost its end. One line a kind and fault, with ids, twenty of them at most.
 */
export const rowsWithoutEvent = async (reads: Reads): Promise<readonly string[]> => {
  const findings = [
    ...(await look(reads, actorSubject)),
    ...(await look(reads, assistanceSubject)),
    ...(await look(reads, updateSubject)),
  ];
  return kinds.flatMap((kind) =>
    faults.flatMap((fault) => {
      const ids = findings
        .filter((finding) => finding.kind === kind && finding.fault === fault)
        .map(({ id }) => id)
        .sort();
      if (ids.length === 0) return [];
      return [`${ids.length} ${kind} ${fault}: ${ids.slice(0, mostNamed).join(', ')}${ids.length > mostNamed ? ', …' : ''}`];
    }),
  );
};
