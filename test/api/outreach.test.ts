import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { recordSignals } from '../../src/features/signals/recorder';
import { countOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamperWhile } from '../support/audit-log';
import { OtherIssuer } from '../support/other-issuer';
import { rulesWithModes } from '../support/rules-file';
import { helpdeskCustomer, ScriptedHelpdesk, ScriptedPayments, staff } from '../support/scripted-sources';

const minute = 60_000;
const hour = 60 * minute;
const readTicket =
  'query Read($reference: String!) { ticketByReference(source: "demo", reference: $reference) { customer { id } } }';

describe('a ticket that a rule has opened', () => {
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-outreach-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let test: TestApp;
  let issuer: OtherIssuer;
  let helpdesk: ScriptedHelpdesk;
  afterEach(() => test.stop());

  const start = async ({ mode = 'ON', outreach = { queue: 'cards', mostADay: 50 } as object | null } = {}) => {
    const rulesFile = join(folder, 'rules.yaml');
    writeFileSync(rulesFile, rulesWithModes({ 'volume-spike': mode }));
    helpdesk = new ScriptedHelpdesk(
      'demo',
      ['ana', 'ben', 'sam', 'rosa', 'gateway'].map((login) => staff(login)),
    );
    for (const [reference, name] of [
      ['T-1', 'quill'],
      ['T-2', 'rook'],
    ] as const)
      helpdesk.put(reference, { customer: helpdeskCustomer(name), status: 'CLOSED' });
    issuer = await OtherIssuer.open();
    test = await TestApp.start({
      connectors: { demo: helpdesk, 'demo-pay': new ScriptedPayments('demo-pay') },
      config: {
        rulesFile,
        issuers: [issuer.configuration],
        sources: {
          helpdesk: [{ kind: 'demo', name: 'demo', ...(outreach === null ? {} : { outreach: outreach as never }) }],
          payments: [{ kind: 'demo', name: 'demo-pay', helpdesk: 'demo' }],
        },
      },
    });
    helpdesk.now = test.clock.now;
    await test.app.signals.service.turn();
  };
  const customerOf = async (reference: string): Promise<string> => {
    const [row] = await test.app.database.query<{ id: string }>('SELECT id FROM helpdesk_customer WHERE reference = ?', [
      reference,
    ]);
    return row?.id ?? '';
  };
  let made = 0;
  /** More attempts than on any day before, somewhere else each. */
  const spike = async (name: string, count = 7) => {
    const customer = await customerOf(name);
    await test.app.database.system('signals', 'signal.receive', async (change) => {
      await recordSignals(
        change,
        Array.from({ length: count }, (_, index) => {
          made += 1;
          return {
            source: 'shop',
            id: `zqsender-${made}`,
            type: 'payment.attempt.declined',
            occurredAt: new Date(test.clock.now().getTime() - (count - index) * 1_000),
            subjects: { customer, card: `zqcard-${made}`, device: `zqdevice-${made}` },
            facts: { country: 'DE', amount: { minorUnits: 777_77, currency: 'EUR' }, declineCode: 'incorrect_cvc' },
          } as const;
        }),
      );
      change.record('signal.receive', { subject: { type: 'SignalSource', id: 'shop' }, detail: { signals: count } });
    });
    await test.app.signals.service.turn();
  };
  const work = () => test.app.outreachJobs.drain();
  const rows = () =>
    test.app.database.query<{ id: string; state: string; reference: string | null; alert_id: string }>(
      'SELECT id, state, reference, alert_id FROM risk_outreach ORDER BY id',
    );
  const states = async () =>
    (await test.events('outreach.effect')).map(({ detail }) => (detail as { state: string }).state).sort();
  const done = async () =>
    (await test.events('rule.verdict'))
      .map(({ detail }) => detail as { rule: string; done: readonly string[] })
      .filter(({ rule }) => rule === 'volume-spike')
      .map((each) => each.done)
      .sort((one, other) => other.length - one.length);

  it('is one for rule, customer and window, in the configured queue, and says no more than that somebody should look', async () => {
    await start();
    await spike('quill');
    await spike('quill', 3);
    await work();
    const [row, ...others] = await rows();
    expect(others).toEqual([]);
    expect(row).toMatchObject({ state: 'DONE', reference: 'opened-1' });
    expect(helpdesk.openings).toEqual([
      {
        customerReference: 'quill',
        queue: 'cards',
        subject: 'A look at recent payments',
        body: expect.stringContaining(`Alert: ${row?.alert_id}`),
        idempotencyKey: row?.id,
      },
    ]);
    const sent = JSON.stringify(helpdesk.openings);
    for (const word of ['zq', '777', 'EUR', 'cvc', 'shop', 'volume']) expect(sent).not.toContain(word);
    expect(await done()).toEqual([['alert', 'outreach-ticket']]);
    const [opened] = await test.events('outreach.open');
    expect(opened).toMatchObject({
      subject: { type: 'Outreach', id: row?.id },
      detail: { alert: row?.alert_id, rule: 'volume-spike', version: 3, source: 'demo' },
    });
    const { restsOn } = (opened as { detail: unknown }).detail as { restsOn: string[] };
    expect(restsOn[0]).toBe(row?.alert_id);
    expect(restsOn.slice(1)).toEqual(Array.from({ length: 6 }, () => expect.stringMatching(/^shop\/[\w-]{22}$/)));
    expect(await states()).toEqual(['DONE', 'INTENDED']);
    expect(helpdesk.asked).toEqual(['open']);
  });

  it('is none of a rule that only records, and none where no queue is configured, which the start says once', async () => {
    await start({ mode: 'SHADOW' });
    await spike('quill');
    await work();
    expect([await countOf(test, 'risk_outreach'), helpdesk.openings]).toEqual([0, []]);
    expect(test.logLines.join('')).not.toContain('(outreach)');
    await test.stop();
    await start({ outreach: null });
    await spike('quill');
    await work();
    expect(await done()).toEqual([['alert']]);
    expect([await countOf(test, 'risk_outreach'), helpdesk.openings]).toEqual([0, []]);
    expect(test.logLines.filter((line) => line.includes('(outreach)'))).toHaveLength(1);
  });

  it('is not opened again where the answer was lost: the helpdesk is asked, once nothing can be under way there', async () => {
    await start();
    helpdesk.losesTickets.push({ isOpened: true });
    await spike('quill');
    await work();
    expect(await rows()).toMatchObject([{ state: 'LOST', reference: null }]);
    expect((await test.server.inject('/metrics')).body).toContain('counterfoil_outreach_jobs{state="PENDING",fault="lost"} 1');
    test.clock.forward(minute);
    await work();
    expect(helpdesk.asked).toEqual(['open']);
    test.clock.forward(2 * minute);
    await work();
    expect(await rows()).toMatchObject([{ state: 'DONE', reference: 'opened-1' }]);
    expect(helpdesk.asked).toEqual(['open', 'look']);
    expect(helpdesk.openings).toHaveLength(1);
  });

  it('is opened where the helpdesk, asked after a lost answer, has none', async () => {
    await start();
    helpdesk.losesTickets.push({ isOpened: false });
    await spike('quill');
    await work();
    test.clock.forward(3 * minute);
    await work();
    expect(helpdesk.asked).toEqual(['open', 'look', 'open']);
    expect(helpdesk.openings).toHaveLength(1);
    expect(await rows()).toMatchObject([{ state: 'DONE', reference: 'opened-1' }]);
    expect(await states()).toEqual(['DONE', 'INTENDED', 'INTENDED', 'LOST', 'PLANNED']);
  });

  it.each([true, false])('is opened once where a process ends between intent and answer (arrived: %s)', async (isOpened) => {
    await start();
    const held = helpdesk.holdOpening();
    if (!isOpened) helpdesk.losesTickets.push({ isOpened: false });
    await spike('quill');
    // A process that is never heard of again, as far as its lease goes.
    const gone = work();
    await held.asked;
    expect(await rows()).toMatchObject([{ state: 'INTENDED' }]);
    test.clock.forward(3 * minute);
    held.letOthersPass();
    const next = work();
    await expect(countUntil(async () => (await rows())[0]?.state === 'DONE')).resolves.toBe(true);
    held.release();
    await Promise.all([gone, next]);
    expect(helpdesk.openings).toHaveLength(1);
    expect(await rows()).toMatchObject([{ state: 'DONE', reference: 'opened-1' }]);
    expect((await states()).filter((each) => each === 'DONE')).toHaveLength(1);
    expect(helpdesk.asked).toEqual(isOpened ? ['open', 'look'] : ['open', 'look', 'open']);
  });

  it('that the helpdesk refuses is said to be, and not tried again', async () => {
    await start();
    helpdesk.refusesTickets = true;
    await spike('quill');
    await work();
    test.clock.forward(24 * hour);
    await work();
    expect(helpdesk.asked).toEqual(['open', 'look']);
    expect(await rows()).toMatchObject([{ state: 'REFUSED', reference: null }]);
    expect((await test.events('outreach.effect')).map(({ detail }) => detail)).toContainEqual({
      state: 'REFUSED',
      refusal: 'REFUSED',
    });
  });

  it('is dropped where its alert ended before anything was sent', async () => {
    await start();
    helpdesk.losesTickets.push({ isOpened: false, why: 'circuit-open' });
    await spike('quill');
    await work();
    expect(await rows()).toMatchObject([{ state: 'PLANNED' }]);
    test.clock.forward(8 * 24 * hour);
    await test.app.services.alerts.expire();
    await work();
    expect(helpdesk.openings).toEqual([]);
    expect(await rows()).toMatchObject([{ state: 'DROPPED' }]);
    expect((await test.events('outreach.effect')).map(({ detail }) => detail)).toContainEqual({
      state: 'DROPPED',
      reason: 'ALERT_ENDED',
    });
  });

  it('is given up after a day in which nothing could be sent', async () => {
    await start();
    for (let tries = 0; tries < 60; tries += 1) helpdesk.losesTickets.push({ isOpened: false, why: 'circuit-open' });
    await spike('quill');
    for (let tries = 0; tries < 40; tries += 1) {
      await work();
      test.clock.forward(hour + minute);
    }
    expect(helpdesk.asked).toHaveLength(30);
    expect(await rows()).toMatchObject([{ state: 'DROPPED' }]);
    expect(await countOf(test, 'risk_outreach_job', "state = 'DEAD'")).toBe(1);
  });

  it('is one of so many a day: past that there are alerts only, and the log of the gateway says so', async () => {
    await start({ outreach: { queue: 'cards', mostADay: 1 } });
    await spike('quill');
    await spike('rook');
    await work();
    expect(helpdesk.openings.map(({ customerReference }) => customerReference)).toEqual(['quill']);
    expect(await done()).toEqual([['alert', 'outreach-ticket'], ['alert']]);
    expect(test.logLines.filter((line) => line.includes('as many tickets as a day may have'))).toHaveLength(1);
    test.clock.forward(25 * hour);
    await spike('rook', 20);
    await work();
    expect(helpdesk.openings.map(({ customerReference }) => customerReference)).toEqual(['quill', 'rook']);
  });

  it('gives whoever it is assigned to what any ticket does, and nothing to whom it isn’t or who took it', async () => {
    await start();
    await spike('quill');
    await work();
    await test.app.sources.syncAll();
    const { reference } = (await rows())[0] as { reference: string };
    const customer = { id: await customerOf('quill') };
    const read = async (who: Parameters<TestApp['as']>[0]) => told(await test.as(who, readTicket, { reference }));
    expect((await read('ben')).data.ticketByReference).toBeNull();
    helpdesk.put(reference, { assignee: 'ben', assignedBy: 'ben' });
    await test.app.sources.syncAll();
    // Taken by oneself out of another team's queue.
    expect((await read('ben')).data.ticketByReference?.customer ?? null).toBeNull();
    helpdesk.put(reference, { assignee: 'ana', assignedBy: 'sam' });
    await test.app.sources.syncAll();
    expect(await read('ana')).toEqual({ data: { ticketByReference: { customer } }, errors: [] });
  });

  it('is of its own making for whoever signs in as the gateway’s own account', async () => {
    await start();
    await spike('quill');
    await work();
    const { reference } = (await rows())[0] as { reference: string };
    helpdesk.put(reference, { assignee: 'gateway', assignedBy: 'sam' });
    await test.app.sources.syncAll();
    const token = await issuer.token('gateway', { roles: ['AGENT'], teams: ['cards'] }, test.clock.now());
    const { data, errors } = told(await test.as({ token }, readTicket, { reference }));
    expect(data.ticketByReference?.customer ?? null).toBeNull();
    expect(errors.map(([, code, why]) => [code, why])).toEqual([['DENIED', 'SELF_MADE']]);
  });

  it('is what its events say, in every column that says where it came from and what became of it', async () => {
    await start();
    await spike('quill');
    await work();
    const look = async () => (await rowsWithoutEvent(test.app.database)).findings;
    expect(await look()).toEqual([]);
    const [row] = await rows();
    for (const [column, value, named] of [
      ['alert_id', "'alr_x'", 'alertId'],
      ['customer_id', "'cus_x'", 'customerId'],
      ['source', "'other'", 'source'],
      ['rule', "'card-testing'", 'rule'],
      ['rule_version', '9', 'ruleVersion'],
      ['state', "'LOST'", 'state'],
      ['reference', "'opened-2'", 'reference'],
      ['created_at', 'created_at - 1', 'createdAt'],
      ['ended_at', 'NULL', 'endedAt'],
    ])
      await tamperWhile(
        test.app.database,
        { table: 'risk_outreach', write: `UPDATE risk_outreach SET ${column} = ${value} WHERE id = '${row?.id}'` },
        async () => {
          expect(await look()).toEqual([`1 tickets opened by rules that their events say otherwise of: ${row?.id} (${named})`]);
        },
      );
  });
});

/** Waits until something holds, two seconds at most. */
const countUntil = async (holds: () => Promise<boolean>): Promise<boolean> => {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await holds()) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
};
