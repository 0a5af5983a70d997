import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const memory = '/dev/shm';
const enough = 4 * 1024 ** 3;

const inMemory = (): boolean => {
  if (!existsSync(memory)) return false;
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize >= enough;
};

const isRunning = (processId: number): boolean => {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** A run that was killed cleans up nothing, and memory stays full until somebody does. */
const removeOrphans = (root: string): void => {
  for (const name of readdirSync(root)) {
    const processId = /^counterfoil-tests-(\d+)-/.exec(name)?.[1];
    if (processId && !isRunning(Number(processId))) rmSync(join(root, name), { recursive: true, force: true });
  }
};

/**
 * A folder for everything that a run writes, in memory where there is room: a test waits for no disk, and what it leaves
 * behind goes with the run. `tmpdir()` is this folder for the run and the processes that it starts.
 */
export const makeScratch = (): void => {
  if (process.env.TEST_SCRATCH) return;
  const root = inMemory() ? memory : tmpdir();
  removeOrphans(root);
  const folder = mkdtempSync(join(root, `counterfoil-tests-${process.pid}-`));
  mkdirSync(join(folder, 'tmp'));
  process.env.TEST_SCRATCH = folder;
  process.env.TMPDIR = join(folder, 'tmp');
};

export const removeScratch = (): void => {
  if (process.env.TEST_SCRATCH) rmSync(process.env.TEST_SCRATCH, { recursive: true, force: true });
};
