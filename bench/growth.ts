import 'reflect-metadata';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { CounterReader } from './counters';
import { type DatabaseServer, measure, warmUp } from './measurement';
import { Agents, load, openIssuer, openTickets, say, whole } from './preparation';
import { type Started, startContender, stopContender } from './processes';
import { type QueryName, queryNames } from './queries';
import { middle, type Outcome } from './results';
import { merchantOf, type Settings, writeSettings } from './settings';
import { newDatabase, newUser, PrivateMariaDb } from './support/mariadb';

const usage = `npm run bench:growth -- [options]

Measures the gateway on databases that differ in how many transactions they hold, side by side on one MariaDB.

  --millions A,B    sizes in millions of transactions (0.2,2); 0.2,2,10 takes a quarter of an hour and 12 GB of memory
  --rounds N        rounds, each with every size and query (5)
  --seconds N       of each measurement (3)
  --customers N     customers who are asked for, in steps of 100 (2000)
  --json            ends with one line of JSON: {"growth":{"context":{"0.2":1,"2":…},"queue":{…}}}
  --help`;

const idleSeconds = 1;
/** Rows that one statement adds. */
const rowsAtOnce = 200_000;
/** What a row takes with its indexes, and some room. */
const bytesPerTransaction = 1_200;

/** Copies every table of a database into an empty one of the same server: sealed values open where their row has the same id. */
const copyTables = async (connection: Connection, from: string, to: string): Promise<void> => {
  const [tables] = await connection.query<RowDataPacket[]>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ? AND table_type = 'BASE TABLE'",
    [from],
  );
  for (const { name } of tables) {
    await connection.query(`CREATE TABLE ${to}.${name} LIKE ${from}.${name}`);
    await connection.query(`INSERT INTO ${to}.${name} SELECT * FROM ${from}.${name}`);
  }
};

/**
 * Adds transactions until there are `size`: copies of those that are there, each at a time of its own within two years before and under
 * an id that says nothing of when it was made. Every other one is of a customer who is asked for, so that lists grow, and the rest of
 * others, forty each.
 */
const growTransactions = async (connection: Connection, database: string, size: number): Promise<void> => {
  const table = 'payment_transaction';
  // A series of numbers is a table of whatever database is in use.
  await connection.query(`USE ${database}`);
  const [[counted]] = await connection.query<RowDataPacket[]>(`SELECT COUNT(*) AS n FROM ${table}`);
  const held = Number(counted?.n);
  const [columns] = await connection.query<RowDataPacket[]>(
    "SELECT column_name AS name FROM information_schema.columns WHERE table_schema = ? AND table_name = 'payment_transaction' ORDER BY ordinal_position",
    [database],
  );
  const made: Readonly<Record<string, string>> = {
    id: "CONCAT('txn_', LEFT(UPPER(SHA1(CONCAT('transaction', s.seq))), 26))",
    reference: "CONCAT('grown-', s.seq)",
    payment_customer_id:
      "IF(s.seq % 2 = 0, t.payment_customer_id, CONCAT('pcu_', LEFT(UPPER(SHA1(CONCAT('customer', s.seq DIV 80))), 26)))",
    created_at: 't.created_at - CRC32(s.seq) % 63072000 * 1000',
  };
  const names = columns.map(({ name }) => String(name));
  await connection.query(
    'CREATE TEMPORARY TABLE template (place INT PRIMARY KEY, id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL)',
  );
  await connection.query(`INSERT INTO template SELECT ROW_NUMBER() OVER (ORDER BY id) - 1, id FROM ${table}`);
  for (let first = held + 1; first <= size; first += rowsAtOnce) {
    const last = Math.min(first + rowsAtOnce - 1, size);
    await connection.query(
      `INSERT INTO ${table} (${names.join(', ')}) SELECT ${names.map((name) => made[name] ?? `t.${name}`).join(', ')}
       FROM seq_${first}_to_${last} s JOIN template p ON p.place = s.seq % ${held} JOIN ${table} t ON t.id = p.id`,
    );
    say(`  ${database}: ${last} transactions`);
  }
  await connection.query('DROP TEMPORARY TABLE template');
  await connection.query(`ANALYZE TABLE ${table}`);
};

interface Grown {
  readonly millions: string;
  readonly started: Started;
  readonly outcomes: Readonly<Record<QueryName, Outcome[]>>;
}

