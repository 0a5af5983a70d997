import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { manifestOf } from '../../src/audit/export-format';
import { formatVerifierKey, generateSignerKey, verifierKeyOf } from '../../src/audit/note';
import { verifierFolder } from '../support/both-verifiers';
import { BuiltGateway } from '../support/built';
import { SmallLog } from '../support/small-log';

const stackLine = /^\s+at .+:\d+:\d+\)?$/m;
const log = new SmallLog(12);
const { key, signer } = log;

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let built: BuiltGateway;
/** Where the single file lies by itself, as an auditor has it. */
let alone: string;
beforeAll(() => {
  built = BuiltGateway.make();
  alone = mkdtempSync(join(tmpdir(), 'alone-'));
  copyFileSync(join(verifierFolder(), 'counterfoil-verify.mjs'), join(alone, 'counterfoil-verify.mjs'));
}, 120_000);
afterAll(() => {
  rmSync(alone, { recursive: true, force: true });
  return built.remove();
});

const ways: readonly (readonly [string, () => string, (args: readonly string[]) => Promise<Outcome>])[] = [
  ['counterfoil audit verify', () => built.folder, (args) => built.run(['audit', 'verify', ...args])],
  [
    'node counterfoil-verify.mjs, with nothing beside it',
    () => alone,
    (args) =>
      new Promise((resolve) => {
        const options = { cwd: alone, env: {} };
        const child = execFile(process.execPath, ['counterfoil-verify.mjs', ...args], options, (_error, stdout, stderr) =>
          resolve({ code: child.exitCode, stdout, stderr }),
        );
      }),
  ],
];

describe.each(ways)('%s', (_, folder, run) => {
  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(join(folder(), name), content);
    return name;
  };

  it('says to which checkpoint an export is complete, what is withheld, and that freshness isn’t shown', async () => {
    const name = file('log.ndjson', log.export([3, 4], 'some'));
    const { code, stdout, stderr } = await run(['--key', key, name]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^complete to CHECKPOINT 12 [A-Za-z0-9+/]{43}=$/m);
    expect(stdout).toMatch(/2 withheld/);
    expect(stdout).toMatch(/freshness isn’t shown.*--since/);
    expect(stdout).toMatch(/^UNANCHORED/m);
  });

  it('takes keys from files, several of them, and a checkpoint that was kept', async () => {
    const name = file('log.ndjson', log.export());
    const former = formatVerifierKey(verifierKeyOf(generateSignerKey(signer.name)));
    const keys = file('keys', `${former}\n${key}\n`);
    const since = file('kept', log.checkpoint(5));
    for (const args of [
      ['--key', keys],
      ['--key', former, '--key', key],
    ]) {
      const { code, stdout } = await run([name, ...args, '--since', since, '--strict']);
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: expect.stringContaining('continues the checkpoint you kept, of 5 leaves'),
      });
      expect(stdout).not.toContain('freshness');
    }
  });

  it('says what is wrong first, where and what it means, on stderr with 1, and claims nothing', async () => {
    const lines = log.export().toString('utf8').split('\n');
    const name = file('edited.ndjson', lines.with(7, (lines[7] as string).replace('ALLOWED', 'DENIED')).join('\n'));
    const { code, stdout, stderr } = await run([name, '--key', key]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^NOT VERIFIED\. edited\.ndjson:8, leaf 6: .*\n {2}The event was changed after/);
    expect(stderr).not.toMatch(stackLine);
    const json = await run([name, '--key', key, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      problem: { kind: 'ALTERED', line: 8, leaf: 6 },
      checkpoint: null,
    });
  });

  it('says that a rewritten log isn’t the one whose checkpoint was kept', async () => {
    const name = file('rewritten.ndjson', log.with(2).export());
    expect(await run([name, '--key', key])).toMatchObject({ code: 0 });
    const since = file('kept', log.checkpoint(5));
    const { code, stderr } = await run([name, '--key', key, '--since', since]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('Two histories were signed with the same key') });
  });

  it('says of a log that verifies which leaves don’t fit, and ends with 1', async () => {
    const name = file('twice.ndjson', log.repeating(4).export());
    const { code, stdout, stderr } = await run([name, '--key', key]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining('complete to CHECKPOINT 13 ') });
    expect(stderr).toMatch(/twice\.ndjson:14, leaf 12: its event id is that of leaf 4/);
  });

  it('checks a CSV file against the manifest beside it', async () => {
    const rows = log.csv();
    const name = file('log.csv', rows);
    file(manifestOf('log.csv'), log.export());
    expect(await run([name, '--key', key])).toMatchObject({ code: 0, stderr: '' });
    file('log.csv', rows.toString('utf8').replace('ALLOWED', 'DENIED'));
    const { code, stderr } = await run([name, '--key', key]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('log.csv:2, leaf 0: the row isn’t what its leaf says'),
    });
  });

  it('shows nothing of a file that would move a terminal’s cursor', async () => {
    const name = file('escapes.ndjson', log.export([1], '\u001b[2J\u202eevil\u009b1m'));
    const { code, stdout } = await run([name, '--key', key]);
    expect(code).toBe(0);
    expect(stdout).toContain('evil');
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
    const json = await run([name, '--key', key, '--json']);
    expect(json.stdout.trimEnd()).not.toMatch(/[\p{C}\u2028\u2029]/u);
    expect(JSON.parse(json.stdout)).toMatchObject({ header: { filter: '\u001b[2J\u202eevil\u009b1m' } });
  });

  it.each([
    [['log.ndjson'], '--key'],
    [['absent.ndjson', '--key', key], 'absent.ndjson'],
    [['log.ndjson', '--key', 'absent'], 'absent'],
    [['log.ndjson', '--key', `${key.slice(0, -4)}AAAA`], 'audit key'],
    [['log.ndjson', '--key', key, '--since', 'absent'], 'absent'],
    [['log.ndjson', '--key', key, '--witness', key], '--witness'],
    [['log.ndjson', '--key', 'blank'], 'blank'],
    [['log.ndjson', '--key', key, '--key', 'blank'], 'blank'],
    [['log.ndjson', '--key', key, '--since', 'blank'], 'blank'],
    [['log.ndjson', '--key', key, '--witness', 'blank'], 'blank'],
    [['log.ndjson', '--key', key, '--strict=false'], '--strict'],
    [['log.ndjson', '--key', key, '--json=false'], '--json'],
    [['.', '--key', key], "can't be read"],
    [['log.ndjson', '--key', '.'], "can't be read"],
  ])('with %j fails on stderr with 1, and without a stack', async (args, hint) => {
    file('log.ndjson', log.export());
    file('blank', ' \n\n');
    const { code, stdout, stderr } = await run([...args]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(hint);
    expect(stderr).not.toMatch(stackLine);
  });
});

