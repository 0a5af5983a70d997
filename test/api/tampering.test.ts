import { finalizeEvent, hashLeaf } from '../../src/audit/event';
import { verifierKeyOf } from '../../src/audit/note';
import { verifyExport } from '../../src/audit/verify';
import type { Database } from '../../src/db/database';
import { AuditExports } from '../../src/features/audit/exports.service';
import { Checkpoints } from '../../src/ledger/checkpoints';
import { LogBroken } from '../../src/ledger/log-broken';
import { scrub } from '../../src/ledger/scrub';
import { SigningLog } from '../../src/ledger/signing-log';
import { levelsOf, storedHashes } from '../../src/ledger/stored-tree';
import { emptyLog, record, tamper, testKey, testOrigin, testSigners } from '../support/audit-log';
import { temporaryDatabase } from '../support/database';
import { TestWitness } from '../support/witness';

/**
 * Somebody with full write access to the database changes what was recorded. Each attack is held against what may catch it:
 * the check at the start, the doctor, and an export checked by an outsider, who has the public key and a checkpoint that
 * the anchor took before.
 */
let database: Database;
let remove: () => Promise<void>;
let witness: TestWitness;
let now: number;
let kept: string;
const clock = () => new Date(now);
const leaves = 900;

beforeAll(async () => {
  now = Date.UTC(2026, 8, 1, 9);
  ({ database, remove } = await temporaryDatabase({ clock }));
});
afterAll(() => remove());
afterEach(() => witness.stop());

const open = () =>
  SigningLog.open(database, {
    origin: testOrigin,
    signingKey: { value: testKey },
    anchors: [{ kind: 'witness', name: 'witness', url: witness.url, key: witness.key }],
    clock,
    onFault: () => {},
  });

beforeEach(async () => {
  now = Date.UTC(2026, 8, 1, 9);
  await emptyLog(database);
  witness = await TestWitness.start(testSigners.map(verifierKeyOf), clock);
  const log = await open();
  await record(database, leaves, 'test.first');
  kept = (await log.sequencer.turn())?.note ?? '';
  await log.anchors.turn();
  now += 3_600_000;
  await record(database, 20, 'test.second');
  await log.sequencer.turn();
});

const exported = async (): Promise<Buffer> => {
  const exports = new AuditExports(database, checkpoints());
  const plan = await exports.plan({ from: null, before: null, customerId: null, since: [] });
  const chunks: Buffer[] = [];
  for await (const chunk of exports.ndjson(plan, null)) chunks.push(chunk);
  return Buffer.concat(chunks);
};
/** The stored checkpoints, without the check that a start makes. */
const checkpoints = () => new Checkpoints(database, testOrigin);

/** What each of the three says: a finding, or `fine`. The outsider's is of an export with the checkpoint that they kept. */
const caught = async () => {
  const start = await open().then(
    () => 'fine',
    (error: unknown) => (error instanceof LogBroken ? error.finding : String(error)),
  );
  const { findings } = await scrub(database, () => testSigners.map(verifierKeyOf));
  const outsider = await exported().then(
    (bytes) => {
      let at = 0;
      const read = (into: Uint8Array) => {
        const copied = bytes.copy(into, 0, at);
        at += copied;
        return copied;
      };
      const { problem, flags } = verifyExport(read, { keys: testSigners.map(verifierKeyOf), since: kept });
      return problem?.kind ?? flags[0]?.kind ?? 'fine';
    },
    (error: unknown) => (error instanceof LogBroken ? `refused: ${error.finding}` : String(error)),
  );
  return { start, doctor: [...new Set(findings.map(({ what }) => what))].sort().join(' ') || 'fine', outsider };
};

const sql = (text: string, parameters: readonly unknown[] = []) => tamper(database, text, parameters);
const leafAt = async (index: number) => {
  const [row] = await database.query<{ event_id: string; leaf_hash: string; leaf: Buffer }>(
    'SELECT l.event_id, l.leaf_hash, e.leaf FROM audit_leaf l JOIN audit_event e ON e.id = l.event_id WHERE l.leaf_index = ?',
    [index],
  );
  if (!row) throw new Error('no such leaf');
  return row;
};
const altered = (leaf: Buffer) => Buffer.from(leaf.toString('utf8').replace('"act_test"', '"act_else"'), 'utf8');

/** Edits an event so that its own row agrees with itself. Answers the hash of the leaf that it has become. */
const editEvent = async (): Promise<string> => {
  const { event_id: id, leaf } = await leafAt(100);
  const edited = altered(leaf);
  const hash = hashLeaf(edited);
  await sql("UPDATE audit_event SET leaf = ?, leaf_hash = ?, actor_id = 'act_else' WHERE id = ?", [edited, hash, id]);
  return hash;
};

/** Signs what is stored anew, as whoever has the key can: no checkpoint of before is left. */
const signAnew = async () => {
  for (const table of ['audit_checkpoint', 'audit_anchor', 'audit_node']) await sql(`DELETE FROM ${table}`);
  const events = await database.query<{ event_id: string; transaction_id: string; ordinal: number }>(
    'SELECT l.event_id, e.transaction_id, e.ordinal FROM audit_leaf l JOIN audit_event e ON e.id = l.event_id',
  );
  await sql('DELETE FROM audit_leaf');
  for (const { event_id: id, transaction_id: transaction, ordinal } of events)
    await sql('INSERT INTO audit_pending (event_id, transaction_id, ordinal) VALUES (?, ?, ?)', [id, transaction, ordinal]);
  const log = await SigningLog.open(database, {
    origin: testOrigin,
    signingKey: { value: testKey },
    anchors: [],
    clock,
    onFault: () => {},
  });
  await log.sequencer.turn();
};

