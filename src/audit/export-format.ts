import { ascii, isDigit, standsAt, textOf, zero } from './bytes';
import { parseCheckpoint } from './checkpoint';
import type { Leaf } from './leaf';
import { hashBytes } from './merkle';
import { parseNote } from './note';
import { isCount, isDigest, isObject, isText } from './shapes';

/**
 * An export: leaves `from` to `to` (excluded) of the tree, in order and without a gap, one a line (NDJSON). The first line says
 * what it is, the last one ties it to a checkpoint. A leaf that wasn't selected stands there as its hash. docs/audit.md
 * describes every member.
 */
export const exportFormat = 'counterfoil-audit-export/2';
/** Without plans in its last line; it is read, and not written any more. */
const formerFormat = 'counterfoil-audit-export/1';

/** A line that isn't one of an export. The message says what is expected and repeats nothing. */
export class ExportInvalid extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ExportInvalid';
  }
}

/** The first line. */
export interface ExportHeader {
  /** `exportFormat` unless it was read from a file of the former one. */
  readonly format?: string;
  readonly origin: string;
  readonly from: number;
  readonly to: number;
  /** What was selected, in words; null where nothing was withheld. */
  readonly filter: string | null;
  /** The complete subtrees of the leaves before `from`: `compactRange(0, from)`. */
  readonly left: readonly Buffer[];
}

/** A line between the first and the last. */
export interface ExportedLeaf {
  readonly index: number;
  readonly hash: Buffer;
  /** The stored bytes; null where the leaf is withheld. */
  readonly leaf: Buffer | null;
}

/** Shows that the export's checkpoint continues an earlier tree of `size` leaves: `consistencyPath(size, checkpoint.size)`. */
export interface OlderTree {
  readonly size: number;
  readonly path: readonly Buffer[];
}

/** A checkpoint of this log that an anchor took, cosignatures included. */
export interface AnchoredCheckpoint {
  readonly anchor: string;
  readonly anchoredAt: Date;
  /** The signed note. */
  readonly checkpoint: string;
}

/** The leaf of a plan that a disclosure of the export names, from outside what the export shows. */
export interface ExportedPlan {
  readonly index: number;
  /** The stored bytes, which are UTF-8. */
  readonly leaf: string;
  /** Shows that it is in the checkpoint's tree: `inclusionPath(checkpoint.size, index)`. */
  readonly path: readonly Buffer[];
}

/** The last line. */
export interface ExportTrailer {
  /** The signed note; its tree has at least `to` leaves. */
  readonly checkpoint: string;
  /** The complete subtrees of the leaves from `to` on: `compactRange(to, checkpoint.size)`. */
  readonly right: readonly Buffer[];
  /** By size. One for each anchored checkpoint, and whatever else somebody may hold. */
  readonly consistency: readonly OlderTree[];
  readonly anchors: readonly AnchoredCheckpoint[];
  /** By index. Those that disclosures of the export name and none of its leaves states. */
  readonly plans?: readonly ExportedPlan[];
}

const hexOf = (hashes: readonly Buffer[]): string[] => hashes.map((hash) => hash.toString('hex'));

export const formatHeader = ({ format = exportFormat, origin, from, to, filter, left }: ExportHeader): Buffer =>
  Buffer.from(`${JSON.stringify({ header: { format, origin, from, to, filter, left: hexOf(left) } })}\n`, 'utf8');

export const formatTrailer = (
  { checkpoint, right, consistency, anchors, plans = [] }: ExportTrailer,
  format: string = exportFormat,
): Buffer =>
  Buffer.from(
    `${JSON.stringify({
      trailer: {
        checkpoint,
        right: hexOf(right),
        consistency: consistency.map(({ size, path }) => ({ size, path: hexOf(path) })),
        anchors: anchors.map(({ anchor, anchoredAt, checkpoint: note }) => ({
          anchor,
          anchoredAt: anchoredAt.toISOString(),
          checkpoint: note,
        })),
        ...(format === formerFormat ? {} : { plans: plans.map(({ index, leaf, path }) => ({ index, leaf, path: hexOf(path) })) }),
      },
    })}\n`,
    'utf8',
  );

// A leaf's line is {"index":7,"hash":"…","leaf":{…}}, or {"index":7,"hash":"…"} where the leaf is withheld.
const linePrefix = ascii('{"index":');
const hashPrefix = ascii(',"hash":"');
const leafPrefix = ascii('","leaf":');
const leafSuffix = ascii('}');
const withheldSuffix = ascii('"}');
/** Digits of a hash in a line. */
export const hashDigits = 2 * hashBytes;

const newline = 0x0a;
const lineEnd = Buffer.of(newline);

/**
 * A leaf's line. Its bytes stand in the line as they are stored: they are JSON, so the line is, and nobody has to write them
 * again to hash them. Throws `ExportInvalid` for bytes with a line break, which no canonical JSON has.
 */
