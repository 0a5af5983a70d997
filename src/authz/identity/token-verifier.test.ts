import { createHmac, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { CompactSign, type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose';
import { Failure, ProgrammingError } from '../../failure';
import { LogoutVerifier } from './back-channel-logout';
import { type IssuerOptions, issuerConfiguration, issuersConfiguration, TokenVerifier } from './token-verifier';

interface Signer {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

const signer = async (alg: string, kid: string): Promise<Signer> => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
};

/** A provider's key set over HTTP that counts what is asked of it. */
class Provider {
  keys: unknown[] = [];
  requests = 0;
  answer: 'keys' | 'fault' | 'garbage' | 'huge' | 'redirect' | 'silence' | 'not-a-set' = 'keys';
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      this.requests += 1;
      if (this.answer === 'silence') return;
      if (this.answer === 'fault') return void response.writeHead(503).end('down');
      if (this.answer === 'garbage') return void response.writeHead(200).end('<html>');
      if (this.answer === 'not-a-set') return void response.writeHead(200).end('{"keys":"none"}');
      if (this.answer === 'redirect' && request.url === '/keys')
        return void response.writeHead(302, { location: `${this.origin}/elsewhere` }).end();
      if (this.answer === 'huge') {
        response.writeHead(200);
        return void response.end(`{"keys":[],"padding":"${'x'.repeat(300 * 1024)}"}`);
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: this.keys }));
    });
  }

  static async listen(): Promise<Provider> {
    const provider = new Provider();
    await new Promise<void>((resolve) => provider.server.listen(0, '127.0.0.1', resolve));
    return provider;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const start = Date.parse('2026-03-02T10:00:00Z');
const seconds = start / 1000;
const issuer = 'https://id.merchant.example';
const audience = 'counterfoil';
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

let provider: Provider;
let es: Signer;
let rs: Signer;
let ed: Signer;
let stranger: Signer;
let now: number;
/** jose ages key sets by the system's clock: both clocks are moved together. */
let system: jest.SpyInstance;
const clock = () => new Date(now);
const pass = (milliseconds: number) => {
  now += milliseconds;
};

beforeAll(async () => {
  [es, rs, ed, stranger] = await Promise.all([
    signer('ES256', 'es-1'),
    signer('RS256', 'rs-1'),
    signer('EdDSA', 'ed-1'),
    signer('ES256', 'es-1'),
  ]);
});

beforeEach(async () => {
  now = start;
  system = jest.spyOn(Date, 'now').mockImplementation(() => now);
  provider = await Provider.listen();
  provider.keys = [es.jwk, rs.jwk, ed.jwk];
});

afterEach(async () => {
  system.mockRestore();
  await provider.close();
});

const claimsOf = (changes: Record<string, unknown> = {}): Record<string, unknown> => {
  const claims: Record<string, unknown> = {
    iss: issuer,
    sub: 'user-1',
    aud: audience,
    iat: seconds,
    exp: seconds + 600,
    sid: 'session-1',
    jti: 'token-1',
    roles: ['AGENT'],
    teams: ['cards'],
    amr: ['pwd', 'mfa'],
    auth_time: seconds - 60,
    preferred_username: 'Ana',
    ...changes,
  };
  for (const [name, value] of Object.entries(changes)) if (value === undefined) delete claims[name];
  return claims;
};

/** `undefined` removes a claim or header. */
const tokenOf = (
  changes: Record<string, unknown> = {},
  { by = es, header = {} }: { by?: Signer; header?: Record<string, unknown> } = {},
): Promise<string> => {
  const protectedHeader: Record<string, unknown> = { alg: by.alg, kid: by.kid, typ: 'at+jwt', ...header };
  for (const [name, value] of Object.entries(header)) if (value === undefined) delete protectedHeader[name];
  return new SignJWT(claimsOf(changes)).setProtectedHeader(protectedHeader as { alg: string }).sign(by.privateKey);
};

/** Turns of the event loop until the claim holds; one that never does is ended by the test's own limit. */
const until = async (claim: () => Promise<boolean>): Promise<void> => {
  while (!(await claim())) await new Promise((resolve) => setImmediate(resolve));
};

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const verifierOf = (
  changes: Partial<IssuerOptions> = {},
  options: Partial<ConstructorParameters<typeof TokenVerifier>[0]> = {},
) =>
  new TokenVerifier({
    issuers: [{ issuer, audience, jwksUri: `${provider.origin}/keys`, ...changes }],
    clock,
    development: true,
    ...options,
  });

/** `token.<fault>` of the refusal; fails when the token is accepted. Nothing of the token may stand in what is told. */
const refusal = async (verification: Promise<unknown>, token?: string): Promise<string | undefined> => {
  const failure = await verification.then(
    () => {
      throw new Error('the token was accepted');
    },
    (error: unknown) => error,
  );
  if (!(failure instanceof Failure)) throw failure;
  const told = JSON.stringify({ ...failure.details, message: failure.message, own: Object.getOwnPropertyNames(failure) });
  expect(told).not.toMatch(/user-1|session-1|token-1|merchant\.example/);
  if (token !== undefined) for (const part of token.split('.')) if (part.length > 8) expect(told).not.toContain(part);
  expect(failure.cause).toBeUndefined();
  return failure.code === 'UNAUTHENTICATED' ? failure.details.rule : failure.code;
};

const refused = async (token: string, changes: Partial<IssuerOptions> = {}) => refusal(verifierOf(changes).verify(token), token);

test('a good token gives what its issuer says, for each kind of key', async () => {
  const verifier = verifierOf();
  for (const by of [es, rs, ed])
    expect(await verifier.verify(await tokenOf({}, { by }))).toEqual({
      issuer,
      subject: 'user-1',
      sessionId: 'session-1',
      tokenId: 'token-1',
      roles: ['AGENT'],
      namesRoles: true,
      teams: ['cards'],
      mfa: true,
      authenticatedAt: new Date(start - 60_000),
      issuedAt: new Date(start),
      expiresAt: new Date(start + 600_000),
      staffClaim: 'ana',
      name: 'Ana',
      kind: 'staff',
    });
  expect(provider.requests).toBe(1);
});

test('the least that is valid gives a person who may do nothing', async () => {
  const token = await tokenOf({
    sid: undefined,
    jti: undefined,
    roles: undefined,
    teams: undefined,
    amr: undefined,
    auth_time: undefined,
    preferred_username: undefined,
  });
  expect(await verifierOf().verify(token)).toMatchObject({
    sessionId: null,
    tokenId: null,
    roles: [],
    teams: [],
    mfa: false,
    authenticatedAt: null,
    staffClaim: null,
    kind: 'staff',
  });
});

describe('algorithms', () => {
  test.each(['none', 'None', 'NONE', 'nOnE', '', 'HS256', 'HS384', 'HS512', 'hs256', 'ES256K', 'RSA1_5', 'dir'])(
    'alg %p is refused before any key is fetched',
    async (alg) => {
      const forged = `${encoded({ alg, kid: 'es-1' })}.${encoded(claimsOf())}.`;
      expect(await refused(forged)).toBe('token.algorithm');
      expect(await refused(`${forged}AAAA`)).toBe('token.algorithm');
      expect(provider.requests).toBe(0);
    },
  );

  test.each([undefined, null, 5, ['ES256'], { toString: 'ES256' }])('an alg that is %p is refused', async (alg) => {
    expect(await refused(`${encoded({ alg, kid: 'es-1' })}.${encoded(claimsOf())}.AAAA`)).toBe('token.algorithm');
  });

  test('a token signed by HMAC with the public key as secret is refused, in each spelling of that key', async () => {
    const pem = await exportSPKI(rs.publicKey);
    for (const secret of [pem, pem.trim(), JSON.stringify(rs.jwk), String(rs.jwk.n)]) {
      const content = `${encoded({ alg: 'HS256', kid: 'rs-1', typ: 'JWT' })}.${encoded(claimsOf())}`;
      const mac = createHmac('sha256', secret).update(content).digest('base64url');
      expect(await refused(`${content}.${mac}`)).toBe('token.algorithm');
    }
  });

  test('a good signature by an algorithm that the issuer is not configured for is refused', async () => {
    expect(await refused(await tokenOf({}, { by: rs }), { algorithms: ['ES256'] })).toBe('token.algorithm');
  });

  test('a key is not used with another algorithm than its own', async () => {
    const content = await new CompactSign(Buffer.from(JSON.stringify(claimsOf())))
      .setProtectedHeader({ alg: 'ES256', kid: 'rs-1' })
      .sign(es.privateKey);
    expect(await refused(content)).toBe('token.key');
  });

  test('a symmetric key in the key set verifies nothing', async () => {
    const secret = randomBytes(32);
    provider.keys.push({ kty: 'oct', k: secret.toString('base64url'), kid: 'oct-1', alg: 'HS256' });
    const content = `${encoded({ alg: 'HS256', kid: 'oct-1' })}.${encoded(claimsOf())}`;
    const token = `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
    expect(await refused(token)).toBe('token.algorithm');
    const posing = `${encoded({ alg: 'ES256', kid: 'oct-1' })}.${encoded(claimsOf())}.AAAA`;
    expect(await refused(posing)).toBe('token.key');
  });

  test('a key whose private half is published verifies nothing', async () => {
    provider.keys = [{ ...es.jwk, d: (await exportJWK(es.privateKey)).d }];
    expect(await refused(await tokenOf())).toBe('token.key');
  });

  test.each([
    ['of 1024 bits', { kty: 'RSA', n: randomBytes(128).toString('base64url'), e: 'AQAB', kid: 'rs-1' }],
    ['that is broken', { kty: 'RSA', n: 5, e: null, kid: 'rs-1' }],
    ['of another use', null],
  ])('a key %s refuses its tokens and is no fault of ours', async (_, key) => {
    provider.keys = [key ?? { ...rs.jwk, use: 'enc' }];
    expect(await refused(await tokenOf({}, { by: rs }))).toBe('token.key');
  });
});

describe('signatures and keys', () => {
  test('another key under the same id is refused', async () => {
    expect(await refused(await tokenOf({}, { by: stranger }))).toBe('token.signature');
  });

  test('a changed claim is refused', async () => {
    const [header, , signature] = (await tokenOf()).split('.');
    expect(await refused(`${header}.${encoded(claimsOf({ roles: ['ADMIN'] }))}.${signature}`)).toBe('token.signature');
  });

  test('a changed header is refused', async () => {
    const [, payload, signature] = (await tokenOf()).split('.');
    expect(await refused(`${encoded({ alg: 'ES256', kid: 'es-1' })}.${payload}.${signature}`)).toBe('token.signature');
  });

  test('an all-zero ECDSA signature is refused', async () => {
    const [header, payload] = (await tokenOf()).split('.');
    expect(await refused(`${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`)).toBe('token.signature');
  });

  test.each(['jwk', 'jku', 'x5u', 'x5c'])('a key that the token itself brings by %s is not used', async (name) => {
    const evil = await Provider.listen();
    try {
      evil.keys = [stranger.jwk];
      const value = name === 'jwk' ? stranger.jwk : name === 'x5c' ? ['AAAA'] : `${evil.origin}/keys`;
      expect(await refused(await tokenOf({}, { by: stranger, header: { [name]: value } }))).toBe('token.signature');
      expect(await refused(await tokenOf({}, { by: stranger, header: { [name]: value, kid: 'other' } }))).toBe('token.key');
      expect(evil.requests).toBe(0);
    } finally {
      await evil.close();
    }
  });

  test.each(['../../../../dev/null', '/etc/passwd', "es-1' OR '1'='1", 'es-1\u0000', '__proto__', 'constructor', '', 'ES-1'])(
    'the key id %p finds no key',
    async (kid) => expect(await refused(await tokenOf({}, { by: stranger, header: { kid } }))).toBe('token.key'),
  );

  test.each([5, null, ['es-1'], {}, 'k'.repeat(513)])('the key id %p is malformed', async (kid) => {
    expect(await refused(`${encoded({ alg: 'ES256', kid })}.${encoded(claimsOf())}.AAAA`)).toBe('token.malformed');
  });

  test('where several keys fit, the one that has signed counts, and no other', async () => {
    const token = await tokenOf({}, { header: { kid: undefined } });
    expect(await verifierOf().verify(token)).toMatchObject({ subject: 'user-1' });
    // One key twice, two keys of one id, and a token that names none.
    for (const keys of [
      [es.jwk, es.jwk],
      [stranger.jwk, es.jwk],
      [{ ...stranger.jwk, kid: 'es-2' }, es.jwk, { ...es.jwk, use: 'enc' }],
    ]) {
      provider.keys = keys;
      expect(await verifierOf().verify(token)).toMatchObject({ subject: 'user-1' });
      expect(await verifierOf().verify(await tokenOf())).toMatchObject({ subject: 'user-1' });
    }
    const third = await signer('ES256', 'es-1');
    provider.keys = [stranger.jwk, es.jwk];
    expect(await refused(await tokenOf({}, { by: third }))).toBe('token.signature');
    provider.keys = [{ ...rs.jwk, kid: 'es-1' }, es.jwk, es.jwk];
    expect(await refused(await tokenOf({ exp: seconds - 100 }))).toBe('token.expired');
  });

  test('only so many keys of a set are tried', async () => {
    provider.keys = [...Array.from({ length: 200 }, () => stranger.jwk), es.jwk];
    expect(await refused(await tokenOf())).toBe('token.signature');
  });

  test('Ed25519 is EdDSA by its other name, in tokens and in key sets', async () => {
    for (const inKeys of ['EdDSA', 'Ed25519', undefined])
      for (const alg of ['EdDSA', 'Ed25519']) {
        provider.keys = [{ ...ed.jwk, alg: inKeys }];
        const token = await tokenOf({}, { by: { ...ed, alg } });
        expect(await verifierOf({ algorithms: ['EdDSA', 'Ed25519'] }).verify(token)).toMatchObject({ subject: 'user-1' });
        expect(await refused(token, { algorithms: [alg === 'EdDSA' ? 'Ed25519' : 'EdDSA'] })).toBe('token.algorithm');
      }
  });

  test.each([
    { crit: ['b64'], b64: false },
    { crit: ['b64'], b64: true },
    { crit: ['exp'], exp: seconds + 1 },
    { crit: [] },
    { crit: null },
    { b64: false },
    { b64: true },
  ])('the header %j is refused', async (header) => {
    expect(await refused(`${encoded({ alg: 'ES256', kid: 'es-1', ...header })}.${encoded(claimsOf())}.AAAA`)).toBe(
      'token.header',
    );
  });

  test('a really signed token with an unencoded payload or an unknown critical header is refused', async () => {
    const signed = await new CompactSign(Buffer.from(JSON.stringify(claimsOf())))
      .setProtectedHeader({ alg: 'ES256', kid: 'es-1', crit: ['urn:x'], 'urn:x': 1 } as { alg: string })
      .sign(es.privateKey, { crit: { 'urn:x': true } });
    expect(await refused(signed)).toBe('token.header');
  });
});

describe('issuers and audiences', () => {
  test.each([
    'https://evil.example',
    `${issuer}/`,
    issuer.toUpperCase(),
    '__proto__',
    'constructor',
    '',
    undefined,
    null,
    5,
    [issuer],
    { [issuer]: 1 },
  ])('the issuer %p is not trusted', async (iss) => {
    expect(await refused(await tokenOf({ iss }))).toBe('token.issuer');
    expect(provider.requests).toBe(0);
  });

  test('one trusted issuer can not sign for another', async () => {
    const other = await Provider.listen();
    try {
      other.keys = [stranger.jwk];
      const verifier = new TokenVerifier({
        issuers: [
          { issuer, audience, jwksUri: `${provider.origin}/keys` },
          { issuer: 'https://other.example', audience, jwksUri: `${other.origin}/keys`, algorithms: ['ES256'] },
        ],
        clock,
        development: true,
      });
      expect(await refusal(verifier.verify(await tokenOf({}, { by: stranger })))).toBe('token.signature');
      const own = await tokenOf({ iss: 'https://other.example' }, { by: stranger });
      expect(await verifier.verify(own)).toMatchObject({ issuer: 'https://other.example', subject: 'user-1' });
      // Each issuer has its own list of algorithms.
      expect(await refusal(verifier.verify(await tokenOf({ iss: 'https://other.example' }, { by: rs })))).toBe('token.algorithm');
    } finally {
      await other.close();
    }
  });

  test.each(['other', '', 'counterfoil ', 'COUNTERFOIL', [], ['other'], [['counterfoil']], { counterfoil: true }, 5, null])(
    'the audience %j is somebody else’s',
    async (aud) => expect(await refused(await tokenOf({ aud }))).toBe('token.audience'),
  );

  test('a token without audience lacks a claim', async () => {
    expect(await refused(await tokenOf({ aud: undefined }))).toBe('token.claims');
  });

  test('one of several audiences suffices, on either side', async () => {
    expect(await verifierOf().verify(await tokenOf({ aud: ['other', audience] }))).toMatchObject({ subject: 'user-1' });
    const two = verifierOf({ audience: ['first', audience] });
    expect(await two.verify(await tokenOf())).toMatchObject({ subject: 'user-1' });
  });
});

describe('times', () => {
  const at = async (claims: Record<string, unknown>, changes: Partial<IssuerOptions> = {}) =>
    verifierOf(changes)
      .verify(await tokenOf(claims))
      .then(
        () => 'accepted',
        (error: Failure) => error.details.rule,
      );

  test.each([
    [{ exp: seconds - 30, iat: seconds - 600 }, 'token.expired'],
    [{ exp: seconds - 29, iat: seconds - 600 }, 'accepted'],
    [{ nbf: seconds + 30 }, 'accepted'],
    [{ nbf: seconds + 31 }, 'token.not-yet-valid'],
    [{ iat: seconds + 30 }, 'accepted'],
    [{ iat: seconds + 31, exp: seconds + 600 }, 'token.issued-in-future'],
    [{ iat: seconds + 86_400, exp: seconds + 86_700 }, 'token.issued-in-future'],
    [{ exp: seconds + 900 }, 'accepted'],
    [{ exp: seconds + 901 }, 'token.lifetime'],
    [{ exp: seconds + 960 }, 'token.lifetime'],
    [{ iat: seconds - 900, exp: seconds + 60 }, 'token.lifetime'],
    [{ iat: 0, exp: seconds + 60 }, 'token.lifetime'],
    [{ iat: seconds, exp: seconds }, 'token.lifetime'],
    [{ iat: seconds + 10, exp: seconds + 5 }, 'token.lifetime'],
    [{ exp: undefined }, 'token.claims'],
    [{ iat: undefined }, 'token.claims'],
    [{ exp: String(seconds + 600) }, 'token.claims'],
    [{ iat: String(seconds) }, 'token.claims'],
    [{ iat: null }, 'token.claims'],
    [{ exp: [seconds + 600] }, 'token.claims'],
    [{ nbf: 'now' }, 'token.claims'],
    [{ iat: -5 }, 'token.claims'],
    // In milliseconds, a usual mistake of providers.
    [{ iat: start, exp: start + 600_000 }, 'token.issued-in-future'],
  ])('%j is %s', async (claims, outcome) => expect(await at(claims)).toBe(outcome));

  test('without skew the edges are sharp, with the largest they are 120 seconds off', async () => {
    expect(await at({ exp: seconds, iat: seconds - 60 }, { clockSkewSeconds: 0 })).toBe('token.expired');
    expect(await at({ exp: seconds + 1, iat: seconds - 60 }, { clockSkewSeconds: 0 })).toBe('accepted');
    expect(await at({ iat: seconds + 1 }, { clockSkewSeconds: 0 })).toBe('token.issued-in-future');
    expect(await at({ exp: seconds - 119, iat: seconds - 300 }, { clockSkewSeconds: 120 })).toBe('accepted');
    expect(await at({ exp: seconds - 120, iat: seconds - 300 }, { clockSkewSeconds: 120 })).toBe('token.expired');
  });

  test('numbers beyond all measure do not slip through', async () => {
    for (const [iat, exp] of [
      ['1e999', '1e999'],
      ['-1e999', '1e999'],
      [`${seconds}`, '1e999'],
      [`${seconds}`, '1e308'],
      ['-0', '1e308'],
    ]) {
      const payload = JSON.stringify(claimsOf())
        .replace(/"iat":\d+/, `"iat":${iat}`)
        .replace(/"exp":\d+/, `"exp":${exp}`);
      const token = await new CompactSign(Buffer.from(payload))
        .setProtectedHeader({ alg: 'ES256', kid: 'es-1' })
        .sign(es.privateKey);
      expect(['token.claims', 'token.lifetime', 'token.issued-in-future']).toContain(await refused(token));
    }
  });

  test('an issuer with a shorter limit is held to it', async () => {
    expect(await at({ exp: seconds + 300 }, { maxLifetimeSeconds: 300 })).toBe('accepted');
    expect(await at({ exp: seconds + 301 }, { maxLifetimeSeconds: 300 })).toBe('token.lifetime');
  });
});

describe('shape', () => {
  test.each([
    '',
    '.',
    '..',
    '...',
    'a.b.c',
    'garbage',
    'Bearer x.y.z',
    '{"alg":"ES256"}',
    `${encoded([])}.${encoded({})}.AAAA`,
    `${encoded(null)}.${encoded({})}.AAAA`,
    `${encoded('x')}.${encoded({})}.AAAA`,
    `${encoded({ alg: 'ES256' })}.${encoded([1])}.AAAA`,
    `${encoded({ alg: 'ES256' })}.${encoded('sub')}.AAAA`,
    `${Buffer.from([0xff, 0xfe]).toString('base64url')}.${encoded({})}.AAAA`,
    `${encoded({ alg: 'ES256' })}..AAAA`,
    '\u0000.\u0000.\u0000',
  ])('%p is malformed', async (token) => expect(await refused(token)).toBe('token.malformed'));

  test('what is no text at all is malformed', async () => {
    for (const token of [undefined, null, 5, {}, []] as unknown as string[])
      expect(await refusal(verifierOf().verify(token))).toBe('token.malformed');
  });

  test('four and five segments, repeated segments, padding, blanks and a second spelling are refused', async () => {
    const token = await tokenOf();
    const [header = '', payload = '', signature = ''] = token.split('.');
    for (const changed of [
      `${token}.`,
      `${token}.${signature}`,
      `${header}.${header}.${payload}.${signature}`,
      `${token}.${token}`,
      `${header}=.${payload}.${signature}`,
      ` ${token}`,
      `${header} .${payload}.${signature}`,
      `${header}.${payload}\n.${signature}`,
      `${header}.${payload}.${signature}.AA.AA`,
    ])
      expect(await refused(changed)).toBe('token.malformed');
    expect(await refused(`${header}.${payload}.`)).toBe('token.signature');
    expect(['token.malformed', 'token.signature']).toContain(await refused(`${header}.${payload}.${signature}!`));
    expect(['token.malformed', 'token.signature']).toContain(await refused(`${header}.${payload}.${signature.slice(2)}`));
  });

  test('65536 characters are read, one more is not', async () => {
    const short = await tokenOf({ padding: '' });
    const fill = (length: number) => tokenOf({ padding: 'x'.repeat(length) });
    const longest = Math.floor(((65_536 - short.length) * 3) / 4);
    let at = longest;
    let token = await fill(at);
    while (token.length > 65_536) token = await fill(--at);
    expect(token.length).toBeGreaterThan(65_532);
    expect(await verifierOf().verify(token)).toMatchObject({ subject: 'user-1' });
    expect(await refused(await fill(at + 4))).toBe('token.length');
    expect(await refused('x'.repeat(10_000_000))).toBe('token.length');
  });

  test.each([
    ['sub', undefined],
    ['sub', ''],
    ['sub', null],
    ['sub', 5],
    ['sub', ['user-1']],
    ['sub', 'x'.repeat(256)],
    ['sub', 'a\nb'],
    ['sid', 5],
    ['sid', ''],
    ['sid', ['session-1']],
    ['jti', {}],
    ['jti', 7],
  ])('a %s that is %p is refused', async (name, value) => {
    expect(await refused(await tokenOf({ [name]: value }))).toBe('token.claims');
  });

  test.each(['JWT', 'jwt', 'at+jwt', 'application/at+jwt', 'AT+JWT', undefined])('typ %p is an access token', async (typ) => {
    expect(await verifierOf().verify(await tokenOf({}, { header: { typ } }))).toMatchObject({ subject: 'user-1' });
  });

  test.each(['logout+jwt', 'application/logout+jwt', 'LOGOUT+JWT', 'secevent+jwt', 'dpop+jwt', 'JOSE', ''])(
    'typ %p is not',
    async (typ) => expect(await refused(await tokenOf({}, { header: { typ } }))).toBe('token.type'),
  );

  test('a logout token without its typ is told by its events', async () => {
    const logout = await tokenOf({ events: { [logoutEvent]: {} } }, { header: { typ: 'JWT' } });
    expect(await refused(logout)).toBe('token.type');
    expect(await refused(await tokenOf({ events: null }))).toBe('token.type');
  });

  test('an ID token for a client of our name is told by its claims', async () => {
    for (const claims of [{ at_hash: 'x' }, { c_hash: 'x' }, { typ: 'ID' }, { nonce: 'x' }])
      expect([claims, await refused(await tokenOf(claims))]).toEqual([claims, 'token.type']);
    // Some providers put the nonce of the sign-in into both.
    for (const claims of [{ nonce: 'x', scope: 'openid' }, { nonce: 'x', scp: ['graph'] }, { typ: 'Bearer' }])
      await expect(verifierOf().verify(await tokenOf(claims))).resolves.toMatchObject({ kind: 'staff' });
  });

  const jkt = 'x'.repeat(43);
  test('a token that is bound by DPoP says to which key', async () => {
    expect(await verifierOf().verify(await tokenOf({ cnf: { jkt } }))).toMatchObject({ boundTo: jkt });
    expect(await verifierOf().verify(await tokenOf())).not.toHaveProperty('boundTo');
  });

  test('one that is bound to nothing is taken from whom it is not asked for', async () => {
    const of = (roles: readonly string[], cnf?: unknown) => tokenOf({ roles, cnf });
    for (const dpopRequired of [true, ['SERVICE' as const, 'ADMIN' as const]]) {
      expect(await refused(await of(['ADMIN', 'AUDITOR']), { dpopRequired })).toBe('token.unbound');
      expect(await refused(await of(['SERVICE']), { dpopRequired })).toBe('token.unbound');
      expect(await verifierOf({ dpopRequired }).verify(await of(['ADMIN'], { jkt }))).toMatchObject({ boundTo: jkt });
    }
    expect(await refused(await of(['AGENT']), { dpopRequired: true })).toBe('token.unbound');
    expect(await verifierOf({ dpopRequired: ['SERVICE'] }).verify(await of(['AGENT']))).toMatchObject({ roles: ['AGENT'] });
    // Known or not.
    const verifier = verifierOf({ dpopRequired: ['AGENT'] });
    const token = await of(['AGENT']);
    for (let times = 0; times < 2; times += 1) expect(await refusal(verifier.verify(token))).toBe('token.unbound');
  });

  test.each<[unknown, string]>([
    [{ 'x5t#S256': jkt }, 'token.certificate'],
    [{ 'x5t#S256': jkt, jkt }, 'token.certificate'],
    [{ jkt: 'thumbprint' }, 'token.bound'],
    [{ jkt: `${jkt}=` }, 'token.bound'],
    [{ jkt: [jkt] }, 'token.bound'],
    [{ jkt, kid: 'k1' }, 'token.bound'],
    [{ jwk: { kty: 'EC' } }, 'token.bound'],
    [{}, 'token.bound'],
    [[], 'token.bound'],
    [null, 'token.bound'],
    [jkt, 'token.bound'],
  ])('one that is bound otherwise (%j) is not taken', async (cnf, rule) =>
    expect(await refused(await tokenOf({ cnf }))).toBe(rule),
  );

  test('an access token ends no session', async () => {
    const logouts = new LogoutVerifier({
      issuers: [{ issuer, audience, jwksUri: `${provider.origin}/keys` }],
      clock,
      development: true,
    });
    expect(await refusal(logouts.verify(await tokenOf()))).toBe('token.type');
    expect(await refusal(logouts.verify(await tokenOf({}, { header: { typ: 'JWT' } })))).toBe('token.type');
  });
});

describe('key sets', () => {
  test('a new key is fetched when it is first met, and a withdrawn one verifies nothing any more', async () => {
    const verifier = verifierOf();
    const old = await tokenOf();
    await verifier.verify(old);
    const next = await signer('ES256', 'es-2');
    provider.keys = [next.jwk];
    pass(10_001);
    const renewed = await tokenOf({ jti: 'token-2' }, { by: next });
    expect(await verifier.verify(renewed)).toMatchObject({ subject: 'user-1' });
    expect(provider.requests).toBe(2);
    // Remembered before the withdrawal, and refused all the same.
    expect(await refusal(verifier.verify(old))).toBe('token.key');
    expect(await refusal(verifier.verify(await tokenOf({ jti: 'token-3' })))).toBe('token.key');
  });

  test('another key under an old id is found by the signature that the old one refuses, once a cooldown', async () => {
    const verifier = verifierOf();
    await verifier.verify(await tokenOf());
    provider.keys = [stranger.jwk];
    const token = await tokenOf({ jti: 'token-2' }, { by: stranger });
    expect(await refusal(verifier.verify(token))).toBe('token.signature');
    expect(provider.requests).toBe(1);
    pass(10_001);
    expect(await verifier.verify(token)).toMatchObject({ subject: 'user-1' });
    expect(provider.requests).toBe(2);
    const forged = await Promise.all(Array.from({ length: 50 }, (_, at) => tokenOf({ jti: `forged-${at}` })));
    for (const each of forged) expect(await refusal(verifier.verify(each))).toBe('token.signature');
    expect(provider.requests).toBe(2);
    pass(10_001);
    await Promise.all(forged.map((each) => refusal(verifier.verify(each))));
    expect(provider.requests).toBe(3);
  });

  test('a wrong signature stays one where the provider is down meanwhile', async () => {
    const verifier = verifierOf();
    const good = await tokenOf();
    await verifier.verify(good);
    provider.answer = 'fault';
    pass(10_001);
    expect(await refusal(verifier.verify(await tokenOf({}, { by: stranger })))).toBe('token.signature');
    expect(await verifier.verify(await tokenOf({ jti: 'token-2' }))).toMatchObject({ subject: 'user-1' });
  });

  test('a key withdrawn quietly is out of use after the refresh in the background, also for remembered tokens', async () => {
    const verifier = verifierOf();
    const token = await tokenOf();
    await verifier.verify(token);
    await verifier.verify(token);
    provider.keys = [rs.jwk];
    pass(299_000);
    expect(await verifier.verify(token)).toMatchObject({ subject: 'user-1' });
    expect(provider.requests).toBe(1);
    pass(2_000);
    await until(async () => (await verifier.verify(token).catch((error: Failure) => error.details.rule)) === 'token.key');
    expect(provider.requests).toBe(2);
  });

  test('keys are fetched again in the background from a third of their age on', async () => {
    const verifier = verifierOf();
    const token = (jti: string) => tokenOf({ jti, iat: now / 1000, exp: now / 1000 + 600 });
    await verifier.verify(await token('a'));
    pass(299_000);
    await verifier.verify(await token('b'));
    expect(provider.requests).toBe(1);
    pass(2_000);
    await verifier.verify(await token('c'));
    await until(async () => provider.requests === 2);
    await verifier.verify(await token('d'));
    expect(provider.requests).toBe(2);
  });

  test('a short outage goes unnoticed, a long one is the provider’s fault and not the token’s', async () => {
    const faults: string[] = [];
    const verifier = verifierOf({}, { onKeySetFault: (_, why) => faults.push(why) });
    const fresh = () => tokenOf({ iat: now / 1000, exp: now / 1000 + 600, jti: String(now) });
    await verifier.verify(await fresh());
    provider.answer = 'fault';
    pass(600_000);
    expect(await verifier.verify(await fresh())).toMatchObject({ subject: 'user-1' });
    pass(301_000);
    expect(await refusal(verifier.verify(await fresh()))).toBe('UPSTREAM_UNAVAILABLE');
    expect(faults.every((why) => why === 'the key set answered with status 503')).toBe(true);
    provider.answer = 'keys';
    pass(5_001);
    expect(await verifier.verify(await fresh())).toMatchObject({ subject: 'user-1' });
  });

  test('a flood of unknown key ids asks the provider once', async () => {
    const verifier = verifierOf();
    await verifier.verify(await tokenOf());
    const flood = async () => {
      const tokens = await Promise.all(
        Array.from({ length: 100 }, (_, at) => tokenOf({}, { by: stranger, header: { kid: `unknown-${at}` } })),
      );
      return new Set(await Promise.all(tokens.map((token) => refusal(verifier.verify(token)))));
    };
    expect(await flood()).toEqual(new Set(['token.key']));
    expect(provider.requests).toBe(1);
    pass(10_001);
    expect(await flood()).toEqual(new Set(['token.key']));
    expect(provider.requests).toBe(2);
  });

  test('a flood while the provider is down asks it once a backoff', async () => {
    provider.answer = 'fault';
    const verifier = verifierOf();
    const flood = async () => {
      for (let at = 0; at < 30; at += 1) expect(await refusal(verifier.verify(await tokenOf()))).toBe('UPSTREAM_UNAVAILABLE');
    };
    await flood();
    expect(provider.requests).toBe(1);
    pass(5_001);
    await flood();
    expect(provider.requests).toBe(2);
  });

  test('many requests at the start share one fetch', async () => {
    const verifier = verifierOf();
    const tokens = await Promise.all(Array.from({ length: 40 }, (_, at) => tokenOf({ jti: `token-${at}` })));
    await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(provider.requests).toBe(1);
  });

  test.each(['fault', 'garbage', 'huge', 'redirect', 'not-a-set'] as const)(
    'a key set that answers with %s is unavailable',
    async (answer) => {
      provider.answer = answer;
      expect(await refused(await tokenOf())).toBe('UPSTREAM_UNAVAILABLE');
      expect(provider.requests).toBe(1);
    },
  );

  test('a key set that never answers is unavailable in time', async () => {
    provider.answer = 'silence';
    const faults: string[] = [];
    const verifier = verifierOf({}, { keySets: { timeout: 50 }, onKeySetFault: (_, why) => faults.push(why) });
    expect(await refusal(verifier.verify(await tokenOf()))).toBe('UPSTREAM_UNAVAILABLE');
    expect(faults).toEqual(['the key set did not answer in time']);
  });

  test('nobody listening is unavailable too, and says when to come back', async () => {
    const verifier = verifierOf({ jwksUri: 'http://127.0.0.1:1/keys' });
    await expect(verifier.verify(await tokenOf())).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      details: { retryAfter: 5, rule: 'token.key-set' },
    });
  });
});

describe('memory of verified tokens', () => {
  test('the same token gives the same answer without a second signature check, and it can not be changed', async () => {
    const verifier = verifierOf();
    const token = await tokenOf();
    await verifier.verify(token);
    const first = await verifier.verify(token);
    expect(await verifier.verify(token)).toBe(first);
    expect(() => (first.roles as string[]).push('ADMIN')).toThrow(TypeError);
    expect(() => Object.assign(first, { mfa: true })).toThrow(TypeError);
  });

  test('it does not outlive the token', async () => {
    const verifier = verifierOf({ clockSkewSeconds: 0 });
    const token = await tokenOf();
    await verifier.verify(token);
    await verifier.verify(token);
    pass(599_000);
    expect(await verifier.verify(token)).toMatchObject({ subject: 'user-1' });
    pass(1_000);
    expect(await refusal(verifier.verify(token))).toBe('token.expired');
  });

  test('past its end a token is held against the skew, and then refused', async () => {
    const verifier = verifierOf();
    const token = await tokenOf();
    await verifier.verify(token);
    await verifier.verify(token);
    pass(629_000);
    expect(await verifier.verify(token)).toMatchObject({ subject: 'user-1' });
    pass(1_000);
    expect(await refusal(verifier.verify(token))).toBe('token.expired');
  });

  test('a forged signature on a remembered token is not remembered', async () => {
    const verifier = verifierOf();
    const token = await tokenOf();
    await verifier.verify(token);
    const forged = `${token.slice(0, -12)}${token.slice(-12) === 'AAAAAAAAAAAA' ? 'BBBBBBBBBBBA' : 'AAAAAAAAAAAA'}`;
    expect(await refusal(verifier.verify(forged))).toMatch(/^token\.(signature|malformed)$/);
  });
});

describe('roles', () => {
  const rolesOf = async (claims: Record<string, unknown>, changes: NonNullable<IssuerOptions['claims']> = {}) =>
    (await verifierOf({ claims: changes }).verify(await tokenOf(claims))).roles;

  test.each([
    [
      ['AGENT', 'SUPERVISOR', 'AGENT'],
      ['AGENT', 'SUPERVISOR'],
    ],
    ['AUDITOR', ['AUDITOR']],
    [['agent', ' AGENT', 'AGENT ', 'ROOT', '*'], []],
    [['__proto__', 'constructor', 'toString', 'hasOwnProperty'], []],
    [{ AGENT: true, 0: 'ADMIN', length: 1 }, []],
    [{ AGENT: { '100000000000000001': 'shop.example.com' }, ADMIN: null, SERVICE: false, constructor: {} }, ['AGENT']],
    [{ SUPERVISOR: {}, AGENT: ['shop'] }, ['SUPERVISOR', 'AGENT']],
    [[['ADMIN']], []],
    [[{ toString: 'ADMIN' }, null, 5, true, 'AGENT'], ['AGENT']],
    [5, []],
    [true, []],
    [null, []],
    ['AGENT ADMIN', []],
    ['AGENT,ADMIN', []],
    ['', []],
  ])('the claim %j gives %j', async (claim, expected) => expect(await rolesOf({ roles: claim })).toEqual(expected));

  test('a thousand groups are judged, and more are refused rather than cut', async () => {
    const groups = (many: number) => [...Array.from({ length: many - 1 }, (_, at) => `group-${at}`), 'agents'];
    const reading = { roles: 'groups', roleMap: { agents: 'AGENT' } } as const;
    expect(await rolesOf({ groups: groups(1_000) }, reading)).toEqual(['AGENT']);
    expect(await refused(await tokenOf({ groups: groups(1_001) }), { claims: reading })).toBe('token.values');
    expect(await refused(await tokenOf({ teams: groups(1_001) }))).toBe('token.values');
    const named = Object.fromEntries(groups(1_001).map((name) => [name, {}]));
    expect(await refused(await tokenOf({ groups: named }), { claims: reading })).toBe('token.values');
  });

  test('as many as a directory writes into a token, two hundred of 36 characters, are read', async () => {
    const id = (at: number) => `11111111-2222-3333-4444-${String(at).padStart(12, '0')}`;
    const groups = Array.from({ length: 200 }, (_, at) => id(at));
    expect(await rolesOf({ groups }, { roles: 'groups', roleMap: { [id(199)]: 'AGENT' } })).toEqual(['AGENT']);
  });

  test('whether the claim was there is known apart from what it says', async () => {
    const verified = async (roles: unknown) => verifierOf().verify(await tokenOf({ roles }));
    expect(await verified(undefined)).toMatchObject({ roles: [], namesRoles: false });
    expect(await verified(['unknown'])).toMatchObject({ roles: [], namesRoles: true });
  });

  test('with a map only mapped values count', async () => {
    const roleMap = { 'payments-agents': 'AGENT', leads: 'SUPERVISOR' } as const;
    const groups = ['payments-agents', 'leads', 'AGENT', 'ADMIN', '__proto__', 'constructor'];
    expect(await rolesOf({ groups }, { roles: 'groups', roleMap })).toEqual(['AGENT', 'SUPERVISOR']);
  });

  test('nested, namespaced and dotted claims are found', async () => {
    expect(await rolesOf({ realm_access: { roles: ['AGENT'] } }, { roles: 'realm_access.roles' })).toEqual(['AGENT']);
    expect(await rolesOf({ 'https://m.example/roles': ['AGENT'] }, { roles: 'https://m.example/roles' })).toEqual(['AGENT']);
    expect(await rolesOf({ 'a.b': { c: ['AGENT'] } }, { roles: ['a.b', 'c'] })).toEqual(['AGENT']);
  });

  test('a path finds neither what is inherited nor list items nor letters of a text', async () => {
    expect(await rolesOf({ list: ['ADMIN'] }, { roles: 'list.0' })).toEqual([]);
    expect(await rolesOf({ text: 'x' }, { roles: 'text.length' })).toEqual([]);
    expect(await rolesOf({ a: {} }, { roles: 'a.toString.name' })).toEqual([]);
    expect(await rolesOf({ 'realm_access.roles': ['ADMIN'] }, { roles: 'realm_access.roles' })).toEqual([]);
    expect(await rolesOf({ realm_access: null }, { roles: 'realm_access.roles' })).toEqual([]);
  });

  test('what some other code put on every object’s prototype is no claim', async () => {
    const polluted = { roles: ['ADMIN'], teams: ['cards'], amr: ['mfa'], auth_time: seconds, preferred_username: 'ana' };
    const verifier = verifierOf();
    await verifier.verify(await tokenOf());
    const token = await tokenOf(Object.fromEntries(Object.keys(polluted).map((name) => [name, undefined])));
    try {
      for (const [name, value] of Object.entries(polluted))
        Object.defineProperty(Object.prototype, name, { value, configurable: true });
      expect(await verifier.verify(token)).toMatchObject({ mfa: false, authenticatedAt: null, staffClaim: null });
      expect((await verifier.verify(token)).roles).toHaveLength(0);
      expect((await verifier.verify(token)).teams).toHaveLength(0);
    } finally {
      for (const name of Object.keys(polluted)) Reflect.deleteProperty(Object.prototype, name);
    }
  });

  test('a payload with __proto__ gives nothing to anybody', async () => {
    const payload = JSON.stringify(claimsOf({ roles: undefined })).replace(
      '{',
      '{"__proto__":{"roles":["ADMIN"],"email_verified":true,"cnf":1},"constructor":{"prototype":{"roles":["ADMIN"]}},',
    );
    const token = await new CompactSign(Buffer.from(payload))
      .setProtectedHeader({ alg: 'ES256', kid: 'es-1' })
      .sign(es.privateKey);
    expect((await verifierOf().verify(token)).roles).toEqual([]);
    expect(({} as Record<string, unknown>).roles).toBeUndefined();
  });
});

describe('services', () => {
  test('the role SERVICE marks a service, which has no other role and is nobody’s staff entry', async () => {
    expect(await verifierOf().verify(await tokenOf({ roles: ['SERVICE', 'SUPERVISOR', 'ADMIN'] }))).toMatchObject({
      kind: 'service',
      roles: ['SERVICE'],
      staffClaim: null,
    });
  });

  test('where a claim marks services, the role alone does not', async () => {
    const claims = { service: { claim: 'idtyp', values: ['app'] } } as const;
    const verifier = verifierOf({ claims: { service: { claim: claims.service.claim, values: [...claims.service.values] } } });
    expect(await verifier.verify(await tokenOf({ idtyp: 'app', roles: ['SERVICE', 'AGENT'] }))).toMatchObject({
      kind: 'service',
      roles: ['SERVICE'],
    });
    expect(await verifier.verify(await tokenOf({ idtyp: 'user', roles: ['SERVICE', 'AGENT'] }))).toMatchObject({
      kind: 'staff',
      roles: ['AGENT'],
      staffClaim: 'ana',
    });
    expect(await verifier.verify(await tokenOf({ idtyp: 'app', roles: ['ADMIN'] }))).toMatchObject({
      kind: 'service',
      roles: [],
    });
  });
});

describe('second factor', () => {
  const mfaOf = async (claims: Record<string, unknown>, mfa?: { amr?: string[]; acr?: string[] }) =>
    (await verifierOf(mfa === undefined ? {} : { claims: { mfa } }).verify(await tokenOf({ amr: undefined, ...claims }))).mfa;

  test.each([
    [{ amr: ['pwd', 'mfa'] }, undefined, true],
    [{ amr: ['mfa'] }, undefined, true],
    [{ amr: ['pwd'] }, undefined, false],
    [{ amr: ['otp'] }, undefined, false],
    [{ amr: [] }, undefined, false],
    [{}, undefined, false],
    [{ amr: 'mfa' }, undefined, true],
    [{ amr: 'pwd' }, undefined, false],
    [{ amr: 'pwd mfa' }, undefined, false],
    [{ amr: { mfa: {} } }, undefined, false],
    [{ amr: { mfa: true } }, undefined, false],
    [{ amr: [['mfa']] }, undefined, false],
    [{ amr: ['MFA'] }, undefined, false],
    [{ amr: ['mfa2', 'xmfa'] }, undefined, false],
    [{ mfa: true, acr: 'mfa' }, undefined, false],
    [{ amr: ['pwd', 'otp'] }, { amr: ['pwd+otp', 'hwk'] }, true],
    [{ amr: ['otp'] }, { amr: ['pwd+otp', 'hwk'] }, false],
    [{ amr: ['pwd'] }, { amr: ['pwd+otp', 'hwk'] }, false],
    [{ amr: ['pwd+otp'] }, { amr: ['pwd+otp'] }, false],
    [{ amr: ['hwk'] }, { amr: ['pwd+otp', 'hwk'] }, true],
    [{ acr: 'urn:mfa' }, { amr: [], acr: ['urn:mfa'] }, true],
    [{ acr: 'urn:pwd' }, { amr: [], acr: ['urn:mfa'] }, false],
    [{ acr: ['urn:mfa'] }, { amr: [], acr: ['urn:mfa'] }, false],
    [{ acr: 'urn:mfa urn:pwd' }, { amr: [], acr: ['urn:mfa'] }, false],
    [{ acr: 'urn:mfa', amr: ['pwd'] }, { acr: ['urn:mfa'] }, true],
    [{ amr: ['mfa'], acr: '0' }, { acr: ['urn:mfa'] }, true],
    [{ amr: ['mfa'], acr: 'urn:mfa' }, { amr: [], acr: [] }, false],
    [{ acr: '' }, { amr: [], acr: ['urn:mfa'] }, false],
  ])('%j under %j is %p', async (claims, mfa, expected) => expect(await mfaOf(claims, mfa)).toBe(expected));
});

describe('time of sign-in', () => {
  const authenticatedAt = async (auth_time: unknown) => (await verifierOf().verify(await tokenOf({ auth_time }))).authenticatedAt;

  test('it is never after the token, and unknown when it is no number', async () => {
    expect(await authenticatedAt(seconds - 3_600)).toEqual(new Date(start - 3_600_000));
    expect(await authenticatedAt(seconds + 86_400)).toEqual(new Date(start));
    expect(await authenticatedAt(1e300)).toEqual(new Date(start));
    for (const unknown of [String(seconds), null, [seconds], -1, true, undefined])
      expect(await authenticatedAt(unknown)).toBeNull();
  });
});

describe('the claim for the device', () => {
  const deviceIn = async (claims: Record<string, unknown>, device: string | undefined = 'device.id') => {
    const verifier = verifierOf({ claims: device === undefined ? {} : { device } });
    return (await verifier.verify(await tokenOf(claims))).device;
  };

  test.each([
    ['d-1', 'd-1'],
    ['x'.repeat(256), 'x'.repeat(256)],
    ['x'.repeat(257), undefined],
    ['', undefined],
    [5, undefined],
    [['d-1'], undefined],
    [{ id: 'd-1' }, undefined],
    [null, undefined],
  ])('%j is %p', async (id, expected) => expect(await deviceIn({ device: { id } })).toBe(expected));

  test('says nothing where none is configured, nor of services', async () => {
    const token = await tokenOf({ device: 'd-1' });
    expect((await verifierOf({}).verify(token)).device).toBeUndefined();
    expect(await deviceIn({ device: { id: 'd-1' }, roles: ['SERVICE'] })).toBeUndefined();
  });
});

describe('the claim for helpdesk staff', () => {
  const staffClaim = async (staff: string, claims: Record<string, unknown>) =>
    (await verifierOf({ claims: { staff } }).verify(await tokenOf(claims))).staffClaim;

  test.each([
    [{ email: 'Ana@Merchant.example', email_verified: true }, 'ana@merchant.example'],
    [{ email: 'ana@merchant.example', email_verified: false }, null],
    [{ email: 'ana@merchant.example' }, null],
    [{ email: 'ana@merchant.example', email_verified: 'true' }, null],
    [{ email: 'ana@merchant.example', email_verified: 1 }, null],
    [{ email: 'ana@merchant.example', email_verified: [true] }, null],
    [{ email: ['ana@merchant.example'], email_verified: true }, null],
    [{ email: '', email_verified: true }, null],
    [{ email_verified: true }, null],
  ])('by e-mail, %j is %p', async (claims, expected) => expect(await staffClaim('email', claims)).toBe(expected));

  test('a nested or namespaced e-mail needs its own proof', async () => {
    expect(await staffClaim('user.email', { email_verified: true, user: { email: 'a@b.example' } })).toBeNull();
    expect(await staffClaim('user.email', { user: { email: 'a@b.example', email_verified: true } })).toBe('a@b.example');
    expect(
      await staffClaim('https://m.example/email', { 'https://m.example/email': 'a@b.example', email_verified: true }),
    ).toBeNull();
  });

  test.each([
    ['  ANA ', 'ana'],
    ['Ärztin', 'ärztin'],
    ['\u212Aate', null],
    ['ana\u0000', null],
    ['ana\u200b', null],
    ['ana\n', null],
    [' ', null],
    ['x'.repeat(321), null],
    [5, null],
    [{ ana: 1 }, null],
  ])('by user name, %p is %p', async (value, expected) => {
    expect(await staffClaim('preferred_username', { preferred_username: value })).toBe(expected);
  });
});

describe('configuration', () => {
  const valid = { issuer, audience, jwksUri: 'https://id.merchant.example/keys' };
  const production = issuerConfiguration({ development: false });
  const problems = (changes: Record<string, unknown>, schema: { safeParse: typeof production.safeParse } = production) => {
    const result = schema.safeParse({ ...valid, ...changes });
    return result.success ? [] : result.error.issues.map((issue) => issue.path.join('.') || issue.code);
  };

  test('the least gives safe values for the rest, and parsing it again changes nothing', () => {
    const parsed = production.parse(valid);
    expect(parsed).toEqual({
      issuer,
      audience: [audience],
      jwksUri: valid.jwksUri,
      algorithms: ['RS256', 'ES256', 'EdDSA', 'Ed25519', 'PS256'],
      clockSkewSeconds: 30,
      maxLifetimeSeconds: 900,
      claims: {
        roles: ['roles'],
        teams: ['teams'],
        mfa: { amr: ['mfa'], acr: [] },
        staff: ['preferred_username'],
        name: ['name'],
        service: 'role',
      },
      dpopRequired: false,
    });
    expect(production.parse(parsed)).toEqual(parsed);
    expect(() => new TokenVerifier({ issuers: [parsed], clock })).not.toThrow();
  });

  test.each([
    [{ algorithms: ['none'] }, 'algorithms.0'],
    [{ algorithms: ['HS256'] }, 'algorithms.0'],
    [{ algorithms: ['ES256', 'hs512'] }, 'algorithms.1'],
    [{ algorithms: [] }, 'algorithms'],
    [{ dpopRequired: 'SERVICE' }, 'dpopRequired'],
    [{ dpopRequired: [] }, 'dpopRequired'],
    [{ dpopRequired: ['service'] }, 'dpopRequired'],
    [{ clockSkewSeconds: 121 }, 'clockSkewSeconds'],
    [{ clockSkewSeconds: -1 }, 'clockSkewSeconds'],
    [{ clockSkewSeconds: 1.5 }, 'clockSkewSeconds'],
    [{ maxLifetimeSeconds: 901 }, 'maxLifetimeSeconds'],
    [{ maxLifetimeSeconds: 0 }, 'maxLifetimeSeconds'],
    [{ audience: [] }, 'audience'],
    [{ audience: '' }, 'audience'],
    [{ audience: undefined }, 'audience'],
    [{ issuer: '' }, 'issuer'],
    [{ jwksUri: undefined }, 'jwksUri'],
    [{ jwksUri: 'http://id.merchant.example/keys' }, 'jwksUri'],
    [{ jwksUri: 'http://127.0.0.1/keys' }, 'jwksUri'],
    [{ jwksUri: 'file:///etc/keys' }, 'jwksUri'],
    [{ jwksUri: 'data:application/json,{}' }, 'jwksUri'],
    [{ jwksUri: '/keys' }, 'jwksUri'],
    [{ jwksUri: 'https://user:secret@id.example/keys' }, 'jwksUri'],
    [{ keys: { keys: [] } }, 'unrecognized_keys'],
    [{ jwksURI: 'https://x.example' }, 'unrecognized_keys'],
    [{ claims: { roleMap: { staff: 'ROOT' } } }, 'claims.roleMap.staff'],
    [{ claims: { roles: '__proto__.roles' } }, 'claims.roles.0'],
    [{ claims: { roles: 'a..b' } }, 'claims.roles.1'],
    [{ claims: { roles: '' } }, 'claims.roles.0'],
    [{ claims: { roles: [] } }, 'claims.roles.0'],
    [{ claims: { teams: 5 } }, 'claims.teams'],
    [{ claims: { mfa: { amr: 'mfa' } } }, 'claims.mfa.amr'],
    [{ claims: { mfa: { amr: [''] } } }, 'claims.mfa.amr.0'],
    [{ claims: { service: 'yes' } }, 'claims.service'],
    [{ claims: { rolls: 'x' } }, 'claims'],
  ])('%j is reported at %s', (changes, path) => expect(problems(changes)).toContain(path));

  test('everything wrong is reported at once', () => {
    expect(problems({ issuer: '', algorithms: ['none'], clockSkewSeconds: 500, jwksUri: 'x' })).toHaveLength(4);
  });

  test('http is for this machine and development only', () => {
    const development = issuerConfiguration({ development: true });
    for (const host of ['127.0.0.1:8080', 'localhost', '[::1]:9', '127.1', '127.200.3.4'])
      expect(problems({ jwksUri: `http://${host}/keys` }, development)).toEqual([]);
    for (const host of [
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'evil.example',
      '10.0.0.1',
      '128.0.0.1',
      '0.0.0.0',
      '127.evil',
    ])
      expect(problems({ jwksUri: `http://${host}/keys` }, development)).toEqual(['jwksUri']);
  });

  test('an issuer given twice is refused', () => {
    const result = issuersConfiguration({ development: false }).safeParse([valid, { ...valid, audience: 'other' }]);
    expect(result.error?.issues[0]).toMatchObject({ path: [1, 'issuer'], message: 'is configured twice' });
  });

  test('the verifier does not trust that its options were checked', () => {
    const make = (changes: Partial<IssuerOptions>) => () => new TokenVerifier({ issuers: [{ ...valid, ...changes }], clock });
    expect(make({})).not.toThrow();
    expect(make({ jwksUri: 'http://127.0.0.1/keys' })).toThrow(ProgrammingError);
    expect(make({ algorithms: ['HS256' as 'ES256'] })).toThrow(ProgrammingError);
    expect(make({ maxLifetimeSeconds: 3_600 })).toThrow(ProgrammingError);
    expect(make({ keys: { keys: [{ kty: 'EC' }] } })).toThrow(ProgrammingError);
    expect(() => new TokenVerifier({ issuers: [{ issuer, audience }], clock })).toThrow(ProgrammingError);
    expect(
      () => new TokenVerifier({ issuers: [{ issuer, audience, keys: { keys: [{ kty: 'oct', k: 'AAAA' }] } }], clock }),
    ).toThrow('must be public');
  });
});
