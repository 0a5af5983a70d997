import type { MoneyParts } from '../../upstream/payments/money';
import type {
  PaymentMethodKind,
  PaymentMethodRecord,
  PaymentMethodStatus,
  RiskBand,
  TransactionRecord,
  TransactionStatus,
} from '../../upstream/payments/payments.port';
import { lastFourOf, type TestCard, testCards } from './cards';
import { type Decline, declines, ordinaryDecline, priceIn, products, retriedDecline } from './catalogue';
import { drawnMoney, drawnPresentment } from './money';
import { castSize, demoCountries, type Person } from './people';
import { keyedBits, Random, weighted } from './random';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** How far back the merchant's tickets and transactions reach from the anchor. Stored methods and accounts are older. */
export const demoHistoryDays = 85;

const kinds = {
  methods: 21,
  transactions: 22,
  device: 23,
  ring: 24,
  account: 25,
  subscription: 26,
  contact: 27,
  money: 28,
} as const;

export const paymentReferenceOf = (customer: number): string => `cus_demo_${String(customer).padStart(6, '0')}`;

/** The customer's number; 0 for a text that is no such reference. */
export const paymentNumberOf = (reference: string): number => {
  const found = /^cus_demo_(\d{6,9})$/.exec(reference);
  const number = found ? Number(found[1]) : 0;
  return paymentReferenceOf(number) === reference ? number : 0;
};

/** The instant at which a card stops working: cards are good to the end of the printed month, here in UTC. */
export const endOfCard = (year: number, month: number): number => Date.UTC(year, month, 1);

/** `EXPIRING` is the last two months of a card's life. */
export const cardStatus = (year: number, month: number, at: Date): PaymentMethodStatus => {
  const end = endOfCard(year, month);
  if (end <= at.getTime()) return 'EXPIRED';
  return end <= Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 2, at.getUTCDate()) ? 'EXPIRING' : 'ACTIVE';
};

/** When the payment provider first saw the customer. */
export const accountCreatedAt = (seed: number, customer: number, anchor: Date): Date =>
  new Date(anchor.getTime() - (demoHistoryDays + 30 + (keyedBits(seed, kinds.account, customer) % 1_400)) * day);

/** What the provider knows of when a contact was last changed. `steady`: not since the account was opened, months or years ago. */
type ContactAge = 'steady' | 'recent' | 'unknown';
const contactAge = weighted<ContactAge>(['steady', 88], ['recent', 6], ['unknown', 6]);
const castContactAge: Readonly<Record<number, ContactAge>> = { 11: 'recent', 12: 'unknown' };

/** When the customer's e-mail and telephone number were last changed, as far as the provider says; a recent change is less than a week before the anchor. */
export const contactChangedAt = (seed: number, customer: number, anchor: Date): Date | null => {
  const random = new Random(seed, kinds.contact, customer);
  const drawn = contactAge(random);
  const age = customer <= castSize ? (castContactAge[customer] ?? 'steady') : drawn;
  if (age === 'unknown') return null;
  return age === 'steady'
    ? accountCreatedAt(seed, customer, anchor)
    : new Date(anchor.getTime() - random.between(1, 6) * day - random.below(day));
};

/** A subscription as the provider holds it: what it charges each month is of no interest here, only with what. */
export interface DemoSubscription {
  readonly reference: string;
  /** Null where it charges whatever is the customer's default. */
  readonly method: string | null;
}

/** One customer in twelve has a subscription, and half of those name their method; the first customer's does. */
export const subscriptionsOf = (
  seed: number,
  customer: number,
  methods: readonly PaymentMethodRecord[],
): readonly DemoSubscription[] => {
  const draw = keyedBits(seed, kinds.subscription, customer);
  if (customer <= castSize ? customer !== 1 : draw % 12 !== 0) return [];
  const standard = methods.find((method) => method.isDefault)?.reference ?? null;
  const namesMethod = customer === 1 || (draw >>> 8) % 2 === 0;
  return [{ reference: `sub_demo_${String(customer).padStart(6, '0')}`, method: namesMethod ? standard : null }];
};

const methodCount = weighted([1, 45], [2, 35], [3, 15], [4, 5]);
const methodKind = weighted<PaymentMethodKind>(['CARD', 74], ['WALLET', 20], ['BANK_DEBIT', 5], ['OTHER', 1]);
const cardLife = weighted<'long' | 'expiring' | 'replaced'>(['long', 83], ['expiring', 9], ['replaced', 8]);

