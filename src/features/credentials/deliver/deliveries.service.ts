import type { Change } from '../../../db/change';
import { sql } from '../../../db/sql';
import { select, wholeNumber } from '../../../db/table';
import { ulid } from '../../../ulid';
import type { DeliveryFailed } from '../../../upstream/delivery/delivery.port';
import { type AskedBy, Deliveries, type DeliveryParts } from '../../invitations/deliveries';
import { CredentialUpdate, credentialLinks, type JobKind } from '../credential-update.entity';
import { end, factsOf, move } from '../credential-update.moves';
import { type ClaimedJob, enqueue } from '../jobs.service';
import { outcomeNote, requestNote, updateLinkMail } from './messages';

const hour = 3_600_000;

/** Faults of a mail server that took nothing. */
const surelyUnsent: ReadonlySet<string> = new Set(['refused', 'unreachable'] satisfies DeliveryFailed['why'][]);

const linkCounts = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${credentialLinks}`);

/**
 * Whether a link that was written down before may have left: whoever had the job before never said what came of it, or the mail server
 * left it open.
 */
const mayHaveLeft = async (change: Change, { updateId, attempts, lastFault }: ClaimedJob): Promise<boolean> => {
  const [written] = await change.read(linkCounts, sql`WHERE ${credentialLinks.updateId} = ${updateId}`);
  const count = written?.n ?? 0;
  return count > 0 && (count > attempts || lastFault === null || !surelyUnsent.has(lastFault));
};

/** How long a link works, in hours. */
interface LinkHours {
  readonly linkHours: number;
  /** One that a rule asks by. */
  readonly invitationHours: number;
}

/** The event by which an update ends whose link isn't sent. */
const endings = {
  UNDELIVERABLE: 'credential.undeliverable',
  CONTACT_CHANGED: 'credential.contact-changed',
  LINK_CHANGED: 'credential.contact-changed',
  CUSTOMER_ERASED: 'credential.link',
} as const;

const updateLinks = ({ linkHours, invitationHours }: LinkHours): AskedBy<CredentialUpdate, JobKind, 'updateId'> => ({
  entity: CredentialUpdate,
  subject: 'updateId',
  actions: {
    link: 'credential.link',
    sent: 'credential.link',
    undeliverable: 'credential.link',
    note: 'credential.note',
    noteDropped: 'credential.note',
  },
  awaitsLink: ({ state }) => state === 'REQUESTED',
  linkUntil: ({ ticketId }, now) => new Date(now.getTime() + (ticketId === null ? invitationHours : linkHours) * hour),
  isSentBefore: async ({ change, row, seal }, job) => {
    if (row.ticketId !== null || !(await mayHaveLeft(change, job))) return false;
    await move(change, seal, row, 'credential.link-lost', { to: 'AWAITING_CUSTOMER', detail: { channel: 'MAIL' } });
    return true;
  },
  keep: async ({ change, row, seal }, link) => {
    const id = `cln_${ulid(change.at.getTime())}`;
    await change.insert(credentialLinks, { id, updateId: row.id, ...link });
    change.record('credential.link', {
      ...factsOf(row, seal),
      detail: { link: id, until: link.expiresAt.toISOString(), token: link.tokenDigest },
    });
  },
  mail: ({ row: { kind }, ...about }) => updateLinkMail({ ...about, kind }),
  sent: async ({ change, row, seal }, expiresAt, renewLease) => {
    if (row.state !== 'REQUESTED') return;
    await renewLease();
    row.expiresAt = expiresAt;
    await move(change, seal, row, 'credential.link-sent', { to: 'AWAITING_CUSTOMER', detail: { channel: 'MAIL' } });
    if (row.ticketId !== null) await enqueue(change, row.id, 'NOTICE');
  },
  fail: async ({ change, row, seal }, reason) => {
    if (row.state === 'REQUESTED') await end(change, seal, row, endings[reason], { to: 'FAILED', reason });
  },
  dropNote: ({ change, row, seal }, kind) =>
    change.record('credential.note-dropped', { ...factsOf(row, seal), detail: { given_up: kind } }),
});

/** The links and notes of updates, as jobs of their outbox. */
export const updateDeliveries = (parts: DeliveryParts, hours: LinkHours) => {
  const deliveries = new Deliveries(parts, updateLinks(hours));
  return { link: deliveries.link, notice: deliveries.note(requestNote), outcome: deliveries.note(outcomeNote) };
};
