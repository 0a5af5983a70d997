import { cardOf, StripeShapedServer } from '../../../../test/support/stripe-shaped-server';
import { SourceUnavailable } from '../../source-unavailable';
import { StripePayments, type StripePaymentsOptions } from './stripe.connector';

let stripe: StripeShapedServer;

beforeEach(async () => {
  stripe = await StripeShapedServer.start();
});

afterEach(() => stripe.close());

const connect = (options: Partial<StripePaymentsOptions> = {}) =>
  new StripePayments({
    source: 'shop',
    apiKey: 'rk_test_shaped',
    url: `http://127.0.0.1:${stripe.port}`,
    resilience: { attemptTimeout: 20_000, retries: 0 },
    clock: () => new Date(stripe.now * 1_000),
    ...options,
  });

const secure = (fields: object = {}) => ({
  authentication_flow: 'challenge',
  electronic_commerce_indicator: '05',
  result: 'authenticated',
  result_reason: null,
  transaction_id: 'canary-of-the-network',
  version: '2.2.0',
  ...fields,
});

const challenged = {
  flow: 'CHALLENGE',
  result: 'AUTHENTICATED',
  isOffSession: false,
  isWallet: false,
  deviceFingerprint: null,
};

/** A payment of a new customer with a charge, a minute after which its customer authenticated. */
const paid = ({ card = {}, charge: ofCharge = {}, intent = {} }: { card?: object; charge?: object; intent?: object } = {}) => {
  const customer = stripe.createCustomer().id;
  const payment = stripe.createPaymentIntent({ customer, ...intent }).id;
  stripe.now += 60;
  const details = { type: 'card', card: { ...cardOf(), three_d_secure: secure(), ...card } };
  const charge = stripe.createCharge({ customer, payment_intent: payment, payment_method_details: details, ...ofCharge }).id;
  stripe.updatePaymentIntent(payment, 'payment_intent.succeeded', { status: 'succeeded', latest_charge: charge });
  return { customer, payment, charge, at: new Date(stripe.now * 1_000) };
};

describe('a challenge that the customer completed', () => {
  test('is told of the payment and of its charge, with whose it is and when it was', async () => {
    const { customer, payment, charge, at } = paid();
    // Whichever is asked by, it is one authentication.
    const report = { id: charge, customer, at, ...challenged };
    expect(await connect().readAuthentication(payment)).toEqual(report);
    expect(await connect().readAuthentication(charge)).toEqual(report);
    stripe.neverExpands = ['latest_charge'];
    expect(await connect().readAuthentication(payment)).toEqual(report);
  });

  test('is one where the payment was declined afterwards', async () => {
    const { payment } = paid({
      charge: { status: 'failed', outcome: { type: 'issuer_declined', reason: 'insufficient_funds' } },
    });
    expect(await connect().readAuthentication(payment)).toMatchObject(challenged);
  });

  test('is told of a setup', async () => {
    const customer = stripe.createCustomer().id;
    const session = stripe.createSession({ customer });
    const setup = String(session.setup_intent);
    const opened = new Date(stripe.now * 1_000);
    const none = { ...challenged, flow: null, result: 'NONE' };
    expect(await connect().readAuthentication(setup)).toEqual({ id: setup, customer, at: opened, ...none });
    stripe.now += 30;
    stripe.completeSetup(session.id, {}, { authenticated: true });
    const at = new Date(stripe.now * 1_000);
    expect(await connect().readAuthentication(setup)).toEqual({ id: setup, customer, at, ...challenged });
  });

  test('comes with the device where the shop’s metadata name it, and with nothing else of the payment', async () => {
    const { payment } = paid({ intent: { metadata: { device_id: 'd-1', note: 'canary' } } });
    const report = await connect({ deviceKey: 'device_id' }).readAuthentication(payment);
    expect(report).toMatchObject({ ...challenged, deviceFingerprint: 'd-1' });
    expect(JSON.stringify(report)).not.toMatch(/canary|4242|AOB934/);
  });
});

