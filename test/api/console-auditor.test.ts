import { readFileSync } from 'node:fs';
import type { Page, Route } from 'playwright-core';
import { signCheckpoint } from '../../src/audit/checkpoint';
import { formatVerifierKey, generateSignerKey, parseVerifierKey, verifierKeyOf } from '../../src/audit/note';
import { signersOf } from '../../src/ledger/checkpoints';
import { signingKeyText } from '../../src/ledger/signing-key-file';
import { told } from '../support/answers';
import { verifyExport } from '../support/both-verifiers';
import { ConsoleApp, expectAccessible, screenshots, tabTo } from '../support/console';

let desk: ConsoleApp | null;
let page: Page;
let eventId: string;
let ticketId: string;
let customerId: string;
/** What the log is about and never says: names and addresses of the customer whom Ana was shown. */
let canaries: readonly string[];
let key: string;

const context = `query ($source: String!, $reference: String!) { ticketByReference(source: $source, reference: $reference) {
  id subject customer { displayName email paymentMethods { last4 } } } }`;
const turn = () => desk?.app.app.signingLog?.sequencer.turn();

beforeAll(async () => {
  desk = await ConsoleApp.start();
  if (!desk) return;
  const { app } = desk;
  const { data } = told(await app.as('ana', '{ tickets(first: 20) { nodes { source reference } } }'));
  for (const { source, reference } of data.tickets.nodes as { source: string; reference: string }[]) {
    const { ticketByReference: ticket } = told(await app.as('ana', context, { source, reference })).data;
    if (!ticket?.customer?.displayName) continue;
    ticketId = ticket.id;
    canaries = [ticket.customer.displayName, ticket.subject].filter((text) => text && text.length > 4);
    break;
  }
  await app.as('ana', '{ auditCounts(from: "2026-09-01T00:00:00Z", before: "2026-09-02T00:00:00Z") { count } }');
  await turn();
  const found = told(
    await app.as(
      'ada',
      'query ($ticket: ID) { auditEvents(filter: { action: "disclosure", ticketId: $ticket }) { nodes { id } } }',
      {
        ticket: ticketId,
      },
    ),
  );
  eventId = found.data.auditEvents.nodes[0].id;
  const [row] = await app.app.database.query<{ customer_id: string }>('SELECT customer_id FROM assistance LIMIT 1');
  customerId = row?.customer_id ?? '';
  const { origin, signingKey } = app.app.config.audit;
  const signers = signersOf(origin, signingKey === null ? '' : signingKeyText(signingKey));
  key = signers.map(verifierKeyOf).map(formatVerifierKey).join('\n');
  page = await desk.newPage();
  await desk.signInAs(page, 'ada');
}, 240_000);
afterAll(() => desk?.stop());
afterEach(() => desk?.expectNothingWrong());

const at = (path: string) => `${desk?.address}${path}`;
const event = () => at(`/log/events/${eventId}`);
const keyField = (of: Page = page) => of.getByLabel('The log’s public key, from you', { exact: true });
const verdict = (of: Page = page) => of.locator('[data-verdict]');

/** What the page says of a proof, and of each of its steps. */
const said = async (of: Page = page) => {
  await verdict(of).waitFor();
  const steps = await of
    .locator('[data-step]')
    .evaluateAll((all) => all.map((each) => [each.getAttribute('data-step'), each.getAttribute('data-state')]));
  return { verdict: await verdict(of).getAttribute('data-verdict'), steps: Object.fromEntries(steps) as Record<string, string> };
};
const prove = async (own = key, of: Page = page) => {
  await of.goto(event());
  await keyField(of).fill(own);
  await of.getByRole('button', { name: 'Prove it' }).click();
  return said(of);
};
const fits = { event: 'shown', leaf: 'shown', hash: 'shown', path: 'shown', root: 'shown', signature: 'shown', anchors: 'open' };

