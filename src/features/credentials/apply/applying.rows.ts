import { pendingStates } from '../../../background/effect';
import { sql } from '../../../db/sql';
import { select, wholeNumber } from '../../../db/table';
import { keyed, withKeyOf } from '../../keys/keys.service';
import { credentialConfirmations, credentialSteps } from '../credential-update.entity';

export const step = credentialSteps;
export const confirmation = credentialConfirmations;

/** Still to be made, or to be asked about. */
export const isPendingRow = sql`${step.state} IN (${pendingStates})`;

/** Steps with their customer's key. */
export const stepRows = select(
  {
    ...step.pick('id', 'ordinal', 'phase', 'state', 'stepSealed', 'undoSealed', 'keyGeneration', 'keyUsedAt'),
    ...keyed,
  },
  sql`FROM ${step} ${withKeyOf(step)}`,
);

export const stepCounts = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${step}`);

export const lastOrdinals = select({ ordinal: wholeNumber(sql`COALESCE(MAX(${step.ordinal}), 0)`) }, sql`FROM ${step}`);

/** The provider's page that a customer's act is bound to, and the step-up that counts as an authentication there. */
export const boundSetups = select(confirmation.pick('setupDigest', 'demandId'), sql`FROM ${confirmation}`);
