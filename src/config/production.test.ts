import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configFolder, key, problemsOf, production, real, secrets, signingKey } from '../../test/support/config-folder';

const { folder, loadFile } = configFolder();
const places = (text: string, environment: Record<string, string> = {}): string[] =>
  problemsOf(() => loadFile(text, { ...production, ...environment })).map((problem) => problem.slice(0, problem.indexOf(': ')));

describe('production refuses', () => {
  const withFactor = (mfa: string) =>
    real.replace('audience: counterfoil', `audience: counterfoil\n      claims: { mfa: ${mfa} }`);

  test.each([
    ['{ amr: [pwd] }', 'amr[0]'],
    ['{ amr: [mfa, PWD] }', 'amr[1]'],
    ['{ amr: [pwd+pin] }', 'amr[0]'],
    ['{ amr: [kba, "pwd + kba"] }', 'amr[0]'],
    ['{ amr: [rba] }', 'amr[0]'],
    ['{ amr: [geo+user] }', 'amr[0]'],
    ['{ amr: [], acr: ["0"] }', 'acr[0]'],
    ['{ acr: [gold, "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"] }', 'acr[1]'],
    ['{ acr: ["http://idmanagement.gov/ns/assurance/aal/1", aal1] }', 'acr[1]'],
  ])('a second factor that is none: %s', (mfa, at) => {
    expect(places(withFactor(mfa))).toContain(`identity.issuers[0].claims.mfa.${at}`);
    expect(() => loadFile(withFactor(mfa))).not.toThrow(/mfa/);
  });

  test.each(['{ amr: [mfa] }', '{ amr: [pwd+otp, hwk] }', '{ amr: [pwd+sms] }', '{ amr: [], acr: [gold, "urn:example:2fa"] }'])(
    'and takes one that may be one: %s',
    (mfa) => expect(places(withFactor(mfa))).toEqual([]),
  );

  test.each(['x', 'short-secret', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '1212121212121212'])(
    'a secret of webhooks to guess: %s',
    (weak) => {
      expect(places(real, { RT_SECRET: weak })).toEqual(['sources.helpdesk[0].webhookSecret']);
      expect(() => loadFile(real, { ...secrets, RT_SECRET: weak })).not.toThrow(/webhookSecret/);
    },
  );

  test('one key that seals and signs, however each is written', () => {
    const told = (environment: Record<string, string>) =>
      problemsOf(() => loadFile(real, { ...production, ...environment }), [key]);
    const shared = 'expected another key than AUDIT_SIGNING_KEY: who may sign could open everything that is sealed';
    expect(told({ AUDIT_SIGNING_KEY: key })).toEqual([`KEY_ENCRYPTION_KEY: ${shared}`]);
    expect(told({ AUDIT_SIGNING_KEY: `${signingKey},${key}` })).toEqual([`KEY_ENCRYPTION_KEY: ${shared}`]);
    expect(told({ KEY_ENCRYPTION_KEY: `new:${signingKey},old:${key}` })).toEqual([`KEY_ENCRYPTION_KEY: ${shared}`]);
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(key, 'base64')]);
    const pem = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' });
    expect(told({ AUDIT_SIGNING_KEY: String(pem) })).toEqual([`KEY_ENCRYPTION_KEY: ${shared}`]);
    writeFileSync(join(folder(), 'sealing'), key, { mode: 0o600 });
    const { KEY_ENCRYPTION_KEY: _, ...rest } = production;
    expect(
      problemsOf(() => loadFile(real, { ...rest, KEY_ENCRYPTION_KEY_FILE: 'sealing', AUDIT_SIGNING_KEY: key }), [key]),
    ).toEqual([`KEY_ENCRYPTION_KEY_FILE: ${shared}`]);
    expect(told({})).toEqual([]);
  });

  test('an anchor that keeps nothing', () => {
    const anchored = (path: string) =>
      real.replace(/audit:[\s\S]*$/, `audit: { origin: a.example.com, anchors: [{ kind: file, name: a, path: ${path} }] }`);
    mkdirSync(join(folder(), 'a-folder'));
    execFileSync('mkfifo', [join(folder(), 'a-pipe')]);
    for (const path of ['/dev/null', '/dev/stdout', 'a-folder', 'a-pipe'])
      expect([path, places(anchored(path))]).toEqual([path, ['audit.anchors[0].path']]);
    expect(places(anchored('not-there-yet'))).toEqual([]);
    writeFileSync(join(folder(), 'there'), '');
    expect(places(anchored('there'))).toEqual([]);
  });

  test('pages that come over plain HTTP, but for those of this machine', () => {
    expect(places(real, { CORS_ORIGINS: 'https://desk.example.com,http://desk.example.com' })).toEqual(['CORS_ORIGINS[1]']);
    expect(places(real, { CORS_ORIGINS: 'http://localhost:5173,http://127.0.0.1:1' })).toEqual([]);
  });

  test('proxies that are half of the internet', () => {
    for (const range of ['0.0.0.0/1', '10.0.0.0/7', '::/0', '2000::/3', '2001::/15'])
      expect([range, places(real, { TRUSTED_PROXIES: range })]).toEqual([range, ['TRUSTED_PROXIES[0]']]);
    expect(places(real, { TRUSTED_PROXIES: '10.0.0.0/8,fd00::/16,uniquelocal' })).toEqual([]);
  });
});
