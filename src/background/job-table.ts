import { Instant, Integer, Key, Text } from '../db/columns';
import type { Sql } from '../db/sql';
import type { Column, Table } from '../db/table';

/**
 * The columns that make a row a job, beside whatever else its table holds. A slice's own entity extends it and says its kinds, and `db/bookkeeping`
 * lists all of them but `id` and `kind`: the outbox writes these, and no others.
 */
export abstract class StoredJob {
  @Key() id!: string;
  abstract kind: string;
  /** `DEAD`: given up after its last try. */
  @Text(8) state!: 'PENDING' | 'DONE' | 'DEAD';
  /** Tries since it last got anywhere. */
  @Integer() attempts!: number;
  @Instant({ name: 'next_at' }) nextAt!: Date;
  @Instant({ name: 'lease_until', nullable: true }) leaseUntil!: Date | null;
  @Text(64, { name: 'lease_holder', nullable: true }) leaseHolder!: string | null;
  @Text(64, { nullable: true }) fault!: string | null;
}

/** A table of jobs, as its owner hands it to an outbox. `Subject` is the column that says what a job is about. */
export interface JobTable<Kind extends string, Subject extends string> {
  readonly rows: Table<StoredJob>;
  readonly kind: Column<Kind>;
  readonly subjectName: Subject;
  /** What a job is about: each has one, and several may have the same. */
  readonly subject: Column<string>;
  /** A subject's jobs are done one after the other, the least of this column first; null: in no order. */
  readonly place: Sql | null;
  /** The same columns in a subquery about a subject's other jobs. */
  readonly others: { readonly rows: Table<StoredJob>; readonly subject: Sql; readonly place: Sql | null };
}

/** The columns that hold a text, and always. */
type TextOf<E> = { [P in keyof E]: E[P] extends string ? P : never }[keyof E] & string;

export interface JobTableOptions<E, Subject extends string> {
  readonly subject: Subject;
  /**
   * The column that gives a subject's jobs their order, unique among them. A job then waits until none before it is pending,
   * whatever holds that one up. The table needs an index on state, subject and this column.
   */
  readonly inOrderOf?: keyof E & string;
}

/** Hands a table to an outbox, which then writes its jobs' columns. For the table's owner alone. */
export const jobTable = <E extends StoredJob, Subject extends TextOf<E>>(
  of: Table<E>,
  { subject, inOrderOf }: JobTableOptions<E, Subject>,
): JobTable<E['kind'], Subject> => {
  const columns = (under: Table<E>) => {
    // Of a table that isn't known yet the compiler can't tell that it has them: the signature sees to that.
    const named = under as unknown as Readonly<Record<string, Column<string>>>;
    return {
      rows: under as unknown as Table<StoredJob>,
      kind: named.kind as unknown as Column<E['kind']>,
      subject: named[subject] as Column<string>,
      place: inOrderOf === undefined ? null : (named[inOrderOf] as Sql),
    };
  };
  return { ...columns(of), subjectName: subject, others: columns(of.as('other')) };
};

/** What a job's columns hold when it is to be done from this instant on, be it new or done before. */
export const dueFrom = (at: Date): Omit<StoredJob, 'id' | 'kind'> => ({
  state: 'PENDING',
  attempts: 0,
  nextAt: at,
  leaseUntil: null,
  leaseHolder: null,
  fault: null,
});
