import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Server } from 'node:net';
import { selfSigned } from '../../../../test/support/self-signed';
import { DeliveryFailed } from '../delivery.port';
import { HttpShortMessages, type HttpShortMessagesOptions } from './http.sms';

const message = { to: '+49 151 2345678', text: 'Your code is 4242 (canary)' };
const hostile = [
  '"}{',
  '"},"to":"+15550100","x":{"',
  '&to=+15550100',
  '%26to%3D+15550100',
  'a\nb\r\n\r\nc\u0000\u2028',
  '{to} {text} {{to}} ${SECRET}',
  '$& $1 $`',
  '\\u0022 \\" \\',
  'ümläut 🎟️ 漢字',
  ' + ; = # ? ',
];

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const listening = async (server: Server): Promise<number> => {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
};

/** A gateway that keeps what it is asked and answers as told. */
const gateway = async (answer: (response: ServerResponse) => void = (response) => response.writeHead(202).end('{"ok":true}')) => {
  const asked: Asked[] = [];
  const port = await listening(
    http.createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        asked.push({ method, url, headers, body: Buffer.concat(chunks).toString('utf8') });
        answer(response);
      });
    }),
  );
  return { url: `http://127.0.0.1:${port}/messages?account=7`, asked };
};

const channel = (url: string, options: Partial<HttpShortMessagesOptions> = {}) =>
  new HttpShortMessages({
    url,
    method: 'POST',
    headers: { authorization: 'Bearer canary-token' },
    contentType: 'json',
    body: { from: 'Shop', to: '{to}', text: '{text}' },
    ...options,
  });

const whyOf = async (sending: Promise<void>): Promise<DeliveryFailed['why'] | 'sent'> => {
  try {
    await sending;
    return 'sent';
  } catch (error) {
    expect(error).toBeInstanceOf(DeliveryFailed);
    const failed = error as DeliveryFailed;
    expect(failed.channel).toBe('sms');
    expect(failed.cause).toBeUndefined();
    expect(`${failed.message}\n${JSON.stringify(Object.entries(failed))}`).not.toMatch(/canary|2345678|4242|127\.0/);
    return failed.why;
  }
};

