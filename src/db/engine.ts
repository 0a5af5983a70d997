import { DatabaseUnavailable } from './database-unavailable';

/** What the two engines say differently. Everything else is one SQL for both. */
export type EngineKind = 'sqlite' | 'mariadb';

/** MariaDB locks the rows it reads; SQLite has one writer at a time, which is the same and needs no word. */
export const forUpdate = (engine: EngineKind): string => (engine === 'mariadb' ? ' FOR UPDATE' : '');

/** Errors of MariaDB's own whose numbers the driver has no name for. */
const unnamed: Readonly<Record<number, string>> = { 1927: 'ER_CONNECTION_KILLED', 1969: 'ER_STATEMENT_TIMEOUT' };

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

/** What was asked had no effect, and the next moment or another node may take it: 1047 a Galera node that isn't ready, 1040 no free connection. */
const notReadyCodes = new Set(['ER_UNKNOWN_COM_ERROR', 'ER_CON_COUNT_ERROR']);

/** The server takes no writes: what a primary becomes that another one took over from. */
const readOnlyCodes = new Set(['ER_OPTION_PREVENTS_STATEMENT', 'ER_READ_ONLY_MODE']);

/** Other reasons for which a server, or the way to it, can't be used for a while. */
const otherOutageCodes = new Set([
  'ER_NORMAL_SHUTDOWN',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_USER_LIMIT_REACHED',
  'ER_CANT_CREATE_THREAD',
  'ER_OUTOFMEMORY',
  'ER_OUT_OF_RESOURCES',
  'ER_DISK_FULL',
  'ER_RECORD_FILE_FULL',
  'ER_ERROR_DURING_COMMIT',
  'ER_QUERY_INTERRUPTED',
  'ER_STATEMENT_TIMEOUT',
  // The same of MySQL.
  'ER_QUERY_TIMEOUT',
  'ER_NET_READ_ERROR',
  'ER_NET_READ_INTERRUPTED',
  'ER_NET_ERROR_ON_WRITE',
  'ER_NET_WRITE_INTERRUPTED',
  'ETIMEDOUT',
  'NO_ANSWER',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** SQLite's result codes, extended ones included: the file is locked by somebody else, or the disk doesn't take or give it. */
const sqliteOutage = /^SQLITE_(?:BUSY|LOCKED|IOERR|FULL|CANTOPEN|READONLY|NOMEM|PROTOCOL)(?:_|$)/;

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

/** What a server's encryption lacks; null where that isn't what the driver said. */
export const tlsFault = (error: unknown): string | null => {
  const code = codeOf(error);
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return 'tls=verify: the server offers no TLS';
  return code === 'HANDSHAKE_SSL_ERROR'
    ? 'tls=verify: the server’s certificate has expired, doesn’t name HOST, or isn’t of the CA'
    : null;
};

interface DriverError {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly fatal?: unknown;
  readonly message?: unknown;
}

/** What the driver threw, however it was wrapped. */
const driverErrorOf = (error: unknown): DriverError => {
  const thrown = error instanceof DatabaseUnavailable ? error.cause : error;
  return (
    (thrown as { driverError?: DriverError } | null | undefined)?.driverError ?? (thrown as DriverError | null | undefined) ?? {}
  );
};

const codeOf = (error: unknown): string => {
  const { code, errno } = driverErrorOf(error);
  return String(code ?? unnamed[Number(errno)] ?? '');
};

export const isConflict = (error: unknown): boolean => conflictCodes.has(codeOf(error));
export const isDuplicate = (error: unknown): boolean =>
  ['ER_DUP_ENTRY', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY'].includes(codeOf(error));
/** The driver marks as fatal what ends a connection; what was asked of one that had ended already has no code. */
export const isLostConnection = (error: unknown): boolean =>
  lostConnectionCodes.has(codeOf(error)) || (driverErrorOf(error).fatal === true && !isRefusal(codeOf(error)));

/** A server's own answer to somebody whom it doesn't let in, or whose encryption isn't as configured: asking again changes nothing. */
const isRefusal = (code: string): boolean =>
  (code.startsWith('ER_') && !lostConnectionCodes.has(code)) || code.startsWith('HANDSHAKE_');

/** Nothing was done, and it may be asked again at once: of another connection. */
export const isNotReady = (error: unknown): boolean => notReadyCodes.has(codeOf(error));

/** The server takes no writes, so that nothing was done. */
export const isReadOnly = (error: unknown): boolean => readOnlyCodes.has(codeOf(error));

/** Nothing more may be expected of the connection on which this came, though it is open: a new one may lead to another node. */
export const spoilsConnection = (error: unknown): boolean => isReadOnly(error) || isNotReady(error);

/**
 * Why the database can't be used just now, by the driver's code; null for any other error: one of the statement, the
 * schema or the account stays one after a while too. A conflict that came once more at the last try counts: another time it may not.
 */
export const outageOf = (error: unknown): string | null => {
  if (error instanceof DatabaseUnavailable) return error.fault;
  const code = codeOf(error);
  const isOutage =
    isLostConnection(error) ||
    isConflict(error) ||
    notReadyCodes.has(code) ||
    readOnlyCodes.has(code) ||
    otherOutageCodes.has(code) ||
    code.startsWith('PROTOCOL_') ||
    sqliteOutage.test(code) ||
    // Of a pool that was closed under a request.
    driverErrorOf(error).message === 'Pool is closed.';
  // Of a pool for whose connections more wait than may.
  if (driverErrorOf(error).message === 'Queue limit reached.') return 'QUEUE_FULL';
  return isOutage ? code || 'CONNECTION_LOST' : null;
};

const missingColumn = /(?:^no such column: |has no column named |^Unknown column ')([\w.]+)/;
const missingTable = /(?:^no such table: |^Table ')([\w.]+)/;

/**
 * Which table or column the stored schema lacks, for the log: a migration that didn't run, or a mistake of the program.
 * Names of the schema alone; null for any other error.
 */
export const schemaFaultOf = (error: unknown): string | null => {
  if (!['ER_BAD_FIELD_ERROR', 'ER_NO_SUCH_TABLE', 'SQLITE_ERROR'].includes(codeOf(error))) return null;
  const message = String(driverErrorOf(error).message ?? '');
  const column = missingColumn.exec(message)?.[1];
  const table = missingTable.exec(message)?.[1];
  if (column !== undefined) return `no such column: ${column}`;
  return table === undefined ? null : `no such table: ${table}`;
};

/** The error itself, which says as `schema` what the stored schema lacks where that is it: the log tells that much of it. */
export const nameSchemaFault = (error: unknown): unknown => {
  const schema = schemaFaultOf(error);
  return schema === null ? error : Object.assign(error as object, { schema });
};
