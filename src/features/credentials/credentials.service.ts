import { canonicalize } from '../../audit/canonical';
import { type LinkAssurance, type SignedInActor, systemActor } from '../../authz/actor';
import type { ScopePolicy } from '../../authz/exposure.file';
import type { CredentialUpdateKind, UpdatePolicy } from '../../authz/update-policy';
import type { Change } from '../../db/change';
import type { Database } from '../../db/database';
import { joined, type Sql, sql } from '../../db/sql';
import type { Values } from '../../db/table';
import { Failure } from '../../failure';
import type { Cursors } from '../../graphql/cursor';
import { inOrder, type Keyset, PageRequest, pageClause } from '../../graphql/page';
import { expectNoCardData } from '../../privacy/card-data';
import { normalizeEmail } from '../../privacy/digests';
import { ulid } from '../../ulid';
import { assistances } from '../assistance/assistance.entity';
import type { Assistances } from '../assistance/assistance.service';
import { assistanceIds, live, useAssistance } from '../assistance/live';
import { customer, linkRows } from '../customers/customers.rows';
import type { Keys } from '../keys/keys.service';
import {
  lastDisputes,
  method,
  type PayerRow,
  payerRows,
  payer as payers,
  storedMethodRows,
  transaction,
} from '../payments/payments.rows';
import type { Sources } from '../sources/sources.service';
import { Ticket } from '../tickets/ticket.entity';
import { ticketScope } from '../tickets/tickets.policy';
import { staff, staffRows, ticketReferenceRows, ticket as tickets } from '../tickets/tickets.rows';
import type { InScope } from '../tickets/tickets.scope';
import { CredentialUpdate, credentialUpdates } from './credential-update.entity';
import { type AnyChange, begin, CustomerSeal, end, move } from './credential-update.moves';
import { type CredentialUpdateState, isOpenToCancel, type MoveReason } from './credential-update.states';
import { CredentialUpdateConnection, type CredentialUpdateFilter, type CredentialUpdateType } from './credential-update.type';
import { credentialActions, mayDecide, mayRequest, type UpdateStanding } from './credentials.policy';
import {
  type CredentialUpdateRow,
  credentialUpdate,
  reachedRows,
  requestCounts,
  type TransitionRow,
  transition,
  transitionRows,
  updateCounts,
  updateIds,
  updateRows,
} from './credentials.rows';
import { type CredentialJobs, enqueue } from './jobs.service';
import { describeMethod, type MethodSummary } from './method-summary';
import { needsOf } from './request/risk';
import { summaryOfRow } from './stored-method';

export interface RequestInput {
  readonly paymentMethodId: string;
  readonly kind: CredentialUpdateKind;
  readonly reason: string;
  readonly idempotencyKey: string;
}

export interface UpdatePageArguments {
  readonly filter: CredentialUpdateFilter | null | undefined;
  readonly first: number | null;
  readonly after: string | null | undefined;
}

type Standing = UpdateStanding & { readonly actorStaffId: string | null };

/** Updates that a ticket shows by itself; the list of updates has them all. */
const newestOfTicket = 50;
const day = 86_400_000;
const hour = 3_600_000;

const newestFirst: Keyset<CredentialUpdateRow> = {
  column: credentialUpdate.createdAt,
  id: credentialUpdate.id,
  direction: 'DESC',
  positionOf: (row) => ({ value: row.createdAt.getTime(), id: row.id }),
};

/** Why this kind of change makes no sense for a method; null where it does. */
const misfit = (kind: CredentialUpdateKind, method: MethodSummary): string | null => {
  if (kind === 'SET_DEFAULT' && method.isDefault) return 'Payments are taken from this method already.';
  if (kind === 'REPLACE_CARD' && method.kind !== 'CARD') return 'Only a card can be replaced by a new card.';
  if (kind === 'BILLING_ADDRESS' && method.kind === 'WALLET') return 'The address of a wallet is changed in the wallet.';
  return null;
};

