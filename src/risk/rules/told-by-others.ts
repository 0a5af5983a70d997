import { z } from 'zod';
import { defineRule } from '../rule';
import type { Signal, SubjectName } from '../signal';
import { whole, withinDays, withinHours } from '../thresholds';
import { around, days, hours, signalsIn, spell, stretchWith } from '../windows';

// Rules over what somebody else has found already.

const claims = ['ticket.claim'] as const;
const before = ['account.recovery', 'credential.changed'] as const;
const fitsNothing = ({ facts: { outcome } }: Signal): boolean => outcome === 'unmatched' || outcome === 'contradicted';

/** What a customer states of a payment fits none of theirs. */
export const claimAgainstRecord = defineRule({
  name: 'claim-against-record',
  version: 2,
  isAboutAgents: false,
  triggers: claims,
  effects: ['alert'],
  thresholds: z.strictObject({ unmatched: whole(1, 100), withinHours: withinHours() }),
  explain: (it) =>
    `an amount, date, order or card that the customer states contradicts a payment of theirs, or fits none: ${it.unmatched} times within ${spell(it.withinHours * hours)}, or once where the account was recovered or changed in that time`,
  needs: (it) => [
    { of: 'signals', subject: 'ticket', types: claims, back: it.withinHours * hours },
    { of: 'signals', subject: 'customer', types: [...claims, ...before], back: it.withinHours * hours },
  ],
  *judge(signal, it) {
    if (!fitsNothing(signal)) return null;
    const subject = signal.subjects.ticket === undefined ? 'customer' : 'ticket';
    const length = it.withinHours * hours;
    const [near = [], acts = []] = yield* signalsIn(
      around(signal, subject, claims, { back: length, ahead: length }),
      around(signal, 'customer', before, { back: length, ahead: 0 }),
    );
    const isContradicted = signal.facts.outcome === 'contradicted';
    // Whoever contradicts one payment says nothing of another.
    const isAlike = (other: Signal) => !isContradicted || other.subjects.payment === signal.subjects.payment;
    const alike = near.filter((other) => fitsNothing(other) && isAlike(other));
    const stretch = stretchWith(alike, signal, length, (each) => each.length >= it.unmatched);
    if (!stretch && !isContradicted && acts.length === 0) return null;
    const evidence = stretch ?? [...acts, signal];
    return {
      subject,
      ...(isContradicted ? { each: 'payment' as const } : {}),
      window: length,
      counts: { claims: evidence.filter(fitsNothing).length },
      evidence,
      sentence: isContradicted
        ? 'What the customer states of a payment contradicts it.'
        : `What the customer states of a payment fits none of theirs${stretch ? '' : ', after their account was recovered or changed'}.`,
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
