import { demoTickets } from '../../src/development/merchant/cast';
import type { NewTransaction } from '../../src/development/sources/demo-payments';
import type { AlertDraft } from '../../src/features/alerts/raising';
import { raised, raiseOn } from '../support/alerts';
import { policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import { type Case, Updates } from '../support/credentials';

const read = 'query { alerts(first: 100) { nodes { id guidance { code text } } } }';

let test: TestApp;
let updates: Updates;
beforeAll(async () => {
  test = await TestApp.start();
  updates = new Updates(test);
});
afterAll(() => test.stop());

/** A payment of a customer; returns its id. */
const paid = async (of: Pick<Case, 'payer'>, given: NewTransaction, within = test): Promise<string> => {
  within.clock.forward(1_000);
  const { reference } = within.payments.addTransaction(of.payer, given);
  await within.app.sources.syncAll();
  const [row] = await within.app.database.query<{ id: string }>('SELECT id FROM payment_transaction WHERE reference = ?', [
    reference,
  ]);
  return row?.id ?? '';
};
const declined = (declineAdvice: string | null): NewTransaction => ({
  amount: 5_000,
  status: 'DECLINED',
  declineCode: 'do_not_honor',
  declineAdvice,
});
let windows = 0;
/** The steps of a new alert that names these payments. */
const stepsOf = async (
  reference: string,
  transactionIds: readonly string[],
  given: Partial<AlertDraft> = {},
  within = test,
): Promise<readonly { code: string; text: string }[]> => {
  windows += 1;
  const reasons = transactionIds.map((transactionId) => ({ code: 'REVIEW' as const, transactionId }));
  const id = raised(await raiseOn(within, reference, { rule: 'volume-spike', window: String(windows), reasons, ...given }));
  const { data, errors } = told(await within.as('ana', read));
  expect(errors).toEqual([]);
  return data.alerts.nodes.find((each: { id: string }) => each.id === id).guidance;
};
const codes = (steps: readonly { code: string }[]): readonly string[] => steps.map(({ code }) => code);

describe('what helps with a ticket', () => {
  it('is to ask the customer, as long as a payment that the alert names is pending', async () => {
    const of = await updates.next();
    const payment = await paid(of, { amount: 5_000, status: 'AUTHORIZED' });
    expect(codes(await stepsOf(of.reference, [payment]))).toEqual(['ASK_FOR_PAYMENTS', 'ASK_CUSTOMER', 'RESOLVE']);
    const other = await paid(of, { amount: 5_000, status: 'CAPTURED' });
    expect(codes(await stepsOf(of.reference, [other]))).toEqual(['ASK_FOR_PAYMENTS', 'RESOLVE']);
  });

  it.each([
    ['do_not_try_again', 'DO_NOT_RETRY', 'issuer refuses it'],
    ['network_advice_25', 'RETRY_LATER', 'may succeed after a day.'],
    ['try_again_later', 'RETRY_LATER', 'Another try, later, may succeed.'],
    ['confirm_card_data', 'CHECK_CARD_DATA', 'they enter them themselves'],
  ])('follows the advice %s of a decline: %s', async (advice, code, text) => {
    const of = await updates.next();
    const payment = await paid(of, declined(advice));
    const steps = await stepsOf(of.reference, [payment]);
    expect(codes(steps)).toEqual(['ASK_FOR_PAYMENTS', code, 'RESOLVE']);
    expect(steps[1]?.text).toContain(text);
  });

  it('follows the latest decline, and what the rule says against another attempt before that', async () => {
    const of = await updates.next();
    const earlier = await paid(of, declined('do_not_try_again'));
    const latest = await paid(of, declined('try_again_later'));
    expect(codes(await stepsOf(of.reference, [latest, earlier]))).toEqual(['ASK_FOR_PAYMENTS', 'RETRY_LATER', 'RESOLVE']);
    expect(codes(await stepsOf(of.reference, [latest, earlier], { rule: 'decline-loop' }))).toEqual(['DO_NOT_RETRY', 'RESOLVE']);
    const silent = await paid(of, declined(null));
    expect(codes(await stepsOf(of.reference, [latest, earlier, silent]))).toEqual(['ASK_FOR_PAYMENTS', 'RESOLVE']);
  });

  it('is to wait for the step-up that is asked of the customer', async () => {
    const of = await updates.next();
    const { customerId } = of;
    const until = new Date(test.clock.now().getTime() + 2_000);
    await test.app.database.system('worker', 'demand.open', (change) =>
      test.app.services.stepUps.open(change, { customerId, origin: { rule: 'card-testing', version: 1 }, restsOn: [], until }),
    );
    expect(codes(await stepsOf(of.reference, []))).toEqual(['ASK_FOR_PAYMENTS', 'WAIT_FOR_STEP_UP', 'RESOLVE']);
    expect(codes(await stepsOf((await updates.next()).reference, []))).not.toContain('WAIT_FOR_STEP_UP');
    test.clock.forward(2_000);
    expect(codes(await stepsOf(of.reference, []))).not.toContain('WAIT_FOR_STEP_UP');
  });

  it('says nothing of a payment that isn’t the customer’s', async () => {
    const [of, other] = [await updates.next(), await updates.next()];
    const payments = [await paid(other, declined('try_again_later')), await paid(other, { amount: 1, status: 'PENDING' })];
    expect(codes(await stepsOf(of.reference, payments))).toEqual(['ASK_FOR_PAYMENTS', 'RESOLVE']);
  });

  it('is not to ask whom the payment side doesn’t name', async () => {
    const matched = await updates.open(demoTickets.matched.reference, 2);
    const payment = await paid(matched, { amount: 5_000, status: 'AUTHORIZED' });
    expect(codes(await stepsOf(matched.reference, [payment]))).not.toContain('ASK_CUSTOMER');
  });

  it.each([
    ['declineAdvice', ['ASK_FOR_PAYMENTS', 'ASK_CUSTOMER', 'RESOLVE']],
    ['status', ['ASK_FOR_PAYMENTS', 'RESOLVE']],
  ] as const)('leaves out a step of which the reader may not read Transaction.%s', async (field, left) => {
    const [before, after] = policyWith().split('\n  Transaction:') as [string, string];
    const omitted = after.replace(`\n    ${field}: { AGENT: reveal`, `\n    ${field}: { AGENT: omit`);
    const within = await TestApp.start({ policy: `${before}\n  Transaction:${omitted}` });
    try {
      const of = await new Updates(within).next();
      const payments = [
        await paid(of, declined('try_again_later'), within),
        await paid(of, { amount: 5_000, status: 'PENDING' }, within),
      ];
      expect(codes(await stepsOf(of.reference, payments, {}, within))).toEqual(left);
    } finally {
      await within.stop();
    }
  });
});
