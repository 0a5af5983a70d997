import { createHash, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { TestApp } from '../support/app';
import { OtherIssuer } from '../support/other-issuer';

const issuer = 'https://other.example.com';
const audience = 'https://gateway.example.com/signals/login';
const risc = (event: string) => `https://schemas.openid.net/secevent/risc/event-type/${event}`;
const sessionRevoked = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';

describe('security event tokens', () => {
  let test: TestApp;
  let people: OtherIssuer;
  let keys: Server;
  let published: object[];
  type Key = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
  let key: Key;
  let strange: Key;
  beforeAll(async () => {
    const [pair, other] = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')]);
    [key, strange] = [pair.privateKey, other.privateKey];
    published = [{ ...(await exportJWK(pair.publicKey)), kid: 'set', alg: 'ES256', use: 'sig' }];
    keys = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ keys: published }));
    });
    await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
    const jwksUri = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/jwks`;
    people = await OtherIssuer.open();
    test = await TestApp.start({
      config: {
        issuers: [people.configuration],
        signals: {
          sources: [
            {
              name: 'login',
              secrets: [],
              tokens: { issuer, audience, jwksUri },
              helpdesk: 'demo',
              payments: 'demo-pay',
              lateHours: 6,
            },
            {
              name: 'accounts',
              secrets: [],
              tokens: { issuer: 'https://accounts.example.com', audience, jwksUri },
              lateHours: 6,
            },
            { name: 'shop', secrets: [Buffer.alloc(32, 7)], lateHours: 6 },
          ],
        },
      },
    });
  });
  afterAll(async () => {
    await test.stop();
    await new Promise((resolve) => keys.close(resolve));
  });

  interface Making {
    readonly by?: string;
    readonly to?: string;
    readonly key?: Key;
    readonly typ?: string;
    readonly jti?: string;
    readonly at?: Date;
  }
  const make = (
    claims: Record<string, unknown>,
    { by = issuer, to = audience, key: signing = key, typ = 'secevent+jwt', jti = randomUUID(), at }: Making = {},
  ) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ, kid: 'set' })
      .setIssuer(by)
      .setAudience(to)
      .setJti(jti)
      .setIssuedAt(Math.floor((at ?? test.clock.now()).getTime() / 1_000))
      .sign(signing);
  const push = async (token: string, source = 'login') => {
    const answer = await test.server.inject({
      method: 'POST',
      url: `/signals/${source}`,
      headers: { 'content-type': 'application/secevent+jwt' },
      payload: token,
    });
    return { status: answer.statusCode, body: answer.body === '' ? null : (answer.json() as Record<string, unknown>) };
  };
  const accepted = { status: 202, body: null };
  const stored = (id: string) =>
    test.app.database.query<Record<string, unknown>>('SELECT * FROM risk_signal WHERE event_id = ?', [id]);
  const count = async (table = 'risk_signal') =>
    Number((await test.app.database.query(`SELECT COUNT(*) AS n FROM ${table}`))[0]?.n);
  const account = (sub: string, iss = issuer) => ({ format: 'iss_sub', iss, sub });

  it('of a recovery and of a changed identifier are signals about the account, once, and nothing of it in clear', async () => {
    const jti = randomUUID();
    const token = await make({ sub_id: account('zq-account-9'), events: { [risc('recovery-activated')]: {} } }, { jti });
    expect(await push(token)).toEqual(accepted);
    expect(await push(token)).toEqual(accepted);
    const [recovered, ...more] = await stored(jti);
    expect(recovered).toMatchObject({ source: 'login', type: 'account.recovery', customer: expect.stringMatching(/^sub_/) });
    expect(more).toEqual([]);
    const changed = randomUUID();
    const subject = { subject_type: 'iss-sub', iss: issuer, sub: 'zq-account-9' };
    expect(await push(await make({ events: { [risc('identifier-changed')]: { subject } } }, { jti: changed }))).toEqual(accepted);
    const [contact] = await stored(changed);
    expect(contact).toMatchObject({ type: 'credential.changed', changed: 'contact', customer: recovered?.customer });
    const mail = randomUUID();
    const byMail = {
      sub_id: { format: 'email', email: 'zq.person@zq-shop.example' },
      events: { [risc('recovery-activated')]: {} },
    };
    expect(await push(await make(byMail, { jti: mail }))).toEqual(accepted);
    expect((await stored(mail))[0]).toMatchObject({ email_domain: expect.stringMatching(/^sub_/) });
    const kept = JSON.stringify([await test.app.database.query('SELECT * FROM risk_signal'), test.logLines]);
    // Whole words: three letters are in what is random sooner or later.
    expect(kept).not.toMatch(/zq-account|zq\.person|zq-shop/);
  });

  it('of a session that ended end it, durably and at once, and no other', async () => {
    const person = { roles: ['AGENT'], teams: ['cards'] } as const;
    const now = test.clock.now();
    const [theirs, others] = [
      await people.token('ana', { ...person, claims: { sid: 'session-1' } }, now),
      await people.token('ana', { ...person, claims: { sid: 'session-2' } }, now),
    ];
    const viewer = async (token: string) => (await test.as({ token }, '{ viewer { id } }')).status;
    expect([await viewer(theirs), await viewer(others)]).toEqual([200, 200]);
    const jti = randomUUID();
    const one = { format: 'complex', user: account('ana'), session: { format: 'opaque', id: 'session-1' } };
    const token = await make({ sub_id: one, events: { [sessionRevoked]: { event_timestamp: now.getTime() / 1_000 } } }, { jti });
    expect(await push(token)).toEqual(accepted);
    expect([await viewer(theirs), await viewer(others)]).toEqual([401, 200]);
    const revocations = await count('session_revocation');
    expect(await push(token)).toEqual(accepted);
    expect(await count('session_revocation')).toBe(revocations);
    expect((await stored(jti))[0]).toMatchObject({ type: 'session.revoked', staff: expect.stringMatching(/^(stf|sub)_/) });
    expect(await push(await make({ sub_id: account('ana'), events: { [sessionRevoked]: {} } }))).toEqual(accepted);
    expect(await viewer(others)).toBe(401);
    expect((await test.events('session.revoke')).length).toBe(revocations + 1);
  });

  const ofAna = async (claims: Record<string, unknown>) => {
    test.clock.forward(5_000);
    const token = await people.token('ana', { roles: ['AGENT'], teams: ['cards'], claims }, test.clock.now());
    test.clock.forward(2_000);
    return token;
  };
  const mail = { format: 'email', email: 'ana@shop.example' };
  const opaque = (id: string) => ({ format: 'opaque', id });

  it.each([
    ['an opaque identifier of a session', opaque('session-9')],
    ['an opaque identifier of a person', opaque('ana')],
    ['a session of an address', { format: 'complex', user: mail, session: opaque('session-9') }],
    ['a session alone', { format: 'complex', session: opaque('session-9') }],
    ['an opaque person', { format: 'complex', user: opaque('ana') }],
  ])('of a session that is named by %s end it', async (_, subject) => {
    const token = await ofAna({ sid: 'session-9' });
    expect((await test.as({ token }, '{ viewer { id } }')).status).toBe(200);
    expect(await push(await make({ sub_id: subject, events: { [sessionRevoked]: {} } }))).toEqual(accepted);
    expect((await test.as({ token }, '{ viewer { id } }')).status).toBe(401);
  });

  it.each([
    ['an address', mail],
    ['a person by an address', { format: 'complex', user: mail }],
    ['a session without an identifier', { format: 'complex', session: account('session-9') }],
  ])('of a session that is named by %s alone are refused, and not acknowledged', async (_, subject) => {
    const token = await ofAna({ sid: 'session-9' });
    const before = [await count(), await count('session_revocation')];
    const answer = await push(await make({ sub_id: subject, events: { [sessionRevoked]: {} } }));
    expect(answer).toEqual({ status: 400, body: { err: 'invalid_request', description: expect.any(String) as string } });
    expect([await count(), await count('session_revocation')]).toEqual(before);
    expect((await test.as({ token }, '{ viewer { id } }')).status).toBe(200);
  });

  it('with long names of one beginning are two', async () => {
    const token = await ofAna({ sid: 'session-9' });
    const events = (who: string) => ({ 'https://example.com/other': {}, [sessionRevoked]: { subject: account(who) } });
    const names = [1, 2].map((n) => `${'j'.repeat(240)}-${n}`);
    for (const [n, who] of ['ben', 'ana'].entries())
      expect(await push(await make({ events: events(who) }, { jti: names[n] as string }))).toEqual(accepted);
    expect((await test.as({ token }, '{ viewer { id } }')).status).toBe(401);
  });

  it.each([
    '4242 4242 4242 4242',
    '4242424242424242',
    'NDI0MjQyNDI0MjQyNDI0Mg',
    'zq-person@example.com',
    'zq smith 1970-01-01',
    '\u202e\u0000zq',
    '\u00e9',
    'e\u0301',
  ])('with an id that may tell of somebody (%j) are taken once each, and it stands nowhere', async (jti) => {
    const [before, revocations] = [await count(), await count('session_revocation')];
    const events = { [risc('recovery-activated')]: { subject: account('x') }, [sessionRevoked]: { subject: account('zoe') } };
    const token = () => make({ events }, { jti });
    expect(await push(await token())).toEqual(accepted);
    expect(await push(await token())).toEqual(accepted);
    expect([await count(), await count('session_revocation')]).toEqual([before + 2, revocations + 1]);
    const rows = await test.app.database.query<Record<string, unknown>>('SELECT * FROM risk_signal');
    expect(await stored(jti)).toEqual([]);
    const plainly = createHash('sha256').update(jti).digest('base64url');
    const told = JSON.stringify([rows, test.logLines]);
    const pieces = ['zq-person', 'zq smith', '1970-01-01', '\u202e'];
    expect([jti, plainly, ...pieces].filter((text) => told.includes(text))).toEqual([]);
  });

  it.each(['a\ud800', 'a\ud801'])('with half a character in their id (%j) are refused, however often they come', async (jti) => {
    const before = await count();
    const refusal = { status: 400, body: { err: 'invalid_request', description: expect.any(String) as string } };
    for (const _ of [1, 2])
      expect(await push(await make({ sub_id: account('x'), events: { [risc('recovery-activated')]: {} } }, { jti }))).toEqual(
        refusal,
      );
    expect(await count()).toBe(before);
  });

  it('of another issuer than whose people they are end nobody’s session', async () => {
    test.clock.forward(5_000);
    const token = await people.token('ben', { roles: ['AGENT'], teams: ['wallets'] }, test.clock.now());
    test.clock.forward(5_000);
    const before = await count('session_revocation');
    const foreign = await make(
      { sub_id: account('ben'), events: { [sessionRevoked]: {} } },
      { by: 'https://accounts.example.com' },
    );
    expect(await push(foreign, 'accounts')).toEqual(accepted);
    expect(await count('session_revocation')).toBe(before);
    expect((await test.as({ token }, '{ viewer { id } }')).status).toBe(200);
  });

  it('with events that mean nothing here are acknowledged and kept as nothing', async () => {
    const before = await count();
    const events = { [risc('account-enabled')]: { subject: account('x') }, 'https://example.com/whatever': {} };
    expect(await push(await make({ events }))).toEqual(accepted);
    expect(await count()).toBe(before);
  });

  const recovery = { sub_id: account('x'), events: { [risc('recovery-activated')]: {} } };
  const later = () => new Date(test.clock.now().getTime() + 301_000);
  const refused: readonly (readonly [string, () => Promise<string>, string])[] = [
    ['signed by a key that isn’t the issuer’s', () => make(recovery, { key: strange }), 'invalid_key'],
    ['of another issuer', () => make(recovery, { by: 'https://elsewhere.example.com' }), 'invalid_issuer'],
    ['for another audience', () => make(recovery, { to: 'somebody' }), 'invalid_audience'],
    ['of another type', () => make(recovery, { typ: 'at+jwt' }), 'invalid_request'],
    ['from the future', () => make(recovery, { at: later() }), 'invalid_request'],
    ['about the future', () => make({ ...recovery, toe: later().getTime() / 1_000 }), 'invalid_request'],
    ['about nobody', () => make({ events: recovery.events }), 'invalid_request'],
    ['without events', () => make({ sub_id: account('x') }), 'invalid_request'],
    ['that are none', async () => 'not a token', 'invalid_request'],
    ['without a signature', async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`, 'invalid_key'],
  ];
  it.each(refused)('%s are refused as RFC 8935 says, and nothing is stored', async (_, token, err) => {
    const [signals, revocations] = [await count(), await count('session_revocation')];
    const answer = await push(await token());
    expect(answer).toEqual({ status: 400, body: { err, description: expect.any(String) as string } });
    expect([await count(), await count('session_revocation')]).toEqual([signals, revocations]);
  });

  it.each(['nobody', 'shop'])('for %s, of whom no tokens are taken, are of nobody', async (name) => {
    expect(await push(await make(recovery), name)).toMatchObject({ status: 401 });
  });
});
