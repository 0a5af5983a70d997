import type { CustomerUnderDigest, LinkedCustomer, SealedNote } from '../../audit/event';
import type { DetailOf, EventFacts, EventName, NoteOf } from '../../audit/events';
import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { Failure } from '../../failure';
import type { Keys } from '../keys/keys.service';
import { mostMoves, type PaymentHold, type PaymentHoldEffect, paymentHoldEffects, type StoredMove } from './hold.entity';
import { expectTransition, type HoldMoveReason, type HoldState, isTerminal } from './hold.states';

/** What every move states. */
interface Step {
  readonly from: string | null;
  readonly to: string;
  readonly moves: number;
  readonly reason?: string;
}

/** Events that state a move. */
type MoveName = { [Name in EventName]: Extract<DetailOf<Name>, Step> extends never ? never : Name }[EventName] & `hold.${string}`;

export interface Move<Name extends MoveName> {
  readonly to: HoldState;
  readonly reason?: HoldMoveReason;
  /** Who of the staff of the ticket's helpdesk; null or absent where it was none of them. */
  readonly staffId?: string | null;
  readonly notes?: readonly SealedNote<NoteOf<Name>>[];
  /** What the event states beside the move. */
  readonly detail?: Omit<Extract<DetailOf<Name>, Step>, keyof Step>;
}

/** Whom the events of a hold are about. */
export const customersOf = async (
  change: Change,
  keys: Keys,
  { customerIds }: Pick<PaymentHold, 'customerIds'>,
): Promise<readonly LinkedCustomer[]> => {
  const found = await Promise.all(customerIds.map((id) => keys.customerUnderDigest(change, id)));
  return found.filter((each): each is CustomerUnderDigest => each !== null);
};

/** What every event of a hold says of it. */
export const factsOf = async (change: Change, keys: Keys, hold: PaymentHold) => ({
  ...(hold.ticketId === null ? {} : { ticketId: hold.ticketId }),
  subject: { type: 'Hold' as const, id: hold.id },
  customers: await customersOf(change, keys, hold),
});

/** A move as the row keeps it. Beyond what it holds, a hold is extended no more. */
export const moved = (
  change: Change,
  from: HoldState | null,
  {
    to,
    reason = null,
    staffId = null,
  }: { readonly to: HoldState; readonly reason?: HoldMoveReason | null; readonly staffId?: string | null },
): StoredMove => ({ from, to, at: change.at.getTime(), actorId: change.actor.id, staffId, reason });

/** Moves that must always find room: to its end, and the end being moved for the provider's sake. */
const reserved = 10;

/** Whether a hold has room for another extension. */
export const hasRoom = ({ moves }: Pick<PaymentHold, 'moves'>): boolean => moves.length < mostMoves - reserved;

/**
 * The one way from state to state: the row, which the change has locked, and its event, together or not at all. A move to the same state is one of
 * its end. Throws `CONFLICT` for a transition that the table doesn't have.
 */
export const move = async <Name extends MoveName>(
  change: Change,
  keys: Keys,
  hold: PaymentHold,
  name: Name,
  { notes, detail, ...how }: Move<Name>,
): Promise<void> => {
  const from = hold.state;
  if (how.to !== from) expectTransition(from, how.to);
  else if (hold.moves.length >= mostMoves) throw new Failure('CONFLICT', 'The end of the hold was moved too often.', {});
  hold.state = how.to;
  hold.moves = [...hold.moves, moved(change, from, how)];
  if (how.to === 'RELEASING' || isTerminal(how.to)) hold.openKey = null;
  if (isTerminal(how.to)) hold.endedAt = change.at;
  await change.save(hold);
  const step: Step = { from, to: how.to, moves: hold.moves.length, ...(how.reason === undefined ? {} : { reason: how.reason }) };
  change.record(name, {
    ...(await factsOf(change, keys, hold)),
    ...(notes === undefined ? {} : { notes }),
    detail: { ...step, ...detail },
    // A move's event states the step and what stands beside it: `Move` is made of just that.
  } as unknown as EventFacts<Name>);
};

/** Gives an effect another state, with its event. Nothing where it is as it was. */
export const become = async (
  change: Change,
  keys: Keys,
  hold: PaymentHold,
  effect: PaymentHoldEffect,
  now: Pick<PaymentHoldEffect, 'state'> & Partial<Pick<PaymentHoldEffect, 'enforcedBy' | 'deadline'>>,
): Promise<void> => {
  const next = { enforcedBy: effect.enforcedBy, deadline: effect.deadline, ...now };
  const isSame =
    next.state === effect.state &&
    next.enforcedBy === effect.enforcedBy &&
    (next.deadline?.getTime() ?? null) === (effect.deadline?.getTime() ?? null);
  if (isSame) return;
  Object.assign(effect, next, { revision: effect.revision + 1 });
  const { state, enforcedBy, deadline, revision } = effect;
  await change.update(
    paymentHoldEffects,
    { state, enforcedBy, deadline, revision },
    sql`${paymentHoldEffects.id} = ${effect.id}`,
  );
  change.record('hold.effect', {
    ...(await factsOf(change, keys, hold)),
    detail: { effect: effect.kind, state, by: enforcedBy, deadline: deadline?.toISOString() ?? null, revision },
  });
};
