import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { createPool, type Pool } from 'mysql2/promise';
import { migrations } from '../migrations';
import { type AuditEvent, type EventDraft, finalizeEvent } from '../src/audit/event';
import type { EventFacts } from '../src/audit/events';
import { consistencyPath, Frontier, inclusionPath } from '../src/audit/merkle';
import { Database } from '../src/db/database';
import { parseDatabaseUrl } from '../src/db/location';
import type { Values } from '../src/db/table';
import { entities } from '../src/features/entities';
import { type AuditLeaf, type AuditNode, auditLeaves, auditNodes } from '../src/ledger/audit-tree.entity';
import { SigningLog } from '../src/ledger/signing-log';
import { StoredTree, tileHeight } from '../src/ledger/stored-tree';
import { ulid } from '../src/ulid';
import { median } from './load';
import { newDatabase, PrivateMariaDb } from './support/mariadb';

const usage = `npm run bench:audit -- [options]

Measures the audit log on a private MariaDB that flushes each commit:
  durable events a second by 16 concurrent writers, against plain multi-row INSERTs of the same rows on the same server;
  the lag from an event's commit to the commit of a checkpoint over it;
  the time of proofs among many leaves.

  --rounds N   of each side of the first, of which the median counts (5)
  --seconds N  of each round, and six times that for the lag (4)
  --group N    events of one transaction (32)
  --leaves N   of the tree that is proven from (1000000)
  --json       ends with one line of JSON
  --help`;

const writers = 16;
const origin = 'log.example.com/bench';
const signingKey = { value: randomBytes(32).toString('base64') };
const tables = ['audit_event', 'audit_customer', 'audit_pending'] as const;

/** A disclosure as a ticket's context makes one: some 600 bytes of leaf, one customer. */
const draft = (writer: number, number: number): EventDraft => {
  const id = `01K4ZJ${String(writer).padStart(4, '0')}${String(number).padStart(16, '0')}`;
  return {
    action: 'disclosure',
    outcome: 'ALLOWED',
    actor: { id: `act_01K4ZJ0000000000000000${String(writer).padStart(4, '0')}`, kind: 'staff', roles: ['AGENT'] },
    ticketId: `tkt_${id}`,
    assistanceId: `ast_${id}`,
    customers: [{ id: `cus_${id}`, digest: (salt) => salt.toString('base64url').repeat(2).slice(0, 43) }],
    detail: {
      fields: [
        ['Customer.email', 'mask:email', 1],
        ['PaymentMethod.last4', 'reveal', 2],
      ],
      tickets: [`tkt_${id}`],
      count: 3,
    },
  };
};

/** Shorter than the catalogue's disclosures, so that what is measured stays comparable. */
const append = (database: Database, drafts: readonly EventDraft[]): Promise<void> =>
  database.system('recorder', 'disclosure', async (change) => {
    for (const each of drafts) change.recordFor(each.actor, 'disclosure', each as unknown as EventFacts<'disclosure'>);
  });

const perSecond = async (seconds: number, commit: (writer: number, turn: number) => Promise<number>): Promise<number> => {
  const since = performance.now();
  const until = since + seconds * 1_000;
  const counts = await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      let done = 0;
      for (let turn = 0; performance.now() < until; turn += 1) done += await commit(writer, turn);
      return done;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - since) / 1_000);
};

/** The rows of events as `append-events` stores them, for a table and its columns. */
const rowsOf: Readonly<Record<(typeof tables)[number], (event: AuditEvent) => readonly unknown[]>> = {
  audit_event: ({ id, transactionId, ordinal, at, draft: of, leaf, leafHash }) => [
    id,
    transactionId,
    ordinal,
    at.getTime(),
    of.action,
    of.outcome,
    of.actor.id,
    of.ticketId ?? null,
    of.assistanceId ?? null,
    null,
    null,
    leaf,
    leafHash,
  ],
  audit_customer: ({ id, draft: of }) => [id, of.customers?.[0]?.id],
  audit_pending: ({ id, transactionId, ordinal }) => [id, transactionId, ordinal],
};
const columnsOf: Readonly<Record<(typeof tables)[number], string>> = {
  audit_event:
    'id,transaction_id,ordinal,at,action,outcome,actor_id,ticket_id,assistance_id,subject_type,subject_id,leaf,leaf_hash',
  audit_customer: 'event_id,customer_id',
  audit_pending: 'event_id,transaction_id,ordinal',
};

const finalized = (writer: number, turn: number, group: number): AuditEvent[] => {
  const at = new Date();
  const transaction = `atx_${ulid(at.getTime())}`;
  return Array.from({ length: group }, (_, index) => finalizeEvent(draft(writer, turn * group + index), transaction, index, at));
};

