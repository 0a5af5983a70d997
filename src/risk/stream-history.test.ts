import type { Window } from './history';
import type { Signal } from './signal';
import { StreamHistory } from './stream-history';
import { days, hours } from './windows';

const start = Date.UTC(2026, 8, 1);
const types = ['staff.disclosure'] as const;
const needs = (['team', 'customer'] as const).map((subject) => ({ of: 'signals' as const, subject, types, back: 2 * days }));
let made = 0;
const seen = (at: number, team = 'cards', customer = 'c-1'): Signal => {
  made += 1;
  return {
    source: 'gateway',
    id: String(made),
    type: 'staff.disclosure',
    occurredAt: new Date(start + at),
    subjects: { staff: 'ana', team, customer },
    facts: {},
  };
};
const window = (over: Partial<Window> = {}): Window => ({
  subject: 'team',
  value: 'cards',
  types,
  from: new Date(start),
  to: new Date(start + hours),
  ...over,
});

describe('the past of a stream', () => {
  const asked = (history: StreamHistory, of: Window = window()) => history.answer({ signals: [of], days: [] }).signals[0] ?? [];

  it('answers a team’s window again as before, until something is received that occurred in it', () => {
    const history = new StreamHistory(needs);
    const [first, second] = [seen(1_000), seen(2_000)];
    history.add(first);
    history.add(second);
    const before = asked(history);
    expect(before).toEqual([first, second]);
    history.add(seen(2 * hours));
    history.add(seen(500, 'wallets'));
    expect(asked(history)).toBe(before);
    const late = seen(1_500);
    history.add(late);
    expect(asked(history)).toEqual([first, late, second]);
    const atItsEnd = seen(hours);
    history.add(atItsEnd);
    expect(asked(history)).toEqual([first, late, second, atItsEnd]);
  });

  it('keeps windows of one team apart by their types, their stretch and their team', () => {
    const history = new StreamHistory(needs);
    const [first, other] = [seen(1_000), seen(3 * hours)];
    history.add(first);
    history.add(other);
    expect(asked(history)).toEqual([first]);
    expect(asked(history, window({ to: new Date(start + 4 * hours) }))).toEqual([first, other]);
    expect(asked(history, window({ from: new Date(start + 2_000) }))).toEqual([]);
    expect(asked(history, window({ types: ['staff.reply'] }))).toEqual([]);
    expect(asked(history, window({ value: 'wallets' }))).toEqual([]);
    expect(asked(history)).toEqual([first]);
  });

  it('lets go of what nobody can ask for any more, however much is kept', () => {
    const history = new StreamHistory(needs);
    const kept = () =>
      [...(Reflect.get(history, 'signals') as Map<string, Map<string, Signal[]>>).values()]
        .flatMap((each) => [...each.values()])
        .reduce((sum, { length }) => sum + length, 0);
    // A thousand a day, each in two windows of two days that a late one may ask for two days later.
    for (let day = 0; day < 200; day += 1)
      for (let number = 0; number < 1_000; number += 1) history.add(seen(day * days + number * 1_000, 'cards', `c-${number}`));
    expect(kept()).toBeLessThan(2 * (4 * 1_000 + 16_384 + 1_000));
    expect(asked(history, window({ from: new Date(start + 197 * days), to: new Date(start + 200 * days) }))).toHaveLength(3_000);
  });
});
