import { type AddressInfo, connect, type Socket } from 'node:net';
import { demoTickets } from '../../src/development/merchant/cast';
import { DemoHelpdesk } from '../../src/development/sources/demo-helpdesk';
import { usualDeadlines } from '../../src/http/connections';
import { createServer } from '../../src/http/server';
import { SourceUnavailable } from '../../src/upstream/source-unavailable';
import { TestApp } from '../support/app';

const context = `query Context($reference: String!) {
  ticketByReference(source: "demo", reference: $reference) {
    reference customer { displayName email phone paymentMethods { last4 billingAddress { line1 city } token } transactions { nodes { reference device { fingerprint } } } }
    messages { nodes { body } }
  }
}`;

const get = async (app: TestApp, url: string) => {
  const response = await app.server.inject({ method: 'GET', url });
  return { status: response.statusCode, body: response.body, headers: response.headers };
};

describe('an operator', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(() => app.stop());

  it('learns from /healthz that the process answers, without asking anything of anybody', async () => {
    const statements = app.statements.length;
    expect(await get(app, '/healthz')).toMatchObject({ status: 200, body: '{"status":"ok"}' });
    expect(app.statements.length).toBe(statements);
  });

  it('learns from /readyz how the database and each source are', async () => {
    const { status, body } = await get(app, '/readyz');
    expect([status, JSON.parse(body)]).toEqual([
      200,
      {
        status: 'ready',
        database: 'ok',
        sources: {
          demo: { side: 'helpdesk', kind: 'demo', state: 'ok', readUntil: expect.any(String) },
          'demo-pay': { side: 'payments', kind: 'demo', state: 'ok', readUntil: expect.any(String) },
        },
      },
    ]);
  });

  it('sees a source that fell behind, and the gateway stays ready', async () => {
    app.clock.forward(180_000);
    const { status, body } = await get(app, '/readyz');
    expect([status, JSON.parse(body).sources.demo.state]).toEqual([200, 'behind']);
  });

  it('sees a source that fails, and when it works again', async () => {
    const demo = app.helpdesk as DemoHelpdesk & { poll: DemoHelpdesk['poll'] };
    const healthy = demo.poll;
    demo.poll = () => {
      throw new SourceUnavailable('demo', 'timeout');
    };
    app.app.sources.start();
    const stateOf = async () => JSON.parse((await get(app, '/readyz')).body).sources.demo.state;
    await until(async () => (await stateOf()) === 'timeout');
    expect((await get(app, '/readyz')).status).toBe(200);
    demo.poll = healthy;
    await app.restart();
    await app.app.sources.syncAll();
    expect(await stateOf()).toBe('ok');
  });

  it('reads metrics in the format of Prometheus, counted by route patterns and codes', async () => {
    await app.as('ana', context, { reference: demoTickets.own.reference });
    await app.as('ana', context, { reference: demoTickets.selfMade.reference });
    await app.as('ana', 'query($id: ID!) { ticket(id: $id) { id } }', { id: 'tkt_canary' });
    await app.as({ token: 'canary' }, '{ viewer { id } }');
    await get(app, '/canary?canary=1');
    const { status, body, headers } = await get(app, '/metrics');
    expect([status, headers['content-type']]).toEqual([200, expect.stringMatching(/^text\/plain; version=0\.0\.4/)]);
    for (const line of body.split('\n').filter((each) => each !== '' && !each.startsWith('#')))
      expect(line).toMatch(/^[a-z_][a-z0-9_]*(\{([a-z_]+="[^"]*",?)+\})? (-?[0-9.e+-]+|NaN|\+Inf)$/);
    expect(body).toMatch(/counterfoil_graphql_errors_total\{code="DENIED"\} \d+\n/);
    expect(body).toMatch(/counterfoil_graphql_errors_total\{code="NOT_FOUND"\} 1\n/);
    expect(body).toMatch(/counterfoil_http_request_duration_seconds_count\{route="\/graphql",method="POST",status="401"\} 1\n/);
    expect(body).toMatch(/counterfoil_source_age_seconds\{source="demo"\} \d/);
    // A sum of seconds may have any digits; what tells is in names and labels.
    expect(body.replace(/ \S+$/gm, '')).not.toMatch(/canary|"(tkt|txn|act|cus|ast|req)_|1001|ana"/);
  });

  it('reads in the log who asked for what and how long it took, and nothing of what was asked or answered', async () => {
    app.logLines.length = 0;
    const { data } = await app.as('ana', context, { reference: demoTickets.own.reference });
    const token = await app.token('ana');
    await app.server.inject({
      method: 'POST',
      url: '/graphql?secret=canary',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'user-agent': 'canary',
        'x-request-id': 'canary',
      },
      payload: JSON.stringify({ query: 'query Canary { viewer { id } }', variables: { canary: 'canary' } }),
    });
    await app.as('ana', '{ canary }');
    await app.as('ana', '{ canary');
    await app.as({ token: 'canary' }, '{ viewer { id } }');
    await get(app, '/canary');
    const lines = app.logLines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toEqual({
      level: 30,
      time: expect.any(Number),
      requestId: expect.stringMatching(/^req_/),
      route: '/graphql',
      method: 'POST',
      status: 200,
      milliseconds: expect.any(Number),
      actor: expect.stringMatching(/^act_/),
      msg: 'request',
    });
    const log = app.logLines.join('');
    expect(log).not.toMatch(/canary|ticketByReference/i);
    // A token begins so. Case counts: an identifier of a request may have these letters.
    expect(log).not.toMatch(/eyJ/);
    const texts = (value: unknown): string[] =>
      typeof value === 'string' ? [value] : value && typeof value === 'object' ? Object.values(value).flatMap(texts) : [];
    const shown = texts(data).filter((text) => text.length > 4);
    expect(shown.length).toBeGreaterThan(20);
    for (const text of shown) expect(log).not.toContain(JSON.stringify(text).slice(1, -1));
  });

  const sentence = 'Something went wrong here. It was logged with this request id.';
  it.each([
    ['production', 'nothing else', sentence],
    [
      'development',
      'its message without card numbers',
      `${sentence} In development only: TypeError: canary: [card number removed] of ana@example.com`,
    ],
  ])(
    'finds a fault in the log by the request id that the caller was given, and in %s the caller was given %s',
    async (mode, _, message) => {
      const app = await TestApp.start({ config: { production: mode === 'production' } });
      const loaders = app.app.services.opening as unknown as { openByReference: () => Promise<never> };
      const original = loaders.openByReference;
      loaders.openByReference = async () => {
        throw new TypeError('canary: 4242424242424242 of ana@example.com');
      };
      app.logLines.length = 0;
      const { status, data, errors } = await app.as('ana', context, { reference: demoTickets.own.reference });
      loaders.openByReference = original;
      expect([status, data]).toEqual([200, { ticketByReference: null }]);
      const requestId = errors?.[0]?.extensions.requestId;
      expect(errors).toEqual([
        {
          message,
          path: ['ticketByReference'],
          extensions: { code: 'INTERNAL', requestId: expect.stringMatching(/^req_/) },
        },
      ]);
      const logged = app.logLines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'a request failed');
      expect(logged).toMatchObject({
        requestId,
        error: { name: 'TypeError', at: expect.arrayContaining([expect.stringMatching(/^at /)]) },
      });
      expect(app.logLines.join('')).not.toMatch(/canary|4242|example\.com/);
      await app.stop();
    },
  );

  it.each([
    ['production', sentence],
    ['development', `${sentence} In development only: RangeError: canary`],
  ])('finds a fault outside of the graph in the same way in %s', async (mode, expected) => {
    const app = await TestApp.start({ config: { production: mode === 'production' }, sync: false });
    const { sources } = app.app as unknown as { sources: { webhook: unknown } };
    const original = sources.webhook;
    sources.webhook = async () => {
      throw new RangeError('canary');
    };
    app.logLines.length = 0;
    const response = await app.server.inject({ method: 'POST', url: '/webhooks/demo', payload: 'x' });
    sources.webhook = original;
    const [{ extensions, message }] = (response.json() as { errors: [{ message: string; extensions: Record<string, unknown> }] })
      .errors;
    expect([response.statusCode, message, extensions.code]).toEqual([500, expected, 'INTERNAL']);
    expect(app.logLines.join('')).toContain(String(extensions.requestId));
    expect(app.logLines.join('')).not.toContain('canary');
    await app.stop();
  });
});