describe('the log, as an auditor sees it', () => {
  it('is where they begin, says each event in words, and filters by what stands in the address', async () => {
    if (!desk) return;
    await page.waitForURL(at('/log'));
    const screens = page.getByRole('navigation', { name: 'Screens' }).getByRole('link');
    expect((await screens.allInnerTexts()).filter((name) => name === 'Log')).toHaveLength(1);
    await page.getByText('A source is configured for the first time.').first().waitFor();
    expect(await page.getByRole('table').innerText()).toMatch(/\d\d:\d\d:\d\d UTC/);
    await page.getByLabel('Event', { exact: true }).selectOption('assistance.begin');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.waitForURL(at('/log?action=assistance.begin'));
    await page.getByText('An actor opened a ticket, and an assistance began by itself.').first().waitFor();
    expect(await page.getByText('A source is configured').count()).toBe(0);
    // The same address shows the same to whoever gets it.
    await page.reload();
    await page.getByText('An actor opened a ticket, and an assistance began by itself.').first().waitFor();
    expect(await page.getByLabel('Event', { exact: true }).inputValue()).toBe('assistance.begin');
    await page
      .getByRole('link', { name: /^Assistance/ })
      .first()
      .click();
    await page.waitForURL(/\/log\?type=Assistance&subject=ast_\w+$/);
    await page.getByRole('table').waitFor();
  });

  it('puts nothing into the address but ids, times and names of events', async () => {
    if (!desk) return;
    await page.goto(at('/log'));
    for (const [label, typed] of [
      ['Customer’s id', 'quill@people.example.com'],
      ['Actor’s id', 'Ana Quill'],
      ['About what: its id', '4242424242424242'],
    ] as const) {
      await page.getByLabel(label, { exact: true }).fill(typed);
      await page.getByRole('button', { name: 'Show', exact: true }).click();
      await page.locator('[aria-invalid=true]').waitFor();
      expect(page.url()).toBe(at('/log'));
      await page.getByLabel(label, { exact: true }).fill('');
    }
    await page.goto(at('/log?customer=quill%40people.example.com&action=nothing&from=yesterday'));
    await page.getByRole('table').waitFor();
    expect(await page.getByLabel('Customer’s id', { exact: true }).inputValue()).toBe('');
  });

  it('says who saw a customer, what led to what, how often who did what, and who an actor is only when asked', async () => {
    if (!desk) return;
    await page.goto(at('/log'));
    await page.getByRole('textbox', { name: 'Look at one' }).fill(customerId);
    await page.keyboard.press('Enter');
    await page.waitForURL(at(`/log/customers/${customerId}`));
    await page.getByText('mask:email').first().waitFor();
    await page.goto(at(`/log/trails/${ticketId}`));
    await page.getByRole('heading', { name: 'assistance.begin' }).first().waitFor();
    await page.goto(at('/log/counts'));
    const bars = page.getByRole('figure');
    await bars.getByText('disclosure', { exact: true }).waitFor();
    const counted = await page.getByRole('table').locator('tbody tr', { hasText: 'denial' }).first().innerText();
    expect(counted).toMatch(/Denied\s+\d/);

    const lookedUp = async () =>
      told((await desk?.app.as('ada', '{ auditEvents(filter: { action: "disclosure" }) { totalCount } }')) as never).data
        .auditEvents.totalCount as number;
    await page.goto(event());
    await page.getByRole('button', { name: 'Say who this is' }).waitFor();
    await turn();
    const before = await lookedUp();
    await page.getByRole('button', { name: 'Say who this is' }).click();
    await page.locator('.who-asked li').waitFor();
    await turn();
    expect(await lookedUp()).toBeGreaterThan(before);
  });
});

