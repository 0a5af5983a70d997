import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import { verifyExport } from '../../test/support/both-verifiers';
import { type Checkpoint, signCheckpoint, unanchoredExtension } from './checkpoint';
import { cosignedText, parseWitnessKey } from './cosignature';
import { type EventDraft, finalizeEvent } from './event';
import {
  type AnchoredCheckpoint,
  csvHeader,
  csvRow,
  type ExportedLeaf,
  formatHeader,
  formatLeaf,
  formatTrailer,
  writeExport,
} from './export-format';
import { readLeaf } from './leaf';
import type { ReadBytes } from './lines';
import { compactRange, consistencyPath, Frontier, leafHash, type NodeAt } from './merkle';
import { formatNote, generateSignerKey, parseNote, type SignerKey, verifierKeyOf } from './note';
import { statementsOf } from './verdict-text';
import type { FindingKind, Verdict, VerifyOptions } from './verify';

const signer = generateSignerKey('audit.example/log');
const keys = [verifierKeyOf(signer)];
const actor = { id: 'act_1', kind: 'staff', roles: ['AGENT'] };
const minute = 60_000;
const start = Date.UTC(2026, 8, 1, 9);

const eventAt = (at: number, facts: Partial<EventDraft> = {}, transaction = `atx_${at}`, ordinal = 0): Buffer =>
  finalizeEvent({ action: 'disclosure', outcome: 'ALLOWED', actor, ...facts }, transaction, ordinal, new Date(at)).leaf;
const timeAt = (at: number): Buffer => eventAt(at, { action: 'log.time' }, `atx_time_${at}`);

/** A log of `count` leaves, four a minute, the first of each minute a time leaf. */
const leavesOf = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, index) => {
    const at = start + index * (minute / 4);
    return index % 4 === 0 ? timeAt(at) : eventAt(at);
  });

/** A log as its owner has it: whoever has the key and the database can make any. */
class Log {
  readonly hashes: readonly Buffer[];

  constructor(
    readonly leaves: readonly Buffer[],
    private readonly signers: readonly SignerKey[] = [signer],
  ) {
    this.hashes = leaves.map(leafHash);
  }

  private nodeAt(): NodeAt {
    const nodes = new Map<string, Buffer>();
    const tree = new Frontier();
    for (const hash of this.hashes) tree.append(hash, (level, index, node) => nodes.set(`${level}/${index}`, node));
    return (level, index) => nodes.get(`${level}/${index}`) as Buffer;
  }

  checkpoint(size = this.leaves.length, extensions: readonly string[] = []): string {
    const tree = new Frontier();
    for (const hash of this.hashes.slice(0, size)) tree.append(hash);
    const checkpoint: Checkpoint = { origin: signer.name, size, root: tree.root(), extensions };
    return signCheckpoint(checkpoint, this.signers);
  }

  async parts(
    options: {
      readonly from?: number;
      readonly to?: number;
      readonly size?: number;
      readonly select?: (index: number) => boolean;
      readonly filter?: string | null;
      readonly proofs?: readonly number[];
      readonly anchors?: readonly AnchoredCheckpoint[];
    } = {},
  ) {
    const {
      size = this.leaves.length,
      from = 0,
      to = size,
      select = () => true,
      filter = null,
      proofs = [],
      anchors = [],
    } = options;
    const nodeAt = this.nodeAt();
    const consistency = await Promise.all(
      proofs.map(async (older) => ({ size: older, path: await consistencyPath(older, size, nodeAt) })),
    );
    return {
      header: { origin: signer.name, from, to, filter, left: await compactRange(0, from, nodeAt) },
      leaves: this.leaves.slice(from, to).map(
        (leaf, offset): ExportedLeaf => ({
          index: from + offset,
          hash: this.hashes[from + offset] as Buffer,
          leaf: select(from + offset) ? leaf : null,
        }),
      ),
      trailer: { checkpoint: this.checkpoint(size), right: await compactRange(to, size, nodeAt), consistency, anchors },
    };
  }

