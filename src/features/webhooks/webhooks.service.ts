import type { SignedInActor } from '../../authz/actor';
import { dueFrom } from '../../background/job-table';
import { joined, type Sql, sql } from '../../db/sql';
import { Failure } from '../../failure';
import { type Keyset, PageRequest } from '../../graphql/page';
import type { Core } from '../core';
import { webhookDeliveries, webhookEndpoints } from './webhook.entity';
import {
  type ReplayWebhooksInput,
  WebhookDeliveryConnection,
  type WebhookDeliveryFilter,
  WebhookDeliveryType,
} from './webhook.type';
import { webhookActions } from './webhooks.policy';
import {
  type AttemptRow,
  attempt,
  attemptRows,
  type DeliveryRow,
  delivery,
  deliveryCount,
  deliveryIds,
  deliveryRows,
} from './webhooks.rows';

export interface WebhookParts extends Pick<Core, 'database' | 'cursors'> {
  /** Names of the endpoints that are configured. */
  readonly endpoints: readonly string[];
  /** There is something to send. */
  readonly onQueued: () => void;
}

export interface WebhookPageArguments {
  readonly filter: WebhookDeliveryFilter | null | undefined;
  readonly first: number | null;
  readonly after: string | null | undefined;
}

/** Messages that one replay sends again. */
const mostReplayed = 1_000;
/** Attempts that are shown of a message, the newest. */
export const mostAttempts = 20;

const newestFirst: Keyset<DeliveryRow> = {
  column: delivery.createdAt,
  id: delivery.id,
  direction: 'DESC',
  positionOf: (row) => ({ value: row.createdAt.getTime(), id: row.id }),
};

const conditionsOf = ({ endpoint, type, state }: WebhookDeliveryFilter): readonly Sql[] => [
  sql`1 = 1`,
  ...(typeof endpoint === 'string' ? [sql`${delivery.endpoint} = ${endpoint}`] : []),
  ...(typeof type === 'string' ? [sql`${delivery.type} = ${type}`] : []),
  ...(state ? [sql`${delivery.state} = ${state}`] : []),
];

/** Messages to endpoints, as those read and repeat them who run the gateway. */
export class Webhooks {
  constructor(private readonly parts: WebhookParts) {}

  /** Newest first. Throws `INVALID` for a page size or cursor that doesn't fit. */
  async page(actor: SignedInActor, { filter, first, after }: WebhookPageArguments) {
    const { cursors, database } = this.parts;
    const given = filter ?? {};
    const list = ['webhookDeliveries', given.endpoint ?? null, given.type ?? null, given.state ?? null];
    const request = new PageRequest({ cursors, actorId: actor.id, list, keyset: newestFirst }, { first, after });
    const where = sql`WHERE ${joined(conditionsOf(given), ' AND ')}`;
    const rows = await database.read(deliveryRows, sql`${where} ${request.clause}`);
    const attempts = await this.attemptsOf(rows.map(({ id }) => id));
    return new WebhookDeliveryConnection(
      request.pageOf(
        rows,
        (row) => new WebhookDeliveryType(row, attempts.get(row.id) ?? []),
        async () => (await database.read(deliveryCount, where))[0]?.n ?? 0,
      ),
    );
  }

  /**
   * Sends messages of an endpoint again, under the same ids and in the same order, and enables it where it had said that it is gone. Returns
   * how many. Throws `DENIED`, `INVALID`.
   */
  async replay(actor: SignedInActor, { endpoint: name, from, before }: ReplayWebhooksInput): Promise<number> {
    if (!this.parts.endpoints.includes(name))
      throw Failure.invalid(
        'input.endpoint',
        `expected the name of an endpoint: ${this.parts.endpoints.join(', ') || 'none is configured'}`,
      );
    if (before && before <= from) throw Failure.invalid('input.before', 'expected an instant after input.from');
    const count = await this.parts.database.change(actor, webhookActions.replay, async (change, permit) => {
      permit();
      const until = before ? sql`AND ${delivery.createdAt} < ${before}` : sql``;
      const rows = await change.read(
        deliveryIds,
        sql`WHERE ${delivery.endpoint} = ${name} AND ${delivery.createdAt} >= ${from} ${until} AND ${delivery.state} <> 'PENDING'
          ORDER BY ${delivery.createdAt}, ${delivery.id} LIMIT ${mostReplayed}`,
        { lock: true },
      );
      const ids = rows.map(({ id }) => id);
      await change.update(webhookEndpoints, { disabledAt: null }, sql`${webhookEndpoints.name} = ${name}`);
      if (ids.length > 0) await change.bookkeep(webhookDeliveries, dueFrom(change.at), sql`${webhookDeliveries.id} IN (${ids})`);
      change.record('webhook.replay', {
        subject: { type: 'WebhookEndpoint', id: name },
        detail: { count: ids.length, from: from.toISOString(), before: before?.toISOString() ?? null },
      });
      return ids.length;
    });
    if (count > 0) this.parts.onQueued();
    return count;
  }

  private async attemptsOf(ids: readonly string[]): Promise<ReadonlyMap<string, readonly AttemptRow[]>> {
    if (ids.length === 0) return new Map();
    const rows = await this.parts.database.read(
      attemptRows,
      sql`WHERE ${attempt.deliveryId} IN (${ids}) ORDER BY ${attempt.deliveryId}, ${attempt.at} DESC, ${attempt.id}`,
    );
    const found = new Map<string, AttemptRow[]>();
    for (const row of rows) {
      const theirs = found.get(row.deliveryId) ?? [];
      if (theirs.length < mostAttempts) theirs.push(row);
      found.set(row.deliveryId, theirs);
    }
    return found;
  }
}
