import { EventEmitter } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { boundConnections } from './connections';

const closed = (socket: Socket): Promise<void> =>
  socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()));

describe('connections', () => {
  let server: Server;
  let sockets: Socket[];
  beforeEach(() => {
    sockets = [];
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const listen = async (options: Partial<Parameters<typeof boundConnections>[1]> = {}, answer = true) => {
    server = createServer((_request, response) => void (answer && response.end('ok')));
    const bound = boundConnections(server, { isTrusted: () => false, deadlines: { stop: 50 }, ...options });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return bound;
  };
  const open = async (send?: string): Promise<Socket> => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('connect', resolve));
    if (send === undefined) return socket;
    socket.write(send);
    return socket;
  };
  const request = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
  const answered = (socket: Socket) => new Promise((resolve) => socket.once('data', resolve));

  it('of one address are bounded while all are busy, and end makes room', async () => {
    await listen({ most: { all: 100, ofANetwork: 3 } }, false);
    const first: Socket[] = [];
    for (let count = 0; count < 3; count += 1) {
      const begun = new Promise((resolve) => server.once('request', resolve));
      first.push(await open(request));
      await begun;
    }
    await closed(await open());
    expect(first.map(({ destroyed }) => destroyed)).toEqual([false, false, false]);
    const taken = new Promise((resolve) => server.once('request', resolve));
    first[0]?.destroy();
    await closed(first[0] as Socket);
    // The server hears of the end by itself; until then one more is one too many.
    for (;;) {
      const next = await open(request);
      if (await Promise.race([taken.then(() => true), closed(next).then(() => false)])) break;
    }
  });

  it('of one address that do nothing lock out nobody: the longest idle makes room', async () => {
    await listen({ most: { all: 100, ofANetwork: 3 } });
    const used = await open(request);
    await answered(used);
    const silent = await open();
    const half = await open('GET / HTTP/1.1\r\n');
    const another = answered(used);
    used.write(request);
    await another;
    const next = await open(request);
    await answered(next);
    await closed(silent);
    const last = await open(request);
    await answered(last);
    await closed(half);
    expect([used, next, last].map(({ destroyed }) => destroyed)).toEqual([false, false, false]);
  });

  it('of one IPv6 network are of one client, however many addresses it has', () => {
    const many = new EventEmitter() as unknown as Server;
    boundConnections(many, { isTrusted: () => false, deadlines: { stop: 50 }, most: { all: 100, ofANetwork: 2 } });
    const from = (remoteAddress: string) => {
      const destroy = jest.fn();
      const socket = Object.assign(new EventEmitter(), { remoteAddress, destroy });
      many.emit('connection', socket);
      return destroy;
    };
    const ends = ['2001:db8:1::1', '2001:db8:1::2', '2001:db8:1:0:ffff::3', '2001:db8:1:1::1'].map(from);
    expect(ends.map((end) => end.mock.calls.length)).toEqual([1, 0, 0, 0]);
  });

  it('of a trusted proxy are as many as the process takes', async () => {
    await listen({ isTrusted: (address) => address === '127.0.0.1', most: { all: 6, ofANetwork: 2 } });
    const many = await Promise.all(Array.from({ length: 6 }, () => open(request)));
    await Promise.all(many.map(answered));
    await closed(await open());
  });

  it('that never carried a request end at once when the gateway stops', async () => {
    const bound = await listen({ deadlines: { stop: 600_000 } });
    const unused = await open();
    const used = await open(request);
    await answered(used);
    bound.stop();
    await closed(unused);
    expect(used.destroyed).toBe(false);
  });

  it('that are still busy when the deadline of the stop is over end then', async () => {
    const bound = await listen({}, false);
    const busy = await open(request);
    await new Promise((resolve) => server.once('request', resolve));
    bound.stop();
    await closed(busy);
  });
});
