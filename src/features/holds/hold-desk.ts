import { canonicalize } from '../../audit/canonical';
import type { ActionName } from '../../audit/events';
import type { SignedInActor } from '../../authz/actor';
import type { HoldPolicy } from '../../authz/policy/file';
import type { Action } from '../../authz/rule';
import { personOf } from '../../authz/same-person';
import { dueFrom } from '../../background/job-table';
import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { Failure, ProgrammingError } from '../../failure';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import { countAlone } from '../actors/actor.fence';
import { subjectsOf } from '../actors/actor.persons';
import { assistances } from '../assistance/assistance.entity';
import type { Assistances } from '../assistance/assistance.service';
import { assistanceIds, live, useAssistance } from '../assistance/live';
import type { Core } from '../core';
import { customer, linkRows } from '../customers/customers.rows';
import { transaction } from '../payments/payments.rows';
import { reasonIn } from '../reasons';
import type { Sources } from '../sources/sources.service';
import { doneBy, isActiveStaff } from '../tickets/staff.rows';
import { staffIdOf } from '../tickets/staff-id';
import type { Ticket } from '../tickets/ticket.entity';
import { lockTicket } from '../tickets/tickets.lock';
import { ticketReferenceRows, ticket as tickets } from '../tickets/tickets.rows';
import type { InScope } from '../tickets/tickets.scope';
import { heldByAgents, latestWithin, nextWithin } from './agents-share';
import { mostCustomers, PaymentHold, paymentHoldJobs } from './hold.entity';
import { hasRoom, move } from './hold.moves';
import { type HoldSubject, holdActions, holdReach, type PlaceSubject } from './hold.policy';
import { holdEffectKinds, placedStates, standingStates, stateAt } from './hold.states';
import type { PlaceHoldInput } from './hold.type';
import { authorizedRows, hold, paymentIds, placerRows, reachedRows } from './holds.rows';
import { letGo, makeDue, reasonNote } from './letting-go';
import { longestHold, placeHold } from './placing';
import { latestFor, latestUnasked, paymentNow, sideOf, sideOfPayer } from './provider-side';
import { hadTicketOf } from './whose-tickets';

const minute = 60_000;

/** A request whose form is right. */
interface Asked {
  readonly actor: SignedInActor;
  readonly input: PlaceHoldInput;
  /** The others of a group; none where it is about the ticket's customer alone. */
  readonly others: readonly string[];
  readonly request: { readonly key: string; readonly digest: string };
}

/** A hold as one of the staff decides about it. */
interface Reached {
  readonly row: PaymentHold;
  readonly subject: HoldSubject;
  readonly staffId: string | null;
  /** Under which they assist on its ticket. */
  readonly assistanceId: string | null;
}

/** Until when an authorization leaves room for a hold: as its provider says, or as it is reckoned while that can't be asked. */
interface CaptureLimit {
  readonly at: Date;
  readonly isReckoned: boolean;
}

export interface HoldDeskParts extends Pick<Core, 'database' | 'keys' | 'clock'> {
  readonly sources: Sources;
  readonly assistances: Assistances;
  readonly policy: HoldPolicy;
  /** Something is to be done at a provider. */
  readonly wake: () => void;
}

/** Holds as staff place, approve, release and extend them. */
export class HoldDesk {
  constructor(private readonly parts: HoldDeskParts) {}

  /** Whether the actor may place a hold on the ticket as it is stored, before its helpdesk is asked how it is now; `place` judges again. Throws `INVALID`, `DENIED`, `CONFLICT`. */
  async expectMayPlace(ticket: InScope<Ticket>, input: PlaceHoldInput): Promise<void> {
    await this.repeatedOrPermitted(ticket.id, this.askedOn(ticket, input), true);
  }

