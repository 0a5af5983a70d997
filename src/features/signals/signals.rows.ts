import { sql } from '../../db/sql';
import { select, type Values } from '../../db/table';
import { type Signal, type SubjectName, type Subjects, subjectNames } from '../../risk/signal';
import { type RiskSignal, riskFeed, riskSignals } from './signal.entity';

export const f = riskFeed.as('f');
export const s = riskSignals.as('s');

/** The column that a subject stands in: its name, but for those that are words of SQL. */
type SubjectColumn<Name extends SubjectName> = Name extends 'order' | 'key' ? `${Name}Subject` : Name;
export const subjectColumn = <Name extends SubjectName>(name: Name): SubjectColumn<Name> =>
  (name === 'order' || name === 'key' ? `${name}Subject` : name) as SubjectColumn<Name>;

const told = {
  ...s.pick('source', 'eventId', 'type', 'occurredAt', 'receivedAt', ...subjectNames.map(subjectColumn)),
  ...s.pick(
    'country',
    'minorUnits',
    'currency',
    'declineCode',
    'advice',
    'customerSince',
    'outcome',
    'changed',
    'deadline',
    'backdated',
  ),
};

/** What a signal says, as its columns hold it. */
type Told = Omit<Values<RiskSignal>, 'id'>;

/** Signals by themselves. */
export const signalRows = select(told, sql`FROM ${s}`);

/** Signals with their positions. */
export const placedSignals = select({ position: f.position, ...told }, sql`FROM ${f} JOIN ${s} ON ${s.id} = ${f.signalId}`);

/** Something that is there only where it is known. */
const known = <Name extends string, T>(name: Name, value: T | null): { readonly [P in Name]?: T } =>
  (value === null ? {} : { [name]: value }) as { readonly [P in Name]?: T };

/** One after the other, as all that is made of each of many signals: a list of names made anew costs more than all else. */
const subjectsOf = (row: Told): Subjects => {
  const subjects: { [name in SubjectName]?: string } = {};
  for (const name of subjectNames) {
    const value = row[subjectColumn(name)];
    if (value !== null) subjects[name] = value;
  }
  return subjects;
};
export const signalOf = (row: Told): Signal => ({
  source: row.source,
  id: row.eventId,
  type: row.type,
  occurredAt: row.occurredAt,
  subjects: subjectsOf(row),
  facts: {
    ...known('country', row.country),
    ...(row.minorUnits === null || row.currency === null
      ? {}
      : { amount: { minorUnits: row.minorUnits, currency: row.currency } }),
    ...known('declineCode', row.declineCode),
    ...known('advice', row.advice),
    ...known('customerSince', row.customerSince),
    ...known('outcome', row.outcome as Signal['facts']['outcome'] | null),
    ...known('change', row.changed as Signal['facts']['change'] | null),
    ...known('deadline', row.deadline),
  },
  ...(row.backdated ? { isBackdated: true } : {}),
});

/** The row of a signal whose subjects are digests and ids of ours already. Spelled out: to copy columns from object to object takes longer. */
export const signalRow = (
  id: string,
  { source, id: eventId, type, occurredAt, subjects, facts, isBackdated }: Signal,
  receivedAt: Date,
): Values<RiskSignal> => ({
  id,
  source,
  eventId,
  type,
  occurredAt,
  receivedAt,
  customer: subjects.customer ?? null,
  card: subjects.card ?? null,
  device: subjects.device ?? null,
  ip: subjects.ip ?? null,
  emailDomain: subjects.emailDomain ?? null,
  orderSubject: subjects.order ?? null,
  payment: subjects.payment ?? null,
  ticket: subjects.ticket ?? null,
  staff: subjects.staff ?? null,
  team: subjects.team ?? null,
  session: subjects.session ?? null,
  keySubject: subjects.key ?? null,
  country: facts.country ?? null,
  minorUnits: facts.amount?.minorUnits ?? null,
  currency: facts.amount?.currency ?? null,
  declineCode: facts.declineCode ?? null,
  advice: facts.advice ?? null,
  customerSince: facts.customerSince ?? null,
  outcome: facts.outcome ?? null,
  changed: facts.change ?? null,
  deadline: facts.deadline ?? null,
  backdated: isBackdated ? true : null,
});
