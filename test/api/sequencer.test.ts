import { openCheckpoint, unanchoredExtension } from '../../src/audit/checkpoint';
import { glanceAtLeaf, type LeafFacts } from '../../src/audit/glance';
import { consistencyPath, Frontier, inclusionPath, leafHash, verifyConsistency, verifyInclusion } from '../../src/audit/merkle';
import { verifierKeyOf } from '../../src/audit/note';
import { Sequence } from '../../src/audit/sequence';
import type { Database } from '../../src/db/database';
import { Checkpoints, rootAt, signersOf } from '../../src/ledger/checkpoints';
import { integrate } from '../../src/ledger/integration';
import { forkOrigin, storedOrigins } from '../../src/ledger/origins';
import { QueueGuard } from '../../src/ledger/queue-guard';
import { StoredTree } from '../../src/ledger/stored-tree';
import { trustedKeys } from '../../src/ledger/trusted-keys';
import { anotherKey, emptyLog, record, sequencerOf, tamper, testKey, testOrigin, testSigners } from '../support/audit-log';
import { temporaryDatabase } from '../support/database';

let database: Database;
let remove: () => Promise<void>;
let now: number;
beforeAll(async () => {
  ({ database, remove } = await temporaryDatabase({ clock: () => new Date(now) }));
});
beforeEach(async () => {
  now = Date.UTC(2026, 8, 1, 9);
  await emptyLog(database);
});
afterAll(() => remove());

const clock = () => new Date(now);
const guard = new QueueGuard({
  vouchers: () => null,
  keys: testSigners.map(verifierKeyOf),
  clock,
  onApart: (event) => {
    throw event;
  },
});
const sequencer = (options: Parameters<typeof sequencerOf>[1] = {}) => sequencerOf(database, { clock, ...options });

interface Placed {
  readonly leaf_index: number;
  readonly leaf: Buffer;
  readonly transaction_id: string;
  readonly ordinal: number;
}
const placed = () =>
  database.query<Placed & Record<string, unknown>>(
    'SELECT l.leaf_index, e.leaf, e.transaction_id, e.ordinal FROM audit_leaf l JOIN audit_event e ON e.id = l.event_id ORDER BY l.leaf_index',
  );
const count = async (table: string) => Number((await database.query(`SELECT COUNT(*) AS n FROM ${table}`))[0]?.n);
const checkpoints = async () => {
  const rows = await database.query<{ note: Buffer }>('SELECT note FROM audit_checkpoint ORDER BY tree_size');
  return rows.map(({ note }) => openCheckpoint(note, testSigners.map(verifierKeyOf)));
};