  /**
   * Places a hold on the ticket's customer, one of their payments, or a group. The same key with the same input returns the same one, whatever became of
   * it. Returns its id. Throws `INVALID`, `NOT_FOUND` (a payment of another customer, a customer outside the actor's assistances), `DENIED`, `CONFLICT`.
   */
  async place(ticket: InScope<Ticket>, input: PlaceHoldInput): Promise<string> {
    const asked = this.askedOn(ticket, input);
    const before = await this.repeatedOrPermitted(ticket.id, asked, false);
    if (before !== null) return before;
    const captureLimit = await this.latestOnTicket(ticket.id, input.transactionId ?? null);
    const id = await this.parts.database.change(ticket.actor, holdActions.place, async (change, permit) => {
      // The ticket first, as everywhere: of twins that come at once the second one finds what the first one wrote.
      const locked = await lockTicket(change, ticket.id);
      const known = await change.lockIfAny(PaymentHold, { requestKey: asked.request.key });
      if (known) return this.repeated(known, asked);
      const { subject, assistanceId } = await this.subjectOn(change, locked, asked);
      permit(subject);
      return this.newHold(change, locked, asked, { assistanceId, captureLimit });
    });
    this.parts.wake();
    return id;
  }

  /** A supervisor's consent to a proposal. Repeated by the same one, it changes nothing. Throws `NOT_FOUND`, `DENIED`, `CONFLICT`. */
  async approve(actor: SignedInActor, id: string): Promise<string> {
    await this.confirm(actor, holdActions.approve, id);
    await this.parts.database.change(actor, holdActions.approve, async (change, permit) => {
      const { row, subject, staffId } = await this.lock(change, actor, id);
      permit(subject);
      const isTheirs = row.moves.some(({ from, to, actorId }) => from === 'PROPOSED' && to === 'PLACING' && actorId === actor.id);
      if (isTheirs) return;
      if (stateAt(row, change.at) !== 'PROPOSED') throw isNot('PROPOSED', row, change.at);
      await move(change, this.parts.keys, row, 'hold.approve', {
        to: 'PLACING',
        staffId,
        detail: { staff: staffId, staffRows: actor.staffIds, of: row.placedById },
      });
      await change.update(paymentHoldJobs, dueFrom(change.at), sql`${paymentHoldJobs.holdId} = ${id}`);
    });
    this.parts.wake();
    return id;
  }

  /**
   * Lets go of what waits; of a proposal, refuses it. Repeated, or where it has ended otherwise, it changes nothing. Throws `INVALID`,
   * `NOT_FOUND`, `DENIED`, `CONFLICT` where it was approved meanwhile.
   */
  async release(actor: SignedInActor, id: string, given: string): Promise<string> {
    const text = reasonIn(given, 'reason');
    const { keys, database } = this.parts;
    const [seen] = await database.read(reachedRows, sql`WHERE ${hold.id} = ${id} AND ${holdReach(actor, this.parts.clock())}`);
    if (!seen) throw Failure.notFound('hold');
    const isProposal = seen.state === 'PROPOSED';
    const action = isProposal ? holdActions.reject : holdActions.release;
    await this.confirm(actor, action, id);
    await database.change(actor, action, async (change, permit) => {
      const { row, subject, staffId, assistanceId } = await this.lock(change, actor, id);
      permit(subject);
      const now = stateAt(row, change.at);
      if (now !== 'PROPOSED' && !placedStates.includes(now)) return;
      if (isProposal !== (now === 'PROPOSED')) throw isNot(isProposal ? 'PROPOSED' : 'placed', row, change.at);
      await this.expectLive(change, assistanceId, {
        action: isProposal ? 'hold.reject' : 'hold.release',
        ticketId: row.ticketId,
      });
      const owner = row.customerId;
      const key = owner === null ? undefined : (await keys.forOwners(change, [owner])).get(owner);
      const notes = reasonNote(keys, key, text);
      const staffRows = actor.staffIds;
      if (isProposal)
        await move(change, keys, row, 'hold.reject', {
          to: 'REJECTED',
          reason: 'BY_HAND',
          staffId,
          notes,
          detail: { staff: staffId, staffRows, of: row.placedById },
        });
      else await letGo(change, keys, row, { ending: 'RELEASED', reason: 'BY_HAND', byHand: { staffId, staffRows, notes } });
    });
    this.parts.wake();
    return id;
  }

