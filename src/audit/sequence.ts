import type { LeafFacts } from './glance';
import { timeOfId } from './leaf';
import { Recent } from './recent';

/** What a leaf says that doesn't fit its place among the others. The tree can hold it all the same. */
export interface Oddity {
  readonly kind: 'TIME' | 'DUPLICATE' | 'TRANSACTION';
  readonly leaf: number;
  readonly what: string;
  readonly means: string;
}

/** How much earlier than the time leaf before it an event may be dated: it began then, and was committed later. Milliseconds. */
export const latestCommit = 60_000;
/** How far the clocks of two gateways may be apart. Milliseconds. */
export const clockSkew = 5_000;
/** After this much time in the log an id of an event that is dated right can't come again. */
const forgetAfter = latestCommit + clockSkew;

/**
 * Looks at leaves in their order: whether each lies in time between the time leaves around it, whether an event comes twice,
 * whether the events of one transaction are in their order and all there.
 *
 * Memory doesn't grow with the log. An event's id holds its time; so two leaves with one id are dated alike, and where
 * they stand further apart than time leaves allow one of them is dated wrong for its place, which is said as such. Only what
 * came within about two minutes has to be remembered.
 */
export class Sequence {
  timeLeaves = 0;
  /** Leaves before the first or after the last time leaf: one side only bounds their time. */
  oneSided = 0;
  private sinceTimeLeaf = 0;
  private timeBefore = Number.NEGATIVE_INFINITY;
  private latest: { readonly leaf: number; readonly at: number } | undefined;
  private readonly events = new Recent();
  private readonly transactions = new Recent();
  private turnedAt = Number.NEGATIVE_INFINITY;
  private lastWithheld: number;

  /** `before`: whether leaves before the first one seen aren't in the export. */
  constructor(
    private readonly report: (oddity: Oddity) => void,
    before: boolean,
  ) {
    this.lastWithheld = before ? -1 : Number.NEGATIVE_INFINITY;
  }

  withheld(leaf: number): void {
    this.lastWithheld = leaf;
  }

  see(index: number, leaf: LeafFacts): void {
    this.checkTime(index, leaf);
    this.checkEvent(index, leaf);
    this.checkTransaction(index, leaf);
  }

  /** After the last leaf. */
  finish(): void {
    this.oneSided += this.sinceTimeLeaf;
  }

  private checkTime(index: number, { id, action, at }: LeafFacts): void {
    // Whatever isn't a time equals nothing.
    if (timeOfId(id) !== at)
      this.report({
        kind: 'TIME',
        leaf: index,
        what: 'its time isn’t the one in its id',
        means: 'Both are written at once by one clock: one of them was changed, or the event was made otherwise.',
      });
    if (at < this.timeBefore - latestCommit)
      this.report({
        kind: 'TIME',
        leaf: index,
        what: `it is dated ${seconds(this.timeBefore - at)} before the time leaf that stands before it`,
        means: 'It was recorded later than it says: back-dated, or by a clock that was wrong.',
      });
    if (action !== 'log.time') {
      this.sinceTimeLeaf += 1;
      if (this.latest === undefined || at > this.latest.at) this.latest = { leaf: index, at };
      return;
    }
    this.timeLeaves += 1;
    if (at < this.timeBefore - clockSkew && at >= this.timeBefore - latestCommit)
      this.report({
        kind: 'TIME',
        leaf: index,
        what: `this time leaf is dated ${seconds(this.timeBefore - at)} before the last one`,
        means: 'Time in the log went back: a clock was wrong, or leaves stand in another order than they were recorded in.',
      });
    if (this.latest !== undefined && this.latest.at > at + clockSkew)
      this.report({
        kind: 'TIME',
        leaf: this.latest.leaf,
        what: `it is dated ${seconds(this.latest.at - at)} after the time leaf that follows it`,
        means: 'It is dated later than it was recorded, or was moved forward in the log, or by a clock that was wrong.',
      });
    if (this.timeLeaves === 1) this.oneSided += this.sinceTimeLeaf;
    this.sinceTimeLeaf = 0;
    this.latest = undefined;
    // A little back is two clocks that differ: the later one goes on counting, lest many little steps make a long one.
    if (Number.isFinite(at) && !(at < this.timeBefore && at >= this.timeBefore - clockSkew)) this.timeBefore = at;
    if (this.timeBefore - this.turnedAt > forgetAfter) {
      this.turnedAt = this.timeBefore;
      this.events.turn();
      this.transactions.turn();
    }
  }

  private checkEvent(index: number, { id, ordinal }: LeafFacts): void {
    const earlier = this.events.move(id, index, ordinal);
    if (earlier !== undefined)
      this.report({
        kind: 'DUPLICATE',
        leaf: index,
        what: `its event id is that of leaf ${earlier.leaf}`,
        means: 'An event is in the log once. Whoever writes the log put this one in again.',
      });
  }

  private checkTransaction(index: number, { tx, ordinal }: LeafFacts): void {
    const last = this.transactions.move(tx, index, ordinal);
    const expected = last === undefined ? 0 : last.ordinal + 1;
    if (ordinal === expected) return;
    if (last !== undefined && ordinal < expected)
      this.report({
        kind: 'TRANSACTION',
        leaf: index,
        what: `it is event ${ordinal} of its transaction and stands after event ${last.ordinal} (leaf ${last.leaf})`,
        means: 'What happened in one transaction stands in another order than it happened in.',
      });
    // Otherwise what is missing may be among what was withheld, or before the export.
    else if (last === undefined ? this.lastWithheld === Number.NEGATIVE_INFINITY : this.lastWithheld < last.leaf)
      this.report({
        kind: 'TRANSACTION',
        leaf: index,
        what: `it is event ${ordinal} of its transaction, and event ${expected} doesn’t stand before it`,
        means: 'Something that happened in the same transaction was kept out of the log, or stands elsewhere in it.',
      });
  }
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(3)} s`;
