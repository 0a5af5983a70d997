import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { selfSigned } from '../../../../test/support/self-signed';
import { DeliveryFailed, type Mail } from '../delivery.port';
import { SmtpMail, type SmtpMailOptions } from './smtp.mail';
import { judgeReply } from './smtp.replies';

const mail: Mail = {
  to: 'kim.canary@customers.example',
  subject: 'Please confirm: canary subject – 4242',
  text: 'Open https://gateway.example/confirm/canary-token\n.\nThe dot above stands alone.',
  html: '<p>Open <a href="https://gateway.example/confirm/canary-token">this</a></p>',
};
const account = { user: 'gateway', password: 'canary-password' };

const certificate = selfSigned('DNS:localhost,IP:127.0.0.1');
const otherName = selfSigned('DNS:mail.elsewhere.example');

interface Arrived {
  readonly from: string;
  readonly recipients: readonly string[];
  readonly secure: boolean;
  readonly user: unknown;
  readonly raw: Buffer;
  readonly email: Email;
}

const reply = (responseCode: number, text = 'canary answer of the server') => Object.assign(new Error(text), { responseCode });

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A real SMTP server, with STARTTLS and without accounts unless told otherwise, that keeps what it takes. */
const server = async (options: SMTPServerOptions = {}) => {
  const arrived: Arrived[] = [];
  const smtp = new SMTPServer({
    ...certificate,
    authOptional: true,
    closeTimeout: 500,
    onAuth: ({ username, password }, _session, done) =>
      username === account.user && password === account.password ? done(null, { user: username }) : done(reply(535)),
    onData: (stream, { envelope, secure, user }, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const raw = Buffer.concat(chunks);
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        const recipients = envelope.rcptTo.map(({ address }) => address);
        void PostalMime.parse(raw).then((email) => {
          arrived.push({ from, recipients, secure, user, raw, email });
          done();
        });
      });
    },
    ...options,
  });
  // What a client that hangs up makes of the connection is the client's test.
  smtp.on('error', () => {});
  smtp.listen(0, '127.0.0.1');
  await once(smtp.server, 'listening');
  ends.push(() => new Promise((resolve) => smtp.close(() => resolve())));
  return { port: (smtp.server.address() as AddressInfo).port, arrived };
};

/** A server that answers each line as it is told, and ends the connection where it is told null; silent where undefined. */
const scripted = async (answer: (line: string, socket: Socket) => string | null | undefined) => {
  const lines: string[] = [];
  const sockets = new Set<Socket>();
  const listening = net.createServer((socket) => {
    sockets.add(socket);
    const say = (line: string) => {
      const text = answer(line, socket);
      if (text === null) socket.destroy();
      else if (text !== undefined) socket.write(`${text}\r\n`);
    };
    let rest = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const parts = (rest + chunk.toString('utf8')).split('\r\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(line);
        say(line);
      }
    });
    say('(connected)');
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  ends.push(async () => {
    for (const socket of sockets) socket.destroy();
    listening.close();
    await once(listening, 'close');
  });
  return { port: (listening.address() as AddressInfo).port, lines };
};

/** The usual answers of a server without extensions, with some replaced. */
const usual =
  (changed: Readonly<Record<string, string | null | undefined>> = {}) =>
  (line: string) => {
    const verb = Object.keys(changed).find((start) => line.startsWith(start));
    if (verb !== undefined) return changed[verb];
    if (line === '(connected)') return '220 mail.example ESMTP';
    if (line === 'DATA') return '354 go on';
    if (/^(?:EHLO|MAIL|RCPT|QUIT)|^\.$/.test(line)) return '250 fine';
    return undefined;
  };

const channel = (port: number, options: Partial<SmtpMailOptions> = {}): SmtpMail => {
  const made = new SmtpMail({
    host: '127.0.0.1',
    port,
    tls: 'starttls',
    ca: certificate.cert,
    from: { name: 'Canary “Shop”, Ltd', address: 'payments@shop.example' },
    ...options,
  });
  ends.unshift(() => made.close());
  return made;
};

/** Why it failed; whatever the error shows names neither recipient, text, answer nor account. */
const whyOf = async (sending: Promise<void>): Promise<DeliveryFailed['why'] | 'sent'> => {
  try {
    await sending;
    return 'sent';
  } catch (error) {
    expect(error).toBeInstanceOf(DeliveryFailed);
    const failed = error as DeliveryFailed;
    expect(failed.channel).toBe('mail');
    expect(failed.cause).toBeUndefined();
    expect(`${failed.message}\n${JSON.stringify(failed)}\n${JSON.stringify(Object.entries(failed))}`).not.toMatch(
      /canary|kim|shop|gateway|@/i,
    );
    return failed.why;
  }
};

