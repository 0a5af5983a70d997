import { verifyExport } from '../../test/support/both-verifiers';
import { type PlanDetail, planAction, planDigest, planSubject } from './access-plan';
import { signCheckpoint } from './checkpoint';
import { type EventDraft, finalizeEvent } from './event';
import { csvHeader, csvRow, type ExportedPlan, formatHeader, formatLeaf, formatTrailer } from './export-format';
import { readLeaf } from './leaf';
import type { ReadBytes } from './lines';
import { compactRange, Frontier, inclusionPath, leafHash, type NodeAt } from './merkle';
import { generateSignerKey, verifierKeyOf } from './note';
import type { Verdict, VerifyOptions } from './verify';

const signer = generateSignerKey('audit.example/log');
const start = Date.UTC(2026, 8, 1, 9);
const actor = { id: 'act_1', kind: 'staff', roles: ['AGENT'] };

const leafAt = (at: number, facts: Partial<EventDraft>): Buffer =>
  finalizeEvent({ action: 'disclosure', outcome: 'ALLOWED', actor, version: 2, ...facts }, `atx_${at}`, 0, new Date(start + at))
    .leaf;
const planOf = (name: string): PlanDetail => ({
  operation: name,
  policy: 'p',
  links: ['VERIFIED', 'MATCHED', 'NONE'],
  fields: [
    ['Customer.email', 'reveal', 'mask:email', 'omit'],
    ['Customer.phone', 'reveal', 'reveal', 'omit'],
  ],
});
const stating = (at: number, plan: PlanDetail, id = planDigest(plan)): Buffer =>
  leafAt(at, { action: planAction, subject: { type: planSubject, id }, detail: { ...plan } });
const naming = (at: number, plan: PlanDetail, counts: readonly number[] = [1, 0]): Buffer =>
  leafAt(at, { detail: { counts: { VERIFIED: counts }, plan: planDigest(plan), tickets: ['tkt_1'] } });
const other = (at: number): Buffer => leafAt(at, { action: 'log.time', version: 1 });

const [first, second] = [planOf('first'), planOf('second')];
const leaves = [other(0), stating(1, first), naming(2, first), stating(3, second), naming(4, second), naming(5, first), other(6)];

const nodesOf = (all: readonly Buffer[]): { readonly nodeAt: NodeAt; readonly root: Buffer } => {
  const nodes = new Map<string, Buffer>();
  const tree = new Frontier();
  for (const leaf of all) tree.append(leafHash(leaf), (level, index, node) => nodes.set(`${level}/${index}`, node));
  return { nodeAt: (level, index) => nodes.get(`${level}/${index}`) as Buffer, root: tree.root() };
};

interface Made {
  readonly log?: readonly Buffer[];
  readonly from?: number;
  readonly to?: number;
  readonly hidden?: readonly number[];
  readonly plans?: readonly number[];
  readonly change?: (plan: ExportedPlan) => ExportedPlan;
  readonly format?: string;
}

const exported = async ({
  log = leaves,
  from = 0,
  to = log.length,
  hidden = [],
  plans = [],
  change,
  format,
}: Made): Promise<Buffer> => {
  const { nodeAt, root } = nodesOf(log);
  const stated = await Promise.all(
    plans.map(async (index) => ({
      index,
      leaf: (log[index] as Buffer).toString('utf8'),
      path: await inclusionPath(log.length, index, nodeAt),
    })),
  );
  const header = {
    origin: signer.name,
    from,
    to,
    filter: hidden.length > 0 ? 'some' : null,
    left: await compactRange(0, from, nodeAt),
  };
  const trailer = {
    checkpoint: signCheckpoint({ origin: signer.name, size: log.length, root, extensions: [] }, [signer]),
    right: await compactRange(to, log.length, nodeAt),
    consistency: [],
    anchors: [],
    plans: change ? stated.map(change) : stated,
  };
  return Buffer.concat([
    formatHeader(format === undefined ? header : { ...header, format }),
    ...log.slice(from, to).map((leaf, offset) => {
      const index = from + offset;
      return formatLeaf({ index, hash: leafHash(leaf), leaf: hidden.includes(index) ? null : leaf });
    }),
    formatTrailer(trailer, format),
  ]);
};

