import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { DatabaseInUse } from './database-in-use';
import { takeOwnership } from './owner-lock';
import { DatabaseMissing, longestSnapshot, Snapshot, SnapshotEnded } from './snapshot';
import { spelling, sql } from './sql';
import { select, wholeNumber } from './table';

let folder: string;
let file: string;
let gateway: Sqlite.Database;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'counterfoil-snapshot-'));
  file = join(folder, 'data.sqlite');
  gateway = new Sqlite(file);
  gateway.pragma('journal_mode = WAL');
  gateway.exec('CREATE TABLE leaf (n INTEGER); INSERT INTO leaf VALUES (1)');
});
afterEach(() => {
  gateway.close();
  rmSync(folder, { recursive: true, force: true });
});

const count = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM leaf`);
const counted = async (snapshot: Snapshot) => (await snapshot.read(count, sql``))[0]?.n;

test('it stays as it was while the owner writes, and keeps the owner from nothing', async () => {
  const release = takeOwnership(file);
  const snapshot = Snapshot.open(file);
  gateway.exec('INSERT INTO leaf VALUES (2)');
  expect(await counted(snapshot)).toBe(1);
  await snapshot.close();
  const later = Snapshot.open(file);
  expect(await counted(later)).toBe(2);
  await later.close();
  release();
});

test('it writes nothing', async () => {
  const snapshot = Snapshot.open(file);
  const inserting = { [spelling]: sql`INSERT INTO leaf VALUES (3) RETURNING n` } as unknown as typeof count;
  // By its code: the driver makes its errors in the globals of the file of tests that loaded it first.
  await expect(snapshot.read(inserting, sql``)).rejects.toMatchObject({ code: 'SQLITE_READONLY' });
  await snapshot.close();
});

test('beside an owner it ends after a minute, says so, and holds up the owner’s files no longer', async () => {
  const release = takeOwnership(file);
  let now = 0;
  const snapshot = Snapshot.open(file, () => now);
  gateway.exec('INSERT INTO leaf VALUES (2)');
  now = longestSnapshot * 1_000 - 1;
  expect(await counted(snapshot)).toBe(1);
  expect(gateway.pragma('wal_checkpoint(TRUNCATE)')).toMatchObject([{ busy: 1 }]);
  now += 1;
  await expect(counted(snapshot)).rejects.toThrow(SnapshotEnded);
  await expect(counted(snapshot)).rejects.toThrow(/ended after 60 seconds.*Stop the gateway/);
  expect(gateway.pragma('wal_checkpoint(TRUNCATE)')).toMatchObject([{ busy: 0 }]);
  await snapshot.close();
  release();
});

test('where nobody owns the file, it is owned meanwhile, and doesn’t end', async () => {
  let now = 0;
  const snapshot = Snapshot.open(file, () => now);
  expect(() => takeOwnership(file)).toThrow(DatabaseInUse);
  now = longestSnapshot * 10_000;
  expect(await counted(snapshot)).toBe(1);
  await snapshot.close();
  takeOwnership(file)();
});

test('a file that isn’t there is not made', () => {
  rmSync(file);
  expect(() => Snapshot.open(file)).toThrow(DatabaseMissing);
  expect(() => Snapshot.open(file)).toThrow(/the gateway makes it when it starts/);
});
