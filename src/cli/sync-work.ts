import type { Sources } from '../features/sources/sources.service';
import type { Outputs } from './command-protocol';
import { ProgressReport } from './progress';

export interface SyncedSource {
  readonly name: string;
  readonly side: string;
  readonly kind: string;
  /** ISO 8601, or null. */
  readonly readUntil: string | null;
  readonly fault: string | null;
}

/** Reads every source to its end, and says how far each is then. */
export const syncTo = async (
  sources: Pick<Sources, 'syncAll' | 'health'>,
  outputs: Pick<Outputs, 'progress'>,
): Promise<readonly SyncedSource[]> => {
  const progress = new ProgressReport(outputs.progress);
  try {
    await sources.syncAll(progress.show);
  } finally {
    progress.finish();
  }
  return (await sources.health()).map(({ name, side, kind, polledAt, fault }) => ({
    name,
    side,
    kind,
    readUntil: polledAt?.toISOString() ?? null,
    fault,
  }));
};
