import type { FrameSurface, SignedContext, SignedInActor } from '../../authz/actor';
import { isSamePerson } from '../../authz/same-person';
import { sql } from '../../db/sql';
import { optional, select } from '../../db/table';
import { Failure } from '../../failure';
import type { RootCall } from '../../graphql/root-fields';
import { assistance } from '../assistance/assistance.rows';
import type { Core } from '../core';
import { updateReach } from '../credentials/credentials.policy';
import { credentialUpdate } from '../credentials/credentials.rows';
import { customer } from '../customers/customers.rows';
import { activeStaffAt, activeStaffNamed } from '../tickets/staff.rows';
import { type TicketGrounds, ticketScope } from '../tickets/tickets.policy';
import { ticket, ticketReferenceRows } from '../tickets/tickets.rows';
import type { FramedSection } from './embeds.section';
import { aboutNoTicket, type FrameAsks, frameFields } from './frame-fields';

const assistanceRows = select(
  { ...assistance.pick('actorId', 'requestedByStaffIds'), ...ticket.pick('source', 'reference') },
  sql`FROM ${assistance} JOIN ${ticket} ON ${ticket.id} = ${assistance.ticketId}`,
);
const updateRows = select(
  {
    ...credentialUpdate.pick('requestedById', 'requestedByStaffIds'),
    source: optional(ticket.source),
    reference: optional(ticket.reference),
  },
  sql`FROM ${credentialUpdate} LEFT JOIN ${ticket} ON ${ticket.id} = ${credentialUpdate.ticketId}
    LEFT JOIN ${customer} ON ${customer.id} = ${credentialUpdate.customerId}`,
);

/** A ticket by the helpdesk's number: neither ever changes. */
interface Place {
  readonly source: string;
  readonly reference: string;
}

/** What is asked for, where it is within the actor's reach and on a ticket of the frame's helpdesk. */
interface Found {
  readonly place: Place;
  /** False where only others' is meant, and it is decided about in the console. */
  readonly isTheirs: boolean;
}

export interface FrameReachParts extends Pick<Core, 'database' | 'clock' | 'policy'> {
  readonly embedOf: (source: string) => FramedSection | undefined;
  /** Which tickets somebody works with. */
  readonly scope: TicketGrounds;
}

const refused = (reason: 'FRAME' | 'ACTOR_MISMATCH' | 'UNSIGNED', { field }: RootCall): Failure =>
  Failure.denied(reason, `frame.${field}`);

/** What may be done from a frame in a helpdesk's page, beside all that the person's own rights say. */
export class FrameReach {
  constructor(private readonly parts: FrameReachParts) {}

  /**
   * Refuses what a frame doesn't do, and what isn't on a ticket of its helpdesk, before any of it is begun. What is elsewhere, or beyond the
   * actor's reach, is answered as what doesn't exist. Throws `DENIED`, `NOT_FOUND`.
   */
  async expect(actor: SignedInActor, calls: readonly RootCall[]): Promise<void> {
    const { frame } = actor;
    if (!frame) return;
    for (const call of calls) if (!frameFields.has(call.field)) throw refused('FRAME', call);
    const asked = calls.filter(({ field }) => !aboutNoTicket.has(field));
    const [first] = asked;
    if (!first) return;
    // Before anything is looked up: neither says what there is.
    if (!frame.signed && this.demandsSignature(frame.source)) throw refused('UNSIGNED', first);
    if (frame.signed && !(await this.isTheSame(actor, frame.source, frame.signed))) throw refused('ACTOR_MISMATCH', first);
    for (const call of asked) await this.expectOne(actor, frame, call);
  }

  /** As the policy has it; of a helpdesk that has no frames (any more), too. */
  private demandsSignature(source: string): boolean {
    const { embedOf, policy } = this.parts;
    return embedOf(source) === undefined || policy.frames.signatureRequired.includes(source);
  }

  /** Whom the helpdesk signed for is who is signed in here. */
  private async isTheSame(actor: SignedInActor, source: string, { user }: SignedContext): Promise<boolean> {
    const named =
      'reference' in user ? await activeStaffAt(this.parts.database, source, user.reference) : await this.named(source, user);
    return named !== undefined && actor.staffIds.includes(named);
  }

  /** Whoever of a helpdesk's staff is called so; nobody where two are. */
  private async named(source: string, digests: readonly string[]): Promise<string | undefined> {
    const rows = digests.length === 0 ? [] : await activeStaffNamed(this.parts.database, digests);
    const [one, ...more] = rows.filter((row) => row.source === source);
    return more.length === 0 ? one?.id : undefined;
  }

  private async expectOne(actor: SignedInActor, { source, signed }: FrameSurface, call: RootCall): Promise<void> {
    const asks = frameFields.get(call.field)?.(call.given) ?? {};
    const found = await this.find(actor, source, asks);
    // Without a ticket it would be about all of somebody's.
    if (found === null) throw refused('FRAME', call);
    const isHere = found !== undefined && found.place.source === source;
    // One was signed for: of everything else nothing is told, not even that it is there.
    if (signed && signed.reference !== null && !(isHere && found.place.reference === signed.reference))
      throw refused('UNSIGNED', call);
    if (!isHere) throw Failure.notFound('ticket');
    if (!found.isTheirs) throw refused('FRAME', call);
  }

  /** Undefined where it doesn't exist or is beyond the actor's reach; null where nothing is named. */
  private async find(actor: SignedInActor, source: string, asks: FrameAsks): Promise<Found | undefined | null> {
    const { database, scope, clock } = this.parts;
    const { ticketId, reference, customerId, ownAssistanceId, ownUpdateId, updateId } = asks;
    if (reference) return { place: { source: String(reference.source), reference: String(reference.reference) }, isTheirs: true };
    const inScope = sql`(${ticket.source} = ${source} AND ${ticketScope(actor, scope, clock())})`;
    if (typeof ticketId === 'string') {
      const [place] = await database.read(ticketReferenceRows, sql`WHERE ${ticket.id} = ${ticketId} AND ${inScope}`);
      return place && { place, isTheirs: true };
    }
    if (typeof customerId === 'string') {
      const signed = actor.frame?.signed?.reference ?? null;
      const isSigned = signed === null ? sql`1 = 1` : sql`${ticket.reference} = ${signed}`;
      const [place] = await database.read(
        ticketReferenceRows,
        sql`WHERE ${ticket.customerId} = ${customerId} AND ${inScope} AND ${isSigned} LIMIT 1`,
      );
      return place && { place, isTheirs: true };
    }
    if (typeof ownAssistanceId === 'string') {
      const [row] = await database.read(
        assistanceRows,
        sql`WHERE ${assistance.id} = ${ownAssistanceId} AND (${assistance.actorId} = ${actor.id} OR ${inScope})`,
      );
      return row && { place: row, isTheirs: isSamePerson(actor, { actorId: row.actorId, staffIds: row.requestedByStaffIds }) };
    }
    const update = ownUpdateId ?? updateId;
    if (typeof update !== 'string') return null;
    const [row] = await database.read(
      updateRows,
      sql`WHERE ${credentialUpdate.id} = ${update} AND ${updateReach(actor, scope, clock())}`,
    );
    if (row?.source == null || row.reference == null) return undefined;
    const requester = { actorId: row.requestedById, staffIds: row.requestedByStaffIds };
    return {
      place: { source: row.source, reference: row.reference },
      isTheirs: ownUpdateId === undefined || isSamePerson(actor, requester),
    };
  }
}
