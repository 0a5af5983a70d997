import type Stripe from 'stripe';
import { z } from 'zod';
import { ProgrammingError } from '../../../failure';
import { SourceUnavailable } from '../../source-unavailable';
import {
  type AddressRecord,
  type CredentialChanges,
  type MethodState,
  ProviderRefused,
  type ProviderStep,
  type Setup,
  type SetupReport,
  type SetupRequest,
  type StepOutcome,
} from '../payments.port';
import type { StripeAccount, Witness } from './stripe.account';
import type { StripeCalls, WriteOptions } from './stripe.calls';
import { customerSchema } from './stripe.customers';
import type { Write } from './stripe.faults';
import {
  anyPaymentMethodSchema,
  endedStatuses,
  mostSubscriptions,
  paymentMethodRecord,
  setupSessionSchema,
  storedAddressSchema,
  subscriptionSchema,
} from './stripe.methods';
import { refusalOf, setupRefusalOf } from './stripe.refusals';
import { reference as referenceSchema } from './stripe.shapes';

export interface StripeCredentialsOptions {
  readonly source: string;
  readonly calls: StripeCalls;
  readonly clock: () => Date;
  readonly account: StripeAccount;
}

/** Seconds from now within which Stripe lets a session expire. */
const shortestSetup = 30 * 60;
const longestSetup = 24 * 3_600;

/** Seconds for a request's way and for clocks that differ. */
const margin = 5 * 60;

/** Keys tried after one under which Stripe keeps a fault. */
const mostKeys = 3;

const statuses = { open: 'OPEN', complete: 'COMPLETE', expired: 'EXPIRED' } as const;

/**
 * Changing payment methods at Stripe. Beside what reading needs, the key needs write permission for Customers, Payment
 * Methods, Subscriptions, Checkout Sessions and Setup Intents; without one a call is `SourceUnavailable` `unauthorized`.
 *
 * What charges in the old way (a customer's or a subscription's `default_source`) isn't ours: it counts only where it is
 * the very method that is asked about, so that a card that still pays is never taken for one that doesn't.
 */
export class StripeCredentials implements CredentialChanges {
  constructor(private readonly options: StripeCredentialsOptions) {}

  async readMethod(customer: string, method: string): Promise<MethodState | null> {
    const { calls, clock, source } = this.options;
    if (!isReference(customer) || !isReference(method)) return null;
    const now = clock();
    const [found, owner] = await Promise.all([this.method(method), this.customer(customer)]);
    if (found === null || owner === null) await this.expectSeen(found === null ? method : customer, { customer, method });
    if (found === null || found.customer !== customer || owner === null || owner.deleted) return null;
    const subscriptions = await calls.pages('nothing', subscriptionSchema, mostSubscriptions + 1, (stripe, page) =>
      stripe.subscriptions.list({ customer, ...page }),
    );
    if (subscriptions === null) return null;
    if (subscriptions.length > mostSubscriptions || subscriptions.some((each) => each.customer !== customer))
      throw new SourceUnavailable(source, 'malformed');
    const own = (named: string | null | undefined, old: string | null): string | null => named ?? (old === method ? old : null);
    return {
      method: paymentMethodRecord(found, owner, now),
      defaultMethod: own(owner.invoice_settings?.default_payment_method, owner.default_source),
      subscriptions: subscriptions
        .filter(({ status }) => !endedStatuses.has(status))
        .map((each) => ({ reference: each.id, method: own(each.default_payment_method, each.default_source) })),
    };
  }

