import { demoTickets } from '../../src/development/merchant/cast';
import { ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { OtherIssuer } from '../support/other-issuer';

const begin = `mutation Begin($ticketId: ID!) {
  beginAssistance(input: { ticketId: $ticketId, purpose: DECLINE, reason: "The caller asks about a declined payment" }) { id state }
}`;
const approve = 'mutation Approve($id: ID!) { approveAssistance(id: $id) { state } }';
const read = `query Read($reference: String!) {
  ticketByReference(source: "demo", reference: $reference) { customer { id } messages(first: 1) { nodes { channel } } }
}`;

describe('what one did oneself gives one nothing', () => {
  let test: TestApp;
  let issuer: OtherIssuer;
  beforeEach(async () => {
    issuer = await OtherIssuer.open();
    test = await TestApp.start({ config: { issuers: [issuer.configuration] } });
  });
  afterEach(() => test.stop());

  const chloe = async () => ({
    token: await issuer.token('chloe', { roles: ['AGENT', 'SUPERVISOR'], teams: ['cards'] }, test.clock.now()),
  });
  /** The ticket came to its team by this person's doing. */
  const moved = async (reference: string, by: string): Promise<string> => {
    const mover = '(SELECT id FROM helpdesk_staff WHERE reference = ?)';
    await tamper(test.app.database, `UPDATE helpdesk_ticket SET team_set_by_id = ${mover} WHERE reference = ?`, [by, reference]);
    return ticketIdOf(test, reference);
  };
  const listedFor = async (who: Parameters<TestApp['as']>[0]): Promise<readonly string[]> => {
    const { data } = await test.as(who, '{ assistancesToApprove(first: 100) { id } }');
    return data.assistancesToApprove.map(({ id }: { id: string }) => id);
  };

  it('to a supervisor who moves a ticket into their team: what they ask for waits, and begins at once for another', async () => {
    const ticketId = await moved(demoTickets.unassigned.reference, 'chloe');
    const own = await test.as(await chloe(), begin, { ticketId });
    expect(own.data.beginAssistance).toEqual({ id: expect.any(String), state: 'WAITING' });
    const { id } = own.data.beginAssistance;
    expect(told(await test.as(await chloe(), approve, { id })).errors).toEqual([['approveAssistance', 'DENIED', 'OWN_REQUEST']]);
    expect((await test.as('sam', begin, { ticketId })).data.beginAssistance.state).toBe('LIVE');
    expect(told(await test.as('sam', approve, { id })).errors).toEqual([]);
  });

  it('to a supervisor who takes a ticket from another team', async () => {
    const { reference } = demoTickets.household;
    test.helpdesk.reassign(reference, 'chloe', 'chloe');
    await test.app.sources.syncAll();
    const { data } = await test.as(await chloe(), begin, { ticketId: await ticketIdOf(test, reference) });
    expect(data.beginAssistance.state).toBe('WAITING');
  });

  it('to a supervisor who moved the ticket and approves what somebody else asks for', async () => {
    const ticketId = await moved(demoTickets.unassigned.reference, 'sam');
    const { id } = (await test.as('ana', begin, { ticketId })).data.beginAssistance;
    expect(await listedFor('sam')).toEqual([]);
    expect(told(await test.as('sam', approve, { id })).errors).toEqual([['approveAssistance', 'DENIED', 'SCOPE']]);
    expect(await listedFor(await chloe())).toEqual([id]);
    expect(told(await test.as(await chloe(), approve, { id })).errors).toEqual([]);
  });

  it('to a supervisor who set whom the ticket is about and approves what somebody else asks for', async () => {
    const { reference } = demoTickets.unassigned;
    test.helpdesk.setCustomer(reference, test.helpdesk.merchant.helpdeskCustomer(9).reference, 'sam');
    await test.app.sources.syncAll();
    const { id } = (await test.as('ana', begin, { ticketId: await ticketIdOf(test, reference) })).data.beginAssistance;
    expect(await listedFor('sam')).toEqual([]);
    expect(told(await test.as('sam', approve, { id })).errors).toEqual([['approveAssistance', 'DENIED', 'SELF_MADE']]);
    expect(await listedFor(await chloe())).toEqual([id]);
  });

  it.each<[string, string | null, string | null, string | undefined]>([
    ['is read by whom a colleague gave it to', 'rosa', null, undefined],
    ['is not read by who took it from another team', 'ana', null, 'NO_ASSISTANCE'],
    ['is not read by who took its customer away', 'rosa', 'ana', 'SELF_MADE'],
    ['is not read by who did both', 'ana', 'ana', 'NO_ASSISTANCE'],
  ])('the conversation of a ticket about nobody %s', async (_, assigner, emptier, reason) => {
    const { reference } = demoTickets.household;
    test.helpdesk.reassign(reference, 'ana', assigner);
    test.helpdesk.setCustomer(reference, null, emptier);
    await test.app.sources.syncAll();
    const { data, errors } = told(await test.as('ana', read, { reference }));
    const messages = reason === undefined ? { nodes: [expect.anything()] } : null;
    expect(data).toEqual({ ticketByReference: { customer: null, messages } });
    expect(errors).toEqual(reason === undefined ? [] : [['ticketByReference.messages', 'DENIED', reason]]);
  });
});
