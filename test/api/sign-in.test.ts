import type { IssuerConfiguration } from '../../src/authz/identity/token-verifier';
import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import type { SignIn } from '../../src/features/sign-in/sign-in.slice';
import { countOf } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { OpenIdProvider, ProviderBrowser } from '../support/openid-provider';

const gateway = 'https://gateway.example';
const minute = 60_000;
const own = { host: 'gateway.example', origin: gateway, 'counterfoil-browser': '1', 'sec-fetch-site': 'same-origin' };
const secret = 'a secret of this test alone';

let provider: OpenIdProvider;
let test: TestApp;

const issuerOf = (issuer: string): IssuerConfiguration =>
  ({
    issuer,
    audience: ['counterfoil'],
    algorithms: ['ES256'],
    jwksUri: `${issuer}/jwks`,
    clockSkewSeconds: 30,
    maxLifetimeSeconds: 900,
    dpopRequired: false,
    claims: {
      roles: ['roles'],
      teams: ['teams'],
      mfa: { amr: ['mfa'], acr: [] },
      staff: ['preferred_username'],
      service: 'role',
    },
  }) as unknown as IssuerConfiguration;

const start = async (config: NonNullable<Parameters<typeof TestApp.start>[0]>['config'] = {}): Promise<TestApp> => {
  const started = await TestApp.start({
    config: {
      ...config,
      publicUrl: gateway,
      issuers: [issuerOf(provider.issuer)],
      signIn: {
        providers: [
          {
            id: 'staff',
            issuer: provider.issuer,
            name: 'Staff',
            clientId: 'counterfoil',
            clientSecret: secret,
            scope: ['openid', 'offline_access'],
            secondFactor: ['urn:example:mfa'],
          },
        ],
        idleMinutes: 15,
        hours: 8,
      },
    },
  });
  // What the provider says is of now.
  started.clock.forward(Date.now() - started.clock.now().getTime());
  return started;
};

beforeAll(async () => {
  provider = await OpenIdProvider.start(`${gateway}/sign-in/back/staff`);
  test = await start();
}, 120_000);
afterAll(async () => {
  await test.stop();
  provider.stop();
});

