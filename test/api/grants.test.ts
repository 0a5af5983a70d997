import { createConnection } from 'mysql2/promise';
import { describeFailure } from '../../src/cli/report';
import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { Database } from '../../src/db/database';
import { parseDatabaseUrl } from '../../src/db/location';
import { auditTables, type DatabaseRole, grantFaults, grantStatements } from '../../src/ledger/grants';
import { SigningLog } from '../../src/ledger/signing-log';
import { countOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper, testKey } from '../support/audit-log';
import { databaseParts, engine, temporaryDatabase } from '../support/database';
import { urlOf } from '../support/database-url';

const gatewayUser = 'cf_gateway';
const sequencerUser = 'cf_sequencer';
const password = 'a-password-for-tests';

/** The same database as another user. */
const asUser = (url: string, user: string): string => {
  const location = new URL(url);
  location.username = user;
  location.password = password;
  return location.toString();
};

if (engine === 'mariadb') {
  describe('database users with what they need and nothing more', () => {
    let url: string;
    let schema: string;
    let remove: () => Promise<void>;
    let tables: readonly string[];
    const root = async (sql: string) => {
      const connection = await createConnection({ uri: url, multipleStatements: true });
      await connection.query(sql);
      await connection.end();
    };
    const as = (user: string) => Database.open(parseDatabaseUrl(asUser(url, user)), databaseParts, { migrate: false });
    const grant = async (role: DatabaseRole, user: string) => {
      await root(`DROP USER IF EXISTS ${user}@'%'; CREATE USER ${user}@'%' IDENTIFIED BY '${password}'`);
      await root(grantStatements(schema, tables, [{ account: `${user}@'%'`, role }]).join('\n'));
    };

    beforeAll(async () => {
      const migrated = await temporaryDatabase();
      ({ remove } = migrated);
      url = urlOf(migrated.location);
      schema = new URL(url).pathname.slice(1);
      tables = migrated.database.tables();
      await grant('gateway', gatewayUser);
      await grant('sequencer', sequencerUser);
    });
    afterAll(async () => {
      await root(`DROP USER IF EXISTS ${gatewayUser}@'%'; DROP USER IF EXISTS ${sequencerUser}@'%'`);
      await remove();
    });

    it('serve: a gateway that records, and a process that sequences, signs and keeps the time', async () => {
      const test = await TestApp.start({
        config: {
          database: parseDatabaseUrl(asUser(url, gatewayUser)),
          audit: { origin: 'log.example.com/grants', anchors: [], signingKey: null },
        },
      });
      try {
        const { errors } = told(
          await test.as('ana', '{ ticketByReference(source: "demo", reference: "1001") { subject customer { displayName } } }'),
        );
        expect(errors).toEqual([]);
        const sequencing = await as(sequencerUser);
        const log = await SigningLog.open(sequencing, {
          origin: 'log.example.com/grants',
          signingKey: { value: testKey },
          anchors: [],
          clock: test.clock.now,
          onFault: (error) => {
            throw error;
          },
        });
        const signed = await log.sequencer.turn();
        await sequencing.close();
        expect([signed?.size, await countOf(test, 'audit_pending')]).toEqual([await countOf(test, 'audit_event'), 0]);
        const read = told(
          await test.as('ada', '{ auditEvents(filter: { action: "disclosure" }) { totalCount } auditCheckpoint { treeSize } }'),
        );
        expect(read).toEqual({
          data: { auditEvents: { totalCount: 1 }, auditCheckpoint: { treeSize: signed?.size } },
          errors: [],
        });
      } finally {
        await test.stop();
      }
    });

    it.each([gatewayUser, sequencerUser])('can’t change or delete what was recorded (%s)', async (user) => {
      const database = await as(user);
      const refused = async (sql: string) => {
        await expect(tamper(database, sql)).rejects.toMatchObject({
          driverError: { code: expect.stringMatching(/ER_(TABLEACCESS|COLUMNACCESS)_DENIED_ERROR/) },
        });
      };
      for (const table of auditTables) {
        // The queue is what the sequencer takes from, and nothing else.
        if (table === 'audit_pending' && user === sequencerUser)
          await refused('UPDATE audit_pending SET ordinal = 1 WHERE 1 = 0');
        else await refused(`DELETE FROM ${table} WHERE 1 = 0`);
      }
      await refused("UPDATE audit_event SET action = 'x' WHERE 1 = 0");
      await refused("UPDATE audit_leaf SET leaf_hash = 'x' WHERE 1 = 0");
      if (user === gatewayUser) await refused("INSERT INTO audit_leaf (leaf_index, event_id, leaf_hash) VALUES (1, 'x', 'x')");
      await database.close();
    });

    it('are told what they lack, and that doctor takes a gateway’s', async () => {
      const database = await as(sequencerUser);
      const denied = await rowsWithoutEvent(database).catch((error: unknown) => describeFailure(error));
      await database.close();
      expect(denied).toMatch(
        /^SELECT command denied to user .*: the user in DATABASE_URL lacks this right\. .*--print-grants.*a gateway’s\.$/,
      );
    });

    it('are found in order, and named where they may do too much or too little', async () => {
      const faultsOf = async (user: string, role: DatabaseRole) => {
        const database = await as(user);
        const faults = await grantFaults(database, role);
        await database.close();
        return faults;
      };
      expect([await faultsOf(gatewayUser, 'gateway'), await faultsOf(sequencerUser, 'sequencer')]).toEqual([[], []]);
      expect(await faultsOf(gatewayUser, 'sequencing gateway')).toContain('audit_pending: can’t DELETE, which it needs');
      await root(
        `GRANT UPDATE ON ${schema}.audit_event TO ${gatewayUser}@'%'; GRANT DROP ON ${schema}.* TO ${sequencerUser}@'%'`,
      );
      expect(await faultsOf(gatewayUser, 'gateway')).toEqual([expect.stringMatching(/^audit_event: may UPDATE/)]);
      expect(await faultsOf(sequencerUser, 'sequencer')).toHaveLength(auditTables.length);
      const administrator = await Database.open(parseDatabaseUrl(url), databaseParts, { migrate: false });
      expect((await grantFaults(administrator, 'gateway')).length).toBe(auditTables.length);
      await administrator.close();
      await grant('gateway', gatewayUser);
      await grant('sequencer', sequencerUser);
    });
  });
} else {
  describe('an embedded database', () => {
    it('has no users whose rights could be looked at: its file belongs to one process', async () => {
      const { database, remove } = await temporaryDatabase();
      expect(database.tables()).toEqual(expect.arrayContaining([...auditTables]));
      await remove();
    });
  });
}
