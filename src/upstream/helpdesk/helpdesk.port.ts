import type { MailAttachment } from './mail-parts';

/**
 * The helpdesk as the gateway needs it. Connectors translate; nothing beyond these records enters the process's
 * domain objects. Text in these records has NOT been redacted yet: whoever stores them cleans them whole (`withoutCardData`).
 */
export const ticketStatuses = ['NEW', 'OPEN', 'PENDING', 'RESOLVED', 'CLOSED'] as const;
/** NEW, OPEN and PENDING tickets are open; RESOLVED and CLOSED are not. */
export type TicketStatus = (typeof ticketStatuses)[number];

export const channels = ['EMAIL', 'WEB', 'CHAT', 'PHONE', 'SMS', 'SOCIAL', 'API', 'OTHER'] as const;
export type Channel = (typeof channels)[number];

export interface StaffRecord {
  /** The helpdesk's own stable id of the staff member, as text. */
  readonly reference: string;
  readonly displayName: string;
  /** What an identity provider's claim is compared with: login name and e-mail, lower-cased by the connector. */
  readonly login: string;
  readonly email: string | null;
  readonly active: boolean;
}

/** The person a ticket is about, as the helpdesk knows them (in RT: the first requestor). */
export interface HelpdeskCustomerRecord {
  readonly reference: string;
  readonly displayName: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  /** ISO 3166-1 alpha-2 country, upper case. */
  readonly region: string | null;
  /**
   * The payment customer's reference that the helpdesk holds in a field which agents can't write, null otherwise.
   * A connector fills it only when its configuration names such a field AND the connector has seen that it is protected.
   */
  readonly protectedPaymentReference: string | null;
}

export interface MessageRecord {
  readonly reference: string;
  readonly author:
    | { readonly kind: 'STAFF'; readonly reference: string }
    | { readonly kind: 'CUSTOMER'; readonly displayName: string | null }
    | { readonly kind: 'SYSTEM' };
  /** It came from the customer whom the ticket is about, and from nobody else who takes part in it; absent where nobody knows. */
  readonly isByCustomer?: boolean;
  readonly channel: Channel;
  /** Plain text of at most 60,000 bytes; HTML parts are reduced to text by the connector. Empty where nothing was written. */
  readonly body: string;
  /** More was written than the body holds, and it says where that is; absent where all is there. */
  readonly isCut?: boolean;
  /** What came with it, at most 50; absent where nothing can. */
  readonly attachments?: readonly MailAttachment[];
  readonly createdAt: Date;
}

