import { z } from 'zod';
import type { AuthenticationReport } from '../payments.port';
import type { StripeAccount } from './stripe.account';
import type { StripeCalls } from './stripe.calls';
import { paymentMethodDetails } from './stripe.instruments';
import { instant, metadata, orNull, reference as referenceSchema, referenceTo, threeDSecureSchema, word } from './stripe.shapes';
import {
  chargeSchema,
  fromMetadata,
  paymentIntentSchema,
  type StripeCharge,
  type StripePaymentIntent,
  type TransactionNaming,
} from './stripe.transactions';

export interface StripeAuthenticationOptions {
  readonly calls: StripeCalls;
  readonly account: StripeAccount;
  readonly naming: TransactionNaming;
}

/** A SetupIntent with its latest attempt expanded. */
const setupIntentSchema = z.object({
  id: referenceSchema,
  created: instant,
  customer: orNull(referenceTo),
  last_setup_error: orNull(z.object({ code: orNull(word) })),
  latest_attempt: orNull(
    z.object({
      created: instant,
      payment_method_details: paymentMethodDetails({ card: orNull(z.object({ three_d_secure: threeDSecureSchema })) }),
    }),
  ),
  metadata,
});

type ThreeDSecure = z.infer<typeof threeDSecureSchema>;

/** One entry for each result that Stripe documents and that says something; what isn't here, or isn't known, proves nothing. */
const results: ReadonlyMap<string, AuthenticationReport['result']> = new Map<string, AuthenticationReport['result']>([
  ['authenticated', 'AUTHENTICATED'],
  ['attempt_acknowledged', 'ATTEMPTED'],
  ['failed', 'FAILED'],
]);

const flows: ReadonlyMap<string, 'CHALLENGE' | 'FRICTIONLESS'> = new Map([
  ['challenge', 'CHALLENGE'],
  ['frictionless', 'FRICTIONLESS'],
] as const);

/** Codes of a payment or setup whose customer was asked and didn't pass; Stripe makes no charge then. */
const failedCodes = new Set(['payment_intent_authentication_failure', 'setup_intent_authentication_failure']);

/** The issuer wants to hear from a customer who isn't there. */
const absentCodes = new Set(['authentication_required', 'authentication_not_handled']);

const authentication = (told: ThreeDSecure): Pick<AuthenticationReport, 'flow' | 'result'> => ({
  flow: flows.get(told?.authentication_flow ?? '') ?? null,
  result: results.get(told?.result ?? '') ?? 'NONE',
});

const failed = { flow: null, result: 'FAILED' } as const;

/**
 * What Stripe says of 3-D Secure in payments (`pi_…`), charges (`ch_…`, `py_…`) and setups (`seti_…`). Needs *read* on
 * PaymentIntents, Charges and Setup Intents.
 *
 * Stripe keeps no word of whether the customer was there. A completed challenge has heard from them; that a payment was made
 * without is known only where the issuer declined it for that reason.
 */
export class StripeAuthentication {
  constructor(private readonly options: StripeAuthenticationOptions) {}

  async read(reference: string): Promise<AuthenticationReport | null> {
    if (!referenceSchema.safeParse(reference).success) return null;
    const found = await this.find(reference);
    if (found === null && kindOf(reference) !== null) await this.options.account.expectSeen(this.options.calls, reference);
    return found;
  }

  private async find(reference: string): Promise<AuthenticationReport | null> {
    const { calls, naming } = this.options;
    switch (kindOf(reference)) {
      case 'payment_intent': {
        const expand = ['latest_charge'];
        const intent = await calls.askMaybe(
          'payment_intent',
          (stripe) => stripe.paymentIntents.retrieve(reference, { expand }),
          paymentIntentSchema,
        );
        if (intent === null) return null;
        const latest = intent.latest_charge ?? null;
        const charge = typeof latest === 'string' ? await this.charge(latest) : latest;
        return ofIntent(intent, charge, naming);
      }
      case 'charge': {
        const charge = await this.charge(reference);
        return charge && ofCharge(charge, naming);
      }
      case 'setup_intent': {
        const expand = ['latest_attempt'];
        const intent = await calls.askMaybe(
          'setup_intent',
          (stripe) => stripe.setupIntents.retrieve(reference, { expand }),
          setupIntentSchema,
        );
        if (intent === null) return null;
        const { created, customer, last_setup_error: error, latest_attempt: attempt } = intent;
        const details = attempt?.payment_method_details ?? null;
        return {
          id: intent.id,
          customer,
          at: attempt?.created ?? created,
          ...(failedCodes.has(error?.code ?? '') ? failed : authentication(details?.card?.three_d_secure ?? null)),
          isOffSession: false,
          isWallet: details?.instrument?.kind === 'WALLET',
          deviceFingerprint: fromMetadata(intent.metadata, naming).deviceFingerprint,
        };
      }
      case null:
        return null;
    }
  }

  private charge(reference: string): Promise<StripeCharge | null> {
    return this.options.calls.askMaybe('charge', (stripe) => stripe.charges.retrieve(reference), chargeSchema);
  }
}

const kindOf = (reference: string): 'payment_intent' | 'charge' | 'setup_intent' | null => {
  if (reference.startsWith('pi_')) return 'payment_intent';
  if (reference.startsWith('seti_')) return 'setup_intent';
  return /^(?:ch|py)_/.test(reference) ? 'charge' : null;
};

const ofCharge = (charge: StripeCharge, naming: TransactionNaming): AuthenticationReport => {
  const details = charge.payment_method_details;
  return {
    id: charge.id,
    customer: charge.customer,
    at: charge.created,
    ...authentication(details?.card?.three_d_secure ?? null),
    isOffSession: absentCodes.has(charge.outcome?.reason ?? '') || absentCodes.has(charge.failure_code ?? ''),
    isWallet: details?.instrument?.kind === 'WALLET',
    deviceFingerprint: fromMetadata(charge.metadata, naming).deviceFingerprint,
  };
};

const ofIntent = (intent: StripePaymentIntent, charge: StripeCharge | null, naming: TransactionNaming): AuthenticationReport => {
  const error = intent.last_payment_error;
  const isAbsent = absentCodes.has(error?.code ?? '') || absentCodes.has(error?.decline_code ?? '');
  const of = charge && ofCharge(charge, naming);
  // What the payment says of its last attempt: an authentication that failed makes no charge, and the latest one is of an earlier attempt.
  const isFailed = failedCodes.has(error?.code ?? '');
  const told = of === null || isFailed ? { flow: null, result: isFailed ? ('FAILED' as const) : ('NONE' as const) } : of;
  return {
    id: of === null || isFailed ? intent.id : of.id,
    customer: intent.customer,
    at: of?.at ?? intent.created,
    flow: told.flow,
    result: told.result,
    isOffSession: isAbsent || (of?.isOffSession ?? false),
    isWallet: of?.isWallet ?? false,
    deviceFingerprint: fromMetadata(intent.metadata, naming).deviceFingerprint ?? of?.deviceFingerprint ?? null,
  };
};
