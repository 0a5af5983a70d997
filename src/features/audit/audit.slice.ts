import type { AuditSettings } from '../../ledger/audit-settings';
import { Checkpoints } from '../../ledger/checkpoints';
import { configuredKeys } from '../../ledger/outside-keys';
import { ScrubRounds } from '../../ledger/scrub-rounds';
import { SideRows } from '../../ledger/side-rows';
import { describeError } from '../../log';
import { KeptNames } from '../actors/kept-names';
import type { Core } from '../core';
import type { Denials } from '../disclosures/denials.service';
import { subjects } from '../subjects';
import { AuditLog } from './audit.service';
import { AuditDownloads } from './downloads.service';
import { Examinations } from './examinations.service';
import { AuditExports } from './exports.service';
import { ActorNames } from './names/actor-names.service';
import { AuditReports } from './reports.service';
import { DecisionTrails } from './trail.service';

/** How the log is kept, and for so many days after somebody's last event what they are called. */
interface KeptLog {
  readonly audit: AuditSettings;
  readonly namesKeptDays: number;
}

/** The log as auditors read it, and the rounds in which it is held against what was signed. */
export const createAudit = (
  { database, keys, cursors, clock, log }: Core,
  { audit, namesKeptDays }: KeptLog,
  denials: Denials,
) => {
  const checkpoints = new Checkpoints(database, audit.origin);
  const auditScrub = new ScrubRounds(database, {
    // Asked in each round: a development key's file is made after this.
    outside: (origin) => configuredKeys(audit).outside(origin),
    rows: new SideRows(database, keys.stored(database)),
    subjects,
    vouchers: database.vouchers,
    clock,
    onFinding: ({ leaf, message }) =>
      log.error(
        { leaf, why: message },
        'the stored audit log differs from what was signed; "counterfoil doctor" names every place',
      ),
    onFault: (error) =>
      log.error({ error: describeError(error) }, 'the audit log could not be looked through; it is tried again'),
  });
  const kept = new KeptNames({ database, keys });
  return {
    actorNames: new ActorNames({ database, keys, clock, kept, keptDays: namesKeptDays }),
    auditLog: new AuditLog(database, keys, cursors, { checkpoints, scrubbed: () => auditScrub.state }),
    examinations: new Examinations(database),
    auditReports: new AuditReports(database),
    decisionTrails: new DecisionTrails(database, keys),
    auditDownloads: new AuditDownloads(database, keys, new AuditExports(database, checkpoints), (denial) =>
      denials.record([denial]),
    ),
    auditScrub,
  };
};
