import { cutAtBytes } from '../../privacy/graphemes';
import { cutBeforeCardData } from '../../privacy/redaction';
import { cleanText, isBlank, shortText } from '../source-text';
import { textOfHtml } from './html-text';

/** One part of a mail, as whatever keeps the mail tells of it; never its content. */
export interface MailPart {
  /** Parts of one container come in the order of their ids. */
  readonly id: number;
  /** The container that it stands in; null for the mail itself. */
  readonly parent: number | null;
  /** Media type in lower case, without parameters. Without one it is `text/plain` (RFC 2045, 5.2). */
  readonly type: string;
  /** The disposition in lower case (RFC 2183); null where it has none, which is like `inline`. */
  readonly disposition: string | null;
  readonly name: string | null;
  /** Of its content, in bytes. */
  readonly size: number;
  /** Without its angle brackets. */
  readonly contentId?: string | null;
  /** Of a `multipart/related`: the `contentId` of its root (RFC 2387, 3.2). */
  readonly start?: string | null;
}

/** A file that came with a message; its content is never read. */
export interface MailAttachment {
  /** As its sender called it, on one line of at most 255 UTF-16 units; null where it has no name. */
  readonly name: string | null;
  /** Its media type, such as `application/pdf`. */
  readonly type: string;
  /** In bytes; of an attached message those of what it holds. */
  readonly size: number;
}

export interface ReadMail {
  /** Plain text, at most `bodyLimit` bytes of UTF-8. */
  readonly body: string;
  /** The body is not all that was written: it ends with a sentence that says so. */
  readonly isCut: boolean;
  /** In the order of the mail, at most `mostAttachments`. */
  readonly attachments: readonly MailAttachment[];
}

/** Bytes of one part that are read; of a longer one nothing is. */
export const partLimit = 1024 * 1024;
/** Bytes of UTF-8 that one message's body may have. */
export const bodyLimit = 60_000;
export const mostAttachments = 50;
/** Containers within each other that are looked into; what is deeper counts as attached. */
const deepest = 50;

const isReadable = (type: string): boolean => type === 'text/plain' || type === 'text/html';
const isContainer = (type: string): boolean => type.startsWith('multipart/');
/** An unknown disposition is treated as an attachment (RFC 2183, 2.8). */
const isAttached = ({ disposition }: MailPart): boolean => disposition !== null && disposition !== 'inline';

interface Node {
  readonly part: MailPart;
  readonly children: readonly Node[];
  /** It, or what it stands in, is attached and no part of the text. */
  readonly isAttached: boolean;
}

/** The mail's tree. What stands nowhere in it, as its container isn't there, counts as attached: it may be another's text. */
const treesOf = (parts: readonly MailPart[]): Node[] => {
  const ids = new Set(parts.map(({ id }) => id));
  const inside = new Map<number | null, MailPart[]>();
  const lost: MailPart[] = [];
  for (const part of [...parts].sort((a, b) => a.id - b.id)) {
    if (part.parent !== null && !ids.has(part.parent)) {
      lost.push(part);
      continue;
    }
    const siblings = inside.get(part.parent);
    if (siblings) siblings.push(part);
    else inside.set(part.parent, [part]);
  }
  const nodeOf = (part: MailPart, isOutside: boolean, depth: number): Node => {
    const attached = isOutside || isAttached(part) || depth > deepest;
    const held = depth > deepest ? [] : (inside.get(part.id) ?? []);
    const root = rootOf(part, held);
    return {
      part,
      isAttached: attached,
      children: held.map((each) => nodeOf(each, attached || (root !== undefined && each !== root), depth + 1)),
    };
  };
  return [...(inside.get(null) ?? []).map((part) => nodeOf(part, false, 0)), ...lost.map((part) => nodeOf(part, true, 0))];
};

/** Of a `multipart/related` the part that the others belong to (RFC 2387). */
const rootOf = ({ type, start }: MailPart, held: readonly MailPart[]): MailPart | undefined => {
  if (type !== 'multipart/related') return undefined;
  const named = typeof start === 'string' ? held.find(({ contentId }) => contentId === start) : undefined;
  return named ?? held[0];
};

