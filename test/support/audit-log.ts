import type { DataSource } from 'typeorm';
import type { EventName } from '../../src/audit/events';
import { parseVerifierKey, type SignerKey } from '../../src/audit/note';
import type { Database } from '../../src/db/database';
import { signersOf } from '../../src/ledger/checkpoints';
import { Sequencer, type SequencerOptions } from '../../src/ledger/sequencer';

export const testOrigin = 'log.example.com/test';
/** 32 bytes that look random enough to be a key. */
export const testKey = Buffer.from('an ed25519 seed, for tests only!').toString('base64');
export const anotherKey = Buffer.from('one more 32 byte key, for tests.').toString('base64');
export const testSigners: readonly SignerKey[] = signersOf(testOrigin, testKey);
export const keysOf = (...texts: readonly string[]) => texts.map(parseVerifierKey);

/** A sequencer whose turns the test takes. */
export const sequencerOf = (database: Database, options: Partial<SequencerOptions> = {}): Sequencer =>
  new Sequencer(database, {
    origin: testOrigin,
    signers: testSigners,
    anchored: false,
    clock: () => new Date(),
    onFault: (error) => {
      throw error;
    },
    ...options,
  });

/** Records one transaction with this many events, which mean nothing and so have no place in the catalogue. */
export const record = (database: Database, count: number, action = 'test'): Promise<void> =>
  database.system('recorder', 'log.time', async (change) => {
    const actor = { id: 'act_test', kind: 'staff', roles: ['AGENT'] };
    for (let index = 0; index < count; index += 1) change.recordFor(actor, action as EventName, { detail: { index } } as never);
  });

/** Whatever somebody with full access to the database may do. */
export const tamper = (database: Database, sql: string, parameters: readonly unknown[] = []): Promise<unknown> =>
  (Reflect.get(database, 'writer') as DataSource).query(sql, [...parameters]);

/** Does something to a table while `work` goes on, and puts back what stood there. */
export const tamperWhile = async (
  database: Database,
  { table, write }: { readonly table: string; readonly write: string },
  work: () => Promise<void>,
): Promise<void> => {
  await tamper(database, `CREATE TABLE set_aside AS SELECT * FROM ${table}`);
  try {
    await tamper(database, write);
    await work();
  } finally {
    await tamper(database, `DELETE FROM ${table}`);
    await tamper(database, `INSERT INTO ${table} SELECT * FROM set_aside`);
    await tamper(database, 'DROP TABLE set_aside');
  }
};

const logTables = [
  'audit_pending',
  'audit_leaf',
  'audit_node',
  'audit_checkpoint',
  'audit_anchor',
  'audit_origin',
  'audit_customer',
  'audit_ticket',
  'audit_note',
  'audit_event',
];

/** Leaves a database without a log, which is quicker than making one. */
export const emptyLog = async (database: Database): Promise<void> => {
  for (const table of logTables) await tamper(database, `DELETE FROM ${table}`);
};
