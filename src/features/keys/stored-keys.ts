import type { Reads } from '../../db/reads';
import { type Sql, sql } from '../../db/sql';
import { select } from '../../db/table';
import { chunks } from '../../lanes';
import type { CustomerKeys, StoredKey } from '../../ledger/side-rows';
import type { DataKeyring } from '../../privacy/customer-keys';
import { WrappedKeyBroken } from '../../privacy/key-encryption';
import { KeyDestroyed } from '../../privacy/sealing';
import { customerKeys } from './key.entity';

const k = customerKeys.as('k');
const stored = select({ id: k.id, owner: k.owner, wrapped: k.wrapped }, sql`FROM ${k}`);

const keysAtOnce = 500;

/** The customers' keys as they are stored, for whoever holds the log against them: a key that doesn't open is told, not thrown. */
export class StoredKeys implements CustomerKeys {
  constructor(
    private readonly reads: Reads,
    private readonly ring: DataKeyring,
  ) {}

  ofOwners(owners: readonly string[]): Promise<ReadonlyMap<string, StoredKey>> {
    return this.keysBy('owner', owners);
  }

  ofIds(ids: readonly string[]): Promise<ReadonlyMap<string, StoredKey>> {
    return this.keysBy('id', ids);
  }

  private async keysBy(column: 'owner' | 'id', names: readonly string[]): Promise<ReadonlyMap<string, StoredKey>> {
    const found = new Map<string, StoredKey>();
    for (const some of chunks(names, keysAtOnce)) {
      const among: Sql = sql`WHERE ${k[column]} IN (${some})`;
      for (const row of await this.reads.read(stored, among)) found.set(row[column], this.open(row));
    }
    return found;
  }

  private open({
    id,
    owner,
    wrapped,
  }: {
    readonly id: string;
    readonly owner: string;
    readonly wrapped: Buffer | null;
  }): StoredKey {
    if (wrapped === null) return 'DESTROYED';
    try {
      return this.ring.unwrap(id, wrapped, owner);
    } catch (error) {
      if (error instanceof KeyDestroyed) return 'DESTROYED';
      if (error instanceof WrappedKeyBroken) return 'BROKEN';
      throw error;
    }
  }
}
