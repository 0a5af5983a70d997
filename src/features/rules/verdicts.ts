import { createHash } from 'node:crypto';
import { storedLeaf } from '../../audit/leaf';
import { auditCustomers, auditEvents } from '../../db/audit.entity';
import type { Change, SystemChange } from '../../db/change';
import { DatabaseUnavailable } from '../../db/database-unavailable';
import { sql } from '../../db/sql';
import { select } from '../../db/table';
import { Evaluator, latest, type RuleSetting } from '../../risk/evaluator';
import type { History } from '../../risk/history';
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
import { afterRelease } from './released';

/** What occurred longer before it was told than this, in milliseconds, is the past of others and judged by nobody: a first fill tells of months. */
const oldest = 7 * 24 * 3_600_000;
/** Signals that the event of a verdict names, the newest. */
const mostSignals = 50;
/** Earlier verdicts on the same subject, and on the same customer with it, that one is held against. */
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
  readonly brakes: Pick<Brakes, 'place' | 'lastRelease'>;
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
  readonly done: readonly string[];
  /** `cus_…` that it is about. */
  readonly customers: readonly string[];
}

/**
 * What follows of a verdict of a rule that is on. A brake rests on what the gateway itself saw: whoever may tell of payments can't stop
 * the staff by telling of them.
 */
const carriedOut = ({ verdict: { effects, evidence }, isAboutAgents }: JudgedVerdict): readonly RuleEffect[] => {
  if (!isAboutAgents) return ['alert'];
  return effects.includes('brake') && evidence.every(({ source }) => source === ownSource) ? ['brake'] : [];
};

/** What was said of the same subject within the window. */
const within = ({ at, window }: Verdict, before: readonly Earlier[]): readonly Earlier[] =>
  before.filter((each) => Math.abs(each.at - at.getTime()) <= Math.max(each.window, window));

/** The same was said, with these effects or more. */
const isSaid = ({ effects }: Verdict, same: readonly Earlier[]): boolean =>
  same.length > 0 && effects.every((effect) => effect === 'alert' || same.some((each) => each.effects.includes(effect)));

const textsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];

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
    const { brakes } = this.parts;
    try {
      const past = this.parts.history.at(position);
      const judge = (history: History) => this.evaluator.judgeBy(signal, isLate, history);
      const found = await Promise.all((await judge(past)).map((each) => afterRelease(each, { past, judge, brakes })));
      return found.filter((each) => each !== null);
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
    const { verdict, mode, customers } = judged;
    const id = verdictId(verdict);
    const same = within(verdict, [...(recorded.get(id) ?? []), ...(await this.earlier(change, id, customers))]);
    const { done, told } = mode === 'ON' ? await this.carryOut(change, judged, same) : { done: [], told: [] };
    // What was said already is said again only where something new followed.
    if (done.length === 0 && isSaid(verdict, same)) return;
    const about = told.length === 0 ? customers : told;
    const { at, window, effects } = verdict;
    recorded.set(id, [{ at: at.getTime(), window, effects, done, customers: about }, ...(recorded.get(id) ?? [])]);
    const named = await Promise.all(about.map((each) => this.parts.keys.customerUnderDigest(change, each)));
    const { ticket } = verdict.subjects;
    change.record('rule.verdict', {
      ...(ticket?.startsWith('tkt_') ? { ticketId: ticket } : {}),
      subject: { type: 'Verdict', id },
      customers: named.flatMap((each) => each ?? []),
      detail: {
        rule: verdict.rule,
        version: verdict.version,
        mode,
        late: verdict.isLate,
        at: at.toISOString(),
        window,
        counts: Object.entries(verdict.counts).map(([name, count]) => `${name} ${count}`),
        effects,
        done,
        signals: verdict.evidence.slice(-mostSignals).map(loggedName),
      },
    });
  }

  /** Does what follows and hasn't followed yet. Returns what did, and the customers who have an alert by it. */
  private async carryOut(
    change: SystemChange,
    judged: JudgedVerdict,
    same: readonly Earlier[],
  ): Promise<{ readonly done: readonly RuleEffect[]; readonly told: readonly string[] }> {
    const { verdict, customers, names } = judged;
    const effects = carriedOut(judged);
    const told: string[] = [];
    // Whoever has the ticket may be whom a rule about staff is about: those are for others to look at.
    if (effects.includes('alert'))
      for (const customerId of customers) {
        if (same.some((each) => each.done.includes('alert') && each.customers.includes(customerId))) continue;
        const { outcome } = await raise(change, this.parts.keys, alertDraft(verdict, customerId, names));
        if (outcome === 'raised' || outcome === 'updated' || outcome === 'unchanged') told.push(customerId);
      }
    const isBraked = effects.includes('brake') && (await this.brake(change, verdict));
    return { done: [...(told.length > 0 ? (['alert'] as const) : []), ...(isBraked ? (['brake'] as const) : [])], told };
  }

  /** Whether a brake was put on somebody by this, who had none of this rule. */
  private async brake(change: SystemChange, verdict: Verdict): Promise<boolean> {
    const { staff, team } = verdict.subjects;
    if (staff === undefined) return false;
    const placed = await this.parts.brakes.place(change, {
      stops: staff.startsWith('act_') ? { actorId: staff, staffIds: [] } : { actorId: null, staffIds: [staff] },
      teams: team === undefined ? [] : [team],
      level: 'READS',
      rule: verdict.rule,
      ruleVersion: verdict.version,
      signals: verdict.evidence.map(loggedName),
    });
    return placed?.isNew === true;
  }

  /** The newest verdicts on this subject, and the newest that are about one of these customers with it. */
  private async earlier(change: Change, id: string, customers: readonly string[]): Promise<readonly Earlier[]> {
    const isSame = sql`${auditEvents.subjectType} = 'Verdict' AND ${auditEvents.subjectId} = ${id}`;
    const newest = sql`ORDER BY ${auditEvents.at} DESC LIMIT ${mostEarlier}`;
    const found = (await change.read(events, sql`WHERE ${isSame} ${newest}`)).map((row) => ({
      ...row,
      customers: [] as readonly string[],
    }));
    for (const customerId of customers) {
      const ofTheirs = sql`SELECT ${auditCustomers.eventId} FROM ${auditCustomers} WHERE ${auditCustomers.customerId} = ${customerId}`;
      const theirs = await change.read(events, sql`WHERE ${isSame} AND ${auditEvents.id} IN (${ofTheirs}) ${newest}`);
      found.push(...theirs.map((row) => ({ ...row, customers: [customerId] })));
    }
    return found.flatMap(({ leaf, customers: about }): Earlier[] => {
      const read = storedLeaf(leaf);
      if (!read) return [];
      const { at, window, effects, done } = read.detail;
      const times = { at: Date.parse(String(at)), window: Number(window) };
      return [{ ...times, effects: textsIn(effects), done: textsIn(done), customers: about }];
    });
  }

  private async customersOf({ subjects: { customer } }: Verdict): Promise<Pick<JudgedVerdict, 'customers' | 'names'>> {
    const names = customer === undefined ? [] : await this.parts.namesOfCustomer(customer);
    return { customers: names.filter((each) => each.startsWith('cus_')).slice(0, mostCustomers), names };
  }
}
