import { createClient as createEventStreamClient } from 'graphql-sse';
import { request, WebSocket } from 'undici';
import { dpopSection } from '../../src/authz/identity/dpop.section';
import { demoTickets } from '../../src/development/merchant/cast';
import { raised, raiseOn } from '../support/alerts';
import { TestApp, type TestAppOptions } from '../support/app';
import { engine } from '../support/database';
import { KeyHolder, type ProofChanges } from '../support/key-holder';
import { OtherIssuer } from '../support/other-issuer';
import { Heard, listening, settled } from '../support/subscribers';

const algs = 'algs="ES256 EdDSA Ed25519 PS256 RS256"';
const viewer = JSON.stringify({ query: '{ viewer { id } }' });
const settings = (given: object) => dpopSection({ production: false }).parse(given);

describe('a token that is bound to a key', () => {
  let test: TestApp;
  let holder: KeyHolder;
  beforeAll(async () => {
    holder = await KeyHolder.make();
  });
  const begin = async (config: NonNullable<TestAppOptions['config']> = {}) => {
    test = await TestApp.start({ config });
    return test;
  };
  afterEach(() => test.stop());

  const addressOf = (path = '/graphql') => `${test.app.publicUrl}${path}`;
  const bound = (who = 'ana', boundTo = holder.thumbprint) => test.token(who, { boundTo });
  const proofOf = (token: string, changes: ProofChanges = {}, by = holder, request: { method?: string; path?: string } = {}) =>
    by.prove(
      {
        token,
        address: addressOf(request.path),
        at: test.clock.now(),
        ...(request.method === undefined ? {} : { method: request.method }),
      },
      changes,
    );
  const send = (headers: Record<string, string | string[]>, server = test.server) =>
    server.inject({
      method: 'POST',
      url: '/graphql',
      headers: { 'content-type': 'application/json', ...headers },
      payload: viewer,
    });
  type Answer = Awaited<ReturnType<typeof send>>;
  const told = (response: Answer) => {
    const { errors } = response.json() as { errors?: { extensions: { code: string; rule?: string } }[] };
    const { code, rule } = errors?.[0]?.extensions ?? {};
    return [
      response.statusCode,
      code === undefined ? null : `${code} ${rule ?? ''}`,
      response.headers['www-authenticate'] ?? null,
    ];
  };
  const accepted = [200, null, null];
  const refused = (rule: string, error = rule.startsWith('proof') ? 'invalid_dpop_proof' : 'invalid_token') => [
    401,
    `UNAUTHENTICATED ${rule}`,
    `DPoP error="${error}", ${algs}`,
  ];

  it('is its person’s, with a proof for each request, and by no other way', async () => {
    await begin();
    const token = await bound();
    const response = await send({ authorization: `DPoP ${token}`, dpop: await proofOf(token) });
    expect(told(response)).toEqual(accepted);
    expect(response.json()).toEqual(
      (await test.as('ana', '{ viewer { id } }')).data && { data: { viewer: { id: expect.stringMatching(/^act_/) } } },
    );
    expect(response.headers).not.toHaveProperty('dpop-nonce');
    // The scheme is written as one likes (RFC 9110, 11.1).
    expect(told(await send({ authorization: `dpop ${token}`, dpop: await proofOf(token) }))).toEqual(accepted);
    // However well the token is known by now.
    expect(told(await send({ authorization: `DPoP ${token}` }))).toEqual(refused('proof.missing'));
    for (const headers of [{}, { dpop: await proofOf(token) }])
      expect(told(await send({ authorization: `Bearer ${token}`, ...headers }))).toEqual([
        401,
        'UNAUTHENTICATED token.unproven',
        `Bearer error="invalid_token", DPoP ${algs}`,
      ]);
    expect(told(await send({ authorization: `DPoP ${token}`, dpop: await proofOf(token) }))).toEqual(accepted);
  });

  it('is worth nothing to whom has it without the key, or with what its owner sent', async () => {
    await begin();
    const [token, thief] = [await bound(), await KeyHolder.make()];
    const used = await proofOf(token);
    expect(told(await send({ authorization: `DPoP ${token}`, dpop: used }))).toEqual(accepted);
    const elsewhere = { method: 'GET', path: '/audit/export' };
    const other = await bound('ana');
    const attacks: readonly (readonly [string | string[], string])[] = [
      [used, 'proof.repeated'],
      [await proofOf(token, {}, thief), 'proof.binding'],
      [await proofOf(token, { header: { jwk: holder.publicJwk } }, thief), 'proof.signature'],
      [await proofOf(token, {}, holder, elsewhere), 'proof.method'],
      [await proofOf(token, {}, holder, { path: '/graphql/stream' }), 'proof.address'],
      [await proofOf(token, { claims: { htu: 'https://evil.example/graphql' } }), 'proof.address'],
      [await proofOf(other), 'proof.token'],
      [[await proofOf(token), await proofOf(token)], 'proof.malformed'],
      [await proofOf(token, { header: { typ: 'JWT' } }), 'proof.type'],
      [await proofOf(token, { header: { jwk: holder.privateJwk } }), 'proof.key'],
      [await proofOf(token, { header: { jwk: { ...holder.publicJwk, x: 'x'.repeat(4_000) } } }), 'proof.key'],
      [await proofOf(token, { claims: { padding: 'x'.repeat(9_000) } }), 'proof.length'],
      ['proof', 'proof.malformed'],
    ];
    for (const [dpop, rule] of attacks) expect(told(await send({ authorization: `DPoP ${token}`, dpop }))).toEqual(refused(rule));
    const forged = Buffer.from(JSON.stringify({ typ: 'dpop+jwt', alg: 'none', jwk: holder.publicJwk })).toString('base64url');
    const [, claims] = (await proofOf(token)).split('.');
    expect(told(await send({ authorization: `DPoP ${token}`, dpop: `${forged}.${claims}.` }))).toEqual(
      refused('proof.algorithm'),
    );
    // Nothing of it is written down, and each is counted.
    const lines = test.logLines.join('');
    for (const secret of [token, used, holder.thumbprint, String(holder.publicJwk.x), 'eyJ']) expect(lines).not.toContain(secret);
    const { body } = await test.server.inject({ url: '/metrics' });
    expect(body).toContain('counterfoil_unidentified_requests_total{rule="proof.repeated"} 1\n');
    expect(body).toContain('counterfoil_unidentified_requests_total{rule="proof.malformed"} 2\n');
    expect(await test.events('denial')).toEqual([]);
  });

  it('that has ended, or whose session has, is refused with a good proof too', async () => {
    await begin();
    const token = await bound();
    test.clock.forward(16 * 60_000);
    expect(told(await send({ authorization: `DPoP ${token}`, dpop: await proofOf(token) }))).toEqual(refused('token.expired'));
  });

  it('is told apart from one that is bound to nothing, or to a certificate', async () => {
    await begin({ issuers: [] });
    const issuer = await OtherIssuer.open();
    await test.stop();
    await begin({ issuers: [issuer.configuration] });
    const agent = { roles: ['AGENT'], teams: ['cards'] } as const;
    const tokenOf = (cnf?: object) => issuer.token('ana', { ...agent, claims: cnf ? { cnf } : {} }, test.clock.now());
    const free = await tokenOf();
    expect(told(await send({ authorization: `DPoP ${free}`, dpop: await proofOf(free) }))).toEqual(refused('token.unbound'));
    expect(told(await send({ authorization: `Bearer ${free}` }))).toEqual(accepted);
    // What nobody asked for proves nothing and harms nobody.
    expect(told(await send({ authorization: `Bearer ${free}`, dpop: 'x' }))).toEqual(accepted);
    const certified = await tokenOf({ 'x5t#S256': holder.thumbprint });
    expect(told(await send({ authorization: `DPoP ${certified}`, dpop: await proofOf(certified) }))).toEqual(
      refused('token.certificate'),
    );
    expect(told(await send({ authorization: `Bearer ${certified}` }))[1]).toBe('UNAUTHENTICATED token.certificate');
    const otherwise = await tokenOf({ kid: 'key' });
    expect(told(await send({ authorization: `DPoP ${otherwise}`, dpop: await proofOf(otherwise) }))).toEqual(
      refused('token.bound'),
    );
    expect(told(await send({}))).toEqual([401, 'UNAUTHENTICATED ', `Bearer, DPoP ${algs}`]);
  });

  it('is what an issuer’s services have to have, where that is asked for', async () => {
    const issuer = await OtherIssuer.open();
    await begin({ issuers: [{ ...issuer.configuration, dpopRequired: ['SERVICE'] }] });
    const tokenOf = (role: 'AGENT' | 'SERVICE', claims = {}) =>
      issuer.token(role, { roles: [role], teams: [], claims }, test.clock.now());
    expect(told(await send({ authorization: `Bearer ${await tokenOf('AGENT')}` }))).toEqual(accepted);
    const free = await tokenOf('SERVICE');
    expect(told(await send({ authorization: `Bearer ${free}` }))[1]).toBe('UNAUTHENTICATED token.unbound');
    expect(told(await send({ authorization: `DPoP ${free}`, dpop: await proofOf(free) }))).toEqual(refused('token.unbound'));
    const service = await tokenOf('SERVICE', { cnf: { jkt: holder.thumbprint } });
    expect(told(await send({ authorization: `DPoP ${service}`, dpop: await proofOf(service) }))).toEqual(accepted);
  });

  it('whose maker’s clock is wrong is asked for a nonce, and then taken', async () => {
    await begin();
    const token = await bound();
    const late = { iat: Math.floor(test.clock.now().getTime() / 1_000) - 3_600 };
    const first = await send({ authorization: `DPoP ${token}`, dpop: await proofOf(token, { claims: late }) });
    expect(told(first)).toEqual(refused('proof.time', 'use_dpop_nonce'));
    const nonce = String(first.headers['dpop-nonce']);
    const again = (given: string) => async () =>
      send({ authorization: `DPoP ${token}`, dpop: await proofOf(token, { claims: { ...late, nonce: given } }) });
    expect(told(await again(nonce)())).toEqual(accepted);
    expect(told(await again('made-up')())).toEqual(refused('proof.nonce', 'use_dpop_nonce'));
    test.clock.forward(60_000);
    const next = await again(nonce)();
    expect(told(next)).toEqual(accepted);
    // The next one is told in time.
    const later = String(next.headers['dpop-nonce']);
    expect(later).not.toBe(nonce);
    test.clock.forward(60_000);
    expect(told(await again(nonce)())).toEqual(refused('proof.nonce', 'use_dpop_nonce'));
    expect(told(await again(later)())).toEqual(accepted);
  });

  it('is taken with a nonce alone, where that is asked for; asking doesn’t count as a wrong sign-in', async () => {
    await begin({ dpop: settings({ nonces: true }), rateLimit: 20 });
    const token = await bound();
    for (let times = 0; times < 15; times += 1)
      expect(told(await send({ authorization: `DPoP ${token}`, dpop: await proofOf(token) }))).toEqual(
        refused('proof.nonce', 'use_dpop_nonce'),
      );
    const { headers } = await send({ authorization: `DPoP ${token}`, dpop: await proofOf(token) });
    const dpop = await proofOf(token, { claims: { nonce: headers['dpop-nonce'] } });
    expect(told(await send({ authorization: `DPoP ${token}`, dpop }))).toEqual(accepted);
    expect(told(await send({ authorization: `DPoP ${token}`, dpop }))).toEqual(refused('proof.repeated'));
  });

  it('is for the addresses that clients know, whatever proxies say', async () => {
    await begin({ dpop: settings({ addresses: ['https://desk.merchant.example/support/', 'https://gateway.internal'] }) });
    const token = await bound();
    const at = async (htu: string, headers = {}) =>
      told(await send({ authorization: `DPoP ${token}`, dpop: await proofOf(token, { claims: { htu } }), ...headers }));
    expect(await at('https://desk.merchant.example/support/graphql')).toEqual(accepted);
    expect(await at('https://gateway.internal/graphql')).toEqual(accepted);
    expect(await at('https://desk.merchant.example/graphql')).toEqual(refused('proof.address'));
    expect(await at(`${test.app.publicUrl}/graphql`)).toEqual(refused('proof.address'));
    const forwarded = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    expect(await at('https://evil.example/graphql', forwarded)).toEqual(refused('proof.address'));
  });

  it('may come from a page: the proof is allowed there, and the nonce is shown', async () => {
    const origin = 'https://desk.example.com';
    await begin({ corsOrigins: [origin] });
    const { headers } = await test.server.inject({
      method: 'OPTIONS',
      url: '/graphql',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,dpop' },
    });
    expect(String(headers['access-control-allow-headers']).toLowerCase()).toMatch(/\bdpop\b/);
    const token = await bound();
    const answer = await send({ origin, authorization: `DPoP ${token}` });
    expect(String(answer.headers['access-control-expose-headers']).toLowerCase()).toMatch(/www-authenticate, ?dpop-nonce/);
  });

  it('downloads with a proof for each address on the way', async () => {
    await begin();
    await test.app.signingLog?.sequencer.turn();
    const token = await bound('ada');
    const get = async (url: string, dpop?: string) =>
      test.server.inject({ url, headers: { authorization: `DPoP ${token}`, ...(dpop === undefined ? {} : { dpop }) } });
    const forExport = await proofOf(token, {}, holder, { method: 'GET', path: '/audit/export' });
    const { statusCode, headers } = await get('/audit/export?format=ndjson', forExport);
    expect(statusCode).toBe(307);
    const location = String(headers.location);
    expect((await get(location)).statusCode).toBe(401);
    expect((await get(location, forExport)).statusCode).toBe(401);
    const proven = () => proofOf(token, {}, holder, { method: 'GET', path: '/audit/exports' });
    expect((await get(location, await proven())).statusCode).toBe(200);
    const head = await proofOf(token, {}, holder, { method: 'HEAD', path: '/audit/export' });
    const response = await test.server.inject({
      method: 'HEAD',
      url: '/audit/export',
      headers: { authorization: `DPoP ${token}`, dpop: head },
    });
    expect(response.statusCode).toBe(307);
  });

  it('whose proof was used isn’t taken with it again after a start', async () => {
    await begin();
    const token = await bound();
    const sent = { authorization: `DPoP ${token}`, dpop: await proofOf(token) };
    expect(told(await send(sent))).toEqual(accepted);
    await test.restart();
    expect(told(await send(sent))).toEqual(refused('proof.repeated'));
    expect(told(await send({ ...sent, dpop: await proofOf(token) }))).toEqual(accepted);
  });

  it('leaves nothing of its proofs once their time is over, and of their names nothing that tells', async () => {
    await begin();
    const token = await bound();
    const claims = { jti: 'canary' };
    expect(told(await send({ authorization: `DPoP ${token}`, dpop: await proofOf(token, { claims }) }))).toEqual(accepted);
    const stored = await test.app.database.query<{ id: string }>('SELECT * FROM used_proof');
    expect(stored).toEqual([{ id: expect.stringMatching(/^[\w-]{43}$/), ends_at: expect.anything() }]);
    expect(stored[0]?.id).not.toBe(holder.thumbprint);
    await test.app.actors.forgetProofs();
    expect(await test.app.database.query('SELECT id FROM used_proof')).toHaveLength(1);
    test.clock.forward(6 * 60_000 + 1_000);
    await test.app.actors.forgetProofs();
    expect(await test.app.database.query('SELECT id FROM used_proof')).toEqual([]);
  });

  it('sent many times at once with one proof is taken once; with one each, each', async () => {
    await begin();
    const token = await bound();
    const all = async (proofs: readonly string[]) => {
      const answers = await Promise.all(proofs.map((dpop) => send({ authorization: `DPoP ${token}`, dpop })));
      return answers.filter(({ statusCode }) => statusCode === 200).length;
    };
    const one = await proofOf(token);
    expect(await all(Array.from({ length: 20 }, () => one))).toBe(1);
    expect(await all(await Promise.all(Array.from({ length: 20 }, () => proofOf(token))))).toBe(20);
  });

  // An embedded database belongs to one process: there the next one is a restart, which is tried above.
  if (engine === 'mariadb')
    it('whose proof was used at one gateway isn’t taken with it at another, be it at the same moment', async () => {
      await begin();
      const replica = await test.replica();
      try {
        const token = await bound();
        const sentWith = (text: string) => ({
          authorization: `DPoP ${token}`,
          proof: { text, method: 'POST', path: '/graphql' },
        });
        const sent = sentWith(await proofOf(token));
        await expect(test.app.actors.identify(sent)).resolves.toMatchObject({ kind: 'staff' });
        for (const app of [test.app, replica])
          await expect(app.actors.identify(sent)).rejects.toMatchObject({ details: { rule: 'proof.repeated' } });
        for (let round = 0; round < 10; round += 1) {
          const proofs = await Promise.all(Array.from({ length: 8 }, () => proofOf(token)));
          // In two orders, so that each is the first somewhere.
          const both = [
            ...proofs.map((text) => [test.app, text] as const),
            ...proofs.toReversed().map((text) => [replica, text] as const),
          ];
          const outcomes = await Promise.allSettled(both.map(([app, text]) => app.actors.identify(sentWith(text))));
          const rules = outcomes.flatMap((each) =>
            each.status === 'rejected' ? [each.reason.details?.rule ?? String(each.reason)] : [],
          );
          expect(rules).toEqual(Array.from({ length: 8 }, () => 'proof.repeated'));
        }
        // A nonce of one is good at the other.
        const claims = { nonce: replica.actors.proofNonce, iat: 1 };
        await expect(test.app.actors.identify(sentWith(await proofOf(token, { claims })))).resolves.toMatchObject({
          kind: 'staff',
        });
      } finally {
        await replica.close();
      }
    });

  describe('in a connection that stays', () => {
    let url: string;
    const open = async (config: NonNullable<TestAppOptions['config']> = {}) => {
      await begin(config);
      url = await listening(test);
      test.app.listensAt(url.replace(/^ws/, 'http'));
    };
    /** A web socket that begins with these parameters. */
    const socketWith = async (payload: object, headers: Record<string, string> = {}) => {
      const heard = new Heard();
      const socket = new WebSocket(`${url}/graphql`, { protocols: 'graphql-transport-ws', headers });
      socket.addEventListener('message', ({ data }) => heard.take(JSON.parse(String(data))));
      socket.addEventListener('close', ({ code, reason }) => heard.ended({ closed: code, reason }));
      await new Promise<void>((resolve) => socket.addEventListener('open', () => resolve()));
      const say = (message: object) => socket.send(JSON.stringify(message));
      say({ type: 'connection_init', payload });
      return { heard, say, close: () => socket.close() };
    };
    const opening = { method: 'GET' };
    const forbidden = { closed: 4403, reason: 'Forbidden' };
    const isLetIn = async (payload: object, headers: Record<string, string> = {}) => {
      const { heard, close } = await socketWith(payload, headers);
      await heard.until(1);
      close();
      return heard.end === undefined ? true : heard.end;
    };

    it('proves its key at the beginning, once: parameters or headers of a web socket', async () => {
      await open();
      const token = await bound();
      const authorization = `DPoP ${token}`;
      expect(await isLetIn({ authorization })).toEqual(forbidden);
      expect(await isLetIn({ authorization: `Bearer ${token}`, dpop: await proofOf(token, {}, holder, opening) })).toEqual(
        forbidden,
      );
      expect(await isLetIn({ authorization, dpop: await proofOf(token) })).toEqual(forbidden);
      expect(await isLetIn({ authorization, dpop: [await proofOf(token, {}, holder, opening)] })).toEqual(forbidden);
      const dpop = await proofOf(token, {}, holder, opening);
      expect(await isLetIn({ authorization, dpop })).toBe(true);
      expect(await isLetIn({ authorization, dpop })).toEqual(forbidden);
      expect(await isLetIn({}, { authorization, dpop: await proofOf(token, {}, holder, opening) })).toBe(true);
    });

    it('is told at its end that a nonce is needed, and which', async () => {
      await open({ dpop: settings({ nonces: true }) });
      const token = await bound();
      const authorization = `DPoP ${token}`;
      const { heard } = await socketWith({ authorization, dpop: await proofOf(token, {}, holder, opening) });
      await heard.untilEnd();
      const { closed, reason } = heard.end as { closed: number; reason: string };
      expect([closed, reason]).toEqual([4403, expect.stringMatching(/^use_dpop_nonce \S+$/)]);
      const nonce = reason.split(' ')[1];
      expect(await isLetIn({ authorization, dpop: await proofOf(token, { claims: { nonce } }, holder, opening) })).toBe(true);
    });

    it('goes on being told by that one proof, and ends with its session', async () => {
      await open();
      const { reference } = demoTickets.own;
      const token = await test.token('ana', { boundTo: holder.thumbprint, sessionId: 'open' });
      const authorization = `DPoP ${token}`;
      const { heard, say, close } = await socketWith({ authorization, dpop: await proofOf(token, {}, holder, opening) });
      await heard.until(1);
      for (const id of ['1', '2']) say({ id, type: 'subscribe', payload: { query: 'subscription { alerts { kind } }' } });
      const stream = createEventStreamClient({
        url: `${url.replace(/^ws/, 'http')}/graphql/stream`,
        retryAttempts: 0,
        headers: { authorization, dpop: await proofOf(token, {}, holder, { path: '/graphql/stream' }) },
      });
      const events = new Heard();
      stream.subscribe(
        { query: 'subscription { alerts { kind } }' },
        {
          next: (result) => events.take(result),
          error: (error) => events.ended(error),
          complete: () => events.ended('complete'),
        },
      );
      await settled();
      test.clock.forward(5 * 60_000);
      expect(raised(await raiseOn(test, reference))).toMatch(/^alr_/);
      await heard.until(3);
      await events.until(1);
      expect(events.results).toMatchObject([{ data: { alerts: { kind: expect.any(String) } } }]);
      await test.app.actors.endSessions({
        issuer: 'https://development.counterfoil.invalid',
        subject: null,
        sessionId: 'open',
        issuedAt: test.clock.now(),
      });
      expect(raised(await raiseOn(test, reference, { subject: 'after' }))).toMatch(/^alr_/);
      await events.untilEnd();
      await settled();
      const kinds = heard.results.filter((each) => JSON.stringify(each).includes('"kind"'));
      expect(kinds).toHaveLength(2);
      close();
    });

    it('of server-sent events isn’t opened without a proof for it', async () => {
      await open();
      const token = await bound();
      const stream = async (headers: Record<string, string>) => {
        const { statusCode, body } = await request(`${url.replace(/^ws/, 'http')}/graphql/stream`, {
          method: 'POST',
          headers: {
            authorization: `DPoP ${token}`,
            accept: 'text/event-stream',
            'content-type': 'application/json',
            ...headers,
          },
          body: JSON.stringify({ query: '{ viewer { id } }' }),
        });
        await body.text();
        return statusCode;
      };
      expect(await stream({})).toBe(401);
      expect(await stream({ dpop: await proofOf(token) })).toBe(401);
      expect(await stream({ dpop: await proofOf(token, {}, holder, { path: '/graphql/stream' }) })).toBe(200);
    });
  });
});
