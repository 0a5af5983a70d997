import { hkdfSync, randomBytes } from 'node:crypto';
import { type CustomerUnderDigest, erasedCustomer, type SealedNote } from '../../audit/event';
import type { Change } from '../../db/change';
import type { Database } from '../../db/database';
import type { Reads } from '../../db/reads';
import { type Sql, sql } from '../../db/sql';
import { type Column, optional, type RowOf, type SealedField, sealedIn, sealedPlace, select, type Table } from '../../db/table';
import { type DataKey, DataKeyring, newDataKey } from '../../privacy/customer-keys';
import { auditDigest, KeyedDigests } from '../../privacy/digests';
import type { KeyEncryption } from '../../privacy/key-encryption';
import { open, seal } from '../../privacy/sealing';
import { customerKeys, Secret, secrets } from './key.entity';
import { StoredKeys } from './stored-keys';
import { secretNames, vouchersOf } from './vouchers';

const k = customerKeys.as('k');

/** The columns of a customer's key, for a selection of a table that is joined with `withKeyOf`. */
export const keyed = { keyId: k.id, keyWrapped: k.wrapped, keyOwner: k.owner };

/** A row with its customer's key: what is needed to open its sealed columns. */
export type KeyedRow = RowOf<typeof keyed>;

/** The same where the owner may have no key, for a selection that is joined with `withKeyOfOwner`. */
export const keyedIfAny = { keyId: optional(k.id), keyWrapped: k.wrapped, keyOwner: optional(k.owner) };

/** Join that gives each row the key of somebody whom it names. */
export const withKeyOfOwner = (owner: Column<string>): Sql => sql`LEFT JOIN ${k} ON ${k.owner} = ${owner}`;

/** Join that gives each row of a table the key that its columns are sealed with. */
export const withKeyOf = (rows: { readonly keyId: Column<string | null> }): Sql => sql`JOIN ${k} ON ${k.id} = ${rows.keyId}`;

/** The ciphertext of a field, for this row alone. */
export const sealField = <E>(of: Table<E>, row: string, field: SealedField<E>, key: DataKey, text: string): Buffer =>
  seal(key.key, sealedPlace(of, field, row), text);

/** Keys by themselves. */
export const ownerKeys = select(keyed, sql`FROM ${k}`);

/** The keys of customers and the digests of the installation. Keys are read by each request that needs them, so that a destroyed key is gone at once. */
export class Keys {
  private readonly ring: DataKeyring;
  /** What sealed values of rows that somebody still holds say: for as long as a request has the row. */
  private readonly opened = new WeakMap<Buffer, string>();

  /** Seals cursors: the same on every replica, useless outside. */
  readonly cursorKey: Buffer;
  /** Makes the nonces of proofs of possession: the same on every replica. */
  readonly proofKey: Buffer;
  /** Seals the tokens of browsers' sessions: the same on every replica. */
  readonly sessionKey: Buffer;
  /** Seals what frames in helpdesks' pages have: the same on every replica. */
  readonly frameKey: Buffer;

  /** `keyFor`: the installation's key for a purpose of its own. */
  private constructor(
    private readonly encryption: KeyEncryption,
    readonly digests: KeyedDigests,
    keyFor: (purpose: string) => Buffer,
  ) {
    this.ring = new DataKeyring(encryption);
    this.cursorKey = keyFor('cursor');
    this.proofKey = keyFor('proof-nonce');
    this.sessionKey = keyFor('browser-session');
    this.frameKey = keyFor('frame');
  }

  /**
   * Loads the installation's secrets, made at the first start and stored wrapped; from now on the events of this database are vouched for. Throws
   * when the key-encryption key is not the one they were wrapped with.
   */
  static async open(database: Database, encryption: KeyEncryption): Promise<Keys> {
    const stored = await database.system('keys', 'secret.create', async (change) => {
      const found: Secret[] = [];
      for (const name of secretNames) {
        const known = await change.lockIfAny(Secret, { name });
        const made = known ?? { name, wrapped: encryption.wrap(randomBytes(32), `secret|${name}`), createdAt: change.at };
        found.push(made);
        if (known) continue;
        await change.insert(secrets, made);
        change.record('secret.create', { subject: { type: 'Secret', id: name } });
      }
      const vouchers = vouchersOf(found, encryption);
      // Before this ends: the events of its own beginning are vouched for, too.
      if (vouchers) database.vouchBy(vouchers);
      return found;
    });
    const vouchers = vouchersOf(stored, encryption);
    if (vouchers) database.vouchBy(vouchers);
    const wrapped = stored.find(({ name }) => name === 'digests')?.wrapped as Buffer;
    const secret = encryption.unwrap(wrapped, 'secret|digests');
    const digests = new KeyedDigests(secret);
    const keys = new Keys(encryption, digests, (purpose) =>
      Buffer.from(hkdfSync('sha256', secret, '', `counterfoil/${purpose}`, 32)),
    );
    secret.fill(0);
    return keys;
  }

