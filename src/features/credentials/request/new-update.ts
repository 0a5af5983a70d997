import type { LinkAssurance } from '../../../authz/actor';
import type { CredentialUpdateKind, UpdatePolicy } from '../../../authz/policy/update-policy';
import type { Change } from '../../../db/change';
import { keptWords } from '../../../db/columns';
import type { Values } from '../../../db/table';
import { ulid } from '../../../ulid';
import type { CustomerSeal } from '../../keys/customer-seal';
import type { PayerRow } from '../../payments/payments.rows';
import { type CredentialUpdate, credentialUpdates } from '../credential-update.entity';
import { begin } from '../credential-update.moves';
import { type CustomerSigns, signsOf } from '../customer-signs';
import { enqueue } from '../jobs.service';
import { describeMethod, type MethodSummary } from '../method-summary';
import { needsOf, type UpdateNeeds } from './risk';

const hour = 3_600_000;

/** Who a customer is on the payment side, and how surely. */
export type LinkedPayer = PayerRow & { readonly link: LinkAssurance };

/** The contacts that an update is bound to. */
export type Contact = Pick<CredentialUpdate, 'mailDigest' | 'phoneDigest'>;

/** What the payment side holds for what the update needs, or what it lacks. */
export const contactFor = (
  payer: PayerRow,
  { needsCode }: Pick<UpdateNeeds, 'needsCode'>,
  channels: { readonly sms: boolean },
): Contact | 'no-mail' | 'no-phone' => {
  if (!payer.emailDigest || !payer.emailSealed) return 'no-mail';
  if (needsCode && (!payer.phoneDigest || !channels.sms)) return 'no-phone';
  return { mailDigest: payer.emailDigest, phoneDigest: needsCode ? payer.phoneDigest : null };
};

/** What an update is judged by that is asked for now, whoever asks. */
export interface Judged {
  readonly kind: CredentialUpdateKind;
  readonly payer: LinkedPayer;
  readonly contactStaffIds: readonly string[];
  readonly lastDisputeAt: Date | null;
  readonly method: { readonly isDefault: boolean; readonly createdAt: Date };
  readonly customerId: string;
  /** That it would be against the customer's history was found before. */
  readonly wouldBe: boolean;
  readonly signs: CustomerSigns;
  readonly policy: UpdatePolicy;
}

/** What it needs, as the change that asks for it sees things. */
export const needsFor = async (
  change: Change,
  { kind, payer, contactStaffIds, lastDisputeAt, method, customerId, wouldBe, signs, policy }: Judged,
): Promise<UpdateNeeds> =>
  needsOf(
    {
      kind,
      link: payer.link,
      contact: {
        mail: { changedAt: payer.emailChangedAt, seenSince: payer.emailSeenSince },
        phone: payer.phoneDigest ? { changedAt: payer.phoneChangedAt, seenSince: payer.phoneSeenSince } : null,
      },
      contactIsStaff: contactStaffIds.length > 0,
      method,
      lastDisputeAt,
      signs: await signsOf(change, signs, { wouldBe, about: { customerId, paymentCustomerId: payer.id } }),
    },
    policy,
    change.at,
  );

/** What is written later: by the customer's answer, a decision or the provider. */
const unanswered = {
  afterSealed: null,
  addressSealed: null,
  codeDigest: null,
  codeExpiresAt: null,
  codeTries: 0,
  codeSends: 0,
  setupExpiresAt: null,
  setupSealed: null,
  newMethodSealed: null,
  authenticated: false,
  decidedById: null,
  decidedByStaffId: null,
  decidedAt: null,
  decision: null,
  decisionReasonSealed: null,
  failure: null,
  endedAt: null,
} satisfies Partial<Values<CredentialUpdate>>;

/** An update that may be asked for. */
export interface Asking {
  readonly kind: CredentialUpdateKind;
  readonly reason: string;
  readonly requestKey: string;
  readonly requestDigest: string;
  /** Both null where a rule asks. */
  readonly ticketId: string | null;
  readonly assistanceId: string | null;
  readonly by: { readonly actorId: string; readonly staffId: string | null; readonly staffIds: readonly string[] };
  /** What a rule's rests on: ids of ours. */
  readonly restsOn?: readonly string[];
  readonly customerId: string;
  readonly payer: LinkedPayer;
  readonly methodId: string;
  readonly summary: MethodSummary;
  readonly needs: UpdateNeeds;
  readonly contact: Contact;
  readonly contactStaffIds: readonly string[];
  /** How long the customer's link works. */
  readonly linkHours: number;
}

/** Begins an update, in a change that is permitted: its row, its event and the job that sends the link. Returns its id. */
export const beginUpdate = async (change: Change, seal: CustomerSeal, asking: Asking): Promise<string> => {
  if (seal.key === null) throw new RangeError('the customer was erased');
  const { kind, reason, by, customerId, payer, methodId, summary, needs, contact, restsOn } = asking;
  const contactStaffIds = keptWords(asking.contactStaffIds);
  const id = `cru_${ulid(change.at.getTime())}`;
  const update: Values<CredentialUpdate> = {
    ...unanswered,
    ...contact,
    id,
    kind,
    state: 'REQUESTED',
    ticketId: asking.ticketId,
    customerId,
    assistanceId: asking.assistanceId,
    source: payer.source,
    paymentCustomerId: payer.id,
    paymentMethodId: methodId,
    requestedById: by.actorId,
    requestedByStaffId: by.staffId,
    requestedByStaffIds: by.staffIds,
    requestKey: asking.requestKey,
    requestDigest: asking.requestDigest,
    keyId: seal.key.id,
    reasonSealed: seal.seal(credentialUpdates, id, 'reason', reason),
    beforeSealed: seal.seal(credentialUpdates, id, 'before', JSON.stringify(summary)),
    link: payer.link,
    contactStaffIds,
    riskRules: needs.rules,
    needsCode: needs.needsCode,
    needsThreeDSecure: needs.needsThreeDSecure,
    needsApproval: needs.needsApproval,
    moves: 1,
    createdAt: change.at,
    expiresAt: new Date(change.at.getTime() + asking.linkHours * hour),
    openKey: methodId,
  };
  await begin(change, seal, update, {
    staffId: by.staffId,
    notes: { reason, before: describeMethod(summary) },
    detail: {
      method: methodId,
      link: payer.link,
      rules: [...needs.rules],
      needs: [
        ...(needs.needsCode ? ['code'] : []),
        ...(needs.needsThreeDSecure ? ['three-d-secure'] : []),
        ...(needs.needsApproval ? ['approval'] : []),
      ],
      staffRows: [...by.staffIds],
      // Not which: that would name the customer to whoever knows the staff, also once the customer is erased.
      contactStaff: contactStaffIds.length,
      ...(restsOn === undefined ? {} : { restsOn }),
    },
  });
  await enqueue(change, id, 'LINK');
  return id;
};