  async export(options: Parameters<Log['parts']>[0] = {}): Promise<Buffer> {
    const { header, leaves, trailer } = await this.parts(options);
    async function* each() {
      yield* leaves;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of writeExport(header, each(), () => trailer)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }
}

/** `most` bytes at a time, as a file may be read. */
const reading = (bytes: Buffer, most = 65_536): ReadBytes => {
  let at = 0;
  return (into) => {
    const count = bytes.copy(into, 0, at, Math.min(bytes.length, at + most));
    at += count;
    return count;
  };
};

const verify = (bytes: Buffer, options: Partial<VerifyOptions> = {}): Verdict =>
  verifyExport(reading(bytes), { keys, ...options });

const linesOf = (bytes: Buffer): string[] => bytes.toString('utf8').trimEnd().split('\n');
const fileOf = (lines: readonly string[]): Buffer => Buffer.from(`${lines.join('\n')}\n`, 'utf8');

/** What is said first: its kind, and where. */
const firstOf = ({ ok, problem, flags }: Verdict) => {
  const first = problem ?? flags[0];
  return { ok, kind: first?.kind, line: first?.line, leaf: first?.leaf };
};

const found = (kind: FindingKind, line: number | null, leaf: number | null) => ({ ok: false, kind, line, leaf });

describe('an export that nobody touched', () => {
  test('is complete to its checkpoint, and says what isn’t shown', async () => {
    const verdict = verify(await new Log(leavesOf(23)).export());
    expect(verdict).toMatchObject({
      ok: true,
      problem: null,
      flagged: 0,
      leaves: 23,
      withheld: 0,
      header: { origin: signer.name, from: 0, to: 23, filter: null },
      checkpoint: { size: 23 },
      since: null,
      unanchored: true,
      timeLeaves: 6,
      oneSided: 2,
    });
  });

  test('verifies whatever its range, its selection and the tree’s size, with leaves and proofs from before and after', async () => {
    const leaves = leavesOf(70);
    const ranges = fc
      .tuple(fc.integer({ min: 1, max: 70 }), fc.nat(70), fc.nat(70), fc.integer({ min: 1, max: 70 }))
      .map(([size, a, b, older]) => ({
        size,
        from: Math.min(size, a, b),
        to: Math.min(size, Math.max(a, b)),
        older: Math.min(size, older),
      }));
    await fc.assert(
      fc.asyncProperty(ranges, fc.integer({ min: 1, max: 5 }), fc.boolean(), async ({ size, from, to, older }, every, strict) => {
        const log = new Log(leaves);
        const bytes = await log.export({
          size,
          from,
          to,
          select: (index) => index % 4 === 0 || index % every === 0,
          filter: 'some',
          proofs: [older],
        });
        const verdict = verify(bytes, { strict, since: log.checkpoint(older) });
        expect(firstOf(verdict)).toEqual({ ok: true });
        expect(verdict.leaves).toBe(to - from);
        expect(verdict.since).toEqual({
          size: older,
          shownBy: (older >= from && older <= to) || older === size ? 'leaves' : 'proof',
        });
      }),
    );
  });

  test('is the same verdict in whatever pieces it is read', async () => {
    const bytes = await new Log(leavesOf(9)).export({ select: (index) => index !== 5, filter: 'some' });
    const whole = verify(bytes);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), (most) => {
        expect(verifyExport(reading(bytes, most), { keys })).toEqual(whole);
      }),
    );
  });

  test('may hold a leaf that is longer than what is read at once', async () => {
    const long = eventAt(start, { detail: { text: 'x'.repeat(3_000_000) } });
    expect(verify(await new Log([long, ...leavesOf(3)]).export()).leaves).toBe(4);
  });

  test('is verified by one of several keys, as after a rotation', async () => {
    const former = generateSignerKey(signer.name);
    const bytes = await new Log(leavesOf(5), [former, signer]).export();
    for (const key of [former, signer]) expect(verify(bytes, { keys: [verifierKeyOf(key)] }).ok).toBe(true);
    expect(firstOf(verify(bytes, { keys: [verifierKeyOf(generateSignerKey(signer.name))] }))).toEqual(
      found('SIGNATURE', 7, null),
    );
  });

  test('names where its log began again after a restore', async () => {
    const bytes = await new Log([...leavesOf(2), eventAt(start + 20_000, { action: 'log.fork' })]).export();
    expect(verify(bytes)).toMatchObject({ ok: true, forks: [2], forked: 1 });
  });

  test('names the first of many places where its log began again, and how many there are', async () => {
    const forks = Array.from({ length: 50 }, (_, place) => eventAt(start + place, { action: 'log.fork' }));
    const verdict = verify(await new Log(forks).export());
    expect(verdict).toMatchObject({ ok: true, forks: Array.from({ length: 20 }, (_, place) => place), forked: 50 });
    expect(statementsOf(verdict).filter((text) => text.includes('new name'))).toHaveLength(20);
    expect(statementsOf(verdict).at(-1)).toBe('… and 30 more leaves say so');
  });

  test.each([
    '2026-09-01T09:00:00.000',
    '2026-09-01T09:00:00.000+00:00',
    '2026-09-01T09:00:00Z',
    'Tue, 01 Sep 2026 09:00:00 GMT',
    '2026-09-01',
  ])('whose event is dated in another form than leaves have, %s, has no time for it, wherever it is verified', async (at) => {
    const leaf = eventAt(Date.parse('2026-09-01T09:00:00.000Z'))
      .toString('utf8')
      .replace(/"at":"[^"]*"/, `"at":"${at}"`);
    expect(firstOf(verify(await new Log([Buffer.from(leaf)]).export()))).toEqual(found('TIME', 2, 0));
  });
});

