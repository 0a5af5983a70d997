import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { webhookTypes } from '../../src/features/webhooks/webhook.entity';
import { PrivateCa } from './private-ca';

/** Another system that is told of everything there is to tell, and keeps what it was sent. */
export class HookReceiver {
  readonly received: { readonly headers: object; readonly body: string }[] = [];
  private readonly ca = new PrivateCa();
  private server!: Server;

  static async start(): Promise<HookReceiver> {
    const receiver = new HookReceiver();
    const issued = receiver.ca.issue('DNS:localhost');
    receiver.server = createServer({ key: readFileSync(issued.key), cert: readFileSync(issued.cert) }, (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        receiver.received.push({ headers: request.headers, body: Buffer.concat(parts).toString('utf8') });
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => receiver.server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    this.ca.remove();
  }

  /** It as an endpoint of a configuration. */
  endpoint(key: Buffer) {
    return {
      name: 'pipeline',
      url: `https://localhost:${(this.server.address() as AddressInfo).port}/hook`,
      keys: [key],
      types: [...webhookTypes],
      networks: [
        ['127.0.0.0', 8],
        ['::1', 128],
      ] as [string, number][],
      ca: readFileSync(this.ca.file, 'utf8'),
    };
  }
}

/** Whether a message that was sent says more than which thing it is about. */
export const saysMoreThanIds = (body: string): boolean => {
  const message = JSON.parse(body) as { data: object };
  const shape = [Object.keys(message).sort().join(), Object.keys(message.data).sort().join()].join(' ');
  return shape !== 'data,datacontenttype,id,source,specversion,subject,time,type id,ticketId';
};
