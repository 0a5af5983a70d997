import { sql } from '../../db/sql';
import { ulid } from '../../ulid';
import { customer, linkRows } from '../customers/customers.rows';
import { type AskedBy, Deliveries, type DeliveryParts } from '../invitations/deliveries';
import { outcomeNote, questionMail, requestNote } from './messages';
import { Recognition, type RecognitionJobKind, recognitionLinks } from './recognition.entity';
import { endUnanswered, enqueue, factsOf } from './recognition.moves';

const questionLinks: AskedBy<Recognition, RecognitionJobKind, 'recognitionId'> = {
  entity: Recognition,
  subject: 'recognitionId',
  actions: {
    link: 'recognition.link',
    sent: 'recognition.link-sent',
    undeliverable: 'recognition.fail',
    note: 'recognition.note',
    noteDropped: 'recognition.note-dropped',
  },
  awaitsLink: ({ state, sentAt }) => state === 'ASKED' && sentAt === null,
  linkUntil: ({ expiresAt }) => expiresAt,
  isUnsure: async ({ change, row }) => {
    const [linked] = await change.read(linkRows, sql`WHERE ${customer.id} = ${row.customerId}`);
    return linked?.link === 'VERIFIED' && linked.paymentCustomerId === row.paymentCustomerId ? null : 'LINK_CHANGED';
  },
  keep: async ({ change, row, seal }, link) => {
    const id = `rcl_${ulid(change.at.getTime())}`;
    await change.insert(recognitionLinks, { id, recognitionId: row.id, ...link });
    change.record('recognition.link', {
      ...factsOf(row, seal),
      detail: { link: id, until: link.expiresAt.toISOString(), token: link.tokenDigest },
    });
  },
  mail: ({ ticket, ...about }) => questionMail({ ...about, ticket: ticket ?? '' }),
  sent: async ({ change, row, seal }, _, renewLease) => {
    if (row.sentAt !== null) return;
    await renewLease();
    row.sentAt = change.at;
    await change.save(row);
    change.record('recognition.link-sent', { ...factsOf(row, seal), detail: { channel: 'MAIL' } });
    // Whoever was faster than this has ended it, and the ticket hears that.
    if (row.state === 'ASKED') await enqueue(change, row.id, 'NOTICE');
  },
  fail: async ({ change, row, seal }, why) => {
    if (row.state === 'ASKED') await endUnanswered(change, row, seal, why);
  },
  dropNote: ({ change, row, seal }, kind) =>
    change.record('recognition.note-dropped', { ...factsOf(row, seal), detail: { given_up: kind } }),
};

/** The links and notes of questions, as jobs of their outbox. */
export const questionDeliveries = (parts: DeliveryParts) => {
  const deliveries = new Deliveries(parts, questionLinks);
  return { LINK: deliveries.link, NOTICE: deliveries.note(requestNote), OUTCOME: deliveries.note(outcomeNote) };
};
