import '../deferred';
import { parseVerifierKey } from '../audit/note';
import { type Config, loadAuditConfig, loadConfig } from '../config/load';
import { durabilityFaults } from '../db/durability';
import { sql } from '../db/sql';
import { Column, select } from '../db/table';
import type { DocumentExaminer } from '../features/operations/examine';
import { operationsInForce } from '../features/operations/operations.rows';
import { spentSenders } from '../features/rules/senders-holds';
import { unprotectedLinkFields } from '../features/sources/link-fields';
import { sourceStates } from '../features/sources/source.entity';
import { sweepProgress } from '../features/sources/sweep';
import { AnchorForgot, AnchorUnavailable } from '../ledger/anchor';
import { FileAnchor } from '../ledger/anchor.file';
import { askWitness, expectAllKept, expectAnchored } from '../ledger/anchored';
import { Checkpoints, truncated } from '../ledger/checkpoints';
import { type DatabaseRole, grantFaults, grantStatements } from '../ledger/grants';
import { treeSize } from '../ledger/integration';
import { LogBroken } from '../ledger/log-broken';
import { Mark, type Marked } from '../ledger/mark';
import { expectMarked, unmarked } from '../ledger/mark-check';
import { MarkUnavailable } from '../ledger/mark-unavailable';
import { hasOrigin } from '../ledger/origins';
import { type ConfiguredKeys, configuredKeys } from '../ledger/outside-keys';
import { scrub } from '../ledger/scrub';
import { anchorOf } from '../ledger/signing-log';
import { checkTail } from '../ledger/tail-check';
import { RtHelpdesk } from '../upstream/helpdesk/rt/rt.connector';
import { leaveBy } from '../upstream/outgoing';
import { StripePayments } from '../upstream/payments/stripe/stripe.connector';
import { SourceUnavailable } from '../upstream/source-unavailable';
import { openAuditDatabase, readAuditDatabase } from './audit-database';
import { ownerOf, runBeside } from './command-client';
import { keysOf } from './key-argument';
import { printable } from './operations-manifest';
import { ProgressLine } from './progress-line';
import { CommandFailed, describeFailure } from './report';
import { rowsWithoutEvent } from './rows-without-event';
import { sideRowsOf } from './side-rows';

export interface DoctorFlags {
  readonly printGrants?: boolean;
  readonly user: string;
  readonly sequencer?: string;
  readonly key?: readonly string[];
  readonly sources: boolean;
  readonly record?: boolean;
  readonly json?: boolean;
}

interface Finding {
  readonly about: 'log' | 'grants' | 'server' | 'sources' | 'operations';
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
    const beside = await sideRowsOf(database);
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
    const about = await rowsWithoutEvent(database);
    findings.push(...about.findings.map((message): Finding => ({ about: 'log', message })));
    if (found.found > found.findings.length)
      findings.push({ about: 'log', message: `and ${found.found - found.findings.length} more places` });
    said.push(
      `log: ${found.leaves} leaves, ${found.checkpoints} checkpoints, ${found.anchored} of them anchored${
        config.audit.anchors.length === 0 ? ' (UNANCHORED: no place outside its owner’s reach is configured)' : ''
      }; ${found.found === 0 ? 'all of it is what was signed' : `${found.found} places differ`}`,
      ...beside.said(found),
      ...about.said,
    );
    return { findings, said };
  } finally {
    await database.close();
  }
};

/** How many leaves the latest checkpoint covers as of now. */
const latestNow = async (config: Config): Promise<number | null> => {
  const database = await readAuditDatabase(config);
  try {
    return (await new Checkpoints(database, config.audit.origin).latest())?.size ?? null;
  } finally {
    await database.close();
  }
};

