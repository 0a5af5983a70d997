import { canonicalize } from '../../../audit/canonical';
import type { SignedInActor } from '../../../authz/actor';
import type { CredentialUpdateKind, UpdatePolicy } from '../../../authz/policy/update-policy';
import type { Change, Permit } from '../../../db/change';
import type { Database } from '../../../db/database';
import { sql } from '../../../db/sql';
import { Failure, ProgrammingError } from '../../../failure';
import type { TicketSubject } from '../../assistance/assistance.policy';
import type { Assistances } from '../../assistance/assistance.service';
import { useAssistance } from '../../assistance/live';
import { customer, linkRows } from '../../customers/customers.rows';
import { CustomerSeal } from '../../keys/customer-seal';
import type { Keys } from '../../keys/keys.service';
import { method, type PayerRow, storedMethodRows } from '../../payments/payments.rows';
import { reasonIn } from '../../reasons';
import type { Sources } from '../../sources/sources.service';
import type { Ticket } from '../../tickets/ticket.entity';
import { lockTicket } from '../../tickets/tickets.lock';
import { ticketReferenceRows, ticket as tickets } from '../../tickets/tickets.rows';
import type { InScope } from '../../tickets/tickets.scope';
import { CredentialUpdate } from '../credential-update.entity';
import { credentialActions, type RequestSubject } from '../credentials.policy';
import type { CustomerSigns } from '../customer-signs';
import type { CredentialJobs } from '../jobs.service';
import { summaryOfRow } from '../method-summary';
import { isConfirmable, misfit } from './blocks';
import { beginUpdate, type Contact, contactFor, needsFor } from './new-update';
import { type RequestFacts, readFacts } from './request-facts';
import type { UpdateNeeds } from './risk';

export interface RequestInput {
  readonly paymentMethodId: string;
  readonly kind: CredentialUpdateKind;
  readonly reason: string;
  readonly idempotencyKey: string;
}

/** Why a kind of change makes no sense for a method, in words. */
const misfits = {
  ALREADY_DEFAULT: 'Payments are taken from this method already.',
  NOT_A_CARD: 'Only a card can be replaced by a new card.',
  IN_WALLET: 'The address of a wallet is changed in the wallet.',
} as const;

/** Throws `CONFLICT` where the payment side has no contact for what the update needs. */
const contactOf = (payer: PayerRow, needs: UpdateNeeds, channels: { readonly sms: boolean }): Contact => {
  const contact = contactFor(payer, needs, channels);
  if (contact === 'no-mail')
    throw new Failure('CONFLICT', 'The payment side holds no e-mail address of this customer.', {
      remedy: 'The link goes only to an address that the payment side holds; it is added there.',
    });
  if (contact === 'no-phone')
    throw new Failure('CONFLICT', 'This needs a code, and the payment side holds no telephone number of this customer.', {
      remedy: 'The code goes only to a number that the payment side holds; it is added there.',
    });
  return contact;
};

/** A request whose form is right. */
interface Asked {
  readonly actor: SignedInActor;
  readonly input: RequestInput;
  readonly requestKey: string;
  readonly requestDigest: string;
}

export interface RequestParts {
  readonly database: Database;
  readonly keys: Keys;
  readonly sources: Sources;
  readonly assistances: Assistances;
  readonly policy: UpdatePolicy;
  /** Ways to a customer that are configured. */
  readonly channels: { readonly mail: boolean; readonly sms: boolean };
  readonly signs: CustomerSigns;
  readonly jobs: CredentialJobs;
}

/** Updates as staff ask for them. */
export class CredentialRequests {
  constructor(private readonly parts: RequestParts) {}

  /**
   * Whether the actor may ask for an update on the ticket as it is stored, before its helpdesk is asked how it is now; `request` judges
   * again. Throws `INVALID`, `DENIED`, `CONFLICT`.
   */
  async expectMayRequest(ticket: InScope<Ticket>, input: RequestInput): Promise<void> {
    await this.repeatedOrPermitted(ticket.id, this.askedOn(ticket, input), { isFresh: true });
  }

