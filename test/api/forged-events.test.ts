import { randomBytes } from 'node:crypto';
import { type AuditEvent, type EventDraft, finalizeEvent, hashLeaf } from '../../src/audit/event';
import { formatVerifierKey, generateSignerKey, verifierKeyOf } from '../../src/audit/note';
import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { keyEncryptionOf } from '../../src/config/key-encryption';
import type { Database } from '../../src/db/database';
import { demoTickets } from '../../src/development/merchant/cast';
import { Keys } from '../../src/features/keys/keys.service';
import { storedVouchers } from '../../src/features/keys/vouchers';
import { signersOf } from '../../src/ledger/checkpoints';
import { configuredKeys } from '../../src/ledger/outside-keys';
import { EventKeptApart } from '../../src/ledger/queue-guard';
import { scrub } from '../../src/ledger/scrub';
import type { SequencerOptions } from '../../src/ledger/sequencer';
import { signingKeyText } from '../../src/ledger/signing-key-file';
import { trustedKeys } from '../../src/ledger/trusted-keys';
import { keyEncryptionFromEnvironment } from '../../src/privacy/key-encryption';
import { ulid } from '../../src/ulid';
import { ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { record, sequencerOf, tamper, testSigners } from '../support/audit-log';
import { temporaryDatabase } from '../support/database';

let test: TestApp;
let faults: unknown[];
beforeAll(async () => {
  test = await TestApp.start();
});
beforeEach(async () => {
  faults = [];
  await test.as('ana', '{ tickets(first: 5) { nodes { id subject customer { displayName } } } }');
  await turn();
});
afterAll(() => test.stop());

const outside = (origin: string) => configuredKeys(test.app.config.audit).outside(origin);
const sequencer = (database: Database = test.app.database, options: Partial<SequencerOptions> = {}) => {
  const { origin, signingKey } = test.app.config.audit;
  if (signingKey === null) throw new Error('no signing key');
  return sequencerOf(database, {
    origin,
    signers: signersOf(origin, signingKeyText(signingKey)),
    clock: test.clock.now,
    onFault: (error) => faults.push(error),
    ...options,
  });
};
const turn = (...of: Parameters<typeof sequencer>) => sequencer(...of).turn();
/** The database as a process has it that holds no key of the installation, as the sequencer's own may. */
const withoutKey = (): Database => Object.create(test.app.database, { vouchers: { value: null } }) as Database;

const sql = (text: string, parameters: readonly unknown[] = []) => tamper(test.app.database, text, parameters);
const rows = (text: string, parameters: readonly unknown[] = []) => test.app.database.query(text, parameters);
const isPlaced = async (id: string) => (await rows('SELECT * FROM audit_leaf WHERE event_id = ?', [id])).length === 1;
const isWaiting = async (id: string) => (await rows('SELECT * FROM audit_pending WHERE event_id = ?', [id])).length === 1;

const supervisor = { id: 'act_01ARZ3NDEKTSV4RRFFQ69G5FAV', kind: 'staff', roles: ['SUPERVISOR'] };
const forged = (draft: Partial<EventDraft> & Pick<EventDraft, 'action'>): AuditEvent => {
  const at = test.clock.now();
  return finalizeEvent({ outcome: 'ALLOWED', actor: supervisor, ...draft }, `atx_${ulid(at.getTime())}`, 0, at);
};
/** What somebody does who may write every table and holds no key. */
const queue = async (
  event: AuditEvent,
  { id = event.id, transaction = event.transactionId, voucher = null as string | null } = {},
) => {
  await sql(
    `INSERT INTO audit_event (id, transaction_id, ordinal, at, action, outcome, actor_id, ticket_id, assistance_id, subject_type, subject_id, leaf, leaf_hash, voucher)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      ...[id, transaction, event.ordinal, event.at.getTime(), event.draft.action, event.draft.outcome, event.draft.actor.id],
      ...[event.draft.ticketId ?? null, event.draft.assistanceId ?? null],
      ...[event.draft.subject?.type ?? null, event.draft.subject?.id ?? null, event.leaf, event.leafHash, voucher],
    ],
  );
  await sql('INSERT INTO audit_pending (event_id, transaction_id, ordinal) VALUES (?, ?, ?)', [id, transaction, event.ordinal]);
};
const forget = async (id: string) => {
  await sql('DELETE FROM audit_pending WHERE event_id = ?', [id]);
  await sql('DELETE FROM audit_event WHERE id = ?', [id]);
};
const scrubbed = async () => {
  const vouchers = await storedVouchers(test.app.database, keyEncryptionOf(test.app.config));
  if (!vouchers) throw new Error('no vouchers');
  return (await scrub(test.app.database, outside, { vouchers })).findings.map(({ what, message }) => `${what} ${message}`);
};

/** A request that waits, which somebody would like to have been approved. */
const waitingRequest = async (): Promise<string> => {
  const ask = `mutation($ticketId: ID!) { beginAssistance(input: { ticketId: $ticketId, purpose: DECLINE, reason: "The caller asks about a declined payment" }) { id } }`;
  const ticketId = await ticketIdOf(test, demoTickets.unassigned.reference);
  return told(await test.as('ana', ask, { ticketId })).data.beginAssistance.id;
};

describe('an event that nobody of the installation recorded', () => {
  it('is not signed, told once, kept in the queue, and named by whoever looks through the log; all others go on', async () => {
    const id = await waitingRequest();
    const approval = forged({
      action: 'assistance.approve',
      assistanceId: id,
      subject: { type: 'Assistance', id },
      detail: { of: 'act_else', expiresAt: new Date(test.clock.now().getTime() + 3_600_000).toISOString() },
    });
    await queue(approval);
    // By its rows alone all is as it should be, but for those who would have to look at the approver.
    await sql('UPDATE assistance SET approved_by_id = ?, approved_at = ?, begins_at = ?, expires_at = ? WHERE id = ?', [
      supervisor.id,
      ...[approval.at.getTime(), approval.at.getTime(), approval.at.getTime() + 3_600_000, id],
    ]);
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
    await test.as('ana', '{ tickets(first: 5) { nodes { id subject } } }');
    const signing = sequencer();
    await signing.turn();
    await signing.turn();
    expect(faults).toEqual([expect.any(EventKeptApart)]);
    expect(faults).toEqual([expect.objectContaining({ eventId: approval.id, code: 'FORGED' })]);
    expect([await isPlaced(approval.id), await isWaiting(approval.id)]).toEqual([false, true]);
    expect(await rows('SELECT * FROM audit_pending')).toHaveLength(1);
    expect(await scrubbed()).toEqual([
      `QUEUE event ${approval.id} waits for its place, and nobody who has the installation’s key recorded it`,
    ]);
    await forget(approval.id);
    await sql('UPDATE assistance SET approved_by_id = NULL, approved_at = NULL, begins_at = NULL WHERE id = ?', [id]);
    expect(await scrubbed()).toEqual([]);
  });

  it.each([
    ['without a voucher', null],
    ['with one that is made up', 'A'.repeat(43)],
    ['with another event’s', 'another'],
  ])('is not signed %s', async (_, given) => {
    const [known] = await rows('SELECT voucher FROM audit_event WHERE voucher IS NOT NULL LIMIT 1');
    const event = forged({ action: 'policy.in-force', subject: { type: 'Policy', id: 'x' }, detail: { bytes: 1 } });
    await queue(event, { voucher: given === 'another' ? String(known?.voucher) : given });
    await turn();
    expect([await isPlaced(event.id), await isWaiting(event.id), faults.length]).toEqual([false, true, 1]);
    await forget(event.id);
  });

  it('is not one that was recorded, put in once more under another id or transaction', async () => {
    const [genuine] = await rows(
      "SELECT * FROM audit_event WHERE voucher IS NOT NULL AND action = 'actor.first-seen' ORDER BY id LIMIT 1",
    );
    const copy = {
      ...forged({ action: 'actor.first-seen', subject: { type: 'Actor', id: 'act_else' } }),
      leaf: genuine?.leaf as Buffer,
      leafHash: String(genuine?.leaf_hash),
    };
    await queue(copy, { voucher: String(genuine?.voucher) });
    await turn();
    expect([await isPlaced(copy.id), faults]).toEqual([
      false,
      [expect.objectContaining({ message: expect.stringContaining('another event’s') })],
    ]);
    await forget(copy.id);
  });

  it('is not one that was recorded and altered while it waited', async () => {
    await test.as('ana', '{ tickets(first: 5) { nodes { id subject } } }');
    const [waiting] = await rows(
      "SELECT e.* FROM audit_pending p JOIN audit_event e ON e.id = p.event_id WHERE e.action = 'disclosure' ORDER BY e.id LIMIT 1",
    );
    const { id, transaction_id: transaction, ordinal, at, voucher } = waiting as Record<string, string>;
    const made = finalizeEvent(
      { action: 'disclosure', outcome: 'ALLOWED', actor: supervisor, detail: { count: 0 } },
      String(transaction),
      Number(ordinal),
      new Date(Number(at)),
    );
    // Under its id, so that only what vouches for it is missing.
    const leaf = Buffer.from(made.leaf.toString('utf8').replace(made.id, String(id)));
    const before = [waiting?.leaf, waiting?.leaf_hash, id];
    await sql('UPDATE audit_event SET leaf = ?, leaf_hash = ? WHERE id = ?', [leaf, hashLeaf(leaf), id]);
    await turn();
    expect([await isPlaced(String(id)), typeof voucher, faults]).toEqual([
      false,
      'string',
      [expect.objectContaining({ message: expect.stringContaining('nobody who has the installation’s key') })],
    ]);
    await sql('UPDATE audit_event SET leaf = ?, leaf_hash = ? WHERE id = ?', before);
    // A process that didn't keep it apart, as the next one.
    await turn();
    expect(await isPlaced(String(id))).toBe(true);
    expect(await scrubbed()).toEqual([]);
  });

  it('is found in the log where a sequencer without the key let it in, by every look afterwards', async () => {
    const event = forged({ action: 'policy.in-force', subject: { type: 'Policy', id: 'x' }, detail: { bytes: 1 } });
    await queue(event);
    await turn(withoutKey());
    expect([await isPlaced(event.id), faults]).toEqual([true, []]);
    const expected = [
      `LEAF event ${event.id} was recorded by nobody who has the installation’s key: somebody else put it into the log`,
    ];
    expect(await scrubbed()).toEqual(expected);
    // Nor does it help to take all vouchers away, or to let the installation make its secret anew.
    await sql('CREATE TABLE set_aside AS SELECT id, voucher FROM audit_event');
    await sql('UPDATE audit_event SET voucher = NULL');
    const without = await scrubbed();
    expect(without.length).toBeGreaterThan(10);
    expect(without).toEqual(expect.arrayContaining(expected));
    await sql('UPDATE audit_event SET voucher = (SELECT s.voucher FROM set_aside s WHERE s.id = audit_event.id)');
    await sql('DROP TABLE set_aside');
    expect(await scrubbed()).toEqual(expected);
  });

  it('that names a key makes nobody trusted, whether the signer has the installation’s key or not', async () => {
    const { origin } = test.app.config.audit;
    const stranger = verifierKeyOf(generateSignerKey(origin));
    const event = forged({
      action: 'log.key',
      actor: { id: 'system:sequencer', kind: 'system', roles: [] },
      subject: { type: 'LogKey', id: stranger.keyId.toString(16).padStart(8, '0') },
      detail: { key: formatVerifierKey(stranger) },
    });
    await queue(event);
    await turn(withoutKey());
    await turn();
    expect([await isPlaced(event.id), faults.length]).toEqual([false, 2]);
    const { keys } = await trustedKeys(test.app.database, outside);
    expect(keys.map(formatVerifierKey)).not.toContain(formatVerifierKey(stranger));
    await forget(event.id);
  });
});

describe('events of the gateway itself', () => {
  it('are vouched for from the first one on', async () => {
    expect(await rows("SELECT subject_id FROM audit_event WHERE action = 'secret.create' AND voucher IS NOT NULL")).toHaveLength(
      2,
    );
    const unvouched = await rows('SELECT actor_id FROM audit_event WHERE voucher IS NULL');
    // What was forged above.
    expect(unvouched.map(({ actor_id }) => actor_id)).toEqual([supervisor.id]);
  });
});

describe('a log from before events had vouchers', () => {
  it('takes what gateways of the version before record for a day after the upgrade, and nothing without a voucher afterwards', async () => {
    let now = Date.UTC(2026, 8, 1, 9);
    const clock = () => new Date(now);
    const { database, remove } = await temporaryDatabase({ clock });
    try {
      const encryption = keyEncryptionFromEnvironment(randomBytes(32).toString('base64'));
      await Keys.open(database, encryption);
      // As the version before left it: one secret, and events without vouchers.
      await tamper(database, "DELETE FROM privacy_secret WHERE name = 'events'");
      for (const table of ['audit_pending', 'audit_event'])
        await tamper(
          database,
          `DELETE FROM ${table} WHERE ${table === 'audit_event' ? 'id' : 'event_id'} IN (SELECT id FROM (SELECT id FROM audit_event WHERE subject_id = 'events') x)`,
        );
      const before = Object.create(database, { vouching: { value: null } }) as Database;
      await record(before, 3);
      await tamper(database, 'UPDATE audit_event SET voucher = NULL');
      now += 3_600_000;
      await Keys.open(database, encryption);
      const kept: unknown[] = [];
      const signing = sequencerOf(database, { clock, onFault: (error) => kept.push(error) });
      await signing.open();
      await record(database, 2);
      await record(before, 2);
      await signing.turn();
      const vouchers = await storedVouchers(database, encryption);
      const report = () => scrub(database, () => testSigners.map(verifierKeyOf), vouchers ? { vouchers } : {});
      expect([kept, (await report()).findings, vouchers?.since]).toEqual([[], [], new Date(now + 86_400_000)]);
      now += 86_400_000;
      await record(database, 2);
      await signing.turn();
      await record(before, 1);
      await signing.turn();
      expect(kept).toEqual([expect.any(EventKeptApart)]);
      expect((await report()).findings).toEqual([
        expect.objectContaining({ what: 'QUEUE', message: expect.stringContaining('nobody who has the installation’s key') }),
      ]);
    } finally {
      await remove();
    }
  });
});
