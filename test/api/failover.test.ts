import { setTimeout as pause } from 'node:timers/promises';
import { type Connection, createConnection } from 'mysql2/promise';
import { action, rule } from '../../src/authz/rule';
import { parseDatabaseUrl } from '../../src/db/location';
import { demoTickets } from '../../src/development/merchant/cast';
import { ActorRow, actors } from '../../src/features/actors/actor.entity';
import { ulid } from '../../src/ulid';
import { known, somebody } from '../support/actor';
import { told } from '../support/answers';
import { TestApp } from '../support/app';
import { engine, temporaryDatabase } from '../support/database';
import { newDatabase, PrivateMariaDb } from '../support/mariadb';
import { TcpSwitch } from '../support/tcp-switch';

const open = `query ($reference: String!) {
  ticketByReference(source: "demo", reference: $reference) { customer { displayName paymentMethods { last4 } } }
}`;
const own = { reference: demoTickets.own.reference };

if (engine === 'mariadb') {
  const add = action(
    'actor.first-seen',
    rule<unknown>('ROLE', () => true),
  );
  const portOf = ({ serverUrl }: PrivateMariaDb): number => Number(new URL(serverUrl).port);
  const replicating = (id: number) => [
    `--server-id=${id}`,
    '--log-bin',
    '--log-slave-updates=1',
    '--sync-binlog=1',
    // What was acknowledged is at the replica too: without it a server that dies takes the last commits along, whoever asked for them.
    '--rpl-semi-sync-slave-enabled=1',
    '--rpl-semi-sync-master-wait-point=AFTER_SYNC',
    '--rpl-semi-sync-master-timeout=60000',
  ];

  describe('a gateway whose database server another one takes over from', () => {
    const servers: PrivateMariaDb[] = [];
    const roots: Connection[] = [];
    let address: TcpSwitch;
    let test: TestApp;
    let name: string;
    const root = (index: number): Connection => roots[index] as Connection;
    const sql = async (index: number, statement: string): Promise<Record<string, unknown>[]> =>
      (await root(index).query(statement))[0] as Record<string, unknown>[];

    const until = async (holds: () => Promise<boolean>, milliseconds = 20_000): Promise<void> => {
      const end = performance.now() + milliseconds;
      while (!(await holds())) {
        expect(performance.now()).toBeLessThan(end);
        await pause(50);
      }
    };

    /** One follows the other and takes no writes; the other waits with each commit until it has it. */
    const follow = async (follower: number, leader: number): Promise<void> => {
      const { serverUrl } = servers[leader] as PrivateMariaDb;
      await sql(follower, 'SET GLOBAL read_only = 1, GLOBAL rpl_semi_sync_master_enabled = 0');
      await sql(
        follower,
        `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${new URL(serverUrl).port}, MASTER_USER = 'root', MASTER_USE_GTID = current_pos, MASTER_CONNECT_RETRY = 1`,
      );
      await sql(follower, 'START SLAVE');
      const isFollowing = async () => {
        const [status] = await sql(leader, "SHOW STATUS LIKE 'Rpl_semi_sync_master_clients'");
        return Number(status?.Value) > 0;
      };
      await sql(leader, 'SET GLOBAL rpl_semi_sync_master_enabled = 1');
      while (!(await isFollowing())) await pause(100);
    };
    /** Waits until a follower has carried out all that it got, and lets it lead. */
    const promote = async (follower: number): Promise<void> => {
      await sql(follower, 'STOP SLAVE IO_THREAD');
      // Of a leader that died the last it sent may be half a transaction, which was acknowledged to nobody.
      await until(async () => {
        const [state] = await sql(follower, 'SHOW ALL SLAVES STATUS');
        expect(state?.Last_SQL_Error).toBe('');
        return /has read all relay log/.test(String(state?.Slave_SQL_State));
      });
      await sql(follower, 'STOP SLAVE');
      await sql(follower, 'SET GLOBAL read_only = 0');
    };

    beforeAll(async () => {
      for (const id of [1, 2]) {
        const server = await PrivateMariaDb.start(replicating(id));
        servers.push(server);
        roots.push(await createConnection(server.serverUrl));
      }
      await follow(1, 0);
      ({ name } = await newDatabase((servers[0] as PrivateMariaDb).serverUrl));
      await sql(0, "CREATE USER cf@'127.0.0.1' IDENTIFIED BY 'cf'");
      await sql(0, `GRANT ALL ON ${name}.* TO cf@'127.0.0.1'`);
      address = await TcpSwitch.start(portOf(servers[0] as PrivateMariaDb));
      const database = parseDatabaseUrl(`mysql://cf:cf@127.0.0.1:${address.port}/${name}`);
      test = await TestApp.start({ config: { database } });
      await known(test.app.database);
    });
    afterAll(async () => {
      for (const connection of roots) connection.destroy();
      await test?.stop();
      await address?.close();
      for (const server of servers) await server.stop();
    });

    const status = async (url: string): Promise<number> => (await test.server.inject({ method: 'GET', url })).statusCode;
    const ask = async () => {
      const answer = await test.as('ana', open, own);
      return { status: answer.status, ...told(answer) };
    };
    /** Eight people who change something again and again; tells what each of them was told of each change. */
    let working: ReturnType<typeof people> | undefined;
    afterEach(() => working?.stop());
    const people = (): { stop: () => Promise<{ made: string[]; failed: string[] }> } => {
      const made: string[] = [];
      const failed: string[] = [];
      let isOver = false;
      const work = async (): Promise<void> => {
        while (!isOver) {
          const id = `act_${ulid()}`;
          const change = test.app.database.change(somebody, add, async (under, permit) => {
            permit();
            const row = { id, issuer: 'test', subjectDigest: id, createdAt: new Date(), fence: 0 };
            await under.insert(actors, Object.assign(new ActorRow(), row));
            under.record('actor.first-seen', { subject: { type: 'Actor', id }, detail: { identity: 'digest' } });
          });
          await change.then(
            () => made.push(id),
            (error: unknown) => {
              expect(error).toMatchObject({ code: 'RECORD_UNAVAILABLE' });
              failed.push(id);
            },
          );
          await pause(20);
        }
      };
      const all = Array.from({ length: 8 }, work);
      return {
        stop: async () => {
          isOver = true;
          await Promise.all(all);
          return { made, failed };
        },
      };
    };

    /** What the server that leads now has of these: each acknowledged change once with its event, and nothing without the other. */
    const expectWhole = async (leader: number, { made, failed }: { made: string[]; failed: string[] }): Promise<void> => {
      const among = [...made, ...failed].map((id) => `'${id}'`).join();
      const stored = (await sql(leader, `SELECT id FROM ${name}.actor WHERE id IN (${among})`)).map(({ id }) => id as string);
      const recorded = (
        await sql(
          leader,
          `SELECT subject_id AS id FROM ${name}.audit_event WHERE action = 'actor.first-seen' AND subject_id IN (${among})`,
        )
      ).map(({ id }) => id as string);
      expect(made.length).toBeGreaterThan(20);
      expect(made.filter((id) => !stored.includes(id))).toEqual([]);
      expect([...recorded].sort()).toEqual([...stored].sort());
    };

    it('first turns read-only, then the address leads to the other: unready until it can write, then as before, and no read from the old one', async () => {
      expect([(await ask()).status, await status('/readyz')]).toEqual([200, 200]);
      working = people();
      await pause(500);
      await sql(0, 'SET GLOBAL read_only = 1');
      await until(async () => (await status('/readyz')) === 503);
      expect(await ask()).toMatchObject({ status: 503, data: null });
      await promote(1);
      expect(await status('/readyz')).toBe(503);
      address.turnTo(portOf(servers[1] as PrivateMariaDb));
      await until(async () => (await status('/readyz')) === 200);
      await until(async () => (await ask()).status === 200);
      await pause(500);
      await expectWhole(1, await working.stop());
      // The one before is still there and answers whoever reads from it.
      await sql(1, `CREATE TABLE ${name}.which AS SELECT 'new' AS server`);
      const reads = await Promise.all(Array.from({ length: 40 }, () => test.app.database.query('SELECT server FROM which')));
      expect(reads).toEqual(reads.map(() => [{ server: 'new' }]));
      const [left] = await sql(0, "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = 'cf'");
      expect(Number(left?.n)).toBe(0);
    });

    it('dies: what was acknowledged is at the other, and it goes on there', async () => {
      await follow(0, 1);
      expect(await status('/readyz')).toBe(200);
      working = people();
      await pause(500);
      process.kill((servers[1] as PrivateMariaDb).processId, 'SIGKILL');
      await until(async () => (await status('/readyz')) === 503);
      await promote(0);
      address.turnTo(portOf(servers[0] as PrivateMariaDb));
      await until(async () => (await status('/readyz')) === 200);
      await until(async () => (await ask()).status === 200);
      await pause(500);
      await expectWhole(0, await working.stop());
    });
  });
} else {
  describe('an embedded database', () => {
    it('has no other server that could take over: its readers and its writer have the same file', async () => {
      const { database, remove } = await temporaryDatabase();
      await expect(database.ping()).resolves.toBeUndefined();
      await remove();
    });
  });
}
