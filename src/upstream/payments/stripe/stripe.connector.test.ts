import { cardOf, StripeShapedServer } from '../../../../test/support/stripe-shaped-server';
import { SourceUnavailable } from '../../source-unavailable';
import type { PaymentChanges } from '../payments.port';
import { stripeApiVersion } from './stripe.calls';
import { StripePayments, type StripePaymentsOptions } from './stripe.connector';
import { readCursor } from './stripe.events';

const longAgo = new Date('2020-01-01T00:00:00Z');
const apiKey = 'rk_test_shaped';
const webhookSecret = 'whsec_of_the_tests';
const patient = { attemptTimeout: 2_000, retries: 0, breakAfter: 1_000, breakFor: 60_000 };

let stripe: StripeShapedServer;

beforeEach(async () => {
  stripe = await StripeShapedServer.start();
});

afterEach(() => stripe.close());

const connect = (options: Partial<StripePaymentsOptions> = {}) =>
  new StripePayments({
    source: 'shop',
    apiKey,
    webhookSecret,
    url: `http://127.0.0.1:${stripe.port}`,
    resilience: patient,
    clock: () => new Date('2026-06-15T12:00:00Z'),
    ...options,
  });

const unavailableOf = async (work: Promise<unknown>): Promise<SourceUnavailable> => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SourceUnavailable);
  return error as SourceUnavailable;
};

const drain = async (changes: AsyncIterable<PaymentChanges>) => {
  const batches: PaymentChanges[] = [];
  for await (const batch of changes) batches.push(batch);
  return { batches, cursor: batches.at(-1)!.cursor, customers: batches.flatMap(({ customers }) => customers) };
};

const paths = () => stripe.requests.map(({ path }) => path);

describe('candidates for a link', () => {
  const search = { helpdeskReference: 'rt:42', email: 'jenny@example.com' };
  const found = async (of = search, options = {}) =>
    (await connect(options).findCustomers(of)).map(({ reference }) => reference).sort();

  test('are those that metadata names and those with the e-mail address, once each', async () => {
    const named = stripe.createCustomer({ email: 'old@example.com', metadata: { helpdesk_customer: 'rt:42' } });
    const mailed = stripe.createCustomer({ email: 'jenny@example.com' });
    const both = stripe.createCustomer({ email: 'Jenny@Example.com ', metadata: { helpdesk_customer: 'rt:42' } });
    stripe.createCustomer({ email: 'jenny+shop@example.com' });
    stripe.createCustomer({ email: 'other@example.com', metadata: { helpdesk_customer: 'rt:421' } });
    // Stripe's exact match doesn't see the blank at the end, but the metadata names this one.
    expect(await found()).toEqual([named.id, mailed.id, both.id].sort());
  });

  test('give the record and nothing else', async () => {
    stripe.now = 1_700_000_000;
    const { id } = stripe.createCustomer({
      email: 'Jenny@Example.com',
      name: 'Jenny Rosen',
      phone: '+15555550100',
      metadata: { helpdesk_customer: 'rt:42', other: 'x' },
    });
    expect(await connect().findCustomers(search)).toEqual([
      {
        reference: id,
        email: 'Jenny@Example.com',
        displayName: 'Jenny Rosen',
        phone: '+15555550100',
        helpdeskReference: 'rt:42',
        createdAt: new Date(1_700_000_000_000),
      },
    ]);
  });

  test('match metadata exactly although Stripe’s search does not', async () => {
    stripe.createCustomer({ metadata: { helpdesk_customer: 'RT:42' } });
    expect(await found({ ...search, email: null as unknown as string })).toEqual([]);
  });

  test('are found by e-mail at once, before search knows them', async () => {
    stripe.freezeSearch();
    const { id } = stripe.createCustomer({ email: 'jenny@example.com' });
    expect(await found()).toEqual([id]);
  });

  test('are found in another case and Unicode form of the address', async () => {
    const upper = stripe.createCustomer({ email: 'JOS\u00c9@example.com' });
    const decomposed = stripe.createCustomer({ email: 'jose\u0301@example.com' });
    expect(await found({ helpdeskReference: 'rt:1', email: 'jos\u00e9@example.com' })).toEqual([upper.id, decomposed.id].sort());
  });

  test('are found whichever way the domain is written, before search knows them and after', async () => {
    const kept = ['kim@bücher.example', 'Kim@xn--bcher-kva.example', 'kim@bu\u0308cher.example'].map(
      (email) => stripe.createCustomer({ email }).id,
    );
    stripe.createCustomer({ email: 'kim@bucher.example' });
    for (const email of ['kim@BÜCHER.example', 'kim@xn--bcher-kva.example'])
      expect(await found({ helpdeskReference: 'rt:1', email })).toEqual([...kept].sort());
    stripe.freezeSearch();
    const { id } = stripe.createCustomer({ email: 'kim@xn--fa-hia.example' });
    expect(await found({ helpdeskReference: 'rt:1', email: 'kim@faß.example' })).toEqual([id]);
    expect(await found({ helpdeskReference: 'rt:1', email: 'kim@fass.example' })).toEqual([]);
  });

  // U+01F0 has no capital letter of one character.
  test('are found where letter and accent become one character in lower case only', async () => {
    const { id } = stripe.createCustomer({ email: 'J\u030cana@example.com' });
    for (const email of ['\u01f0ana@example.com', 'J\u030cana@example.com', 'j\u030cana@example.com'])
      expect(await found({ helpdeskReference: 'rt:1', email })).toEqual([id]);
  });

  test('are not found by what is no address, though both sides have it', async () => {
    stripe.createCustomer({ email: 'Jenny <jenny@example.com>' });
    expect(await found({ helpdeskReference: 'rt:1', email: 'Jenny <jenny@example.com>' })).toEqual([]);
  });

  test('that search still remembers count as they are now', async () => {
    const unlinked = stripe.createCustomer({ metadata: { helpdesk_customer: 'rt:42' } });
    const deleted = stripe.createCustomer({ metadata: { helpdesk_customer: 'rt:42' } });
    stripe.freezeSearch();
    stripe.updateCustomer(unlinked.id, { metadata: {} });
    stripe.deleteCustomer(deleted.id);
    expect(await found()).toEqual([]);
  });

  test('are never everybody for want of something to look for', async () => {
    stripe.createCustomer({ email: null });
    stripe.createCustomer({ email: '', metadata: { helpdesk_customer: '' } });
    expect(await found({ helpdeskReference: '', email: '' })).toEqual([]);
    expect(await found({ helpdeskReference: '', email: ' ' })).toEqual([]);
    expect(stripe.requests).toEqual([]);
  });

  test.each([
    '" OR email~"victim',
    'x" OR metadata["helpdesk_customer"]:"rt:1',
    "x' OR email~'victim",
    'x\\" OR email~"victim',
    'x\\',
  ])('never include a victim for the reference %p', async (helpdeskReference) => {
    stripe.createCustomer({ email: 'victim@example.com', metadata: { helpdesk_customer: 'rt:1' } });
    expect(await found({ helpdeskReference, email: null as unknown as string })).toEqual([]);
    expect(await found({ helpdeskReference: 'rt:9', email: helpdeskReference })).toEqual([]);
    // The reference stayed inside its quotes: nobody was found, read again and only then discarded.
    expect(paths().filter((path) => path.startsWith('/v1/customers/cus_'))).toEqual([]);
  });

  test('of a bare reference are those of the one helpdesk that the configuration names', async () => {
    const { id } = stripe.createCustomer({ metadata: { crm: '42' } });
    const options = { metadataKey: 'crm' };
    expect(await found(search, options)).toEqual([]);
    expect(await found(search, { ...options, bareReferencesOf: 'rt' })).toEqual([id]);
    expect(await found({ ...search, helpdeskReference: 'zendesk:42' }, { ...options, bareReferencesOf: 'rt' })).toEqual([]);
  });

  test('never include what an answer holds beside what was asked for', async () => {
    const stranger = stripe.createCustomer({ email: 'stranger@example.com', metadata: { helpdesk_customer: 'rt:7' } });
    const body = { object: 'list', has_more: false, data: [stranger] };
    stripe.failNext(3, { kind: 'status', status: 200, body }, /^\/v1\/customers(\/search)?$/);
    expect(await found()).toEqual([]);
  });

  test('are bounded in pages, and many are many', async () => {
    for (let count = 0; count < 350; count += 1) stripe.createCustomer({ email: 'jenny@example.com' });
    expect((await found()).length).toBe(300);
    expect(stripe.requests.length).toBeLessThanOrEqual(8);
  });

  test('are not told at all where search is refused: the one that metadata names could be missed', async () => {
    stripe.createCustomer({ email: 'jenny@example.com' });
    stripe.denied = [/search/];
    expect((await unavailableOf(connect().findCustomers(search))).why).toBe('unauthorized');
  });
});

