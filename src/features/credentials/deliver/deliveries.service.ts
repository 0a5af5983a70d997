import type { UpdatePolicy } from '../../../authz/policy/update-policy';
import type { JobResult } from '../../../background/outbox';
import type { Change } from '../../../db/change';
import type { Database } from '../../../db/database';
import { sql } from '../../../db/sql';
import { select, wholeNumber } from '../../../db/table';
import { ulid } from '../../../ulid';
import type { DeliveryChannels, DeliveryFailed } from '../../../upstream/delivery/delivery.port';
import { LinkMails } from '../../invitations/link-mails';
import { linkOf } from '../../invitations/links';
import { isDigestOfEmail } from '../../keys/contact-digests';
import type { Keys } from '../../keys/keys.service';
import { payer, payerRows } from '../../payments/payments.rows';
import type { Sources } from '../../sources/sources.service';
import { ticket, ticketReferenceRows } from '../../tickets/tickets.rows';
import { type CredentialUpdate, credentialLinks } from '../credential-update.entity';
import { end, factsOf, move } from '../credential-update.moves';
import { JobChanges } from '../job-changes';
import { type ClaimedJob, enqueue, type JobHandler } from '../jobs.service';
import { outcomeNote, requestNote, updateLinkMail } from './messages';

const hour = 3_600_000;

/** Faults of a mail server that took nothing. */
const surelyUnsent: ReadonlySet<string> = new Set(['refused', 'unreachable'] satisfies DeliveryFailed['why'][]);

