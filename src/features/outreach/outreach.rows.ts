import { sql } from '../../db/sql';
import { optional, type Selected, select, wholeNumber } from '../../db/table';
import { alert } from '../alerts/alert.rows';
import { customer } from '../customers/customers.rows';
import { riskOutreaches } from './outreach.entity';

export const outreach = riskOutreaches.as('ro');

/** One with the customer as the helpdesk names them, and what became of its alert. */
export const wantedRows = select(
  {
    ...outreach.pick('id', 'alertId', 'source', 'state'),
    customerReference: optional(customer.reference),
    alertState: optional(alert.state),
  },
  sql`FROM ${outreach} LEFT JOIN ${alert} ON ${alert.id} = ${outreach.alertId} LEFT JOIN ${customer} ON ${customer.id} = ${outreach.customerId}`,
);
export type WantedRow = Selected<typeof wantedRows>;

/** At which helpdesk a customer is. */
export const customerSources = select(customer.pick('source'), sql`FROM ${customer}`);

export const outreachIds = select(outreach.pick('id'), sql`FROM ${outreach}`);
export const outreachCount = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${outreach}`);
