import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, loadConfig } from '../../src/config/load';
import { loadPolicy } from '../../src/config/policy';
import { examplesFor } from '../../src/development/pages/explorer/examples';
import { describeGraph } from '../../src/features/schema';
import { blockUnder, root, sectionUnder } from '../support/readme';

describe('the configuration in the README', () => {
  const connecting = 'Connect Request Tracker and Stripe';
  const configuration = blockUnder(connecting, 'yaml');
  /** Names and values as written, comments left out. */
  const environment = Object.fromEntries(
    [...blockUnder(connecting, 'sh').matchAll(/^([A-Z_]+)=(\S+)/gm)].map(([, name, value]) => [name as string, value as string]),
  );
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'counterfoil-readme-'));
    writeFileSync(join(folder, 'counterfoil.yaml'), configuration);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** As somebody would who follows the README: each named file holds a secret of its own, and nothing else is set. */
  const load = (over: Readonly<Record<string, string | undefined>> = {}): Config => {
    const set: Record<string, string> = {};
    for (const [name, value] of Object.entries({ ...environment, ...over })) {
      if (value === undefined) continue;
      set[name] = value;
      if (!name.endsWith('_FILE')) continue;
      set[name] = join(folder, name.toLowerCase());
      writeFileSync(set[name], `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
    }
    return loadConfig({ ...set, POLICY_FILE: join(root, 'schema', 'exposure.yaml') }, folder);
  };

  it('is accepted in production with the environment that the README names', () => {
    expect(load()).toMatchObject({
      production: true,
      developmentIssuer: false,
      mfaRequired: true,
      database: { engine: 'mariadb' },
      sources: { helpdesk: [{ kind: 'rt', name: 'rt' }], payments: [{ kind: 'stripe', name: 'stripe' }] },
      issuers: [{ audience: ['counterfoil'] }],
      publicUrl: 'https://gateway.example.com',
      channels: { mail: true, sms: true },
    });
  });

  it('reaches customers by every channel that the shipped policy asks for', () => {
    const config = load();
    expect(() => loadPolicy(config.policyFile, describeGraph().classification, config)).not.toThrow();
  });

  it('needs every variable that the README names', () => {
    for (const name of Object.keys(environment).filter((each) => each !== 'NODE_ENV'))
      expect(() => load({ [name]: undefined })).toThrow(name.replace(/_FILE$/, ''));
    expect(load({ NODE_ENV: undefined }).production).toBe(false);
  });
});

describe('the tree in the README', () => {
  const lines = blockUnder('The tree', 'text')
    .split('\n')
    .filter((line) => line.trim() !== '');
  /** Paths from the checkout's root, read by the indentation. A line may name several, separated by commas. */
  const named: string[] = [];
  let above = '';
  for (const line of lines) {
    const [, indent = '', names = ''] = /^( *)(\S+(?:, \S+)*) {2}/.exec(`${line}  `) ?? [];
    if (indent === '') above = '';
    for (const name of names.split(', ')) {
      named.push(join(above, name));
      if (indent === '' && name.endsWith('/')) above = name;
    }
  }
  const plain = (path: string): string => path.replace(/\/$/, '');

  it('names only what is there', () => {
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('names every folder and file of src', () => {
    const there = readdirSync(join(root, 'src')).filter((name) => !name.endsWith('.test.ts'));
    expect(
      named
        .filter((path) => path.startsWith('src/') && path !== 'src/')
        .map(plain)
        .sort(),
    ).toEqual(there.map((name) => join('src', name)).sort());
    for (const path of named)
      expect({ path, isFolder: statSync(join(root, path)).isDirectory() }).toEqual({ path, isFolder: path.endsWith('/') });
  });
});

describe('the first query in the README', () => {
  it('has a picture where it shows one, and none that it doesn’t', () => {
    const shown = [
      ...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/!\[[^\]]{20,}\]\((docs\/pictures\/[\w-]+\.png)\)/g),
    ];
    expect(shown.map(([, path]) => path as string).sort()).toEqual(
      readdirSync(join(root, 'docs', 'pictures'))
        .map((name) => `docs/pictures/${name}`)
        .sort(),
    );
  });

  it('announces every refusal that an example of the explorer meets', () => {
    const refused = examplesFor('demo').flatMap((example) => (example.refused === undefined ? [] : [example]));
    expect(refused).not.toHaveLength(0);
    const text = sectionUnder('A first query');
    for (const { refused: reason = '', variables } of refused) {
      expect(text).toContain(`\`${variables.reference}\``);
      expect(text).toContain(`\`${reason}\``);
    }
  });
});
