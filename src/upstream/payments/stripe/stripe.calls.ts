import Stripe from 'stripe';
import { z } from 'zod';
import type { Lane } from '../../../lanes';
import { defaultResilience, Resilience, type ResilienceSettings } from '../../resilience';
import { SourceUnavailable } from '../../source-unavailable';
import {
  absenceOf,
  CursorVanished,
  type InPath,
  judgeWrite,
  lost,
  RepeatedFault,
  retryAfterOf,
  type Unsent,
  unavailable,
  type Write,
} from './stripe.faults';
import { pageOf } from './stripe.shapes';

/** The version that the projection was written against; the account's own default doesn't matter. */
export const stripeApiVersion = '2026-10-28.endive';

export interface StripeCallsOptions {
  /** The source's name in the configuration. */
  readonly source: string;
  readonly apiKey: string;
  /** Where the API is, for tests; `api.stripe.com` otherwise. */
  readonly url?: string | undefined;
  readonly resilience?: ResilienceSettings | undefined;
}

/** An address as the SDK takes it. */
const addressOf = (url: string) => {
  const { hostname: host, port, protocol } = new URL(url);
  const isSecure = protocol === 'https:';
  return { host, port: Number(port || (isSecure ? 443 : 80)), protocol: isSecure ? ('https' as const) : ('http' as const) };
};

/** Stripe's largest page. */
export const pageSize = 100;

/** How often a list is read from its first page again because an object that a page began after is gone. */
const mostBeginnings = 3;

export type Page = { readonly limit: number; readonly starting_after?: string };
type Ask = (stripe: Stripe) => Promise<unknown>;

/** What goes with each request that changes something. */
export type WriteOptions = { readonly idempotencyKey: string; readonly maxNetworkRetries: 0 };

/** What all requests to one account share. */
interface StripeLimits {
  readonly resilience: Resilience;
  /** Milliseconds of `performance.now`: Stripe asked to be left alone until then. */
  quietUntil: number;
}

/** Requests to one Stripe account: reads that are tried over, and writes that are sent once. Answers to reads are parsed here. */
export class StripeCalls {
  private readonly source: string;
  private readonly stripe: Stripe;
  private readonly limits: StripeLimits;

  constructor(
    private readonly options: StripeCallsOptions,
    private readonly lane: Lane = 'interactive',
    limits?: StripeLimits,
  ) {
    const { source, apiKey, resilience, url } = options;
    this.source = source;
    this.limits = limits ?? { resilience: new Resilience(source, resilience), quietUntil: 0 };
    this.stripe = new Stripe(apiKey, {
      apiVersion: stripeApiVersion,
      // Resilience retries; the SDK's fetch client has a deadline for the whole answer, its node client only for silence.
      maxNetworkRetries: 0,
      httpClient: Stripe.createFetchHttpClient((address, init) => this.exchange(address, init)),
      timeout: deadlineWithin(resilience?.attemptTimeout ?? defaultResilience.attemptTimeout),
      telemetry: false,
      ...(url === undefined ? {} : addressOf(url)),
    });
  }

  /** The same account under the same limits, in the lane that gives way to people. */
  inBackground(): StripeCalls {
    return new StripeCalls(this.options, 'background', this.limits);
  }

  async ask<T>(request: Ask, schema: z.ZodType<T>): Promise<T> {
    const answer = await this.askMaybe('nothing', request, schema);
    if (answer === null) throw new SourceUnavailable(this.source, 'malformed', 404);
    return answer;
  }

  /**
   * One read under the source's resilience; null when Stripe says that the object in the path doesn't exist, which is so for a key
   * of another account too: `StripeAccount` tells. A key of the other mode is `unauthorized`. Throws `CursorVanished`.
   */
  askMaybe<T>(path: InPath, request: Ask, schema: z.ZodType<T>): Promise<T | null> {
    return this.limits.resilience.call(async () => {
      this.refuseWhileQuiet();
      let answer: unknown;
      try {
        answer = await request(this.stripe);
      } catch (error) {
        const absence = absenceOf(error, path);
        if (absence === 'itself') return null;
        if (absence === 'cursor') throw new CursorVanished(this.source);
        if (absence === 'here') throw new SourceUnavailable(this.source, 'unauthorized', 404);
        throw unavailable(this.source, error);
      }
      const parsed = schema.safeParse(answer);
      // The parser's own error quotes what it was given.
      if (!parsed.success) throw new SourceUnavailable(this.source, 'malformed');
      return parsed.data;
    }, this.lane);
  }

