import DataLoader from 'dataloader';
import type { Database } from '../../db/database';
import type { Reached } from '../../db/reached';
import { type KeyedRow, ownerKeys } from './keys.service';

/**
 * The customers' keys of one request, each read once: with the row that leads to its customer, or together with others. None
 * outlives the request, so that a destroyed key is gone with the next one.
 */
export class KeysLoader {
  private readonly byId = new Map<string, KeyedRow>();
  private readonly byOwner = new Map<string, KeyedRow>();
  private readonly idsToRead: DataLoader<Reached, null>;
  private readonly ownersToRead: DataLoader<Reached, null>;

  constructor({ shared }: Pick<Database, 'shared'>) {
    const reader = (column: 'keyId' | 'keyOwner') =>
      new DataLoader<Reached, null>(
        async (wanted) => {
          for (const row of await shared.ofIds(ownerKeys, column, wanted)) this.know(row);
          return wanted.map(() => null);
        },
        // What was read is kept above, from where it can be taken away.
        { cache: false },
      );
    this.idsToRead = reader('keyId');
    this.ownersToRead = reader('keyOwner');
  }

  /** A key that came with another row. */
  know({ keyId, keyWrapped, keyOwner }: KeyedRow): void {
    const key = { keyId, keyWrapped, keyOwner };
    this.byId.set(keyId, key);
    this.byOwner.set(keyOwner, key);
  }

  /** Reads this owner's key anew the next time. */
  forget(owner: string): void {
    const key = this.byOwner.get(owner);
    this.byOwner.delete(owner);
    if (key) this.byId.delete(key.keyId);
  }

  /** The keys of all of these owners came with other rows. */
  knows(owners: readonly string[]): boolean {
    return owners.every((owner) => this.byOwner.has(owner));
  }

  /** By the key's id; without those that aren't stored. */
  ofIds(ids: readonly Reached[]): Promise<ReadonlyMap<string, KeyedRow>> {
    return this.looked(this.byId, ids, this.idsToRead);
  }

  /** By the owner's id; without those who have none. */
  ofOwners(owners: readonly Reached[]): Promise<ReadonlyMap<string, KeyedRow>> {
    return this.looked(this.byOwner, owners, this.ownersToRead);
  }

  /** Rows with the keys of their owners; what is sealed in one whose owner has none doesn't open. */
  async ofRows<Row extends object>(rows: readonly Row[], ownerOf: (row: Row) => Reached): Promise<(Row & KeyedRow)[]> {
    const keys = await this.ofOwners(rows.map(ownerOf));
    return rows.map((row) => {
      const owner = ownerOf(row);
      return Object.assign(row, keys.get(owner) ?? { keyId: '', keyWrapped: null, keyOwner: owner });
    });
  }

  private async looked(
    known: ReadonlyMap<string, KeyedRow>,
    names: readonly Reached[],
    toRead: DataLoader<Reached, null>,
  ): Promise<ReadonlyMap<string, KeyedRow>> {
    const missing = [...new Set(names)].filter((name) => !known.has(name));
    await Promise.all(missing.map((name) => toRead.load(name)));
    return known;
  }
}
