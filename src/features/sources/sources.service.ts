import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { systemActor } from '../../authz/actor';
import { action, isSystem } from '../../authz/rule';
import type { Database } from '../../db/database';
import { assignments, marks } from '../../db/sql';
import { Failure } from '../../failure';
import { normalizeEmail } from '../../privacy/digests';
import { ulid } from '../../ulid';
import type { HelpdeskConnector, TicketSnapshot, WebhookJudgement, WebhookRequest } from '../../upstream/helpdesk/helpdesk.port';
import type { PaymentCustomerRecord, PaymentCustomerSnapshot, PaymentsConnector } from '../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import { decideLink, type LinkCandidate } from '../customers/link';
import { joinKey, type KeyedRow, type Keys, keyColumns } from '../keys/keys.service';
import type { Ingest, LinkDecision } from './ingest';
import { WebhookReceipt } from './source.entity';

export interface HelpdeskSource {
  readonly name: string;
  readonly connector: HelpdeskConnector;
  /** The helpdesk's names of teams, as the identity provider's tokens have them. */
  readonly teams: Readonly<Record<string, string>>;
}

export interface PaymentsSource {
  readonly name: string;
  readonly connector: PaymentsConnector;
}

export interface SourcesOptions {
  /** How far back tickets and transactions are kept, days. */
  readonly windowDays: number;
  /** Payment rows older than this, milliseconds, are read through when a ticket is opened, and marked stale otherwise. */
  readonly paymentsBound: number;
  /** Pause between two polls of a source, milliseconds. */
  readonly pollEvery: number;
  /** How long a response waits for a read-through, milliseconds, before it shows what is stored, marked stale. */
  readonly readThroughBudget: number;
}

export interface SourceHealth {
  readonly name: string;
  readonly kind: string;
  readonly side: 'helpdesk' | 'payments';
  readonly polledAt: Date | null;
  readonly backfilledAt: Date | null;
  readonly fault: string | null;
}

export interface SyncProgress {
  readonly source: string;
  readonly phase: 'tickets' | 'payments' | 'changes';
  readonly done: number;
  readonly total: number | null;
}

export type WebhookOutcome = 'rejected' | 'duplicate' | 'accepted' | 'kept';

const sourceActions = {
  state: action<unknown>('source.state', isSystem),
  webhook: action<unknown>('source.webhook', isSystem),
};
const sync = systemActor('sync');

/** Customers whose payment side is fetched and stored in one go. */
const customersPerBatch = 25;
/** Tickets stored in one change: some milliseconds, so that a disclosure never waits long behind them. */
const ticketsPerChange = 25;
const day = 86_400_000;
/** After how long, in milliseconds, a ticket that somebody assists on is looked at itself, whatever the polls say. */
const unseenFor = 600_000;
/** How long, in milliseconds, what a webhook told may take until a reading finds it. */
const settlingTime = 60_000;
/**
 * Pauses, in milliseconds, after which a helpdesk is polled that announced a change. RT calls before it commits, and only
 * commits once it is answered: who reads at once may read the state of before.
 */
const echoes = [250, 2_000];

interface CustomerRow extends KeyedRow, Record<string, unknown> {
  readonly id: string;
  readonly source: string;
  readonly reference: string;
  readonly email_sealed: Buffer | null;
  readonly email_digest: string | null;
  readonly email_edited: number;
  readonly protected_reference_digest: string | null;
}

const chunks = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, index) => list.slice(index * size, (index + 1) * size));

/** Runs `work` over a list, a few at a time: a source has limits, and one customer takes several requests. */
const inTurns = async <T>(list: readonly T[], work: (item: T) => Promise<void>, width = 6): Promise<void> => {
  const waiting = [...list];
  await Promise.all(
    Array.from({ length: Math.min(width, waiting.length) }, async () => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
    }),
  );
};