describe('a customer', () => {
  test('that Stripe does not have, or has deleted, is null', async () => {
    const { id } = stripe.createCustomer();
    stripe.deleteCustomer(id);
    expect(await connect().fetchCustomer(id, longAgo)).toBeNull();
    expect(await connect().fetchCustomer('cus_unknown', longAgo)).toBeNull();
  });

  test.each(['', '..', '../charges', 'cus_1/sources', 'cus_1?expand[]=x', 'search\n', 'é'])(
    '%p is no reference and is not asked for',
    async (reference) => {
      expect(await connect().fetchCustomer(reference, longAgo)).toBeNull();
      expect(stripe.requests).toEqual([]);
    },
  );

  test('that is deleted between two requests is null', async () => {
    const { id } = stripe.createCustomer();
    const gone = { error: { type: 'invalid_request_error', code: 'resource_missing', message: 'No such customer' } };
    stripe.failNext(1, { kind: 'status', status: 404, body: gone }, /payment_methods/);
    expect(await connect().fetchCustomer(id, longAgo)).toBeNull();
  });

  test('has the country of a method from the newest payment with it, where the method doesn’t tell', async () => {
    const { id } = stripe.createCustomer();
    const paypal = stripe.attachPaymentMethod(id, { type: 'paypal', paypal: { payer_email: 'a@b.example' } });
    const card = stripe.attachPaymentMethod(id, { card: cardOf({ country: 'FR' }) });
    const pay = (method: string, details: object) => {
      stripe.now += 10;
      stripe.createCharge({ customer: id, payment_method: method, payment_method_details: details });
    };
    pay(paypal.id, { type: 'paypal', paypal: { country: 'BE' } });
    pay(paypal.id, { type: 'paypal', paypal: { country: 'NL' } });
    pay(card.id, { type: 'card', card: cardOf({ country: 'US' }) });
    const snapshot = await connect().fetchCustomer(id, longAgo);
    const countries = Object.fromEntries(snapshot!.methods.map(({ brand, country }) => [brand, country]));
    expect(countries).toEqual({ paypal: 'NL', visa: 'FR' });
    expect((await connect().credentials.readMethod(id, paypal.id))?.method).toMatchObject({ brand: 'paypal', last4: null });
  });

  test('comes with methods and transactions, newest first', async () => {
    stripe.now = 1_780_000_000;
    const { id } = stripe.createCustomer({ email: 'jenny@example.com', name: 'Jenny Rosen' });
    const address = {
      city: 'San Francisco',
      country: 'US',
      line1: '1234 Fake Street',
      line2: null,
      postal_code: '94102',
      state: 'CA',
    };
    const card = stripe.attachPaymentMethod(id, { billing_details: { address, email: null, name: null, phone: null } });
    stripe.now += 10;
    const wallet = stripe.attachPaymentMethod(id, {
      type: 'card',
      card: cardOf({
        brand: 'mastercard',
        display_brand: 'mastercard',
        last4: '4444',
        exp_month: 7,
        exp_year: 2026,
        wallet: { type: 'apple_pay' },
      }),
    });
    stripe.updateCustomer(id, { invoice_settings: { default_payment_method: card.id } });
    stripe.now += 10;
    const intent = stripe.createPaymentIntent({
      customer: id,
      payment_method: card.id,
      metadata: { order_id: 'A-17', order_description: 'A lamp' },
    });
    const charge = stripe.createCharge({ customer: id, payment_intent: intent.id, payment_method: card.id });
    stripe.updatePaymentIntent(intent.id, 'payment_intent.succeeded', { status: 'succeeded', latest_charge: charge.id });
    stripe.now += 10;
    const declined = stripe.createCharge({
      customer: id,
      payment_method: wallet.id,
      status: 'failed',
      currency: 'jpy',
      amount: 700,
      failure_code: 'card_declined',
      outcome: {
        type: 'issuer_declined',
        reason: 'insufficient_funds',
        advice_code: 'try_again_later',
        risk_level: 'elevated',
        risk_score: 66,
      },
      payment_method_details: { type: 'card', card: cardOf({ country: 'DE', checks: { cvc_check: 'fail' } }) },
    });

    const snapshot = await connect().fetchCustomer(id, longAgo);

    expect(snapshot).toEqual({
      asOf: new Date('2026-06-15T12:00:00Z'),
      customer: {
        reference: id,
        email: 'jenny@example.com',
        displayName: 'Jenny Rosen',
        phone: null,
        helpdeskReference: null,
        createdAt: new Date(1_780_000_000_000),
      },
      methods: [
        {
          reference: wallet.id,
          kind: 'WALLET',
          brand: 'mastercard',
          last4: '4444',
          expiryMonth: 7,
          expiryYear: 2026,
          country: 'US',
          fingerprint: expect.any(String),
          status: 'EXPIRING',
          isDefault: false,
          billingAddress: null,
          createdAt: new Date(1_780_000_010_000),
        },
        {
          reference: card.id,
          kind: 'CARD',
          brand: 'visa',
          last4: '4242',
          expiryMonth: 8,
          expiryYear: 2030,
          country: 'US',
          fingerprint: expect.any(String),
          status: 'ACTIVE',
          isDefault: true,
          billingAddress: {
            line1: '1234 Fake Street',
            line2: null,
            city: 'San Francisco',
            state: 'CA',
            postalCode: '94102',
            country: 'US',
          },
          createdAt: new Date(1_780_000_000_000),
        },
      ],
      transactions: [
        {
          reference: declined.id,
          paymentMethodReference: wallet.id,
          orderReference: null,
          orderDescription: null,
          deviceFingerprint: null,
          amount: 700,
          authorized: 0,
          captured: 0,
          refunded: 0,
          open: 0,
          currency: 'JPY',
          presentment: null,
          refunds: [],
          status: 'DECLINED',
          declineCode: 'insufficient_funds',
          declineAdvice: 'try_again_later',
          country: null,
          riskBand: 'ELEVATED',
          riskScore: 66,
          riskSignals: ['cvc_check_failed'],
          dispute: null,
          createdAt: new Date(1_780_000_030_000),
        },
        {
          reference: intent.id,
          paymentMethodReference: card.id,
          orderReference: 'A-17',
          orderDescription: 'A lamp',
          deviceFingerprint: null,
          amount: 2_000,
          authorized: 2_000,
          captured: 2_000,
          refunded: 0,
          open: 0,
          currency: 'USD',
          presentment: null,
          refunds: [],
          status: 'CAPTURED',
          declineCode: null,
          declineAdvice: null,
          country: null,
          riskBand: 'LOW',
          riskScore: 12,
          riskSignals: [],
          dispute: null,
          createdAt: new Date(1_780_000_020_000),
        },
      ],
    });
  });

  describe('of which money was given back', () => {
    const paid = (customer: string, fields: object = {}) => {
      const intent = stripe.createPaymentIntent({ customer, amount: 5_000 });
      const charge = stripe.createCharge({ customer, payment_intent: intent.id, amount: 5_000, ...fields });
      const done = { status: 'succeeded', amount_received: charge.amount_captured, latest_charge: charge.id };
      stripe.updatePaymentIntent(intent.id, 'payment_intent.succeeded', done);
      return charge.id;
    };
    const shown = async (customer: string) =>
      (await connect().fetchCustomer(customer, longAgo))!.transactions.map(({ status, refunded, refunds }) => ({
        status,
        refunded,
        refunds: refunds.map(({ amount, state, reason }) => [amount, state, reason]),
      }));

    test('has refunds in their states, and costs not one request more', async () => {
      const { id } = stripe.createCustomer();
      stripe.createRefund(paid(id), { status: 'pending', pending_reason: 'insufficient_funds' });
      const failed = stripe.createRefund(paid(id), { amount: 2_000, reason: 'requested_by_customer' });
      stripe.updateRefund(failed.id, 'refund.failed', { status: 'failed', failure_reason: 'lost_or_stolen_card' });
      const partly = paid(id);
      stripe.now += 60;
      stripe.createRefund(partly, { amount: 1_000, reason: 'duplicate' });
      stripe.now += 60;
      stripe.createRefund(partly, { amount: 4_000, status: 'requires_action' });
      stripe.createRefund(paid(id));
      const found = await shown(id);
      expect(found).toHaveLength(4);
      expect(found).toEqual(
        expect.arrayContaining([
          { status: 'CAPTURED', refunded: 0, refunds: [[5_000, 'PENDING', null]] },
          { status: 'CAPTURED', refunded: 0, refunds: [[2_000, 'FAILED', 'requested_by_customer']] },
          {
            status: 'PARTIALLY_REFUNDED',
            refunded: 1_000,
            refunds: [
              [4_000, 'REQUIRES_ACTION', null],
              [1_000, 'SUCCEEDED', 'duplicate'],
            ],
          },
          { status: 'REFUNDED', refunded: 5_000, refunds: [[5_000, 'SUCCEEDED', null]] },
        ]),
      );
      expect(paths()).toEqual([
        `/v1/customers/${id}`,
        ...[`/v1/customers/${id}/payment_methods`, '/v1/payment_intents', '/v1/charges'],
      ]);
    });

    test('is asked about where the list that came with it is cut, and where none came', async () => {
      const { id } = stripe.createCustomer();
      const many = paid(id);
      for (let count = 0; count < 12; count += 1) stripe.createRefund(many, { amount: 100, status: 'pending' });
      expect(await shown(id)).toMatchObject([
        { status: 'CAPTURED', refunded: 0, refunds: Array(12).fill([100, 'PENDING', null]) },
      ]);
      expect(stripe.requests.filter(({ path }) => path === '/v1/refunds').map(({ query }) => query.charge)).toEqual([[many]]);
      // An account of an older behaviour: the charge says nothing but the sum.
      stripe.neverExpands = ['refunds'];
      expect((await shown(id))[0]?.refunds).toHaveLength(12);
      const untouched = stripe.createCustomer().id;
      paid(untouched);
      stripe.requests.length = 0;
      expect(await shown(untouched)).toEqual([{ status: 'CAPTURED', refunded: 0, refunds: [] }]);
      expect(paths()).not.toContain('/v1/refunds');
    });

    test('is as the charge says to a key that may not read refunds', async () => {
      const { id } = stripe.createCustomer();
      stripe.createRefund(paid(id), { amount: 1_000 });
      stripe.neverExpands = ['refunds'];
      stripe.denied = [/^\/v1\/refunds/];
      expect(await shown(id)).toEqual([{ status: 'PARTIALLY_REFUNDED', refunded: 1_000, refunds: [] }]);
    });

    test('but was only released is no refund, however Stripe lists it', async () => {
      const { id } = stripe.createCustomer();
      const held = paid(id, { amount_captured: 4_000 });
      stripe.createRefund(held, { amount: 1_000 });
      const [found] = (await connect().fetchCustomer(id, longAgo))!.transactions;
      expect(found).toMatchObject({
        status: 'CAPTURED',
        amount: 4_000,
        authorized: 5_000,
        captured: 4_000,
        refunded: 0,
        refunds: [],
      });
    });
  });

  test('shows each failed attempt of a payment, and the payment once', async () => {
    const { id } = stripe.createCustomer();
    const intent = stripe.createPaymentIntent({ customer: id });
    const attempt = (status: string) => stripe.createCharge({ customer: id, payment_intent: intent.id, status }).id;
    const first = attempt('failed');
    const second = attempt('failed');
    const last = attempt('succeeded');
    stripe.updatePaymentIntent(intent.id, 'payment_intent.succeeded', { status: 'succeeded', latest_charge: last });
    const { transactions } = (await connect().fetchCustomer(id, longAgo))!;
    const shown = transactions.map(({ reference, status }) => [reference, status]).sort();
    expect(shown).toEqual(
      [
        [first, 'DECLINED'],
        [second, 'DECLINED'],
        [intent.id, 'CAPTURED'],
      ].sort(),
    );
  });

  test('never shows a successful charge beside the payment that it belongs to', async () => {
    const { id } = stripe.createCustomer();
    const intent = stripe.createPaymentIntent({ customer: id, status: 'processing' });
    // The charge is there already, the intent doesn't name it yet.
    stripe.createCharge({ customer: id, payment_intent: intent.id });
    const { transactions } = (await connect().fetchCustomer(id, longAgo))!;
    expect(transactions.map(({ reference }) => reference)).toEqual([intent.id]);
  });

  test('comes with the dispute of a disputed payment', async () => {
    stripe.now = 1_780_000_000;
    const { id } = stripe.createCustomer();
    const charge = stripe.createCharge({ customer: id });
    stripe.now += 86_400;
    const dispute = stripe.openDispute(charge.id, { reason: 'product_not_received', status: 'under_review' });
    const details = { reason: 'product_not_received', openedAt: new Date(1_780_086_400_000) };
    const shown = async () => (await connect().fetchCustomer(id, longAgo))!.transactions[0];
    expect(await shown()).toMatchObject({ status: 'DISPUTED', dispute: { ...details, status: 'under_review' } });
    stripe.updateDispute(dispute.id, { status: 'won' });
    expect(await shown()).toMatchObject({ status: 'CAPTURED', dispute: { ...details, status: 'won' } });
  });

  test('loses only a dispute’s details where the key may not read disputes', async () => {
    const { id } = stripe.createCustomer();
    stripe.openDispute(stripe.createCharge({ customer: id }).id);
    stripe.openDispute(stripe.createCharge({ customer: id }).id);
    stripe.denied = [/disputes/];
    const { transactions } = (await connect().fetchCustomer(id, longAgo))!;
    expect(transactions.map(({ status, dispute }) => [status, dispute])).toEqual([
      ['DISPUTED', null],
      ['DISPUTED', null],
    ]);
    expect(paths().filter((path) => path === '/v1/disputes')).toHaveLength(1);
  });

  test('has the date until which a dispute can be answered, as long as it waits for the merchant', async () => {
    const { id } = stripe.createCustomer();
    const due = 1_781_000_000;
    const evidence = (due_by: number | null) => ({ due_by, has_evidence: false, past_due: false, submission_count: 0 });
    const dispute = stripe.openDispute(stripe.createCharge({ customer: id }).id, { evidence_details: evidence(due) });
    const respondBy = async () => (await connect().fetchCustomer(id, longAgo))!.transactions[0]?.dispute?.respondBy;
    expect(await respondBy()).toEqual(new Date(due * 1_000));
    for (const [status, given] of [
      ['under_review', due],
      ['needs_response', 0],
      ['needs_response', null],
    ] as const) {
      stripe.updateDispute(dispute.id, { status, evidence_details: evidence(given) });
      expect(await respondBy()).toBeUndefined();
    }
    stripe.updateDispute(dispute.id, { status: 'warning_needs_response', evidence_details: evidence(due) });
    expect(await respondBy()).toEqual(new Date(due * 1_000));
  });

  test('is under review until the review is closed, though the charge goes on naming it', async () => {
    stripe.now = 1_780_000_000;
    const { id } = stripe.createCustomer();
    const charge = stripe.createCharge({ customer: id });
    stripe.now += 60;
    const review = stripe.openReview(charge.id);
    const shown = async () => (await connect().fetchCustomer(id, longAgo))!.transactions[0];
    expect(await shown()).toMatchObject({ riskSignals: ['under_review'], reviewedSince: new Date(1_780_000_060_000) });
    stripe.denied = [/reviews/];
    expect(await shown()).toMatchObject({ riskSignals: ['under_review'] });
    expect(await shown()).not.toHaveProperty('reviewedSince');
    stripe.denied = [];
    stripe.closeReview(review.id, 'approved');
    expect(await shown()).toMatchObject({ riskSignals: [] });
    expect(await shown()).not.toHaveProperty('reviewedSince');
    expect(stripe.get(charge.id).review).toBe(review.id);
    stripe.failNext(1, { kind: 'status', status: 500 }, /reviews/);
    expect((await unavailableOf(connect().fetchCustomer(id, longAgo))).why).toBe('fault');
  });

  test('is not told in part where disputes fail for another reason', async () => {
    const { id } = stripe.createCustomer();
    stripe.openDispute(stripe.createCharge({ customer: id }).id);
    stripe.failNext(1, { kind: 'status', status: 500 }, /disputes/);
    expect((await unavailableOf(connect().fetchCustomer(id, longAgo))).why).toBe('fault');
  });

  test.each(['customers/cus', 'payment_methods', 'payment_intents', 'charges'])(
    'is refused as unauthorized where the key may not read %s',
    async (part) => {
      const { id } = stripe.createCustomer();
      stripe.denied = [new RegExp(part)];
      expect(await unavailableOf(connect().fetchCustomer(id, longAgo))).toMatchObject({ why: 'unauthorized', status: 403 });
    },
  );

  test('has the transactions since the time asked for, whole seconds', async () => {
    const { id } = stripe.createCustomer();
    stripe.now = 999;
    stripe.createCharge({ customer: id });
    stripe.createPaymentIntent({ customer: id });
    stripe.now = 1_000;
    const kept = [stripe.createCharge({ customer: id }).id, stripe.createPaymentIntent({ customer: id }).id];
    const { transactions } = (await connect().fetchCustomer(id, new Date(1_000_400)))!;
    expect(transactions.map(({ reference }) => reference).sort()).toEqual(kept.sort());
  });

  test('has the newest five hundred transactions, in pages that end', async () => {
    const { id } = stripe.createCustomer();
    for (let count = 0; count < 620; count += 1) {
      stripe.now += 1;
      stripe.createCharge({ customer: id });
      if (count % 10 === 0) stripe.createPaymentIntent({ customer: id });
    }
    const { transactions } = (await connect().fetchCustomer(id, longAgo))!;
    expect(transactions).toHaveLength(500);
    expect(new Set(transactions.map(({ reference }) => reference)).size).toBe(500);
    expect(transactions[0]!.createdAt).toEqual(new Date(stripe.now * 1_000));
    expect(paths().filter((path) => path === '/v1/charges')).toHaveLength(5);
  });

  test('whose list holds another customer’s payment is malformed, not merged', async () => {
    const { id } = stripe.createCustomer();
    const stranger = { ...stripe.createCharge({ customer: 'cus_other' }) };
    stripe.failNext(1, { kind: 'status', status: 200, body: { object: 'list', has_more: false, data: [stranger] } }, /charges/);
    expect((await unavailableOf(connect().fetchCustomer(id, longAgo))).why).toBe('malformed');
  });

  test('keeps a device only where the merchant’s metadata names one', async () => {
    const { id } = stripe.createCustomer();
    stripe.createCharge({ customer: id, metadata: { fp: 'device-1' } });
    const device = async (options = {}) =>
      (await connect(options).fetchCustomer(id, longAgo))!.transactions[0]!.deviceFingerprint;
    expect([await device(), await device({ deviceKey: 'fp' })]).toEqual([null, 'device-1']);
  });
});

