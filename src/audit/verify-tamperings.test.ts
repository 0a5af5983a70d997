import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyExport } from '../../test/support/both-verifiers';
import { planAction, planDigest, planSubject } from './access-plan';
import { type CanonicalValue, canonicalize } from './canonical';
import { signCheckpoint } from './checkpoint';
import { formatHeader, formatLeaf, formatTrailer } from './export-format';
import { compactRange, consistencyPath, Frontier, inclusionPath, leafHash, type NodeAt } from './merkle';
import { signerKeyOf, verifierKeyOf } from './note';
import type { Verdict } from './verify';

/**
 * What the verifier finds in hundreds of exports that somebody tampered with: on the file's way, and by the log's owner, who signs anew. Each
 * tampering follows from its number; what each is found by was recorded from a verifier that parsed every leaf as JSON.
 */

const origin = 'audit.example/log';
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8, Buffer.alloc(32, 7)]), format: 'der', type: 'pkcs8' });
const signer = signerKeyOf(origin, privateKey);
const keys = [verifierKeyOf(signer)];
const start = Date.UTC(2026, 8, 1, 9);
const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The same numbers between 0 and 1 for the same seed (mulberry32). */
const randomOf = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

const idAt = (at: number, number: number): string => {
  let time = '';
  for (let rest = at; time.length < 10; rest = Math.floor(rest / 32)) time = crockford.charAt(rest % 32) + time;
  return `evt_${time}${String(number).padStart(16, '0')}`;
};

interface Facts {
  readonly [name: string]: CanonicalValue;
}

const leafOf = (number: number, at: number, facts: Facts = {}): Buffer =>
  Buffer.from(
    canonicalize({
      v: 1,
      id: idAt(at, number),
      tx: `atx_${number}`,
      ordinal: 0,
      at: new Date(at).toISOString(),
      action: 'disclosure',
      outcome: 'ALLOWED',
      actor: { id: `act_${number % 3}`, kind: 'staff', roles: ['AGENT'] },
      ticket: `tkt_${number}`,
      assistance: null,
      subject: null,
      salt: 'A'.repeat(22),
      customers: ['c'.repeat(43)],
      notes: {},
      detail: {},
      ...facts,
    }),
    'utf8',
  );

const plans = ['first', 'second'].map((operation) => ({
  operation,
  policy: 'p',
  links: ['VERIFIED', 'NONE'],
  fields: [
    ['Customer.email', 'reveal', 'omit'],
    ['Customer.phone', 'mask:phone', 'omit'],
  ],
}));
const counts = { NONE: [0, 1], VERIFIED: [2, 0] };

/** Each kind of leaf, four times over, half a minute between two leaves. */
const honest: readonly Buffer[] = Array.from({ length: 4 }, (_, round): Buffer[] => {
  const at = (place: number) => start + (round * 10 + place) * 30_000;
  const number = (place: number) => round * 10 + place;
  const plan = plans[round % 2] as (typeof plans)[number];
  const named = { counts, plan: planDigest(plan), tickets: ['tkt_1', 'tkt_2'] };
  return [
    leafOf(number(0), at(0), { action: 'log.time', ticket: null, customers: [] }),
    round < 2
      ? leafOf(number(1), at(1), { v: 2, action: planAction, subject: { type: planSubject, id: planDigest(plan) }, detail: plan })
      : leafOf(number(1), at(1), { action: 'actor.first-seen', subject: { type: 'Actor', id: 'act_1' } }),
    leafOf(number(2), at(2), { v: 2, detail: named }),
    leafOf(number(3), at(3), { detail: { fields: [['Customer.email', 'reveal', 1]], objects: { Ticket: ['tkt_1'] } } }),
    leafOf(number(4), at(4), { tx: `atx_of_three_${round}`, ordinal: 0, notes: { reason: 'n'.repeat(43) } }),
    leafOf(number(5), at(5), { tx: `atx_of_three_${round}`, ordinal: 1, assistance: 'ast_1' }),
    leafOf(number(6), at(6), { tx: `atx_of_three_${round}`, ordinal: 2, outcome: 'DENIED', action: 'denial' }),
    leafOf(number(7), at(7), { detail: { text: 'Zoë said "no" \\ and\nleft', rate: 1.5 } }),
    leafOf(number(8), at(8), { action: round === 3 ? 'log.fork' : 'source.sync', customers: [] }),
    leafOf(number(9), at(9), { v: 2, ticket: null, detail: { ...named, others: [['Message.body', 'mask', 1]] } }),
  ];
}).flat();

