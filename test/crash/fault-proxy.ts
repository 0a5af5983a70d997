import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What becomes of one chunk that a client sends, and of the answer to it. */
export interface Verdict {
  /** `drop`: the other side never sees it, and the connection is reset. */
  readonly request: 'pass' | 'drop';
  /** Bytes of the answer that get through before the connection is reset; `swallow`: none, and it stays open and silent. */
  readonly answer: 'pass' | 'swallow' | number;
  /** Run once the chunk was passed on. */
  readonly after?: () => void;
}

export const passing: Verdict = { request: 'pass', answer: 'pass' };

/** A TCP proxy on loopback that asks about every chunk from the client what shall become of it. */
export class FaultProxy {
  private readonly sockets = new Set<Socket>();
  /** Asked for each chunk; a client of HTTP or of MariaDB's protocol sends one for each request. */
  judge: (chunk: Buffer) => Verdict = () => passing;

  private constructor(
    private readonly server: Server,
    private readonly target: number,
  ) {
    server.on('connection', (client) => this.serve(client));
  }

  static async start(target: number): Promise<FaultProxy> {
    const server = createServer();
    const proxy = new FaultProxy(server, target);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(client: Socket): void {
    const upstream = connect({ port: this.target, host: '127.0.0.1' });
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    let left = Number.POSITIVE_INFINITY;
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (chunk) => {
      const { request, answer, after } = this.judge(chunk);
      if (request === 'drop') {
        client.resetAndDestroy();
        return;
      }
      left = answer === 'pass' ? Number.POSITIVE_INFINITY : answer === 'swallow' ? -1 : answer;
      upstream.write(chunk, () => after?.());
    });
    upstream.on('data', (chunk) => {
      // Silent: the client has to find out by itself that nothing comes.
      if (left < 0) return;
      if (chunk.length <= left) {
        left -= chunk.length;
        client.write(chunk);
        return;
      }
      client.write(chunk.subarray(0, left), () => client.resetAndDestroy());
    });
  }
}
