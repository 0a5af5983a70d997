import { KeepAliveConnection, type LoadRequest, quantile } from './load';

/** Requests that come when they come, whether those before are answered or not: people don't wait for each other. */
export interface OpenLoad {
  readonly port: number;
  readonly seconds: number;
  /** Arrivals a second, at random instants (a Poisson process). */
  readonly perSecond: number;
  readonly connections: number;
  readonly next: () => LoadRequest;
}

/** How long something took, milliseconds. */
export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

export interface OpenMeasured {
  /** From its start to its last answer. */
  readonly seconds: number;
  readonly offered: number;
  /** Answered with 200; and those of them that arrived in the first second. */
  readonly admitted: Latencies;
  readonly admittedAtFirst: Latencies;
  /** Answered with 503 or 429. */
  readonly shed: Latencies;
  /** Requests for which the client had no free connection for more than ten milliseconds: nothing of theirs is the server's. */
  readonly late: number;
}

const latenciesOf = (values: readonly number[]): Latencies => {
  const sorted = [...values].sort((a, b) => a - b);
  return { count: sorted.length, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
};

const refusals: ReadonlySet<number> = new Set([429, 503]);
const errorsMember = Buffer.from('"errors":');
const wholeCheckEvery = 25;
const lateAfter = 10;
/** What a Poisson process lets pass between two arrivals, milliseconds. */
const pauseAt = (perSecond: number): number => (-Math.log(1 - Math.random()) / perSecond) * 1_000;
const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/**
 * Sends at the instants that were drawn beforehand and counts from them, so that a client that was held up by a slow answer takes
 * nothing off the latency of what it sent later (no coordinated omission). Throws at an answer that is neither right nor a refusal
 * with `Retry-After`.
 */
export const runOpenLoad = async ({ port, seconds, perSecond, connections, next }: OpenLoad): Promise<OpenMeasured> => {
  const free = await Promise.all(Array.from({ length: connections }, () => KeepAliveConnection.open(port)));
  const all = [...free];
  const admitted: number[] = [];
  const atFirst: number[] = [];
  const shed: number[] = [];
  const waiting: number[] = [];
  let underWay = 0;
  let offered = 0;
  let late = 0;
  let fault: unknown;
  const began = performance.now();

  const send = async (due: number): Promise<void> => {
    const connection = free.pop() as KeepAliveConnection;
    underWay += 1;
    const request = next();
    if (performance.now() - due > lateAfter) late += 1;
    try {
      const { status, body } = await connection.ask(request);
      const took = performance.now() - due;
      if (refusals.has(status)) {
        shed.push(took);
      } else {
        if (status !== 200) throw new Error(`the server answered ${status}: ${body.toString('utf8', 0, 800)}`);
        admitted.push(took);
        if (due - began < 1_000) atFirst.push(took);
        if (admitted.length % wholeCheckEvery === 0 || body.includes(errorsMember)) request.check(body.toString('utf8'));
      }
      free.push(connection);
    } catch (error) {
      fault ??= error;
    } finally {
      underWay -= 1;
    }
  };

  try {
    let due = began + pauseAt(perSecond);
    while (fault === undefined && (underWay > 0 || waiting.length > 0 || due < began + seconds * 1_000)) {
      const now = performance.now();
      for (; due <= now && due < began + seconds * 1_000; due += pauseAt(perSecond)) {
        waiting.push(due);
        offered += 1;
      }
      while (waiting.length > 0 && free.length > 0) void send(waiting.shift() as number);
      await tick();
    }
    if (fault !== undefined) throw fault;
  } finally {
    for (const connection of all) connection.close();
  }
  return {
    seconds: (performance.now() - began) / 1_000,
    offered,
    admitted: latenciesOf(admitted),
    admittedAtFirst: latenciesOf(atFirst),
    shed: latenciesOf(shed),
    late,
  };
};

/** Asks for a page again and again, every so many milliseconds, until `until` settles. */
export const probe = async (
  port: number,
  path: string,
  every: number,
  until: Promise<unknown>,
): Promise<Latencies & { readonly failed: number }> => {
  const connection = await KeepAliveConnection.open(port);
  const taken: number[] = [];
  let failed = 0;
  let isOver = false;
  const over = until.then(
    () => {},
    () => {},
  );
  void over.then(() => {
    isOver = true;
  });
  while (!isOver) {
    const sent = performance.now();
    const { status } = await connection.get(path);
    if (status >= 500 || status === 429) failed += 1;
    taken.push(performance.now() - sent);
    await Promise.race([over, new Promise((resolve) => setTimeout(resolve, every))]);
  }
  connection.close();
  return { ...latenciesOf(taken), failed };
};
