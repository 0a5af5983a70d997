import { policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import { approveUpdate, type Case, newAddress, readUpdate, Updates } from '../support/credentials';

const hour = 3_600_000;
const context = `query ($reference: String!) {
  ticketByReference(source: "demo", reference: $reference) {
    customer { paymentMethods { id last4 isDefault timesSaved } transactions(first: 50) { nodes { paymentMethod { id } } } }
  }
}`;

describe('a card that is saved several times', () => {
  let test: TestApp;
  let updates: Updates;
  beforeAll(async () => {
    test = await TestApp.start({ policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 500']) });
    updates = new Updates(test);
  });
  afterAll(() => test.stop());

  /** A customer all of whose methods are one card. */
  const withOneCard = async (subscribed = false): Promise<Case> => {
    const of = await updates.next({ subscribed });
    for (const { reference } of await updates.methodsOf(of))
      test.payments.changeMethod(of.payer, reference, {
        ...{ kind: 'CARD', brand: 'visa', last4: '4242', expiryMonth: 8, expiryYear: 2030, status: 'ACTIVE' },
        fingerprint: 'fp_of_one_card',
      });
    await test.app.sources.syncAll();
    return updates.caseOf(of.reference, of.number);
  };
  const timesOf = async (of: Case) => (await updates.methodsOf(of)).length;
  const shown = async (of: Case) => (await test.as('ana', context, { reference: of.reference })).data.ticketByReference.customer;
  const rowsOf = (of: Case) =>
    test.app.database.query<{ id: string; status: string; is_default: number }>(
      `SELECT m.id, m.status, m.is_default FROM payment_method m JOIN helpdesk_customer c ON c.payment_customer_id = m.payment_customer_id WHERE c.id = '${of.customerId}'`,
    );
  const shownOf = (of: Case) => of.methods.find(({ isDefault }) => isDefault)!;
  const done = async (id: string, token: string, over = {}) => {
    await updates.confirm(token, over);
    await test.as('sam', approveUpdate, { id });
    await updates.drain();
    const { data } = await test.as('ana', readUpdate, { id });
    return [data.credentialUpdate.state, data.credentialUpdate.failure];
  };

  it('is shown once, with how often, and every payment with it leads there', async () => {
    const of = await withOneCard();
    const times = await timesOf(of);
    expect(times).toBeGreaterThan(1);
    const { paymentMethods, transactions } = await shown(of);
    expect(paymentMethods).toEqual([{ id: shownOf(of).id, last4: '4242', isDefault: true, timesSaved: times }]);
    expect(transactions.nodes.length).toBeGreaterThan(0);
    for (const { paymentMethod } of transactions.nodes) expect(paymentMethod).toEqual({ id: shownOf(of).id });
  });

  it('goes whole when it is removed, and the customer is told how often it was there', async () => {
    const of = await withOneCard();
    const times = await timesOf(of);
    const { id, token } = await updates.asked(of, shownOf(of), 'REMOVE');
    const view = JSON.stringify(await updates.desk.view(token));
    expect(view).toContain(`saved ${times} times`);
    expect(await done(id, token)).toEqual(['APPLIED', null]);
    expect(await updates.methodsOf(of)).toEqual([]);
    expect(new Set((await rowsOf(of)).map(({ status }) => status))).toEqual(new Set(['REMOVED']));
  });

  it('stays where something is paid with any of them', async () => {
    const of = await withOneCard(true);
    const times = await timesOf(of);
    const { id, token } = await updates.asked(of, shownOf(of), 'REMOVE');
    expect(await done(id, token)).toEqual(['FAILED', 'METHOD_IN_USE']);
    expect(await timesOf(of)).toBe(times);
  });

  it('gets a new address wherever it is saved', async () => {
    const of = await withOneCard();
    const { id, token } = await updates.asked(of, shownOf(of), 'BILLING_ADDRESS');
    expect(await done(id, token, { address: newAddress })).toEqual(['APPLIED', null]);
    const addresses = (await updates.methodsOf(of)).map(({ billingAddress }) => billingAddress?.line1);
    expect(addresses.length).toBeGreaterThan(1);
    expect(new Set(addresses)).toEqual(new Set([newAddress.line1]));
  });

  it('isn’t changed under the id of one that isn’t shown', async () => {
    const of = await withOneCard();
    const hidden = (await rowsOf(of)).find(({ id }) => id !== shownOf(of).id)!;
    const answer = told(await updates.request(of, { ...shownOf(of), id: hidden.id }, 'REMOVE'));
    expect(answer.errors.map((each) => each.slice(1))).toEqual([['NOT_FOUND']]);
    await updates.wait(hour);
  });
});
