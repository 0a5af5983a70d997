import type { DataSource } from 'typeorm';
import { SamePerson1764400000000 } from '../../migrations/1764400000000-same-person';
import type { Role } from '../../src/authz/actor';
import { demoTickets } from '../../src/development/merchant/cast';
import { helpdeskReferenceOf } from '../../src/development/merchant/merchant';
import { countOf, eventsOf, policyWith, ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { OtherIssuer } from '../support/other-issuer';
import { helpdeskCustomer, ScriptedHelpdesk, ScriptedPayments } from '../support/scripted-sources';

const minute = 60_000;
const hour = 60 * minute;

const openTicket = `query Open($reference: String!) {
  ticketByReference(source: "demo", reference: $reference) { reference assistance { state automatic } customer { link } }
}`;
const begin = `mutation Begin($ticketId: ID!, $reason: String = "The caller asks about a declined payment") {
  beginAssistance(input: { ticketId: $ticketId, purpose: DECLINE, reason: $reason }) {
    id ticketId purpose state automatic needsApproval reason endReason
  }
}`;
const approve = 'mutation Approve($id: ID!) { approveAssistance(id: $id) { id state endReason } }';
const refuse = `mutation Refuse($id: ID!, $reason: String = "The ticket says nothing of a payment") {
  rejectAssistance(id: $id, reason: $reason) { id state endReason rejectionReason }
}`;
const end = 'mutation End($id: ID!) { endAssistance(id: $id) { id state endReason } }';

const reached = (reference: string) => ({
  data: {
    ticketByReference: { reference, assistance: { state: 'LIVE', automatic: true }, customer: { link: expect.any(String) } },
  },
  errors: [],
});
const refused = (reference: string, reason: string, assistance: unknown = null) => ({
  data: { ticketByReference: { reference, assistance, customer: null } },
  errors: [['ticketByReference.customer', 'DENIED', reason]],
});

describe('an assistance on request', () => {
  let test: TestApp;
  let issuer: OtherIssuer;
  beforeAll(async () => {
    issuer = await OtherIssuer.open();
    test = await TestApp.start({ config: { issuers: [issuer.configuration] } });
  });
  afterAll(() => test.stop());

  /** Who is new is written down once; that is not what these tests are about. */
  const eventsDuring = async (work: () => Promise<unknown>) =>
    (await eventsOf(test, work))
      .filter(({ action }) => action !== 'actor.first-seen')
      .map(({ action, outcome, detail }) => ({ action, outcome, detail }));
  const request = async (reference: string): Promise<string> => {
    const { data } = await test.as('ana', begin, { ticketId: await ticketIdOf(test, reference) });
    return data.beginAssistance.id as string;
  };
  const listedFor = async (who: Parameters<TestApp['as']>[0]): Promise<readonly string[]> => {
    const { data } = await test.as(who, '{ assistancesToApprove(first: 100) { id } }');
    return data.assistancesToApprove.map(({ id }: { id: string }) => id);
  };

  it('is stored waiting, with its event, and again returns the one that is open', async () => {
    const ticketId = await ticketIdOf(test, demoTickets.unassigned.reference);
    const first = await test.as('ana', begin, { ticketId });
    expect(told(first)).toEqual({
      data: {
        beginAssistance: {
          id: expect.stringMatching(/^ast_/),
          ticketId,
          purpose: 'DECLINE',
          state: 'WAITING',
          automatic: false,
          needsApproval: true,
          reason: 'The caller asks about a declined payment',
          endReason: null,
        },
      },
      errors: [],
    });
    const events = await test.events('assistance.request');
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      outcome: 'ALLOWED',
      ticket: ticketId,
      assistance: first.data.beginAssistance.id,
      detail: { purpose: 'DECLINE', needsApproval: true },
    });
    expect(told(await test.as('ana', begin, { ticketId, reason: 'Another reason, ten characters at least' }))).toEqual(
      told(first),
    );
    expect(await test.events('assistance.request')).toHaveLength(1);
    expect(await countOf(test, 'assistance', 'ticket_id = ?', ticketId)).toBe(1);
    expect(told(await test.as('ana', openTicket, { reference: demoTickets.unassigned.reference }))).toEqual(
      refused(demoTickets.unassigned.reference, 'NO_ASSISTANCE', { state: 'WAITING', automatic: false }),
    );
  });

  it.each([
    ['on a ticket that is closed', demoTickets.closed.reference, 'ana', {}, 'TICKET_CLOSED'],
    ['without a second factor', demoTickets.own.reference, 'ana', { mfa: false }, 'MFA_REQUIRED'],
    ['on a ticket about nobody', demoTickets.noCustomer.reference, 'ana', {}, 'NO_ASSISTANCE'],
    ['for a role that assists nobody', demoTickets.own.reference, 'pia', {}, 'ROLE'],
  ] as const)('is denied %s: nothing is stored, one denial is', async (_, reference, who, options, reason) => {
    const ticketId = await ticketIdOf(test, reference);
    const rows = await countOf(test, 'assistance');
    const token = await test.token(who, options);
    const events = await eventsDuring(async () => {
      const answer = told(await test.as({ token }, begin, { ticketId }));
      expect(answer.data).toBeNull();
      expect(answer.errors.map(([, code, why]) => [code, why])).toEqual([['DENIED', reason]]);
    });
    expect(await countOf(test, 'assistance')).toBe(rows);
    expect(events).toEqual([{ action: 'denial', outcome: 'DENIED', detail: expect.objectContaining({ reason, count: 1 }) }]);
  });

  it.each([
    ['about a ticket outside the scope', async () => ticketIdOf(test, demoTickets.household.reference)],
    ['about no ticket', async () => 'tkt_01ARZ3NDEKTSV4RRFFQ69G5FAV'],
    ['about what is no id', async () => "' OR 1=1 --"],
  ])('%s is answered NOT_FOUND, word for word', async (_, ticketId) => {
    const answer = await test.as('ana', begin, { ticketId: await ticketId() });
    expect(answer).toEqual(await test.as('ana', begin, { ticketId: 'tkt_absent' }));
    expect(told(answer)).toEqual({ data: null, errors: [['beginAssistance', 'NOT_FOUND']] });
  });

  it.each([
    ['a short reason', 'too short'],
    ['a reason of blanks', ' '.repeat(40)],
    ['a long reason', 'x'.repeat(1_001)],
  ])('with %s is INVALID and stores nothing', async (_, reason) => {
    const rows = await countOf(test, 'assistance');
    const answer = await test.as('ana', begin, { ticketId: await ticketIdOf(test, demoTickets.own.reference), reason });
    expect(told(answer)).toEqual({ data: null, errors: [['beginAssistance', 'INVALID', 'input.reason']] });
    expect(await countOf(test, 'assistance')).toBe(rows);
  });

  it.each([
    ['a card number', 'Caller reads 4242 4242 4242 4242 aloud'],
    ['a security code', 'Card expires 12/29 and the CVV is 987'],
    ['an expiry', 'The card on file is valid until December 2029'],
  ])('with %s in its reason is INVALID and stores nothing', async (_, reason) => {
    const rows = await countOf(test, 'assistance');
    const answer = await test.as('sam', begin, { ticketId: await ticketIdOf(test, demoTickets.suspicious.reference), reason });
    expect(told(answer)).toEqual({ data: null, errors: [['beginAssistance', 'INVALID', 'input.reason']] });
    expect(await countOf(test, 'assistance')).toBe(rows);
  });

  it('by a supervisor needs no approval', async () => {
    const answer = await test.as('sam', begin, {
      ticketId: await ticketIdOf(test, demoTickets.suspicious.reference),
      reason: 'Caller reads a number aloud',
    });
    expect(answer.data.beginAssistance).toMatchObject({
      reason: 'Caller reads a number aloud',
      needsApproval: false,
      state: 'LIVE',
    });
  });

  it('is approved by a supervisor, with its event, once', async () => {
    const reference = demoTickets.unassigned.reference;
    const id = await request(reference);
    const before = (await test.events('assistance.approve')).length;
    const answer = await test.as('sam', approve, { id });
    expect(told(answer)).toEqual({ data: { approveAssistance: { id, state: 'LIVE', endReason: null } }, errors: [] });
    expect(told(await test.as('sam', approve, { id }))).toEqual(told(answer));
    const events = await test.events('assistance.approve');
    expect(events).toHaveLength(before + 1);
    expect(events.at(-1)).toMatchObject({ outcome: 'ALLOWED', assistance: id, subject: { type: 'Assistance', id } });
    expect(told(await test.as('ana', openTicket, { reference }))).toEqual({
      data: {
        ticketByReference: { reference, assistance: { state: 'LIVE', automatic: false }, customer: { link: expect.any(String) } },
      },
      errors: [],
    });
  });

  it.each<[string, () => Promise<{ token: string }>, string, string | undefined]>([
    ['by the requester', async () => ({ token: await test.token('ana') }), 'DENIED', 'ROLE'],
    [
      'by the requester as a supervisor',
      async () => ({
        token: await issuer.token('chloe', { roles: ['AGENT', 'SUPERVISOR'], teams: ['cards'] }, test.clock.now()),
      }),
      'DENIED',
      'OWN_REQUEST',
    ],
    [
      'by the requester under another subject, with the same row among the staff',
      async () => ({
        token: await issuer.token('ana', { roles: ['SUPERVISOR'], teams: ['cards'], subject: 'ana-lead' }, test.clock.now()),
      }),
      'DENIED',
      'OWN_REQUEST',
    ],
    [
      'by a supervisor whom the helpdesk doesn’t know',
      async () => ({ token: await issuer.token('nobody', { roles: ['SUPERVISOR'], teams: ['cards'] }, test.clock.now()) }),
      'DENIED',
      'OWN_REQUEST',
    ],
    [
      'by a supervisor who has left the helpdesk',
      async () => ({ token: await issuer.token('wanda', { roles: ['SUPERVISOR'], teams: ['cards'] }, test.clock.now()) }),
      'DENIED',
      'OWN_REQUEST',
    ],
    [
      'by a supervisor of another team, as if it did not exist',
      async () => ({ token: await issuer.token('rosa', { roles: ['SUPERVISOR'], teams: ['disputes'] }, test.clock.now()) }),
      'NOT_FOUND',
      undefined,
    ],
    [
      'by a supervisor who signed in a quarter of an hour ago',
      async () => ({
        token: await test.token('sam', { authenticatedAt: new Date(test.clock.now().getTime() - 15 * minute - 1_000) }),
      }),
      'DENIED',
      'RECENT_LOGIN_REQUIRED',
    ],
    [
      'by a supervisor without a second factor',
      async () => ({ token: await test.token('sam', { mfa: false }) }),
      'DENIED',
      'MFA_REQUIRED',
    ],
  ])('is not approved %s: it goes on waiting, one denial is written', async (how, who, code, reason) => {
    const approver = await who();
    const ticketId = await ticketIdOf(test, demoTickets.selfMade.reference);
    // A supervisor's own request doesn't wait; that they can't approve it is refused all the same.
    const isOwn = how === 'by the requester as a supervisor';
    const { data } = await test.as(isOwn ? approver : 'ana', begin, { ticketId });
    const { id, state } = data.beginAssistance;
    expect(state).toBe(isOwn ? 'LIVE' : 'WAITING');
    const events = await eventsDuring(async () => {
      const answer = told(await test.as(approver, approve, { id }));
      expect(answer.data).toBeNull();
      expect(answer.errors.map(([, ...rest]) => rest)).toEqual([[code, reason].filter((part) => part !== undefined)]);
    });
    expect(events).toEqual([
      { action: 'denial', outcome: 'DENIED', detail: expect.objectContaining({ reason: reason ?? 'NOT_FOUND', count: 1 }) },
    ]);
    const [row] = await test.app.database.query('SELECT approved_by_id, approved_at FROM assistance WHERE id = ?', [id]);
    expect(row).toEqual({ approved_by_id: null, approved_at: null });
  });

  const seenBy = async (who: Parameters<TestApp['as']>[0], reference: string) => {
    const query = `query ($reference: String!) {
      ticketByReference(source: "demo", reference: $reference) { assistance { state endReason rejectionReason } }
    }`;
    return told(await test.as(who, query, { reference })).data.ticketByReference.assistance;
  };

  it('is rejected by a supervisor, with its event, once: the asker reads why, and may ask anew', async () => {
    const { reference } = demoTickets.readdressed;
    const id = await request(reference);
    expect(await listedFor('sam')).toContain(id);
    const events = await eventsOf(test, async () => {
      const answer = await test.as('sam', refuse, { id });
      expect(told(answer)).toEqual({
        data: {
          rejectAssistance: {
            id,
            state: 'REJECTED',
            endReason: 'REJECTED',
            rejectionReason: 'The ticket says nothing of a payment',
          },
        },
        errors: [],
      });
      expect(told(await test.as('sam', refuse, { id, reason: 'Another reason than the first' }))).toEqual(told(answer));
    });
    expect(events.filter(({ action }) => String(action).startsWith('assistance.'))).toEqual([
      expect.objectContaining({
        action: 'assistance.reject',
        outcome: 'ALLOWED',
        assistance: id,
        subject: { type: 'Assistance', id },
      }),
    ]);
    expect(JSON.stringify(events)).not.toContain('says nothing');
    expect(await listedFor('sam')).not.toContain(id);
    const read = { state: 'REJECTED', endReason: 'REJECTED', rejectionReason: 'The ticket says nothing of a payment' };
    expect(await seenBy('ana', reference)).toEqual(read);
    // Hers under her other subject as well; nobody else's.
    const other = {
      token: await issuer.token('ana', { roles: ['AGENT'], teams: ['cards'], subject: 'ana-lead' }, test.clock.now()),
    };
    expect(await seenBy(other, reference)).toEqual(read);
    const chloe = { token: await issuer.token('chloe', { roles: ['AGENT'], teams: ['cards'] }, test.clock.now()) };
    expect(await seenBy(chloe, reference)).toBeNull();
    expect(await seenBy('sam', reference)).toBeNull();
    expect(told(await test.as('sam', approve, { id })).errors).toEqual([['approveAssistance', 'CONFLICT']]);
    test.clock.forward(1);
    const again = await request(reference);
    expect(again).not.toBe(id);
    expect(await seenBy('ana', reference)).toEqual({ state: 'WAITING', endReason: null, rejectionReason: null });
    expect(told(await test.as('ana', end, { id: again })).errors).toEqual([]);
    // Theirs to end: what was before it is over with it.
    expect(await seenBy('ana', reference)).toBeNull();
    test.clock.forward(1);
  });

  it.each<[string, () => Promise<{ token: string }>, string, string | undefined]>([
    ['by the requester', async () => ({ token: await test.token('ana') }), 'DENIED', 'ROLE'],
    [
      'by the requester under another subject, with the same row among the staff',
      async () => ({
        token: await issuer.token('ana', { roles: ['SUPERVISOR'], teams: ['cards'], subject: 'ana-lead' }, test.clock.now()),
      }),
      'DENIED',
      'OWN_REQUEST',
    ],
    [
      'by a supervisor whom the helpdesk doesn’t know',
      async () => ({ token: await issuer.token('nobody', { roles: ['SUPERVISOR'], teams: ['cards'] }, test.clock.now()) }),
      'DENIED',
      'OWN_REQUEST',
    ],
    [
      'by a supervisor of another team, as if it did not exist',
      async () => ({
        token: await issuer.token('rosa', { roles: ['SUPERVISOR'], teams: ['disputes'], subject: 'rosa-lead' }, test.clock.now()),
      }),
      'NOT_FOUND',
      undefined,
    ],
    [
      'by a supervisor who signed in a quarter of an hour ago',
      async () => ({
        token: await test.token('sam', { authenticatedAt: new Date(test.clock.now().getTime() - 15 * minute - 1_000) }),
      }),
      'DENIED',
      'RECENT_LOGIN_REQUIRED',
    ],
    [
      'by a supervisor without a second factor',
      async () => ({ token: await test.token('sam', { mfa: false }) }),
      'DENIED',
      'MFA_REQUIRED',
    ],
  ])('is not rejected %s: it goes on waiting, one denial is written', async (_, who, code, reason) => {
    const other = await who();
    const id = await request(demoTickets.selfMade.reference);
    const events = await eventsDuring(async () => {
      const answer = told(await test.as(other, refuse, { id }));
      expect(answer.data).toBeNull();
      expect(answer.errors.map(([, ...rest]) => rest)).toEqual([[code, reason].filter((part) => part !== undefined)]);
    });
    expect(events).toEqual([
      { action: 'denial', outcome: 'DENIED', detail: expect.objectContaining({ reason: reason ?? 'NOT_FOUND', count: 1 }) },
    ]);
    expect(await countOf(test, 'assistance', 'id = ? AND ended_at IS NULL AND rejected_by_id IS NULL', id)).toBe(1);
  });

  it('that is live, has ended or isn’t there isn’t rejected, nor without saying why', async () => {
    const id = await request(demoTickets.readdressed.reference);
    expect(told(await test.as('sam', refuse, { id, reason: 'No.' })).errors).toEqual([['rejectAssistance', 'INVALID', 'reason']]);
    expect(told(await test.as('sam', refuse, { id, reason: 'Caller reads 4242 4242 4242 4242' })).errors).toEqual([
      ['rejectAssistance', 'INVALID', 'reason'],
    ]);
    expect(told(await test.as('sam', refuse, { id: 'ast_absent' })).errors).toEqual([['rejectAssistance', 'NOT_FOUND']]);
    expect(told(await test.as('sam', approve, { id })).errors).toEqual([]);
    const second = await test.as('sam', refuse, { id });
    expect(told(second).errors).toEqual([['rejectAssistance', 'CONFLICT']]);
    expect(second.errors?.[0]?.message).toBe('A supervisor approved it.');
    expect(told(await test.as('ana', end, { id })).errors).toEqual([]);
    expect(told(await test.as('sam', refuse, { id })).errors).toEqual([['rejectAssistance', 'CONFLICT']]);
    expect(await countOf(test, 'assistance', 'id = ? AND rejected_by_id IS NOT NULL', id)).toBe(0);
    test.clock.forward(1);
    const other = await request(demoTickets.readdressed.reference);
    expect(told(await test.as('sam', refuse, { id: other })).errors).toEqual([]);
    const late = await test.as('sam', approve, { id: other });
    expect(late.errors?.map(({ message }) => message)).toEqual(['A supervisor rejected it.']);
    test.clock.forward(1);
  });

  it('of somebody whom the helpdesk doesn’t know is approved by nobody, and waits for nobody', async () => {
    const ticketId = await ticketIdOf(test, demoTickets.selfMade.reference);
    const nobody = { token: await issuer.token('nobody', { roles: ['AGENT'], teams: ['cards'] }, test.clock.now()) };
    const { data } = await test.as(nobody, begin, { ticketId });
    const { id, state } = data.beginAssistance;
    expect(state).toBe('WAITING');
    expect(told(await test.as('sam', approve, { id }))).toEqual({
      data: null,
      errors: [['approveAssistance', 'DENIED', 'OWN_REQUEST']],
    });
    expect(await listedFor('sam')).not.toContain(id);
  });

  it('that was asked for before it was kept by whom is approved by nobody', async () => {
    const id = await request(demoTickets.unassigned.reference);
    await tamper(test.app.database, 'UPDATE assistance SET begins_at = NULL, requested_by_staff_ids = NULL WHERE id = ?', [id]);
    expect(told(await test.as('sam', approve, { id }))).toEqual({
      data: null,
      errors: [['approveAssistance', 'DENIED', 'OWN_REQUEST']],
    });
    expect(await listedFor('sam')).not.toContain(id);
    expect(told(await test.as('ana', end, { id })).errors).toEqual([]);
    test.clock.forward(1);
  });

  it('is listed for supervisors of the team who are somebody else, and whom the helpdesk knows', async () => {
    const id = await request(demoTickets.readdressed.reference);
    const supervisor = async (user: string, subject = user) => ({
      token: await issuer.token(user, { roles: ['SUPERVISOR'], teams: ['cards'], subject }, test.clock.now()),
    });
    expect(await listedFor('sam')).toContain(id);
    expect(await listedFor(await supervisor('chloe'))).toContain(id);
    for (const other of [await supervisor('ana', 'ana-lead'), await supervisor('nobody'), await supervisor('wanda')])
      expect(await listedFor(other)).not.toContain(id);
    // It is hers under her other subject as well: she may end it there.
    expect(told(await test.as(await supervisor('ana', 'ana-lead'), end, { id })).errors).toEqual([]);
    test.clock.forward(1);
  });

  it('that is absent is neither approved nor ended, like one of somebody else’s', async () => {
    const id = await request(demoTickets.readdressed.reference);
    for (const [who, operation, field] of [
      ['sam', approve, 'approveAssistance'],
      ['ana', end, 'endAssistance'],
    ] as const) {
      const absent = await test.as(who, operation, { id: 'ast_01ARZ3NDEKTSV4RRFFQ69G5FAV' });
      expect(told(absent)).toEqual({ data: null, errors: [[field, 'NOT_FOUND']] });
      expect(await test.as(who, operation, { id: 'x'.repeat(300) })).toEqual(absent);
    }
    const absent = await test.as('ben', end, { id: 'ast_absent' });
    expect(await test.as('ben', end, { id })).toEqual(absent);
    expect(await countOf(test, 'assistance', 'id = ? AND ended_at IS NULL', id)).toBe(1);
  });

  it('is ended by hand, with its event, once; by a role that assists nobody never', async () => {
    const id = await request(demoTickets.readdressed.reference);
    const denied = told(await test.as('pia', end, { id }));
    expect([denied.data, denied.errors.map(([, code, reason]) => [code, reason])]).toEqual([null, [['DENIED', 'ROLE']]]);
    expect(await countOf(test, 'assistance', 'id = ? AND ended_at IS NULL', id)).toBe(1);
    const before = (await test.events('assistance.end')).length;
    const answer = await test.as('ana', end, { id });
    expect(told(answer)).toEqual({ data: { endAssistance: { id, state: 'ENDED', endReason: 'BY_HAND' } }, errors: [] });
    expect(told(await test.as('ana', end, { id }))).toEqual(told(answer));
    expect(told(await test.as('sam', end, { id }))).toEqual(told(answer));
    const events = await test.events('assistance.end');
    expect(events).toHaveLength(before + 1);
    expect(events.at(-1)).toMatchObject({ assistance: id, detail: { reason: 'BY_HAND' } });
    expect(told(await test.as('sam', approve, { id }))).toEqual({ data: null, errors: [['approveAssistance', 'CONFLICT']] });
  });

  it('that nobody approved in time can’t be approved any more, and a new one takes its place', async () => {
    const id = await request(demoTickets.readdressed.reference);
    test.clock.forward(61 * minute);
    await test.app.sources.syncAll();
    expect(told(await test.as('sam', approve, { id }))).toEqual({ data: null, errors: [['approveAssistance', 'CONFLICT']] });
    const again = await request(demoTickets.readdressed.reference);
    expect(again).not.toBe(id);
    expect(await countOf(test, 'assistance', "id = ? AND end_reason = 'EXPIRED'", id)).toBe(1);
    expect(told(await test.as('ana', end, { id: again })).errors).toEqual([]);
  });
});