describe('a long log', () => {
  it('is scrolled from end to end with only the rows near the window in the document', async () => {
    if (!desk) return;
    const total = 5_000;
    // So many events take long to make: what stands in for them here is what the graph would answer, page by page.
    const [sample] = told(
      await desk.app.as(
        'ada',
        '{ auditEvents(filter: { action: "disclosure" }, first: 1) { nodes { id at action outcome actor { id kind roles } ticketId assistanceId subject { type id } leafIndex } } }',
      ),
    ).data.auditEvents.nodes as [Record<string, unknown>];
    const answer = async (route: Route) => {
      const { query, variables } = route.request().postDataJSON() as { query: string; variables: { after: string | null } };
      if (!query.includes('LogPage')) return route.fallback();
      const start = Number(variables.after ?? 0);
      const nodes = Array.from({ length: 100 }, (_, place) => ({
        ...sample,
        id: `evt_${String(start + place).padStart(26, '0')}`,
        leafIndex: start + place,
      }));
      const pageInfo = { hasNextPage: start + 100 < total, endCursor: String(start + 100) };
      const auditEvents = { nodes, totalCount: total, pageInfo, rowsCheckedTo: 0, rowFindings: 0 };
      await route.fulfill({ json: { data: { auditEvents } } });
    };
    await page.route('**/graphql', answer);
    await page.goto(at('/log'));
    const rows = page.locator('table.events tbody:not(.spacer) tr');
    await rows.first().waitFor();
    const status = page.locator('.actions p[role=status]');
    for (let most = 0; !(await status.innerText()).startsWith('5,000 of'); most += 1) {
      expect(most).toBeLessThan(2_000);
      await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
      await page.waitForTimeout(20);
      expect(await rows.count()).toBeLessThanOrEqual(140);
    }
    const until = async (seen: string) => {
      for (let tries = 0; (await page.evaluate(seen)) !== true; tries += 1) {
        expect(tries).toBeLessThan(200);
        await page.waitForTimeout(50);
      }
    };
    await until(
      'scrollTo(0, document.documentElement.scrollHeight); document.querySelector(`tr[aria-rowindex="5001"]`) !== null',
    );
    expect(await page.getByRole('table').getAttribute('aria-rowcount')).toBe('5001');
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight / 2)');
    await until(
      '[...document.querySelectorAll("table.events tbody:not(.spacer) tr")].some((row) => row.getBoundingClientRect().top < innerHeight && row.getBoundingClientRect().bottom > 0)',
    );
    const middle = Number(await rows.first().getAttribute('aria-rowindex'));
    expect(middle).toBeGreaterThan(1_500);
    expect(middle).toBeLessThan(3_500);
    await page.evaluate('scrollTo(0, 0)');
    await page.locator('tr[aria-rowindex="2"]').waitFor();
    expect(await rows.count()).toBeLessThanOrEqual(140);
    await page.unroute('**/graphql', answer);
  });
});

