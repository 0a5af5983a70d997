import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import {
  customerOf,
  differing,
  endedEarly,
  type Judgement,
  type RecordedEvent,
  readAtMost,
  type Subject,
  type SubjectFinding,
  saysOtherwise,
} from '../../ledger/subjects';
import { assistances as a } from './assistance.entity';

const kind = 'assistances';

const rows = select(
  {
    ...a.pick('id', 'actorId', 'requestedByStaffIds', 'ticketId', 'customerId', 'purpose', 'origin', 'reasonSealed'),
    ...a.pick('requestedAt', 'beginsAt', 'expiresAt', 'needsApproval', 'approvedById', 'approvedAt', 'endedAt'),
    ...a.pick('endReason', 'openKey', 'rejectedById', 'rejectionSealed'),
  },
  sql`FROM ${a}`,
);
type Row = Selected<typeof rows>;

const judgeRow = (
  row: Row,
  begun: RecordedEvent,
  approved: RecordedEvent | undefined,
  end: { readonly ended: RecordedEvent | undefined; readonly rejected: RecordedEvent | undefined },
): readonly SubjectFinding[] => {
  const { detail } = begun;
  const { rejected } = end;
  const ended = end.ended ?? rejected;
  const isRequest = begun.action === 'assistance.request';
  const needsApproval = isRequest && detail.needsApproval === true;
  const until = (approved ?? begun).detail.expiresAt;
  // A request that waited when who asked wasn't kept yet was ended by the migration that keeps it.
  const isCutShort =
    needsApproval && !approved && detail.staffRows === undefined && row.expiresAt.getTime() === begun.at.getTime();
  const columns = differing(row, {
    actorId: begun.actorId,
    ...(detail.staffRows === undefined ? {} : { requestedByStaffIds: detail.staffRows }),
    ticketId: begun.ticketId,
    customerId: customerOf(begun, row.customerId),
    purpose: detail.purpose,
    origin: isRequest ? 'REQUESTED' : 'AUTOMATIC',
    requestedAt: begun.at,
    beginsAt: needsApproval ? (approved?.at ?? null) : begun.at,
    ...(isCutShort ? {} : { expiresAt: new Date(String(until)) }),
    needsApproval,
    approvedById: approved?.actorId ?? null,
    approvedAt: approved?.at ?? null,
    endedAt: ended?.at ?? null,
    endReason: rejected ? 'REJECTED' : (ended?.detail.reason ?? null),
    rejectedById: rejected?.actorId ?? null,
    openKey: ended ? null : `${begun.actorId}|${begun.ticketId}`,
  });
  const isSilent = begun.notes.includes('reason') && row.reasonSealed === null;
  const isUnexplained = rejected?.notes.includes('reason') === true && row.rejectionSealed === null;
  const expired = !isCutShort && end.ended?.detail.reason === 'EXPIRED' ? end.ended : undefined;
  return saysOtherwise(
    kind,
    row.id,
    columns,
    isSilent ? 'reason' : '',
    isUnexplained ? 'rejection' : '',
    endedEarly(expired, until),
  );
};

/** An assistance is what the events of its beginning, its approval, its refusal and its end say. */
export const assistanceSubject: Subject<Row | undefined> = {
  type: 'Assistance',
  kinds: [kind],
  places: [{ id: a.id, from: sql`FROM ${a} WHERE` }],
  stored: async (reads, ids, most) => {
    const found = await readAtMost(reads, rows, sql`WHERE ${a.id} IN (${ids})`, most);
    const byId = found && new Map(found.map((row) => [row.id, row]));
    return byId && ((id) => byId.get(id));
  },
  judge: (id, row, about): Judgement => {
    const of = (action: string) => about.find((event) => event.action === action);
    if (!row) return { findings: [{ kind, fault: 'that the log has events of are gone', id }] };
    const begun = of('assistance.begin') ?? of('assistance.request');
    const approved = of('assistance.approve');
    if (!begun || (row.approvedAt !== null && !approved))
      return { findings: [{ kind, fault: 'without an event of the log', id }] };
    return {
      findings: judgeRow(row, begun, approved, { ended: of('assistance.end'), rejected: of('assistance.reject') }),
      isUnstated: begun.detail.staffRows === undefined,
    };
  },
};
