import type { Page } from 'playwright-core';
import { ExposurePolicy } from '../../src/authz/policy/exposure';
import { demoTickets } from '../../src/development/merchant/cast';
import { recordPolicy } from '../../src/features/exposure/policy-in-force';
import { policyWith } from '../support/answers';
import { ConsoleApp, expectAccessible, screenshots, tabTo } from '../support/console';

let desk: ConsoleApp | null;
beforeAll(async () => {
  desk = await ConsoleApp.start();
}, 240_000);
afterAll(() => desk?.stop());
afterEach(() => desk?.expectNothingWrong());

const fileOf = (text: string, name = 'exposure.yaml') => ({ name, mimeType: 'application/yaml', buffer: Buffer.from(text) });
/** Cells of the row of a table that has this text in its first cell. */
const rowOf = (page: Page, first: string | RegExp) =>
  page.getByRole('row').filter({ has: page.getByRole('cell').first().getByText(first, { exact: true }) });
const policyOf = ({ app }: ConsoleApp, file: string): ExposurePolicy => {
  const loaded = ExposurePolicy.load(file, app.app.services.policy.classification);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.policy;
};
const whereIs = (page: Page) => new URL(page.url()).search;

describe('the payments team', () => {
  it('comes to the policy: each field for a role under each link, with the line of the file, and how it is covered', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    await desk.signInAs(page, 'pia', { path: '/policy' });
    await page.getByRole('table', { name: 'Customer: what Agent gets of each field' }).waitFor();
    const email = rowOf(page, 'email');
    expect(await email.getByRole('cell').allTextContents()).toEqual([
      'email',
      'PERSONAL',
      expect.stringMatching(/^Masked first letters of name and domain, and the ending line \d+$/),
      expect.stringMatching(/^Masked .* line \d+$/),
      expect.stringMatching(/^Masked .* line \d+$/),
      'neither',
    ]);
    await page.getByRole('heading', { name: 'Coverage' }).waitFor();
    const { size } = desk.app.app.services.policy.classification.fields;
    await page.getByText(`Every one of ${size} fields`).waitFor();

    await page.getByLabel('Type', { exact: true }).selectOption('Risk');
    await page.getByLabel('Role', { exact: true }).selectOption('SUPERVISOR');
    await page.getByRole('table', { name: 'Risk: what Supervisor gets of each field' }).waitFor();
    expect(await rowOf(page, 'score').getByRole('cell').allTextContents()).toEqual([
      'score',
      'PAYMENT',
      expect.stringMatching(/^Shown line \d+$/),
      expect.stringMatching(/^Shown line \d+$/),
      expect.stringMatching(/^Left out line \d+$/),
      'searches by it',
    ]);
    await page.getByLabel('Session', { exact: true }).selectOption('no');
    await rowOf(page, 'score').getByText('Denied').first().waitFor();
    // Names of types and roles, which are nobody's.
    expect(whereIs(page)).toBe('?type=Risk&role=SUPERVISOR&mfa=no');
    await expectAccessible(page);
  });

  it('is told why a field is shown so, where that stands, and what would show more', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    await desk.signInAs(page, 'pia', { path: '/policy' });
    await page.getByRole('button', { name: 'Why Customer.email is so' }).click();
    const why = page.getByRole('region', { name: 'Why Customer.email is shown so to Agent' });
    await why.getByText('fields.Customer.email.AGENT', { exact: true }).first().waitFor();
    await why.getByText('Nothing: AGENT never gets more than mask of a CREDENTIAL field.').waitFor();
    await screenshots(desk, page, 'policy', async (copy) => {
      await copy.getByText('fields.Customer.email.AGENT', { exact: true }).first().waitFor();
      await copy.locator('.digest').waitFor();
    });
  });

  it('sees the panel of another role on a ticket that is made up, masked as theirs is', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    await desk.signInAs(page, 'pia', { path: '/policy/preview' });
    await page.getByLabel('Link between').selectOption('MATCHED');
    const customer = page.getByRole('table', { name: 'Customer', exact: true });
    const cells = (first: string) => customer.getByRole('row').filter({ hasText: first }).getByRole('cell').allTextContents();
    await customer.getByText('j•••@e•••.com').waitFor();
    expect(await cells('email')).toEqual(['email', 'j•••@e•••.com', expect.stringMatching(/^Masked .* line \d+$/)]);
    await page.getByRole('table', { name: 'Payments' }).getByText('Your role may not see or do this').first().waitFor();
    await page.getByLabel('Show').selectOption('withheld');
    await customer.getByText('displayName').waitFor({ state: 'detached' });
    await page.getByLabel('Session', { exact: true }).selectOption('no');
    await page.getByText('Sign in with a second factor.').first().waitFor();
    expect(whereIs(page)).toBe('?role=AGENT&mfa=no&link=MATCHED&show=withheld');
    await page.getByLabel('Role', { exact: true }).selectOption('PAYMENTS');
    await page.getByText('0 values are shown').waitFor();
    await page.getByLabel('Role', { exact: true }).selectOption('AGENT');
    await page.getByLabel('Session', { exact: true }).selectOption('yes');
    await customer.waitFor();
    await screenshots(desk, page, 'policy preview', async (copy) => {
      await copy.getByText('j•••@e•••.com').first().waitFor();
    });
  });

  it('holds a file against the policy in force, in words and in what was shown; it comes into force by nothing', async () => {
    if (!desk) return;
    const { app } = desk;
    const open = `{ ticketByReference(source: "demo", reference: "${demoTickets.own.reference}") { customer { phone } } }`;
    await app.as('ana', open);
    await app.app.signingLog?.sequencer.turn();
    const { digest } = app.app.services.policy;
    const page = await desk.newPage();
    await desk.signInAs(page, 'pia', { path: '/policy/diff' });
    const compare = page.getByRole('button', { name: 'Compare the file' });
    await compare.click();
    await page.getByText('Choose a file first.').waitFor();
    await expectAccessible(page);
    const file = policyWith(
      ['    phone: { AGENT: "mask:phone"', '    phone: { AGENT: reveal'],
      ['customersPerHour: 40', 'customersPerHour: 80'],
    );
    await page.getByLabel('Policy file').setInputFiles(fileOf(file));
    await compare.click();
    await page.getByRole('table', { name: '2 changes' }).waitFor();
    expect(await rowOf(page, 'More').first().getByRole('cell').allTextContents()).toEqual([
      'More',
      'Customer.phone',
      'Agent',
      'Masked country code and last two digits',
      'Shown',
      'AGENT now sees Customer.phone in clear (was masked, mask:phone; class PERSONAL).',
    ]);
    await page.getByText('One disclosure of the last thirty days showed something that this policy shows otherwise.').waitFor();
    await page.getByText('1 would have shown more, 0 less.').waitFor();
    expect(app.app.services.policy.digest).toBe(digest);
    await screenshots(desk, page, 'policy compared', async (copy) => {
      await copy.getByRole('button').last().waitFor();
      await copy.locator('input[type=file]').setInputFiles(fileOf(file));
      await copy.locator('button[type=submit]').click();
      await copy.locator('.digest').first().waitFor();
    });

    await page.getByLabel('Policy file').setInputFiles(fileOf(policyWith()));
    await compare.click();
    await page.getByText('Both mean the same.').waitFor();
    expect(whereIs(page)).toBe('');

    const former = policyOf(desk, file);
    await recordPolicy(app.app.database, former);
    await app.app.signingLog?.sequencer.turn();
    await page.reload();
    await page.getByRole('button', { name: `Compare with ${former.digest.slice(0, 12)}` }).click();
    await page.getByRole('table', { name: '2 changes' }).waitFor();
    expect(whereIs(page)).toBe(`?version=${former.digest}`);
    expect(app.app.services.policy.digest).toBe(digest);
    await expectAccessible(page);
    await page.getByLabel('Language').selectOption('de');
    await page.getByText('Die Rolle Support sieht Customer.phone jetzt im Klartext').waitFor();
    expect(await rowOf(page, 'Mehr').getByRole('cell').allTextContents()).toEqual([
      'Mehr',
      'Customer.phone',
      'Support',
      'Maskiert Landesvorwahl und die letzten zwei Ziffern',
      'Gezeigt',
      'Die Rolle Support sieht Customer.phone jetzt im Klartext (bisher maskiert, Landesvorwahl und die letzten zwei Ziffern; Klasse PERSONAL).',
      'Mehr',
      'assistance.quota.customersPerHour',
      'alle',
      '40',
      '80',
      'Wie viele verschiedene Kunden jemand in einer Stunde erreicht: jetzt 80 (bisher 40).',
    ]);
  });

  it('is told what is wrong with a file, by line, and nothing is made of what it says', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    await desk.signInAs(page, 'pia', { path: '/policy/diff' });
    const hostile = '<img src=x onerror=alert(1)>\u202e';
    await page.getByLabel('Policy file').setInputFiles(fileOf(`version: 1\n"${hostile}": x\n`));
    await page.getByRole('button', { name: 'Compare the file' }).click();
    await page.getByRole('table', { name: /mistakes: a gateway wouldn’t start/ }).waitFor();
    await page.getByText('unknown <img src=x onerror=alert(1)>').waitFor();
    expect(await page.locator('main img').count()).toBe(0);
    await expectAccessible(page);
    await page.getByLabel('Policy file').setInputFiles(fileOf('#\n'.repeat(40_000)));
    await page.getByRole('button', { name: 'Compare the file' }).click();
    await page.getByText('longer than the 64 KiB').waitFor();
  });

  it('does all of it by keyboard', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    await desk.signInAs(page, 'pia', { path: '/policy' });
    await page.getByRole('table', { name: /^Customer: / }).waitFor();
    await tabTo(page, 'Type');
    await page.keyboard.type('Address');
    await page.getByRole('table', { name: /^Address: / }).waitFor();
    await tabTo(page, 'Why Address.city is so');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Why Address.city is shown so to Agent' }).waitFor();
    await tabTo(page, 'Preview as a role', { back: true });
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Preview as a role', level: 1 }).waitFor();
    await tabTo(page, 'Role');
    await page.keyboard.type('Super');
    await page.waitForURL(/role=SUPERVISOR/);
    await tabTo(page, 'Compare a policy', { back: true });
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Compare a policy', level: 1 }).waitFor();
    await tabTo(page, 'Compare the file');
    await page.keyboard.press('Enter');
    await page.getByText('Choose a file first.').waitFor();
  });
});

