import { dueFrom, jobTable } from '../../../background/job-table';
import type { Change } from '../../../db/change';
import type { Database } from '../../../db/database';
import { padded, sql } from '../../../db/sql';
import type { RuleName } from '../../../risk/rule';
import { ulid } from '../../../ulid';
import { customer, linkRows } from '../../customers/customers.rows';
import type { Keys } from '../../keys/keys.service';
import { endOf } from '../../payments/card-end';
import { method, payer, payerRows, storedMethodRows } from '../../payments/payments.rows';
import { credentialUpdates } from '../credential-update.entity';
import { cardInvitationJobs, cardInvitations } from './card-invitation.entity';
import { askedOf, invitation, invitationIds, turns } from './card-invitations.rows';

export const invitationJobs = jobTable(cardInvitationJobs, { subject: 'invitationId' });

/** What a rule has a customer asked for. Ids are ours. */
export interface WantedInvitation {
  readonly customerId: string;
  readonly paymentMethodId: string;
  /** The last instant of the card. */
  readonly endsAt: Date;
  readonly rule: RuleName;
  readonly ruleVersion: number;
  /** Signals, as the log names them. */
  readonly restsOn: readonly string[];
}

export interface CardInvitationParts {
  readonly database: Pick<Database, 'read'>;
  readonly keys: Keys;
  /** Customers who are asked within 24 hours, by the whole gateway. */
  readonly mostADay: number;
  /** A card ends before its turn would come: told once an hour by each process. */
  readonly onTooMany: () => void;
}

const hour = 3_600_000;
const day = 24 * hour;
/** Signals that the event names. */
const mostSignals = 50;
/** Updates under way that are looked through for those of one customer. */
const mostOpen = 500;

/** The pause between two customers who are asked, in milliseconds. */
export const pauseBetween = (mostADay: number): number => Math.ceil(day / mostADay);

/** Customers whom rules have asked for a new card before theirs ends: who is to be asked, and when. */
export class CardInvitations {
  private toldAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly parts: CardInvitationParts) {}

  /**
   * Has a customer asked, in a change that is permitted already. False where nothing follows: nobody knows surely who the customer is, the
   * card isn't theirs or ends otherwise, it was to be asked about before, whatever came of it, or its turn would come too late.
   */
  async plan(change: Change, wanted: WantedInvitation): Promise<boolean> {
    const { customerId, paymentMethodId, endsAt, rule, ruleVersion, restsOn } = wanted;
    const [linked] = await change.read(linkRows, sql`WHERE ${customer.id} = ${customerId}`);
    const payerId = linked?.link === 'VERIFIED' ? linked.paymentCustomerId : null;
    if (payerId === null || this.parts.mostADay === 0) return false;
    const [held] = await change.read(payerRows, sql`WHERE ${payer.id} = ${payerId} AND ${payer.gone} = ${false}`);
    const [card] = await change.read(
      storedMethodRows,
      sql`WHERE ${method.id} = ${paymentMethodId} AND ${method.paymentCustomerId} = ${payerId} AND ${method.status} <> 'REMOVED' AND ${method.sameAsId} IS NULL`,
    );
    if (!held || !card || endOf(card)?.getTime() !== endsAt.getTime()) return false;
    const [known] = await change.read(
      invitationIds,
      sql`WHERE ${invitation.paymentMethodId} = ${card.id} AND ${invitation.endsAt} = ${endsAt}`,
    );
    if (known) return false;
    const dueAt = await this.nextTurn(change);
    if (dueAt >= endsAt) {
      this.tellTooMany(change.at.getTime());
      return false;
    }
    const id = `inv_${ulid(change.at.getTime())}`;
    await change.insert(cardInvitations, {
      id,
      paymentMethodId: card.id,
      endsAt,
      customerId,
      paymentCustomerId: payerId,
      source: held.source,
      rule,
      ruleVersion,
      state: 'PLANNED',
      reason: null,
      updateId: null,
      dueAt,
      createdAt: change.at,
      endedAt: null,
    });
    const job = { id: `job_${ulid(change.at.getTime())}`, invitationId: id, kind: 'INVITE' } as const;
    await change.insert(cardInvitationJobs, { ...job, ...dueFrom(dueAt) });
    const about = await this.parts.keys.customerUnderDigest(change, customerId);
    change.record('card-invitation.plan', {
      subject: { type: 'CardInvitation', id },
      customers: about ? [about] : [],
      detail: {
        rule,
        version: ruleVersion,
        method: card.id,
        payer: payerId,
        source: held.source,
        ends: endsAt.toISOString(),
        due: dueAt.toISOString(),
        restsOn: restsOn.slice(-mostSignals),
      },
    });
    return true;
  }

  /** Which of these customers, by their ids on either side, are being asked for a new card just now, whoever asks. */
  async invited(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const { kind, openKey, customerId, paymentCustomerId } = credentialUpdates;
    const rows = await this.parts.database.read(
      askedOf,
      sql`WHERE ${kind} = 'REPLACE_CARD' AND ${openKey} IS NOT NULL
        AND (${customerId} IN (${padded(ids)}) OR ${paymentCustomerId} IN (${padded(ids)})) LIMIT ${mostOpen}`,
    );
    return new Set(rows.flatMap((row) => [row.customerId, row.paymentCustomerId]));
  }

  /** Behind whoever comes last: one after the other, as many a day as may be. */
  private async nextTurn(change: Change): Promise<Date> {
    const [last] = await change.read(turns, sql`ORDER BY ${invitation.dueAt} DESC LIMIT 1`);
    const next = (last?.dueAt.getTime() ?? Number.NEGATIVE_INFINITY) + pauseBetween(this.parts.mostADay);
    return new Date(Math.max(change.at.getTime(), next));
  }

  private tellTooMany(now: number): void {
    if (now - this.toldAt < hour) return;
    this.toldAt = now;
    this.parts.onTooMany();
  }
}
