import { z } from 'zod';
import { familiarNeeds, familiarTo, isAtHome } from '../familiar';
import { dayOf } from '../history';
import { defineRule } from '../rule';
import { factor, whole, withinDays, withinHours } from '../thresholds';
import { around, attempts, counted, days, daysIn, isDecline, purchases, signalsIn } from '../windows';

const thresholds = z.strictObject({
  attempts: whole(2, 1_000),
  times: factor(),
  baselineDays: withinDays(),
  unseenDays: withinDays(),
  settledHours: withinHours(),
});

/** A customer tries to pay far more often in a day (UTC) than in any day before. */
export const volumeSpike = defineRule({
  name: 'volume-spike',
  version: 1,
  isAboutAgents: false,
  triggers: attempts,
  effects: ['alert', 'outreach-ticket', 'challenge'],
  thresholds,
  explain: (it) =>
    `a customer's attempts of a day (UTC) are ${it.attempts} or more, and more than ${it.times} times the most of a day in the ${it.baselineDays} days before; what is tried again for one order on the customer's own device counts once, and a day mostly there, with fewer than two orders declined, doesn't count`,
  needs: (it) => [
    ...familiarNeeds(it),
    { of: 'days', subject: 'customer', types: attempts, back: it.baselineDays * days },
    { of: 'signals', subject: 'customer', types: attempts, back: days },
  ],
  *judge(signal, it) {
    const window = around(signal, 'customer', attempts, { back: it.baselineDays * days, ahead: 0 });
    if (!window) return null;
    const [summaries = []] = yield* daysIn(window);
    const today = dayOf(signal.occurredAt);
    const byDay = new Map<number, number>();
    for (const { day, count } of summaries) byDay.set(day, (byDay.get(day) ?? 0) + count);
    const all = byDay.get(today) ?? 0;
    if (all < it.attempts) return null;
    byDay.delete(today);
    const most = Math.max(0, ...byDay.values());
    if (all <= it.times * most) return null;
    const from = new Date(today * days);
    const [evidence = []] = yield* signalsIn({ ...window, from, to: new Date(from.getTime() + days - 1) });
    const familiar = yield* familiarTo(window.value, from, it);
    const own = evidence.filter((each) => isAtHome(each, familiar));
    const strange = evidence.filter((each) => !own.includes(each));
    // Whoever buys a lot at home, and has it paid, has a busy day; one order that is tried there again and again is one purchase.
    if (strange.length < own.length && purchases(own.filter(isDecline)) < 2) return null;
    const count = purchases(own) + strange.length;
    if (count < it.attempts || count <= it.times * most) return null;
    return {
      subject: 'customer',
      window: days,
      counts: { attempts: count, most },
      evidence,
      sentence: `A customer made ${counted(count, 'attempt')} to pay in a day; the most of a day in the ${it.baselineDays} days before was ${most}.`,
    };
  },
});
