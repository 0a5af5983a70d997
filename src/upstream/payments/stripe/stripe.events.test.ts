import fc from 'fast-check';
import { concernOf, eventDigest, eventSchema, readCursor, recentOf, transactionsOf, writeCursor } from './stripe.events';

const event = (type: string, object: unknown, more: object = {}) =>
  eventSchema.parse({
    id: 'evt_1',
    type,
    created: 1_780_000_000,
    data: { object, ...(more as { data?: object }).data },
    ...more,
  });

describe('whom an event is about', () => {
  test.each([
    ['customer.created', { id: 'cus_1', object: 'customer' }, ['cus_1'], []],
    ['customer.updated', { id: 'cus_1' }, ['cus_1'], []],
    ['customer.deleted', { id: 'cus_1', deleted: true }, ['cus_1'], []],
    ['customer.source.updated', { id: 'card_1', customer: 'cus_1' }, ['cus_1'], []],
    ['payment_method.attached', { id: 'pm_1', customer: 'cus_1' }, ['cus_1'], []],
    ['payment_method.automatically_updated', { id: 'pm_1', customer: { id: 'cus_1' } }, ['cus_1'], []],
    ['payment_intent.succeeded', { id: 'pi_1', customer: 'cus_1' }, ['cus_1'], []],
    ['payment_intent.payment_failed', { id: 'pi_1', customer: null }, [], []],
    ['setup_intent.succeeded', { id: 'seti_1', customer: 'cus_1' }, ['cus_1'], []],
    ['setup_intent.setup_failed', { id: 'seti_1', customer: 'cus_1' }, ['cus_1'], []],
    ['checkout.session.completed', { id: 'cs_test_1', customer: 'cus_1', mode: 'setup' }, ['cus_1'], []],
    ['checkout.session.expired', { id: 'cs_test_1', customer: { id: 'cus_1' } }, ['cus_1'], []],
    ['checkout.session.expired', { id: 'cs_test_2', customer: null }, [], []],
    ['charge.failed', { id: 'ch_1', customer: 'cus_1' }, ['cus_1'], []],
    ['charge.refunded', { id: 'ch_1', customer: 'cus_1' }, ['cus_1'], []],
    ['charge.dispute.created', { id: 'dp_1', charge: 'ch_1' }, [], ['ch_1']],
    ['charge.dispute.closed', { id: 'dp_1', charge: { id: 'ch_1' } }, [], ['ch_1']],
    ['refund.created', { id: 're_1', charge: 'ch_1' }, [], ['ch_1']],
    ['refund.updated', { id: 're_1', charge: 'ch_1' }, [], ['ch_1']],
    ['refund.failed', { id: 're_1', charge: 'ch_1' }, [], ['ch_1']],
    ['review.closed', { id: 'prv_1', charge: 'ch_1' }, [], ['ch_1']],
  ])('%s', (type, object, customers, charges) => {
    expect(concernOf(event(type, object))).toEqual({ customers, charges, intents: [], warnings: [] });
  });

  test.each([
    ['payment_intent.payment_failed', { id: 'pi_1', customer: 'cus_1' }, ['pi_1']],
    ['charge.refunded', { id: 'ch_1', customer: 'cus_1', payment_intent: 'pi_1' }, ['ch_1', 'pi_1']],
    ['charge.updated', { id: 'ch_1', customer: { id: 'cus_1' }, payment_intent: null }, ['ch_1']],
    ['charge.refunded', { id: 'ch_1', customer: null, payment_intent: 'pi_1' }, []],
    ['charge.dispute.created', { id: 'dp_1', charge: 'ch_1', payment_intent: 'pi_1' }, []],
    ['customer.updated', { id: 'cus_1' }, []],
  ])('%s names the payments that it is about, where it says whose they are', (type, object, references) => {
    expect(transactionsOf(event(type, object))).toEqual(references.map((reference) => ({ customer: 'cus_1', reference })));
    expect(transactionsOf(event(type, object, { account: 'acct_1' }))).toEqual([]);
  });

  test.each(['refund.created', 'charge.dispute.updated'])('%s names a charge', (type) => {
    const nobodyElse = { customers: [], intents: [], warnings: [] };
    expect(concernOf(event(type, { id: 'x_1', charge: 'ch_1' }))).toEqual({ ...nobodyElse, charges: ['ch_1'] });
  });

  test('a warning names itself and its charge, which says nothing of it', () => {
    const warning = { id: 'issfr_1', charge: 'ch_1', actionable: true };
    const concern = { customers: [], charges: ['ch_1'], intents: [], warnings: ['issfr_1'] };
    expect(concernOf(event('radar.early_fraud_warning.created', warning))).toEqual(concern);
  });

  test('a review without a charge names its payment', () => {
    const named = (object: object) => {
      const { charges, intents } = concernOf(event('review.opened', { id: 'prv_1', ...object }))!;
      return { charges, intents };
    };
    expect(named({ charge: null, payment_intent: 'pi_1' })).toEqual({ charges: [], intents: ['pi_1'] });
    expect(named({ charge: 'ch_1', payment_intent: 'pi_1' })).toEqual({ charges: ['ch_1'], intents: [] });
  });

  test('a detached method names the customer it was detached from', () => {
    const detached = event('payment_method.detached', null, {
      data: { object: { id: 'pm_1', customer: null }, previous_attributes: { customer: 'cus_1' } },
    });
    expect(concernOf(detached)).toMatchObject({ customers: ['cus_1'], charges: [] });
  });

  test.each([
    'invoice.paid',
    'payout.paid',
    'customer.subscription.updated',
    'customer.createdx',
    'x.customer.created',
    'setup_intent.created',
    'checkout.session.async_payment_failed',
    'charge',
  ])('%s is nobody’s', (type) => {
    expect(concernOf(event(type, { id: 'in_1', customer: 'cus_1' }))).toBeNull();
  });

  test('an event of a connected account is nobody’s', () => {
    expect(concernOf(event('customer.updated', { id: 'cus_1' }, { account: 'acct_1' }))).toBeNull();
  });

  test.each([[null], ['text'], [{ id: '../../v1/keys' }], [{ id: 7 }]])(
    'an object of %j names nobody and is no failure',
    (object) => {
      expect(concernOf(event('customer.updated', object))).toMatchObject({ customers: [], charges: [] });
    },
  );
});

