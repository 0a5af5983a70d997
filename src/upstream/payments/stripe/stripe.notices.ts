import { z } from 'zod';
import type { DisputeRecord } from '../payments.port';
import { pageSize, type StripeCalls } from './stripe.calls';
import { isRefusedPermission } from './stripe.faults';
import { instant, pageOf, reference, referenceTo } from './stripe.shapes';
import { disputeRecord, disputeSchema, type StripeCharge } from './stripe.transactions';

/** Newest disputed charges whose disputes are looked up; the others are DISPUTED without details. */
const mostDisputes = 20;
/** Newest charges whose reviews are looked up; of the others it isn't known whether they are still open. */
const mostReviews = 20;

const reviewSchema = z.object({ id: reference, created: instant, open: z.boolean() });
export type StripeReview = z.infer<typeof reviewSchema>;

const warningSchema = z.object({ id: reference, charge: referenceTo, created: instant });
type StripeWarning = z.infer<typeof warningSchema>;

/** What Stripe and the card networks have to say of charges: disputes, reviews, early fraud warnings. A key that may not read one of them costs its details only. */
export class StripeNotices {
  constructor(private readonly calls: StripeCalls) {}

  /** By charge. `charges` newest first. */
  async disputesOf(charges: readonly StripeCharge[]): Promise<ReadonlyMap<string, DisputeRecord | null>> {
    const disputes = new Map<string, DisputeRecord | null>();
    const disputed = charges.flatMap(({ id, disputed: isDisputed }) => (isDisputed ? [id] : []));
    for (const charge of disputed.slice(0, mostDisputes)) {
      const list = await this.permitted(() =>
        this.calls.ask((stripe) => stripe.disputes.list({ charge, limit: pageSize }), pageOf(disputeSchema)),
      );
      if (list === undefined) break;
      disputes.set(charge, disputeRecord(list.data));
    }
    return disputes;
  }

  /** By charge, which names its review also once that was closed. `charges` newest first. */
  async reviewsOf(charges: readonly StripeCharge[]): Promise<ReadonlyMap<string, StripeReview>> {
    const reviews = new Map<string, StripeReview>();
    const reviewed = charges.flatMap(({ id, review }) => (review === null ? [] : [{ id, review }]));
    for (const { id, review } of reviewed.slice(0, mostReviews)) {
      const found = await this.permitted(() =>
        this.calls.askMaybe('review', (stripe) => stripe.reviews.retrieve(review), reviewSchema),
      );
      if (found === undefined) break;
      if (found !== null) reviews.set(id, found);
    }
    return reviews;
  }

  /** An early fraud warning as it is now; null where there is none, or the key may not read it. */
  async warning(id: string): Promise<StripeWarning | null> {
    const read = () => this.calls.askMaybe('warning', (stripe) => stripe.radar.earlyFraudWarnings.retrieve(id), warningSchema);
    return (await this.permitted(read)) ?? null;
  }

  /** Undefined where the key may not read it. */
  private async permitted<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!isRefusedPermission(error)) throw error;
      return undefined;
    }
  }
}
