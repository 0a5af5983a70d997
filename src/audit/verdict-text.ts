import type { Finding, Verdict } from './verify';

/** A verdict in words: one text for whoever verifies, wherever they do. */

const count = new Intl.NumberFormat('en');
const counted = (number: number, one: string, many: string): string => `${count.format(number)} ${number === 1 ? one : many}`;

/** Text of a file that somebody else wrote, fit for a terminal: nothing in it moves the cursor or hides what follows. */
export const shown = (text: string): string => text.replaceAll(/\p{C}|[\u2028\u2029]/gu, '\ufffd').slice(0, 300);

const where = ({ line, leaf }: Finding, file: string): string =>
  [line === null ? null : `${file}:${line}`, leaf === null ? null : `leaf ${leaf}`].filter((part) => part !== null).join(', ');

export interface VerifiedFiles {
  readonly export: string;
  /** Undefined where the export alone was verified. */
  readonly csv: string | undefined;
}

const describe = (finding: Finding, files: VerifiedFiles): string => {
  const place = where(finding, finding.kind === 'ROW' && files.csv !== undefined ? files.csv : files.export);
  return `${place === '' ? '' : `${place}: `}${shown(finding.what)}.\n  ${shown(finding.means)}`;
};

/** What is shown, and what isn't: as much a part of the verdict as that nothing is wrong. `givenAs`: where a kept checkpoint is given. */
export const statementsOf = (verdict: Verdict, givenAs = '--since'): readonly string[] => {
  const { header, checkpoint, since, anchors, withheld, timeLeaves, oneSided, forks, forked } = verdict;
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
      ? `freshness isn’t shown${witnessed.length > 0 ? ' beyond that' : ''}: whether this is the log that others were shown, and all of it, takes a checkpoint that was kept outside its owner’s reach (${givenAs})`
      : `continues the checkpoint you kept, of ${counted(since.size, 'leaf', 'leaves')} (${since.shownBy === 'leaves' ? 'from the leaves themselves' : 'by its proof'})`,
    ...(latest === undefined || verdict.unanchored
      ? [
          'UNANCHORED: no place outside its owner’s reach is named that holds a checkpoint of this log; its owner could have signed another one',
        ]
      : [
          `anchored, as the export says, at ${shown(latest.anchor)}: ${counted(latest.size, 'leaf', 'leaves')} on ${latest.anchoredAt.toISOString()}; get that checkpoint there and give it as ${givenAs}`,
        ]),
    ...(timeLeaves === 0
      ? ['times aren’t bounded: no time leaf was exported']
      : [
          `${counted(timeLeaves, 'time leaf', 'time leaves')}; ${counted(oneSided, 'event has', 'events have')} one on one side only`,
        ]),
    ...forks.map((leaf) => `leaf ${leaf} says that the log went on under a new name after a restore, and what is missing`),
    ...(forked > forks.length ? [`… and ${counted(forked - forks.length, 'more leaf says so', 'more leaves say so')}`] : []),
  ];
};

export const verdictAsJson = (verdict: Verdict) => ({
  ...verdict,
  freshness: verdict.since !== null || verdict.anchors.some(({ cosignature }) => cosignature !== null) ? 'shown' : 'not shown',
  checkpoint: verdict.checkpoint && { ...verdict.checkpoint, root: verdict.checkpoint.root.toString('base64') },
});

/** Escaped as JSON has it: what a terminal or a page would obey, or hide. */
const escaped = (text: string): string =>
  Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');

/** The verdict as JSON, in ASCII where others' texts have characters that aren't shown. `indent`: spaces of each level, on lines of their own. */
export const jsonOf = (verdict: ReturnType<typeof verdictAsJson>, indent = 0): string =>
  // Line breaks are those of the indentation: in texts they are escaped already.
  JSON.stringify(verdict, null, indent).replaceAll(/[^\P{C}\n]|[\u2028\u2029]/gu, escaped);

/** What is wrong, in words; nothing where nothing is. */
export const complaintsOf = (verdict: Verdict, files: VerifiedFiles): readonly string[] => {
  const more = verdict.flagged - verdict.flags.length;
  return [
    ...(verdict.problem ? [`NOT VERIFIED. ${describe(verdict.problem, files)}`] : []),
    ...(verdict.flagged > 0
      ? [
          `${counted(verdict.flagged, 'leaf doesn’t', 'leaves don’t')} fit, although they are in the tree:`,
          ...verdict.flags.map((flag) => describe(flag, files)),
        ]
      : []),
    ...(more > 0 ? [`… and ${count.format(more)} more.`] : []),
  ];
};
