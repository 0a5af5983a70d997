import DataLoader from 'dataloader';
import type { Database } from '../../db/database';
import { marks } from '../../db/sql';
import { unionOfLists } from '../../db/union-of-lists';
import type { Position } from '../../graphql/cursor';
import type { CustomerType } from '../customers/customer.type';
import { joinKey, type Keys, keyColumns } from '../keys/keys.service';
import {
  type PaymentMethodRow,
  PaymentMethodType,
  type TransactionFilter,
  TransactionOrder,
  type TransactionRow,
} from './payment.type';

const methodColumns = `m.id, m.payment_customer_id, p.source, m.surrogate, m.kind, m.brand, m.last4, m.expiry_month, m.expiry_year, m.status, m.is_default, m.billing_address_sealed, ${keyColumns}`;
const methodJoins = `JOIN payment_customer p ON p.id = m.payment_customer_id ${joinKey('p')}`;

export const transactionColumns = `t.id, t.payment_customer_id, t.reference, t.payment_method_id, t.order_reference, t.order_description_sealed, t.amount, t.currency, t.status, t.decline_code, t.decline_advice, t.device, t.country, t.risk_band, t.risk_score, t.risk_signals, t.dispute_status, t.dispute_reason, t.dispute_opened_at, t.created_at, ${keyColumns}`;
export const transactionJoins = `JOIN payment_customer p ON p.id = t.payment_customer_id ${joinKey('p')}`;

/** One page of one customer's transactions. */
export interface TransactionList {
  readonly paymentCustomerId: string;
  readonly filter: TransactionFilter;
  readonly orderBy: TransactionOrder;
  /** Rows to fetch. */
  readonly limit: number;
  readonly after: Position | null;
}

const orderColumn = (orderBy: TransactionOrder): string => (orderBy === TransactionOrder.AMOUNT ? 't.amount' : 't.created_at');

/** The WHERE of a list without its position, so that a count counts the whole list. */
const conditionOf = ({ paymentCustomerId, filter }: TransactionList): { sql: string; parameters: unknown[] } => {
  const conditions = ['t.payment_customer_id = ?'];
  const parameters: unknown[] = [paymentCustomerId];
  const add = (sql: string, ...values: unknown[]) => {
    conditions.push(sql);
    parameters.push(...values);
  };
  if (filter.status) add(filter.status.length > 0 ? `t.status IN (${marks(filter.status)})` : '1 = 0', ...filter.status);
  if (filter.currency) add('t.currency = ?', filter.currency);
  if (filter.amountAtLeast != null) add('t.amount >= ?', filter.amountAtLeast);
  if (filter.amountAtMost != null) add('t.amount <= ?', filter.amountAtMost);
  if (filter.createdFrom) add('t.created_at >= ?', filter.createdFrom.getTime());
  if (filter.createdBefore) add('t.created_at < ?', filter.createdBefore.getTime());
  if (typeof filter.declineCode === 'string') add('t.decline_code = ?', filter.declineCode);
  if (filter.riskBand) add('t.risk_band = ?', filter.riskBand);
  if (filter.riskScoreAtLeast != null) add('t.risk_score >= ?', filter.riskScoreAtLeast);
  return { sql: conditions.join(' AND '), parameters };
};

/** Lists that go into one statement: SQLite takes 500 terms of a compound SELECT. */
const listsPerStatement = 100;

