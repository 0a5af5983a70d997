import { Float, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Exposed } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { Listed } from '../../graphql/listed';
import type { RuleSetting } from '../../risk/evaluator';
import { type RuleMode, ruleEffects, ruleModes } from '../../risk/rule';
import { RiskRuleNameEnum } from '../alerts/alert.type';
import { type AlertRule } from '../alerts/alert.words';

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

@ObjectType('RiskRule', { simpleResolvers: true, description: 'A rule over signals, as schema/rules.yaml sets it.' })
export class RiskRuleType {
  constructor(private readonly setting: RuleSetting) {}

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
