import { Database } from '../../src/db/database';
import { tamper } from '../support/audit-log';
import { databaseParts, engine, temporaryLocation } from '../support/database';

/** What stands in a database: its tables with their columns, and its indexes. */
const schemaOf = async (database: Database): Promise<readonly string[]> => {
  const rows =
    engine === 'sqlite'
      ? await database.query<{ line: string }>(
          `SELECT m.type || ' ' || m.name || ' ' || COALESCE(c.name || ' ' || c.type || ' ' || c."notnull", '') AS line
             FROM sqlite_master m LEFT JOIN pragma_table_info(m.name) c ON m.type = 'table'`,
        )
      : await database.query<{ line: string }>(
          `SELECT CONCAT_WS(' ', table_name, column_name, column_type, is_nullable, collation_name) AS line
             FROM information_schema.columns WHERE table_schema = DATABASE()
           UNION ALL SELECT CONCAT_WS(' ', table_name, index_name, column_name, non_unique) FROM information_schema.statistics
            WHERE table_schema = DATABASE()`,
        );
  return rows.map(({ line }) => line).sort();
};

describe('migrations that were killed in the middle, where the server keeps each step', () => {
  it('run again from their beginning at the next start, and make the same', async () => {
    const { location, remove } = await temporaryLocation();
    const migrated = await Database.open(location, databaseParts);
    const whole = await schemaOf(migrated);
    const onTable = (table: string) => (engine === 'mariadb' ? ` ON ${table}` : '');
    const cuts = [
      [],
      ['DROP TABLE credential_job', 'ALTER TABLE payment_customer DROP COLUMN phone_changed_at', 'DROP TABLE audit_anchor'],
      ['DROP TABLE audit_note', 'DROP TABLE audit_pending'],
      [`DROP INDEX ix_assistance_begins_at${onTable('assistance')}`, 'ALTER TABLE helpdesk_customer DROP COLUMN link_next_at'],
    ];
    await migrated.close();
    for (const cut of cuts) {
      const killed = await Database.open(location, databaseParts, { migrate: false });
      for (const step of [...cut, 'DELETE FROM schema_migration']) await tamper(killed, step);
      if (cut.length > 0) expect(await schemaOf(killed)).not.toEqual(whole);
      await killed.close();
      const again = await Database.open(location, databaseParts);
      expect(await schemaOf(again)).toEqual(whole);
      await again.close();
    }
    await remove();
  });
});
