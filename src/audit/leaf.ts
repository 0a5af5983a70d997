import { ascii, type Part, standsAt, textOf } from './bytes';
import { canonicalize } from './canonical';
import { isCount, isDigest, isObject, isText, isTexts } from './shapes';

/**
 * What stands in a leaf, as a reader finds it. What it means is in docs/audit.md. Version 2 has the same members: it is that of plans, and of
 * disclosures that name their plan where those of version 1 say fields and verdicts themselves.
 */
export interface Leaf {
  readonly v: 1 | 2;
  readonly id: string;
  readonly tx: string;
  readonly ordinal: number;
  readonly at: string;
  readonly action: string;
  readonly outcome: string;
  readonly actor: { readonly id: string; readonly kind: string; readonly roles: readonly string[] };
  readonly ticket: string | null;
  readonly assistance: string | null;
  readonly subject: { readonly type: string; readonly id: string } | null;
  readonly salt: string;
  readonly customers: readonly string[];
  readonly notes: { readonly [name: string]: string };
  readonly detail: { readonly [name: string]: unknown };
}

/** Bytes that are no leaf of a known version. The message says what was expected and repeats nothing. */
export class LeafInvalid extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LeafInvalid';
  }
}

const isTextOrNull = (value: unknown): boolean => value === null || isText(value);
const isObjectOf = (value: unknown, members: Readonly<Record<string, (member: unknown) => boolean>>): boolean =>
  isObject(value) &&
  Object.keys(value).length === Object.keys(members).length &&
  Object.entries(members).every(([name, accepts]) => Object.hasOwn(value, name) && accepts(value[name]));
const matches =
  (pattern: RegExp) =>
  (value: unknown): boolean =>
    isText(value) && pattern.test(value);

const isName = matches(/^[a-z][a-zA-Z0-9-]*(?:\.[a-zA-Z0-9-]+)*$/);

