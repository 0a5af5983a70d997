import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import { customerOf, differing, type Judgement, missing, readAtMost, type Subject, saysOtherwise } from '../../ledger/subjects';
import { ticketClaims as q } from './claim.entity';

const kind = 'claims';

const rows = select(
  {
    ...q.pick('id', 'ticketId', 'customerId', 'origin', 'ordinal', 'traits', 'messageId', 'recordedById', 'recordedByStaffIds'),
    ...q.pick('requestKey', 'requestDigest', 'recordedAt'),
  },
  sql`FROM ${q}`,
);

/** A claim is what the event of its recording, or of the reading of its message, says. */
export const claimSubject: Subject<Selected<typeof rows> | undefined> = {
  type: 'Claim',
  kinds: [kind],
  places: [{ id: q.id, from: sql`FROM ${q} WHERE` }],
  stored: async (reads, ids, most) => {
    const found = await readAtMost(reads, rows, sql`WHERE ${q.id} IN (${ids})`, most);
    const byId = found && new Map(found.map((row) => [row.id, row]));
    return byId && ((id) => byId.get(id));
  },
  judge: (id, row, [event]): Judgement => {
    const alone = missing(kind, id, row, event);
    if (alone || !row || !event) return alone ?? { findings: [] };
    const { detail } = event;
    const isRead = event.action === 'claim.read';
    const stated = {
      ticketId: event.ticketId,
      customerId: customerOf(event, row.customerId),
      origin: isRead ? 'MESSAGE' : 'STAFF',
      ordinal: detail.ordinal,
      traits: detail.traits,
      messageId: isRead ? detail.message : null,
      recordedById: isRead ? null : event.actorId,
      recordedByStaffIds: isRead ? null : detail.staffRows,
      requestKey: isRead ? null : detail.key,
      requestDigest: isRead ? null : detail.request,
      recordedAt: event.at,
    };
    return { findings: saysOtherwise(kind, id, differing(row, stated)) };
  },
};
