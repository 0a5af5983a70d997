import { LRUCache } from 'lru-cache';
import { Loop } from '../../background/loop';
import { raw, sql } from '../../db/sql';
import { select, wholeNumber } from '../../db/table';
import type { SourceUnavailable } from '../../upstream/source-unavailable';
import { ticket } from '../tickets/tickets.rows';
import type { Reading } from './reading';
import type { SourceParts } from './source-parts';

const dueTickets = select(ticket.pick('id', 'reference', 'mark', 'messagesSeenAt'), sql`FROM ${ticket}`);
const lateCounts = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${ticket}`);

const hour = 3_600_000;
/** How old a comparison may be, milliseconds: what is promised, when a ticket's turn comes, and when the sweep hurries. */
export const longestUnseen = 24 * hour;
const dueAfter = 12 * hour;
const hurriesAfter = 18 * hour;
/** Milliseconds between two turns, tickets of one batch, and batches of a turn that is late. */
const pause = 60_000;
const ticketsPerBatch = 25;
const batchesInHurry = 4;

/** Faults that say nothing of the tickets that were asked for. */
const ofTheSource: readonly SourceUnavailable['why'][] = ['unauthorized', 'circuit-open', 'overloaded', 'rate-limited'];

/** How far the sweep through one helpdesk is. */
export interface SweepProgress {
  readonly source: string;
  /** When the ticket that waits longest was compared; null where there is none. */
  readonly oldest: Date | null;
  /** Tickets that weren't compared for longer than is promised. */
  readonly late: number;
}

/**
 * Holds what is stored of every ticket's text against its helpdesk, the longest unseen first, round and round: edits and removals of
 * which no poll tells. How far it is stands in the tickets themselves, so that it goes on after a restart.
 */
export class Sweep {
  private readonly loops: Loop[] = [];
  private stopping = false;
  /** Tickets that couldn't be read whole a while ago: they hold up no others. */
  private readonly tried = new LRUCache<string, true>({ maxSize: 500, sizeCalculation: () => 1, ttl: hour });

  constructor(
    private readonly parts: SourceParts,
    private readonly reading: Reading,
  ) {}

  start(): void {
    for (const name of this.parts.registry.helpdeskNames()) {
      const onFault = (error: unknown) => void this.parts.registry.keepFault(name, error);
      this.loops.push(new Loop({ turn: () => this.turn(name), every: pause, onFault }));
    }
    for (const loop of this.loops) loop.start();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }

  /** Everything that is due, of every helpdesk. Throws `SourceUnavailable` where one can't be asked. */
  async all(): Promise<void> {
    for (const name of this.parts.registry.helpdeskNames()) while (await this.batch(name));
  }

  /** A batch of a source, some where tickets wait for long. Throws `SourceUnavailable`. */
  async turn(name: string): Promise<void> {
    for (let batches = 0; batches < batchesInHurry && !this.stopping; batches += 1) {
      const oldest = await this.batch(name);
      if (oldest === null || this.parts.clock().getTime() - oldest.getTime() < hurriesAfter) return;
    }
  }

  async progress(): Promise<readonly SweepProgress[]> {
    const now = this.parts.clock().getTime();
    const found: SweepProgress[] = [];
    for (const name of this.parts.registry.helpdeskNames()) found.push(await sweepProgress(this.parts.database, name, now));
    return found;
  }

  /** When the ticket that had waited longest was compared before; null where none was due. */
  private async batch(name: string): Promise<Date | null> {
    const due = new Date(this.parts.clock().getTime() - dueAfter);
    const rows = await this.parts.database.read(
      dueTickets,
      sql`WHERE ${ticket.source} = ${name} AND ${ticket.messagesSeenAt} <= ${due}
        ORDER BY ${ticket.messagesSeenAt}, ${ticket.id} LIMIT ${raw(`${ticketsPerBatch + this.tried.size}`)}`,
    );
    const batch = rows.filter(({ id }) => !this.tried.has(id)).slice(0, ticketsPerBatch);
    if (batch.length === 0) return null;
    const changed = await this.reading.changedAmong(name, batch, 'background');
    const references = changed.map(({ reference }) => reference);
    const fault = await this.reading.refreshEach(name, references, 'background');
    if (fault && ofTheSource.includes(fault.why)) throw fault;
    if (changed.length > 0) {
      const ids = changed.map(({ id }) => id);
      const left = await this.parts.database.read(
        dueTickets,
        sql`WHERE ${ticket.id} IN (${ids}) AND ${ticket.messagesSeenAt} <= ${due}`,
      );
      for (const { id } of left) this.tried.set(id, true);
    }
    return batch[0]?.messagesSeenAt ?? null;
  }
}

/** How far the stored text of one source's tickets was compared, as of `now` in UTC milliseconds. */
export const sweepProgress = async (
  reads: Pick<SourceParts['database'], 'read'>,
  source: string,
  now: number,
): Promise<SweepProgress> => {
  const { messagesSeenAt } = ticket;
  const isOf = sql`WHERE ${ticket.source} = ${source}`;
  const [first] = await reads.read(dueTickets, sql`${isOf} ORDER BY ${messagesSeenAt}, ${ticket.id} LIMIT 1`);
  const [late] = await reads.read(lateCounts, sql`${isOf} AND ${messagesSeenAt} < ${new Date(now - longestUnseen)}`);
  return { source, oldest: first?.messagesSeenAt ?? null, late: late?.n ?? 0 };
};
