import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type Connection, createConnection } from 'mysql2/promise';
import pino from 'pino';
import { parse } from 'yaml';
import { z } from 'zod';
import { examine } from '../../src/cli/doctor';
import { databaseOf } from '../../src/config/database';
import { loadConfig } from '../../src/config/load';
import { Database } from '../../src/db/database';
import { parseDatabaseUrl, type ServerLocation } from '../../src/db/location';
import { type Sql, sql } from '../../src/db/sql';
import { Column, select } from '../../src/db/table';
import { openStorage } from '../../src/storage';
import { databaseParts, engine } from '../support/database';
import { urlOf } from '../support/database-url';
import { PrivateMariaDb } from '../support/mariadb';
import { PrivateCa } from '../support/private-ca';

const nothing = { entities: [], migrations: [] };
const every = String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 32 + index));

/** What one expression is in the sessions of either side. */
const onBothSides = async (database: Database, expression: Sql): Promise<unknown[]> => {
  const asked = select({ value: new Column<unknown>(expression, null) }, sql``);
  const [read] = await database.read(asked, sql``);
  const [written] = await database.sequence((commit) => commit.read(asked, sql``));
  return [read?.value, written?.value];
};
const statusOf = (name: string): Sql =>
  sql`(SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = ${name})`;

if (engine === 'mariadb') {
  describe('a database server', () => {
    let server: PrivateMariaDb;
    let root: Connection;
    let location: ServerLocation;
    /** As whoever operates the gateway writes it. */
    const open = (changes: Partial<ServerLocation> = {}, parts: typeof databaseParts | typeof nothing = nothing) =>
      Database.open(parseDatabaseUrl(urlOf({ ...location, ...changes })), parts);
    const start = async (...options: readonly string[]) => {
      server = await PrivateMariaDb.start(options);
      root = await createConnection({ user: 'root', socketPath: server.socket });
      started.push([root, server]);
      await root.query('CREATE DATABASE counterfoil');
      location = { ...(parseDatabaseUrl(`${server.serverUrl}/counterfoil`) as ServerLocation), user: 'cf', password: every };
      await addUser(location.user, location.password);
    };
    const addUser = async (user: string, password: string) => {
      await root.query('CREATE USER ?@? IDENTIFIED BY ?', [user, '%', password]);
      await root.query(`GRANT ALL ON ${location.name}.* TO ?@?`, [user, '%']);
    };
    const started: (readonly [Connection, PrivateMariaDb])[] = [];
    afterAll(async () => {
      for (const [connection, each] of started) {
        connection.destroy();
        await each.stop();
      }
    });

    describe('that takes TLS only', () => {
      let ca: PrivateCa;
      let other: PrivateCa;
      const certify = async (names: string) => {
        ca.issue(names);
        await root.query('FLUSH SSL');
      };
      beforeAll(async () => {
        ca = new PrivateCa();
        other = new PrivateCa();
        const { key, cert } = ca.issue('DNS:localhost');
        await start(`--ssl-ca=${ca.file}`, `--ssl-cert=${cert}`, `--ssl-key=${key}`);
        await root.query('SET GLOBAL require_secure_transport = ON');
      });
      afterAll(async () => {
        ca.remove();
        other.remove();
      });
      const refused = { code: 'INVALID', message: expect.stringMatching(/^DATABASE_URL: tls=verify: the server’s certificate/) };

      it('is refused in clear', async () => {
        await expect(open()).rejects.toThrow(/^Access denied/);
      });

      it('is spoken to in cipher by whoever reads and by whoever writes, by name and by address', async () => {
        for (const [names, host] of [
          ['DNS:localhost', 'localhost'],
          ['IP:127.0.0.1', '127.0.0.1'],
        ] as const) {
          await certify(names);
          const database = await open({ host, tls: { ca: ca.file } }, databaseParts);
          try {
            // A second connection of a side would go on with what was agreed on by the first.
            await Promise.all(Array.from({ length: 4 }, () => database.query('SELECT SLEEP(0.05) AS s')));
            const ciphers = await onBothSides(database, statusOf('Ssl_cipher'));
            expect(ciphers).toEqual([expect.stringMatching(/^TLS_/), expect.stringMatching(/^TLS_/)]);
          } finally {
            await database.close();
          }
        }
      });

      it('is refused under another name than that of its certificate', async () => {
        for (const [names, host] of [
          ['DNS:localhost', '127.0.0.1'],
          ['IP:127.0.0.1', 'localhost'],
          ['DNS:database.example,IP:127.0.0.2', '127.0.0.1'],
        ] as const) {
          await certify(names);
          await expect(open({ host, tls: { ca: ca.file } })).rejects.toMatchObject(refused);
        }
      });

      it('is refused with a certificate of another authority', async () => {
        await certify('IP:127.0.0.1');
        await expect(open({ tls: { ca: other.file } })).rejects.toMatchObject(refused);
        await expect(open({ tls: { ca: null } })).rejects.toMatchObject(refused);
      });
    });

    describe('whose sessions begin otherwise', () => {
      beforeAll(() =>
        start(
          '--bind-address=127.0.0.1,::1',
          '--autocommit=0',
          '--init-connect=SET autocommit = 0',
          '--transaction-isolation=SERIALIZABLE',
          '--log-bin',
          '--sync-binlog=1',
        ),
      );

      it('is worked with as any other: each statement by itself, committed at once, and no reader writes', async () => {
        const database = await open({}, databaseParts);
        try {
          expect(await onBothSides(database, sql`@@autocommit`)).toEqual([1, 1]);
          expect(await onBothSides(database, sql`@@tx_isolation`)).toEqual(['READ-COMMITTED', 'READ-COMMITTED']);
          expect(await onBothSides(database, sql`@@tx_read_only`)).toEqual([1, 0]);
          await root.query(`CREATE TABLE ${location.name}.later AS SELECT 1 AS one`);
          expect(await database.query('SELECT one FROM later')).toEqual([{ one: 1 }]);
          await root.query(`INSERT INTO ${location.name}.later VALUES (2)`);
          expect(await database.query('SELECT one FROM later')).toEqual([{ one: 1 }]);
          await root.query('COMMIT');
          expect(await database.query('SELECT one FROM later ORDER BY one')).toEqual([{ one: 1 }, { one: 2 }]);
          await expect(database.query('INSERT INTO later VALUES (3)')).rejects.toMatchObject({
            code: 'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION',
          });
        } finally {
          await database.close();
        }
      });

      it('is said to lose what it acknowledged where its settings let it, at the start and by doctor', async () => {
        const database = await open({}, databaseParts);
        await database.close();
        const folder = mkdtempSync(join(tmpdir(), 'counterfoil-doctor-'));
        const environment = { DATABASE_URL: urlOf(location), DATA_DIR: folder, DEMO_SIZE: '1' };
        Object.assign(process.env, environment);
        const written = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
        const said = async () => {
          const lines: string[] = [];
          const sink = new Writable({
            write: (chunk, _encoding, done) => {
              lines.push(String(chunk));
              done();
            },
          });
          const storage = await openStorage({ config: loadConfig(), log: pino({ level: 'warn' }, sink) });
          await storage.database.close();
          written.mockClear();
          await examine({ user: '', sources: false, json: true });
          const { findings } = JSON.parse(String(written.mock.calls[0]?.[0])) as {
            findings: { about: string; message: string }[];
          };
          const found = findings.filter(({ about }) => about === 'server').map(({ message }) => message);
          expect(lines.map((line) => (JSON.parse(line) as { why: string }).why)).toEqual(found);
          return found;
        };
        try {
          expect(await said()).toEqual([]);
          await root.query('SET GLOBAL innodb_flush_log_at_trx_commit = 2, GLOBAL sync_binlog = 0');
          expect(await said()).toEqual([
            'innodb_flush_log_at_trx_commit is 2, expected 1: a power cut can take disclosures that were acknowledged',
            'sync_binlog is 0, expected 1: a power cut can take disclosures that were acknowledged',
          ]);
        } finally {
          await root.query('SET GLOBAL innodb_flush_log_at_trx_commit = 1');
          written.mockRestore();
          process.exitCode = undefined;
          rmSync(folder, { recursive: true });
        }
      });

      it.each<[string, () => Partial<ServerLocation>]>([
        ['by IPv6', () => ({ host: '::1' })],
        ['by its socket', () => ({ host: 'localhost', port: 1, socket: server.socket })],
      ])('is reached %s', async (_, changes) => {
        const database = await open(changes());
        const [read, written] = await onBothSides(database, sql`CURRENT_USER()`);
        await database.close();
        expect([read, written]).toEqual(['cf@%', 'cf@%']);
      });

      it.each(['#?/%@:&=+', '%23', 'ü€', '\'"\\`', '${X}', ' a '])('takes the password and the user %j', async (text) => {
        await addUser(text, text);
        const database = await open({ user: text, password: text });
        expect(await onBothSides(database, sql`CURRENT_USER()`)).toEqual([`${text}@%`, `${text}@%`]);
        await database.close();
      });

      it('is refused where TLS is asked for and it has none', async () => {
        await expect(open({ tls: { ca: null } })).rejects.toMatchObject({
          code: 'INVALID',
          message: 'DATABASE_URL: tls=verify: the server offers no TLS',
        });
      });
    });

    describe('as compose.yaml starts it and docs/operations.md prepares it', () => {
      let folder: string;
      afterAll(() => rmSync(folder, { recursive: true, force: true }));

      it('is reached by the URL made there, and in clear by nobody', async () => {
        folder = mkdtempSync(join(tmpdir(), 'counterfoil-compose-'));
        const secrets = join(folder, 'secrets');
        mkdirSync(secrets);
        // There the server is called `database`, here it isn't.
        const guide = readFileSync('docs/operations.md', 'utf8').replaceAll('DNS:database', 'DNS:localhost');
        const commands = guide.match(/^openssl req .*(?:\n {2}.*)*$/gm) ?? [];
        expect(commands).toHaveLength(2);
        for (const command of commands) execFileSync('sh', ['-c', command], { cwd: folder, stdio: 'ignore' });
        const { command } = z
          .object({ services: z.object({ database: z.object({ command: z.array(z.string()) }) }) })
          .parse(parse(readFileSync('compose.yaml', 'utf8'))).services.database;
        await start(...command.map((each) => each.replace('/run/secrets', secrets)));
        await addUser('counterfoil', 'pw');
        const [, url = ''] = /^echo "(mysql:.*)" > secrets\/database_url$/m.exec(guide) ?? [];
        const database = databaseOf(
          {
            DATABASE_URL: url
              .replace('$(cat secrets/database_password)', 'pw')
              .replace('@database:3306/', `@localhost:${location.port}/`)
              .replace('/run/secrets', secrets),
          },
          { folder, dataFolder: folder, production: true },
          [],
        );
        expect(database).toMatchObject({ host: 'localhost', name: 'counterfoil', tls: { ca: join(secrets, 'database_ca') } });
        const opened = await Database.open(database, databaseParts);
        expect(await onBothSides(opened, statusOf('Ssl_cipher'))).toEqual([
          expect.stringMatching(/^TLS_/),
          expect.stringMatching(/^TLS_/),
        ]);
        await opened.close();
        await expect(open()).rejects.toThrow(/^Access denied/);
      });
    });
  });
} else {
  describe('an embedded database', () => {
    it('lies where its URL says, whatever is in the path', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'counterfoil a#%?@-'));
      const file = join(folder, 'ü.sqlite');
      const database = await Database.open(parseDatabaseUrl(urlOf({ engine: 'sqlite', file })), nothing);
      await database.close();
      expect(readFileSync(file).subarray(0, 15).toString()).toBe('SQLite format 3');
      rmSync(folder, { recursive: true });
    });
  });
}