describe('what is no completed challenge', () => {
  test.each([
    ['judged without the customer', secure({ authentication_flow: 'frictionless' }), 'FRICTIONLESS', 'AUTHENTICATED'],
    ['an issuer that doesn’t take part', secure({ result: 'attempt_acknowledged' }), 'CHALLENGE', 'ATTEMPTED'],
    ['a failed one', secure({ result: 'failed' }), 'CHALLENGE', 'FAILED'],
    ['an exemption', secure({ authentication_flow: null, result: 'exempted' }), null, 'NONE'],
    ['a card that can’t', secure({ authentication_flow: null, result: 'not_supported' }), null, 'NONE'],
    ['a fault on the way', secure({ result: 'processing_error' }), 'CHALLENGE', 'NONE'],
    ['a result of next year', secure({ result: 'authenticated_by_mind' }), 'CHALLENGE', 'NONE'],
    ['a flow of next year', secure({ authentication_flow: 'telepathy' }), null, 'AUTHENTICATED'],
    ['a shape that nobody knows', { authentication_flow: { any: 1 }, result: ['authenticated'] }, null, 'NONE'],
    ['nothing', null, null, 'NONE'],
  ])('%s', async (_, threeDSecure, flow, result) => {
    const { payment } = paid({ card: { three_d_secure: threeDSecure } });
    expect(await connect().readAuthentication(payment)).toMatchObject({ flow, result });
  });

  test('a customer who was asked and didn’t pass, for whom Stripe makes no charge', async () => {
    const customer = stripe.createCustomer().id;
    const error = { type: 'invalid_request_error', code: 'payment_intent_authentication_failure', message: 'canary' };
    const payment = stripe.createPaymentIntent({ customer, last_payment_error: error }).id;
    expect(await connect().readAuthentication(payment)).toMatchObject({ customer, flow: null, result: 'FAILED' });
  });

  test('a failure after an attempt that had passed: the latest charge is the earlier one’s', async () => {
    const { payment, charge } = paid({ charge: { status: 'failed' } });
    const error = { type: 'invalid_request_error', code: 'payment_intent_authentication_failure' };
    const again = { status: 'requires_payment_method', last_payment_error: error };
    stripe.updatePaymentIntent(payment, 'payment_intent.payment_failed', again);
    expect(await connect().readAuthentication(payment)).toMatchObject({ id: payment, flow: null, result: 'FAILED' });
    expect(await connect().readAuthentication(charge)).toMatchObject({ id: charge, ...challenged });
  });

  test('a setup that failed', async () => {
    const session = stripe.createSession({ customer: stripe.createCustomer().id });
    const setup = String(session.setup_intent);
    stripe.failSetup(session.id);
    expect(await connect().readAuthentication(setup)).toMatchObject({ flow: null, result: 'NONE' });
    stripe.replace(setup, { last_setup_error: { code: 'setup_intent_authentication_failure' } });
    expect(await connect().readAuthentication(setup)).toMatchObject({ flow: null, result: 'FAILED' });
  });

  test.each([
    ['a card in a wallet', { type: 'card', card: { ...cardOf(), three_d_secure: secure(), wallet: { type: 'apple_pay' } } }],
    ['a wallet', { type: 'paypal', paypal: { payer_email: 'canary@example.com' } }],
  ])('%s says that it is one', async (_, details) => {
    const { payment } = paid({ charge: { payment_method_details: details } });
    expect(await connect().readAuthentication(payment)).toMatchObject({ isWallet: true });
  });

  test('a payment without its customer, which the issuer wanted to hear from', async () => {
    const customer = stripe.createCustomer().id;
    const error = { type: 'card_error', code: 'authentication_required', decline_code: 'authentication_required' };
    const payment = stripe.createPaymentIntent({ customer, last_payment_error: error }).id;
    expect(await connect().readAuthentication(payment)).toMatchObject({ isOffSession: true, result: 'NONE' });
  });
});

test('what was tried by nobody’s customer says so; what isn’t there, or is no reference of such a thing, is null', async () => {
  const guest = stripe.createPaymentIntent().id;
  expect(await connect().readAuthentication(guest)).toMatchObject({ customer: null, result: 'NONE' });
  for (const reference of ['pi_unknown', 'ch_unknown', 'seti_unknown', 'cus_1', '../x', 'pi_/capture', ''])
    expect([reference, await connect().readAuthentication(reference)]).toEqual([reference, null]);
});

test('what a key of another account doesn’t find isn’t absent', async () => {
  const { customer, payment } = paid();
  const known = async () => ({ customers: [customer], transactions: [payment] });
  stripe.forget(customer, payment);
  const error = await connect({ known })
    .readAuthentication(payment)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SourceUnavailable);
  expect(error).toMatchObject({ why: 'unauthorized' });
});

test('only reads are sent', async () => {
  const { payment } = paid();
  await connect().readAuthentication(payment);
  expect(stripe.requests.map(({ method, path }) => [method, path])).toEqual([['GET', `/v1/payment_intents/${payment}`]]);
});
