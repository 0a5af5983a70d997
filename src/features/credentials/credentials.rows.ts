import type { LinkAssurance } from '../../authz/actor';
import { sql } from '../../db/sql';
import { Column, optional, type Selected, select, wholeNumber } from '../../db/table';
import { customer } from '../customers/customers.rows';
import { keyed, withKeyOf } from '../keys/keys.service';
import { ticket } from '../tickets/tickets.rows';
import { credentialConfirmations, credentialTransitions, credentialUpdates } from './credential-update.entity';

export const credentialUpdate = credentialUpdates.as('u');
const confirmation = credentialConfirmations.as('f');
export const transition = credentialTransitions;

/** An update as it is shown, with its customer's key and link as they are now. */
export const updateRows = select(
  {
    ...credentialUpdate.pick(
      'id',
      'kind',
      'state',
      'ticketId',
      'customerId',
      'paymentMethodId',
      'requestedById',
      'requestedByStaffId',
      'requestedByStaffIds',
    ),
    ...credentialUpdate.pick(
      'reasonSealed',
      'beforeSealed',
      'afterSealed',
      'contactStaffIds',
      'riskRules',
      'needsCode',
      'needsApproval',
    ),
    ...credentialUpdate.pick(
      'decidedByStaffId',
      'decidedAt',
      'decision',
      'decisionReasonSealed',
      'failure',
      'authenticated',
      'createdAt',
      'expiresAt',
    ),
    team: optional(ticket.team),
    teamSetById: optional(ticket.teamSetById),
    createdById: optional(ticket.createdById),
    customerSetByIds: optional(ticket.customerSetByIds),
    helpdesk: optional(ticket.source),
    customerHelpdesk: optional(customer.source),
    currentLink: new Column<LinkAssurance>(
      sql`CASE WHEN ${customer.paymentCustomerId} = ${credentialUpdate.paymentCustomerId} THEN ${customer.link} ELSE 'NONE' END`,
      null,
    ),
    confirmationOutcome: optional(confirmation.outcome),
    confirmationChannel: optional(confirmation.channel),
    confirmationProofs: optional(confirmation.proofs),
    confirmationDemandId: optional(confirmation.demandId),
    confirmationShown: optional(confirmation.shownDigest),
    confirmedAt: optional(confirmation.at),
    ...keyed,
  },
  sql`FROM ${credentialUpdate} ${withKeyOf(credentialUpdate)} LEFT JOIN ${ticket} ON ${ticket.id} = ${credentialUpdate.ticketId}
      LEFT JOIN ${customer} ON ${customer.id} = ${credentialUpdate.customerId} LEFT JOIN ${confirmation} ON ${confirmation.updateId} = ${credentialUpdate.id}`,
);
export type CredentialUpdateRow = Selected<typeof updateRows>;

/** Updates with their tickets and customers, by which it is told who reaches them. */
export const reachedRows = select(
  { ...credentialUpdate.pick('ticketId', 'customerId'), customerHelpdesk: optional(customer.source) },
  sql`FROM ${credentialUpdate} LEFT JOIN ${ticket} ON ${ticket.id} = ${credentialUpdate.ticketId}
      LEFT JOIN ${customer} ON ${customer.id} = ${credentialUpdate.customerId}`,
);

export const updateIds = select(credentialUpdate.pick('id'), sql`FROM ${credentialUpdate}`);

/** Of the list of updates, which is narrowed by their tickets and customers. */
export const updateCounts = select({ n: wholeNumber(sql`COUNT(*)`) }, updateRows.from);

/** Of updates alone. */
export const requestCounts = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${credentialUpdate}`);

/** The same of each customer; grouped by them. */
export const requestCountsOfEach = select(
  { ...credentialUpdate.pick('customerId'), n: wholeNumber(sql`COUNT(*)`) },
  sql`FROM ${credentialUpdate}`,
);

/** Methods of which an update is under way. */
export const openKeys = select(credentialUpdate.pick('openKey'), sql`FROM ${credentialUpdate}`);

export const transitionRows = select(
  transition.pick('updateId', 'fromState', 'toState', 'actorKind', 'staffId', 'reason', 'at'),
  sql`FROM ${transition}`,
);
export type TransitionRow = Selected<typeof transitionRows>;
