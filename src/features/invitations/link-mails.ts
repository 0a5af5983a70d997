import { escapeUTF8 } from 'entities/escape';
import { type DeliveryChannels, DeliveryFailed, type Mail } from '../../upstream/delivery/delivery.port';
import { newToken } from './links';

export interface LinkMail {
  readonly merchant: string;
  readonly subject: string;
  /** What is asked, before the link; after it what happens without an answer. Sentences of one line each: see `oneLine`. */
  readonly before: readonly string[];
  readonly otherwise: string;
  readonly url: string;
  readonly expiresAt: Date;
}

/** In a subject or a line of text: one line in its own direction, whatever a file or a helpdesk made of it. */
export const oneLine = (text: string): string =>
  text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim();

/**
 * A mail that brings a link. It says nothing of what is asked about but that something is: whoever reads the mailbox without
 * being the customer learns no more.
 */
export const linkMail = ({ merchant, subject, before, otherwise, url, expiresAt }: LinkMail): Omit<Mail, 'to'> => {
  const until = `${expiresAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const after = [
    `The link works once, until ${until}.`,
    otherwise,
    `${oneLine(merchant)} never asks for a card number, a security code or a password by mail or telephone. Don’t forward this mail: whoever has the link can answer for you.`,
  ];
  return {
    subject,
    text: [...before, '', url, '', ...after].join('\n'),
    html: [
      '<!doctype html><html lang="en"><body style="font:16px/1.5 sans-serif;color:#1c1c1c">',
      ...before.map((sentence) => `<p>${escapeUTF8(sentence)}</p>`),
      `<p><a href="${escapeUTF8(url)}">${escapeUTF8(url)}</a></p>`,
      ...after.map((sentence) => `<p>${escapeUTF8(sentence)}</p>`),
      '</body></html>',
    ].join('\n'),
  };
};

/** A link that is written down, and the mail that brings it. */
interface PreparedLink {
  readonly to: string;
  readonly expiresAt: Date;
  readonly mail: (url: string) => Omit<Mail, 'to'>;
}

export interface LinkSending {
  /** Writes the link of this token down, in a change of its own; null where none is to be sent any more. */
  readonly prepare: (token: string) => Promise<PreparedLink | null>;
  /** The mail left. */
  readonly sent: (link: PreparedLink) => Promise<void>;
  /** Nobody has this address, or nothing may be sent there. */
  readonly undeliverable: () => Promise<void>;
}

/** What brings links to customers. */
export class LinkMails {
  constructor(
    private readonly delivery: Pick<DeliveryChannels, 'mail'>,
    private readonly publicUrl: () => string,
  ) {}

  /**
   * Sends a link that is written down before. Each sending has a token of its own, so that none needs to be kept to send it
   * again. Throws `DeliveryFailed` where another try may get further.
   */
  async send({ prepare, sent, undeliverable }: LinkSending): Promise<void> {
    const token = newToken();
    const prepared = await prepare(token);
    if (prepared === null) return;
    try {
      if (!this.delivery.mail) throw new DeliveryFailed('mail', 'refused');
      await this.delivery.mail.send({ to: prepared.to, ...prepared.mail(`${this.publicUrl()}/confirm/${token}`) });
    } catch (error) {
      if (!(error instanceof DeliveryFailed) || !error.isFinal) throw error;
      await undeliverable();
      return;
    }
    await sent(prepared);
  }
}
