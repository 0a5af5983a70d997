import fc from 'fast-check';
import type { DisputeRecord, TransactionStatus } from '../payments.port';
import { customerRecord, customerSchema, type StripeCustomer } from './stripe.customers';
import { expiryStatus, paymentMethodRecord, paymentMethodSchema } from './stripe.methods';
import { type AboutCharge, minorUnits } from './stripe.money';
import {
  chargeSchema,
  chargeTransaction,
  disputeRecord,
  disputeSchema,
  intentTransaction,
  paymentIntentSchema,
} from './stripe.transactions';

const now = new Date('2026-06-15T12:00:00Z');

const charge = (fields: object = {}) =>
  chargeSchema.parse({
    id: 'ch_1',
    amount: 500,
    amount_refunded: 0,
    captured: true,
    created: 1_780_000_000,
    currency: 'usd',
    customer: 'cus_1',
    disputed: false,
    refunded: false,
    status: 'succeeded',
    ...fields,
  });

const intent = (fields: object = {}) =>
  paymentIntentSchema.parse({
    id: 'pi_1',
    amount: 500,
    created: 1_780_000_000,
    currency: 'usd',
    customer: 'cus_1',
    status: 'succeeded',
    ...fields,
  });

const customer = (fields: object = {}) =>
  customerSchema.parse({ id: 'cus_1', created: 1_780_000_000, metadata: {}, ...fields }) as StripeCustomer;

const method = (fields: object = {}) =>
  paymentMethodSchema.parse({ id: 'pm_1', type: 'card', created: 1_780_000_000, customer: 'cus_1', ...fields });

const dispute = (status: string): DisputeRecord => ({ status, reason: 'fraudulent', openedAt: now });
const nothing: AboutCharge = { dispute: null, refunds: null };
const naming = { orderKey: 'order_id', orderDescriptionKey: 'order_description', deviceKey: null };

describe('the status of a PaymentIntent', () => {
  const failed = charge({ status: 'failed', captured: false });
  test.each<[string, object, ReturnType<typeof charge> | null, DisputeRecord | null, TransactionStatus]>([
    ['requires_payment_method', {}, null, null, 'PENDING'],
    ['requires_payment_method', { last_payment_error: { code: 'card_declined' } }, null, null, 'DECLINED'],
    ['requires_payment_method', {}, failed, null, 'DECLINED'],
    ['requires_payment_method', { last_payment_error: { type: 'card_error', code: 'card_declined' } }, null, null, 'DECLINED'],
    ['requires_payment_method', { last_payment_error: { type: 'api_error' } }, null, null, 'PENDING'],
    ['requires_payment_method', { last_payment_error: { type: 'api_error', code: 'processing_error' } }, failed, null, 'PENDING'],
    ['requires_payment_method', { last_payment_error: { type: 'idempotency_error' } }, null, null, 'PENDING'],
    [
      'requires_payment_method',
      { last_payment_error: { type: 'invalid_request_error', code: 'parameter_invalid' } },
      null,
      null,
      'PENDING',
    ],
    [
      'requires_payment_method',
      { last_payment_error: { type: 'invalid_request_error', code: 'payment_intent_authentication_failure' } },
      null,
      null,
      'DECLINED',
    ],
    [
      'requires_payment_method',
      { last_payment_error: { type: 'invalid_request_error', code: 'payment_method_provider_decline' } },
      null,
      null,
      'DECLINED',
    ],
    [
      'requires_payment_method',
      { last_payment_error: { type: 'api_error' } },
      charge({ status: 'failed', captured: false, outcome: { type: 'issuer_declined' } }),
      null,
      'DECLINED',
    ],
    ['requires_confirmation', {}, null, null, 'PENDING'],
    ['requires_action', {}, null, null, 'REQUIRES_ACTION'],
    ['requires_action', {}, failed, null, 'REQUIRES_ACTION'],
    ['processing', {}, charge({ status: 'pending' }), null, 'PENDING'],
    ['requires_capture', {}, charge({ captured: false }), null, 'AUTHORIZED'],
    ['canceled', {}, null, null, 'CANCELLED'],
    ['canceled', { last_payment_error: { code: 'card_declined' } }, failed, null, 'CANCELLED'],
    ['succeeded', {}, null, null, 'CAPTURED'],
    ['succeeded', {}, charge(), null, 'CAPTURED'],
    ['succeeded', {}, charge({ amount_refunded: 100 }), null, 'PARTIALLY_REFUNDED'],
    ['succeeded', {}, charge({ amount_refunded: 500, refunded: true }), null, 'REFUNDED'],
    ['succeeded', {}, charge({ disputed: true }), null, 'DISPUTED'],
    ['succeeded', {}, charge({ disputed: true }), dispute('won'), 'CAPTURED'],
    ['a_status_of_next_year', {}, charge(), null, 'PENDING'],
    ['constructor', {}, null, null, 'PENDING'],
  ])('%s %j is what its charge allows', (status, fields, latest, disputed, expected) => {
    const about = { dispute: disputed, refunds: null };
    expect(intentTransaction(intent({ status, ...fields }), latest, about, naming).status).toBe(expected);
  });
});

