import { WebSocket } from 'undici';

/** A thousand readers in a process of their own: tells its parent of each event when it came. */
export interface Subscribing {
  readonly readers: readonly { readonly url: string; readonly token: string }[];
  readonly query: string;
}
export interface Arrival {
  /** Of the alert, or of the bare event. */
  readonly id: string;
  /** Milliseconds since 1970, with fractions. */
  readonly at: number;
}

const now = (): number => performance.timeOrigin + performance.now();
/** What every event has, without parsing it: a reader that is slow would be measured. */
const idOf = /"alertId":"([^"]+)"/;

const open = ({ url, token }: Subscribing['readers'][number], query: string, arrived: (id: string) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, 'graphql-transport-ws');
    socket.addEventListener('close', ({ code }) => reject(new Error(`closed: ${code}`)));
    socket.addEventListener('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })),
    );
    socket.addEventListener('message', ({ data }) => {
      const text = String(data);
      if (text.startsWith('{"type":"ping"')) return socket.send('{"type":"pong"}');
      if (text.includes('"connection_ack"')) {
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
        return resolve();
      }
      const id = idOf.exec(text)?.[1];
      if (id !== undefined) arrived(id);
      else if (text.includes('"errors"') || text.includes('"type":"error"')) throw new Error(text);
    });
  });

process.once('message', (message) => {
  const { readers, query } = message as Subscribing;
  let arrivals: Arrival[] = [];
  const arrived = (id: string) => arrivals.push({ id, at: now() });
  void (async () => {
    // A few at a time, as people come.
    for (let from = 0; from < readers.length; from += 20)
      await Promise.all(readers.slice(from, from + 20).map((reader) => open(reader, query, arrived)));
    process.send?.('subscribed');
    process.on('message', () => {
      process.send?.(arrivals);
      arrivals = [];
    });
  })();
});
process.once('disconnect', () => process.exit(0));