describe('whoever isn’t of that team', () => {
  it('is told that their role may not see it, where the address is known to them', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    for (const path of ['/policy', '/policy/preview']) {
      await desk.signInAs(page, 'ana', { path });
      await page.getByText('You may not see this').first().waitFor();
      await expectAccessible(page);
    }
    expect(await page.getByRole('navigation').getByRole('link', { name: 'Policy' }).count()).toBe(0);
  });

  it('signs in with a second factor from where it is needed, and goes on there', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    await desk.signInAs(page, 'pia', { path: '/policy/diff', secondFactor: false });
    await page.getByLabel('Policy file').setInputFiles(fileOf(policyWith()));
    await page.getByRole('button', { name: 'Compare the file' }).click();
    const stepUp = page.getByRole('link', { name: 'Sign in with a second factor' }).first();
    await stepUp.waitFor();
    await expectAccessible(page);
    const opening = page.context().waitForEvent('page');
    await stepUp.click();
    const away = await opening;
    await desk.enterCode(away);
    await away.getByRole('heading', { name: 'Signed in again' }).waitFor();
    await away.close();
    // It is asked again with what was chosen.
    await page.getByText('Both mean the same.').waitFor();
  });
});

describe('where something is in the way', () => {
  it('says that it is loading, that the gateway can’t be reached, and that nobody is signed in any more', async () => {
    if (!desk) return;
    const page = await desk.newPage();
    await desk.signInAs(page, 'pia', { path: '/policy' });
    await page.getByRole('table', { name: /^Customer: / }).waitFor();
    let answer = (): void => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route('**/graphql', async (route) => {
      await answered;
      await route.continue();
    });
    await page.getByLabel('Type', { exact: true }).selectOption('Money');
    await page.getByText('Loading …').waitFor();
    await expectAccessible(page);
    answer();
    await page.getByRole('table', { name: /^Money: / }).waitFor();
    await page.unroute('**/graphql');

    await page.route('**/graphql', (route) => route.abort());
    await page.getByLabel('Type', { exact: true }).selectOption('Order');
    await page.getByText('The gateway can’t be reached').waitFor();
    await expectAccessible(page);
    await page.unroute('**/graphql');
    await page.getByRole('button', { name: 'Ask again' }).click();
    await page.getByRole('table', { name: /^Order: / }).waitFor();

    await page.context().clearCookies();
    await page.getByLabel('Type', { exact: true }).selectOption('Risk');
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    await expectAccessible(page);
    expect(await page.getByRole('table').count()).toBe(0);
    desk.faults();
  });
});
