import type { Channel } from '../helpdesk.port';
import { type MailPart, type ReadMail, readMail, textParts } from '../mail-parts';
import type { RtAttachment } from './rt.records';

/** Of a part's headers, as RT keeps them, the one of this name without its folds; null where it has none. */
const headerOf = (headers: string | null, name: string): string | null => {
  if (headers === null) return null;
  const line = new RegExp(`^${name}:(.*(?:\\r?\\n[ \\t].*)*)`, 'im').exec(headers)?.[1];
  return line === undefined ? null : line.replace(/\r?\n(?=[ \t])/g, '').trim();
};

/** A parameter of a header (RFC 2045, 5.1), also in the form of RFC 2231 for letters beyond ASCII. */
const parameterOf = (header: string | null, name: string): string | null => {
  const found = new RegExp(`;[ \\t]*${name}(\\*?)=(?:"([^"]*)"|([^\\s;"]+))`, 'i').exec(header ?? '');
  if (found === null) return null;
  const [, isExtended, quoted, token = ''] = found;
  const [, encoded] = isExtended === '*' ? (/^utf-8'[^']*'(.*)$/i.exec(quoted ?? token) ?? []) : [];
  try {
    return encoded === undefined ? (quoted ?? token) : decodeURIComponent(encoded);
  } catch {
    return quoted ?? token;
  }
};

const bare = (id: string | null): string | null => id?.trim().replace(/^<|>$/g, '') ?? null;

/** RT's rows as parts of the mail that they were. It keeps an attached message as a part with that message's parts below it. */
export const mailParts = (rows: readonly RtAttachment[]): MailPart[] =>
  rows.map(({ id, Parent, ContentType, Filename, ContentLength, Headers }) => {
    const type = ContentType?.toLowerCase() ?? 'text/plain';
    const disposition = headerOf(Headers, 'Content-Disposition');
    const declared = headerOf(Headers, 'Content-Type');
    return {
      id,
      parent: Parent,
      type,
      disposition: /^[^\s;]+/.exec(disposition ?? '')?.[0].toLowerCase() ?? null,
      // of an attached message RT keeps the name nowhere else
      name: Filename ?? parameterOf(disposition, 'filename') ?? parameterOf(declared, 'name'),
      size: ContentLength,
      contentId: bare(headerOf(Headers, 'Content-ID')),
      start: type === 'multipart/related' ? bare(parameterOf(declared, 'start')) : null,
    };
  });

/** The rows whose contents may be the message's text. */
export const textRows = <Row extends RtAttachment>(rows: readonly Row[]): Row[] => {
  const ids = new Set(textParts(mailParts(rows)).map(({ id }) => id));
  return rows.filter(({ id }) => ids.has(id));
};

/** The message that these rows are, of ticket `reference`. */
export const messageOf = (rows: readonly RtAttachment[], reference: string): ReadMail => {
  const contents = new Map(rows.map(({ id, Content }) => [id, Content ?? '']));
  return readMail(mailParts(rows), ({ id }) => contents.get(id) ?? '', `in ticket ${reference} at the helpdesk`);
};

const interfaces: Readonly<Record<string, Channel>> = {
  email: 'EMAIL',
  web: 'WEB',
  mobile: 'WEB',
  rest: 'API',
  rest2: 'API',
  cli: 'OTHER',
};

/** How a message came in, by the header that RT itself puts on it; RT's last one counts, mail may bring its own. */
export const channelOf = (attachments: readonly RtAttachment[]): Channel => {
  const [, header] =
    [
      ...(attachments.find(({ Parent }) => Parent === null)?.Headers ?? '').matchAll(
        /^X-RT-Interface:[ \t]*([A-Za-z0-9]{1,16})/gim,
      ),
    ].at(-1) ?? [];
  return interfaces[header?.toLowerCase() ?? ''] ?? 'OTHER';
};