describe('a short message', () => {
  it('is sent as JSON in the form that the gateway expects', async () => {
    const { url, asked } = await gateway();
    const body = {
      sender: 'Shop',
      flash: false,
      validity: 300,
      recipients: ['{to}'],
      content: { type: 'text', text: 'Shop: {text} – for {to}' },
    };
    await channel(url, { body, method: 'PUT' }).send(message);
    expect(asked).toHaveLength(1);
    const [{ method, headers, ...rest }] = asked as [Asked];
    expect({ method, url: rest.url }).toEqual({ method: 'PUT', url: '/messages?account=7' });
    expect(headers).toMatchObject({ authorization: 'Bearer canary-token', 'content-type': 'application/json' });
    expect(JSON.parse(rest.body)).toEqual({
      ...body,
      recipients: [message.to],
      content: { type: 'text', text: `Shop: ${message.text} – for ${message.to}` },
    });
  });

  it('is sent as a form', async () => {
    const { url, asked } = await gateway();
    await channel(url, { contentType: 'form', body: { From: 'Shop', To: '{to}', Body: '{text}', MaxPrice: 0.5 } }).send(message);
    expect(asked[0]?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect([...new URLSearchParams(asked[0]?.body)]).toEqual([
      ['From', 'Shop'],
      ['To', message.to],
      ['Body', message.text],
      ['MaxPrice', '0.5'],
    ]);
  });

  it.each(hostile)('with the text %j is that text and nothing else', async (text) => {
    const { url, asked } = await gateway();
    const body = { to: '{to}', text: '<{text}>', from: 'Shop' };
    await channel(url, { body }).send({ ...message, text });
    await channel(url, { body, contentType: 'form' }).send({ ...message, text });
    const expected = { to: message.to, text: `<${text}>`, from: 'Shop' };
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual(expected);
    expect([...new URLSearchParams(asked[1]?.body)]).toEqual(Object.entries(expected));
  });

  it.each([
    ['e164', '+49 (151) 234-5678', '+491512345678'],
    ['e164', '+491512345678', '+491512345678'],
    ['digits', '+49 151/234.5678', '491512345678'],
    [undefined, '0151 2345678', '0151 2345678'],
  ] as const)('goes to a number written as %s: %s', async (phone, to, sent) => {
    const { url, asked } = await gateway();
    await channel(url, { phone }).send({ ...message, to });
    expect(JSON.parse(asked[0]?.body ?? '')).toMatchObject({ to: sent });
  });

  it.each([
    ['e164', '0151 2345678'],
    ['digits', '0151 2345678'],
    ['e164', '+0151 2345678'],
    ['e164', '+49 151'],
    [undefined, '+491512345678,+15550100'],
    [undefined, '+491512345678;+15550100'],
    [undefined, '+491512345678 +15550100'],
    [undefined, '+491512345678\n+15550100'],
    [undefined, '+49151234567812345'],
    [undefined, 'Shop'],
    [undefined, '"}{'],
    [undefined, ''],
    [undefined, '٣٤٥٦٧٨٩'],
  ] as const)('as %s is rejected before anybody is asked: %j', async (phone, to) => {
    const { url, asked } = await gateway();
    expect(await whyOf(channel(url, { phone }).send({ ...message, to }))).toBe('rejected');
    expect(asked).toEqual([]);
  });
});

describe('a gateway that answers', () => {
  it.each([
    [200, 'sent'],
    [201, 'sent'],
    [202, 'sent'],
    [204, 'sent'],
    [301, 'refused'],
    [304, 'refused'],
    [400, 'rejected'],
    [401, 'refused'],
    [402, 'refused'],
    [403, 'refused'],
    [404, 'rejected'],
    [405, 'refused'],
    [408, 'fault'],
    [410, 'refused'],
    [422, 'rejected'],
    [429, 'fault'],
    [500, 'fault'],
    [502, 'fault'],
    [503, 'fault'],
  ] as const)('%d: %s', async (status, why) => {
    const { url } = await gateway((response) => response.writeHead(status).end());
    expect(await whyOf(channel(url).send(message))).toBe(why);
  });

  it.each([301, 302, 303, 307, 308])('with the redirect %d is not followed', async (status) => {
    const elsewhere = await gateway();
    const { url, asked } = await gateway((response) => response.writeHead(status, { location: elsewhere.url }).end());
    expect(await whyOf(channel(url).send(message))).toBe('refused');
    expect([asked.length, elsewhere.asked.length]).toEqual([1, 0]);
  });

  it('without end has taken the message, and is read no further', async () => {
    let stopped: (() => void) | undefined;
    const isStopped = new Promise<void>((resolve) => {
      stopped = resolve;
    });
    const { url } = await gateway((response) => {
      response.writeHead(200);
      const more = () => {
        while (response.write(Buffer.alloc(65_536, 'canary')));
      };
      response.on('drain', more);
      response.on('close', () => stopped?.());
      more();
    });
    expect(await whyOf(channel(url).send(message))).toBe('sent');
    await isStopped;
  });
});

describe('a gateway that does not answer', () => {
  it('in time: a timeout', async () => {
    const { url, asked } = await gateway(() => {});
    expect(await whyOf(channel(url, { timeout: 200 }).send(message))).toBe('timeout');
    expect(asked).toHaveLength(1);
  });

  it('because nobody listens: unreachable', async () => {
    const { url } = await gateway();
    await (ends.pop() as () => Promise<void>)();
    expect(await whyOf(channel(url).send(message))).toBe('unreachable');
  });

  it('because nobody knows its name: unreachable', async () => {
    expect(await whyOf(channel('https://sms.invalid/').send(message))).toBe('unreachable');
  });

  it('and hangs up after it was asked: a fault, as nobody knows', async () => {
    const { url, asked } = await gateway((response) => response.socket?.destroy());
    expect(await whyOf(channel(url).send(message))).toBe('fault');
    expect(asked).toHaveLength(1);
  });

  it('because it speaks no TLS: refused, and it learns nothing', async () => {
    const heard: Buffer[] = [];
    const port = await listening(
      net.createServer((socket) => {
        socket.on('error', () => {});
        socket.on('data', (chunk) => {
          heard.push(chunk);
          socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
        });
      }),
    );
    expect(await whyOf(channel(`https://127.0.0.1:${port}/`).send(message))).toBe('refused');
    expect(Buffer.concat(heard).toString('latin1')).not.toMatch(/canary|4242/);
  });

  it('because nobody vouches for its certificate: refused, and it learns nothing', async () => {
    const asked: string[] = [];
    const port = await listening(
      https.createServer(selfSigned('IP:127.0.0.1'), (request, response) => {
        asked.push(request.url ?? '');
        response.end();
      }),
    );
    expect(await whyOf(channel(`https://127.0.0.1:${port}/`).send(message))).toBe('refused');
    expect(asked).toEqual([]);
  });
});
