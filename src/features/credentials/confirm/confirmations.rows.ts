import { sql } from '../../../db/sql';
import { optional, type Selected, select } from '../../../db/table';
import { customerKeys } from '../../keys/key.entity';
import { keyed, withKeyOf } from '../../keys/keys.service';
import { payer } from '../../payments/payments.rows';
import { staff, ticket } from '../../tickets/tickets.rows';
import { credentialLinks } from '../credential-update.entity';
import { credentialUpdate } from '../credentials.rows';

export const link = credentialLinks.as('l');
const payerKey = customerKeys.as('pk');

/** Links, each with the update that it asks about. */
export const linkedUpdates = select({ subjectId: link.updateId }, sql`FROM ${link}`);

/** An update as a link leads to it, with its customer's key, and with the number that a code goes to and that number's key. */
export const askedRows = select(
  {
    ...credentialUpdate.pick('id', 'kind', 'state', 'expiresAt', 'needsCode', 'codeTries', 'codeSends', 'codeDigest'),
    ...credentialUpdate.pick('paymentMethodId', 'reasonSealed', 'beforeSealed', 'setupSealed'),
    linkExpiresAt: link.expiresAt,
    ticketReference: optional(ticket.reference),
    askedBy: optional(staff.displayName),
    payerId: payer.id,
    phoneSealed: payer.phoneSealed,
    payerKeyId: payerKey.id,
    payerKeyWrapped: payerKey.wrapped,
    payerKeyOwner: payerKey.owner,
    ...keyed,
  },
  sql`FROM ${link} JOIN ${credentialUpdate} ON ${credentialUpdate.id} = ${link.updateId} ${withKeyOf(credentialUpdate)}
      LEFT JOIN ${ticket} ON ${ticket.id} = ${credentialUpdate.ticketId}
      JOIN ${payer} ON ${payer.id} = ${credentialUpdate.paymentCustomerId} JOIN ${payerKey} ON ${payerKey.id} = ${payer.keyId}
      LEFT JOIN ${staff} ON ${staff.id} = ${credentialUpdate.requestedByStaffId}`,
);
export type AskedRow = Selected<typeof askedRows>;
