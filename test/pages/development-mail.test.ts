import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser } from 'playwright-core';
import type { DeliveryChannels } from '../../src/upstream/delivery/delivery.port';
import { deliveryChannels } from '../../src/upstream/delivery/delivery-channels';
import { TestApp } from '../support/app';
import { launchChromium } from '../support/chromium';

const here = { host: '127.0.0.1:4000' };
const open = (app: TestApp, headers: Record<string, string> = here, remoteAddress = '127.0.0.1') =>
  app.server.inject({ url: '/development/mail', headers, remoteAddress });

describe('the mail page of development', () => {
  let app: TestApp;
  let channels: DeliveryChannels;
  const mail = (text: string, subject = 'Please confirm', to = 'kim@customers.example') =>
    channels.mail?.send({ to, subject, text, html: '' });
  beforeAll(async () => {
    app = await TestApp.start({ sync: false });
    channels = deliveryChannels(app.app.config, app.clock.now);
  });
  afterEach(() => rmSync(app.app.config.delivery.folder, { recursive: true, force: true }));
  afterAll(() => app.stop());

  it('says where messages go, and that there is none yet', async () => {
    const { statusCode, headers, body } = await open(app);
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
    expect(body).toContain('Mails and short messages with codes are not sent: each becomes a file');
    expect(body).toContain(join(app.app.config.dataFolder, 'mail'));
    expect(body).toContain('In production customers get what is sent');
    expect(body).toContain('Nothing yet.');
  });

  it('lets nothing in and nothing run', async () => {
    const { headers, body } = await open(app);
    const policy = String(headers['content-security-policy']);
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; img-src data:; form-action 'none'; base-uri 'none'; frame/,
    );
    expect(body).not.toMatch(/<script|style="|\son\w+=/);
    expect(headers['referrer-policy']).toBe('no-referrer');
  });

  it('shows mail and codes, newest first', async () => {
    await mail('The first', 'First subject');
    app.clock.forward(60_000);
    await channels.sms?.send({ to: '+49 151 2345678', text: 'Your code is 4242' });
    app.clock.forward(60_000);
    await mail('The last', 'Last subject');
    const { body } = await open(app);
    const places = ['Last subject', 'Your code is 4242', 'First subject'].map((text) => body.indexOf(text));
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places).toEqual([...places].sort((one, other) => one - other));
    expect(body).toContain('Mail to kim@customers.example');
    expect(body).toContain('To +49 151 2345678');
    expect(body).toContain('<time datetime="2026-09-01T09:02:00.000Z">');
  });

  it('makes a link of our own addresses only', async () => {
    await mail(
      [
        'Ours: http://127.0.0.1:4000/confirm/abc-DEF_1. And http://localhost:4000/confirm/two',
        'Others: http://127.0.0.1:4001/x http://127.0.0.1.evil.example:4000/ https://127.0.0.1:4000/ http://a:b@127.0.0.1:4000/',
        'javascript:alert(1) http://127.0.0.1:4000@evil.example/ http://evil.example/?http://127.0.0.1:4000/ //127.0.0.1:4000',
      ].join('\n'),
    );
    const links = [...(await open(app)).body.matchAll(/<a href="([^"]*)"/g)].map(([, address]) => address);
    expect(links).toEqual([
      '/',
      '/explorer',
      '/development/mail',
      'http://127.0.0.1:4000/confirm/abc-DEF_1',
      'http://localhost:4000/confirm/two',
    ]);
  });

  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '</pre></article><h1>x',
    '"><svg onload=alert(1)>',
    'http://127.0.0.1:4000/"onmouseover="alert(1)',
    'http://127.0.0.1:4000/<b>',
    '&lt;script&gt;',
    '${1} $& {{x}}',
  ])('shows %j as the text that it is', async (text) => {
    await mail(text, text);
    await channels.sms?.send({ to: '110110', text });
    const { body } = await open(app);
    expect(body).not.toMatch(/<(?:script|img|svg|b)\b|onmouseover="|<h1>x/i);
    const elements = /<\/?([a-z0-9]+)/g;
    const allowed = 'html head meta title link style body header nav a h1 h2 p code main article div span time pre'.split(' ');
    expect([...body.matchAll(elements)].map(([, name]) => name).filter((name) => !allowed.includes(name ?? ''))).toEqual([]);
    if (text.startsWith('&')) expect(body).toContain('&amp;lt;script&amp;gt;');
  });

  it('shows what somebody put into the folder, as text', async () => {
    const folder = app.app.config.delivery.folder;
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, '20260901T090000000Z-000001-00000000-mail.eml'),
      'To: <b>x</b>\nSubject: <i>y</i>\n\n<u>z</u>\u001b[31m',
    );
    const { statusCode, body } = await open(app);
    expect(statusCode).toBe(200);
    expect(body).not.toMatch(/<[biu]>/);
    expect(body).not.toContain('\u001b');
  });

  it.each([
    ['a page of another origin', { ...here, 'sec-fetch-site': 'cross-site' }, '127.0.0.1'],
    ['a page of another port of this machine', { ...here, 'sec-fetch-site': 'same-site' }, '127.0.0.1'],
    ['a name that somebody pointed at this machine', { host: 'rebound.example:4000' }, '127.0.0.1'],
    ['another machine', here, '192.0.2.7'],
    ['another machine that says it is this one', { ...here, 'x-forwarded-for': '127.0.0.1' }, '192.0.2.7'],
  ])('shows nothing to %s', async (_who, headers, remoteAddress) => {
    await mail('http://127.0.0.1:4000/confirm/canary');
    const { statusCode, body, headers: answered } = await open(app, headers, remoteAddress);
    expect(statusCode).toBe(403);
    expect(answered['cache-control']).toBe('no-store');
    expect(body).not.toMatch(/canary|kim|confirm/);
  });

  it('leaves nothing of a message in the log', async () => {
    await mail('http://127.0.0.1:4000/confirm/canary-token', 'canary subject');
    await open(app);
    expect(app.logLines.join('')).not.toMatch(/canary|kim@|confirm/);
  });
});