/** Whether the log goes on from what was signed, marked and anchored, as a start looks. */
const startFindings = async ({ outside, areNone }: ConfiguredKeys): Promise<{ findings: Finding[]; said: string[] }> => {
  // What follows from that is in the look through the log.
  if (areNone) return { findings: [], said: [] };
  const config = loadConfig();
  leaveBy(config.outgoing);
  const { origin, anchors, mark: place } = config.audit;
  const findings: Finding[] = [];
  const said: string[] = [];
  const outOfReach = (error: unknown) => said.push(`anchors: ${(error as Error).message}`);
  const looked = async (look: () => Promise<unknown>): Promise<void> => {
    try {
      await look();
    } catch (error) {
      if (error instanceof AnchorUnavailable) outOfReach(error);
      else if (error instanceof LogBroken || error instanceof AnchorForgot || error instanceof MarkUnavailable)
        findings.push({ about: 'log', message: `a gateway refuses to start: ${describeFailure(error)}` });
      else throw error;
    }
  };
  const mark = place ? new Mark(place) : null;
  let marked: Marked | null = null;
  // Before the database is read: a signer goes on meanwhile.
  await looked(async () => {
    marked = (await mark?.read()) ?? null;
  });
  const files = anchors.flatMap((anchor) => (anchor.kind === 'file' ? new FileAnchor(anchor.name, anchor.path) : []));
  const before = new Map(files.map((file) => [file, file.latest(origin)]));
  await Promise.allSettled(before.values());
  const database = await readAuditDatabase(config);
  try {
    const checkpoints = new Checkpoints(database, origin);
    let having: readonly string[] = [];
    await looked(() => hasOrigin(database, origin));
    await looked(() => checkTail(database, checkpoints, outside(origin)));
    await looked(async () => {
      having = await expectAnchored(database, checkpoints, files, {
        outside,
        onFault: outOfReach,
        latestIn: (file) => before.get(file) ?? file.latest(origin),
      });
      for (const file of files) await looked(() => expectAllKept(database, file, origin));
    });
    for (const anchor of anchors) {
      if (anchor.kind !== 'witness') continue;
      await looked(async () => {
        const known = await askWitness(database, checkpoints, anchorOf(anchor));
        // Whoever signs may have brought it more since the database was opened.
        const latest = known === null ? null : await latestNow(config);
        if (known !== null && known > (latest ?? 0)) throw truncated(known, latest ?? 0);
      });
    }
    await looked(async () => {
      if (place && marked) await expectMarked(database, checkpoints, place, { marked, outside });
      const leaves = await treeSize(database);
      if (place && !place.isDefault && !marked && leaves > 0 && having.length === 0) throw unmarked(leaves, place.file);
    });
    return { findings, said };
  } finally {
    await database.close();
  }
};

const sourceFaults = select(sourceStates.pick('name', 'fault', 'faultAt'), sql`FROM ${sourceStates}`);

/** What the gateway met at its sources and hasn't got over since. */
const storedFaults = async (config: Config): Promise<{ findings: Finding[]; said: string[] }> => {
  const names = [...config.sources.helpdesk, ...config.sources.payments].map(({ name }) => name);
  const database = await readAuditDatabase(config);
  try {
    const rows = await database.read(sourceFaults, sql`WHERE ${sourceStates.fault} IS NOT NULL ORDER BY ${sourceStates.name}`);
    const standing = rows
      .filter(({ name }) => names.includes(name))
      .map(({ name, fault, faultAt }) => ({
        fault,
        text: `${name}: ${fault}, as of ${faultAt?.toISOString() ?? 'some time ago'}`,
      }));
    const texts: Finding[] = [];
    const compared: string[] = [];
    for (const { name } of config.sources.helpdesk) {
      const { oldest, late } = await sweepProgress(database, name, Date.now());
      const since = oldest?.getTime() ? `since ${oldest.toISOString()}` : 'since they were stored';
      if (late > 0)
        texts.push({
          about: 'sources',
          message: `${name}: the text of ${late} tickets was not held against the helpdesk for more than a day, ${since}`,
        });
      else if (oldest) compared.push(`sources: ${name}: the text of every ticket was held against the helpdesk ${since}`);
    }
    const spent = [...(await spentSenders(database, new Date()))].map(
      ([name, count]): Finding => ({
        about: 'sources',
        message: `${name}: by what it tells, as many holds were placed within a day as may be (holdsADay), and ${count} proposed instead: look at who tells, and whether its secret is still its own`,
      }),
    );
    const isRefusal = ({ fault }: { readonly fault: string | null }) => fault === 'unauthorized';
    return {
      findings: [
        ...standing.filter(isRefusal).map(
          ({ text }): Finding => ({
            about: 'sources',
            message: `${text}: the account isn't let in, or it is another account or mode than what is stored was read with; nothing counts as gone meanwhile`,
          }),
        ),
        ...texts,
        ...spent,
      ],
      said: [...standing.filter((each) => !isRefusal(each)).map(({ text }) => `sources: ${text}`), ...compared],
    };
  } finally {
    await database.close();
  }
};

const listFaults = { missing: 'there is none of that name', type: 'it holds other things' } as const;

