import type { Reads } from '../../src/db/reads';
import type { ScrubFinding } from '../../src/ledger/scrub';
import { pauseOf, ScrubRounds, stepsOf } from '../../src/ledger/scrub-rounds';
import { told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { roundsThrough } from '../support/scrub-rounds';

let test: TestApp;
let now = 0;
const timer = { now: () => now, after: () => () => {} };
const day = 86_400_000;

const roundsOn = (database: Reads) => {
  const found: ScrubFinding[] = [];
  const rounds = roundsThrough(test, { database, timer, onFinding: (finding) => found.push(finding) });
  return { rounds, found };
};
/** So many steps, each a minute after the one before. */
const steps = async (rounds: ScrubRounds, count: number) => {
  for (let step = 0; step < count; step += 1) {
    now += 60_000;
    await rounds.turn();
  }
};
const size = async () => {
  const [row] = await test.app.database.query<{ n: number }>('SELECT COUNT(*) AS n FROM audit_leaf');
  return Number(row?.n);
};
const grow = async () => {
  test.clock.forward(1_000);
  await test.as('ana', '{ tickets(first: 5) { nodes { id subject customer { displayName } } } }');
  await test.app.signingLog?.sequencer.turn();
};

beforeAll(async () => {
  test = await TestApp.start();
  await grow();
  await test.as('ana', '{ ticketByReference(source: "demo", reference: "1001") { customer { displayName email } } }');
  await grow();
});
afterAll(() => test.stop());

describe('the rounds through the stored log', () => {
  it('hold every leaf against its rows, and what is new within the next steps', async () => {
    const { rounds, found } = roundsOn(test.app.database);
    expect(rounds.state).toEqual({ agreeing: 0, read: 0, since: null, findings: 0, round: null });
    const since = test.clock.now();
    await steps(rounds, 20);
    expect(rounds.state).toMatchObject({ agreeing: await size(), read: await size(), findings: 0 });
    const before = await size();
    await grow();
    expect(await size()).toBeGreaterThan(before);
    await steps(rounds, 2);
    expect(rounds.state).toMatchObject({ agreeing: await size(), findings: 0 });
    expect(rounds.state.since?.getTime()).toBeGreaterThanOrEqual(since.getTime());
    await steps(rounds, 60);
    expect(found).toEqual([]);
  });

  it('find in the next round what was altered behind them, tell it once, and forget what was put right', async () => {
    const { rounds, found } = roundsOn(test.app.database);
    await steps(rounds, 20);
    const [row] = await test.app.database.query<{ event_id: string; customer_id: string; leaf_index: number }>(
      'SELECT c.event_id, c.customer_id, l.leaf_index FROM audit_customer c JOIN audit_leaf l ON l.event_id = c.event_id ORDER BY l.leaf_index DESC LIMIT 1',
    );
    const values = [row?.event_id, row?.customer_id];
    await tamper(test.app.database, 'DELETE FROM audit_customer WHERE event_id = ? AND customer_id = ?', values);
    await steps(rounds, 60);
    expect(found).toEqual([
      { what: 'ROWS', leaf: Number(row?.leaf_index), message: expect.stringContaining(`event ${row?.event_id}`) },
    ]);
    expect(rounds.state).toMatchObject({ agreeing: Number(row?.leaf_index), read: await size(), findings: 1 });
    await tamper(test.app.database, 'INSERT INTO audit_customer (event_id, customer_id) VALUES (?, ?)', values);
    await steps(rounds, 60);
    expect(rounds.state).toMatchObject({ agreeing: await size(), findings: 0 });
    expect(found).toHaveLength(1);
  });

  it('go on after a fault of the database, and take nothing for altered because of it', async () => {
    let reads = 0;
    const { database } = test.app;
    const failing: Reads = {
      read: (selection, rest) => {
        reads += 1;
        return reads % 31 === 0 ? Promise.reject(new Error('gone away')) : database.read(selection, rest);
      },
    };
    const { rounds, found } = roundsOn(failing);
    let faults = 0;
    for (let step = 0; step < 200; step += 1) {
      now += 60_000;
      await rounds.turn().catch(() => {
        faults += 1;
      });
    }
    expect(faults).toBeGreaterThan(5);
    expect(found).toEqual([]);
    expect(rounds.state).toMatchObject({ agreeing: await size(), findings: 0 });
  });

  it.each([1_000, 100_000, 10_000_000, 100_000_000])('take a day at most through %d leaves', (leaves) => {
    const taken = 5;
    // What the steps take themselves is work that nothing makes less.
    expect(stepsOf(leaves) * pauseOf(taken, leaves)).toBeLessThan(day);
    // And mostly one percent of a processor.
    if (leaves <= 1_000_000) expect(pauseOf(taken, leaves)).toBe(99 * taken);
    // Where every fourth leaf is about something that has rows of its own, too.
    if (leaves <= 10_000_000) expect(stepsOf(leaves, leaves / 4) * pauseOf(taken, leaves, leaves / 4)).toBeLessThan(day);
  });

  it('leave others their processor, whatever somebody writes about the log’s size', async () => {
    expect(pauseOf(5, 2 ** 52)).toBe(45);
    const { rounds, found } = roundsOn(test.app.database);
    const leaves = await size();
    await tamper(
      test.app.database,
      `INSERT INTO audit_leaf (leaf_index, event_id, leaf_hash) VALUES (${2 ** 52}, 'evt_else', ?)`,
      ['0'.repeat(64)],
    );
    await steps(rounds, 20);
    expect(found).toContainEqual({
      what: 'LEAF',
      leaf: leaves,
      message: `leaves ${leaves} to ${2 ** 52 - 1} are missing`,
    });
    await tamper(test.app.database, "DELETE FROM audit_leaf WHERE event_id = 'evt_else'");
  });

  it('needn’t have come to what stands on a page itself: the page says that it isn’t what its leaves say', async () => {
    const [row] = await test.app.database.query<{ event_id: string; customer_id: string }>(
      'SELECT * FROM audit_customer LIMIT 1',
    );
    const [other] = await test.app.database.query<{ event_id: string; id: string }>(
      "SELECT l.event_id FROM audit_leaf l JOIN audit_event e ON e.id = l.event_id WHERE e.action = 'actor.first-seen'",
    );
    const query =
      'query ($id: ID!, $action: String) { auditEvents(filter: { customerId: $id, action: $action }, first: 100) { rowFindings } }';
    const findings = async (action: string | null = null) =>
      told(await test.as('ada', query, { id: row?.customer_id, action })).data.auditEvents.rowFindings;
    expect(await findings()).toBe(0);
    await tamper(test.app.database, 'INSERT INTO audit_customer (event_id, customer_id) VALUES (?, ?)', [
      other?.event_id,
      row?.customer_id,
    ]);
    expect(await findings()).toBe(1);
    await tamper(test.app.database, "UPDATE audit_event SET action = 'else' WHERE id = ?", [other?.event_id]);
    expect([await findings('else'), await findings('disclosure')]).toEqual([1, 0]);
    await tamper(test.app.database, "UPDATE audit_event SET action = 'actor.first-seen' WHERE id = ?", [other?.event_id]);
    await tamper(test.app.database, 'DELETE FROM audit_customer WHERE event_id = ?', [other?.event_id]);
    expect(await findings()).toBe(0);
  });

  it('say in answers and metrics how far they are', async () => {
    const query = '{ auditEvents(first: 1) { rowsCheckedTo rowsCheckedSince rowFindings totalCount } }';
    expect(told(await test.as('ada', query))).toEqual({
      data: { auditEvents: { rowsCheckedTo: 0, rowsCheckedSince: null, rowFindings: 0, totalCount: await size() } },
      errors: [],
    });
    const { auditScrub } = test.app.services;
    for (let step = 0; step < 10; step += 1) await auditScrub.turn();
    await grow();
    const answer = told(await test.as('ada', query)).data.auditEvents;
    expect(answer).toMatchObject({ rowsCheckedTo: auditScrub.state.agreeing, rowFindings: 0 });
    expect(answer.rowsCheckedTo).toBeGreaterThan(0);
    expect(answer.rowsCheckedSince).not.toBeNull();
    const metrics = (await test.server.inject({ url: '/metrics' })).body;
    expect(metrics).toContain(`\ncounterfoil_audit_rows_checked_leaves ${auditScrub.state.agreeing}\n`);
    expect(metrics).toContain('\ncounterfoil_audit_findings 0\n');
  });
});
