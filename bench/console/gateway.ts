import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { Browser } from 'playwright-core';

export interface Gateway {
  readonly address: string;
  readonly stop: () => Promise<void>;
}

/** How a gateway is started whose data is in this folder. `size`: of the demo merchant. */
export const environmentOf = (folder: string, size: string): Readonly<Record<string, string>> => ({
  PORT: '0',
  DATA_DIR: join(folder, 'data'),
  DEMO_SIZE: size,
  POLICY_FILE: resolve('schema/exposure.yaml'),
  RULES_FILE: resolve('schema/rules.yaml'),
});

/** The built gateway, in development mode. */
export const startGateway = async (folder: string, size: string): Promise<Gateway> => {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [join(__dirname, '..', '..', 'src', 'main.js')], {
    cwd: folder,
    env: { PATH, HOME, ...environmentOf(folder, size) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
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

/** Signs in once, as the demo provider's pages want it. Returns the browser's cookies. */
export const signIn = async (browser: Browser, address: string, name: string, path: string) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${address}/sign-in?${new URLSearchParams({ return: path })}`);
  await page.getByRole('button', { name: new RegExp(`^${name} `) }).click();
  await page.getByLabel('Code').fill((await page.locator('#current').textContent()) ?? '');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL(`${address}${path}`);
  const state = await context.storageState();
  await context.close();
  return state;
};
