import type { PaymentCustomerRecord } from '../../upstream/payments/payments.port';

/** What is stored of how long a payment customer's contacts have been what they are. Times are UTC milliseconds. */
export interface KnownContact extends Record<string, unknown> {
  readonly email_digest: string | null;
  readonly phone_digest: string | null;
  readonly email_seen_since: number | null;
  readonly email_changed_at: number | null;
  readonly phone_seen_since: number | null;
  readonly phone_changed_at: number | null;
}

export const contactColumns =
  'email_digest, phone_digest, email_seen_since, email_changed_at, phone_seen_since, phone_changed_at';

/**
 * Since when each contact was seen unchanged, and when it is known to have changed last: because the provider says so, or
 * because we saw it become another. One that is seen for the first time has no known change: nobody knows its age.
 */
export const contactHistory = (
  stored: KnownContact | undefined,
  now: Pick<KnownContact, 'email_digest' | 'phone_digest'>,
  told: Pick<PaymentCustomerRecord, 'emailChangedAt' | 'phoneChangedAt'>,
  asOf: Date,
): Omit<KnownContact, 'email_digest' | 'phone_digest'> => {
  const of = (kind: 'email' | 'phone', says: Date | null | undefined) => {
    const seen = stored?.[`${kind}_seen_since`] ?? null;
    // A row from before contacts were followed has no such time: what it holds proves no change.
    const isAnother = seen !== null && stored?.[`${kind}_digest`] !== now[`${kind}_digest`];
    const changes = [stored?.[`${kind}_changed_at`] ?? 0, isAnother ? asOf.getTime() : 0, says?.getTime() ?? 0];
    const changed = Math.max(...changes);
    return { since: seen === null || isAnother ? asOf.getTime() : seen, changed: changed === 0 ? null : changed };
  };
  const [email, phone] = [of('email', told.emailChangedAt), of('phone', told.phoneChangedAt)];
  return {
    email_seen_since: email.since,
    email_changed_at: email.changed,
    phone_seen_since: phone.since,
    phone_changed_at: phone.changed,
  };
};

/** The form in which telephone numbers are compared: digits, and the plus of an international one. */
export const phoneDigits = (text: string): string => text.replace(/[^\d+]/g, '');
