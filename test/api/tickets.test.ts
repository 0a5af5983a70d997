import { demoTickets } from '../../src/development/merchant/cast';
import { countOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { OtherIssuer } from '../support/other-issuer';

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

const page = `query Page($first: Int, $after: String, $orderBy: TicketOrder, $filter: TicketFilter) {
  tickets(first: $first, after: $after, orderBy: $orderBy, filter: $filter) {
    totalCount nodes { id reference status channel team createdAt updatedAt } pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}`;

interface Listed {
  readonly id: string;
  readonly reference: string;
  readonly status: string;
  readonly channel: string;
  readonly team: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

describe('the list of tickets', () => {
  let app: TestApp;
  let issuer: OtherIssuer;
  beforeAll(async () => {
    issuer = await OtherIssuer.open();
    app = await TestApp.start({ config: { issuers: [issuer.configuration] } });
  });
  afterAll(() => app.stop());

  const walk = async (who: string, variables: Record<string, unknown>): Promise<{ seen: Listed[]; totalCount: number }> => {
    const seen: Listed[] = [];
    for (let after: string | null = null, pages = 0; pages < 300; pages += 1) {
      const { data, errors } = told(await app.as(who, page, { ...variables, after }));
      expect(errors).toEqual([]);
      expect(data.tickets.pageInfo.hasPreviousPage).toBe(after !== null);
      seen.push(...data.tickets.nodes);
      if (!data.tickets.pageInfo.hasNextPage) return { seen, totalCount: data.tickets.totalCount };
      after = data.tickets.pageInfo.endCursor;
    }
    throw new Error('the pages never end');
  };
  const stored = (condition: string, ...parameters: unknown[]) => countOf(app, 'helpdesk_ticket', condition, ...parameters);

  it.each([
    ['UPDATED_AT', 'updatedAt', 13],
    ['CREATED_AT', 'createdAt', 13],
    ['UPDATED_AT', 'updatedAt', 100],
    ['CREATED_AT', 'createdAt', 100],
  ] as const)('by %s, paged, is everything within the scope: none twice, none left out', async (orderBy, field, first) => {
    const { seen, totalCount } = await walk('ana', { orderBy, first });
    const within = await app.app.database.query<{ id: string }>(
      "SELECT t.id FROM helpdesk_ticket t LEFT JOIN helpdesk_staff s ON s.id = t.assignee_id WHERE t.team = 'cards' OR s.reference = 'ana'",
    );
    expect(seen.map(({ id }) => id).sort()).toEqual(within.map(({ id }) => id).sort());
    expect(totalCount).toBe(seen.length);
    expect(seen.length).toBeGreaterThan(50);
    const sorted = [...seen].sort((a, b) => Date.parse(b[field]) - Date.parse(a[field]) || (a.id < b.id ? 1 : -1));
    expect(seen.map(({ id }) => id)).toEqual(sorted.map(({ id }) => id));
  });

  it('is each person’s own: nobody’s for roles that work with none', async () => {
    const of = async (who: string) => (await walk(who, { first: 100 })).seen;
    const [ana, ben, sam] = [await of('ana'), await of('ben'), await of('sam')];
    expect(new Set(ben.map(({ team }) => team))).toEqual(new Set(['wallets']));
    expect(sam.length).toBe(await stored("team IN ('cards', 'wallets')"));
    expect(ana.filter(({ id }) => ben.some((other) => other.id === id))).toEqual([]);
    for (const who of ['pia', 'ada', 'pru', 'pip', 'oz']) {
      const { data, errors } = told(await app.as(who, page));
      expect([who, data ?? null, errors.map((each) => each.slice(1))]).toEqual([who, null, [['DENIED', 'ROLE']]]);
    }
  });

  it.each<[string, Record<string, unknown>, (ticket: Listed) => boolean]>([
    ['status', { status: ['OPEN', 'NEW'] }, ({ status }) => status === 'OPEN' || status === 'NEW'],
    ['no status at all', { status: [] }, () => false],
    ['channel', { channel: ['CHAT'] }, ({ channel }) => channel === 'CHAT'],
    ['team', { team: 'cards' }, ({ team }) => team === 'cards'],
    ['another team', { team: 'wallets' }, () => false],
    ['source', { source: 'demo' }, () => true],
    [
      'time',
      { updatedFrom: '2026-08-20T00:00:00.000Z', updatedBefore: '2026-08-28T00:00:00.000Z' },
      ({ updatedAt }) => updatedAt >= '2026-08-20' && updatedAt < '2026-08-28',
    ],
  ])('filtered by %s is that part of it, counted as such', async (_, filter, isWanted) => {
    const all = (await walk('ana', { first: 100 })).seen;
    const { seen, totalCount } = await walk('ana', { first: 9, filter });
    expect(seen.map(({ id }) => id)).toEqual(all.filter(isWanted).map(({ id }) => id));
    expect(totalCount).toBe(seen.length);
  });

  it('refuses cursors of another order, filter or person, and pages that are none', async () => {
    const cursorOf = async (who: string, variables: Record<string, unknown>) =>
      (await app.as(who, page, { first: 2, ...variables })).data.tickets.pageInfo.endCursor as string;
    const cursors = [
      await cursorOf('sam', {}),
      await cursorOf('ana', { orderBy: 'CREATED_AT' }),
      await cursorOf('ana', { filter: { status: ['OPEN'] } }),
      'nonsense',
      '',
    ];
    for (const after of cursors) {
      const { errors } = told(await app.as('ana', page, { first: 2, after, orderBy: 'UPDATED_AT' }));
      expect(errors).toEqual([['tickets', 'INVALID', 'after']]);
    }
    for (const first of [0, -1, 101]) {
      const { errors } = told(await app.as('ana', page, { first }));
      expect(errors.map(([, code]) => code)).toEqual(['INVALID']);
    }
  });

  it('and its tickets are NOT_FOUND by id in the same words, out of scope, absent or malformed', async () => {
    const byId = 'query ($id: ID!) { ticket(id: $id) { reference subject } }';
    const absent = await app.as('ana', byId, { id: 'tkt_01ARZ3NDEKTSV4RRFFQ69G5FAV' });
    expect(told(absent)).toEqual({ data: { ticket: null }, errors: [['ticket', 'NOT_FOUND']] });
    const [other] = await app.app.database.query<{ id: string }>("SELECT id FROM helpdesk_ticket WHERE team = 'wallets' LIMIT 1");
    for (const id of [other?.id, '', ' ', '%', "'", 'x'.repeat(5_000)])
      expect([id, await app.as('ana', byId, { id })]).toEqual([id, absent]);
    const nowhere = told(await app.as('ana', '{ ticketByReference(source: "elsewhere", reference: "1001") { id } }'));
    expect(nowhere).toEqual({ data: { ticketByReference: null }, errors: [['ticketByReference', 'INVALID', 'source']] });
    for (const reference of ['', 'x'.repeat(129)]) {
      const answer = told(
        await app.as('ana', 'query ($r: String!) { ticketByReference(source: "demo", reference: $r) { id } }', { r: reference }),
      );
      expect(answer.errors).toEqual([['ticketByReference', 'INVALID', 'reference']]);
    }
  });

  it('asks the helpdesk for at most sixty unknown numbers a minute of one person', async () => {
    const ask = async (reference: string, who: Parameters<TestApp['as']>[0] = 'ben') =>
      told(
        await app.as(who, 'query ($r: String!) { ticketByReference(source: "demo", reference: $r) { id } }', { r: reference }),
      ).errors.map(([, code]) => code);
    // Side by side, because what isn't found is answered a tenth of a second later.
    const first = await Promise.all(Array.from({ length: 60 }, (_, number) => ask(String(900_000 + number))));
    expect(first.flat()).toEqual(Array.from({ length: 60 }, () => 'NOT_FOUND'));
    expect([await ask('900060'), await ask('900061')]).toEqual([['RATE_LIMITED'], ['RATE_LIMITED']]);
    const otherSubject = await issuer.token('ben', { roles: ['AGENT'], teams: ['wallets'], subject: 'ben-two' }, app.clock.now());
    expect(await ask('900062', { token: otherSubject })).toEqual(['RATE_LIMITED']);
    expect(await ask('900001', 'ana')).toEqual(['NOT_FOUND']);
  });

  it('shows a conversation in pages, oldest first', async () => {
    const messages = `query ($first: Int, $after: String) {
      ticketByReference(source: "demo", reference: "1001") {
        messages(first: $first, after: $after) { totalCount nodes { id createdAt } pageInfo { hasNextPage endCursor } }
      }
    }`;
    const seen: { id: string; createdAt: string }[] = [];
    let after: string | null = null;
    do {
      const { data } = told(await app.as('ana', messages, { first: 3, after }));
      const { nodes, pageInfo, totalCount } = data.ticketByReference.messages;
      expect(totalCount).toBe(10);
      seen.push(...nodes);
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    } while (after !== null);
    expect([seen.length, new Set(seen.map(({ id }) => id)).size]).toEqual([10, 10]);
    expect(seen.map(({ createdAt }) => createdAt)).toEqual(seen.map(({ createdAt }) => createdAt).sort());
  });
});
