import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { demoTickets } from '../../src/development/merchant/cast';
import { paymentReferenceOf } from '../../src/development/merchant/history';
import type { DemoPayments } from '../../src/development/sources/demo-payments';
import type { HoldStep } from '../../src/upstream/payments/payments.port';
import { customerOf } from '../support/alerts';
import { countOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { erase } from '../support/credentials';
import { extendMutation, HeldPayments, hour, releaseMutation, subjectsOf } from '../support/holds';

const minute = 60_000;
const own = demoTickets.own.reference;
const customerNumber = demoTickets.own.customer ?? 0;
const payer = paymentReferenceOf(customerNumber);

let test: TestApp;
let held: HeldPayments;
let payments: DemoPayments;
beforeEach(async () => {
  test = await TestApp.start();
  held = new HeldPayments(test);
  ({ payments } = test);
});
afterEach(async () => {
  expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
  await test.stop();
});

const subscription = async (): Promise<string> => {
  const [renewal] = await payments.holds.readRenewals(payer);
  if (!renewal) throw new Error('the customer has no subscription');
  return renewal.subscription;
};
const isPaused = async (): Promise<boolean> => (await payments.holds.readRenewals(payer)).every((each) => each.isPaused);
const isListed = (list: 'BLOCK' | 'REVIEW' | 'STEP_UP'): Promise<boolean> =>
  payments.holds.holds({ action: 'LIST', list, of: 'CUSTOMER', value: payer });
const release = async (id: string): Promise<void> => {
  expect(told(await test.as('sam', releaseMutation, { id })).errors).toEqual([]);
  await held.drain();
};

describe('a hold at the provider', () => {
  it('pauses renewals until its end, and sets them going again when it is released', async () => {
    const id = await held.byRule(own, { effects: ['PAUSE_RENEWAL'] });
    expect(await held.stored(id)).toBe('PLACING, PAUSE_RENEWAL PENDING PIPELINE');
    await held.drain();
    expect(await held.stored(id)).toBe('ACTIVE, PAUSE_RENEWAL APPLIED PROVIDER');
    expect([held.executed, await isPaused()]).toEqual([['PAUSE_RENEWAL'], true]);
    await release(id);
    expect(await held.stored(id)).toBe('RELEASED, PAUSE_RENEWAL REVERSED PROVIDER');
    expect([held.executed, await isPaused()]).toEqual([['PAUSE_RENEWAL', 'RESUME_RENEWAL'], false]);
  });

  it('lets go when its time is over, by its own job', async () => {
    const id = await held.byRule(own, { effects: ['BLOCK_NEW', 'REVIEW', 'STEP_UP', 'PAUSE_RENEWAL', 'HOLD_ORDER'] });
    await held.drain();
    expect(await held.stored(id)).toBe(
      'ACTIVE, BLOCK_NEW APPLIED PROVIDER, HOLD_ORDER APPLIED PIPELINE, PAUSE_RENEWAL APPLIED PROVIDER, REVIEW APPLIED PROVIDER, STEP_UP APPLIED PROVIDER',
    );
    expect(await Promise.all([isListed('BLOCK'), isListed('REVIEW'), isListed('STEP_UP')])).toEqual([true, true, true]);
    await held.wait(6 * hour);
    expect(await held.stored(id)).toMatch(/^EXPIRED, BLOCK_NEW REVERSED PROVIDER, HOLD_ORDER REVERSED PIPELINE/);
    expect(await Promise.all([isListed('BLOCK'), isListed('REVIEW'), isListed('STEP_UP')])).toEqual([false, false, false]);
    expect(new Set(held.executed)).toEqual(new Set(['LIST', 'UNLIST', 'PAUSE_RENEWAL', 'RESUME_RENEWAL']));
  });

  it('lets go when its time is over though its job is gone, and stands for nothing from then on', async () => {
    const id = await held.byRule(own, { effects: ['BLOCK_NEW'] });
    await held.drain();
    await tamper(test.app.database, "UPDATE payment_hold_job SET state = 'DEAD'");
    test.clock.forward(6 * hour);
    const standing = () =>
      customerOf(test, own)
        .then((customerId) => subjectsOf(test, [customerId]))
        .then((of) => test.app.services.holds.standing(test.app.database, of));
    expect(await standing()).toEqual([]);
    await held.sweep();
    await held.drain();
    expect(await held.stored(id)).toBe('EXPIRED, BLOCK_NEW REVERSED PROVIDER');
    expect(await isListed('BLOCK')).toBe(false);
  });

  it('leaves what the merchant listed or paused themselves as it was', async () => {
    payments.holds.listByMerchant({ list: 'BLOCK', of: 'CUSTOMER', value: payer });
    const until = new Date(test.clock.now().getTime() + 90 * 24 * hour);
    await payments.holds.perform(
      { action: 'PAUSE_RENEWAL', customer: payer, subscription: await subscription(), until },
      'theirs',
    );
    const id = await held.byRule(own, { effects: ['BLOCK_NEW', 'PAUSE_RENEWAL'] });
    await held.drain();
    // Nothing was paused by it: only whoever asks keeps to it.
    expect(await held.stored(id)).toBe('ACTIVE, BLOCK_NEW APPLIED PROVIDER, PAUSE_RENEWAL APPLIED PIPELINE');
    await release(id);
    expect([await isListed('BLOCK'), await isPaused()]).toEqual([true, true]);
  });

  it('keeps listed whom another hold wants listed, until that one ends', async () => {
    const [first, second] = [
      await held.byRule(own, { key: 'one', effects: ['BLOCK_NEW'] }),
      await held.byRule(own, { key: 'two', effects: ['BLOCK_NEW'] }),
    ];
    await held.drain();
    await release(first);
    expect([await held.stored(first), await isListed('BLOCK')]).toEqual(['RELEASED, BLOCK_NEW REVERSED PROVIDER', true]);
    await release(second);
    expect([await held.stored(second), await isListed('BLOCK')]).toEqual(['RELEASED, BLOCK_NEW REVERSED PROVIDER', false]);
  });

  it('lists anew whom another hold is just taking off the list, once that one is done', async () => {
    const first = await held.byRule(own, { key: 'one', effects: ['BLOCK_NEW'] });
    await held.drain();
    payments.holds.loseAnswers(1, { executed: false });
    await release(first);
    const second = await held.byRule(own, { key: 'two', effects: ['BLOCK_NEW'] });
    await held.drain();
    expect([await held.stored(first), await held.stored(second)]).toEqual([
      'RELEASING, BLOCK_NEW UNKNOWN PROVIDER',
      'PLACING, BLOCK_NEW PENDING PROVIDER',
    ]);
    await held.wait(minute);
    await held.wait(minute);
    expect([await held.stored(first), await held.stored(second)]).toEqual([
      'RELEASED, BLOCK_NEW REVERSED PROVIDER',
      'ACTIVE, BLOCK_NEW APPLIED PROVIDER',
    ]);
    expect([held.executed, await isListed('BLOCK')]).toEqual([['LIST', 'UNLIST', 'LIST'], true]);
  });

  it('pauses what another hold had paused before, once that one sets it going', async () => {
    const first = await held.byRule(own, { key: 'one', effects: ['PAUSE_RENEWAL'] });
    await held.drain();
    const second = await held.byRule(own, { key: 'two', effects: ['PAUSE_RENEWAL'] });
    await held.drain();
    expect(held.executed).toEqual(['PAUSE_RENEWAL']);
    await release(first);
    expect(await held.stored(second)).toBe('ACTIVE, PAUSE_RENEWAL APPLIED PROVIDER');
    expect([held.executed, await isPaused()]).toEqual([['PAUSE_RENEWAL', 'RESUME_RENEWAL', 'PAUSE_RENEWAL'], true]);
    await release(second);
    expect(await isPaused()).toBe(false);
  });

  it('that is extended pauses until its new end, and lets go of that', async () => {
    const id = await held.byRule(own, { effects: ['PAUSE_RENEWAL'] });
    await held.drain();
    expect(told(await test.as('sam', extendMutation, { id, until: held.in(20 * hour) })).errors).toEqual([]);
    await held.drain();
    expect(await held.stored(id)).toBe('ACTIVE, PAUSE_RENEWAL APPLIED PROVIDER');
    const pause: HoldStep = {
      action: 'PAUSE_RENEWAL',
      customer: payer,
      subscription: await subscription(),
      until: new Date(held.in(20 * hour)),
    };
    expect(await payments.holds.holds(pause)).toBe(true);
    await held.wait(7 * hour);
    expect(await isPaused()).toBe(true);
    await release(id);
    expect(await isPaused()).toBe(false);
  });

  it('says who keeps to it where a call is refused: whoever asks, or nobody', async () => {
    payments.holds.refuse('REFUSED', 2);
    const id = await held.byRule(own, { effects: ['BLOCK_NEW', 'PAUSE_RENEWAL'] });
    await held.drain();
    expect(await held.stored(id)).toBe('ACTIVE, BLOCK_NEW APPLIED PIPELINE, PAUSE_RENEWAL NOT_POSSIBLE PROVIDER');
    expect(held.executed).toEqual([]);
    payments.holds.refuse('REFUSED', 1);
    const other = await held.byRule(own, { key: 'other', effects: ['PAUSE_RENEWAL'] });
    await held.drain();
    expect(await held.stored(other)).toBe('FAILED, PAUSE_RENEWAL NOT_POSSIBLE PROVIDER');
  });

  it('sees that somebody took its customer off the list, or set renewals going again', async () => {
    const id = await held.byRule(own, { effects: ['BLOCK_NEW', 'PAUSE_RENEWAL'] });
    await held.drain();
    await payments.holds.perform({ action: 'UNLIST', list: 'BLOCK', of: 'CUSTOMER', value: payer }, 'theirs');
    await held.wait(5 * minute);
    expect(await held.stored(id)).toBe('ACTIVE, BLOCK_NEW APPLIED PIPELINE, PAUSE_RENEWAL APPLIED PROVIDER');
  });

  it('whose provider can hold nothing says so', async () => {
    Object.assign(payments, { holds: undefined });
    const id = await held.byRule(own, { effects: ['BLOCK_NEW', 'PAUSE_RENEWAL', 'HOLD_ORDER'] });
    await held.drain();
    expect(await held.stored(id)).toBe(
      'ACTIVE, BLOCK_NEW APPLIED PIPELINE, HOLD_ORDER APPLIED PIPELINE, PAUSE_RENEWAL NOT_POSSIBLE PIPELINE',
    );
    const other = await held.byRule(own, { key: 'other', effects: ['PAUSE_RENEWAL'] });
    await held.drain();
    expect(await held.stored(other)).toBe('FAILED, PAUSE_RENEWAL NOT_POSSIBLE PIPELINE');
  });

  it('waits for a provider that is down, ends in time even so, and was never sent', async () => {
    payments.goDown();
    const id = await held.byRule(own, { effects: ['BLOCK_NEW', 'HOLD_ORDER'] });
    await held.drain();
    expect(await held.stored(id)).toBe('PLACING, BLOCK_NEW PENDING PROVIDER, HOLD_ORDER APPLIED PIPELINE');
    test.clock.forward(6 * hour);
    await held.sweep();
    await held.drain();
    expect(await held.stored(id)).toBe('EXPIRED, BLOCK_NEW REVERSED PROVIDER, HOLD_ORDER REVERSED PIPELINE');
    payments.comeBack();
    await held.wait(24 * hour);
    expect(held.executed).toEqual([]);
  });

  it('goes on letting go for as long as the provider is down', async () => {
    const id = await held.byRule(own, { effects: ['BLOCK_NEW'] });
    await held.drain();
    payments.goDown();
    await release(id);
    await held.wait(48 * hour);
    expect(await held.stored(id)).toBe('RELEASING, BLOCK_NEW APPLIED PROVIDER');
    payments.comeBack();
    await held.wait(2 * hour);
    expect(await held.stored(id)).toBe('RELEASED, BLOCK_NEW REVERSED PROVIDER');
  });

  it('holds each of a group, and says that more than those are covered', async () => {
    const others = [demoTickets.matched, demoTickets.pastedCard];
    const customerIds = await Promise.all([demoTickets.own, ...others].map(({ reference }) => customerOf(test, reference)));
    const id = await held.byRule(own, { customerIds, effects: ['BLOCK_NEW'] });
    const wide = await held.byRule(own, { key: 'wide', customerIds, emailDomain: 'digest of a domain', effects: ['BLOCK_NEW'] });
    await held.drain();
    expect(await held.stored(id)).toBe('ACTIVE, BLOCK_NEW APPLIED PROVIDER');
    expect(await held.stored(wide)).toBe('ACTIVE, BLOCK_NEW APPLIED PIPELINE');
    await release(id);
    await release(wide);
    for (const { customer } of [demoTickets.own, ...others])
      expect(
        await payments.holds.holds({ action: 'LIST', list: 'BLOCK', of: 'CUSTOMER', value: paymentReferenceOf(customer ?? 0) }),
      ).toBe(false);
  });

  describe('whose customer is erased meanwhile', () => {
    const stepsLeft = () => countOf(test, 'privacy_customer_key', "owner LIKE 'hld_%' AND wrapped IS NOT NULL");
    /** Their key at the helpdesk and that of whom they are at the payment side. */
    const eraseBoth = async () => {
      const customerId = await customerOf(test, own);
      const [row] = await test.app.database.query<{ payer: string }>(
        'SELECT payment_customer_id AS payer FROM helpdesk_customer WHERE id = ?',
        [customerId],
      );
      for (const owner of [customerId, row?.payer ?? '']) await erase(test, owner);
    };

    it.each<[string, (id: string) => Promise<void>]>([
      ['it is released', release],
      ['its time is over', async () => held.wait(6 * hour)],
    ])('takes back what it did at the provider when %s, and keeps nothing of what that took', async (_, ends) => {
      const id = await held.byRule(own, { effects: ['BLOCK_NEW', 'PAUSE_RENEWAL'] });
      await held.drain();
      expect([await isListed('BLOCK'), await isPaused(), await stepsLeft()]).toEqual([true, true, 1]);
      await eraseBoth();
      await held.wait(5 * minute);
      expect((await held.stored(id)).split(',')[0]).toBe('ACTIVE');
      await ends(id);
      expect([await isListed('BLOCK'), await isPaused()]).toEqual([false, false]);
      expect(await held.stored(id)).toMatch(/^(RELEASED|EXPIRED), BLOCK_NEW REVERSED PROVIDER, PAUSE_RENEWAL REVERSED PROVIDER$/);
      expect(await stepsLeft()).toBe(0);
    });

    it('does nothing to them that isn’t done yet, and takes back what it may have done', async () => {
      payments.holds.loseAnswers(1, { executed: true });
      const id = await held.byRule(own, { effects: ['BLOCK_NEW'] });
      await held.drain();
      expect(await held.stored(id)).toBe('PLACING, BLOCK_NEW UNKNOWN PROVIDER');
      const later = await held.byRule(own, { key: 'later', effects: ['REVIEW'] });
      await eraseBoth();
      await held.wait(minute);
      expect([await held.stored(later), await isListed('REVIEW')]).toEqual(['ACTIVE, REVIEW APPLIED PIPELINE', false]);
      await release(id);
      expect([await held.stored(id), await isListed('BLOCK')]).toEqual(['RELEASED, BLOCK_NEW REVERSED PIPELINE', false]);
    });

    it('says that nobody knows how it is where what it did can’t be read any more', async () => {
      const id = await held.byRule(own, { effects: ['BLOCK_NEW', 'HOLD_ORDER'] });
      await held.drain();
      await erase(test, id);
      await release(id);
      expect(await held.stored(id)).toBe('FAILED, BLOCK_NEW UNKNOWN PROVIDER, HOLD_ORDER REVERSED PIPELINE');
    });
  });
});

describe('a capture', () => {
  const deferred = async (given = {}) => {
    const payment = await held.authorized(customerNumber);
    const id = await held.byRule(own, { transactionId: payment.id, effects: ['DEFER_CAPTURE'], ...given });
    await held.drain();
    return { id, payment };
  };

  it('waits where the provider says that it is by hand and still to come', async () => {
    const { id } = await deferred();
    expect(await held.stored(id)).toBe('ACTIVE, DEFER_CAPTURE APPLIED PIPELINE');
    await release(id);
    expect(await held.stored(id)).toBe('RELEASED, DEFER_CAPTURE REVERSED PIPELINE');
    expect(held.executed).toEqual([]);
  });

  it('waits never where it was made, whatever was last read of it', async () => {
    const payment = await held.authorized(customerNumber);
    payments.changeTransaction(payer, payment.reference, { status: 'CAPTURED' });
    const id = await held.byRule(own, { transactionId: payment.id, effects: ['DEFER_CAPTURE'] });
    await held.drain();
    expect(await held.stored(id)).toBe('FAILED, DEFER_CAPTURE NOT_POSSIBLE PIPELINE');
  });

  it.each(['CAPTURED', 'CANCELLED'] as const)('that became %s at the provider ends the hold at the next look', async (status) => {
    const { id, payment } = await deferred();
    payments.changeTransaction(payer, payment.reference, { status });
    await held.wait(5 * minute);
    expect(await held.stored(id)).toMatch(/^LAPSED/);
  });

  it('that was read to be made ends the hold before anybody looks', async () => {
    const { id, payment } = await deferred();
    payments.changeTransaction(payer, payment.reference, { status: 'CAPTURED', open: 0, captured: 4_200 });
    await test.app.sources.syncAll();
    await held.sweep();
    expect(await held.stored(id)).toBe('LAPSED, DEFER_CAPTURE NOT_POSSIBLE PIPELINE');
    const [lapsed] = (await test.events('hold.lapse')).filter(({ detail }) => (detail as { to: string }).to === 'RELEASING');
    expect(lapsed?.detail).toMatchObject({ reason: 'PAYMENT_CAPTURED' });
  });

  it.each(['REFUNDED', 'CAPTURED'])('that a row says to be %s, and its provider doesn’t, goes on waiting', async (status) => {
    const { id, payment } = await deferred();
    await tamper(test.app.database, 'UPDATE payment_transaction SET status = ? WHERE id = ?', [status, payment.id]);
    await held.sweep();
    await held.sweep();
    expect(await held.stored(id)).toBe('ACTIVE, DEFER_CAPTURE APPLIED PIPELINE');
    expect(await test.events('hold.lapse')).toEqual([]);
    // Once it is so it ends, at the hold's own next look.
    payments.changeTransaction(payer, payment.reference, { status: 'CAPTURED' });
    await held.wait(5 * minute);
    expect(await held.stored(id)).toMatch(/^LAPSED/);
  });

  it('that was read to be made while its provider is away is asked about once that is back', async () => {
    const { id, payment } = await deferred();
    payments.changeTransaction(payer, payment.reference, { status: 'CAPTURED', open: 0, captured: 4_200 });
    await test.app.sources.syncAll();
    payments.goDown();
    await held.sweep();
    expect(await held.stored(id)).toBe('ACTIVE, DEFER_CAPTURE APPLIED PIPELINE');
    payments.comeBack();
    await held.wait(5 * minute);
    expect(await held.stored(id)).toMatch(/^LAPSED/);
  });

  it('that was made leaves what else the hold is for', async () => {
    const { id, payment } = await deferred({ effects: ['DEFER_CAPTURE', 'HOLD_ORDER'] });
    payments.changeTransaction(payer, payment.reference, { status: 'CAPTURED' });
    await held.wait(5 * minute);
    expect(await held.stored(id)).toBe('ACTIVE, DEFER_CAPTURE NOT_POSSIBLE PIPELINE, HOLD_ORDER APPLIED PIPELINE');
  });

  it.each([
    ['as it was last read', async () => held.sweep()],
    ['at the next look', async () => held.wait(5 * minute)],
  ])('that came to nothing, %s, lifts nothing that is about whoever pays', async (_, notice) => {
    const { id, payment } = await deferred({ effects: ['DEFER_CAPTURE', 'HOLD_ORDER', 'BLOCK_NEW'], cause: 'CUSTOMER' });
    payments.changeTransaction(payer, payment.reference, { status: 'CANCELLED', open: 0 });
    await test.app.sources.syncAll();
    await notice();
    const kept = 'ACTIVE, BLOCK_NEW APPLIED PROVIDER, DEFER_CAPTURE REVERSED PIPELINE, HOLD_ORDER REVERSED PIPELINE';
    expect(await held.stored(id)).toBe(kept);
    expect(await isListed('BLOCK')).toBe(true);
    expect((await test.events('hold.lapse')).length).toBe(0);
    // Planned anew, nothing of it comes back.
    const { errors } = told(await test.as('sam', extendMutation, { id, until: held.in(12 * hour) }));
    expect(errors).toEqual([]);
    await held.sweep();
    await held.drain();
    expect(await held.stored(id)).toBe(kept);
    await held.wait(12 * hour);
    expect(await held.stored(id)).toMatch(/^EXPIRED, BLOCK_NEW REVERSED/);
    expect(await isListed('BLOCK')).toBe(false);
  });

  it('that came to nothing ends a hold of that payment alone', async () => {
    const { id, payment } = await deferred({ effects: ['DEFER_CAPTURE', 'HOLD_ORDER'] });
    payments.changeTransaction(payer, payment.reference, { status: 'CANCELLED', open: 0 });
    await test.app.sources.syncAll();
    await held.sweep();
    expect(await held.stored(id)).toBe('LAPSED, DEFER_CAPTURE REVERSED PIPELINE, HOLD_ORDER REVERSED PIPELINE');
  });

  const endOf = async (id: string): Promise<string> => {
    const [row] = await test.app.database.query<{ expires_at: number }>('SELECT expires_at FROM payment_hold WHERE id = ?', [id]);
    return new Date(Number(row?.expires_at)).toISOString();
  };

  it.each([
    ['an hour after, where it may end sooner than that', 7 * 24 - 14, 1],
    ['by the shortest that an authorization lives, less twelve hours', 4 * 24 + 2, 4],
  ])('of which nobody can say until when it can be made waits, at once, until %s', async (_, age, hours) => {
    const payment = await held.authorized(customerNumber);
    test.clock.forward(age * hour);
    await held.open('sam', own);
    payments.goDown();
    const given = { transactionId: payment.id, effects: ['REVIEW', 'HOLD_ORDER'], until: held.in(24 * hour) };
    const id = await held.placed('sam', own, given);
    expect(await endOf(id)).toBe(held.in(hours * hour));
    await held.wait(hours * hour);
    expect((await held.shown('sam', id))?.state ?? 'EXPIRED').toMatch(/EXPIRED|RELEASING/);
    payments.comeBack();
  });

  it('that the customer disowned is let go in time though nobody could ever be asked about it', async () => {
    const payment = await held.authorized(customerNumber);
    test.clock.forward(4 * 24 * hour);
    payments.goDown();
    const effects = ['DEFER_CAPTURE', 'HOLD_ORDER', 'BLOCK_NEW'] as const;
    const until = new Date(test.clock.now().getTime() + 24 * hour);
    const id = await held.byRule(own, { cause: 'CUSTOMER', transactionId: payment.id, effects, until });
    await held.drain();
    await held.wait(5 * hour);
    await held.sweep();
    expect(await held.stored(id)).toMatch(/DEFER_CAPTURE PENDING PIPELINE, HOLD_ORDER APPLIED PIPELINE$/);
    await held.wait(hour);
    await held.sweep();
    expect(await held.stored(id)).toBe(
      'PLACING, BLOCK_NEW PENDING PIPELINE, DEFER_CAPTURE REVERSED PIPELINE, HOLD_ORDER REVERSED PIPELINE',
    );
    payments.comeBack();
  });

  it('ends a hold in time whatever that is to bring about', async () => {
    const payment = await held.authorized(customerNumber);
    test.clock.forward(7 * 24 * hour - 14 * hour);
    const id = await held.byRule(own, { transactionId: payment.id, effects: ['REVIEW', 'HOLD_ORDER'] });
    await held.drain();
    expect(await endOf(id)).toBe(held.in(2 * hour));
    test.clock.forward(3 * hour);
    const late = await held.byRule(own, { key: 'late', transactionId: payment.id, effects: ['REVIEW', 'HOLD_ORDER'] });
    await held.drain();
    await held.drain();
    expect(await held.stored(late)).toBe('EXPIRED, HOLD_ORDER REVERSED PIPELINE, REVIEW REVERSED PIPELINE');
  });

  it.each(['up', 'down'] as const)(
    'that the customer disowned is let go in time, with the provider %s, and nothing else of theirs',
    async (how) => {
      const payment = await held.authorized(customerNumber);
      test.clock.forward(7 * 24 * hour - 14 * hour);
      const until = new Date(test.clock.now().getTime() + 24 * hour);
      const given = {
        cause: 'CUSTOMER',
        transactionId: payment.id,
        effects: ['DEFER_CAPTURE', 'HOLD_ORDER', 'BLOCK_NEW'],
        until,
      } as const;
      const id = await held.byRule(own, given);
      await held.drain();
      expect(await held.stored(id)).toBe(
        'ACTIVE, BLOCK_NEW APPLIED PROVIDER, DEFER_CAPTURE APPLIED PIPELINE, HOLD_ORDER APPLIED PIPELINE',
      );
      if (how === 'down') payments.goDown();
      test.clock.forward(2 * hour);
      await (how === 'down' ? held.sweep() : held.drain());
      expect(await held.stored(id)).toBe(
        'ACTIVE, BLOCK_NEW APPLIED PROVIDER, DEFER_CAPTURE REVERSED PIPELINE, HOLD_ORDER REVERSED PIPELINE',
      );
      expect(await endOf(id)).toBe(until.toISOString());
      payments.comeBack();
      // Found late, nothing of it begins.
      const late = await held.byRule(own, { ...given, key: 'late' });
      await held.drain();
      expect(await held.stored(late)).toBe(
        'ACTIVE, BLOCK_NEW APPLIED PROVIDER, DEFER_CAPTURE REVERSED PIPELINE, HOLD_ORDER REVERSED PIPELINE',
      );
    },
  );

  it('waits until twelve hours before the authorization ends, whatever a rule wanted', async () => {
    const payment = await held.authorized(customerNumber);
    test.clock.forward(7 * 24 * hour - 14 * hour);
    const id = await held.byRule(own, { transactionId: payment.id, effects: ['DEFER_CAPTURE'] });
    await held.drain();
    const [row] = await test.app.database.query<{ expires_at: number }>('SELECT expires_at FROM payment_hold WHERE id = ?', [id]);
    expect(new Date(Number(row?.expires_at)).toISOString()).toBe(held.in(2 * hour));
    await held.wait(2 * hour);
    expect(await held.stored(id)).toBe('EXPIRED, DEFER_CAPTURE REVERSED PIPELINE');
  });
});

describe('a call', () => {
  it.each([
    ['was made', true],
    ['wasn’t', false],
  ])('whose answer is lost and that %s is known once the provider was asked', async (_, executed) => {
    payments.holds.loseAnswers(1, { executed });
    const id = await held.byRule(own, { effects: ['PAUSE_RENEWAL'] });
    await held.drain();
    expect(await held.stored(id)).toBe('PLACING, PAUSE_RENEWAL UNKNOWN PROVIDER');
    await held.wait(minute);
    expect(await held.stored(id)).toBe('ACTIVE, PAUSE_RENEWAL APPLIED PROVIDER');
    expect(held.executed).toEqual(['PAUSE_RENEWAL']);
  });

  it('of which nobody heard before the release is taken back', async () => {
    payments.holds.loseAnswers(1, { executed: true });
    const id = await held.byRule(own, { effects: ['BLOCK_NEW'] });
    await held.drain();
    await release(id);
    await held.wait(minute);
    expect(await held.stored(id)).toBe('RELEASED, BLOCK_NEW REVERSED PROVIDER');
    expect(await isListed('BLOCK')).toBe(false);
  });

  it.each([
    ['before', false],
    ['after', true],
  ])('of a worker that ended %s it was made has its effect once', async (_, isMade) => {
    const perform = payments.holds.perform.bind(payments.holds);
    payments.holds.perform = async (step, key) => {
      payments.holds.perform = perform;
      if (isMade) await perform(step, key);
      throw new Error('the process ended');
    };
    const id = await held.byRule(own, { effects: ['BLOCK_NEW'] });
    await held.drain();
    const [intended] = await test.app.database.query<{ state: string }>('SELECT state FROM payment_hold_step');
    expect(intended?.state).toBe('INTENDED');
    await held.wait(minute);
    expect(await held.stored(id)).toBe('ACTIVE, BLOCK_NEW APPLIED PROVIDER');
    expect(held.executed).toEqual(['LIST']);
  });

  it('of a worker that lost its hold to another one is made once, and written down by one', async () => {
    const perform = payments.holds.perform.bind(payments.holds);
    let calls = 0;
    let secondIsThrough = () => {};
    let firstIsAsked = () => {};
    const through = new Promise<void>((resolve) => {
      secondIsThrough = resolve;
    });
    const asked = new Promise<void>((resolve) => {
      firstIsAsked = resolve;
    });
    payments.holds.perform = async (step, key) => {
      calls += 1;
      if (calls > 1) return perform(step, key).finally(secondIsThrough);
      firstIsAsked();
      await through;
      return perform(step, key);
    };
    const id = await held.byRule(own, { effects: ['PAUSE_RENEWAL'] });
    const first = held.drain();
    await asked;
    // Longer than the lease: the first may be dead, for all that the second knows.
    test.clock.forward(2 * minute);
    await Promise.all([first, held.wait(5 * minute)]);
    payments.holds.perform = perform;
    expect([calls, held.executed]).toEqual([2, ['PAUSE_RENEWAL']]);
    expect(await held.stored(id)).toBe('ACTIVE, PAUSE_RENEWAL APPLIED PROVIDER');
    expect(await countOf(test, 'payment_hold_step', "state = 'DONE'")).toBe(1);
  });

  it('leaves nothing of the provider’s in logs and leaves', async () => {
    payments.holds.loseAnswers(1, { executed: true });
    const payment = await held.authorized(customerNumber, 77_123);
    const id = await held.byRule(own, { transactionId: payment.id, effects: ['DEFER_CAPTURE', 'PAUSE_RENEWAL', 'BLOCK_NEW'] });
    await held.drain();
    await held.wait(minute);
    await release(id);
    const said = [JSON.stringify(await test.events()), ...test.logLines].join('\n');
    for (const secret of [payer, await subscription(), payment.reference, '77123'])
      expect(said.includes(secret) ? secret : null).toBeNull();
    const rows = JSON.stringify(await test.app.database.query('SELECT * FROM payment_hold_step'));
    for (const secret of [payer, await subscription()]) expect(rows).not.toContain(secret);
  });
});
