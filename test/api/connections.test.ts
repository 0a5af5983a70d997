import { createConnection } from 'mysql2/promise';
import { action, rule } from '../../src/authz/rule';
import type { Database } from '../../src/db/database';
import { demoTickets } from '../../src/development/merchant/cast';
import { ActorRow, actors } from '../../src/features/actors/actor.entity';
import { somebody } from '../support/actor';
import { TestApp } from '../support/app';
import { engine, temporaryDatabase } from '../support/database';
import { urlOf } from '../support/database-url';

const add = action(
  'actor.first-seen',
  rule<unknown>('ROLE', () => true),
);

const actorRow = (id: string): ActorRow =>
  Object.assign(new ActorRow(), { id, issuer: 'test', subjectDigest: id, createdAt: new Date(1_700_000_000_000), fence: 0 });

const insertActor = (database: Database, id: string, before: () => Promise<void> = async () => {}, idempotent = false) =>
  database.change(
    somebody,
    add,
    async (change, permit) => {
      const found = await change.lockIfAny(ActorRow, { id });
      if (found) return 'found';
      permit();
      await change.insert(actors, actorRow(id));
      change.record('actor.first-seen', { subject: { type: 'Actor', id }, detail: { identity: 'digest' } });
      await before();
      return 'inserted';
    },
    { idempotent },
  );

const counts = async (database: Database) => {
  const [row] = await database.query(
    'SELECT (SELECT COUNT(*) FROM actor) AS actors, (SELECT COUNT(*) FROM audit_event) AS events, (SELECT COUNT(*) FROM audit_pending) AS pending',
  );
  return [Number(row?.actors), Number(row?.events), Number(row?.pending)];
};

/** Ends every connection to the database of `url`, as a restart or an administrator does. */
const killConnections = async (url: string): Promise<number> => {
  const administrator = await createConnection(url);
  const [rows] = await administrator.query(
    'SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()',
  );
  const ids = (rows as { id: number }[]).map(({ id }) => id);
  for (const id of ids) await administrator.query(`KILL CONNECTION ${Number(id)}`).catch(() => {});
  await administrator.end();
  return ids.length;
};

describe('a change that fails', () => {
  it('leaves nothing, and those after it work', async () => {
    const { database, remove } = await temporaryDatabase();
    await expect(
      insertActor(database, 'act_1', async () => {
        throw new Error('at the end');
      }),
    ).rejects.toThrow('at the end');
    expect(await counts(database)).toEqual([0, 0, 0]);
    expect(await insertActor(database, 'act_1')).toBe('inserted');
    expect(await counts(database)).toEqual([1, 1, 1]);
    await remove();
  });
});

if (engine === 'mariadb') {
  describe('when connections are lost', () => {
    let database: Database;
    let url: string;
    let remove: () => Promise<void>;
    beforeEach(async () => {
      const opened = await temporaryDatabase();
      ({ database, remove } = opened);
      url = urlOf(opened.location);
    });
    afterEach(() => remove());

    it('reads go on over new ones, idle or busy', async () => {
      await Promise.all(Array.from({ length: 8 }, () => database.query('SELECT SLEEP(0.01) AS s')));
      expect(await killConnections(url)).toBeGreaterThan(0);
      expect(await counts(database)).toEqual([0, 0, 0]);
      const busy = Array.from({ length: 5 }, () =>
        database.query<{ s: unknown }>('SELECT COUNT(*) AS n, SLEEP(0.3) AS s FROM actor'),
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
      await killConnections(url);
      expect((await Promise.all(busy)).every((rows) => rows.length === 1)).toBe(true);
    });

    it('an idempotent change is made again, once', async () => {
      let times = 0;
      const outcome = await insertActor(
        database,
        'act_1',
        async () => {
          times += 1;
          if (times === 1) await killConnections(url);
        },
        true,
      );
      expect([outcome, times]).toEqual(['inserted', 2]);
      expect(await counts(database)).toEqual([1, 1, 1]);
    });

    it('another change fails as a whole and leaves nothing', async () => {
      let times = 0;
      const failing = insertActor(database, 'act_1', async () => {
        times += 1;
        await killConnections(url);
      });
      await expect(failing).rejects.toMatchObject({ code: 'RECORD_UNAVAILABLE' });
      expect([times, await counts(database)]).toEqual([1, [0, 0, 0]]);
      expect(await insertActor(database, 'act_1')).toBe('inserted');
    });

    it('many changes at once end whole or not at all', async () => {
      const work = Array.from({ length: 60 }, (_, index) =>
        insertActor(database, `act_${index}`, async () => {}, index % 2 === 0),
      );
      for (let time = 0; time < 4; time += 1) {
        await new Promise((resolve) => setTimeout(resolve, 15));
        await killConnections(url);
      }
      const outcomes = await Promise.allSettled(work);
      const [actors, events, pending] = await counts(database);
      expect([events, pending]).toEqual([actors, actors]);
      // A connection lost in the commit may have committed: whoever was told of success has it, all the same.
      expect(actors).toBeGreaterThanOrEqual(outcomes.filter(({ status }) => status === 'fulfilled').length);
      expect(outcomes.filter((_, index) => index % 2 === 0).every(({ status }) => status === 'fulfilled')).toBe(true);
      for (const [index, { status }] of outcomes.entries()) {
        if (status === 'fulfilled')
          expect(await database.query('SELECT id FROM actor WHERE id = ?', [`act_${index}`])).toHaveLength(1);
      }
    });
  });

  describe('a gateway whose connections are lost', () => {
    it('answers whole or with an error of ours, discloses nothing without its record, and goes on', async () => {
      const app = await TestApp.start();
      const url = urlOf(app.app.config.database);
      const query = `query($reference: String!) {
        ticketByReference(source: "demo", reference: $reference) { reference customer { paymentMethods { last4 } } }
      }`;
      const ask = () => app.as('ana', query, { reference: demoTickets.own.reference });
      await ask();
      const before = (await app.events('disclosure')).length;
      const asked = Array.from({ length: 30 }, ask);
      for (let time = 0; time < 3; time += 1) {
        await killConnections(url);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const answers = await Promise.all(asked);
      const shown = answers.filter(({ data }) => data?.ticketByReference?.customer?.paymentMethods?.length > 0).length;
      expect((await app.events('disclosure')).length - before).toBeGreaterThanOrEqual(shown);
      for (const { errors = [], status } of answers) {
        expect([200, 503]).toContain(status);
        for (const { message, extensions } of errors) {
          expect(extensions.code).toBe('RECORD_UNAVAILABLE');
          expect(message).not.toMatch(/connection|mysql|maria|PROTOCOL|closed/i);
        }
      }
      expect((await ask()).errors).toBeUndefined();
      expect((await app.server.inject({ method: 'GET', url: '/readyz' })).statusCode).toBe(200);
      await app.stop();
    });
  });
}