const cookiesIn = (headers: Record<string, unknown>): ReadonlyMap<string, string> =>
  new Map(
    [headers['set-cookie'] ?? []].flat().map((line) => {
      const [pair = ''] = String(line).split(';');
      return [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
    }),
  );
const sessionName = '__Host-counterfoil';
const signInName = '__Host-counterfoil-sign-in';

const begin = async (path = '/sign-in') => {
  const { statusCode, headers } = await test.server.inject({ url: path, headers: { host: 'gateway.example' } });
  expect(statusCode).toBe(303);
  return {
    url: String(headers.location),
    begun: cookiesIn(headers).get(signInName) as string,
    setCookie: String(headers['set-cookie']),
  };
};
const comeBack = (back: URL, begun: string | null, session: string | null = null) => {
  const cookies = [begun && `${signInName}=${begun}`, session && `${sessionName}=${session}`].filter(Boolean).join('; ');
  return test.server.inject({
    url: `${back.pathname}${back.search}`,
    headers: { host: 'gateway.example', ...(cookies ? { cookie: cookies } : {}) },
  });
};
/** Signs in and returns the cookie of the session. */
const signIn = async (user: string, path = '/sign-in', former: string | null = null): Promise<string> => {
  const { url, begun } = await begin(path);
  const answer = await comeBack(await new ProviderBrowser().signIn(url, user), begun, former);
  expect(answer.statusCode).toBe(303);
  return cookiesIn(answer.headers).get(sessionName) as string;
};
const ask = async (session: string, headers: Record<string, string> = own, query = '{ viewer { roles mfa } }') => {
  const { statusCode, body } = await test.server.inject({
    method: 'POST',
    url: '/graphql',
    headers: { 'content-type': 'application/json', ...headers, cookie: `${sessionName}=${session}` },
    payload: { query },
  });
  const { data, errors } = JSON.parse(body);
  return { statusCode, data, code: errors?.[0]?.extensions?.code ?? null, rule: errors?.[0]?.extensions?.rule ?? null };
};

describe('signing in with a browser', () => {
  it('sends to the provider, takes what it brings back once, and returns to the place that was asked for', async () => {
    const { url, begun, setCookie } = await begin('/sign-in?return=%2Ftickets%2F1001');
    const asked = new URL(url);
    expect(asked.origin).toBe(provider.issuer);
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      redirect_uri: `${gateway}/sign-in/back/staff`,
    });
    expect(setCookie).toMatch(/; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=600$/);
    expect(begun).not.toContain(asked.searchParams.get('state') as string);
    const back = await new ProviderBrowser().signIn(url, 'ana');
    const answer = await comeBack(back, begun);
    expect({ status: answer.statusCode, to: answer.headers.location }).toEqual({ status: 303, to: '/tickets/1001' });
    const cookies = cookiesIn(answer.headers);
    expect(cookies.get(signInName)).toBe('');
    expect(JSON.stringify(answer.headers)).toMatch(/__Host-counterfoil=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax"/);
    const session = cookies.get(sessionName) as string;
    expect(await ask(session)).toEqual({
      statusCode: 200,
      data: { viewer: { roles: ['AGENT'], mfa: false } },
      code: null,
      rule: null,
    });
    // Its code is used up.
    const again = await comeBack(back, begun);
    expect({ status: again.statusCode, cookies: cookiesIn(again.headers).has(sessionName) }).toEqual({
      status: 400,
      cookies: false,
    });
    expect(await countOf(test, 'browser_session')).toBe(1);
    expect((await test.events('browser-session.begin')).map(({ actor }) => (actor as { id: string }).id)).toEqual([
      'system:sign-in',
    ]);
    expect((await test.events('sign-in.refuse')).map(({ detail }) => detail)).toEqual([{ why: 'provider' }]);
  });

  it('keeps no token, cookie or name where it could be read', async () => {
    const session = await signIn('ana');
    const stored = JSON.stringify(await test.app.database.query('SELECT * FROM browser_session'));
    expect(stored).not.toContain(session);
    expect(stored).not.toMatch(/eyJ/);
    const leaves = JSON.stringify(await test.events());
    for (const text of [leaves, test.logLines.join('')]) {
      expect(text).not.toContain(session);
      expect(text).not.toMatch(/eyJ[\w-]{20}/);
    }
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
  });

  it.each([
    ['without our header', { ...own, 'counterfoil-browser': '' }],
    ['by a page of another site', { ...own, origin: 'https://evil.example' }],
    ['without an origin', { host: own.host, 'counterfoil-browser': '1' }],
    ['without an origin by another site', { host: own.host, 'counterfoil-browser': '1', 'sec-fetch-site': 'cross-site' }],
    ['by an opaque origin', { ...own, origin: 'null' }],
    ['by a sibling site', { ...own, 'sec-fetch-site': 'same-site' }],
  ])('counts for nothing in a request %s', async (_, headers) => {
    const session = await signIn('ana');
    expect(await ask(session, headers as Record<string, string>)).toMatchObject({
      statusCode: 401,
      code: 'UNAUTHENTICATED',
      rule: 'session.foreign',
    });
    expect(await ask(session)).toMatchObject({ statusCode: 200 });
  });

  it('is refused where the answer isn’t this browser’s, and nothing begins', async () => {
    const before = await countOf(test, 'browser_session');
    const { url, begun } = await begin();
    const back = await new ProviderBrowser().signIn(url, 'ana');
    const other = await begin();
    const wrongState = new URL(back);
    wrongState.searchParams.set('state', 'another');
    const noCode = new URL(back);
    noCode.searchParams.delete('code');
    const denied = new URL(
      `${gateway}/sign-in/back/staff?error=access_denied&state=${back.searchParams.get('state')}&iss=${encodeURIComponent(provider.issuer)}`,
    );
    for (const [from, cookie] of [
      [back, null],
      [back, other.begun],
      [back, `${begun.slice(0, -2)}AA`],
      [back, 'nonsense'],
      [wrongState, begun],
      [noCode, begun],
      [denied, begun],
    ] as const) {
      const answer = await comeBack(from, cookie);
      expect(answer.statusCode).toBe(400);
      expect(answer.body).toMatch(/You are not signed in/);
      expect(cookiesIn(answer.headers).has(sessionName)).toBe(false);
    }
    const slow = await begin();
    const late = await new ProviderBrowser().signIn(slow.url, 'ana');
    test.clock.forward(10 * minute + 1);
    expect((await comeBack(late, slow.begun)).statusCode).toBe(400);
    expect(await countOf(test, 'browser_session')).toBe(before);
  });

  it('returns to no other place than one of this gateway', async () => {
    for (const path of [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example/',
      '/%0d%0aset-cookie:x',
      'javascript:alert(1)',
      '/a\\b',
    ])
      expect([
        path,
        (
          await test.server.inject({
            url: `/sign-in?return=${encodeURIComponent(decodeURIComponent(path))}`,
            headers: { host: 'gateway.example' },
          })
        ).statusCode,
      ]).toEqual([path, 400]);
  });

  it('takes no code at the address of another provider than the one that it began with', async () => {
    const { url, begun } = await begin();
    const back = await new ProviderBrowser().signIn(url, 'ana');
    const elsewhere = new URL(back);
    elsewhere.pathname = '/sign-in/back/other';
    const answer = await comeBack(elsewhere, begun);
    expect({ status: answer.statusCode, has: cookiesIn(answer.headers).has(sessionName) }).toEqual({ status: 400, has: false });
    // It wasn't asked about: the code is good yet.
    expect((await comeBack(back, begun)).statusCode).toBe(303);
  });

  it('is begun by somebody, not by what a page loads or a browser guesses', async () => {
    for (const headers of [{ 'sec-fetch-mode': 'no-cors' }, { 'sec-fetch-mode': 'cors' }, { 'sec-purpose': 'prefetch' }])
      expect(
        (
          await test.server.inject({
            url: '/sign-in',
            headers: { host: 'gateway.example', ...(headers as Record<string, string>) },
          })
        ).statusCode,
      ).toBe(400);
  });

  it('is for staff alone', async () => {
    const { url, begun } = await begin();
    const answer = await comeBack(await new ProviderBrowser().signIn(url, 'pip'), begun);
    expect(answer.statusCode).toBe(400);
  });

  it('asks for a second factor, and replaces the session by a new one', async () => {
    const former = await signIn('ana');
    const { url } = await begin('/sign-in?for=second-factor');
    expect(new URL(url).searchParams.get('acr_values')).toBe('urn:example:mfa');
    const { url: recent } = await begin('/sign-in?for=recent');
    expect(Object.fromEntries(new URL(recent).searchParams)).toMatchObject({ max_age: '0', prompt: 'login' });
    const session = await signIn('ana', '/sign-in?for=recent', former);
    expect(session).not.toBe(former);
    expect(await ask(former)).toMatchObject({ statusCode: 401, rule: 'session.none' });
    expect(await ask(session)).toMatchObject({ statusCode: 200 });
  });
});

