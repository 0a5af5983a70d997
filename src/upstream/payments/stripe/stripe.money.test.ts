import fc from 'fast-check';
import type { DisputeRecord, RefundState, TransactionStatus } from '../payments.port';
import { type AboutCharge, chargeMoney, intentMoney, presentmentOf, refundSchema } from './stripe.money';
import { chargeSchema, intentTransaction, paymentIntentSchema } from './stripe.transactions';

const naming = { orderKey: 'order_id', orderDescriptionKey: 'order_description', deviceKey: null };

const charge = (fields: object = {}) =>
  chargeSchema.parse({
    id: 'ch_1',
    amount: 20_675,
    amount_captured: 20_675,
    amount_refunded: 0,
    captured: true,
    created: 1_764_400_000,
    currency: 'usd',
    customer: 'cus_1',
    disputed: false,
    payment_intent: 'pi_1',
    refunded: false,
    status: 'succeeded',
    ...fields,
  });

const intent = (fields: object = {}) =>
  paymentIntentSchema.parse({
    id: 'pi_1',
    amount: 20_675,
    created: 1_764_400_000,
    currency: 'usd',
    customer: 'cus_1',
    status: 'succeeded',
    ...fields,
  });

const refund = (amount: number, status: string | null, fields: object = {}) =>
  refundSchema.parse({ id: `re_${amount}`, amount, created: 1_764_500_000, status, ...fields });

const dispute = (status: string): DisputeRecord => ({ status, reason: 'fraudulent', openedAt: new Date(0) });
const about = (more: Partial<AboutCharge> = {}): AboutCharge => ({ dispute: null, refunds: null, ...more });
const wasCaptured = { amount_received: 20_675 };
const toCapture = { status: 'requires_capture', amount_received: 0, amount_capturable: 20_675 };

/** status, amount, authorized, captured, refunded, open, and the states of the refunds shown. */
type Expected = readonly [TransactionStatus, number, number, number, number, number, readonly RefundState[]];

