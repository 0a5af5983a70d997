import { builtInRisks, type UpdatePolicy } from '../../../authz/policy/update-policy';
import type { ClaimedJob, JobHandler, JobResult } from '../../../background/outbox';
import type { Change } from '../../../db/change';
import type { Database } from '../../../db/database';
import { padded, sql } from '../../../db/sql';
import { Failure } from '../../../failure';
import { customer, linkRows } from '../../customers/customers.rows';
import { readAskable } from '../../invitations/asked-customer';
import { CustomerSeal } from '../../keys/customer-seal';
import type { Keys } from '../../keys/keys.service';
import { endOf } from '../../payments/card-end';
import { method, storedMethodRows } from '../../payments/payments.rows';
import type { Sources } from '../../sources/sources.service';
import { credentialUpdates } from '../credential-update.entity';
import type { CustomerSigns } from '../customer-signs';
import { summaryOfRow } from '../method-summary';
import { providerSideOf } from '../provider-side';
import { type Asking, beginUpdate, contactFor, type LinkedPayer, needsFor } from '../request/new-update';
import { readPast } from '../request/request-facts';
import { CardInvitation, type DropReason } from './card-invitation.entity';
import { askedOf, endings, type InvitationRow, invitation, invitationRows, samePerson } from './card-invitations.rows';
import { pauseBetween } from './card-invitations.service';

type Job = ClaimedJob<'INVITE', 'invitationId'>;

export interface InvitingParts {
  readonly database: Database;
  readonly keys: Keys;
  readonly sources: Sources;
  readonly policy: UpdatePolicy;
  readonly channels: { readonly mail: boolean; readonly sms: boolean };
  readonly signs: CustomerSigns;
  /** As few a day are asked as their turns are far apart. */
  readonly mostADay: number;
  /** How long the customer's link works. */
  readonly linkHours: number;
  readonly clock: () => Date;
  /** There are updates whose link is to be sent. */
  readonly wake: () => void;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
/** How long it waits for what will pass by itself: a hold, another update, a day on which enough was asked. Milliseconds. */
const waits = 6 * hour;
/** A customer who was asked to replace the card so lately isn't asked again. */
const askedLately = 30 * day;
/** Customers of the helpdesks who are one person at the payment side. */
const mostSame = 50;

const reason = 'The card ends soon.';

/** Why nobody is asked now: for good, or for so many milliseconds. */
type Hindrance = DropReason | { readonly again: number };
const isHindrance = (found: Hindrance | object): found is Hindrance => typeof found === 'string' || 'again' in found;

/** What may be asked. */
type Allowed = Pick<Asking, 'payer' | 'methodId' | 'summary' | 'needs' | 'contact' | 'contactStaffIds'>;

/**
 * Asks customers for a new card, each at their turn. The provider is asked just before whether the card still ends and payments still depend on
 * it, and everything that an agent's request is judged by is judged anew. Wherever a process ends, each customer is asked once or not.
 */
export class Inviting implements JobHandler<'INVITE', 'invitationId'> {
  /** A bit more than a day. */
  readonly mostTries = 30;

  constructor(private readonly parts: InvitingParts) {}

  /** Doubling to an hour. */
  pauseAfter(attempts: number): number {
    return Math.min(minute * 2 ** Math.min(attempts - 1, 6), hour);
  }

  async run(job: Job): Promise<JobResult> {
    const wanted = await this.read(job);
    if (!wanted) return 'done';
    const hasEnded = wanted.endsAt <= this.parts.clock();
    // As many as were planned before are kept, should somebody allow for them again.
    if (this.parts.mostADay === 0 && !hasEnded) return { again: waits };
    const dropped = hasEnded ? 'CARD_ENDED' : await this.asItIsNow(wanted);
    if (dropped !== null) {
      await this.drop(job, dropped);
      return 'done';
    }
    const { paymentCustomerId, paymentMethodId } = wanted;
    const wouldBe = await this.parts.signs.wouldBeAgainstHistory({ paymentCustomerId, paymentMethodId, kind: 'REPLACE_CARD' });
    const result = await this.ask(job, wouldBe);
    this.parts.wake();
    return result;
  }

  async giveUp(job: Job): Promise<boolean> {
    await this.drop(job, 'UNREACHABLE');
    return true;
  }

