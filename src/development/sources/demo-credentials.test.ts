import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type PaymentChanges,
  ProviderRefused,
  type ProviderStep,
  type SetupRequest,
} from '../../upstream/payments/payments.port';
import { DemoPayments, type DemoPaymentsOptions } from './demo-payments';
import { setupCards } from './setup-cards';

const anchor = new Date('2026-08-01T00:00:00Z');
const customer = 'cus_demo_000001';
const [expired, standard, wallet] = ['pm_demo_000001_1', 'pm_demo_000001_2', 'pm_demo_000001_3'] as const;
const subscription = 'sub_demo_000001';
const address = { line1: 'Rue Imaginaire 7', line2: null, city: 'Lyon', postalCode: '69000', country: 'FR' };

let time = new Date('2026-08-01T09:00:00Z').getTime();
const clock = { now: () => new Date(time) };
beforeEach(() => {
  time = new Date('2026-08-01T09:00:00Z').getTime();
});

const provider = (options: Partial<DemoPaymentsOptions> = {}): DemoPayments =>
  new DemoPayments({
    seed: 7,
    size: 0.04,
    anchor,
    source: 'pay',
    helpdeskSource: 'desk',
    clock,
    setupUrl: (reference) => `https://provider.example/setup/${reference}`,
    ...options,
  });

const methodsOf = async (payments: DemoPayments) => (await payments.fetchCustomer(customer, new Date(0)))?.methods ?? [];
const methodOf = async (payments: DemoPayments, reference: string) =>
  (await methodsOf(payments)).find((each) => each.reference === reference);
const changesSince = async (payments: DemoPayments, cursor: string | null): Promise<PaymentChanges> => {
  for await (const batch of payments.changes(cursor)) return batch;
  throw new Error('no batch');
};

const setDefault: ProviderStep = { action: 'SET_DEFAULT', customer, method: wallet };
const request: SetupRequest = {
  customer,
  idempotencyKey: 'setup-1',
  returnUrl: 'https://gateway.example/back',
  cancelUrl: 'https://gateway.example/turned-back',
  expiresAt: new Date('2026-08-01T10:00:00Z'),
  threeDSecure: true,
};
const attached = async (payments: DemoPayments, key = 'setup-1') => {
  const { reference } = await payments.credentials.openSetup({ ...request, idempotencyKey: key });
  payments.credentials.enterCard(reference, 'visa', null);
  const method = (await payments.credentials.readSetup(reference)).method?.reference ?? '';
  await payments.credentials.perform({ action: 'ATTACH', customer, method }, `attach-${key}`);
  return method;
};
const actions = (payments: DemoPayments) => payments.credentials.executions.map(({ action, key }) => `${action} ${key}`);

describe('a method is read', () => {
  test('with the default one and the subscriptions that charge it', async () => {
    const standing = await provider().credentials.readMethod(customer, expired);
    expect(standing).toMatchObject({
      method: { reference: expired, status: 'EXPIRED', isDefault: false },
      defaultMethod: standard,
      subscriptions: [{ reference: subscription, method: standard }],
    });
  });

  test.each([
    ['another’s', customer, 'pm_demo_000002_1'],
    ['one that there isn’t', customer, 'pm_demo_000001_9'],
    ['one of nobody', 'cus_demo_999999', standard],
  ])('as null when it is %s', async (_what, whose, method) => {
    expect(await provider().credentials.readMethod(whose, method)).toBeNull();
  });
});

