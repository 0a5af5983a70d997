import type { History } from './history';
import type { Answer, Ask, Finding, Judgement, Need, Rule, RuleEffect, RuleMode, Surroundings, Verdict } from './rule';
import { type Signal, signalName } from './signal';

/** A rule as a file sets it. */
export interface RuleSetting {
  readonly rule: Rule;
  readonly mode: RuleMode;
  /** As the rule's schema gives them. */
  readonly thresholds: unknown;
  readonly effects: readonly RuleEffect[];
}

/** What came longer after it occurred than this only alerts: whoever it is about has gone on since. */
export const latest = 3_600_000;

/** Signals that one verdict names at most. */
const mostEvidence = 100;

const verdictOf = ({ rule, effects }: RuleSetting, signal: Signal, finding: Finding, isLate: boolean): Verdict | null => {
  const value = signal.subjects[finding.subject];
  if (value === undefined) return null;
  const each = finding.each && signal.subjects[finding.each];
  const left = isLate ? [] : effects.filter((effect) => !finding.withheld?.includes(effect));
  return {
    rule: rule.name,
    version: rule.version,
    at: signal.occurredAt,
    subject: { name: finding.subject, value },
    each: finding.each !== undefined && each !== undefined ? { name: finding.each, value: each } : null,
    subjects: signal.subjects,
    window: finding.window,
    counts: finding.counts,
    evidence: finding.evidence.slice(-mostEvidence),
    effects: left.length === 0 ? ['alert'] : left,
    isLate,
    sentence: finding.sentence,
  };
};

/** Of copies of a signal the first: the one that is judged, where it is that. Read by another name of its customer it is another one. */
const oneOfEach = (judged: Signal): ((signal: Signal) => Signal) => {
  const keyOf = (signal: Signal): string => `${signalName(signal)} ${signal.subjects.customer ?? ''}`;
  const known = new Map([[keyOf(judged), judged]]);
  return (signal) => {
    const key = keyOf(signal);
    const first = known.get(key);
    if (first === undefined) known.set(key, signal);
    return first ?? signal;
  };
};

interface Running {
  readonly setting: RuleSetting;
  readonly judgement: Judgement;
  step: IteratorResult<Ask, Finding | null>;
}

/**
 * The rules that are given, over one signal after the other in the order in which they were received. It keeps nothing: the same
 * signals give the same verdicts, whenever and wherever they are judged.
 */
export class Evaluator {
  private readonly byType = new Map<string, RuleSetting[]>();

  constructor(
    private readonly settings: readonly RuleSetting[],
    private readonly surroundings: Surroundings,
  ) {
    for (const setting of settings)
      for (const type of setting.rule.triggers) {
        const others = this.byType.get(type);
        if (others) others.push(setting);
        else this.byType.set(type, [setting]);
      }
  }

  /** What the past is asked for, at most. */
  get needs(): readonly Need[] {
    return this.settings.flatMap(({ rule, thresholds }) => rule.needs(thresholds));
  }

  /** The verdicts on a signal, of a past that answers at once. */
  judge(signal: Signal, isLate: boolean, answer: (ask: Ask) => Answer): readonly Verdict[] {
    const verdicts: Verdict[] = [];
    for (const setting of this.byType.get(signal.type) ?? []) {
      const judgement = setting.rule.judge(signal, setting.thresholds, this.surroundings);
      let step = judgement.next();
      while (!step.done) step = judgement.next(answer(step.value));
      const verdict = step.value && verdictOf(setting, signal, step.value, isLate);
      if (verdict) verdicts.push(verdict);
    }
    return verdicts;
  }

  /**
   * The same of a past that has to be read: what several rules ask for at a time is one question. A signal that is read for several windows
   * is one object, and the one that is judged is itself, as in memory.
   */
  async judgeBy(signal: Signal, isLate: boolean, history: History): Promise<readonly Verdict[]> {
    const all = (this.byType.get(signal.type) ?? []).map((setting): Running => {
      const judgement = setting.rule.judge(signal, setting.thresholds, this.surroundings);
      return { setting, judgement, step: judgement.next() };
    });
    const one = oneOfEach(signal);
    for (;;) {
      const asking = all.flatMap((each) => (each.step.done ? [] : [{ each, ask: each.step.value }]));
      if (asking.length === 0) break;
      const [signals, days] = await Promise.all([
        history.signals(asking.flatMap(({ ask }) => ask.signals)),
        history.days(asking.flatMap(({ ask }) => ask.days)),
      ]);
      let signalsTaken = 0;
      let daysTaken = 0;
      for (const { each, ask } of asking) {
        each.step = each.judgement.next({
          signals: signals.slice(signalsTaken, signalsTaken + ask.signals.length).map((list) => list.map(one)),
          days: days.slice(daysTaken, daysTaken + ask.days.length),
        });
        signalsTaken += ask.signals.length;
        daysTaken += ask.days.length;
      }
    }
    return all.flatMap(({ setting, step }) => {
      const verdict = step.value && 'evidence' in step.value ? verdictOf(setting, signal, step.value, isLate) : null;
      return verdict ? [verdict] : [];
    });
  }
}
