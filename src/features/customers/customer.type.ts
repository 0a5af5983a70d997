import { ID, ObjectType, registerEnumType } from 'type-graphql';
import { type LinkAssurance, linkAssurances } from '../../authz/actor';
import { type Reached, reachedBy } from '../../db/reached';
import { Exposed } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { DateTime } from '../../graphql/scalars';
import type { Shown, ShownObject } from '../../graphql/shown';
import type { KnownContact } from '../../privacy/contacts-in-text';
import type { Keys } from '../keys/keys.service';
import { customers } from './customer.entity';
import type { CustomerRow } from './customers.rows';

export const LinkAssuranceEnum = enumOf(linkAssurances);
registerEnumType(LinkAssuranceEnum, {
  name: 'LinkAssurance',
  description: 'How surely helpdesk customer and payment customer are one person.',
});

/** How old a source's answer is. */
@ObjectType({
  simpleResolvers: true,
  description: 'When a source last confirmed what is shown, and whether that is longer ago than it should be.',
})
export class Freshness {
  @Exposed('INTERNAL', () => DateTime, { nullable: true })
  confirmedAt!: Date | null;

  @Exposed('INTERNAL', () => Boolean)
  stale!: boolean;
}

@ObjectType('Customer', { simpleResolvers: true, description: 'The person a ticket is about.' })
export class CustomerType implements Shown {
  readonly linkField = 'Customer.link';
  private asShown: ShownObject | undefined;

  constructor(
    private readonly row: CustomerRow,
    private readonly keys: Keys,
    private readonly maximumPaymentsAge: number,
    private readonly at: Date,
  ) {}

  /** Made once: all that is theirs in an answer goes by it. */
  get shown(): ShownObject {
    this.asShown ??= {
      type: 'Customer',
      id: this.row.id,
      ticketId: null,
      customer: this.keys.underDigest(this.row.id, this.row),
      underAssistance: true,
    };
    return this.asShown;
  }

  get linkAssurance(): LinkAssurance {
    return this.row.link;
  }

  /** Opened only where a text of theirs holds digits enough for a number. */
  get knownContact(): KnownContact {
    const { keys, row } = this;
    return {
      get phone() {
        return keys.open(customers, row, 'phone');
      },
      region: row.region,
    };
  }

  /** Whose payment side this is; null without a link. */
  get paymentCustomerId(): Reached | null {
    return this.row.link === 'NONE' ? null : reachedBy(this.row, 'paymentCustomerId');
  }

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.row.id;
  }

  @Exposed('PERSONAL', () => String)
  get displayName(): string | null {
    return this.keys.open(customers, this.row, 'name');
  }

  // Under MATCHED the address is what the link depends on: in clear it would confirm a guess.
  @Exposed('PERSONAL', () => String, { under: { MATCHED: 'CREDENTIAL' }, holds: 'VALUE' })
  get email(): string | null {
    return this.keys.open(customers, this.row, 'email');
  }

  @Exposed('PERSONAL', () => String, { holds: 'VALUE' })
  get phone(): string | null {
    return this.keys.open(customers, this.row, 'phone');
  }

  @Exposed('PERSONAL', () => String, { description: 'ISO 3166-1 alpha-2 country.' })
  get region(): string | null {
    return this.row.region;
  }

  @Exposed('PERSONAL', () => LinkAssuranceEnum)
  get link(): LinkAssurance {
    return this.row.link;
  }

  @Exposed('PAYMENT', () => Freshness, { description: 'How old the payment side of what is shown is.' })
  get paymentsFreshness(): Freshness {
    return this.freshnessOf(this.row.paymentsConfirmedAt);
  }

  /** Of something of the payment side that was confirmed by itself. */
  freshnessOf(confirmedAt: Date | null): Freshness {
    return { confirmedAt, stale: confirmedAt === null || this.at.getTime() - confirmedAt.getTime() > this.maximumPaymentsAge };
  }
}
