import type { AuditProcessConfig } from '../config/load';
import type { Database } from '../db/database';
import { noDeadlines } from '../db/deadline';
import type { Reads } from '../db/reads';
import { Snapshot } from '../db/snapshot';

type Place = Pick<AuditProcessConfig, 'database' | 'databasePool'>;

/** The database as it is: whoever reads or signs the log needn't be allowed to change its tables. Without deadlines, as long as it takes. */
export const openAuditDatabase = async ({ database, databasePool }: Place, deadlines = noDeadlines): Promise<Database> => {
  // TypeORM and every entity: what only reads an embedded database needs neither.
  const { Database } = require('../db/database') as typeof import('../db/database');
  const { entities } = require('../features/entities') as typeof import('../features/entities');
  const { migrations } = require('../../migrations') as typeof import('../../migrations');
  return Database.open(database, { entities, migrations, poolSize: databasePool }, { migrate: false, deadlines });
};

/** What only reads: beside a gateway on the embedded database a snapshot, elsewhere the database itself. */
export const readAuditDatabase = async (place: Place): Promise<Reads & { close(): Promise<void> }> =>
  place.database.engine === 'sqlite' ? Snapshot.open(place.database.file) : openAuditDatabase(place);
