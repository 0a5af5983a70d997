import { systemActor } from '../../authz/actor';
import { action, isSystem } from '../../authz/rule';
import { Loop } from '../../background/loop';
import type { Database } from '../../db/database';
import { marks } from '../../db/sql';
import { chunks, inTurns } from '../../lanes';
import type { TicketBatch, TicketSnapshot } from '../../upstream/helpdesk/helpdesk.port';
import type { PaymentCustomerSnapshot } from '../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import { fetchedKey, type Linking, type LinkingProgress } from '../customers/linking';
import type { Keys } from '../keys/keys.service';
import type { PaymentsIngest } from '../payments/payments.ingest';
import type { TicketsIngest } from '../tickets/tickets.ingest';
import type { Reading } from './reading';
import type { HelpdeskSource, PaymentsSource, SourceRegistry } from './registry';

export interface PollingOptions {
  /** How far back tickets and transactions are kept, days. */
  readonly windowDays: number;
  /** Pause between two polls of a source, milliseconds. */
  readonly pollEvery: number;
  /** A ticket that somebody assists on is confirmed at least this often, milliseconds, where the helpdesk answers. */
  readonly assignmentBound: number;
}

export interface SyncProgress {
  readonly source: string;
  readonly phase: 'tickets' | 'payments' | 'changes';
  readonly done: number;
  readonly total: number | null;
}

type OnProgress = (progress: SyncProgress) => void;

export const webhookStateAction = action('source.webhook', isSystem);
const sync = systemActor('sync');
const day = 86_400_000;
/** Tickets stored in one change: some milliseconds, so that a disclosure never waits long behind them. */
const ticketsPerChange = 25;
/** Payment customers that are fetched at the same time. */
const customersAtOnce = 8;
/** How long, in milliseconds, what a webhook told may take until a reading finds it. */
const settlingTime = 60_000;
/**
 * Pauses, in milliseconds, after which a helpdesk is polled that announced a change. RT calls before it commits, and only
 * commits once it is answered: who reads at once may read the state of before.
 */
const pausesAfterAnnouncement = [250, 2_000];

/** The next batch is fetched while one is stored: neither the source nor the database waits for the other. */
const readAhead = async function* <T>(batches: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = batches[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done) return;
      next = iterator.next();
      // Met when it is awaited; until then it is nobody's unhandled rejection.
      next.catch(() => {});
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
};

