import { DemoPayments } from './demo-payments';

const anchor = new Date('2026-08-01T00:00:00Z');
const longAgo = new Date(0);

const provider = (helpdeskSource = 'desk') => {
  let time = new Date('2026-08-01T09:00:00Z').getTime();
  const clock = { now: () => new Date(time), pass: (milliseconds: number) => (time += milliseconds) };
  return { clock, payments: new DemoPayments({ seed: 7, size: 0.04, anchor, source: 'pay', helpdeskSource, clock }) };
};

const only = async <T>(stream: AsyncIterable<T>): Promise<T> => {
  const all: T[] = [];
  for await (const each of stream) all.push(each);
  expect(all).toHaveLength(1);
  return all[0] as T;
};
const references = (found: readonly { reference: string }[]) => found.map((each) => each.reference);

describe('findCustomers', () => {
  test('finds by metadata, by e-mail in any case, and both of two who share one', async () => {
    const { payments } = provider();
    const emailOf = (customer: number) => payments.merchant.helpdeskCustomer(customer).email;
    const find = async (helpdeskReference: string, email: string | null) =>
      references(await payments.findCustomers({ helpdeskReference, email }));
    expect(await find('desk:hc-1', null)).toEqual(['cus_demo_000001']);
    expect(await find('desk:hc-1', emailOf(1))).toEqual(['cus_demo_000001']);
    expect(await find('desk:hc-2', null)).toEqual([]);
    expect(await find('desk:hc-2', emailOf(2)?.toUpperCase() ?? '')).toEqual(['cus_demo_000002']);
    expect(await find('desk:hc-3', emailOf(3))).toEqual(['cus_demo_000003', 'cus_demo_000004']);
    expect(await find('desk:hc-1', emailOf(2))).toEqual(['cus_demo_000001', 'cus_demo_000002']);
  });

  test.each([
    'hc-1',
    'other:hc-1',
    'desk:',
    'desk:hc-01',
    'desk:hc-0',
    'desk:hc-201',
    'desk:hc-1 ',
    'DESK:hc-1',
    'desk:desk:hc-1',
    '',
  ])('%j names nobody', async (helpdeskReference) => {
    expect(await provider().payments.findCustomers({ helpdeskReference, email: null })).toEqual([]);
  });

  test('a plus-tag or a dot makes another address', async () => {
    const { payments } = provider();
    const email = payments.merchant.paymentCustomer(2, 'desk').email ?? '';
    for (const other of [email.replace('@', '+x@'), email.replace('.', ''), email.replace('example', 'examp1e')]) {
      expect(await payments.findCustomers({ helpdeskReference: 'desk:hc-2', email: other })).toEqual([]);
    }
  });
});

describe('fetchCustomer', () => {
  test('gives the customer with methods and the transactions since a day, as the merchant has them', async () => {
    const { payments, clock } = provider();
    const snapshot = await payments.fetchCustomer('cus_demo_000001', longAgo);
    expect(snapshot).toEqual({
      customer: payments.merchant.paymentCustomer(1, 'desk'),
      methods: payments.merchant.methods(1),
      transactions: payments.merchant.transactionsOf(1),
      asOf: clock.now(),
    });
    const since = snapshot?.transactions[7]?.createdAt ?? longAgo;
    const recent = await payments.fetchCustomer('cus_demo_000001', since);
    expect(recent?.transactions).toEqual(snapshot?.transactions.slice(7));
  });

  test.each([
    '',
    'cus_demo_1',
    'cus_demo_000000',
    'cus_demo_000201',
    'cus_demo_0000001',
    'cus_demo_-00001',
    'cus_000001',
    '__proto__',
  ])('there is no customer %j', async (reference) => {
    expect(await provider().payments.fetchCustomer(reference, longAgo)).toBeNull();
  });
});

describe('a change', () => {
  test('is told once, by the customer’s reference, and nothing is told before', async () => {
    const { payments, clock } = provider();
    const start = await only(payments.changes(null));
    expect(start).toMatchObject({ customers: [], complete: true });
    clock.pass(1_000);
    const added = payments.addTransaction('cus_demo_000002', { amount: 1_299, status: 'DECLINED', declineCode: 'do_not_honor' });
    expect(added).toMatchObject({ currency: 'EUR', createdAt: clock.now(), reference: 'ch_demo_000002_013' });
    const next = await only(payments.changes(start.cursor));
    expect(next.customers).toEqual(['cus_demo_000002']);
    expect((await only(payments.changes(next.cursor))).customers).toEqual([]);
    expect((await payments.fetchCustomer('cus_demo_000002', longAgo))?.transactions.at(-1)).toEqual(added);
    expect((await only(payments.changes(null))).customers).toEqual([]);
  });

  test('of a method keeps one default and its own reference', async () => {
    const { payments } = provider();
    const changed = payments.changeMethod('cus_demo_000001', 'pm_demo_000001_3', { isDefault: true, expiryYear: 2031 });
    const methods = (await payments.fetchCustomer('cus_demo_000001', longAgo))?.methods ?? [];
    expect(methods.filter((each) => each.isDefault)).toEqual([changed]);
    expect(changed).toMatchObject({ reference: 'pm_demo_000001_3', expiryYear: 2031 });
  });

  test('of somebody who doesn’t exist, or with another customer’s method, is a mistake of the program and is not told', async () => {
    const { payments } = provider();
    const { cursor } = await only(payments.changes(null));
    expect(() => payments.addTransaction('cus_nobody', { amount: 1, status: 'CAPTURED' })).toThrow('no such customer');
    expect(() => payments.changeMethod('cus_demo_000001', 'pm_demo_000002_1', {})).toThrow('no such method');
    expect(() =>
      payments.addTransaction('cus_demo_000001', { amount: 1, status: 'CAPTURED', paymentMethodReference: 'pm_demo_000002_1' }),
    ).toThrow('no such method');
    expect((await only(payments.changes(cursor))).customers).toEqual([]);
  });
});

test('a provider that is down fails every call, and the cursor of another merchant is refused', async () => {
  const { payments } = provider();
  const { cursor } = await only(payments.changes(null));
  payments.goDown();
  const down = { name: 'SourceUnavailable', source: 'pay', why: 'refused' };
  await expect(payments.ping()).rejects.toMatchObject(down);
  await expect(payments.fetchCustomer('cus_demo_000001', longAgo)).rejects.toMatchObject(down);
  await expect(payments.findCustomers({ helpdeskReference: 'desk:hc-1', email: null })).rejects.toMatchObject(down);
  await expect(only(payments.changes(cursor))).rejects.toMatchObject(down);
  payments.comeBack();
  await expect(payments.ping()).resolves.toBeUndefined();
  const other = new DemoPayments({ seed: 8, size: 0.04, anchor, source: 'pay', helpdeskSource: 'desk' });
  await expect(only(other.changes(cursor))).rejects.toMatchObject({ why: 'malformed' });
});

test('a webhook that claims to come from the demo is rejected', () => {
  expect(provider().payments.judgeWebhook().outcome).toBe('rejected');
});
