import pino from 'pino';
import { App } from '../app';
import { loadAuditConfig, loadConfig } from '../config/load';
import { signersOf } from '../features/audit/checkpoints';
import { type DatabaseRole, grantFaults, grantStatements } from '../features/audit/grants';
import { treeSize } from '../features/audit/integration';
import { LogBroken } from '../features/audit/log-broken';
import { scrub } from '../features/audit/scrub';
import { signingKeyText } from '../features/audit/signing-key-file';
import { createLog } from '../log';
import { openAuditDatabase } from './audit-log';
import { ProgressLine } from './progress-line';
import { CommandFailed } from './report';

export interface DoctorFlags {
  readonly printGrants?: boolean;
  readonly user: string;
  readonly sequencer?: string;
  readonly sources: boolean;
  readonly json?: boolean;
}

interface Finding {
  readonly about: 'log' | 'grants' | 'sources';
  readonly message: string;
}

const printGrants = async ({ user, sequencer }: DoctorFlags): Promise<void> => {
  const config = loadAuditConfig({ signs: false });
  const database = await openAuditDatabase(config);
  try {
    if (database.engine !== 'mariadb')
      throw new CommandFailed('An embedded database has no users: its file belongs to one process.');
    const [schema] = await database.query<{ name: string }>('SELECT DATABASE() AS name');
    const users = [
      { account: user, role: (sequencer === undefined ? 'sequencing gateway' : 'gateway') as DatabaseRole },
      ...(sequencer === undefined ? [] : [{ account: sequencer, role: 'sequencer' as DatabaseRole }]),
    ];
    process.stdout.write(`${grantStatements(schema?.name ?? '', database.tables(), users).join('\n')}\n`);
  } finally {
    await database.close();
  }
};

const logFindings = async (flags: DoctorFlags): Promise<{ findings: Finding[]; said: string[] }> => {
  const signs = loadConfig().audit.signingKey !== null;
  const config = loadAuditConfig({ signs });
  const database = await openAuditDatabase(config);
  try {
    const findings: Finding[] = [];
    const said: string[] = [];
    if (database.engine === 'mariadb') {
      const faults = await grantFaults(database, signs ? 'sequencing gateway' : 'gateway');
      findings.push(...faults.map((message): Finding => ({ about: 'grants', message })));
      said.push(
        faults.length === 0 ? 'grants: the user may add to the log and not change it' : `grants: ${faults.length} differ`,
      );
    }
    const { signingKey } = config.audit;
    const text = signingKey === null ? null : signingKeyText(signingKey);
    const progress = new ProgressLine(process.stderr, 'leaves', await treeSize(database.query.bind(database)));
    const found = await scrub(
      database,
      (origin) => (text === null ? [] : signersOf(origin, text)),
      (count) => flags.json || progress.add(count),
    );
    if (!flags.json) progress.finish();
    findings.push(
      ...found.findings.map(
        ({ leaf, message }): Finding => ({ about: 'log', message: leaf === null ? message : `leaf ${leaf}: ${message}` }),
      ),
    );
    if (found.found > found.findings.length)
      findings.push({ about: 'log', message: `and ${found.found - found.findings.length} more places` });
    said.push(
      `log: ${found.leaves} leaves, ${found.checkpoints} checkpoints, ${found.anchored} of them anchored${
        config.audit.anchors.length === 0 ? ' (UNANCHORED: no place outside its owner’s reach is configured)' : ''
      }; ${found.found === 0 ? 'all of it is what was signed' : `${found.found} places differ`}`,
    );
    return { findings, said };
  } finally {
    await database.close();
  }
};

/** Whether the log is what the anchors have, and whether agents could write the links between customers. */
const sourceFindings = async (): Promise<{ findings: Finding[]; said: string[] }> => {
  const config = loadConfig();
  const app = await App.open({
    config,
    log: createLog('silent', pino.destination(2)),
  }).catch((error: unknown) => {
    if (error instanceof LogBroken) return error;
    throw error;
  });
  if (app instanceof LogBroken)
    return { findings: [{ about: 'log', message: `a gateway refuses to start: ${app.message}` }], said: [] };
  try {
    const fields = await app.sources.unprotectedLinkFields();
    return {
      findings: fields.map(
        ({ source, why }): Finding => ({
          about: 'sources',
          message: `${source}: the link field is not protected from agents (${why}), so it links nobody`,
        }),
      ),
      said: [
        fields.length === 0 ? 'sources: no link field that agents could write' : `sources: ${fields.length} link fields differ`,
      ],
    };
  } finally {
    await app.close();
  }
};

/** `counterfoil doctor`. */
export const examine = async (flags: DoctorFlags): Promise<void> => {
  if (flags.printGrants) return printGrants(flags);
  const parts = [await logFindings(flags), ...(flags.sources ? [await sourceFindings()] : [])];
  const findings = parts.flatMap((part) => part.findings);
  if (findings.length > 0) process.exitCode = 1;
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ ok: findings.length === 0, findings })}\n`);
    return;
  }
  for (const line of parts.flatMap(({ said }) => said)) process.stdout.write(`${line}\n`);
  for (const { about, message } of findings) process.stdout.write(`! ${about}: ${message}\n`);
};
