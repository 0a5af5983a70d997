import DataLoader from 'dataloader';
import type { Database } from '../../db/database';
import { partsByRows } from '../../db/parts-by-rows';
import { type Reached, reachedBy } from '../../db/reached';
import { padded, sql } from '../../db/sql';
import type { Selected, Selection, Table } from '../../db/table';
import type { Position } from '../../graphql/cursor';
import { type Keyset, pageClause, putInOrder } from '../../graphql/page';
import { beginningsOf, type OwnersPage, readBeginnings } from '../beginnings';
import type { KeyedRow } from '../keys/keys.service';
import type { Loading } from '../loading';
import type { Message } from './ticket.entity';
import { Staff } from './ticket.type';
import { type MessageRow, message, messageCount, messageCounts, messageRows, staffRows, ticket } from './tickets.rows';

export interface MessageList {
  readonly ticketId: Reached;
  readonly limit: number;
  readonly after: Position | null;
}

/** Messages that one statement reads at most. */
const messagesAtOnce = 1_000;

type StoredMessage = Selected<typeof messageRows>;

/** Bytes of the texts that were read of a message. */
const bytesOf = (selection: Selection<StoredMessage>, row: StoredMessage): number =>
  (selection.has('bodySealed') ? row.bodySealed.length : 0) +
  (selection.has('attachmentsSealed') ? (row.attachmentsSealed?.length ?? 0) : 0);

/** A ticket's messages, the first one first. */
export const messagesInOrder: Keyset<Pick<MessageRow, 'id' | 'createdAt'>> = {
  column: message.createdAt,
  id: message.id,
  direction: 'ASC',
  positionOf: (row) => ({ value: row.createdAt.getTime(), id: row.id }),
};

const ownersPageOf = ({ ticketId, limit, after }: MessageList): OwnersPage => ({ owner: ticketId, limit, after, by: '' });

/** The first messages of tickets. */
const firstMessages = beginningsOf(
  {
    of: message,
    columns: (of: Table<Message>) => ({ owner: of.ticketId, order: of.createdAt, conditions: [] }),
    direction: 'ASC',
    index: 'ix_helpdesk_message_ticket_id_created_at_id',
    ownerIds: { id: ticket.id, from: sql`FROM ${ticket}` },
  },
  messagesInOrder,
);

/** What belongs to tickets, each relation of a level in one statement. */
export class TicketsLoader {
  private readonly staffById: DataLoader<Reached, Staff | null>;
  private readonly pages: DataLoader<MessageList, readonly MessageRow[], string>;
  private readonly counts: DataLoader<string, number>;

  /** Messages of this request: those of several pages are held, and opened, once. */
  private readonly known = new Map<string, MessageRow>();

  constructor(
    private readonly database: Database,
    private readonly loading: Loading,
  ) {
    this.staffById = new DataLoader(async (ids) => {
      const rows = await this.database.shared.ofIds(staffRows, 'id', ids);
      const found = new Map(rows.map((row) => [row.id, new Staff(row)]));
      return ids.map((id) => found.get(id) ?? null);
    });
    this.pages = new DataLoader((lists) => this.fetchPages(lists), {
      cacheKeyFn: (list) => JSON.stringify(list),
      maxBatchSize: 100,
    });
    this.counts = new DataLoader(async (ids) => {
      const [only] = ids;
      if (ids.length === 1) {
        // MariaDB would sort one ticket's messages for its group.
        const counted = await this.database.read(messageCount, sql`WHERE ${message.ticketId} = ${only}`);
        return [counted[0]?.n ?? 0];
      }
      const rows = await this.database.read(
        messageCounts,
        sql`WHERE ${message.ticketId} IN (${padded(ids)}) GROUP BY ${message.ticketId}`,
      );
      const found = new Map(rows.map((row) => [row.ticketId, row.n]));
      return ids.map((id) => found.get(id) ?? 0);
    });
  }

  staff(id: Reached | null): Promise<Staff | null> {
    return id === null ? Promise.resolve(null) : this.staffById.load(id);
  }

  /** `key`: that of the ticket, with which its messages are sealed. */
  messages(list: MessageList, key: KeyedRow): Promise<readonly MessageRow[]> {
    this.loading.keys.know(key);
    return this.pages.load(list);
  }

  messageCount(ticketId: string): Promise<number> {
    return this.counts.load(ticketId);
  }

  /** Mails may be long: few lists are read at once, and none any more once the operation has had its bytes. */
  private async fetchPages(lists: readonly MessageList[]): Promise<MessageRow[][]> {
    const selection = messageRows.for(this.loading.fields());
    const pages: MessageRow[][] = [];
    for (const part of partsByRows(lists, ({ limit }) => limit, messagesAtOnce)) {
      const work = this.loading.work();
      if (work.over !== null) return lists.map((_, index) => pages[index] ?? []);
      const read =
        (await readBeginnings(this.database, selection, part.map(ownersPageOf), firstMessages)) ??
        (await this.database.readLists(
          selection,
          part.map(
            ({ ticketId, limit, after }) =>
              sql`WHERE ${message.ticketId} = ${ticketId} ${pageClause(messagesInOrder, after, limit)}`,
          ),
        ));
      for (const page of read) {
        for (const row of page) work.addRead(bytesOf(selection, row));
        const keyed = selection.has('keyId') ? await this.withKeys(page) : (page as MessageRow[]);
        pages.push(
          putInOrder(
            keyed.map((row) => this.once(row)),
            messagesInOrder,
          ),
        );
      }
      await work.turn();
    }
    return pages;
  }

  /** A message whose key isn't stored is none. */
  private async withKeys(rows: readonly StoredMessage[]): Promise<MessageRow[]> {
    const keys = await this.loading.keys.ofIds(rows.map((row) => reachedBy(row, 'keyId')));
    return rows.flatMap((row) => {
      const key = keys.get(row.keyId);
      return key ? [Object.assign(row, key)] : [];
    });
  }

  private once(row: MessageRow): MessageRow {
    const known = this.known.get(row.id);
    if (known) return known;
    this.known.set(row.id, row);
    return row;
  }
}