const sizesOf = (text: string): readonly string[] => {
  const sizes = text.split(',').map((each) => each.trim());
  if (sizes.length < 2 || sizes.some((each) => !(Number(each) >= 0.1)))
    throw new Error('--millions: expected two or more numbers of at least 0.1');
  return sizes.sort((one, other) => Number(one) - Number(other));
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      millions: { type: 'string', default: '0.2,2' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      customers: { type: 'string', default: '2000' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(usage);
  const sizes = sizesOf(values.millions);
  const rounds = whole(values.rounds, 'rounds', 1);
  const seconds = whole(values.seconds, 'seconds', 1);
  const customers = whole(values.customers, 'customers', 1_000);
  const rows = sizes.reduce((sum, millions) => sum + Number(millions) * 1e6, 0);
  const bufferPool = Math.ceil((rows * bytesPerTransaction) / 2 ** 30) + 1;

  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-growth-'));
  const closing: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    const mariadb = await PrivateMariaDb.start([
      `--innodb-buffer-pool-size=${bufferPool}G`,
      '--innodb-log-file-size=1G',
      '--userstat=1',
    ]);
    closing.push(() => mariadb.stop());
    const connection = await createConnection(mariadb.serverUrl);
    closing.push(() => connection.end());
    const counters = await CounterReader.open(mariadb.serverUrl);
    closing.push(() => counters.close());
    const issuer = await openIssuer();
    closing.push(issuer.close);
    const base = await newDatabase(mariadb.serverUrl);
    const settings: Settings = { databaseUrl: base.url, folder: join(folder, 'base'), customers, anchor: Date.now() };
    writeSettings(settings, issuer.jwksUri);
    const merchant = merchantOf(settings);
    const loaded = await load(settings, merchant);
    const agents = new Agents(merchant, issuer, loaded.staffIds);
    const opening = await startContender('counterfoil', settings);
    try {
      await openTickets(opening.port, await agents.current());
    } finally {
      await stopContender(opening);
    }

    const grown: Grown[] = [];
    for (const millions of sizes) {
      say(`growing to ${millions} million transactions`);
      const { url, name } = await newDatabase(mariadb.serverUrl);
      await copyTables(connection, base.name, name);
      await growTransactions(connection, name, Number(millions) * 1e6);
      const own = { ...settings, databaseUrl: await newUser(url, name), folder: join(folder, name) };
      cpSync(settings.folder, own.folder, { recursive: true });
      writeSettings(own, issuer.jwksUri);
      const started = await startContender('counterfoil', own);
      closing.push(() => stopContender(started));
      grown.push({ millions, started, outcomes: { context: [], queue: [] } });
    }

    say('warming up');
    for (const query of queryNames) for (const { started } of grown) await warmUp(started, query, agents);
    const idle = await counters.idle(
      grown.map(({ started }) => started.user),
      idleSeconds,
    );
    const database: DatabaseServer = { processId: mariadb.processId, counters, idle };
    const given = { agents, database };
    for (let round = 0; round < rounds; round += 1) {
      const turned = round % 2 === 0 ? grown : [...grown].reverse();
      for (const query of queryNames) {
        for (const { started, outcomes } of turned) outcomes[query].push(await measure(started, query, { ...given, seconds }));
        const rates = grown.map(({ millions, outcomes }) => `${millions} M ${outcomes[query].at(-1)?.perSecond.toFixed(0)}/s`);
        say(`round ${round + 1} ${query}: ${rates.join(', ')}`);
      }
    }

    console.log(`
${availableParallelism()} cores shared by MariaDB, gateways and load generator; Node ${process.version}; ${loaded.database}, buffer pool of ${bufferPool} GiB
${customers} customers who are asked for have half of the transactions; ${rounds} rounds of ${seconds} s, interleaved; medians
`);
    const growth: Record<string, Record<string, number>> = {};
    for (const query of queryNames) {
      const rate = ({ outcomes }: Grown) => middle(outcomes[query], ({ perSecond }) => perSecond);
      const smallest = rate(grown[0] as Grown);
      growth[query] = Object.fromEntries(grown.map((each) => [each.millions, Number((rate(each) / smallest).toFixed(3))]));
      for (const each of grown) {
        const of = (pick: (outcome: Outcome) => number, digits = 2) => middle(each.outcomes[query], pick).toFixed(digits);
        const cells = [
          `${each.millions} M`.padStart(8),
          `${rate(each).toFixed(0)}/s`.padStart(9),
          `p99 ${of(({ p99 }) => p99, 1)} ms`.padStart(16),
          `server ${of(({ serverTime }) => serverTime)} ms`.padStart(18),
          `db ${of(({ databaseTime }) => databaseTime)} ms`.padStart(14),
          `read ${of(({ counted }) => (counted?.bytesRead ?? Number.NaN) / 1_000, 1)} kB`.padStart(16),
        ];
        console.log(`${query.padEnd(9)}${cells.join('')}${(rate(each) / smallest).toFixed(2).padStart(8)} of the smallest`);
      }
    }
    if (values.json) console.log(`\n${JSON.stringify({ growth })}`);
  } finally {
    for (const close of closing.reverse()) await close();
  }
};

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
