/** How long a customer's address or number has been what it is, as far as anybody knows. */
export interface ContactAge {
  /** The last change that is known of. */
  readonly changedAt: Date | null;
  /** Since when the gateway has seen this value, and no other. */
  readonly seenSince: Date | null;
}

const day = 86_400_000;

/** Less than so many days ago, or later than now: two clocks need not agree. */
export const isWithin = (instant: Date, days: number, at: Date): boolean => !(at.getTime() - instant.getTime() >= days * day);

export const changedLately = ({ changedAt }: ContactAge, days: number, at: Date): boolean =>
  changedAt !== null && isWithin(changedAt, days, at);

export const ageIsUnknown = ({ changedAt, seenSince }: ContactAge, days: number, at: Date): boolean =>
  changedAt === null && (seenSince === null || isWithin(seenSince, days, at));