/** One transaction of multi-row INSERTs into copies of the tables, with rows that were made before. */
const insertPlainly = async (pool: Pool, events: readonly AuditEvent[]): Promise<number> => {
  const connection = await pool.getConnection();
  try {
    await connection.beginTransaction();
    for (const table of tables)
      await connection.query(`INSERT INTO plain_${table} (${columnsOf[table]}) VALUES ?`, [events.map(rowsOf[table])]);
    await connection.commit();
  } finally {
    connection.release();
  }
  return events.length;
};

const open = (url: string): Promise<Database> =>
  Database.open(parseDatabaseUrl(url), { entities, migrations, poolSize: writers + 4 });

const openLog = (database: Database, onCheckpoint: (size: number) => void): Promise<SigningLog> =>
  SigningLog.open(database, {
    origin,
    signingKey,
    anchors: [],
    clock: () => new Date(),
    onFault: (error) => {
      throw error;
    },
    onCheckpoint: ({ size }) => onCheckpoint(size),
  });

const throughput = async (server: string, rounds: number, seconds: number, group: number) => {
  const { url, drop } = await newDatabase(server);
  const database = await open(url);
  const pool = createPool({ uri: url, connectionLimit: writers, charset: 'utf8mb4' });
  for (const table of tables) await pool.query(`CREATE TABLE plain_${table} LIKE ${table}`);
  const measured = { log: [] as number[], plain: [] as number[], sequenced: [] as number[] };
  const appendOne = async (writer: number, turn: number): Promise<number> => {
    await append(
      database,
      Array.from({ length: group }, (_, index) => draft(writer, turn * group + index)),
    );
    return group;
  };
  // Made before: what is compared is what it costs that they are made, and stored as the log stores them.
  const ready = Array.from({ length: writers }, (_, writer) =>
    Array.from({ length: 64 }, (__, turn) => finalized(writer, turn, group)),
  );
  const again = (events: readonly AuditEvent[]): AuditEvent[] => {
    const transactionId = `atx_${ulid()}`;
    return events.map((event) => ({ ...event, id: `evt_${ulid()}`, transactionId }));
  };
  const plain = (writer: number, turn: number) => insertPlainly(pool, again(ready[writer]?.[turn % 64] as AuditEvent[]));
  const sides: readonly [keyof typeof measured, () => Promise<number>][] = [
    ['log', () => perSecond(seconds, appendOne)],
    ['plain', () => perSecond(seconds, plain)],
    [
      'sequenced',
      async () => {
        const log = await openLog(database, () => {});
        log.start();
        const rate = await perSecond(seconds, appendOne);
        await log.stop();
        return rate;
      },
    ],
  ];
  // The first round warms up; then each side comes first, second and last in turn.
  for (let round = -1; round < rounds; round += 1) {
    for (let place = 0; place < sides.length; place += 1) {
      const [name, measure] = sides[(round + 1 + place) % sides.length] as (typeof sides)[number];
      const rate = await measure();
      if (round >= 0) measured[name].push(rate);
      for (const table of [...tables, 'audit_leaf', 'audit_node', 'audit_checkpoint', 'audit_origin'])
        await pool.query(`TRUNCATE TABLE ${table}`);
      for (const table of tables) await pool.query(`TRUNCATE TABLE plain_${table}`);
    }
  }
  await pool.end();
  await database.close();
  await drop();
  return { log: median(measured.log), plain: median(measured.plain), sequenced: median(measured.sequenced) };
};

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

/** Milliseconds from the commit of an event to that of the first checkpoint over it, at a steady hundred transactions a second. */
const lag = async (server: string, seconds: number) => {
  const { url, drop } = await newDatabase(server);
  const database = await open(url);
  const heads: { size: number; at: number }[] = [];
  const log = await openLog(database, (size) => heads.push({ size, at: performance.now() }));
  log.start();
  const committed: { customer: string; at: number }[] = [];
  const until = performance.now() + seconds * 6_000;
  for (let turn = 0; performance.now() < until; turn += 1) {
    const began = performance.now();
    const of = draft(0, turn);
    await append(database, [of]);
    committed.push({ customer: of.customers?.[0]?.id ?? '', at: performance.now() });
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 10 - (performance.now() - began))));
  }
  await log.stop();
  await log.sequencer.turn();
  const rows = await database.query<{ customer_id: string; leaf_index: number }>(
    'SELECT c.customer_id, l.leaf_index FROM audit_customer c JOIN audit_leaf l ON l.event_id = c.event_id',
  );
  const places = new Map(rows.map((row) => [row.customer_id, Number(row.leaf_index)]));
  const lags = committed
    .map(({ customer, at }) => {
      const place = places.get(customer) ?? Number.POSITIVE_INFINITY;
      return (heads.find(({ size }) => size > place)?.at ?? Number.POSITIVE_INFINITY) - at;
    })
    .sort((a, b) => a - b);
  await database.close();
  await drop();
  return { events: lags.length, median: percentile(lags, 0.5), p99: percentile(lags, 0.99), longest: lags.at(-1) ?? 0 };
};

