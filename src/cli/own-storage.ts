import pino from 'pino';
import type { Config } from '../config/load';
import type { Storage } from '../features/core';
import { openLogWatch, openSigningLog } from '../ledger/open-signing-log';
import { createLog } from '../log';
import { openStorage } from '../storage';

/** Runs a command that records something on a storage of its own: a server's, or an embedded one that no gateway owns. */
export const withOwnStorage = async <T>(config: Config, work: (storage: Storage) => Promise<T>): Promise<T> => {
  const log = createLog(config.logLevel, pino.destination(2));
  const storage = await openStorage({ config, log });
  const { database, clock } = storage;
  try {
    // Nothing is added to a log that isn't what was signed.
    await openSigningLog(config.audit, database, clock, log);
    await openLogWatch(config.audit, database, log);
    return await work(storage);
  } finally {
    await database.close();
  }
};