const reading = (bytes: Buffer): ReadBytes => {
  let at = 0;
  return (into) => {
    const count = bytes.copy(into, 0, at);
    at += count;
    return count;
  };
};
const verify = async (made: Made, options: Partial<VerifyOptions> = {}): Promise<Verdict> =>
  verifyExport(reading(await exported(made)), { keys: [verifierKeyOf(signer)], ...options });
const firstOf = ({ ok, problem, flags }: Verdict) => {
  const { kind, leaf } = problem ?? flags[0] ?? {};
  return { ok, kind, leaf };
};

describe.each([false, true])('an export of disclosures (strict: %s)', (strict) => {
  const told = async (made: Made) => firstOf(await verify(made, { strict }));

  test('is complete with the plans that they name, wherever those stand', async () => {
    expect(await told({})).toEqual({ ok: true });
    expect(await told({ from: 2, plans: [1] })).toEqual({ ok: true });
    expect(await told({ from: 4, to: 6, plans: [1, 3] })).toEqual({ ok: true });
    expect(await told({ hidden: [0, 1, 3, 6], plans: [1, 3] })).toEqual({ ok: true });
    // A second leaf of the same plan does no harm, nor does one that comes after the disclosure.
    expect(await told({ log: [...leaves, stating(7, first)] })).toEqual({ ok: true });
    expect(await told({ log: [naming(1, first), stating(2, first)] })).toEqual({ ok: true });
  });

  test('without the leaf of a plan is refused, with the first disclosure that names it', async () => {
    expect(await told({ from: 2 })).toEqual({ ok: false, kind: 'PLAN', leaf: 2 });
    expect(await told({ from: 4, plans: [1] })).toEqual({ ok: false, kind: 'PLAN', leaf: 4 });
    expect(await told({ hidden: [1] })).toEqual({ ok: false, kind: 'PLAN', leaf: 2 });
    expect(await told({ log: [naming(0, first)] })).toEqual({ ok: false, kind: 'PLAN', leaf: 0 });
  });

  test('with a plan’s leaf that states something else is refused', async () => {
    const log = leaves.with(1, stating(1, { ...first, fields: [['Customer.email', 'omit', 'omit', 'omit']] }, planDigest(first)));
    expect(await told({ log })).toEqual({ ok: false, kind: 'PLAN', leaf: 1 });
    expect(await told({ log, from: 2, plans: [1] })).toEqual({ ok: false, kind: 'PLAN', leaf: 1 });
    // Under a digest of its own it is another plan.
    expect(await told({ log: leaves.with(1, stating(1, planOf('third'))) })).toEqual({ ok: false, kind: 'PLAN', leaf: 2 });
  });

  test.each(['null', '7', '[]', '{}'])('with a plan’s leaf that states %s instead is refused', async (detail) => {
    const stated = (leaves[1] as Buffer).toString('utf8');
    const log = leaves.with(1, Buffer.from(stated.replace(/"detail":\{.*?\},"id"/, `"detail":${detail},"id"`), 'utf8'));
    expect(log[1]).not.toEqual(leaves[1]);
    expect(await told({ log })).toMatchObject({ ok: false, leaf: 1 });
    expect(await told({ log, from: 2, plans: [1] })).toEqual({ ok: false, kind: 'PLAN', leaf: 1 });
  });

  test('with a plan’s leaf that states nothing is refused', async () => {
    const stated = (leaves[1] as Buffer).toString('utf8');
    const log = leaves.with(1, Buffer.from(stated.replace(/"detail":\{.*?\},"id"/, '"id"').replace('"v":2}', '"v":1}'), 'utf8'));
    expect(await told({ log })).toMatchObject({ ok: false, leaf: 1 });
  });

  test.each<[string, (plan: ExportedPlan) => ExportedPlan]>([
    ['that was edited', (plan) => ({ ...plan, leaf: plan.leaf.replace('"omit"', '"reveal"') })],
    ['at another index', (plan) => ({ ...plan, index: 0 })],
    ['beyond the tree', (plan) => ({ ...plan, index: 99 })],
    ['with another proof', (plan) => ({ ...plan, path: plan.path.toReversed() })],
    ['without a proof', (plan) => ({ ...plan, path: [] })],
  ])('with a plan’s leaf %s is refused', async (_what, change) => {
    expect(await told({ from: 2, plans: [1], change })).toMatchObject({ ok: false, kind: 'ROOT' });
  });

  test.each([
    ['that nothing names', { from: 6, plans: [1] }],
    ['that stands there already', { plans: [1] }],
    ['twice', { from: 2, plans: [1, 1] }],
  ])('with a plan %s in its last line isn’t as an export is written', async (_what, made) => {
    expect(await told(made)).toMatchObject({ ok: false, kind: 'FORMAT' });
  });

  test('with another event in the place of a plan is refused', async () => {
    expect(await told({ from: 2, plans: [0] })).toEqual({ ok: false, kind: 'PLAN', leaf: 0 });
  });

  test('of the former format has no plans but those among its leaves', async () => {
    const format = 'counterfoil-audit-export/1';
    expect(await told({ format })).toEqual({ ok: true });
    expect(await told({ format, from: 2, plans: [1] })).toEqual({ ok: false, kind: 'PLAN', leaf: 2 });
    const file = (await exported({ from: 2, plans: [1] })).toString('utf8').replace('export/2', 'export/1');
    const verdict = verifyExport(reading(Buffer.from(file, 'utf8')), { keys: [verifierKeyOf(signer)], strict });
    expect(firstOf(verdict)).toMatchObject({ ok: false, kind: 'FORMAT' });
  });
});