describe('the status of a charge', () => {
  test.each<[object, DisputeRecord | null, TransactionStatus]>([
    [{ status: 'failed' }, null, 'DECLINED'],
    [{ status: 'pending' }, null, 'PENDING'],
    [{ status: 'succeeded' }, null, 'CAPTURED'],
    [{ status: 'unheard_of' }, null, 'PENDING'],
    [{ captured: false }, null, 'AUTHORIZED'],
    [{ captured: false, refunded: true, amount_refunded: 500 }, null, 'CANCELLED'],
    [{ amount_refunded: 1 }, null, 'PARTIALLY_REFUNDED'],
    [{ refunded: true, amount_refunded: 500 }, null, 'REFUNDED'],
    [{ disputed: true, refunded: true, amount_refunded: 500 }, null, 'DISPUTED'],
    [{ disputed: true, refunded: true, amount_refunded: 500 }, dispute('warning_closed'), 'REFUNDED'],
  ])('%j', (fields, disputed, expected) => {
    expect(chargeTransaction(charge(fields), { dispute: disputed, refunds: null }, naming).status).toBe(expected);
  });

  test.each<[string, TransactionStatus]>([
    ['needs_response', 'DISPUTED'],
    ['under_review', 'DISPUTED'],
    ['lost', 'DISPUTED'],
    ['warning_needs_response', 'DISPUTED'],
    ['warning_under_review', 'DISPUTED'],
    ['appeal_needs_response', 'DISPUTED'],
    ['appeal_under_review', 'DISPUTED'],
    ['won', 'CAPTURED'],
    ['warning_closed', 'CAPTURED'],
    ['prevented', 'CAPTURED'],
  ])('with a dispute that is %s', (status, expected) => {
    const about = { dispute: dispute(status), refunds: null };
    expect(chargeTransaction(charge({ disputed: true }), about, naming).status).toBe(expected);
  });

  test('an open dispute counts before a later one that was won', () => {
    const disputes = [
      disputeSchema.parse({ id: 'dp_2', created: 20, status: 'won', reason: 'duplicate' }),
      disputeSchema.parse({ id: 'dp_1', created: 10, status: 'needs_response', reason: 'fraudulent' }),
    ];
    expect(disputeRecord(disputes)).toEqual({ status: 'needs_response', reason: 'fraudulent', openedAt: new Date(10_000) });
    expect(disputeRecord([])).toBeNull();
  });
});

describe('a decline', () => {
  test('is told by the issuer’s code and advice before Stripe’s general one', () => {
    const failed = charge({
      status: 'failed',
      failure_code: 'card_declined',
      outcome: { reason: 'do_not_honor', network_advice_code: '02' },
    });
    const refused = (last_payment_error: object | null) =>
      intentTransaction(intent({ status: 'requires_payment_method', last_payment_error }), failed, nothing, naming);
    expect(refused({ code: 'card_declined', decline_code: 'insufficient_funds', advice_code: 'try_again_later' })).toMatchObject({
      declineCode: 'insufficient_funds',
      declineAdvice: 'try_again_later',
    });
    expect(refused(null)).toMatchObject({ declineCode: 'do_not_honor', declineAdvice: 'network_advice_02' });
  });

  test.each(['api_error', 'idempotency_error', 'invalid_request_error'])(
    'is none where Stripe failed (%s): no code of it reads as one',
    (type) => {
      const failed = charge({ status: 'failed', captured: false, failure_code: 'processing_error' });
      const error = { type, code: 'processing_error', advice_code: 'try_again_later' };
      const unpaid = intent({ status: 'requires_payment_method', last_payment_error: error });
      expect(intentTransaction(unpaid, failed, nothing, naming)).toMatchObject({
        status: 'PENDING',
        declineCode: null,
        declineAdvice: null,
      });
    },
  );

  test('passes words only, never a sentence', () => {
    const failed = charge({
      status: 'failed',
      failure_code: 'Declined for Jenny Rosen',
      outcome: { reason: 'call +1 555 0100' },
    });
    expect(intentTransaction(intent({ status: 'requires_payment_method' }), failed, nothing, naming).declineCode).toBeNull();
  });
});

