import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { loadConfig } from '../../src/config/load';
import { demoTickets } from '../../src/development/merchant/cast';
import { isSignedByOneOf, webhookKey } from '../../src/features/signals/receive/standard-webhooks';
import { removeMessages } from '../../src/features/webhooks/webhook-retention';
import { countOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { because, HeldPayments, releaseMutation } from '../support/holds';
import { PrivateCa } from '../support/private-ca';

const secrets = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', `whsec_${Buffer.alloc(32, 'another').toString('base64')}`];
const keys = secrets.map((secret) => webhookKey(secret) as Buffer);

interface Received {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** An endpoint as others run it: TLS by an authority of their own, answers as the test says. */
class Receiver {
  readonly received: Received[] = [];
  answer: (received: Received) => { readonly status: number; readonly location?: string } = () => ({ status: 204 });
  private server!: Server;

  async open({ key, cert }: { readonly key: string; readonly cert: string }): Promise<void> {
    this.server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const received = { headers: request.headers as Received['headers'], body: Buffer.concat(chunks).toString('utf8') };
        this.received.push(received);
        const { status, location } = this.answer(received);
        response.writeHead(status, location === undefined ? {} : { location }).end();
      });
    });
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `https://localhost:${(this.server.address() as AddressInfo).port}/hook`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const deliveries = `query Deliveries($filter: WebhookDeliveryFilter) {
  webhookDeliveries(filter: $filter, first: 50) {
    totalCount nodes { id endpoint type subjectId state nextAttemptAt attempts { status fault } }
  }
}`;
const replay = `mutation Replay($endpoint: String = "pipeline", $from: DateTime = "2026-01-01T00:00:00Z", $before: DateTime) {
  replayWebhooks(input: { endpoint: $endpoint, from: $from, before: $before })
}`;
const release = 'mutation Release($id: ID!) { releaseBrake(id: $id, reason: "It was the stocktaking week") { state } }';