describe('an assistance that begins by itself', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await TestApp.start();
  });
  afterAll(() => test.stop());

  it('does so through one ticket, with one event, and only once however often it is opened', async () => {
    const { reference } = demoTickets.own;
    const before = await test.events('assistance.begin');
    const opened = await Promise.all(Array.from({ length: 8 }, () => test.as('ana', openTicket, { reference })));
    for (const answer of opened) expect(told(answer)).toEqual(reached(reference));
    const id = await ticketIdOf(test, reference);
    const byId = await test.as('ana', 'query ($id: ID!) { ticket(id: $id) { customer { link } } }', { id });
    expect(told(byId)).toEqual({ data: { ticket: { customer: { link: 'VERIFIED' } } }, errors: [] });
    expect((await test.events('assistance.begin')).slice(before.length)).toEqual([
      expect.objectContaining({
        outcome: 'ALLOWED',
        ticket: id,
        detail: expect.objectContaining({ purpose: 'PAYMENT_QUESTION' }),
      }),
    ]);
    expect(await countOf(test, 'assistance', 'ticket_id = ?', id)).toBe(1);
  });

  it('does not through a list, whatever the list selects', async () => {
    const rows = await countOf(test, 'assistance');
    const list = `{ tickets(first: 100) { totalCount nodes { reference assistance { state } customer { displayName transactions { totalCount } } messages { totalCount } } } }`;
    const { data, errors = [] } = await test.as('ana', list);
    expect(await countOf(test, 'assistance')).toBe(rows);
    const covered = data.tickets.nodes.filter((node: { customer: unknown }) => node.customer !== null);
    expect(covered.map(({ reference }: { reference: string }) => reference)).toEqual([demoTickets.own.reference]);
    expect(data.tickets.nodes.length).toBeGreaterThan(10);
    expect(new Set(errors.map(({ extensions }) => extensions.reason))).toEqual(new Set(['NO_ASSISTANCE']));
  });

  it.each([
    ['that they created themselves', demoTickets.selfMade.reference, 'SELF_MADE'],
    ['that they re-addressed', demoTickets.readdressed.reference, 'SELF_MADE'],
    ['that is closed', demoTickets.closed.reference, 'TICKET_CLOSED'],
    ['that nobody has, though it is their team’s', demoTickets.unassigned.reference, 'NO_ASSISTANCE'],
  ])('does not on a ticket %s', async (_, reference, reason) => {
    expect(told(await test.as('ana', openTicket, { reference }))).toEqual(refused(reference, reason));
    expect(await countOf(test, 'assistance', 'ticket_id = ?', await ticketIdOf(test, reference))).toBe(0);
  });

  it('does on a ticket that they took from their own team', async () => {
    const { reference } = demoTickets.taken;
    expect(told(await test.as('ana', openTicket, { reference }))).toEqual(reached(reference));
  });

  it('does not on a ticket that they took from another team', async () => {
    const { reference } = demoTickets.household;
    test.helpdesk.reassign(reference, 'ana', 'ana');
    await test.app.sources.syncAll();
    expect(told(await test.as('ana', openTicket, { reference }))).toEqual(refused(reference, 'NO_ASSISTANCE'));
    test.helpdesk.reassign(reference, 'ana', 'rosa');
    await test.app.sources.syncAll();
    expect(told(await test.as('ana', openTicket, { reference }))).toEqual(reached(reference));
  });

  it('does not without a second factor', async () => {
    const { reference } = demoTickets.pastedCard;
    const token = await test.token('ana', { mfa: false });
    const answer = await test.as({ token }, openTicket, { reference });
    expect(told(answer)).toEqual(refused(reference, 'MFA_REQUIRED'));
    expect(await countOf(test, 'assistance', 'ticket_id = ?', await ticketIdOf(test, reference))).toBe(0);
  });
});