describe('a changed byte', () => {
  test('is found wherever it is, unless it is in what the exporter merely says', async () => {
    const log = new Log(leavesOf(8));
    const bytes = await log.export({
      from: 3,
      to: 6,
      select: (index) => index !== 4,
      filter: 'some',
      anchors: [{ anchor: 'witness', anchoredAt: new Date(start), checkpoint: log.checkpoint(7) }],
      proofs: [7],
    });
    expect(verify(bytes).ok).toBe(true);
    // The filter in words, an anchor's name and time: nobody signed them.
    const said = ['some', 'witness', new Date(start).toISOString()].map((text) => {
      const at = bytes.indexOf(`"${text}"`);
      return [at, at + text.length + 2] as const;
    });
    for (let at = 0; at < bytes.length; at += 1) {
      if (said.some(([begin, end]) => at >= begin && at < end)) continue;
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      expect({ at, ok: verify(changed).ok }).toEqual({ at, ok: false });
    }
  });

  test('is found wherever the file ends too early', async () => {
    const bytes = await new Log(leavesOf(3)).export();
    for (let length = 0; length < bytes.length; length += 1) {
      const { ok, problem } = verify(bytes.subarray(0, length));
      expect({ length, ok, kind: problem?.kind }).toEqual({ length, ok: false, kind: 'CUT' });
    }
  });
});