describe('without its database', () => {
  it('the gateway lives, is not ready, says so in its own words, and is measured on', async () => {
    const app = await TestApp.start({ config: { production: true }, sync: false });
    const token = await app.token('ana');
    await app.app.database.close();
    expect((await get(app, '/healthz')).status).toBe(200);
    const { status, body } = await get(app, '/readyz');
    expect([status, JSON.parse(body)]).toEqual([503, { status: 'not ready', database: 'unreachable', sources: {} }]);
    const metrics = await get(app, '/metrics');
    expect([metrics.status, metrics.body]).toEqual([200, expect.stringContaining('process_cpu_seconds_total')]);
    const answer = await app.server.inject({
      method: 'POST',
      url: '/graphql',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      payload: JSON.stringify({ query: '{ viewer { id } }' }),
    });
    expect(answer.statusCode).toBeGreaterThanOrEqual(500);
    expect(answer.body).not.toMatch(/sqlite|mysql|mariadb|pool|SELECT|DataSource|connection/i);
    await app.stop();
  });
});

describe('too many requests', () => {
  const ask = (app: TestApp, headers: Record<string, string> = {}, url = '/graphql') =>
    app.server.inject({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', ...headers },
      payload: JSON.stringify({ query: '{ viewer { id } }' }),
    });

  it('of one token are refused in our words, and those of another are not', async () => {
    const app = await TestApp.start({ config: { rateLimit: 5 }, sync: false });
    const [ana, ben] = [await app.token('ana'), await app.token('ben')];
    for (let at = 0; at < 5; at += 1) expect((await ask(app, { authorization: `Bearer ${ana}` })).statusCode).toBe(200);
    const refused = await ask(app, { authorization: `Bearer ${ana}` });
    expect(refused.statusCode).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(refused.json()).toEqual({
      errors: [
        {
          message: 'Too many requests.',
          extensions: { code: 'RATE_LIMITED', remedy: 'Slow down.', retryAfter: expect.any(Number) },
        },
      ],
    });
    // The same token, written otherwise, is the same client.
    expect((await ask(app, { authorization: `bearer   ${ana}` })).statusCode).toBe(429);
    expect((await ask(app, { authorization: `Bearer ${ben}` })).statusCode).toBe(200);
    for (let at = 0; at < 10; at += 1) expect((await get(app, '/healthz')).status).toBe(200);
    await app.stop();
  });

  it('with made-up tokens count for the address they come from', async () => {
    const app = await TestApp.start({ config: { rateLimit: 5 }, sync: false });
    const statuses: number[] = [];
    for (let at = 0; at < 8; at += 1) statuses.push((await ask(app, { authorization: `Bearer made-up-${at}` })).statusCode);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    // Somebody with a real one behind the same address works on.
    expect((await ask(app, { authorization: `Bearer ${await app.token('ana')}` })).statusCode).toBe(200);
    await app.stop();
  });

  it('behind a proxy count for the address that it names, with whatever port and spelling', async () => {
    const app = await TestApp.start({ config: { rateLimit: 5, trustedProxies: ['127.0.0.1'] }, sync: false });
    const statuses = async (addresses: readonly string[]) => {
      const found: number[] = [];
      for (const [at, address] of addresses.entries())
        found.push((await ask(app, { authorization: `Bearer made-up-${at}`, 'x-forwarded-for': address })).statusCode);
      return found;
    };
    const limited = [401, 401, 401, 401, 401, 429, 429];
    const ports = [1, 2, 3, 4, 5, 6, 7];
    expect(await statuses(ports.map((at) => `198.51.100.21:${50_000 + at}`))).toEqual(limited);
    expect(await statuses(['198.51.100.21', '::ffff:198.51.100.21', '[::ffff:198.51.100.21]:1'])).toEqual([429, 429, 429]);
    expect(await statuses(ports.map((at) => `[2001:db8:1::${at}]:${50_000 + at}`))).toEqual(limited);
    // One network of one customer.
    expect(await statuses(['2001:db8:1:0:ffff::1', '2001:db8:1:1::1'])).toEqual([429, 401]);
    // What is no address is the proxy's own.
    expect(await statuses(ports.map((at) => `unknown-${at}`))).toEqual(limited);
    expect(await statuses(['198.51.100.77'])).toEqual([401]);
    await app.stop();
  });

  it('to the customers’ page count for the address that a proxy names, with whatever port', async () => {
    const app = await TestApp.start({ config: { trustedProxies: ['127.0.0.1'] }, sync: false });
    const statusFrom = async (address: string) => {
      const headers = { 'x-forwarded-for': address };
      return (await app.server.inject({ url: `/confirm/${'x'.repeat(43)}`, headers })).statusCode;
    };
    const statuses = await Promise.all(Array.from({ length: 60 }, (_, at) => statusFrom(`198.51.100.23:${50_000 + at}`)));
    expect(statuses).not.toContain(429);
    expect(await statusFrom('198.51.100.23:51000')).toBe(429);
    expect(await statusFrom('198.51.100.24:50000')).not.toBe(429);
    await app.stop();
  });

  it('to other places cannot hide behind tokens', async () => {
    const app = await TestApp.start({ config: { rateLimit: 5 }, sync: false });
    const statuses: number[] = [];
    for (let at = 0; at < 7; at += 1)
      statuses.push(
        (await ask(app, { authorization: `Bearer made-up-${at}`, 'x-forwarded-for': `10.0.0.${at}` }, '/webhooks/demo'))
          .statusCode,
      );
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
    await app.stop();
  });
});

