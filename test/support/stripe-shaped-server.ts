import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';
import { type FormFields, parseForm } from './form-body';
import { changes, failure, missing, ok, unknownParameter } from './stripe-shaped-changes';
import { type Answer, IdempotencyKeys } from './stripe-shaped-keys';

/** An object as Stripe's API would give it; `object` names its kind. */
export interface StripeObject {
  readonly id: string;
  readonly object: string;
  readonly created: number;
  readonly [field: string]: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  /** Parameters as they were named: `created[gte]`, `expand[]`. */
  readonly query: Readonly<Record<string, readonly string[]>>;
  readonly headers: IncomingMessage['headers'];
  /** The form of a POST, with its brackets nested; empty otherwise. */
  readonly body: FormFields;
}

/**
 * What an answer is replaced with. `slow` answers properly, later; `held` when it is let go; `half` sends the first half of the
 * proper answer and closes; `hang` never answers; `stall` sends headers and the beginning of a body and no more; `close` closes.
 * A POST that isn't answered properly is executed only where `executed` says so. A status that is `stored` is kept under the
 * request's key, as Stripe keeps its own faults.
 */
export type Fault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Fields;
      readonly body?: unknown;
      readonly executed?: boolean;
      readonly stored?: boolean;
    }
  | { readonly kind: 'text'; readonly status: number; readonly text: string; readonly executed?: boolean }
  | { readonly kind: 'slow'; readonly milliseconds: number }
  | { readonly kind: 'held'; readonly until: Promise<unknown> }
  | { readonly kind: 'half' }
  | { readonly kind: 'hang'; readonly executed?: boolean }
  | { readonly kind: 'stall'; readonly executed?: boolean }
  | { readonly kind: 'close'; readonly executed?: boolean };

/** A mutation that was executed, not one that was refused or repeated. */
export interface Execution {
  readonly path: string;
  /** The object that was changed or made. */
  readonly object: string;
  readonly key: string | null;
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  readonly answer: (query: ReceivedRequest['query'], ...captured: string[]) => Answer;
}

const prefixes: Readonly<Record<string, string>> = {
  customer: 'cus_',
  payment_method: 'pm_',
  payment_intent: 'pi_',
  charge: 'ch_',
  refund: 're_',
  dispute: 'dp_',
  review: 'prv_',
  'radar.early_fraud_warning': 'issfr_',
  event: 'evt_',
  subscription: 'sub_',
  'checkout.session': 'cs_test_',
  setup_intent: 'seti_',
  setup_attempt: 'setatt_',
  'radar.value_list': 'rsl_',
  'radar.value_list_item': 'rsli_',
};

/**
 * A small stateful HTTP server that answers as Stripe's API does, for the calls that the connector makes: object shapes,
 * ids, pages, `expand[]`, search grammar, error bodies, idempotency, and an event for each mutation. Mutations are methods
 * here; `changes` are those that are served over HTTP.
 */
export class StripeShapedServer {
  readonly requests: ReceivedRequest[] = [];
  /** Mutations executed over HTTP, in order. */
  readonly executions: Execution[] = [];
  /** The only key that is let in. */
  apiKey = 'rk_test_shaped';
  /** Seconds since the epoch that new objects are created at. */
  now = 1_780_000_000;
  /** `now` is the time of this machine. */
  followsClock = false;
  /** Where sessions say that their hosted page is. */
  hostedAt = 'https://checkout.stripe.com';
  /** Fields that every object of every answer carries as well, where it has none of that name. */
  adornment: Fields = {};
  /** What this account's answers never expand. */
  neverExpands: readonly string[] = [];
  /** Endpoints that the key lacks a permission for. */
  denied: RegExp[] = [];

  private readonly objects = new Map<string, StripeObject>();
  private readonly order: string[] = [];
  private readonly keys = new IdempotencyKeys();
  private readonly detached = new Set<string>();
  private faults: { left: number; readonly fault: Fault; readonly path: RegExp }[] = [];
  private searchIndex: readonly StripeObject[] | null = null;
  private count = 0;