describe('a proof in the browser', () => {
  it('goes from the event to the signed root, and says by whose key', async () => {
    if (!desk) return;
    expect(await prove()).toEqual({ verdict: 'PROVEN', steps: fits });
    expect(await page.locator('[data-step=leaf] pre').innerText()).toContain(`"id":"${eventId}"`);
    await page.getByText(/One signature was also checked by this browser/).waitFor();
    await page.getByText('Anything, if this page lies to you: the log’s owner serves it.').waitFor();
    expect(await prove('')).toEqual({ verdict: 'OFFERED_KEY', steps: fits });
    await page.getByText('That this is the log’s, you have from nobody else.', { exact: false }).waitFor();
    const other = formatVerifierKey(verifierKeyOf(generateSignerKey(parseVerifierKey(key).name)));
    expect(await prove(other)).toEqual({ verdict: 'NOT_PROVEN', steps: { ...fits, signature: 'wrong' } });
    await keyField().fill('no key');
    await page.getByRole('button', { name: 'Prove it' }).click();
    await page.getByText('A key that you gave can’t be read. Nothing was proven.').waitFor();
    expect(await verdict().count()).toBe(0);
    // What was brought along is kept nowhere.
    expect(await page.evaluate('[Object.keys(localStorage), Object.keys(sessionStorage)]')).toEqual([[], []]);
  });

  const otherDigit = (text: string, place: number) =>
    `${text.slice(0, place)}${text[place] === 'a' ? 'b' : 'a'}${text.slice(place + 1)}`;
  type Proof = { path: string[]; rootHash: string; leafHash: string; checkpoint: { note: string } };
  const proofs: Readonly<Record<string, readonly [change: (proof: Proof) => void, step: string]>> = {
    'a hash of the path': [
      (proof) => {
        proof.path[1] = otherDigit(proof.path[1] as string, 17);
      },
      'path',
    ],
    'the leaf’s hash': [
      (proof) => {
        proof.leafHash = otherDigit(proof.leafHash, 3);
      },
      'event',
    ],
    'the root': [
      (proof) => {
        proof.rootHash = otherDigit(proof.rootHash, 60);
      },
      'root',
    ],
    'the root that was signed': [
      (proof) => {
        const lines = proof.checkpoint.note.split('\n');
        lines[2] = otherDigit(lines[2] as string, 5);
        proof.checkpoint.note = lines.join('\n');
      },
      'root',
    ],
    'the signature': [
      (proof) => {
        const { note } = proof.checkpoint;
        proof.checkpoint.note = otherDigit(note, note.lastIndexOf(' ') + 30);
      },
      'signature',
    ],
  };

  it.each(Object.entries(proofs))(
    'says where it fails when %s was changed by a byte on the way',
    async (_name, [change, step]) => {
      if (!desk) return;
      const alter = async (route: Route) => {
        if (!route.request().postData()?.includes('EventProof')) return route.fallback();
        const response = await route.fetch();
        const body = (await response.json()) as { data: { auditInclusionProof: Proof } };
        change(body.data.auditInclusionProof);
        await route.fulfill({ response, json: body });
      };
      await page.route('**/graphql', alter);
      const { verdict: found, steps } = await prove();
      await page.unroute('**/graphql', alter);
      const order = Object.keys(fits);
      expect([found, order.find((name) => steps[name] === 'wrong')]).toEqual(['NOT_PROVEN', step]);
      await expectAccessible(page);
    },
  );

  it.each(['"disclosure"', '"salt":"'])('says that the leaf is another one when a byte behind %s was changed', async (mark) => {
    if (!desk) return;
    const alter = async (route: Route) => {
      // A browser says itself that it asks its own origin; what stands in its place here is asked to.
      const response = await route.fetch({ headers: { ...route.request().headers(), 'sec-fetch-site': 'same-origin' } });
      const text = await response.text();
      const leaf = text.indexOf(mark, text.indexOf('"leaf":'));
      await route.fulfill({ response, body: otherDigit(text, leaf + mark.length - (mark === '"disclosure"' ? 2 : 0)) });
    };
    await page.route('**/audit/export?**', alter);
    const { verdict: found, steps } = await prove();
    await page.unroute('**/audit/export?**', alter);
    expect(found).toBe('NOT_PROVEN');
    expect(steps).toMatchObject({ hash: 'wrong', path: 'open', root: 'open', signature: 'shown' });
  });

  it('shows of a leaf what isn’t seen or turns the text, in its place', async () => {
    if (!desk) return;
    const alter = async (route: Route) => {
      const response = await route.fetch({ headers: { ...route.request().headers(), 'sec-fetch-site': 'same-origin' } });
      const text = await response.text();
      await route.fulfill({ response, body: text.replaceAll('"salt":"', '"salt":"\u202e\u200b\u009b\u{e0041}') });
    };
    await page.route('**/audit/export?**', alter);
    expect((await prove()).verdict).toBe('NOT_PROVEN');
    await page.unroute('**/audit/export?**', alter);
    const text = await page.locator('[data-step=leaf] pre').textContent();
    expect(text).toContain('"salt":"\\u202e\\u200b\\u009b\\udb40\\udc41');
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    await page.getByText('It has characters that aren’t seen', { exact: false }).waitFor();
  });

  it('says that the event is told otherwise than its leaf has it', async () => {
    if (!desk) return;
    const alter = async (route: Route) => {
      if (!route.request().postData()?.includes('LogEvent')) return route.fallback();
      const response = await route.fetch();
      const text = await response.text();
      await route.fulfill({ response, body: text.replaceAll('"AGENT"', '"AUDITOR"') });
    };
    await page.route('**/graphql', alter);
    expect(await prove()).toEqual({ verdict: 'NOT_PROVEN', steps: { ...fits, event: 'wrong' } });
    await page.unroute('**/graphql', alter);
    await page.getByText('The leaf says something else than this page shows, of: roles.').waitFor();
  });
});