export interface TicketRecord {
  readonly reference: string;
  /** Grows with every change of the ticket at the helpdesk (RT: its last transaction id). A lower one overwrites a higher one only where it was asked for after that was stored. */
  readonly revision: number;
  readonly subject: string | null;
  readonly status: TicketStatus;
  readonly channel: Channel;
  /** The helpdesk's group or queue that is responsible. Compared with the `teams` of an actor by the source's `teams` mapping. */
  readonly team: string | null;
  /** Staff reference, null when nobody owns it. */
  readonly assignee: string | null;
  /** Who set the current assignee, when the helpdesk knows; a staff reference or null (automation, unknown). */
  readonly assignedBy: string | null;
  /** Staff reference of who moved the ticket to its team; null or absent where it came there by itself or nobody knows. */
  readonly teamSetBy?: string | null;
  /** Staff reference of the creator, null when the customer or an automation created it. */
  readonly createdByStaff: string | null;
  /** Every staff member who ever set or changed the ticket's customer, its link field or the customer's addresses; in no order. */
  readonly customerSetBy: readonly string[];
  readonly customer: HelpdeskCustomerRecord | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** One ticket with all that belongs to it. `asOf` is taken before the first request for it was sent. */
export interface TicketSnapshot {
  readonly ticket: TicketRecord;
  /** All of its messages: one that isn't among them is no more, unless `isPartial`. */
  readonly messages: readonly MessageRecord[];
  /** Something of the messages may be missing here that the helpdesk has: what is stored of them then stays. */
  readonly isPartial?: boolean;
  /** What `messageMarks` gives of this ticket as it was read; null or absent where nothing vouches that it would. */
  readonly mark?: string | null;
  /** Staff named by the ticket or its messages. */
  readonly staff: readonly StaffRecord[];
  readonly asOf: Date;
}

export interface TicketBatch {
  readonly tickets: readonly TicketSnapshot[];
  /** Opaque to the gateway; where the next call resumes. */
  readonly cursor: string;
  /** True on the last batch of a run that reached the end: everything in the source up to `asOf` has been seen. */
  readonly complete: boolean;
  /** Taken before the run's first request was sent. */
  readonly asOf: Date;
  /** For progress, where the helpdesk tells. */
  readonly total?: number;
  /** Tickets that changed but couldn't be read: gone, hidden or not understood. What is stored of them vouches for nothing. */
  readonly unread?: readonly string[];
}

/**
 * A webhook as judged by the connector. `rejected`: not proven to come from the source (answered 401, nothing stored).
 * `hint`: something about these tickets changed, to be fetched again. `unknown`: proven, but not understood.
 */
export type WebhookJudgement =
  | { readonly outcome: 'rejected'; readonly why: string }
  | {
      readonly outcome: 'hint';
      readonly eventId: string;
      readonly type: string;
      readonly at: Date;
      readonly references: readonly string[];
      /** Of a payment provider: transactions of these customers that it is about. */
      readonly transactions?: readonly { readonly customer: string; readonly reference: string }[];
    }
  | { readonly outcome: 'unknown'; readonly eventId: string; readonly type: string; readonly at: Date };

export interface WebhookRequest {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  readonly now: Date;
}

/** A ticket that the gateway opens for a customer, in its own name. Its texts are the gateway's own. */
export interface TicketDraft {
  /** The customer, as the helpdesk names them. */
  readonly customerReference: string;
  readonly queue: string;
  readonly subject: string;
  /** Plain text. */
  readonly body: string;
  /** The same for every try, and nobody can guess it: `[A-Za-z0-9_-]`, 64 at most. The ticket is found again by it. */
  readonly idempotencyKey: string;
}

/** What a ticket that was opened is known by. */
export type OpenedDraft = Pick<TicketDraft, 'customerReference' | 'queue' | 'idempotencyKey'>;

export interface HelpdeskConnector {
  readonly kind: string;
  /** The same helpdesk under the same limits, whose requests give way to those that people wait for. Absent where nothing is limited. */
  inBackground?(): HelpdeskConnector;
  /** Null when the helpdesk has no such ticket or the gateway's account may not see it. Throws `SourceUnavailable`. */
  fetchTicket(reference: string): Promise<TicketSnapshot | null>;
  /**
   * Those of these tickets that the account may see now, where it serves them; a few requests for hundreds. That a poll
   * doesn't mention a ticket says nothing of it: a helpdesk doesn't mention what the account may not see. Throws `SourceUnavailable`.
   */
  visibleTickets(references: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * A mark of the subject and all messages of each of these tickets that the account may see, the same as long as they are: edits and
   * removals that no poll tells of included. For much less than reading them. Throws `SourceUnavailable`. Absent where a ticket
   * has to be read for that.
   */
  messageMarks?(references: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** All tickets updated at or after `since`, resumable at a cursor that an earlier run of `backfill` gave. */
  backfill(since: Date, cursor: string | null): AsyncIterable<TicketBatch>;
  /** Every ticket changed since the cursor, which is one of `poll` or the one the last batch of `backfill` ended with. */
  poll(cursor: string): AsyncIterable<TicketBatch>;
  /**
   * Writes an internal note on the ticket, for staff: plain text, never mailed to the customer. Called again after a lost
   * answer it may stand there twice. False when the helpdesk has no such ticket or the account may not write there.
   * Throws `SourceUnavailable`. Absent where this helpdesk is only read.
   */
  addNote?(reference: string, text: string): Promise<boolean>;
  /**
   * Opens a ticket about a customer, of which they get no mail, and gives its reference; null where the helpdesk has no such customer or
   * queue, or the account may not do that there. While a call is under way a second one may open a second ticket. Throws
   * `SourceUnavailable`, after which it may be open all the same. Absent where this helpdesk is only read.
   */
  openTicket?(draft: TicketDraft): Promise<string | null>;
  /** The reference of the ticket that was opened so, about this customer; null where there is none. Throws `SourceUnavailable`. */
  openedTicket?(draft: OpenedDraft): Promise<string | null>;
  judgeWebhook(request: WebhookRequest): WebhookJudgement;
  /** Whether webhooks of this type lead to a hint: one that was kept as `unknown` by an earlier version may be understood now. */
  understandsWebhook?(type: string): boolean;
  /** One cheap authenticated request. */
  ping(): Promise<void>;
  /** Says whether agents can write the configured link field; absent when none is configured. */
  checkLinkField?(): Promise<{ readonly isProtected: boolean; readonly why: string }>;
}