test('nothing but the projection passes, whatever else stands in every object', async () => {
  stripe.adornment = {
    client_secret: 'canary-secret',
    number: '4242424242424242',
    cvc: 'canary-cvc',
    email: 'canary@example.com',
    receipt_url: 'https://canary.example/receipt',
    fingerprint: 'canary-fingerprint',
    description: 'canary description',
    seller_message: 'canary message',
    town: 'canary-town',
    a_field_of_next_year: { deep: ['canary-deep'] },
  };
  const metadata = { note: 'canary-metadata', order_id: 'A-17' };
  const { id } = stripe.createCustomer({
    email: 'jenny@example.com',
    metadata,
    description: 'canary',
    shipping: { name: 'canary' },
  });
  const billing = { address: { line1: '1 Street', city: null }, email: 'canary@example.com', name: 'canary', phone: 'canary' };
  const card = stripe.attachPaymentMethod(id, { metadata, billing_details: billing });
  stripe.attachPaymentMethod(id, {
    type: 'us_bank_account',
    us_bank_account: { last4: '6789', routing_number: 'canary', account: 'canary' },
  });
  const intent = stripe.createPaymentIntent({ customer: id, metadata, payment_method: card.id, description: 'canary' });
  const charge = stripe.createCharge({
    customer: id,
    metadata,
    payment_intent: intent.id,
    billing_details: billing,
    receipt_email: 'canary@example.com',
  });
  stripe.updatePaymentIntent(intent.id, 'payment_intent.succeeded', { status: 'succeeded', latest_charge: charge.id });
  const declined = stripe.createPaymentIntent({
    customer: id,
    last_payment_error: { code: 'card_declined', message: 'canary', payment_method: { id: 'pm_1', card: { number: 'canary' } } },
  });
  stripe.openDispute(stripe.createCharge({ customer: id }).id, { evidence: { customer_name: 'canary' }, metadata });

  const connector = connect();
  const before = (await drain(connector.changes(null))).cursor;
  stripe.updateCustomer(id, { name: 'Jenny' });
  const outcome = {
    found: await connector.findCustomers({ helpdeskReference: 'rt:42', email: 'jenny@example.com' }),
    fetched: await connector.fetchCustomer(id, longAgo),
    changes: await drain(connector.changes(before)),
    hint: connector.judgeWebhook({
      ...stripe.signWebhook({ ...stripe.adornment, ...stripe.events[0] }, webhookSecret, stripe.now),
      now: new Date(stripe.now * 1_000),
    }),
  };

  expect(outcome.fetched!.transactions.map(({ reference }) => reference)).toContain(declined.id);
  expect(outcome.found).toHaveLength(1);
  expect(outcome.hint.outcome).toBe('hint');
  const passed = JSON.stringify(outcome);
  expect(passed).not.toMatch(/canary/i);
  expect(passed).not.toContain('4242424242424242');
  // The canaries were there to pass.
  expect(JSON.stringify(stripe.get(charge.id))).toContain('canary');
});