  /**
   * Sends one request that changes something. Where Stripe refuses to attach or to detach, which it also does when that was
   * done already, the method is read and decides.
   */
  async perform(step: ProviderStep, idempotencyKey: string): Promise<StepOutcome> {
    if (!isReference(step.customer)) return { outcome: 'refused', why: 'CUSTOMER_GONE' };
    if (step.method !== null && !isReference(step.method)) return { outcome: 'refused', why: 'METHOD_GONE' };
    if (step.action === 'SET_SUBSCRIPTION_DEFAULT' && !isReference(step.subscription))
      return { outcome: 'refused', why: 'REFUSED' };
    const changed = z.object({ id: z.literal(targetOf(step)) });
    const write = await this.options.calls.write((stripe, options) => send(stripe, step, options), idempotencyKey, changed);
    switch (write.outcome) {
      case 'done':
        return { outcome: 'done' };
      case 'lost':
        return { outcome: 'lost', keySpent: write.keySpent };
      case 'mismatch':
        // Whatever the key did before, it wasn't this.
        return { outcome: 'lost', keySpent: true };
      case 'refused': {
        const why = refusalOf(step, write.refusal);
        if (write.refusal.code === 'resource_missing') await this.expectSeen(null, step);
        return why === 'PERHAPS_DONE' ? this.judgedByState(step) : { outcome: 'refused', why };
      }
    }
  }

  async holds(step: ProviderStep): Promise<boolean> {
    const { customer, method } = step;
    const references = [customer, ...(method === null ? [] : [method])];
    if (!references.every(isReference)) return step.action === 'DETACH';
    switch (step.action) {
      case 'ATTACH':
        return (await this.seen(step.method, this.method(step.method), step))?.customer === customer;
      case 'DETACH':
        return ((await this.seen(step.method, this.method(step.method), step))?.customer ?? null) === null;
      case 'SET_DEFAULT': {
        const holder = await this.seen(customer, this.customer(customer), step);
        return holder !== null && !holder.deleted && (holder.invoice_settings?.default_payment_method ?? null) === method;
      }
      case 'SET_SUBSCRIPTION_DEFAULT': {
        if (!isReference(step.subscription)) return false;
        const found = await this.seen(
          step.subscription,
          this.options.calls.askMaybe(
            'subscription',
            (stripe) => stripe.subscriptions.retrieve(step.subscription),
            subscriptionSchema,
          ),
          step,
        );
        return found !== null && found.customer === customer && found.default_payment_method === method;
      }
      case 'SET_ADDRESS': {
        const found = await this.seen(
          step.method,
          this.options.calls.askMaybe(
            'payment_method',
            (stripe) => stripe.paymentMethods.retrieve(step.method),
            storedAddressSchema,
          ),
          step,
        );
        return found !== null && found.customer === customer && isAddress(found.billing_details.address, step.address);
      }
    }
  }

  /**
   * The same key returns the same page. Stripe compares parameters under a key, and which expiry it takes depends on the
   * time: a key that was first sent with another form of the same expiry is sent again with that one. A key under which
   * Stripe keeps a fault, so that nobody ever saw its page, is followed by one derived from it.
   */
  async openSetup(request: SetupRequest): Promise<Setup> {
    const { source } = this.options;
    if (!isReference(request.customer)) throw new ProviderRefused(source, 'CUSTOMER_GONE');
    for (let count = 1, key = request.idempotencyKey; ; count += 1, key = `${request.idempotencyKey}~${count}`) {
      const write = await this.sendSetup(request, key);
      if (write.outcome === 'done') return { reference: write.answer.id, url: write.answer.url };
      if (write.outcome === 'refused') {
        if (write.refusal.code === 'resource_missing') await this.expectSeen(null, { customer: request.customer, method: null });
        throw new ProviderRefused(source, setupRefusalOf(write.refusal));
      }
      if (write.outcome === 'mismatch') throw new ProgrammingError('an idempotency key came again for something else');
      if (!write.isRepeated || count >= mostKeys) throw new SourceUnavailable(source, 'fault');
    }
  }

