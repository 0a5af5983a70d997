import type { TransactionRecord } from '../../src/upstream/payments/payments.port';
import { told } from '../support/answers';
import { TestApp } from '../support/app';
import { helpdeskCustomer, payment, ScriptedHelpdesk, ScriptedPayments } from '../support/scripted-sources';
import { besideDemo, cardOf, StripeShapedServer } from '../support/stripe-shaped-server';

const day = 86_400_000;
const at = (text: string) => new Date(`${text}T10:00:00.000Z`);

const query = `query ($reference: String!) {
  ticketByReference(source: "demo", reference: $reference) {
    customer { paymentsFreshness { stale } transactions(first: 50) { nodes {
      reference amount { minorUnits currency } status declineCode declineAdvice order { reference description } createdAt
      device { fingerprint } location { country } risk { band } dispute { status reason openedAt }
      paymentMethod { last4 status } freshness { confirmedAt stale }
    } } }
  }
}`;
const shownOn = async (test: TestApp, reference = '1') => {
  const { data, errors } = told(await test.as('ana', query, { reference }));
  return { nodes: data.ticketByReference.customer.transactions.nodes, errors };
};

/** A provider that gives what was created since, as Stripe's lists do; by reference it gives everything, where it gives anything. */
class WindowedPayments extends ScriptedPayments {
  readonly named: string[] = [];

  override async fetchCustomer(reference: string, since?: Date) {
    const snapshot = await super.fetchCustomer(reference);
    return (
      snapshot && { ...snapshot, transactions: snapshot.transactions.filter(({ createdAt }) => !since || createdAt >= since) }
    );
  }
}
class FollowedPayments extends WindowedPayments {
  fetchTransactions = async (customer: string, references: readonly string[]): Promise<readonly TransactionRecord[]> => {
    this.named.push(...references);
    const all = await super.fetchCustomer(customer);
    return (all?.transactions ?? []).filter(({ reference }) => references.includes(reference));
  };
  override async *changes(cursor: string | null) {
    for await (const batch of super.changes(cursor))
      yield { ...batch, transactions: batch.customers.map((customer) => ({ customer, reference: 'pi_old' })) };
  }
}

const start = async <P extends ScriptedPayments>(payments: P) => {
  const helpdesk = new ScriptedHelpdesk('demo');
  helpdesk.put('1', { customer: helpdeskCustomer('one'), team: 'cards' });
  const put = (...transactions: readonly TransactionRecord[]) =>
    payments.put('pay-one', { helpdeskReference: 'demo:one' }, [], transactions);
  put();
  const test = await TestApp.start({ connectors: { demo: helpdesk, 'demo-pay': payments } });
  helpdesk.now = test.clock.now;
  payments.now = test.clock.now;
  return { test, put, payments };
};

describe('what a provider lists of one customer', () => {
  it('is taken up to a thousand payments, the newest, with what each of them tells', async () => {
    const { test, put } = await start(new ScriptedPayments('demo-pay'));
    const first = at('2026-08-01').getTime();
    const many = Array.from({ length: 1_300 }, (_, minute) => {
      const createdAt = new Date(first + minute * 60_000);
      const dispute = { status: 'needs_response', reason: 'fraudulent', openedAt: createdAt };
      return payment(`pi_${minute}`, { createdAt, status: 'DISPUTED', warnedAt: createdAt, dispute });
    });
    // In no order that helps.
    put(...many.slice(700), ...many.slice(0, 700));
    await test.app.sources.syncAll();
    const [stored] = await test.app.database.query<{ n: number; oldest: number }>(
      'SELECT COUNT(*) AS n, MIN(created_at) AS oldest FROM payment_transaction',
    );
    expect([stored?.n, Number(stored?.oldest)].map(Number)).toEqual([1_000, first + 300 * 60_000]);
    const signals = await test.app.database.query<{ type: string; n: number }>(
      "SELECT type, COUNT(*) AS n FROM risk_signal WHERE source = 'demo-pay' GROUP BY type ORDER BY type",
    );
    expect(signals.map(({ type, n }) => [type, Number(n)])).toEqual([
      ['payment.attempt.succeeded', 1_000],
      ['payment.dispute', 1_000],
      ['payment.warning', 1_000],
    ]);
    await test.stop();
  });
});

