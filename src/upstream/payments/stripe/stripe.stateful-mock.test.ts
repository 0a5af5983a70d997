import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';
import { StripePayments } from './stripe.connector';

interface MockCharge {
  readonly id: string;
  customer: string | null;
  readonly source: { readonly customer: string | null } | null;
}

// The package has no types.
const { createExpressApp } = require('stripe-stateful-mock') as { createExpressApp: () => RequestListener };
const { charges } = require('stripe-stateful-mock/dist/api/charges') as {
  charges: { list: (account: string, page: object) => { data: MockCharge[]; has_more: boolean } };
};

/**
 * `stripe-stateful-mock` knows customers, their cards as sources, charges and refunds of API version 2020-08-27. What it
 * doesn't know (search, payment methods, PaymentIntents) is answered by an empty list in front of it.
 */
const unknownToTheMock = /^\/v1\/(customers\/search|customers\/[^/]+\/payment_methods|payment_intents)(\?|$)/;

/** The mock filters charges by customer but never writes the customer into a charge; its card knows. */
const nameCustomers = (): void => {
  for (let after: string | undefined, more = true; more; ) {
    const page = charges.list('acct_default', { limit: '100', ...(after === undefined ? {} : { starting_after: after }) });
    for (const charge of page.data) charge.customer = charge.source?.customer ?? null;
    after = page.data.at(-1)?.id;
    more = page.has_more;
  }
};

const longAgo = new Date('2020-01-01T00:00:00Z');
let server: Server;
let merchant: Stripe;
let connector: StripePayments;

beforeAll(async () => {
  const mock = createExpressApp();
  server = createServer((request, response) => {
    nameCustomers();
    if (!unknownToTheMock.test(request.url ?? '')) return mock(request, response);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ object: 'list', data: [], has_more: false }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const where = { host: '127.0.0.1', port, protocol: 'http' } as const;
  merchant = new Stripe('sk_test_merchant', { ...where, maxNetworkRetries: 0, telemetry: false });
  connector = new StripePayments({
    source: 'shop',
    apiKey: 'sk_test_merchant',
    url: `http://127.0.0.1:${port}`,
    resilience: { retries: 0 },
  });
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test('a customer made through the API is found by e-mail and fetched', async () => {
  const made = await merchant.customers.create({ email: 'mock@example.com', metadata: { helpdesk_customer: 'rt:42' } });
  await merchant.customers.create({ email: 'other@example.com' });
  const record = {
    reference: made.id,
    email: 'mock@example.com',
    displayName: null,
    phone: null,
    helpdeskReference: 'rt:42',
    createdAt: new Date(made.created * 1_000),
  };
  expect(await connector.findCustomers({ helpdeskReference: 'rt:42', email: 'Mock@Example.com' })).toEqual([record]);
  expect(await connector.fetchCustomer(made.id, longAgo)).toMatchObject({ customer: record, methods: [], transactions: [] });
});

test('a charge goes through the states of a payment', async () => {
  const { id } = await merchant.customers.create({ source: 'tok_visa' });
  const { id: reference } = await merchant.charges.create({ amount: 2_000, currency: 'usd', customer: id, capture: false });
  const shown = async () =>
    (await connector.fetchCustomer(id, longAgo))!.transactions.map(({ status, amount, currency }) => [status, amount, currency]);
  expect(await shown()).toEqual([['AUTHORIZED', 2_000, 'USD']]);
  await merchant.charges.capture(reference);
  expect(await shown()).toEqual([['CAPTURED', 2_000, 'USD']]);
  await merchant.refunds.create({ charge: reference, amount: 500 });
  expect(await shown()).toEqual([['PARTIALLY_REFUNDED', 2_000, 'USD']]);
  await merchant.refunds.create({ charge: reference, amount: 1_500 });
  expect(await shown()).toEqual([['REFUNDED', 2_000, 'USD']]);
});

test('a decline keeps its code and its risk, and has no country of its own', async () => {
  const { id } = await merchant.customers.create({ source: 'tok_chargeCustomerFail' });
  await expect(merchant.charges.create({ amount: 2_000, currency: 'usd', customer: id })).rejects.toThrow('declined');
  const { transactions } = (await connector.fetchCustomer(id, longAgo))!;
  expect(transactions).toMatchObject([
    { status: 'DECLINED', declineCode: 'generic_decline', riskBand: 'LOW', riskScore: 4, country: null },
  ]);
});

test('more charges than fit on a page all come, each once', async () => {
  const { id } = await merchant.customers.create({ source: 'tok_visa' });
  for (let count = 0; count < 105; count += 1)
    await merchant.charges.create({ amount: 100 + count, currency: 'usd', customer: id });
  const { transactions } = (await connector.fetchCustomer(id, longAgo))!;
  expect(new Set(transactions.map(({ amount }) => amount)).size).toBe(105);
});

test('a customer that was never made is null', async () => {
  expect(await connector.fetchCustomer('cus_never', longAgo)).toBeNull();
});

test('a default method set through the connector stands at the API, once for its key', async () => {
  const { id: customer } = await merchant.customers.create({ email: 'default@example.com' });
  const step = { action: 'SET_DEFAULT', customer, method: 'pm_of_the_customer' } as const;
  expect(await connector.credentials.holds(step)).toBe(false);
  expect(await connector.credentials.perform(step, 'cru_1:1')).toEqual({ outcome: 'done' });
  expect(await connector.credentials.holds(step)).toBe(true);
  const { invoice_settings: settings } = (await merchant.customers.retrieve(customer)) as Stripe.Customer;
  expect(settings.default_payment_method).toBe('pm_of_the_customer');
  expect(await connector.credentials.perform(step, 'cru_1:1')).toEqual({ outcome: 'done' });
});

test('a customer that was never made is refused as gone', async () => {
  const step = { action: 'SET_DEFAULT', customer: 'cus_never', method: null } as const;
  expect(await connector.credentials.perform(step, 'cru_2:1')).toEqual({ outcome: 'refused', why: 'CUSTOMER_GONE' });
});
