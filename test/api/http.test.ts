import { getIntrospectionQuery } from 'graphql';
import { TestApp } from '../support/app';

const json = { 'content-type': 'application/json' };

/** One request as it stands, with Ana's token unless the headers say otherwise. */
const send = async (
  app: TestApp,
  {
    headers = {},
    payload,
    url = '/graphql',
    method = 'POST',
  }: {
    readonly headers?: Record<string, string>;
    readonly payload?: string | Buffer | undefined;
    readonly url?: string;
    readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS' | 'HEAD';
  },
) => {
  const response = await app.server.inject({
    method,
    url,
    headers: { authorization: `Bearer ${await app.token('ana')}`, ...headers },
    ...(payload === undefined ? {} : { payload }),
  });
  return { status: response.statusCode, body: response.body, headers: response.headers };
};

const ask = async (app: TestApp, request: object) => {
  const { status, body } = await send(app, { headers: json, payload: JSON.stringify(request) });
  const { data, errors } = JSON.parse(body) as {
    data?: unknown;
    errors?: { message: string; locations?: unknown; extensions: Record<string, unknown> }[];
  };
  return { status, data, errors, codes: errors?.map(({ extensions }) => extensions.code), body };
};

const viewer = JSON.stringify({ query: '{ viewer { id } }' });

/** What no answer may hold, whatever was sent. */
const expectNothingInside = (text: string): void => {
  expect(text).not.toMatch(/\bat .*:\d+:\d+|node_modules|\/src\/|SQLITE|ER_[A-Z]+|SELECT /);
};

