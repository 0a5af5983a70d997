// A request whose body never comes is kept, without a token. WAIT: seconds after which it should be gone.
import { connect } from 'node:net';
import { atEnd, attack, expectOrdinary, port, sleep, start, url } from './lib.mjs';

const count = 300;
const wait = Number(process.env.WAIT ?? 20) * 1_000;

await attack(async () => {
  await start({ env: { RATE_LIMIT: '1200' } });
  const whole = await fetch(`${url}/webhooks/none`, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  expectOrdinary(whole.status === 401, 'a request with its body is answered', whole.status);
  const open = new Set();
  let peak = 0;
  let answered = 0;
  for (let index = 0; index < count; index += 1) {
    const socket = connect(port, '127.0.0.1', () => {
      peak = Math.max(peak, open.add(socket).size);
      socket.write(
        'POST /webhooks/none HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 200000\r\n\r\n{',
      );
    });
    socket.on('data', () => {
      answered += 1;
    });
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => {});
    atEnd(() => socket.destroy());
  }
  const began = performance.now();
  do await sleep(500);
  while (performance.now() - began < wait && open.size > 0);
  expectOrdinary(peak > 0, `connections were taken, ${peak} at once`);
  console.log(`${open.size} of ${peak} left after ${Math.round((performance.now() - began) / 1_000)} s, ${answered} answered`);
  return open.size > 0 ? `${open.size} requests without a body are still held after ${wait / 1_000} s` : null;
});