  /** Moves a hold's end to a later instant. Repeated, it changes nothing. Throws `INVALID` (naming the latest), `NOT_FOUND`, `DENIED`, `CONFLICT`. */
  async extend(actor: SignedInActor, { id, until, reason }: { id: string; until: Date; reason: string }): Promise<string> {
    const text = reasonIn(reason, 'reason');
    const { keys, database } = this.parts;
    const reach = holdReach(actor, this.parts.clock());
    const [seen] = await database.read(reachedRows, sql`WHERE ${hold.id} = ${id} AND ${reach}`);
    if (!seen) throw Failure.notFound('hold');
    // Who may not is told so before the provider is asked anything.
    await this.confirm(actor, holdActions.extend, id);
    // Whose payment it is was settled when it was placed: a link that changed since lifts no limit.
    const captureLimit = await this.latestOf(seen, seen.transactionId);
    await database.change(actor, holdActions.extend, async (change, permit) => {
      const { row, subject, staffId } = await this.lock(change, actor, id);
      permit(subject);
      if (!placedStates.includes(stateAt(row, change.at))) throw isNot('placed', row, change.at);
      if (row.expiresAt.getTime() === until.getTime()) return;
      const latest = earliest(new Date(row.placedAt.getTime() + longestHold), captureLimit?.at ?? null);
      if (until > latest) throw tooLate('until', latest);
      if (until < row.expiresAt) throw Failure.invalid('until', `expected an instant after ${row.expiresAt.toISOString()}`);
      if (!hasRoom(row))
        throw new Failure('CONFLICT', 'The hold was extended too often.', { remedy: 'Place another one when it has ended.' });
      row.expiresAt = until;
      // Pauses at the provider end when the hold did.
      row.planned = false;
      const owner = row.customerId;
      const key = owner === null ? undefined : (await keys.forOwners(change, [owner])).get(owner);
      await move(change, keys, row, 'hold.extend', {
        to: row.state,
        reason: 'EXTENDED',
        staffId,
        notes: reasonNote(keys, key, text),
        detail: { staff: staffId, staffRows: actor.staffIds, until: until.toISOString() },
      });
      await makeDue(change, id);
    });
    this.parts.wake();
    return id;
  }

  /** Throws `INVALID` for what can't be asked for, whoever asks. */
  private askedOn({ actor, id: ticketId }: InScope<Ticket>, input: PlaceHoldInput): Asked {
    const reason = reasonIn(input.reason, 'input.reason');
    if (!/^[\x21-\x7e]{8,128}$/.test(input.idempotencyKey))
      throw Failure.invalid('input.idempotencyKey', 'expected 8 to 128 printable ASCII characters without blanks');
    const effects = holdEffectKinds.filter((kind) => input.effects.includes(kind));
    const transactionId = input.transactionId ?? null;
    const others = [...new Set(input.customerIds ?? [])].sort();
    if (effects.length === 0) throw Failure.invalid('input.effects', `expected one or more of ${holdEffectKinds.join(', ')}`);
    if (others.length > mostCustomers) throw Failure.invalid('input.customerIds', `expected at most ${mostCustomers}`);
    if (others.length > 0 && transactionId !== null)
      throw Failure.invalid('input.transactionId', 'expected none where the hold is on a group');
    if (effects.includes('DEFER_CAPTURE') && transactionId === null)
      throw Failure.invalid('input.transactionId', 'expected the payment whose capture is to wait');
    const { keys } = this.parts;
    const key = keys.searchDigest('hold-request', `${actor.id} ${input.idempotencyKey}`) as string;
    const content = { ticket: ticketId, transaction: transactionId, others, effects, until: input.until.toISOString(), reason };
    const digest = keys.searchDigest('hold-input', canonicalize(content)) as string;
    return { actor, input: { ...input, effects, reason }, others, request: { key, digest } };
  }

  /** Before a provider is asked anything: the hold of the same request, or null where the actor may place one. Throws `DENIED`, `CONFLICT`. */
  private repeatedOrPermitted(ticketId: string, asked: Asked, isFreshlyRead: boolean): Promise<string | null> {
    return this.parts.database.change(asked.actor, holdActions.place, async (change, permit) => {
      const ticket = await lockTicket(change, ticketId);
      const known = await change.lockIfAny(PaymentHold, { requestKey: asked.request.key });
      if (known) return this.repeated(known, asked);
      const { subject } = await this.subjectOn(change, ticket, asked);
      permit(isFreshlyRead ? { ...subject, ticket: { ...subject.ticket, isFresh: true } } : subject);
      return null;
    });
  }

