import { IdList, Instant, Integer, Key, Text, WordList } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';
import type { ClaimedTrait } from '../../risk/signal';

/** Where it was stated: told to a member of staff, who recorded it, or in a message. */
export type ClaimOrigin = 'STAFF' | 'MESSAGE';

/**
 * That a customer stated something of a payment on a ticket, and of which kinds: never what. How it was held against their payments, a
 * signal says. Never deleted.
 */
@Entity('ticket_claim')
@Index('uq_ticket_claim_ticket_id_origin_ordinal', ['ticketId', 'origin', 'ordinal'], { unique: true })
@Index('uq_ticket_claim_message_id', ['messageId'], { unique: true })
@Index('uq_ticket_claim_request_key', ['requestKey'], { unique: true })
export class TicketClaim {
  @Key() id!: string;
  @Text(64, { name: 'ticket_id' }) ticketId!: string;
  @Text(64, { name: 'customer_id' }) customerId!: string;
  @Text(8) origin!: ClaimOrigin;
  /** Which one of its ticket and origin it is, from 1: two that are stored at once can't both be the last one. */
  @Integer() ordinal!: number;
  @WordList() traits!: readonly ClaimedTrait[];
  @Text(64, { name: 'message_id', nullable: true }) messageId!: string | null;
  /** Who recorded it, `act_…`, and their rows among the staff. */
  @Text(64, { name: 'recorded_by_id', nullable: true }) recordedById!: string | null;
  @IdList({ name: 'recorded_by_staff_ids', nullable: true }) recordedByStaffIds!: readonly string[] | null;
  /** By which the same request finds it, and a digest of what was asked for: both keyed. */
  @Text(64, { name: 'request_key', nullable: true }) requestKey!: string | null;
  @Text(64, { name: 'request_digest', nullable: true }) requestDigest!: string | null;
  @Instant({ name: 'recorded_at' }) recordedAt!: Date;
}
export const ticketClaims = table(TicketClaim);
