import pino from 'pino';
import { type Config, loadConfig } from '../config/load';
import { createLog } from '../log';
import { ownerOf, runBeside } from './command-client';
import { type SyncedSource, syncTo } from './sync-work';

export interface SyncFlags {
  readonly json?: boolean;
}

/** By itself, with all of the gateway but its server. */
const syncHere = async (config: Config): Promise<readonly SyncedSource[]> => {
  const { App } = require('../app') as typeof import('../app');
  const app = await App.open({ config, log: createLog(config.logLevel, pino.destination(2)) });
  try {
    return await syncTo(app.sources, { progress: process.stderr });
  } finally {
    await app.close();
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
