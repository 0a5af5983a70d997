import { isIP } from 'node:net';
import { canonicalize } from '../../audit/canonical';
import type { SignedInActor } from '../../authz/actor';
import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import { Failure } from '../../failure';
import { formsOfEmail, normalizeEmail } from '../../privacy/mail-addresses';
import { isHeld, isPaymentHeld } from '../holds/holds.service';
import type { Keys } from '../keys/keys.service';
import { subjectDigest } from '../signals/subjects';
import type { PaymentDecisionInput } from './decision.type';
import type { DecisionStage } from './decision.words';
import {
  isDemanded,
  linked,
  linkedIds,
  method,
  methodPayers,
  paid,
  payer,
  payerRows,
  paymentIds,
  paymentPayers,
} from './decisions.rows';

/** Payment customers that are looked at of those whom one name leads to: an address may be that of several. Where there are more, a human looks. */
const mostOfName = 50;
/** Rows of one statement for a whole group, where each question has one or a few. An order may have been tried very often: payments that a hold stands on come first. */
const mostOfGroup = 2_000;

/** A question whose form is right. What it is about stands in it as keyed digests and as the provider's references. */
export interface AskedDecision {
  readonly actor: SignedInActor;
  readonly source: string;
  readonly stage: DecisionStage;
  readonly isThere: boolean;
  readonly keyDigest: string;
  readonly requestDigest: string;
  readonly payment: string | null;
  readonly order: string | null;
  /** What rules and signals call a customer whom nobody knows here; null without one. */
  readonly customerName: string | null;
  readonly referenceDigest: string | null;
  readonly emailDigests: readonly string[];
  readonly cardDigest: string | null;
  /** As signals and holds on groups have it. */
  readonly emailDomain: string | null;
  /** Each counts by itself: what one would have to ask by to find out about somebody. */
  readonly subjects: readonly string[];
}

/** Whom and what a question is about, as far as it is known here. */
export interface FoundSubjects {
  /** Of those whom a name leads to not all were looked at: anything may stand in the way of the others. */
  readonly isCut: boolean;
  /** Those of `names` at the payment side. */
  readonly payerIds: readonly string[];
  readonly names: readonly string[];
  readonly payerId: string | null;
  readonly payerNames: readonly string[];
  readonly transactionIds: readonly string[];
}

type Text = string | null | undefined;

/** A name as a sender has it. Throws `INVALID`. */
const named = (argument: string, text: Text, most: number): string | null => {
  if (text === null || text === undefined) return null;
  if (text.length < 1 || text.length > most || text.trim() === '')
    throw Failure.invalid(`input.${argument}`, `expected 1 to ${most} characters`);
  return text;
};

const keyForm = /^[\x21-\x7e]{8,128}$/;

/** Throws `INVALID`. */
export const expectKey = (key: string): void => {
  if (!keyForm.test(key))
    throw Failure.invalid('input.idempotencyKey', 'expected 8 to 128 printable ASCII characters without blanks');
};

/** Throws `INVALID` for what can't be asked. */
export const askedDecision = (actor: SignedInActor, keys: Keys, input: PaymentDecisionInput): AskedDecision => {
  const { source, stage, amount, idempotencyKey } = input;
  expectKey(idempotencyKey);
  const customer = named('customer', input.customer, 256);
  const card = named('card', input.card, 256);
  const device = named('device', input.device, 256);
  const payment = named('payment', input.payment, 128);
  const order = named('order', input.order, 128);
  const ip = named('ip', input.ip, 64)?.trim() ?? null;
  if (ip !== null && isIP(ip) === 0) throw Failure.invalid('input.ip', 'expected an IPv4 or IPv6 address');
  const email = named('email', input.email, 320);
  const normalized = email === null ? null : normalizeEmail(email);
  if (email !== null && normalized === null) throw Failure.invalid('input.email', 'expected an e-mail address');
  // Nobody is found by an order, a device or an address alone: an answer would always be CLEAR.
  if ((customer ?? email ?? card ?? payment) === null)
    throw Failure.invalid('input', 'expected at least one of customer, email, card and payment, by which somebody is found');
  if (amount.minorUnits < 0) throw Failure.invalid('input.amount.minorUnits', 'expected a whole number of minor units from 0 on');
  if (!/^[A-Z]{3}$/.test(amount.currency))
    throw Failure.invalid('input.amount.currency', 'expected an ISO 4217 currency in upper case such as EUR');
  const digest = (domain: string, text: string) => keys.searchDigest(domain, text) as string;
  const digestIf = (text: string | null, name: 'customer' | 'device' | 'ip') =>
    text === null ? null : subjectDigest(keys.digests, name, text, source);
  const emailDigests = normalized === null ? [] : formsOfEmail(normalized).map((form) => digest('email', form));
  const domain = normalized?.split('@').at(-1) ?? null;
  const cardDigest = card === null ? null : digest(`payment-method:${source}`, card);
  const customerName = digestIf(customer, 'customer');
  const about = {
    customer: customerName,
    email: normalized === null ? null : digest('email', normalized),
    card: cardDigest,
    device: digestIf(device, 'device'),
    ip: digestIf(ip, 'ip'),
    payment,
    order,
  };
  const leading = Object.entries(about).filter(([name, text]) => text !== null && name !== 'device' && name !== 'ip');
  // Many people have one address of a network; alone it leads to nobody.
  const counted = leading.length > 0 ? leading : Object.entries(about).filter(([, text]) => text !== null);
  return {
    actor,
    source,
    stage,
    isThere: input.isOffSession !== true && input.isWallet !== true,
    keyDigest: digest('decision-request', `${actor.id} ${idempotencyKey}`),
    requestDigest: digest(
      'decision-input',
      canonicalize({
        ...about,
        source,
        stage,
        minorUnits: amount.minorUnits,
        currency: amount.currency,
        isOffSession: input.isOffSession === true,
        isWallet: input.isWallet === true,
      }),
    ),
    payment,
    order,
    customerName,
    referenceDigest: customer === null ? null : digest('payment-customer', customer),
    emailDigests,
    cardDigest,
    emailDomain: domain === null ? null : subjectDigest(keys.digests, 'emailDomain', domain),
    subjects: counted.map(([name, text]) => `${name} ${text}`),
  };
};

