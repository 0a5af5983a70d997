import { cardOf, type Fault, StripeShapedServer } from '../../../../test/support/stripe-shaped-server';
import { leaveBy } from '../../outgoing';
import { SourceUnavailable } from '../../source-unavailable';
import type { HoldStep } from '../payments.port';
import { StripePayments, type StripePaymentsOptions } from './stripe.connector';

const apiKey = 'rk_test_shaped';
const patient = { attemptTimeout: 20_000, retries: 0, breakAfter: 1_000, breakFor: 60_000 };
const radarLists = { block: 'blocked', review: 'looked_at', stepUp: { card: 'step_up_cards' }, added: 'counterfoil_added' };

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
    radarLists,
    ...options,
  }).holds;

const unavailableOf = async (work: Promise<unknown>): Promise<SourceUnavailable> => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SourceUnavailable);
  return error as SourceUnavailable;
};

const done = { outcome: 'done' };
const refused = { outcome: 'refused', why: 'REFUSED' };

/** Stripe’s second, `seconds` from its now. */
const inSeconds = (seconds: number) => new Date((stripe.now + seconds) * 1_000);

const shop = () => {
  const customer = stripe.createCustomer({ email: 'jenny@example.com' }).id;
  const method = stripe.attachPaymentMethod(customer).id;
  const subscription = stripe.createSubscription(customer, { default_payment_method: method }).id;
  const until = inSeconds(7_200);
  const pause: HoldStep = { action: 'PAUSE_RENEWAL', customer, subscription, until };
  const resume: HoldStep = { action: 'RESUME_RENEWAL', customer, subscription, until };
  return { customer, method, subscription, until, pause, resume };
};

const changesSent = () => stripe.requests.filter(({ method }) => method !== 'GET');

/** Ways in which an answer is lost, and whether the request was executed. */
const losses: readonly [string, Fault, boolean][] = [
  ['the connection is cut before', { kind: 'close' }, false],
  ['the connection is cut after', { kind: 'close', executed: true }, true],
  ['half an answer comes', { kind: 'half' }, true],
  ['a page comes instead', { kind: 'text', status: 200, text: '<html>canary</html>', executed: true }, true],
  ['the answer is about something else', { kind: 'status', status: 200, body: { id: 'sub_other' } }, false],
];

describe('a payment', () => {
  const authorized = (fields: object = {}, card: object = {}) => {
    const customer = stripe.createCustomer().id;
    const charge = stripe.createCharge({
      customer,
      captured: false,
      payment_method_details: { type: 'card', card: { ...cardOf(), capture_before: stripe.now + 604_800, ...card } },
    }).id;
    const fieldsOf = { customer, status: 'requires_capture', capture_method: 'manual', latest_charge: charge, ...fields };
    return { customer, charge, payment: stripe.createPaymentIntent(fieldsOf).id };
  };

  test('that is held for its capture tells until when', async () => {
    const { customer, payment } = authorized();
    const standing = { status: 'AUTHORIZED', isManualCapture: true, captureBefore: inSeconds(604_800) };
    expect(await connect().readPayment(customer, payment)).toEqual(standing);
    stripe.neverExpands = ['latest_charge'];
    expect(await connect().readPayment(customer, payment)).toEqual(standing);
  });

  test('is captured by hand where the options of what it was paid with say so', async () => {
    const optioned = authorized({ capture_method: 'automatic', payment_method_options: { card: { capture_method: 'manual' } } });
    expect(await connect().readPayment(optioned.customer, optioned.payment)).toMatchObject({ isManualCapture: true });
    const others = authorized({ capture_method: 'automatic', payment_method_options: { klarna: { capture_method: 'manual' } } });
    expect(await connect().readPayment(others.customer, others.payment)).toMatchObject({ isManualCapture: false });
    const untried = authorized({ capture_method: 'automatic_async', latest_charge: null, status: 'requires_payment_method' });
    expect(await connect().readPayment(untried.customer, untried.payment)).toEqual({
      status: 'PENDING',
      isManualCapture: false,
      captureBefore: null,
    });
  });

  test('that was captured is so, whoever captured it', async () => {
    const customer = stripe.createCustomer().id;
    const charge = stripe.createCharge({ customer }).id;
    const payment = stripe.createPaymentIntent({
      customer,
      status: 'succeeded',
      latest_charge: charge,
      amount_received: 2_000,
    }).id;
    const standing = { status: 'CAPTURED', isManualCapture: false, captureBefore: null };
    expect(await connect().readPayment(customer, payment)).toEqual(standing);
    expect(await connect().readPayment(customer, charge)).toEqual(standing);
  });

  test('without an intent waits as long as it isn’t captured', async () => {
    const { customer, charge } = authorized();
    expect(await connect().readPayment(customer, charge)).toEqual({
      status: 'AUTHORIZED',
      isManualCapture: true,
      captureBefore: inSeconds(604_800),
    });
  });

  test('of another customer, of nobody, or none at all is null, and so is what is no reference', async () => {
    const { payment, charge } = authorized();
    const guest = stripe.createPaymentIntent({ status: 'requires_capture' }).id;
    const { customer } = shop();
    for (const reference of [payment, charge, guest, 'pi_unknown', 'ch_unknown', '../customers'])
      expect([reference, await connect().readPayment(customer, reference)]).toEqual([reference, null]);
  });

  test('is read through fields that nobody knows, and nothing unexpected counts', async () => {
    stripe.adornment = { of_next_year: { nested: ['canary'] } };
    const { customer, payment } = authorized(
      { payment_method_options: { card: { capture_method: ['manual'] } }, capture_method: { any: 1 } },
      { capture_before: 'soon' },
    );
    expect(await connect().readPayment(customer, payment)).toEqual({
      status: 'AUTHORIZED',
      isManualCapture: false,
      captureBefore: null,
    });
  });

  test('isn’t gone because the key is of another account', async () => {
    const { customer, payment } = authorized();
    const known = async () => ({ customers: [customer], transactions: [payment] });
    stripe.forget(customer, payment);
    expect((await unavailableOf(connect({ known }).readPayment(customer, payment))).why).toBe('unauthorized');
  });
});

