import { demoTickets } from '../../src/development/merchant/cast';
import { ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { Updates } from '../support/credentials';
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

  describe('not even a place in a list', () => {
    const outline = `query Outline($reference: String!) {
      ticketByReference(source: "demo", reference: $reference) { reference subject credentialUpdates { id } }
    }`;
    const list = `query List($filter: TicketFilter, $after: String) {
      tickets(filter: $filter, first: 100, after: $after) { totalCount nodes { reference } pageInfo { hasNextPage endCursor } }
    }`;
    const seenBy = async (
      who: Parameters<TestApp['as']>[0],
      filter: Record<string, unknown> = {},
    ): Promise<readonly string[]> => {
      const seen: string[] = [];
      for (let after: string | null = null; ; ) {
        const { data } = await test.as(who, list, { filter, after });
        const { totalCount, nodes, pageInfo } = data.tickets;
        seen.push(...nodes.map(({ reference }: { reference: string }) => reference));
        if (pageInfo.hasNextPage) after = pageInfo.endCursor;
        else {
          expect(totalCount).toBe(seen.length);
          return seen;
        }
      }
    };

    it.each<[string, 'chloe' | 'sam', boolean]>([
      ['a colleague moved', 'sam', true],
      ['a supervisor moved herself', 'chloe', false],
    ])('to a supervisor: of a ticket that %s into her team', async (_, mover, isListed) => {
      const { reference } = demoTickets.unassigned;
      await moved(reference, mover);
      expect((await seenBy(await chloe())).includes(reference)).toBe(isListed);
      expect(await seenBy('ana')).toContain(reference);
      const { data, errors } = told(await test.as(await chloe(), outline, { reference }));
      expect(data.ticketByReference).toEqual({
        reference,
        subject: isListed ? expect.any(String) : null,
        credentialUpdates: isListed ? [] : null,
      });
      expect(errors).toEqual(
        isListed
          ? []
          : ['subject', 'credentialUpdates'].map((field) => [`ticketByReference.${field}`, 'DENIED', 'NO_ASSISTANCE']),
      );
    });

    it('until somebody else consents', async () => {
      const { reference } = demoTickets.unassigned;
      const ticketId = await moved(reference, 'chloe');
      const { id } = (await test.as(await chloe(), begin, { ticketId })).data.beginAssistance;
      expect(told(await test.as('sam', approve, { id })).errors).toEqual([]);
      expect(await seenBy(await chloe())).toContain(reference);
      const { data, errors } = told(await test.as(await chloe(), outline, { reference }));
      expect([data.ticketByReference, errors]).toEqual([{ reference, subject: expect.any(String), credentialUpdates: [] }, []]);
    });

    it.each<[string, string | null, boolean]>([
      ['a colleague gave to her', 'rosa', true],
      ['nobody is known to have given to her', null, true],
      ['she took from another team', 'ana', false],
    ])('nor, in a list, what it is about, to an agent whose ticket it is: one that %s', async (_, assigner, isShown) => {
      const { reference } = demoTickets.household;
      test.helpdesk.reassign(reference, 'ana', assigner);
      await test.app.sources.syncAll();
      const mine = `{ tickets(filter: { team: "disputes" }) { nodes { reference subject credentialUpdates { id } } } }`;
      const { data } = await test.as('ana', mine);
      const shown = isShown ? { subject: expect.any(String), credentialUpdates: [] } : { subject: null, credentialUpdates: null };
      expect(data.tickets.nodes).toEqual([{ reference, ...shown }]);
    });

    it('to a supervisor: of an update on a ticket that she moved into her team', async () => {
      const updates = new Updates(test);
      const of = await updates.next();
      const { id } = (await updates.request(of, of.usual, 'BILLING_ADDRESS')).data.requestCredentialUpdate;
      const all = async () =>
        (await test.as(await chloe(), '{ credentialUpdates { totalCount } }')).data.credentialUpdates.totalCount;
      expect(await all()).toBe(1);
      await moved(of.reference, 'chloe');
      expect(await all()).toBe(0);
      const update = 'query ($id: ID!) { credentialUpdate(id: $id) { reason ticket { reference } } }';
      const { data, errors } = told(await test.as(await chloe(), update, { id }));
      expect([data.credentialUpdate, errors]).toEqual([
        { reason: null, ticket: null },
        [['credentialUpdate.reason', 'DENIED', 'NO_ASSISTANCE']],
      ]);
    });
  });
});
