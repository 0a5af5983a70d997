import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Role } from '../../src/authz/actor';
import { demoTickets } from '../../src/development/merchant/cast';
import { defaultLimits } from '../../src/graphql/limits.section';
import { type GraphQLAnswer, TestApp } from '../support/app';
import { OtherIssuer } from '../support/other-issuer';
import { helpdeskCustomer, ScriptedHelpdesk, ScriptedPayments } from '../support/scripted-sources';

const list = '{ tickets(first: 1) { nodes { id } } }';
const context = `{ ticketByReference(source: "demo", reference: "${demoTickets.own.reference}") { subject customer { displayName } } }`;
const turn = () => new Promise((resolve) => setTimeout(resolve, 1));
/** Waits until it is so; fails where it doesn't come to be. */
const until = async (what: string, isSo: () => boolean | Promise<boolean>): Promise<void> => {
  for (const end = performance.now() + 20_000; !(await isSo()); await turn())
    if (performance.now() > end) throw new Error(`waited in vain for: ${what}`);
};

interface Answer extends GraphQLAnswer {
  readonly retryAfter: string | undefined;
}

interface Reader {
  query(sql: string, ...rest: unknown[]): Promise<unknown[]>;
}

/** A gateway whose database answers what is asked of tickets only when it is told to. */
class HeldBack {
  /** Statements that are held back. */
  readonly held: string[] = [];
  private release = () => {};
  private open: Promise<void> = Promise.resolve();
  private readonly answers: Promise<Answer>[] = [];

  constructor(
    readonly test: TestApp,
    private readonly issuer: OtherIssuer,
  ) {
    const reader = Reflect.get(test.app.database, 'reader') as Reader;
    const query = reader.query.bind(reader);
    reader.query = async (sql, ...rest) => {
      // What a customer's page reads is of a ticket too, by way of what it asks about.
      if (sql.includes('helpdesk_ticket') && !/credential|recognition/.test(sql)) {
        this.held.push(sql);
        await this.open;
      }
      return query(sql, ...rest);
    };
  }

  holdBack(): void {
    this.held.splice(0);
    this.open = new Promise((resolve) => {
      this.release = resolve;
    });
  }

  /** Everybody's answer, once the database gives its own. */
  async answerAll(): Promise<readonly Answer[]> {
    this.release();
    return Promise.all(this.answers.splice(0));
  }

  token(who: string, roles: readonly Role[] = ['AGENT']): Promise<string> {
    return this.issuer.token(who, { roles, teams: ['cards'] }, this.test.clock.now());
  }

  /** Sends an operation, and resolves once it is held back, waits or is answered. */
  async send(token: string, query: string): Promise<{ readonly answer: Promise<Answer> }> {
    const { admission } = this.test.app;
    const before = JSON.stringify([admission.state, this.held.length]);
    const answer = this.test.server
      .inject({
        method: 'POST',
        url: '/graphql',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        payload: JSON.stringify({ query }),
      })
      .then((response): Answer => {
        const retryAfter = response.headers['retry-after'] as string | undefined;
        return { status: response.statusCode, retryAfter, ...(response.json() as Omit<GraphQLAnswer, 'status'>) };
      });
    this.answers.push(answer);
    let isAnswered = false;
    void answer.then(() => {
      isAnswered = true;
    });
    await until('an answer', () => isAnswered || JSON.stringify([admission.state, this.held.length]) !== before);
    return { answer };
  }
}

const told = ({ status, retryAfter, data, errors }: Answer) => ({
  status,
  retryAfter,
  data: data ?? null,
  codes: errors?.map(({ extensions }) => extensions.code),
});

