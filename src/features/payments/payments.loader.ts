import DataLoader from 'dataloader';
import type { Database } from '../../db/database';
import { partsByRows } from '../../db/parts-by-rows';
import { type Reached, reachedBy } from '../../db/reached';
import type { SharedLists } from '../../db/shared-reads';
import { joined, padded, type Sql, sql } from '../../db/sql';
import type { Selected, Table } from '../../db/table';
import type { Position } from '../../graphql/cursor';
import { type Keyset, pageClause, putInOrder } from '../../graphql/page';
import { nextTurn } from '../../graphql/work';
import { beginningsOf, type OwnersPage, readBeginnings } from '../beginnings';
import type { CustomerType } from '../customers/customer.type';
import type { KeyedRow, Keys } from '../keys/keys.service';
import type { Loading } from '../loading';
import type { Transaction } from './payment.entity';
import type { TransactionFilter } from './payment.filter';
import { PaymentMethodType, TransactionOrder, TransactionType } from './payment.type';
import {
  method,
  methodRows,
  ownedTransactionRows,
  type PaymentMethodRow,
  payer,
  type TransactionRow,
  transaction,
  transactionCounts,
  transactionCountsOfEach,
  transactionRows,
} from './payments.rows';

/** One page of one customer's transactions. */
export interface TransactionList {
  readonly paymentCustomerId: Reached;
  readonly filter: TransactionFilter;
  readonly orderBy: TransactionOrder;
  /** Rows to fetch. */
  readonly limit: number;
  readonly after: Position | null;
}

export const transactionsBy: Readonly<Record<TransactionOrder, Keyset<Pick<TransactionRow, 'id' | 'amount' | 'createdAt'>>>> = {
  [TransactionOrder.AMOUNT]: {
    column: transaction.amount,
    id: transaction.id,
    direction: 'DESC',
    positionOf: ({ amount, id }) => ({ value: amount, id }),
  },
  [TransactionOrder.CREATED_AT]: {
    column: transaction.createdAt,
    id: transaction.id,
    direction: 'DESC',
    positionOf: ({ createdAt, id }) => ({ value: createdAt.getTime(), id }),
  },
};

/** What a list is narrowed by beside its owner. */
const narrowingOf = (filter: TransactionFilter, t: Table<Transaction>): readonly Sql[] => {
  const conditions: Sql[] = [];
  if (filter.status) conditions.push(filter.status.length > 0 ? sql`${t.status} IN (${filter.status})` : sql`1 = 0`);
  if (filter.currency) conditions.push(sql`${t.currency} = ${filter.currency}`);
  if (filter.amountAtLeast != null) conditions.push(sql`${t.amount} >= ${filter.amountAtLeast}`);
  if (filter.amountAtMost != null) conditions.push(sql`${t.amount} <= ${filter.amountAtMost}`);
  if (filter.createdFrom) conditions.push(sql`${t.createdAt} >= ${filter.createdFrom}`);
  if (filter.createdBefore) conditions.push(sql`${t.createdAt} < ${filter.createdBefore}`);
  if (typeof filter.declineCode === 'string') conditions.push(sql`${t.declineCode} = ${filter.declineCode}`);
  if (filter.riskBand) conditions.push(sql`${t.riskBand} = ${filter.riskBand}`);
  if (filter.riskScoreAtLeast != null) conditions.push(sql`${t.riskScore} >= ${filter.riskScoreAtLeast}`);
  return conditions;
};

/** The WHERE of a list without its position, so that a count counts the whole list. */
const conditionOf = ({ paymentCustomerId, filter }: TransactionList): Sql =>
  joined([sql`${transaction.paymentCustomerId} = ${paymentCustomerId}`, ...narrowingOf(filter, transaction)], ' AND ');

/** Equal for lists that differ by their customers, and their places in them, alone. */
const kindOf = ({ filter, orderBy }: TransactionList): string => JSON.stringify([filter, orderBy]);
const ownersPageOf = (list: TransactionList): OwnersPage => ({ ...list, owner: list.paymentCustomerId, by: kindOf(list) });

const firstBy = (orderBy: TransactionOrder, filter: TransactionFilter) => {
  const column = orderBy === TransactionOrder.AMOUNT ? ('amount' as const) : ('createdAt' as const);
  return beginningsOf(
    {
      of: transaction,
      columns: (of: Table<Transaction>) => ({
        owner: of.paymentCustomerId,
        order: of[column],
        conditions: narrowingOf(filter, of),
      }),
      direction: 'DESC' as const,
      index: `ix_payment_transaction_payment_customer_id_${column === 'amount' ? 'amount' : 'created_at'}_id`,
      ownerIds: { id: payer.id, from: sql`FROM ${payer}` },
    },
    transactionsBy[orderBy],
  );
};

