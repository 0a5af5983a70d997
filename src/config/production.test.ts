import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configFolder, key, problemsOf, production, real, secrets, signingKey } from '../../test/support/config-folder';
import { databaseLocation } from './database';
import { loadAuditConfig } from './load';

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

  test('tokens that have to be bound to keys without an address that proofs are for, or with one in clear', () => {
    const required = real.replace('audience: counterfoil', 'audience: counterfoil\n      dpopRequired: [SERVICE]');
    const withAddress = (address: string) =>
      required.replace('\n  issuers:', `\n  dpop: { addresses: [${address}] }\n  issuers:`);
    expect(places(required)).toEqual(['identity.dpop.addresses']);
    expect(places(withAddress('http://desk.example.com'))).toEqual(['identity.dpop.addresses[0]']);
    expect(places(withAddress('"https://desk.example.com/?a"'))).toEqual(['identity.dpop.addresses[0]']);
    expect(places(withAddress('https://desk.example.com/support/'))).toEqual([]);
  });

  test('a sign-in without an address to come back to, at nobody who is trusted, or for tokens that would have to be bound', () => {
    const provider = (issuer: string) => `
signIn:
  providers: [{ id: staff, issuer: "${issuer}", name: Staff, clientId: gateway, clientSecret: "\${RT_SECRET}" }]
`;
    const [, trusted = ''] = /issuer: (\S+)/.exec(real) ?? [];
    const bound = real.replace('audience: counterfoil', 'audience: counterfoil\n      dpopRequired: [AGENT]');
    const isReached = /^publicUrl:/m.test(real);
    expect(places(real + provider(trusted))).toEqual(isReached ? [] : ['publicUrl']);
    expect(places(real + provider('https://other.example.com'))).toContain('signIn.providers[0].issuer');
    expect(places(bound + provider(trusted))).toContain('signIn.providers[0].issuer');
  });

  test('frames of a helpdesk that isn’t there, or twice, or where nobody signs in', () => {
    const [, trusted = ''] = /issuer: (\S+)/.exec(real) ?? [];
    const signIn = `
publicUrl: https://gateway.example.com
signIn:
  providers: [{ id: staff, issuer: "${trusted}", name: Staff, clientId: gateway, clientSecret: "\${RT_SECRET}" }]
`;
    const withSignIn = real.replace(/^publicUrl:.*$/m, '') + signIn;
    const [, source = ''] = /name: (\S+?)[,\s]/.exec(real) ?? [];
    const embeds = (...names: string[]) =>
      `\nembeds: [${names.map((name) => `{ source: ${name}, origins: [https://rt.example.com] }`).join(', ')}]\n`;
    expect(places(withSignIn + embeds(source))).toEqual([]);
    expect(places(withSignIn + embeds('other'))).toEqual(['embeds[0].source']);
    expect(places(withSignIn + embeds(source, source))).toEqual(['embeds[1].source']);
    expect(places(real + embeds(source))).toContain('embeds');
    // What stands in the policy now.
    const old = `\nembeds: [{ source: ${source}, origins: [https://rt.example.com], signatureRequired: true }]\n`;
    expect(() => loadFile(withSignIn + old, secrets)).toThrow(
      'embeds[0]: unknown name "signatureRequired"; expected in the policy file, as frames.signatureRequired',
    );
  });

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
      real.replace(
        /audit:[\s\S]*$/,
        `audit: { origin: a.example.com, mark: mark, anchors: [{ kind: file, name: a, path: ${path} }] }`,
      );
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

describe('the database in production', () => {
  const at = (parameters: string, host = 'db.example.com') =>
    problemsOf(() => loadFile(real, { ...production, DATABASE_URL: `mysql://cf:canary@${host}/cf${parameters}` }), ['canary']);
  const certificate = '-----BEGIN CERTIFICATE-----\n';

  test.each(['localhost', '127.0.0.1:3307', '[::1]:3307'])('may be spoken to in clear on this machine: %s', (host) => {
    expect(at('', host)).toEqual([]);
  });

  test.each(['db.example.com', '10.0.0.7', '[2001:db8::1]', 'localhost.example.com', '127.0.0.1.example.com'])(
    'is spoken to by TLS anywhere else: %s',
    (host) => {
      for (const parameters of ['', '?tls=off'])
        expect(at(parameters, host)).toEqual([expect.stringMatching(/^DATABASE_URL: tls: expected tls=verify in production/)]);
      expect(at('?tls=verify', host)).toEqual([]);
      expect(at('?socket=/run/mysqld/mysqld.sock', host)).toEqual([]);
    },
  );

  test('has a CA whose file is there and holds a certificate', () => {
    const refused = [expect.stringMatching(/^DATABASE_URL: ca: expected the path of a file/)];
    expect(at('?tls=verify&ca=ca.pem')).toEqual(refused);
    writeFileSync(join(folder(), 'ca.pem'), 'canary');
    expect(at('?tls=verify&ca=ca.pem')).toEqual(refused);
    writeFileSync(join(folder(), 'ca.pem'), certificate);
    expect(at('?tls=verify&ca=ca.pem')).toEqual([]);
  });

  test('is asked for by every command, and named by where its URL stands', () => {
    writeFileSync(join(folder(), 'url'), 'mysql://cf:can/ary@db.example.com/cf\n', { mode: 0o600 });
    const environment = { NODE_ENV: 'production', DATABASE_URL_FILE: join(folder(), 'url') };
    const told = /DATABASE_URL_FILE: expected .* # \? \/ % are written %23 %3F %2F %25/;
    expect(() => databaseLocation(environment, folder())).toThrow(told);
    expect(() => loadAuditConfig({ signs: false }, environment, folder())).toThrow(told);
    writeFileSync(join(folder(), 'url'), 'mysql://cf:canary@db.example.com/cf\r\n');
    expect(() => databaseLocation(environment, folder())).toThrow(/DATABASE_URL_FILE: tls: expected tls=verify in production/);
    expect(() => databaseLocation({ ...environment, NODE_ENV: 'development' }, folder())).not.toThrow();
  });
});