const members: Readonly<Record<keyof Leaf, (member: unknown) => boolean>> = {
  v: (value) => value === 1 || value === 2,
  id: matches(/^evt_[0-7][0-9A-HJKMNP-TV-Z]{25}$/),
  tx: isText,
  ordinal: isCount,
  at: matches(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  action: isName,
  outcome: (value) => value === 'ALLOWED' || value === 'DENIED',
  actor: (value) => isObjectOf(value, { id: isText, kind: isText, roles: isTexts }),
  ticket: isTextOrNull,
  assistance: isTextOrNull,
  subject: (value) => value === null || isObjectOf(value, { type: isText, id: isText }),
  salt: matches(/^[A-Za-z0-9_-]{22}$/),
  customers: isTexts,
  notes: (value) => isObject(value) && Object.values(value).every(isText),
  detail: isObject,
};

const isOfVersion2 = ({ action, detail }: Partial<Leaf>): boolean =>
  action === 'plan.register' ||
  (action === 'disclosure' && isObject(detail) && (isDigest(detail.plan) || Array.isArray(detail.fields)));

/**
 * Reads the bytes of a leaf. Only what the checks of a whole log rest on is looked at: version, id, transaction, ordinal,
 * time and action. Throws `LeafInvalid`.
 */
export const readLeaf = (text: string): Leaf => {
  let leaf: Partial<Leaf>;
  try {
    leaf = JSON.parse(text) as Partial<Leaf>;
  } catch {
    throw new LeafInvalid('expected JSON');
  }
  if (!isObject(leaf)) throw new LeafInvalid('expected a JSON object');
  if (leaf.v !== 1 && leaf.v !== 2) throw new LeafInvalid('expected a leaf of version 1 or 2');
  if (leaf.v === 2 && !isOfVersion2(leaf))
    throw new LeafInvalid('expected a plan, or a disclosure that names one or says its fields, in a leaf of version 2');
  if (!isText(leaf.id) || !isText(leaf.tx) || !isText(leaf.at) || !isText(leaf.action) || !isCount(leaf.ordinal))
    throw new LeafInvalid('expected id, tx, ordinal, at and action');
  return leaf as Leaf;
};

/** Objects and lists in one another, far more than any event has: deeper, it would depend on the room for calls what can be said of a leaf. */
const deepest = 64;
const isWithin = (value: unknown, levels: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (levels > 0 && Object.values(value).every((member) => isWithin(member, levels - 1)));

/** Reads the bytes of a leaf as they are stored, as `readLeaf` does; they are UTF-8. Throws `LeafInvalid`. */
export const readStored = (bytes: Uint8Array): Leaf => {
  const text = textOf(bytes);
  if (text === undefined) throw new LeafInvalid('expected UTF-8');
  const leaf = readLeaf(text);
  if (!isWithin(leaf, deepest)) throw new LeafInvalid(`expected at most ${deepest} objects and lists in one another`);
  return leaf;
};

/**
 * What stands in stored bytes, by every rule of its version but the way to write it; null where that is no leaf any more. That is a finding
 * of whoever checks the log; what it told nobody knows, and who follows the log goes on.
 */
export const storedLeaf = (bytes: Buffer): Leaf | null => {
  try {
    // SQLite keeps a text that somebody put in place of bytes as a text: an altered leaf, but one that can be read.
    const leaf = readStored(typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes);
    return isObjectOf(leaf, members) ? leaf : null;
  } catch (error) {
    if (error instanceof LeafInvalid) return null;
    throw error;
  }
};

/**
 * The tickets that stand in rows beside a leaf, without repetition: those in its detail, where it is about several. One alone
 * is the leaf's own.
 */
export const ticketsBeside = (
  ticket: Leaf['ticket'] | undefined,
  detail: { readonly [name: string]: unknown } | undefined,
): readonly string[] => {
  const named = typeof ticket === 'string' ? null : detail?.tickets;
  return Array.isArray(named) ? [...new Set(named.filter(isText))] : [];
};

/** Holds a leaf against every rule of its version, and its bytes against the one way to write it (RFC 8785). Throws `LeafInvalid`. */
export const expectExactLeaf = (leaf: Leaf, bytes: Uint8Array): void => {
  let canonical: Buffer;
  try {
    canonical = Buffer.from(canonicalize(leaf as never), 'utf8');
  } catch {
    throw new LeafInvalid('expected what canonical JSON can say (RFC 8785)');
  }
  if (Buffer.compare(canonical, bytes) !== 0) throw new LeafInvalid('expected canonical JSON (RFC 8785)');
  if (!isObjectOf(leaf, members)) {
    const wrong = Object.entries(members).find(([name, accepts]) => !accepts(leaf[name as keyof Leaf]));
    throw new LeafInvalid(
      wrong
        ? `expected another ${wrong[0]} in a leaf of version ${leaf.v}`
        : `expected no other members than version ${leaf.v} has`,
    );
  }
};

const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** UTC milliseconds of a time in the one form that leaves have it in; NaN otherwise. What other forms mean depends on who reads them, and where. */
export const timeOf = (text: string): number => {
  const time = timeForm.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isFinite(time) && new Date(time).toISOString() === text ? time : Number.NaN;
};

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** By character code; -1 for what is no digit of Crockford's base 32. */
const digitOf = Int8Array.from({ length: 128 }, (_, code) => crockford.indexOf(String.fromCharCode(code)));
const idPrefix = ascii('evt_');
const timeLength = 10;

/** UTC milliseconds in an event's id (a ULID), or NaN. */
export const timeOfId = ({ bytes, start, end }: Part): number => {
  const [from, to] = [start + idPrefix.length, start + idPrefix.length + timeLength];
  if (to > end || !standsAt(bytes, start, idPrefix)) return Number.NaN;
  let time = 0;
  for (let at = from; at < to; at += 1) {
    const digit = digitOf[bytes[at] as number] ?? -1;
    if (digit < 0) return Number.NaN;
    time = time * crockford.length + digit;
  }
  return time;
};