describe('the mail page', () => {
  it('links to where customers reach the gateway, where that is configured', async () => {
    const app = await TestApp.start({ sync: false, config: { publicUrl: 'https://gateway.example' } });
    const text = 'https://gateway.example/confirm/one http://127.0.0.1:4000/confirm/two https://gateway.example.evil/three';
    await deliveryChannels(app.app.config, app.clock.now).mail?.send({
      to: 'kim@customers.example',
      subject: 'x',
      text,
      html: '',
    });
    const { body } = await open(app);
    expect([...body.matchAll(/<a href="(http[^"]*)"/g)].map(([, address]) => address)).toEqual([
      'https://gateway.example/confirm/one',
    ]);
    await app.stop();
  });

  it('says of each kind where it goes, where they differ', async () => {
    const gateway = { kind: 'http', url: 'https://sms.example', method: 'POST', contentType: 'json' } as const;
    const delivery = { mail: null, sms: { ...gateway, headers: {}, body: {}, timeout: 1_000 }, folder: '/nowhere' };
    const app = await TestApp.start({ sync: false, config: { delivery, channels: { mail: true, sms: true } } });
    const { body } = await open(app);
    expect(body).toContain('Mails are not sent: each becomes a file');
    expect(body).toContain('Short messages with codes are sent, as counterfoil.yaml says.');
    await app.stop();
  });

  it.each([true, false])(
    'does not exist in production, and nothing is written there (development issuer: %s)',
    async (developmentIssuer) => {
      const app = await TestApp.start({ config: { production: true, developmentIssuer }, sync: false });
      expect((await open(app)).statusCode).toBe(404);
      expect(deliveryChannels(app.app.config)).toEqual({ mail: null, sms: null });
      await app.stop();
    },
  );
});

describe('the mail page in a browser', () => {
  let browser: Browser | null = null;
  let app: TestApp;
  let address = '';
  beforeAll(async () => {
    browser = await launchChromium();
    if (!browser) return;
    app = await TestApp.start({ sync: false });
    address = await app.server.listen({ host: '127.0.0.1', port: 0 });
    const { mail, sms } = deliveryChannels(app.app.config, app.clock.now);
    const text = `Open this to see what would change:\n\n${address}/healthz\n\nIt works for an hour.`;
    await mail?.send({ to: 'kim@customers.example', subject: 'Please confirm a change of your card', text, html: '' });
    await sms?.send({ to: '+49 151 2345678', text: 'Your code is 4242' });
  });
  afterAll(async () => {
    await browser?.close();
    await app?.stop();
  });

  it.each(['light', 'dark'] as const)('is accessible in %s colours', async (colorScheme) => {
    if (!browser) return;
    // The page allows no script; axe is one.
    const context = await browser.newContext({ colorScheme, bypassCSP: true, viewport: { width: 390, height: 800 } });
    const page = await context.newPage();
    await page.goto(`${address}/development/mail`);
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate<{ violations: { id: string }[] }>('axe.run()');
    expect(violations.map(({ id }) => id)).toEqual([]);
    await context.close();
  });

  it('is styled under its own policy, and its link leads where it says', async () => {
    if (!browser) return;
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    await page.goto(`${address}/development/mail`);
    expect(await page.evaluate("getComputedStyle(document.querySelector('article')).borderTopWidth")).toBe('1px');
    await page.getByRole('link', { name: '/healthz' }).click();
    await page.waitForURL(`${address}/healthz`);
    expect(complaints).toEqual([]);
    await page.close();
  });
});
