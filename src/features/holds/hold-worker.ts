import { type Happening, pendingStates } from '../../background/effect';
import { type Course, Effects } from '../../background/effects';
import type { JobHandler, JobResult } from '../../background/outbox';
import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import type { PaymentStanding, ProviderRefusal, RenewalStanding } from '../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import type { Core } from '../core';
import type { Sources } from '../sources/sources.service';
import { canBeMet, payerThen } from './covered';
import { PaymentHold, type PaymentHoldEffect, PaymentHoldStep, paymentHoldJobs, paymentHoldSteps } from './hold.entity';
import { become, customersOf, factsOf, move } from './hold.moves';
import { type HoldEffectKind, openStates, placedStates, stateAt } from './hold.states';
import { type Seen, undoOf, wantedCalls, wholeSecond } from './hold-plan';
import { HoldSteps, isUnknowable, lastOrdinalOf, type OpenedStep, type PlannedStep, pendingOf } from './hold-steps';
import { holdIds, hold as holds, standingSteps, step } from './holds.rows';
import { ofOnePayment } from './holds.service';
import type { ClaimedJob } from './jobs';
import { lapseBy } from './lapsing';
import { effectsOf, expire, finish, letGo } from './letting-go';
import { type HoldSide, isUncaptured, latestFor, paymentNow, sideOf, sideOfPayer } from './provider-side';
import { isForgotten, mayStand, wantedByOthers } from './taken-back';

const minute = 60_000;
/** How often, in milliseconds, a hold that stands is held against its provider. */
const lookEvery = 5 * minute;
/** Stripe forgets an idempotency key after a day, and would then do the same again: an hour before that it isn't trusted any more. */
const keyLifetime = 23 * 3_600_000;
/** Listings of a hold that are looked at in one turn: of a group's, the next ones in the next turn. */
const mostLookedAt = 10;
/** How long, in milliseconds, a listing waits for another hold to be done with taking the same one back. */
const takenBackSoon = 1_000;

/** Nothing of it is left to be let go. */
const isOver = ({ state }: Pick<PaymentHoldEffect, 'state'>): boolean => state === 'NOT_POSSIBLE' || state === 'REVERSED';

type StepCourse = Course<PaymentHoldStep, PaymentHold>;

export interface HoldWorkerParts extends Pick<Core, 'database' | 'keys' | 'clock'> {
  readonly sources: Sources;
}

/**
 * Brings about what holds are to bring about, holds it against what providers say, and lets it go. Whatever crashes, each call has its
 * effect once, or the effect's state says that it isn't known.
 */
export class HoldWorker {
  private readonly steps = new HoldSteps(this.parts.keys);
  private readonly effects: Effects<ClaimedJob, PaymentHoldStep, PaymentHold, ProviderRefusal>;

  constructor(private readonly parts: HoldWorkerParts) {
    this.effects = new Effects({
      change: (job, work) => this.change(job.holdId, work),
      lock: (change, id) => change.lock(PaymentHoldStep, { id }),
      told: (course, told) => this.told(course, told),
      isUnsent: (error) => error instanceof SourceUnavailable,
      keyLifetime,
    });
  }

  readonly provider: JobHandler<'PROVIDER', 'holdId'> = {
    mostTries: 14,
    run: (job) => this.work(job),
    // What is still to be let go is tried for as long as it takes; what isn't placed yet ends with the hold's time.
    giveUp: async () => false,
  };

  private async work(job: ClaimedJob): Promise<JobResult> {
    let isLookedAt = false;
    for (;;) {
      const { hold, steps } = await this.read(job.holdId);
      if (!openStates.includes(hold.state) || hold.state === 'PROPOSED') return 'done';
      if (stateAt(hold, this.parts.clock()) !== hold.state) await this.expire(job);
      else if (!hold.planned) await (hold.state === 'RELEASING' ? this.planUndo(job) : this.plan(job, hold));
      else {
        const next = pendingOf(steps);
        if (next) {
          if (await this.isTakenBackNow(next)) return { again: takenBackSoon };
          const fault = await this.advance(job, next);
          if (fault !== null) return { fault };
        } else if (hold.state === 'RELEASING') await this.end(job);
        else if (hold.state === 'PLACING') await this.settle(job);
        else if (isLookedAt)
          return { again: Math.max(0, Math.min(lookEvery, hold.expiresAt.getTime() - this.parts.clock().getTime())) };
        else {
          isLookedAt = true;
          await this.look(job, hold, steps);
        }
      }
    }
  }

