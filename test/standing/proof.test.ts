import type { Continuation, Inclusion, InclusionStep, ToldEvent } from '../../console/verifier/steps';
import { signCheckpoint, unanchoredExtension } from '../../src/audit/checkpoint';
import { readLeaf } from '../../src/audit/leaf';
import { consistencyPath, Frontier, inclusionPath, leafHash, type NodeAt, nodeHash } from '../../src/audit/merkle';
import { formatVerifierKey, generateSignerKey, type SignerKey, verifierKeyOf } from '../../src/audit/note';
import { standalone } from '../support/both-verifiers';
import { SmallLog } from '../support/small-log';

const size = 13;
const index = 6;
const log = new SmallLog(size);
const exported = log.export();
const leaves = exported
  .toString('utf8')
  .split('\n')
  .slice(1, size + 1)
  .map((line) => Buffer.from(line.slice(line.indexOf('"leaf":') + '"leaf":'.length, -1)));
const hashes = leaves.map((leaf) => leafHash(leaf));
const nodeAt: NodeAt = async (level, at) =>
  level === 0 ? (hashes[at] as Buffer) : nodeHash(await nodeAt(level - 1, 2 * at), await nodeAt(level - 1, 2 * at + 1));
const hexOf = (all: readonly Buffer[]): string[] => all.map((each) => each.toString('hex'));
const rootOf = (of: number): Buffer => {
  const tree = new Frontier();
  for (const hash of hashes.slice(0, of)) tree.append(hash);
  return tree.root();
};
const signed = (of: number, signer: SignerKey = log.signer, extensions: readonly string[] = []): string =>
  signCheckpoint({ origin: signer.name, size: of, root: rootOf(of), extensions }, [signer]);

const leaf = readLeaf((leaves[index] as Buffer).toString('utf8'));
const told: ToldEvent = {
  id: leaf.id,
  at: leaf.at,
  action: leaf.action,
  outcome: leaf.outcome,
  actor: leaf.actor,
  ticketId: null,
  assistanceId: null,
  subject: null,
  leafIndex: index,
  leafHash: (hashes[index] as Buffer).toString('hex'),
};
const other = generateSignerKey('audit.example/log');
const keyOf = (signer: SignerKey): string => formatVerifierKey(verifierKeyOf(signer));

const whole = async (): Promise<Inclusion> => ({
  told,
  exported,
  proof: {
    leafIndex: index,
    leafHash: (hashes[index] as Buffer).toString('hex'),
    treeSize: size,
    path: hexOf(await inclusionPath(size, index, nodeAt)),
    rootHash: rootOf(size).toString('hex'),
    note: log.checkpoint(),
  },
  anchors: [
    {
      anchor: 'witness-a',
      anchoredAt: '2026-09-01T09:00:00.000Z',
      note: signed(9),
      path: hexOf(await consistencyPath(9, size, nodeAt)),
    },
  ],
  keys: { own: log.key, offered: [], witnesses: '' },
});

const otherDigit = (text: string, at: number): string =>
  `${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`;
const { proveInclusion, proveContinuation } = standalone();
const outcome = async (given: Inclusion): Promise<readonly [verdict: string, failedAt: InclusionStep | null]> => {
  const { verdict, failedAt } = await proveInclusion(given);
  return [verdict, failedAt];
};

