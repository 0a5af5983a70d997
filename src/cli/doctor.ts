import { parseVerifierKey } from '../audit/note';
import { loadAuditConfig, loadConfig } from '../config/load';
import { durabilityFaults } from '../db/durability';
import { sql } from '../db/sql';
import { Column, select } from '../db/table';
import { unprotectedLinkFields } from '../features/sources/link-fields';
import { FileAnchor } from '../ledger/anchor.file';
import { expectAnchored } from '../ledger/anchors.service';
import { Checkpoints } from '../ledger/checkpoints';
import { type DatabaseRole, grantFaults, grantStatements } from '../ledger/grants';
import { treeSize } from '../ledger/integration';
import { LogBroken } from '../ledger/log-broken';
import { hasOrigin } from '../ledger/origins';
import { type ConfiguredKeys, configuredKeys } from '../ledger/outside-keys';
import { scrub } from '../ledger/scrub';
import { checkTail } from '../ledger/tail-check';
import { RtHelpdesk } from '../upstream/helpdesk/rt/rt.connector';
import { leaveBy } from '../upstream/outgoing';
import { openAuditDatabase, readAuditDatabase } from './audit-database';
import { keysOf } from './key-argument';
import { ProgressLine } from './progress-line';
import { CommandFailed } from './report';
import { sideRowsOf } from './side-rows';

export interface DoctorFlags {
  readonly printGrants?: boolean;
  readonly user: string;
  readonly sequencer?: string;
  readonly key?: readonly string[];
  readonly sources: boolean;
  readonly json?: boolean;
}

interface Finding {
  readonly about: 'log' | 'grants' | 'server' | 'sources';
  readonly message: string;
}

const schemaName = select({ name: new Column<string>(sql`DATABASE()`, null) }, sql``);

const printGrants = async ({ user, sequencer }: DoctorFlags): Promise<void> => {
  const config = loadAuditConfig({ signs: false });
  if (config.database.engine !== 'mariadb')
    throw new CommandFailed('An embedded database has no users: its file belongs to one process.');
  const database = await openAuditDatabase(config);
  try {
    const [schema] = await database.read(schemaName, sql``);
    const users = [
      { account: user, role: (sequencer === undefined ? 'sequencing gateway' : 'gateway') as DatabaseRole },
      ...(sequencer === undefined ? [] : [{ account: sequencer, role: 'sequencer' as DatabaseRole }]),
    ];
    process.stdout.write(`${grantStatements(schema?.name ?? '', database.tables(), users).join('\n')}\n`);
  } finally {
    await database.close();
  }
};

const logFindings = async (
  flags: DoctorFlags,
  { outside, developmentFile }: ConfiguredKeys,
): Promise<{ findings: Finding[]; said: string[] }> => {
  const signs = loadConfig().audit.signingKey !== null;
  const config = loadAuditConfig({ signs });
  const database = await readAuditDatabase(config);
  try {
    const findings: Finding[] = [];
    const said: string[] = [];
    if (config.database.engine === 'mariadb') {
      const faults = await grantFaults(database, signs ? 'sequencing gateway' : 'gateway');
      findings.push(...faults.map((message): Finding => ({ about: 'grants', message })));
      said.push(
        faults.length === 0 ? 'grants: the user may add to the log and not change it' : `grants: ${faults.length} differ`,
      );
    }
    if (config.database.engine === 'mariadb') {
      const faults = await durabilityFaults(database);
      findings.push(...faults.map((message): Finding => ({ about: 'server', message })));
      if (faults.length === 0) said.push('server: what it acknowledged is on its disk');
    }
    if (developmentFile !== null)
      said.push(`keys: the log is believed by ${developmentFile}, which lies beside it: good for development only`);
    const beside = sideRowsOf(database);
    findings.push(...beside.findings);
    const progress = new ProgressLine(process.stderr, 'leaves', await treeSize(database));
    const found = await scrub(database, outside, {
      ...beside.options,
      onLeaves: (count) => flags.json || progress.add(count),
    });
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
      ...beside.said(found),
    );
    return { findings, said };
  } finally {
    await database.close();
  }
};

/** Whether the log goes on from what was signed and anchored, as a start looks. */
const startFindings = async ({ outside, areNone }: ConfiguredKeys): Promise<Finding[]> => {
  // What follows from that is in the look through the log.
  if (areNone) return [];
  const config = loadConfig();
  const { origin, anchors } = config.audit;
  const database = await readAuditDatabase(config);
  try {
    const checkpoints = new Checkpoints(database, origin);
    await hasOrigin(database, origin);
    await checkTail(database, checkpoints, outside(origin));
    const files = anchors.flatMap((anchor) => (anchor.kind === 'file' ? new FileAnchor(anchor.name, anchor.path) : []));
    await expectAnchored(database, checkpoints, files, { outside, onFault: () => {} });
    return [];
  } catch (error) {
    if (!(error instanceof LogBroken)) throw error;
    return [{ about: 'log', message: `a gateway refuses to start (${error.finding}): ${error.message} ${error.remedy}` }];
  } finally {
    await database.close();
  }
};

/** Whether agents could write the links between customers. */
const sourceFindings = async (): Promise<{ findings: Finding[]; said: string[] }> => {
  const config = loadConfig();
  leaveBy(config.outgoing);
  const trackers = config.sources.helpdesk.filter((source) => source.kind === 'rt');
  const fields = await unprotectedLinkFields(
    trackers.map((source) => ({
      name: source.name,
      connector: new RtHelpdesk({ ...source, source: source.name, windowDays: config.sync.windowDays, clock: () => new Date() }),
    })),
  );
  const findings = fields.map(
    ({ source, why }): Finding => ({
      about: 'sources',
      message: `${source}: the link field is not protected from agents (${why}), so it links nobody`,
    }),
  );
  const said = fields.length === 0 ? 'no link field that agents could write' : `${fields.length} link fields differ`;
  return { findings, said: [`sources: ${said}`] };
};

/** `counterfoil doctor`. */
export const examine = async (flags: DoctorFlags): Promise<void> => {
  if (flags.printGrants) return printGrants(flags);
  const given = (flags.key ?? []).flatMap((argument) => keysOf(argument, '--key', parseVerifierKey));
  const keys = configuredKeys(loadConfig().audit, given);
  const parts = [
    await logFindings(flags, keys),
    { findings: await startFindings(keys), said: [] },
    ...(flags.sources ? [await sourceFindings()] : []),
  ];
  const findings = parts.flatMap((part) => part.findings);
  if (findings.length > 0) process.exitCode = 1;
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ ok: findings.length === 0, findings })}\n`);
    return;
  }
  for (const line of parts.flatMap(({ said }) => said)) process.stdout.write(`${line}\n`);
  for (const { about, message } of findings) process.stdout.write(`! ${about}: ${message}\n`);
};
