import type { Change } from '../../db/change';
import { bounded } from '../../db/columns';
import { type Sql, sql } from '../../db/sql';
import { select, type Values } from '../../db/table';
import type { DataKey } from '../../privacy/customer-keys';
import { type RecordTexts, withoutCardData } from '../../privacy/redaction';
import { ulid } from '../../ulid';
import type {
  HelpdeskCustomerRecord,
  MessageRecord,
  StaffRecord,
  TicketRecord,
  TicketSnapshot,
} from '../../upstream/helpdesk/helpdesk.port';
import type { Core } from '../core';
import type { CustomersIngest } from '../customers/customers.ingest';
import { contentDigest } from '../keys/content-digest';
import { type Keys, sealField } from '../keys/keys.service';
import { type Departure, keepHolders } from './holders';
import { takeStaff } from './staff.ingest';
import { type Message, messages, type Ticket, tickets } from './ticket.entity';
import { TicketSignals } from './tickets.signals';

/** What of a ticket decides who may assist on it. */
const accessFacts = [
  'keyId',
  'status',
  'team',
  'assigneeId',
  'assignedById',
  'teamSetById',
  'createdById',
  'customerSetByIds',
  'customerId',
] as const;
type AccessFacts = Pick<Values<Ticket>, (typeof accessFacts)[number]>;

const knownTickets = select(
  tickets.pick('id', 'reference', 'revision', 'observedAt', 'digest', 'messagesSeenAt', 'readAt', ...accessFacts),
  sql`FROM ${tickets}`,
);
const heldTickets = select(tickets.pick('id', 'assigneeId', 'customerId', 'team', 'revision', 'status'), sql`FROM ${tickets}`);
const ticketIds = select({ id: tickets.id }, sql`FROM ${tickets}`);
const knownMessages = select(messages.pick('id', 'ticketId', 'reference', 'digest'), sql`FROM ${messages}`);

/** A message's body is cleaned where it is stored: what was removed from it is kept beside it. */
const helpdeskTexts: RecordTexts = {
  asTheyAre: new Set([
    'reference',
    'login',
    'protectedPaymentReference',
    'assignee',
    'assignedBy',
    'teamSetBy',
    'createdByStaff',
    'customerSetBy',
    'body',
  ] satisfies (keyof TicketRecord | keyof StaffRecord | keyof HelpdeskCustomerRecord | keyof MessageRecord)[]),
  contacts: new Set(['email', 'phone'] satisfies (keyof HelpdeskCustomerRecord)[]),
  orderNumbers: new Set(),
};

/** A helpdesk whose tickets are stored. */
export interface TicketSource {
  readonly name: string;
  /** The helpdesk's names of teams, as the identity provider's tokens have them. */
  readonly teams: Readonly<Record<string, string>>;
}

/** A ticket as it was read. `snapshot` is cleaned of card data, `given` is what the helpdesk said, for nothing but to be compared. */
interface Sight {
  readonly snapshot: TicketSnapshot;
  readonly given: TicketSnapshot;
}

/** A ticket that says something new, with the key that what was said in it is sealed with. */
interface Changed {
  readonly id: string;
  readonly customerId: string | null;
  readonly team: string | null;
  readonly key: DataKey;
  /** No member of staff said whom it is about. */
  readonly isTheirOwn: boolean;
  readonly snapshot: TicketSnapshot;
  /** Of each message, by its reference. */
  readonly digests: ReadonlyMap<string, string>;
}

/** Tickets of one helpdesk as they were read, with our ids of whom they name. */
interface Seen {
  readonly source: TicketSource;
  readonly sights: readonly Sight[];
  readonly staffIds: ReadonlyMap<string, string>;
  readonly customerIds: ReadonlyMap<string, string>;
  readonly signals: TicketSignals;
}

/** What happened to a ticket that ends the assistances on it. */
export interface TicketTurn {
  readonly ticketId: string;
  readonly reason: 'TICKET_CLOSED' | 'REASSIGNED' | 'RECIPIENT_CHANGED';
  /** Who had it until now; null where nobody did. */
  readonly heldBy: string | null;
}