const commonCards = testCards.filter((card) => card.brand === 'visa' || card.brand === 'mastercard');
const usualCard = (random: Random): TestCard => random.pick(random.chance(0.75) ? commonCards : testCards);

/** What the hand-written customers hold, in order; everybody else's wallet is drawn. */
const castMethods: Readonly<
  Record<number, { readonly kinds: readonly PaymentMethodKind[]; readonly life: 'long' | 'expiring' | 'replaced' }>
> = {
  1: { kinds: ['CARD', 'CARD', 'WALLET'], life: 'replaced' },
  2: { kinds: ['CARD', 'CARD'], life: 'expiring' },
  5: { kinds: ['CARD', 'WALLET'], life: 'long' },
  8: { kinds: ['CARD', 'CARD'], life: 'replaced' },
  9: { kinds: ['WALLET', 'CARD'], life: 'long' },
  10: { kinds: ['CARD'], life: 'expiring' },
  12: { kinds: ['CARD', 'CARD'], life: 'long' },
};

/** The stored methods of a customer; exactly one is the default, and it works. */
export const methodsOf = (seed: number, person: Person, anchor: Date): PaymentMethodRecord[] => {
  const random = new Random(seed, kinds.methods, person.number);
  const cast = castMethods[person.number];
  const drawn = methodCount(random);
  const life = cast?.life ?? cardLife(random);
  const count = cast?.kinds.length ?? (life === 'replaced' ? Math.max(2, drawn) : drawn);
  const account = accountCreatedAt(seed, person.number, anchor).getTime();
  const monthNow = anchor.getUTCFullYear() * 12 + anchor.getUTCMonth();
  const held = new Set<string>();
  const methods: PaymentMethodRecord[] = [];
  for (let position = 0; position < count; position += 1) {
    const isReplaced = life === 'replaced' && position === 0;
    const isReplacement = life === 'replaced' && position === 1;
    const kind = cast?.kinds[position] ?? (isReplaced || isReplacement ? 'CARD' : methodKind(random));
    let card = usualCard(random);
    // Nobody could tell two cards of one customer apart that end alike.
    while (held.has(lastFourOf(card))) card = usualCard(random);
    held.add(lastFourOf(card));
    const hasCard = kind === 'CARD' || kind === 'WALLET';
    // Months from the anchor's: a card of this month or the next is expiring, one of an earlier month has expired.
    const months = isReplaced
      ? cast
        ? -2
        : -random.between(1, 2)
      : life === 'expiring' && position === 0
        ? random.between(0, 1)
        : random.between(5, 55);
    const expiry = monthNow + months;
    const expiryYear = Math.floor(expiry / 12);
    const expiryMonth = (expiry % 12) + 1;
    const age = random.fraction();
    const created = isReplacement
      ? Math.min(
          anchor.getTime() - 2 * day,
          endOfCard(expiryYearOf(methods), expiryMonthOf(methods)) - random.between(-4, 9) * day,
        )
      : position === 0
        ? account
        : account + Math.floor(age * 29 * day);
    const isDefault = life === 'replaced' ? position === 1 : position === 0;
    const isRemoved = !cast && !isDefault && !isReplaced && random.chance(0.12);
    const atHome = !random.chance(0.07);
    methods.push({
      reference: `pm_demo_${String(person.number).padStart(6, '0')}_${position + 1}`,
      kind,
      brand: hasCard ? card.brand : null,
      last4: hasCard ? lastFourOf(card) : null,
      expiryMonth: hasCard ? expiryMonth : null,
      expiryYear: hasCard ? expiryYear : null,
      country: hasCard ? person.country : null,
      fingerprint: hasCard ? `fp_demo_${card.brand}_${lastFourOf(card)}` : null,
      status: isRemoved ? 'REMOVED' : hasCard ? cardStatus(expiryYear, expiryMonth, anchor) : 'ACTIVE',
      isDefault,
      billingAddress: atHome ? person.address : null,
      createdAt: new Date(created),
    });
  }
  const saved =
    person.number % 40 === 20 ? methods.find(({ kind, status }) => kind === 'CARD' && status !== 'REMOVED') : undefined;
  // Somebody who saved their card at each of two orders.
  if (saved) {
    const again = new Date(Math.min(saved.createdAt.getTime() + 9 * day, anchor.getTime() - day));
    methods.push({ ...saved, reference: `${saved.reference}_again`, isDefault: false, createdAt: again });
  }
  return methods;
};