describe('the single file', () => {
  /** Run where nothing is but the file, and what was made beside it. */
  const node = (...args: readonly string[]): Promise<Outcome> =>
    new Promise((resolve) => {
      const child = execFile(process.execPath, [...args], { cwd: alone, env: {} }, (_error, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      );
    });

  it('is run by whatever name it has', async () => {
    symlinkSync('counterfoil-verify.mjs', join(alone, 'linked.mjs'));
    mkdirSync(join(alone, 'folder'));
    copyFileSync(join(alone, 'counterfoil-verify.mjs'), join(alone, 'folder', 'main.mjs'));
    writeFileSync(join(alone, 'folder', 'package.json'), '{"main":"main.mjs"}');
    for (const args of [['linked.mjs'], ['--preserve-symlinks-main', 'linked.mjs'], ['folder']])
      expect({ args, ...(await node(...args)) }).toMatchObject({ code: 1, stderr: expect.stringContaining('EXPORT') });
  });

  it('is only there to be used where another file imports it', async () => {
    writeFileSync(join(alone, 'uses.mjs'), "import { verify } from './counterfoil-verify.mjs'; console.log(typeof verify);");
    expect(await node('uses.mjs')).toEqual({ code: 0, stdout: 'function\n', stderr: '' });
    const script = "import('./counterfoil-verify.mjs').then(({ verify }) => console.log(typeof verify))";
    expect(await node('-e', script, 'absent')).toEqual({ code: 0, stdout: 'function\n', stderr: '' });
  });

  it('doesn’t end well in a Node that is too old for it', async () => {
    writeFileSync(join(alone, 'old.cjs'), 'process.getBuiltinModule = undefined;');
    writeFileSync(join(alone, 'log.ndjson'), log.export());
    const { code, stdout, stderr } = await node('--require', './old.cjs', 'counterfoil-verify.mjs', 'log.ndjson', '--key', key);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^Nothing was verified: .*Node 20\.16/);
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
