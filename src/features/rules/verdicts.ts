import { createHash } from 'node:crypto';
import { readLeaf } from '../../audit/leaf';
import { auditEvents } from '../../db/audit.entity';
import type { Change, SystemChange } from '../../db/change';
import { DatabaseUnavailable } from '../../db/database-unavailable';
import { sql } from '../../db/sql';
import { select } from '../../db/table';
import { Evaluator, latest, type RuleSetting } from '../../risk/evaluator';
import type { RuleEffect, RuleMode, Verdict } from '../../risk/rule';
import type { RulesFile } from '../../risk/rules-file';
import type { Signal } from '../../risk/signal';
import { raise } from '../alerts/raising';
import type { Brakes } from '../brakes/brakes.service';
import type { Keys } from '../keys/keys.service';
import type { FeedConsumer, PlacedSignal } from '../signals/consumer';
import type { NamesOfCustomer, SignalHistory } from '../signals/history';
import { loggedName } from '../signals/logged-name';
import { ownSource } from '../signals/own-source';
import { subjectDigest } from '../signals/subjects';
import { alertDraft } from './alert-drafts';

/** What occurred longer before it was told than this, in milliseconds, is the past of others and judged by nobody: a first fill tells of months. */
const oldest = 7 * 24 * 3_600_000;
/** Signals that the event of a verdict names, the newest. */
const mostSignals = 50;
/** Earlier verdicts on the same subject that one is held against. */
const mostEarlier = 4;
/** Customers of ours that one verdict alerts about: those that are one person at the payment side. */
const mostCustomers = 5;

const events = select(auditEvents.pick('leaf'), sql`FROM ${auditEvents}`);

/** A verdict with the mode of its rule and whom it is about, as far as they are known here. */
export interface JudgedVerdict {
  readonly verdict: Verdict;
  readonly mode: Exclude<RuleMode, 'OFF'>;
  readonly isAboutAgents: boolean;
  /** `cus_…`. */
  readonly customers: readonly string[];
  /** All that signals call them by. */
  readonly names: readonly string[];
}

export interface RuleWatchParts {
  readonly file: RulesFile;
  readonly history: SignalHistory;
  readonly keys: Keys;
  readonly brakes: Pick<Brakes, 'place'>;
  readonly namesOfCustomer: NamesOfCustomer;
  /** A signal, as the log names it, that the rules can't be asked about. */
  readonly onUnjudged: (signal: string, error: unknown) => void;
}

/** What is called a verdict on somebody by a rule, in the log: nothing that tells who it is. */
const verdictId = ({ rule, subject }: Verdict): string =>
  createHash('sha256')
    .update(JSON.stringify([rule, subject.name, subject.value]))
    .digest('base64url');

/** An earlier verdict, as its event states it. */
interface Earlier {
  readonly at: number;
  readonly window: number;
  readonly effects: readonly string[];
}

/**
 * What follows of a verdict of a rule that is on. A brake rests on what the gateway itself saw: whoever may tell of payments can't stop
 * the staff by telling of them.
 */
const carriedOut = ({ verdict: { effects, evidence }, isAboutAgents }: JudgedVerdict): readonly RuleEffect[] => {
  if (!isAboutAgents) return ['alert'];
  return effects.includes('brake') && evidence.every(({ source }) => source === ownSource) ? ['brake'] : [];
};

/** The same was said of the same subject within the window, with these effects or more. */
const isSaid = ({ at, window, effects }: Verdict, before: readonly Earlier[]): boolean => {
  const same = before.filter((each) => Math.abs(each.at - at.getTime()) <= Math.max(each.window, window));
  return same.length > 0 && effects.every((effect) => effect === 'alert' || same.some((each) => each.effects.includes(effect)));
};

/** Evaluates the rules over each signal, once, and records and does what follows. */
export class RuleWatch implements FeedConsumer<readonly JudgedVerdict[]> {
  readonly name = 'rules';
  private readonly evaluator: Evaluator;
  private readonly settings: ReadonlyMap<string, RuleSetting>;

  constructor(private readonly parts: RuleWatchParts) {
    const { settings, sharedMailDomains } = parts.file;
    const inUse = settings.filter(({ mode }) => mode !== 'OFF');
    this.settings = new Map(inUse.map((setting) => [setting.rule.name, setting]));
    // Signals name a domain by its digest.
    const shared = new Set([...sharedMailDomains].map((domain) => subjectDigest(parts.keys.digests, 'emailDomain', domain)));
    this.evaluator = new Evaluator(inUse, { isSharedMailDomain: (domain) => shared.has(domain) });
  }

