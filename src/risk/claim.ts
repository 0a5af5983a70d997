import { type ClaimedTrait, claimedTraits } from './signal';

/** Integer minor units of an ISO 4217 currency. */
export interface AmountOf {
  readonly minorUnits: number;
  readonly currency: string;
}

/** An amount as it was stated: `slack` is by how many minor units it may be off, where only whole ones were said. */
export interface StatedAmount extends AmountOf {
  readonly slack: number;
}

/** What somebody states of one payment; null is what they say nothing of. */
export interface Claim {
  /** One of these: `$` is said of several currencies. */
  readonly amount: readonly StatedAmount[] | null;
  /** The UTC midnight that begins the day. */
  readonly date: Date | null;
  readonly order: string | null;
  /** Four digits. */
  readonly card: string | null;
}

export const traitsOf = (claim: Claim): readonly ClaimedTrait[] => claimedTraits.filter((trait) => claim[trait] !== null);

/** A payment as a claim is held against it. */
export interface RecordedPayment {
  readonly id: string;
  readonly createdAt: Date;
  /** What it is of, first; then whatever part of it somebody may have seen on a statement. */
  readonly amounts: readonly AmountOf[];
  readonly order: string | null;
  /** Of a card; null where it was paid otherwise, or isn't known. */
  readonly card: string | null;
}

/** What is known of a customer's payments. */
export interface PaymentRecord {
  readonly payments: readonly RecordedPayment[];
  /** From then until `completeTo` there were no others. */
  readonly completeFrom: Date;
  readonly completeTo: Date;
  /** A claim that says no date is about a payment of that time. */
  readonly isAboutThatTime: boolean;
}

export type ClaimOutcome = 'matched' | 'unmatched' | 'contradicted';

export interface JudgedClaim {
  readonly outcome: ClaimOutcome;
  /** The one payment that it fits or contradicts; null where that is none or several. */
  readonly paymentId: string | null;
}

type Compared = 'same' | 'different' | 'unknown';

const day = 86_400_000;
/** A statement names the day of the booking, some days after the payment; clocks differ by a day. */
const bookedWithin = 5 * day;
const clocksApart = day;
/** Whoever is further off than this, in milliseconds, means another day. */
const farOff = 14 * day;

const midnightOf = (at: Date): number => Math.floor(at.getTime() / day) * day;

