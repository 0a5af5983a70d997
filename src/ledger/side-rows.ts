import { erasedCustomer } from '../audit/event';
import { type Leaf, ticketsBeside } from '../audit/leaf';
import { auditCustomers, auditNotes, auditTickets } from '../db/audit.entity';
import type { Reads } from '../db/reads';
import { type Sql, sql } from '../db/sql';
import { type Column, namesOf, type Selected, type Selection, select } from '../db/table';
import { auditDigest } from '../privacy/digests';
import { KeyDestroyed, open, SealBroken } from '../privacy/sealing';
import { auditLeaves } from './audit-tree.entity';

/** A customer's key in clear; otherwise why there is none: it was destroyed, or what is stored doesn't open. */
export type StoredKey = Buffer | 'DESTROYED' | 'BROKEN';

/** The customers' keys, under which leaves name customers and texts. What isn't in the answer isn't stored. */
export interface CustomerKeys {
  ofOwners(owners: readonly string[]): Promise<ReadonlyMap<string, StoredKey>>;
  ofIds(ids: readonly string[]): Promise<ReadonlyMap<string, StoredKey>>;
}

/** A leaf with its place. */
export interface PlacedLeaf {
  readonly index: number;
  readonly leaf: Leaf;
}

/** One leaf that has other rows beside it than it says. */
export interface SideRowFinding {
  readonly index: number;
  readonly message: string;
}

const l = auditLeaves.as('l');
const c = auditCustomers.as('c');
const t = auditTickets.as('t');
const n = auditNotes.as('n');

const beside = (table: typeof c | typeof t | typeof n): Sql => sql`FROM ${l} JOIN ${table} ON ${table.eventId} = ${l.eventId}`;
const customerRows = select({ leafIndex: l.leafIndex, customerId: c.customerId }, beside(c));
const ticketRows = select({ leafIndex: l.leafIndex, ticketId: t.ticketId }, beside(t));
const noteRows = select({ leafIndex: l.leafIndex, ...n.pick('name', 'keyId', 'sealed') }, beside(n));

const notesTable = namesOf(auditNotes, []).table;
/** Rows read beyond what the leaves say, so that a leaf with too many is seen and never read to its end. */
const surplus = 100;

const stringsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
/** The customers' digests in a leaf, and `erasedCustomer`. */
const digestsIn = ({ customers }: Leaf): readonly string[] => stringsIn(customers);
const notesIn = ({ notes }: Leaf): ReadonlyMap<string, unknown> =>
  new Map(typeof notes === 'object' && notes !== null ? Object.entries(notes) : []);
const ticketsIn = ({ ticket, detail }: Leaf): readonly string[] => ticketsBeside(ticket, detail);

const quoted = (texts: readonly string[]): string => texts.slice(0, 3).join(', ') + (texts.length > 3 ? ', …' : '');

/**
 * Holds the rows beside leaves against them: by these rows answers go, and no hash covers them. A leaf names its customers by
 * digests under their keys, its tickets in clear, and its texts by digests; so it says which rows there are, and all of them.
 */
export class SideRows {
  constructor(
    private readonly reads: Reads,
    private readonly keys: CustomerKeys,
  ) {}

  /** What differs beside these leaves, which follow each other. Three statements for the rows, and two for keys. */
  async differences(leaves: readonly PlacedLeaf[]): Promise<readonly SideRowFinding[]> {
    if (leaves.length === 0) return [];
    const findings = [...(await this.customers(leaves)), ...(await this.tickets(leaves)), ...(await this.notes(leaves))];
    return findings.sort((a, b) => a.index - b.index);
  }

  private async customers(leaves: readonly PlacedLeaf[]): Promise<SideRowFinding[]> {
    const rows = await this.rowsBeside(customerRows, c.customerId, leaves, (leaf) => digestsIn(leaf).length);
    const owners = new Set([...rows.values()].flatMap((list) => list.map(({ customerId }) => customerId)));
    const keys = await this.keys.ofOwners([...owners]);
    return leaves.flatMap(({ index, leaf }) => {
      const named = digestsIn(leaf);
      const open = new Set(named.filter((digest) => digest !== erasedCustomer));
      const erased = named.length - named.filter((digest) => digest !== erasedCustomer).length;
      const added: string[] = [];
      const unproven: string[] = [];
      for (const { customerId } of rows.get(index) ?? []) {
        const key = keys.get(customerId);
        if (!(key instanceof Buffer)) unproven.push(customerId);
        else if (!open.delete(digestIn(leaf, key, customerId) ?? '')) added.push(customerId);
      }
      const missing = open.size + erased - unproven.length;
      return says(index, leaf, [
        added.length > 0 && `audit_customer says that it is about ${quoted(added)}, and its leaf doesn't`,
        missing > 0 && `its leaf names ${missing} ${missing === 1 ? 'customer' : 'customers'} whom audit_customer has not`,
        missing < 0 && `audit_customer names more than its leaf, among them ${quoted(unproven)}, of whom no key is stored`,
        missing === 0 &&
          unproven.length > 0 &&
          `the key of ${quoted(unproven)} is ${keyFault(keys.get(unproven[0] ?? ''))}, so nothing shows that it is about them`,
      ]);
    });
  }

