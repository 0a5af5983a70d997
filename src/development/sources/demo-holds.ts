import type {
  HoldChanges,
  HoldStep,
  PaymentStanding,
  ProviderRefusal,
  RenewalStanding,
  StepOutcome,
  TransactionRecord,
} from '../../upstream/payments/payments.port';
import { holdLists } from '../../upstream/payments/payments.port';
import type { Clock } from '../merchant/change-log';
import { DemoCalls, digestOf } from './demo-calls';
import { type DemoFault, DemoFaults } from './demo-faults';
import type { DemoExecution, DemoState, Draft } from './demo-state';

export interface DemoHoldsOptions {
  readonly state: DemoState;
  readonly clock: Clock;
  /** Newest state of a customer's payment; null where it isn't theirs. */
  readonly transaction: (customer: string, reference: string) => TransactionRecord | null;
  /** Throws `SourceUnavailable` while the provider can't be reached. */
  readonly reach: () => void;
}

/** Milliseconds for which an authorization of the demo provider can be captured. */
const authorizedFor = 7 * 24 * 3_600 * 1_000;

type ListStep = Extract<HoldStep, { action: 'LIST' | 'UNLIST' }>;

const itemOf = ({ list, of, value }: ListStep): string => `${list}/${of}/${value}`;
const pauseOf = ({ customer, subscription }: Exclude<HoldStep, ListStep>): string => `${customer}/${subscription}`;

/** Names no address: an execution is shown on a page. */
const executionOf = (step: HoldStep) => ({
  action: step.action,
  customer: 'customer' in step ? step.customer : step.of === 'CUSTOMER' ? step.value : '',
  method: 'of' in step && step.of === 'CARD' ? step.value : null,
  subscription: 'subscription' in step ? step.subscription : null,
});

/**
 * Making payments wait at the demo provider. What it authorizes is captured by hand within seven days, its subscriptions renew on the
 * first of a month, and it has all three lists. Keys and faults are those of `DemoCredentials`.
 */
export class DemoHolds implements HoldChanges {
  readonly lists = new Set(holdLists);
  private readonly faults = new DemoFaults();
  private readonly calls: DemoCalls;

  constructor(private readonly options: DemoHoldsOptions) {
    this.calls = new DemoCalls(options.state, options.clock, this.faults);
  }

  async readPayment(customer: string, reference: string): Promise<PaymentStanding | null> {
    this.options.reach();
    const found = this.options.transaction(customer, reference);
    if (found === null) return null;
    const isManualCapture = found.status === 'AUTHORIZED';
    const captureBefore = isManualCapture ? new Date(found.createdAt.getTime() + authorizedFor) : null;
    return { status: found.status, isManualCapture, captureBefore };
  }

  async readRenewals(customer: string): Promise<readonly RenewalStanding[]> {
    this.options.reach();
    const { state, clock } = this.options;
    const now = clock.now();
    const renewsAt = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1));
    return (state.account(customer)?.subscriptions ?? []).map(({ reference }) => ({
      subscription: reference,
      isPaused: this.pausedUntil(`${customer}/${reference}`) !== null,
      renewsAt,
    }));
  }

  async perform(step: HoldStep, idempotencyKey: string): Promise<StepOutcome> {
    this.options.reach();
    const done = (draft: Draft): ProviderRefusal | null => this.done(draft, step);
    return this.calls.perform({ asked: digestOf(step), execution: executionOf(step), done }, idempotencyKey);
  }

  async holds(step: HoldStep): Promise<boolean> {
    this.options.reach();
    const { listed } = this.options.state.now;
    switch (step.action) {
      case 'PAUSE_RENEWAL':
        return this.pausedUntil(pauseOf(step))?.getTime() === step.until.getTime();
      case 'RESUME_RENEWAL':
        return this.pausedUntil(pauseOf(step))?.getTime() !== step.until.getTime();
      case 'LIST':
        return listed.has(itemOf(step));
      case 'UNLIST':
        return listed.get(itemOf(step)) !== 'ours';
    }
  }

  /** As the merchant does it themselves. */
  listByMerchant(step: Omit<ListStep, 'action'>): void {
    this.options.state.change(({ contents }) => contents.listed.set(itemOf({ action: 'LIST', ...step }), 'theirs'));
  }

  /** The next `times` calls are refused, and what was asked for is not done. */
  refuse(why: ProviderRefusal, times = 1): void {
    this.faults.add({ kind: 'refuse', of: 'steps', times, why });
  }

  /** The answers of the next `times` calls are lost: after the call was executed, or before. */
  loseAnswers(times: number, { executed }: { readonly executed: boolean }): void {
    this.faults.add({ kind: 'lose', of: 'steps', times, executed });
  }

  /** The next `times` calls are answered by a fault that is repeated for their keys. */
  spoilKeys(times: number, { executed = false }: { readonly executed?: boolean } = {}): void {
    this.faults.add({ kind: 'spoil', of: 'steps', times, executed });
  }

  clearFaults(): void {
    this.faults.clear();
  }

  get switchedOn(): readonly DemoFault[] {
    return this.faults.switchedOn;
  }

  /** As `DemoCredentials.executions`: of both. */
  get executions(): readonly DemoExecution[] {
    return this.options.state.now.executions;
  }

  /** A pause that has ended is none. */
  private pausedUntil(key: string): Date | null {
    const until = this.options.state.now.pauses.get(key) ?? null;
    return until !== null && until > this.options.clock.now() ? until : null;
  }

  private done({ contents }: Draft, step: HoldStep): ProviderRefusal | null {
    switch (step.action) {
      case 'PAUSE_RENEWAL': {
        const known = this.options.state.account(step.customer)?.subscriptions ?? [];
        if (!known.some(({ reference }) => reference === step.subscription)) return 'REFUSED';
        if (step.until <= this.options.clock.now()) return 'REFUSED';
        contents.pauses.set(pauseOf(step), step.until);
        return null;
      }
      case 'RESUME_RENEWAL':
        if (contents.pauses.get(pauseOf(step))?.getTime() === step.until.getTime()) contents.pauses.delete(pauseOf(step));
        return null;
      case 'LIST':
        if (!contents.listed.has(itemOf(step))) contents.listed.set(itemOf(step), 'ours');
        return null;
      case 'UNLIST':
        if (contents.listed.get(itemOf(step)) === 'ours') contents.listed.delete(itemOf(step));
        return null;
    }
  }
}
