import type { Page, Route } from 'playwright-core';
import { demoTickets } from '../../src/development/merchant/cast';
import { raised, raiseOn } from '../support/alerts';
import { denied, emptied, turned } from '../support/altered-answers';
import { ConsoleApp, expectAccessible } from '../support/console';
import { HeldPayments } from '../support/holds';

let desk: ConsoleApp | null;
const ids = { event: '', customer: '', ticket: '' };
beforeAll(async () => {
  desk = await ConsoleApp.start();
  if (!desk) return;
  const { app } = desk;
  const look = async (reference: string) =>
    (
      await app.as(
        'ana',
        'query($reference: String!) { ticketByReference(source: "demo", reference: $reference) { id customer { id email } } }',
        {
          reference,
        },
      )
    ).data.ticketByReference;
  const shown = await look(demoTickets.own.reference);
  [ids.ticket, ids.customer] = [shown.id, shown.customer.id];
  const { id: ticketId } = await look(demoTickets.unassigned.reference);
  const ask =
    'mutation($ticketId: ID!) { beginAssistance(input: { ticketId: $ticketId, purpose: OTHER, reason: "They are on the telephone" }) { state } }';
  await app.as('ana', ask, { ticketId });
  raised(await raiseOn(app, demoTickets.own.reference));
  await new HeldPayments(app).byRule(demoTickets.own.reference, { isProposal: true });
  const { data } = await app.as('ben', '{ viewer { id } }');
  await app.app.database.system('worker', 'brake.place', (change) =>
    app.app.services.brakes.place(change, {
      stops: { actorId: data.viewer.id, staffIds: [] },
      teams: ['wallets'],
      level: 'READS',
      rule: 'agent-breadth',
      ruleVersion: 1,
      signals: ['counterfoil/dsc_1'],
    }),
  );
  await app.app.signingLog?.sequencer.turn();
  [ids.event = ''] = (await app.events('disclosure')).map(({ id }) => String(id));
}, 240_000);
afterAll(() => desk?.stop());
afterEach(() => desk?.expectNothingWrong());

type Mode = 'held' | 'offline' | 'denied' | 'empty' | 'partial' | 'turned' | 'usual' | 'signed out';
type Body = { readonly query: string };

/** What the gateway answers to a page, faults and all, by what is in force just now. Who somebody is it says as usual. */
const answering = async (of: ConsoleApp, page: Page, mode: { now: Mode }): Promise<void> => {
  const { fields } = of.app.app.services.policy.classification;
  await page.route('**/graphql', async (route: Route) => {
    const { query } = route.request().postDataJSON() as Body;
    if (mode.now === 'signed out')
      return route.fulfill({ status: 401, json: { errors: [{ message: 'Nobody.', extensions: { code: 'UNAUTHENTICATED' } }] } });
    if (mode.now === 'usual' || query.includes('query WhoAmI')) return route.continue();
    while (mode.now === 'held') await new Promise((done) => setTimeout(done, 20));
    if (mode.now === 'offline') return route.abort().catch(() => undefined);
    if (mode.now === 'denied') {
      const extensions = { code: 'DENIED', reason: 'ROLE', rule: 'Query.something', remedy: 'Ask the payments team.' };
      return route.fulfill({ json: { data: null, errors: [{ message: 'Denied.', path: ['something'], extensions }] } });
    }
    const response = await route.fetch();
    const answer = await response.json();
    const alter = {
      empty: emptied,
      turned,
      partial: (text: string, of: typeof answer) => denied(text, of, (each) => fields.get(each)?.policed === true),
    };
    return route.fulfill({ response, json: alter[mode.now](query, answer) });
  });
};

