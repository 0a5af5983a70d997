import { Readable } from 'node:stream';
import MailComposer from 'nodemailer/lib/mail-composer';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { DeliveryFailed, type Mail, type MailChannel } from '../delivery.port';
import { isOneMailAddress } from '../recipient';
import { judgeReply } from './smtp.replies';
import { defaultSmtpTimeouts, type SmtpTimeouts } from './smtp.timeouts';

export interface SmtpAddress {
  readonly name?: string | undefined;
  readonly address: string;
}

export interface SmtpMailOptions {
  readonly host: string;
  readonly port: number;
  /** `implicit`: TLS from the first byte. `starttls`: nothing is said to a server that doesn't change to TLS. `none`: in clear. */
  readonly tls: 'implicit' | 'starttls' | 'none';
  /** Certificates in PEM that are trusted in place of the public authorities. */
  readonly ca?: string | undefined;
  readonly account?: { readonly user: string; readonly password: string } | undefined;
  readonly from: SmtpAddress;
  /** An address where answers are read. */
  readonly replyTo?: string | undefined;
  readonly timeouts?: Partial<SmtpTimeouts>;
}

/** Longest answer that is read, in bytes: a mail server's are short. */
const answerLimit = 64 * 1024;

/** What the library says of a failure; its message, which may hold address and answer, is left alone. */
interface SmtpFault {
  readonly code?: string | undefined;
  /** What the system or TLS called it, where `code` is the library's own word. */
  readonly originalCode?: string | undefined;
  readonly command?: string | undefined;
  readonly responseCode?: number | undefined;
  /** All lines of the server's reply; judged, and kept nowhere. */
  readonly response?: string | undefined;
}

/** Errors of a socket have names such as ECONNREFUSED or EAI_AGAIN; those of TLS and of certificates don't. */
const isSocketFault = (code: string): boolean => code !== 'EPROTO' && /^E(?:AI_)?[A-Z0-9]+$/.test(code);

const reasonOf = (fault: SmtpFault, bodyBegun: boolean): DeliveryFailed['why'] => {
  const { code = '', originalCode, command = '', responseCode, response = '' } = fault;
  if (code === 'ETIMEDOUT' || originalCode === 'ETIMEDOUT') return 'timeout';
  if (responseCode !== undefined) return judgeReply({ code: responseCode, command, text: response });
  // Whether the server had all of it, and took it, nobody knows.
  if (bodyBegun) return 'fault';
  if (code === 'EAUTH' || code === 'ENOAUTH') return 'refused';
  if (originalCode !== undefined && !isSocketFault(originalCode)) return 'refused';
  if (['ECONNECTION', 'ESOCKET', 'EDNS'].includes(code)) return 'unreachable';
  return code === 'ETLS' ? 'refused' : 'fault';
};

/**
 * Mail over SMTP (RFC 5321), one connection a message, over TLS (RFC 8314, RFC 3207) with the server's certificate verified.
 * One message goes to one recipient, and neither files nor addresses of the web are ever read for it.
 */
export class SmtpMail implements MailChannel {
  private readonly timeouts: SmtpTimeouts;
  private readonly underWay = new Set<Promise<void>>();
  private readonly connections = new Set<SMTPConnection>();

  constructor(private readonly options: SmtpMailOptions) {
    this.timeouts = { ...defaultSmtpTimeouts, ...options.timeouts };
  }

  async send(mail: Mail): Promise<void> {
    if (!isOneMailAddress(mail.to)) throw new DeliveryFailed('mail', 'rejected');
    const sending = this.deliver(mail);
    this.underWay.add(sending);
    try {
      await sending;
    } finally {
      this.underWay.delete(sending);
    }
  }

  /** Waits for what is under way, which its timeouts bound. */
  async close(): Promise<void> {
    await Promise.allSettled(this.underWay);
    for (const connection of this.connections) connection.close();
  }

