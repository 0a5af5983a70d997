import { auditCustomers, auditEvents } from '../../db/audit.entity';
import { type Sql, sql } from '../../db/sql';
import { auditLeaves } from '../../ledger/audit-tree.entity';

/** An event, its place in the tree, and the customers it is about, as statements of the log name them. */
export const e = auditEvents.as('e');
export const l = auditLeaves.as('l');
export const c = auditCustomers.as('c');

/** Events that have their place. */
export const placedEvents: Sql = sql`FROM ${l} JOIN ${e} ON ${e.id} = ${l.eventId}`;
