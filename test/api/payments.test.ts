import { readFileSync } from 'node:fs';
import { told } from '../support/answers';
import { TestApp } from '../support/app';
import { card, helpdeskCustomer, payment, ScriptedHelpdesk, ScriptedPayments } from '../support/scripted-sources';

const transactionsOf = `query Page($id: ID!, $first: Int, $after: String, $orderBy: TransactionOrder, $filter: TransactionFilter) {
  customer(id: $id) {
    transactions(first: $first, after: $after, orderBy: $orderBy, filter: $filter) {
      totalCount
      edges { cursor node { id } }
      nodes { id createdAt amount { minorUnits currency } status }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}`;
const total = 57;
/** A merchant whose agents get the provider's own decline codes. */
const policy = readFileSync('schema/exposure.yaml', 'utf8')
  .replace('declineCode: { AGENT: "mask:decline"', 'declineCode: { AGENT: reveal')
  .replace('Transaction.declineCode: [SUPERVISOR]', 'Transaction.declineCode: [AGENT, SUPERVISOR]');

describe('a customer’s transactions', () => {
  let test: TestApp;
  let one: string;
  let other: string;
  const ask = (variables: Record<string, unknown>, who: string | { token: string } = 'ana') =>
    test.as(who, transactionsOf, { id: one, ...variables });

  beforeAll(async () => {
    const helpdesk = new ScriptedHelpdesk('demo');
    const payments = new ScriptedPayments('demo-pay');
    helpdesk.put('1', { customer: helpdeskCustomer('one') });
    helpdesk.put('2', { customer: helpdeskCustomer('other') });
    helpdesk.put('3', { customer: helpdeskCustomer('hidden'), assignee: 'ben', team: 'wallets' });
    const statuses = ['CAPTURED', 'DECLINED', 'REFUNDED'] as const;
    const list = (prefix: string) =>
      Array.from({ length: total }, (_, index) =>
        payment(`${prefix}_${index}`, {
          // Ties in both orders: a cursor must tell rows apart that are equal in what they are sorted by.
          amount: 100 * (index % 5),
          createdAt: new Date(Date.UTC(2026, 7, 1 + Math.floor(index / 10))),
          status: statuses[index % 3] ?? 'CAPTURED',
          declineCode: index % 3 === 1 ? 'insufficient_funds' : null,
          currency: index % 2 === 0 ? 'EUR' : 'USD',
          riskScore: index,
          riskBand: index > 40 ? 'HIGH' : 'LOW',
          paymentMethodReference: `pm_${prefix}`,
        }),
      );
    for (const name of ['one', 'other', 'hidden'])
      payments.put(`pay-${name}`, { helpdeskReference: `demo:${name}` }, [card(`pm_${name}`)], list(name));
    test = await TestApp.start({ connectors: { demo: helpdesk, 'demo-pay': payments }, policy });
    const idOf = async (reference: string) =>
      (
        await test.as('ana', 'query ($r: String!) { ticketByReference(source: "demo", reference: $r) { customer { id } } }', {
          r: reference,
        })
      ).data.ticketByReference.customer.id as string;
    one = await idOf('1');
    other = await idOf('2');
  });
  afterAll(() => test.stop());

  /** All pages one after the other. */
  const walk = async (variables: Record<string, unknown>) => {
    const seen: { id: string; createdAt: string; amount: { minorUnits: number } }[] = [];
    let pages = 0;
    for (let after: string | null = null; pages < 100; ) {
      const { data, errors } = told(await ask({ ...variables, after }));
      expect(errors).toEqual([]);
      const page = data.customer.transactions;
      expect(page.edges.map(({ node }: { node: { id: string } }) => node.id)).toEqual(
        page.nodes.map(({ id }: { id: string }) => id),
      );
      expect([page.pageInfo.startCursor, page.pageInfo.endCursor]).toEqual([
        page.edges[0]?.cursor ?? null,
        page.edges.at(-1)?.cursor ?? null,
      ]);
      expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
      seen.push(...page.nodes);
      pages += 1;
      if (!page.pageInfo.hasNextPage) return { seen, pages, totalCount: page.totalCount as number };
      after = page.pageInfo.endCursor;
    }
    throw new Error('the pages never end');
  };

  it.each([
    ['CREATED_AT', 1],
    ['CREATED_AT', 7],
    ['CREATED_AT', 57],
    ['CREATED_AT', 100],
    ['AMOUNT', 1],
    ['AMOUNT', 7],
    ['AMOUNT', 56],
  ])('in pages by %s, %i at a time, are the whole list: none twice, none left out', async (orderBy, first) => {
    const { seen, pages, totalCount } = await walk({ orderBy, first });
    expect([new Set(seen.map(({ id }) => id)).size, seen.length, totalCount, pages]).toEqual([
      total,
      total,
      total,
      Math.ceil(total / first),
    ]);
    const sorted = [...seen].sort(
      (a, b) =>
        (orderBy === 'AMOUNT'
          ? b.amount.minorUnits - a.amount.minorUnits
          : new Date(b.createdAt).getTime() - new Date(a.createdAt).getTime()) || (a.id < b.id ? 1 : -1),
    );
    expect(seen.map(({ id }) => id)).toEqual(sorted.map(({ id }) => id));
  });

  it.each<[string, Record<string, unknown>, number]>([
    ['status', { status: ['DECLINED'] }, 19],
    ['several statuses', { status: ['DECLINED', 'REFUNDED'] }, 38],
    ['no status at all', { status: [] }, 0],
    ['currency', { currency: 'USD' }, 28],
    ['amount', { amountAtLeast: 200, amountAtMost: 300 }, 22],
    ['time', { createdFrom: '2026-08-02T00:00:00.000Z', createdBefore: '2026-08-03T00:00:00.000Z' }, 10],
    ['decline code', { declineCode: 'insufficient_funds' }, 19],
    ['another decline code, letter by letter', { declineCode: 'INSUFFICIENT_FUNDS' }, 0],
    ['risk band', { riskBand: 'HIGH' }, 16],
    ['a combination', { status: ['DECLINED'], currency: 'EUR', riskBand: 'LOW' }, 7],
  ])('filtered by %s are counted and paged as filtered', async (_, filter, count) => {
    const { seen, totalCount } = await walk({ filter, first: 5 });
    expect([seen.length, totalCount]).toEqual([count, count]);
  });

  it('can’t be filtered by what the role may not read, literally or by variable', async () => {
    const byVariable = told(await ask({ filter: { riskScoreAtLeast: 50 } }));
    expect(byVariable.data?.customer ?? null).toBeNull();
    expect(byVariable.errors.map((each) => each.slice(1))).toEqual([['DENIED', 'NOT_FILTERABLE']]);
    const literal = told(
      await test.as(
        'ana',
        'query ($id: ID!) { customer(id: $id) { transactions(filter: { riskScoreAtLeast: 1 }) { totalCount } } }',
        {
          id: one,
        },
      ),
    );
    expect(literal.errors.map((each) => each.slice(1))).toEqual([['DENIED', 'NOT_FILTERABLE']]);
  });

  it('refuse a cursor of another list, order, filter, actor or make', async () => {
    const cursorOf = async (variables: Record<string, unknown>, who?: string) =>
      (await ask({ first: 3, ...variables }, who)).data.customer.transactions.pageInfo.endCursor as string;
    const own = await cursorOf({ orderBy: 'CREATED_AT' });
    const foreign = {
      'another customer’s': await cursorOf({ id: other, orderBy: 'CREATED_AT' }),
      'another order': await cursorOf({ orderBy: 'AMOUNT' }),
      'another filter': await cursorOf({ orderBy: 'CREATED_AT', filter: { currency: 'EUR' } }),
      cut: own.slice(0, -2),
      altered: `${own.slice(0, -1)}${own.endsWith('A') ? 'B' : 'A'}`,
      'changed inside': `${own.slice(0, 20)}${own[20] === 'x' ? 'y' : 'x'}${own.slice(21)}`,
      'plain base64': Buffer.from('[0,"txn_"]').toString('base64url'),
      empty: '',
      text: 'after please',
      long: 'A'.repeat(5_000),
    };
    for (const [what, after] of Object.entries(foreign)) {
      expect([what, told(await ask({ orderBy: 'CREATED_AT', first: 3, after }))]).toEqual([
        what,
        { data: { customer: { transactions: null } }, errors: [['customer.transactions', 'INVALID', 'after']] },
      ]);
    }
    // Sam assists the same customer: Ana's place in the list isn't his.
    const [{ id: ticketId } = { id: '' }] = await test.app.database.query<{ id: string }>(
      "SELECT id FROM helpdesk_ticket WHERE reference = '1'",
    );
    await test.as(
      'sam',
      'mutation ($id: ID!) { beginAssistance(input: { ticketId: $id, purpose: OTHER, reason: "A good reason" }) { state } }',
      {
        id: ticketId,
      },
    );
    expect((await ask({ first: 3 }, 'sam')).data.customer.transactions.nodes).toHaveLength(3);
    expect(told(await ask({ orderBy: 'CREATED_AT', first: 3, after: own }, 'sam')).errors).toEqual([
      ['customer.transactions', 'INVALID', 'after'],
    ]);
    expect(told(await ask({ orderBy: 'CREATED_AT', first: 3, after: own })).errors).toEqual([]);
  });

  it.each([0, -1, 101, 2_147_483_647])('refuse a page of %i', async (first) => {
    const { errors } = told(await ask({ first }));
    expect(errors.map(([, code]) => code)).toEqual(['INVALID']);
  });

  it.each([
    ['a currency that is none', { currency: 'EURO' }],
    ['an amount beyond what is safe', { amountAtLeast: Number.MAX_SAFE_INTEGER + 1 }],
    ['a time that is none', { createdFrom: 'yesterday' }],
    ['a status that is none', { status: ['PAID'] }],
    ['a field that is none', { surprise: 1 }],
  ])('refuse %s without repeating it', async (_, filter) => {
    const answer = await ask({ filter });
    expect(answer.data ?? null).toBeNull();
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['INVALID']);
    expect(JSON.stringify(answer)).not.toContain(String(Object.values(filter)[0]));
  });

  it('are shown one by one through the same assistance, and not otherwise', async () => {
    const byId =
      'query ($id: ID!) { transaction(id: $id) { id amount { minorUnits } paymentMethod { last4 } risk { band score } } }';
    const { data } = await ask({ first: 1 });
    const id = data.customer.transactions.nodes[0].id as string;
    const shown = told(await test.as('ana', byId, { id }));
    expect(shown).toEqual({
      data: {
        transaction: {
          id,
          amount: { minorUnits: expect.any(Number) },
          paymentMethod: { last4: '4242' },
          risk: { band: 'HIGH', score: null },
        },
      },
      errors: [['transaction.risk.score', 'DENIED', 'ROLE']],
    });
    // The hidden customer's rows are in the read model; nobody here may tell.
    const hidden = await test.app.database.query<{ id: string }>(
      "SELECT t.id FROM payment_transaction t JOIN helpdesk_customer c ON c.payment_customer_id = t.payment_customer_id WHERE c.reference = 'hidden'",
    );
    expect(hidden).toHaveLength(total);
    const absent = await test.as('ana', byId, { id: 'txn_01ARZ3NDEKTSV4RRFFQ69G5FAV' });
    expect(told(absent).data).toEqual({ transaction: null });
    expect(absent.errors?.find(({ path }) => path?.join('.') === 'transaction')?.extensions.code).toBe('NOT_FOUND');
    for (const other of [hidden[0]?.id, id.toLowerCase(), `${id} `, '', 'x'.repeat(5_000), '%', "'"])
      expect([other, await test.as('ana', byId, { id: other })]).toEqual([other, absent]);
    expect(told(await test.as('ben', byId, { id })).data).toEqual({ transaction: null });
  });
});