  /** Null once it has ended. */
  private async read({ invitationId }: Job): Promise<InvitationRow | null> {
    const [row] = await this.parts.database.read(invitationRows, sql`WHERE ${invitation.id} = ${invitationId}`);
    return row?.state === 'PLANNED' ? row : null;
  }

  /** Asks the provider, and tells why the customer isn't to be asked; null where they are. Throws `SourceUnavailable`. */
  private async asItIsNow(wanted: InvitationRow): Promise<DropReason | null> {
    const { database, keys, sources, policy } = this.parts;
    if (policy.kinds.REPLACE_CARD === undefined || !this.canChange(wanted.source)) return 'NOT_OFFERED';
    const [known] = await database.read(linkRows, sql`WHERE ${customer.id} = ${wanted.customerId}`);
    if (!known) return 'CUSTOMER_GONE';
    await sources.confirmLink(wanted.customerId);
    const side = await providerSideOf(database, keys, sources, wanted);
    if (!side) return 'CUSTOMER_GONE';
    if (!side.method) return 'METHOD_GONE';
    const { reference, copies } = side.method;
    const state = await side.provider.readMethod(side.customer, reference);
    if (!state || state.method.status === 'REMOVED') return 'METHOD_GONE';
    // The issuer may have sent a new one, and the provider have learnt of it.
    if (endOf(state.method)?.getTime() !== wanted.endsAt.getTime()) return 'RENEWED';
    const same: readonly (string | null)[] = [reference, ...copies];
    const isUsed = same.includes(state.defaultMethod) || state.subscriptions.some((each) => same.includes(each.method));
    return isUsed ? null : 'NOT_USED';
  }

  /** False for a source that isn't configured any more, or that can only be read. */
  private canChange(source: string): boolean {
    try {
      return this.parts.sources.paymentsSource(source).connector.credentials !== undefined;
    } catch (error) {
      if (error instanceof Failure) return false;
      throw error;
    }
  }

  private ask(job: Job, wouldBe: boolean): Promise<JobResult> {
    const { database, keys, linkHours } = this.parts;
    return database.system('signals', 'credential.request', async (change) => {
      const wanted = await change.lock(CardInvitation, { id: job.invitationId });
      if (wanted.state !== 'PLANNED') return 'done';
      await job.renewLease(change);
      const pause = await this.untilTurn(change);
      if (pause > 0) return { again: pause };
      const seal = await CustomerSeal.of(change, keys, wanted.customerId);
      const allowed = await this.judge(change, seal, { wanted, wouldBe });
      if (isHindrance(allowed)) {
        if (typeof allowed === 'object') return allowed;
        await this.end(change, seal, wanted, { state: 'DROPPED', reason: allowed });
        return 'done';
      }
      const content = `${wanted.rule} ${wanted.paymentMethodId} ${wanted.endsAt.getTime()}`;
      const updateId = await beginUpdate(change, seal, {
        ...allowed,
        kind: 'REPLACE_CARD',
        reason,
        requestKey: keys.searchDigest('credential-request', `${wanted.id} ${content}`) as string,
        requestDigest: keys.searchDigest('credential-input', content) as string,
        ticketId: null,
        assistanceId: null,
        by: { actorId: change.actor.id, staffId: null, staffIds: [] },
        restsOn: [wanted.id],
        customerId: wanted.customerId,
        linkHours,
      });
      await this.end(change, seal, wanted, { state: 'ASKED', updateId });
      return 'done';
    });
  }

  /** Milliseconds until the next may be asked: however many turns have come meanwhile, they are asked one after the other. */
  private async untilTurn(change: Change): Promise<number> {
    const [last] = await change.read(
      endings,
      sql`WHERE ${invitation.state} = 'ASKED' ORDER BY ${invitation.endedAt} DESC LIMIT 1`,
      { lock: true },
    );
    return last?.endedAt ? last.endedAt.getTime() + pauseBetween(this.parts.mostADay) - change.at.getTime() : 0;
  }

