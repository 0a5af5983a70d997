import { type Config, loadAuditConfig, loadConfig } from '../config/load';
import type { Reads } from '../db/reads';
import { hashIn, operationHash } from '../features/operations/operation-hash';
import { listOperations, textOfOperation } from '../features/operations/operations.rows';
import type { Operations, Registration, Retirement } from '../features/operations/operations.service';
import { readAuditDatabase } from './audit-database';
import { ownerOf, runBeside } from './command-client';
import { type CommandRequest, longestRequest } from './command-protocol';
import { documentsIn, printable } from './operations-manifest';
import { CommandFailed } from './report';

export interface ListFlags {
  readonly all?: boolean;
  readonly json?: boolean;
}

const slices = () =>
  require('../features/operations/operations.slice') as typeof import('../features/operations/operations.slice');
const storages = () => require('./own-storage') as typeof import('./own-storage');

/** Nothing goes to files. */
const noOutputs = { write: async () => {}, progress: process.stderr };
const actor = { id: 'system:command-line', kind: 'system', roles: [] } as const;

/** By the gateway that owns the embedded database, otherwise by itself. */
const recorded = async <T>(request: CommandRequest, here: (operations: Operations) => Promise<T>): Promise<T> => {
  const config: Config = loadConfig();
  const owner = ownerOf(config.database);
  if (!owner) return storages().withOwnStorage(config, (storage) => here(slices().createOperations(storage, config)));
  if (Buffer.byteLength(JSON.stringify(request)) >= longestRequest)
    throw new CommandFailed(
      `A running gateway takes ${longestRequest / 1_024 / 1_024} MiB of documents at once. Register these files by fewer at a time.`,
    );
  return (await runBeside(owner, request, noOutputs)) as T;
};

const hashesOf = (given: readonly string[]): readonly string[] =>
  given.map((each) => {
    const hash = hashIn(each);
    if (hash === null)
      throw new CommandFailed(
        `Expected hashes as "counterfoil operations list" prints them, found ${printable(each).slice(0, 80)}.`,
      );
    return hash;
  });

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const counted = (count: number): string => `${count} ${count === 1 ? 'operation' : 'operations'}`;

/** `counterfoil operations register`. */
export const register = async (files: readonly string[], { json }: { readonly json?: boolean }): Promise<void> => {
  const documents = documentsIn(files);
  const { registered, unchanged, problems } = await recorded<Registration>(
    { command: 'operations register', documents: [...documents], isTerminal: process.stderr.isTTY === true },
    (operations) => operations.register(actor, documents),
  );
  if (problems.length > 0)
    throw new CommandFailed(
      `Nothing was registered; ${problems.length === 1 ? 'a document isn’t' : `${problems.length} documents aren’t`} as needed:\n${problems.map((each) => `  ${printable(each)}`).join('\n')}`,
    );
  if (json) return print(JSON.stringify({ registered, unchanged }));
  const from = new Map(documents.map((each) => [operationHash(each.text), each.from]));
  for (const id of registered) print(`${id}  ${from.get(id) ?? ''}`);
  print(`Registered ${counted(registered.length)}; ${unchanged.length} were registered already.`);
};

/** `counterfoil operations retire`. */
export const retire = async (given: readonly string[], { json }: { readonly json?: boolean }): Promise<void> => {
  const ids = hashesOf(given);
  const { retired, unchanged, unknown } = await recorded<Retirement>(
    { command: 'operations retire', ids: [...ids], isTerminal: process.stderr.isTTY === true },
    (operations) => operations.retire(actor, ids),
  );
  if (unknown.length > 0) throw new CommandFailed(`Nothing was retired; these were never registered:\n  ${unknown.join('\n  ')}`);
  if (json) return print(JSON.stringify({ retired, unchanged }));
  print(`Retired ${counted(retired.length)}; ${unchanged.length} were retired already.`);
};

const reading = async <T>(read: (reads: Reads) => Promise<T>): Promise<T> => {
  const database = await readAuditDatabase(loadAuditConfig({ signs: false }));
  try {
    return await read(database);
  } finally {
    await database.close();
  }
};

/** `counterfoil operations list`. */
export const list = async ({ all, json }: ListFlags): Promise<void> => {
  const rows = (await reading(listOperations)).filter(({ retiredAt }) => all || retiredAt === null);
  if (json) return print(JSON.stringify(rows));
  for (const { id, operations, registeredAt, retiredAt } of rows)
    print(
      `${id}  ${registeredAt.toISOString()}  ${printable(operations.join(', '))}${retiredAt ? `  (retired ${retiredAt.toISOString()})` : ''}`,
    );
  const inForce = rows.filter(({ retiredAt }) => retiredAt === null).length;
  print(`${counted(inForce)} registered${all ? `, ${rows.length - inForce} retired` : ''}.`);
};

/** `counterfoil operations show`. */
export const show = async (given: string): Promise<void> => {
  const [id = ''] = hashesOf([given]);
  const text = await reading((reads) => textOfOperation(reads, id));
  if (text === null) throw new CommandFailed('Nothing was ever registered under this hash.');
  process.stdout.write(text);
};