describe('the sequencer', () => {
  it('gives every committed event one place, whole transactions in their order, and signs the root of exactly those', async () => {
    const log = sequencer();
    await log.open();
    for (const size of [3, 1, 700, 255, 2]) await record(database, size);
    const signed = await log.turn();
    const rows = await placed();
    expect(rows.map(({ leaf_index }) => Number(leaf_index))).toEqual(rows.map((_, index) => index));
    expect([rows.length, await count('audit_event'), await count('audit_pending')]).toEqual([964, 964, 0]);
    const transactions = rows.map(({ transaction_id: id }) => id);
    const starts = transactions.filter((id, index) => id !== transactions[index - 1]);
    expect(starts.length).toBe(new Set(starts).size);
    for (const [index, { ordinal }] of rows.entries())
      expect(Number(ordinal)).toBe(transactions[index] === transactions[index - 1] ? Number(rows[index - 1]?.ordinal) + 1 : 0);
    const frontier = new Frontier();
    for (const { leaf } of rows) frontier.append(leafHash(leaf));
    expect(signed).toMatchObject({ origin: testOrigin, size: 964, root: frontier.root(), extensions: [unanchoredExtension] });
    // On a slow machine an earlier one is signed in between.
    expect((await checkpoints()).at(-1)).toEqual({
      origin: testOrigin,
      size: 964,
      root: frontier.root(),
      extensions: [unanchoredExtension],
    });
  });

  it('takes a transaction that is longer than a batch whole, with those before and after it', async () => {
    for (const size of [400, 1_300, 10]) await record(database, size);
    const moved: number[] = [];
    for (let n = await integrate(database, guard); n > 0; n = await integrate(database, guard)) moved.push(n);
    expect(moved.reduce((sum, n) => sum + n, 0)).toBe(1_710);
    expect(moved.length).toBeGreaterThan(1);
    const rows = await placed();
    const starts = rows.filter(({ ordinal }) => Number(ordinal) === 0);
    expect([rows.length, starts.length]).toEqual([1_710, 3]);
  });

  it('signs nothing where there is nothing new, and never one size twice', async () => {
    const log = sequencer();
    await log.open();
    const first = await log.turn();
    expect(await log.turn()).toBeNull();
    await record(database, 1);
    expect((await log.turn())?.size).toBe((first?.size ?? 0) + 1);
    expect(await sequencer().checkpoints.sign(database, testSigners, { anchored: false, at: clock() })).toBeNull();
    expect((await checkpoints()).map(({ size }) => size)).toEqual([first?.size, (first?.size ?? 0) + 1]);
  });

  it('goes on after it was killed between any two of its transactions', async () => {
    await sequencer().open();
    await record(database, 600);
    // Killed after the first batch, before anything was signed.
    expect(await integrate(database, guard)).toBeGreaterThan(0);
    const second = sequencer();
    await second.open();
    expect((await second.turn())?.size).toBe(await count('audit_event'));
    await record(database, 5);
    await integrate(database, guard);
    const third = sequencer();
    await third.open();
    expect((await third.turn())?.size).toBe(await count('audit_event'));
    const [older, newer] = await checkpoints();
    if (!older || !newer) throw new Error('expected two checkpoints');
    const tree = new StoredTree(database);
    const path = await consistencyPath(older.size, newer.size, tree.nodeAt);
    expect(verifyConsistency(older.size, newer.size, older.root, newer.root, path)).toBe(true);
  });

  it('places each event once and signs one history, however many do it at once', async () => {
    const logs = [sequencer(), sequencer(), sequencer()];
    for (const log of logs) await log.open();
    const turns = async (log: (typeof logs)[number]) => {
      for (let turn = 0; turn < 6; turn += 1) await log.turn();
    };
    const write = async () => {
      for (let turn = 0; turn < 12; turn += 1) await record(database, 1 + (turn % 4) * 30);
    };
    // A turn that loses its place to another one throws when it has lost it too often; the next one goes on.
    await Promise.allSettled([...logs.map(turns), write(), write()]);
    await logs[0]?.turn();
    expect([await count('audit_leaf'), await count('audit_pending')]).toEqual([await count('audit_event'), 0]);
    const rows = await placed();
    const frontier = new Frontier();
    const roots = new Map(
      rows.map(({ leaf }) => {
        frontier.append(leafHash(leaf));
        return [frontier.size, frontier.root()];
      }),
    );
    for (const { size, root } of await checkpoints()) expect([size, root]).toEqual([size, roots.get(size)]);
    expect((await checkpoints()).at(-1)?.size).toBe(rows.length);
  });

  it('proves every leaf and every pair of sizes from what is stored', async () => {
    for (let size = 0; size < 530; size += 53) await record(database, 53);
    while ((await integrate(database, guard)) > 0);
    const size = 530;
    const hashes = (await placed()).map(({ leaf }) => leafHash(leaf));
    const root = await rootAt(new StoredTree(database), size);
    for (const index of [0, 1, 255, 256, 511, 512, 528, 529]) {
      const path = await inclusionPath(size, index, new StoredTree(database).nodeAt);
      expect([index, verifyInclusion(size, index, hashes[index] as Buffer, path, root)]).toEqual([index, true]);
    }
    for (const from of [1, 255, 256, 257, 512, 529, 530]) {
      const path = await consistencyPath(from, size, new StoredTree(database).nodeAt);
      const older = await rootAt(new StoredTree(database), from);
      expect([from, verifyConsistency(from, size, older, root, path)]).toEqual([from, true]);
    }
  });

  it('says what time it is once a minute, and who signs, in the log itself', async () => {
    const log = sequencer();
    await log.open();
    await log.turn();
    now += 59_999;
    await log.turn();
    now += 1;
    await log.turn();
    const again = sequencer();
    await again.open();
    await again.turn();
    const rows = await placed();
    const events = rows.map(({ leaf }) => JSON.parse(leaf.toString('utf8')) as Record<string, unknown>);
    // Transactions of one millisecond come in any order.
    expect(events.map(({ action, at, actor }) => [action, at, (actor as { id: string }).id]).sort()).toEqual([
      ['log.begin', '2026-09-01T09:00:00.000Z', 'system:sequencer'],
      ['log.key', '2026-09-01T09:00:00.000Z', 'system:sequencer'],
      ['log.time', '2026-09-01T09:00:00.000Z', 'system:sequencer'],
      ['log.time', '2026-09-01T09:01:00.000Z', 'system:sequencer'],
    ]);
  });

  it.each([2_000, 30_000, 90_000, 86_400_000])(
    'says at once what time it is where the clock goes back by %d ms',
    async (step) => {
      const steps: number[] = [];
      const onClockBack = (milliseconds: number) => steps.push(milliseconds);
      const log = sequencer({ onClockBack });
      await log.open();
      now += 3_600_000;
      await record(database, 3);
      await log.turn();
      now += 20_000;
      await log.turn();
      now -= step;
      await log.turn();
      await record(database, 3);
      await log.turn();
      now += 59_999;
      await log.turn();
      now += 1;
      await log.turn();
      const events = (await placed()).map(({ leaf }) => glanceAtLeaf(leaf) as LeafFacts);
      const times = events.filter(({ action }) => action === 'log.time').map(({ at }) => at);
      const said = Date.UTC(2026, 8, 1, 10);
      expect(times.slice(0, 2)).toEqual([said, said + 20_000 - step]);
      expect(times.at(-1)).toBe(said + 80_000 - step);
      expect(steps).toEqual([step]);
      // Of what came after the step nothing but the leaf that says so is dated wrong.
      const oddities: number[] = [];
      const sequence = new Sequence(({ leaf }) => oddities.push(leaf), false);
      events.forEach((event, index) => {
        sequence.see(index, event);
      });
      const back = events.findIndex(({ action, at }) => action === 'log.time' && at === said + 20_000 - step);
      expect(oddities.filter((leaf) => leaf > back)).toEqual([]);
    },
  );

  it('says so as well where it starts with a clock that is behind the log', async () => {
    const log = sequencer();
    await log.open();
    now += 3_600_000;
    await log.turn();
    now -= 1_800_000;
    const steps: number[] = [];
    const again = sequencer({ onClockBack: (milliseconds) => steps.push(milliseconds) });
    await again.open();
    await again.turn();
    await again.turn();
    expect(steps).toEqual([1_800_000]);
    const times = (await placed()).map(({ leaf }) => JSON.parse(leaf.toString('utf8')) as { action: string; at: string });
    expect(times.filter(({ action }) => action === 'log.time').map(({ at }) => at)).toEqual([
      '2026-09-01T10:00:00.000Z',
      '2026-09-01T09:30:00.000Z',
    ]);
  });

  it('is signed by every key while they are rotated, and afterwards by the new one alone', async () => {
    const log = sequencer();
    await log.open();
    await log.turn();
    const both = signersOf(testOrigin, `${testKey},${anotherKey}`);
    const next = signersOf(testOrigin, anotherKey);
    const rotating = sequencer({ signers: both });
    await rotating.open();
    const signed = await rotating.turn();
    for (const signer of both) expect(openCheckpoint(signed?.note ?? '', [verifierKeyOf(signer)]).size).toBe(signed?.size);
    const rotated = sequencer({ signers: next });
    await rotated.open();
    await record(database, 1);
    const alone = await rotated.turn();
    expect(openCheckpoint(alone?.note ?? '', next.map(verifierKeyOf)).size).toBe(alone?.size);
    expect(await trustedKeys(database, () => next.map(verifierKeyOf))).toMatchObject({ keys: { length: 2 }, untrusted: 0 });
    // A key that never signed beside the old one isn't believed.
    await expect(sequencer({ signers: testSigners }).open()).rejects.toMatchObject({ finding: 'UNSIGNED' });
  });
});

