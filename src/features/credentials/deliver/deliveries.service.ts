import { randomBytes } from 'node:crypto';
import type { ActionName } from '../../../audit/events';
import type { UpdatePolicy } from '../../../authz/update-policy';
import type { Change } from '../../../db/change';
import type { Database } from '../../../db/database';
import { sql } from '../../../db/sql';
import { ulid } from '../../../ulid';
import { type DeliveryChannels, DeliveryFailed } from '../../../upstream/delivery/delivery.port';
import type { Keys } from '../../keys/keys.service';
import { payer, payerRows } from '../../payments/payments.rows';
import type { Sources } from '../../sources/sources.service';
import { ticket, ticketReferenceRows } from '../../tickets/tickets.rows';
import { CredentialUpdate, credentialLinks } from '../credential-update.entity';
import { CustomerSeal, end, factsOf, move } from '../credential-update.moves';
import { type ClaimedJob, enqueue, type JobHandler, type JobResult } from '../jobs.service';
import { linkMail, outcomeNote, requestNote } from './messages';

const hour = 3_600_000;
/** 256 bits: nobody guesses one, and of what is stored nobody gets it back. */
const tokenBytes = 32;

/** What leaves for the customer and the ticket: the link, by mail and to nobody else; notes, with neither link nor code. */
export class Deliveries {
  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly sources: Sources,
    private readonly channels: DeliveryChannels,
    private readonly policy: UpdatePolicy,
    private readonly merchant: string,
    private readonly publicUrl: () => string,
  ) {}

  readonly link: JobHandler = {
    // With doubling pauses a bit more than half an hour.
    mostTries: 11,
    run: (job) => this.sendLink(job),
    giveUp: async ({ updateId }) => {
      await this.change('credential.link', updateId, async (change, update, seal) => {
        if (update.state !== 'REQUESTED') return;
        await end(change, seal, update, 'credential.undeliverable', { to: 'FAILED', reason: 'UNDELIVERABLE' });
      });
      return true;
    },
  };

  readonly notice: JobHandler = this.noteHandler(requestNote);
  readonly outcome: JobHandler = this.noteHandler(outcomeNote);

  /** Each sending has a token of its own, so that none needs to be kept to send it again. */
  private async sendLink({ updateId, renewLease }: ClaimedJob): Promise<JobResult> {
    const token = randomBytes(tokenBytes).toString('base64url');
    const prepared = await this.change('credential.link', updateId, async (change, update, seal) => {
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
      const [asked] = await change.read(ticketReferenceRows, sql`WHERE ${ticket.id} = ${update.ticketId}`);
      const expiresAt = new Date(change.at.getTime() + this.policy.linkHours * hour);
      const link = {
        id: `cln_${ulid(change.at.getTime())}`,
        updateId,
        tokenDigest: this.keys.searchDigest('credential-link', token) as string,
        createdAt: change.at,
        expiresAt,
      };
      await change.insert(credentialLinks, link);
      change.record('credential.link', { ...factsOf(update, seal), detail: { link: link.id, until: expiresAt.toISOString() } });
      return { to, reference: asked?.reference ?? '', expiresAt, kind: update.kind };
    });
    if (prepared === null) return 'done';
    const { to, reference, expiresAt, kind } = prepared;
    try {
      if (!this.channels.mail) throw new DeliveryFailed('mail', 'refused');
      await this.channels.mail.send({
        to,
        ...linkMail({ merchant: this.merchant, ticket: reference, kind, url: `${this.publicUrl()}/confirm/${token}`, expiresAt }),
      });
    } catch (error) {
      if (!(error instanceof DeliveryFailed) || !error.isFinal) throw error;
      await this.link.giveUp({ updateId } as ClaimedJob);
      return 'done';
    }
    await this.change('credential.link', updateId, async (change, update, seal) => {
      if (update.state !== 'REQUESTED') return;
      await renewLease(change);
      update.expiresAt = expiresAt;
      await move(change, seal, update, 'credential.link-sent', { to: 'AWAITING_CUSTOMER', detail: { channel: 'MAIL' } });
      await enqueue(change, updateId, 'NOTICE');
    });
    return 'done';
  }

  /** The address that was judged when the update was requested, or none: a link must not follow an address that somebody changed meanwhile. */
  private async addressOf(change: Change, update: CredentialUpdate): Promise<string | null> {
    const [contact] = await change.read(payerRows, sql`WHERE ${payer.id} = ${update.paymentCustomerId}`);
    if (!contact || contact.gone || contact.emailDigest !== update.mailDigest) return null;
    return this.keys.open(payer, contact, 'email');
  }

  private noteHandler(write: (update: CredentialUpdate) => string): JobHandler {
    return {
      mostTries: 11,
      run: async ({ updateId }) => {
        const noted = await this.change('credential.note', updateId, async (change, update) => {
          const [about] = await change.read(ticketReferenceRows, sql`WHERE ${ticket.id} = ${update.ticketId}`);
          return about ? { source: about.source, reference: about.reference, text: write(update) } : null;
        });
        if (noted !== null) await this.sources.addNote(noted.source, noted.reference, noted.text);
        return 'done';
      },
      // The ticket lacks a sentence; the update and its history are where they belong.
      giveUp: async ({ updateId, kind }) => {
        await this.change('credential.note', updateId, async (change, update, seal) => {
          change.record('credential.note-dropped', { ...factsOf(update, seal), detail: { given_up: kind } });
        });
        return true;
      },
    };
  }

  private change<T>(
    action: ActionName,
    updateId: string,
    work: (change: Change, update: CredentialUpdate, seal: CustomerSeal) => Promise<T>,
  ): Promise<T> {
    return this.database.system('delivery', action, async (change) => {
      const update = await change.lock(CredentialUpdate, { id: updateId });
      return work(change, update, await CustomerSeal.of(change, this.keys, update.customerId));
    });
  }
}