describe('money', () => {
  test.each([
    [1_099, 'usd', 1_099, 'USD'],
    [500, 'jpy', 500, 'JPY'],
    [1_230, 'kwd', 1_230, 'KWD'],
    [500, 'isk', 5, 'ISK'],
    [500, 'ugx', 5, 'UGX'],
    [5, 'mga', 500, 'MGA'],
  ])('%d %s of Stripe is %d minor units of %s', (amount, currency, minor, code) => {
    expect(minorUnits(amount, currency)).toEqual({ amount: minor, currency: code });
  });

  test.each([[1.5], [-1], [2 ** 53], ['100'], [null]])('an amount of %p is malformed', (amount) => {
    expect(chargeSchema.safeParse({ ...charge(), created: 1, amount }).success).toBe(false);
  });
});

describe('the expiry of a card', () => {
  test.each([
    [6, 2026, 'EXPIRING'],
    [5, 2026, 'EXPIRED'],
    [7, 2026, 'EXPIRING'],
    [8, 2026, 'ACTIVE'],
    [12, 2025, 'EXPIRED'],
    [1, 2030, 'ACTIVE'],
  ] as const)('%d/%d in June 2026', (month, year, expected) => {
    expect(expiryStatus(month, year, now)).toBe(expected);
  });

  test('is the end of its month, to the millisecond', () => {
    expect(expiryStatus(6, 2026, new Date('2026-06-30T23:59:59.999Z'))).toBe('EXPIRING');
    expect(expiryStatus(6, 2026, new Date('2026-07-01T00:00:00.000Z'))).toBe('EXPIRED');
    expect(expiryStatus(1, 2027, new Date('2026-11-30T23:59:59.999Z'))).toBe('ACTIVE');
    expect(expiryStatus(1, 2027, new Date('2026-12-01T00:00:00.000Z'))).toBe('EXPIRING');
  });
});

describe('a payment method', () => {
  const shown = (fields: object) => {
    const { kind, brand, last4 } = paymentMethodRecord(method(fields), customer(), now);
    return [kind, brand, last4];
  };

  test.each<[object, (string | null)[]]>([
    [{ card: { brand: 'visa', last4: '4242' } }, ['CARD', 'visa', '4242']],
    [{ card: { brand: 'visa', display_brand: 'cartes_bancaires', last4: '0341' } }, ['CARD', 'cartes_bancaires', '0341']],
    [
      { card: { brand: 'visa', last4: '4242', wallet: { type: 'apple_pay', dynamic_last4: '9999' } } },
      ['WALLET', 'visa', '4242'],
    ],
    [
      { type: 'us_bank_account', us_bank_account: { bank_name: 'STRIPE TEST BANK', last4: '6789' } },
      ['BANK_DEBIT', 'STRIPE TEST BANK', '6789'],
    ],
    [{ type: 'sepa_debit', sepa_debit: { bank_code: '37040044', last4: '3000' } }, ['BANK_DEBIT', 'sepa_debit', '3000']],
    [{ type: 'bacs_debit', bacs_debit: { last4: '2345' } }, ['BANK_DEBIT', 'bacs_debit', '2345']],
    [{ type: 'paypal', paypal: { payer_email: 'a@b.example' } }, ['WALLET', 'paypal', null]],
    [{ type: 'link', link: { email: 'a@b.example' } }, ['WALLET', 'link', null]],
    [{ type: 'boleto' }, ['OTHER', 'boleto', null]],
    [{ type: 'paypal', card: { brand: 'visa', last4: '4242' } }, ['WALLET', 'paypal', null]],
  ])('%j', (fields, expected) => {
    expect(shown(fields)).toEqual(expected);
  });

  test.each(['42424', '424', '4242424242424242', '42a2', '４２４２', '4242\n'])('last four of %p are not passed on', (last4) => {
    expect(shown({ card: { brand: 'visa', last4 } })[2]).toBeNull();
  });

  test('is the default by the invoice settings, and by the old default source only without them', () => {
    const isDefault = (of: object) => paymentMethodRecord(method(), customer(of), now).isDefault;
    expect(isDefault({})).toBe(false);
    expect(isDefault({ default_source: 'pm_1' })).toBe(true);
    expect(isDefault({ default_source: 'pm_1', invoice_settings: { default_payment_method: 'pm_2' } })).toBe(false);
    expect(isDefault({ invoice_settings: { default_payment_method: { id: 'pm_1' } } })).toBe(true);
  });
});

