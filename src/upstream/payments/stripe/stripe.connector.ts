import { z } from 'zod';
import { formsOfEmail, normalizeEmail } from '../../../privacy/mail-addresses';
import type { WebhookJudgement, WebhookRequest } from '../../helpdesk/helpdesk.port';
import { SourceUnavailable } from '../../source-unavailable';
import type {
  AuthenticationReport,
  KnownObjects,
  PaymentChanges,
  PaymentCustomerRecord,
  PaymentCustomerSearch,
  PaymentCustomerSnapshot,
  PaymentsConnector,
  TransactionRecord,
} from '../payments.port';
import { StripeAccount } from './stripe.account';
import { StripeAuthentication } from './stripe.authentication';
import { pageSize, StripeCalls } from './stripe.calls';
import { StripeCredentials } from './stripe.credentials';
import { customerRecord, customerSchema, type HelpdeskNaming, type StripeCustomer } from './stripe.customers';
import {
  concernOf,
  eventDigest,
  eventSchema,
  isUnderstood,
  overlap,
  ReportedEvents,
  readCursor,
  recentOf,
  type StripeEvent,
  transactionsOf,
  writeCursor,
} from './stripe.events';
import { CursorVanished, isRefusedPermission } from './stripe.faults';
import { StripeHolds } from './stripe.holds';
import { paymentMethodRecord, paymentMethodSchema } from './stripe.methods';
import { refundSchema, type StripeRefund } from './stripe.money';
import { StripeNotices } from './stripe.notices';
import { emailClause, isMetadataKey, metadataClause } from './stripe.search';
import type { StripeSection } from './stripe.section';
import { pageOf, reference as referenceSchema } from './stripe.shapes';
import {
  chargeSchema,
  chargeTransaction,
  intentTransaction,
  paymentIntentSchema,
  type StripeCharge,
  type StripePaymentIntent,
  type TransactionNaming,
} from './stripe.transactions';
import { judgeWebhook } from './stripe.webhook';

/** Its section of the configuration, and what goes with it. */
export interface StripePaymentsOptions extends Omit<StripeSection, 'kind' | 'name'> {
  /** The source's name in the configuration. */
  readonly source: string;
  readonly clock?: () => Date;
  /** What the gateway has of this source; asked for before it is believed that something is gone. */
  readonly known?: () => Promise<KnownObjects>;
}

/** Newest PaymentIntents, charges and, in the result, transactions of one customer; older ones are left out. */
const mostTransactions = 500;
const mostMethods = 200;

/** Newest refunded charges whose refunds are looked up where Stripe didn't list them with the charge. */
const mostRefunded = 50;
/** Newest refunds of one charge. */
const mostRefunds = 100;

/** Candidates that are looked at: a few are already too many for a link. */
const mostCandidates = 300;
const mostReread = 20;

/** Pages of events in one call of `changes`; the cursor says where the next call goes on. */
const mostEventPages = 50;

/**
 * Stripe as a payments connector. Every answer is parsed and projected here; nothing else of Stripe's objects passes.
 *
 * A restricted key with these read permissions is enough: Customers, Payment Methods, PaymentIntents, Charges and
 * Refunds, Events; search of customers needs Customers only (and isn't offered to merchants in India, for whom
 * `findCustomers` fails rather than miss the customer that metadata names). Without Disputes a disputed payment is still
 * `DISPUTED` but has no details; without Reviews and Early Fraud Warnings a reviewed one is `under_review` for good, and nobody hears of a warning. A refusal of any other permission is `SourceUnavailable` `unauthorized`. Risk comes with
 * the charge; the score only for accounts with Radar for Fraud Teams.
 *
 * Amounts are ISO 4217 minor units. Stripe's are that too (zero-decimal currencies as they are) but for ISK, UGX and MGA,
 * which are converted. Stripe tells no IP address and no device: an attempt has no country, its device comes from the
 * merchant's own metadata or is null.
 */
export class StripePayments implements PaymentsConnector {
  readonly kind = 'stripe';
  readonly credentials: StripeCredentials;
  readonly holds: StripeHolds;

  private readonly source: string;
  private readonly calls: StripeCalls;
  private readonly clock: () => Date;
  private readonly webhookSecret: string | null;
  private readonly livemode: boolean | null;
  private readonly helpdeskNaming: HelpdeskNaming;
  private readonly transactionNaming: TransactionNaming;
  private readonly authentication: StripeAuthentication;
  private readonly notices: StripeNotices;