/** Follows every source: a backfill once, then what changed since, again and again. */
export class Polling {
  private readonly loops = new Map<string, Loop>();
  private linkingLoop: Loop | null = null;
  private stopping = false;
  /** Sources whose webhooks from before this start are settled. */
  private readonly madeUpFor = new Set<string>();
  private readonly startedAt: Date;

  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly tickets: TicketsIngest,
    private readonly payments: PaymentsIngest,
    private readonly registry: SourceRegistry,
    private readonly reading: Reading,
    private readonly linking: Linking,
    private readonly options: PollingOptions,
    private readonly clock: () => Date,
  ) {
    this.startedAt = clock();
  }

  /** Polls every source until `stop`, and links customers as they come; a webhook wakes its source's loop. */
  start(): void {
    const loop = (name: string, turn: () => Promise<unknown>, every: () => number) =>
      new Loop({ turn, every, first: 'at once', onFault: (error) => void this.registry.keepFault(name, error) });
    for (const name of this.registry.helpdeskNames()) {
      let pause = this.options.pollEvery;
      const turn = async () => {
        await this.syncHelpdesk(name, () => {});
        pause = await this.pauseOf(name);
      };
      this.loops.set(
        name,
        loop(name, turn, () => pause),
      );
    }
    for (const name of this.registry.paymentsNames())
      this.loops.set(
        name,
        loop(
          name,
          () => this.syncPayments(name, () => {}),
          () => this.options.pollEvery,
        ),
      );
    this.linkingLoop = loop(
      'payments',
      () => this.linking.linkDue({ until: () => this.stopping }),
      () => this.options.pollEvery,
    );
    for (const each of [...this.loops.values(), this.linkingLoop]) each.start();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all([...this.loops.values(), ...(this.linkingLoop ? [this.linkingLoop] : [])].map((loop) => loop.stop()));
  }

  /** A helpdesk announced a change: it is polled soon, twice. */
  announced(name: string): void {
    for (const pause of pausesAfterAnnouncement) this.loops.get(name)?.wakeIn(pause);
  }

  /** Everything once: backfill where it isn't finished, then what changed since. For the command line, the first start and tests. */
  async syncAll(onProgress: OnProgress = () => {}): Promise<void> {
    for (const name of this.registry.helpdeskNames()) {
      const show = ({ done, total }: LinkingProgress) => onProgress({ source: name, phase: 'payments', done, total });
      await this.linking.linkWhile(this.syncHelpdesk(name, onProgress), show);
    }
    for (const name of this.registry.paymentsNames()) await this.syncPayments(name, onProgress);
  }

  /** Reads what changed at a payment source, to its end. Throws `SourceUnavailable`. */
  async syncPayments(name: string, onProgress: OnProgress = () => {}): Promise<void> {
    const source = this.registry.payments(name, 'background');
    const state = await this.registry.position(name);
    let settled: Date | null = null;
    for await (const { customers, cursor, complete, asOf } of source.connector.changes(state?.position ?? null)) {
      if (complete) settled = asOf;
      await this.reconcilePayments(source, customers);
      await this.registry.saveState(name, {
        position: cursor,
        ...(complete ? { polled_at: asOf.getTime(), fault: null } : {}),
      });
      onProgress({ source: name, phase: 'changes', done: customers.length, total: null });
      if (this.stopping) return;
    }
    await this.settleReceipts(name, settled);
  }

  /**
   * Fetches changed payment customers that the read model has, and decides anew who they are. Others are found when a ticket
   * asks for them. One that can't be fetched is set aside, and what is stored of it counts as unconfirmed; the first such
   * fault is returned.
   */
  async reconcilePayments(source: PaymentsSource, references: readonly string[]): Promise<SourceUnavailable | null> {
    let first: SourceUnavailable | null = null;
    for (const part of chunks(references, 100)) {
      const digests = part.map((reference) => this.keys.searchDigest('payment-customer', reference) as string);
      const known = await this.database.query<{ id: string; reference_digest: string }>(
        `SELECT id, reference_digest FROM payment_customer WHERE source = ? AND reference_digest IN (${marks(digests)})`,
        [source.name, ...digests],
      );
      const since = new Date(this.clock().getTime() - this.options.windowDays * day);
      const fetched = new Map<string, PaymentCustomerSnapshot>();
      const unread: string[] = [];
      await inTurns(known, customersAtOnce, async (row) => {
        const reference = part[digests.indexOf(row.reference_digest)] as string;
        const asOf = this.clock();
        try {
          const snapshot = await source.connector.fetchCustomer(reference, since);
          if (snapshot) fetched.set(fetchedKey(source.name, reference), snapshot);
          else await this.payments.gone(row.id, asOf);
        } catch (error) {
          if (!(error instanceof SourceUnavailable) || error.why === 'circuit-open' || error.why === 'overloaded') throw error;
          this.registry.noteFault(source.name, error);
          first ??= error;
          unread.push(row.id);
        }
      });
      for (const snapshots of chunks([...fetched.values()], 25)) await this.payments.take(source.name, snapshots);
      await this.linking.setAside(await this.customersOf(unread));
      const failed = new Set(unread);
      const read = known.flatMap(({ id }) => (failed.has(id) ? [] : [id]));
      const fault = await this.linking.linkThese(await this.customersOf(read), fetched);
      first ??= fault;
    }
    return first;
  }

  private async customersOf(paymentCustomerIds: readonly string[]): Promise<readonly string[]> {
    if (paymentCustomerIds.length === 0) return [];
    const rows = await this.database.query<{ id: string }>(
      `SELECT id FROM helpdesk_customer WHERE payment_customer_id IN (${marks(paymentCustomerIds)})`,
      paymentCustomerIds,
    );
    return rows.map(({ id }) => id);
  }

  private async syncHelpdesk(name: string, onProgress: OnProgress): Promise<void> {
    const state = await this.registry.position(name);
    const source = this.registry.helpdesk(name, 'background');
    const asOf =
      !state?.backfilled_at || state.position === null
        ? await this.backfill(source, state?.backfill_position ?? null, onProgress)
        : await this.poll(source, state.position, onProgress);
    if (asOf === null) return;
    await this.reading.confirmAssisted(name, asOf);
    await this.settleReceipts(name, asOf);
  }

  /** When the run began that was read to its end; null where it wasn't. */
  private async backfill(source: HelpdeskSource, from: string | null, onProgress: OnProgress): Promise<Date | null> {
    const { name, connector } = source;
    const since = new Date(this.clock().getTime() - this.options.windowDays * day);
    let done = 0;
    for await (const batch of readAhead(connector.backfill(since, from))) {
      await this.store(source, batch.tickets);
      done += batch.tickets.length;
      onProgress({ source: name, phase: 'tickets', done, total: batch.total ?? null });
      await this.registry.saveState(name, {
        backfill_position: batch.complete ? null : batch.cursor,
        ...(batch.complete
          ? { position: batch.cursor, backfilled_at: batch.asOf.getTime(), polled_at: batch.asOf.getTime(), fault: null }
          : {}),
      });
      if (batch.complete) return batch.asOf;
      if (this.stopping) return null;
    }
    return null;
  }

  /** When the poll began that was read to its end; null where it wasn't. */
  private async poll(source: HelpdeskSource, position: string, onProgress: OnProgress): Promise<Date | null> {
    const { name, connector } = source;
    const batches: AsyncIterable<TicketBatch> = readAhead(connector.poll(position));
    for await (const batch of batches) {
      await this.store(source, batch.tickets);
      for (const reference of batch.unread ?? []) await this.tickets.unreadable(name, reference);
      // Asked for by itself, a ticket that is gone says so.
      await this.reading.refreshEach(name, batch.unread ?? [], 'background');
      await this.registry.saveState(name, {
        position: batch.cursor,
        ...(batch.complete ? { polled_at: batch.asOf.getTime(), fault: null } : {}),
      });
      onProgress({ source: name, phase: 'changes', done: batch.tickets.length, total: null });
      if (batch.complete) return batch.asOf;
      if (this.stopping) return null;
    }
    return null;
  }

  private async store(source: HelpdeskSource, snapshots: readonly TicketSnapshot[]): Promise<void> {
    for (const part of chunks(snapshots, ticketsPerChange)) await this.tickets.take(source, part);
    if (snapshots.length === 0) return;
    this.linking.wake();
    this.linkingLoop?.wake();
  }

  /** While somebody assists on a ticket of this source, it is polled at least twice within the time that a confirmation holds. */
  private async pauseOf(name: string): Promise<number> {
    const { pollEvery, assignmentBound } = this.options;
    if (pollEvery <= assignmentBound / 2) return pollEvery;
    const [assisted] = await this.database.query(
      'SELECT 1 AS yes FROM assistance a JOIN helpdesk_ticket t ON t.id = a.ticket_id WHERE t.source = ? AND a.ended_at IS NULL LIMIT 1',
      [name],
    );
    return assisted ? assignmentBound / 2 : pollEvery;
  }

  /**
   * What webhooks told before a complete reading began has been read with it. Those that an earlier version kept without
   * understanding are made up for once: all that was last read before they happened is read again.
   */
  private async settleReceipts(name: string, asOf: Date | null): Promise<void> {
    if (asOf === null) return;
    await this.applyReceipts(name, "state = 'PENDING'", [], new Date(asOf.getTime() - settlingTime));
    if (this.madeUpFor.has(name)) return;
    const connector = this.registry.connectorOf(name);
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
    await this.database.change(sync, webhookStateAction, async (change) => {
      change.permit(null);
      const applied = await change.execute(`UPDATE upstream_webhook SET state = 'APPLIED' WHERE ${where}`, values);
      if (applied > 0) change.record('source.webhook', { detail: { source: name, state: 'APPLIED', webhooks: applied } });
    });
  }

  /** Reads again what of a source was last read before an instant: its open tickets, or its payment customers. Throws what kept it from one. */
  private async readAgain(name: string, before: number): Promise<void> {
    if (this.registry.isHelpdesk(name)) {
      const tickets = await this.database.query<{ reference: string }>(
        "SELECT reference FROM helpdesk_ticket WHERE source = ? AND observed_at < ? AND status NOT IN ('RESOLVED', 'CLOSED')",
        [name, before],
      );
      for (const part of chunks(tickets, 100)) {
        if (this.stopping) return;
        const fault = await this.reading.refreshEach(
          name,
          part.map(({ reference }) => reference),
          'background',
        );
        if (fault) throw fault;
      }
      return;
    }
    const customers = await this.database.query<{ id: string }>(
      `SELECT c.id FROM helpdesk_customer c JOIN payment_customer p ON p.id = c.payment_customer_id
        WHERE p.source = ? AND p.observed_at < ?`,
      [name, before],
    );
    for (const part of chunks(customers, 100)) {
      if (this.stopping) return;
      await this.linking.linkThese(part.map(({ id }) => id));
    }
  }
}