describe('a stored log that is not what was signed', () => {
  const size = 600;
  beforeEach(async () => {
    const log = sequencer();
    await log.open();
    await log.turn();
    await record(database, size);
    await log.turn();
  });

  const attacks: readonly [
    string,
    string,
    (sql: (text: string, parameters?: readonly unknown[]) => Promise<unknown>) => Promise<unknown>,
  ][] = [
    [
      'a leaf of the tail that was edited',
      'ALTERED',
      (sql) => sql("UPDATE audit_event SET leaf = '{}' WHERE id = (SELECT event_id FROM audit_leaf WHERE leaf_index = 590)"),
    ],
    [
      'an event of the tail that was deleted',
      'MISSING',
      (sql) => sql('DELETE FROM audit_event WHERE id = (SELECT event_id FROM audit_leaf WHERE leaf_index = 590)'),
    ],
    ['a place that was deleted', 'MISSING', (sql) => sql('DELETE FROM audit_leaf WHERE leaf_index = 520')],
    ['a tail that was cut off', 'TRUNCATED', (sql) => sql('DELETE FROM audit_leaf WHERE leaf_index >= 550')],
    [
      'a hash that was replaced with its event',
      'REWRITTEN',
      (sql) => sql('UPDATE audit_leaf SET leaf_hash = ? WHERE leaf_index = 590', ['0'.repeat(64)]),
    ],
    [
      'a subtree that was replaced',
      'REWRITTEN',
      (sql) => sql('UPDATE audit_node SET hash = ? WHERE node_index = 0', ['0'.repeat(64)]),
    ],
    ['a subtree that is gone', 'MISSING', (sql) => sql('DELETE FROM audit_node')],
    ['a checkpoint that was edited', 'UNSIGNED', (sql) => sql('UPDATE audit_checkpoint SET root_hash = ?', ['0'.repeat(64)])],
    [
      'an event that is queued a second time',
      'DUPLICATED',
      (sql) =>
        sql(
          'INSERT INTO audit_pending (event_id, transaction_id, ordinal) SELECT id, transaction_id, ordinal FROM audit_event WHERE ordinal = 17',
        ),
    ],
    ['a name that was changed', 'OTHER_ORIGIN', (sql) => sql("UPDATE audit_origin SET name = 'log.example.com/other'")],
  ];

  it.each(attacks)('(%s) is named %s at the start, and nothing is signed', async (_, finding, attack) => {
    await attack((text, parameters) => tamper(database, text, parameters));
    await expect(sequencer().open()).rejects.toMatchObject({ name: 'LogBroken', finding });
    expect(await count('audit_checkpoint')).toBe(2);
  });

  it('is noticed while it runs: a tail that goes away, and history that is rewritten under new leaves', async () => {
    const log = sequencer();
    await log.open();
    await tamper(database, 'UPDATE audit_node SET hash = ? WHERE node_index = 1', ['0'.repeat(64)]);
    await record(database, 1);
    await expect(log.turn()).rejects.toMatchObject({ finding: 'REWRITTEN' });
    await tamper(database, 'DELETE FROM audit_checkpoint WHERE tree_size > 100');
    await record(database, 1);
    await expect(log.turn()).rejects.toMatchObject({ finding: 'TRUNCATED' });
  });

  it('is noticed where an event was edited before it had its place', async () => {
    const log = sequencer();
    await log.open();
    await record(database, 1, 'test.late');
    await tamper(database, "UPDATE audit_event SET leaf = '{}' WHERE action = 'test.late'");
    await expect(log.turn()).rejects.toMatchObject({ finding: 'ALTERED' });
  });
});

