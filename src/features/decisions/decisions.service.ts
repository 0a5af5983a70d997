import type { EventDraft } from '../../audit/event';
import { isSignedIn, type SignedInActor } from '../../authz/actor';
import type { DecisionPolicy } from '../../authz/policy/file';
import { permit } from '../../authz/rule';
import { Groups } from '../../background/groups';
import { Loop } from '../../background/loop';
import type { SystemChange } from '../../db/change';
import { DatabaseUnavailable } from '../../db/database-unavailable';
import { sql } from '../../db/sql';
import type { Values } from '../../db/table';
import { Failure } from '../../failure';
import { ulid } from '../../ulid';
import { unbraked } from '../actors/actor.brakes';
import type { Core } from '../core';
import { covers } from '../holds/covered';
import { type Holds, ofOnePayment } from '../holds/holds.service';
import type { Sources } from '../sources/sources.service';
import { type AskedDecision, askedDecision, type FoundSubjects, findSubjects } from './asked';
import { Budget } from './budget';
import { decisionBudgets, type PaymentDecision, paymentDecisions } from './decision.entity';
import type { PaymentDecisionInput } from './decision.type';
import type { DecisionStage, PaymentVerdict } from './decision.words';
import { decisionActions } from './decisions.policy';
import {
  budget,
  budgetRows,
  type DecisionRow,
  type DemandRow,
  decision,
  decisionIds,
  decisionRows,
  demand,
  demandRows,
} from './decisions.rows';
import { demandCustomers, presentDemand } from './demands';
import { type HoldInTheWay, judge, proofLasts } from './judgement';

/** Decisions that share one commit, and how many may wait before new ones are refused. */
const groupSize = 64;
const mostWaiting = 1_024;
/** Milliseconds after which one that waits isn't made any more: a checkout doesn't wait for it. */
const longestWait = 5_000;
/** How long, in milliseconds, an answer may be gone by, and how long it is kept for who asks the same again. */
const lasts: Readonly<Record<PaymentVerdict, number>> = {
  CLEAR: 60_000,
  STEP_UP: 24 * 3_600_000,
  REVIEW: 15 * 60_000,
  HOLD: 15 * 60_000,
};
const keptFor = 24 * 3_600_000;
/** Rows that are removed in one change, and in one turn; turns are so many milliseconds apart. */
const removedAtOnce = 500;
const mostRemoved = 20_000;
const removeEvery = 600_000;
/** Customers that one event names. */
const mostNamed = 5;
/** Milliseconds within which what was CLEAR is counted together. */
const countEvery = 60_000;

export interface DecisionParts extends Pick<Core, 'database' | 'keys' | 'clock'> {
  readonly policy: DecisionPolicy;
  readonly sources: Pick<Sources, 'paymentsSource' | 'waits'>;
  readonly holds: Pick<Holds, 'standing'>;
  readonly onFault: (error: unknown) => void;
}

interface Question {
  readonly asked: AskedDecision;
  readonly found: FoundSubjects;
}

