import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { median } from './load';
import { say, whole } from './preparation';

const usage = `npm run bench:console -- [options]

What a browser loads for each screen of the console, compressed with gzip; and from going to the address of ticket 1001 to its payments standing
on the screen, as its agent: cold, with nothing kept, the processor four times as slow, 10 Mbit/s and 40 ms to the gateway and back; and warm, the same page
loaded again as it is. The gateway and the identity provider are those of "npm start", on this machine.

  --rounds N   of each, of which the median counts (9)
  --size S     of the demo merchant; 1 is that of "npm start" (0.2)
  --json       ends with one line of JSON
  --help`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    size: { type: 'string', default: '0.2' },
    json: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

const built = join(__dirname, '..', 'console');
const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** What `scripts/console.mjs` writes beside the files. */
interface Loads {
  readonly pages: Readonly<Record<string, readonly string[]>>;
  readonly screens: Readonly<Record<string, readonly string[]>>;
}

/** Kilobytes, of 1,000 bytes, on their way. */
const sizeOf = (files: readonly string[]): number =>
  files.reduce((sum, name) => sum + statSync(join(built, `${name}.gz`)).size, 0) / 1_000;

const sizes = (): Readonly<Record<string, number>> => {
  const { pages, screens } = JSON.parse(readFileSync(join(built, 'loads.json'), 'utf8')) as Loads;
  return Object.fromEntries(Object.entries({ ...pages, ...screens }).map(([name, files]) => [name, sizeOf(files)]));
};

interface Gateway {
  readonly address: string;
  readonly stop: () => Promise<void>;
}

/** The built gateway, in development mode, with a data folder of its own. */
const startGateway = async (size: string): Promise<Gateway> => {
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-bench-console-'));
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [join(__dirname, '..', 'src', 'main.js')], {
    cwd: folder,
    env: {
      PATH,
      HOME,
      PORT: '0',
      DATA_DIR: join(folder, 'data'),
      DEMO_SIZE: size,
      POLICY_FILE: resolve('schema/exposure.yaml'),
      RULES_FILE: resolve('schema/rules.yaml'),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  let said = '';
  const address = await new Promise<string>((found, failed) => {
    child.once('exit', () => failed(new Error(`the gateway ended: ${said}`)));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const at = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
      if (at && said.includes('Started in')) found(at[0]);
    });
  });
  return { address, stop };
};

const path = '/t/demo/1001';
const rows = 'section[aria-labelledby="panel-payments"] details';

/** Signs in once, as the demo provider's pages want it. Returns the browser's cookies. */
const signIn = async (browser: Browser, address: string) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${address}/sign-in?${new URLSearchParams({ return: '/tickets' })}`);
  await page.getByRole('button', { name: /^ana / }).click();
  await page.getByLabel('Code').fill((await page.locator('#current').textContent()) ?? '');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL(`${address}/tickets`);
  const state = await context.storageState();
  await context.close();
  return state;
};

/** Runs in the page, before anything of it: notes when the first row was put there, in milliseconds since it was gone to. */
const watch = (selector: string): void => {
  // biome-ignore lint/suspicious/noExplicitAny: runs in the browser
  const here = globalThis as any;
  here.shownAt = new Promise((done) => {
    const look = () => {
      if (here.document.querySelector(selector) === null) return;
      observer.disconnect();
      // What was put there is drawn with the next frame.
      here.requestAnimationFrame(() => done(here.performance.now()));
    };
    const observer = new here.MutationObserver(look);
    observer.observe(here.document, { childList: true, subtree: true });
  });
};

const shownIn = (page: Page): Promise<number> =>
  // biome-ignore lint/suspicious/noExplicitAny: runs in the browser
  page.evaluate(() => (globalThis as any).shownAt as Promise<number>);

const slowDown = async (context: BrowserContext, page: Page): Promise<void> => {
  const tools = await context.newCDPSession(page);
  await tools.send('Network.enable');
  const bytesPerSecond = 10_000_000 / 8;
  await tools.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 40,
    downloadThroughput: bytesPerSecond,
    uploadThroughput: bytesPerSecond,
  });
  await tools.send('Emulation.setCPUThrottlingRate', { rate: 4 });
};

const measure = async (browser: Browser, address: string, rounds: number) => {
  const storageState = await signIn(browser, address);
  const cold: number[] = [];
  const warm: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const slow = await browser.newContext({ storageState });
    const first = await slow.newPage();
    await first.addInitScript(watch, rows);
    await slowDown(slow, first);
    await first.goto(`${address}${path}`);
    const coldOne = await shownIn(first);
    await slow.close();
    const kept = await browser.newContext({ storageState });
    const again = await kept.newPage();
    await again.addInitScript(watch, rows);
    await again.goto(`${address}${path}`);
    await shownIn(again);
    await again.reload();
    const warmOne = await shownIn(again);
    await kept.close();
    // The first of each is the gateway's first, too.
    if (round === 0) continue;
    cold.push(coldOne);
    warm.push(warmOne);
    say(`round ${round}: cold ${Math.round(coldOne)} ms, warm ${Math.round(warmOne)} ms`);
  }
  return { cold: median(cold), warm: median(warm) };
};

const run = async (): Promise<void> => {
  const rounds = whole(values.rounds, 'rounds', 1);
  const executablePath = process.env.CHROMIUM ?? places.find((place) => existsSync(place));
  if (executablePath === undefined) throw new Error('there is no chromium on this machine (Debian: apt-get install chromium)');
  const kilobytes = sizes();
  for (const [name, size] of Object.entries(kilobytes))
    process.stdout.write(`${name.padEnd(44)} ${size.toFixed(1).padStart(6)} kB\n`);
  const gateway = await startGateway(values.size);
  try {
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    try {
      const milliseconds = await measure(browser, gateway.address, rounds);
      process.stdout.write(`cold ${Math.round(milliseconds.cold)} ms, warm ${Math.round(milliseconds.warm)} ms\n`);
      if (values.json) process.stdout.write(`${JSON.stringify({ kilobytes, milliseconds })}\n`);
    } finally {
      await browser.close();
    }
  } finally {
    await gateway.stop();
  }
};

if (values.help) process.stdout.write(`${usage}\n`);
else
  run().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
