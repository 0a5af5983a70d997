import { type FormFields, type FormValue, fieldNames } from './form-body';
import type { Answer } from './stripe-shaped-keys';
import type { StripeObject, StripeShapedServer } from './stripe-shaped-server';

/** A POST route: the parameters it knows, and what it does. */
export interface Change {
  readonly path: RegExp;
  /** Names with brackets, as `fieldNames` writes them. */
  readonly parameters: readonly string[];
  readonly execute: (server: StripeShapedServer, body: FormFields, id: string) => Answer;
}

export const ok = (body: unknown): Answer => ({ status: 200, body });

export const failure = (status: number, type: string, code: string | null, message: string, param?: string): Answer => ({
  status,
  body: { error: { type, ...(code === null ? {} : { code }), message, ...(param === undefined ? {} : { param }) } },
});

export const missing = (object: string, id: string | undefined, param = 'id', status = 404): Answer =>
  failure(status, 'invalid_request_error', 'resource_missing', `No such ${object}: '${id ?? ''}'`, param);

/** Refused before it was executed. */
const invalid = (code: string | null, message: string, param?: string): Answer => ({
  ...failure(400, 'invalid_request_error', code, message, param),
  isUnexecuted: true,
});

const refused = (message: string, param?: string): Answer => failure(400, 'invalid_request_error', null, message, param);

export const unknownParameter = (change: Change, body: FormFields): Answer | null => {
  const name = fieldNames(body).find((each) => !change.parameters.includes(each));
  return name === undefined ? null : invalid('parameter_unknown', `Received unknown parameter: ${name}`, name);
};

/** The text at a path of names; undefined where it wasn't sent. */
const sent = (body: FormFields, ...names: readonly string[]): string | undefined => {
  let value: FormValue | undefined = body;
  for (const name of names)
    value = typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, FormValue>)[name] : undefined;
  return typeof value === 'string' ? value : undefined;
};

const found = (server: StripeShapedServer, object: string, id: string): StripeObject | null => {
  const each = server.find(id);
  return each?.object === object && each.deleted !== true ? each : null;
};

/** Null where the method may be the customer's default; an empty text unsets it. */
const refusedDefault = (server: StripeShapedServer, method: string, customer: unknown, param: string): Answer | null => {
  if (method === '') return null;
  const held = found(server, 'payment_method', method);
  if (held === null) return missing('PaymentMethod', method, param, 400);
  return held.customer === customer
    ? null
    : failure(
        400,
        'invalid_request_error',
        'resource_missing',
        `The customer does not have a payment method with the ID ${method}. The payment method must be attached to the customer.`,
        param,
      );
};

const attach: Change = {
  path: /^\/v1\/payment_methods\/([^/]+)\/attach$/,
  parameters: ['customer'],
  execute: (server, body, id) => {
    const customer = sent(body, 'customer');
    if (customer === undefined) return invalid('parameter_missing', 'Missing required param: customer.', 'customer');
    const method = found(server, 'payment_method', id);
    if (method === null) return missing('PaymentMethod', id, 'payment_method');
    if (found(server, 'customer', customer) === null) return missing('customer', customer, 'customer', 400);
    if (method.customer !== null) return refused('The payment method you provided has already been attached to a customer.');
    if (server.wasDetached(id))
      return refused('This PaymentMethod was detached from a Customer. It may not be used again.', 'payment_method');
    return ok(server.reattachPaymentMethod(id, customer));
  },
};

const detach: Change = {
  path: /^\/v1\/payment_methods\/([^/]+)\/detach$/,
  parameters: [],
  execute: (server, _body, id) => {
    const method = found(server, 'payment_method', id);
    if (method === null) return missing('PaymentMethod', id, 'payment_method');
    if (method.customer === null)
      return refused('The payment method you provided is not attached to a customer so detachment is impossible.');
    return ok(server.detachPaymentMethod(id));
  },
};

const addressParts = ['line1', 'line2', 'city', 'state', 'postal_code', 'country'] as const;

const updateMethod: Change = {
  path: /^\/v1\/payment_methods\/([^/]+)$/,
  parameters: addressParts.map((part) => `billing_details[address][${part}]`),
  execute: (server, body, id) => {
    const method = found(server, 'payment_method', id);
    if (method === null) return missing('PaymentMethod', id, 'payment_method');
    const country = sent(body, 'billing_details', 'address', 'country') ?? '';
    if (!/^([A-Za-z]{2})?$/.test(country))
      return invalid(null, 'Country is unknown. Try a 2-character country code.', 'billing_details[address][country]');
    const details = method.billing_details as { readonly address: object | null };
    const parts = addressParts.flatMap((part): [string, string | null][] => {
      const value = sent(body, 'billing_details', 'address', part)?.trim();
      return value === undefined ? [] : [[part, value === '' ? null : value]];
    });
    return ok(
      server.updatePaymentMethod(id, {
        billing_details: { ...details, address: { ...details.address, ...Object.fromEntries(parts) } },
      }),
    );
  },
};

const updateCustomer: Change = {
  path: /^\/v1\/customers\/([^/]+)$/,
  parameters: ['invoice_settings[default_payment_method]'],
  execute: (server, body, id) => {
    const customer = found(server, 'customer', id);
    if (customer === null) return missing('customer', id);
    const method = sent(body, 'invoice_settings', 'default_payment_method');
    if (method === undefined) return ok(customer);
    const no = refusedDefault(server, method, id, 'invoice_settings[default_payment_method]');
    const settings = { ...(customer.invoice_settings as object), default_payment_method: method === '' ? null : method };
    return no ?? ok(server.updateCustomer(id, { invoice_settings: settings }));
  },
};

