import {
  bulkhead,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  type IPolicy,
  isBrokenCircuitError,
  retry,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import { SourceUnavailable } from './source-unavailable';

export interface ResilienceOptions {
  /** Milliseconds for one attempt. */
  readonly attemptTimeout: number;
  /** Further attempts after the first, with decorrelated jitter between them. */
  readonly retries: number;
  /** Consecutive failed calls that open the circuit, and how long it stays open, milliseconds. */
  readonly breakAfter: number;
  readonly breakFor: number;
  /** Calls under way at once; further ones wait in a queue of eight times as many. */
  readonly concurrency: number;
}

export const defaultResilience: ResilienceOptions = {
  attemptTimeout: 5_000,
  retries: 2,
  breakAfter: 5,
  breakFor: 10_000,
  concurrency: 8,
};

/** Worth another try: the fault is not of our own making and the call is a read. */
const isTransient = (error: unknown): boolean =>
  !(error instanceof SourceUnavailable) || ['timeout', 'fault', 'refused', 'rate-limited'].includes(error.why);

/**
 * Timeout, bounded retries with jitter, circuit breaker and bulkhead around the calls to one source. Retries are for reads:
 * a write that may have been done is never retried here. Whatever fails comes out as `SourceUnavailable`.
 */
export class Resilience {
  private readonly policy;
  private readonly withoutRetries;

  constructor(
    private readonly source: string,
    options: Partial<ResilienceOptions> = {},
  ) {
    const { attemptTimeout, retries, breakAfter, breakFor, concurrency } = { ...defaultResilience, ...options };
    const breaker = circuitBreaker(handleWhen(isTransient), {
      halfOpenAfter: breakFor,
      breaker: new ConsecutiveBreaker(breakAfter),
    });
    const entrance = bulkhead(concurrency, concurrency * 8);
    const deadline = timeout(attemptTimeout, TimeoutStrategy.Aggressive);
    this.withoutRetries = wrap(entrance, breaker, deadline);
    this.policy = wrap(
      entrance,
      retry(
        handleWhen((error) => isTransient(error) && !isBrokenCircuitError(error)),
        { maxAttempts: retries, backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 2_000 }) },
      ),
      breaker,
      deadline,
    );
  }

  /** Milliseconds are counted per attempt; `signal` is aborted when an attempt's time is over. */
  call<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.run(this.policy, work);
  }

  /** One attempt under the same circuit and bulkhead. After `timeout` the work may have had its effect. */
  once<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.run(this.withoutRetries, work);
  }

  private async run<T>(policy: IPolicy, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await policy.execute(({ signal }) => work(signal));
    } catch (error) {
      if (error instanceof SourceUnavailable) throw error;
      // cockatiel's own isTaskCancelledError asks for the mark of a full bulkhead.
      if (error instanceof TaskCancelledError) throw new SourceUnavailable(this.source, 'timeout');
      if (isBrokenCircuitError(error)) throw new SourceUnavailable(this.source, 'circuit-open');
      throw new SourceUnavailable(this.source, 'refused');
    }
  }
}
