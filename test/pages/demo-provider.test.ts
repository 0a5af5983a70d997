import type { AddressInfo } from 'node:net';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { demoTickets } from '../../src/development/merchant/cast';
import { setupCards } from '../../src/development/sources/setup-cards';
import type { ProviderStep, SetupRequest } from '../../src/upstream/payments/payments.port';
import { TestApp } from '../support/app';
import { launchChromium } from '../support/chromium';
import { ScriptedPayments } from '../support/scripted-sources';

const customer = 'cus_demo_000001';
const setDefault: ProviderStep = { action: 'SET_DEFAULT', customer, method: 'pm_demo_000001_3' };
const formType = { 'content-type': 'application/x-www-form-urlencoded' };

let setups = 0;
const opened = (app: TestApp, over: Partial<SetupRequest> = {}) => {
  setups += 1;
  return app.payments.credentials.openSetup({
    customer,
    idempotencyKey: `setup-${setups}`,
    returnUrl: 'https://gateway.example/confirm/back?from=provider',
    cancelUrl: 'https://gateway.example/confirm/turned-back',
    expiresAt: new Date(app.clock.now().getTime() + 3_600_000),
    threeDSecure: true,
    ...over,
  });
};
const pathOf = (url: string): string => new URL(url).pathname;
const get = (app: TestApp, url: string, headers: Record<string, string> = {}, remoteAddress = '127.0.0.1') =>
  app.server.inject({ url, headers: { host: '127.0.0.1:4000', ...headers }, remoteAddress });