describe('checkpoints', () => {
  const compare = async (kept: string, own = key) => {
    await page.goto(at('/log/checkpoints'));
    await page.getByLabel('The checkpoint that you kept', { exact: true }).fill(kept);
    await keyField().fill(own);
    await page.getByRole('button', { name: 'Compare' }).click();
    return said();
  };

  it('say that nobody else holds the log, how fresh it is, and whether it continues one that was kept', async () => {
    if (!desk) return;
    await page.goto(at('/log/checkpoints'));
    await page.getByText('UNANCHORED', { exact: true }).waitFor();
    expect(await page.locator('[data-fresh]').getAttribute('data-fresh')).toBe('true');
    const kept = await page.locator('pre').first().innerText();
    // The log goes on.
    await desk.app.as('ana', '{ auditCounts(from: "2026-09-01T00:00:00Z", before: "2026-09-02T00:00:00Z") { count } }');
    desk.app.clock.forward(61_000);
    await desk.app.as('ana', '{ viewer { id } tickets(first: 1) { nodes { subject } } }');
    await turn();
    const shown = { kept: 'shown', current: 'shown', origin: 'shown', path: 'shown' };
    expect(await compare(`${kept.trimEnd()}\n`)).toEqual({ verdict: 'PROVEN', steps: shown });
    expect(await compare(`${kept.trimEnd()}\n`, '')).toEqual({ verdict: 'OFFERED_KEY', steps: shown });
    await page.getByLabel('Or from a file: The checkpoint that you kept').setInputFiles({
      name: 'checkpoint.txt',
      mimeType: 'text/plain',
      buffer: Buffer.from('not a checkpoint'),
    });
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByText('What you gave isn’t a checkpoint as it was kept. Nothing was compared.').waitFor();

    const { origin, signingKey } = desk.app.app.config.audit;
    const signers = signersOf(origin, signingKey === null ? '' : signingKeyText(signingKey));
    const [, size = ''] = kept.split('\n');
    const forged = (of: number) => signCheckpoint({ origin, size: of, root: Buffer.alloc(32, 7), extensions: [] }, signers);
    expect(await compare(forged(Number(size)))).toEqual({ verdict: 'NOT_PROVEN', steps: { ...shown, path: 'wrong' } });
    expect(await compare(forged(1_000_000))).toEqual({ verdict: 'NOT_PROVEN', steps: { ...shown, path: 'wrong' } });
    await page.getByText(/its end is gone/).waitFor();
    const elsewhere = generateSignerKey('audit.example/another');
    const another = signCheckpoint({ origin: elsewhere.name, size: 3, root: Buffer.alloc(32, 7), extensions: [] }, [elsewhere]);
    expect(await compare(another, `${key}\n${formatVerifierKey(verifierKeyOf(elsewhere))}`)).toEqual({
      verdict: 'NOT_PROVEN',
      steps: { kept: 'shown', current: 'shown', origin: 'wrong', path: 'open' },
    });
  });
});

describe('exports', () => {
  it('are what the verifier takes, as NDJSON and as CSV with its manifest; the verifier comes with its digest', async () => {
    if (!desk) return;
    await page.goto(at('/log/exports'));
    const reading = (bytes: Buffer) => {
      let left = bytes;
      return (into: Buffer) => {
        const count = left.copy(into);
        left = left.subarray(count);
        return count;
      };
    };
    const keys = key.split('\n').map(parseVerifierKey);
    const taken = async (count: number) => {
      const downloads: Promise<[string, Buffer]>[] = [];
      const all = new Promise<void>((resolve) => {
        page.on('download', (download) => {
          downloads.push(download.path().then((path) => [download.suggestedFilename(), readFileSync(path)]));
          if (downloads.length === count) resolve();
        });
      });
      await page.getByRole('button', { name: 'Export', exact: true }).click();
      await all;
      page.removeAllListeners('download');
      return new Map(await Promise.all(downloads));
    };
    const ndjson = (await taken(1)).get('counterfoil-audit.ndjson') as Buffer;
    expect(verifyExport(reading(ndjson), { keys })).toMatchObject({ ok: true, withheld: 0 });
    await page.getByText(/^Exported: /).waitFor();
    await page.getByLabel('Format').selectOption('csv');
    const files = await taken(2);
    const csv = files.get('counterfoil-audit.csv') as Buffer;
    const manifest = files.get('counterfoil-audit.csv.manifest.ndjson') as Buffer;
    expect(verifyExport(reading(manifest), { keys, csv: reading(csv) })).toMatchObject({ ok: true });

    const link = page.getByRole('link', { name: 'counterfoil-verify.html' });
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    expect(download.suggestedFilename()).toBe('counterfoil-verify.html');
    expect(await page.locator('.file-digest').first().innerText()).toMatch(/^SHA-256 [0-9a-f]{64}$/);
  });
});

describe('the report', () => {
  it('counts what was shown in some days, and says which days it takes', async () => {
    if (!desk) return;
    await page.goto(at('/log/exports'));
    const days = async (from: string, before: string) => {
      await page.locator('#report-from').fill(from);
      await page.locator('#report-before').fill(before);
      await page.getByRole('button', { name: 'Count', exact: true }).click();
    };
    const today = desk.app.clock.now().getTime();
    const dayOf = (days: number) => new Date(today + days * 86_400_000).toISOString().slice(0, 10);
    await days(dayOf(1), dayOf(0));
    await page.getByText('Expected two days, the first before the second').waitFor();
    await expectAccessible(page);
    await days(dayOf(-1), dayOf(1));
    const table = page.getByRole('table', { name: 'What was shown, by role, field and purpose' });
    await table.getByText('Customer.displayName').first().waitFor();
    const shown = await page.content();
    for (const canary of canaries) expect(shown).not.toContain(canary);
    await expectAccessible(page);
  });
});

