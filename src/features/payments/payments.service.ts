import type { SignedInActor } from '../../authz/actor';
import type { Database } from '../../db/database';
import { Failure } from '../../failure';
import { pageOf } from '../../graphql/connection';
import { type Cursors, pageSize } from '../../graphql/cursor';
import type { RequestAccess } from '../../graphql/request-access';
import type { CustomerType } from '../customers/customer.type';
import type { CustomersLoader } from '../customers/customers.loader';
import { coveredByAssistance, coveringParameters } from '../customers/customers.service';
import type { Keys } from '../keys/keys.service';
import {
  TransactionConnection,
  type TransactionFilter,
  TransactionOrder,
  type TransactionRow,
  TransactionType,
} from './payment.type';
import { type PaymentsLoader, type TransactionList, transactionColumns, transactionJoins } from './payments.loader';

export interface TransactionPageArguments {
  readonly filter: TransactionFilter | null | undefined;
  readonly orderBy: TransactionOrder;
  readonly first: number | null;
  readonly after: string | null | undefined;
}

export class Payments {
  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly cursors: Cursors,
    private readonly clock: () => Date,
  ) {}

  /** A page of a customer's transactions; null without a link. Throws `INVALID` for a page size or cursor that doesn't fit. */
  async transactionsOf(
    actor: SignedInActor,
    loader: PaymentsLoader,
    customer: CustomerType,
    { filter, orderBy, first, after }: TransactionPageArguments,
  ) {
    const paymentCustomerId = customer.paymentCustomerId;
    const size = pageSize(first);
    if (paymentCustomerId === null) return null;
    const conditions = { ...(filter ?? {}) };
    const identity = ['Customer.transactions', customer.id, conditions, orderBy];
    const position = this.cursors.decode(actor.id, identity, after);
    const list: TransactionList = { paymentCustomerId, filter: conditions, orderBy, limit: size + 1, after: position };
    const rows = await loader.page(list);
    const value = (row: TransactionRow) => (orderBy === TransactionOrder.AMOUNT ? row.amount : row.created_at);
    return new TransactionConnection(
      pageOf(
        rows,
        size,
        (row) => new TransactionType(customer, row, this.keys),
        (row) => this.cursors.encode(actor.id, identity, { value: value(row), id: row.id }),
        position !== null,
        () => loader.count(list),
      ),
    );
  }

  /** A transaction of a customer whom a live assistance covers. Throws `NOT_FOUND` for any other. */
  async reachable(actor: SignedInActor, access: RequestAccess, customers: CustomersLoader, id: string): Promise<TransactionType> {
    const [row] = await this.database.query<TransactionRow & { customer_id: string }>(
      `SELECT ${transactionColumns}, c.id AS customer_id FROM payment_transaction t ${transactionJoins} JOIN helpdesk_customer c ON c.payment_customer_id = t.payment_customer_id AND c.link <> 'NONE'
        WHERE t.id = ? AND ${coveredByAssistance('c.id')} ORDER BY c.id LIMIT 1`,
      [id, ...coveringParameters(actor, this.clock())],
    );
    const customer = row && access.covering(row.customer_id) ? await customers.load(row.customer_id) : null;
    if (!row || !customer) throw Failure.notFound('transaction');
    return new TransactionType(customer, row, this.keys);
  }
}
