import type { Signal } from '../risk/signal';
import { days, minutes } from '../risk/windows';
import type { SignalLine } from './signal-lines';

/** By how many milliseconds a line that is in the future by our own clock may be ahead of all before it. */
const furthest = 2 * days;
const clockTolerance = 5 * minutes;
/** Lines in a row that are further ahead, after which it is a stream of another time and no mistake. */
const enough = 20;

const expected =
  'occurredAt: expected an instant that is not in the future, or at most 2 days ahead of the other lines (TIME_LIMIT); the line is passed over';

/**
 * A stream without the lines that are in the future, far ahead of all around them: what came after one of them would count as late. Such
 * a line is held until those that follow tell: one that is back where the stream was makes it a mistake; twenty in a row, or the end
 * of the stream, make it a stream that is made up, of another time.
 */
export async function* withoutStrays(
  lines: AsyncIterable<readonly SignalLine[]>,
  now = Date.now(),
): AsyncGenerator<readonly SignalLine[]> {
  let clock = Number.NEGATIVE_INFINITY;
  let held: { readonly number: number; readonly signal: Signal }[] = [];
  const at = ({ signal }: { readonly signal: Signal }) => signal.occurredAt.getTime();
  const isAhead = (instant: number, of: number) => instant > now + clockTolerance && instant - of > furthest;
  const release = () => {
    const released = held;
    held = [];
    clock = released.reduce((latest, line) => Math.max(latest, at(line)), clock);
    return released;
  };
  const take = (line: SignalLine): readonly SignalLine[] => {
    if (!('signal' in line)) return [line];
    const strays = held.filter((each) => isAhead(at(each), at(line))).map(({ number }) => ({ number, expected }));
    held = held.filter((each) => !isAhead(at(each), at(line)));
    if (isAhead(at(line), clock)) {
      held.push(line);
      return held.length < enough ? strays : [...strays, ...release()];
    }
    clock = Math.max(clock, at(line));
    return [...strays, ...release(), line];
  };
  for await (const some of lines) yield some.flatMap(take);
  yield release();
}