  private repeated(known: PaymentHold, { request }: Asked): string {
    if (known.requestDigest === request.digest) return known.id;
    throw new Failure('CONFLICT', 'The idempotency key was used for another request.', {
      argument: 'input.idempotencyKey',
      remedy: 'Take a new key for a new request.',
    });
  }

  private async subjectOn(
    change: Change,
    ticket: Ticket,
    { actor, others }: Asked,
  ): Promise<{ readonly subject: PlaceSubject; readonly assistanceId: string | null }> {
    const { customerId } = ticket;
    const assistanceId = customerId === null ? null : await assistanceOf(change, actor, { customerId, ticketId: ticket.id });
    const subject = {
      ticket: await this.parts.assistances.subjectOf(change, ticket),
      isAssisted: assistanceId !== null,
      isGroup: others.length > 0,
    };
    return { subject, assistanceId };
  }

  private async newHold(
    change: Change,
    ticket: Ticket,
    { actor, input, others, request }: Asked,
    { assistanceId, captureLimit }: { readonly assistanceId: string | null; readonly captureLimit: CaptureLimit | null },
  ): Promise<string> {
    const { keys, policy } = this.parts;
    const { customerId } = ticket;
    if (customerId === null || assistanceId === null)
      throw new ProgrammingError('a hold was permitted without its customer or without an assistance');
    const transactionId = input.transactionId ?? null;
    if (transactionId !== null) await expectTheirs(change, customerId, transactionId);
    const under = new Set([assistanceId]);
    const customerIds = [customerId, ...others.filter((id) => id !== customerId)];
    for (const id of customerIds.slice(1)) {
      const covering = await assistanceOf(change, actor, { customerId: id, ticketId: null });
      if (covering === null) throw Failure.notFound('customer');
      under.add(covering);
    }
    const isSupervisor = actor.roles.includes('SUPERVISOR');
    const longest = isSupervisor ? longestHold : Math.min(policy.agentMinutes * minute, longestHold);
    const latest = earliest(new Date(change.at.getTime() + longest), captureLimit?.isReckoned === false ? captureLimit.at : null);
    if (input.until > latest) throw tooLate('input.until', latest);
    if (!isSupervisor) await this.expectWithinShare(change, customerId, input.until);
    if (input.until <= change.at)
      throw Failure.invalid('input.until', `expected an instant to come, ${latest.toISOString()} at the latest`);
    await this.spendRoom(
      change,
      actor,
      isSupervisor ? ['SUPERVISOR', policy.supervisorMost] : ['AGENT', policy.agentMost],
      ticket.id,
    );
    // What must still hold when this commits is written to: whoever ends an assistance meanwhile makes this find nothing.
    for (const id of under)
      if (!(await useAssistance(change, id))) throw Failure.denied('ASSISTANCE_ENDED', holdActions.place.name, ticket.id);
    const placed = await placeHold(change, keys, {
      key: `${actor.id} ${input.idempotencyKey}`,
      cause: isSupervisor ? 'SUPERVISOR' : 'AGENT',
      isProposal: false,
      ticketId: ticket.id,
      customerIds,
      transactionId,
      emailDomain: null,
      effects: input.effects,
      // What nobody could be asked about ends in time at once, and not at the worker's first look.
      until: earliest(input.until, captureLimit?.at ?? null),
      rule: null,
      ruleVersion: null,
      restsOn: [ticket.id, ...under],
      reason: input.reason,
      by: { ...personOf(actor), staffId: await staffIdOf(change, actor, ticket.source) },
      assistanceId,
      request,
    });
    if (!('refused' in placed)) return placed.id;
    if (placed.refused === 'erased') throw Failure.notFound('customer');
    throw new Failure('CONFLICT', 'This customer has as many open holds as there may be.', {
      remedy: 'Look at those first; release what isn’t needed.',
    });
  }

