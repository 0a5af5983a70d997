import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { demoTickets } from '../../src/development/merchant/cast';
import { TestApp } from '../support/app';
import { launchChromium } from '../support/chromium';

const fromHere = { host: '127.0.0.1:4000', 'content-type': 'application/json' };
const tokenOf = (app: TestApp, headers: Record<string, string> = fromHere, body: unknown = { user: 'ana', mfa: true }) =>
  app.server.inject({ method: 'POST', url: '/development/token', headers, payload: JSON.stringify(body) });

describe('the explorer of development', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(() => app.stop());

  it('is one page under a policy that lets nothing in from elsewhere', async () => {
    const { statusCode, headers, body } = await app.server.inject({ url: '/explorer' });
    expect(statusCode).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).not.toMatch(/https?:|\*|unsafe-eval/);
    expect(body).not.toMatch(/(src|href)="(https?:)?\/\//);
  });

  it('leaves the strict policy of everything else as it is', async () => {
    const { headers } = await app.server.inject({ url: '/healthz' });
    expect(headers['content-security-policy']).toBe("default-src 'none';frame-ancestors 'none'");
  });

  it('gives a token of a demo person, with or without a second factor', async () => {
    for (const mfa of [true, false]) {
      const response = await tokenOf(app, fromHere, { user: 'sam', mfa });
      expect(response.headers['cache-control']).toBe('no-store');
      const { token, expiresAt } = response.json() as { token: string; expiresAt: string };
      expect(Date.parse(expiresAt) - app.clock.now().getTime()).toBe(15 * 60_000);
      const { data } = await app.as({ token }, '{ viewer { roles mfa } }');
      expect(data.viewer).toEqual({ roles: ['SUPERVISOR'], mfa });
    }
  });

  it.each([
    ['a page of another origin', { ...fromHere, 'sec-fetch-site': 'cross-site' }],
    ['a page of another port of this machine', { ...fromHere, 'sec-fetch-site': 'same-site' }],
    ['a name that somebody pointed at this machine', { ...fromHere, host: 'rebound.example:4000' }],
    ['a name that begins like this machine', { ...fromHere, host: '127.0.0.1.example' }],
  ])('refuses a token to %s', async (_who, headers) => {
    const response = await tokenOf(app, headers);
    expect(response.statusCode).toBe(403);
    expect(response.body).not.toContain('eyJ');
  });

  it('refuses a token to another machine, whatever that says of itself', async () => {
    const response = await app.server.inject({
      method: 'POST',
      url: '/development/token',
      remoteAddress: '192.0.2.7',
      headers: { ...fromHere, 'x-forwarded-for': '127.0.0.1' },
      payload: JSON.stringify({ user: 'ana', mfa: true }),
    });
    expect(response.statusCode).toBe(403);
    expect(response.body).not.toContain('eyJ');
  });

  it.each([
    ['nobody', { user: 'mallory', mfa: true }],
    ['a role of one’s choice', { user: 'ana', mfa: true, roles: ['ADMIN'] }],
    ['half a request', { user: 'ana' }],
    ['no object', 'ana'],
  ])('answers a token request for %s with what is accepted', async (_what, body) => {
    const response = await tokenOf(app, fromHere, body);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ errors: [{ extensions: { code: 'INVALID' } }] });
    expect(response.body).not.toContain('mallory');
  });

  it('takes no form, which a foreign page could send without asking', async () => {
    const response = await app.server.inject({
      method: 'POST',
      url: '/development/token',
      headers: { host: fromHere.host, 'content-type': 'text/plain' },
      payload: JSON.stringify({ user: 'ana', mfa: true }),
    });
    expect(response.statusCode).toBeGreaterThanOrEqual(400);
    expect(response.body).not.toContain('eyJ');
  });

  it('lets every demo person introspect the graph', async () => {
    for (const { user } of app.app.development?.issuer.people ?? []) {
      const { data, errors } = await app.as(user, '{ __schema { queryType { name } } }');
      expect({ user, data, errors }).toEqual({ user, data: { __schema: { queryType: { name: 'Query' } } }, errors: undefined });
    }
  });
});

describe('the explorer in production', () => {
  it('does not exist, and neither does its way to tokens', async () => {
    const app = await TestApp.start({ config: { production: true, developmentIssuer: false }, sync: false });
    for (const url of ['/', '/explorer', '/explorer/page.js', '/explorer/graphiql.js']) {
      expect((await app.server.inject({ url })).statusCode).toBe(404);
    }
    expect((await tokenOf(app)).statusCode).toBe(404);
    await app.stop();
  });

  it('does not exist even where the development issuer was left on', async () => {
    const app = await TestApp.start({ config: { production: true, developmentIssuer: true }, sync: false });
    expect((await app.server.inject({ url: '/explorer' })).statusCode).toBe(404);
    expect((await tokenOf(app)).statusCode).toBe(404);
    await app.stop();
  });
});