describe('what a provider changes of a payment', () => {
  const before = payment('pi_1', {
    createdAt: at('2026-08-25'),
    status: 'DECLINED',
    declineCode: 'insufficient_funds',
    declineAdvice: 'try_again_later',
  });
  /** One change for each thing that is told of a payment and stored with it: what is forgotten here doesn't compile. */
  const changes: {
    readonly [F in Exclude<keyof TransactionRecord, 'reference' | 'reviewedSince' | 'warnedAt'>]-?: TransactionRecord[F];
  } = {
    paymentMethodReference: 'pm_none',
    orderReference: 'order 2',
    orderDescription: 'another order',
    amount: 1_001,
    currency: 'USD',
    authorized: 1_001,
    captured: 1,
    refunded: 2,
    open: 3,
    presentment: { amount: 900, currency: 'GBP' },
    refunds: [{ amount: 4, state: 'PENDING', reason: null, createdAt: at('2026-09-04') }],
    status: 'CAPTURED',
    declineCode: 'lost_card',
    declineAdvice: 'do_not_try_again',
    deviceFingerprint: 'another device',
    country: 'BR',
    riskBand: 'HIGH',
    riskScore: 99,
    riskSignals: ['reported_by_stripe'],
    dispute: { status: 'needs_response', reason: 'fraudulent', openedAt: at('2026-09-05') },
    createdAt: at('2026-08-26'),
  };
  let test: TestApp;
  let put: (...transactions: readonly TransactionRecord[]) => void;
  beforeEach(async () => {
    ({ test, put } = await start(new ScriptedPayments('demo-pay')));
    put(before);
    await test.app.sources.syncAll();
    test.clock.forward(12 * day);
  });
  afterEach(() => test.stop());
  const stored = async () => {
    const rows = await test.app.database.query<Record<string, unknown>>('SELECT * FROM payment_transaction');
    return rows[0] as Record<string, unknown>;
  };

  it('is shown whatever it is, and however old the payment: a retried decline keeps its status', async () => {
    put({ ...before, declineCode: 'lost_card', declineAdvice: 'do_not_try_again' });
    await test.app.sources.syncAll();
    const { nodes, errors } = await shownOn(test);
    expect(errors).toEqual([]);
    expect(nodes).toMatchObject([{ status: 'DECLINED', declineAdvice: 'do_not_try_again' }]);
    expect(await stored()).toMatchObject({ decline_code: 'lost_card', decline_advice: 'do_not_try_again' });
  });

  it('is compared as a whole: any one thing that differs is written, and the same again is not', async () => {
    const written: Record<string, boolean> = {};
    for (const [name, value] of Object.entries(changes)) {
      const { observed_at: seen } = await stored();
      test.clock.forward(1_000);
      put({ ...before, [name]: value });
      await test.app.sources.syncAll();
      const { observed_at: then } = await stored();
      test.clock.forward(1_000);
      put({ ...before, [name]: value });
      await test.app.sources.syncAll();
      const { observed_at: again } = await stored();
      written[name] = then !== seen && again === then;
      put(before);
      await test.app.sources.syncAll();
    }
    // A method that was never seen is none, as before.
    expect(written).toEqual(Object.fromEntries(Object.keys(changes).map((name) => [name, name !== 'paymentMethodReference'])));
  });

  it('is compared once in a row of before there were digests', async () => {
    await test.app.database.system('sync', 'source.ingest-payments', async (change) => {
      const { transactions } = jest.requireActual('../../src/features/payments/payment.entity');
      const { sql } = jest.requireActual('../../src/db/sql');
      await change.update(transactions, { digest: null, declineCode: 'of_before' }, sql`1 = 1`);
      change.record('source.ingest-payments', { subject: { type: 'Source', id: 'demo-pay' }, detail: { customers: 1 } });
    });
    put(before);
    await test.app.sources.syncAll();
    expect((await stored()).decline_code).toBe('insufficient_funds');
    expect((await stored()).digest).toEqual(expect.any(String));
  });
});