  /**
   * Asks the customer for a change. The same key with the same input returns the same update, whatever became of it.
   * Returns its id. Throws `INVALID`, `NOT_FOUND` (a method outside the ticket's customer), `DENIED`, `CONFLICT`.
   */
  async request(ticket: InScope<Ticket>, input: RequestInput): Promise<string> {
    const { database, sources, jobs } = this.parts;
    const { actor, id: ticketId } = ticket;
    const asked = this.askedOn(ticket, input);
    const before = await this.repeatedOrPermitted(ticketId, asked);
    if (before !== null) return before;
    // What the customer is shown and judged by shall be what the provider has now; where it doesn't answer, what was last read.
    const [about] = await database.read(ticketReferenceRows, sql`WHERE ${tickets.id} = ${ticketId}`);
    if (about?.customerId) await sources.refreshPayments(about.customerId);
    const isAgainstHistory = await this.isAgainstHistory(about?.customerId ?? null, input);
    const id = await database.change(actor, credentialActions.request, async (change, permit) => {
      // The ticket first, as everywhere: of twins that come at once the second one finds what the first one wrote.
      const locked = await lockTicket(change, ticketId);
      const known = await change.lockIfAny(CredentialUpdate, { requestKey: asked.requestKey });
      if (known) return this.repeated(known, asked.requestDigest);
      return this.newRequest(change, permit, locked, { ...asked, isAgainstHistory });
    });
    jobs.wake();
    return id;
  }

  private async isAgainstHistory(customerId: string | null, { paymentMethodId, kind }: RequestInput): Promise<boolean> {
    const { database, signs } = this.parts;
    const [linked] = customerId === null ? [] : await database.read(linkRows, sql`WHERE ${customer.id} = ${customerId}`);
    const paymentCustomerId = linked?.paymentCustomerId ?? null;
    return paymentCustomerId !== null && signs.wouldBeAgainstHistory({ paymentCustomerId, paymentMethodId, kind });
  }

  /** Throws `INVALID` for what can't be asked for, whoever asks. */
  private askedOn({ actor, id: ticketId }: InScope<Ticket>, input: RequestInput): Asked {
    const { keys, policy } = this.parts;
    const reason = reasonIn(input.reason, 'input.reason');
    if (!/^[\x21-\x7e]{8,128}$/.test(input.idempotencyKey))
      throw Failure.invalid('input.idempotencyKey', 'expected 8 to 128 printable ASCII characters without blanks');
    const offered = Object.keys(policy.kinds);
    if (policy.kinds[input.kind] === undefined)
      throw Failure.invalid('input.kind', offered.length > 0 ? `expected one of ${offered.join(', ')}` : 'no change is offered');
    const requestKey = keys.searchDigest('credential-request', `${actor.id} ${input.idempotencyKey}`) as string;
    const content = { ticket: ticketId, method: input.paymentMethodId, kind: input.kind, reason };
    const requestDigest = keys.searchDigest('credential-input', canonicalize(content)) as string;
    return { actor, input: { ...input, reason }, requestKey, requestDigest };
  }

  /**
   * Before a provider is asked anything: the update of the same request, or null where the actor may ask for one. Whether there is a
   * link, and whose the contact is, the provider says better than what was last read: that is judged afterwards, with everything else
   * once more. Throws `DENIED`, `CONFLICT`.
   */
  private repeatedOrPermitted(
    ticketId: string,
    { actor, requestKey, requestDigest }: Asked,
    judged: Partial<TicketSubject> = {},
  ): Promise<string | null> {
    return this.parts.database.change(actor, credentialActions.request, async (change, permit) => {
      const ticket = await lockTicket(change, ticketId);
      const known = await change.lockIfAny(CredentialUpdate, { requestKey });
      if (known) return this.repeated(known, requestDigest);
      const facts = await readFacts(change, this.parts.keys, actor, ticket);
      const subject = await this.subjectOf(change, ticket, facts);
      permit({ ...subject, ticket: { ...subject.ticket, ...judged }, isLinked: true, contactStaffIds: [] });
      return null;
    });
  }