describe('a cursor', () => {
  test('comes back as it was written and fits a column of 255 characters', () => {
    const digests = fc.array(fc.string().map(eventDigest), { maxLength: 40 });
    const seconds = fc.integer({ min: 0, max: 9_999_999_999 });
    const run = fc.option(fc.record({ top: seconds, after: fc.stringMatching(/^evt_[A-Za-z0-9]{1,40}$/) }));
    fc.assert(
      fc.property(seconds, digests, run, (floor, seen, under) => {
        const cursor = writeCursor({ floor, seen, run: under });
        expect(cursor.length).toBeLessThanOrEqual(255);
        expect(readCursor(cursor)).toEqual({ floor, seen: seen.slice(0, 20), run: under });
      }),
    );
  });

  test.each(['', '0', '2~1~~~', '1~1~5~~', '1~1~~evt_1~', '1~-1~~~', '1~1~~~abc', '1~1~~../x~'])('%p is refused', (cursor) => {
    expect(() => readCursor(cursor)).toThrow('not a cursor');
  });

  test('remembers the newest events only', () => {
    const events = Array.from({ length: 30 }, (_, index) => ({
      ...event('customer.updated', null),
      id: `evt_${index}`,
      created: 100 - index,
    }));
    expect(recentOf(events, 100)).toEqual(events.slice(0, 11).map(({ id }) => eventDigest(id)));
  });
});
