import '../deferred';
import pino from 'pino';
import { distinctKeys, formatVerifierKey, type VerifierKey, verifierKeyOf } from '../audit/note';
import { loadAuditConfig } from '../config/load';
import { usualDeadlines } from '../db/deadline';
import { signersOf } from '../ledger/checkpoints';
import { openSigningLog } from '../ledger/open-signing-log';
import { configuredKeys } from '../ledger/outside-keys';
import { signingKeyText } from '../ledger/signing-key-file';
import { trustedKeys } from '../ledger/trusted-keys';
import { createLog } from '../log';
import { openAuditDatabase, readAuditDatabase } from './audit-database';
import { CommandFailed } from './report';

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** `counterfoil audit sequence`. */
export const sequence = async (): Promise<void> => {
  const config = loadAuditConfig({ signs: true, marks: true });
  const log = createLog(config.logLevel, pino.destination(2));
  const database = await openAuditDatabase(config, usualDeadlines);
  const ended = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  try {
    const signing = await openSigningLog(
      config.audit,
      database,
      () => new Date(),
      log,
      (checkpoint) => log.debug({ size: checkpoint.size }, 'signed a checkpoint'),
    );
    signing?.start();
    log.info({ origin: config.audit.origin }, 'sequencing the audit log');
    // A timer that keeps the process alive: those of the sequencer alone don't.
    const alive = setInterval(() => {}, 60_000);
    await ended;
    clearInterval(alive);
    await signing?.stop();
  } finally {
    await database.close();
  }
};

export interface KeyFlags {
  readonly all?: boolean;
  readonly json?: boolean;
}

/** `counterfoil audit key`. */
export const printKey = async ({ all = false, json = false }: KeyFlags): Promise<void> => {
  const config = loadAuditConfig({ signs: true });
  const { origin, signingKey } = config.audit;
  if (signingKey === null) throw new CommandFailed('There is no signing key: AUDIT_SIGNING_KEY or AUDIT_SIGNING_KEY_FILE.');
  let keys: readonly VerifierKey[] = signersOf(origin, signingKeyText(signingKey)).map(verifierKeyOf);
  let untrusted = 0;
  if (all) {
    const database = await readAuditDatabase(config);
    try {
      const { outside, developmentFile } = configuredKeys(config.audit);
      if (developmentFile !== null)
        process.stderr.write(
          `Believed by the key in ${developmentFile}, which lies beside the log: good for development only.\n`,
        );
      const trusted = await trustedKeys(database, outside);
      keys = distinctKeys([...keys, ...trusted.keys.filter(({ name }) => name === origin)]);
      untrusted = trusted.untrusted;
    } finally {
      await database.close();
    }
  }
  const texts = keys.map(formatVerifierKey);
  if (json) print(JSON.stringify({ origin, keys: texts }));
  else for (const text of texts) print(text);
  if (untrusted > 0)
    throw new CommandFailed(
      `The stored log names ${untrusted} more as its keys, and no checkpoint by a trusted key covers that: they count for nothing. "counterfoil doctor" looks through the log.`,
    );
};
