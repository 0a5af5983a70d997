import { Field, ID, InputType, Int, InterfaceType, ObjectType, registerEnumType } from 'type-graphql';
import type { LinkAssurance } from '../../authz/actor';
import { allReachedBy, type Reached, reachedBy } from '../../db/reached';
import type { DenialReason } from '../../failure';
import type { OfAbstractType } from '../../graphql/abstract-types';
import { connectionOf } from '../../graphql/connection';
import { Exposed, FiltersBy } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { Guarded } from '../../graphql/guarded';
import { Listed } from '../../graphql/listed';
import { DateTime, SafeInt } from '../../graphql/scalars';
import type { Shown, ShownObject } from '../../graphql/shown';
import { channels, ticketStatuses } from '../../upstream/helpdesk/helpdesk.port';
import { type MailAttachment, mostAttachments } from '../../upstream/helpdesk/mail-parts';
import { Freshness } from '../customers/customer.type';
import type { KeyedRow, Keys } from '../keys/keys.service';
import type { AssignedWork } from './provenance';
import { messages, tickets } from './ticket.entity';
import { subjectIsShown } from './tickets.policy';
import type { MessageRow, StaffRow, TicketRow } from './tickets.rows';

export const TicketStatus = enumOf(ticketStatuses);
export const Channel = enumOf(channels);
registerEnumType(TicketStatus, { name: 'TicketStatus', description: 'NEW, OPEN and PENDING are open; work goes on.' });
registerEnumType(Channel, { name: 'Channel' });

/** Members of staff that a ticket names as having set whom it is about. */
export const mostSetters = 20;

export enum TicketOrder {
  UPDATED_AT = 'UPDATED_AT',
  CREATED_AT = 'CREATED_AT',
}
registerEnumType(TicketOrder, { name: 'TicketOrder', description: 'Descending.' });

@ObjectType({ simpleResolvers: true, description: 'A member of the merchant’s staff, as the helpdesk names them.' })
export class Staff {
  constructor(private readonly row: StaffRow) {}

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.row.id;
  }

  @Exposed('INTERNAL', () => String)
  get displayName(): string {
    return this.row.displayName;
  }
}

@ObjectType('Ticket', { simpleResolvers: true, description: 'The helpdesk’s case.' })
export class TicketType implements Shown {
  /** Why opening it began no assistance; null where one began, or it wasn't opened. */
  openingDenial: DenialReason | null = null;

  constructor(
    private readonly row: TicketRow,
    private readonly keys: Keys,
    /** When it is shown, and how old, in milliseconds, the helpdesk's confirmation may be. */
    private readonly shownAt: { readonly at: Date; readonly maximumAge: number },
    /** It was asked for by itself, not met in a list: its payment side is read through where it is missing or too old. */
    readonly isOpened: boolean,
  ) {}

  get shown(): ShownObject {
    const customerId = this.row.customerId;
    const customer = customerId !== null && this.row.keyOwner === customerId ? this.keys.underDigest(customerId, this.row) : null;
    return { type: 'Ticket', id: this.row.id, ticketId: this.row.id, customer, underAssistance: false };
  }

  /** Whom the ticket is about, and what was said in it, is shown under an assistance even where only its outline is read. */
  behind(coordinate: string): Shown | undefined {
    if (this.customerId === null || (coordinate !== 'Ticket.customer' && coordinate !== 'Ticket.messages')) return undefined;
    const { customer } = this.shown;
    const ticketId = coordinate === 'Ticket.messages' ? this.row.id : null;
    return {
      linkAssurance: this.linkAssurance,
      shown: { type: 'Ticket', id: this.row.id, ticketId, customer, underAssistance: true },
    };
  }

  get linkAssurance(): LinkAssurance {
    // What a ticket says doesn't depend on the payment side; the policy has one verdict for all assurances here.
    return 'NONE';
  }

  get customerId(): Reached | null {
    return reachedBy(this.row, 'customerId');
  }

  /** What it, and what was said in it, is sealed with. */
  get key(): KeyedRow {
    return this.row;
  }

  /** By whose doing it is whose it is, and about whom. */
  get provenance(): Omit<AssignedWork, 'knowsActor'> {
    return this.row;
  }

