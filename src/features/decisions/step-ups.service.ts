import type { SignedInActor } from '../../authz/actor';
import type { Change, SystemChange } from '../../db/change';
import type { Reads } from '../../db/reads';
import { padded, sql } from '../../db/sql';
import { Failure } from '../../failure';
import { chunks } from '../../lanes';
import type { AuthenticationReport } from '../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import type { Core } from '../core';
import { standingStates } from '../holds/hold.states';
import { hold, holdIds } from '../holds/holds.rows';
import { subjectDigest } from '../signals/subjects';
import type { Sources } from '../sources/sources.service';
import { decisionActions } from './decisions.policy';
import { type DemandRow, demand, demandedRows, demandRows, payer, payerIds, signalIds, told } from './decisions.rows';
import { StepUpDemand } from './demand.entity';
import { hasEnded } from './demand.states';
import { type DemandDraft, demandCustomers, moveDemand, type OpenedDemand, openDemand } from './demands';

/** How often the provider is asked about one demand: by then somebody tries out references. */
const mostLookups = 30;
/** Challenges that the customer may fail. */
const mostTries = 3;
/** Demands that end by themselves in one turn. */
const expiredAtOnce = 200;
/** Demands of which it is looked in one turn whether they are still called for. */
const looksAtOnce = 1_000;
/** Milliseconds by which a provider's clock may be ahead of ours. */
const clockSkew = 60_000;

export interface StepUpParts extends Pick<Core, 'database' | 'keys' | 'clock'> {
  readonly sources: Pick<Sources, 'paymentsSource' | 'waits'>;
}

/** What a proof that was given is worth. */
type Worth = 'proof' | 'failure' | 'nothing';

/** Providers tell the time in whole seconds. */
const inWholeSeconds = (at: Date): number => Math.floor(at.getTime() / 1_000) * 1_000;

/** Step-ups that customers are asked for: opened, proven by the provider, counted elsewhere. */
export class StepUps {
  /** The last demand that `withdrawUnfounded` looked at, where there were more. */
  private lookedAtUpTo = '';

  constructor(private readonly parts: StepUpParts) {}

  /** Which of these (`cus_…`, `pcu_…`) are to be authenticated anew before they pay. One statement. */
  async demanded(ids: readonly string[]): Promise<ReadonlySet<string>> {
    if (ids.length === 0) return new Set();
    const { customerId, payerId, state, expiresAt } = demand;
    const rows = await this.parts.database.read(
      demandedRows,
      sql`WHERE (${customerId} IN (${padded(ids)}) OR ${payerId} IN (${padded(ids)})) AND ${state} IN ('OPEN', 'PRESENTED')
        AND ${expiresAt} > ${this.parts.clock()}`,
    );
    return new Set(rows.flatMap((row) => [row.customerId, ...(row.payerId === null ? [] : [row.payerId])]));
  }

  /** See `openDemand`. */
  open(change: SystemChange, draft: DemandDraft): Promise<OpenedDemand> {
    return openDemand(change, this.parts.keys, draft);
  }