describe('a mail', () => {
  it('arrives over STARTTLS as it was written, for one recipient, marked as sent by a machine', async () => {
    const { port, arrived } = await server();
    await channel(port, { replyTo: 'help@shop.example' }).send(mail);
    expect(arrived).toHaveLength(1);
    const { from, recipients, secure, user, email, raw } = arrived[0] as Arrived;
    expect({ from, recipients, secure, user }).toEqual({
      from: 'payments@shop.example',
      recipients: [mail.to],
      secure: true,
      user: false,
    });
    expect(email).toMatchObject({
      from: { name: 'Canary “Shop”, Ltd', address: 'payments@shop.example' },
      to: [{ name: '', address: mail.to }],
      replyTo: [{ name: '', address: 'help@shop.example' }],
      subject: mail.subject,
      attachments: [],
    });
    expect(email.text?.trimEnd()).toBe(mail.text);
    expect(email.html?.trimEnd()).toBe(mail.html);
    const names = email.headers.map(({ key }) => key);
    expect(email.headers).toContainEqual(expect.objectContaining({ key: 'auto-submitted', value: 'auto-generated' }));
    expect(names.filter((name) => /^x-|list-|track|read|receipt|disposition/i.test(name))).toEqual([]);
    expect(raw.toString('utf8')).not.toMatch(/nodemailer/i);
  });

  it('arrives over TLS from the first byte, with an account', async () => {
    const { port, arrived } = await server({ secure: true, authOptional: false });
    await channel(port, { tls: 'implicit', account }).send(mail);
    expect(arrived).toMatchObject([{ secure: true, user: account.user, recipients: [mail.to] }]);
  });

  it('arrives in clear where that is asked for, even from a server that offers TLS', async () => {
    const { port, arrived } = await server();
    await channel(port, { tls: 'none' }).send(mail);
    expect(arrived).toMatchObject([{ secure: false }]);
  });

  it('goes to a domain with letters beyond ASCII by the name that the mail server’s world knows it by', async () => {
    const { port, lines } = await scripted(usual());
    await channel(port, { tls: 'none' }).send({ ...mail, to: 'kim@bücher.example' });
    expect(lines.filter((line) => line.startsWith('RCPT'))).toEqual(['RCPT TO:<kim@xn--bcher-kva.example>']);
  });

  it('reads no file and no address of the web, whatever stands in it', async () => {
    const { port, arrived } = await server();
    const html = '<img src="file:///etc/hostname"><img src="http://127.0.0.1:9/x"><img src="data:image/png;base64,aGk=">';
    await channel(port).send({ ...mail, html, text: '/etc/hostname' });
    expect(arrived[0]?.email).toMatchObject({ attachments: [] });
    expect(arrived[0]?.email.html?.trimEnd()).toBe(html);
    expect(arrived[0]?.email.text?.trimEnd()).toBe('/etc/hostname');
  });

  it('has its own connection: many at once arrive once each', async () => {
    const { port, arrived } = await server();
    const sender = channel(port);
    const recipients = Array.from({ length: 8 }, (_none, index) => `kim${index}@customers.example`);
    await Promise.all(recipients.map((to) => sender.send({ ...mail, to })));
    expect(arrived.flatMap(({ recipients }) => recipients).sort()).toEqual(recipients);
  });

  it('that is under way is finished before the channel is closed', async () => {
    const { port, arrived } = await server();
    const sender = channel(port);
    const sending = sender.send(mail);
    await sender.close();
    expect(arrived).toHaveLength(1);
    await sending;
  });
});

