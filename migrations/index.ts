import { Initial1764000000000 } from './1764000000000-initial';
import { CredentialUpdates1764100000000 } from './1764100000000-credential-updates';
import { AuditTree1764200000000 } from './1764200000000-audit-tree';
import { LinkingFaults1764300000000 } from './1764300000000-linking-faults';

/** In the order in which they run, on every engine. */
export const migrations = [
  Initial1764000000000,
  CredentialUpdates1764100000000,
  AuditTree1764200000000,
  LinkingFaults1764300000000,
];