describe('changes', () => {
  test('begin at now', async () => {
    stripe.createCustomer();
    const first = await drain(connect().changes(null));
    expect(first.batches).toMatchObject([{ customers: [], complete: true, asOf: new Date('2026-06-15T12:00:00Z') }]);
    expect((await drain(connect().changes(first.cursor))).customers).toEqual([]);
  });

  test('begin on an account without events, too', async () => {
    const { cursor } = await drain(connect().changes(null));
    const { id } = stripe.createCustomer();
    expect((await drain(connect().changes(cursor))).customers).toEqual([id]);
  });

  test('name the customers that something happened to, each once a batch, and then no more', async () => {
    const [one, two, three] = [stripe.createCustomer().id, stripe.createCustomer().id, stripe.createCustomer().id];
    const charge = stripe.createCharge({ customer: three });
    const method = stripe.attachPaymentMethod(two);
    stripe.now += 60;
    const { cursor } = await drain(connect().changes(null));
    stripe.now += 60;
    stripe.updateCustomer(one, { name: 'Jenny' });
    stripe.detachPaymentMethod(method.id);
    stripe.openDispute(charge.id);
    stripe.recordEvent('invoice.paid', { id: 'in_1', customer: 'cus_of_the_invoice' });
    stripe.recordEvent('charge.dispute.created', { id: 'dp_9', charge: 'ch_that_is_gone' });
    stripe.updateCustomer(one, { name: 'Jenny Rosen' });
    const second = await drain(connect().changes(cursor));
    expect([...second.customers].sort()).toEqual([one, two, three].sort());
    expect((await drain(connect().changes(second.cursor))).customers).toEqual([]);
  });

  test('name the payment that the card network warns of, since when, and a review’s that has no charge yet', async () => {
    stripe.now = 1_780_000_000;
    const { id } = stripe.createCustomer();
    const intent = stripe.createPaymentIntent({ customer: id, status: 'requires_capture' });
    const charge = stripe.createCharge({ customer: id, payment_intent: intent.id });
    stripe.now += 60;
    const named = async (cursor: string) => {
      const found: unknown[] = [];
      for await (const { transactions = [] } of connect().changes(cursor)) found.push(...transactions);
      return found;
    };
    const { cursor } = await drain(connect().changes(null));
    stripe.now += 60;
    stripe.warnOfFraud(charge.id);
    const warnedAt = new Date(1_780_000_120_000);
    expect(await named(cursor)).toEqual([
      { customer: id, reference: charge.id, warnedAt },
      { customer: id, reference: intent.id, warnedAt },
    ]);
    // Whoever may not read warnings still hears that something happened to the payment.
    stripe.denied = [/early_fraud_warnings/];
    expect(await named(cursor)).toEqual([
      { customer: id, reference: charge.id },
      { customer: id, reference: intent.id },
    ]);
    stripe.denied = [];
    const { cursor: later } = await drain(connect().changes(cursor));
    stripe.now += 60;
    stripe.openReview(charge.id, { charge: null });
    expect(await named(later)).toEqual([{ customer: id, reference: intent.id }]);
    // An event that nobody signed and a warning that isn't there are believed in nothing.
    stripe.recordEvent('radar.early_fraud_warning.created', { id: 'issfr_none', charge: 'ch_none', customer: 'cus_else' });
    expect(await named((await drain(connect().changes(later))).cursor)).toEqual([]);
  });

  test('name a deleted customer', async () => {
    const { id } = stripe.createCustomer();
    const { cursor } = await drain(connect().changes(null));
    stripe.now += 30;
    stripe.deleteCustomer(id);
    const { customers } = await drain(connect().changes(cursor));
    expect(customers).toEqual([id]);
    expect(await connect().fetchCustomer(id, longAgo)).toBeNull();
  });

  test('of the same second and of a late second are not lost', async () => {
    const [seen, sameSecond, late] = [stripe.createCustomer().id, stripe.createCustomer().id, stripe.createCustomer().id];
    stripe.now += 100;
    stripe.updateCustomer(seen, { name: 'a' });
    const { cursor } = await drain(connect().changes(null));
    stripe.updateCustomer(sameSecond, { name: 'b' });
    stripe.now -= 5;
    stripe.updateCustomer(late, { name: 'c' });
    expect([...(await drain(connect().changes(cursor))).customers].sort()).toEqual([sameSecond, late].sort());
  });

  test('of one second are reported once to whoever took them, however many they are', async () => {
    const connector = connect();
    const { cursor } = await drain(connector.changes(null));
    const ids = Array.from({ length: 130 }, () => stripe.createCustomer().id).sort();
    const first = await drain(connector.changes(cursor));
    expect([...first.customers].sort()).toEqual(ids);
    const second = await drain(connector.inBackground().changes(first.cursor));
    expect(second.customers).toEqual([]);
    const late = stripe.createCustomer().id;
    expect((await drain(connector.changes(second.cursor))).customers).toEqual([late]);
    // Another process knows what the cursor has room for.
    expect((await drain(connect().changes(first.cursor))).customers.length).toBeGreaterThan(100);
  });

  test('of one second are reported again to whoever failed at the last of them', async () => {
    const connector = connect();
    const { cursor } = await drain(connector.changes(null));
    const ids = Array.from({ length: 130 }, () => stripe.createCustomer().id).sort();
    for await (const { complete } of connector.changes(cursor)) if (complete) break;
    expect([...(await drain(connector.changes(cursor))).customers].sort()).toEqual(ids);
  });

  test('come in pages, and a run that was broken off goes on where it stood', async () => {
    const { cursor } = await drain(connect().changes(null));
    const ids: string[] = [];
    for (let count = 0; count < 350; count += 1) {
      stripe.now += 1;
      ids.push(stripe.createCustomer().id);
    }
    const first: PaymentChanges[] = [];
    for await (const batch of connect().changes(cursor)) {
      first.push(batch);
      if (first.length === 2) break;
    }
    expect(first.map(({ complete }) => complete)).toEqual([false, false]);
    // Something happens before the run goes on, in another process.
    stripe.now += 1;
    const after = stripe.createCustomer().id;
    const rest = await drain(connect().changes(first[1]!.cursor));
    expect(rest.batches.map(({ complete }) => complete)).toEqual([false, true]);
    expect([...first.flatMap(({ customers }) => customers), ...rest.customers].sort()).toEqual(ids.sort());
    expect((await drain(connect().changes(rest.cursor))).customers).toEqual([after]);
  });

  test('end a call after fifty pages, and the next call goes on', async () => {
    const { cursor } = await drain(connect().changes(null));
    for (let count = 0; count < 5_150; count += 1) {
      stripe.now += 1;
      stripe.recordEvent('payout.paid', { id: 'po_1' });
    }
    const first = await drain(connect().changes(cursor));
    expect([first.batches.length, first.batches.at(-1)!.complete]).toEqual([50, false]);
    const second = await drain(connect().changes(first.cursor));
    expect([second.batches.length, second.batches.at(-1)!.complete]).toEqual([2, true]);
    expect(readCursor(second.cursor)).toMatchObject({ floor: stripe.now, run: null });
  });

  test('begin again where the event that a cursor stands at is kept no longer', async () => {
    const { id } = stripe.createCustomer();
    const { customers, batches } = await drain(connect().changes('1~0~5~evt_long_gone~'));
    expect(customers).toEqual([id]);
    expect(batches.at(-1)!.complete).toBe(true);
  });

  test('refuse a cursor that is not theirs', async () => {
    await expect(drain(connect().changes('rt:17'))).rejects.toThrow('not a cursor');
    expect(stripe.requests).toEqual([]);
  });

  test('in any order and twice lead to the same state, because the state is always fetched', async () => {
    const { id } = stripe.createCustomer({ name: 'old' });
    const { cursor } = await drain(connect().changes(null));
    stripe.now += 60;
    const late = stripe.get(id);
    stripe.updateCustomer(id, { name: 'new' });
    stripe.now -= 30;
    stripe.recordEvent('customer.updated', late);
    stripe.recordEvent('customer.updated', late);
    const { customers } = await drain(connect().changes(cursor));
    expect(customers).toEqual([id]);
    expect((await connect().fetchCustomer(id, longAgo))!.customer.displayName).toBe('new');
  });

  test('of an event with an odd object do not stop the run', async () => {
    const { cursor } = await drain(connect().changes(null));
    stripe.recordEvent('customer.updated', { id: 'a/b', customer: 7 });
    stripe.recordEvent('charge.succeeded', { id: null });
    const { id } = stripe.createCustomer();
    expect((await drain(connect().changes(cursor))).customers).toEqual([id]);
  });

  test('a snapshot’s time is that before the first request', async () => {
    const { id } = stripe.createCustomer();
    let asked = 0;
    const clock = () => {
      asked = stripe.requests.length;
      return new Date();
    };
    await connect({ clock }).fetchCustomer(id, longAgo);
    expect([asked, stripe.requests.length]).toEqual([0, 4]);
  });
});

