import { createClient as createEventStreamClient } from 'graphql-sse';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'undici';
import type { TestApp } from './app';

export const everything = `subscription Alerts($ticketId: ID, $after: String) { alerts(ticketId: $ticketId, after: $after) {
  cursor kind alertId ticketId alert { id state rule reasons { code count countries } note customer { id } }
} }`;

/** What one subscriber was sent, and how it ended. */
export class Heard {
  // biome-ignore lint/suspicious/noExplicitAny: a result is as shaped as its subscription
  readonly results: { data?: any; errors?: readonly { extensions?: Record<string, unknown>; message: string }[] }[] = [];
  readonly arrived: number[] = [];
  end: unknown;
  private waiting: (() => void)[] = [];

  take(result: unknown): void {
    this.results.push(result as never);
    this.arrived.push(performance.now());
    this.wake();
  }

  ended(how: unknown): void {
    this.end ??= how;
    this.wake();
  }

  /** Kind and alert of each event. */
  get events(): readonly (readonly [kind: string, alertId: string])[] {
    return this.results.flatMap(({ data }) => (data?.alerts ? [[data.alerts.kind, data.alerts.alertId] as const] : []));
  }

  /** Waits until so many results have come, or it has ended. */
  async until(count: number, milliseconds = 10_000): Promise<void> {
    const late = performance.now() + milliseconds;
    while (this.results.length < count && this.end === undefined) {
      if (performance.now() > late)
        throw new Error(`${this.results.length} of ${count} results came: ${JSON.stringify(this.results)}`);
      await this.next(late - performance.now());
    }
  }

  async untilEnd(milliseconds = 10_000): Promise<void> {
    const late = performance.now() + milliseconds;
    while (this.end === undefined) {
      if (performance.now() > late) throw new Error('it has not ended');
      await this.next(late - performance.now());
    }
  }

  private next(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, milliseconds));
      this.waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private wake(): void {
    for (const each of this.waiting.splice(0)) each();
  }
}

/** Where the server of a test listens. */
export const listening = async (test: TestApp): Promise<string> => {
  const address = await test.server.listen({ port: 0, host: '127.0.0.1' });
  return address.replace(/^http/, 'ws');
};

export interface Subscriber {
  readonly heard: Heard;
  readonly stop: () => Promise<void>;
}

interface Wish {
  readonly query?: string;
  readonly variables?: Record<string, unknown>;
}

/** Time for a subscription to have reached the server. */
export const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300));

/** Subscribes over a web socket, as graphql-ws does. */
export const overSocket = (url: string, token: string, { query = everything, variables = {} }: Wish = {}): Subscriber => {
  const heard = new Heard();
  const client: Client = createClient({
    url: `${url}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    lazyCloseTimeout: 0,
    connectionParams: { authorization: `Bearer ${token}` },
    onNonLazyError: () => {},
    on: { closed: (event) => heard.ended({ closed: (event as { code: number }).code }) },
  });
  client.subscribe(
    { query, variables },
    {
      next: (result) => heard.take(result),
      error: (error) => heard.ended({ error }),
      complete: () => heard.ended('complete'),
    },
  );
  return { heard, stop: async () => void (await client.dispose()) };
};

/** Subscribes to server-sent events, as graphql-sse does. */
export const overEvents = (url: string, token: string, { query = everything, variables = {} }: Wish = {}): Subscriber => {
  const heard = new Heard();
  const client = createEventStreamClient({
    url: `${url.replace(/^ws/, 'http')}/graphql/stream`,
    retryAttempts: 0,
    headers: { authorization: `Bearer ${token}` },
  });
  const stop = client.subscribe(
    { query, variables },
    {
      next: (result) => heard.take(result),
      error: (error) => heard.ended({ error }),
      complete: () => heard.ended('complete'),
    },
  );
  return {
    heard,
    stop: async () => {
      stop();
      client.dispose();
    },
  };
};
