import { migrations } from '../../migrations';
import { loadAuditConfig } from '../config/load';
import { Database } from '../db/database';
import { entities } from '../features/entities';

/** `counterfoil migrate`: for a database user who may change tables, so that the gateway's needn't. */
export const migrate = async (): Promise<void> => {
  const { database: location } = loadAuditConfig({ signs: false });
  const database = await Database.open(location, { entities, migrations, poolSize: 1 });
  await database.close();
  process.stdout.write('The tables are up to date. "counterfoil doctor --print-grants" prints what their users need.\n');
};
