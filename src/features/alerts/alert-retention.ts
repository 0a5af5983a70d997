import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import { riskAlertEvents } from './alert.entity';
import { alert, happened, happenedPlaces, places } from './alert.rows';

/** What happened to an alert is kept for so many days after it ended: readers go on behind what they saw within that time. */
export const happeningsKept = 30;
const oneDay = 86_400_000;
/** Places that go in one change. */
const atOnce = 500;

/**
 * Removes what happened to alerts that ended long ago, from the beginning up to the first of one that didn't: so what is left has no
 * gap, and a place before it tells that something is missing. The latest stays: the next one follows it. True where there may be more.
 */
export const removeHappenings = async (database: Database, now: Date): Promise<boolean> => {
  const inOrder = sql`ORDER BY ${happened.position} LIMIT 1`;
  const [oldest] = await database.read(
    places,
    sql`WHERE ${places.columns.position} > 0 ORDER BY ${places.columns.position} LIMIT 1`,
  );
  const before = new Date(now.getTime() - happeningsKept * oneDay);
  const [kept] = await database.read(
    happenedPlaces,
    sql`WHERE ${happened.position} > 0 AND (${alert.endedAt} IS NULL OR ${alert.endedAt} >= ${before}) ${inOrder}`,
  );
  const [latest] = await database.read(places, sql`ORDER BY ${places.columns.position} DESC LIMIT 1`);
  if (!oldest || !latest) return false;
  const until = Math.min(kept?.position ?? latest.position, latest.position, oldest.position + atOnce);
  if (until <= oldest.position) return false;
  await database.system('worker', 'alert.forget', async (change) => {
    const count = await change.remove(
      riskAlertEvents,
      sql`${riskAlertEvents.position} > 0 AND ${riskAlertEvents.position} < ${until}`,
    );
    if (count > 0) change.record('alert.forget', { detail: { events: count, before: until } });
  });
  return until === oldest.position + atOnce;
};