describe('where the policy lets an assistance begin on the team’s tickets', () => {
  it('does so on an unassigned one, and still not on a colleague’s other team or one’s own making', async () => {
    const test = await TestApp.start({ policy: policyWith(['automatic: [own]', 'automatic: [own, team]']) });
    const references = [demoTickets.unassigned, demoTickets.selfMade, demoTickets.readdressed, demoTickets.closed];
    const answers = [];
    for (const { reference } of references) answers.push(told(await test.as('ana', openTicket, { reference })));
    const byBen = told(await test.as('ben', openTicket, { reference: demoTickets.unassigned.reference }));
    await test.stop();
    expect(answers).toEqual([
      reached(references[0]?.reference ?? ''),
      refused(references[1]?.reference ?? '', 'SELF_MADE'),
      refused(references[2]?.reference ?? '', 'SELF_MADE'),
      refused(references[3]?.reference ?? '', 'TICKET_CLOSED'),
    ]);
    expect(byBen).toEqual({ data: { ticketByReference: null }, errors: [['ticketByReference', 'NOT_FOUND']] });
  });
});

describe('an assistance ends', () => {
  let test: TestApp;
  beforeEach(async () => {
    test = await TestApp.start();
  });
  afterEach(() => test.stop());

  it.each<[string, (reference: string) => void, string, unknown]>([
    ['with its ticket', (reference) => test.helpdesk.close(reference), 'TICKET_CLOSED', ['DENIED', 'TICKET_CLOSED']],
    [
      'with a reassignment within the team',
      (reference) => test.helpdesk.reassign(reference, 'chloe', 'sam'),
      'REASSIGNED',
      ['DENIED', 'NO_ASSISTANCE'],
    ],
    [
      'with a change of whom the ticket is about',
      (reference) => test.helpdesk.setCustomer(reference, helpdeskReferenceOf(30), 'ana'),
      'RECIPIENT_CHANGED',
      ['DENIED', 'SELF_MADE'],
    ],
  ])('%s, with one event, and the row stays', async (_, change, reason, denial) => {
    const { reference } = demoTickets.own;
    const ticketId = await ticketIdOf(test, reference);
    expect(told(await test.as('ana', openTicket, { reference }))).toEqual(reached(reference));
    const [{ id } = { id: '' }] = await test.app.database.query<{ id: string }>('SELECT id FROM assistance');
    const customer = `query ($id: ID!) { customer(id: $id) { displayName } }`;
    const [{ customer_id: customerId } = { customer_id: '' }] = await test.app.database.query<{ customer_id: string }>(
      'SELECT customer_id FROM assistance',
    );
    expect((await test.as('ana', customer, { id: customerId })).data.customer.displayName).toEqual(expect.any(String));
    test.clock.forward(1_000);
    change(reference);
    await test.app.sources.syncAll();
    expect(await test.events('assistance.end')).toEqual([
      expect.objectContaining({ ticket: ticketId, assistance: id, detail: expect.objectContaining({ reason }) }),
    ]);
    const [row] = await test.app.database.query('SELECT id, end_reason, open_key FROM assistance');
    expect(row).toEqual({ id, end_reason: reason, open_key: null });
    expect(told(await test.as('ana', customer, { id: customerId }))).toEqual({
      data: { customer: null },
      errors: [['customer', 'NOT_FOUND']],
    });
    const again = told(await test.as('ana', openTicket, { reference }));
    expect([again.data.ticketByReference.customer, again.errors.map(([, ...rest]) => rest)]).toEqual([null, [denial]]);
    await test.app.sources.syncAll();
    expect(await test.events('assistance.end')).toHaveLength(1);
    expect(await countOf(test, 'assistance')).toBe(1);
  });

  it('by its expiry, at once and with one event, and opening the ticket begins another', async () => {
    const { reference } = demoTickets.own;
    await test.as('ana', openTicket, { reference });
    const [{ id, customer_id: customerId } = { id: '', customer_id: '' }] = await test.app.database.query<{
      id: string;
      customer_id: string;
    }>('SELECT id, customer_id FROM assistance');
    test.clock.forward(8 * hour);
    await test.app.sources.syncAll();
    // Nothing has written its end yet: the time alone suffices.
    const answer = await test.as('ana', 'query ($id: ID!) { customer(id: $id) { displayName } }', { id: customerId });
    expect(told(answer)).toEqual({ data: { customer: null }, errors: [['customer', 'NOT_FOUND']] });
    expect([await test.app.services.assistances.expire(), await test.app.services.assistances.expire()]).toEqual([1, 0]);
    expect(await test.events('assistance.end')).toEqual([
      expect.objectContaining({ assistance: id, detail: expect.objectContaining({ reason: 'EXPIRED' }) }),
    ]);
    expect(told(await test.as('ana', openTicket, { reference }))).toEqual(reached(reference));
    expect(await countOf(test, 'assistance')).toBe(2);
  });

  it('by its expiry with one event too where the ticket is opened before anybody wrote that end', async () => {
    const { reference } = demoTickets.own;
    await test.as('ana', openTicket, { reference });
    test.clock.forward(8 * hour);
    await test.app.sources.syncAll();
    expect(told(await test.as('ana', openTicket, { reference }))).toEqual(reached(reference));
    await test.app.services.assistances.expire();
    expect((await test.events('assistance.end')).map(({ detail }) => detail)).toEqual([
      expect.objectContaining({ reason: 'EXPIRED' }),
    ]);
    expect(await countOf(test, 'assistance')).toBe(2);
  });
});