/** How references of one merchant look: runs of letters and of digits. */
const shapeOf = (reference: string): string => reference.replace(/\p{L}+/gu, 'a').replace(/\d+/g, '9');
const referenceForm = (reference: string): string => reference.trim().replace(/^#/, '').toUpperCase();

const isAmount = (stated: StatedAmount, { minorUnits, currency }: AmountOf): boolean =>
  stated.currency === currency && Math.abs(stated.minorUnits - minorUnits) <= stated.slack;

const compareAmount = (stated: readonly StatedAmount[], { amounts }: RecordedPayment): Compared => {
  if (stated.some((each) => amounts.some((amount) => isAmount(each, amount)))) return 'same';
  // A bank books in its own currency.
  return stated.some((each) => amounts.some(({ currency }) => currency === each.currency)) ? 'different' : 'unknown';
};

const compareDate = (stated: Date, { createdAt }: RecordedPayment): Compared => {
  const later = stated.getTime() - midnightOf(createdAt);
  if (later >= -clocksApart && later <= bookedWithin) return 'same';
  return Math.abs(later) > farOff ? 'different' : 'unknown';
};

const compareOrder = (stated: string, { order }: RecordedPayment): Compared => {
  if (order === null) return 'unknown';
  const [one, other] = [referenceForm(stated), referenceForm(order)];
  if (one === other) return 'same';
  // What looks otherwise is a number of something else: a parcel, an invoice, another shop.
  return shapeOf(one) === shapeOf(other) ? 'different' : 'unknown';
};

const compareCard = (stated: string, { card }: RecordedPayment): Compared =>
  card === null ? 'unknown' : stated === card ? 'same' : 'different';

const compare = (claim: Claim, trait: ClaimedTrait, payment: RecordedPayment): Compared => {
  if (trait === 'amount' && claim.amount !== null) return compareAmount(claim.amount, payment);
  if (trait === 'date' && claim.date !== null) return compareDate(claim.date, payment);
  if (trait === 'order' && claim.order !== null) return compareOrder(claim.order, payment);
  return trait === 'card' && claim.card !== null ? compareCard(claim.card, payment) : 'unknown';
};

/** All of them are attempts at one payment: nothing was paid in parts. */
const isOnePayment = (payments: readonly RecordedPayment[]): boolean => {
  const sums = new Set(payments.map(({ amounts: [amount] }) => `${amount?.minorUnits} ${amount?.currency}`));
  return sums.size === 1;
};

/** The amount is that of several payments together. */
const isTheirSum = ({ amount: stated }: Claim, payments: readonly RecordedPayment[]): boolean =>
  payments.some(({ amounts: [amount] }, index) => {
    if (index === 0) return false;
    const sum = amount && { ...amount, minorUnits: amount.minorUnits * (index + 1) };
    return sum !== undefined && (stated ?? []).some((each) => isAmount(each, sum));
  });

/**
 * Holds what is stated of a payment against all that is known of the customer's; null where that can't tell: there are none, one may be meant of
 * which too little is known, or two were mixed up. `contradicted`: an order, or an amount with its date, names one payment, and something else
 * that is stated is true of none of theirs. `unmatched`: what decides is true of none of them, and there were no others at that time.
 */
export const judgeClaim = (claim: Claim, record: PaymentRecord): JudgedClaim | null => {
  const { payments } = record;
  const traits = traitsOf(claim);
  if (payments.length === 0 || traits.length === 0) return null;
  const compared = (payment: RecordedPayment, trait: ClaimedTrait) => compare(claim, trait, payment);
  const having = (...all: readonly ClaimedTrait[]) =>
    payments.filter((payment) => all.every((trait) => compared(payment, trait) === 'same'));
  const fitting = having(...traits);
  const [first] = fitting;
  if (first) return { outcome: 'matched', paymentId: fitting.length === 1 ? first.id : null };
  const mayFit = (payment: RecordedPayment) => traits.every((trait) => compared(payment, trait) !== 'different');
  if (payments.some(mayFit)) return null;
  return contradiction(claim, payments, { having, compared }) ?? unmatched(claim, record, compared);
};

interface Comparing {
  readonly having: (...traits: readonly ClaimedTrait[]) => readonly RecordedPayment[];
  readonly compared: (payment: RecordedPayment, trait: ClaimedTrait) => Compared;
}

const contradiction = (
  claim: Claim,
  payments: readonly RecordedPayment[],
  { having, compared }: Comparing,
): JudgedClaim | null => {
  const traits = traitsOf(claim);
  const byOrder = claim.order === null ? [] : having('order');
  const byAmount = claim.amount === null || claim.date === null ? [] : having('amount', 'date');
  const isOrder = byOrder.length > 0;
  const named = isOrder ? byOrder : byAmount.length === 1 ? byAmount : [];
  const [latest] = [...named].sort((one, other) => other.createdAt.getTime() - one.createdAt.getTime());
  if (!latest || !isOnePayment(named) || (isOrder && isTheirSum(claim, named))) return null;
  const naming: readonly ClaimedTrait[] = isOrder ? ['order'] : ['amount', 'date'];
  const isContrary = (trait: ClaimedTrait) =>
    !naming.includes(trait) &&
    named.every((payment) => compared(payment, trait) === 'different') &&
    // What is true of another payment of theirs was only mixed up with it.
    payments.every((payment) => compared(payment, trait) !== 'same');
  return traits.some(isContrary) ? { outcome: 'contradicted', paymentId: latest.id } : null;
};

const unmatched = (
  claim: Claim,
  { payments, completeFrom, completeTo, isAboutThatTime }: PaymentRecord,
  compared: Comparing['compared'],
): JudgedClaim | null => {
  const isThen =
    claim.date === null
      ? isAboutThatTime
      : claim.date.getTime() - bookedWithin >= completeFrom.getTime() && claim.date <= completeTo;
  if (!isThen) return null;
  const traits = traitsOf(claim);
  // A day is easily misremembered, beside something that is not.
  const deciding = traits.length === 1 ? traits : traits.filter((trait) => trait !== 'date');
  const fitsNone = deciding.some((trait) => payments.every((payment) => compared(payment, trait) === 'different'));
  return fitsNone ? { outcome: 'unmatched', paymentId: null } : null;
};
