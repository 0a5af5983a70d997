import { z } from 'zod';
import { type Familiar, familiarNeeds, familiarTo, isHomeAsFarAsTold, isNowhereElse } from '../familiar';
import { paidCardNeeds, paidCards } from '../paid-cards';
import { defineRule } from '../rule';
import type { Signal } from '../signal';
import { whole, withinDays, withinHours } from '../thresholds';
import { around, attempts, counted, hours, isDecline, purchases, signalsIn, spell, stretchWith } from '../windows';

const thresholds = z.strictObject({
  declines: whole(2, 1_000),
  withinHours: withinHours(),
  unseenDays: withinDays(),
  settledHours: withinHours(),
});

/** What providers call it: Stripe's advice code, and the card networks' merchant advice codes 03 and 21. */
const neverAgain: ReadonlySet<string> = new Set(['donottryagain', 'donotretry', 'nevertryagain', '03', '21']);
const forbidsRetry = (signal: Signal): boolean =>
  isDecline(signal) && neverAgain.has((signal.facts.advice ?? '').toLowerCase().replace(/[^a-z0-9]/g, ''));

/** The second is from the country of the first, or from one of the customer's own. */
const isSameCountry = (first: Signal, { facts: { country } }: Signal, { countries }: Familiar): boolean =>
  first.facts.country === country || (country !== undefined && countries.has(country));

/** Of both is told as much, and what differs is the customer's own. */
const isToldAlike = (first: Signal, second: Signal, familiar: Familiar): boolean =>
  (first.subjects.device === undefined) === (second.subjects.device === undefined) &&
  (first.subjects.device === second.subjects.device || familiar.devices.has(second.subjects.device ?? '')) &&
  (first.facts.country === undefined) === (second.facts.country === undefined) &&
  isSameCountry(first, second, familiar);

/** A card is tried on although it won't be accepted. */
export const declineLoop = defineRule({
  name: 'decline-loop',
  version: 3,
  isAboutAgents: false,
  triggers: attempts,
  effects: ['alert', 'challenge'],
  thresholds,
  explain: (it) =>
    `a card is declined ${it.declines} times within ${spell(it.withinHours * hours)}, or tried again from elsewhere within that time after its issuer advised "do not try again"; the same customer on the same or an own device, with the same purchase in one country, in an own country where no device is told, or with a card that paid before and nothing told that isn't theirs, doesn't count`,
  needs: (it) => [
    ...familiarNeeds(it),
    paidCardNeeds(it.unseenDays),
    { of: 'signals', subject: 'card', types: attempts, back: it.withinHours * hours },
  ],
  *judge(signal, it) {
    const length = it.withinHours * hours;
    const [tries = []] = yield* signalsIn(around(signal, 'card', attempts, { back: length, ahead: length }));
    if (tries.length < 2) return null;
    const finding = { subject: 'card', window: length } as const;
    const declines = isDecline(signal) ? tries.filter(isDecline) : [];
    const loop = stretchWith(declines, signal, length, (stretch) => stretch.length >= it.declines);
    if (loop)
      return {
        ...finding,
        counts: { declines: loop.length },
        evidence: loop,
        sentence: `A card was declined ${loop.length} times within ${spell(length)}.`,
      };
    if (!tries.some(forbidsRetry)) return null;
    const at = signal.occurredAt.getTime();
    const { customer } = signal.subjects;
    const familiar = customer === undefined ? null : yield* familiarTo(customer, signal.occurredAt, it);
    const settled = new Date(at - it.settledHours * hours);
    const hasPaid = customer !== undefined && (yield* paidCards([signal.subjects.card!], settled, it.unseenDays)).size > 0;
    // Whoever presses the button again where they were isn't trying the card out, nor is whoever is at home with it.
    const isSamePerson = (first: Signal, second: Signal): boolean =>
      customer !== undefined &&
      first.subjects.customer === second.subjects.customer &&
      ((second.subjects.device !== undefined && first.subjects.device === second.subjects.device) ||
        isHomeAsFarAsTold(second, familiar!) ||
        // One purchase in one country is one person's, on whichever device; a card that paid before is its holder's.
        (isSameCountry(first, second, familiar!) && purchases([first, second]) === 1) ||
        (hasPaid && isToldAlike(first, second, familiar!)) ||
        (hasPaid && !isDecline(second) && isNowhereElse(second, familiar!)));
    const forbidden = tries.findLast(
      (each) => forbidsRetry(each) && each.occurredAt.getTime() < at && !isSamePerson(each, signal),
    );
    const retried = forbidsRetry(signal)
      ? tries.find((each) => each.occurredAt.getTime() > at && !isSamePerson(signal, each))
      : undefined;
    if (!forbidden && !retried) return null;
    const evidence = forbidden ? [forbidden, signal] : [signal, retried!];
    return {
      ...finding,
      counts: { declines: tries.filter(isDecline).length, retries: 1 },
      evidence,
      sentence: `A card was tried again from elsewhere within ${spell(length)} after its issuer advised not to; ${counted(tries.filter(isDecline).length, 'decline')} of it in that time.`,
    };
  },
});
