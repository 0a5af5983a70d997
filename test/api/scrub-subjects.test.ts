import type { Reads } from '../../src/db/reads';
import { ScrubRounds } from '../../src/ledger/scrub-rounds';
import { policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamperWhile } from '../support/audit-log';
import { approveUpdate, type Case, Updates } from '../support/credentials';
import { OtherIssuer } from '../support/other-issuer';
import { roundsThrough } from '../support/scrub-rounds';

let now = 0;
const timer = { now: () => now, after: () => () => {} };

let test: TestApp;
let updates: Updates;
const cases: Case[] = [];
let decided: string;
beforeAll(async () => {
  const issuer = await OtherIssuer.open();
  test = await TestApp.start({
    config: { issuers: [issuer.configuration] },
    policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 500']),
  });
  updates = new Updates(test);
  for (let number = 0; number < 3; number += 1) cases.push(await updates.next({ methods: 2, subscribed: false }));
  const [of] = cases as [Case];
  await updates.confirmedAndRefused(of);
  const removal = await updates.asked(of, of.usual, 'REMOVE');
  decided = removal.id;
  await updates.confirm(removal.token);
  expect(told(await test.as('sam', approveUpdate, { id: decided })).errors).toEqual([]);
  await updates.drain();
  await test.app.actors.logout(await issuer.logoutToken('somebody', 'one', test.clock.now()));
  await test.app.actors.logout(await issuer.logoutToken('somebody', 'another', test.clock.now()));
});
afterAll(() => test.stop());

const idOf = async (text: string): Promise<string> => (await test.app.database.query<{ id: string }>(text))[0]?.id ?? '';

const roundsOn = (database: Reads) => {
  const found: string[] = [];
  const rounds = roundsThrough(test, { database, timer, onFinding: ({ message }) => found.push(message) });
  return { rounds, found };
};
/** Takes steps until the round that is under way, or begins, is over. */
const toTheEnd = async (rounds: ScrubRounds): Promise<void> => {
  const before = rounds.state.round;
  test.clock.forward(1);
  for (let step = 0; rounds.state.round === before && step < 500; step += 1) {
    now += 60_000;
    await rounds.turn();
  }
  expect(rounds.state.round).not.toBe(before);
};
/** What a whole round says of what is stored now. */
const wholeRound = async (): Promise<{ readonly found: readonly string[]; readonly rounds: ScrubRounds }> => {
  const { rounds, found } = roundsOn(test.app.database);
  await toTheEnd(rounds);
  return { rounds, found };
};

const altered = (table: string, write: string, work: () => Promise<void>) =>
  tamperWhile(test.app.database, { table, write }, work);

/** A copy of a row under another id, with other values where a table has each only once. */
const copied = async (table: string, others: Readonly<Record<string, string>>): Promise<string> => {
  const [row] = await test.app.database.query<Record<string, unknown>>(`SELECT * FROM ${table} LIMIT 1`);
  const same = Object.keys(row ?? {}).filter((name) => !(name in others));
  const [names, values] = [Object.keys(others), Object.values(others)].map((each) => [...each, ...same].join(', '));
  const id = await idOf(`SELECT id FROM ${table} ORDER BY id LIMIT 1`);
  return `INSERT INTO ${table} (${names}) SELECT ${values} FROM ${table} WHERE id = '${id}'`;
};

const without = 'without an event of the log';
const otherwise = 'that their events say otherwise of';
const gone = 'that the log has events of are gone';

