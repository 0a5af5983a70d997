import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { environmentOf, signIn, startGateway } from './console/gateway';
import { appendEvents, scrollLog } from './console/log';
import { median } from './load';
import { say, whole } from './preparation';

const usage = `npm run bench:console -- [options]

What a browser loads for each screen of the console, compressed with gzip; and from going to the address of ticket 1001 to its payments standing
on the screen, as its agent: cold, with nothing kept, the processor four times as slow, 10 Mbit/s and 40 ms to the gateway and back; and warm, the same page
loaded again as it is. Then an auditor scrolls through a long log, from end to end and here and there, and the longest task of the page counts (Long
Tasks API). The gateway and the identity provider are those of "npm start", on this machine.

  --rounds N   of each, of which the median counts (9)
  --size S     of the demo merchant; 1 is that of "npm start" (0.2)
  --events N   of the log that is scrolled; 0 for none (50000)
  --json       ends with one line of JSON
  --help`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    size: { type: 'string', default: '0.2' },
    events: { type: 'string', default: '50000' },
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

const path = '/t/demo/1001';
const rows = 'section[aria-labelledby="panel-payments"] details';

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
  const storageState = await signIn(browser, address, 'ana', '/tickets');
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

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

const withGateway = async <T>(folder: string, work: (address: string) => Promise<T>): Promise<T> => {
  const gateway = await startGateway(folder, values.size);
  try {
    return await work(gateway.address);
  } finally {
    await gateway.stop();
  }
};

const run = async (): Promise<void> => {
  const rounds = whole(values.rounds, 'rounds', 1);
  const events = whole(values.events, 'events', 0);
  const executablePath = process.env.CHROMIUM ?? places.find((place) => existsSync(place));
  if (executablePath === undefined) throw new Error('there is no chromium on this machine (Debian: apt-get install chromium)');
  const kilobytes = sizes();
  for (const [name, size] of Object.entries(kilobytes))
    process.stdout.write(`${name.padEnd(44)} ${size.toFixed(1).padStart(6)} kB\n`);
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-bench-console-'));
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const milliseconds = await withGateway(folder, (address) => measure(browser, address, rounds));
    process.stdout.write(`cold ${number.format(milliseconds.cold)} ms, warm ${number.format(milliseconds.warm)} ms\n`);
    if (events > 0) await appendEvents(environmentOf(folder, values.size), events);
    const scrolled = events > 0 ? await withGateway(folder, (address) => scrollLog(browser, address, events)) : null;
    if (scrolled !== null) {
      const { events: shown, longestTask, tasksOver50, rows, seconds } = scrolled;
      process.stdout.write(
        `${number.format(shown)} events scrolled in ${number.format(seconds)} s, at most ${rows} rows at a time: ${tasksOver50} tasks over 50 ms, the longest ${number.format(longestTask)} ms\n`,
      );
    }
    if (values.json) process.stdout.write(`${JSON.stringify({ kilobytes, milliseconds, scrolled })}\n`);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

if (values.help) process.stdout.write(`${usage}\n`);
else
  run().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
