/** What the two engines say differently. Everything else is one SQL for both. */
export type EngineKind = 'sqlite' | 'mariadb';

/** MariaDB locks the rows it reads; SQLite has one writer at a time, which is the same and needs no word. */
export const forUpdate = (engine: EngineKind): string => (engine === 'mariadb' ? ' FOR UPDATE' : '');

/** InnoDB: 1213 deadlock, 1205 lock wait timeout, 1020 record changed since read; the transaction is rolled back, so all of it may run again. */
const conflictCodes = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD']);
const lostConnectionCodes = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'ECONNRESET',
  'EPIPE',
  'ER_SERVER_SHUTDOWN',
  'ER_CONNECTION_KILLED',
  // A server that starts again.
  'ECONNREFUSED',
]);

/**
 * What is wrong with a server's `sql_mode`; null where nothing is. Without a strict mode a leaf that is too long is cut
 * without a word, and where a backslash escapes nothing, the driver's quoting of values doesn't hold.
 */
export const sqlModeFault = (mode: string): string | null => {
  const modes = mode.toUpperCase().split(',');
  if (modes.includes('NO_BACKSLASH_ESCAPES')) return 'sql_mode: expected no NO_BACKSLASH_ESCAPES';
  const isStrict = modes.includes('STRICT_TRANS_TABLES') || modes.includes('STRICT_ALL_TABLES');
  return isStrict ? null : 'sql_mode: expected STRICT_TRANS_TABLES or STRICT_ALL_TABLES';
};

const codeOf = (error: unknown): string => {
  const own = (error as { code?: unknown; driverError?: { code?: unknown } } | null) ?? {};
  return String(own.driverError?.code ?? own.code ?? '');
};

export const isConflict = (error: unknown): boolean => conflictCodes.has(codeOf(error));
export const isDuplicate = (error: unknown): boolean =>
  ['ER_DUP_ENTRY', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY'].includes(codeOf(error));
/** The driver marks as fatal what ends a connection; what was asked of one that had ended already has no code. */
export const isLostConnection = (error: unknown): boolean => {
  const { fatal, driverError } = (error as { fatal?: unknown; driverError?: { fatal?: unknown } } | null) ?? {};
  return lostConnectionCodes.has(codeOf(error)) || fatal === true || driverError?.fatal === true;
};
