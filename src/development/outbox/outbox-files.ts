import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DeliveryFailed,
  type Mail,
  type MailChannel,
  type ShortMessage,
  type ShortMessageChannel,
} from '../../upstream/delivery/delivery.port';
import { isOneMailAddress, isOneTelephoneNumber } from '../../upstream/delivery/recipient';

/** A message as its file holds it. All of it was written by others. */
export interface OutboxMessage {
  readonly kind: 'mail' | 'sms';
  readonly to: string;
  readonly at: Date;
  /** Null for a short message. */
  readonly subject: string | null;
  readonly text: string;
}

const kindOf = { 'mail.eml': 'mail', 'sms.txt': 'sms' } as const;
type Ending = keyof typeof kindOf;

/** Time, what was written before it in this process, and chance, so that neither a millisecond nor a second process mixes them up. */
const fileName = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-\d{6,}-[0-9a-f]{8}-(mail\.eml|sms\.txt)$/;
let filesWritten = 0;
const nameOf = (at: Date, ending: Ending): string => {
  filesWritten += 1;
  const order = filesWritten.toString().padStart(6, '0');
  return `${at.toISOString().replace(/[-:.]/g, '')}-${order}-${randomBytes(4).toString('hex')}-${ending}`;
};

/** Bytes of one file that are read; a message is far below. */
const readLimit = 64 * 1024;

/** A header is one line, whatever stands in it. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();

/** Appears whole or not at all, readable by its owner only. */
const writeMessage = async (folder: string, name: string, headers: Readonly<Record<string, string>>, text: string) => {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = join(folder, `.${name}.part`);
  const lines = Object.entries(headers).map(([header, value]) => `${header}: ${oneLine(value)}\n`);
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(`${lines.join('')}\n${text}\n`, 'utf8');
    await file.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await rename(temporary, join(folder, name));
};

const headersOf = (at: Date, to: string) => ({
  Date: at.toUTCString().replace(/GMT$/, '+0000'),
  To: to,
  'Auto-Submitted': 'auto-generated',
  'MIME-Version': '1.0',
  'Content-Type': 'text/plain; charset=utf-8',
  'Content-Transfer-Encoding': '8bit',
});

/**
 * Mail in development: one readable file a message (headers of RFC 5322 with the text as it is, RFC 6532) in place of a
 * server. The text part only. It refuses the recipients that a server is never asked about either.
 */
export class OutboxMail implements MailChannel {
  constructor(
    private readonly folder: string,
    private readonly clock: () => Date,
  ) {}

  async send({ to, subject, text }: Mail): Promise<void> {
    if (!isOneMailAddress(to)) throw new DeliveryFailed('mail', 'rejected');
    const at = this.clock();
    try {
      await writeMessage(this.folder, nameOf(at, 'mail.eml'), { ...headersOf(at, to), Subject: subject }, text);
    } catch {
      throw new DeliveryFailed('mail', 'fault');
    }
  }

  async close(): Promise<void> {}
}

/** Short messages in development, as `OutboxMail`. */
export class OutboxShortMessages implements ShortMessageChannel {
  constructor(
    private readonly folder: string,
    private readonly clock: () => Date,
  ) {}

  async send({ to, text }: ShortMessage): Promise<void> {
    if (!isOneTelephoneNumber(to)) throw new DeliveryFailed('sms', 'rejected');
    const at = this.clock();
    try {
      await writeMessage(this.folder, nameOf(at, 'sms.txt'), headersOf(at, to), text);
    } catch {
      throw new DeliveryFailed('sms', 'fault');
    }
  }
}

/**
 * The newest `most` messages of the folder, newest first; none where there is no folder. What isn't a message's file (by
 * its name, a link, a folder) is passed over, and no more than 64 KiB of one is read.
 */
export const readOutbox = async (folder: string, most: number): Promise<OutboxMessage[]> => {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const newest = names
    .filter((name) => fileName.test(name))
    .sort()
    .reverse()
    .slice(0, most);
  const messages = await Promise.all(newest.map((name) => readMessage(folder, name)));
  return messages.filter((message) => message !== null);
};

const readMessage = async (folder: string, name: string): Promise<OutboxMessage | null> => {
  const [, year, month, day, hour, minute, second, milliseconds, ending] = fileName.exec(name) ?? [];
  const at = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}Z`);
  const content = await readStart(join(folder, name));
  if (content === null || Number.isNaN(at.getTime())) return null;
  const end = content.indexOf('\n\n');
  const lines = (end === -1 ? content : content.slice(0, end)).split('\n');
  const header = (wanted: string): string | null =>
    lines.find((line) => line.startsWith(`${wanted}: `))?.slice(wanted.length + 2) ?? null;
  return {
    kind: kindOf[ending as Ending],
    to: header('To') ?? '',
    at,
    subject: header('Subject'),
    text: end === -1 ? '' : content.slice(end + 2).replace(/\n$/, ''),
  };
};

/** Null for what is no file of its own, or is gone by now. */
const readStart = async (path: string): Promise<string | null> => {
  let file: FileHandle;
  try {
    // Without waiting: a pipe of that name would otherwise hold the page up.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENXIO', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
  try {
    if (!(await file.stat()).isFile()) return null;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(readLimit), 0, readLimit, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
};
