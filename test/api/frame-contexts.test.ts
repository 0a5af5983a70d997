import { createHmac, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { SignedContext, SignedInActor } from '../../src/authz/actor';
import { countOf } from '../support/answers';
import { tamper } from '../support/audit-log';
import { builtConsole } from '../support/built-console';
import { FramedApp, signedFor } from '../support/framed';

const secret = 'a secret of sixteen characters and more';
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const { privateKey: foreignKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const address = 'https://gateway.example/embed/demo';
const installation = 'https://shop.zendesk.com/api/v2/apps/installations/7.json';

const second = 1_000;
const opened = (reference = '1001') => `{ ticketByReference(source: "demo", reference: "${reference}") { reference } }`;

interface Given {
  readonly user?: string;
  readonly ticket?: string;
  readonly audience?: string;
  readonly at?: Date;
  readonly key?: Uint8Array | KeyObject;
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, unknown>;
}

describe('what Request Tracker’s extension signs for a page', () => {
  let desk: FramedApp;
  beforeAll(async () => {
    desk = await FramedApp.start(
      ['demo', 'second'].map((source) => ({
        source,
        origins: ['https://desk.example'],
        signed: { kind: 'rt' as const, secret },
      })),
      { policy: signedFor('demo') },
    );
  }, 120_000);
  afterAll(() => desk.stop());

  const signed = ({ user = 'ana', ticket = '1001', audience = address, at, key, claims = {}, header = {} }: Given = {}) => {
    const now = Math.floor((at ?? desk.test.clock.now()).getTime() / second);
    return new SignJWT({ ticket, ...claims })
      .setProtectedHeader({ alg: 'HS256', typ: 'counterfoil-context+jwt', ...header })
      .setSubject(user)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + 60)
      .setJti(randomUUID())
      .sign(key ?? new TextEncoder().encode(secret));
  };
  const take = async (context: string, source = 'demo') => desk.post('/frame/contexts', { source, context });
  const refusals = async () => (await desk.test.events('frame.refuse')).map(({ detail }) => (detail as { why: string }).why);
  const receiptFor = async (given: Given = {}): Promise<string> => (await take(await signed(given))).body.receipt;
  const askWith = async (user: string, receipt: string | null, query = opened(), source = 'demo') =>
    desk.ask(await desk.frame(await desk.browser(user), source), query, {
      source,
      headers: receipt === null ? {} : { 'counterfoil-context': receipt },
    });

  it('shows that ticket to that person', async () => {
    const receipt = await receiptFor();
    expect(await askWith('ana', receipt)).toMatchObject({ data: { ticketByReference: { reference: '1001' } }, reasons: [] });
    // However long they took to sign in: the receipt is for the page that is there.
    desk.test.clock.forward(10 * 60 * second);
    expect((await askWith('ana', receipt)).reasons).toEqual([]);
  });

  it('is taken of all in an office, which has one address, as each of them opens tickets', async () => {
    const answers = await Promise.all(Array.from({ length: 250 }, async () => (await take(await signed())).status));
    expect(answers.filter((status) => status !== 200)).toEqual([]);
  });

  it('shows it to nobody else who is signed in here, and says so', async () => {
    const before = (await desk.test.events('denial')).length;
    const { reasons, told, data } = await askWith('sam', await receiptFor());
    expect({ reasons, data }).toEqual({ reasons: ['ACTOR_MISMATCH'], data: null });
    expect(told[0]).toMatchObject({ code: 'DENIED' });
    expect((await desk.test.events('denial')).slice(before)).toHaveLength(1);
    expect((await askWith('ana', await receiptFor({ user: 'nobody-of-the-staff' }))).reasons).toEqual(['ACTOR_MISMATCH']);
  });

  it('is demanded where the policy demands it, for that very ticket, whichever way it is asked for', async () => {
    expect((await askWith('ana', null)).reasons).toEqual(['UNSIGNED']);
    expect((await askWith('ana', 'made up')).reasons).toEqual(['INVALID']);
    const receipt = await receiptFor();
    const id = (
      await desk.ask(
        await desk.frame(await desk.browser('ana')),
        '{ ticketByReference(source: "demo", reference: "1001") { id } }',
        {
          headers: { 'counterfoil-context': receipt },
        },
      )
    ).data.ticketByReference.id;
    expect((await askWith('ana', null, `{ ticket(id: "${id}") { id } }`)).reasons).toEqual(['UNSIGNED']);
    const beside = `{ viewer { assistance(ticketId: "${id}") { state } } }`;
    expect((await askWith('ana', receipt, beside)).data).toEqual({ viewer: { assistance: { state: 'LIVE' } } });
    expect((await askWith('ana', await receiptFor({ ticket: '1002' }), beside)).data).toEqual({ viewer: { assistance: null } });
    expect((await askWith('ana', await receiptFor({ ticket: '1002' }), `{ ticket(id: "${id}") { id } }`)).reasons).toEqual([
      'UNSIGNED',
    ]);
    expect((await askWith('ana', receipt, opened('1002'))).reasons).toEqual(['UNSIGNED']);
    expect((await askWith('ana', receipt, `{ ticket(id: "${id}") { id } }`)).reasons).toEqual([]);
  });

  it('is for that ticket’s customer alone', async () => {
    const of = `{ ticketByReference(source: "demo", reference: "1001") { customer { id } } }`;
    const receipt = await receiptFor();
    const opened = await askWith('ana', receipt, of);
    const query = `{ customer(id: "${opened.data.ticketByReference.customer.id}") { id } }`;
    expect((await askWith('ana', receipt, query)).reasons).toEqual([]);
    expect((await askWith('ana', await receiptFor({ ticket: '1002' }), query)).reasons).toEqual(['UNSIGNED']);
    expect((await askWith('ana', null, query)).reasons).toEqual(['UNSIGNED']);
  });

  it('is held against whoever asks for as long as its page is there, and no page goes on as if it were unsigned', async () => {
    const [before, receipt] = [(await refusals()).length, await receiptFor()];
    const here = await desk.frame(await desk.browser('ana'), 'second');
    for (const given of ['made up', `${receipt.slice(0, -4)}AAAA`, receipt]) {
      const { status, told } = await desk.ask(here, '{ viewer { id } }', {
        source: 'second',
        headers: { 'counterfoil-context': given },
      });
      expect({ status, told }).toMatchObject({ status: 400, told: [{ code: 'INVALID', rule: 'frame.context' }] });
    }
    expect((await refusals()).slice(before)).toEqual(['context', 'context', 'context']);
    desk.test.clock.forward(25 * 3_600 * second);
    expect((await askWith('ana', receipt)).reasons).toEqual(['INVALID']);
  });

  it('is for that ticket alone, whatever of it leads to another one', async () => {
    const { embeds, services, database } = desk.test.app;
    const stored = await database.query<{ id: string; reference: string }>(
      "SELECT id, reference FROM helpdesk_ticket WHERE source = 'demo' AND reference IN ('1001', '1002')",
    );
    const ids = stored.map(({ id }) => id);
    const browser = await desk.browser('ana');
    /** As a hold, an alert or an earlier request leads to its ticket. */
    const reached = async (source: string, signed: SignedContext | null) => {
      const cookie = await desk.frame(browser, source);
      const arrival = await embeds?.frames.arriveBy({ cookie, source, signed }, null);
      const found = await services.tickets.reachable(arrival?.actor as SignedInActor, ids, null);
      return found.map(({ reference }) => reference).sort();
    };
    expect(await reached('demo', { reference: '1001', user: [] })).toEqual(['1001']);
    // Where what was signed names no ticket, or nothing was, those of that helpdesk.
    expect(await reached('demo', { reference: null, user: [] })).toEqual(['1001', '1002']);
    expect(await reached('demo', null)).toEqual(['1001', '1002']);
    expect(await reached('second', null)).toEqual([]);
  });

  it('is no way to a ticket that isn’t theirs', async () => {
    const { reasons } = await askWith('ana', await receiptFor({ ticket: '999999' }), opened('999999'));
    expect(reasons).toEqual(['NOT_FOUND']);
  });

  it.each<[string, () => Promise<string>, string]>([
    ['forged', () => signed({ key: new TextEncoder().encode('another secret of that many') }), 'context-signature'],
    ['without a signature', async () => unsecured({ sub: 'ana', ticket: '1001', aud: address }), 'context-signature'],
    [
      'by a key that everybody has',
      () => signed({ header: { alg: 'HS512' }, key: new TextEncoder().encode(secret.repeat(2)) }),
      'context-signature',
    ],
    ['a minute old and more', () => signed({ at: new Date(desk.test.clock.now().getTime() - 71 * second) }), 'context-age'],
    ['of the future', () => signed({ at: new Date(desk.test.clock.now().getTime() + 30 * second) }), 'context-age'],
    ['for another helpdesk’s frame', () => signed({ audience: 'https://gateway.example/embed/second' }), 'context-audience'],
    ['for another gateway', () => signed({ audience: 'https://other.example/embed/demo' }), 'context-audience'],
    ['of another kind', () => signed({ header: { typ: 'JWT' } }), 'context'],
    ['without a ticket', () => signed({ claims: { ticket: undefined } }), 'context'],
    ['that isn’t one', async () => 'nonsense', 'context'],
  ])('isn’t taken when it is %s', async (_, make, why) => {
    desk.test.clock.forward(second);
    const before = (await refusals()).length;
    const rows = await countOf(desk.test, 'frame_use');
    expect(await take(await make())).toMatchObject({
      status: 400,
      code: 'INVALID',
      rule: 'frame.context',
      body: { errors: [{}] },
    });
    expect((await refusals()).slice(before)).toEqual([why]);
    expect(await countOf(desk.test, 'frame_use')).toBe(rows);
  });

  it('is taken once, by whoever is first', async () => {
    desk.test.clock.forward(second);
    const context = await signed();
    const answers = await Promise.all(Array.from({ length: 4 }, () => take(context)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400]);
    expect(new Set((await refusals()).slice(-3))).toEqual(new Set(['context-used']));
  });

  it('gives a receipt that is good in frames of its helpdesk alone, and says nothing to who reads it', async () => {
    const receipt = await receiptFor();
    expect(Buffer.from(receipt, 'base64url').toString('latin1')).not.toMatch(/ana|1001/);
    expect((await askWith('ana', receipt, '{ viewer { id } }', 'second')).reasons).toEqual(['INVALID']);
    const arrival = desk.test.app.embeds?.contexts;
    expect(arrival?.opened(receipt, 'second')).toBeNull();
    expect(arrival?.opened(receipt, 'demo')).toMatchObject({ reference: '1001' });
    desk.test.clock.forward(24 * 3_600 * second);
    expect(arrival?.opened(receipt, 'demo')).toBeNull();
    const [demo, other] = [await signed({ audience: 'https://gateway.example/embed/second' }), await signed()];
    expect((await take(demo, 'second')).status).toBe(200);
    expect((await take(other, 'second')).status).toBe(400);
  });

  it('is put on record twenty times a minute at most, however often it is refused', async () => {
    desk.test.clock.forward(61 * second);
    const before = (await refusals()).length;
    for (let n = 0; n < 30; n += 1) await take(`nonsense ${n}`);
    expect((await refusals()).length - before).toBe(20);
  });
});

const unsecured = (claims: object): string => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none', typ: 'counterfoil-context+jwt' })}.${part({ iat: 0, exp: 1e10, jti: randomUUID(), ...claims })}.`;
};

