import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { signCheckpoint } from '../../src/audit/checkpoint';
import { type EventDraft, finalizeEvent } from '../../src/audit/event';
import { csvHeader, csvRow, formatHeader, formatLeaf, formatTrailer, manifestOf } from '../../src/audit/export-format';
import { readLeaf } from '../../src/audit/leaf';
import { Frontier, leafHash } from '../../src/audit/merkle';
import { formatVerifierKey, generateSignerKey, verifierKeyOf } from '../../src/audit/note';
import { BuiltGateway } from '../support/built';

const stackLine = /^\s+at .+:\d+:\d+\)?$/m;
const signer = generateSignerKey('audit.example/log');
const key = formatVerifierKey(verifierKeyOf(signer));
const start = Date.UTC(2026, 8, 1, 9);

const eventOf = (index: number): Buffer => {
  const draft: EventDraft = { action: 'disclosure', outcome: 'ALLOWED', actor: { id: 'act_1', kind: 'staff', roles: ['AGENT'] } };
  return finalizeEvent(draft, `atx_${index}`, 0, new Date(start + index)).leaf;
};
const leaves = Array.from({ length: 12 }, (_, index) => eventOf(index));

const checkpointOf = (all: readonly Buffer[]): string => {
  const tree = new Frontier();
  for (const leaf of all) tree.append(leafHash(leaf));
  return signCheckpoint({ origin: signer.name, size: all.length, root: tree.root(), extensions: [] }, [signer]);
};

const exportOf = (all: readonly Buffer[], hidden: readonly number[] = [], filter: string | null = null): Buffer =>
  Buffer.concat([
    formatHeader({ origin: signer.name, from: 0, to: all.length, filter, left: [] }),
    ...all.map((leaf, index) => formatLeaf({ index, hash: leafHash(leaf), leaf: hidden.includes(index) ? null : leaf })),
    formatTrailer({ checkpoint: checkpointOf(all), right: [], consistency: [], anchors: [] }),
  ]);

let built: BuiltGateway;
beforeAll(() => {
  built = BuiltGateway.make();
}, 120_000);
afterAll(() => built.remove());

const file = (name: string, content: string | Buffer): string => {
  writeFileSync(join(built.folder, name), content);
  return name;
};

