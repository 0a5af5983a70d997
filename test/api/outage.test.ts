import BetterSqlite from 'better-sqlite3';
import { type Connection, createConnection } from 'mysql2/promise';
import pino from 'pino';
import type { DataSource } from 'typeorm';
import { App } from '../../src/app';
import { action, rule } from '../../src/authz/rule';
import type { Database } from '../../src/db/database';
import { type FileLocation, parseDatabaseUrl, type ServerLocation } from '../../src/db/location';
import { demoTickets } from '../../src/development/merchant/cast';
import { ActorRow, actors } from '../../src/features/actors/actor.entity';
import { known, somebody } from '../support/actor';
import { countOf, ticketIdOf, told } from '../support/answers';
import { type GraphQLAnswer, TestApp, type TestAppOptions } from '../support/app';
import { engine, temporaryDatabase } from '../support/database';
import { urlOf } from '../support/database-url';
import { newDatabase, PrivateMariaDb } from '../support/mariadb';

const open = `query ($reference: String!) {
  ticketByReference(source: "demo", reference: $reference) { reference customer { displayName paymentMethods { last4 } } }
}`;
const begin = `mutation ($ticketId: ID!) {
  beginAssistance(input: { ticketId: $ticketId, purpose: OTHER, reason: "Some good reason" }) { id }
}`;
const own = { reference: demoTickets.own.reference };

interface Asked extends GraphQLAnswer {
  readonly retryAfter: string | undefined;
}

/** An operation as one of the demo people, with the header that says when to try again. */
const ask = async (
  test: TestApp,
  query: string,
  variables: Record<string, unknown> = {},
  who: string | { readonly token: string } = 'ana',
): Promise<Asked> => {
  const token = typeof who === 'string' ? await test.token(who) : who.token;
  const response = await test.server.inject({
    method: 'POST',
    url: '/graphql',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    payload: JSON.stringify({ query, variables }),
  });
  const retryAfter = response.headers['retry-after'];
  return { status: response.statusCode, retryAfter: retryAfter as string | undefined, ...response.json() };
};
const outcome = ({ status, retryAfter, errors = [] }: Asked) => ({
  status,
  retryAfter,
  codes: [...new Set(errors.map(({ extensions }) => extensions.code))],
  says: [...new Set(errors.map(({ extensions }) => extensions.retryAfter))],
});
const unavailable = { status: 503, retryAfter: '5', codes: ['RECORD_UNAVAILABLE'], says: [5] };

/** Warnings and errors that some work logs: level, what it says, and the fault's code. */
const loggedDuring = async (test: TestApp, work: () => Promise<unknown>) => {
  const before = test.logLines.length;
  await work();
  return test.logLines
    .slice(before)
    .map((line) => JSON.parse(line) as { level: number; msg: string; fault?: string; error?: { code?: string; schema?: string } })
    .filter(({ level }) => level >= 40);
};

/** What every outage has to leave as it was, read once the database can be used again. */
const recorded = async (test: TestApp) => ({
  events: await countOf(test, 'audit_event'),
  pending: await countOf(test, 'audit_pending'),
  assistances: await countOf(test, 'assistance'),
});

const writerOf = (database: Database): DataSource => Reflect.get(database, 'writer') as DataSource;

describe('a fault of the schema', () => {
  it('is answered INTERNAL, and the log says what is missing', async () => {
    const test = await TestApp.start();
    await ask(test, open, own);
    await writerOf(test.app.database).query('ALTER TABLE helpdesk_ticket RENAME COLUMN channel TO channel_away');
    const lines = await loggedDuring(test, async () => {
      const answer = await ask(test, '{ tickets(first: 1) { nodes { channel } } }');
      expect(outcome(answer)).toMatchObject({ status: 200, retryAfter: undefined, codes: ['INTERNAL'] });
    });
    await writerOf(test.app.database).query('ALTER TABLE helpdesk_ticket RENAME COLUMN channel_away TO channel');
    await test.stop();
    expect(lines).toEqual([
      expect.objectContaining({
        msg: 'a request failed',
        error: expect.objectContaining({
          code: engine === 'mariadb' ? 'ER_BAD_FIELD_ERROR' : 'SQLITE_ERROR',
          schema: 'no such column: t.channel',
        }),
      }),
    ]);
  });
});

