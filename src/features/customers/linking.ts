import type { LinkAssurance } from '../../authz/actor';
import type { Database } from '../../db/database';
import { marks } from '../../db/sql';
import { inTurns, type Lane } from '../../lanes';
import { normalizeEmail } from '../../privacy/digests';
import type { PaymentCustomerRecord, PaymentCustomerSnapshot } from '../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import { joinKey, type KeyedRow, type Keys, keyColumns } from '../keys/keys.service';
import type { PaymentsIngest } from '../payments/payments.ingest';
import type { PaymentsSource, SourceRegistry } from '../sources/registry';
import type { CustomersIngest } from './customers.ingest';
import { decideLink, type LinkCandidate } from './link';

interface CustomerRow extends KeyedRow, Record<string, unknown> {
  readonly id: string;
  readonly source: string;
  readonly reference: string;
  readonly email_sealed: Buffer | null;
  readonly email_digest: string | null;
  readonly email_edited: number;
  readonly protected_reference_digest: string | null;
}

/** What the payment sources said about one customer. `asOf` is taken before the first of them was asked. */
interface Found {
  readonly customerId: string;
  readonly assurance: LinkAssurance;
  readonly source: PaymentsSource | null;
  readonly snapshot: PaymentCustomerSnapshot | null;
  readonly asOf: Date;
}

export interface LinkingProgress {
  readonly done: number;
  readonly total: number;
}

/** Customers of one source that wait for their link, and those of them that were set aside after a fault. */
export interface LinkingCount {
  readonly source: string;
  readonly waiting: number;
  readonly setAside: number;
}

/** Snapshots of payment customers that were fetched a moment ago, by source and reference. */
export type Fetched = ReadonlyMap<string, PaymentCustomerSnapshot>;
export const fetchedKey = (source: string, reference: string): string => `${source} ${reference}`;

const day = 86_400_000;
const columns = `c.id, c.source, c.reference, c.email_sealed, c.email_digest, c.email_edited, c.protected_reference_digest, ${keyColumns}`;
/** Customers that are looked up at once: each takes one to three requests at a time, and a connector has its own limit. */
const customersAtOnce = 8;
/** Customers whose payment side is stored in one change: some milliseconds, so that no disclosure waits long behind it. */
const customersPerChange = 25;
const customersPerPage = 100;

/** Faults that say nothing of the customer who was asked about: whoever is asked about next would meet them too. */
const ofTheSource: readonly SourceUnavailable['why'][] = ['circuit-open', 'overloaded', 'unauthorized', 'rate-limited'];
/** Those that came before the source was asked anything. */
const beforeAsking: readonly SourceUnavailable['why'][] = ['circuit-open', 'overloaded'];

/**
 * Decides who helpdesk customers are on the payment side. A link is decided out of all candidates at all payment sources:
 * while one of them can't be asked nothing is decided, since a candidate that wasn't seen may be the second one. A customer
 * at whom a source fails is set aside and tried again later, and holds up nobody else.
 */
