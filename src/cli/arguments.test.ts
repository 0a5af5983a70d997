import fc from 'fast-check';
import { timeOf } from './arguments';
import { CommandFailed } from './report';

describe('a time on the command line', () => {
  it.each([
    ['2026-09-01', '2026-09-01T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2026-09-01T09:30Z', '2026-09-01T09:30:00.000Z'],
    ['2026-09-01T09:30:15.5Z', '2026-09-01T09:30:15.500Z'],
    ['2026-12-31T23:30:00-02:00', '2027-01-01T01:30:00.000Z'],
    ['2026-03-01T00:30:00+05:30', '2026-02-28T19:00:00.000Z'],
  ])('%s is %s', (text, expected) => expect(timeOf(text).toISOString()).toBe(expected));

  it.each([
    '2026-02-29',
    '2026-02-30',
    '2026-09-31',
    '2026-11-31T00:00:00Z',
    '2100-02-29',
    '2026-02-31T12:00:00+05:30',
    '2026-00-10',
    '2026-13-01',
    '2026-01-00',
    '2026-01-01T24:00:00Z',
    '2026-01-01T23:60:00Z',
    '2026-01-01T23:59:60Z',
    '2026-01-01T10:00:00+25:00',
    '2026-01-01T10:00:00',
    '2026-1-1',
    '1.9.2026',
    'yesterday',
    '',
  ])('%j is refused', (text) => expect(() => timeOf(text)).toThrow(CommandFailed));

  it('is a day of the calendar, and each of these is taken', () => {
    const two = (value: number) => String(value).padStart(2, '0');
    const numbers = fc.tuple(
      fc.integer({ min: 1970, max: 2200 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 31 }),
    );
    fc.assert(
      fc.property(numbers, ([year, month, day]) => {
        const text = `${year}-${two(month)}-${two(day)}`;
        // The day before the first of the next month.
        if (day <= new Date(Date.UTC(year, month, 0)).getUTCDate()) expect(timeOf(text).toISOString()).toContain(text);
        else expect(() => timeOf(text)).toThrow(CommandFailed);
      }),
    );
  });
});