describe('more than can be answered', () => {
  let test: TestApp;
  let gateway: HeldBack;
  beforeEach(async () => {
    const issuer = await OtherIssuer.open();
    // By so few connections six requests go on at once, neither more nor fewer.
    test = await TestApp.start({ config: { issuers: [issuer.configuration], databasePool: 2 } });
    gateway = new HeldBack(test, issuer);
    // They are known: what follows is the operation alone.
    for (const who of ['ana', 'ben', 'ada']) await test.as(who, '{ viewer { id } }');
  });
  afterEach(() => test.stop());

  const disclosures = async () => (await test.events('disclosure')).length;
  const get = async (url: string, who?: string) =>
    test.server.inject({ url, headers: who === undefined ? {} : { authorization: `Bearer ${await test.token(who)}` } });

  /** So many requests, each of another actor. */
  const fill = async (count: number) => {
    const strangers = await Promise.all(Array.from({ length: count }, (_, at) => gateway.token(`stranger-${at}`)));
    const came = () => {
      const { inside, waiting, sentAway } = test.app.admission.state;
      return inside + waiting + sentAway;
    };
    const before = came();
    for (const token of strangers) void gateway.send(token, list);
    await until('all that came', () => came() === before + count && gateway.held.length === 6);
    expect(test.app.admission.state).toMatchObject({ limit: 6, inside: 6, sentAway: 0 });
  };

  it('is told so with 503 and when to come again, before anything of it was begun; the others are answered', async () => {
    await test.as('ana', context);
    gateway.holdBack();
    const [ana, ben] = [await test.token('ana'), await test.token('ben')];
    const recorded = await disclosures();
    const bens = await gateway.send(ben, context);
    await fill(69);
    for (const token of [ana, ben]) await gateway.send(token, context);
    // Of 72 that came six are inside; what has waited longest was sent away while the database hadn't answered anybody.
    const { inside, waiting, sentAway } = test.app.admission.state;
    expect({ inside, all: inside + waiting + sentAway, some: sentAway > 0, held: gateway.held.length }).toEqual({
      inside: 6,
      all: 72,
      some: true,
      held: 6,
    });
    expect(await disclosures()).toBe(recorded);
    const answers = await gateway.answerAll();
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused).toHaveLength(sentAway);
    for (const answer of refused)
      expect(told(answer)).toEqual({
        status: 503,
        retryAfter: expect.stringMatching(/^[123]$/),
        data: null,
        codes: ['OVERLOADED'],
      });
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(72 - sentAway);
    const shown = [await bens.answer, ...answers.slice(-2)].filter(({ data }) => data?.ticketByReference);
    expect(await disclosures()).toBe(recorded + shown.length);
  });

  it('keeps nobody else waiting: probes, metrics, customers and sources are answered; exports come again', async () => {
    gateway.holdBack();
    await fill(70);
    await gateway.send(await test.token('ana'), list);
    expect(test.app.admission.state.sentAway).toBe(1);
    const download = await get('/audit/exports?ticket=none', 'ada');
    expect([download.statusCode, download.headers['retry-after'], download.json().errors[0].extensions]).toEqual([
      503,
      '30',
      expect.objectContaining({ code: 'OVERLOADED', rule: 'audit.export' }),
    ]);
    expect((await get('/healthz')).statusCode).toBe(200);
    expect((await get('/readyz')).statusCode).toBe(200);
    const { body } = await get('/metrics');
    expect(body).toMatch(/^counterfoil_requests_refused_total\{reason="overload"\} 1$/m);
    expect(body).toMatch(/^counterfoil_requests\{state="inside"\} 6$/m);
    expect(body).toMatch(/^counterfoil_requests\{state="waiting"\} 64$/m);
    expect(body).toMatch(/^counterfoil_requests_limit 6$/m);
    expect((await get(`/confirm/${'x'.repeat(43)}`)).statusCode).toBe(404);
    expect((await test.server.inject({ method: 'POST', url: '/webhooks/demo', payload: '{}' })).statusCode).toBe(401);
    await gateway.answerAll();
  });

  it('of one actor waits for the actor, and whoever comes then is let in before', async () => {
    gateway.holdBack();
    const ana = await test.token('ana');
    for (let count = 0; count < 12; count += 1) void gateway.send(ana, list);
    await until('eight of hers at the door', () => test.app.admission.state.inside + test.app.admission.state.waiting === 8);
    await gateway.send(await test.token('ben'), list);
    await until('his too', () => test.app.admission.state.waiting === 3);
    expect(test.app.admission.state).toMatchObject({ inside: 6, waiting: 3, sentAway: 0, ofThemselves: 0 });
    const answers = await gateway.answerAll();
    expect(answers.map(({ status }) => status)).toEqual(Array(13).fill(200));
  });

  it('of one actor alone is answered 429, and when to come again', async () => {
    const { id } = (await test.as('ana', '{ viewer { id } }')).data.viewer;
    const never = new Promise(() => {});
    const busy = () => test.app.admission.request({ actorId: id, work: async () => {}, left: never });
    for (let count = 0; count < 8 + 128; count += 1) void busy().catch(() => {});
    const { answer } = await gateway.send(await test.token('ana'), list);
    expect(told(await answer)).toEqual({ status: 429, retryAfter: '5', data: null, codes: ['RATE_LIMITED'] });
    expect(await test.as('ben', list)).toMatchObject({ status: 200 });
  });

  it('is asked nothing for who went away while they waited', async () => {
    const address = await test.server.listen({ host: '127.0.0.1', port: 0 });
    gateway.holdBack();
    await fill(6);
    const away = new AbortController();
    const gone = fetch(`${address}/graphql`, {
      method: 'POST',
      signal: away.signal,
      headers: { authorization: `Bearer ${await test.token('ana')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query: context }),
    }).catch((error: Error) => error.name);
    await until('one that waits', () => test.app.admission.state.waiting > 0);
    away.abort();
    expect(await gone).toBe('AbortError');
    const connections = () =>
      new Promise<number>((resolve) => test.server.server.getConnections((_error, count) => resolve(count)));
    await until('no connection', async () => (await connections()) === 0);
    const before = await disclosures();
    await gateway.answerAll();
    await until('nobody inside', () => test.app.admission.state.inside === 0);
    // Those of a ticket by its reference would be hers.
    expect(test.app.admission.state.entered).toBe(3 + 6 + 1);
    expect(gateway.held.filter((sql) => /reference = \?/.test(sql))).toEqual([]);
    expect(await disclosures()).toBe(before);
  });
});

describe('answers that nobody reads', () => {
  it('take up the places of who asked for them, and nobody else’s', async () => {
    const helpdesk = new ScriptedHelpdesk('demo');
    const customer = helpdeskCustomer('quill', { displayName: 'Quill', email: 'quill@people.example.com', phone: null });
    helpdesk.put(
      'LONG-1',
      { subject: 'Long', customer },
      Array.from({ length: 80 }, (_, n) => ({
        reference: `m${n}`,
        author: { kind: 'CUSTOMER' as const, displayName: 'Quill' },
        channel: 'EMAIL' as const,
        body: 'A customer writes long mails. '.repeat(4_000),
        createdAt: new Date(Date.UTC(2026, 7, 20, 10, 0, n)),
      })),
    );
    const test = await TestApp.start({
      connectors: { demo: helpdesk, 'demo-pay': new ScriptedPayments('demo-pay') },
      config: { limits: { ...defaultLimits, answerBytes: 16 * 1024 * 1024 } },
    });
    await test.server.listen({ host: '127.0.0.1', port: 0 });
    const { port } = test.server.server.address() as AddressInfo;
    const token = await test.token('ana');
    const long = '{ ticketByReference(source: "demo", reference: "LONG-1") { messages(first: 80) { nodes { body } } } }';
    const body = JSON.stringify({ query: long });
    const sockets: Socket[] = [];
    for (let count = 0; count < 8; count += 1) {
      const socket = connect(port, '127.0.0.1').pause();
      socket.on('error', () => {});
      socket.write(
        `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer ${token}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      sockets.push(socket);
    }
    const { admission } = test.app;
    await until('eight answers', () => admission.state.entered === 8 && admission.state.inside === 0);
    let isAnswered = false;
    const further = test.as('ana', '{ viewer { id } }').then((answer) => {
      isAnswered = true;
      return answer;
    });
    expect(await test.as('ben', '{ viewer { id } }')).toMatchObject({ status: 200 });
    expect([isAnswered, admission.state.entered]).toEqual([false, 9]);
    sockets[0]?.destroy();
    expect(await further).toMatchObject({ status: 200 });
    for (const socket of sockets) socket.destroy();
    await test.stop();
  });
});