const proofs = async (server: string, leaves: number) => {
  const { url, drop } = await newDatabase(server);
  const database = await open(url);
  const frontier = new Frontier();
  let [leafRows, nodeRows] = [[] as Values<AuditLeaf>[], [] as Values<AuditNode>[]];
  const flush = async () => {
    const [ready, nodes] = [leafRows, nodeRows];
    [leafRows, nodeRows] = [[], []];
    await database.sequence(async ({ insert }) => {
      await insert(auditLeaves, ready);
      await insert(auditNodes, nodes);
    });
  };
  for (let index = 0; index < leaves; index += 1) {
    const hash = randomBytes(32);
    leafRows.push({ leafIndex: index, eventId: `evt_${String(index).padStart(26, '0')}`, leafHash: hash.toString('hex') });
    frontier.append(hash, (level, node, root) => {
      if (level > 0 && level % tileHeight === 0) nodeRows.push({ level, nodeIndex: node, hash: root.toString('hex') });
    });
    if (leafRows.length === 10_000) await flush();
  }
  await flush();
  const time = async (count: number, prove: () => Promise<unknown>) => {
    const times: number[] = [];
    for (let turn = 0; turn < count; turn += 1) {
      const since = performance.now();
      await prove();
      times.push(performance.now() - since);
    }
    times.sort((a, b) => a - b);
    return { median: percentile(times, 0.5), p99: percentile(times, 0.99) };
  };
  const random = () => 1 + Math.floor(Math.random() * (leaves - 1));
  const inclusion = await time(1_000, () => inclusionPath(leaves, random(), new StoredTree(database).nodeAt));
  const consistency = await time(1_000, () => consistencyPath(random(), leaves, new StoredTree(database).nodeAt));
  await database.close();
  await drop();
  return { inclusion, consistency };
};

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '4' },
      group: { type: 'string', default: '32' },
      leaves: { type: 'string', default: '1000000' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return say(usage);
  const [rounds, seconds, group, leaves] = [values.rounds, values.seconds, values.group, values.leaves].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  if (![rounds, group, leaves].every((value) => Number.isSafeInteger(value) && value > 0) || !(seconds > 0))
    throw new Error('--rounds, --seconds, --group and --leaves: expected numbers above 0');
  const server = await PrivateMariaDb.start(['--innodb-buffer-pool-size=512M']);
  try {
    const bytes = finalizeEvent(draft(1, 1), `atx_${ulid()}`, 0, new Date()).leaf.length;
    const rates = await throughput(server.serverUrl, rounds, seconds, group);
    say(
      `${writers} writers, ${group} events a transaction, leaves of ${bytes} bytes, median of ${rounds} rounds of ${seconds} s, events a second:`,
    );
    say(`  plain multi-row INSERTs of the same rows   ${number.format(rates.plain)}`);
    say(
      `  the log                                    ${number.format(rates.log)}   ${(rates.log / rates.plain).toFixed(2)} of it`,
    );
    say(
      `  the log while it is sequenced and signed   ${number.format(rates.sequenced)}   ${(rates.sequenced / rates.plain).toFixed(2)} of it`,
    );
    const lags = await lag(server.serverUrl, seconds);
    say(
      `From commit to checkpoint, ${lags.events} events: median ${number.format(lags.median)} ms, p99 ${number.format(lags.p99)} ms, longest ${number.format(lags.longest)} ms`,
    );
    const proven = await proofs(server.serverUrl, leaves);
    say(
      `Proofs among ${number.format(leaves)} leaves: inclusion median ${number.format(proven.inclusion.median)} ms, p99 ${number.format(proven.inclusion.p99)} ms; consistency median ${number.format(proven.consistency.median)} ms, p99 ${number.format(proven.consistency.p99)} ms`,
    );
    if (values.json) say(JSON.stringify({ bytes, ...rates, ratio: rates.log / rates.plain, lag: lags, proofs: proven }));
  } finally {
    await server.stop();
  }
};

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
