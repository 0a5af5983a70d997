import { canonicalize } from '../../audit/canonical';
import { type SignedInActor, systemActor } from '../../authz/actor';
import type { ScopePolicy } from '../../authz/exposure.file';
import type { CredentialUpdateKind, UpdatePolicy } from '../../authz/update-policy';
import type { Change } from '../../db/change';
import type { Database } from '../../db/database';
import { marks, raw, sql } from '../../db/sql';
import { unionOfLists } from '../../db/union-of-lists';
import { Failure } from '../../failure';
import type { Cursors } from '../../graphql/cursor';
import { inOrder, type Keyset, PageRequest, pageClause } from '../../graphql/page';
import { expectNoCardData } from '../../privacy/card-data';
import { normalizeEmail } from '../../privacy/digests';
import { ulid } from '../../ulid';
import type { Assistances } from '../assistance/assistance.service';
import { joinKey, type KeyedRow, type Keys, keyColumns } from '../keys/keys.service';
import type { Sources } from '../sources/sources.service';
import { Ticket } from '../tickets/ticket.entity';
import { ticketScope } from '../tickets/tickets.policy';
import type { InScope } from '../tickets/tickets.scope';
import { CredentialUpdate, credentialUpdates } from './credential-update.entity';
import { type AnyChange, CustomerSeal, end, move } from './credential-update.moves';
import { type CredentialUpdateState, isOpenToCancel, type MoveReason } from './credential-update.states';
import {
  CredentialUpdateConnection,
  type CredentialUpdateFilter,
  type CredentialUpdateRow,
  type CredentialUpdateType,
  type TransitionRow,
} from './credential-update.type';
import { credentialActions, mayDecide, mayRequest, type UpdateStanding } from './credentials.policy';
import { needsOf } from './credentials.risk';
import { type CredentialJobs, enqueue } from './jobs.service';
import { describeMethod, type MethodSummary } from './method-summary';
import { storedMethod, storedMethodRows, summaryOfRow } from './stored-method';

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

/** The ticket's customer on the payment side, as far as a request is judged by it. */
interface PayerRow extends Record<string, unknown> {
  readonly link: 'VERIFIED' | 'MATCHED' | 'NONE';
  readonly payment_customer_id: string | null;
  readonly source: string | null;
  readonly email_digest: string | null;
  readonly email_sealed: Buffer | null;
  readonly phone_digest: string | null;
  readonly email_seen_since: number | null;
  readonly email_changed_at: number | null;
  readonly phone_seen_since: number | null;
  readonly phone_changed_at: number | null;
}

type Standing = UpdateStanding & { readonly actorStaffId: string | null };

/** Updates that a ticket shows by itself; the list of updates has them all. */
const newestOfTicket = 50;
const day = 86_400_000;
const hour = 3_600_000;
const instant = (value: number | null): Date | null => (value === null ? null : new Date(value));

const updateColumns = `u.id, u.kind, u.state, u.ticket_id, u.customer_id, u.payment_method_id, u.requested_by_id, u.requested_by_staff_id,
  u.reason_sealed, u.before_sealed, u.after_sealed, u.contact_staff_ids, u.risk_rules, u.needs_code, u.needs_approval, u.decided_by_staff_id, u.decided_at,
  u.decision, u.failure, u.authenticated, u.created_at, u.expires_at, u.ended_at, t.team,
  CASE WHEN c.payment_customer_id = u.payment_customer_id THEN c.link ELSE 'NONE' END AS current_link,
  f.outcome AS confirmation_outcome, f.channel AS confirmation_channel, f.proofs AS confirmation_proofs,
  f.shown_digest AS confirmation_shown, f.at AS confirmed_at, ${keyColumns}`;
const updateJoins = `${joinKey('u')} JOIN helpdesk_ticket t ON t.id = u.ticket_id LEFT JOIN helpdesk_customer c ON c.id = u.customer_id
  LEFT JOIN credential_confirmation f ON f.update_id = u.id`;

