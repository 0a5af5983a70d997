import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configFolder, key, placesOf, production, real, secrets } from '../../test/support/config-folder';

const { folder, load, loadFile } = configFolder();

describe('production', () => {
  test('starts with real sources, an identity provider, a database and a key', () => {
    expect(loadFile(real, production)).toMatchObject({
      production: true,
      developmentIssuer: false,
      mfaRequired: true,
      demo: null,
    });
  });

  test('refuses everything that is only fit for trying out, all at once', () => {
    const text = `sources:
  helpdesk: [{ kind: demo, name: demo }, { kind: rt, name: rt, url: http://rt.example.com, token: '\${RT_TOKEN}' }]
  payments: [{ kind: demo, name: pay, helpdesk: demo }]
`;
    const work = () =>
      loadFile(text, { NODE_ENV: 'production', DEVELOPMENT_ISSUER: 'true', MFA_REQUIRED: 'false', POLICY_FILE: 'gone.yaml' });
    expect(placesOf(work).sort()).toEqual(
      [
        'sources.helpdesk[1].url',
        'sources.helpdesk[1].token',
        'sources',
        'identity.issuers',
        'DATABASE_URL',
        'DEVELOPMENT_ISSUER',
        'MFA_REQUIRED',
        'KEY_ENCRYPTION_KEY_FILE',
        'AUDIT_SIGNING_KEY_FILE',
        'POLICY_FILE',
      ].sort(),
    );
  });

  test('refuses to start without a file at all', () => {
    expect(placesOf(() => load(production))).toEqual(['CONFIG_FILE']);
  });

  test.each([
    ['http://rt.example.com', false],
    ['http://127.0.0.1:8080', true],
    ['http://localhost.evil.example', false],
    ['http://127.0.0.1.evil.example', false],
    ['https://rt.example.com', true],
    ['//rt.example.com', false],
    ['javascript:alert(1)', false],
  ])('sends no token to %s: %s', (url, isTaken) => {
    const places = placesOf(() => loadFile(real.replace('https://rt.example.com', url), production));
    expect(places).toEqual(isTaken ? [] : ['sources.helpdesk[0].url']);
  });

  test.each(['http://id.example.com/jwks', 'http://127.0.0.1/jwks', 'file:///etc/passwd'])(
    'trusts no key set from %s',
    (address) => {
      expect(placesOf(() => loadFile(real.replace('https://id.example.com/jwks', address), production))).toEqual([
        'identity.issuers[0].jwksUri',
      ]);
    },
  );

  test('refuses a key file that is not there, that others may read, or that holds no key', () => {
    const path = join(folder(), 'key');
    const { KEY_ENCRYPTION_KEY: _none, ...rest } = production;
    const places = () => placesOf(() => loadFile(real, { ...rest, KEY_ENCRYPTION_KEY_FILE: path }));
    expect(places()).toEqual(['KEY_ENCRYPTION_KEY_FILE']);
    writeFileSync(path, key, { mode: 0o644 });
    expect(places()).toEqual(['KEY_ENCRYPTION_KEY_FILE']);
    chmodSync(path, 0o600);
    expect(places()).toEqual([]);
    writeFileSync(path, 'canary');
    expect(places()).toEqual(['KEY_ENCRYPTION_KEY_FILE']);
  });

  test('says nothing of its secrets when something else is wrong', () => {
    expect(
      placesOf(
        () => loadFile(real, { ...production, PORT: 'x', DATABASE_URL: 'mysqll://counterfoil:canary-password@db/x' }),
        [...Object.values(secrets), key, 'canary-password'],
      ),
    ).toEqual(['PORT', 'DATABASE_URL']);
  });
});
