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

export const riskBands = ['LOW', 'ELEVATED', 'HIGH', 'UNKNOWN'] as const;
export type RiskBand = (typeof riskBands)[number];

export interface AddressRecord {
  readonly line1: string | null;
  readonly line2: string | null;
  readonly city: string | null;
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
}

export interface PaymentMethodRecord {
  /** The provider's own token: sealed at rest, never in the graph. */
  readonly reference: string;
  readonly kind: PaymentMethodKind;
  readonly brand: string | null;
  /** Exactly four digits or null. */
  readonly last4: string | null;
  /** 1 to 12. */
  readonly expiryMonth: number | null;
  /** Four digits. */
  readonly expiryYear: number | null;
  readonly status: PaymentMethodStatus;
  readonly isDefault: boolean;
  readonly billingAddress: AddressRecord | null;
  readonly createdAt: Date;
}

export interface DisputeRecord {
  readonly status: string;
  readonly reason: string | null;
  readonly openedAt: Date;
}

export interface TransactionRecord {
  readonly reference: string;
  /** Reference of the method it was attempted with. */
  readonly paymentMethodReference: string | null;
  /** What was bought, where the provider's metadata names it. */
  readonly orderReference: string | null;
  readonly orderDescription: string | null;
  /** Integer minor units of `currency`; a safe integer. */
  readonly amount: number;
  /** ISO 4217, upper case. */
  readonly currency: string;
  readonly status: TransactionStatus;
  readonly declineCode: string | null;
  /** The provider's advice, such as `do_not_try_again`. */
  readonly declineAdvice: string | null;
  /** Whatever identifies the device at the provider; only its keyed digest is stored. */
  readonly deviceFingerprint: string | null;
  /** ISO 3166-1 alpha-2 country of the attempt, from its IP address or card. */
  readonly country: string | null;
  readonly riskBand: RiskBand;
  /** 0 to 100, null when the provider gives none. */
  readonly riskScore: number | null;
  readonly riskSignals: readonly string[];
  readonly dispute: DisputeRecord | null;
  readonly createdAt: Date;
}

/** All that the read model keeps of one payment customer. `asOf` is taken before the first request for it was sent: a lower one never overwrites a higher one. */
export interface PaymentCustomerSnapshot {
  readonly customer: PaymentCustomerRecord;
  readonly methods: readonly PaymentMethodRecord[];
  readonly transactions: readonly TransactionRecord[];
  readonly asOf: Date;
}

export interface PaymentChanges {
  /** References of payment customers about which something changed. */
  readonly customers: readonly string[];
  readonly cursor: string;
  readonly complete: boolean;
  readonly asOf: Date;
}

export interface PaymentCustomerSearch {
  /** `(helpdesk source, reference)` of the helpdesk customer, as provider metadata would name it. */
  readonly helpdeskReference: string;
  /** Normalized: Unicode NFC, trimmed, lower case; dots and plus-tags stay. */
  readonly email: string | null;
}

export interface PaymentsConnector {
  readonly kind: string;
  /** Every candidate, by metadata and by e-mail; the caller decides about the link. Throws `SourceUnavailable`. */
  findCustomers(search: PaymentCustomerSearch): Promise<readonly PaymentCustomerRecord[]>;
  /** Null when the provider has no such customer (or has deleted it). Transactions created at or after `since`. */
  fetchCustomer(reference: string, since: Date): Promise<PaymentCustomerSnapshot | null>;
  /** Which customers changed since the cursor; null starts at now. */
  changes(cursor: string | null): AsyncIterable<PaymentChanges>;
  /** `hint.references` are payment customers' references. */
  judgeWebhook(request: WebhookRequest): WebhookJudgement;
  /** Whether webhooks of this type lead to a hint: one that was kept as `unknown` by an earlier version may be understood now. */
  understandsWebhook?(type: string): boolean;
  ping(): Promise<void>;
}
