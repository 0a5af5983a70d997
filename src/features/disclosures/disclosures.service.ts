import { type FieldOfDisclosure, type StatedPlan, shownUnder } from '../../audit/access-plan';
import { type LinkedCustomer, namedPerEvent } from '../../audit/event';
import type { EventFacts } from '../../audit/events';
import type { SignedInActor } from '../../authz/actor';
import { Groups } from '../../background/groups';
import type { Change } from '../../db/change';
import type { Database } from '../../db/database';
import { DatabaseUnavailable } from '../../db/database-unavailable';
import { Failure } from '../../failure';
import { renewReaders } from '../actors/actor.brakes';
import { leaseMilliseconds, renewLeases } from '../assistance/assistance.leases';
import { StatedPlans } from './stated-plans';

/** What one operation showed to one actor: the record without which its response isn't sent. */
export interface Disclosure {
  readonly actor: SignedInActor;
  /** Keyed digest of the operation's name; null without one. */
  readonly operation: string | null;
  /** The access plan that it was shown under: stated in the log before it is named there. */
  readonly plan: StatedPlan;
  /** What left, and under which link's verdict. */
  readonly fields: readonly (FieldOfDisclosure & { readonly link: string })[];
  readonly ticketIds: readonly string[];
  readonly customers: readonly LinkedCustomer[];
  /** Ids of what was shown, by type; customers are only among `customers`. */
  readonly objects: Readonly<Record<string, readonly string[]>>;
  /** The assistances that it was shown under. */
  readonly assistanceIds: readonly string[];
  /** The ticket of the assistance where it is shown under exactly one; otherwise null. */
  readonly assistedTicketId: string | null;
  /** When the first of them expires; null without any. */
  readonly validUntil: Date | null;
}

/** Disclosures that share one flush, and how many may wait before new ones are refused. */
const groupSize = 256;
const maximumWaiting = 1_024;
/** Milliseconds after which one that waits isn't recorded any more: nobody waits for its answer. */
const longestWait = 10_000;
/** A lease with less than this left, in milliseconds, is renewed rather than relied on. */
const leaseReserve = 500;
/** What is left of a lease after a commit must be enough, in milliseconds, for the response to leave. */
const sendReserve = 50;

/** Writes to what must hold for something to be shown: who is shown it, and the assistances that it is shown under. Returns which do. */
const renew = async (change: Change, wanted: { readonly actors: readonly string[]; readonly assistances: readonly string[] }) => [
  ...(await renewReaders(change, wanted.actors, new Date(Date.now() + leaseMilliseconds))),
  ...(await renewLeases(change, wanted.assistances, change.at)),
];

/**
 * Records disclosures durably, many in one commit. In the transaction that records it, each assistance is written to
 * while it is live, and whoever is shown something while no brake stops that; where such a write finds nothing, the disclosure
 * is lost and its response must not leave.
 */
export class Disclosures {
  private readonly groups: Groups<Disclosure, void>;
  /** Until when, on the monotonic clock, this process may rely on an assistance or an actor that it wrote to. */
  private readonly leases = new Map<string, number>();
  private readonly plans = new StatedPlans();

  constructor(
    private readonly database: Database,
    private readonly clock: () => Date,
    onFault: (error: unknown) => void,
  ) {
    this.groups = new Groups({
      size: groupSize,
      most: maximumWaiting,
      patience: longestWait,
      commit: (group) => this.commit(group),
      refusal: (fault) => {
        // That the database can't be used, each request says for itself; what keeps the log alone from being written is told once.
        if (fault instanceof DatabaseUnavailable) return fault;
        if (fault !== undefined) onFault(fault);
        return unavailable();
      },
    });
  }

  /**
   * Resolves once the disclosure is durable. Throws `DENIED` when an assistance it was shown under has ended or a brake stops the actor, and
   * `RECORD_UNAVAILABLE` when it can't be written: then nothing may be shown.
   */
  record(disclosure: Disclosure): Promise<void> {
    return this.groups.add(disclosure);
  }

  /** Waits until everything that was handed in is settled. */
  idle(): Promise<void> {
    return this.groups.idle();
  }

