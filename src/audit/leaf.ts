import { canonicalize } from './canonical';

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

const isString = (value: unknown): value is string => typeof value === 'string';
const isStringOrNull = (value: unknown): boolean => value === null || isString(value);
const isStrings = (value: unknown): boolean => Array.isArray(value) && value.every(isString);
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isObjectOf = (value: unknown, members: Readonly<Record<string, (member: unknown) => boolean>>): boolean =>
  isObject(value) &&
  Object.keys(value).length === Object.keys(members).length &&
  Object.entries(members).every(([name, accepts]) => Object.hasOwn(value, name) && accepts(value[name]));
const matches =
  (pattern: RegExp) =>
  (value: unknown): boolean =>
    isString(value) && pattern.test(value);

const isOrdinal = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isDigest = matches(/^[0-9a-f]{64}$/);
const isName = matches(/^[a-z][a-zA-Z0-9-]*(?:\.[a-zA-Z0-9-]+)*$/);

const members: Readonly<Record<keyof Leaf, (member: unknown) => boolean>> = {
  v: (value) => value === 1 || value === 2,
  id: matches(/^evt_[0-7][0-9A-HJKMNP-TV-Z]{25}$/),
  tx: isString,
  ordinal: isOrdinal,
  at: matches(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  action: isName,
  outcome: (value) => value === 'ALLOWED' || value === 'DENIED',
  actor: (value) => isObjectOf(value, { id: isString, kind: isString, roles: isStrings }),
  ticket: isStringOrNull,
  assistance: isStringOrNull,
  subject: (value) => value === null || isObjectOf(value, { type: isString, id: isString }),
  salt: matches(/^[A-Za-z0-9_-]{22}$/),
  customers: isStrings,
  notes: (value) => isObject(value) && Object.values(value).every(isString),
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
  if (!isString(leaf.id) || !isString(leaf.tx) || !isString(leaf.at) || !isString(leaf.action) || !isOrdinal(leaf.ordinal))
    throw new LeafInvalid('expected id, tx, ordinal, at and action');
  return leaf as Leaf;
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
  return Array.isArray(named) ? [...new Set(named.filter(isString))] : [];
};

/** What the checks of a whole log rest on. */
export interface LeafFacts extends Pick<Leaf, 'id' | 'tx' | 'ordinal' | 'at' | 'action'> {
  /** The digest of the plan that a disclosure names. */
  readonly plan?: string | undefined;
}

// Canonical JSON, from its start to the time, and from the id to its end.
const head =
  /^\{"action":"([^"\\]*)","actor":\{"id":"[^"\\]*","kind":"[^"\\]*","roles":\[[^[\]{}\\]*\]\},"assistance":(?:null|"[^"\\]*"),"at":"([^"\\]*)",/;
const tail =
  /,"id":"([^"\\]*)","notes":\{[^{}[\]\\]*\},"ordinal":(0|[1-9]\d{0,14}),"outcome":"[A-Z]*","salt":"[^"\\]*","subject":(?:null|\{[^{}[\]\\]*\}),"ticket":(?:null|"[^"\\]*"),"tx":"([^"\\]*)","v":([12])\}$/y;
const tailStart = ',"id":"evt_';
const idStart = ',"id":"';
const txEnd = '","v":1}';
/** The plan of a disclosure, where the detail ends: nothing but its tickets comes after it in canonical JSON. */
const planOf = /,"plan":"([0-9a-f]{64})"(?:,"tickets":\[[^[\]{}\\]*\])?\}$/;
/** What stands between must not name one of the facts again, in whatever spelling: of two, `JSON.parse` takes the last. */
const again = /"(?:action|at|id|ordinal|tx|v)"|\\/;

/**
 * The facts of a leaf where they stand where canonical JSON has them, in a third of the time that parsing takes. Undefined
 * where they don't: then `readLeaf` says.
 */
export const glanceAtLeaf = (bytes: Buffer): LeafFacts | undefined => {
  const text = bytes.toString('latin1');
  const first = head.exec(text);
  if (first === null) return undefined;
  tail.lastIndex = text.lastIndexOf(tailStart);
  const last = tail.lastIndex < first[0].length ? null : tail.exec(text);
  if (last === null) return undefined;
  const between = text.slice(first[0].length, last.index);
  if (again.test(between)) return undefined;
  let plan: string | undefined;
  if (last[4] === '2' && first[1] !== 'plan.register') {
    const found = first[1] === 'disclosure' ? planOf.exec(between) : null;
    if (found === null || between.indexOf('"plan"') !== found.index + 1 || between.includes('"fields"')) return undefined;
    plan = found[1];
  }
  const [action, at, id, ordinal, tx] = [first[1], first[2], last[1], last[2], last[3]] as [
    string,
    string,
    string,
    string,
    string,
  ];
  // What is remembered is cut from the bytes: a part of a text keeps the whole of it in memory.
  const idAt = last.index + idStart.length;
  const txAt = bytes.length - txEnd.length - tx.length;
  return {
    action,
    at,
    id: bytes.toString('latin1', idAt, idAt + id.length),
    ordinal: Number(ordinal),
    tx: bytes.toString('latin1', txAt, txAt + tx.length),
    ...(plan === undefined ? {} : { plan }),
  };
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

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const idPrefix = 'evt_';
const timeLength = 10;

/** UTC milliseconds in an event's id (a ULID), or NaN. */
export const timeOfId = (id: string): number => {
  if (!id.startsWith(idPrefix)) return Number.NaN;
  let time = 0;
  for (let at = idPrefix.length; at < idPrefix.length + timeLength; at += 1) {
    const digit = crockford.indexOf(id.charAt(at));
    if (digit < 0 || at >= id.length) return Number.NaN;
    time = time * crockford.length + digit;
  }
  return time;
};
