import { createReadStream } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { pathText } from '../config/problems';
import { type Signal, signalSchema } from '../risk/signal';
import { CommandFailed } from './report';

/** More than this, in UTF-16 units, is no signal: memory is bounded by it. */
const longestLine = 64 * 1024;
const byteOrderMark = /^\ufeff/;
const example =
  '{"source":"shop","id":"1","type":"payment.attempt.declined","occurredAt":"2026-09-01T09:30:00Z","subjects":{"customer":"c-1","card":"fp-9"},"facts":{"country":"DE"}}';

/** One line of a stream: a signal, or what is wrong with it. */
export type SignalLine =
  | { readonly number: number; readonly signal: Signal }
  | { readonly number: number; readonly expected: string };

const read = (line: string, number: number): SignalLine => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { number, expected: `expected JSON such as ${example}` };
  }
  const parsed = signalSchema.safeParse(value);
  if (parsed.success) return { number, signal: parsed.data };
  const issues = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? `expected an object such as ${example}` : `${pathText(path)}: ${message}`,
  );
  return { number, expected: issues.join('; ') };
};

/**
 * The signals of a file of lines, or of stdin for `-`, a batch at a time. An empty line is none. Throws `CommandFailed` where the
 * file can't be read.
 */
export async function* signalLines(file: string): AsyncGenerator<readonly SignalLine[]> {
  const stream = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 20 });
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let number = 0;
  /** The rest of a line that was too long already is passed over. */
  let isTooLong = false;
  const take = (line: string): readonly SignalLine[] => {
    number += 1;
    if (isTooLong || line.length > longestLine) {
      isTooLong = false;
      return [{ number, expected: `expected at most ${longestLine} characters` }];
    }
    const text = number === 1 ? line.replace(byteOrderMark, '') : line;
    return text.trim() === '' ? [] : [read(text, number)];
  };
  try {
    for await (const chunk of stream) {
      const lines = (rest + decoder.write(chunk as Buffer)).split('\n');
      rest = lines.pop()!;
      yield lines.flatMap(take);
      if (rest.length > longestLine) {
        isTooLong = true;
        rest = '';
      }
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new CommandFailed(`${file} can't be read (${code}).`);
  }
  rest += decoder.end();
  if (rest !== '' || isTooLong) yield take(rest);
}