describe('the graph over HTTP', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(() => app.stop());

  it('answers a POST of JSON', async () => {
    const { status, body, headers } = await send(app, { headers: json, payload: viewer });
    expect([status, JSON.parse(body).data.viewer.id]).toEqual([200, expect.stringMatching(/^act_/)]);
    expect(headers['cache-control']).toBe('no-store');
  });

  it.each([
    ['text/plain', { 'content-type': 'text/plain' }, 400],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['multipart', { 'content-type': 'multipart/form-data; boundary=x' }, 415],
    ['no content type', {}, 415],
    ['text/plain with the header of a preflight', { 'content-type': 'text/plain', 'apollo-require-preflight': '1' }, 400],
    ['JSON hidden in parameters', { 'content-type': 'text/plain; x=application/json' }, 400],
  ])('refuses what a page of anybody could send without a preflight: %s', async (_name, headers, status) => {
    const answer = await send(app, { headers: headers as Record<string, string>, payload: viewer });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body).data).toBeUndefined();
    expectNothingInside(answer.body);
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE'] as const)('refuses %s, with the query in the address or not', async (method) => {
    for (const headers of [{}, { 'apollo-require-preflight': '1' }]) {
      const { status, body } = await send(app, { method, headers, url: '/graphql?query=%7Bviewer%7Bid%7D%7D' });
      expect(status).toBe(404);
      expect(body).not.toContain('viewer');
    }
  });

  it('ignores a query in the address of a POST', async () => {
    const { status, body } = await send(app, {
      url: '/graphql?query=%7Bviewer%7Bid%7D%7D',
      headers: { 'apollo-require-preflight': '1' },
    });
    expect(status).toBe(400);
    expect(body).not.toContain('act_');
  });

  it('refuses several operations in one request', async () => {
    const { status, body } = await send(app, { headers: json, payload: `[${viewer},${viewer}]` });
    expect([status, JSON.parse(body)]).toEqual([
      400,
      { errors: [expect.objectContaining({ extensions: { code: 'BAD_REQUEST' } })] },
    ]);
  });

  it('takes an empty name of an operation for none', async () => {
    expect((await ask(app, { query: '{ viewer { id } }', operationName: '' })).status).toBe(200);
    const two = 'query A { viewer { id } } query B { viewer { id } }';
    expect((await ask(app, { query: two, operationName: '' })).errors?.map(({ message }) => message)).toEqual([
      'operationName: expected the name of one operation of the document',
    ]);
  });

  it('says that persisted queries are not supported in the word that clients go by', async () => {
    const sha256Hash = '6658c2b0ba635dda562a762806f57932a63a26fe92c52fef250a3fc0f132c7b6';
    const { errors } = await ask(app, { operationName: 'V', extensions: { persistedQuery: { version: 1, sha256Hash } } });
    expect(errors).toEqual([{ message: 'PersistedQueryNotSupported', extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED' } }]);
  });

  it.each([
    ' ',
    'a b',
    'localhost:',
    'localhost:99999',
    'localhost:80:80',
    'a/b',
    'user@localhost',
    '[::1',
    '::1',
    'a..b:x',
    'évil',
  ])('refuses a request that was sent to no host: %j', async (host) => {
    const { status, body } = await send(app, { headers: { ...json, host }, payload: viewer });
    expect([status, JSON.parse(body).errors[0].extensions]).toEqual([400, { code: 'INVALID', argument: 'host' }]);
  });

  it.each(['localhost', 'localhost:4000', '127.0.0.1:80', '[::1]:4000', 'gateway_1.internal', 'desk.example.com.'])(
    'takes the host %j',
    async (host) => {
      expect((await send(app, { headers: { ...json, host }, payload: viewer })).status).toBe(200);
    },
  );

  it('takes an explicit null where null may not stand for a mistake, the first time and the tenth', async () => {
    for (const query of [
      'query ($b: Boolean = true) { viewer @include(if: $b) { id } }',
      'query ($b: Boolean = true) { ...F } fragment F on Query { viewer { id @skip(if: $b) mfa } }',
    ])
      for (let time = 0; time < 4; time += 1) {
        expect(
          (await ask(app, { query, variables: { b: null } })).errors?.map(({ message, extensions }) => [message, extensions]),
        ).toEqual([['$b: expected Boolean!', { code: 'INVALID', argument: '$b' }]]);
        expect((await ask(app, { query, variables: {} })).errors).toBeUndefined();
        expect((await ask(app, { query, variables: { b: false } })).errors).toBeUndefined();
      }
  });

  it('tells one mistake of a document, however many it has', async () => {
    const { errors } = await ask(app, { query: '{ one two three viewer { four } }' });
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['GRAPHQL_VALIDATION_FAILED']);
  });

  it('refuses persisted queries', async () => {
    const extensions = { persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } };
    for (const request of [{ extensions }, { extensions, query: '{ viewer { id } }' }]) {
      const { data, codes } = await ask(app, request);
      expect([data, codes]).toEqual([undefined, ['PERSISTED_QUERY_NOT_SUPPORTED']]);
    }
  });

  it('has no subscriptions over POST', async () => {
    const { data, errors } = await ask(app, { query: 'subscription { ticketChanged { id } }' });
    expect([data ?? null, errors?.length]).toEqual([null, 1]);
  });

  it.each([
    ['an unknown operation', 'query A { viewer { id } } query B { viewer { id } }', 'C'],
    ['another name than that of its only one', 'query A { viewer { id } }', 'B'],
    ['a name where its only one has none', '{ viewer { id } }', 'B'],
    ['a blank name', '{ viewer { id } }', ' '],
    ['no choice among several', 'query A { viewer { id } } query B { viewer { id } }', undefined],
    ['two of one name', 'query A { viewer { id } } query A { viewer { id } }', 'A'],
    ['none at all', 'fragment F on Viewer { id }', undefined],
  ])('refuses a document with %s', async (_name, query, operationName) => {
    const { status, data, errors } = await ask(app, { query, operationName });
    expect(status).toBe(400);
    expect(data ?? null).toBeNull();
    expect(errors?.length).toBeGreaterThan(0);
  });

  it('runs the named one of several operations', async () => {
    const { data } = await ask(app, { query: 'query A { viewer { mfa } } query B { viewer { roles } }', operationName: 'B' });
    expect(data).toEqual({ viewer: { roles: ['AGENT'] } });
  });

  it('refuses bodies over 256 KiB with 413 and one word on it', async () => {
    const { status, body } = await send(app, {
      headers: json,
      payload: JSON.stringify({ query: '{ viewer { id } }', variables: { pad: 'secret'.repeat(50_000) } }),
    });
    expect(status).toBe(413);
    expect(JSON.parse(body)).toEqual({
      errors: [{ message: 'body: expected at most 256 KiB', extensions: { code: 'INVALID', argument: 'body' } }],
    });
  });

  it.each([
    ['cut off', '{"query":"{ viewer { id } }"'],
    ['empty', ''],
    ['null', 'null'],
    ['a text', '"{ viewer { id } }"'],
    ['a number', '5'],
    ['without a query', '{}'],
    ['with a query that is a list', '{"query":["{ viewer { id } }"]}'],
    ['with variables that are a text', '{"query":"{ viewer { id } }","variables":"{}"}'],
    ['with variables that are a list', '{"query":"{ viewer { id } }","variables":[]}'],
    ['with an operation name that is a number', '{"query":"{ viewer { id } }","operationName":5}'],
    ['with extensions that are a text', '{"query":"{ viewer { id } }","extensions":"x"}'],
    ['with __proto__', '{"query":"{ viewer { id } }","variables":{"__proto__":{"polluted":true}}}'],
    ['with __proto__ in hiding', '{"query":"{ viewer { id } }","variables":{"\\u005f_proto__":{"polluted":true}}}'],
    ['with constructor.prototype', '{"query":"{ viewer { id } }","variables":{"constructor":{"prototype":{"polluted":true}}}}'],
    ['a thousand brackets', '['.repeat(1_000)],
  ])('refuses a body that is %s', async (_name, payload) => {
    const { status, body } = await send(app, { headers: json, payload });
    expect(status).toBe(400);
    const { data, errors } = JSON.parse(body);
    expect([data, errors.length]).toEqual([undefined, 1]);
    expect(['INVALID', 'BAD_REQUEST']).toContain(errors[0].extensions.code);
    expectNothingInside(body);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('refuses a body whose length is not what was announced', async () => {
    const { status, body } = await send(app, { headers: { ...json, 'content-length': '3' }, payload: viewer });
    expect(status).toBe(400);
    expectNothingInside(body);
  });

  it('survives bytes that are no UTF-8', async () => {
    const payload = Buffer.concat([
      Buffer.from('{"query":"{ viewer { id } } #'),
      Buffer.from([0xc3, 0x28, 0xff, 0xfe]),
      Buffer.from('"}'),
    ]);
    expect((await send(app, { headers: json, payload })).status).toBeLessThan(500);
  });

  it('survives JSON a hundred thousand levels deep', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const unused = await send(app, { headers: json, payload: `{"query":"{ viewer { id } }","variables":{"a":${deep}}}` });
    expect(unused.status).toBeLessThan(500);
    const used = await send(app, {
      headers: json,
      payload: `{"query":"query($a: Int) { tickets(first: $a) { totalCount } }","variables":{"a":${deep}}}`,
    });
    expect(JSON.parse(used.body).errors[0].extensions).toEqual({ code: 'INVALID', argument: '$a' });
  });

  it('takes names of the prototype for names like any other', async () => {
    const query =
      'query($toString: Int, $constructor: Int) { tickets(first: $toString) { totalCount } viewer { constructor: mfa toString: mfa } other: tickets(first: $constructor) { totalCount } }';
    // The third time compiled code answers.
    for (let time = 0; time < 3; time += 1) {
      const { data, errors } = await ask(app, { query });
      expect(errors).toBeUndefined();
      expect(data).toMatchObject({ viewer: { constructor: true, toString: true } });
    }
    const { codes } = await ask(app, { query: '{ viewer { __proto__: id } }' });
    expect(codes).toEqual(['INVALID']);
  });

  it.each([
    '/graphql%zz?secret=1',
    '/webhooks/%E0%A4%A?secret=1',
    `/webhooks/${'secret'.repeat(100)}`,
    '//secret',
    '/%2e%2e/secret',
  ])('answers an address it cannot read without repeating it: %s', async (url) => {
    const { status, body } = await send(app, { url, method: 'POST', headers: json, payload: viewer });
    expect([400, 404, 414]).toContain(status);
    expect(JSON.parse(body).errors).toHaveLength(1);
    expect(body).not.toMatch(/secret/);
    expect(app.logLines.join('')).not.toContain('secret');
  });

  it('has headers that allow a browser nothing', async () => {
    const { headers } = await send(app, { headers: json, payload: viewer });
    expect(headers).toMatchObject({
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': expect.any(String),
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers.server).toBeUndefined();
  });

  it('lets no other origin read or send, unless named', async () => {
    const origin = 'https://desk.example.com';
    const preflight = await send(app, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    const answer = await send(app, { headers: { ...json, origin }, payload: viewer });
    for (const { headers } of [preflight, answer]) expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  it('answers introspection in development, for the explorer', async () => {
    for (let time = 0; time < 3; time += 1) {
      const { data, errors } = await ask(app, { query: getIntrospectionQuery() });
      expect(errors).toBeUndefined();
      expect(data).toMatchObject({ __schema: { queryType: { name: 'Query' } } });
    }
  });
});

describe('how much one operation may ask for', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(() => app.stop());

  const messageOf = async (query: string, variables: object = {}) => {
    const { errors, status } = await ask(app, { query, variables });
    expect(status).toBeLessThan(500);
    return errors?.[0]?.message ?? 'answered';
  };

  it('is 2,000 tokens', async () => {
    const document = (fields: number) =>
      `{ viewer { ${Array.from({ length: fields }, (_, at) => (at % 2 ? 'id' : 'mfa')).join(' ')} } }`;
    expect(await messageOf(document(200))).toBe('answered');
    expect(await messageOf(document(2_001))).toBe('The document is not GraphQL, or too long.');
  });

  it('is fifty aliases, also where a fragment repeats them', async () => {
    const aliases = (count: number) => Array.from({ length: count }, (_, at) => `a${at}: mfa`).join(' ');
    expect(await messageOf(`{ viewer { ${aliases(50)} } }`)).toBe('answered');
    expect(await messageOf(`{ viewer { ${aliases(51)} } }`)).toMatch(/aliases/);
    expect(await messageOf(`{ a: viewer { ...F } b: viewer { ...F } } fragment F on Viewer { ${aliases(25)} }`)).toMatch(
      /aliases/,
    );
  });

  const pages = (first: string) => `{ tickets(${first}) { nodes { messages(${first}) { nodes { id channel createdAt } } } } }`;

  it.each([
    ['literal', pages('first: 100'), {}],
    ['a variable', `query($n: Int) ${pages('first: $n')}`, { n: 100 }],
    ['the default of a variable', `query($n: Int = 100) ${pages('first: $n')}`, {}],
    [
      'the default of a variable under the name of an inherited one',
      `query($valueOf: Int = 100) ${pages('first: $valueOf')}`,
      {},
    ],
    ['absurd', `{ tickets(first: 2147483647) { totalCount nodes { id } } }`, {}],
    ['absurd in floating point', `query($n: Int) { tickets(first: $n) { totalCount nodes { id } } }`, { n: 1e300 }],
  ])('counts pages of pages by their first: %s', async (_name, query, variables) => {
    expect(await messageOf(query, variables)).toMatch(/\(cost\)/);
  });

  const desk = `{ tickets(first: 50) { totalCount pageInfo { hasNextPage endCursor } nodes {
    id reference subject status channel createdAt updatedAt assistance { state expiresAt }
    customer {
      id displayName email phone link region
      paymentMethods { id kind brand last4 expiryMonth expiryYear status isDefault }
      transactions(first: 10) { totalCount nodes { id reference amount { minorUnits currency } status declineCode createdAt } }
    }
  } } }`;

  it.each([
    ['small pages', `query($n: Int = 100) ${pages('first: $n')}`, { n: 2 }],
    ['their own default', '{ tickets { nodes { messages { nodes { id } } } } }', {}],
    ['null, which is the default', '{ tickets(first: null) { totalCount } }', {}],
    ['a desk’s screen: fifty tickets with their customers, methods and payments', desk, {}],
  ])('lets %s through', async (_name, query, variables) => {
    expect(await messageOf(query, variables)).not.toMatch(/\(cost\)/);
  });

  it('is found without walking fragments that double a hundred times', async () => {
    const doubling = Array.from({ length: 100 }, (_, at) => `fragment F${at} on Viewer { ...F${at + 1} ...F${at + 1} }`).join(
      ' ',
    );
    expect(await messageOf(`{ viewer { ...F0 } } ${doubling} fragment F100 on Viewer { id }`)).toMatch(/\(cost\)/);
    expect(await messageOf('{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }')).not.toBe(
      'answered',
    );
  });
});

describe('the graph over HTTP in production', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start({ config: { production: true, corsOrigins: ['https://desk.example.com'] } });
  });
  afterAll(() => app.stop());

  it.each([
    ['a field that is nearly one', '{ viewer { idd } }'],
    ['an argument that is nearly one', '{ tickets(frist: 1) { totalCount } }'],
    ['a type that is nearly one', '{ viewer { ... on Viewr { id } } }'],
    ['an enum value', '{ tickets(orderBy: UPDATED) { totalCount } }'],
    ['an input field', '{ tickets(filter: { statuss: OPEN }) { totalCount } }'],
    ['a value of another type', '{ tickets(filter: "canary") { totalCount } }'],
    ['a variable of a type that does not exist', 'query($f: TicketFilterInput) { tickets(filter: $f) { totalCount } }'],
    ['a variable in the wrong place', 'query($f: Int) { tickets(after: $f) { totalCount } }'],
    ['a leaf with fields', '{ viewer { id { x } } }'],
    ['an object without', '{ viewer }'],
    ['a directive', '{ viewer @canary { id } }'],
    ['a fragment that is not there', '{ viewer { ...Canary } }'],
    ['mutations that are nearly one', 'mutation { beginAssistanse { id } }'],
  ])('says the same of everything that does not fit: %s', async (_name, query) => {
    const { status, body } = await ask(app, { query });
    expect(status).toBe(400);
    const { data, errors } = JSON.parse(body);
    expect(data).toBeUndefined();
    for (const error of errors)
      expect(error).toEqual({
        message: 'The document does not fit this graph.',
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      });
  });

  it.each([
    ['__schema', '{ __schema { types { name } } }'],
    ['__type', '{ __type(name: "Customer") { fields { name } } }'],
    ['an alias', '{ viewer: __schema { queryType { name } } }'],
    ['a fragment', '{ ...F } fragment F on Query { __schema { types { name } } }'],
    [
      'a fragment in a fragment',
      '{ ...F } fragment F on Query { ... { ...G } } fragment G on Query { __type(name: "Customer") { name } }',
    ],
    ['a directive', '{ viewer { id } __schema @include(if: true) { types { name } } }'],
    ['a mutation', 'mutation { __schema { types { name } } }'],
    ['the whole query of the tools', getIntrospectionQuery()],
  ])('tells nothing about the graph through %s', async (_name, query) => {
    const { status, body } = await ask(app, { query });
    expect(status).toBe(400);
    expect(body).not.toMatch(/Customer|Query|Did you mean|introspection/i);
  });

  it('repeats nothing of a document that is no GraphQL', async () => {
    const { status, body } = await ask(app, { query: '{ viewer { canary(' });
    expect(status).toBe(400);
    expect(JSON.parse(body)).toEqual({
      errors: [{ message: 'The document is not GraphQL, or too long.', extensions: { code: 'GRAPHQL_PARSE_FAILED' } }],
    });
  });

  it('names a variable that is wrong and repeats none of it', async () => {
    const query = 'query($n: Int, $f: TicketFilter) { tickets(first: $n, filter: $f) { totalCount } }';
    for (const [variables, argument] of [
      [{ n: 'canary' }, '$n'],
      [{ f: { team: { canary: 1 } } }, '$f'],
      [{ f: { canary: 1 } }, '$f'],
      [{ f: ['canary'] }, '$f'],
    ] as const) {
      const { errors, body } = await ask(app, { query, variables });
      expect(errors?.map(({ extensions }) => extensions)).toEqual([{ code: 'INVALID', argument }]);
      expect(body).not.toMatch(/canary|Did you mean/);
    }
  });

  it('lets the named origins send and read, and no other', async () => {
    const allowed = async (origin: string) =>
      (await send(app, { headers: { ...json, origin }, payload: viewer })).headers['access-control-allow-origin'];
    expect(await allowed('https://desk.example.com')).toBe('https://desk.example.com');
    for (const origin of [
      'https://desk.example.com.evil.example',
      'https://evil.example/https://desk.example.com',
      'http://desk.example.com',
      'https://DESK.example.com.',
      'https://desk.example.com:444',
      'null',
    ])
      expect(await allowed(origin)).toBeUndefined();
    const preflight = await send(app, {
      method: 'OPTIONS',
      headers: { origin: 'https://desk.example.com', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-methods']).toBe('POST');
    expect(preflight.headers['access-control-allow-credentials']).toBeUndefined();
    // A page may read how long it is to wait.
    const answer = await send(app, { headers: { ...json, origin: 'https://desk.example.com' }, payload: viewer });
    expect(answer.headers['access-control-expose-headers']).toBe('retry-after, www-authenticate, dpop-nonce');
  });

  it('allows the named origins what clients of the graph and tracing send', async () => {
    const asked =
      'apollographql-client-name,apollographql-client-version,authorization,baggage,content-type,sentry-trace,traceparent,tracestate,b3,x-datadog-trace-id';
    const { headers } = await send(app, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://desk.example.com',
        'access-control-request-method': 'POST',
        'access-control-request-headers': asked,
      },
    });
    const allowed = String(headers['access-control-allow-headers']).split(/, */);
    expect(asked.split(',').filter((name) => !allowed.includes(name))).toEqual([]);
    expect(allowed).not.toContain('*');
  });

  it('sends browsers back over TLS', async () => {
    expect((await send(app, { headers: json, payload: viewer })).headers['strict-transport-security']).toMatch(/max-age=\d+/);
  });

  it('has no explorer', async () => {
    for (const url of ['/', '/explorer']) expect((await send(app, { method: 'GET', url })).status).toBe(404);
  });
});
