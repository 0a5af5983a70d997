import type { Logger } from 'pino';
import type { Database } from '../db/database';
import { describeError } from '../log';
import { AnchorForgot, AnchorUnavailable } from './anchor';
import type { AuditSettings } from './audit-settings';
import { Checkpoints, type SignedCheckpoint } from './checkpoints';
import { LogBroken } from './log-broken';
import { MarkUnavailable } from './mark-unavailable';
import { configuredKeys } from './outside-keys';
import { EventKeptApart } from './queue-guard';
import { SigningLog } from './signing-log';
import { TailWatch } from './tail-watch';

const faultOf = (log: Logger) => (error: unknown) => {
  if (error instanceof LogBroken)
    log.fatal(
      { finding: error.finding, why: error.message, remedy: error.remedy },
      'the stored audit log is not what was signed, so nothing more is',
    );
  else if (error instanceof AnchorForgot)
    log.error(
      { anchor: error.anchor, finding: error.code, why: error.message, remedy: error.remedy },
      'an anchor has less than it took; nothing is written to it until it has that again',
    );
  else if (error instanceof EventKeptApart)
    log.error(
      { event: error.eventId, finding: error.code, why: error.message, remedy: error.remedy },
      'somebody else than a gateway put an event into the queue of the audit log; it is not signed',
    );
  else if (error instanceof MarkUnavailable)
    log.error(
      { finding: error.code, why: error.message, remedy: error.remedy },
      'what is signed can’t be marked; it is tried again',
    );
  else if (error instanceof AnchorUnavailable)
    log.warn({ anchor: error.anchor, why: error.why }, 'an anchor took no checkpoint; it is tried again');
  else log.error({ error: describeError(error) }, 'the audit log could not be sequenced; it is tried again');
};

/**
 * What looks after the log where another process signs it, once what is stored was found to be what was signed; null where this
 * process signs, and, which the log says, where no public key is known. Throws `LogBroken`.
 */
export const openLogWatch = async (audit: AuditSettings, database: Database, log: Logger): Promise<TailWatch | null> => {
  if (audit.signingKey !== null) return null;
  const { outside, areNone } = configuredKeys(audit);
  if (areNone) {
    log.warn('no public key of the audit log is configured (audit.keys): whether it is what was signed is not looked at here');
    return null;
  }
  const watch = new TailWatch(database, new Checkpoints(database, audit.origin), {
    keys: outside(audit.origin),
    reads: true,
    onFault: faultOf(log),
  });
  await watch.turn();
  return watch;
};

/** The log as its signer has it, once what is stored was found to be what was signed before; null where another process signs. Throws `LogBroken`. */
export const openSigningLog = async (
  audit: AuditSettings,
  database: Database,
  clock: () => Date,
  log: Logger,
  onCheckpoint?: (checkpoint: SignedCheckpoint) => void,
): Promise<SigningLog | null> => {
  if (audit.signingKey === null) return null;
  return SigningLog.open(database, {
    ...audit,
    keys: configuredKeys(audit).outside(audit.origin),
    signingKey: audit.signingKey,
    clock,
    onFault: faultOf(log),
    onClockBack: (milliseconds) =>
      log.warn(
        { seconds: Math.round(milliseconds / 1_000) },
        'the clock went back: the audit log says what time it is from here on',
      ),
    ...(onCheckpoint ? { onCheckpoint } : {}),
  });
};
