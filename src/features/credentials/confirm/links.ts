import { createHash } from 'node:crypto';
import { canonicalize } from '../../../audit/canonical';
import type { ActionName } from '../../../audit/events';
import { customerActor } from '../../../authz/actor';
import { maskValue } from '../../../authz/policy/mask';
import type { UpdatePolicy } from '../../../authz/policy/update-policy';
import type { Action } from '../../../authz/rule';
import type { Change } from '../../../db/change';
import type { Database } from '../../../db/database';
import { sql } from '../../../db/sql';
import type { Setup } from '../../../upstream/payments/payments.port';
import type { Keys } from '../../keys/keys.service';
import { payer } from '../../payments/payments.rows';
import { CredentialUpdate, credentialUpdates } from '../credential-update.entity';
import { CustomerSeal } from '../credential-update.moves';
import type { AnswerSubject } from '../credentials.policy';
import { describeMethod, describePlace, type MethodSummary, methodSummarySchema } from '../method-summary';
import { setupOf } from '../setup-page';
import { dead } from './answers';
import type { ConfirmationView } from './confirmation.view';
import { type AskedRow, askedRows, linkedUpdateIds, link as links } from './confirmations.rows';

/** Committed rows, or those that a change sees. */
type Reader = Pick<Database, 'read'>;

/** An update as the customer is asked about it. */
export interface Asked {
  readonly row: AskedRow;
  readonly view: ConfirmationView;
  readonly before: MethodSummary;
  readonly setup: Setup | null;
}

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

/** How often a code may be entered wrongly, and how many may be sent. */
export const mostCodeTries = 5;
export const mostCodeSends = 5;

/** What a customer's answer is worked with: one change, with their update locked, as they are asked about it, and their key. */
export interface Answering {
  readonly change: Change;
  readonly update: CredentialUpdate;
  readonly asked: Asked;
  readonly seal: CustomerSeal;
}

/** Links that were sent to customers, and what they lead to. */
export class Links {
  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly policy: UpdatePolicy,
    private readonly merchant: string,
  ) {}

  /** What the token leads to, while it can be answered. One statement for every token, whatever is wrong with it. */
  async follow(reader: Reader, token: string, now: Date): Promise<Asked | null> {
    const [row] = await reader.read(askedRows, sql`WHERE ${links.tokenDigest} = ${this.tokenDigest(token)}`);
    if (!row || row.expiresAt <= now || this.policy.kinds[row.kind] === undefined) return null;
    const isAsked = row.state === 'AWAITING_CUSTOMER' && row.linkExpiresAt > now;
    if (!isAsked && row.state !== 'AWAITING_PROVIDER') return null;
    const reason = this.keys.open(credentialUpdates, row, 'reason');
    const text = this.keys.open(credentialUpdates, row, 'before');
    const setup = setupOf(this.keys.open(credentialUpdates, row, 'setup'));
    // Erased meanwhile.
    if (reason === null || text === null) return null;
    const before = methodSummarySchema.parse(JSON.parse(text));
    const decidedOn = {
      kind: row.kind,
      merchant: this.merchant,
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
      code: row.needsCode
        ? {
            sentTo:
              row.codeDigest !== null ? (maskValue('phone', this.phoneOf(row), { digest: () => '' }) as string | null) : null,
            triesLeft: Math.max(0, mostCodeTries - row.codeTries),
            sendsLeft: Math.max(0, mostCodeSends - row.codeSends),
          }
        : null,
      shown: createHash('sha256').update(canonicalize(decidedOn)).digest('hex'),
      continueAt: isAsked || row.needsCode || setup === null ? null : setup.url,
    };
    return { row, view, before, setup };
  }

  /** Runs a change as the customer whom the token was sent to, with the update locked and in one of the stages; otherwise `dead`. */
  async answer<T>(
    token: string,
    action: Action<AnswerSubject, ActionName>,
    work: (answering: Answering) => Promise<T>,
    stages: readonly ConfirmationView['stage'][] = ['ASKED'],
  ): Promise<T | typeof dead> {
    const [link] = await this.database.read(linkedUpdateIds, sql`WHERE ${links.tokenDigest} = ${this.tokenDigest(token)}`);
    if (!link) return dead;
    return this.database.change(customerActor(link.updateId), action, async (change, permit) => {
      const update = await change.lock(CredentialUpdate, { id: link.updateId });
      const asked = await this.follow(change, token, change.at);
      if (!asked || !stages.includes(asked.view.stage)) return dead;
      permit({ updateId: asked.row.id });
      return work({ change, update, asked, seal: await CustomerSeal.of(change, this.keys, update.customerId) });
    });
  }

  /** The number that a code goes to. */
  phoneOf(row: AskedRow): string | null {
    const { payerId: id, payerKeyId: keyId, payerKeyWrapped: keyWrapped, payerKeyOwner: keyOwner, phoneSealed } = row;
    return this.keys.open(payer, { id, keyId, keyWrapped, keyOwner, phoneSealed }, 'phone');
  }

  private tokenDigest(token: string): string {
    return this.keys.searchDigest('credential-link', token) ?? '';
  }
}
