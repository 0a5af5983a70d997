import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import { customerOf, differing, type Judgement, missing, readAtMost, type Subject, saysOtherwise } from '../../ledger/subjects';
import { riskOutreaches as o } from './outreach.entity';

const kind = 'tickets opened by rules';

const rows = select(
  {
    ...o.pick('id', 'alertId', 'customerId', 'source', 'rule', 'ruleVersion', 'state', 'refusal', 'reference'),
    ...o.pick('createdAt', 'endedAt'),
  },
  sql`FROM ${o}`,
);

const ends: readonly unknown[] = ['DONE', 'REFUSED', 'DROPPED'];

/** A ticket that a rule had opened is what was asked for, and what came of the call says its last event. */
export const outreachSubject: Subject<Selected<typeof rows> | undefined> = {
  type: 'Outreach',
  kinds: [kind],
  places: [{ id: o.id, from: sql`FROM ${o} WHERE` }],
  stored: async (reads, ids, most) => {
    const found = await readAtMost(reads, rows, sql`WHERE ${o.id} IN (${ids})`, most);
    const byId = found && new Map(found.map((row) => [row.id, row]));
    return byId && ((id) => byId.get(id));
  },
  judge: (id, row, about): Judgement => {
    const begun = about.find(({ action }) => action === 'outreach.open');
    const alone = missing(kind, id, row, begun);
    if (alone || !row || !begun) return alone ?? { findings: [] };
    const told = about.filter(({ action }) => action === 'outreach.effect');
    const end = told.find(({ detail }) => ends.includes(detail.state));
    const newest = Math.max(...told.map(({ at }) => at.getTime()));
    // Two events of one millisecond have no order.
    const states = told.filter(({ at }) => at.getTime() === newest).map(({ detail }) => detail.state);
    const isState = end
      ? row.state === end.detail.state
      : states.length === 0
        ? row.state === 'PLANNED'
        : states.includes(row.state);
    const stated = {
      alertId: begun.detail.alert,
      customerId: customerOf(begun, row.customerId),
      source: begun.detail.source,
      rule: begun.detail.rule,
      ruleVersion: begun.detail.version,
      refusal: end?.detail.refusal ?? null,
      reference: end?.detail.reference ?? null,
      createdAt: begun.at,
      endedAt: end?.at ?? null,
    };
    return { findings: saysOtherwise(kind, id, differing(row, stated), isState ? '' : 'state') };
  },
};