describe('a proof that an event is in the log', () => {
  it('goes from the event to the signed root, and says each step', async () => {
    const { verdict, failedAt, steps } = await proveInclusion(await whole());
    expect([verdict, failedAt]).toEqual(['PROVEN', null]);
    expect(steps.leaf).toMatchObject({ why: 'CANONICAL', text: String(leaves[index]), bytes: leaves[index]?.length });
    expect(steps.hash.computed).toBe(steps.hash.told);
    expect(steps.path.nodes.map(({ side }) => side)).toEqual(['right', 'left', 'left', 'right']);
    expect(steps.path.nodes.at(-1)?.node).toBe(rootOf(size).toString('hex'));
    expect(steps.root).toEqual({
      state: 'shown',
      why: 'SIGNED',
      computed: steps.root.signed,
      signed: rootOf(size).toString('hex'),
    });
    expect(steps.signature).toMatchObject({ why: 'BY_OWN_KEY', keys: [log.key], signers: [{ name: log.signer.name }] });
    expect(steps.anchors).toMatchObject({ why: 'HELD', each: [{ why: 'CONTINUED', size: 9, witness: null }] });
  });

  it('holds for every leaf of every tree', async () => {
    const given = await whole();
    for (let of = 1; of <= size; of += 1)
      for (let at = 0; at < of; at += 1) {
        const each = readLeaf(String(leaves[at]));
        const hash = (hashes[at] as Buffer).toString('hex');
        const proof = {
          leafIndex: at,
          leafHash: hash,
          treeSize: of,
          path: hexOf(await inclusionPath(of, at, nodeAt)),
          rootHash: rootOf(of).toString('hex'),
          note: signed(of),
        };
        const about = { ...told, id: each.id, at: each.at, leafIndex: at, leafHash: hash };
        expect(await outcome({ ...given, told: about, proof, anchors: [] })).toEqual(['PROVEN', null]);
      }
  });

  it('fails where a byte of the leaf is another one, at the leaf or its hash, whichever byte it is', async () => {
    const given = await whole();
    const line = exported.indexOf(leaves[index] as Buffer);
    for (let at = 0; at < (leaves[index] as Buffer).length; at += 1) {
      const altered = Buffer.from(exported);
      altered[line + at] = (altered[line + at] as number) ^ 1;
      const [verdict, failedAt] = await outcome({ ...given, exported: altered });
      expect(verdict).toBe('NOT_PROVEN');
      // What is told of the event differs where the byte is in a member of which it tells.
      expect(['leaf', 'event', 'hash']).toContain(failedAt);
      const { steps } = await proveInclusion({ ...given, exported: altered });
      expect([steps.hash.state, steps.leaf.state].includes('wrong')).toBe(true);
    }
  });

  it('fails at the path where any hash of it is another one, is missing or is one too many', async () => {
    const given = await whole();
    const { path } = given.proof;
    for (let at = 0; at < path.length; at += 1)
      for (const digit of [0, 31, 63]) {
        const altered = path.with(at, otherDigit(path[at] as string, digit));
        expect(await outcome({ ...given, proof: { ...given.proof, path: altered } })).toEqual(['NOT_PROVEN', 'path']);
      }
    for (const altered of [path.slice(1), [...path, path[0] as string], [...path].reverse(), path.with(0, 'no hash')])
      expect(await outcome({ ...given, proof: { ...given.proof, path: altered } })).toEqual(['NOT_PROVEN', 'path']);
  });

  it('fails at the root where it isn’t the one that was signed', async () => {
    const given = await whole();
    const rootHash = otherDigit(given.proof.rootHash, 5);
    expect(await outcome({ ...given, proof: { ...given.proof, rootHash } })).toEqual(['NOT_PROVEN', 'root']);
    const forged = signCheckpoint({ origin: log.signer.name, size, root: rootOf(size - 1), extensions: [] }, [log.signer]);
    expect(await outcome({ ...given, proof: { ...given.proof, note: forged }, anchors: [] })).toEqual(['NOT_PROVEN', 'root']);
    expect(await outcome({ ...given, proof: { ...given.proof, note: signed(size - 1) }, anchors: [] })).toEqual([
      'NOT_PROVEN',
      'root',
    ]);
    expect(await outcome({ ...given, proof: { ...given.proof, note: 'no note' } })).toEqual(['NOT_PROVEN', 'root']);
  });

  it('fails at the signature where a bit of it is another one, and where it is another key’s', async () => {
    const given = await whole();
    const note = given.proof.note as string;
    const start = note.lastIndexOf(' ') + 10;
    for (const at of [start, start + 20, start + 60]) {
      const altered = `${note.slice(0, at)}${note[at] === 'A' ? 'B' : 'A'}${note.slice(at + 1)}`;
      expect(await outcome({ ...given, proof: { ...given.proof, note: altered } })).toEqual(['NOT_PROVEN', 'signature']);
    }
    expect(await outcome({ ...given, keys: { ...given.keys, own: keyOf(other) }, anchors: [] })).toEqual([
      'NOT_PROVEN',
      'signature',
    ]);
  });

  it('fails at the event where something else was told of it than its leaf says', async () => {
    const given = await whole();
    const lies: readonly [string, Partial<ToldEvent>][] = [
      ['id', { id: 'evt_1' }],
      ['at', { at: '2026-09-01T09:00:01.000Z' }],
      ['action', { action: 'denial' }],
      ['outcome', { outcome: 'DENIED' }],
      ['actor', { actor: { ...leaf.actor, id: 'act_2' } }],
      ['roles', { actor: { ...leaf.actor, roles: ['AUDITOR'] } }],
      ['ticket', { ticketId: 'tkt_1' }],
      ['assistance', { assistanceId: 'ast_1' }],
      ['subject', { subject: { type: 'Hold', id: 'hld_1' } }],
      ['leafIndex', { leafIndex: 7 }],
      ['leafHash', { leafHash: otherDigit(told.leafHash as string, 0) }],
    ];
    for (const [name, lie] of lies) {
      const { verdict, failedAt, steps } = await proveInclusion({ ...given, told: { ...told, ...lie } });
      expect([verdict, failedAt, steps.event.differing]).toEqual(['NOT_PROVEN', 'event', [name]]);
    }
  });

  it('is open without a leaf’s export, a checkpoint or a key, and says by whose key it holds', async () => {
    const given = await whole();
    expect(await outcome({ ...given, exported: Buffer.alloc(0) })).toEqual(['NOT_PROVEN', 'leaf']);
    expect(await outcome({ ...given, exported: log.export([index]) })).toEqual(['NOT_PROVEN', 'leaf']);
    expect(await outcome({ ...given, proof: { ...given.proof, note: null } })).toEqual(['OPEN', null]);
    expect(await outcome({ ...given, keys: { own: '', offered: [], witnesses: '' } })).toEqual(['OPEN', null]);
    expect(await outcome({ ...given, keys: { own: '', offered: ['no key', log.key], witnesses: '' } })).toEqual([
      'OFFERED_KEY',
      null,
    ]);
    // One's own counts alone.
    expect(await outcome({ ...given, keys: { own: keyOf(other), offered: [log.key], witnesses: '' } })).toEqual([
      'NOT_PROVEN',
      'signature',
    ]);
    await expect(proveInclusion({ ...given, keys: { ...given.keys, own: 'no key' } })).rejects.toThrow(/public key/);
  });

  it('fails at the anchors where the log doesn’t continue what one of them took, and says when nobody holds it', async () => {
    const given = await whole();
    const [anchor] = given.anchors;
    if (!anchor) throw new Error('expected an anchor');
    const forked = new SmallLog(9, log.signer).checkpoint();
    for (const [note, why] of [
      [forked, 'NOT_CONTINUED'],
      [signed(9, other), 'NOT_SIGNED'],
      ['no note', 'NOT_SIGNED'],
    ] as const) {
      const { verdict, failedAt, steps } = await proveInclusion({ ...given, anchors: [{ ...anchor, note }] });
      expect([verdict, failedAt, steps.anchors.each[0]?.why]).toEqual(['NOT_PROVEN', 'anchors', why]);
    }
    const unanchored = await proveInclusion({
      ...given,
      anchors: [],
      proof: { ...given.proof, note: signed(size, log.signer, [unanchoredExtension]) },
    });
    expect(unanchored.verdict).toBe('PROVEN');
    expect(unanchored.steps.anchors).toMatchObject({ state: 'open', why: 'NONE', unanchored: true });
  });
});

