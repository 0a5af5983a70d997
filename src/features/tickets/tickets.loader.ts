import DataLoader from 'dataloader';
import type { Database } from '../../db/database';
import { marks, raw } from '../../db/sql';
import { unionOfLists } from '../../db/union-of-lists';
import type { Position } from '../../graphql/cursor';
import { inOrder, type Keyset, pageClause } from '../../graphql/page';
import { joinKey, keyColumns } from '../keys/keys.service';
import { type MessageRow, Staff } from './ticket.type';

export interface MessageList {
  readonly ticketId: string;
  readonly limit: number;
  readonly after: Position | null;
}

/** A ticket's messages, the first one first. */
export const messagesInOrder: Keyset<MessageRow> = {
  column: raw('m.created_at'),
  id: raw('m.id'),
  direction: 'ASC',
  positionOf: (row) => ({ value: row.created_at, id: row.id }),
};

/** What belongs to tickets, each relation of a level in one statement. */
export class TicketsLoader {
  private readonly staffById: DataLoader<string, Staff | null>;
  private readonly pages: DataLoader<MessageList, readonly MessageRow[], string>;
  private readonly counts: DataLoader<string, number>;

  constructor(database: Database) {
    this.staffById = new DataLoader(async (ids) => {
      const rows = await database.query<{ id: string; display_name: string }>(
        `SELECT id, display_name FROM helpdesk_staff WHERE id IN (${marks(ids)})`,
        ids,
      );
      const found = new Map(rows.map((row) => [row.id, new Staff(row)]));
      return ids.map((id) => found.get(id) ?? null);
    });
    this.pages = new DataLoader(
      async (lists) => {
        const parts = lists.map(({ ticketId, limit, after }, index) => {
          const { sql, values } = pageClause(messagesInOrder, after, limit);
          return {
            sql: `SELECT ${index} AS list, m.id, m.ticket_id, m.author_kind, m.author_staff_id, m.channel, m.body_sealed, m.redactions, m.created_at, ${keyColumns}
            FROM helpdesk_message m ${joinKey('m')} WHERE m.ticket_id = ? ${sql}`,
            parameters: [ticketId, ...values],
          };
        });
        const rows = await database.query<MessageRow & { list: number }>(
          unionOfLists(
            database.engine,
            parts.map(({ sql }) => sql),
          ),
          parts.flatMap(({ parameters }) => parameters),
        );
        const pages: MessageRow[][] = lists.map(() => []);
        for (const row of rows) pages[row.list]?.push(row);
        for (const page of pages) page.sort(inOrder(messagesInOrder));
        return pages;
      },
      { cacheKeyFn: (list) => JSON.stringify(list), maxBatchSize: 100 },
    );
    this.counts = new DataLoader(async (ids) => {
      const rows = await database.query<{ ticket_id: string; n: number }>(
        `SELECT ticket_id, COUNT(*) AS n FROM helpdesk_message WHERE ticket_id IN (${marks(ids)}) GROUP BY ticket_id`,
        ids,
      );
      const found = new Map(rows.map((row) => [row.ticket_id, row.n]));
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