/** Those that nobody narrows, which requests read together. */
const firstOfAll: Readonly<Record<TransactionOrder, ReturnType<typeof firstBy>>> = {
  [TransactionOrder.AMOUNT]: firstBy(TransactionOrder.AMOUNT, {}),
  [TransactionOrder.CREATED_AT]: firstBy(TransactionOrder.CREATED_AT, {}),
};

/** The first transactions of customers, for one list or those that are like it. */
const firstOf = ({ filter, orderBy }: TransactionList) =>
  narrowingOf(filter, transaction).length === 0 ? firstOfAll[orderBy] : firstBy(orderBy, filter);

type OwnedTransaction = Selected<typeof ownedTransactionRows> & KeyedRow;

const payerOf = (row: { readonly paymentCustomerId: string }): Reached => reachedBy(row, 'paymentCustomerId');

/** Payment methods that a customer shows. */
export const mostMethods = 50;

/** The payment methods that a customer shows, in their order. */
const shownMethods: SharedLists<Selected<typeof methodRows>> = {
  owner: 'paymentCustomerId',
  rest: sql`AND ${method.status} <> 'REMOVED' AND ${method.sameAsId} IS NULL ORDER BY ${method.isDefault} DESC, ${method.createdAt} DESC, ${method.id}`,
  most: mostMethods,
};

/** Transactions that one statement reads at most. */
const rowsAtOnce = 2_500;
/** Lists that go into one statement: SQLite takes 500 terms of a compound SELECT. */
const listsPerStatement = 100;

