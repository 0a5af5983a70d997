const { default: Sequencer } = require('@jest/test-sequencer');

/** What takes longest, and is not the longest to read: by size alone these would come last, with one worker idle. */
const long = [
  'standing/cli',
  // Between two that need the gateway built: two workers that begin with such would both build it.
  'api/leak-breakages',
  'standing/add-a-field',
  'standing/beside',
  'standing/readme-walk',
  'standing/audit-cli',
  'api/leak',
  'http/confirm',
  'pages/explorer',
  'standing/audit-verify',
  'api/desk',
];

const rank = ({ path }) => {
  const found = long.findIndex((each) => path.endsWith(`/${each}.test.ts`));
  return found < 0 ? long.length : found;
};

/** By size on a first run, by how long each took afterwards, as Jest has it; the longest that are known come first in any case. */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
};