test.each<[string, object, object, Partial<AboutCharge>, Expected]>([
  ['authorized', toCapture, { captured: false, amount_captured: 0 }, {}, ['AUTHORIZED', 20_675, 20_675, 0, 0, 20_675, []]],
  ['captured', wasCaptured, {}, {}, ['CAPTURED', 20_675, 20_675, 20_675, 0, 0, []]],
  [
    'captured in part, the rest released and booked as refunded',
    { amount_received: 20_300 },
    { amount_captured: 20_300, amount_refunded: 375 },
    {},
    ['CAPTURED', 20_300, 20_675, 20_300, 0, 0, []],
  ],
  [
    'captured in part, the release listed among the refunds',
    { amount_received: 20_300 },
    { amount_captured: 20_300, amount_refunded: 375 },
    { refunds: [refund(375, 'succeeded')] },
    ['CAPTURED', 20_300, 20_675, 20_300, 0, 0, []],
  ],
  [
    'captured in part, and some of that given back',
    { amount_received: 20_300 },
    { amount_captured: 20_300, amount_refunded: 1_375 },
    { refunds: [refund(1_000, 'succeeded')] },
    ['PARTIALLY_REFUNDED', 20_300, 20_675, 20_300, 1_000, 0, ['SUCCEEDED']],
  ],
  [
    'captured in part, all of that given back, the release listed as well',
    { amount_received: 20_300 },
    { amount_captured: 20_300, amount_refunded: 20_675, refunded: true },
    { refunds: [refund(20_300, 'succeeded', { created: 1_764_600_000 }), refund(375, 'succeeded')] },
    ['REFUNDED', 20_300, 20_675, 20_300, 20_300, 0, ['SUCCEEDED']],
  ],
  [
    'captured in part, where the release isn’t booked',
    { amount_received: 20_300 },
    { amount_captured: 20_300, amount_refunded: 100 },
    { refunds: [refund(100, 'succeeded')] },
    ['PARTIALLY_REFUNDED', 20_300, 20_675, 20_300, 100, 0, ['SUCCEEDED']],
  ],
  [
    'captured in part, where the release isn’t booked, and as much given back',
    { amount_received: 20_300 },
    { amount_captured: 20_300, amount_refunded: 375 },
    { refunds: [refund(375, 'succeeded', { reason: 'requested_by_customer' })] },
    ['PARTIALLY_REFUNDED', 20_300, 20_675, 20_300, 375, 0, ['SUCCEEDED']],
  ],
  [
    'captured in part, and as much given back, the release listed as well',
    { amount_received: 20_300 },
    { amount_captured: 20_300, amount_refunded: 750 },
    { refunds: [refund(375, 'pending', { reason: 'requested_by_customer', created: 1_764_400_000 }), refund(375, 'succeeded')] },
    ['CAPTURED', 20_300, 20_675, 20_300, 0, 0, ['PENDING']],
  ],
  [
    'the first of several captures',
    { status: 'requires_capture', amount_received: 9_000, amount_capturable: 11_675 },
    { captured: false, amount_captured: 9_000 },
    {},
    ['CAPTURED', 9_000, 20_675, 9_000, 0, 11_675, []],
  ],
  [
    'the first of several captures, given back',
    { status: 'requires_capture', amount_received: 9_000, amount_capturable: 11_675 },
    { captured: false, amount_captured: 9_000, amount_refunded: 9_000 },
    { refunds: [refund(9_000, 'succeeded')] },
    ['PARTIALLY_REFUNDED', 9_000, 20_675, 9_000, 9_000, 11_675, ['SUCCEEDED']],
  ],
  [
    'one capture, and the rest cancelled',
    { status: 'canceled', amount_received: 9_000 },
    { captured: false, amount_captured: 9_000, amount_refunded: 11_675 },
    {},
    ['CAPTURED', 9_000, 20_675, 9_000, 0, 0, []],
  ],
  [
    'captured beyond what was authorized',
    { amount_received: 22_000 },
    { amount_captured: 22_000 },
    {},
    ['CAPTURED', 22_000, 20_675, 22_000, 0, 0, []],
  ],
  [
    'captured beyond what was authorized, and that much given back',
    { amount_received: 22_000 },
    { amount_captured: 22_000, amount_refunded: 20_675 },
    { refunds: [refund(20_675, 'succeeded')] },
    ['PARTIALLY_REFUNDED', 22_000, 20_675, 22_000, 20_675, 0, ['SUCCEEDED']],
  ],
  [
    'authorized for less than was asked for',
    toCapture,
    { captured: false, amount_captured: 0, payment_method_details: { type: 'card', card: { amount_authorized: 15_000 } } },
    {},
    ['AUTHORIZED', 15_000, 15_000, 0, 0, 15_000, []],
  ],
  [
    'released whole',
    { status: 'canceled' },
    { captured: false, amount_captured: 0, amount_refunded: 20_675, refunded: true },
    { refunds: [refund(20_675, 'succeeded')] },
    ['CANCELLED', 20_675, 20_675, 0, 0, 0, []],
  ],
  [
    'expired before it was captured',
    { status: 'canceled' },
    { captured: false, amount_captured: 0, amount_refunded: 20_675, refunded: true },
    { refunds: [refund(20_675, 'succeeded', { reason: 'expired_uncaptured_charge' })] },
    ['CANCELLED', 20_675, 20_675, 0, 0, 0, []],
  ],
  [
    'given back whole',
    wasCaptured,
    { amount_refunded: 20_675, refunded: true },
    { refunds: [refund(20_675, 'succeeded')] },
    ['REFUNDED', 20_675, 20_675, 20_675, 20_675, 0, ['SUCCEEDED']],
  ],
  [
    'a refund of all that waits for balance',
    wasCaptured,
    { amount_refunded: 20_675, refunded: true },
    { refunds: [refund(20_675, 'pending', { pending_reason: 'insufficient_funds' })] },
    ['CAPTURED', 20_675, 20_675, 20_675, 0, 0, ['PENDING']],
  ],
  [
    'a refund that waits for the customer',
    wasCaptured,
    { amount_refunded: 5_000 },
    { refunds: [refund(5_000, 'requires_action')] },
    ['CAPTURED', 20_675, 20_675, 20_675, 0, 0, ['REQUIRES_ACTION']],
  ],
  [
    'a refund that failed, and isn’t booked any more',
    wasCaptured,
    {},
    { refunds: [refund(20_675, 'failed')] },
    ['CAPTURED', 20_675, 20_675, 20_675, 0, 0, ['FAILED']],
  ],
  [
    'a refund that failed, and is still booked',
    wasCaptured,
    { amount_refunded: 20_675, refunded: true },
    { refunds: [refund(20_675, 'failed')] },
    ['CAPTURED', 20_675, 20_675, 20_675, 0, 0, ['FAILED']],
  ],
  [
    'a refund that was cancelled',
    wasCaptured,
    { amount_refunded: 0 },
    { refunds: [refund(20_675, 'canceled')] },
    ['CAPTURED', 20_675, 20_675, 20_675, 0, 0, ['CANCELLED']],
  ],
  [
    'a refund in a state of next year',
    wasCaptured,
    { amount_refunded: 20_675, refunded: true },
    { refunds: [refund(20_675, 'unheard_of')] },
    ['CAPTURED', 20_675, 20_675, 20_675, 0, 0, ['PENDING']],
  ],
  [
    'one refund done, one under way',
    wasCaptured,
    { amount_refunded: 20_675, refunded: true },
    { refunds: [refund(675, 'pending', { created: 1_764_700_000 }), refund(20_000, 'succeeded')] },
    ['PARTIALLY_REFUNDED', 20_675, 20_675, 20_675, 20_000, 0, ['PENDING', 'SUCCEEDED']],
  ],
  [
    'given back, by the charge alone: Stripe didn’t say how',
    wasCaptured,
    { amount_refunded: 5_000 },
    {},
    ['PARTIALLY_REFUNDED', 20_675, 20_675, 20_675, 5_000, 0, []],
  ],
  [
    'more given back than the list names',
    wasCaptured,
    { amount_refunded: 5_000 },
    { refunds: [refund(1_000, 'pending')] },
    ['PARTIALLY_REFUNDED', 20_675, 20_675, 20_675, 4_000, 0, ['PENDING']],
  ],
  ['disputed', wasCaptured, { disputed: true }, {}, ['DISPUTED', 20_675, 20_675, 20_675, 0, 0, []]],
  [
    'a dispute that is lost',
    wasCaptured,
    { disputed: true },
    { dispute: dispute('lost') },
    ['DISPUTED', 20_675, 20_675, 20_675, 0, 0, []],
  ],
  [
    'a dispute that is won, after a refund of part',
    wasCaptured,
    { disputed: true, amount_refunded: 675 },
    { dispute: dispute('won'), refunds: [refund(675, 'succeeded')] },
    ['PARTIALLY_REFUNDED', 20_675, 20_675, 20_675, 675, 0, ['SUCCEEDED']],
  ],
])('money that is %s', (_, ofIntent, ofCharge, more, expected) => {
  const { status, amount, authorized, captured, refunded, open, refunds } = intentMoney(
    intent(ofIntent),
    charge(ofCharge),
    about(more),
  );
  expect([status, amount, authorized, captured, refunded, open, refunds.map(({ state }) => state)]).toEqual(expected);
});

