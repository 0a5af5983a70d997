import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../src/audit/checkpoint';
import { cosignatureOn, parseWitnessKey } from '../../src/audit/cosignature';
import { verifierKeyOf } from '../../src/audit/note';
import type { Database } from '../../src/db/database';
import { AnchorUnavailable } from '../../src/ledger/anchor';
import { FileAnchor } from '../../src/ledger/anchor.file';
import { askWitness, expectAllKept, latestAnchored } from '../../src/ledger/anchored';
import { Checkpoints } from '../../src/ledger/checkpoints';
import { type AnchorPlace, anchorOf, SigningLog } from '../../src/ledger/signing-log';
import { emptyLog, record, tamper, testKey, testOrigin, testSigners } from '../support/audit-log';
import { temporaryDatabase } from '../support/database';
import { TestWitness } from '../support/witness';

let database: Database;
let folder: string;
let remove: () => Promise<void>;
let witness: TestWitness;
let faults: unknown[];
let file: string;
let files = 0;
const clock = () => new Date(Date.UTC(2026, 8, 1, 9));

beforeAll(async () => {
  ({ database, folder, remove } = await temporaryDatabase({ clock }));
});
beforeEach(async () => {
  await emptyLog(database);
  witness = await TestWitness.start(testSigners.map(verifierKeyOf), clock);
  faults = [];
  files += 1;
  file = join(folder, `anchor-${files}`);
});
afterEach(() => witness.stop());
afterAll(() => remove());

const places = (): readonly AnchorPlace[] => [
  { kind: 'file', name: 'archive', path: file },
  { kind: 'witness', name: 'witness', url: `${witness.url}/`, key: witness.key },
];
const open = (anchors = places()) =>
  SigningLog.open(database, {
    origin: testOrigin,
    signingKey: { value: testKey },
    anchors,
    clock,
    onFault: (error) => faults.push(error),
  });
const grow = async (log: SigningLog, events: number) => {
  await record(database, events);
  const signed = await log.sequencer.turn();
  if (!signed) throw new Error('expected a checkpoint');
  await log.anchors.turn();
  return signed;
};
const why = () => faults.map((fault) => (fault instanceof AnchorUnavailable ? [fault.anchor, fault.why] : fault));
const sizes = async () =>
  Object.fromEntries((await latestAnchored(database, testOrigin)).map(({ anchor, size }) => [anchor, size]));

/** The log as it was before this work: what a restored backup is. */
const putBack = async (size: number) => {
  await tamper(database, 'DELETE FROM audit_anchor WHERE tree_size > ?', [size]);
  await tamper(database, 'DELETE FROM audit_checkpoint WHERE tree_size > ?', [size]);
  await tamper(database, 'DELETE FROM audit_event WHERE id IN (SELECT event_id FROM audit_leaf WHERE leaf_index >= ?)', [size]);
  await tamper(database, 'DELETE FROM audit_node');
  await tamper(database, 'DELETE FROM audit_leaf WHERE leaf_index >= ?', [size]);
};

