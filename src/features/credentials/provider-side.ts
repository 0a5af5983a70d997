import type { Database } from '../../db/database';
import { ProgrammingError } from '../../failure';
import type { CredentialChanges } from '../../upstream/payments/payments.port';
import { joinKey, type KeyedRow, type Keys, keyColumns } from '../keys/keys.service';
import type { Sources } from '../sources/sources.service';
import { type StoredMethodRow, storedMethodColumns } from './stored-method';

export interface ProviderSide {
  readonly provider: CredentialChanges;
  /** The provider's own references: never shown, never logged. */
  readonly customer: string;
  /** Null once the method's row says that the provider no longer has it. */
  readonly method: { readonly reference: string; readonly row: StoredMethodRow } | null;
}

/** An update's customer and method as their provider names them; null where the customer is gone there or was erased here. */
export const providerSideOf = async (
  database: Database,
  keys: Keys,
  sources: Sources,
  update: { readonly source: string; readonly paymentCustomerId: string; readonly paymentMethodId: string },
): Promise<ProviderSide | null> => {
  const provider = sources.paymentsSource(update.source).connector.credentials;
  if (!provider) throw new ProgrammingError('an update of a source that can only be read');
  const [payer] = await database.query<KeyedRow & { reference_sealed: Buffer } & Record<string, unknown>>(
    `SELECT p.reference_sealed, ${keyColumns} FROM payment_customer p ${joinKey('p')} WHERE p.id = ? AND p.gone = 0`,
    [update.paymentCustomerId],
  );
  const customer =
    payer &&
    keys.openColumn(
      payer,
      { table: 'payment_customer', column: 'reference_sealed', row: update.paymentCustomerId },
      payer.reference_sealed,
    );
  if (!customer) return null;
  const [row] = await database.query<StoredMethodRow>(
    `SELECT ${storedMethodColumns} FROM payment_method m JOIN payment_customer p ON p.id = m.payment_customer_id ${joinKey('p')} WHERE m.id = ? AND m.payment_customer_id = ?`,
    [update.paymentMethodId, update.paymentCustomerId],
  );
  const reference =
    row && row.status !== 'REMOVED'
      ? keys.openColumn(row, { table: 'payment_method', column: 'reference_sealed', row: row.id }, row.reference_sealed)
      : null;
  return { provider, customer, method: row && reference ? { reference, row } : null };
};
