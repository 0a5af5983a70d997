import { Loop } from '../../background/loop';
import { type Sql, sql } from '../../db/sql';
import { instant, select } from '../../db/table';
import { chunks, inTurns } from '../../lanes';
import type { TicketBatch, TicketSnapshot } from '../../upstream/helpdesk/helpdesk.port';
import type { NamedTransaction, PaymentCustomerSnapshot, TransactionRecord } from '../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import { fetchedKey, type Linking, type LinkingProgress } from '../customers/linking';
import { ticket } from '../tickets/tickets.rows';
import type { Reading } from './reading';
import type { HelpdeskSource, PaymentsSource } from './registry';
import { webhookReceipts as receipts } from './source.entity';
import type { SourceParts } from './source-parts';

const receiptIds = select({ id: receipts.id }, sql`FROM ${receipts}`);
/** Kinds of webhooks, each with when the last one happened. */
const receiptTypes = select(
  { type: receipts.type, happenedAt: instant(sql`MAX(${receipts.happenedAt})`) },
  sql`FROM ${receipts}`,
);
const ticketReferences = select({ reference: ticket.reference }, sql`FROM ${ticket}`);

export interface SyncProgress {
  readonly source: string;
  readonly phase: 'tickets' | 'payments' | 'changes';
  readonly done: number;
  readonly total: number | null;
}

type OnProgress = (progress: SyncProgress) => void;

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

