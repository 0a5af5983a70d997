import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { issuerConfiguration } from '../../src/authz/identity/token-verifier';
import { demoTickets } from '../../src/development/merchant/cast';
import { StaffMember, staffMembers } from '../../src/features/tickets/ticket.entity';
import { TestApp } from '../support/app';
import { engine } from '../support/database';

const issuer = 'https://id.merchant.example/realms/support';
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

const context = `query($reference: String!) {
  ticketByReference(source: "demo", reference: $reference) {
    reference status team createdAt
    customer { displayName email phone link paymentMethods { last4 } transactions { totalCount nodes { reference } } }
    messages { nodes { body } }
  }
}`;

describe('who asks', () => {
  let app: TestApp;
  let keySet: Server;
  let isKeySetDown = false;
  let keys: Awaited<ReturnType<typeof generateKeyPair>>;
  let published: unknown;

  beforeAll(async () => {
    keys = await generateKeyPair('ES256', { extractable: true });
    published = { keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] };
    keySet = createServer((_request, response) => {
      response.writeHead(isKeySetDown ? 503 : 200, { 'content-type': 'application/json' });
      response.end(isKeySetDown ? '{}' : JSON.stringify(published));
    });
    await new Promise<void>((resolve) => keySet.listen(0, '127.0.0.1', resolve));
    app = await TestApp.start({
      config: {
        issuers: [
          issuerConfiguration({ development: true }).parse({
            issuer,
            audience: 'counterfoil',
            logoutAudience: 'counterfoil-client',
            jwksUri: `http://127.0.0.1:${(keySet.address() as AddressInfo).port}/jwks`,
            claims: {
              roles: 'realm_access.roles',
              teams: 'groups',
              roleMap: { 'support-agent': 'AGENT', root: 'ADMIN', batch: 'SERVICE' },
            },
          }),
        ],
      },
    });
  });
  afterAll(async () => {
    await app.stop();
    keySet.closeAllConnections();
    await new Promise((resolve) => keySet.close(resolve));
  });

  const seconds = () => Math.floor(app.clock.now().getTime() / 1_000);
  const signed = (claims: JWTPayload, { typ = 'at+jwt', key = keys.privateKey } = {}) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k1', typ }).sign(key);
  const claimsOf = (fields: JWTPayload = {}): JWTPayload => ({
    iss: issuer,
    aud: 'counterfoil',
    sub: 'subject-of-ana',
    sid: 'session-1',
    iat: seconds(),
    exp: seconds() + 600,
    auth_time: seconds(),
    amr: ['pwd', 'mfa'],
    realm_access: { roles: ['support-agent'] },
    groups: ['cards'],
    preferred_username: 'ana',
    ...fields,
  });
  const token = (fields: JWTPayload = {}) => signed(claimsOf(fields));
  const logout = async (fields: JWTPayload = {}) => {
    const logoutToken = await signed(
      {
        iss: issuer,
        aud: 'counterfoil-client',
        iat: seconds(),
        exp: seconds() + 120,
        jti: `logout-${Math.random()}`,
        events: { [logoutEvent]: {} },
        ...fields,
      },
      { typ: 'logout+jwt' },
    );
    const response = await app.server.inject({
      method: 'POST',
      url: '/oidc/back-channel-logout',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ logout_token: logoutToken }).toString(),
    });
    return { status: response.statusCode, cache: response.headers['cache-control'], body: response.body };
  };
  const isAccepted = async (text: string): Promise<boolean> =>
    (await app.as({ token: text }, '{ viewer { id } }')).status === 200;
  const viewer = async (text: string) =>
    (await app.as({ token: text }, '{ viewer { id roles teams mfa knownToHelpdesk } }')).data?.viewer;

  it('is told by the merchant’s own identity provider, in its own words', async () => {
    expect(await viewer(await token())).toEqual({
      id: expect.stringMatching(/^act_/),
      roles: ['AGENT'],
      teams: ['cards'],
      mfa: true,
      knownToHelpdesk: true,
    });
    const { data, errors } = await app.as({ token: await token() }, context, { reference: demoTickets.own.reference });
    expect(errors).toBeUndefined();
    expect(data.ticketByReference.customer.paymentMethods.length).toBeGreaterThan(0);
  });

  it('is the same actor from session to session, and another at another issuer', async () => {
    const first = await viewer(await token());
    const second = await viewer(await token({ sid: 'session-2' }));
    const development = await viewer(await app.token('ana'));
    expect(first.id).toBe(second.id);
    expect(development.id).not.toBe(first.id);
  });

  it.each<[string, () => Promise<Record<string, string>>]>([
    ['nothing', async () => ({})],
    ['an empty header', async () => ({ authorization: '' })],
    ['another scheme', async () => ({ authorization: `Basic ${Buffer.from('ana:ana').toString('base64')}` })],
    ['a scheme without a token', async () => ({ authorization: 'Bearer ' })],
    ['garbage', async () => ({ authorization: 'Bearer canary' })],
    ['two tokens', async () => ({ authorization: `Bearer ${await token()} ${await token()}` })],
    [
      'a token that ended',
      async () => ({ authorization: `Bearer ${await token({ iat: seconds() - 700, exp: seconds() - 100 })}` }),
    ],
    ['a token for somebody else', async () => ({ authorization: `Bearer ${await token({ aud: 'webshop' })}` })],
    ['a token for the logout', async () => ({ authorization: `Bearer ${await token({ aud: 'counterfoil-client' })}` })],
    ['a token of a stranger', async () => ({ authorization: `Bearer ${await token({ iss: 'https://id.evil.example' })}` })],
    ['a token of an hour', async () => ({ authorization: `Bearer ${await token({ exp: seconds() + 3_600 })}` })],
    ['a token without a subject', async () => ({ authorization: `Bearer ${await signed({ ...claimsOf(), sub: '' })}` })],
    [
      'a token signed by another key',
      async () => ({ authorization: `Bearer ${await signed(claimsOf(), { key: (await generateKeyPair('ES256')).privateKey })}` }),
    ],
    [
      'a token signed by nobody',
      async () => {
        const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
        return { authorization: `Bearer ${part({ alg: 'none' })}.${part(claimsOf())}.` };
      },
    ],
    [
      'a token in another header',
      async () => ({ 'x-forwarded-authorization': `Bearer ${await token()}`, 'x-user': 'ana', 'x-roles': 'ADMIN' }),
    ],
    ['a token in a cookie', async () => ({ cookie: `token=${await token()}` })],
  ])('is nobody with %s', async (_name, headersOf) => {
    const response = await app.server.inject({
      method: 'POST',
      url: '/graphql',
      headers: { 'content-type': 'application/json', ...(await headersOf()) },
      payload: JSON.stringify({ query: '{ viewer { id } }' }),
    });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toMatch(
      /^Bearer(?: error="invalid_token")?, DPoP algs="ES256 EdDSA Ed25519 PS256 RS256"$/,
    );
    const { data, errors } = response.json() as { data?: unknown; errors: { message: string; extensions: object }[] };
    expect([data, errors]).toEqual([
      undefined,
      [{ message: expect.any(String), extensions: expect.objectContaining({ code: 'UNAUTHENTICATED' }) }],
    ]);
    expect(response.body).not.toMatch(/canary|eyJ|subject-of/);
  });

  it('without a role is told whether the token had the claim for it', async () => {
    const told = async (roles: unknown) => {
      const { errors } = await app.as(
        { token: await token({ realm_access: roles } as JWTPayload) },
        '{ exposure(type: "Customer") { __typename } }',
      );
      return errors?.map(({ extensions: { code, reason, remedy } }) => [code, reason, remedy]);
    };
    const isAbsent = [['DENIED', 'ROLE', expect.stringMatching(/^Your token names no role: the claim/)]];
    const isUnknown = [['DENIED', 'ROLE', expect.stringMatching(/none of its values is a role here/)]];
    expect(await told(undefined)).toEqual(isAbsent);
    expect(await told({})).toEqual(isAbsent);
    expect(await told({ roles: [] })).toEqual(isUnknown);
    expect(await told({ roles: ['canary'] })).toEqual(isUnknown);
    expect(await told({ roles: ['support-agent'] })).toEqual([['DENIED', 'ROLE', expect.stringMatching(/^Your role may not/)]]);
  });

  it('takes no token from the address', async () => {
    const response = await app.server.inject({
      method: 'POST',
      url: `/graphql?access_token=${await token()}`,
      headers: { 'content-type': 'application/json' },
      payload: JSON.stringify({ query: '{ viewer { id } }' }),
    });
    expect(response.statusCode).toBe(401);
    expect(app.logLines.join('')).not.toMatch(/access_token|eyJ/);
  });

  describe('without a second factor', () => {
    it('sees no policed field and is told what would help, and sees the rest', async () => {
      const { status, data, errors } = await app.as({ token: await token({ amr: ['pwd'] }) }, context, {
        reference: demoTickets.own.reference,
      });
      expect(status).toBe(200);
      expect(data.ticketByReference).toEqual({
        reference: demoTickets.own.reference,
        status: 'OPEN',
        team: 'cards',
        createdAt: expect.any(String),
        customer: null,
        messages: null,
      });
      expect(errors?.map(({ path, extensions }) => [path?.join('.'), extensions.code, extensions.reason])).toEqual([
        ['ticketByReference.customer', 'DENIED', 'MFA_REQUIRED'],
        ['ticketByReference.messages', 'DENIED', 'MFA_REQUIRED'],
      ]);
      expect(errors?.[0]?.extensions.remedy).toBe('Sign in again with a second factor.');
    });

    it.each([
      ['no amr', { amr: undefined }],
      ['an empty amr', { amr: [] }],
      ['amr as another word', { amr: 'pwd' }],
      ['a factor of another name', { amr: ['MFA', 'otp'] }],
      ['acr that nobody configured', { amr: [], acr: 'mfa' }],
      ['a claim of our own making', { amr: [], mfa: true }],
    ])('stays without one: %s', async (_name, fields) => {
      expect((await viewer(await token(fields as JWTPayload))).mfa).toBe(false);
    });
  });

  describe('after the session ended at the provider', () => {
    it('is refused, at once and after a restart', async () => {
      const ended = await token({ sid: 'to-end' });
      const other = await token({ sid: 'to-stay' });
      expect([await isAccepted(ended), await isAccepted(other)]).toEqual([true, true]);
      expect(await logout({ sid: 'to-end', sub: 'subject-of-ana' })).toEqual({ status: 200, cache: 'no-store', body: '' });
      expect([await isAccepted(ended), await isAccepted(other)]).toEqual([false, true]);
      const refused = await app.as({ token: ended }, '{ viewer { id } }');
      expect([refused.status, refused.errors?.[0]?.extensions]).toEqual([
        401,
        { code: 'UNAUTHENTICATED', rule: 'token.revoked', remedy: 'Sign in again.' },
      ]);
      await app.restart();
      expect([await isAccepted(ended), await isAccepted(other)]).toEqual([false, true]);
    });

    it('is refused with every token issued before, when all sessions ended', async () => {
      const before = [
        await token({ sub: 'leaver', sid: 'a' }),
        await token({ sub: 'leaver', sid: 'b' }),
        await token({ sub: 'leaver', sid: undefined }),
      ];
      expect((await logout({ sub: 'leaver' })).status).toBe(200);
      expect(await Promise.all(before.map(isAccepted))).toEqual([false, false, false]);
      app.clock.forward(2_000);
      expect(await isAccepted(await token({ sub: 'leaver', sid: 'c' }))).toBe(true);
    });

    it('leaves a record that names nobody', async () => {
      expect((await logout({ sub: 'subject-canary', sid: 'session-canary' })).status).toBe(200);
      const events = await app.events('session.revoke');
      expect(events.length).toBeGreaterThan(0);
      const rows = await app.app.database.query('SELECT * FROM session_revocation');
      for (const text of [JSON.stringify(events), JSON.stringify(rows), app.logLines.join('')])
        expect(text).not.toContain('canary');
    });

    it('may be told so twice', async () => {
      for (let time = 0; time < 2; time += 1) expect((await logout({ sid: 'twice', jti: 'same' })).status).toBe(200);
      expect(await isAccepted(await token({ sid: 'twice' }))).toBe(false);
    });

    it.each<[string, JWTPayload]>([
      ['a nonce', { sid: 'x', nonce: 'n' }],
      ['another audience', { sid: 'x', aud: 'counterfoil' }],
      ['no session and no subject', {}],
      ['no logout event', { sid: 'x', events: {} }],
      ['another issuer', { sid: 'x', iss: 'https://id.evil.example' }],
    ])('is not ended by a token with %s', async (_name, fields) => {
      const count = (await app.events('session.revoke')).length;
      const { status, body } = await logout(fields);
      expect([status, JSON.parse(body).error]).toEqual([400, 'invalid_request']);
      expect((await app.events('session.revoke')).length).toBe(count);
    });

    it('tells whoever operates the gateway that a logout token was refused, by which rule, and nothing of the token', async () => {
      const lineFor = async (fields: JWTPayload) => {
        const before = app.logLines.length;
        expect((await logout({ sub: 'canary', jti: 'canary', ...fields })).status).toBe(400);
        const lines = app.logLines.slice(before).join('');
        expect(lines).not.toContain('canary');
        return app.logLines
          .slice(before)
          .map((line) => JSON.parse(line))
          .filter(({ level }) => level === 40 || level === 'warn')
          .map(({ issuer: named, rule }) => [named, rule]);
      };
      expect(await lineFor({ exp: seconds() + 9_000 })).toEqual([[issuer, 'token.lifetime']]);
      expect(await lineFor({ aud: 'canary' })).toEqual([[issuer, 'token.audience']]);
      // A name that nobody configured is text of a stranger.
      expect(await lineFor({ iss: 'https://canary.example' })).toEqual([[null, 'token.issuer']]);
    });

    it.each([
      ['nothing', '', 'application/x-www-form-urlencoded', 400],
      ['no token', 'token=x', 'application/x-www-form-urlencoded', 400],
      ['an access token', 'access', 'application/x-www-form-urlencoded', 400],
      ['two tokens', 'logout_token=x&logout_token=y', 'application/x-www-form-urlencoded', 400],
      ['JSON', '{"logout_token":"x"}', 'application/json', 400],
      ['a form of a megabyte', `logout_token=${'x'.repeat(1_000_000)}`, 'application/x-www-form-urlencoded', 413],
    ])('is not ended by %s', async (_name, payload, type, status) => {
      const response = await app.server.inject({
        method: 'POST',
        url: '/oidc/back-channel-logout',
        headers: { 'content-type': type },
        payload: payload === 'access' ? `logout_token=${await token()}` : payload,
      });
      expect(response.statusCode).toBe(status);
    });

    if (engine === 'mariadb') {
      it('is refused by another process once it has looked', async () => {
        const replica = await app.replica();
        try {
          const ended = await token({ sid: 'of-two' });
          await expect(replica.actors.identify({ authorization: `Bearer ${ended}` })).resolves.toMatchObject({
            roles: ['AGENT'],
          });
          expect((await logout({ sid: 'of-two' })).status).toBe(200);
          await replica.actors.restoreRevocations();
          await expect(replica.actors.identify({ authorization: `Bearer ${ended}` })).rejects.toMatchObject({
            code: 'UNAUTHENTICATED',
          });
        } finally {
          await replica.close();
        }
      });
    }
  });

  describe('by role', () => {
    const customerRow = async () => {
      const [row] = await app.app.database.query<{ id: string; ticket: string }>(
        'SELECT c.id, t.id AS ticket FROM helpdesk_ticket t JOIN helpdesk_customer c ON c.id = t.customer_id WHERE t.reference = ?',
        [demoTickets.own.reference],
      );
      return row as { id: string; ticket: string };
    };
    const everything = `query($ticket: ID!, $customer: ID!, $transaction: ID!, $reference: String!) {
      ticket(id: $ticket) { customer { displayName email paymentMethods { last4 } transactions { nodes { reference } } } messages { nodes { body } } }
      ticketByReference(source: "demo", reference: $reference) { customer { displayName email } messages { nodes { body } } }
      customer(id: $customer) { displayName email phone paymentMethods { last4 } }
      transaction(id: $transaction) { reference amount { minorUnits } }
      tickets { nodes { customer { displayName email } messages { nodes { body } } } }
    }`;
    const found = (value: unknown, name: string): unknown[] => {
      if (Array.isArray(value)) return value.flatMap((item) => found(item, name));
      if (value === null || typeof value !== 'object') return [];
      return Object.entries(value).flatMap(([key, inner]) => (key === name && inner !== null ? [inner] : found(inner, name)));
    };

    it.each([
      ['a service', 'pip', {}],
      ['an administrator', 'oz', {}],
      ['somebody signed in without a role', null, { realm_access: { roles: [] } }],
      [
        'somebody whose roles are unknown words',
        null,
        { realm_access: { roles: ['AGENT', 'supervisor', '__proto__', 'constructor'] } },
      ],
      ['somebody whose roles are no list', null, { realm_access: { roles: { 'support-agent': true } } }],
      ['a service that also says it is an agent', null, { realm_access: { roles: ['batch', 'support-agent'] } }],
    ] as const)('nothing of customers is there for %s', async (_name, user, fields) => {
      const { id, ticket } = await customerRow();
      const [transaction] = await app.app.database.query<{ id: string }>('SELECT id FROM payment_transaction LIMIT 1');
      const text = user === null ? await token(fields as JWTPayload) : await app.token(user);
      const { status, data, errors } = await app.as({ token: text }, everything, {
        ticket,
        customer: id,
        transaction: transaction?.id,
        reference: demoTickets.own.reference,
      });
      expect(status).toBe(200);
      for (const name of ['displayName', 'email', 'phone', 'body', 'last4', 'reference', 'minorUnits'])
        expect(found(data, name)).toEqual([]);
      expect(errors?.length).toBeGreaterThan(0);
      expect(
        (await app.events('disclosure')).filter(({ actor }) => (actor as { roles: string[] }).roles.includes('ADMIN')),
      ).toEqual([]);
    });

    it('an unknown and an existing id are answered alike where there is no permission', async () => {
      const { id, ticket } = await customerRow();
      for (const user of ['ben', 'oz', 'pip', 'pru']) {
        const ask = async (customer: string, ofTicket: string) => {
          const query = 'query($c: ID!, $t: ID!) { customer(id: $c) { displayName } ticket(id: $t) { status } }';
          const { errors, ...answer } = await app.as(user, query, { c: customer, t: ofTicket });
          // The two root fields run side by side: whichever fails first comes first.
          return { ...answer, errors: errors?.toSorted((one, other) => String(one.path).localeCompare(String(other.path))) };
        };
        expect(await ask(id, ticket)).toEqual(await ask('cus_01AAAAAAAAAAAAAAAAAAAAAAAA', 'tkt_01AAAAAAAAAAAAAAAAAAAAAAAA'));
      }
    });
  });

  it('is nobody at a helpdesk that has two of that name', async () => {
    const greta = async (sub: string) => (await viewer(await token({ sub, preferred_username: 'greta' }))).knownToHelpdesk;
    expect(await greta('first-session')).toBe(true);
    await app.app.database.system('sync', 'source.ingest-tickets', async (change) => {
      const stored = await change.lock(StaffMember, { reference: 'greta' });
      const { loginDigest: emailDigest } = stored;
      await change.insert(staffMembers, {
        ...stored,
        id: 'stf_twin',
        reference: 'twin',
        loginDigest: 'no digest of anything',
        emailDigest,
      });
      change.record('source.ingest-tickets', { subject: { type: 'Source', id: 'demo' }, detail: { tickets: 0, ended: 0 } });
    });
    // Asked anew: who somebody is at the helpdesk is remembered for some seconds.
    expect(await greta('second-session')).toBe(false);
  });

  it('is not decided while the provider’s keys cannot be had, and that is said as such', async () => {
    await app.restart();
    isKeySetDown = true;
    const { status, errors } = await app.as({ token: await token() }, '{ viewer { id } }');
    expect([status, errors?.[0]?.extensions.code]).toEqual([503, 'UPSTREAM_UNAVAILABLE']);
    expect((await app.as('ana', '{ viewer { id } }')).status).toBe(200);
    isKeySetDown = false;
  });
});
