import pino from 'pino';
import { formatVerifierKey, verifierKeyOf } from '../audit/note';
import { loadAuditConfig } from '../config/load';
import { Checkpoints, signersOf } from '../ledger/checkpoints';
import { openSigningLog } from '../ledger/open-signing-log';
import { signingKeyText } from '../ledger/signing-key-file';
import { createLog } from '../log';
import { openAuditDatabase, readAuditDatabase } from './audit-database';
import { CommandFailed } from './report';

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** `counterfoil audit sequence`. */
export const sequence = async (): Promise<void> => {
  const config = loadAuditConfig({ signs: true });
  const log = createLog(config.logLevel, pino.destination(2));
  const database = await openAuditDatabase(config);
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
  const signers = signersOf(origin, signingKeyText(signingKey));
  let keys = signers.map(verifierKeyOf);
  if (all) {
    const database = await readAuditDatabase(config);
    try {
      keys = [...(await new Checkpoints(database, origin).verifierKeys(signers))];
    } finally {
      await database.close();
    }
  }
  const texts = keys.map(formatVerifierKey);
  if (json) print(JSON.stringify({ origin, keys: texts }));
  else for (const text of texts) print(text);
};