  private async deliver({ to, subject, text, html }: Mail): Promise<void> {
    const { from, replyTo, account } = this.options;
    const message = new MailComposer({
      from: { name: from.name ?? '', address: from.address },
      to: { name: '', address: to },
      ...(replyTo === undefined ? {} : { replyTo: { name: '', address: replyTo } }),
      subject,
      text,
      html,
      // RFC 3834: no machine answers a machine.
      headers: { 'Auto-Submitted': 'auto-generated' },
      disableFileAccess: true,
      disableUrlAccess: true,
    }).compile();
    const envelope = message.getEnvelope();
    const content = await message.build();
    let bodyBegun = false;
    // The library begins to read once the server has said that it listens.
    const body = new Readable({
      read() {
        bodyBegun = true;
        this.push(content);
        this.push(null);
      },
    });

    const connection = this.connection();
    let failed: (fault: SmtpFault) => void = () => {};
    const failure = new Promise<never>((_resolve, reject) => {
      failed = reject;
    });
    // It stays for as long as the connection: a fault after the last answer must not end the process.
    connection.on('error', (error: SmtpFault) => failed(error));
    const alarm = setTimeout(() => failed({ code: 'ETIMEDOUT' }), this.timeouts.whole);
    try {
      await Promise.race([failure, conversation(connection, account, { from: envelope.from, to: envelope.to }, body)]);
      // RFC 5321, 4.1.1.10: nobody hangs up without a word. The answer isn't waited for.
      connection.quit();
    } catch (error) {
      connection.close();
      throw error instanceof DeliveryFailed ? error : new DeliveryFailed('mail', reasonOf(error as SmtpFault, bodyBegun));
    } finally {
      clearTimeout(alarm);
      body.destroy();
    }
  }

  private connection(): SMTPConnection {
    const { host, port, tls, ca } = this.options;
    const connection = new SMTPConnection({
      host,
      port,
      secure: tls === 'implicit',
      requireTLS: tls === 'starttls',
      ignoreTLS: tls === 'none',
      // Said although it is the default, because a variable of the environment can change that.
      tls: { rejectUnauthorized: true, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) },
      connectionTimeout: this.timeouts.connection,
      dnsTimeout: this.timeouts.connection,
      greetingTimeout: this.timeouts.greeting,
      socketTimeout: this.timeouts.socket,
      maxResponseSize: answerLimit,
    });
    this.connections.add(connection);
    connection.once('end', () => this.connections.delete(connection));
    return connection;
  }
}

/** Whether the recipient's local part needs SMTPUTF8 (RFC 6531, 3.4); a domain has a form in ASCII, which the library made. */
const isAscii = (to: Envelope['to']): boolean => /^[\x20-\x7e]*$/.test(String(to));

/** Whether the server said that it takes addresses beyond ASCII; the library keeps what it said, and sends to such an address in any case. */
const offersUtf8 = (connection: SMTPConnection): boolean =>
  (connection as unknown as { readonly _supportedExtensions?: readonly string[] })._supportedExtensions?.includes('SMTPUTF8') ===
  true;

type Envelope = Parameters<SMTPConnection['send']>[0];

/** Connects, signs in where there is an account, and hands the message over. Rejects with the library's errors. */
const conversation = async (
  connection: SMTPConnection,
  account: SmtpMailOptions['account'],
  envelope: Envelope,
  body: Readable,
): Promise<void> => {
  await new Promise<void>((resolve, reject) => connection.connect((error) => (error ? reject(error) : resolve())));
  if (account) {
    const { user, password } = account;
    await new Promise<void>((resolve, reject) =>
      connection.login({ credentials: { user, pass: password } }, (error) => (error ? reject(error) : resolve())),
    );
  }
  if (!isAscii(envelope.to) && !offersUtf8(connection)) throw new DeliveryFailed('mail', 'rejected');
  const { accepted } = await new Promise<{ accepted: readonly string[] }>((resolve, reject) =>
    connection.send(envelope, body, (error, result) => (error ? reject(error) : resolve(result))),
  );
  if (accepted.length !== 1) throw new DeliveryFailed('mail', 'rejected');
};
