import { Float, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Exposed } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { Listed } from '../../graphql/listed';
import type { RuleSetting } from '../../risk/evaluator';
import { type RuleMode, ruleEffects, ruleModes } from '../../risk/rule';
import { RiskRuleNameEnum } from '../alerts/alert.type';
import { type AlertRule } from '../alerts/alert.words';
import type { RuleOutcomes } from '../alerts/alerts.service';

/** Thresholds of one rule at most. */
const mostThresholds = 20;

const RuleModeEnum = enumOf(ruleModes);
registerEnumType(RuleModeEnum, {
  name: 'RiskRuleMode',
  description: 'OFF, not evaluated; SHADOW, its verdicts are recorded and nothing else happens; ON, the effects follow.',
});

@ObjectType('RiskThreshold', { simpleResolvers: true, description: 'A number of the rules’ file.' })
export class RiskThreshold {
  constructor(
    private readonly called: string,
    private readonly number: number,
  ) {}

  @Exposed('INTERNAL', () => String)
  get name(): string {
    return this.called;
  }

  @Exposed('INTERNAL', () => Float)
  get value(): number {
    return this.number;
  }
}

/** For how long, in days, alerts count for what their rule is said to be worth. */
export const judgedDays = 90;

@ObjectType('RiskRuleOutcomes', {
  simpleResolvers: true,
  description: `What became of the alerts that a rule raised, in its present version, within ${judgedDays} days: of all rules’ alerts the newest 10,000 count. Nothing is changed by it.`,
})
export class RiskRuleOutcomes {
  constructor(private readonly counts: RuleOutcomes) {}

  @Exposed('INTERNAL', () => Int, { description: 'Resolved as TRUE.' })
  get confirmed(): number {
    return this.counts.confirmed;
  }

  @Exposed('INTERNAL', () => Int, { description: 'Resolved as FALSE.' })
  get falseAlarms(): number {
    return this.counts.falseAlarms;
  }

  @Exposed('INTERNAL', () => Int, { description: 'Resolved as UNSURE.' })
  get unsure(): number {
    return this.counts.unsure;
  }

  @Exposed('INTERNAL', () => Int, { description: 'Over without anybody having resolved them.' })
  get unresolved(): number {
    return this.counts.unresolved;
  }

  @Exposed('INTERNAL', () => Float, {
    nullable: true,
    description: 'Confirmed ones out of the confirmed and the false alarms, from 0 to 1; null where there are neither.',
  })
  get precision(): number | null {
    const { confirmed, falseAlarms } = this.counts;
    return confirmed + falseAlarms === 0 ? null : confirmed / (confirmed + falseAlarms);
  }
}

@ObjectType('RiskRule', { simpleResolvers: true, description: 'A rule over signals, as schema/rules.yaml sets it.' })
export class RiskRuleType {
  constructor(
    private readonly setting: RuleSetting,
    private readonly became: RuleOutcomes,
  ) {}

  @Exposed('INTERNAL', () => RiskRuleOutcomes)
  get outcomes(): RiskRuleOutcomes {
    return new RiskRuleOutcomes(this.became);
  }

  @Exposed('INTERNAL', () => RiskRuleNameEnum)
  get name(): AlertRule {
    return this.setting.rule.name;
  }

  @Exposed('INTERNAL', () => Int, { description: 'Counts up whenever the same signals and thresholds may give another verdict.' })
  get version(): number {
    return this.setting.rule.version;
  }

  @Exposed('INTERNAL', () => RuleModeEnum)
  get mode(): RuleMode {
    return this.setting.mode;
  }

  @Listed({ most: ruleEffects.length, parts: true })
  @Exposed('INTERNAL', () => [String])
  get effects(): readonly string[] {
    return this.setting.effects;
  }

  @Listed({ most: mostThresholds, parts: true })
  @Exposed('INTERNAL', () => [RiskThreshold])
  get thresholds(): readonly RiskThreshold[] {
    return Object.entries(this.setting.thresholds as object).flatMap(([name, value]: [string, unknown]) =>
      typeof value === 'number' ? [new RiskThreshold(name, value)] : [],
    );
  }

  @Exposed('INTERNAL', () => String, { description: 'When it fires, in a sentence.' })
  get explanation(): string {
    const { rule, thresholds } = this.setting;
    return `It fires when ${rule.explain(thresholds as never)}.`;
  }
}