/** What customers paid and pay with, each relation of a level in one statement. */
export class PaymentsLoader {
  private readonly methods: DataLoader<Reached, readonly PaymentMethodRow[]>;
  private readonly method: DataLoader<Reached, PaymentMethodRow | null>;
  /** Methods of customers whose list this request reads. */
  private readonly listed = new Map<string, Promise<readonly PaymentMethodRow[]>>();
  /** Those of `listed` that are there. */
  private readonly read = new Map<string, readonly PaymentMethodRow[]>();
  private readonly transactions: DataLoader<Reached, OwnedTransaction | null>;
  private readonly made = new Map<PaymentMethodRow, PaymentMethodType>();
  private readonly pages: DataLoader<TransactionList, readonly TransactionRow[], string>;
  private readonly counts: DataLoader<TransactionList, number, string>;

  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly loading: Loading,
  ) {
    this.methods = new DataLoader(async (ids) => {
      const selection = methodRows.for(loading.fields());
      const isSealed = selection.has('billingAddressSealed');
      const [lists] = await Promise.all([
        database.shared.ofEach(selection, shownMethods, ids),
        isSealed ? loading.keys.ofOwners(ids) : null,
      ]);
      return Promise.all(lists.map((rows) => this.withKeys(rows, isSealed, payerOf)));
    });
    this.method = new DataLoader(async (ids) => {
      const selection = methodRows.for(loading.fields());
      const rows = await this.withKeys(
        await database.shared.ofIds(selection, 'id', ids),
        selection.has('billingAddressSealed'),
        payerOf,
      );
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    });
    this.transactions = new DataLoader(async (ids) => {
      const selection = ownedTransactionRows.for(loading.fields());
      const rows = await this.withKeys(
        await database.shared.ofIds(selection, 'id', ids),
        selection.has('orderDescriptionSealed'),
        payerOf,
      );
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    });
    const cacheKeyFn = (list: TransactionList) => JSON.stringify(list);
    this.pages = new DataLoader((lists) => this.fetchPages(lists), { cacheKeyFn, maxBatchSize: listsPerStatement });
    this.counts = new DataLoader((lists) => this.fetchCounts(lists), { cacheKeyFn, maxBatchSize: listsPerStatement });
  }

  async methodsOf(customer: CustomerType): Promise<readonly PaymentMethodType[] | null> {
    const id = customer.paymentCustomerId;
    if (id === null) return null;
    const listed = this.methods.load(id);
    this.listed.set(id, listed);
    const rows = await listed;
    this.read.set(id, rows);
    return rows.map((row) => this.shownOf(customer, row));
  }

  /** Null when the customer has no such method: a transaction never leads to somebody else's. No promise where the list has it already. */
  methodOf(customer: CustomerType, id: Reached | null): PaymentMethodType | null | Promise<PaymentMethodType | null> {
    if (id === null) return null;
    const row = this.read.get(customer.paymentCustomerId ?? '')?.find((each) => each.id === id);
    return row ? this.shownOf(customer, row) : this.lookUp(customer, id);
  }

  /** Null where the customer has no such transaction. */
  async transactionOf(customer: CustomerType, id: Reached | null): Promise<TransactionType | null> {
    const row = id === null ? null : await this.transactions.load(id);
    return row && row.paymentCustomerId === customer.paymentCustomerId ? new TransactionType(customer, row, this.keys) : null;
  }

  private async lookUp(customer: CustomerType, id: Reached): Promise<PaymentMethodType | null> {
    // Where the list is read anyway, most transactions lead to one of it; a removed method isn't in it.
    const listed = await this.listed.get(customer.paymentCustomerId ?? '');
    const found = listed?.find((each) => each.id === id) ?? (await this.method.load(id));
    // The same card or account as another one, which was shown in its place later.
    const same = found && reachedBy(found, 'sameAsId');
    const row = same ? await this.method.load(same) : found;
    return row && row.paymentCustomerId === customer.paymentCustomerId ? this.shownOf(customer, row) : null;
  }

  /** One object for all places of an answer where it stands. */
  private shownOf(customer: CustomerType, row: PaymentMethodRow): PaymentMethodType {
    const known = this.made.get(row);
    if (known?.customer === customer) return known;
    const made = new PaymentMethodType(customer, row, this.keys);
    this.made.set(row, made);
    return made;
  }

  page(list: TransactionList): Promise<readonly TransactionRow[]> {
    return this.pages.load(list);
  }

  count(list: TransactionList): Promise<number> {
    return this.counts.load({ ...list, after: null });
  }

  /** Rows of payment customers with what opens them, where something sealed was read of them. */
  async withKeys<Row extends object>(
    rows: readonly Row[],
    isSealed: boolean,
    payerOf: (row: Row) => Reached,
  ): Promise<(Row & KeyedRow)[]> {
    // What is sealed wasn't read, and throws before anybody asks for its key.
    return isSealed ? this.loading.keys.ofRows(rows, payerOf) : (rows as (Row & KeyedRow)[]);
  }

  private async fetchPages(lists: readonly TransactionList[]): Promise<TransactionRow[][]> {
    const selection = transactionRows.for(this.loading.fields());
    const isSealed = selection.has('orderDescriptionSealed');
    const keys = isSealed ? this.loading.keys.ofOwners(lists.map(({ paymentCustomerId }) => paymentCustomerId)) : null;
    const pages: TransactionRow[][] = [];
    for (const part of partsByRows(lists, ({ limit }) => limit, rowsAtOnce)) {
      if (pages.length > 0) await nextTurn();
      const [read] = await Promise.all([this.readPart(selection, part), keys]);
      for (const [index, { paymentCustomerId }] of part.entries())
        pages.push(await this.withKeys(read[index] ?? [], isSealed, () => paymentCustomerId));
    }
    return lists.map(({ orderBy }, index) => putInOrder(pages[index] ?? [], transactionsBy[orderBy]));
  }

  private async readPart(selection: typeof transactionRows, part: readonly TransactionList[]) {
    const beginnings = await readBeginnings(
      this.database,
      selection,
      part.map(ownersPageOf),
      firstOf(part[0] as TransactionList),
    );
    return (
      beginnings ??
      this.database.readLists(
        selection,
        part.map((list) => sql`WHERE ${conditionOf(list)} ${pageClause(transactionsBy[list.orderBy], list.after, list.limit)}`),
      )
    );
  }

  private async fetchCounts(lists: readonly TransactionList[]): Promise<number[]> {
    const [first] = lists;
    if (first && lists.length > 1 && lists.every((list) => kindOf(list) === kindOf(first))) {
      const owners = lists.map(({ paymentCustomerId }) => paymentCustomerId);
      const among = sql`${transaction.paymentCustomerId} IN (${padded(owners)})`;
      const rows = await this.database.read(
        transactionCountsOfEach,
        sql`WHERE ${joined([among, ...narrowingOf(first.filter, transaction)], ' AND ')} GROUP BY ${transaction.paymentCustomerId}`,
      );
      const byOwner = new Map(rows.map(({ paymentCustomerId, n }) => [paymentCustomerId, n]));
      return owners.map((owner) => byOwner.get(owner) ?? 0);
    }
    const counted = await this.database.readLists(
      transactionCounts,
      lists.map((list) => sql`WHERE ${conditionOf(list)}`),
    );
    return counted.map(([row]) => row?.n ?? 0);
  }
}