describe('what is injected', () => {
  it.each([
    'kim@customers.example, mallory@evil.example',
    'kim@customers.example,mallory@evil.example',
    'kim@customers.example;mallory@evil.example',
    'kim@customers.example mallory@evil.example',
    'kim@customers.example\nBcc: mallory@evil.example',
    'kim@customers.example\r\nRCPT TO:<mallory@evil.example>',
    'kim@customers.example\u2028mallory@evil.example',
    'kim@customers.example\u0000',
    'Kim <kim@customers.example>',
    '<kim@customers.example>',
    'friends: kim@customers.example, mallory@evil.example;',
    'kim(mallory@evil.example)@customers.example',
    '"kim@customers.example, mallory"@evil.example',
    'kim@customers.example> SIZE=1',
    'kim@mallory@evil.example',
    'kim@[127.0.0.1]',
    'kim@customers.example.',
    ' kim@customers.example',
    '@customers.example',
    'kim@',
    'kim',
    '',
    `${'k'.repeat(65)}@customers.example`,
    `kim@${'c'.repeat(251)}.example`,
  ])('as a recipient is rejected before anybody is asked: %j', async (to) => {
    const { port, lines } = await scripted(usual());
    expect(await whyOf(channel(port, { tls: 'none' }).send({ ...mail, to }))).toBe('rejected');
    expect(lines).toEqual([]);
  });

  it.each(['\r\n', '\n', '\r', '\u2028', '\r\n\r\n'])(
    'into the subject with %j adds neither header nor recipient',
    async (end) => {
      const { port, arrived } = await server();
      const subject = `Confirm${end}Bcc: mallory@evil.example${end}X-Injected: yes`;
      await channel(port).send({ ...mail, subject });
      const { recipients, email } = arrived[0] as Arrived;
      expect(recipients).toEqual([mail.to]);
      expect(email.headers.map(({ key }) => key)).not.toEqual(expect.arrayContaining(['bcc']));
      expect(email.headers.map(({ key }) => key)).not.toEqual(expect.arrayContaining(['x-injected']));
      expect(email.text?.trimEnd()).toBe(mail.text);
    },
  );

  it('into the text stays text', async () => {
    const { port, arrived } = await server();
    const text = 'Hello\r\n.\r\nMAIL FROM:<mallory@evil.example>\r\nRCPT TO:<mallory@evil.example>\r\nDATA\r\nboo\r\n.\r\nQUIT';
    await channel(port).send({ ...mail, text });
    expect(arrived).toHaveLength(1);
    expect(arrived[0]?.recipients).toEqual([mail.to]);
    expect(arrived[0]?.email.text?.trimEnd()).toBe(text.replaceAll('\r\n', '\n'));
  });
});

describe('a server that does not take the mail', () => {
  it.each([
    [550, 'rejected'],
    [552, 'rejected'],
    [554, 'rejected'],
    [450, 'fault'],
    [451, 'fault'],
    [452, 'fault'],
    [421, 'fault'],
    [503, 'fault'],
    [530, 'refused'],
  ] as const)('with %d for the recipient: %s', async (code, why) => {
    const { port, arrived } = await server({ onRcptTo: (_address, _session, done) => done(reply(code)) });
    expect(await whyOf(channel(port).send(mail))).toBe(why);
    expect(arrived).toEqual([]);
  });

  it.each([
    [550, 'rejected'],
    [554, 'rejected'],
    [451, 'fault'],
    [421, 'fault'],
  ] as const)('with %d after the content: %s', async (code, why) => {
    const { port } = await server({
      onData: (stream, _session, done) => {
        stream.resume();
        stream.on('end', () => done(reply(code)));
      },
    });
    expect(await whyOf(channel(port).send(mail))).toBe(why);
  });

  it('with a refusal of our own address is a matter of settings', async () => {
    const { port } = await server({ onMailFrom: (_address, _session, done) => done(reply(550)) });
    expect(await whyOf(channel(port).send(mail))).toBe('refused');
  });

  it('with 554 in place of a greeting is a matter of settings, with 421 of time', async () => {
    const refusing = await scripted(() => '554 canary: no service for you');
    expect(await whyOf(channel(refusing.port, { tls: 'none' }).send(mail))).toBe('refused');
    const busy = await scripted(() => '421 canary: later');
    expect(await whyOf(channel(busy.port, { tls: 'none' }).send(mail))).toBe('fault');
  });

  it('because the password is wrong: refused, and none is sent without one', async () => {
    const { port, arrived } = await server();
    const wrong = { user: 'gateway', password: 'canary-wrong' };
    expect(await whyOf(channel(port, { account: wrong }).send(mail))).toBe('refused');
    expect(arrived).toEqual([]);
  });

  it('because it can’t judge the password just now: may pass later', async () => {
    const { port } = await server({ onAuth: (_credentials, _session, done) => done(reply(454)) });
    expect(await whyOf(channel(port, { account }).send(mail))).toBe('fault');
  });

  it('that knows no accounts gets no mail where one is configured', async () => {
    const { port, arrived } = await server({ disabledCommands: ['AUTH'] });
    expect(await whyOf(channel(port, { account }).send(mail))).toBe('refused');
    expect(arrived).toEqual([]);
  });
});