  private async tickets(leaves: readonly PlacedLeaf[]): Promise<SideRowFinding[]> {
    const rows = await this.rowsBeside(ticketRows, t.ticketId, leaves, (leaf) => ticketsIn(leaf).length);
    return leaves.flatMap(({ index, leaf }) => {
      const named = new Set(ticketsIn(leaf));
      const added = (rows.get(index) ?? []).flatMap(({ ticketId }) => (named.delete(ticketId) ? [] : [ticketId]));
      return says(index, leaf, [
        added.length > 0 && `audit_ticket says that it is about ${quoted(added)}, and its leaf doesn't`,
        named.size > 0 && `its leaf names ${quoted([...named])}, and audit_ticket doesn't`,
      ]);
    });
  }

  private async notes(leaves: readonly PlacedLeaf[]): Promise<SideRowFinding[]> {
    const rows = await this.rowsBeside(noteRows, n.name, leaves, (leaf) => notesIn(leaf).size);
    const ids = new Set([...rows.values()].flatMap((list) => list.map(({ keyId }) => keyId)));
    const keys = await this.keys.ofIds([...ids]);
    return leaves.flatMap(({ index, leaf }) => {
      const named = new Map(notesIn(leaf));
      const faults = (rows.get(index) ?? []).map((row) => {
        const digest = named.get(row.name);
        named.delete(row.name);
        if (digest === undefined) return `audit_note has a text ${row.name}, and its leaf doesn't`;
        const key = keys.get(row.keyId);
        if (!(key instanceof Buffer)) return `the key of its text ${row.name} is ${keyFault(key)}, so nothing shows what it said`;
        return textDigest(leaf, key, row) === digest ? false : `its text ${row.name} in audit_note isn't the one in its leaf`;
      });
      return says(index, leaf, [
        ...faults,
        named.size > 0 && `its leaf has the text ${quoted([...named.keys()])}, and audit_note doesn't`,
      ]);
    });
  }

  /**
   * The rows beside these leaves, by index. Of a leaf with more than it says not all are read: however many somebody
   * added, memory holds little more than what the leaves name.
   */
  private async rowsBeside<R extends { readonly leafIndex: number }>(
    of: Selection<R>,
    then: Column<string>,
    leaves: readonly PlacedLeaf[],
    count: (leaf: Leaf) => number,
  ): Promise<ReadonlyMap<number, readonly R[]>> {
    const found = new Map<number, R[]>();
    const counts = new Map(leaves.map(({ index, leaf }) => [index, count(leaf)]));
    const end = (leaves.at(-1)?.index ?? -1) + 1;
    for (let start = leaves[0]?.index ?? 0; start < end; ) {
      const most = leaves.reduce((sum, { index }) => sum + (index < start ? 0 : (counts.get(index) ?? 0)), surplus);
      const rows = await this.reads.read(
        of,
        sql`WHERE ${l.leafIndex} >= ${start} AND ${l.leafIndex} < ${end} ORDER BY ${l.leafIndex}, ${then} LIMIT ${most}`,
      );
      for (const row of rows) append(found, row);
      const last = rows.at(-1)?.leafIndex;
      if (last === undefined || rows.length < most) break;
      // Somebody before it has too many, so that its own may have been cut off: it is read again.
      const isCut = (found.get(last)?.length ?? 0) <= (counts.get(last) ?? 0);
      if (isCut) found.delete(last);
      start = isCut ? last : last + 1;
    }
    return found;
  }
}

const append = <R extends { readonly leafIndex: number }>(to: Map<number, R[]>, row: R): void => {
  const list = to.get(row.leafIndex);
  if (list) list.push(row);
  else to.set(row.leafIndex, [row]);
};

const says = (index: number, leaf: Leaf, faults: readonly (string | false)[]): SideRowFinding[] => {
  const found = faults.filter((fault) => fault !== false);
  return found.length === 0 ? [] : [{ index, message: `event ${leaf.id}: ${found.join('; ')}` }];
};

const keyFault = (key: StoredKey | undefined): string => {
  if (key === undefined) return 'not stored';
  return key === 'DESTROYED' ? 'destroyed, by no event of the log' : 'stored altered';
};

const saltOf = ({ salt }: Leaf): Buffer => Buffer.from(typeof salt === 'string' ? salt : '', 'base64url');
const saltBytes = 16;

/** Null where the leaf has no salt, or the key was destroyed this moment. */
const digestIn = (leaf: Leaf, key: Buffer, text: string): string | null => {
  const salt = saltOf(leaf);
  if (salt.length !== saltBytes) return null;
  try {
    return auditDigest(key, salt, text);
  } catch (error) {
    if (error instanceof KeyDestroyed) return null;
    throw error;
  }
};

const textDigest = (leaf: Leaf, key: Buffer, { name, sealed }: Selected<typeof noteRows>): string | null => {
  // Whatever stands there: an embedded database keeps any type in any column.
  if (!Buffer.isBuffer(sealed)) return null;
  try {
    return digestIn(leaf, key, open(key, { table: notesTable, column: name, row: leaf.id }, sealed));
  } catch (error) {
    if (error instanceof SealBroken || error instanceof KeyDestroyed) return null;
    throw error;
  }
};
