import { Int } from 'type-graphql';
import { connectionOf } from '../../graphql/connection';
import { DateTime, SafeInt } from '../../graphql/scalars';
import { AuditEventType } from './audit.type';

/** A page of the log, and how far the rows that it was found by were held against their leaves. */
export const AuditEventConnection = connectionOf('AuditEvent', () => AuditEventType, {
  rowsCheckedTo: {
    type: () => SafeInt,
    description:
      'This answer goes by rows beside the leaves. So many leaves, from the first one, were held against theirs by this gateway and agree with them.',
  },
  rowsCheckedSince: {
    type: () => DateTime,
    nullable: true,
    description: 'When that began: what was altered since may not be noticed yet. Null shortly after a start.',
  },
  rowFindings: {
    type: () => Int,
    description:
      'Places where what is stored differs from what was signed: then this answer may lack events, or have others. "counterfoil doctor" names them, and an export goes by the leaves.',
  },
});
