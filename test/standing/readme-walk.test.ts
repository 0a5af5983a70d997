import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { demoTickets } from '../../src/development/merchant/cast';
import { BuiltGateway, type Finished } from '../support/built';
import { launchChromium } from '../support/chromium';
import { blockUnder, root, sectionUnder } from '../support/readme';

/** One gateway, begun as `npm start` begins it, and beside it the README's commands in the README's order. */
let built: BuiltGateway;
let address: string;
beforeAll(async () => {
  built = BuiltGateway.make();
  // What the commands of the README expect of a checkout: npx finds the program, and the policy is there.
  const programs = join(built.folder, 'bin');
  mkdirSync(programs);
  writeFileSync(
    join(programs, 'npx'),
    `#!/bin/sh\n[ "$1" = counterfoil ] && shift && exec "${process.execPath}" "${join(built.output, 'src', 'cli', 'counterfoil.js')}" "$@"\n`,
  );
  chmodSync(join(programs, 'npx'), 0o755);
  cpSync(join(root, 'schema'), join(built.folder, 'schema'), { recursive: true });
  const gateway = built.start();
  address = (await gateway.said(/(http:\/\/127\.0\.0\.1:\d+)\/ /))[1] as string;
  await gateway.said(/Started in /);
});
afterAll(() => built.remove());

