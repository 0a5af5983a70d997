import type { Page, Route } from 'playwright-core';
import { demoTickets } from '../../src/development/merchant/cast';
import { raiseOn } from '../support/alerts';
import { policyWith, told } from '../support/answers';
import type { TestApp } from '../support/app';
import { ConsoleApp, expectAccessible, screenshots, tabTo } from '../support/console';
import { approveUpdate, newAddress, newestToken, Updates } from '../support/credentials';
import { HeldPayments, releaseMutation } from '../support/holds';
import { OtherIssuer } from '../support/other-issuer';

const refusal = 'Their customer has a ticket of another team already';
const free = demoTickets.unassigned.reference;
const bens = demoTickets.otherTeam.reference;
const typed = demoTickets.selfMade.reference;
const anas = demoTickets.own.reference;
const alerted = demoTickets.suspicious.reference;

let desk: ConsoleApp | null;
let app: TestApp;
let issuer: OtherIssuer;
beforeAll(async () => {
  issuer = await OtherIssuer.open();
  desk = await ConsoleApp.start({
    config: { issuers: [issuer.configuration] },
    // Then a new address waits for a supervisor, too.
    policy: policyWith([
      '      - name: recent-dispute',
      '      - name: new-address\n        when: { kinds: [BILLING_ADDRESS] }\n      - name: recent-dispute',
    ]),
  });
  if (desk) app = desk.app;
}, 120_000);
afterAll(() => desk?.stop());
afterEach(() => desk?.expectNothingWrong());

/** A test in a browser, where there is one; in ten times the time that others have. */
const inBrowser = (what: string, work: (desk: ConsoleApp) => Promise<void>) =>
  it(what, async () => (desk === null ? undefined : work(desk)), 240_000);

/** Somebody at the panel of a ticket, whose state its helpdesk has just told. */
const atPanel = async (who: string, reference: string): Promise<Page> => {
  await app.app.sources.syncAll();
  const page = await (desk as ConsoleApp).newPage();
  await (desk as ConsoleApp).signInAs(page, who, { path: `/t/demo/${reference}` });
  return page;
};
/** And asks for access there. */
const asks = async (page: Page, reason: string): Promise<void> => {
  await page.getByText('Ask for access', { exact: true }).click();
  await page.getByLabel('Reason').fill(reason);
  await page.getByRole('button', { name: 'Send the request' }).click();
  await page.getByRole('heading', { name: 'Waiting for a supervisor' }).waitFor();
};

