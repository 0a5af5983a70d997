import { StripeShapedProcess } from '../../../../test/support/stripe-shaped-process';
import { StripePayments } from './stripe.connector';

let stripe: StripeShapedProcess;

beforeAll(async () => {
  stripe = await StripeShapedProcess.start();
});

afterAll(() => stripe.stop());

const connect = () =>
  new StripePayments({ source: 'shop', apiKey: 'rk_test_shaped', host: '127.0.0.1', port: stripe.port, protocol: 'http' });

test('a card is replaced by connectors that each live for one call, at a provider in a process of its own', async () => {
  const { id: customer } = await stripe.createCustomer();
  const { id: old } = await stripe.attachPaymentMethod(customer);
  await stripe.updateCustomer(customer, { invoice_settings: { default_payment_method: old } });
  const { reference } = await connect().credentials.openSetup({
    customer,
    idempotencyKey: 'cru_1:setup',
    returnUrl: 'https://shop.example/',
    cancelUrl: 'https://shop.example/',
    expiresAt: new Date(Date.now() + 2 * 3_600_000),
    threeDSecure: true,
  });
  const { id: method } = await stripe.completeSetup(reference, { last4: '4444' }, { authenticated: true });
  expect(await connect().credentials.readSetup(reference)).toMatchObject({
    status: 'COMPLETE',
    method: { reference: method, last4: '4444' },
    authenticated: true,
  });
  const setDefault = { action: 'SET_DEFAULT', customer, method } as const;
  await stripe.setFault(1, { kind: 'close', executed: true });
  expect(await connect().credentials.perform(setDefault, 'cru_1:1')).toEqual({ outcome: 'lost', keySpent: false });
  expect(await connect().credentials.holds(setDefault)).toBe(true);
  expect(await connect().credentials.perform(setDefault, 'cru_1:1')).toEqual({ outcome: 'done' });
  expect(await connect().credentials.perform({ action: 'DETACH', customer, method: old }, 'cru_1:2')).toEqual({
    outcome: 'done',
  });
  expect((await stripe.executions()).map(({ object, key }) => [object, key])).toEqual([
    [reference, 'cru_1:setup'],
    [customer, 'cru_1:1'],
    [old, 'cru_1:2'],
  ]);
});

test('what the control interface is asked wrongly is said by its caller', async () => {
  await expect(stripe.get('cus_never')).rejects.toThrow('has no cus_never');
});