describe('a proof that the log goes on from a checkpoint that somebody kept', () => {
  const given = async (kept: number, current = size): Promise<Continuation> => ({
    kept: signed(kept),
    current: signed(current),
    path: hexOf(await consistencyPath(Math.min(kept, current), Math.max(kept, current), nodeAt)),
    keys: { own: log.key, offered: [], witnesses: '' },
  });
  const judged = async (of: Continuation) => {
    const { verdict, failedAt, steps } = await proveContinuation(of);
    return [verdict, failedAt, steps.path.why];
  };

  it('holds from every size to every later one, and to itself', async () => {
    for (let from = 1; from <= size; from += 1)
      for (let to = from; to <= size; to += 1) expect(await judged(await given(from, to))).toEqual(['PROVEN', null, 'CONTINUED']);
  });

  it('fails where the log is shorter than it was, another one, or was rewritten', async () => {
    expect(await judged(await given(9, 5))).toEqual(['NOT_PROVEN', 'path', 'SHORTER']);
    const proof = await given(9);
    const path = proof.path as readonly string[];
    expect(await judged({ ...proof, path: path.with(0, otherDigit(path[0] as string, 0)) })).toEqual([
      'NOT_PROVEN',
      'path',
      'NOT_CONTINUED',
    ]);
    expect(await judged({ ...proof, path: [] })).toEqual(['NOT_PROVEN', 'path', 'NOT_CONTINUED']);
    expect(await judged({ ...proof, kept: new SmallLog(9, log.signer).checkpoint() })).toEqual([
      'NOT_PROVEN',
      'path',
      'NOT_CONTINUED',
    ]);
    expect(await judged({ ...proof, kept: signed(9, other) })).toEqual(['NOT_PROVEN', 'kept', 'CONTINUED']);
    expect(await judged({ ...proof, path: null })).toEqual(['OPEN', null, 'NO_PROOF']);
    const elsewhere = generateSignerKey('audit.example/another');
    const keys = { ...proof.keys, own: `${log.key}\n${keyOf(elsewhere)}` };
    expect(await judged({ ...proof, kept: signed(9, elsewhere), keys })).toEqual(['NOT_PROVEN', 'origin', null]);
  });
});
