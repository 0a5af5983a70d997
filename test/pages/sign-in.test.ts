import type { Page } from 'playwright-core';
import { ConsoleApp, expectAccessible, focused, tabTo } from '../support/console';

let desk: ConsoleApp | null;
beforeAll(async () => {
  desk = await ConsoleApp.start();
}, 240_000);
afterAll(() => desk?.stop());
afterEach(() => desk?.expectNothingWrong());

/** Who the graph takes the page's session for; the code of its refusal where there is none. */
const viewer = (page: Page) =>
  page.evaluate(async () => {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'counterfoil-browser': '1' },
      body: JSON.stringify({ query: '{ viewer { id roles teams mfa } }' }),
    });
    const { data, errors } = (await response.json()) as {
      data?: { viewer: unknown };
      errors?: { extensions: { code: string } }[];
    };
    return data?.viewer ?? errors?.[0]?.extensions.code;
  });

describe('signing in to a gateway in development', () => {
  it('works at the address that it prints, with and without a second factor, and is who comes by a token too', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    for (const secondFactor of [true, false]) {
      await desk.signInByHand(page, 'ana', { secondFactor });
      const { data } = await desk.app.as(
        { token: await desk.app.token('ana', { mfa: secondFactor }) },
        '{ viewer { id roles teams mfa } }',
      );
      expect(data.viewer).toMatchObject({ roles: ['AGENT'], mfa: secondFactor });
      expect(await viewer(page)).toEqual(data.viewer);
    }
    const cookies = await page.context().cookies();
    expect(cookies.find(({ name }) => name === '__Host-counterfoil')).toMatchObject({
      secure: true,
      httpOnly: true,
      sameSite: 'Lax',
    });
  });

  it('takes whoever opens it by this machine’s other name to the address that it has', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    await page.goto(`${desk.address.replace('127.0.0.1', 'localhost')}/sign-in?return=/tickets`);
    await desk.choosePerson(page, 'ana');
    await page.waitForURL(`${desk.address}/tickets`);
    expect(await viewer(page)).toMatchObject({ roles: ['AGENT'] });
  });

  it('asks whoever is known for the second factor alone, and for whoever it is where that has to be recent', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    await desk.signInByHand(page, 'sam', { secondFactor: false });
    await page.goto(`${desk.address}/sign-in?for=second-factor&return=/approvals`);
    await page.getByRole('heading', { name: 'Second factor of sam' }).waitFor();
    // It was asked for.
    expect(await page.getByRole('button', { name: 'Without a second factor' }).count()).toBe(0);
    await desk.enterCode(page);
    await page.waitForURL(`${desk.address}/approvals`);
    expect(await viewer(page)).toMatchObject({ roles: ['SUPERVISOR'], mfa: true });
    await page.goto(`${desk.address}/sign-in?for=recent&return=/approvals`);
    await desk.choosePerson(page, 'sam');
    await page.waitForURL(`${desk.address}/approvals`);
    expect(await viewer(page)).toMatchObject({ mfa: true });
  });

  it('takes no other code, and begins nothing where somebody chose not to', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    await page.goto(`${desk.address}/sign-in`);
    await page.getByRole('button', { name: /^ana / }).click();
    const now = (await page.locator('#current').textContent()) as string;
    await page.getByLabel('Code').fill(now === '000000' ? '000001' : '000000');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('alert').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Don’t sign in' }).click();
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    expect((await page.context().cookies()).map(({ name }) => name)).not.toContain('__Host-counterfoil');
    expect(await desk.app.events('sign-in.refuse')).toMatchObject([{ detail: { why: 'provider' } }]);
  });

  it('is ended by who signs out at the provider, and by who signs in there as somebody else', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    await desk.signInByHand(page, 'ana');
    const away = await page.context().newPage();
    await away.goto(`${desk.address}/sign-in?for=recent`);
    const { origin } = new URL(away.url());
    await desk.choosePerson(away, 'ben');
    await away.waitForURL(`${desk.address}/`);
    expect(await viewer(away)).toMatchObject({ teams: ['wallets'] });
    await away.goto(origin);
    await away.getByRole('link', { name: 'Sign out here' }).click();
    await away.getByRole('heading', { name: 'Sign ben out?' }).waitFor();
    await expectAccessible(away);
    await away.getByRole('button', { name: 'Sign out' }).click();
    await away.getByRole('heading', { name: 'You are signed out' }).waitFor();
    await expectAccessible(away);
    expect(await viewer(page)).toBe('UNAUTHENTICATED');
    expect((await desk.app.events('browser-session.end')).map(({ detail }) => detail)).toContainEqual({ why: 'revoked' });
  });

  it('is ended from the console, and at the provider where somebody says so there too', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    await desk.signInByHand(page, 'ana', { path: '/tickets' });
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign ana out?' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: 'Back to Counterfoil' }).click();
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Sign in as' }).waitFor();
  });

  it('is done by keyboard alone, on a telephone and in the dark, and shows what axe has nothing against', async () => {
    if (!desk) return;
    const page = await desk.newPage({ viewport: { width: 320, height: 640 }, colorScheme: 'dark', javaScriptEnabled: true });
    await page.goto(`${desk.address}/sign-in?return=/tickets`);
    await expectAccessible(page);
    await tabTo(page, /^button "ana /);
    await page.keyboard.press('Enter');
    await page.getByLabel('Code').waitFor();
    await expectAccessible(page);
    expect(await focused(page)).toBe('input "Code"');
    await page.keyboard.type((await page.locator('#current').textContent()) as string);
    await tabTo(page, 'Sign in');
    expect(await focused(page)).toBe('button "Sign in"');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${desk.address}/tickets`);
  });

  it('needs no script', async () => {
    if (!desk) return;
    const page = await desk.newPage({ javaScriptEnabled: false });
    await desk.signInByHand(page, 'ada');
    expect((await page.context().cookies()).map(({ name }) => name)).toContain('__Host-counterfoil');
  });
});
