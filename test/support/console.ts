import { mkdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Frame, Page } from 'playwright-core';
import { TestApp, type TestAppOptions } from './app';
import { verifierFolder } from './both-verifiers';
import { builtConsole } from './built-console';
import { launchChromium } from './chromium';
import { engine } from './database';
import { expectReadableEverywhere } from './readable';
import { cookiesOf } from './signed-in';

/** Pictures of what is shown are put here, where it is set. */
const pictures = process.env.SCREENSHOTS;

/** What browsers are made to look through, and what of that is in each picture's name. */
const looks: Readonly<Record<string, BrowserContextOptions>> = {
  light: { viewport: { width: 1280, height: 800 } },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  narrow: { viewport: { width: 320, height: 640 } },
  german: { viewport: { width: 1280, height: 800 }, locale: 'de-DE' },
};

/**
 * What a page does every so often it does sooner in a test, which waits for it: intervals from so many milliseconds on, divided by so much. Where a
 * test has the page's clock in its hand it moves that instead.
 */
const shortened = { from: 10_000, by: 10 };

/** A fault that a page told of: its console, an error that nobody caught, or what its Content-Security-Policy kept it from. */
interface Told {
  readonly page: string;
  readonly what: string;
}

/** An answer of the gateway that isn't 2xx, which the page has to say in words: it is no fault of the page's. */
const isAnswer = (text: string): boolean => text.startsWith('Failed to load resource:');

/**
 * The gateway with its console, the demo people's identity provider and a browser, all at once and all real: `newPage`, `signInAs`, and then what
 * somebody would do. Each page is watched: `expectNothingWrong` throws what it told of, and where it went but to the gateway and its own sites.
 */
export class ConsoleApp {
  private readonly told: Told[] = [];

  private constructor(
    readonly app: TestApp,
    readonly browser: Browser,
    /** `http://127.0.0.1:40123`, as `npm start` prints it. */
    readonly address: string,
  ) {}

  /** Null where there is no browser on this machine: then nothing of it is tried, and that is said. */
  static async start(options: TestAppOptions = {}): Promise<ConsoleApp | null> {
    const browser = await launchChromium();
    if (browser === null) return null;
    const app = await TestApp.start({ isNow: true, consoleFolder: builtConsole(), verifierFolder: verifierFolder(), ...options });
    await app.server.listen({ host: '127.0.0.1', port: 0 });
    const address = `http://127.0.0.1:${(app.server.server.address() as AddressInfo).port}`;
    app.app.listensAt(address);
    return new ConsoleApp(app, browser, address);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.app.stop();
  }

