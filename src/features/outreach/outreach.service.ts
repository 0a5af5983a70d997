import { planned } from '../../background/effect';
import { dueFrom } from '../../background/job-table';
import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import type { RuleName } from '../../risk/rule';
import { ulid } from '../../ulid';
import { customer } from '../customers/customers.rows';
import type { Keys } from '../keys/keys.service';
import type { HelpdeskSource } from '../sources/registry';
import { riskOutreaches, riskOutreachJobs } from './outreach.entity';
import { customerSources, outreach, outreachCount, outreachIds } from './outreach.rows';

/** What a rule has a ticket opened for. Ids are ours. */
export interface OutreachDraft {
  readonly alertId: string;
  readonly customerId: string;
  readonly rule: RuleName;
  readonly ruleVersion: number;
  /** Signals, as the log names them. */
  readonly restsOn: readonly string[];
}

export interface OutreachParts {
  readonly keys: Keys;
  /** Those that take tickets, by name. */
  readonly helpdesks: ReadonlyMap<string, HelpdeskSource>;
  /** A helpdesk was given as many tickets as it takes a day: told once an hour by each process. */
  readonly onEnough: (source: string) => void;
}

const hour = 3_600_000;
const day = 24 * hour;
/** Signals that the event names. */
const mostSignals = 50;

/** Tickets that rules have opened at helpdesks, so that somebody looks. */
export class Outreach {
  private readonly toldAt = new Map<string, number>();

  constructor(private readonly parts: OutreachParts) {}

  /**
   * Has a ticket opened, in a change that is permitted already. False where nothing follows: the alert has one already, the customer's
   * helpdesk takes none, or none more today.
   */
  async open(change: Change, { alertId, customerId, rule, ruleVersion, restsOn }: OutreachDraft): Promise<boolean> {
    const [at] = await change.read(customerSources, sql`WHERE ${customer.id} = ${customerId}`);
    const settings = at && this.parts.helpdesks.get(at.source)?.outreach;
    if (!settings) return false;
    const [known] = await change.read(outreachIds, sql`WHERE ${outreach.alertId} = ${alertId}`);
    if (known) return false;
    const since = new Date(change.at.getTime() - day);
    const [today] = await change.read(
      outreachCount,
      sql`WHERE ${outreach.source} = ${at.source} AND ${outreach.createdAt} > ${since}`,
    );
    if ((today?.n ?? 0) >= settings.mostADay) {
      this.tellEnough(at.source, change.at.getTime());
      return false;
    }
    const id = `out_${ulid(change.at.getTime())}`;
    await change.insert(riskOutreaches, {
      id,
      alertId,
      customerId,
      source: at.source,
      rule,
      ruleVersion,
      ...planned(),
      reference: null,
      createdAt: change.at,
    });
    const job = { id: `job_${ulid(change.at.getTime())}`, outreachId: id, kind: 'OUTREACH' } as const;
    await change.insert(riskOutreachJobs, { ...job, ...dueFrom(change.at) });
    const about = await this.parts.keys.customerUnderDigest(change, customerId);
    change.record('outreach.open', {
      subject: { type: 'Outreach', id },
      customers: about ? [about] : [],
      detail: {
        alert: alertId,
        rule,
        version: ruleVersion,
        source: at.source,
        restsOn: [alertId, ...restsOn.slice(-mostSignals)],
      },
    });
    return true;
  }

  private tellEnough(source: string, now: number): void {
    if (now - (this.toldAt.get(source) ?? Number.NEGATIVE_INFINITY) < hour) return;
    this.toldAt.set(source, now);
    this.parts.onEnough(source);
  }
}
