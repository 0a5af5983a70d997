import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { policyWith } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { Updates } from '../support/credentials';

/** What stands in the tables and in the log after updates that went every way there is to the customer's answer. */
let test: TestApp;
let updates: Updates;
let confirmed: string;
let refused: string;
beforeAll(async () => {
  test = await TestApp.start({ policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 500']) });
  updates = new Updates(test);
  const of = await updates.next({ subscribed: false });
  [confirmed, refused] = await updates.confirmedAndRefused(of);
});
afterAll(() => test.stop());

const sql = (text: string, parameters: readonly unknown[] = []) => tamper(test.app.database, text, parameters);
const look = async () => (await rowsWithoutEvent(test.app.database)).findings;
const idsOf = async (text: string): Promise<string[]> =>
  (await test.app.database.query<{ id: string }>(text)).map(({ id }) => id).sort();
/** Takes events out of the log while something is looked at, and puts them back. */
const without = async (condition: string, work: () => Promise<void>): Promise<void> => {
  await sql(`CREATE TABLE set_aside AS SELECT * FROM audit_event WHERE ${condition}`);
  await sql(`DELETE FROM audit_event WHERE ${condition}`);
  try {
    await work();
  } finally {
    await sql('INSERT INTO audit_event SELECT * FROM set_aside');
    await sql('DROP TABLE set_aside');
  }
};

describe('rows that the log says nothing of', () => {
  it('are none after the gateway’s own work', async () => {
    expect(await idsOf('SELECT id FROM assistance')).not.toHaveLength(0);
    expect(await idsOf('SELECT id FROM credential_transition')).not.toHaveLength(0);
    expect(await idsOf('SELECT outcome AS id FROM credential_confirmation')).toEqual(['CONFIRMED', 'REFUSED']);
    expect(await look()).toEqual([]);
  });

  it.each([
    [
      'an assistance’s beginning',
      "action = 'assistance.begin'",
      async () => [`assistances without an event of the log: ${(await idsOf('SELECT id FROM assistance')).join(', ')}`],
    ],
    [
      'one step of an update',
      "action = 'credential.link-sent'",
      async () => [
        `transitions of updates without an event of the log: ${(await idsOf("SELECT id FROM credential_transition WHERE to_state = 'AWAITING_CUSTOMER'")).join(', ')}`,
      ],
    ],
    [
      'a customer’s yes',
      "action = 'credential.confirm'",
      async () => [
        expect.stringContaining('transitions of updates without an event of the log: ctr_') as unknown as string,
        `confirmations without an event of the log: ${(await idsOf("SELECT id FROM credential_confirmation WHERE outcome = 'CONFIRMED'")).join(', ')}`,
      ],
    ],
    [
      'a customer’s no',
      "action = 'credential.refuse'",
      async () => [
        expect.stringContaining('transitions of updates without an event of the log: ctr_') as unknown as string,
        `confirmations without an event of the log: ${(await idsOf("SELECT id FROM credential_confirmation WHERE outcome = 'REFUSED'")).join(', ')}`,
      ],
    ],
  ])('are named where the log lost %s', async (_, condition, expected) => {
    await without(condition, async () => {
      const found = (await look()).map((line) => line.replace(/^\d+ /, ''));
      expect(found).toEqual(await expected());
    });
    expect(await look()).toEqual([]);
  });

  it.each([
    [
      'an approval',
      'UPDATE assistance SET approved_at = 1 WHERE approved_at IS NULL',
      'UPDATE assistance SET approved_at = NULL WHERE approved_at = 1',
      /^\d+ assistances without/,
    ],
    [
      'another step than the one that happened',
      "UPDATE credential_transition SET to_state = 'APPLIED' WHERE to_state = 'REFUSED'",
      "UPDATE credential_transition SET to_state = 'REFUSED' WHERE to_state = 'APPLIED' AND from_state = 'AWAITING_CUSTOMER'",
      /^1 transitions of updates without/,
      /^1 updates that their events say otherwise of: cru_\w+ \(state\)$/,
    ],
    [
      'a yes in the place of a no',
      "UPDATE credential_confirmation SET outcome = 'CONFIRMED' WHERE outcome = 'REFUSED'",
      `UPDATE credential_confirmation SET outcome = 'REFUSED' WHERE update_id = '$refused'`,
      /^1 confirmations without/,
    ],
    [
      'another thing that was shown',
      "UPDATE credential_confirmation SET shown_digest = CONCAT('x', shown_digest) WHERE outcome = 'CONFIRMED'",
      "UPDATE credential_confirmation SET shown_digest = SUBSTR(shown_digest, 2) WHERE outcome = 'CONFIRMED'",
      /^1 confirmations without/,
    ],
  ])('are named where somebody wrote %s', async (_, write, back, ...expected) => {
    expect(confirmed).not.toBe(refused);
    await sql(write);
    expect([...(await look())].sort()).toEqual(expected.map((line) => expect.stringMatching(line)));
    await sql(back.replace('$refused', refused));
    expect(await look()).toEqual([]);
  });

  it('are counted where there are many, and twenty of them named', async () => {
    const columns = 'actor_id, ticket_id, customer_id, purpose, origin, requested_at, begins_at, expires_at, needs_approval';
    for (let number = 100; number < 700; number += 1)
      await sql(
        `INSERT INTO assistance (id, ${columns}) SELECT 'ast_forged_${number}', ${columns} FROM assistance ORDER BY id LIMIT 1`,
      );
    const [line = ''] = await look();
    expect(line).toMatch(/^600 assistances without an event of the log: ast_forged_100, .*, ast_forged_119, …$/);
    await sql("DELETE FROM assistance WHERE id LIKE 'ast_forged_%'");
    expect(await look()).toEqual([]);
  });
});
