import type { Command } from 'commander';
import type { RulesTestFlags } from './rules';

const run = () => require('./rules') as typeof import('./rules');
const file = '--rules <file>';
const fileHelp = 'rules file (default: RULES_FILE or schema/rules.yaml)';

/** `counterfoil rules`. */
export const rulesCommand = (program: Command): void => {
  const rules = program.command('rules').description('Explain the risk rules, and try them out before they are in force.');
  rules
    .command('test')
    .description('Evaluate every rule over signals, those that are OFF too, and say what would fire. Nothing follows of it.')
    .option(
      '--stream <file>',
      'signals, a line of JSON each, in the order of receipt; - for stdin (default: those that the gateway has stored)',
    )
    .option('--from <time>', 'verdicts from this time on: a day or an instant; earlier signals count as the past')
    .option('--to <time>', 'verdicts before this time')
    .option(file, `${fileHelp}; what it finds is shown beside today's`)
    .option('--json', 'print a verdict a line, with the rule, when, about whom, the signals it rests on and the effect')
    .addHelpText(
      'after',
      '\nWhat is stored is named by digests and ids of ours, and reaches as far back as signals are kept; beside a gateway on the embedded\ndatabase a snapshot is read. A line of a stream that is no signal is named on stderr and makes the command end with 1; the others are evaluated.',
    )
    .action((flags: RulesTestFlags) => run().test(flags));
  rules
    .command('explain')
    .description('Say of one rule, or of each, when it fires, what follows and in which mode it is.')
    .argument('[rule]', 'name of a rule such as card-testing')
    .option(file, fileHelp)
    .option('--json', 'print a list of JSON objects')
    .action((name: string | undefined, flags: { readonly rules?: string; readonly json?: boolean }) =>
      run().explain(name, flags),
    );
  rules
    .command('schema')
    .description('Print the JSON Schema of signals, or of the rules file.')
    .argument('<of>', 'signals or rules')
    .action((of: string) => run().schema(of));
};
