import DataLoader from 'dataloader';
import type { Database } from '../../db/database';
import { marks } from '../../db/sql';
import { joinKey, type KeyedRow, type Keys, keyColumns } from '../keys/keys.service';
import { CustomerType } from './customer.type';

export interface CustomerRow extends KeyedRow, Record<string, unknown> {
  readonly id: string;
  readonly source: string;
  readonly name_sealed: Buffer | null;
  readonly email_sealed: Buffer | null;
  readonly phone_sealed: Buffer | null;
  readonly region: string | null;
  readonly link: 'VERIFIED' | 'MATCHED' | 'NONE';
  readonly payment_customer_id: string | null;
  readonly linked_at: number | null;
  readonly payments_confirmed_at: number | null;
}

export const customerColumns = `c.id, c.source, c.name_sealed, c.email_sealed, c.phone_sealed, c.region, c.link, c.payment_customer_id, c.linked_at, 
  CASE WHEN c.linked_at IS NOT NULL AND COALESCE(ps.polled_at, 0) > p.observed_at THEN ps.polled_at ELSE p.observed_at END AS payments_confirmed_at, ${keyColumns}`;
export const customerJoins = `${joinKey('c')} LEFT JOIN payment_customer p ON p.id = c.payment_customer_id LEFT JOIN upstream_source ps ON ps.name = p.source`;

/** Customers by id. Whether the actor may see them is for the relation that leads here. */
export class CustomersLoader {
  private readonly byId: DataLoader<string, CustomerType | null>;

  constructor(database: Database, keys: Keys, paymentsBound: number, clock: () => Date) {
    this.byId = new DataLoader(async (ids) => {
      const rows = await database.query<CustomerRow>(
        `SELECT ${customerColumns} FROM helpdesk_customer c ${customerJoins} WHERE c.id IN (${marks(ids)})`,
        ids,
      );
      const found = new Map(rows.map((row) => [row.id, new CustomerType(row, keys, paymentsBound, clock())]));
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