  /** A hold as it is committed now, with its calls. */
  private async read(holdId: string): Promise<{ readonly hold: PaymentHold; readonly steps: readonly OpenedStep[] }> {
    return this.change(holdId, async (change, hold) => ({ hold, steps: await this.steps.of(change, holdId) }));
  }

  private change<T>(holdId: string, work: (change: Change, hold: PaymentHold) => Promise<T>): Promise<T> {
    return this.parts.database.system('worker', 'hold.effect', async (change) =>
      work(change, await change.lock(PaymentHold, { id: holdId })),
    );
  }

  private expire(job: ClaimedJob): Promise<void> {
    return this.change(job.holdId, async (change, hold) => {
      await job.renewLease(change);
      if (stateAt(hold, change.at) !== hold.state) await expire(change, this.parts.keys, hold);
    });
  }

  /** Asks providers about whom a hold covers. Throws `SourceUnavailable`. */
  private async see(job: ClaimedJob, hold: PaymentHold, kinds: ReadonlySet<HoldEffectKind>): Promise<Seen> {
    const sides = new Map<string, HoldSide | null>();
    const renewals = new Map<string, readonly RenewalStanding[]>();
    for (const customerId of hold.customerIds) {
      // Many of them take longer together than a lease lasts.
      await this.change(job.holdId, (change) => job.renewLease(change));
      const payerId = payerThen(hold, customerId);
      const side = payerId === null ? await sideOf(this.parts, customerId) : await sideOfPayer(this.parts, payerId);
      sides.set(customerId, side);
      if (kinds.has('PAUSE_RENEWAL') && side?.provider)
        renewals.set(customerId, await side.provider.readRenewals(side.reference));
    }
    const { customerId, transactionId } = hold;
    const side = sides.get(customerId ?? '') ?? null;
    return { sides, renewals, payment: transactionId !== null ? await paymentNow(this.parts, side, transactionId) : undefined };
  }

  /** Writes down the calls that a hold takes, and settles what takes none. Throws `SourceUnavailable`. */
  private async plan(job: ClaimedJob, hold: PaymentHold): Promise<void> {
    if (!(await this.settleAlone(job))) return;
    const kinds = new Set((await this.change(hold.id, (change) => effectsOf(change, hold.id))).map(({ kind }) => kind));
    const seen = await this.see(job, hold, kinds);
    await this.change(hold.id, async (change, locked) => {
      if (locked.planned || !placedStates.includes(stateAt(locked, change.at))) return;
      await job.renewLease(change);
      const steps = await this.steps.of(change, locked.id);
      if (await this.bound(change, locked, seen.payment)) return;
      const effects = await effectsOf(change, locked.id);
      const targetOf = (each: PlannedStep) => this.steps.targetOf(each);
      const wanted = effects.flatMap((each) => wantedCalls(locked, each.kind, { seen, steps, targetOf }));
      const after = lastOrdinalOf(steps);
      const planned = await this.steps.plan(change, locked, { phase: 'APPLY', planned: wanted, after });
      locked.planned = true;
      await change.save(locked);
      for (const each of effects) {
        // It ended with its payment, whatever else is planned anew.
        if (each.state === 'REVERSED') continue;
        const own = planned.filter(({ kind }) => kind === each.kind);
        const known = steps.filter(({ row }) => row.kind === each.kind);
        await this.begin(change, locked, { effect: each, own, known }, seen);
      }
      await this.recordCalls(change, locked, planned);
      await this.settleIn(change, locked);
    });
  }

  /** What takes no provider is so at once, whatever becomes of the rest. False where there is no rest: no question would ever meet the hold. */
  private settleAlone(job: ClaimedJob): Promise<boolean> {
    return this.change(job.holdId, async (change, hold) => {
      if (!placedStates.includes(hold.state)) return false;
      await job.renewLease(change);
      const { keys } = this.parts;
      const isMet = hold.state !== 'PLACING' || (await canBeMet(change, hold));
      for (const each of await effectsOf(change, hold.id)) {
        if (!isMet) await become(change, keys, hold, each, { state: 'NOT_POSSIBLE' });
        else if (each.kind === 'HOLD_ORDER' && each.state === 'PENDING')
          await become(change, keys, hold, each, { state: 'APPLIED' });
      }
      if (isMet) return true;
      hold.planned = true;
      await change.save(hold);
      return false;
    });
  }