  async readSetup(reference: string): Promise<SetupReport> {
    const { calls, clock, source } = this.options;
    const expand = ['customer', 'setup_intent', 'setup_intent.payment_method', 'setup_intent.latest_attempt'];
    const now = clock();
    const session = isReference(reference)
      ? await calls.askMaybe('session', (stripe) => stripe.checkout.sessions.retrieve(reference, { expand }), setupSessionSchema)
      : null;
    if (session === null && isReference(reference)) await this.expectSeen(reference, { customer: null, method: null });
    if (session === null) throw new ProviderRefused(source, 'REFUSED');
    const status = statuses[session.status];
    if (status !== 'COMPLETE') return { status, method: null, authenticated: false };
    const { customer, setup_intent: intent } = session;
    const card = intent?.status === 'succeeded' ? intent.payment_method : null;
    const holder = typeof customer === 'string' || customer.deleted ? noDefaults : customer;
    const customerReference = typeof customer === 'string' ? customer : customer.id;
    const isTheirs = card?.type === 'card' && (card.customer ?? customerReference) === customerReference;
    if (!card || card.instrument.last4 === null || !isTheirs) throw new SourceUnavailable(source, 'malformed');
    return {
      status,
      method: paymentMethodRecord(card, holder, now),
      authenticated: intent?.latest_attempt?.payment_method_details?.card?.three_d_secure?.result === 'authenticated',
    };
  }

  private async judgedByState(step: ProviderStep): Promise<StepOutcome> {
    try {
      return (await this.holds(step)) ? { outcome: 'done' } : { outcome: 'refused', why: 'REFUSED' };
    } catch (error) {
      if (error instanceof SourceUnavailable) return { outcome: 'lost', keySpent: false };
      throw error;
    }
  }

  /** The session, or what the last form of its expiry came to. */
  private async sendSetup(request: SetupRequest, key: string): Promise<Write<z.infer<ReturnType<typeof openedSession>>>> {
    const { calls, clock } = this.options;
    const opened = openedSession(request.customer);
    let write: Write<z.infer<typeof opened>> = { outcome: 'mismatch' };
    for (const expiry of expiriesOf(request.expiresAt, clock())) {
      write = await calls.write(
        (stripe, options) => stripe.checkout.sessions.create(setupParameters(request, expiry), options),
        key,
        opened,
      );
      if (write.outcome !== 'mismatch') break;
    }
    return write;
  }

  /** An answer, of which null counts only where the key sees the account. */
  private async seen<T>(asked: string, answer: Promise<T | null>, step: Pick<ProviderStep, 'customer' | 'method'>) {
    const found = await answer;
    if (found === null) await this.expectSeen(asked, step);
    return found;
  }

  /** Something of the account answers, beside what is missing. Throws `SourceUnavailable`. */
  private expectSeen(missing: string | null, near: { readonly customer: string | null; readonly method: string | null }) {
    const witnesses: Witness[] = [
      ...(near.customer === null ? [] : [{ kind: 'customer', id: near.customer } as const]),
      ...(near.method === null ? [] : [{ kind: 'payment_method', id: near.method } as const]),
    ];
    return this.options.account.expectSeen(this.options.calls, missing, witnesses);
  }

  /** One that was deleted says so. */
  private customer(reference: string) {
    return this.options.calls.askMaybe('customer', (stripe) => stripe.customers.retrieve(reference), customerSchema);
  }

  private method(reference: string) {
    return this.options.calls.askMaybe(
      'payment_method',
      (stripe) => stripe.paymentMethods.retrieve(reference),
      anyPaymentMethodSchema,
    );
  }
}

const isReference = (text: string): boolean => referenceSchema.safeParse(text).success;

const noDefaults = { invoice_settings: null, default_source: null };

/** The object that a step changes, which is what Stripe answers with. */
const targetOf = (step: ProviderStep): string => {
  if (step.action === 'SET_DEFAULT') return step.customer;
  return step.action === 'SET_SUBSCRIPTION_DEFAULT' ? step.subscription : step.method;
};

