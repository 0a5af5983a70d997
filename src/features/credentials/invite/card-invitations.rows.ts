import { sql } from '../../../db/sql';
import { type Selected, select } from '../../../db/table';
import { customer } from '../../customers/customers.rows';
import { credentialUpdates } from '../credential-update.entity';
import { cardInvitations } from './card-invitation.entity';

export const invitation = cardInvitations;

export const invitationRows = select(
  invitation.pick('id', 'state', 'source', 'customerId', 'paymentCustomerId', 'paymentMethodId', 'endsAt'),
  sql`FROM ${invitation}`,
);
export type InvitationRow = Selected<typeof invitationRows>;

export const invitationIds = select(invitation.pick('id'), sql`FROM ${invitation}`);

/** When each has its turn. */
export const turns = select(invitation.pick('dueAt'), sql`FROM ${invitation}`);

/** When somebody was asked, or wasn't. */
export const endings = select(invitation.pick('endedAt'), sql`FROM ${invitation}`);

/** The helpdesk's customers by who they are at the payment side. */
export const samePerson = select(customer.pick('id'), sql`FROM ${customer}`);

/** Which customers were asked for what. */
export const askedOf = select(credentialUpdates.pick('id', 'customerId', 'paymentCustomerId'), sql`FROM ${credentialUpdates}`);