if (engine === 'sqlite') {
  describe('an embedded database that can’t be written', () => {
    let test: TestApp;
    beforeEach(async () => {
      test = await TestApp.start();
      await ask(test, open, own);
      await ask(test, '{ viewer { id } }', {}, 'sam');
      await writerOf(test.app.database).query('PRAGMA busy_timeout = 20');
    });
    afterEach(() => test.stop());

    it.each<[string, string, () => Promise<() => Promise<unknown>>]>([
      [
        'as another process holds it',
        'SQLITE_BUSY',
        async () => {
          const other = new BetterSqlite((test.app.config.database as FileLocation).file);
          other.exec('BEGIN IMMEDIATE');
          return async () => other.close();
        },
      ],
      [
        'as it has no room left',
        'SQLITE_FULL',
        async () => {
          const writer = writerOf(test.app.database);
          const [{ page_count: pages }] = await writer.query('PRAGMA page_count');
          await writer.query(`PRAGMA max_page_count = ${pages}`);
          return () => writer.query('PRAGMA max_page_count = 1073741823');
        },
      ],
    ])('%s is RECORD_UNAVAILABLE with 503, to be tried again, and nothing is lost', async (_, fault, provoke) => {
      const before = await recorded(test);
      const ticketId = await ticketIdOf(test, demoTickets.unassigned.reference);
      const release = await provoke();
      let shown: Asked | undefined;
      let lines: unknown[] = [];
      let kept = before;
      // A page may have room for a few more rows: the first answer for whose record there is none is what this is about.
      while (shown?.status !== 503) {
        kept = await recorded(test);
        lines = await loggedDuring(test, async () => {
          shown = await ask(test, open, own);
        });
      }
      const changed = await ask(test, begin, { ticketId }, 'sam');
      expect(await recorded(test)).toEqual(kept);
      await release();
      expect(lines).toEqual([expect.objectContaining({ level: 40, msg: 'the database can’t be used', fault })]);
      expect([outcome(shown), shown.data, outcome(changed)]).toEqual([unavailable, null, unavailable]);
      expect(told(await ask(test, open, own)).errors).toEqual([]);
      expect(told(await ask(test, begin, { ticketId }, 'sam')).errors).toEqual([]);
    });
  });
}