/** What ends with a ticket, in the change that stores what became of it. */
export interface EndsWithTickets {
  /** `leasesUntil`: until when, in UTC milliseconds, some process may still disclose under those that ended. */
  end(change: Change, turns: readonly TicketTurn[]): Promise<{ readonly ended: number; readonly leasesUntil: number }>;
  /** Resolves once no process does any more. */
  settled(leasesUntil: number): Promise<void>;
}

export interface TicketsIngestParts extends Pick<Core, 'database' | 'keys' | 'redactor'> {
  readonly customers: CustomersIngest;
  readonly assistances: EndsWithTickets;
}

/**
 * Brings what helpdesks say into the read model. Each call is one short change: nothing upstream is asked in here. What is
 * older than what is stored never overwrites it.
 */
export class TicketsIngest {
  constructor(private readonly parts: TicketsIngestParts) {}

  /**
   * Tickets with their customers, staff and messages. Where a ticket was closed, reassigned or re-addressed, its
   * assistances end in the same change. Resolves once nobody can disclose under them any more.
   */
  async take(source: TicketSource, snapshots: readonly TicketSnapshot[]): Promise<void> {
    if (snapshots.length === 0) return;
    const sights = latestByReference(snapshots).map(
      (given): Sight => ({ given, snapshot: withoutCardData(given, helpdeskTexts, this.parts.redactor) }),
    );
    const newest = sights.map(({ snapshot }) => snapshot);
    const leases = await this.parts.database.system('sync', 'source.ingest-tickets', async (change) => {
      const seenStaff = newest.flatMap(({ staff, asOf }) => staff.map((record) => ({ record, asOf })));
      const staffIds = await takeStaff(change, this.parts.keys, source.name, seenStaff);
      const seenCustomers = newest.flatMap(({ ticket, asOf }) => (ticket.customer ? [{ record: ticket.customer, asOf }] : []));
      const customerIds = await this.parts.customers.take(change, source.name, seenCustomers);
      const signals = new TicketSignals(source.name, change.at);
      const { changed, turns } = await this.tickets(change, { source, sights, staffIds, customerIds, signals });
      const { ended, leasesUntil } = await this.parts.assistances.end(change, turns);
      await this.messages(change, changed, staffIds, signals);
      await signals.store(change);
      if (change.hasWritten)
        change.record('source.ingest-tickets', {
          subject: { type: 'Source', id: source.name },
          detail: { tickets: changed.length, ended },
        });
      return leasesUntil;
    });
    await this.parts.assistances.settled(leases);
  }

  /** Something of this ticket is stored that a helpdesk without it, as of then, would end. */
  async canBeGone(source: string, reference: string, asOf: Date): Promise<boolean> {
    return (await this.parts.database.read(ticketIds, couldBeGone(source, reference, asOf))).length > 0;
  }

  /**
   * The helpdesk no longer shows this ticket to us: nobody works on it as far as we can know, until it is seen again.
   * Resolves once nobody can disclose under its assistances any more.
   */
  async gone(source: string, reference: string, asOf: Date): Promise<void> {
    const isWorkedOn = couldBeGone(source, reference, asOf);
    const leases = await this.parts.database.system('sync', 'source.ingest-tickets', async (change) => {
      const [row] = await change.read(heldTickets, isWorkedOn, { lock: true });
      if (!row) return 0;
      const nobodys = { status: 'CLOSED', team: null, assigneeId: null, observedAt: asOf };
      // What the helpdesk erased, or keeps from us, isn't kept here: it is read again should the ticket be seen again.
      const unsaid = { subjectSealed: null, digest: null, mark: null, messagesSeenAt: asOf };
      await change.update(tickets, { ...nobodys, ...unsaid }, sql`${tickets.id} = ${row.id}`);
      const { id: ticketId, assigneeId: staffId, customerId } = row;
      if (staffId !== null && customerId !== null) await keepHolders(change, [{ ticketId, customerId, staffId, at: asOf }]);
      const removed = await change.remove(messages, sql`${messages.ticketId} = ${row.id}`);
      if (removed > 0) recordMessages(change, row.id, { edited: 0, removed });
      const signals = new TicketSignals(source, change.at);
      if (!isOver(row.status)) signals.closed(row, row.revision, asOf);
      await signals.store(change);
      const { ended, leasesUntil } = await this.parts.assistances.end(change, [
        { ticketId: row.id, reason: 'TICKET_CLOSED', heldBy: row.assigneeId },
      ]);
      change.record('source.ingest-tickets', {
        ticketId: row.id,
        subject: { type: 'Source', id: source },
        detail: { gone: true, ended },
      });
      return leasesUntil;
    });
    await this.parts.assistances.settled(leases);
  }

