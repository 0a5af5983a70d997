import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { Failure } from '../../failure';
import { keptUntil, LogoutVerifier, type Revocation, RevocationList } from './back-channel-logout';
import { type IssuerOptions, TokenVerifier, type VerifiedToken } from './token-verifier';

const start = Date.parse('2026-03-02T10:00:00Z');
const seconds = start / 1000;
const issuer = 'https://id.merchant.example';
const audience = 'counterfoil';
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

let now = start;
const clock = () => new Date(now);
let pair: Awaited<ReturnType<typeof generateKeyPair>>;
let options: IssuerOptions;

beforeAll(async () => {
  pair = await generateKeyPair('ES256', { extractable: true });
  const key = await exportJWK(pair.publicKey);
  options = { issuer, audience, keys: { keys: [{ ...key, kty: 'EC', kid: 'k', alg: 'ES256' }] } };
});
beforeEach(() => {
  now = start;
});

/** `undefined` removes a claim. */
const logoutOf = (
  changes: Record<string, unknown> = {},
  { typ = 'logout+jwt', by = pair.privateKey }: { typ?: string | null; by?: typeof pair.privateKey } = {},
): Promise<string> => {
  const claims: Record<string, unknown> = {
    iss: issuer,
    aud: audience,
    sub: 'user-1',
    sid: 'session-1',
    jti: 'logout-1',
    iat: seconds,
    exp: seconds + 120,
    events: { [logoutEvent]: {} },
    ...changes,
  };
  for (const [name, value] of Object.entries(changes)) if (value === undefined) delete claims[name];
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k', ...(typ === null ? {} : { typ }) }).sign(by);
};

const outcome = (token: string, changes: Partial<IssuerOptions> = {}) =>
  new LogoutVerifier({ issuers: [{ ...options, ...changes }], clock }).verify(token).then(
    () => 'accepted',
    (error: unknown) => (error instanceof Failure ? error.details.rule : error),
  );

describe('logout tokens', () => {
  test.each(['logout+jwt', 'application/logout+jwt', 'LOGOUT+JWT', 'JWT', null])('typ %p is taken', async (typ) => {
    const verified = await new LogoutVerifier({ issuers: [options], clock }).verify(await logoutOf({}, { typ }));
    expect(verified).toEqual({
      issuer,
      subject: 'user-1',
      sessionId: 'session-1',
      tokenId: 'logout-1',
      issuedAt: new Date(start),
    });
  });

  test.each(['at+jwt', 'application/at+jwt', 'secevent+jwt', 'dpop+jwt', ''])('typ %p is not', async (typ) => {
    expect(await outcome(await logoutOf({}, { typ }))).toBe('token.type');
  });

  test.each([
    [{ sub: undefined }, 'accepted'],
    [{ sid: undefined }, 'accepted'],
    [{ sub: undefined, sid: undefined }, 'token.logout'],
    [{ jti: undefined }, 'token.logout'],
    [{ jti: '' }, 'token.claims'],
    [{ jti: 5 }, 'token.claims'],
    [{ sid: 5 }, 'token.claims'],
    [{ sub: null }, 'token.claims'],
    [{ nonce: 'n' }, 'token.logout'],
    [{ nonce: null }, 'token.logout'],
    [{ nonce: '' }, 'token.logout'],
    [{ events: undefined }, 'token.type'],
    [{ events: null }, 'token.type'],
    [{ events: {} }, 'token.type'],
    [{ events: [logoutEvent] }, 'token.type'],
    [{ events: logoutEvent }, 'token.type'],
    [{ events: { 'https://evil.example': {} } }, 'token.type'],
    [{ events: { [logoutEvent]: null } }, 'token.logout'],
    [{ events: { [logoutEvent]: true } }, 'token.logout'],
    [{ events: { [logoutEvent]: [] } }, 'token.logout'],
    [{ events: { [logoutEvent]: {}, 'https://other.example': {} } }, 'accepted'],
    [{ iat: undefined }, 'token.claims'],
    [{ exp: undefined }, 'token.claims'],
    [{ exp: seconds + 901 }, 'token.lifetime'],
    [{ iat: seconds - 100, exp: seconds - 30 }, 'token.expired'],
    [{ iat: seconds + 31 }, 'token.issued-in-future'],
    [{ iat: seconds + 30 }, 'accepted'],
    [{ aud: 'other' }, 'token.audience'],
    [{ iss: 'https://evil.example' }, 'token.issuer'],
    [{ cnf: {} }, 'accepted'],
  ])('%j is %s', async (changes, expected) => expect(await outcome(await logoutOf(changes))).toBe(expected));

  test('without audience, by another key or by none, nobody is logged out', async () => {
    const other = await generateKeyPair('ES256');
    expect(await outcome(await logoutOf({ aud: undefined }))).toBe('token.claims');
    expect(await outcome(await logoutOf({}, { by: other.privateKey }))).toBe('token.signature');
    const [, payload] = (await logoutOf()).split('.');
    const unsigned = `${Buffer.from('{"alg":"none","typ":"logout+jwt"}').toString('base64url')}.${payload}.`;
    expect(await outcome(unsigned)).toBe('token.algorithm');
  });

  test('the client id may differ from the audience of access tokens, and then only it counts', async () => {
    expect(await outcome(await logoutOf({ aud: 'client' }), { logoutAudience: 'client' })).toBe('accepted');
    expect(await outcome(await logoutOf(), { logoutAudience: 'client' })).toBe('token.audience');
  });

  test('a logout token opens nothing, whatever its typ says', async () => {
    const verifier = new TokenVerifier({ issuers: [options], clock });
    for (const typ of ['logout+jwt', 'JWT', 'at+jwt', null])
      await expect(verifier.verify(await logoutOf({ roles: ['ADMIN'] }, { typ }))).rejects.toMatchObject({
        details: { rule: 'token.type' },
      });
  });
});

