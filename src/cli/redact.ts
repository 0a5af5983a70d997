import { once } from 'node:events';
import { StringDecoder } from 'node:string_decoder';
import { type CardDataKind, type CardDataSpan } from '../privacy/card-data';
import { findCardNumbers } from '../privacy/card-numbers';
import { TextRedactor } from '../privacy/redaction';
import { CommandFailed } from './report';

export interface RedactFlags {
  readonly jsonl?: boolean;
}

/** The words that corpora of such texts use. */
const types = { CARD_NUMBER: 'PAN', TRACK: 'TRACK', CVC: 'CVC', EXPIRY: 'EXPIRY' } as const satisfies Record<
  CardDataKind,
  string
>;

interface TypedSpan {
  readonly start: number;
  readonly end: number;
  readonly type: (typeof types)[CardDataKind];
}

/** More than this, in UTF-16 units, is no text of a ticket but a mistake: memory is bounded by it. */
const mostText = 16 * 1024 * 1024;

/** A track is told as a whole, and the number in it besides. */
const typed = (text: string, { kind, start, end }: CardDataSpan): readonly TypedSpan[] => {
  const whole: TypedSpan = { start, end, type: types[kind] };
  if (kind !== 'TRACK') return [whole];
  const numbers = findCardNumbers(text.slice(start, end)).slice(0, 1);
  return [whole, ...numbers.map((number): TypedSpan => ({ start: start + number.start, end: start + number.end, type: 'PAN' }))];
};

const redactor = new TextRedactor();

/** Waits where whoever reads is slower. */
const write = async (text: string): Promise<void> => {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
};

const read = async (each: (text: string) => Promise<void> | void): Promise<void> => {
  const decoder = new StringDecoder('utf8');
  for await (const chunk of process.stdin) await each(decoder.write(chunk as Buffer));
  await each(decoder.end());
};

const isRecord = (value: unknown): value is { id: unknown; text: string } =>
  typeof value === 'object' && value !== null && 'id' in value && 'text' in value && typeof value.text === 'string';

const parsed = (line: string, number: number): { id: unknown; text: string } => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new CommandFailed(`Line ${number} is no JSON. Expected {"id": …, "text": "…"} on each line.`);
  }
  if (isRecord(value)) return value;
  throw new CommandFailed(`Line ${number} has no id, or no text that is a string. Expected {"id": …, "text": "…"} on each line.`);
};

const redactLine = (line: string, number: number): string => {
  if (line.trim() === '') return '';
  const { id, text } = parsed(line, number);
  const spans = redactor.find(text).flatMap((span) => typed(text, span));
  return `${JSON.stringify({ id, text: redactor.redact(text).text, spans })}\n`;
};

const byteOrderMark = /^\ufeff/;

const redactLines = async (): Promise<void> => {
  let rest = '';
  let number = 0;
  const take = (line: string): Promise<void> => {
    number += 1;
    return write(redactLine(number === 1 ? line.replace(byteOrderMark, '') : line, number));
  };
  await read(async (text) => {
    const lines = text.split('\n');
    lines[0] = rest + lines[0];
    rest = lines.pop()!;
    if (rest.length > mostText)
      throw new CommandFailed(`Line ${number + lines.length + 1} is longer than ${mostText} characters.`);
    for (const line of lines) await take(line);
  });
  if (rest !== '') await take(rest);
};

const redactText = async (): Promise<void> => {
  const pieces: string[] = [];
  let length = 0;
  await read((text) => {
    pieces.push(text);
    length += text.length;
    if (length > mostText)
      throw new CommandFailed(
        `The text is longer than ${mostText} characters. Give its parts one by one, or as lines (--jsonl).`,
      );
  });
  await write(redactor.redact(pieces.join('')).text);
};

/** `counterfoil redact`: stdin to stdout, line by line as it comes, or as one text. */
export const redact = ({ jsonl = false }: RedactFlags): Promise<void> => (jsonl ? redactLines() : redactText());