  /**
   * What the provider says of the authentication that a service names: where it proves the demand, that is met; where it doesn't, nothing
   * changes, whatever the service says of it. Only demands that the service was told of are there for it. The same authentication
   * again, by whatever reference, is answered with the demand as it is. Returns it. Throws `INVALID`, `NOT_FOUND`, `DENIED`, `CONFLICT`,
   * `UPSTREAM_UNAVAILABLE`.
   */
  async record(actor: SignedInActor, { demandId, reference }: { readonly demandId: string; readonly reference: string }) {
    if (!/^[\x21-\x7e]{1,255}$/.test(reference))
      throw Failure.invalid(
        'input.reference',
        'expected the provider’s reference: 1 to 255 printable ASCII characters without blanks',
      );
    const { database } = this.parts;
    const asked = await database.change(actor, decisionActions.satisfy, async (change, permit) => {
      permit();
      const row = await change.lockIfAny(StepUpDemand, { id: demandId, ownerId: actor.id });
      if (!row || row.source === null) throw Failure.notFound('demand');
      const { source } = row;
      if (row.proofDigest === this.proofOf(source, reference)) return null;
      // What met it may have another reference: the provider is asked whether it is the same.
      if (row.state !== 'SATISFIED') expectPending(row, change.at);
      const isIn = sql`${demand.id} = ${demandId} AND ${demand.lookups} < ${mostLookups}`;
      if ((await change.bookkeep(demand, { lookups: sql`${demand.lookups} + 1` }, isIn)) === 0) {
        expectPending(row, change.at);
        throw Failure.denied('QUOTA', decisionActions.satisfy.name);
      }
      return { source };
    });
    if (asked !== null) {
      const { source } = asked;
      const report = await this.report(source, reference);
      const proof = report && this.proofOf(source, report.id);
      await database.change(actor, decisionActions.satisfy, async (change, permit) => {
        permit();
        const row = await change.lock(StepUpDemand, { id: demandId, ownerId: actor.id });
        if (proof !== null && row.proofDigest === proof) return;
        expectPending(row, change.at);
        if (report !== null && proof !== null) await this.take(change, row, { report, source, proof });
      });
    }
    return this.reachable(actor, demandId);
  }

  /**
   * The demand that this payment customer met at checkout since then on a device that they had paid with before; null without one. It shows
   * no less than the authentication of a card that they enter.
   */
  async satisfiedFor(reads: Pick<Reads, 'read'>, payerId: string, since: Date): Promise<{ readonly id: string } | null> {
    const { state, stage, knownDevice, authenticatedAt } = demand;
    const [found] = await reads.read(
      demandRows,
      sql`WHERE ${demand.payerId} = ${payerId} AND ${state} = 'SATISFIED' AND ${stage} = 'CHECKOUT' AND ${knownDevice} = ${true}
        AND ${authenticatedAt} >= ${since} ORDER BY ${authenticatedAt} DESC, ${demand.id} LIMIT 1`,
    );
    return found ? { id: found.id } : null;
  }

  /** Ends demands that nobody met in time. Returns how many were looked at. */
  async expire(): Promise<number> {
    const { database, keys, clock } = this.parts;
    const { state, expiresAt } = demand;
    const isPast = sql`WHERE ${state} IN ('OPEN', 'PRESENTED') AND ${expiresAt} <= ${clock()} ORDER BY ${expiresAt} LIMIT ${expiredAtOnce}`;
    const past = await database.read(demandRows, isPast);
    for (const row of past)
      await database.system('expiry', 'demand.expire', async (change) => {
        if (row.expiresAt > change.at || !(await moveDemand(change, row, 'EXPIRED'))) return;
        const customers = await demandCustomers(change, keys, [row.customerId, row.payerId]);
        change.record('demand.expire', { subject: { type: 'StepUpDemand', id: row.id }, customers });
      });
    return past.length;
  }

