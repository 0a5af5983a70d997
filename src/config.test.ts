import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from '../test/support/self-signed';
import { loadAuditConfig, loadConfig } from './config';
import { loadLocalConfig } from './config/local';
import { ConfigInvalid, type ConfigProblem } from './config/problems';

let folder: string;
const file = () => join(folder, 'counterfoil.yaml');
const key = Buffer.from('0123456789abcdefghijklmnopqrstuv').toString('base64');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'counterfoil-config-'));
  mkdirSync(join(folder, 'schema'));
  writeFileSync(join(folder, 'schema', 'exposure.yaml'), '');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const load = (environment: Record<string, string> = {}) => loadConfig(environment, folder);
const loadFile = (text: string, environment: Record<string, string> = {}) => {
  writeFileSync(file(), text);
  return load(environment);
};

/** The problems that loading ends with, as `where: expected`; the message never holds a value of `secrets`. */
const problemsOf = (work: () => unknown, secrets: readonly string[] = []): string[] => {
  try {
    work();
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    for (const secret of secrets) expect(error.message).not.toContain(secret);
    expect(error.message).not.toMatch(/canary|undefined|\[object|\bat .*:\d+:\d+/);
    return error.problems.map((problem: ConfigProblem) => `${problem.at}: ${problem.expected}`);
  }
  return [];
};

const placesOf = (work: () => unknown, secrets: readonly string[] = []): string[] =>
  problemsOf(work, secrets).map((problem) => problem.slice(0, problem.indexOf(': ')));

const real = `
sources:
  helpdesk:
    - { kind: rt, name: rt, url: https://rt.example.com, token: '\${RT_TOKEN}', webhookSecret: '\${RT_SECRET}' }
  payments:
    - { kind: stripe, name: stripe, apiKey: '\${STRIPE_KEY}', bareReferencesOf: rt }
identity:
  issuers:
    - issuer: https://id.example.com
      audience: counterfoil
      jwksUri: https://id.example.com/jwks
audit:
  origin: counterfoil.example.com/audit
`;
const secrets = { RT_TOKEN: 'canary-rt', RT_SECRET: 'canary-rt-secret', STRIPE_KEY: 'canary-stripe' };
const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'mysql://counterfoil:canary-password@db.example.com:3306/counterfoil',
  KEY_ENCRYPTION_KEY: key,
  AUDIT_SIGNING_KEY: key,
  ...secrets,
};

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
      database: { engine: 'sqlite', file: join(folder, '.data', 'counterfoil.sqlite') },
      keyEncryption: { file: join(folder, '.data', 'keys', 'key-encryption-key'), create: true },
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
    ['TRUSTED_PROXIES', ['canary', '10.0.0.0/33', '10.0.0.0/8/8', '1.2.3', '10.0.0.1,canary', '0.0.0.0/0', '*', 'true']],
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