describe('what isn’t there', () => {
  it('is told: no second factor, no such event, a gateway that doesn’t answer or has too much to do', async () => {
    if (!desk) return;
    const other = await desk.newPage();
    await desk.signInAs(other, 'ada', { secondFactor: false, path: '/log' });
    await other.locator('[data-reason=MFA_REQUIRED]').waitFor();
    await expectAccessible(other);
    await other.goto(at('/log/exports'));
    await other.getByRole('button', { name: 'Export', exact: true }).click();
    await other.locator('[data-reason=MFA_REQUIRED] a').waitFor();
    await expectAccessible(other);
    await desk.signInAs(other, 'ana', { path: '/log/counts' });
    await other.locator('[data-code=DENIED]').waitFor();
    await other.goto(event());
    await other.context().close();

    await page.goto(at('/log/events/evt_01M8PZDY4BWRGA9VB3380JPAFQ'));
    await page.locator('[data-code=NOT_FOUND]').waitFor();
    await page.goto(event());
    await page.getByRole('button', { name: 'Prove it' }).waitFor();
    await page.route('**/audit/export?**', (route) => route.abort());
    await page.getByRole('button', { name: 'Prove it' }).click();
    await page.locator('[data-code=OFFLINE]').waitFor();
    await page.unroute('**/audit/export?**');
    await page.route('**/audit/export?**', (route) =>
      route.fulfill({
        status: 503,
        json: {
          errors: [{ message: 'Too many exports are being written.', extensions: { code: 'OVERLOADED', retryAfter: 30 } }],
        },
      }),
    );
    await page.getByRole('button', { name: 'Prove it' }).click();
    await page.locator('[data-code=OVERLOADED]').waitFor();
    await page.getByText('Try again in 30 seconds.').waitFor();
    await expectAccessible(page);
    await page.unroute('**/audit/export?**');
  });
});

describe('by keyboard alone, and in every look', () => {
  it('an event is found, opened and proven', async () => {
    if (!desk) return;
    await page.goto(at('/log'));
    await page.getByRole('table').waitFor();
    await tabTo(page, /"Look at one"$/);
    await page.keyboard.type(eventId);
    await page.keyboard.press('Enter');
    await page.waitForURL(event());
    await page.getByRole('button', { name: 'Prove it' }).waitFor();
    await tabTo(page, /The log’s public key, from you"$/);
    await page.keyboard.insertText(key);
    await tabTo(page, /^button "Prove it"$/);
    await page.keyboard.press('Enter');
    expect(await said()).toEqual({ verdict: 'PROVEN', steps: fits });
    // The verdict has the keyboard, so that it is read out.
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Proven, by your key');
  });

  const shows: Readonly<Record<string, readonly [path: () => string, there: string]>> = {
    log: [() => '/log', 'table'],
    event: [() => `/log/events/${eventId}`, 'form textarea'],
    customer: [() => `/log/customers/${customerId}`, 'table'],
    trail: [() => `/log/trails/${ticketId}`, 'ol.trail'],
    counts: [() => '/log/counts', 'figure'],
    checkpoints: [() => '/log/checkpoints', 'pre'],
    exports: [() => '/log/exports', '.file-digest'],
  };
  it.each(Object.entries(shows))('%s is there for everybody, and names nobody', async (name, [path, there]) => {
    if (!desk) return;
    await page.goto(at(path()));
    await screenshots(desk, page, `auditor ${name}`, async (copy) => {
      await copy.locator(there).first().waitFor();
      if (name === 'event') {
        await copy.locator('form textarea').first().fill(key);
        await copy.locator('form button[type=submit]').click();
        await verdict(copy).waitFor();
      }
      const shown = `${await copy.content()} ${copy.url()} ${await copy.title()} ${await copy.evaluate('JSON.stringify({ ...localStorage, ...sessionStorage })')}`;
      for (const canary of canaries) expect(shown).not.toContain(canary);
    });
  });
});
