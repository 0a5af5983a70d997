import { closeSync, openSync, readSync } from 'node:fs';
import { parseWitnessKey } from '../audit/cosignature';
import { manifestOf } from '../audit/export-format';
import type { ReadBytes } from '../audit/lines';
import { distinctKeys, parseVerifierKey, type VerifierKey } from '../audit/note';
import { type Finding, type Verdict, verifyExport } from '../audit/verify';
import { fileText, keysOf } from './key-argument';
import { CommandFailed } from './report';

export interface VerifyFlags {
  readonly key: readonly string[];
  readonly witness: readonly string[];
  readonly since?: string;
  readonly strict?: boolean;
  readonly json?: boolean;
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const count = new Intl.NumberFormat('en');
const counted = (number: number, one: string, many: string): string => `${count.format(number)} ${number === 1 ? one : many}`;

/** Text of a file that somebody else wrote, fit for a terminal: nothing in it moves the cursor or hides what follows. */
const shown = (text: string): string => text.replaceAll(/\p{C}|[\u2028\u2029]/gu, '\ufffd').slice(0, 300);

const where = ({ line, leaf }: Finding, file: string): string =>
  [line === null ? null : `${file}:${line}`, leaf === null ? null : `leaf ${leaf}`].filter((part) => part !== null).join(', ');

const describe = (finding: Finding, files: { readonly export: string; readonly csv: string | undefined }): string => {
  const place = where(finding, finding.kind === 'ROW' && files.csv !== undefined ? files.csv : files.export);
  return `${place === '' ? '' : `${place}: `}${shown(finding.what)}.\n  ${shown(finding.means)}`;
};

/** What is shown, and what isn't: as much a part of the verdict as that nothing is wrong. */
const statements = (verdict: Verdict): readonly string[] => {
  const { header, checkpoint, since, anchors, withheld, timeLeaves, oneSided, forks } = verdict;
  if (header === null || checkpoint === null) return [];
  const { from, to, filter } = header;
  const tree = `CHECKPOINT ${checkpoint.size} ${checkpoint.root.toString('base64')}`;
  const latest = anchors.reduce<(typeof anchors)[number] | undefined>(
    (best, each) => (best === undefined || each.size > best.size ? each : best),
    undefined,
  );
  const witnessed = anchors.flatMap(({ size, cosignature }) => (cosignature === null ? [] : [{ size, cosignature }]));
  return [
    `log ${shown(checkpoint.origin)}`,
    from === 0 && to === checkpoint.size
      ? `complete to ${tree}`
      : `complete from leaf ${from} to before leaf ${to}, under ${tree}`,
    `${counted(verdict.leaves, 'leaf', 'leaves')}, ${count.format(withheld)} withheld${filter === null ? '' : `; selected, as the export says: ${shown(filter)}`}`,
    ...witnessed.map(
      ({ size, cosignature }) =>
        `${shown(cosignature.witness)} saw its first ${counted(size, 'leaf', 'leaves')} on ${cosignature.at.toISOString()}, and that they continue all that it saw before`,
    ),
    since === null
      ? `freshness isn’t shown${witnessed.length > 0 ? ' beyond that' : ''}: whether this is the log that others were shown, and all of it, takes a checkpoint that was kept outside its owner’s reach (--since)`
      : `continues the checkpoint you kept, of ${counted(since.size, 'leaf', 'leaves')} (${since.shownBy === 'leaves' ? 'from the leaves themselves' : 'by its proof'})`,
    ...(latest === undefined || verdict.unanchored
      ? [
          'UNANCHORED: no place outside its owner’s reach is named that holds a checkpoint of this log; its owner could have signed another one',
        ]
      : [
          `anchored, as the export says, at ${shown(latest.anchor)}: ${counted(latest.size, 'leaf', 'leaves')} on ${latest.anchoredAt.toISOString()}; get that checkpoint there and give it as --since`,
        ]),
    ...(timeLeaves === 0
      ? ['times aren’t bounded: no time leaf was exported']
      : [
          `${counted(timeLeaves, 'time leaf', 'time leaves')}; ${counted(oneSided, 'event has', 'events have')} one on one side only`,
        ]),
    ...forks.map((leaf) => `leaf ${leaf} says that the log went on under a new name after a restore, and what is missing`),
  ];
};

const asJson = (verdict: Verdict) => ({
  ...verdict,
  freshness: verdict.since !== null || verdict.anchors.some(({ cosignature }) => cosignature !== null) ? 'shown' : 'not shown',
  checkpoint: verdict.checkpoint && { ...verdict.checkpoint, root: verdict.checkpoint.root.toString('base64') },
});

/** Reads a file piece by piece while `work` asks for it. */
const reading = <T>(files: readonly string[], work: (...readers: ReadBytes[]) => T): T => {
  const descriptors: number[] = [];
  try {
    for (const file of files) {
      try {
        descriptors.push(openSync(file, 'r'));
      } catch {
        throw new CommandFailed(`${file} can't be read.`);
      }
    }
    return work(
      ...descriptors.map(
        (descriptor): ReadBytes =>
          (into) =>
            readSync(descriptor, into),
      ),
    );
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
  }
};

/** The keys that this place's configuration names, where none is given. Throws `CommandFailed` where there is none. */
const configuredHere = (): { readonly keys: readonly VerifierKey[]; readonly developmentFile: string | null } => {
  const { loadAuditConfig } = require('../config/load') as typeof import('../config/load');
  const { configuredKeys } = require('../ledger/outside-keys') as typeof import('../ledger/outside-keys');
  const { audit } = loadAuditConfig({ signs: false });
  const { outside, areNone, developmentFile } = configuredKeys(audit);
  if (areNone)
    throw new CommandFailed(
      'No public key of the log is known here. Give the one that its owner published with --key; an export says nothing about who signed it.',
    );
  return { keys: outside(audit.origin), developmentFile };
};

/** `counterfoil audit verify`: needs neither the gateway nor its database nor a network. */
export const verify = (file: string, { key, witness, since, strict, json }: VerifyFlags): void => {
  const { keys, developmentFile } =
    key.length > 0
      ? { keys: distinctKeys(key.flatMap((argument) => keysOf(argument, '--key', parseVerifierKey))), developmentFile: null }
      : configuredHere();
  const witnesses = witness.flatMap((argument) => keysOf(argument, '--witness', parseWitnessKey));
  const csv = file.toLowerCase().endsWith('.csv') ? file : undefined;
  const manifest = csv === undefined ? file : manifestOf(csv);
  const kept = since === undefined ? undefined : fileText(since, 'checkpoint');
  const verdict = reading(csv === undefined ? [manifest] : [manifest, csv], (read, rows) =>
    verifyExport(read as ReadBytes, { keys, witnesses, since: kept, strict, csv: rows }),
  );
  if (json) print(JSON.stringify(asJson(verdict)));
  else for (const statement of statements(verdict)) print(statement);
  if (developmentFile !== null && !json)
    print(`believed by the key in ${developmentFile}, which lies beside the log: good for development only`);
  if (verdict.ok) return;
  const files = { export: manifest, csv };
  const flags = verdict.flags.map((flag) => describe(flag, files));
  const more = verdict.flagged - verdict.flags.length;
  throw new CommandFailed(
    [
      ...(verdict.problem ? [`NOT VERIFIED. ${describe(verdict.problem, files)}`] : []),
      ...(verdict.flagged > 0
        ? [`${counted(verdict.flagged, 'leaf doesn’t', 'leaves don’t')} fit, although they are in the tree:`, ...flags]
        : []),
      ...(more > 0 ? [`… and ${count.format(more)} more.`] : []),
    ].join('\n'),
  );
};
