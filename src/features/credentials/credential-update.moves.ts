import { randomBytes } from 'node:crypto';
import type { CustomerUnderDigest, SealedNote } from '../../audit/event';
import type { DetailOf, EventFacts, EventName, NoteOf } from '../../audit/events';
import { isSignedIn } from '../../authz/actor';
import type { Change } from '../../db/change';
import { type SealedField, sealedPlace, type Table } from '../../db/table';
import type { DataKey } from '../../privacy/customer-keys';
import { auditDigest, auditSaltBytes } from '../../privacy/digests';
import { open } from '../../privacy/sealing';
import { ulid } from '../../ulid';
import { type Keys, sealField } from '../keys/keys.service';
import { type CredentialUpdate, credentialTransitions, credentialUpdates } from './credential-update.entity';
import { type CredentialUpdateState, expectTransition, isTerminal, type MoveReason } from './credential-update.states';
import { enqueue } from './jobs.service';

/** What every move states. */
interface Step {
  readonly kind: string;
  readonly from: string | null;
  readonly to: string;
  readonly reason?: string;
  readonly staff?: string | null;
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

/** The key of an update's customer within one change; `null` once the customer was erased. */
export class CustomerSeal {
  private constructor(
    readonly customerId: string,
    readonly key: DataKey | null,
    private readonly keys: Keys,
  ) {}

  static async of(change: Change, keys: Keys, customerId: string): Promise<CustomerSeal> {
    return new CustomerSeal(customerId, (await keys.forOwners(change, [customerId])).get(customerId) ?? null, keys);
  }

  /** The clear text of a sealed field of a row that is under this customer's key. */
  open<E, Field extends SealedField<E>>(
    of: Table<E>,
    row: { readonly id: string } & Readonly<Record<`${Field}Sealed`, Buffer | null>>,
    field: Field,
  ): string | null {
    const sealed = row[`${field}Sealed` as keyof typeof row] as Buffer | null;
    return sealed === null || this.key === null ? null : open(this.key.key, sealedPlace(of, field, row.id), sealed);
  }

  /** Throws where the customer was erased: nothing new is kept of them. */
  seal<E>(of: Table<E>, row: string, field: SealedField<E>, text: string): Buffer {
    if (this.key === null) throw new RangeError('the customer was erased');
    return sealField(of, row, field, this.key, text);
  }

  /** Salt and digest of a text under the customer's key, as `salt.digest` in base64url. */
  digest(text: string): string {
    if (this.key === null) throw new RangeError('the customer was erased');
    const salt = randomBytes(auditSaltBytes);
    return `${salt.toString('base64url')}.${auditDigest(this.key.key, salt, text)}`;
  }

  get customers(): readonly CustomerUnderDigest[] {
    const { key, customerId, keys } = this;
    return [keys.underDigest(customerId, { keyId: key?.id ?? '', keyWrapped: key?.wrapped ?? null, keyOwner: customerId })];
  }

  notes<Name extends string>(texts: { readonly [Note in Name]: string | null }): readonly SealedNote<Name>[] {
    const { key, keys } = this;
    if (key === null) return [];
    return (Object.entries(texts) as [Name, string | null][]).flatMap(([name, text]) =>
      text === null ? [] : [keys.note(name, key, text)],
    );
  }
}

/** What every event about an update says of it. */
export const factsOf = (update: CredentialUpdate, seal: CustomerSeal) => ({
  ticketId: update.ticketId,
  assistanceId: update.assistanceId,
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
  const step: Step = { kind: update.kind, from, to, ...(reason === null ? {} : { reason }), ...acting };
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
 * A move that ends the update. The ticket hears of it; a card that was entered for it and that nobody wants any more is
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
  await enqueue(change, update.id, 'OUTCOME');
  if (update.newMethodSealed !== null && how.to !== 'APPLIED') await enqueue(change, update.id, 'PROVIDER');
};