  /** What an effect is once its calls are written down, if it takes any. */
  private async begin(
    change: Change,
    hold: PaymentHold,
    {
      effect,
      own,
      known,
    }: { readonly effect: PaymentHoldEffect; readonly own: readonly PlannedStep[]; readonly known: readonly OpenedStep[] },
    { sides, payment, renewals }: Seen,
  ): Promise<void> {
    const { keys } = this.parts;
    const tell = (now: Parameters<typeof become>[4]) => become(change, keys, hold, effect, now);
    if (effect.kind === 'DEFER_CAPTURE') return this.defer(change, hold, effect, payment);
    if (effect.kind === 'HOLD_ORDER') return tell({ state: 'APPLIED', enforcedBy: 'PIPELINE' });
    const isPause = effect.kind === 'PAUSE_RENEWAL';
    // Of whom nobody can be asked whether they have subscriptions, nobody can say that these wait.
    const isUnseen = isPause && [...sides].some(([customerId, side]) => side !== null && !renewals.has(customerId));
    if (isUnseen) return tell({ state: 'NOT_POSSIBLE', enforcedBy: 'PIPELINE' });
    const called = new Set([...own.map(({ customerId }) => customerId), ...known.map(({ row }) => row.customerId)]);
    const isWhole = isPause
      ? called.size > 0
      : hold.emailDomain === null && hold.customerIds.length > 0 && hold.customerIds.every((id) => called.has(id));
    if (!isWhole) return tell({ state: 'APPLIED', enforcedBy: 'PIPELINE' });
    const deadline = isPause ? wholeSecond(hold.expiresAt) : null;
    if (own.length > 0) return tell({ state: 'PENDING', enforcedBy: 'PROVIDER', deadline });
    await this.reckon(change, hold, effect.kind);
  }

  /**
   * A hold of a payment ends while that can still be captured, whatever it is to bring about. What the customer said of whoever pays doesn't end with
   * the one payment: of theirs only what is about it does. True where the hold ends by it now.
   */
  private async bound(change: Change, hold: PaymentHold, payment: PaymentStanding | null | undefined): Promise<boolean> {
    const latest = latestFor(payment);
    if (latest === null) return false;
    const { keys } = this.parts;
    const effects = await effectsOf(change, hold.id);
    if (hold.cause === 'CUSTOMER' && effects.some(({ kind }) => !ofOnePayment.includes(kind)))
      return latest <= change.at && (await lapseBy(change, keys, hold, null));
    if (hold.expiresAt <= latest) return false;
    const until = latest > change.at ? latest : change.at;
    hold.expiresAt = until;
    await move(change, keys, hold, 'hold.extend', {
      to: hold.state,
      reason: 'AUTHORIZATION_ENDS',
      detail: { until: until.toISOString() },
    });
    return until <= change.at;
  }

  /** The capture waits only where the provider says that it is still to come, and by hand. */
  private async defer(
    change: Change,
    hold: PaymentHold,
    effect: PaymentHoldEffect,
    asked: PaymentStanding | null | undefined,
  ): Promise<void> {
    const { keys } = this.parts;
    const payment = asked ?? null;
    const latest = latestFor(payment);
    const isPossible =
      payment !== null && isUncaptured(payment) && payment.isManualCapture && (latest === null || latest > change.at);
    if (!isPossible)
      return become(change, keys, hold, effect, { state: 'NOT_POSSIBLE', deadline: payment?.captureBefore ?? null });
    await become(change, keys, hold, effect, { state: 'APPLIED', deadline: payment.captureBefore });
  }

  /** Another hold is about to take back what a call lists: made now, it would find that there, and rely on what is gone a moment later. */
  private async isTakenBackNow({ row, call }: OpenedStep): Promise<boolean> {
    if (call?.action !== 'LIST') return false;
    const { phase, state, target } = step;
    const isLeft = sql`${phase} = 'UNDO' AND ${state} IN (${pendingStates})`;
    const isOthers = sql`${target} = ${row.target} AND ${step.holdId} <> ${row.holdId}`;
    const found = await this.parts.database.read(standingSteps, sql`WHERE ${isOthers} AND ${isLeft} LIMIT 1`);
    return found.length > 0;
  }

