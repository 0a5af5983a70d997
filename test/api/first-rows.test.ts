import fc from 'fast-check';
import { reachedBy } from '../../src/db/reached';
import { insertions, type Table, type Values } from '../../src/db/table';
import { KeysLoader } from '../../src/features/keys/keys.loader';
import { paymentCustomers, type Transaction, transactions } from '../../src/features/payments/payment.entity';
import type { TransactionFilter } from '../../src/features/payments/payment.filter';
import { TransactionOrder } from '../../src/features/payments/payment.type';
import { PaymentsLoader } from '../../src/features/payments/payments.loader';
import { type Message, messages, type Ticket, tickets } from '../../src/features/tickets/ticket.entity';
import { TicketsLoader } from '../../src/features/tickets/tickets.loader';
import { noWork } from '../../src/graphql/work';
import { TestApp } from '../support/app';
import { writerOf } from '../support/credentials';

const owners = Array.from({ length: 14 }, (_, index) => String(index).padStart(2, '0'));
const statuses = ['CAPTURED', 'DECLINED', 'REFUNDED'] as const;
/** One whose rows all stand at one instant, more of them than a page's ties are read for. */
const crowded = '99';

/** Small numbers that look drawn, the same in each run. */
const drawn = (seed: number, below: number): number => Math.abs(Math.imul(seed + 11, 0x9e3779b1) >> 7) % below;

const payerOf = (owner: string): Values<typeof paymentCustomers extends Table<infer E> ? E : never> => ({
  ...{ id: `pcu_${owner}`, source: 'demo-pay', referenceDigest: owner, referenceSealed: Buffer.of(1), keyId: `key_${owner}` },
  ...{ emailDigest: null, emailSealed: null, nameSealed: null, phoneSealed: null, phoneDigest: null, emailSeenSince: null },
  ...{ emailChangedAt: null, phoneSeenSince: null, phoneChangedAt: null, helpdeskReferenceDigest: null, gone: false },
  observedAt: new Date(0),
});

const payerId = (owner: string) => reachedBy(payerOf(owner), 'id');

/** Few instants and amounts, so that many rows stand together. */
const transactionOf = (owner: string, index: number, at: number): Values<Transaction> => ({
  ...{ id: `txn_${owner}_${drawn(index * 31 + at, 1_000)}_${index}`, paymentCustomerId: `pcu_${owner}`, reference: `r${index}` },
  ...{ paymentMethodId: null, orderReference: null, orderDescriptionSealed: null, amount: drawn(index * 7 + Number(owner), 4) },
  ...{ authorized: null, captured: null, refunded: null, open: null, refunds: null, presentmentAmount: null },
  ...{ presentmentCurrency: null, currency: 'EUR', status: statuses[drawn(index + at, 3)] as string, declineCode: null },
  ...{ declineAdvice: null, device: null, country: null, riskBand: 'LOW', riskScore: null, riskSignals: [] },
  ...{ disputeStatus: null, disputeReason: null, disputeOpenedAt: null, createdAt: new Date(at), digest: null, claimDueAt: null },
  ...{ confirmedAt: null, observedAt: new Date(0) },
});

const ticketOf = (owner: string): Values<Ticket> => ({
  ...{ id: `tkt_${owner}`, source: 'demo', reference: `t${owner}`, revision: 1, keyId: `key_${owner}`, subjectSealed: null },
  ...{ status: 'OPEN', channel: 'EMAIL', team: null, assigneeId: null, assignedById: null, teamSetById: null, createdById: null },
  ...{ customerSetByIds: [], customerId: null, unreadable: false, createdAt: new Date(0), updatedAt: new Date(0) },
  ...{ observedAt: new Date(0), digest: null, mark: null, readAt: null, messagesSeenAt: null },
});

const messageOf = (owner: string, index: number, at: number): Values<Message> => ({
  ...{ id: `msg_${owner}_${drawn(index * 13 + at, 1_000)}_${index}`, ticketId: `tkt_${owner}`, reference: `m${index}` },
  ...{ authorKind: 'SYSTEM', authorStaffId: null, channel: 'EMAIL', keyId: `key_${owner}`, bodySealed: Buffer.of(1) },
  ...{ attachmentsSealed: null, isCut: null, redactions: [], createdAt: new Date(at), digest: null, claimDueAt: null },
});