  /** A page in a browser of its own: without a cookie, in English, as wide as a desk's screen unless told otherwise. */
  async newPage(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ locale: 'en-GB', ...looks.light, ...options });
    const note = (page: string, what: string) => this.told.push({ page, what });
    await context.exposeBinding('noteViolation', ({ page }, what: string) =>
      note(page.url(), `kept from by its policy: ${what}`),
    );
    await context.addInitScript((shortened) => {
      // biome-ignore lint/suspicious/noExplicitAny: runs in the browser, where this is what the binding is called
      const here = globalThis as any;
      const { setInterval } = here;
      here.setInterval = (work: () => void, delay = 0, ...rest: unknown[]) =>
        setInterval(work, delay < shortened.from ? delay : delay / shortened.by, ...rest);
      here.document.addEventListener(
        'securitypolicyviolation',
        ({ effectiveDirective, blockedURI, sourceFile, sample }: Record<string, string>) =>
          here.noteViolation([effectiveDirective, blockedURI, sourceFile, sample].join(' ')),
      );
    }, shortened);
    context.on('console', (message) => {
      if (['error', 'warning'].includes(message.type()) && !isAnswer(message.text()))
        note(message.page()?.url() ?? '', `${message.type()}: ${message.text()}`);
    });
    context.on('weberror', (error) => note(error.page()?.url() ?? '', `uncaught: ${error.error().message}`));
    const page = await context.newPage();
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol) && !['127.0.0.1', 'localhost'].includes(url.hostname))
        note(page.url(), `asked another machine: ${url.origin}`);
    });
    page.setDefaultTimeout(60_000);
    return page;
  }

  /**
   * Goes to a path of the gateway as one of the demo people who has just signed in, with a second factor unless told otherwise. Whoever was signed in
   * in this browser isn't any more. The provider's pages aren't shown: `signInByHand` is for who is there because of them.
   */
  async signInAs(
    page: Page,
    user: string,
    { secondFactor = true, path = '/' }: { readonly secondFactor?: boolean; readonly path?: string } = {},
  ): Promise<void> {
    await page.context().clearCookies();
    await page.context().addCookies(await cookiesOf(this.address, user, secondFactor));
    await page.goto(`${this.address}${path}`);
  }

  /** The same as somebody does it, on the pages of the provider. */
  async signInByHand(
    page: Page,
    user: string,
    { secondFactor = true, path = '/' }: { readonly secondFactor?: boolean; readonly path?: string } = {},
  ): Promise<void> {
    await page.context().clearCookies();
    await page.goto(`${this.address}/sign-in?${new URLSearchParams({ return: path })}`);
    await this.choosePerson(page, user, secondFactor);
    await page.waitForURL(`${this.address}${path}`);
  }

  /** On the provider's page: somebody, with or without a second factor. */
  async choosePerson(page: Page, user: string, secondFactor = true): Promise<void> {
    await page.getByRole('button', { name: new RegExp(`^${user} `) }).click();
    if (secondFactor) await this.enterCode(page);
    else await page.getByRole('button', { name: 'Without a second factor' }).click();
  }

  /** On the provider's page that asks for the second factor, where a step up leads to too: the code that it shows. */
  async enterCode(page: Page): Promise<void> {
    await page.getByLabel('Code').fill((await page.locator('#current').textContent()) as string);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  }

  /** What pages told of since it was asked last. */
  faults(): readonly string[] {
    return this.told.splice(0).map(({ page, what }) => `${new URL(page, this.address).pathname}: ${what}`);
  }

  /** For `afterEach`: throws what pages told of. */
  expectNothingWrong(): void {
    expect(this.faults()).toEqual([]);
  }
}

/** Runs in the page whatever its policy says, as a developer's tools do. */
const withTools = async <T>(
  page: Page | Frame,
  work: (evaluate: (expression: string) => Promise<unknown>) => Promise<T>,
): Promise<T> => {
  const context = 'context' in page ? page.context() : page.page().context();
  const tools = await context.newCDPSession(page);
  try {
    return await work(async (expression) => {
      const { result, exceptionDetails } = await tools.send('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
        allowUnsafeEvalBlockedByCSP: true,
      });
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value as unknown;
    });
  } finally {
    await tools.detach();
  }
};

/** The smaller of its two builds, which is as much to read for a browser in each document. */
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** As `expectAccessible`, in the window, colours and motion that the page has just now. */
const expectNoViolation = async (page: Page | Frame): Promise<void> => {
  // A change of colour that is under way is neither of the two.
  await page.waitForFunction('document.getAnimations().every((each) => each.playState !== "running")');
  const seen = await withTools(page, async (evaluate) => {
    if (!(await evaluate('"axe" in globalThis'))) await evaluate(`${axe}; undefined`);
    return evaluate(
      `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations'] })
        .then(({ violations }) => ({
          found: violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html + ' ' + failureSummary).join('; ')),
          overflow: Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth),
        }))`,
    );
  });
  expect(seen).toEqual({ found: [], overflow: 0 });
};

/**
 * That nothing is in the way of whoever sees, hears or points otherwise, as far as a program can tell (axe-core: all rules up to WCAG 2.2 AA and
 * best practices), and that no line runs out of the window to the side (WCAG 2.2, 1.4.10). A page is looked at in a small window, in forced colours
 * and without motion, too; a frame of another site is a page of its own, whose window isn't in our hand.
 */