  /** However many agents hold one after the other, a customer waits by them for no longer than the policy says. Throws `INVALID`. */
  private async expectWithinShare(change: Change, customerId: string, until: Date): Promise<void> {
    const { agentDayMinutes } = this.parts.policy;
    const now = change.at.getTime();
    const spans = await heldByAgents(change, customerId);
    const latest = spans === null ? now : latestWithin(spans, now, agentDayMinutes * minute);
    if (until.getTime() <= latest) return;
    const why = `agents make a customer wait for ${agentDayMinutes} minutes of 24 hours; a supervisor extends a hold, or places one`;
    const when =
      latest > now
        ? `expected ${new Date(latest).toISOString()} at the latest`
        : `expected none before ${new Date(spans === null ? now + longestHold : nextWithin(spans, now, agentDayMinutes * minute)).toISOString()}`;
    throw Failure.invalid('input.until', `${when}: ${why}`);
  }

  /** Holds that a person has standing at once, under all of their subjects together, are counted where they write to all of these. Throws `DENIED`. */
  private async spendRoom(
    change: Change,
    actor: SignedInActor,
    [as, most]: readonly ['AGENT' | 'SUPERVISOR', number],
    ticketId: string,
  ): Promise<void> {
    const { placedById: actorId, placedByStaffIds: staffIds, state, cause, expiresAt } = hold;
    const subjects = await subjectsOf(change, [actor.id]);
    const theirs = sql`(${actorId} IN (${subjects}) OR ${doneBy(personOf(actor), { actorId, staffIds })})`;
    const standing = sql`WHERE ${state} IN (${standingStates}) AND ${expiresAt} > ${change.at} AND ${cause} = ${as} AND ${theirs}`;
    const before = await change.read(placerRows, standing);
    await countAlone(change, [...new Set([...subjects, ...before.flatMap(({ placedById }) => placedById ?? [])])].sort());
    const now = await change.read(placerRows, standing);
    if (now.length >= most) throw Failure.denied('QUOTA', 'hold.quota', ticketId);
  }

  /** Until when the provider leaves room for a hold of a payment on this ticket; null where it sets no bound. Where it doesn't answer now, that is reckoned. */
  private async latestOnTicket(ticketId: string, transactionId: string | null): Promise<CaptureLimit | null> {
    if (transactionId === null) return null;
    const [about] = await this.parts.database.read(ticketReferenceRows, sql`WHERE ${tickets.id} = ${ticketId}`);
    return this.latestOf({ customerId: about?.customerId ?? null, paymentCustomerId: null }, transactionId);
  }

  /** By whose payment it is, and by whom that customer is linked to now where nobody is known as yet. */
  private async latestOf(
    { customerId, paymentCustomerId }: Pick<PaymentHold, 'customerId' | 'paymentCustomerId'>,
    transactionId: string | null,
  ): Promise<CaptureLimit | null> {
    if (customerId === null || transactionId === null) return null;
    try {
      const side = paymentCustomerId === null ? sideOf(this.parts, customerId) : sideOfPayer(this.parts, paymentCustomerId);
      const at = latestFor(await paymentNow(this.parts, await side, transactionId));
      return at && { at, isReckoned: false };
    } catch (error) {
      if (!(error instanceof SourceUnavailable)) throw error;
      const [stored] = await this.parts.database.read(authorizedRows, sql`WHERE ${transaction.id} = ${transactionId}`);
      const at = stored ? latestUnasked(stored, this.parts.clock()) : null;
      return at && { at, isReckoned: true };
    }
  }

  /**
   * Whose its ticket is, is asked anew where that was confirmed too long ago: but not for who may not decide about it as it is stored. Where the
   * helpdesk doesn't answer it stays as it was. Throws `NOT_FOUND`, `DENIED`.
   */
  private async confirm(actor: SignedInActor, action: Action<HoldSubject, ActionName>, id: string): Promise<void> {
    const { database, sources } = this.parts;
    const late = await database.change(actor, action, async (change, permit) => {
      const { row, subject } = await this.lock(change, actor, id);
      permit(subject.ticket === null ? subject : { ...subject, ticket: { ...subject.ticket, isFresh: true } });
      return subject.ticket?.isFresh === false ? row.ticketId : null;
    });
    const [about] = late === null ? [] : await database.read(ticketReferenceRows, sql`WHERE ${tickets.id} = ${late}`);
    if (!about) return;
    try {
      await sources.refreshTicket(about.source, about.reference);
    } catch (error) {
      if (!(error instanceof SourceUnavailable)) throw error;
    }
  }

