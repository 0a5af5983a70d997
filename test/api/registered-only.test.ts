import { getIntrospectionQuery } from 'graphql';
import { DatabaseUnavailable } from '../../src/db/database-unavailable';
import { demoTickets } from '../../src/development/merchant/cast';
import { operationsMemory } from '../../src/features/operations/operations.service';
import { eventsOf } from '../support/answers';
import { type GraphQLAnswer, TestApp } from '../support/app';
import { OtherIssuer } from '../support/other-issuer';
import { recordOf } from '../support/recorder';
import { byApollo, operator, post, register, sha256 } from '../support/registered';

const viewer = 'query Viewer {\n  viewer { id roles }\n}';
const ticket = `query Ticket($reference: String!) { ticketByReference(source: "demo", reference: $reference) { subject customer { email } } }`;
const auditors = 'query Why { explainAccess(field: "Customer.email") { field } }';
const variables = { reference: demoTickets.own.reference };

const refusal = {
  status: 403,
  errors: [
    {
      message: 'Denied (UNREGISTERED).',
      extensions: {
        code: 'DENIED',
        reason: 'UNREGISTERED',
        rule: 'operations.registeredOnly',
        remedy: expect.stringContaining('counterfoil operations register'),
      },
    },
  ],
};
const notFound = [{ message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }];

