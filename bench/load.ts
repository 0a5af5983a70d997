import { connect, type Socket } from 'node:net';

export interface LoadRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Throws when the answer isn't what was asked for. */
  readonly check: (text: string) => void;
}

/** What a server answered. */
export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export interface Load {
  readonly port: number;
  readonly seconds: number;
  /** One a connection: what it sends next, out of a list of its own. Connections that walk one list let a server answer equal requests in flight together. */
  readonly connections: readonly (() => LoadRequest)[];
}

export interface Measured {
  readonly requests: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

const endOfHeaders = Buffer.from('\r\n\r\n');
const errorsMember = Buffer.from('"errors":');
/** Every body is searched for errors; this one in so many is parsed and checked whole, which would otherwise cost more than serving it. */
const wholeCheckEvery = 25;

/** One keep-alive HTTP/1.1 connection that sends a request once the one before is answered. As little as it takes, so that it measures the server and not itself. */
export class KeepAliveConnection {
  private status = 0;
  private received: Buffer[] = [];
  private size = 0;
  private expected = -1;
  private bodyStart = 0;
  private settle: ((answer: Answer) => void) | undefined;
  private fail: ((error: Error) => void) | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly port: number,
  ) {
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      try {
        this.take(chunk);
      } catch (error) {
        this.fail?.(error as Error);
      }
    });
    socket.on('error', (error) => this.fail?.(error));
    socket.on('close', () => this.fail?.(new Error('the server closed the connection')));
  }

  static open(port: number): Promise<KeepAliveConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new KeepAliveConnection(socket, port)));
      socket.once('error', reject);
    });
  }

  /** The body of an answer with status 200. Throws for any other. */
  async post(request: LoadRequest): Promise<Buffer> {
    const { status, body } = await this.ask(request);
    if (status !== 200) throw new Error(`the server answered ${status}: ${body.toString('utf8', 0, 800)}`);
    return body;
  }

  ask({ headers, body }: LoadRequest): Promise<Answer> {
    return this.postTo('/graphql', { 'content-type': 'application/json', ...headers }, body);
  }

  postTo(path: string, headers: LoadRequest['headers'], body: string): Promise<Answer> {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return this.send(
      `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${this.port}\r\n${lines.join('')}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }

  get(path: string): Promise<Answer> {
    return this.send(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${this.port}\r\n\r\n`);
  }

  close(): void {
    this.fail = undefined;
    this.socket.destroy();
  }

  private send(text: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.settle = resolve;
      this.fail = reject;
      this.socket.write(text);
    });
  }

  private take(chunk: Buffer): void {
    this.received.push(chunk);
    this.size += chunk.length;
    if (this.expected < 0) {
      const start = this.received.length === 1 ? chunk : Buffer.concat(this.received);
      const end = start.indexOf(endOfHeaders);
      if (end < 0) return;
      const head = start.toString('latin1', 0, end);
      this.status = Number(head.slice(9, 12));
      const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
      if (length === undefined) throw new Error('the answer has no content-length');
      this.bodyStart = end + endOfHeaders.length;
      this.expected = this.bodyStart + Number(length);
    }
    if (this.size < this.expected) return;
    const body = Buffer.concat(this.received).subarray(this.bodyStart, this.expected);
    this.received = [];
    this.size = 0;
    this.expected = -1;
    this.settle?.({ status: this.status, body });
  }
}

/** A quantile of sorted values; NaN of none. */
export const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
};

/** Keeps every connection busy for some seconds. Throws at the first answer that isn't right. */
export const runLoad = async ({ port, seconds, connections }: Load): Promise<Measured> => {
  const opened = await Promise.all(connections.map(() => KeepAliveConnection.open(port)));
  const latencies: number[] = [];
  const began = performance.now();
  const until = began + seconds * 1_000;
  try {
    await Promise.all(
      opened.map(async (connection, index) => {
        const next = connections[index] as () => LoadRequest;
        for (let count = 0; performance.now() < until; count += 1) {
          const request = next();
          const sent = performance.now();
          const body = await connection.post(request);
          latencies.push(performance.now() - sent);
          if (count % wholeCheckEvery === 0 || body.includes(errorsMember)) request.check(body.toString('utf8'));
        }
      }),
    );
  } finally {
    for (const connection of opened) connection.close();
  }
  const elapsed = (performance.now() - began) / 1_000;
  latencies.sort((a, b) => a - b);
  return {
    requests: latencies.length,
    seconds: elapsed,
    perSecond: latencies.length / elapsed,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
};

/** Sends each request once, over one connection, and returns the bodies. */
export const sendAll = async (port: number, requests: readonly LoadRequest[]): Promise<string[]> => {
  const connection = await KeepAliveConnection.open(port);
  const bodies: string[] = [];
  try {
    for (const request of requests) {
      const text = (await connection.post(request)).toString('utf8');
      request.check(text);
      bodies.push(text);
    }
  } finally {
    connection.close();
  }
  return bodies;
};