/** Runs a block as a shell would in the checkout; `failed` has the commands that didn't end with 0. */
const run = async (script: string): Promise<Finished & { readonly failed: readonly string[] }> => {
  const { PATH = '', HOME = '' } = process.env;
  const here = script.replaceAll('http://127.0.0.1:4000', address);
  const child = spawn('bash', ['-c', `trap 'echo "failed: $BASH_COMMAND" >&2' ERR\n${here}`], {
    cwd: built.folder,
    env: { PATH: `${join(built.folder, 'bin')}:${PATH}`, HOME, DEMO_SIZE: '0.02' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => {
    child.on('close', (code, signal) =>
      resolve({
        code,
        signal,
        stdout,
        stderr,
        failed: [...stderr.matchAll(/^failed: (.*)$/gm)].map(([, command]) => command as string),
      }),
    );
  });
};

describe('the first query of the README', () => {
  const firstQuery = 'A first query';
  const query = blockUnder(firstQuery, 'sh');
  const answerTo = async (reference: string) => {
    const { stdout, failed } = await run(query.replace(demoTickets.own.reference, reference));
    expect(failed).toEqual([]);
    return JSON.parse(stdout) as {
      data: { ticketByReference: { customer: { paymentMethods: unknown[] } | null } | null };
      errors?: { extensions: { code: string; reason?: string } }[];
    };
  };
  /** The history of the demo merchant ends today: these values are of the day. */
  const ofTheDay = (text: string): unknown =>
    JSON.parse(
      text
        .replace(/A-\d{6}/g, 'A-…')
        .replace(/"(expiresAt)":"[^"]+"/g, '"$1":"…"')
        .replace(/"(minorUnits)":\d+/g, '"$1":0')
        .replace(/"status":"[A-Z]+","declineCode":(?:null|"\w+"),"risk":\{"band":"[A-Z]+"/g, '"status":"…","risk":{"band":"…"'),
    );

  it('is answered as it stands there', async () => {
    const shown = JSON.parse(blockUnder(firstQuery, 'json')) as unknown;
    const answer = await answerTo(demoTickets.own.reference);
    const methods = answer.data.ticketByReference?.customer?.paymentMethods ?? [];
    expect(methods).toHaveLength(3);
    methods.splice(1);
    expect(ofTheDay(JSON.stringify(answer))).toEqual(ofTheDay(JSON.stringify(shown)));
  });

  it('is refused on the tickets that it names, for the reason that it names', async () => {
    const text = sectionUnder(firstQuery).split('The same query on other tickets')[1] ?? '';
    let references: string[] = [];
    const told: string[] = [];
    for (const [, word = ''] of text.matchAll(/`(\d{4}|[A-Z_]+)`/g)) {
      if (/^\d/.test(word)) references.push(word);
      else {
        told.push(...references.map((reference) => `${reference} ${word}`));
        references = [];
      }
    }
    const found: string[] = [];
    for (const line of told) {
      const [reference = ''] = line.split(' ');
      const { data, errors = [] } = await answerTo(reference);
      expect(data.ticketByReference?.customer ?? null).toBeNull();
      found.push(...new Set(errors.map(({ extensions: { code, reason } }) => `${reference} ${reason ?? code}`)));
    }
    expect(told.length).toBeGreaterThanOrEqual(5);
    expect(found).toEqual(told);
  });
});

describe('the change that a customer confirms, in the README', () => {
  /** What is to be pressed, in its order. */
  const [
    ana = '',
    ask = '',
    mail = '',
    agreed = '',
    yes = '',
    goOn = '',
    useCard = '',
    updates = '',
    provider = '',
    risky = '',
    sendCode = '',
    mailAgain = '',
    code = '',
    toApprove = '',
    approve = '',
    ...more
  ] = [...sectionUnder('A change that the customer confirms').matchAll(/(?<!\*)\*([^*\n]+)\*(?!\*)/g)].map(
    ([, words]) => words as string,
  );

  let browser: Browser | null;
  let page: Page;
  beforeAll(async () => {
    browser = await launchChromium();
    if (browser === null) return;
    page = await browser.newPage();
    page.setDefaultTimeout(120_000);
  });
  afterAll(() => browser?.close());

  interface Answer {
    // biome-ignore lint/suspicious/noExplicitAny: whatever the graph answers to the example
    readonly data: any;
    readonly errors?: unknown;
  }
  const answer = async (): Promise<Answer> => {
    const response = await page.waitForResponse((each) => {
      const sent = each.url().endsWith('/graphql') ? each.request().postData() : null;
      return sent !== null && !sent.includes('IntrospectionQuery');
    });
    return (await response.json()) as Answer;
  };
  const shown = () => page.locator('.graphiql-query-editor .view-line').first().waitFor();
  const open = async () => {
    await page.goto(`${address}/explorer`);
    await shown();
  };
  const click = async (name: string): Promise<Answer> => {
    const [answered] = await Promise.all([answer(), page.getByRole('button', { name: new RegExp(`^${name}`) }).click()]);
    return answered;
  };
  /** Chooses the example whose label begins so. What changes something waits for ▶; anything else runs by itself. */
  const choose = async (label: string): Promise<Answer> => {
    const option = page.locator('#example option', { hasText: label }).first();
    const answered = answer();
    await Promise.all([
      page.waitForEvent('load'),
      page.getByLabel('Example').selectOption((await option.getAttribute('value')) as string),
    ]);
    await shown();
    const status = (await page.getByRole('status').textContent()) ?? '';
    if (status.includes('press ▶')) await page.locator('.graphiql-execute-button').click();
    return answered;
  };
  /** Follows the newest link under "Mail and codes" that isn't `former`. */
  const followMail = async (former: string | null): Promise<string> => {
    await page.getByRole('link', { name: mail }).click();
    for (;;) {
      const link = page.getByRole('link', { name: /\/confirm\// }).first();
      const found = (await link.count()) > 0 ? await link.getAttribute('href') : null;
      if (found !== null && found !== former) {
        await link.click();
        return found;
      }
      await page.getByRole('link', { name: 'Look again' }).click();
    }
  };
  const enterCard = async () => {
    await page.getByRole('button', { name: yes }).click();
    await page.getByRole('link', { name: goOn }).click();
    await page.getByRole('radio').first().check();
    await page.getByRole('button', { name: useCard }).click();
    await page.waitForURL(/\/confirm\//);
  };
  /** Ana asks what became of it until it is so. */
  const becomes = async (id: string, state: string): Promise<void> => {
    for (;;) {
      await open();
      const { data } = await choose(updates);
      const update = data.credentialUpdates.nodes.find((each: { id: string }) => each.id === id);
      if (update.state === state) return;
      expect({ update, isOver: /FAILED|EXPIRED|REFUSED|REJECTED|CANCELLED/.test(update.state) }).toEqual({
        update,
        isOver: false,
      });
    }
  };

  it('is done as it stands there', async () => {
    if (browser === null) return;
    expect([mailAgain, more]).toEqual([mail, []]);
    await open();
    const { data, errors } = await click(ana);
    expect(errors).toBeUndefined();
    expect(data.ticketByReference.reference).toBe(demoTickets.own.reference);
    const asked = await choose(ask);
    expect(asked).toMatchObject({ data: { requestCredentialUpdate: { needsApproval: false, needsCode: false } } });
    const link = await followMail(null);
    await page.getByLabel(agreed).check();
    await enterCard();
    await becomes(asked.data.requestCredentialUpdate.id, 'APPLIED');
    await page.getByRole('link', { name: provider }).click();
    await page
      .getByRole('heading', { name: /provider/i })
      .first()
      .waitFor();

    expect(risky).toBe(demoTickets.suspicious.reference);
    await open();
    await choose(risky);
    const askedAgain = await choose(ask);
    expect(askedAgain).toMatchObject({
      data: {
        requestCredentialUpdate: {
          needsApproval: true,
          needsCode: true,
          riskRules: expect.arrayContaining(['contact-age-unknown']),
        },
      },
    });
    const { id } = askedAgain.data.requestCredentialUpdate;
    await followMail(link);
    await page.getByRole('button', { name: sendCode }).click();
    await page.getByLabel(code).waitFor();
    const messages = await browser.newPage();
    await messages.goto(`${address}/development/mail`);
    const [digits] = /\b\d{6}\b/.exec((await messages.locator('article pre').first().textContent()) ?? '') ?? [];
    await page.getByLabel(code).fill(digits ?? '');
    await enterCard();
    await becomes(id, 'AWAITING_APPROVAL');
    const waiting = await choose(toApprove);
    expect(waiting.data.credentialUpdates.nodes).toMatchObject([{ id }]);
    expect(await choose(approve)).toMatchObject({ data: { approveCredentialUpdate: { id } } });
    await becomes(id, 'APPLIED');
  });
});

describe('the commands of the README', () => {
  it('about the policy work beside the gateway, and diff says what a change exposes', async () => {
    const { stdout, failed } = await run(blockUnder('The policy file', 'sh'));
    expect(failed).toEqual([expect.stringMatching(/^npx counterfoil policy diff /)]);
    expect(stdout).toMatch(/^\+ exposes: The number of different customers/m);
  });

  it('about the log work beside the gateway, in the order in which they stand there', async () => {
    const { stdout, stderr, failed } = await run(blockUnder('The audit log', 'sh'));
    expect({ failed, stderr }).toEqual({ failed: [], stderr: expect.any(String) });
    expect(stdout).toMatch(/Customer\.email/);
  });
});