const treeOf = (leaves: readonly Buffer[]): { readonly nodeAt: NodeAt; readonly root: Buffer } => {
  const nodes = new Map<string, Buffer>();
  const tree = new Frontier();
  for (const leaf of leaves) tree.append(leafHash(leaf), (level, index, node) => nodes.set(`${level}/${index}`, node));
  return { nodeAt: (level, index) => nodes.get(`${level}/${index}`) as Buffer, root: tree.root() };
};
const noteOf = (leaves: readonly Buffer[]): string =>
  signCheckpoint({ origin, size: leaves.length, root: treeOf(leaves).root, extensions: [] }, [signer]);

const kept = noteOf(honest.slice(0, 20));

/** The whole log, or a part of it with all that ties it to the rest. */
const exportOf = async (leaves: readonly Buffer[], isPart: boolean): Promise<Buffer> => {
  const { nodeAt, root } = treeOf(leaves);
  const size = leaves.length;
  const [from, to] = isPart ? [11, size - 3] : [0, size];
  const isHidden = (index: number) => isPart && index % 5 === 0;
  return Buffer.concat([
    formatHeader({ origin, from, to, filter: isPart ? 'some' : null, left: await compactRange(0, from, nodeAt) }),
    ...leaves.slice(from, to).map((leaf, offset) => {
      const index = from + offset;
      return formatLeaf({ index, hash: leafHash(leaf), leaf: isHidden(index) ? null : leaf });
    }),
    formatTrailer({
      checkpoint: signCheckpoint({ origin, size, root, extensions: [] }, [signer]),
      right: await compactRange(to, size, nodeAt),
      consistency: [{ size: 20, path: await consistencyPath(20, size, nodeAt) }],
      anchors: [{ anchor: 'witness', anchoredAt: new Date(start), checkpoint: kept }],
      // The first plan stands before the part, the second in it.
      plans: isPart
        ? [{ index: 1, leaf: (leaves[1] as Buffer).toString('utf8'), path: await inclusionPath(size, 1, nodeAt) }]
        : [],
    }),
  ]);
};

type Random = () => number;
const below = (random: Random, most: number): number => Math.floor(random() * most);
const oneOf = <T>(random: Random, all: readonly T[]): T => all[below(random, all.length)] as T;

/** What JSON, canonical JSON and a reader that hurries would stumble over, each in its way. */
const pieces: readonly string[] = [
  ...['"', '\\', '\\"', '\\u0061', '{', '}', '[', ']', '{}', '[]', ',', ':', ' ', '\t', '\u0000', 'é', '\u2028', '0', '1', '-1'],
  ...['00', '1e3', 'null', 'true', 'x', '"at":', '"id":"evt_1",', '"tx":"atx_1",', ',"v":1', ',"v":2', '"v":3', '"ordinal":7,'],
  ...[
    '"plan":"',
    '"fields":[],',
    '"action":"log.time",',
    ',"id":"evt_',
    '"tickets":["tkt_9"]',
    '2026-09-01T09:00:00.000Z',
    'T24:00',
  ],
  ...['log.time', 'log.fork', 'plan.register', 'denial', 'evt_', 'atx_1', 'a'.repeat(64), '\u00ff', '}}', '"}', '"},"', ']}'],
];

const edit = (random: Random, bytes: Buffer): Buffer => {
  const at = below(random, bytes.length + 1);
  const length = below(random, oneOf(random, [1, 2, 5, 30]));
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (below(random, 6)) {
    case 0: {
      const flipped = Buffer.from(bytes);
      const place = Math.min(at, bytes.length - 1);
      flipped[place] = (flipped[place] as number) ^ (1 << below(random, 8));
      return flipped;
    }
    case 1:
      return Buffer.concat([before, Buffer.from(oneOf(random, pieces), 'utf8'), after]);
    case 2:
      return Buffer.concat([before, Buffer.from(oneOf(random, pieces), 'utf8'), after.subarray(length)]);
    case 3:
      return Buffer.concat([before, after.subarray(1 + length)]);
    case 4:
      return Buffer.concat([before, after.subarray(0, length), after]);
    // At a place where a member begins or ends.
    default: {
      const place = bytes.indexOf(oneOf(random, [',"', '":', '{', '}']), at);
      const split = place < 0 ? bytes.length : place + below(random, 2);
      return Buffer.concat([bytes.subarray(0, split), Buffer.from(oneOf(random, pieces), 'utf8'), bytes.subarray(split)]);
    }
  }
};