  /** One step further with a call. A fault where it has to be looked at again later. */
  private async advance(job: ClaimedJob, at: OpenedStep): Promise<string | null> {
    const side = await sideOf(this.parts, at.row.customerId);
    const { call } = at;
    if (call === null || (await this.change(job.holdId, (change) => this.steps.isErased(change, at)))) {
      await this.drop(job, at);
      return null;
    }
    const provider = side?.source === at.row.source ? side.provider : this.providerOf(at.row.source);
    if (!provider) {
      await this.drop(job, at);
      return null;
    }
    return this.effects.advance(job, provider, { ...at, call });
  }

  private providerOf(source: string) {
    return this.parts.sources.paymentsSource(source).connector.holds ?? null;
  }

  /** A call of a customer who was erased, whose words are gone, or that nobody takes any more, is not made. */
  private drop(job: ClaimedJob, at: OpenedStep): Promise<void> {
    return this.change(job.holdId, async (change, hold) => {
      await job.renewLease(change);
      await change.update(
        paymentHoldSteps,
        { state: 'DROPPED', refusal: 'CUSTOMER_GONE' },
        sql`${paymentHoldSteps.id} = ${at.id}`,
      );
      await this.recordStep(change, hold, { ...at.row, state: 'DROPPED', refusal: 'CUSTOMER_GONE' });
      await this.reckon(change, hold, at.row.kind);
      await this.settleIn(change, hold);
    });
  }

  private async recordCalls(change: Change, hold: PaymentHold, planned: readonly PlannedStep[]): Promise<void> {
    const calls = planned.map(({ call }) => call.action);
    change.record('hold.effect', { ...(await factsOf(change, this.parts.keys, hold)), detail: { calls } });
  }

  private async recordStep(
    change: Change,
    hold: PaymentHold,
    row: Pick<PaymentHoldStep, 'kind' | 'ordinal' | 'phase' | 'action' | 'customerId' | 'state' | 'keyGeneration' | 'refusal'>,
  ): Promise<void> {
    change.record('hold.effect', {
      ...(await factsOf(change, this.parts.keys, hold)),
      // Of a group each call is about one of them.
      customers: await customersOf(change, this.parts.keys, { customerIds: [row.customerId] }),
      detail: {
        effect: row.kind,
        step: row.ordinal,
        phase: row.phase,
        action: row.action,
        state: row.state,
        key: row.keyGeneration,
        ...(row.refusal === null ? {} : { refusal: row.refusal }),
      },
    });
  }

  /** The event of a call, and what it makes of its effect. */
  private async told({ change, effect: called, owner: hold }: StepCourse, _: Happening<ProviderRefusal>): Promise<void> {
    await this.recordStep(change, hold, called);
    await this.reckon(change, hold, called.kind);
    await this.settleIn(change, hold);
  }

  /** What an effect is by what became of its calls: never more than the least of them. */
  private async reckon(change: Change, hold: PaymentHold, kind: HoldEffectKind): Promise<void> {
    const effect = (await effectsOf(change, hold.id)).find((each) => each.kind === kind);
    const steps = await this.steps.of(change, hold.id);
    const all = steps.filter(({ row }) => row.kind === kind);
    if (!effect) return;
    const phase = hold.state === 'RELEASING' ? 'UNDO' : 'APPLY';
    const states = all.filter(({ row }) => row.phase === phase).map(({ state }) => state);
    const some = (...of: readonly string[]) => states.some((state) => of.includes(state));
    const tell = (now: Parameters<typeof become>[4]) => become(change, this.parts.keys, hold, effect, now);
    if (some('LOST')) return tell({ state: 'UNKNOWN' });
    if (phase === 'UNDO') {
      // What nobody can read any more is taken back by nobody.
      if (isUnknowable(effect, steps)) return tell({ state: 'UNKNOWN' });
      if (states.length > 0 && states.every((state) => state === 'DONE')) return tell({ state: 'REVERSED' });
      return effect.state === 'UNKNOWN' ? tell({ state: 'APPLIED' }) : undefined;
    }
    // Only whoever asks keeps to it, whatever stands at the provider beside.
    if (effect.enforcedBy === 'PIPELINE') return effect.state === 'UNKNOWN' ? tell({ state: 'APPLIED' }) : undefined;
    if (some('PLANNED', 'INTENDED')) return tell({ state: 'PENDING' });
    if (some('REFUSED', 'DROPPED'))
      return kind === 'PAUSE_RENEWAL'
        ? tell({ state: 'NOT_POSSIBLE', deadline: null })
        : tell({ state: 'APPLIED', enforcedBy: 'PIPELINE' });
    return tell({ state: 'APPLIED' });
  }