const pauseBehaviors = new Set(['keep_as_draft', 'mark_uncollectible', 'void']);

/** What a pause becomes; undefined where nothing was sent about it. */
const pauseOf = (server: StripeShapedServer, body: FormFields): object | null | undefined | Answer => {
  if (sent(body, 'pause_collection') === '') return null;
  const behavior = sent(body, 'pause_collection', 'behavior');
  if (behavior === undefined) return undefined;
  const resumes = sent(body, 'pause_collection', 'resumes_at');
  if (!pauseBehaviors.has(behavior)) return invalid(null, 'Invalid pause_collection[behavior].', 'pause_collection[behavior]');
  if (resumes !== undefined && Number(resumes) <= server.now)
    return invalid(null, 'The resumes_at timestamp must be in the future.', 'pause_collection[resumes_at]');
  return { behavior, resumes_at: resumes === undefined ? null : Number(resumes) };
};

const updateSubscription: Change = {
  path: /^\/v1\/subscriptions\/([^/]+)$/,
  parameters: [
    'default_payment_method',
    'pause_collection',
    'pause_collection[behavior]',
    'pause_collection[resumes_at]',
    'metadata[counterfoil_paused_until]',
  ],
  execute: (server, body, id) => {
    const subscription = found(server, 'subscription', id);
    if (subscription === null || subscription.status === 'canceled') return missing('subscription', id);
    const method = sent(body, 'default_payment_method');
    const no = refusedDefault(server, method ?? '', subscription.customer, 'default_payment_method');
    if (no !== null) return no;
    const pause = pauseOf(server, body);
    if (pause && 'status' in pause) return pause;
    const given = Object.entries((body.metadata ?? {}) as Readonly<Record<string, string>>);
    const kept = { ...(subscription.metadata as object), ...Object.fromEntries(given) };
    return ok(
      server.updateSubscription(id, {
        ...(method === undefined ? {} : { default_payment_method: method === '' ? null : method }),
        ...(pause === undefined ? {} : { pause_collection: pause }),
        ...(given.length === 0 ? {} : { metadata: Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== '')) }),
      }),
    );
  },
};

const createValueList: Change = {
  path: /^\/v1\/radar\/value_lists$/,
  parameters: ['alias', 'name', 'item_type'],
  execute: (server, body) => {
    const alias = sent(body, 'alias') ?? '';
    if (server.valueListCalled(alias) !== null) return refused(`A value list with the alias ${alias} already exists.`, 'alias');
    return ok(
      server.createValueList(alias, sent(body, 'item_type') ?? 'string', { name: sent(body, 'name'), created_by: 'API' }),
    );
  },
};

const createValueListItem: Change = {
  path: /^\/v1\/radar\/value_list_items$/,
  parameters: ['value', 'value_list'],
  execute: (server, body) => {
    const list = sent(body, 'value_list') ?? '';
    const value = sent(body, 'value') ?? '';
    if (found(server, 'radar.value_list', list) === null) return missing('value list', list, 'value_list', 400);
    if (server.valueListItems(list).some((each) => each.value === value))
      return refused('This value already exists in the list.', 'value');
    return ok(server.addValueListItem(list, value, 'API'));
  },
};

const createSession: Change = {
  path: /^\/v1\/checkout\/sessions$/,
  parameters: [
    'mode',
    'customer',
    'currency',
    'allowed_payment_method_types[]',
    'payment_method_options[card][request_three_d_secure]',
    'wallet_options[link][display]',
    'success_url',
    'cancel_url',
    'expires_at',
    'metadata[made_by]',
  ],
  execute: (server, body) => {
    if (sent(body, 'mode') !== 'setup') return invalid(null, 'Only setup mode is known here.', 'mode');
    if (sent(body, 'success_url') === undefined)
      return invalid('parameter_missing', 'Missing required param: success_url.', 'success_url');
    if (body.allowed_payment_method_types === undefined && body.currency === undefined)
      return invalid('parameter_missing', 'You must provide `currency` or `allowed_payment_method_types`.', 'currency');
    const expiry = sent(body, 'expires_at');
    const expiresAt = expiry === undefined ? server.now + 86_400 : Number(expiry);
    const isTooFar = !Number.isInteger(expiresAt) || expiresAt < server.now + 1_800 || expiresAt > server.now + 86_400;
    if (isTooFar)
      return invalid(null, 'The `expires_at` timestamp must be between 30 minutes and 24 hours from creation.', 'expires_at');
    const customer = sent(body, 'customer') ?? '';
    if (found(server, 'customer', customer) === null) return missing('customer', customer, 'customer', 400);
    const threeDSecure = sent(body, 'payment_method_options', 'card', 'request_three_d_secure') ?? 'automatic';
    return ok(
      server.createSession({
        customer,
        expires_at: expiresAt,
        success_url: sent(body, 'success_url'),
        cancel_url: sent(body, 'cancel_url') ?? null,
        metadata: body.metadata ?? {},
        payment_method_options: { card: { request_three_d_secure: threeDSecure } },
      }),
    );
  },
};

export const changes: readonly Change[] = [
  attach,
  detach,
  updateMethod,
  updateCustomer,
  updateSubscription,
  createSession,
  createValueList,
  createValueListItem,
];