const shuffle = <T>(random: Random, all: readonly T[]): T[] => {
  const [at, other] = [below(random, all.length), below(random, all.length)];
  switch (below(random, 4)) {
    case 0:
      return all.toSpliced(at, 1 + below(random, 3));
    case 1:
      return all.toSpliced(other, 0, all[at] as T);
    case 2:
      return all.with(at, all[other] as T).with(other, all[at] as T);
    default:
      return all.with(at, all[other] as T);
  }
};

/** Whoever has the file between the gateway and its reader. */
const onItsWay = (random: Random, file: Buffer): Buffer => {
  const lines = file.toString('latin1').trimEnd().split('\n');
  switch (below(random, 4)) {
    case 0:
      return Buffer.from(`${shuffle(random, lines).join('\n')}\n`, 'latin1');
    case 1:
      return file.subarray(0, below(random, file.length));
    case 2: {
      const at = below(random, lines.length);
      const line = edit(random, Buffer.from(lines[at] as string, 'latin1')).toString('latin1');
      return Buffer.from(`${lines.with(at, line).join('\n')}\n`, 'latin1');
    }
    default:
      return edit(random, file);
  }
};

/** The log's owner, whose leaves have the hashes beside them and stand under a root that is signed. */
const byTheOwner = (random: Random): readonly Buffer[] => {
  if (below(random, 4) === 0) return shuffle(random, honest);
  let leaves = honest;
  for (let edits = 1 + below(random, 3); edits > 0; edits -= 1) {
    const at = below(random, leaves.length);
    let leaf = edit(random, leaves[at] as Buffer);
    if (below(random, 3) === 0) leaf = edit(random, leaf);
    // A line break ends the line, which is a tampering of the other kind.
    leaves = leaves.with(at, Buffer.from(leaf.toString('latin1').replaceAll('\n', ' '), 'latin1'));
  }
  return leaves;
};

const untouched = [exportOf(honest, false), exportOf(honest, true)] as const;

const tampered = async (seed: number): Promise<Buffer> => {
  const random = randomOf(seed);
  const isPart = below(random, 2) === 0;
  return below(random, 2) === 0 ? onItsWay(random, await untouched[isPart ? 1 : 0]) : exportOf(byTheOwner(random), isPart);
};

const verify = (bytes: Buffer, strict: boolean): Verdict => {
  let at = 0;
  const read = (into: Buffer): number => {
    const count = bytes.copy(into, 0, at, at + 65_536);
    at += count;
    return count;
  };
  return verifyExport(read, { keys, strict, since: kept });
};

const placed = ({ kind, line, leaf }: { kind: string; line: number | null; leaf: number | null }): string =>
  `${kind} ${line ?? '-'} ${leaf ?? '-'}`;
const summary = ({ problem, flags, flagged, leaves, forks, timeLeaves, oneSided }: Verdict): string =>
  [
    problem === null ? 'no problem' : placed(problem),
    `${flagged}: ${flags.map(placed).join(', ')}`,
    `${leaves} leaves, ${timeLeaves} of time, ${oneSided} beside them, forks ${forks.join(' ') || 'none'}`,
  ].join('; ');

const seeds = 500;
/** By seed a line without `--strict` and one with it. */
const recorded = (): readonly string[] => readFileSync(join(__dirname, 'verify-tamperings.txt'), 'utf8').trimEnd().split('\n');

test('what is found in hundreds of tampered exports is what was found when each leaf was parsed', async () => {
  const found: string[] = [];
  for (let seed = 0; seed < seeds; seed += 1) {
    const bytes = await tampered(seed);
    for (const strict of [false, true]) found.push(`${seed}${strict ? ' strict' : ''}: ${summary(verify(bytes, strict))}`);
  }
  expect(found).toEqual(recorded());
});
