import DataLoader from 'dataloader';
import { type Reached, reachedBy } from '../../db/reached';
import type { Core } from '../core';
import type { KeyedRow } from '../keys/keys.service';
import type { Loading } from '../loading';
import { CustomerType } from './customer.type';
import { type CustomerRow, customerRows, keyedCustomerRows } from './customers.rows';

export interface CustomersLoaderParts extends Pick<Core, 'database' | 'keys' | 'clock'> {
  /** Milliseconds after which what is stored of a customer's payment side is out of date. */
  readonly maximumPaymentsAge: number;
}

/** Customers by id. Whether the actor may see them is for the relation that leads here. */
export class CustomersLoader {
  private readonly byId: DataLoader<Reached, CustomerType | null>;

  constructor(
    private readonly parts: CustomersLoaderParts,
    private readonly loading: Loading,
  ) {
    this.byId = new DataLoader(async (ids) => {
      const { keys, maximumPaymentsAge, clock } = parts;
      const rows = await this.rows(ids);
      const found = new Map(rows.map((row) => [row.id, new CustomerType(row, keys, maximumPaymentsAge, clock())]));
      return ids.map((id) => found.get(id) ?? null);
    });
  }

  /** `key`: one that came with what leads to the customer, and may be theirs. */
  load(id: Reached, key: KeyedRow | null = null): Promise<CustomerType | null> {
    if (key) this.loading.keys.know(key);
    return this.byId.load(id);
  }

  /** Reads the row and the key anew at the next load, after it was refreshed from its source. */
  forget(id: Reached): void {
    this.loading.keys.forget(id);
    this.byId.clear(id);
  }

  private async rows(ids: readonly Reached[]): Promise<readonly CustomerRow[]> {
    const { keys, fields } = this.loading;
    const { shared } = this.parts.database;
    if (keys.knows(ids))
      return keys.ofRows(await shared.ofIds(customerRows.for(fields()), 'id', ids), (row) => reachedBy(row, 'id'));
    const rows = await shared.ofIds(keyedCustomerRows.for(fields()), 'id', ids);
    for (const row of rows) keys.know(row);
    return rows;
  }
}