describe('an assistance that a supervisor ended', () => {
  let test: TestApp;
  let issuer: OtherIssuer;
  beforeAll(async () => {
    issuer = await OtherIssuer.open();
    test = await TestApp.start({
      config: { issuers: [issuer.configuration] },
      policy: policyWith(['approvalFor: [AGENT]', 'approvalFor: []']),
    });
  });
  afterAll(() => test.stop());

  const assigned = async (reference: string, to: string, by = 'rosa') => {
    test.clock.forward(1_000);
    test.helpdesk.reassign(reference, to, by);
    await test.app.sources.syncAll();
  };
  const as = async (user: string, subject = user, roles: readonly Role[] = ['AGENT']) => ({
    token: await issuer.token(user, { roles, teams: ['cards'], subject }, test.clock.now()),
  });
  const openIds = async (ticketId: string) =>
    (
      await test.app.database.query<{ id: string }>('SELECT id FROM assistance WHERE ticket_id = ? AND ended_at IS NULL', [
        ticketId,
      ])
    ).map(({ id }) => id);
  const seen = `query ($reference: String!) {
    ticketByReference(source: "demo", reference: $reference) { assistance { state endReason } customer { link } }
  }`;
  const ended = {
    data: { ticketByReference: { assistance: { state: 'ENDED', endReason: 'BY_SUPERVISOR' }, customer: null } },
    errors: [['ticketByReference.customer', 'DENIED', 'APPROVAL_REQUIRED']],
  };

  it('stays ended for that person, under each of their subjects and through reassignment, and for nobody else', async () => {
    const { reference } = demoTickets.own;
    const ticketId = await ticketIdOf(test, reference);
    expect(told(await test.as('ana', openTicket, { reference }))).toEqual(reached(reference));
    // Another of hers on the same ticket, under another subject, is ended with it.
    expect(told(await test.as(await as('ana', 'ana-too'), openTicket, { reference }))).toEqual(reached(reference));
    const open = await openIds(ticketId);
    expect(open).toHaveLength(2);
    const events = await eventsOf(test, async () => {
      const answer = told(await test.as('sam', end, { id: open[0] }));
      expect(answer).toEqual({
        data: { endAssistance: { id: open[0], state: 'ENDED', endReason: 'BY_SUPERVISOR' } },
        errors: [],
      });
      expect(told(await test.as('sam', end, { id: open[0] }))).toEqual(answer);
    });
    expect(events.filter(({ action }) => action === 'assistance.end')).toEqual(
      open.map(() => expect.objectContaining({ detail: expect.objectContaining({ reason: 'BY_SUPERVISOR' }) })),
    );
    const customerOf = await test.app.database.query<{ id: string }>(
      'SELECT customer_id AS id FROM helpdesk_ticket WHERE id = ?',
      [ticketId],
    );
    const who = ['ana', await as('ana', 'ana-too'), await as('ana', 'ana-three')] as const;
    const expectStopped = async () => {
      for (const each of who) {
        expect(told(await test.as(each, seen, { reference }))).toEqual(ended);
        const { data } = await test.as(each, 'query ($id: ID!) { customer(id: $id) { id } }', { id: customerOf[0]?.id });
        expect(data.customer).toBeNull();
      }
      expect(await openIds(ticketId)).toEqual([]);
    };
    await expectStopped();
    await assigned(reference, 'chloe');
    expect(told(await test.as(await as('chloe'), openTicket, { reference }))).toEqual(reached(reference));
    await assigned(reference, 'ana');
    await expectStopped();
  });

  it('needs an approval for each new one, whatever the policy says of requests', async () => {
    const { reference } = demoTickets.own;
    const ticketId = await ticketIdOf(test, reference);
    const { data } = await test.as('ana', begin, { ticketId });
    expect(data.beginAssistance).toMatchObject({ state: 'WAITING', needsApproval: true });
    const own = await as('ana', 'ana-lead', ['SUPERVISOR']);
    expect(told(await test.as(own, approve, { id: data.beginAssistance.id })).errors).toEqual([
      ['approveAssistance', 'DENIED', 'OWN_REQUEST'],
    ]);
    expect(told(await test.as('sam', approve, { id: data.beginAssistance.id })).errors).toEqual([]);
    expect(told(await test.as('ana', seen, { reference })).errors).toEqual([]);
    test.clock.forward(hour + 1);
    await test.app.sources.syncAll();
    const again = told(await test.as('ana', seen, { reference }));
    expect(again.errors).toEqual([['ticketByReference.customer', 'DENIED', 'APPROVAL_REQUIRED']]);
    expect((await test.as('ana', begin, { ticketId })).data.beginAssistance).toMatchObject({ state: 'WAITING' });
  });

  it('needs one of a supervisor, too, whose requests need none otherwise', async () => {
    const ticketId = await ticketIdOf(test, demoTickets.suspicious.reference);
    const chloe = await as('chloe', 'chloe', ['SUPERVISOR']);
    const { data } = await test.as(chloe, begin, { ticketId });
    expect(data.beginAssistance).toMatchObject({ state: 'LIVE', needsApproval: false });
    expect(told(await test.as('sam', end, { id: data.beginAssistance.id })).data.endAssistance.endReason).toBe('BY_SUPERVISOR');
    const again = await test.as(chloe, begin, { ticketId });
    expect(again.data.beginAssistance).toMatchObject({ state: 'WAITING', needsApproval: true });
    expect(told(await test.as(chloe, approve, { id: again.data.beginAssistance.id })).errors).toEqual([
      ['approveAssistance', 'DENIED', 'OWN_REQUEST'],
    ]);
  });

  it('isn’t one that somebody ended of their own: opening the ticket begins another', async () => {
    const { reference } = demoTickets.taken;
    expect(told(await test.as('ana', openTicket, { reference }))).toEqual(reached(reference));
    const [id] = await openIds(await ticketIdOf(test, reference));
    const lead = await as('ana', 'ana-lead', ['SUPERVISOR']);
    expect(told(await test.as(lead, end, { id })).data.endAssistance.endReason).toBe('BY_HAND');
    expect(told(await test.as('ana', openTicket, { reference }))).toEqual(reached(reference));
  });
});

