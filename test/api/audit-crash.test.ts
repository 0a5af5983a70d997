import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../src/audit/checkpoint';
import { verifierKeyOf } from '../../src/audit/note';
import { record, sequencerOf, testKey, testOrigin, testSigners } from '../support/audit-log';
import { BuiltGateway } from '../support/built';
import { engine, temporaryDatabase } from '../support/database';
import { urlOf } from '../support/database-url';
import { newDatabase, PrivateMariaDb } from '../support/mariadb';

if (engine === 'mariadb') {
  describe('processes on one database', () => {
    let built: BuiltGateway;
    beforeAll(() => {
      built = BuiltGateway.make();
    }, 120_000);
    afterAll(() => built.remove());

    it('that are killed at any moment leave every acknowledged event in the tree exactly once, in order, under one history', async () => {
      const server = process.env.MARIADB_SERVER_URL as string;
      const { code, stdout, stderr } = await built.bench('audit-crash.js', [
        '--seconds',
        '15',
        '--seed',
        '11',
        '--server',
        server,
      ]);
      expect({ code, stderr, result: JSON.parse(stdout || '{}') }).toMatchObject({
        code: 0,
        stderr: '',
        result: { ok: true, problems: [] },
      });
    }, 240_000);

    it('sequence, sign and anchor with nothing but the database’s address, the key and the log’s name, until they are told to stop', async () => {
      const { database, location, remove } = await temporaryDatabase();
      writeFileSync(
        join(built.folder, 'audit.yaml'),
        `audit: { origin: ${testOrigin}, mark: marked, anchors: [{ kind: file, name: archive, path: anchored }] }\n`,
      );
      const environment = {
        NODE_ENV: 'production',
        DATABASE_URL: urlOf(location),
        CONFIG_FILE: 'audit.yaml',
        AUDIT_SIGNING_KEY: testKey,
      };
      expect(await built.run(['migrate'], environment)).toMatchObject({ code: 0, stderr: '' });
      await record(database, 25);
      const running = built.begin(['audit', 'sequence'], environment);
      const size = async () => {
        const rows = await database.query<{ size: number | null }>('SELECT MAX(tree_size) AS size FROM audit_anchor');
        return Number(rows[0]?.size ?? 0);
      };
      while ((await size()) < 25 && running.child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 100));
      running.child.kill('SIGTERM');
      expect(await running.finished).toMatchObject({ code: 0, stdout: '' });
      const kept = openCheckpoint(readFileSync(join(built.folder, 'anchored')), testSigners.map(verifierKeyOf));
      expect([kept.origin, kept.size >= 25, kept.extensions]).toEqual([testOrigin, true, []]);
      const marked = openCheckpoint(readFileSync(join(built.folder, 'marked')), testSigners.map(verifierKeyOf));
      expect(marked.size >= kept.size).toBe(true);
      expect(await built.run(['audit', 'sequence'], { ...environment, AUDIT_SIGNING_KEY: '' })).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('AUDIT_SIGNING_KEY_FILE'),
      });
      await remove();
    }, 120_000);

    it('end when they are told to, though the database stopped answering', async () => {
      const server = await PrivateMariaDb.start();
      const { url } = await newDatabase(server.serverUrl);
      const environment = { DATABASE_URL: url, LOG_LEVEL: 'info' };
      expect(await built.run(['migrate'], environment)).toMatchObject({ code: 0 });
      const running = built.begin(['audit', 'sequence'], environment);
      while (!running.stderr.includes('sequencing the audit log') && running.child.exitCode === null)
        await new Promise((resolve) => setTimeout(resolve, 100));
      process.kill(server.processId, 'SIGSTOP');
      // Meanwhile it asks for what there is to sequence, and hears nothing.
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      const began = performance.now();
      running.child.kill('SIGTERM');
      const { signal } = await running.finished;
      const took = performance.now() - began;
      process.kill(server.processId, 'SIGCONT');
      await server.stop();
      expect(signal).toBeNull();
      expect(took).toBeLessThan(20_000);
    }, 120_000);
  });
} else {
  describe('an embedded database', () => {
    it('keeps what is acknowledged in order while its one process writes and sequences at once', async () => {
      const { database, remove } = await temporaryDatabase();
      const log = sequencerOf(database);
      await log.open();
      log.start();
      await Promise.all(Array.from({ length: 40 }, (_, index) => record(database, 1 + (index % 9))));
      await log.stop();
      await sequencerOf(database).turn();
      const rows = await database.query<{ transaction_id: string; ordinal: number }>(
        'SELECT e.transaction_id, e.ordinal FROM audit_leaf l JOIN audit_event e ON e.id = l.event_id ORDER BY l.leaf_index',
      );
      const [events] = await database.query<{ n: number }>('SELECT COUNT(*) AS n FROM audit_event');
      expect(rows.length).toBe(events?.n);
      rows.forEach(({ transaction_id: id, ordinal }, index) => {
        const before = rows[index - 1];
        expect(ordinal).toBe(before?.transaction_id === id ? before.ordinal + 1 : 0);
      });
      await remove();
    });
  });
}