  /** The helpdesk's answer about a ticket made no sense: until it does, nothing but a sight of the ticket itself confirms it. */
  async unreadable(source: string, reference: string): Promise<void> {
    await this.parts.database.system('sync', 'source.ingest-tickets', async (change) => {
      const isReadable = sql`${isTicket(source, reference)} AND ${tickets.unreadable} = ${false}`;
      const affected = await change.update(tickets, { unreadable: true }, isReadable);
      if (affected > 0)
        change.record('source.ingest-tickets', { subject: { type: 'Source', id: source }, detail: { unreadable: affected } });
    });
  }

  /** The helpdesk showed these tickets, and nothing happened to them until then. */
  async confirmed(ids: readonly string[], asOf: Date): Promise<void> {
    if (ids.length === 0) return;
    await this.parts.database.system('sync', 'source.ingest-tickets', async (change) => {
      const { id, observedAt, unreadable } = tickets;
      await change.bookkeep(
        tickets,
        { observedAt: asOf },
        sql`${observedAt} < ${asOf} AND ${unreadable} = ${false} AND ${id} IN (${ids})`,
      );
    });
  }

  /** Those of these tickets in which stands what stood there when they were read, by the helpdesk's marks of them. */
  unchanged<Row extends { readonly id: string; readonly reference: string; readonly mark: string | null }>(
    rows: readonly Row[],
    marks: ReadonlyMap<string, string>,
  ): readonly Row[] {
    return rows.filter(
      ({ id, reference, mark }) => mark !== null && mark === markDigest(this.parts.keys, id, marks.get(reference)),
    );
  }

  /** What is stored of these tickets' text is what the helpdesk had then. */
  async compared(ids: readonly string[], asOf: Date): Promise<void> {
    if (ids.length === 0) return;
    const isOlder = sql`${tickets.messagesSeenAt} < ${asOf} AND ${tickets.id} IN (${ids})`;
    await this.parts.database.bookkeeping(tickets, (books) => books.update({ messagesSeenAt: asOf }, isOlder));
  }

  /** The helpdesk has no such ticket, and nothing of it is stored that it would have to agree with. */
  async absent(source: string, reference: string, asOf: Date): Promise<void> {
    const isOlder = sql`${tickets.messagesSeenAt} < ${asOf} AND ${isTicket(source, reference)}`;
    await this.parts.database.bookkeeping(tickets, (books) => books.update({ messagesSeenAt: asOf }, isOlder));
  }