  /** Everything that an agent's request is judged by, and more: nobody speaks with the customer, so what takes somebody's word isn't asked. */
  private async judge(
    change: Change,
    seal: CustomerSeal,
    { wanted, wouldBe }: { readonly wanted: CardInvitation; readonly wouldBe: boolean },
  ): Promise<Hindrance | Allowed> {
    const { keys, policy, channels, signs } = this.parts;
    const { customerId, paymentCustomerId } = wanted;
    if (wanted.endsAt <= change.at) return 'CARD_ENDED';
    if (seal.key === null) return 'CUSTOMER_ERASED';
    const { payer, contactStaffIds } = await readAskable(change, keys, customerId);
    if (payer === null || payer.link !== 'VERIFIED' || payer.id !== paymentCustomerId) return 'LINK_CHANGED';
    const card = await this.cardOf(change, wanted);
    if (!card) return 'METHOD_GONE';
    const before = await this.askedBefore(change, { payer, methodId: card.id });
    if (before !== null) return before;
    const past = await readPast(change, customerId, payer.id);
    if (past.requestedToday >= policy.quota.perCustomerPerDay) return { again: waits };
    if ((await signs.heldSince(change, { customerId, paymentCustomerId })) !== null) return { again: waits };
    const summary = summaryOfRow(card, keys);
    const needs = await needsFor(change, {
      kind: 'REPLACE_CARD',
      payer,
      contactStaffIds,
      lastDisputeAt: past.lastDisputeAt,
      method: { isDefault: summary.isDefault, createdAt: card.createdAt },
      customerId,
      wouldBe,
      signs,
      policy,
    });
    const contact = channels.mail ? contactFor(payer, needs, channels) : 'no-mail';
    if (typeof contact === 'string') return 'NO_CONTACT';
    if (builtInRisks.some((risk) => needs.rules.includes(risk))) return 'HIGH_RISK';
    return { payer, methodId: card.id, summary, needs, contact, contactStaffIds };
  }

  /** The card as it is stored; undefined where it is gone or ends otherwise. */
  private async cardOf(change: Change, { paymentMethodId, paymentCustomerId, endsAt }: CardInvitation) {
    const [card] = await change.read(
      storedMethodRows,
      sql`WHERE ${method.id} = ${paymentMethodId} AND ${method.paymentCustomerId} = ${paymentCustomerId} AND ${method.status} <> 'REMOVED' AND ${method.sameAsId} IS NULL`,
    );
    return card && endOf(card)?.getTime() === endsAt.getTime() ? card : undefined;
  }

  /** Whether the customer is being asked for something, or was asked for this card lately, under whichever ticket or name. */
  private async askedBefore(
    change: Change,
    { payer, methodId }: { readonly payer: LinkedPayer; readonly methodId: string },
  ): Promise<Hindrance | null> {
    const same = await change.read(samePerson, sql`WHERE ${customer.paymentCustomerId} = ${payer.id} LIMIT ${mostSame}`);
    const { customerId, kind, createdAt, openKey, paymentMethodId } = credentialUpdates;
    const isTheirs = sql`${customerId} IN (${padded(same.map(({ id }) => id))})`;
    const lately = new Date(change.at.getTime() - askedLately);
    const [asked] = await change.read(
      askedOf,
      sql`WHERE ${isTheirs} AND ${kind} = 'REPLACE_CARD' AND ${paymentMethodId} = ${methodId} AND ${createdAt} > ${lately} LIMIT 1`,
    );
    if (asked) return 'ASKED_ALREADY';
    const [open] = await change.read(askedOf, sql`WHERE ${isTheirs} AND ${openKey} IS NOT NULL LIMIT 1`);
    return open ? { again: waits } : null;
  }

  private drop(job: Job, dropped: DropReason): Promise<void> {
    return this.parts.database.system('signals', 'card-invitation.end', async (change) => {
      const wanted = await change.lock(CardInvitation, { id: job.invitationId });
      if (wanted.state !== 'PLANNED') return;
      await job.renewLease(change);
      const seal = await CustomerSeal.of(change, this.parts.keys, wanted.customerId);
      await this.end(change, seal, wanted, { state: 'DROPPED', reason: dropped });
    });
  }

  private async end(
    change: Change,
    seal: CustomerSeal,
    row: CardInvitation,
    how: { readonly state: 'ASKED'; readonly updateId: string } | { readonly state: 'DROPPED'; readonly reason: DropReason },
  ): Promise<void> {
    row.state = how.state;
    row.endedAt = change.at;
    row.updateId = how.state === 'ASKED' ? how.updateId : null;
    row.reason = how.state === 'DROPPED' ? how.reason : null;
    await change.save(row);
    change.record('card-invitation.end', {
      subject: { type: 'CardInvitation', id: row.id },
      customers: seal.customers,
      detail: {
        state: how.state,
        ...(how.state === 'ASKED' ? { update: how.updateId } : { reason: how.reason }),
      },
    });
  }
}
