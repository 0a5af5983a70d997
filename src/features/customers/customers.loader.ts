import DataLoader from 'dataloader';
import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import type { Keys } from '../keys/keys.service';
import { CustomerType } from './customer.type';
import { customer, customerRows } from './customers.rows';

/** Customers by id. Whether the actor may see them is for the relation that leads here. */
export class CustomersLoader {
  private readonly byId: DataLoader<string, CustomerType | null>;

  constructor(database: Database, keys: Keys, maximumPaymentsAge: number, clock: () => Date) {
    this.byId = new DataLoader(async (ids) => {
      const rows = await database.read(customerRows, sql`WHERE ${customer.id} IN (${ids})`);
      const found = new Map(rows.map((row) => [row.id, new CustomerType(row, keys, maximumPaymentsAge, clock())]));
      return ids.map((id) => found.get(id) ?? null);
    });
  }

  load(id: string): Promise<CustomerType | null> {
    return this.byId.load(id);
  }

  /** Reads the row anew at the next load, after it was refreshed from its source. */
  forget(id: string): void {
    this.byId.clear(id);
  }
}