describe('renewals', () => {
  test('are the subscriptions that still charge, with when they do', async () => {
    const { customer, subscription } = shop();
    const item = (end: number) => ({ current_period_end: stripe.now + end });
    stripe.updateSubscription(subscription, { items: { object: 'list', data: [item(900), item(300)], has_more: false } });
    const older = stripe.createSubscription(customer, { current_period_end: stripe.now + 60 }).id;
    const ending = stripe.createSubscription(customer, { cancel_at_period_end: true, current_period_end: stripe.now + 60 }).id;
    const cancelled = stripe.createSubscription(customer, { cancel_at: stripe.now + 5, current_period_end: stripe.now + 60 }).id;
    const paused = stripe.createSubscription(customer, { pause_collection: { behavior: 'void', resumes_at: null } }).id;
    stripe.createSubscription(customer, { status: 'incomplete_expired' });
    stripe.createSubscription(stripe.createCustomer().id);
    const renewals = await connect().readRenewals(customer);
    expect(renewals).toHaveLength(5);
    expect(renewals).toEqual(
      expect.arrayContaining([
        { subscription, isPaused: false, renewsAt: inSeconds(300) },
        { subscription: older, isPaused: false, renewsAt: inSeconds(60) },
        { subscription: ending, isPaused: false, renewsAt: null },
        { subscription: cancelled, isPaused: false, renewsAt: null },
        { subscription: paused, isPaused: true, renewsAt: null },
      ]),
    );
  });

  test('are whole or not told', async () => {
    const { customer } = shop();
    for (let count = 1; count < 300; count += 1) stripe.createSubscription(customer);
    expect(await connect().readRenewals(customer)).toHaveLength(300);
    stripe.createSubscription(customer);
    expect((await unavailableOf(connect().readRenewals(customer))).why).toBe('malformed');
    const stranger = stripe.get(stripe.createSubscription(stripe.createCustomer().id).id);
    stripe.failNext(1, { kind: 'status', status: 200, body: { object: 'list', has_more: false, data: [stranger] } });
    expect((await unavailableOf(connect().readRenewals(customer))).why).toBe('malformed');
  });
});

