import { z } from 'zod';
import { SourceUnavailable } from '../../source-unavailable';
import type { HoldChanges, HoldList, HoldStep, PaymentStanding, RenewalStanding, StepOutcome } from '../payments.port';
import type { StripeAccount } from './stripe.account';
import type { StripeCalls } from './stripe.calls';
import { endedStatuses, mostSubscriptions } from './stripe.methods';
import { chargeMoney, intentMoney } from './stripe.money';
import { type ListStep, type RadarLists, StripeRadar, type UnusableList } from './stripe.radar';
import { holdRefusalOf } from './stripe.refusals';
import { instant, metadata, metadataValue, orNull, reference as referenceSchema, referenceTo, word } from './stripe.shapes';
import { chargeSchema, paymentIntentSchema, type StripeCharge, type StripePaymentIntent } from './stripe.transactions';

export interface StripeHoldsOptions {
  readonly source: string;
  readonly calls: StripeCalls;
  readonly clock: () => Date;
  readonly account: StripeAccount;
  readonly lists: RadarLists | null;
}

/** A subscription, as far as it tells when it charges next and who paused it. */
const renewalSchema = z.object({
  id: referenceSchema,
  customer: referenceTo,
  status: word,
  cancel_at: orNull(instant),
  cancel_at_period_end: z.boolean().catch(false),
  /** On the items since 2025-03-31, on the subscription before. */
  current_period_end: orNull(instant),
  items: orNull(z.object({ data: z.array(z.object({ current_period_end: orNull(instant) })) })),
  metadata,
  /** Anything but an absent one counts as a pause, so that none is taken for ours that can't be read. */
  pause_collection: z
    .unknown()
    .optional()
    .transform((raw) => (raw === null || raw === undefined ? null : (pauseSchema.safeParse(raw).data ?? unreadablePause))),
});
type Renewal = z.infer<typeof renewalSchema>;

const pauseSchema = z.object({ behavior: word, resumes_at: orNull(z.number().int().min(0)) });
const unreadablePause = { behavior: '', resumes_at: null };

/** Key of a subscription's metadata that says until when this product paused it, in epoch seconds. */
const pausedUntilKey = 'counterfoil_paused_until';

/** Invoices are made and wait as drafts: nothing that is owed is dropped. */
const behavior = 'keep_as_draft';

type RenewalStep = Exclude<HoldStep, ListStep>;

const isOfRenewal = (step: HoldStep): step is RenewalStep => step.action === 'PAUSE_RENEWAL' || step.action === 'RESUME_RENEWAL';

/**
 * Making payments wait at Stripe. Beside what reading needs, the key needs write permission for Subscriptions and for Radar's
 * lists; without one a call is `SourceUnavailable` `unauthorized`.
 *
 * A pause is ours where it keeps drafts and ends when our own mark in the subscription's metadata says. Stripe has no
 * conditional update: a merchant who pauses between our look and our request, some milliseconds, is overwritten. The pause
 * has its end, so that Stripe resumes by itself where we don't.
 */
export class StripeHolds implements HoldChanges {
  private readonly radar: StripeRadar;

  constructor(private readonly options: StripeHoldsOptions) {
    this.radar = new StripeRadar(options);
  }

  get lists(): ReadonlySet<HoldList> {
    return this.radar.lists;
  }

  /** See `StripeRadar.unusable`. */
  unusableLists(): Promise<readonly UnusableList[]> {
    return this.radar.unusable();
  }

  async readPayment(customer: string, transaction: string): Promise<PaymentStanding | null> {
    if (!isReference(customer) || !isReference(transaction)) return null;
    if (transaction.startsWith('pi_')) {
      const intent = await this.seen(customer, transaction, this.intent(transaction));
      return intent && this.standingOf(intent);
    }
    const charge = await this.seen(customer, transaction, this.charge(transaction));
    return charge && standingOfCharge(charge);
  }

  async readRenewals(customer: string): Promise<readonly RenewalStanding[]> {
    if (!isReference(customer)) return [];
    const { calls, source } = this.options;
    const found = await calls.pages('nothing', renewalSchema, mostSubscriptions + 1, (stripe, page) =>
      stripe.subscriptions.list({ customer, ...page }),
    );
    // A subscription that is left out would go on charging.
    if (found === null || found.length > mostSubscriptions || found.some((each) => each.customer !== customer))
      throw new SourceUnavailable(source, 'malformed');
    return found
      .filter(({ status }) => !endedStatuses.has(status))
      .map((each) => ({ subscription: each.id, isPaused: each.pause_collection !== null, renewsAt: renewsAt(each) }));
  }