  private async lock(change: Change, actor: SignedInActor, id: string): Promise<Reached> {
    const [visible] = await change.read(reachedRows, sql`WHERE ${hold.id} = ${id} AND ${holdReach(actor, change.at)}`);
    const ticket = visible && visible.ticketId !== null ? await lockTicket(change, visible.ticketId) : null;
    const row = visible ? await change.lockIfAny(PaymentHold, { id }) : null;
    if (!row) throw Failure.notFound('hold');
    const assistanceId =
      ticket?.customerId == null || ticket.customerId !== row.customerId
        ? null
        : await assistanceOf(change, actor, { customerId: ticket.customerId, ticketId: ticket.id });
    const subject: HoldSubject = {
      ticketId: row.ticketId,
      cause: row.cause,
      ticket: ticket === null ? null : await this.parts.assistances.subjectOf(change, ticket),
      isAssisted: assistanceId !== null,
      requester: row.placedById === null ? null : { actorId: row.placedById, staffIds: row.placedByStaffIds },
      knowsRequester: row.placedByStaffId !== null,
      knowsActor: ticket === null ? actor.helpdesks.length > 0 : await isActiveStaff(change, ticket.source, actor.staffIds),
      hadTicket: await hadTicketOf(change, this.parts.keys, actor, row),
      at: change.at,
    };
    return { row, subject, staffId: ticket === null ? null : await staffIdOf(change, actor, ticket.source), assistanceId };
  }

  /** Where the actor assists, that is written to while it is live, so that it still is when the change commits. */
  private async expectLive(
    change: Change,
    assistanceId: string | null,
    { action, ticketId }: { readonly action: string; readonly ticketId: string | null },
  ): Promise<void> {
    if (assistanceId === null || (await useAssistance(change, assistanceId))) return;
    throw Failure.denied('ASSISTANCE_ENDED', action, ticketId);
  }
}

const earliest = (one: Date, other: Date | null): Date => (other !== null && other < one ? other : one);

const tooLate = (argument: string, latest: Date): Failure =>
  Failure.invalid(argument, `expected ${latest.toISOString()} at the latest`);

const isNot = (expected: string, row: PaymentHold, now: Date): Failure =>
  new Failure('CONFLICT', `The hold is ${stateAt(row, now)}; expected ${expected}.`, {
    remedy: 'Look at its state and history; place a new one if it has ended and is still needed.',
  });

/** The actor's live assistance for a customer, on this ticket or on any. */
const assistanceOf = async (
  change: Change,
  actor: SignedInActor,
  { customerId, ticketId }: { readonly customerId: string; readonly ticketId: string | null },
): Promise<string | null> => {
  const onTicket = ticketId === null ? sql`` : sql` AND ${assistances.ticketId} = ${ticketId}`;
  const [found] = await change.read(
    assistanceIds,
    sql`WHERE ${live(assistances, actor, change.at)} AND ${assistances.customerId} = ${customerId}${onTicket} LIMIT 1`,
  );
  return found?.id ?? null;
};

/** Throws `NOT_FOUND` for a payment that isn't this customer's. */
const expectTheirs = async (change: Change, customerId: string, transactionId: string): Promise<void> => {
  const [linked] = await change.read(linkRows, sql`WHERE ${customer.id} = ${customerId}`);
  const payer = linked && linked.link !== 'NONE' ? linked.paymentCustomerId : null;
  const isTheirs = sql`${transaction.id} = ${transactionId} AND ${transaction.paymentCustomerId} = ${payer ?? ''}`;
  const [theirs] = await change.read(paymentIds, sql`WHERE ${isTheirs}`);
  if (!theirs) throw Failure.notFound('transaction');
};