describe('a browser’s session', () => {
  const wearOff = (milliseconds: number) =>
    tamper(test.app.database, 'UPDATE browser_session SET access_until = ? WHERE ended_at IS NULL', [
      test.clock.now().getTime() + milliseconds,
    ]);
  const sealedNow = async () => {
    const [row] = await test.app.database.query<{ tokens_sealed: Buffer }>(
      'SELECT tokens_sealed FROM browser_session WHERE ended_at IS NULL ORDER BY created_at DESC LIMIT 1',
    );
    return row?.tokens_sealed.toString('hex');
  };

  it('gets new tokens from the provider when its own end, once whoever asks at once, and goes on by those', async () => {
    test = await restarted();
    const session = await signIn('sam');
    for (const left of [10_000, -1]) {
      const before = await sealedNow();
      await wearOff(left);
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask(session)));
      expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: 8 }, () => 200));
      expect(await sealedNow()).not.toBe(before);
    }
    expect(await ask(session)).toMatchObject({ statusCode: 200 });
    expect(await test.events('browser-session.end')).toEqual([]);
  });

  it('goes on by the token at hand while the provider can’t be reached, and says so once that is over', async () => {
    test = await restarted();
    const own = await OpenIdProvider.start(`${gateway}/sign-in/back/staff`);
    const lasting = provider;
    provider = own;
    try {
      test = await restarted();
      const session = await signIn('ana');
      own.stop();
      await own.ended;
      await wearOff(10_000);
      expect(await ask(session)).toMatchObject({ statusCode: 200 });
      await wearOff(-1);
      expect(await ask(session)).toMatchObject({ statusCode: 503, code: 'UPSTREAM_UNAVAILABLE' });
      const page = await test.server.inject({ url: '/sign-in/back/staff?code=x&state=y', headers: { host: 'gateway.example' } });
      expect(page.statusCode).toBe(400);
      expect(await test.events('browser-session.end')).toEqual([]);
    } finally {
      provider = lasting;
    }
  });

  it('ends after fifteen idle minutes, and after eight hours anyway', async () => {
    test = await restarted();
    const idle = await signIn('ana');
    test.clock.forward(15 * minute + 31_000);
    expect(await ask(idle)).toMatchObject({ statusCode: 401, rule: 'session.idle' });
    expect(await ask(idle)).toMatchObject({ statusCode: 401, rule: 'session.none' });
    expect((await test.events('browser-session.end')).map(({ detail }) => detail)).toEqual([{ why: 'idle' }]);
    test = await restarted();
    const long = await signIn('ana');
    await tamper(test.app.database, 'UPDATE browser_session SET used_at = used_at + ? WHERE ended_at IS NULL', [8 * 60 * minute]);
    test.clock.forward(8 * 60 * minute);
    expect(await ask(long)).toMatchObject({ statusCode: 401, rule: 'session.time' });
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
  });

  it('is idle as long as only the page asks by itself, and isn’t while somebody works', async () => {
    test = await restarted();
    const [left, worked] = [await signIn('ana'), await signIn('sam')];
    const unattended = { ...own, 'counterfoil-unattended': '1' };
    // The provider's tokens are of now, and outlast no quarter of an hour: the last use is put back instead.
    await tamper(test.app.database, 'UPDATE browser_session SET used_at = used_at - ? WHERE ended_at IS NULL', [14 * minute]);
    expect(await ask(left, unattended)).toMatchObject({ statusCode: 200 });
    expect(await ask(worked)).toMatchObject({ statusCode: 200 });
    test.clock.forward(2 * minute);
    expect(await ask(left, unattended)).toMatchObject({ statusCode: 401, rule: 'session.idle' });
    expect(await ask(worked)).toMatchObject({ statusCode: 200 });
  });

  it('ends when somebody signs out, and when the provider says so, for all processes at once', async () => {
    test = await restarted();
    const session = await signIn('ana');
    const out = (headers: Record<string, string>) =>
      test.server.inject({ method: 'POST', url: '/sign-out', headers: { ...headers, cookie: `${sessionName}=${session}` } });
    expect((await out({ host: 'gateway.example', origin: 'https://evil.example' })).statusCode).toBe(401);
    expect(await ask(session)).toMatchObject({ statusCode: 200 });
    const answer = await out(own);
    expect({ status: answer.statusCode, cleared: cookiesIn(answer.headers).get(sessionName) }).toEqual({
      status: 200,
      cleared: '',
    });
    // Neither a token nor who it was: it stays in the browser's history.
    expect(JSON.parse(answer.body).next).toBe(`${provider.issuer}/session/end?client_id=counterfoil`);
    expect(await ask(session)).toMatchObject({ statusCode: 401, rule: 'session.none' });
    const other = await signIn('ana');
    await test.app.actors.endSessions({ issuer: provider.issuer, subject: 'ana', sessionId: null, issuedAt: test.clock.now() });
    expect(await ask(other)).toMatchObject({ statusCode: 401, rule: 'token.revoked' });
    expect((await test.events('browser-session.end')).map(({ detail }) => detail)).toContainEqual({ why: 'revoked' });
  });

  it('stays over for whoever has its cookie, whoever puts its row back as it was', async () => {
    test = await restarted();
    const session = await signIn('ana');
    type Row = Record<string, unknown>;
    const [row] = (await test.app.database.query<Row>('SELECT * FROM browser_session WHERE ended_at IS NULL')) as [Row];
    await test.server.inject({ method: 'POST', url: '/sign-out', headers: { ...own, cookie: `${sessionName}=${session}` } });
    const columns = Object.keys(row);
    const back = async (how: 'in its place' | 'anew') => {
      if (how === 'anew') await tamper(test.app.database, 'DELETE FROM browser_session WHERE id = ?', [row.id]);
      const set = `UPDATE browser_session SET ${columns.map((name) => `${name} = ?`).join(', ')} WHERE id = ?`;
      const insert = `INSERT INTO browser_session (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
      const values = columns.map((name) => row[name]);
      await (how === 'anew' ? tamper(test.app.database, insert, values) : tamper(test.app.database, set, [...values, row.id]));
    };
    for (const how of ['in its place', 'anew'] as const) {
      await back(how);
      expect(await ask(session)).toMatchObject({ statusCode: 401, rule: 'session.none' });
    }
    // It ended once, and nothing tells of it again.
    await test.server.inject({ method: 'POST', url: '/sign-out', headers: { ...own, cookie: `${sessionName}=${session}` } });
    expect((await test.events('browser-session.end')).map(({ detail }) => detail)).toEqual([{ why: 'signed-out' }]);
    expect((await rowsWithoutEvent(test.app.database)).findings.length).toBeGreaterThan(0);
  });

  it('is another’s who puts their cookie’s digest on it, and doctor says so', async () => {
    test = await restarted();
    const [mine, theirs] = [await signIn('ana'), await signIn('sam')];
    expect(mine).not.toBe(theirs);
    await tamper(
      test.app.database,
      'UPDATE browser_session SET actor_id = (SELECT actor_id FROM (SELECT * FROM browser_session) AS o ORDER BY created_at DESC, id DESC LIMIT 1) WHERE ended_at IS NULL',
      [],
    );
    expect((await rowsWithoutEvent(test.app.database)).findings.length).toBeGreaterThan(0);
  });

  it('ends by a logout at the provider also where its tokens would be renewed next, or are being', async () => {
    test = await restarted();
    const session = await signIn('ana');
    const logout = () =>
      test.app.actors.endSessions({ issuer: provider.issuer, subject: 'ana', sessionId: null, issuedAt: test.clock.now() });
    await logout();
    // By now a new token would be of after the logout.
    test.clock.forward(3_000);
    await wearOff(10_000);
    expect(await ask(session)).toMatchObject({ statusCode: 401, rule: 'token.revoked' });
    expect((await test.events('browser-session.end')).map(({ detail }) => detail)).toEqual([{ why: 'revoked' }]);
    test = await restarted();
    const next = await signIn('ana');
    await wearOff(-1);
    const asked = ask(next);
    await logout();
    await asked;
    test.clock.forward(1_000);
    expect(await ask(next)).toMatchObject({ statusCode: 401 });
  });

  it('is no other person’s by a row that somebody moves, nor longer by one that somebody changes', async () => {
    test = await restarted();
    const [ana, sam] = [await signIn('ana'), await signIn('sam')];
    const [{ id: one, cookie_digest: first }, { id: other, cookie_digest: second }] = (await test.app.database.query<{
      id: string;
      cookie_digest: string;
    }>('SELECT id, cookie_digest FROM browser_session ORDER BY actor_id')) as [
      { id: string; cookie_digest: string },
      { id: string; cookie_digest: string },
    ];
    const put = (id: string, digest: string) =>
      tamper(test.app.database, 'UPDATE browser_session SET cookie_digest = ? WHERE id = ?', [digest, id]);
    await put(one, 'nobody');
    await put(other, first);
    await put(one, second);
    for (const cookie of [ana, sam]) expect(await ask(cookie)).toMatchObject({ statusCode: 401, rule: 'session.none' });
    await put(one, 'nobody');
    await put(other, second);
    await put(one, first);
    expect(await ask(ana)).toMatchObject({ statusCode: 200 });
    await tamper(test.app.database, 'UPDATE browser_session SET ends_at = ends_at + ?, used_at = used_at + ?', [
      8 * 60 * minute,
      8 * 60 * minute,
    ]);
    test.clock.forward(8 * 60 * minute);
    expect(await ask(ana)).toMatchObject({ statusCode: 401, rule: 'session.time' });
  });

  it.each([
    ['began later than it did', 'UPDATE browser_session SET created_at = created_at + 3600000'],
    ['is somebody else’s at the provider', "UPDATE browser_session SET subject_digest = 'nobody'"],
    ['is of another session there', "UPDATE browser_session SET session_digest = 'none'"],
  ])('is none any more where its row is made to say that it %s: no logout would find it', async (_, change) => {
    test = await restarted();
    const session = await signIn('ana');
    expect(await ask(session)).toMatchObject({ statusCode: 200 });
    await tamper(test.app.database, change);
    expect(await ask(session)).toMatchObject({ statusCode: 401, rule: 'session.none' });
  });

  const given = async (user: string) => {
    const { url, begun } = await (test.app.signIn as SignIn).providers.begin(provider.issuer, '/', null);
    const back = await new ProviderBrowser().signIn(url, user);
    return (test.app.signIn as SignIn).providers.finish(begun, 'staff', back.search.slice(1));
  };

  it('isn’t had by the ID token of a sign-in, though it is for a client that is called as the gateway is', async () => {
    test = await restarted();
    const { access, id } = await given('ana');
    const asked = (token: string | null) =>
      test.server.inject({
        method: 'POST',
        url: '/graphql',
        headers: { host: 'gateway.example', 'content-type': 'application/json', authorization: `Bearer ${token}` },
        payload: { query: '{ viewer { roles } }' },
      });
    expect((await asked(access)).statusCode).toBe(200);
    const answer = await asked(id);
    expect({ status: answer.statusCode, rule: JSON.parse(answer.body).errors?.[0]?.extensions.rule }).toEqual({
      status: 401,
      rule: 'token.type',
    });
  });

  it('ends where the provider gives it a token of somebody else', async () => {
    test = await restarted();
    const [ana, sam] = [await given('ana'), await given('sam')];
    const begun = await test.app.signIn?.sessions.begin(provider.issuer, { ...ana, refresh: sam.refresh }, null);
    const session = begun?.cookie as string;
    expect(await ask(session)).toMatchObject({ statusCode: 200 });
    await wearOff(-1);
    expect(await ask(session)).toMatchObject({ statusCode: 401, rule: 'session.provider' });
    expect(await ask(session)).toMatchObject({ statusCode: 401, rule: 'session.none' });
    expect((await test.events('browser-session.end')).map(({ detail }) => detail)).toEqual([{ why: 'provider' }]);
  });

  it('goes by its own cookie, and not by what another program takes for one', async () => {
    test = await restarted();
    const session = await signIn('ana');
    for (const cookie of [
      `\u00a0${sessionName}=${session}`,
      `x=1;\u00a0${sessionName}=${session}`,
      `${sessionName}=${session}; ${sessionName}=${session}`,
      `"${sessionName}"=${session}`,
      `${sessionName.toLowerCase()}=${session}`,
      `${sessionName} =${session}`,
    ]) {
      const { statusCode } = await test.server.inject({
        method: 'POST',
        url: '/graphql',
        headers: { 'content-type': 'application/json', ...own, cookie },
        payload: { query: '{ viewer { roles } }' },
      });
      expect([cookie, statusCode]).toEqual([cookie, 401]);
    }
  });

  it('isn’t looked up for who made up too many', async () => {
    test = await restarted();
    const limited = await start({ rateLimit: 20 });
    try {
      const reads = () => limited.statements.filter((each) => each.includes('browser_session')).length;
      const made = (n: number) =>
        limited.server.inject({
          method: 'POST',
          url: '/graphql',
          headers: { 'content-type': 'application/json', ...own, cookie: `${sessionName}=${String(n).padStart(43, 'A')}` },
          payload: { query: '{ viewer { roles } }' },
        });
      const codes: number[] = [];
      for (let n = 0; n < 60; n += 1) codes.push((await made(n)).statusCode);
      expect(codes.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 401));
      expect(codes.at(-1)).toBe(429);
      expect(reads()).toBeLessThanOrEqual(21);
    } finally {
      await limited.stop();
    }
  });

  it('ends the streams of its page with it', async () => {
    test = await restarted();
    const session = await signIn('ana');
    const arrival = await (test.app.signIn as NonNullable<typeof test.app.signIn>).sessions.arriveBy(session, null);
    await expect(arrival.again()).resolves.toMatchObject({ id: arrival.actor.id });
    await test.server.inject({ method: 'POST', url: '/sign-out', headers: { ...own, cookie: `${sessionName}=${session}` } });
    await expect(arrival.again()).rejects.toMatchObject({ details: { rule: 'session.none' } });
  });

  it('that ended a day ago is removed, and the log says how many', async () => {
    test = await restarted();
    await signIn('ana');
    test.clock.forward(60 * minute);
    await test.app.signIn?.sessions.sweep();
    expect((await test.events('browser-session.end')).map(({ detail }) => detail)).toEqual([{ why: 'idle' }]);
    test.clock.forward(25 * 60 * minute);
    await test.app.signIn?.sessions.sweep();
    expect(await countOf(test, 'browser_session')).toBe(0);
    expect((await test.events('browser-session.forget')).map(({ detail }) => detail)).toEqual([{ sessions: 1 }]);
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
  });
});

/** On a database of its own: the provider's tokens are of now, and the clock of the one before is ahead. */
const restarted = async (): Promise<TestApp> => {
  await test.stop();
  return start();
};
