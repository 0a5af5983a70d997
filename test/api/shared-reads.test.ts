import { type Reached, reachedBy } from '../../src/db/reached';
import { type SharedLists, SharedReads } from '../../src/db/shared-reads';
import { type Sql, sql } from '../../src/db/sql';
import { insertions, type Selected, select, type Table, type Values } from '../../src/db/table';
import { beginningsOf } from '../../src/features/beginnings';
import { type Message, messages, type Ticket, tickets } from '../../src/features/tickets/ticket.entity';
import { messagesInOrder } from '../../src/features/tickets/tickets.loader';
import { message, ticket } from '../../src/features/tickets/tickets.rows';
import { TestApp } from '../support/app';
import { writerOf } from '../support/credentials';

type Row = Record<string, unknown>;

const names = Array.from({ length: 260 }, (_, index) => String(index).padStart(3, '0'));
/** One with more messages at one instant than a statement of beginnings reads for that. */
const crowded = 'crowd';

const ticketOf = (name: string): Values<Ticket> => ({
  ...{ id: `tkt_${name}`, source: 'demo', reference: name, revision: 1, keyId: `key_${name}`, subjectSealed: Buffer.from(name) },
  ...{ status: 'OPEN', channel: 'EMAIL', team: null, assigneeId: null, assignedById: null, teamSetById: null, createdById: null },
  ...{ customerSetByIds: ['stf_1', 'stf_2'], customerId: null, unreadable: false, createdAt: new Date(0) },
  ...{ updatedAt: new Date(1_000), observedAt: new Date(0), digest: null, mark: null, readAt: null, messagesSeenAt: null },
});

const messageOf = (name: string, index: number, at: number): Values<Message> => ({
  ...{ id: `msg_${name}_${index}`, ticketId: `tkt_${name}`, reference: `m${index}`, authorKind: 'SYSTEM', authorStaffId: null },
  ...{ channel: 'EMAIL', keyId: `key_${name}`, bodySealed: Buffer.of(index % 256), attachmentsSealed: null, isCut: null },
  ...{ redactions: [], createdAt: new Date(at), digest: null, claimDueAt: null },
});

const reached = (name: string): Reached => reachedBy({ id: `tkt_${name}` }, 'id');
const several = (...some: readonly string[]): Reached[] => some.map(reached);

const whole = select(
  ticket.pick('id', 'reference', 'subjectSealed', 'customerSetByIds', 'updatedAt', 'revision'),
  sql`FROM ${ticket}`,
);
const texts = select(message.pick('id', 'ticketId', 'createdAt', 'bodySealed'), sql`FROM ${message}`);
const ofTicket: SharedLists<Selected<typeof texts>> = {
  owner: 'ticketId',
  rest: sql`ORDER BY ${message.createdAt}, ${message.id}`,
  most: 30,
};
const beginnings = beginningsOf(
  {
    of: message,
    columns: (of: Table<Message>) => ({ owner: of.ticketId, order: of.createdAt, conditions: [] }),
    direction: 'ASC',
    index: 'ix_helpdesk_message_ticket_id_created_at_id',
    ownerIds: { id: ticket.id, from: sql`FROM ${ticket}` },
  },
  messagesInOrder,
);

/** Turns of the event loop, in which whoever may be asked together is. */
const turns = async (count = 3): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** The real database, whose answers a test holds back. */
class HeldBack {
  readonly sent: { readonly ids: readonly unknown[]; readonly text: string }[] = [];
  private gate: Promise<void> = Promise.resolve();
  private opened = () => {};
  /** What becomes of rows on their way. */
  answer: (rows: Row[], statement: Sql) => Row[] = (rows) => rows;
  until = Number.POSITIVE_INFINITY;
  readonly untils: number[] = [];
  /** Statements that the database has answered. */
  answered = 0;
  readonly reads: SharedReads;

  constructor(test: TestApp) {
    this.reads = new SharedReads({
      engine: test.app.database.engine,
      until: () => this.until,
      rows: async (statement, until) => {
        const { gate } = this;
        this.untils.push(until);
        this.sent.push({
          ids: [...new Set(statement.values.filter((value) => String(value).startsWith('tkt_')))],
          text: statement.sql,
        });
        const rows = await test.app.database.query(statement.sql, statement.values);
        this.answered += 1;
        await gate;
        return this.answer(rows, statement);
      },
    });
  }