describe('a line', () => {
  let lines: string[];
  beforeAll(async () => {
    lines = linesOf(await new Log(leavesOf(8)).export());
  });

  test('that is edited is named, and what it means is said', () => {
    const verdict = verify(fileOf(lines.with(4, (lines[4] as string).replace('ALLOWED', 'DENIED'))));
    expect(firstOf(verdict)).toEqual(found('ALTERED', 5, 3));
    expect(verdict.problem).toMatchObject({
      what: 'the leaf’s bytes don’t have the hash beside them',
      means: expect.stringContaining('changed after its hash was recorded'),
    });
    expect(verdict.checkpoint).toBeNull();
  });

  test('that is edited with its hash is known by the root', () => {
    const leaf = eventAt(start);
    const forged = formatLeaf({ index: 3, hash: leafHash(leaf), leaf })
      .toString('utf8')
      .trimEnd();
    expect(firstOf(verify(fileOf(lines.with(4, forged))))).toEqual(found('ROOT', 10, null));
  });

  test.each<[string, (lines: readonly string[]) => string[], FindingKind, number, number | null]>([
    ['is deleted', (all) => all.toSpliced(4, 1), 'ORDER', 5, 3],
    ['is deleted and the others are numbered again', (all) => renumbered(all.toSpliced(4, 1)), 'ORDER', 9, 7],
    ['is swapped with the next', (all) => all.with(4, all[5] as string).with(5, all[4] as string), 'ORDER', 5, 3],
    ['is repeated', (all) => all.toSpliced(4, 0, all[4] as string), 'ORDER', 6, 4],
    [
      'is put in at the end',
      (all) => all.toSpliced(9, 0, (all[8] as string).replace('"index":7', '"index":8')),
      'ORDER',
      10,
      null,
    ],
    ['is empty', (all) => all.toSpliced(4, 0, ''), 'FORMAT', 5, 3],
    ['ends as in another system', (all) => all.map((line) => `${line}\r`), 'FORMAT', 1, null],
    ['follows the last', (all) => [...all, all[1] as string], 'ORDER', 11, null],
    ['is first and isn’t there', (all) => all.slice(1), 'FORMAT', 1, null],
    ['is last and isn’t there', (all) => all.slice(0, -1), 'CUT', 10, null],
    ['is withheld under another hash', (all) => all.with(4, `{"index":3,"hash":"${'0'.repeat(64)}"}`), 'ROOT', 10, null],
  ])('that %s is named', (_what, change, kind, line, leaf) => {
    expect(firstOf(verify(fileOf(change(lines))))).toEqual(found(kind, line, leaf));
  });

  const renumbered = (all: readonly string[]): string[] =>
    all.map((line, at) => line.replace(/^\{"index":\d+/, `{"index":${at - 1}`));

  test('that is swapped with the next and numbered again is known by the root', () => {
    const swapped = renumbered(lines.with(4, lines[5] as string).with(5, lines[4] as string));
    expect(firstOf(verify(fileOf(swapped)))).toEqual(found('ROOT', 10, null));
  });

  test('that is deleted with everything said anew, but for the signature, is known by the root', () => {
    const fewer = renumbered(lines.toSpliced(4, 1)).map((line) => line.replace('"to":8', '"to":7'));
    expect(firstOf(verify(fileOf(fewer)))).toEqual(found('FORMAT', 9, null));
  });

  test('of the filter may not hide that leaves are withheld', async () => {
    const bytes = await new Log(leavesOf(8)).export({ select: (index) => index !== 5, filter: null });
    expect(firstOf(verify(bytes))).toEqual(found('FORMAT', 1, null));
  });
});

describe('whoever has the database and the key', () => {
  const honest = leavesOf(20);
  const kept = new Log(honest).checkpoint(12);
  const rebuilt = (leaves: readonly Buffer[], options: Partial<VerifyOptions> = { since: kept }) =>
    new Log(leaves).export({ proofs: leaves.length >= 12 ? [12] : [] }).then((bytes) => verify(bytes, options));

  test.each<[string, Buffer[]]>([
    ['edits a leaf', honest.with(5, eventAt(start + 5 * 15_000, { outcome: 'DENIED' }))],
    ['deletes a leaf', honest.toSpliced(5, 1)],
    ['swaps two leaves', honest.with(5, honest[6] as Buffer).with(6, honest[5] as Buffer)],
    ['inserts a leaf in the past', honest.toSpliced(5, 0, eventAt(start + 5 * 15_000, {}, 'atx_other'))],
  ])('and %s before an anchored checkpoint is found out by it, and by nothing else', async (_what, leaves) => {
    expect(firstOf(await rebuilt(leaves))).toEqual(found('HISTORY', leaves.length + 2, null));
    expect(await rebuilt(leaves, {})).toMatchObject({ ok: true, since: null });
  });

  test('and cuts the tail off to before an anchored checkpoint is found out by it', async () => {
    const verdict = await rebuilt(honest.slice(0, 10));
    expect(firstOf(verdict)).toEqual(found('HISTORY', 12, null));
    expect(verdict.problem?.what).toContain('covers 12 leaves, this export’s only 10');
  });

  test('and rewrites what came after it isn’t found out by it: only by a later one', async () => {
    const leaves = honest.with(15, eventAt(start + 15 * 15_000));
    expect(await rebuilt(leaves)).toMatchObject({ ok: true, since: { size: 12 } });
    expect(firstOf(await rebuilt(leaves, { since: new Log(honest).checkpoint(18) }))).toMatchObject({
      ok: false,
      kind: 'HISTORY',
    });
  });

  test('and lists an anchor that the log doesn’t continue is found out', async () => {
    const anchors = [{ anchor: 'witness', anchoredAt: new Date(start), checkpoint: kept }];
    const log = new Log(honest.toSpliced(5, 1));
    expect(firstOf(verify(await log.export({ anchors, proofs: [12] })))).toMatchObject({ kind: 'HISTORY' });
    expect(firstOf(verify(await log.export({ anchors })))).toMatchObject({ kind: 'UNSHOWN' });
    expect(firstOf(verify(await log.export({ size: 10, anchors })))).toMatchObject({ kind: 'HISTORY' });
  });

  test('and dates an event back is found out by the time leaf before it', async () => {
    const dated = honest.toSpliced(18, 0, eventAt(start + 5 * 15_000));
    const verdict = verify(await new Log(dated).export());
    expect(firstOf(verdict)).toEqual(found('TIME', 20, 18));
    expect(verdict.problem).toBeNull();
    expect(verdict.flags[0]).toMatchObject({
      what: expect.stringContaining('before the time leaf'),
      means: expect.stringContaining('back-dated'),
    });
  });

  test('and dates an event forward, or its id otherwise, is found out too', async () => {
    const forward = honest.toSpliced(5, 0, eventAt(start + 18 * 15_000));
    expect(firstOf(verify(await new Log(forward).export()))).toEqual(found('TIME', 7, 5));
    const leaf = JSON.parse((honest[5] as Buffer).toString('utf8')) as { id: string };
    const other = (honest[5] as Buffer).toString('utf8').replace(leaf.id.slice(0, 14), 'evt_01K4ZJ0000');
    expect(firstOf(verify(await new Log(honest.with(5, Buffer.from(other))).export()))).toEqual(found('TIME', 7, 5));
  });

  test('and turns the clock back for a while leaves a time leaf that goes back', async () => {
    const back = [...honest, timeAt(start + 10 * 15_000), eventAt(start + 11 * 15_000), timeAt(start + 21 * 15_000)];
    expect(firstOf(verify(await new Log(back).export()))).toEqual(found('TIME', 22, 20));
  });

  test('and turns it back in many little steps doesn’t get by', async () => {
    const steps = Array.from({ length: 40 }, (_, step) => timeAt(start + 20 * 15_000 - step * 4_000));
    expect(verify(await new Log([...honest, ...steps]).export()).flagged).toBeGreaterThan(10);
  });

  test('and puts an event in twice is found out, near by the id and far off by the time', async () => {
    const near = honest.toSpliced(7, 0, honest[5] as Buffer);
    expect(firstOf(verify(await new Log(near).export()))).toEqual(found('DUPLICATE', 9, 7));
    const far = honest.toSpliced(19, 0, honest[5] as Buffer);
    expect(firstOf(verify(await new Log(far).export()))).toEqual(found('TIME', 21, 19));
  });
});

describe('a checkpoint that was kept', () => {
  const log = new Log(leavesOf(20));

  test('that the export neither reaches back to nor has a proof for shows nothing, and that is said', async () => {
    const bytes = await log.export({ from: 10 });
    expect(firstOf(verify(bytes, { since: log.checkpoint(5) }))).toEqual(found('UNSHOWN', 12, null));
    expect(verify(bytes, { since: log.checkpoint(10) }).ok).toBe(true);
  });

  test('of the same size must be the same', async () => {
    const bytes = await log.export();
    expect(verify(bytes, { since: log.checkpoint() })).toMatchObject({ ok: true, since: { size: 20 } });
    expect(firstOf(verify(bytes, { since: new Log(leavesOf(20)).checkpoint() }))).toMatchObject({ kind: 'HISTORY' });
  });

  test('helps to say where leaves were changed', async () => {
    const { header, leaves, trailer } = await log.parts();
    const forged = eventAt(start);
    const altered = (index: number) =>
      Buffer.concat([
        formatHeader(header),
        ...leaves.with(index, { index, hash: leafHash(forged), leaf: forged }).map(formatLeaf),
        formatTrailer(trailer),
      ]);
    const since = log.checkpoint(8);
    expect(verify(altered(5), { since }).problem?.means).toContain('The first 8 leaves aren’t those');
    expect(verify(altered(15), { since }).problem?.means).toContain('The first 8 leaves are still those');
  });

  test.each<[string, string, FindingKind]>([
    ['isn’t a signed note', 'nothing', 'SIGNATURE'],
    ['is signed by another key', new Log(leavesOf(3), [generateSignerKey(signer.name)]).checkpoint(), 'SIGNATURE'],
  ])('is refused where it %s', async (_what, since, kind) => {
    expect(firstOf(verify(await log.export(), { since }))).toEqual(found(kind, null, null));
  });

  test('of another log can’t be compared', async () => {
    const other = generateSignerKey('other.example/log');
    const since = signCheckpoint({ origin: other.name, size: 1, root: leafHash(Buffer.from('a')), extensions: [] }, [other]);
    expect(firstOf(verify(await log.export(), { keys: [...keys, verifierKeyOf(other)], since }))).toEqual(
      found('HISTORY', null, null),
    );
  });
});

describe('anchors', () => {
  const log = new Log(leavesOf(20));

  test('are named with what they hold', async () => {
    const anchors = [7, 20].map((size) => ({ anchor: 'witness', anchoredAt: new Date(start), checkpoint: log.checkpoint(size) }));
    expect(verify(await log.export({ from: 9, anchors, proofs: [7] }))).toMatchObject({
      ok: true,
      unanchored: false,
      anchors: [{ size: 7 }, { size: 20 }],
    });
  });

  test('are missing where a checkpoint says so', async () => {
    const { header, leaves, trailer } = await log.parts();
    const checkpoint = log.checkpoint(20, [unanchoredExtension]);
    const bytes = Buffer.concat([formatHeader(header), ...leaves.map(formatLeaf), formatTrailer({ ...trailer, checkpoint })]);
    expect(verify(bytes)).toMatchObject({ ok: true, unanchored: true });
  });
});

describe('a witness', () => {
  const log = new Log(leavesOf(20));
  const seenAt = Math.floor(start / 1_000);
  const witnessOf = (name: string) => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const bytes = Buffer.concat([Buffer.of(4), publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)]);
    const id = createHash('sha256').update(`${name}\n`).update(bytes).digest().subarray(0, 4);
    return { privateKey, key: parseWitnessKey(`${name}+${id.toString('hex')}+${bytes.toString('base64')}`) };
  };
  const [witness, other] = [witnessOf('witness.example'), witnessOf('other.example')];
  const cosigned = (
    note: string,
    { key, privateKey }: { key: typeof witness.key; privateKey: KeyObject },
    text = parseNote(note).text,
  ) => {
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(seenAt));
    const signature = Buffer.concat([time, sign(null, cosignedText(text, seenAt), privateKey)]);
    const { signatures } = parseNote(note);
    return formatNote({
      text: parseNote(note).text,
      signatures: [...signatures, { name: key.name, keyId: key.keyId, signature }],
    });
  };
  const exported = (checkpoint: string) =>
    log.export({ anchors: [{ anchor: 'a', anchoredAt: new Date(0), checkpoint }], proofs: [7] });

  test('that cosigned a checkpoint in the export shows what the log was then, whatever the export says', async () => {
    const bytes = await exported(cosigned(log.checkpoint(7), witness));
    const cosignature = { witness: 'witness.example', at: new Date(seenAt * 1_000) };
    for (const witnesses of [[witness.key], [other.key, witness.key]])
      expect(verify(bytes, { witnesses })).toMatchObject({ ok: true, anchors: [{ size: 7, cosignature }] });
    expect(verify(bytes)).toMatchObject({ ok: true, anchors: [{ size: 7, cosignature: null }] });
  });

  test('that didn’t is missed, and one that cosigned something else spoils the checkpoint', async () => {
    const witnesses = [witness.key];
    expect(firstOf(verify(await exported(log.checkpoint(7)), { witnesses }))).toEqual(found('UNSHOWN', 22, null));
    expect(firstOf(verify(await exported(cosigned(log.checkpoint(7), other)), { witnesses }))).toEqual(
      found('UNSHOWN', 22, null),
    );
    const elsewhere = cosigned(log.checkpoint(7), witness, parseNote(log.checkpoint(8)).text);
    expect(firstOf(verify(await exported(elsewhere), { witnesses }))).toEqual(found('SIGNATURE', 22, null));
  });
});