describe('the explorer in a browser', () => {
  let app: TestApp;
  let browser: Browser | null = null;
  let address = '';
  const requested: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
    if (!browser) return;
    app = await TestApp.start();
    await app.server.listen({ host: '127.0.0.1', port: 0 });
    address = `http://127.0.0.1:${(app.server.server.address() as AddressInfo).port}`;
    // The gateway's clock stands still in tests, the browser's doesn't: a token must look valid to both.
    app.clock.forward(Date.now() - app.clock.now().getTime());
  });
  afterAll(async () => {
    await browser?.close();
    await app?.stop();
  });

  const open = async (path = '/explorer'): Promise<Page> => {
    const page = await (browser as Browser).newPage();
    page.setDefaultTimeout(50_000);
    page.on('request', (request) => requested.push(request.url()));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${address}${path}`);
    await page.locator('.graphiql-query-editor .view-line').first().waitFor();
    return page;
  };
  const answerOf = (page: Page) =>
    page.waitForResponse(
      (response) => response.url().endsWith('/graphql') && !response.request().postData()?.includes('IntrospectionQuery'),
    );

  it('shows Ana the context of her ticket, masked, at one click', async () => {
    if (!browser) return;
    const page = await open();
    const [response] = await Promise.all([answerOf(page), page.getByRole('button', { name: /^ana/ }).click()]);
    const { data, errors } = (await response.json()) as { data: { ticketByReference: { customer: unknown } }; errors?: unknown };
    expect(errors).toBeUndefined();
    expect(data.ticketByReference).toMatchObject({ reference: demoTickets.own.reference, customer: { link: 'VERIFIED' } });
    await page.locator('.result-window').getByText('VERIFIED').waitFor();
    await page.close();
  });

  it('shows the administrator why nothing is shown, and marks who asks', async () => {
    if (!browser) return;
    const page = await open();
    await Promise.all([answerOf(page), page.getByRole('button', { name: /^oz/ }).click()]);
    await page.locator('.result-window').getByText('"DENIED"').waitFor();
    expect(await page.getByRole('button', { name: /^oz/ }).getAttribute('aria-pressed')).toBe('true');
    expect(await page.getByRole('button', { name: /^ana/ }).getAttribute('aria-pressed')).toBe('false');
    await page.close();
  });

  it('asks again without the second factor when it is switched off', async () => {
    if (!browser) return;
    const page = await open();
    await Promise.all([answerOf(page), page.getByLabel('second factor').uncheck()]);
    await page.locator('.result-window').getByText('MFA_REQUIRED').first().waitFor();
    await page.close();
  });

  it('runs an example as the person who was chosen', async () => {
    if (!browser) return;
    const page = await open('/explorer?as=pia');
    const answered = page.waitForResponse(
      (response) => response.url().endsWith('/graphql') && Boolean(response.request().postData()?.includes('explainAccess(')),
    );
    await page.getByLabel('Example').selectOption('explained');
    expect(await (await answered).json()).toMatchObject({
      data: { explainAccess: { field: 'Customer.email', verdict: 'mask:email' } },
    });
    await page.close();
  });

  const chooses = async (page: Page, example: string): Promise<void> => {
    await Promise.all([page.waitForEvent('load'), page.getByLabel('Example').selectOption(example)]);
    await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  };
  const sends = async (page: Page) => {
    const [response] = await Promise.all([answerOf(page), page.locator('.graphiql-execute-button').click()]);
    const { variables } = JSON.parse(response.request().postData() ?? '') as { variables: Record<string, string> };
    return { variables, answer: (await response.json()) as { data: Record<string, Record<string, unknown>>; errors?: unknown } };
  };

  it('keeps the ids of the last answer for the next example, makes a fresh key each time, and changes nothing unasked', async () => {
    if (!browser) return;
    const page = await open();
    const [first] = await Promise.all([answerOf(page), page.getByRole('button', { name: /^ana/ }).click()]);
    const { id, customer } = ((await first.json()) as { data: { ticketByReference: { id: string; customer: never } } }).data
      .ticketByReference as { id: string; customer: { paymentMethods: { id: string }[] } };
    const keys = new Set<string>();
    for (const _ of [1, 2]) {
      await chooses(page, 'request');
      await page.getByRole('status').getByText('press ▶').waitFor();
      const { variables, answer } = await sends(page);
      expect(variables).toMatchObject({ ticketId: id, paymentMethodId: customer.paymentMethods[0]?.id });
      // With another key it is another request, which has to wait for the first.
      expect(answer).toMatchObject(
        keys.size === 0
          ? { data: { requestCredentialUpdate: { id: expect.stringMatching(/^cru_/) } } }
          : { errors: [{ extensions: { code: 'CONFLICT' } }] },
      );
      keys.add(variables.idempotencyKey as string);
      await chooses(page, 'viewer');
    }
    expect(keys.size).toBe(2);
    await page.close();
  });

  it('becomes who an example is for, and says what to run first where it knows no id', async () => {
    if (!browser) return;
    const page = await open('/explorer?as=ana');
    await chooses(page, 'approve-access');
    await page.getByRole('status').getByText('Run “Who asks for access?” first: its answer has id.').waitFor();
    expect(await page.getByRole('button', { name: /^sam/ }).getAttribute('aria-pressed')).toBe('true');
    await page.close();
  });

  it('loads nothing from elsewhere, and its own policy stops nothing that it needs', async () => {
    if (!browser) return;
    const page = await open();
    // Typing wakes the workers of the editor.
    await page.locator('.graphiql-query-editor .view-line').first().click();
    await page.keyboard.type(' ');
    while (!requested.some((url) => url.includes('graphql.worker.js'))) await page.waitForTimeout(50);
    await Promise.all([answerOf(page), page.getByRole('button', { name: /^ana/ }).click()]);
    await page.close();
    expect(requested.length).toBeGreaterThan(5);
    expect(requested.filter((url) => !url.startsWith(`${address}/`) && !url.startsWith('data:'))).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
