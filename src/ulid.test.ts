import fc from 'fast-check';
import { ulidsInOrder } from './ulid';

describe('identifiers of one maker', () => {
  test('sort in the order in which they were made while the clock doesn’t go back, within one millisecond too', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2), { maxLength: 200 }), (steps) => {
        const next = ulidsInOrder();
        let at = 1_000;
        const made = steps.map((step) => {
          at += step;
          return next(at);
        });
        expect(made).toEqual([...new Set(made)].sort());
      }),
    );
  });

  test('have the time that they were asked for, wherever the clock goes', () => {
    const next = ulidsInOrder();
    const times = [5_000, 4_000, 5_000, 5_000, 1];
    const decoded = times.map((at) =>
      [...next(at).slice(0, 10)].reduce((sum, digit) => sum * 32 + '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(digit), 0),
    );
    expect(decoded).toEqual(times);
  });
});