  constructor(
    private readonly options: StripePaymentsOptions,
    calls = new StripeCalls(options),
    private readonly reportedEvents = new ReportedEvents(),
    private readonly account = new StripeAccount(options.source, options.known),
  ) {
    const { source, apiKey } = options;
    this.source = source;
    this.clock = options.clock ?? (() => new Date());
    this.webhookSecret = options.webhookSecret ?? null;
    this.livemode = /^[a-z]+_live_/.test(apiKey) ? true : /^[a-z]+_test_/.test(apiKey) ? false : null;
    this.helpdeskNaming = {
      metadataKey: options.metadataKey ?? 'helpdesk_customer',
      bareReferencesOf: options.bareReferencesOf ?? null,
    };
    if (!isMetadataKey(this.helpdeskNaming.metadataKey))
      throw new RangeError('metadataKey: up to 40 letters, digits, dots, dashes and underscores');
    this.transactionNaming = {
      orderKey: options.orderKey ?? 'order_id',
      orderDescriptionKey: options.orderDescriptionKey ?? 'order_description',
      deviceKey: options.deviceKey ?? null,
    };
    this.calls = calls;
    this.notices = new StripeNotices(this.calls);
    const parts = { source, calls: this.calls, clock: this.clock, account };
    this.credentials = new StripeCredentials(parts);
    this.holds = new StripeHolds({ ...parts, lists: options.radarLists ?? null });
    this.authentication = new StripeAuthentication({ calls: this.calls, account, naming: this.transactionNaming });
  }

  inBackground(): StripePayments {
    return new StripePayments(this.options, this.calls.inBackground(), this.reportedEvents, this.account);
  }

  /**
   * Candidates are compared here: metadata exactly, e-mail by its normalized form; what Stripe's search (case-insensitive
   * and up to a minute late, longer in an outage) found is read again from the consistent API before it counts. Search
   * finds addresses stored in another case, the list the exact one without delay.
   */
  async findCustomers({ helpdeskReference, email }: PaymentCustomerSearch): Promise<readonly PaymentCustomerRecord[]> {
    const wanted = email === null ? null : normalizeEmail(email);
    // Stripe keeps an address in the form in which it came.
    const forms = wanted === null ? [] : formsOfEmail(wanted);
    const [searched, listed] = await Promise.all([
      this.search([...this.metadataClauses(helpdeskReference), ...forms.map(emailClause)]),
      this.listByEmail(forms),
    ]);
    const matches = (customer: StripeCustomer) => {
      const record = customerRecord(customer, this.helpdeskNaming);
      return (
        (helpdeskReference !== '' && record.helpdeskReference === helpdeskReference) ||
        (wanted !== null && record.email !== null && normalizeEmail(record.email) === wanted)
      );
    };
    const found = new Map(listed.filter(matches).map((customer) => [customer.id, customer]));
    const late = searched.filter((customer) => matches(customer) && !found.has(customer.id));
    for (const customer of late) {
      const current = late.length > mostReread ? customer : await this.customer(customer.id);
      if (current !== null && matches(current)) found.set(current.id, current);
    }
    return [...found.values()].map((customer) => customerRecord(customer, this.helpdeskNaming));
  }

  readAuthentication(reference: string): Promise<AuthenticationReport | null> {
    return this.authentication.read(reference);
  }

  confirmAccount(): Promise<void> {
    return this.account.confirm(this.calls);
  }