/** Answers to the payment pipeline: whether anything that support or signals know stands in the way of a payment. */
export class Decisions {
  private readonly groups: Groups<AskedDecision, DecisionRow>;
  private readonly counting: Loop;
  /** Of this process, since its start: by stage and verdict. */
  private readonly made = new Map<string, { readonly stage: DecisionStage; readonly verdict: PaymentVerdict; count: number }>();
  private clear = new Map<DecisionStage, number>();
  private removedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly parts: DecisionParts) {
    const { onFault } = parts;
    this.groups = new Groups({
      size: groupSize,
      most: mostWaiting,
      patience: longestWait,
      commit: (group) => this.commit(group),
      refusal: (fault) => this.refusal(fault),
    });
    this.counting = new Loop({ turn: () => this.recordCounts(), every: countEvery, onFault });
    this.counting.start();
  }

  /**
   * The strictest of all that stands in the way of the payment, recorded before it is told. The same key with the same input has the same
   * answer, whatever happened since. Throws `INVALID`, `DENIED`, `CONFLICT`, `RECORD_UNAVAILABLE`.
   */
  async decide(actor: SignedInActor, input: PaymentDecisionInput): Promise<DecisionRow> {
    permit(actor, decisionActions.make, undefined);
    this.parts.sources.paymentsSource(input.source);
    const asked = askedDecision(actor, this.parts.keys, input);
    // Whoever waits for those that are committed with it leaves its place to others.
    return this.parts.sources.waits.during(this.groups.add(asked));
  }

  private refusal(fault?: unknown): unknown {
    if (fault instanceof DatabaseUnavailable) return fault;
    if (fault !== undefined) this.parts.onFault(fault);
    return new Failure('RECORD_UNAVAILABLE', 'The decision could not be recorded, so there is none.', {
      remedy: 'Ask again with the same key; what to do meanwhile is the merchant’s to say.',
      retryAfter: 2,
    });
  }

  /** For the operator: how often this process answered what, by stage, since its start. */
  get counts(): readonly { readonly stage: DecisionStage; readonly verdict: PaymentVerdict; readonly count: number }[] {
    return [...this.made.values()];
  }

  /** Removes what nobody may ask for again. Returns how many rows. */
  async sweep(): Promise<number> {
    if (performance.now() - this.removedAt < removeEvery) return 0;
    this.removedAt = performance.now();
    return this.removeOld();
  }

  /** Waits for what is under way, and writes what was only counted so far. */
  async close(): Promise<void> {
    await this.groups.idle();
    await this.counting.stop();
    await this.recordCounts();
  }

  /** See `sweep`, at once. */
  async removeOld(): Promise<number> {
    const { database, clock } = this.parts;
    const now = clock().getTime();
    let all = 0;
    while (all < mostRemoved) {
      const [answers, counts] = await database.system('expiry', 'decision.remove', async (change) => {
        const most = sql`LIMIT ${removedAtOnce}`;
        const old = await change.read(decisionIds, sql`WHERE ${decision.at} <= ${now - keptFor} ORDER BY ${decision.at} ${most}`);
        const past = await change.read(budgetRows, sql`WHERE ${budget.endsAt} <= ${now} ORDER BY ${budget.endsAt} ${most}`);
        const removed = [
          old.length === 0 ? 0 : await change.remove(paymentDecisions, sql`${decision.id} IN (${old.map(({ id }) => id)})`),
          past.length === 0 ? 0 : await change.remove(decisionBudgets, sql`${budget.id} IN (${past.map(({ id }) => id)})`),
        ] as const;
        if (removed[0] + removed[1] > 0)
          change.record('decision.remove', { detail: { answers: removed[0], counts: removed[1] } });
        return removed;
      });
      all += answers + counts;
      if (answers < removedAtOnce && counts < removedAtOnce) break;
    }
    return all;
  }

  private async recordCounts(): Promise<void> {
    if (this.clear.size === 0) return;
    const counted = this.clear;
    this.clear = new Map();
    await this.parts.database.system('recorder', 'decision.count', async (change) => {
      change.record('decision.count', { detail: Object.fromEntries(counted) });
    });
  }

  /** One that can't be committed keeps back none that came with it. */
  private async commit(asked: readonly AskedDecision[]): Promise<readonly (() => DecisionRow)[]> {
    try {
      return await this.commitTogether(asked);
    } catch (error) {
      if (asked.length === 1 || error instanceof DatabaseUnavailable) throw error;
      const results: (() => DecisionRow)[] = [];
      for (const each of asked) results.push(await this.commitAlone(each));
      return results;
    }
  }

  private async commitAlone(asked: AskedDecision): Promise<() => DecisionRow> {
    try {
      return (await this.commitTogether([asked]))[0] as () => DecisionRow;
    } catch (error) {
      const told = this.refusal(error);
      return () => {
        throw told;
      };
    }
  }

  private async commitTogether(asked: readonly AskedDecision[]): Promise<readonly (() => DecisionRow)[]> {
    const found = await findSubjects(this.parts.database, asked, this.parts.clock());
    const group = asked.map((each, index): Question => ({ asked: each, found: found[index] as FoundSubjects }));
    const { results, fresh } = await this.parts.database.system(
      'recorder',
      'decision.make',
      (change) => this.answer(change, group),
      { idempotent: true },
    );
    for (const { stage, verdict } of fresh) {
      const key = `${stage} ${verdict}`;
      const known = this.made.get(key) ?? { stage, verdict, count: 0 };
      known.count += 1;
      this.made.set(key, known);
      if (verdict === 'CLEAR') this.clear.set(stage, (this.clear.get(stage) ?? 0) + 1);
    }
    return results;
  }

  /** Everything that an answer goes by is read in the transaction that writes it. */
  private async answer(change: SystemChange, group: readonly Question[]) {
    // First what other transactions of the same services wait for: what is counted from here on nobody else counts meanwhile.
    const may = await unbraked(change, [...new Set(group.map(({ asked }) => asked.actor.id))]);
    const [before, spent, holds, demands] = await Promise.all([
      change.read(decisionRows, sql`WHERE ${decision.keyDigest} IN (${[...new Set(group.map(({ asked }) => asked.keyDigest))]})`),
      Budget.of(
        change,
        this.parts.keys,
        this.parts.policy,
        group.map(({ asked }) => asked),
      ),
      this.holdsOn(change, group),
      demandsOn(change, group),
    ]);
    const known = new Map(before.map((row) => [row.keyDigest, row]));
    const fresh: { readonly stage: DecisionStage; readonly verdict: PaymentVerdict }[] = [];
    const rows: Values<PaymentDecision>[] = [];
    const results: (() => DecisionRow)[] = [];
    for (const question of group) {
      const { asked } = question;
      const answered = known.get(asked.keyDigest);
      const refusal = answered ? refusalOf(answered, asked) : may.has(asked.actor.id) ? spent.refusal(asked) : braked();
      if (refusal !== null) {
        results.push(() => {
          throw refusal;
        });
        continue;
      }
      if (answered) {
        results.push(() => answered);
        continue;
      }
      const made = await this.make(change, question, holds(question), demands);
      const row = { ...made, serviceId: asked.actor.id, stage: asked.stage, at: change.at };
      rows.push(row);
      fresh.push({ stage: asked.stage, verdict: made.verdict });
      known.set(asked.keyDigest, made);
      results.push(() => made);
    }
    await Promise.all([change.tally(paymentDecisions, rows), spent.write(change)]);
    return { results, fresh };
  }

  /** One answer, with its event and the demand that it names. */
  private async make(
    change: SystemChange,
    { asked, found }: Question,
    holds: readonly HoldInTheWay[],
    known: Map<string, DemandRow>,
  ): Promise<DecisionRow> {
    const { keys, policy } = this.parts;
    const { actor, source, stage, isThere, keyDigest, requestDigest } = asked;
    const { names, payerId, payerNames, isCut } = found;
    const demands = [...known.values()].filter((each) => names.includes(each.customerId) || names.includes(each.payerId ?? ''));
    const { verdict, restsOn, firstEnd } = judge({ stage, isThere, payerId, payerNames, isCut, holds, demands, at: change.at });
    const isStepUp = verdict === 'STEP_UP' && payerId !== null;
    const shown = isStepUp
      ? await presentDemand(change, keys, { service: actor, payerId, source, stage, obstacles: restsOn, demands })
      : null;
    if (shown) known.set(shown.id, shown);
    const end = Math.min(
      change.at.getTime() + lasts[verdict],
      (shown?.expiresAt ?? firstEnd)?.getTime() ?? Number.POSITIVE_INFINITY,
    );
    const row: DecisionRow = {
      id: `dcs_${ulid(change.at.getTime())}`,
      keyDigest,
      requestDigest,
      verdict,
      demandId: shown?.id ?? null,
      route: verdict === 'REVIEW' ? policy.routes.review : verdict === 'HOLD' ? policy.routes.hold : null,
      validUntil: new Date(end),
    };
    if (verdict === 'CLEAR') return row;
    const by: EventDraft['actor'] = { id: actor.id, kind: actor.kind, roles: isSignedIn(actor) ? actor.roles : [] };
    change.recordFor(by, 'decision.make', {
      subject: { type: 'PaymentDecision', id: row.id },
      customers: await demandCustomers(change, keys, names.slice(0, mostNamed)),
      detail: {
        verdict,
        stage,
        demand: row.demandId,
        route: row.route,
        until: row.validUntil.toISOString(),
        key: keyDigest,
        restsOn: [...new Set([...restsOn, ...(shown ? [shown.id] : [])])],
      },
    });
    return row;
  }

  /** The holds that stand, read together for all; what stands in the way of each. */
  private async holdsOn(change: SystemChange, group: readonly Question[]) {
    // Asked about nobody where nobody is found, so that as much is asked in any case.
    const distinct = (of: (question: Question) => readonly string[]) => [...new Set(['', ...group.flatMap(of)])];
    const { holds } = this.parts;
    const all = await holds.standing(change, {
      payerIds: distinct(({ found }) => found.payerIds),
      customerIds: distinct(({ found }) => found.names),
      transactionIds: distinct(({ found }) => found.transactionIds),
      emailDomain: null,
    });
    const ofDomain = new Map<string, Awaited<ReturnType<Holds['standing']>>>();
    for (const { asked } of group) {
      const { emailDomain } = asked;
      if (emailDomain === null || ofDomain.has(emailDomain)) continue;
      ofDomain.set(emailDomain, await holds.standing(change, { payerIds: [], customerIds: [], transactionIds: [], emailDomain }));
    }
    return ({ asked, found }: Question): readonly HoldInTheWay[] => {
      const { names, payerNames, transactionIds } = found;
      const isOfPayment = (id: string | null) => id !== null && transactionIds.includes(id);
      const onGroup = ofDomain.get(asked.emailDomain ?? '') ?? [];
      const onThese = all.filter((hold) => covers(hold, names) || isOfPayment(hold.transactionId));
      return [...new Map([...onThese, ...onGroup].map((hold) => [hold.id, hold])).values()].map((hold) => ({
        ...hold,
        // What is about one payment stands in no other's way, which another question of the group may be about.
        effects: hold.effects.filter(
          ({ kind }) => hold.transactionId === null || isOfPayment(hold.transactionId) || !ofOnePayment.includes(kind),
        ),
        isOfPayer: covers(hold, payerNames) || onGroup.some(({ id }) => id === hold.id),
      }));
    };
  }
}

