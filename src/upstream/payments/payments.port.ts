import type { WebhookJudgement, WebhookRequest } from '../helpdesk/helpdesk.port';

/**
 * The payment provider as the gateway needs it: the projection of our read model and not one field more.
 * No card number, no CVC, no client secret, no raw provider object passes this port.
 */
export const paymentMethodKinds = ['CARD', 'WALLET', 'BANK_DEBIT', 'OTHER'] as const;
export type PaymentMethodKind = (typeof paymentMethodKinds)[number];

export const paymentMethodStatuses = ['ACTIVE', 'EXPIRING', 'EXPIRED', 'REMOVED'] as const;
export type PaymentMethodStatus = (typeof paymentMethodStatuses)[number];

export const transactionStatuses = [
  'PENDING',
  'REQUIRES_ACTION',
  'AUTHORIZED',
  'CAPTURED',
  'DECLINED',
  'CANCELLED',
  'REFUNDED',
  'PARTIALLY_REFUNDED',
  'DISPUTED',
] as const;
export type TransactionStatus = (typeof transactionStatuses)[number];

export const refundStates = ['PENDING', 'REQUIRES_ACTION', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const;
export type RefundState = (typeof refundStates)[number];

export const riskBands = ['LOW', 'ELEVATED', 'HIGH', 'UNKNOWN'] as const;
export type RiskBand = (typeof riskBands)[number];

export interface AddressRecord {
  readonly line1: string | null;
  readonly line2: string | null;
  readonly city: string | null;
  /** State, province, prefecture: a code where the country has some. Absent in what was stored before addresses had one: then it isn't known, and stays as it is. */
  readonly state?: string | null | undefined;
  readonly postalCode: string | null;
  /** ISO 3166-1 alpha-2, upper case. */
  readonly country: string | null;
}

export interface PaymentCustomerRecord {
  readonly reference: string;
  readonly email: string | null;
  readonly displayName: string | null;
  readonly phone: string | null;
  /** The helpdesk customer that the provider's metadata names, null when it names none. Proves a VERIFIED link. */
  readonly helpdeskReference: string | null;
  readonly createdAt: Date;
  /** When the provider says that the address or the number was last changed; null or absent where it doesn't say. */
  readonly emailChangedAt?: Date | null;
  readonly phoneChangedAt?: Date | null;
}

export interface PaymentMethodRecord {
  /** The provider's own token: sealed at rest, never in the graph. */
  readonly reference: string;
  readonly kind: PaymentMethodKind;
  /** One vocabulary: `amex`, `diners`, `unionpay`, never a provider's second name for it. A bank's name, or the kind of method, where there is no brand. */
  readonly brand: string | null;
  /** Four digits of a card; of an account the last four characters, which may be capital letters (IBAN, ISO 13616). */
  readonly last4: string | null;
  /** 1 to 12. */
  readonly expiryMonth: number | null;
  /** Four digits. */
  readonly expiryYear: number | null;
  /** ISO 3166-1 alpha-2, upper case: of the card's issuer, or where the account or the payer is; null or absent where the provider doesn't tell. */
  readonly country?: string | null | undefined;
  /** Equal for one card or account that is saved several times; compared, and never stored. Null or absent where the provider doesn't tell. */
  readonly fingerprint?: string | null | undefined;
  readonly status: PaymentMethodStatus;
  readonly isDefault: boolean;
  readonly billingAddress: AddressRecord | null;
  readonly createdAt: Date;
}

export interface DisputeRecord {
  readonly status: string;
  readonly reason: string | null;
  readonly openedAt: Date;
  /** Until when the merchant can still answer it; null or absent where there is nothing to answer, or the provider doesn't tell. */
  readonly respondBy?: Date | null;
}

/** Money that went back, or was to go back. What was authorized and never captured is no refund, whatever a provider books it as. */
export interface RefundRecord {
  /** Integer minor units of the transaction's currency. */
  readonly amount: number;
  /** Only `SUCCEEDED` has moved money. */
  readonly state: RefundState;
  /** The provider's word, such as `requested_by_customer`. */
  readonly reason: string | null;
  readonly createdAt: Date;
}

/** What the customer saw where the provider converted it. */
export interface PresentmentRecord {
  /** Integer minor units of `currency`. */
  readonly amount: number;
  /** ISO 4217, upper case. */
  readonly currency: string;
}

export interface TransactionRecord {
  readonly reference: string;
  /** Reference of the method it was attempted with. */
  readonly paymentMethodReference: string | null;
  /** What was bought, where the provider's metadata names it. */
  readonly orderReference: string | null;
  readonly orderDescription: string | null;
  /** `amount` and the parts of it are safe integers of minor units of `currency`; `settle` derives them and the status. */
  readonly amount: number;
  readonly authorized: number;
  readonly captured: number;
  readonly refunded: number;
  readonly open: number;
  /** ISO 4217, upper case. */
  readonly currency: string;
  /** Null where the provider doesn't tell, or the customer saw `currency`. */
  readonly presentment: PresentmentRecord | null;
  readonly status: TransactionStatus;
  /** Newest first. */
  readonly refunds: readonly RefundRecord[];
  readonly declineCode: string | null;
  /** The provider's advice, such as `do_not_try_again`. */
  readonly declineAdvice: string | null;
  /** Whatever identifies the device at the provider; only its keyed digest is stored. */
  readonly deviceFingerprint: string | null;
  /** ISO 3166-1 alpha-2 country that the attempt was made from, null where the provider doesn't tell. The issuer's is the method's. */
  readonly country: string | null;
  readonly riskBand: RiskBand;
  /** 0 to 100, null when the provider gives none. */
  readonly riskScore: number | null;
  readonly riskSignals: readonly string[];
  readonly dispute: DisputeRecord | null;
  /** When the provider opened a review that is still open; null or absent where there is none, or it doesn't tell when. */
  readonly reviewedSince?: Date | null;
  /** When the card's network or issuer first warned of fraud; null or absent where nobody did, or it wasn't asked. */
  readonly warnedAt?: Date | null;
  readonly createdAt: Date;
}

/** All that the read model keeps of one payment customer: of each list at most a thousand, the newest. `asOf` is taken before the first request for it was sent: a lower one never overwrites a higher one. */
export interface PaymentCustomerSnapshot {
  readonly customer: PaymentCustomerRecord;
  readonly methods: readonly PaymentMethodRecord[];
  readonly transactions: readonly TransactionRecord[];
  /** Read by reference beside what `since` gives, because something changed about them. */
  readonly besides?: readonly TransactionRecord[];
  readonly asOf: Date;
}

/** Some of what a source showed before, newest first. */
export interface KnownObjects {
  /** References of payment customers that weren't gone. */
  readonly customers: readonly string[];
  /** References of transactions. */
  readonly transactions: readonly string[];
}

/** A transaction that something is said to have happened to, and whose it is. */
export interface NamedTransaction {
  readonly customer: string;
  readonly reference: string;
  /** When the card's network or issuer warned of fraud, where it is that; what is read of the transaction itself need not tell. */
  readonly warnedAt?: Date | undefined;
}

export interface PaymentChanges {
  /** References of payment customers about which something changed. */
  readonly customers: readonly string[];
  /** Transactions of these customers about which something changed, where the provider tells: some may be too old for `since`. */
  readonly transactions?: readonly NamedTransaction[];
  readonly cursor: string;
  readonly complete: boolean;
  readonly asOf: Date;
}

export interface PaymentCustomerSearch {
  /** `(helpdesk source, reference)` of the helpdesk customer, as provider metadata would name it. */
  readonly helpdeskReference: string;
  /** Normalized (`normalizeEmail`). A source that compares bytes is asked for each of `formsOfEmail`. */
  readonly email: string | null;
}

/** Why a provider refused to do something, in our words: what it would say again tomorrow. */
export const providerRefusals = [
  'CARD_DECLINED',
  'CARD_EXPIRED',
  'METHOD_GONE',
  'CUSTOMER_GONE',
  'METHOD_IN_USE',
  'ADDRESS_REFUSED',
  'NOT_PERMITTED',
  'REFUSED',
] as const;
export type ProviderRefusal = (typeof providerRefusals)[number];

/** One call to the provider that changes something. References are the provider's own; a step says what shall hold afterwards, so it can be asked whether it does. */
export type ProviderStep =
  | { readonly action: 'ATTACH'; readonly customer: string; readonly method: string }
  | { readonly action: 'SET_DEFAULT'; readonly customer: string; readonly method: string | null }
  | {
      readonly action: 'SET_SUBSCRIPTION_DEFAULT';
      readonly customer: string;
      readonly subscription: string;
      readonly method: string | null;
    }
  | { readonly action: 'SET_ADDRESS'; readonly customer: string; readonly method: string; readonly address: AddressRecord }
  | { readonly action: 'DETACH'; readonly customer: string; readonly method: string };
export type ProviderStepAction = ProviderStep['action'];

/**
 * What became of a call. `lost`: it was sent and nobody knows whether it was done; `keySpent` where the provider answered
 * with a fault that it would repeat for the same idempotency key (Stripe: a stored 500), so that a second try needs a new one.
 */
export type StepOutcome =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'refused'; readonly why: ProviderRefusal }
  | { readonly outcome: 'lost'; readonly keySpent: boolean };