  /** Takes back demands that rest on holds alone, of which none stands any more. Returns how many. */
  async withdrawUnfounded(): Promise<number> {
    const { database, keys } = this.parts;
    const isOfHold = sql`${demand.id} > ${this.lookedAtUpTo} AND ${demand.state} = 'PRESENTED' AND ${demand.rule} IS NULL`;
    const open = await database.read(demandRows, sql`WHERE ${isOfHold} ORDER BY ${demand.id} LIMIT ${looksAtOnce}`);
    // Those that are behind these have the next turn, and after the last one it begins anew.
    this.lookedAtUpTo = open.length < looksAtOnce ? '' : (open.at(-1)?.id ?? '');
    const byHolds = open.filter(({ restsOn }) => restsOn.every((id) => id.startsWith('hld_')));
    const asked = [...new Set(byHolds.flatMap(({ restsOn }) => restsOn))];
    const isNow = sql`${hold.state} IN (${standingStates}) AND ${hold.expiresAt} > ${this.parts.clock()}`;
    const found = await Promise.all(
      chunks(asked, looksAtOnce).map((ids) => database.read(holdIds, sql`WHERE ${hold.id} IN (${ids}) AND ${isNow}`)),
    );
    const still = new Set(found.flat().map(({ id }) => id));
    let withdrawn = 0;
    for (const row of byHolds.filter(({ restsOn }) => !restsOn.some((id) => still.has(id))))
      await database.system('expiry', 'demand.withdraw', async (change) => {
        const isStanding = sql`${hold.state} IN (${standingStates}) AND ${hold.expiresAt} > ${change.at}`;
        const standing = await change.read(holdIds, sql`WHERE ${hold.id} IN (${row.restsOn}) AND ${isStanding} LIMIT 1`);
        if (standing.length > 0 || !(await moveDemand(change, row, 'WITHDRAWN'))) return;
        withdrawn += 1;
        change.record('demand.withdraw', {
          subject: { type: 'StepUpDemand', id: row.id },
          customers: await demandCustomers(change, keys, [row.customerId, row.payerId]),
          detail: { restsOn: row.restsOn },
        });
      });
    return withdrawn;
  }

  /** A demand of the service's own. Throws `NOT_FOUND`. */
  private async reachable(actor: SignedInActor, id: string): Promise<DemandRow> {
    const [row] = await this.parts.database.read(demandRows, sql`WHERE ${demand.id} = ${id} AND ${demand.ownerId} = ${actor.id}`);
    if (!row) throw Failure.notFound('demand');
    return row;
  }

  /** Null where the provider has nothing by that reference. */
  private async report(source: string, reference: string): Promise<AuthenticationReport | null> {
    const { sources } = this.parts;
    const { connector } = sources.paymentsSource(source);
    if (connector.readAuthentication === undefined)
      throw new Failure('CONFLICT', 'This payment source doesn’t tell how a customer was authenticated.', {
        remedy: 'The demand can’t be met here; look at the payment yourselves.',
      });
    try {
      return await sources.waits.during(connector.readAuthentication(reference));
    } catch (error) {
      if (!(error instanceof SourceUnavailable)) throw error;
      throw new Failure('UPSTREAM_UNAVAILABLE', 'The payment provider does not answer just now.', {
        remedy: 'Nothing was changed. Record it again in a minute, with the same reference.',
        retryAfter: 60,
      });
    }
  }

  /** What an authentication is kept as. */
  private proofOf(source: string, id: string): string {
    return this.parts.keys.searchDigest(`step-up:${source}`, id) as string;
  }

  /** Goes by what the provider said, on the demand as it is now. */
  private async take(
    change: Change,
    row: StepUpDemand,
    { report, source, proof }: { readonly report: AuthenticationReport; readonly source: string; readonly proof: string },
  ): Promise<void> {
    const worth = (await this.isOfPayer(change, row, report, source)) ? worthOf(row, report, change.at) : 'nothing';
    if (worth === 'nothing') return;
    const { keys } = this.parts;
    const customers = await demandCustomers(change, keys, [row.customerId, row.payerId]);
    const subject = { type: 'StepUpDemand', id: row.id } as const;
    if (worth === 'failure') {
      // Of a payment that is tried again each attempt counts, and none of them twice, by whatever reference.
      const attempt = keys.searchDigest(`step-up:${source}`, `${proof} ${report.at.getTime()}`) as string;
      if (row.failedDigests.includes(attempt)) return;
      const failedDigests = [...row.failedDigests, attempt];
      const tries = failedDigests.length;
      if (tries >= mostTries) {
        await moveDemand(change, row, 'FAILED', { failedDigests });
        change.record('demand.fail', { subject, customers, detail: { tries, reference: proof } });
      } else {
        await change.update(demand, { failedDigests }, sql`${demand.id} = ${row.id}`);
        change.record('demand.try', { subject, customers, detail: { tries, reference: proof } });
      }
      return;
    }
    // What proved another demand is spent. Of two that are recorded at once the second one waits here, and finds it.
    const [other] = await change.read(demandRows, sql`WHERE ${demand.proofDigest} = ${proof}`, { lock: true });
    if (other) return;
    const device = await this.isKnown(change, row, report.deviceFingerprint);
    const met = { proofDigest: proof, authenticatedAt: report.at, knownDevice: device };
    await moveDemand(change, row, 'SATISFIED', met);
    change.record('demand.satisfy', { subject, customers, detail: { reference: proof, at: report.at.toISOString(), device } });
    await this.withdraw(change, row);
  }

