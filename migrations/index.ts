import { Initial1764000000000 } from './1764000000000-initial';
import { AuditTree1764200000000 } from './1764200000000-audit-tree';

/** In the order in which they run, on every engine. */
export const migrations = [Initial1764000000000, AuditTree1764200000000];
