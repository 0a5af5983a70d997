import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { demoTickets } from '../../src/development/merchant/cast';
import { policyWith, ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper, tamperWhile } from '../support/audit-log';
import { approveUpdate, rejection, rejectUpdate, Updates } from '../support/credentials';
import { OtherIssuer } from '../support/other-issuer';

const beginAssistance = `mutation($ticketId: ID!) {
  beginAssistance(input: { ticketId: $ticketId, purpose: DECLINE, reason: "The caller asks about a declined payment" }) { id }
}`;

const rejectAssistance = 'mutation($id: ID!, $reason: String!) { rejectAssistance(id: $id, reason: $reason) { id } }';

/** What stands in the tables and in the log after updates that went every way there is to the customer's answer. */
let test: TestApp;
let updates: Updates;
beforeAll(async () => {
  const issuer = await OtherIssuer.open();
  test = await TestApp.start({
    config: { issuers: [issuer.configuration] },
    policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 500']),
  });
  await test.app.actors.logout(await issuer.logoutToken('somebody', 'one', test.clock.now()));
  updates = new Updates(test);
  const of = await updates.next({ subscribed: false });
  await updates.confirmedAndRefused(of);
  for (const decide of [rejectUpdate, approveUpdate]) {
    const { id, token } = await updates.asked(of, of.usual, 'REMOVE');
    await updates.confirm(token);
    expect(told(await test.as('sam', decide, { id, ...(decide === rejectUpdate ? { reason: rejection } : {}) })).errors).toEqual(
      [],
    );
    await updates.drain();
  }
  for (const ticket of [demoTickets.unassigned, demoTickets.selfMade, demoTickets.readdressed]) {
    const { data } = await test.as('ana', beginAssistance, { ticketId: await ticketIdOf(test, ticket.reference) });
    const { id } = data.beginAssistance;
    if (ticket === demoTickets.unassigned)
      await test.as('sam', 'mutation($id: ID!) { approveAssistance(id: $id) { id } }', { id });
    else if (ticket === demoTickets.readdressed) await test.as('sam', rejectAssistance, { id, reason: rejection });
    else await test.as('ana', 'mutation($id: ID!) { endAssistance(id: $id) { id } }', { id });
  }
});
afterAll(() => test.stop());

const sql = (text: string, parameters: readonly unknown[] = []) => tamper(test.app.database, text, parameters);
const look = async () => (await rowsWithoutEvent(test.app.database)).findings;
const idsOf = async (text: string): Promise<string[]> =>
  (await test.app.database.query<{ id: string }>(text)).map(({ id }) => id).sort();
