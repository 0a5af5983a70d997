import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { TokenVerifier } from '../../authz/identity/token-verifier';
import { DevelopmentIssuer } from './development-issuer';
import { developmentPeople } from './development-people';

const start = Date.parse('2026-03-02T10:00:00Z');
const clock = () => new Date(start);
const issuer = 'http://127.0.0.1:4000/development';
const audience = 'counterfoil';
let folder: string;
let keyFile: string;
const open = (file = keyFile) => DevelopmentIssuer.open({ keyFile: file, issuer, audience, clock });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'development-issuer-'));
  keyFile = join(folder, 'data', 'development-key.json');
});
afterEach(() => rm(folder, { recursive: true }));

test('each of the people gets a token that the verifier reads as them', async () => {
  const development = await open();
  const verifier = new TokenVerifier({ issuers: [development.issuerOptions()], clock });
  const seen: unknown[] = [];
  for (const { user } of developmentPeople) {
    const { subject, roles, teams, mfa, kind, staffClaim } = await verifier.verify(await development.issue(user));
    seen.push([subject, roles.join(), teams.join(), mfa, kind, staffClaim]);
  }
  expect(seen).toEqual([
    ['ana', 'AGENT', 'cards', true, 'staff', 'ana'],
    ['ben', 'AGENT', 'wallets', true, 'staff', 'ben'],
    ['sam', 'SUPERVISOR', 'cards,wallets', true, 'staff', 'sam'],
    ['pia', 'PAYMENTS', '', true, 'staff', 'pia'],
    ['ada', 'AUDITOR', '', true, 'staff', 'ada'],
    ['pru', 'PRIVACY', '', true, 'staff', 'pru'],
    ['pip', 'SERVICE', '', true, 'service', null],
    ['oz', 'ADMIN', '', true, 'staff', 'oz'],
  ]);
});

test('second factor, life, session and time of sign-in are as asked', async () => {
  const development = await open();
  const verifier = new TokenVerifier({ issuers: [development.issuerOptions()], clock });
  const authenticatedAt = new Date(start - 7_200_000);
  const token = await development.issue('ana', { mfa: false, lifetimeSeconds: 60, authenticatedAt, sessionId: 'session-1' });
  expect(await verifier.verify(token)).toMatchObject({
    mfa: false,
    authenticatedAt,
    issuedAt: new Date(start),
    expiresAt: new Date(start + 60_000),
    sessionId: 'session-1',
  });
});

test('a token is bound to the key that is asked for, and to nothing that is none', async () => {
  const development = await open();
  const verifier = new TokenVerifier({ issuers: [development.issuerOptions()], clock });
  const boundTo = 'k'.repeat(43);
  expect(await verifier.verify(await development.issue('ana', { boundTo }))).toMatchObject({ boundTo });
  for (const none of ['', 'key', `${boundTo}=`])
    await expect(development.issue('ana', { boundTo: none })).rejects.toMatchObject({ details: { argument: 'boundTo' } });
});

test('two tokens differ in id and session', async () => {
  const development = await open();
  const [first, second] = [decodeJwt(await development.issue('ana')), decodeJwt(await development.issue('ana'))];
  expect(first.jti).not.toBe(second.jti);
  expect(first.sid).not.toBe(second.sid);
});

test.each(['eve', 'ANA', '', '__proto__', 'constructor', 'ana '])(
  '%p is nobody, and the answer lists the people',
  async (user) => {
    await expect((await open()).issue(user)).rejects.toMatchObject({
      code: 'INVALID',
      message: 'user: one of ana, ben, sam, pia, ada, pru, pip, oz',
      details: { argument: 'user' },
    });
  },
);

test.each([0, -1, 901, 86_400, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
  'a life of %p seconds is refused',
  async (lifetimeSeconds) => {
    await expect((await open()).issue('ana', { lifetimeSeconds })).rejects.toMatchObject({
      code: 'INVALID',
      details: { argument: 'lifetimeSeconds' },
    });
  },
);

test('the key is made once, for this user only, and lasts', async () => {
  const first = await open();
  const { mode } = await stat(keyFile);
  expect(mode & 0o777).toBe(0o600);
  const text = await readFile(keyFile, 'utf8');
  const again = await open();
  expect(await readFile(keyFile, 'utf8')).toBe(text);
  const verifier = new TokenVerifier({ issuers: [again.issuerOptions()], clock });
  expect(await verifier.verify(await first.issue('ana'))).toMatchObject({ subject: 'ana' });
  expect(await readdir(join(folder, 'data'))).toEqual(['development-key.json']);
});

test('twenty that start together end with one key', async () => {
  const issuers = await Promise.all(Array.from({ length: 20 }, () => open()));
  const kids = await Promise.all(issuers.map(async (each) => decodeProtectedHeader(await each.issue('ana')).kid));
  expect(new Set(kids).size).toBe(1);
  expect(await readdir(join(folder, 'data'))).toHaveLength(1);
});

test('issuers with different keys do not trust each other', async () => {
  const [one, other] = [await open(), await open(join(folder, 'other.json'))];
  const verifier = new TokenVerifier({ issuers: [one.issuerOptions()], clock });
  await expect(verifier.verify(await other.issue('oz'))).rejects.toMatchObject({ details: { rule: 'token.key' } });
});

test('what is trusted holds no secret', async () => {
  const development = await open();
  const { d } = JSON.parse(await readFile(keyFile, 'utf8')) as { d: string };
  expect(d).toHaveLength(43);
  expect(JSON.stringify(development.issuerOptions())).not.toContain(d);
});

test('a key that others may read, that is reached by a link, or that is no key, is refused', async () => {
  await open();
  await chmod(keyFile, 0o640);
  await expect(open()).rejects.toThrow('set its mode to 600');
  await chmod(keyFile, 0o600);
  const linked = join(folder, 'linked.json');
  await symlink(keyFile, linked);
  await expect(open(linked)).rejects.toThrow('ELOOP');
  for (const text of ['', '{', '{}', 'null', '{"kty":"oct","k":"AAAA"}']) {
    await writeFile(keyFile, text);
    await expect(open()).rejects.toThrow('delete it to get a new one');
  }
});
