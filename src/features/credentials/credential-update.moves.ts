import type { DetailOf, EventFacts, EventName, NoteOf } from '../../audit/events';
import { isSignedIn } from '../../authz/actor';
import type { Change } from '../../db/change';
import { ulid } from '../../ulid';
import type { CustomerSeal } from '../keys/customer-seal';
import { type CredentialUpdate, credentialTransitions, credentialUpdates } from './credential-update.entity';
import { type CredentialUpdateState, expectTransition, isTerminal, isWaiting, type MoveReason } from './credential-update.states';
import { enqueue } from './jobs.service';

/** What every move states. */
interface Step {
  readonly kind: string;
  readonly from: string | null;
  readonly to: string;
  readonly reason?: string;
  readonly staff?: string | null;
  readonly waitsUntil?: string;
}

/** Events that state a move. */
type MoveName = { [Name in EventName]: Extract<DetailOf<Name>, Step> extends never ? never : Name }[EventName];
/** What such an event states beside the move. */
type Beside<Name extends MoveName> = Omit<Extract<DetailOf<Name>, Step>, keyof Step>;

export type Move<Name extends MoveName> = {
  readonly to: CredentialUpdateState;
  readonly reason?: MoveReason | null;
  readonly staffId?: string | null;
  /** Texts that go beside the leaf, sealed under the customer's key. */
  readonly notes?: { readonly [Note in NoteOf<Name>]: string | null };
} & (Record<never, never> extends Beside<Name> ? { readonly detail?: Beside<Name> } : { readonly detail: Beside<Name> });

/** What every event about an update says of it. */
export const factsOf = (update: CredentialUpdate, seal: CustomerSeal) => ({
  ...(update.ticketId === null ? {} : { ticketId: update.ticketId }),
  ...(update.assistanceId === null ? {} : { assistanceId: update.assistanceId }),
  subject: { type: 'CredentialUpdate' as const, id: update.id },
  customers: seal.customers,
});

/** History and event of a move whose row is written. */
const tell = async <Name extends MoveName>(
  change: Change,
  seal: CustomerSeal,
  update: CredentialUpdate,
  name: Name,
  from: CredentialUpdateState | null,
  { to, reason = null, staffId = null, notes, detail }: Move<Name>,
): Promise<void> => {
  // Of whoever isn't one of the merchant's people there is no such row to state.
  const acting = isSignedIn(change.actor) ? { staff: staffId } : {};
  await change.insert(credentialTransitions, {
    id: `ctr_${ulid(change.at.getTime())}`,
    updateId: update.id,
    ordinal: update.moves,
    fromState: from,
    toState: to,
    actorKind: change.actor.kind,
    actorId: change.actor.id,
    staffId: acting.staff ?? null,
    reason,
    at: change.at,
  });
  const until = isWaiting(to) ? { waitsUntil: update.expiresAt.toISOString() } : {};
  const step: Step = { kind: update.kind, from, to, ...(reason === null ? {} : { reason }), ...acting, ...until };
  change.record(name, {
    ...factsOf(update, seal),
    notes: notes ? seal.notes(notes) : [],
    detail: { ...step, ...detail },
    // A move's event states the step and what stands beside it: `Move` is made of just that.
  } as unknown as EventFacts<Name>);
};

/** The beginning of an update that is new: its row as it stands in its first state, its history and its event. */
export const begin = async (
  change: Change,
  seal: CustomerSeal,
  update: CredentialUpdate,
  how: Omit<Move<'credential.request'>, 'to' | 'reason'>,
): Promise<void> => {
  await change.insert(credentialUpdates, update);
  await tell(change, seal, update, 'credential.request', null, { ...how, to: update.state });
};

/**
 * The one way from state to state: the row (which the change has locked), its history and its event, together or not at
 * all. Throws `CONFLICT` for a transition that the table doesn't have.
 */
export const move = async <Name extends MoveName>(
  change: Change,
  seal: CustomerSeal,
  update: CredentialUpdate,
  name: Name,
  how: Move<Name>,
): Promise<void> => {
  const from = update.state;
  expectTransition(from, how.to);
  update.state = how.to;
  update.moves += 1;
  if (isTerminal(how.to)) {
    update.endedAt = change.at;
    update.openKey = null;
    update.codeDigest = null;
  }
  await change.save(update);
  await tell(change, seal, update, name, from, how);
};

/**
 * A move that ends the update. Its ticket hears of it, where it has one; a card that was entered for it and that nobody wants any more is
 * taken away from the customer again.
 */
export const end = async <Name extends MoveName>(
  change: Change,
  seal: CustomerSeal,
  update: CredentialUpdate,
  name: Name,
  how: Move<Name>,
): Promise<void> => {
  if (how.to === 'FAILED') update.failure = how.reason ?? update.failure;
  await move(change, seal, update, name, how);
  if (update.ticketId !== null) await enqueue(change, update.id, 'OUTCOME');
  if (update.newMethodSealed !== null && how.to !== 'APPLIED') await enqueue(change, update.id, 'PROVIDER');
};
