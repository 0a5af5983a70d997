import type { Leaf } from '../audit/leaf';
import { systemActor } from '../authz/actor';
import type { EventVouchers } from '../privacy/event-vouchers';

/** For so long, in milliseconds, gateways of the version before may go on beside new ones: their events have no voucher. */
const bothVersions = 86_400_000;

/** From when on events without a voucher are nobody's of this installation: at once where it began with vouchers. */
export const vouchingBegins = (made: Date, isOfTheBeginning: boolean): Date =>
  isOfTheBeginning ? made : new Date(made.getTime() + bothVersions);

const [sequencer, commandLine] = ['sequencer', 'command-line'].map((job) => systemActor(job).id);

/**
 * Recorded by commands that may have no key to vouch with: what the sequencer writes about the log itself, as a process of its own, and that
 * the log was exported from the command line. Nobody is judged by these.
 */
export const needsNoVoucher = ({
  actor,
  action,
}: {
  readonly actor: Pick<Leaf['actor'], 'id'>;
  readonly action: string;
}): boolean =>
  (actor?.id === sequencer && String(action).startsWith('log.')) || (actor?.id === commandLine && action === 'disclosure');

/**
 * Which leaves lack a voucher that they ought to have, asked leaf by leaf in the log's order. From when on they ought to, the log says
 * itself, by the event of the secret that vouches and by what is dated after it: no column counts for that, and no date of the leaf itself.
 */
export class VouchedLeaves {
  /** The transaction in which the installation began; null before that. */
  private beginning: string | null = null;
  /** UTC milliseconds. */
  private since = Number.POSITIVE_INFINITY;
  /** The latest time up to here that somebody vouches for, or that the log's time leaves say: UTC milliseconds. */
  private time = Number.NEGATIVE_INFINITY;

  constructor(private readonly vouchers: EventVouchers) {}

  /** Everything that is recorded from here on has a voucher. */
  get isStrict(): boolean {
    return this.time >= this.since;
  }

  /** Whether this leaf, the next one, is vouched for or needn't be. `hash` is that of its place in the tree. */
  next(leaf: Leaf, hash: string, voucher: string | null): boolean {
    if (leaf.action === 'secret.create' && leaf.subject?.type === 'Secret') {
      const { id } = leaf.subject;
      if (id === 'digests') this.beginning ??= leaf.tx;
      if (id === 'events' && this.since === Number.POSITIVE_INFINITY)
        this.since = vouchingBegins(new Date(leaf.at), leaf.tx === this.beginning).getTime();
    }
    // One that isn't its own is worse than none.
    const isKnown = this.vouchers.vouches(hash, voucher) || (voucher === null && needsNoVoucher(leaf));
    if (isKnown) this.time = Math.max(this.time, Date.parse(leaf.at));
    return isKnown || (voucher === null && !this.isStrict);
  }
}
