import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { demoTickets } from '../../src/development/merchant/cast';
import { raised, raiseOn } from '../support/alerts';
import { ConsoleApp, expectAccessible, frameOf } from '../support/console';

let desk: ConsoleApp | null;
beforeAll(async () => {
  desk = await ConsoleApp.start();
}, 240_000);
afterAll(() => desk?.stop());
afterEach(() => desk?.expectNothingWrong());

const own = demoTickets.own.reference;

/** The README has these, in `docs/pictures`: PICTURES=docs/pictures makes them anew. */
const picture = async (page: Page, name: string): Promise<void> => {
  await expectAccessible(page);
  if (process.env.PICTURES === undefined) return;
  mkdirSync(process.env.PICTURES, { recursive: true });
  await page.screenshot({ path: join(process.env.PICTURES, `${name}.png`) });
};

describe('whoever starts the gateway for the first time', () => {
  let customer = '';
  let disclosure = '';
  beforeAll(async () => {
    if (!desk) return;
    const { app } = desk;
    const look = (reference: string) =>
      app.as(
        'ana',
        'query ($reference: String!) { ticketByReference(source: "demo", reference: $reference) { id customer { id email } } }',
        {
          reference,
        },
      );
    const shown = await look(own);
    customer = shown.data.ticketByReference.customer.id;
    // Something for a supervisor to decide.
    const { data } = await look(demoTickets.unassigned.reference);
    const begun = await app.as(
      'ana',
      'mutation ($ticketId: ID!, $reason: String!) { beginAssistance(input: { ticketId: $ticketId, purpose: DECLINE, reason: $reason }) { state } }',
      { ticketId: data.ticketByReference.id, reason: 'The customer is on the telephone and asks why the card was declined' },
    );
    expect(begun.data.beginAssistance.state).toBe('WAITING');
    // What a running gateway does by itself.
    await app.app.sources.syncAll();
    await app.app.signingLog?.sequencer.turn();
    [disclosure = ''] = (await app.events('disclosure')).map(({ id }) => String(id));
  }, 120_000);

  /** Who it is, and what stands on a screen of theirs. */
  const inBrowser = (name: string, user: string, path: () => string, shows: (page: Page) => Promise<unknown>) =>
    it(`sees a screen of the ${name.replace('-', ' ')}’s`, async () => {
      if (!desk) return;
      const page = await desk.newPage();
      await desk.signInAs(page, user, { path: path() });
      await page.getByRole('heading', { level: 1 }).waitFor();
      await shows(page);
      await picture(page, name);
    });
  const rows = (page: Page) => page.locator('main tbody tr').first().waitFor();

  inBrowser(
    'agent',
    'ana',
    () => `/t/demo/${own}`,
    (page) => page.getByText('Declined').first().waitFor(),
  );
  inBrowser(
    'supervisor',
    'sam',
    () => '/approvals',
    (page) => page.getByRole('article', { name: `Access to ticket ${demoTickets.unassigned.reference}` }).waitFor(),
  );
  inBrowser(
    'auditor',
    'ada',
    () => `/log/events/${disclosure}`,
    async (page) => {
      const prove = page.getByRole('button', { name: 'Prove it' });
      await prove.click();
      await page.getByRole('heading', { name: 'What this proves' }).waitFor();
      await prove.scrollIntoViewIfNeeded();
    },
  );
  inBrowser('payments-team', 'pia', () => '/policy', rows);
  inBrowser('privacy-officer', 'pru', () => `/people?customer=${customer}`, rows);
  inBrowser('administrator', 'oz', () => '/operations', rows);

  it('sees the panel in a helpdesk’s page', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    await page.route('**/graphql', (route) =>
      (route.request().postData() ?? '').includes('query PanelPulse(') ? route.abort() : route.continue(),
    );
    const streams = page.waitForRequest('**/graphql/stream');
    await page.goto(`${desk.address}/development/helpdesk`);
    await page.getByRole('link', { name: new RegExp(`^${own} `) }).click();
    const panel = await frameOf(page);
    const [popup] = await Promise.all([page.waitForEvent('popup'), panel.getByRole('button', { name: 'Sign in' }).click()]);
    await desk.choosePerson(popup, 'ana');
    await panel.getByText('Declined').first().waitFor();
    await expectAccessible(panel);
    await picture(page, 'panel');
    // What happens meanwhile is told over a stream that the frame holds open: what it looks for now and then is kept from it.
    await streams;
    raised(await raiseOn(desk.app, own));
    await panel.getByRole('heading', { name: 'Tries from several places' }).waitFor();
  });
});