describe('what Zendesk signs for an app, by its documented format', () => {
  let desk: FramedApp;
  const anaAtZendesk = '4711';
  beforeAll(async () => {
    desk = await FramedApp.start(
      [
        {
          source: 'demo',
          origins: ['https://shop.zendesk.com'],
          signed: { kind: 'zendesk', subdomain: 'shop', installation: 7, publicKey },
        },
      ],
      { consoleFolder: builtConsole(), policy: signedFor('demo') },
    );
    const { database } = desk.test.app;
    const [row] = await database.query<{ id: string }>(
      'SELECT s.id FROM helpdesk_staff s JOIN helpdesk_ticket t ON t.assignee_id = s.id WHERE t.reference = ?',
      ['1001'],
    );
    await tamper(database, 'UPDATE helpdesk_staff SET reference = ? WHERE id = ?', [anaAtZendesk, row?.id]);
  }, 120_000);
  afterAll(() => desk.stop());

  const signed = ({
    user = anaAtZendesk,
    audience = installation,
    at,
    key = privateKey,
    claims = {},
    header = {},
  }: Given = {}) => {
    const now = Math.floor((at ?? desk.test.clock.now()).getTime() / second);
    return new SignJWT({ jti: randomUUID(), context: { product: 'support', location: 'ticket_sidebar' }, ...claims })
      .setProtectedHeader({ alg: 'RS256', ...header })
      .setIssuer('shop.zendesk.com')
      .setSubject(`https://shop.zendesk.com/api/v2/users/${user}.json`)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + 300)
      .sign(key);
  };
  /** As Zendesk opens the frame. */
  const open = async (token: string, url = '/embed/demo/1001') => {
    const { statusCode, body, headers } = await desk.test.server.inject({
      method: 'POST',
      url,
      headers: {
        host: 'gateway.example',
        origin: 'https://shop.zendesk.com',
        'content-type': 'application/x-www-form-urlencoded',
      },
      payload: new URLSearchParams({ token }).toString(),
    });
    return {
      statusCode,
      receipt: /name="counterfoil-context" content="([\w-]*)"/.exec(body)?.[1],
      policy: headers['content-security-policy'],
    };
  };

  it('opens the frame’s page for its own pages, with a receipt for that person and any ticket', async () => {
    const { statusCode, receipt, policy } = await open(await signed());
    expect(statusCode).toBe(200);
    expect(policy).toContain('frame-ancestors https://shop.zendesk.com;');
    const frame = await desk.frame(await desk.browser('ana'));
    const headers = { 'counterfoil-context': receipt as string };
    expect((await desk.ask(frame, opened(), { headers })).reasons).toEqual([]);
    expect((await desk.ask(await desk.frame(await desk.browser('sam')), opened(), { headers })).reasons).toEqual([
      'ACTOR_MISMATCH',
    ]);
    expect((await desk.ask(frame, opened())).reasons).toEqual(['UNSIGNED']);
    // The place alone, without a ticket, is signed too: its reader says which.
    expect((await open(await signed(), '/embed/demo')).receipt).toMatch(/./);
  });

  it.each<[string, () => Promise<string>]>([
    ['forged', () => signed({ key: foreignKey })],
    ['for another installation', () => signed({ audience: installation.replace('7', '8') })],
    [
      'old, though it says that it is good for longer',
      () => signed({ at: new Date(desk.test.clock.now().getTime() - 71 * second) }),
    ],
    ['of somebody of another account', () => signed({ user: '1.json?https://evil.zendesk.com/api/v2/users/1' })],
    [
      'a request’s token, with whatever claims a page asked for',
      () => signed({ audience: 'https://gateway.example', claims: { email: 'ana@shop.example' } }),
    ],
    [
      'signed with the public key as a secret',
      () =>
        signed({ header: { alg: 'HS256' }, key: publicKey.export({ type: 'spki', format: 'pem' }) as never }).catch(
          () => 'nonsense',
        ),
    ],
  ])('shows nothing when it is %s', async (_, make) => {
    desk.test.clock.forward(second);
    const before = (await desk.test.events('frame.refuse')).length;
    const { statusCode, receipt } = await open(await make());
    expect({ statusCode, receipt }).toEqual({ statusCode: 400, receipt: '' });
    expect((await desk.test.events('frame.refuse')).length - before).toBe(1);
  });

  it('opens it once', async () => {
    const token = await signed();
    expect((await open(token)).statusCode).toBe(200);
    expect(await open(token)).toMatchObject({ statusCode: 400, receipt: '' });
  });
});