describe('what a request is decided on', () => {
  let test: TestApp;
  let issuer: OtherIssuer;
  beforeAll(async () => {
    issuer = await OtherIssuer.open();
    test = await TestApp.start({ config: { issuers: [issuer.configuration] } });
  });
  afterAll(() => test.stop());

  const details = `id state requestedBy { displayName } reason link
    earlier { state reason rejectionReason requestedBy { displayName } }
    ticket { reference subject channel createdAt createdBy { displayName } customerSetBy { displayName } messages { totalCount } customer { displayName } }`;
  const listed = `{ assistancesToApprove(first: 100) { ${details} } }`;
  const as = async (user: string, roles: readonly Role[], subject = user, over: object = {}) => ({
    token: await issuer.token(user, { roles, teams: ['cards'], subject, ...over }, test.clock.now()),
  });
  const askedBy = async (who: Parameters<TestApp['as']>[0], reference: string, reason?: string): Promise<string> => {
    const { data } = await test.as(who, begin, {
      ticketId: await ticketIdOf(test, reference),
      ...(reason === undefined ? {} : { reason }),
    });
    return data.beginAssistance.id as string;
  };

  it('of one’s own is found by who made it, under each of their subjects, and can’t be decided by them', async () => {
    const own = '{ assistancesToApprove(requestedByMe: true) { id state requestedBy { displayName } link } }';
    const supervising = await as('ana', ['AGENT', 'SUPERVISOR'], 'ana-lead');
    const id = await askedBy(supervising, demoTickets.selfMade.reference);
    for (const who of [supervising, await as('ana', ['SUPERVISOR'], 'ana-again')]) {
      const { data, errors } = told(await test.as(who, own));
      expect(data.assistancesToApprove).toEqual([
        { id, state: 'WAITING', requestedBy: { displayName: 'Ana Ferreira' }, link: null },
      ]);
      // What a decision rests on is for who may decide.
      expect(errors.map(([, code, why]) => [code, why])).toEqual([['DENIED', 'OWN_REQUEST']]);
      expect(told(await test.as(who, approve, { id })).errors.map(([, code, why]) => [code, why])).toEqual([
        ['DENIED', 'OWN_REQUEST'],
      ]);
    }
    expect((await test.as('sam', own)).data.assistancesToApprove).toEqual([]);
    expect(told(await test.as('sam', refuse, { id })).errors).toEqual([]);
    expect((await test.as(supervising, own)).data.assistancesToApprove).toEqual([]);
  });

  it('is shown to a supervisor who may decide, and recorded; messages and the customer are not', async () => {
    const { reference } = demoTickets.readdressed;
    const ticketId = await ticketIdOf(test, reference);
    const first = await askedBy('ana', reference, 'The first request, with its own words');
    expect(told(await test.as('sam', refuse, { id: first })).errors).toEqual([]);
    test.clock.forward(1);
    const other = await askedBy(await as('chloe', ['AGENT']), reference, 'A colleague’s request, with other words');
    test.clock.forward(1);
    const id = await askedBy('ana', reference);
    let found: Record<string, unknown> | undefined;
    const events = await eventsOf(test, async () => {
      const answer = await test.as('sam', listed);
      const { data, errors } = told(answer);
      const index = data.assistancesToApprove.findIndex((each: { id: string }) => each.id === id);
      found = data.assistancesToApprove[index];
      expect([...new Set(errors.map(([path]) => String(path).replace(/\.\d+\./, '.')))].sort()).toEqual([
        'assistancesToApprove.ticket.customer',
        'assistancesToApprove.ticket.messages',
      ]);
    });
    expect(found).toEqual({
      id,
      state: 'WAITING',
      requestedBy: { displayName: 'Ana Ferreira' },
      reason: 'The caller asks about a declined payment',
      link: expect.stringMatching(/^(VERIFIED|MATCHED|NONE)$/),
      earlier: [
        {
          state: 'WAITING',
          reason: 'A colleague’s request, with other words',
          rejectionReason: null,
          requestedBy: { displayName: 'Chloé Marchand' },
        },
        {
          state: 'REJECTED',
          reason: 'The first request, with its own words',
          rejectionReason: 'The ticket says nothing of a payment',
          requestedBy: { displayName: 'Ana Ferreira' },
        },
      ],
      ticket: {
        reference,
        subject: expect.any(String),
        channel: expect.any(String),
        createdAt: expect.any(String),
        createdBy: null,
        customerSetBy: [{ displayName: 'Ana Ferreira' }],
        messages: null,
        customer: null,
      },
    });
    const [disclosure] = events.filter(({ action }) => action === 'disclosure') as {
      detail: { objects: Record<string, string[]>; assistances: string[]; tickets: string[] };
      customers: string[];
    }[];
    expect(disclosure?.detail).toMatchObject({
      objects: { Assistance: expect.arrayContaining([id, other, first]) },
      assistances: [],
      tickets: expect.arrayContaining([ticketId]),
    });
    expect(disclosure?.customers.length).toBeGreaterThan(0);
    // Under an assistance of their own on the ticket the messages are shown.
    await askedBy('sam', reference);
    const under = told(await test.as('sam', listed));
    const mine = under.data.assistancesToApprove.find((each: { id: string }) => each.id === id);
    expect(mine.ticket.messages.totalCount).toBeGreaterThan(0);
  });

  it('is shown to nobody else: neither who asked, nor a colleague, nor who may not decide', async () => {
    const { reference } = demoTickets.selfMade;
    await askedBy(await as('chloe', ['AGENT']), reference, 'A colleague’s request, with other words');
    const id = await askedBy('ana', reference);
    const own = `query ($reference: String!) { ticketByReference(source: "demo", reference: $reference) { assistance { id reason link earlier { reason } } } }`;
    const asker = told(await test.as('ana', own, { reference }));
    expect(asker).toEqual({
      data: {
        ticketByReference: { assistance: { id, reason: 'The caller asks about a declined payment', link: null, earlier: null } },
      },
      errors: [
        ['ticketByReference.assistance.link', 'DENIED', 'ROLE'],
        ['ticketByReference.assistance.earlier', 'DENIED', 'ROLE'],
      ],
    });
    expect(JSON.stringify(asker)).not.toContain('other words');
    // As a supervisor it is still hers: not in her list, and by her ticket nothing of what others wrote.
    const lead = await as('ana', ['AGENT', 'SUPERVISOR'], 'ana-lead');
    expect((await test.as(lead, listed)).data.assistancesToApprove.map((each: { id: string }) => each.id)).not.toContain(id);
    const asLead = await askedBy(lead, reference);
    const byLead = told(await test.as(lead, own, { reference }));
    expect(byLead.data.ticketByReference.assistance).toMatchObject({ id: asLead, link: null, earlier: null });
    expect(byLead.errors.map(([, , reason]) => reason)).toEqual(['OWN_REQUEST', 'OWN_REQUEST']);
    // Who signed in too long ago is told what to do.
    const late = { token: await test.token('sam', { authenticatedAt: new Date(test.clock.now().getTime() - 16 * minute) }) };
    const byLate = await test.as(late, listed);
    const row = byLate.data.assistancesToApprove.find((each: { id: string }) => each.id === id);
    expect(row).toMatchObject({ link: null, earlier: null });
    expect(
      new Set(
        told(byLate)
          .errors.filter(([path]) => /link|earlier/.test(String(path)))
          .map(([, , why]) => why),
      ),
    ).toEqual(new Set(['RECENT_LOGIN_REQUIRED']));
    // Once somebody has decided it is nobody's any more.
    const decided = `mutation ($id: ID!) { approveAssistance(id: $id) { link earlier { reason } } }`;
    expect(told(await test.as('sam', decided, { id }))).toEqual({
      data: { approveAssistance: { link: null, earlier: null } },
      errors: [
        ['approveAssistance.link', 'DENIED', 'SCOPE'],
        ['approveAssistance.earlier', 'DENIED', 'SCOPE'],
      ],
    });
  });

  it('isn’t shown where the helpdesk’s word on whose ticket it is is too old', async () => {
    const { reference } = demoTickets.unassigned;
    const id = await askedBy('ana', reference);
    test.clock.forward(10 * minute);
    const { data, errors } = told(await test.as('sam', listed));
    const row = data.assistancesToApprove.find((each: { id: string }) => each.id === id);
    expect(row).toMatchObject({ link: null, earlier: null, ticket: { subject: null } });
    expect([...new Set(errors.filter(([path]) => /link|earlier|subject/.test(String(path))).map(([, , why]) => why))]).toEqual([
      'STALE',
    ]);
    await test.app.sources.syncAll();
  });
});

