import type { Change } from '../../db/change';
import { bounded } from '../../db/columns';
import type { Database } from '../../db/database';
import { raw, type Sql, sql } from '../../db/sql';
import { type Selected, select, type Values } from '../../db/table';
import type { DataKey } from '../../privacy/customer-keys';
import { type RecordTexts, type Redactor, withoutCardData } from '../../privacy/redaction';
import type { Signal, Subjects } from '../../risk/signal';
import { ulid } from '../../ulid';
import type {
  AddressRecord,
  KnownObjects,
  PaymentCustomerRecord,
  PaymentCustomerSnapshot,
  PaymentMethodRecord,
  RefundRecord,
  TransactionRecord,
  TransactionStatus,
} from '../../upstream/payments/payments.port';
import { endLinks } from '../customers/customers.ingest';
import { emailDigest, phoneDigest } from '../keys/contact-digests';
import { contentDigest } from '../keys/content-digest';
import { type Keys, keyed, sealField, withKeyOf } from '../keys/keys.service';
import { recordSignals } from '../signals/recorder';
import { contactHistory, type KnownContact } from './contact-history';
import {
  mostRefunds,
  type PaymentCustomer,
  type PaymentMethod,
  paymentCustomers,
  paymentMethods,
  type StoredRefund,
  type Transaction,
  transactions,
} from './payment.entity';
import { payer, payerRows } from './payments.rows';
import { contactChanged, payerSubjects, signalsOfPayment } from './payments.signals';
import { placesOf } from './same-methods';

const knownCustomers = select(
  {
    ...paymentCustomers.pick('id', 'referenceDigest', 'observedAt', 'emailDigest', 'phoneDigest', 'emailSealed', 'phoneSealed'),
    ...paymentCustomers.pick('emailSeenSince', 'emailChangedAt', 'phoneSeenSince', 'phoneChangedAt'),
    ...keyed,
  },
  sql`FROM ${paymentCustomers} ${withKeyOf(paymentCustomers)}`,
);
const knownReferences = select(paymentCustomers.pick('id', 'referenceDigest'), sql`FROM ${paymentCustomers}`);
const knownMethods = select(
  paymentMethods.pick('id', 'paymentCustomerId', 'referenceDigest', 'status'),
  sql`FROM ${paymentMethods}`,
);
const knownTransactions = select(
  transactions.pick('id', 'paymentCustomerId', 'reference', 'digest', 'confirmedAt', 'status'),
  sql`FROM ${transactions}`,
);
const heldReferences = select(transactions.pick('reference'), sql`FROM ${transactions}`);

const knownObjects = select(
  transactions.pick('reference'),
  sql`FROM ${transactions} JOIN ${paymentCustomers}
  ON ${paymentCustomers.id} = ${transactions.paymentCustomerId}`,
);

/** How many of each kind stand for what a source showed. */
const mostKnown = 4;

/**
 * Payments, and methods, of one answer about a customer: what a connector gives beyond that is as if it hadn't. Each may be evidence of a warning, a
 * dispute and more, and all of a customer are stored in one change.
 */
const mostTaken = 1_000;
const newest = <R extends { readonly createdAt: Date }>(records: readonly R[]): readonly R[] =>
  records.length <= mostTaken
    ? records
    : [...records].sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime()).slice(0, mostTaken);
const taken = ({ methods, transactions: all, besides = [], ...snapshot }: PaymentCustomerSnapshot): PaymentCustomerSnapshot => ({
  ...snapshot,
  methods: newest(methods),
  transactions: newest(all),
  besides: newest(besides),
});

/** How texts of a payment source are kept. */
export const paymentTexts: RecordTexts = {
  asTheyAre: new Set(['reference', 'helpdeskReference', 'paymentMethodReference', 'deviceFingerprint', 'fingerprint'] satisfies (
    | keyof PaymentCustomerRecord
    | keyof PaymentMethodRecord
    | keyof TransactionRecord
  )[]),
  contacts: new Set(['email', 'phone'] satisfies (keyof PaymentCustomerRecord)[]),
  orderNumbers: new Set(['orderReference'] satisfies (keyof TransactionRecord)[]),
};

/** A customer whose snapshot is newer than what is stored. */
interface Current {
  readonly id: string;
  readonly key: DataKey;
  readonly snapshot: PaymentCustomerSnapshot;
  /** When what was stored of them was read; null where they are new. */
  readonly before: Date | null;
  /** The provider had another address or number of theirs before. */
  readonly contactIsAnother: boolean;
}

