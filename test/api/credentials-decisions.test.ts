import { demoTickets } from '../../src/development/merchant/cast';
import { eventsOf, policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import {
  approveUpdate,
  type Case,
  cancelUpdate,
  detailsOfUpdates,
  readUpdate,
  rejection,
  rejectUpdate,
  Updates,
  withheld,
} from '../support/credentials';
import { OtherIssuer } from '../support/other-issuer';

const minute = 60_000;
const absentId = 'cru_01ARZ3NDEKTSV4RRFFQ69G5FAV';

let test: TestApp;
let issuer: OtherIssuer;
let updates: Updates;
beforeAll(async () => {
  issuer = await OtherIssuer.open();
  test = await TestApp.start({
    config: { issuers: [issuer.configuration] },
    policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 50']),
  });
  updates = new Updates(test);
});
beforeEach(() => updates.forgetDenials());
afterAll(() => test.stop());

/** What some work wrote down; what it showed and what it read at the sources are left out. */
const eventsDuring = async (work: () => Promise<unknown>) =>
  (await eventsOf(test, work)).filter(({ action }) => !/^(disclosure|plan|source|actor)/.test(action as string));
const denied = (rule: string, why: string) => [
  expect.objectContaining({
    action: 'denial',
    outcome: 'DENIED',
    detail: expect.objectContaining({ rule, reason: why, count: 1 }),
  }),
];
const supervisor = async (user: string, teams: readonly string[]) => ({
  token: await issuer.token(user, { roles: ['AGENT', 'SUPERVISOR'], teams }, test.clock.now()),
});

type Waiting = { readonly of: Case; readonly id: string };
/** Customers whose update was called off, so that nothing is open any more. */
const idle: Case[] = [];
const callOff = async ({ of, id }: Waiting) => {
  expect(told(await test.as('ana', cancelUpdate, { id })).errors).toEqual([]);
  idle.push(of);
};
/** An update that waits for a supervisor: the policy asks for one where a default method is removed. */
const waiting = async (): Promise<Waiting> => {
  const of = idle.pop() ?? (await updates.next({ methods: 1, subscribed: false }));
  const { id, token } = await updates.asked(of, of.usual, 'REMOVE');
  expect((await updates.confirm(token)).outcome).toBe('confirmed');
  return { of, id };
};
const whole = async (id: string) => {
  const { state, decision, moves, ended_at } = await updates.row(id);
  return { state, decision, moves: Number(moves), ended: ended_at !== null, path: await updates.path(id) };
};

describe('an update', () => {
  it('is called off by who asked for it, with its event, once; the customer’s link is dead', async () => {
    const of = await updates.next({ methods: 1 });
    const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    const events = await eventsDuring(async () => {
      const answer = await test.as('ana', cancelUpdate, { id });
      expect(told(answer)).toEqual({ data: { cancelCredentialUpdate: { id, state: 'CANCELLED' } }, errors: [] });
      expect(await test.as('ana', cancelUpdate, { id })).toEqual(answer);
    });
    expect(events).toEqual([
      expect.objectContaining({
        action: 'credential.cancel',
        outcome: 'ALLOWED',
        actor: expect.objectContaining({ kind: 'staff', id: (await updates.row(id)).requested_by_id }),
        ticket: of.ticketId,
        assistance: (await updates.row(id)).assistance_id,
        subject: { type: 'CredentialUpdate', id },
        detail: {
          kind: 'BILLING_ADDRESS',
          from: 'AWAITING_CUSTOMER',
          to: 'CANCELLED',
          reason: 'BY_HAND',
          staff: (await updates.row(id)).requested_by_staff_id,
        },
      }),
    ]);
    expect(await whole(id)).toEqual({
      state: 'CANCELLED',
      decision: null,
      moves: 3,
      ended: true,
      path: ['REQUESTED', 'AWAITING_CUSTOMER', 'CANCELLED BY_HAND'],
    });
    expect(await updates.desk.view(token)).toBeNull();
  });

  it('is called off by a supervisor of the ticket’s team too', async () => {
    const { id } = await waiting();
    expect(told(await test.as('sam', cancelUpdate, { id }))).toEqual({
      data: { cancelCredentialUpdate: { id, state: 'CANCELLED' } },
      errors: [],
    });
  });

  it('is not called off any more once it is being applied', async () => {
    const of = await updates.next({ methods: 1 });
    const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    await updates.confirm(token);
    const answer = told(await test.as('ana', cancelUpdate, { id }));
    expect(answer).toEqual({ data: null, errors: [['cancelCredentialUpdate', 'CONFLICT']] });
    await updates.drain();
    expect((await whole(id)).path).toEqual(['REQUESTED', 'AWAITING_CUSTOMER', 'APPLYING', 'APPLIED']);
  });

  it('that the customer confirmed is approved by a supervisor who didn’t ask for it, with its event, once', async () => {
    const { of, id } = await waiting();
    const approved = { id, state: 'APPLYING', approval: { decision: 'APPROVED', by: { displayName: 'Sam Lindqvist' } } };
    const events = await eventsDuring(async () => {
      const answer = await test.as('sam', approveUpdate, { id });
      expect(told(answer)).toEqual({ data: { approveCredentialUpdate: approved }, errors: [] });
      expect(await test.as('sam', approveUpdate, { id })).toEqual(answer);
    });
    const row = await updates.row(id);
    expect(events).toEqual([
      expect.objectContaining({
        action: 'credential.approve',
        outcome: 'ALLOWED',
        actor: expect.objectContaining({ kind: 'staff', id: row.decided_by_id }),
        ticket: of.ticketId,
        assistance: row.assistance_id,
        subject: { type: 'CredentialUpdate', id },
        detail: {
          kind: 'REMOVE',
          from: 'AWAITING_APPROVAL',
          to: 'APPLYING',
          of: row.requested_by_id,
          staff: row.decided_by_staff_id,
        },
      }),
    ]);
    expect(row.decided_by_staff_id).toMatch(/^stf_/);
    expect(row.decided_by_id).not.toBe(row.requested_by_id);
    await updates.drain();
    expect(await updates.state(id)).toBe('APPLIED');
    // Long after, it is the same decision still, and nobody else's.
    expect(told(await test.as('sam', approveUpdate, { id })).errors).toEqual([]);
    expect(told(await test.as(await supervisor('chloe', ['cards']), approveUpdate, { id })).errors).toEqual([
      ['approveCredentialUpdate', 'CONFLICT'],
    ]);
    expect(updates.executions(id)).toEqual(['DETACH']);
  });

  it('that the customer confirmed is rejected by a supervisor, with its reason beside the event, once; nothing happens at the provider', async () => {
    const { of, id } = await waiting();
    const rejected = { id, state: 'REJECTED', approval: { decision: 'REJECTED', by: { displayName: 'Sam Lindqvist' } } };
    const methods = await updates.methodsOf(of);
    const events = await eventsDuring(async () => {
      const answer = await test.as('sam', rejectUpdate, { id, reason: rejection });
      expect(told(answer)).toEqual({ data: { rejectCredentialUpdate: rejected }, errors: [] });
      expect(await test.as('sam', rejectUpdate, { id, reason: rejection })).toEqual(answer);
    });
    expect(events).toEqual([
      expect.objectContaining({
        action: 'credential.reject',
        outcome: 'ALLOWED',
        ticket: of.ticketId,
        notes: { reason: expect.any(String) },
        detail: expect.objectContaining({ kind: 'REMOVE', from: 'AWAITING_APPROVAL', to: 'REJECTED' }),
      }),
    ]);
    expect(JSON.stringify(events)).not.toContain(rejection);
    await updates.drain();
    expect(await updates.methodsOf(of)).toEqual(methods);
    expect(updates.executions(id)).toEqual([]);
    expect(told(await test.as('sam', approveUpdate, { id })).errors).toEqual([['approveCredentialUpdate', 'CONFLICT']]);
  });

  it('that was rejected tells who asked for it why, also after their assistance has ended, and nobody else without one', async () => {
    const read = 'query ($id: ID!) { credentialUpdate(id: $id) { state reason approval { decision reason } } }';
    const { of, id } = await waiting();
    expect(told(await test.as('ana', read, { id })).data.credentialUpdate.approval).toBeNull();
    await test.as('sam', rejectUpdate, { id, reason: rejection });
    const approval = { decision: 'REJECTED', reason: rejection };
    const assisting = told(await test.as('ana', read, { id }));
    expect([assisting.data.credentialUpdate.approval, assisting.errors]).toEqual([approval, []]);
    test.helpdesk.reassign(of.reference, 'rosa');
    await test.app.sources.syncAll();
    const own = { credentialUpdate: { state: 'REJECTED', reason: null, approval } };
    const deniedReason = ['credentialUpdate.reason', 'DENIED', 'NO_ASSISTANCE'];
    const events = await eventsOf(test, async () =>
      expect(told(await test.as('ana', read, { id }))).toEqual({ data: own, errors: [deniedReason] }),
    );
    // It is on record that she was shown it, without an assistance that would have had to be live.
    expect(events.filter(({ action }) => action === 'disclosure')).toEqual([
      expect.objectContaining({ detail: expect.objectContaining({ assistances: [], objects: { CredentialUpdate: [id] } }) }),
    ]);
    const herself = {
      token: await issuer.token('ana', { roles: ['AGENT'], teams: ['cards'], subject: 'ana-too' }, test.clock.now()),
    };
    expect(told(await test.as(herself, read, { id })).data).toEqual(own);
    const withoutFactor = { token: await test.token('ana', { mfa: false }) };
    expect(told(await test.as(withoutFactor, read, { id })).errors).toContainEqual([
      'credentialUpdate.approval.reason',
      'DENIED',
      'MFA_REQUIRED',
    ]);
    // A supervisor of the team reaches the update, and neither of the texts.
    const other = await supervisor('chloe', ['cards']);
    expect(told(await test.as(other, read, { id }))).toEqual({
      data: { credentialUpdate: { state: 'REJECTED', reason: null, approval: { decision: 'REJECTED', reason: null } } },
      errors: [deniedReason, ['credentialUpdate.approval.reason', 'DENIED', 'NO_ASSISTANCE']],
    });
    test.helpdesk.reassign(of.reference, 'ana');
    await test.app.sources.syncAll();
  });

  const decisions = [
    ['approved', approveUpdate, 'approveCredentialUpdate', 'credential.approve'],
    ['rejected', rejectUpdate, 'rejectCredentialUpdate', 'credential.reject'],
  ] as const;
  const people: readonly [string, string, string | null, () => Promise<Parameters<TestApp['as']>[0]>][] = [
    ['by the agent who asked', 'ROLE', null, async () => 'ana'],
    ['by who asked, as a supervisor', 'OWN_REQUEST', null, async () => supervisor('ana', ['cards'])],
    ['by somebody whom the helpdesk doesn’t know', 'OWN_REQUEST', null, async () => supervisor('nobody', ['cards'])],
    ['by somebody who has left the helpdesk', 'OWN_REQUEST', null, async () => supervisor('wanda', ['cards'])],
    ['without a second factor', 'MFA_REQUIRED', null, async () => ({ token: await test.token('sam', { mfa: false }) })],
    [
      'by a supervisor who signed in a quarter of an hour ago',
      'RECENT_LOGIN_REQUIRED',
      null,
      async () => ({
        token: await test.token('sam', { authenticatedAt: new Date(test.clock.now().getTime() - 15 * minute - 1_000) }),
      }),
    ],
  ];
  it.each(
    decisions.flatMap(([what, operation, field, action]) =>
      people.map(([how, why, , who]) => [what, how, why, operation, field, action, who] as const),
    ),
  )('is not %s %s: it goes on waiting, one denial is written', async (_, __, why, operation, field, action, who) => {
    const { of, id } = await waiting();
    const before = await whole(id);
    const person = await who();
    await test.as(person, '{ viewer { id } }');
    updates.forgetDenials();
    const events = await eventsDuring(async () => {
      const answer = told(await test.as(person, operation, { id, reason: rejection }));
      expect(answer).toEqual({ data: null, errors: [[why === 'ROLE' ? '' : field, 'DENIED', why]] });
    });
    expect(events).toEqual(denied(why === 'ROLE' ? `Mutation.${field}` : action, why));
    expect(await whole(id)).toEqual(before);
    await callOff({ of, id });
  });

  it('says to who may decide that signing in anew shows it, and to nobody else', async () => {
    const { of, id } = await waiting();
    const shownTo = async (who: Parameters<TestApp['as']>[0]) => {
      const { data, errors } = told(await test.as(who, readUpdate, { id }));
      return [data.credentialUpdate.before, [...new Set(errors.map(([, , why]) => why))]];
    };
    const authenticatedAt = new Date(test.clock.now().getTime() - 15 * minute - 1_000);
    expect(await shownTo({ token: await test.token('sam', { authenticatedAt }) })).toEqual([null, ['RECENT_LOGIN_REQUIRED']]);
    expect(await shownTo('sam')).toEqual([expect.anything(), []]);
    await callOff({ of, id });
    expect(await shownTo({ token: await test.token('sam', { authenticatedAt }) })).toEqual([null, ['NO_ASSISTANCE']]);
  });

  it('that somebody asked for whom its helpdesk didn’t know is decided by nobody', async () => {
    const { of, id } = await waiting();
    const kept = await updates.row(id);
    const set = 'UPDATE credential_update SET requested_by_staff_id = ?, requested_by_staff_ids = ? WHERE id = ?';
    await tamper(test.app.database, set, [null, null, id]);
    for (const [operation, field] of [
      [approveUpdate, 'approveCredentialUpdate'],
      [rejectUpdate, 'rejectCredentialUpdate'],
    ] as const)
      expect(told(await test.as('sam', operation, { id, reason: rejection }))).toEqual({
        data: null,
        errors: [[field, 'DENIED', 'OWN_REQUEST']],
      });
    expect(await updates.state(id)).toBe('AWAITING_APPROVAL');
    await tamper(test.app.database, set, [kept.requested_by_staff_id, kept.requested_by_staff_ids, id]);
    await callOff({ of, id });
  });

  it('on a ticket that the supervisor moved to their team is decided by another, who alone sees what it is about', async () => {
    const { of, id } = await waiting();
    const set = 'UPDATE helpdesk_ticket SET team_set_by_id = (SELECT id FROM helpdesk_staff WHERE reference = ?) WHERE id = ?';
    await tamper(test.app.database, set, ['sam', of.ticketId]);
    expect(told(await test.as('sam', approveUpdate, { id })).errors).toEqual([['approveCredentialUpdate', 'DENIED', 'SCOPE']]);
    const details = `{ credentialUpdate(id: "${id}") { before { last4 } } }`;
    const waits = '{ credentialUpdates(filter: { awaitingMyDecision: true }, first: 50) { nodes { id } } }';
    expect(told(await test.as('sam', details)).errors).toEqual([['credentialUpdate.before', 'DENIED', 'NO_ASSISTANCE']]);
    expect(JSON.stringify((await test.as('sam', waits)).data)).not.toContain(id);
    const chloe = await supervisor('chloe', ['cards']);
    expect(told(await test.as(chloe, details)).errors).toEqual([]);
    expect(JSON.stringify((await test.as(chloe, waits)).data)).toContain(id);
    await tamper(test.app.database, set, ['', of.ticketId]);
    await callOff({ of, id });
  });

  it.each([
    ['called off', cancelUpdate],
    ['approved', approveUpdate],
    ['rejected', rejectUpdate],
  ] as const)('of others is not %s by a supervisor of another team, for whom it doesn’t exist', async (_, operation) => {
    const { of, id } = await waiting();
    const before = await whole(id);
    const rosa = await supervisor('rosa', ['disputes']);
    const absent = await test.as(rosa, operation, { id: absentId, reason: rejection });
    expect(told(absent).errors.map(([, code]) => code)).toEqual(['NOT_FOUND']);
    expect(await test.as(rosa, operation, { id, reason: rejection })).toEqual(absent);
    expect(await test.as(rosa, operation, { id: "' OR 1=1 --", reason: rejection })).toEqual(absent);
    expect(await test.as(rosa, operation, { id: 'x'.repeat(300), reason: rejection })).toEqual(absent);
    expect(await whole(id)).toEqual(before);
    await callOff({ of, id });
  });

  it('is not called off by a colleague who works with the same ticket, nor by who has no second factor', async () => {
    const { id } = await waiting();
    const before = await whole(id);
    const chloe = { token: await issuer.token('chloe', { roles: ['AGENT'], teams: ['cards'] }, test.clock.now()) };
    const colleague = await eventsDuring(async () => {
      const answer = told(await test.as(chloe, cancelUpdate, { id }));
      expect(answer).toEqual({ data: null, errors: [['cancelCredentialUpdate', 'DENIED', 'SCOPE']] });
    });
    expect(colleague).toEqual(denied('credential.cancel', 'SCOPE'));
    const noFactor = { token: await test.token('ana', { mfa: false }) };
    expect(told(await test.as(noFactor, cancelUpdate, { id }))).toEqual({
      data: null,
      errors: [['cancelCredentialUpdate', 'DENIED', 'MFA_REQUIRED']],
    });
    expect(await whole(id)).toEqual(before);
  });

  it.each([
    ['short', 'too short', 'INVALID'],
    ['long', 'x'.repeat(1_001), 'INVALID'],
    ['that holds a card number', 'He read 4242 4242 4242 4242 to me', 'INVALID'],
  ])('is not rejected for a reason that is %s', async (_, reason, code) => {
    const { of, id } = await waiting();
    const answer = await test.as('sam', rejectUpdate, { id, reason });
    expect(told(answer)).toEqual({ data: null, errors: [['rejectCredentialUpdate', code, 'reason']] });
    expect(JSON.stringify(answer)).not.toContain(reason);
    expect(await updates.state(id)).toBe('AWAITING_APPROVAL');
    await callOff({ of, id });
  });

  it('can’t be approved after the time that it waits, though nobody has ended it yet', async () => {
    const { id } = await waiting();
    test.clock.forward(48 * 60 * minute);
    expect(told(await test.as('sam', approveUpdate, { id })).errors).toEqual([['approveCredentialUpdate', 'CONFLICT']]);
    await test.app.services.credentialExpiry.run();
    expect((await whole(id)).path.at(-1)).toBe('EXPIRED APPROVAL_EXPIRED');
  });

  it('on a MATCHED link needs code and approval, and its agent sees no last four', async () => {
    const of = await updates.caseOf(demoTickets.matched.reference, 2);
    const answer = await updates.request(of, of.usual, 'BILLING_ADDRESS');
    expect(answer.data.requestCredentialUpdate).toMatchObject({
      needsCode: true,
      needsApproval: true,
      riskRules: expect.arrayContaining(['matched-link']),
      before: expect.objectContaining({ last4: expect.not.stringContaining(of.usual.last4 ?? ''), expiryMonth: null }),
    });
    await test.as('ana', cancelUpdate, { id: answer.data.requestCredentialUpdate.id });
  });

  it('outlives the assistance in which it began: who asked for it still finds it, without its details', async () => {
    const of = await updates.next({ methods: 1 });
    const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    test.helpdesk.close(of.reference);
    test.helpdesk.reassign(of.reference, 'rosa');
    await test.app.sources.syncAll();
    expect((await updates.confirm(token)).outcome).toBe('confirmed');
    await updates.drain();
    const { data, errors = [] } = await test.as('ana', readUpdate, { id });
    expect(data.credentialUpdate).toMatchObject({ id, state: 'APPLIED', before: null, after: null, reason: null });
    expect(withheld(errors)).toEqual(detailsOfUpdates);
    expect([...new Set(errors.map(({ extensions }) => extensions.reason))]).toEqual(['NO_ASSISTANCE']);
  });
});
