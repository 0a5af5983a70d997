import { Ctx, Query, Resolver } from 'type-graphql';
import { Classified } from '../../graphql/decorators';
import { Guarded } from '../../graphql/guarded';
import { Listed } from '../../graphql/listed';
import { ruleNames } from '../../risk/rule';
import { withSecondFactor } from '../audit/audit.policy';
import type { RequestContext } from '../request';
import { judgedDays, RiskRuleType } from './rule.type';

@Resolver()
export class RulesResolver {
  @Query(() => [RiskRuleType], { description: 'The rules over signals that are in force here.' })
  @Listed({ most: ruleNames.length })
  @Classified('INTERNAL')
  // Whoever the policy file names reads all of them.
  @Guarded(withSecondFactor)
  async riskRules(@Ctx() { services }: RequestContext): Promise<readonly RiskRuleType[]> {
    const outcomesOf = await services.alerts.outcomesOf(judgedDays);
    return services.rules.settings.map((setting) => new RiskRuleType(setting, outcomesOf(setting.rule)));
  }
}