describe('the quota of customers', () => {
  const quota = 40;
  let test: TestApp;
  let issuer: OtherIssuer;
  const helpdesk = new ScriptedHelpdesk('demo');
  const payments = new ScriptedPayments('demo-pay');
  beforeAll(async () => {
    issuer = await OtherIssuer.open();
    for (let number = 1; number <= 300; number += 1) helpdesk.put(String(number));
    for (let number = 301; number <= 310; number += 1) {
      helpdesk.put(String(number), { customer: helpdeskCustomer('person-1') });
    }
    test = await TestApp.start({
      config: { issuers: [issuer.configuration] },
      connectors: { demo: helpdesk, 'demo-pay': payments },
    });
    helpdesk.now = test.clock.now;
    payments.now = test.clock.now;
  });
  afterAll(() => test.stop());

  const openedBy = async (from: number, to: number, width: number) => {
    const outcomes: string[] = [];
    const waiting = Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
    await Promise.all(
      Array.from({ length: width }, async () => {
        for (let reference = waiting.shift(); reference !== undefined; reference = waiting.shift()) {
          const { errors } = told(await test.as('ana', openTicket, { reference }));
          outcomes.push(errors.length === 0 ? 'reached' : errors.map((each) => each.slice(1).join(' ')).join());
        }
      }),
    );
    return outcomes;
  };
  const tally = (outcomes: readonly string[]) =>
    Object.fromEntries([...new Set(outcomes)].sort().map((each) => [each, outcomes.filter((other) => other === each).length]));

  it('stops who opens 300 tickets within an hour, and says so once; tickets about the same people go on', async () => {
    // Several at once around the limit: none of them may slip through.
    expect(tally(await openedBy(1, 300, 12))).toEqual({ 'DENIED QUOTA': 300 - quota, reached: quota });
    expect(await countOf(test, 'assistance')).toBe(quota);
    const denials = (await test.events('denial')).map(({ detail }) => detail);
    expect(denials).toEqual([{ rule: 'Ticket.customer', reason: 'QUOTA', count: 1 }]);
    // Those are about the first person, who is among the ones reached.
    const further = await openedBy(301, 310, 5);
    expect(tally(further)).toEqual({ reached: 10 });
  });

  it('holds for requests that need no approval as well', async () => {
    const token = await test.token('sam');
    const answers: string[] = [];
    for (let number = 1; number <= quota + 2; number += 1) {
      const answer = told(await test.as({ token }, begin, { ticketId: await ticketIdOf(test, String(number)) }));
      answers.push(answer.errors.length === 0 ? 'begun' : answer.errors.map((each) => each.slice(1).join(' ')).join());
    }
    expect(tally(answers)).toEqual({ 'DENIED QUOTA': 2, begun: quota });
  });

  it('counts a person, whatever subjects they have at the identity provider, and what was approved for them', async () => {
    test.clock.forward(hour + 1);
    await test.app.sources.syncAll();
    const ana = async (subject: string) => ({
      token: await issuer.token('ana', { roles: ['AGENT'], teams: ['cards'], subject }, test.clock.now()),
    });
    expect(tally(await openedBy(100, 99 + quota - 1, 4))).toEqual({ reached: quota - 1 });
    const [last, beyond] = [await ticketIdOf(test, '200'), await ticketIdOf(test, '201')];
    const asked = [];
    for (const ticketId of [last, beyond])
      asked.push((await test.as(await ana('ana-two'), begin, { ticketId })).data.beginAssistance.id);
    expect(told(await test.as('sam', approve, { id: asked[0] })).errors).toEqual([]);
    expect(told(await test.as('sam', approve, { id: asked[1] })).errors).toEqual([['approveAssistance', 'DENIED', 'QUOTA']]);
    const { errors } = told(await test.as(await ana('ana-three'), openTicket, { reference: '202' }));
    expect(errors).toEqual([['ticketByReference.customer', 'DENIED', 'QUOTA']]);
  });

  it('is there again an hour later, for the same number', async () => {
    test.clock.forward(hour + 1);
    await test.app.sources.syncAll();
    expect(tally(await openedBy(200, 250, 6))).toEqual({ 'DENIED QUOTA': 51 - quota, reached: quota });
  });
});

describe('a request that waited before it was kept who asked', () => {
  it('ends, and a new one is judged like any other', async () => {
    const test = await TestApp.start();
    try {
      const ticketId = await ticketIdOf(test, demoTickets.unassigned.reference);
      const { data } = await test.as('ana', begin, { ticketId });
      const { id } = data.beginAssistance;
      const runner = (Reflect.get(test.app.database, 'writer') as DataSource).createQueryRunner();
      const migration = new SamePerson1764400000000();
      await migration.down(runner);
      await migration.up(runner);
      await runner.release();
      expect(told(await test.as('sam', approve, { id })).errors).toEqual([['approveAssistance', 'DENIED', 'OWN_REQUEST']]);
      expect(await test.app.services.assistances.expire()).toBe(1);
      expect((await test.events('assistance.end')).at(-1)).toMatchObject({ assistance: id, detail: { reason: 'EXPIRED' } });
      const again = await test.as('ana', begin, { ticketId });
      expect(told(await test.as('sam', approve, { id: again.data.beginAssistance.id })).errors).toEqual([]);
    } finally {
      await test.stop();
    }
  });
});
