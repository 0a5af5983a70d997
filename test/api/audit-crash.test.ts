import { record, sequencerOf } from '../support/audit-log';
import { BuiltGateway } from '../support/built';
import { engine, temporaryDatabase } from '../support/database';

if (engine === 'mariadb') {
  describe('writers and sequencers that are killed at any moment', () => {
    it('leave every acknowledged event in the tree exactly once, in order, under one history', async () => {
      const built = BuiltGateway.make();
      const server = process.env.MARIADB_SERVER_URL as string;
      const { code, stdout, stderr } = await built.bench('audit-crash.js', [
        '--seconds',
        '15',
        '--seed',
        '11',
        '--server',
        server,
      ]);
      await built.remove();
      expect({ code, stderr, result: JSON.parse(stdout || '{}') }).toMatchObject({
        code: 0,
        stderr: '',
        result: { ok: true, problems: [] },
      });
    }, 240_000);
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
