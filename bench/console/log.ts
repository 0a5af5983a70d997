import 'reflect-metadata';
import pino from 'pino';
import type { Browser } from 'playwright-core';
import { loadConfig } from '../../src/config/load';
import { openStorage } from '../../src/storage';
import { signIn } from './gateway';

/** Events of one transaction. */
const group = 500;

const idOf = (prefix: string, number: number): string => `${prefix}_01K4ZJ${String(number).padStart(20, '0')}`;

/** Appends refusals of thirty agents to the log of a gateway that was started with this environment and isn't running, as a gateway does. */
export const appendEvents = async (environment: Readonly<Record<string, string>>, total: number): Promise<void> => {
  const { database } = await openStorage({ config: loadConfig(environment), log: pino({ level: 'silent' }) });
  try {
    for (let done = 0; done < total; done += group)
      await database.system('recorder', 'denial', async (change) => {
        for (let number = done; number < Math.min(total, done + group); number += 1)
          change.recordFor({ id: idOf('act', number % 30), kind: 'staff', roles: ['AGENT'] }, 'denial', {
            ticketId: idOf('tkt', number),
            detail: { rule: 'assistance.begin', reason: 'NO_ASSISTANCE', count: 1 },
          });
      });
  } finally {
    await database.close();
  }
};

export interface Scrolled {
  readonly events: number;
  /** Milliseconds of the longest task of the page, 0 where none took 50 (Long Tasks API). */
  readonly longestTask: number;
  readonly tasksOver50: number;
  /** The most rows that were in the document. */
  readonly rows: number;
  readonly seconds: number;
}

/** Runs in the page: scrolls a window's height a frame, to the end of the log, to its beginning, and to places far from each other. */
const scrollThrough = async (): Promise<Omit<Scrolled, 'seconds'>> => {
  // biome-ignore lint/suspicious/noExplicitAny: runs in the browser
  const here = globalThis as any;
  const { document } = here;
  const tasks: number[] = [];
  new here.PerformanceObserver((list: { getEntries(): readonly { readonly duration: number }[] }) => {
    for (const { duration } of list.getEntries()) tasks.push(duration);
  }).observe({ entryTypes: ['longtask'] });
  const drawn = () => new Promise<void>((done) => here.requestAnimationFrame(() => done()));
  const table = document.querySelector('table.events');
  let rows = 0;
  const seen = async () => {
    await drawn();
    rows = Math.max(rows, table.rows.length);
  };
  const total = Number(table.getAttribute('aria-rowcount')) - 1;
  const status = document.querySelector('.actions p[role=status]');
  const shown = () => Number(/^[\d,]+/.exec(status.textContent)?.[0].replaceAll(',', ''));
  const end = () => document.documentElement.scrollHeight - here.innerHeight;
  while (shown() < total || here.scrollY < end() - 1) {
    here.scrollBy(0, here.innerHeight);
    await seen();
  }
  while (here.scrollY > 0) {
    // Faster than anybody, as by the bar at the side.
    here.scrollBy(0, -10 * here.innerHeight);
    await seen();
  }
  for (let place = 1; place <= 50; place += 1) {
    here.scrollTo(0, end() * ((place * 0.618) % 1));
    await seen();
  }
  await drawn();
  return { events: shown(), longestTask: Math.max(0, ...tasks), tasksOver50: tasks.length, rows };
};

/** Scrolls through the log as an auditor, the processor as it is. Throws where it doesn't get so long within ten minutes. */
export const scrollLog = async (browser: Browser, address: string, total: number): Promise<Scrolled> => {
  const context = await browser.newContext({ storageState: await signIn(browser, address, 'ada', '/log') });
  const page = await context.newPage();
  const path = `${address}/log?${new URLSearchParams({ action: 'denial' })}`;
  const table = page.locator('table.events');
  // They have their places in the log a while after they were appended.
  for (let tries = 0; ; tries += 1) {
    await page.goto(path);
    await table.waitFor();
    if (Number(await table.getAttribute('aria-rowcount')) > total) break;
    if (tries >= 120) throw new Error(`the log didn't get its ${total} events`);
    await page.waitForTimeout(1_000);
  }
  const since = performance.now();
  const deadline = new Promise<never>((_, failed) => setTimeout(failed, 600_000, new Error('the log has no end')).unref());
  const scrolled = await Promise.race([page.evaluate(scrollThrough), deadline]);
  await context.close();
  return { ...scrolled, seconds: (performance.now() - since) / 1_000 };
};
