import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import type { Values } from '../../db/table';
import { type Claim, type JudgedClaim, traitsOf } from '../../risk/claim';
import { ulid } from '../../ulid';
import { ownSource } from '../signals/own-source';
import { recordSignals } from '../signals/recorder';
import { type ClaimOrigin, type TicketClaim, ticketClaims } from './claim.entity';
import { lastOrdinals, claim as q } from './claims.rows';

/** Claims of one ticket and one origin. */
export const mostClaims = 10;

/** How many claims of this origin a ticket has, as committed last: the caller has locked the ticket. */
export const claimsOn = async (change: Change, ticketId: string, origin: ClaimOrigin): Promise<number> => {
  const isOf = sql`WHERE ${q.ticketId} = ${ticketId} AND ${q.origin} = ${origin}`;
  const [row] = await change.read(lastOrdinals, isOf, { lock: true });
  return row?.last ?? 0;
};

const signalOf = (claimId: string): string => `${claimId}:claim`;
const ofSignal = new RegExp(`^${ownSource}/(clm_[0-9A-HJKMNP-TV-Z]{26}):claim$`);

/** The claims that signals tell of, as the log names them. */
export const claimsBehind = (signals: readonly string[]): readonly string[] =>
  signals.flatMap((signal) => ofSignal.exec(signal)?.[1] ?? []);

/** A claim as it was made. */
type Stating = Pick<TicketClaim, 'ticketId' | 'customerId' | 'origin' | 'ordinal'> &
  Partial<TicketClaim> & { readonly claim: Claim };

/** A claim as it is stored. */
export const newClaim = (change: Change, { claim, ...given }: Stating): Values<TicketClaim> => ({
  id: `clm_${ulid(change.at.getTime())}`,
  traits: traitsOf(claim),
  messageId: null,
  recordedById: null,
  recordedByStaffIds: null,
  requestKey: null,
  requestDigest: null,
  recordedAt: change.at,
  ...given,
});

/** Stores a claim, and tells by a signal what came of it where that can be said. The caller records it. */
export const store = async (
  change: Change,
  row: Values<TicketClaim>,
  judged: JudgedClaim | null,
  statedAt: Date,
): Promise<void> => {
  await change.insert(ticketClaims, row);
  if (!judged) return;
  const { outcome, paymentId } = judged;
  await recordSignals(change, [
    {
      source: ownSource,
      id: signalOf(row.id),
      type: 'ticket.claim',
      occurredAt: statedAt,
      subjects: { customer: row.customerId, ticket: row.ticketId, ...(paymentId === null ? {} : { payment: paymentId }) },
      facts: { outcome },
    },
  ]);
};
