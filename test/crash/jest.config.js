const { projects } = require('../../jest.config.js');

const [unit] = projects;

module.exports = {
  ...unit,
  displayName: 'crash',
  testMatch: ['<rootDir>/test/crash/**/*.test.ts'],
  maxWorkers: 1,
  // Hundreds of rounds take some minutes each hundred.
  testTimeout: 3_600_000,
};
