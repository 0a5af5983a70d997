import type { Change } from '../../db/change';
import type { Reads } from '../../db/reads';
import { raw, sql } from '../../db/sql';
import { optional, type Selected, select } from '../../db/table';
import { type Keys, keyed, withKeyOf } from '../keys/keys.service';
import { messages } from './ticket.entity';
import { message } from './tickets.rows';

/** Messages that state something of a payment, with what opens them. */
const stated = select(
  { ...message.pick('id', 'ticketId', 'bodySealed', 'createdAt'), dueAt: optional(message.claimDueAt), ...keyed },
  sql`FROM ${message} ${withKeyOf(message)}`,
);
export type StatedMessage = Selected<typeof stated>;

/** Those that are due, the first due first, `most` of them. */
export const statedMessages = (reads: Reads, now: Date, most: number): Promise<StatedMessage[]> =>
  reads.read(stated, sql`WHERE ${message.claimDueAt} <= ${now} ORDER BY ${message.claimDueAt} LIMIT ${raw(`${most}`)}`);

/** What stands in it; null where its customer's key was destroyed. */
export const bodyOf = (keys: Keys, row: StatedMessage): string | null => keys.open(messages, row, 'body');

/**
 * Has it looked at again then, or never where that is null. False where it isn't due any more as it was read: another process did so, or
 * the message was edited.
 */
export const moveStated = async (change: Change, { id, dueAt }: StatedMessage, to: Date | null): Promise<boolean> => {
  const isAsRead = sql`${messages.id} = ${id} AND ${messages.claimDueAt} = ${dueAt}`;
  return (await change.bookkeep(messages, { claimDueAt: to }, isAsRead)) > 0;
};
