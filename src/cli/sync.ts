import pino from 'pino';
import { App } from '../app';
import { loadConfig } from '../config/load';
import { createLog } from '../log';
import { ProgressReport } from './progress';

export interface SyncFlags {
  readonly json?: boolean;
}

/** `counterfoil sync`: reads every source to its end, without serving. */
export const sync = async ({ json }: SyncFlags): Promise<void> => {
  const since = performance.now();
  const config = loadConfig();
  const app = await App.open({ config, log: createLog(config.logLevel, pino.destination(2)) });
  const progress = new ProgressReport(process.stderr);
  try {
    await app.sources.syncAll(progress.show);
    progress.finish();
    const sources = (await app.sources.health()).map(({ name, side, kind, polledAt, fault }) => ({
      name,
      side,
      kind,
      readUntil: polledAt,
      fault,
    }));
    const milliseconds = Math.round(performance.now() - since);
    if (json) {
      process.stdout.write(`${JSON.stringify({ milliseconds, sources })}\n`);
      return;
    }
    for (const { name, side, kind, readUntil } of sources)
      process.stdout.write(`${name} (${kind}, ${side}): read until ${readUntil?.toISOString() ?? 'never'}\n`);
    process.stdout.write(`Done in ${(milliseconds / 1_000).toFixed(1)} s.\n`);
  } finally {
    progress.finish();
    await app.close();
  }
};