describe('rows that answers go by', () => {
  it('are what their events say after the gateway’s own work', async () => {
    expect(await look()).toEqual([]);
  });

  const altered = (table: string, write: string, work: () => Promise<void>) =>
    tamperWhile(test.app.database, { table, write }, work);
  const somebody = "'act_01ARZ3NDEKTSV4RRFFQ69G5FAV'";

  it.each([
    ['assistance', 'actor_id', somebody, 'actorId'],
    ['assistance', 'requested_by_staff_ids', `'["stf_x"]'`, 'requestedByStaffIds'],
    ['assistance', 'requested_by_staff_ids', "'[]'", 'requestedByStaffIds', "origin = 'REQUESTED'"],
    ['assistance', 'requested_by_staff_ids', 'NULL', 'requestedByStaffIds'],
    ['assistance', 'ticket_id', "'tkt_x'", 'ticketId'],
    ['assistance', 'customer_id', "'cus_x'", 'customerId'],
    ['assistance', 'purpose', "'REFUND'", 'purpose'],
    ['assistance', 'requested_at', 'requested_at - 1', 'requestedAt'],
    ['assistance', 'begins_at', 'begins_at - 60000', 'beginsAt', 'begins_at IS NOT NULL'],
    ['assistance', 'begins_at', 'requested_at', 'beginsAt', 'begins_at IS NULL'],
    ['assistance', 'expires_at', 'expires_at + 86400000', 'expiresAt'],
    ['assistance', 'approved_by_id', somebody, 'approvedById', 'approved_by_id IS NOT NULL'],
    ['assistance', 'approved_at', 'NULL', 'approvedAt', 'approved_at IS NOT NULL'],
    ['assistance', 'needs_approval', '1 - needs_approval', 'needsApproval'],
    ['assistance', 'ended_at', 'NULL', 'endedAt', 'ended_at IS NOT NULL'],
    ['assistance', 'ended_at', 'requested_at', 'endedAt', 'ended_at IS NULL'],
    ['assistance', 'end_reason', "'EXPIRED'", 'endReason', 'ended_at IS NOT NULL'],
    ['assistance', 'open_key', 'NULL', 'openKey', 'open_key IS NOT NULL'],
    ['assistance', 'reason_sealed', 'NULL', 'reason', 'reason_sealed IS NOT NULL'],
    ['assistance', 'rejected_by_id', somebody, 'rejectedById', "end_reason = 'REJECTED'"],
    ['assistance', 'rejection_sealed', 'NULL', 'rejection', "end_reason = 'REJECTED'"],
    ['credential_update', 'state', "'EXPIRED'", 'state'],
    ['credential_update', 'kind', "'SET_DEFAULT'", 'kind'],
    ['credential_update', 'ticket_id', "'tkt_x'", 'ticketId'],
    ['credential_update', 'customer_id', "'cus_x'", 'customerId'],
    ['credential_update', 'assistance_id', "'ast_x'", 'assistanceId'],
    ['credential_update', 'payment_method_id', "'pm_x'", 'paymentMethodId'],
    ['credential_update', 'requested_by_id', somebody, 'requestedById'],
    ['credential_update', 'requested_by_staff_id', "'stf_x'", 'requestedByStaffId'],
    ['credential_update', 'requested_by_staff_id', 'NULL', 'requestedByStaffId'],
    ['credential_update', 'requested_by_staff_ids', `'["stf_x"]'`, 'requestedByStaffIds'],
    ['credential_update', 'requested_by_staff_ids', "'[]'", 'requestedByStaffIds'],
    ['credential_update', 'contact_staff_ids', `'["stf_x"]'`, 'contactStaffIds'],
    ['credential_update', 'link', "'MATCHED'", 'link'],
    ['credential_update', 'risk_rules', `'["contact-age-unknown"]'`, 'riskRules', "risk_rules = '[]'"],
    ['credential_update', 'needs_code', '1 - needs_code', 'needsCode'],
    ['credential_update', 'needs_approval', '1 - needs_approval', 'needsApproval'],
    ['credential_update', 'authenticated', '1', 'authenticated'],
    ['credential_update', 'decided_by_id', somebody, 'decidedById', 'decided_by_id IS NOT NULL'],
    ['credential_update', 'decided_by_staff_id', "'stf_x'", 'decidedByStaffId', 'decided_by_id IS NOT NULL'],
    ['credential_update', 'decided_by_staff_id', 'NULL', 'decidedByStaffId', "decision = 'APPROVED'"],
    ['credential_update', 'decided_by_staff_id', "'stf_x'", 'decidedByStaffId', 'decided_by_id IS NULL'],
    ['credential_update', 'decision', "'APPROVED'", 'decision', "decision = 'REJECTED'"],
    ['credential_update', 'decision_reason_sealed', 'NULL', 'decisionReason', "decision = 'REJECTED'"],
    ['credential_update', 'decided_at', 'decided_at + 1', 'decidedAt', 'decided_at IS NOT NULL'],
    ['credential_update', 'created_at', 'created_at - 1', 'createdAt'],
    ['credential_update', 'ended_at', 'ended_at + 1', 'endedAt'],
  ])('are named where somebody wrote over %s.%s', async (table, column, value, named, where = '1 = 1') => {
    const rows = await idsOf(`SELECT id FROM ${table} WHERE ${where}`);
    expect(rows).not.toHaveLength(0);
    const kind = table === 'assistance' ? 'assistances' : 'updates';
    await altered(table, `UPDATE ${table} SET ${column} = ${value} WHERE id = '${rows[0]}'`, async () => {
      expect(await look()).toEqual([`1 ${kind} that their events say otherwise of: ${rows[0]} (${named})`]);
    });
    expect(await look()).toEqual([]);
  });

  it.each([
    ['credential_transition', 'actor_id', somebody, 'transitions of updates'],
    ['credential_transition', 'staff_id', "'stf_x'", 'transitions of updates', "actor_kind = 'staff'"],
    ['credential_transition', 'staff_id', 'NULL', 'transitions of updates', "actor_kind = 'staff'"],
    ['credential_transition', 'staff_id', "'stf_x'", 'transitions of updates', "actor_kind = 'customer'"],
    ['credential_transition', 'actor_kind', "'JOB'", 'transitions of updates'],
    ['credential_transition', 'reason', "'BY_HAND'", 'transitions of updates'],
    ['credential_transition', 'at', 'at + 1', 'transitions of updates', "to_state = 'AWAITING_CUSTOMER'"],
    ['credential_confirmation', 'proofs', `'["link","guess"]'`, 'confirmations'],
    ['credential_confirmation', 'channel', "'SMS'", 'confirmations'],
    ['credential_confirmation', 'at', 'at + 1', 'confirmations'],
  ])(
    'are named where somebody wrote over %s.%s, with an act that nobody did',
    async (table, column, value, kind, where = '1 = 1') => {
      const [row] = await idsOf(`SELECT id FROM ${table} WHERE ${where}`);
      await altered(table, `UPDATE ${table} SET ${column} = ${value} WHERE id = '${row}'`, async () => {
        expect(await look()).toEqual([`1 ${kind} without an event of the log: ${row}`]);
      });
      expect(await look()).toEqual([]);
    },
  );

  it.each([
    ['actor', ['actors that the log has events of are gone']],
    ['assistance', ['assistances that the log has events of are gone']],
    ['credential_update', ['updates that the log has events of are gone']],
    [
      'credential_transition',
      ['updates that their events say otherwise of', 'transitions of updates that the log has events of are gone'],
    ],
    ['credential_confirmation', ['confirmations that the log has events of are gone']],
  ])('are missed where somebody deleted one of %s', async (table, expected) => {
    const [row] = await idsOf(`SELECT id FROM ${table}`);
    await altered(table, `DELETE FROM ${table} WHERE id = '${row}'`, async () => {
      expect((await look()).map((line) => line.replace(/^1 (.*): .*$/, '$1'))).toEqual(expected);
    });
    expect(await look()).toEqual([]);
  });

  it.each([
    ['actor', 'subject_digest', "'x'", 'actors', 'issuer or subject'],
    ['actor', 'issuer', "'https://other.example.com'", 'actors', 'issuer or subject'],
    ['actor', 'created_at', 'created_at - 1', 'actors', 'createdAt'],
    ['session_revocation', 'subject_digest', "'x'", 'ended sessions', 'whose'],
    ['session_revocation', 'session_digest', 'NULL', 'ended sessions', 'whose'],
    ['session_revocation', 'issuer', "'https://else.example.com'", 'ended sessions', 'whose'],
    ['session_revocation', 'issued_at', 'issued_at - 1000', 'ended sessions', 'whose'],
    ['session_revocation', 'until_at', 'until_at - 1000', 'ended sessions', 'untilAt'],
  ])(
    'are named where somebody wrote over %s.%s, by which somebody is who they are',
    async (table, column, value, kind, named) => {
      const [id] = await idsOf(`SELECT id FROM ${table}`);
      await altered(table, `UPDATE ${table} SET ${column} = ${value} WHERE id = '${id}'`, async () => {
        expect(await look()).toEqual([`1 ${kind} that their events say otherwise of: ${id} (${named})`]);
      });
      expect(await look()).toEqual([]);
    },
  );

  it('are named where two actors changed places, so that one could approve what the other asked for', async () => {
    const [one, other] = await test.app.database.query<{ id: string; subject_digest: string }>(
      'SELECT id, subject_digest FROM actor ORDER BY id LIMIT 2',
    );
    const give = (id: string | undefined, digest: string | undefined) =>
      sql('UPDATE actor SET subject_digest = ? WHERE id = ?', [digest, id]);
    const swap = async (first: string | undefined, second: string | undefined) => {
      await give(one?.id, 'on its way');
      await give(other?.id, second);
      await give(one?.id, first);
    };
    await swap(other?.subject_digest, one?.subject_digest);
    expect(await look()).toEqual([
      `2 actors that their events say otherwise of: ${one?.id} (issuer or subject), ${other?.id} (issuer or subject)`,
    ]);
    await swap(one?.subject_digest, other?.subject_digest);
    expect(await look()).toEqual([]);
  });

  it('from before events stated who among the staff somebody was are said to be so, and not taken for altered', async () => {
    const stated = ['staff', 'staffRows', 'contactStaff', 'identity', 'entry', 'until', 'token'];
    const events = await test.app.database.query<{ id: string; leaf: Buffer }>(
      "SELECT id, leaf FROM audit_event WHERE subject_type IN ('Actor', 'SessionRevocation', 'Assistance', 'CredentialUpdate')",
    );
    for (const { id, leaf } of events) {
      const { detail, action, ...rest } = JSON.parse(leaf.toString('utf8')) as {
        action: string;
        detail: Record<string, unknown>;
      };
      const kept = Object.entries(detail).filter(
        ([name]) => !stated.includes(name) || (name === 'until' && action !== 'session.revoke'),
      );
      const before = Buffer.from(JSON.stringify({ ...rest, action, detail: Object.fromEntries(kept) }));
      await sql('UPDATE audit_event SET leaf = ? WHERE id = ?', [before, id]);
    }
    try {
      const count = async (table: string) => (await idsOf(`SELECT id FROM ${table}`)).length;
      const line = (number: number, kind: string) =>
        `rows: ${number} ${kind} were recorded before events stated whose they are: nothing in the log says that`;
      expect(await rowsWithoutEvent(test.app.database)).toEqual({
        findings: [],
        said: [
          line(await count('actor'), 'actors'),
          line(await count('session_revocation'), 'ended sessions'),
          line(await count('assistance'), 'assistances'),
          line(await count('credential_update'), 'updates'),
        ],
      });
      // As rows of then are that were never given who asked.
      await altered('assistance', 'UPDATE assistance SET requested_by_staff_ids = NULL', async () => {
        expect(await look()).toEqual([]);
      });
    } finally {
      for (const { id, leaf } of events) await sql('UPDATE audit_event SET leaf = ? WHERE id = ?', [leaf, id]);
    }
    expect(await rowsWithoutEvent(test.app.database)).toEqual({ findings: [], said: [] });
  });

  it('are named where somebody slipped in an actor or an update', async () => {
    const columns = await test.app.database.query<Record<string, unknown>>('SELECT * FROM credential_update ORDER BY id LIMIT 1');
    const others = Object.keys(columns[0] ?? {}).filter((name) => !['id', 'request_key'].includes(name));
    await altered(
      'credential_update',
      `INSERT INTO credential_update (id, request_key, ${others.join(', ')})
       SELECT 'cru_forged', 'forged', ${others.join(', ')} FROM credential_update WHERE open_key IS NULL ORDER BY id LIMIT 1`,
      async () => expect(await look()).toEqual(['1 updates without an event of the log: cru_forged']),
    );
    await altered(
      'actor',
      `INSERT INTO actor (id, issuer, subject_digest, created_at, fence) SELECT 'act_forged', issuer, 'x', created_at, 0 FROM actor ORDER BY id LIMIT 1`,
      async () => expect(await look()).toEqual(['1 actors without an event of the log: act_forged']),
    );
  });
});