describe('a webhook', () => {
  const deliver = (type: string, object: object, at = stripe.now, secret = webhookSecret, options = {}) =>
    connect(options).judgeWebhook({
      ...stripe.signWebhook({ ...stripe.recordEvent(type, { ...object }) }, secret, at),
      now: new Date(stripe.now * 1_000),
    });

  test('signed by Stripe is a hint', () => {
    const { id } = stripe.createCustomer();
    expect(deliver('customer.updated', stripe.get(id))).toMatchObject({
      outcome: 'hint',
      type: 'customer.updated',
      references: [id],
    });
  });

  test('signed with another secret, too old or too far ahead is rejected', () => {
    expect(deliver('customer.updated', {}, stripe.now, 'whsec_other')).toMatchObject({
      outcome: 'rejected',
      why: 'bad-signature',
    });
    expect(deliver('customer.updated', {}, stripe.now - 301)).toMatchObject({ outcome: 'rejected', why: 'bad-timestamp' });
    expect(deliver('customer.updated', {}, stripe.now + 301)).toMatchObject({ outcome: 'rejected', why: 'bad-timestamp' });
  });

  test('of the test mode is unknown to a live key', () => {
    const of = (apiKey: string) => deliver('customer.updated', { id: 'cus_1' }, stripe.now, webhookSecret, { apiKey }).outcome;
    expect([of('rk_live_x'), of('sk_test_x'), of('rk_of_no_mode')]).toEqual(['unknown', 'hint', 'hint']);
  });
});

