import { formatVerifierKey, type VerifierKey, verifierKeyOf } from '../../src/audit/note';
import { verifyExport } from '../../src/audit/verify';
import type { Database } from '../../src/db/database';
import { AuditExports } from '../../src/features/audit/exports.service';
import { Checkpoints, signersOf } from '../../src/ledger/checkpoints';
import { LogBroken } from '../../src/ledger/log-broken';
import { openLogWatch } from '../../src/ledger/open-signing-log';
import { scrub } from '../../src/ledger/scrub';
import { SigningLog } from '../../src/ledger/signing-log';
import { TailWatch } from '../../src/ledger/tail-watch';
import { trustedKeys } from '../../src/ledger/trusted-keys';
import { createLog } from '../../src/log';
import { TestApp } from '../support/app';
import { anotherKey, emptyLog, record, tamper, testKey, testOrigin } from '../support/audit-log';
import { temporaryDatabase } from '../support/database';
import { Forger } from '../support/forged-log';

/**
 * Somebody with the database and a key of their own rewrites the log, in part or whole, and has it name that key. The log was
 * signed by a first key, then by both, then by a second one; whoever looks knows the second.
 */
let database: Database;
let remove: () => Promise<void>;
let now: number;
let forger: Forger;
/** Sizes under the last head by the first key alone, and under the last of all. */
let sizes: { first: number; last: number };
const clock = () => new Date(now);
const publicKeys = (text: string): readonly VerifierKey[] => signersOf(testOrigin, text).map(verifierKeyOf);
const first = publicKeys(testKey);
const second = publicKeys(anotherKey);
const open = (value: string) =>
  SigningLog.open(database, { origin: testOrigin, signingKey: { value }, anchors: [], clock, onFault: () => {} });
const silent = createLog('silent');
const reader = () =>
  openLogWatch({ origin: testOrigin, anchors: [], signingKey: null, keys: second.map(formatVerifierKey) }, database, silent);

beforeAll(async () => {
  ({ database, remove } = await temporaryDatabase({ clock }));
});
afterAll(() => remove());

beforeEach(async () => {
  now = Date.UTC(2026, 8, 1, 9);
  await emptyLog(database);
  const grow = async (key: string, events: number) => {
    const log = await open(key);
    await record(database, events, 'test.seen');
    const signed = await log.sequencer.turn();
    now += 3_600_000;
    return signed?.size ?? 0;
  };
  const one = await grow(testKey, 300);
  await grow(`${testKey},${anotherKey}`, 20);
  sizes = { first: one, last: await grow(anotherKey, 300) };
  forger = new Forger(database, testOrigin);
});

const findingOf = (work: () => Promise<unknown>): Promise<string> =>
  work().then(
    () => 'fine',
    (error: unknown) => (error instanceof LogBroken ? error.finding : String(error)),
  );

