import type { SignedInActor } from '../../authz/actor';
import type { Values } from '../../db/table';
import { ulid } from '../../ulid';
import type { Assistance } from './assistance.entity';

/** One open assistance per actor and ticket. */
export const openKey = (actorId: string, ticketId: string): string => `${actorId}|${ticketId}`;

/** An assistance on a ticket, as it is before anybody decided how it begins. */
export const newRow = (
  actor: SignedInActor,
  ticketId: string,
  customerId: string,
  at: Date,
  lifetimeMinutes: number,
): Omit<Values<Assistance>, 'origin' | 'purpose' | 'beginsAt'> => ({
  id: `ast_${ulid(at.getTime())}`,
  actorId: actor.id,
  requestedByStaffIds: actor.staffIds,
  ticketId,
  customerId,
  keyId: null,
  reasonSealed: null,
  requestedAt: at,
  expiresAt: new Date(at.getTime() + lifetimeMinutes * 60_000),
  needsApproval: false,
  approvedById: null,
  approvedAt: null,
  endedAt: null,
  endReason: null,
  rejectedById: null,
  rejectionSealed: null,
  lastUsedAt: null,
  leaseUntil: null,
  openKey: openKey(actor.id, ticketId),
});
