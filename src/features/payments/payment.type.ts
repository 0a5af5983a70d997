import { ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { LinkAssurance } from '../../authz/actor';
import { explainDecline } from '../../authz/policy/declines';
import { type Reached, reachedBy } from '../../db/reached';
import { connectionOf } from '../../graphql/connection';
import { Exposed } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { Listed } from '../../graphql/listed';
import { CurrencyCode, DateTime, SafeInt } from '../../graphql/scalars';
import type { Shown, ShownObject } from '../../graphql/shown';
import type { KnownContact } from '../../privacy/contacts-in-text';
import {
  paymentMethodKinds,
  paymentMethodStatuses,
  refundStates,
  riskBands,
  transactionStatuses,
} from '../../upstream/payments/payments.port';
import { type CustomerType, Freshness } from '../customers/customer.type';
import type { Keys } from '../keys/keys.service';
import { Address, type AddressFields } from './address.type';
import { Part } from './part';
import { mostRefunds, paymentMethods, type StoredRefund, transactions } from './payment.entity';
import type { PaymentMethodRow, TransactionRow } from './payments.rows';

export const PaymentMethodKind = enumOf(paymentMethodKinds);
export const PaymentMethodStatus = enumOf(paymentMethodStatuses);
export const TransactionStatus = enumOf(transactionStatuses);
export const RefundState = enumOf(refundStates);
export const RiskBand = enumOf(riskBands);
registerEnumType(PaymentMethodKind, { name: 'PaymentMethodKind' });
registerEnumType(PaymentMethodStatus, { name: 'PaymentMethodStatus' });
registerEnumType(TransactionStatus, { name: 'TransactionStatus' });
registerEnumType(RefundState, { name: 'RefundState', description: 'Only what has SUCCEEDED has moved money.' });
registerEnumType(RiskBand, { name: 'RiskBand' });

export enum TransactionOrder {
  CREATED_AT = 'CREATED_AT',
  AMOUNT = 'AMOUNT',
}
registerEnumType(TransactionOrder, { name: 'TransactionOrder', description: 'Descending.' });

/** Something of a customer's payment side: shown under the customer's link and an assistance. */
abstract class OfCustomer implements Shown {
  constructor(
    readonly customer: CustomerType,
    private readonly type: string,
    private readonly rowId: string,
  ) {}

  get shown(): ShownObject {
    const { ticketId, customer, underAssistance } = this.customer.shown;
    return { type: this.type, id: this.rowId, ticketId, customer, underAssistance };
  }

  get linkAssurance(): LinkAssurance {
    return this.customer.linkAssurance;
  }

  get knownContact(): KnownContact | undefined {
    return this.customer.knownContact;
  }
}

/** Integer minor units of an ISO 4217 currency. */
interface Sum {
  readonly amount: number;
  readonly currency: string;
}

@ObjectType({ simpleResolvers: true })
export class Money extends Part<Sum> {
  @Exposed('INTERNAL', () => SafeInt, {
    description: 'Integer minor units of the currency: cents for EUR, yen for JPY, fils for KWD.',
  })
  get minorUnits(): number {
    return this.row.amount;
  }

  @Exposed('INTERNAL', () => CurrencyCode)
  get currency(): string {
    return this.row.currency;
  }
}

@ObjectType({ simpleResolvers: true, description: 'What was bought, where known.' })
export class Order extends Part<TransactionRow> {
  constructor(
    whole: Shown,
    row: TransactionRow,
    private readonly keys: Keys,
  ) {
    super(whole, row);
  }

  @Exposed('PAYMENT', () => String, { holds: 'REFERENCE' })
  get reference(): string | null {
    return this.row.orderReference;
  }

  @Exposed('PAYMENT', () => String)
  get description(): string | null {
    return this.keys.open(transactions, this.row, 'orderDescription');
  }
}

@ObjectType({ simpleResolvers: true })
export class Device extends Part<TransactionRow> {
  @Exposed('PERSONAL', () => String, { description: 'Tells that two payments came from one device, and nothing else about it.' })
  get fingerprint(): string | null {
    return this.row.device;
  }
}

@ObjectType({ simpleResolvers: true })
export class Location extends Part<TransactionRow> {
  @Exposed('PERSONAL', () => String, {
    description: 'ISO 3166-1 alpha-2 country that the attempt was made from. The issuer’s is the payment method’s.',
  })
  get country(): string | null {
    return this.row.country;
  }
}

@ObjectType({ simpleResolvers: true })
export class Risk extends Part<TransactionRow> {
  @Exposed('PAYMENT', () => RiskBand)
  get band(): string {
    return this.row.riskBand;
  }

  @Exposed('PAYMENT', () => Int, { description: '0 to 100.' })
  get score(): number | null {
    return this.row.riskScore;
  }

  @Listed({ most: 50, parts: true })
  @Exposed('PAYMENT', () => [String])
  get signals(): readonly string[] {
    return this.row.riskSignals;
  }
}

@ObjectType({ simpleResolvers: true })
export class Dispute extends Part<TransactionRow> {
  @Exposed('PAYMENT', () => String)
  get status(): string | null {
    return this.row.disputeStatus;
  }

  @Exposed('PAYMENT', () => String)
  get reason(): string | null {
    return this.row.disputeReason;
  }

  @Exposed('PAYMENT', () => DateTime)
  get openedAt(): Date | null {
    return this.row.disputeOpenedAt;
  }
}

@ObjectType({ simpleResolvers: true, description: 'Money that went back to the customer, or was to go back.' })
export class Refund extends Part<StoredRefund & { readonly currency: string }> {
  @Exposed('PAYMENT', () => Money)
  get amount(): Money {
    return new Money(this, this.row);
  }

  @Exposed('PAYMENT', () => RefundState)
  get state(): string {
    return this.row.state;
  }

  @Exposed('PAYMENT', () => String, { description: 'The provider’s word, such as `requested_by_customer`.' })
  get reason(): string | null {
    return this.row.reason;
  }

  @Exposed('PAYMENT', () => DateTime)
  get createdAt(): Date {
    return new Date(this.row.at);
  }
}

@ObjectType('PaymentMethod', {
  simpleResolvers: true,
  description: 'A stored credential. The number is never here, not even at the provider’s side of us.',
})
export class PaymentMethodType extends OfCustomer {
  constructor(
    customer: CustomerType,
    private readonly row: PaymentMethodRow,
    private readonly keys: Keys,
  ) {
    super(customer, 'PaymentMethod', row.id);
  }

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.row.id;
  }

  @Exposed('PAYMENT', () => PaymentMethodKind)
  get kind(): string {
    return this.row.kind;
  }

  @Exposed('PAYMENT', () => String)
  get brand(): string | null {
    return this.row.brand;
  }

  @Exposed('PAYMENT', () => String, { holds: 'VALUE' })
  get last4(): string | null {
    return this.row.last4;
  }

  @Exposed('PAYMENT', () => Int)
  get expiryMonth(): number | null {
    return this.row.expiryMonth;
  }

  @Exposed('PAYMENT', () => Int)
  get expiryYear(): number | null {
    return this.row.expiryYear;
  }

  @Exposed('PAYMENT', () => String, {
    description: 'ISO 3166-1 alpha-2 country of the card’s issuer, of the account or its holder, where the provider tells.',
  })
  get country(): string | null {
    return this.row.country;
  }

  @Exposed('PAYMENT', () => Int, {
    description:
      'How often the provider has this card or account saved for the customer: it is shown once, and changed and removed with all of them. Null where the provider doesn’t tell.',
  })
  get timesSaved(): number | null {
    return this.row.timesSaved;
  }

  @Exposed('PAYMENT', () => PaymentMethodStatus)
  get status(): string {
    return this.row.status;
  }

  @Exposed('PAYMENT', () => Boolean)
  get isDefault(): boolean {
    return this.row.isDefault;
  }

  @Exposed('PAYMENT', () => Address)
  get billingAddress(): Address | null {
    const text = this.keys.open(paymentMethods, this.row, 'billingAddress');
    return text === null ? null : new Address(this, JSON.parse(text) as AddressFields);
  }

  @Exposed('PAYMENT', () => String, {
    description: 'Our keyed stand-in for the provider’s token: stable, useless at the provider.',
  })
  get token(): string {
    return this.row.surrogate;
  }

  @Exposed('INTERNAL', () => String, { nullable: true })
  get source(): string {
    return this.row.source;
  }
}

