import type { Leaf } from '../audit/leaf';
import { NoteInvalid, parseVerifierKey, type VerifierKey } from '../audit/note';
import type { EventVouchers } from '../privacy/event-vouchers';
import { LogBroken } from './log-broken';
import { needsNoVoucher } from './vouching';

/** Events that are kept apart at most: somebody who puts more there wants the log to stop. */
const mostApart = 1_000;

/** An event in the queue that this installation didn't record. It stays in the queue, and gets no place in the tree. */
export class EventKeptApart extends Error {
  readonly code = 'FORGED';
  readonly remedy =
    'Keep the database as it is for whoever investigates: somebody else than a gateway wrote into the queue of the log.';

  constructor(
    readonly eventId: string,
    why: string,
  ) {
    super(`Event ${eventId} waits for a place in the log and gets none: ${why}.`);
    this.name = 'EventKeptApart';
  }
}

/** An event of the queue, as it is stored. */
export interface QueuedEvent {
  readonly eventId: string;
  readonly transactionId: string;
  readonly leaf: Buffer;
  readonly leafHash: string;
  readonly voucher: string | null;
}

export interface QueueGuardOptions {
  /** Null where the installation's key isn't there: then only what the leaf says of itself is looked at. */
  readonly vouchers: () => EventVouchers | null;
  /** Public keys by which the log may be signed. */
  readonly keys: readonly VerifierKey[];
  readonly clock: () => Date;
  /** Told of each such event once. Must not throw. */
  readonly onApart: (event: EventKeptApart) => void;
}

/** As much of a leaf as is looked at here. */
type QueuedLeaf = Pick<Leaf, 'id' | 'tx' | 'action' | 'actor' | 'detail'>;

const leafOf = (bytes: Buffer): QueuedLeaf | null => {
  try {
    const leaf = JSON.parse(bytes.toString('utf8')) as QueuedLeaf | null;
    return typeof leaf === 'object' ? leaf : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
};

/** A key keeps being itself under another name of the log. */
const namesKeyOf = ({ detail }: QueuedLeaf, keys: readonly VerifierKey[]): boolean => {
  try {
    const named = parseVerifierKey(String(detail?.key));
    return keys.some(({ publicKey }) => publicKey.equals(named.publicKey));
  } catch (error) {
    if (error instanceof NoteInvalid) return false;
    throw error;
  }
};

/**
 * Lets into the tree what the installation recorded. Whoever can write the queue could have anything signed otherwise: an approval that
 * nobody gave, or a key of their own, which would be believed from then on.
 */
export class QueueGuard {
  private readonly known = new Set<string>();

  constructor(private readonly options: QueueGuardOptions) {}

  /** Events that were kept apart by this process. */
  get apart(): readonly string[] {
    return [...this.known];
  }

  /** Whether the event may have its place. Throws `LogBroken` where too many may not. */
  lets(event: QueuedEvent): boolean {
    const why = this.refusal(event);
    if (why === null) return true;
    if (this.known.size >= mostApart)
      throw new LogBroken(
        'FORGED',
        `More than ${mostApart} events wait for a place in the log that nobody of this installation recorded.`,
      );
    if (!this.known.has(event.eventId)) this.options.onApart(new EventKeptApart(event.eventId, why));
    this.known.add(event.eventId);
    return false;
  }

  private refusal({ eventId, transactionId, leaf: bytes, leafHash, voucher }: QueuedEvent): string | null {
    const vouchers = this.options.vouchers();
    const leaf = leafOf(bytes);
    if (!leaf) return 'it has no leaf that can be read';
    if (leaf.id !== eventId || leaf.tx !== transactionId) return 'its leaf is another event’s';
    if (leaf.action === 'log.key' && !namesKeyOf(leaf, this.options.keys)) return 'it names a key that this log isn’t signed by';
    const needsNone = needsNoVoucher(leaf) || (vouchers && this.options.clock() < vouchers.since);
    // One that isn't its own is worse than none.
    if (!vouchers || (voucher === null && needsNone)) return null;
    return vouchers.vouches(leafHash, voucher) ? null : 'nobody who has the installation’s key recorded it';
  }
}
