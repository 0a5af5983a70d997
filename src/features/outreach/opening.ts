import { effectKey, isPending } from '../../background/effect';
import { Effects, type OtherSide } from '../../background/effects';
import { jobTable } from '../../background/job-table';
import type { ClaimedJob, JobHandler, JobResult } from '../../background/outbox';
import type { Change } from '../../db/change';
import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import type { TicketDraft } from '../../upstream/helpdesk/helpdesk.port';
import { SourceUnavailable, type UnavailableReason } from '../../upstream/source-unavailable';
import type { Keys } from '../keys/keys.service';
import type { HelpdeskSource } from '../sources/registry';
import { RiskOutreach, riskOutreachJobs } from './outreach.entity';
import { outreach, type WantedRow, wantedRows } from './outreach.rows';

export const outreachJobs = jobTable(riskOutreachJobs, { subject: 'outreachId' });
type Job = ClaimedJob<'OUTREACH', 'outreachId'>;

/** Why a ticket isn't opened any more, while none can have been. */
type DropReason = 'ALERT_ENDED' | 'CUSTOMER_GONE' | 'UNREACHABLE';

export interface OpeningParts {
  readonly database: Database;
  readonly keys: Keys;
  /** Those that take tickets, by name. */
  readonly helpdesks: ReadonlyMap<string, HelpdeskSource>;
}

const minute = 60_000;
/** A call that nobody waits for any more may be under way at the helpdesk for so long: what it opens wouldn't be found before. */
const shortestPause = 2 * minute;
/** With these nothing reached the helpdesk, or it did nothing. */
const unsent: ReadonlySet<UnavailableReason> = new Set(['circuit-open', 'overloaded', 'unauthorized', 'rate-limited']);

const isUnsent = (error: unknown): boolean => error instanceof SourceUnavailable && unsent.has(error.why);

/**
 * What a ticket says: that somebody should look, and which alert says why. Its subject is one that the customer may read, as they will where
 * somebody answers them on it. Nothing of payments, and nothing that anybody wrote.
 */
const textsFor = (alertId: string): Pick<TicketDraft, 'subject' | 'body'> => ({
  subject: 'A look at recent payments',
  body: [
    'Payments of this customer need a look by somebody.',
    `Alert: ${alertId}`,
    'The payment gateway opened this ticket. It changed nothing, and wrote to nobody.',
  ].join('\n'),
});

/** One helpdesk as effects make calls to it, and the reference of the ticket that it opened. */
class Desk implements OtherSide<TicketDraft, 'REFUSED'> {
  reference: string | null = null;

  constructor(private readonly connector: HelpdeskSource['connector']) {}

  async perform(draft: TicketDraft) {
    try {
      this.reference = (await this.connector.openTicket?.(draft)) ?? null;
    } catch (error) {
      if (!(error instanceof SourceUnavailable) || isUnsent(error)) throw error;
      return { outcome: 'lost', keySpent: false } as const;
    }
    return this.reference === null ? ({ outcome: 'refused', why: 'REFUSED' } as const) : ({ outcome: 'done' } as const);
  }

  async holds(draft: TicketDraft): Promise<boolean> {
    this.reference = (await this.connector.openedTicket?.(draft)) ?? null;
    return this.reference !== null;
  }
}

/** Opens the tickets that are due. Wherever a process ends, each is opened once, or its row says that it isn't known. */
export class Opening implements JobHandler<'OUTREACH', 'outreachId'> {
  /** A bit more than a day. */
  readonly mostTries = 30;

  constructor(private readonly parts: OpeningParts) {}

  /** Doubling to an hour. */
  pauseAfter(attempts: number): number {
    return Math.min(shortestPause * 2 ** Math.min(attempts - 1, 5), 60 * minute);
  }

  async run(job: Job): Promise<JobResult> {
    for (let wanted = await this.read(job); wanted && isPending(wanted); wanted = await this.read(job)) {
      const { alertState, customerReference, source, state } = wanted;
      const dropped = alertState !== 'OPEN' ? 'ALERT_ENDED' : customerReference === null ? 'CUSTOMER_GONE' : null;
      if (state === 'PLANNED' && dropped !== null) {
        await this.drop(job, dropped);
        return 'done';
      }
      const helpdesk = this.parts.helpdesks.get(source);
      const fault = helpdesk ? await this.advance(job, helpdesk, wanted) : 'not-configured';
      if (fault !== null) return { fault };
    }
    return 'done';
  }

  /** True where none can have been opened; otherwise it goes on until the helpdesk can be asked. */
  giveUp(job: Job): Promise<boolean> {
    return this.drop(job, 'UNREACHABLE');
  }

  private async read({ outreachId }: Job): Promise<WantedRow | undefined> {
    const [row] = await this.parts.database.read(wantedRows, sql`WHERE ${outreach.id} = ${outreachId}`);
    return row;
  }

  private advance(job: Job, { connector, outreach: settings }: HelpdeskSource, wanted: WantedRow): Promise<string | null> {
    const { id, state, alertId, customerReference } = wanted;
    const desk = new Desk(connector);
    const effects = new Effects<Job, RiskOutreach, null, 'REFUSED'>({
      change: (_, work) => this.parts.database.system('worker', 'outreach.effect', (change) => work(change, null)),
      lock: (change, outreachId) => change.lock(RiskOutreach, { id: outreachId }),
      told: async ({ change, effect }, { happened }) => {
        if (happened === 'done') {
          effect.reference = desk.reference;
          await change.save(effect);
        }
        await this.record(change, effect, null);
      },
      isUnsent,
      // The helpdesk knows it for as long as it has the ticket.
      keyLifetime: Number.POSITIVE_INFINITY,
    });
    const queue = settings?.queue ?? '';
    const call: TicketDraft = { customerReference: customerReference ?? '', queue, ...textsFor(alertId), idempotencyKey: id };
    return effects.advance(job, desk, { id, state, call, key: effectKey(id, { keyGeneration: 1 }) });
  }

  /** Has it not opened any more. False where it was sent, so that there may be one. */
  private drop(job: Job, reason: DropReason): Promise<boolean> {
    return this.parts.database.system('worker', 'outreach.effect', async (change) => {
      const row = await change.lock(RiskOutreach, { id: job.outreachId });
      if (row.state !== 'PLANNED') return !isPending(row);
      await job.renewLease(change);
      row.state = 'DROPPED';
      row.endedAt = change.at;
      await change.save(row);
      await this.record(change, row, reason);
      return true;
    });
  }

  private async record(change: Change, row: RiskOutreach, reason: DropReason | null): Promise<void> {
    const { id, customerId, state, refusal, reference } = row;
    const about = await this.parts.keys.customerUnderDigest(change, customerId);
    change.record('outreach.effect', {
      subject: { type: 'Outreach', id },
      customers: about ? [about] : [],
      detail: {
        state,
        ...(refusal === null ? {} : { refusal }),
        ...(reference === null ? {} : { reference }),
        ...(reason === null ? {} : { reason }),
      },
    });
  }
}