@ObjectType('Transaction', { simpleResolvers: true, description: 'A payment attempt as the provider reports it.' })
export class TransactionType extends OfCustomer {
  constructor(
    customer: CustomerType,
    readonly row: TransactionRow,
    private readonly keys: Keys,
  ) {
    super(customer, 'Transaction', row.id);
  }

  get paymentMethodId(): Reached | null {
    return reachedBy(this.row, 'paymentMethodId');
  }

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.row.id;
  }

  @Exposed('PAYMENT', () => String, { holds: 'VALUE' })
  get reference(): string {
    return this.row.reference;
  }

  @Exposed('PAYMENT', () => Money, {
    description: 'What was captured; as long as nothing is, what was authorized or asked for.',
  })
  get amount(): Money {
    return new Money(this, this.row);
  }

  @Exposed('PAYMENT', () => Money, {
    description:
      'What whoever had to agree to the payment agreed to. Null, as the other parts, where the source wasn’t asked for it yet.',
  })
  get authorized(): Money | null {
    return this.part(this.row.authorized);
  }

  @Exposed('PAYMENT', () => Money, {
    description: 'What has left the customer’s account: less than authorized, or more where the provider allows that.',
  })
  get captured(): Money | null {
    return this.part(this.row.captured);
  }

  @Exposed('PAYMENT', () => Money, {
    description: 'Captured money that has gone back: refunds that succeeded, without what was only released.',
  })
  get refunded(): Money | null {
    return this.part(this.row.refunded);
  }

  @Exposed('PAYMENT', () => Money, { description: 'Authorized, and neither captured nor released.' })
  get open(): Money | null {
    return this.part(this.row.open);
  }

  @Exposed('PAYMENT', () => Money, {
    description: 'What the customer saw, where the provider converted it and tells; null where they saw `amount`’s currency.',
  })
  get presentment(): Money | null {
    const { presentmentAmount: amount, presentmentCurrency: currency } = this.row;
    return amount === null || currency === null ? null : new Money(this, { amount, currency });
  }

  @Listed({ most: mostRefunds, parts: true })
  @Exposed('PAYMENT', () => [Refund], { description: 'Newest first, those that failed or wait included.' })
  get refunds(): readonly Refund[] | null {
    const { refunds, currency } = this.row;
    return refunds?.map((refund) => new Refund(this, { ...refund, currency })) ?? null;
  }

  @Exposed('PAYMENT', () => TransactionStatus, {
    from: ['Transaction.captured', 'Transaction.refunded', 'Transaction.open', 'Transaction.dispute'],
  })
  get status(): string {
    return this.row.status;
  }

  @Exposed('PAYMENT', () => String)
  get declineCode(): string | null {
    return this.row.declineCode;
  }

  @Exposed('PAYMENT', () => String)
  get declineAdvice(): string | null {
    return this.row.declineAdvice;
  }

  @Exposed('PAYMENT', () => String, {
    from: ['Transaction.declineCode', 'Transaction.declineAdvice'],
    description:
      'Why it was declined and what may help, in words for whoever speaks to the customer. Says nothing that accuses them.',
  })
  get declineExplanation(): string | null {
    return explainDecline(this.row.declineCode, this.row.declineAdvice);
  }

  @Exposed('PAYMENT', () => Order)
  get order(): Order | null {
    const isKnown = this.row.orderReference !== null || this.row.isDescribed !== 0;
    return isKnown ? new Order(this, this.row, this.keys) : null;
  }

  @Exposed('PERSONAL', () => Device)
  get device(): Device | null {
    return this.row.device === null ? null : new Device(this, this.row);
  }

  @Exposed('PERSONAL', () => Location)
  get location(): Location | null {
    return this.row.country === null ? null : new Location(this, this.row);
  }

  @Exposed('PAYMENT', () => Risk)
  get risk(): Risk {
    return new Risk(this, this.row);
  }

  @Exposed('PAYMENT', () => Dispute)
  get dispute(): Dispute | null {
    return this.row.disputeStatus === null ? null : new Dispute(this, this.row);
  }

  @Exposed('PAYMENT', () => Freshness, {
    description: 'That of its customer’s payment side; its own where it is too old to be read with that.',
  })
  get freshness(): Freshness {
    const { confirmedAt } = this.row;
    return confirmedAt === null ? this.customer.paymentsFreshness : this.customer.freshnessOf(confirmedAt);
  }

  @Exposed('PAYMENT', () => DateTime)
  get createdAt(): Date {
    return this.row.createdAt;
  }

  private part(amount: number | null): Money | null {
    return amount === null ? null : new Money(this, { amount, currency: this.row.currency });
  }
}

export const TransactionConnection = connectionOf('Transaction', () => TransactionType);