  /**
   * A PaymentIntent is one transaction with what its latest charge says; an earlier failed attempt of it, and a charge
   * without a PaymentIntent, are transactions of their own. `since` counts in whole seconds.
   */
  async fetchCustomer(reference: string, since: Date): Promise<PaymentCustomerSnapshot | null> {
    const asOf = this.clock();
    if (!referenceSchema.safeParse(reference).success) return null;
    const customer = await this.customer(reference);
    if (customer === null) return null;

    const filter = { customer: reference, created: { gte: Math.floor(since.getTime() / 1_000) } };
    const [methods, intents, charges] = await Promise.all([
      this.calls.pages('customer', paymentMethodSchema, mostMethods, (stripe, page) =>
        stripe.customers.listPaymentMethods(reference, page),
      ),
      this.calls.pages('nothing', paymentIntentSchema, mostTransactions, (stripe, page) =>
        stripe.paymentIntents.list({ ...filter, ...page, expand: ['data.latest_charge'] }),
      ),
      this.calls.pages('nothing', chargeSchema, mostTransactions, (stripe, page) =>
        stripe.charges.list({ ...filter, ...page, expand: ['data.refunds'] }),
      ),
    ]);
    // Deleted between two requests; of lists by a parameter Stripe says no such thing.
    if (methods === null || intents === null || charges === null) return null;
    this.refuseStrangers([...methods, ...intents, ...charges], reference);

    // Newest first, so the newest is the last to be put in.
    const used = new Map(
      charges
        .toReversed()
        .flatMap(({ payment_method: id, payment_method_details: details }) =>
          id !== null && details?.instrument ? [[id, details.instrument] as const] : [],
        ),
    );
    return {
      customer: customerRecord(customer, this.helpdeskNaming),
      methods: methods.map((method) => paymentMethodRecord(method, customer, asOf, used.get(method.id))),
      transactions: await this.transactionsFrom(intents, charges),
      asOf,
    };
  }

  async fetchTransactions(customer: string, references: readonly string[]): Promise<readonly TransactionRecord[]> {
    const intents: StripePaymentIntent[] = [];
    const charges: StripeCharge[] = [];
    // A failed attempt is told from its payment's latest, so the payment is read with it: a set goes on with what is added to it.
    const toRead = new Set(references);
    for (const reference of toRead) {
      if (!referenceSchema.safeParse(reference).success) continue;
      if (reference.startsWith('pi_')) {
        const found = await this.calls.askMaybe(
          'payment_intent',
          (stripe) => stripe.paymentIntents.retrieve(reference, { expand: ['latest_charge', 'latest_charge.refunds'] }),
          paymentIntentSchema,
        );
        if (found?.customer === customer) intents.push(found);
      } else {
        const found = await this.calls.askMaybe(
          'charge',
          (stripe) => stripe.charges.retrieve(reference, { expand: ['refunds'] }),
          chargeSchema,
        );
        if (found?.customer !== customer) continue;
        charges.push(found);
        if (found.payment_intent !== null) toRead.add(found.payment_intent);
      }
    }
    const wanted = new Set(references);
    return (await this.transactionsFrom(intents, charges)).filter(({ reference }) => wanted.has(reference));
  }

  /** What payments and charges come to as transactions, newest first. */
  private async transactionsFrom(
    intents: readonly StripePaymentIntent[],
    charges: readonly StripeCharge[],
  ): Promise<readonly TransactionRecord[]> {
    const attempts = attemptsOf(intents, charges);
    const shown = attempts.flatMap(({ charge }) => charge ?? []);
    const disputes = await this.notices.disputesOf(shown);
    const refunds = await this.refundsOf(attempts, charges);
    const reviews = await this.notices.reviewsOf(shown);
    return attempts
      .map(({ intent, charge }) => {
        const about = {
          dispute: (charge && disputes.get(charge.id)) ?? null,
          refunds: (charge && refunds.get(charge.id)) ?? null,
          review: charge === null ? undefined : reviews.get(charge.id),
        };
        return intent
          ? intentTransaction(intent, charge, about, this.transactionNaming)
          : chargeTransaction(charge, about, this.transactionNaming);
      })
      .slice(0, mostTransactions);
  }

