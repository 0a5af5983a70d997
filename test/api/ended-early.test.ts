import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { raised, raiseOn } from '../support/alerts';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { Pipeline } from '../support/decisions';
import { HeldPayments } from '../support/holds';
import { Questions } from '../support/recognitions';

/** What a gateway ends by itself once its time is over: whoever writes the database can have it do so at any time. */
let test: TestApp;
let held: HeldPayments;
let questions: Questions;
beforeAll(async () => {
  test = await TestApp.start();
  held = new HeldPayments(test);
  questions = new Questions(test);
});
afterAll(() => test.stop());

/** What is found of these, by kind. */
const about = async (ids: readonly string[]): Promise<readonly (readonly string[])[]> => {
  const { findings } = await rowsWithoutEvent(test.app.database);
  return findings.flatMap((line) => {
    const [, kind = '', listed = ''] = /^\d+ (.*?) (?:that|without) [^:]*: (.*)$/.exec(line) ?? [];
    const named = listed.split(/, (?=[a-z]{3}_)/).filter((each) => ids.some((id) => each.startsWith(id)));
    return named.map((each) => [kind, each]);
  });
};

/** What a gateway does every few seconds. */
const sweep = async (): Promise<void> => {
  const { recurring } = Reflect.get(test.app, 'parts') as { recurring: readonly (() => Promise<unknown>)[] };
  for (const turn of recurring) await turn();
};

interface Case {
  readonly table: string;
  readonly kind: string;
  readonly id: () => Promise<string>;
  readonly ended: string;
}
const cases: readonly Case[] = [
  {
    table: 'payment_hold',
    kind: 'holds',
    id: async () => {
      const id = await held.byRule('1001', { key: 'early', effects: ['HOLD_ORDER'] });
      await held.drain();
      return id;
    },
    ended: "state = 'EXPIRED'",
  },
  {
    table: 'payment_hold',
    kind: 'holds',
    id: () => held.byRule('1003', { key: 'proposed early', isProposal: true }),
    ended: "state = 'EXPIRED'",
  },
  {
    table: 'step_up_demand',
    kind: 'step-up demands',
    id: async () => {
      const pipeline = new Pipeline(test);
      const [payer] = await pipeline.payers(1);
      return pipeline.open(payer?.customerId ?? '');
    },
    ended: "state = 'EXPIRED'",
  },
  {
    table: 'recognition',
    kind: 'questions about payments',
    id: async () => (await questions.asked(await questions.paid())).id,
    ended: "state = 'EXPIRED'",
  },
  {
    table: 'risk_alert',
    kind: 'alerts',
    id: async () => raised(await raiseOn(test, '1001')),
    ended: "state = 'EXPIRED'",
  },
  {
    table: 'credential_update',
    kind: 'updates',
    id: async () => {
      const of = await questions.updates.next();
      return (await questions.updates.asked(of, of.usual, 'REMOVE')).id;
    },
    ended: "state = 'EXPIRED'",
  },
  {
    table: 'assistance',
    kind: 'assistances',
    id: async () => {
      await held.open('ana', '1002');
      const [row] = await test.app.database.query<{ id: string }>(
        'SELECT id FROM assistance WHERE ended_at IS NULL ORDER BY id DESC LIMIT 1',
      );
      return row?.id ?? '';
    },
    ended: "end_reason = 'EXPIRED'",
  },
];

describe('what a gateway ended in its own name', () => {
  it.each(cases.map((each, index) => [`${each.kind} (${index})`, each] as const))(
    'before its time is told of %s, though its row was put back',
    async (_, { table, kind, id: made, ended }) => {
      const id = await made();
      expect(await about([id])).toEqual([]);
      const [row] = await test.app.database.query<{ until: number }>(`SELECT expires_at AS until FROM ${table} WHERE id = ?`, [
        id,
      ]);
      const set = (until: unknown) => tamper(test.app.database, `UPDATE ${table} SET expires_at = ? WHERE id = ?`, [until, id]);
      await set(test.clock.now().getTime() - 1);
      await sweep();
      await set(row?.until);
      const rows = await test.app.database.query(`SELECT id FROM ${table} WHERE id = ? AND ${ended}`, [id]);
      expect(rows).toHaveLength(1);
      expect(await about([id])).toEqual([[kind, `${id} (ended before its time)`]]);
    },
  );

  it('in time is told of none', async () => {
    const ids: string[] = [];
    for (const { id } of cases) ids.push(await id());
    test.clock.forward(8 * 86_400_000);
    await sweep();
    await held.drain();
    await sweep();
    for (const [index, { table, ended }] of cases.entries())
      expect(await test.app.database.query(`SELECT id FROM ${table} WHERE id = ? AND ${ended}`, [ids[index]])).toHaveLength(1);
    expect(await about(ids)).toEqual([]);
  });
});