describe('a step', () => {
  test.each<[ProviderStep]>([
    [setDefault],
    [{ action: 'SET_DEFAULT', customer, method: null }],
    [{ action: 'SET_SUBSCRIPTION_DEFAULT', customer, subscription, method: wallet }],
    [{ action: 'SET_SUBSCRIPTION_DEFAULT', customer, subscription, method: null }],
    [{ action: 'SET_ADDRESS', customer, method: standard, address }],
    [{ action: 'DETACH', customer, method: wallet }],
  ])('holds once it was done, and is told as a change: %j', async (step) => {
    const payments = provider();
    const { cursor } = await changesSince(payments, null);
    expect(await payments.credentials.holds(step)).toBe(false);
    expect(await payments.credentials.perform(step, 'key')).toEqual({ outcome: 'done' });
    expect(await payments.credentials.holds(step)).toBe(true);
    expect((await changesSince(payments, cursor)).customers).toEqual([customer]);
    expect(payments.credentials.executions).toMatchObject([{ action: step.action, customer, method: step.method, key: 'key' }]);
  });

  test('moves the default, writes an address, takes a method away, for whoever reads next', async () => {
    const payments = provider();
    await payments.credentials.perform(setDefault, 'a');
    await payments.credentials.perform({ action: 'SET_ADDRESS', customer, method: wallet, address }, 'b');
    await payments.credentials.perform({ action: 'DETACH', customer, method: expired }, 'c');
    expect((await methodsOf(payments)).map((each) => [each.reference, each.isDefault, each.billingAddress?.line1])).toEqual([
      [standard, false, expect.not.stringContaining('Rue Imaginaire 7')],
      [wallet, true, 'Rue Imaginaire 7'],
    ]);
  });

  test('that empties an address leaves none', async () => {
    const payments = provider();
    const empty = { line1: null, line2: null, city: null, postalCode: null, country: null };
    await payments.credentials.perform({ action: 'SET_ADDRESS', customer, method: standard, address: empty }, 'a');
    expect((await methodOf(payments, standard))?.billingAddress).toBeNull();
  });

  test.each<[ProviderStep, string]>([
    [{ action: 'SET_DEFAULT', customer: 'cus_demo_999999', method: null }, 'CUSTOMER_GONE'],
    [{ action: 'SET_DEFAULT', customer, method: 'pm_demo_000002_1' }, 'METHOD_GONE'],
    [{ action: 'ATTACH', customer, method: 'pm_demo_nobody' }, 'METHOD_GONE'],
    [{ action: 'SET_SUBSCRIPTION_DEFAULT', customer, subscription: 'sub_demo_000002', method: wallet }, 'REFUSED'],
    [{ action: 'SET_SUBSCRIPTION_DEFAULT', customer, subscription, method: 'pm_demo_000002_1' }, 'METHOD_GONE'],
    [{ action: 'SET_ADDRESS', customer, method: standard, address: { ...address, country: 'France' } }, 'ADDRESS_REFUSED'],
    [{ action: 'DETACH', customer, method: standard }, 'METHOD_IN_USE'],
    [{ action: 'DETACH', customer, method: 'pm_demo_000002_1' }, 'METHOD_GONE'],
  ])('that can’t be done is refused and changes nothing: %j', async (step, why) => {
    const payments = provider();
    const { cursor } = await changesSince(payments, null);
    const before = await methodsOf(payments);
    expect(await payments.credentials.perform(step, 'key')).toEqual({ outcome: 'refused', why });
    expect(await methodsOf(payments)).toEqual(before);
    expect((await changesSince(payments, cursor)).customers).toEqual([]);
    expect(payments.credentials.executions).toEqual([]);
  });

  test('detaches what a subscription charged once that charges another', async () => {
    const payments = provider();
    await payments.credentials.perform({ action: 'SET_SUBSCRIPTION_DEFAULT', customer, subscription, method: null }, 'a');
    const detach: ProviderStep = { action: 'DETACH', customer, method: standard };
    expect(await payments.credentials.perform(detach, 'b')).toEqual({ outcome: 'refused', why: 'METHOD_IN_USE' });
    await payments.credentials.perform(setDefault, 'c');
    expect(await payments.credentials.perform(detach, 'd')).toEqual({ outcome: 'done' });
  });

  test('never reaches a provider that is down', async () => {
    const payments = provider();
    payments.goDown();
    const down = { name: 'SourceUnavailable', why: 'refused' };
    await expect(payments.credentials.perform(setDefault, 'a')).rejects.toMatchObject(down);
    await expect(payments.credentials.holds(setDefault)).rejects.toMatchObject(down);
    await expect(payments.credentials.readMethod(customer, wallet)).rejects.toMatchObject(down);
    await expect(payments.credentials.openSetup(request)).rejects.toMatchObject(down);
    payments.comeBack();
    expect(payments.credentials.executions).toEqual([]);
    expect(await payments.credentials.holds(setDefault)).toBe(false);
  });
});

