import { type Rule, type RuleName, ruleNames } from './rule';
import { agentBreadth, agentInterventions, agentThinWork, sessionMoved } from './rules/agents';
import { cardTesting } from './rules/card-testing';
import { changeAgainstHistory } from './rules/change-against-history';
import { declineLoop } from './rules/decline-loop';
import { domainBurst } from './rules/domain-burst';
import { recoveryThenPayment } from './rules/recovery-then-payment';
import { retriesElsewhere } from './rules/retries-elsewhere';
import { cardExpiring, claimAgainstRecord, providerDeadline } from './rules/told-by-others';
import { volumeSpike } from './rules/volume-spike';

const byName: Readonly<Record<RuleName, Rule>> = {
  'retries-elsewhere': retriesElsewhere,
  'card-testing': cardTesting,
  'decline-loop': declineLoop,
  'domain-burst': domainBurst,
  'volume-spike': volumeSpike,
  'change-against-history': changeAgainstHistory,
  'recovery-then-payment': recoveryThenPayment,
  'claim-against-record': claimAgainstRecord,
  'provider-deadline': providerDeadline,
  'card-expiring': cardExpiring,
  'agent-breadth': agentBreadth,
  'agent-thin-work': agentThinWork,
  'agent-interventions': agentInterventions,
  'session-moved': sessionMoved,
};

/** Every rule, in the order in which files and reports have them. */
export const rules: readonly Rule[] = ruleNames.map((name) => byName[name]);
