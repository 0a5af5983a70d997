import type { AddressInfo } from 'node:net';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { SignInStepUp, Tokens } from '../../src/features/sign-in/providers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { ProviderBrowser } from '../support/openid-provider';

/** As the demo people's tokens name it. */
const issuer = 'https://development.counterfoil.invalid';
const secondFactor = 'urn:counterfoil:second-factor';

let test: TestApp;
let gateway: string;

beforeAll(async () => {
  test = await TestApp.start({ isNow: true, sync: false });
  await test.server.listen({ host: '127.0.0.1', port: 0 });
  gateway = `http://127.0.0.1:${(test.server.server.address() as AddressInfo).port}`;
  test.app.listensAt(gateway);
}, 120_000);
afterAll(() => test.stop());

const providers = () => {
  if (!test.app.signIn) throw new Error('nobody can sign in here');
  return test.app.signIn.providers;
};
/** What the provider gives for somebody, as the gateway gets it. */
const tokensOf = async (
  browser: ProviderBrowser,
  user: string,
  options: { secondFactor: boolean },
  stepUp: SignInStepUp | null = null,
): Promise<Tokens> => {
  const { url, begun } = await providers().begin(issuer, '/', stepUp);
  const back = await browser.signIn(url, user, options);
  return providers().finish(begun, 'demo', back.search.slice(1));
};

/** Signs in by HTTP alone and returns the cookie of the session. */
const signIn = async (browser: ProviderBrowser, user: string): Promise<string> => {
  const { host } = new URL(gateway);
  const begun = await test.server.inject({ url: '/sign-in', headers: { host } });
  const [cookie = ''] = String(begun.headers['set-cookie']).split(';');
  const back = await browser.signIn(String(begun.headers.location), user, { secondFactor: true });
  const answer = await test.server.inject({ url: `${back.pathname}${back.search}`, headers: { host, cookie } });
  expect(answer.statusCode).toBe(303);
  const set = [answer.headers['set-cookie'] ?? []].flat().find((line) => line.startsWith('__Host-counterfoil='));
  return set?.split(';')[0] as string;
};
const viewer = async (cookie: string) => {
  const answer = await test.server.inject({
    method: 'POST',
    url: '/graphql',
    headers: {
      host: new URL(gateway).host,
      'content-type': 'application/json',
      origin: gateway,
      'counterfoil-browser': '1',
      cookie,
    },
    payload: { query: '{ viewer { id roles mfa } }' },
  });
  const { data, errors } = answer.json() as { data?: { viewer: unknown }; errors?: { extensions: { rule: string } }[] };
  return data?.viewer ?? errors?.[0]?.extensions.rule;
};

describe('the demo people’s identity provider', () => {
  it('gives access tokens in the name and by the key of the development issuer, with all that the gateway reads (RFC 9068)', async () => {
    const browser = new ProviderBrowser();
    const { access, id, refresh, expiresIn } = await tokensOf(browser, 'sam', { secondFactor: true });
    const [own] = test.app.development?.issuer.issuerOptions().keys.keys ?? [];
    expect(decodeProtectedHeader(access)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: own?.kid });
    const claims = decodeJwt(access);
    expect(claims).toMatchObject({
      iss: issuer,
      aud: 'counterfoil',
      sub: 'sam',
      client_id: 'console',
      roles: ['SUPERVISOR'],
      teams: ['cards', 'wallets'],
      amr: ['pwd', 'otp', 'mfa'],
      preferred_username: 'sam',
      sid: decodeJwt(id as string).sid,
      device: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect({ expiresIn, isRefreshable: refresh !== null, age: Number(claims.iat) - Number(claims.auth_time) }).toEqual({
      expiresIn: 600,
      isRefreshable: true,
      age: expect.any(Number),
    });
    // The same browser is the same device, in another session too, and another browser is none of its.
    const again = decodeJwt((await tokensOf(browser, 'ana', { secondFactor: false }, 'recent')).access);
    expect(again).toMatchObject({ sub: 'ana', amr: ['pwd'], device: claims.device });
    expect(again.sid).not.toBe(claims.sid);
    const elsewhere = decodeJwt((await tokensOf(new ProviderBrowser(), 'ana', { secondFactor: false })).access);
    expect(elsewhere.device).not.toBe(claims.device);
  });

  it('gives new tokens for a refresh token, once', async () => {
    const first = await tokensOf(new ProviderBrowser(), 'ana', { secondFactor: true });
    const second = await providers().refresh(issuer, first.refresh as string);
    const [before, after] = [decodeJwt(first.access), decodeJwt(second.access)];
    expect(after).toMatchObject({
      sub: 'ana',
      sid: before.sid,
      amr: before.amr,
      auth_time: before.auth_time,
      device: before.device,
    });
    expect(after.jti).not.toBe(before.jti);
    await expect(providers().refresh(issuer, first.refresh as string)).rejects.toMatchObject({ why: 'provider' });
    // Who has the former one has stolen it, or the later: neither is good any more.
    await expect(providers().refresh(issuer, second.refresh as string)).rejects.toMatchObject({ why: 'provider' });
  });

  it('makes people sign in who are who comes by a token of the development issuer', async () => {
    const { data } = await test.as('ana', '{ viewer { id roles mfa } }');
    expect(await viewer(await signIn(new ProviderBrowser(), 'ana'))).toEqual(data.viewer);
  });

  it('asks whoever is known for a second factor where that is asked for, and takes none of nobody', async () => {
    const browser = new ProviderBrowser();
    await tokensOf(browser, 'ana', { secondFactor: false });
    const { url, begun } = await providers().begin(issuer, '/', 'second-factor');
    expect(new URL(url).searchParams.get('acr_values')).toBe(secondFactor);
    const back = await browser.signIn(url, 'ana', { secondFactor: true });
    const { access } = await providers().finish(begun, 'demo', back.search.slice(1));
    expect(decodeJwt(access)).toMatchObject({ amr: ['pwd', 'otp', 'mfa'] });
    const other = await providers().begin(issuer, '/', 'second-factor');
    await expect(new ProviderBrowser().signIn(other.url, 'ana', { secondFactor: false })).rejects.toThrow('went on asking');
  });

  it('ends a session of the gateway at once when somebody signs out there, by back-channel logout', async () => {
    const browser = new ProviderBrowser();
    const cookie = await signIn(browser, 'ana');
    const other = await signIn(new ProviderBrowser(), 'ana');
    const [{ origin }] = [new URL((await providers().begin(issuer, '/', null)).url)];
    await browser.signOut(`${origin}/session/end`);
    expect(await viewer(cookie)).toBe('token.revoked');
    expect(await viewer(other)).toMatchObject({ mfa: true });
  });

  it('knows after a restart who is signed in', async () => {
    const cookie = await signIn(new ProviderBrowser(), 'sam');
    await test.restart();
    const { port } = new URL(gateway);
    await test.server.listen({ host: '127.0.0.1', port: Number(port) });
    test.app.listensAt(gateway);
    await tamper(test.app.database, 'UPDATE browser_session SET access_until = ? WHERE ended_at IS NULL', [Date.now() - 1]);
    expect(await viewer(cookie)).toMatchObject({ roles: ['SUPERVISOR'] });
  });
});