export const formatLeaf = ({ index, hash, leaf }: ExportedLeaf): Buffer => {
  if (!isCount(index) || hash.length !== hashBytes)
    throw new ExportInvalid(`expected leaf ${index} with a hash of ${hashBytes} bytes`);
  const start = [linePrefix, ascii(String(index)), hashPrefix, ascii(hash.toString('hex'))];
  if (leaf === null) return Buffer.concat([...start, withheldSuffix, lineEnd]);
  if (leaf.includes(newline))
    throw new ExportInvalid(`leaf ${index} has a line break, which canonical JSON doesn’t: it isn’t what was recorded`);
  return Buffer.concat([...start, leafPrefix, leaf, leafSuffix, lineEnd]);
};

/** Where the hash of leaf `index` begins in its line; -1 where the line is another leaf's, or none. */
export const hashAt = (line: Uint8Array, index: number): number => {
  if (!standsAt(line, 0, linePrefix)) return -1;
  const start = linePrefix.length;
  let at = start;
  let found = 0;
  for (; isDigit(line[at]); at += 1) found = found * 10 + (line[at] as number) - zero;
  // A number has one spelling, without zeros in front.
  const isNumber = at === start + 1 || (at > start && line[start] !== zero);
  return isNumber && found === index && standsAt(line, at, hashPrefix) ? at + hashPrefix.length : -1;
};

/** The leaf in a line without its newline, whose hash begins at `digits`; null where it is withheld, undefined where neither stands there. */
export const leafIn = (line: Buffer, digits: number): Buffer | null | undefined => {
  const at = digits + hashDigits;
  if (standsAt(line, at, leafPrefix) && standsAt(line, line.length - leafSuffix.length, leafSuffix))
    return line.subarray(at + leafPrefix.length, line.length - leafSuffix.length);
  const isWithheld = line.length === at + withheldSuffix.length && standsAt(line, at, withheldSuffix);
  return isWithheld && isDigest(line.toString('latin1', digits, at)) ? null : undefined;
};

/** Chunks are gathered up to this many bytes, so that a stream isn't pushed a line at a time. */
const chunkBytes = 65_536;

async function* gathered(lines: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let bytes = 0;
  for await (const line of lines) {
    waiting.push(line);
    bytes += line.length;
    if (bytes < chunkBytes) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  if (waiting.length > 0) yield Buffer.concat(waiting);
}

/** How an export is written otherwise than from its beginning, and what is told meanwhile. */
export interface WriteOptions {
  /** The leaf before which it goes on: what stands in front of that one isn't written again. */
  readonly next?: number | undefined;
  /** After the first line and after each leaf's: the leaf that comes next, `to` behind the last, and the bytes of this line. */
  readonly onLine?: ((next: number, bytes: number) => void) | undefined;
}

async function* exportLines(
  header: ExportHeader,
  leaves: AsyncIterable<ExportedLeaf>,
  trailer: () => Promise<ExportTrailer> | ExportTrailer,
  { next: start, onLine }: WriteOptions,
): AsyncGenerator<Buffer> {
  let next = start ?? header.from;
  const told = (line: Buffer): Buffer => {
    onLine?.(next, line.length);
    return line;
  };
  if (start === undefined) yield told(formatHeader(header));
  for await (const leaf of leaves) {
    if (leaf.index !== next) throw new ExportInvalid(`expected leaf ${next}: an export has no gap`);
    next += 1;
    yield told(formatLeaf(leaf));
  }
  if (next !== header.to) throw new ExportInvalid(`expected leaf ${next}: the export is to end before leaf ${header.to}`);
  yield formatTrailer(await trailer());
}

/**
 * The export in chunks, with no more of it in memory than one. `trailer` is asked for last. Throws `ExportInvalid` where the
 * leaves aren't those that the header announces.
 */
export const writeExport = (
  header: ExportHeader,
  leaves: AsyncIterable<ExportedLeaf>,
  trailer: () => Promise<ExportTrailer> | ExportTrailer,
  options: WriteOptions = {},
): AsyncGenerator<Buffer> => gathered(exportLines(header, leaves, trailer, options));

const parseMember = (line: Uint8Array, name: 'header' | 'trailer'): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(textOf(line) ?? '');
    if (isObject(value) && isObject(value[name])) return value[name];
  } catch {
    // Said below, without what the line holds.
  }
  throw new ExportInvalid(`expected the ${name} of an export`);
};

const hashesOf = (value: unknown): Buffer[] => {
  if (!Array.isArray(value) || !value.every(isDigest))
    throw new ExportInvalid(`expected a list of hashes, ${hashBytes} bytes each in lower-case hexadecimal`);
  return value.map((each) => Buffer.from(each, 'hex'));
};

const objectsOf = (value: unknown): readonly Readonly<Record<string, unknown>>[] => {
  if (!Array.isArray(value) || !value.every(isObject))
    throw new ExportInvalid('expected lists of older trees, of anchors and of plans');
  return value;
};

