import { z } from 'zod';

/**
 * How long a transaction of RT's database may take to commit after others saw higher ids, milliseconds. RT sends mail and
 * calls webhooks inside its transactions, so that seconds are usual; what takes longer than this, backfill repairs.
 */
const overlap = 120_000;
/** Marks are set this far apart at least, milliseconds. */
const markEvery = 15_000;
/** Transactions that a cursor remembers; beyond them the overlap is shorter. */
const remembered = 4_000;
/** Ids below the highest that are read again after a backfill, for what was under way when it began. */
const backfillOverlap = 1_000;

const number = z.number().int().nonnegative();
const position = z.object({ floor: number, seen: z.array(number), marks: z.array(z.tuple([number, number])) });
const stored = z.union([
  z.object({ kind: z.literal('backfill'), after: number, floor: number }),
  z.object({ kind: z.literal('poll'), tickets: position, customers: position }),
]);

export interface BackfillCursor {
  readonly kind: 'backfill';
  /** The last ticket id that was read. */
  readonly after: number;
  /** Where polling begins once the backfill is done. */
  readonly floor: number;
}

/**
 * A position in RT's transactions, which commit out of the order of their ids: everything up to `floor` is done with,
 * above it the ids in `seen` have been read. Marks say up to which id was read when; one older than the overlap
 * becomes the floor.
 */
export interface Position {
  readonly floor: number;
  readonly seen: readonly number[];
  /** [id, milliseconds of the epoch], ascending. */
  readonly marks: readonly (readonly [number, number])[];
}

/** Transactions of tickets and of their customers share one row of ids, but are read one kind after the other. */
export interface PollCursor {
  readonly kind: 'poll';
  readonly tickets: Position;
  readonly customers: Position;
}

export const backfillFrom = (highest: number): BackfillCursor => ({
  kind: 'backfill',
  after: 0,
  floor: Math.max(0, highest - backfillOverlap),
});

export const pollFrom = (floor: number): PollCursor => {
  const start = { floor, seen: [], marks: [] };
  return { kind: 'poll', tickets: start, customers: start };
};

/** The position at the start of a run: marks that are old enough have become the floor. */
export const settled = ({ floor: old, seen, marks }: Position, now: Date): Position => {
  const due = marks.filter(([, at]) => at <= now.getTime() - overlap);
  const floor = due.reduce((highest, [id]) => Math.max(highest, id), old);
  return { floor, seen: seen.filter((id) => id > floor), marks: marks.filter(([id]) => id > floor) };
};

/** The position after further transactions, up to the highest of `ids`, were read. */
export const withSeen = ({ floor, seen: before, marks }: Position, ids: readonly number[]): Position => {
  const seen = [...new Set([...before, ...ids])].filter((id) => id > floor).sort((a, b) => a - b);
  const dropped = seen.length > remembered ? seen.splice(0, seen.length - remembered) : [];
  return { floor: dropped[dropped.length - 1] ?? floor, seen, marks };
};

/** The position at the end of a run, which read everything at `now` at the latest. */
export const marked = (position: Position, now: Date): Position => {
  const highest = position.seen[position.seen.length - 1];
  const latest = position.marks[position.marks.length - 1];
  if (highest === undefined) return position;
  if (latest !== undefined && (latest[0] >= highest || now.getTime() - latest[1] < markEvery)) return position;
  return { ...position, marks: [...position.marks, [highest, now.getTime()]] };
};

/** Ids as steps from one to the next, which are short. */
const inSteps = (position: Position): Position => ({
  ...position,
  seen: position.seen.map((id, index) => id - (position.seen[index - 1] ?? position.floor)),
});

const fromSteps = (position: Position): Position => {
  let id = position.floor;
  return {
    ...position,
    seen: position.seen.map((step) => {
      id += step;
      return id;
    }),
  };
};

export const encodeCursor = (cursor: BackfillCursor | PollCursor): string => {
  const shortened =
    cursor.kind === 'poll' ? { ...cursor, tickets: inSteps(cursor.tickets), customers: inSteps(cursor.customers) } : cursor;
  return Buffer.from(JSON.stringify(shortened), 'utf8').toString('base64url');
};

/** Throws a `TypeError` for what no `encodeCursor` made. */
export const decodeCursor = (text: string): BackfillCursor | PollCursor => {
  let read: unknown;
  try {
    read = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    read = undefined;
  }
  const result = stored.safeParse(read);
  if (!result.success) throw new TypeError('cursor: not one of this connector');
  const cursor = result.data;
  return cursor.kind === 'backfill'
    ? cursor
    : { kind: 'poll', tickets: fromSteps(cursor.tickets), customers: fromSteps(cursor.customers) };
};