  /** All that a hold is to bring about is known: it stands, or could bring nothing about. */
  private settle(job: ClaimedJob): Promise<void> {
    return this.change(job.holdId, async (change, hold) => {
      await job.renewLease(change);
      await this.settleIn(change, hold);
    });
  }

  /** The same in the change by which the last of it is known, so that nobody is shown a hold under way of which all is brought about. */
  private async settleIn(change: Change, hold: PaymentHold): Promise<void> {
    if (hold.state !== 'PLACING' || !hold.planned) return;
    const steps = await this.steps.of(change, hold.id);
    if (pendingOf(steps)) return;
    const { keys } = this.parts;
    const effects = await effectsOf(change, hold.id);
    if (effects.some(({ state }) => state !== 'NOT_POSSIBLE')) await move(change, keys, hold, 'hold.effect', { to: 'ACTIVE' });
    else if (steps.length === 0) await move(change, keys, hold, 'hold.fail', { to: 'FAILED', reason: 'NOTHING_POSSIBLE' });
    else await letGo(change, keys, hold, { ending: 'FAILED', reason: 'NOTHING_POSSIBLE' });
  }

  /**
   * Writes down what takes back the calls that may have had their effect; what wasn't sent isn't made any more. What another hold that stands
   * wants too stays, and goes with that one.
   */
  private planUndo(job: ClaimedJob): Promise<void> {
    return this.change(job.holdId, async (change, hold) => {
      if (hold.state !== 'RELEASING' || hold.planned) return;
      // With the lease whoever made a call before has ended it.
      await job.renewLease(change);
      const steps = await this.steps.of(change, hold.id);
      const made = steps.filter(mayStand);
      const shared = await wantedByOthers(
        change,
        hold.id,
        made.flatMap(({ row, call }) => (call?.action === 'LIST' ? row.target : [])),
      );
      const undo = new Map<string, PlannedStep>();
      for (const { row, call } of made) {
        if (call === null || shared.has(row.target)) continue;
        const back = undoOf(call);
        undo.set(JSON.stringify(back), { kind: row.kind, customerId: row.customerId, source: row.source, call: back });
      }
      for (const { id, row, state } of steps)
        if (row.phase === 'APPLY' && (state === 'PLANNED' || state === 'INTENDED' || state === 'LOST'))
          await change.update(paymentHoldSteps, { state: 'DROPPED' }, sql`${paymentHoldSteps.id} = ${id}`);
      const planned = await this.steps.plan(change, hold, {
        phase: 'UNDO',
        planned: [...undo.values()],
        after: lastOrdinalOf(steps),
      });
      hold.planned = true;
      const left = new Set(planned.map(({ kind }) => kind));
      const isKept = (kind: HoldEffectKind) => made.some(({ row }) => row.kind === kind && shared.has(row.target));
      const effects = await effectsOf(change, hold.id);
      const unknown = new Set(
        effects.flatMap((each) => {
          const { kind, state, enforcedBy } = each;
          // What stands at the provider goes by a call that takes it back, or stays for another hold's sake.
          const isLeft = state === 'APPLIED' && enforcedBy === 'PROVIDER' && !left.has(kind) && !isKept(kind);
          return isOver(each) || !(isLeft || isUnknowable(each, steps)) ? [] : [kind];
        }),
      );
      if (unknown.size > 0) hold.ending = 'FAILED';
      await change.save(hold);
      for (const each of effects) {
        if (isOver(each)) continue;
        if (unknown.has(each.kind)) await become(change, this.parts.keys, hold, each, { state: 'UNKNOWN' });
        else if (!left.has(each.kind)) await become(change, this.parts.keys, hold, each, { state: 'REVERSED' });
      }
      await this.recordCalls(change, hold, planned);
    });
  }