describe('what a server says of the mail', () => {
  const recipient = ['RCPT TO', 'DATA'] as const;
  const all = ['MAIL FROM', ...recipient] as const;

  it.each<[string, readonly string[], ReturnType<typeof judgeReply>]>([
    // RFC 3463, X.1.x: of the recipient's address
    ['550 5.1.1 <kim@customers.example>: User unknown in relay recipient table', recipient, 'rejected'],
    ['550 5.1.2 no such domain', recipient, 'rejected'],
    ['553 5.1.3 not a valid address', recipient, 'rejected'],
    ['550 5.1.6 the mailbox has moved', recipient, 'rejected'],
    ['556 5.1.10 the domain takes no mail', recipient, 'rejected'],
    ['550 5.1.0 address rejected', recipient, 'rejected'],
    // of the sender's
    ['550 5.1.0 sender rejected', recipient, 'refused'],
    ['553 5.1.7 bad sender address', all, 'refused'],
    ['550 5.1.8 sender domain has no MX', all, 'refused'],
    ['550 5.1.1 unknown', ['MAIL FROM'], 'refused'],
    // X.2.x: of the mailbox
    ['552 5.2.2 mailbox full', recipient, 'fault'],
    ['550 5.2.2 over quota', recipient, 'fault'],
    ['550 5.2.1 mailbox disabled', recipient, 'rejected'],
    ['552 5.2.3 too long for this mailbox', recipient, 'rejected'],
    // X.3.x: of its system
    ['552 5.3.1 system full', all, 'fault'],
    ['554 5.3.2 takes nothing now', all, 'fault'],
    ['550 5.3.5 misconfigured', all, 'refused'],
    // X.4.x and X.7.x: of networks, policies and accounts
    ['550 5.4.5 daily limit of this sender reached', all, 'refused'],
    ['550-5.4.5 daily limit of this sender reached\r\n550 5.4.5 see the help centre', all, 'refused'],
    ['554 5.7.0 Outgoing limit of this account reached, come back later', all, 'refused'],
    ['554 5.7.1 <kim@customers.example>: Relay access denied', all, 'refused'],
    ['550 5.7.26 unauthenticated mail isn’t accepted', all, 'refused'],
    ['450 4.7.1 greylisted', all, 'refused'],
    ['421 4.7.28 rate limited', all, 'refused'],
    // X.5.x, X.6.x: by code and command
    ['550 5.5.0 mailbox unavailable', recipient, 'rejected'],
    ['554 5.6.0 message malformed', recipient, 'rejected'],
    ['503 5.5.1 bad sequence', all, 'fault'],
    // 4xx may pass
    ['450 4.1.1 unknown just now', all, 'fault'],
    ['452 4.2.2 mailbox full', all, 'fault'],
    ['451 4.3.0 try again later', all, 'fault'],
    ['450 4.2.0 <kim@customers.example>: Recipient address rejected: Greylisted', all, 'fault'],
    // but what speaks of networks, our account or the relay is told, whatever its class
    ['451 4.4.2 connection dropped', all, 'refused'],
    ['421 4.4.5 hourly limit reached', all, 'refused'],
    ['454 Throttling failure: Maximum sending rate exceeded.', all, 'refused'],
    ['421 Too many messages from this account', all, 'refused'],
    ['451 Could not complete sender verify', all, 'refused'],
    // without an enhanced code
    ['550 no such user here', recipient, 'rejected'],
    ['550 User unknown in relay recipient table', recipient, 'rejected'],
    ['550 mailbox unavailable', recipient, 'rejected'],
    ['551 user not local', recipient, 'rejected'],
    ['550 mailbox unavailable', ['MAIL FROM'], 'refused'],
    ['550 relaying denied', recipient, 'refused'],
    ['550 not permitted to relay through this server', recipient, 'refused'],
    ['553 sorry, that domain isn’t in my list of allowed rcpthosts', recipient, 'refused'],
    ['550 authentication required', recipient, 'refused'],
    ['550 sender verify failed', recipient, 'refused'],
    ['554 your IP is on a blocklist', recipient, 'refused'],
    ['552 mailbox is full', recipient, 'fault'],
    ['535 what', all, 'refused'],
    // of us, though a recipient is named beside it
    ['550-Verification failed for <pay@shop.example>\r\n550-No Such User Here\r\n550 Sender verify failed', recipient, 'refused'],
    ['554 Message rejected: Email address is not verified. The following identities failed the check', recipient, 'refused'],
    ['554 Access denied: User pay is not authorized to perform this', recipient, 'refused'],
    ['571 Delivery not authorized, message refused', recipient, 'refused'],
    ['550 JunkMail rejected - host [192.0.2.1] is in an RBL', recipient, 'refused'],
    ['554-mx.example Service not available\r\n554 Bad DNS PTR resource record.', recipient, 'refused'],
    ['550 SC-001 Unfortunately, messages from 192.0.2.1 weren’t sent.', recipient, 'refused'],
    // details of a server's own are judged by their words
    ['554 5.2.252 SendAsDenied; not allowed to send as pay@shop.example', all, 'refused'],
    ['550 5.1.90 You’ve reached your daily limit for message recipients', all, 'refused'],
    ['550 5.1.351 Recipient not found', recipient, 'rejected'],
    // an enhanced code of another class isn't believed (RFC 2034, 4)
    ['550 2.1.5 no such user', recipient, 'rejected'],
    ['550 4.7.1 no such user', recipient, 'rejected'],
    // a number among the words is none
    ['550 no such user at 5.7.1.2', recipient, 'rejected'],
    ['550-no such user\n550-see 5.7.1\n550 5.1.1 gone', recipient, 'rejected'],
  ])('%j', (text, commands, why) => {
    const code = Number(text.slice(0, 3));
    for (const command of commands) expect([command, judgeReply({ code, command, text })]).toEqual([command, why]);
  });

  it.each([
    ['RCPT', '550 5.4.5 daily limit of this sender reached', 'refused'],
    ['RCPT', '550-5.4.5 daily limit\r\n550 5.4.5 see the help centre', 'refused'],
    ['RCPT', '550 5.1.1 unknown', 'rejected'],
    ['RCPT', '552 5.2.2 full', 'fault'],
    ['DATA', '554 5.7.0 Outgoing limit of this account reached', 'refused'],
    ['DATA', '550-5.4.5 daily limit of this sender reached\r\n550 5.4.5 see the help centre', 'refused'],
    ['.', '550 5.4.5 daily limit of this sender reached', 'refused'],
    ['.', '554-5.7.0 Outgoing limit\r\n554 5.7.0 come back later', 'refused'],
    ['.', '550 5.1.1 unknown', 'rejected'],
  ])('at %s, %j: %s', async (verb, answer, why) => {
    const { port } = await scripted(usual({ [verb]: answer }));
    const failure = await channel(port, { tls: 'none' })
      .send({ ...mail, text: 'one line' })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ why, isFinal: why === 'rejected' });
    expect(String(failure)).not.toMatch(/limit|unknown|full/);
  });

  it('without an enhanced code, from a real server', async () => {
    const { port } = await server({ onRcptTo: (_address, _session, done) => done(reply(550, 'Relaying denied')) });
    expect(await whyOf(channel(port).send(mail))).toBe('refused');
  });
});

