import { z } from 'zod';
import { familiarNeeds, familiarTo, isHomeAsFarAsTold } from '../familiar';
import { defineRule } from '../rule';
import type { Signal } from '../signal';
import { whole, withinDays, withinHours } from '../thresholds';
import { around, attempts, counted, hours, isDecline, signalsIn, spell, stretchWith } from '../windows';

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

/** A card is tried on although it won't be accepted. */
export const declineLoop = defineRule({
  name: 'decline-loop',
  version: 2,
  isAboutAgents: false,
  triggers: attempts,
  effects: ['alert', 'challenge'],
  thresholds,
  explain: (it) =>
    `a card is declined ${it.declines} times within ${spell(it.withinHours * hours)}, or tried again from elsewhere within that time after its issuer advised "do not try again"; the same person on the same or an own device, or in an own country where no device is told, doesn't count`,
  needs: (it) => [...familiarNeeds(it), { of: 'signals', subject: 'card', types: attempts, back: it.withinHours * hours }],
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
    const at = signal.occurredAt.getTime();
    const { customer } = signal.subjects;
    const familiar = customer === undefined ? null : yield* familiarTo(customer, signal.occurredAt, it);
    // Whoever presses the button again where they were isn't trying the card out, nor is whoever is at home with it.
    const isSamePerson = (first: Signal, second: Signal): boolean =>
      customer !== undefined &&
      first.subjects.customer === second.subjects.customer &&
      ((second.subjects.device !== undefined && first.subjects.device === second.subjects.device) ||
        isHomeAsFarAsTold(second, familiar!));
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