/** A payment method with what hangs on it at the provider, read now and not from a cache. */
export interface MethodState {
  readonly method: PaymentMethodRecord;
  /** Reference of the customer's default method. */
  readonly defaultMethod: string | null;
  /** The customer's subscriptions that will still charge, with the method of their own where they have one. */
  readonly subscriptions: readonly { readonly reference: string; readonly method: string | null }[];
}

export interface SetupRequest {
  readonly customer: string;
  /** The same key returns the same page, never a second one. */
  readonly idempotencyKey: string;
  /** Where the provider sends the customer's browser afterwards, and when they turn back. Holds nothing that is worth stealing. */
  readonly returnUrl: string;
  readonly cancelUrl: string;
  readonly expiresAt: Date;
  /** Ask the card's issuer to authenticate the customer (3-D Secure) wherever the card can. */
  readonly threeDSecure: boolean;
}

/** The provider's hosted page on which a customer enters a new card. */
export interface Setup {
  readonly reference: string;
  readonly url: string;
}

export interface SetupReport {
  readonly status: 'OPEN' | 'COMPLETE' | 'EXPIRED';
  /** The card that was entered; null until the setup is complete. */
  readonly method: PaymentMethodRecord | null;
  /** The card's issuer authenticated the customer. */
  readonly authenticated: boolean;
}