describe('what Intercom signs for a card, by its documented format', () => {
  let desk: FramedApp;
  const workspace = 'lyt8zs0q';
  beforeAll(async () => {
    desk = await FramedApp.start(
      [
        { source: 'demo', origins: [], signed: { kind: 'intercom', workspace, secret } },
        { source: 'second', origins: ['https://desk.example'] },
      ],
      { consoleFolder: builtConsole() },
    );
  }, 120_000);
  afterAll(() => desk.stop());

  /** As Intercom asks when a teammate opens a conversation in the inbox (Canvas Kit, initialize). */
  const asked = (more: Record<string, unknown> = {}) => ({
    workspace_id: workspace,
    workspace_region: 'US',
    admin: { type: 'admin', id: '814860', name: 'Ana of the helpdesk', email: 'ana@shop.example', team_ids: [] },
    conversation: { type: 'conversation', id: '1001', source: { type: 'conversation', body: 'my card was declined' } },
    contact: { type: 'contact', id: '5ba682d23d7cf92bef87bfd4', email: 'customer@example.com' },
    ...more,
  });
  const signatureOf = (body: string, key = secret, algorithm = 'sha256') => createHmac(algorithm, key).update(body).digest('hex');
  const send = async (
    body: string,
    signature: string | readonly string[] | null = signatureOf(body),
    { source = 'demo', type = 'application/json' } = {},
  ) => {
    const signed = signature === null ? {} : { 'x-body-signature': signature as string };
    const headers = { host: 'gateway.example', 'content-type': type, ...signed };
    const answer = await desk.test.server.inject({ method: 'POST', url: `/cards/${source}`, headers, payload: body });
    return { status: answer.statusCode, text: answer.body, headers: answer.headers };
  };
  const linkIn = (text: string): string => JSON.parse(text).canvas.content.components[0].action.url;
  const refusals = async () => (await desk.test.events('frame.refuse')).map(({ detail }) => (detail as { why: string }).why);

  it('is answered by a card that leads to the conversation’s ticket in the console, and has nothing else', async () => {
    const { status, text, headers } = await send(JSON.stringify(asked()));
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({
      canvas: {
        content: {
          components: [
            {
              type: 'button',
              id: 'counterfoil',
              label: 'Open in Counterfoil',
              style: 'secondary',
              action: { type: 'url', url: 'https://gateway.example/t/demo/1001' },
            },
          ],
        },
      },
    });
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['set-cookie']).toBeUndefined();
  });

  it('says the same of a conversation that isn’t known here, and the same when it is sent again', async () => {
    const [events, rows] = [(await desk.test.events()).length, await countOf(desk.test, 'frame_use')];
    const body = JSON.stringify(asked({ conversation: { type: 'conversation', id: '215469000000001' } }));
    const answers = [await send(body), await send(body)];
    expect(answers.map(({ text }) => linkIn(text))).toEqual(Array(2).fill('https://gateway.example/t/demo/215469000000001'));
    desk.test.clock.forward(365 * 24 * 3_600 * second);
    expect(linkIn((await send(body)).text)).toBe('https://gateway.example/t/demo/215469000000001');
    // Nothing began, and nothing of it is kept.
    expect([(await desk.test.events()).length, await countOf(desk.test, 'frame_use')]).toEqual([events, rows]);
  });

  it('is checked over the bytes as they came, whatever they are said to be', async () => {
    const spaced = JSON.stringify(asked(), null, 2).replace('Ana', '\\u0041na');
    expect((await send(spaced, signatureOf(spaced), { type: 'text/plain' })).status).toBe(200);
    expect((await send(spaced, signatureOf(JSON.stringify(asked())))).status).toBe(400);
    expect((await send(spaced, signatureOf(spaced).toUpperCase())).status).toBe(200);
  });

  const body = JSON.stringify(asked());
  it.each<[string, string, string | readonly string[] | null, string]>([
    ['isn’t signed', body, null, 'context-signature'],
    ['is signed with another secret', body, signatureOf(body, 'a secret of somebody else'), 'context-signature'],
    ['is signed otherwise', body, signatureOf(body, secret, 'sha1'), 'context-signature'],
    ['is signed for something else', body.replace('1001', '1002'), signatureOf(body), 'context-signature'],
    ['has a signature that is cut', body, signatureOf(body).slice(0, 62), 'context-signature'],
    ['has two', body, [signatureOf(body), signatureOf(body)], 'context-signature'],
    ['is empty', '', signatureOf('x'), 'context-signature'],
    ['is nothing that Intercom sends', 'canvas', signatureOf('canvas'), 'context'],
    ['comes from another workspace', ...signedBody({ workspace_id: 'other' }), 'context-audience'],
    ['comes from a customer’s messenger', ...signedBody({ admin: undefined, conversation: undefined }), 'context'],
    ['names a teammate, and no conversation', ...signedBody({ conversation: undefined }), 'context'],
    ['names another address', ...signedBody({ conversation: { id: '1001/../../sign-in?return=//evil.example' } }), 'context'],
    ['names a number that isn’t one', ...signedBody({ conversation: { id: 1.5 } }), 'context'],
  ])('is refused, and put on record once, where it %s', async (_, sent, signature, why) => {
    desk.test.clock.forward(61 * second);
    const before = (await refusals()).length;
    const { status, text } = await send(sent, signature);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ errors: [{ extensions: { code: 'INVALID', rule: 'frame.context' } }] });
    expect(text).not.toMatch(/evil|ana@|customer@|1001|declined/);
    expect((await refusals()).slice(before)).toEqual([why]);
  });
  function signedBody(more: Record<string, unknown>): [string, string] {
    const text = JSON.stringify(asked(more));
    return [text, signatureOf(text)];
  }

  it('is put on record twenty times a minute at most, and is at most 1024 KiB', async () => {
    desk.test.clock.forward(61 * second);
    const before = (await refusals()).length;
    for (let n = 0; n < 30; n += 1) await send(body, null);
    expect((await refusals()).length - before).toBe(20);
    const long = JSON.stringify(asked({ more: 'x'.repeat(1024 * 1024) }));
    const { status, text } = await send(long);
    expect({ status, text }).toEqual({ status: 413, text: expect.stringContaining('expected at most 1024 KiB') });
    expect((await send(JSON.stringify(asked({ more: 'x'.repeat(1_000_000) })))).status).toBe(200);
  });

  it('is of no helpdesk that has a frame, and gives its own none', async () => {
    for (const source of ['second', 'other']) expect((await send(body, signatureOf(body), { source })).status).toBe(404);
    for (const url of ['/embed/demo/1001', '/embed/demo']) {
      const { statusCode, headers } = await desk.test.server.inject({ url, headers: { host: 'gateway.example' } });
      expect(statusCode).toBe(404);
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    }
    const browser = await desk.browser('ana');
    const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
    const cookie = { cookie: `__Host-counterfoil=${browser}` };
    expect((await desk.post('/frame/codes', { source: 'demo', challenge }, cookie)).status).toBe(400);
    expect((await desk.post('/frame/contexts', { source: 'demo', context: 'a.b.c' })).status).toBe(400);
  });
});

