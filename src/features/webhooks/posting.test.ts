import { readFileSync } from 'node:fs';
import { createServer as createPlainServer } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { PrivateCa } from '../../../test/support/private-ca';
import { Poster } from './posting';
import type { WebhookEndpointSection } from './webhooks.section';

const ca = new PrivateCa();
const { key, cert } = ca.issue('DNS:localhost,DNS:hooks.example.com,IP:127.0.0.1');
const message = { id: 'whd_1', at: new Date(1_800_000_000_000), body: '{}' };
let reached = 0;
const receiver: Server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) => {
  reached += 1;
  response.writeHead(204).end();
});
/** Names that the proxy was asked to connect to. All of them are the receiver to it. */
const asked: string[] = [];
const proxy = createPlainServer();
const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
beforeAll(async () => {
  proxy.on('connect', (request, socket) => {
    asked.push(String(request.url));
    const through = connect(portOf(receiver), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n');
      socket.pipe(through).pipe(socket);
    });
    through.on('error', () => socket.destroy());
    socket.on('error', () => through.destroy());
  });
  for (const server of [receiver, proxy]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  receiver.closeAllConnections();
  for (const server of [receiver, proxy]) server.close();
  ca.remove();
});
beforeEach(() => {
  reached = 0;
  asked.length = 0;
});

const loopback = [
  ['127.0.0.0', 8],
  ['::1', 128],
] as const;
const post = async (host: string, except: string | null, networks: WebhookEndpointSection['networks'] = []) => {
  const endpoint: WebhookEndpointSection = {
    name: 'pipeline',
    url: `https://${host}:${portOf(receiver)}/hook`,
    keys: [Buffer.alloc(32, 7)],
    types: ['brake.placed'],
    networks,
    ca: readFileSync(ca.file, 'utf8'),
  };
  const poster = new Poster(endpoint, { proxy: `http://127.0.0.1:${portOf(proxy)}`, except });
  const { status, fault } = await poster.post(message);
  await poster.close();
  return { status, fault, reached, asked: asked.map((each) => each.split(':')[0]) };
};

describe('a network that is left through a proxy', () => {
  it('has what is excepted from it looked at where it connects', async () => {
    for (const [host, except] of [
      ['localhost', null],
      ['localhost', 'localhost'],
      ['localhost', '*'],
      ['127.0.0.1', '*'],
      ['127.0.0.1', null],
    ] as const)
      expect([host, except, await post(host, except)]).toEqual([
        host,
        except,
        { status: null, fault: 'private-address', reached: 0, asked: [] },
      ]);
  });

  it('reaches what is excepted and allowed without it', async () => {
    expect(await post('localhost', null, [...loopback])).toEqual({ status: 204, fault: null, reached: 1, asked: [] });
  });

  it('reaches all others by it, by an authority of the endpoint’s own', async () => {
    expect(await post('hooks.example.com', '.inside.example')).toEqual({
      status: 204,
      fault: null,
      reached: 1,
      asked: ['hooks.example.com'],
    });
  });
});