const post = (app: TestApp, url: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
  app.server.inject({
    method: 'POST',
    url,
    headers: { host: '127.0.0.1:4000', ...formType, ...headers },
    payload: new URLSearchParams(form).toString(),
  });

describe('the card page of the demo provider', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterEach(() => app.payments.comeBack());
  afterAll(() => app.stop());

  it('is under the gateway’s own address, and lets nothing in, run, or be kept', async () => {
    const { url, reference } = await opened(app);
    expect(url).toBe(`${app.app.publicUrl}/demo-provider/setup/${reference}`);
    const { statusCode, headers, body } = await get(app, pathOf(url));
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; img-src data:; form-action 'self' https:\/\/gateway\.example; base-uri 'none'; frame-ancestors 'none'$/,
    );
    expect(body).not.toMatch(/<script|style="|\son\w+=/);
  });

  it('has nothing to type, and no number of any card', async () => {
    const { body } = await get(app, pathOf((await opened(app)).url));
    const inputs = [...body.matchAll(/<(?:input|textarea|select)[^>]*>/g)].map(([tag]) => tag);
    expect(inputs).toHaveLength(Object.keys(setupCards).length);
    expect(inputs.every((tag) => tag.includes('type="radio"'))).toBe(true);
    expect(body).not.toMatch(/\d[ -]?(?:\d[ -]?){11,}/);
    for (const { last4 } of Object.values(setupCards)) expect(body).toContain(`•••• ${last4}`);
  });

  it('sends the browser back once a card was chosen, and again when the form comes again', async () => {
    const { url, reference } = await opened(app);
    for (let times = 0; times < 2; times += 1) {
      const { statusCode, headers } = await post(app, pathOf(url), { card: times === 0 ? 'abroad' : 'visa' });
      expect(statusCode).toBe(303);
      expect(headers).toMatchObject({
        location: 'https://gateway.example/confirm/back?from=provider',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
      });
    }
    expect(await app.payments.credentials.readSetup(reference)).toMatchObject({
      status: 'COMPLETE',
      authenticated: true,
      method: { brand: 'visa', last4: '8001', country: 'MX' },
    });
    const { statusCode, body } = await get(app, pathOf(url));
    expect([statusCode, body.includes('Your card was entered'), body.includes('<form')]).toEqual([200, true, false]);
  });

  it('asks the holder where the card’s issuer does, and believes the answer', async () => {
    const { url, reference } = await opened(app);
    const asked = await post(app, pathOf(url), { card: 'challenged' });
    expect([asked.statusCode, asked.body.includes('is it you?')]).toEqual([200, true]);
    const refused = await post(app, pathOf(url), { card: 'challenged', holder: 'refuses' });
    expect([refused.statusCode, refused.body.includes('could not tell that it is you')]).toEqual([422, true]);
    expect((await app.payments.credentials.readSetup(reference)).status).toBe('OPEN');
    expect((await post(app, pathOf(url), { card: 'challenged', holder: 'approves' })).statusCode).toBe(303);
    expect(await app.payments.credentials.readSetup(reference)).toMatchObject({ status: 'COMPLETE', authenticated: true });
  });

  it('says so when the issuer declines, and lets another card be chosen', async () => {
    const { url } = await opened(app);
    const { statusCode, body } = await post(app, pathOf(url), { card: 'declined' });
    expect([statusCode, body.includes('declined it'), body.includes('value="declined" required checked')]).toEqual([
      422,
      true,
      true,
    ]);
    expect((await post(app, pathOf(url), { card: 'mastercard' })).statusCode).toBe(303);
  });

  it.each<[string, Record<string, string>]>([
    ['no card', {}],
    ['a card’s number', { card: '4242424242424242' }],
    ['a word of the language', { card: 'constructor' }],
    ['markup', { card: '"><script>alert(1)</script>' }],
    ['an answer that no holder gives', { card: 'challenged', holder: 'maybe' }],
  ])('takes %s for no choice, and repeats nothing of it', async (_what, form) => {
    const { url, reference } = await opened(app);
    const { statusCode, body } = await post(app, pathOf(url), form);
    expect([statusCode, body.includes('Choose one of the cards first')]).toEqual([400, true]);
    expect(body).not.toMatch(/4242424242424242|<script|maybe/);
    expect((await app.payments.credentials.readSetup(reference)).status).toBe('OPEN');
  });

  it('is plain and changes nothing once its time is over', async () => {
    const { url, reference } = await opened(app, { expiresAt: app.clock.now() });
    for (const { statusCode, body } of [await get(app, pathOf(url)), await post(app, pathOf(url), { card: 'visa' })]) {
      expect([statusCode, body.includes('time for this page is over')]).toEqual([410, true]);
      expect(body).toContain('href="https://gateway.example/confirm/turned-back"');
    }
    expect((await app.payments.credentials.readSetup(reference)).method).toBeNull();
  });

  it.each([
    'x',
    '__proto__',
    'constructor',
    'cs_demo_',
    `cs_demo_${'A'.repeat(43)}`,
    '%3Cscript%3Ealert(1)%3C%2Fscript%3E',
    '..%2f..%2fetc%2fpasswd',
    '%00',
    '%F0%9F%92%B3',
  ])('does not exist at /%s, which is repeated nowhere', async (reference) => {
    const path = `/demo-provider/setup/${reference}`;
    for (const { statusCode, body, headers } of [await get(app, path), await post(app, path, { card: 'visa' })]) {
      expect([statusCode, body.includes('There is no such page')]).toEqual([404, true]);
      expect(body).not.toMatch(/alert|passwd|proto__|constructor|💳|AAAA/);
      expect(headers['content-security-policy']).toContain("form-action 'none'");
    }
    if (reference.length > 12) expect(app.logLines.join('\n')).not.toContain(reference);
  });

  it('escapes what the gateway gave it', async () => {
    const { url } = await opened(app, { cancelUrl: 'https://gateway.example/"><script>alert(1)</script>' });
    const { body } = await get(app, pathOf(url));
    expect(body).not.toContain('<script');
  });

  it('is out of order while the provider is down', async () => {
    const { url } = await opened(app);
    app.payments.goDown();
    for (const { statusCode, body } of [await get(app, pathOf(url)), await post(app, pathOf(url), { card: 'visa' })])
      expect([statusCode, body.includes('can’t be reached')]).toEqual([503, true]);
  });

  it('takes forms only, and small ones', async () => {
    const { url, reference } = await opened(app);
    const json = await app.server.inject({ method: 'POST', url: pathOf(url), payload: { card: 'visa' } });
    const large = await post(app, pathOf(url), { card: 'visa', more: 'x'.repeat(5_000) });
    expect([json.statusCode, large.statusCode]).toEqual([400, 413]);
    expect((await app.payments.credentials.readSetup(reference)).status).toBe('OPEN');
  });

  it('leaves its address in no log', async () => {
    const { url, reference } = await opened(app);
    await get(app, pathOf(url));
    expect(app.logLines.some((line) => line.includes('/demo-provider/setup/:reference'))).toBe(true);
    expect(app.logLines.join('\n')).not.toContain(reference);
  });
});

describe('what was changed at the demo provider', () => {
  it('outlives the gateway', async () => {
    const app = await TestApp.start();
    await app.payments.credentials.perform(setDefault, 'key');
    await app.restart();
    expect(await app.payments.credentials.holds(setDefault)).toBe(true);
    expect(app.payments.credentials.executions).toMatchObject([{ action: 'SET_DEFAULT', key: 'key' }]);
    await app.stop();
  });
});

