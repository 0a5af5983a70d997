import { demoTickets } from '../../src/development/merchant/cast';
import { paymentReferenceOf } from '../../src/development/merchant/history';
import { customerOf } from '../support/alerts';
import { told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { Pipeline } from '../support/decisions';
import { extendMutation, HeldPayments, hour } from '../support/holds';

const { own, matched, twoCandidates } = demoTickets;
const lookEvery = 6 * 60_000;

describe('whom a hold covers', () => {
  let test: TestApp;
  let held: HeldPayments;
  let pipeline: Pipeline;
  beforeEach(async () => {
    test = await TestApp.start({ environment: { DEMO_SIZE: '0.04' } });
    held = new HeldPayments(test);
    pipeline = new Pipeline(test);
  });
  afterEach(() => test.stop());

  const payerOf = (ticket: { readonly customer: number | null }) => paymentReferenceOf(ticket.customer ?? 0);
  const verdictOf = async (customer: string) => (await pipeline.decide({ customer })).verdict;
  const linkOf = async (reference: string) => {
    const [row] = await test.app.database.query<{ link: string; payer: string | null }>(
      'SELECT link, payment_customer_id AS payer FROM helpdesk_customer WHERE id = ?',
      [await customerOf(test, reference)],
    );
    return row;
  };
  const relink = async (reference: string, payer: string | null) =>
    tamper(test.app.database, 'UPDATE helpdesk_customer SET link = ?, payment_customer_id = ? WHERE id = ?', [
      payer === null ? 'NONE' : 'VERIFIED',
      payer,
      await customerOf(test, reference),
    ]);
  /** A payer whom nothing is told of, and who is none of the customers of these tickets. */
  const somebodyElse = async () => {
    const ours = [own, matched].map(payerOf);
    const found = (await pipeline.payers(9)).find(({ reference }) => !ours.includes(reference));
    if (!found) throw new Error('the demo merchant has too few customers');
    return found;
  };

  it('is whose payment waits, also when its end is moved: a link that is gone lifts no limit', async () => {
    await held.open('sam', own.reference);
    const payment = await held.authorized(own.customer ?? 0);
    test.clock.forward(7 * 24 * hour - 16 * hour);
    await held.open('sam', own.reference);
    const id = await held.placed('sam', own.reference, {
      transactionId: payment.id,
      effects: ['DEFER_CAPTURE'],
      until: held.in(2 * hour),
    });
    await relink(own.reference, null);
    const past = await test.as('sam', extendMutation, { id, until: held.in(6 * hour) });
    expect(told(past).errors).toEqual([['extendHold', 'INVALID', 'until']]);
    expect(told(await test.as('sam', extendMutation, { id, until: held.in(3 * hour) })).errors).toEqual([]);
  });

  it('stays held who makes a second customer at the provider with their own e-mail', async () => {
    const payer = payerOf(matched);
    const id = await held.byRule(matched.reference, { effects: ['BLOCK_NEW'] });
    await held.drain();
    expect(await verdictOf(payer)).toBe('HOLD');
    const find = test.payments.findCustomers.bind(test.payments);
    test.payments.findCustomers = async (search) =>
      (await find(search)).flatMap((record) =>
        record.reference === payer ? [record, { ...record, reference: 'cus_guest', helpdeskReference: null }] : [record],
      );
    test.payments.addTransaction(payer, { amount: 100, status: 'DECLINED' });
    await test.app.sources.syncAll();
    expect((await linkOf(matched.reference))?.link).toBe('NONE');
    await held.wait(lookEvery);
    expect(await verdictOf(payer)).toBe('HOLD');
    expect(await held.stored(id)).toMatch(/^ACTIVE, BLOCK_NEW APPLIED/);
  });

  it('stays held whose e-mail somebody edits at the helpdesk', async () => {
    const number = matched.customer ?? 0;
    await held.byRule(matched.reference, { effects: ['BLOCK_NEW'] });
    await held.drain();
    const { merchant } = test.helpdesk;
    const real = merchant.helpdeskCustomer.bind(merchant);
    Object.defineProperty(merchant, 'helpdeskCustomer', {
      value: (n: number) => (n === number ? { ...real(n), email: 'edited@example.net' } : real(n)),
    });
    test.helpdesk.setCustomer(matched.reference, real(number).reference, null);
    await test.app.sources.syncAll();
    await test.app.sources.syncAll();
    expect(await linkOf(matched.reference)).toEqual({ link: 'NONE', payer: null });
    expect(await verdictOf(paymentReferenceOf(number))).toBe('HOLD');
  });

  it('stays held who was, and nobody else is, where the helpdesk’s customer is linked to somebody else', async () => {
    const innocent = await somebodyElse();
    await held.open('ana', own.reference);
    const payment = await held.authorized(own.customer ?? 0);
    const id = await held.placed('ana', own.reference, { transactionId: payment.id, effects: ['DEFER_CAPTURE', 'BLOCK_NEW'] });
    await held.drain();
    const customerId = await customerOf(test, own.reference);
    const before = (await linkOf(own.reference))?.payer ?? '';
    await relink(own.reference, innocent.id);
    const { holds } = test.app.services;
    for (let look = 0; look < 2; look += 1) {
      expect(await verdictOf(payerOf(own))).toBe('HOLD');
      expect((await pipeline.decide({ customer: payment.payer, payment: payment.reference }, 'CAPTURE')).verdict).toBe('HOLD');
      expect(await verdictOf(innocent.reference)).toBe('CLEAR');
      expect(await held.stored(id)).toBe('ACTIVE, BLOCK_NEW APPLIED PROVIDER, DEFER_CAPTURE APPLIED PIPELINE');
      await held.wait(lookEvery);
    }
    // Updates of payment details of who is held, of whoever asks as the held customer, and of the innocent.
    const since = (about: { customerId: string; paymentCustomerId: string }) =>
      holds.inForceSince(test.app.database, about).then((at) => at !== null);
    expect([
      await since({ customerId: 'cus_else', paymentCustomerId: before }),
      await since({ customerId, paymentCustomerId: innocent.id }),
      await since({ customerId: innocent.customerId, paymentCustomerId: innocent.id }),
    ]).toEqual([true, true, false]);
  });

  it('each of a group is held as who they were, and who was nobody as whom they are linked to', async () => {
    const innocent = await somebodyElse();
    const later = await customerOf(test, twoCandidates.reference);
    const customerIds = [later, await customerOf(test, own.reference), await customerOf(test, matched.reference)];
    await held.byRule(own.reference, { ticketId: null, customerIds, effects: ['REVIEW'] });
    await relink(own.reference, null);
    await relink(matched.reference, innocent.id);
    const verdicts = () => Promise.all([payerOf(own), payerOf(matched), innocent.reference].map(verdictOf));
    expect(await verdicts()).toEqual(['REVIEW', 'REVIEW', 'CLEAR']);
    await relink(twoCandidates.reference, innocent.id);
    expect(await verdicts()).toEqual(['REVIEW', 'REVIEW', 'REVIEW']);
  });

  it('who is to be authenticated is still, where the helpdesk’s customer is linked to somebody else', async () => {
    const innocent = await somebodyElse();
    await pipeline.open(await customerOf(test, own.reference));
    await relink(own.reference, innocent.id);
    expect(await Promise.all([payerOf(own), innocent.reference].map(verdictOf))).toEqual(['STEP_UP', 'CLEAR']);
  });

  it('a hold that no question can meet fails, and says so', async () => {
    await held.open('ana', twoCandidates.reference);
    const id = await held.placed('ana', twoCandidates.reference, { effects: ['BLOCK_NEW', 'HOLD_ORDER'] });
    await held.drain();
    expect(await held.stored(id)).toBe('FAILED, BLOCK_NEW NOT_POSSIBLE PIPELINE, HOLD_ORDER NOT_POSSIBLE PIPELINE');
    expect((await test.events('hold.fail')).map(({ detail }) => detail)).toEqual([
      expect.objectContaining({ from: 'PLACING', to: 'FAILED', reason: 'NOTHING_POSSIBLE' }),
    ]);
    // A domain of mail meets every question by an address of it.
    const ofDomain = await held.byRule(twoCandidates.reference, {
      key: 'domain',
      emailDomain: 'digest',
      effects: ['HOLD_ORDER'],
    });
    await held.drain();
    expect(await held.stored(ofDomain)).toBe('ACTIVE, HOLD_ORDER APPLIED PIPELINE');
  });

  describe('of an address that is that of many', () => {
    const namesakes = async (most: number) => {
      const payer = (await linkOf(own.reference))?.payer ?? '';
      const [row] = await test.app.database.query<Record<string, unknown>>('SELECT * FROM payment_customer WHERE id = ?', [
        payer,
      ]);
      const columns = Object.keys(row ?? {});
      for (let n = 0; n < most; n += 1) {
        const copy = { ...row, id: `pcu_${String(n).padStart(26, '0')}`, reference_digest: `digest ${n}` } as Record<
          string,
          unknown
        >;
        await tamper(
          test.app.database,
          `INSERT INTO payment_customer (${columns.join()}) VALUES (${columns.map(() => '?').join()})`,
          columns.map((column) => copy[column]),
        );
      }
      return (await test.payments.fetchCustomer(payerOf(own), new Date(0)))?.customer.email ?? '';
    };

    it('the one who is held is found behind older ones', async () => {
      await held.byRule(own.reference, { effects: ['BLOCK_NEW'] });
      expect((await pipeline.decide({ email: await namesakes(60) })).verdict).toBe('HOLD');
    });

    it('the one who is to be authenticated is found behind older ones', async () => {
      const { customer } = own;
      const demanded = (await linkOf(own.reference))?.payer ?? '';
      await pipeline.open(demanded);
      const email = await namesakes(49);
      expect((await pipeline.decide({ email })).verdict).toBe('REVIEW');
      expect((await pipeline.decide({ customer: paymentReferenceOf(customer ?? 0) })).verdict).toBe('STEP_UP');
    });

    it('a human looks where there are more than are looked at, and only then', async () => {
      const email = await namesakes(49);
      expect((await pipeline.decide({ email })).verdict).toBe('CLEAR');
      const [last] = await test.app.database.query<Record<string, unknown>>('SELECT * FROM payment_customer WHERE id = ?', [
        `pcu_${'48'.padStart(26, '0')}`,
      ]);
      const columns = Object.keys(last ?? {});
      const copy = { ...last, id: `pcu_${'9'.padStart(26, '0')}9`, reference_digest: 'digest of the next' } as Record<
        string,
        unknown
      >;
      await tamper(
        test.app.database,
        `INSERT INTO payment_customer (${columns.join()}) VALUES (${columns.map(() => '?').join()})`,
        columns.map((column) => copy[column]),
      );
      test.clock.forward(hour);
      expect((await pipeline.decide({ email })).verdict).toBe('REVIEW');
      expect((await test.events('decision.make')).at(-1)?.detail).toMatchObject({ verdict: 'REVIEW', restsOn: [] });
    });
  });
});
