import { policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import { approveUpdate, type Case, cancelUpdate, Updates } from '../support/credentials';
import { OtherIssuer } from '../support/other-issuer';

const list = `query List($filter: CredentialUpdateFilter, $first: Int, $after: String) {
  credentialUpdates(filter: $filter, first: $first, after: $after) { totalCount nodes { id state kind } pageInfo { hasNextPage endCursor } }
}`;

let test: TestApp;
let issuer: OtherIssuer;
let updates: Updates;
/** One after the other: waiting for the customer, called off, waiting for a supervisor, applied. */
const made: { of: Case; id: string; state: string; kind: string }[] = [];
beforeAll(async () => {
  issuer = await OtherIssuer.open();
  test = await TestApp.start({
    config: { issuers: [issuer.configuration] },
    policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 50']),
  });
  updates = new Updates(test);
  const first = await updates.next({ subscribed: false });
  const second = await updates.next({ subscribed: false });
  const ask = async (of: Case, kind: 'BILLING_ADDRESS' | 'REMOVE') => {
    test.clock.forward(1_000);
    return updates.asked(of, of.usual, kind);
  };
  const off = await ask(first, 'BILLING_ADDRESS');
  await test.as('ana', cancelUpdate, { id: off.id });
  made.push({ of: first, id: off.id, state: 'CANCELLED', kind: 'BILLING_ADDRESS' });
  const done = await ask(first, 'BILLING_ADDRESS');
  await updates.confirm(done.token);
  await updates.drain();
  made.push({ of: first, id: done.id, state: 'APPLIED', kind: 'BILLING_ADDRESS' });
  const open = await ask(first, 'BILLING_ADDRESS');
  made.push({ of: first, id: open.id, state: 'AWAITING_CUSTOMER', kind: 'BILLING_ADDRESS' });
  const waiting = await ask(second, 'REMOVE');
  await updates.confirm(waiting.token);
  made.push({ of: second, id: waiting.id, state: 'AWAITING_APPROVAL', kind: 'REMOVE' });
});
afterAll(() => test.stop());

const newestFirst = () => [...made].reverse().map(({ id, state, kind }) => ({ id, state, kind }));
const page = (nodes: unknown[], totalCount = nodes.length) => ({
  data: {
    credentialUpdates: {
      totalCount,
      nodes,
      pageInfo: { hasNextPage: false, endCursor: nodes.length ? expect.any(String) : null },
    },
  },
  errors: [],
});
const supervisor = async (user: string, teams: readonly string[]) => ({
  token: await issuer.token(user, { roles: ['AGENT', 'SUPERVISOR'], teams }, test.clock.now()),
});

describe('the list of updates', () => {
  it('is newest first, and of nobody else’s work: what an agent asked for, and tickets within their scope', async () => {
    expect(told(await test.as('ana', list))).toEqual(page(newestFirst()));
    expect(told(await test.as('sam', list))).toEqual(page(newestFirst()));
    expect(told(await test.as('ben', list))).toEqual(page([]));
    expect(told(await test.as(await supervisor('rosa', ['disputes']), list))).toEqual(page([]));
    for (const { id } of made) {
      const answer = await test.as('ben', 'query ($id: ID!) { credentialUpdate(id: $id) { id } }', { id });
      expect(answer).toEqual(await test.as('ben', 'query ($id: ID!) { credentialUpdate(id: $id) { id } }', { id: 'cru_absent' }));
      expect(told(answer)).toEqual({ data: { credentialUpdate: null }, errors: [['credentialUpdate', 'NOT_FOUND']] });
    }
  });

  it('is read from its other end, page by page, and a cursor leads on in its own direction alone', async () => {
    const other = `query Oldest($first: Int, $after: String, $oldestFirst: Boolean) {
      credentialUpdates(first: $first, after: $after, oldestFirst: $oldestFirst) { nodes { id } pageInfo { hasNextPage endCursor } }
    }`;
    const oldest = [...newestFirst()].reverse().map(({ id }) => ({ id }));
    const first = (await test.as('ana', other, { first: 3, oldestFirst: true })).data.credentialUpdates;
    expect([first.nodes, first.pageInfo.hasNextPage]).toEqual([oldest.slice(0, 3), true]);
    const { endCursor } = first.pageInfo;
    const rest = await test.as('ana', other, { first: 3, after: endCursor, oldestFirst: true });
    expect(rest.data.credentialUpdates.nodes).toEqual(oldest.slice(3));
    const turned = await test.as('ana', other, { first: 3, after: endCursor });
    expect(told(turned).errors).toEqual([['credentialUpdates', 'INVALID', 'after']]);
    const plain = await test.as('ana', other, { oldestFirst: null });
    expect(plain.data.credentialUpdates.nodes).toEqual([...oldest].reverse());
  });

  it.each<[string, () => Record<string, unknown>, (update: (typeof made)[number]) => boolean]>([
    ['by state', () => ({ state: ['APPLIED', 'CANCELLED'] }), ({ state }) => ['APPLIED', 'CANCELLED'].includes(state)],
    ['by no state', () => ({ state: [] }), () => false],
    ['by kind', () => ({ kind: ['REMOVE'] }), ({ kind }) => kind === 'REMOVE'],
    ['by ticket', () => ({ ticketId: made[0]?.of.ticketId }), ({ of }) => of === made[0]?.of],
    ['by a ticket that there isn’t', () => ({ ticketId: 'tkt_absent' }), () => false],
    ['by requester', () => ({ requestedByMe: true }), () => true],
    ['by what waits for the asker, who can’t decide', () => ({ awaitingMyDecision: true }), () => false],
    [
      'by all at once',
      () => ({ state: ['CANCELLED'], kind: ['BILLING_ADDRESS'], ticketId: made[0]?.of.ticketId, requestedByMe: true }),
      ({ state }) => state === 'CANCELLED',
    ],
  ])('is filtered %s, and counted right', async (_, filter, isMeant) => {
    const expected = newestFirst().filter(({ id }) => made.some((update) => update.id === id && isMeant(update)));
    expect(told(await test.as('ana', list, { filter: filter() }))).toEqual(page(expected));
  });

  it('goes on where it stopped, page by page, whatever the page’s size', async () => {
    for (const first of [1, 2, 3]) {
      const seen: unknown[] = [];
      let after: string | null = null;
      do {
        const answer = await test.as('ana', list, { first, after });
        expect(told(answer).errors).toEqual([]);
        const { nodes, totalCount, pageInfo } = answer.data.credentialUpdates;
        expect(totalCount).toBe(made.length);
        seen.push(...nodes);
        after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
      } while (after !== null);
      expect(seen).toEqual(newestFirst());
    }
  });

  it('takes a cursor only from whom it was given to, for what it was given, and unchanged', async () => {
    const { data } = await test.as('ana', list, { first: 1 });
    const after = data.credentialUpdates.pageInfo.endCursor;
    const refused = { data: null, errors: [['credentialUpdates', 'INVALID', 'after']] };
    expect(told(await test.as('sam', list, { first: 1, after }))).toEqual(refused);
    expect(told(await test.as('ana', list, { first: 1, after, filter: { kind: ['REMOVE'] } }))).toEqual(refused);
    expect(told(await test.as('ana', list, { first: 1, after: `${after[0] === 'x' ? 'y' : 'x'}${after.slice(1)}` }))).toEqual(
      refused,
    );
  });

  it('stands on the ticket too', async () => {
    const query = 'query ($id: ID!) { ticket(id: $id) { credentialUpdates { id state kind } } }';
    for (const of of new Set(made.map((update) => update.of))) {
      const expected = newestFirst().filter(({ id }) => made.some((update) => update.of === of && update.id === id));
      expect(told(await test.as('ana', query, { id: of.ticketId }))).toEqual({
        data: { ticket: { credentialUpdates: expected } },
        errors: [],
      });
    }
  });
});

describe('what somebody asked for', () => {
  const filter = { requestedByMe: true };
  const one = 'query ($id: ID!) { credentialUpdate(id: $id) { id } }';

  it('is theirs under their other subject too, on whatever ticket, and nobody else’s', async () => {
    const [update] = made;
    // A team that has none of these tickets: nothing but having asked leads there.
    const ana = { token: await issuer.token('ana', { roles: ['AGENT'], teams: ['disputes'] }, test.clock.now()) };
    const rosa = { token: await issuer.token('rosa', { roles: ['AGENT'], teams: ['disputes'] }, test.clock.now()) };
    expect(told(await test.as('ana', list, { filter }))).toEqual(page(newestFirst()));
    expect(told(await test.as(ana, list, { filter }))).toEqual(page(newestFirst()));
    expect(told(await test.as(rosa, list, { filter }))).toEqual(page([]));
    for (const { of } of made) test.helpdesk.reassign(of.reference, 'rosa', 'rosa');
    await test.app.sources.syncAll();
    expect(told(await test.as(ana, one, { id: update?.id })).errors).toEqual([]);
    expect(told(await test.as(ana, list))).toEqual(page(newestFirst()));
    for (const { of } of made) test.helpdesk.reassign(of.reference, 'ana');
    await test.app.sources.syncAll();
  });
});

describe('what waits for a decision', () => {
  const waiting = () => newestFirst().filter(({ state }) => state === 'AWAITING_APPROVAL');
  const filter = { awaitingMyDecision: true };
  const details = `query List { credentialUpdates(filter: { awaitingMyDecision: true }) { nodes { id before { last4 } reason } } }`;

  it('is listed for supervisors of the ticket’s team who didn’t ask for it, and for nobody else', async () => {
    expect(told(await test.as('sam', list, { filter }))).toEqual(page(waiting()));
    expect(told(await test.as(await supervisor('chloe', ['cards']), list, { filter }))).toEqual(page(waiting()));
    // Ana as a supervisor: the same person, another subject at the identity provider.
    expect(told(await test.as(await supervisor('ana', ['cards']), list, { filter }))).toEqual(page([]));
    expect(told(await test.as(await supervisor('rosa', ['disputes']), list, { filter }))).toEqual(page([]));
    // Nobody knows whether she is somebody else.
    expect(told(await test.as(await supervisor('nobody', ['cards']), list, { filter }))).toEqual(page([]));
    expect(told(await test.as('ben', list, { filter }))).toEqual(page([]));
  });

  it('is seen by who decides without an assistance, with its record, and no more than that', async () => {
    const [update] = made.filter(({ state }) => state === 'AWAITING_APPROVAL');
    const before = new Set((await test.events('disclosure')).map(({ id }) => id));
    const answer = told(await test.as('sam', details));
    expect(answer).toEqual({
      data: {
        credentialUpdates: { nodes: [{ id: update?.id, before: { last4: update?.of.usual.last4 }, reason: expect.any(String) }] },
      },
      errors: [],
    });
    const disclosures = (await test.events('disclosure')).filter(({ id }) => !before.has(id));
    expect(disclosures).toEqual([
      expect.objectContaining({
        customers: [expect.any(String)],
        detail: expect.objectContaining({ objects: { CredentialUpdate: [update?.id] } }),
      }),
    ]);
    // The customer, their methods and the ticket's messages stay closed.
    const more = `query ($id: ID!) {
      credentialUpdate(id: $id) { paymentMethod { last4 } }
      tickets(first: 100) { nodes { id customer { displayName } } }
    }`;
    const closed = await test.as('sam', more, { id: update?.id });
    expect(closed.data.credentialUpdate).toEqual({ paymentMethod: null });
    expect(closed.data.tickets.nodes.every(({ customer }: { customer: unknown }) => customer === null)).toBe(true);
    // Others see that it waits, and nothing of what is decided on.
    const { data } = await test.as(
      await supervisor('ana', ['cards']),
      'query ($id: ID!) { credentialUpdate(id: $id) { state before { last4 } reason } }',
      { id: update?.id },
    );
    expect(data.credentialUpdate).toEqual({ state: 'AWAITING_APPROVAL', before: null, reason: null });
  });

  it('is seen no more once it is decided', async () => {
    const [update] = made.filter(({ state }) => state === 'AWAITING_APPROVAL');
    expect(told(await test.as('sam', approveUpdate, { id: update?.id })).errors).toEqual([]);
    expect(told(await test.as('sam', list, { filter }))).toEqual(page([]));
    const query = 'query ($id: ID!) { credentialUpdate(id: $id) { state before { last4 } reason } }';
    expect(told(await test.as('sam', query, { id: update?.id }))).toEqual({
      data: { credentialUpdate: { state: 'APPLYING', before: null, reason: null } },
      errors: [
        ['credentialUpdate.before', 'DENIED', 'NO_ASSISTANCE'],
        ['credentialUpdate.reason', 'DENIED', 'NO_ASSISTANCE'],
      ],
    });
    await updates.drain();
  });
});
