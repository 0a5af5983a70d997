import type { LinkAssurance } from '../../authz/actor';
import type { Change } from '../../db/change';
import { bounded } from '../../db/columns';
import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import { select, type Values } from '../../db/table';
import { ulid } from '../../ulid';
import type { HelpdeskCustomerRecord } from '../../upstream/helpdesk/helpdesk.port';
import { emailDigest } from '../keys/contact-digests';
import { type Keys, keyed, sealField, withKeyOf } from '../keys/keys.service';
import { type Customer, customers } from './customer.entity';
import { customer } from './customers.rows';
import { pauseAfter } from './link';

const knownCustomers = select(
  {
    ...customer.pick('id', 'reference', 'nameSealed', 'emailSealed', 'phoneSealed', 'emailDigest', 'emailEdited', 'region'),
    ...customer.pick('protectedReferenceDigest', 'observedAt'),
    ...keyed,
  },
  sql`FROM ${customer} ${withKeyOf(customer)}`,
);
const knownLinks = select(customers.pick('id', 'link', 'paymentCustomerId', 'linkedAt'), sql`FROM ${customers}`);
const knownTries = select(customers.pick('id', 'linkTries'), sql`FROM ${customers}`);

/** A customer as a helpdesk showed them. */
export interface SeenCustomer {
  readonly record: HelpdeskCustomerRecord;
  readonly asOf: Date;
}

/** Decided from what sources were asked for at `asOf`. */
export interface LinkDecision {
  readonly customerId: string;
  readonly link: LinkAssurance;
  readonly paymentCustomerId: string | null;
  readonly asOf: Date;
}

