import { createHash } from 'node:crypto';
import { z } from 'zod';
import { inTurns } from '../../../lanes';
import { shortText } from '../../source-text';
import { SourceUnavailable } from '../../source-unavailable';
import type {
  HelpdeskConnector,
  HelpdeskCustomerRecord,
  MessageRecord,
  OpenedDraft,
  StaffRecord,
  TicketBatch,
  TicketDraft,
  TicketSnapshot,
  TicketStatus,
  WebhookJudgement,
  WebhookRequest,
} from '../helpdesk.port';
import { noteText } from '../note-text';
import { readAttachments } from './rt.attachments';
import {
  type BackfillCursor,
  backfillFrom,
  decodeCursor,
  encodeCursor,
  marked,
  type PollCursor,
  pollFrom,
  settled,
  withSeen,
} from './rt.cursor';
import {
  addressFields,
  assignerOf,
  customerEdits,
  customerSetters,
  isMerge,
  isSystemUser,
  provenValue,
  queueMoverOf,
  tellingTypes,
} from './rt.history';
import { channelOf, messageOf } from './rt.messages';
import {
  changeColumns,
  identifier,
  type RtAttachment,
  type RtPerson,
  type RtRequestor,
  type RtTicket,
  type RtTransaction,
  rtChange,
  rtCustomField,
  rtTicket,
  rtTicketItself,
  rtTransaction,
  rtUser,
  ticketColumns,
  transactionColumns,
} from './rt.records';
import { oneOf, Rest2 } from './rt.rest2';
import type { RtSection } from './rt.section';
import { judgeRtWebhook, understoodEvent } from './rt.webhook';

/** Its section of the configuration, and what goes with it. */
export interface RtHelpdeskOptions extends Omit<RtSection, 'kind' | 'name' | 'teams'> {
  /** The source's name in the configuration. */
  readonly source: string;
  /** Tickets changed within this many days are kept current when a customer's address or link changes. */
  readonly windowDays: number;
  readonly clock: () => Date;
  /** Told of a ticket that a poll or backfill left out because RT's answer for it could not be understood. */
  readonly onSkipped?: (reference: string, fault: SourceUnavailable) => void;
}

/** RT's usual statuses; a merchant's own come with the configuration. */
const knownStatuses: Readonly<Record<string, TicketStatus>> = {
  new: 'NEW',
  open: 'OPEN',
  stalled: 'PENDING',
  resolved: 'RESOLVED',
  rejected: 'CLOSED',
  deleted: 'CLOSED',
};

const ticketNumber = /^[1-9]\d{0,14}$/;
/** Pages that are looked at behind an empty one, where RT may withhold rows. */
const patience = 2;
/** Of a ticket's requestors, those among whom the customer is looked for. */
const requestorsRead = 20;
/** Characters of a ticket's subject in RT. */
const subjectLimit = 200;
const ticketsABatch = 50;
const ticketsAtOnce = 8;
/** Tickets that one search asks for by their numbers. */
const ticketsASearch = 100;
/** How long somebody counts as staff without asking again, milliseconds. The opposite is never remembered. */
const staffFor = 60_000;
/** How long the link field's check counts, milliseconds. */
const checkedFor = 600_000;

/** What RT says about a user: whether they are staff, and whether their history may be read. */
interface UserProfile {
  readonly isStaff: boolean;
  readonly active: boolean;
  readonly historyVisible: boolean;
}

interface ResolvedCustomer {
  readonly record: HelpdeskCustomerRecord;
  /** Who edited the customer's address or link field. */
  readonly editedBy: readonly RtPerson[];
}

/** The custom field whose values count when the right account wrote them. */
interface ProvenField {
  readonly id: string;
}

/** A ticket that was opened, and whether it has a requestor. */
const openedRow = z.object({ id: identifier, Requestor: z.array(z.unknown()) });

/** What was learnt of RT and counts for a while, however it is asked. */
interface Memory {
  readonly staffUntil: Map<string, { readonly profile: UserProfile; readonly until: number }>;
  linkField: { readonly check: LinkFieldCheck; readonly fieldId: string | null; readonly until: number } | null;
}

export interface LinkFieldCheck {
  readonly isProtected: boolean;
  readonly why: string;
}

/** The kinds of transaction that are messages. */
const spokenTypes = ['Create', 'Correspond'];
const isSpoken = ({ Type }: { readonly Type: string }): boolean => spokenTypes.includes(Type);

