import { isDeepStrictEqual } from 'node:util';
import { auditCustomers, auditEvents } from '../db/audit.entity';
import type { Reads } from '../db/reads';
import { type Sql, sql } from '../db/sql';
import { Column, optional, type Selected, type Selection, select } from '../db/table';
import { auditLeaves } from './audit-tree.entity';

/** Looks at what a running gateway changes meanwhile. */
const mostLooks = 5;
/** Rows of one kind that are read at once: of a subject with more nothing is judged, as nothing that a gateway does makes so many. */
const mostRows = 5_000;
/** The same of customers whom its events name: what is about a group of fifty names each of them in most of its events. */
const mostNamed = 50_000;
/** Ids of one place, for each subject that is looked at with others. */
const idsPerSubject = 5;

const e = auditEvents.as('e');
const l = auditLeaves.as('l');
const c = auditCustomers;

const events = select(
  {
    ...e.pick('id', 'subjectId', 'action', 'at', 'actorId', 'ticketId', 'assistanceId', 'leaf'),
    leafIndex: optional(l.leafIndex),
  },
  sql`FROM ${e} LEFT JOIN ${l} ON ${l.eventId} = ${e.id}`,
);
const customersOfEvents = select(c.pick('eventId', 'customerId'), sql`FROM ${c}`);

/** What a leaf states; nothing where it is no leaf, which the look through the log says. */
interface Stated {
  readonly detail: Readonly<Record<string, unknown>>;
  readonly notes: readonly string[];
  readonly actorKind: unknown;
}

/** An event about something, as it is stored; its place is null while it waits for one. */
export type RecordedEvent = Omit<Selected<typeof events>, 'leaf'> & Stated & { readonly customers: readonly string[] };

/** No event of the log says it; its events say something else; there are events and no row; more rows than anything makes. */
export const subjectFaults = [
  'without an event of the log',
  'that their events say otherwise of',
  'that the log has events of are gone',
  'with more events or rows than anything makes',
] as const;

/** Something that events are about and that is stored otherwise than they say. */
export interface SubjectFinding {
  /** What of it, as a sentence names several. */
  readonly kind: string;
  readonly fault: (typeof subjectFaults)[number];
  /** Of a row, with the columns that differ in brackets. */
  readonly id: string;
}

/** What was found of one subject. */
export interface Judgement {
  readonly findings: readonly SubjectFinding[];
  /** It is from before events stated what its rows are judged by today, so nothing shows that some of its columns are as they were. */
  readonly isUnstated?: boolean;
}

/** Where rows have the id of what they belong to. */
interface Place {
  readonly id: Column<string>;
  /** Up to the condition on it. */
  readonly from: Sql;
}

/** What events are about, with the rows that answers go by. A slice says it of its own tables. */
export interface Subject<Stored> {
  /** As events name the type. */
  readonly type: string;
  /** Kinds of findings, in the order in which they are told. */
  readonly kinds: readonly string[];
  readonly places: readonly Place[];
  /** The rows of these subjects, by subject; null where there are more than `most` of a kind. */
  stored(reads: Reads, ids: readonly string[], most: number): Promise<((id: string) => Stored) | null>;
  judge(id: string, stored: Stored, about: readonly RecordedEvent[]): Judgement;
}

/** A finding with the place of the first event about the subject; null where none has a place. */
export interface PlacedFinding extends SubjectFinding {
  readonly leaf: number | null;
}

/** What one step came to. */
export interface SubjectStep {
  readonly findings: readonly PlacedFinding[];
  /** Kinds of what is from before events stated all of it, one for each such subject. */
  readonly unstated: readonly string[];
}

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
export const grouped = <Row>(rows: readonly Row[], keyOf: (row: Row) => string): ReadonlyMap<string, readonly Row[]> => {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group) group.push(row);
    else groups.set(keyOf(row), [row]);
  }
  return groups;
};

