const { projects } = require('../../jest.config.js');

const [unit] = projects;
const mariadb = projects.find(({ displayName }) => displayName === 'mariadb');

module.exports = {
  // the gateway runs on MariaDB where there is one, as in production
  ...(mariadb ?? unit),
  displayName: 'real',
  globals: { ENGINE: mariadb ? 'mariadb' : 'sqlite' },
  testMatch: ['<rootDir>/test/real/**/*.test.ts'],
  // one RT serves them all, and some tests watch everything that happens in it
  maxWorkers: 1,
  testTimeout: 120_000,
};