  private async tickets(
    change: Change,
    { source, sights, staffIds, customerIds, signals }: Seen,
  ): Promise<{ readonly changed: readonly Changed[]; readonly turns: readonly TicketTurn[] }> {
    const references = sights.map(({ snapshot }) => snapshot.ticket.reference);
    const known = await change.read(
      knownTickets,
      sql`WHERE ${tickets.source} = ${source.name} AND ${tickets.reference} IN (${references})`,
      { lock: true },
    );
    const stored = new Map(known.map((row) => [row.reference, row]));
    const planned = sights.map(({ snapshot, given }) => {
      const { reference, customer } = snapshot.ticket;
      const row = stored.get(reference);
      const id = row?.id ?? `tkt_${ulid()}`;
      const customerId = customer ? (customerIds.get(customer.reference) ?? null) : null;
      return { snapshot, given, row, id, customerId, owner: customerId ?? id };
    });
    const keys = await this.parts.keys.forOwners(
      change,
      planned.map(({ owner }) => owner),
    );
    const staffId = (reference: string | null | undefined) => (reference ? (staffIds.get(reference) ?? null) : null);
    const fresh: Values<Ticket>[] = [];
    const seen: string[] = [];
    const compared: string[] = [];
    const turns: TicketTurn[] = [];
    const changed: Changed[] = [];
    const departures: Departure[] = [];
    for (const { snapshot, given, row, id, customerId, owner } of planned) {
      const { ticket, asOf } = snapshot;
      const key = keys.get(owner);
      // Erased: nothing new is kept of what is said, but who works on the ticket still ends what was granted.
      const keyId = key?.id ?? row?.keyId;
      if (!keyId) continue;
      // The revision decides first: a slow fetch may have begun earlier and still have seen more.
      const isLater = row && ticket.revision > row.revision;
      // Asked for after the higher one was stored, a lower one says that the helpdesk removed the end of its record.
      const isShortened = row && ticket.revision < row.revision && row.readAt !== null && asOf > row.readAt;
      if (row && !isLater && ((ticket.revision < row.revision && !isShortened) || asOf < row.observedAt)) continue;
      const customerSetBy = [
        ...ticket.customerSetBy.flatMap((reference) => staffIds.get(reference) ?? []),
        // An older sight of the ticket's surroundings may lack who edited its customer since, and a shorter record who ever did.
        ...(row && (asOf < row.observedAt || isShortened) ? row.customerSetByIds : []),
      ];
      const facts: AccessFacts = {
        keyId,
        status: ticket.status,
        team: ticket.team === null ? null : teamOf(source.teams, ticket.team),
        assigneeId: staffId(ticket.assignee),
        assignedById: staffId(ticket.assignedBy),
        teamSetById: staffId(ticket.teamSetBy),
        createdById: staffId(ticket.createdByStaff),
        customerSetByIds: [...new Set(customerSetBy)].sort(),
        customerId,
      };
      const isWhole = given.isPartial !== true;
      const { digests, digest } = this.digestsOf(id, given);
      // The same revision says the same of who works on it; what surrounds it (who edited its customer) may still have moved, and what
      // stands in it may have been edited or removed behind the helpdesk's own back.
      if (row && ticket.revision === row.revision && isSameFor(row, facts) && (!isWhole || !key || row.digest === digest)) {
        seen.push(id);
        if (isWhole) compared.push(id);
        continue;
      }
      const subject = ticket.subject === null ? null : bounded(ticket.subject, 2_000);
      const values = {
        ...facts,
        revision: ticket.revision,
        subjectSealed: subject === null || !key ? null : sealField(tickets, id, 'subject', key, subject),
        channel: ticket.channel,
        unreadable: false,
        updatedAt: ticket.updatedAt,
        observedAt: asOf,
        digest: isWhole && key ? digest : null,
        mark: isWhole && key ? markDigest(this.parts.keys, id, given.mark) : null,
        messagesSeenAt: isWhole ? asOf : (row?.messagesSeenAt ?? never),
        readAt: change.at,
      };
      if (!row) {
        fresh.push({ id, source: source.name, reference: ticket.reference, createdAt: ticket.createdAt, ...values });
      } else {
        await change.update(tickets, values, sql`${tickets.id} = ${id}`);
        const turned = { ticketId: id, heldBy: row.assigneeId };
        const isElsewhere = row.assigneeId !== values.assigneeId || row.customerId !== customerId;
        if (isElsewhere && row.assigneeId !== null && row.customerId !== null)
          departures.push({ ticketId: id, customerId: row.customerId, staffId: row.assigneeId, at: asOf });
        if (isOver(ticket.status)) turns.push({ ...turned, reason: 'TICKET_CLOSED' });
        else if (row.customerId !== customerId) turns.push({ ...turned, reason: 'RECIPIENT_CHANGED' });
        else if (row.assigneeId !== values.assigneeId || row.team !== values.team)
          turns.push({ ...turned, reason: 'REASSIGNED' });
        // A ticket that passes to another customer takes its messages along under the other key.
        if (row.keyId !== keyId || (!key && row.customerId !== customerId))
          await change.remove(messages, sql`${messages.ticketId} = ${id}`);
      }
      const { team } = facts;
      if (isOver(ticket.status) && !(row && isOver(row.status)))
        signals.closed({ id, customerId, team }, ticket.revision, ticket.updatedAt);
      const isTheirOwn = customerId !== null && facts.customerSetByIds.length === 0 && facts.createdById === null;
      if (key) changed.push({ id, customerId, team, key, isTheirOwn, snapshot, digests });
    }
    await change.insert(tickets, fresh);
    await keepHolders(change, departures);
    if (seen.length > 0) {
      const asOf = new Date(Math.min(...sights.map(({ snapshot }) => snapshot.asOf.getTime())));
      const isOlder = sql`${tickets.observedAt} < ${asOf} AND ${tickets.id} IN (${seen})`;
      await change.bookkeep(tickets, { observedAt: asOf, unreadable: false }, isOlder);
      if (compared.length > 0)
        await change.bookkeep(
          tickets,
          { messagesSeenAt: asOf },
          sql`${tickets.messagesSeenAt} < ${asOf} AND ${tickets.id} IN (${compared})`,
        );
    }
    return { changed, turns };
  }