/** Rows that meet the condition; null where there are more than `most`. `order` is what follows the condition. */
export const readAtMost = async <Row extends object>(
  reads: Reads,
  of: Selection<Row>,
  where: Sql,
  most: number,
): Promise<readonly Row[] | null> => {
  const rows = await reads.read(of, sql`${where} LIMIT ${most + 1}`);
  return rows.length > most ? null : rows;
};

/** The events about these subjects, by subject, in the order in which they were made; null where there are too many. */
const eventsAbout = async (
  reads: Reads,
  type: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly RecordedEvent[]> | null> => {
  const about = sql`WHERE ${e.subjectType} = ${type} AND ${e.subjectId} IN (${ids}) ORDER BY ${e.id}`;
  const rows = await readAtMost(reads, events, about, mostRows);
  if (rows === null) return null;
  const named =
    rows.length === 0
      ? []
      : await readAtMost(reads, customersOfEvents, sql`WHERE ${c.eventId} IN (${rows.map(({ id }) => id)})`, mostNamed);
  if (named === null) return null;
  const customers = grouped(named, ({ eventId }) => eventId);
  return grouped(
    rows.map(({ leaf, ...row }) => ({
      ...row,
      ...statedIn(leaf),
      customers: (customers.get(row.id) ?? []).map(({ customerId }) => customerId),
    })),
    ({ subjectId }) => subjectId ?? '',
  );
};

const byBytes = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));

/** The next ids after `above` that rows or events have, in the order of their bytes: so many at most, and none only at the end. */
const nextIds = async (
  reads: Reads,
  { type, places }: Pick<Subject<unknown>, 'type' | 'places'>,
  above: string,
  atOnce: number,
): Promise<readonly string[]> => {
  const inEvents = { id: new Column<string>(e.subjectId, null), from: sql`FROM ${e} WHERE ${e.subjectType} = ${type} AND` };
  const found = new Set<string>();
  const most = atOnce * idsPerSubject;
  let end: string | null = null;
  for (const { id, from } of [...places, inEvents]) {
    // Whatever has a subject's id often is read as often: grouped, a subject of a million rows would be one long statement.
    const rows = await reads.read(select({ id }, from), sql`${id} > ${above} ORDER BY ${id} LIMIT ${most}`);
    const last = rows.at(-1)?.id;
    for (const row of rows) found.add(row.id);
    // Beyond the end of a full page this place may have ids that weren't read yet.
    if (last !== undefined && rows.length === most && (end === null || byBytes(last, end) < 0)) end = last;
  }
  const ids = [...found].filter((id) => end === null || byBytes(id, end) <= 0).sort(byBytes);
  return ids.slice(0, atOnce);
};

/**
 * Holds what events are about against them, subject by subject: each row commits with its event, so one that differs was written
 * by somebody else, or the log lost its end. Both ways: rows without an event too, and events whose row is gone.
 */
export class SubjectRows {
  private readonly left: Subject<unknown>[];
  private above = '';

  constructor(
    private readonly reads: Reads,
    subjects: readonly Subject<unknown>[],
  ) {
    this.left = [...subjects];
  }

  /** Looks at so many subjects in a step, of bounded size whatever is stored, up to the end; where a fault ended it, it goes on there. */
  async *steps(atOnce: number): AsyncGenerator<SubjectStep> {
    for (let [subject] = this.left; subject; [subject] = this.left) {
      const ids = await nextIds(this.reads, subject, this.above, atOnce);
      if (ids.length === 0) {
        this.left.shift();
        this.above = '';
        continue;
      }
      for (let some = ids; some.length > 0; ) {
        const step = await this.step(subject, some);
        // Of fewer there are fewer rows; one that has too many by itself is told.
        if (step === null) {
          some = some.slice(0, Math.ceil(some.length / 2));
          continue;
        }
        this.above = some.at(-1) as string;
        some = [];
        yield step;
      }
    }
  }