  /**
   * All pages up to `most` items; null when Stripe says that what the path names doesn't exist. Where the item that a page begins
   * after has left the list meanwhile, it is read from its first page again. Throws `SourceUnavailable` where that goes on.
   */
  async pages<T extends { readonly id: string }>(
    path: InPath,
    item: z.ZodType<T>,
    most: number,
    list: (stripe: Stripe, page: Page) => Promise<unknown>,
  ): Promise<readonly T[] | null> {
    for (let beginnings = 0; beginnings < mostBeginnings; beginnings += 1) {
      try {
        return await this.pagesAtOnce(path, item, most, list);
      } catch (error) {
        if (!(error instanceof CursorVanished)) throw error;
      }
    }
    throw new SourceUnavailable(this.source, 'fault', 400);
  }

  private async pagesAtOnce<T extends { readonly id: string }>(
    path: InPath,
    item: z.ZodType<T>,
    most: number,
    list: (stripe: Stripe, page: Page) => Promise<unknown>,
  ): Promise<readonly T[] | null> {
    const items = new Map<string, T>();
    for (let pages = 0, after: string | undefined; pages * pageSize < most; pages += 1) {
      const at: Page = { limit: pageSize, ...(after === undefined ? {} : { starting_after: after }) };
      const answer = await this.askMaybe(path, (stripe) => list(stripe, at), pageOf(item));
      if (answer === null) return null;
      for (const each of answer.data) items.set(each.id, each);
      after = answer.data.at(-1)?.id;
      if (!answer.has_more || after === undefined) break;
    }
    return [...items.values()].slice(0, most);
  }

  /**
   * Sends one request that changes something, once. Throws `SourceUnavailable` only where Stripe certainly didn't execute
   * it; what may have been executed is `lost`, an answer of another object than `schema` describes included.
   */
  async write<T>(
    request: (stripe: Stripe, options: WriteOptions) => Promise<unknown>,
    idempotencyKey: string,
    schema: z.ZodType<T>,
  ): Promise<Write<T>> {
    const under: { isSent: boolean; judged: Write<T> | Unsent | null } = { isSent: false, judged: null };
    try {
      await this.limits.resilience.once(async () => {
        this.refuseWhileQuiet();
        under.isSent = true;
        under.judged = await request(this.stripe, { idempotencyKey, maxNetworkRetries: 0 }).then(
          (answer) => done(answer, schema),
          (error: unknown) => judgeWrite(this.source, error),
        );
        // What isn't answered counts for the circuit, as it does for a read.
        if (under.judged.outcome === 'unsent') throw under.judged.why;
        if (under.judged.outcome === 'lost') throw new SourceUnavailable(this.source, 'fault');
      });
    } catch (error) {
      // Given up while it was under way: nobody waits for its answer any more.
      if (under.judged === null && under.isSent) return lost(false);
      if (under.judged?.outcome !== 'lost') throw error;
    }
    const { judged } = under;
    if (judged === null || judged.outcome === 'unsent') throw new SourceUnavailable(this.source, 'fault');
    return judged;
  }

  private refuseWhileQuiet(): void {
    const left = this.limits.quietUntil - performance.now();
    if (left > 0) throw new SourceUnavailable(this.source, 'rate-limited', 429, Math.ceil(left / 1_000));
  }

  /**
   * `fetch` for the SDK. The status is judged before the SDK reads the body: it takes any JSON without an `error` for
   * success whatever the status, and a proxy's error page for a fault of the API. Redirects would carry the key along.
   */
  private async exchange(url: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response> {
    const headers = new Headers(init?.headers);
    // `fetch` counts by itself: said twice, a proxy's agent takes it for one header that is no number, and nothing is ever sent.
    headers.delete('content-length');
    const response = await fetch(url, { ...init, headers, redirect: 'error' }).catch((cause: unknown) => {
      // The SDK sends a request again, whatever it was told, when the failure itself has the code of a closed connection.
      throw new Error('no answer', { cause });
    });
    const { status } = response;
    if (status !== 429 && status < 500) return response;
    await response.body?.cancel();
    if (status >= 500 && response.headers.get('idempotent-replayed') === 'true') throw new RepeatedFault(this.source, status);
    if (status >= 500) throw new SourceUnavailable(this.source, 'fault', status);
    const seconds = retryAfterOf(response.headers.get('retry-after'));
    if (seconds === null) throw new SourceUnavailable(this.source, 'rate-limited', status);
    this.limits.quietUntil = performance.now() + seconds * 1_000;
    throw new SourceUnavailable(this.source, 'rate-limited', status, seconds);
  }
}

/** Milliseconds after which a request is aborted: a little before its attempt is given up, so that none is left running. */
const deadlineWithin = (attemptTimeout: number): number => Math.ceil(Math.max(attemptTimeout - 100, attemptTimeout / 2));

const succeeded = z.object({ lastResponse: z.object({ statusCode: z.number().min(200).max(299) }) });

const done = <T>(answer: unknown, schema: z.ZodType<T>): Write<T> => {
  const parsed = schema.safeParse(answer);
  return parsed.success && succeeded.safeParse(answer).success ? { outcome: 'done', answer: parsed.data } : lost(false);
};
