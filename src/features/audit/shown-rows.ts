import { type CustomerUnderDigest, erasedCustomer, hashLeaf } from '../../audit/event';
import { type Leaf, ticketsBeside } from '../../audit/leaf';
import { WrappedKeyBroken } from '../../privacy/key-encryption';
import { KeyDestroyed } from '../../privacy/sealing';
import type { AuditEventFilter } from './audit.type';

interface EventOnPage {
  readonly bytes: Buffer;
  readonly hash: string;
  readonly leaf: Leaf;
  /** As the rows beside the leaf name them. */
  readonly customers: readonly CustomerUnderDigest[];
}

/** Null where the customer's key doesn't open, or is destroyed this moment. */
const digestOf = ({ digest }: CustomerUnderDigest, salt: Buffer): string | null => {
  try {
    return digest(salt);
  } catch (error) {
    if (error instanceof WrappedKeyBroken || error instanceof KeyDestroyed) return null;
    throw error;
  }
};

/** Of who was erased nothing tells any more by which digest they were named: as many as are left unsaid, and no more, may be they. */
const namesExactly = ({ customers: named, salt }: Leaf, customers: readonly CustomerUnderDigest[]): boolean => {
  const bytes = Buffer.from(salt, 'base64url');
  const digests = customers.map((customer) => digestOf(customer, bytes));
  const living = digests.filter((digest) => digest !== erasedCustomer);
  const left = named.filter((digest) => !living.includes(digest));
  return (
    new Set(living).size === living.length &&
    living.every((digest) => digest !== null && named.includes(digest)) &&
    left.length === digests.length - living.length
  );
};

const isWhatWasAsked = (
  { id, actor, action, outcome, ticket, detail, subject, at }: Leaf,
  { id: eventId, actorId, action: name, outcome: result, ticketId, subjectType, subjectId, from, before }: AuditEventFilter,
): boolean => {
  const is = (asked: string | null | undefined, stated: string | undefined) => typeof asked !== 'string' || asked === stated;
  return (
    is(eventId, id) &&
    is(actorId, actor.id) &&
    is(name, action) &&
    is(result, outcome) &&
    (typeof ticketId !== 'string' || ticket === ticketId || ticketsBeside(ticket, detail).includes(ticketId)) &&
    is(subjectType, subject?.type) &&
    is(subjectId, subject?.id) &&
    (!from || Date.parse(at) >= from.getTime()) &&
    (!before || Date.parse(at) < before.getTime())
  );
};

/**
 * Whether an event that rows found is by its leaf what was asked for, and about those whom the rows name. It costs no
 * statement, and says nothing of what the rows didn't find.
 */
export const agreesWithLeaf = ({ bytes, hash, leaf, customers }: EventOnPage, filter: AuditEventFilter): boolean =>
  hashLeaf(bytes) === hash && namesExactly(leaf, customers) && isWhatWasAsked(leaf, filter);
