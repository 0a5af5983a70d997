import { z } from 'zod';
import { defineRule } from '../rule';
import type { Signal } from '../signal';
import { whole, withinHours } from '../thresholds';
import { around, attempts, counted, hours, isDecline, signalsIn, spell, stretchWith } from '../windows';

const thresholds = z.strictObject({ declines: whole(2, 1_000), withinHours: withinHours() });

/** What providers call it: Stripe's advice code, and the card networks' merchant advice codes 03 and 21. */
const neverAgain: ReadonlySet<string> = new Set(['donottryagain', 'donotretry', 'nevertryagain', '03', '21']);
const forbidsRetry = (signal: Signal): boolean =>
  isDecline(signal) && neverAgain.has((signal.facts.advice ?? '').toLowerCase().replace(/[^a-z0-9]/g, ''));

/** A card is tried on although it won't be accepted. */
export const declineLoop = defineRule({
  name: 'decline-loop',
  version: 1,
  isAboutAgents: false,
  triggers: attempts,
  effects: ['alert', 'challenge'],
  thresholds,
  explain: (it) =>
    `a card is declined ${it.declines} times within ${spell(it.withinHours * hours)}, or tried again within that time after its issuer advised "do not try again"`,
  needs: (it) => [{ of: 'signals', subject: 'card', types: attempts, back: it.withinHours * hours }],
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
    const forbidden = tries.findLast((each) => forbidsRetry(each) && each.occurredAt.getTime() < at);
    const retried = forbidsRetry(signal) ? tries.find((each) => each.occurredAt.getTime() > at) : undefined;
    if (!forbidden && !retried) return null;
    const evidence = forbidden ? [forbidden, signal] : [signal, retried!];
    return {
      ...finding,
      counts: { declines: tries.filter(isDecline).length, retries: 1 },
      evidence,
      sentence: `A card was tried again within ${spell(length)} after its issuer advised not to; ${counted(tries.filter(isDecline).length, 'decline')} of it in that time.`,
    };
  },
});