  private constructor(private readonly server: Server) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.serve(request, response));
  }

  static async start(): Promise<StripeShapedServer> {
    const server = createServer();
    const shaped = new StripeShapedServer(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return shaped;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** The next `times` requests whose path matches meet the fault. */
  failNext(times: number, fault: Fault, path = /./): void {
    this.faults.push({ left: times, fault, path });
  }

  recover(): void {
    this.faults = [];
    this.denied = [];
    this.neverExpands = [];
  }

  /** From now on search answers from the state of this moment, as a late index does. */
  freezeSearch(): void {
    this.searchIndex = this.all('customer');
  }

  createCustomer(fields: Fields = {}): StripeObject {
    return this.create('customer', 'customer.created', {
      address: null,
      balance: 0,
      currency: null,
      default_source: null,
      delinquent: false,
      description: null,
      email: null,
      invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
      livemode: false,
      metadata: {},
      name: null,
      phone: null,
      shipping: null,
      ...fields,
    });
  }

  updateCustomer(id: string, fields: Fields): StripeObject {
    return this.update(id, 'customer.updated', fields);
  }

  deleteCustomer(id: string): void {
    const gone = this.get(id);
    this.objects.delete(id);
    this.objects.set(id, { id, object: 'customer', deleted: true } as unknown as StripeObject);
    for (const method of this.all('payment_method')) if (method.customer === id) this.detachPaymentMethod(method.id);
    this.recordEvent('customer.deleted', gone);
  }

  attachPaymentMethod(customer: string, fields: Fields = {}): StripeObject {
    const method = this.createPaymentMethod({ ...fields, customer });
    this.recordEvent('payment_method.attached', method);
    return method;
  }

  /** Nobody's, unless `customer` is named. */
  createPaymentMethod(fields: Fields = {}): StripeObject {
    return this.put('payment_method', {
      allow_redisplay: 'unspecified',
      billing_details: {
        address: { city: null, country: null, line1: null, line2: null, postal_code: null, state: null },
        email: null,
        name: null,
        phone: null,
        tax_id: null,
      },
      customer: null,
      livemode: false,
      metadata: {},
      ...(fields.type === undefined ? { type: 'card', card: cardOf() } : {}),
      ...fields,
    });
  }

  updatePaymentMethod(id: string, fields: Fields): StripeObject {
    return this.update(id, 'payment_method.updated', fields);
  }

  reattachPaymentMethod(id: string, customer: string): StripeObject {
    return this.update(id, 'payment_method.attached', { customer });
  }

  /** Nothing charges it any more, and nobody can have it again. */
  detachPaymentMethod(id: string): StripeObject {
    for (const each of this.living()) {
      const settings = each.invoice_settings as Fields;
      if (settings.default_payment_method === id)
        this.updateCustomer(each.id, { invoice_settings: { ...settings, default_payment_method: null } });
    }
    for (const each of this.all('subscription'))
      if (each.default_payment_method === id) this.updateSubscription(each.id, { default_payment_method: null });
    this.detached.add(id);
    return this.update(id, 'payment_method.detached', { customer: null });
  }

  wasDetached(id: string): boolean {
    return this.detached.has(id);
  }

  createSubscription(customer: string, fields: Fields = {}): StripeObject {
    return this.create('subscription', 'customer.subscription.created', {
      cancel_at_period_end: false,
      collection_method: 'charge_automatically',
      currency: 'usd',
      customer,
      default_payment_method: null,
      default_source: null,
      description: null,
      items: { object: 'list', data: [], has_more: false },
      latest_invoice: null,
      livemode: false,
      metadata: {},
      pause_collection: null,
      status: 'active',
      ...fields,
    });
  }

  updateSubscription(id: string, fields: Fields): StripeObject {
    return this.update(id, 'customer.subscription.updated', fields);
  }

  createValueList(alias: string, itemType: string, fields: Fields = {}): StripeObject {
    return this.put('radar.value_list', {
      alias,
      created_by: 'jenny@example.com',
      item_type: itemType,
      list_items: { object: 'list', data: [], has_more: false },
      livemode: false,
      metadata: {},
      name: alias,
      ...fields,
    });
  }

  valueListCalled(alias: string): StripeObject | null {
    return this.all('radar.value_list').find((each) => each.alias === alias) ?? null;
  }

  /** By default as a person adds it in the dashboard. */
  addValueListItem(list: string, value: string, by = 'jenny@example.com'): StripeObject {
    return this.put('radar.value_list_item', { created_by: by, livemode: false, value, value_list: list });
  }

  removeValueListItem(id: string): void {
    this.objects.delete(id);
  }

  valueListItems(list: string): readonly StripeObject[] {
    return this.all('radar.value_list_item').filter((each) => each.value_list === list);
  }

  /** A Checkout Session in setup mode, with its SetupIntent. */
  createSession(fields: Fields): StripeObject {
    const intent = this.create('setup_intent', 'setup_intent.created', {
      client_secret: 'seti_secret_of_the_intent',
      customer: fields.customer,
      last_setup_error: null,
      latest_attempt: null,
      livemode: false,
      metadata: {},
      next_action: null,
      payment_method: null,
      payment_method_options: fields.payment_method_options,
      payment_method_types: ['card'],
      status: 'requires_payment_method',
      usage: 'off_session',
    });
    const { id } = this.put('checkout.session', {
      allowed_payment_method_types: ['card'],
      amount_total: null,
      client_secret: null,
      currency: null,
      customer_details: { address: null, email: 'of-the-customer@example.com', name: null, phone: null },
      livemode: false,
      mode: 'setup',
      payment_method_types: ['card'],
      payment_status: 'no_payment_required',
      setup_intent: intent.id,
      status: 'open',
      ui_mode: 'hosted_page',
      ...fields,
    });
    const opened = { ...this.get(id), url: `${this.hostedAt}/c/pay/${id}` };
    this.objects.set(id, opened);
    return opened;
  }

  /** Checkout sessions that were opened for a customer, newest first. */
  sessionsOf(customer: string): readonly StripeObject[] {
    return this.all('checkout.session').filter((each) => each.customer === customer);
  }

  /** The customer entered a card on the session's page; Stripe attaches it to them. */
  completeSetup(session: string, card: Fields = {}, { authenticated = false }: { authenticated?: boolean } = {}): StripeObject {
    const open = this.openSession(session);
    const intent = String(open.setup_intent);
    const method = this.attachPaymentMethod(String(open.customer), { card: cardOf(card) });
    const attempt = this.attempt(open, method.id, 'succeeded', authenticated);
    const outcome = { status: 'succeeded', payment_method: method.id, latest_attempt: attempt.id };
    this.update(intent, 'setup_intent.succeeded', outcome);
    this.update(session, 'checkout.session.completed', { status: 'complete', url: null });
    return method;
  }

  /** The card that the customer entered was declined, or they didn't authenticate; they may enter another. */
  failSetup(session: string): void {
    const open = this.openSession(session);
    const attempt = this.attempt(open, this.createPaymentMethod().id, 'failed', false);
    const error = { type: 'card_error', code: 'card_declined', message: 'Your card was declined.' };
    this.update(String(open.setup_intent), 'setup_intent.setup_failed', { last_setup_error: error, latest_attempt: attempt.id });
  }

  expireSetup(session: string): void {
    this.openSession(session);
    this.update(session, 'checkout.session.expired', { status: 'expired', url: null });
  }

  private attempt(session: StripeObject, method: string, status: string, authenticated: boolean): StripeObject {
    const secure = authenticated ? { authentication_flow: 'challenge', result: 'authenticated', version: '2.2.0' } : null;
    return this.put('setup_attempt', {
      customer: session.customer,
      livemode: false,
      payment_method: method,
      payment_method_details: { type: 'card', card: { three_d_secure: secure } },
      setup_error: null,
      setup_intent: session.setup_intent,
      status,
      usage: 'off_session',
    });
  }

  private openSession(id: string): StripeObject {
    const session = this.get(id);
    if (session.status !== 'open') throw new Error(`the session is ${String(session.status)}`);
    return session;
  }

  createPaymentIntent(fields: Fields = {}): StripeObject {
    return this.create('payment_intent', 'payment_intent.created', {
      amount: 2_000,
      amount_capturable: 0,
      amount_received: 0,
      canceled_at: null,
      cancellation_reason: null,
      capture_method: 'automatic',
      client_secret: 'pi_secret_of_the_intent',
      currency: 'usd',
      customer: null,
      description: null,
      last_payment_error: null,
      latest_charge: null,
      livemode: false,
      metadata: {},
      next_action: null,
      payment_method: null,
      payment_method_types: ['card'],
      status: 'requires_payment_method',
      ...fields,
    });
  }

  updatePaymentIntent(id: string, type: string, fields: Fields): StripeObject {
    return this.update(id, type, fields);
  }

  createCharge(fields: Fields = {}): StripeObject {
    const status = fields.status ?? 'succeeded';
    const captured = fields.captured ?? status === 'succeeded';
    return this.create('charge', `charge.${String(status)}`, {
      amount: 2_000,
      amount_captured: captured === true ? (fields.amount ?? 2_000) : 0,
      amount_refunded: 0,
      billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
      captured,
      currency: 'usd',
      customer: null,
      description: null,
      disputed: false,
      failure_code: null,
      failure_message: null,
      fraud_details: {},
      livemode: false,
      metadata: {},
      outcome: {
        advice_code: null,
        network_advice_code: null,
        network_decline_code: null,
        network_status: 'approved_by_network',
        reason: null,
        risk_level: 'normal',
        risk_score: 12,
        seller_message: 'Payment complete.',
        type: 'authorized',
      },
      paid: status === 'succeeded',
      payment_intent: null,
      payment_method: null,
      payment_method_details: { type: 'card', card: { ...cardOf(), checks: null, network: 'visa' } },
      receipt_email: null,
      receipt_url: 'https://pay.stripe.com/receipts/payment/of-the-charge',
      refunded: false,
      review: null,
      status,
      ...fields,
    });
  }

  updateCharge(id: string, type: string, fields: Fields): StripeObject {
    return this.update(id, type, fields);
  }

  /**
   * Gives back money of a charge. What is under way or done is part of its `amount_refunded`; what failed or was cancelled isn't,
   * or no longer.
   */
  createRefund(charge: string, fields: Fields = {}): StripeObject {
    const { amount, currency, payment_intent: intent } = this.get(charge);
    const refund = this.create('refund', 'refund.created', {
      amount,
      balance_transaction: null,
      charge,
      currency,
      destination_details: { card: { type: 'refund' }, type: 'card' },
      metadata: {},
      payment_intent: intent,
      reason: null,
      receipt_number: null,
      status: 'succeeded',
      ...fields,
    });
    this.bookRefunds(charge);
    return refund;
  }

  updateRefund(id: string, type: 'refund.updated' | 'refund.failed', fields: Fields): StripeObject {
    const refund = this.update(id, type, fields);
    this.bookRefunds(String(refund.charge));
    return refund;
  }

  private bookRefunds(charge: string): void {
    const booked = this.refundsOf(charge).filter(({ status }) => status !== 'failed' && status !== 'canceled');
    const refunded = booked.reduce((sum, { amount }) => sum + Number(amount), 0);
    const { amount } = this.get(charge);
    this.update(charge, 'charge.refunded', { amount_refunded: refunded, refunded: refunded >= Number(amount) });
  }

  private refundsOf(charge: unknown): StripeObject[] {
    return this.all('refund').filter((each) => each.charge === charge);
  }

  openDispute(charge: string, fields: Fields = {}): StripeObject {
    const disputed = this.get(charge);
    this.objects.set(charge, { ...disputed, disputed: true });
    return this.create('dispute', 'charge.dispute.created', {
      amount: disputed.amount,
      charge,
      currency: disputed.currency,
      evidence: {},
      evidence_details: { due_by: null, has_evidence: false, past_due: false, submission_count: 0 },
      is_charge_refundable: false,
      livemode: false,
      metadata: {},
      payment_intent: disputed.payment_intent,
      reason: 'fraudulent',
      status: 'needs_response',
      ...fields,
    });
  }

  /** Puts a payment under review; of one that is only authorized Stripe may name no charge. */
  openReview(charge: string, fields: Fields = {}): StripeObject {
    const reviewed = this.get(charge);
    const review = this.create('review', 'review.opened', {
      billing_zip: null,
      charge,
      closed_reason: null,
      ip_address: null,
      ip_address_location: null,
      livemode: false,
      open: true,
      opened_reason: 'rule',
      payment_intent: reviewed.payment_intent,
      reason: 'rule',
      session: null,
      ...fields,
    });
    this.objects.set(charge, { ...reviewed, review: review.id });
    return review;
  }

  closeReview(id: string, reason: string): StripeObject {
    return this.update(id, 'review.closed', { open: false, reason, closed_reason: reason });
  }

  /** The charge itself says nothing of it. */
  warnOfFraud(charge: string, fields: Fields = {}): StripeObject {
    return this.create('radar.early_fraud_warning', 'radar.early_fraud_warning.created', {
      actionable: true,
      charge,
      fraud_type: 'made_with_stolen_card',
      livemode: false,
      ...fields,
    });
  }

  updateDispute(id: string, fields: Fields): StripeObject {
    return this.update(id, 'charge.dispute.updated', fields);
  }

  recordEvent(type: string, object: StripeObject | Fields, previous?: Fields): StripeObject {
    return this.put('event', {
      api_version: '2026-10-28.endive',
      data: { object, ...(previous === undefined ? {} : { previous_attributes: previous }) },
      livemode: false,
      pending_webhooks: 0,
      request: { id: null, idempotency_key: null },
      type,
    });
  }

  get(id: string): StripeObject {
    const found = this.objects.get(id);
    if (found === undefined) throw new Error(`the shaped server has no ${id}`);
    return found;
  }

  /** Fields of an object as a test wants them, whatever Stripe would say; no event. */
  replace(id: string, fields: Fields): void {
    this.objects.set(id, { ...this.get(id), ...fields } as StripeObject);
  }

  /** As a key of another account finds it: there never was such an object. */
  forget(...ids: readonly string[]): void {
    for (const id of ids) this.objects.delete(id);
  }

  find(id: string): StripeObject | null {
    return this.objects.get(id) ?? null;
  }

  /** How often something was executed on an object, and with which key where one is named. */
  executionsOf(object: string, key?: string): number {
    return this.executions.filter((each) => each.object === object && (key === undefined || each.key === key)).length;
  }

  get events(): readonly StripeObject[] {
    return this.all('event');
  }

  /** Headers and body of a webhook as Stripe would post it, signed by the SDK. `at` in seconds. */
  signWebhook(
    event: Fields | string,
    secret: string,
    at: number,
  ): { readonly headers: Record<string, string>; readonly body: Buffer } {
    const payload = typeof event === 'string' ? event : JSON.stringify(event, null, 2);
    return {
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'stripe-signature': new Stripe('sk_test_unused').webhooks.generateTestHeaderString({ payload, secret, timestamp: at }),
      },
      body: Buffer.from(payload),
    };
  }

  private create(object: string, type: string, fields: Fields): StripeObject {
    const created = this.put(object, fields);
    this.recordEvent(type, created);
    return created;
  }

  private put(object: string, fields: Fields): StripeObject {
    this.count += 1;
    const id = `${prefixes[object] ?? 'obj_'}${String(this.count).padStart(14, '0')}`;
    const stored = { id, created: this.now, ...fields, object } as StripeObject;
    this.objects.set(stored.id, stored);
    this.order.push(stored.id);
    return stored;
  }

  private update(id: string, type: string, fields: Fields): StripeObject {
    const before = this.get(id);
    const after = { ...before, ...fields } as StripeObject;
    this.objects.set(id, after);
    this.recordEvent(type, after, Object.fromEntries(Object.keys(fields).map((name) => [name, before[name]])));
    return after;
  }

  /** Newest first, as all of Stripe's lists are. */
  private all(object: string): StripeObject[] {
    return this.order
      .map((id) => this.objects.get(id))
      .filter((each): each is StripeObject => each?.object === object)
      .reverse()
      .sort((one, other) => other.created - one.created);
  }

  private readonly routes: readonly Route[] = [
    {
      method: 'GET',
      path: /^\/v1\/customers\/search$/,
      answer: (query) => this.search(query),
    },
    {
      method: 'GET',
      path: /^\/v1\/customers$/,
      answer: (query) =>
        this.page('/v1/customers', query, this.living(), (each) => only(query, 'email', each.email) && within(query, each)),
    },
    { method: 'GET', path: /^\/v1\/customers\/([^/]+)$/, answer: (query, id) => this.one('customer', id, query) },
    {
      method: 'GET',
      path: /^\/v1\/customers\/([^/]+)\/payment_methods$/,
      answer: (query, id) =>
        this.living().some((each) => each.id === id)
          ? this.page(
              `/v1/customers/${id}/payment_methods`,
              query,
              this.all('payment_method'),
              (each) => each.customer === id && only(query, 'type', each.type),
            )
          : missing('customer', id),
    },
    {
      method: 'GET',
      path: /^\/v1\/payment_intents$/,
      answer: (query) =>
        this.page(
          '/v1/payment_intents',
          query,
          this.all('payment_intent'),
          (each) => ofCustomer(query, each) && within(query, each),
        ),
    },
    { method: 'GET', path: /^\/v1\/payment_intents\/([^/]+)$/, answer: (query, id) => this.one('payment_intent', id, query) },
    {
      method: 'GET',
      path: /^\/v1\/charges$/,
      answer: (query) =>
        this.page('/v1/charges', query, this.all('charge'), (each) => ofCustomer(query, each) && within(query, each)),
    },
    { method: 'GET', path: /^\/v1\/charges\/([^/]+)$/, answer: (query, id) => this.one('charge', id, query) },
    {
      method: 'GET',
      path: /^\/v1\/disputes$/,
      answer: (query) => this.page('/v1/disputes', query, this.all('dispute'), (each) => only(query, 'charge', each.charge)),
    },
    { method: 'GET', path: /^\/v1\/reviews\/([^/]+)$/, answer: (query, id) => this.one('review', id, query) },
    {
      method: 'GET',
      path: /^\/v1\/radar\/early_fraud_warnings\/([^/]+)$/,
      answer: (query, id) => this.one('radar.early_fraud_warning', id, query),
    },
    {
      method: 'GET',
      path: /^\/v1\/refunds$/,
      answer: (query) =>
        this.objects.has(query.charge?.[0] ?? '')
          ? this.page('/v1/refunds', query, this.all('refund'), (each) => only(query, 'charge', each.charge))
          : missing('charge', query.charge?.[0], 'charge'),
    },
    { method: 'GET', path: /^\/v1\/payment_methods\/([^/]+)$/, answer: (query, id) => this.one('payment_method', id, query) },
    {
      method: 'GET',
      path: /^\/v1\/subscriptions$/,
      answer: (query) =>
        this.living().some((each) => each.id === query.customer?.[0])
          ? this.page(
              '/v1/subscriptions',
              query,
              this.all('subscription'),
              (each) => ofCustomer(query, each) && each.status !== 'canceled',
            )
          : missing('customer', query.customer?.[0], 'customer', 400),
    },
    { method: 'GET', path: /^\/v1\/subscriptions\/([^/]+)$/, answer: (query, id) => this.one('subscription', id, query) },
    {
      method: 'GET',
      path: /^\/v1\/checkout\/sessions\/([^/]+)$/,
      answer: (query, id) => {
        const session = this.objects.get(id ?? '');
        if (session?.status === 'open' && Number(session.expires_at) <= this.now) this.expireSetup(session.id);
        return this.one('checkout.session', id, query);
      },
    },
    {
      method: 'GET',
      path: /^\/v1\/radar\/value_lists$/,
      answer: (query) =>
        this.page('/v1/radar/value_lists', query, this.all('radar.value_list'), (each) => only(query, 'alias', each.alias)),
    },
    {
      method: 'GET',
      path: /^\/v1\/radar\/value_list_items$/,
      answer: (query) => {
        const list = query.value_list?.[0] ?? '';
        const like = (query.value?.[0] ?? '').toLowerCase();
        return this.objects.get(list)?.object === 'radar.value_list'
          ? this.page('/v1/radar/value_list_items', query, this.all('radar.value_list_item'), (each) => {
              return each.value_list === list && String(each.value).toLowerCase().includes(like);
            })
          : missing('value list', list, 'value_list', 400);
      },
    },
    {
      method: 'DELETE',
      path: /^\/v1\/radar\/value_list_items\/([^/]+)$/,
      answer: (_query, id = '') => {
        if (this.objects.get(id)?.object !== 'radar.value_list_item') return missing('value list item', id);
        this.removeValueListItem(id);
        this.executions.push({ path: `/v1/radar/value_list_items/${id}`, object: id, key: null });
        return ok({ id, object: 'radar.value_list_item', deleted: true });
      },
    },
    { method: 'GET', path: /^\/v1\/setup_intents\/([^/]+)$/, answer: (query, id) => this.one('setup_intent', id, query) },
    {
      method: 'GET',
      path: /^\/v1\/events$/,
      answer: (query) => this.page('/v1/events', query, this.all('event'), (each) => within(query, each)),
    },
  ];

  private living(): StripeObject[] {
    return this.all('customer').filter((each) => each.deleted !== true);
  }

  private one(object: string, id: string | undefined, query: ReceivedRequest['query']): Answer {
    const found = this.objects.get(id ?? '');
    return found?.object === object ? ok(this.expanded(found, query)) : missing(object, id);
  }

  private page(
    url: string,
    query: ReceivedRequest['query'],
    from: readonly StripeObject[],
    belongs: (each: StripeObject) => boolean,
  ): Answer {
    const limit = Number(query.limit?.[0] ?? 10);
    if (!Number.isInteger(limit) || limit < 1 || limit > 100)
      return failure(400, 'invalid_request_error', 'parameter_invalid_integer', 'Invalid limit', 'limit');
    const matching = from.filter(belongs);
    const after = query.starting_after?.[0];
    const start = after === undefined ? 0 : matching.findIndex((each) => each.id === after) + 1;
    if (after !== undefined && start === 0) return missing('object', after, 'starting_after');
    const list = { object: 'list', url, has_more: matching.length > start + limit, data: matching.slice(start, start + limit) };
    return ok(this.expanded(list, query));
  }

  /** Clauses of `field:"value"`, joined by AND or OR; exact match is case-insensitive, as Stripe documents it. */
  private search(query: ReceivedRequest['query']): Answer {
    const text = query.query?.[0] ?? '';
    const clause =
      /\s*(?:(AND|OR)\s+)?(email|name|metadata\[(?:"([^"\]]+)"|'([^'\]]+)')\])([:~])(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')/giy;
    const clauses: { any: boolean; matches: (each: StripeObject) => boolean }[] = [];
    while (clause.lastIndex < text.length) {
      const found = clause.exec(text);
      if (found === null)
        return failure(400, 'invalid_request_error', null, 'We were unable to parse your search query.', 'query');
      const key = found[3] ?? found[4];
      const wanted = (found[6] ?? found[7] ?? '').replace(/\\(.)/g, '$1').toLowerCase();
      clauses.push({
        any: found[1]?.toUpperCase() === 'OR',
        matches: (each) => {
          const held = key === undefined ? each[String(found[2])] : (each.metadata as Fields)[key];
          const value = typeof held === 'string' ? held.toLowerCase() : null;
          return value !== null && (found[5] === '~' ? value.includes(wanted) : value === wanted);
        },
      });
    }
    const any = clauses.some((each) => each.any);
    const index = this.searchIndex ?? this.living();
    const matching = index.filter((each) => clauses[any ? 'some' : 'every']((one) => one.matches(each)));
    const limit = Number(query.limit?.[0] ?? 10);
    const start = Number(query.page?.[0] ?? 0);
    const more = matching.length > start + limit;
    return ok({
      object: 'search_result',
      url: '/v1/customers/search',
      has_more: more,
      next_page: more ? String(start + limit) : null,
      data: matching.slice(start, start + limit),
    });
  }

  /** Replaces ids by objects along each `expand[]` path; `data` walks into a list. */
  private expanded(answer: unknown, query: ReceivedRequest['query']): unknown {
    const walk = (value: unknown, path: readonly string[]): unknown => {
      const [head, ...rest] = path;
      if (head === undefined) return typeof value === 'string' ? (this.objects.get(value) ?? value) : value;
      if (Array.isArray(value)) return value.map((each) => walk(each, path));
      const holder = typeof value === 'string' ? this.objects.get(value) : value;
      if (holder === null || typeof holder !== 'object') return value;
      const { object, id, [head]: held } = holder as Fields;
      if (this.neverExpands.includes(head)) return value;
      const named = object === 'charge' && head === 'refunds' ? this.listedWith(id) : held;
      return { ...holder, [head]: walk(named, rest) };
    };
    const paths = Object.entries(query).flatMap(([name, values]) => (/^expand\[\d*\]$/.test(name) ? values : []));
    return paths.reduce<unknown>((each, path) => {
      const names = path.split('.');
      return walk(each, names);
    }, answer);
  }

  /** The list that a charge has where it is expanded: the newest ten. */
  private listedWith(charge: unknown): Fields {
    const all = this.refundsOf(charge);
    const url = `/v1/charges/${String(charge)}/refunds`;
    return { object: 'list', url, has_more: all.length > 10, data: all.slice(0, 10) };
  }

  private adorned(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((each) => this.adorned(each));
    if (value === null || typeof value !== 'object') return value;
    const fields = Object.fromEntries(Object.entries(value).map(([name, each]) => [name, this.adorned(each)]));
    return { ...this.adornment, ...fields };
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    if (this.followsClock) this.now = Math.floor(Date.now() / 1_000);
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const query: Record<string, string[]> = {};
    for (const [name, value] of url.searchParams) query[name] = [...(query[name] ?? []), value];
    const { method = '', headers } = request;
    const received = { method, path: url.pathname, query, headers };
    if (method !== 'POST') {
      request.resume();
      this.meet({ ...received, body: {} }, request, response);
      return;
    }
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => this.meet({ ...received, body: parseForm(Buffer.concat(parts).toString()) }, request, response));
  }

  private meet(received: ReceivedRequest, request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(received);
    const pending = this.faults.find((each) => each.left > 0 && each.path.test(received.path));
    if (pending === undefined) {
      this.send(response, this.answer(received));
      return;
    }
    pending.left -= 1;
    this.misbehave(pending.fault, received, request, response);
  }

  private answer(received: ReceivedRequest): Answer {
    return this.refused(received) ?? this.executed(received);
  }

  /** The answer to a request that is not let in, or whose key is known; otherwise null, and the key is taken. */
  private refused(received: ReceivedRequest): Answer | null {
    const { authorization = '' } = received.headers;
    if (authorization !== `Bearer ${this.apiKey}`)
      return failure(401, 'invalid_request_error', null, `Invalid API Key provided: ${authorization}`);
    if (this.denied.some((each) => each.test(received.path) || each.test(`${received.method} ${received.path}`)))
      return failure(
        403,
        'invalid_request_error',
        null,
        `The provided key '${this.apiKey}' does not have the required permissions.`,
      );
    return this.keys.begin(keyOf(received), fingerprintOf(received), this.now);
  }

  private executed(received: ReceivedRequest): Answer {
    const { method, path, query, body } = received;
    const key = keyOf(received);
    if (method === 'POST') {
      for (const change of changes) {
        const captured = change.path.exec(path);
        if (captured === null) continue;
        const answer = unknownParameter(change, body) ?? change.execute(this, body, decodeURIComponent(captured[1] ?? ''));
        if (answer.status === 200) this.executions.push({ path, object: (answer.body as StripeObject).id, key });
        return this.keys.finish(key, answer);
      }
    }
    for (const route of this.routes) {
      const captured = route.method === method ? route.path.exec(path) : null;
      if (captured !== null) return route.answer(query, ...captured.slice(1).map(decodeURIComponent));
    }
    const unknown = failure(404, 'invalid_request_error', null, `Unrecognized request URL (${method}: ${path}).`);
    return this.keys.finish(key, { ...unknown, isUnexecuted: true });
  }

  private send(response: ServerResponse, answer: Answer): void {
    response.writeHead(answer.status, this.headersOf(answer));
    response.end(JSON.stringify(this.adorned(answer.body)));
  }

  private headersOf({ headers }: Answer): Record<string, string> {
    return { 'content-type': 'application/json', 'request-id': `req_${this.requests.length}`, ...headers };
  }

  private misbehave(fault: Fault, received: ReceivedRequest, request: IncomingMessage, response: ServerResponse): void {
    switch (fault.kind) {
      case 'slow':
      case 'held': {
        const refused = this.refused(received);
        const goOn = () => this.send(response, refused ?? this.executed(received));
        if (fault.kind === 'held') {
          void fault.until.then(goOn);
          return;
        }
        const timer = setTimeout(goOn, fault.milliseconds);
        // Whoever reads doesn't wait any more; a change is executed all the same.
        if (received.method !== 'POST') response.on('close', () => clearTimeout(timer));
        return;
      }
      case 'half': {
        const answer = this.answer(received);
        const text = JSON.stringify(this.adorned(answer.body));
        response.writeHead(answer.status, { ...this.headersOf(answer), 'content-length': String(Buffer.byteLength(text)) });
        response.write(text.slice(0, text.length / 2), () => request.socket.destroy());
        return;
      }
      case 'status': {
        const { status, headers, executed = false, stored = false } = fault;
        const answer: Answer = {
          status,
          body: fault.body ?? { error: { type: 'api_error', message: 'made to fail' } },
          ...(headers === undefined ? {} : { headers: headers as Record<string, string> }),
        };
        const refused = executed || stored ? this.refused(received) : null;
        if (refused === null && executed) this.executed(received);
        if (refused === null && stored) this.keys.finish(keyOf(received), answer);
        this.send(response, refused ?? answer);
        return;
      }
    }
    if (fault.executed === true) this.answer(received);
    switch (fault.kind) {
      case 'text':
        response.writeHead(fault.status, { 'content-type': 'text/html' });
        response.end(fault.text);
        return;
      case 'stall':
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
        response.write('{"object":"list",');
        return;
      case 'close':
        request.socket.destroy();
        return;
      case 'hang':
        return;
    }
  }
}

