import fc from 'fast-check';
import { latestWithin, nextWithin, type Span } from './agents-share';

const hour = 3_600_000;
const day = 24 * hour;
const now = Date.UTC(2026, 8, 1, 12);
/** Hours from now. */
const span = (from: number, to: number): Span => [now + from * hour, now + to * hour];
const room = (spans: readonly Span[], most = 4) => (latestWithin(spans, now, most * hour) - now) / hour;

describe('how long agents may still make somebody wait', () => {
  it.each<[string, readonly Span[], number]>([
    ['all of it where nothing was held', [], 4],
    ['what is left', [span(-3, -1)], 2],
    ['the same where several stood at once', [span(-3, -1), span(-3, -2), span(-2.5, -1)], 2],
    ['none', [span(-4, -2), span(-2, 0)], 0],
    ['nothing less for what is over for a day', [span(-28, -25)], 4],
    ['what falls out of the day meanwhile, too', [span(-24, -22), span(-2, 0)], 2],
    ['what falls out only then, too', [span(-23, -21), span(-1, 0)], 3],
    ['what stands already is no more for being held twice', [span(-1, 1)], 3],
  ])('is %s', (_, spans, hours) => {
    expect(room(spans)).toBe(hours);
  });

  it('is said with when there is room again', () => {
    const next = (...spans: Span[]) => (nextWithin(spans, now, 4 * hour) - now) / hour;
    expect(next(span(-4, -2), span(-2, 0))).toBe(20);
    // A supervisor extended one.
    expect(next(span(-20, -14))).toBe(6);
    expect(next(span(-20, -14), span(-1, 3))).toBe(23);
  });

  it('never lets more be held within any 24 hours, and not less than may be', () => {
    const minute = 60_000;
    const past = fc.array(fc.tuple(fc.integer({ min: -48 * 60, max: -1 }), fc.integer({ min: 1, max: 120 })), { maxLength: 12 });
    const heldWithin = (spans: readonly Span[], until: number): number => {
      let held = 0;
      for (let at = until - day; at < until; at += minute) if (spans.some(([from, to]) => from <= at && at < to)) held += 1;
      return held;
    };
    fc.assert(
      fc.property(past, fc.integer({ min: 1, max: 12 }), (given, hours) => {
        const spans: Span[] = [];
        for (const [from, minutes] of [...given].sort(([a], [b]) => a - b)) {
          // Placed as they may be.
          const at = now + from * minute;
          const latest = Math.min(latestWithin(spans, at, hours * hour), at + minutes * minute);
          if (latest > at) spans.push([at, latest]);
          expect(heldWithin(spans, latest)).toBeLessThanOrEqual(hours * 60);
        }
        const latest = latestWithin(spans, now, hours * hour);
        if (latest > now) expect(heldWithin([...spans, [now, latest]], latest)).toBeLessThanOrEqual(hours * 60);
        expect(heldWithin([...spans, [now, latest + minute]], latest + minute)).toBeGreaterThan(hours * 60);
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});