const tokenWith = (changes: Partial<VerifiedToken> = {}): VerifiedToken => ({
  issuer,
  subject: 'user-1',
  sessionId: 'session-1',
  tokenId: null,
  name: null,
  roles: [],
  namesRoles: false,
  teams: [],
  mfa: false,
  authenticatedAt: null,
  issuedAt: new Date(start - 10_000),
  expiresAt: new Date(start + 890_000),
  staffClaim: null,
  kind: 'staff',
  ...changes,
});
const entry = (changes: Partial<Revocation> = {}): Revocation => ({
  issuer,
  subject: 'user-1',
  sessionId: 'session-1',
  issuedAt: new Date(start),
  ...changes,
});

describe('revocations', () => {
  test.each<[string, Partial<Revocation>, Partial<VerifiedToken>, boolean]>([
    ['a session ends its tokens', {}, {}, true],
    ['a session known by its id only ends its tokens', { subject: null }, {}, true],
    ['another session of the same person goes on', {}, { sessionId: 'session-2' }, false],
    ['a token that names no session ends with any session of its person', {}, { sessionId: null }, true],
    ['a token that names no session goes on when the logout names no person', { subject: null }, { sessionId: null }, false],
    ['another person’s token that names no session goes on', {}, { sessionId: null, subject: 'user-2' }, false],
    ['a logout of the person ends every session', { sessionId: null }, { sessionId: 'session-2' }, true],
    ['a logout of the person ends tokens without session', { sessionId: null }, { sessionId: null }, true],
    ['a logout of the person leaves others alone', { sessionId: null }, { subject: 'user-2' }, false],
    ['a session id of another issuer is another session', { issuer: 'https://other.example' }, {}, false],
    ['a subject of another issuer is another person', { issuer: 'https://other.example', sessionId: null }, {}, false],
    ['a token of the same second is void', {}, { issuedAt: new Date(start) }, true],
    ['a token of the same second, in fractions, is void', { sessionId: null }, { issuedAt: new Date(start + 500) }, true],
    ['a token issued after the logout is good', { sessionId: null }, { issuedAt: new Date(start + 1_000) }, false],
    ['a subject spelled like a session id is not it', { sessionId: 'user-1', subject: null }, { sessionId: null }, false],
    ['a session id spelled like a subject is not it', { subject: 'session-1', sessionId: null }, {}, false],
    ['letter case matters', { sessionId: 'SESSION-1', subject: null }, {}, false],
  ])('%s', async (_, revoked, held, expected) => {
    const list = new RevocationList(clock);
    expect(list.isRevoked(tokenWith(held))).toBe(false);
    await list.revoke(entry(revoked));
    expect(list.isRevoked(tokenWith(held))).toBe(expected);
  });

  test('parts that run together do not meet', async () => {
    const list = new RevocationList(clock);
    await list.revoke(entry({ issuer: 'a","b', subject: 'c', sessionId: null }));
    expect(list.isRevoked(tokenWith({ issuer: 'a', subject: 'b","c', sessionId: 's' }))).toBe(false);
  });

  test('__proto__ is a name as any other', async () => {
    const list = new RevocationList(clock);
    expect(list.isRevoked(tokenWith({ subject: '__proto__', sessionId: 'constructor' }))).toBe(false);
    await list.revoke(entry({ subject: '__proto__', sessionId: null }));
    expect(list.isRevoked(tokenWith({ subject: '__proto__' }))).toBe(true);
    expect(list.isRevoked(tokenWith())).toBe(false);
  });

  test('a repeated, late or shorter notice takes nothing back', async () => {
    const list = new RevocationList(clock);
    await list.revoke(entry());
    await list.revoke(entry({ issuedAt: new Date(start - 60_000) }), new Date(start + 1));
    pass(2_000);
    expect(list.isRevoked(tokenWith({ issuedAt: new Date(start) }))).toBe(true);
  });

  test('a repeated notice ends no session that began after the first', async () => {
    const list = new RevocationList(clock);
    await list.revoke(entry({ sessionId: null }));
    pass(60_000);
    await list.revoke(entry({ sessionId: null }));
    expect(list.isRevoked(tokenWith({ issuedAt: new Date(start + 30_000) }))).toBe(false);
  });

  test('it is kept for as long as any token that it voids could be accepted, under the largest skew', async () => {
    // The token's issue counts to the end of the logout's second; life and skew are at their largest.
    const last = new Date(start + 999);
    const acceptedUntil = last.getTime() + 900_000 + 120_000;
    expect(keptUntil(entry()).getTime()).toBeGreaterThan(acceptedUntil);
    const list = new RevocationList(clock);
    await list.revoke(entry());
    pass(1_020_999);
    // Another revocation sweeps what is over.
    await list.revoke(entry({ sessionId: 'session-9', subject: null, issuedAt: new Date(now) }));
    expect(list.isRevoked(tokenWith({ issuedAt: last }))).toBe(true);
  });

  test('what is over is forgotten, and nothing is before', async () => {
    const list = new RevocationList(clock);
    for (let at = 0; at < 20_000; at += 1) await list.revoke(entry({ subject: null, sessionId: `session-${at}` }));
    expect(list.size).toBe(20_000);
    expect(list.isRevoked(tokenWith({ sessionId: 'session-0' }))).toBe(true);
    pass(1_200_000);
    await list.revoke(entry({ subject: null, sessionId: 'session-x', issuedAt: new Date(now) }));
    expect(list.size).toBe(1);
  });

  test('what was stored elsewhere is in force after a restart', async () => {
    const list = new RevocationList(clock);
    list.restore([
      { entry: entry(), until: keptUntil(entry()) },
      { entry: entry({ subject: 'user-2', sessionId: null }), until: keptUntil(entry()) },
    ]);
    expect(list.isRevoked(tokenWith())).toBe(true);
    expect(list.isRevoked(tokenWith({ subject: 'user-2', sessionId: 'any' }))).toBe(true);
    expect(list.isRevoked(tokenWith({ subject: 'user-3', sessionId: 'any' }))).toBe(false);
  });

  test('the whole way: a verified token, remembered by the verifier, is void after its session’s logout', async () => {
    const verifier = new TokenVerifier({ issuers: [options], clock });
    const logouts = new LogoutVerifier({ issuers: [options], clock });
    const list = new RevocationList(clock);
    const token = await new SignJWT({ sid: 'session-1', roles: ['AGENT'] })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject('user-1')
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 900)
      .sign(pair.privateKey);
    expect(list.isRevoked(await verifier.verify(token))).toBe(false);
    pass(60_000);
    const logout = await logouts.verify(await logoutOf({ iat: seconds + 60, exp: seconds + 180 }));
    await list.revoke(logout, keptUntil(logout));
    expect(list.isRevoked(await verifier.verify(token))).toBe(true);
  });
});

function pass(milliseconds: number): void {
  now += milliseconds;
}
