import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Milliseconds that a request has for its headers, and for the whole. */
const longestHeaders = 5_000;
const longestRequest = 10_000;
/** Largest headers, in bytes. */
const largestHeaders = 32 * 1024;
const mostConnections = 128;

interface Opened {
  readonly server: Server;
  readonly address: string;
}

/**
 * A site of development's own, at a free port of this machine, that nobody else reaches. It is there from when somebody first asks for its
 * address: until then nothing listens, and nothing of it is loaded.
 */
export class LoopbackSite {
  private opening: Promise<Opened> | null = null;
  private opened: Opened | null = null;
  private isClosed = false;

  /** `name` makes it a site of its own to a browser, or the gateway's. */
  constructor(private readonly name: '127.0.0.1' | 'localhost') {}

  /** Null until somebody asked for its address. */
  get current(): string | null {
    return this.opened?.address ?? null;
  }

  /** `http://127.0.0.1:40123`. `handler` makes what answers there, once. Throws where the gateway is about to stop. */
  async address(handler: () => RequestListener): Promise<string> {
    if (this.isClosed) throw new Error('the gateway is about to stop');
    this.opening ??= this.open(handler);
    return (await this.opening).address;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const server = (await this.opening?.catch(() => null))?.server;
    if (!server) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  private async open(handler: () => RequestListener): Promise<Opened> {
    const server = createServer({
      headersTimeout: longestHeaders,
      requestTimeout: longestRequest,
      maxHeaderSize: largestHeaders,
    });
    server.maxConnections = mostConnections;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = `http://${this.name}:${(server.address() as AddressInfo).port}`;
    const { host } = new URL(address);
    const answer = handler();
    server.on('request', (request, response) => {
      // A foreign page that had its own name resolved to this machine (DNS rebinding) asks by that name.
      if (request.headers.host === host) return answer(request, response);
      response.writeHead(421, { 'content-type': 'text/plain; charset=utf-8' }).end(`This is ${address}.\n`);
    });
    this.opened = { server, address };
    return this.opened;
  }
}
