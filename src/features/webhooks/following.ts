import { createHash } from 'node:crypto';
import { storedLeaf } from '../../audit/leaf';
import { dueFrom } from '../../background/job-table';
import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import { treeSize } from '../../ledger/integration';
import { ulid } from '../../ulid';
import { cloudEvent, messageOf, toldActions } from './messages';
import { webhookDeliveries, webhookEndpoints } from './webhook.entity';
import { e, endpoint, endpointRows, l, placedLeaves } from './webhooks.rows';
import type { WebhookEndpointSection } from './webhooks.section';

/** Places of the log that are looked at in one turn. */
const stretch = 2_000;

/** Whom an address stands for: another one is another receiver. */
export const digestOfUrl = (url: string): string => createHash('sha256').update(url).digest('hex');

export interface FollowingParts {
  readonly database: Database;
  readonly endpoints: readonly WebhookEndpointSection[];
  /** Where the gateway is reached, by which receivers tell it from others. */
  readonly source: () => string;
  /** There is something to send. */
  readonly onQueued: () => void;
}

/**
 * Writes down, for each endpoint, what of the log it is to be told: in the log's own order, each event once, however many processes
 * do so at once. Where an endpoint stands is written in the transaction that writes its messages, and only by whoever finds it where they began.
 */
export class LogFollower {
  constructor(private readonly parts: FollowingParts) {}

  /** One turn for each endpoint. Returns how many messages it wrote. */
  async turn(): Promise<number> {
    const { endpoints, database, onQueued } = this.parts;
    if (endpoints.length === 0) return 0;
    const stored = new Map((await database.read(endpointRows, sql``)).map((row) => [row.name, row]));
    const size = await treeSize(database);
    let written = 0;
    for (const section of endpoints) {
      const row = stored.get(section.name);
      if (row === undefined || row.urlDigest !== digestOfUrl(section.url)) await this.begin(section, size);
      else if (row.disabledAt === null && row.position < size) written += await this.advance(section, row.position, size);
    }
    if (written > 0) onQueued();
    return written;
  }

  /** An endpoint that is new, or has another address, is told what happens from now on; one that only moved, what it wasn't told yet. */
  private begin({ name, url }: WebhookEndpointSection, size: number): Promise<void> {
    const urlDigest = digestOfUrl(url);
    return this.parts.database.system(
      'delivery',
      'webhook.endpoint',
      async (change) => {
        const [known] = await change.read(endpointRows, sql`WHERE ${endpoint.name} = ${name}`, { lock: true });
        if (known?.urlDigest === urlDigest) return;
        if (known)
          await change.update(webhookEndpoints, { urlDigest, disabledAt: null }, sql`${webhookEndpoints.name} = ${name}`);
        else await change.insert(webhookEndpoints, { name, urlDigest, position: size, disabledAt: null });
        change.record('webhook.endpoint', { subject: { type: 'WebhookEndpoint', id: name }, detail: { url: urlDigest } });
      },
      { idempotent: true },
    );
  }

  private async advance({ name, types }: WebhookEndpointSection, from: number, size: number): Promise<number> {
    const { database, source } = this.parts;
    const to = Math.min(size, from + stretch);
    const leaves = await database.read(
      placedLeaves,
      sql`WHERE ${l.leafIndex} >= ${from} AND ${l.leafIndex} < ${to} AND ${e.action} IN (${toldActions}) ORDER BY ${l.leafIndex}`,
    );
    const messages = leaves.flatMap(({ leafIndex, leaf }) => {
      const read = storedLeaf(leaf);
      const message = read && messageOf(read);
      return message !== null && types.includes(message.type) ? [{ ...message, place: leafIndex }] : [];
    });
    const isHere = sql`${webhookEndpoints.name} = ${name} AND ${webhookEndpoints.position} = ${from} AND ${webhookEndpoints.disabledAt} IS NULL`;
    if (messages.length === 0) {
      await database.bookkeeping(webhookEndpoints, (books) => books.update({ position: to }, isHere));
      return 0;
    }
    return database.system('delivery', 'webhook.queue', async (change) => {
      // Another process was faster, and wrote what this one would.
      if ((await change.bookkeep(webhookEndpoints, { position: to }, isHere)) === 0) return 0;
      const rows = messages.map(({ place, ...message }) => {
        const id = `whd_${ulid(change.at.getTime())}`;
        return {
          id,
          kind: 'POST' as const,
          endpoint: name,
          subject: `${name}|${message.subject}`,
          place,
          type: message.type,
          body: cloudEvent(id, source(), message),
          createdAt: change.at,
          ...dueFrom(change.at),
        };
      });
      await change.insert(webhookDeliveries, rows);
      change.record('webhook.queue', {
        subject: { type: 'WebhookEndpoint', id: name },
        detail: { messages: rows.map(({ id }) => id).slice(0, 100), count: rows.length, from, to },
      });
      return rows.length;
    });
  }
}