describe('an order’s number', () => {
  test.each(['4518273645017', '2611291430550121', 'A-17'])('stays, whatever its digits would pass for: %s', (order) => {
    expect(intentTransaction(intent({ metadata: { order_id: order } }), null, nothing, naming).orderReference).toBe(order);
  });

  test.each(['4242 4242 4242 4242', 'card 4518273645017', '378282246310005'])('is none where it is a card’s: %s', (order) => {
    expect(intentTransaction(intent({ metadata: { order_id: order } }), null, nothing, naming).orderReference).toBeNull();
  });
});

describe('free text', () => {
  test('with a card number in it is dropped from names, orders and addresses', () => {
    expect(
      customerRecord(customer({ name: 'Jenny 4242 4242 4242 4242' }), { metadataKey: 'k', bareReferencesOf: null }).displayName,
    ).toBeNull();
    const bought = intentTransaction(
      intent({ metadata: { order_id: '4242424242424242', order_description: 'A lamp\u202e\n' } }),
      null,
      nothing,
      naming,
    );
    expect([bought.orderReference, bought.orderDescription]).toEqual([null, 'A lamp']);
    const record = paymentMethodRecord(
      method({ billing_details: { address: { line1: '4242 4242 4242 4242', city: 'Bonn' } } }),
      customer(),
      now,
    );
    expect(record.billingAddress).toEqual({
      line1: null,
      line2: null,
      city: 'Bonn',
      state: null,
      postalCode: null,
      country: null,
    });
  });

  test.each([
    ['علی‌رضا محمدی', 'علی‌رضا محمدی'],
    ['ශ්‍රී', 'ශ්‍රී'],
    ['👩‍👩‍👧‍👦 Family', '👩‍👩‍👧‍👦 Family'],
    ['Jo\u00adhanna\u200b \u202eQuill', 'Johanna Quill'],
  ])('a name is cleaned as every source’s: %j', (name, expected) => {
    expect(customerRecord(customer({ name }), { metadataKey: 'k', bareReferencesOf: null }).displayName).toBe(expected);
  });

  test('a telephone number of more digits than E.164 allows is none', () => {
    const { phone } = customerRecord(customer({ phone: '4242 4242 4242 4242' }), { metadataKey: 'k', bareReferencesOf: null });
    expect(phone).toBeNull();
  });
});

describe('the helpdesk customer in the metadata', () => {
  const named = (metadata: unknown, bareReferencesOf: string | null = null) =>
    customerRecord(customer({ metadata }), { metadataKey: 'helpdesk_customer', bareReferencesOf }).helpdeskReference;

  test.each([
    [{ helpdesk_customer: 'rt:42' }, 'rt:42'],
    [{ helpdesk_customer: ' rt:42 ' }, 'rt:42'],
    [{ helpdesk_customer: '42' }, null],
    [{ helpdesk_customer: '' }, null],
    [{ Helpdesk_Customer: 'rt:42' }, null],
    [{ helpdesk_customer: ['rt:42'] }, null],
    [null, null],
    ['rt:42', null],
  ])('%j names %p', (metadata, expected) => {
    expect(named(metadata)).toBe(expected);
  });

  test('a bare reference is of the one helpdesk that the configuration names', () => {
    expect(named({ helpdesk_customer: '42' }, 'rt')).toBe('rt:42');
    expect(named({ helpdesk_customer: 'zendesk:42' }, 'rt')).toBe('zendesk:42');
  });
});

test('a record of any shape either fails to parse or gives only what the schema names', () => {
  fc.assert(
    fc.property(
      fc.object({ key: fc.constantFrom('card', 'metadata', 'outcome', 'cvc', 'number', 'last4', 'status') }),
      (junk) => {
        const parsed = chargeSchema.safeParse({
          ...junk,
          id: 'ch_1',
          amount: 1,
          currency: 'usd',
          created: 1,
          status: 'succeeded',
        });
        expect(parsed.success).toBe(true);
        expect(JSON.stringify({ ...parsed.data, metadata: null })).not.toMatch(/cvc"|number|last4/);
      },
    ),
    { numRuns: 100 },
  );
});