describe('the beginnings of many lists', () => {
  let test: TestApp;
  /** What is read for them when nothing sealed is asked for. */
  const fields = new Set(['Transaction.status']);
  const loading = () => ({ keys: new KeysLoader(test.app.database), fields: () => fields, work: noWork });
  beforeAll(async () => {
    test = await TestApp.start({ sync: false });
    const store = async <E>(into: Table<E>, rows: readonly Values<E>[]) => {
      for (const { sql, values } of insertions(into, rows, 100)) await writerOf(test).query(sql, values);
    };
    const everybody = [...owners, crowded];
    await store(paymentCustomers, everybody.map(payerOf));
    await store(tickets, everybody.map(ticketOf));
    // Nobody at all for the first owner, up to some thirty for the last.
    const rowsOf = <Row>(made: (owner: string, index: number, at: number) => Row): Row[] => [
      ...owners.flatMap((owner, number) =>
        Array.from({ length: number * 2 + drawn(number, 3) * Math.sign(number) }, (_, index) =>
          made(owner, index, drawn(index * 5 + number, 6)),
        ),
      ),
      ...Array.from({ length: 700 }, (_, index) => made(crowded, index, 3)),
    ];
    await store(transactions, rowsOf(transactionOf));
    await store(messages, rowsOf(messageOf));
  });
  afterAll(() => test.stop());

  const statementsOf = async (work: () => Promise<unknown>): Promise<string[]> => {
    const before = test.statements.length;
    await work();
    return test.statements.slice(before);
  };
  const idsOf = (rows: readonly { readonly id: string }[]): string[] => rows.map(({ id }) => id);

  const filters: fc.Arbitrary<TransactionFilter> = fc.record(
    {
      status: fc.uniqueArray(fc.constantFrom(...statuses), { maxLength: 3 }),
      amountAtLeast: fc.integer({ min: 0, max: 4 }),
      createdFrom: fc.integer({ min: 0, max: 6 }).map((at) => new Date(at)),
      createdBefore: fc.integer({ min: 0, max: 7 }).map((at) => new Date(at)),
      currency: fc.constantFrom('EUR', 'USD'),
    },
    { requiredKeys: [] },
  );
  const some = fc.uniqueArray(fc.constantFrom(...owners), { minLength: 2 });

  it('of transactions are those of each list by itself, whatever they are narrowed and ordered by, and are one statement', async () => {
    await fc.assert(
      fc.asyncProperty(
        some,
        fc.integer({ min: 1, max: 12 }),
        filters,
        fc.constantFrom(...Object.values(TransactionOrder)),
        async (chosen, limit, filter, orderBy) => {
          const lists = chosen.map((owner) => ({ paymentCustomerId: payerId(owner), filter, orderBy, limit, after: null }));
          const loader = new PaymentsLoader(test.app.database, test.keys, loading());
          let together: string[][] = [];
          const statements = await statementsOf(async () => {
            together = (await Promise.all(lists.map((list) => loader.page(list)))).map(idsOf);
          });
          expect([statements.length, statements.join('').includes('UNION')]).toEqual([1, false]);
          const alone: string[][] = [];
          for (const list of lists)
            alone.push(idsOf(await new PaymentsLoader(test.app.database, test.keys, loading()).page(list)));
          expect(together).toEqual(alone);
          const counts: number[] = [];
          for (const list of lists) counts.push(await new PaymentsLoader(test.app.database, test.keys, loading()).count(list));
          expect(await Promise.all(lists.map((list) => loader.count(list)))).toEqual(counts);
        },
      ),
      { numRuns: 150, seed: 20_261_130 },
    );
  });

  it('of messages are those of each ticket by itself, and are one statement', async () => {
    await fc.assert(
      fc.asyncProperty(some, fc.integer({ min: 1, max: 12 }), async (chosen, limit) => {
        const key = { keyId: 'key_none', keyWrapped: null, keyOwner: 'none' };
        const pageOf = async (loader: TicketsLoader, owner: string) =>
          idsOf(await loader.messages({ ticketId: reachedBy(ticketOf(owner), 'id'), limit, after: null }, key));
        const loader = new TicketsLoader(test.app.database, loading());
        let together: string[][] = [];
        const statements = await statementsOf(async () => {
          together = await Promise.all(chosen.map((owner) => pageOf(loader, owner)));
        });
        expect([statements.length, statements.join('').includes('UNION')]).toEqual([1, false]);
        const alone: string[][] = [];
        for (const owner of chosen) alone.push(await pageOf(new TicketsLoader(test.app.database, loading()), owner));
        expect(together).toEqual(alone);
      }),
      { numRuns: 60, seed: 20_261_130 },
    );
  });

  it('have one text for nearly any number of them and any length', async () => {
    const texts = new Set<string>();
    for (const [count, limit] of [
      [6, 3],
      [8, 3],
      [10, 11],
    ] as const) {
      const loader = new PaymentsLoader(test.app.database, test.keys, loading());
      const lists = owners.slice(0, count).map((owner) => ({ paymentCustomerId: payerId(owner), limit, after: null }));
      const statements = await statementsOf(() =>
        Promise.all(lists.map((list) => loader.page({ ...list, filter: {}, orderBy: TransactionOrder.CREATED_AT }))),
      );
      for (const text of statements) texts.add(text);
    }
    expect(texts.size).toBe(1);
  });

  it('are read one by one where more stand at the end of a page together than are read for that', async () => {
    const lists = [crowded, '13', '05'].map((owner) => ({
      ...{ paymentCustomerId: payerId(owner), filter: {}, orderBy: TransactionOrder.CREATED_AT, limit: 5, after: null },
    }));
    const loader = new PaymentsLoader(test.app.database, test.keys, loading());
    let together: string[][] = [];
    const statements = await statementsOf(async () => {
      together = (await Promise.all(lists.map((list) => loader.page(list)))).map(idsOf);
    });
    expect(statements.map((text) => text.includes('UNION ALL'))).toEqual([false, true]);
    for (const [index, list] of lists.entries())
      expect(together[index]).toEqual(idsOf(await new PaymentsLoader(test.app.database, test.keys, loading()).page(list)));
  });

  it('go on from where each page ended, list by list', async () => {
    const first = { filter: {}, orderBy: TransactionOrder.CREATED_AT, limit: 4 };
    const chosen = ['07', '11', '13'];
    const loader = new PaymentsLoader(test.app.database, test.keys, loading());
    const begun = await Promise.all(
      chosen.map((owner) => loader.page({ ...first, paymentCustomerId: payerId(owner), after: null })),
    );
    const further = await Promise.all(
      chosen.map((owner, index) => {
        const last = begun[index]?.at(-1) as { readonly createdAt: Date; readonly id: string };
        return loader.page({
          ...first,
          paymentCustomerId: payerId(owner),
          after: { value: last.createdAt.getTime(), id: last.id },
        });
      }),
    );
    const whole = await Promise.all(
      chosen.map((owner) => loader.page({ ...first, limit: 8, paymentCustomerId: payerId(owner), after: null })),
    );
    expect(begun.map((rows, index) => [...idsOf(rows), ...idsOf(further[index] ?? [])])).toEqual(whole.map(idsOf));
  });
});