describe('anchors', () => {
  it('take each new checkpoint: a file in its order, a witness with its cosignature', async () => {
    const log = await open();
    const first = await grow(log, 10);
    const second = await grow(log, 300);
    expect(first.extensions).toEqual([]);
    expect(await sizes()).toEqual({ archive: second.size, witness: second.size });
    const text = readFileSync(file, 'utf8');
    expect(text).toBe(`${first.note}\n${second.note}`);
    const [cosigned] = (await latestAnchored(database, testOrigin)).filter(({ anchor }) => anchor === 'witness');
    expect(cosignatureOn(cosigned?.note ?? '', parseWitnessKey(witness.key))).toEqual({ witness: witness.name, at: clock() });
    expect(openCheckpoint(cosigned?.note ?? '', testSigners.map(verifierKeyOf)).root).toEqual(second.root);
    expect(witness.latest(testOrigin)?.root).toEqual(second.root);
    const asked = witness.requests.length;
    await log.anchors.turn();
    expect([witness.requests.length, readFileSync(file, 'utf8')]).toEqual([asked, text]);
    expect(faults).toEqual([]);
  });

  it('go on from what they have where the database has forgotten it, or another process was there before', async () => {
    const log = await open();
    await grow(log, 10);
    await tamper(database, 'DELETE FROM audit_anchor');
    const next = await grow(log, 10);
    expect(await sizes()).toEqual({ archive: next.size, witness: next.size });
    const again = await open();
    await again.anchors.turn();
    expect(readFileSync(file, 'utf8').match(/^— /gm)).toHaveLength(2);
    expect(faults).toEqual([]);
  });

  it.each([
    [{ status: 500 }, 'failed'],
    [{ status: 404 }, 'refused'],
    [{ status: 403 }, 'refused'],
    [{ status: 200, body: 'no signature' }, 'malformed'],
    [{ status: 200, body: '— witness.example.com/test AAAAAAAA\n' }, 'malformed'],
    [{ status: 409, body: '7\n', type: 'text/plain' }, 'malformed'],
    [{ status: 409, body: 'many\n', type: 'text/x.tlog.size' }, 'malformed'],
    [{ status: 409, body: '-1\n', type: 'text/x.tlog.size' }, 'malformed'],
  ])('that answer %j take nothing, and are left alone for a while', async (answer, expected) => {
    const log = await open([places()[1] as AnchorPlace]);
    witness.answers.push(answer);
    await grow(log, 3);
    expect(why()).toEqual([['witness', expected]]);
    const asked = witness.requests.length;
    await log.anchors.turn();
    expect([witness.requests.length, await sizes()]).toEqual([asked, {}]);
  });

  it('out of reach keep nobody from signing', async () => {
    const url = witness.url;
    await witness.stop();
    const log = await open([
      { kind: 'file', name: 'archive', path: join(folder, 'absent', 'folder', 'file') },
      { kind: 'witness', name: 'witness', url, key: witness.key },
    ]);
    await grow(log, 3);
    expect(why()).toEqual([
      ['archive', 'unreachable'],
      ['witness', 'unreachable'],
    ]);
    expect(await sizes()).toEqual({});
  });

  it('keep a note whole after one that a crash cut off', async () => {
    const log = await open([places()[0] as AnchorPlace]);
    const first = await grow(log, 3);
    for (const end of ['\nlog.example.com/test\n99', '\nlog.example.com/test\n99\nAAAA\n\n— log.example']) {
      appendFileSync(file, end);
      const next = await grow(log, 3);
      expect(readFileSync(file, 'utf8').endsWith(`\n\n${next.note}`)).toBe(true);
      await open([places()[0] as AnchorPlace]);
    }
    expect(readFileSync(file, 'utf8').startsWith(first.note)).toBe(true);
    expect(faults).toEqual([]);
  });
});

describe('a note that is cut off', () => {
  it('wherever that is, as on a full disk, keeps no start from going on, and is written again whole', async () => {
    const archive = () => [places()[0] as AnchorPlace];
    await grow(await open(archive()), 3);
    const log = await open([]);
    const { note } = await grow(log, 3);
    const before = readFileSync(file, 'utf8');
    for (let length = 0; length < note.length; length += 1) {
      writeFileSync(file, `${before}\n${note.slice(0, length)}`);
      await open(archive());
    }
    const again = await open(archive());
    await again.anchors.turn();
    expect(readFileSync(file, 'utf8').endsWith(`\n\n${note}`)).toBe(true);
    expect(faults).toEqual([]);
  });
});

describe('an anchored log that was put back', () => {
  const anchorOf = (name: string) => places().filter((place) => place.name === name);

  it.each(['archive', 'witness'])('is not continued: the %s knows a longer one', async (name) => {
    const log = await open(anchorOf(name));
    const first = await grow(log, 10);
    await grow(log, 10);
    await putBack(first.size);
    await expect(open(anchorOf(name))).rejects.toMatchObject({
      finding: 'TRUNCATED',
      remedy: expect.stringContaining('audit fork'),
    });
  });

  it.each(['archive', 'witness'])('and rebuilt with the same key is not what the %s has', async (name) => {
    const log = await open(anchorOf(name));
    const { size } = await grow(log, 20);
    await putBack(0);
    await tamper(database, 'DELETE FROM audit_pending');
    await tamper(database, 'DELETE FROM audit_origin');
    // Somebody with the key and the database, and without the anchor: as many leaves and more, all properly signed.
    const forged = await open([]);
    await record(database, size + 5);
    await forged.sequencer.turn();
    await expect(open(anchorOf(name))).rejects.toMatchObject({ finding: 'REWRITTEN' });
    expect(witness.latest(testOrigin)?.size).toBe(name === 'witness' ? size : undefined);
  });

  it('is noticed while it runs, and nothing more is anchored', async () => {
    const log = await open(anchorOf('witness'));
    await grow(log, 10);
    witness.answers.push({ status: 422 });
    await record(database, 1);
    await log.sequencer.turn();
    await expect(log.anchors.turn()).rejects.toMatchObject({ finding: 'REWRITTEN' });
  });

  it('whose anchor somebody else wrote to is not continued either', async () => {
    const log = await open(anchorOf('archive'));
    await grow(log, 10);
    const note = readFileSync(file, 'utf8');
    const lines = note.split('\n');
    lines[1] = String(Number(lines[1]) + 1);
    writeFileSync(file, lines.join('\n'));
    await expect(open(anchorOf('archive'))).rejects.toMatchObject({ finding: 'UNPROVEN_ANCHOR' });
    expect(existsSync(file)).toBe(true);
  });
});

