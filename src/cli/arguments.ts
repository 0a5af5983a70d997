import { InvalidArgumentError } from 'commander';
import { CommandFailed } from './report';

/** A day, or a time with its zone. */
const acceptedTime = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** Date takes the 30th of February for the 2nd of March. */
const isInCalendar = (text: string): boolean => {
  const day = text.slice(0, 10);
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
};

/** Throws `CommandFailed`, which says what is accepted. */
export const timeOf = (text: string): Date => {
  const at = new Date(text);
  if (!acceptedTime.test(text) || Number.isNaN(at.getTime()) || !isInCalendar(text) || /T24/.test(text))
    throw new CommandFailed('Expected a day (2026-09-01, midnight UTC) or a time (2026-09-01T09:30:00Z).');
  return at;
};

/** An older size among those given before. Throws `CommandFailed`. */
export const sizeOf = (text: string, sizes: readonly number[]): readonly number[] => {
  if (!/^\d{1,15}$/.test(text)) throw new CommandFailed('--since: expected the size of an older checkpoint, a whole number.');
  return [...sizes, Number(text)];
};

/** `name@host` as SQL writes it. Throws `InvalidArgumentError`. */
export const accountOf = (text: string): string => {
  const [, name, host = '%'] = /^([A-Za-z0-9_.-]{1,80})(?:@([A-Za-z0-9_.%:-]{1,60}))?$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('Expected NAME or NAME@HOST.');
  return `'${name}'@'${host}'`;
};

/** The values of an option that may be repeated. */
export const again = (value: string, former: readonly string[] | undefined): readonly string[] => [...(former ?? []), value];