/** The configured sources: filled by backfill and poll, woken by webhooks, read through where a record is missing or too old. */
export class Sources {
  private readonly helpdesks: ReadonlyMap<string, HelpdeskSource>;
  private readonly absent = new LRUCache<string, true>({ max: 20_000, ttl: 10_000 });
  private readonly underWay = new Map<string, Promise<unknown>>();
  private readonly recentlyRefreshed = new LRUCache<string, true>({ max: 20_000, ttl: 2_000 });
  private readonly wakeUps = new Map<string, () => void>();
  private readonly loops: Promise<void>[] = [];
  private readonly echoing = new Set<NodeJS.Timeout>();
  private stopping = false;
  /** Sources whose webhooks from before this start are settled. */
  private readonly madeUpFor = new Set<string>();
  private readonly startedAt: Date;

  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly ingest: Ingest,
    helpdesks: readonly HelpdeskSource[],
    private readonly paymentSources: readonly PaymentsSource[],
    private readonly options: SourcesOptions,
    private readonly clock: () => Date,
    private readonly onFault: (source: string, error: unknown) => void,
  ) {
    this.helpdesks = new Map(helpdesks.map((source) => [source.name, source]));
    this.startedAt = clock();
  }

  /** Throws `INVALID` for a source that isn't configured. */
  helpdesk(name: string): HelpdeskSource {
    const source = this.helpdesks.get(name);
    if (!source)
      throw Failure.invalid('source', `expected one of ${[...this.helpdesks.keys()].join(', ') || 'no source is configured'}`);
    return source;
  }

  /** Throws `INVALID` for a source that isn't configured. */
  paymentsSource(name: string): PaymentsSource {
    const source = this.paymentSources.find((each) => each.name === name);
    if (!source) throw Failure.invalid('source', `expected one of ${this.paymentSources.map((each) => each.name).join(', ')}`);
    return source;
  }

  /**
   * Fetches one ticket and stores it. False when the helpdesk has none under that reference (remembered for some
   * seconds). Throws `SourceUnavailable`. Requests for one ticket at the same time share one fetch.
   */
  refreshTicket(sourceName: string, reference: string): Promise<boolean> {
    const key = `${sourceName} ${reference}`;
    if (this.absent.has(key)) return Promise.resolve(false);
    return this.shared(`ticket ${key}`, async () => {
      const source = this.helpdesk(sourceName);
      const asOf = this.clock();
      const snapshot = await source.connector.fetchTicket(reference);
      if (!snapshot) {
        this.absent.set(key, true);
        await this.ingest.ticketGone(source.name, reference, asOf);
        return false;
      }
      await this.ingest.tickets(source.name, source.teams, [snapshot]);
      return true;
    });
  }

  /**
   * Looks at tickets that somebody assists on and that weren't seen themselves for a while: one that was deleted, or moved
   * to where our account sees nothing, doesn't show in a poll.
   */
  async lookAtAssisted(): Promise<void> {
    const rows = await this.database.query<{ source: string; reference: string }>(
      `SELECT t.source, t.reference FROM helpdesk_ticket t
        WHERE t.observed_at < ? AND EXISTS (SELECT 1 FROM assistance a WHERE a.ticket_id = t.id AND a.ended_at IS NULL)
        ORDER BY t.observed_at LIMIT 20`,
      [this.clock().getTime() - unseenFor],
    );
    await inTurns(
      rows,
      async ({ source, reference }) => {
        if (this.stopping) return;
        await this.refreshTicket(source, reference).catch((error: unknown) => this.noteFault(source, error));
      },
      2,
    );
  }

  /** Looks the customer up at every payment source again, within the read-through budget; false when that didn't succeed. */
  async refreshPayments(customerId: string): Promise<boolean> {
    if (this.paymentSources.length === 0) return true;
    if (this.recentlyRefreshed.has(customerId)) return true;
    const refreshed = this.shared(`payments ${customerId}`, async () => {
      await this.relink([customerId]);
      this.recentlyRefreshed.set(customerId, true);
      return true;
    }).catch((error: unknown) => {
      this.noteFault('payments', error);
      return false;
    });
    let timer: NodeJS.Timeout | undefined;
    const budget = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), this.options.readThroughBudget);
    });
    return Promise.race([refreshed, budget]).finally(() => clearTimeout(timer));
  }

  /** Asks every payment source anew who this customer is and what they hold, however long that takes. Throws `SourceUnavailable`. */
  confirmLink(customerId: string): Promise<void> {
    return this.relink([customerId]);
  }

  /** An internal note on a ticket. False where the helpdesk takes none. Throws `SourceUnavailable`; the note may stand there even so. */
  async addNote(sourceName: string, reference: string, text: string): Promise<boolean> {
    return (await this.helpdesk(sourceName).connector.addNote?.(reference, text)) ?? false;
  }

  /** Polls every source until `stop`; a webhook wakes its source's loop. */
  start(): void {
    for (const { name } of this.helpdesks.values()) this.loops.push(this.loop(name, () => this.syncHelpdesk(name)));
    for (const { name } of this.paymentSources) this.loops.push(this.loop(name, () => this.syncPayments(name)));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    for (const timer of this.echoing) clearTimeout(timer);
    for (const wake of this.wakeUps.values()) wake();
    await Promise.all(this.loops);
  }

  /** Everything once: backfill where it isn't finished, then what changed since. For the command line, the first start and tests. */
  async syncAll(onProgress: (progress: SyncProgress) => void = () => {}): Promise<void> {
    for (const { name } of this.helpdesks.values()) await this.syncHelpdesk(name, onProgress);
    for (const { name } of this.paymentSources) await this.syncPayments(name, onProgress);
  }

  /** Judges a webhook by its source's signature, keeps that it came, and reconciles by reading: its content is never believed. */
  async webhook(sourceName: string, request: WebhookRequest): Promise<WebhookOutcome> {
    const helpdesk = this.helpdesks.get(sourceName);
    const payments = this.paymentSources.find(({ name }) => name === sourceName);
    const judgement: WebhookJudgement = (helpdesk ?? payments)?.connector.judgeWebhook(request) ?? {
      outcome: 'rejected',
      why: 'no such source',
    };
    if (judgement.outcome === 'rejected') return 'rejected';
    const state = judgement.outcome === 'hint' ? 'PENDING' : 'UNKNOWN';
    const eventId = judgement.eventId.slice(0, 255);
    const isNew = await this.database.change(
      sync,
      sourceActions.webhook,
      async (change) => {
        const known = await change.find(WebhookReceipt, { source: sourceName, eventId });
        if (known && (known.state !== 'UNKNOWN' || state === 'UNKNOWN')) return known.state === 'PENDING';
        change.permit(null);
        if (known) {
          // Kept by a version that didn't understand it, sent again to one that does.
          await change.execute("UPDATE upstream_webhook SET state = 'PENDING' WHERE id = ?", [known.id]);
          change.record({ subject: { type: 'Webhook', id: known.id }, detail: { source: sourceName, state } });
          return true;
        }
        const receipt = Object.assign(new WebhookReceipt(), {
          id: `whk_${ulid()}`,
          source: sourceName,
          eventId,
          type: judgement.type.slice(0, 128),
          state,
          size: request.body.length,
          digest: createHash('sha256').update(request.body).digest('hex'),
          happenedAt: judgement.at,
          receivedAt: request.now,
        });
        await change.insert(WebhookReceipt, receipt);
        change.record({ subject: { type: 'Webhook', id: receipt.id }, detail: { source: sourceName, state } });
        return true;
      },
      { idempotent: true },
    );
    if (!isNew) return 'duplicate';
    if (judgement.outcome === 'unknown') return 'kept';
    await this.reconcile(sourceName, judgement.references);
    if (helpdesk) this.pollSoon(sourceName);
    await this.database.change(sync, sourceActions.webhook, async (change) => {
      change.permit(null);
      const applied = await change.execute(
        "UPDATE upstream_webhook SET state = 'APPLIED' WHERE source = ? AND event_id = ? AND state = 'PENDING'",
        [sourceName, eventId],
      );
      if (applied > 0) change.record({ detail: { source: sourceName, state: 'APPLIED' } });
    });
    return 'accepted';
  }

  /** Helpdesk sources whose configured link field agents can write, or may be able to: its values link nobody. */
  async unprotectedLinkFields(): Promise<readonly { readonly source: string; readonly why: string }[]> {
    const checked = await Promise.allSettled(
      [...this.helpdesks.values()].map(async ({ name, connector }) => ({
        source: name,
        check: await connector.checkLinkField?.(),
      })),
    );
    return checked.flatMap((each) => {
      if (each.status === 'rejected') return [];
      const { source, check } = each.value;
      return check && !check.isProtected ? [{ source, why: check.why }] : [];
    });
  }

  async health(): Promise<readonly SourceHealth[]> {
    const rows = await this.database.query<{
      name: string;
      polled_at: number | null;
      backfilled_at: number | null;
      fault: string | null;
    }>('SELECT name, polled_at, backfilled_at, fault FROM upstream_source');
    const stored = new Map(rows.map((row) => [row.name, row]));
    const instant = (value: number | null | undefined) => (value === null || value === undefined ? null : new Date(value));
    return [
      ...[...this.helpdesks.values()].map(({ name, connector }) => ({ name, kind: connector.kind, side: 'helpdesk' as const })),
      ...this.paymentSources.map(({ name, connector }) => ({ name, kind: connector.kind, side: 'payments' as const })),
    ].map((source) => ({
      ...source,
      polledAt: instant(stored.get(source.name)?.polled_at),
      backfilledAt: instant(stored.get(source.name)?.backfilled_at),
      fault: stored.get(source.name)?.fault ?? null,
    }));
  }

  private async syncHelpdesk(name: string, onProgress: (progress: SyncProgress) => void = () => {}): Promise<void> {
    const source = this.helpdesk(name);
    const state = await this.state(name);
    let position = state?.position ?? null;
    let asOf: Date | null = null;
    if (!state?.backfilled_at || position === null) {
      const since = new Date(this.clock().getTime() - this.options.windowDays * day);
      let done = 0;
      for await (const batch of source.connector.backfill(since, state?.backfill_position ?? null)) {
        await this.store(source, batch.tickets);
        if (batch.complete) asOf = batch.asOf;
        done += batch.tickets.length;
        onProgress({ source: name, phase: 'tickets', done, total: batch.total ?? null });
        await this.saveState(name, source.connector.kind, {
          backfill_position: batch.complete ? null : batch.cursor,
          ...(batch.complete
            ? { position: batch.cursor, backfilled_at: batch.asOf.getTime(), polled_at: batch.asOf.getTime(), fault: null }
            : {}),
        });
        position = batch.cursor;
        if (this.stopping) return;
      }
      await this.linkAll(name, onProgress);
      await this.settleReceipts(name, asOf);
      return;
    }
    for await (const batch of source.connector.poll(position)) {
      await this.store(source, batch.tickets);
      for (const reference of batch.unread ?? []) await this.lookAtUnread(name, reference);
      if (batch.complete) asOf = batch.asOf;
      await this.saveState(name, source.connector.kind, {
        position: batch.cursor,
        ...(batch.complete ? { polled_at: batch.asOf.getTime(), fault: null } : {}),
      });
      onProgress({ source: name, phase: 'changes', done: batch.tickets.length, total: null });
      if (this.stopping) return;
    }
    await this.linkAll(name, onProgress);
    await this.settleReceipts(name, asOf);
  }

  private async syncPayments(name: string, onProgress: (progress: SyncProgress) => void = () => {}): Promise<void> {
    const source = this.paymentsSource(name);
    const state = await this.state(name);
    let settled: Date | null = null;
    for await (const { customers, cursor, complete, asOf } of source.connector.changes(state?.position ?? null)) {
      if (complete) settled = asOf;
      for (const part of chunks(customers, customersPerBatch)) await this.reconcilePayments(source, part);
      await this.saveState(name, source.connector.kind, {
        position: cursor,
        ...(complete ? { polled_at: asOf.getTime(), fault: null } : {}),
      });
      onProgress({ source: name, phase: 'changes', done: customers.length, total: null });
      if (this.stopping) return;
    }
    await this.settleReceipts(name, settled);
  }

  /**
   * What webhooks told before a complete reading began has been read with it. Those that an earlier version kept without
   * understanding are made up for once: all that was last read before they happened is read again.
   */
  private async settleReceipts(name: string, asOf: Date | null): Promise<void> {
    if (asOf === null) return;
    await this.applyReceipts(name, "state = 'PENDING'", [], new Date(asOf.getTime() - settlingTime));
    if (this.madeUpFor.has(name)) return;
    const connector = (this.helpdesks.get(name) ?? this.paymentSources.find((source) => source.name === name))?.connector;
    const kept = await this.database.query<{ type: string; happened_at: number }>(
      "SELECT type, MAX(happened_at) AS happened_at FROM upstream_webhook WHERE source = ? AND state = 'UNKNOWN' AND received_at < ? GROUP BY type",
      [name, this.startedAt.getTime()],
    );
    const understood = kept.filter(({ type }) => connector?.understandsWebhook?.(type) === true);
    if (understood.length > 0) {
      await this.readAgain(name, Math.max(...understood.map((each) => each.happened_at)));
      if (this.stopping) return;
      const types = understood.map(({ type }) => type);
      await this.applyReceipts(name, `state = 'UNKNOWN' AND type IN (${marks(types)})`, types, this.startedAt);
    }
    this.madeUpFor.add(name);
  }

  private async applyReceipts(name: string, condition: string, parameters: readonly string[], before: Date): Promise<void> {
    const where = `source = ? AND received_at < ? AND ${condition}`;
    const values = [name, before.getTime(), ...parameters];
    const [waiting] = await this.database.query(`SELECT id FROM upstream_webhook WHERE ${where} LIMIT 1`, values);
    if (!waiting) return;
    await this.database.change(sync, sourceActions.webhook, async (change) => {
      change.permit(null);
      const applied = await change.execute(`UPDATE upstream_webhook SET state = 'APPLIED' WHERE ${where}`, values);
      if (applied > 0) change.record({ detail: { source: name, state: 'APPLIED', webhooks: applied } });
    });
  }

  /** Reads again what of a source was last read before an instant: its open tickets, or its payment customers. */
  private async readAgain(name: string, before: number): Promise<void> {
    if (this.helpdesks.has(name)) {
      const tickets = await this.database.query<{ reference: string }>(
        "SELECT reference FROM helpdesk_ticket WHERE source = ? AND observed_at < ? AND status NOT IN ('RESOLVED', 'CLOSED')",
        [name, before],
      );
      await inTurns(tickets, async ({ reference }) => {
        if (!this.stopping) await this.refreshTicket(name, reference);
      });
      return;
    }
    const customers = await this.database.query<{ id: string }>(
      `SELECT c.id FROM helpdesk_customer c JOIN payment_customer p ON p.id = c.payment_customer_id
        WHERE p.source = ? AND p.observed_at < ?`,
      [name, before],
    );
    for (const part of chunks(customers, customersPerBatch)) {
      if (this.stopping) return;
      await this.relink(part.map(({ id }) => id));
    }
  }

  /**
   * A ticket that changed and couldn't be read. The poll confirms every ticket that it didn't bring: this one it must not.
   * Asked for by itself, one that is gone says so.
   */
  private async lookAtUnread(name: string, reference: string): Promise<void> {
    await this.ingest.ticketUnreadable(name, reference);
    await this.refreshTicket(name, reference).catch((error: unknown) => this.noteFault(name, error));
  }

  private async store(source: HelpdeskSource, snapshots: readonly TicketSnapshot[]): Promise<void> {
    for (const part of chunks(snapshots, ticketsPerChange)) await this.ingest.tickets(source.name, source.teams, part);
  }

  private reconcile(sourceName: string, references: readonly string[]): Promise<void> {
    const helpdesk = this.helpdesks.get(sourceName);
    if (helpdesk) {
      return Promise.all(
        references.map(async (reference) => {
          this.absent.delete(`${sourceName} ${reference}`);
          // A fetch that began before the webhook may have missed what it tells of.
          await this.underWay.get(`ticket ${sourceName} ${reference}`)?.catch(() => {});
          await this.refreshTicket(sourceName, reference);
        }),
      ).then(() => {});
    }
    const payments = this.paymentSources.find(({ name }) => name === sourceName);
    if (!payments) return Promise.resolve();
    // An event that names no customer says that something changed: what, the next reading of changes tells.
    return references.length === 0 ? this.syncPayments(sourceName) : this.reconcilePayments(payments, references);
  }

  /** Fetches changed payment customers that the read model has, and decides anew who they are. Others are found when a ticket asks for them. */
  private async reconcilePayments(source: PaymentsSource, references: readonly string[]): Promise<void> {
    if (references.length === 0) return;
    const digests = references.map((reference) => this.keys.searchDigest('payment-customer', reference) as string);
    const known = await this.database.query<{ id: string; reference_digest: string }>(
      `SELECT id, reference_digest FROM payment_customer WHERE source = ? AND reference_digest IN (${marks(digests)})`,
      [source.name, ...digests],
    );
    const since = new Date(this.clock().getTime() - this.options.windowDays * day);
    for (const row of known) {
      const reference = references[digests.indexOf(row.reference_digest)] as string;
      const asOf = this.clock();
      const snapshot = await source.connector.fetchCustomer(reference, since);
      if (snapshot) await this.ingest.payments(source.name, [snapshot]);
      else await this.ingest.paymentCustomerGone(row.id, asOf);
    }
    const affected = known.length
      ? await this.database.query<{ id: string }>(
          `SELECT id FROM helpdesk_customer WHERE payment_customer_id IN (${marks(known)})`,
          known.map(({ id }) => id),
        )
      : [];
    await this.relink(affected.map(({ id }) => id));
  }

  /** Looks up every customer of a helpdesk source that was never looked up. */
  private async linkAll(name: string, onProgress: (progress: SyncProgress) => void): Promise<void> {
    if (this.paymentSources.length === 0) return;
    const [{ n: total } = { n: 0 }] = await this.database.query<{ n: number }>(
      'SELECT COUNT(*) AS n FROM helpdesk_customer WHERE source = ? AND linked_at IS NULL',
      [name],
    );
    for (let done = 0; !this.stopping; ) {
      const rows = await this.database.query<{ id: string }>(
        'SELECT id FROM helpdesk_customer WHERE source = ? AND linked_at IS NULL ORDER BY id LIMIT ?',
        [name, customersPerBatch],
      );
      if (rows.length === 0) return;
      await this.relink(rows.map(({ id }) => id));
      done += rows.length;
      onProgress({ source: name, phase: 'payments', done, total });
    }
  }

  /**
   * Decides the links of these customers out of all candidates at all payment sources, and stores what the chosen ones
   * hold. When one source can't be asked nothing is decided: a candidate that wasn't seen may be the second one.
   */
  private async relink(customerIds: readonly string[]): Promise<void> {
    if (customerIds.length === 0) return;
    const asOf = this.clock();
    const rows = await this.database.query<CustomerRow>(
      `SELECT c.id, c.source, c.reference, c.email_sealed, c.email_digest, c.email_edited, c.protected_reference_digest, ${keyColumns}
         FROM helpdesk_customer c ${joinKey('c')} WHERE c.id IN (${marks(customerIds)})`,
      [...customerIds],
    );
    const since = new Date(this.clock().getTime() - this.options.windowDays * day);
    const chosen: { row: CustomerRow; assurance: LinkDecision['link']; source: PaymentsSource; record: PaymentCustomerRecord }[] =
      [];
    const unlinked: LinkDecision[] = [];
    await inTurns(rows, async (row) => {
      const candidates = await this.candidatesOf(row);
      const link = decideLink(
        {
          nameDigest: this.keys.searchDigest('helpdesk-reference', `${row.source}:${row.reference}`) as string,
          emailDigest: row.email_digest,
          emailEdited: row.email_edited === 1,
          protectedReferenceDigest: row.protected_reference_digest,
        },
        candidates.map(({ candidate }) => candidate),
      );
      const target = candidates.find(({ candidate }) => candidate.id === link.paymentCustomerId);
      if (target) chosen.push({ row, assurance: link.assurance, source: target.source, record: target.record });
      else unlinked.push({ customerId: row.id, link: 'NONE', paymentCustomerId: null });
    });
    const decisions = [...unlinked];
    for (const source of this.paymentSources) {
      const mine = chosen.filter((each) => each.source === source);
      const snapshots = (
        await Promise.all(mine.map(({ record }) => source.connector.fetchCustomer(record.reference, since)))
      ).filter((snapshot): snapshot is PaymentCustomerSnapshot => snapshot !== null);
      const ids = await this.ingest.payments(source.name, snapshots);
      for (const { row, assurance, record } of mine) {
        const paymentCustomerId = ids.get(record.reference) ?? null;
        decisions.push({ customerId: row.id, link: paymentCustomerId ? assurance : 'NONE', paymentCustomerId });
      }
    }
    await this.ingest.links(decisions, asOf);
  }

  private async candidatesOf(
    row: CustomerRow,
  ): Promise<readonly { source: PaymentsSource; record: PaymentCustomerRecord; candidate: LinkCandidate }[]> {
    const email = this.keys.open(row, { table: 'helpdesk_customer', column: 'email_sealed', row: row.id }, row.email_sealed);
    const search = { helpdeskReference: `${row.source}:${row.reference}`, email: email === null ? null : normalizeEmail(email) };
    const found = await Promise.all(
      this.paymentSources.map(async (source) =>
        (await source.connector.findCustomers(search)).map((record) => ({ source, record })),
      ),
    );
    return found.flat().map(({ source, record }) => ({
      source,
      record,
      candidate: {
        id: `${source.name} ${record.reference}`,
        referenceDigest: this.keys.searchDigest('payment-customer', record.reference) as string,
        emailDigest: this.keys.searchDigest('email', record.email ? normalizeEmail(record.email) : null),
        helpdeskNameDigest: this.keys.searchDigest('helpdesk-reference', record.helpdeskReference),
      },
    }));
  }

  private async state(name: string) {
    const [row] = await this.database.query<{
      position: string | null;
      backfill_position: string | null;
      backfilled_at: unknown;
    }>('SELECT position, backfill_position, backfilled_at FROM upstream_source WHERE name = ?', [name]);
    return row;
  }

  /** Where the reading stands is bookkeeping, not an event: only the first sight of a source is recorded. */
  private async saveState(name: string, kind: string, values: Readonly<Record<string, string | number | null>>): Promise<void> {
    const columns = Object.keys(values);
    await this.database.appendGroup(async (group) => {
      const affected = await group.execute(`UPDATE upstream_source SET ${assignments(values)} WHERE name = ?`, [
        ...columns.map((column) => values[column]),
        name,
      ]);
      if (affected > 0) return;
      await group.execute(
        `INSERT INTO upstream_source (name, kind, ${columns.join(', ')}) VALUES (?, ?, ${columns.map(() => '?').join(', ')})`,
        [name, kind, ...columns.map((column) => values[column])],
      );
      group.append({
        action: 'source.first-seen',
        outcome: 'ALLOWED',
        actor: { id: sync.id, kind: 'system', roles: [] },
        subject: { type: 'Source', id: name },
      });
    });
  }

  private shared<T>(key: string, work: () => Promise<T>): Promise<T> {
    const running = this.underWay.get(key) as Promise<T> | undefined;
    if (running) return running;
    const started = work().finally(() => this.underWay.delete(key));
    this.underWay.set(key, started);
    return started;
  }

  private pollSoon(name: string): void {
    for (const pause of echoes) {
      const timer = setTimeout(() => {
        this.echoing.delete(timer);
        this.wakeUps.get(name)?.();
      }, pause);
      timer.unref();
      this.echoing.add(timer);
    }
  }

  private async loop(name: string, turn: () => Promise<void>): Promise<void> {
    let isWoken = false;
    let endPause = () => {};
    this.wakeUps.set(name, () => {
      isWoken = true;
      endPause();
    });
    while (!this.stopping) {
      isWoken = false;
      try {
        await turn();
      } catch (error) {
        this.noteFault(name, error);
        const why = error instanceof SourceUnavailable ? error.why : 'internal';
        await this.saveState(name, this.kindOf(name), { fault: why, fault_at: this.clock().getTime() }).catch((fault: unknown) =>
          this.onFault(name, fault),
        );
      }
      // Woken while it read: what it was woken for may lie behind where it looked already.
      if (this.stopping || isWoken) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.options.pollEvery);
        endPause = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  private kindOf(name: string): string {
    return (this.helpdesks.get(name) ?? this.paymentSources.find((source) => source.name === name))?.connector.kind ?? 'unknown';
  }

  private noteFault(source: string, error: unknown): void {
    this.onFault(error instanceof SourceUnavailable ? error.source : source, error);
  }
}
