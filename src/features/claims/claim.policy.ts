import type { LinkAssurance } from '../../authz/actor';
import { action, allOf, type Rule, rule } from '../../authz/rule';
import type { ClaimedTrait } from '../../risk/signal';
import { type ConcernSubject, mayReport } from '../alerts/alert.policy';

/** A claim as it is judged in the transaction that records it. */
export interface ClaimSubject extends ConcernSubject {
  /** Everything that it is held against is shown to the actor in clear, of a customer whom the payment side names. */
  readonly isForRole: boolean;
  /** The same of this customer, as they are linked now. */
  readonly isShown: boolean;
}

/** Whether all of these fields are shown to the actor in clear under a link. */
export type ShownInClear = (coordinates: readonly string[], link: LinkAssurance) => boolean;

const ofPayments = ['Ticket.customer', 'Customer.transactions'];

/**
 * By which fields of the graph each kind of claim is decided: whoever claims until no alert comes knows their values, so it is for whom they
 * are shown to anyway.
 */
const decidedBy: Readonly<Record<ClaimedTrait, readonly string[]>> = {
  amount: ['amount', 'authorized', 'captured', 'refunded', 'open', 'presentment', 'refunds'].map((name) => `Transaction.${name}`),
  date: ['Transaction.createdAt'],
  order: ['Transaction.order', 'Order.reference'],
  card: ['Transaction.paymentMethod', 'PaymentMethod.kind', 'PaymentMethod.last4'],
};
/** The amount of a refund is in a field of its own. */
const ofRefunds: readonly string[] = ['Refund.amount'];

/** The fields that the outcome of a claim of these kinds tells of. */
export const fieldsBehind = (traits: readonly ClaimedTrait[]): readonly string[] => [
  ...ofPayments,
  ...traits.flatMap((trait) => decidedBy[trait]),
  ...(traits.includes('amount') ? ofRefunds : []),
];

/** May record what the customer states: whoever may report a concern, of what they are shown themselves. */
export const mayRecord: Rule<ClaimSubject> = allOf<ClaimSubject>(
  mayReport,
  rule('ROLE', (_, { isForRole }) => isForRole),
  rule('LINK', (_, { isShown }) => isShown),
);

export const claimActions = {
  record: action('claim.record', mayRecord, ({ ticket }) => ticket.id),
};
