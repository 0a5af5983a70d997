import type { Command } from 'commander';

const run = () => require('./schema') as typeof import('./schema');

/** `counterfoil schema`: the graph as a file to review. */
export const schemaCommand = (program: Command): void => {
  const schema = program.command('schema').description('Print the graph, or check that its reviewed file is up to date.');
  schema
    .command('print')
    .description('Print the graph in the schema language, sorted.')
    .option('--output <file>', 'write it to a file instead')
    .action(({ output }: { readonly output?: string }) => run().print(output));
  schema
    .command('check')
    .description('Compare the reviewed file with the graph; exit code 1 and the first differing lines where they differ.')
    .argument('[file]', 'schema file', 'schema/schema.graphql')
    .option('--json', 'print one JSON object')
    .action((file: string, { json = false }: { json?: boolean }) => run().check(file, json));
};
