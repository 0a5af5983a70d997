import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import { type Judgement, missing, readAtMost, type Subject, saysOtherwise } from '../../ledger/subjects';
import { registeredOperations as o } from './operation.entity';
import { operationHash } from './operation-hash';

const kind = 'registered operations';

const rows = select(o.pick('id', 'text', 'registeredAt', 'retiredAt'), sql`FROM ${o}`);

/** An operation is registered or retired as its events say by turns, and its text is what it is called by. */
export const operationSubject: Subject<Selected<typeof rows> | undefined> = {
  type: 'RegisteredOperation',
  kinds: [kind],
  places: [{ id: o.id, from: sql`FROM ${o} WHERE` }],
  stored: async (reads, ids, most) => {
    const found = await readAtMost(reads, rows, sql`WHERE ${o.id} IN (${ids})`, most);
    const byId = found && new Map(found.map((row) => [row.id, row]));
    return byId && ((id) => byId.get(id));
  },
  judge: (id, row, about): Judgement => {
    const timesOf = (action: string) => about.filter((event) => event.action === action).map(({ at }) => at.getTime());
    const [registered, retired] = [timesOf('operation.register'), timesOf('operation.retire')];
    const alone = missing(kind, id, row, about[0]);
    if (alone || !row) return alone ?? { findings: [] };
    // They take turns, whatever the clocks of the processes were that wrote them.
    const isInForce = registered.length > retired.length;
    const isRetiredAsSaid = isInForce
      ? row.retiredAt === null
      : row.retiredAt !== null && retired.includes(row.retiredAt.getTime());
    return {
      findings: saysOtherwise(
        kind,
        id,
        operationHash(row.text) === id ? '' : 'text',
        registered.includes(row.registeredAt.getTime()) ? '' : 'registeredAt',
        isRetiredAsSaid ? '' : 'retiredAt',
      ),
    };
  },
};
