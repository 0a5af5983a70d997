import DataLoader from 'dataloader';
import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import type { Position } from '../../graphql/cursor';
import { inOrder, type Keyset, pageClause } from '../../graphql/page';
import { Staff } from './ticket.type';
import { type MessageRow, message, messageCounts, messageRows, staff, staffRows } from './tickets.rows';

export interface MessageList {
  readonly ticketId: string;
  readonly limit: number;
  readonly after: Position | null;
}

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

  constructor(database: Database) {
    this.staffById = new DataLoader(async (ids) => {
      const rows = await database.read(staffRows, sql`WHERE ${staff.id} IN (${ids})`);
      const found = new Map(rows.map((row) => [row.id, new Staff(row)]));
      return ids.map((id) => found.get(id) ?? null);
    });
    this.pages = new DataLoader(
      async (lists) => {
        const pages = await database.readLists(
          messageRows,
          lists.map(
            ({ ticketId, limit, after }) =>
              sql`WHERE ${message.ticketId} = ${ticketId} ${pageClause(messagesInOrder, after, limit)}`,
          ),
        );
        for (const page of pages) page.sort(inOrder(messagesInOrder));
        return pages;
      },
      { cacheKeyFn: (list) => JSON.stringify(list), maxBatchSize: 100 },
    );
    this.counts = new DataLoader(async (ids) => {
      const rows = await database.read(messageCounts, sql`WHERE ${message.ticketId} IN (${ids}) GROUP BY ${message.ticketId}`);
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
}