describe('counterfoil audit verify', () => {
  it('says to which checkpoint an export is complete, what is withheld, and that freshness isn’t shown', async () => {
    const name = file('log.ndjson', exportOf(leaves, [3, 4], 'some'));
    const { code, stdout, stderr } = await built.run(['audit', 'verify', '--key', key, name]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^complete to CHECKPOINT 12 [A-Za-z0-9+/]{43}=$/m);
    expect(stdout).toMatch(/2 withheld/);
    expect(stdout).toMatch(/freshness isn’t shown.*--since/);
    expect(stdout).toMatch(/^UNANCHORED/m);
  });

  it('takes keys from files, several of them, and a checkpoint that was kept', async () => {
    const name = file('log.ndjson', exportOf(leaves));
    const former = formatVerifierKey(verifierKeyOf(generateSignerKey(signer.name)));
    const keys = file('keys', `${former}\n${key}\n`);
    const since = file('kept', checkpointOf(leaves.slice(0, 5)));
    for (const args of [
      ['--key', keys],
      ['--key', former, '--key', key],
    ]) {
      const { code, stdout } = await built.run(['audit', 'verify', name, ...args, '--since', since, '--strict']);
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: expect.stringContaining('continues the checkpoint you kept, of 5 leaves'),
      });
      expect(stdout).not.toContain('freshness');
    }
  });

  it('says what is wrong first, where and what it means, on stderr with 1, and claims nothing', async () => {
    const lines = exportOf(leaves).toString('utf8').split('\n');
    const name = file('edited.ndjson', lines.with(7, (lines[7] as string).replace('ALLOWED', 'DENIED')).join('\n'));
    const { code, stdout, stderr } = await built.run(['audit', 'verify', name, '--key', key]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^NOT VERIFIED\. edited\.ndjson:8, leaf 6: .*\n {2}The event was changed after/);
    expect(stderr).not.toMatch(stackLine);
    const json = await built.run(['audit', 'verify', name, '--key', key, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      problem: { kind: 'ALTERED', line: 8, leaf: 6 },
      checkpoint: null,
    });
  });

  it('says that a rewritten log isn’t the one whose checkpoint was kept', async () => {
    const name = file('rewritten.ndjson', exportOf(leaves.with(2, eventOf(2))));
    expect(await built.run(['audit', 'verify', name, '--key', key])).toMatchObject({ code: 0 });
    const since = file('kept', checkpointOf(leaves.slice(0, 5)));
    const { code, stderr } = await built.run(['audit', 'verify', name, '--key', key, '--since', since]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('Two histories were signed with the same key') });
  });

  it('says of a log that verifies which leaves don’t fit, and ends with 1', async () => {
    const name = file('twice.ndjson', exportOf([...leaves, leaves[4] as Buffer]));
    const { code, stdout, stderr } = await built.run(['audit', 'verify', name, '--key', key]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining('complete to CHECKPOINT 13 ') });
    expect(stderr).toMatch(/twice\.ndjson:14, leaf 12: its event id is that of leaf 4/);
  });

  it('checks a CSV file against the manifest beside it', async () => {
    const rows = [csvHeader(), ...leaves.map((leaf, index) => csvRow(index, leafHash(leaf), readLeaf(leaf.toString('utf8'))))];
    const name = file('log.csv', Buffer.concat(rows));
    file(manifestOf('log.csv'), exportOf(leaves));
    expect(await built.run(['audit', 'verify', name, '--key', key])).toMatchObject({ code: 0, stderr: '' });
    file('log.csv', Buffer.concat(rows).toString('utf8').replace('ALLOWED', 'DENIED'));
    const { code, stderr } = await built.run(['audit', 'verify', name, '--key', key]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('log.csv:2, leaf 0: the row isn’t what its leaf says'),
    });
  });

  it('shows nothing of a file that would move a terminal’s cursor', async () => {
    const name = file('escapes.ndjson', exportOf(leaves, [1], '\u001b[2J\u202eevil\u009b1m'));
    const { code, stdout } = await built.run(['audit', 'verify', name, '--key', key]);
    expect(code).toBe(0);
    expect(stdout).toContain('evil');
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
  });

  it.each([
    [['log.ndjson'], '--key'],
    [['absent.ndjson', '--key', key], 'absent.ndjson'],
    [['log.ndjson', '--key', 'absent'], 'absent'],
    [['log.ndjson', '--key', `${key.slice(0, -4)}AAAA`], 'audit key'],
    [['log.ndjson', '--key', key, '--since', 'absent'], 'absent'],
    [['log.ndjson', '--key', key, '--witness', key], '--witness'],
  ])('with %j fails on stderr with 1, and without a stack', async (args, hint) => {
    file('log.ndjson', exportOf(leaves));
    const { code, stdout, stderr } = await built.run(['audit', 'verify', ...args]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(hint);
    expect(stderr).not.toMatch(stackLine);
  });
});

describe('the verifier', () => {
  it('is made of the core of the log and of Node, and of nothing that writes the log', () => {
    const root = join(__dirname, '..', '..');
    const seen = new Map<string, readonly string[]>();
    const visit = (path: string): void => {
      if (seen.has(path)) return;
      const imports = [...readFileSync(join(root, `${path}.ts`), 'utf8').matchAll(/\bfrom '([^']+)'/g)].map(
        ([, name]) => name as string,
      );
      seen.set(
        path,
        imports.filter((name) => !name.startsWith('.')),
      );
      for (const name of imports) if (name.startsWith('.')) visit(normalize(join(dirname(path), name)));
    };
    visit('src/audit/verify');
    expect([...seen.keys()].sort()).toEqual(
      [
        'access-plan',
        'bytes',
        'canonical',
        'checkpoint',
        'cited-plans',
        'cosignature',
        'export-format',
        'glance',
        'leaf',
        'lines',
        'merkle',
        'note',
        'recent',
        'sequence',
        'shapes',
        'verify',
      ].map((name) => `src/audit/${name}`),
    );
    expect([...new Set([...seen.values()].flat())]).toEqual(['node:crypto']);
  });
});
