import type { EventName } from '../audit/events';
import { auditEvents } from '../db/audit.entity';
import { sql } from '../db/sql';
import { Column } from '../db/table';

const e = auditEvents.as('end_event');

/** Whether the log says of what this row is of that it ended: a row that is put back as it was begins nothing again. */
export const saidOver = (type: string, action: EventName, id: Column<string>): Column<boolean> =>
  new Column<boolean>(
    sql`EXISTS (SELECT 1 FROM ${e} WHERE ${e.subjectType} = ${type} AND ${e.subjectId} = ${id} AND ${e.action} = ${action})`,
    (value) => Number(value) === 1,
  );