describe('a connection', () => {
  const text = async (socket: Socket) => {
    let received = '';
    for await (const part of socket) received += String(part);
    return received;
  };

  it.each([
    ['nothing', ''],
    ['half a line', 'POST /graph'],
    ['headers without an end', 'POST /graphql HTTP/1.1\r\nhost: x\r\n'],
    [
      'a body that does not come',
      'POST /webhooks/none HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 200000\r\n\r\n{',
    ],
  ])('that sends %s is ended, with 408 or without a word', async (_name, sent) => {
    const app = await TestApp.start({ sync: false });
    const server = await createServer(app.app, { ...usualDeadlines, headers: 200, request: 400, check: 50 });
    await server.listen({ host: '127.0.0.1', port: 0 });
    const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1');
    socket.write(sent);
    expect(await text(socket)).toMatch(/^$|^HTTP\/1\.1 408 /);
    await server.close();
    await app.stop();
  });

  it('of a load balancer that asks in HTTP/1.0 and names no host is answered, by what tells no more than whether it works', async () => {
    const app = await TestApp.start({ sync: false });
    await app.server.listen({ host: '127.0.0.1', port: 0 });
    const statusOf = async (line: string) => {
      const socket = connect((app.server.server.address() as AddressInfo).port, '127.0.0.1');
      socket.write(`${line}\r\n\r\n`);
      return (await text(socket)).split('\r\n')[0];
    };
    for (const path of ['/healthz', '/readyz', '/metrics'])
      expect([path, await statusOf(`GET ${path} HTTP/1.0`)]).toEqual([path, 'HTTP/1.1 200 OK']);
    expect(await statusOf('GET /healthz HTTP/1.0\r\nhost: a b')).toBe('HTTP/1.1 400 Bad Request');
    // Of two names a proxy may have gone by the other one.
    expect(await statusOf('GET /healthz HTTP/1.1\r\nhost: a\r\nHost: b')).toBe('HTTP/1.1 400 Bad Request');
    expect(await statusOf('GET /confirm/none HTTP/1.0')).toBe('HTTP/1.1 400 Bad Request');
    expect(await statusOf('GET /healthz HTTP/1.1')).toBe('HTTP/1.1 400 Bad Request');
    await app.stop();
  });

  it('takes a token of a thousand groups, and refuses longer headers with 431', async () => {
    const app = await TestApp.start({ sync: false });
    const address = await app.server.listen({ host: '127.0.0.1', port: 0 });
    const statusOf = async (length: number) =>
      (
        await fetch(`${address}/graphql`, {
          method: 'POST',
          headers: { authorization: `Bearer ${'x'.repeat(length)}`, 'content-type': 'application/json' },
          body: '{}',
        })
      ).status;
    expect([await statusOf(65_000), await statusOf(100_000)]).toEqual([401, 431]);
    await app.stop();
  });
});

