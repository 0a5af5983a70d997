import type { ActionName } from '../../audit/events';
import type { ClaimedJob, JobHandler, JobResult } from '../../background/outbox';
import type { Change } from '../../db/change';
import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import type { DeliveryChannels, Mail } from '../../upstream/delivery/delivery.port';
import { isDigestOfEmail } from '../keys/contact-digests';
import type { CustomerSeal } from '../keys/customer-seal';
import type { Keys } from '../keys/keys.service';
import { type OfCustomer, SealedChanges } from '../keys/sealed-changes';
import { payer, payerRows } from '../payments/payments.rows';
import type { Sources } from '../sources/sources.service';
import { ticket, ticketReferenceRows } from '../tickets/tickets.rows';
import type { StoredLink, Undelivered } from './link.entity';
import { LinkMails } from './link-mails';
import { linkOf } from './links';

/** With doubling pauses a bit more than half an hour. */
const mostTries = 11;

/** What a customer is asked, as far as its link and its notes go. */
export interface Asked extends OfCustomer {
  /** Null where it is asked on none: then there are no notes. */
  readonly ticketId: string | null;
  readonly paymentCustomerId: string;
  /** Keyed digest of the address that was judged when they were asked. */
  readonly mailDigest: string;
  readonly expiresAt: Date;
}

/** One change of a delivery, with what is asked locked. */
export interface Course<Row> {
  readonly change: Change;
  readonly row: Row;
  readonly seal: CustomerSeal;
}

/** What a mail says. */
export interface MailAbout<Row> {
  readonly row: Row;
  readonly merchant: string;
  /** The helpdesk's number of the ticket; null where it is asked on none. */
  readonly ticket: string | null;
  readonly url: string;
  readonly expiresAt: Date;
}

/** What is asked, by a slice that asks it. Each of these is part of a change. */
export interface AskedBy<Row extends Asked, Kind extends string, Subject extends string> {
  readonly entity: new () => Row;
  /** Under which name its jobs say what they are about. */
  readonly subject: Subject;
  readonly actions: Readonly<Record<'link' | 'sent' | 'undeliverable' | 'note' | 'noteDropped', ActionName>>;
  /** No link was sent yet, and the customer can still be asked. */
  readonly awaitsLink: (row: Row) => boolean;
  /** Until when a link works that is sent now. */
  readonly linkUntil: (row: Row, now: Date) => Date;
  /** Why it isn't sent to whom it was meant for any more, beside what holds of all links; null where it is. */
  readonly isUnsure?: (course: Course<Row>) => Promise<Undelivered | null>;
  /** Whether one that was written down before may have left, and none is to follow it: then it does what follows from that. */
  readonly isSentBefore?: (course: Course<Row>, job: ClaimedJob<Kind, Subject>) => Promise<boolean>;
  /** Writes the link down, and its event. */
  readonly keep: (course: Course<Row>, link: Omit<StoredLink, 'id'>) => Promise<void>;
  readonly mail: (about: MailAbout<Row>) => Omit<Mail, 'to'>;
  /** The mail has left, if none had before; what follows from it. */
  readonly sent: (course: Course<Row>, expiresAt: Date, renewLease: () => Promise<void>) => Promise<void>;
  /** The customer can't be asked, if they still could be. */
  readonly fail: (course: Course<Row>, why: Undelivered) => Promise<void>;
  /** A note isn't written; of this kind. */
  readonly dropNote: (course: Course<Row>, kind: string) => void;
}

export interface DeliveryParts {
  readonly database: Database;
  readonly keys: Keys;
  readonly sources: Pick<Sources, 'addNote'>;
  readonly delivery: DeliveryChannels;
  /** The merchant's name as customers know it. */
  readonly merchant: string;
  readonly publicUrl: () => string;
}

/** What leaves for the customer and the ticket: the link, by mail and to nobody else; notes, with neither link nor code. */
export class Deliveries<Row extends Asked, Kind extends string, Subject extends string> {
  private readonly changes: SealedChanges<Row>;
  private readonly mails: LinkMails;

  constructor(
    private readonly parts: DeliveryParts,
    private readonly by: AskedBy<Row, Kind, Subject>,
  ) {
    this.changes = new SealedChanges(parts.database, parts.keys, 'delivery', by.entity);
    this.mails = new LinkMails(parts.delivery, parts.publicUrl);
  }

