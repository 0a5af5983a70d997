import { randomBytes } from 'node:crypto';
import type { CanonicalValue } from '../../audit/canonical';
import { isSignedIn } from '../../authz/actor';
import type { Change, EventFacts } from '../../db/change';
import type { DataKey } from '../../privacy/customer-keys';
import { auditDigest, auditSaltBytes } from '../../privacy/digests';
import { open, seal } from '../../privacy/sealing';
import { ulid } from '../../ulid';
import type { Keys } from '../keys/keys.service';
import { CredentialTransition, type CredentialUpdate } from './credential-update.entity';
import { type CredentialUpdateState, expectTransition, isTerminal, type MoveReason } from './credential-update.states';
import { enqueue } from './jobs.service';

/** What a change needs of any subject: only that it is one. */
// biome-ignore lint/suspicious/noExplicitAny: a change is invariant in its subject, and nothing here looks at it
export type AnyChange = Change<any>;

export interface Move {
  readonly to: CredentialUpdateState;
  /** The event's name where it isn't the action's. */
  readonly name?: string;
  readonly reason?: MoveReason | null;
  readonly staffId?: string | null;
  /** Texts that go beside the leaf, sealed under the customer's key. */
  readonly notes?: Readonly<Record<string, string | null>>;
  readonly detail?: { readonly [name: string]: CanonicalValue };
}

/** The key of an update's customer within one change; `null` once the customer was erased. */
export class CustomerSeal {
  private constructor(
    readonly customerId: string,
    readonly key: DataKey | null,
    private readonly keys: Keys,
  ) {}

  static async of(change: AnyChange, keys: Keys, customerId: string): Promise<CustomerSeal> {
    return new CustomerSeal(customerId, (await keys.forOwners(change, [customerId])).get(customerId) ?? null, keys);
  }

  open(table: string, column: string, row: string, sealed: Buffer | null): string | null {
    return sealed === null || this.key === null ? null : open(this.key.key, { table, column, row }, sealed);
  }

  /** Throws where the customer was erased: nothing new is kept of them. */
  seal(table: string, column: string, row: string, text: string): Buffer {
    if (this.key === null) throw new RangeError('the customer was erased');
    return seal(this.key.key, { table, column, row }, text);
  }

  /** Salt and digest of a text under the customer's key, as `salt.digest` in base64url. */
  digest(text: string): string {
    if (this.key === null) throw new RangeError('the customer was erased');
    const salt = randomBytes(auditSaltBytes);
    return `${salt.toString('base64url')}.${auditDigest(this.key.key, salt, text)}`;
  }

  get customers(): EventFacts['customers'] {
    const { key, customerId, keys } = this;
    return [keys.underDigest(customerId, { key_id: key?.id ?? '', key_wrapped: key?.wrapped ?? null, key_owner: customerId })];
  }

  notes(texts: Readonly<Record<string, string | null>>): EventFacts['notes'] {
    const { key, keys } = this;
    if (key === null) return [];
    return Object.entries(texts).flatMap(([name, text]) => (text === null ? [] : [keys.note(name, key, text)]));
  }
}

/** What every event about an update says of it. */
export const factsOf = (update: CredentialUpdate, seal: CustomerSeal): EventFacts => ({
  ticketId: update.ticketId,
  assistanceId: update.assistanceId,
  subject: { type: 'CredentialUpdate', id: update.id },
  customers: seal.customers ?? [],
});

/**
 * The one way from state to state: the row (which the change has locked), its history and its event, together or not at
 * all. Throws `CONFLICT` for a transition that the table doesn't have.
 */
export const move = async (
  change: AnyChange,
  seal: CustomerSeal,
  update: CredentialUpdate,
  { to, name, reason = null, staffId = null, notes = {}, detail = {} }: Move,
): Promise<void> => {
  const from = update.moves === 0 ? null : update.state;
  if (from !== null) expectTransition(from, to);
  update.state = to;
  update.moves += 1;
  if (isTerminal(to)) {
    update.endedAt = change.at;
    update.openKey = null;
    update.codeDigest = null;
  }
  await change.save(update);
  await change.insert(
    CredentialTransition,
    Object.assign(new CredentialTransition(), {
      id: `ctr_${ulid(change.at.getTime())}`,
      updateId: update.id,
      ordinal: update.moves,
      fromState: from,
      toState: to,
      actorKind: change.actor.kind,
      actorId: change.actor.id,
      staffId: isSignedIn(change.actor) ? staffId : null,
      reason,
      at: change.at,
    }),
  );
  change.record(
    {
      ...factsOf(update, seal),
      notes: seal.notes(notes) ?? [],
      detail: { kind: update.kind, from, to, ...(reason === null ? {} : { reason }), ...detail },
    },
    name,
  );
};

/**
 * A move that ends the update. The ticket hears of it; a card that was entered for it and that nobody wants any more is
 * taken away from the customer again.
 */
export const end = async (change: AnyChange, seal: CustomerSeal, update: CredentialUpdate, how: Move): Promise<void> => {
  if (how.to === 'FAILED') update.failure = how.reason ?? update.failure;
  await move(change, seal, update, how);
  await enqueue(change, update.id, 'OUTCOME');
  if (update.newMethodSealed !== null && how.to !== 'APPLIED') await enqueue(change, update.id, 'PROVIDER');
};