  /**
   * Reads `/v1/events` from the newest back to the cursor, a page a batch, and ends with a complete batch or after fifty
   * pages. Stripe keeps events for 30 days: what changed before is seen when it is fetched again, not here. Cursors have
   * at most 255 characters as long as event ids have at most 70.
   */
  async *changes(cursor: string | null): AsyncIterable<PaymentChanges> {
    const asOf = this.clock();
    if (cursor === null) {
      const newest = (await this.events(null, null)).data;
      const floor = newest[0]?.created ?? 0;
      yield { customers: [], cursor: writeCursor({ floor, seen: recentOf(newest, floor), run: null }), complete: true, asOf };
      return;
    }
    const start = readCursor(cursor);
    const reported = new Set([...start.seen, ...this.reportedEvents.upTo(cursor)]);
    let { run, seen } = start;
    const recent: string[] = [];
    for (let pages = 0; pages < mostEventPages; pages += 1) {
      const page = await this.events(start.floor, run?.after ?? null);
      const top: number = run?.top ?? Math.max(start.floor, page.data[0]?.created ?? 0);
      if (run === null) seen = recentOf(page.data, top);
      const last = page.data.at(-1);
      run = page.has_more && last ? { top, after: last.id } : null;
      const fresh = page.data.filter(({ id }) => !reported.has(eventDigest(id)));
      recent.push(...recentOf(page.data, top));
      const next = writeCursor(run ? { floor: start.floor, seen, run } : { floor: top, seen, run: null });
      yield { ...(await this.concernedBy(fresh)), cursor: next, complete: run === null, asOf };
      if (run !== null) continue;
      // Whoever asks for more than the last batch has taken all of them.
      this.reportedEvents.remember(next, recent);
      return;
    }
  }

  judgeWebhook(request: WebhookRequest): WebhookJudgement {
    return judgeWebhook(request, this.webhookSecret, this.livemode);
  }

  understandsWebhook(type: string): boolean {
    return isUnderstood(type);
  }

  async ping(): Promise<void> {
    await this.calls.ask((stripe) => stripe.customers.list({ limit: 1 }), z.object({ data: z.array(z.unknown()) }));
  }

  private async customer(reference: string): Promise<StripeCustomer | null> {
    const found = await this.calls
      .askMaybe('customer', (stripe) => stripe.customers.retrieve(reference), customerSchema)
      .catch((error: unknown) => {
        if (error instanceof SourceUnavailable && error.why === 'unauthorized') this.account.doubt();
        throw error;
      });
    if (found === null) await this.account.expectSeen(this.calls, reference);
    return found === null || found.deleted ? null : found;
  }

  private metadataClauses(helpdeskReference: string): readonly (string | null)[] {
    const { metadataKey, bareReferencesOf } = this.helpdeskNaming;
    const prefix = `${bareReferencesOf}:`;
    const bare = bareReferencesOf !== null && helpdeskReference.startsWith(prefix) ? helpdeskReference.slice(prefix.length) : '';
    return [metadataClause(metadataKey, helpdeskReference), metadataClause(metadataKey, bare)];
  }

  private async search(clauses: readonly (string | null)[]): Promise<readonly StripeCustomer[]> {
    const found: StripeCustomer[] = [];
    for (const query of clauses) {
      if (query === null) continue;
      let page: string | null = null;
      for (let seen = 0; seen < mostCandidates; seen += pageSize) {
        const answer = await this.searchPage(query, page);
        found.push(...answer.data.filter((each): each is StripeCustomer => !each.deleted));
        page = answer.next_page;
        if (!answer.has_more || page === null) break;
      }
    }
    return [...new Map(found.map((customer) => [customer.id, customer])).values()];
  }

  private searchPage(query: string, page: string | null) {
    return this.calls.ask(
      (stripe) => stripe.customers.search({ query, limit: pageSize, ...(page === null ? {} : { page }) }),
      pageOf(customerSchema),
    );
  }

  private async listByEmail(forms: readonly string[]): Promise<readonly StripeCustomer[]> {
    const found: StripeCustomer[] = [];
    for (const form of forms) {
      const listed = await this.calls.pages('nothing', customerSchema, mostCandidates, (stripe, page) =>
        stripe.customers.list({ email: form, ...page }),
      );
      found.push(...(listed ?? []).filter((each): each is StripeCustomer => !each.deleted));
    }
    return found;
  }

  /** By charge; those that came with it, and of others what Stripe lists. A charge of which nothing was given back isn't asked about. */
  private async refundsOf(
    attempts: readonly Attempt[],
    charges: readonly StripeCharge[],
  ): Promise<ReadonlyMap<string, readonly StripeRefund[]>> {
    const listed = [...charges, ...attempts.flatMap(({ charge }) => charge ?? [])];
    const refunds = new Map<string, readonly StripeRefund[]>(
      listed.flatMap(({ id, refunds: given }) => (given && !given.has_more ? [[id, given.data] as const] : [])),
    );
    const unlisted = attempts.flatMap(({ charge }) =>
      charge !== null && charge.amount_refunded > 0 && !refunds.get(charge.id)?.length ? [charge.id] : [],
    );
    for (const charge of unlisted.slice(0, mostRefunded)) {
      try {
        const found = await this.calls.pages('nothing', refundSchema, mostRefunds, (stripe, page) =>
          stripe.refunds.list({ charge, ...page }),
        );
        refunds.set(charge, found ?? []);
      } catch (error) {
        if (!isRefusedPermission(error)) throw error;
        break;
      }
    }
    return refunds;
  }