test.each<[string, object, Expected]>([
  [
    'nobody knows the charge of',
    { status: 'succeeded', amount_received: 20_300 },
    ['CAPTURED', 20_300, 20_675, 20_300, 0, 0, []],
  ],
  ['is to be captured', toCapture, ['AUTHORIZED', 20_675, 20_675, 0, 0, 20_675, []]],
  ['was cancelled before', { status: 'canceled' }, ['CANCELLED', 20_675, 0, 0, 0, 0, []]],
  ['has no attempt yet', { status: 'requires_payment_method' }, ['PENDING', 20_675, 0, 0, 0, 0, []]],
])('a PaymentIntent without a charge that %s', (_, fields, expected) => {
  const { status, amount, authorized, captured, refunded, open, refunds } = intentMoney(intent(fields), null, about());
  expect([status, amount, authorized, captured, refunded, open, refunds]).toEqual(expected);
});

test('a declined attempt has moved nothing', () => {
  const declined = chargeMoney(charge({ status: 'failed', captured: false, amount_captured: 0 }), about());
  expect(declined).toMatchObject({ status: 'DECLINED', amount: 20_675, authorized: 0, captured: 0, refunded: 0, open: 0 });
});

test.each([
  ['isk', 1 / 100],
  ['ugx', 1 / 100],
  ['mga', 100],
  ['jpy', 1],
])('all parts, refunds and presentment of %s are in minor units of ISO 4217', (currency, factor) => {
  const paid = charge({ currency, amount: 30_000, amount_captured: 20_000, amount_refunded: 15_000 });
  const found = chargeMoney(paid, about({ refunds: [refund(5_000, 'succeeded')] }));
  expect(found).toMatchObject({
    currency: currency.toUpperCase(),
    amount: 20_000 * factor,
    authorized: 30_000 * factor,
    captured: 20_000 * factor,
    refunded: 5_000 * factor,
    open: 0,
  });
  expect(found.refunds.map(({ amount }) => amount)).toEqual([5_000 * factor]);
  const seen = { presentment_amount: 4_900, presentment_currency: currency };
  expect(presentmentOf(null, seen)).toEqual({ amount: 4_900 * factor, currency: currency.toUpperCase() });
});

test('what the customer saw is told by the PaymentIntent, or by its charge', () => {
  const seen = { presentment_amount: 1_900, presentment_currency: 'eur' };
  const of = (ofIntent: object, ofCharge: object) =>
    intentTransaction(intent(ofIntent), charge(ofCharge), about(), naming).presentment;
  expect(of({ presentment_details: seen }, {})).toEqual({ amount: 1_900, currency: 'EUR' });
  expect(of({}, { presentment_details: seen })).toEqual({ amount: 1_900, currency: 'EUR' });
  expect(of({ presentment_details: { presentment_amount: 'many' } }, {})).toBeNull();
  expect(of({}, {})).toBeNull();
});

