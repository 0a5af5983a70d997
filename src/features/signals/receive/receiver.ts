import { defaultKeySetOptions, remoteKeySet } from '../../../authz/identity/key-set';
import { Groups } from '../../../background/groups';
import type { Database } from '../../../db/database';
import { DatabaseUnavailable } from '../../../db/database-unavailable';
import { isConflict } from '../../../db/engine';
import { sql } from '../../../db/sql';
import { select } from '../../../db/table';
import { Failure } from '../../../failure';
import { WaitedTooLong } from '../../../lanes';
import type { KeyedDigests } from '../../../privacy/digests';
import type { Signal } from '../../../risk/signal';
import { hours } from '../../../risk/windows';
import { recordEach } from '../recorder';
import { riskSignals } from '../signal.entity';
import type { SignalSource } from '../signals.section';
import type { Signals } from '../signals.service';
import type { SignalSubjects } from '../subjects';
import { cloudEvent, cloudEventBatch, signalsIn } from './cloud-events';
import { eventsIn, SetRefused, securityEvent, type TokenEvent, type TokenTrust } from './security-events';
import { isSignedByOneOf, type SignedRequest } from './standard-webhooks';

/** What became of a request: how many signals it had, and how many of them are new. */
export interface Received {
  readonly received: number;
  readonly stored: number;
}

/** Stores what a proven sender tells. Signals that are stored already count as received. Throws `INVALID` and `SetRefused`. */
export type Proven = () => Promise<Received>;

/** Sessions of staff that their identity provider ended. */
export interface StaffSessions {
  /** An identity provider of staff, by its issuer identifier. */
  isTheirs(issuer: string): boolean;
  /** Durable before it returns. */
  end(ended: { issuer: string; subject: string | null; sessionId: string | null; issuedAt: Date }): Promise<void>;
}

export interface ReceiverParts {
  readonly database: Database;
  readonly sources: readonly SignalSource[];
  readonly subjects: SignalSubjects;
  readonly digests: KeyedDigests;
  readonly signals: Pick<Signals, 'stored' | 'take'>;
  readonly sessions: StaffSessions;
  /** Told where the keys of a sender's tokens can't be had. */
  readonly onKeySetFault: (source: string, why: string) => void;
}

const known = select(riskSignals.pick('eventId'), sql`FROM ${riskSignals}`);

/**
 * Signals of one transaction, or those of one request: a database does less for each of many that come one after the other than where several
 * processes with several transactions each write into the same places of its indexes.
 */
const storedAtOnce = 1_000;
/** Requests that may wait for the transaction before theirs, and for how many milliseconds: more than are taken at once. */
const mostWaiting = 64;
const longestWait = 10_000;

/** What one request tells. */
interface Told {
  readonly source: string;
  readonly signals: readonly Signal[];
}

/** What others tell. It is proven by its sender's signature, taken whole or not at all, and durable before it is acknowledged. */
export class SignalReceiver {
  private readonly sources: ReadonlyMap<string, SignalSource>;
  private readonly trusts: ReadonlyMap<string, TokenTrust>;
  private readonly groups = new Groups<Told, number>({
    size: storedAtOnce,
    weigh: ({ signals }) => signals.length,
    most: mostWaiting,
    patience: longestWait,
    commit: (group) => this.commit(group),
    refusal: (fault) => fault ?? new WaitedTooLong(),
  });

  constructor(private readonly parts: ReceiverParts) {
    this.sources = new Map(parts.sources.map((source) => [source.name, source]));
    this.trusts = new Map(
      parts.sources.flatMap(({ name, tokens }) => {
        if (!tokens) return [];
        const keySet = remoteKeySet(tokens.jwksUri, defaultKeySetOptions, (why) => parts.onKeySetFault(name, why));
        return [[name, { source: name, issuer: tokens.issuer, audience: tokens.audience, keySet }]];
      }),
    );
  }

  /**
   * Tells who sends: what it returns stores what they tell, and may wait for its turn. Whoever isn't proven takes nobody's place: what
   * this does is bounded by the size of the request, and by the time in which an issuer's keys come. Throws `UNAUTHENTICATED` where it
   * isn't proven who sends, whether there is such a source or not, `SetRefused` and `UPSTREAM_UNAVAILABLE`.
   */
  async prove(name: string, mediaType: string, request: SignedRequest): Promise<Proven> {
    const source = this.sources.get(name);
    if (mediaType === securityEvent) return this.proveToken(source, request);
    if (!isSignedByOneOf(request, source?.secrets ?? []) || !source) throw unproven();
    return async () => {
      if (mediaType !== cloudEvent && mediaType !== cloudEventBatch)
        throw Failure.invalid('content-type', `expected ${cloudEvent} or ${cloudEventBatch}`);
      return this.store(source, signalsIn(request.body, mediaType, name, request.now), request.now);
    };
  }