/** What customers paid and pay with, each relation of a level in one statement. */
export class PaymentsLoader {
  private readonly methods: DataLoader<string, readonly PaymentMethodRow[]>;
  private readonly method: DataLoader<string, PaymentMethodRow | null>;
  /** Methods of customers whose list this request reads. */
  private readonly listed = new Map<string, Promise<readonly PaymentMethodRow[]>>();
  private readonly pages: DataLoader<TransactionList, readonly TransactionRow[], string>;
  private readonly counts: DataLoader<TransactionList, number, string>;

  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
  ) {
    this.methods = new DataLoader(async (ids) => {
      const rows = await database.query<PaymentMethodRow>(
        `SELECT ${methodColumns} FROM payment_method m ${methodJoins} WHERE m.payment_customer_id IN (${marks(ids)}) AND m.status <> 'REMOVED' ORDER BY m.is_default DESC, m.created_at DESC, m.id`,
        ids,
      );
      const byCustomer = groupBy(rows, (row) => row.payment_customer_id);
      return ids.map((id) => byCustomer.get(id) ?? []);
    });
    this.method = new DataLoader(async (ids) => {
      const rows = await database.query<PaymentMethodRow>(
        `SELECT ${methodColumns} FROM payment_method m ${methodJoins} WHERE m.id IN (${marks(ids)})`,
        ids,
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
    return (await listed).map((row) => new PaymentMethodType(customer, row, this.keys));
  }

  /** Null when the customer has no such method: a transaction never leads to somebody else's. */
  async methodOf(customer: CustomerType, id: string | null): Promise<PaymentMethodType | null> {
    if (id === null) return null;
    // Where the list is read anyway, most transactions lead to one of it; a removed method isn't in it.
    const listed = await this.listed.get(customer.paymentCustomerId ?? '');
    const row = listed?.find((each) => each.id === id) ?? (await this.method.load(id));
    return row && row.payment_customer_id === customer.paymentCustomerId ? new PaymentMethodType(customer, row, this.keys) : null;
  }

  page(list: TransactionList): Promise<readonly TransactionRow[]> {
    return this.pages.load(list);
  }

  count(list: TransactionList): Promise<number> {
    return this.counts.load({ ...list, after: null });
  }

  private async fetchPages(lists: readonly TransactionList[]): Promise<TransactionRow[][]> {
    const parts = lists.map((list, index) => {
      const { sql, parameters } = conditionOf(list);
      const column = orderColumn(list.orderBy);
      const after = list.after ? ` AND (${column} < ? OR (${column} = ? AND t.id < ?))` : '';
      return {
        sql: `SELECT ${index} AS list, ${transactionColumns} FROM payment_transaction t ${transactionJoins} WHERE ${sql}${after} ORDER BY ${column} DESC, t.id DESC LIMIT ?`,
        parameters: [...parameters, ...(list.after ? [list.after.value, list.after.value, list.after.id] : []), list.limit],
      };
    });
    const rows = await this.database.query<TransactionRow & { list: number }>(
      unionOfLists(
        this.database.engine,
        parts.map(({ sql }) => sql),
      ),
      parts.flatMap(({ parameters }) => parameters),
    );
    const pages: TransactionRow[][] = lists.map(() => []);
    for (const row of rows) pages[row.list]?.push(row);
    for (const [index, page] of pages.entries()) {
      const value = (row: TransactionRow) => (lists[index]?.orderBy === TransactionOrder.AMOUNT ? row.amount : row.created_at);
      // UNION ALL promises no order between its parts' rows.
      page.sort((a, b) => value(b) - value(a) || (a.id < b.id ? 1 : -1));
    }
    return pages;
  }

  private async fetchCounts(lists: readonly TransactionList[]): Promise<number[]> {
    const parts = lists.map((list, index) => {
      const { sql, parameters } = conditionOf(list);
      return { sql: `SELECT ${index} AS list, COUNT(*) AS n FROM payment_transaction t WHERE ${sql}`, parameters };
    });
    const rows = await this.database.query<{ list: number; n: number }>(
      parts.map(({ sql }) => sql).join(' UNION ALL '),
      parts.flatMap(({ parameters }) => parameters),
    );
    const counts = new Map(rows.map((row) => [row.list, row.n]));
    return lists.map((_, index) => counts.get(index) ?? 0);
  }
}

const groupBy = <Row>(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> => {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group) group.push(row);
    else groups.set(keyOf(row), [row]);
  }
  return groups;
};