describe('where every client is limited to registered operations', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await TestApp.start({ config: { operations: { registeredOnly: true } } });
  });
  afterAll(() => test.stop());

  it('nothing is answered while nothing is registered, and nobody is told to send texts', async () => {
    expect((await post(test, 'ana', byApollo(sha256(viewer)))).errors).toEqual(notFound);
    expect(await test.as('ana', viewer)).toEqual(refusal);
    await register(test, viewer, ticket, auditors);
    expect((await post(test, 'ana', byApollo(sha256(viewer)))).data.viewer.roles).toEqual(['AGENT']);
  });

  it('what is registered is answered for its hash and for its text, to the byte', async () => {
    const expected = await post(test, 'ana', byApollo(sha256(viewer)));
    expect(expected.errors).toBeUndefined();
    expect(await test.as('ana', viewer)).toEqual(expected);
    expect(await post(test, 'ana', byApollo(sha256(viewer), { query: viewer }))).toEqual(expected);
    expect(await post(test, 'ana', { documentId: sha256(viewer), query: viewer })).toEqual(expected);
  });

  it.each<[string, string]>([
    ['another operation', '{ viewer { teams } }'],
    ['one with a blank more', `${viewer} `],
    ['one with a line break less', viewer.replace('\n', ' ')],
    ['one with a comment', `# ${sha256(viewer)}\n${viewer}`],
    ['one under an alias', viewer.replace('id', 'x: id')],
    ['one of the name of a registered one', 'query Viewer { viewer { teams } }'],
    ['a registered one and another', `${viewer} query Other { viewer { teams } }`],
    ['the graph about itself', getIntrospectionQuery()],
    ['a type’s name', '{ __typename }'],
    ['a mutation', 'mutation { beginAssistance(input: { ticketId: "tkt_1", purpose: DECLINE, reason: "why" }) { id } }'],
    ['what is no GraphQL', '{ viewer {'],
    ['what isn’t in the graph', '{ passwords }'],
    ['too much of it', `{ viewer { ${'id '.repeat(3_000)} } }`],
  ])('a text that is not registered is refused, and nothing of it is said or run: %s', async (_, query) => {
    expect(await test.as('ana', query)).toEqual(refusal);
    // With a hash that is its own, as clients of automatic persisted queries send it, it is neither answered nor registered.
    for (let time = 0; time < 2; time += 1) {
      expect(await post(test, 'ana', byApollo(sha256(query), { query }))).toEqual(refusal);
      expect((await post(test, 'ana', byApollo(sha256(query)))).errors).toEqual(notFound);
    }
    // With the hash of a registered one neither of the two wins.
    expect(await post(test, 'ana', byApollo(sha256(viewer), { query }))).toMatchObject({
      status: 400,
      errors: [{ extensions: { code: 'INVALID', argument: 'query' } }],
    });
  });

  it('a refusal is recorded as others are, the first at once and the rest counted', async () => {
    const flush = () => recordOf(test.app).denials.close();
    await flush();
    await post(test, 'ben', byApollo(sha256(viewer)));
    const events = await eventsOf(test, async () => {
      for (const query of ['{ a }', '{ b }', '{ c }']) await test.as('ben', query);
      await flush();
    });
    expect(new Set(events.map(({ action, outcome, detail }) => ({ action, outcome, detail })))).toEqual(
      new Set(
        [1, 2].map((count) => ({
          action: 'denial',
          outcome: 'DENIED',
          detail: { rule: 'operations.registeredOnly', reason: 'UNREGISTERED', count },
        })),
      ),
    );
  });

  it('no header lifts it, and none of the request’s form', async () => {
    const query = '{ viewer { teams } }';
    for (const headers of [
      { 'apollographql-client-name': 'development', 'graphql-client-name': 'development' },
      { 'x-apollo-operation-id': sha256(viewer), 'x-apollo-operation-name': 'Viewer' },
      { azp: 'development', client_id: 'development', 'x-forwarded-client': 'development' },
    ])
      expect(await post(test, 'ana', { query }, headers)).toEqual(refusal);
    for (const body of [
      { query, operationName: 'Viewer' },
      { query, client_id: 'development', azp: 'development' },
      { query, isRegistered: true },
      { query, extensions: { persistedQuery: null, isRegistered: true, clientId: 'development' } },
      { query, documentId: null },
    ])
      expect(await post(test, 'ana', body)).toMatchObject({ status: 403 });
    expect((await post(test, 'ana', [{ query: viewer }, { query }])).errors?.map(({ extensions }) => extensions.code)).toEqual([
      'BAD_REQUEST',
    ]);
  });

  it('whoever asks for what was registered for somebody else is answered by their own rights', async () => {
    expect((await post(test, 'ada', byApollo(sha256(auditors)))).errors).toBeUndefined();
    expect((await post(test, 'ana', byApollo(sha256(auditors)))).errors?.[0]?.extensions.code).toBe('DENIED');
    expect((await post(test, 'ana', byApollo(sha256(ticket), { variables }))).data.ticketByReference.subject).toEqual(
      expect.any(String),
    );
    const others = await post(test, 'ben', byApollo(sha256(ticket), { variables }));
    expect(others.data?.ticketByReference?.customer ?? null).toBeNull();
  });

  it('retiring takes effect within five seconds, for the hash and for the text', async () => {
    const former = 'query Former { viewer { mfa } }';
    await register(test, former);
    expect((await test.as('ana', former)).errors).toBeUndefined();
    await test.app.operations.retire(operator, [sha256(former)]);
    test.clock.forward(operationsMemory);
    expect(await test.as('ana', former)).toEqual(refusal);
    expect((await post(test, 'ana', { documentId: sha256(former) })).errors).toEqual(notFound);
  });

  it('a list that can’t be read lets nobody through', async () => {
    const { database } = test.app;
    const token = await test.token('ana');
    const { read } = database;
    database.read = async () => {
      throw new DatabaseUnavailable('NO_ANSWER', new Error('down'));
    };
    const response = await test.server
      .inject({
        method: 'POST',
        url: '/graphql',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        payload: JSON.stringify({ query: '{ viewer { teams mfa } }' }),
      })
      .finally(() => {
        database.read = read;
      });
    expect([response.statusCode, response.headers['retry-after']]).toEqual([503, expect.stringMatching(/^\d+$/)]);
    expect(response.json()).toMatchObject({ errors: [{ extensions: { code: 'RECORD_UNAVAILABLE' } }] });
  });
});

