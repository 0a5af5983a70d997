import Module from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { type Command, Option } from 'commander';
import { linkAssurances, roles } from '../authz/actor';
import type { ExplainFlags } from './policy';

/** zod's messages in sixty other languages, a module each, of which none is ever asked for: an empty one in their place. */
const leaveOutLocales = (): void => {
  const path = require.resolve('zod/v4/locales');
  require.cache[path] ??= Object.assign(new Module(path), { loaded: true });
};

/** These commands run once and for a moment, which is mostly loading: what isn't needed for that is left out. */
const run = () => {
  leaveOutLocales();
  // What runs once isn't worth optimizing.
  setFlagsFromString('--no-opt');
  return require('./policy') as typeof import('./policy');
};

/** `counterfoil policy`. */
export const policyCommand = (program: Command): void => {
  const policy = program.command('policy').description('Check, explain and compare exposure policies. Needs no database.');
  policy
    .command('check')
    .description('Check a policy against the graph: coverage, or every problem with its line (exit code 1).')
    .argument('[file]', 'policy file (default: POLICY_FILE or schema/exposure.yaml)')
    .option('--json', 'print one JSON object')
    .action((file: string | undefined, { json = false }: { json?: boolean }) => run().check(file, json));
  policy
    .command('explain')
    .description('Say whether and why a role sees a field, and what would lift it.')
    .argument('<field>', 'a field of the graph, such as Customer.email')
    .addOption(new Option('--role <role>', 'whose view').choices(roles).makeOptionMandatory())
    .addOption(new Option('--assurance <link>', 'under this link only (default: each)').choices(linkAssurances))
    .option('--no-mfa', 'for a session without a second factor')
    .option('--policy <file>', 'policy file (default: POLICY_FILE or schema/exposure.yaml)')
    .option('--json', 'print JSON: one object for one link, otherwise a list')
    .action((field: string, flags: ExplainFlags) => run().explainField(field, flags));
  policy
    .command('diff')
    .description('Say in words what a change of the policy exposes. Exit code 0: both mean the same; 1: they differ.')
    .argument('<old>', 'policy file before the change')
    .argument('[new]', 'policy file after it (default: POLICY_FILE or schema/exposure.yaml)')
    .option('--json', 'print one JSON object')
    .action((older: string, newer: string | undefined, { json = false }: { json?: boolean }) => run().diff(older, newer, json));
};
