import { connect, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { request, WebSocket } from 'undici';
import { demoTickets } from '../../src/development/merchant/cast';
import { raiseOn } from '../support/alerts';
import { TestApp } from '../support/app';
import { Heard, listening, overSocket, settled } from '../support/subscribers';

const opens = 'query($reference: String!) { ticketByReference(source: "demo", reference: $reference) { assistance { state } } }';
const subscription = 'subscription { alerts { kind } }';
const protocol = 'graphql-transport-ws';

let test: TestApp;
let url: string;
let address: URL;
beforeAll(async () => {
  test = await TestApp.start({ config: { rateLimit: 1_000_000 } });
  url = await listening(test);
  address = new URL(url);
});
afterAll(() => test.stop());

/** A connection that says what it likes. */
const raw = async (
  options: { origin?: string } = {},
): Promise<{ socket: WebSocket; heard: Heard; say: (message: unknown) => void }> => {
  const heard = new Heard();
  const socket = new WebSocket(`${url}/graphql`, {
    protocols: protocol,
    headers: options.origin === undefined ? {} : { origin: options.origin },
  });
  socket.addEventListener('message', ({ data }) => heard.take(JSON.parse(String(data))));
  socket.addEventListener('close', ({ code }) => heard.ended({ closed: code }));
  socket.addEventListener('error', () => heard.ended({ closed: 0 }));
  await new Promise<void>((resolve) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => resolve());
  });
  return { socket, heard, say: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)) };
};

/** One that is let in. */
const begun = async (who = 'ana') => {
  const connection = await raw();
  connection.say({ type: 'connection_init', payload: { authorization: `Bearer ${await test.token(who)}` } });
  await connection.heard.until(1);
  expect(connection.heard.results).toEqual([{ type: 'connection_ack' }]);
  return connection;
};
const subscribe = (id: string) => ({ id, type: 'subscribe', payload: { query: subscription } });

describe('a connection', () => {
  it('that doesn’t begin is closed within seconds', async () => {
    const { heard } = await raw();
    await heard.untilEnd(6_000);
    expect(heard.end).toEqual({ closed: 4408 });
  });

  it.each([
    ['without a token', {}],
    ['with one that is none', { authorization: 'Bearer nobody' }],
    ['with one in another form', { authorization: { of: 'ana' } }],
  ])('%s is closed as forbidden', async (_, payload) => {
    const { heard, say } = await raw();
    say({ type: 'connection_init', payload });
    await heard.untilEnd();
    expect(heard).toMatchObject({ end: { closed: 4403 }, results: [] });
  });

  it.each([
    [
      'subscribes before it is let in',
      (token: string) => [subscribe('1'), { type: 'connection_init', payload: { authorization: token } }],
      4401,
    ],
    [
      'begins twice',
      (token: string) => Array.from({ length: 2 }, () => ({ type: 'connection_init', payload: { authorization: token } })),
      4429,
    ],
    ['says what is no message', () => ['{"type":'], 4400],
    ['says what no client says', () => [{ type: 'connection_ack' }], 4500],
    ['sends a message without end', () => [{ type: 'ping', payload: { text: 'x'.repeat(100_000) } }], 1009],
  ] as const)('that %s is closed', async (_, messages, code) => {
    const { heard, say } = await raw();
    for (const message of messages(`Bearer ${await test.token('ana')}`)) say(message);
    await heard.untilEnd();
    expect(heard.end).toEqual({ closed: code });
  });

  it('that floods is closed: with subscriptions, and with messages', async () => {
    const many = await begun();
    for (let id = 0; id < 40; id += 1) many.say(subscribe(String(id)));
    await many.heard.untilEnd();
    expect(many.heard.end).toEqual({ closed: 1008 });
    const loud = await begun();
    for (let n = 0; n < 1_000 && loud.heard.end === undefined; n += 1) loud.say({ type: 'ping' });
    await loud.heard.untilEnd();
    expect(loud.heard.end).toEqual({ closed: 1008 });
    await settled();
    expect((await test.server.inject({ url: '/metrics' })).body).toContain('counterfoil_subscriptions 0\n');
  });

  it('counts with the others of its person: past sixteen subscriptions there is none', async () => {
    const connections = [await begun(), await begun(), await begun()];
    for (const { say } of connections) for (let id = 0; id < 7; id += 1) say(subscribe(String(id)));
    await settled();
    await settled();
    const errors = connections.flatMap(({ heard }) =>
      heard.results.filter((each) => (each as { type?: string }).type === 'error'),
    );
    expect(errors).toHaveLength(5);
    expect(JSON.stringify(errors)).toContain('RATE_LIMITED');
    for (const { socket } of connections) socket.close();
    await Promise.all(connections.map(({ heard }) => heard.untilEnd()));
    await settled();
    // Their places are free again.
    const again = await begun();
    again.say(subscribe('1'));
    await settled();
    expect(again.heard.results).toHaveLength(1);
    again.socket.close();
  });

  it('of a page of another origin isn’t opened, nor is its stream; of a page that is allowed, and of programs, it is', async () => {
    const { heard } = await raw({ origin: 'https://evil.example.com' });
    await heard.untilEnd();
    expect(heard.end).toEqual({ closed: 0 });
    const stream = await request(`http://${address.host}/graphql/stream`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await test.token('ana')}`,
        origin: 'https://evil.example.com',
        accept: 'text/event-stream',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ query: subscription }),
    });
    expect([stream.statusCode, await stream.body.text()]).toEqual([403, expect.stringContaining('DENIED')]);
    const own = await raw({ origin: `http://${address.host}` });
    expect(own.socket.readyState).toBe(WebSocket.OPEN);
    own.socket.close();
  });
});

