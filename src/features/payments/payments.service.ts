import type { SignedInActor } from '../../authz/actor';
import { reachedBy } from '../../db/reached';
import { sql } from '../../db/sql';
import { type Fields, select } from '../../db/table';
import { Failure } from '../../failure';
import { PageRequest } from '../../graphql/page';
import type { RequestAccess } from '../../graphql/request-access';
import type { Core } from '../core';
import type { CustomerType } from '../customers/customer.type';
import type { CustomersLoader } from '../customers/customers.loader';
import { customer } from '../customers/customers.rows';
import type { ConfirmedOf, Reach } from '../customers/customers.service';
import type { TransactionFilter } from './payment.filter';
import { TransactionConnection, type TransactionOrder, TransactionType } from './payment.type';
import { type PaymentsLoader, transactionsBy } from './payments.loader';
import { ownedTransactionRows, type TransactionRow, transaction } from './payments.rows';

/** A transaction once for each customer whose payment side it is of. */
const linkedTransactionRows = select(
  { ...ownedTransactionRows.columns, customerId: customer.id },
  sql`${ownedTransactionRows.from} JOIN ${customer} ON ${customer.paymentCustomerId} = ${transaction.paymentCustomerId} AND ${customer.link} <> 'NONE'`,
);

export interface TransactionPageArguments {
  readonly filter: TransactionFilter | null | undefined;
  readonly orderBy: TransactionOrder;
  readonly first: number | null;
  readonly after: string | null | undefined;
  /** What the operation selects; null where nobody knows. */
  readonly fields: Fields | null;
}

export interface PaymentParts extends Pick<Core, 'database' | 'keys' | 'cursors' | 'clock'> {
  readonly reach: Reach;
  readonly confirmedOf: ConfirmedOf;
}

export class Payments {
  constructor(private readonly parts: PaymentParts) {}

  /** A page of a customer's transactions; null without a link. Throws `INVALID` for a page size or cursor that doesn't fit. */
  async transactionsOf(
    actor: SignedInActor,
    loader: PaymentsLoader,
    customer: CustomerType,
    { filter, orderBy, first, after, fields }: TransactionPageArguments,
  ) {
    const conditions = { ...(filter ?? {}) };
    const identity = ['Customer.transactions', customer.id, conditions, orderBy];
    const request = new PageRequest<TransactionRow>(
      { cursors: this.parts.cursors, actorId: actor.id, list: identity, keyset: transactionsBy[orderBy] },
      { first, after, fields },
    );
    const { paymentCustomerId } = customer;
    if (paymentCustomerId === null) return null;
    const list = { paymentCustomerId, filter: conditions, orderBy, limit: request.limit, after: request.after };
    const rows = await loader.page(list);
    return new TransactionConnection(
      request.pageOf(
        rows,
        (row) => new TransactionType(customer, row, this.parts.keys),
        () => loader.count(list),
      ),
    );
  }

  /** A transaction of a customer whom a live assistance covers. Throws `NOT_FOUND` for any other. */
  async reachable(
    actor: SignedInActor,
    access: RequestAccess,
    { customers, payments }: { readonly customers: CustomersLoader; readonly payments: PaymentsLoader },
    id: string,
  ): Promise<TransactionType> {
    const selection = linkedTransactionRows.for(access.fields);
    const [row] = await this.parts.database.read(
      selection,
      sql`WHERE ${transaction.id} = ${id} AND ${this.parts.reach(customer.id, actor, this.parts.clock())} ORDER BY ${customer.id} LIMIT 1`,
    );
    // No helpdesk is asked where there is no assistance to confirm.
    if (row && !access.knowsAll) access.grantAll(await this.parts.confirmedOf(actor));
    const holder = row && access.covering(row.customerId) ? await customers.load(reachedBy(row, 'customerId')) : null;
    if (!row || !holder) throw Failure.notFound('transaction');
    const [shown] = await payments.withKeys([row], selection.has('orderDescriptionSealed'), (of) =>
      reachedBy(of, 'paymentCustomerId'),
    );
    if (!shown) throw Failure.notFound('transaction');
    return new TransactionType(holder, shown, this.parts.keys);
  }
}
