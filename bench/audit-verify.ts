import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, createReadStream, createWriteStream, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { type PlanDetail, planAction, planDigest, planSubject } from '../src/audit/access-plan';
import { signCheckpoint } from '../src/audit/checkpoint';
import { type EventDraft, finalizeEvent } from '../src/audit/event';
import { type ExportedLeaf, formatHeader, formatLeaf, writeExport } from '../src/audit/export-format';
import { Frontier } from '../src/audit/merkle';
import { formatVerifierKey, generateSignerKey, parseVerifierKey, verifierKeyOf } from '../src/audit/note';
import { verifyExport } from '../src/audit/verify';
import { median } from './load';

const usage = `node dist/bench/audit-verify.js [options]

How fast an export is verified on one core, and how much memory that takes at 10^4, 10^5 and 10^6 leaves: from the process’s first byte
read, and after the first 10^4 leaves, when the code is compiled.

  --rounds N   of each size, of which the median counts (3)
  --strict     with --strict
  --largest N  the largest size, a power of ten from 4 on (6)
  --json       ends with one line of JSON
  --help`;

interface Task {
  readonly file: string;
  readonly key: string;
  /** Where the lines of the first 10^4 leaves end. */
  readonly warmBytes: number;
  readonly strict: boolean;
}

/** Time that a number of leaves took. */
interface Taken {
  readonly seconds: number;
  /** Of all threads: more than the seconds where the collector has a core of its own, less where others are in the way. */
  readonly cpuSeconds: number;
}

interface Measured {
  readonly whole: Taken;
  /** Without the first 10^4. */
  readonly warm: Taken;
  /** Peak resident memory of a process that did nothing else, MiB. */
  readonly rss: number;
  readonly ok: boolean;
  readonly leaves: number;
}

/** Events between two time leaves: a busy gateway's, 50 a second. */
const perTimeLeaf = 3_000;

/** Leaves by which the verifier's code is compiled. */
const warmLeaves = 10_000;

const stopwatch = (): (() => Taken) => {
  const [since, cpuSince] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(cpuSince);
    return { seconds: (performance.now() - since) / 1_000, cpuSeconds: (user + system) / 1_000_000 };
  };
};

const measure = ({ file, key, warmBytes, strict }: Task): Measured => {
  const descriptor = openSync(file, 'r');
  const whole = stopwatch();
  let warm = whole;
  let at = 0;
  // More is asked for when all lines before were looked at, so that what is read ends where the first leaves do.
  const read = (into: Buffer): number => {
    if (at === warmBytes) warm = stopwatch();
    const count = readSync(descriptor, into, 0, at < warmBytes ? Math.min(into.length, warmBytes - at) : into.length, null);
    at += count;
    return count;
  };
  const { ok, leaves } = verifyExport(read, { keys: [parseVerifierKey(key)], strict });
  const measured = { whole: whole(), warm: warm(), rss: process.resourceUsage().maxRSS / 1_024, ok, leaves };
  closeSync(descriptor);
  return measured;
};

const plan: PlanDetail = {
  operation: 'ticketContext',
  policy: 'policy',
  links: ['VERIFIED', 'NONE'],
  fields: [
    ['Customer.displayName', 'mask:name', 'mask:name'],
    ['Message.body', 'reveal', 'reveal'],
    ['PaymentMethod.last4', 'reveal', 'omit'],
  ],
};
const digest = planDigest(plan);

/** An event as a disclosure of a ticket's context is: about 600 bytes of leaf. */
const disclosure = (number: number): EventDraft => ({
  action: 'disclosure',
  outcome: 'ALLOWED',
  actor: { id: `act_01K4ZJ0000000000000000${String(number % 50).padStart(4, '0')}`, kind: 'staff', roles: ['AGENT'] },
  ticketId: `tkt_01K4ZJ000000000000${String(number).padStart(8, '0')}`,
  assistanceId: `ast_01K4ZJ000000000000${String(number).padStart(8, '0')}`,
  customers: [{ id: 'cus', digest: (salt) => Buffer.concat([salt, salt]).toString('base64url') }],
  version: 2,
  detail: { count: 3, counts: { NONE: [1, 4, 0], VERIFIED: [0, 0, 3] }, plan: digest, tickets: [] },
});

interface Made {
  readonly file: string;
  readonly key: string;
  readonly leafBytes: number;
  readonly warmBytes: number;
}

