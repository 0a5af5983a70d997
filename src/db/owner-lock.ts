import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { DatabaseInUse } from './database-in-use';

const ownerOf = (noteFile: string): number => {
  try {
    const note = readFileSync(noteFile, 'utf8').trim();
    return /^\d{1,10}$/.test(note) ? Number(note) : 0;
  } catch {
    return 0;
  }
};

/**
 * Takes `<file>.lock`, which the system lets go of however this process ends: no remains to judge, no process id that
 * means another process by now or in another container. `<file>.owner` says who it is, for people only. Returns the
 * release, which may be called again. Throws `DatabaseInUse`.
 */
export const takeOwnership = (file: string): (() => void) => {
  const noteFile = `${file}.owner`;
  // SQLite's own exclusive lock, on a file of nothing else: Node has none.
  const lock = new Sqlite(`${file}.lock`, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    writeFileSync(noteFile, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    lock.close();
    if (String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) throw new DatabaseInUse(file, ownerOf(noteFile));
    throw error;
  }
  return () => {
    if (!lock.open) return;
    rmSync(noteFile, { force: true });
    lock.close();
  };
};