const outsiderSays = async (): Promise<string> => {
  const exports = new AuditExports(database, new Checkpoints(database, testOrigin));
  const plan = await exports.plan({ from: null, before: null, customerId: null, since: [] });
  const chunks: Buffer[] = [];
  for await (const chunk of exports.ndjson(plan, null)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  let at = 0;
  const { problem, flags } = verifyExport(
    (into) => {
      const copied = bytes.copy(into, 0, at);
      at += copied;
      return copied;
    },
    { keys: second },
  );
  return problem?.kind ?? flags[0]?.kind ?? 'fine';
};

/** What each says who looks: those that start, one that has been running since before, the doctor, and an outsider with an export. */
const caught = async (attack: () => Promise<unknown>) => {
  const running = new TailWatch(database, new Checkpoints(database, testOrigin), {
    keys: second,
    reads: true,
    onFault: () => {},
  });
  await running.turn();
  await attack();
  return {
    signer: await findingOf(() => open(anotherKey)),
    reader: await findingOf(reader),
    running: await findingOf(() => running.turn()),
    doctor: (await scrub(database, () => second)).found > 0 ? 'found' : 'fine',
    outsider: await outsiderSays().catch((error: unknown) => `refused: ${String(error)}`),
  };
};

const asSomebodyElse = (from: number) =>
  forger.edit(from, (leaf) => (leaf.action === 'test.seen' ? { ...leaf, actor: { ...leaf.actor, id: 'act_else' } } : null));
const found = { signer: 'UNSIGNED', reader: 'UNSIGNED', running: 'TRUNCATED', doctor: 'found', outsider: 'SIGNATURE' };

const attacks: readonly [string, () => Promise<unknown>, Record<string, unknown>][] = [
  ['nothing', async () => {}, { signer: 'fine', reader: 'fine', running: 'fine', doctor: 'fine', outsider: 'fine' }],
  [
    'the whole log, where each event that names a key names the forger’s',
    async () => {
      await asSomebodyElse(0);
      await forger.edit(0, (leaf) => (leaf.action === 'log.key' ? forger.asKeyEvent(leaf) : null));
      await forger.sign();
    },
    found,
  ],
  [
    'what came after the change of keys, with one change more',
    async () => {
      await asSomebodyElse(sizes.last - 200);
      await forger.edit(sizes.last - 1, (leaf) => forger.asKeyEvent(leaf));
      await forger.sign(sizes.last - 200);
    },
    found,
  ],
  [
    'an event long before, that it names the forger’s key; older heads stay as they are',
    async () => {
      await forger.edit(100, (leaf, index) => (index === 100 ? forger.asKeyEvent(leaf) : null));
      await forger.sign(sizes.first);
    },
    found,
  ],
  [
    'the signature of the last head alone, with one more event before it that names a key',
    async () => {
      await forger.edit(sizes.last - 1, (leaf) => forger.asKeyEvent(leaf));
      await forger.sign(sizes.last - 1);
    },
    found,
  ],
  ['the last head’s signature and nothing else', () => forger.sign(sizes.last - 1), { ...found, running: 'UNSIGNED' }],
];

describe('with the database and another key, to rewrite', () => {
  it.each(attacks)('%s is found by everybody', async (_, attack, expected) => {
    expect(await caught(attack)).toEqual(expected);
  });

  it('nothing but to delete every head is found by whoever only reads, and by the doctor', async () => {
    const { reader: start, running, doctor } = await caught(() => tamper(database, 'DELETE FROM audit_checkpoint'));
    expect({ start, running, doctor }).toEqual({ start: 'UNSIGNED', running: 'TRUNCATED', doctor: 'found' });
  });

  it('the log under a signer that runs is found before anything more is signed', async () => {
    const log = await open(anotherKey);
    await forger.sign(sizes.last - 1);
    await record(database, 1);
    await expect(log.sequencer.turn()).rejects.toMatchObject({ finding: 'UNSIGNED' });
  });
});

describe('the keys that a log names', () => {
  const trusted = async (keys: readonly VerifierKey[]) => {
    const { keys: all, untrusted } = await trustedKeys(database, () => keys);
    return { keys: all.map(formatVerifierKey).sort(), untrusted };
  };
  const both = [...first, ...second].map(formatVerifierKey).sort();

  it('are believed from the second back, from the first on, and from nobody not at all', async () => {
    expect(await trusted(second)).toEqual({ keys: both, untrusted: 0 });
    expect(await trusted(first)).toEqual({ keys: both, untrusted: 0 });
    expect(await trusted([])).toEqual({ keys: [], untrusted: 2 });
    expect(await trusted([verifierKeyOf(forger.signer)])).toEqual({ keys: [forger.key], untrusted: 2 });
  });

  it.each([
    ['in its own rewritten end', () => sizes.last - 1, () => sizes.last - 1],
    ['under an old head that doesn’t cover it as it is', () => 100, () => sizes.first],
  ])('are not believed where a forger put them: %s', async (_, index, beyond) => {
    await forger.edit(index(), (leaf, at) => (at === index() ? forger.asKeyEvent(leaf) : null));
    await forger.sign(beyond());
    for (const keys of [first, second]) {
      const { keys: believed, untrusted } = await trusted(keys);
      expect(believed).not.toContain(forger.key);
      expect(untrusted).toBeGreaterThan(0);
    }
  });

  it('are asked for by nobody where there is no log yet', async () => {
    await emptyLog(database);
    expect(await scrub(database, () => [])).toMatchObject({ leaves: 0, found: 0 });
  });

  it('let the doctor say that it knows none, or that the last head is by none of those that were given', async () => {
    expect((await scrub(database, () => [])).findings.map(({ message }) => message)).toEqual([
      expect.stringContaining('no public key of this log is known from outside'),
    ]);
    expect((await scrub(database, () => first)).findings.map(({ message }) => message)).toEqual([
      expect.stringContaining('isn’t by a key from outside the log'.replace('’', "'")),
    ]);
  });
});

describe('a gateway whose log another process signs', () => {
  const audit = { origin: testOrigin, anchors: [], signingKey: null, keys: second.map(formatVerifierKey) };

  it('looks at the log at its start and while it runs, and says what it finds once', async () => {
    const test = await TestApp.start({ config: { audit }, sync: false });
    try {
      const log = await SigningLog.open(test.app.database, {
        origin: testOrigin,
        signingKey: { value: anotherKey },
        anchors: [],
        clock: test.clock.now,
        onFault: () => {},
      });
      await record(test.app.database, 20);
      await log.sequencer.turn();
      await test.restart();
      test.app.start();
      await new Forger(test.app.database, testOrigin).sign();
      const fatal = () => test.logLines.filter((line) => line.includes('the stored audit log is not what was signed'));
      for (let waited = 0; waited < 15_000 && fatal().length === 0; waited += 100)
        await new Promise((resolve) => setTimeout(resolve, 100));
      expect(fatal()).toEqual([expect.stringContaining('"finding":"UNSIGNED"')]);
      await expect(test.restart()).rejects.toMatchObject({ finding: 'UNSIGNED' });
    } finally {
      await test.stop();
    }
  }, 60_000);

  it('without any key says that it doesn’t look', async () => {
    const lines: string[] = [];
    const told = { ...silent, warn: (text: string) => lines.push(text) } as unknown as typeof silent;
    expect(await openLogWatch({ origin: testOrigin, anchors: [], signingKey: null }, database, told)).toBeNull();
    expect(lines).toEqual([expect.stringContaining('audit.keys')]);
  });
});