describe('the file', () => {
  test('is read, with its secrets from the environment', () => {
    const { sources, issuers, sync, demo } = loadFile(real, secrets);
    expect(sources.helpdesk[0]).toMatchObject({ kind: 'rt', token: 'canary-rt', webhookSecret: 'canary-rt-secret', teams: {} });
    expect(sources.payments[0]).toMatchObject({ kind: 'stripe', apiKey: 'canary-stripe' });
    expect(issuers[0]).toMatchObject({ issuer: 'https://id.example.com', audience: ['counterfoil'], clockSkewSeconds: 30 });
    expect([sync.windowDays, sync.assignmentBoundSeconds, demo]).toEqual([90, 30, null]);
  });

  test('with ten mistakes is answered with ten lines that say where and what', () => {
    const text = `sources:
  helpdesk:
    - kind: rt
      name: Desk One
      url: ftp://canary.example.com
      token: canary-token-in-clear
      queues: []
    - kind: zendesk-canary
      name: two
  payments:
    - kind: stripe
      name: pay
      apiKey: \${STRIPE_KEY}
      api_key: canary
    - kind: demo
      name: pay
      helpdesk: nowhere
identity:
  issuers:
    - issuer: https://id.example.com
      audience: counterfoil
      jwksUri: http://canary.example.com/jwks
      algorithms: [HS256]
sync:
  windowDays: canary
  pollSeconds: 0
`;
    const work = () => loadFile(text);
    expect(problemsOf(work, ['canary'])).toEqual(
      expect.arrayContaining([
        'sources.helpdesk[0].name: expected a short name: lower-case letters, digits and hyphens',
        'sources.helpdesk[0].url: expected an address such as https://rt.example.com',
        'sources.helpdesk[0].token: expected an environment reference such as ${RT_TOKEN}: secrets do not belong in this file',
        expect.stringMatching(/^sources\.helpdesk\[0\]\.queues: /),
        'sources.helpdesk[1].kind: expected a known kind: rt or demo for a helpdesk, stripe or demo for payments',
        expect.stringMatching(/^sources\.payments\[0\]\.apiKey: the environment has no STRIPE_KEY/),
        'sources.payments[0]: unknown name "api_key"',
        'sources.payments[1].name: expected a name that no other source has',
        'sources.payments[1].helpdesk: expected the name of a helpdesk source: two',
        expect.stringMatching(/^identity\.issuers\[0\]\.jwksUri: must be https/),
        expect.stringMatching(/^identity\.issuers\[0\]\.algorithms\[0\]: a signature algorithm/),
        expect.stringMatching(/^sync\.windowDays: expected number/),
        expect.stringMatching(/^sync\.pollSeconds: /),
      ]),
    );
    expect(problemsOf(work)).toHaveLength(13);
  });

  test('has its mistakes with the file’s name and the line', () => {
    try {
      loadFile(
        'sources:\n  helpdesk:\n    - kind: demo\n      name: "Not A Name"\n  payments:\n    - { kind: demo, name: pay, helpdesk: demo }\n',
      );
      throw new Error('it was taken');
    } catch (error) {
      expect((error as ConfigInvalid).problems[0]).toEqual({
        in: file(),
        at: 'sources.helpdesk[0].name',
        line: 4,
        expected: expect.any(String),
      });
      expect((error as Error).message).toContain(`${file()}:4  sources.helpdesk[0].name: `);
    }
  });

  test.each([
    ['nothing', ''],
    ['a comment only', '# nothing yet\n'],
    ['null', 'null'],
    ['a list', '- sources'],
    ['a text', 'canary'],
    ['two documents', 'a: 1\n---\nb: 2\n'],
    ['broken YAML', 'sources: [\n  canary: {\n'],
    ['tabs', 'sources:\n\thelpdesk: []\n'],
    ['a key twice', 'sources: {}\nsources: {}\n'],
    ['an alias to nothing', 'sources: *canary\n'],
    ['an alias to itself', 'sources: &a [*a]\n'],
    [
      'aliases that multiply',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map((name, at) => `${name}: &${name} [${`*${'abcdefgh'[at]},`.repeat(9)}]`)
        .join('\n')}\n`,
    ],
    ['an unknown tag', 'sources: !!js/function "canary"\n'],
    ['__proto__', '__proto__: { production: false }\nsources: {}\n'],
    ['bytes', '\u0000\u0001\u0002'],
    ['an unknown section', `${real}\ncanaries: 5\n`.replace('canaries', 'unknown')],
    ['no helpdesk', 'sources: { helpdesk: [], payments: [{ kind: demo, name: pay, helpdesk: demo }] }\n'],
    ['no sources', 'sync: { windowDays: 5 }\n'],
    ['sources under a name', 'sources: { helpdesk: { demo: { kind: demo } }, payments: [] }\n'],
  ])('of %s is refused in words', (_name, text) => {
    expect(problemsOf(() => loadFile(text, secrets)).length).toBeGreaterThan(0);
    expect(({} as Record<string, unknown>).production).toBeUndefined();
  });

  test.each(['canary-literal', '$STRIPE_KEY', '${stripe_key}', ' ${STRIPE_KEY}', '${STRIPE_KEY}x', '${}', '${PATH}${HOME}'])(
    'takes no secret that is not a reference: %s',
    (text) => {
      const places = placesOf(() => loadFile(real.replace("'${STRIPE_KEY}'", JSON.stringify(text)), secrets));
      expect(places).toEqual(['sources.payments[0].apiKey']);
    },
  );

  test('names each variable that its references miss, an empty one too', () => {
    expect(problemsOf(() => loadFile(real, { STRIPE_KEY: '' })).map((problem) => problem.split(',')[0])).toEqual([
      'sources.helpdesk[0].token: the environment has no RT_TOKEN',
      'sources.helpdesk[0].webhookSecret: the environment has no RT_SECRET',
      'sources.payments[0].apiKey: the environment has no STRIPE_KEY',
    ]);
  });

  test('that is a folder is refused', () => {
    mkdirSync(file());
    expect(problemsOf(() => load())).toEqual(['(the whole): expected a readable file']);
  });

  test('lets two sources have one name in no combination', () => {
    const names = (helpdesk: string, payments: string) =>
      `sources: { helpdesk: [{ kind: demo, name: a }, { kind: demo, name: ${helpdesk} }], payments: [{ kind: demo, name: ${payments}, helpdesk: a }] }`;
    expect(placesOf(() => loadFile(names('a', 'b')))).toEqual(['sources.helpdesk[1].name']);
    expect(placesOf(() => loadFile(names('b', 'a')))).toEqual(['sources.payments[0].name']);
    expect(placesOf(() => loadFile(names('b', 'c')))).toEqual([]);
  });
});

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
    const path = join(folder, 'key');
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

const smtp = `  mail:
    kind: smtp
    host: smtp.example.com
    user: gateway
    password: \${SMTP_PASSWORD}
    from: { name: Example Shop, address: payments@shop.example }
`;
const sms = `  sms:
    kind: http
    url: https://sms.example.com/v1
    headers: { Authorization: '\${SMS_TOKEN}', X-Plan: plain }
    body: { to: '{to}', text: '{text}' }
`;
const people = 'merchant: { name: Example Shop }\npublicUrl: https://gateway.example.com\n';
const delivery = `${people}delivery:\n${smtp}${sms}`;
const deliverySecrets = { SMTP_PASSWORD: 'canary-smtp', SMS_TOKEN: 'canary-sms' };

describe('delivery', () => {
  const sending = { ...secrets, ...deliverySecrets };
  const inProduction = { ...production, ...deliverySecrets };

  test('is files in development where nothing is configured, and nothing at all in production', () => {
    const nothing = { mail: null, sms: null, folder: join(folder, '.data', 'mail') };
    expect(load()).toMatchObject({ delivery: nothing, channels: { mail: true, sms: true }, publicUrl: null });
    expect(loadFile(real, secrets)).toMatchObject({ delivery: nothing, channels: { mail: true, sms: true } });
    expect(loadFile(real, production)).toMatchObject({ delivery: nothing, channels: { mail: false, sms: false } });
  });

  test('is what the file says, with its secrets from the environment and the rest at its defaults', () => {
    const config = loadFile(`${real}${delivery}`, inProduction);
    expect(config).toMatchObject({
      merchant: { name: 'Example Shop', supportUrl: null },
      publicUrl: 'https://gateway.example.com',
      channels: { mail: true, sms: true },
    });
    expect(config.delivery.mail).toEqual({
      kind: 'smtp',
      host: 'smtp.example.com',
      port: 587,
      tls: 'starttls',
      account: { user: 'gateway', password: 'canary-smtp' },
      from: { name: 'Example Shop', address: 'payments@shop.example' },
      timeouts: { connection: 10_000, greeting: 10_000, socket: 20_000, whole: 30_000 },
    });
    expect(config.delivery.sms).toEqual({
      kind: 'http',
      url: 'https://sms.example.com/v1',
      method: 'POST',
      headers: { Authorization: 'canary-sms', 'X-Plan': 'plain' },
      contentType: 'json',
      body: { to: '{to}', text: '{text}' },
      timeout: 10_000,
    });
  });

  test.each([
    ['mail', smtp, { mail: true, sms: false }],
    ['short messages', sms, { mail: false, sms: true }],
    ['mail as files', `  mail: { kind: files }\n${sms}`, { mail: true, sms: true }],
    ['nothing', ' {}\n', { mail: false, sms: false }],
  ])('that names %s has these channels and no other, with or without its secrets', (_what, section, channels) => {
    expect(loadFile(`${real}${people}delivery:\n${section}`, sending).channels).toEqual(channels);
    expect(loadLocalConfig({}, folder).channels).toEqual(channels);
    expect(loadLocalConfig({ NODE_ENV: 'production' }, folder).channels).toEqual(channels);
  });

  test.each([
    ['no file', null],
    ['a file without the section', real],
    ['a broken file', 'delivery: ['],
    ['aliases to nothing', 'delivery: *gone'],
    ['a section that is none', 'delivery: 5'],
  ])('is judged for commands from %s as if it named nothing', (_what, text) => {
    if (text !== null) writeFileSync(file(), text);
    expect(loadLocalConfig({}, folder).channels).toEqual({ mail: true, sms: true });
    expect(loadLocalConfig({ NODE_ENV: 'production' }, folder).channels).toEqual({ mail: false, sms: false });
  });

  test.each([
    ['implicit', 465],
    ['starttls', 587],
    ['none', 25],
  ])('takes the usual port of %s', (tls, port) => {
    const { mail } = loadFile(`${real}delivery:\n${smtp}    tls: ${tls}\n`, sending).delivery;
    expect(mail).toMatchObject({ tls, port });
  });

  test('reads certificates from a file beside it', () => {
    const text = `${real}delivery:\n${smtp}    caFile: ca.pem\n`;
    expect(placesOf(() => loadFile(text, sending))).toEqual(['delivery.mail.caFile']);
    for (const content of ['', 'canary', '-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n']) {
      writeFileSync(join(folder, 'ca.pem'), content);
      expect(placesOf(() => loadFile(text, sending), ['canary'])).toEqual(['delivery.mail.caFile']);
    }
    const { cert } = selfSigned('DNS:mail.example');
    writeFileSync(join(folder, 'ca.pem'), `About this file\n${cert}${cert}`);
    expect(loadFile(text, sending).delivery.mail?.ca).toBe(`${cert}${cert}`);
  });

  test('with a secret in its body takes it from the environment', () => {
    const text = `${real}delivery:\n${sms.replace("{ to: '{to}'", "{ to: ['{to}'], api_key: '${SMS_KEY}', deep: { token: '${SMS_KEY}' }")}`;
    expect(loadFile(text, { ...sending, SMS_KEY: 'canary-key' }).delivery.sms?.body).toEqual({
      to: ['{to}'],
      api_key: 'canary-key',
      deep: { token: 'canary-key' },
      text: '{text}',
    });
    expect(placesOf(() => loadFile(text, sending))).toEqual(['delivery.sms.body.api_key', 'delivery.sms.body.deep.token']);
  });

  test.each([
    ['merchant.name', 'name: Example Shop }\npublic', 'name: "two\\nlines" }\npublic'],
    ['merchant.name', 'name: Example Shop }\npublic', 'name: "" }\npublic'],
    ['merchant.supportUrl', 'name: Example Shop }\npublic', 'name: Shop, supportUrl: "javascript:canary" }\npublic'],
    ['publicUrl', 'https://gateway.example.com', 'https://gateway.example.com/canary'],
    ['publicUrl', 'https://gateway.example.com', 'https://gateway.example.com?canary'],
    ['publicUrl', 'https://gateway.example.com', 'https://me:canary@gateway.example.com'],
    ['publicUrl', 'https://gateway.example.com', 'http://gateway.example.com'],
    ['publicUrl', 'https://gateway.example.com', 'gateway.example.com'],
    ['publicUrl', 'https://gateway.example.com', 'ftp://gateway.example.com'],
    ['delivery.mail.kind', 'kind: smtp', 'kind: canary'],
    ['delivery.mail.host', 'smtp.example.com', 'smtp.example.com/canary'],
    ['delivery.mail.password', '${SMTP_PASSWORD}', 'canary-in-clear'],
    ['delivery.mail.password', '    password: ${SMTP_PASSWORD}\n', ''],
    ['delivery.mail.from.address', 'payments@shop.example', 'Canary <payments@shop.example>'],
    ['delivery.mail.from.address', 'payments@shop.example', '"payments@shop.example, canary@evil.example"'],
    ['delivery.mail.from.name', 'name: Example Shop, address', 'name: "a\\r\\nBcc: canary@evil.example", address'],
    ['delivery.mail.tls', '    user: gateway\n', '    user: gateway\n    tls: opportunistic-canary\n'],
    ['delivery.mail.tls', '    user: gateway\n', '    user: gateway\n    tls: none\n'],
    ['delivery.mail.port', '    user: gateway\n', '    user: gateway\n    port: 0\n'],
    ['delivery.mail.timeouts.whole', '    user: gateway\n', '    user: gateway\n    timeouts: { whole: 10 }\n'],
    ['delivery.mail', '    user: gateway\n', '    user: gateway\n    rejectUnauthorized: false\n'],
    ['delivery.sms.kind', 'kind: http', 'kind: canary'],
    ['delivery.sms.url', 'https://sms.example.com/v1', 'http://sms.example.com/canary'],
    ['delivery.sms.url', 'https://sms.example.com/v1', 'https://me:canary@sms.example.com/v1'],
    ['delivery.sms.headers.Authorization', '${SMS_TOKEN}', 'Bearer canary'],
    ['delivery.sms.headers.X-Plan', 'X-Plan: plain', 'X-Plan: "a\\r\\nCanary: b"'],
    ['delivery.sms.headers.Host', 'X-Plan: plain', 'Host: canary.example'],
    ['delivery.sms.headers.X Plan', 'X-Plan: plain', '"X Plan": canary'],
    ['delivery.sms.body', "to: '{to}', ", ''],
    ['delivery.sms.body', "text: '{text}'", 'text: canary'],
    ['delivery.sms.body.more', "text: '{text}'", "text: '{text}', more: null"],
    ['delivery.sms.body.more', "text: '{text}'", "text: '{text}', more: &more [*more]"],
    ['delivery.sms.body.more', '    body: { ', "    contentType: form\n    body: { more: { text: '{text}' }, "],
    ['delivery.sms.method', '    body: { ', '    method: GET\n    body: { '],
    ['delivery', 'delivery:\n', 'delivery:\n  pigeon: { kind: canary }\n'],
  ])('with a mistake at %s is refused there: %j → %j', (place, right, wrong) => {
    const text = `${real}${delivery.replace(right, wrong)}`;
    expect(text).not.toBe(`${real}${delivery}`);
    const places = placesOf(() => loadFile(text, inProduction), Object.values(deliverySecrets));
    expect(places).toEqual([place]);
  });

  test('has its mistakes with their lines', () => {
    const text = `${real}${delivery}`.replace('payments@shop.example', 'shop');
    try {
      loadFile(text, inProduction);
      throw new Error('it was taken');
    } catch (error) {
      const line = text.split('\n').findIndex((each) => each.includes('address: shop')) + 1;
      expect((error as ConfigInvalid).problems).toMatchObject([{ in: file(), at: 'delivery.mail.from.address', line }]);
    }
  });

  test('in production needs a name and an address that customers know, and sends rather than writes', () => {
    expect(placesOf(() => loadFile(`${real}delivery:\n${smtp}`, inProduction))).toEqual(['merchant', 'publicUrl']);
    expect(placesOf(() => loadFile(`${real}delivery:\n${sms}`, inProduction))).toEqual([]);
    expect(
      placesOf(() => loadFile(`${real}${people}delivery: { mail: { kind: files }, sms: { kind: files } }\n`, production)),
    ).toEqual(['delivery.mail.kind', 'delivery.sms.kind']);
  });

  test.each(['localhost', '127.0.0.1', '"::1"'])('in clear goes as far as %s in production', (host) => {
    const text = `${real}${people}delivery:\n${smtp.replace('smtp.example.com', host)}    tls: none\n`;
    expect(loadFile(text, inProduction).delivery.mail).toMatchObject({ tls: 'none' });
  });

  test('gives up a mail before another process may send it too', () => {
    const text = (seconds: number) => `${real}${people}updates: { leaseSeconds: ${seconds} }\ndelivery:\n${smtp}`;
    expect(placesOf(() => loadFile(text(30), inProduction))).toEqual(['delivery.mail.timeouts.whole']);
    expect(placesOf(() => loadFile(text(31), inProduction))).toEqual([]);
  });

  test.each([
    ['http://localhost:4000', 'http://localhost:4000'],
    ['https://Gateway.example.com/', 'https://gateway.example.com'],
    ['https://gateway.example.com:8443', 'https://gateway.example.com:8443'],
  ])('leads links to %s as %s', (given, origin) => {
    expect(loadFile(`${real}${delivery.replace('https://gateway.example.com', given)}`, inProduction).publicUrl).toBe(origin);
  });
});

describe('the audit log', () => {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const witness = 'witness.example.com+c946a8ab+BAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB';
  const withAudit = (audit: string) => real.replace(/audit:[\s\S]*$/, `audit: ${audit}`);

  test('is signed in development by a key that is made there, under a name of no one', () => {
    expect(load().audit).toEqual({
      origin: 'counterfoil.invalid/development',
      anchors: [],
      signingKey: { file: join(folder, '.data', 'keys', 'audit-signing-key') },
    });
  });

  test('has a name, anchors and a key; a gateway beside a process that signs holds none', () => {
    const anchors = `[{ kind: file, name: worm, path: anchors/log }, { kind: witness, name: w1, url: https://witness.example.com/w1, key: ${witness} }]`;
    const { audit } = loadFile(withAudit(`{ origin: pay.example.com/log, anchors: ${anchors} }`), production);
    expect(audit).toEqual({
      origin: 'pay.example.com/log',
      anchors: [
        { kind: 'file', name: 'worm', path: join(folder, 'anchors', 'log') },
        { kind: 'witness', name: 'w1', url: 'https://witness.example.com/w1', key: witness },
      ],
      signingKey: { value: key },
    });
    const { AUDIT_SIGNING_KEY: _key, ...rest } = production;
    expect(loadFile(real, { ...rest, AUDIT_SEQUENCER: 'process' }).audit.signingKey).toBeNull();
    writeFileSync(join(folder, 'signing'), `${pem}${pem}`.slice(0, pem.length), { mode: 0o600 });
    expect(loadFile(real, { ...rest, AUDIT_SIGNING_KEY_FILE: 'signing' }).audit.signingKey).toEqual({ value: pem });
  });

  test.each([
    ['audit.origin', '{ origin: "https://log.example.com" }'],
    ['audit.origin', '{ origin: "a log" }'],
    ['audit.origin', '{}'],
    ['audit.anchors[0].kind', '{ origin: a.example.com, anchors: [{ kind: moon, name: x }] }'],
    [
      'audit.anchors[0].key',
      '{ origin: a.example.com, anchors: [{ kind: witness, name: x, url: https://w.example.com, key: canary }] }',
    ],
    [
      'audit.anchors[0].url',
      `{ origin: a.example.com, anchors: [{ kind: witness, name: x, url: http://w.example.com, key: ${witness} }] }`,
    ],
    ['audit.anchors', '{ origin: a.example.com, anchors: [{ kind: file, name: x, path: a }, { kind: file, name: x, path: b }] }'],
  ])('says of %s what is expected', (place, text) => {
    expect(placesOf(() => loadFile(withAudit(text), production))).toEqual([place]);
  });

  test.each(['canary', Buffer.alloc(32).toString('base64'), `${key},${key}`, pem.replace('PRIVATE', 'PUBLIC')])(
    'takes no signing key that isn’t one',
    (value) => {
      expect(placesOf(() => loadFile(real, { ...production, AUDIT_SIGNING_KEY: value }), [value])).toEqual(['AUDIT_SIGNING_KEY']);
    },
  );

  test('refuses a file of the signing key that is missing or that others may read', () => {
    const { AUDIT_SIGNING_KEY: _key, ...rest } = production;
    const places = () => placesOf(() => loadFile(real, { ...rest, AUDIT_SIGNING_KEY_FILE: 'signing' }));
    expect(places()).toEqual(['AUDIT_SIGNING_KEY_FILE']);
    writeFileSync(join(folder, 'signing'), key, { mode: 0o644 });
    expect(places()).toEqual(['AUDIT_SIGNING_KEY_FILE']);
    chmodSync(join(folder, 'signing'), 0o600);
    expect(places()).toEqual([]);
  });

  test('is signed by the gateway where the database is embedded: no other process can open it', () => {
    expect(placesOf(() => load({ AUDIT_SEQUENCER: 'process' }))).toEqual(['AUDIT_SEQUENCER']);
  });

  test('is read by itself for commands that need nothing else, whatever the rest of the file lacks', () => {
    writeFileSync(file(), 'sources: { helpdesk: nonsense }\naudit: { origin: pay.example.com/log }\n');
    const environment = { NODE_ENV: 'production', DATABASE_URL: production.DATABASE_URL, AUDIT_SIGNING_KEY: key };
    expect(loadAuditConfig({ signs: true }, environment, folder)).toMatchObject({
      production: true,
      database: { engine: 'mariadb' },
      audit: { origin: 'pay.example.com/log', signingKey: { value: key } },
    });
    const { AUDIT_SIGNING_KEY: _key, ...rest } = environment;
    expect(loadAuditConfig({ signs: false }, rest, folder).audit.signingKey).toBeNull();
    expect(placesOf(() => loadAuditConfig({ signs: true }, rest, folder))).toEqual(['AUDIT_SIGNING_KEY_FILE']);
  });
});
