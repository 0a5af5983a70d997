import { SourceUnavailable } from '../../source-unavailable';
import { textRows } from './rt.messages';
import {
  attachmentColumns,
  attachmentColumnsWithContent,
  attachmentColumnsWithParent,
  type RtAttachment,
  rtAttachment,
  rtContent,
} from './rt.records';
import { AnswerTooLong, type Condition, oneOf, type Rest2 } from './rt.rest2';

/** Messages whose parts one search asks for. */
const messagesAtOnce = 100;
/** Bytes of texts that one request asks for: in JSON a byte may take six. */
const batchLimit = 3 * 1024 * 1024;
/** Texts that one request asks for: RT gives no more rows a page. */
const batchLength = 100;

/** Groups of parts whose contents are asked for in one request each. */
export const contentBatches = (parts: readonly Pick<RtAttachment, 'id' | 'ContentLength'>[]): number[][] => {
  const batches: number[][] = [];
  let size = 0;
  for (const { id, ContentLength } of parts) {
    const current = batches[batches.length - 1];
    if (current === undefined || current.length >= batchLength || size + ContentLength > batchLimit) {
      batches.push([id]);
      size = ContentLength;
    } else {
      current.push(id);
      size += ContentLength;
    }
  }
  return batches;
};

/** Nothing of them is withheld from an account that may see their ticket. */
const wholly = { after: 0, patience: 0 };

/** Types of whole messages that come with their contents: texts, and what holds other parts, of which there is none. */
const textsAndContainers = [
  'text/plain',
  'text/html',
  'message/rfc822',
  ...['mixed', 'alternative', 'related', 'signed', 'report', 'encrypted', 'digest'].map((kind) => `multipart/${kind}`),
];

const holdsParts = ({ ContentType }: RtAttachment): boolean => /^(?:multipart|message)\//i.test(ContentType ?? '');

/**
 * The parts of some messages. Where all are one part each, which is a text, that is one request: what holds parts, and what is
 * neither, takes one more each, and the texts of the former another.
 */
const rowsOf = async (rest: Rest2, transactions: readonly number[]): Promise<readonly RtAttachment[]> => {
  const rows = (columns: { readonly fields: string }, of: readonly number[], ...conditions: readonly Condition[]) =>
    rest.rows(
      '/attachments',
      rtAttachment,
      (last) => ({
        parameters: columns,
        conditions: [{ field: 'id', operator: '>', value: last }, ...oneOf('TransactionId', of), ...conditions],
      }),
      wholly,
    );
  const isMessage: Condition = { field: 'Parent', value: 0 };
  const withContents = async () => {
    try {
      return await rows(attachmentColumnsWithContent, transactions, isMessage, ...oneOf('ContentType', textsAndContainers));
    } catch (error) {
      // Together they are more than one answer may be: they are asked for in portions.
      if (!(error instanceof AnswerTooLong)) throw error;
      return [];
    }
  };
  const messages = await withContents();
  const seen = new Set(messages.map(({ TransactionId }) => TransactionId));
  const others = transactions.filter((id) => !seen.has(id));
  if (others.length > 0) messages.push(...(await rows(attachmentColumns, others, isMessage)));
  const holders = messages.filter(holdsParts).map(({ TransactionId }) => TransactionId);
  if (holders.length === 0) return messages;
  const isPart: Condition = { field: 'Parent', operator: '>', value: 0 };
  return [...messages, ...(await rows(attachmentColumnsWithParent, holders, isPart))];
};

/**
 * The parts of each of these messages, by its transaction. Only what may be a message's text comes with its content: files,
 * and the letters of others in them, aren't fetched.
 */
export const readAttachments = async (
  rest: Rest2,
  transactions: readonly number[],
): Promise<ReadonlyMap<number, readonly RtAttachment[]>> => {
  const byTransaction = new Map<number, RtAttachment[]>(transactions.map((id) => [id, []]));
  for (let from = 0; from < transactions.length; from += messagesAtOnce) {
    const rows = await rowsOf(rest, transactions.slice(from, from + messagesAtOnce));
    for (const row of rows) byTransaction.get(row.TransactionId)?.push(row);
  }
  const texts = [...byTransaction.values()].flatMap(textRows).filter(({ Content }) => Content === undefined);
  const contents = new Map<number, string>();
  for (const ids of contentBatches(texts)) {
    const { items } = await rest.page('/attachments', rtContent, { fields: 'id,Content' }, oneOf('id', ids));
    for (const { id, Content } of items) contents.set(id, Content);
  }
  // A text that isn't given isn't an empty one.
  if (texts.some(({ id }) => !contents.has(id))) throw new SourceUnavailable(rest.source, 'malformed');
  const whole = (rows: readonly RtAttachment[]) => rows.map((row) => ({ ...row, Content: row.Content ?? contents.get(row.id) }));
  return new Map([...byTransaction].map(([id, rows]) => [id, whole(rows)]));
};