  /** The data keys of these owners, made where an owner has none yet. Part of a change that is already permitted. */
  async forOwners(change: Change, owners: readonly string[]): Promise<ReadonlyMap<string, DataKey>> {
    const keys = new Map<string, DataKey>();
    const distinct = [...new Set(owners)];
    for (let start = 0; start < distinct.length; start += 500) {
      const chunk = distinct.slice(start, start + 500);
      const rows = await change.read(ownerKeys, sql`WHERE ${k.owner} IN (${chunk})`);
      for (const { keyId: id, keyWrapped: wrapped, keyOwner: owner } of rows) {
        // A destroyed key stays destroyed: what arrives about an erased customer afterwards has nothing to be sealed with.
        if (wrapped) keys.set(owner, { id, wrapped, key: this.ring.unwrap(id, wrapped, owner) });
      }
      const known = new Set(rows.map((row) => row.keyOwner));
      const made = chunk.filter((owner) => !known.has(owner)).map((owner) => ({ owner, ...newDataKey(this.encryption, owner) }));
      for (const { owner, ...key } of made) keys.set(owner, key);
      await change.insert(
        customerKeys,
        made.map(({ id, owner, wrapped }) => ({ id, owner, wrapped, createdAt: change.at, destroyedAt: null })),
      );
    }
    return keys;
  }

  /** Erases what was sealed under the key of this owner, for good. Part of a change that is already permitted. */
  async destroy(change: Change, owner: string): Promise<void> {
    await change.update(customerKeys, { wrapped: null, destroyedAt: change.at }, sql`${customerKeys.owner} = ${owner}`);
  }

  /** The customers' keys as rows have them, for whoever holds the log against what is stored. */
  stored(reads: Reads): StoredKeys {
    return new StoredKeys(reads, this.ring);
  }

  /** The clear text of a sealed field of a row; null where there is none, or where the customer's key was destroyed. */
  open<E, Field extends SealedField<E>>(
    of: Table<E>,
    row: KeyedRow & { readonly id: string } & Readonly<Record<`${Field}Sealed`, Buffer | null>>,
    field: Field,
  ): string | null {
    const sealed = sealedIn(row, field);
    if (sealed === null || row.keyWrapped === null) return null;
    // One value may be asked for under many keys of an answer.
    const before = this.opened.get(sealed);
    if (before !== undefined) return before;
    const text = open(this.ring.unwrap(row.keyId, row.keyWrapped, row.keyOwner), sealedPlace(of, field, row.id), sealed);
    this.opened.set(sealed, text);
    return text;
  }

  /** How an event names a customer: by id beside the leaf, by a digest under the customer's key in it. */
  underDigest(customerId: string, row: KeyedRow): CustomerUnderDigest {
    const wrapped = row.keyWrapped;
    if (!wrapped) return { id: customerId, digest: () => erasedCustomer };
    return {
      id: customerId,
      digest: (salt) => auditDigest(this.ring.unwrap(row.keyId, wrapped, row.keyOwner), salt, customerId),
    };
  }

  /** A customer as an event names them, by id; null where nobody was ever known by it. */
  async customerUnderDigest(reads: Pick<Reads, 'read'>, customerId: string): Promise<CustomerUnderDigest | null> {
    const [row] = await reads.read(ownerKeys, sql`WHERE ${k.owner} = ${customerId}`);
    return row ? this.underDigest(customerId, row) : null;
  }

  /** Free text of an event, sealed and digested under a customer's key. */
  note<Name extends string>(name: Name, key: DataKey, text: string): SealedNote<Name> {
    return {
      name,
      keyId: key.id,
      seal: (place) => seal(key.key, place, text),
      digest: (salt) => auditDigest(key.key, salt, text),
    };
  }

  /** Digest of an equality search, as columns hold it. */
  searchDigest(domain: string, normalized: string | null): string | null {
    return normalized ? this.digests.search(domain, normalized).toString('base64url') : null;
  }
}