export class Linking {
  /** Told once there may be somebody to link. */
  private whenWoken = () => {};

  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly customers: CustomersIngest,
    private readonly payments: PaymentsIngest,
    private readonly registry: SourceRegistry,
    private readonly windowDays: number,
    private readonly clock: () => Date,
  ) {}

  /** Links one customer, for a person who waits. Throws `SourceUnavailable`. */
  async linkOne(customerId: string): Promise<void> {
    const [row] = await this.rows('c.id = ?', [customerId]);
    if (row) await this.store([await this.find(row, 'interactive', new Map())]);
  }

  /**
   * Links customers whose payment side changed. Those at whom a source fails are due again after a pause; the first such
   * fault is returned. Throws `SourceUnavailable` where a source can't be asked about anybody.
   */
  async linkThese(customerIds: readonly string[], fetched: Fetched = new Map()): Promise<SourceUnavailable | null> {
    if (customerIds.length === 0) return null;
    const rows = await this.rows(`c.id IN (${marks(customerIds)})`, customerIds);
    return this.linkAll(rows, fetched, () => {});
  }

  /**
   * Looks up every customer who was never looked up, or is to be again. Customers who are set aside are left out until
   * their pause is over, or not at all. The first fault of one that was set aside now is returned: it was told of already, and
   * is no fault of the source. Throws `SourceUnavailable` where a source can't be asked about anybody.
   */
  async linkDue(
    options: { readonly setAsideToo?: boolean; readonly until?: () => boolean } = {},
    onProgress: (progress: LinkingProgress) => void = () => {},
  ): Promise<SourceUnavailable | null> {
    if (this.registry.paymentsNames().length === 0) return null;
    const due = options.setAsideToo
      ? 'c.linked_at IS NULL'
      : 'c.linked_at IS NULL AND (c.link_next_at IS NULL OR c.link_next_at <= ?)';
    const parameters = options.setAsideToo ? [] : [this.clock().getTime()];
    const [{ n: total } = { n: 0 }] = await this.database.query<{ n: number }>(
      `SELECT COUNT(*) AS n FROM helpdesk_customer c WHERE ${due}`,
      parameters,
    );
    if (total === 0) return null;
    let done = 0;
    const progress = (count: number) => {
      done += count;
      onProgress({ done, total: Math.max(done, total) });
    };
    return this.linkAll(this.pages(due, parameters, options.until ?? (() => false)), new Map(), progress);
  }

  /**
   * `linkDue` again and again while `reading` brings new customers, and once more when it has ended. Throws what either throws,
   * and the first fault of a customer who isn't linked in the end.
   */
  async linkWhile(reading: Promise<void>, onProgress: (progress: LinkingProgress) => void): Promise<void> {
    let isOver = false;
    const over = reading.then(
      () => {
        isOver = true;
      },
      () => {
        isOver = true;
      },
    );
    for (;;) {
      const isLast = isOver;
      const woken = new Promise<void>((resolve) => {
        this.whenWoken = resolve;
      });
      // What fails while more is still read is met again in the last round.
      const round = this.linkDue({ setAsideToo: isLast }, onProgress);
      const fault = await (isLast ? round : round.catch(() => null));
      if (isLast && fault) throw fault;
      if (isLast) break;
      await Promise.race([woken, over]);
    }
    await reading;
  }

  /** There may be new customers to link. */
  wake(): void {
    this.whenWoken();
  }

  /** Asks about customers again who aren't confirmed until then: something changed at the source and couldn't be read. */
  async setAside(customerIds: readonly string[]): Promise<void> {
    await this.customers.setAside(customerIds, this.clock());
  }

  async counts(): Promise<readonly LinkingCount[]> {
    const rows = await this.database.query<{ source: string; waiting: number; aside: number }>(
      `SELECT source, COUNT(*) AS waiting, COUNT(CASE WHEN link_tries > 0 THEN 1 END) AS aside
         FROM helpdesk_customer WHERE linked_at IS NULL GROUP BY source`,
    );
    const found = new Map(rows.map(({ source, waiting, aside }) => [source, { waiting, setAside: aside }]));
    return this.registry.helpdeskNames().map((source) => ({ source, ...(found.get(source) ?? { waiting: 0, setAside: 0 }) }));
  }

  /** The first fault of a customer that was set aside, or null. */
  private async linkAll(
    rows: Iterable<CustomerRow> | AsyncIterable<CustomerRow>,
    fetched: Fetched,
    onDone: (count: number) => void,
  ): Promise<SourceUnavailable | null> {
    let first: SourceUnavailable | null = null;
    const found: Found[] = [];
    const storeFound = async (atLeast: number) => {
      if (found.length < atLeast) return;
      const part = found.splice(0);
      await this.store(part);
      onDone(part.length);
    };
    try {
      await inTurns(rows, customersAtOnce, async (row) => {
        try {
          found.push(await this.find(row, 'background', fetched));
        } catch (error) {
          if (!(error instanceof SourceUnavailable)) throw error;
          if (!beforeAsking.includes(error.why)) await this.setAside([row.id]);
          if (ofTheSource.includes(error.why)) throw error;
          this.registry.noteFault(error.source, error);
          first ??= error;
          onDone(1);
        }
        await storeFound(customersPerChange);
      });
    } finally {
      await storeFound(1);
    }
    return first;
  }

  private async *pages(due: string, parameters: readonly unknown[], until: () => boolean): AsyncGenerator<CustomerRow> {
    for (let after = ''; !until(); ) {
      const rows = await this.rows(`${due} AND c.id > ? ORDER BY c.id LIMIT ${customersPerPage}`, [...parameters, after]);
      for (const row of rows) {
        if (until()) return;
        after = row.id;
        yield row;
      }
      if (rows.length < customersPerPage) return;
    }
  }

  private rows(condition: string, parameters: readonly unknown[]): Promise<CustomerRow[]> {
    return this.database.query<CustomerRow>(
      `SELECT ${columns} FROM helpdesk_customer c ${joinKey('c')} WHERE ${condition}`,
      parameters,
    );
  }

  private async find(row: CustomerRow, lane: Lane, fetched: Fetched): Promise<Found> {
    const asOf = this.clock();
    const candidates = await this.candidatesOf(row, lane);
    const link = decideLink(
      {
        nameDigest: this.keys.searchDigest('helpdesk-reference', `${row.source}:${row.reference}`) as string,
        emailDigest: row.email_digest,
        emailEdited: row.email_edited === 1,
        protectedReferenceDigest: row.protected_reference_digest,
      },
      candidates.map(({ candidate }) => candidate),
    );
    const chosen = candidates.find(({ candidate }) => candidate.id === link.paymentCustomerId);
    if (!chosen) return { customerId: row.id, assurance: 'NONE', source: null, snapshot: null, asOf };
    const { source, record } = chosen;
    const since = new Date(asOf.getTime() - this.windowDays * day);
    const snapshot =
      fetched.get(fetchedKey(source.name, record.reference)) ?? (await source.connector.fetchCustomer(record.reference, since));
    return { customerId: row.id, assurance: link.assurance, source, snapshot, asOf };
  }

  /** What the chosen ones hold first: a link never leads to what isn't stored. */
  private async store(found: readonly Found[]): Promise<void> {
    const ids = new Map<string, string>();
    for (const source of new Set(found.flatMap(({ source }) => source?.name ?? []))) {
      // Two helpdesk customers may be one payment customer.
      const snapshots = new Map(
        found.flatMap((each) =>
          each.source?.name === source && each.snapshot ? [[each.snapshot.customer.reference, each.snapshot]] : [],
        ),
      );
      for (const [reference, id] of await this.payments.take(source, [...snapshots.values()]))
        ids.set(fetchedKey(source, reference), id);
    }
    await this.customers.link(
      found.map(({ customerId, assurance, source, snapshot, asOf }) => {
        const paymentCustomerId =
          source && snapshot ? (ids.get(fetchedKey(source.name, snapshot.customer.reference)) ?? null) : null;
        return { customerId, link: paymentCustomerId ? assurance : 'NONE', paymentCustomerId, asOf };
      }),
    );
  }

  private async candidatesOf(
    row: CustomerRow,
    lane: Lane,
  ): Promise<readonly { source: PaymentsSource; record: PaymentCustomerRecord; candidate: LinkCandidate }[]> {
    const email = this.keys.openColumn(
      row,
      { table: 'helpdesk_customer', column: 'email_sealed', row: row.id },
      row.email_sealed,
    );
    const search = { helpdeskReference: `${row.source}:${row.reference}`, email: email === null ? null : normalizeEmail(email) };
    const found = await Promise.all(
      this.registry
        .allPayments(lane)
        .map(async (source) => (await source.connector.findCustomers(search)).map((record) => ({ source, record }))),
    );
    return found.flat().map(({ source, record }) => ({
      source,
      record,
      candidate: {
        id: fetchedKey(source.name, record.reference),
        referenceDigest: this.keys.searchDigest('payment-customer', record.reference) as string,
        emailDigest: this.keys.searchDigest('email', record.email ? normalizeEmail(record.email) : null),
        helpdeskNameDigest: this.keys.searchDigest('helpdesk-reference', record.helpdeskReference),
      },
    }));
  }
}
