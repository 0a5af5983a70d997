import { sql } from '../../../db/sql';
import { type Selected, select } from '../../../db/table';
import {
  customerOf,
  differing,
  type Judgement,
  missing,
  readAtMost,
  type Subject,
  saysOtherwise,
} from '../../../ledger/subjects';
import { cardInvitations as i } from './card-invitation.entity';

const kind = 'customers whom rules have asked';

const rows = select(
  {
    ...i.pick(
      'id',
      'paymentMethodId',
      'paymentCustomerId',
      'source',
      'endsAt',
      'customerId',
      'rule',
      'ruleVersion',
      'state',
      'reason',
      'updateId',
    ),
    ...i.pick('dueAt', 'createdAt', 'endedAt'),
  },
  sql`FROM ${i}`,
);

const instant = (stated: unknown): Date => new Date(String(stated));

/** That a customer is to be asked for a new card is what a rule wanted, and what came of it says its last event. */
export const cardInvitationSubject: Subject<Selected<typeof rows> | undefined> = {
  type: 'CardInvitation',
  kinds: [kind],
  places: [{ id: i.id, from: sql`FROM ${i} WHERE` }],
  stored: async (reads, ids, most) => {
    const found = await readAtMost(reads, rows, sql`WHERE ${i.id} IN (${ids})`, most);
    const byId = found && new Map(found.map((row) => [row.id, row]));
    return byId && ((id) => byId.get(id));
  },
  judge: (id, row, about): Judgement => {
    const begun = about.find(({ action }) => action === 'card-invitation.plan');
    const alone = missing(kind, id, row, begun);
    if (alone || !row || !begun) return alone ?? { findings: [] };
    const end = about.find(({ action }) => action === 'card-invitation.end');
    const stated = {
      paymentMethodId: begun.detail.method,
      // Events of earlier versions name neither.
      ...(begun.detail.payer === undefined ? {} : { paymentCustomerId: begun.detail.payer, source: begun.detail.source }),
      endsAt: instant(begun.detail.ends),
      customerId: customerOf(begun, row.customerId),
      rule: begun.detail.rule,
      ruleVersion: begun.detail.version,
      state: end?.detail.state ?? 'PLANNED',
      reason: end?.detail.reason ?? null,
      updateId: end?.detail.update ?? null,
      dueAt: instant(begun.detail.due),
      createdAt: begun.at,
      endedAt: end?.at ?? null,
    };
    return { findings: saysOtherwise(kind, id, differing(row, stated)) };
  },
};
