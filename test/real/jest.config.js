const base = require('../../jest.config.js').projects[0];

module.exports = {
  ...base,
  displayName: 'real',
  testMatch: ['<rootDir>/test/real/**/*.test.ts'],
  // one RT serves them all, and some tests watch everything that happens in it
  maxWorkers: 1,
  testTimeout: 120_000,
};