/** Lists of a provider into which a hold can put nothing: a merchant may believe that future payments wait. */
const listFindings = async (config: Config): Promise<{ findings: Finding[]; said: string[] }> => {
  const findings: Finding[] = [];
  const said: string[] = [];
  for (const source of config.sources.payments) {
    if (source.kind !== 'stripe' || source.radarLists === undefined) continue;
    const { name } = source;
    try {
      const unusable = await new StripePayments({ ...source, source: name }).holds.unusableLists();
      for (const { alias, why } of unusable)
        findings.push({
          about: 'sources',
          message: `${name}: nothing can be put into the list ${alias} (${listFaults[why]}), so holds don’t reach future payments by it`,
        });
      if (unusable.length === 0) said.push(`sources: ${name}: the lists for holds are there`);
    } catch (error) {
      if (!(error instanceof SourceUnavailable)) throw error;
      const isRefused = error.why === 'unauthorized';
      const text = `${name}: the lists for holds can’t be read (${error.why})`;
      if (isRefused) findings.push({ about: 'sources', message: `${text}: the key needs write permission for Radar’s lists` });
      else said.push(`sources: ${text}`);
    }
  }
  return { findings, said };
};

/** Whether agents could write the links between customers, and what the gateway met at its sources. */
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
  const [lists, faults] = [await listFindings(config), await storedFaults(config)];
  return {
    findings: [...findings, ...lists.findings, ...faults.findings],
    said: [`sources: ${said}`, ...lists.said, ...faults.said],
  };
};

const operationSlice = () =>
  require('../features/operations/operations.slice') as typeof import('../features/operations/operations.slice');

/** Whether what clients ask for by hash fits the graph as it is now. */
const operationFindings = async (): Promise<{ findings: Finding[]; said: string[] }> => {
  const config = loadConfig();
  const database = await readAuditDatabase(config);
  try {
    const findings: Finding[] = [];
    let count = 0;
    // The graph is made for those who have any.
    let examiner: DocumentExaminer | undefined;
    for await (const { id, text } of operationsInForce(database)) {
      count += 1;
      examiner ??= operationSlice().createExaminer(config);
      const unfit = await examiner.unfit(text);
      if (typeof unfit === 'string')
        findings.push({
          about: 'operations',
          message: `${id} doesn’t fit this graph or its bounds any more: ${printable(unfit)}. Whoever asks for it is refused; register it anew, or retire it.`,
        });
    }
    const fit = `${count} registered, ${findings.length === 0 ? 'all of them fit the graph' : `${findings.length} don’t fit the graph`}`;
    return { findings, said: count === 0 ? [] : [`operations: ${fit}`] };
  } finally {
    await database.close();
  }
};

const examinations = () =>
  require('../features/audit/examinations.service') as typeof import('../features/audit/examinations.service');
const storages = () => require('./own-storage') as typeof import('./own-storage');

/** How much was found, by area, put into the log: by the gateway that owns the embedded database, otherwise by itself. What was found stays here. */
const putOnRecord = async (findings: readonly Finding[], areSourcesAsked: boolean): Promise<void> => {
  const count = (area: Finding['about']): number => findings.filter(({ about }) => about === area).length;
  const counted = { log: count('log'), grants: count('grants'), server: count('server'), operations: count('operations') };
  const found = { ...counted, sources: areSourcesAsked ? count('sources') : null };
  const config = loadConfig();
  const owner = ownerOf(config.database);
  if (owner)
    await runBeside(owner, { command: 'doctor', found, isTerminal: false }, { write: async () => {}, progress: process.stderr });
  else
    await storages().withOwnStorage(config, ({ database }) =>
      new (examinations().Examinations)(database).record({ id: 'system:command-line', kind: 'system', roles: [] }, found),
    );
};

/** `counterfoil doctor`. */
export const examine = async (flags: DoctorFlags): Promise<void> => {
  if (flags.printGrants) return printGrants(flags);
  const given = (flags.key ?? []).flatMap((argument) => keysOf(argument, '--key', parseVerifierKey));
  const keys = configuredKeys(loadConfig().audit, given);
  const parts = [
    await logFindings(flags, keys),
    await startFindings(keys),
    await operationFindings(),
    ...(flags.sources ? [await sourceFindings()] : []),
  ];
  const findings = parts.flatMap((part) => part.findings);
  if (findings.length > 0) process.exitCode = 1;
  if (flags.json) process.stdout.write(`${JSON.stringify({ ok: findings.length === 0, findings })}\n`);
  else {
    for (const line of parts.flatMap(({ said }) => said)) process.stdout.write(`${line}\n`);
    for (const { about, message } of findings) process.stdout.write(`! ${about}: ${message}\n`);
  }
  if (flags.record) await putOnRecord(findings, flags.sources);
};