/** What holds parts has no content, whether it was asked for or not. */
const asRead = ({ Content, ...row }: RtAttachment) => ({ ...row, Content: Content || null });

/** All that is read of what was said in a ticket, as one digest. Nothing but its key makes it secret: who keeps it sees to that. */
const markOf = (
  subject: string | null,
  spoken: readonly { readonly id: number }[],
  parts: ReadonlyMap<number, readonly RtAttachment[]>,
): string =>
  createHash('sha256')
    .update(JSON.stringify([subject, spoken.map(({ id }) => [id, (parts.get(id) ?? []).map(asRead)])]))
    .digest('base64url');

const idsOf = (rows: readonly { readonly id: number }[]): number[] => rows.map(({ id }) => id);

const dayOf = (at: Date): string => at.toISOString().slice(0, 10);

const quoted = (option: string, name: string): string => {
  // RT's query language has escapes of its own: names that would need them are refused instead
  if (!/^[^'"\\\p{C}]{1,200}$/u.test(name)) throw new TypeError(`${option}: a name without quotes and backslashes is expected`);
  return `'${name}'`;
};

/** What stands in the subject of a ticket that was opened with this key, at its end. */
const keyMark = (key: string): string => {
  if (!/^[\w-]{1,64}$/.test(key)) throw new TypeError('idempotencyKey: at most 64 letters, digits, _ and - are expected');
  return `[${key}]`;
};

/** As long as RT's own column, with the mark whole. */
const keyedSubject = (subject: string, key: string): string => {
  const mark = keyMark(key);
  return `${shortText(subject, subjectLimit - mark.length - 1) ?? ''} ${mark}`.trim();
};

const openedWith = (queue: string, key: string): string =>
  `Queue = ${quoted('queue', queue)} AND Subject LIKE ${quoted('idempotencyKey', keyMark(key))}`;

const anyOf = (field: string, values: readonly string[]): string =>
  `( ${values.map((value) => `${field} = '${value}'`).join(' OR ')} )`;

/** Transactions that change how customers are reached or linked. */
const customerChanges = (fieldId: string | null): string => {
  const address = `( Type = 'Set' AND ${anyOf('Field', addressFields)} )`;
  const link = fieldId === null ? '' : ` OR ( Type = 'CustomField' AND Field = '${fieldId}' )`;
  return `ObjectType = 'RT::User' AND ( ${address}${link} )`;
};

/**
 * Request Tracker 5 over REST2: tickets are read, notes written and tickets opened where the account may. The account needs ShowTicket, SeeQueue on its queues and, globally,
 * ShowUserHistory; for a link field SeeCustomField on it. Without ShowUserHistory nobody can say who changed an
 * address, and customers come without one.
 *
 * Comments are private notes among staff, no part of the conversation, and are never read. A ticket that was deleted,
 * merged into another or moved to a queue that isn't served comes as an empty, CLOSED one; never as the other ticket.
 */
export class RtHelpdesk implements HelpdeskConnector {
  readonly kind = 'rt';
  readonly checkLinkField?: () => Promise<LinkFieldCheck>;
  private readonly rest: Rest2;
  private readonly inQueues: string;
  private readonly writers: ReadonlySet<string>;

  constructor(
    private readonly options: RtHelpdeskOptions,
    rest?: Rest2,
    private readonly memory: Memory = { staffUntil: new Map(), linkField: null },
  ) {
    const { source, url, token, resilience, queues, customerField, outreach } = options;
    this.rest = rest ?? new Rest2({ source, url, token, resilience });
    this.inQueues = queues?.length ? ` AND ( ${queues.map((name) => `Queue = ${quoted('queues', name)}`).join(' OR ')} )` : '';
    if (outreach !== undefined) quoted('outreach.queue', outreach.queue);
    for (const writer of customerField?.writers ?? []) quoted('customerField.writers', writer);
    this.writers = new Set(customerField?.writers.map((name) => name.toLowerCase()));
    if (customerField !== undefined) {
      const { name } = customerField;
      this.checkLinkField = async () => (await this.examinedLinkField(name)).check;
    }
  }

  inBackground(): RtHelpdesk {
    return new RtHelpdesk(this.options, this.rest.inBackground(), this.memory);
  }

  async ping(): Promise<void> {
    const answer = await this.rest.read('/rt', z.object({ Version: z.string() }));
    if (answer === null) throw new SourceUnavailable(this.options.source, 'unauthorized', 403);
  }

  judgeWebhook(request: WebhookRequest): WebhookJudgement {
    return judgeRtWebhook(request, this.options.webhookSecret);
  }

  understandsWebhook(type: string): boolean {
    return type === understoodEvent;
  }

  /** A comment: RT mails it to nobody outside the staff, and `fetchTicket` never reads it back. Needs CommentOnTicket. */
  async addNote(reference: string, text: string): Promise<boolean> {
    if (!ticketNumber.test(reference)) return false;
    // as text/plain RT 5 would take the bytes of its body for Latin-1
    return this.rest.write(`/ticket/${reference}/comment`, { Content: noteText(text), ContentType: 'text/plain' });
  }

  /**
   * In two steps, as RT's usual scrip mails a new ticket to its requestors and REST2 can't hold that back: without a requestor first, who is
   * named then. Repeated, it goes on with the ticket that is there. The key stands in the subject, by which that is found: RT knows no
   * idempotency keys. Needs CreateTicket and ModifyTicket.
   */
  async openTicket({ customerReference, queue, subject, body, idempotencyKey }: TicketDraft): Promise<string | null> {
    if (!(await this.isCustomer(customerReference))) return null;
    const { items } = await this.rest.page('/tickets', openedRow, {
      query: openedWith(queue, idempotencyKey),
      fields: 'id,Requestor',
      per_page: 1,
    });
    const [found] = items;
    const reference =
      found?.id ??
      (await this.rest.create('/ticket', {
        Queue: queue,
        Subject: keyedSubject(subject, idempotencyKey),
        Content: noteText(body),
        ContentType: 'text/plain',
      }));
    if (reference === null) return null;
    // Whom somebody named meanwhile isn't taken away. RT answers in sentences, whether it did it or not.
    if (found === undefined || found.Requestor.length === 0)
      await this.rest.change(`/ticket/${reference}`, { Requestor: customerReference });
    return this.openedTicket({ customerReference, queue, idempotencyKey });
  }

  /** RT leaves tickets out of a search that were deleted, merged into others or renamed since: then there is none. */
  async openedTicket({ customerReference, queue, idempotencyKey }: OpenedDraft): Promise<string | null> {
    if (!ticketNumber.test(customerReference)) return null;
    const { items } = await this.rest.page('/tickets', z.object({ id: identifier }), {
      query: `${openedWith(queue, idempotencyKey)} AND Requestor.id = ${customerReference}`,
      fields: 'id',
      per_page: 1,
    });
    return items[0]?.id ?? null;
  }

  /** RT has them as the requestor of a ticket that the account may see, and they are no staff. */
  private async isCustomer(reference: string): Promise<boolean> {
    if (!ticketNumber.test(reference)) return false;
    const { items } = await this.rest.page('/tickets', z.object({ id: identifier }), {
      query: `Requestor.id = ${reference}${this.inQueues}`,
      fields: 'id',
      per_page: 1,
    });
    return items.length > 0 && !(await this.profileOf(reference)).isStaff;
  }

  /**
   * The order of the requests is what makes the snapshot safe to authorize by. The history is read before the ticket, so
   * that `revision` never claims more than the record holds, and its tail after the ticket, so that nobody can have changed
   * the customer or owner that is reported without being named in it; likewise the customer's own history after the customer.
   */
  async fetchTicket(reference: string): Promise<TicketSnapshot | null> {
    if (!ticketNumber.test(reference)) return null;
    for (let tries = 0; tries < 3; tries += 1) {
      const snapshot = await this.readTicket(reference);
      if (snapshot !== 'merged meanwhile') return snapshot;
    }
    throw new SourceUnavailable(this.options.source, 'fault');
  }

  private async readTicket(reference: string): Promise<TicketSnapshot | null | 'merged meanwhile'> {
    const asOf = this.options.clock();
    const before = await this.history(reference);
    const last = before[before.length - 1];
    // a ticket that doesn't exist and one that is hidden both have an empty history
    if (last === undefined) return null;

    const spoken = before.filter(isSpoken);
    const reading = readAttachments(this.rest, idsOf(spoken));
    // It is awaited last; until then its failure is nobody's, and the ticket may turn out to have departed.
    reading.catch(() => {});
    const ticket = await this.ticket(reference);
    if (ticket === null) return this.departed(reference, before, asOf);
    if (ticket.Type !== 'ticket') return null;

    const requestors = ticket.Requestor.filter((each): each is RtRequestor => each.type === 'user').slice(0, requestorsRead);
    const field = await this.provenField();
    const profiles = new Map<string, UserProfile>();
    const acting = before.map(({ Creator }) => Creator);
    const [attachments, later, status] = await Promise.all([
      reading,
      this.laterHistory(before, requestors, field),
      this.status(ticket),
      this.learnProfiles(profiles, [ticket.Creator, ticket.Owner, ...requestors, ...acting]),
    ]);
    const tail = later.filter(({ ObjectType }) => ObjectType === 'RT::Ticket');
    // then the other ticket's requestors are here already, but not yet its history, which says who named them
    if (tail.some(isMerge)) return 'merged meanwhile';
    await this.learnProfiles(
      profiles,
      later.map(({ Creator }) => Creator),
    );
    const isStaff = ({ id }: RtPerson): boolean => profiles.get(id)?.isStaff === true;
    const customer = this.customer(requestors, profiles, later, field);
    // Who made the account may occur nowhere else; as somebody inactive they would be nobody at sign-in.
    await this.learnProfiles(profiles, customer?.editedBy ?? []);
    const history = [...before, ...tail];
    const owner = isSystemUser(ticket.Owner) ? null : ticket.Owner;
    const assigner = owner === null ? null : assignerOf(history, reference, owner.id);
    const mover = queueMoverOf(history, reference);
    const setters = customerSetters(
      history,
      requestors.map(({ id }) => id),
    );

    const setBy = new Map<string, RtPerson>();
    for (const { person, onlyThemselves } of setters) if (isStaff(person) || !onlyThemselves) setBy.set(person.id, person);
    for (const person of customer?.editedBy ?? []) setBy.set(person.id, person);
    const staff = new Map<string, RtPerson>(setBy);
    if (owner !== null) staff.set(owner.id, owner);
    for (const person of [ticket.Creator, assigner, mover, ...spoken.map(({ Creator }) => Creator)]) {
      if (person !== null && isStaff(person)) staff.set(person.id, person);
    }

    return {
      ticket: {
        reference,
        revision: last.id,
        subject: ticket.Subject,
        status,
        channel: channelOf(attachments.get(before.find(({ Type }) => Type === 'Create')?.id ?? 0) ?? []),
        team: ticket.Queue.Name,
        assignee: owner?.id ?? null,
        assignedBy: assigner !== null && isStaff(assigner) ? assigner.id : null,
        teamSetBy: mover !== null && isStaff(mover) ? mover.id : null,
        createdByStaff: isStaff(ticket.Creator) ? ticket.Creator.id : null,
        customerSetBy: [...setBy.keys()],
        customer: customer?.record ?? null,
        createdAt: ticket.Created,
        updatedAt: ticket.LastUpdated,
      },
      messages: spoken.map((transaction): MessageRecord => {
        const parts = attachments.get(transaction.id) ?? [];
        const { body, isCut, attachments: files } = messageOf(parts, reference);
        const { Creator } = transaction;
        return {
          reference: String(transaction.id),
          author: isSystemUser(Creator)
            ? { kind: 'SYSTEM' }
            : isStaff(Creator)
              ? { kind: 'STAFF', reference: Creator.id }
              : { kind: 'CUSTOMER', displayName: Creator.RealName },
          isByCustomer: !isStaff(Creator) && Creator.id === customer?.record.reference,
          channel: channelOf(parts),
          body,
          isCut,
          attachments: files,
          createdAt: transaction.Created,
        };
      }),
      staff: [...staff.values()].map(
        (person): StaffRecord => ({
          reference: person.id,
          displayName: person.RealName ?? shortText(person.Name, 200) ?? person.id,
          login: person.Name.toLowerCase(),
          email: person.EmailAddress?.toLowerCase() ?? null,
          active: profiles.get(person.id)?.active === true,
        }),
      ),
      // What was said in a ticket that was merged into this one is found under that one's number.
      mark: before.every(({ ObjectId }) => ObjectId === reference) ? markOf(ticket.Subject, spoken, attachments) : null,
      asOf,
    };
  }

  /** RT leaves tickets out of a search that the account may not see, and those that were deleted or merged into others. */
  async visibleTickets(references: readonly string[]): Promise<ReadonlySet<string>> {
    const visible = new Set<string>();
    const numbers = references.filter((reference) => ticketNumber.test(reference));
    for (let from = 0; from < numbers.length; from += ticketsASearch) {
      const { items } = await this.rest.page('/tickets', z.object({ id: identifier, Type: z.string() }), {
        query: `${anyOf('id', numbers.slice(from, from + ticketsASearch))}${this.inQueues}`,
        fields: 'id,Type',
        per_page: ticketsASearch,
      });
      for (const { id, Type } of items) if (Type === 'ticket') visible.add(id);
    }
    return visible;
  }

  /**
   * For a hundred tickets a search for them, one for their messages and one for the parts of these, with their contents: RT's own
   * records don't change when a tool removes or overwrites one.
   */
  async messageMarks(references: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const marks = new Map<string, string>();
    const numbers = references.filter((reference) => ticketNumber.test(reference));
    for (let from = 0; from < numbers.length; from += ticketsASearch) {
      const some = numbers.slice(from, from + ticketsASearch);
      const { items } = await this.rest.page(
        '/tickets',
        z.object({ id: identifier, Type: z.string(), Subject: rtTicket.shape.Subject }),
        { query: `${anyOf('id', some)}${this.inQueues}`, fields: 'id,Type,Subject', per_page: ticketsASearch },
      );
      const visible = items.filter(({ Type }) => Type === 'ticket');
      if (visible.length === 0) continue;
      const which = `ObjectType = 'RT::Ticket' AND ${anyOf(
        'ObjectId',
        visible.map(({ id }) => id),
      )} AND ${anyOf('Type', spokenTypes)}`;
      const spoken = await this.rest.rows(
        '/transactions',
        rtChange,
        (after) => ({ parameters: { query: `id > ${after} AND ${which}`, ...changeColumns } }),
        { after: 0, patience: 0 },
      );
      const parts = await readAttachments(this.rest, idsOf(spoken));
      for (const { id, Subject } of visible) {
        const own = spoken.filter(({ ObjectId }) => ObjectId === id);
        marks.set(id, markOf(Subject, own, parts));
      }
    }
    return marks;
  }

  async *backfill(since: Date, cursor: string | null): AsyncIterable<TicketBatch> {
    const asOf = this.options.clock();
    const resumed = cursor === null ? null : decodeCursor(cursor);
    if (resumed?.kind === 'poll') {
      yield { tickets: [], cursor: encodeCursor(resumed), complete: true, asOf };
      return;
    }
    let position: BackfillCursor = resumed ?? backfillFrom(await this.highestTransaction());
    // RT reads times in its account's own zone: a day more is asked for, and what is too old is dropped here
    const day = dayOf(new Date(since.getTime() - 86_400_000));
    const rows = this.rest.pages(
      '/tickets',
      z.object({ id: identifier.transform(Number), LastUpdated: rtTicketItself.shape.LastUpdated }),
      (after) => ({
        parameters: {
          query: `id > ${after} AND LastUpdated >= '${day}'${this.inQueues}`,
          fields: 'id,LastUpdated',
          per_page: ticketsABatch,
        },
      }),
      { after: position.after, patience },
    );
    let total: number | null = null;
    for await (const page of rows) {
      total ??= page.total;
      const wanted = page.items.filter(({ LastUpdated }) => LastUpdated >= since);
      const { tickets } = await this.tickets(wanted.map(({ id }) => String(id)));
      position = { ...position, after: page.items[page.items.length - 1]?.id ?? position.after };
      yield { tickets, cursor: encodeCursor(position), complete: false, asOf, ...(total === null ? {} : { total }) };
    }
    yield { tickets: [], cursor: encodeCursor(pollFrom(position.floor)), complete: true, asOf };
  }

  async *poll(cursor: string): AsyncIterable<TicketBatch> {
    const asOf = this.options.clock();
    const resumed = decodeCursor(cursor);
    let position: PollCursor = resumed.kind === 'poll' ? resumed : pollFrom(resumed.floor);
    const tickets = settled(position.tickets, asOf);
    const customers = settled(position.customers, asOf);
    position = { kind: 'poll', tickets, customers };

    const changed = `ObjectType = 'RT::Ticket' AND ${anyOf('Type', tellingTypes)}`;
    const known = new Set(tickets.seen);
    for await (const { items } of this.changes(tickets.floor, changed)) {
      const fresh = items.filter(({ id }) => !known.has(id));
      const references = [...new Set(fresh.map(({ ObjectId }) => ObjectId))];
      for (let from = 0; from < references.length; from += ticketsABatch) {
        const batch = await this.tickets(references.slice(from, from + ticketsABatch));
        // the position moves behind the page as a whole: a ticket's changes may lie all over it
        yield { ...batch, cursor: encodeCursor(position), complete: false, asOf };
      }
      position = { ...position, tickets: withSeen(position.tickets, idsOf(fresh)) };
    }

    const knownOfCustomers = new Set(customers.seen);
    for await (const { items } of this.changes(customers.floor, customerChanges((await this.provenField())?.id ?? null))) {
      const fresh = items.filter(({ id }) => !knownOfCustomers.has(id));
      for (const customer of new Set(fresh.map(({ ObjectId }) => ObjectId))) {
        for await (const batch of this.ticketsOf(customer)) {
          yield { ...batch, cursor: encodeCursor(position), complete: false, asOf };
        }
      }
      position = { ...position, customers: withSeen(position.customers, idsOf(fresh)) };
    }

    const now = this.options.clock();
    position = { kind: 'poll', tickets: marked(position.tickets, now), customers: marked(position.customers, now) };
    yield { tickets: [], cursor: encodeCursor(position), complete: true, asOf };
  }

  private history(reference: string): Promise<RtTransaction[]> {
    return this.rest.rows(
      `/ticket/${reference}/history`,
      rtTransaction,
      (last) => ({
        parameters: transactionColumns,
        conditions: [{ field: 'id', operator: '>', value: last }, ...oneOf('Type', tellingTypes)],
      }),
      // what a page withheld all the same, the later history would bring
      { after: 0, patience: 0 },
    );
  }

  /** What happened to the ticket since `history` was read, and what ever happened to its requestors' addresses and link. */
  private async laterHistory(
    history: readonly RtTransaction[],
    requestors: readonly RtRequestor[],
    field: ProvenField | null,
  ): Promise<RtTransaction[]> {
    const last = history[history.length - 1]?.id ?? 0;
    const parts = [...new Set(history.map(({ ObjectId }) => ObjectId))];
    const ticket = `( ObjectType = 'RT::Ticket' AND ${anyOf('ObjectId', parts)} AND id > ${last} AND ${anyOf('Type', tellingTypes)} )`;
    const users = requestors.map(({ id }) => id);
    const which =
      users.length === 0 ? ticket : `( ${ticket} OR ( ${anyOf('ObjectId', users)} AND ${customerChanges(field?.id ?? null)} ) )`;
    return this.rest.rows(
      '/transactions',
      rtTransaction,
      (after) => ({ parameters: { query: `id > ${after} AND ${which}`, ...transactionColumns } }),
      { after: 0, patience: 0 },
    );
  }

  /** Null when RT finds no such ticket in the queues: then it doesn't exist, is hidden, deleted, merged or elsewhere. */
  private async ticket(reference: string): Promise<RtTicket | null> {
    const { items } = await this.rest.page('/tickets', rtTicket, {
      query: `id = ${reference}${this.inQueues}`,
      ...ticketColumns,
    });
    const [ticket, ...others] = items;
    if (ticket !== undefined && (ticket.id !== reference || others.length > 0)) {
      throw new SourceUnavailable(this.options.source, 'malformed');
    }
    return ticket ?? null;
  }

  /** What remains of a ticket that was deleted, merged into another or moved out of the queues; null for any other. */
  private async departed(reference: string, history: readonly RtTransaction[], asOf: Date): Promise<TicketSnapshot | null> {
    const found = await this.rest.read(`/ticket/${reference}`, rtTicketItself);
    if (found === null || found.Type !== 'ticket') return null;
    // RT shows a merged ticket's successor under either number: only its own transactions are this ticket's
    const own = history.filter(({ ObjectId }) => ObjectId === reference);
    const wasMerged = found.id !== reference;
    const wasMoved = own.some(({ Type, Field }) => Type === 'Set' && Field === 'Queue');
    if (!wasMerged && !wasMoved && found.Status !== 'deleted') return null;
    const [first, last] = [own[0], own[own.length - 1]];
    if (first === undefined || last === undefined) return null;
    return {
      ticket: {
        reference,
        revision: last.id,
        subject: null,
        status: 'CLOSED',
        channel: 'OTHER',
        team: null,
        assignee: null,
        assignedBy: null,
        createdByStaff: null,
        customerSetBy: [],
        customer: null,
        createdAt: first.Created,
        updatedAt: last.Created,
      },
      messages: [],
      staff: [],
      asOf,
    };
  }

  private async status(ticket: RtTicket): Promise<TicketStatus> {
    const { statuses } = this.options;
    if (statuses !== undefined && Object.hasOwn(statuses, ticket.Status)) return statuses[ticket.Status] ?? 'CLOSED';
    if (Object.hasOwn(knownStatuses, ticket.Status)) return knownStatuses[ticket.Status] ?? 'CLOSED';
    const { items } = await this.rest.page('/tickets', z.object({ id: identifier }), {
      query: `id = ${ticket.id} AND Status = '__Active__'`,
      fields: 'id',
    });
    return items.some(({ id }) => id === ticket.id) ? 'OPEN' : 'CLOSED';
  }

  /** Adds what is not there yet: within one reading of a ticket everybody is asked about once. */
  private async learnProfiles(profiles: Map<string, UserProfile>, people: readonly RtPerson[]): Promise<void> {
    const ids = new Set(people.filter((person) => !isSystemUser(person)).map(({ id }) => id));
    const unknown = [...ids].filter((id) => !profiles.has(id));
    await Promise.all(unknown.map(async (id) => profiles.set(id, await this.profileOf(id))));
  }

  private async profileOf(id: string): Promise<UserProfile> {
    const now = this.options.clock().getTime();
    const known = this.memory.staffUntil.get(id);
    if (known !== undefined && known.until > now) return known.profile;
    const user = await this.rest.read(`/user/${id}`, rtUser);
    // RT hides users from accounts that aren't privileged themselves; who is unknown may be staff and is no customer
    if (user === null) return { isStaff: true, active: false, historyVisible: false };
    const self = user._hyperlinks.find(({ ref }) => ref === 'self');
    if (self?.id !== id) throw new SourceUnavailable(this.options.source, 'malformed');
    const profile = {
      isStaff: user.Privileged,
      active: user.Privileged && !user.Disabled,
      historyVisible: user._hyperlinks.some(({ ref }) => ref === 'history'),
    };
    if (profile.isStaff) {
      if (this.memory.staffUntil.size > 5_000) this.memory.staffUntil.clear();
      this.memory.staffUntil.set(id, { profile, until: now + staffFor });
    }
    return profile;
  }

  /** The first requestor who isn't staff. */
  private customer(
    requestors: readonly RtRequestor[],
    profiles: ReadonlyMap<string, UserProfile>,
    history: readonly RtTransaction[],
    field: ProvenField | null,
  ): ResolvedCustomer | null {
    for (const requestor of requestors) {
      const profile = profiles.get(requestor.id);
      if (isSystemUser(requestor) || profile === undefined || profile.isStaff) continue;
      const own = history.filter(({ ObjectType, ObjectId }) => ObjectType === 'RT::User' && ObjectId === requestor.id);
      const { by, selfAddressed } = customerEdits(own, requestor.id);
      const creator = requestor.Creator;
      const madeBy =
        creator === undefined || creator === '' || isSystemUser(creator) || creator.id === requestor.id ? null : creator;
      const region = requestor.Country?.trim().toUpperCase() ?? '';
      const values = Array.isArray(requestor.CustomFields)
        ? (requestor.CustomFields.find(({ id }) => id === field?.id)?.values ?? [])
        : [];
      return {
        record: {
          reference: requestor.id,
          displayName: requestor.RealName,
          // an address that only its owner says is theirs, or of which we can't know, must not lead to a payment customer
          email: profile.historyVisible && !selfAddressed ? requestor.EmailAddress : null,
          phone: null,
          region: /^[A-Z]{2}$/.test(region) ? region : null,
          protectedPaymentReference:
            field === null || !profile.historyVisible ? null : provenValue(values, own, field.id, this.writers),
        },
        editedBy: [...by, ...(madeBy === null ? [] : [madeBy])],
      };
    }
    return null;
  }

  /** The link field, when it is configured and its check came out well. */
  private async provenField(): Promise<ProvenField | null> {
    const name = this.options.customerField?.name;
    if (name === undefined) return null;
    const { check, fieldId } = await this.examinedLinkField(name);
    return check.isProtected && fieldId !== null ? { id: fieldId } : null;
  }

  /**
   * RT's REST2 tells nobody's rights, so that no reading of it can prove that agents may not write a field. What can be
   * proven is who wrote a value: RT's history names the account. The field therefore counts as protected when the
   * accounts that write it are named, exist, do no agent's work, and their writing can be seen.
   */
  private async examinedLinkField(name: string): Promise<{ check: LinkFieldCheck; fieldId: string | null }> {
    const now = this.options.clock().getTime();
    const { linkField } = this.memory;
    if (linkField !== null && linkField.until > now) return linkField;
    const found = await this.examineLinkField(name);
    this.memory.linkField = { ...found, until: now + checkedFor };
    return found;
  }

  private async examineLinkField(name: string): Promise<{ check: LinkFieldCheck; fieldId: string | null }> {
    const not = (why: string) => ({ check: { isProtected: false, why }, fieldId: null });
    const fields = await this.rest.page('/customfields', rtCustomField, { fields: 'id,Name,LookupType' }, [
      { field: 'Name', value: name },
    ]);
    const onUsers = fields.items.filter((field) => field.LookupType === 'RT::User' && field.Name === name);
    const fieldId = onUsers[0]?.id;
    if (fieldId === undefined) return not('there is no such custom field on users that this account may see');
    if (onUsers.length > 1) return not('several custom fields on users have this name');
    if (this.writers.size === 0) {
      return not(
        'RT tells over REST2 who wrote a field but not who may: name the accounts that write it (customerField.writers)',
      );
    }
    for (const writer of this.writers) {
      const users = await this.rest.page('/users', z.object({ id: identifier, Name: z.string() }), { fields: 'id,Name' }, [
        { field: 'Name', value: writer },
      ]);
      const account = users.items.find(({ Name }) => Name.toLowerCase() === writer);
      if (account === undefined) return not('one of customerField.writers is no active account of this RT');
      const { historyVisible } = await this.profileOf(account.id);
      if (!historyVisible) return not("this account may not read users' histories (ShowUserHistory)");
      const [owned, answered] = await Promise.all([
        this.rest.page('/tickets', z.object({ id: identifier }), {
          query: `Owner.id = ${account.id}`,
          fields: 'id',
          per_page: 1,
        }),
        this.rest.page('/transactions', z.object({ id: identifier }), {
          query: `ObjectType = 'RT::Ticket' AND Type = 'Correspond' AND Creator = ${account.id}`,
          fields: 'id',
          per_page: 1,
        }),
      ]);
      if (owned.items.length + answered.items.length > 0)
        return not('one of customerField.writers works on tickets, as agents do');
    }
    return {
      check: {
        isProtected: true,
        why: 'only values that were last written by customerField.writers count, by the history of RT',
      },
      fieldId,
    };
  }

  private changes(after: number, which: string) {
    return this.rest.pages(
      '/transactions',
      rtChange,
      (last) => ({ parameters: { query: `id > ${last} AND ${which}`, ...changeColumns } }),
      { after, patience },
    );
  }

  private async *ticketsOf(customer: string): AsyncGenerator<Pick<TicketBatch, 'tickets' | 'unread'>> {
    const since = dayOf(new Date(this.options.clock().getTime() - (this.options.windowDays + 1) * 86_400_000));
    const rows = this.rest.pages(
      '/tickets',
      z.object({ id: identifier.transform(Number) }),
      (after) => ({
        parameters: {
          query: `id > ${after} AND Requestor.id = ${customer} AND LastUpdated >= '${since}'${this.inQueues}`,
          fields: 'id',
          per_page: ticketsABatch,
        },
      }),
      { after: 0, patience: 0 },
    );
    for await (const { items } of rows) yield await this.tickets(items.map(({ id }) => String(id)));
  }

  private async highestTransaction(): Promise<number> {
    for (let page = 1; page <= patience + 1; page += 1) {
      const { items } = await this.rest.page('/transactions', z.object({ id: identifier.transform(Number) }), {
        query: `ObjectType = 'RT::Ticket' AND ${anyOf('Type', tellingTypes)}`,
        fields: 'id',
        order: 'DESC',
        page,
      });
      if (items.length > 0) return Math.max(...items.map(({ id }) => id));
    }
    return 0;
  }

  /** A ticket that RT can't show intelligibly is left out and reported, so that it doesn't hold up all others. */
  private async tickets(references: readonly string[]): Promise<Pick<TicketBatch, 'tickets' | 'unread'>> {
    const found: TicketSnapshot[] = [];
    const unread: string[] = [];
    await inTurns(references, ticketsAtOnce, async (reference) => {
      try {
        const snapshot = await this.fetchTicket(reference);
        if (snapshot !== null) found.push(snapshot);
        else unread.push(reference);
      } catch (error) {
        if (!(error instanceof SourceUnavailable) || error.why !== 'malformed') throw error;
        unread.push(reference);
        this.options.onSkipped?.(reference, error);
      }
    });
    const tickets = found.sort((a, b) => a.ticket.revision - b.ticket.revision);
    return unread.length > 0 ? { tickets, unread } : { tickets };
  }
}
