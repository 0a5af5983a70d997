import { storedLeaf } from '../../audit/leaf';
import { auditCustomers, auditEvents } from '../../db/audit.entity';
import type { Change } from '../../db/change';
import { type Sql, sql } from '../../db/sql';
import { select } from '../../db/table';
import type { EarlierVerdict } from './consequences';

/** Earlier verdicts on the same subject, and on the same customer with it, that one is held against. */
const mostEarlier = 4;

const events = select(auditEvents.pick('leaf'), sql`FROM ${auditEvents}`);

/** A verdict as its event states it. */
export interface RecordedVerdict extends Omit<EarlierVerdict, 'customers'> {
  readonly rule: string;
  readonly mode: string;
}

const textsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];

const read = async (change: Change, which: Sql, most: number): Promise<readonly RecordedVerdict[]> => {
  const rows = await change.read(events, sql`${which} ORDER BY ${auditEvents.at} DESC LIMIT ${most}`);
  return rows.flatMap(({ leaf }) => {
    const read = storedLeaf(leaf);
    if (!read) return [];
    const { rule, mode, at, window, effects, done } = read.detail;
    return {
      rule: String(rule),
      mode: String(mode),
      at: Date.parse(String(at)),
      window: Number(window),
      effects: textsIn(effects),
      done: textsIn(done),
    };
  });
};

const isAbout = (customerId: string): Sql =>
  sql`${auditEvents.id} IN (SELECT ${auditCustomers.eventId} FROM ${auditCustomers} WHERE ${auditCustomers.customerId} = ${customerId})`;

/** The newest verdicts on this subject, and the newest that are about one of these customers with it. */
export const verdictsOn = async (
  change: Change,
  id: string,
  customers: readonly string[],
): Promise<readonly EarlierVerdict[]> => {
  const isSame = sql`WHERE ${auditEvents.subjectType} = 'Verdict' AND ${auditEvents.subjectId} = ${id}`;
  const found: EarlierVerdict[] = (await read(change, isSame, mostEarlier)).map((each) => ({ ...each, customers: [] }));
  for (const customerId of customers) {
    const theirs = await read(change, sql`${isSame} AND ${isAbout(customerId)}`, mostEarlier);
    found.push(...theirs.map((each) => ({ ...each, customers: [customerId] })));
  }
  return found;
};

/** The newest verdicts about a customer since an instant, on whatever subject. */
export const verdictsAbout = (
  change: Change,
  customerId: string,
  { since, most }: { readonly since: Date; readonly most: number },
): Promise<readonly RecordedVerdict[]> =>
  read(
    change,
    sql`WHERE ${auditEvents.action} = 'rule.verdict' AND ${auditEvents.at} >= ${since} AND ${isAbout(customerId)}`,
    most,
  );