const keyOf = ({ method, headers }: ReceivedRequest): string | null => {
  const key = headers['idempotency-key'];
  return method === 'POST' && typeof key === 'string' ? key : null;
};

const fingerprintOf = ({ method, path, body }: ReceivedRequest): string => JSON.stringify([method, path, body]);

/** A card of Stripe's published test numbers, as a payment method shows it. */
export const cardOf = (fields: Fields = {}): Fields => ({
  brand: 'visa',
  checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
  country: 'US',
  display_brand: 'visa',
  exp_month: 8,
  exp_year: 2030,
  fingerprint: `AOB934RVNwzk${fields.last4 ?? '4242'}`,
  funding: 'credit',
  last4: '4242',
  three_d_secure_usage: { supported: true },
  wallet: null,
  ...fields,
});

const only = (query: ReceivedRequest['query'], name: string, held: unknown): boolean =>
  query[name] === undefined || query[name][0] === held;

const ofCustomer = (query: ReceivedRequest['query'], each: StripeObject): boolean => only(query, 'customer', each.customer);

const within = (query: ReceivedRequest['query'], { created }: StripeObject): boolean =>
  created >= Number(query['created[gte]']?.[0] ?? 0) && created < Number(query['created[lt]']?.[0] ?? Number.POSITIVE_INFINITY);

/** The sources of a gateway with the helpdesk `demo` and a Stripe-shaped server as `stripe`. */
export const besideDemo = (stripe: StripeShapedServer, resilience: Readonly<Record<string, number>>) => ({
  helpdesk: [{ kind: 'demo' as const, name: 'demo' }],
  payments: [
    {
      kind: 'stripe' as const,
      name: 'stripe',
      apiKey: stripe.apiKey,
      url: `http://127.0.0.1:${stripe.port}`,
      webhookSecret: 'whsec_unused',
      resilience,
    },
  ],
});