describe('an address with a local part beyond ASCII', () => {
  const to = 'jösé@bücher.example';

  it('is told to no server that doesn’t take such: there is no way to deliver', async () => {
    const { port, lines } = await scripted(usual());
    expect(await whyOf(channel(port, { tls: 'none' }).send({ ...mail, to }))).toBe('rejected');
    expect(lines.filter((line) => /^(?:MAIL|RCPT|DATA)/.test(line))).toEqual([]);
    const hidden = await server({ hideSMTPUTF8: true });
    expect(await whyOf(channel(hidden.port).send({ ...mail, to }))).toBe('rejected');
    expect(hidden.arrived).toEqual([]);
  });

  it('is told as it is to one that says so, with the word for it', async () => {
    const { port, arrived } = await server({ hideSMTPUTF8: false });
    await channel(port).send({ ...mail, to });
    expect(arrived).toMatchObject([{ recipients: [expect.stringMatching(/^jösé@/)] }]);
    const offering = await scripted(usual({ EHLO: '250-mail.example\r\n250-8BITMIME\r\n250 SMTPUTF8' }));
    await channel(offering.port, { tls: 'none' }).send({ ...mail, to, text: 'one line' });
    expect(offering.lines.find((line) => line.startsWith('MAIL'))).toContain(' SMTPUTF8');
  });
});

