import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { judgeClaim } from '../../risk/claim';
import { claimInText } from '../../risk/claim-text';
import type { Core } from '../core';
import { bodyOf, moveStated } from '../tickets/stated-messages';
import { lockTicket } from '../tickets/tickets.lock';
import { type StatedMessage, ticket } from '../tickets/tickets.rows';
import { statedAgainst } from './claim-record';
import { statingTickets } from './claims.rows';
import type { KnownHistory } from './claims.service';
import { claimsOn, mostClaims, newClaim, store } from './stating';

/** The pause before a customer is looked at again whose payments aren't known up to the message, in milliseconds. */
const again = 60_000;
/** So long after it was written, in milliseconds, nobody waits for them any more. */
const givenUpAfter = 25 * 3_600_000;

export interface ClaimReadingParts extends Pick<Core, 'database' | 'keys'> {
  readonly history: Pick<KnownHistory, 'days'>;
}

/**
 * Holds what customers state in their messages against their payments, once those are known up to the message. Which messages state
 * something is seen as they are stored; any number of processes may do so, and each message is done with once.
 */
export class ClaimReading {
  constructor(private readonly parts: ClaimReadingParts) {}

  /** Returns how many claims it stored. */
  async take(due: readonly StatedMessage[]): Promise<number> {
    const { database } = this.parts;
    let stored = 0;
    for (const each of due)
      if (await database.system('signals', 'claim.read', (change) => this.judge(change, each), { idempotent: true })) stored += 1;
    return stored;
  }

  /** Whether a claim was stored. */
  private async judge(change: Change, due: StatedMessage): Promise<boolean> {
    const { id: messageId, ticketId, createdAt } = due;
    await lockTicket(change, ticketId);
    const next = await this.next(change, due);
    const isMine = await moveStated(change, due, next === 'later' ? later(change, createdAt) : null);
    if (!isMine || next === null || next === 'later') return false;
    const { claim, judged, customerId, about } = next;
    const row = newClaim(change, { claim, ticketId, customerId, origin: 'MESSAGE', ordinal: next.ordinal, messageId });
    await store(change, row, judged, createdAt);
    change.record('claim.read', {
      ticketId,
      subject: { type: 'Claim', id: row.id },
      customers: [about],
      detail: { traits: row.traits, ordinal: row.ordinal, message: messageId },
    });
    return true;
  }

  /** What a message states, and what comes of it; null where it is nobody’s claim or that can’t be said, `later` where it may be yet. */
  private async next(change: Change, due: StatedMessage) {
    const { keys, history } = this.parts;
    const [stating] = await change.read(statingTickets, sql`WHERE ${ticket.id} = ${due.ticketId}`);
    if (!stating || stating.customerId === null || stating.keyId !== due.keyId) return null;
    const { customerId, customerSetByIds, createdById, emailEdited } = stating;
    // Where staff said whom a ticket is about, or where they write from, what is written there may be theirs.
    if (customerSetByIds.length > 0 || createdById !== null || emailEdited !== false) return null;
    const text = bodyOf(keys, due);
    const claim = text === null ? null : claimInText(text, due.createdAt);
    const about = claim && (await keys.customerUnderDigest(change, customerId));
    if (!claim || !about) return null;
    const before = await claimsOn(change, due.ticketId, 'MESSAGE');
    if (before >= mostClaims) return null;
    const against = await statedAgainst(change, customerId, history.days);
    if (against.isUndecided) return 'later';
    if (against.link !== 'VERIFIED' || against.record === null) return null;
    if (against.confirmedAt === null || against.confirmedAt < due.createdAt) return 'later';
    const judged = judgeClaim(claim, { ...against.record, isAboutThatTime: false });
    return judged && { claim, judged, customerId, about, ordinal: before + 1 };
  }
}

const later = ({ at }: Change, createdAt: Date): Date | null =>
  at.getTime() - createdAt.getTime() > givenUpAfter ? null : new Date(at.getTime() + again);
