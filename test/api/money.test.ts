import type { RefundRecord } from '../../src/upstream/payments/payments.port';
import { TestApp } from '../support/app';
import { card, helpdeskCustomer, payment, ScriptedHelpdesk, ScriptedPayments } from '../support/scripted-sources';

const operation = `query ($reference: String!) {
  ticketByReference(source: "demo", reference: $reference) {
    customer {
      transactions {
        nodes {
          reference status
          amount { minorUnits currency } authorized { minorUnits currency } captured { minorUnits } refunded { minorUnits } open { minorUnits }
          presentment { minorUnits currency }
          refunds { amount { minorUnits currency } state reason createdAt }
        }
      }
    }
  }
}`;

const at = new Date('2026-09-02T08:30:00Z');
const refund = (amount: number, state: RefundRecord['state']): RefundRecord => ({
  amount,
  state,
  reason: 'requested_by_customer',
  createdAt: at,
});

describe('the money of a transaction, in its parts', () => {
  let test: TestApp;
  let payments: ScriptedPayments;
  const paid = payment('ch_1', {
    amount: 20_300,
    authorized: 20_675,
    captured: 20_300,
    refunded: 0,
    open: 0,
    currency: 'USD',
    presentment: { amount: 19_150, currency: 'EUR' },
    refunds: [refund(20_300, 'PENDING')],
  });
  const put = (transaction = paid) => payments.put('pay-one', { helpdeskReference: 'demo:one' }, [card('pm_one')], [transaction]);
  const shown = async (who = 'ana') => {
    const answer = await test.as(who, operation, { reference: '1' });
    expect(answer.errors).toBeUndefined();
    return answer.data.ticketByReference.customer.transactions.nodes;
  };

  beforeEach(async () => {
    const helpdesk = new ScriptedHelpdesk('demo');
    payments = new ScriptedPayments('demo-pay');
    helpdesk.put('1', { customer: helpdeskCustomer('one') });
    put();
    test = await TestApp.start({ connectors: { demo: helpdesk, 'demo-pay': payments } });
  });
  afterEach(() => test.stop());

  it('is what was captured, what was authorized and what comes back, each by itself', async () => {
    expect(await shown()).toEqual([
      {
        reference: 'ch_1',
        status: 'CAPTURED',
        amount: { minorUnits: 20_300, currency: 'USD' },
        authorized: { minorUnits: 20_675, currency: 'USD' },
        captured: { minorUnits: 20_300 },
        refunded: { minorUnits: 0 },
        open: { minorUnits: 0 },
        presentment: { minorUnits: 19_150, currency: 'EUR' },
        refunds: [
          {
            amount: { minorUnits: 20_300, currency: 'USD' },
            state: 'PENDING',
            reason: 'requested_by_customer',
            createdAt: '2026-09-02T08:30:00.000Z',
          },
        ],
      },
    ]);
  });

  it('is followed when a refund of an old payment ends', async () => {
    await shown();
    put({ ...paid, status: 'REFUNDED', refunded: 20_300, refunds: [refund(20_300, 'SUCCEEDED')] });
    await test.app.sources.syncAll();
    expect(await shown()).toMatchObject([
      { status: 'REFUNDED', refunded: { minorUnits: 20_300 }, refunds: [{ state: 'SUCCEEDED' }] },
    ]);
    put({ ...paid, refunds: [refund(20_300, 'FAILED')] });
    await test.app.sources.syncAll();
    expect(await shown()).toMatchObject([{ status: 'CAPTURED', refunded: { minorUnits: 0 }, refunds: [{ state: 'FAILED' }] }]);
  });

  it('is shown under its provider’s id, but for a card number in that', async () => {
    put({ ...paid, reference: 'pay-4242424242424242' });
    await test.app.sources.syncAll();
    await test.app.sources.syncAll();
    const references = (await shown()).map(({ reference }: { reference: string }) => reference).sort();
    expect(references).toEqual(['ch_1', expect.stringMatching(/^pay-\[card number removed\] [\w-]{10}$/)]);
    const stored = await test.app.database.query<{ reference: string }>('SELECT reference FROM payment_transaction');
    expect(stored.map(({ reference }) => reference).sort()).toEqual(references);
  });

  it('keeps the newest fifty of more refunds than anybody reads', async () => {
    put({ ...paid, refunds: Array.from({ length: 400 }, (_, index) => refund(index, 'PENDING')) });
    await test.app.sources.syncAll();
    const [{ refunds }] = await shown();
    expect(refunds.map((each: { amount: { minorUnits: number } }) => each.amount.minorUnits)).toEqual(
      Array.from({ length: 50 }, (_, index) => index),
    );
  });
});