const expiryYearOf = (methods: readonly PaymentMethodRecord[]): number => methods[0]?.expiryYear ?? 1970;
const expiryMonthOf = (methods: readonly PaymentMethodRecord[]): number => methods[0]?.expiryMonth ?? 1;

type Scene = 'paid' | 'declined' | 'retried' | 'travelling' | 'authentication' | 'twice';

const scene = weighted<Scene>(
  ['paid', 80],
  ['declined', 5],
  ['retried', 3.6],
  ['travelling', 0.5],
  ['authentication', 2],
  ['twice', 1.5],
);

/** The first orders of hand-written customers, so that their tickets have something to talk about; later ones are drawn. */
const castScenes: Readonly<Record<number, readonly Scene[]>> = {
  1: ['paid', 'paid', 'declined', 'paid', 'twice', 'authentication', 'paid', 'retried', 'paid', 'declined', 'retried'],
  2: ['paid', 'retried', 'declined'],
  3: ['paid', 'twice'],
  5: ['paid', 'declined', 'retried'],
  6: ['paid', 'declined'],
  7: ['paid', 'twice', 'paid'],
  8: ['paid', 'declined', 'retried'],
  9: ['paid', 'authentication', 'declined'],
  10: ['paid', 'declined', 'retried'],
  11: ['paid', 'twice', 'declined'],
  12: ['paid', 'travelling', 'travelling', 'declined'],
};

/** How many transactions the hand-written customers have. */
export const castTransactions: readonly number[] = [20, 12, 6, 5, 14, 8, 9, 15, 10, 11, 8, 18];

/** How many of each hundred customers have how many transactions: 1,600 together, most of them at a few busy customers. */
const countsOfHundred: readonly number[] = [
  ...Array.from({ length: 40 }, () => 5),
  ...Array.from({ length: 20 }, () => 7),
  ...Array.from({ length: 12 }, () => 8),
  ...Array.from({ length: 8 }, () => 13),
  ...Array.from({ length: 12 }, () => 25),
  ...Array.from({ length: 6 }, () => 60),
  ...Array.from({ length: 2 }, () => 200),
];
export const transactionsPerHundred = 1_600;

/** How many transactions a customer has; every hundred customers (1 to 100, 101 to 200, ...) have 1,600 together. */
export const transactionCountOf = (seed: number, customer: number): number => {
  const block = Math.floor((customer - 1) / 100);
  const position = (customer - 1) % 100;
  if (block > 0) {
    // 37 is coprime to 100: a different rotation of the same hundred counts for each block.
    return countsOfHundred[(position * 37 + (keyedBits(seed, kinds.transactions, -block) % 100)) % 100] ?? 0;
  }
  if (position < castTransactions.length) return castTransactions[position] ?? 0;
  const usual = countsOfHundred[position] ?? 0;
  if (usual !== payers.count) return usual;
  // What the hand-written customers have beyond the usual comes off the twelve with 25 each, so that the sum stays.
  const share = Math.floor(castSurplus / payers.size);
  return usual - share - (position - payers.from < castSurplus % payers.size ? 1 : 0);
};

const payers = { count: 25, from: countsOfHundred.indexOf(25), size: countsOfHundred.filter((count) => count === 25).length };
const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
const castSurplus = sum(castTransactions) - sum(countsOfHundred.slice(0, castTransactions.length));

/** The device of a customer's attempt; one in sixteen customers uses a device that a few others use as well. */
const devicesOf = (seed: number, customer: number): { readonly devices: readonly string[]; readonly isShared: boolean } => {
  const ring = keyedBits(seed, kinds.ring, customer);
  const random = new Random(seed, kinds.device, customer);
  const own = Array.from({ length: random.between(1, 3) }, () => `dev_${random.hex(16)}`);
  // Customers of the same thousand meet at one of eight devices: about eight to a device.
  const isShared = customer === castSharedDevice || ring % 16 === 0;
  const shared = new Random(seed, kinds.ring, -1 - Math.floor(customer / 1_000) * 8 - ((ring >>> 8) % 8));
  return { devices: isShared ? [`dev_${shared.hex(16)}`, ...own] : own, isShared };
};
const castSharedDevice = 12;

