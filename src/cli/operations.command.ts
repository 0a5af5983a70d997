import type { Command } from 'commander';
import type { ListFlags } from './operations';

const run = () => require('./operations') as typeof import('./operations');

/** `counterfoil operations …` */
export const operationsCommand = (program: Command): void => {
  const operations = program
    .command('operations')
    .description('Register operations that clients ask for by hash; list and retire them.');
  operations
    .command('register')
    .description('Register every operation of these files, or none where one doesn’t fit the graph and its bounds.')
    .argument(
      '<files...>',
      'manifests (.json) of Apollo’s generate-persisted-query-manifest or graphql-codegen’s client preset; or .graphql files, each one document',
    )
    .option('--json', 'print one JSON object: registered, unchanged (hashes)')
    .addHelpText(
      'after',
      '\nAn id in a manifest has to be the SHA-256 of its text (graphql-codegen: hashAlgorithm: "sha256"). What is registered already\nstays as it is. Each registration is an event of the log. Running gateways know of it within five seconds. Beside a gateway\non the embedded database, the gateway does it.',
    )
    .action((files: readonly string[], flags: { json?: boolean }) => run().register(files, flags));
  operations
    .command('list')
    .description('Print what is registered: hash, since when, operations.')
    .option('--all', 'what was retired too')
    .option('--json', 'print JSON: a list of id, operations, registeredAt, retiredAt')
    .action((flags: ListFlags) => run().list(flags));
  operations
    .command('show')
    .description('Print the text that is registered under a hash, retired or not, to the byte.')
    .argument('<hash>', 'as list prints it')
    .action((hash: string) => run().show(hash));
  operations
    .command('retire')
    .alias('remove')
    .description('Retire operations: nobody may ask for them any more. Their texts and events stay.')
    .argument('<hashes...>', 'as list prints them')
    .option('--json', 'print one JSON object: retired, unchanged (hashes)')
    .addHelpText('after', '\nRunning gateways know of it within five seconds.')
    .action((hashes: readonly string[], flags: { json?: boolean }) => run().retire(hashes, flags));
};