describe('a helpdesk that signs nothing', () => {
  let desk: FramedApp;
  beforeAll(async () => {
    desk = await FramedApp.start(
      [
        { source: 'demo', origins: ['https://desk.example'] },
        { source: 'second', origins: ['https://chat.example', 'http://localhost:3000'], context: 'chatwoot' },
      ],
      { consoleFolder: builtConsole() },
    );
  }, 120_000);
  afterAll(() => desk.stop());

  it('gives a hint: the ticket is judged by who signed in here, and what somebody signs for it is refused', async () => {
    const frame = await desk.frame(await desk.browser('ana'));
    expect((await desk.ask(frame, opened())).reasons).toEqual([]);
    expect(await desk.post('/frame/contexts', { source: 'demo', context: 'a.b.c' })).toMatchObject({
      status: 400,
      rule: 'frame.context',
    });
    const posted = await desk.test.server.inject({
      method: 'POST',
      url: '/embed/demo/1001',
      headers: { host: 'gateway.example', 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'token=a.b.c',
    });
    expect(posted.statusCode).toBe(404);
  });

  it('asks the page around it where that is Chatwoot’s, and hears its origins alone', async () => {
    const get = async (url: string) => {
      const { body, headers } = await desk.test.server.inject({ url, headers: { host: 'gateway.example' } });
      const [, origins] = /name="counterfoil-origins" content="([^"]*)"/.exec(body) ?? [];
      return { origins, asks: body.includes('/console/chatwoot.js'), policy: headers['content-security-policy'] };
    };
    const policy = expect.stringContaining('frame-ancestors https://chat.example http://localhost:3000;');
    expect(await get('/embed/second')).toEqual({ origins: 'https://chat.example http://localhost:3000', asks: true, policy });
    // With a ticket in its address it asks nobody.
    expect(await get('/embed/second/1001')).toEqual({ origins: undefined, asks: false, policy });
    expect(await get('/embed/demo')).toMatchObject({ origins: undefined, asks: false });
    expect(
      (await desk.test.server.inject({ url: '/console/chatwoot.js', headers: { host: 'gateway.example' } })).statusCode,
    ).toBe(200);
  });

  it('has its page in frames of its origins alone, and an unknown one has none', async () => {
    const get = (url: string) => desk.test.server.inject({ url, headers: { host: 'gateway.example' } });
    const page = await get('/embed/demo/1001');
    expect(page.headers['content-security-policy']).toContain('frame-ancestors https://desk.example;');
    expect(page.headers['x-frame-options']).toBeUndefined();
    expect((await get('/embed/other/1001')).statusCode).toBe(404);
    expect((await get('/embed/other/1001')).headers['content-security-policy']).toContain("frame-ancestors 'none'");
    for (const url of [
      '/',
      '/t/demo/1001',
      '/frame/sign-in?source=demo&challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      '/sign-in',
    ])
      expect([url, (await get(url)).headers['content-security-policy']]).toEqual([
        url,
        expect.stringContaining("frame-ancestors 'none'"),
      ]);
    const script = await get('/embed/panel.js');
    expect(script.headers).toMatchObject({
      'cross-origin-resource-policy': 'cross-origin',
      'content-type': 'text/javascript; charset=utf-8',
    });
  });

  it('has a window for signing in that leads nowhere but back to itself', async () => {
    const get = (url: string) => desk.test.server.inject({ url, headers: { host: 'gateway.example' } });
    for (const url of [
      '/frame/sign-in?source=other&challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      '/frame/sign-in?source=demo&challenge=short',
      '/frame/sign-in?source=demo&source=demo&challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      '/sign-in?return=//evil.example/frame/sign-in',
      '/sign-in?return=https://evil.example/frame/sign-in?x',
    ])
      expect([url, (await get(url)).statusCode]).toEqual([url, 400]);
    const cut = await get('/');
    expect(cut.headers['cross-origin-opener-policy']).toBe('same-origin');
  });
});