describe('an anchor that has less than it took', () => {
  const archive = () => [places()[0] as AnchorPlace];
  const forgot = (size: number) => ({ name: 'AnchorForgot', code: 'ANCHOR_FORGOT', anchor: 'archive', taken: size });
  const losses: readonly [string, (text: string) => void][] = [
    ['is gone', () => rmSync(file)],
    ['is empty', () => writeFileSync(file, '')],
    ['lost its end', (text) => writeFileSync(file, text.slice(0, text.lastIndexOf('\n\nlog.') + 1))],
    ['lost half of its last note', (text) => writeFileSync(file, text.slice(0, -120))],
    ['has something else', () => writeFileSync(file, 'nothing to see here\n'.repeat(100))],
  ];

  it.each(losses)(
    '(a file that %s) is a fault at the start, while it runs and for the doctor, and nothing is written to it',
    async (_, lose) => {
      const log = await open(archive());
      await grow(log, 10);
      const { size } = await grow(log, 10);
      const text = readFileSync(file, 'utf8');
      lose(text);
      const left = existsSync(file) ? readFileSync(file, 'utf8') : null;
      // Nothing new, and something new.
      await log.anchors.turn();
      expect(faults).toEqual([expect.objectContaining(forgot(size))]);
      const again = await open([]);
      await grow(again, 10);
      await expect(open(archive())).rejects.toMatchObject({ ...forgot(size), remedy: expect.stringContaining('audit.anchors') });
      await expect(expectAllKept(database, new FileAnchor('archive', file), testOrigin)).rejects.toMatchObject(forgot(size));
      expect(existsSync(file) ? readFileSync(file, 'utf8') : null).toBe(left);
      // As when the share is mounted again.
      writeFileSync(file, text);
      const healed = await open(archive());
      await healed.anchors.turn();
      expect(readFileSync(file, 'utf8').startsWith(text)).toBe(true);
      await expectAllKept(database, new FileAnchor('archive', file), testOrigin);
    },
  );

  it('is a fault too where only what came first is missing, or, for whoever reads it all, something in the middle', async () => {
    const log = await open(archive());
    const sizes = [];
    for (let turn = 0; turn < 3; turn += 1) sizes.push((await grow(log, 5)).size);
    const text = readFileSync(file, 'utf8');
    const notes = text.split(/\n(?=log\.)/);
    expect(notes).toHaveLength(3);
    const all = () => expectAllKept(database, new FileAnchor('archive', file), testOrigin);
    writeFileSync(file, notes.slice(1).join('\n'));
    await expect(open(archive())).rejects.toMatchObject(forgot(sizes[0] as number));
    writeFileSync(file, [notes[0], notes[2]].join('\n'));
    await open(archive());
    await expect(all()).rejects.toMatchObject(forgot(sizes[1] as number));
    writeFileSync(file, text);
    await all();
  });

  it('is a fault while it runs though nothing is new, and what is lost is found once', async () => {
    const log = await open(archive());
    const { size } = await grow(log, 10);
    rmSync(file);
    await log.anchors.turn();
    await log.anchors.turn();
    expect(faults).toEqual([expect.objectContaining(forgot(size))]);
    expect(existsSync(file)).toBe(false);
  });

  it.each([0, 1])('(a witness that has %s older checkpoint) likewise', async (left) => {
    const log = await open([places()[1] as AnchorPlace]);
    await grow(log, 10);
    const older = witness.latest(testOrigin);
    const { size } = await grow(log, 10);
    witness.restore(testOrigin, left === 0 ? undefined : older);
    const expected = { name: 'AnchorForgot', anchor: 'witness', taken: size };
    const checkpoints = new Checkpoints(database, testOrigin);
    await expect(askWitness(database, checkpoints, anchorOf(places()[1] as AnchorPlace))).rejects.toMatchObject(expected);
    await expect(open([places()[1] as AnchorPlace])).rejects.toMatchObject(expected);
    await grow(log, 1);
    expect(faults).toEqual([expect.objectContaining(expected)]);
    expect(witness.latest(testOrigin)).toBe(left === 0 ? undefined : older);
  });

  it('is none where it never took anything: a new file and a new witness are begun', async () => {
    const log = await open(archive());
    await grow(log, 10);
    const renamed: readonly AnchorPlace[] = [
      { kind: 'file', name: 'second', path: `${file}-second` },
      { ...(places()[1] as AnchorPlace), name: 'other' },
    ];
    const begun = await open(renamed);
    await begun.anchors.turn();
    expect([faults, existsSync(`${file}-second`), Object.keys(await sizes()).sort()]).toEqual([
      [],
      true,
      ['archive', 'other', 'second'],
    ]);
  });
});
