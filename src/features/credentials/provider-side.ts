import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import { ProgrammingError } from '../../failure';
import type { CredentialChanges } from '../../upstream/payments/payments.port';
import type { Keys } from '../keys/keys.service';
import { method, payer, payerRows, type StoredMethodRow, storedMethodRows } from '../payments/payments.rows';
import type { Sources } from '../sources/sources.service';

export interface ProviderSide {
  readonly provider: CredentialChanges;
  /** The provider's own references: never shown, never logged. */
  readonly customer: string;
  /** Null once the method's row says that the provider no longer has it. */
  readonly method: {
    readonly reference: string;
    readonly row: StoredMethodRow;
    /** References of the same card or account, saved once more. */
    readonly copies: readonly string[];
  } | null;
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
  const [holder] = await database.read(
    payerRows,
    sql`WHERE ${payer.id} = ${update.paymentCustomerId} AND ${payer.gone} = ${false}`,
  );
  const customer = holder && keys.open(payer, holder, 'reference');
  if (!customer) return null;
  const [row] = await database.read(
    storedMethodRows,
    sql`WHERE ${method.id} = ${update.paymentMethodId} AND ${method.paymentCustomerId} = ${update.paymentCustomerId}`,
  );
  const reference = row && row.status !== 'REMOVED' ? keys.open(method, row, 'reference') : null;
  if (!row || !reference) return { provider, customer, method: null };
  const same = await database.read(
    storedMethodRows,
    sql`WHERE ${method.paymentCustomerId} = ${update.paymentCustomerId} AND ${method.status} <> 'REMOVED' AND ${method.id} <> ${row.id}
      AND COALESCE(${method.sameAsId}, ${method.id}) = ${row.sameAsId ?? row.id}`,
  );
  const copies = same.flatMap((each) => keys.open(method, each, 'reference') ?? []);
  return { provider, customer, method: { reference, row, copies } };
};