describe('a request', () => {
  test('names the pinned version, the key, and nothing of this machine', async () => {
    await connect().ping();
    const { headers, path, query } = stripe.requests[0]!;
    expect([path, query]).toEqual(['/v1/customers', { limit: ['1'] }]);
    expect(headers['stripe-version']).toBe(stripeApiVersion);
    expect(headers.authorization).toBe(`Bearer ${apiKey}`);
    expect(headers['x-stripe-client-telemetry']).toBeUndefined();
    expect(String(headers['x-stripe-client-user-agent'])).not.toMatch(/uname|platform|telemetry_id/);
  });
});

describe('a fault of Stripe', () => {
  const ping = (resilience = {}) => connect({ resilience: { ...patient, ...resilience } }).ping();

  test.each([
    ['a wrong key', 401, { message: `Invalid API Key provided: ${apiKey}`, type: 'invalid_request_error' }, 'unauthorized'],
    ['a missing permission', 403, { message: `${apiKey} may not`, type: 'invalid_request_error' }, 'unauthorized'],
    ['a rate limit', 429, { message: 'slow down', type: 'rate_limit_error', code: 'rate_limit' }, 'rate-limited'],
    [
      'a rate limit of the old kind',
      400,
      { message: 'slow down', type: 'invalid_request_error', code: 'rate_limit' },
      'rate-limited',
    ],
    ['a request that it does not take', 400, { message: 'canary', type: 'invalid_request_error', param: 'canary' }, 'malformed'],
    ['an unknown address', 404, { message: 'Unrecognized request URL', type: 'invalid_request_error' }, 'malformed'],
    ['a lock', 409, { message: 'canary', code: 'lock_timeout', type: 'invalid_request_error' }, 'fault'],
    ['an error of its own', 500, { message: 'canary', type: 'api_error' }, 'fault'],
    ['an error of its gateway', 503, { message: 'canary' }, 'fault'],
  ])('%s is told by kind and status only', async (_, status, error, why) => {
    stripe.failNext(1, { kind: 'status', status, headers: { 'request-id': 'req_canary' }, body: { error } });
    const thrown = await unavailableOf(ping());
    expect(thrown).toMatchObject({ source: 'shop', why, status });
    expect(thrown.message).toBe(`source shop: ${why} (HTTP ${status})`);
    expect(JSON.stringify(thrown, Object.getOwnPropertyNames(thrown)) + String(thrown.cause)).not.toMatch(/canary|rk_test|req_/);
  });

  test.each([
    ['a page instead of JSON', 200, '<html>canary</html>', 'malformed'],
    ['an error page of a proxy', 502, '<html>canary</html>', 'fault'],
    ['JSON of another shape', 200, '{"data":"canary"}', 'malformed'],
    ['no object at all', 200, 'null', 'malformed'],
    ['a fault without an error object', 500, '{"data":[]}', 'fault'],
  ])('%s is no answer', async (_, status, text, why) => {
    stripe.failNext(1, { kind: 'text', status, text });
    const thrown = await unavailableOf(ping());
    expect(thrown.why).toBe(why);
    expect(JSON.stringify(thrown, Object.getOwnPropertyNames(thrown))).not.toContain('canary');
  });

  test.each([
    ['silence', { kind: 'hang' }, 'timeout'],
    ['an answer that stops half-way', { kind: 'stall' }, 'timeout'],
    ['slowness', { kind: 'slow', milliseconds: 1_000 }, 'timeout'],
    ['a closed connection', { kind: 'close' }, 'fault'],
    ['a redirect', { kind: 'status', status: 302, headers: { location: '/v1/elsewhere' } }, 'fault'],
  ] as const)('%s ends in time', async (_, fault, why) => {
    stripe.failNext(5, fault);
    expect((await unavailableOf(ping({ attemptTimeout: 300 }))).why).toBe(why);
    expect(stripe.requests).toHaveLength(1);
  });

  test('an address where nobody listens is refused', async () => {
    const nobody = await StripeShapedServer.start();
    const { port } = nobody;
    await nobody.close();
    expect((await unavailableOf(connect({ url: `http://127.0.0.1:${port}` }).ping())).why).toBe('refused');
  });

  test('that passes is tried over, by the resilience and not by the SDK too', async () => {
    stripe.failNext(2, { kind: 'status', status: 500 });
    await ping({ retries: 2 });
    expect(stripe.requests).toHaveLength(3);
  });

  test('of permission is not tried over', async () => {
    stripe.denied = [/./];
    await unavailableOf(ping({ retries: 2 }));
    expect(stripe.requests).toHaveLength(1);
  });

  test('that stays opens the circuit: Stripe is left alone', async () => {
    stripe.failNext(1_000, { kind: 'status', status: 500 });
    const connector = connect({ resilience: { ...patient, breakAfter: 3 } });
    for (let count = 0; count < 3; count += 1) expect((await unavailableOf(connector.ping())).why).toBe('fault');
    expect((await unavailableOf(connector.ping())).why).toBe('circuit-open');
    expect(stripe.requests).toHaveLength(3);
  });

  test('of rate leaves Stripe alone for the time that it asks for', async () => {
    stripe.failNext(1, { kind: 'status', status: 429, headers: { 'retry-after': '7' } });
    const connector = connect({ resilience: { ...patient, retries: 1 } });
    expect(await unavailableOf(connector.ping())).toMatchObject({ why: 'rate-limited', retryAfter: 7 });
    expect(await unavailableOf(connector.ping())).toMatchObject({ why: 'rate-limited', retryAfter: 7 });
    expect(stripe.requests).toHaveLength(1);
  });

  test.each(['0', '99999', 'Wed, 21 Oct 2026 07:28:00 GMT', '-1', '1e9'])('a wait of %p is bounded or left out', async (wait) => {
    stripe.failNext(1, { kind: 'status', status: 429, headers: { 'retry-after': wait } });
    const { retryAfter } = await unavailableOf(ping());
    expect(retryAfter === undefined || (retryAfter >= 1 && retryAfter <= 60)).toBe(true);
  });
});

test.each(['a"]:"x', '', 'k'.repeat(41)])('a metadata key of %p is refused at once', (metadataKey) => {
  expect(() => connect({ metadataKey })).toThrow(RangeError);
});
