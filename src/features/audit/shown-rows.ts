import { type CustomerUnderDigest, hashLeaf } from '../../audit/event';
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

const namesExactly = ({ customers: named, salt }: Leaf, customers: readonly CustomerUnderDigest[]): boolean => {
  const bytes = Buffer.from(salt, 'base64url');
  const digests = new Set(customers.map((customer) => digestOf(customer, bytes)));
  return (
    digests.size === customers.length && digests.size === new Set(named).size && named.every((digest) => digests.has(digest))
  );
};

const isWhatWasAsked = (
  { actor, action, outcome, ticket, detail, subject, at }: Leaf,
  { actorId, action: name, outcome: result, ticketId, subjectType, subjectId, from, before }: AuditEventFilter,
): boolean => {
  const is = (asked: string | null | undefined, stated: string | undefined) => typeof asked !== 'string' || asked === stated;
  return (
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
