import '../deferred';
import { migrations } from '../../migrations';
import { loadAuditConfig } from '../config/load';
import { Database } from '../db/database';
import { DatabaseInUse } from '../db/database-in-use';
import { Snapshot } from '../db/snapshot';
import { raw, sql } from '../db/sql';
import { Column, select } from '../db/table';
import { entities } from '../features/entities';
import { CommandFailed } from './report';

/** Names in a table that is TypeORM's, or the engine's own. */
const named = (table: string) => select({ name: new Column<string>(sql`name`, null) }, sql`FROM ${raw(table)}`);

/** How many migrations an embedded database lacks that another process owns. */
const missing = async (file: string): Promise<number> => {
  const snapshot = Snapshot.open(file);
  try {
    const [table] = await snapshot.read(named('sqlite_master'), sql`WHERE name = 'schema_migration'`);
    const run = table ? await snapshot.read(named('schema_migration'), sql``) : [];
    const known = new Set(run.map(({ name }) => name));
    return migrations.filter(({ name }) => !known.has(name)).length;
  } finally {
    await snapshot.close();
  }
};

/**
 * `counterfoil migrate`: for a database user who may change tables, so that the gateway's needn't. Beside the process that owns an
 * embedded database it says whether there is anything to do.
 */
export const migrate = async (): Promise<void> => {
  const { database: location } = loadAuditConfig({ signs: false });
  try {
    const database = await Database.open(location, { entities, migrations, poolSize: 1 });
    await database.close();
  } catch (error) {
    if (!(error instanceof DatabaseInUse)) throw error;
    const count = await missing(error.file);
    if (count > 0)
      throw new CommandFailed(
        `${count === 1 ? 'A migration is' : `${count} migrations are`} missing, and ${error.file} is in use by ${error.owner}. Stop it first, then run this again; a gateway that starts does the same by itself.`,
      );
  }
  process.stdout.write('The tables are up to date. "counterfoil doctor --print-grants" prints what their users need.\n');
};
