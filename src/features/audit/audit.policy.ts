import type { SignedInActor } from '../../authz/actor';
import { type Sql, sql } from '../../db/sql';
import type { RelationRule } from '../../graphql/guarded';
import { e } from './audit.rows';

/** Which events an actor may read: an auditor all, anybody else what they did themselves. */
export const auditScope = (actor: SignedInActor): Sql =>
  actor.roles.includes('AUDITOR') ? sql`1 = 1` : sql`${e.actorId} = ${actor.id}`;

/** The log says who works when and with whom: nobody reads it, or proves from it, without a second factor. */
export const withSecondFactor: RelationRule<unknown> = ({ actor }) => (actor.mfa ? null : 'MFA_REQUIRED');
