import type { Reads } from './reads';
import { sql } from './sql';
import { Column, select } from './table';

const settings = select(
  {
    flushed: new Column<number>(sql`@@GLOBAL.innodb_flush_log_at_trx_commit`, Number),
    logged: new Column<number>(sql`@@GLOBAL.log_bin`, Number),
    synced: new Column<number>(sql`@@GLOBAL.sync_binlog`, Number),
  },
  sql``,
);

/**
 * Settings of a server by which it may lose what it said was committed. A recovered server goes by its binary log where it has
 * one, so that has to be on the disk too.
 */
export const durabilityFaults = async (server: Reads): Promise<readonly string[]> => {
  const [found] = await server.read(settings, sql``);
  if (found === undefined) return [];
  const { flushed, logged, synced } = found;
  const lost = (name: string, value: number) =>
    `${name} is ${value}, expected 1: a power cut can take disclosures that were acknowledged`;
  return [
    ...(flushed === 1 ? [] : [lost('innodb_flush_log_at_trx_commit', flushed)]),
    ...(logged === 0 || synced === 1 ? [] : [lost('sync_binlog', synced)]),
  ];
};
