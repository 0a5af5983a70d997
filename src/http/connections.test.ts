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

  it('of one address are bounded, and end makes room', async () => {
    await listen({ most: { all: 100, ofAnAddress: 3 } });
    const first = await Promise.all([open(), open(), open()]);
    await closed(await open());
    expect(first.map(({ destroyed }) => destroyed)).toEqual([false, false, false]);
    const ended = new Promise((resolve) => server.once('connection', resolve));
    first[0]?.destroy();
    await closed(first[0] as Socket);
    // The server hears of the end by itself; until then one more is one too many.
    for (;;) {
      const next = await open(request);
      if (await Promise.race([answered(next).then(() => true), closed(next).then(() => false)])) break;
    }
    await ended;
  });

  it('of a trusted proxy are as many as the process takes', async () => {
    await listen({ isTrusted: (address) => address === '127.0.0.1', most: { all: 6, ofAnAddress: 2 } });
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
