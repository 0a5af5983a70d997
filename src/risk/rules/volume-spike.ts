import { z } from 'zod';
import { dayOf } from '../history';
import { defineRule } from '../rule';
import { factor, whole, withinDays } from '../thresholds';
import { around, attempts, counted, days, daysIn, signalsIn } from '../windows';

const thresholds = z.strictObject({ attempts: whole(2, 1_000), times: factor(), baselineDays: withinDays() });

/** A customer tries to pay far more often in a day (UTC) than in any day before. */
export const volumeSpike = defineRule({
  name: 'volume-spike',
  version: 1,
  isAboutAgents: false,
  triggers: attempts,
  effects: ['alert', 'outreach-ticket', 'challenge'],
  thresholds,
  explain: (it) =>
    `a customer's attempts of a day (UTC) are ${it.attempts} or more, and more than ${it.times} times the most of a day in the ${it.baselineDays} days before`,
  needs: (it) => [
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
    const count = byDay.get(today) ?? 0;
    if (count < it.attempts) return null;
    byDay.delete(today);
    const most = Math.max(0, ...byDay.values());
    if (count <= it.times * most) return null;
    const from = new Date(today * days);
    const [evidence = []] = yield* signalsIn({ ...window, from, to: new Date(from.getTime() + days - 1) });
    return {
      subject: 'customer',
      window: days,
      counts: { attempts: count, most },
      evidence,
      sentence: `A customer made ${counted(count, 'attempt')} to pay in a day; the most of a day in the ${it.baselineDays} days before was ${most}.`,
    };
  },
});
