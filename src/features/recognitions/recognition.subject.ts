import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import {
  customerOf,
  differing,
  endedEarly,
  grouped,
  type Judgement,
  judgeEach,
  missing,
  type RecordedEvent,
  readAtMost,
  type Subject,
  saysOtherwise,
} from '../../ledger/subjects';
import { recognitionLinks as l, recognitions as r } from './recognition.entity';

const kind = 'questions about payments';
const linkKind = 'links of questions about payments';

const rows = select(
  {
    ...r.pick('id', 'state', 'ticketId', 'customerId', 'assistanceId', 'paymentCustomerId', 'transactionId', 'askedById'),
    ...r.pick('askedByStaffId', 'askedByStaffIds', 'askedAt', 'expiresAt', 'sentAt', 'answeredAt', 'failure'),
    ...r.pick('shownDigest', 'shownSealed', 'holdId', 'askedKey'),
  },
  sql`FROM ${r}`,
);
const linkRows = select(l.pick('id', 'recognitionId', 'tokenDigest', 'createdAt', 'expiresAt'), sql`FROM ${l}`);
type LinkRow = Selected<typeof linkRows>;

interface StoredRecognition {
  readonly row: Selected<typeof rows> | undefined;
  readonly links: readonly LinkRow[];
}

const isLinkOf = ({ id, tokenDigest, createdAt, expiresAt }: LinkRow, { detail, at }: RecordedEvent): boolean =>
  detail.link === id &&
  detail.token === tokenDigest &&
  at.getTime() === createdAt.getTime() &&
  detail.until === expiresAt.toISOString();

/** A question, its links and its answer are what the events of their asking, sending and answering say. */
export const recognitionSubject: Subject<StoredRecognition> = {
  type: 'Recognition',
  kinds: [kind, linkKind],
  places: [
    { id: r.id, from: sql`FROM ${r} WHERE` },
    { id: l.recognitionId, from: sql`FROM ${l} WHERE` },
  ],
  stored: async (reads, ids, most) => {
    const found = await readAtMost(reads, rows, sql`WHERE ${r.id} IN (${ids})`, most);
    const sent = await readAtMost(reads, linkRows, sql`WHERE ${l.recognitionId} IN (${ids}) ORDER BY ${l.id}`, most);
    if (!found || !sent) return null;
    const byId = new Map(found.map((row) => [row.id, row]));
    const links = grouped(sent, ({ recognitionId }) => recognitionId);
    return (id) => ({ row: byId.get(id), links: links.get(id) ?? [] });
  },
  judge: (id, { row, links }, about): Judgement => {
    const of = (action: string) => about.find((event) => event.action === action);
    const linked = judgeEach(linkKind, id, {
      rows: links,
      events: about.filter(({ action }) => action === 'recognition.link'),
      is: isLinkOf,
    });
    const asked = of('recognition.ask');
    const alone = missing(kind, id, row, asked);
    if (alone || !row || !asked) return { ...alone, findings: [...(alone?.findings ?? []), ...linked] };
    const [answered, failed] = [of('recognition.answer'), of('recognition.fail')];
    const hasEnded = failed !== undefined || of('recognition.expire') !== undefined;
    const { detail } = asked;
    const columns = differing(row, {
      ticketId: asked.ticketId,
      customerId: customerOf(asked, row.customerId),
      assistanceId: asked.assistanceId,
      paymentCustomerId: detail.payer,
      transactionId: detail.transaction,
      askedById: asked.actorId,
      askedByStaffId: detail.staff,
      askedByStaffIds: detail.staffRows,
      askedAt: asked.at,
      expiresAt: new Date(String(detail.until)),
      sentAt: of('recognition.link-sent')?.at ?? null,
      state: answered?.detail.answer ?? (failed ? 'FAILED' : hasEnded ? 'EXPIRED' : 'ASKED'),
      failure: failed?.detail.reason ?? null,
      answeredAt: answered?.at ?? null,
      shownDigest: answered?.detail.shown ?? null,
      holdId: answered?.detail.hold ?? null,
      askedKey: hasEnded ? null : detail.transaction,
    });
    const early = endedEarly(of('recognition.expire'), detail.until);
    const isSilent = answered !== undefined && row.shownSealed === null;
    return { findings: [...saysOtherwise(kind, id, columns, isSilent ? 'shownSealed' : '', early), ...linked] };
  },
};
