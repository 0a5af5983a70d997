import type { SignedInActor } from '../../authz/actor';
import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import { Failure } from '../../failure';
import { type Keyset, pageClause, putInOrder } from '../../graphql/page';
import type { Keys } from '../keys/keys.service';
import { SealedChanges } from '../keys/sealed-changes';
import type { TicketGrounds } from '../tickets/tickets.policy';
import { Recognition } from './recognition.entity';
import { endUnanswered } from './recognition.moves';
import { recognitionReach } from './recognition.policy';
import { type RecognitionRow, recognition, recognitionIds, recognitionRows } from './recognition.rows';

/** Questions that a ticket shows. */
export const newestOfTicket = 50;
/** Questions that end by themselves in one round. */
const expiredAtOnce = 200;

const newestFirst: Keyset<RecognitionRow> = {
  column: recognition.askedAt,
  id: recognition.id,
  direction: 'DESC',
  positionOf: (row) => ({ value: row.askedAt.getTime(), id: row.id }),
};

export interface RecognitionParts {
  readonly database: Database;
  readonly keys: Keys;
  readonly scope: TicketGrounds;
  readonly clock: () => Date;
  /** There is something to deliver. */
  readonly wake: () => void;
}

/** Questions to customers as staff follow them. */
export class Recognitions {
  private readonly changes = new SealedChanges(this.parts.database, this.parts.keys, 'expiry', Recognition);

  constructor(private readonly parts: RecognitionParts) {}

  /** A question within the actor's reach: what they asked, and those of the tickets within their scope. Throws `NOT_FOUND`. */
  async reachable(actor: SignedInActor, id: string): Promise<RecognitionRow> {
    const { database, scope, clock } = this.parts;
    const reach = recognitionReach(actor, scope, clock());
    const [row] = await database.read(recognitionRows, sql`WHERE ${recognition.id} = ${id} AND ${reach}`);
    if (!row) throw Failure.notFound('recognition');
    return row;
  }

  /** The newest `newestOfTicket` of each ticket, which the reader has reached already; newest first. */
  async ofTickets(ticketIds: readonly string[]): Promise<readonly (readonly RecognitionRow[])[]> {
    const newest = pageClause(newestFirst, null, newestOfTicket);
    const lists = await this.parts.database.readLists(
      recognitionRows,
      ticketIds.map((id) => sql`WHERE ${recognition.ticketId} = ${id} ${newest}`),
    );
    for (const list of lists) putInOrder(list, newestFirst);
    return lists;
  }

  /** Ends what nobody answered in time. Returns how many. */
  async expire(): Promise<number> {
    const { database, clock, wake } = this.parts;
    const { state, expiresAt } = recognition;
    const due = await database.read(
      recognitionIds,
      sql`WHERE ${state} = 'ASKED' AND ${expiresAt} <= ${clock()} ORDER BY ${expiresAt} LIMIT ${expiredAtOnce}`,
    );
    for (const { id } of due)
      await this.changes.make('recognition.expire', id, async (change, row, seal) => {
        if (row.state === 'ASKED' && row.expiresAt <= change.at) await endUnanswered(change, row, seal, null);
      });
    if (due.length > 0) wake();
    return due.length;
  }
}
