import type { Reads } from '../db/reads';
import { type Sql, sql } from '../db/sql';
import { optional, select } from '../db/table';
import { chunks } from '../lanes';
import { normalForm } from '../privacy/digests';
import { assistance } from './assistance/assistance.rows';
import { credentialUpdate as update } from './credentials/credentials.rows';
import { customer } from './customers/customers.rows';
import { hold } from './holds/holds.rows';
import type { Keys } from './keys/keys.service';
import { paymentCustomers } from './payments/payment.entity';
import { method, payer, payerRows, transaction } from './payments/payments.rows';
import { recognition } from './recognitions/recognition.rows';
import type { NamedByEvents } from './signals/log-signals';
import { RecentDigests } from './signals/recent-digests';
import type { SignalNames } from './signals/signals.slice';
import { type NamedThings, subjectDigest } from './signals/subjects';
import { staff, ticket } from './tickets/tickets.rows';

/** Names of one statement. */
const atOnce = 500;

const customersOfHelpdesk = select(customer.pick('id', 'reference'), sql`FROM ${customer}`);
const customersOfPayments = select(payer.pick('id', 'referenceDigest'), sql`FROM ${payer}`);
const cards = select(method.pick('id', 'sameAsId', 'referenceDigest'), sql`FROM ${method}`);
const payments = select(
  transaction.pick('id', 'reference'),
  sql`FROM ${transaction} JOIN ${payer} ON ${payer.id} = ${transaction.paymentCustomerId}`,
);
const tickets = select(ticket.pick('id', 'reference'), sql`FROM ${ticket}`);
const members = select(staff.pick('id', 'reference', 'loginDigest'), sql`FROM ${staff}`);

const assisted = select(
  { ...assistance.pick('id', 'actorId', 'ticketId', 'customerId', 'requestedByStaffIds'), ...ticket.pick('source', 'team') },
  sql`FROM ${assistance} JOIN ${ticket} ON ${ticket.id} = ${assistance.ticketId}`,
);
const updates = select(
  {
    ...update.pick('id', 'ticketId', 'customerId', 'paymentCustomerId', 'paymentMethodId', 'kind'),
    ...{ actorId: update.requestedById, staffId: update.requestedByStaffId, team: optional(ticket.team) },
  },
  sql`FROM ${update} LEFT JOIN ${ticket} ON ${ticket.id} = ${update.ticketId}`,
);
const held = select(
  { ...hold.pick('id', 'ticketId', 'customerId'), team: optional(ticket.team) },
  sql`FROM ${hold} LEFT JOIN ${ticket} ON ${ticket.id} = ${hold.ticketId}`,
);
const asked = select(
  { ...recognition.pick('id', 'ticketId', 'customerId'), team: optional(ticket.team) },
  sql`FROM ${recognition} LEFT JOIN ${ticket} ON ${ticket.id} = ${recognition.ticketId}`,
);
const staffSources = select(staff.pick('id', 'source'), sql`FROM ${staff}`);

/** What events of the log name by id, for whoever makes signals of them. */
const namedByEvents = (reads: Reads): NamedByEvents => ({
  assisted: async (ids) => {
    const rows = (
      await Promise.all(chunks(ids, atOnce).map((part) => reads.read(assisted, sql`WHERE ${assistance.id} IN (${part})`)))
    ).flat();
    const members = [...new Set(rows.flatMap(({ requestedByStaffIds }) => requestedByStaffIds ?? []))];
    const found = await Promise.all(
      chunks(members, atOnce).map((part) => reads.read(staffSources, sql`WHERE ${staff.id} IN (${part})`)),
    );
    const sourceOf = new Map(found.flat().map(({ id, source }) => [id, source]));
    return rows.map(({ requestedByStaffIds, source, ...row }) => ({
      ...row,
      staffId: requestedByStaffIds?.find((id) => sourceOf.get(id) === source) ?? null,
    }));
  },
  updates: async (ids) =>
    (await Promise.all(chunks(ids, atOnce).map((part) => reads.read(updates, sql`WHERE ${update.id} IN (${part})`)))).flat(),
  holds: async (ids) =>
    (await Promise.all(chunks(ids, atOnce).map((part) => reads.read(held, sql`WHERE ${hold.id} IN (${part})`)))).flat(),
  questions: async (ids) =>
    (await Promise.all(chunks(ids, atOnce).map((part) => reads.read(asked, sql`WHERE ${recognition.id} IN (${part})`)))).flat(),
});

const linked = select(customer.pick('id', 'source', 'reference', 'paymentCustomerId'), sql`FROM ${customer}`);

/** Of the names that customers have on both sides, one for each: the least, so that it is the same whoever asks. Only reads. */
export const oneNameEach = async (reads: Reads): Promise<(customer: string) => string> => {
  const names = new Map<string, string>();
  const rows = await reads.read(linked, sql`WHERE ${customer.paymentCustomerId} IS NOT NULL ORDER BY ${customer.id}`);
  for (const { id, paymentCustomerId } of rows) {
    const name = names.get(paymentCustomerId ?? '') ?? id;
    names.set(paymentCustomerId ?? '', name).set(id, name);
  }
  return (called) => names.get(called) ?? called;
};