  get createdById(): Reached | null {
    return reachedBy(this.row, 'createdById');
  }

  /** The first of those who set or changed whom it is about, by their ids. */
  get customerSetByIds(): readonly Reached[] {
    return allReachedBy(this.row, 'customerSetByIds').slice(0, mostSetters);
  }

  get assigneeId(): Reached | null {
    return reachedBy(this.row, 'assigneeId');
  }

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.row.id;
  }

  @Exposed('INTERNAL', () => String)
  get source(): string {
    return this.row.source;
  }

  @Exposed('INTERNAL', () => String, { description: 'The helpdesk’s own number.' })
  get reference(): string {
    return this.row.reference;
  }

  @Exposed('PERSONAL', () => String)
  @Guarded(subjectIsShown)
  get subject(): string | null {
    return this.keys.open(tickets, this.row, 'subject');
  }

  @Exposed('INTERNAL', () => TicketStatus, { nullable: true })
  get status(): string {
    return this.row.status;
  }

  @Exposed('INTERNAL', () => Channel, { nullable: true })
  get channel(): string {
    return this.row.channel;
  }

  @Exposed('INTERNAL', () => String, { nullable: true })
  get team(): string | null {
    return this.row.team;
  }

  @Exposed('INTERNAL', () => DateTime, { nullable: true })
  get createdAt(): Date {
    return this.row.createdAt;
  }

  @Exposed('INTERNAL', () => DateTime, { nullable: true })
  get updatedAt(): Date {
    return this.row.updatedAt;
  }

  @Exposed('INTERNAL', () => Freshness, {
    description: 'How old the helpdesk’s word on this ticket is; a stale one authorizes nothing.',
  })
  get freshness(): Freshness {
    const { confirmedAt } = this.row;
    const { at, maximumAge } = this.shownAt;
    return { confirmedAt, stale: at.getTime() - confirmedAt.getTime() > maximumAge };
  }
}

/** Something said in a ticket: shown under an assistance on that ticket. */
abstract class OfTicket implements Shown {
  constructor(protected readonly ticket: TicketType) {}

  abstract readonly shownAs: { readonly type: string; readonly id: string };

  get shown(): ShownObject {
    const { ticketId, customer } = this.ticket.shown;
    return { ...this.shownAs, ticketId, customer, underAssistance: this.ticket.customerId !== null };
  }

  get linkAssurance(): LinkAssurance {
    return 'NONE';
  }
}

@InterfaceType({ description: 'Who said something.' })
export abstract class MessageAuthor extends OfTicket implements OfAbstractType {
  abstract readonly graphType: string;

  constructor(
    ticket: TicketType,
    readonly shownAs: { readonly type: string; readonly id: string },
    private readonly name: () => string | null,
  ) {
    super(ticket);
  }

  @Exposed('PERSONAL', () => String)
  get displayName(): string | null {
    return this.name();
  }
}

@ObjectType({ implements: MessageAuthor, simpleResolvers: true })
export class StaffAuthor extends MessageAuthor {
  readonly graphType = 'StaffAuthor';
}

@ObjectType({ implements: MessageAuthor, simpleResolvers: true })
export class CustomerAuthor extends MessageAuthor {
  readonly graphType = 'CustomerAuthor';
}

@ObjectType({ implements: MessageAuthor, simpleResolvers: true, description: 'An automation of the helpdesk.' })
export class SystemAuthor extends MessageAuthor {
  readonly graphType = 'SystemAuthor';
}

@ObjectType({ simpleResolvers: true, description: 'What was removed from a text before it was stored.' })
export class Redaction {
  @Exposed('INTERNAL', () => String)
  kind!: string;

  @Exposed('INTERNAL', () => Int)
  count!: number;
}

@ObjectType({ simpleResolvers: true, description: 'A file that came with a message. It is read at the helpdesk, never here.' })
export class Attachment implements Shown {
  constructor(
    private readonly message: Shown,
    private readonly file: MailAttachment,
  ) {}

  get shown(): ShownObject {
    return this.message.shown;
  }

  get linkAssurance(): LinkAssurance {
    return this.message.linkAssurance;
  }