/** The provider said no; asking again changes nothing. Holds nothing of what was sent or received. */
export class ProviderRefused extends Error {
  constructor(
    readonly source: string,
    readonly why: ProviderRefusal,
  ) {
    super(`source ${source} refused: ${why}`);
    this.name = 'ProviderRefused';
  }
}

/** Changing payment methods at the provider. Nothing in here tries a call that changes something twice: whoever calls decides that. */
export interface CredentialChanges {
  /** Null when the customer has no such method (any more). Throws `SourceUnavailable`. */
  readMethod(customer: string, method: string): Promise<MethodState | null>;
  /**
   * Makes one call, at most once. Throws `SourceUnavailable` only where the call certainly had no effect (not connected,
   * circuit open, refused for its rate, the key not let in); whatever may have had one is `lost`.
   */
  perform(step: ProviderStep, idempotencyKey: string): Promise<StepOutcome>;
  /** Whether what the step is to bring about holds at the provider now. Throws `SourceUnavailable`. */
  holds(step: ProviderStep): Promise<boolean>;
  /** Throws `ProviderRefused` and `SourceUnavailable`; after the latter the same key may be used again. */
  openSetup(request: SetupRequest): Promise<Setup>;
  /** Throws `SourceUnavailable`; `ProviderRefused` when there is no such setup. */
  readSetup(reference: string): Promise<SetupReport>;
}

export const holdLists = ['BLOCK', 'REVIEW', 'STEP_UP'] as const;
/** Lists of the provider that the merchant's own rules name: what stands in one is blocked, reviewed or authenticated at its next payment. */
export type HoldList = (typeof holdLists)[number];

/**
 * One thing that a hold does at the provider, or takes back. References are the provider's own; a step says what shall hold
 * afterwards, so it can be asked whether it does.
 *
 * `value` of a list is the customer's reference, the card's (its method's: the connector finds what stands for its number) or the
 * e-mail address.
 */
export type HoldStep =
  /** Nothing is collected for the subscription until then, when the provider goes on by itself. A later `until` takes the place of our own earlier one. */
  | { readonly action: 'PAUSE_RENEWAL'; readonly customer: string; readonly subscription: string; readonly until: Date }
  /** Ends only our own pause with this very end, whole seconds; any other stays. */
  | { readonly action: 'RESUME_RENEWAL'; readonly customer: string; readonly subscription: string; readonly until: Date }
  | {
      readonly action: 'LIST';
      readonly list: HoldList;
      readonly of: 'CUSTOMER' | 'CARD' | 'EMAIL';
      readonly value: string;
    }
  /** Removes only what a `LIST` of ours added; what the merchant put there stays. */
  | {
      readonly action: 'UNLIST';
      readonly list: HoldList;
      readonly of: 'CUSTOMER' | 'CARD' | 'EMAIL';
      readonly value: string;
    };

/** How a payment stands at the provider, read now. */
export interface PaymentStanding {
  readonly status: TransactionStatus;
  /** The merchant captures it, or leaves it be: only then can it wait. */
  readonly isManualCapture: boolean;
  /** Until when an authorized payment can be captured; null where the provider doesn't tell. */
  readonly captureBefore: Date | null;
}

