import { ulid } from '../../ulid';

/** Characters of an id that count the signals that were told together. */
const counted = 4;
/** Crockford's base 32, as in a ULID. */
const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const numbered = (beginning: string, number: number): string => {
  let text = '';
  for (let rest = number, place = 0; place < counted; place += 1) {
    text = (digits[rest % 32] as string) + text;
    rest = Math.floor(rest / 32);
  }
  return beginning + text;
};

/** The ids of so many signals, of which a million may follow each other, that were told together, in their order, by the first of them. */
export const signalIds = (first: string, count: number): readonly string[] => {
  const beginning = first.slice(0, -counted);
  return Array.from({ length: count }, (_, number) => numbered(beginning, number));
};

/** The first of new ids: `sig_`, of a ULID its time and 60 of its random bits, and a count. */
export const firstSignalId = (): string => numbered(`sig_${ulid().slice(0, -counted)}`, 0);
