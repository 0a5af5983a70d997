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

  it('keeps the newest fifty of more refunds than anybody reads', async () => {
    put({ ...paid, refunds: Array.from({ length: 400 }, (_, index) => refund(index, 'PENDING')) });
    await test.app.sources.syncAll();
    const [{ refunds }] = await shown();
    expect(refunds.map((each: { amount: { minorUnits: number } }) => each.amount.minorUnits)).toEqual(
      Array.from({ length: 50 }, (_, index) => index),
    );
  });
});
