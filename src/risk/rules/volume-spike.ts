import { z } from 'zod';
import { type Familiar, familiarNeeds, familiarTo, isAtHome, isHomeAsFarAsTold, isNewCountry } from '../familiar';
import { dayOf } from '../history';
import { paidCardNeeds, paidCards } from '../paid-cards';
import { defineRule } from '../rule';
import { type Signal, trustworthy } from '../signal';
import { factor, whole, withinDays, withinHours } from '../thresholds';
import { around, attempts, counted, days, daysIn, different, hours, isDecline, purchases, signalsIn } from '../windows';

const thresholds = z.strictObject({
  attempts: whole(2, 1_000),
  times: factor(),
  baselineDays: withinDays(),
  unseenDays: withinDays(),
  settledHours: withinHours(),
});

/** Of the purchases of a busy day one may be left unpaid, and of many less than this part. */
const mostUnpaid = 0.2;

/** Whether nearly all of the purchases were paid in the end. */
const isPaid = (signals: readonly Signal[]): boolean => {
  const all = purchases(signals);
  return all - purchases(signals.filter((each) => !isDecline(each))) < Math.max(2, mostUnpaid * all);
};

/** What is paid with a card that paid before, from the customer's own device, wherever that is, or where none is told from no country that is new. */
const isPaidAsBefore = (signal: Signal, familiar: Familiar, cards: ReadonlySet<string>): boolean => {
  const { card, device } = signal.subjects;
  if (card === undefined || !cards.has(card)) return false;
  return device === undefined ? !isNewCountry(signal, familiar) : familiar.devices.has(device);
};

/** What is done in one country and on two devices at most is done by somebody whose past isn't known, and not by several. */
const isOnePerson = (signals: readonly Signal[]): boolean =>
  different(signals, ({ subjects }) => subjects.device).size <= 2 && different(signals, ({ facts }) => facts.country).size <= 1;

/** A customer tries to pay far more often in a day (UTC) than in any day before. */
export const volumeSpike = defineRule({
  name: 'volume-spike',
  version: 3,
  isAboutAgents: false,
  triggers: attempts,
  effects: ['alert', 'outreach-ticket', 'challenge'],
  thresholds,
  explain: (it) =>
    `a customer's attempts of a day (UTC) are ${it.attempts} or more, and more than ${it.times} times the most of a day in the ${it.baselineDays} days before; what is tried again for one order on one device, or on the customer's own, counts once; a day mostly at home, or with cards that paid before, with fewer than two orders and a fifth left unpaid, doesn't count, nor does such a day in one country and on two devices of somebody who was a customer before anything is known of them`,
  needs: (it) => [
    ...familiarNeeds(it),
    paidCardNeeds(it.unseenDays),
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
    const known = yield* familiarTo(window.value, from, { ...it, settledHours: 0 });
    // Who is known for a shorter time than the baseline's is known by all of it.
    const isKnownLately = known.firstDay > dayOf(window.from);
    const familiar = isKnownLately ? known : yield* familiarTo(window.value, from, it);
    const speaking = trustworthy(evidence);
    const settled = new Date(from.getTime() - (isKnownLately ? 0 : it.settledHours * hours));
    const cards = yield* paidCards(
      different(speaking, ({ subjects }) => subjects.card),
      settled,
      it.unseenDays,
    );
    // Where somebody is at home today, what tells of no device and of their country is theirs, too.
    const isAnyAtHome = speaking.some((each) => isAtHome(each, familiar));
    const isOwn = (each: Signal) =>
      (isAnyAtHome ? isHomeAsFarAsTold : isAtHome)(each, familiar) || isPaidAsBefore(each, familiar, cards);
    // Who was a customer before anything was told of them has no most of a day yet.
    const isKnownSince = (since: Date | null | undefined) => since !== undefined && since !== null && since < window.from;
    const isUntold =
      isKnownLately &&
      (summaries.some(({ customerSince }) => isKnownSince(customerSince)) ||
        speaking.some(({ facts }) => isKnownSince(facts.customerSince)));
    const own = isUntold && isOnePerson(speaking) ? speaking : speaking.filter(isOwn);
    const strange = evidence.filter((each) => !own.includes(each));
    // Whoever buys a lot at home, and has it paid, has a busy day.
    if (strange.length < own.length && isPaid(own)) return null;
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