  readonly link: JobHandler<Kind, Subject> = {
    mostTries,
    run: (job) => this.sendLink(job),
    giveUp: async (job) => {
      await this.make('undeliverable', job, (course) => this.by.fail(course, 'UNDELIVERABLE'));
      return true;
    },
  };

  /** Notes in these words. */
  note(write: (row: Row) => string): JobHandler<Kind, Subject> {
    return {
      mostTries,
      run: async (job) => {
        const noted = await this.make('note', job, async (course) => {
          const { row } = course;
          const about = await ticketOf(course);
          if (!about) return null;
          // Of whoever the ticket is about now it says nothing, and whoever reads it there would take it as said of them.
          if (about.customerId !== row.customerId) return this.by.dropNote(course, job.kind) ?? null;
          return { source: about.source, reference: about.reference, text: write(row) };
        });
        if (noted !== null) await this.parts.sources.addNote(noted.source, noted.reference, noted.text);
        return 'done';
      },
      // The ticket lacks a sentence; what was asked and its history are where they belong.
      giveUp: async (job) => {
        await this.make('noteDropped', job, async (course) => this.by.dropNote(course, job.kind));
        return true;
      },
    };
  }

  private make<T>(
    action: keyof AskedBy<Row, Kind, Subject>['actions'],
    job: ClaimedJob<Kind, Subject>,
    work: (course: Course<Row>) => Promise<T>,
  ): Promise<T> {
    const { actions, subject } = this.by;
    return this.changes.make(actions[action], job[subject], (change, row, seal) => work({ change, row, seal }));
  }

  private async sendLink(job: ClaimedJob<Kind, Subject>): Promise<JobResult> {
    await this.mails.send({
      prepare: (token) => this.prepareLink(job, token),
      sent: ({ expiresAt }) =>
        this.make('sent', job, (course) => this.by.sent(course, expiresAt, () => job.renewLease(course.change))),
      undeliverable: async () => void (await this.link.giveUp(job)),
    });
    return 'done';
  }

  private prepareLink(job: ClaimedJob<Kind, Subject>, token: string) {
    const { by } = this;
    const { keys, merchant } = this.parts;
    return this.make('link', job, async (course) => {
      const { change, row } = course;
      if (!by.awaitsLink(row) || row.expiresAt <= change.at) return null;
      await job.renewLease(change);
      const to = await this.addressOf(course);
      if (typeof to !== 'string') {
        await by.fail(course, to.failure);
        return null;
      }
      if (await by.isSentBefore?.(course, job)) return null;
      const asked = await ticketOf(course);
      const link = linkOf(keys, token, { at: change.at, until: by.linkUntil(row, change.at) });
      await by.keep(course, link);
      const { expiresAt } = link;
      const about = { row, merchant, ticket: row.ticketId === null ? null : (asked?.reference ?? ''), expiresAt };
      return { to, expiresAt, mail: (url: string) => by.mail({ ...about, url }) };
    });
  }

  /** The address that was judged when the customer was asked, or why it goes there no more: it must not follow one that somebody changed meanwhile. */
  private async addressOf(course: Course<Row>): Promise<string | { readonly failure: Undelivered }> {
    const { change, row, seal } = course;
    if (seal.key === null) return { failure: 'CUSTOMER_ERASED' };
    const unsure = await this.by.isUnsure?.(course);
    if (unsure) return { failure: unsure };
    const isThere = sql`${payer.id} = ${row.paymentCustomerId} AND ${payer.gone} = ${false}`;
    const [contact] = await change.read(payerRows, sql`WHERE ${isThere}`);
    const email = contact ? this.parts.keys.open(payer, contact, 'email') : null;
    return email !== null && isDigestOfEmail(this.parts.keys, row.mailDigest, email) ? email : { failure: 'CONTACT_CHANGED' };
  }
}

/** The ticket as its helpdesk names it; null where it is on none, or none is stored. */
const ticketOf = async ({ change, row }: Course<Asked>) => {
  if (row.ticketId === null) return null;
  const [about] = await change.read(ticketReferenceRows, sql`WHERE ${ticket.id} = ${row.ticketId}`);
  return about ?? null;
};
