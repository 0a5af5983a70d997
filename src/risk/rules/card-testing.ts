import { z } from 'zod';
import { paidCardNeeds, paidCards } from '../paid-cards';
import { defineRule } from '../rule';
import type { Signal } from '../signal';
import { whole, withinDays, withinMinutes } from '../thresholds';
import { around, attempts, counted, different, isDecline, minutes, signalsIn, spell, stretchWith } from '../windows';

const thresholds = z.strictObject({
  cards: whole(2, 100),
  withinMinutes: withinMinutes(),
  /** A card that paid on an earlier day within so many isn't being tested: families and offices share devices. */
  knownDays: withinDays(),
});

const cardOf = ({ subjects }: Signal) => subjects.card;

/** Somebody tries cards out. */
export const cardTesting = defineRule({
  name: 'card-testing',
  version: 1,
  isAboutAgents: false,
  triggers: attempts,
  effects: ['alert', 'challenge'],
  thresholds,
  explain: (it) =>
    `${it.cards} cards or more are tried by one customer or on one device within ${spell(it.withinMinutes * minutes)}; cards that paid on an earlier day, within ${it.knownDays} days, don't count`,
  needs: (it) => [
    { of: 'signals', subject: 'customer', types: attempts, back: it.withinMinutes * minutes },
    { of: 'signals', subject: 'device', types: attempts, back: it.withinMinutes * minutes },
    paidCardNeeds(it.knownDays),
  ],
  *judge(signal, it) {
    if (signal.subjects.card === undefined) return null;
    const length = it.withinMinutes * minutes;
    const reach = { back: length, ahead: length };
    const names = ['customer', 'device'] as const;
    const answers = yield* signalsIn(...names.map((name) => around(signal, name, attempts, reach)));
    for (const [index, subject] of names.entries()) {
      const tries = answers[index] ?? [];
      if (tries.length < it.cards) continue;
      const found = stretchWith(tries, signal, length, (stretch) => different(stretch, cardOf).size >= it.cards);
      if (!found) continue;
      const known = yield* paidCards(different(found, cardOf), found[0]!.occurredAt, it.knownDays);
      const evidence = found.filter(({ subjects }) => subjects.card !== undefined && !known.has(subjects.card));
      const cards = different(evidence, cardOf).size;
      if (cards < it.cards || known.has(signal.subjects.card)) continue;
      const declines = evidence.filter(isDecline).length;
      return {
        subject,
        window: length,
        counts: { cards, attempts: evidence.length, declines },
        evidence,
        sentence: `${counted(cards, 'card')} that never paid before were tried ${subject === 'customer' ? 'by one customer' : 'on one device'} within ${spell(length)}, ${counted(declines, 'attempt')} of ${evidence.length} declined.`,
      };
    }
    return null;
  },
});
