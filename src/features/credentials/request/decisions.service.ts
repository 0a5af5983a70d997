import type { SignedInActor } from '../../../authz/actor';
import type { Change } from '../../../db/change';
import type { Database } from '../../../db/database';
import { sql } from '../../../db/sql';
import { Failure } from '../../../failure';
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
import { credentialActions, requesterOf, type UpdateSubject, updateReach } from '../credentials.policy';
import { credentialUpdate, reachedRows } from '../credentials.rows';
import { type CredentialJobs, enqueue } from '../jobs.service';

/** An update as one of the staff decides about it. */
interface Reached {
  readonly update: CredentialUpdate;
  readonly subject: UpdateSubject;
  /** Who decides, as the ticket's helpdesk names them. */
  readonly staffId: string | null;
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
      const { update, subject, staffId, seal } = await this.lock(change, actor, id);
      permit(subject);
      if (update.state === 'CANCELLED') return;
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
    const ticket = visible ? await lockTicket(change, visible.ticketId) : null;
    const update = ticket ? await change.lockIfAny(CredentialUpdate, { id }) : null;
    if (!ticket || !update) throw Failure.notFound('credential update');
    const subject: UpdateSubject = {
      ticketId: update.ticketId,
      ...requesterOf(update),
      knowsActor: await isActiveStaff(change, ticket.source, actor.staffIds),
      contactStaffIds: update.contactStaffIds,
      team: ticket.team,
      teamSetById: ticket.teamSetById,
      createdById: ticket.createdById,
      customerSetByIds: ticket.customerSetByIds,
      at: change.at,
    };
    const staffId = await staffIdOf(change, actor, ticket.source);
    return { update, subject, staffId, seal: await CustomerSeal.of(change, this.keys, update.customerId) };
  }
}