describe('a decline', () => {
  let test: TestApp;
  const codes = ['stolen_card', 'insufficient_funds', 'a_code_of_next_year'];
  const declines = `query ($reference: String!, $filter: TransactionFilter) {
    ticketByReference(source: "demo", reference: $reference) {
      customer { transactions(filter: $filter) { nodes { declineCode declineAdvice declineExplanation } } }
    }
  }`;
  const unsaid = 'The bank declined the payment and gave no reason. The customer can ask their bank, or pay in another way.';
  const short = 'There wasn’t enough money, or limit, for this payment. The customer can pay in another way.';

  beforeAll(async () => {
    const helpdesk = new ScriptedHelpdesk('demo');
    const payments = new ScriptedPayments('demo-pay');
    for (const [reference, assignee] of [
      ['1', 'ana'],
      ['2', 'sam'],
    ] as const) {
      helpdesk.put(reference, { customer: helpdeskCustomer(assignee), assignee });
      const attempts = codes.map((declineCode, index) =>
        payment(`${assignee}_${index}`, {
          status: 'DECLINED',
          declineCode,
          declineAdvice: index === 0 ? 'do_not_try_again' : null,
        }),
      );
      payments.put(`pay-${assignee}`, { helpdeskReference: `demo:${assignee}` }, [card(`pm_${assignee}`)], attempts);
    }
    test = await TestApp.start({ connectors: { demo: helpdesk, 'demo-pay': payments } });
  });
  afterAll(() => test.stop());

  const shown = async (who: string, reference: string) => {
    const answer = await test.as(who, declines, { reference });
    expect(answer.errors).toBeUndefined();
    const { nodes } = answer.data.ticketByReference.customer.transactions;
    return (nodes as { declineCode: string }[]).sort((one, other) => one.declineCode.localeCompare(other.declineCode));
  };

  it('of a stolen card reads to an agent as any other, and in the provider’s words to a supervisor', async () => {
    const any = { declineCode: 'generic_decline', declineAdvice: null, declineExplanation: unsaid };
    const advised = {
      ...any,
      declineAdvice: 'do_not_try_again',
      declineExplanation: `${unsaid} Another try with the same card won’t succeed.`,
    };
    const plain = { declineCode: 'insufficient_funds', declineAdvice: null, declineExplanation: short };
    expect(await shown('ana', '1')).toEqual(expect.arrayContaining([any, advised, plain]));
    expect(await shown('sam', '2')).toEqual([
      { ...any, declineCode: 'a_code_of_next_year' },
      plain,
      { ...advised, declineCode: 'stolen_card' },
    ]);
  });

  it('isn’t found by an agent who filters by its code', async () => {
    const answer = await test.as('ana', declines, { reference: '1', filter: { declineCode: 'stolen_card' } });
    expect(answer.errors?.map(({ extensions }) => [extensions.code, extensions.reason])).toEqual([['DENIED', 'NOT_FILTERABLE']]);
    const found = await test.as('sam', declines, { reference: '2', filter: { declineCode: 'stolen_card' } });
    expect(found.data.ticketByReference.customer.transactions.nodes).toHaveLength(1);
  });
});