/** All columns that say something of a payment, with what is sealed in clear. A column that nobody fills doesn't compile. */
interface TransactionContent
  extends Omit<
    Values<Transaction>,
    'id' | 'paymentCustomerId' | 'reference' | 'digest' | 'confirmedAt' | 'observedAt' | `${string}Sealed`
  > {
  readonly orderDescription: string | null;
}

/** Our id of a customer's method by the provider's reference; null where we never saw it. */
type MethodIds = (paymentCustomerId: string, reference: string) => string | null;

/**
 * Brings what payment sources say into the read model. Each call is one short change: nothing upstream is asked in here. What
 * is older than what is stored never overwrites it.
 */
export class PaymentsIngest {
  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly redactor: Redactor,
  ) {}

  /** Those of these customers of a payment source that the read model has. */
  async known(
    source: string,
    references: readonly string[],
  ): Promise<readonly { readonly id: string; readonly reference: string }[]> {
    if (references.length === 0) return [];
    const byDigest = new Map(references.map((reference) => [this.referenceDigest(reference), reference]));
    const rows = await this.database.read(knownReferences, isCustomerOf(source, [...byDigest.keys()]));
    return rows.map(({ id, referenceDigest }) => ({ id, reference: byDigest.get(referenceDigest) as string }));
  }

  /** Some of what a source showed before, and its customers weren't gone: whoever still answers to it is that source. */
  async shown(source: string): Promise<KnownObjects> {
    const most = raw(`${mostKnown}`);
    const payers = await this.database.read(
      payerRows,
      sql`WHERE ${payer.source} = ${source} AND ${payer.gone} = ${false} ORDER BY ${payer.id} DESC LIMIT ${most}`,
    );
    const found = await this.database.read(
      knownObjects,
      sql`WHERE ${paymentCustomers.source} = ${source} ORDER BY ${transactions.id} DESC LIMIT ${most}`,
    );
    return {
      customers: payers.flatMap((row) => this.keys.open(paymentCustomers, row, 'reference') ?? []),
      transactions: found.map(({ reference }) => reference),
    };
  }

  /** The provider's reference of a payment customer, and the source; null where nothing is known of them. */
  async named(paymentCustomerId: string): Promise<{ readonly source: string; readonly reference: string } | null> {
    const [row] = await this.database.read(payerRows, sql`WHERE ${payer.id} = ${paymentCustomerId}`);
    const reference = row ? this.keys.open(paymentCustomers, row, 'reference') : null;
    return row && reference !== null ? { source: row.source, reference } : null;
  }

  /** Those of these transactions that are stored of a payment customer. */
  async held(paymentCustomerId: string, references: readonly string[]): Promise<readonly string[]> {
    if (references.length === 0) return [];
    const { paymentCustomerId: of, reference } = transactions;
    const rows = await this.database.read(
      heldReferences,
      sql`WHERE ${of} = ${paymentCustomerId} AND ${reference} IN (${references})`,
    );
    return rows.map((row) => row.reference);
  }

  /** What a payment source holds about these customers. Returns our id of each by the provider's reference. */
  async take(source: string, given: readonly PaymentCustomerSnapshot[]): Promise<ReadonlyMap<string, string>> {
    const ids = new Map<string, string>();
    if (given.length === 0) return ids;
    const snapshots = given.map((snapshot) => withoutCardData(taken(snapshot), paymentTexts, this.redactor));
    await this.database.system('sync', 'source.ingest-payments', async (change) => {
      ids.clear();
      const current = await this.customers(change, source, snapshots, ids);
      const methodIds = await this.methods(change, source, current);
      const told = await this.transactions(change, source, current, methodIds);
      const moved = current.filter(({ contactIsAnother }) => contactIsAnother);
      await recordSignals(change, [
        ...told,
        ...moved.map(({ id, snapshot }) => contactChanged(this.keys, source, id, snapshot.customer, snapshot.asOf)),
      ]);
      change.record('source.ingest-payments', { subject: { type: 'Source', id: source }, detail: { customers: current.length } });
    });
    return ids;
  }

  /** The provider no longer has this customer: its methods are removed, its links end. */
  async gone(paymentCustomerId: string, asOf: Date): Promise<void> {
    await this.database.system('sync', 'source.ingest-payments', async (change) => {
      const { id, gone, observedAt } = paymentCustomers;
      const affected = await change.update(
        paymentCustomers,
        { gone: true, observedAt: asOf },
        sql`${id} = ${paymentCustomerId} AND ${gone} = ${false} AND ${observedAt} <= ${asOf}`,
      );
      if (affected === 0) return;
      const itsMethods = sql`${paymentMethods.paymentCustomerId} = ${paymentCustomerId}`;
      await change.update(paymentMethods, { status: 'REMOVED', isDefault: false }, itsMethods);
      await endLinks(change, paymentCustomerId, asOf);
      change.record('source.ingest-payments', {
        subject: { type: 'PaymentCustomer', id: paymentCustomerId },
        detail: { gone: true },
      });
    });
  }

  private referenceDigest(reference: string): string {
    return this.keys.searchDigest('payment-customer', reference) as string;
  }

  private async customers(
    change: Change,
    source: string,
    snapshots: readonly PaymentCustomerSnapshot[],
    ids: Map<string, string>,
  ): Promise<readonly Current[]> {
    const digests = snapshots.map(({ customer }) => this.referenceDigest(customer.reference));
    const known = await change.read(knownCustomers, isCustomerOf(source, digests), { lock: true });
    const stored = new Map(known.map((row) => [row.referenceDigest, row]));
    const planned = snapshots.map((snapshot, index) => {
      const referenceDigest = digests[index] as string;
      const row = stored.get(referenceDigest);
      return { snapshot, row, referenceDigest, id: row?.id ?? `pcu_${ulid()}` };
    });
    const keys = await this.keys.forOwners(
      change,
      planned.map(({ id }) => id),
    );
    const fresh: Values<PaymentCustomer>[] = [];
    const current: Current[] = [];
    for (const { snapshot, row, referenceDigest, id } of planned) {
      const { customer, asOf } = snapshot;
      const key = keys.get(id);
      if (!key) continue;
      ids.set(customer.reference, id);
      if (row && row.observedAt > asOf) continue;
      const sealedOrNull = (field: 'email' | 'name' | 'phone', text: string | null) =>
        text ? sealField(paymentCustomers, id, field, key, bounded(text, 500)) : null;
      const contact = {
        emailDigest: emailDigest(this.keys, customer.email),
        phoneDigest: phoneDigest(this.keys, customer.phone),
      };
      const history = contactHistory(row && this.inTodaysForm(row, contact), contact, customer, asOf);
      const values = {
        ...contact,
        ...history,
        emailSealed: sealedOrNull('email', customer.email),
        nameSealed: sealedOrNull('name', customer.displayName),
        phoneSealed: sealedOrNull('phone', customer.phone),
        helpdeskReferenceDigest: this.keys.searchDigest('helpdesk-reference', customer.helpdeskReference),
        gone: false,
        observedAt: asOf,
      };
      if (row) {
        await change.update(paymentCustomers, values, sql`${paymentCustomers.id} = ${id}`);
      } else {
        const referenceSealed = sealField(paymentCustomers, id, 'reference', key, customer.reference);
        fresh.push({ id, source, referenceDigest, referenceSealed, keyId: key.id, ...values });
      }
      const isAnother = [history.emailChangedAt, history.phoneChangedAt].some((at) => at?.getTime() === asOf.getTime());
      current.push({ id, key, snapshot, before: row?.observedAt ?? null, contactIsAnother: row !== undefined && isAnother });
    }
    await change.insert(paymentCustomers, fresh);
    return current;
  }

  /**
   * What is stored of somebody's contacts, to be held against what their source says. Where a digest differs, it may only be of the form
   * of an earlier version, so the value itself is compared: a contact counts as changed where it is another, never where we changed.
   */
  private inTodaysForm(
    row: Selected<typeof knownCustomers>,
    now: Pick<KnownContact, 'emailDigest' | 'phoneDigest'>,
  ): KnownContact {
    const ofRow = (field: 'email' | 'phone', digest: typeof emailDigest) =>
      row[`${field}Digest`] === now[`${field}Digest`]
        ? row[`${field}Digest`]
        : digest(this.keys, this.keys.open(paymentCustomers, row, field));
    return { ...row, emailDigest: ofRow('email', emailDigest), phoneDigest: ofRow('phone', phoneDigest) };
  }

  private async methods(change: Change, source: string, customers: readonly Current[]): Promise<MethodIds> {
    const existing = customers.filter(({ before }) => before !== null).map(({ id }) => id);
    const known = existing.length
      ? await change.read(knownMethods, sql`WHERE ${paymentMethods.paymentCustomerId} IN (${existing})`, { lock: true })
      : [];
    const stored = new Map(known.map((row) => [`${row.paymentCustomerId} ${row.referenceDigest}`, row]));
    const ids = new Map(known.map((row) => [`${row.paymentCustomerId} ${row.referenceDigest}`, row.id]));
    const digests = new Map<string, string>();
    const digestOf = (reference: string): string => {
      const digest = digests.get(reference) ?? (this.keys.searchDigest(`payment-method:${source}`, reference) as string);
      digests.set(reference, digest);
      return digest;
    };
    const fresh: Values<PaymentMethod>[] = [];
    const reported = new Set<string>();
    for (const { id: paymentCustomerId, key, snapshot } of customers) {
      const planned = snapshot.methods.map((method) => {
        const referenceDigest = digestOf(method.reference);
        const row = stored.get(`${paymentCustomerId} ${referenceDigest}`);
        return { ...method, method, referenceDigest, row, id: row?.id ?? `pm_${ulid()}` };
      });
      const places = placesOf(planned);
      for (const { method, referenceDigest, row, id } of planned) {
        const { sameAsId = null, timesSaved = null } = places.get(id) ?? {};
        ids.set(`${paymentCustomerId} ${referenceDigest}`, sameAsId ?? id);
        reported.add(id);
        const values = {
          kind: method.kind,
          // Longer than the column: MariaDB would refuse the row, and with it everybody in the same change.
          brand: method.brand?.slice(0, 32) ?? null,
          last4: method.last4 && /^[0-9A-Z]{4}$/.test(method.last4) ? method.last4 : null,
          expiryMonth: method.expiryMonth,
          expiryYear: method.expiryYear,
          country: method.country ?? null,
          sameAsId,
          timesSaved,
          status: method.status,
          isDefault: method.isDefault,
          billingAddressSealed: method.billingAddress
            ? sealField(paymentMethods, id, 'billingAddress', key, addressText(method.billingAddress))
            : null,
          createdAt: method.createdAt,
          observedAt: snapshot.asOf,
        };
        if (row) {
          await change.update(paymentMethods, values, sql`${paymentMethods.id} = ${id}`);
        } else {
          const referenceSealed = sealField(paymentMethods, id, 'reference', key, method.reference);
          const surrogate = this.keys.digests.surrogate(source, method.reference);
          fresh.push({ id, paymentCustomerId, referenceDigest, referenceSealed, surrogate, ...values });
        }
      }
    }
    await change.insert(paymentMethods, fresh);
    const gone = known.filter((row) => !reported.has(row.id) && row.status !== 'REMOVED').map((row) => row.id);
    if (gone.length > 0)
      await change.update(paymentMethods, { status: 'REMOVED', isDefault: false }, sql`${paymentMethods.id} IN (${gone})`);
    // One that was removed is still what a payment was tried with.
    return (paymentCustomerId, reference) => ids.get(`${paymentCustomerId} ${digestOf(reference)}`) ?? null;
  }

  /** A payment's id, which is shown. One that carries a card number is kept without it, and still told from others. */
  private shownReference(reference: string): string {
    const { text } = this.redactor.redact(reference);
    return text === reference ? reference : `${text} ${this.keys.searchDigest('payment-reference', reference)?.slice(0, 10)}`;
  }

  /** Returns what the new and the changed ones tell. */
  private async transactions(
    change: Change,
    source: string,
    customers: readonly Current[],
    methodId: MethodIds,
  ): Promise<readonly Signal[]> {
    const told: Signal[] = [];
    const existing = customers.filter(({ before }) => before !== null).map(({ id }) => id);
    const known = existing.length
      ? await change.read(knownTransactions, sql`WHERE ${transactions.paymentCustomerId} IN (${existing})`, { lock: true })
      : [];
    const stored = new Map(known.map((row) => [`${row.paymentCustomerId} ${row.reference}`, row]));
    const fresh: Values<Transaction>[] = [];
    const cut = (text: string | null, length: number) => text?.slice(0, length) ?? null;
    for (const { id: paymentCustomerId, key, snapshot, before } of customers) {
      const shown = new Set<string>();
      const besides = new Set(snapshot.besides ?? []);
      let payer: Subjects | undefined;
      for (const record of [...snapshot.transactions, ...besides]) {
        const reference = this.shownReference(record.reference);
        const row = stored.get(`${paymentCustomerId} ${reference}`);
        const id = row?.id ?? `txn_${ulid()}`;
        shown.add(id);
        const content: TransactionContent = {
          paymentMethodId: record.paymentMethodReference ? methodId(paymentCustomerId, record.paymentMethodReference) : null,
          orderReference: cut(record.orderReference, 128),
          orderDescription: cut(record.orderDescription, 255),
          amount: record.amount,
          currency: record.currency,
          authorized: record.authorized,
          captured: record.captured,
          refunded: record.refunded,
          open: record.open,
          refunds: storedRefunds(record.refunds),
          presentmentAmount: record.presentment?.amount ?? null,
          presentmentCurrency: record.presentment?.currency ?? null,
          status: record.status,
          declineCode: cut(record.declineCode, 64),
          declineAdvice: cut(record.declineAdvice, 64),
          device: record.deviceFingerprint ? this.keys.digests.device(record.deviceFingerprint) : null,
          country: record.country,
          riskBand: record.riskBand,
          riskScore: record.riskScore,
          riskSignals: record.riskSignals,
          disputeStatus: cut(record.dispute?.status ?? null, 32),
          disputeReason: cut(record.dispute?.reason ?? null, 64),
          disputeOpenedAt: record.dispute?.openedAt ?? null,
          createdAt: record.createdAt,
        };
        const confirmedAt = besides.has(record) ? snapshot.asOf : null;
        const digest = contentDigest(this.keys, id, content);
        const tells = () => {
          payer ??= payerSubjects(this.keys, paymentCustomerId, snapshot.customer);
          const about = { source, payer, customerSince: snapshot.customer.createdAt, record, asOf: snapshot.asOf };
          return signalsOfPayment(this.keys, {
            ...about,
            before: (row?.status ?? null) as TransactionStatus | null,
            stored: { id, ...content },
          });
        };
        if (row && row.digest === digest) {
          // A warning is told beside the payment, which it changes in nothing.
          if (record.warnedAt) told.push(...tells().filter(({ type }) => type === 'payment.warning'));
          if (row.confirmedAt?.getTime() !== confirmedAt?.getTime())
            await change.bookkeep(transactions, { confirmedAt }, sql`${transactions.id} = ${id}`);
          continue;
        }
        const { orderDescription, ...columns } = content;
        const values = {
          ...columns,
          orderDescriptionSealed:
            orderDescription === null ? null : sealField(transactions, id, 'orderDescription', key, orderDescription),
          digest,
          confirmedAt,
          observedAt: snapshot.asOf,
        };
        if (row) await change.update(transactions, values, sql`${transactions.id} = ${id}`);
        else fresh.push({ id, paymentCustomerId, reference, ...values });
        told.push(...tells());
      }
      // Too old for the window, or beyond what is read of one customer: from now on nothing vouches for them but their own reading.
      const left = known.filter(
        (row) => row.paymentCustomerId === paymentCustomerId && row.confirmedAt === null && !shown.has(row.id),
      );
      if (left.length > 0)
        await change.bookkeep(transactions, { confirmedAt: before }, sql`${transactions.id} IN (${left.map(({ id }) => id)})`);
    }
    await change.insert(transactions, fresh);
    return told;
  }
}

const isCustomerOf = (source: string, digests: readonly string[]): Sql =>
  sql`WHERE ${paymentCustomers.source} = ${source} AND ${paymentCustomers.referenceDigest} IN (${digests})`;

const storedRefunds = (refunds: readonly RefundRecord[]): readonly StoredRefund[] =>
  refunds.slice(0, mostRefunds).map(({ amount, state, reason, createdAt }) => ({
    amount,
    state,
    reason: reason?.slice(0, 64) ?? null,
    at: createdAt.getTime(),
  }));

const addressText = (address: AddressRecord): string =>
  JSON.stringify(
    Object.fromEntries(
      Object.entries(address).map(([name, value]) => [name, typeof value === 'string' ? value.slice(0, 200) : null]),
    ),
  );
