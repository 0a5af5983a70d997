import { cutAtGrapheme } from '../privacy/graphemes';
import { cutBeforeCardData } from '../privacy/redaction';

/** How names and short texts of sources are cleaned: one rule for all connectors. Bodies of messages begin with the same one. */

/**
 * What a reader doesn't see and no script needs: controls, the embeddings and isolates by which a text changes the direction of what stands
 * around it (U+202A–202E, U+2066–2069), soft hyphens, zero-width blanks, word joiners and their like, halves of a pair. Line
 * breaks and tabs are white space, and stay here. So do joiners (U+200C, U+200D) and direction marks (U+200E, U+200F, U+061C): Persian and Sinhala
 * are spelled with the former, and emoji made of them. Tags (U+E0020–E007F) spell the flags of England, Scotland and Wales; anywhere else they hide text.
 */
const unwanted =
  /(\u{1f3f4}[\u{e0020}-\u{e007e}]{1,8}\u{e007f})|[^\P{Cc}\t\n\v\f\r\x85]|[\u00ad\u200b\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Cs}/gu;

/**
 * Without what stands beyond thirty marks on one letter, which no script has (Stream-Safe Text, UAX 15, section 13): bringing marks into their
 * order takes the square of their number.
 */
export const withoutHeapedMarks = (text: string): string => text.replace(/(\p{M}{30})\p{M}+/gu, '$1');

/** A text in NFC without what nobody sees, its lines as they are. Cleaning it again changes nothing. Time is linear in it. */
export const cleanText = (text: string): string =>
  withoutHeapedMarks(withoutHeapedMarks(text.replace(unwanted, '$1')).normalize('NFC'));

/** Whether a reader sees anything: not where there is but white space, fillers, joiners and marks of direction. */
export const isBlank = (text: string): boolean => !/[^\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u.test(text);

/** The same on one line: line separators and tabs, with the white space around them, become one blank. */
export const oneLine = (text: string): string =>
  cleanText(text).replace(/[\s\x85]+/g, (space) => (/[\t\n\v\f\r\x85\u2028\u2029]/.test(space) ? ' ' : space));

/**
 * A name, a subject, another short text: on one line, in at most `most` UTF-16 units, cut between what a reader takes for characters and never amid a
 * card's number, which would be kept in part. Null where there is nothing to read.
 */
export const shortText = (text: string, most: number): string | null => {
  const line = oneLine(text).trim();
  const cut = cutAtGrapheme(line, most);
  const kept = cut === line ? line : line.slice(0, cutBeforeCardData(line, cut.length)).trimEnd();
  return isBlank(kept) ? null : kept;
};