const cardOf = (page: Page, name: string | RegExp) => page.getByRole('article', { name });
const go = async (page: Page, path: string) => {
  await page.goto(`${desk?.address}${path}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
};
/** Where a card stands on the page: what moved is elsewhere. */
const topOf = async (page: Page, name: string) => (await cardOf(page, name).boundingBox())?.y;

/** What the page shows, keeps and is called, all together. */
const everything = async (page: Page): Promise<string> =>
  page.evaluate(() => {
    // biome-ignore lint/suspicious/noExplicitAny: runs in the browser
    const { document, location, localStorage, sessionStorage, history } = globalThis as any;
    const kept = (store: Record<string, string>) => JSON.stringify(Object.entries(store));
    return [
      document.documentElement.outerHTML,
      document.title,
      location.href,
      JSON.stringify(history.state),
      kept(localStorage),
      kept(sessionStorage),
    ].join('\n');
  });

/** Names and contacts of every customer of the helpdesk, and their card numbers’ beginnings: nothing of them is what somebody decides on. */
const canaries = async (): Promise<readonly string[]> => {
  const rows = await app.app.database.query<{ reference: string }>('SELECT reference FROM helpdesk_ticket LIMIT 40');
  const found = await Promise.all(rows.map(({ reference }) => app.helpdesk.fetchTicket(reference)));
  return [
    ...new Set(
      found.flatMap((snapshot) => {
        const customer = snapshot?.ticket.customer;
        return customer ? [customer.displayName, customer.email, customer.phone] : [];
      }),
    ),
  ].filter((text): text is string => typeof text === 'string' && text.length > 5);
};

describe('what waits for a supervisor', () => {
  inBrowser('is announced as it comes, moves nothing, and is approved', async (desk) => {
    const anas = await atPanel('ana', free);
    await asks(anas, 'The customer called and asks why the card was declined');
    const page = await desk.newPage();
    await desk.signInAs(page, 'sam', { path: '/approvals' });
    const first = `Access Access to ticket ${free}`;
    await cardOf(page, first).waitFor();
    for (const fact of ['Ana Ferreira', 'asks why the card was declined', 'chat', 'Verified'])
      expect(await cardOf(page, first).textContent()).toContain(fact);
    const before = await topOf(page, first);
    const others = await atPanel('ana', typed);
    await asks(others, 'I typed it for a caller who had no mail at hand');
    const show = page.getByRole('button', { name: 'Show 1 new' });
    await show.waitFor();
    await page.getByRole('status').getByText('1 new', { exact: true }).first().waitFor({ state: 'attached' });
    expect(await topOf(page, first)).toBe(before);
    const second = cardOf(page, `Access Access to ticket ${typed}`);
    expect(await second.count()).toBe(0);
    await show.click();
    await second.waitFor();
    // That whoever asks has typed it themselves is pointed out.
    expect(await second.getByText('who asks now').count()).toBeGreaterThan(0);
    // The keyboard is at what is new.
    expect(await page.evaluate('document.activeElement.textContent')).toContain(typed);
    await expectAccessible(page);
    await cardOf(page, first).getByRole('button', { name: 'Approve' }).click();
    await cardOf(page, first).getByText('You approved it.').waitFor();
    await anas.getByText('You have access').first().waitFor();
    for (const each of [page, anas, others]) await each.context().close();
  });

  inBrowser('is rejected with a reason, which no refusal takes away and who asked reads', async (desk) => {
    // A colleague’s, in his team.
    app.helpdesk.reassign(bens, 'kavya', 'sam');
    const his = await atPanel('ben', bens);
    await asks(his, 'My colleague is ill and their customer writes to me');
    const page = await desk.newPage();
    await desk.signInAs(page, 'sam', { path: '/approvals' });
    const card = cardOf(page, `Access Access to ticket ${bens}`);
    await card.getByRole('button', { name: 'Reject' }).click();
    await page.keyboard.type('no');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await card.getByText('Write 10 to 1,000 characters.', { exact: true }).waitFor();
    const field = card.getByRole('textbox');
    await field.fill(refusal);
    // The sign-in is too old by now.
    let isLate = true;
    await page.route('**/graphql', async (route) => {
      if (!isLate || !route.request().postData()?.includes('RejectAccess')) return route.continue();
      const extensions = { code: 'DENIED', reason: 'RECENT_LOGIN_REQUIRED', rule: 'assistance.reject', remedy: 'Sign in again.' };
      return route.fulfill({ json: { data: null, errors: [{ message: 'Denied.', path: ['rejectAssistance'], extensions }] } });
    });
    await card.getByRole('button', { name: 'Reject' }).click();
    const notice = card.getByRole('alert').filter({ hasText: 'Confirm that it is you' });
    await notice.waitFor();
    await expectAccessible(page);
    const [tab] = await Promise.all([page.context().waitForEvent('page'), notice.getByRole('link').click()]);
    await tab.getByRole('heading').first().waitFor();
    if ((await tab.getByLabel('Code').count()) === 0) await desk.choosePerson(tab, 'sam');
    else await desk.enterCode(tab);
    await tab.waitForURL('**/signed-in');
    await tab.getByText('Close this tab').waitFor();
    isLate = false;
    await notice.getByText('You have signed in again').waitFor();
    expect(await field.inputValue()).toBe(refusal);
    await tab.close();
    await card.getByRole('button', { name: 'Reject' }).click();
    await card.getByText('You rejected it.').waitFor();
    await his.getByRole('heading', { name: 'A supervisor said no' }).waitFor();
    await his.getByText(refusal).waitFor();
    for (const each of [page, his]) await each.context().close();
  });

  inBrowser('is shown with what changes and with one’s own, which others decide about', async (desk) => {
    const updates = new Updates(app);
    const held = new HeldPayments(app);
    const of = await updates.next();
    const { token, id } = await updates.asked(of, of.usual, 'REMOVE');
    await updates.confirm(token);
    const next = await updates.next();
    await held.open('sam', next.reference);
    expect(told(await updates.request(next, next.usual, 'REMOVE', {}, 'sam')).errors).toEqual([]);
    await updates.drain();
    await updates.confirm(await newestToken(app));
    const third = await updates.next();
    await updates.confirm((await updates.asked(third, third.usual, 'BILLING_ADDRESS')).token);
    await held.byRule(anas, { isProposal: true, effects: ['BLOCK_NEW'] });
    const proposed = await held.byRule(free, { isProposal: true, effects: ['REVIEW'] });
    const page = await desk.newPage();
    await desk.signInAs(page, 'sam', { path: '/approvals' });
    const card = cardOf(page, new RegExp(`Remove the method, ticket ${of.reference}`));
    await card.waitFor();
    expect(await card.textContent()).toContain('A rule of the policy: removes-default');
    expect(await card.getByRole('table').textContent()).toContain(of.usual.last4 as string);
    // From the old address to the new one, as far as the policy shows either; that something is masked is said.
    const address = cardOf(page, new RegExp(`Change the billing address, ticket ${third.reference}`));
    const changed = await address.getByRole('row', { name: /^Billing address/ }).textContent();
    expect(changed).toMatch(/, Galway, Co\. Galway, Ireland changed$/);
    expect(changed).not.toContain(newAddress.line1);
    expect(changed).not.toContain(newAddress.postalCode);
    expect(await address.textContent()).toContain('Dots stand for what the policy masks');
    const his = cardOf(page, new RegExp(`Remove the method, ticket ${next.reference}`));
    expect(await his.textContent()).toContain('somebody else of your team decides');
    expect(await his.getByRole('button').count()).toBe(0);
    const hold = cardOf(page, `Hold Hold on ticket ${anas}`);
    expect(await hold.textContent()).toContain('not now');
    const shown = await everything(page);
    for (const canary of await canaries()) expect(shown).not.toContain(canary);
    expect(shown).not.toMatch(/\b(?:\d[ -]?){12,18}\d\b/);
    await screenshots(desk, page, 'approvals', async (copy) => cardOf(copy, /./).first().waitFor());

    // Somebody else is quicker.
    const other = await issuer.token('chloe', { roles: ['SUPERVISOR'], teams: ['cards'] }, app.clock.now());
    expect(told(await app.as({ token: other }, approveUpdate, { id })).errors).toEqual([]);
    await card.getByText('Chloé Marchand approved it').waitFor();
    expect(await card.getByRole('button').count()).toBe(0);
    expect(told(await app.as({ token: other }, releaseMutation, { id: proposed })).errors).toEqual([]);
    await cardOf(page, `Hold Hold on ticket ${free}`).getByText('Decided by Chloé Marchand').waitFor();

    // All by keyboard.
    await address.getByRole('heading').focus();
    await tabTo(page, 'Approve');
    await page.keyboard.press('Enter');
    await address.getByText('on its way to the payment provider').waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toContain('You approved it.');
    await tabTo(page, 'Approve');
    await page.keyboard.press('Enter');
    await hold.getByText('it stops nothing before that is done').waitFor();
    await page.context().close();
  });

  inBrowser('says what is in the way, and what is old: no second factor, no gateway, no session', async (desk) => {
    const page = await desk.newPage();
    await desk.signInAs(page, 'sam', { secondFactor: false, path: '/approvals' });
    const notice = page.getByRole('link', { name: 'Sign in with a second factor' });
    await notice.waitFor();
    await expectAccessible(page);
    const [tab] = await Promise.all([page.context().waitForEvent('page'), notice.click()]);
    await desk.enterCode(tab);
    await tab.waitForURL('**/signed-in');
    await expectAccessible(tab);
    await tab.close();
    // It heard of it, and shows what it may by now.
    await page
      .getByText(/waits? for a decision|Nothing waits/)
      .first()
      .waitFor();
    await page.route('**/graphql', (route) => route.abort());
    await page.getByText('Not up to date').waitFor();
    await expectAccessible(page);
    await page.unroute('**/graphql');
    await page.getByText('Not up to date').waitFor({ state: 'detached' });
    await page.context().clearCookies();
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    expect(await page.getByRole('article').count()).toBe(0);
    await page.context().close();
  });
});

describe('alerts, holds and brakes', () => {
  inBrowser('alerts are notices without an assistance, told as they come, and resolved', async (desk) => {
    const page = await desk.newPage();
    await desk.signInAs(page, 'ana', { path: '/alerts' });
    await page.getByText('There is no such alert').waitFor();
    await app.app.sources.syncAll();
    await raiseOn(app, alerted);
    await page.getByRole('button', { name: 'Show 1 new' }).click();
    const notice = cardOf(page, new RegExp(`alert on ticket ${alerted}`));
    await notice.waitFor();
    expect(await notice.textContent()).not.toMatch(/attempts|Brazil|severity/);
    expect(await notice.getByRole('button').count()).toBe(0);
    await expectAccessible(page);
    await notice.getByRole('link', { name: `Open ticket ${alerted}` }).click();
    await page.getByText('You have access').first().waitFor();
    await go(page, '/alerts');
    const alert = cardOf(page, new RegExp(`Attempts from elsewhere: ticket ${alerted}`));
    await alert.waitFor();
    expect(await alert.textContent()).toContain('4 attempts to pay within an hour.');
    await screenshots(desk, page, 'alerts', async (copy) => cardOf(copy, /./).first().waitFor());
    await alert.getByRole('button', { name: 'Save' }).click();
    await alert.getByText('Choose one of the three.').waitFor();
    await alert.getByLabel('It was something else').check();
    await alert.getByRole('button', { name: 'Save' }).click();
    await alert.getByText('Saved: Something else.').waitFor();
    const [stored] = await app.app.database.query<{ resolution: string }>('SELECT resolution FROM risk_alert');
    expect(stored?.resolution).toBe('FALSE');
    await page.context().close();
  });

  inBrowser('holds are placed with honest words, extended, and let go', async (desk) => {
    const page = await atPanel('ana', anas);
    await page.getByText('You have access').first().waitFor();
    await go(page, '/holds');
    await page.getByRole('button', { name: 'Place a hold' }).click();
    await page.getByLabel('On the customer of ticket').selectOption({ label: anas });
    await page.getByLabel('The order isn’t fulfilled').check();
    await page.getByLabel('Why do you place it?').fill('The caller says that it was not them');
    await page.getByRole('button', { name: 'Place the hold' }).click();
    await page.getByText('You placed it').waitFor();
    await new HeldPayments(app).drain();
    await go(page, '/holds');
    const placed = cardOf(page, `Placed: ticket ${anas}`).filter({ hasText: 'An agent' });
    await placed.waitFor();
    for (const words of [
      'Somebody looks at each payment first: in force at the payment provider.',
      'The order isn’t fulfilled: in force only for systems that ask before a payment; the provider doesn’t know of it.',
    ])
      expect(await placed.textContent()).toContain(words);
    await screenshots(desk, page, 'holds', async (copy) => cardOf(copy, /./).first().waitFor());
    const his = await desk.newPage();
    await desk.signInAs(his, 'sam', { path: '/holds' });
    const asHeSeesIt = cardOf(his, `Placed: ticket ${anas}`).filter({ hasText: 'Ana Ferreira' });
    await asHeSeesIt.getByRole('button', { name: 'Extend' }).click();
    await asHeSeesIt.getByLabel('Why does it need longer?').fill('The bank answers tomorrow morning');
    await asHeSeesIt.getByRole('button', { name: 'Extend', exact: true }).click();
    await asHeSeesIt.getByText('You extended it').waitFor();
    await placed.getByRole('button', { name: 'Let go' }).click();
    await placed.getByLabel('Why do you let it go?').fill('They called again: it was them');
    await placed.getByRole('button', { name: 'Let go', exact: true }).click();
    await placed.getByText('You let it go').waitFor();
    for (const each of [page, his]) await each.context().close();
  });

  inBrowser('brakes are released by two people, not by whom they stop, nor twice by one', async (desk) => {
    const place = async (who: string, level: 'READS' | 'ASSISTANCES') => {
      const { data } = await app.as(who, '{ viewer { id } }');
      const placed = await app.app.database.system('worker', 'brake.place', (change) =>
        app.app.services.brakes.place(change, {
          stops: { actorId: data.viewer.id, staffIds: [] },
          teams: ['wallets'],
          level,
          rule: 'agent-breadth',
          ruleVersion: 1,
          signals: ['counterfoil/dsc_1'],
        }),
      );
      expect(placed).not.toBeNull();
    };
    await place('ben', 'READS');
    const [adas, ozs] = [await desk.newPage(), await desk.newPage()];
    await desk.signInAs(adas, 'ada', { path: '/brakes' });
    await cardOf(adas, /Stops/).getByRole('button', { name: 'Ask for release' }).click();
    await adas.getByLabel('Why should it be released?').fill('Talked to them: it was the stocktaking');
    await adas.getByRole('button', { name: 'Ask for release', exact: true }).click();
    await adas.getByText('You asked for its release. It stops until').waitFor();
    await go(adas, '/brakes');
    await adas.getByText('a second person releases it').waitFor();
    expect(
      await adas
        .getByRole('article')
        .getByRole('button', { name: /release/i })
        .count(),
    ).toBe(0);
    // Auditors look up who it is, and whoever may not is told so; what they see are ids.
    await adas.getByRole('button', { name: 'Say who these 2 are' }).click();
    await adas.getByText('Ben', { exact: false }).first().waitFor();
    expect(await adas.getByText('People are shown by their ids').count()).toBe(0);
    await screenshots(desk, adas, 'brakes', async (copy) => cardOf(copy, /./).first().waitFor());
    await desk.signInAs(ozs, 'oz', { path: '/brakes' });
    const card = cardOf(ozs, /Stops still/);
    await ozs.getByText('People are shown by their ids here.').waitFor();
    expect(await ozs.getByRole('button', { name: /^Say who/ }).count()).toBe(0);
    // What somebody wrote is not for whoever operates.
    expect(await card.textContent()).toContain('Not shown');
    await card.getByRole('button', { name: 'Release' }).click();
    await ozs.getByLabel('Why do you release it?').fill('Seen the stocktaking list myself');
    await ozs.getByRole('button', { name: 'Release', exact: true }).click();
    await ozs.getByText('You released it.').waitFor();
    const sams = await desk.newPage();
    await desk.signInAs(sams, 'sam', { path: '/brakes' });
    await cardOf(sams, /Released/).waitFor();
    await place('sam', 'ASSISTANCES');
    await sams.getByRole('button', { name: 'Show 1 new' }).click();
    const stopped = cardOf(sams, /Brake on you/);
    await stopped.getByText('It stops you: two others release it.').waitFor();
    expect(await stopped.getByRole('button').count()).toBe(0);
    // Of a full page: what one more moves behind its end hasn't changed. The pages of twenty are made of a real answer.
    const ofTwenty = async (route: Route) => {
      const { query } = route.request().postDataJSON() as { query: string };
      if (!/query Brake(?:List|sNow)\b/.test(query)) return route.fallback();
      const response = await route.fetch();
      const { data: real } = await response.json();
      const nodes = Array.from({ length: 21 }, (_, at) => ({ ...real.brakes.nodes[0], id: `brk_${at}` }));
      const brakes = { ...real.brakes, nodes: query.includes('BrakesNow') ? nodes.slice(0, 20) : nodes.slice(1) };
      brakes.pageInfo = { ...brakes.pageInfo, hasNextPage: true, endCursor: 'more' };
      return route.fulfill({ response, json: { data: { brakes } } });
    };
    await sams.route('**/graphql', ofTwenty);
    await go(sams, '/brakes');
    await sams.getByRole('button', { name: 'Show 1 new' }).waitFor();
    expect(await sams.getByRole('article').count()).toBe(20);
    expect(await sams.getByText('It has changed since it was shown here.').count()).toBe(0);
    await sams.unroute('**/graphql', ofTwenty);
    // A sign-out that doesn't arrive isn't one.
    await sams.route('**/sign-out', (route) => route.abort());
    await sams.getByRole('button', { name: 'Sign out' }).click();
    await sams.getByText('You are still signed in').waitFor();
    await sams.unroute('**/sign-out');
    for (const each of [adas, ozs, sams]) await each.context().close();
  });
});
