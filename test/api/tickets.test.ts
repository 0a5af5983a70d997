import { demoTickets } from '../../src/upstream/demo/cast';
import { TestApp } from '../support/app';

const context = `query Context($reference: String!) {
  ticketByReference(source: "demo", reference: $reference) {
    reference status assistance { state automatic }
    customer { link email paymentMethods { brand last4 } transactions(first: 2) { totalCount nodes { status risk { band } } } }
    messages(first: 1) { nodes { body } }
  }
}`;

describe('opening a ticket', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(() => app.stop());

  it('shows its agent the payment context, masked, and leaves a disclosure', async () => {
    const { status, data, errors } = await app.as('ana', context, { reference: demoTickets.own.reference });
    expect({ status, errors }).toEqual({ status: 200, errors: undefined });
    expect(data.ticketByReference).toMatchObject({
      reference: '1001',
      assistance: { state: 'LIVE', automatic: true },
      customer: { link: 'VERIFIED' },
    });
    expect(data.ticketByReference.customer.email).toMatch(/^.•••@.•••\./);
    const disclosures = await app.events('disclosure');
    expect(disclosures).toHaveLength(1);
  });

  it('shows the ticket but not its customer to the agent who made it up', async () => {
    const { data, errors } = await app.as('ana', context, { reference: demoTickets.selfMade.reference });
    expect(data.ticketByReference.customer).toBeNull();
    expect(errors?.map(({ path, extensions }) => [path?.join('.'), extensions.code, extensions.reason])).toEqual([
      ['ticketByReference.customer', 'DENIED', 'SELF_MADE'],
      ['ticketByReference.messages', 'DENIED', 'SELF_MADE'],
    ]);
  });

  it('answers a ticket of another team like one that does not exist', async () => {
    const other = await app.as('ana', context, { reference: demoTickets.otherTeam.reference });
    const absent = await app.as('ana', context, { reference: '999999' });
    expect(other.data).toEqual({ ticketByReference: null });
    expect(other).toEqual(absent);
  });
});
