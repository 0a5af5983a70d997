import { z } from 'zod';
import { defineRule } from '../rule';
import type { SubjectName } from '../signal';
import { withinDays, withinHours } from '../thresholds';
import { days, hours, spell } from '../windows';

// Rules over a single signal: what somebody else has found already.

const claims = ['ticket.claim'] as const;
const claimWindow = 24 * hours;

/** What a customer states of a payment fits none of theirs. */
export const claimAgainstRecord = defineRule({
  name: 'claim-against-record',
  version: 1,
  isAboutAgents: false,
  triggers: claims,
  effects: ['alert'],
  thresholds: z.strictObject({}),
  explain: () => 'an amount, date, order or card that the customer states fits no payment of theirs, or contradicts one',
  needs: () => [],
  // biome-ignore lint/correctness/useYield: one signal says it all.
  *judge(signal) {
    const { outcome } = signal.facts;
    if (outcome !== 'unmatched' && outcome !== 'contradicted') return null;
    const subject = signal.subjects.ticket === undefined ? 'customer' : 'ticket';
    return {
      subject,
      window: claimWindow,
      counts: { claims: 1 },
      evidence: [signal],
      sentence:
        outcome === 'unmatched'
          ? 'What the customer states of a payment fits none of theirs.'
          : 'What the customer states of a payment contradicts it.',
    };
  },
});

const due = ['payment.review', 'payment.warning', 'payment.dispute', 'payment.authorization'] as const;
const dueSentences = {
  'payment.review': 'The provider wants a payment to be reviewed.',
  'payment.warning': 'The card network warns of fraud with a payment.',
  'payment.dispute': 'A payment is disputed.',
};
const paymentSubjects = ['payment', 'order', 'customer', 'card'] as const satisfies readonly SubjectName[];

/** Something of a payment has a date by which somebody has to decide. */
export const providerDeadline = defineRule({
  name: 'provider-deadline',
  version: 1,
  isAboutAgents: false,
  triggers: due,
  effects: ['alert'],
  thresholds: z.strictObject({ withinHours: withinHours() }),
  explain: (it) =>
    `the provider opens a review, warns of fraud or reports a dispute, or an authorization that is held ends within ${spell(it.withinHours * hours)}`,
  needs: () => [],
  *judge(signal, it) {
    const within = it.withinHours * hours;
    const { deadline } = signal.facts;
    const left = deadline === undefined ? null : deadline.getTime() - signal.occurredAt.getTime();
    const isAuthorization = signal.type === 'payment.authorization';
    if (isAuthorization && (left === null || left > within || left < 0)) return null;
    const subject = paymentSubjects.find((name) => signal.subjects[name] !== undefined);
    if (subject === undefined) return null;
    return {
      subject,
      window: within,
      counts: left === null ? {} : { hoursLeft: Math.max(0, Math.floor(left / hours)) },
      evidence: [signal],
      sentence: isAuthorization
        ? `An authorization that is held ends within ${spell(within)}.`
        : dueSentences[signal.type as keyof typeof dueSentences],
    };
  },
});

/** A card that payments depend on is about to end. */
export const cardExpiring = defineRule({
  name: 'card-expiring',
  version: 1,
  isAboutAgents: false,
  triggers: ['card.expiring'],
  effects: ['alert', 'invite-replace-card'],
  thresholds: z.strictObject({ withinDays: withinDays() }),
  explain: (it) => `a customer's default or subscribed card ends within ${it.withinDays} days`,
  needs: () => [],
  // biome-ignore lint/correctness/useYield: one signal says it all.
  *judge(signal, it) {
    const { deadline } = signal.facts;
    const left = deadline === undefined ? null : deadline.getTime() - signal.occurredAt.getTime();
    if (left === null || left < 0 || left > it.withinDays * days) return null;
    const subject = signal.subjects.card === undefined ? 'customer' : 'card';
    return {
      subject,
      window: it.withinDays * days,
      counts: { daysLeft: Math.floor(left / days) },
      evidence: [signal],
      sentence: `A card that payments depend on ends within ${it.withinDays} days.`,
    };
  },
});