/** Letters of ours that stand in another order than they are written in, and marks that end what is around them. Runs in the page. */
const notInOrder = (): string[] => {
  // biome-ignore lint/suspicious/noExplicitAny: runs in the browser
  type Any = any;
  const { document, NodeFilter } = globalThis as Any;
  const found: string[] = [];
  const [start, end, override] = ['\u2068', '\u2069', '\u202e'];
  /** How many isolates are open before each character; less than none where one of somebody else's around it was ended. */
  const depths = (text: string): number[] => {
    let depth = 0;
    return [...text].map((each) => {
      if (each === end) depth -= 1;
      const here = depth;
      if (each === start || each === '\u2066' || each === '\u2067') depth += 1;
      return here;
    });
  };
  const isOpen = (text: string): boolean => {
    const all = depths(text);
    return [...text].some((each, at) => (all[at] as number) < 0 || (each === override && all[at] === 0));
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const { data, parentElement } = node as Any;
    if (data.trim() === '' || parentElement.closest('script, style')) continue;
    const isForeign = parentElement.closest('bdi') !== null;
    if (isForeign) {
      if (depths(data).some((depth) => depth < 0)) found.push(`ended: ${data}`);
      continue;
    }
    if (!parentElement.checkVisibility()) continue;
    // What is isolated, and what somebody else wrote.
    const other = [...data.matchAll(/\u2068[^\u2069]*\u2069|\u2069?\u202eabc/g)].map(({ 0: part, index }) => [
      index,
      index + part.length,
    ]);
    const theirs = (at: number): boolean => other.some(([from, to]) => at >= from && at < to);
    const place = (at: number): Any => {
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + 1);
      return range.getBoundingClientRect();
    };
    for (let at = 0; at + 1 < Math.min(data.length, 160); at += 1) {
      if (theirs(at) || theirs(at + 1) || !/^\w\w$/.test(data.slice(at, at + 2))) continue;
      const [one, next] = [place(at), place(at + 1)];
      if (one.width > 0 && Math.abs(one.top - next.top) < 2 && next.left < one.left) {
        found.push(`turned: ${data}`);
        break;
      }
    }
  }
  for (const each of document.querySelectorAll('[title], [aria-label], [placeholder], [label]'))
    for (const name of ['title', 'aria-label', 'placeholder', 'label']) {
      const text = each.getAttribute(name);
      if (text !== null && isOpen(text)) found.push(`open, as ${name}: ${text}`);
    }
  return found;
};

const screens: readonly (readonly [string, string, () => string])[] = [
  ['tickets', 'ana', () => '/tickets'],
  ['the panel of a ticket', 'ana', () => `/t/demo/${demoTickets.own.reference}`],
  ['approvals', 'sam', () => '/approvals'],
  ['alerts', 'ana', () => '/alerts'],
  ['holds', 'ana', () => '/holds'],
  ['brakes', 'sam', () => '/brakes'],
  ['the log', 'ada', () => '/log'],
  ['counts of the log', 'ada', () => '/log/counts'],
  ['checkpoints', 'ada', () => '/log/checkpoints'],
  ['an event', 'ada', () => `/log/events/${ids.event}`],
  ['who saw a customer, of the log', 'ada', () => `/log/customers/${ids.customer}`],
  ['a trail', 'ada', () => `/log/trails/${ids.ticket}`],
  ['the policy', 'pia', () => '/policy'],
  ['a preview', 'pia', () => '/policy/preview'],
  ['who saw a customer', 'pru', () => `/people?customer=${ids.customer}`],
  ['operations', 'oz', () => '/operations'],
];

describe('each state, on the screen of', () => {
  it.each(screens)(
    '%s',
    async (_, user, path) => {
      if (!desk) return;
      const page = await desk.newPage();
      const mode: { now: Mode } = { now: 'held' };
      await answering(desk, page, mode);
      await desk.signInAs(page, user, { path: path() });
      const main = page.locator('main');
      const fault = page.getByText('This part of the page failed.');
      await page.getByText('Loading …').first().waitFor();
      mode.now = 'offline';
      await main.getByText('The gateway can’t be reached').first().waitFor();
      mode.now = 'denied';
      // As a browser says that there is a network again: all is asked for once more.
      const again = async (next: Mode) => {
        mode.now = next;
        // What is in the log doesn't change: once it is there it isn't asked for any more.
        if (path() === '/log') {
          await page.reload();
          return page.getByText('Loading …').first().waitFor({ state: 'detached' });
        }
        const answered = page.waitForResponse(
          (response) => response.url().endsWith('/graphql') && !(response.request().postData() ?? '').includes('WhoAmI'),
        );
        await page.evaluate('dispatchEvent(new Event("online"))');
        await answered;
      };
      await main.getByRole('button', { name: 'Ask again' }).first().click();
      await main.getByText('You may not see this').first().waitFor();
      await again('empty');
      await main.getByText('You may not see this').first().waitFor({ state: 'detached' });
      expect(await fault.count()).toBe(0);
      await expectAccessible(page);
      await again('partial');
      await page.waitForTimeout(100);
      expect(await fault.count()).toBe(0);
      await expectAccessible(page);
      await again('turned');
      await page.waitForTimeout(100);
      expect(await fault.count()).toBe(0);
      expect(await page.evaluate(notInOrder)).toEqual([]);
      if (path() !== '/log') {
        mode.now = 'offline';
        await page.evaluate('dispatchEvent(new Event("online"))');
        await main.getByText('Not up to date').first().waitFor();
      }
      mode.now = 'signed out';
      await page.evaluate('dispatchEvent(new Event("online"))');
      await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
      await page.context().close();
    },
    120_000,
  );
});
