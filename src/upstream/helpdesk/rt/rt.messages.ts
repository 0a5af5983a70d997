import type { Channel } from '../helpdesk.port';
import type { RtAttachment } from './rt.records';
import { boundedText, textOfHtml } from './rt.text';

/** Bytes of one part of a message that are read; a longer part is left out rather than cut by RT in mid-character. */
const partLimit = 1024 * 1024;

/** A part of a message; its content is missing where it was left out as too long. */
export type MessagePart = Omit<RtAttachment, 'Content'> & { readonly Content?: string | undefined };

/** The parts of one message that are its text: the plain ones, or where there are none the first HTML one. */
export const textParts = <Part extends MessagePart>(attachments: readonly Part[]): Part[] => {
  const parts = attachments.filter(({ Filename, ContentLength }) => Filename === null && ContentLength <= partLimit);
  const plain = parts.filter(({ ContentType }) => ContentType?.toLowerCase() === 'text/plain');
  if (plain.length > 0) return plain;
  return parts.filter(({ ContentType }) => ContentType?.toLowerCase() === 'text/html').slice(0, 1);
};

export const bodyOf = (parts: readonly MessagePart[]): string =>
  boundedText(
    parts
      .map(({ Content = '', ContentType }) =>
        ContentType?.toLowerCase() === 'text/html' ? textOfHtml(Content) : Content.replace(/\r\n?/g, '\n').trim(),
      )
      .filter((text) => text !== '')
      .join('\n\n'),
  );

const interfaces: Readonly<Record<string, Channel>> = {
  email: 'EMAIL',
  web: 'WEB',
  mobile: 'WEB',
  rest: 'API',
  rest2: 'API',
  cli: 'OTHER',
};

/** How a message came in, by the header that RT itself puts on it; RT's last one counts, mail may bring its own. */
export const channelOf = (attachments: readonly MessagePart[]): Channel => {
  const [, header] = [...(attachments[0]?.Headers ?? '').matchAll(/^X-RT-Interface:[ \t]*([A-Za-z0-9]{1,16})/gim)].at(-1) ?? [];
  return interfaces[header?.toLowerCase() ?? ''] ?? 'OTHER';
};

/** Bytes of parts that one request asks for. */
const batchLimit = 4 * 1024 * 1024;

/** Groups of parts whose contents are asked for in one request each. */
export const contentBatches = (parts: readonly MessagePart[]): number[][] => {
  const batches: number[][] = [];
  let size = 0;
  for (const { id, ContentLength } of parts) {
    const current = batches[batches.length - 1];
    if (current === undefined || current.length >= 100 || size + ContentLength > batchLimit) {
      batches.push([id]);
      size = ContentLength;
    } else {
      current.push(id);
      size += ContentLength;
    }
  }
  return batches;
};