const newestFirst: Keyset<CredentialUpdateRow> = {
  column: raw('u.created_at'),
  id: raw('u.id'),
  direction: 'DESC',
  positionOf: (row) => ({ value: row.created_at, id: row.id }),
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
    const [ticket] = await this.database.query<{ customer_id: string | null }>(
      'SELECT customer_id FROM helpdesk_ticket WHERE id = ?',
      [ticketId],
    );
    if (ticket?.customer_id) await this.sources.refreshPayments(ticket.customer_id);
    const requestKey = this.keys.searchDigest('credential-request', `${actor.id} ${input.idempotencyKey}`) as string;
    const asked = { ticket: ticketId, method: input.paymentMethodId, kind: input.kind, reason };
    const requestDigest = this.keys.searchDigest('credential-input', canonicalize(asked)) as string;
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
      update.decisionReasonSealed = seal.key && seal.seal('credential_update', 'decision_reason_sealed', update.id, reason);
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
    const due = await this.database.query<{ id: string }>(
      `SELECT id FROM credential_update WHERE state IN (${marks(waiting)}) AND expires_at <= ? ORDER BY expires_at LIMIT 200`,
      [...waiting, this.clock().getTime()],
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
    const reach = this.reachOf(actor);
    const [row] = await this.database.query<CredentialUpdateRow>(
      `SELECT ${updateColumns} FROM credential_update u ${updateJoins} WHERE u.id = ? AND ${reach.sql}`,
      [id, ...reach.parameters],
    );
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
    const reach = this.reachOf(actor);
    const conditions = [reach.sql];
    const parameters = [...reach.parameters];
    const add = (sql: string, ...values: readonly unknown[]) => {
      conditions.push(sql);
      parameters.push(...values);
    };
    if (given.state) add(given.state.length > 0 ? `u.state IN (${marks(given.state)})` : '1 = 0', ...given.state);
    if (given.kind) add(given.kind.length > 0 ? `u.kind IN (${marks(given.kind)})` : '1 = 0', ...given.kind);
    if (typeof given.ticketId === 'string') add('u.ticket_id = ?', given.ticketId);
    if (given.requestedByMe === true) add('u.requested_by_id = ?', actor.id);
    if (given.awaitingMyDecision === true) {
      const mayAny = actor.roles.includes('SUPERVISOR') && actor.teams.length > 0;
      add(
        mayAny ? `u.state = 'AWAITING_APPROVAL' AND u.requested_by_id <> ? AND t.team IN (${marks(actor.teams)})` : '1 = 0',
        ...(mayAny ? [actor.id, ...actor.teams] : []),
      );
      // One person with two subjects at the identity provider is still one member of staff.
      if (actor.staffIds.length > 0)
        add(`(u.requested_by_staff_id IS NULL OR u.requested_by_staff_id NOT IN (${marks(actor.staffIds)}))`, ...actor.staffIds);
    }
    const where = conditions.join(' AND ');
    const rows = await this.database.query<CredentialUpdateRow>(
      `SELECT ${updateColumns} FROM credential_update u ${updateJoins} WHERE ${where} ${request.clause.sql}`,
      [...parameters, ...request.clause.values],
    );
    return new CredentialUpdateConnection(
      request.pageOf(rows, toType, async () => {
        const [counted] = await this.database.query<{ n: number }>(
          `SELECT COUNT(*) AS n FROM credential_update u ${updateJoins} WHERE ${where}`,
          parameters,
        );
        return counted?.n ?? 0;
      }),
    );
  }

  /** The newest `newestOfTicket` of each ticket, which the reader has reached already; newest first. */
  async ofTickets(ticketIds: readonly string[]): Promise<readonly (readonly CredentialUpdateRow[])[]> {
    const { sql, values } = pageClause(newestFirst, null, newestOfTicket);
    const rows = await this.database.query<CredentialUpdateRow & { list: number }>(
      unionOfLists(
        this.database.engine,
        ticketIds.map(
          (_, list) =>
            `SELECT ${list} AS list, ${updateColumns} FROM credential_update u ${updateJoins} WHERE u.ticket_id = ? ${sql}`,
        ),
      ),
      ticketIds.flatMap((id) => [id, ...values]),
    );
    const lists: CredentialUpdateRow[][] = ticketIds.map(() => []);
    for (const row of rows) lists[row.list]?.push(row);
    for (const list of lists) list.sort(inOrder(newestFirst));
    return lists;
  }

  /** Of updates that the reader has reached already; oldest first. */
  historyOf(ids: readonly string[]): Promise<readonly TransitionRow[]> {
    return this.database.query<TransitionRow>(
      `SELECT update_id, from_state, to_state, actor_kind, staff_id, reason, at FROM credential_transition WHERE update_id IN (${marks(ids)}) ORDER BY update_id, ordinal`,
      ids,
    );
  }

  /** Whether the actor may decide about this update now: then they see what they decide on. */
  isForDecisionOf(actor: SignedInActor, row: CredentialUpdateRow): boolean {
    return (
      row.state === 'AWAITING_APPROVAL' &&
      mayDecide(actor, {
        ticketId: row.ticket_id,
        requestedById: row.requested_by_id,
        requestedByStaffId: row.requested_by_staff_id,
        contactStaffIds: JSON.parse(row.contact_staff_ids) as string[],
        team: row.team,
        at: this.clock(),
      })
    );
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
    const {
      payment_customer_id: paymentCustomerId,
      source,
      link,
    } = payer as PayerRow & { source: string; payment_customer_id: string };
    const [method] = await change.read(
      storedMethodRows,
      sql`WHERE ${storedMethod.id} = ${input.paymentMethodId} AND ${storedMethod.paymentCustomerId} = ${paymentCustomerId} AND ${storedMethod.status} <> 'REMOVED'`,
    );
    const seal = await CustomerSeal.of(change, this.keys, customerId);
    if (!method || seal.key === null) throw Failure.notFound('payment method');
    // What must still hold when this commits is written to: whoever ends the assistance meanwhile makes this find nothing.
    const held = await change.execute(
      'UPDATE assistance SET last_used_at = ? WHERE id = ? AND ended_at IS NULL AND begins_at IS NOT NULL AND expires_at > ?',
      [change.at.getTime(), assistanceId, change.at.getTime()],
    );
    if (held === 0) throw Failure.denied('ASSISTANCE_ENDED', credentialActions.request.name, ticket.id);
    if (this.sources.paymentsSource(source).connector.credentials === undefined)
      throw new Failure('CONFLICT', 'Methods of this payment source can only be read here.', {
        remedy: 'Change it at the payment provider.',
      });
    const summary = summaryOfRow(method, this.keys);
    const why = misfit(input.kind, summary);
    if (why !== null) throw new Failure('CONFLICT', why, { remedy: 'Choose another method or another kind of change.' });
    const open = await change.find(CredentialUpdate, { openKey: method.id });
    if (open)
      throw new Failure('CONFLICT', 'Another update of this method is under way.', {
        remedy: 'Follow or cancel that one first; the ticket lists it.',
      });
    const needs = needsOf(
      {
        kind: input.kind,
        link,
        contact: {
          mail: { changedAt: instant(payer?.email_changed_at ?? null), seenSince: instant(payer?.email_seen_since ?? null) },
          phone: payer?.phone_digest
            ? { changedAt: instant(payer.phone_changed_at), seenSince: instant(payer.phone_seen_since) }
            : null,
        },
        contactIsStaff: facts.contactStaffIds.length > 0,
        method: { isDefault: summary.isDefault, createdAt: method.createdAt },
        lastDisputeAt: facts.lastDisputeAt,
      },
      this.policy,
      change.at,
    );
    if (!payer?.email_digest || !payer.email_sealed)
      throw new Failure('CONFLICT', 'The payment side holds no e-mail address of this customer.', {
        remedy: 'The link goes only to an address that the payment side holds; it is added there.',
      });
    if (needs.needsCode && (!payer.phone_digest || !this.channels.sms))
      throw new Failure('CONFLICT', 'This needs a code, and the payment side holds no telephone number of this customer.', {
        remedy: 'The code goes only to a number that the payment side holds; it is added there.',
      });
    const update = Object.assign(new CredentialUpdate(), {
      id: `cru_${ulid(change.at.getTime())}`,
      kind: input.kind,
      state: 'REQUESTED',
      ticketId: ticket.id,
      customerId,
      assistanceId: assistanceId as string,
      source,
      paymentCustomerId,
      paymentMethodId: method.id,
      requestedById: actor.id,
      requestedByStaffId: staffId,
      requestKey,
      requestDigest,
      keyId: seal.key.id,
      afterSealed: null,
      addressSealed: null,
      link,
      mailDigest: payer.email_digest,
      phoneDigest: needs.needsCode ? payer.phone_digest : null,
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
      moves: 0,
      createdAt: change.at,
      expiresAt: new Date(change.at.getTime() + this.policy.linkHours * hour),
      endedAt: null,
      openKey: method.id,
    } satisfies Partial<CredentialUpdate>);
    update.reasonSealed = seal.seal('credential_update', 'reason_sealed', update.id, input.reason);
    update.beforeSealed = seal.seal('credential_update', 'before_sealed', update.id, JSON.stringify(summary));
    await change.insert(credentialUpdates, update);
    await move(change, seal, update, 'credential.request', {
      to: 'REQUESTED',
      staffId,
      notes: { reason: input.reason, before: describeMethod(summary) },
      detail: {
        method: method.id,
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
    const now = change.at.getTime();
    // Held, so that two requests for one customer are counted one after the other.
    const [found] = await change.query<PayerRow & KeyedRow>(
      `SELECT c.link, c.payment_customer_id FROM helpdesk_customer c WHERE c.id = ?`,
      [customerId],
      { lock: true },
    );
    const [payer] =
      found && found.link !== 'NONE' && found.payment_customer_id !== null
        ? await change.query<PayerRow & KeyedRow>(
            `SELECT p.id AS payment_customer_id, p.source, p.email_digest, p.email_sealed, p.phone_digest, p.email_seen_since, p.email_changed_at, p.phone_seen_since, p.phone_changed_at, ${keyColumns}
               FROM payment_customer p ${joinKey('p')} WHERE p.id = ? AND p.gone = 0`,
            [found.payment_customer_id],
          )
        : [];
    const [assistance] = await change.query<{ id: string }>(
      `SELECT id FROM assistance WHERE actor_id = ? AND ticket_id = ? AND customer_id = ? AND ended_at IS NULL AND begins_at IS NOT NULL AND expires_at > ?`,
      [actor.id, ticket.id, customerId, now],
    );
    const [counted] = await change.query<{ n: number }>(
      'SELECT COUNT(*) AS n FROM credential_update WHERE customer_id = ? AND created_at > ?',
      [customerId, now - day],
    );
    const [dispute] = payer
      ? await change.query<{ at: number | null }>(
          'SELECT MAX(dispute_opened_at) AS at FROM payment_transaction WHERE payment_customer_id = ?',
          [payer.payment_customer_id],
        )
      : [];
    const address = payer
      ? this.keys.openColumn(
          payer,
          { table: 'payment_customer', column: 'email_sealed', row: payer.payment_customer_id as string },
          payer.email_sealed,
        )
      : null;
    const digest = this.keys.searchDigest('staff', address === null ? null : normalizeEmail(address));
    const staffed =
      digest === null
        ? []
        : await change.query<{ id: string }>('SELECT id FROM helpdesk_staff WHERE email_digest = ? OR login_digest = ?', [
            digest,
            digest,
          ]);
    return {
      payer: payer && found ? { ...payer, link: found.link } : null,
      assistanceId: assistance?.id ?? null,
      staffId: await this.staffIdIn(change, actor, ticket.source),
      contactStaffIds: staffed.map(({ id }) => id),
      requestedToday: counted?.n ?? 0,
      lastDisputeAt: instant(dispute?.at ?? null),
    };
  }

  /** The actor as the ticket's helpdesk names them. */
  private async staffIdIn(change: AnyChange, actor: SignedInActor, source: string): Promise<string | null> {
    if (actor.staffIds.length === 0) return null;
    const [row] = await change.query<{ id: string }>(
      `SELECT id FROM helpdesk_staff WHERE source = ? AND id IN (${marks(actor.staffIds)})`,
      [source, ...actor.staffIds],
    );
    return row?.id ?? null;
  }

  private async lock(change: AnyChange, actor: SignedInActor, id: string) {
    const reach = this.reachOf(actor);
    const [visible] = await change.query<{ ticket_id: string }>(
      `SELECT u.ticket_id FROM credential_update u JOIN helpdesk_ticket t ON t.id = u.ticket_id WHERE u.id = ? AND ${reach.sql}`,
      [id, ...reach.parameters],
    );
    const ticket = visible ? await change.find(Ticket, { id: visible.ticket_id }) : null;
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
  private reachOf(actor: SignedInActor): { readonly sql: string; readonly parameters: readonly unknown[] } {
    const scope = ticketScope(actor, this.scope, this.clock());
    return { sql: `(u.requested_by_id = ? OR ${scope.sql})`, parameters: [actor.id, ...scope.values] };
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
