const { default: Sequencer } = require('@jest/test-sequencer');

/**
 * What takes longest, longest first, and is not the longest to read: by size alone these would come last, with one worker idle. Those that need the
 * gateway built don't begin side by side, nor those that need the console: two workers would both make it.
 */
const long = [
  'api/console-agent',
  'api/holds-many',
  'api/console-supervisor',
  'api/alert-revocation',
  'api/console-auditor',
  'api/disclosures',
  'api/outage',
  'standing/cli',
  'api/hostile-subscribers',
  'pages/policy-screens',
  'standing/readme-walk',
  'api/leak-risk-breakages',
  'pages/operations-screens',
  'standing/add-a-field',
  'api/subscriptions',
  'standing/beside',
  'http/confirm',
  'api/abuse',
  'pages/explorer',
  'pages/frames',
  'api/holds-covered',
  'standing/audit-cli',
  'api/work',
  'privacy/redaction',
  'pages/sign-in',
  'pages/newcomer',
  'api/operations-command',
  'standing/stream-cli',
  'api/credentials-confirmation',
  'api/assistance',
  'pages/verifier',
  'api/busy-desk',
  'api/card-invitations',
  'api/leak',
  'api/leak-breakages',
  'pages/demo-provider',
  'api/sources',
  'standing/rules-cli',
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
