import { Failure } from '../failure';
import { DatabaseUnavailable } from './database-unavailable';
import { isConflict, isLostConnection, isNotReady, outageOf, schemaFaultOf, spoilsConnection } from './engine';

const thrown = (code: string, more: Readonly<Record<string, unknown>> = {}) => Object.assign(new Error('…'), { code, ...more });
/** As TypeORM passes it on. */
const wrapped = (code: string, more: Readonly<Record<string, unknown>> = {}) =>
  Object.assign(new Error('…'), { driverError: thrown(code, more) });

describe('a fault of the driver', () => {
  it.each([
    'ER_CON_COUNT_ERROR',
    'ER_UNKNOWN_COM_ERROR',
    'ER_OPTION_PREVENTS_STATEMENT',
    'ER_READ_ONLY_MODE',
    'ER_SERVER_SHUTDOWN',
    'ER_CONNECTION_KILLED',
    'ER_TOO_MANY_USER_CONNECTIONS',
    'ER_DISK_FULL',
    'ER_RECORD_FILE_FULL',
    'ER_QUERY_INTERRUPTED',
    'ER_LOCK_DEADLOCK',
    'ER_LOCK_WAIT_TIMEOUT',
    'PROTOCOL_CONNECTION_LOST',
    'PROTOCOL_SEQUENCE_TIMEOUT',
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENOTFOUND',
    'NO_ANSWER',
    'SQLITE_BUSY',
    'SQLITE_BUSY_SNAPSHOT',
    'SQLITE_LOCKED',
    'SQLITE_IOERR',
    'SQLITE_IOERR_WRITE',
    'SQLITE_FULL',
    'SQLITE_CANTOPEN',
    'SQLITE_READONLY',
    'SQLITE_READONLY_DBMOVED',
  ])('%s is an outage, however it is wrapped', (code) => {
    const errors = [thrown(code), thrown(code, { fatal: true }), wrapped(code), new DatabaseUnavailable(code, thrown(code))];
    expect(errors.map(outageOf)).toEqual([code, code, code, code]);
  });

  it.each<[string, unknown]>([
    ['of a table that isn’t there', wrapped('ER_NO_SUCH_TABLE')],
    ['of a column that isn’t there', wrapped('ER_BAD_FIELD_ERROR')],
    ['of a statement on SQLite', wrapped('SQLITE_ERROR')],
    ['of a statement’s text', wrapped('ER_PARSE_ERROR')],
    ['of a constraint', wrapped('SQLITE_CONSTRAINT_UNIQUE')],
    ['of a twin', wrapped('ER_DUP_ENTRY')],
    ['of a file that is damaged', wrapped('SQLITE_CORRUPT')],
    ['of an account that isn’t let in', thrown('ER_ACCESS_DENIED_ERROR', { fatal: true })],
    ['of a right that is missing', wrapped('ER_TABLEACCESS_DENIED_ERROR')],
    ['of a certificate', thrown('HANDSHAKE_SSL_ERROR', { fatal: true })],
    ['of a read-only transaction of ours', wrapped('ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION')],
    ['of the program', new TypeError('undefined is not a function')],
    ['of a rule', Failure.denied('ROLE', 'test')],
    ['that is none', undefined],
    ['that is nothing', null],
  ])('%s is no outage', (_, error) => {
    expect([outageOf(error), isNotReady(error), spoilsConnection(error)]).toEqual([null, false, false]);
  });

  it('without a code is one where it ended the connection', () => {
    const closed = Object.assign(new Error('Can’t add new command when connection is in closed state'), { fatal: true });
    expect([outageOf(closed), outageOf({ driverError: closed }), isLostConnection(closed)]).toEqual([
      'CONNECTION_LOST',
      'CONNECTION_LOST',
      true,
    ]);
  });

  it('that the driver has no name for is known by its number', () => {
    expect(outageOf(wrapped(undefined as unknown as string, { errno: 1927 }))).toBe('ER_CONNECTION_KILLED');
  });

  it.each<[string, boolean, boolean, boolean, boolean]>([
    // code, all of it may run again, an idempotent one may run again, it did nothing, the connection isn't used again
    ['ER_LOCK_DEADLOCK', true, false, false, false],
    ['ER_UNKNOWN_COM_ERROR', false, false, true, true],
    ['ER_CON_COUNT_ERROR', false, false, true, true],
    ['ER_OPTION_PREVENTS_STATEMENT', false, false, false, true],
    ['ER_READ_ONLY_MODE', false, false, false, true],
    ['ECONNRESET', false, true, false, false],
    ['NO_ANSWER', false, false, false, false],
    ['SQLITE_FULL', false, false, false, false],
  ])('%s says what may be done about it', (code, conflict, lost, notReady, spoilt) => {
    const error = wrapped(code);
    expect([isConflict(error), isLostConnection(error), isNotReady(error), spoilsConnection(error)]).toEqual([
      conflict,
      lost,
      notReady,
      spoilt,
    ]);
  });

  it.each([
    ['SQLITE_ERROR', 'no such column: t.subject_sealed', 'no such column: t.subject_sealed'],
    ['SQLITE_ERROR', 'table actor has no column named fence', 'no such column: fence'],
    ['SQLITE_ERROR', 'no such table: audit_pending', 'no such table: audit_pending'],
    ['ER_BAD_FIELD_ERROR', "Unknown column 't.subject_sealed' in 'SELECT'", 'no such column: t.subject_sealed'],
    ['ER_NO_SUCH_TABLE', "Table 'cf.audit_pending' doesn't exist", 'no such table: cf.audit_pending'],
    ['SQLITE_ERROR', 'near "SELEC": syntax error', null],
    ['ER_DUP_ENTRY', "Duplicate entry 'ana@example.com' for key 'x'", null],
  ])('%s “%s” says what the schema lacks: %s', (code, message, expected) => {
    expect(schemaFaultOf({ driverError: Object.assign(new Error(message), { code }) })).toBe(expected);
  });
});