  /** All that was to be let go goes on; what couldn't be is said so. Holds that had left a pause to this one make their own. */
  private end(job: ClaimedJob): Promise<void> {
    return this.change(job.holdId, async (change, hold) => {
      if (hold.state !== 'RELEASING' || !hold.planned) return;
      await job.renewLease(change);
      const steps = await this.steps.of(change, hold.id);
      if (await isForgotten(change, hold, steps)) {
        hold.planned = false;
        await change.save(hold);
        const facts = await factsOf(change, this.parts.keys, hold);
        return change.record('hold.effect', { ...facts, detail: { calls: [] } });
      }
      const isStuck = steps.some(({ row, state }) => row.phase === 'UNDO' && (state === 'REFUSED' || state === 'DROPPED'));
      const isErased = hold.ending === 'FAILED' && steps.some(({ call }) => call === null);
      if (isStuck) hold.ending = 'FAILED';
      await this.makeOthersDue(change, hold, steps);
      await this.parts.keys.destroy(change, hold.id);
      const isLost = (await effectsOf(change, hold.id)).some(({ state }) => state === 'UNKNOWN');
      const reason = isErased ? 'CUSTOMER_ERASED' : isStuck || isLost ? 'NOT_REVERSED' : undefined;
      await finish(change, this.parts.keys, hold, reason);
    });
  }

  /** Whoever found renewals paused already, and has none of their own pause, looks again. */
  private async makeOthersDue(change: Change, hold: PaymentHold, steps: readonly OpenedStep[]): Promise<void> {
    const resumed = steps.flatMap(({ row }) => (row.action === 'RESUME_RENEWAL' ? row.customerId : []));
    if (resumed.length === 0) return;
    const stand = sql`${holdIds} WHERE ${holds.state} = 'ACTIVE' AND ${holds.customerId} IN (${[...new Set(resumed)]}) AND ${holds.id} <> ${hold.id}`;
    const { state, holdId } = paymentHoldJobs;
    await change.bookkeep(paymentHoldJobs, { nextAt: change.at }, sql`${state} = 'PENDING' AND ${holdId} IN (${stand})`);
  }

  /** Holds what stands against what providers say now: who moved first there is believed. Throws `SourceUnavailable`. */
  private async look(job: ClaimedJob, hold: PaymentHold, steps: readonly OpenedStep[]): Promise<void> {
    const effects = await this.change(hold.id, (change) => effectsOf(change, hold.id));
    const applied = new Set(effects.filter(({ state }) => state === 'APPLIED').map(({ kind }) => kind));
    const seen = await this.see(job, hold, applied);
    const unlisted = await this.unlisted(steps, seen);
    await this.change(hold.id, async (change, locked) => {
      if (locked.state !== 'ACTIVE') return;
      await job.renewLease(change);
      const { keys } = this.parts;
      if (seen.payment !== undefined && (await lapseBy(change, keys, locked, seen.payment))) return;
      if (await this.bound(change, locked, seen.payment)) return;
      for (const each of await effectsOf(change, locked.id)) {
        if (unlisted.has(each.kind) && each.enforcedBy === 'PROVIDER')
          await become(change, keys, locked, each, { state: 'APPLIED', enforcedBy: 'PIPELINE' });
        if (each.kind !== 'PAUSE_RENEWAL' || each.state !== 'APPLIED') continue;
        if (wantedCalls(locked, 'PAUSE_RENEWAL', { seen, steps, targetOf: (each) => this.steps.targetOf(each) }).length === 0)
          continue;
        // Renewals that weren't there before, or that another hold's release has set going again: they are paused as at first.
        locked.planned = false;
        await change.save(locked);
        await become(change, keys, locked, each, { state: 'PENDING' });
      }
    });
  }

  /** Kinds of which a listing of ours is there no more. */
  private async unlisted(steps: readonly OpenedStep[], { sides }: Seen): Promise<ReadonlySet<HoldEffectKind>> {
    const made = steps.filter(({ state, call }) => state === 'DONE' && call?.action === 'LIST');
    const kinds = new Set<HoldEffectKind>();
    const from = (Math.floor(this.parts.clock().getTime() / lookEvery) * mostLookedAt) % Math.max(made.length, 1);
    for (const { row, call } of [...made.slice(from), ...made.slice(0, from)].slice(0, mostLookedAt)) {
      const provider = sides.get(row.customerId)?.provider;
      if (provider && call && !(await provider.holds(call))) kinds.add(row.kind);
    }
    return kinds;
  }
}