describe('a log after a restore', () => {
  it('goes on under a new name that says what the old one was last known by, and how many leaves are missing', async () => {
    const log = sequencer();
    await log.open();
    await record(database, 20);
    const known = await log.turn();
    await tamper(database, 'DELETE FROM audit_checkpoint');
    await tamper(database, 'DELETE FROM audit_leaf WHERE leaf_index >= 10');
    const origin = 'log.example.com/restored';
    expect(await forkOrigin(database, origin, known?.note ?? null, clock())).toEqual({
      previous: testOrigin,
      size: 10,
      missing: (known?.size ?? 0) - 10,
    });
    await expect(sequencer().open()).rejects.toMatchObject({ finding: 'OTHER_ORIGIN' });
    const forked = sequencer({ origin, signers: signersOf(origin, testKey) });
    await forked.open();
    const signed = await forked.turn();
    expect(openCheckpoint(signed?.note ?? '', signersOf(origin, testKey).map(verifierKeyOf)).origin).toBe(origin);
    const events = (await placed()).map(({ leaf }) => JSON.parse(leaf.toString('utf8')) as Record<string, unknown>);
    expect(events.find(({ action }) => action === 'log.fork')).toMatchObject({
      subject: { type: 'LogOrigin', id: origin },
      detail: { previous: testOrigin, size: 10, anchored: { size: known?.size, root: known?.root.toString('base64') } },
    });
    expect((await storedOrigins(database)).map(({ name }) => name)).toEqual([testOrigin, origin]);
    await expect(forkOrigin(database, testOrigin, null, clock())).rejects.toMatchObject({ finding: 'OTHER_ORIGIN' });
    expect(await new Checkpoints(database, testOrigin).latest()).toBeNull();
  });
});
