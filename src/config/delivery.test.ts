import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configFolder, placesOf, production, real, secrets } from '../../test/support/config-folder';
import { selfSigned } from '../../test/support/self-signed';
import { loadLocalConfig } from './local';
import { ConfigInvalid } from './problems';

const { folder, file, load, loadFile } = configFolder();

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
    const nothing = { sms: null, folder: join(folder(), '.data', 'mail') };
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
    expect(loadLocalConfig({}, folder()).channels).toEqual(channels);
    expect(loadLocalConfig({ NODE_ENV: 'production' }, folder()).channels).toEqual(channels);
  });

  test.each([
    ['no file', null],
    ['a file without the section', real],
    ['a broken file', 'delivery: ['],
    ['aliases to nothing', 'delivery: *gone'],
    ['a section that is none', 'delivery: 5'],
  ])('is judged for commands from %s as if it named nothing', (_what, text) => {
    if (text !== null) writeFileSync(file(), text);
    expect(loadLocalConfig({}, folder()).channels).toEqual({ mail: true, sms: true });
    expect(loadLocalConfig({ NODE_ENV: 'production' }, folder()).channels).toEqual({ mail: false, sms: false });
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
      writeFileSync(join(folder(), 'ca.pem'), content);
      expect(placesOf(() => loadFile(text, sending), ['canary'])).toEqual(['delivery.mail.caFile']);
    }
    const { cert } = selfSigned('DNS:mail.example');
    writeFileSync(join(folder(), 'ca.pem'), `About this file\n${cert}${cert}`);
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
