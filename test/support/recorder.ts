import type { App } from '../../src/app';
import type { SystemChange } from '../../src/db/change';
import type { Database } from '../../src/db/database';
import type { createDisclosures } from '../../src/features/disclosures/disclosures.slice';

type Work = (change: SystemChange) => Promise<unknown>;

/** Replaces what writes disclosures and denials until `restore`: the one place where a test reaches into their transaction. */
export const replaceRecorder = (
  database: Database,
  replacement: (write: (work: Work) => Promise<unknown>, work: Work) => Promise<unknown>,
): (() => void) => {
  const original = database.system.bind(database);
  database.system = ((job, action, work: Work, options) =>
    job === 'recorder'
      ? replacement((each) => original(job, action, each, options), work)
      : original(job, action, work, options)) as Database['system'];
  return () => {
    database.system = original;
  };
};

/** The part of an application that records what was shown and denied. */
export const recordOf = (app: App): ReturnType<typeof createDisclosures> =>
  (Reflect.get(app, 'parts') as { record: ReturnType<typeof createDisclosures> }).record;
