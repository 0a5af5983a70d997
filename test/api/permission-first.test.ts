import { demoTickets } from '../../src/development/merchant/cast';
import { ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { approveUpdate, cancelUpdate, freshKey, rejection, rejectUpdate, requestUpdate, Updates } from '../support/credentials';
import { askDecision, Pipeline, recordStepUp } from '../support/decisions';
import { OtherIssuer } from '../support/other-issuer';

/** Longer ago than any source's word counts. */
const longAgo = 600_000;

const begin = `mutation Begin($ticketId: ID!, $reason: String!) {
  beginAssistance(input: { ticketId: $ticketId, purpose: OTHER, reason: $reason }) { id state }
}`;
const reason = 'The caller asks about a payment';

describe('a source is asked nothing for who has no permission', () => {
  let test: TestApp;
  let issuer: OtherIssuer;
  let updates: Updates;
  beforeEach(async () => {
    issuer = await OtherIssuer.open();
    test = await TestApp.start({ config: { issuers: [issuer.configuration] } });
    updates = new Updates(test);
  });
  afterEach(() => test.stop());

  /** Every call of the gateway to a source while some work lasts, by its name. */
  const askedDuring = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
    const asked: string[] = [];
    const undo: (() => void)[] = [];
    for (const connector of [test.helpdesk, test.payments] as object[])
      for (const name of new Set([
        ...Object.getOwnPropertyNames(Object.getPrototypeOf(connector)),
        ...Object.getOwnPropertyNames(connector),
      ])) {
        if (!/^(fetch|find|visible|poll|backfill|addNote|openTicket|openedTicket|ping|readAuthentication)/.test(name)) continue;
        const spy = jest.spyOn(connector as Record<string, (...given: unknown[]) => unknown>, name);
        undo.push(() => {
          asked.push(...spy.mock.calls.map(() => name));
          spy.mockRestore();
        });
      }
    await work();
    for (const each of undo) each();
    return asked;
  };
  /** Whatever was read counts as read long ago, also by whoever asks twice. */
  const forget = (): void => {
    test.clock.forward(longAgo);
    Reflect.get(Reflect.get(test.app.sources, 'reading'), 'recentlyRefreshed').clear();
  };

  it('yet it is for who has: what is counted here is asked', async () => {
    const ticketId = await ticketIdOf(test, demoTickets.unassigned.reference);
    forget();
    const asked = await askedDuring(async () =>
      expect(told(await test.as('ana', begin, { ticketId, reason })).errors).toEqual([]),
    );
    expect(asked).toContain('fetchTicket');
  });

  const ticketId = (reference: string) => () => ticketIdOf(test, reference);
  const holdInput = async (reference: string) => ({
    ticketId: await ticketIdOf(test, reference),
    effects: ['REVIEW'],
    until: new Date(test.clock.now().getTime() + 3_600_000).toISOString(),
    reason,
    idempotencyKey: 'hold-before-permission',
  });
  const waiting = async (): Promise<{ id: string }> => {
    const on = await ticketIdOf(test, demoTickets.unassigned.reference);
    return { id: (await test.as('ana', begin, { ticketId: on, reason })).data.beginAssistance.id };
  };
  const confirmed = async (): Promise<{ id: string }> => {
    const of = await updates.next();
    const { data } = await updates.request(of, of.usual, 'BILLING_ADDRESS');
    return { id: data.requestCredentialUpdate.id };
  };
  const changed = async (paymentMethodId: string, id: () => Promise<string>) => ({
    input: { ticketId: await id(), paymentMethodId, kind: 'BILLING_ADDRESS', reason, idempotencyKey: freshKey() },
  });
  const method = 'pm_01ARZ3NDEKTSV4RRFFQ69G5FAV';

  type Denied = readonly [
    field: string,
    why: string,
    query: string,
    code: string,
    attempt: () => Promise<{ readonly who: string; readonly mfa?: boolean; readonly variables: Record<string, unknown> }>,
  ];
  const denied: readonly Denied[] = [
    [
      'beginAssistance',
      'without a second factor',
      begin,
      'MFA_REQUIRED',
      async () => ({ who: 'ana', mfa: false, variables: { ticketId: await ticketId(demoTickets.own.reference)(), reason } }),
    ],
    [
      'beginAssistance',
      'on a closed ticket',
      begin,
      'TICKET_CLOSED',
      async () => ({ who: 'ana', variables: { ticketId: await ticketId(demoTickets.closed.reference)(), reason } }),
    ],
    [
      'beginAssistance',
      'on a ticket of another team',
      begin,
      'NOT_FOUND',
      async () => ({ who: 'ana', variables: { ticketId: await ticketId(demoTickets.household.reference)(), reason } }),
    ],
    [
      'beginAssistance',
      'without saying why',
      begin,
      'INVALID',
      async () => ({ who: 'ana', variables: { ticketId: await ticketId(demoTickets.own.reference)(), reason: 'so' } }),
    ],
    [
      'approveAssistance',
      'of their own',
      'mutation ($id: ID!) { approveAssistance(id: $id) { id } }',
      'ROLE',
      async () => ({ who: 'ana', variables: await waiting() }),
    ],
    [
      'rejectAssistance',
      'of their own',
      'mutation ($id: ID!, $reason: String!) { rejectAssistance(id: $id, reason: $reason) { id } }',
      'ROLE',
      async () => ({ who: 'ana', variables: { ...(await waiting()), reason } }),
    ],
    [
      'endAssistance',
      'of somebody else',
      'mutation ($id: ID!) { endAssistance(id: $id) { id } }',
      'NOT_FOUND',
      async () => ({ who: 'ben', variables: await waiting() }),
    ],
    [
      'requestCredentialUpdate',
      'without a second factor',
      requestUpdate,
      'MFA_REQUIRED',
      async () => ({ who: 'ana', mfa: false, variables: await changed(method, ticketId(demoTickets.own.reference)) }),
    ],
    [
      'requestCredentialUpdate',
      'without an assistance',
      requestUpdate,
      'NO_ASSISTANCE',
      async () => ({ who: 'ana', variables: await changed(method, ticketId(demoTickets.unassigned.reference)) }),
    ],
    [
      'requestCredentialUpdate',
      'on a ticket of another team',
      requestUpdate,
      'NOT_FOUND',
      async () => ({ who: 'ana', variables: await changed(method, ticketId(demoTickets.household.reference)) }),
    ],
    [
      'approveCredentialUpdate',
      'by who asked',
      approveUpdate,
      'ROLE',
      async () => ({ who: 'ana', variables: await confirmed() }),
    ],
    [
      'rejectCredentialUpdate',
      'by who asked',
      rejectUpdate,
      'ROLE',
      async () => ({ who: 'ana', variables: { ...(await confirmed()), reason: rejection } }),
    ],
    [
      'cancelCredentialUpdate',
      'by somebody of another team',
      cancelUpdate,
      'NOT_FOUND',
      async () => ({ who: 'ben', variables: await confirmed() }),
    ],
    [
      'reportConcern',
      'on a ticket of another team',
      'mutation ($ticketId: ID!, $note: String!) { reportConcern(input: { ticketId: $ticketId, note: $note }) { id } }',
      'NOT_FOUND',
      async () => ({ who: 'ana', variables: { ticketId: await ticketId(demoTickets.household.reference)(), note: reason } }),
    ],
    [
      'recordClaim',
      'on a ticket of another team',
      'mutation ($ticketId: ID!) { recordClaim(input: { ticketId: $ticketId, cardLast4: "4242", idempotencyKey: "claim-key-1" }) { id } }',
      'NOT_FOUND',
      async () => ({ who: 'ana', variables: { ticketId: await ticketId(demoTickets.household.reference)() } }),
    ],
    [
      'resolveAlert',
      'that is not there',
      'mutation ($id: ID!) { resolveAlert(input: { id: $id, resolution: TRUE }) { id } }',
      'NOT_FOUND',
      async () => ({ who: 'ana', variables: { id: 'alr_absent' } }),
    ],
    [
      'askCustomer',
      'on a ticket of another team',
      'mutation ($ticketId: ID!) { askCustomer(ticketId: $ticketId, transactionId: "txn_absent") { id } }',
      'NOT_FOUND',
      async () => ({ who: 'ana', variables: { ticketId: await ticketId(demoTickets.household.reference)() } }),
    ],
    [
      'askCustomer',
      'without an assistance',
      'mutation ($ticketId: ID!) { askCustomer(ticketId: $ticketId, transactionId: "txn_absent") { id } }',
      'NO_ASSISTANCE',
      async () => ({ who: 'ana', variables: { ticketId: await ticketId(demoTickets.unassigned.reference)() } }),
    ],
    [
      'placeHold',
      'on a ticket of another team',
      'mutation ($input: PlaceHoldInput!) { placeHold(input: $input) { id } }',
      'NOT_FOUND',
      async () => ({ who: 'ana', variables: { input: await holdInput(demoTickets.household.reference) } }),
    ],
    [
      'placeHold',
      'on a ticket that one doesn’t assist on',
      'mutation ($input: PlaceHoldInput!) { placeHold(input: $input) { id } }',
      'NO_ASSISTANCE',
      async () => ({ who: 'ana', variables: { input: await holdInput(demoTickets.selfMade.reference) } }),
    ],
    [
      'approveHold',
      'that is not there',
      'mutation ($id: ID!) { approveHold(id: $id) { id } }',
      'NOT_FOUND',
      async () => ({ who: 'sam', variables: { id: 'hld_absent' } }),
    ],
    [
      'releaseHold',
      'that is not there',
      'mutation ($id: ID!) { releaseHold(id: $id, reason: "It was a false alarm") { id } }',
      'NOT_FOUND',
      async () => ({ who: 'ana', variables: { id: 'hld_absent' } }),
    ],
    [
      'extendHold',
      'that is not there',
      'mutation ($id: ID!) { extendHold(id: $id, until: "2026-09-02T00:00:00Z", reason: "It takes longer") { id } }',
      'NOT_FOUND',
      async () => ({ who: 'sam', variables: { id: 'hld_absent' } }),
    ],
    [
      'replayWebhooks',
      'without a role that runs the gateway',
      'mutation ($name: String!) { replayWebhooks(input: { endpoint: $name, from: "2026-09-01T00:00:00Z" }) }',
      'ROLE',
      async () => ({ who: 'ana', variables: { name: 'pipeline' } }),
    ],
    [
      'releaseBrake',
      'that is not there',
      'mutation ($id: ID!) { releaseBrake(id: $id, reason: "It was a false alarm") { id } }',
      'NOT_FOUND',
      async () => ({ who: 'ada', variables: { id: 'brk_absent' } }),
    ],
    [
      'eraseActorName',
      'of nobody',
      'mutation ($id: ID!) { eraseActorName(id: $id) { id } }',
      'NOT_FOUND',
      async () => ({ who: 'pru', variables: { id: 'act_absent' } }),
    ],
    [
      'paymentDecision',
      'by a person',
      askDecision,
      'ROLE',
      async () => ({ who: 'ana', variables: { input: new Pipeline(test).input({ customer: 'cus_demo_000001' }) } }),
    ],
    [
      'recordStepUp',
      'of a demand that another service was told of',
      recordStepUp,
      'NOT_FOUND',
      async () => {
        const token = await issuer.token('shop', { roles: ['SERVICE'], teams: [] }, test.clock.now());
        const others = new Pipeline(test, { token });
        const [payer] = await others.payers(1);
        await others.open(payer?.customerId ?? '');
        const { demandId } = await others.decide({ customer: payer?.reference });
        return { who: 'pip', variables: { input: { demandId, reference: 'ch_demo_000001_001' } } };
      },
    ],
    [
      'ticket',
      'of another team',
      'query ($id: ID!) { ticket(id: $id) { subject customer { displayName } } }',
      'NOT_FOUND',
      async () => ({ who: 'ana', variables: { id: await ticketId(demoTickets.household.reference)() } }),
    ],
    [
      'ticketByReference',
      'without a role that works with tickets',
      '{ ticketByReference(source: "demo", reference: "1001") { id } }',
      'ROLE',
      async () => ({ who: 'pia', variables: {} }),
    ],
    [
      'customer',
      'whom no assistance covers, by somebody who assists another',
      'query ($id: ID!) { customer(id: $id) { displayName paymentMethods { last4 } } }',
      'NOT_FOUND',
      async () => {
        await updates.assist(await ticketId(demoTickets.own.reference)());
        const [{ id }] = (await test.app.database.query('SELECT customer_id AS id FROM helpdesk_ticket WHERE reference = ?', [
          demoTickets.household.reference,
        ])) as [{ id: string }];
        return { who: 'ana', variables: { id } };
      },
    ],
    [
      'transaction',
      'of a customer whom no assistance covers, by somebody who assists another',
      'query ($id: ID!) { transaction(id: $id) { status } }',
      'NOT_FOUND',
      async () => {
        await updates.assist(await ticketId(demoTickets.own.reference)());
        const [{ id }] = (await test.app.database.query(
          `SELECT x.id FROM payment_transaction x JOIN helpdesk_customer c ON c.payment_customer_id = x.payment_customer_id
           WHERE NOT EXISTS (SELECT 1 FROM assistance a WHERE a.customer_id = c.id) LIMIT 1`,
        )) as [{ id: string }];
        return { who: 'ana', variables: { id } };
      },
    ],
    [
      'credentialUpdate',
      'of another team',
      'query ($id: ID!) { credentialUpdate(id: $id) { state ticket { subject } paymentMethod { last4 } } }',
      'NOT_FOUND',
      async () => ({ who: 'ben', variables: await confirmed() }),
    ],
  ];

  it.each(denied)('%s %s', async (_field, _why, query, code, attempt) => {
    const { who, mfa = true, variables } = await attempt();
    forget();
    const token = await test.token(who, { mfa });
    const asked = await askedDuring(async () => {
      const { errors } = told(await test.as({ token }, query, variables));
      expect(errors).toEqual([expect.arrayContaining([code])]);
    });
    expect(asked).toEqual([]);
  });

  it('ticketByReference of what a person asked for a moment ago in vain, under whichever of their subjects', async () => {
    const others = `{ ticketByReference(source: "demo", reference: "${demoTickets.household.reference}") { id } }`;
    const ana = async (subject: string) => ({
      token: await issuer.token('ana', { roles: ['AGENT'], teams: ['cards'], subject }, test.clock.now()),
    });
    const other = async () => ({
      token: await issuer.token('chloe', { roles: ['AGENT'], teams: ['cards'] }, test.clock.now()),
    });
    const askedBy = (who: { readonly token: string }) =>
      askedDuring(async () => expect(told(await test.as(who, others)).errors).toEqual([['ticketByReference', 'NOT_FOUND']]));
    expect(await askedBy(await ana('ana-one'))).toEqual(['fetchTicket']);
    expect(await askedBy(await ana('ana-two'))).toEqual([]);
    expect(await askedBy(await other())).toEqual(['fetchTicket']);
    expect(await askedBy(await ana('ana-three'))).toEqual([]);
  });

  it('has a case above for each mutation', () => {
    const mutations = Object.keys(test.app.schema.getMutationType()?.getFields() ?? {});
    expect(mutations.filter((name) => !denied.some(([field]) => field === name))).toEqual([]);
  });
});