const linkCounts = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${credentialLinks}`);

export interface DeliveryParts {
  readonly database: Database;
  readonly keys: Keys;
  readonly sources: Sources;
  readonly delivery: DeliveryChannels;
  readonly policy: UpdatePolicy;
  /** How long the link works that a rule asks by. */
  readonly invitationHours: number;
  /** The merchant's name as customers know it. */
  readonly merchant: string;
  readonly publicUrl: () => string;
}

/** What leaves for the customer and the ticket: the link, by mail and to nobody else; notes, with neither link nor code. */
export class Deliveries {
  private readonly changes: JobChanges;
  private readonly mails: LinkMails;

  constructor(private readonly parts: DeliveryParts) {
    this.changes = new JobChanges(parts.database, parts.keys, 'delivery');
    this.mails = new LinkMails(parts.delivery, parts.publicUrl);
  }

  readonly link: JobHandler = {
    // With doubling pauses a bit more than half an hour.
    mostTries: 11,
    run: (job) => this.sendLink(job),
    giveUp: async ({ updateId }) => {
      await this.changes.make('credential.link', updateId, async (change, update, seal) => {
        if (update.state !== 'REQUESTED') return;
        await end(change, seal, update, 'credential.undeliverable', { to: 'FAILED', reason: 'UNDELIVERABLE' });
      });
      return true;
    },
  };

  readonly notice: JobHandler = this.noteHandler(requestNote);
  readonly outcome: JobHandler = this.noteHandler(outcomeNote);

  private async sendLink(job: ClaimedJob): Promise<JobResult> {
    await this.mails.send({
      prepare: (token) => this.prepareLink(job, token),
      sent: ({ expiresAt }) => this.linkSent(job, expiresAt),
      undeliverable: async () => void (await this.link.giveUp(job)),
    });
    return 'done';
  }

  private prepareLink(job: ClaimedJob, token: string) {
    const { updateId, renewLease } = job;
    const { keys, policy, merchant } = this.parts;
    return this.changes.make('credential.link', updateId, async (change, update, seal) => {
      if (update.state !== 'REQUESTED' || update.expiresAt <= change.at) return null;
      await renewLease(change);
      if (seal.key === null) {
        await end(change, seal, update, 'credential.link', { to: 'FAILED', reason: 'CUSTOMER_ERASED' });
        return null;
      }
      const to = await this.addressOf(change, update);
      if (to === null) {
        await end(change, seal, update, 'credential.contact-changed', { to: 'FAILED', reason: 'CONTACT_CHANGED' });
        return null;
      }
      if (update.ticketId === null && (await this.mayHaveLeft(change, job))) {
        await move(change, seal, update, 'credential.link-lost', { to: 'AWAITING_CUSTOMER', detail: { channel: 'MAIL' } });
        return null;
      }
      const asked = await this.ticketOf(change, update);
      const linkHours = update.ticketId === null ? this.parts.invitationHours : policy.linkHours;
      const until = new Date(change.at.getTime() + linkHours * hour);
      const sent = linkOf(keys, token, { at: change.at, until });
      const { expiresAt } = sent;
      const link = { id: `cln_${ulid(change.at.getTime())}`, updateId, ...sent };
      await change.insert(credentialLinks, link);
      change.record('credential.link', {
        ...factsOf(update, seal),
        detail: { link: link.id, until: expiresAt.toISOString(), token: link.tokenDigest },
      });
      const { kind } = update;
      const about = { merchant, ticket: update.ticketId === null ? null : (asked?.reference ?? ''), kind, expiresAt };
      return { to, expiresAt, mail: (url: string) => updateLinkMail({ ...about, url }) };
    });
  }

  private linkSent({ updateId, renewLease }: ClaimedJob, expiresAt: Date): Promise<void> {
    return this.changes.make('credential.link', updateId, async (change, update, seal) => {
      if (update.state !== 'REQUESTED') return;
      await renewLease(change);
      update.expiresAt = expiresAt;
      await move(change, seal, update, 'credential.link-sent', { to: 'AWAITING_CUSTOMER', detail: { channel: 'MAIL' } });
      if (update.ticketId !== null) await enqueue(change, updateId, 'NOTICE');
    });
  }

  /** The update's ticket as its helpdesk names it; null where it is on none. */
  private async ticketOf(change: Change, { ticketId }: CredentialUpdate) {
    if (ticketId === null) return null;
    const [about] = await change.read(ticketReferenceRows, sql`WHERE ${ticket.id} = ${ticketId}`);
    return about ?? null;
  }

  /**
   * Whether a link that was written down before may have left: whoever had the job before never said what came of it, or the mail server
   * left it open.
   */
  private async mayHaveLeft(change: Change, { updateId, attempts, lastFault }: ClaimedJob): Promise<boolean> {
    const [written] = await change.read(linkCounts, sql`WHERE ${credentialLinks.updateId} = ${updateId}`);
    const count = written?.n ?? 0;
    return count > 0 && (count > attempts || lastFault === null || !surelyUnsent.has(lastFault));
  }

  /** The address that was judged when the update was requested, or none: a link must not follow an address that somebody changed meanwhile. */
  private async addressOf(change: Change, update: CredentialUpdate): Promise<string | null> {
    const [contact] = await change.read(payerRows, sql`WHERE ${payer.id} = ${update.paymentCustomerId}`);
    if (!contact || contact.gone) return null;
    const email = this.parts.keys.open(payer, contact, 'email');
    return email !== null && isDigestOfEmail(this.parts.keys, update.mailDigest, email) ? email : null;
  }

  private noteHandler(write: (update: CredentialUpdate) => string): JobHandler {
    return {
      mostTries: 11,
      run: async ({ updateId }) => {
        const noted = await this.changes.make('credential.note', updateId, async (change, update) => {
          const about = await this.ticketOf(change, update);
          return about ? { source: about.source, reference: about.reference, text: write(update) } : null;
        });
        if (noted !== null) await this.parts.sources.addNote(noted.source, noted.reference, noted.text);
        return 'done';
      },
      // The ticket lacks a sentence; the update and its history are where they belong.
      giveUp: async ({ updateId, kind }) => {
        await this.changes.make('credential.note', updateId, async (change, update, seal) => {
          change.record('credential.note-dropped', { ...factsOf(update, seal), detail: { given_up: kind } });
        });
        return true;
      },
    };
  }
}