  /** Demands that nobody was told of and that this one rested on are met by it. */
  private async withdraw(change: Change, { id, restsOn }: StepUpDemand): Promise<void> {
    const rested = restsOn.filter((each) => each.startsWith('sup_'));
    if (rested.length === 0) return;
    const open = await change.read(demandRows, sql`WHERE ${demand.id} IN (${rested}) AND ${demand.state} = 'OPEN'`, {
      lock: true,
    });
    for (const row of open) {
      await moveDemand(change, row, 'WITHDRAWN');
      change.record('demand.withdraw', {
        subject: { type: 'StepUpDemand', id: row.id },
        customers: await demandCustomers(change, this.parts.keys, [row.customerId]),
        detail: { restsOn: [id] },
      });
    }
  }

  /** The provider names the customer whose step-up it is. */
  private async isOfPayer(
    reads: Pick<Reads, 'read'>,
    { payerId }: StepUpDemand,
    { customer }: AuthenticationReport,
    source: string,
  ): Promise<boolean> {
    const { keys } = this.parts;
    if (customer === null || payerId === null) return false;
    if (subjectDigest(keys.digests, 'customer', customer, source) === payerId) return true;
    const digest = keys.searchDigest('payment-customer', customer);
    const named = sql`WHERE ${payer.source} = ${source} AND ${payer.referenceDigest} = ${digest} AND ${payer.id} = ${payerId}`;
    return (await reads.read(payerIds, named)).length > 0;
  }

  /** They had paid by it before the demand was opened, as the same provider told. */
  private async isKnown(
    reads: Pick<Reads, 'read'>,
    { payerId, source, openedAt }: StepUpDemand,
    fingerprint: string | null,
  ): Promise<boolean> {
    if (fingerprint === null || payerId === null || source === null) return false;
    const device = this.parts.keys.digests.device(fingerprint);
    const isSuccess = sql`${told.source} = ${source} AND ${told.type} = 'payment.attempt.succeeded'`;
    const isBefore = sql`${told.occurredAt} < ${openedAt} AND ${told.receivedAt} <= ${openedAt}`;
    const found = await reads.read(
      signalIds,
      sql`WHERE ${told.customer} = ${payerId} AND ${told.device} = ${device} AND ${isSuccess} AND ${isBefore} LIMIT 1`,
    );
    return found.length > 0;
  }
}

/** Throws `CONFLICT`. */
const expectPending = ({ state, expiresAt }: StepUpDemand, at: Date): void => {
  if (!hasEnded(state) && expiresAt > at) return;
  throw new Failure('CONFLICT', 'The demand has ended.', {
    remedy: 'Ask with paymentDecision and a new key what stands in the way now.',
  });
};

/** Frictionless and attempted authentications say nothing of who is there; a wallet's is another one. */
const worthOf = ({ countsFrom }: StepUpDemand, report: AuthenticationReport, now: Date): Worth => {
  const { at, flow, result, isOffSession, isWallet } = report;
  const isLater = at.getTime() >= inWholeSeconds(countsFrom) && at.getTime() <= now.getTime() + clockSkew;
  if (!isLater || isOffSession || isWallet) return 'nothing';
  if (result === 'FAILED') return 'failure';
  return flow === 'CHALLENGE' && result === 'AUTHENTICATED' ? 'proof' : 'nothing';
};
