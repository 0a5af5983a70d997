import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configFolder, key, placesOf } from '../../test/support/config-folder';

const { folder, file, load } = configFolder();

describe('without anything set', () => {
  test('it is development on this machine, with the demo merchant and its own issuer', () => {
    const config = load();
    expect(config).toMatchObject({
      production: false,
      host: '127.0.0.1',
      port: 4000,
      developmentIssuer: true,
      mfaRequired: true,
      corsOrigins: [],
      trustedProxies: [],
      issuers: [],
      demo: { size: 1, seed: 1 },
      database: { engine: 'sqlite', file: join(folder(), '.data', 'counterfoil.sqlite') },
      keyEncryption: { file: join(folder(), '.data', 'keys', 'key-encryption-key'), create: true },
    });
  });

  test('an empty variable is one that is not set', () => {
    expect(load({ PORT: '', RATE_LIMIT: '', CONFIG_FILE: '' })).toMatchObject({ port: 4000, rateLimit: 1200 });
  });
});

describe('a mistake in a variable is told by its name and what was expected, never by its value', () => {
  test.each([
    ['PORT', ['canary', '-1', '65536', '4000.5', '4e3', ' 4000', '0x10', '99999999999999999999']],
    ['DATABASE_URL', ['canary', 'postgres://canary@host/db', 'mysql://canary@host', 'mysql://', 'sqlite:']],
    ['DATABASE_POOL', ['canary', '0', '201']],
    ['RATE_LIMIT', ['canary', '0', '-5']],
    ['LOG_LEVEL', ['canary', 'INFO', 'trace']],
    ['MFA_REQUIRED', ['canary', 'yes', 'TRUE']],
    ['DEVELOPMENT_ISSUER', ['canary', 'on']],
    ['DEMO_SIZE', ['canary', '0', '101', '-1', '1e2']],
    ['DEMO_SEED', ['canary', '1.5']],
    ['KEY_ENCRYPTION_KEY', ['canary', key.slice(0, 20), Buffer.alloc(32).toString('base64'), `canary${key}`]],
    ['NODE_ENV', ['canary', 'Production', 'prod', 'PRODUCTION', 'production ', 'staging']],
    ['CONFIG_FILE', ['canary.yaml', '/canary/nowhere.yaml']],
    ['POLICY_FILE', ['canary.yaml', '/canary']],
    [
      'CORS_ORIGINS',
      [
        '*',
        'canary',
        'https://*.canary.example',
        'https://desk.example.com/',
        'https://u:canary@desk.example.com',
        'ftp://canary',
        'null',
        'https://desk.example.com,*',
        'HTTPS://DESK.example.com',
        'https://canary .com',
      ],
    ],
    [
      'TRUSTED_PROXIES',
      [
        'canary',
        '10.0.0.0/33',
        '10.0.0.0/8/8',
        '1.2.3',
        '10.0.0.1,canary',
        '0.0.0.0/0',
        '0.0.0.0/1',
        '128.0.0.0/7',
        '::/0',
        '2000::/3',
        '*',
        'true',
      ],
    ],
  ])('%s', (name, values) => {
    for (const value of values) {
      const places = placesOf(() => load({ [name]: value }));
      expect([value, new Set(places.map((place) => place.replace(/\[\d+\]$/, '')))]).toEqual([value, new Set([name])]);
    }
  });

  test.each([
    [
      'CORS_ORIGINS',
      ' https://desk.example.com , http://localhost:5173',
      { corsOrigins: ['https://desk.example.com', 'http://localhost:5173'] },
    ],
    ['TRUSTED_PROXIES', '10.0.0.0/8, ::1, loopback', { trustedProxies: ['10.0.0.0/8', '::1', 'loopback'] }],
    ['DATABASE_URL', 'sqlite:data/my.sqlite', { database: { engine: 'sqlite' } }],
    ['MFA_REQUIRED', '0', { mfaRequired: false }],
    ['KEY_ENCRYPTION_KEY', `new:${key}`, { keyEncryption: { value: `new:${key}` } }],
  ])('%s=%s is taken', (name, value, expected) => {
    expect(load({ [name]: value })).toMatchObject(expected);
  });

  test('all of them are told at once, with those of the file', () => {
    writeFileSync(file(), 'sources: 5\n');
    const places = placesOf(() =>
      load({
        PORT: 'x',
        RATE_LIMIT: 'x',
        LOG_LEVEL: 'x',
        CORS_ORIGINS: '*',
        DATABASE_URL: 'x',
        POLICY_FILE: 'x',
        DEMO_SIZE: 'x',
      }),
    );
    expect(places.sort()).toEqual(
      ['PORT', 'RATE_LIMIT', 'LOG_LEVEL', 'CORS_ORIGINS[0]', 'DATABASE_URL', 'POLICY_FILE', 'DEMO_SIZE', 'sources'].sort(),
    );
  });
});