  readonly judge = async (signals: readonly PlacedSignal[]): Promise<readonly JudgedVerdict[]> => {
    const judged: JudgedVerdict[] = [];
    for (const { position, receivedAt, signal } of signals) {
      const age = receivedAt.getTime() - signal.occurredAt.getTime();
      if (age > oldest) continue;
      for (const verdict of await this.verdictsOn(signal, age > latest, position)) {
        const setting = this.settings.get(verdict.rule) as RuleSetting;
        judged.push({
          verdict,
          mode: setting.mode === 'ON' ? 'ON' : 'SHADOW',
          isAboutAgents: setting.rule.isAboutAgents,
          ...(await this.customersOf(verdict)),
        });
      }
    }
    return judged;
  };

  /** One signal that can't be judged keeps none of those behind it from being: it is told of, and passed over. */
  private async verdictsOn(signal: Signal, isLate: boolean, position: number): Promise<readonly Verdict[]> {
    try {
      return await this.evaluator.judgeBy(signal, isLate, this.parts.history.at(position));
    } catch (error) {
      if (error instanceof DatabaseUnavailable) throw error;
      this.parts.onUnjudged(loggedName(signal), error);
      return [];
    }
  }

  readonly apply = async (change: Change, verdicts: readonly JudgedVerdict[]): Promise<void> => {
    // What this change records isn't stored before it ends.
    const recorded = new Map<string, Earlier[]>();
    for (const judged of verdicts) await this.take(change as SystemChange, judged, recorded);
  };

  private async take(change: SystemChange, judged: JudgedVerdict, recorded: Map<string, Earlier[]>): Promise<void> {
    const { verdict, mode, customers, names } = judged;
    const id = verdictId(verdict);
    const before = [...(recorded.get(id) ?? []), ...(await this.earlier(change, id))];
    if (isSaid(verdict, before)) return;
    recorded.set(id, [{ at: verdict.at.getTime(), window: verdict.window, effects: verdict.effects }, ...before]);
    const done = mode === 'ON' ? carriedOut(judged) : [];
    const about = await Promise.all(customers.map((each) => this.parts.keys.customerUnderDigest(change, each)));
    const { ticket } = verdict.subjects;
    change.record('rule.verdict', {
      ...(ticket?.startsWith('tkt_') ? { ticketId: ticket } : {}),
      subject: { type: 'Verdict', id },
      customers: about.flatMap((each) => each ?? []),
      detail: {
        rule: verdict.rule,
        version: verdict.version,
        mode,
        late: verdict.isLate,
        at: verdict.at.toISOString(),
        window: verdict.window,
        counts: Object.entries(verdict.counts).map(([name, count]) => `${name} ${count}`),
        effects: verdict.effects,
        done,
        signals: verdict.evidence.slice(-mostSignals).map(loggedName),
      },
    });
    // Whoever has the ticket may be whom a rule about staff is about: those are for others to look at.
    if (done.includes('alert'))
      for (const customerId of customers) await raise(change, this.parts.keys, alertDraft(verdict, customerId, names));
    if (done.includes('brake')) await this.brake(change, verdict);
  }

  private async brake(change: SystemChange, verdict: Verdict): Promise<void> {
    const { staff, team } = verdict.subjects;
    if (staff === undefined) return;
    await this.parts.brakes.place(change, {
      stops: staff.startsWith('act_') ? { actorId: staff, staffIds: [] } : { actorId: null, staffIds: [staff] },
      teams: team === undefined ? [] : [team],
      level: 'READS',
      rule: verdict.rule,
      ruleVersion: verdict.version,
      signals: verdict.evidence.map(loggedName),
    });
  }

  private async earlier(change: Change, id: string): Promise<readonly Earlier[]> {
    const rows = await change.read(
      events,
      sql`WHERE ${auditEvents.subjectType} = 'Verdict' AND ${auditEvents.subjectId} = ${id} ORDER BY ${auditEvents.at} DESC LIMIT ${mostEarlier}`,
    );
    return rows.map(({ leaf }) => {
      const { detail } = readLeaf(leaf.toString('utf8'));
      return { at: Date.parse(String(detail.at)), window: Number(detail.window), effects: detail.effects as readonly string[] };
    });
  }

  private async customersOf({ subjects: { customer } }: Verdict): Promise<Pick<JudgedVerdict, 'customers' | 'names'>> {
    const names = customer === undefined ? [] : await this.parts.namesOfCustomer(customer);
    return { customers: names.filter((each) => each.startsWith('cus_')).slice(0, mostCustomers), names };
  }
}