const bandOf = (score: number | null): RiskBand =>
  score === null ? 'UNKNOWN' : score >= 75 ? 'HIGH' : score >= 65 ? 'ELEVATED' : 'LOW';

const paidStatus = weighted<TransactionStatus>(
  ['CAPTURED', 9_150],
  ['REFUNDED', 320],
  ['PARTIALLY_REFUNDED', 200],
  ['CANCELLED', 130],
  ['DISPUTED', 90],
);
const disputeReason = weighted(
  ['fraudulent', 50],
  ['product_not_received', 22],
  ['duplicate', 10],
  ['product_unacceptable', 10],
  ['subscription_canceled', 8],
);
const disputeStatus = weighted(['needs_response', 35], ['under_review', 30], ['won', 15], ['lost', 20]);

interface Attempt {
  /** Milliseconds after the attempt before. */
  readonly after: number;
  readonly status: TransactionStatus;
  readonly decline?: Decline;
  readonly country?: string;
  readonly score?: number;
  readonly signals?: readonly string[];
}

const declined = (decline: Decline, after = 0): Attempt => ({ after, status: 'DECLINED', decline });

const attemptsOf = (kind: Scene, random: Random): Attempt[] => {
  switch (kind) {
    case 'paid':
      return [{ after: 0, status: paidStatus(random) }];
    case 'declined':
      return [declined(ordinaryDecline(random))];
    case 'retried': {
      const why = retriedDecline(random);
      const burst = Array.from({ length: random.between(1, 5) }, (_, position) =>
        declined(why, position === 0 ? 0 : random.between(20_000, 6 * minute)),
      );
      return random.chance(0.6) ? [...burst, { after: random.between(40_000, 9 * minute), status: 'CAPTURED' }] : burst;
    }
    case 'travelling': {
      const first = random.below(demoCountries.length);
      const burst = Array.from({ length: random.between(3, 5) }, (_, position): Attempt => {
        const score = random.between(70, 99);
        return {
          ...declined(
            random.chance(0.6) ? declines.fraudulent : declines.doNotHonor,
            position === 0 ? 0 : random.between(1, 11) * minute,
          ),
          country: demoCountries[(first + position * 5) % demoCountries.length] as string,
          score,
          signals: ['country_mismatch', 'velocity', ...(score > 85 ? ['proxy_ip'] : [])],
        };
      });
      const last = burst[burst.length - 1] as Attempt;
      if (random.chance(0.3)) {
        const { decline: _decline, ...rest } = last;
        burst[burst.length - 1] = { ...rest, status: random.chance(0.5) ? 'DISPUTED' : 'CAPTURED' };
      }
      return burst;
    }
    case 'authentication':
      return random.chance(0.4)
        ? [{ after: 0, status: 'REQUIRES_ACTION' }]
        : [
            declined(declines.authentication),
            random.chance(0.75)
              ? { after: random.between(1, 8) * minute, status: 'CAPTURED' }
              : { after: random.between(1, 8) * minute, status: 'REQUIRES_ACTION' },
          ];
    case 'twice':
      return [
        { after: 0, status: 'CAPTURED' },
        { after: random.between(15_000, 4 * minute), status: random.chance(0.5) ? 'REFUNDED' : 'CAPTURED' },
      ];
  }
};

/** What a transaction says of which nobody knows more than that it took place. */
export const nothingKnown = {
  orderReference: null,
  orderDescription: null,
  declineCode: null,
  declineAdvice: null,
  presentment: null,
  deviceFingerprint: null,
  riskBand: 'UNKNOWN',
  riskScore: null,
  riskSignals: [],
  dispute: null,
} as const satisfies Omit<
  TransactionRecord,
  'reference' | 'paymentMethodReference' | keyof MoneyParts | 'refunds' | 'currency' | 'status' | 'country' | 'createdAt'
>;