/** The parts that are the mail's own text, or alternatives of it: what is read of them is chosen by their contents. */
export const textParts = <Part extends MailPart>(parts: readonly Part[]): Part[] => {
  const own = new Set<MailPart>();
  const visit = ({ part, children, isAttached }: Node): void => {
    if (isAttached) return;
    if (isReadable(part.type) && part.size <= partLimit) own.add(part);
    if (isContainer(part.type)) for (const child of children) visit(child);
  };
  for (const tree of treesOf(parts)) visit(tree);
  return parts.filter((part) => own.has(part));
};

/** What was written in a part and all that it holds. */
interface Reading {
  readonly texts: readonly string[];
  readonly isCut: boolean;
}

const nothing: Reading = { texts: [], isCut: false };

const readNode = ({ part, children, isAttached }: Node, contentOf: (part: MailPart) => string): Reading => {
  if (isAttached) return nothing;
  if (isReadable(part.type)) {
    if (part.size > partLimit) return { texts: [], isCut: true };
    const content = contentOf(part);
    const text = cleanText(part.type === 'text/html' ? textOfHtml(content) : content.replace(/\r\n?/g, '\n')).trim();
    return isBlank(text) ? nothing : { texts: [text], isCut: false };
  }
  // Whatever else a type is, what it holds is somebody else's or nobody's text.
  if (!isContainer(part.type)) return nothing;
  if (part.type === 'multipart/alternative') {
    // The last one is the richest (RFC 2046, 5.1.4).
    const readings = [...children].reverse().map((child) => () => readNode(child, contentOf));
    let isCut = false;
    for (const read of readings) {
      const reading = read();
      if (reading.texts.length > 0) return reading;
      isCut ||= reading.isCut;
    }
    return { texts: [], isCut };
  }
  const readings = children.map((child) => readNode(child, contentOf));
  return { texts: readings.flatMap(({ texts }) => texts), isCut: readings.some(({ isCut }) => isCut) };
};

const sizeOf = ({ part, children }: Node): number => children.reduce((sum, child) => sum + sizeOf(child), part.size);

const attachmentsIn = (node: Node): MailAttachment[] => {
  const { part, children, isAttached } = node;
  const { type, name } = part;
  if (isContainer(type) && children.length > 0) return children.flatMap(attachmentsIn);
  if (!isAttached && (isContainer(type) || isReadable(type))) return [];
  return [
    {
      name: name === null ? null : shortText(name, 255),
      type: shortText(type, 127) ?? 'application/octet-stream',
      size: sizeOf(node),
    },
  ];
};

/**
 * The text of a mail and the names of what came with it, by its tree (RFC 2046) and the dispositions of its parts. Of
 * alternatives the richest one that isn't blank; of a mixed container all texts in order; of a related one its root; nothing
 * below an attached message, which is somebody else's. `where` says where a text can be read that is too long to be kept.
 */
export const readMail = (parts: readonly MailPart[], contentOf: (part: MailPart) => string, where: string): ReadMail => {
  const trees = treesOf(parts);
  const readings = trees.map((tree) => readNode(tree, contentOf));
  const text = readings.flatMap(({ texts }) => texts).join('\n\n');
  const attachments = trees.flatMap(attachmentsIn).slice(0, mostAttachments);
  const isCut = readings.some((reading) => reading.isCut) || Buffer.byteLength(text) > bodyLimit;
  if (!isCut) return { body: text, isCut, attachments };
  const notice = `[This message is longer than what is kept here. Read all of it ${where}.]`;
  const { length } = cutAtBytes(text, bodyLimit - Buffer.byteLength(notice) - 2);
  const kept = (length === text.length ? text : text.slice(0, cutBeforeCardData(text, length))).trimEnd();
  return { body: kept === '' ? notice : `${kept}\n\n${notice}`, isCut, attachments };
};
