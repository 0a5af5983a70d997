import { DataSource } from 'typeorm';
import { systemActor } from '../../src/authz/actor';
import { action, rule } from '../../src/authz/rule';
import { dataSourceOptions } from '../../src/db/data-source';
import type { Database } from '../../src/db/database';
import { Database as DatabaseClass } from '../../src/db/database';
import { DatabaseInUse } from '../../src/db/database-in-use';
import { ProgrammingError } from '../../src/failure';
import { ActorRow, actors } from '../../src/features/actors/actor.entity';
import { databaseParts, engine, temporaryDatabase, temporaryLocation } from '../support/database';

const anyone = rule<unknown>('ROLE', () => true);
const nobody = rule<unknown>('ROLE', () => false);
const add = action('actor.first-seen', anyone);
const forbidden = action('session.revoke', nobody);
const actor = systemActor('test');

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
    await expect(database.change(actor, add, (change) => change.insert(actors, actorRow('act_1')))).rejects.toThrow(
      'wrote before it was permitted',
    );
    expect([await count(database, 'actor'), await count(database, 'audit_event')]).toEqual([0, 0]);
  });

  it('refuses to commit a write without its record, and keeps nothing', async () => {
    await expect(
      database.change(actor, add, async (change) => {
        change.permit(null);
        await change.insert(actors, actorRow('act_1'));
      }),
    ).rejects.toThrow('wrote without a record');
    expect([await count(database, 'actor'), await count(database, 'audit_event')]).toEqual([0, 0]);
  });

  it('asks for no permission and no record where nothing is inserted', async () => {
    await database.change(actor, add, (change) => change.insert(actors, []));
    expect(await count(database, 'audit_event')).toBe(0);
  });

  it('keeps nothing of a change that its rule forbids', async () => {
    await expect(
      database.change(actor, forbidden, async (change) => {
        change.permit(null);
        await change.insert(actors, actorRow('act_1'));
      }),
    ).rejects.toMatchObject({ code: 'DENIED', details: { reason: 'ROLE', rule: 'session.revoke' } });
    expect(await count(database, 'actor')).toBe(0);
  });

  it('loses, leaks and half-commits nothing under 200 concurrent changes with readers between them', async () => {
    await database.change(actor, add, async (change) => {
      change.permit(null);
      await change.insert(actors, actorRow('act_counter'));
      change.record('actor.first-seen', { subject: { type: 'Actor', id: 'act_counter' } });
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
        database.change(actor, add, async (change) => {
          change.permit(null);
          const counter = await change.lock(ActorRow, { id: 'act_counter' });
          await change.insert(actors, Object.assign(actorRow(`act_${index}`), { issuer: 'many' }));
          counter.fence += 1;
          await change.save(counter);
          change.record('actor.first-seen', { subject: { type: 'Actor', id: `act_${index}` } });
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
    const affected = await database.change(actor, add, async (change) => {
      change.permit(null);
      await change.insert(actors, actorRow('act_1'));
      change.record('actor.first-seen', { subject: { type: 'Actor', id: 'act_1' } });
      const first = await change.execute("UPDATE actor SET fence = fence + 1 WHERE id = 'act_1' AND fence = 0");
      const unchanged = await change.execute("UPDATE actor SET fence = 1 WHERE id = 'act_1' AND fence = 1");
      const second = await change.execute("UPDATE actor SET fence = fence + 1 WHERE id = 'act_1' AND fence = 0");
      return [first, unchanged, second];
    });
    expect(affected).toEqual([1, 1, 0]);
  });

  it('answers whole numbers as numbers, and no number at all that the driver had to round', async () => {
    const insert = (id: string, fence: string) =>
      database.change(actor, add, async (change) => {
        change.permit(null);
        await change.insert(actors, actorRow(id));
        await change.execute(`UPDATE actor SET fence = ${fence} WHERE id = ?`, [id]);
        change.record('actor.first-seen', { subject: { type: 'Actor', id } });
      });
    await insert('act_1', String(Number.MAX_SAFE_INTEGER));
    await insert('act_2', '9007199254740993');
    await insert('act_3', '-9007199254740993');
    const sql = 'SELECT fence, COUNT(*) AS n FROM actor WHERE id = ? GROUP BY fence';
    const readings = (id: string): Promise<unknown>[] => [
      database.query(sql, [id]),
      database.change(actor, add, (change) => change.query(sql, [id])),
      database.change(actor, add, (change) => change.lock(ActorRow, { id }).then(({ fence }) => [{ fence, n: 1 }])),
    ];
    expect(await Promise.all(readings('act_1'))).toEqual(Array(3).fill([{ fence: Number.MAX_SAFE_INTEGER, n: 1 }]));
    const rounded = await Promise.allSettled([...readings('act_2'), ...readings('act_3')]);
    expect(rounded).toEqual(Array(6).fill({ status: 'rejected', reason: expect.any(ProgrammingError) }));
  });

  it('lets one of two twins through a unique key and gives the other a second try', async () => {
    const insertOrFind = () =>
      database.change(actor, add, async (change) => {
        const [found] = await change.query("SELECT id FROM actor WHERE subject_digest = 'twin'");
        if (found) return 'found';
        change.permit(null);
        await change.insert(actors, actorRow('twin'));
        change.record('actor.first-seen', { subject: { type: 'Actor', id: 'twin' } });
        return 'inserted';
      });
    const outcomes = await Promise.all([insertOrFind(), insertOrFind(), insertOrFind()]);
    expect(outcomes.sort()).toEqual(['found', 'found', 'inserted']);
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

    it('is durable through a power cut: WAL with synchronous FULL', async () => {
      const { location, remove } = await temporaryLocation();
      const source = await new DataSource(dataSourceOptions(location, databaseParts, 'write')).initialize();
      const [[journal], [synchronous]] = [await source.query('PRAGMA journal_mode'), await source.query('PRAGMA synchronous')];
      await source.destroy();
      await remove();
      expect([journal.journal_mode, synchronous.synchronous]).toEqual(['wal', 2]);
    });
  });
}