describe('under --strict', () => {
  const told = async (log: readonly Buffer[]) => firstOf(await verify({ log }, { strict: true }));

  test('counts are of as many fields as the plan has, whichever comes first', async () => {
    expect(await told([stating(1, first), naming(2, first, [1])])).toEqual({ ok: false, kind: 'PLAN', leaf: 1 });
    expect(await told([naming(1, first, [1]), stating(2, first)])).toEqual({ ok: false, kind: 'PLAN', leaf: 1 });
    expect(await told([naming(1, first), naming(2, first, [1]), stating(3, first)])).toEqual({
      ok: false,
      kind: 'PLAN',
      leaf: 1,
    });
  });

  test('a disclosure that says no counts is named', async () => {
    const bare = leafAt(2, { detail: { plan: planDigest(first) } });
    expect(await told([stating(1, first), bare])).toEqual({ ok: false, kind: 'LEAF', leaf: 1 });
  });
});

describe('a changed byte', () => {
  test('is found wherever it is in the last line, with a plan in it', async () => {
    const bytes = await exported({ from: 4, to: 6, plans: [1, 3] });
    const begin = bytes.lastIndexOf('{"trailer":');
    for (let at = begin; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      expect({ at, ok: verifyExport(reading(changed), { keys: [verifierKeyOf(signer)] }).ok }).toEqual({ at, ok: false });
    }
  });
});

describe('a CSV file', () => {
  const row = (index: number) => {
    const leaf = leaves[index] as Buffer;
    return csvRow(index, leafHash(leaf), readLeaf(leaf.toString('utf8')));
  };
  const told = async (...rows: readonly number[]) => {
    const csv = Buffer.concat([csvHeader(), ...rows.map(row)]);
    return firstOf(await verify({ from: 4, to: 6, plans: [1, 3] }, { csv: reading(csv) }));
  };

  test('has the plans of its manifest after all else', async () => {
    expect(await told(4, 5, 1, 3)).toEqual({ ok: true });
    expect(await told(4, 5, 1)).toEqual({ ok: false, kind: 'ROW', leaf: 3 });
    expect(await told(4, 5, 3, 1)).toEqual({ ok: false, kind: 'ROW', leaf: 1 });
    expect(await told(4, 5, 1, 3, 3)).toEqual({ ok: false, kind: 'ROW', leaf: null });
  });
});
