import { demoTickets } from '../../src/development/merchant/cast';
import { TestApp } from '../support/app';
import { builtConsole } from '../support/built-console';
import { ConsoleApp, expectAccessible, frameOf } from '../support/console';

let desk: ConsoleApp | null;
beforeAll(async () => {
  desk = await ConsoleApp.start();
}, 240_000);
afterAll(() => desk?.stop());
afterEach(() => desk?.expectNothingWrong());

const { reference } = demoTickets.own;

describe('the helpdesk of development', () => {
  it('is one link away, on another site, and shows the panel to who signed in to the gateway', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    await page.goto(`${desk.address}/development/helpdesk`);
    expect(new URL(page.url()).hostname).toBe('localhost');
    await expectAccessible(page);
    await page.getByRole('link', { name: new RegExp(`^${reference} `) }).click();
    await page.getByRole('heading', { level: 1 }).waitFor();
    const panel = await frameOf(page);
    const [popup] = await Promise.all([page.waitForEvent('popup'), panel.getByRole('button', { name: 'Sign in' }).click()]);
    await desk.choosePerson(popup, 'ana');
    await panel.getByRole('heading', { name: `Ticket ${reference}` }).waitFor();
    await expectAccessible(page);
  });

  it('is the only page that may hold the panel, and none before it is there', async () => {
    const app = await TestApp.start({ isNow: true, consoleFolder: builtConsole() });
    const ancestors = async () => {
      const { headers } = await app.server.inject({ url: '/embed/demo/1001', headers: { host: '127.0.0.1:4000' } });
      return /frame-ancestors ([^;]*)/.exec(String(headers['content-security-policy']))?.[1];
    };
    try {
      expect(await ancestors()).toBe("'none'");
      const { statusCode, headers } = await app.server.inject({
        url: '/development/helpdesk',
        headers: { host: '127.0.0.1:4000' },
      });
      const { origin } = new URL(String(headers.location));
      expect({ statusCode, ancestors: await ancestors() }).toEqual({ statusCode: 303, ancestors: origin });
      for (const path of ['/', `/tickets/${reference}`]) {
        const page = await fetch(`${origin}${path}`);
        expect([path, page.status]).toEqual([path, 200]);
        const policy = String(page.headers.get('content-security-policy'));
        expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; img-src data:; script-src (\S+); frame-src \1; /);
      }
      for (const path of ['/tickets/9999', '/tickets/', '/tickets/1001/x', '/other'])
        expect([path, (await fetch(`${origin}${path}`)).status]).toEqual([path, 404]);
      app.helpdesk.goDown();
      expect((await fetch(`${origin}/`)).status).toBe(503);
    } finally {
      await app.stop();
    }
  });

  it.each([
    ['a page of another origin', { host: '127.0.0.1:4000', 'sec-fetch-site': 'cross-site' }],
    ['a name that somebody pointed at this machine', { host: 'rebound.example:4000' }],
  ])('is opened by nobody from %s', async (_who, headers) => {
    const app = await TestApp.start({ sync: false });
    try {
      expect(
        (await app.server.inject({ url: '/development/helpdesk', headers: headers as Record<string, string> })).statusCode,
      ).toBe(403);
    } finally {
      await app.stop();
    }
  });
});
