import {
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  type IPolicy,
  isBrokenCircuitError,
  noop,
  retry,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import { type Lane, Lanes, WaitedTooLong } from '../lanes';
import { SourceUnavailable } from './source-unavailable';

export interface ResilienceOptions {
  /** Milliseconds for one attempt. */
  readonly attemptTimeout: number;
  /** Further attempts after the first, with decorrelated jitter between them. */
  readonly retries: number;
  /** Consecutive failed calls that open the circuit, and how long it stays open, milliseconds. */
  readonly breakAfter: number;
  readonly breakFor: number;
  /** Attempts under way at once; further ones wait. */
  readonly concurrency: number;
}

/** What differs from the usual. */
export type ResilienceSettings = { readonly [Name in keyof ResilienceOptions]?: ResilienceOptions[Name] | undefined };

export const defaultResilience: ResilienceOptions = {
  attemptTimeout: 5_000,
  retries: 2,
  breakAfter: 5,
  breakFor: 10_000,
  concurrency: 8,
};

/**
 * How long an attempt waits for a place, milliseconds. A person's outlasts an attempt's time: a source that hangs opens its
 * circuit before anybody is told that it has too much to do. A backfill may wait while people work.
 */
const longestWait = (lane: Lane, attemptTimeout: number): number =>
  lane === 'interactive' ? attemptTimeout + 3_000 : 120_000 + attemptTimeout;

/** Attempts of each lane that wait for a place: more would not have one in time. */
const mostWaiting = 256;

/** Worth another try: the fault is not of our own making and the call is a read. */
const isTransient = (error: unknown): boolean =>
  !(error instanceof SourceUnavailable) || ['timeout', 'fault', 'refused', 'rate-limited'].includes(error.why);

/**
 * Timeout, bounded retries with jitter, circuit breaker and a bounded number of attempts at once around the calls to one
 * source. What is more waits, people's calls before those of a backfill; what waited too long, or where too many wait, is `overloaded`. Retries are
 * for reads: a write that may have been done is never retried here. Whatever fails comes out as `SourceUnavailable`.
 */
export class Resilience {
  private readonly lanes: Lanes;
  private readonly tryOver: IPolicy;
  private readonly attempt;
  private readonly breaker;
  private readonly attemptTimeout: number;

  constructor(
    private readonly source: string,
    options: ResilienceSettings = {},
  ) {
    const { attemptTimeout, retries, breakAfter, breakFor, concurrency } = {
      attemptTimeout: options.attemptTimeout ?? defaultResilience.attemptTimeout,
      retries: options.retries ?? defaultResilience.retries,
      breakAfter: options.breakAfter ?? defaultResilience.breakAfter,
      breakFor: options.breakFor ?? defaultResilience.breakFor,
      concurrency: options.concurrency ?? defaultResilience.concurrency,
    };
    this.attemptTimeout = attemptTimeout;
    this.lanes = new Lanes(concurrency, mostWaiting);
    this.breaker = circuitBreaker(handleWhen(isTransient), {
      halfOpenAfter: breakFor,
      breaker: new ConsecutiveBreaker(breakAfter),
    });
    this.attempt = wrap(this.breaker, timeout(attemptTimeout, TimeoutStrategy.Aggressive));
    this.tryOver = retry(handleWhen(isTransient), {
      maxAttempts: retries,
      backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 2_000 }),
    });
  }

  /** Milliseconds are counted per attempt; `signal` is aborted when an attempt's time is over. */
  call<T>(work: (signal: AbortSignal) => Promise<T>, lane: Lane = 'interactive'): Promise<T> {
    return this.run(this.tryOver, work, lane);
  }

  /** One attempt under the same circuit and in the same lanes. After `timeout` the work may have had its effect. */
  once<T>(work: (signal: AbortSignal) => Promise<T>, lane: Lane = 'interactive'): Promise<T> {
    return this.run(noop, work, lane);
  }

  private async run<T>(tries: IPolicy, work: (signal: AbortSignal) => Promise<T>, lane: Lane): Promise<T> {
    const inLane = (parent: AbortSignal) =>
      this.lanes.run(
        lane,
        () => this.attempt.execute(({ signal }) => work(signal), parent),
        longestWait(lane, this.attemptTimeout),
      );
    try {
      return await tries.execute(
        ({ signal }) => inLane(signal).catch((error: unknown) => Promise.reject(this.named(error))),
        // A signal of its own: cockatiel's common one collects a listener for each call under way.
        new AbortController().signal,
      );
    } catch (error) {
      throw this.named(error);
    }
  }

  private named(error: unknown): SourceUnavailable {
    if (error instanceof SourceUnavailable) return error;
    // cockatiel's own isTaskCancelledError asks for the mark of a full bulkhead.
    if (error instanceof TaskCancelledError) return new SourceUnavailable(this.source, 'timeout');
    if (isBrokenCircuitError(error)) return new SourceUnavailable(this.source, 'circuit-open');
    if (error instanceof WaitedTooLong)
      return new SourceUnavailable(this.source, this.breaker.state === CircuitState.Closed ? 'overloaded' : 'circuit-open');
    return new SourceUnavailable(this.source, 'refused');
  }
}