describe('the page of the demo provider’s faults', () => {
  let app: TestApp;
  const page = '/development/provider';
  const act = (form: Record<string, string>, headers: Record<string, string> = {}) =>
    post(app, page, { source: 'demo-pay', ...form }, headers);
  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterEach(() => {
    app.payments.credentials.clearFaults();
    app.payments.comeBack();
  });
  afterAll(() => app.stop());

  it('changes what was said at the helpdesk, which who opens the ticket next has so', async () => {
    const { reference } = demoTickets.own;
    const opened = async () => {
      const { data, errors } = await app.as(
        'ana',
        `query ($reference: String!) { ticketByReference(source: "demo", reference: $reference) { messages { nodes { body author { __typename } } } } }`,
        { reference },
      );
      expect(errors).toBeUndefined();
      return data.ticketByReference.messages.nodes.map(({ body }: { body: string }) => body) as string[];
    };
    const before = await opened();
    const rewrite = (how: string, of = reference) => act({ act: 'rewrite', source: 'demo', reference: of, how });
    expect((await get(app, page)).body).toContain('Change what was said');
    expect((await rewrite('overwrite')).statusCode).toBe(303);
    app.clock.forward(60_000);
    const after = await opened();
    const text = '[Overwritten by the helpdesk’s privacy officer.]';
    expect([after.length, after.filter((body) => body === text).length]).toEqual([before.length, 1]);
    expect((await rewrite('remove')).statusCode).toBe(303);
    app.clock.forward(60_000);
    expect(await opened()).toEqual(after.filter((body) => body !== text));
    for (const other of ['', '1', '999999', '__proto__', '<b>'])
      expect([other, (await rewrite('remove', other)).statusCode]).toEqual([other, 400]);
    expect((await act({ act: 'rewrite', reference, how: 'remove' })).statusCode).toBe(400);
  });

  it('switches each fault on, shows it, and switches all of them off', async () => {
    await act({ act: 'refuse', of: 'steps', why: 'CARD_DECLINED', times: '1' });
    await act({ act: 'lose', of: 'steps', executed: 'yes', times: '1' });
    await act({ act: 'spoil', executed: 'no', times: '2' });
    const done = await act({ act: 'refuse', of: 'setups', why: 'NOT_PERMITTED', times: '3' });
    expect([done.statusCode, done.headers.location]).toEqual([303, page]);
    expect(app.payments.credentials.switchedOn).toEqual([
      { kind: 'refuse', of: 'steps', why: 'CARD_DECLINED', times: 1 },
      { kind: 'lose', of: 'steps', executed: true, times: 1 },
      { kind: 'spoil', of: 'steps', executed: false, times: 2 },
      { kind: 'refuse', of: 'setups', why: 'NOT_PERMITTED', times: 3 },
    ]);
    const { body } = await get(app, page);
    for (const words of [
      'Refuses the next call for changing a method: the card’s issuer declined (CARD_DECLINED).',
      'Loses the answer to the next call for changing a method, after it was executed.',
      'Answers the next 2 calls for changing a method by a fault that the key repeats, before it was executed.',
      'Refuses the next 3 calls for opening a card page: this account may not do that (NOT_PERMITTED).',
    ])
      expect(body).toContain(words);
    await act({ act: 'clear' });
    expect(app.payments.credentials.switchedOn).toEqual([]);
    expect((await get(app, page)).body).toContain('no fault is switched on');
  });

  it('is linked from the explorer', async () => {
    expect((await get(app, '/explorer')).body).toContain('<a href="/development/provider">Demo provider</a>');
  });

  it('takes the provider down and brings it back', async () => {
    await act({ act: 'go-down' });
    await expect(app.payments.ping()).rejects.toMatchObject({ why: 'refused' });
    expect((await get(app, page)).body).toContain('It is down:');
    await act({ act: 'come-back' });
    await expect(app.payments.ping()).resolves.toBeUndefined();
  });

  it('shows what was executed and noted, newest first, as text', async () => {
    await app.payments.credentials.perform(setDefault, 'key-1');
    app.clock.forward(1_000);
    await app.payments.credentials.perform({ action: 'DETACH', customer, method: 'pm_demo_000001_1' }, 'key-2');
    await app.helpdesk.addNote(demoTickets.own.reference, 'Done. <b>By whom?</b>');
    const { body, headers } = await get(app, page);
    expect(body.indexOf('method detached')).toBeGreaterThan(0);
    expect(body.indexOf('method detached')).toBeLessThan(body.indexOf('default method set'));
    expect(body).toContain('Done. &lt;b&gt;By whom?&lt;/b&gt;');
    expect(body).not.toMatch(/<script|style="|\son\w+=/);
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; img-src data:; form-action 'self';/,
    );
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  });

  it.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['another act', { act: 'burn' }],
    ['another provider', { act: 'clear', source: 'demo' }],
    ['a word of the language as a provider', { act: 'clear', source: 'constructor' }],
    ['no number', { act: 'lose', of: 'steps', executed: 'yes', times: 'often' }],
    ['never', { act: 'lose', of: 'steps', executed: 'yes', times: '0' }],
    ['for ever', { act: 'lose', of: 'steps', executed: 'yes', times: '1e9' }],
    ['a reason of one’s own', { act: 'refuse', of: 'steps', why: 'BECAUSE', times: '1' }],
  ])('refuses a form that says %s, without repeating it', async (_what, form) => {
    const { statusCode, body } = await act(form);
    expect(statusCode).toBe(400);
    expect(body).not.toMatch(/burn|often|BECAUSE/);
    expect(app.payments.credentials.switchedOn).toEqual([]);
  });

  it('refuses a form in which a field came twice', async () => {
    const { statusCode, body } = await app.server.inject({
      url: page,
      method: 'POST',
      headers: { host: '127.0.0.1:4000', ...formType },
      remoteAddress: '127.0.0.1',
      payload: 'act=clear&act=go-down&source=demo-pay',
    });
    expect([statusCode, JSON.parse(body).errors[0].extensions.code]).toEqual([400, 'INVALID']);
    expect(app.payments.isReachable).toBe(true);
  });

  it.each<[string, Record<string, string>, string?]>([
    ['another machine', {}, '192.0.2.7'],
    ['another machine that names this one', { 'x-forwarded-for': '127.0.0.1' }, '192.0.2.7'],
    ['a name that somebody pointed at this machine', { host: 'rebound.example:4000' }],
    ['a page of another site', { 'sec-fetch-site': 'cross-site' }],
    ['a page of another port of this machine', { 'sec-fetch-site': 'same-site' }],
    ['a page of another site in a browser that says little', { origin: 'https://evil.example' }],
    ['a page that hides its origin in a browser that says little', { origin: 'null' }],
  ])('is neither shown to nor led by %s', async (_who, headers, remoteAddress = '127.0.0.1') => {
    const request = { headers: { host: '127.0.0.1:4000', ...formType, ...headers }, remoteAddress };
    const payload = 'act=go-down&source=demo-pay';
    for (const answer of [
      await app.server.inject({ ...request, url: page }),
      await app.server.inject({ ...request, url: page, method: 'POST', payload }),
    ])
      expect([answer.statusCode, answer.json()]).toEqual([
        403,
        { errors: [expect.objectContaining({ extensions: expect.objectContaining({ code: 'DENIED' }) })] },
      ]);
    expect(app.payments.isReachable).toBe(true);
  });
});

