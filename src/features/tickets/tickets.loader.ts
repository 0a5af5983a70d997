import DataLoader from 'dataloader';
import type { Database } from '../../db/database';
import { partsByRows } from '../../db/parts-by-rows';
import { sql } from '../../db/sql';
import type { Position } from '../../graphql/cursor';
import { inOrder, type Keyset, pageClause } from '../../graphql/page';
import type { Work } from '../../graphql/work';
import { Staff } from './ticket.type';
import { type MessageRow, message, messageCounts, messageRows, staff, staffRows } from './tickets.rows';

export interface MessageList {
  readonly ticketId: string;
  readonly limit: number;
  readonly after: Position | null;
}

/** Messages that one statement reads at most. */
const messagesAtOnce = 1_000;

/** A ticket's messages, the first one first. */
export const messagesInOrder: Keyset<MessageRow> = {
  column: message.createdAt,
  id: message.id,
  direction: 'ASC',
  positionOf: (row) => ({ value: row.createdAt.getTime(), id: row.id }),
};

/** What belongs to tickets, each relation of a level in one statement. */
export class TicketsLoader {
  private readonly staffById: DataLoader<string, Staff | null>;
  private readonly pages: DataLoader<MessageList, readonly MessageRow[], string>;
  private readonly counts: DataLoader<string, number>;

  /** Messages of this request: those of several pages are held, and opened, once. */
  private readonly known = new Map<string, MessageRow>();

  constructor(
    private readonly database: Database,
    /** Of the operation that the rows are read for. */
    private readonly work: () => Work,
  ) {
    this.staffById = new DataLoader(async (ids) => {
      const rows = await this.database.read(staffRows, sql`WHERE ${staff.id} IN (${ids})`);
      const found = new Map(rows.map((row) => [row.id, new Staff(row)]));
      return ids.map((id) => found.get(id) ?? null);
    });
    this.pages = new DataLoader((lists) => this.fetchPages(lists), {
      cacheKeyFn: (list) => JSON.stringify(list),
      maxBatchSize: 100,
    });
    this.counts = new DataLoader(async (ids) => {
      const rows = await this.database.read(
        messageCounts,
        sql`WHERE ${message.ticketId} IN (${ids}) GROUP BY ${message.ticketId}`,
      );
      const found = new Map(rows.map((row) => [row.ticketId, row.n]));
      return ids.map((id) => found.get(id) ?? 0);
    });
  }

  staff(id: string | null): Promise<Staff | null> {
    return id === null ? Promise.resolve(null) : this.staffById.load(id);
  }

  messages(list: MessageList): Promise<readonly MessageRow[]> {
    return this.pages.load(list);
  }

  messageCount(ticketId: string): Promise<number> {
    return this.counts.load(ticketId);
  }

  /** Mails may be long: few lists are read at once, and none any more once the operation has had its bytes. */
  private async fetchPages(lists: readonly MessageList[]): Promise<MessageRow[][]> {
    const pages: MessageRow[][] = [];
    for (const part of partsByRows(lists, ({ limit }) => limit, messagesAtOnce)) {
      const work = this.work();
      if (work.over !== null) return lists.map((_, index) => pages[index] ?? []);
      const read = await this.database.readLists(
        messageRows,
        part.map(
          ({ ticketId, limit, after }) =>
            sql`WHERE ${message.ticketId} = ${ticketId} ${pageClause(messagesInOrder, after, limit)}`,
        ),
      );
      for (const page of read) {
        for (const row of page) work.addRead((row.bodySealed?.length ?? 0) + (row.attachmentsSealed?.length ?? 0));
        pages.push(page.map((row) => this.once(row)).sort(inOrder(messagesInOrder)));
      }
      await work.turn();
    }
    return pages;
  }

  private once(row: MessageRow): MessageRow {
    const known = this.known.get(row.id);
    if (known) return known;
    this.known.set(row.id, row);
    return row;
  }
}
