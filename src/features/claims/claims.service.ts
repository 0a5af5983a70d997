import { canonicalize } from '../../audit/canonical';
import type { SignedInActor } from '../../authz/actor';
import type { KeptPerson } from '../../authz/same-person';
import type { Change } from '../../db/change';
import type { Reads } from '../../db/reads';
import { sql } from '../../db/sql';
import type { Selected } from '../../db/table';
import { Failure, ProgrammingError } from '../../failure';
import { type Claim, judgeClaim, traitsOf } from '../../risk/claim';
import { assistances } from '../assistance/assistance.entity';
import type { Assistances } from '../assistance/assistance.service';
import { assistanceIds, live, useAssistance } from '../assistance/live';
import type { Core } from '../core';
import type { Ticket } from '../tickets/ticket.entity';
import { lockTicket } from '../tickets/tickets.lock';
import type { InScope } from '../tickets/tickets.scope';
import { TicketClaim } from './claim.entity';
import { type ClaimSubject, claimActions, fieldsBehind, type ShownInClear } from './claim.policy';
import type { RecordClaimInput } from './claim.type';
import { type StatedAgainst, statedAgainst } from './claim-record';
import { claimRows, claim as q, recorders } from './claims.rows';
import { claimsBehind, claimsOn, mostClaims, newClaim, store } from './stating';

/** How much is known of customers' payments. */
export interface KnownHistory {
  /** Days before it was read of which a payment source tells everything. */
  readonly days: number;
  /** What was confirmed longer ago than this, in milliseconds, isn't known to be so any more. */
  readonly maximumAge: number;
}

export interface ClaimParts extends Pick<Core, 'database' | 'keys'> {
  readonly assistances: Pick<Assistances, 'subjectOf'>;
  readonly history: KnownHistory;
}

/** Minor units of an amount that anybody pays. */
const highest = 10 ** 12;

interface Asked {
  readonly actor: SignedInActor;
  readonly claim: Claim;
  readonly request: { readonly key: string; readonly digest: string };
  readonly shows: ShownInClear;
}

/** What customers state of payments, as staff record it. */
export class Claims {
  constructor(private readonly parts: ClaimParts) {}

  /** Whether the actor may record this on the ticket as it is stored; `record` judges again. Throws `INVALID`, `DENIED`. */
  async expectMayRecord({ actor, id }: InScope<Ticket>, input: RecordClaimInput, shows: ShownInClear): Promise<void> {
    const asked = this.askedBy(actor, input, shows);
    await this.parts.database.change(actor, claimActions.record, async (change, permit) => {
      const ticket = await lockTicket(change, id);
      if (await change.lockIfAny(TicketClaim, { requestKey: asked.request.key })) return;
      const { subject } = await this.subjectOn(change, ticket, asked);
      permit({ ...subject, ticket: { ...subject.ticket, isFresh: true } });
    });
  }

  /**
   * Records what the customer of a ticket states of one payment, and holds it against theirs; what comes of that is told by an alert alone.
   * The same key with the same input returns the same claim. Throws `INVALID`, `NOT_FOUND`, `DENIED`, and `CONFLICT` for a key that was
   * used otherwise and for an eleventh on a ticket.
   */
  async record(
    { actor, id: ticketId }: InScope<Ticket>,
    input: RecordClaimInput,
    shows: ShownInClear,
  ): Promise<Selected<typeof claimRows>> {
    const asked = this.askedBy(actor, input, shows);
    return this.parts.database.change(actor, claimActions.record, async (change, permit) => {
      const ticket = await lockTicket(change, ticketId);
      const known = await change.lockIfAny(TicketClaim, { requestKey: asked.request.key });
      if (known) return repeated(known, asked);
      const { subject, assistanceId, against } = await this.subjectOn(change, ticket, asked);
      permit(subject);
      return this.newOf(change, ticket, asked, { assistanceId, against });
    });
  }

  /** Who recorded the claims that these signals tell of. */
  async recordersOf(reads: Pick<Reads, 'read'>, signals: readonly string[]): Promise<readonly KeptPerson[]> {
    const ids = claimsBehind(signals);
    if (ids.length === 0) return [];
    const rows = await reads.read(recorders, sql`WHERE ${q.id} IN (${ids}) AND ${q.origin} = 'STAFF'`);
    return rows.map(({ recordedById, recordedByStaffIds }) => ({ actorId: recordedById ?? '', staffIds: recordedByStaffIds }));
  }

