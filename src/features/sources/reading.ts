import { LRUCache } from 'lru-cache';
import { raw, sql } from '../../db/sql';
import { select } from '../../db/table';
import { chunks, inTurns, type Lane } from '../../lanes';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import { assistances } from '../assistance/assistance.entity';
import type { Linking } from '../customers/linking';
import { ticket } from '../tickets/tickets.rows';
import type { SourceParts } from './source-parts';

const assistance = assistances.as('a');
const isOpen = sql`${assistance.endedAt} IS NULL`;
/** Tickets that are to be confirmed. */
const ticketsToConfirm = select(ticket.pick('id', 'reference', 'unreadable', 'mark', 'messagesSeenAt'), sql`FROM ${ticket}`);
const assistedTickets = select(
  { id: ticket.id },
  sql`FROM ${assistance} JOIN ${ticket} ON ${ticket.id} = ${assistance.ticketId}`,
);

/** Tickets that stand for what the account of a helpdesk sees. */
const mostSights = 20;

/** Tickets that are confirmed in one change: some milliseconds, so that no disclosure waits long behind it. */
const ticketsPerChange = 200;
/** Tickets that are read one by one at the same time, because a search didn't show them. */
const ticketsAtOnce = 4;
/** Counted by size: where `max` says it, the room for all of them is taken at once. */
const bounded = { maxSize: 20_000, sizeCalculation: () => 1 } as const;

/** `work`, or what `late` makes once so many milliseconds have passed; the work itself goes on. */
const within = <T>(work: Promise<T>, milliseconds: number, late: () => T): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<T>((resolve, reject) => {
    timer = setTimeout(() => {
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
    }, milliseconds);
  });
  return Promise.race([work, deadline]).finally(() => clearTimeout(timer));
};

/** The account isn't let in, or sees nothing that it saw before: said where it is looked for, not once for each record. */
const isRefused = (error: unknown): boolean => error instanceof SourceUnavailable && error.why === 'unauthorized';

/** Reads single records from their sources: where one is missing, too old, or said to have changed. */
export class Reading {
  /** Tickets that the helpdesk said a moment ago it doesn't have. */
  private readonly absent = new LRUCache<string, true>({ ...bounded, ttl: 10_000 });
  private readonly underWay = new Map<string, Promise<unknown>>();
  private readonly recentlyRefreshed = new LRUCache<string, true>({ ...bounded, ttl: 2_000 });

  constructor(
    private readonly parts: SourceParts,
    private readonly linking: Linking,
  ) {}

  /**
   * Fetches one ticket and stores it. False when the helpdesk has none under that reference (remembered for some
   * seconds). A person waits `openWithin` at most. Throws `SourceUnavailable`. Requests for one ticket at the same time
   * share one fetch, but no person waits for one that gives way to others.
   */
  refreshTicket(sourceName: string, reference: string, lane: Lane = 'interactive'): Promise<boolean> {
    const key = `${sourceName} ${reference}`;
    if (this.absent.has(key)) return Promise.resolve(false);
    const fetched = this.shared(`ticket ${key}`, lane, async () => {
      const source = this.parts.registry.helpdesk(sourceName, lane);
      const asOf = this.parts.clock();
      const snapshot = await source.connector.fetchTicket(reference);
      if (!snapshot) {
        if (await this.parts.tickets.canBeGone(source.name, reference, asOf)) {
          await this.expectSight(source.name, reference, lane);
          await this.parts.tickets.gone(source.name, reference, asOf);
        } else if (lane === 'background') await this.parts.tickets.absent(source.name, reference, asOf);
        this.absent.set(key, true);
        return false;
      }
      await this.parts.tickets.take(source, [snapshot]);
      return true;
    });
    if (lane === 'background') return fetched;
    return within(fetched, this.parts.settings.openWithin, () => {
      throw new SourceUnavailable(sourceName, 'timeout');
    });
  }

  /**
   * An account that sees none of the tickets that it saw before sees nothing at all any more: then none of them is gone. Throws
   * `SourceUnavailable`, `unauthorized`.
   */
  async expectSight(sourceName: string, missing: string | null, lane: Lane): Promise<void> {
    const others = await this.parts.database.read(
      ticketsToConfirm,
      sql`WHERE ${ticket.source} = ${sourceName} AND ${ticket.reference} <> ${missing ?? ''} AND ${ticket.team} IS NOT NULL
        ORDER BY ${ticket.updatedAt} DESC, ${ticket.id} DESC LIMIT ${raw(`${mostSights}`)}`,
    );
    if (others.length === 0) return;
    const { connector } = this.parts.registry.helpdesk(sourceName, lane);
    const visible = await connector.visibleTickets(others.map(({ reference }) => reference));
    if (visible.size === 0) throw new SourceUnavailable(sourceName, 'unauthorized', 404);
  }

  /** Like `refreshTicket`, of a ticket that was announced to have changed: nothing that was read before counts. */
  async refreshAnnounced(sourceName: string, reference: string): Promise<void> {
    this.absent.delete(`${sourceName} ${reference}`);
    // A fetch that began before the announcement may have missed what it tells of.
    for (const lane of ['interactive', 'background'] as const)
      await this.underWay.get(`${lane} ticket ${sourceName} ${reference}`)?.catch(() => {});
    await this.refreshTicket(sourceName, reference);
  }