/** Faults that say nothing of the customer who was asked for: the turn ends with them, and what it read up to counts as unread. */
const notOfTheCustomer: readonly SourceUnavailable['why'][] = ['circuit-open', 'overloaded', 'unauthorized'];

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
    private readonly parts: SourceParts,
    private readonly reading: Reading,
    private readonly linking: Linking,
  ) {
    this.startedAt = parts.clock();
  }

  /** Polls every source until `stop`, and links customers as they come; a webhook wakes its source's loop. */
  start(): void {
    const loop = (name: string, turn: () => Promise<unknown>, every: () => number) =>
      new Loop({ turn, every, first: 'at once', onFault: (error) => void this.parts.registry.keepFault(name, error) });
    for (const name of this.parts.registry.helpdeskNames()) {
      let pause = this.parts.settings.pollEvery;
      const turn = async () => {
        await this.syncHelpdesk(name, () => {});
        pause = await this.pauseOf(name);
      };
      this.loops.set(
        name,
        loop(name, turn, () => pause),
      );
    }
    for (const name of this.parts.registry.paymentsNames())
      this.loops.set(
        name,
        loop(
          name,
          () => this.syncPayments(name, () => {}),
          () => this.parts.settings.pollEvery,
        ),
      );
    this.linkingLoop = loop(
      'payments',
      () => this.linking.linkDue({ until: () => this.stopping }),
      () => this.parts.settings.pollEvery,
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
    for (const name of this.parts.registry.helpdeskNames()) {
      const show = ({ done, total }: LinkingProgress) => onProgress({ source: name, phase: 'payments', done, total });
      await this.keepingFault(name, () => this.linking.linkWhile(this.syncHelpdesk(name, onProgress), show));
    }
    for (const name of this.parts.registry.paymentsNames())
      await this.keepingFault(name, () => this.syncPayments(name, onProgress));
  }

  /** What a source refuses its account stands beside it, whoever had it read. */
  private async keepingFault(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof SourceUnavailable && error.why === 'unauthorized') await this.parts.registry.keepFault(name, error);
      throw error;
    }
  }

  /** Reads what changed at a payment source, to its end. Throws `SourceUnavailable`. */
  async syncPayments(name: string, onProgress: OnProgress = () => {}): Promise<void> {
    const source = this.parts.registry.payments(name, 'background');
    const state = await this.parts.registry.position(name);
    let settled: Date | null = null;
    await source.connector.confirmAccount?.();
    for await (const { customers, transactions, cursor, complete, asOf } of source.connector.changes(state?.position ?? null)) {
      if (complete) settled = asOf;
      await this.reconcilePayments(source, customers, transactions);
      await this.parts.registry.saveProgress(name, {
        position: cursor,
        ...(complete ? { polledAt: asOf, fault: null } : {}),
      });
      onProgress({ source: name, phase: 'changes', done: customers.length, total: null });
      if (this.stopping) return;
    }
    await this.settleReceipts(name, settled);
  }

  /**
   * Fetches changed payment customers that the read model has, and decides anew who they are. Others are found when a ticket
   * asks for them. One that can't be fetched is set aside, and what is stored of it counts as unconfirmed; the first such
   * fault is returned. Transactions that are `named` are read by reference where they are too old to come with their customer.
   */
  async reconcilePayments(
    source: PaymentsSource,
    references: readonly string[],
    named: readonly NamedTransaction[] = [],
  ): Promise<SourceUnavailable | null> {
    let first: SourceUnavailable | null = null;
    for (const part of chunks(references, 100)) {
      const known = await this.parts.payments.known(source.name, part);
      const since = new Date(this.parts.clock().getTime() - this.parts.settings.windowDays * day);
      const fetched = new Map<string, PaymentCustomerSnapshot>();
      const unread: string[] = [];
      await inTurns(known, customersAtOnce, async ({ id, reference }) => {
        const asOf = this.parts.clock();
        try {
          const snapshot = await this.withNamed(source, id, await source.connector.fetchCustomer(reference, since), named);
          if (snapshot) fetched.set(fetchedKey(source.name, reference), snapshot);
          else await this.parts.payments.gone(id, asOf);
        } catch (error) {
          if (!(error instanceof SourceUnavailable) || notOfTheCustomer.includes(error.why)) throw error;
          this.parts.registry.noteFault(source.name, error);
          first ??= error;
          unread.push(id);
        }
      });
      for (const snapshots of chunks([...fetched.values()], 25)) await this.parts.payments.take(source.name, snapshots);
      await this.linking.setAside(await this.linking.linkedTo(unread));
      const failed = new Set(unread);
      const read = known.flatMap(({ id }) => (failed.has(id) ? [] : [id]));
      const fault = await this.linking.linkThese(await this.linking.linkedTo(read), fetched);
      first ??= fault;
    }
    return first;
  }

  /** A customer's snapshot, and what was named of their stored transactions beside it. Throws `SourceUnavailable`. */
  private async withNamed(
    source: PaymentsSource,
    paymentCustomerId: string,
    snapshot: PaymentCustomerSnapshot | null,
    named: readonly NamedTransaction[],
  ): Promise<PaymentCustomerSnapshot | null> {
    if (snapshot === null) return snapshot;
    const { customer } = snapshot;
    const warnings = new Map(
      named.flatMap(({ customer: of, reference, warnedAt }) =>
        warnedAt !== undefined && of === customer.reference ? [[reference, warnedAt] as const] : [],
      ),
    );
    const warned = (record: TransactionRecord): TransactionRecord => {
      const warnedAt = warnings.get(record.reference);
      return warnedAt === undefined ? record : { ...record, warnedAt };
    };
    const transactions = warnings.size === 0 ? snapshot.transactions : snapshot.transactions.map(warned);
    if (source.connector.fetchTransactions === undefined) return { ...snapshot, transactions };
    const read = new Set(transactions.map(({ reference }) => reference));
    const others = named.filter((each) => each.customer === customer.reference && !read.has(each.reference));
    const held = await this.parts.payments.held(paymentCustomerId, [...new Set(others.map(({ reference }) => reference))]);
    if (held.length === 0) return { ...snapshot, transactions };
    const besides = await source.connector.fetchTransactions(customer.reference, held);
    return { ...snapshot, transactions, besides: besides.map(warned) };
  }

  private async syncHelpdesk(name: string, onProgress: OnProgress): Promise<void> {
    const state = await this.parts.registry.position(name);
    const source = this.parts.registry.helpdesk(name, 'background');
    // A poll of an account that sees nothing finds nothing, and no fault.
    if (state?.fault === 'unauthorized') await this.reading.expectSight(name, null, 'background');
    const asOf =
      !state?.backfilledAt || state.position === null
        ? await this.backfill(source, state?.backfillPosition ?? null, onProgress)
        : await this.poll(source, state.position, onProgress);
    if (asOf === null) return;
    await this.reading.confirmAssisted(name, asOf);
    await this.settleReceipts(name, asOf);
  }

  /** When the run began that was read to its end; null where it wasn't. */
  private async backfill(source: HelpdeskSource, from: string | null, onProgress: OnProgress): Promise<Date | null> {
    const { name, connector } = source;
    const since = new Date(this.parts.clock().getTime() - this.parts.settings.windowDays * day);
    let done = 0;
    for await (const batch of readAhead(connector.backfill(since, from))) {
      await this.store(source, batch.tickets);
      done += batch.tickets.length;
      onProgress({ source: name, phase: 'tickets', done, total: batch.total ?? null });
      await this.parts.registry.saveProgress(name, {
        backfillPosition: batch.complete ? null : batch.cursor,
        ...(batch.complete ? { position: batch.cursor, backfilledAt: batch.asOf, polledAt: batch.asOf, fault: null } : {}),
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
      for (const reference of batch.unread ?? []) await this.parts.tickets.unreadable(name, reference);
      // Asked for by itself, a ticket that is gone says so.
      await this.reading.refreshEach(name, batch.unread ?? [], 'background');
      await this.parts.registry.saveProgress(name, {
        position: batch.cursor,
        ...(batch.complete ? { polledAt: batch.asOf, fault: null } : {}),
      });
      onProgress({ source: name, phase: 'changes', done: batch.tickets.length, total: null });
      if (batch.complete) return batch.asOf;
      if (this.stopping) return null;
    }
    return null;
  }

  private async store(source: HelpdeskSource, snapshots: readonly TicketSnapshot[]): Promise<void> {
    for (const part of chunks(snapshots, ticketsPerChange)) await this.parts.tickets.take(source, part);
    if (snapshots.length === 0) return;
    this.linking.wake();
    this.linkingLoop?.wake();
  }

  /** While somebody assists on a ticket of this source, it is polled at least twice within the time that a confirmation counts. */
  private async pauseOf(name: string): Promise<number> {
    const { pollEvery, maximumAssignmentAge } = this.parts.settings;
    if (pollEvery <= maximumAssignmentAge / 2) return pollEvery;
    return (await this.reading.hasAssisted(name)) ? maximumAssignmentAge / 2 : pollEvery;
  }

  /**
   * What webhooks told before a complete reading began has been read with it. Those that an earlier version kept without
   * understanding are made up for once: all that was last read before they happened is read again.
   */
  private async settleReceipts(name: string, asOf: Date | null): Promise<void> {
    if (asOf === null) return;
    await this.applyReceipts(name, sql`${receipts.state} = 'PENDING'`, new Date(asOf.getTime() - settlingTime));
    if (this.madeUpFor.has(name)) return;
    const connector = this.parts.registry.connectorOf(name);
    const kept = await this.parts.database.read(
      receiptTypes,
      sql`WHERE ${receipts.source} = ${name} AND ${receipts.state} = 'UNKNOWN' AND ${receipts.receivedAt} < ${this.startedAt}
        GROUP BY ${receipts.type}`,
    );
    const understood = kept.filter(({ type }) => connector?.understandsWebhook?.(type) === true);
    if (understood.length > 0) {
      const latest = Math.max(...understood.map(({ happenedAt }) => happenedAt?.getTime() ?? 0));
      await this.readAgain(name, new Date(latest));
      if (this.stopping) return;
      const types = understood.map(({ type }) => type);
      await this.applyReceipts(name, sql`${receipts.state} = 'UNKNOWN' AND ${receipts.type} IN (${types})`, this.startedAt);
    }
    this.madeUpFor.add(name);
  }

  private async applyReceipts(name: string, condition: Sql, before: Date): Promise<void> {
    const isDue = sql`${receipts.source} = ${name} AND ${receipts.receivedAt} < ${before} AND ${condition}`;
    const [waiting] = await this.parts.database.read(receiptIds, sql`WHERE ${isDue} LIMIT 1`);
    if (!waiting) return;
    await this.parts.database.system('sync', 'source.webhook', async (change) => {
      const applied = await change.update(receipts, { state: 'APPLIED' }, isDue);
      if (applied > 0) change.record('source.webhook', { detail: { source: name, state: 'APPLIED', webhooks: applied } });
    });
  }

  /** Reads again what of a source was last read before an instant: its open tickets, or its payment customers. Throws what kept it from one. */
  private async readAgain(name: string, before: Date): Promise<void> {
    if (this.parts.registry.isHelpdesk(name)) {
      const { source, observedAt, status } = ticket;
      const open = await this.parts.database.read(
        ticketReferences,
        sql`WHERE ${source} = ${name} AND ${observedAt} < ${before} AND ${status} NOT IN ('RESOLVED', 'CLOSED')`,
      );
      for (const part of chunks(open, 100)) {
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
    for (const part of chunks(await this.linking.readBefore(name, before), 100)) {
      if (this.stopping) return;
      await this.linking.linkThese(part);
    }
  }
}
