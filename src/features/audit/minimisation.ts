import { csvLine } from '../../audit/export-format';
import type { Leaf } from '../../audit/leaf';
import type { Reads } from '../../db/reads';
import { sql } from '../../db/sql';
import { select } from '../../db/table';
import { nextTurn } from '../../graphql/work';
import { chunks } from '../../lanes';
import { treeSize } from '../../ledger/integration';
import { expectPlan, placedPlans } from '../../ledger/placed-plans';
import { e, l, placedEvents } from './audit.rows';
import { fieldsOf, plansNamedBy } from './disclosed-fields';
import { type LeafSpan, leafInPlace, leavesOf, spanOf } from './leaf-span';

/** What became of a field for somebody: the report's columns. `omit` and `deny` under a disclosure are denied too. */
export type Treatment = 'revealed' | 'masked' | 'denied';

/** One line of the report. */
export interface MinimisationLine {
  /** Roles of whoever asked, sorted; several belong to one session. */
  readonly roles: string;
  /** `Type.field`, or the rule or action of a denial. */
  readonly field: string;
  /** Purposes of the assistances under which it was asked for, sorted; `-` where there was none. */
  readonly purpose: string;
  readonly revealed: number;
  readonly masked: number;
  readonly denied: number;
}

export interface MinimisationReport {
  readonly from: Date;
  readonly to: Date;
  /** Leaves that were read for this, `to` excluded: those that the span of time is. */
  readonly leaves: LeafSpan;
  readonly lines: readonly MinimisationLine[];
  /** Events of the log that the lines are made of. */
  readonly disclosures: number;
  readonly denials: number;
  /** Sums of the lines, which are sums over those events. */
  readonly totals: Readonly<Record<Treatment, number>>;
}

const idsAtOnce = 500;
const beginnings = select({ ...l.pick('leafIndex', 'leafHash'), leaf: e.leaf }, placedEvents);

/** Disclosures and denials of the span. */
const isCounted = ({ action, at }: Leaf, from: Date, to: Date): boolean => {
  const time = Date.parse(at);
  return (action === 'disclosure' || action === 'denial') && time >= from.getTime() && time < to.getTime();
};

const treatmentOf = (verdict: string): Treatment => {
  if (verdict === 'reveal') return 'revealed';
  return verdict.startsWith('mask:') ? 'masked' : 'denied';
};

const assistancesOf = ({ assistance, detail }: Leaf): readonly string[] => {
  const listed = Array.isArray(detail.assistances) ? detail.assistances.filter((id): id is string => typeof id === 'string') : [];
  return [...new Set([...(assistance === null ? [] : [assistance]), ...listed])];
};

/** Purposes of assistances by id, as the leaves of their beginning or request say. */
const purposesOf = async (database: Reads, ids: readonly string[]): Promise<ReadonlyMap<string, string>> => {
  const found = new Map<string, string>();
  for (const some of chunks(ids, idsAtOnce)) {
    const rows = await database.read(
      beginnings,
      sql`WHERE ${e.subjectType} = 'Assistance' AND ${e.subjectId} IN (${some}) AND ${e.action} IN ('assistance.begin', 'assistance.request')`,
    );
    for (const { leafIndex, leafHash, leaf } of rows) {
      const { subject, detail } = leafInPlace(leafIndex, leafHash, leaf);
      if (subject && typeof detail.purpose === 'string') found.set(subject.id, detail.purpose);
    }
  }
  return found;
};

/**
 * Per role, field and purpose what was revealed, masked and denied from `from` up to `to`, `to` excluded. Every number is a sum
 * over disclosures and denials of the log, so that whoever has its export gets the same. It goes by the leaves of that time, each
 * held against its hash, and not by rows beside them. Throws `LogBroken`, and `CONFLICT` where the rows that find the span were altered.
 */