  private async proveToken(source: SignalSource | undefined, { body, now }: SignedRequest): Promise<Proven> {
    const trust = this.trusts.get(source?.name ?? '');
    if (!source || !trust) throw unproven();
    const events = await eventsIn(body, trust, this.parts.digests, now);
    return () => this.takeEvents(source, trust, events, now);
  }

  /** Whoever is signed out is so before it is acknowledged. */
  private async takeEvents(source: SignalSource, trust: TokenTrust, events: readonly TokenEvent[], now: Date): Promise<Received> {
    const { sessions } = this.parts;
    const signals: Signal[] = [];
    for (const { about, ...event } of events) {
      const { issuer, account, sessionId, emailDomain, ends } = about;
      const isStaffs = event.type === 'session.revoked' && sessions.isTheirs(issuer);
      // Of another's people nobody has a say.
      if (isStaffs && issuer === trust.issuer && !(await this.isKnown(source.name, event.id))) {
        // An acknowledgement would say that it ended.
        if (ends.length === 0) throw new SetRefused('invalid_request', 'expected a session, or whose it is by iss_sub or opaque');
        for (const each of ends) await sessions.end({ issuer, ...each, issuedAt: event.occurredAt });
      }
      const who = account ?? sessionId;
      if (who === null) throw new SetRefused('invalid_request', 'the token says of nobody that it happened to them');
      const subjects = isStaffs ? { staff: who } : { customer: who, ...(emailDomain ? { emailDomain } : {}) };
      signals.push({ source: source.name, ...event, subjects });
    }
    return this.store(source, signals, now);
  }

  private async isKnown(source: string, id: string): Promise<boolean> {
    const isIt = sql`WHERE ${riskSignals.source} = ${source} AND ${riskSignals.eventId} = ${id}`;
    return (await this.parts.database.read(known, isIt)).length > 0;
  }

  private store(source: SignalSource, signals: readonly Signal[], now: Date): Promise<Received> {
    return this.parts.signals.take(() => this.storeNow(source, signals, now));
  }

  private async storeNow(source: SignalSource, signals: readonly Signal[], now: Date): Promise<Received> {
    const { name } = source;
    const told = await this.parts.subjects.ours(
      signals.map((signal) => (isBackdated(signal, source, now) ? { ...signal, isBackdated: true } : signal)),
      source,
    );
    if (told.length === 0) return { received: 0, stored: 0 };
    const stored = await this.groups.add({ source: name, signals: told });
    if (stored > 0) this.parts.signals.stored();
    return { received: told.length, stored };
  }

  /** What was wrong with one request is no other's. */
  private async commit(group: readonly Told[]): Promise<readonly (() => number)[]> {
    try {
      return (await this.storeAll(group)).map((fresh) => () => fresh);
    } catch (error) {
      if (group.length === 1 || error instanceof DatabaseUnavailable || isConflict(error)) throw error;
      const each: (() => number)[] = [];
      for (const told of group) each.push(...(await this.commit([told]).catch((fault: unknown) => [() => raise(fault)])));
      return each;
    }
  }

  private storeAll(group: readonly Told[]): Promise<readonly number[]> {
    // Most signals are told once: whether one is stored is looked up where its key says so, and the change is made again.
    let isFirst = true;
    return this.parts.database.system(
      'receiver',
      'signal.receive',
      async (change) => {
        const lists = group.map(({ signals }) => signals);
        const how = isFirst ? 'as new' : 'looked up';
        isFirst = false;
        const stored = await recordEach(change, lists, how);
        for (const [index, { source }] of group.entries()) {
          const signals = stored[index] as number;
          if (signals > 0)
            change.record('signal.receive', { subject: { type: 'SignalSource', id: source }, detail: { signals } });
        }
        return stored;
      },
      { idempotent: true },
    );
  }
}

/** What a sender says of long ago it may say to give somebody a past: it is kept, and is none, but while the operator has it import. */
const isBackdated = ({ occurredAt }: Signal, { lateHours, importUntil }: SignalSource, now: Date): boolean =>
  now.getTime() - occurredAt.getTime() > lateHours * hours && (importUntil === undefined || now >= importUntil);

const raise = (fault: unknown): never => {
  throw fault;
};

const unproven = (): Failure =>
  new Failure('UNAUTHENTICATED', 'The signals are not proven to come from this source.', {
    remedy: 'Check the name in the address, the signing secret and the clock on both sides.',
  });
