import { randomFillSync } from 'node:crypto';
import { incrementBase32, ulid as ulidFrom } from 'ulid';

/** Random bytes fetched many at a time: the library's own source asks the system once a character. */
const drawn = Buffer.alloc(4_096);
let used = drawn.length;

const fraction = (): number => {
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  const byte = drawn[used] as number;
  used += 1;
  return byte / 256;
};

/** A ULID: 48 bits of time (UTC milliseconds, now unless given) and 80 random bits, in Crockford's base 32. Not a secret. */
export const ulid = (at?: number): string => ulidFrom(at, fraction);

const timeLength = 10;

/** ULIDs of one maker: of two with the same millisecond, the later one sorts after the earlier one. */
export const ulidsInOrder = (): ((at: number) => string) => {
  let last = '';
  return (at) => {
    const next = ulid(at);
    const time = next.slice(0, timeLength);
    last = last.startsWith(time) && next <= last ? time + incrementBase32(last.slice(timeLength)) : next;
    return last;
  };
};
