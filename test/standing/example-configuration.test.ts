import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { databaseLocation } from '../../src/config/database';
import { type Config, loadConfig } from '../../src/config/load';
import { ConfigInvalid } from '../../src/config/problems';
import { parseDatabaseUrl } from '../../src/db/location';

const example = join(__dirname, '..', '..', 'counterfoil.example.yaml');
const secrets = {
  RT_TOKEN: '1-14-of-nobody',
  RT_WEBHOOK_SECRET: 'secret of the scrip',
  STRIPE_KEY: 'rk_test_of_nobody',
  STRIPE_WEBHOOK_SECRET: 'whsec_of_nobody_at_all',
  SMTP_PASSWORD: 'password of nobody',
  SMS_AUTHORIZATION: 'Bearer of nobody',
};

describe('counterfoil.example.yaml', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'counterfoil-example-'));
    copyFileSync(example, join(folder, 'counterfoil.yaml'));
    writeFileSync(join(folder, 'exposure.yaml'), '');
    for (const name of ['key', 'signing-key'])
      writeFileSync(join(folder, name), randomBytes(32).toString('base64'), { mode: 0o600 });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const production = {
    NODE_ENV: 'production',
    DATABASE_URL: 'mysql://counterfoil:x@db.example.com:3306/counterfoil?tls=verify',
    KEY_ENCRYPTION_KEY_FILE: 'key',
    AUDIT_SIGNING_KEY_FILE: 'signing-key',
    POLICY_FILE: 'exposure.yaml',
  };
  const load = (environment: Record<string, string>): Config => loadConfig(environment, folder);

  it('is what a production gateway accepts, with nothing but its secrets added', () => {
    const config = load({ ...production, ...secrets });
    expect(config.sources.helpdesk).toMatchObject([{ kind: 'rt', name: 'rt', token: secrets.RT_TOKEN }]);
    expect(config.sources.payments).toMatchObject([{ kind: 'stripe', name: 'stripe', apiKey: secrets.STRIPE_KEY }]);
    expect(config.issuers).toMatchObject([{ audience: ['counterfoil'], algorithms: ['RS256'] }]);
    expect(config).toMatchObject({ production: true, developmentIssuer: false, mfaRequired: true });
    expect(config).toMatchObject({
      publicUrl: 'https://gateway.example.com',
      delivery: {
        mail: { kind: 'smtp', account: { password: secrets.SMTP_PASSWORD } },
        sms: { kind: 'http', headers: { Authorization: secrets.SMS_AUTHORIZATION } },
      },
      channels: { mail: true, sms: true },
    });
  });

  it('has a section for senders of signals that is accepted where it is taken in', () => {
    const text = readFileSync(example, 'utf8');
    const section = /(?<=\n)# signals:\n(?:# .*\n)+/.exec(text)?.[0] ?? '';
    const withSignals = text.replace(section, section.replaceAll(/^# /gm, ''));
    writeFileSync(join(folder, 'counterfoil.yaml'), withSignals);
    const secret = Buffer.from('secret of nobody at all, 32 bytes');
    const { signals } = load({ ...production, ...secrets, SHOP_SIGNALS_SECRET: `whsec_${secret.toString('base64')}` });
    expect(signals.sources).toEqual([
      { name: 'shop', secrets: [secret], payments: 'stripe', helpdesk: 'rt', lateHours: 6, holdsADay: 50 },
      {
        name: 'login',
        lateHours: 6,
        secrets: [],
        tokens: {
          issuer: 'https://login.example.com/realms/support',
          audience: 'https://gateway.example.com/signals/login',
          jwksUri: 'https://login.example.com/realms/support/protocol/openid-connect/certs',
        },
      },
    ]);
    const faulty = withSignals.replace('payments: stripe', 'payments: adyen').replace('- name: shop', '- name: rt');
    writeFileSync(join(folder, 'counterfoil.yaml'), faulty);
    expect(() => load({ ...production, ...secrets, SHOP_SIGNALS_SECRET: 'whsec_AAAA' })).toThrow(
      /secrets\[0\]: expected whsec_[\s\S]*\[0\]\.name: expected a name that no other source has[\s\S]*\[0\]\.payments: expected the name of a payments source/,
    );
  });

  it('says what the settings of delivery are where they are left out', () => {
    const { mail, sms } = load({ ...production, ...secrets }).delivery;
    const text = readFileSync(example, 'utf8');
    const section = text.slice(text.indexOf('\ndelivery:'));
    const short = section
      .replace(/^ {4}(?:tls|port|method|contentType|timeout): .*\n/gm, '')
      .replace(/^ {4}timeouts:\n(?: {6}.*\n)+/m, '');
    expect(short.length).toBeLessThan(section.length - 200);
    writeFileSync(join(folder, 'counterfoil.yaml'), text.replace(section, short));
    expect(load({ ...production, ...secrets }).delivery).toMatchObject({ mail, sms });
  });

  it('says what the bounds are where nothing is configured', () => {
    const { sync } = load({ ...production, ...secrets });
    const lines = readFileSync(example, 'utf8').split('\n');
    writeFileSync(
      join(folder, 'counterfoil.yaml'),
      [...lines.slice(0, lines.indexOf('sync:')), ...lines.slice(lines.indexOf('audit:'))].join('\n'),
    );
    expect(load({ ...production, ...secrets }).sync).toEqual(sync);
  });

  it('gets its secrets from files as well, without their last line break', () => {
    const files = Object.entries(secrets).map(([name, value]) => {
      const file = join(folder, name.toLowerCase());
      writeFileSync(file, `${value}\n`);
      return [`${name}_FILE`, file];
    });
    writeFileSync(join(folder, 'database'), `${production.DATABASE_URL}\n`);
    const { DATABASE_URL: url, ...rest } = production;
    const config = load({ ...rest, ...Object.fromEntries(files), DATABASE_URL_FILE: join(folder, 'database') });
    expect(config.sources.payments).toMatchObject([{ webhookSecret: secrets.STRIPE_WEBHOOK_SECRET }]);
    expect(config.database).toEqual(parseDatabaseUrl(url));
    expect(databaseLocation({ DATABASE_URL_FILE: join(folder, 'database') }, folder)).toEqual(parseDatabaseUrl(url));
  });

  it('names each secret that is missing, with its line, at once, and repeats none of those that are there', () => {
    const { RT_TOKEN: _, STRIPE_WEBHOOK_SECRET: __, ...rest } = secrets;
    const loadIncomplete = () => load({ ...production, ...rest, RT_TOKEN_FILE: join(folder, 'nothing') });
    expect(loadIncomplete).toThrow(ConfigInvalid);
    try {
      loadIncomplete();
    } catch (error) {
      const { problems, message } = error as ConfigInvalid;
      expect(problems.map(({ at }) => at)).toEqual(['sources.helpdesk[0].token', 'sources.payments[0].webhookSecret']);
      expect(problems.every(({ line }) => typeof line === 'number')).toBe(true);
      for (const value of Object.values(rest)) expect(message).not.toContain(value);
    }
  });
});

describe('the database’s place', () => {
  it('is a file in the data folder unless a URL says otherwise', () => {
    expect(databaseLocation({}, '/srv/gateway')).toEqual({ engine: 'sqlite', file: '/srv/gateway/.data/counterfoil.sqlite' });
    expect(databaseLocation({ DATABASE_URL: 'sqlite:x.db' }, '/srv/gateway')).toEqual({
      engine: 'sqlite',
      file: '/srv/gateway/x.db',
    });
  });

  it('is refused in any other form, without repeating it', () => {
    const load = () => databaseLocation({ DATABASE_URL: 'postgres://me:hidden@db/x' }, '/srv');
    expect(load).toThrow(ConfigInvalid);
    expect(load).not.toThrow(/hidden/);
  });

  it('is no default where a file is named that holds nothing', () => {
    expect(() => loadConfig({ DATABASE_URL_FILE: '/dev/null', POLICY_FILE: example }, '/srv')).toThrow(/DATABASE_URL_FILE/);
  });
});
