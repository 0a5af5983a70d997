import type { SignedInActor } from '../../authz/actor';
import { Outbox } from '../../background/outbox';
import { describeError } from '../../log';
import type { DeliveryChannels } from '../../upstream/delivery/delivery.port';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import type { Assistances } from '../assistance/assistance.service';
import type { Core } from '../core';
import type { Loading } from '../loading';
import type { Sources } from '../sources/sources.service';
import type { TicketGrounds } from '../tickets/tickets.policy';
import type { Tickets } from '../tickets/tickets.service';
import { Applying } from './apply/applying.service';
import { Setups } from './apply/setups.service';
import { type ConfirmationParts, Confirmations } from './confirm/confirmations.service';
import { CredentialsLoader } from './credentials.loader';
import { Credentials } from './credentials.service';
import type { CustomerSigns } from './customer-signs';
import { updateDeliveries } from './deliver/deliveries.service';
import { invitationJobs } from './invite/card-invitations.service';
import { Inviting } from './invite/inviting';
import { CredentialJobs, faultOf, updateJobs } from './jobs.service';
import { UpdateOffers } from './offers.service';
import { CredentialDecisions } from './request/decisions.service';
import { CredentialExpiry } from './request/expiry.service';
import { CredentialRequests } from './request/requests.service';
import type { UpdatesSection } from './updates.section';

export interface CredentialParts extends Pick<ConfirmationParts, 'satisfiedFor'> {
  readonly sources: Sources;
  readonly assistances: Assistances;
  readonly tickets: Tickets;
  readonly scope: TicketGrounds;
  /** What sends, and by which channels customers can be reached at all. */
  readonly delivery: DeliveryChannels;
  readonly channels: { readonly mail: boolean; readonly sms: boolean };
  readonly updates: UpdatesSection;
  /** The merchant's name as customers know it. */
  readonly merchant: string;
  readonly signs: CustomerSigns;
}

/** Milliseconds: a provider that is asked who somebody is and what they pay with has answered by then. */
const invitationLease = 150_000;

/** Updates of payment methods: requested, confirmed, delivered, applied. */
export const createCredentials = (
  { database, keys, redactor, cursors, policy, clock, log, publicUrl }: Core,
  { sources, assistances, tickets, scope, delivery, channels, updates: settings, merchant, signs, satisfiedFor }: CredentialParts,
) => {
  const { updates } = policy;
  const { leaseSeconds, cardInvitations } = settings;
  const invitationHours = cardInvitations.linkDays * 24;
  const deliveries = updateDeliveries(
    { database, keys, sources, delivery, merchant, publicUrl },
    { linkHours: updates.linkHours, invitationHours },
  );
  const applying = new Applying({ database, keys, sources, policy: updates, signs });
  const setups = new Setups({ database, keys, redactor, sources, policy: updates, signs, clock });
  const jobs = new CredentialJobs({
    database,
    jobs: updateJobs,
    handlers: {
      LINK: deliveries.link,
      NOTICE: deliveries.notice,
      OUTCOME: deliveries.outcome,
      SETUP: setups.setup,
      PROVIDER: applying.provider,
    },
    lease: leaseSeconds * 1_000,
    clock,
    faultOf,
    onFault: ({ kind, subject, fault }, error) =>
      // what is refused is ours to mend: nobody else can
      log[fault === 'internal' || fault === 'refused' ? 'error' : 'warn'](
        { job: kind, update: subject, fault, ...(fault === 'internal' ? { error: describeError(error) } : {}) },
        'a job failed',
      ),
  });
  const inviting = new Inviting({
    ...{ database, keys, sources, policy: updates, channels, signs, clock },
    ...{ mostADay: cardInvitations.mostADay, linkHours: invitationHours, wake: () => jobs.wake() },
  });
  const invitationOutbox = new Outbox({
    database,
    jobs: invitationJobs,
    handlers: { INVITE: inviting },
    lease: invitationLease,
    width: 1,
    clock,
    faultOf: (error) => (error instanceof SourceUnavailable ? error.why : null),
    onFault: ({ kind, subject, fault }, error) =>
      log[fault === 'internal' ? 'error' : 'warn'](
        { job: kind, invitation: subject, fault, ...(fault === 'internal' ? { error: describeError(error) } : {}) },
        'a job failed',
      ),
  });
  const credentials = new Credentials(database, cursors, scope, clock);
  const services = {
    jobs,
    credentials,
    credentialRequests: new CredentialRequests({ database, keys, sources, assistances, policy: updates, channels, signs, jobs }),
    credentialDecisions: new CredentialDecisions(database, keys, scope, jobs),
    credentialExpiry: new CredentialExpiry(database, keys, jobs, clock),
    confirmations: new Confirmations({
      database,
      keys,
      sources,
      delivery,
      policy: updates,
      merchant,
      publicUrl,
      signs,
      jobs,
      clock,
      satisfiedFor,
    }),
  };
  const offers = new UpdateOffers({ database, keys, sources, policy: updates, channels, clock });
  return {
    services,
    invitationJobs: invitationOutbox,
    recurring: [() => services.credentialExpiry.run()],
    loader: (actor: SignedInActor, loading: Loading) =>
      new CredentialsLoader(actor, { credentials, tickets, keys, offers }, loading),
  };
};
