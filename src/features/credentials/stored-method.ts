import { type KeyedRow, type Keys, keyColumns } from '../keys/keys.service';
import type { MethodSummary } from './method-summary';

/** A payment method as the read model has it, with the key of its payment customer. */
export interface StoredMethodRow extends KeyedRow, Record<string, unknown> {
  readonly id: string;
  readonly kind: string;
  readonly brand: string | null;
  readonly last4: string | null;
  readonly expiry_month: number | null;
  readonly expiry_year: number | null;
  readonly status: string;
  readonly is_default: number;
  readonly billing_address_sealed: Buffer | null;
  readonly reference_sealed: Buffer;
  readonly created_at: number;
}

export const storedMethodColumns = `m.id, m.kind, m.brand, m.last4, m.expiry_month, m.expiry_year, m.status, m.is_default, m.billing_address_sealed, m.reference_sealed, m.created_at, ${keyColumns}`;

/** A method of the read model as updates keep it. */
export const summaryOfRow = (row: StoredMethodRow, keys: Keys): MethodSummary => {
  const address = keys.openColumn(
    row,
    { table: 'payment_method', column: 'billing_address_sealed', row: row.id },
    row.billing_address_sealed,
  );
  const none = { line1: null, line2: null, city: null, postalCode: null, country: null };
  return {
    kind: row.kind,
    brand: row.brand,
    last4: row.last4,
    expiryMonth: row.expiry_month,
    expiryYear: row.expiry_year,
    country: null,
    isDefault: row.is_default === 1,
    billingAddress: address === null ? null : { ...none, ...(JSON.parse(address) as Partial<typeof none>) },
  };
};