export const minimisationReport = async (database: Reads, from: Date, to: Date): Promise<MinimisationReport> => {
  const lines = new Map<string, { -readonly [K in keyof MinimisationLine]: MinimisationLine[K] }>();
  const totals = { revealed: 0, masked: 0, denied: 0 };
  const add = (roles: string, field: string, purpose: string, treatment: Treatment, count: number): void => {
    const key = JSON.stringify([roles, field, purpose]);
    const line = lines.get(key) ?? { roles, field, purpose, revealed: 0, masked: 0, denied: 0 };
    line[treatment] += count;
    totals[treatment] += count;
    lines.set(key, line);
  };
  let [disclosures, denials] = [0, 0];
  const leaves = await spanOf(database, { from, before: to }, await treeSize(database));
  for await (const found of leavesOf(database, leaves)) {
    // Each is some milliseconds' work, and a span may have many.
    await nextTurn();
    const events = found.map(({ leaf }) => leaf).filter((leaf) => isCounted(leaf, from, to));
    const known = await purposesOf(database, [...new Set(events.flatMap(assistancesOf))]);
    const plans = await placedPlans(database, plansNamedBy(events));
    for (const event of events) {
      const roles = [...event.actor.roles].sort().join('+') || event.actor.kind;
      const purpose = [...new Set(assistancesOf(event).map((id) => known.get(id) ?? 'UNKNOWN'))].sort().join('+') || '-';
      if (event.action === 'denial') {
        denials += 1;
        add(roles, String(event.detail.rule ?? '-'), purpose, 'denied', Number(event.detail.count ?? 1));
      } else {
        disclosures += 1;
        // A disclosure in several parts repeats its fields in each: they are counted with the first.
        if (Number(event.detail.part ?? 1) > 1) continue;
        for (const { field, verdict, count } of fieldsOf(event, (digest) => expectPlan(plans, digest)) ?? [])
          add(roles, field, purpose, treatmentOf(verdict), count);
      }
    }
  }
  const order = (a: MinimisationLine, b: MinimisationLine) =>
    a.roles.localeCompare(b.roles, 'en') || a.field.localeCompare(b.field, 'en') || a.purpose.localeCompare(b.purpose, 'en');
  return { from, to, leaves, lines: [...lines.values()].sort(order), disclosures, denials, totals };
};

/** Where the report stands in the log, said at its head. */
export interface ReportGround {
  readonly origin: string;
  /** The latest checkpoint: size and root in base64; null before the first. */
  readonly checkpoint: { readonly size: number; readonly root: string; readonly unanchored: boolean } | null;
  readonly anchors: readonly { readonly anchor: string; readonly size: number }[];
}

const plain = (text: string): string =>
  text.replace(/[|\\`*_[\]<>&\r\n]/g, (character) => `\\${character === '\n' || character === '\r' ? ' ' : character}`);

export const markdownOf = (report: MinimisationReport, { origin, checkpoint, anchors }: ReportGround): string => {
  const { from, to, leaves, lines, totals, disclosures, denials } = report;
  const row = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => (typeof cell === 'number' ? cell : plain(cell))).join(' | ')} |`;
  const anchored = anchors.map(({ anchor, size }) => `${plain(anchor)} (${size} leaves)`).join(', ');
  return [
    '# What was shown, to whom, and what was not',
    '',
    `From ${from.toISOString()} up to ${to.toISOString()}, excluded. Log ${plain(origin)}, ${
      checkpoint ? `checkpoint of ${checkpoint.size} leaves with the root ${checkpoint.root}` : 'not signed yet'
    }.`,
    '',
    !checkpoint || checkpoint.unanchored
      ? '**UNANCHORED**: no place outside its owner’s reach holds a checkpoint of this log; its owner could have rewritten it.'
      : `Anchored: ${anchored || 'not yet'}.`,
    '',
    leaves.to > leaves.from
      ? `Read from the leaves ${leaves.from} to ${leaves.to} (excluded) themselves, each held against its hash, up to the last one.`
      : 'No leaf is of that time.',
    '',
    `${disclosures} disclosures and ${denials} denials of the log add up to: ${totals.revealed} values revealed, ${totals.masked} masked, ${totals.denied} denied.`,
    '',
    row(['roles', 'field or rule', 'purpose', 'revealed', 'masked', 'denied']),
    '| --- | --- | --- | ---: | ---: | ---: |',
    ...lines.map(({ roles, field, purpose, revealed, masked, denied }) => row([roles, field, purpose, revealed, masked, denied])),
    row(['total', '', '', totals.revealed, totals.masked, totals.denied]),
    '',
  ].join('\n');
};

/** The same as CSV: a head with the checkpoint it is of, the lines, the totals. */
export const csvOf = (report: MinimisationReport, { origin, checkpoint }: ReportGround): Buffer => {
  const { from, to, leaves, lines, totals, disclosures, denials } = report;
  const signed = checkpoint ? [checkpoint.size, checkpoint.root] : ['', ''];
  const anchored = !checkpoint || checkpoint.unanchored ? 'UNANCHORED' : 'anchored';
  return Buffer.concat([
    csvLine(['log', 'from', 'to', 'checkpoint', 'root', 'anchored', 'disclosures', 'denials', 'leavesFrom', 'leavesTo']),
    csvLine([origin, from.toISOString(), to.toISOString(), ...signed, anchored, disclosures, denials, leaves.from, leaves.to]),
    csvLine(['roles', 'field', 'purpose', 'revealed', 'masked', 'denied']),
    ...lines.map(({ roles, field, purpose, revealed, masked, denied }) =>
      csvLine([roles, field, purpose, revealed, masked, denied]),
    ),
    csvLine(['total', '', '', totals.revealed, totals.masked, totals.denied]),
  ]);
};