  close(): void {
    this.gate = new Promise((resolve) => {
      this.opened = resolve;
    });
  }

  /** For those that are sent from now on. */
  letOthersThrough(): void {
    this.gate = Promise.resolve();
  }

  open(): void {
    this.opened();
  }
}

/** Never run: what is asserted here is what doesn't compile. */
const refusedByTheCompiler = (reads: SharedReads) => [
  reads.ofIds(whole, 'id', several('000')),
  // @ts-expect-error: an id as a caller sent it.
  reads.ofIds(whole, 'id', ['tkt_000']),
  // @ts-expect-error: the same for lists.
  reads.firstOfEach(texts, beginnings, ['tkt_000'], 3),
  // @ts-expect-error: a condition has no place.
  reads.ofIds(whole, sql`WHERE 1 = 1`, several('000')),
  // @ts-expect-error: a column that holds no id.
  reads.ofIds(whole, 'updatedAt', several('000')),
  // @ts-expect-error: what was made of rows doesn't go back.
  reads.ofIds([{ id: 'tkt_000', subject: 'clear text' }], 'id', several('000')),
];

const idsOf = (rows: readonly { readonly id: string }[]): string[] => rows.map(({ id }) => id).sort();
const tkt = (...some: readonly string[]): string[] => some.map((name) => `tkt_${name}`);