/** By which names signals call one customer: ours on either side, and the digests of what senders call them. */
const namesOfCustomer =
  (reads: Reads, keys: Keys) =>
  async (id: string): Promise<readonly string[]> => {
    const isPayer = id.startsWith('pcu_');
    const found = isPayer || id.startsWith('cus_');
    if (!found) return [id];
    const asked = isPayer ? [] : await reads.read(linked, sql`WHERE ${customer.id} = ${id}`);
    const payerId = isPayer ? id : (asked[0]?.paymentCustomerId ?? null);
    const [people, payers] =
      payerId === null
        ? [asked, []]
        : await Promise.all([
            reads.read(linked, sql`WHERE ${customer.paymentCustomerId} = ${payerId}`),
            reads.read(payerRows, sql`WHERE ${payer.id} = ${payerId}`),
          ]);
    const called = [
      ...people.map(({ source, reference }) => ({ source, reference })),
      ...payers.map((row) => ({ source: row.source, reference: keys.open(paymentCustomers, row, 'reference') })),
    ];
    const digests = called.flatMap(({ source, reference }) =>
      reference === null ? [] : subjectDigest(keys.digests, 'customer', reference, source),
    );
    return [...new Set([id, ...people.map((each) => each.id), ...(payerId === null ? [] : [payerId]), ...digests])];
  };

/** The same values, the last of them repeated up to a power of two: a server prepares a statement for each length of a list. */
const ofFewLengths = (values: readonly string[]): readonly string[] => {
  const last = values.at(-1);
  if (last === undefined) return values;
  const length = 2 ** Math.ceil(Math.log2(values.length));
  return [...values, ...new Array<string>(length - values.length).fill(last)];
};

/** Our ids of what the helpdesks and providers of this installation know by these names. */
const namedThings = (reads: Reads, keys: Keys): NamedThings => {
  /** By what is stored of a name: the name itself, or a digest of it. */
  const found = async <Row>(
    names: readonly string[],
    storedOf: (name: string) => string,
    rowsOf: (stored: readonly string[]) => Promise<readonly Row[]>,
    read: (row: Row) => readonly [stored: string, id: string],
  ): Promise<ReadonlyMap<string, string>> => {
    const ids = new Map<string, string>();
    for (const part of chunks(names, atOnce)) {
      const byStored = new Map(part.map((name) => [storedOf(name), name]));
      for (const row of await rowsOf(ofFewLengths([...byStored.keys()]))) {
        const [stored, id] = read(row);
        const name = byStored.get(stored);
        if (name !== undefined) ids.set(name, id);
      }
    }
    return ids;
  };
  const itself = (name: string) => name;
  const recent = new RecentDigests();
  const digestFor = (domain: string) => recent.of(domain, (name) => keys.searchDigest(domain, name) as string);
  const of = (source: Sql, name: string, column: Sql, names: readonly string[]) =>
    sql`WHERE ${source} = ${name} AND ${column} IN (${names})`;
  return {
    customersOfHelpdesk: (source, names) =>
      found(
        names,
        itself,
        (stored) => reads.read(customersOfHelpdesk, of(customer.source, source, customer.reference, stored)),
        ({ reference, id }) => [reference, id],
      ),
    customersOfPayments: (source, names) =>
      found(
        names,
        digestFor('payment-customer'),
        (stored) => reads.read(customersOfPayments, of(payer.source, source, payer.referenceDigest, stored)),
        ({ referenceDigest, id }) => [referenceDigest, id],
      ),
    cards: (source, names) =>
      found(
        names,
        digestFor(`payment-method:${source}`),
        // The digest is of a source's reference alone.
        (stored) => reads.read(cards, sql`WHERE ${method.referenceDigest} IN (${stored})`),
        ({ referenceDigest, sameAsId, id }) => [referenceDigest, sameAsId ?? id],
      ),
    payments: (source, names) =>
      found(
        names,
        itself,
        (stored) => reads.read(payments, of(payer.source, source, transaction.reference, stored)),
        ({ reference, id }) => [reference, id],
      ),
    tickets: (source, names) =>
      found(
        names,
        itself,
        (stored) => reads.read(tickets, of(ticket.source, source, ticket.reference, stored)),
        ({ reference, id }) => [reference, id],
      ),
    staff: async (source, names) => {
      const byReference = await found(
        names,
        itself,
        (stored) => reads.read(members, of(staff.source, source, staff.reference, stored)),
        ({ reference, id }) => [reference, id],
      );
      const byLogin = await found(
        names,
        (name) => keys.searchDigest('staff', normalForm(name)) ?? '',
        (stored) => reads.read(members, of(staff.source, source, staff.loginDigest, stored)),
        ({ loginDigest, id }) => [loginDigest, id],
      );
      return new Map([...byLogin, ...byReference]);
    },
  };
};

/** Looks up what signals are about: ours by what they are called elsewhere, and what they are called by ours. */
export const signalNames = (reads: Reads, keys: Keys): SignalNames => ({
  ...namedThings(reads, keys),
  ...namedByEvents(reads),
  namesOfCustomer: namesOfCustomer(reads, keys),
});
