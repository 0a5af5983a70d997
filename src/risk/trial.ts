import { Evaluator, latest } from './evaluator';
import { OpenVerdicts } from './open-verdicts';
import type { RuleMode, RuleName, Verdict } from './rule';
import type { RulesFile } from './rules-file';
import type { Signal } from './signal';
import { StreamHistory } from './stream-history';
import { days } from './windows';

const forgetEvery = 16_384;

/** The rules of a file, those that are OFF too, over a stream of signals in the order of receipt. Nothing follows of what they find. */
export class Trial {
  private readonly evaluator: Evaluator;
  private readonly history: StreamHistory;
  private readonly open = new OpenVerdicts();
  private readonly modes: ReadonlyMap<RuleName, RuleMode>;
  private taken = 0;

  constructor({ settings, sharedMailDomains }: RulesFile) {
    this.evaluator = new Evaluator(settings, {
      isSharedMailDomain: (domain) => sharedMailDomains.has(domain.toLowerCase()),
    });
    this.history = new StreamHistory(this.evaluator.needs);
    this.modes = new Map(settings.map(({ rule, mode }) => [rule.name, mode]));
  }

  modeOf = (rule: RuleName): RuleMode => this.modes.get(rule)!;

  /** The verdicts that a signal adds: new ones, and those that have more effects than one that is open. */
  take(signal: Signal): readonly Verdict[] {
    const { history } = this;
    const isLate = history.clock - signal.occurredAt.getTime() > latest;
    if (!history.add(signal)) return [];
    this.taken += 1;
    if (this.taken % forgetEvery === 0) this.open.forget(history.clock - 2 * days);
    const verdicts = this.evaluator.judge(signal, isLate, history.answer);
    return verdicts.length === 0 ? verdicts : verdicts.filter((verdict) => this.open.take(verdict) !== 'again');
  }
}
