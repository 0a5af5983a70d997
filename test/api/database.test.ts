import { chmodSync, readFileSync, statSync } from 'node:fs';
import { DataSource, getMetadataArgsStorage } from 'typeorm';
import { action, rule } from '../../src/authz/rule';
import { auditEvents } from '../../src/db/audit.entity';
import { bookkeeping } from '../../src/db/bookkeeping';
import type { Change } from '../../src/db/change';
import { dataSourceOptions } from '../../src/db/data-source';
import type { Database } from '../../src/db/database';
import { Database as DatabaseClass } from '../../src/db/database';
import { DatabaseInUse } from '../../src/db/database-in-use';
import type { FileLocation } from '../../src/db/location';
import { raw, sql } from '../../src/db/sql';
import { select, wholeNumber } from '../../src/db/table';
import { ProgrammingError } from '../../src/failure';
import { ActorRow, actors } from '../../src/features/actors/actor.entity';
import { sessionRevocations } from '../../src/features/actors/session-revocation.entity';
import { credentialJobs } from '../../src/features/credentials/credential-update.entity';
import { sourceStates as sources } from '../../src/features/sources/source.entity';
import { somebody } from '../support/actor';
import { databaseParts, engine, temporaryDatabase, temporaryLocation } from '../support/database';

const anyone = rule<unknown>('ROLE', () => true);
const nobody = rule<unknown>('ROLE', () => false);
const add = action('actor.first-seen', anyone);
const forbidden = action('session.revoke', nobody);
const addLonely = action(
  'actor.first-seen',
  rule<void>('ROLE', () => true),
);
const aboutOne = action(
  'session.revoke',
  rule<{ id: string }>('ROLE', (_, { id }) => id === 'act_1'),
);

const actorsNow = select(actors.pick('id', 'fence'), sql`FROM ${actors}`);
const ids = select({ id: actors.id }, sql`FROM ${actors}`);
const endedSessions = select({ id: sessionRevocations.id }, sql`FROM ${sessionRevocations}`);

const actorRow = (id: string, fence = 0): ActorRow =>
  Object.assign(new ActorRow(), { id, issuer: 'test', subjectDigest: id, createdAt: new Date(1_700_000_000_000), fence });

const count = async (database: Database, table: string): Promise<number> => {
  const [row] = await database.query(`SELECT COUNT(*) AS n FROM ${table}`);
  return Number(row?.n);
};

