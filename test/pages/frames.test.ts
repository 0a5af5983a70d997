import type { BrowserContext, Frame, Page, Request } from 'playwright-core';
import type { IssuerConfiguration } from '../../src/authz/identity/token-verifier';
import { TestApp } from '../support/app';
import { builtConsole } from '../support/built-console';
import { expectAccessible } from '../support/console';
import { OpenIdProvider } from '../support/openid-provider';
import { freePort, Site, strictBrowser } from '../support/two-sites';

const secret = 'a secret of this test alone';

/** Whether the page of a frame shows the ticket, as the graph answers it. */
const showsTicket = (frame: Frame) => frame.locator('.ticket').getByText('Ticket 1001').waitFor({ timeout: 20_000 });

describe('the panel in a page of another site, in a browser that blocks third-party cookies', () => {
  let browser: Awaited<ReturnType<typeof strictBrowser>> = null;
  let provider: OpenIdProvider;
  let test: TestApp;
  let helpdesk: Site;
  /** Another page of it, in which nobody grants frames their cookies. */
  let strict: Site;
  let elsewhere: Site;
  /** Of another helpdesk, whose frames have one address, as Chatwoot's dashboard apps have. */
  let chat: Site;
  let gateway: string;
  const faults: string[] = [];

  beforeAll(async () => {
    const port = await freePort();
    gateway = `http://gateway.localhost:${port}`;
    provider = await OpenIdProvider.start(`${gateway}/sign-in/back/staff`);
    const page = () =>
      `<title>Ticket 1001</title><script src="${gateway}/embed/panel.js" async></script><counterfoil-panel source="demo" reference="1001"></counterfoil-panel>`;
    helpdesk = await Site.open('helpdesk', page, {
      'content-security-policy': `default-src 'none'; script-src ${gateway} 'unsafe-eval'; frame-src ${gateway}`,
      'cross-origin-opener-policy': 'same-origin-allow-popups',
    });
    strict = await Site.open('strict', page);
    elsewhere = await Site.open('elsewhere', page);
    chat = await Site.open('chat', () => '<title>Conversations</title>');
    browser = await strictBrowser([{ top: helpdesk.origin, embedded: gateway }]);
    test = await TestApp.start({
      // The provider says when somebody signed in by the real time, as long as this takes.
      isNow: true,
      consoleFolder: builtConsole(),
      config: {
        publicUrl: gateway,
        issuers: [
          {
            issuer: provider.issuer,
            audience: ['counterfoil'],
            algorithms: ['ES256'],
            jwksUri: `${provider.issuer}/jwks`,
            clockSkewSeconds: 30,
            maxLifetimeSeconds: 900,
            dpopRequired: false,
            claims: {
              roles: ['roles'],
              teams: ['teams'],
              mfa: { amr: ['mfa'], acr: [] },
              staff: ['preferred_username'],
              service: 'role',
            },
          } as unknown as IssuerConfiguration,
        ],
        signIn: {
          providers: [
            {
              id: 'staff',
              issuer: provider.issuer,
              name: 'Staff',
              clientId: 'counterfoil',
              clientSecret: secret,
              scope: ['openid', 'offline_access'],
              secondFactor: [],
            },
          ],
          idleMinutes: 15,
          hours: 8,
        },
        embeds: [
          { source: 'demo', origins: [helpdesk.origin, strict.origin] },
          { source: 'second', origins: [chat.origin], context: 'chatwoot' },
        ],
      },
    });
    await test.server.listen({ host: '127.0.0.1', port });
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await test.stop();
    await Promise.all([helpdesk.close(), strict.close(), elsewhere.close(), chat.close()]);
    provider.stop();
  });
  beforeEach(async () => {
    if (!browser) return;
    faults.length = 0;
    // One stays: without a window this browser ends.
    await Promise.all(
      browser.context
        .pages()
        .slice(1)
        .map((page) => page.close()),
    );
    await browser.context.clearCookies();
    await browser.context.unrouteAll();
  });

  /** The page doesn't count it among its own: it is in the element's closed part. */
  const frameIn = async (page: Page): Promise<Frame> => {
    for (let tries = 0; tries < 300; tries += 1) {
      const frame = page.frames().find((each) => each !== page.mainFrame() && each.url() !== 'about:blank' && each.url() !== '');
      if (frame) return frame;
      await page.waitForTimeout(50);
    }
    throw new Error('there is no frame');
  };
  const open = async (site: Site, { context }: { readonly context: BrowserContext }) => {
    const page = await context.newPage();
    page.on('console', (message) => faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    await page.goto(site.origin);
    return { page, frame: await frameIn(page) };
  };
  const openWindow = async (page: Page, frame: Frame): Promise<Page> => {
    const [popup] = await Promise.all([
      page.context().waitForEvent('page'),
      frame.getByRole('button', { name: 'Sign in' }).click(),
    ]);
    return popup;
  };
  /** Types who they are, at the provider. */
  const signIn = async (popup: Page): Promise<void> => {
    await popup.fill('input[name=login]', 'ana');
    await popup.fill('input[name=password]', 'any');
    await popup.click('button[type=submit]');
    // The next page has such a button, too.
    await popup.locator('input[name=login]').waitFor({ state: 'detached' });
    await popup.click('button[type=submit]');
  };

  it('says so where a part of it can’t be loaded, and doesn’t go empty', async () => {
    if (!browser) return;
    await browser.context.route('**/console/sign-in-*.js', (route) => route.abort());
    const { page, frame } = await open(helpdesk, browser);
    await frame.getByRole('alert').getByText('This part of the page failed').waitFor();
    await page.close();
  });

  it('shows the ticket to who signed in by a window, that closes itself, and a second time without a word', async () => {
    if (!browser) return;
    const { page, frame } = await open(helpdesk, browser);
    const popup = await openWindow(page, frame);
    await signIn(popup);
    if (!popup.isClosed()) await popup.waitForEvent('close');
    await showsTicket(frame);
    // The page around it has the element, and nothing in it.
    expect(await page.locator('counterfoil-panel').innerHTML()).toBe('');
    expect(await page.evaluate('document.querySelector("counterfoil-panel").shadowRoot')).toBeNull();
    expect(await page.evaluate('document.cookie + JSON.stringify([{ ...localStorage }, { ...sessionStorage }])')).toBe('[{},{}]');
    // Whoever touches a frame uses the session; that the page around it made one doesn't keep it from being idle.
    const asked: { readonly path: string; readonly unattended: string | undefined }[] = [];
    const see = (request: Request) => {
      const { pathname } = new URL(request.url());
      const unattended = request.headers()['counterfoil-unattended'];
      if (request.method() === 'POST') asked.push({ path: pathname, unattended });
    };
    browser.context.on('request', see);
    const again = await open(helpdesk, browser);
    await showsTicket(again.frame);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter(({ unattended }) => unattended !== '1')).toEqual([]);
    // The frame's cookie is the frame's alone: kept apart for this site, of no use in the gateway's own windows.
    const cookies = await page.context().cookies();
    expect(cookies.find(({ name }) => name === '__Host-counterfoil-frame-demo')).toMatchObject({
      httpOnly: true,
      secure: true,
      sameSite: 'None',
      partitionKey: expect.stringContaining('helpdesk.localhost'),
    });
    asked.length = 0;
    await again.frame.getByRole('button', { name: 'Sign out of this frame' }).click();
    await again.frame.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(asked).toContainEqual({ path: '/frame/sign-out', unattended: undefined });
    browser.context.off('request', see);
    expect(faults.filter((each) => !/401/.test(each))).toEqual([]);
  }, 90_000);

  it('shows nothing any more once the browser’s session ended elsewhere', async () => {
    if (!browser) return;
    const { page, frame } = await open(helpdesk, browser);
    await signIn(await openWindow(page, frame));
    await showsTicket(frame);
    const top = (await page.context().cookies()).find(({ name }) => name === '__Host-counterfoil');
    await test.app.signIn?.sessions.signOut(top?.value as string);
    const again = await open(helpdesk, browser);
    await again.frame.getByRole('button', { name: 'Sign in' }).waitFor();
  }, 90_000);

  /** As a provider's page that cuts off whoever opened its window. */
  const cutting = (context: BrowserContext) =>
    context.route(`${provider.issuer}/**`, async (route) => {
      const response = await route.fetch({ maxRedirects: 0 });
      await route.fulfill({ response, headers: { ...response.headers(), 'cross-origin-opener-policy': 'same-origin' } });
    });

  it('goes on by what the window left with the browser, where the provider’s page cut it off and somebody grants that', async () => {
    if (!browser) return;
    await cutting(browser.context);
    const { page, frame } = await open(helpdesk, browser);
    const popup = await openWindow(page, frame);
    await signIn(popup);
    await popup.getByRole('button', { name: 'Let the ticket’s page use this' }).click();
    await popup.getByText('choose “Continue”').waitFor();
    await popup.close();
    await page.bringToFront();
    await frame.getByRole('button', { name: 'Continue' }).click();
    await showsTicket(frame);
  }, 90_000);

  it('leads to the ticket in the console where nobody grants that', async () => {
    if (!browser) return;
    await cutting(browser.context);
    const { page, frame } = await open(strict, browser);
    const popup = await openWindow(page, frame);
    await signIn(popup);
    await popup.getByRole('button', { name: 'Let the ticket’s page use this' }).click();
    await popup.getByText('choose “Continue”').waitFor();
    await popup.close();
    await page.bringToFront();
    await frame.getByRole('button', { name: 'Continue' }).click();
    await frame.locator('main[data-step=refused]').waitFor();
    const link = frame.getByRole('link', { name: 'Open the ticket in the console' });
    expect(await link.getAttribute('href')).toBe('/t/demo/1001');
    const [console] = await Promise.all([page.context().waitForEvent('page'), link.click()]);
    expect(new URL(console.url()).href).toBe(`${gateway}/t/demo/1001`);
    await console.close();
  }, 90_000);

  it('is shown in no page that isn’t the helpdesk’s', async () => {
    if (!browser) return;
    const { frame } = await open(elsewhere, browser);
    await frame.waitForLoadState().catch(() => undefined);
    expect(faults.join('\n')).toMatch(/frame-ancestors/);
    expect(frame.url()).toMatch(/^chrome-error:/);
  }, 60_000);

  it('says so where the browser keeps no cookie for a frame, whatever it is sent', async () => {
    if (!browser) return;
    const { page, frame } = await open(helpdesk, browser);
    // What is answered to a request without credentials sets no cookie (Fetch, 4.7).
    await frame.evaluate(
      `{ const usual = fetch; fetch = (url, init) => usual(url, url === '/frame/session' ? { ...init, credentials: 'omit' } : init); }`,
    );
    await signIn(await openWindow(page, frame));
    await frame.locator('main[data-step=refused]').waitFor();
    await frame.getByRole('link', { name: 'Open the ticket in the console' }).waitFor();
  }, 90_000);

  it('is for everybody, in each of its states, at 320 pixels too', async () => {
    if (!browser) return;
    await cutting(browser.context);
    const page = await browser.context.newPage();
    await page.goto(strict.origin);
    const show = async (path: string): Promise<Frame> => {
      await page.evaluate(
        `document.body.innerHTML = ''; frame = document.createElement('iframe'); frame.width = 320; frame.height = 600; frame.title = 'Counterfoil'; frame.src = ${JSON.stringify(`${gateway}${path}`)}; document.body.append(frame)`,
      );
      await page.waitForTimeout(300);
      return frameIn(page);
    };
    const out = await show('/embed/demo/1001');
    const popup = await openWindow(page, out);
    await expectAccessible(out);
    await signIn(popup);
    await popup.getByRole('button', { name: 'Let the ticket’s page use this' }).waitFor();
    await expectAccessible(popup);
    await popup.getByRole('button', { name: 'Let the ticket’s page use this' }).click();
    await popup.getByText('choose “Continue”').waitFor();
    await expectAccessible(popup);
    await popup.close();
    await out.locator('main[data-step=gone]').waitFor();
    await expectAccessible(out);
    await out.getByRole('button', { name: 'Continue' }).click();
    await out.locator('main[data-step=refused]').waitFor();
    await expectAccessible(out);
    const untaken = await show('/embed/demo/1001#context=nonsense');
    await untaken.locator('main[data-step=untaken]').waitFor();
    await expectAccessible(untaken);
    // What was behind the "#" is in no history.
    expect(await untaken.evaluate('location.href')).toBe(`${gateway}/embed/demo/1001`);
    // Where nobody looked at what was signed, that isn't called a refusal, and it is brought again.
    for (const [how, status] of [
      ['too many requests', 429],
      ['too much to do', 503],
      ['nothing there', null],
    ] as const) {
      const bring = `${gateway}/frame/contexts`;
      await browser.context.route(bring, (route) => (status === null ? route.abort() : route.fulfill({ status, body: '{}' })));
      const unreached = await show(`/embed/demo/1001#context=${how.replaceAll(' ', '-')}`);
      await unreached.getByText('wasn’t checked').waitFor();
      if (status === null) await expectAccessible(unreached);
      await browser.context.unroute(bring);
      await unreached.getByRole('button', { name: 'Try again' }).click();
      await unreached.locator('main[data-step=untaken]').waitFor();
    }
    const asking = await show('/embed/demo');
    await asking.getByLabel('Number of the ticket').fill('1001');
    await expectAccessible(asking);
    await asking.getByRole('button', { name: 'Show' }).click();
    await asking.getByRole('button', { name: 'Sign in' }).waitFor();
  }, 120_000);

  /** What Chatwoot tells a dashboard app, by its documentation: the whole conversation, who the customer is, and who looks at it. */
  const told = (id: unknown, event = 'appContext') =>
    JSON.stringify({
      event,
      data: {
        conversation: {
          id,
          status: 'open',
          meta: { sender: { email: 'customer@example.com' } },
          messages: [{ content: 'hello' }],
        },
        contact: { id: 5, email: 'customer@example.com', phone_number: '+4930123456' },
        currentAgent: { id: 1, name: 'Ana', email: 'ana@shop.example' },
      },
    });
  /** A page of Chatwoot's with the app in it, that answers with this when it is asked, if at all. */
  const openChat = async ({ context }: { readonly context: BrowserContext }, answer: string | null) => {
    const page = await context.newPage();
    await page.goto(chat.origin);
    await page.evaluate(
      `heard = []; addEventListener('message', ({ data, source }) => { heard.push(data); const answer = ${JSON.stringify(answer)}; if (data === 'chatwoot-dashboard-app:fetch-info' && answer !== null) source.postMessage(answer, '*'); });
       frame = document.createElement('iframe'); frame.title = 'Counterfoil'; frame.src = ${JSON.stringify(`${gateway}/embed/second`)}; document.body.append(frame); undefined`,
    );
    const frame = await frameIn(page);
    await frame.locator('main').waitFor();
    return { page, frame };
  };

  it('goes to the conversation that Chatwoot names when it is asked, and takes nothing else of what it says', async () => {
    if (!browser) return;
    const sent: string[] = [];
    const see = (request: Request) => sent.push(`${request.url()} ${request.postData()}`);
    browser.context.on('request', see);
    const { page, frame } = await openChat(browser, told(1001));
    await frame.waitForURL(`${gateway}/embed/second/1001`);
    await frame.getByRole('heading', { name: 'Ticket 1001' }).waitFor();
    await frame.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(await page.evaluate('heard')).toEqual(['chatwoot-dashboard-app:fetch-info']);
    const kept = await frame.evaluate<string>('document.documentElement.outerHTML + JSON.stringify([history.state, name])');
    expect(kept + sent.join('\n')).not.toMatch(/customer@|4930123456|ana@shop/);
    browser.context.off('request', see);
    // It is told once: a page that names another one later moves nobody who works here.
    await page.evaluate(`frame.contentWindow.postMessage(${JSON.stringify(told(1002))}, '*')`);
    await page.waitForTimeout(300);
    expect(frame.url()).toBe(`${gateway}/embed/second/1001`);
    await page.close();
  }, 90_000);

  it('hears of a conversation by the page around it alone, and nothing but a number', async () => {
    if (!browser) return;
    const { page, frame } = await openChat(browser, null);
    await frame.getByLabel('Number of the ticket').waitFor();
    // A page of another origin beside it, which finds the frame by going through its parent's.
    await page.evaluate(
      `beside = document.createElement('iframe'); beside.src = ${JSON.stringify(elsewhere.origin)}; document.body.append(beside); undefined`,
    );
    let other: Frame | undefined;
    while (!other) {
      await page.waitForTimeout(50);
      other = page.frames().find((each) => each.url().startsWith(elsewhere.origin));
    }
    await other.waitForLoadState();
    await other.evaluate(`parent.frames[0].postMessage(${JSON.stringify(told(6661))}, '*')`);
    // A window of another origin, and the frame's own one.
    const [window] = await Promise.all([
      page.context().waitForEvent('page'),
      page.evaluate(`{ open(${JSON.stringify(elsewhere.origin)}); }`),
    ]);
    await window.waitForLoadState();
    await window.evaluate(`opener.frames[0].postMessage(${JSON.stringify(told(6662))}, '*')`);
    await window.close();
    await frame.evaluate(`postMessage(${JSON.stringify(told(6663))}, '*')`);
    const hostile: readonly unknown[] = [
      told('1001/../../sign-in'),
      told('//evil.example'),
      told('javascript:alert(1)'),
      told(-1),
      told(0),
      told(1.5),
      told(1e30),
      told([1001]),
      told({ toString: '1001' }),
      told(null),
      told(1001, 'other'),
      told(1001).slice(0, -1),
      JSON.stringify({ event: 'appContext', data: { conversation: { id: 1001, padding: 'x'.repeat(1_100_000) } } }),
      '{"event":"appContext"}',
      'null',
      '[]',
      '['.repeat(100_000),
      JSON.parse(told(1001)),
      { counterfoilCode: 'AAAA' },
      1001,
      null,
    ];
    for (const data of hostile) await page.evaluate(`frame.contentWindow.postMessage(${JSON.stringify(data)}, '*')`);
    await page.waitForTimeout(300);
    expect(frame.url()).toBe(`${gateway}/embed/second`);
    // It was listening all the while.
    await page.evaluate(`frame.contentWindow.postMessage(${JSON.stringify(told('1001'))}, '*')`);
    await frame.waitForURL(`${gateway}/embed/second/1001`);
    await page.close();
  }, 90_000);

  it('stays where its reader said themselves which ticket it is', async () => {
    if (!browser) return;
    const { page, frame } = await openChat(browser, null);
    await frame.getByLabel('Number of the ticket').fill('1003');
    await frame.getByRole('button', { name: 'Show' }).click();
    await frame.getByRole('heading', { name: 'Ticket 1003' }).waitFor();
    await page.evaluate(`frame.contentWindow.postMessage(${JSON.stringify(told(1001))}, '*')`);
    await page.waitForTimeout(300);
    await frame.getByRole('heading', { name: 'Ticket 1003' }).waitFor();
    expect(frame.url()).toBe(`${gateway}/embed/second`);
    await page.close();
  }, 60_000);

  it('hears no page around it, and a window that such a page opens tells it nothing', async () => {
    if (!browser) return;
    const page = await browser.context.newPage();
    await page.goto(helpdesk.origin);
    // A frame that the page made itself, so that it has a hold of it.
    await page.evaluate(
      `document.body.innerHTML = ''; frame = document.createElement('iframe'); frame.src = ${JSON.stringify(`${gateway}/embed/demo/1001`)}; document.body.append(frame)`,
    );
    await page.waitForTimeout(200);
    const frame = await frameIn(page);
    const redeemed: string[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/frame/session')) redeemed.push(request.url());
    });
    const popup = await openWindow(page, frame);
    // One that is closed on its way begins its sign-in all the same, maybe after the next one has.
    await popup.locator('input[name=login]').waitFor();
    await page.evaluate('frame.contentWindow.postMessage({ counterfoilCode: "AAAA" }, "*")');
    await frame.evaluate('postMessage({ counterfoilCode: "AAAA" }, "*")');
    // Whoever is sent to the provider last is who comes back.
    await popup.locator('input[name=login]').waitFor();
    await popup.close();
    await frame.getByText('The other window was closed').waitFor();
    expect(redeemed).toEqual([]);
    // Somebody signed in, and the page opens the window with a challenge of its own.
    const next = await openWindow(page, frame);
    await signIn(next);
    await showsTicket(frame);
    const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
    const url = `${gateway}/frame/sign-in?source=demo&challenge=${challenge}`;
    await page.evaluate('heard = []; addEventListener("message", ({ data }) => heard.push(data)); undefined');
    const [theirs] = await Promise.all([page.context().waitForEvent('page'), page.evaluate(`{ open(${JSON.stringify(url)}); }`)]);
    await theirs.getByText('You are signed in').waitFor();
    expect(await page.evaluate('heard')).toEqual([]);
    await theirs.close();
  }, 90_000);
});
