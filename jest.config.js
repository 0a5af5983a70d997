const { existsSync, readdirSync } = require('node:fs');
const { availableParallelism } = require('node:os');
const { delimiter, join } = require('node:path');

const onPath = (program) =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'].some((folder) =>
    existsSync(join(folder, program)),
  );

const hasMariaDb = Boolean(process.env.TEST_DATABASE_URL) || onPath('mariadbd');
if (!hasMariaDb && process.env.REQUIRE_MARIADB === '1') {
  throw new Error('REQUIRE_MARIADB=1, but there is neither a mariadbd on this machine nor a TEST_DATABASE_URL');
}

// What a worker has loaded stays as it was, which is not for whoever changes it meanwhile.
const isWatched = process.argv.some((argument) => argument.startsWith('--watch'));

// A second worker would load the gateway again, which takes as long as a few files do.
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const isAsked = (path) => path.endsWith('.test.ts') && asked.some((part) => path.includes(part));
const filesAsked = ['src', 'test'].flatMap((folder) =>
  readdirSync(join(__dirname, folder), { recursive: true })
    .map((name) => join(folder, name))
    .filter(isAsked),
);
const isSmall = filesAsked.length > 0 && filesAsked.length <= 3;

const common = {
  rootDir: __dirname,
  testEnvironment: `<rootDir>/test/support/${isWatched ? 'own-globals' : 'environment'}.js`,
  runtime: '<rootDir>/test/support/runtime.js',
  transform: { '^.+\\.[tj]s$': '@swc/jest' },
  // These are ES modules only. (Node loads what the worker shares; this is for files with modules of their own.)
  transformIgnorePatterns: ['/node_modules/(?!(jose|ulid|lru-cache|entities|sql-template-tag|openid-client|oauth4webapi)/)'],
  setupFiles: ['reflect-metadata'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  globalSetup: '<rootDir>/test/support/run-up.ts',
  globalTeardown: '<rootDir>/test/support/run-down.ts',
};

const onEngine = (engine) => ({
  ...common,
  displayName: engine,
  globals: { ENGINE: engine },
  testMatch: ['<rootDir>/test/api/**/*.test.ts'],
});

module.exports = {
  // A container may see more processors than it gets.
  maxWorkers: isSmall ? 1 : Math.max(2, Math.min(4, availableParallelism())),
  testSequencer: '<rootDir>/test/support/sequencer.js',
  // Ends what hangs. A busy machine must not fail what only takes long.
  testTimeout: 240_000,
  reporters: ['default', '<rootDir>/test/support/engines-reporter.js'],
  projects: [
    {
      ...common,
      displayName: 'unit',
      // Pages of development, most of them in a browser, are the same on both engines: what they show of the graph is in `api`.
      testMatch: ['src', 'test/standing', 'test/pages'].map((folder) => `<rootDir>/${folder}/**/*.test.ts`),
    },
    onEngine('sqlite'),
    ...(hasMariaDb
      ? [
          {
            ...onEngine('mariadb'),
            globalSetup: '<rootDir>/test/support/mariadb-up.ts',
          },
        ]
      : []),
  ],
};
