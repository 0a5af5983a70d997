import fc from 'fast-check';
import { AnswerSteps } from './answer-time';

const steps = new AnswerSteps();

test('answers that took different times within a step leave at the same time', () => {
  for (const elapsed of [0, 1, 42.5, 99.9]) expect(elapsed + steps.untilEnd(elapsed)).toBeCloseTo(100);
  for (const elapsed of [100, 150]) expect(elapsed + steps.untilEnd(elapsed)).toBeCloseTo(200);
});

test('an answer leaves at the end of a step, however long it took, and waits for one step at most', () => {
  fc.assert(
    fc.property(fc.nat(100_000), (elapsed) => {
      const wait = steps.untilEnd(elapsed);
      expect(wait > 0 && wait <= 100 && (elapsed + wait) % 100 === 0).toBe(true);
    }),
  );
});
