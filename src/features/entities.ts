import 'reflect-metadata';
import { AuditCustomer, AuditEventRow, AuditNote, AuditPending, AuditTicket } from '../db/audit.entity';
import { AuditAnchor, AuditCheckpoint, AuditLeaf, AuditNode, AuditOrigin } from '../ledger/audit-tree.entity';
import { ActorRow } from './actors/actor.entity';
import { ActorName } from './actors/actor-name.entity';
import { SessionRevocation } from './actors/session-revocation.entity';
import { UsedProof } from './actors/used-proof.entity';
import { RiskAlert, RiskAlertEvent, RiskSnooze } from './alerts/alert.entity';
import { Assistance } from './assistance/assistance.entity';
import { Brake } from './brakes/brake.entity';
import { TicketClaim } from './claims/claim.entity';
import {
  Confirmation,
  CredentialJob,
  CredentialLink,
  CredentialStep,
  CredentialTransition,
  CredentialUpdate,
} from './credentials/credential-update.entity';
import { CardInvitation, CardInvitationJob } from './credentials/invite/card-invitation.entity';
import { Customer } from './customers/customer.entity';
import { DecisionBudget, PaymentDecision } from './decisions/decision.entity';
import { StepUpDemand } from './decisions/demand.entity';
import { FrameSession, FrameUse } from './embeds/frame-session.entity';
import { PolicyVersion } from './exposure/policy-version.entity';
import { PaymentHold, PaymentHoldEffect, PaymentHoldJob, PaymentHoldStep } from './holds/hold.entity';
import { CustomerKey, Secret } from './keys/key.entity';
import { RegisteredOperation } from './operations/operation.entity';
import { RiskOutreach, RiskOutreachJob } from './outreach/outreach.entity';
import { PaymentCustomer, PaymentMethod, Transaction } from './payments/payment.entity';
import { Recognition, RecognitionJob, RecognitionLink } from './recognitions/recognition.entity';
import { BrowserSession } from './sign-in/browser-session.entity';
import { RiskConsumer, RiskFeed, RiskFeedBatch, RiskFeedPending, RiskSignal, RiskSignalDay } from './signals/signal.entity';
import { SourceState, WebhookReceipt } from './sources/source.entity';
import { Message, StaffMember, Ticket, TicketHolder } from './tickets/ticket.entity';
import { WebhookAttempt, WebhookDelivery, WebhookEndpoint } from './webhooks/webhook.entity';

/** Every stored class: for the database, `ormconfig.ts` and the test that compares them with the migrations. */
export const entities = [
  ActorName,
  ActorRow,
  Assistance,
  AuditAnchor,
  AuditCheckpoint,
  AuditCustomer,
  AuditEventRow,
  AuditLeaf,
  AuditNode,
  AuditNote,
  AuditOrigin,
  AuditPending,
  Brake,
  CardInvitation,
  CardInvitationJob,
  BrowserSession,
  Confirmation,
  CredentialJob,
  CredentialLink,
  CredentialStep,
  CredentialTransition,
  CredentialUpdate,
  AuditTicket,
  Customer,
  CustomerKey,
  FrameSession,
  FrameUse,
  DecisionBudget,
  Message,
  PaymentCustomer,
  PaymentHold,
  PaymentHoldEffect,
  PaymentHoldJob,
  PaymentHoldStep,
  PaymentDecision,
  PaymentMethod,
  PolicyVersion,
  Recognition,
  RecognitionJob,
  RecognitionLink,
  RegisteredOperation,
  RiskAlert,
  RiskAlertEvent,
  RiskConsumer,
  RiskFeed,
  RiskFeedBatch,
  RiskFeedPending,
  RiskOutreach,
  RiskOutreachJob,
  RiskSignal,
  RiskSignalDay,
  RiskSnooze,
  Secret,
  SessionRevocation,
  SourceState,
  StaffMember,
  StepUpDemand,
  Ticket,
  TicketClaim,
  TicketHolder,
  Transaction,
  UsedProof,
  WebhookAttempt,
  WebhookDelivery,
  WebhookEndpoint,
  WebhookReceipt,
];
