import { readLeaf } from '../../audit/leaf';
import { consistencyPath, inclusionPath } from '../../audit/merkle';
import type { SignedInActor } from '../../authz/actor';
import type { Row } from '../../db/change';
import type { Database } from '../../db/database';
import { marks, raw } from '../../db/sql';
import { Failure } from '../../failure';
import type { Cursors } from '../../graphql/cursor';
import { type Keyset, PageRequest } from '../../graphql/page';
import type { RequestAccess } from '../../graphql/request-access';
import type { ShownObject } from '../../graphql/shown';
import { latestAnchored } from '../../ledger/anchors.service';
import { type Checkpoints, rootAt, type SignedCheckpoint } from '../../ledger/checkpoints';
import { treeSize } from '../../ledger/integration';
import { StoredTree } from '../../ledger/stored-tree';
import { type KeyedRow, type Keys, keyColumns } from '../keys/keys.service';
import { type AuditScope, auditScope } from './audit.policy';
import {
  AuditCheckpointType,
  AuditConsistencyProof,
  AuditCount,
  AuditEventConnection,
  type AuditEventFilter,
  AuditEventType,
  AuditInclusionProof,
  PolicyInForce,
} from './audit.type';

export interface AuditPageArguments {
  readonly filter: AuditEventFilter | null | undefined;
  readonly first: number | null;
  readonly after: string | null | undefined;
}

interface EventRow extends Row {
  readonly leaf_index: number;
  readonly leaf_hash: string;
  readonly leaf: Buffer;
  readonly event_id: string;
}

interface CustomerRow extends Row {
  readonly event_id: string;
  readonly customer_id: string;
}

const inLogOrder: Keyset<EventRow> = {
  column: raw('l.leaf_index'),
  id: null,
  direction: 'ASC',
  positionOf: (row) => ({ value: row.leaf_index, id: row.event_id }),
};

const from = 'FROM audit_leaf l JOIN audit_event e ON e.id = l.event_id';

/** Longest span of one counting, in milliseconds: a year and a day. */
const longestSpan = 366 * 86_400_000;

/** What a filter says, over `audit_event e`. A time is half-open. */
const conditionsOf = (filter: AuditEventFilter): readonly AuditScope[] => {
  const one = (sql: string, ...parameters: readonly unknown[]): AuditScope => ({ sql, parameters });
  const conditions: AuditScope[] = [];
  if (typeof filter.actorId === 'string') conditions.push(one('e.actor_id = ?', filter.actorId));
  if (typeof filter.action === 'string') conditions.push(one('e.action = ?', filter.action));
  if (filter.outcome) conditions.push(one('e.outcome = ?', filter.outcome));
  if (typeof filter.ticketId === 'string')
    conditions.push(
      one(
        '(e.ticket_id = ? OR e.id IN (SELECT event_id FROM audit_ticket WHERE ticket_id = ?))',
        filter.ticketId,
        filter.ticketId,
      ),
    );
  if (typeof filter.customerId === 'string')
    conditions.push(one('e.id IN (SELECT event_id FROM audit_customer WHERE customer_id = ?)', filter.customerId));
  if (typeof filter.subjectType === 'string') conditions.push(one('e.subject_type = ?', filter.subjectType));
  if (typeof filter.subjectId === 'string') conditions.push(one('e.subject_id = ?', filter.subjectId));
  if (filter.from) conditions.push(one('e.at >= ?', filter.from.getTime()));
  if (filter.before) conditions.push(one('e.at < ?', filter.before.getTime()));
  return conditions;
};

const joined = (conditions: readonly AuditScope[]): AuditScope => ({
  sql: conditions.map(({ sql }) => sql).join(' AND '),
  parameters: conditions.flatMap(({ parameters }) => parameters),
});

/**
 * The log as its readers see it: events that have their place, in its order, so that a page never changes while the log
 * grows. What was recorded a moment ago comes with the next turn of the sequencer. Whoever reads is on record.
 */
