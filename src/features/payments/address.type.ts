import { ObjectType } from 'type-graphql';
import { Exposed } from '../../graphql/decorators';
import { Part } from './part';

export interface AddressFields {
  readonly line1?: string | null;
  readonly line2?: string | null;
  readonly city?: string | null;
  readonly state?: string | null | undefined;
  readonly postalCode?: string | null;
  readonly country?: string | null;
}

@ObjectType({ simpleResolvers: true })
export class Address extends Part<AddressFields> {
  @Exposed('CREDENTIAL', () => String)
  get line1(): string | null {
    return this.row.line1 ?? null;
  }

  @Exposed('CREDENTIAL', () => String)
  get line2(): string | null {
    return this.row.line2 ?? null;
  }

  @Exposed('PERSONAL', () => String)
  get city(): string | null {
    return this.row.city ?? null;
  }

  @Exposed('PERSONAL', () => String, {
    description:
      'State, province or prefecture, where the country’s addresses have one: its code in the United States and Canada.',
  })
  get state(): string | null {
    return this.row.state ?? null;
  }

  @Exposed('CREDENTIAL', () => String, { holds: 'VALUE' })
  get postalCode(): string | null {
    return this.row.postalCode ?? null;
  }

  @Exposed('PERSONAL', () => String, { description: 'ISO 3166-1 alpha-2 country.' })
  get country(): string | null {
    return this.row.country ?? null;
  }
}