const attacks: readonly [string, () => Promise<unknown>, Awaited<ReturnType<typeof caught>>][] = [
  ['nothing', async () => {}, { start: 'fine', doctor: 'fine', outsider: 'fine' }],
  [
    'edit a leaf that is long past',
    async () => {
      const { event_id: id, leaf } = await leafAt(100);
      await sql('UPDATE audit_event SET leaf = ? WHERE id = ?', [altered(leaf), id]);
    },
    { start: 'fine', doctor: 'COLUMNS LEAF', outsider: 'ALTERED' },
  ],
  [
    'edit a leaf with its hashes and the nodes above it',
    async () => {
      const hash = await editEvent();
      await sql('UPDATE audit_leaf SET leaf_hash = ? WHERE leaf_index = 100', [hash]);
      const hashes = await storedHashes(database, 0, 0, 256);
      const root = levelsOf(hashes).at(-1)?.[0]?.toString('hex');
      await sql('UPDATE audit_node SET hash = ? WHERE level = 8 AND node_index = 0', [root]);
    },
    { start: 'REWRITTEN', doctor: 'ANCHOR CHECKPOINT', outsider: 'ROOT' },
  ],
  [
    'edit the columns beside a leaf, by which queries go',
    async () => {
      const { event_id: id } = await leafAt(100);
      await sql("UPDATE audit_event SET actor_id = 'act_else' WHERE id = ?", [id]);
    },
    { start: 'fine', doctor: 'COLUMNS', outsider: 'fine' },
  ],
  [
    'delete an event that is long past',
    async () => {
      const { event_id: id } = await leafAt(100);
      await sql('DELETE FROM audit_event WHERE id = ?', [id]);
    },
    { start: 'fine', doctor: 'LEAF ORDER', outsider: 'refused: MISSING' },
  ],
  [
    'swap two leaves',
    async () => {
      const [one, two] = [await leafAt(100), await leafAt(101)];
      await sql("UPDATE audit_leaf SET event_id = 'evt_aside' WHERE leaf_index = 100");
      await sql('UPDATE audit_leaf SET event_id = ?, leaf_hash = ? WHERE leaf_index = 101', [one.event_id, one.leaf_hash]);
      await sql('UPDATE audit_leaf SET event_id = ?, leaf_hash = ? WHERE leaf_index = 100', [two.event_id, two.leaf_hash]);
    },
    { start: 'fine', doctor: 'ANCHOR CHECKPOINT ORDER TREE', outsider: 'ROOT' },
  ],
  [
    'cut off the tail with its checkpoints, down to before the anchor',
    async () => {
      const cut = leaves - 100;
      for (const table of ['audit_checkpoint', 'audit_anchor']) await sql(`DELETE FROM ${table}`);
      await sql('DELETE FROM audit_event WHERE id IN (SELECT event_id FROM audit_leaf WHERE leaf_index >= ?)', [cut]);
      await sql('DELETE FROM audit_leaf WHERE leaf_index >= ?', [cut]);
      await checkpoints().sign(database, testSigners, { anchored: true, at: clock() });
    },
    { start: 'TRUNCATED', doctor: 'fine', outsider: 'HISTORY' },
  ],
  [
    'insert an event in the past, and move the others',
    async () => {
      const event = finalizeEvent(
        { action: 'test.first', outcome: 'ALLOWED', actor: { id: 'act_else', kind: 'staff', roles: [] } },
        'atx_else',
        0,
        new Date(Date.UTC(2026, 8, 1, 9)),
      );
      await sql(
        'INSERT INTO audit_event (id, transaction_id, ordinal, at, action, outcome, actor_id, leaf, leaf_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        [event.id, event.transactionId, 0, event.at.getTime(), 'test.first', 'ALLOWED', 'act_else', event.leaf, event.leafHash],
      );
      await sql('UPDATE audit_leaf SET leaf_index = leaf_index + 1000000 WHERE leaf_index >= 100');
      await sql('UPDATE audit_leaf SET leaf_index = leaf_index - 999999 WHERE leaf_index >= 1000000');
      await sql('INSERT INTO audit_leaf (leaf_index, event_id, leaf_hash) VALUES (100, ?, ?)', [event.id, event.leafHash]);
    },
    { start: 'REWRITTEN', doctor: 'ANCHOR CHECKPOINT ORDER TREE', outsider: 'ROOT' },
  ],
  [
    'rebuild the whole tree with the same key, after an anchored checkpoint',
    async () => {
      await editEvent();
      await signAnew();
    },
    { start: 'REWRITTEN', doctor: 'fine', outsider: 'HISTORY' },
  ],
  [
    'back-date an event',
    async () => {
      const log = await open();
      const before = now;
      now = Date.UTC(2026, 8, 1, 9);
      await record(database, 1, 'test.backdated');
      now = before;
      await log.sequencer.turn();
    },
    { start: 'fine', doctor: 'fine', outsider: 'TIME' },
  ],
];

describe('with full write access to the database, to', () => {
  it.each(attacks)('%s is caught as it should be', async (_, attack, expected) => {
    await attack();
    expect(await caught()).toEqual(expected);
  });
});