  private async subjectOf(change: Change, ticket: Ticket, facts: RequestFacts): Promise<RequestSubject> {
    const { assistances, channels, policy } = this.parts;
    const { payer, assistanceId, contactStaffIds, requestedToday } = facts;
    return {
      ticket: await assistances.subjectOf(change, ticket),
      isAssisted: assistanceId !== null,
      isLinked: payer !== null && isConfirmable(payer.link, channels),
      contactStaffIds,
      requestedToday,
      mostPerDay: policy.quota.perCustomerPerDay,
    };
  }

  private repeated(known: CredentialUpdate, requestDigest: string): string {
    if (known.requestDigest !== requestDigest)
      throw new Failure('CONFLICT', 'The idempotency key was used for another request.', {
        argument: 'input.idempotencyKey',
        remedy: 'Take a new key for a new request.',
      });
    return known.id;
  }

  private async newRequest(
    change: Change,
    permit: Permit<RequestSubject>,
    ticket: Ticket,
    { actor, input, requestKey, requestDigest, isAgainstHistory }: Asked & { readonly isAgainstHistory: boolean },
  ): Promise<string> {
    const { keys, sources, policy, channels, signs } = this.parts;
    const facts = await readFacts(change, keys, actor, ticket);
    permit(await this.subjectOf(change, ticket, facts));
    const { payer, assistanceId, staffId } = facts;
    const { customerId } = ticket;
    if (customerId === null || payer === null || assistanceId === null)
      throw new ProgrammingError('a request was permitted without its customer or without an assistance');
    const { id: paymentCustomerId, source } = payer;
    const [found] = await change.read(
      storedMethodRows,
      sql`WHERE ${method.id} = ${input.paymentMethodId} AND ${method.paymentCustomerId} = ${paymentCustomerId} AND ${method.status} <> 'REMOVED' AND ${method.sameAsId} IS NULL`,
    );
    const seal = await CustomerSeal.of(change, keys, customerId);
    if (!found || seal.key === null) throw Failure.notFound('payment method');
    // What must still hold when this commits is written to: whoever ends the assistance meanwhile makes this find nothing.
    if (!(await useAssistance(change, assistanceId)))
      throw Failure.denied('ASSISTANCE_ENDED', credentialActions.request.name, ticket.id);
    if (sources.paymentsSource(source).connector.credentials === undefined)
      throw new Failure('CONFLICT', 'Methods of this payment source can only be read here.', {
        remedy: 'Change it at the payment provider.',
      });
    const summary = summaryOfRow(found, keys);
    const why = misfit(input.kind, summary);
    if (why !== null) throw new Failure('CONFLICT', misfits[why], { remedy: 'Choose another method or another kind of change.' });
    const open = await change.lockIfAny(CredentialUpdate, { openKey: found.id });
    if (open)
      throw new Failure('CONFLICT', 'Another update of this method is under way.', {
        remedy: 'Follow or cancel that one first; the ticket lists it.',
      });
    const needs = await needsFor(change, {
      kind: input.kind,
      payer,
      contactStaffIds: facts.contactStaffIds,
      lastDisputeAt: facts.lastDisputeAt,
      method: { isDefault: summary.isDefault, createdAt: found.createdAt },
      customerId,
      wouldBe: isAgainstHistory,
      signs,
      policy,
    });
    return beginUpdate(change, seal, {
      kind: input.kind,
      reason: input.reason,
      requestKey,
      requestDigest,
      ticketId: ticket.id,
      assistanceId,
      by: { actorId: actor.id, staffId, staffIds: actor.staffIds },
      customerId,
      payer,
      methodId: found.id,
      summary,
      needs,
      contact: contactOf(payer, needs, channels),
      contactStaffIds: facts.contactStaffIds,
      linkHours: policy.linkHours,
    });
  }
}
