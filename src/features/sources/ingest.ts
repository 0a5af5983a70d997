import { type LinkAssurance, systemActor } from '../../authz/actor';
import { action, isSystem } from '../../authz/rule';
import type { Change, Row } from '../../db/change';
import { bounded } from '../../db/columns';
import type { Database } from '../../db/database';
import { assignments, marks } from '../../db/sql';
import type { DataKey } from '../../privacy/customer-keys';
import { normalForm, normalizeEmail } from '../../privacy/digests';
import type { Redactor } from '../../privacy/redaction';
import { seal } from '../../privacy/sealing';
import { ulid } from '../../ulid';
import type { StaffRecord, TicketSnapshot } from '../../upstream/helpdesk/helpdesk.port';
import { endAssistances, type TicketTurn, waitForLeases } from '../assistance/assistance.ending';
import { pauseAfter } from '../customers/link';
import { joinKey, type KeyedRow, type Keys, keyColumns } from '../keys/keys.service';

const ingestTickets = action('source.ingest-tickets', isSystem);
const linkCustomers = action('customer.link', isSystem);

const actor = systemActor('sync');

const milliseconds = (date: Date): number => date.getTime();

/** The team's name as the identity provider has it; at most as long as the column. */
const teamOf = (teams: Readonly<Record<string, string>>, queue: string): string =>
  ((Object.hasOwn(teams, queue) ? teams[queue] : undefined) ?? queue).slice(0, 128);

/** Lists kept in a column of 4,000 characters. */
const wordList = (words: readonly string[]): string => {
  const kept: string[] = [];
  let length = 2;
  for (const word of words) {
    length += word.length + 3;
    if (length > 4_000) break;
    kept.push(word);
  }
  return JSON.stringify(kept);
};

interface StoredCustomer extends KeyedRow, Record<string, unknown> {
  readonly id: string;
  readonly reference: string;
  readonly name_sealed: Buffer | null;
  readonly email_sealed: Buffer | null;
  readonly email_digest: string | null;
  readonly email_edited: number;
  readonly phone_sealed: Buffer | null;
  readonly region: string | null;
  readonly protected_reference_digest: string | null;
  readonly observed_at: number;
}

const wordsOf = (list: string | null): readonly string[] => (list === null ? [] : (JSON.parse(list) as string[]));

/** What of a ticket decides who may assist on it. */
const ticketFacts = [
  'key_id',
  'status',
  'team',
  'assignee_id',
  'assigned_by_id',
  'team_set_by_id',
  'created_by_id',
  'customer_set_by_ids',
  'customer_id',
] as const;
type TicketFacts = Record<(typeof ticketFacts)[number], string | null>;

/** Decided from what sources were asked for at `asOf`. */
export interface LinkDecision {
  readonly customerId: string;
  readonly link: LinkAssurance;
  readonly paymentCustomerId: string | null;
  readonly asOf: Date;
}

/**
 * Brings what sources say into the read model. Each call is one short change: nothing upstream is asked in here. What is
 * older than what is stored never overwrites it.
 */
