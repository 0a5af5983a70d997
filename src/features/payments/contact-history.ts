import type { PaymentCustomerRecord } from '../../upstream/payments/payments.port';
import type { PaymentCustomer } from './payment.entity';

/** What is stored of how long a payment customer's contacts have been what they are. */
export type KnownContact = Readonly<
  Pick<PaymentCustomer, 'emailDigest' | 'phoneDigest' | 'emailSeenSince' | 'emailChangedAt' | 'phoneSeenSince' | 'phoneChangedAt'>
>;

/**
 * Since when each contact was seen unchanged, and when it is known to have changed last: because the provider says so, or
 * because we saw it become another. One that is seen for the first time has no known change: nobody knows its age.
 */
export const contactHistory = (
  stored: KnownContact | undefined,
  now: Pick<KnownContact, 'emailDigest' | 'phoneDigest'>,
  told: Pick<PaymentCustomerRecord, 'emailChangedAt' | 'phoneChangedAt'>,
  asOf: Date,
): Omit<KnownContact, 'emailDigest' | 'phoneDigest'> => {
  const of = (kind: 'email' | 'phone', says: Date | null | undefined) => {
    const seen = stored?.[`${kind}SeenSince`] ?? null;
    // A row from before contacts were followed has no such time: what it holds proves no change.
    const isAnother = seen !== null && stored?.[`${kind}Digest`] !== now[`${kind}Digest`];
    const changes = [stored?.[`${kind}ChangedAt`], isAnother ? asOf : null, says].map((at) => at?.getTime() ?? 0);
    const changed = Math.max(...changes);
    return { since: seen === null || isAnother ? asOf : seen, changed: changed === 0 ? null : new Date(changed) };
  };
  const [email, phone] = [of('email', told.emailChangedAt), of('phone', told.phoneChangedAt)];
  return {
    emailSeenSince: email.since,
    emailChangedAt: email.changed,
    phoneSeenSince: phone.since,
    phoneChangedAt: phone.changed,
  };
};
