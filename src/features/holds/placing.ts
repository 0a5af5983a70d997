import type { KeptPerson } from '../../authz/same-person';
import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import type { Values } from '../../db/table';
import { ProgrammingError } from '../../failure';
import { ulid } from '../../ulid';
import { customer, linkRows } from '../customers/customers.rows';
import { type Keys, sealField } from '../keys/keys.service';
import { transaction } from '../payments/payments.rows';
import { payersOf } from './covered';
import {
  mostCustomers,
  PaymentHold,
  type PaymentHoldEffect,
  paymentHoldEffects,
  paymentHoldJobs,
  paymentHolds,
} from './hold.entity';
import { moved } from './hold.moves';
import { type HoldCause, type HoldEffectKind, type HoldSubjectKind, holdEffectKinds, openStates, stateAt } from './hold.states';
import { hold, holdIds, paymentIds } from './holds.rows';
import { newJob } from './jobs';
import { expire } from './letting-go';

const hour = 3_600_000;
/** The longest that a hold may stand, in milliseconds from when it was placed or proposed. */
export const longestHold = 24 * hour;
/**
 * Holds of one customer that may be open at once for the same cause: whoever asks for many must not bury the rest, nor keep out what a rule or
 * the customer wants. Customers say no to no more than they were asked about: theirs are as few as the questions of some days.
 */
const mostOpen = 20;

/** Who of the staff asked for a hold. */
export interface HoldPlacer extends KeptPerson {
  /** As the ticket's helpdesk names them; null where it doesn't know them. */
  readonly staffId: string | null;
}

/** What shall wait, as a rule, one of the staff or the customer wants it. All ids are ours. */
export interface HoldDraft {
  /** What it is, in the words of who wants it: of each there is one open hold. */
  readonly key: string;
  readonly cause: HoldCause;
  /** It stops nothing before a supervisor consents. */
  readonly isProposal: boolean;
  readonly ticketId: string | null;
  /** The first is whose ticket it is. Of a group the first fifty; those who were erased are left out. */
  readonly customerIds: readonly string[];
  /** Of the first of these customers; of anybody else's it isn't. */
  readonly transactionId: string | null;
  /** Keyed digest, as signals name the domain: its customers are covered too. */
  readonly emailDomain: string | null;
  readonly effects: readonly HoldEffectKind[];
  /** It ends by itself then, or after the longest that a hold may stand. */
  readonly until: Date;
  /** In lower case with hyphens. */
  readonly rule: string | null;
  readonly ruleVersion: number | null;
  /** What it goes by, as events name it. */
  readonly restsOn: readonly string[];
  /** 10 to 1,000 characters without card data; sealed under the first customer's key. */
  readonly reason: string | null;
  readonly by?: HoldPlacer | null;
  readonly assistanceId?: string | null;
  /** By which the same request finds its hold, with a digest of what was asked for. */
  readonly request?: { readonly key: string; readonly digest: string } | null;
}

/** `isNew`: it wasn't there before. */
export type PlacedHold = { readonly id: string; readonly isNew: boolean } | { readonly refused: 'erased' | 'enough' };

/** Ids that an event names. */
const mostNamed = 100;

const subjectKindOf = ({ customerIds, transactionId, emailDomain }: HoldDraft): HoldSubjectKind =>
  customerIds.length !== 1 || emailDomain !== null ? 'GROUP' : transactionId === null ? 'CUSTOMER' : 'TRANSACTION';

/** Who that customer is at the payment side, with the payment where it is theirs. */
const payerOf = async (change: Change, customerId: string | undefined, transactionId: string | null) => {
  const [linked] = customerId === undefined ? [] : await change.read(linkRows, sql`WHERE ${customer.id} = ${customerId}`);
  const payer = linked && linked.link !== 'NONE' ? linked.paymentCustomerId : null;
  if (transactionId === null || payer === null) return { payer, transactionId: null };
  const isTheirs = sql`${transaction.id} = ${transactionId} AND ${transaction.paymentCustomerId} = ${payer}`;
  const [theirs] = await change.read(paymentIds, sql`WHERE ${isTheirs}`);
  return { payer, transactionId: theirs?.id ?? null };
};

/** Ends an open hold of the same key whose time is over, so that another one can take its place. False where it isn't. */
const endIfPast = async (change: Change, keys: Keys, open: PaymentHold): Promise<boolean> => {
  if (stateAt(open, change.at) === open.state) return false;
  await expire(change, keys, open);
  return true;
};

/**
 * Places or proposes a hold, in a change that is permitted already; repeated for the same key it is the open one. What it takes at the
 * provider is done after the commit, by whichever process comes first.
 */