  private async newOf(
    change: Change,
    { id: ticketId, customerId }: Ticket,
    { actor, claim, request }: Asked,
    { assistanceId, against }: { readonly assistanceId: string | null; readonly against: StatedAgainst },
  ): Promise<Selected<typeof claimRows>> {
    const { keys, history } = this.parts;
    if (customerId === null || assistanceId === null)
      throw new ProgrammingError('a claim was permitted without its customer or without an assistance');
    const before = await claimsOn(change, ticketId, 'STAFF');
    if (before >= mostClaims)
      throw new Failure('CONFLICT', `A ticket takes ${mostClaims} claims.`, {
        remedy: 'Report what you noticed with reportConcern instead.',
      });
    // What must still hold when this commits is written to: whoever ends the assistance meanwhile makes this find nothing.
    if (!(await useAssistance(change, assistanceId)))
      throw Failure.denied('ASSISTANCE_ENDED', claimActions.record.name, ticketId);
    const about = await keys.customerUnderDigest(change, customerId);
    if (!about) throw Failure.notFound('ticket');
    const row = newClaim(change, {
      claim,
      ticketId,
      customerId,
      origin: 'STAFF',
      ordinal: before + 1,
      recordedById: actor.id,
      recordedByStaffIds: actor.staffIds,
      requestKey: request.key,
      requestDigest: request.digest,
    });
    const { record, confirmedAt } = against;
    const isKnown = confirmedAt !== null && change.at.getTime() - confirmedAt.getTime() <= history.maximumAge;
    const judged = record && isKnown ? judgeClaim(claim, { ...record, isAboutThatTime: true }) : null;
    await store(change, row, judged, change.at);
    change.record('claim.record', {
      ticketId,
      assistanceId,
      subject: { type: 'Claim', id: row.id },
      customers: [about],
      detail: {
        traits: row.traits,
        ordinal: row.ordinal,
        key: request.key,
        request: request.digest,
        staffRows: actor.staffIds,
      },
    });
    return row;
  }

  private async subjectOn(
    change: Change,
    ticket: Ticket,
    { actor, claim, shows }: Asked,
  ): Promise<{ readonly subject: ClaimSubject; readonly assistanceId: string | null; readonly against: StatedAgainst }> {
    const { customerId, id: ticketId } = ticket;
    const against: StatedAgainst =
      customerId === null
        ? { link: 'NONE', isUndecided: false, confirmedAt: null, record: null }
        : await statedAgainst(change, customerId, this.parts.history.days);
    const assistanceId = customerId === null ? null : await assistanceOn(change, actor, { ticketId, customerId });
    const behind = fieldsBehind(traitsOf(claim));
    const subject = {
      ticket: await this.parts.assistances.subjectOf(change, ticket),
      isAssisted: assistanceId !== null,
      isForRole: shows(behind, 'VERIFIED'),
      isShown: shows(behind, against.link),
    };
    return { subject, assistanceId, against };
  }

  /** Throws `INVALID` for what can't be stated, whoever states it. */
  private askedBy(actor: SignedInActor, input: RecordClaimInput, shows: ShownInClear): Asked {
    const { ticketId, idempotencyKey } = input;
    if (!/^[\x21-\x7e]{8,128}$/.test(idempotencyKey))
      throw Failure.invalid('input.idempotencyKey', 'expected 8 to 128 printable ASCII characters without blanks');
    const claim = claimOf(input);
    if (traitsOf(claim).length === 0)
      throw Failure.invalid('input', 'expected one or more of amount, date, orderReference and cardLast4');
    const { keys } = this.parts;
    const key = keys.searchDigest('claim-request', `${actor.id} ${idempotencyKey}`) as string;
    // With the key in it: that two requests state the same is nothing that a digest tells.
    const content = canonicalize([
      key,
      ticketId,
      claim.amount?.map(({ minorUnits, currency }) => [minorUnits, currency]) ?? null,
      claim.date?.toISOString() ?? null,
      claim.order,
      claim.card,
    ]);
    return { actor, claim, shows, request: { key, digest: keys.searchDigest('claim-input', content) as string } };
  }
}

const repeated = (known: TicketClaim, { request }: Asked): TicketClaim => {
  if (known.requestDigest === request.digest) return known;
  throw new Failure('CONFLICT', 'The idempotency key was used for another request.', {
    argument: 'input.idempotencyKey',
    remedy: 'Take a new key for a new request.',
  });
};

/** Throws `INVALID` where something isn't what it is called. Says nothing of it. */
const claimOf = ({ amount, date, orderReference, cardLast4 }: RecordClaimInput): Claim => {
  if (amount && !(Number.isSafeInteger(amount.minorUnits) && amount.minorUnits > 0 && amount.minorUnits <= highest))
    throw Failure.invalid('input.amount.minorUnits', 'expected minor units above 0');
  const day = typeof date === 'string' ? new Date(`${date}T00:00:00.000Z`) : null;
  if (
    day &&
    !(/^\d{4}-\d{2}-\d{2}$/.test(date ?? '') && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date ?? ''))
  )
    throw Failure.invalid('input.date', 'expected a day such as 2026-09-01');
  const order = typeof orderReference === 'string' ? orderReference.trim() : null;
  if (order !== null && (order.length === 0 || order.length > 128))
    throw Failure.invalid('input.orderReference', 'expected 1 to 128 characters');
  if (typeof cardLast4 === 'string' && !/^\d{4}$/.test(cardLast4))
    throw Failure.invalid('input.cardLast4', 'expected the last four digits');
  return {
    amount: amount ? [{ minorUnits: amount.minorUnits, currency: amount.currency, slack: 0 }] : null,
    date: day,
    order,
    card: cardLast4 ?? null,
  };
};

/** The actor's live assistance on the ticket, for its customer. */
const assistanceOn = async (
  change: Change,
  actor: SignedInActor,
  { ticketId, customerId }: { readonly ticketId: string; readonly customerId: string },
): Promise<string | null> => {
  const isOn = sql`${assistances.customerId} = ${customerId} AND ${assistances.ticketId} = ${ticketId}`;
  const [found] = await change.read(assistanceIds, sql`WHERE ${live(assistances, actor, change.at)} AND ${isOn} LIMIT 1`);
  return found?.id ?? null;
};
