import 'reflect-metadata';
import { type ChildProcess, fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { migrations } from '../migrations';
import { openCheckpoint } from '../src/audit/checkpoint';
import type { EventName } from '../src/audit/events';
import { consistencyPath, Frontier, leafHash, verifyConsistency } from '../src/audit/merkle';
import { verifierKeyOf } from '../src/audit/note';
import { Database } from '../src/db/database';
import { parseDatabaseUrl } from '../src/db/location';
import { entities } from '../src/features/entities';
import { Checkpoints, signersOf } from '../src/ledger/checkpoints';
import { scrub } from '../src/ledger/scrub';
import { SigningLog } from '../src/ledger/signing-log';
import { StoredTree } from '../src/ledger/stored-tree';
import { newDatabase, PrivateMariaDb } from './support/mariadb';

const usage = `npm run test:crash:audit -- [options]

Three writers and two sequencers as processes on one MariaDB, each killed with SIGKILL at random and started again. Then: every
acknowledged event is in the tree exactly once, whole transactions in their order, and all checkpoints continue one another.

  --seconds N      of killing (120)
  --seed N         of when and whom (the time)
  --server URL     a MariaDB whose user may create databases (a private one)
  --help

Ends with one line of JSON and 0, or 1 where something doesn't hold.`;

const origin = 'log.example.com/crash';
const seed32 = Buffer.from('a seed of a key that signs this.').toString('base64');
const parts = { entities, migrations, poolSize: 4 };

/** What a process says when it is at work. */
const ready = 'ready';

/** Writers say what was acknowledged: their own name and number of a transaction, and how many events it has. */
interface Acknowledged {
  readonly writer: string;
  readonly transaction: number;
  readonly count: number;
}

/** xorshift32: the same kills in the same order for the same seed; when exactly they hit is the machine's. */
const randomOf = (seed: number) => {
  let state = (seed % 0xffff_ffff) + 1;
  return (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
};

const write = async (url: string, writer: string): Promise<void> => {
  const database = await Database.open(parseDatabaseUrl(url), parts, { migrate: false });
  process.send?.(ready);
  for (let transaction = 0; ; transaction += 1) {
    const count = 1 + ((transaction * 7) % 20);
    await database.system('recorder', 'log.time', async (change) => {
      const actor = { id: `act_${writer}`, kind: 'staff', roles: [] };
      for (let number = 0; number < count; number += 1)
        // Not of the catalogue: only this measurement can say what was acknowledged.
        change.recordFor(actor, 'crash.write' as EventName, { detail: { writer, transaction, number, count } } as never);
    });
    process.send?.({ writer, transaction, count } satisfies Acknowledged);
  }
};

const openLog = (database: Database, onFault: (error: unknown) => void): Promise<SigningLog> =>
  SigningLog.open(database, { origin, signingKey: { value: seed32 }, anchors: [], clock: () => new Date(), onFault });

const sequence = async (url: string): Promise<void> => {
  const database = await Database.open(parseDatabaseUrl(url), parts, { migrate: false });
  const log = await openLog(database, (error) => {
    // Whatever a killed twin left behind must not be taken for another history.
    process.stderr.write(`${String((error as Error).stack ?? error)}\n`);
    process.exit(3);
  });
  log.start();
  process.send?.(ready);
  setInterval(() => {}, 60_000);
};

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

interface Outcome {
  readonly kills: number;
  readonly acks: readonly Acknowledged[];
  /** What went wrong while it ran. */
  readonly problems: string[];
}

const killAround = async (url: string, seconds: number, seed: number): Promise<Outcome> => {
  const random = randomOf(seed);
  const acks: Acknowledged[] = [];
  const problems: string[] = [];
  let [kills, names, running] = [0, 0, true];

  /** One life of a process, to its violent end. */
  const live = async (role: string, early: boolean, onWork: () => void): Promise<void> => {
    names += 1;
    const child: ChildProcess = fork(__filename, ['--role', role, '--url', url, '--writer', `w${names}`]);
    const ended = new Promise<void>((resolve) => {
      child.once('exit', (code) => {
        if (code !== null) problems.push(`a ${role} ended by itself with ${code}`);
        resolve();
      });
    });
    const atWork = new Promise<void>((resolve) => {
      child.on('message', (message) => {
        if (message === ready) resolve();
        else acks.push(message as Acknowledged);
      });
    });
    await Promise.race([ended, early ? pause(random() * 1_500) : atWork]);
    onWork();
    await Promise.race([ended, pause(early ? 0 : 20 + random() * 2_500)]);
    kills += 1;
    child.kill('SIGKILL');
    await ended;
  };

  /** Lives of one place, one after the other. `began` is called once it is at work for the first time. */
  const repeat = async (role: string, began: () => void): Promise<void> => {
    // Now and then one is killed while it starts; the others live for up to a few turns.
    for (let lives = 0; running; lives += 1) await live(role, lives > 0 && random() < 0.15, began);
  };

  const slots: Promise<void>[] = [];
  await Promise.all(
    ['writer', 'writer', 'writer', 'sequencer', 'sequencer'].map(
      (role) => new Promise<void>((resolve) => slots.push(repeat(role, resolve))),
    ),
  );
  await pause(seconds * 1_000);
  running = false;
  await Promise.all(slots);
  return { kills, problems, acks };
};

interface PlacedRow extends Record<string, unknown> {
  readonly leaf: Buffer;
  readonly transaction_id: string;
  readonly ordinal: number;
}

/** What doesn't hold of the tree that is left; empty where all does. */
const examine = async (database: Database, acks: readonly Acknowledged[]): Promise<string[]> => {
  const problems: string[] = [];
  const rows = await database.query<PlacedRow>(
    'SELECT e.leaf, e.transaction_id, e.ordinal FROM audit_leaf l JOIN audit_event e ON e.id = l.event_id ORDER BY l.leaf_index',
  );
  const frontier = new Frontier();
  const roots = new Map<number, string>();
  const seen = new Map<string, number[]>();
  const closed = new Set<string>();
  let current = '';
  for (const { leaf, transaction_id: transaction, ordinal } of rows) {
    frontier.append(leafHash(leaf));
    roots.set(frontier.size, frontier.root().toString('hex'));
    if (transaction !== current) {
      if (closed.has(transaction)) problems.push(`transaction ${transaction} is in two places`);
      closed.add(current);
      current = transaction;
      if (Number(ordinal) !== 0) problems.push(`transaction ${transaction} begins with ${ordinal}`);
    }
    const { action, detail } = JSON.parse(leaf.toString('utf8')) as { action: string; detail: Record<string, number | string> };
    if (action !== 'crash.write') continue;
    const key = `${detail.writer} ${detail.transaction}`;
    seen.set(key, [...(seen.get(key) ?? []), Number(detail.number)]);
  }
  for (const { writer, transaction, count } of acks) {
    const numbers = seen.get(`${writer} ${transaction}`) ?? [];
    if (numbers.length !== count || numbers.some((number, index) => number !== index))
      problems.push(`acknowledged transaction ${transaction} of ${writer} has ${numbers.length} of its ${count} events in order`);
  }
  const [stored] = await database.query<{ n: number }>('SELECT COUNT(*) AS n FROM audit_event');
  if (Number(stored?.n) !== rows.length) problems.push(`${stored?.n} events are stored and ${rows.length} have a place`);
  const signers = signersOf(origin, seed32);
  const notes = await database.query<{ note: Buffer }>('SELECT note FROM audit_checkpoint ORDER BY tree_size');
  const heads = notes.map(({ note }) => openCheckpoint(note, signers.map(verifierKeyOf)));
  for (const { size, root } of heads)
    if (roots.get(size) !== root.toString('hex')) problems.push(`the checkpoint of size ${size} is of another tree`);
  const tree = new StoredTree(database);
  for (const [index, older] of heads.entries())
    for (const newer of heads.slice(index)) {
      const path = await consistencyPath(older.size, newer.size, tree.nodeAt);
      if (!verifyConsistency(older.size, newer.size, older.root, newer.root, path))
        problems.push(`the checkpoint of size ${newer.size} doesn't continue that of ${older.size}`);
    }
  const { findings } = await scrub(database, () => signers.map(verifierKeyOf));
  return [...problems, ...findings.map(({ message }) => message)];
};

const run = async (server: string, seconds: number, seed: number): Promise<void> => {
  const { url, drop } = await newDatabase(server);
  const migrated = await Database.open(parseDatabaseUrl(url), parts);
  try {
    // The name and the keys stand before anybody signs: five processes that start at once find them.
    await openLog(migrated, () => {});
    const { kills, problems, acks } = await killAround(url, seconds, seed);
    const last = await openLog(migrated, (error) => void problems.push(String(error)));
    await last.sequencer.turn();
    const latest = await new Checkpoints(migrated, origin).latest();
    const checkpoints = await migrated.query('SELECT tree_size FROM audit_checkpoint');
    const all = [...problems, ...(await examine(migrated, acks))];
    const result = {
      ok: all.length === 0 && acks.length > 0 && kills > 0,
      seed,
      kills,
      acknowledged: acks.length,
      events: acks.reduce((sum, { count }) => sum + count, 0),
      leaves: latest?.size ?? 0,
      checkpoints: checkpoints.length,
      problems: all.slice(0, 20),
    };
    process.stdout.write(`${JSON.stringify(result)}\n`);
    process.exitCode = result.ok ? 0 : 1;
  } finally {
    await migrated.close();
    await drop();
  }
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '120' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      server: { type: 'string' },
      role: { type: 'string' },
      url: { type: 'string', default: '' },
      writer: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return;
  }
  if (values.role === 'writer') return write(values.url, values.writer);
  if (values.role === 'sequencer') return sequence(values.url);
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
  if (!(seconds > 0) || !Number.isSafeInteger(seed)) throw new Error('--seconds and --seed: expected numbers');
  if (values.server !== undefined) return run(values.server, seconds, seed);
  const server = await PrivateMariaDb.start();
  try {
    await run(server.serverUrl, seconds, seed);
  } finally {
    await server.stop();
  }
};

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
