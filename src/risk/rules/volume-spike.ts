import { z } from 'zod';
import { familiarNeeds, familiarTo, isAtHome, isHomeAsFarAsTold } from '../familiar';
import { dayOf } from '../history';
import { defineRule } from '../rule';
import { type Signal, trustworthy } from '../signal';
import { factor, whole, withinDays, withinHours } from '../thresholds';
import { around, attempts, counted, days, daysIn, isDecline, purchases, signalsIn } from '../windows';

const thresholds = z.strictObject({
  attempts: whole(2, 1_000),
  times: factor(),
  baselineDays: withinDays(),
  unseenDays: withinDays(),
  settledHours: withinHours(),
});

/** How many purchases were declined and not paid either. */
const unpaid = (signals: readonly Signal[]): number => purchases(signals) - purchases(signals.filter((each) => !isDecline(each)));

/** A customer tries to pay far more often in a day (UTC) than in any day before. */
export const volumeSpike = defineRule({
  name: 'volume-spike',
  version: 2,
  isAboutAgents: false,
  triggers: attempts,
  effects: ['alert', 'outreach-ticket', 'challenge'],
  thresholds,
  explain: (it) =>
    `a customer's attempts of a day (UTC) are ${it.attempts} or more, and more than ${it.times} times the most of a day in the ${it.baselineDays} days before; what is tried again for one order on one device, or on the customer's own, counts once, and a day mostly at home, with fewer than two orders left unpaid, doesn't count`,
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
    // Where somebody is at home today, what tells of no device and of their country is theirs, too.
    const isAnyAtHome = trustworthy(evidence).some((each) => isAtHome(each, familiar));
    const isOwn = (each: Signal) => (isAnyAtHome ? isHomeAsFarAsTold : isAtHome)(each, familiar);
    const own = trustworthy(evidence).filter(isOwn);
    const strange = evidence.filter((each) => !own.includes(each));
    // Whoever buys a lot at home, and has it paid, has a busy day.
    if (strange.length < own.length && unpaid(own) < 2) return null;
    // One order that is tried again and again where it was is one purchase.
    const places = new Set(strange.map(({ subjects }) => subjects.device));
    const elsewhere = [...places].map((device) => purchases(strange.filter(({ subjects }) => subjects.device === device)));
    const count = elsewhere.reduce((sum, each) => sum + each, purchases(own));
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