describe('reads of several requests in one statement', () => {
  let test: TestApp;
  let held: HeldBack;
  beforeAll(async () => {
    test = await TestApp.start({ sync: false });
    const store = async <E>(into: Table<E>, rows: readonly Values<E>[]) => {
      for (const { sql: text, values } of insertions(into, rows, 100)) await writerOf(test).query(text, values);
    };
    await store(tickets, [...names, crowded].map(ticketOf));
    await store(messages, [
      ...names.slice(0, 20).flatMap((name, owner) => Array.from({ length: owner }, (_, index) => messageOf(name, index, index))),
      ...Array.from({ length: 700 }, (_, index) => messageOf(crowded, index, 3)),
    ]);
  });
  afterAll(() => test.stop());
  beforeEach(() => {
    held = new HeldBack(test);
  });

  it('answer each request its own rows, and those alone', async () => {
    const answers = await Promise.all([
      held.reads.ofIds(whole, 'id', several('000', '001')),
      held.reads.ofIds(whole, 'id', several('001', '002')),
      held.reads.ofIds(whole, 'id', several('nobody')),
    ]);
    expect(answers.map(idsOf)).toEqual([tkt('000', '001'), tkt('001', '002'), []]);
    expect(held.sent.map(({ ids }) => ids)).toEqual([tkt('000', '001', '002', 'nobody')]);
  });

  it('share nothing: what one request does to a row, its bytes, dates and lists is seen by no other', async () => {
    const ask = () => held.reads.ofIds(whole, 'id', several('005'));
    const [[first], [second], [third]] = (await Promise.all([ask(), ask(), ask()])) as [Row[], Row[], Row[]];
    expect(held.sent).toHaveLength(1);
    const before = JSON.stringify(third);
    for (const row of [first, second] as Row[]) {
      (row.subjectSealed as Buffer).fill(0);
      (row.updatedAt as Date).setTime(0);
      (row.customerSetByIds as string[]).push('stf_3');
      row.reference = 'altered';
      Object.assign(row, { opened: 'clear text' });
    }
    expect(JSON.stringify(third)).toBe(before);
    expect((third as Row).subjectSealed).toEqual(Buffer.from('005'));
    // Nor by anybody later.
    expect(JSON.stringify((await ask())[0])).toBe(before);
  });

  it('are joined before they are sent, never after: who asks later sees what was committed meanwhile', async () => {
    held.close();
    const early = held.reads.ofIds(whole, 'id', several('010'));
    while (held.answered === 0) await turns(1);
    await writerOf(test).query("UPDATE helpdesk_ticket SET revision = 7 WHERE id = 'tkt_010'");
    const late = [held.reads.ofIds(whole, 'id', several('010')), held.reads.ofIds(whole, 'id', several('011'))];
    held.letOthersThrough();
    await turns();
    held.open();
    expect((await early).map(({ revision }) => revision)).toEqual([1]);
    expect((await Promise.all(late)).map((rows) => rows.map(({ revision }) => revision))).toEqual([[7], [1]]);
    expect(held.sent.map(({ ids }) => ids)).toEqual([tkt('010'), tkt('010', '011')]);
  });

  it('wait for none that is under way: one that is stuck holds up nobody', async () => {
    held.close();
    const stuck = held.reads.ofIds(whole, 'id', several('012'));
    await turns();
    held.letOthersThrough();
    expect(idsOf(await held.reads.ofIds(whole, 'id', several('012', '013')))).toEqual(tkt('012', '013'));
    held.open();
    expect(idsOf(await stuck)).toEqual(tkt('012'));
  });

  it('are of one selection and kind', async () => {
    const other = select(ticket.pick('id', 'reference'), sql`FROM ${ticket}`);
    const [one, another] = await Promise.all([
      held.reads.ofIds(whole, 'id', several('000')),
      held.reads.ofIds(other, 'id', several('000')),
    ]);
    expect(held.sent).toHaveLength(2);
    expect(Object.keys(another[0] ?? {}).sort()).toEqual(['id', 'reference']);
    expect(Object.keys(one[0] ?? {})).toContain('subjectSealed');
    // What is made for one request is nobody else's statement, whatever it says.
    const narrowed = (at: number) => ({ ...ofTicket, rest: sql`AND ${message.createdAt} < ${at} ${ofTicket.rest}` });
    const lists = await Promise.all([2, 4].map((at) => held.reads.ofEach(texts, narrowed(at), several('009'))));
    expect(lists.map(([rows]) => rows?.length)).toEqual([2, 4]);
    const pages = await Promise.all([2, 4].map((limit) => held.reads.firstOfEach(texts, beginnings, several('009'), limit)));
    expect(pages.map(([rows]) => rows?.length)).toEqual([2, 4]);
  });

  it('are lists of owners in their order, and the first rows of each, as by themselves', async () => {
    const groups = [['003', '019'], ['000', '007'], ['019'], ['nobody', '011', '003']];
    const wanted = async (read: (owners: readonly Reached[]) => Promise<readonly { readonly id: string }[][]>) => {
      const before = held.sent.length;
      const together = await Promise.all(groups.map((group) => read(several(...group))));
      expect(held.sent.length - before).toBe(1);
      for (const [index, group] of groups.entries()) {
        const alone = await read(several(...group));
        expect((together[index] as readonly { readonly id: string }[][]).map((rows) => rows.map(({ id }) => id))).toEqual(
          alone.map((rows) => rows.map(({ id }) => id)),
        );
      }
    };
    await wanted((owners) => held.reads.ofEach(texts, ofTicket, owners));
    await wanted(async (owners) =>
      (await held.reads.firstOfEach(texts, beginnings, owners, 4)).map((rows) =>
        [...rows]
          .sort((one, other) => one.createdAt.getTime() - other.createdAt.getTime() || (one.id < other.id ? -1 : 1))
          .slice(0, 4),
      ),
    );
  });

  it('that fail are repeated for each: who spoils a statement spoils their own', async () => {
    held.answer = (rows, statement) => {
      if (statement.values.includes('tkt_poison')) throw new Error('the statement failed');
      return rows;
    };
    const answers = await Promise.allSettled([
      held.reads.ofIds(whole, 'id', several('020')),
      held.reads.ofIds(whole, 'id', several('poison')),
      held.reads.ofIds(whole, 'id', several('021', '020')),
    ]);
    expect(answers.map((answer) => (answer.status === 'fulfilled' ? idsOf(answer.value) : String(answer.reason)))).toEqual([
      tkt('020'),
      'Error: the statement failed',
      tkt('020', '021'),
    ]);
    expect([held.sent.length, held.reads.repeated]).toEqual([4, 1]);
  });

  it('never hand out a row that nobody of them asked for', async () => {
    held.answer = (rows, { values }) =>
      values.includes('tkt_030') && values.includes('tkt_031') ? [...rows, { ...rows[0], id: 'tkt_099' }] : rows;
    const answers = await Promise.all([
      held.reads.ofIds(whole, 'id', several('030')),
      held.reads.ofIds(whole, 'id', several('031')),
    ]);
    expect(answers.map(idsOf)).toEqual([tkt('030'), tkt('031')]);
    held.answer = (rows) => rows.map((row) => ({ ...row, list: 9 }));
    const first = (name: string) => held.reads.firstOfEach(texts, beginnings, several(name), 2);
    expect((await Promise.all([first('003'), first('004')])).map(([rows]) => rows?.map((row) => row.ticketId))).toEqual([
      tkt('003', '003'),
      tkt('004', '004'),
    ]);
  });

  it('that may lack rows are repeated for each: one with thousands costs nobody else theirs', async () => {
    const first = (...some: string[]) => held.reads.firstOfEach(texts, beginnings, several(...some), 3);
    const pages = await Promise.all([first(crowded), first('008'), first('009', '010')]);
    expect(pages.map((lists) => lists.map((rows) => rows.length))).toEqual([[3], [3], [3, 3]]);
    const each = (...some: string[]) => held.reads.ofEach(texts, ofTicket, several(...some));
    const lists = await Promise.all([each(crowded), each('008'), each('009', '010')]);
    expect(lists.map((all) => all.map((rows) => rows.length))).toEqual([[30], [8], [9, 10]]);
    expect(held.reads.repeated).toBe(2);
    for (const rows of lists.flat()) expect(new Set(rows.map(({ ticketId }) => ticketId)).size).toBe(1);
  });

  it('are of so many ids: more are several statements, and whoever asks for more has one of their own', async () => {
    const halves = [names.slice(0, 150), names.slice(100, 250)];
    const answers = await Promise.all(halves.map((half) => held.reads.ofIds(whole, 'id', several(...half))));
    expect(answers.map(idsOf)).toEqual(halves.map((half) => tkt(...half)));
    expect(held.sent.map(({ ids }) => ids.length)).toEqual([150, 150]);
    const [all, one] = await Promise.all([
      held.reads.ofIds(whole, 'id', several(...names)),
      held.reads.ofIds(whole, 'id', several('000')),
    ]);
    expect([all.length, one.length]).toEqual([names.length, 1]);
    expect(held.sent.slice(2).map(({ ids }) => ids.length)).toEqual([names.length, 1]);
  });

  it('are so many rows: long pages of many are several statements', async () => {
    const pages = await Promise.all(
      names.slice(0, 20).map((name) => held.reads.firstOfEach(texts, beginnings, several(name), 100)),
    );
    expect(pages.map(([rows]) => rows?.length)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(held.sent.map(({ ids }) => ids.length)).toEqual([10, 10]);
  });

  it('end when the first of those who wait has to have an answer, and are repeated within what is left', async () => {
    held.until = 5_000;
    const early = held.reads.ofIds(whole, 'id', several('040'));
    held.until = 6_000;
    const late = held.reads.ofIds(whole, 'id', several('041'));
    held.answer = (rows, { values }) => {
      if (values.includes('tkt_040') && values.includes('tkt_041')) throw new Error('too late');
      return rows;
    };
    expect([idsOf(await early), idsOf(await late)]).toEqual([tkt('040'), tkt('041')]);
    expect(held.untils).toEqual([5_000, 5_000, 6_000]);
  });

  it('keep nothing once they are sent', async () => {
    await Promise.all([
      held.reads.ofIds(whole, 'id', several('000')),
      held.reads.firstOfEach(texts, beginnings, several('003'), 2),
      held.reads.ofEach(texts, { ...ofTicket }, several('003')),
    ]);
    expect((Reflect.get(held.reads, 'asked') as Map<unknown, unknown>).size).toBe(0);
  });

  it('have no place for what decides about a scope, nor for an id that nobody has reached', () => {
    expect(typeof refusedByTheCompiler).toBe('function');
  });
});
