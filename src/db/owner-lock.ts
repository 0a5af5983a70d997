import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';

/** One process owns an embedded database; a second one is told which, and how to do what it wanted. */
export class DatabaseInUse extends Error {
  constructor(
    readonly file: string,
    readonly processId: number,
  ) {
    super(`${file} is in use by process ${processId}. Stop that gateway first, or send this through it (GraphQL, webhooks).`);
    this.name = 'DatabaseInUse';
  }
}

/** Start time of a process in clock ticks since boot, where the system tells: a process id alone is reused. */
const startOf = (processId: number): string => {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
};

const isAlive = (processId: number, start: string): boolean => {
  // A container's gateway is often process 1 again after a restart: its own id in a left-over file means nothing.
  if (processId === process.pid && start !== startOf(process.pid)) return false;
  try {
    process.kill(processId, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return start === '' || startOf(processId) === '' || startOf(processId) === start;
};

/** Takes `<file>.owner`, over the remains of a process that is gone. Returns the release. Throws `DatabaseInUse`. */
export const takeOwnership = (file: string): (() => void) => {
  const lockFile = `${file}.owner`;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      const handle = openSync(lockFile, 'wx', 0o600);
      writeSync(handle, `${process.pid} ${startOf(process.pid)}\n`);
      closeSync(handle);
      return () => rmSync(lockFile, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [processId = '', start = ''] = readFileSync(lockFile, 'utf8').trim().split(' ');
    if (/^\d+$/.test(processId) && isAlive(Number(processId), start)) throw new DatabaseInUse(file, Number(processId));
    rmSync(lockFile, { force: true });
  }
  throw new DatabaseInUse(file, 0);
};
