import { auditEvents } from '../db/audit.entity';
import type { Reads } from '../db/reads';
import { type Sql, sql } from '../db/sql';
import { type Selected, type Selection, select } from '../db/table';
import { assistances } from '../features/assistance/assistance.entity';
import { credentialConfirmations, credentialTransitions } from '../features/credentials/credential-update.entity';

/** Rows read at once. */
const rowsAtOnce = 500;
/** Ids that are named of one kind. */
const mostNamed = 20;

const e = auditEvents;
const a = assistances;
const t = credentialTransitions;
const c = credentialConfirmations;

const events = select(e.pick('subjectId', 'action', 'at', 'leaf'), sql`FROM ${e}`);
const assistanceRows = select(a.pick('id', 'approvedAt'), sql`FROM ${a}`);
const transitionRows = select(t.pick('id', 'updateId', 'fromState', 'toState', 'at'), sql`FROM ${t}`);
const confirmationRows = select(c.pick('id', 'updateId', 'outcome', 'shownDigest'), sql`FROM ${c}`);

type Recorded = Pick<Selected<typeof events>, 'action' | 'at'> & { readonly detail: Readonly<Record<string, unknown>> };

/** What a leaf states; nothing where it is no leaf, which the look through the log says. */
const detailIn = (leaf: Buffer): Readonly<Record<string, unknown>> => {
  try {
    const { detail } = JSON.parse(leaf.toString('utf8')) as { detail?: Readonly<Record<string, unknown>> | null };
    return detail ?? {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
};

/** The events about these subjects, by subject. */
const eventsAbout = async (
  reads: Reads,
  type: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly Recorded[]>> => {
  const rows = await reads.read(events, sql`WHERE ${e.subjectType} = ${type} AND ${e.subjectId} IN (${[...new Set(ids)]})`);
  const about = new Map<string, Recorded[]>();
  for (const { subjectId, action, at, leaf } of rows) {
    const known = about.get(subjectId ?? '') ?? [];
    known.push({ action, at, detail: detailIn(leaf) });
    about.set(subjectId ?? '', known);
  }
  return about;
};

interface Kind<Row extends { readonly id: string }> {
  /** As a finding names several of them. */
  readonly name: string;
  readonly rows: Selection<Row>;
  readonly id: Sql;
  readonly subject: { readonly type: string; readonly idOf: (row: Row) => string };
  readonly isRecorded: (row: Row, events: readonly Recorded[]) => boolean;
}

const look = async <Row extends { readonly id: string }>(
  reads: Reads,
  { name, rows, id, subject, isRecorded }: Kind<Row>,
): Promise<readonly string[]> => {
  const ids: string[] = [];
  let found = 0;
  for (let above = ''; ; ) {
    // The rows first: what commits meanwhile commits with its event.
    const page = await reads.read(rows, sql`WHERE ${id} > ${above} ORDER BY ${id} LIMIT ${rowsAtOnce}`);
    const last = page.at(-1);
    if (!last) break;
    above = last.id;
    const about = await eventsAbout(reads, subject.type, page.map(subject.idOf));
    for (const row of page) {
      if (isRecorded(row, about.get(subject.idOf(row)) ?? [])) continue;
      found += 1;
      if (ids.length < mostNamed) ids.push(row.id);
    }
  }
  if (found === 0) return [];
  return [`${found} ${name} without an event of the log: ${ids.join(', ')}${found > ids.length ? ', …' : ''}`];
};

/**
 * Assistances, transitions of updates and customers' confirmations that the log says nothing of: each commits with its event, so one without
 * was slipped in, or the log lost its end. One line a kind, with ids, twenty of them at most.
 */
export const rowsWithoutEvent = async (reads: Reads): Promise<readonly string[]> => [
  ...(await look(reads, {
    name: 'assistances',
    rows: assistanceRows,
    id: a.id,
    subject: { type: 'Assistance', idOf: ({ id }) => id },
    isRecorded: ({ approvedAt }, about) => {
      const actions = about.map(({ action }) => action);
      const begun = actions.includes('assistance.begin') || actions.includes('assistance.request');
      return begun && (approvedAt === null || actions.includes('assistance.approve'));
    },
  })),
  ...(await look(reads, {
    name: 'transitions of updates',
    rows: transitionRows,
    id: t.id,
    subject: { type: 'CredentialUpdate', idOf: ({ updateId }) => updateId },
    isRecorded: ({ fromState, toState, at }, about) =>
      about.some(({ detail, at: when }) => detail.from === fromState && detail.to === toState && when.getTime() === at.getTime()),
  })),
  ...(await look(reads, {
    name: 'confirmations',
    rows: confirmationRows,
    id: c.id,
    subject: { type: 'CredentialUpdate', idOf: ({ updateId }) => updateId },
    isRecorded: ({ outcome, shownDigest }, about) =>
      about.some(({ action, detail }) =>
        outcome === 'CONFIRMED'
          ? action === 'credential.confirm' && detail.shown === shownDigest
          : action === 'credential.refuse',
      ),
  })),
];
