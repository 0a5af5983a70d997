import { LRUCache } from 'lru-cache';
import { Loop } from '../../background/loop';
import type { Database } from '../../db/database';
import type { KeyedDigests } from '../../privacy/digests';
import type { Signal } from '../../risk/signal';
import { minutes } from '../../risk/windows';
import { ulid } from '../../ulid';
import { ownSource } from './own-source';
import { recordSignals } from './recorder';
import { subjectDigest } from './subjects';

/** One use of a session that its person was identified by. Neither device nor key nor network is stored as it is. */
export interface SessionUse {
  readonly actorId: string;
  /** Keyed digest of the session at its identity provider; null where its tokens name none. */
  readonly session: string | null;
  /** As the identity provider says it. */
  readonly device: string | null;
  /** Thumbprint of the key that its token is bound to and whose possession was proven; null where it is bound to none. */
  readonly key: string | null;
  /** The network that the request came from, of IPv4 the first 24 bits, of IPv6 the first 48. */
  readonly network: string | null;
}

/** A session that stays where it is is told once within this time, in milliseconds. */
const toldWithin = 5 * minutes;
/** Signals of one session within that time: whoever goes to and fro is told of by fewer. */
const mostOfSession = 12;
/** The pause between two times that what was seen is stored, in milliseconds. A session that moved isn't waited with. */
const storeEvery = 15_000;
/** Uses of one transaction, and those that wait for it. */
const atOnce = 500;
const mostWaiting = 5_000;

interface Seen {
  readonly place: string;
  readonly span: number;
  readonly told: number;
}

export interface SessionUsesParts {
  readonly database: Database;
  readonly digests: KeyedDigests;
  readonly clock: () => Date;
  readonly onFault: (error: unknown) => void;
  /** Told once signals were stored. */
  readonly stored: () => void;
}

/**
 * From where sessions of staff are used. Only where that is new to this process is it told of, and stored for many at once, outside of
 * the requests: what none of it has is lost where the process ends, and seen again at the next use.
 */
export class SessionUses {
  private readonly seen = new LRUCache<string, Seen>({ max: 20_000 });
  private waiting: (SessionUse & { readonly at: Date })[] = [];
  private readonly storing = new Loop({
    turn: () => this.store(),
    every: storeEvery,
    onFault: (error) => this.parts.onFault(error),
  });

  constructor(private readonly parts: SessionUsesParts) {}

  start(): void {
    this.storing.start();
  }

  async stop(): Promise<void> {
    await this.storing.stop();
    await this.store().catch((error: unknown) => this.parts.onFault(error));
  }

  /** Costs one look into memory where nothing is new. */
  note(use: SessionUse): void {
    const { actorId, session, device, key, network } = use;
    if (device === null && key === null && network === null) return;
    const at = this.parts.clock();
    const span = Math.floor(at.getTime() / toldWithin);
    const name = `${actorId} ${session ?? ''}`;
    const place = JSON.stringify([device, key, network]);
    const known = this.seen.get(name);
    const isSameSpan = known?.span === span;
    if (isSameSpan && (known.place === place || known.told >= mostOfSession)) return;
    this.seen.set(name, { place, span, told: isSameSpan ? known.told + 1 : 1 });
    if (this.waiting.length >= mostWaiting) return;
    this.waiting.push({ ...use, at });
    if (known && known.place !== place) this.storing.wake();
  }

  /** Stores what was noted. What couldn't be stored waits. */
  async store(): Promise<void> {
    while (this.waiting.length > 0) {
      const uses = this.waiting.slice(0, atOnce);
      const signals = uses.map((use) => this.signalOf(use));
      await this.parts.database.system('signals', 'signal.receive', async (change) => {
        const fresh = await recordSignals(change, signals);
        if (fresh > 0)
          change.record('signal.receive', { subject: { type: 'SignalSource', id: ownSource }, detail: { signals: fresh } });
      });
      this.waiting = this.waiting.slice(uses.length);
      this.parts.stored();
    }
  }

  private signalOf({ actorId, session, device, key, network, at }: SessionUse & { readonly at: Date }): Signal {
    const { digests } = this.parts;
    return {
      source: ownSource,
      id: `use_${ulid(at.getTime())}`,
      type: 'staff.session',
      occurredAt: at,
      subjects: {
        staff: actorId,
        ...(session === null ? {} : { session }),
        ...(device === null ? {} : { device: subjectDigest(digests, 'device', device) }),
        ...(key === null ? {} : { key: subjectDigest(digests, 'key', key) }),
        ...(network === null ? {} : { ip: subjectDigest(digests, 'ip', network) }),
      },
      facts: {},
    };
  }
}