describe('an idempotency key', () => {
  test('does a thing once, and answers the same again', async () => {
    const payments = provider();
    for (let times = 0; times < 3; times += 1)
      expect(await payments.credentials.perform(setDefault, 'once')).toEqual({ outcome: 'done' });
    expect(actions(payments)).toEqual(['SET_DEFAULT once']);
    await payments.credentials.perform(setDefault, 'twice');
    expect(actions(payments)).toEqual(['SET_DEFAULT once', 'SET_DEFAULT twice']);
  });

  test('repeats a refusal though the reason for it has gone', async () => {
    const payments = provider();
    const detach: ProviderStep = { action: 'DETACH', customer, method: standard };
    await payments.credentials.perform(detach, 'key');
    await payments.credentials.perform({ action: 'SET_SUBSCRIPTION_DEFAULT', customer, subscription, method: wallet }, 'a');
    expect(await payments.credentials.perform(detach, 'key')).toEqual({ outcome: 'refused', why: 'METHOD_IN_USE' });
    expect(await payments.credentials.perform(detach, 'another')).toEqual({ outcome: 'done' });
  });

  test('is a mistake when it comes with something else, however that is written', async () => {
    const { credentials } = provider();
    await credentials.perform({ action: 'SET_ADDRESS', customer, method: standard, address }, 'key');
    const reordered = { address: { ...Object.fromEntries(Object.entries(address).reverse()) } as typeof address };
    expect(await credentials.perform({ ...reordered, method: standard, customer, action: 'SET_ADDRESS' }, 'key')).toEqual({
      outcome: 'done',
    });
    await expect(credentials.perform(setDefault, 'key')).rejects.toThrow('for something else');
    await expect(credentials.openSetup({ ...request, idempotencyKey: 'key' })).rejects.toThrow('for something else');
  });

  test('is forgotten after a day, as providers do', async () => {
    const payments = provider();
    await payments.credentials.perform(setDefault, 'key');
    time += 24 * 3_600_000 + 1;
    await payments.credentials.perform({ action: 'SET_DEFAULT', customer, method: standard }, 'another');
    expect(await payments.credentials.perform(setDefault, 'key')).toEqual({ outcome: 'done' });
    expect(actions(payments)).toEqual(['SET_DEFAULT key', 'SET_DEFAULT another', 'SET_DEFAULT key']);
  });
});

describe('a fault that was switched on', () => {
  test('refuses as often as it was told, and remembers the refusal under the key', async () => {
    const payments = provider();
    payments.credentials.refuse('CARD_DECLINED', 2);
    const declined = { outcome: 'refused', why: 'CARD_DECLINED' };
    expect(await payments.credentials.perform(setDefault, 'a')).toEqual(declined);
    expect(await payments.credentials.perform(setDefault, 'a')).toEqual(declined);
    expect(payments.credentials.switchedOn).toMatchObject([{ kind: 'refuse', times: 1 }]);
    expect(await payments.credentials.perform(setDefault, 'b')).toEqual(declined);
    expect(payments.credentials.switchedOn).toEqual([]);
    expect(await payments.credentials.holds(setDefault)).toBe(false);
    expect(await payments.credentials.perform(setDefault, 'c')).toEqual({ outcome: 'done' });
    expect(actions(payments)).toEqual(['SET_DEFAULT c']);
  });

  test.each([true, false])('loses an answer (executed: %s), and the same key finds out', async (executed) => {
    const payments = provider();
    payments.credentials.loseAnswers(1, { executed });
    expect(await payments.credentials.perform(setDefault, 'key')).toEqual({ outcome: 'lost', keySpent: false });
    expect(await payments.credentials.holds(setDefault)).toBe(executed);
    expect(await payments.credentials.perform(setDefault, 'key')).toEqual({ outcome: 'done' });
    expect(actions(payments)).toEqual(['SET_DEFAULT key']);
  });

  test.each([true, false])('spoils a key for good (executed: %s)', async (executed) => {
    const payments = provider();
    payments.credentials.spoilKeys(1, { executed });
    const spoilt = { outcome: 'lost', keySpent: true };
    expect(await payments.credentials.perform(setDefault, 'key')).toEqual(spoilt);
    expect(await payments.credentials.perform(setDefault, 'key')).toEqual(spoilt);
    expect(await payments.credentials.holds(setDefault)).toBe(executed);
    expect(actions(payments)).toEqual(executed ? ['SET_DEFAULT key'] : []);
    expect(await payments.credentials.perform(setDefault, 'another')).toEqual({ outcome: 'done' });
  });

  test('befalls the opening of a card page only where that was asked for', async () => {
    const payments = provider();
    payments.credentials.refuse('NOT_PERMITTED', 1, 'setups');
    payments.credentials.loseAnswers(1, { executed: true, of: 'setups' });
    expect(await payments.credentials.perform(setDefault, 'step')).toEqual({ outcome: 'done' });
    await expect(payments.credentials.openSetup(request)).rejects.toEqual(new ProviderRefused('pay', 'NOT_PERMITTED'));
    const second = { ...request, idempotencyKey: 'setup-2' };
    await expect(payments.credentials.openSetup(second)).rejects.toMatchObject({ name: 'SourceUnavailable', why: 'timeout' });
    await payments.credentials.openSetup(second);
    expect(actions(payments)).toEqual(['SET_DEFAULT step', 'OPEN_SETUP setup-2']);
  });

  test('is switched off again', async () => {
    const payments = provider();
    payments.credentials.refuse('REFUSED', 9);
    payments.credentials.spoilKeys(9);
    payments.credentials.clearFaults();
    expect(await payments.credentials.perform(setDefault, 'key')).toEqual({ outcome: 'done' });
    expect(() => payments.credentials.refuse('REFUSED', 0)).toThrow('at least once');
  });
});