if (engine === 'mariadb') {
  const anyone = rule<unknown>('ROLE', () => true);
  const add = action('actor.first-seen', anyone);
  const insertActor = (database: Database, id: string) =>
    database.change(somebody, add, async (change, permit) => {
      permit();
      await change.insert(
        actors,
        Object.assign(new ActorRow(), { id, issuer: 'test', subjectDigest: id, createdAt: new Date(), fence: 0 }),
      );
      change.record('actor.first-seen', { subject: { type: 'Actor', id }, detail: { identity: 'digest' } });
      return id;
    });

  describe('a node that isn’t ready', () => {
    let database: Database;
    let remove: () => Promise<void>;
    beforeEach(async () => {
      ({ database, remove } = await temporaryDatabase());
      const writer = writerOf(database);
      // Not transactional, so that it goes on counting where the rest is rolled back.
      await writer.query('CREATE TABLE tries (n INT NOT NULL) ENGINE=Aria TRANSACTIONAL=0');
      await writer.query('INSERT INTO tries VALUES (0)');
    });
    afterEach(() => remove());
    const unready = "SIGNAL SQLSTATE '08S01' SET MYSQL_ERRNO = 1047, MESSAGE_TEXT = 'WSREP has not yet prepared node'";
    const refuse = (times: number) =>
      writerOf(database).query(
        `CREATE TRIGGER not_ready BEFORE INSERT ON actor FOR EACH ROW BEGIN UPDATE tries SET n = n + 1; IF (SELECT n FROM tries) <= ${times} THEN ${unready}; END IF; END`,
      );
    const tries = async () => Number((await database.query('SELECT n FROM tries'))[0]?.n);

    it('is asked again, over another connection, and a change is made once', async () => {
      await refuse(2);
      expect(await insertActor(database, 'act_1')).toBe('act_1');
      expect(await tries()).toBe(3);
      expect(await database.query('SELECT (SELECT COUNT(*) FROM actor) + (SELECT COUNT(*) FROM audit_event) AS n')).toEqual([
        { n: expect.anything() },
      ]);
      const [{ actors, events }] = (await database.query(
        'SELECT (SELECT COUNT(*) FROM actor) AS actors, (SELECT COUNT(*) FROM audit_event) AS events',
      )) as [Record<string, unknown>];
      expect([Number(actors), Number(events)]).toEqual([1, 1]);
    });

    it('that doesn’t become ready is an outage, and nothing is kept', async () => {
      await refuse(1_000);
      await expect(insertActor(database, 'act_1')).rejects.toMatchObject({
        code: 'RECORD_UNAVAILABLE',
        fault: 'ER_UNKNOWN_COM_ERROR',
      });
      expect(await tries()).toBe(6);
      expect(await database.query('SELECT id FROM actor')).toEqual([]);
    });

    it('is asked again for what is read', async () => {
      await writerOf(database).query(
        `CREATE FUNCTION when_ready() RETURNS INT READS SQL DATA BEGIN IF (SELECT n FROM tries) < 3 THEN ${unready}; END IF; RETURN 7; END`,
      );
      // Who reads can't count on the server: it takes no write on these connections.
      const { reader } = database as unknown as { reader: { query: (...asked: unknown[]) => Promise<unknown> } };
      const asking = reader.query.bind(reader);
      reader.query = async (...asked) => {
        await writerOf(database).query('UPDATE tries SET n = n + 1');
        return asking(...asked);
      };
      expect((await database.query('SELECT when_ready() AS answer')).map(({ answer }) => Number(answer))).toEqual([7]);
      reader.query = asking;
      expect(await tries()).toBe(3);
    });
  });

  describe('a database server', () => {
    let server: PrivateMariaDb;
    let root: Connection;
    let test: TestApp;
    const closing: (() => unknown)[] = [];
    const start = async (options: TestAppOptions = {}) => {
      server = await PrivateMariaDb.start();
      closing.push(() => server.stop());
      const { name } = await newDatabase(server.serverUrl);
      root = await createConnection(server.serverUrl);
      closing.push(() => root.destroy());
      await root.query("CREATE USER cf@'127.0.0.1' IDENTIFIED BY 'cf'");
      await root.query(`GRANT ALL ON ${name}.* TO cf@'127.0.0.1'`);
      const url = `${server.serverUrl.replace('root@', 'cf:cf@')}/${name}`;
      test = await TestApp.start({ ...options, config: { ...options.config, database: parseDatabaseUrl(url) } });
      closing.push(() => test.stop());
      await known(test.app.database);
      await ask(test, open, own);
      await ask(test, '{ viewer { id } }', {}, 'sam');
    };
    afterEach(async () => {
      // Whatever kept a test from its start, a server that stays would keep the run from its end.
      for (const close of closing.splice(0).reverse()) await close();
    });
    /** How many connections were ended so far. */
    const ended = async (): Promise<number> => {
      const [rows] = await root.query("SHOW GLOBAL STATUS WHERE Variable_name IN ('Connections', 'Threads_connected')");
      const of = (name: string) =>
        Number((rows as { Variable_name: string; Value: unknown }[]).find((row) => row.Variable_name === name)?.Value);
      return of('Connections') - of('Threads_connected');
    };
    const connections = async (): Promise<string[]> => {
      const [rows] = await root.query("SELECT id FROM information_schema.processlist WHERE user = 'cf' ORDER BY id");
      return (rows as { id: unknown }[]).map(({ id }) => String(id));
    };
    const readiness = async () => (await test.server.inject({ method: 'GET', url: '/readyz' })).statusCode;

    it('that was made read-only: reads go on, what has to be recorded doesn’t, and no connection that said so is used again', async () => {
      await start();
      const before = await recorded(test);
      expect(await readiness()).toBe(200);
      await root.query('SET GLOBAL read_only = 1');
      for (let request = 0; request < 3; request += 1) {
        const before = await ended();
        const lines = await loggedDuring(test, async () => {
          const answer = await ask(test, open, own);
          expect([outcome(answer), answer.data]).toEqual([unavailable, null]);
        });
        expect(lines).toEqual([
          expect.objectContaining({ level: 40, msg: 'the database can’t be used', fault: 'ER_OPTION_PREVENTS_STATEMENT' }),
        ]);
        // The server notices a little later that a connection was left.
        while ((await ended()) === before);
      }
      const ticketId = await ticketIdOf(test, demoTickets.unassigned.reference);
      expect(outcome(await ask(test, begin, { ticketId }, 'sam'))).toEqual(unavailable);
      expect((await ask(test, '{ viewer { mfa } tickets(first: 1) { nodes { status } } }')).status).toBe(200);
      expect(await readiness()).toBe(503);
      expect(await recorded(test)).toEqual(before);
      await root.query('SET GLOBAL read_only = 0');
      expect([(await ask(test, open, own)).status, await readiness()]).toEqual([200, 200]);
    });

    it('with no free connection is an outage, not a fault of ours', async () => {
      await start();
      await root.query('SET GLOBAL max_connections = 10');
      for (const id of await connections()) await root.query(`KILL ${Number(id)}`).catch(() => {});
      const taken: Connection[] = [];
      for (let full = false; !full; )
        await createConnection(urlOf(test.app.config.database)).then(
          (connection) => taken.push(connection),
          () => {
            full = true;
          },
        );
      const lines = await loggedDuring(test, async () => expect(outcome(await ask(test, open, own))).toEqual(unavailable));
      expect(lines.map(({ level, fault }) => [level, fault])).toEqual([[40, 'ER_CON_COUNT_ERROR']]);
      for (const connection of taken) connection.destroy();
      await root.query('SET GLOBAL max_connections = 100');
      expect((await ask(test, open, own)).status).toBe(200);
    });

    it('that stopped answering: every request is answered in time, nothing unrecorded leaves, and it goes on with the server', async () => {
      // What the start stores has to fit into it too, on a machine that has much else to do.
      await start({ databaseDeadlines: { read: 1_500, change: 4_000 } });
      const token = await test.token('ana');
      const before = (await test.events('disclosure')).length;
      const under = Array.from({ length: 20 }, () => ask(test, open, own, { token }));
      process.kill(server.processId, 'SIGSTOP');
      const began = performance.now();
      const answers = await Promise.all([
        ...under,
        ask(test, begin, { ticketId: 'tkt_1' }, 'sam'),
        ask(test, '{ tickets { totalCount } }'),
      ]);
      // Each of a request's statements could take the deadline; what comes after the first that did has a second.
      expect(performance.now() - began).toBeLessThan(10_000);
      expect(await readiness()).toBe(503);
      process.kill(server.processId, 'SIGCONT');
      const shown = answers.filter(({ status, data }) => status === 200 && data?.ticketByReference?.customer?.displayName);
      for (const answer of answers.filter((each) => !shown.includes(each))) expect(outcome(answer)).toEqual(unavailable);
      await test.app.database.query('SELECT 1');
      expect((await ask(test, open, own, { token })).status).toBe(200);
      expect((await test.events('disclosure')).length - before).toBeGreaterThan(shown.length);
    });

    it('that stopped answering keeps no probe waiting for as long as a request may', async () => {
      // Longer than this test may take.
      await start({ databaseDeadlines: { read: 3_600_000, change: 3_600_000 } });
      process.kill(server.processId, 'SIGSTOP');
      const [ready, metrics] = await Promise.all(
        ['/readyz', '/metrics'].map((url) => test.server.inject({ method: 'GET', url })),
      );
      process.kill(server.processId, 'SIGCONT');
      expect([ready?.statusCode, metrics?.statusCode]).toEqual([503, 200]);
      expect(metrics?.body).not.toMatch(/^counterfoil_(?:source_age|audit_pending)/m);
    });

    it('that takes too long for a read: it is an outage within the time of a read, and the server doesn’t go on either', async () => {
      await start({ databaseDeadlines: { read: 1_500, change: 60_000 } });
      const token = await test.token('ana');
      const { name } = test.app.config.database as ServerLocation;
      const others = await createConnection(server.serverUrl);
      await others.query(`LOCK TABLES ${name}.helpdesk_ticket WRITE`);
      const began = performance.now();
      const lines = await loggedDuring(test, async () =>
        expect(outcome(await ask(test, '{ tickets(first: 1) { nodes { status } } }', {}, { token }))).toEqual(unavailable),
      );
      expect(performance.now() - began).toBeLessThan(5_000);
      // The server itself gave up, so the connection is good and nothing speaks against what comes next.
      expect(lines.map(({ fault }) => fault)).toEqual(['ER_STATEMENT_TIMEOUT']);
      // Its thread may be listed for a moment more; the table stays locked, so that nothing but the server's own deadline ends it.
      const busy = "SELECT info FROM information_schema.processlist WHERE user = 'cf' AND command <> 'Sleep'";
      const until = performance.now() + 3_000;
      let left: unknown;
      do [left] = await root.query(busy);
      while ((left as unknown[]).length > 0 && performance.now() < until);
      expect(left).toEqual([]);
      await others.query('UNLOCK TABLES');
      others.destroy();
      expect((await ask(test, '{ tickets(first: 1) { nodes { status } } }', {}, { token })).status).toBe(200);
    });

    it('that takes too long for a change: the change is given up, and holds nothing of the next one’s', async () => {
      await start({ databaseDeadlines: { read: 60_000, change: 2_500 } });
      const database = test.app.database;
      await insertActor(database, 'act_held');
      const others = await createConnection(urlOf(test.app.config.database));
      await others.query('START TRANSACTION');
      await others.query("SELECT id FROM actor WHERE id = 'act_held' FOR UPDATE");
      const touch = () =>
        database.change(somebody, add, async (change, permit) => {
          permit();
          await change.lock(ActorRow, { id: 'act_held' });
        });
      const began = performance.now();
      await expect(touch()).rejects.toMatchObject({ code: 'RECORD_UNAVAILABLE' });
      expect(performance.now() - began).toBeLessThan(6_000);
      const waiting = async () => {
        const [rows] = await root.query("SELECT trx_id FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'");
        return (rows as unknown[]).length;
      };
      // A lock is waited for in whole seconds, and the server looks again only where nobody has asked for a tenth of one.
      const until = performance.now() + 5_000;
      do await new Promise((resolve) => setTimeout(resolve, 200));
      while ((await waiting()) > 0 && performance.now() < until);
      expect(await waiting()).toBe(0);
      await others.query('ROLLBACK');
      others.destroy();
      await touch();
    });

    it('that stopped answering keeps neither a start nor a stop waiting', async () => {
      await start({ sync: true });
      test.app.start();
      await ask(test, open, own);
      process.kill(server.processId, 'SIGSTOP');
      const began = performance.now();
      const { config } = test.app;
      const starting = App.open({ config, log: pino({ level: 'silent' }) });
      await Promise.all([
        expect(starting).rejects.toMatchObject({ code: 'RECORD_UNAVAILABLE' }),
        test.server.close(),
        ...[1, 2, 3].map(() => ask(test, open, own).catch(() => {})),
      ]);
      const took = performance.now() - began;
      process.kill(server.processId, 'SIGCONT');
      expect(took).toBeLessThan(20_000);
    });

    it('that is gone: every door says so, with when to come back', async () => {
      await start();
      test.helpdesk.judgeWebhook = () =>
        ({ outcome: 'hint', eventId: 'evt-1', type: 'ticket', at: test.clock.now(), references: [] }) as never;
      const token = await test.token('ada');
      await ask(test, '{ viewer { id } }', {}, { token });
      process.kill(server.processId, 'SIGKILL');
      const at = async (method: 'GET' | 'POST', url: string, headers: Record<string, string> = {}) => {
        const { statusCode, headers: sent, body } = await test.server.inject({ method, url, headers });
        expect(body).not.toMatch(/ECONN|PROTOCOL|127\.0\.0\.1|mysql/i);
        return [url.slice(0, 9), statusCode, sent['retry-after'], /RECORD_UNAVAILABLE/.test(body)];
      };
      const lines = await loggedDuring(test, async () => {
        expect(outcome(await ask(test, open, own))).toEqual(unavailable);
        expect(outcome(await ask(test, '{ tickets { totalCount } viewer { id } }'))).toEqual(unavailable);
        // Nobody has met this person yet: who they are is looked up first.
        expect(outcome(await ask(test, '{ viewer { id } }', {}, 'pia'))).toEqual(unavailable);
        expect(outcome(await ask(test, begin, { ticketId: 'tkt_1' }, 'sam'))).toEqual(unavailable);
        expect(await at('POST', '/webhooks/demo')).toEqual(['/webhooks', 503, '5', true]);
        expect(await at('GET', '/audit/export', { authorization: `Bearer ${token}` })).toEqual(['/audit/ex', 503, '5', true]);
        expect(await at('GET', `/confirm/${'a'.repeat(43)}`)).toEqual(['/confirm/', 503, '5', false]);
      });
      expect(lines.map(({ level, msg }) => [level, msg])).toEqual(lines.map(() => [40, 'the database can’t be used']));
      expect(lines).toHaveLength(7);
      expect(await at('GET', '/readyz')).toEqual(['/readyz', 503, undefined, false]);
      expect((await at('GET', '/metrics'))[1]).toBe(200);
      expect((await at('GET', '/healthz'))[1]).toBe(200);
    });
  });
}