describe('a renewal', () => {
  test('is paused as drafts until the hold ends, in one request with its mark, and goes on again', async () => {
    const { pause, resume, subscription, until } = shop();
    const holds = connect();
    expect([await holds.holds(pause), await holds.holds(resume)]).toEqual([false, true]);
    expect(await holds.perform(pause, 'k1')).toEqual(done);
    const at = String(until.getTime() / 1_000);
    expect(changesSent().map(({ path, body, headers }) => [path, body, headers['idempotency-key']])).toEqual([
      [
        `/v1/subscriptions/${subscription}`,
        { pause_collection: { behavior: 'keep_as_draft', resumes_at: at }, metadata: { counterfoil_paused_until: at } },
        'k1',
      ],
    ]);
    expect([await holds.holds(pause), await holds.holds(resume)]).toEqual([true, false]);
    expect(await holds.perform(resume, 'k2')).toEqual(done);
    expect(stripe.get(subscription)).toMatchObject({ pause_collection: null, metadata: {} });
    expect([await holds.holds(pause), await holds.holds(resume)]).toEqual([false, true]);
  });

  test('that is as asked is left alone', async () => {
    const { pause, resume } = shop();
    const holds = connect();
    expect(await holds.perform(resume, 'k0')).toEqual(done);
    expect(changesSent()).toEqual([]);
    await holds.perform(pause, 'k1');
    expect(await holds.perform(pause, 'k2')).toEqual(done);
    expect(changesSent()).toHaveLength(1);
  });

  test('that we paused can be paused longer, and only its newest end is ours to take back', async () => {
    const { pause, resume, subscription } = shop();
    const holds = connect();
    await holds.perform(pause, 'k1');
    const longer = { ...pause, until: inSeconds(14_400) } as HoldStep;
    expect(await holds.perform(longer, 'k2')).toEqual(done);
    expect([await holds.holds(pause), await holds.holds(longer)]).toEqual([false, true]);
    expect(await holds.perform(resume, 'k3')).toEqual(done);
    expect(stripe.get(subscription)).toMatchObject({ pause_collection: { resumes_at: stripe.now + 14_400 } });
  });

  test.each([
    ['for good', (_end: number) => ({ behavior: 'keep_as_draft', resumes_at: null })],
    ['in another way', (end: number) => ({ behavior: 'void', resumes_at: end })],
    ['until the very same second', (end: number) => ({ behavior: 'keep_as_draft', resumes_at: end })],
    ['in a way that nobody knows', (_end: number) => ({ mode: 'canary' })],
  ])('that the merchant paused %s is never touched', async (_, of) => {
    const { pause, resume, subscription, until } = shop();
    const theirs = of(until.getTime() / 1_000);
    stripe.updateSubscription(subscription, { pause_collection: theirs });
    const holds = connect();
    expect(await holds.perform(pause, 'k1')).toEqual(refused);
    expect([await holds.holds(pause), await holds.holds(resume)]).toEqual([false, true]);
    expect(await holds.perform(resume, 'k2')).toEqual(done);
    expect(changesSent()).toEqual([]);
    expect(stripe.get(subscription).pause_collection).toEqual(theirs);
  });

  test('that the merchant took over from us is theirs', async () => {
    const { pause, resume, subscription } = shop();
    const holds = connect();
    await holds.perform(pause, 'k1');
    const theirs = { behavior: 'keep_as_draft', resumes_at: stripe.now + 9_999 };
    stripe.updateSubscription(subscription, { pause_collection: theirs });
    expect(await holds.perform(resume, 'k2')).toEqual(done);
    expect(await holds.perform({ ...pause, until: inSeconds(20_000) } as HoldStep, 'k3')).toEqual(refused);
    expect(stripe.get(subscription).pause_collection).toEqual(theirs);
  });

  test('of another customer, that ended, or that isn’t there can’t be paused, and there is nothing to take back', async () => {
    const { customer, until } = shop();
    const strange = shop().subscription;
    const ended = stripe.createSubscription(customer, { status: 'canceled' }).id;
    for (const subscription of [strange, ended, 'sub_gone', '../x']) {
      const pause = { action: 'PAUSE_RENEWAL', customer, subscription, until } as const;
      const resume = { ...pause, action: 'RESUME_RENEWAL' } as const;
      expect([subscription, await connect().perform(pause, subscription)]).toEqual([subscription, refused]);
      expect(await connect().holds(pause)).toBe(false);
      expect(await connect().perform(resume, subscription)).toEqual(done);
      expect(await connect().holds(resume)).toBe(true);
    }
    expect(changesSent()).toEqual([]);
  });

  test('whose end has passed is refused by Stripe', async () => {
    const { pause } = shop();
    expect(await connect().perform({ ...pause, until: inSeconds(-1) } as HoldStep, 'k')).toEqual(refused);
  });

  describe.each(['PAUSE_RENEWAL', 'RESUME_RENEWAL'] as const)('%s', (action) => {
    const prepared = async () => {
      const { pause, resume } = shop();
      if (action === 'RESUME_RENEWAL') await connect().perform(pause, 'before');
      stripe.requests.length = 0;
      return action === 'PAUSE_RENEWAL' ? pause : resume;
    };
    const failChange = (fault: Fault) => {
      // The look before is answered properly.
      stripe.failNext(1, { kind: 'slow', milliseconds: 0 }, /subscriptions/);
      stripe.failNext(1, fault, /subscriptions/);
    };

    test.each(losses)('whose answer is lost because %s may be tried again with its key', async (_, fault, executed) => {
      const step = await prepared();
      failChange(fault);
      const holds = connect();
      expect(await holds.perform(step, 'k')).toEqual({ outcome: 'lost', keySpent: false });
      expect(changesSent()).toHaveLength(1);
      expect(await holds.holds(step)).toBe(executed);
      expect(await holds.perform(step, 'k')).toEqual(done);
      expect(await holds.holds(step)).toBe(true);
    });

    test.each([true, false])('that meets a fault which Stripe keeps (executed: %p) needs another key', async (executed) => {
      const step = await prepared();
      failChange({ kind: 'status', status: 500, executed, stored: true });
      const holds = connect();
      expect(await holds.perform(step, 'k')).toEqual({ outcome: 'lost', keySpent: true });
      expect(await holds.holds(step)).toBe(executed);
      expect(await holds.perform(step, 'another')).toEqual(done);
      expect(await holds.holds(step)).toBe(true);
    });

    test.each([
      [401, 'unauthorized'],
      [403, 'unauthorized'],
      [429, 'rate-limited'],
    ])('that Stripe answers with %p certainly had no effect', async (status, why) => {
      const step = await prepared();
      failChange({ kind: 'status', status, body: { error: { type: 'invalid_request_error', message: `${apiKey} canary` } } });
      const thrown = await unavailableOf(connect().perform(step, 'k'));
      expect(thrown).toMatchObject({ why, status });
      expect(JSON.stringify(thrown, Object.getOwnPropertyNames(thrown))).not.toMatch(/canary|rk_test/);
      expect(await connect().holds(step)).toBe(false);
    });
  });
});

