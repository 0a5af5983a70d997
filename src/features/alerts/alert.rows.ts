import type { LinkAssurance } from '../../authz/actor';
import { sql } from '../../db/sql';
import { Column, optional, type Selected, select, wholeNumber } from '../../db/table';
import { customer } from '../customers/customers.rows';
import { keyed, withKeyOf } from '../keys/keys.service';
import { ticket } from '../tickets/tickets.rows';
import { riskAlertEvents, riskAlerts, riskSnoozes } from './alert.entity';

export const alert = riskAlerts.as('ra');
export const happened = riskAlertEvents.as('rh');
export const snooze = riskSnoozes.as('rs');

const withTicket = sql`LEFT JOIN ${ticket} ON ${ticket.id} = ${alert.ticketId}`;

/** An alert as it is shown, with its customer's key, and their link as it is now. */
export const alertRows = select(
  {
    ...alert.pick('id', 'rule', 'severity', 'state', 'ticketId', 'customerId', 'reasons', 'noteSealed', 'raisedAt'),
    ...alert.pick('resolution', 'endedAt', 'expiresAt', 'paymentCustomerId'),
    currentLink: new Column<LinkAssurance>(
      sql`CASE WHEN ${customer.paymentCustomerId} = ${alert.paymentCustomerId} THEN ${customer.link} ELSE 'NONE' END`,
      null,
    ),
    ...keyed,
  },
  sql`FROM ${alert} ${withKeyOf(alert)} ${withTicket} LEFT JOIN ${customer} ON ${customer.id} = ${alert.customerId}`,
);
export type AlertRow = Selected<typeof alertRows>;

export const alertCounts = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${alert} ${withTicket}`);

/** Alerts with where the helpdesk has the ticket that they are told on, and when it last said whose that is. */
export const heldRows = select(
  {
    ...alert.pick('id', 'state'),
    source: optional(ticket.source),
    reference: optional(ticket.reference),
    confirmedAt: optional(ticket.observedAt),
  },
  sql`FROM ${alert} ${withTicket}`,
);
export type HeldRow = Selected<typeof heldRows>;

/** What happened to alerts, in order, with who has the ticket now. */
export const happenedRows = select(
  {
    ...happened.pick('position', 'kind', 'alertId', 'ticketId', 'heldById'),
    customerId: alert.customerId,
    assigneeId: optional(ticket.assigneeId),
  },
  sql`FROM ${happened} JOIN ${alert} ON ${alert.id} = ${happened.alertId} ${withTicket}`,
);
export type HappenedRow = Selected<typeof happenedRows>;

/** Open ones of a ticket. */
export const openIds = select(alert.pick('id', 'ticketId'), sql`FROM ${alert}`);

/** What people said of them. */
export const settledRows = select(alert.pick('state', 'resolution', 'endedAt'), sql`FROM ${alert}`);

/** What became of alerts that were raised since then, by rule and version; of the newest so many, so that counting has an end. */
export const outcomesSince = (since: Date, most: number) => {
  const newest = riskAlerts.as('newest');
  const { id, raisedAt } = newest;
  const among = sql`SELECT ${id} AS id FROM ${newest} WHERE ${raisedAt} >= ${since} ORDER BY ${raisedAt} DESC, ${id} DESC LIMIT ${most}`;
  return select(
    { ...alert.pick('rule', 'version', 'state', 'resolution'), n: wholeNumber(sql`COUNT(*)`) },
    sql`FROM (${among}) AS newest JOIN ${alert} ON ${alert.id} = newest.id`,
  );
};

/** How many there are by rule and what became of them. */
export const outcomes = select(
  { ...alert.pick('rule', 'state', 'resolution'), n: wholeNumber(sql`COUNT(*)`) },
  sql`FROM ${alert}`,
);

export const places = select(happened.pick('position'), sql`FROM ${happened}`);
/** The same, with the alert that it is about. */
export const happenedPlaces = select(
  happened.pick('position'),
  sql`FROM ${happened} JOIN ${alert} ON ${alert.id} = ${happened.alertId}`,
);
export const latestPlace = select({ position: optional(wholeNumber(sql`MAX(${happened.position})`)) }, sql`FROM ${happened}`);

export const snoozes = select(snooze.pick('id'), sql`FROM ${snooze}`);
