import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { migrations } from '../migrations';
import type { EventFacts } from '../src/audit/events';
import { verifierKeyOf } from '../src/audit/note';
import { Database } from '../src/db/database';
import { type DatabaseLocation, parseDatabaseUrl } from '../src/db/location';
import { entities } from '../src/features/entities';
import { Keys } from '../src/features/keys/keys.service';
import { subjects } from '../src/features/subjects';
import { signersOf } from '../src/ledger/checkpoints';
import { scrub } from '../src/ledger/scrub';
import { ScrubRounds } from '../src/ledger/scrub-rounds';
import { Sequencer } from '../src/ledger/sequencer';
import { SideRows } from '../src/ledger/side-rows';
import { keyEncryptionFromEnvironment } from '../src/privacy/key-encryption';
import { newDatabase, PrivateMariaDb } from './support/mariadb';

const usage = `npm run bench:scrub -- [options]

Measures what it costs to hold a stored log and its rows against what was signed: at once, as "counterfoil doctor" does, and in
the small steps of a running gateway, of which the longest keeps others waiting.

  --leaves N      of the log: disclosures of one customer and three tickets each, every tenth with a text (100000)
  --customers N   among whom they are (5000)
  --mariadb       on a private MariaDB in place of the embedded database
  --json          ends with one line of JSON
  --help`;

const origin = 'log.example.com/bench';
const signers = signersOf(origin, randomBytes(32).toString('base64'));
const eventsPerTransaction = 250;

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const megabytes = (bytes: number): number => Math.round(bytes / 1_048_576);

/** Leaves with the rows beside them, as a gateway records them. */
const fill = async (database: Database, keys: Keys, leaves: number, customers: number): Promise<void> => {
  const sequencer = new Sequencer(database, {
    origin,
    signers,
    anchored: false,
    clock: () => new Date(),
    onFault: (error) => {
      throw error;
    },
  });
  await sequencer.open();
  for (let done = 0; done < leaves; done += eventsPerTransaction) {
    await database.system('recorder', 'disclosure', async (change) => {
      const numbers = Array.from({ length: eventsPerTransaction }, (_, index) => done + index);
      const owners = numbers.map((number) => `cus_${String(number % customers).padStart(26, '0')}`);
      const known = await keys.forOwners(change, owners);
      numbers.forEach((number, index) => {
        const owner = owners[index] as string;
        const key = known.get(owner);
        if (!key) throw new Error('no key');
        const facts = {
          customers: [keys.underDigest(owner, { keyId: key.id, keyWrapped: key.wrapped, keyOwner: owner })],
          notes: number % 10 === 0 ? [keys.note('reason', key, `The reason of event ${number}, as somebody wrote it down`)] : [],
          detail: {
            operation: null,
            plan: 'p'.repeat(43),
            policy: 'p'.repeat(43),
            fields: [
              ['Customer.email', 'mask:email', 1],
              ['PaymentMethod.last4', 'reveal', 2],
            ],
            tickets: [1, 2, 3].map((each) => `tkt_${String(number + each).padStart(26, '0')}`),
            assistances: [],
            objects: {},
            count: 3,
          },
        };
        change.recordFor(
          { id: 'act_bench', kind: 'staff', roles: ['AGENT'] },
          'disclosure',
          facts as unknown as EventFacts<'disclosure'>,
        );
      });
    });
  }
  await sequencer.turn();
};

const withPlace = async <T>(isServer: boolean, work: (location: DatabaseLocation) => Promise<T>): Promise<T> => {
  if (isServer) {
    const server = await PrivateMariaDb.start(['--innodb-buffer-pool-size=512M']);
    try {
      return await work(parseDatabaseUrl((await newDatabase(server.serverUrl)).url));
    } finally {
      await server.stop();
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-bench-'));
  try {
    return await work({ engine: 'sqlite', file: join(folder, 'bench.sqlite') });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const processorSeconds = (since: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000_000;
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      leaves: { type: 'string', default: '100000' },
      customers: { type: 'string', default: '5000' },
      mariadb: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return say(usage);
  const [leaves, customers] = [values.leaves, values.customers].map(Number) as [number, number];
  if (![leaves, customers].every((value) => Number.isSafeInteger(value) && value > 0))
    throw new Error('--leaves and --customers: expected numbers above 0');
  await withPlace(values.mariadb, async (location) => {
    let statements = 0;
    const database = await Database.open(
      location,
      { entities, migrations, poolSize: 4 },
      {
        onStatement: () => {
          statements += 1;
        },
      },
    );
    try {
      const keys = await Keys.open(database, keyEncryptionFromEnvironment(randomBytes(32).toString('base64')));
      await fill(database, keys, leaves, customers);
      const outside = (name: string) => (name === origin ? signers.map(verifierKeyOf) : []);
      const rows = () => new SideRows(database, keys.stored(database));

      global.gc?.();
      statements = 0;
      let [cpu, began] = [process.cpuUsage(), performance.now()];
      let heap = process.memoryUsage().heapUsed;
      const before = heap;
      const report = await scrub(database, outside, {
        rows: rows(),
        ...(database.vouchers ? { vouchers: database.vouchers } : {}),
        onLeaves: () => {
          heap = Math.max(heap, process.memoryUsage().heapUsed);
        },
      });
      if (report.found > 0) throw new Error(`something differs: ${report.findings[0]?.message}`);
      const once = {
        leaves: report.leaves,
        seconds: (performance.now() - began) / 1_000,
        processor: processorSeconds(cpu),
        statements,
        heap: megabytes(heap - before),
      };

      const rounds = new ScrubRounds(database, {
        outside,
        rows: rows(),
        subjects,
        vouchers: database.vouchers,
        clock: () => new Date(),
        onFinding: ({ message }) => {
          throw new Error(message);
        },
        onFault: (error) => {
          throw error;
        },
      });
      const took: number[] = [];
      [cpu, began] = [process.cpuUsage(), performance.now()];
      while (rounds.state.read < report.leaves) {
        const since = performance.now();
        await rounds.turn();
        took.push(performance.now() - since);
      }
      took.sort((a, b) => a - b);
      const at = (share: number) => took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0;
      const steps = { number: took.length, processor: processorSeconds(cpu), median: at(0.5), p99: at(0.99), longest: at(1) };

      say(
        `At once: ${once.leaves} leaves in ${once.seconds.toFixed(1)} s, ${once.processor.toFixed(1)} s of processor time, ${once.statements} statements (${((once.statements / once.leaves) * 1_000).toFixed(1)} a thousand leaves), ${once.heap} MB of heap more at most`,
      );
      say(
        `In steps: ${steps.number} of them, ${steps.processor.toFixed(1)} s of processor time, each ${steps.median.toFixed(1)} ms (median), ${steps.p99.toFixed(1)} ms (p99), ${steps.longest.toFixed(1)} ms (longest)`,
      );
      if (values.json) say(JSON.stringify({ once, steps }));
    } finally {
      await database.close();
    }
  });
};

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