describe('the rounds through what events are about', () => {
  it('find nothing after the gateway’s own work, and say when the round began', async () => {
    const { rounds, found } = roundsOn(test.app.database);
    expect(rounds.state.round).toBeNull();
    await toTheEnd(rounds);
    expect(found).toEqual([]);
    expect(rounds.state.findings).toBe(0);
  });

  it.each([
    ['actor', { id: "'act_forged'", subject_digest: "'x'" }, `actors ${without}: act_forged`],
    ['session_revocation', { id: "'rev_forged'" }, `ended sessions ${without}: rev_forged`],
    ['assistance', { id: "'ast_forged'", open_key: 'NULL' }, `assistances ${without}: ast_forged`],
    ['credential_update', { id: "'cru_forged'", request_key: "'x'", open_key: 'NULL' }, `updates ${without}: cru_forged`],
    ['credential_transition', { id: "'ctr_forged'", ordinal: '99' }, `transitions of updates ${without}: ctr_forged`],
    ['credential_confirmation', { id: "'ccf_forged'", update_id: "'cru_else'" }, `confirmations ${without}: ccf_forged`],
    ['credential_link', { id: "'cln_forged'", token_digest: "'x'" }, `links to customers ${without}: cln_forged`],
  ])('find what somebody slipped into %s', async (table, others, expected) => {
    await altered(table, await copied(table, others), async () => {
      const { rounds, found } = await wholeRound();
      expect(found).toContain(expected);
      expect(rounds.state.findings).toBe(found.length);
    });
    expect((await wholeRound()).found).toEqual([]);
  });

  it.each([
    ['actor', 'actors'],
    ['session_revocation', 'ended sessions'],
    ['assistance', 'assistances'],
    ['credential_update', 'updates'],
    ['credential_transition', 'transitions of updates'],
    ['credential_confirmation', 'confirmations'],
    ['credential_link', 'links to customers'],
  ])('find what somebody took out of %s', async (table, kind) => {
    const id = await idOf(`SELECT id FROM ${table} ORDER BY id LIMIT 1`);
    await altered(table, `DELETE FROM ${table} WHERE id = '${id}'`, async () => {
      expect((await wholeRound()).found).toContainEqual(expect.stringMatching(`^${kind} ${gone}: `));
    });
    expect((await wholeRound()).found).toEqual([]);
  });

  it.each([
    ['assistance', "customer_id = 'cus_x'", (id: string) => `assistances ${otherwise}: ${id} (customerId)`],
    ['assistance', 'expires_at = expires_at + 86400000', (id: string) => `assistances ${otherwise}: ${id} (expiresAt)`],
    ['credential_update', 'needs_approval = 1 - needs_approval', (id: string) => `updates ${otherwise}: ${id} (needsApproval)`],
    ['credential_transition', "actor_id = 'act_x'", (id: string) => `transitions of updates ${without}: ${id}`],
    ['credential_confirmation', "channel = 'SMS'", (id: string) => `confirmations ${without}: ${id}`],
    ['credential_link', 'expires_at = expires_at + 1', (id: string) => `links to customers ${without}: ${id}`],
    ['credential_link', "token_digest = 'x'", (id: string) => `links to customers ${without}: ${id}`],
    ['actor', "subject_digest = 'x'", (id: string) => `actors ${otherwise}: ${id} (issuer or subject)`],
    ['session_revocation', 'until_at = 1', (id: string) => `ended sessions ${otherwise}: ${id} (untilAt)`],
    ['assistance', "requested_by_staff_ids = '[]'", (id: string) => `assistances ${otherwise}: ${id} (requestedByStaffIds)`],
    ['credential_update', "requested_by_staff_ids = '[]'", (id: string) => `updates ${otherwise}: ${id} (requestedByStaffIds)`],
    ['credential_link', `update_id = 'cru_else'`, (id: string) => `links to customers ${without}: ${id}`],
  ])('find what somebody altered in %s: %s', async (table, set, expected) => {
    const id = await idOf(`SELECT id FROM ${table} ORDER BY id LIMIT 1`);
    await altered(table, `UPDATE ${table} SET ${set} WHERE id = '${id}'`, async () => {
      expect((await wholeRound()).found).toContain(expected(id));
    });
    expect((await wholeRound()).found).toEqual([]);
  });

  it('tell a place once, name the first leaf about it to whoever asks how far rows agree, and forget what was put right', async () => {
    const { rounds, found } = roundsOn(test.app.database);
    await test.app.signingLog?.sequencer.turn();
    await toTheEnd(rounds);
    const before = rounds.state.agreeing;
    await altered('credential_update', `UPDATE credential_update SET kind = 'SET_DEFAULT' WHERE id = '${decided}'`, async () => {
      await toTheEnd(rounds);
      await toTheEnd(rounds);
      expect(found).toEqual([`updates ${otherwise}: ${decided} (kind)`]);
      const [first] = await test.app.database.query<{ place: number }>(
        'SELECT MIN(l.leaf_index) AS place FROM audit_leaf l JOIN audit_event e ON e.id = l.event_id WHERE e.subject_id = ?',
        [decided],
      );
      expect(rounds.state).toMatchObject({ agreeing: Number(first?.place), findings: 1 });
    });
    await toTheEnd(rounds);
    expect(rounds.state).toMatchObject({ agreeing: before, findings: 0 });
    expect(found).toHaveLength(1);
  });

  it('find nothing while everything is written to, whose events wait for their place', async () => {
    const { rounds, found } = roundsOn(test.app.database);
    let isBusy = true;
    const work = (async () => {
      for (let time = 0; time < 4; time += 1) {
        for (const of of cases) {
          await updates.assist(of.ticketId);
          const { token } = await updates.asked(of, of.other, 'BILLING_ADDRESS');
          await updates.confirm(token);
          await updates.drain();
        }
      }
    })().finally(() => {
      isBusy = false;
    });
    let turns = 0;
    while (isBusy) {
      now += 60_000;
      await rounds.turn();
      await new Promise((resolve) => setImmediate(resolve));
      turns += 1;
    }
    await work;
    expect(turns).toBeGreaterThan(20);
    await toTheEnd(rounds);
    await toTheEnd(rounds);
    expect(found).toEqual([]);
  });

  it('go on after a fault of the database where they were', async () => {
    let reads = 0;
    const failing: Reads = {
      read: (selection, rest) => {
        reads += 1;
        return reads % 29 === 0 ? Promise.reject(new Error('gone away')) : test.app.database.read(selection, rest);
      },
    };
    const { rounds, found } = roundsOn(failing);
    let faults = 0;
    for (let step = 0; rounds.state.round === null && step < 500; step += 1) {
      now += 60_000;
      await rounds.turn().catch(() => {
        faults += 1;
      });
    }
    expect([rounds.state.round !== null, faults > 2, found]).toEqual([true, true, []]);
  });

  it('read no more of one thing than anything makes, and say that it has more', async () => {
    const columns = 'update_id, from_state, to_state, actor_kind, actor_id, staff_id, reason, at';
    const digits =
      'SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9';
    const number = 'a.d + 10 * b.d + 100 * c.d + 1000 * d.d';
    const many = `INSERT INTO credential_transition (id, ordinal, ${columns})
      SELECT CONCAT('ctr_forged_', ${number}), 1000 + ${number}, ${columns}
        FROM credential_transition, (${digits}) a, (${digits}) b, (${digits}) c, (${digits}) d WHERE update_id = '${decided}' AND ordinal = 1`;
    await altered('credential_transition', many, async () => {
      let most = 0;
      const counting: Reads = {
        read: async (selection, rest) => {
          const rows = await test.app.database.read(selection, rest);
          most = Math.max(most, rows.length);
          return rows;
        },
      };
      const { rounds, found } = roundsOn(counting);
      await toTheEnd(rounds);
      expect(found).toEqual([`updates with more events or rows than anything makes: ${decided}`]);
      expect(most).toBeLessThanOrEqual(5_001);
    });
    expect((await wholeRound()).found).toEqual([]);
  });
});
