import type { Change } from '../db/change';
import { type EffectState, type Happening, isKeyOld, type StoredEffect, tellEffect, wasSent } from './effect';

/** An effect as it is committed, with its call in clear. */
export interface OpenedEffect<Call> {
  readonly id: string;
  readonly state: EffectState;
  readonly call: Call;
  /** The idempotency key that the call is made with. */
  readonly key: string;
}

/** What came of a call. `keySpent`: the answer was a fault that would be repeated for this key. */
export type CallOutcome<Refusal extends string> =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'refused'; readonly why: Refusal }
  | { readonly outcome: 'lost'; readonly keySpent: boolean };

/** Who carries calls out. */
export interface OtherSide<Call, Refusal extends string> {
  /** Makes a call. What it throws where nothing was sent is told by `EffectParts.isUnsent`. */
  perform(call: Call, key: string): Promise<CallOutcome<Refusal>>;
  /** Whether what the call is to bring about holds there now. */
  holds(call: Call): Promise<boolean>;
}

/** A job of an outbox, or what else can be lost to another process. */
interface Leased {
  /** Throws where another process has it by now. */
  renewLease(change: Change): Promise<void>;
}

/** One change of an effect: its row, saved, and what it belongs to, locked. */
export interface Course<Row, Owner> {
  readonly change: Change;
  readonly effect: Row;
  readonly owner: Owner;
}

export interface EffectParts<Job extends Leased, Row extends StoredEffect, Owner, Refusal extends string> {
  /** Runs one change with what the job is about locked. */
  readonly change: <T>(job: Job, work: (change: Change, owner: Owner) => Promise<T>) => Promise<T>;
  readonly lock: (change: Change, id: string) => Promise<Row>;
  /** Records what the effect is now, and does what follows from it for its owner, in the same change. */
  readonly told: (course: Course<Row, Owner>, told: Happening<Refusal>) => Promise<void>;
  /** The call can't have left: the same one may be made again. */
  readonly isUnsent: (error: unknown) => boolean;
  /** For how many milliseconds the other side surely knows a key again. */
  readonly keyLifetime: number;
}

/**
 * Makes calls to the outside. Before each its intent is committed with its idempotency key, after it the outcome. Where no
 * outcome came back the other side is asked what holds before anything is tried again, and so it is before a key that may be
 * forgotten there is used again. Wherever the process ends, each call has its effect once, or its state says that it isn't known.
 */
export class Effects<Job extends Leased, Row extends StoredEffect, Owner, Refusal extends string> {
  constructor(private readonly parts: EffectParts<Job, Row, Owner, Refusal>) {}

  /** One step further: asks what became of a call that nobody knows about, or makes it. A fault where it has to be looked at again later. */
  async advance<Call>(job: Job, side: OtherSide<Call, Refusal>, at: OpenedEffect<Call>): Promise<string | null> {
    if (at.state === 'INTENDED') {
      // Whoever meant to make this call is gone, and with them what came of it.
      await this.tell(job, at.id, () => ({ happened: 'lost', keySpent: false }));
      return this.advance(job, side, { ...at, state: 'LOST' });
    }
    let sentBefore = false;
    const isIntended =
      at.state !== 'LOST' &&
      (await this.tell(job, at.id, (effect, { at: now }) => {
        sentBefore = wasSent(effect);
        return isKeyOld(effect, now, this.parts.keyLifetime) ? null : { happened: 'intended' };
      }));
    if (!isIntended) {
      const holds = await side.holds(at.call);
      await this.tell(job, at.id, () => ({ happened: holds ? 'done' : 'absent' }));
      return null;
    }
    let outcome: CallOutcome<Refusal>;
    try {
      outcome = await side.perform(at.call, at.key);
    } catch (error) {
      if (this.parts.isUnsent(error)) await this.tell(job, at.id, () => ({ happened: 'not-sent', wasSent: sentBefore }));
      throw error;
    }
    if (outcome.outcome === 'refused') outcome = await this.afterRefusal(side, at.call, outcome);
    const { outcome: happened, ...how } = outcome;
    await this.tell(job, at.id, () => ({ happened, ...how }) as Happening<Refusal>);
    return happened === 'lost' ? 'lost' : null;
  }

  /** A refusal of what holds already (by somebody else's doing, say) isn't one; where that can't be asked now, it is asked later. */
  private async afterRefusal<Call>(
    side: OtherSide<Call, Refusal>,
    call: Call,
    refused: CallOutcome<Refusal>,
  ): Promise<CallOutcome<Refusal>> {
    try {
      return (await side.holds(call)) ? { outcome: 'done' } : refused;
    } catch (error) {
      if (!this.parts.isUnsent(error)) throw error;
      return { outcome: 'lost', keySpent: false };
    }
  }

  /** Writes down what happened, and what follows from it. False where nothing did, as `what` says of the row. */
  private tell(job: Job, id: string, what: (effect: Row, change: Change) => Happening<Refusal> | null): Promise<boolean> {
    return this.parts.change(job, async (change, owner) => {
      await job.renewLease(change);
      const effect = await this.parts.lock(change, id);
      const told = what(effect, change);
      if (told === null) return false;
      tellEffect(effect, told, change.at, this.parts.keyLifetime);
      await change.save(effect);
      await this.parts.told({ change, effect, owner }, told);
      return true;
    });
  }
}