/** Updates as staff ask for them, follow them and decide about them. */
export class Credentials {
  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly sources: Sources,
    private readonly assistances: Assistances,
    private readonly cursors: Cursors,
    private readonly policy: UpdatePolicy,
    private readonly scope: ScopePolicy,
    /** Ways to a customer that are configured. */
    private readonly channels: { readonly mail: boolean; readonly sms: boolean },
    private readonly jobs: CredentialJobs,
    private readonly clock: () => Date,
  ) {}

  /**
   * Asks the customer for a change. The same key with the same input returns the same update, whatever became of it.
   * Returns its id. Throws `INVALID`, `NOT_FOUND` (a method outside the ticket's customer), `DENIED`, `CONFLICT`.
   */
  async request({ actor, id: ticketId }: InScope<Ticket>, input: RequestInput): Promise<string> {
    const reason = input.reason.trim();
    if (reason.length < 10 || reason.length > 1_000)
      throw Failure.invalid('input.reason', 'expected 10 to 1,000 characters that say why');
    expectNoCardData('input.reason', reason);
    expectNoCardData('input.idempotencyKey', input.idempotencyKey);
    if (!/^[\x21-\x7e]{8,128}$/.test(input.idempotencyKey))
      throw Failure.invalid('input.idempotencyKey', 'expected 8 to 128 printable ASCII characters without blanks');
    const offered = Object.keys(this.policy.kinds);
    if (this.policy.kinds[input.kind] === undefined)
      throw Failure.invalid('input.kind', offered.length > 0 ? `expected one of ${offered.join(', ')}` : 'no change is offered');
    // What the customer is shown and judged by shall be what the provider holds now; where it doesn't answer, what was last read.
    const [asked] = await this.database.read(ticketReferenceRows, sql`WHERE ${tickets.id} = ${ticketId}`);
    if (asked?.customerId) await this.sources.refreshPayments(asked.customerId);
    const requestKey = this.keys.searchDigest('credential-request', `${actor.id} ${input.idempotencyKey}`) as string;
    const content = { ticket: ticketId, method: input.paymentMethodId, kind: input.kind, reason };
    const requestDigest = this.keys.searchDigest('credential-input', canonicalize(content)) as string;
    const id = await this.database.change(actor, credentialActions.request, async (change) => {
      // The ticket first, as everywhere: of twins that come at once the second one finds what the first one wrote.
      const ticket = await change.find(Ticket, { id: ticketId });
      if (!ticket) throw Failure.notFound('ticket');
      const known = await change.find(CredentialUpdate, { requestKey });
      if (known) return this.repeated(known, requestDigest);
      return this.newRequest(change, actor, ticket, { ...input, reason }, requestKey, requestDigest);
    });
    this.jobs.wake();
    return id;
  }

  /** Calls an update off before anything was sent to the provider. Repeated, it changes nothing. Throws `NOT_FOUND`, `DENIED`, `CONFLICT`. */
  async cancel(actor: SignedInActor, id: string): Promise<string> {
    await this.database.change(actor, credentialActions.cancel, async (change) => {
      const { update, standing, seal } = await this.lock(change, actor, id);
      change.permit(standing);
      if (update.state === 'CANCELLED') return;
      if (!isOpenToCancel(update.state)) throw notIn(update.state, 'nothing sent to the provider yet');
      await end(change, seal, update, 'credential.cancel', {
        to: 'CANCELLED',
        reason: 'BY_HAND',
        staffId: standing.actorStaffId,
      });
    });
    this.jobs.wake();
    return id;
  }

  /** A supervisor's consent to what the customer confirmed. Repeated by the same one, it changes nothing. Throws `NOT_FOUND`, `DENIED`, `CONFLICT`. */
  async approve(actor: SignedInActor, id: string): Promise<string> {
    await this.database.change(actor, credentialActions.approve, async (change) => {
      const { update, standing, seal } = await this.lock(change, actor, id);
      change.permit(standing);
      if (update.decision === 'APPROVED' && update.decidedById === actor.id) return;
      expectWaiting(update, change.at);
      decide(change, update, standing.actorStaffId, 'APPROVED');
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
    const reason = given.trim();
    if (reason.length < 10 || reason.length > 1_000)
      throw Failure.invalid('reason', 'expected 10 to 1,000 characters that say why');
    expectNoCardData('reason', reason);
    await this.database.change(actor, credentialActions.reject, async (change) => {
      const { update, standing, seal } = await this.lock(change, actor, id);
      change.permit(standing);
      if (update.decision === 'REJECTED' && update.decidedById === actor.id) return;
      expectWaiting(update, change.at);
      decide(change, update, standing.actorStaffId, 'REJECTED');
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

  /** Ends what nobody answered in time. Returns how many. */
  async expire(): Promise<number> {
    const waiting = Object.keys(expiryReasons);
    const due = await this.database.read(
      updateIds,
      sql`WHERE ${credentialUpdate.state} IN (${waiting}) AND ${credentialUpdate.expiresAt} <= ${this.clock()} ORDER BY ${credentialUpdate.expiresAt} LIMIT 200`,
    );
    for (const { id } of due) {
      await this.database.change(systemActor('expiry'), credentialActions.expire, async (change) => {
        const update = await change.lock(CredentialUpdate, { id });
        const reason = expiryReasons[update.state];
        if (reason === undefined || update.expiresAt > change.at) return;
        change.permit(null);
        const seal = await CustomerSeal.of(change, this.keys, update.customerId);
        await end(change, seal, update, 'credential.expire', { to: 'EXPIRED', reason });
      });
    }
    if (due.length > 0) this.jobs.wake();
    return due.length;
  }

  /** An update within the actor's reach: what they asked for, and the tickets within their scope. Throws `NOT_FOUND`. */
  async reachable(actor: SignedInActor, id: string): Promise<CredentialUpdateRow> {
    const [row] = await this.database.read(updateRows, sql`WHERE ${credentialUpdate.id} = ${id} AND ${this.reachOf(actor)}`);
    if (!row) throw Failure.notFound('credential update');
    return row;
  }

  /** Newest first. Throws `INVALID` for a page size or cursor that doesn't fit. */
  async page(
    actor: SignedInActor,
    { filter, first, after }: UpdatePageArguments,
    toType: (row: CredentialUpdateRow) => CredentialUpdateType,
  ) {
    const given = filter ?? {};
    const request = new PageRequest(this.cursors, actor.id, ['Query.credentialUpdates', given], newestFirst, { first, after });
    const conditions = [this.reachOf(actor)];
    const among = (column: Sql, values: readonly string[]) =>
      conditions.push(values.length > 0 ? sql`${column} IN (${values})` : sql`1 = 0`);
    if (given.state) among(credentialUpdate.state, given.state);
    if (given.kind) among(credentialUpdate.kind, given.kind);
    if (typeof given.ticketId === 'string') conditions.push(sql`${credentialUpdate.ticketId} = ${given.ticketId}`);
    if (given.requestedByMe === true) conditions.push(sql`${credentialUpdate.requestedById} = ${actor.id}`);
    if (given.awaitingMyDecision === true) {
      conditions.push(sql`${credentialUpdate.state} = 'AWAITING_APPROVAL' AND ${credentialUpdate.requestedById} <> ${actor.id}`);
      among(tickets.team, actor.roles.includes('SUPERVISOR') ? actor.teams : []);
      // One person with two subjects at the identity provider is still one member of staff.
      if (actor.staffIds.length > 0)
        conditions.push(
          sql`(${credentialUpdate.requestedByStaffId} IS NULL OR ${credentialUpdate.requestedByStaffId} NOT IN (${actor.staffIds}))`,
        );
    }
    const where = sql`WHERE ${joined(conditions, ' AND ')}`;
    const rows = await this.database.read(updateRows, sql`${where} ${request.clause}`);
    return new CredentialUpdateConnection(
      request.pageOf(rows, toType, async () => {
        const [counted] = await this.database.read(updateCounts, where);
        return counted?.n ?? 0;
      }),
    );
  }

  /** The newest `newestOfTicket` of each ticket, which the reader has reached already; newest first. */
  async ofTickets(ticketIds: readonly string[]): Promise<readonly (readonly CredentialUpdateRow[])[]> {
    const newest = pageClause(newestFirst, null, newestOfTicket);
    const lists = await this.database.readLists(
      updateRows,
      ticketIds.map((id) => sql`WHERE ${credentialUpdate.ticketId} = ${id} ${newest}`),
    );
    for (const list of lists) list.sort(inOrder(newestFirst));
    return lists;
  }

  /** Of updates that the reader has reached already; oldest first. */
  historyOf(ids: readonly string[]): Promise<readonly TransitionRow[]> {
    return this.database.read(
      transitionRows,
      sql`WHERE ${transition.updateId} IN (${ids}) ORDER BY ${transition.updateId}, ${transition.ordinal}`,
    );
  }

  /** Whether the actor may decide about this update now: then they see what they decide on. */
  isForDecisionOf(actor: SignedInActor, row: CredentialUpdateRow): boolean {
    return row.state === 'AWAITING_APPROVAL' && mayDecide(actor, { ...row, at: this.clock() });
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
    change: Change<Parameters<typeof mayRequest>[1]>,
    actor: SignedInActor,
    ticket: Ticket,
    input: RequestInput,
    requestKey: string,
    requestDigest: string,
  ): Promise<string> {
    const standing = await this.assistances.standingOf(change, ticket);
    const { payer, assistanceId, staffId, ...facts } = await this.standingOf(change, actor, ticket);
    change.permit({
      ticket: standing,
      isAssisted: assistanceId !== null,
      isLinked: payer !== null && (payer.link === 'VERIFIED' || this.channels.sms),
      contactStaffIds: facts.contactStaffIds,
      requestedToday: facts.requestedToday,
      mostPerDay: this.policy.quota.perCustomerPerDay,
    });
    const customerId = ticket.customerId as string;
    const { id: paymentCustomerId, source, link } = payer as PayerRow & { link: LinkAssurance };
    const [found] = await change.read(
      storedMethodRows,
      sql`WHERE ${method.id} = ${input.paymentMethodId} AND ${method.paymentCustomerId} = ${paymentCustomerId} AND ${method.status} <> 'REMOVED'`,
    );
    const seal = await CustomerSeal.of(change, this.keys, customerId);
    if (!found || seal.key === null) throw Failure.notFound('payment method');
    // What must still hold when this commits is written to: whoever ends the assistance meanwhile makes this find nothing.
    if (!(await useAssistance(change, assistanceId as string)))
      throw Failure.denied('ASSISTANCE_ENDED', credentialActions.request.name, ticket.id);
    if (this.sources.paymentsSource(source).connector.credentials === undefined)
      throw new Failure('CONFLICT', 'Methods of this payment source can only be read here.', {
        remedy: 'Change it at the payment provider.',
      });
    const summary = summaryOfRow(found, this.keys);
    const why = misfit(input.kind, summary);
    if (why !== null) throw new Failure('CONFLICT', why, { remedy: 'Choose another method or another kind of change.' });
    const open = await change.find(CredentialUpdate, { openKey: found.id });
    if (open)
      throw new Failure('CONFLICT', 'Another update of this method is under way.', {
        remedy: 'Follow or cancel that one first; the ticket lists it.',
      });
    const needs = needsOf(
      {
        kind: input.kind,
        link,
        contact: {
          mail: { changedAt: payer?.emailChangedAt ?? null, seenSince: payer?.emailSeenSince ?? null },
          phone: payer?.phoneDigest ? { changedAt: payer.phoneChangedAt, seenSince: payer.phoneSeenSince } : null,
        },
        contactIsStaff: facts.contactStaffIds.length > 0,
        method: { isDefault: summary.isDefault, createdAt: found.createdAt },
        lastDisputeAt: facts.lastDisputeAt,
      },
      this.policy,
      change.at,
    );
    if (!payer?.emailDigest || !payer.emailSealed)
      throw new Failure('CONFLICT', 'The payment side holds no e-mail address of this customer.', {
        remedy: 'The link goes only to an address that the payment side holds; it is added there.',
      });
    if (needs.needsCode && (!payer.phoneDigest || !this.channels.sms))
      throw new Failure('CONFLICT', 'This needs a code, and the payment side holds no telephone number of this customer.', {
        remedy: 'The code goes only to a number that the payment side holds; it is added there.',
      });
    const id = `cru_${ulid(change.at.getTime())}`;
    const update: Values<CredentialUpdate> = {
      id,
      kind: input.kind,
      state: 'REQUESTED',
      ticketId: ticket.id,
      customerId,
      assistanceId: assistanceId as string,
      source,
      paymentCustomerId,
      paymentMethodId: found.id,
      requestedById: actor.id,
      requestedByStaffId: staffId,
      requestKey,
      requestDigest,
      keyId: seal.key.id,
      reasonSealed: seal.seal(credentialUpdates, id, 'reason', input.reason),
      beforeSealed: seal.seal(credentialUpdates, id, 'before', JSON.stringify(summary)),
      afterSealed: null,
      addressSealed: null,
      link,
      mailDigest: payer.emailDigest,
      phoneDigest: needs.needsCode ? payer.phoneDigest : null,
      contactStaffIds: facts.contactStaffIds,
      riskRules: needs.rules,
      needsCode: needs.needsCode,
      needsThreeDSecure: needs.needsThreeDSecure,
      needsApproval: needs.needsApproval,
      codeDigest: null,
      codeExpiresAt: null,
      codeTries: 0,
      codeSends: 0,
      setupExpiresAt: null,
      setupSealed: null,
      newMethodSealed: null,
      authenticated: false,
      decidedById: null,
      decidedByStaffId: null,
      decidedAt: null,
      decision: null,
      decisionReasonSealed: null,
      failure: null,
      moves: 1,
      createdAt: change.at,
      expiresAt: new Date(change.at.getTime() + this.policy.linkHours * hour),
      endedAt: null,
      openKey: found.id,
    };
    await begin(change, seal, update, {
      staffId,
      notes: { reason: input.reason, before: describeMethod(summary) },
      detail: {
        method: found.id,
        link,
        rules: [...needs.rules],
        needs: [
          ...(needs.needsCode ? ['code'] : []),
          ...(needs.needsThreeDSecure ? ['three-d-secure'] : []),
          ...(needs.needsApproval ? ['approval'] : []),
        ],
      },
    });
    await enqueue(change, update.id, 'LINK');
    return update.id;
  }

  private async standingOf(change: AnyChange, actor: SignedInActor, ticket: Ticket) {
    const nobody = {
      payer: null,
      assistanceId: null,
      staffId: null,
      contactStaffIds: [],
      requestedToday: 0,
      lastDisputeAt: null,
    };
    const { customerId } = ticket;
    if (customerId === null) return nobody;
    // Locked, so that two requests for one customer are counted one after the other.
    const [linked] = await change.read(linkRows, sql`WHERE ${customer.id} = ${customerId}`, { lock: true });
    const [payer] =
      linked && linked.link !== 'NONE' && linked.paymentCustomerId !== null
        ? await change.read(payerRows, sql`WHERE ${payers.id} = ${linked.paymentCustomerId} AND ${payers.gone} = ${false}`)
        : [];
    const [assistance] = await change.read(
      assistanceIds,
      sql`WHERE ${live(assistances, actor, change.at)} AND ${assistances.ticketId} = ${ticket.id} AND ${assistances.customerId} = ${customerId}`,
    );
    const [counted] = await change.read(
      requestCounts,
      sql`WHERE ${credentialUpdate.customerId} = ${customerId} AND ${credentialUpdate.createdAt} > ${change.at.getTime() - day}`,
    );
    const [dispute] = payer ? await change.read(lastDisputes, sql`WHERE ${transaction.paymentCustomerId} = ${payer.id}`) : [];
    const address = payer ? this.keys.open(payers, payer, 'email') : null;
    const digest = this.keys.searchDigest('staff', address === null ? null : normalizeEmail(address));
    const staffed =
      digest === null
        ? []
        : await change.read(staffRows, sql`WHERE ${staff.emailDigest} = ${digest} OR ${staff.loginDigest} = ${digest}`);
    return {
      payer: payer && linked ? { ...payer, link: linked.link } : null,
      assistanceId: assistance?.id ?? null,
      staffId: await this.staffIdIn(change, actor, ticket.source),
      contactStaffIds: staffed.map(({ id }) => id),
      requestedToday: counted?.n ?? 0,
      lastDisputeAt: dispute?.openedAt ?? null,
    };
  }

  /** The actor as the ticket's helpdesk names them. */
  private async staffIdIn(change: AnyChange, actor: SignedInActor, source: string): Promise<string | null> {
    if (actor.staffIds.length === 0) return null;
    const [row] = await change.read(staffRows, sql`WHERE ${staff.source} = ${source} AND ${staff.id} IN (${actor.staffIds})`);
    return row?.id ?? null;
  }

  private async lock(change: AnyChange, actor: SignedInActor, id: string) {
    const [visible] = await change.read(reachedRows, sql`WHERE ${credentialUpdate.id} = ${id} AND ${this.reachOf(actor)}`);
    const ticket = visible ? await change.find(Ticket, { id: visible.ticketId }) : null;
    const update = ticket ? await change.find(CredentialUpdate, { id }) : null;
    if (!ticket || !update) throw Failure.notFound('credential update');
    const standing: Standing = {
      ticketId: update.ticketId,
      requestedById: update.requestedById,
      requestedByStaffId: update.requestedByStaffId,
      contactStaffIds: update.contactStaffIds,
      team: ticket.team,
      at: change.at,
      actorStaffId: await this.staffIdIn(change, actor, ticket.source),
    };
    return { update, standing, seal: await CustomerSeal.of(change, this.keys, update.customerId) };
  }

  /** SQL over `credential_update u` and its ticket `t`: what the actor asked for, and what hangs on tickets within their scope. */
  private reachOf(actor: SignedInActor): Sql {
    return sql`(${credentialUpdate.requestedById} = ${actor.id} OR ${ticketScope(actor, this.scope, this.clock())})`;
  }
}

/** Why each waiting state ends by itself. */
const expiryReasons: Readonly<Partial<Record<CredentialUpdateState, MoveReason>>> = {
  REQUESTED: 'LINK_EXPIRED',
  AWAITING_CUSTOMER: 'LINK_EXPIRED',
  AWAITING_PROVIDER: 'SETUP_EXPIRED',
  AWAITING_APPROVAL: 'APPROVAL_EXPIRED',
};

const notIn = (state: CredentialUpdateState, expected: string): Failure =>
  new Failure('CONFLICT', `The update is ${state}; expected ${expected}.`, {
    remedy: 'Look at its state and history; request a new one if it has ended and is still needed.',
  });

const expectWaiting = (update: CredentialUpdate, at: Date): void => {
  if (update.state !== 'AWAITING_APPROVAL' || update.expiresAt <= at) throw notIn(update.state, 'AWAITING_APPROVAL');
};

const decide = (change: AnyChange, update: CredentialUpdate, staffId: string | null, decision: 'APPROVED' | 'REJECTED'): void => {
  update.decidedById = change.actor.id;
  update.decidedByStaffId = staffId;
  update.decidedAt = change.at;
  update.decision = decision;
};
