import type { LiveAssistance, SignedInActor } from '../../authz/actor';
import type { Reached } from '../../db/reached';
import { type Sql, sql } from '../../db/sql';
import { Failure } from '../../failure';
import type { RequestAccess } from '../../graphql/request-access';
import type { Core } from '../core';
import type { KeyedRow } from '../keys/keys.service';
import { CustomerType } from './customer.type';
import type { CustomersLoader } from './customers.loader';
import { customer, keyedCustomerRows } from './customers.rows';

/** The condition under which an actor may reach a customer, over the column that names the customer. */
export type Reach = (customerId: Sql, actor: SignedInActor, now: Date) => Sql;

/** The actor's live assistances that authorize; those on tickets whose assignment wasn't confirmed lately are confirmed first. */
export type ConfirmedOf = (actor: SignedInActor) => Promise<readonly LiveAssistance[]>;

export interface CustomerParts extends Pick<Core, 'database' | 'keys' | 'clock'> {
  readonly reach: Reach;
  readonly confirmedOf: ConfirmedOf;
  readonly sources: {
    /** Asks the payment side about a customer again. False where it didn't answer in time. */
    refreshPayments(customerId: string): Promise<boolean>;
  };
  /** Milliseconds after which what is stored of a customer's payment side is out of date. */
  readonly maximumPaymentsAge: number;
}

/** A ticket, as far as it leads to its customer. */
interface TicketOfCustomer {
  readonly customerId: Reached | null;
  /** It was asked for by itself. */
  readonly isOpened: boolean;
  /** What it is sealed with. */
  readonly key: KeyedRow;
}

/** Customers as one actor may reach them: through a live assistance, by whatever way they are named. */
export class Customers {
  constructor(private readonly parts: CustomerParts) {}

  /** Throws `NOT_FOUND` for a customer that no live assistance of the actor covers, as for one that doesn't exist. */
  async reachable(actor: SignedInActor, access: RequestAccess, id: string): Promise<CustomerType> {
    const { database, keys, reach, confirmedOf, maximumPaymentsAge } = this.parts;
    const now = this.parts.clock();
    const [row] = await database.read(
      keyedCustomerRows.for(access.fields),
      sql`WHERE ${customer.id} = ${id} AND ${reach(customer.id, actor, now)}`,
    );
    // The row tells of an assistance; only `access` knows whether its ticket's assignment was confirmed lately. No helpdesk is asked where there is none.
    if (row && !access.knowsAll) access.grantAll(await confirmedOf(actor));
    if (!row || !access.covering(row.id)) throw Failure.notFound('customer');
    return new CustomerType(row, keys, maximumPaymentsAge, now);
  }

  /** A ticket's customer. Where the ticket was opened by itself, the payment side is read through if it is missing or too old; in a list it is shown as stored. */
  async ofTicket(loader: CustomersLoader, { customerId, isOpened, key }: TicketOfCustomer): Promise<CustomerType | null> {
    if (customerId === null) return null;
    const customer = await loader.load(customerId, key);
    if (!isOpened || !customer) return customer;
    // One without a link may have paid for the first time a moment ago: what is missing is always asked for.
    if (customer.linkAssurance !== 'NONE' && !customer.paymentsFreshness.stale) return customer;
    await this.parts.sources.refreshPayments(customerId);
    loader.forget(customerId);
    return loader.load(customerId);
  }
}
