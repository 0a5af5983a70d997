import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import type { Keys } from '../keys/keys.service';
import { messages } from './ticket.entity';
import type { StatedMessage } from './tickets.rows';

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
