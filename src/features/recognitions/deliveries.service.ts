import type { ClaimedJob as Claimed, JobHandler as Handler, JobResult } from '../../background/outbox';
import type { Change } from '../../db/change';
import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import { ulid } from '../../ulid';
import type { DeliveryChannels } from '../../upstream/delivery/delivery.port';
import { customer, linkRows } from '../customers/customers.rows';
import { LinkMails } from '../invitations/link-mails';
import { linkOf } from '../invitations/links';
import { isDigestOfEmail } from '../keys/contact-digests';
import type { Keys } from '../keys/keys.service';
import { payer, payerRows } from '../payments/payments.rows';
import type { Sources } from '../sources/sources.service';
import { ticket, ticketReferenceRows } from '../tickets/tickets.rows';
import { outcomeNote, questionMail, requestNote } from './messages';
import { type Recognition, type RecognitionFailure, type RecognitionJobKind, recognitionLinks } from './recognition.entity';
import { endUnanswered, enqueue, factsOf, RecognitionChanges } from './recognition.moves';

type ClaimedJob = Claimed<RecognitionJobKind, 'recognitionId'>;
type JobHandler = Handler<RecognitionJobKind, 'recognitionId'>;

/** With doubling pauses a bit more than half an hour. */
const mostTries = 11;

export interface DeliveryParts {
  readonly database: Database;
  readonly keys: Keys;
  readonly sources: Pick<Sources, 'addNote'>;
  readonly delivery: DeliveryChannels;
  /** The merchant's name as customers know it. */
  readonly merchant: string;
  readonly publicUrl: () => string;
}

/** What leaves for the customer and the ticket: the link, by mail and to nobody else; notes, without it. */
export class RecognitionDeliveries {
  private readonly changes: RecognitionChanges;
  private readonly mails: LinkMails;

  constructor(private readonly parts: DeliveryParts) {
    this.changes = new RecognitionChanges(parts.database, parts.keys, 'delivery');
    this.mails = new LinkMails(parts.delivery, parts.publicUrl);
  }

  readonly link: JobHandler = {
    mostTries,
    run: (job) => this.sendLink(job),
    giveUp: async ({ recognitionId }) => {
      await this.changes.make('recognition.fail', recognitionId, async (change, row, seal) => {
        if (row.state === 'ASKED') await endUnanswered(change, row, seal, 'UNDELIVERABLE');
      });
      return true;
    },
  };

  readonly notice: JobHandler = this.noteHandler(requestNote);
  readonly outcome: JobHandler = this.noteHandler(outcomeNote);

  private async sendLink(job: ClaimedJob): Promise<JobResult> {
    await this.mails.send({
      prepare: (token) => this.prepareLink(job, token),
      sent: () => this.linkSent(job),
      undeliverable: async () => void (await this.link.giveUp(job)),
    });
    return 'done';
  }

  private prepareLink({ recognitionId, renewLease }: ClaimedJob, token: string) {
    const { keys, merchant } = this.parts;
    return this.changes.make('recognition.link', recognitionId, async (change, row, seal) => {
      if (row.state !== 'ASKED' || row.sentAt !== null || row.expiresAt <= change.at) return null;
      await renewLease(change);
      const to = seal.key === null ? { failure: 'CUSTOMER_ERASED' as const } : await this.addressOf(change, row);
      if (typeof to !== 'string') {
        await endUnanswered(change, row, seal, to.failure);
        return null;
      }
      const [asked] = await change.read(ticketReferenceRows, sql`WHERE ${ticket.id} = ${row.ticketId}`);
      const sent = linkOf(keys, token, { at: change.at, until: row.expiresAt });
      const link = { id: `rcl_${ulid(change.at.getTime())}`, recognitionId, ...sent };
      await change.insert(recognitionLinks, link);
      change.record('recognition.link', {
        ...factsOf(row, seal),
        detail: { link: link.id, until: link.expiresAt.toISOString(), token: link.tokenDigest },
      });
      const about = { merchant, ticket: asked?.reference ?? '', expiresAt: link.expiresAt };
      return { to, expiresAt: link.expiresAt, mail: (url: string) => questionMail({ ...about, url }) };
    });
  }

  private linkSent({ recognitionId, renewLease }: ClaimedJob): Promise<void> {
    return this.changes.make('recognition.link-sent', recognitionId, async (change, row, seal) => {
      if (row.sentAt !== null) return;
      await renewLease(change);
      row.sentAt = change.at;
      await change.save(row);
      change.record('recognition.link-sent', { ...factsOf(row, seal), detail: { channel: 'MAIL' } });
      // Whoever was faster than this has ended it, and the ticket hears that.
      if (row.state === 'ASKED') await enqueue(change, recognitionId, 'NOTICE');
    });
  }

  /** The address that was judged when the question was asked, or why it goes there no more: it must not follow one that somebody changed meanwhile. */
  private async addressOf(change: Change, row: Recognition): Promise<string | { readonly failure: RecognitionFailure }> {
    const [linked] = await change.read(linkRows, sql`WHERE ${customer.id} = ${row.customerId}`);
    if (linked?.link !== 'VERIFIED' || linked.paymentCustomerId !== row.paymentCustomerId) return { failure: 'LINK_CHANGED' };
    const [contact] = await change.read(
      payerRows,
      sql`WHERE ${payer.id} = ${row.paymentCustomerId} AND ${payer.gone} = ${false}`,
    );
    const email = contact ? this.parts.keys.open(payer, contact, 'email') : null;
    return email !== null && isDigestOfEmail(this.parts.keys, row.mailDigest, email) ? email : { failure: 'CONTACT_CHANGED' };
  }

  private noteHandler(write: (row: Recognition) => string): JobHandler {
    return {
      mostTries,
      run: async ({ recognitionId, kind }) => {
        const noted = await this.changes.make('recognition.note', recognitionId, async (change, row, seal) => {
          const [about] = await change.read(ticketReferenceRows, sql`WHERE ${ticket.id} = ${row.ticketId}`);
          // Of whoever the ticket is about now it says nothing, and whoever reads it there would take it as said of them.
          if (about && about.customerId !== row.customerId) {
            change.record('recognition.note-dropped', { ...factsOf(row, seal), detail: { given_up: kind } });
            return null;
          }
          return about ? { source: about.source, reference: about.reference, text: write(row) } : null;
        });
        if (noted !== null) await this.parts.sources.addNote(noted.source, noted.reference, noted.text);
        return 'done';
      },
      // The ticket lacks a sentence; the question and its answer are where they belong.
      giveUp: async ({ recognitionId, kind }) => {
        await this.changes.make('recognition.note-dropped', recognitionId, async (change, row, seal) => {
          change.record('recognition.note-dropped', { ...factsOf(row, seal), detail: { given_up: kind } });
        });
        return true;
      },
    };
  }
}
