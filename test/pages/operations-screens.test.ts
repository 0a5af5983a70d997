import { demoTickets } from '../../src/development/merchant/cast';
import { ConsoleApp, expectAccessible, screenshots, tabTo } from '../support/console';
import { writerOf } from '../support/credentials';

let desk: ConsoleApp | null;
beforeAll(async () => {
  desk = await ConsoleApp.start();
}, 240_000);
afterAll(() => desk?.stop());
afterEach(() => desk?.expectNothingWrong());

const turn = () => desk?.app.app.signingLog?.sequencer.turn();
const operator = { id: 'operator:0', kind: 'system', roles: [] } as const;

describe('an administrator', () => {
  it('sees in words how each source is doing, and that nobody had doctor look yet', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    await desk.signInAs(page, 'oz', { path: '/operations' });
    await page.getByRole('table', { name: 'The 2 configured sources' }).waitFor();
    await page.getByText('Nothing is on record.').waitFor();
    await expectAccessible(page);
    const writer = writerOf(desk.app);
    await writer.query("UPDATE upstream_source SET fault = 'circuit-open' WHERE name = 'demo-pay'");
    await page.reload();
    await page.getByText('It failed so often that it isn’t asked for a while.').waitFor();
    await page.getByText(/source.* not up to date/).waitFor();
    await expectAccessible(page);
    await writer.query("UPDATE upstream_source SET fault = NULL WHERE name = 'demo-pay'");
  });

  it('sees what doctor found, by area, how long ago, and what wasn’t looked at', async () => {
    if (!desk) return;
    const { examinations } = desk.app.app.services;
    await examinations.record(operator, { log: 2, grants: 0, server: 0, operations: 1, sources: null });
    await turn();
    const page = await desk.newPage();
    await desk.signInAs(page, 'oz', { path: '/operations' });
    const table = page.getByRole('table', { name: 'By area' });
    await table.getByText('2 findings').waitFor();
    expect(await table.getByText('nothing found').count()).toBe(2);
    await page.getByText('The sources weren’t asked that time.').waitFor();
    await page.getByText('“counterfoil doctor” says where it runs').waitFor();
    await screenshots(desk, page, 'operations', async (copy) => {
      await copy.getByRole('table').last().waitFor();
    });
  });

  it('is told when what is shown isn’t up to date any more, and it stays there meanwhile', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    await page.clock.install();
    await desk.signInAs(page, 'oz', { path: '/operations' });
    const table = page.getByRole('table', { name: 'The 2 configured sources' });
    await table.waitFor();
    await page.route('**/graphql', (route) => route.abort());
    await page.clock.runFor(31_000);
    await page
      .getByText(/Not up to date: the last answer is from/)
      .first()
      .waitFor();
    expect(await table.isVisible()).toBe(true);
    await expectAccessible(page);
    await page.unroute('**/graphql');
    await page.clock.runFor(31_000);
    await page
      .getByText(/Not up to date/)
      .first()
      .waitFor({ state: 'detached' });
  });

  it('is one whose work it is: an agent is told that theirs it isn’t', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    await desk.signInAs(page, 'ana', { path: '/operations' });
    await page.getByText('You may not see this').waitFor();
    await expectAccessible(page);
  });
});

