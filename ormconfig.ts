import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { migrations } from './migrations';
import { databaseLocation } from './src/config/database';
import { dataSourceOptions } from './src/db/data-source';
import { entities } from './src/features/entities';

/**
 * The database of `DATABASE_URL` for TypeORM's command line, built first:
 *
 *     npm run build
 *     npx typeorm migration:show -d dist/ormconfig.js
 *
 * The gateway migrates by itself when it starts. On SQLite stop it first: one process owns the file.
 */
export default new DataSource(dataSourceOptions(databaseLocation(), { entities, migrations }, 'write'));