  @Exposed('PERSONAL', () => String, { description: 'As its sender called it; card numbers and the like were removed.' })
  get name(): string | null {
    return this.file.name;
  }

  @Exposed('PERSONAL', () => String, { description: 'Its media type, such as `application/pdf`, as its sender says.' })
  get type(): string {
    return this.file.type;
  }

  @Exposed('PERSONAL', () => SafeInt, { description: 'In bytes; of an attached mail those of what it holds.' })
  get size(): number {
    return this.file.size;
  }
}

@ObjectType('Message', { simpleResolvers: true, description: 'One utterance in a ticket, on any channel.' })
export class MessageType extends OfTicket {
  readonly shownAs: { readonly type: string; readonly id: string };

  constructor(
    ticket: TicketType,
    private readonly row: MessageRow,
    private readonly keys: Keys,
  ) {
    super(ticket);
    this.shownAs = { type: 'Message', id: row.id };
  }

  get of(): TicketType {
    return this.ticket;
  }

  get authorKind(): MessageRow['authorKind'] {
    return this.row.authorKind;
  }

  get authorStaffId(): Reached | null {
    return reachedBy(this.row, 'authorStaffId');
  }

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.row.id;
  }

  @Exposed('INTERNAL', () => Channel, { nullable: true })
  get channel(): string {
    return this.row.channel;
  }

  @Exposed('PERSONAL', () => String, {
    description:
      'What was written, as plain text: behind a link stands the host that it leads to. Card numbers and the like were removed before it was stored. Empty where nothing was written.',
    holds: 'CONVERSATION',
  })
  get body(): string | null {
    return this.keys.open(messages, this.row, 'body');
  }

  @Exposed('PERSONAL', () => Boolean, {
    description:
      'More was written than `body` holds; it ends with a sentence that says where that can be read. Null where nobody knows.',
    from: ['Message.body'],
  })
  get truncated(): boolean | null {
    return this.row.isCut;
  }

  @Listed({ most: mostAttachments, parts: true })
  @Exposed('PERSONAL', () => [Attachment], { description: 'The files that came with it. Null where nobody knows.' })
  get attachments(): readonly Attachment[] | null {
    const text = this.keys.open(messages, this.row, 'attachments');
    return text === null ? null : (JSON.parse(text) as MailAttachment[]).map((file) => new Attachment(this, file));
  }

  @Listed({ most: 20, parts: true })
  @Exposed('PERSONAL', () => [Redaction], { from: ['Message.body'] })
  get redactions(): readonly Redaction[] {
    return this.row.redactions.map((each) => {
      const [kind = '', count = '1'] = each.split(':');
      return { kind, count: Number(count) };
    });
  }

  @Exposed('INTERNAL', () => DateTime, { nullable: true })
  get createdAt(): Date {
    return this.row.createdAt;
  }
}

export const TicketConnection = connectionOf('Ticket', () => TicketType);
export const MessageConnection = connectionOf('Message', () => MessageType);

export interface TicketFilter {
  readonly status?: readonly string[] | null;
  readonly channel?: readonly string[] | null;
  readonly source?: string | null;
  readonly team?: string | null;
  readonly assignedToMe?: boolean | null;
  readonly updatedFrom?: Date | null;
  readonly updatedBefore?: Date | null;
}

@InputType('TicketFilter')
export class TicketFilterInput implements TicketFilter {
  @Field(() => [TicketStatus], { nullable: true })
  @FiltersBy('Ticket.status')
  status?: string[] | null;

  @Field(() => [Channel], { nullable: true })
  @FiltersBy('Ticket.channel')
  channel?: string[] | null;

  @Field(() => String, { nullable: true })
  @FiltersBy('Ticket.source')
  source?: string | null;

  @Field(() => String, { nullable: true })
  @FiltersBy('Ticket.team')
  team?: string | null;

  @Field(() => Boolean, { nullable: true })
  @FiltersBy('Ticket.assignee')
  assignedToMe?: boolean | null;

  @Field(() => DateTime, { nullable: true })
  @FiltersBy('Ticket.updatedAt')
  updatedFrom?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'The first instant that is not included.' })
  @FiltersBy('Ticket.updatedAt')
  updatedBefore?: Date | null;
}
