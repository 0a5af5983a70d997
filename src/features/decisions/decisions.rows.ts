import { type Sql, sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import { customers } from '../customers/customer.entity';
import { paymentCustomers, paymentMethods, transactions } from '../payments/payment.entity';
import { riskSignals } from '../signals/signal.entity';
import { decisionBudgets, paymentDecisions } from './decision.entity';
import { stepUpDemands } from './demand.entity';

export const decision = paymentDecisions;
export const budget = decisionBudgets;
export const demand = stepUpDemands;
export const payer = paymentCustomers.as('p');
export const linked = customers.as('c');
export const method = paymentMethods.as('m');
export const paid = transactions.as('t');
export const told = riskSignals.as('s');

export const decisionRows = select(
  decision.pick('id', 'keyDigest', 'requestDigest', 'verdict', 'demandId', 'route', 'validUntil'),
  sql`FROM ${decision}`,
);
export type DecisionRow = Selected<typeof decisionRows>;

export const budgetRows = select(budget.pick('id', 'used'), sql`FROM ${budget}`);
export const decisionIds = select(decision.pick('id'), sql`FROM ${decision}`);

/** A demand as decisions and its service look at it. */
export const demandRows = select(
  {
    ...demand.pick('id', 'customerId', 'payerId', 'source', 'state', 'strength', 'ownerId', 'stage', 'restsOn', 'openedAt'),
    ...demand.pick('rule', 'countsFrom', 'expiresAt', 'proofDigest', 'authenticatedAt', 'openKey'),
  },
  sql`FROM ${demand}`,
);
export type DemandRow = Selected<typeof demandRows>;

/** Somebody at the payment side is to be authenticated, or was to be and failed, by a demand on themselves, as SQL over `payer`. */
export const isDemanded = (now: Date): Sql => {
  const stands = sql`${demand.state} IN ('OPEN', 'PRESENTED', 'FAILED') AND ${demand.expiresAt} > ${now}`;
  return sql`(EXISTS (SELECT 1 FROM ${demand} WHERE ${demand.payerId} = ${payer.id} AND ${stands})
    OR EXISTS (SELECT 1 FROM ${demand} WHERE ${demand.customerId} = ${payer.id} AND ${stands}))`;
};

/** Whom demands are about, under each name that they have here. */
export const demandedRows = select(demand.pick('customerId', 'payerId'), sql`FROM ${demand}`);

export const payerIds = select(payer.pick('id'), sql`FROM ${payer}`);
export const linkedIds = select(linked.pick('id', 'paymentCustomerId'), sql`FROM ${linked}`);
export const paymentIds = select(paid.pick('id', 'paymentCustomerId', 'reference', 'orderReference'), sql`FROM ${paid}`);

/** Payment customers by what a pipeline calls them, their cards and their payments. */
const whose = { payerId: payer.id, source: payer.source };
export const payerRows = select({ ...whose, ...payer.pick('referenceDigest', 'emailDigest') }, sql`FROM ${payer}`);
export const methodPayers = select(
  { ...whose, digest: method.referenceDigest },
  sql`FROM ${method} JOIN ${payer} ON ${payer.id} = ${method.paymentCustomerId}`,
);
export const paymentPayers = select(
  { ...whose, reference: paid.reference },
  sql`FROM ${paid} JOIN ${payer} ON ${payer.id} = ${paid.paymentCustomerId}`,
);
export const signalIds = select(told.pick('id'), sql`FROM ${told}`);
