import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { fieldNames } from '../../../../test/support/form-body';
import { cardOf, type Fault, StripeShapedServer } from '../../../../test/support/stripe-shaped-server';
import { SourceUnavailable } from '../../source-unavailable';
import {
  type AddressRecord,
  ProviderRefused,
  type ProviderStep,
  type ProviderStepAction,
  type SetupRequest,
} from '../payments.port';
import { stripeApiVersion } from './stripe.calls';
import { StripePayments, type StripePaymentsOptions } from './stripe.connector';

const apiKey = 'rk_test_shaped';
const patient = { attemptTimeout: 20_000, retries: 0, breakAfter: 1_000, breakFor: 60_000 };

let stripe: StripeShapedServer;

beforeEach(async () => {
  stripe = await StripeShapedServer.start();
});

afterEach(() => stripe.close());

const connect = (options: Partial<StripePaymentsOptions> = {}) =>
  new StripePayments({
    source: 'shop',
    apiKey,
    url: `http://127.0.0.1:${stripe.port}`,
    resilience: patient,
    clock: () => new Date(stripe.now * 1_000),
    ...options,
  }).credentials;

const thrownBy = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (thrown: unknown) => thrown,
  );

const unavailableOf = async (work: Promise<unknown>): Promise<SourceUnavailable> => {
  const error = await thrownBy(work);
  expect(error).toBeInstanceOf(SourceUnavailable);
  return error as SourceUnavailable;
};

const refusalOf = async (work: Promise<unknown>) => {
  const error = await thrownBy(work);
  expect(error).toBeInstanceOf(ProviderRefused);
  return (error as ProviderRefused).why;
};

const newAddress: AddressRecord = {
  line1: '12 Rue de la Paix',
  line2: null,
  city: 'Paris',
  state: null,
  postalCode: '75002',
  country: 'FR',
};

const oldAddress = { line1: '1 Old Street', line2: 'Flat 2', city: 'Austin', state: 'TX', postal_code: '78701', country: 'US' };

/** A customer with an old card that is their default and a subscription's, a new card of theirs, and one that isn't attached yet. */
const shop = () => {
  const customer = stripe.createCustomer({ email: 'jenny@example.com' }).id;
  const old = stripe.attachPaymentMethod(customer, {
    billing_details: { address: oldAddress, email: null, name: null, phone: null, tax_id: null },
  }).id;
  const other = stripe.attachPaymentMethod(customer, { type: 'card', card: cardOf({ last4: '4444' }) }).id;
  const loose = stripe.createPaymentMethod({ type: 'card', card: cardOf({ last4: '1111' }) }).id;
  stripe.updateCustomer(customer, { invoice_settings: { default_payment_method: old } });
  const subscription = stripe.createSubscription(customer, { default_payment_method: old }).id;
  return { customer, old, other, loose, subscription };
};
type Shop = ReturnType<typeof shop>;

const stepOf = (action: ProviderStepAction, { customer, old, other, loose, subscription }: Shop): ProviderStep => {
  switch (action) {
    case 'ATTACH':
      return { action, customer, method: loose };
    case 'SET_DEFAULT':
      return { action, customer, method: other };
    case 'SET_SUBSCRIPTION_DEFAULT':
      return { action, customer, subscription, method: other };
    case 'SET_ADDRESS':
      return { action, customer, method: old, address: newAddress };
    case 'DETACH':
      return { action, customer, method: old };
  }
};

const objectOf = (step: ProviderStep): string => {
  if (step.action === 'SET_DEFAULT') return step.customer;
  return step.action === 'SET_SUBSCRIPTION_DEFAULT' ? step.subscription : step.method;
};

const actions = ['ATTACH', 'SET_DEFAULT', 'SET_SUBSCRIPTION_DEFAULT', 'SET_ADDRESS', 'DETACH'] as const;

const posts = () => stripe.requests.filter(({ method }) => method === 'POST');

