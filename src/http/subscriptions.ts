import { setTimeout as after } from 'node:timers/promises';
import type { DocumentNode, ExecutionResult, FormattedExecutionResult, GraphQLError } from 'graphql';
import { z } from 'zod';
import type { App } from '../app';
import type { SignedInActor } from '../authz/actor';
import { Failure } from '../failure';
import type { Arrival } from '../features/actors/actors.service';
import type { HappenedRow } from '../features/alerts/alert.rows';
import type { AlertStream, StreamArguments } from '../features/alerts/alert-stream';
import { operationHash } from '../features/operations/operation-hash';
import { failureIn, persistedQueryNotFound, toGraphQLError } from '../graphql/errors';
import { ulid } from '../ulid';
import { type Documented, lastLook } from './documented';
import type { Metrics } from './metrics';
import { fillRegistered } from './registered';

/** Subscriptions of one person, and of all, at once. */
const most = { ofActor: 16, all: 4_096 };
/** Looks at one event whose ground is lost while it is made ready; what took it away is an event itself. */
const mostLooks = 3;
/**
 * Milliseconds for which it is relied on that an event is its reader's, from the look that said so. Whoever takes the ticket from them waits for
 * longer before that is acknowledged (`waitForLeases`), so that nothing leaves afterwards.
 */
const reliedOn = 500;
/** Milliseconds before an event that could not be made ready is tried again. */
const tryAgainAfter = 1_000;

