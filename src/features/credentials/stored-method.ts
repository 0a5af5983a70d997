import type { Keys } from '../keys/keys.service';
import { method, type StoredMethodRow } from '../payments/payments.rows';
import type { MethodSummary } from './method-summary';

/** A method of the read model as updates keep it. */
export const summaryOfRow = (row: StoredMethodRow, keys: Keys): MethodSummary => {
  const { kind, brand, last4, expiryMonth, expiryYear, isDefault } = row;
  const address = keys.open(method, row, 'billingAddress');
  const none = { line1: null, line2: null, city: null, postalCode: null, country: null };
  const billingAddress = address === null ? null : { ...none, ...(JSON.parse(address) as Partial<typeof none>) };
  return { kind, brand, last4, expiryMonth, expiryYear, country: null, isDefault, billingAddress };
};
