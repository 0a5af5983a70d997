import { readFileSync } from 'node:fs';
import { NoteInvalid } from '../audit/note';
import { CommandFailed } from './report';

/** Throws `CommandFailed`. */
const fileText = (file: string, what: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CommandFailed(`The ${what} ${file} can't be read.`);
  }
};

/** The text of a file that was named for what stands in it: an empty one isn't taken for none. Throws `CommandFailed`. */
export const filledText = (file: string, what: string): string => {
  const text = fileText(file, what);
  if (text.trim() === '') throw new CommandFailed(`The ${what} ${file} is empty.`);
  return text;
};

/** Keys as they are published, `name+hash+base64`, or in a file with one a line. Throws `CommandFailed`. */
export const keysOf = <K>(argument: string, option: string, parse: (text: string) => K): readonly K[] => {
  const isKey = /^[^+]+\+[0-9a-f]{8}\+/.test(argument);
  const lines = (isKey ? argument : filledText(argument, 'key file')).split('\n').map((line) => line.trim());
  try {
    return lines.filter((line) => line !== '').map(parse);
  } catch (error) {
    if (!(error instanceof NoteInvalid)) throw error;
    throw new CommandFailed(`${option}: ${error.message}. "counterfoil audit key" prints the log's; a file holds one a line.`);
  }
};