export interface RenewalStanding {
  readonly subscription: string;
  /** Paused by anybody. */
  readonly isPaused: boolean;
  /** When it charges next; null where it doesn't, or the provider doesn't tell. */
  readonly renewsAt: Date | null;
}

/**
 * Making payments wait at the provider. Nothing in here cancels, captures or refunds, or tries a call that changes something twice:
 * whoever calls decides that.
 */
export interface HoldChanges {
  /** Null where it isn't that customer's (any more). Live, not from a cache. Throws `SourceUnavailable`. */
  readPayment(customer: string, transaction: string): Promise<PaymentStanding | null>;
  /** The customer's subscriptions that will still charge. Throws `SourceUnavailable`. */
  readRenewals(customer: string): Promise<readonly RenewalStanding[]>;
  /** By configuration; what isn't in here can't be asked of future payments. */
  readonly lists: ReadonlySet<HoldList>;
  /** Makes one change, at most once; `SourceUnavailable` and `lost` as for `CredentialChanges.perform`. */
  perform(step: HoldStep, idempotencyKey: string): Promise<StepOutcome>;
  /** Whether what the step is to bring about holds at the provider now. Throws `SourceUnavailable`. */
  holds(step: HoldStep): Promise<boolean>;
}

/** What the provider says of the customer's authentication by the card's issuer (3-D Secure, EMVCo). */
export interface AuthenticationReport {
  /** One authentication has one, whatever it was asked by: a payment and its charge tell of the same. */
  readonly id: string;
  /** Whose payment or setup it was; null where it was nobody's. */
  readonly customer: string | null;
  /** When it was attempted; where the provider doesn't tell, an instant that it can't have been before. */
  readonly at: Date;
  /** Whether the issuer heard from the customer (CHALLENGE) or judged without; null where it wasn't authenticated, or isn't told. */
  readonly flow: 'CHALLENGE' | 'FRICTIONLESS' | null;
  /** ATTEMPTED: the issuer didn't take part. NONE: nobody was asked, or what came of it isn't known. */
  readonly result: 'AUTHENTICATED' | 'ATTEMPTED' | 'FAILED' | 'NONE';
  /** The customer wasn't there. */
  readonly isOffSession: boolean;
  /** Paid with a wallet, whose own authentication is another one. */
  readonly isWallet: boolean;
  /** As `TransactionRecord.deviceFingerprint`. */
  readonly deviceFingerprint: string | null;
}

export interface PaymentsConnector {
  readonly kind: string;
  /** The same provider under the same limits, whose requests give way to those that people wait for. Absent where nothing is limited. */
  inBackground?(): PaymentsConnector;
  /** Absent where this provider's methods can only be read. */
  readonly credentials?: CredentialChanges;
  /** Absent where nothing can be made to wait at this provider. */
  readonly holds?: HoldChanges;
  /**
   * Of a payment, or of a setup of a method, by the provider's reference; null where there is none. Throws `SourceUnavailable`.
   * Absent where this provider doesn't tell.
   */
  readAuthentication?(reference: string): Promise<AuthenticationReport | null>;
  /** Every candidate, by metadata and by e-mail; the caller decides about the link. Throws `SourceUnavailable`. */
  findCustomers(search: PaymentCustomerSearch): Promise<readonly PaymentCustomerRecord[]>;
  /**
   * Throws `SourceUnavailable`, `unauthorized`, where what this source showed before isn't there: a key of another account says of
   * everybody that they don't exist. Absent where that can't happen.
   */
  confirmAccount?(): Promise<void>;
  /**
   * Null when the provider has no such customer (or has deleted it), said to a key that sees the account. Transactions created at
   * or after `since`.
   */
  fetchCustomer(reference: string, since: Date): Promise<PaymentCustomerSnapshot | null>;
  /**
   * Transactions of one customer by their references, however old; those that aren't that customer's, or don't exist, are left out.
   * Throws `SourceUnavailable`. Absent where what is older than `since` can't be read.
   */
  fetchTransactions?(customer: string, references: readonly string[]): Promise<readonly TransactionRecord[]>;
  /** Which customers changed since the cursor; null starts at now. */
  changes(cursor: string | null): AsyncIterable<PaymentChanges>;
  /** `hint.references` are payment customers' references. */
  judgeWebhook(request: WebhookRequest): WebhookJudgement;
  /** Whether webhooks of this type lead to a hint: one that was kept as `unknown` by an earlier version may be understood now. */
  understandsWebhook?(type: string): boolean;
  ping(): Promise<void>;
}