describe('any course that a payment takes at Stripe', () => {
  const statuses = ['pending', 'requires_action', 'succeeded', 'failed', 'canceled'] as const;
  const counted = new Set<string>(['pending', 'requires_action', 'succeeded']);
  /** What happened, and how Stripe books it. */
  const course = fc
    .record({
      authorized: fc.integer({ min: 1, max: 1_000_000 }),
      /** Of each capture, in thousandths of what was authorized; more than that altogether is an overcapture. */
      captures: fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 4 }),
      isFinal: fc.boolean(),
      refunds: fc.array(fc.record({ share: fc.integer({ min: 1, max: 1_000 }), status: fc.constantFrom(...statuses) }), {
        maxLength: 5,
      }),
      isReleaseListed: fc.boolean(),
      isRefundListWhole: fc.boolean(),
      dispute: fc.constantFrom(null, 'needs_response', 'lost', 'won', 'warning_closed'),
    })
    .map(({ authorized, captures, isFinal, refunds: drawn, isReleaseListed, isRefundListWhole, dispute: about }) => {
      const captured = captures.reduce((sum, each) => sum + Math.max(1, Math.floor((authorized * each) / 1_000)), 0);
      const isClosed = isFinal || captured >= authorized;
      const released = isClosed ? Math.max(0, authorized - captured) : 0;
      let left = captured;
      const refunds = drawn.flatMap(({ share, status }, index) => {
        const amount = Math.min(left, Math.max(1, Math.floor((captured * share) / 1_000)));
        if (amount === 0) return [];
        if (counted.has(status)) left -= amount;
        return [refund(amount, status, { id: `re_${index}`, created: 1_764_500_000 + index })];
      });
      const booked = refunds.filter(({ status }) => counted.has(status ?? '')).reduce((sum, { amount }) => sum + amount, 0);
      const release = refund(Math.max(released, 1), 'succeeded', { id: 're_release', created: 1_764_450_000 });
      return {
        authorized,
        captured,
        released,
        refunds,
        dispute: about,
        isWhole: isRefundListWhole,
        stripe: charge({
          amount: authorized,
          amount_captured: captured,
          captured: isClosed && captured > 0,
          amount_refunded: booked + released,
          refunded: booked + released >= authorized,
          disputed: about !== null,
        }),
        listed: !isRefundListWhole ? null : isReleaseListed && released > 0 ? [...refunds, release] : refunds,
      };
    });

  test('gives parts that add up, and a status that follows from them', () => {
    fc.assert(
      fc.property(course, ({ authorized, captured, released, refunds, dispute: state, isWhole, stripe, listed }) => {
        const found = chargeMoney(stripe, about({ dispute: state === null ? null : dispute(state), refunds: listed }));
        expect([found.authorized, found.captured]).toEqual([authorized, captured]);
        expect(found.open).toBe(Math.max(0, authorized - captured - released));
        expect(found.amount).toBe(captured > 0 ? captured : authorized);
        expect(found.refunded).toBeGreaterThanOrEqual(0);
        expect(found.refunded).toBeLessThanOrEqual(captured);
        if (isWhole) {
          const gone = refunds.filter(({ status }) => status === 'succeeded').reduce((sum, { amount }) => sum + amount, 0);
          expect(found.refunded).toBe(gone);
          // Of equal amounts nobody can tell the release from the refund, and needn't.
          expect(found.refunds.map(({ amount }) => amount).sort()).toEqual(refunds.map(({ amount }) => amount).sort());
        }
        const isDisputed = state === 'needs_response' || state === 'lost';
        expect(found.status === 'DISPUTED').toBe(isDisputed);
        if (isDisputed) return;
        expect(found.status === 'REFUNDED').toBe(captured > 0 && found.refunded === captured && found.open === 0);
        expect(found.status === 'AUTHORIZED').toBe(captured === 0 && found.open > 0);
        expect(found.status === 'CANCELLED').toBe(captured === 0 && found.open === 0);
        expect(found.status === 'CAPTURED').toBe(captured > 0 && found.refunded === 0);
      }),
      { numRuns: 2_000 },
    );
  });

  test('is told alike by the PaymentIntent and by its charge alone', () => {
    fc.assert(
      fc.property(course, ({ captured, stripe, listed }) => {
        const of = about({ refunds: listed });
        const status = stripe.captured ? 'succeeded' : stripe.refunded ? 'canceled' : 'requires_capture';
        const whole = intent({ amount: stripe.amount, amount_received: captured, status });
        expect(intentMoney(whole, { ...stripe, disputed: false }, of)).toEqual(chargeMoney({ ...stripe, disputed: false }, of));
      }),
      { numRuns: 500 },
    );
  });
});
