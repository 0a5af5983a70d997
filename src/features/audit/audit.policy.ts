import type { SignedInActor } from '../../authz/actor';
import type { RelationRule } from '../../graphql/guarded';

export interface AuditScope {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** Which events an actor may read, as SQL over `audit_event e`: an auditor all, anybody else what they did themselves. */
export const auditScope = (actor: SignedInActor): AuditScope =>
  actor.roles.includes('AUDITOR') ? { sql: '1 = 1', parameters: [] } : { sql: 'e.actor_id = ?', parameters: [actor.id] };

/** The log says who works when and with whom: nobody reads it, or proves from it, without a second factor. */
export const withSecondFactor: RelationRule<unknown> = ({ actor }) => (actor.mfa ? null : 'MFA_REQUIRED');
