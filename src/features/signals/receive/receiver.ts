import type { Database } from '../../../db/database';
import { Failure } from '../../../failure';
import { recordSignals } from '../recorder';
import type { SignalSource } from '../signals.section';
import type { Signals } from '../signals.service';
import type { SignalSubjects } from '../subjects';
import { cloudEvent, cloudEventBatch, signalsIn } from './cloud-events';
import { isSignedByOneOf, type SignedRequest } from './standard-webhooks';

/** What became of a request: how many signals it had, and how many of them are new. */
export interface Received {
  readonly received: number;
  readonly stored: number;
}

export interface ReceiverParts {
  readonly database: Database;
  readonly sources: readonly SignalSource[];
  readonly subjects: SignalSubjects;
  readonly signals: Pick<Signals, 'stored'>;
}

/** What others tell. It is proven by its sender's signature, taken whole or not at all, and durable before it is acknowledged. */
export class SignalReceiver {
  private readonly sources: ReadonlyMap<string, SignalSource>;

  constructor(private readonly parts: ReceiverParts) {
    this.sources = new Map(parts.sources.map((source) => [source.name, source]));
  }

  /**
   * Signals that are stored already count as received. Throws `UNAUTHENTICATED` where it isn't proven who sends, whether there is
   * such a source or not, and `INVALID`.
   */
  async receive(name: string, mediaType: string, request: SignedRequest): Promise<Received> {
    const source = this.sources.get(name);
    if (!isSignedByOneOf(request, source?.secrets ?? []) || !source) {
      throw new Failure('UNAUTHENTICATED', 'The signals are not proven to come from this source.', {
        remedy: 'Check the name in the address, the signing secret and the clock on both sides.',
      });
    }
    if (mediaType !== cloudEvent && mediaType !== cloudEventBatch)
      throw Failure.invalid('content-type', `expected ${cloudEvent} or ${cloudEventBatch}`);
    const told = await this.parts.subjects.ours(signalsIn(request.body, mediaType, name, request.now), source);
    if (told.length === 0) return { received: 0, stored: 0 };
    const stored = await this.parts.database.system(
      'receiver',
      'signal.receive',
      async (change) => {
        const fresh = await recordSignals(change, told);
        if (fresh > 0)
          change.record('signal.receive', { subject: { type: 'SignalSource', id: name }, detail: { signals: fresh } });
        return fresh;
      },
      { idempotent: true },
    );
    if (stored > 0) this.parts.signals.stored();
    return { received: told.length, stored };
  }
}