  /** One digest for each message, over all that is said of it, and one for the ticket with all of them. */
  private digestsOf(id: string, { ticket, messages: said, mark }: TicketSnapshot) {
    const { keys } = this.parts;
    // Who else takes part in a ticket is no change of what was said in it.
    const digests = new Map(
      said.map(({ isByCustomer: _, ...each }) => [each.reference, contentDigest(keys, `${id} ${each.reference}`, each)]),
    );
    // Who the customer is belongs to the customer, whom these snapshots tell of as well.
    const { customer, customerSetBy, ...rest } = ticket;
    const facts = { ...rest, customer: customer?.reference ?? null, customerSetBy: [...customerSetBy].sort() };
    return { digests, digest: contentDigest(keys, id, { ...facts, mark: mark ?? null, messages: [...digests] }) };
  }

  /**
   * What is said in tickets as their helpdesk has it: what was edited there is edited here, what was removed there is gone here. A
   * ticket that wasn't read whole only gets what is new.
   */
  private async messages(
    change: Change,
    changed: readonly Changed[],
    staffIds: ReadonlyMap<string, string>,
    signals: TicketSignals,
  ): Promise<void> {
    if (changed.length === 0) return;
    const known = await change.read(knownMessages, sql`WHERE ${messages.ticketId} IN (${changed.map(({ id }) => id)})`);
    const stored = new Map(known.map((row) => [`${row.ticketId} ${row.reference}`, row]));
    const fresh: Values<Message>[] = [];
    for (const { id: ticketId, customerId, team, key, isTheirOwn, snapshot, digests } of changed) {
      const isWhole = snapshot.isPartial !== true;
      let edited = 0;
      for (const said of snapshot.messages) {
        const { reference, author, channel, body, isCut = false, attachments = [], createdAt } = said;
        const row = stored.get(`${ticketId} ${reference}`);
        const digest = digests.get(reference) as string;
        if (row && (!isWhole || row.digest === digest)) continue;
        const id = row?.id ?? `msg_${ulid()}`;
        const { text, redactions } = this.parts.redactor.redact(body);
        const kept = bounded(text);
        const kinds = [...new Set(redactions.map(({ kind }) => kind))];
        const message: Values<Message> = {
          id,
          ticketId,
          reference,
          authorKind: author.kind,
          authorStaffId: author.kind === 'STAFF' ? (staffIds.get(author.reference) ?? null) : null,
          channel,
          keyId: key.id,
          bodySealed: sealField(messages, id, 'body', key, kept),
          attachmentsSealed: sealField(messages, id, 'attachments', key, JSON.stringify(attachments)),
          isCut: isCut || kept !== text,
          redactions: kinds.map((kind) => `${kind}:${redactions.filter((each) => each.kind === kind).length}`),
          createdAt,
          digest: isWhole ? digest : null,
          // What was edited may be anybody's.
          claimDueAt: !row && isTheirOwn && statesSomething(said, kept, change.at) ? change.at : null,
        };
        if (!row) {
          fresh.push(message);
          signals.wrote({ id: ticketId, customerId, team }, message);
        } else {
          await change.update(messages, message, sql`${messages.id} = ${id}`);
          // Of what was stored before there were digests nobody knows whether it is another text.
          if (row.digest !== null) edited += 1;
        }
      }
      const left = isWhole ? known.filter((row) => row.ticketId === ticketId && !digests.has(row.reference)) : [];
      const removed = left.length === 0 ? 0 : await change.remove(messages, sql`${messages.id} IN (${left.map(({ id }) => id)})`);
      if (edited + removed > 0) recordMessages(change, ticketId, { edited, removed });
    }
    await change.insert(messages, fresh);
  }
}

