import type { SignedInActor } from '../../authz/actor';
import { connectionRelations } from '../../graphql/connection';
import type { RelationRule, RelationRules } from '../../graphql/shield';

export interface AuditScope {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** Which events an actor may read, as SQL over `audit_event e`: an auditor all, anybody else what they did themselves. */
export const auditScope = (actor: SignedInActor): AuditScope =>
  actor.roles.includes('AUDITOR') ? { sql: '1 = 1', parameters: [] } : { sql: 'e.actor_id = ?', parameters: [actor.id] };

/** The log says who works when and with whom: nobody reads it, or proves from it, without a second factor. */
const withSecondFactor: RelationRule = ({ actor }) => (actor.mfa ? null : 'MFA_REQUIRED');

export const auditRelations: RelationRules = {
  Query: {
    // Narrowed in SQL to the actor's scope.
    auditEvents: withSecondFactor,
    auditInclusionProof: withSecondFactor,
    // Whoever the policy file names reads these of everybody.
    disclosures: withSecondFactor,
    auditCounts: withSecondFactor,
    policyInForce: withSecondFactor,
    // Signed to be shown to anybody: they say how many events there are, and nothing of any.
    auditCheckpoint: 'open',
    auditConsistencyProof: 'open',
  },
  AuditEvent: {
    actor: 'open',
    subject: 'open',
    changes: 'open',
    disclosedFields: 'open',
    objects: 'open',
    customers: 'open',
  },
  AuditCheckpoint: { anchors: 'open' },
  AuditInclusionProof: { checkpoint: 'open' },
  ...connectionRelations('AuditEvent'),
};
