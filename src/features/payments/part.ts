import type { LinkAssurance } from '../../authz/actor';
import type { Shown, ShownObject } from '../../graphql/shown';
import type { KnownContact } from '../../privacy/contacts-in-text';

/** A value inside another object: it is shown, and recorded, as part of that. */
export abstract class Part<Row> implements Shown {
  constructor(
    protected readonly whole: Shown,
    protected readonly row: Row,
  ) {}

  get shown(): ShownObject {
    return this.whole.shown;
  }

  get linkAssurance(): LinkAssurance {
    return this.whole.linkAssurance;
  }

  get knownContact(): KnownContact | undefined {
    return this.whole.knownContact;
  }
}