describe('a step', () => {
  const shapes: Readonly<Record<ProviderStepAction, (of: Shop) => { path: string; body: object }>> = {
    ATTACH: ({ customer, loose }) => ({ path: `/v1/payment_methods/${loose}/attach`, body: { customer } }),
    SET_DEFAULT: ({ customer, other }) => ({
      path: `/v1/customers/${customer}`,
      body: { invoice_settings: { default_payment_method: other } },
    }),
    SET_SUBSCRIPTION_DEFAULT: ({ subscription, other }) => ({
      path: `/v1/subscriptions/${subscription}`,
      body: { default_payment_method: other },
    }),
    SET_ADDRESS: ({ old }) => ({
      path: `/v1/payment_methods/${old}`,
      body: {
        billing_details: {
          address: { line1: '12 Rue de la Paix', line2: '', city: 'Paris', state: '', postal_code: '75002', country: 'FR' },
        },
      },
    }),
    DETACH: ({ old }) => ({ path: `/v1/payment_methods/${old}/detach`, body: {} }),
  };

  test.each(actions)('%s is one request as Stripe documents it, and holds afterwards', async (action) => {
    const of = shop();
    const step = stepOf(action, of);
    const credentials = connect();
    expect(await credentials.holds(step)).toBe(false);
    stripe.requests.length = 0;
    expect(await credentials.perform(step, 'cru_1:1')).toEqual({ outcome: 'done' });
    expect(stripe.requests).toHaveLength(1);
    const { method, path, query, body, headers } = stripe.requests[0]!;
    expect({ method, path, query, body }).toEqual({ method: 'POST', query: {}, ...shapes[action](of) });
    expect(headers['idempotency-key']).toBe('cru_1:1');
    expect(headers['stripe-version']).toBe(stripeApiVersion);
    expect(headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(headers['x-stripe-client-telemetry']).toBeUndefined();
    expect(await credentials.holds(step)).toBe(true);
    expect(stripe.executions).toEqual([{ path, object: objectOf(step), key: 'cru_1:1' }]);
  });

  test.each(actions)('%s that is sent again with its key is answered again and not executed again', async (action) => {
    const step = stepOf(action, shop());
    const credentials = connect();
    expect(await credentials.perform(step, 'cru_1:1')).toEqual({ outcome: 'done' });
    expect(await credentials.perform(step, 'cru_1:1')).toEqual({ outcome: 'done' });
    expect(stripe.executionsOf(objectOf(step))).toBe(1);
  });

  test.each([
    ['SET_DEFAULT', ({ customer }: Shop): ProviderStep => ({ action: 'SET_DEFAULT', customer, method: null })],
    [
      'SET_SUBSCRIPTION_DEFAULT',
      ({ customer, subscription }: Shop): ProviderStep => ({
        action: 'SET_SUBSCRIPTION_DEFAULT',
        customer,
        subscription,
        method: null,
      }),
    ],
  ])('%s without a method unsets it', async (_, make) => {
    const step = make(shop());
    const credentials = connect();
    expect(await credentials.holds(step)).toBe(false);
    expect(await credentials.perform(step, 'k')).toEqual({ outcome: 'done' });
    expect(await credentials.holds(step)).toBe(true);
    const body = JSON.stringify(posts()[0]!.body);
    expect(body).toContain('"default_payment_method":""');
  });

  test('sends the state of an address', async () => {
    const of = shop();
    const address = { line1: '12 New Ave', line2: null, city: 'Springfield', state: 'CA', postalCode: '94000', country: 'US' };
    const step: ProviderStep = { action: 'SET_ADDRESS', customer: of.customer, method: of.old, address };
    expect(await connect().perform(step, 'k')).toEqual({ outcome: 'done' });
    expect(stripe.get(of.old).billing_details).toMatchObject({ address: { line1: '12 New Ave', state: 'CA' } });
    expect(await connect().holds(step)).toBe(true);
    expect((await connect().readMethod(of.customer, of.old))?.method.billingAddress).toEqual(address);
  });

  test('that was made before addresses had a state takes none away', async () => {
    const of = shop();
    const { state, ...address } = { ...newAddress, country: 'US' };
    expect(await connect().perform({ action: 'SET_ADDRESS', customer: of.customer, method: of.old, address }, 'k')).toEqual({
      outcome: 'done',
    });
    expect(state).toBeNull();
    expect(stripe.get(of.old).billing_details).toMatchObject({ address: { line1: address.line1, state: 'TX' } });
  });

  test('leaves nothing of the old address beside the new one', async () => {
    const of = shop();
    await connect().perform(stepOf('SET_ADDRESS', of), 'k');
    expect(stripe.get(of.old).billing_details).toMatchObject({
      address: { line1: '12 Rue de la Paix', line2: null, city: 'Paris', state: null, postal_code: '75002', country: 'FR' },
    });
  });

  test.each([
    ['../customers', 'cus_1', 'METHOD_GONE'],
    ['pm_1/detach', 'cus_1', 'METHOD_GONE'],
    ['pm_1', '', 'CUSTOMER_GONE'],
    ['pm_1', 'cus_1?x=y', 'CUSTOMER_GONE'],
  ])('that names %p of %p is refused and nothing is sent', async (method, customer, why) => {
    const step: ProviderStep = { action: 'ATTACH', customer, method };
    expect(await connect().perform(step, 'k')).toEqual({ outcome: 'refused', why });
    expect(await connect().holds(step)).toBe(false);
    const onSubscription: ProviderStep = { action: 'SET_SUBSCRIPTION_DEFAULT', customer: 'c', subscription: 'a/b', method: 'm' };
    expect(await connect().perform(onSubscription, 'k')).toEqual({ outcome: 'refused', why: 'REFUSED' });
    expect(await connect().holds(onSubscription)).toBe(false);
    expect(stripe.requests).toEqual([]);
  });
});

describe('an answer that is lost', () => {
  const short = { ...patient, attemptTimeout: 1_500, retries: 2 };
  const long = { ...patient, retries: 2 };

  const cuts: readonly [string, Fault, boolean][] = [
    ['the connection is cut before it is executed', { kind: 'close' }, false],
    ['the connection is cut after it was executed', { kind: 'close', executed: true }, true],
    ['half an answer comes', { kind: 'half' }, true],
    ['a page comes instead of JSON', { kind: 'text', status: 200, text: '<html>canary</html>', executed: true }, true],
    ['a proxy refuses in its own words', { kind: 'text', status: 400, text: '<html>canary</html>' }, false],
    ['a proxy refuses with a JSON of its own', { kind: 'status', status: 400, body: { id: 'canary' } }, false],
    ['the answer is null', { kind: 'text', status: 200, text: 'null', executed: true }, true],
    ['the answer is about another object', { kind: 'status', status: 200, body: { id: 'pm_other' } }, false],
    ['success is answered with an error inside', { kind: 'status', status: 200, body: { error: { type: 'api_error' } } }, false],
    ['it is sent elsewhere', { kind: 'status', status: 302, headers: { location: '/v1/elsewhere' } }, false],
  ];

  const silences: readonly [string, Fault, boolean][] = [
    ['an answer stops half-way', { kind: 'stall', executed: true }, true],
    ['no answer comes', { kind: 'hang' }, false],
    ['no answer comes after it was executed', { kind: 'hang', executed: true }, true],
  ];

  test.each([
    ...actions.flatMap((action) => cuts.map(([when, fault, executed]) => [action, when, fault, executed, long] as const)),
    ...silences.map(([when, fault, executed]) => ['ATTACH', when, fault, executed, short] as const),
  ])('of %s, because %s, is told as lost; the state says what became of it and the key may be sent again', async (...row) => {
    const [action, , fault, executed, resilience] = row;
    const step = stepOf(action, shop());
    stripe.failNext(1, fault);
    expect(await connect({ resilience }).perform(step, 'k')).toEqual({ outcome: 'lost', keySpent: false });
    const credentials = connect();
    expect(posts()).toHaveLength(1);
    expect(await credentials.holds(step)).toBe(executed);
    expect(await credentials.perform(step, 'k')).toEqual({ outcome: 'done' });
    expect(await credentials.holds(step)).toBe(true);
    expect(stripe.executionsOf(objectOf(step), 'k')).toBe(1);
  });

  test('because it looks like success under the status of a refusal is not taken for success', async () => {
    const of = shop();
    stripe.failNext(1, { kind: 'status', status: 400, body: stripe.get(of.loose) });
    expect(await connect().perform(stepOf('ATTACH', of), 'k')).toEqual({ outcome: 'lost', keySpent: false });
  });

  test('because it comes too late is lost, and the change is made all the same', async () => {
    const of = shop();
    const step = stepOf('SET_DEFAULT', of);
    let letGo: (value?: unknown) => void = () => undefined;
    stripe.failNext(1, { kind: 'held', until: new Promise((resolve) => (letGo = resolve)) });
    const credentials = connect();
    expect(await connect({ resilience: short }).perform(step, 'k')).toEqual({ outcome: 'lost', keySpent: false });
    expect(await credentials.holds(step)).toBe(false);
    // The first request is still being executed.
    expect(await credentials.perform(step, 'k')).toEqual({ outcome: 'lost', keySpent: false });
    letGo();
    await new Promise(setImmediate);
    expect(await credentials.holds(step)).toBe(true);
    expect(await credentials.perform(step, 'k')).toEqual({ outcome: 'done' });
    expect(stripe.executionsOf(of.customer)).toBe(1);
  });

  test.each([
    [500, true],
    [500, false],
  ])('as a %p that Stripe keeps under the key (executed: %p) spends the key', async (status, executed) => {
    const step = stepOf('ATTACH', shop());
    const credentials = connect({ resilience: { ...patient, retries: 2 } });
    stripe.failNext(1, { kind: 'status', status, executed, stored: true });
    expect(await credentials.perform(step, 'k')).toEqual({ outcome: 'lost', keySpent: true });
    expect(posts()).toHaveLength(1);
    expect(await credentials.holds(step)).toBe(executed);
    // Trying the same key again is no way out.
    expect(await credentials.perform(step, 'k')).toEqual({ outcome: 'lost', keySpent: true });
    expect(await credentials.perform(step, 'another')).toEqual({ outcome: 'done' });
    expect(await credentials.holds(step)).toBe(true);
    expect(stripe.executionsOf(step.method!)).toBe(1);
  });

  test('as the error page of a proxy, behind which it may still be on its way, leaves the key as it is', async () => {
    const step = stepOf('DETACH', shop());
    stripe.failNext(1, { kind: 'text', status: 502, text: '<html>canary</html>', executed: true });
    expect(await connect().perform(step, 'k')).toEqual({ outcome: 'lost', keySpent: false });
  });

  test('as a 503 leaves the key as it is, until Stripe repeats it', async () => {
    const step = stepOf('ATTACH', shop());
    const credentials = connect();
    stripe.failNext(1, { kind: 'status', status: 503, stored: true });
    expect(await credentials.perform(step, 'k')).toEqual({ outcome: 'lost', keySpent: false });
    expect(await credentials.perform(step, 'k')).toEqual({ outcome: 'lost', keySpent: true });
  });

  test('because the key was sent with something else before spends the key, and nothing is done', async () => {
    const of = shop();
    const credentials = connect();
    await credentials.perform(stepOf('SET_DEFAULT', of), 'k');
    const other: ProviderStep = { action: 'SET_DEFAULT', customer: of.customer, method: of.old };
    expect(await credentials.perform(other, 'k')).toEqual({ outcome: 'lost', keySpent: true });
    expect(await credentials.holds(other)).toBe(false);
  });

  test('because of a lock leaves the key as it is', async () => {
    const step = stepOf('ATTACH', shop());
    const error = { type: 'invalid_request_error', code: 'lock_timeout', message: 'canary' };
    stripe.failNext(1, { kind: 'status', status: 409, body: { error } });
    expect(await connect().perform(step, 'k')).toEqual({ outcome: 'lost', keySpent: false });
  });

  test('is kept for a day: after that the same key executes again', async () => {
    const of = shop();
    const credentials = connect();
    const step = stepOf('SET_DEFAULT', of);
    await credentials.perform(step, 'k');
    stripe.now += 24 * 3_600 - 1;
    await credentials.perform(step, 'k');
    expect(stripe.executionsOf(of.customer)).toBe(1);
    stripe.now += 1;
    await credentials.perform(step, 'k');
    expect(stripe.executionsOf(of.customer)).toBe(2);
  });
});

describe('a refusal', () => {
  const refuse = (status: number, error: object) =>
    stripe.failNext(1, { kind: 'status', status, body: { error: { message: 'canary', ...error } }, stored: true });

  test.each([
    ['a declined card', 402, { type: 'card_error', code: 'card_declined', decline_code: 'stolen_card' }, 'CARD_DECLINED'],
    ['a wrong CVC', 402, { type: 'card_error', code: 'incorrect_cvc' }, 'CARD_DECLINED'],
    ['an expired card', 402, { type: 'card_error', code: 'expired_card' }, 'CARD_EXPIRED'],
    ['a decline for expiry', 402, { type: 'card_error', code: 'card_declined', decline_code: 'expired_card' }, 'CARD_EXPIRED'],
    ['a decline of the old kind', 400, { type: 'card_error', code: 'card_declined' }, 'CARD_DECLINED'],
    ['no such method', 404, { type: 'invalid_request_error', code: 'resource_missing', param: 'id' }, 'METHOD_GONE'],
    ['no such customer', 400, { type: 'invalid_request_error', code: 'resource_missing', param: 'customer' }, 'CUSTOMER_GONE'],
    ['the wrong mode', 400, { type: 'invalid_request_error', code: 'livemode_mismatch' }, 'NOT_PERMITTED'],
    ['anything else', 400, { type: 'invalid_request_error', code: 'customer_max_payment_methods' }, 'REFUSED'],
  ])('for %s has its reason', async (_, status, error, why) => {
    const step = stepOf('ATTACH', shop());
    refuse(status, error);
    const credentials = connect({ resilience: { ...patient, retries: 2 } });
    expect(await credentials.perform(step, 'k')).toEqual({ outcome: 'refused', why });
    expect(await credentials.holds(step)).toBe(false);
    expect(posts()).toHaveLength(1);
    expect(await credentials.perform(step, 'k')).toEqual({ outcome: 'refused', why });
  });

  test.each([
    ['a postal code', { type: 'card_error', code: 'incorrect_zip' }, 402],
    ['a country', { type: 'invalid_request_error', param: 'billing_details[address][country]' }, 400],
  ])('of %s is one of the address', async (_, error, status) => {
    refuse(status, error);
    expect(await connect().perform(stepOf('SET_ADDRESS', shop()), 'k')).toEqual({ outcome: 'refused', why: 'ADDRESS_REFUSED' });
  });

  test('of a country that Stripe doesn’t know is one of the address', async () => {
    const { customer, old } = shop();
    const step: ProviderStep = { action: 'SET_ADDRESS', customer, method: old, address: { ...newAddress, country: 'France' } };
    expect(await connect().perform(step, 'k')).toEqual({ outcome: 'refused', why: 'ADDRESS_REFUSED' });
  });

  test('names what is gone, by the step', async () => {
    const { customer, other, subscription } = shop();
    const gone = 'pm_gone';
    const perform = (step: ProviderStep) => connect().perform(step, JSON.stringify(step));
    expect(
      await Promise.all([
        perform({ action: 'ATTACH', customer, method: gone }),
        perform({ action: 'ATTACH', customer: 'cus_gone', method: stripe.createPaymentMethod().id }),
        perform({ action: 'DETACH', customer, method: gone }),
        perform({ action: 'SET_ADDRESS', customer, method: gone, address: newAddress }),
        perform({ action: 'SET_DEFAULT', customer, method: gone }),
        perform({ action: 'SET_DEFAULT', customer: 'cus_gone', method: other }),
        perform({ action: 'SET_SUBSCRIPTION_DEFAULT', customer, subscription, method: gone }),
        perform({ action: 'SET_SUBSCRIPTION_DEFAULT', customer, subscription: 'sub_gone', method: other }),
      ]),
    ).toEqual(
      [
        'METHOD_GONE',
        'CUSTOMER_GONE',
        'METHOD_GONE',
        'METHOD_GONE',
        'METHOD_GONE',
        'CUSTOMER_GONE',
        'METHOD_GONE',
        'REFUSED',
      ].map((why) => ({ outcome: 'refused', why })),
    );
  });

  test('to make another customer’s method the default is one for a method that is gone', async () => {
    const { customer } = shop();
    const { other } = shop();
    const step: ProviderStep = { action: 'SET_DEFAULT', customer, method: other };
    expect(await connect().perform(step, 'k')).toEqual({ outcome: 'refused', why: 'METHOD_GONE' });
  });

  test('to attach or detach what is attached or detached already is none', async () => {
    const { customer, old, other } = shop();
    stripe.detachPaymentMethod(old);
    const credentials = connect();
    expect(await credentials.perform({ action: 'ATTACH', customer, method: other }, 'k1')).toEqual({ outcome: 'done' });
    expect(await credentials.perform({ action: 'DETACH', customer, method: old }, 'k2')).toEqual({ outcome: 'done' });
    expect(stripe.executions).toEqual([]);
  });

  test('to attach what another customer has, or what was detached, stays one', async () => {
    const { customer, old } = shop();
    const { other } = shop();
    stripe.detachPaymentMethod(old);
    const credentials = connect();
    const refused = { outcome: 'refused', why: 'REFUSED' };
    expect(await credentials.perform({ action: 'ATTACH', customer, method: other }, 'k1')).toEqual(refused);
    expect(await credentials.perform({ action: 'ATTACH', customer, method: old }, 'k2')).toEqual(refused);
  });

  test('that only the state can judge is a lost answer while the state can’t be read', async () => {
    const { customer, other } = shop();
    const credentials = connect();
    const attempt = credentials.perform({ action: 'ATTACH', customer, method: other }, 'k');
    stripe.failNext(1, { kind: 'status', status: 500 }, new RegExp(`/payment_methods/${other}$`));
    expect(await attempt).toEqual({ outcome: 'lost', keySpent: false });
  });
});

describe('a call that certainly had no effect', () => {
  const attach = () => stepOf('ATTACH', shop());

  test.each([
    ['a wrong key', 401, { type: 'invalid_request_error', message: `Invalid API Key provided: ${apiKey}` }, 'unauthorized'],
    ['a missing permission', 403, { type: 'invalid_request_error', message: `${apiKey} may not` }, 'unauthorized'],
    ['a rate limit', 429, { type: 'rate_limit_error', code: 'rate_limit' }, 'rate-limited'],
    ['a lock', 429, { type: 'invalid_request_error', code: 'lock_timeout' }, 'rate-limited'],
    ['a rate limit of the old kind', 400, { type: 'invalid_request_error', code: 'rate_limit' }, 'rate-limited'],
  ])('for %s is unavailable, by kind and status only', async (_, status, error, why) => {
    stripe.failNext(1, { kind: 'status', status, headers: { 'request-id': 'req_canary' }, body: { error } });
    const thrown = await unavailableOf(connect({ resilience: { ...patient, retries: 2 } }).perform(attach(), 'k'));
    expect(thrown).toMatchObject({ source: 'shop', why, status });
    expect(JSON.stringify(thrown, Object.getOwnPropertyNames(thrown)) + String(thrown.cause)).not.toMatch(/canary|rk_test|req_/);
    expect(posts()).toHaveLength(1);
    expect(stripe.executions).toEqual([]);
  });

  test('for a key without write permissions leaves reading as it was', async () => {
    const of = shop();
    stripe.denied = [/^POST /];
    const credentials = connect();
    for (const action of actions)
      expect(await unavailableOf(credentials.perform(stepOf(action, of), action))).toMatchObject({
        why: 'unauthorized',
        status: 403,
      });
    expect(await credentials.readMethod(of.customer, of.old)).not.toBeNull();
    expect(stripe.executions).toEqual([]);
  });

  test.each([
    ['127.0.0.1', 'refused'],
    ['nobody.invalid', 'refused'],
  ])('because %s can’t be reached is unavailable', async (host, why) => {
    const nobody = await StripeShapedServer.start();
    const { port } = nobody;
    await nobody.close();
    const thrown = await unavailableOf(connect({ url: `http://${host}:${port}` }).perform(attach(), 'k'));
    expect(thrown.why).toBe(why);
  });

  test('because the circuit is open is unavailable, and nothing is sent', async () => {
    const step = attach();
    stripe.failNext(3, { kind: 'close' });
    const credentials = connect({ resilience: { ...patient, breakAfter: 3 } });
    for (let count = 0; count < 3; count += 1)
      expect(await credentials.perform(step, 'k')).toEqual({ outcome: 'lost', keySpent: false });
    expect((await unavailableOf(credentials.perform(step, 'k'))).why).toBe('circuit-open');
    expect(posts()).toHaveLength(3);
  });

  test('because Stripe asked to be left alone is unavailable, and nothing is sent', async () => {
    const step = attach();
    stripe.failNext(1, { kind: 'status', status: 429, headers: { 'retry-after': '7' } });
    const credentials = connect();
    expect(await unavailableOf(credentials.perform(step, 'k'))).toMatchObject({ why: 'rate-limited', retryAfter: 7 });
    expect(await unavailableOf(credentials.perform(step, 'k'))).toMatchObject({ why: 'rate-limited', retryAfter: 7 });
    expect(posts()).toHaveLength(1);
  });

  test('refusals do not open the circuit', async () => {
    const of = shop();
    const credentials = connect({ resilience: { ...patient, breakAfter: 2 } });
    const gone: ProviderStep = { action: 'ATTACH', customer: of.customer, method: 'pm_gone' };
    for (let count = 0; count < 4; count += 1)
      expect(await credentials.perform(gone, `k${count}`)).toEqual({ outcome: 'refused', why: 'METHOD_GONE' });
    expect(await credentials.perform(stepOf('ATTACH', of), 'k')).toEqual({ outcome: 'done' });
  });
});

describe('a method’s standing', () => {
  test('has the method, the default and the subscriptions that still charge', async () => {
    const { customer, old, other, subscription } = shop();
    const still = ['trialing', 'past_due', 'unpaid', 'incomplete', 'paused', 'of_next_year'].map(
      (status) => stripe.createSubscription(customer, { status }).id,
    );
    stripe.createSubscription(customer, { status: 'incomplete_expired', default_payment_method: old });
    stripe.createSubscription(customer, { status: 'canceled', default_payment_method: old });
    const stranger = stripe.createCustomer().id;
    stripe.createSubscription(stranger);
    const standing = await connect().readMethod(customer, other);
    expect(standing).toEqual({
      method: {
        reference: other,
        kind: 'CARD',
        brand: 'visa',
        last4: '4444',
        expiryMonth: 8,
        expiryYear: 2030,
        country: 'US',
        fingerprint: expect.any(String),
        status: 'ACTIVE',
        isDefault: false,
        billingAddress: null,
        createdAt: new Date(stripe.now * 1_000),
      },
      defaultMethod: old,
      subscriptions: expect.arrayContaining([
        { reference: subscription, method: old },
        ...still.map((reference) => ({ reference, method: null })),
      ]),
    });
    expect(standing!.subscriptions).toHaveLength(7);
  });

  test.each([
    ['another customer’s', ({ other }: Shop) => other],
    ['nobody’s', ({ loose }: Shop) => loose],
    ['detached', ({ old }: Shop) => stripe.detachPaymentMethod(old).id],
    ['unknown', () => 'pm_unknown'],
    ['no reference', () => '../customers'],
  ])('is null for a method that is %s', async (_, of) => {
    const { customer } = shop();
    expect(await connect().readMethod(customer, of(shop()))).toBeNull();
  });

  test('is null for a customer that was deleted', async () => {
    const { customer, old } = shop();
    stripe.deleteCustomer(customer);
    expect(await connect().readMethod(customer, old)).toBeNull();
  });

  test('counts what charges in the old way only where it is the method itself', async () => {
    const customer = stripe.createCustomer().id;
    const card = stripe.attachPaymentMethod(customer, { id: 'card_old' }).id;
    const other = stripe.attachPaymentMethod(customer).id;
    stripe.updateCustomer(customer, { default_source: card });
    const subscription = stripe.createSubscription(customer, { default_source: card }).id;
    const standing = async (method: string) => {
      const { defaultMethod, subscriptions } = (await connect().readMethod(customer, method))!;
      return [defaultMethod, subscriptions];
    };
    expect(await standing(card)).toEqual([card, [{ reference: subscription, method: card }]]);
    expect(await standing(other)).toEqual([null, [{ reference: subscription, method: null }]]);
  });

  test('is whole or not told: three hundred subscriptions come, one more is refused', async () => {
    const { customer, old } = shop();
    for (let count = 1; count < 300; count += 1) stripe.createSubscription(customer);
    expect((await connect().readMethod(customer, old))!.subscriptions).toHaveLength(300);
    stripe.createSubscription(customer);
    expect((await unavailableOf(connect().readMethod(customer, old))).why).toBe('malformed');
  });

  test('is not told where an answer holds another customer’s subscription', async () => {
    const { customer, old } = shop();
    const stranger = stripe.get(stripe.createSubscription(stripe.createCustomer().id).id);
    const body = { object: 'list', has_more: false, data: [stranger] };
    stripe.failNext(1, { kind: 'status', status: 200, body }, /subscriptions/);
    expect((await unavailableOf(connect().readMethod(customer, old))).why).toBe('malformed');
  });

  test('is not told where the key may not read subscriptions', async () => {
    const { customer, old } = shop();
    stripe.denied = [/subscriptions/];
    expect((await unavailableOf(connect().readMethod(customer, old))).why).toBe('unauthorized');
  });

  test('is read through faults that pass', async () => {
    const { customer, old } = shop();
    stripe.failNext(2, { kind: 'status', status: 500 });
    expect(await connect({ resilience: { ...patient, retries: 3 } }).readMethod(customer, old)).not.toBeNull();
  });
});

describe('whether an address holds', () => {
  const holdsWith = async (standing: object | null, wanted: Partial<AddressRecord>) => {
    const { customer, old } = shop();
    stripe.updatePaymentMethod(old, { billing_details: { address: standing } });
    const address = { line1: null, line2: null, city: null, state: null, postalCode: null, country: null, ...wanted };
    return connect().holds({ action: 'SET_ADDRESS', customer, method: old, address });
  };

  test.each([
    ['absent parts and empty ones are the same', { line1: '', city: null }, {}],
    ['no address is an empty one', null, { line1: '' }],
    ['spaces at the ends and between don’t count', { line1: '1 High Street' }, { line1: ' 1  High\u00a0Street ' }],
    ['the form of a letter doesn’t count', { city: 'Orl\u00e9ans' }, { city: 'Orle\u0301ans' }],
    ['the state is that', { line1: '1 High Street', state: 'TX' }, { line1: '1 High Street', state: 'TX' }],
    [
      'a state that nobody knew doesn’t count',
      { line1: '1 High Street', state: 'TX' },
      { line1: '1 High Street', state: undefined },
    ],
    ['the case of the country doesn’t count', { country: 'fr' }, { country: 'FR' }],
  ])('%s', async (_, standing, wanted) => {
    expect(await holdsWith(standing, wanted)).toBe(true);
  });

  test.each([
    ['another house', { line1: '1 High Street' }, { line1: '2 High Street' }],
    ['another case in a street', { line1: '1 high street' }, { line1: '1 High Street' }],
    ['a line that is left over', { line1: '1 High Street', line2: 'Flat 2' }, { line1: '1 High Street' }],
    ['another state', { line1: '1 High Street', state: 'TX' }, { line1: '1 High Street', state: 'CA' }],
    ['a state that is left over', { line1: '1 High Street', state: 'TX' }, { line1: '1 High Street' }],
  ])('%s does not', async (_, standing, wanted) => {
    expect(await holdsWith(standing, wanted)).toBe(false);
  });

  test('is so for whatever was set', async () => {
    const { customer, old } = shop();
    const credentials = connect();
    const part = fc.option(fc.string({ unit: 'grapheme', maxLength: 60 }));
    const address = fc.record({
      line1: part,
      line2: part,
      city: part,
      state: part,
      postalCode: part,
      country: fc.option(fc.constantFrom('FR', 'DE', 'US')),
    });
    let count = 0;
    await fc.assert(
      fc.asyncProperty(address, async (wanted) => {
        const step: ProviderStep = { action: 'SET_ADDRESS', customer, method: old, address: wanted };
        count += 1;
        expect(await credentials.perform(step, `k${count}`)).toEqual({ outcome: 'done' });
        expect(await credentials.holds(step)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('is not so for a method that left the customer', async () => {
    const { customer, old } = shop();
    const step: ProviderStep = { action: 'SET_ADDRESS', customer, method: old, address: newAddress };
    await connect().perform(step, 'k');
    stripe.detachPaymentMethod(old);
    expect(await connect().holds(step)).toBe(false);
  });
});

describe('what holds', () => {
  test('is false for what is another customer’s or gone, and a method that is gone is detached', async () => {
    const { customer, subscription } = shop();
    const { other, customer: stranger } = shop();
    const holds = (step: ProviderStep) => connect().holds(step);
    expect(await holds({ action: 'ATTACH', customer, method: other })).toBe(false);
    expect(await holds({ action: 'ATTACH', customer, method: 'pm_gone' })).toBe(false);
    expect(await holds({ action: 'DETACH', customer, method: other })).toBe(false);
    expect(await holds({ action: 'DETACH', customer, method: 'pm_gone' })).toBe(true);
    expect(await holds({ action: 'SET_DEFAULT', customer: 'cus_gone', method: null })).toBe(false);
    expect(await holds({ action: 'SET_SUBSCRIPTION_DEFAULT', customer, subscription: 'sub_gone', method: null })).toBe(false);
    stripe.updateSubscription(subscription, { default_payment_method: null });
    const unset = { action: 'SET_SUBSCRIPTION_DEFAULT', subscription, method: null } as const;
    expect(await holds({ ...unset, customer })).toBe(true);
    expect(await holds({ ...unset, customer: stranger })).toBe(false);
  });

  test.each(actions)('of %s is not told while Stripe doesn’t answer', async (action) => {
    const step = stepOf(action, shop());
    stripe.failNext(1, { kind: 'status', status: 500 });
    expect((await unavailableOf(connect().holds(step))).why).toBe('fault');
  });
});

describe('a setup', () => {
  const request = (more: Partial<SetupRequest> = {}): SetupRequest => ({
    customer: shop().customer,
    idempotencyKey: 'cru_1:setup',
    returnUrl: 'https://shop.example/confirm/return',
    cancelUrl: 'https://shop.example/confirm/cancel',
    expiresAt: new Date((stripe.now + 7_200) * 1_000),
    threeDSecure: true,
    ...more,
  });

  test('is opened as a Checkout Session of the customer, in one request as Stripe documents it', async () => {
    const asked = request();
    const { reference, url } = await connect().openSetup(asked);
    expect(url).toBe(`https://checkout.stripe.com/c/pay/${reference}`);
    expect(stripe.requests).toHaveLength(1);
    const { method, path, body, headers } = stripe.requests[0]!;
    expect([method, path, headers['idempotency-key']]).toEqual(['POST', '/v1/checkout/sessions', 'cru_1:setup']);
    expect(body).toEqual({
      mode: 'setup',
      customer: asked.customer,
      allowed_payment_method_types: ['card'],
      wallet_options: { link: { display: 'never' } },
      payment_method_options: { card: { request_three_d_secure: 'any' } },
      success_url: asked.returnUrl,
      cancel_url: asked.cancelUrl,
      expires_at: String(stripe.now + 7_200),
      metadata: { made_by: 'counterfoil' },
    });
  });

  test('asks for 3-D Secure only where it shall', async () => {
    await connect().openSetup(request({ threeDSecure: false }));
    expect(fieldNames(stripe.requests[0]!.body)).not.toContain('payment_method_options[card][request_three_d_secure]');
  });

  test.each([
    ['in a minute', 60, 60 + 35 * 60],
    ['in half an hour', 1_800, 1_800 + 35 * 60],
    ['in three quarters of an hour', 2_700, 2_700],
    ['in 23 hours', 82_800, 82_800],
    ['in a day', 86_400, 86_400],
    ['in a week', 604_800, 86_400],
  ])('that shall expire %s does so within what Stripe takes', async (_, wanted, given) => {
    const { reference } = await connect().openSetup(request({ expiresAt: new Date((stripe.now + wanted) * 1_000) }));
    expect(stripe.get(reference).expires_at).toBe(stripe.now + given);
    expect(stripe.requests).toHaveLength(1);
  });

  test('opened again with its key is the same page, however much time is left by then', async () => {
    for (const [key, left, later] of [
      ['a', 604_800, [0, 3_600, 80_000]],
      ['b', 90_000, [0, 6_000, 80_000]],
      ['c', 7_200, [0, 6_000, 7_100]],
      ['d', 600, [0, 300, 590]],
    ] as const) {
      const asked = request({ idempotencyKey: key, expiresAt: new Date((stripe.now + left) * 1_000) });
      const begin = stripe.now;
      const pages = new Set<string>();
      for (const seconds of later) {
        stripe.now = begin + seconds;
        pages.add((await connect().openSetup(asked)).url);
      }
      expect([key, pages.size, stripe.executions.filter((each) => each.key === key).length]).toEqual([key, 1, 1]);
      stripe.now = begin;
    }
  });

  test('whose key was used for something else is a mistake of the program', async () => {
    const asked = request();
    await connect().openSetup(asked);
    await expect(connect().openSetup({ ...asked, returnUrl: 'https://elsewhere.example/' })).rejects.toThrow('came again');
    expect(stripe.executions).toHaveLength(1);
  });

  test.each([
    ['cut before it was opened', { kind: 'close' }],
    ['cut after it was opened', { kind: 'close', executed: true }],
    ['half an answer', { kind: 'half' }],
    ['a page instead of JSON', { kind: 'text', status: 200, text: '<html>canary</html>', executed: true }],
    ['a fault of a proxy', { kind: 'status', status: 502, executed: true }],
  ] as const)('whose answer is lost (%s) is opened once when it is asked for again', async (_, fault) => {
    const asked = request();
    const credentials = connect({ resilience: { ...patient, retries: 2 } });
    stripe.failNext(1, fault);
    expect((await unavailableOf(credentials.openSetup(asked))).why).toBe('fault');
    expect(posts()).toHaveLength(1);
    const { reference } = await credentials.openSetup(asked);
    expect(stripe.executionsOf(reference, asked.idempotencyKey)).toBe(1);
    expect(stripe.executions).toHaveLength(1);
  });

  test('whose key Stripe keeps a fault under is opened with a key derived from it, and is one page from then on', async () => {
    const asked = request();
    const credentials = connect();
    stripe.failNext(1, { kind: 'status', status: 500, executed: true, stored: true });
    expect((await unavailableOf(credentials.openSetup(asked))).why).toBe('fault');
    const pages = [await credentials.openSetup(asked), await credentials.openSetup(asked)];
    expect(pages[0]).toEqual(pages[1]);
    expect(stripe.executionsOf(pages[0]!.reference, 'cru_1:setup~2')).toBe(1);
  });

  test('is refused where the customer is gone, and where Stripe doesn’t take it', async () => {
    expect(await refusalOf(connect().openSetup(request({ customer: 'cus_gone', idempotencyKey: 'k1' })))).toBe('CUSTOMER_GONE');
    expect(await refusalOf(connect().openSetup(request({ customer: 'a/b', idempotencyKey: 'k2' })))).toBe('CUSTOMER_GONE');
    const long = new Date((stripe.now - 86_400) * 1_000);
    expect(await refusalOf(connect().openSetup(request({ expiresAt: long, idempotencyKey: 'k3' })))).toBe('REFUSED');
    stripe.denied = [/^POST /];
    expect((await unavailableOf(connect().openSetup(request({ idempotencyKey: 'k4' })))).why).toBe('unauthorized');
  });

  test.each(['http://checkout.example/x', 'javascript:alert(1)', 'https://user:secret@checkout.example/', 'nowhere', ''])(
    'whose page is at %p is not believed',
    async (url) => {
      const asked = request();
      const body = { id: 'cs_test_1', object: 'checkout.session', mode: 'setup', customer: asked.customer, url };
      stripe.failNext(1, { kind: 'status', status: 200, body });
      expect((await unavailableOf(connect().openSetup(asked))).why).toBe('fault');
    },
  );

  test('on this machine may be without TLS, for tests', async () => {
    stripe.hostedAt = `http://127.0.0.1:${stripe.port}`;
    expect((await connect().openSetup(request())).url).toMatch(/^http:\/\/127\.0\.0\.1:/);
  });

  test('is open, then complete with its card, its country and whether its issuer authenticated the customer', async () => {
    const asked = request();
    const credentials = connect();
    const { reference } = await credentials.openSetup(asked);
    const open = { status: 'OPEN', method: null, authenticated: false };
    expect(await credentials.readSetup(reference)).toEqual(open);
    stripe.failSetup(reference);
    expect(await credentials.readSetup(reference)).toEqual(open);
    const card = { brand: 'mastercard', display_brand: 'mastercard', last4: '4444', country: 'DE' };
    const method = stripe.completeSetup(reference, card, { authenticated: true });
    const report = await credentials.readSetup(reference);
    expect(report).toEqual({
      status: 'COMPLETE',
      method: {
        reference: method.id,
        kind: 'CARD',
        brand: 'mastercard',
        last4: '4444',
        expiryMonth: 8,
        expiryYear: 2030,
        status: 'ACTIVE',
        isDefault: false,
        billingAddress: null,
        createdAt: new Date(stripe.now * 1_000),
        country: 'DE',
        fingerprint: expect.any(String),
      },
      authenticated: true,
    });
    expect(await credentials.holds({ action: 'ATTACH', customer: asked.customer, method: method.id })).toBe(true);
    // A rejected card is detached; the setup still says which it was.
    await credentials.perform({ action: 'DETACH', customer: asked.customer, method: method.id }, 'k');
    expect((await credentials.readSetup(reference)).method!.reference).toBe(method.id);
  });

  test.each([
    ['without authentication', null],
    ['with a failed one', { result: 'failed' }],
    ['with one that was only attempted', { result: 'attempt_acknowledged' }],
    ['with one that the issuer waived', { result: 'exempted' }],
    ['with a result that isn’t known', { result: 'perhaps authenticated' }],
  ])('completed %s is not authenticated', async (_, secure) => {
    const { reference } = await connect().openSetup(request());
    stripe.completeSetup(reference, {}, { authenticated: true });
    const attempt = stripe.get(String(stripe.get(String(stripe.get(reference).setup_intent)).latest_attempt));
    stripe.replace(attempt.id, { payment_method_details: { type: 'card', card: { three_d_secure: secure } } });
    expect(await connect().readSetup(reference)).toMatchObject({ status: 'COMPLETE', authenticated: false });
  });

  test('expires by hand and by time', async () => {
    const byHand = (await connect().openSetup(request({ idempotencyKey: 'a' }))).reference;
    const byTime = (await connect().openSetup(request({ idempotencyKey: 'b' }))).reference;
    stripe.expireSetup(byHand);
    stripe.now += 7_200;
    const expired = { status: 'EXPIRED', method: null, authenticated: false };
    expect([await connect().readSetup(byHand), await connect().readSetup(byTime)]).toEqual([expired, expired]);
  });

  test.each(['cs_unknown', '../customers', ''])('of reference %p is refused', async (reference) => {
    expect(await refusalOf(connect().readSetup(reference))).toBe('REFUSED');
  });

  test.each([
    ['a session that pays', { mode: 'payment' }],
    ['a session without a customer', { customer: null }],
    ['a session of an unknown state', { status: 'perhaps' }],
    ['a complete session without a card', { setup_intent: null, status: 'complete' }],
  ])('is not believed from %s', async (_, fields) => {
    const { reference } = await connect().openSetup(request());
    stripe.replace(reference, fields);
    expect((await unavailableOf(connect().readSetup(reference))).why).toBe('malformed');
  });

  test.each([
    ['isn’t a card', { type: 'us_bank_account', card: undefined }],
    ['is another customer’s', { customer: 'cus_other' }],
  ])('is not believed with a method that %s', async (_, fields) => {
    const { reference } = await connect().openSetup(request());
    stripe.replace(stripe.completeSetup(reference).id, fields);
    expect((await unavailableOf(connect().readSetup(reference))).why).toBe('malformed');
  });

  test('leads to webhooks for its customer', async () => {
    const asked = request();
    const { reference } = await connect().openSetup(asked);
    stripe.failSetup(reference);
    stripe.completeSetup(reference);
    const second = await connect().openSetup({ ...asked, idempotencyKey: 'other' });
    stripe.expireSetup(second.reference);
    const payments = new StripePayments({ source: 'shop', apiKey, webhookSecret: 'whsec_x' });
    const judged = [...stripe.events]
      .filter(({ type }) => /^(checkout|setup_intent\.(succeeded|setup_failed))/.test(String(type)))
      .map((event) =>
        payments.judgeWebhook({ ...stripe.signWebhook(event, 'whsec_x', stripe.now), now: new Date(stripe.now * 1_000) }),
      );
    expect(judged.map(({ outcome, ...rest }) => [(rest as { type: string }).type, outcome]).sort()).toEqual([
      ['checkout.session.completed', 'hint'],
      ['checkout.session.expired', 'hint'],
      ['setup_intent.setup_failed', 'hint'],
      ['setup_intent.succeeded', 'hint'],
    ]);
    for (const each of judged) expect(each).toMatchObject({ references: [asked.customer] });
  });
});

test('nothing but the projection comes out of answers that hold more', async () => {
  stripe.adornment = { canary: 'canary-value', number: '4242424242424242', cvc: '737', client_secret: 'seti_secret_canary' };
  const { customer, old } = shop();
  const credentials = connect();
  const setup = await credentials.openSetup({
    customer,
    idempotencyKey: 'k',
    returnUrl: 'https://shop.example/',
    cancelUrl: 'https://shop.example/',
    expiresAt: new Date((stripe.now + 7_200) * 1_000),
    threeDSecure: true,
  });
  stripe.completeSetup(setup.reference);
  const told = [setup, await credentials.readMethod(customer, old), await credentials.readSetup(setup.reference)];
  expect(JSON.stringify(told)).not.toMatch(/canary|4242424242424242|737|secret|jenny|example\.com/);
});

/** What Stripe documents for each path that is written to, as far as it is used here. */
const parameters: Readonly<Record<string, readonly string[]>> = {
  '/v1/payment_methods/{payment_method}/attach': ['customer'],
  '/v1/payment_methods/{payment_method}/detach': [],
  '/v1/payment_methods/{payment_method}': ['line1', 'line2', 'city', 'state', 'postal_code', 'country'].map(
    (part) => `billing_details[address][${part}]`,
  ),
  '/v1/customers/{customer}': ['invoice_settings[default_payment_method]'],
  '/v1/subscriptions/{subscription_exposed_id}': ['default_payment_method'],
  '/v1/checkout/sessions': ['mode', 'customer', 'success_url', 'cancel_url', 'expires_at', 'metadata[made_by]'],
};

/** Documented since, and in the SDK's types, which the compiler holds against what is sent. */
const newer = [
  'allowed_payment_method_types[]',
  'wallet_options[link][display]',
  'payment_method_options[card][request_three_d_secure]',
];

const templateOf = (path: string): string =>
  Object.keys(parameters).find((template) => new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(path)) ?? path;

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly additionalProperties?: unknown;
}

const documented = (schema: Schema, name = ''): readonly string[] => {
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap((each) => documented(each, name));
  if (schema.items !== undefined) return documented(schema.items, `${name}[]`);
  if (schema.properties === undefined) return [schema.additionalProperties ? `${name}[*]` : name];
  return Object.entries(schema.properties).flatMap(([inner, each]) =>
    documented(each, name === '' ? inner : `${name}[${inner}]`),
  );
};

test('every parameter that is sent is one that Stripe documents', async () => {
  const of = shop();
  const credentials = connect();
  for (const action of actions) await credentials.perform(stepOf(action, of), action);
  await credentials.openSetup({
    customer: of.customer,
    idempotencyKey: 'k',
    returnUrl: 'https://shop.example/',
    cancelUrl: 'https://shop.example/',
    expiresAt: new Date((stripe.now + 7_200) * 1_000),
    threeDSecure: true,
  });
  const sent = posts().map(({ path, body }) => [
    templateOf(path),
    fieldNames(body)
      .filter((name) => !newer.includes(name))
      .sort(),
  ]);
  expect(Object.fromEntries(sent)).toEqual(
    Object.fromEntries(Object.entries(parameters).map(([path, names]) => [path, [...names].sort()])),
  );

  // Stripe's own OpenAPI document of 2023, where somebody put it beside the checkout.
  const document = join(__dirname, '..', '..', '..', '..', '..', 'shared', 'specs', 'stripe-spec3-2023-09-12.json');
  if (!existsSync(document)) return;
  const { paths } = JSON.parse(readFileSync(document, 'utf8')) as {
    paths: Record<string, { post: { requestBody: { content: Record<string, { schema: Schema }> } } }>;
  };
  for (const [path, names] of Object.entries(parameters)) {
    const known = documented(paths[path]!.post.requestBody.content['application/x-www-form-urlencoded']!.schema);
    const unknown = names.filter((name) => !known.includes(name) && !known.includes(name.replace(/\[\w+\]$/, '[*]')));
    expect([path, unknown]).toEqual([path, []]);
  }
});