describe('stopping', () => {
  it('finishes the request under way, with its disclosure, and takes no new one', async () => {
    const app = await TestApp.start();
    const address = await app.server.listen({ host: '127.0.0.1', port: 0 });
    const token = await app.token('ana');
    let entered = () => {};
    let release = () => {};
    const isEntered = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const tickets = app.app.services.opening as unknown as { openByReference: (...parts: unknown[]) => Promise<unknown> };
    const original = tickets.openByReference.bind(tickets);
    tickets.openByReference = async (...parts) => {
      entered();
      await gate;
      return original(...parts);
    };
    const ask = () =>
      fetch(`${address}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query: context, variables: { reference: demoTickets.own.reference } }),
      });
    const underWay = ask();
    await isEntered;
    let disclosures = -1;
    const close = app.app.database.close.bind(app.app.database);
    app.app.database.close = async () => {
      disclosures = (await app.events('disclosure')).length;
      await close();
    };
    const closed = app.server.close();
    await until(
      async () =>
        await ask().then(
          ({ status }) => status === 503,
          () => true,
        ),
    );
    release();
    const response = await underWay;
    const answer = (await response.json()) as { data: { ticketByReference: { customer: { paymentMethods: unknown[] } } } };
    expect([response.status, answer.data.ticketByReference.customer.paymentMethods.length > 0]).toEqual([200, true]);
    await closed;
    expect(disclosures).toBe(1);
    await app.stop();
  });
});

const until = async (condition: () => Promise<boolean>): Promise<void> => {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it never came about');
};