/** What was written longer ago than this, in milliseconds, is history by the time it is read. */
const readWithin = 24 * 3_600_000;

/** Loaded where a customer writes. */
const claimText = () => require('../../risk/claim-text') as typeof import('../../risk/claim-text');

/** The customer states something of a payment in it, a moment ago. */
const statesSomething = ({ author, isByCustomer, isCut, createdAt }: MessageRecord, text: string, now: Date): boolean =>
  author.kind === 'CUSTOMER' &&
  isByCustomer === true &&
  isCut !== true &&
  now.getTime() - createdAt.getTime() <= readWithin &&
  claimText().claimInText(text, createdAt) !== null;

/** How a ticket's mark is kept. */
const markDigest = (keys: Keys, id: string, mark: string | null | undefined): string | null =>
  mark ? contentDigest(keys, `${id} mark`, { mark }) : null;

const isOver = (status: string): boolean => status === 'RESOLVED' || status === 'CLOSED';

/** What was never held against the helpdesk's. */
const never = new Date(0);

const recordMessages = (change: Change, ticketId: string, detail: { readonly edited: number; readonly removed: number }): void =>
  change.record('source.messages-changed', { ticketId, subject: { type: 'Ticket', id: ticketId }, detail });

const isTicket = (source: string, reference: string): Sql =>
  sql`${tickets.source} = ${source} AND ${tickets.reference} = ${reference}`;

const couldBeGone = (source: string, reference: string, asOf: Date): Sql => {
  const { status, team, assigneeId, observedAt, subjectSealed } = tickets;
  return sql`WHERE ${isTicket(source, reference)} AND ${observedAt} <= ${asOf}
    AND (${status} <> 'CLOSED' OR ${team} IS NOT NULL OR ${assigneeId} IS NOT NULL OR ${subjectSealed} IS NOT NULL
      OR EXISTS (SELECT 1 FROM ${messages} WHERE ${messages.ticketId} = ${tickets.id}))`;
};

const isSameFor = (row: AccessFacts, facts: AccessFacts): boolean =>
  accessFacts.every((fact) => JSON.stringify(row[fact]) === JSON.stringify(facts[fact]));

/** The team's name as the identity provider has it; at most as long as the column. */
const teamOf = (teams: Readonly<Record<string, string>>, queue: string): string =>
  ((Object.hasOwn(teams, queue) ? teams[queue] : undefined) ?? queue).slice(0, 128);

const latestByReference = (snapshots: readonly TicketSnapshot[]): readonly TicketSnapshot[] => {
  const newest = new Map<string, TicketSnapshot>();
  for (const snapshot of snapshots) {
    const other = newest.get(snapshot.ticket.reference);
    if (
      !other ||
      other.ticket.revision < snapshot.ticket.revision ||
      (other.ticket.revision === snapshot.ticket.revision && other.asOf <= snapshot.asOf)
    ) {
      newest.set(snapshot.ticket.reference, snapshot);
    }
  }
  // Oldest sight first: of a person who stands in several, the newest one is kept.
  return [...newest.values()].sort((a, b) => a.asOf.getTime() - b.asOf.getTime());
};
