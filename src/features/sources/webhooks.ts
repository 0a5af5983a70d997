import { createHash } from 'node:crypto';
import { sql } from '../../db/sql';
import { inTurns } from '../../lanes';
import { ulid } from '../../ulid';
import type { WebhookJudgement, WebhookRequest } from '../../upstream/helpdesk/helpdesk.port';
import type { NamedTransaction } from '../../upstream/payments/payments.port';
import type { Polling } from './polling';
import type { Reading } from './reading';
import { webhookReceipts as receipts, WebhookReceipt } from './source.entity';
import type { SourceParts } from './source-parts';

export type WebhookOutcome = 'rejected' | 'duplicate' | 'accepted' | 'kept';

/** Tickets of one announcement that are read at the same time. */
const ticketsAtOnce = 4;

/** What sources announce. It is proven by the source's signature, kept that it came, and acted on by reading: its content is never believed. */
export class Webhooks {
  constructor(
    private readonly parts: Pick<SourceParts, 'database' | 'registry'>,
    private readonly reading: Reading,
    private readonly polling: Polling,
  ) {}

  /** Throws `SourceUnavailable` where what was announced can't be read just now; it is kept as pending then. */
  async receive(sourceName: string, request: WebhookRequest): Promise<WebhookOutcome> {
    const judgement: WebhookJudgement = this.parts.registry.connectorOf(sourceName)?.judgeWebhook(request) ?? {
      outcome: 'rejected',
      why: 'no such source',
    };
    if (judgement.outcome === 'rejected') return 'rejected';
    const state = judgement.outcome === 'hint' ? 'PENDING' : 'UNKNOWN';
    const eventId = judgement.eventId.slice(0, 255);
    const isNew = await this.parts.database.system(
      'sync',
      'source.webhook',
      async (change) => {
        const known = await change.lockIfAny(WebhookReceipt, { source: sourceName, eventId });
        if (known && (known.state !== 'UNKNOWN' || state === 'UNKNOWN')) return known.state === 'PENDING';
        if (known) {
          // Kept by a version that didn't understand it, sent again to one that does.
          await change.update(receipts, { state: 'PENDING' }, sql`${receipts.id} = ${known.id}`);
          change.record('source.webhook', { subject: { type: 'Webhook', id: known.id }, detail: { source: sourceName, state } });
          return true;
        }
        const receipt: WebhookReceipt = {
          id: `whk_${ulid()}`,
          source: sourceName,
          eventId,
          type: judgement.type.slice(0, 128),
          state,
          size: request.body.length,
          digest: createHash('sha256').update(request.body).digest('hex'),
          happenedAt: judgement.at,
          receivedAt: request.now,
        };
        await change.insert(receipts, receipt);
        change.record('source.webhook', { subject: { type: 'Webhook', id: receipt.id }, detail: { source: sourceName, state } });
        return true;
      },
      { idempotent: true },
    );
    if (!isNew) return 'duplicate';
    if (judgement.outcome === 'unknown') return 'kept';
    await this.reconcile(sourceName, judgement.references, judgement.transactions);
    this.polling.announced(sourceName);
    await this.parts.database.system('sync', 'source.webhook', async (change) => {
      const isPending = sql`${receipts.source} = ${sourceName} AND ${receipts.eventId} = ${eventId} AND ${receipts.state} = 'PENDING'`;
      const applied = await change.update(receipts, { state: 'APPLIED' }, isPending);
      if (applied > 0) change.record('source.webhook', { detail: { source: sourceName, state: 'APPLIED' } });
    });
    return 'accepted';
  }

  private async reconcile(
    name: string,
    references: readonly string[],
    transactions: readonly NamedTransaction[] = [],
  ): Promise<void> {
    if (this.parts.registry.isHelpdesk(name)) {
      await inTurns(references, ticketsAtOnce, (reference) => this.reading.refreshAnnounced(name, reference));
      return;
    }
    // An event that names no customer says that something changed: what, the next reading of changes tells.
    if (references.length === 0) return this.polling.syncPayments(name);
    const fault = await this.polling.reconcilePayments(this.parts.registry.payments(name), references, transactions);
    if (fault) throw fault;
  }
}