describe('an address', () => {
  it('from which too many tokens were refused opens no connection, whatever tokens it brings', async () => {
    const few = await TestApp.start({ config: { rateLimit: 8 }, sync: false });
    try {
      const place = new URL(await listening(few));
      const upgrade = async (token: string): Promise<string> => {
        const socket = connect(Number(place.port), place.hostname);
        const first = new Promise<string>((resolve) => {
          socket.once('data', (data) => resolve(String(data)));
          socket.once('close', () => resolve(''));
        });
        socket.on('error', () => {});
        socket.write(
          `GET /graphql HTTP/1.1\r\nHost: ${place.host}\r\nAuthorization: Bearer ${token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
        );
        const answer = await first;
        socket.destroy();
        return answer.split(' ')[1] ?? '';
      };
      // Each bearer is another one, none of which was looked at.
      const opened: string[] = [];
      for (let n = 0; n < 12; n += 1) opened.push(await upgrade(`nobody-${n}`));
      expect(opened).toEqual([...Array(8).fill('101'), ...Array(4).fill('429')]);
    } finally {
      await few.stop();
    }
  });

  it('from which tokens were refused over HTTP has none left over the socket', async () => {
    const few = await TestApp.start({ config: { rateLimit: 8 }, sync: false });
    try {
      const place = (await listening(few)).replace(/^ws/, 'http');
      const authorization = (n: number) => ({ authorization: `Bearer nobody-${n}`, 'content-type': 'application/json' });
      const statuses: number[] = [];
      for (let n = 0; n < 10; n += 1)
        statuses.push((await request(`${place}/graphql`, { method: 'POST', headers: authorization(n), body: '{}' })).statusCode);
      expect(statuses).toEqual([...Array(8).fill(401), 429, 429]);
      const failed = new Promise((resolve) => {
        const socket = new WebSocket(`${place.replace(/^http/, 'ws')}/graphql`, { protocols: protocol });
        socket.addEventListener('open', () => resolve('opened'));
        socket.addEventListener('error', () => resolve('refused'));
      });
      expect(await failed).toBe('refused');
    } finally {
      await few.stop();
    }
  });
});

describe('a connection that is closed', () => {
  it('leaves no timer for the end of its token', async () => {
    const later = new Set<NodeJS.Timeout>();
    const [set, clear] = [global.setTimeout, global.clearTimeout];
    const watched = ((work: () => void, milliseconds?: number, ...rest: unknown[]) => {
      const timer = set(work, milliseconds, ...(rest as []));
      if ((milliseconds ?? 0) > 120_000) later.add(timer);
      return timer;
    }) as typeof setTimeout;
    global.setTimeout = watched;
    global.clearTimeout = ((timer) => {
      later.delete(timer as NodeJS.Timeout);
      clear(timer);
    }) as typeof clearTimeout;
    try {
      const { socket, heard } = await begun();
      expect(later.size).toBeGreaterThan(0);
      socket.close();
      await heard.untilEnd();
      await settled();
      expect(later.size).toBe(0);
    } finally {
      global.setTimeout = set;
      global.clearTimeout = clear;
    }
  });
});

/** Bytes that something holds on to: garbage is nobody's. */
const heldBytes = (): number => {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
};

describe('a subscription', () => {
  it('sent to the graph by POST or GET is refused as before', async () => {
    const posted = await test.as('ana', subscription);
    expect([posted.data, posted.errors?.[0]?.extensions.code]).toEqual([null, 'INVALID']);
    for (const method of ['GET', 'HEAD'] as const)
      for (const path of ['/graphql', '/graphql/stream']) {
        const answer = await test.server.inject({
          method,
          url: `${path}?query=${encodeURIComponent(subscription)}`,
          headers: { authorization: `Bearer ${await test.token('ana')}`, accept: 'text/event-stream' },
        });
        const bare = await test.server.inject({ method, url: '/graphql/nowhere' });
        expect([answer.statusCode, answer.body]).toEqual([404, bare.body]);
      }
  });

  it('that asks for no stream is told what is accepted', async () => {
    const answer = await test.server.inject({
      method: 'POST',
      url: '/graphql/stream',
      headers: { authorization: `Bearer ${await test.token('ana')}`, 'content-type': 'application/json' },
      payload: JSON.stringify({ query: subscription }),
    });
    expect([answer.statusCode, answer.json().errors[0].extensions]).toEqual([400, { code: 'INVALID', argument: 'accept' }]);
  });

  it('ends with its token, whatever happens or doesn’t', async () => {
    const over = overSocket(url, await test.token('ana'), { query: subscription });
    await settled();
    test.clock.forward(16 * 60_000);
    await raiseOn(test, demoTickets.own.reference, { window: 'after the token' });
    await over.heard.untilEnd();
    expect(over.heard.events).toEqual([]);
    expect(JSON.stringify(over.heard.results)).toContain('UNAUTHENTICATED');
    await over.stop();
  });

  it('of who reads nothing is dropped, and keeps no memory but one event', async () => {
    const { reference } = demoTickets.own;
    await test.as('ana', opens, { reference });
    const aliases = Array.from({ length: 45 }, (_, n) => `g${n}: guidance { text }`).join(' ');
    const query = `subscription { alerts { kind alert { ${aliases} } } }`;
    const socket: Socket = connect(Number(address.port), address.hostname);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => {});
    const key = Buffer.from('0123456789abcdef').toString('base64');
    socket.write(
      `GET /graphql HTTP/1.1\r\nHost: ${address.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
    );
    const say = (message: unknown) => {
      const text = Buffer.from(JSON.stringify(message));
      const length = text.length < 126 ? [0x80 | text.length] : [0x80 | 126, text.length >> 8, text.length & 255];
      // Masked with nothing: RFC 6455 asks for a mask, whatever it is.
      socket.write(Buffer.concat([Buffer.from([0x81, ...length, 0, 0, 0, 0]), text]));
    };
    await new Promise((resolve) => socket.once('data', resolve));
    say({ type: 'connection_init', payload: { authorization: `Bearer ${await test.token('ana')}` } });
    await new Promise((resolve) => socket.once('data', resolve));
    say({ id: '1', type: 'subscribe', payload: { query } });
    await settled();
    expect((await test.server.inject({ url: '/metrics' })).body).toContain('counterfoil_subscriptions 1\n');
    socket.pause();
    const before = heldBytes();
    const began = performance.now();
    const isOver = async (): Promise<boolean> =>
      !(await test.server.inject({ url: '/metrics' })).body.includes('counterfoil_subscriptions 1\n');
    for (let n = 1; n < 3_000 && !(n % 10 === 0 && (await isOver())); n += 1)
      await raiseOn(test, reference, { window: 'slow', version: n, severity: 'HIGH', reasons: [{ code: 'ATTEMPTS', count: n }] });
    // Before whoever doesn't answer to a sign of life is taken for gone.
    expect(performance.now() - began).toBeLessThan(29_000);
    // A paused socket tells of its end once it is read.
    socket.resume();
    await closed;
    expect(heldBytes() - before).toBeLessThan(100 * 1024 * 1024);
    await settled();
    expect((await test.server.inject({ url: '/metrics' })).body).toContain('counterfoil_subscriptions 0\n');
  }, 120_000);
});
