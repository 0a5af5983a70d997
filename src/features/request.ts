import type { SignedInActor } from '../authz/actor';
import type { PolicyCoverage } from '../authz/policy/coverage';
import type { ExposurePolicy } from '../authz/policy/exposure';
import type { Cursors } from '../graphql/cursor';
import type { RequestAccess } from '../graphql/request-access';
import type { ScrubRounds } from '../ledger/scrub-rounds';
import type { RulesFile } from '../risk/rules-file';
import type { AlertStreams } from './alerts/alert-stream';
import type { AlertsLoader } from './alerts/alerts.loader';
import type { Alerts } from './alerts/alerts.service';
import type { Assistances } from './assistance/assistance.service';
import type { AssistancesLoader } from './assistance/assistances.loader';
import type { Opening } from './assistance/opening.service';
import type { AuditLog } from './audit/audit.service';
import type { AuditDownloads } from './audit/downloads.service';
import type { Examinations } from './audit/examinations.service';
import type { ActorNames } from './audit/names/actor-names.service';
import type { AuditReports } from './audit/reports.service';
import type { DecisionTrails } from './audit/trail.service';
import type { Brakes } from './brakes/brakes.service';
import type { Claims } from './claims/claims.service';
import type { ConfirmationDesk } from './credentials/confirm/confirmation.view';
import type { CredentialsLoader } from './credentials/credentials.loader';
import type { Credentials } from './credentials/credentials.service';
import type { CredentialJobs } from './credentials/jobs.service';
import type { CredentialDecisions } from './credentials/request/decisions.service';
import type { CredentialExpiry } from './credentials/request/expiry.service';
import type { CredentialRequests } from './credentials/request/requests.service';
import type { CustomerDesk } from './customer-desk';
import type { CustomersLoader } from './customers/customers.loader';
import type { Customers } from './customers/customers.service';
import type { Decisions } from './decisions/decisions.service';
import type { StepUps } from './decisions/step-ups.service';
import type { PolicyComparisons } from './exposure/comparisons.service';
import type { PolicyPreviews } from './exposure/previews.service';
import type { PolicyVersions } from './exposure/versions.service';
import type { HoldDesk } from './holds/hold-desk';
import type { HoldsLoader } from './holds/holds.loader';
import type { Holds } from './holds/holds.service';
import type { HoldJobs } from './holds/jobs';
import type { PaymentsLoader } from './payments/payments.loader';
import type { Payments } from './payments/payments.service';
import type { Asking } from './recognitions/asking.service';
import type { RecognitionsLoader } from './recognitions/recognitions.loader';
import type { Recognitions } from './recognitions/recognitions.service';
import type { SourceReports } from './sources/source-reports.service';
import type { TicketsLoader } from './tickets/tickets.loader';
import type { Tickets } from './tickets/tickets.service';

export interface Services {
  readonly actorNames: ActorNames;
  readonly alerts: Alerts;
  readonly alertStreams: AlertStreams;
  readonly tickets: Tickets;
  readonly customers: Customers;
  readonly payments: Payments;
  readonly opening: Opening;
  readonly assistances: Assistances;
  readonly brakes: Brakes;
  /** Loaded when it is first asked for. */
  readonly claims: () => Claims;
  readonly holds: Holds;
  readonly decisions: Decisions;
  readonly stepUps: StepUps;
  readonly holdDesk: HoldDesk;
  readonly holdJobs: HoldJobs;
  readonly credentials: Credentials;
  readonly credentialRequests: CredentialRequests;
  readonly credentialDecisions: CredentialDecisions;
  readonly credentialExpiry: CredentialExpiry;
  readonly confirmations: ConfirmationDesk;
  /** Whatever a customer's link asks about. */
  readonly invitations: CustomerDesk;
  readonly jobs: CredentialJobs;
  readonly auditDownloads: AuditDownloads;
  readonly auditLog: AuditLog;
  readonly auditReports: AuditReports;
  readonly examinations: Examinations;
  readonly sourceReports: SourceReports;
  readonly decisionTrails: DecisionTrails;
  readonly auditScrub: ScrubRounds;
  readonly recognitions: Recognitions;
  readonly asking: Asking;
  readonly rules: RulesFile;
  readonly webhooks: Webhooks;
  readonly policy: ExposurePolicy;
  readonly policyCoverage: () => PolicyCoverage;
  readonly policyPreviews: () => PolicyPreviews;
  readonly policyComparisons: () => PolicyComparisons;
  readonly policyVersions: () => PolicyVersions;
  readonly cursors: Cursors;
}

import type { Webhooks } from './webhooks/webhooks.service';

/** Loaded once per request, each relation in one statement for all rows of a level. */
export interface Loaders {
  readonly alerts: AlertsLoader;
  readonly tickets: TicketsLoader;
  readonly customers: CustomersLoader;
  readonly payments: PaymentsLoader;
  readonly assistances: AssistancesLoader;
  readonly credentials: CredentialsLoader;
  readonly recognitions: RecognitionsLoader;
  readonly holds: HoldsLoader;
}

/** One request of one actor. `access` is set by the executor, before any resolver runs. */
export interface RequestContext {
  readonly actor: SignedInActor;
  readonly requestId: string;
  /** Its operation was asked for by the hash that it is registered under. */
  readonly isRegistered?: boolean;
  readonly services: Services;
  readonly loaders: Loaders;
  access: RequestAccess;
}

interface RequestParts extends Omit<RequestContext, 'access'> {
  /** What its operation runs under: one for all copies of the context, of which Apollo makes one. */
  readonly running: { access: RequestAccess };
}

/** The context of a request, whose loaders see the access that the executor sets on whichever copy of it. */
export class RequestOf implements RequestContext {
  readonly actor: SignedInActor;
  readonly requestId: string;
  readonly isRegistered: boolean;
  readonly services: Services;
  readonly loaders: Loaders;
  private readonly running: RequestParts['running'];

  constructor({ actor, requestId, isRegistered = false, services, loaders, running }: RequestParts) {
    this.actor = actor;
    this.requestId = requestId;
    this.isRegistered = isRegistered;
    this.services = services;
    this.loaders = loaders;
    this.running = running;
  }

  get access(): RequestAccess {
    return this.running.access;
  }

  set access(access: RequestAccess) {
    this.running.access = access;
  }
}
