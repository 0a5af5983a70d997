import { dayOf } from './history';
import type { Answer, Ask } from './rule';
import { days, daysIn } from './windows';

/** Cards of which is asked whether they have paid before, the last of them: whoever tries more than these at once isn't at home among them. */
const mostCards = 200;

const paid = ['payment.attempt.succeeded'] as const;

export const paidCardNeeds = (knownDays: number) =>
  ({ of: 'days', subject: 'card', types: paid, back: knownDays * days }) as const;

/** Asks which of the cards have paid on a day (UTC) before that of an instant, `knownDays` before it at most. */
export function* paidCards(
  cards: Iterable<string>,
  before: Date,
  knownDays: number,
): Generator<Ask, ReadonlySet<string>, Answer> {
  const named = [...cards].slice(-mostCards);
  const from = new Date(before.getTime() - knownDays * days);
  const answers = yield* daysIn(...named.map((value) => ({ subject: 'card' as const, value, types: paid, from, to: before })));
  const today = dayOf(before);
  return new Set(named.filter((_, index) => answers[index]?.some(({ day }) => day < today)));
}
