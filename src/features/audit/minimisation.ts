import { csvLine } from '../../audit/export-format';
import { type Leaf, readLeaf } from '../../audit/leaf';
import type { Reads } from '../../db/reads';
import { sql } from '../../db/sql';
import { select } from '../../db/table';
import { assistances } from '../assistance/assistance.entity';
import { e, l, placedEvents } from './audit.rows';
import { fieldsOf } from './disclosed-fields';

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
  /** Of the log as far as it has been read for this: how many leaves. */
  readonly lines: readonly MinimisationLine[];
  /** Events of the log that the lines are made of. */
  readonly disclosures: number;
  readonly denials: number;
  /** Sums of the lines, which are sums over those events. */
  readonly totals: Readonly<Record<Treatment, number>>;
}

const eventRows = select({ leafIndex: l.leafIndex, leaf: e.leaf }, placedEvents);
const purposes = select(assistances.pick('id', 'purpose'), sql`FROM ${assistances}`);

const eventsAtOnce = 1_000;

const treatmentOf = (verdict: string): Treatment => {
  if (verdict === 'reveal') return 'revealed';
  return verdict.startsWith('mask:') ? 'masked' : 'denied';
};

const assistancesOf = ({ assistance, detail }: Leaf): readonly string[] => {
  const listed = Array.isArray(detail.assistances) ? detail.assistances.filter((id): id is string => typeof id === 'string') : [];
  return [...new Set([...(assistance === null ? [] : [assistance]), ...listed])];
};

/** Purposes of assistances by id. An assistance is never deleted, so each has one. */
const purposesOf = async (database: Reads, ids: readonly string[]): Promise<ReadonlyMap<string, string>> => {
  if (ids.length === 0) return new Map();
  const rows = await database.read(purposes, sql`WHERE ${assistances.id} IN (${ids})`);
  return new Map(rows.map(({ id, purpose }) => [id, purpose]));
};

/** Disclosures and denials that have their place in the tree, of a span of time, in chunks. */
async function* eventsOf(database: Reads, from: Date, to: Date): AsyncGenerator<readonly Leaf[]> {
  for (let after = -1; ; ) {
    const rows = await database.read(
      eventRows,
      sql`WHERE ${l.leafIndex} > ${after} AND ${e.at} >= ${from} AND ${e.at} < ${to} AND ${e.action} IN ('disclosure', 'denial')
        ORDER BY ${l.leafIndex} LIMIT ${eventsAtOnce}`,
    );
    const last = rows.at(-1);
    if (!last) return;
    after = last.leafIndex;
    yield rows.map(({ leaf }) => readLeaf(leaf.toString('utf8')));
  }
}

/**
 * Per role, field and purpose what was revealed, masked and denied from `from` up to `to`, `to` excluded. Every number is a sum
 * over disclosures and denials of the log, so that whoever has its export gets the same.
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
  for await (const events of eventsOf(database, from, to)) {
    const known = await purposesOf(database, [...new Set(events.flatMap(assistancesOf))]);
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
        for (const { field, verdict, count } of fieldsOf(event) ?? []) add(roles, field, purpose, treatmentOf(verdict), count);
      }
    }
  }
  const order = (a: MinimisationLine, b: MinimisationLine) =>
    a.roles.localeCompare(b.roles, 'en') || a.field.localeCompare(b.field, 'en') || a.purpose.localeCompare(b.purpose, 'en');
  return { from, to, lines: [...lines.values()].sort(order), disclosures, denials, totals };
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
  const { from, to, lines, totals, disclosures, denials } = report;
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
  const { from, to, lines, totals, disclosures, denials } = report;
  const signed = checkpoint ? [checkpoint.size, checkpoint.root] : ['', ''];
  const anchored = !checkpoint || checkpoint.unanchored ? 'UNANCHORED' : 'anchored';
  return Buffer.concat([
    csvLine(['log', 'from', 'to', 'checkpoint', 'root', 'anchored', 'disclosures', 'denials']),
    csvLine([origin, from.toISOString(), to.toISOString(), ...signed, anchored, disclosures, denials]),
    csvLine(['roles', 'field', 'purpose', 'revealed', 'masked', 'denied']),
    ...lines.map(({ roles, field, purpose, revealed, masked, denied }) =>
      csvLine([roles, field, purpose, revealed, masked, denied]),
    ),
    csvLine(['total', '', '', totals.revealed, totals.masked, totals.denied]),
  ]);
};
