import { demoTickets } from '../../src/development/merchant/cast';
import { countOf, eventsOf, ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { type Case, cancelUpdate, reason as requestReason, Updates, writerOf } from '../support/credentials';

const minute = 60_000;

let test: TestApp;
let updates: Updates;
beforeAll(async () => {
  test = await TestApp.start();
  updates = new Updates(test);
  // Who is new is written down once; that is not what these tests are about.
  for (const user of ['ana', 'ben', 'sam', 'pia']) await test.as(user, '{ viewer { id } }');
});
beforeEach(() => updates.forgetDenials());
afterAll(() => test.stop());

/** Events of some work; what it showed and what it read at the sources are left out. */
const eventsDuring = async (work: () => Promise<unknown>) =>
  (await eventsOf(test, work)).filter(({ action }) => !/^(disclosure|plan|source|actor)/.test(action as string));
const said = async (work: () => Promise<unknown>) =>
  (await eventsDuring(work)).map(({ action, outcome, detail }) => ({ action, outcome, detail }));
/** What was read of a customer a moment ago isn't read again. */
const forgetRefreshes = (): void => Reflect.get(Reflect.get(test.app.sources, 'reading'), 'recentlyRefreshed').clear();
const denial = (rule: string, why: string) => [
  { action: 'denial', outcome: 'DENIED', detail: expect.objectContaining({ rule, reason: why, count: 1 }) },
];
const assistanceOf = async ({ ticketId }: Case) => {
  const [row] = await test.app.database.query<{ id: string }>(
    'SELECT id FROM assistance WHERE ticket_id = ? AND ended_at IS NULL ORDER BY id DESC',
    [ticketId],
  );
  return row?.id;
};
describe('a request', () => {
  it('that is allowed is stored, with one event that names actor, ticket, assistance and states; nothing happens at the provider', async () => {
    const of = await updates.next();
    const before = await updates.methodsOf(of);
    const events = await eventsDuring(async () => {
      const answer = await updates.request(of, of.usual, 'BILLING_ADDRESS');
      expect(told(answer)).toEqual({
        data: {
          requestCredentialUpdate: expect.objectContaining({
            kind: 'BILLING_ADDRESS',
            state: 'REQUESTED',
            reason: requestReason,
            failure: null,
            riskRules: [],
            needsCode: false,
            needsApproval: false,
            after: null,
            confirmation: null,
            approval: null,
            requestedBy: { displayName: 'Ana Ferreira' },
            before: expect.objectContaining({ last4: of.usual.last4, isDefault: true }),
            history: [{ from: null, to: 'REQUESTED', actor: 'STAFF', reason: null, by: { displayName: 'Ana Ferreira' } }],
          }),
        },
        errors: [],
      });
    });
    const [row] = await test.app.database.query<Record<string, unknown>>('SELECT * FROM credential_update WHERE ticket_id = ?', [
      of.ticketId,
    ]);
    expect(row).toMatchObject({
      state: 'REQUESTED',
      kind: 'BILLING_ADDRESS',
      payment_method_id: of.usual.id,
      open_key: of.usual.id,
      assistance_id: await assistanceOf(of),
      ended_at: null,
    });
    expect(events).toEqual([
      expect.objectContaining({
        action: 'credential.request',
        outcome: 'ALLOWED',
        actor: expect.objectContaining({ kind: 'staff', id: row?.requested_by_id }),
        ticket: of.ticketId,
        assistance: await assistanceOf(of),
        subject: { type: 'CredentialUpdate', id: row?.id },
        customers: [expect.any(String)],
        notes: { reason: expect.any(String), before: expect.any(String) },
        detail: {
          from: null,
          to: 'REQUESTED',
          kind: 'BILLING_ADDRESS',
          method: of.usual.id,
          link: 'VERIFIED',
          rules: [],
          needs: [],
          staff: row?.requested_by_staff_id,
          staffRows: [row?.requested_by_staff_id],
          contactStaff: 0,
          waitsUntil: new Date(test.clock.now().getTime() + 24 * 3_600_000).toISOString(),
        },
      }),
    ]);
    expect(row?.requested_by_staff_id).toMatch(/^stf_/);
    expect(JSON.stringify(events)).not.toContain(requestReason);
    expect(await updates.methodsOf(of)).toEqual(before);
  });

  type Attempt = () => Promise<{ of: Pick<Case, 'ticketId'>; method?: { id: string }; who?: Parameters<TestApp['as']>[0] }>;
  it.each<[string, string, Attempt]>([
    ['by a role that assists nobody', 'ROLE', async () => ({ of: await updates.next(), who: 'pia' })],
    [
      'without a second factor',
      'MFA_REQUIRED',
      async () => ({ of: await updates.next(), who: { token: await test.token('ana', { mfa: false }) } }),
    ],
    [
      'on a ticket that the agent never opened',
      'NO_ASSISTANCE',
      async () => ({ of: { ticketId: await ticketIdOf(test, demoTickets.unassigned.reference) } }),
    ],
    [
      'on a ticket that the agent made themselves',
      'NO_ASSISTANCE',
      async () => {
        const ticketId = await ticketIdOf(test, demoTickets.selfMade.reference);
        await updates.assist(ticketId);
        return { of: { ticketId } };
      },
    ],
    [
      'after the assistance was ended by hand',
      'NO_ASSISTANCE',
      async () => {
        const of = await updates.next();
        await test.as('ana', 'mutation ($id: ID!) { endAssistance(id: $id) { state } }', { id: await assistanceOf(of) });
        return { of, method: of.usual };
      },
    ],
    [
      'on a ticket that was closed',
      'TICKET_CLOSED',
      async () => {
        const of = await updates.next();
        test.helpdesk.close(of.reference);
        await test.app.sources.syncAll();
        return { of, method: of.usual };
      },
    ],
    [
      'for a customer whom nobody is sure of',
      'LINK',
      async () => {
        const ticketId = await ticketIdOf(test, demoTickets.twoCandidates.reference);
        await updates.assist(ticketId);
        return { of: { ticketId } };
      },
    ],
    [
      'where the payment side’s contact is a mailbox of the agent’s own',
      'OWN_CONTACT',
      async () => {
        const of = await updates.next();
        await updates.changeCustomer(of, { email: 'Ana@staff.example.com' });
        return { of, method: of.usual };
      },
    ],
  ])('%s is denied: nothing is stored, one denial is', async (_, why, attempt) => {
    const { of, method = { id: 'pm_01ARZ3NDEKTSV4RRFFQ69G5FAV' }, who = 'ana' } = await attempt();
    const rows = await countOf(test, 'credential_update');
    updates.forgetDenials();
    forgetRefreshes();
    const asked = [jest.spyOn(test.payments, 'findCustomers'), jest.spyOn(test.payments, 'fetchCustomer')];
    const events = await said(async () => {
      const answer = told(await updates.request(of, method, 'BILLING_ADDRESS', {}, who));
      expect([answer.data, answer.errors.map(([, ...rest]) => rest)]).toEqual([null, [['DENIED', why]]]);
    });
    // The provider is asked for those only who may ask, but for what nobody but the provider knows.
    const isTheProviders = ['LINK', 'OWN_CONTACT'].includes(why);
    expect(asked.some(({ mock: { calls } }) => calls.length > 0)).toBe(isTheProviders);
    for (const spy of asked) spy.mockRestore();
    expect(events).toEqual(denial(why === 'ROLE' ? 'Mutation.requestCredentialUpdate' : 'credential.request', why));
    expect(await countOf(test, 'credential_update')).toBe(rows);
  });

  it('whose assistance ends between its loading and its commit is denied', async () => {
    const of = await updates.next();
    const assistance = await assistanceOf(of);
    const find = test.payments.findCustomers.bind(test.payments);
    let ended: Promise<unknown> | undefined;
    // The gateway waits for the provider before the change begins: time enough for somebody else to end the assistance.
    test.payments.findCustomers = async (search) => {
      ended ??= test.as('sam', 'mutation ($id: ID!) { endAssistance(id: $id) { state } }', { id: assistance });
      await ended;
      return find(search);
    };
    forgetRefreshes();
    const answer = told(await updates.request(of, of.usual, 'BILLING_ADDRESS'));
    test.payments.findCustomers = find;
    expect(answer).toEqual({ data: null, errors: [['requestCredentialUpdate', 'DENIED', 'NO_ASSISTANCE']] });
    expect(await countOf(test, 'credential_update', 'ticket_id = ?', of.ticketId)).toBe(0);
  });

  it('whose assistance ends within its transaction, after it was read there, is denied too', async () => {
    const of = await updates.next();
    const keys = test.keys;
    const forOwners = keys.forOwners.bind(keys);
    // The rules were asked by then; what another process commits now is seen by nothing but a conditional write.
    keys.forOwners = async (...given) => {
      if (given[1].includes(of.customerId))
        await writerOf(test).query('UPDATE assistance SET ended_at = ? WHERE ticket_id = ?', [
          test.clock.now().getTime(),
          of.ticketId,
        ]);
      return forOwners(...given);
    };
    const answer = told(await updates.request(of, of.usual, 'BILLING_ADDRESS'));
    keys.forOwners = forOwners;
    expect(answer).toEqual({ data: null, errors: [['requestCredentialUpdate', 'DENIED', 'ASSISTANCE_ENDED']] });
    expect(await countOf(test, 'credential_update', 'ticket_id = ?', of.ticketId)).toBe(0);
  });

  it('on an assignment that the helpdesk can’t confirm just now is denied as stale', async () => {
    const of = await updates.next();
    test.clock.forward(2 * minute);
    test.helpdesk.goDown();
    const events = await said(async () => {
      const answer = told(await updates.request(of, of.usual, 'BILLING_ADDRESS'));
      expect(answer).toEqual({ data: null, errors: [['requestCredentialUpdate', 'DENIED', 'STALE']] });
    });
    test.helpdesk.comeBack();
    expect(events).toEqual(denial('credential.request', 'STALE'));
    expect(await countOf(test, 'credential_update', 'ticket_id = ?', of.ticketId)).toBe(0);
  });

  it('beyond the customer’s quota is denied, and is possible again a day after', async () => {
    const of = await updates.next();
    for (let number = 1; number <= 5; number += 1) {
      const { data } = await updates.request(of, of.usual, 'BILLING_ADDRESS');
      await test.as('ana', cancelUpdate, { id: data.requestCredentialUpdate.id });
    }
    const events = await said(async () => {
      const answer = told(await updates.request(of, of.usual, 'BILLING_ADDRESS'));
      expect(answer).toEqual({ data: null, errors: [['requestCredentialUpdate', 'DENIED', 'QUOTA']] });
    });
    expect(events).toEqual(denial('credential.request', 'QUOTA'));
    test.clock.forward(24 * 60 * minute);
    await updates.assist(of.ticketId);
    expect(told(await updates.request(of, of.usual, 'BILLING_ADDRESS')).errors).toEqual([]);
  });

  it('for a method outside the ticket’s customer is NOT_FOUND, word for word like one that doesn’t exist', async () => {
    const [of, stranger] = [await updates.next(), await updates.next()];
    const absent = await updates.request(of, { id: 'pm_01ARZ3NDEKTSV4RRFFQ69G5FAV' }, 'REMOVE');
    expect(told(absent)).toEqual({ data: null, errors: [['requestCredentialUpdate', 'NOT_FOUND']] });
    expect(await updates.request(of, stranger.usual, 'REMOVE')).toEqual(absent);
    expect(await updates.request(of, { id: "' OR 1=1 --" }, 'REMOVE')).toEqual(absent);
    expect(await countOf(test, 'credential_update', 'ticket_id = ?', of.ticketId)).toBe(0);
  });

  it('for a ticket outside the scope is NOT_FOUND, word for word like one that doesn’t exist', async () => {
    const of = await updates.next();
    const absent = await updates.request({ ticketId: 'tkt_absent' }, of.usual, 'REMOVE', {}, 'ben');
    expect(told(absent)).toEqual({ data: null, errors: [['requestCredentialUpdate', 'NOT_FOUND']] });
    expect(await updates.request(of, of.usual, 'REMOVE', {}, 'ben')).toEqual(absent);
  });

  it.each([
    ['a short reason', { reason: 'too short' }, 'input.reason'],
    ['a reason of blanks', { reason: ' '.repeat(40) }, 'input.reason'],
    ['a long reason', { reason: 'x'.repeat(1_001) }, 'input.reason'],
    ['a card number in its reason', { reason: 'Caller reads 4242 4242 4242 4242 aloud' }, 'input.reason'],
    ['a labelled security code in its reason', { reason: 'The new card has CVC 737, she says' }, 'input.reason'],
    ['an expiry in its reason', { reason: 'The new card, expires 11/29, she says' }, 'input.reason'],
    ['a card number as its key', { idempotencyKey: '4242424242424242' }, 'input.idempotencyKey'],
    ['a short key', { idempotencyKey: 'short' }, 'input.idempotencyKey'],
    ['a key with blanks', { idempotencyKey: 'with blanks in it' }, 'input.idempotencyKey'],
  ])('with %s is INVALID: nothing of it is stored or logged', async (_, over, argument) => {
    const of = await updates.next({ methods: 1 });
    const logged = test.logLines.length;
    const events = await said(async () => {
      const answer = await updates.request(of, of.usual, 'BILLING_ADDRESS', over);
      expect(told(answer)).toEqual({ data: null, errors: [['requestCredentialUpdate', 'INVALID', argument]] });
      expect(JSON.stringify(answer)).not.toContain(Object.values(over)[0]?.trim() || 'no such text');
    });
    expect(events).toEqual([]);
    expect(await countOf(test, 'credential_update', 'ticket_id = ?', of.ticketId)).toBe(0);
    expect(test.logLines.slice(logged).join('')).not.toContain(Object.values(over)[0]?.trim() || 'no such text');
  });

  it('may speak of house number 123', async () => {
    const of = await updates.next({ methods: 1 });
    const reason = 'She moved to Quay Street 123, second floor';
    expect(told(await updates.request(of, of.usual, 'BILLING_ADDRESS', { reason })).errors).toEqual([]);
  });

  it.each<[string, 'SET_DEFAULT' | 'REPLACE_CARD', (of: Case) => { id: string }]>([
    ['to make the default what is the default', 'SET_DEFAULT', ({ usual }) => usual],
    ['to replace what is no card', 'REPLACE_CARD', ({ methods }) => methods.find(({ kind }) => kind !== 'CARD') ?? { id: '' }],
  ])('%s is a CONFLICT', async (_, kind, method) => {
    const of = await updates.caseOf(demoTickets.own.reference, 1);
    expect(told(await updates.request(of, method(of), kind))).toEqual({
      data: null,
      errors: [['requestCredentialUpdate', 'CONFLICT']],
    });
  });

  it('for a method that has an open update is a CONFLICT, and possible once that has ended', async () => {
    const of = await updates.next();
    const { data } = await updates.request(of, of.usual, 'BILLING_ADDRESS');
    expect(told(await updates.request(of, of.usual, 'REMOVE')).errors).toEqual([['requestCredentialUpdate', 'CONFLICT']]);
    await test.as('ana', cancelUpdate, { id: data.requestCredentialUpdate.id });
    expect(told(await updates.request(of, of.usual, 'REMOVE')).errors).toEqual([]);
  });
});
