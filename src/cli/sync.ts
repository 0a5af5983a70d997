import pino from 'pino';
import { type Config, loadConfig } from '../config/load';
import { createLog } from '../log';
import { ownerOf, runBeside } from './command-client';
import { type SyncedSource, syncTo } from './sync-work';

export interface SyncFlags {
  readonly json?: boolean;
}

const parts = () => ({
  ...(require('../storage') as typeof import('../storage')),
  ...(require('../features/sources/sources.slice') as typeof import('../features/sources/sources.slice')),
  ...(require('../ledger/open-signing-log') as typeof import('../ledger/open-signing-log')),
});

/** By itself: what the gateway stores and follows its sources with, and nothing that answers anybody. */
const syncHere = async (config: Config): Promise<readonly SyncedSource[]> => {
  const { openStorage, createSources, openLogWatch, openSigningLog } = parts();
  const log = createLog(config.logLevel, pino.destination(2));
  const storage = await openStorage({ config, log });
  const { database, clock } = storage;
  try {
    // Nothing is added to a log that isn't what was signed.
    await openSigningLog(config.audit, database, clock, log);
    await openLogWatch(config.audit, database, log);
    const publicUrl = config.publicUrl ?? `http://${config.host}:${config.port}`;
    const sources = await createSources({ ...storage, publicUrl: () => publicUrl }, config, {});
    try {
      return await syncTo(sources, { progress: process.stderr });
    } finally {
      await sources.stop();
    }
  } finally {
    await database.close();
  }
};

/** What goes to files isn't sent by a sync. */
const onlyProgress = { write: async () => {}, progress: process.stderr };

/** `counterfoil sync`: reads every source to its end, by itself or by the gateway that owns the embedded database. */
export const sync = async ({ json }: SyncFlags): Promise<void> => {
  const since = performance.now();
  const config = loadConfig();
  const owner = ownerOf(config.database);
  const sources = owner
    ? ((await runBeside(owner, { command: 'sync', isTerminal: process.stderr.isTTY === true }, onlyProgress)) as SyncedSource[])
    : await syncHere(config);
  const milliseconds = Math.round(performance.now() - since);
  if (json) {
    process.stdout.write(`${JSON.stringify({ milliseconds, sources })}\n`);
    return;
  }
  for (const { name, side, kind, readUntil } of sources)
    process.stdout.write(`${name} (${kind}, ${side}): read until ${readUntil ?? 'never'}\n`);
  process.stdout.write(`Done in ${(milliseconds / 1_000).toFixed(1)} s.\n`);
};
