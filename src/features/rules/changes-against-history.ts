import type { Change } from '../../db/change';
import { Evaluator, type RuleSetting } from '../../risk/evaluator';
import type { RuleName } from '../../risk/rule';
import type { RulesFile } from '../../risk/rules-file';
import type { Signal } from '../../risk/signal';
import type { SignalHistory } from '../signals/history';
import { changeOf } from '../signals/log-signals';
import { ownSource } from '../signals/own-source';
import { verdictsAbout } from './recorded-verdicts';

const name: RuleName = 'change-against-history';
const effect = 'high-risk-update';
/** The longest that a verdict of the rule looks back, in milliseconds: an older one is over. */
const longest = 180 * 24 * 3_600_000;
/** Verdicts about a customer that are looked at, the newest. */
const mostVerdicts = 50;

/** A change of payment details that somebody asks for; ids are ours. */
export interface AskedChange {
  readonly paymentCustomerId: string;
  readonly paymentMethodId: string;
  /** As updates have it. */
  readonly kind: string;
}

/** Whether a customer's changes of payment details fit their history, as the rule about that says where it is on and makes updates high-risk. */
export class ChangesAgainstHistory {
  private readonly setting: RuleSetting | null;

  constructor(
    { settings }: RulesFile,
    private readonly history: SignalHistory,
    private readonly clock: () => Date,
  ) {
    const isInForce = ({ rule, mode, effects }: RuleSetting) => rule.name === name && mode === 'ON' && effects.includes(effect);
    this.setting = settings.find(isInForce) ?? null;
  }

  /** Whether the rule would fire at this change, were it made now. Reads on a connection of its own: not to be asked within a change. */
  async wouldBe({ paymentCustomerId, paymentMethodId, kind }: AskedChange): Promise<boolean> {
    if (this.setting === null) return false;
    const asked: Signal = {
      source: ownSource,
      id: 'asked',
      type: 'credential.changed',
      occurredAt: this.clock(),
      subjects: { customer: paymentCustomerId, card: paymentMethodId },
      facts: { change: changeOf(kind) },
    };
    // No domain counts for this rule.
    const evaluator = new Evaluator([this.setting], { isSharedMailDomain: () => false });
    const verdicts = await evaluator.judgeBy(asked, false, this.history.at(Number.MAX_SAFE_INTEGER));
    return verdicts.some(({ effects }) => effects.includes(effect));
  }

  /** Whether the rule fired at a change of this customer (`cus_…`) whose window isn't over. */
  async were(change: Change, customerId: string): Promise<boolean> {
    if (this.setting === null) return false;
    const at = change.at.getTime();
    const found = await verdictsAbout(change, customerId, { since: new Date(at - longest), most: mostVerdicts });
    return found.some((each) => each.rule === name && each.done.includes(effect) && at - each.at <= each.window);
  }
}
