import type { SignedInActor } from '../../../authz/actor';
import type { Change } from '../../../db/change';
import type { Database } from '../../../db/database';
import { sql } from '../../../db/sql';
import { Failure } from '../../../failure';
import { assistances } from '../../assistance/assistance.entity';
import { assistanceIds, live, useAssistance } from '../../assistance/live';
import { CustomerSeal } from '../../keys/customer-seal';
import type { Keys } from '../../keys/keys.service';
import { reasonIn } from '../../reasons';
import { isActiveStaff } from '../../tickets/staff.rows';
import { staffIdOf } from '../../tickets/staff-id';
import { lockTicket } from '../../tickets/tickets.lock';
import type { TicketGrounds } from '../../tickets/tickets.policy';
import { CredentialUpdate, credentialUpdates } from '../credential-update.entity';
import { end, move } from '../credential-update.moves';
import { type CredentialUpdateState, isOpenToCancel } from '../credential-update.states';
import { credentialActions, provenanceOf, requesterOf, type UpdateSubject, updateReach } from '../credentials.policy';
import { credentialUpdate, reachedRows } from '../credentials.rows';
import { type CredentialJobs, enqueue } from '../jobs.service';

/** An update as one of the staff decides about it. */
interface Reached {
  readonly update: CredentialUpdate;
  readonly subject: UpdateSubject;
  /** Who decides, as the ticket's helpdesk names them. */
  readonly staffId: string | null;
  /** Their live assistance for the customer, where the update is on no ticket; null without one. */
  readonly assistanceId: string | null;
  readonly seal: CustomerSeal;
}

const notIn = (state: CredentialUpdateState, expected: string): Failure =>
  new Failure('CONFLICT', `The update is ${state}; expected ${expected}.`, {
    remedy: 'Look at its state and history; request a new one if it has ended and is still needed.',
  });

const expectWaiting = (update: CredentialUpdate, at: Date): void => {
  if (update.state !== 'AWAITING_APPROVAL' || update.expiresAt <= at) throw notIn(update.state, 'AWAITING_APPROVAL');
};

const decide = (change: Change, update: CredentialUpdate, staffId: string | null, decision: 'APPROVED' | 'REJECTED'): void => {
  update.decidedById = change.actor.id;
  update.decidedByStaffId = staffId;
  update.decidedAt = change.at;
  update.decision = decision;
};

/** What staff decide about an update: to call it off, to let it go on or to refuse it. */
export class CredentialDecisions {
  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly scope: TicketGrounds,
    private readonly jobs: CredentialJobs,
  ) {}

  /** Calls an update off before anything was sent to the provider. Repeated, it changes nothing. Throws `NOT_FOUND`, `DENIED`, `CONFLICT`. */
  async cancel(actor: SignedInActor, id: string): Promise<string> {
    await this.database.change(actor, credentialActions.cancel, async (change, permit) => {
      const { update, subject, staffId, assistanceId, seal } = await this.lock(change, actor, id);
      permit(subject);
      if (update.state === 'CANCELLED') return;
      // What must still hold when this commits is written to: whoever ends the assistance meanwhile makes this find nothing.
      if (assistanceId !== null && !(await useAssistance(change, assistanceId)))
        throw Failure.denied('ASSISTANCE_ENDED', credentialActions.cancel.name, update.ticketId);
      if (!isOpenToCancel(update.state)) throw notIn(update.state, 'nothing sent to the provider yet');
      await end(change, seal, update, 'credential.cancel', {
        to: 'CANCELLED',
        reason: 'BY_HAND',
        staffId,
      });
    });
    this.jobs.wake();
    return id;
  }

  /** A supervisor's consent to what the customer confirmed. Repeated by the same one, it changes nothing. Throws `NOT_FOUND`, `DENIED`, `CONFLICT`. */
  async approve(actor: SignedInActor, id: string): Promise<string> {
    await this.database.change(actor, credentialActions.approve, async (change, permit) => {
      const { update, subject, staffId, seal } = await this.lock(change, actor, id);
      permit(subject);
      if (update.decision === 'APPROVED' && update.decidedById === actor.id) return;
      expectWaiting(update, change.at);
      decide(change, update, staffId, 'APPROVED');
      await move(change, seal, update, 'credential.approve', {
        to: 'APPLYING',
        staffId: update.decidedByStaffId,
        detail: { of: update.requestedById },
      });
      await enqueue(change, update.id, 'PROVIDER');
    });
    this.jobs.wake();
    return id;
  }

  /** A supervisor's refusal; a new card that was entered is taken away again. Repeated by the same one, it changes nothing. Throws `INVALID`, `NOT_FOUND`, `DENIED`, `CONFLICT`. */
  async reject(actor: SignedInActor, id: string, given: string): Promise<string> {
    const reason = reasonIn(given);
    await this.database.change(actor, credentialActions.reject, async (change, permit) => {
      const { update, subject, staffId, seal } = await this.lock(change, actor, id);
      permit(subject);
      if (update.decision === 'REJECTED' && update.decidedById === actor.id) return;
      expectWaiting(update, change.at);
      decide(change, update, staffId, 'REJECTED');
      // Nothing new is kept of a customer who was erased.
      update.decisionReasonSealed = seal.key && seal.seal(credentialUpdates, update.id, 'decisionReason', reason);
      await end(change, seal, update, 'credential.reject', {
        to: 'REJECTED',
        staffId: update.decidedByStaffId,
        notes: { reason },
        detail: { of: update.requestedById },
      });
    });
    this.jobs.wake();
    return id;
  }

  private async lock(change: Change, actor: SignedInActor, id: string): Promise<Reached> {
    const reach = updateReach(actor, this.scope, change.at);
    const [visible] = await change.read(reachedRows, sql`WHERE ${credentialUpdate.id} = ${id} AND ${reach}`);
    const ticket = visible && visible.ticketId !== null ? await lockTicket(change, visible.ticketId) : null;
    const update = visible ? await change.lockIfAny(CredentialUpdate, { id }) : null;
    const helpdesk = ticket?.source ?? visible?.customerHelpdesk ?? null;
    if (!update || helpdesk === null) throw Failure.notFound('credential update');
    const knowsActor = await isActiveStaff(change, helpdesk, actor.staffIds);
    const assistanceId = ticket === null ? await assistanceOf(change, actor, update.customerId) : null;
    const subject: UpdateSubject = {
      ticketId: update.ticketId,
      ticket: ticket && provenanceOf({ ...ticket, ticketId: ticket.id }, knowsActor),
      ...requesterOf(update),
      knowsActor,
      isAssisted: assistanceId !== null,
      contactStaffIds: update.contactStaffIds,
      at: change.at,
    };
    const staffId = await staffIdOf(change, actor, helpdesk);
    return { update, subject, staffId, assistanceId, seal: await CustomerSeal.of(change, this.keys, update.customerId) };
  }
}

/** The actor's live assistance for a customer, on whichever ticket. */
const assistanceOf = async (change: Change, actor: SignedInActor, customerId: string): Promise<string | null> => {
  const [found] = await change.read(
    assistanceIds,
    sql`WHERE ${live(assistances, actor, change.at)} AND ${assistances.customerId} = ${customerId} LIMIT 1`,
  );
  return found?.id ?? null;
};
