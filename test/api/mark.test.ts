import {
  copyFileSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../src/audit/checkpoint';
import { generateSignerKey, verifierKeyOf } from '../../src/audit/note';
import type { Database } from '../../src/db/database';
import { Checkpoints } from '../../src/ledger/checkpoints';
import { LogBroken } from '../../src/ledger/log-broken';
import { Mark } from '../../src/ledger/mark';
import { MarkUnavailable } from '../../src/ledger/mark-unavailable';
import { forkOrigin } from '../../src/ledger/origins';
import { type AnchorPlace, headOfNothing, SigningLog } from '../../src/ledger/signing-log';
import { emptyLog, record, tamper, testKey, testOrigin, testSigners } from '../support/audit-log';
import { temporaryDatabase } from '../support/database';
import { TestWitness } from '../support/witness';

let database: Database;
let folder: string;
let remove: () => Promise<void>;
let file: string;
let archive: string;
let files = 0;
let faults: unknown[];
const keys = testSigners.map(verifierKeyOf);
const clock = () => new Date(Date.UTC(2026, 8, 1, 9));

beforeAll(async () => {
  ({ database, folder, remove } = await temporaryDatabase({ clock }));
  mkdirSync(folder, { recursive: true });
});
beforeEach(async () => {
  await emptyLog(database);
  files += 1;
  file = join(folder, `mark-${files}`);
  archive = join(folder, `archive-${files}`);
  faults = [];
});
afterAll(() => remove());

const open = (anchors: readonly AnchorPlace[] = [], isDefault = false, at = file) =>
  SigningLog.open(database, {
    origin: testOrigin,
    signingKey: { value: testKey },
    anchors,
    mark: { file: at, isDefault },
    clock,
    onFault: (error) => faults.push(error),
  });
const grow = async (log: SigningLog, events = 10) => {
  await record(database, events);
  const signed = await log.sequencer.turn();
  if (!signed) throw new Error('expected a checkpoint');
  return signed;
};
const markedSize = (at = file) => openCheckpoint(readFileSync(at, 'utf8'), keys).size;
const sql = (text: string, parameters: readonly unknown[] = []) => tamper(database, text, parameters);
/** The last leaves, their events, heads and nodes go together, so that what is left agrees with itself. */
const cutBackTo = async (size: number) => {
  await sql('DELETE FROM audit_anchor WHERE tree_size > ?', [size]);
  await sql('DELETE FROM audit_checkpoint WHERE tree_size > ?', [size]);
  await sql('DELETE FROM audit_event WHERE id IN (SELECT event_id FROM audit_leaf WHERE leaf_index >= ?)', [size]);
  await sql('DELETE FROM audit_node WHERE level = 8 AND (node_index + 1) * 256 > ?', [size]);
  await sql('DELETE FROM audit_leaf WHERE leaf_index >= ?', [size]);
};
const findingOf = (work: () => Promise<unknown>): Promise<string> =>
  work().then(
    () => 'fine',
    (error: unknown) => (error instanceof LogBroken ? error.finding : `${(error as Error).name}: ${(error as Error).message}`),
  );

describe('the high-water mark', () => {
  it('is made before the first leaf, follows each checkpoint before it is told, and is a checkpoint that anybody can check', async () => {
    const told: [number, number][] = [];
    const log = await SigningLog.open(database, {
      origin: testOrigin,
      signingKey: { value: testKey },
      anchors: [],
      mark: { file, isDefault: false },
      clock,
      onFault: (error) => faults.push(error),
      onCheckpoint: ({ size }) => told.push([size, markedSize()]),
    });
    expect(markedSize()).toBe(0);
    const first = await grow(log);
    const second = await grow(log, 300);
    expect(told).toEqual([
      [first.size, first.size],
      [second.size, second.size],
    ]);
    expect(readFileSync(file, 'utf8')).toBe(second.note);
    expect(readdirSync(folder).filter((name) => name.startsWith(`mark-${files}.`))).toEqual([]);
    expect(await findingOf(() => open())).toBe('fine');
    expect(faults).toEqual([]);
  });

  it('is made up for where a crash came between the commit and the mark', async () => {
    const log = await open();
    await grow(log);
    const older = readFileSync(file, 'utf8');
    const { size } = await grow(log);
    writeFileSync(file, older);
    await open();
    expect(markedSize()).toBe(size);
  });

  it('may be one file of several signers, or a copy for each: the largest counts, and each keeps up with what others sign', async () => {
    const other = `${file}-other`;
    const log = await open();
    copyFileSync(file, other);
    const second = await open([], false, other);
    const { size } = await grow(log, 20);
    await second.sequencer.turn();
    expect([markedSize(), markedSize(other)]).toEqual([size, size]);
    const mark = new Mark({ file, isDefault: false });
    await mark.cover(headOf0(), keys);
    expect(markedSize()).toBe(size);
  });
  const headOf0 = () => ({ ...headOfNothing(testOrigin, testSigners), origin: testOrigin });

  it('takes no head that a known key didn’t sign', async () => {
    const mark = new Mark({ file, isDefault: false });
    const stranger = headOfNothing(testOrigin, [generateSignerKey(testOrigin)]);
    await expect(mark.cover({ ...stranger, origin: testOrigin }, keys)).rejects.toMatchObject({ finding: 'UNSIGNED' });
    expect(existsSync(file)).toBe(false);
  });

  it.each([
    ['a folder that isn’t there', () => join(folder, 'absent', 'mark')],
    ['a file in the folder’s place', () => join(writtenFile(), 'mark')],
    ['a link to a volume that isn’t mounted', () => linked(join(folder, 'absent', 'mark'))],
    ['a link to itself', () => linked(join(folder, 'linked'))],
  ])('refuses a start where it can’t be kept: %s', async (_, place) => {
    const refused = open([], false, place());
    await expect(refused).rejects.toBeInstanceOf(MarkUnavailable);
    await expect(refused).rejects.toMatchObject({ code: 'MARK_UNAVAILABLE', remedy: expect.stringContaining('audit.mark') });
  });
  const linked = (target: string) => {
    const name = join(folder, 'linked');
    rmSync(name, { force: true });
    symlinkSync(target, name);
    return name;
  };
  const writtenFile = () => {
    const name = join(folder, 'no-folder');
    writeFileSync(name, '');
    return name;
  };

  it('stays where a symbolic link leads, also to where it is made', async () => {
    const volume = join(folder, `elsewhere-${files}`);
    mkdirSync(volume);
    symlinkSync(join(volume, 'there'), file);
    for (let time = 0; time < 2; time += 1) {
      const { size } = await grow(await open());
      expect(readlinkSync(file)).toBe(join(volume, 'there'));
      expect(markedSize(join(volume, 'there'))).toBe(size);
    }
    expect(readdirSync(volume)).toEqual(['there']);
  });

  it('has nothing left beside it of a writer that was killed, once that is an hour old, and leaves what isn’t its own', async () => {
    const volume = join(folder, `left-over-${files}`);
    mkdirSync(volume);
    symlinkSync(join(volume, 'mark'), file);
    const hoursAgo = (hours: number) => Date.now() / 1_000 - hours * 3_600;
    const leave = (name: string, hours: number) => {
      writeFileSync(join(volume, name), 'half a note');
      utimesSync(join(volume, name), hoursAgo(hours), hoursAgo(hours));
    };
    leave('mark.4711.0123456789ab', 2);
    leave('mark.1.ffffffffffff', 24 * 365);
    // One that another process may be writing now, and what somebody else called something like it.
    leave('mark.4712.0123456789ab', 0.5);
    const others = ['mark.4711.0123456789ab.keep', 'mark.old', 'mark.4711.0123456789AB', 'other.4711.0123456789ab', 'mark.4711'];
    for (const name of others) leave(name, 2);
    mkdirSync(join(volume, 'mark.4713.0123456789ab'));
    utimesSync(join(volume, 'mark.4713.0123456789ab'), hoursAgo(2), hoursAgo(2));
    symlinkSync(join(volume, 'mark.old'), join(volume, 'mark.4714.0123456789ab'));
    lutimesSync(join(volume, 'mark.4714.0123456789ab'), hoursAgo(2), hoursAgo(2));
    await grow(await open());
    const kept = ['mark', 'mark.4712.0123456789ab', 'mark.4713.0123456789ab', 'mark.4714.0123456789ab', ...others].sort();
    expect(readdirSync(volume).sort()).toEqual(kept);
  });

  it('that can’t be written while it runs keeps what was signed from being told, until it can', async () => {
    const inside = join(folder, `volume-${files}`, 'mark');
    mkdirSync(join(inside, '..'));
    const told: number[] = [];
    const log = await SigningLog.open(database, {
      origin: testOrigin,
      signingKey: { value: testKey },
      anchors: [{ kind: 'file', name: 'archive', path: archive }],
      mark: { file: inside, isDefault: false },
      clock,
      onFault: (error) => faults.push(error),
      onCheckpoint: ({ size }) => told.push(size),
    });
    rmSync(join(inside, '..'), { recursive: true });
    await record(database, 3);
    await expect(log.sequencer.turn()).rejects.toBeInstanceOf(MarkUnavailable);
    await expect(log.anchors.turn()).rejects.toBeInstanceOf(MarkUnavailable);
    expect([told, existsSync(archive)]).toEqual([[], false]);
    mkdirSync(join(inside, '..'));
    await log.sequencer.turn();
    await log.anchors.turn();
    expect([existsSync(archive), markedSize(inside)]).toEqual([
      true,
      (await new Checkpoints(database, testOrigin).latest())?.size,
    ]);
  });
});

describe('a log that went back', () => {
  const attacks: readonly [string, (sizes: { first: number; last: number }) => Promise<unknown>, string][] = [
    ['nothing', async () => {}, 'fine'],
    ['its last three leaves', ({ last }) => cutBackTo(last - 3), 'TRUNCATED'],
    ['all to an older checkpoint', ({ first }) => cutBackTo(first), 'TRUNCATED'],
    ['everything', () => emptyLog(database), 'TRUNCATED'],
    ['every checkpoint, and no leaf', () => sql('DELETE FROM audit_checkpoint'), 'TRUNCATED'],
    [
      'an end that was recorded again otherwise, and signed with the log’s own key',
      async ({ first }) => {
        await cutBackTo(first);
        const log = await SigningLog.open(database, {
          origin: testOrigin,
          signingKey: { value: testKey },
          anchors: [],
          clock,
          onFault: () => {},
        });
        await grow(log, 400);
      },
      'REWRITTEN',
    ],
  ];

  it.each(attacks)('(cut: %s) is refused at the start', async (_, attack, finding) => {
    const log = await open();
    const first = await grow(log, 300);
    const last = await grow(log, 300);
    await attack({ first: first.size, last: last.size });
    expect(await findingOf(() => open())).toBe(finding);
    // And the refusal itself changes nothing about that.
    expect(await findingOf(() => open())).toBe(finding);
    expect(markedSize()).toBe(last.size);
  });

  it.each([
    ['no checkpoint', () => 'nonsense', 'UNPROVEN_MARK'],
    ['a stranger’s', () => headOfNothing(testOrigin, [generateSignerKey(testOrigin)]).note, 'UNPROVEN_MARK'],
    [
      'another log’s',
      () => headOfNothing('log.example.com/other', [generateSignerKey('log.example.com/other')]).note,
      'UNPROVEN_MARK',
    ],
  ])('is not covered up by a mark that is %s', async (_, content, finding) => {
    await grow(await open());
    writeFileSync(file, content());
    expect(await findingOf(() => open())).toBe(finding);
  });
});

describe('leaves without a mark', () => {
  const place = (): AnchorPlace => ({ kind: 'file', name: 'archive', path: archive });

  it('are not gone on from, again and again', async () => {
    await grow(await open());
    rmSync(file);
    const refused = () => open();
    for (let time = 0; time < 2; time += 1)
      await expect(refused()).rejects.toMatchObject({ finding: 'UNMARKED', remedy: expect.stringContaining('audit fork') });
    expect(existsSync(file)).toBe(false);
  });

  it('are gone on from where an anchor has the log, and not where one has nothing of it', async () => {
    const log = await open([place()]);
    await grow(log);
    await log.anchors.turn();
    const { size } = await grow(log);
    rmSync(file);
    const witness = await TestWitness.start(keys, clock);
    const other: AnchorPlace = { kind: 'witness', name: 'witness', url: witness.url, key: witness.key };
    for (let time = 0; time < 2; time += 1) expect(await findingOf(() => open([other]))).toBe('UNMARKED');
    expect(witness.latest(testOrigin)).toBeUndefined();
    await open([place(), other]);
    expect(markedSize()).toBe(size);
    await witness.stop();
  });

  it('are held against a witness that has the log, whatever the database says of it', async () => {
    const witness = await TestWitness.start(keys, clock);
    const other: AnchorPlace = { kind: 'witness', name: 'witness', url: witness.url, key: witness.key };
    const log = await open([other]);
    const first = await grow(log);
    await grow(log);
    await log.anchors.turn();
    await sql('DELETE FROM audit_anchor');
    rmSync(file);
    expect(await findingOf(() => open([other]))).toBe('fine');
    rmSync(file);
    await cutBackTo(first.size);
    expect(await findingOf(() => open([other]))).toBe('TRUNCATED');
    await witness.stop();
  });

  it('are gone on from under a new name after a fork, whose mark goes with it', async () => {
    await grow(await open());
    const before = readFileSync(file, 'utf8');
    const origin = 'log.example.com/forked';
    await forkOrigin(database, origin, null, clock());
    const forked = () =>
      SigningLog.open(database, {
        origin,
        signingKey: { value: testKey },
        anchors: [],
        mark: { file, isDefault: false },
        clock,
        onFault: () => {},
      });
    expect(await findingOf(forked)).toBe('UNPROVEN_MARK');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('begin a mark in development, where it lies beside the database, and so does an empty database', async () => {
    const { size } = await grow(await open([], true));
    rmSync(file);
    await open([], true);
    expect(markedSize()).toBe(size);
    await emptyLog(database);
    await open([], true);
    expect(markedSize()).toBe(0);
    await grow(await open([], true));
    await cutBackTo(1);
    expect(await findingOf(() => open([], true))).toBe('TRUNCATED');
  });
});
