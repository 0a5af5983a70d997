import { StripeShapedServer } from '../../../../test/support/stripe-shaped-server';
import { SourceUnavailable } from '../../source-unavailable';
import type { KnownObjects } from '../payments.port';
import { StripePayments, type StripePaymentsOptions } from './stripe.connector';

const longAgo = new Date('2020-01-01T00:00:00Z');
let stripe: StripeShapedServer;

beforeEach(async () => {
  stripe = await StripeShapedServer.start();
});
afterEach(() => stripe.close());

const connect = (options: Partial<StripePaymentsOptions> = {}) =>
  new StripePayments({
    source: 'shop',
    apiKey: 'rk_test_shaped',
    webhookSecret: 'whsec_of_the_tests',
    url: `http://127.0.0.1:${stripe.port}`,
    resilience: { attemptTimeout: 2_000, retries: 0, breakAfter: 1_000, breakFor: 60_000 },
    ...options,
  });

const faultOf = async (work: Promise<unknown>): Promise<[string, number | undefined]> => {
  const error = await work.then(
    (answer) => new Error(`answered ${JSON.stringify(answer)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SourceUnavailable)) throw error;
  return [error.why, error.status];
};

const missing = (more: object = {}) => ({
  error: { type: 'invalid_request_error', code: 'resource_missing', message: "No such customer: 'cus_1'", param: 'id', ...more },
});
const answering = (status: number, body: unknown, path = /\/v1\/customers\/cus/) => {
  stripe.failNext(
    1_000,
    typeof body === 'string' ? { kind: 'text', status, text: body } : { kind: 'status', status, body },
    path,
  );
};
const knowing = (known: Partial<KnownObjects>) => ({ known: async () => ({ customers: [], transactions: [], ...known }) });

describe('that something doesn’t exist', () => {
  const modes = [
    "No such customer: 'cus_1'; a similar object exists in live mode, but a test mode key was used to make this request.",
    "No such customer: 'cus_1'; a similar object exists in test mode, but a live mode key was used to make this request.",
  ];
  test.each(modes)('is said to a key of the other mode, which is not let in: %s', async (message) => {
    const { id } = stripe.createCustomer();
    answering(404, missing({ message }));
    expect(await faultOf(connect().fetchCustomer(id, longAgo))).toEqual(['unauthorized', 404]);
    expect(await faultOf(connect(knowing({ customers: [id] })).confirmAccount())).toEqual(['unauthorized', 404]);
  });

  test.each([
    ['another parameter', 404, missing({ param: 'expand[0]' })],
    ['another parameter, as a bad request', 400, missing({ param: 'customer' })],
    ['something in a fault of Stripe’s own', 404, missing({ type: 'api_error' })],
    ['nothing with that code', 404, { error: { type: 'invalid_request_error', message: 'Unrecognized request URL' } }],
    ['nothing at all: the page of a proxy', 404, '<html><body>not found</body></html>'],
    ['nothing at all: a proxy that speaks JSON', 404, { message: 'no route', error: 'not found' }],
    ['nothing at all: an empty body', 404, ''],
  ])('is a fault of the source where it names %s', async (_, status, body) => {
    const { id } = stripe.createCustomer();
    answering(status, body);
    const [why] = await faultOf(connect().fetchCustomer(id, longAgo));
    expect(['malformed', 'fault']).toContain(why);
  });

  test('is believed of a customer whose key sees the account: another customer, or a payment, answers', async () => {
    const other = stripe.createCustomer().id;
    const paid = stripe.createPaymentIntent({ customer: other }).id;
    const charged = stripe.createCharge({ customer: other }).id;
    const deleted = stripe.createCustomer().id;
    stripe.deleteCustomer(deleted);
    for (const known of [
      { customers: ['cus_none', other] },
      { customers: [deleted] },
      { transactions: ['pi_none', paid] },
      { transactions: [charged] },
    ])
      expect(await connect(knowing(known)).fetchCustomer('cus_gone', longAgo)).toBeNull();
  });

  test('is not believed where nothing answers that was there, as with a key of another account', async () => {
    stripe.createCustomer();
    const elsewhere = { customers: ['cus_gone', 'cus_ours'], transactions: ['pi_ours', 'ch_ours'] };
    for (const known of [elsewhere, { customers: ['cus_gone'] }, {}])
      expect(await faultOf(connect(knowing(known)).fetchCustomer('cus_gone', longAgo))).toEqual(['unauthorized', 404]);
    expect(await faultOf(connect(knowing(elsewhere)).confirmAccount())).toEqual(['unauthorized', 404]);
    // Nothing is known yet: every account is the right one.
    await connect(knowing({})).confirmAccount();
  });

  test('of what was deleted needs no witness: Stripe says that it was', async () => {
    const { id } = stripe.createCustomer();
    stripe.deleteCustomer(id);
    expect(await connect(knowing({})).fetchCustomer(id, longAgo)).toBeNull();
  });

  test('is no word about a method or a setup either, to a key that sees nothing', async () => {
    const { credentials } = connect(knowing({ customers: ['cus_ours'], transactions: ['pi_ours'] }));
    const of = { customer: 'cus_1', method: 'pm_1' };
    const refused: ['unauthorized', number] = ['unauthorized', 404];
    expect(await faultOf(credentials.readMethod(of.customer, of.method))).toEqual(refused);
    expect(await faultOf(credentials.holds({ action: 'DETACH', ...of }))).toEqual(refused);
    expect(await faultOf(credentials.holds({ action: 'SET_DEFAULT', ...of }))).toEqual(refused);
    expect(await faultOf(credentials.perform({ action: 'DETACH', ...of }, 'k1'))).toEqual(refused);
    expect(await faultOf(credentials.perform({ action: 'SET_DEFAULT', ...of }, 'k2'))).toEqual(refused);
    expect(await faultOf(credentials.readSetup('cs_test_1'))).toEqual(refused);
    expect(stripe.executions).toEqual([]);
  });

  test('is said to a write with a key of the other mode: it was not sent, and nothing is gone', async () => {
    const { id: customer } = stripe.createCustomer();
    answering(404, missing({ message: modes[0] }), /payment_methods\/pm_1\/detach/);
    const step = { action: 'DETACH', customer, method: 'pm_1' } as const;
    expect(await faultOf(connect().credentials.perform(step, 'k'))).toEqual(['unauthorized', 404]);
  });
});

describe('a page that begins after what left the list', () => {
  const shop = (methods: number) => {
    const customer = stripe.createCustomer().id;
    for (let count = 0; count < methods; count += 1) stripe.attachPaymentMethod(customer);
    return customer;
  };
  const vanished = missing({ param: 'starting_after', message: "No such PaymentMethod: 'pm_99'" });

  test.each([400, 404])('is read again from the first page (%d)', async (status) => {
    const customer = shop(101);
    stripe.failNext(1, { kind: 'status', status, body: vanished }, /starting_after|payment_methods/);
    const before = stripe.requests.length;
    const snapshot = await connect().fetchCustomer(customer, longAgo);
    expect(snapshot?.methods).toHaveLength(101);
    const pages = stripe.requests.slice(before).filter(({ path }) => path.endsWith('/payment_methods'));
    expect(pages.length).toBeGreaterThanOrEqual(3);
  });

  test('is a fault that is tried again where that goes on, and no word about the customer', async () => {
    const customer = shop(101);
    stripe.failNext(1_000, { kind: 'status', status: 400, body: vanished }, /payment_methods/);
    expect(await faultOf(connect().fetchCustomer(customer, longAgo))).toEqual(['fault', 400]);
    expect(stripe.requests.filter(({ path }) => path.endsWith('/payment_methods'))).toHaveLength(3);
  });
});
