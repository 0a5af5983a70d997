import { createHash } from 'node:crypto';
import type { Change, SystemChange } from '../../db/change';
import { DatabaseUnavailable } from '../../db/database-unavailable';
import { sql } from '../../db/sql';
import { Evaluator, latest, type RuleSetting } from '../../risk/evaluator';
import type { History } from '../../risk/history';
import { subjectKey } from '../../risk/open-verdicts';
import type { Verdict } from '../../risk/rule';
import type { RulesFile } from '../../risk/rules-file';
import type { Signal } from '../../risk/signal';
import type { Brakes } from '../brakes/brakes.service';
import type { FeedConsumer, PlacedSignal } from '../signals/consumer';
import type { NamesOfCustomer, SignalHistory } from '../signals/history';
import { loggedName } from '../signals/logged-name';
import { s } from '../signals/signals.rows';
import { subjectDigest } from '../signals/subjects';
import {
  type ConsequenceParts,
  Consequences,
  type EarlierVerdict,
  type Followed,
  type JudgedVerdict,
  ticketIn,
} from './consequences';
import { verdictsOn } from './recorded-verdicts';
import { afterRelease } from './released';

/** What occurred longer before it was told than this, in milliseconds, is the past of others and judged by nobody: a first fill tells of months. */
const oldest = 7 * 24 * 3_600_000;
/**
 * Signals whose past is read together: what is asked of several at a time costs little more than of one. What staff do has a past of thousands, and is
 * judged by itself.
 */
const judgedTogether = 16;
/** Signals that the event of a verdict names, the newest. */
const mostSignals = 50;
/** Customers of a group that a hold names. */
const mostInGroup = 50;
/** Customers of ours that one verdict alerts about: those that are one person at the payment side. */
const mostCustomers = 5;

/** Those of a customer's names that are the helpdesk's customers here, in the same order whichever of them was asked for. */
const ours = (names: readonly string[]): readonly string[] => names.filter((each) => each.startsWith('cus_')).sort();

export interface RuleWatchParts extends ConsequenceParts {
  readonly file: RulesFile;
  readonly history: SignalHistory;
  readonly brakes: Pick<Brakes, 'place' | 'lastRelease'>;
  readonly namesOfCustomer: NamesOfCustomer;
  /** A signal, as the log names it, that the rules can't be asked about. */
  readonly onUnjudged: (signal: string, error: unknown) => void;
}

/** What is called a verdict on somebody by a rule, in the log: nothing that tells who it is. */
const verdictId = (verdict: Verdict): string => createHash('sha256').update(subjectKey(verdict)).digest('base64url');

/** The verdict on a customer under one name of theirs, whichever the signal had: senders of either side tell of the same person. */
const ofOneName = (verdict: Verdict, [name]: readonly string[]): Verdict =>
  name === undefined || verdict.subject.name !== 'customer'
    ? verdict
    : { ...verdict, subject: { name: 'customer', value: name } };

/** What was said of the same subject within the window. */
const within = ({ at, window }: Verdict, before: readonly EarlierVerdict[]): readonly EarlierVerdict[] =>
  before.filter((each) => Math.abs(each.at - at.getTime()) <= Math.max(each.window, window));

/** The same was said, with these effects or more. */
const isSaid = ({ effects }: Verdict, same: readonly EarlierVerdict[]): boolean =>
  same.length > 0 && effects.every((effect) => effect === 'alert' || same.some((each) => each.effects.includes(effect)));

const isOfStaff = ({ signal: { subjects } }: PlacedSignal): boolean =>
  subjects.staff !== undefined || subjects.team !== undefined;

/** Those from this one on that are judged together. */
const together = (signals: readonly PlacedSignal[], from: number): readonly PlacedSignal[] => {
  const some = signals.slice(from, from + judgedTogether);
  const alone = some.findIndex(isOfStaff);
  return alone === -1 ? some : some.slice(0, Math.max(1, alone));
};