describe('in production, and without a demo provider', () => {
  const paths = ['/development/provider', '/demo-provider/setup/x'];

  it('there is neither page', async () => {
    const app = await TestApp.start({ config: { production: true, developmentIssuer: false }, sync: false });
    const { url } = await opened(app);
    for (const path of [...paths, pathOf(url)]) {
      expect((await get(app, path)).statusCode).toBe(404);
      expect((await post(app, path, { act: 'go-down', source: 'demo-pay', card: 'visa' })).statusCode).toBe(404);
    }
    expect(app.payments.isReachable).toBe(true);
    await app.stop();
  });

  it('nor where payments come from elsewhere', async () => {
    const app = await TestApp.start({ connectors: { 'demo-pay': new ScriptedPayments('demo-pay') }, sync: false });
    for (const path of paths) expect((await get(app, path)).statusCode).toBe(404);
    expect((await get(app, '/explorer')).body).not.toContain('/development/provider');
    await app.stop();
  });
});

describe('in a browser', () => {
  let app: TestApp;
  let browser: Browser | null = null;
  let address = '';
  const complaints: string[] = [];
  const requested: string[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
    if (!browser) return;
    app = await TestApp.start();
    address = await app.server.listen({ host: '127.0.0.1', port: 0 });
    address = `http://127.0.0.1:${(app.server.server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await browser?.close();
    await app?.stop();
  });

  const open = async (path: string, dark = false): Promise<Page> => {
    const context = await (browser as Browser).newContext({
      javaScriptEnabled: false,
      colorScheme: dark ? 'dark' : 'light',
      viewport: { width: 390, height: 844 },
    });
    const page = await context.newPage();
    page.on('request', (request) => requested.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    await page.goto(`${address}${path}`);
    return page;
  };

  /** What axe finds, and whether a telephone would have to scroll sideways. */
  const faultsOf = async (page: Page) => {
    const context = await (browser as Browser).newContext({
      colorScheme: (await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")) ? 'dark' : 'light',
      viewport: page.viewportSize(),
    });
    const copy = await context.newPage();
    await copy.setContent(await page.content());
    await copy.evaluate(axe.source);
    const found = await copy.evaluate<{ violations: string[]; isTooWide: boolean }>(`(async () => {
      const { violations } = await axe.run();
      const { scrollWidth, clientWidth } = document.documentElement;
      return { violations: violations.map(({ id, nodes }) => id + ' ' + nodes[0].html), isTooWide: scrollWidth > clientWidth };
    })()`);
    await context.close();
    return found;
  };
  const fine = { violations: [], isTooWide: false };

  it('a customer chooses a card without a script, is asked by its issuer, and comes back', async () => {
    if (!browser) return;
    // On another port: another site to the browser, as a merchant's address is another than the provider's.
    const back = `http://localhost:${new URL(address).port}/healthz?returned`;
    const { url, reference } = await opened(app, { returnUrl: back, cancelUrl: back });
    const page = await open(pathOf(url));
    expect(await faultsOf(page)).toEqual(fine);
    await page.getByRole('button', { name: 'Use this card' }).click();
    expect(page.url()).toBe(`${address}${pathOf(url)}`);
    await page.getByLabel('Visa •••• 0002').check();
    await page.getByRole('button', { name: 'Use this card' }).click();
    expect(await page.getByRole('alert').textContent()).toContain('declined');
    expect(await faultsOf(page)).toEqual(fine);
    await page.getByLabel('Visa •••• 3220').check();
    await page.getByRole('button', { name: 'Use this card' }).click();
    expect(await faultsOf(page)).toEqual(fine);
    await page.getByRole('button', { name: 'Yes, it’s me' }).click();
    await page.waitForURL(back);
    expect(await app.payments.credentials.readSetup(reference)).toMatchObject({ status: 'COMPLETE', authenticated: true });
    await page.context().close();
  });

  it('a customer turns back, and nothing was entered', async () => {
    if (!browser) return;
    const { url, reference } = await opened(app, { cancelUrl: `${address}/healthz?turned-back` });
    const page = await open(pathOf(url), true);
    expect(await faultsOf(page)).toEqual(fine);
    await page.getByRole('link', { name: /without a card/ }).click();
    await page.waitForURL(`${address}/healthz?turned-back`);
    expect((await app.payments.credentials.readSetup(reference)).status).toBe('OPEN');
    await page.context().close();
  });

  it('a newcomer switches a fault on and off by keyboard', async () => {
    if (!browser) return;
    await app.payments.credentials.perform(setDefault, 'key');
    await app.helpdesk.addNote(demoTickets.own.reference, 'A note');
    for (const dark of [false, true]) {
      const page = await open('/development/provider', dark);
      await page.getByLabel('Because').selectOption('ADDRESS_REFUSED');
      await page.getByLabel('How often').first().fill('2');
      await page.getByLabel('How often').first().press('Enter');
      await page.getByText('Refuses the next 2 calls').waitFor();
      expect(app.payments.credentials.switchedOn).toMatchObject([{ kind: 'refuse', why: 'ADDRESS_REFUSED', times: 2 }]);
      if (dark) expect(await faultsOf(page)).toEqual(fine);
      await page.getByRole('button', { name: 'Switch all faults off' }).click();
      await page.getByText('no fault is switched on').waitFor();
      if (!dark) expect(await faultsOf(page)).toEqual(fine);
      await page.context().close();
    }
  }, 120_000);

  it('nothing came from elsewhere, and no page complained', () => {
    if (!browser) return;
    expect(requested.filter((url) => !/^(?:http:\/\/(?:127\.0\.0\.1|localhost):\d+\/|data:)/.test(url))).toEqual([]);
    expect(complaints.filter((text) => !text.includes('status of 4'))).toEqual([]);
  });
});
