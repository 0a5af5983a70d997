const { projects } = require('../../jest.config.js');

const [unit] = projects;

module.exports = {
  ...unit,
  displayName: 'attacks',
  testMatch: ['<rootDir>/test/attacks/**/*.test.ts'],
  maxWorkers: 1,
  // A gateway that has to be filled with history takes its time.
  testTimeout: 900_000,
};