export const placeHold = async (change: Change, keys: Keys, draft: HoldDraft): Promise<PlacedHold> => {
  const holdKey = keys.searchDigest('hold', draft.key) as string;
  const open = await change.lockIfAny(PaymentHold, { openKey: holdKey });
  if (open && !(await endIfPast(change, keys, open))) return { id: open.id, isNew: false };
  const wanted = [...new Set(draft.customerIds)].slice(0, mostCustomers);
  const dataKeys = await keys.forOwners(change, wanted);
  const customerIds = wanted.filter((id) => dataKeys.has(id));
  if (customerIds.length === 0 && (wanted.length > 0 || draft.emailDomain === null)) return { refused: 'erased' };
  // What was asked for on an erased customer's ticket isn't about those who are left.
  if (draft.reason !== null && customerIds[0] !== wanted[0]) return { refused: 'erased' };
  const [customerId] = customerIds;
  if (customerId !== undefined && draft.cause !== 'CUSTOMER') {
    const isOpen = sql`${hold.customerId} = ${customerId} AND ${hold.cause} = ${draft.cause} AND ${hold.state} IN (${openStates}) AND ${hold.expiresAt} > ${change.at}`;
    const others = await change.read(holdIds, sql`WHERE ${isOpen} LIMIT ${mostOpen}`);
    if (others.length === mostOpen) return { refused: 'enough' };
  }
  const { payer, transactionId } = await payerOf(change, customerId, draft.transactionId);
  const expiresAt = new Date(Math.min(draft.until.getTime(), change.at.getTime() + longestHold));
  const kinds = holdEffectKinds.filter((kind) => draft.effects.includes(kind));
  if (kinds.length === 0 || expiresAt <= change.at) throw new ProgrammingError('a hold of nothing, or of no time');
  const id = `hld_${ulid(change.at.getTime())}`;
  const key = customerId === undefined ? undefined : dataKeys.get(customerId);
  const isReasoned = draft.reason !== null && key !== undefined;
  const first = moved(change, null, { to: draft.isProposal ? 'PROPOSED' : 'PLACING', staffId: draft.by?.staffId ?? null });
  const row: Values<PaymentHold> = {
    id,
    state: first.to,
    cause: draft.cause,
    subjectKind: subjectKindOf({ ...draft, customerIds, transactionId }),
    ticketId: draft.ticketId,
    assistanceId: draft.assistanceId ?? null,
    customerId: customerId ?? null,
    customerIds,
    paymentCustomerId: payer,
    payerIds: await payersOf(change, customerIds),
    transactionId,
    emailDomain: draft.emailDomain,
    rule: draft.rule,
    ruleVersion: draft.ruleVersion,
    placedById: draft.by?.actorId ?? null,
    placedByStaffId: draft.by?.staffId ?? null,
    placedByStaffIds: draft.by?.staffIds ?? null,
    keyId: key?.id ?? null,
    reasonSealed: isReasoned ? sealField(paymentHolds, id, 'reason', key, draft.reason) : null,
    holdKey,
    openKey: holdKey,
    requestKey: draft.request?.key ?? null,
    requestDigest: draft.request?.digest ?? null,
    planned: false,
    ending: null,
    moves: [first],
    placedAt: change.at,
    expiresAt,
    endedAt: null,
  };
  await change.insert(paymentHolds, row);
  const effects = kinds.map(
    (kind): Values<PaymentHoldEffect> => ({
      id: `hle_${ulid(change.at.getTime())}`,
      holdId: id,
      kind,
      state: 'PENDING',
      // Whoever asks before a payment keeps to all of them; the provider to what it was told, once it was.
      enforcedBy: 'PIPELINE',
      deadline: null,
      revision: 0,
    }),
  );
  await change.insert(paymentHoldEffects, effects);
  await change.insert(paymentHoldJobs, newJob(change, id));
  const named = await Promise.all(customerIds.map((each) => keys.customerUnderDigest(change, each)));
  change.record(draft.isProposal ? 'hold.propose' : 'hold.place', {
    ...(row.ticketId === null ? {} : { ticketId: row.ticketId }),
    ...(row.assistanceId === null ? {} : { assistanceId: row.assistanceId }),
    subject: { type: 'Hold', id },
    customers: named.flatMap((each) => each ?? []),
    notes: isReasoned ? [keys.note('reason', key, draft.reason)] : [],
    detail: {
      from: null,
      to: row.state,
      moves: 1,
      cause: row.cause,
      kind: row.subjectKind,
      transaction: transactionId,
      domain: row.emailDomain,
      payer,
      payers: row.payerIds ?? [],
      effects: kinds,
      until: expiresAt.toISOString(),
      rule: row.rule,
      version: row.ruleVersion,
      by: row.placedById,
      staff: row.placedByStaffId,
      staffRows: row.placedByStaffIds,
      key: holdKey,
      request: row.requestKey,
      restsOn: [...new Set(draft.restsOn)].slice(0, mostNamed),
    },
  });
  return { id, isNew: true };
};