/** Stripe unsets what it is given an empty text for, and leaves alone what it isn't given. */
const orEmpty = (value: string | null): string => value ?? '';

const send = (stripe: Stripe, step: ProviderStep, options: WriteOptions): Promise<unknown> => {
  switch (step.action) {
    case 'ATTACH':
      return stripe.paymentMethods.attach(step.method, { customer: step.customer }, options);
    case 'SET_DEFAULT':
      return stripe.customers.update(
        step.customer,
        { invoice_settings: { default_payment_method: orEmpty(step.method) } },
        options,
      );
    case 'SET_SUBSCRIPTION_DEFAULT':
      return stripe.subscriptions.update(step.subscription, { default_payment_method: orEmpty(step.method) }, options);
    case 'SET_ADDRESS':
      return stripe.paymentMethods.update(step.method, { billing_details: { address: stripeAddress(step.address) } }, options);
    case 'DETACH':
      return stripe.paymentMethods.detach(step.method, {}, options);
  }
};

/** Whole, so that no part of an old address stays beside a new one. A state that isn't known is left as it is. */
const stripeAddress = ({ line1, line2, city, state, postalCode, country }: AddressRecord) => ({
  line1: orEmpty(line1),
  line2: orEmpty(line2),
  city: orEmpty(city),
  ...(state === undefined ? {} : { state: orEmpty(state) }),
  postal_code: orEmpty(postalCode),
  country: orEmpty(country),
});

type StoredAddress = z.infer<typeof storedAddressSchema>['billing_details']['address'];

/** Stripe trims what it stores; how it treats the forms of a letter and of a space isn't documented, so none of them count. */
const normalizedPart = (part: string | null | undefined): string =>
  (part ?? '')
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Z}\s]+/gu, ' ')
    .trim();

const isAddress = (stored: StoredAddress, wanted: AddressRecord): boolean => {
  const { country, ...parts } = stripeAddress(wanted);
  const isPart = ([name, part]: [string, string]) =>
    normalizedPart(stored?.[name as keyof typeof parts]) === normalizedPart(part);
  return (
    Object.entries(parts).every(isPart) && normalizedPart(stored?.country).toUpperCase() === normalizedPart(country).toUpperCase()
  );
};

/**
 * The forms in which an expiry is sent, in epoch seconds, the one that Stripe takes now first; null lets the session live for
 * its 24 hours. The others are those that it may have been sent in when more or less time was left.
 */
const expiriesOf = (expiresAt: Date, now: Date): readonly (number | null)[] => {
  const exact = Math.floor(expiresAt.getTime() / 1_000);
  const later = exact + shortestSetup + margin;
  const left = exact - now.getTime() / 1_000;
  if (left > longestSetup - margin) return [null, exact, later];
  return left >= shortestSetup + margin ? [exact, null, later] : [later, exact, null];
};

const setupParameters = (request: SetupRequest, expiry: number | null): Stripe.Checkout.SessionCreateParams => ({
  mode: 'setup',
  customer: request.customer,
  allowed_payment_method_types: ['card'],
  // A Link account stands for cards that the customer may change there without us.
  wallet_options: { link: { display: 'never' } },
  ...(request.threeDSecure ? { payment_method_options: { card: { request_three_d_secure: 'any' } } } : {}),
  success_url: request.returnUrl,
  cancel_url: request.cancelUrl,
  ...(expiry === null ? {} : { expires_at: expiry }),
  metadata: { made_by: 'counterfoil' },
});

/** The address of the hosted page: https, or http on this machine. */
const pageUrl = z
  .string()
  .max(8_192)
  .refine((text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, hostname, username, password } = new URL(text);
    const isHere = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
    return (protocol === 'https:' || (protocol === 'http:' && isHere)) && username === '' && password === '';
  });

const openedSession = (customer: string) =>
  z.object({ id: referenceSchema, mode: z.literal('setup'), customer: z.literal(customer), url: pageUrl });