/** The demands that are asked for, were failed, or were met lately, of all that these questions are about. */
const demandsOn = async (change: SystemChange, group: readonly Question[]): Promise<Map<string, DemandRow>> => {
  const names = [...new Set(group.flatMap(({ found }) => found.names))];
  const among = names.length > 0 ? names : [''];
  const since = new Date(change.at.getTime() - proofLasts);
  const isTheirs = sql`(${demand.customerId} IN (${among}) OR ${demand.payerId} IN (${among}))`;
  // One that is past its time and whose end nobody wrote down yet is in the way of the next.
  const mayMatter = sql`(${demand.openKey} IS NOT NULL OR (${demand.state} = 'FAILED' AND ${demand.expiresAt} > ${since}) OR ${demand.authenticatedAt} > ${since})`;
  const rows = await change.read(demandRows, sql`WHERE ${isTheirs} AND ${mayMatter} ORDER BY ${demand.id}`);
  return new Map(rows.map((row) => [row.id, row]));
};

const refusalOf = (before: DecisionRow, { requestDigest }: AskedDecision): Failure | null =>
  before.requestDigest === requestDigest
    ? null
    : new Failure('CONFLICT', 'The idempotency key was used for another request.', {
        argument: 'input.idempotencyKey',
        remedy: 'Take a new key for a new request.',
      });

const braked = (): Failure => Failure.denied('BRAKE', decisionActions.make.name);
