import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { manifestOf } from '../../src/audit/export-format';
import { verifierFolder } from '../support/both-verifiers';
import { launchChromium } from '../support/chromium';
import { SmallLog } from '../support/small-log';

const canary = 'kim@people.example';
const log = new SmallLog(12);
const files = mkdtempSync(join(tmpdir(), 'exports-'));
const file = (name: string, content: string | Buffer): string => {
  writeFileSync(join(files, name), content);
  return join(files, name);
};

describe('the verifier’s page, opened from disk', () => {
  let browser: Browser | null = null;
  let address: string;
  beforeAll(async () => {
    address = pathToFileURL(join(verifierFolder(), 'counterfoil-verify.html')).href;
    browser = await launchChromium();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
  });

  /** The page, what it asked the network for, and what it was refused. */
  const open = async (options: BrowserContextOptions = {}) => {
    const context = await (browser as Browser).newContext({ offline: true, ...options });
    const page = await context.newPage();
    const asked: string[] = [];
    const faults: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    await page.goto(address);
    return { page, asked, faults, close: () => context.close() };
  };
  const verify = async (page: Page, chosen: string | readonly string[], key = log.key, since = '', isStrict = false) => {
    await page.getByLabel('Export', { exact: true }).setInputFiles(typeof chosen === 'string' ? chosen : [...chosen]);
    await page.getByLabel('Public key of the log').fill(key);
    await page.getByLabel('A checkpoint that you kept').fill(since);
    await page.getByRole('checkbox').setChecked(isStrict);
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.locator('#result:not([hidden])').waitFor();
    return page.getByRole('region', { name: 'Verdict' }).innerText();
  };

  it('says what an export shows, what is wrong with it and where, and asks nobody', async () => {
    if (!browser) return;
    const { page, asked, faults, close } = await open();
    const good = await verify(page, file('log.ndjson', log.export([3], 'some')), log.key, log.checkpoint(5), true);
    expect(good).toMatch(/^Nothing is wrong with it/);
    expect(good).toMatch(/complete to CHECKPOINT 12 /);
    expect(good).toMatch(/1 withheld/);
    expect(good).toMatch(/continues the checkpoint you kept, of 5 leaves/);
    expect(good).toMatch(/UNANCHORED/);
    // Of this browser, which has Ed25519.
    expect(good).toMatch(/2 signatures were also checked by this browser’s WebCrypto, which agrees/);
    const altered = log.export().toString('utf8').replace('ALLOWED', 'DENIED');
    const bad = await verify(page, file('altered.ndjson', altered));
    expect(bad).toMatch(/^Not verified/);
    expect(bad).toMatch(/altered\.ndjson:2, leaf 0: the leaf’s bytes don’t have the hash beside them/);
    const rewritten = await verify(page, file('rewritten.ndjson', log.with(2).export()), log.key, log.checkpoint(5));
    expect(rewritten).toMatch(/Two histories were signed with the same key/);
    const notOne = await verify(page, file('other.ndjson', `<img src=x onerror=alert(1)> ${canary}\n`));
    expect(notOne).toMatch(/^Not verified/);
    expect(notOne).not.toContain(canary);
    expect(asked.filter((url) => url !== address && !/^(?:blob|data):/.test(url))).toEqual([]);
    expect(faults).toEqual([]);
    await close();
  });

  it('says what is missing before it looks', async () => {
    if (!browser) return;
    const { page, close } = await open();
    await page.getByRole('button', { name: 'Verify' }).click();
    expect(await page.locator('#result').innerText()).toMatch(/Choose an export first/);
    const name = file('log.ndjson', log.export());
    expect(await verify(page, name, '')).toMatch(/Nothing was verified[\s\S]*public key/);
    expect(await verify(page, name, `${log.key.slice(0, -4)}AAAA`)).toMatch(/Nothing was verified[\s\S]*hash of this key/);
    const [csv, manifest] = [file('log.csv', log.csv()), file(manifestOf('log.csv'), log.export())];
    expect(await verify(page, csv)).toMatch(/manifest/);
    expect(await verify(page, [csv, manifest])).toMatch(/^Nothing is wrong with it/);
    const edited = file('edited.csv', log.csv().toString('utf8').replace('ALLOWED', 'DENIED'));
    expect(await verify(page, [edited, manifest])).toMatch(/edited\.csv:2, leaf 0: the row isn’t what its leaf says/);
    await close();
  });

  it('shows what another’s file says as text', async () => {
    if (!browser) return;
    const { page, faults, close } = await open();
    const name = file('hostile.ndjson', log.export([1], '<b>bold</b><script>alert(1)</script>\u202eevil'));
    const told = await verify(page, name);
    expect(told).toContain('<b>bold</b><script>alert(1)</script>\ufffdevil');
    expect(await page.locator('#result b, #result script').count()).toBe(0);
    await page.getByText('As JSON').click();
    const json = await page.locator('#result pre').innerText();
    expect(json).toContain('alert(1)</script>\\u202eevil');
    expect(json.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
    expect(faults).toEqual([]);
    await close();
  });

  it('keeps no verdict beside what it isn’t of, and names what it is of', async () => {
    if (!browser) return;
    const { page, close } = await open();
    const [one, other] = [file('one.ndjson', log.export()), file('other.ndjson', log.export([2], 'some'))];
    const verdict = page.locator('#result');
    const told = await verify(page, one, log.key, log.checkpoint(5));
    expect(told).toMatch(/verified: one\.ndjson \([\d,]+ bytes\)/);
    expect(told).toContain(`by the public key of the log: ${log.key.slice(0, log.key.indexOf('+', log.key.indexOf('+') + 1))}`);
    expect(told).toMatch(/against the checkpoint that you kept/);
    for (const change of [
      () => page.getByLabel('Public key of the log').fill('another'),
      () => page.getByLabel('A checkpoint that you kept').fill('another'),
      () => page.getByLabel('Public keys of witnesses').fill(' '),
      () => page.getByRole('checkbox').check(),
      () => page.getByLabel('Export', { exact: true }).setInputFiles(other),
    ]) {
      await verify(page, one);
      expect(await verdict.isVisible()).toBe(true);
      await change();
      expect(await verdict.isVisible()).toBe(false);
    }
    await close();
  });

  it('stops verifying what is no longer chosen', async () => {
    if (!browser) return;
    const { page, close } = await open();
    const lines = log.export().toString('utf8').split('\n');
    // Long enough to be read for a while, and not ended.
    const long = file(
      'long.ndjson',
      `${lines[0]}\n${lines[1]?.replace('"detail":{', `"detail":{"a":"${'x'.repeat(60_000_000)}",`)}`,
    );
    await page.getByLabel('Export', { exact: true }).setInputFiles(long);
    await page.getByLabel('Public key of the log').fill(log.key);
    // In one turn of the page's events, so that no verdict can come between.
    await page.evaluate(
      `document.getElementById('start').click(); document.getElementById('keys').dispatchEvent(new Event('input', { bubbles: true }))`,
    );
    expect(await page.getByRole('button', { name: 'Verify' }).isEnabled()).toBe(true);
    expect(page.workers()).toEqual([]);
    expect(await verify(page, file('next.ndjson', log.export()))).toMatch(/verified: next\.ndjson/);
    await close();
  });

  it('takes an export that is dropped on it, and is used by keyboard alone', async () => {
    if (!browser) return;
    const { page, close } = await open();
    const text = log.export().toString('utf8');
    const transfer = await page.evaluateHandle(
      `const made = new DataTransfer(); made.items.add(new File([${JSON.stringify(text)}], 'dropped.ndjson')); made`,
    );
    await page.dispatchEvent('#drop', 'drop', { dataTransfer: transfer });
    expect(await page.locator('#chosen').innerText()).toMatch(/dropped\.ndjson/);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.insertText(log.key);
    for (let n = 0; n < 4; n += 1) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('#result[data-state="good"]').waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Nothing is wrong with it');
    await close();
  });

  it.each([
    ['light', {}],
    ['dark', { colorScheme: 'dark' }],
    ['of 320 pixels', { viewport: { width: 320, height: 700 } }],
    ['in forced colours', { forcedColors: 'active' }],
  ] as const)('has nothing that axe objects to, and no line that runs out of it, %s', async (_, options) => {
    if (!browser) return;
    // The page lets no other script in; axe is one.
    const { page, close } = await open({ ...options, bypassCSP: true });
    const rewritten = file('rewritten.ndjson', log.with(2).export());
    for (const since of ['', log.checkpoint(5)]) {
      await verify(page, rewritten, log.key, since);
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate<{ violations: { id: string }[] }>('axe.run()');
      expect(violations.map(({ id }) => id)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')).toBeLessThanOrEqual(0);
    }
    if (process.env.SCREENSHOTS)
      await page.screenshot({ path: join(process.env.SCREENSHOTS, `verifier ${_}.png`), fullPage: true });
    await close();
  });
});
