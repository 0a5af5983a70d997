import type { AuditEventFilter } from '../../graph/operations';
import { paths, pathTo } from '../../paths';
import { eventNames } from './words';

/** What of a filter stands in the address: ids, times, names of events. Never a word that somebody typed. */
export const filterNames = ['from', 'before', 'action', 'outcome', 'actor', 'ticket', 'customer', 'type', 'subject'] as const;
export type FilterName = (typeof filterNames)[number];
export type Filters = Partial<Readonly<Record<FilterName, string>>>;

const ulid = '[0-7][0-9A-HJKMNP-TV-Z]{25}';
const idOf = (prefix: string) => new RegExp(`^${prefix}_${ulid}$`);
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{3})?)?Z$/;

export const isTime = (text: string): boolean => time.test(text) && Number.isFinite(Date.parse(text));
export const isCustomer = (text: string): boolean => idOf('cus').test(text);

const accepts: Readonly<Record<FilterName, (text: string) => boolean>> = {
  from: isTime,
  before: isTime,
  action: (text) => eventNames.includes(text),
  outcome: (text) => text === 'ALLOWED' || text === 'DENIED',
  actor: (text) => new RegExp(`^(?:act_${ulid}|system:[a-z][a-z-]*|customer:[a-z]{3}_${ulid})$`).test(text),
  ticket: (text) => idOf('tkt').test(text),
  customer: isCustomer,
  type: (text) => /^[A-Z][A-Za-z]{1,40}$/.test(text),
  // Ours, a digest, or the name of something that is configured.
  subject: (text) => new RegExp(`^(?:[a-z]{2,4}_${ulid}|[0-9a-f]{64}|[a-z][a-z0-9.:/-]{0,80})$`).test(text),
};

/** Names of what isn't an id or a time of its kind. */
export const wrongIn = (filters: Filters): readonly FilterName[] =>
  filterNames.filter((name) => filters[name] !== undefined && !accepts[name](filters[name] as string));

/** What an address filters by; what doesn't belong there is left out. */
export const filtersIn = (search: string): Filters => {
  const query = new URLSearchParams(search);
  const found = Object.fromEntries(
    filterNames.flatMap((name) => {
      const value = query.get(name);
      return value !== null && accepts[name](value) ? [[name, value]] : [];
    }),
  );
  return found;
};

/** The address of the log under a filter. */
export const logPath = (filters: Filters): string => {
  const query = new URLSearchParams(filterNames.flatMap((name) => (filters[name] ? [[name, filters[name] as string]] : [])));
  return query.size === 0 ? paths.log : `${paths.log}?${query}`;
};

export const filterOf = ({
  action,
  from,
  before,
  outcome,
  actor,
  ticket,
  customer,
  type,
  subject,
}: Filters): AuditEventFilter => ({
  action,
  from,
  before,
  outcome: outcome === 'ALLOWED' || outcome === 'DENIED' ? outcome : undefined,
  actorId: actor,
  ticketId: ticket,
  customerId: customer,
  subjectType: type,
  subjectId: subject,
});

/** Where something is looked at by its id; null for what has no place of its own. */
export const placeOf = (id: string): string | null => {
  if (idOf('evt').test(id)) return pathTo('logEvent', { id });
  if (isCustomer(id)) return pathTo('logCustomer', { id });
  if (idOf('(?:tkt|txn)').test(id)) return pathTo('logTrail', { id });
  return null;
};

/** UTC as a field for date and time has it, and back. */
export const fieldOf = (time: string | undefined): string =>
  time === undefined ? '' : new Date(time).toISOString().slice(0, 16);
export const timeIn = (field: string): string | undefined => (field === '' ? undefined : `${field.slice(0, 16)}:00Z`);
/** The beginning of a minute, in UTC. */
export const minuteOf = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 16)}:00Z`;
