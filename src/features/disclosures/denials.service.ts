import type { SignedInActor } from '../../authz/actor';
import { Loop } from '../../background/loop';
import type { Database } from '../../db/database';

export interface Denial {
  readonly actor: SignedInActor;
  /** The field, action or rule that said no. */
  readonly rule: string;
  readonly reason: string;
  /** The tickets that it is about: all of them, or none. */
  readonly ticketIds: readonly string[];
}

interface Counted {
  readonly denial: Denial;
  readonly count: number;
  /** Each of the counted ones is about some of these, unless there were more than an event names. */
  readonly tickets: readonly string[];
}

interface Window {
  readonly denial: Denial;
  readonly opened: number;
  more: number;
  readonly tickets: Set<string>;
}

/** Tickets that one event names; further ones are only counted. */
const ticketsNamed = 200;
/** Repeated denials of one actor by one rule within this time, in milliseconds, become one further event with their number. */
const windowMilliseconds = 60_000;
/** The pause between two looks at which of those times are over, in milliseconds. */
const closeEvery = 5_000;

/**
 * Denied attempts, each actor, rule and reason written at once the first time and counted afterwards: a script that tries a
 * thousand ids leaves two events that say so, not a thousand. Those that are about tickets name them.
 */
export class Denials {
  private readonly windows = new Map<string, Window>();
  private readonly loop: Loop;

  constructor(
    private readonly database: Database,
    private readonly onFault: (error: unknown) => void,
  ) {
    this.loop = new Loop({ turn: () => this.closeWindows(false), every: closeEvery, onFault });
    this.loop.start();
  }

  /** Resolves once every first attempt among these is durable. A fault is reported and not thrown: the denial stands without its record. */
  async record(denials: readonly Denial[]): Promise<void> {
    const first: Denial[] = [];
    for (const denial of denials) {
      const { actor, rule, reason, ticketIds } = denial;
      // Those about no ticket are counted by themselves: an event that names tickets says of each one that it was about some of them.
      const key = [actor.id, rule, reason, ticketIds.length > 0 ? 'tickets' : ''].join('|');
      const window = this.windows.get(key);
      if (window) {
        window.more += 1;
        for (const ticketId of ticketIds) if (window.tickets.size < ticketsNamed) window.tickets.add(ticketId);
      } else {
        this.windows.set(key, { denial, opened: performance.now(), more: 0, tickets: new Set() });
        first.push(denial);
      }
    }
    await this.write(first.map((denial) => ({ denial, count: 1, tickets: [...denial.ticketIds].sort().slice(0, ticketsNamed) })));
  }

  /** Writes what was only counted so far and stops. */
  async close(): Promise<void> {
    await this.loop.stop();
    await this.closeWindows(true);
  }

  private async closeWindows(all: boolean): Promise<void> {
    const now = performance.now();
    const counted: Counted[] = [];
    for (const [key, { denial, opened, more, tickets }] of this.windows) {
      if (!all && now - opened < windowMilliseconds) continue;
      this.windows.delete(key);
      if (more > 0) counted.push({ denial, count: more, tickets: [...tickets].sort() });
    }
    await this.write(counted);
  }

  private async write(counted: readonly Counted[]): Promise<void> {
    if (counted.length === 0) return;
    try {
      await this.database.system('recorder', 'denial', async (change) => {
        for (const { denial, count, tickets } of counted) {
          const { id, kind, roles } = denial.actor;
          change.recordFor({ id, kind, roles }, 'denial', {
            ticketId: tickets.length === 1 ? tickets[0] : undefined,
            detail: { rule: denial.rule, reason: denial.reason, count, ...(tickets.length > 1 ? { tickets } : {}) },
          });
        }
      });
    } catch (error) {
      this.onFault(error);
    }
  }
}
