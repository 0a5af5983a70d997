import type { Logger } from 'pino';
import type { Database } from '../db/database';
import { describeError } from '../log';
import { AnchorUnavailable } from './anchor';
import type { AuditSection } from './audit.section';
import type { SignedCheckpoint } from './checkpoints';
import { LogBroken } from './log-broken';
import { SigningLog } from './signing-log';

export interface AuditSettings {
  readonly origin: string;
  readonly anchors: AuditSection['anchors'];
  /** What `parseSigningKeys` takes, or the file that is made with a key in development; null in a process that doesn't sign. */
  readonly signingKey: { readonly value: string } | { readonly file: string } | null;
}

/** The log as its signer has it, once what is stored was found to be what was signed before; null where another process signs. Throws `LogBroken`. */
export const openSigningLog = async (
  audit: AuditSettings,
  database: Database,
  clock: () => Date,
  log: Logger,
  onCheckpoint?: (checkpoint: SignedCheckpoint) => void,
): Promise<SigningLog | null> => {
  if (audit.signingKey === null) return null;
  const onFault = (error: unknown) => {
    if (error instanceof LogBroken)
      log.fatal(
        { finding: error.finding, why: error.message },
        'the stored audit log is not what was signed, so nothing more is',
      );
    else if (error instanceof AnchorUnavailable)
      log.warn({ anchor: error.anchor, why: error.why }, 'an anchor took no checkpoint; it is tried again');
    else log.error({ error: describeError(error) }, 'the audit log could not be sequenced; it is tried again');
  };
  return SigningLog.open(database, {
    ...audit,
    signingKey: audit.signingKey,
    clock,
    onFault,
    ...(onCheckpoint ? { onCheckpoint } : {}),
  });
};