describe('the database door', () => {
  let database: Database;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ database, remove } = await temporaryDatabase());
  });
  afterEach(() => remove());

  it('has a schema that is what the entities say', async () => {
    expect(await database.schemaDrift()).toEqual([]);
  });

  it('refuses to write before the permission, and keeps nothing', async () => {
    await expect(database.change(somebody, add, (change) => change.insert(actors, actorRow('act_1')))).rejects.toThrow(
      'wrote before it was permitted',
    );
    expect([await count(database, 'actor'), await count(database, 'audit_event')]).toEqual([0, 0]);
  });

  it('refuses to commit a write without its record, and keeps nothing', async () => {
    await expect(
      database.change(somebody, add, async (change, permit) => {
        permit();
        await change.insert(actors, actorRow('act_1'));
      }),
    ).rejects.toThrow('wrote without a record');
    expect([await count(database, 'actor'), await count(database, 'audit_event')]).toEqual([0, 0]);
  });

  it('asks for no permission and no record where nothing is inserted', async () => {
    await database.change(somebody, add, (change) => change.insert(actors, []));
    expect(await count(database, 'audit_event')).toBe(0);
  });

  it('keeps nothing of a change that its rule forbids', async () => {
    await expect(
      database.change(somebody, forbidden, async (change, permit) => {
        permit();
        await change.insert(actors, actorRow('act_1'));
      }),
    ).rejects.toMatchObject({ code: 'DENIED', details: { reason: 'ROLE', rule: 'session.revoke' } });
    expect(await count(database, 'actor')).toBe(0);
  });

  it('asks the rule about the subject that the change found, by a function that needs none where the rule needs none', async () => {
    // A helper takes any change, whatever its rule is about.
    const insert = (change: Change, id: string) => change.insert(actors, actorRow(id));
    const revoke = (id: string) =>
      database.change(somebody, aboutOne, async (change, permit) => {
        permit({ id });
        await insert(change, id);
        change.record('actor.first-seen', { subject: { type: 'Actor', id }, detail: { identity: 'digest' } });
      });
    await revoke('act_1');
    await expect(revoke('act_2')).rejects.toMatchObject({ code: 'DENIED' });
    await database.change(somebody, addLonely, async (change, permit) => {
      permit();
      await insert(change, 'act_3');
      change.record('actor.first-seen', { subject: { type: 'Actor', id: 'act_3' }, detail: { identity: 'digest' } });
    });
    expect((await database.read(ids, sql`ORDER BY ${actors.id}`)).map(({ id }) => id)).toEqual(['act_1', 'act_3']);
  });

  it.each<[string, (change: Change, row: ActorRow) => Promise<unknown>]>([
    ['insert', (change) => change.insert(actors, actorRow('act_2'))],
    ['update', (change) => change.update(actors, { fence: 7 }, sql`${actors.id} = 'act_1'`)],
    ['remove', (change) => change.remove(actors, sql`${actors.id} = 'act_1'`)],
    ['save', (change, row) => change.save(Object.assign(row, { fence: 7 }))],
    ['bookkeep', (change) => change.bookkeep(credentialJobs, { nextAt: new Date(0) }, sql`1 = 1`)],
  ])('lets nothing through %s before the permission, and but for bookkeeping nothing without a record', async (name, write) => {
    await database.system('identity', 'actor.first-seen', async (change) => {
      await change.insert(actors, actorRow('act_1'));
      change.record('actor.first-seen', { subject: { type: 'Actor', id: 'act_1' }, detail: { identity: 'digest' } });
    });
    const attempt = (mayWrite: boolean) =>
      database.change(somebody, add, async (change, permit) => {
        const row = await change.lock(ActorRow, { id: 'act_1' });
        if (mayWrite) permit();
        return write(change, row);
      });
    const bySystem = database.system('sync', 'actor.first-seen', async (change) =>
      write(change, await change.lock(ActorRow, { id: 'act_1' })),
    );
    const faults = await Promise.all(
      [attempt(false), attempt(true), bySystem].map((each) => each.catch(({ message }) => message)),
    );
    const unrecorded = 'actor.first-seen wrote without a record';
    expect(faults).toEqual([
      'actor.first-seen wrote before it was permitted',
      ...(name === 'bookkeep' ? [0, 0] : [unrecorded, unrecorded]),
    ]);
    expect([await database.read(actorsNow, sql``), await count(database, 'audit_event')]).toEqual([
      [{ id: 'act_1', fence: 0 }],
      1,
    ]);
  });

  it('saves a row that it locked, and no other', async () => {
    const save = (row: ActorRow) =>
      database.system('identity', 'actor.first-seen', async (change) => {
        change.record('actor.first-seen', { subject: { type: 'Actor', id: row.id }, detail: { identity: 'digest' } });
        return change.save(row);
      });
    await expect(save(actorRow('act_1'))).rejects.toThrow('actor.first-seen saved a row that it hadn’t locked');
    expect([await count(database, 'actor'), await count(database, 'audit_event')]).toEqual([0, 0]);
  });

  it('loses, leaks and half-commits nothing under 200 concurrent changes with readers between them', async () => {
    await database.change(somebody, add, async (change, permit) => {
      permit();
      await change.insert(actors, actorRow('act_counter'));
      change.record('actor.first-seen', { subject: { type: 'Actor', id: 'act_counter' }, detail: { identity: 'digest' } });
    });
    let torn = 0;
    let reading = true;
    const readers = Array.from({ length: 4 }, async () => {
      while (reading) {
        // Each change adds one row and one to the counter: a reader that sees them apart has seen half a change.
        const [row] = await database.query(
          "SELECT (SELECT fence FROM actor WHERE id = 'act_counter') AS counted, (SELECT COUNT(*) FROM actor WHERE issuer = 'many') AS stored",
        );
        if (Number(row?.counted) !== Number(row?.stored)) torn += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 200 }, (_, index) =>
        database.change(somebody, add, async (change, permit) => {
          permit();
          const counter = await change.lock(ActorRow, { id: 'act_counter' });
          await change.insert(actors, Object.assign(actorRow(`act_${index}`), { issuer: 'many' }));
          counter.fence += 1;
          await change.save(counter);
          change.record('actor.first-seen', { subject: { type: 'Actor', id: `act_${index}` }, detail: { identity: 'digest' } });
          if (index % 10 === 9) throw new Error('a fault at the end');
        }),
      ),
    );
    reading = false;
    await Promise.all(readers);
    const committed = outcomes.filter((outcome) => outcome.status === 'fulfilled').length;
    const [counter] = await database.query("SELECT fence FROM actor WHERE id = 'act_counter'");
    expect({
      torn,
      committed,
      counted: Number(counter?.fence),
      rows: await count(database, 'actor'),
      events: await count(database, 'audit_event'),
      pending: await count(database, 'audit_pending'),
    }).toEqual({ torn: 0, committed: 180, counted: 180, rows: 181, events: 181, pending: 181 });
  });

  it('says how many rows a conditional write met', async () => {
    const affected = await database.change(somebody, add, async (change, permit) => {
      permit();
      await change.insert(actors, actorRow('act_1'));
      change.record('actor.first-seen', { subject: { type: 'Actor', id: 'act_1' }, detail: { identity: 'digest' } });
      const whereFence = (fence: number) => sql`${actors.id} = 'act_1' AND ${actors.fence} = ${fence}`;
      const first = await change.update(actors, { fence: sql`${actors.fence} + 1` }, whereFence(0));
      const unchanged = await change.update(actors, { fence: 1 }, whereFence(1));
      const second = await change.update(actors, { fence: sql`${actors.fence} + 1` }, whereFence(0));
      return [first, unchanged, second, await change.remove(actors, whereFence(0)), await change.remove(actors, whereFence(1))];
    });
    expect(affected).toEqual([1, 1, 0, 0, 1]);
  });

  it('answers whole numbers as numbers, and no number at all that the driver had to round', async () => {
    const insert = (id: string, fence: string) =>
      database.change(somebody, add, async (change, permit) => {
        permit();
        await change.insert(actors, actorRow(id));
        await change.update(actors, { fence: raw(fence) }, sql`${actors.id} = ${id}`);
        change.record('actor.first-seen', { subject: { type: 'Actor', id }, detail: { identity: 'digest' } });
      });
    await insert('act_1', String(Number.MAX_SAFE_INTEGER));
    await insert('act_2', '9007199254740993');
    await insert('act_3', '-9007199254740993');
    const fences = select({ fence: actors.fence, n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${actors}`);
    const ofActor = (id: string) => sql`WHERE ${actors.id} = ${id} GROUP BY ${actors.fence}`;
    const readings = (id: string): Promise<unknown>[] => [
      database.query('SELECT fence, COUNT(*) AS n FROM actor WHERE id = ? GROUP BY fence', [id]),
      database.read(fences, ofActor(id)),
      database.change(somebody, add, (change) => change.read(fences, ofActor(id))),
      database.change(somebody, add, (change) => change.lock(ActorRow, { id }).then(({ fence }) => [{ fence, n: 1 }])),
    ];
    expect(await Promise.all(readings('act_1'))).toEqual(Array(4).fill([{ fence: Number.MAX_SAFE_INTEGER, n: 1 }]));
    const rounded = await Promise.allSettled([...readings('act_2'), ...readings('act_3')]);
    expect(rounded).toEqual(Array(8).fill({ status: 'rejected', reason: expect.any(ProgrammingError) }));
  });

  it('refuses a write on every connection for reading', async () => {
    await database.system('identity', 'actor.first-seen', async (change) => {
      await change.insert(actors, actorRow('act_1'));
      change.record('actor.first-seen', { subject: { type: 'Actor', id: 'act_1' }, detail: { identity: 'digest' } });
    });
    // Of a selection only a SELECT can be made; what is asked as a text goes the same way.
    const attempts = Array.from({ length: 12 }, () => database.query('UPDATE actor SET fence = 1'));
    const faults = await Promise.all(attempts.map((attempt) => attempt.catch((error) => error.fault ?? error.code)));
    const refusal = engine === 'sqlite' ? 'SQLITE_READONLY' : 'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION';
    expect(new Set(faults)).toEqual(new Set([refusal]));
    expect(await database.read(actorsNow, sql``)).toEqual([{ id: 'act_1', fence: 0 }]);
  });

  it('lets one of two twins through a unique key and gives the other a second try', async () => {
    const insertOrFind = () =>
      database.change(somebody, add, async (change, permit) => {
        const [found] = await change.read(ids, sql`WHERE ${actors.subjectDigest} = 'twin'`);
        if (found) return 'found';
        permit();
        await change.insert(actors, actorRow('twin'));
        change.record('actor.first-seen', { subject: { type: 'Actor', id: 'twin' }, detail: { identity: 'digest' } });
        return 'inserted';
      });
    const outcomes = await Promise.all([insertOrFind(), insertOrFind(), insertOrFind()]);
    expect(outcomes.sort()).toEqual(['found', 'found', 'inserted']);
  });
});

describe('the door of the gateway’s own jobs', () => {
  let database: Database;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ database, remove } = await temporaryDatabase());
  });
  afterEach(() => remove());

  it('records what a job wrote under its name, and what somebody else did under theirs', async () => {
    const person = { id: 'act_9', kind: 'staff', roles: ['AGENT'] } as const;
    await database.system('identity', 'actor.first-seen', async (change) => {
      await change.insert(actors, actorRow('act_1'));
      change.record('actor.first-seen', { subject: { type: 'Actor', id: 'act_1' }, detail: { identity: 'digest' } });
      change.recordFor(person, 'denial', { detail: { rule: 'Query.ticket', reason: 'ROLE', count: 1 } });
    });
    const rows = await database.read(
      select(auditEvents.pick('actorId', 'leaf'), sql`FROM ${auditEvents}`),
      sql`ORDER BY ${auditEvents.ordinal}`,
    );
    expect(rows.map(({ actorId, leaf }) => [actorId, JSON.parse(leaf.toString()).actor])).toEqual([
      ['system:identity', { id: 'system:identity', kind: 'system', roles: [] }],
      ['act_9', { id: 'act_9', kind: 'staff', roles: ['AGENT'] }],
    ]);
  });

  it('leaves nothing of work that wrote nothing', async () => {
    expect(await database.system('sync', 'source.first-seen', (change) => change.read(ids, sql``))).toEqual([]);
    expect(await count(database, 'audit_event')).toBe(0);
  });
});

describe('the door of bookkeeping', () => {
  const source = {
    name: 'desk',
    kind: 'rt',
    settings: null,
    position: '1',
    backfillPosition: null,
    backfilledAt: null,
    polledAt: null,
    fault: null,
    faultAt: null,
  };
  let database: Database;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ database, remove } = await temporaryDatabase());
    await database.system('sync', 'source.first-seen', async (change) => {
      await change.insert(sources, source);
      change.record('source.first-seen', { subject: { type: 'Source', id: 'desk' } });
    });
  });
  afterEach(() => remove());

  const sourceNow = select(sources.pick('position', 'kind'), sql`FROM ${sources}`);

  it('writes what is in its list without an event, alone or within a change', async () => {
    const met = await database.bookkeeping(sources, async (books) => {
      const [row] = await books.read(sourceNow, sql`WHERE ${sources.name} = 'desk'`, { lock: true });
      return books.update({ position: `${row?.position}2` }, sql`${sources.name} = 'desk'`);
    });
    const within = await database.system('sync', 'source.first-seen', (change) =>
      change.bookkeep(sources, { position: '123', faultAt: null }, sql`${sources.name} = 'desk'`),
    );
    expect([met, within, await database.read(sourceNow, sql``)]).toEqual([1, 1, [{ position: '123', kind: 'rt' }]]);
    expect(await count(database, 'audit_event')).toBe(1);
  });

  it.each<[string, () => Promise<unknown>]>([
    [
      'upstream_source.kind',
      () => database.bookkeeping(sources, (books) => books.update({ position: '9', kind: 'zd' }, sql`1 = 1`)),
    ],
    ['upstream_source', () => database.bookkeeping(sources, (books) => books.insert([{ ...source, name: 'another' }]))],
    ['upstream_source', () => database.bookkeeping(sources, (books) => books.remove(sql`1 = 1`))],
    ['session_revocation', () => database.bookkeeping(sessionRevocations, (books) => books.read(endedSessions, sql``))],
    ['actor.brake', () => database.bookkeeping(actors, (books) => books.update({ brake: null }, sql`1 = 1`))],
    [
      'upstream_source.kind',
      () => database.system('sync', 'source.first-seen', (change) => change.bookkeep(sources, { kind: 'zd' }, sql`1 = 1`)),
    ],
    [
      'session_revocation',
      () =>
        database.system('sync', 'source.first-seen', (change) =>
          change.bookkeep(sessionRevocations, { untilAt: new Date(0) }, sql`1 = 1`),
        ),
    ],
  ])('refuses to write anything else: %s', async (name, attempt) => {
    const fault = await attempt().catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(ProgrammingError);
    expect((fault as Error).message).toMatch(new RegExp(`^${name} .* without a record\\.$`));
    expect(await database.read(sourceNow, sql``)).toEqual([{ position: '1', kind: 'rt' }]);
  });

  it('keeps nothing of work that fails half-way', async () => {
    const attempt = database.bookkeeping(sources, async (books) => {
      await books.update({ position: '2' }, sql`1 = 1`);
      throw new Error('a fault at the end');
    });
    await expect(attempt).rejects.toThrow('a fault at the end');
    expect(await database.read(sourceNow, sql``)).toEqual([{ position: '1', kind: 'rt' }]);
  });

  it('lists tables and columns that there are', async () => {
    const listed = Object.entries(bookkeeping).flatMap(([table, columns]) => columns.map((column) => `${table}.${column}`));
    const tables = getMetadataArgsStorage().tables.map(({ name }) => name);
    expect(tables).toEqual(expect.arrayContaining(Object.keys(bookkeeping)));
    const stored = getMetadataArgsStorage().columns.flatMap(({ target, propertyName, options }) =>
      getMetadataArgsStorage()
        .tables.filter((each) => each.target === target || (target as object) === Object.getPrototypeOf(each.target))
        .map(({ name }) => `${name}.${options.name ?? propertyName}`),
    );
    expect(stored).toEqual(expect.arrayContaining(listed));
  });
});

describe('the migrations', () => {
  it('run forward, back and forward again', async () => {
    const { location, remove } = await temporaryLocation();
    const source = await new DataSource(dataSourceOptions(location, databaseParts, 'write')).initialize();
    await source.runMigrations();
    for (const _ of databaseParts.migrations) await source.undoLastMigration();
    const left = await source.query(
      engine === 'sqlite'
        ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_migration'"
        : "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name <> 'schema_migration'",
    );
    await source.runMigrations();
    await source.destroy();
    await remove();
    expect(left).toEqual([]);
  });
});

if (engine === 'sqlite') {
  describe('the embedded database', () => {
    it('belongs to one process', async () => {
      const { location, remove } = await temporaryLocation();
      const database = await DatabaseClass.open(location, databaseParts);
      await expect(DatabaseClass.open(location, databaseParts)).rejects.toThrow(DatabaseInUse);
      await database.close();
      const again = await DatabaseClass.open(location, databaseParts);
      await again.close();
      await remove();
    });

    it('is its owner’s alone, also where others could read it before', async () => {
      const { location, remove } = await temporaryLocation();
      const file = (location as FileLocation).file;
      const modes = () => [file, `${file}-wal`, `${file}-shm`].map((each) => statSync(each).mode & 0o777);
      const former = process.umask(0);
      try {
        const made = await DatabaseClass.open(location, databaseParts);
        expect(modes()).toEqual([0o600, 0o600, 0o600]);
        await made.close();
        chmodSync(file, 0o666);
        const opened = await DatabaseClass.open(location, databaseParts);
        expect(modes()).toEqual([0o600, 0o600, 0o600]);
        await opened.close();
      } finally {
        process.umask(former);
        await remove();
      }
    });

    it('is durable through a power cut: WAL with synchronous FULL', async () => {
      const { location, remove } = await temporaryLocation();
      const source = await new DataSource(dataSourceOptions(location, databaseParts, 'write')).initialize();
      const [[journal], [synchronous]] = [await source.query('PRAGMA journal_mode'), await source.query('PRAGMA synchronous')];
      await source.destroy();
      await remove();
      expect([journal.journal_mode, synchronous.synchronous]).toEqual(['wal', 2]);
    });

    it('overwrites what is removed, and what is written over: no page that is free holds it', async () => {
      const { location, remove } = await temporaryLocation();
      const source = await new DataSource(dataSourceOptions(location, databaseParts, 'write')).initialize();
      const long = (word: string) => Buffer.from(word.repeat(3_000));
      const fileHolds = async (word: string) => {
        await source.query('PRAGMA wal_checkpoint(TRUNCATE)');
        return readFileSync((location as FileLocation).file).includes(word);
      };
      await source.query('CREATE TABLE said (id INTEGER PRIMARY KEY, body BLOB)');
      for (const [id, word] of ['zqremoved', 'zqedited', 'zqshort', 'zqstays'].entries())
        await source.query('INSERT INTO said VALUES (?, ?)', [id, word === 'zqshort' ? Buffer.from(word) : long(word)]);
      expect(await Promise.all(['zqremoved', 'zqedited', 'zqshort'].map(fileHolds))).toEqual([true, true, true]);
      await source.query('DELETE FROM said WHERE id IN (0, 2)');
      await source.query('UPDATE said SET body = ? WHERE id = 1', [Buffer.from('other words')]);
      expect(await Promise.all(['zqremoved', 'zqedited', 'zqshort', 'zqstays'].map(fileHolds))).toEqual([
        false,
        false,
        false,
        true,
      ]);
      await source.destroy();
      await remove();
    });
  });
}
