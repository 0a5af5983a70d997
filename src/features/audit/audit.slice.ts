import type { AuditSettings } from '../../ledger/audit-settings';
import { Checkpoints } from '../../ledger/checkpoints';
import type { Core } from '../core';
import type { Denials } from '../disclosures/denials.service';
import { AuditLog } from './audit.service';
import { AuditDownloads } from './downloads.service';
import { AuditExports } from './exports.service';

/** The log as auditors read it. */
export const createAudit = ({ database, keys, cursors }: Core, { origin }: AuditSettings, denials: Denials) => {
  const checkpoints = new Checkpoints(database, origin);
  return {
    auditLog: new AuditLog(database, keys, cursors, checkpoints),
    auditDownloads: new AuditDownloads(database, keys, new AuditExports(database, checkpoints), (denial) =>
      denials.record([denial]),
    ),
  };
};