const asked = z.object({
  query: z.string().nullish(),
  operationName: z.string().nullish(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  extensions: z.record(z.string(), z.unknown()).nullish(),
  documentId: z.string().nullish(),
});

/** Somebody's wish to be told. */
export interface Asked {
  /** Who they were when their connection began: looked at again for each event. */
  readonly arrival: Arrival;
  /** The body of a request as `POST /graphql` takes it. */
  readonly body: unknown;
}

/** What somebody is told event by event; `return` ends it whatever it waits for. */
type Events = AsyncIterableIterator<FormattedExecutionResult> & { return(): Promise<IteratorResult<FormattedExecutionResult>> };

/** That, or once, why not. */
export type Told = { readonly events: Events } | { readonly refusal: FormattedExecutionResult };

interface Begun {
  readonly document: DocumentNode;
  readonly operationName: string | null;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly isRegistered: boolean;
}

/** Who is told. */
interface Reader {
  readonly arrival: Arrival;
  readonly actor: SignedInActor;
}

/** What passes by itself. */
const passes: ReadonlySet<unknown> = new Set(['OVERLOADED', 'RATE_LIMITED', 'RECORD_UNAVAILABLE', 'UPSTREAM_UNAVAILABLE']);
/** What an event is denied for when its ground was lost meanwhile. */
const lost: ReadonlySet<unknown> = new Set(['NOT_FOUND', 'DENIED']);

const isNothingBut = ({ data, errors = [] }: ExecutionResult, codes: ReadonlySet<unknown>): boolean =>
  (data === null || data === undefined) && errors.length > 0 && errors.every(({ extensions }) => codes.has(extensions.code));

/**
 * Subscriptions, whatever carries them: documents, limits, admission and plans are those of `POST /graphql`, and each event is an execution
 * of its own. Before it leaves it is looked at again who the reader is, and whether the event is still theirs.
 */
export class Subscriptions {
  private readonly format = lastLook(this.app);
  private readonly ofActors = new Map<string, number>();
  private all = 0;

  constructor(
    private readonly app: App,
    private readonly documents: Documented,
    private readonly metrics: Metrics,
  ) {}

  /** Never throws: what went wrong is told. */
  async subscribe({ arrival, body }: Asked): Promise<Told> {
    const { admission } = this.app;
    try {
      const actor = await arrival.again();
      const work = () => this.begin(actor, body);
      const begun = await admission.request({ actorId: actor.id, work, left: Promise.resolve() });
      if (!('stream' in begun)) return { refusal: this.told(begun) };
      const release = this.take(actor);
      if (release instanceof Failure) throw release;
      return { events: this.endable(begun.stream, begun.operation, { arrival, actor, release }) };
    } catch (error) {
      return { refusal: this.told({ errors: [this.errorOf(error)] }) };
    }
  }

  private async begin(
    actor: SignedInActor,
    body: unknown,
  ): Promise<ExecutionResult | { readonly stream: AlertStream; readonly operation: Begun }> {
    const parsed = asked.safeParse(body);
    if (!parsed.success)
      throw Failure.invalid('body', 'expected one JSON object with query, and variables and operationName where needed');
    const form = { ...parsed.data };
    const found = await fillRegistered(form, actor, this.app.operations);
    if (found === 'unknown') return { errors: [persistedQueryNotFound as unknown as GraphQLError] };
    const { query } = form;
    if (typeof query !== 'string' || query === '') throw Failure.invalid('query', 'expected a subscription');
    const isRegistered = found === 'registered';
    const context = this.app.context(actor, `req_${ulid()}`, isRegistered);
    const admitted = await this.documents.admit(context, query, operationHash(query));
    if ('refusal' in admitted) return { errors: [admitted.refusal] };
    const operation: Begun = {
      document: admitted.document,
      operationName: form.operationName || null,
      variables: form.variables ?? {},
      isRegistered,
    };
    const begun = await this.app.executor.begin(operation, context);
    if ('refusal' in begun) return begun.refusal;
    return { stream: await this.app.services.alertStreams.open(actor, begun.arguments as StreamArguments), operation };
  }

  /** A generator that waits can't be told to end: its signal can. */
  private endable(
    stream: AlertStream,
    operation: Begun,
    { arrival, actor, release }: Reader & { readonly release: () => void },
  ): Events {
    const stop = new AbortController();
    const { signal } = stop;
    const events = this.events(stream, operation, { arrival, actor, signal });
    let isBegun = false;
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: async () => {
        isBegun = true;
        const result = await events.next();
        if (result.done) release();
        return result;
      },
      return: async () => {
        stop.abort();
        release();
        // One that never began has nothing to end, and one that waits ends by the signal.
        if (!isBegun) await events.return(undefined);
        return { done: true, value: undefined };
      },
    };
  }

  private async *events(
    stream: AlertStream,
    operation: Begun,
    { arrival, actor, signal }: Reader & { readonly signal: AbortSignal },
  ): AsyncGenerator<FormattedExecutionResult, undefined> {
    const ending = new AbortController();
    const end = () => ending.abort();
    signal.addEventListener('abort', end);
    // Whatever happens or doesn't: a token's end is the end of what it began.
    const lifetime = setTimeout(end, Math.max(0, actor.expiresAt.getTime() - this.app.clock().getTime()));
    lifetime.unref();
    if (signal.aborted) end();
    try {
      for await (const row of stream.happenings(ending.signal)) {
        const result = await this.tell(row, { stream, operation, arrival, signal: ending.signal });
        if (result) yield this.told(result);
      }
      if (!signal.aborted) yield this.told({ errors: [toGraphQLError(ended())] });
    } catch (error) {
      yield this.told({ errors: [this.errorOf(error)] });
    } finally {
      clearTimeout(lifetime);
      signal.removeEventListener('abort', end);
    }
    return undefined;
  }

  /** One event as its reader is told it; null where it isn't theirs. Throws `UNAUTHENTICATED` where they aren't signed in any more. */
  private async tell(
    row: HappenedRow,
    {
      stream,
      operation,
      arrival,
      signal,
    }: Pick<Reader, 'arrival'> & { readonly stream: AlertStream; readonly operation: Begun; readonly signal: AbortSignal },
  ): Promise<ExecutionResult | null> {
    for (let looks = 0; looks < mostLooks && !signal.aborted; ) {
      const actor = await arrival.again();
      stream.isOf(actor);
      const event = await stream.judge(row, signal);
      if (!event || signal.aborted) return null;
      const { isRegistered, ...execution } = operation;
      const context = this.app.context(actor, `req_${ulid()}`, isRegistered);
      const work = () => this.app.executor.execute({ ...execution, event }, context);
      const result = await this.admitted(actor, work);
      if (isNothingBut(result, passes)) {
        await after(tryAgainAfter, undefined, { signal }).catch(() => {});
        continue;
      }
      looks += 1;
      if (isNothingBut(result, lost)) continue;
      const looked = performance.now();
      if (!(await stream.holds(event))) continue;
      // Their session may have ended while all of this was looked at, or the assistance that it is shown under.
      await arrival.again();
      if (signal.aborted) return null;
      const { endsAt } = context.access;
      if (performance.now() - looked > reliedOn || (endsAt !== null && endsAt <= this.app.clock())) continue;
      stream.hasLeft(event);
      this.metrics.alertEvents.inc({ kind: event.kind });
      return result;
    }
    return null;
  }

  /** An event waits for its turn like a request; where there is too much to do, that is its result. */
  private async admitted(actor: SignedInActor, work: () => Promise<ExecutionResult>): Promise<ExecutionResult> {
    try {
      return await this.app.admission.request({ actorId: actor.id, work, left: Promise.resolve() });
    } catch (error) {
      const failure = failureIn(error);
      if (!failure) throw error;
      return { data: null, errors: [toGraphQLError(failure)] };
    }
  }

  /** A place for one more, to be given back; or why there is none. */
  private take({ id }: SignedInActor): (() => void) | Failure {
    const own = this.ofActors.get(id) ?? 0;
    if (own >= most.ofActor)
      return new Failure('RATE_LIMITED', 'You have too many subscriptions.', {
        rule: 'subscription.actor',
        remedy: `End one of them: ${most.ofActor} at once are the most.`,
      });
    if (this.all >= most.all)
      return new Failure('OVERLOADED', 'There are too many subscriptions here.', {
        remedy: 'Try again after retryAfter seconds.',
        retryAfter: 5,
      });
    this.count(id, 1);
    let isGiven = true;
    return () => {
      if (isGiven) this.count(id, -1);
      isGiven = false;
    };
  }

  private count(id: string, by: number): void {
    this.all += by;
    const own = (this.ofActors.get(id) ?? 0) + by;
    if (own > 0) this.ofActors.set(id, own);
    else this.ofActors.delete(id);
    this.metrics.subscriptions.set(this.all);
  }

  private errorOf(error: unknown): GraphQLError {
    const failure = failureIn(error);
    return failure ? toGraphQLError(failure) : (error as GraphQLError);
  }

  private told({ data, errors }: ExecutionResult): FormattedExecutionResult {
    const formatted = errors?.map((error) => {
      const told = this.format(typeof error.toJSON === 'function' ? error.toJSON() : (error as never), error);
      this.metrics.errors.inc({ code: String(told.extensions?.code) });
      return told;
    });
    return { ...(data === undefined ? {} : { data }), ...(formatted ? { errors: formatted } : {}) } as FormattedExecutionResult;
  }
}

const ended = (): Failure =>
  new Failure('UNAUTHENTICATED', 'The token has expired.', {
    remedy: 'Subscribe again with a new token, after the cursor of the last event.',
  });
