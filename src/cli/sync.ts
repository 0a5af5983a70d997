import '../deferred';
import { type Config, loadConfig } from '../config/load';
import { ownerOf, runBeside } from './command-client';
import { type SyncedSource, syncTo } from './sync-work';

export interface SyncFlags {
  readonly json?: boolean;
}

const slices = () => require('../features/sources/sources.slice') as typeof import('../features/sources/sources.slice');
const storages = () => require('./own-storage') as typeof import('./own-storage');

/** By itself: what the gateway stores and follows its sources with, and nothing that answers anybody. */
const syncHere = (config: Config): Promise<readonly SyncedSource[]> =>
  storages().withOwnStorage(config, async (storage) => {
    const publicUrl = config.publicUrl ?? `http://${config.host}:${config.port}`;
    const sources = await slices().createSources({ ...storage, publicUrl: () => publicUrl }, config, {});
    try {
      return await syncTo(sources, { progress: process.stderr });
    } finally {
      await sources.stop();
    }
  });

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