  async perform(step: HoldStep, idempotencyKey: string): Promise<StepOutcome> {
    if (!isOfRenewal(step)) return this.radar.perform(step, idempotencyKey);
    const { calls } = this.options;
    const found = await this.renewal(step);
    if (isAsAsked(step, found)) return { outcome: 'done' };
    if (found === null || (found.pause_collection !== null && !isOurs(found))) return { outcome: 'refused', why: 'REFUSED' };
    const isPause = step.action === 'PAUSE_RENEWAL';
    const until = seconds(step.until);
    const write = await calls.write(
      (stripe, options) =>
        stripe.subscriptions.update(
          step.subscription,
          {
            pause_collection: isPause ? { behavior, resumes_at: until } : '',
            metadata: { [pausedUntilKey]: isPause ? String(until) : '' },
          },
          options,
        ),
      idempotencyKey,
      z.object({ id: z.literal(step.subscription) }),
    );
    switch (write.outcome) {
      case 'done':
        return { outcome: 'done' };
      case 'lost':
        return { outcome: 'lost', keySpent: write.keySpent };
      case 'mismatch':
        return { outcome: 'lost', keySpent: true };
      case 'refused':
        return { outcome: 'refused', why: holdRefusalOf(write.refusal) };
    }
  }

  async holds(step: HoldStep): Promise<boolean> {
    if (!isOfRenewal(step)) return this.radar.holds(step);
    return isAsAsked(step, await this.renewal(step));
  }

  /** Null where it isn't that customer's, or charges no more. */
  private async renewal({ customer, subscription }: RenewalStep): Promise<Renewal | null> {
    if (!isReference(customer) || !isReference(subscription)) return null;
    const { calls } = this.options;
    const asked = calls.askMaybe('subscription', (stripe) => stripe.subscriptions.retrieve(subscription), renewalSchema);
    const found = await this.seen(customer, subscription, asked);
    return found === null || endedStatuses.has(found.status) ? null : found;
  }

  /** What is the customer's; that there is no such object counts only where the key sees the account. */
  private async seen<T extends { readonly customer: string | null }>(customer: string, asked: string, answer: Promise<T | null>) {
    const { calls, account } = this.options;
    const found = await answer;
    if (found === null) await account.expectSeen(calls, asked, [{ kind: 'customer', id: customer }]);
    return found?.customer === customer ? found : null;
  }

  private intent(reference: string): Promise<StripePaymentIntent | null> {
    return this.options.calls.askMaybe(
      'payment_intent',
      (stripe) => stripe.paymentIntents.retrieve(reference, { expand: ['latest_charge'] }),
      paymentIntentSchema,
    );
  }

  private charge(reference: string): Promise<StripeCharge | null> {
    return this.options.calls.askMaybe('charge', (stripe) => stripe.charges.retrieve(reference), chargeSchema);
  }

  private async standingOf(intent: StripePaymentIntent): Promise<PaymentStanding> {
    const latest = intent.latest_charge ?? null;
    const charge = typeof latest === 'string' ? await this.charge(latest) : latest;
    return {
      status: intentMoney(intent, charge, nothingAbout).status,
      isManualCapture: isManual(intent, charge),
      captureBefore: charge && captureBefore(charge),
    };
  }
}

const isReference = (text: string): boolean => referenceSchema.safeParse(text).success;

/** Stripe has whole seconds; a pause never lasts longer than what it is for. */
const seconds = (at: Date): number => Math.floor(at.getTime() / 1_000);

const isOurs = ({ pause_collection: pause, metadata: told }: Renewal): boolean =>
  pause !== null &&
  pause.behavior === behavior &&
  pause.resumes_at !== null &&
  metadataValue(told, pausedUntilKey) === String(pause.resumes_at);

/** What isn't there has no pause of ours, and none can be had. */
const isAsAsked = (step: RenewalStep, found: Renewal | null): boolean => {
  const isHeld = found !== null && isOurs(found) && found.pause_collection?.resumes_at === seconds(step.until);
  return step.action === 'PAUSE_RENEWAL' ? isHeld : !isHeld;
};

const renewsAt = (subscription: Renewal): Date | null => {
  if (subscription.cancel_at_period_end || subscription.status === 'paused') return null;
  const ends = [subscription.current_period_end, ...(subscription.items?.data ?? []).map((item) => item.current_period_end)];
  const next = Math.min(...ends.flatMap((end) => (end === null ? [] : [end.getTime()])));
  if (!Number.isFinite(next) || (subscription.cancel_at !== null && subscription.cancel_at.getTime() <= next)) return null;
  return new Date(next);
};

/** Refunds and the details of disputes aren't asked for: neither can make a payment wait again. */
const nothingAbout = { dispute: null, refunds: null };

const manualWords = new Set(['manual', 'manual_preferred']);

/** The options of the type that was paid with go before the payment's own; before anything was tried, any of them counts. */
const isManual = (intent: StripePaymentIntent, charge: StripeCharge | null): boolean => {
  const options = intent.payment_method_options ?? {};
  const used = charge?.payment_method_details?.instrument?.type;
  const asked = used === undefined ? Object.values(options) : Object.hasOwn(options, used) ? [options[used] ?? null] : [];
  return manualWords.has(intent.capture_method ?? '') || asked.some((each) => manualWords.has(each?.capture_method ?? ''));
};

const captureBefore = ({ payment_method_details: details }: StripeCharge): Date | null =>
  details?.card?.capture_before ?? details?.card_present?.capture_before ?? null;

/** A charge without a payment: whether it was captured is all that Stripe keeps. */
const standingOfCharge = (charge: StripeCharge): PaymentStanding => ({
  status: chargeMoney(charge, nothingAbout).status,
  isManualCapture: charge.status === 'succeeded' && !charge.captured,
  captureBefore: captureBefore(charge),
});
