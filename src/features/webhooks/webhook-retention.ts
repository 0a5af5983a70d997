import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import { webhookAttempts, webhookDeliveries } from './webhook.entity';
import { attempt, attemptIds, delivery, deliveryIds } from './webhooks.rows';

/** Messages that wait no more are kept for so many days after they were written down, with the tries to send them. */
export const messagesKept = 30;
const oneDay = 86_400_000;
/** Messages, and tries, that go in one change. */
const atOnce = { messages: 100, tries: 500 };

/** Removes messages whose time is over, their tries first. True where there may be more. */
export const removeMessages = async (database: Database, now: Date): Promise<boolean> => {
  const before = new Date(now.getTime() - messagesKept * oneDay);
  const isOld = sql`${delivery.createdAt} < ${before} AND ${delivery.state} <> 'PENDING'`;
  const found = await database.read(deliveryIds, sql`WHERE ${isOld} ORDER BY ${delivery.createdAt} LIMIT ${atOnce.messages}`);
  if (found.length === 0) return false;
  const ids = found.map(({ id }) => id);
  const tries = await database.read(attemptIds, sql`WHERE ${attempt.deliveryId} IN (${ids}) LIMIT ${atOnce.tries}`);
  const isMore = tries.length === atOnce.tries;
  await database.system('delivery', 'webhook.forget', async (change) => {
    // One that is sent again meanwhile stays, and so does what it was.
    const left = sql`${webhookDeliveries.id} IN (${ids}) AND ${webhookDeliveries.state} <> 'PENDING'`;
    const messages = isMore ? 0 : await change.remove(webhookDeliveries, left);
    const gone = sql`${webhookAttempts.id} IN (${tries.map(({ id }) => id)}) AND NOT EXISTS (SELECT 1 FROM ${delivery}
      WHERE ${delivery.id} = ${webhookAttempts.deliveryId} AND ${delivery.state} = 'PENDING')`;
    const attempts = tries.length === 0 ? 0 : await change.remove(webhookAttempts, gone);
    if (change.hasWritten) change.record('webhook.forget', { detail: { messages, attempts } });
  });
  return isMore || found.length === atOnce.messages;
};
