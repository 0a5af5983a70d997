import { createHash } from 'node:crypto';
import { canonicalize } from '../../../audit/canonical';
import type { UpdatePolicy } from '../../../authz/policy/update-policy';
import { type Sql, sql } from '../../../db/sql';
import type { Setup } from '../../../upstream/payments/payments.port';
import { codeView } from '../../invitations/codes';
import type { Answering, Reader } from '../../invitations/links';
import type { Keys } from '../../keys/keys.service';
import { payer } from '../../payments/payments.rows';
import { type CredentialUpdate, credentialUpdates } from '../credential-update.entity';
import { describeMethod, describePlace, type MethodSummary, methodSummarySchema } from '../method-summary';
import { setupOf } from '../setup-page';
import type { ConfirmationView } from './confirmation.view';
import { type AskedRow, askedRows } from './confirmations.rows';

/** An update as the customer is asked about it. */
export interface Asked {
  readonly row: AskedRow;
  readonly view: ConfirmationView;
  readonly before: MethodSummary;
  readonly setup: Setup | null;
}

/** An update, locked, with how its customer is asked about it. */
export type AnsweringUpdate = Answering<CredentialUpdate, Asked>;

/** What becomes of the method, before the customer has entered anything. */
const outcomeOf: Readonly<Record<CredentialUpdate['kind'], string>> = {
  REPLACE_CARD: 'It is replaced by a new card, which you enter on the payment provider’s own page.',
  BILLING_ADDRESS: 'Its billing address becomes the one that you enter here.',
  SET_DEFAULT: 'Payments are taken from it from now on.',
  REMOVE: 'It is removed and can no longer be used for payments.',
};

const beforeOf = (kind: CredentialUpdate['kind'], before: MethodSummary): string =>
  kind === 'BILLING_ADDRESS'
    ? `${describeMethod(before)}, billing address in ${describePlace(before.billingAddress)}`
    : describeMethod(before);

export interface AskingParts {
  readonly keys: Keys;
  readonly policy: UpdatePolicy;
  /** The merchant's name as customers know it. */
  readonly merchant: string;
}

/** What a link leads to, while it can be answered. */
export const askedAbout =
  ({ keys, policy, merchant }: AskingParts) =>
  async (reader: Reader, isLink: Sql, now: Date): Promise<Asked | null> => {
    const [row] = await reader.read(askedRows, sql`WHERE ${isLink}`);
    if (!row || row.expiresAt <= now || policy.kinds[row.kind] === undefined) return null;
    const isAsked = row.state === 'AWAITING_CUSTOMER' && row.linkExpiresAt > now;
    if (!isAsked && row.state !== 'AWAITING_PROVIDER') return null;
    const reason = keys.open(credentialUpdates, row, 'reason');
    const text = keys.open(credentialUpdates, row, 'before');
    const setup = setupOf(keys.open(credentialUpdates, row, 'setup'));
    // Erased meanwhile.
    if (reason === null || text === null) return null;
    const before = methodSummarySchema.parse(JSON.parse(text));
    const decidedOn = {
      kind: row.kind,
      merchant,
      ticket: row.ticketReference,
      askedBy: row.askedBy,
      reason,
      before: beforeOf(row.kind, before),
      after: outcomeOf[row.kind],
    };
    const view: ConfirmationView = {
      ...decidedOn,
      stage: isAsked ? 'ASKED' : 'AT_PROVIDER',
      expiresAt: row.expiresAt,
      code: codeView(row, () => phoneOf(keys, row)),
      shown: createHash('sha256').update(canonicalize(decidedOn)).digest('hex'),
      continueAt: isAsked || row.needsCode || setup === null ? null : setup.url,
    };
    return { row, view, before, setup };
  };

/** The number that a code goes to. */
export const phoneOf = (keys: Keys, row: AskedRow): string | null => {
  const { payerId: id, payerKeyId: keyId, payerKeyWrapped: keyWrapped, payerKeyOwner: keyOwner, phoneSealed } = row;
  return keys.open(payer, { id, keyId, keyWrapped, keyOwner, phoneSealed }, 'phone');
};