const makeExport = async (file: string, count: number): Promise<Made> => {
  const signer = generateSignerKey('bench.example/audit');
  const tree = new Frontier();
  const header = { origin: signer.name, from: 0, to: count, filter: null, left: [] };
  let bytes = 0;
  let warmBytes = formatHeader(header).length;
  async function* leaves(): AsyncGenerator<ExportedLeaf> {
    const actor = { id: 'system:sequencer', kind: 'system', roles: [] };
    for (let index = 0; index < count; index += 1) {
      const at = new Date(Date.UTC(2026, 8, 1) + index * 20);
      const subject = { type: planSubject, id: digest };
      const stated: EventDraft = { action: planAction, outcome: 'ALLOWED', actor, version: 2, subject, detail: { ...plan } };
      const usual = index === 1 ? stated : disclosure(index);
      const draft: EventDraft = index % perTimeLeaf === 0 ? { action: 'log.time', outcome: 'ALLOWED', actor } : usual;
      const event = finalizeEvent(draft, `atx_${randomBytes(13).toString('hex').toUpperCase()}`, 0, at);
      const hash = Buffer.from(event.leafHash, 'hex');
      tree.append(hash);
      bytes += event.leaf.length;
      const exported = { index, hash, leaf: event.leaf };
      if (index < warmLeaves) warmBytes += formatLeaf(exported).length;
      yield exported;
    }
  }
  const chunks = writeExport(header, leaves(), () => ({
    checkpoint: signCheckpoint({ origin: signer.name, size: count, root: tree.root(), extensions: [] }, [signer]),
    right: [],
    consistency: [],
    anchors: [],
  }));
  await pipeline(chunks, createWriteStream(file));
  return { file, key: formatVerifierKey(verifierKeyOf(signer)), leafBytes: Math.round(bytes / count), warmBytes };
};

/** In a process of its own, whose memory is then that of the verifier and Node alone. */
const measureApart = (task: Task): Promise<Measured> =>
  new Promise((resolve, reject) => {
    const child = fork(__filename, ['--worker'], { serialization: 'json' });
    child.once('message', (measured: Measured) => resolve(measured));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the verifier’s process ended with ${code}`)));
    child.send(task);
  });

/** So that the disk is measured by nobody. */
const readOnce = async (file: string): Promise<void> => {
  for await (const _chunk of createReadStream(file));
};

const columns = ['leaves', 'bytes/leaf', 'leaves/s', 'leaves/CPU s', 'after 10^4/s', 'after 10^4/CPU s', 'peak RSS MiB'];
const widths = [9, 13, 11, 15, 15, 19, 15];

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      largest: { type: 'string', default: '6' },
      strict: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-verify-'));
  const results: Readonly<Record<string, number | null>>[] = [];
  try {
    console.log(columns.map((name, at) => name.padStart(widths[at] ?? 0)).join(''));
    for (let power = 4; power <= Number(values.largest); power += 1) {
      const { file, leafBytes, ...made } = await makeExport(join(folder, `${power}.ndjson`), 10 ** power);
      await readOnce(file);
      const rounds: Measured[] = [];
      for (let round = 0; round < Number(values.rounds); round += 1)
        rounds.push(await measureApart({ ...made, file, strict: values.strict }));
      if (rounds.some(({ ok, leaves }) => !ok || leaves !== 10 ** power)) throw new Error('the export doesn’t verify');
      const rate = (leaves: number, pick: (measured: Measured) => number): number | null =>
        leaves === 0 ? null : Math.round(leaves / median(rounds.map(pick)));
      const later = 10 ** power - warmLeaves;
      const result = {
        leaves: 10 ** power,
        leafBytes,
        leavesPerSecond: rate(10 ** power, ({ whole }) => whole.seconds),
        leavesPerCpuSecond: rate(10 ** power, ({ whole }) => whole.cpuSeconds),
        warmLeavesPerSecond: rate(later, ({ warm }) => warm.seconds),
        warmLeavesPerCpuSecond: rate(later, ({ warm }) => warm.cpuSeconds),
        peakRssMiB: Math.round(Math.max(...rounds.map(({ rss }) => rss))),
      };
      results.push(result);
      console.log(
        Object.values(result)
          .map((value, at) => String(value ?? '–').padStart(widths[at] ?? 0))
          .join(''),
      );
      rmSync(file);
    }
    if (values.json) console.log(JSON.stringify({ strict: values.strict, results }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

if (process.argv[2] === '--worker')
  process.once('message', (task: Task) => {
    process.send?.(measure(task), () => process.disconnect());
  });
else
  main().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
