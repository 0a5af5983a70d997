import { auditEvents } from '../../db/audit.entity';
import { sql } from '../../db/sql';
import { type Selected, select, wholeNumber } from '../../db/table';
import { auditLeaves } from '../../ledger/audit-tree.entity';
import { webhookAttempts, webhookDeliveries, webhookEndpoints } from './webhook.entity';

export const delivery = webhookDeliveries.as('d');
export const attempt = webhookAttempts.as('t');
export const endpoint = webhookEndpoints.as('n');
export const e = auditEvents.as('e');
export const l = auditLeaves.as('l');

/** What is shown of a message. */
export const deliveryRows = select(
  delivery.pick('id', 'endpoint', 'subject', 'type', 'createdAt', 'state', 'attempts', 'nextAt', 'fault'),
  sql`FROM ${delivery}`,
);
export type DeliveryRow = Selected<typeof deliveryRows>;
export const deliveryCount = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${delivery}`);
export const deliveryIds = select(delivery.pick('id'), sql`FROM ${delivery}`);

/** What is sent. */
export const bodies = select(delivery.pick('id', 'endpoint', 'type', 'body'), sql`FROM ${delivery}`);

export const attemptRows = select(
  attempt.pick('id', 'deliveryId', 'at', 'status', 'fault', 'milliseconds'),
  sql`FROM ${attempt}`,
);
export const attemptIds = select(attempt.pick('id'), sql`FROM ${attempt}`);
export type AttemptRow = Selected<typeof attemptRows>;

export const endpointRows = select(endpoint.pick('name', 'urlDigest', 'position', 'disabledAt'), sql`FROM ${endpoint}`);

/** Events of the log with their places. */
export const placedLeaves = select({ leafIndex: l.leafIndex, leaf: e.leaf }, sql`FROM ${l} JOIN ${e} ON ${e.id} = ${l.eventId}`);
