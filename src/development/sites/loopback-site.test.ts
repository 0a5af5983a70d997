import { request } from 'node:http';
import { LoopbackSite } from './loopback-site';

let site: LoopbackSite;
let made = 0;
const handler = () => {
  made += 1;
  return (_request: unknown, response: { end(text: string): void }) => response.end('here');
};

beforeEach(() => {
  made = 0;
  site = new LoopbackSite('127.0.0.1');
});
afterEach(() => site.close());

const statusAt = (address: string, host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(address, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });

test('it is there once somebody asks where it is, and stays where it is', async () => {
  expect({ at: site.current, made }).toEqual({ at: null, made: 0 });
  const addresses = await Promise.all([site.address(handler), site.address(handler)]);
  expect(new Set([...addresses, site.current]).size).toBe(1);
  expect({ answer: await (await fetch(addresses[0] as string)).text(), made }).toEqual({ answer: 'here', made: 1 });
});

test('it answers by its own name alone', async () => {
  const address = await site.address(handler);
  const { host, port } = new URL(address);
  expect(await statusAt(address, host)).toBe(200);
  for (const other of ['rebound.example', `rebound.example:${port}`, `localhost:${port}`, '127.0.0.1'])
    expect([other, await statusAt(address, other)]).toEqual([other, 421]);
});

test('it is gone with the gateway, and does not come back', async () => {
  const address = await site.address(handler);
  await site.close();
  await expect(fetch(address)).rejects.toThrow();
  await expect(site.address(handler)).rejects.toThrow('about to stop');
});

test('it ends where it never began', async () => {
  await site.close();
  await site.close();
  expect(made).toBe(0);
});
