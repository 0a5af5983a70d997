import type { Command } from 'commander';
import type { RedactFlags } from './redact';

/** `counterfoil redact`. */
export const redactCommand = (program: Command): void => {
  program
    .command('redact')
    .description('Remove card data from a text on stdin, as it is removed from a ticket before that is stored.')
    .option('--jsonl', 'read {"id", "text"} on each line, write {"id", "text", "spans": [{"start", "end", "type"}]} for each')
    .addHelpText(
      'after',
      '\nTypes: PAN (card number), CVC, EXPIRY, TRACK (a magnetic stripe’s data; the number in it has a PAN of its own). Offsets are\nUTF-16 units of the text that was read; the text that is written is the cleaned one. Needs no configuration.',
    )
    .action((flags: RedactFlags) => (require('./redact') as typeof import('./redact')).redact(flags));
};