  /** Looks the customer up at every payment source again, within `paymentsWithin`; false when that didn't succeed. */
  async refreshPayments(customerId: string): Promise<boolean> {
    if (this.parts.registry.paymentsNames().length === 0) return true;
    if (this.recentlyRefreshed.has(customerId)) return true;
    const refreshed = this.shared(`payments ${customerId}`, 'interactive', async () => {
      await this.linking.linkOne(customerId);
      this.recentlyRefreshed.set(customerId, true);
      return true;
    }).catch(async (error: unknown) => {
      if (isRefused(error)) await this.parts.registry.keepFault('payments', error);
      else this.parts.registry.noteFault('payments', error);
      return false;
    });
    return within(refreshed, this.parts.settings.paymentsWithin, () => false);
  }

  /**
   * Confirms the tickets of a source that somebody assists on, as of a poll that was read to its end: those that the helpdesk
   * shows when it is asked for them by number, of which the poll brought nothing, and in which, by their marks, nothing moved.
   * The others are read one by one: deleted, or moved to where our account sees nothing, they are gone. All are confirmed before
   * any is read, so that none waits for another one's reading; what was only due for a comparison is read last.
   */
  async confirmAssisted(sourceName: string, polledAt: Date): Promise<void> {
    const isAssisted = sql`EXISTS (SELECT 1 FROM ${assistance} WHERE ${assistance.ticketId} = ${ticket.id} AND ${isOpen})`;
    const rows = await this.parts.database.read(
      ticketsToConfirm,
      sql`WHERE ${ticket.source} = ${sourceName} AND ${ticket.observedAt} < ${polledAt} AND ${isAssisted}`,
    );
    // People work on these: they come before a backfill.
    const { connector } = this.parts.registry.helpdesk(sourceName);
    const hasMarks = connector.messageMarks !== undefined;
    // Where each has to be read for it, less often.
    const within = this.parts.settings.maximumAssignmentAge * (hasMarks ? 0.5 : 2);
    const due = new Date(this.parts.clock().getTime() - within);
    const unconfirmed: string[] = [];
    const uncompared: string[] = [];
    for (const part of chunks(rows, ticketsPerChange)) {
      const visible = await connector.visibleTickets(part.map(({ reference }) => reference));
      const shown = part.filter((row) => visible.has(row.reference) && !row.unreadable);
      const toCompare = shown.filter(({ messagesSeenAt }) => messagesSeenAt === null || messagesSeenAt <= due);
      const changed = await this.changedAmong(sourceName, toCompare, 'interactive');
      // Without marks nothing says that they changed: who works on them is as the poll left it.
      const confirmed = new Set(hasMarks ? shown.filter((row) => !changed.includes(row)) : shown);
      await this.parts.tickets.confirmed(
        [...confirmed].map(({ id }) => id),
        polledAt,
      );
      unconfirmed.push(...part.filter((row) => !confirmed.has(row)).map(({ reference }) => reference));
      uncompared.push(...changed.filter((row) => confirmed.has(row)).map(({ reference }) => reference));
    }
    const fault = await this.refreshEach(sourceName, [...unconfirmed, ...uncompared], 'interactive');
    if (isRefused(fault)) throw fault;
  }

  /**
   * Those of these tickets whose text has to be read again: what it says changed, or nothing but reading tells. The others count as
   * compared from now on. Throws `SourceUnavailable`.
   */
  async changedAmong<Row extends { readonly id: string; readonly reference: string; readonly mark: string | null }>(
    sourceName: string,
    rows: readonly Row[],
    lane: Lane,
  ): Promise<readonly Row[]> {
    const { connector } = this.parts.registry.helpdesk(sourceName, lane);
    if (rows.length === 0 || connector.messageMarks === undefined) return rows;
    const asOf = this.parts.clock();
    const marks = await connector.messageMarks(rows.map(({ reference }) => reference));
    const same = new Set(this.parts.tickets.unchanged(rows, marks));
    await this.parts.tickets.compared(
      [...same].map(({ id }) => id),
      asOf,
    );
    return rows.filter((row) => !same.has(row));
  }

  /** Somebody assists on a ticket of this source, or waits for an approval. */
  async hasAssisted(sourceName: string): Promise<boolean> {
    const [row] = await this.parts.database.read(
      assistedTickets,
      sql`WHERE ${ticket.source} = ${sourceName} AND ${isOpen} LIMIT 1`,
    );
    return row !== undefined;
  }

  /** Reads these tickets again; one that can't be read is told of and holds up no other. The first fault, or null. */
  async refreshEach(sourceName: string, references: readonly string[], lane: Lane): Promise<SourceUnavailable | null> {
    let first: SourceUnavailable | null = null;
    await inTurns(references, ticketsAtOnce, async (reference) => {
      try {
        await this.refreshTicket(sourceName, reference, lane);
      } catch (error) {
        if (!(error instanceof SourceUnavailable)) throw error;
        this.parts.registry.noteFault(sourceName, error);
        first ??= error;
      }
    });
    return first;
  }

  private shared<T>(key: string, lane: Lane, work: () => Promise<T>): Promise<T> {
    const running =
      this.underWay.get(`interactive ${key}`) ?? (lane === 'background' ? this.underWay.get(`${lane} ${key}`) : undefined);
    if (running) return running as Promise<T>;
    const started = work().finally(() => this.underWay.delete(`${lane} ${key}`));
    this.underWay.set(`${lane} ${key}`, started);
    return started;
  }
}