  /** Null where these have more rows together than are read at once. */
  private async step<Stored>(subject: Subject<Stored>, ids: readonly string[]): Promise<SubjectStep | null> {
    const { reads } = this;
    const findings: PlacedFinding[] = [];
    const unstated: string[] = [];
    const [kind = ''] = subject.kinds;
    let left = ids;
    let stored = await subject.stored(reads, left, mostRows);
    for (let looks = 0; left.length > 0 && looks < mostLooks; looks += 1) {
      const about = await eventsAbout(reads, subject.type, left);
      // A row commits with its events: those that were read between two looks at the same row are its own.
      const again = await subject.stored(reads, left, mostRows);
      if (stored === null || about === null || again === null) {
        if (ids.length > 1) return null;
        const [id] = ids as readonly [string];
        return { findings: [{ kind, fault: 'with more events or rows than anything makes', id, leaf: null }], unstated };
      }
      const before = stored;
      const changed = new Set(left.filter((id) => !isDeepStrictEqual(before(id), again(id))));
      for (const id of left) {
        if (changed.has(id)) continue;
        const recorded = about.get(id) ?? [];
        const judged = subject.judge(id, again(id), recorded);
        const places = recorded.flatMap(({ leafIndex }) => leafIndex ?? []);
        const leaf = places.length === 0 ? null : Math.min(...places);
        findings.push(...judged.findings.map((finding) => ({ ...finding, leaf })));
        if (judged.isUnstated) unstated.push(kind);
      }
      [left, stored] = [[...changed], again];
    }
    return { findings, unstated };
  }
}

/** The columns whose stored values aren't the stated ones, in words. */
export const differing = <Row extends object>(row: Row, stated: { readonly [P in keyof Row]?: unknown }): string =>
  Object.entries(stated)
    .filter(([column, value]) => !isDeepStrictEqual((row as Readonly<Record<string, unknown>>)[column], value))
    .map(([column]) => column)
    .join(', ');

/** That the events of a row say something else of these columns; nothing where none are named. */
export const saysOtherwise = (kind: string, id: string, ...columns: readonly string[]): readonly SubjectFinding[] => {
  const named = columns.filter((each) => each !== '').join(', ');
  return named === '' ? [] : [{ kind, fault: 'that their events say otherwise of', id: `${id} (${named})` }];
};

/**
 * That something ended by its time before that was over, in words; nothing where it didn't, or where no end is stated. `until`: the last end that
 * its events state, a UTC time each. A row could be put back afterwards; what ended in the gateway's own name stands in the log.
 */
export const endedEarly = (ended: RecordedEvent | undefined, until: unknown): string =>
  ended !== undefined && typeof until === 'string' && ended.at.getTime() < Date.parse(until) ? 'ended before its time' : '';

/** Whom an event is about, as rows that are held against its leaf by themselves say: any of them. */
export const customerOf = ({ customers }: RecordedEvent, stored: string): string | null =>
  customers.includes(stored) ? stored : (customers[0] ?? null);

/** Rows of which each has an event of its own, and no event is left over. `of`: what they belong to. */
export const judgeEach = <Row extends { readonly id: string }>(
  kind: string,
  of: string,
  {
    rows,
    events,
    is,
  }: { rows: readonly Row[]; events: readonly RecordedEvent[]; is: (row: Row, event: RecordedEvent) => boolean },
): readonly SubjectFinding[] => {
  const left = [...events];
  const without = rows.filter((row) => {
    const at = left.findIndex((event) => is(row, event));
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
  return [
    ...without.map(({ id }): SubjectFinding => ({ kind, fault: 'without an event of the log', id })),
    ...(rows.length < events.length ? [{ kind, fault: 'that the log has events of are gone', id: of } as const] : []),
  ];
};

/** The event or the row alone: one of them is missing. Null where both are there, or `row` is one of several. */
export const missing = (
  kind: string,
  id: string,
  row: object | undefined,
  event: RecordedEvent | undefined,
): Judgement | null => {
  if (row && event) return null;
  return { findings: [{ kind, fault: row ? 'without an event of the log' : 'that the log has events of are gone', id }] };
};
