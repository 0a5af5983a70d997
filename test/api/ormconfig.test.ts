import { DataSource } from 'typeorm';
import { temporaryLocation } from '../support/database';
import { urlOf } from '../support/database-url';

describe('ormconfig.ts', () => {
  const given = process.env.DATABASE_URL;
  afterEach(() => {
    if (given === undefined) delete process.env.DATABASE_URL;
    else process.env.DATABASE_URL = given;
  });

  it('gives the TypeORM command line the database of DATABASE_URL, its migrations pending and then run', async () => {
    const { location, remove } = await temporaryLocation();
    process.env.DATABASE_URL = urlOf(location);
    let exported: Record<string, unknown> = {};
    jest.isolateModules(() => {
      exported = jest.requireActual<Record<string, unknown>>('../../ormconfig');
    });
    // TypeORM's command line takes a module that exports one DataSource and no second one.
    expect(Object.keys(exported)).toEqual(['default']);
    const source = exported.default as DataSource;
    expect(source.constructor.name).toBe(DataSource.name);
    await source.initialize();
    try {
      expect(await source.showMigrations()).toBe(true);
      const ran = await source.runMigrations({ transaction: 'each' });
      expect(ran.map(({ name }) => name)).toContain('Initial1764000000000');
      expect(await source.showMigrations()).toBe(false);
      expect((await source.driver.createSchemaBuilder().log()).upQueries).toEqual([]);
      for (const _ of ran) await source.undoLastMigration({ transaction: 'each' });
      expect(await source.showMigrations()).toBe(true);
    } finally {
      await source.destroy();
      await remove();
    }
  });
});