describe('where some clients are limited', () => {
  let test: TestApp;
  let other: OtherIssuer;
  beforeAll(async () => {
    other = await OtherIssuer.open();
    test = await TestApp.start({
      sync: false,
      config: { issuers: [other.configuration], operations: { registeredOnly: ['sidebar', 'mobile'] } },
    });
    await register(test, viewer);
  });
  afterAll(() => test.stop());

  const query = '{ viewer { teams } }';
  const asClient = async (claims: Record<string, unknown>): Promise<GraphQLAnswer> => {
    const token = await other.token('zoe', { roles: ['AGENT'], teams: [], claims }, test.clock.now());
    expect((await post(test, { token }, byApollo(sha256(viewer)))).errors).toBeUndefined();
    return post(test, { token }, { query });
  };

  it.each<[string, Record<string, unknown>]>([
    ['azp', { azp: 'sidebar' }],
    ['client_id', { client_id: 'mobile' }],
    ['both', { azp: 'sidebar', client_id: 'sidebar' }],
    ['neither', {}],
    ['two that differ, one of them limited', { azp: 'sidebar', client_id: 'console' }],
    ['two that differ, neither limited', { azp: 'console', client_id: 'cli' }],
    ['two that differ by case', { azp: 'console', client_id: 'Console' }],
    ['an empty one', { azp: '' }],
    ['null beside another', { azp: null, client_id: 'console' }],
    ['a list', { azp: ['console'] }],
    ['a list beside another', { azp: ['console'], client_id: 'console' }],
    ['a number', { client_id: 7 }],
    ['other claims of the same meaning', { cid: 'console', appid: 'console', clientId: 'console' }],
  ])('a token is limited by %s', async (_, claims) => {
    expect(await asClient(claims)).toMatchObject({ status: 403, errors: [{ extensions: { reason: 'UNREGISTERED' } }] });
  });

  it.each<[string, Record<string, unknown>]>([
    ['azp', { azp: 'console' }],
    ['client_id', { client_id: 'console' }],
    ['both', { azp: 'console', client_id: 'console' }],
    ['a name that only looks like a limited one', { azp: 'Sidebar' }],
  ])('a token isn’t limited by %s of another client', async (_, claims) => {
    expect((await asClient(claims)).data).toEqual({ viewer: { teams: [] } });
  });

  it('the demo people of development go on as before, with the graph about itself, and can be limited to try it', async () => {
    expect((await test.as('ana', getIntrospectionQuery())).data.__schema).toBeDefined();
    const limited = { token: (await test.app.development?.issuer.issue('ana', { clientId: 'sidebar' })) as string };
    expect(await test.as(limited, query)).toEqual(refusal);
  });
});

describe('where all clients but some are limited', () => {
  it('a client that nobody thought of is limited, and whoever names none', async () => {
    const other = await OtherIssuer.open();
    const test = await TestApp.start({
      sync: false,
      config: { issuers: [other.configuration], operations: { registeredOnly: { except: ['console'] } } },
    });
    const outcomes: unknown[] = [];
    for (const claims of [{ azp: 'console' }, { azp: 'new' }, {}, { azp: 'console', client_id: 'new' }, { azp: 'Console' }]) {
      const token = await other.token('zoe', { roles: ['AGENT'], teams: [], claims }, test.clock.now());
      outcomes.push(
        (await post(test, { token }, { query: '{ viewer { teams } }' })).errors?.[0]?.extensions.reason ?? 'answered',
      );
    }
    expect(outcomes).toEqual(['answered', 'UNREGISTERED', 'UNREGISTERED', 'UNREGISTERED', 'UNREGISTERED']);
    await test.stop();
  });
});

describe('where no client is limited', () => {
  it('a text is answered whatever the token says of its client, and looks nothing up', async () => {
    const other = await OtherIssuer.open();
    const test = await TestApp.start({ sync: false, config: { issuers: [other.configuration] } });
    await register(test, viewer);
    for (const claims of [{}, { azp: 'sidebar', client_id: 'console' }]) {
      const token = await other.token('zoe', { roles: ['AGENT'], teams: [], claims }, test.clock.now());
      expect((await post(test, { token }, { query: '{ viewer { teams } }' })).errors).toBeUndefined();
    }
    expect(test.statements.filter((sql) => sql.includes('registered_operation'))).toEqual([]);
    await test.stop();
  });
});