  private async commit(group: readonly Disclosure[]): Promise<readonly (() => void)[]> {
    const actorIds = new Set(group.map(({ actor }) => actor.id));
    // Actors first, as every change of theirs has it.
    const wanted = [...actorIds, ...[...new Set(group.flatMap(({ assistanceIds }) => assistanceIds))].sort()];
    const split = (ids: readonly string[]) => ({
      actors: ids.filter((id) => actorIds.has(id)).sort(),
      assistances: ids.filter((id) => !actorIds.has(id)),
    });
    const { relied, asked, began, live, recorded, stated } = await this.database.system(
      'recorder',
      'disclosure',
      async (change) => {
        // Decided anew in each attempt: a lease may run out while this waits for its turn or for a conflict to pass.
        const began = performance.now();
        const relied = wanted.filter((id) => (this.leases.get(id) ?? 0) - began > leaseReserve);
        const asked = wanted.filter((id) => !relied.includes(id));
        const live = new Set([...relied, ...(await renew(change, split(asked)))]);
        // The writes may have waited for somebody who was ending one.
        const now = this.clock();
        const recorded = group.filter(
          ({ actor, assistanceIds, validUntil }) =>
            live.has(actor.id) && assistanceIds.every((id) => live.has(id)) && (validUntil === null || validUntil > now),
        );
        const stated = await this.plans.state(
          change,
          recorded.map(({ plan }) => plan),
        );
        for (const disclosure of recorded) {
          const { id, kind, roles } = disclosure.actor;
          for (const facts of factsOf(disclosure)) change.recordFor({ id, kind, roles }, 'disclosure', facts);
        }
        return { relied, asked, began, live, recorded, stated };
      },
    );
    this.plans.committed(stated);
    for (const id of asked) {
      if (live.has(id)) this.leases.set(id, began + leaseMilliseconds);
      else this.leases.delete(id);
    }
    // A commit that outlasted a lease it relied on proves nothing: somebody may have ended the assistance meanwhile. A
    // read could be as old as that commit, so it is asked by writing.
    const overdue = relied.filter((id) => (this.leases.get(id) ?? 0) - performance.now() <= sendReserve);
    const proven = new Set(
      overdue.length > 0 ? await this.database.system('recorder', 'disclosure', (change) => renew(change, split(overdue))) : [],
    );
    const dead = new Set(overdue.filter((id) => !proven.has(id)));
    for (const id of overdue) this.leases.delete(id);
    this.forgetOldLeases();
    const kept = new Set(recorded);
    return group.map((disclosure) => () => {
      const { actor, assistanceIds, assistedTicketId } = disclosure;
      if (kept.has(disclosure) && ![actor.id, ...assistanceIds].some((id) => dead.has(id))) return;
      const isStopped = !live.has(actor.id) || dead.has(actor.id);
      throw Failure.denied(isStopped ? 'BRAKE' : 'ASSISTANCE_ENDED', 'disclosure', assistedTicketId);
    });
  }

  private forgetOldLeases(): void {
    if (this.leases.size < 10_000) return;
    const now = performance.now();
    for (const [id, until] of this.leases) if (until <= now) this.leases.delete(id);
  }
}

const unavailable = (): Failure =>
  new Failure('RECORD_UNAVAILABLE', 'The disclosure could not be recorded, so nothing is shown.', {
    remedy: 'Try again shortly.',
    retryAfter: 2,
  });

const factsOf = (disclosure: Disclosure): readonly EventFacts<'disclosure'>[] => {
  const { operation, plan, fields, ticketIds, customers, objects, assistanceIds } = disclosure;
  const { counts, others } = shownUnder(plan, fields);
  const ids = Object.entries(objects).flatMap(([type, list]) => list.map((id) => ({ type, id })));
  const longest = Math.max(ids.length, ticketIds.length, customers.length, assistanceIds.length);
  const parts = Math.max(1, Math.ceil(longest / namedPerEvent));
  return Array.from({ length: parts }, (_, part): EventFacts<'disclosure'> => {
    const ofPart = <T>(list: readonly T[]): T[] => list.slice(part * namedPerEvent, (part + 1) * namedPerEvent);
    const shown: Record<string, string[]> = {};
    for (const { type, id } of ofPart(ids)) {
      shown[type] ??= [];
      shown[type].push(id);
    }
    return {
      ticketId: ticketIds.length === 1 ? ticketIds[0] : undefined,
      assistanceId: assistanceIds.length === 1 ? assistanceIds[0] : undefined,
      customers: ofPart(customers),
      detail: {
        operation,
        plan: plan.digest,
        counts,
        ...(others ? { others } : {}),
        tickets: ofPart(ticketIds),
        assistances: ofPart(assistanceIds),
        objects: shown,
        count: ids.length,
        ...(parts > 1 ? { part: part + 1, parts } : {}),
      },
    };
  });
};