/** One value has one line: what would be written otherwise wasn't written by an export. */
const expectSameBytes = (line: Uint8Array, written: Buffer): void => {
  if (Buffer.compare(line, written.subarray(0, -1)) !== 0)
    throw new ExportInvalid('expected the members that the format has, in its order and spelling');
};

/** Reads the first line, without its newline. Throws `ExportInvalid`. */
export const parseHeader = (line: Uint8Array): ExportHeader => {
  const { format, origin, from, to, filter, left } = parseMember(line, 'header');
  if (format !== exportFormat && format !== formerFormat)
    throw new ExportInvalid(`expected an export of the format ${exportFormat} or ${formerFormat}`);
  if (typeof origin !== 'string' || !(filter === null || typeof filter === 'string'))
    throw new ExportInvalid('expected an origin, and a filter in words or null');
  if (!isCount(from) || !isCount(to) || from > to) throw new ExportInvalid('expected a range of leaves');
  const header = { format, origin, from, to, filter, left: hashesOf(left) };
  expectSameBytes(line, formatHeader(header));
  return header;
};

/** Reads the last line, without its newline. Throws `ExportInvalid`, or `NoteInvalid` for a note that isn't one. */
export const parseTrailer = (line: Uint8Array, format: string = exportFormat): ExportTrailer => {
  const { checkpoint, right, consistency, anchors, plans } = parseMember(line, 'trailer');
  if (typeof checkpoint !== 'string') throw new ExportInvalid('expected a checkpoint');
  const trailer = {
    checkpoint,
    right: hashesOf(right),
    consistency: objectsOf(consistency).map(({ size, path }) => {
      if (!isCount(size)) throw new ExportInvalid('expected the size of an older tree');
      return { size, path: hashesOf(path) };
    }),
    anchors: objectsOf(anchors).map(({ anchor, anchoredAt, checkpoint: note }) => {
      if (typeof anchor !== 'string' || typeof note !== 'string' || typeof anchoredAt !== 'string')
        throw new ExportInvalid('expected an anchor’s name, time and checkpoint');
      if (!Number.isFinite(Date.parse(anchoredAt)))
        throw new ExportInvalid('expected the time at which an anchor took a checkpoint');
      parseCheckpoint(parseNote(note).text);
      return { anchor, anchoredAt: new Date(anchoredAt), checkpoint: note };
    }),
    plans: objectsOf(format === formerFormat ? [] : plans).map(({ index, leaf, path }, at, all) => {
      const before = at === 0 ? -1 : Number(all[at - 1]?.index);
      if (!isCount(index) || index <= before || typeof leaf !== 'string')
        throw new ExportInvalid('expected index and leaf of each plan, by index');
      return { index, leaf, path: hashesOf(path) };
    }),
  };
  expectSameBytes(line, formatTrailer(trailer, format));
  return trailer;
};

const csvColumns = [
  'index',
  'at',
  'action',
  'outcome',
  'actor',
  'actor_kind',
  'roles',
  'ticket',
  'assistance',
  'subject_type',
  'subject',
  'customers',
  'notes',
  'detail',
  'transaction',
  'ordinal',
  'event',
  'hash',
] as const;

/**
 * One cell, always quoted (RFC 4180). Spreadsheets run what begins with one of =+-@, in wide letters and after spaces
 * too; an apostrophe in front makes it text. What would end the line becomes a space, so that a row is a line.
 */
const cell = (value: unknown): string => {
  const text = (typeof value === 'string' ? value : value === null || value === undefined ? '' : JSON.stringify(value)).replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what mustn't reach a spreadsheet.
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    ' ',
  );
  const safe = /^\s*[=+\-@|%＝＋－＠]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
};

/** One record of CSV that no spreadsheet runs and no value ends. */
export const csvLine = (values: readonly unknown[]): Buffer => Buffer.from(`${values.map(cell).join(',')}\r\n`, 'utf8');

export const csvHeader = (): Buffer => csvLine(csvColumns);

/** A selected leaf as a row. It follows from the leaf, so that whoever has the manifest can make the row again. */
export const csvRow = (index: number, hash: Uint8Array, leaf: Leaf): Buffer => {
  const { at, action, outcome, actor, ticket, assistance, subject, customers, notes, detail, tx, ordinal, id } = leaf;
  // What isn't a text has no place in a list of a leaf, and may be no text in any other way either.
  const list = (values: unknown): string =>
    Array.isArray(values) ? values.map((value) => (isText(value) ? value : JSON.stringify(value))).join(' ') : '';
  return csvLine([
    index,
    at,
    action,
    outcome,
    actor?.id,
    actor?.kind,
    list(actor?.roles),
    ticket,
    assistance,
    subject?.type,
    subject?.id,
    list(customers),
    notes,
    detail,
    tx,
    ordinal,
    id,
    Buffer.from(hash).toString('hex'),
  ]);
};

/** Where the manifest of a CSV export stands: the same export as NDJSON, from which every row can be made again. */
export const manifestOf = (csvFile: string): string => `${csvFile}.manifest.ndjson`;
