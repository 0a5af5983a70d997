import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const memory = '/dev/shm';
const enough = 4 * 1024 ** 3;

const inMemory = (): boolean => {
  if (!existsSync(memory)) return false;
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize >= enough;
};

/**
 * A folder for everything that a run writes, in memory where there is room: a test waits for no disk, and what it leaves
 * behind goes with the run. `tmpdir()` is this folder for the run and the processes that it starts.
 */
export const makeScratch = (): void => {
  if (process.env.TEST_SCRATCH) return;
  const folder = mkdtempSync(join(inMemory() ? memory : tmpdir(), 'counterfoil-tests-'));
  mkdirSync(join(folder, 'tmp'));
  process.env.TEST_SCRATCH = folder;
  process.env.TMPDIR = join(folder, 'tmp');
};

export const removeScratch = (): void => {
  if (process.env.TEST_SCRATCH) rmSync(process.env.TEST_SCRATCH, { recursive: true, force: true });
};
