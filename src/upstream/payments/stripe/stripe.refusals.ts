import type { ProviderRefusal, ProviderStep } from '../payments.port';
import type { Refusal } from './stripe.faults';

/** Codes by what they say about the account or the key, https://docs.stripe.com/error-codes. */
const notPermitted = new Set([
  'account_closed',
  'livemode_mismatch',
  'not_allowed_on_standard_account',
  'platform_account_required',
  'secret_key_required',
  'testmode_charges_only',
]);

const expired = new Set(['expired_card', 'expired_payment_method', 'invalid_expiry_month', 'invalid_expiry_year']);

const ofAddress = new Set([
  'country_code_invalid',
  'country_unsupported',
  'incorrect_address',
  'incorrect_postal_code',
  'incorrect_zip',
  'payment_method_billing_details_address_missing',
  'postal_code_invalid',
  'state_unsupported',
]);

/** The step's own object is named by the path. */
const missing = ({ action }: ProviderStep, param: string | null): ProviderRefusal => {
  if (param?.includes('default_payment_method')) return 'METHOD_GONE';
  if (param === 'customer') return 'CUSTOMER_GONE';
  if (action === 'SET_DEFAULT') return 'CUSTOMER_GONE';
  return action === 'SET_SUBSCRIPTION_DEFAULT' ? 'REFUSED' : 'METHOD_GONE';
};

/**
 * Why Stripe refused a step. `PERHAPS_DONE`: it refuses to attach what is attached and to detach what is detached, and has no
 * code that tells it from other refusals.
 */
export const refusalOf = (
  step: ProviderStep,
  { status, code, declineCode, param }: Refusal,
): ProviderRefusal | 'PERHAPS_DONE' => {
  if (code === 'resource_missing') return missing(step, param);
  if (step.action === 'SET_ADDRESS' && (ofAddress.has(code ?? '') || param?.startsWith('billing_details')))
    return 'ADDRESS_REFUSED';
  if (expired.has(code ?? '') || declineCode === 'expired_card') return 'CARD_EXPIRED';
  if (status === 402 || declineCode !== null || code === 'card_declined') return 'CARD_DECLINED';
  if (notPermitted.has(code ?? '')) return 'NOT_PERMITTED';
  return step.action === 'ATTACH' || step.action === 'DETACH' ? 'PERHAPS_DONE' : 'REFUSED';
};

export const setupRefusalOf = ({ code, param }: Refusal): ProviderRefusal => {
  if (code === 'resource_missing' && param === 'customer') return 'CUSTOMER_GONE';
  return notPermitted.has(code ?? '') ? 'NOT_PERMITTED' : 'REFUSED';
};

/** What a hold is refused for: its customer, card and address are looked at before. */
export const holdRefusalOf = ({ code }: Refusal): ProviderRefusal => (notPermitted.has(code ?? '') ? 'NOT_PERMITTED' : 'REFUSED');
