import type { LinkAssurance } from '../../authz/actor';
import { raw, type Sql, sql } from '../../db/sql';
import { optional, type Selected, select, wholeNumber } from '../../db/table';
import { inTurns, type Lane } from '../../lanes';
import { normalizeEmail } from '../../privacy/mail-addresses';
import type { PaymentCustomerRecord, PaymentCustomerSnapshot } from '../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import { emailDigest } from '../keys/contact-digests';
import { keyed, withKeyOf } from '../keys/keys.service';
import { paymentCustomers } from '../payments/payment.entity';
import type { PaymentsSource } from '../sources/registry';
import type { SourceParts } from '../sources/source-parts';
import { customers } from './customer.entity';
import { customer } from './customers.rows';
import { decideLink, type LinkCandidate } from './link';

const payer = paymentCustomers.as('p');

/** A customer with what says who they are on the payment side. */
const soughtRows = select(
  {
    ...customer.pick('id', 'source', 'reference', 'emailSealed', 'emailEdited', 'protectedReferenceDigest'),
    ...customer.pick('link', 'paymentCustomerId'),
    payerSource: optional(payer.source),
    payerDigest: optional(payer.referenceDigest),
    ...keyed,
  },
  sql`FROM ${customer} ${withKeyOf(customer)} LEFT JOIN ${payer} ON ${payer.id} = ${customer.paymentCustomerId}`,
);
type SoughtCustomer = Selected<typeof soughtRows>;
const dueCounts = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${customer}`);
const countsBySource = select(
  {
    source: customer.source,
    waiting: wholeNumber(sql`COUNT(*)`),
    setAside: wholeNumber(sql`COUNT(CASE WHEN ${customer.linkTries} > 0 THEN 1 END)`),
  },
  sql`FROM ${customer}`,
);
const linkedIds = select({ id: customer.id }, sql`FROM ${customer} JOIN ${payer} ON ${payer.id} = ${customer.paymentCustomerId}`);

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

  constructor(private readonly parts: SourceParts) {}

  /** Links one customer, for a person who waits. Throws `SourceUnavailable`. */
  async linkOne(customerId: string): Promise<void> {
    const [row] = await this.rows(sql`${customer.id} = ${customerId}`);
    if (row) await this.store([await this.find(row, 'interactive', new Map())]);
  }

  /**
   * Links customers whose payment side changed. Those at whom a source fails are due again after a pause; the first such
   * fault is returned. Throws `SourceUnavailable` where a source can't be asked about anybody.
   */
  async linkThese(customerIds: readonly string[], fetched: Fetched = new Map()): Promise<SourceUnavailable | null> {
    if (customerIds.length === 0) return null;
    const rows = await this.rows(sql`${customer.id} IN (${customerIds})`);
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
    if (this.parts.registry.paymentsNames().length === 0) return null;
    const { linkedAt, linkNextAt } = customer;
    const due = options.setAsideToo
      ? sql`${linkedAt} IS NULL`
      : sql`${linkedAt} IS NULL AND (${linkNextAt} IS NULL OR ${linkNextAt} <= ${this.parts.clock()})`;
    const [{ n: total } = { n: 0 }] = await this.parts.database.read(dueCounts, sql`WHERE ${due}`);
    if (total === 0) return null;
    let done = 0;
    const progress = (count: number) => {
      done += count;
      onProgress({ done, total: Math.max(done, total) });
    };
    return this.linkAll(this.pages(due, options.until ?? (() => false)), new Map(), progress);
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

  /** The customers who are linked to these payment customers. */
  async linkedTo(paymentCustomerIds: readonly string[]): Promise<readonly string[]> {
    return paymentCustomerIds.length === 0 ? [] : this.linked(sql`${payer.id} IN (${paymentCustomerIds})`);
  }

  /** The customers whose payment side at this source was last read before an instant. */
  readBefore(source: string, before: Date): Promise<readonly string[]> {
    return this.linked(sql`${payer.source} = ${source} AND ${payer.observedAt} < ${before}`);
  }

  /** Asks about customers again who aren't confirmed until then: something changed at the source and couldn't be read. */
  async setAside(customerIds: readonly string[]): Promise<void> {
    await this.parts.customers.setAside(customerIds, this.parts.clock());
  }

  async counts(): Promise<readonly LinkingCount[]> {
    const rows = await this.parts.database.read(
      countsBySource,
      sql`WHERE ${customer.linkedAt} IS NULL GROUP BY ${customer.source}`,
    );
    const found = new Map(rows.map((row) => [row.source, row]));
    return this.parts.registry.helpdeskNames().map((source) => found.get(source) ?? { source, waiting: 0, setAside: 0 });
  }

  /** The first fault of a customer that was set aside, or null. */
  private async linkAll(
    rows: Iterable<SoughtCustomer> | AsyncIterable<SoughtCustomer>,
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
          this.parts.registry.noteFault(error.source, error);
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

  private async *pages(due: Sql, until: () => boolean): AsyncGenerator<SoughtCustomer> {
    for (let after = ''; !until(); ) {
      const rows = await this.rows(
        sql`${due} AND ${customer.id} > ${after} ORDER BY ${customer.id} LIMIT ${raw(`${customersPerPage}`)}`,
      );
      for (const row of rows) {
        if (until()) return;
        after = row.id;
        yield row;
      }
      if (rows.length < customersPerPage) return;
    }
  }

  private async linked(condition: Sql): Promise<readonly string[]> {
    return (await this.parts.database.read(linkedIds, sql`WHERE ${condition}`)).map(({ id }) => id);
  }

  private rows(condition: Sql): Promise<SoughtCustomer[]> {
    return this.parts.database.read(soughtRows, sql`WHERE ${condition}`);
  }

  private async find(row: SoughtCustomer, lane: Lane, fetched: Fetched): Promise<Found> {
    const asOf = this.parts.clock();
    const candidates = await this.candidatesOf(row, lane);
    const link = decideLink(
      {
        nameDigest: this.parts.keys.searchDigest('helpdesk-reference', `${row.source}:${row.reference}`) as string,
        // Of the address itself: the row may hold its digest in the form of an earlier version.
        emailDigest: emailDigest(this.parts.keys, this.parts.keys.open(customers, row, 'email')),
        emailEdited: row.emailEdited,
        protectedReferenceDigest: row.protectedReferenceDigest,
      },
      candidates.map(({ candidate }) => candidate),
    );
    await this.expectGone(row, candidates, lane);
    const chosen = candidates.find(({ candidate }) => candidate.id === link.paymentCustomerId);
    if (!chosen) return { customerId: row.id, assurance: 'NONE', source: null, snapshot: null, asOf };
    const { source, record } = chosen;
    const since = new Date(asOf.getTime() - this.parts.settings.windowDays * day);
    const snapshot =
      fetched.get(fetchedKey(source.name, record.reference)) ?? (await source.connector.fetchCustomer(record.reference, since));
    return { customerId: row.id, assurance: link.assurance, source, snapshot, asOf };
  }

  /** What the chosen payment customers have comes first: a link never leads to what isn't stored. */
  private async store(found: readonly Found[]): Promise<void> {
    const ids = new Map<string, string>();
    for (const source of new Set(found.flatMap(({ source }) => source?.name ?? []))) {
      // Two helpdesk customers may be one payment customer.
      const snapshots = new Map(
        found.flatMap((each) =>
          each.source?.name === source && each.snapshot ? [[each.snapshot.customer.reference, each.snapshot]] : [],
        ),
      );
      for (const [reference, id] of await this.parts.payments.take(source, [...snapshots.values()]))
        ids.set(fetchedKey(source, reference), id);
    }
    await this.parts.customers.link(
      found.map(({ customerId, assurance, source, snapshot, asOf }) => {
        const paymentCustomerId =
          source && snapshot ? (ids.get(fetchedKey(source.name, snapshot.customer.reference)) ?? null) : null;
        return { customerId, link: paymentCustomerId ? assurance : 'NONE', paymentCustomerId, asOf };
      }),
    );
  }

  /**
   * Who was linked and isn't found any more is asked for by reference: with a key that sees another account nobody is found, and
   * that unlinks nobody. Throws `SourceUnavailable`.
   */
  private async expectGone(
    row: SoughtCustomer,
    candidates: readonly { readonly source: PaymentsSource; readonly candidate: LinkCandidate }[],
    lane: Lane,
  ): Promise<void> {
    const { link, paymentCustomerId, payerSource, payerDigest } = row;
    if (link === 'NONE' || paymentCustomerId === null) return;
    const isFound = candidates.some(
      ({ source, candidate }) => source.name === payerSource && candidate.referenceDigest === payerDigest,
    );
    const source = isFound ? undefined : this.parts.registry.allPayments(lane).find(({ name }) => name === payerSource);
    const known = source && (await this.parts.payments.named(paymentCustomerId));
    if (source && known) await source.connector.fetchCustomer(known.reference, this.parts.clock());
  }

  private async candidatesOf(
    row: SoughtCustomer,
    lane: Lane,
  ): Promise<readonly { source: PaymentsSource; record: PaymentCustomerRecord; candidate: LinkCandidate }[]> {
    const email = this.parts.keys.open(customers, row, 'email');
    const search = { helpdeskReference: `${row.source}:${row.reference}`, email: email === null ? null : normalizeEmail(email) };
    const found = await Promise.all(
      this.parts.registry.allPayments(lane).map(async (source) => {
        await source.connector.confirmAccount?.();
        return (await source.connector.findCustomers(search)).map((record) => ({ source, record }));
      }),
    );
    return found.flat().map(({ source, record }) => ({
      source,
      record,
      candidate: {
        id: fetchedKey(source.name, record.reference),
        referenceDigest: this.parts.keys.searchDigest('payment-customer', record.reference) as string,
        emailDigest: emailDigest(this.parts.keys, record.email),
        helpdeskNameDigest: this.parts.keys.searchDigest('helpdesk-reference', record.helpdeskReference),
      },
    }));
  }
}
