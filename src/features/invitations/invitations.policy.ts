import type { Invitation, InvitationPurpose } from '../../authz/actor';
import { type Rule, rule } from '../../authz/rule';

/** Whoever has the link answers what it asks, and nothing else: neither another one's, nor the same one's of another purpose. */
export const isInvitedTo = (purpose: InvitationPurpose): Rule<Invitation> =>
  rule<Invitation>(
    'SCOPE',
    (actor, asked) =>
      actor.kind === 'customer' &&
      asked.purpose === purpose &&
      actor.invitation.purpose === purpose &&
      actor.invitation.subjectId === asked.subjectId,
  );
