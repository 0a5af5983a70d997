import { demoTickets } from '../../src/development/merchant/cast';
import { Deadlines } from '../../src/features/deadlines/deadlines.service';
import { customerOf } from '../support/alerts';
import { TestApp } from '../support/app';

const hour = 3_600_000;
const day = 24 * hour;

describe('what ends by itself at a provider', () => {
  let test: TestApp;
  let payer: { id: string; reference: string };
  beforeEach(async () => {
    test = await TestApp.start();
    const customer = await customerOf(test, demoTickets.own.reference);
    const [row] = await test.app.database.query<{ id: string }>(
      'SELECT payment_customer_id AS id FROM helpdesk_customer WHERE id = ?',
      [customer],
    );
    const id = String(row?.id);
    const [paid] = await test.app.database.query<{ reference: string }>(
      'SELECT reference FROM payment_transaction WHERE payment_customer_id = ? LIMIT 1',
      [id],
    );
    payer = { id, reference: `cus_demo_${/^ch_demo_(\d+)_/.exec(String(paid?.reference))?.[1]}` };
  });
  afterEach(() => test.stop());

  const told = (type: string) =>
    test.app.database.query<Record<string, string | number | null>>(
      'SELECT source, event_id, customer, card, payment, deadline FROM risk_signal WHERE type = ? ORDER BY event_id',
      [type],
    );
  /** Turns until everything was looked at. */
  const turns = async (count = 40) => {
    for (let turn = 0; turn < count; turn += 1) {
      test.clock.forward(600_000);
      await test.app.deadlines.run();
    }
  };
  const cardOf = async () => {
    const { methods } = (await test.payments.fetchCustomer(payer.reference, new Date(0)))!;
    return methods.find((each) => each.isDefault && each.kind === 'CARD') ?? methods.find((each) => each.kind === 'CARD')!;
  };
  const otherThan = async (reference: string) => {
    const { methods } = (await test.payments.fetchCustomer(payer.reference, new Date(0)))!;
    return methods.find((each) => each.reference !== reference)!;
  };
  const ofPayer = (rows: readonly Record<string, unknown>[]) => rows.filter(({ customer }) => customer === payer.id);

  describe('an authorization', () => {
    const authorize = async () => {
      const { reference } = test.payments.addTransaction(payer.reference, { amount: 4_200, status: 'AUTHORIZED' });
      await test.app.sources.syncAll();
      const [row] = await test.app.database.query<{ id: string }>('SELECT id FROM payment_transaction WHERE reference = ?', [
        reference,
      ]);
      return { reference, id: String(row?.id), end: test.clock.now().getTime() + 7 * day };
    };

    it('is told once in its last day, with its end as the provider has it', async () => {
      const { id, end } = await authorize();
      await turns(3);
      expect(ofPayer(await told('payment.authorization'))).toEqual([]);
      test.clock.forward(6 * day);
      await turns();
      const [signal, ...more] = ofPayer(await told('payment.authorization'));
      expect(more).toEqual([]);
      expect(signal).toMatchObject({
        source: 'demo-pay',
        event_id: `${id}:authorization:${end}`,
        customer: payer.id,
        payment: id,
        deadline: end,
      });
    });

    it('is not told where it was captured meanwhile, whatever the copy here says', async () => {
      const { reference } = await authorize();
      await turns(3);
      test.payments.changeTransaction(payer.reference, reference, { status: 'CAPTURED' });
      test.clock.forward(6 * day + hour);
      await turns();
      expect(ofPayer(await told('payment.authorization'))).toEqual([]);
    });

    it('is not told once it has ended', async () => {
      await authorize();
      test.clock.forward(8 * day);
      await turns();
      expect(ofPayer(await told('payment.authorization'))).toEqual([]);
    });
  });

  describe('a card', () => {
    /** The clock says 1 September 2026: this month ends in 29 days and some hours. */
    const ending = { expiryMonth: 9, expiryYear: 2026, status: 'EXPIRING' as const };
    const endsAt = Date.UTC(2026, 9, 1) - 1;

    it('that is the default is told once, thirty days before its end', async () => {
      test.clock.forward(hour);
      test.payments.changeMethod(payer.reference, (await cardOf()).reference, { ...ending, isDefault: true });
      await test.app.sources.syncAll();
      await turns();
      test.clock.forward(day);
      await turns();
      const [signal, ...more] = ofPayer(await told('card.expiring'));
      expect(more).toEqual([]);
      expect(signal).toMatchObject({ source: 'demo-pay', customer: payer.id, deadline: endsAt, card: expect.any(String) });
    });

    it('is not told where the provider has a newer one by now, whatever the copy here says', async () => {
      const card = await cardOf();
      test.payments.changeMethod(payer.reference, card.reference, { ...ending, isDefault: true });
      await test.app.sources.syncAll();
      test.payments.changeMethod(payer.reference, card.reference, { expiryYear: 2029, status: 'ACTIVE' });
      await turns();
      expect(ofPayer(await told('card.expiring'))).toEqual([]);
    });

    it.each([
      ['a subscription is paid with is told', true],
      ['nothing is paid with is not told', false],
    ])('that %s', async (_, isCharged) => {
      const { reference } = payer;
      const { credentials } = test.payments;
      const card = (await cardOf()).reference;
      const { reference: other } = test.payments.changeMethod(reference, (await otherThan(card)).reference, { isDefault: true });
      const state = await credentials.readMethod(reference, card);
      const { subscriptions } = state!;
      expect(subscriptions.length).toBeGreaterThan(0);
      for (const { reference: subscription } of subscriptions) {
        const step = { action: 'SET_SUBSCRIPTION_DEFAULT', customer: reference, subscription } as const;
        await credentials.perform({ ...step, method: isCharged ? card : other }, subscription);
      }
      test.payments.changeMethod(reference, card, ending);
      await test.app.sources.syncAll();
      await turns();
      expect(ofPayer(await told('card.expiring'))).toHaveLength(isCharged ? 1 : 0);
    });

    it('is told later where the provider couldn’t be reached, and nothing is guessed', async () => {
      test.payments.changeMethod(payer.reference, (await cardOf()).reference, { ...ending, isDefault: true });
      await test.app.sources.syncAll();
      test.payments.goDown();
      await turns(3);
      expect(await told('card.expiring')).toEqual([]);
      test.payments.comeBack();
      test.clock.forward(day);
      await turns();
      expect(ofPayer(await told('card.expiring'))).toHaveLength(1);
    });
  });

  it('is told once, however many processes look, and recorded by count alone', async () => {
    const expiring = { expiryMonth: 9, expiryYear: 2026, status: 'EXPIRING' as const, isDefault: true };
    test.payments.changeMethod(payer.reference, (await cardOf()).reference, expiring);
    await test.app.sources.syncAll();
    const { database, sources, clock } = test.app;
    const tells = { authorizations: true, cards: true };
    const others = [1, 2, 3].map(() => new Deadlines({ database, sources, clock, keys: test.keys, tells }));
    test.clock.forward(600_000);
    const faults = (await Promise.allSettled([test.app.deadlines, ...others].map((each) => each.run()))).filter(
      ({ status }) => status === 'rejected',
    );
    expect(faults).toEqual([]);
    await turns();
    expect(ofPayer(await told('card.expiring'))).toHaveLength(1);
    const leaves = await test.events('signal.receive');
    expect(leaves.map(({ subject }) => subject)).toContainEqual({ type: 'SignalSource', id: 'demo-pay' });
    expect(JSON.stringify(leaves)).not.toMatch(/cus_demo|ch_demo|pm_demo|pcu_/);
  });
});
