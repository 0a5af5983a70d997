import { type Leaf, readLeaf } from '../../audit/leaf';
import { consistencyPath, inclusionPath } from '../../audit/merkle';
import type { SignedInActor } from '../../authz/actor';
import { auditPending, auditTickets } from '../../db/audit.entity';
import type { Database } from '../../db/database';
import { joined, type Sql, sql } from '../../db/sql';
import { optional, type Selected, select, wholeNumber } from '../../db/table';
import { Failure } from '../../failure';
import type { Cursors } from '../../graphql/cursor';
import { type Keyset, PageRequest } from '../../graphql/page';
import type { RequestAccess } from '../../graphql/request-access';
import type { ShownObject } from '../../graphql/shown';
import { latestAnchored } from '../../ledger/anchored';
import { type Checkpoints, rootAt, type SignedCheckpoint } from '../../ledger/checkpoints';
import { treeSize } from '../../ledger/integration';
import { type PlacedPlan, placedPlans } from '../../ledger/placed-plans';
import type { ScrubState } from '../../ledger/scrub-rounds';
import { StoredTree } from '../../ledger/stored-tree';
import { type Keys, keyedIfAny, withKeyOfOwner } from '../keys/keys.service';
import { tickets } from '../tickets/ticket.entity';
import { mostAnchors, mostCounts } from './audit.bounds';
import { auditScope } from './audit.policy';
import { c, e, l, placedEvents } from './audit.rows';
import {
  AuditCheckpointType,
  AuditConsistencyProof,
  AuditCount,
  type AuditEventFilter,
  AuditEventType,
  AuditInclusionProof,
  PolicyInForce,
} from './audit.type';
import { AuditEventConnection } from './audit-event-connection';
import { plansNamedBy } from './disclosed-fields';
import { agreesWithLeaf } from './shown-rows';

export interface AuditPageArguments {
  readonly filter: AuditEventFilter | null | undefined;
  readonly first: number | null;
  readonly after: string | null | undefined;
}

const eventRows = select({ ...l.pick('leafIndex', 'leafHash', 'eventId'), leaf: e.leaf }, placedEvents);
type PlacedEvent = Selected<typeof eventRows>;

const customersOfEvents = select(
  { ...c.pick('eventId', 'customerId'), ...keyedIfAny },
  sql`FROM ${c} ${withKeyOfOwner(c.customerId)}`,
);
const n = wholeNumber(sql`COUNT(*)`);
const counted = select({ n }, placedEvents);
const countedByActor = select({ ...e.pick('actorId', 'action', 'outcome'), count: n }, placedEvents);
const policies = select({ ...e.pick('id', 'leaf'), ...l.pick('leafIndex', 'leafHash') }, placedEvents);
const waiting = select({ n }, sql`FROM ${auditPending}`);
const places = select(
  { leafIndex: optional(l.leafIndex), leafHash: optional(l.leafHash) },
  sql`FROM ${e} LEFT JOIN ${l} ON ${l.eventId} = ${e.id}`,
);

const whomTicketsAreAbout = select(tickets.pick('customerId'), sql`FROM ${tickets}`);

/** A customer, by our own id or by a ticket that is about them. */
interface NamedCustomer {
  readonly customerId?: string | null | undefined;
  readonly source?: string | null | undefined;
  readonly reference?: string | null | undefined;
}

/** A stored event with what its leaf says, and whom the rows beside it name. */
interface NamedEvent {
  readonly row: PlacedEvent;
  readonly leaf: Leaf;
  readonly customers: readonly NonNullable<ShownObject['customer']>[];
  /** Those that disclosures of the same page name, by digest, as far as their leaves are in place. */
  readonly plans: ReadonlyMap<string, PlacedPlan>;
}

const inLogOrder: Keyset<NamedEvent> = {
  column: l.leafIndex,
  id: null,
  direction: 'ASC',
  positionOf: ({ row }) => ({ value: row.leafIndex, id: row.eventId }),
};

/** Longest span of one counting, in milliseconds: a year and a day. */
const longestSpan = 366 * 86_400_000;

