import { ID, ObjectType, registerEnumType } from 'type-graphql';
import { type LinkAssurance, linkAssurances } from '../../authz/actor';
import { Exposed } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { DateTime } from '../../graphql/scalars';
import type { Shown, ShownObject } from '../../graphql/shown';
import type { Keys } from '../keys/keys.service';
import type { CustomerRow } from './customers.loader';

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
  constructor(
    private readonly row: CustomerRow,
    private readonly keys: Keys,
    private readonly paymentsBound: number,
    private readonly at: Date,
  ) {}

  get shown(): ShownObject {
    return {
      type: 'Customer',
      id: this.row.id,
      ticketId: null,
      customer: this.keys.underDigest(this.row.id, this.row),
      underAssistance: true,
    };
  }

  get linkAssurance(): LinkAssurance {
    return this.row.link;
  }

  /** Whose payment side this is; null without a link. */
  get paymentCustomerId(): string | null {
    return this.row.link === 'NONE' ? null : this.row.payment_customer_id;
  }

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.row.id;
  }

  @Exposed('PERSONAL', () => String)
  get displayName(): string | null {
    return this.open('name_sealed', this.row.name_sealed);
  }

  // Under MATCHED the address is what the link rests on: in clear it would confirm a guess.
  @Exposed('PERSONAL', () => String, { under: { MATCHED: 'CREDENTIAL' } })
  get email(): string | null {
    return this.open('email_sealed', this.row.email_sealed);
  }

  @Exposed('PERSONAL', () => String)
  get phone(): string | null {
    return this.open('phone_sealed', this.row.phone_sealed);
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
    // Without a link, what could be confirmed is that there is none.
    const confirmed = this.row.link === 'NONE' ? this.row.linked_at : this.row.payments_confirmed_at;
    const confirmedAt = confirmed === null ? null : new Date(confirmed);
    return { confirmedAt, stale: confirmedAt === null || this.at.getTime() - confirmedAt.getTime() > this.paymentsBound };
  }

  private open(column: string, sealed: Buffer | null): string | null {
    return this.keys.open(this.row, { table: 'helpdesk_customer', column, row: this.row.id }, sealed);
  }
}