describe('a list', () => {
  const lists = () => ({
    blocked: stripe.createValueList('blocked', 'customer_id').id,
    lookedAt: stripe.createValueList('looked_at', 'email').id,
    cards: stripe.createValueList('step_up_cards', 'card_fingerprint').id,
  });
  const step = (action: 'LIST' | 'UNLIST', customer: string): HoldStep => ({
    action,
    list: 'BLOCK',
    of: 'CUSTOMER',
    value: customer,
  });
  const valuesIn = (list: string) => stripe.valueListItems(list).map(({ value }) => value);
  const marks = () => stripe.valueListItems(stripe.valueListCalled('counterfoil_added')?.id ?? '');

  test('is one of those that the configuration names', () => {
    expect([...connect().lists].sort()).toEqual(['BLOCK', 'REVIEW', 'STEP_UP']);
    expect([...connect({ radarLists: { review: 'looked_at', added: 'a' } }).lists]).toEqual(['REVIEW']);
    expect([...connect({ radarLists: undefined }).lists]).toEqual([]);
  });

  test('has a customer while they are held, and nothing of them afterwards', async () => {
    const { blocked } = lists();
    const { customer } = shop();
    const holds = connect();
    expect([await holds.holds(step('LIST', customer)), await holds.holds(step('UNLIST', customer))]).toEqual([false, true]);
    expect(await holds.perform(step('LIST', customer), 'k1')).toEqual(done);
    expect(valuesIn(blocked)).toEqual([customer]);
    expect([await holds.holds(step('LIST', customer)), await holds.holds(step('UNLIST', customer))]).toEqual([true, false]);
    stripe.now += 90_000;
    expect(await holds.perform(step('UNLIST', customer), 'k2')).toEqual(done);
    expect(valuesIn(blocked)).toEqual([]);
    expect(marks()).toEqual([]);
    expect([await holds.holds(step('LIST', customer)), await holds.holds(step('UNLIST', customer))]).toEqual([false, true]);
  });

  test('is written to where all requests of the process leave by a proxy, too', async () => {
    const slot = Symbol.for('undici.globalDispatcher.1');
    const usual: unknown = Reflect.get(globalThis, slot);
    try {
      // It stands on this machine, which is reached without the proxy by the same agent.
      leaveBy({ proxy: 'http://127.0.0.1:9', except: null });
      expect(Reflect.get(globalThis, slot)).not.toBe(usual);
      const { blocked } = lists();
      const { customer } = shop();
      expect(await connect().perform(step('LIST', customer), 'k1')).toEqual(done);
      expect(valuesIn(blocked)).toEqual([customer]);
    } finally {
      Reflect.set(globalThis, slot, usual);
    }
  });

  test('has a card by what stands for its number at Stripe, and an address in small letters', async () => {
    const { cards, lookedAt } = lists();
    const { method } = shop();
    const card = { action: 'LIST', list: 'STEP_UP', of: 'CARD', value: method } as const;
    const email = { action: 'LIST', list: 'REVIEW', of: 'EMAIL', value: 'Jenny@Example.com' } as const;
    expect(await connect().perform(card, 'k1')).toEqual(done);
    expect(valuesIn(cards)).toEqual([(stripe.get(method).card as { fingerprint: string }).fingerprint]);
    expect(await connect().perform(email, 'k2')).toEqual(done);
    expect(valuesIn(lookedAt)).toEqual(['jenny@example.com']);
    expect(await connect().perform({ ...card, action: 'UNLIST' }, 'k3')).toEqual(done);
    expect(await connect().perform({ ...email, action: 'UNLIST' }, 'k4')).toEqual(done);
    expect([...valuesIn(cards), ...valuesIn(lookedAt), ...marks()]).toEqual([]);
    // Neither address nor number stands in the marks.
    const sent = changesSent().map(({ body }) => body.value);
    expect(sent.filter((value) => String(value).includes('/'))).toHaveLength(2);
    expect(sent.filter((value) => String(value).includes('/')).join()).not.toMatch(/jenny|4242/i);
  });

  test('that holds other things, isn’t configured for them, or isn’t there takes nothing', async () => {
    const { customer, method } = shop();
    const all: HoldStep[] = [
      step('LIST', customer),
      { action: 'LIST', list: 'STEP_UP', of: 'EMAIL', value: 'jenny@example.com' },
      { action: 'LIST', list: 'STEP_UP', of: 'CARD', value: 'pm_unknown' },
      { action: 'LIST', list: 'STEP_UP', of: 'CARD', value: '../x' },
      { action: 'LIST', list: 'REVIEW', of: 'CARD', value: method },
    ];
    expect(await connect().perform(all[0]!, 'k')).toEqual(refused);
    lists();
    for (const each of all.slice(1)) {
      expect([each, await connect().perform(each, 'k')]).toEqual([each, refused]);
      expect(await connect().holds(each)).toBe(false);
      expect(await connect().holds({ ...each, action: 'UNLIST' } as HoldStep)).toBe(true);
      expect(await connect().perform({ ...each, action: 'UNLIST' } as HoldStep, 'k')).toEqual(done);
    }
    const bare = connect({ radarLists: undefined });
    expect(await bare.perform(step('LIST', customer), 'k')).toEqual(refused);
    expect(changesSent()).toEqual([]);
  });

  test('keeps what the merchant had put there', async () => {
    const { blocked } = lists();
    const { customer } = shop();
    const theirs = stripe.addValueListItem(blocked, customer).id;
    stripe.now += 1;
    const holds = connect();
    expect(await holds.holds(step('LIST', customer))).toBe(true);
    expect(await holds.perform(step('LIST', customer), 'k1')).toEqual(done);
    expect(await holds.holds(step('UNLIST', customer))).toBe(true);
    expect(await holds.perform(step('UNLIST', customer), 'k2')).toEqual(done);
    expect(stripe.find(theirs)).not.toBeNull();
    expect(changesSent()).toEqual([]);
  });

  test.each([
    ['later, in place of ours', 3_600, 'jenny@example.com'],
    ['later, by an integration of theirs', 3_600, 'API'],
    ['at once, in place of ours', 1, 'jenny@example.com'],
  ])('keeps what the merchant put there %s', async (_, after, by) => {
    const { blocked } = lists();
    const { customer } = shop();
    const holds = connect();
    await holds.perform(step('LIST', customer), 'k1');
    for (const { id } of stripe.valueListItems(blocked)) stripe.removeValueListItem(id);
    stripe.now += after;
    const theirs = stripe.addValueListItem(blocked, customer, by).id;
    expect(await holds.holds(step('UNLIST', customer))).toBe(true);
    expect(await holds.perform(step('UNLIST', customer), 'k2')).toEqual(done);
    expect(stripe.find(theirs)).not.toBeNull();
    expect(marks()).toEqual([]);
  });

  test('keeps what the merchant put there between our look and our request', async () => {
    const { blocked } = lists();
    const { customer } = shop();
    const isLook = /value_list_items$/;
    let letGo: (value?: unknown) => void = () => undefined;
    // The mark is on its way when they add theirs.
    stripe.failNext(1, { kind: 'slow', milliseconds: 0 }, isLook);
    stripe.failNext(1, { kind: 'held', until: new Promise((resolve) => (letGo = resolve)) }, isLook);
    const adding = connect().perform(step('LIST', customer), 'k1');
    while (stripe.requests.filter(({ method, path }) => method === 'POST' && isLook.test(path)).length === 0)
      await new Promise(setImmediate);
    const theirs = stripe.addValueListItem(blocked, customer).id;
    letGo();
    expect(await adding).toEqual(done);
    expect(marks()).toEqual([]);
    expect(await connect().perform(step('UNLIST', customer), 'k2')).toEqual(done);
    expect(stripe.find(theirs)).not.toBeNull();
  });

  test('finds a value among those that are like it, and no other', async () => {
    const { lookedAt } = lists();
    for (let count = 0; count < 120; count += 1) stripe.addValueListItem(lookedAt, `${count}jenny@example.com`);
    const email = { action: 'LIST', list: 'REVIEW', of: 'EMAIL', value: 'jenny@example.com' } as const;
    expect(await connect().holds(email)).toBe(false);
    expect(await connect().perform(email, 'k1')).toEqual(done);
    expect(await connect().perform({ ...email, action: 'UNLIST' }, 'k2')).toEqual(done);
    expect(valuesIn(lookedAt)).toHaveLength(120);
  });

  test('that has more alike than are read is not told', async () => {
    const { lookedAt } = lists();
    for (let count = 0; count < 1_001; count += 1) stripe.addValueListItem(lookedAt, `${count}jenny@example.com`);
    const email = { action: 'LIST', list: 'REVIEW', of: 'EMAIL', value: 'jenny@example.com' } as const;
    expect((await unavailableOf(connect().perform(email, 'k'))).why).toBe('malformed');
  });

  test('that can hold nothing is found beforehand', async () => {
    const missing = ['blocked', 'looked_at', 'step_up_cards'].map((alias) => ({ alias, why: 'missing' }));
    expect(await connect().unusableLists()).toEqual(missing);
    stripe.createValueList('blocked', 'country');
    stripe.createValueList('looked_at', 'string');
    stripe.createValueList('step_up_cards', 'email');
    expect(await connect().unusableLists()).toEqual([
      { alias: 'blocked', why: 'type' },
      { alias: 'step_up_cards', why: 'type' },
    ]);
    stripe.createValueList('counterfoil_added', 'ip_address');
    expect(await connect({ radarLists: { review: 'looked_at', added: 'counterfoil_added' } }).unusableLists()).toEqual([
      { alias: 'counterfoil_added', why: 'type' },
    ]);
    expect(await connect({ radarLists: undefined }).unusableLists()).toEqual([]);
    stripe.denied = [/radar/];
    expect((await unavailableOf(connect().unusableLists())).why).toBe('unauthorized');
    expect(changesSent()).toEqual([]);
  });

  /** The n-th request about items that changes something meets the fault; those before and between are answered. */
  const failItem = (posted: 'the mark' | 'the item', fault: Fault) => {
    stripe.failNext(posted === 'the mark' ? 1 : 2, { kind: 'slow', milliseconds: 0 }, /value_list_items$/);
    stripe.failNext(1, fault, /value_list_items$/);
  };

  describe.each(['the mark', 'the item'] as const)('where the answer about %s', (which) => {
    test.each(losses)('is lost because %s, the customer stands there once in the end', async (_, fault, executed) => {
      const { blocked } = lists();
      const { customer } = shop();
      failItem(which, fault);
      const holds = connect();
      expect(await holds.perform(step('LIST', customer), 'k')).toEqual({ outcome: 'lost', keySpent: false });
      expect(await holds.holds(step('LIST', customer))).toBe(which === 'the item' && executed);
      expect(await holds.perform(step('LIST', customer), 'k')).toEqual(done);
      expect(valuesIn(blocked)).toEqual([customer]);
      expect(await holds.perform(step('UNLIST', customer), 'k2')).toEqual(done);
      expect([...valuesIn(blocked), ...marks()]).toEqual([]);
    });

    test.each([true, false])('is a fault that Stripe keeps (executed: %p), another key brings it about', async (executed) => {
      const { blocked } = lists();
      const { customer } = shop();
      failItem(which, { kind: 'status', status: 500, executed, stored: true });
      const holds = connect();
      expect(await holds.perform(step('LIST', customer), 'k/1')).toEqual({ outcome: 'lost', keySpent: true });
      // A mark that is there already announces this one too: nobody waits for it.
      expect(await holds.perform(step('LIST', customer), 'k/2')).toEqual(done);
      expect(valuesIn(blocked)).toEqual([customer]);
      expect(await holds.perform(step('UNLIST', customer), 'u')).toEqual(done);
      expect([...valuesIn(blocked), ...marks()]).toEqual([]);
    });

    test('is that we may not, nothing stands there', async () => {
      const { blocked } = lists();
      const { customer } = shop();
      failItem(which, { kind: 'status', status: 403, body: { error: { type: 'invalid_request_error', message: 'canary' } } });
      expect((await unavailableOf(connect().perform(step('LIST', customer), 'k'))).why).toBe('unauthorized');
      expect(valuesIn(blocked)).toEqual([]);
    });
  });

  test('whose mark is old when its key comes again is announced anew, so that it is ours to take back', async () => {
    const { blocked } = lists();
    const { customer } = shop();
    failItem('the item', { kind: 'close' });
    const holds = connect();
    expect(await holds.perform(step('LIST', customer), 'k/1')).toEqual({ outcome: 'lost', keySpent: false });
    stripe.now += 3_600;
    expect(await holds.perform(step('LIST', customer), 'k/1')).toEqual({ outcome: 'lost', keySpent: true });
    expect(await holds.perform(step('LIST', customer), 'k/2')).toEqual(done);
    expect(await holds.perform(step('UNLIST', customer), 'u')).toEqual(done);
    expect([...valuesIn(blocked), ...marks()]).toEqual([]);
  });

  test('that a hold announced and never wrote to is written to by the next hold at once, and ours to take back', async () => {
    const { blocked } = lists();
    const { customer } = shop();
    failItem('the item', { kind: 'close' });
    expect(await connect().perform(step('LIST', customer), 'ended/1')).toEqual({ outcome: 'lost', keySpent: false });
    stripe.now += 10;
    const holds = connect();
    expect(await holds.perform(step('LIST', customer), 'next/1')).toEqual(done);
    expect(valuesIn(blocked)).toEqual([customer]);
    stripe.now += 90_000;
    expect(await holds.holds(step('UNLIST', customer))).toBe(false);
    expect(await holds.perform(step('UNLIST', customer), 'u')).toEqual(done);
    expect([...valuesIn(blocked), ...marks()]).toEqual([]);
  });

  test('that two holds write to at the same moment has the customer once, and it is ours to take back', async () => {
    const { blocked } = lists();
    const { customer } = shop();
    const isLook = /value_list_items$/;
    let letGo: (value?: unknown) => void = () => undefined;
    // The first one's item is on its way when the second one makes it by the first one's mark.
    stripe.failNext(2, { kind: 'slow', milliseconds: 0 }, isLook);
    stripe.failNext(1, { kind: 'held', until: new Promise((resolve) => (letGo = resolve)) }, isLook);
    const posts = () => stripe.requests.filter(({ method, path }) => method === 'POST' && isLook.test(path)).length;
    const first = connect().perform(step('LIST', customer), 'first/1');
    while (posts() < 2) await new Promise(setImmediate);
    expect(await connect().perform(step('LIST', customer), 'second/1')).toEqual(done);
    letGo();
    expect(await first).toEqual(done);
    expect(valuesIn(blocked)).toEqual([customer]);
    expect(marks()).toHaveLength(1);
    expect(await connect().perform(step('UNLIST', customer), 'u')).toEqual(done);
    expect([...valuesIn(blocked), ...marks()]).toEqual([]);
  });

  test('whose mark another takes away meanwhile keeps nothing that would be nobody’s', async () => {
    const { blocked } = lists();
    const { customer } = shop();
    failItem('the item', { kind: 'close' });
    await connect().perform(step('LIST', customer), 'ended/1');
    const isLook = /value_list_items$/;
    let letGo: (value?: unknown) => void = () => undefined;
    stripe.failNext(3, { kind: 'slow', milliseconds: 0 }, isLook);
    stripe.failNext(1, { kind: 'held', until: new Promise((resolve) => (letGo = resolve)) }, isLook);
    const before = stripe.requests.length;
    const posts = () => stripe.requests.slice(before).filter(({ method, path }) => method === 'POST' && isLook.test(path)).length;
    const next = connect().perform(step('LIST', customer), 'next/1');
    while (posts() < 2) await new Promise(setImmediate);
    for (const { id } of marks()) stripe.removeValueListItem(id);
    letGo();
    expect(await next).toEqual({ outcome: 'lost', keySpent: true });
    expect(valuesIn(blocked)).toEqual([]);
    expect(await connect().perform(step('LIST', customer), 'next/2')).toEqual(done);
    expect(await connect().perform(step('UNLIST', customer), 'u')).toEqual(done);
    expect([...valuesIn(blocked), ...marks()]).toEqual([]);
  });

  test.each(losses)('from which a removal is lost because %s is empty in the end', async (_, fault, executed) => {
    const { blocked } = lists();
    const { customer } = shop();
    const holds = connect();
    await holds.perform(step('LIST', customer), 'k');
    stripe.failNext(1, fault, /value_list_items\/rsli_/);
    expect(await holds.perform(step('UNLIST', customer), 'u')).toEqual({ outcome: 'lost', keySpent: false });
    expect(await holds.holds(step('UNLIST', customer))).toBe(executed);
    expect(await holds.perform(step('UNLIST', customer), 'u')).toEqual(done);
    expect([...valuesIn(blocked), ...marks()]).toEqual([]);
  });

  test('whose own list of marks was made meanwhile, or holds something else, is told', async () => {
    lists();
    const { customer } = shop();
    stripe.createValueList('counterfoil_added', 'email');
    expect(await connect().perform(step('LIST', customer), 'k')).toEqual(refused);
    expect(changesSent()).toEqual([]);
  });
});

test('nothing that holds send is unknown to the other side, and no card number, name or secret is in it', async () => {
  stripe.createValueList('blocked', 'customer_id');
  const { pause, resume, customer } = shop();
  const holds = connect();
  for (const step of [pause, resume]) await holds.perform(step, step.action);
  const listed = { list: 'BLOCK', of: 'CUSTOMER', value: customer } as const;
  for (const action of ['LIST', 'UNLIST'] as const) await holds.perform({ action, ...listed }, action);
  const sent = changesSent();
  expect(sent.map(({ method, path }) => `${method} ${path.replace(/(sub|rsli)_\d+/, '…')}`)).toEqual([
    'POST /v1/subscriptions/…',
    'POST /v1/subscriptions/…',
    'POST /v1/radar/value_lists',
    'POST /v1/radar/value_list_items',
    'POST /v1/radar/value_list_items',
    'DELETE /v1/radar/value_list_items/…',
    'DELETE /v1/radar/value_list_items/…',
  ]);
  expect(JSON.stringify(sent.map(({ body }) => body))).not.toMatch(/4242|jenny|secret/i);
});