/** Evaluates the rules over each signal, once, and records and does what follows. */
export class RuleWatch implements FeedConsumer<readonly JudgedVerdict[]> {
  readonly name = 'rules';
  private readonly evaluator: Evaluator;
  private readonly settings: ReadonlyMap<string, RuleSetting>;
  private readonly consequences = new Consequences(this.parts);

  constructor(private readonly parts: RuleWatchParts) {
    const { settings, sharedMailDomains } = parts.file;
    const inUse = settings.filter(({ mode }) => mode !== 'OFF');
    this.settings = new Map(inUse.map((setting) => [setting.rule.name, setting]));
    // Signals name a domain by its digest.
    const shared = new Set([...sharedMailDomains].map((domain) => subjectDigest(parts.keys.digests, 'emailDomain', domain)));
    this.evaluator = new Evaluator(inUse, { isSharedMailDomain: (domain) => shared.has(domain) });
  }

  readonly about = sql`${s.receivedAt} - ${s.occurredAt} <= ${oldest}`;

  readonly judge = async (signals: readonly PlacedSignal[]): Promise<readonly JudgedVerdict[]> => {
    const judged: JudgedVerdict[] = [];
    for (let at = 0; at < signals.length; ) {
      const some = together(signals, at);
      const verdicts = await Promise.all(
        some.map(({ position, receivedAt, signal }) => {
          const age = receivedAt.getTime() - signal.occurredAt.getTime();
          return this.verdictsOn(signal, age > latest, position);
        }),
      );
      for (const verdict of verdicts.flat()) judged.push(await this.judgedOf(verdict));
      at += some.length;
    }
    return judged;
  };

  private async judgedOf(verdict: Verdict): Promise<JudgedVerdict> {
    const setting = this.settings.get(verdict.rule) as RuleSetting;
    const known = await this.customersOf(verdict);
    return {
      verdict: ofOneName(verdict, known.customers),
      mode: setting.mode === 'ON' ? 'ON' : 'SHADOW',
      isAboutAgents: setting.rule.isAboutAgents,
      ...known,
    };
  }

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
    const recorded = new Map<string, EarlierVerdict[]>();
    for (const judged of verdicts) await this.take(change as SystemChange, judged, recorded);
  };

  private async take(change: SystemChange, judged: JudgedVerdict, recorded: Map<string, EarlierVerdict[]>): Promise<void> {
    const { verdict, mode, customers } = judged;
    const id = verdictId(verdict);
    const same = within(verdict, [...(recorded.get(id) ?? []), ...(await verdictsOn(change, id, customers))]);
    const nothing: Followed = { done: [], customers: [] };
    const { done, customers: followed } = mode === 'ON' ? await this.consequences.carryOut(change, judged, same) : nothing;
    // What was said already is said again only where something new followed.
    if (done.length === 0 && isSaid(verdict, same)) return;
    const about = followed.length === 0 ? customers : followed;
    const { at, window, effects } = verdict;
    recorded.set(id, [{ at: at.getTime(), window, effects, done, customers: about }, ...(recorded.get(id) ?? [])]);
    const named = await Promise.all(about.map((each) => this.parts.keys.customerUnderDigest(change, each)));
    const ticketId = ticketIn(verdict);
    change.record('rule.verdict', {
      ...(ticketId === null ? {} : { ticketId }),
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

  private async customersOf(verdict: Verdict): Promise<Pick<JudgedVerdict, 'customers' | 'names' | 'group'>> {
    const { customer } = verdict.subjects;
    const names = customer === undefined ? [] : await this.parts.namesOfCustomer(customer);
    return { customers: ours(names).slice(0, mostCustomers), names, group: await this.groupOf(verdict) };
  }

  private async groupOf({ effects, evidence }: Verdict): Promise<readonly string[]> {
    if (!effects.includes('propose-group-hold')) return [];
    // The newest first: whoever came last pays next.
    const named = new Set(evidence.toReversed().flatMap(({ subjects: { customer } }) => customer ?? []));
    const group = new Set<string>();
    for (const each of named) {
      for (const id of ours(await this.parts.namesOfCustomer(each))) group.add(id);
      if (group.size >= mostInGroup) break;
    }
    return [...group].slice(0, mostInGroup);
  }
}