export class AuditLog {
  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly cursors: Cursors,
    private readonly checkpoints: Checkpoints,
  ) {}

  /** Events within the actor's scope, in the log's order. */
  async events(actor: SignedInActor, access: RequestAccess, { filter, first, after }: AuditPageArguments) {
    const given = filter ?? {};
    return this.page(actor, access, 'Query.auditEvents', given, [auditScope(actor), ...conditionsOf(given)], first, after);
  }

  /** Who was shown what about a customer, in the log's order, whoever it was. */
  async disclosures(
    actor: SignedInActor,
    access: RequestAccess,
    asked: { readonly customerId: string; readonly from?: Date | undefined; readonly before?: Date | undefined },
    first: number | null,
    after: string | null | undefined,
  ) {
    const { customerId, from: since, before } = asked;
    const filter: AuditEventFilter = {
      action: 'disclosure',
      customerId,
      ...(since ? { from: since } : {}),
      ...(before ? { before } : {}),
    };
    return this.page(actor, access, 'Query.disclosures', filter, conditionsOf(filter), first, after);
  }

  /** How often each actor did what in a span of at most a year, most often first. Throws `INVALID`. */
  async counts(access: RequestAccess, since: Date, before: Date): Promise<readonly AuditCount[]> {
    const span = before.getTime() - since.getTime();
    if (span <= 0 || span > longestSpan) throw Failure.invalid('before', 'expected a time after from, and a year at most');
    const rows = await this.database.query<{
      actor_id: string;
      action: string;
      outcome: string;
      n: number;
    }>(
      `SELECT e.actor_id, e.action, e.outcome, COUNT(*) AS n ${from} WHERE e.at >= ? AND e.at < ?
        GROUP BY e.actor_id, e.action, e.outcome ORDER BY n DESC, e.actor_id, e.action, e.outcome`,
      [since.getTime(), before.getTime()],
    );
    access.note('Query.auditCounts', rows.length);
    return rows.map((row) => new AuditCount({ actorId: row.actor_id, action: row.action, outcome: row.outcome, count: row.n }));
  }

  /** The policy in force at a time: the last that came into force by then. Throws `NOT_FOUND` before the first. */
  async policyAt(at: Date): Promise<PolicyInForce> {
    const [row] = await this.database.query<{
      subject_id: string;
      at: number;
      id: string;
      leaf_index: number;
    }>(
      `SELECT e.subject_id, e.at, e.id, l.leaf_index ${from} WHERE e.subject_type = 'Policy' AND e.action = 'policy.in-force' AND e.at <= ?
        ORDER BY e.at DESC, l.leaf_index DESC LIMIT 1`,
      [at.getTime()],
    );
    if (!row) throw Failure.notFound('policy');
    return new PolicyInForce({
      digest: row.subject_id,
      since: new Date(row.at),
      eventId: row.id,
      leafIndex: row.leaf_index,
    });
  }

  /** How far the log is: events that wait for their place, and when the latest checkpoint was signed. */
  async standing(): Promise<{ readonly pending: number; readonly signedAt: Date | null }> {
    const [row] = await this.database.query<{ n: number }>('SELECT COUNT(*) AS n FROM audit_pending');
    return { pending: row?.n ?? 0, signedAt: (await this.checkpoints.latest())?.signedAt ?? null };
  }

  /** The latest checkpoint; null before the first. */
  async checkpoint(): Promise<AuditCheckpointType | null> {
    const latest = await this.checkpoints.latest();
    return latest && this.withAnchors(latest);
  }

  /**
   * Proof that an event is in the tree of `size` leaves; of the latest checkpoint unless told otherwise. Throws `NOT_FOUND`
   * for an event outside the actor's scope, `INVALID` for a size that the event isn't in or the tree hasn't, `CONFLICT` while
   * the event waits for its place.
   */
  async inclusion(actor: SignedInActor, eventId: string, size: number | null | undefined): Promise<AuditInclusionProof> {
    const scope = auditScope(actor);
    const [row] = await this.database.query<{ leaf_index: number | null; leaf_hash: string }>(
      `SELECT l.leaf_index, l.leaf_hash FROM audit_event e LEFT JOIN audit_leaf l ON l.event_id = e.id WHERE e.id = ? AND ${scope.sql}`,
      [eventId, ...scope.parameters],
    );
    if (!row) throw Failure.notFound('audit event');
    const latest = await this.checkpoints.latest();
    const index = row.leaf_index;
    const wanted = size ?? latest?.size ?? 0;
    if (index === null || (typeof size !== 'number' && wanted <= index))
      throw new Failure('CONFLICT', 'The event has no signed place in the tree yet.', { remedy: 'Ask again in a second.' });
    const stored = await this.size();
    if (wanted <= index || wanted > stored)
      throw Failure.invalid(
        'treeSize',
        'expected a size that the tree had after the event: above its leafIndex, not above what is stored',
      );
    const tree = new StoredTree(this.query);
    const checkpoint = latest?.size === wanted ? latest : await this.checkpoints.at(wanted);
    return new AuditInclusionProof({
      eventId,
      leafIndex: index,
      leafHash: row.leaf_hash,
      treeSize: wanted,
      path: await inclusionPath(wanted, index, tree.nodeAt),
      root: await rootAt(tree, wanted),
      checkpoint: checkpoint && (await this.withAnchors(checkpoint)),
    });
  }

  /** Proof that the tree of `to` leaves continues the one of `since` leaves. Throws `INVALID`. */
  async consistency(since: number, to: number): Promise<AuditConsistencyProof> {
    const stored = await this.size();
    if (since < 1 || since > to) throw Failure.invalid('from', 'expected a size from 1 up to that of to');
    if (to > stored) throw Failure.invalid('to', 'expected a size that the tree has reached');
    const tree = new StoredTree(this.query);
    return new AuditConsistencyProof({
      from: since,
      to,
      fromRoot: await rootAt(tree, since),
      toRoot: await rootAt(tree, to),
      path: await consistencyPath(since, to, tree.nodeAt),
    });
  }

  private readonly query = <R extends Row>(sql: string, parameters: readonly unknown[] = []): Promise<R[]> =>
    this.database.query<R>(sql, parameters);

  private size(): Promise<number> {
    return treeSize(this.query);
  }

  private async withAnchors(checkpoint: SignedCheckpoint): Promise<AuditCheckpointType> {
    return new AuditCheckpointType(checkpoint, await latestAnchored(this.database, checkpoint.origin));
  }

  private async page(
    actor: SignedInActor,
    access: RequestAccess,
    coordinate: 'Query.auditEvents' | 'Query.disclosures',
    filter: AuditEventFilter,
    conditions: readonly AuditScope[],
    first: number | null,
    after: string | null | undefined,
  ) {
    const request = new PageRequest(this.cursors, actor.id, [coordinate, filter], inLogOrder, { first, after });
    const whole = joined(conditions);
    const rows = await this.database.query<EventRow>(
      `SELECT l.leaf_index, l.leaf_hash, l.event_id, e.leaf ${from} WHERE ${whole.sql} ${request.clause.sql}`,
      [...whole.parameters, ...request.clause.values],
    );
    const customers = await this.customersOf(rows.map(({ event_id: id }) => id));
    const page = request.pageOf(
      rows,
      (row) => this.toType(row, customers),
      async () => {
        const [counted] = await this.database.query<{ n: number }>(
          `SELECT COUNT(*) AS n ${from} WHERE ${whole.sql}`,
          whole.parameters,
        );
        return counted?.n ?? 0;
      },
    );
    access.note(coordinate, page.nodes.length, page.nodes);
    return new AuditEventConnection(page);
  }

  private async customersOf(
    eventIds: readonly string[],
  ): Promise<ReadonlyMap<string, readonly NonNullable<ShownObject['customer']>[]>> {
    if (eventIds.length === 0) return new Map();
    const rows = await this.database.query<CustomerRow & Partial<KeyedRow>>(
      `SELECT c.event_id, c.customer_id, ${keyColumns} FROM audit_customer c LEFT JOIN privacy_customer_key k ON k.owner = c.customer_id
        WHERE c.event_id IN (${marks(eventIds)}) ORDER BY c.event_id, c.customer_id`,
      eventIds,
    );
    const byEvent = new Map<string, NonNullable<ShownObject['customer']>[]>();
    for (const row of rows) {
      const list = byEvent.get(row.event_id) ?? [];
      list.push(
        this.keys.underDigest(row.customer_id, {
          keyId: row.keyId ?? '',
          keyWrapped: row.keyWrapped ?? null,
          keyOwner: row.keyOwner ?? '',
        }),
      );
      byEvent.set(row.event_id, list);
    }
    return byEvent;
  }

  private toType(row: EventRow, customers: ReadonlyMap<string, readonly NonNullable<ShownObject['customer']>[]>): AuditEventType {
    return new AuditEventType({
      leaf: readLeaf(row.leaf.toString('utf8')),
      leafIndex: row.leaf_index,
      leafHash: row.leaf_hash,
      customers: customers.get(row.event_id) ?? [],
    });
  }
}