export class Ingest {
  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly redactor: Redactor,
  ) {}

  /**
   * Tickets with their customers, staff and messages. Where a ticket was closed, reassigned or re-addressed, its
   * assistances end in the same change. Resolves once nobody can disclose on their word any more.
   */
  async tickets(source: string, teams: Readonly<Record<string, string>>, snapshots: readonly TicketSnapshot[]): Promise<void> {
    if (snapshots.length === 0) return;
    const newest = latestByReference(snapshots);
    const leases = await this.database.change(actor, ingestTickets, async (change) => {
      change.permit(source);
      const staffIds = await this.staff(change, source, newest);
      const customerIds = await this.customers(change, source, newest);
      const { changed, turns, leasesUntil } = await this.ticketRows(change, source, teams, newest, staffIds, customerIds);
      await this.messages(change, changed, staffIds);
      if (change.hasWritten) {
        change.record('source.ingest-tickets', {
          subject: { type: 'Source', id: source },
          detail: { tickets: changed.length, ended: turns },
        });
      }
      return leasesUntil;
    });
    await waitForLeases(leases);
  }

  /**
   * The helpdesk no longer shows this ticket to us: nobody works on it as far as we can know, until it is seen again.
   * Resolves once nobody can disclose on its assistances any more.
   */
  async ticketGone(source: string, reference: string, asOf: Date): Promise<void> {
    const standing = `SELECT id FROM helpdesk_ticket WHERE source = ? AND reference = ? AND observed_at <= ?
      AND (status <> 'CLOSED' OR team IS NOT NULL OR assignee_id IS NOT NULL)`;
    const parameters = [source, reference, milliseconds(asOf)];
    if ((await this.database.query(standing, parameters)).length === 0) return;
    const leases = await this.database.change(actor, ingestTickets, async (change) => {
      change.permit(source);
      const [row] = await change.query<{ id: string }>(standing, parameters, { lock: true });
      if (!row) return 0;
      await change.execute(
        "UPDATE helpdesk_ticket SET status = 'CLOSED', team = NULL, assignee_id = NULL, observed_at = ? WHERE id = ?",
        [milliseconds(asOf), row.id],
      );
      const { ended, leasesUntil } = await endAssistances(change, [{ ticketId: row.id, reason: 'TICKET_CLOSED' }]);
      change.record('source.ingest-tickets', {
        ticketId: row.id,
        subject: { type: 'Source', id: source },
        detail: { gone: true, ended },
      });
      return leasesUntil;
    });
    await waitForLeases(leases);
  }

  /** The helpdesk's answer about a ticket made no sense: until it does, nothing but a sight of the ticket itself confirms it. */
  async ticketUnreadable(source: string, reference: string): Promise<void> {
    await this.database.change(actor, ingestTickets, async (change) => {
      change.permit(source);
      const affected = await change.execute(
        'UPDATE helpdesk_ticket SET unreadable = 1 WHERE source = ? AND reference = ? AND unreadable = 0',
        [source, reference],
      );
      if (affected > 0)
        change.record('source.ingest-tickets', { subject: { type: 'Source', id: source }, detail: { unreadable: affected } });
    });
  }

  /** The helpdesk showed these tickets, and nothing happened to them until then. */
  async ticketsConfirmed(ids: readonly string[], asOf: Date): Promise<void> {
    if (ids.length === 0) return;
    await this.database.change(actor, ingestTickets, async (change) => {
      change.permit(null);
      const at = milliseconds(asOf);
      await change.confirm(
        `UPDATE helpdesk_ticket SET observed_at = ? WHERE observed_at < ? AND unreadable = 0 AND id IN (${marks(ids)})`,
        [at, at, ...ids],
      );
    });
  }

  private async staff(
    change: Change,
    source: string,
    snapshots: readonly TicketSnapshot[],
  ): Promise<ReadonlyMap<string, string>> {
    const records = new Map<string, { record: StaffRecord; asOf: Date }>();
    for (const { staff, asOf } of snapshots) for (const record of staff) records.set(record.reference, { record, asOf });
    const ids = new Map<string, string>();
    if (records.size === 0) return ids;
    const references = [...records.keys()];
    const known = await change.query<{
      id: string;
      reference: string;
      display_name: string;
      login_digest: string;
      email_digest: string | null;
      active: number;
      observed_at: number;
    }>(
      `SELECT id, reference, display_name, login_digest, email_digest, active, observed_at FROM helpdesk_staff WHERE source = ? AND reference IN (${marks(references)})`,
      [source, ...references],
      { lock: true },
    );
    const stored = new Map(known.map((row) => [row.reference, row]));
    const fresh: Row[] = [];
    for (const [reference, { record, asOf }] of records) {
      const values = {
        display_name: bounded(record.displayName, 200),
        login_digest: this.keys.searchDigest('staff', normalForm(record.login)) ?? '',
        email_digest: this.keys.searchDigest('staff', record.email ? normalizeEmail(record.email) : null),
        active: Number(record.active),
      };
      const row = stored.get(reference);
      if (!row) {
        const id = `stf_${ulid()}`;
        ids.set(reference, id);
        fresh.push({ id, source, reference, ...values, observed_at: milliseconds(asOf) });
        continue;
      }
      ids.set(reference, row.id);
      const differs =
        row.display_name !== values.display_name ||
        row.login_digest !== values.login_digest ||
        row.email_digest !== values.email_digest ||
        row.active !== values.active;
      if (differs && row.observed_at <= milliseconds(asOf)) {
        await change.execute(
          'UPDATE helpdesk_staff SET display_name = ?, login_digest = ?, email_digest = ?, active = ?, observed_at = ? WHERE id = ?',
          [values.display_name, values.login_digest, values.email_digest, values.active, milliseconds(asOf), row.id],
        );
      }
    }
    await change.insertRows('helpdesk_staff', fresh);
    return ids;
  }

  private async customers(
    change: Change,
    source: string,
    snapshots: readonly TicketSnapshot[],
  ): Promise<ReadonlyMap<string, string>> {
    const records = new Map(
      snapshots.flatMap(({ ticket, asOf }) =>
        ticket.customer ? [[ticket.customer.reference, { record: ticket.customer, asOf }] as const] : [],
      ),
    );
    const ids = new Map<string, string>();
    if (records.size === 0) return ids;
    const references = [...records.keys()];
    const known = await change.query<StoredCustomer>(
      `SELECT c.id, c.reference, c.name_sealed, c.email_sealed, c.email_digest, c.email_edited, c.phone_sealed, c.region, c.protected_reference_digest, c.observed_at, ${keyColumns}
         FROM helpdesk_customer c ${joinKey('c')} WHERE c.source = ? AND c.reference IN (${marks(references)})`,
      [source, ...references],
      { lock: true },
    );
    const stored = new Map(known.map((row) => [row.reference, row]));
    for (const reference of references) ids.set(reference, stored.get(reference)?.id ?? `cus_${ulid()}`);
    const keys = await this.keys.forOwners(change, [...ids.values()]);
    const fresh: Row[] = [];
    for (const [reference, { record, asOf }] of records) {
      const id = ids.get(reference) as string;
      const key = keys.get(id);
      // Erased: nothing new about this person is kept.
      if (!key) continue;
      const email = record.email ? normalizeEmail(record.email) : null;
      const place = (column: string) => ({ table: 'helpdesk_customer', column, row: id });
      const clean = (text: string | null, bytes: number) =>
        text === null ? null : bounded(this.redactor.redact(text).text, bytes);
      const name = clean(record.displayName, 500);
      const address = clean(record.email, 320);
      const phone = clean(record.phone, 64);
      const facts = {
        email_digest: this.keys.searchDigest('email', email),
        region: record.region,
        protected_reference_digest: this.keys.searchDigest('payment-customer', record.protectedPaymentReference),
      };
      const sealed = () => ({
        name_sealed: name ? seal(key.key, place('name_sealed'), name) : null,
        email_sealed: address ? seal(key.key, place('email_sealed'), address) : null,
        phone_sealed: phone ? seal(key.key, place('phone_sealed'), phone) : null,
      });
      const row = stored.get(reference);
      const observed = milliseconds(asOf);
      if (!row) {
        const unlinked = {
          email_edited: 0,
          link: 'NONE',
          payment_customer_id: null,
          linked_at: null,
          link_tries: null,
          link_next_at: null,
        };
        fresh.push({ id, source, reference, key_id: key.id, ...sealed(), ...facts, ...unlinked, observed_at: observed });
        continue;
      }
      if (row.observed_at > observed) continue;
      const opened = (column: 'name_sealed' | 'email_sealed' | 'phone_sealed') =>
        this.keys.openColumn(row, place(column), row[column]);
      const isSame =
        opened('name_sealed') === name &&
        opened('email_sealed') === address &&
        opened('phone_sealed') === phone &&
        row.email_digest === facts.email_digest &&
        row.region === facts.region &&
        row.protected_reference_digest === facts.protected_reference_digest;
      if (isSame) {
        await change.confirm('UPDATE helpdesk_customer SET observed_at = ? WHERE id = ?', [observed, id]);
        continue;
      }
      const isRenamed =
        row.email_digest !== facts.email_digest || row.protected_reference_digest !== facts.protected_reference_digest;
      const values = {
        ...sealed(),
        ...facts,
        observed_at: observed,
        email_edited: Number(row.email_edited === 1 || row.email_digest !== facts.email_digest),
        // Who this is on the payment side is open again: the next look-up decides.
        ...(isRenamed ? { linked_at: null, link_tries: null, link_next_at: null } : {}),
      };
      await change.execute(`UPDATE helpdesk_customer SET ${assignments(values)} WHERE id = ?`, [...Object.values(values), id]);
    }
    await change.insertRows('helpdesk_customer', fresh);
    return ids;
  }

  private async ticketRows(
    change: Change,
    source: string,
    teams: Readonly<Record<string, string>>,
    snapshots: readonly TicketSnapshot[],
    staffIds: ReadonlyMap<string, string>,
    customerIds: ReadonlyMap<string, string>,
  ) {
    const references = snapshots.map(({ ticket }) => ticket.reference);
    const known = await change.query<{ id: string; reference: string; revision: number; observed_at: number } & TicketFacts>(
      `SELECT id, reference, revision, key_id, customer_id, assignee_id, assigned_by_id, team_set_by_id, created_by_id, customer_set_by_ids, status, team, observed_at FROM helpdesk_ticket WHERE source = ? AND reference IN (${marks(references)})`,
      [source, ...references],
      { lock: true },
    );
    const stored = new Map(known.map((row) => [row.reference, row]));
    const planned = snapshots.map((snapshot) => {
      const id = stored.get(snapshot.ticket.reference)?.id ?? `tkt_${ulid()}`;
      const customerId = snapshot.ticket.customer ? (customerIds.get(snapshot.ticket.customer.reference) ?? null) : null;
      return { snapshot, id, customerId, owner: customerId ?? id };
    });
    const keys = await this.keys.forOwners(
      change,
      planned.map(({ owner }) => owner),
    );
    const fresh: Row[] = [];
    const seen: string[] = [];
    const turns: TicketTurn[] = [];
    const changed: { id: string; key: DataKey; snapshot: TicketSnapshot }[] = [];
    for (const { snapshot, id, customerId, owner } of planned) {
      const { ticket, asOf } = snapshot;
      const row = stored.get(ticket.reference);
      const key = keys.get(owner);
      // Erased: nothing new is kept of what is said, but who works on the ticket still ends what was granted.
      const keyId = key?.id ?? row?.key_id;
      if (!keyId) continue;
      // The revision decides first: a slow fetch may have begun earlier and still have seen more.
      const isLater = row && ticket.revision > row.revision;
      if (row && !isLater && (ticket.revision < row.revision || milliseconds(asOf) < row.observed_at)) continue;
      const staffId = (reference: string | null) => (reference === null ? null : (staffIds.get(reference) ?? null));
      const facts: TicketFacts = {
        key_id: keyId,
        status: ticket.status,
        team: ticket.team === null ? null : teamOf(teams, ticket.team),
        assignee_id: staffId(ticket.assignee),
        assigned_by_id: staffId(ticket.assignedBy),
        team_set_by_id: staffId(ticket.teamSetBy ?? null),
        created_by_id: staffId(ticket.createdByStaff),
        customer_set_by_ids: JSON.stringify(
          [
            ...new Set([
              ...ticket.customerSetBy.flatMap((reference) => staffIds.get(reference) ?? []),
              // An older sight of the ticket's surroundings may lack who edited its customer since.
              ...(row && milliseconds(asOf) < row.observed_at ? wordsOf(row.customer_set_by_ids) : []),
            ]),
          ].sort(),
        ),
        customer_id: customerId,
      };
      // The same revision says the same of the ticket itself; what surrounds it (who edited its customer) may still have moved.
      const isKnown = row && ticket.revision === row.revision && ticketFacts.every((fact) => row[fact] === facts[fact]);
      if (isKnown) {
        seen.push(id);
        continue;
      }
      const subject = ticket.subject === null ? null : bounded(this.redactor.redact(ticket.subject).text, 2_000);
      const values = {
        ...facts,
        revision: ticket.revision,
        subject_sealed:
          subject === null || !key
            ? null
            : seal(key.key, { table: 'helpdesk_ticket', column: 'subject_sealed', row: id }, subject),
        channel: ticket.channel,
        unreadable: 0,
        updated_at: milliseconds(ticket.updatedAt),
        observed_at: milliseconds(asOf),
      };
      if (!row) {
        fresh.push({ id, source, reference: ticket.reference, created_at: milliseconds(ticket.createdAt), ...values });
      } else {
        await change.execute(`UPDATE helpdesk_ticket SET ${assignments(values)} WHERE id = ?`, [...Object.values(values), id]);
        if (ticket.status === 'RESOLVED' || ticket.status === 'CLOSED') turns.push({ ticketId: id, reason: 'TICKET_CLOSED' });
        else if (row.customer_id !== customerId) turns.push({ ticketId: id, reason: 'RECIPIENT_CHANGED' });
        else if (row.assignee_id !== values.assignee_id || row.team !== values.team)
          turns.push({ ticketId: id, reason: 'REASSIGNED' });
        // A ticket that passes to another customer takes its messages along under the other key.
        if (row.key_id !== keyId || (!key && row.customer_id !== customerId))
          await change.execute('DELETE FROM helpdesk_message WHERE ticket_id = ?', [id]);
      }
      if (key) changed.push({ id, key, snapshot });
    }
    await change.insertRows('helpdesk_ticket', fresh);
    if (seen.length > 0) {
      const asOf = Math.min(...snapshots.map((snapshot) => milliseconds(snapshot.asOf)));
      await change.confirm(
        `UPDATE helpdesk_ticket SET observed_at = ?, unreadable = 0 WHERE observed_at < ? AND id IN (${marks(seen)})`,
        [asOf, asOf, ...seen],
      );
    }
    const { ended, leasesUntil } = await endAssistances(change, turns);
    return { changed, turns: ended, leasesUntil };
  }

  private async messages(
    change: Change,
    tickets: readonly { id: string; key: DataKey; snapshot: TicketSnapshot }[],
    staffIds: ReadonlyMap<string, string>,
  ): Promise<void> {
    if (tickets.length === 0) return;
    const known = await change.query<{ ticket_id: string; reference: string }>(
      `SELECT ticket_id, reference FROM helpdesk_message WHERE ticket_id IN (${marks(tickets)})`,
      tickets.map(({ id }) => id),
    );
    const stored = new Set(known.map((row) => `${row.ticket_id} ${row.reference}`));
    const rows: Row[] = [];
    for (const { id: ticketId, key, snapshot } of tickets) {
      for (const message of snapshot.messages) {
        if (stored.has(`${ticketId} ${message.reference}`)) continue;
        const id = `msg_${ulid()}`;
        const { text, redactions } = this.redactor.redact(message.body);
        rows.push({
          id,
          ticket_id: ticketId,
          reference: message.reference,
          author_kind: message.author.kind,
          author_staff_id: message.author.kind === 'STAFF' ? (staffIds.get(message.author.reference) ?? null) : null,
          channel: message.channel,
          key_id: key.id,
          body_sealed: seal(key.key, { table: 'helpdesk_message', column: 'body_sealed', row: id }, bounded(text)),
          redactions: wordList(
            [...new Set(redactions.map(({ kind }) => kind))].map(
              (kind) => `${kind}:${redactions.filter((each) => each.kind === kind).length}`,
            ),
          ),
          created_at: milliseconds(message.createdAt),
        });
      }
    }
    await change.insertRows('helpdesk_message', rows);
  }

  /**
   * Sets links as decided by `customers/link`; only differences are recorded, and none is written where a decision from later
   * answers stands already: two lookups may end in the other order.
   */
  async links(decisions: readonly LinkDecision[]): Promise<void> {
    if (decisions.length === 0) return;
    await this.database.change(actor, linkCustomers, async (change) => {
      change.permit(null);
      const known = await change.query<{
        id: string;
        link: string;
        payment_customer_id: string | null;
        linked_at: number | null;
      }>(
        `SELECT id, link, payment_customer_id, linked_at FROM helpdesk_customer WHERE id IN (${marks(decisions)})`,
        decisions.map(({ customerId }) => customerId),
        { lock: true },
      );
      const stored = new Map(known.map((row) => [row.id, row]));
      const news: LinkDecision[] = [];
      for (const decision of decisions) {
        const row = stored.get(decision.customerId);
        const asOf = milliseconds(decision.asOf);
        if (!row || (row.linked_at !== null && Number(row.linked_at) > asOf)) continue;
        // The first decision counts as one even where it is NONE: from then on the customer has been looked up.
        const isNews =
          row.linked_at === null || row.link !== decision.link || row.payment_customer_id !== decision.paymentCustomerId;
        if (isNews) news.push(decision);
        const values = [decision.link, decision.paymentCustomerId, asOf, decision.customerId];
        const statement =
          'UPDATE helpdesk_customer SET link = ?, payment_customer_id = ?, linked_at = ?, link_tries = NULL, link_next_at = NULL WHERE id = ?';
        await (isNews ? change.execute(statement, values) : change.confirm(statement, values));
      }
      if (news.length === 0) return;
      const count = (assurance: LinkAssurance) => news.filter(({ link }) => link === assurance).length;
      change.record('customer.link', {
        detail: { links: { VERIFIED: count('VERIFIED'), MATCHED: count('MATCHED'), NONE: count('NONE') } },
      });
    });
  }

  /** A source failed when it was asked about these customers: what is stored of them stays, and they are asked about again after a pause. */
  async linksFailed(customerIds: readonly string[], at: Date): Promise<void> {
    if (customerIds.length === 0) return;
    await this.database.change(actor, linkCustomers, async (change) => {
      change.permit(null);
      const rows = await change.query<{ id: string; link_tries: number | null }>(
        `SELECT id, link_tries FROM helpdesk_customer WHERE id IN (${marks(customerIds)})`,
        customerIds,
        { lock: true },
      );
      for (const { id, link_tries } of rows) {
        const tries = Number(link_tries ?? 0) + 1;
        await change.confirm('UPDATE helpdesk_customer SET linked_at = NULL, link_tries = ?, link_next_at = ? WHERE id = ?', [
          tries,
          milliseconds(at) + pauseAfter(tries),
          id,
        ]);
      }
    });
  }
}

const latestByReference = (snapshots: readonly TicketSnapshot[]): readonly TicketSnapshot[] => {
  const newest = new Map<string, TicketSnapshot>();
  for (const snapshot of snapshots) {
    const other = newest.get(snapshot.ticket.reference);
    if (
      !other ||
      other.ticket.revision < snapshot.ticket.revision ||
      (other.ticket.revision === snapshot.ticket.revision && other.asOf <= snapshot.asOf)
    ) {
      newest.set(snapshot.ticket.reference, snapshot);
    }
  }
  // Oldest sight first: of a person who stands in several, the newest one is kept.
  return [...newest.values()].sort((a, b) => a.asOf.getTime() - b.asOf.getTime());
};