/** What a filter says. A time is half-open. */
const conditionsOf = (filter: AuditEventFilter): readonly Sql[] => {
  const conditions: Sql[] = [];
  if (typeof filter.id === 'string') conditions.push(sql`${e.id} = ${filter.id}`);
  if (typeof filter.actorId === 'string') conditions.push(sql`${e.actorId} = ${filter.actorId}`);
  if (typeof filter.action === 'string') conditions.push(sql`${e.action} = ${filter.action}`);
  if (filter.outcome) conditions.push(sql`${e.outcome} = ${filter.outcome}`);
  if (typeof filter.ticketId === 'string') {
    const { eventId, ticketId } = auditTickets;
    const among = sql`SELECT ${eventId} FROM ${auditTickets} WHERE ${ticketId} = ${filter.ticketId}`;
    conditions.push(sql`(${e.ticketId} = ${filter.ticketId} OR ${e.id} IN (${among}))`);
  }
  if (typeof filter.customerId === 'string')
    conditions.push(sql`${e.id} IN (SELECT ${c.eventId} FROM ${c} WHERE ${c.customerId} = ${filter.customerId})`);
  if (typeof filter.subjectType === 'string') conditions.push(sql`${e.subjectType} = ${filter.subjectType}`);
  if (typeof filter.subjectId === 'string') conditions.push(sql`${e.subjectId} = ${filter.subjectId}`);
  if (filter.from) conditions.push(sql`${e.at} >= ${filter.from}`);
  if (filter.before) conditions.push(sql`${e.at} < ${filter.before}`);
  return conditions;
};

/**
 * The log as its readers see it: events that have their place, in its order, so that a page never changes while the log
 * grows. What was recorded a moment ago comes with the next turn of the sequencer. Whoever reads is on record.
 */
