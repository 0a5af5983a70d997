import type { LinkAssurance } from '../authz/actor';
import type { KnownContact } from '../privacy/contacts-in-text';

/** What a disclosure has to name of an object whose policed fields are shown. */
export interface ShownObject {
  readonly type: string;
  readonly id: string;
  readonly ticketId: string | null;
  /** Whom it is about: the id, and the keyed digest by which the log names them. */
  readonly customer: { readonly id: string; readonly digest: (salt: Buffer) => string } | null;
  /** It is shown under an assistance that covers the customer. */
  readonly underAssistance: boolean;
}

/** The parent of policed fields: what it is about, and under which assurance of the link it is shown. */
export interface Shown {
  /** The contact of whom it is about, where it is at hand: their number is recognized in a text however it is written. */
  readonly knownContact?: KnownContact | undefined;
  readonly shown: ShownObject;
  readonly linkAssurance: LinkAssurance;
  /** The field that tells this very link, as `Type.field`; not there where the link is told nowhere, or another one is. */
  readonly linkField?: string;
  /** What a field depends on where that is more than the object itself: a relation that only an assistance opens. */
  behind?(coordinate: string): Shown | undefined;
}
