import type { Subject } from '../ledger/subjects';
import { actorSubject, revocationSubject } from './actors/actor.subject';
import { alertSubject, snoozeSubject } from './alerts/alert.subject';
import { assistanceSubject } from './assistance/assistance.subject';
import { brakeSubject } from './brakes/brake.subject';
import { claimSubject } from './claims/claim.subject';
import { updateSubject } from './credentials/credential-update.subject';
import { cardInvitationSubject } from './credentials/invite/card-invitation.subject';
import { decisionSubject, demandSubject } from './decisions/decision.subject';
import { frameSessionSubject } from './embeds/frame-session.subject';
import { policyVersionSubject } from './exposure/policy-version.subject';
import { holdSubject } from './holds/hold.subject';
import { operationSubject } from './operations/operation.subject';
import { outreachSubject } from './outreach/outreach.subject';
import { recognitionSubject } from './recognitions/recognition.subject';
import { browserSessionSubject } from './sign-in/browser-session.subject';
import { consumerSubject } from './signals/consumer.subject';

/** What events are about and has rows of its own that answers go by, each held against its events. */
export const subjects: readonly Subject<unknown>[] = [
  actorSubject,
  revocationSubject,
  browserSessionSubject,
  frameSessionSubject,
  operationSubject,
  assistanceSubject,
  brakeSubject,
  updateSubject,
  alertSubject,
  snoozeSubject,
  holdSubject,
  recognitionSubject,
  demandSubject,
  decisionSubject,
  outreachSubject,
  cardInvitationSubject,
  claimSubject,
  consumerSubject,
  policyVersionSubject,
];
