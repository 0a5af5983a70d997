import { dirname, relative } from 'node:path';
import { filesUnder, importsIn, textOf } from '../support/source-files';

const sources = filesUnder('src').filter((file) => !file.endsWith('.test.ts'));
const everything = ['src', 'test', 'bench', 'migrations'].flatMap(filesUnder);
const importsOf = (file: string): string[] => importsIn(file, textOf(file));

/** The part of the house that a path is in: a folder of `src`, or a file right in it. */
const partOf = (path: string): string => relative('src', path).split('/')[0]?.replace(/\.ts$/, '') ?? '';

/** What everybody may use: it imports nothing of ours. */
const ground = ['deferred', 'failure', 'lanes', 'log', 'section', 'ulid'];

const allowed: Readonly<Record<string, readonly string[]>> = {
  deferred: [],
  packed: [],
  failure: [],
  lanes: [],
  section: [],
  ulid: [],
  log: [],
  authz: [],
  audit: [],
  privacy: [],
  // Signals and the rules over them, as they are without a database.
  risk: ['privacy'],
  db: ['authz', 'audit', 'privacy'],
  // What runs by itself: it may know where its jobs are stored, and the database knows nothing of it.
  background: ['db'],
  // The log as it is kept: below the features, so that no feature can become a condition for it.
  ledger: ['authz', 'audit', 'privacy', 'db', 'background'],
  upstream: ['privacy'],
  graphql: ['authz', 'audit', 'privacy', 'upstream'],
  features: ['authz', 'audit', 'privacy', 'risk', 'db', 'ledger', 'upstream', 'background', 'graphql'],
  // The sections of the file live with the parts that they configure.
  config: ['authz', 'audit', 'privacy', 'risk', 'db', 'ledger', 'upstream', 'graphql', 'features'],
  storage: ['privacy', 'db', 'features', 'config'],
  app: [
    'authz',
    'audit',
    'privacy',
    'risk',
    'db',
    'ledger',
    'upstream',
    'background',
    'graphql',
    'features',
    'config',
    'storage',
  ],
  http: ['authz', 'privacy', 'risk', 'upstream', 'graphql', 'features', 'app', 'config'],
  // What production never loads: it may use what it stands in for, and only its doors load it.
  development: ['authz', 'privacy', 'upstream', 'app', 'http'],
  cli: [
    'authz',
    'audit',
    'privacy',
    'risk',
    'db',
    'ledger',
    'upstream',
    'graphql',
    'http',
    'features',
    'app',
    'config',
    'storage',
  ],
  main: ['packed', 'http', 'cli', 'app', 'config'],
};

/** The files that load what is in `src/development`, each by a `require` inside a function: a process in production never does. */
const developmentDoors = [
  'src/app.ts',
  'src/cli/start.ts',
  'src/cli/token.command.ts',
  'src/cli/token.ts',
  'src/features/sources/connectors.ts',
  'src/http/server.ts',
  'src/upstream/delivery/delivery-channels.ts',
];

describe('the layers', () => {
  it('are those of the design, and every file is in one', () => {
    expect([...new Set(sources.map(partOf))].filter((part) => allowed[part] === undefined)).toEqual([]);
  });

  it.each(Object.keys(allowed))('%s imports what is below it and nothing else', (part) => {
    const mine = sources.filter((file) => partOf(file) === part);
    const wrong = mine.flatMap((file) =>
      importsOf(file)
        .filter(
          (path) =>
            path.startsWith('src/') &&
            partOf(path) !== part &&
            // Only by doors, which have a test of their own.
            partOf(path) !== 'development' &&
            ![...(allowed[part] ?? []), ...(ground.includes(part) ? [] : ground)].includes(partOf(path)),
        )
        .map((path) => `${file} imports ${path}`),
    );
    expect({ files: mine.length > 0, wrong }).toEqual({ files: true, wrong: [] });
  });

  it('load nothing of development but by its doors, which load it when they use it', () => {
    const others = sources.filter((file) => partOf(file) !== 'development');
    const naming = others.filter((file) => importsOf(file).some((path) => partOf(path) === 'development'));
    expect(naming).toEqual(developmentDoors);
    // A type is gone once it is compiled.
    const atStart = /^(?:import (?!type\b)|export )[^;]*\bfrom '[^']*\/development\/|^import '[^']*\/development\//m;
    expect(others.filter((file) => atStart.test(textOf(file)))).toEqual([]);
  });

  it('find imports however they are written', () => {
    expect(importsOf('src/features/schema.ts')).toContain('src/graphql/guarded');
    expect(importsOf('src/main.ts').length).toBeGreaterThan(0);
  });

  it('let nobody touch a feature through its resolver: others have its service, entity, type, loader or policy, and the graph', () => {
    const wrong = sources
      .filter((file) => file !== 'src/features/schema.ts')
      .flatMap((file) =>
        importsOf(file)
          .filter((path) => path.startsWith('src/features/') && path.endsWith('.resolver') && dirname(path) !== dirname(file))
          .map((path) => `${file} imports ${path}`),
      );
    expect(wrong).toEqual([]);
  });

  it('let only those wire who start, serve, show, command, test or measure', () => {
    const wiring = everything.filter((file) => importsOf(file).includes('src/app'));
    expect(
      wiring.filter((file) => !/^(?:src\/(?:main\.ts|cli\/|http\/|development\/pages\/)|test\/|bench\/)/.test(file)),
    ).toEqual([]);
    expect(wiring.length).toBeGreaterThan(0);
  });

  it('keep tests and measurements out of what is served', () => {
    const wrong = sources.flatMap((file) => importsOf(file).filter((path) => /^(?:test|bench)\//.test(path)));
    expect(wrong).toEqual([]);
  });

  it('read the environment in one place', () => {
    expect(sources.filter((file) => /\bprocess\s*\.\s*env\b|\bprocess\s*\[/.test(textOf(file)))).toEqual([
      'src/config/environment.ts',
    ]);
  });

  it('leave the database’s sources to the door', () => {
    const opening = sources.filter((file) => /new DataSource\(/.test(textOf(file)));
    expect(opening.filter((file) => !file.startsWith('src/db/'))).toEqual([]);
  });

  it('read rows by selections: a statement as a string has no types, and its columns nobody checks', () => {
    const others = sources.filter((file) => !file.startsWith('src/db/'));
    expect(others.filter((file) => /\b(?:database|reads|snapshot|change)\.query\b/i.test(textOf(file)))).toEqual([]);
  });

  it('have no way around the compiler or the linter that says nothing of why', () => {
    const marks = /@ts-ignore|@ts-nocheck|@ts-expect-error|biome-ignore(?!(?:-all)? [\w/]+: \S)/;
    expect(sources.filter((file) => marks.test(textOf(file)))).toEqual([]);
  });

  it('print nothing but from the command line: what is logged passes the log', () => {
    const printing = sources.filter((file) => /\bconsole\.\w+\(/.test(textOf(file)));
    expect(printing.filter((file) => !file.startsWith('src/cli/') && file !== 'src/main.ts')).toEqual([]);
  });

  it('speak of the product, not of where or how it was written', () => {
    const foreign = /['"`]\/(?:home|root|Users)\/|\bissue #?\d|\bTODO\b|\bFIXME\b|https?:\/\/[^\s'"]*\bregistry\b/;
    expect(
      sources.flatMap(
        (file) =>
          textOf(file)
            .match(foreign)
            ?.map((word) => `${file}: ${word}`) ?? [],
      ),
    ).toEqual([]);
  });
});