describe('a payment that is older than what is read of its customer', () => {
  const old = payment('pi_old', { createdAt: at('2026-08-25'), status: 'CAPTURED' });
  const disputed: TransactionRecord = {
    ...old,
    status: 'DISPUTED',
    dispute: { status: 'needs_response', reason: 'fraudulent', openedAt: at('2026-12-01') },
  };
  const afterwards = async ({ test, put }: Awaited<ReturnType<typeof start>>) => {
    put(old);
    await test.app.sources.syncAll();
    const fresh = (await shownOn(test)).nodes[0].freshness;
    test.clock.forward(98 * day);
    put(disputed, payment('pi_new', { createdAt: test.clock.now() }));
    await test.app.sources.syncAll();
    return { fresh, nodes: (await shownOn(test)).nodes };
  };

  it('isn’t shown as current where its provider can’t be asked for it', async () => {
    const started = await start(new WindowedPayments('demo-pay'));
    const { fresh, nodes } = await afterwards(started);
    expect(fresh).toEqual({ confirmedAt: '2026-09-01T09:00:00.000Z', stale: false });
    expect(nodes).toMatchObject([
      { reference: 'pi_new', freshness: { stale: false } },
      { reference: 'pi_old', status: 'CAPTURED', freshness: { confirmedAt: '2026-09-01T09:00:00.000Z', stale: true } },
    ]);
    await started.test.stop();
  });

  it('is read by its reference when a change names it, and says when that was', async () => {
    const payments = new FollowedPayments('demo-pay');
    const started = await start(payments);
    const { test, put } = started;
    const { nodes } = await afterwards(started);
    expect(payments.named).toEqual(['pi_old']);
    expect(nodes[1]).toMatchObject({
      reference: 'pi_old',
      status: 'DISPUTED',
      dispute: { status: 'needs_response', reason: 'fraudulent' },
      freshness: { confirmedAt: test.clock.now().toISOString(), stale: false },
    });
    test.clock.forward(day);
    expect((await shownOn(test)).nodes[1]).toMatchObject({ status: 'DISPUTED', freshness: { stale: true } });
    // The same again is only confirmed; within the window it goes with its customer.
    put({ ...disputed, createdAt: test.clock.now() });
    await test.app.sources.syncAll();
    expect((await shownOn(test)).nodes.find(({ reference }: { reference: string }) => reference === 'pi_old')).toMatchObject({
      freshness: { stale: false },
    });
    await test.stop();
  });
});

describe('an old payment at Stripe', () => {
  it.each([
    ['dispute', (stripe: StripeShapedServer, charge: string) => void stripe.openDispute(charge), 'DISPUTED'],
    [
      'refund',
      (stripe: StripeShapedServer, charge: string) => {
        stripe.updateCharge(charge, 'charge.refunded', { amount_refunded: 2_000, refunded: true });
      },
      'REFUNDED',
    ],
    [
      'report of fraud',
      (stripe: StripeShapedServer, charge: string) => {
        stripe.replace(charge, { fraud_details: { stripe_report: 'fraudulent' } });
        stripe.recordEvent('radar.early_fraud_warning.created', { id: 'issfr_1', object: 'radar.early_fraud_warning', charge });
      },
      'CAPTURED',
    ],
  ])('is followed through a %s', async (_, happens, status) => {
    const stripe = await StripeShapedServer.start();
    const helpdesk = new ScriptedHelpdesk('demo');
    helpdesk.put('1', { customer: helpdeskCustomer('one') });
    stripe.now = Date.UTC(2026, 7, 25) / 1_000;
    const { id: customer } = stripe.createCustomer({ metadata: { helpdesk_customer: 'demo:one' } });
    const method = stripe.attachPaymentMethod(customer, { card: cardOf({ last4: '1881' }) }).id;
    const intent = stripe.createPaymentIntent({ customer, status: 'succeeded', payment_method: method }).id;
    const charge = stripe.createCharge({ customer, payment_intent: intent, payment_method: method }).id;
    stripe.replace(intent, { latest_charge: charge });
    stripe.now = Date.UTC(2026, 8, 1) / 1_000;
    const test = await TestApp.start({
      connectors: { demo: helpdesk },
      config: {
        sources: besideDemo(stripe, { retries: 0 }),
      },
    });
    helpdesk.now = test.clock.now;
    try {
      expect((await shownOn(test)).nodes).toMatchObject([{ reference: intent, status: 'CAPTURED' }]);
      test.clock.forward(120 * day);
      stripe.now = test.clock.now().getTime() / 1_000;
      // Methods that were taken away are still what it was paid with.
      stripe.detachPaymentMethod(method);
      happens(stripe, charge);
      await test.app.sources.syncAll();
      const { nodes } = await shownOn(test);
      expect(nodes).toMatchObject([
        { reference: intent, status, paymentMethod: { last4: '1881', status: 'REMOVED' }, freshness: { stale: false } },
      ]);
      const [row] = await test.app.database.query<{ risk_signals: string }>('SELECT risk_signals FROM payment_transaction');
      expect(row?.risk_signals).toBe(status === 'CAPTURED' ? '["reported_by_stripe"]' : '[]');
    } finally {
      await test.stop();
      await stripe.close();
    }
  });
});