describe('a privacy officer', () => {
  const opened = async () => {
    const app = desk?.app;
    const answer = await app?.as(
      'ana',
      `{ ticketByReference(source: "demo", reference: "${demoTickets.own.reference}") { customer { id displayName email } } }`,
    );
    await turn();
    return answer?.data.ticketByReference.customer as { id: string; displayName: string; email: string };
  };

  const lookUps = async () => (await desk?.app.events('disclosure'))?.length ?? 0;

  it('sees to whom a customer was shown, what and when; and who they are by a press, which is on record', async () => {
    if (!desk) return;
    const customer = await opened();
    const page = await desk.newPage();
    await desk.signInAs(page, 'pru', { path: '/' });
    await page.getByRole('heading', { name: 'Who saw a customer' }).waitFor();
    await page.getByLabel('Our id of the customer').fill(customer.id);
    await page.getByRole('button', { name: 'Look' }).click();
    await page.getByRole('table', { name: 'It was shown once' }).waitFor();
    expect(new URL(page.url()).search).toBe(`?customer=${customer.id}`);
    await page.locator('summary').first().click();
    await page.getByText('Customer.email').waitFor();
    // Who saw it, never what they saw.
    const shown = await page.content();
    for (const value of [customer.displayName, customer.email]) expect(shown).not.toContain(value);
    expect(await page.title()).toBe('Who saw a customer – Counterfoil');
    const before = await lookUps();
    await page.getByRole('button', { name: 'Say who these are' }).click();
    await page.getByRole('button', { name: 'Say who these are' }).waitFor({ state: 'detached' });
    await expectAccessible(page);
    expect(await lookUps()).toBe(before + 1);
    await screenshots(desk, page, 'who saw a customer', async (copy) => {
      await copy.getByRole('table').waitFor();
    });
  });

  it('is told of an id that is none, of days in the wrong order, and of nothing found, alike whether there is such a customer', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    await desk.signInAs(page, 'pru', { path: '/people' });
    const look = page.getByRole('button', { name: 'Look' });
    await page.getByLabel('Our id of the customer').fill('joana@example.com');
    await look.click();
    await page.getByText('Enter an id that begins with cus_.').waitFor();
    await expectAccessible(page);
    // What isn't an id isn't put into the address.
    expect(new URL(page.url()).search).toBe('');
    await page.getByLabel('Our id of the customer').fill('cus_01ARZ3NDEKTSV4RRFFQ69G5FAV');
    await page.getByLabel('From (first day)').fill('2026-09-02');
    await page.getByLabel('Until').fill('2026-09-01');
    await look.click();
    await page.getByText('The first day has to be before the last.').waitFor();
    await page.getByLabel('Until').fill('2026-09-03');
    await look.click();
    await page.getByText('Nobody was shown anything of this customer in that time').waitFor();
    expect(new URL(page.url()).search).toBe('?customer=cus_01ARZ3NDEKTSV4RRFFQ69G5FAV&from=2026-09-02&before=2026-09-03');
    await expectAccessible(page);
  });

  it('finds them by a ticket that is about the customer, as somebody who writes in names it', async () => {
    if (!desk) return;
    await opened();
    const page = await desk.newPage();
    await desk.signInAs(page, 'pru', { path: '/people' });
    const look = page.getByRole('button', { name: 'Look' });
    await look.click();
    await page.getByText('Enter an id that begins with cus_, or a ticket, and not both.').waitFor();
    await page.getByLabel('Name of the helpdesk').fill('demo');
    await look.click();
    await page.getByText('Enter the name of the helpdesk, such as rt, and the number of the ticket.').waitFor();
    await expectAccessible(page);
    await page.getByLabel('number of the ticket').fill(demoTickets.own.reference);
    await look.click();
    await page.getByRole('table').waitFor();
    expect(new URL(page.url()).search).toBe(`?source=demo&reference=${demoTickets.own.reference}`);
    await expectAccessible(page);
  });

  it('does it by keyboard, on a telephone', async () => {
    if (!desk) return;
    const customer = await opened();
    const page = await desk.newPage({ viewport: { width: 320, height: 640 } });
    await desk.signInAs(page, 'pru', { path: '/people' });
    await page.getByRole('heading', { name: 'Who saw a customer' }).waitFor();
    await tabTo(page, 'Our id of the customer');
    await page.keyboard.type(customer.id);
    await page.keyboard.press('Enter');
    await page.getByRole('table').waitFor();
    await tabTo(page, /fields"$/);
    await page.keyboard.press('Enter');
    await page.getByText('Customer.displayName').first().waitFor();
    await expectAccessible(page);
  });

  it('keeps nothing of it in the browser', async () => {
    if (!desk) return;
    const customer = await opened();
    const page = await desk.newPage();
    await desk.signInAs(page, 'pru', { path: `/people?customer=${customer.id}` });
    await page.getByRole('table').waitFor();
    const kept = await page.evaluate(() => {
      // biome-ignore lint/suspicious/noExplicitAny: runs in the browser
      const { localStorage, sessionStorage } = globalThis as any;
      return JSON.stringify([{ ...localStorage }, { ...sessionStorage }]);
    });
    expect(kept).toBe('[{},{}]');
  });
});