export const expectAccessible = async (page: Page | Frame): Promise<void> => {
  await expectNoViolation(page);
  if ('context' in page) await expectReadableEverywhere(page);
};

/** The frame of a panel, which the page around it keeps closed to itself. */
export const frameOf = async (page: Page): Promise<Frame> => {
  for (;;) {
    const found = page.frames().find((frame) => frame.url().includes('/embed/'));
    if (found) return found;
    await page.waitForTimeout(50);
  }
};

/** Where the keyboard is: role and name as assistive technology has them, such as `button "Approve"`. */
export const focused = async (page: Page): Promise<string> => {
  const [role, name] = (await page.evaluate(() => {
    // biome-ignore lint/suspicious/noExplicitAny: runs in the browser
    const { document } = globalThis as any;
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    const label = at?.getAttribute('aria-label') ?? at?.labels?.[0]?.textContent ?? at?.textContent ?? '';
    return [at?.getAttribute('role') ?? at?.localName ?? '', label.replace(/\s+/g, ' ').trim()];
  })) as [string, string];
  return `${role} "${name}"`;
};

/** Waits until the keyboard is at what is named so: it is led there once what was done has an effect. */
export const expectFocus = async (page: Page, name: string): Promise<void> => {
  for (let left = 50; left > 0 && !(await focused(page)).includes(name); left -= 1) await page.waitForTimeout(100);
  expect(await focused(page)).toContain(name);
};

/**
 * Presses Tab until the keyboard is at what is named so, and returns what it passed. Throws where it isn't reached, and where what has the
 * keyboard can't be told (WCAG 2.2, 2.4.7).
 */
export const tabTo = async (page: Page, name: RegExp | string, { most = 80, back = false } = {}): Promise<readonly string[]> => {
  const passed: string[] = [];
  const isThere = (where: string) => (typeof name === 'string' ? where.endsWith(`"${name}"`) : name.test(where));
  for (let step = 0; step < most; step += 1) {
    await page.keyboard.press(back ? 'Shift+Tab' : 'Tab');
    const where = await focused(page);
    if (!where.startsWith('body ')) await expectFocusShown(page);
    if (isThere(where)) return passed;
    passed.push(where);
  }
  throw new Error(`Tab does not lead to ${name}; it leads to:\n${passed.join('\n')}`);
};

const expectFocusShown = async (page: Page): Promise<void> => {
  const shown = await page.evaluate(() => {
    // biome-ignore lint/suspicious/noExplicitAny: runs in the browser
    const { document, getComputedStyle } = globalThis as any;
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
    return (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none';
  });
  expect({ at: await focused(page), shown }).toEqual({ at: expect.any(String), shown: true });
};

/** How a page looks doesn't go by the database: on the second one it is looked at once, and made use of all the same. */
const looksHere = engine === 'mariadb' ? ['light'] : Object.keys(looks);

/**
 * Looks at what is shown in light and dark, at 320 CSS pixels and in German: each is held against `expectAccessible`, and a picture of it put into
 * the folder that SCREENSHOTS names, where it does. The page is brought to what is looked at by `show`, in a browser with its cookies.
 */
export const screenshots = async (
  desk: ConsoleApp,
  page: Page,
  name: string,
  show: (page: Page, look: string) => Promise<void>,
  only: readonly string[] = looksHere,
): Promise<void> => {
  const cookies = await page.context().cookies();
  for (const look of only) {
    const copy = await desk.newPage(looks[look]);
    try {
      await copy.context().addCookies(cookies);
      await copy.goto(page.url());
      await show(copy, look);
      await expectNoViolation(copy);
      // The longer words of the two languages.
      if (look === 'german') await expectReadableEverywhere(copy);
      if (pictures === undefined) continue;
      mkdirSync(pictures, { recursive: true });
      await copy.screenshot({ path: join(pictures, `${name} ${look}.png`), fullPage: true });
    } finally {
      await copy.context().close();
    }
  }
};