describe('a card page', () => {
  test('is opened once a key, under a reference that can’t be guessed', async () => {
    const { credentials } = provider();
    const first = await credentials.openSetup(request);
    expect(first.reference).toMatch(/^cs_demo_[\w-]{43}$/);
    expect(first.url).toBe(`https://provider.example/setup/${first.reference}`);
    expect(await credentials.openSetup(request)).toEqual(first);
    expect((await credentials.openSetup({ ...request, idempotencyKey: 'setup-2' })).reference).not.toBe(first.reference);
    expect(await credentials.readSetup(first.reference)).toEqual({ status: 'OPEN', method: null, authenticated: false });
  });

  test('is refused for a customer that there isn’t, and for a reference that isn’t one', async () => {
    const { credentials } = provider();
    await expect(credentials.openSetup({ ...request, customer: 'cus_demo_999999' })).rejects.toMatchObject({
      why: 'CUSTOMER_GONE',
    });
    for (const reference of ['', 'cs_demo_', '__proto__', 'constructor']) {
      await expect(credentials.readSetup(reference)).rejects.toMatchObject({ name: 'ProviderRefused' });
      expect(credentials.setupPage(reference)).toBeNull();
      expect(() => credentials.enterCard(reference, 'visa', null)).toThrow(ProviderRefused);
    }
  });

  test('gives a card that is the customer’s only once it was attached', async () => {
    const payments = provider();
    const { reference } = await payments.credentials.openSetup(request);
    expect(payments.credentials.enterCard(reference, 'abroad', null)).toBe('complete');
    const { status, method, authenticated } = await payments.credentials.readSetup(reference);
    expect({ status, authenticated }).toEqual({ status: 'COMPLETE', authenticated: true });
    expect(method).toMatchObject({ kind: 'CARD', brand: 'visa', last4: '8001', country: 'MX', isDefault: false });
    const entered = method?.reference ?? '';
    expect(await methodOf(payments, entered)).toBeUndefined();
    expect(await payments.credentials.readMethod(customer, entered)).toBeNull();
    const theft = await payments.credentials.perform({ action: 'ATTACH', customer: 'cus_demo_000002', method: entered }, 'a');
    expect(theft).toEqual({ outcome: 'refused', why: 'METHOD_GONE' });
    expect(await payments.credentials.perform({ action: 'ATTACH', customer, method: entered }, 'b')).toEqual({ outcome: 'done' });
    expect(await methodOf(payments, entered)).toMatchObject({ last4: '8001', isDefault: false });
  });

  test('whose card was given up, or detached, gives it to nobody any more', async () => {
    const payments = provider();
    const { reference } = await payments.credentials.openSetup(request);
    payments.credentials.enterCard(reference, 'visa', null);
    const method = (await payments.credentials.readSetup(reference)).method?.reference ?? '';
    expect(await payments.credentials.perform({ action: 'DETACH', customer, method }, 'a')).toEqual({ outcome: 'done' });
    const gone = { outcome: 'refused', why: 'METHOD_GONE' };
    expect(await payments.credentials.perform({ action: 'ATTACH', customer, method }, 'b')).toEqual(gone);
    const second = await attached(payments, 'setup-2');
    await payments.credentials.perform({ action: 'DETACH', customer, method: second }, 'c');
    expect(await payments.credentials.perform({ action: 'ATTACH', customer, method: second }, 'd')).toEqual(gone);
  });

  test.each([
    ['visa', true, null, 'complete', true],
    ['visa', false, null, 'complete', false],
    ['challenged', false, null, 'ask', false],
    ['challenged', true, 'approves', 'complete', true],
    ['challenged', true, 'refuses', 'not-authenticated', false],
    ['unauthenticated', true, null, 'complete', false],
    ['unauthenticated', true, 'approves', 'complete', false],
    ['declined', true, null, 'declined', false],
    ['declined', true, 'approves', 'declined', false],
  ] as const)('%s, 3-D Secure asked for: %s, holder: %s → %s', async (card, threeDSecure, holder, outcome, authenticated) => {
    const { credentials } = provider();
    const { reference } = await credentials.openSetup({ ...request, threeDSecure });
    expect(credentials.enterCard(reference, card, holder)).toBe(outcome);
    const report = await credentials.readSetup(reference);
    expect(report).toMatchObject({ status: outcome === 'complete' ? 'COMPLETE' : 'OPEN', authenticated });
    expect(report.method?.last4 ?? null).toBe(outcome === 'complete' ? setupCards[card].last4 : null);
  });

  test('takes no second card, and none after its time', async () => {
    const { credentials } = provider();
    const first = await credentials.openSetup(request);
    credentials.enterCard(first.reference, 'visa', null);
    const { method } = await credentials.readSetup(first.reference);
    expect(credentials.enterCard(first.reference, 'mastercard', null)).toBe('ended');
    expect((await credentials.readSetup(first.reference)).method).toEqual(method);
    const late = await credentials.openSetup({ ...request, idempotencyKey: 'setup-2' });
    time = request.expiresAt.getTime();
    expect(credentials.enterCard(late.reference, 'visa', null)).toBe('ended');
    expect((await credentials.readSetup(late.reference)).status).toBe('EXPIRED');
    expect((await credentials.readSetup(first.reference)).status).toBe('COMPLETE');
  });
});

