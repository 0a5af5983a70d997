import type { FrameSurface, SignedContext, SignedInActor } from '../../authz/actor';
import { isSamePerson } from '../../authz/same-person';
import { sql } from '../../db/sql';
import { optional, type Selected, select } from '../../db/table';
import { Failure } from '../../failure';
import type { RootCall } from '../../graphql/root-fields';
import { assistance } from '../assistance/assistance.rows';
import type { Core } from '../core';
import { credentialUpdate } from '../credentials/credentials.rows';
import { customer } from '../customers/customers.rows';
import { activeStaffAt, activeStaffNamed } from '../tickets/staff.rows';
import { ticket, ticketReferenceRows } from '../tickets/tickets.rows';
import type { EmbedSection } from './embeds.section';
import { aboutNoTicket, frameFields } from './frame-fields';

const assistanceRows = select(
  { ...assistance.pick('actorId', 'requestedByStaffIds'), ...ticket.pick('source', 'reference') },
  sql`FROM ${assistance} JOIN ${ticket} ON ${ticket.id} = ${assistance.ticketId}`,
);
const customerRows = select({ source: customer.source }, sql`FROM ${customer}`);
const updateRows = select(
  {
    ...credentialUpdate.pick('requestedById', 'requestedByStaffIds'),
    source: optional(ticket.source),
    reference: optional(ticket.reference),
  },
  sql`FROM ${credentialUpdate} LEFT JOIN ${ticket} ON ${ticket.id} = ${credentialUpdate.ticketId}`,
);
type UpdateRow = Selected<typeof updateRows>;

/** A ticket by the helpdesk's number: neither ever changes. */
interface Place {
  readonly source: string;
  readonly reference: string;
}

const inFrame = (field: string): Failure => Failure.denied('FRAME', `frame.${field}`);

/** What may be done from a frame in a helpdesk's page, beside all that the person's own rights say. */
export class FrameReach {
  constructor(
    private readonly database: Core['database'],
    private readonly embedOf: (source: string) => EmbedSection | undefined,
  ) {}

  /**
   * Refuses what a frame doesn't do, and what isn't on a ticket of its helpdesk, before any of it is begun. A ticket elsewhere is answered as
   * one that doesn't exist. Throws `DENIED`, `NOT_FOUND`.
   */
  async expect(actor: SignedInActor, calls: readonly RootCall[]): Promise<void> {
    const { frame } = actor;
    if (!frame) return;
    for (const call of calls) await this.expectOne(actor, frame, call);
    const [asked] = calls.filter(({ field }) => !aboutNoTicket.has(field));
    if (asked && frame.signed) await this.expectTheSame(actor, frame.source, frame.signed, asked);
  }

  /** Whom the helpdesk signed for is who is signed in here. Throws `DENIED`. */
  private async expectTheSame(actor: SignedInActor, source: string, { user }: SignedContext, { field }: RootCall): Promise<void> {
    const named =
      'reference' in user ? await activeStaffAt(this.database, source, user.reference) : await this.named(source, user);
    if (named === undefined || !actor.staffIds.includes(named)) throw Failure.denied('ACTOR_MISMATCH', `frame.${field}`);
  }

  /** Whoever of a helpdesk's staff is called so; nobody where two are. */
  private async named(source: string, digests: readonly string[]): Promise<string | undefined> {
    const rows = digests.length === 0 ? [] : await activeStaffNamed(this.database, digests);
    const [one, ...more] = rows.filter((row) => row.source === source);
    return more.length === 0 ? one?.id : undefined;
  }

  private async expectOne(actor: SignedInActor, frame: FrameSurface, { field, given }: RootCall): Promise<void> {
    const asks = frameFields.get(field);
    if (!asks) throw inFrame(field);
    if (aboutNoTicket.has(field)) return;
    const { ticketId, reference, customerId, ownAssistanceId, ownUpdateId, updateId } = asks(given);
    if (reference)
      return this.expectHere(frame, field, { source: String(reference.source), reference: String(reference.reference) });
    if (typeof ticketId === 'string') {
      const [row] = await this.database.read(ticketReferenceRows, sql`WHERE ${ticket.id} = ${ticketId}`);
      return this.expectHere(frame, field, row, 'ticket');
    }
    if (typeof customerId === 'string') {
      const [row] = await this.database.read(customerRows, sql`WHERE ${customer.id} = ${customerId}`);
      return this.expectHere(frame, field, row && (await this.placeOfCustomer(frame, customerId, row.source)), 'customer');
    }
    if (typeof ownAssistanceId === 'string') {
      const [row] = await this.database.read(assistanceRows, sql`WHERE ${assistance.id} = ${ownAssistanceId}`);
      this.expectHere(frame, field, row, 'assistance');
      if (row && !isSamePerson(actor, { actorId: row.actorId, staffIds: row.requestedByStaffIds })) throw inFrame(field);
      return;
    }
    const update = ownUpdateId ?? updateId;
    // Without a ticket it would be about all of somebody's.
    if (typeof update !== 'string') throw inFrame(field);
    const [row] = await this.database.read(updateRows, sql`WHERE ${credentialUpdate.id} = ${update}`);
    this.expectHere(frame, field, placeOf(row), 'credential update');
    if (
      row &&
      ownUpdateId !== undefined &&
      !isSamePerson(actor, { actorId: row.requestedById, staffIds: row.requestedByStaffIds })
    )
      throw inFrame(field);
  }

  /** The ticket that was signed for, where it is about this customer; otherwise one that nobody signed for. */
  private async placeOfCustomer({ source, signed }: FrameSurface, id: string, of: string): Promise<Place> {
    const nowhere = { source: of, reference: '' };
    if (!signed || signed.reference === null || of !== source) return nowhere;
    const [row] = await this.database.read(
      ticketReferenceRows,
      sql`WHERE ${ticket.source} = ${source} AND ${ticket.reference} = ${signed.reference}`,
    );
    return row?.customerId === id ? row : nowhere;
  }

  private expectHere(frame: FrameSurface, field: string, place: Place | undefined, noun = 'ticket'): void {
    const embed = this.embedOf(frame.source);
    if (!place || !embed || place.source !== frame.source) throw Failure.notFound(noun);
    const { signed } = frame;
    if (signed ? signed.reference !== null && signed.reference !== place.reference : embed.signatureRequired)
      throw Failure.denied('UNSIGNED', `frame.${field}`);
  }
}

const placeOf = (row: UpdateRow | undefined): Place | undefined =>
  row?.source != null && row.reference != null ? { source: row.source, reference: row.reference } : undefined;