/** All transactions of a customer in the order of time, each with one of `methods`. */
export const transactionsOf = (
  seed: number,
  person: Person,
  methods: readonly PaymentMethodRecord[],
  anchor: Date,
): TransactionRecord[] => {
  const count = transactionCountOf(seed, person.number);
  const random = new Random(seed, kinds.transactions, person.number);
  const courses = new Random(seed, kinds.money, person.number);
  const { devices, isShared } = devicesOf(seed, person.number);
  const scripted = castScenes[person.number] ?? [];
  const ends = methods.map((method) =>
    method.expiryYear === null || method.expiryMonth === null
      ? Number.POSITIVE_INFINITY
      : endOfCard(method.expiryYear, method.expiryMonth),
  );
  const starts = methods.map((method) => method.createdAt.getTime());
  const standard = Math.max(
    0,
    methods.findIndex((method) => method.isDefault),
  );
  // The first of two is then an expired card, and the second its replacement.
  const hasReplaced = standard === 1;
  const paddedNumber = String(person.number).padStart(6, '0');
  const until = anchor.getTime() - 8 * hour;
  let time = anchor.getTime() - demoHistoryDays * day + random.below(day);
  const made: TransactionRecord[] = [];
  for (let order = 0; made.length < count; order += 1) {
    const attempts = attemptsOf(scripted[order] ?? scene(random), random).slice(0, count - made.length);
    const share = (attempts.length * (0.5 + 1.1 * random.fraction())) / (count - made.length + 1);
    time += Math.floor(Math.max(0, until - time) * Math.min(0.9, share));
    const [description, euroCents] = random.pick(products);
    const quantity = random.chance(0.15) ? random.between(2, 4) : 1;
    const amount = priceIn(person.currency, euroCents * quantity);
    const orderReference = `A-${100_000 + person.number * 256 + order}`;
    const device = devices.length === 1 || random.chance(0.8) ? devices[0] : random.pick(devices);
    let at = time;
    // The default where it existed already; now and then another one; a removed method as long as nobody knows when it went.
    let position = random.chance(0.85) ? standard : random.below(methods.length);
    if ((starts[position] as number) > at || (hasReplaced && random.chance(0.12))) position = 0;
    for (let turn = 0; turn < attempts.length; turn += 1) {
      const attempt = attempts[turn] as Attempt;
      at += attempt.after;
      const hasExpired = (ends[position] as number) <= at;
      const status = hasExpired ? 'DECLINED' : attempt.status;
      const decline = hasExpired ? declines.expiredCard : attempt.decline;
      const score =
        attempt.score ?? (random.chance(0.05) ? null : random.chance(0.06) ? random.between(60, 88) : random.below(55));
      const isAbroad = attempt.country === undefined && random.chance(0.03);
      const country = attempt.country ?? (isAbroad ? random.pick(demoCountries) : person.country);
      const signals = [...(attempt.signals ?? [])];
      if (isAbroad && country !== person.country) signals.push('country_mismatch');
      if (decline?.code === 'incorrect_cvc') signals.push('cvc_failed');
      if (decline?.code === 'incorrect_zip') signals.push('postal_code_failed');
      if (isShared && device === devices[0] && score !== null && score >= 60) {
        signals.push('device_velocity');
      }
      const number = made.length + 1;
      // An open authorization or a payment under way is a matter of days.
      const isRecent = anchor.getTime() - at < 3 * day;
      const settled =
        status === 'CAPTURED' && isRecent && random.chance(0.4) ? (number % 3 === 0 ? 'PENDING' : 'AUTHORIZED') : status;
      made.push({
        reference: `ch_demo_${paddedNumber}_${String(number).padStart(3, '0')}`,
        paymentMethodReference: (methods[position] as PaymentMethodRecord).reference,
        orderReference,
        orderDescription: quantity === 1 ? description : `${quantity} × ${description}`,
        ...drawnMoney(courses, { status: settled, amount, createdAt: new Date(at), until }),
        currency: person.currency,
        presentment: drawnPresentment(courses, person.currency, euroCents * quantity),
        declineCode: decline?.code ?? null,
        declineAdvice: decline?.advice ?? null,
        deviceFingerprint: device ?? null,
        country,
        riskBand: bandOf(score),
        riskScore: score,
        riskSignals: signals,
        dispute:
          settled === 'DISPUTED'
            ? {
                status: disputeStatus(random),
                reason: disputeReason(random),
                openedAt: new Date(Math.min(at + random.between(2, 20) * day, until)),
              }
            : null,
        createdAt: new Date(at),
      });
      // After "expired" people take the card that replaced it, where they have it.
      if (hasExpired && position !== standard && (starts[standard] as number) <= at) {
        position = standard;
        if (made.length < count && turn === attempts.length - 1 && random.chance(0.7)) {
          attempts.push({ after: random.between(1, 7) * minute, status: 'CAPTURED' });
        }
      }
    }
    time = at;
  }
  return made;
};