  /** A list of one customer's objects must not hold another's, whatever the reason. */
  private refuseStrangers(objects: readonly { readonly customer: string | null }[], reference: string): void {
    if (objects.some(({ customer }) => customer !== reference)) throw new SourceUnavailable(this.source, 'malformed');
  }

  private async events(floor: number | null, after: string | null): Promise<{ data: StripeEvent[]; has_more: boolean }> {
    const list = (from: string | null) =>
      this.calls.ask(
        (stripe) =>
          stripe.events.list({
            limit: pageSize,
            ...(floor === null ? {} : { created: { gte: Math.max(0, floor - overlap) } }),
            ...(from === null ? {} : { starting_after: from }),
          }),
        pageOf(eventSchema),
      );
    // An event that is no longer kept can't be stood after: the run begins again at the newest.
    return list(after).catch((error: unknown) => {
      if (error instanceof CursorVanished) return list(null);
      throw error;
    });
  }

  private async concernedBy(events: readonly StripeEvent[]): Promise<Pick<PaymentChanges, 'customers' | 'transactions'>> {
    const concerned = events.map(concernOf).filter((concern) => concern !== null);
    const customers = new Set(concerned.flatMap((concern) => concern.customers));
    const transactions = events.flatMap(transactionsOf);
    const name = (
      found: { readonly customer: string | null } | null,
      references: readonly (string | null)[],
      warnedAt?: Date,
    ) => {
      if (!found?.customer) return;
      const { customer } = found;
      customers.add(customer);
      for (const reference of references) if (reference !== null) transactions.push({ customer, reference, warnedAt });
    };
    const charges = new Map<string, Date | undefined>();
    for (const warning of new Set(concerned.flatMap((concern) => concern.warnings))) {
      const found = await this.notices.warning(warning);
      if (found) charges.set(found.charge, found.created);
    }
    for (const { charges: named } of concerned)
      for (const charge of named) if (!charges.has(charge)) charges.set(charge, undefined);
    for (const [charge, warnedAt] of charges) {
      const found = await this.calls.askMaybe('charge', (stripe) => stripe.charges.retrieve(charge), chargeSchema);
      name(found, [found?.id ?? null, found?.payment_intent ?? null], warnedAt);
    }
    for (const intent of new Set(concerned.flatMap((concern) => concern.intents))) {
      const found = await this.calls.askMaybe(
        'payment_intent',
        (stripe) => stripe.paymentIntents.retrieve(intent),
        paymentIntentSchema,
      );
      name(found, [found?.id ?? null]);
    }
    return { customers: [...customers], transactions };
  }
}

/** What becomes one transaction: an intent with its latest charge, or a charge that stands for itself. */
type Attempt =
  | { readonly intent: StripePaymentIntent; readonly charge: StripeCharge | null }
  | { readonly intent: null; readonly charge: StripeCharge };

const attemptsOf = (intents: readonly StripePaymentIntent[], charges: readonly StripeCharge[]): readonly Attempt[] => {
  const byId = new Map(charges.map((charge) => [charge.id, charge]));
  const ofIntents = intents.map((intent): Attempt => {
    const latest = intent.latest_charge ?? null;
    return { intent, charge: typeof latest === 'string' ? (byId.get(latest) ?? null) : latest };
  });
  const shown = new Set(ofIntents.map(({ charge }) => charge?.id));
  const listed = new Set(intents.map(({ id }) => id));
  // A successful charge of an intent is never counted beside the intent, not even when it appeared between two requests.
  const own = charges.filter(
    ({ id, payment_intent: intent, status }) => intent === null || (status === 'failed' && listed.has(intent) && !shown.has(id)),
  );
  return [...ofIntents, ...own.map((charge): Attempt => ({ intent: null, charge }))].sort(
    (one, other) => createdOf(other) - createdOf(one),
  );
};

const createdOf = ({ intent, charge }: Attempt): number => (intent ?? charge).created.getTime();