/** Brings customers and their links into the read model. What is older than what is stored never overwrites it. */
export class CustomersIngest {
  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
  ) {}

  /**
   * What a helpdesk says about these customers, cleaned of card data, as part of the change that stores their tickets. Where one was seen twice,
   * the later in the list counts. Returns our id of each by the helpdesk's reference.
   */
  async take(change: Change, source: string, seen: readonly SeenCustomer[]): Promise<ReadonlyMap<string, string>> {
    const latest = new Map(seen.map((each) => [each.record.reference, each]));
    const ids = new Map<string, string>();
    if (latest.size === 0) return ids;
    const references = [...latest.keys()];
    const known = await change.read(
      knownCustomers,
      sql`WHERE ${customer.source} = ${source} AND ${customer.reference} IN (${references})`,
      { lock: true },
    );
    const stored = new Map(known.map((row) => [row.reference, row]));
    for (const reference of references) ids.set(reference, stored.get(reference)?.id ?? `cus_${ulid()}`);
    const keys = await this.keys.forOwners(change, [...ids.values()]);
    const fresh: Values<Customer>[] = [];
    for (const [reference, { record, asOf }] of latest) {
      const id = ids.get(reference) as string;
      const key = keys.get(id);
      // Erased: nothing new about this person is kept.
      if (!key) continue;
      const kept = (text: string | null, bytes: number) => (text === null ? null : bounded(text, bytes));
      const name = kept(record.displayName, 500);
      const email = kept(record.email, 320);
      const phone = kept(record.phone, 64);
      const sealedOrNull = (field: 'name' | 'email' | 'phone', text: string | null) =>
        text ? sealField(customers, id, field, key, text) : null;
      const sealed = () => ({
        nameSealed: sealedOrNull('name', name),
        emailSealed: sealedOrNull('email', email),
        phoneSealed: sealedOrNull('phone', phone),
      });
      const facts = {
        emailDigest: emailDigest(this.keys, record.email),
        region: record.region,
        protectedReferenceDigest: this.keys.searchDigest('payment-customer', record.protectedPaymentReference),
      };
      const row = stored.get(reference);
      if (!row) {
        const unlinked = { link: 'NONE', paymentCustomerId: null, linkedAt: null, linkTries: null, linkNextAt: null } as const;
        const values = { ...sealed(), ...facts, ...unlinked, emailEdited: false, observedAt: asOf };
        fresh.push({ id, source, reference, keyId: key.id, ...values });
        continue;
      }
      if (row.observedAt > asOf) continue;
      const storedEmail = this.keys.open(customers, row, 'email');
      const isSame =
        this.keys.open(customers, row, 'name') === name &&
        storedEmail === email &&
        this.keys.open(customers, row, 'phone') === phone &&
        Object.entries(facts).every(([fact, value]) => row[fact as keyof typeof facts] === value);
      if (isSame) {
        await change.bookkeep(customers, { observedAt: asOf }, sql`${customers.id} = ${id}`);
        continue;
      }
      const isAnotherDigest = row.emailDigest !== facts.emailDigest;
      // The form in which addresses are compared may be another than when this one was stored.
      const isAnotherAddress = isAnotherDigest && emailDigest(this.keys, storedEmail) !== facts.emailDigest;
      const values = {
        ...sealed(),
        ...facts,
        emailEdited: row.emailEdited || isAnotherAddress,
        observedAt: asOf,
        // Who this is on the payment side is open again: the next look-up decides.
        ...(isAnotherDigest || row.protectedReferenceDigest !== facts.protectedReferenceDigest
          ? { linkedAt: null, linkTries: null, linkNextAt: null }
          : {}),
      };
      await change.update(customers, values, sql`${customers.id} = ${id}`);
    }
    await change.insert(customers, fresh);
    return ids;
  }

  /**
   * Sets links as decided by `decideLink`; only differences are recorded, and none is written where a decision from later
   * answers is stored already: two lookups may end in the other order.
   */
  async link(decisions: readonly LinkDecision[]): Promise<void> {
    if (decisions.length === 0) return;
    await this.database.system('sync', 'customer.link', async (change) => {
      const known = await change.read(
        knownLinks,
        sql`WHERE ${customers.id} IN (${decisions.map(({ customerId }) => customerId)})`,
        { lock: true },
      );
      const stored = new Map(known.map((row) => [row.id, row]));
      const news: LinkDecision[] = [];
      for (const decision of decisions) {
        const { customerId, link, paymentCustomerId, asOf } = decision;
        const row = stored.get(customerId);
        if (!row || (row.linkedAt !== null && row.linkedAt > asOf)) continue;
        const lookedUp = { linkedAt: asOf, linkTries: null, linkNextAt: null };
        // The first decision counts as one even where it is NONE: from then on the customer has been looked up.
        if (row.linkedAt === null || row.link !== link || row.paymentCustomerId !== paymentCustomerId) {
          news.push(decision);
          await change.update(customers, { link, paymentCustomerId, ...lookedUp }, sql`${customers.id} = ${customerId}`);
        } else await change.bookkeep(customers, lookedUp, sql`${customers.id} = ${customerId}`);
      }
      if (news.length === 0) return;
      const count = (assurance: LinkAssurance) => news.filter(({ link }) => link === assurance).length;
      change.record('customer.link', {
        detail: { links: { VERIFIED: count('VERIFIED'), MATCHED: count('MATCHED'), NONE: count('NONE') } },
      });
    });
  }

  /** A source failed when it was asked about these customers: what is stored of them stays, and they are asked about again after a pause. */
  async setAside(customerIds: readonly string[], at: Date): Promise<void> {
    if (customerIds.length === 0) return;
    await this.database.system('sync', 'customer.link', async (change) => {
      const rows = await change.read(knownTries, sql`WHERE ${customers.id} IN (${customerIds})`, { lock: true });
      for (const { id, linkTries } of rows) {
        const tries = (linkTries ?? 0) + 1;
        const linkNextAt = new Date(at.getTime() + pauseAfter(tries));
        await change.bookkeep(customers, { linkedAt: null, linkTries: tries, linkNextAt }, sql`${customers.id} = ${id}`);
      }
    });
  }
}

/** Ends the links to a payment customer whom its provider no longer has. */
export const endLinks = async (change: Change, paymentCustomerId: string, at: Date): Promise<void> => {
  const linked = sql`${customers.paymentCustomerId} = ${paymentCustomerId}`;
  await change.update(customers, { link: 'NONE', paymentCustomerId: null, linkedAt: at }, linked);
};
