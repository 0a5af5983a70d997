import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import { treeSize } from '../../ledger/integration';
import { type Judgement, missing, readAtMost, type Subject, saysOtherwise } from '../../ledger/subjects';
import { feedEnd } from './feed';
import { logReader } from './own-source';
import { riskConsumers as c } from './signal.entity';

const kind = 'readers of signals';

const rows = select(c.pick('name', 'position'), sql`FROM ${c}`);

interface StoredConsumer {
  readonly row: Selected<typeof rows>;
  /** It says that it read what isn't there yet: that would be passed over when it comes. */
  readonly isBeyond: boolean;
}

/** Whoever reads signals began once, and stands nowhere beyond their end. How far it is within them no event says. */
export const consumerSubject: Subject<StoredConsumer | undefined> = {
  type: 'SignalConsumer',
  kinds: [kind],
  places: [{ id: c.name, from: sql`FROM ${c} WHERE` }],
  stored: async (reads, ids, most) => {
    const found = await readAtMost(reads, rows, sql`WHERE ${c.name} IN (${ids})`, most);
    if (!found) return null;
    // Both only grow: read after the rows, they are no less than what a row went by.
    const [signals, leaves] = [await feedEnd(reads), await treeSize(reads)];
    const byName = new Map(
      found.map((row) => [row.name, { row, isBeyond: row.position > (row.name === logReader ? leaves : signals) }]),
    );
    return (name) => byName.get(name);
  },
  judge: (name, stored, about): Judgement => {
    // Who reads the log makes signals of it, and does nothing else: it begins without an event.
    const alone = name === logReader ? null : missing(kind, name, stored?.row, about[0]);
    return alone ?? { findings: saysOtherwise(kind, name, stored?.isBeyond === true ? 'position' : '') };
  },
};
