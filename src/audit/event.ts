import { randomBytes } from 'node:crypto';
import { ulid } from '../ulid';
import { type CanonicalValue, canonicalize } from './canonical';
import type { Leaf } from './leaf';
import { leafHash } from './merkle';

/**
 * One entry of the audit log as a feature states it. No personal value may stand in it: customers are named by
 * `customers`, which become salted keyed digests, and free text goes to `notes`, sealed beside the leaf.
 */
export interface EventDraft {
  /** Dotted, present tense: `assistance.begin`, `disclosure`, `denial`. */
  readonly action: string;
  readonly outcome: 'ALLOWED' | 'DENIED';
  readonly actor: { readonly id: string; readonly kind: string; readonly roles: readonly string[] };
  /** Where it is about one; several are `tickets` in its detail, and are kept beside the leaf for searching. */
  readonly ticketId?: string | undefined;
  readonly assistanceId?: string | undefined;
  readonly subject?: { readonly type: string; readonly id: string } | undefined;
  readonly customers?: readonly LinkedCustomer[];
  /** Version of the leaf's format; 1 unless the catalogue of events says otherwise. */
  readonly version?: Leaf['v'] | undefined;
  /** Action-specific facts: ids of ours, names of fields and verdicts, counts, states. */
  readonly detail?: { readonly [name: string]: CanonicalValue } | undefined;
  readonly notes?: readonly SealedNote[];
}

/** A leaf holds 65,535 bytes: what names more of anything is recorded in several events of one transaction. */
export const namedPerEvent = 300;

/** A customer of an event: the id stays in a table beside the leaf, the leaf holds only `digest(salt)`. */
export interface CustomerUnderDigest {
  readonly id: string;
  /** Keyed digest under the customer's own key: with the key destroyed it says nothing. */
  readonly digest: (salt: Buffer) => string;
}

/** A customer of a disclosure, with the assurances of the link under which what is about them was shown: one, unless it changed meanwhile. */
export interface LinkedCustomer extends CustomerUnderDigest {
  readonly links?: readonly string[];
}

/** What stands in a leaf for a customer who has no key any more when it is made. */
export const erasedCustomer = 'erased';

/** Free text that belongs to an event, sealed under a customer's key by the feature; the leaf holds its keyed digest. */
export interface SealedNote<Name extends string = string> {
  readonly name: Name;
  readonly keyId: string;
  readonly seal: (place: { readonly table: string; readonly column: string; readonly row: string }) => Buffer;
  readonly digest: (salt: Buffer) => string;
}

/** An event in its final form: what is stored, hashed and, later, proven. */
export interface AuditEvent {
  readonly id: string;
  readonly transactionId: string;
  /** Position among the events of its transaction, from 0. */
  readonly ordinal: number;
  readonly at: Date;
  readonly draft: EventDraft;
  /** The leaf: canonical JSON (RFC 8785), UTF-8. */
  readonly leaf: Buffer;
  /** RFC 6962, 2.1: SHA-256(0x00 || leaf), lower-case hex. */
  readonly leafHash: string;
}

/** The version of a leaf whose event has no other. */
export const leafVersion = 1;

/** The leaf's hash as it is stored, lower-case hex. */
export const hashLeaf = (leaf: Buffer): string => leafHash(leaf).toString('hex');

/** Bytes of the salt under which an event's digests are made. */
const saltBytes = 16;

/** By link the places of those customers in the leaf, which stand in no order that the event could know before; nothing where no link is told. */
const linkedOf = (
  customers: readonly { readonly links: readonly string[] }[],
): { readonly linked?: Readonly<Record<string, number[]>> } => {
  const linked: Record<string, number[]> = {};
  for (const [place, { links }] of customers.entries())
    for (const link of links) {
      linked[link] ??= [];
      linked[link].push(place);
    }
  return Object.keys(linked).length > 0 ? { linked } : {};
};

export const finalizeEvent = (draft: EventDraft, transactionId: string, ordinal: number, at: Date): AuditEvent => {
  const id = `evt_${ulid(at.getTime())}`;
  const salt = randomBytes(saltBytes);
  const notes = draft.notes ?? [];
  const customers = (draft.customers ?? [])
    .map(({ digest, links = [] }) => ({ digest: digest(salt), links }))
    .sort((a, b) => (a.digest < b.digest ? -1 : a.digest > b.digest ? 1 : 0));
  const leaf = Buffer.from(
    canonicalize({
      v: draft.version ?? leafVersion,
      id,
      tx: transactionId,
      ordinal,
      at: at.toISOString(),
      action: draft.action,
      outcome: draft.outcome,
      actor: { id: draft.actor.id, kind: draft.actor.kind, roles: [...draft.actor.roles].sort() },
      ticket: draft.ticketId ?? null,
      assistance: draft.assistanceId ?? null,
      subject: draft.subject ? { type: draft.subject.type, id: draft.subject.id } : null,
      salt: salt.toString('base64url'),
      customers: customers.map(({ digest }) => digest),
      notes: Object.fromEntries(notes.map((note) => [note.name, note.digest(salt)])),
      detail: { ...draft.detail, ...linkedOf(customers) },
    }),
    'utf8',
  );
  return { id, transactionId, ordinal, at, draft, leaf, leafHash: hashLeaf(leaf) };
};