const byDigest = <Row>(rows: readonly Row[], keyOf: (row: Row) => string | null): ReadonlyMap<string, readonly Row[]> => {
  const found = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(row) ?? '';
    found.set(key, [...(found.get(key) ?? []), row]);
  }
  return found;
};

/**
 * Who and what these questions are about, in their order, looked up together. The same statements are asked whether anybody is found or not,
 * so that how long it takes doesn't tell.
 */
export const findSubjects = async (
  database: Pick<Database, 'read' | 'readLists'>,
  group: readonly AskedDecision[],
  now: Date,
): Promise<readonly FoundSubjects[]> => {
  const among = (of: (asked: AskedDecision) => readonly (string | null)[]): readonly string[] => {
    const given = [...new Set(group.flatMap(of).filter((each) => each !== null))];
    return given.length > 0 ? given : [''];
  };
  const isThere = sql`WHERE ${payer.gone} = ${false} AND`;
  const most = sql`LIMIT ${mostOfGroup}`;
  // An address or a card may be that of many: of each as many, whatever else is asked, and first those in whose way something stands.
  const first = sql`ORDER BY CASE WHEN ${isHeld(payer.id, now)} OR ${isDemanded(now)} THEN 0 ELSE 1 END, ${payer.id} LIMIT ${mostOfName + 1}`;
  const emails = among((asked) => asked.emailDigests).map((digest) => sql`${isThere} ${payer.emailDigest} = ${digest} ${first}`);
  const cards = among((asked) => [asked.cardDigest]).map(
    (digest) => sql`${isThere} ${method.referenceDigest} = ${digest} ${first}`,
  );
  const [[byReference = [], ...byEmail], methods, ofPayments] = await Promise.all([
    database.readLists(payerRows, [
      sql`${isThere} ${payer.referenceDigest} IN (${among((asked) => [asked.referenceDigest])}) ${most}`,
      ...emails,
    ]),
    database.readLists(methodPayers, cards),
    database.read(paymentPayers, sql`${isThere} ${paid.reference} IN (${among((asked) => [asked.payment])}) ${most}`),
  ]);
  const known = {
    reference: byDigest(byReference, (row) => row.referenceDigest),
    email: byDigest(byEmail.flat(), (row) => row.emailDigest),
    card: byDigest(methods.flat(), (row) => row.digest),
    payment: byDigest(ofPayments, (row) => row.reference),
  };
  const led = group.map(({ source, referenceDigest, emailDigests, cardDigest, payment }) => {
    const ofNames = [...emailDigests.map((digest) => known.email.get(digest)), known.card.get(cardDigest ?? 'none')];
    const of = (...lists: readonly (readonly { readonly payerId: string; readonly source: string }[] | undefined)[]) =>
      [...new Set(lists.flatMap((rows = []) => rows.flatMap((row) => (row.source === source ? row.payerId : []))))].sort();
    const named = of(referenceDigest === null ? [] : known.reference.get(referenceDigest));
    const others = of(...ofNames, payment === null ? [] : known.payment.get(payment));
    const isCut = ofNames.some((rows) => (rows?.length ?? 0) > mostOfName);
    return { isCut, named, payers: [...new Set([...named, ...others])] };
  });
  const payers = [...new Set(led.flatMap((each) => each.payers))];
  const ofThese = payers.length > 0 ? payers : [''];
  const [people, payments] = await Promise.all([
    database.read(linkedIds, sql`WHERE ${linked.paymentCustomerId} IN (${ofThese})`),
    database.read(
      paymentIds,
      sql`WHERE ${paid.paymentCustomerId} IN (${ofThese})
        AND (${paid.reference} IN (${among((asked) => [asked.payment])}) OR ${paid.orderReference} IN (${among((asked) => [asked.order])}))
        ORDER BY CASE WHEN ${isPaymentHeld(paid.id, now)} THEN 0 ELSE 1 END, ${paid.id} LIMIT ${mostOfGroup}`,
    ),
  ]);
  const peopleOf = byDigest(people, (row) => row.paymentCustomerId);
  const paymentsOf = byDigest(payments, (row) => row.paymentCustomerId);
  const namesOf = (id: string) => [id, ...(peopleOf.get(id) ?? []).map((each) => each.id)];
  return group.map(({ customerName, payment, order }, index): FoundSubjects => {
    const { isCut, named, payers: theirs } = led[index] as (typeof led)[number];
    const alone = theirs.length === 1 ? (theirs[0] ?? null) : null;
    const payerId = customerName === null ? alone : (named[0] ?? customerName);
    const itself = customerName === null ? [] : [customerName];
    const isIt = ({ reference, orderReference }: { readonly reference: string; readonly orderReference: string | null }) =>
      reference === payment || (orderReference !== null && orderReference === order);
    return {
      isCut,
      payerIds: theirs,
      names: [...new Set([...theirs.flatMap(namesOf), ...itself])],
      payerId,
      payerNames: payerId === null ? [] : [...new Set([...namesOf(payerId), ...itself])],
      transactionIds: theirs.flatMap((id) => (paymentsOf.get(id) ?? []).filter(isIt).map((each) => each.id)),
    };
  });
};
