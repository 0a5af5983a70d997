import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TestApp, TestClock } from '../support/app';

const oneKey = Buffer.from('a key of a shop, of 32 bytes, one');
const nextKey = Buffer.from('a key of a shop, of 32 bytes, two');
const otherKey = Buffer.from('a key of somebody else, 32 bytes.');

const single = 'application/cloudevents+json';
const batch = 'application/cloudevents-batch+json';

const importUntil = new Date(new TestClock().now().getTime() + 86_400_000);
let test: TestApp;
/** An issuer whose keys don't come. */
const silent = createServer(() => {});
beforeAll(async () => {
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const jwksUri = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/jwks`;
  test = await TestApp.start({
    config: {
      signals: {
        sources: [
          { name: 'shop', secrets: [oneKey, nextKey], payments: 'demo-pay', helpdesk: 'demo', lateHours: 6 },
          { name: 'till', secrets: [otherKey], lateHours: 6 },
          { name: 'login', secrets: [], tokens: { issuer: 'https://login.example.com', audience: 'us', jwksUri }, lateHours: 6 },
          { name: 'import', secrets: [oneKey], lateHours: 6, importUntil },
        ],
      },
    },
  });
});
afterAll(async () => {
  await test.stop();
  silent.closeAllConnections();
  silent.close();
});

const event = (id: string, data: Record<string, unknown> | string = {}, more: Record<string, unknown> = {}) => ({
  specversion: '1.0',
  id,
  source: '/checkout',
  type: 'payment.attempt.declined',
  time: test.clock.now().toISOString(),
  data,
  ...more,
});

interface Sending {
  readonly to?: string;
  readonly type?: string;
  readonly key?: Buffer;
  readonly at?: Date;
  readonly headers?: Readonly<Record<string, string>>;
}
const send = async (content: unknown, { to = 'shop', type = single, key = oneKey, at, headers = {} }: Sending = {}) => {
  const body = typeof content === 'string' ? content : JSON.stringify(content);
  const timestamp = String(Math.floor((at ?? test.clock.now()).getTime() / 1_000));
  const signature = createHmac('sha256', key).update(`msg_1.${timestamp}.`).update(body).digest('base64');
  const answer = await test.server.inject({
    method: 'POST',
    url: `/signals/${to}`,
    headers: {
      'content-type': type,
      'webhook-id': 'msg_1',
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
      ...headers,
    },
    payload: body,
  });
  const told = answer.body === '' ? {} : (answer.json() as Record<string, unknown>);
  return { status: answer.statusCode, ...told };
};
const stored = (id: string) =>
  test.app.database.query<Record<string, unknown>>('SELECT * FROM risk_signal WHERE event_id = ? ORDER BY source', [id]);
const count = async () => Number((await test.app.database.query('SELECT COUNT(*) AS n FROM risk_signal'))[0]?.n);
const refused = (status: number, code: string, message: string) => ({
  status,
  errors: [{ message: expect.stringContaining(message) as string, extensions: expect.objectContaining({ code }) as object }],
});

describe('signals that others send', () => {
  it('are stored once, acknowledged however often they come, and the log says how many were new', async () => {
    const first = await send(event('evt-1', { subjects: { ip: '203.0.113.9' }, facts: { country: 'IE' } }));
    expect(first).toEqual({ status: 202, received: 1, stored: 1 });
    expect(await send(event('evt-1'))).toEqual({ status: 202, received: 1, stored: 0 });
    expect(await send([event('evt-1'), event('evt-2'), event('evt-3'), event('evt-3')], { type: batch })).toEqual({
      status: 202,
      received: 4,
      stored: 2,
    });
    expect(await send(event('evt-1'), { to: 'till', key: otherKey })).toEqual({ status: 202, received: 1, stored: 1 });
    const events = await test.events('signal.receive');
    expect(events.map(({ subject, detail, actor }) => [subject, detail, (actor as { id: string }).id])).toEqual(
      expect.arrayContaining([
        [{ type: 'SignalSource', id: 'shop' }, { signals: 1 }, 'system:receiver'],
        [{ type: 'SignalSource', id: 'shop' }, { signals: 2 }, 'system:receiver'],
        [{ type: 'SignalSource', id: 'till' }, { signals: 1 }, 'system:receiver'],
      ]),
    );
    expect(events).toHaveLength(3);
    expect(await stored('evt-1')).toMatchObject([
      { source: 'shop', type: 'payment.attempt.declined', country: 'IE' },
      { source: 'till', ip: null },
    ]);
  });

  it('may come as lines of one event, each with its own id', async () => {
    const line = (id: string) => JSON.stringify({ id, type: 'ticket.contact', occurredAt: test.clock.now().toISOString() });
    const lines = event('many', `${line('l-1')}\n\n${line('l-2')}\n`, { datacontenttype: 'application/x-ndjson' });
    expect(await send(lines)).toEqual({ status: 202, received: 2, stored: 2 });
    expect(await stored('l-2')).toMatchObject([{ type: 'ticket.contact' }]);
  });

  it('are about ours by the references of the sources that their sender names by', async () => {
    const [ours] = await test.app.database.query<{ id: string; reference: string; payer: string }>(
      'SELECT t.id, t.reference, t.payment_customer_id AS payer FROM payment_transaction t ORDER BY t.id LIMIT 1',
    );
    const [ticket] = await test.app.database.query<{ id: string; reference: string }>(
      'SELECT id, reference FROM helpdesk_ticket ORDER BY id LIMIT 1',
    );
    const subjects = {
      payment: ours?.reference,
      ticket: ticket?.reference,
      staff: 'ana',
      customer: 'nobody that is known',
      order: 'order-4711',
      team: 'cards',
      device: 'a fingerprint',
    };
    expect(await send(event('ours', { subjects }))).toMatchObject({ status: 202, stored: 1 });
    expect(await send(event('theirs', { subjects }), { to: 'till', key: otherKey })).toMatchObject({ stored: 1 });
    const digest = expect.stringMatching(/^sub_[a-z2-7]{32}$/) as string;
    const [known] = await stored('ours');
    const [unknown] = await stored('theirs');
    expect(known).toMatchObject({
      payment: ours?.id,
      ticket: ticket?.id,
      customer: digest,
      order_subject: digest,
      team: 'cards',
    });
    expect(known?.staff).toMatch(/^stf_/);
    // A team of a helpdesk that isn’t named is none of those that are known.
    expect(unknown).toMatchObject({ payment: digest, ticket: digest, staff: digest, customer: digest, team: digest });
    // One customer, two senders who name by different books; a device is one wherever it comes from.
    expect([unknown?.customer === known?.customer, unknown?.device === known?.device]).toEqual([false, true]);
  });

  const isPast = async (eventId: string) => {
    await test.app.signals.service.turn();
    const [row] = await stored(eventId);
    const days = await test.app.database.query('SELECT day FROM risk_signal_day WHERE value IN (?, ?, ?)', [
      row?.customer,
      row?.card,
      row?.email_domain,
    ]);
    return { isBackdated: Number(row?.backdated ?? 0) === 1, days: days.length };
  };
  const ago = (hours: number) => new Date(test.clock.now().getTime() - hours * 3_600_000).toISOString();
  it('that are told long after they occurred are kept, and are nobody’s past', async () => {
    const paid = (name: string) => ({
      type: 'payment.attempt.succeeded',
      subjects: { customer: `c-${name}`, card: `k-${name}`, device: `d-${name}`, emailDomain: `${name}.example` },
      facts: { country: 'BR', amount: { minorUnits: 1, currency: 'EUR' }, customerSince: '2015-01-01' },
    });
    const times = [0, 5.9, 6.1, 24, 3 * 24, 28 * 24, 179 * 24];
    for (const hours of times)
      expect(await send(event(`old-${hours}`, { ...paid(`old${hours}`), occurredAt: ago(hours) }))).toMatchObject({ stored: 1 });
    const found = [];
    for (const hours of times) found.push(await isPast(`old-${hours}`));
    expect(found).toEqual(times.map((hours) => ({ isBackdated: hours > 6, days: hours > 6 ? 0 : 3 })));
  });

  it('may tell of any day while the operator has what was before imported, and not afterwards', async () => {
    const sending = { to: 'import', key: oneKey };
    const past = (name: string) => ({
      type: 'ticket.contact',
      subjects: { customer: name, card: name, emailDomain: `${name}.example` },
    });
    await send(event('import-1', { ...past('zz-1'), occurredAt: ago(100 * 24) }), sending);
    expect(await isPast('import-1')).toEqual({ isBackdated: false, days: 3 });
    test.clock.forward(86_400_000);
    await send(event('import-2', { ...past('zz-2'), occurredAt: ago(100 * 24) }), sending);
    expect(await isPast('import-2')).toEqual({ isBackdated: true, days: 0 });
  });

  it('leave nothing personal in clear', async () => {
    const canaries = ['zq-customer', 'zq-card', 'zq-device', '198.51.100.77', 'zq-domain.example', 'zq-order', 'zq-payment'];
    const [customer, card, device, ip, emailDomain, order, payment] = canaries;
    const subjects = { customer, card, device, ip, emailDomain, order, payment, ticket: 'zq-ticket', staff: 'zq-staff' };
    await send(event('canaries', { subjects, note: 'zq-note', facts: { note: 'zq-note' } }));
    const rows = JSON.stringify([await stored('canaries'), await test.events('signal.receive'), test.logLines]);
    expect([...canaries, 'zq-ticket', 'zq-staff', 'zq-note'].filter((canary) => rows.includes(canary))).toEqual([]);
  });

  it.each([
    'insufficient_funds',
    'online_or_offline_pin_required',
    'payment_intent_authentication_failure',
    '05',
    'N7',
    '20051',
    'MAC-03',
    '3ds_required',
    'DoNotHonor',
  ])('say %s as providers and card networks do', async (code) => {
    const facts = { declineCode: code, advice: code, outcome: 'fine' };
    expect(await send(event(`code-${code}`, { facts }))).toMatchObject({ status: 202, stored: 1 });
    expect(await stored(`code-${code}`)).toMatchObject([{ decline_code: code, advice: code, outcome: 'fine' }]);
  });

  it.each(['john_smith', 'ZqWord', 'insufficient_john', 'Smith', 'abc'])(
    'keep nothing of %s, which no provider says',
    async (word) => {
      const facts = { declineCode: word, advice: word };
      expect(await send(event(`word-${word}`, { facts }))).toMatchObject({ status: 202, stored: 1 });
      const rows = await stored(`word-${word}`);
      expect(rows).toMatchObject([{ decline_code: 'other', advice: 'other' }]);
    },
  );

  it('tell of claims, and of types that nobody reads', async () => {
    for (const type of ['ticket.claim', 'com.example.shop.v2'])
      expect(await send(event(`of-${type}`, { type, facts: { outcome: 'contradicted' } }))).toMatchObject({
        status: 202,
        stored: 1,
      });
  });

  it('are one subject whatever form an address or a domain comes in', async () => {
    const [one, two] = [
      { ip: '2001:db8:0:0:0:0:0:7', emailDomain: 'Example.COM' },
      { ip: '2001:DB8::7', emailDomain: 'example.com.' },
    ];
    await send([event('form-1', { subjects: one }), event('form-2', { subjects: two })], { type: batch });
    const [[first], [second]] = [await stored('form-1'), await stored('form-2')];
    expect([second?.ip, second?.email_domain]).toEqual([first?.ip, first?.email_domain]);
  });

  it('are taken under either of two secrets while one replaces the other, and of several signatures one suffices', async () => {
    expect(await send(event('rotated'), { key: nextKey })).toMatchObject({ status: 202 });
    const body = JSON.stringify(event('both'));
    const timestamp = String(test.clock.now().getTime() / 1_000);
    const good = createHmac('sha256', oneKey).update(`msg_1.${timestamp}.`).update(body).digest('base64');
    const headers = { 'webhook-signature': `v1a,xyz v1,${Buffer.alloc(32).toString('base64')} v1,${good}` };
    expect(await send(body, { headers })).toMatchObject({ status: 202 });
  });

  const unproven: readonly (readonly [string, Sending])[] = [
    ['under another’s secret', { key: otherKey }],
    ['without a signature', { headers: { 'webhook-signature': '' } }],
    ['with a signature of another version', { headers: { 'webhook-signature': 'v2,AAAA' } }],
    ['with a signature that isn’t one', { headers: { 'webhook-signature': 'v1,%%%' } }],
    ['over another id', { headers: { 'webhook-id': 'msg_2' } }],
    ['without an id', { headers: { 'webhook-id': '' } }],
    ['over another time', { headers: { 'webhook-timestamp': '1700000000' } }],
    ['to a name that nobody has', { to: 'zq-nobody' }],
  ];
  it.each(unproven)('%s aren’t believed, and nothing of them is stored', async (_, sending) => {
    const before = await count();
    expect(await send(event('unproven'), sending)).toEqual(refused(401, 'UNAUTHENTICATED', 'not proven'));
    expect(await count()).toBe(before);
  });

  it.each([-301, 301])('signed %d s from now aren’t believed', async (seconds) => {
    const at = new Date(test.clock.now().getTime() + seconds * 1_000);
    expect(await send(event('old'), { at })).toMatchObject({ status: 401 });
  });

  const soon = () => new Date(test.clock.now().getTime() + 299_000).toISOString();
  const future = () => new Date(test.clock.now().getTime() + 301_000).toISOString();
  it('that tell of the future are refused, with all that came with them', async () => {
    const before = await count();
    const answer = await send([event('now'), event('soon', {}, { time: future() })], { type: batch });
    expect(answer).toEqual(refused(400, 'INVALID', 'not in the future'));
    expect(await count()).toBe(before);
    expect(await send(event('soon', { occurredAt: soon() }))).toMatchObject({ status: 202, stored: 1 });
  });

  const invalid: readonly (readonly [string, () => unknown, Sending | undefined, string])[] = [
    ['no JSON', () => '{', undefined, 'expected JSON'],
    ['a list where one event is said', () => [event('a')], undefined, 'body'],
    ['one event where a list is said', () => event('a'), { type: batch }, 'expected a list of events'],
    ['another media type', () => event('a'), { type: 'application/json' }, single],
    ['another version of CloudEvents', () => event('a', {}, { specversion: '0.3' }), undefined, 'CloudEvents 1.0'],
    ['no data', () => ({ ...event('a'), data: undefined }), undefined, 'data'],
    ['a text that isn’t lines', () => event('a', 'x'), undefined, 'application/x-ndjson'],
    ['an id that is too long', () => event('a', { id: 'x'.repeat(256) }), undefined, 'at most 255'],
    ['an id that may hold anything', () => event('a', { id: 'x\u0001' }), undefined, 'printable ASCII'],
    ['half a character', () => event('a', { id: 'x\ud800' }), undefined, 'printable ASCII'],
    ['a card number in its id', () => event('a', { id: '4242424242424242-0' }), undefined, 'no card number'],
    ['a card number for a team', () => event('a', { subjects: { team: '4242 4242 4242 4242' } }), undefined, 'no card number'],
    ['a team that can’t be seen', () => event('a', { subjects: { team: 'cards\u202e' } }), undefined, 'can be seen'],
    ['half a character for a customer', () => event('a', { subjects: { customer: 'x\ud800' } }), undefined, 'name of a subject'],
    ...['4242424242424242', '4242-4242-4242-4242', 'NDI0MjQyNDI0MjQyNDI0Mg'].flatMap(
      (number) =>
        [
          [
            `a card number for a code: ${number}`,
            () => event('a', { facts: { declineCode: number } }),
            undefined,
            'no card number',
          ],
          [`a card number for advice: ${number}`, () => event('a', { facts: { advice: number } }), undefined, 'no card number'],
          [`a card number in its type: ${number}`, () => event('a', { type: `x.${number}` }), undefined, 'no card number'],
        ] as const,
    ),
    ['a card number for an outcome', () => event('a', { facts: { outcome: '5555555555554444' } }), undefined, 'one of fraud'],
    ...[
      'she read out 4242',
      'john.smith:example.com',
      'John_Smith_1970-01-01',
      '700101',
      'a_b_c_d_e_f_g',
      'x'.repeat(25),
      '',
    ].flatMap(
      (text) =>
        [
          [
            `a text for a code: ${text}`,
            () => event('a', { facts: { declineCode: text } }),
            undefined,
            'expected a code such as',
          ],
          [`a text for advice: ${text}`, () => event('a', { facts: { advice: text } }), undefined, 'expected a code such as'],
          [`a text for an outcome: ${text}`, () => event('a', { facts: { outcome: text } }), undefined, 'one of fraud'],
        ] as const,
    ),
    ['a birth date in its type', () => event('a', { type: 'x.john.1970-01-01' }), undefined, 'expected a type such as'],
    ['what staff report', () => event('a', { type: 'ticket.concern' }), undefined, 'docs/signals.md lists'],
    ['what staff were shown', () => event('a', { type: 'staff.disclosure' }), undefined, 'docs/signals.md lists'],
    ['another’s name', () => event('a', { source: 'till' }), undefined, 'the name that you send to'],
    ['an instant without its offset', () => event('a', { occurredAt: '2026-09-01T09:00:00' }), undefined, 'RFC 3339'],
    [
      'an amount that isn’t whole',
      () => event('a', { facts: { amount: { minorUnits: 1.5, currency: 'EUR' } } }),
      undefined,
      'whole',
    ],
    [
      'an address in place of a domain',
      () => event('a', { subjects: { emailDomain: 'zq@x.example' } }),
      undefined,
      'domain alone',
    ],
    [
      'more than a thousand',
      () => Array.from({ length: 1_001 }, (_, index) => event(`n${index}`)),
      { type: batch },
      '1000 signals',
    ],
  ];
  it.each(invalid)('with %s are refused, by where it stands, and nothing is stored', async (_, content, sending, message) => {
    const before = await count();
    const answer = await send(content(), sending);
    expect(answer).toEqual(refused(400, 'INVALID', message));
    expect([JSON.stringify(answer).includes('zq@'), await count()]).toEqual([false, before]);
  });

  it('of a proven sender are taken while any number of others wait for their proof', async () => {
    const part = (content: object) => Buffer.from(JSON.stringify(content)).toString('base64url');
    const claims = { iss: 'https://login.example.com', aud: 'us', jti: 'j', iat: 1_780_000_000, events: {} };
    const token = `${part({ alg: 'RS256', typ: 'secevent+jwt', kid: 'k' })}.${part(claims)}.${'A'.repeat(342)}`;
    const push = async () =>
      (
        await test.server.inject({
          method: 'POST',
          url: '/signals/login',
          headers: { 'content-type': 'application/secevent+jwt' },
          payload: token,
        })
      ).statusCode;
    const isAsked = once(silent, 'request');
    const flood = Array.from({ length: 150 }, push);
    await isAsked;
    const garbage = Array.from({ length: 150 }, () => send('x'.repeat(500_000), { key: otherKey }));
    expect(await send(event('meanwhile'))).toMatchObject({ status: 202, stored: 1 });
    const answers = [...(await Promise.all(flood)), ...(await Promise.all(garbage)).map(({ status }) => status)];
    expect(new Set(answers)).toEqual(new Set([503, 401]));
  });

  it('of a thousand in one request are taken, and more bytes than a megabyte are not', async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => event(`k${index}`, { subjects: { customer: `c${index}` } }));
    expect(await send(many, { type: batch })).toEqual({ status: 202, received: 1_000, stored: 1_000 });
    expect(await send(`"${'x'.repeat(1024 * 1024)}"`)).toEqual(refused(413, 'INVALID', 'at most 1024 KiB'));
  });

  it('are told of in the metrics, under the names of configured senders alone', async () => {
    await send(event('unproven'), { to: 'zq-nobody' });
    const { body } = await test.server.inject({ method: 'GET', url: '/metrics' });
    expect(body).toMatch(/counterfoil_signals_received_total\{source="shop",outcome="stored"\} 1\d{3}/);
    expect(body).toMatch(/counterfoil_signal_requests_refused_total\{source="\(unproven\)"\} \d+/);
    expect(body).not.toContain('zq-nobody');
  });

  it('get their place in the feed even while others never cease to be stored', async () => {
    let end = () => {};
    const endless = test.app.signals.service.take(
      () =>
        new Promise<void>((resolve) => {
          end = resolve;
        }),
    );
    await send(event('beside'));
    await test.app.signals.service.turn();
    const [row] = await stored('beside');
    expect(await test.app.database.query('SELECT position FROM risk_feed WHERE signal_id = ?', [row?.id])).toHaveLength(1);
    end();
    await endless;
  });

  it('get their place in the feed', async () => {
    await test.app.signals.service.turn();
    const { body } = await test.server.inject({ method: 'GET', url: '/metrics' });
    expect(body).toContain('counterfoil_signals_pending 0');
    const [end] = await test.app.database.query('SELECT MAX(position) AS last, COUNT(*) AS n FROM risk_feed');
    expect([Number(end?.last), Number(end?.n)]).toEqual([await count(), await count()]);
  });
});