describe('the state file', () => {
  let folder = '';
  let stateFile = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'counterfoil-demo-'));
    stateFile = join(folder, 'data', 'demo-pay.json');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('carries everything over a restart: methods, subscriptions, addresses, keys, card pages, what was executed, what is to be told', async () => {
    const before = provider({ stateFile });
    const { cursor } = await changesSince(before, null);
    time += 1_000;
    const method = await attached(before);
    await before.credentials.perform({ action: 'SET_DEFAULT', customer, method }, 'a');
    await before.credentials.perform({ action: 'SET_SUBSCRIPTION_DEFAULT', customer, subscription, method }, 'b');
    await before.credentials.perform({ action: 'SET_ADDRESS', customer, method, address }, 'c');
    await before.credentials.perform({ action: 'DETACH', customer, method: standard }, 'd');
    await before.credentials.perform({ action: 'DETACH', customer, method: standard }, 'e');
    const open = await before.credentials.openSetup({ ...request, idempotencyKey: 'setup-2' });

    const after = provider({ stateFile });
    expect(await methodsOf(after)).toEqual(await methodsOf(before));
    expect(await methodOf(after, method)).toMatchObject({ isDefault: true, billingAddress: address, createdAt: clock.now() });
    expect(await after.credentials.readMethod(customer, method)).toEqual(await before.credentials.readMethod(customer, method));
    expect(await after.credentials.perform({ action: 'DETACH', customer, method: standard }, 'd')).toEqual({ outcome: 'done' });
    expect(await after.credentials.perform({ action: 'DETACH', customer, method: standard }, 'e')).toEqual({
      outcome: 'refused',
      why: 'METHOD_GONE',
    });
    expect(after.credentials.executions).toEqual(before.credentials.executions);
    expect(after.credentials.executions).toHaveLength(7);
    expect(after.credentials.enterCard(open.reference, 'mastercard', null)).toBe('complete');
    expect((await changesSince(after, cursor)).customers).toEqual([customer]);
  });

  test('holds a change before anybody is told of it: who is killed in between finds it', async () => {
    const killed = provider({ stateFile });
    killed.credentials.loseAnswers(1, { executed: true });
    expect(await killed.credentials.perform(setDefault, 'key')).toEqual({ outcome: 'lost', keySpent: false });
    const next = provider({ stateFile });
    expect(await next.credentials.holds(setDefault)).toBe(true);
    expect(await next.credentials.perform(setDefault, 'key')).toEqual({ outcome: 'done' });
    expect(actions(next)).toEqual(['SET_DEFAULT key']);
  });

  test('is replaced whole and readable by its owner only; what a killed process left beside it is no harm', async () => {
    const first = provider({ stateFile });
    await first.credentials.perform(setDefault, 'key');
    expect(readdirSync(join(folder, 'data'))).toEqual(['demo-pay.json']);
    expect(statSync(stateFile).mode & 0o777).toBe(0o600);
    writeFileSync(`${stateFile}.part`, '{"version":1,"accounts":[');
    const second = provider({ stateFile });
    expect(await second.credentials.holds(setDefault)).toBe(true);
    await second.credentials.perform({ action: 'SET_DEFAULT', customer, method: standard }, 'back');
    expect(await provider({ stateFile }).credentials.holds(setDefault)).toBe(false);
  });

  test('that can’t be written leaves everything as it was', async () => {
    const payments = provider({ stateFile });
    mkdirSync(`${stateFile}.part`, { recursive: true });
    await expect(payments.credentials.perform(setDefault, 'key')).rejects.toMatchObject({
      name: 'SourceUnavailable',
      why: 'fault',
    });
    expect(await payments.credentials.holds(setDefault)).toBe(false);
    expect(payments.credentials.executions).toEqual([]);
  });

  test('is read again when another process replaced it', async () => {
    const [one, other] = [provider({ stateFile }), provider({ stateFile })];
    const { cursor } = await changesSince(other, null);
    await one.credentials.perform(setDefault, 'a');
    expect(await other.credentials.holds(setDefault)).toBe(true);
    expect((await changesSince(other, cursor)).customers).toEqual([customer]);
    await other.credentials.perform({ action: 'SET_ADDRESS', customer, method: wallet, address }, 'b');
    expect(actions(one)).toEqual(['SET_DEFAULT a', 'SET_ADDRESS b']);
  });

  test('of another merchant is no state of this one; none is no state', async () => {
    expect(existsSync(stateFile)).toBe(false);
    expect(provider({ stateFile }).credentials.executions).toEqual([]);
    await provider({ stateFile }).credentials.perform(setDefault, 'key');
    const other = provider({ stateFile, seed: 8 });
    expect(other.credentials.executions).toEqual([]);
    expect(await other.credentials.holds(setDefault)).toBe(false);
  });

  test.each([
    ['half of it', (text: string) => text.slice(0, text.length / 2)],
    ['nothing', () => ''],
    ['another thing', () => '{"secret":"canary"}'],
    ['a number as a method', (text: string) => text.replace(/"methods":\[/, '"methods":[4242,')],
  ])('is refused when it holds %s, by name and without its content', async (_what, damage) => {
    const running = provider({ stateFile });
    await running.credentials.perform(setDefault, 'key');
    writeFileSync(stateFile, damage(readFileSync(stateFile, 'utf8')));
    expect(() => provider({ stateFile })).toThrow(
      `${stateFile} is not the state of the demo payment provider, or was damaged. Delete it: what was changed at the demo provider is forgotten then.`,
    );
    await expect(running.credentials.perform(setDefault, 'more')).rejects.toMatchObject({ why: 'malformed' });
  });

  test('stays small: what was executed longest ago is dropped', async () => {
    const payments = provider();
    for (let number = 0; number < 1_005; number += 1) await payments.credentials.perform(setDefault, `key-${number}`);
    expect(payments.credentials.executions).toHaveLength(1_000);
    expect(payments.credentials.executions[0]?.key).toBe('key-5');
  });
});