export class AuditLog {
  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly cursors: Cursors,
    private readonly ledger: {
      readonly checkpoints: Checkpoints;
      /** How far the rows that answers go by were held against their leaves. */
      readonly scrubbed: () => ScrubState;
    },
  ) {}

  /** Events within the actor's scope, in the log's order. */
  async events(actor: SignedInActor, access: RequestAccess, { filter, first, after }: AuditPageArguments) {
    const given = filter ?? {};
    return this.page(actor, access, 'Query.auditEvents', given, [auditScope(actor), ...conditionsOf(given)], first, after);
  }

  /**
   * Who was shown what about a customer, in the log's order, whoever it was. Throws `INVALID` unless they are named in one way, and `NOT_FOUND` for a
   * ticket that isn't there or is about nobody.
   */
  async disclosures(
    actor: SignedInActor,
    access: RequestAccess,
    asked: NamedCustomer & { readonly from?: Date | undefined; readonly before?: Date | undefined },
    first: number | null,
    after: string | null | undefined,
  ) {
    const { from: since, before } = asked;
    const customerId = await this.customerNamed(asked);
    const filter: AuditEventFilter = {
      action: 'disclosure',
      customerId,
      ...(since ? { from: since } : {}),
      ...(before ? { before } : {}),
    };
    return this.page(actor, access, 'Query.disclosures', filter, conditionsOf(filter), first, after);
  }

  private async customerNamed({ customerId, source, reference }: NamedCustomer): Promise<string> {
    const isByTicket = typeof source === 'string' && typeof reference === 'string';
    const isByHalf = !isByTicket && (typeof source === 'string' || typeof reference === 'string');
    if (isByHalf || isByTicket === (typeof customerId === 'string'))
      throw Failure.invalid('customerId', 'expected either it, or source and reference of a ticket');
    if (!isByTicket) return customerId as string;
    const [row] = await this.database.read(
      whomTicketsAreAbout,
      sql`WHERE ${tickets.source} = ${source} AND ${tickets.reference} = ${reference}`,
    );
    if (!row?.customerId) throw Failure.notFound('ticket');
    return row.customerId;
  }

  /** How often each actor did what in a span of at most a year, most often first. Throws `INVALID`. */
  async counts(access: RequestAccess, since: Date, before: Date): Promise<readonly AuditCount[]> {
    const span = before.getTime() - since.getTime();
    if (span <= 0 || span > longestSpan) throw Failure.invalid('before', 'expected a time after from, and a year at most');
    const by = sql`${e.actorId}, ${e.action}, ${e.outcome}`;
    const rows = await this.database.read(
      countedByActor,
      sql`WHERE ${e.at} >= ${since} AND ${e.at} < ${before} GROUP BY ${by} ORDER BY COUNT(*) DESC, ${by} LIMIT ${mostCounts}`,
    );
    access.note('Query.auditCounts', rows.length);
    return rows.map((row) => new AuditCount(row));
  }

  /**
   * The policy in force at a time: the last that came into force by then. Throws `NOT_FOUND` before the first, and `CONFLICT` where the
   * event that was found isn't that by its leaf.
   */
  async policyAt(at: Date): Promise<PolicyInForce> {
    const [row] = await this.database.read(
      policies,
      sql`WHERE ${e.subjectType} = 'Policy' AND ${e.action} = 'policy.in-force' AND ${e.at} <= ${at}
        ORDER BY ${e.at} DESC, ${l.leafIndex} DESC LIMIT 1`,
    );
    if (!row) throw Failure.notFound('policy');
    const leaf = readLeaf(row.leaf.toString('utf8'));
    const since = new Date(leaf.at);
    const asked = { action: 'policy.in-force', subjectType: 'Policy' };
    if (!agreesWithLeaf({ bytes: row.leaf, hash: row.leafHash, leaf, customers: [] }, asked) || !leaf.subject || since > at)
      throw new Failure('CONFLICT', `Leaf ${row.leafIndex} isn’t what the row beside it says: what is stored was altered.`, {
        remedy: 'Run "counterfoil doctor": it names every place.',
      });
    return new PolicyInForce({ digest: leaf.subject.id, since, eventId: row.id, leafIndex: row.leafIndex });
  }

  /** How far the log is: events that wait for their place, and when the latest checkpoint was signed. */
  async progress(): Promise<{ readonly pending: number; readonly signedAt: Date | null }> {
    const [row] = await this.database.read(waiting, sql``);
    return { pending: row?.n ?? 0, signedAt: (await this.ledger.checkpoints.latest())?.signedAt ?? null };
  }

  /** The latest checkpoint; null before the first. */
  async checkpoint(): Promise<AuditCheckpointType | null> {
    const latest = await this.ledger.checkpoints.latest();
    return latest && this.withAnchors(latest);
  }

  /**
   * Proof that an event is in the tree of `size` leaves; of the latest checkpoint unless told otherwise. Throws `NOT_FOUND`
   * for an event outside the actor's scope, `INVALID` for a size that the event isn't in or the tree hasn't, `CONFLICT` while
   * the event waits for its place.
   */
  async inclusion(actor: SignedInActor, eventId: string, size: number | null | undefined): Promise<AuditInclusionProof> {
    const [row] = await this.database.read(places, sql`WHERE ${e.id} = ${eventId} AND ${auditScope(actor)}`);
    if (!row) throw Failure.notFound('audit event');
    const latest = await this.ledger.checkpoints.latest();
    const { leafIndex: index, leafHash } = row;
    const wanted = size ?? latest?.size ?? 0;
    if (index === null || leafHash === null || (typeof size !== 'number' && wanted <= index))
      throw new Failure('CONFLICT', 'The event has no signed place in the tree yet.', { remedy: 'Ask again in a second.' });
    const stored = await treeSize(this.database);
    if (wanted <= index || wanted > stored)
      throw Failure.invalid(
        'treeSize',
        'expected a size that the tree had after the event: above its leafIndex, not above what is stored',
      );
    const tree = new StoredTree(this.database);
    const checkpoint = latest?.size === wanted ? latest : await this.ledger.checkpoints.at(wanted);
    return new AuditInclusionProof({
      eventId,
      leafIndex: index,
      leafHash,
      treeSize: wanted,
      path: await inclusionPath(wanted, index, tree.nodeAt),
      root: await rootAt(tree, wanted),
      checkpoint: checkpoint && (await this.withAnchors(checkpoint)),
    });
  }

  /** Proof that the tree of `to` leaves continues the one of `since` leaves. Throws `INVALID`. */
  async consistency(since: number, to: number): Promise<AuditConsistencyProof> {
    const stored = await treeSize(this.database);
    if (since < 1 || since > to) throw Failure.invalid('from', 'expected a size from 1 up to that of to');
    if (to > stored) throw Failure.invalid('to', 'expected a size that the tree has reached');
    const tree = new StoredTree(this.database);
    return new AuditConsistencyProof({
      from: since,
      to,
      fromRoot: await rootAt(tree, since),
      toRoot: await rootAt(tree, to),
      path: await consistencyPath(since, to, tree.nodeAt),
    });
  }

  private async withAnchors(checkpoint: SignedCheckpoint): Promise<AuditCheckpointType> {
    return new AuditCheckpointType(checkpoint, (await latestAnchored(this.database, checkpoint.origin)).slice(0, mostAnchors));
  }

  private async page(
    actor: SignedInActor,
    access: RequestAccess,
    coordinate: 'Query.auditEvents' | 'Query.disclosures',
    filter: AuditEventFilter,
    conditions: readonly Sql[],
    first: number | null,
    after: string | null | undefined,
  ) {
    const request = new PageRequest(
      { cursors: this.cursors, actorId: actor.id, list: [coordinate, filter], keyset: inLogOrder },
      { first, after },
    );
    const whole = joined(conditions, ' AND ');
    const rows = await this.database.read(eventRows, sql`WHERE ${whole} ${request.clause}`);
    const customers = await this.customersOf(rows.map(({ eventId }) => eventId));
    const leaves = rows.map(({ leaf }) => readLeaf(leaf.toString('utf8')));
    const named = plansNamedBy(leaves);
    const plans = named.length === 0 ? new Map<string, PlacedPlan>() : await placedPlans(this.database, named);
    const placed = rows.map(
      (row, at): NamedEvent => ({ row, leaf: leaves[at] as Leaf, customers: customers.get(row.eventId) ?? [], plans }),
    );
    const differing = placed.filter(
      ({ row, leaf, customers: named }) =>
        !agreesWithLeaf({ bytes: row.leaf, hash: row.leafHash, leaf, customers: named }, filter),
    ).length;
    const page = request.pageOf(
      placed,
      ({ row: { leafIndex, leafHash }, ...event }) => new AuditEventType({ leafIndex, leafHash, ...event }),
      async () => (await this.database.read(counted, sql`WHERE ${whole}`))[0]?.n ?? 0,
    );
    access.note(coordinate, page.nodes.length, page.nodes);
    const { agreeing, since, findings } = this.ledger.scrubbed();
    return new AuditEventConnection(page, {
      rowsCheckedTo: agreeing,
      rowsCheckedSince: since,
      // What the rounds haven't come to yet may stand on this very page.
      rowFindings: Math.max(findings, differing + named.length - plans.size),
    });
  }

  private async customersOf(
    eventIds: readonly string[],
  ): Promise<ReadonlyMap<string, readonly NonNullable<ShownObject['customer']>[]>> {
    if (eventIds.length === 0) return new Map();
    const rows = await this.database.read(
      customersOfEvents,
      sql`WHERE ${c.eventId} IN (${eventIds}) ORDER BY ${c.eventId}, ${c.customerId}`,
    );
    const byEvent = new Map<string, NonNullable<ShownObject['customer']>[]>();
    for (const { eventId, customerId, keyId, keyWrapped, keyOwner } of rows) {
      const list = byEvent.get(eventId) ?? [];
      list.push(this.keys.underDigest(customerId, { keyId: keyId ?? '', keyWrapped, keyOwner: keyOwner ?? '' }));
      byEvent.set(eventId, list);
    }
    return byEvent;
  }
}