describe('a server that can’t be trusted', () => {
  it('without STARTTLS gets neither password nor mail', async () => {
    const { port, lines } = await scripted(usual({ EHLO: '250-mail.example\r\n250 AUTH PLAIN LOGIN', STARTTLS: '502 no' }));
    expect(await whyOf(channel(port, { account }).send(mail))).toBe('refused');
    expect(lines.filter((line) => !/^(?:EHLO|STARTTLS)\b/.test(line))).toEqual([]);
  });

  it.each(['starttls', 'implicit'] as const)('whose certificate nobody trusted signed gets nothing (%s)', async (tls) => {
    const { port, arrived } = await server({ secure: tls === 'implicit' });
    expect(await whyOf(channel(port, { tls, ca: undefined, account }).send(mail))).toBe('refused');
    expect(arrived).toEqual([]);
  });

  it('gets nothing even where the environment lets every certificate pass', async () => {
    const { port, arrived } = await server();
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      expect(await whyOf(channel(port, { ca: undefined }).send(mail))).toBe('refused');
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
    expect(arrived).toEqual([]);
  });

  it.each(['starttls', 'implicit'] as const)('whose certificate is another name’s gets nothing (%s)', async (tls) => {
    const { port, arrived } = await server({ secure: tls === 'implicit', ...otherName });
    expect(await whyOf(channel(port, { tls, ca: otherName.cert }).send(mail))).toBe('refused');
    expect(arrived).toEqual([]);
  });

  it('that speaks no TLS where TLS comes first gets nothing', async () => {
    const { port, arrived } = await server();
    expect(await whyOf(channel(port, { tls: 'implicit' }).send(mail))).toBe('refused');
    expect(arrived).toEqual([]);
  });

  it('that speaks after STARTTLS in clear is not believed', async () => {
    const { port, lines } = await scripted(
      usual({ EHLO: '250-mail.example\r\n250 STARTTLS', STARTTLS: '220 go\r\n250 injected' }),
    );
    expect(await whyOf(channel(port, { timeouts: { greeting: 400, socket: 400 } }).send(mail))).not.toBe('sent');
    expect(lines.join('\n')).not.toContain('canary');
  });
});

describe('a server that goes away', () => {
  it('before anything: unreachable', async () => {
    const { port } = await scripted(usual());
    await (ends.pop() as () => Promise<void>)();
    expect(await whyOf(channel(port, { tls: 'none' }).send(mail))).toBe('unreachable');
  });

  it('whose name nobody knows: unreachable', async () => {
    expect(await whyOf(channel(25, { host: 'mail.invalid' }).send(mail))).toBe('unreachable');
  });

  it.each(['(connected)', 'EHLO', 'MAIL', 'RCPT', 'DATA'])('at %s: unreachable, as nothing was sent', async (verb) => {
    const { port, lines } = await scripted(usual({ [verb]: null }));
    expect(await whyOf(channel(port, { tls: 'none' }).send(mail))).toBe('unreachable');
    expect(lines.join('\n')).not.toContain('canary-token');
  });

  it('after the content: a fault, as nobody knows', async () => {
    const { port, lines } = await scripted(usual({ '.': null }));
    expect(await whyOf(channel(port, { tls: 'none' }).send({ ...mail, text: 'one line' }))).toBe('fault');
    expect(lines.at(-1)).toBe('.');
  });

  it('after it took the mail has taken it', async () => {
    const { port } = await scripted(usual({ QUIT: null }));
    expect(await whyOf(channel(port, { tls: 'none' }).send({ ...mail, text: 'one line' }))).toBe('sent');
  });

  it.each(['(connected)', 'EHLO', 'RCPT', '.'])('into silence at %s: a timeout', async (verb) => {
    const { port } = await scripted(usual({ [verb]: undefined }));
    const timeouts = { connection: 300, greeting: 300, socket: 300 };
    expect(await whyOf(channel(port, { tls: 'none', timeouts }).send({ ...mail, text: 'one line' }))).toBe('timeout');
  });

  it('never quite, with a word now and then: a timeout all the same', async () => {
    const { port } = await scripted((line, socket) => {
      if (!line.startsWith('EHLO')) return usual()(line);
      const words = setInterval(() => socket.write('250-still thinking\r\n'), 20);
      socket.on('close', () => clearInterval(words));
      return undefined;
    });
    const timeouts = { socket: 10_000, greeting: 10_000, connection: 10_000, whole: 400 };
    expect(await whyOf(channel(port, { tls: 'none', timeouts }).send(mail))).toBe('timeout');
  });

  it('behind an answer without end gets no more of our memory', async () => {
    const { port } = await scripted(usual({ EHLO: `250-${'x'.repeat(200_000)}` }));
    expect(await whyOf(channel(port, { tls: 'none' }).send(mail))).toBe('fault');
  });
});