describe('the events of one transaction', () => {
  const [first, second, third] = [0, 1, 2].map((ordinal) => eventAt(start + 1, {}, 'atx_one', ordinal)) as [
    Buffer,
    Buffer,
    Buffer,
  ];
  const time = timeAt(start);

  test.each<[string, Buffer[], number]>([
    ['in another order', [time, first, third, second], 2],
    ['without the first', [time, second, third], 1],
    ['without one between', [time, first, third], 2],
    ['with another in the place of the first', [time, first, second, eventAt(start + 1, {}, 'atx_one', 0)], 3],
  ])('%s are named', async (_what, leaves, leaf) => {
    expect(firstOf(verify(await new Log(leaves).export()))).toEqual(found('TRANSACTION', leaf + 2, leaf));
  });

  test('may be withheld in part, or begin before the export', async () => {
    const log = new Log([time, first, second, third]);
    const options = { filter: 'some' } as const;
    for (const hidden of [1, 2, 3])
      expect(firstOf(verify(await log.export({ ...options, select: (index) => index !== hidden })))).toEqual({ ok: true });
    expect(firstOf(verify(await log.export({ from: 2 })))).toEqual({ ok: true });
  });
});

describe('a leaf', () => {
  const text = (leavesOf(2)[1] as Buffer).toString('utf8');
  const verdictOf = async (leaf: string, strict: boolean) =>
    verify(await new Log([timeAt(start), Buffer.from(leaf, 'utf8')]).export(), { strict });

  test.each([
    ['isn’t JSON', 'not JSON'],
    ['is no object', '[1]'],
    ['is of an unknown version', text.replace('"v":1}', '"v":2}')],
    ['has no time', text.replace('"at":', '"when":')],
    ['has a negative ordinal', text.replace('"ordinal":0', '"ordinal":-1')],
  ])('that %s is named', async (_what, leaf) => {
    for (const strict of [false, true]) expect(firstOf(await verdictOf(leaf, strict))).toEqual(found('LEAF', 3, 1));
  });

  test.each([
    ['has a space', text.replace('"v":1}', '"v": 1}')],
    ['has its members in another order', text.replace(/^\{("action":"[^"]*"),(.*)\}$/, '{$2,$1}')],
    ['has a member twice', text.replace('"v":1}', '"v":1,"v":1}')],
    ['writes a letter another way', text.replace('disclosure', '\\u0064isclosure')],
    ['has another member', text.replace('"v":1}', '"v":1,"w":1}')],
    ['has an outcome that there isn’t', text.replace('ALLOWED', 'PERHAPS')],
    ['lacks a member', text.replace('"ticket":null,', '')],
    ['has a salt of another length', text.replace(/"salt":"../, '"salt":"')],
    ['has a role that is none', text.replace('"AGENT"', '1')],
  ])('that %s is named under --strict', async (_what, leaf) => {
    expect(leaf).not.toBe(text);
    expect((await verdictOf(leaf, false)).problem).toBeNull();
    expect(firstOf(await verdictOf(leaf, true))).toEqual(found('LEAF', 3, 1));
  });

  test('of bytes that aren’t UTF-8 is named under --strict', async () => {
    const bytes = eventAt(start, { detail: { a: 'é' } });
    const broken = Buffer.from(bytes);
    broken[bytes.indexOf(0xc3)] = 0xff;
    const file = await new Log([broken]).export();
    expect(firstOf(verify(file, { strict: true }))).toEqual(found('LEAF', 2, 0));
  });
});

describe('a CSV file', () => {
  const leaves = [...leavesOf(6), eventAt(start + 80_000, { detail: { formula: '=1+1', quote: 'a"b', line: 'a\nb' } })];
  const log = new Log(leaves);
  const rows = (select: (index: number) => boolean): Buffer[] => [
    csvHeader(),
    ...leaves.flatMap((leaf, index) => (select(index) ? [csvRow(index, leafHash(leaf), readLeaf(leaf.toString('utf8')))] : [])),
  ];
  const select = (index: number) => index !== 2;
  const verdictOf = async (table: readonly Buffer[]) =>
    firstOf(verify(await log.export({ select, filter: 'some' }), { csv: reading(Buffer.concat(table)) }));

  test('is what its manifest says', async () => {
    expect(await verdictOf(rows(select))).toEqual({ ok: true });
  });

  test.each<[string, (table: Buffer[]) => Buffer[], number, number | null]>([
    ['an edited row', (table) => table.with(3, Buffer.from((table[3] as Buffer).toString().replace('ALLOWED', 'DENIED'))), 4, 3],
    ['a row less', (table) => table.toSpliced(3, 1), 4, 3],
    ['its last row less', (table) => table.slice(0, -1), 6, 6],
    ['a row more', (table) => [...table, table[3] as Buffer], 8, null],
    ['other columns', (table) => table.with(0, Buffer.from('"a"\r\n')), 1, null],
  ])('with %s is named', async (_what, change, line, leaf) => {
    expect(await verdictOf(change(rows(select)))).toEqual(found('ROW', line, leaf));
  });

  test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '  =1', '＝1', '|cmd', '%0'])(
    'starts no formula with %j',
    (text) => {
      const leaf = readLeaf(eventAt(start, { ticketId: text, actor: { ...actor, id: text } }).toString('utf8'));
      const cells = csvRow(0, leafHash(Buffer.from('a')), leaf)
        .toString('utf8')
        .trimEnd()
        .slice(1, -1)
        .split('","');
      expect(cells[4]).toMatch(/^'/);
      for (const cell of cells) expect(cell).not.toMatch(/^\s*[=+\-@|%＝＋－＠\t\r]/);
    },
  );

  test('has one line a row, and quotes that stand for themselves, whatever a leaf holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const leaf = { ...readLeaf(eventAt(start).toString('utf8')), ticket: text };
        const row = csvRow(0, leafHash(Buffer.from('a')), leaf).toString('utf8');
        expect(row.slice(0, -2)).not.toMatch(/[\r\n]/);
        expect(row.slice(0, -2)).toMatch(/^(?:"(?:[^"]|"")*",){17}"(?:[^"]|"")*"$/);
      }),
    );
  });
});

describe('writing an export', () => {
  const log = new Log(leavesOf(4));
  const write = async (change: (leaves: readonly ExportedLeaf[]) => readonly ExportedLeaf[]) => {
    const { header, leaves, trailer } = await log.parts();
    async function* each() {
      yield* change(leaves);
    }
    for await (const _chunk of writeExport(header, each(), () => trailer));
  };

  test.each<[string, (leaves: readonly ExportedLeaf[]) => readonly ExportedLeaf[]]>([
    ['a gap', (leaves) => leaves.toSpliced(1, 1)],
    ['too few leaves', (leaves) => leaves.slice(0, -1)],
    ['too many', (leaves) => [...leaves, { ...(leaves[0] as ExportedLeaf), index: 4 }]],
    ['a line break in a leaf', (leaves) => leaves.with(1, { ...(leaves[1] as ExportedLeaf), leaf: Buffer.from('{\n}') })],
    ['a hash of another length', (leaves) => leaves.with(1, { ...(leaves[1] as ExportedLeaf), hash: Buffer.alloc(31) })],
  ])('fails with %s', async (_what, change) => {
    await expect(write(change)).rejects.toThrow(/expected|line break/);
  });
});