describe('webhooks', () => {
  const ca = new PrivateCa();
  let receiver: Receiver;
  let test: TestApp;
  afterAll(() => ca.remove());
  afterEach(async () => {
    await receiver.close();
    await test.stop();
  });

  const start = async (endpoint: Partial<ReturnType<typeof loadConfig>['webhooks'][number]> = {}) => {
    receiver = new Receiver();
    await receiver.open(ca.issue('DNS:localhost'));
    const usual = {
      name: 'pipeline',
      url: receiver.url,
      keys,
      types: ['brake.placed', 'brake.proposed', 'brake.released', 'alert.raised'] as const,
      networks: [
        ['127.0.0.0', 8],
        ['::1', 128],
      ] as const,
      ca: readFileSync(ca.file, 'utf8'),
    };
    test = await TestApp.start({
      config: { webhooks: [{ ...usual, types: [...usual.types], networks: [...usual.networks], ...endpoint }] },
    });
    // From here on it is told.
    await turn();
  };
  /** What is committed gets its place, is written down for whom it is for, and is sent. */
  const turn = async () => {
    await test.app.signingLog?.sequencer.turn();
    await test.app.webhooks.telling?.follower.turn();
    await test.app.webhooks.telling?.outbox.drain();
  };
  const place = async (rule = 'agent-breadth', who: 'ana' | 'ben' = 'ana') => {
    const { data } = await test.as(who, '{ viewer { id } }');
    return test.app.database.system('worker', 'brake.place', async (change) => {
      const draft = { teams: [], level: 'ASSISTANCES', rule, ruleVersion: 1, signals: [] } as const;
      return (await test.app.services.brakes.place(change, { ...draft, stops: { actorId: data.viewer.id, staffIds: [] } }))?.id;
    });
  };
  const listed = async (filter: object = {}) => (await test.as('oz', deliveries, { filter })).data.webhookDeliveries.nodes;

  it('tell what comes after a leaf that is none any more', async () => {
    await start();
    await place();
    await test.app.signingLog?.sequencer.turn();
    await tamper(test.app.database, "UPDATE audit_event SET leaf = '{}' WHERE action = 'brake.place'");
    const id = await place('agent-thin-work', 'ben');
    await turn();
    expect(receiver.received.map(({ body }) => JSON.parse(body).subject)).toEqual([id]);
  });

  it('tell that a proposal to release a brake holds no more, where the rule found it again', async () => {
    await start({ types: ['brake.placed', 'brake.proposed', 'brake.renewed'] });
    const id = await place();
    await test.as('ada', release, { id });
    await place();
    await turn();
    const types = receiver.received.map(({ body }) => JSON.parse(body)).map(({ type, subject }) => [type, subject === id]);
    expect(types).toEqual(['placed', 'proposed', 'renewed'].map((happened) => [`counterfoil.brake.${happened}`, true]));
  });

  it('tell what becomes of a hold, by the state that it comes to, and nothing of whom it is about', async () => {
    await start({ types: ['hold.proposed', 'hold.placed', 'hold.extended', 'hold.releasing', 'hold.ended'] });
    const held = new HeldPayments(test);
    const own = demoTickets.own.reference;
    await held.open('ana', own);
    const { data } = await held.place('ana', own, { effects: ['HOLD_ORDER'] });
    const { id } = data.placeHold;
    await held.drain();
    expect(told(await test.as('ana', releaseMutation, { id, reason: because })).errors).toEqual([]);
    await held.drain();
    await turn();
    const bodies = receiver.received.map(({ body }) => JSON.parse(body));
    expect(bodies.map(({ type, subject }) => [type, subject])).toEqual(
      ['placed', 'releasing', 'ended'].map((happened) => [`counterfoil.hold.${happened}`, id]),
    );
    expect(Object.keys(bodies[0].data).sort()).toEqual(['id', 'ticketId']);
  });

  it('tell an endpoint what happens from then on, signed with each secret, by our ids and nothing else', async () => {
    await start();
    const id = await place();
    await turn();
    expect(receiver.received).toHaveLength(1);
    const [{ headers, body }] = receiver.received as [Received];
    const message = JSON.parse(body);
    expect(message).toEqual({
      specversion: '1.0',
      id: expect.stringMatching(/^whd_/),
      source: test.app.publicUrl,
      type: 'counterfoil.brake.placed',
      subject: id,
      time: test.clock.now().toISOString(),
      datacontenttype: 'application/json',
      data: { id, ticketId: null },
    });
    expect(headers).toMatchObject({ 'content-type': 'application/cloudevents+json', 'webhook-id': message.id });
    for (const key of keys)
      expect(isSignedByOneOf({ headers, body: Buffer.from(body), now: test.clock.now() }, [key])).toBe(true);
    expect(isSignedByOneOf({ headers, body: Buffer.from(`${body} `), now: test.clock.now() }, keys)).toBe(false);
    const expected = createHmac('sha256', keys[0] as Buffer)
      .update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`)
      .digest('base64');
    expect(headers['webhook-signature']?.split(' ')[0]).toBe(`v1,${expected}`);
    expect(await listed()).toEqual([
      {
        id: message.id,
        endpoint: 'pipeline',
        type: 'brake.placed',
        subjectId: id,
        state: 'DONE',
        nextAttemptAt: null,
        attempts: [{ status: 204, fault: null }],
      },
    ]);
    await turn();
    expect(receiver.received).toHaveLength(1);
  });

  it('about one thing go in the order of the log, and one that fails holds up those behind it, no others', async () => {
    await start();
    const first = await place();
    const other = await place('agent-thin-work', 'ben');
    for (const who of ['ada', 'oz'] as const) await test.as(who, release, { id: first });
    receiver.answer = ({ body }) => ({ status: JSON.parse(body).subject === first ? 503 : 200 });
    await turn();
    expect(
      receiver.received
        .map(({ body }) => JSON.parse(body))
        .map(({ type, subject }) => [type, subject])
        .sort(),
    ).toEqual(
      [
        ['counterfoil.brake.placed', first],
        ['counterfoil.brake.placed', other],
      ].sort(),
    );
    const [waiting] = await listed({ type: 'brake.placed', state: 'PENDING' });
    expect(waiting).toMatchObject({ subjectId: first, attempts: [{ status: 503, fault: 'status' }] });
    receiver.answer = () => ({ status: 200 });
    test.clock.forward(10_000);
    await turn();
    const about = receiver.received.map(({ body }) => JSON.parse(body)).filter(({ subject }) => subject === first);
    expect(about.map(({ type }) => type)).toEqual([
      'counterfoil.brake.placed',
      'counterfoil.brake.placed',
      'counterfoil.brake.proposed',
      'counterfoil.brake.released',
    ]);
    // What is sent again is the same message.
    expect(about[0].id).toBe(about[1].id);
    expect(await listed({ state: 'PENDING' })).toEqual([]);
  });

  it('are tried again from five seconds to ten hours later, and then given up', async () => {
    await start();
    receiver.answer = () => ({ status: 500 });
    await place();
    await turn();
    const waits: number[] = [];
    for (;;) {
      const [{ state, nextAttemptAt }] = await listed();
      if (state !== 'PENDING') break;
      waits.push((Date.parse(nextAttemptAt) - test.clock.now().getTime()) / 1_000);
      test.clock.forward(Date.parse(nextAttemptAt) - test.clock.now().getTime());
      await turn();
    }
    const usual = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
    expect(waits).toHaveLength(usual.length);
    for (const [index, wait] of waits.entries()) expect(Math.abs(wait / (usual[index] as number) - 1)).toBeLessThan(0.21);
    expect((await listed())[0]).toMatchObject({ state: 'DEAD' });
    expect(receiver.received).toHaveLength(8);
    expect(await countOf(test, 'webhook_attempt')).toBe(8);
    expect(await test.events('webhook.attempt')).toHaveLength(8);
  });

  it('are kept for thirty days once they wait no more, with each try, and removed a batch at a time', async () => {
    await start();
    receiver.answer = () => ({ status: 500 });
    const ids: (string | undefined)[] = [];
    for (const rule of ['agent-breadth', 'agent-thin-work']) ids.push(await place(rule));
    await turn();
    const [{ id: waiting }, { id: sent }] = await listed();
    const { database } = test.app;
    await tamper(database, "UPDATE webhook_delivery SET state = 'DONE' WHERE id = ?", [sent]);
    // Sent again and again, it has more tries than go in one change.
    const tries = Array.from({ length: 1_100 }, (_, n) => `('wha_${n}', '${sent}', 1, 500, 'status', 1)`);
    await tamper(
      database,
      `INSERT INTO webhook_attempt (id, delivery_id, at, status, fault, milliseconds) VALUES ${tries.join()}`,
    );
    const day = 24 * 3_600_000;
    test.clock.forward(30 * day);
    expect([await removeMessages(database, test.clock.now()), await countOf(test, 'webhook_delivery')]).toEqual([false, 2]);
    test.clock.forward(1);
    const counts: unknown[] = [];
    for (let isMore = true; isMore; ) {
      isMore = await removeMessages(database, test.clock.now());
      counts.push([await countOf(test, 'webhook_delivery'), await countOf(test, 'webhook_attempt')]);
    }
    // What waits is kept, however long it does.
    expect(counts).toEqual([
      [2, 602],
      [2, 102],
      [1, 1],
    ]);
    expect((await listed()).map(({ id }: { id: string }) => id)).toEqual([waiting]);
    const forgotten = (await test.events('webhook.forget')).map(({ detail }) => detail as { messages: number; attempts: number });
    expect(forgotten.sort((a, b) => a.messages - b.messages)).toEqual([
      { messages: 0, attempts: 500 },
      { messages: 0, attempts: 500 },
      { messages: 1, attempts: 101 },
    ]);
  });

  it('of an endpoint that is gone stop, and go on where they stopped once somebody replays them', async () => {
    await start();
    receiver.answer = () => ({ status: 410 });
    await place();
    await turn();
    await place('agent-thin-work');
    await turn();
    expect(receiver.received).toHaveLength(1);
    expect(await listed()).toEqual([expect.objectContaining({ state: 'DEAD', attempts: [{ status: 410, fault: 'gone' }] })]);
    receiver.answer = () => ({ status: 200 });
    expect(told(await test.as('oz', replay))).toEqual({ data: { replayWebhooks: 1 }, errors: [] });
    await turn();
    // About two things, so in either order.
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
    expect(ids).toHaveLength(3);
    expect(ids.slice(1)).toContain(ids[0]);
    expect((await listed()).map(({ state }: { state: string }) => state)).toEqual(['DONE', 'DONE']);
  });

  it('follow no redirect', async () => {
    await start();
    receiver.answer = () => ({ status: 307, location: `${receiver.url}/elsewhere` });
    await place();
    await turn();
    expect(receiver.received).toHaveLength(1);
    expect((await listed())[0]).toMatchObject({ state: 'PENDING', attempts: [{ status: 307, fault: 'redirect' }] });
  });

  it.each([
    ['a name that leads to this machine', (url: string) => url],
    ['an address of this machine', (url: string) => url.replace('localhost', '127.0.0.1')],
    ['the same within IPv6', (url: string) => url.replace('localhost', '[::ffff:127.0.0.1]')],
  ])('never connect to %s, unless its network is named', async (_, change) => {
    await start({ networks: [] });
    const [endpoint] = test.app.config.webhooks;
    Reflect.set(endpoint as object, 'url', change(receiver.url));
    await turn();
    await place();
    await turn();
    expect(receiver.received).toEqual([]);
    expect((await listed())[0]).toMatchObject({ attempts: [{ status: null, fault: 'private-address' }] });
  });

  it('trust no certificate that nobody named', async () => {
    await start({ ca: undefined });
    await place();
    await turn();
    expect(receiver.received).toEqual([]);
    expect((await listed())[0]).toMatchObject({ attempts: [{ status: null, fault: 'certificate' }] });
  });

  it('are written once, however many processes follow the log', async () => {
    await start();
    await place();
    await test.app.signingLog?.sequencer.turn();
    await Promise.all(Array.from({ length: 5 }, () => test.app.webhooks.telling?.follower.turn()));
    await test.app.webhooks.telling?.outbox.drain();
    expect(receiver.received).toHaveLength(1);
  });

  it('tell only of what an endpoint asked for', async () => {
    await start({ types: ['brake.released'] });
    await place();
    await turn();
    expect(receiver.received).toEqual([]);
  });

  it.each([
    ['an endpoint that isn’t there', { endpoint: 'nobody' }, 'input.endpoint'],
    ['an end before the beginning', { from: '2026-02-01T00:00:00Z', before: '2026-01-01T00:00:00Z' }, 'input.before'],
  ])('aren’t replayed for %s', async (_, variables, argument) => {
    await start();
    expect(told(await test.as('oz', replay, variables)).errors).toEqual([['replayWebhooks', 'INVALID', argument]]);
  });

  it('are denied to whom the policy doesn’t name', async () => {
    await start();
    expect(told(await test.as('ana', deliveries)).errors).toEqual([['webhookDeliveries', 'DENIED', 'ROLE']]);
    expect(told(await test.as('ada', replay))).toEqual({ data: null, errors: [['', 'DENIED', 'ROLE']] });
    expect(told(await test.as('oz', replay)).errors).toEqual([]);
  });
});
