import { planAction } from './access-plan';
import { ascii, isDigit, type Part, standsAt, textOf, zero } from './bytes';
import { timeOf } from './leaf';

/** What the checks of a whole log rest on. */
export interface LeafFacts {
  readonly action: string;
  /** UTC milliseconds; NaN where it is no time. */
  readonly at: number;
  readonly id: Part;
  readonly ordinal: number;
  readonly tx: Part;
  /** The digest of the plan that a disclosure names. */
  readonly plan: string | undefined;
}

/** What stands between the values of a leaf in canonical JSON, where members are sorted. */
const between = {
  action: ascii('{"action":"'),
  actor: ascii('","actor":{"id":"'),
  kind: ascii('","kind":"'),
  roles: ascii('","roles":'),
  assistance: ascii('},"assistance":'),
  at: ascii(',"at":"'),
  customers: ascii('","customers":'),
  detail: ascii(',"detail":{'),
  id: ascii(',"id":"'),
  notes: ascii('","notes":'),
  ordinal: ascii(',"ordinal":'),
  outcome: ascii(',"outcome":"'),
  salt: ascii('","salt":"'),
  subject: ascii('","subject":'),
  ticket: ascii(',"ticket":'),
  tx: ascii(',"tx":"'),
  v: ascii('","v":'),
};
const [isTrue, isFalse, isNull] = [ascii('true'), ascii('false'), ascii('null')];
const [plan, fields] = [ascii('plan"'), ascii('fields"')];

const quote = 0x22;
const comma = 0x2c;
const minus = 0x2d;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const space = 0x20;
/** From here on bytes are parts of characters beyond ASCII. */
const firstOther = 0x80;
/** By byte: 1 for what stands in a text as itself and is ASCII. One look instead of four comparisons, for most bytes of a log. */
const isPlain = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= space && byte < firstOther && byte !== quote && byte !== backslash ? 1 : 0,
);

/** Objects and lists in one another; what is deeper, a reader that parses looks at. */
const deepest = 8;
const digestDigits = 64;
const mostDigits = 15;
/** `0` stands for any digit. */
const timeForm = ascii('0000-00-00T00:00:00.000Z"');
const dayLength = 10;

/** A text out of bytes; the same one again as long as the same bytes come. */
class LastText {
  private bytes: Buffer = Buffer.alloc(0);
  private text = '';

  read(from: Buffer, start: number, end: number): string {
    if (end - start !== this.bytes.length || !standsAt(from, start, this.bytes)) {
      this.bytes = Buffer.from(from.subarray(start, end));
      this.text = this.bytes.toString('utf8');
    }
    return this.text;
  }
}

/**
 * Walks the bytes of one leaf after the other, each from its first to its last. What isn't where canonical JSON has it, is written
 * with an escape, or is no JSON, makes the leaf odd, and nothing behind it is looked at.
 */
class Walk {
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;
  private isOdd = false;
  /** Whether there are others than ASCII in texts. */
  private hasOthers = false;
  /** The day of the last leaf, and when it began: the next one is mostly of the same. */
  private day = -1;
  private midnight = Number.NaN;
  private readonly actions = new LastText();
  private readonly plans = new LastText();
  /** What detail says, at its own level. */
  private plan: string | undefined;
  private hasFields = false;

  read(bytes: Buffer): LeafFacts | undefined {
    this.bytes = bytes;
    this.at = 0;
    this.isOdd = false;
    this.hasOthers = false;
    this.expect(between.action);
    const action = this.actions.read(bytes, this.at, this.text());
    this.expect(between.actor);
    this.text();
    this.expect(between.kind);
    this.text();
    this.expect(between.roles);
    this.value(0);
    this.expect(between.assistance);
    this.value(0);
    this.expect(between.at);
    const at = this.time();
    this.expect(between.customers);
    this.value(0);
    this.expect(between.detail);
    this.detail();
    this.expect(between.id);
    const id = this.part();
    this.expect(between.notes);
    this.value(0);
    this.expect(between.ordinal);
    const ordinal = this.count();
    this.expect(between.outcome);
    this.text();
    this.expect(between.salt);
    this.text();
    this.expect(between.subject);
    this.value(0);
    this.expect(between.ticket);
    this.value(0);
    this.expect(between.tx);
    const tx = this.part();
    this.expect(between.v);
    const version = this.count();
    if (this.isOdd || bytes[this.at] !== closeBrace || this.at + 1 !== bytes.length) return undefined;
    if (this.hasOthers && textOf(bytes) === undefined) return undefined;
    if (version === 1) return { action, at, id, ordinal, tx, plan: undefined };
    if (version !== 2) return undefined;
    // Version 2 is that of plans, and of disclosures that name theirs.
    if (action === planAction) return { action, at, id, ordinal, tx, plan: undefined };
    if (action !== 'disclosure' || this.plan === undefined || this.hasFields) return undefined;
    return { action, at, id, ordinal, tx, plan: this.plan };
  }

  private expect(expected: Uint8Array): void {
    if (standsAt(this.bytes, this.at, expected)) this.at += expected.length;
    else this.isOdd = true;
  }

  /** Passes over text to the quotation mark at its end, whose place it returns. */
  private text(): number {
    const { bytes } = this;
    let { at } = this;
    for (;;) {
      while (isPlain[bytes[at] as number] === 1) at += 1;
      const byte = bytes[at];
      if (byte === quote) break;
      if (byte === undefined || byte < firstOther) {
        this.isOdd = true;
        break;
      }
      this.hasOthers = true;
      at += 1;
    }
    this.at = at;
    return at;
  }

  private part(): Part {
    const start = this.at;
    return { bytes: this.bytes, start, end: this.text() };
  }

  private value(depth: number): void {
    const first = this.bytes[this.at];
    if (first === quote) {
      this.at += 1;
      this.text();
      this.at += 1;
    } else if (first === openBracket && depth < deepest) this.list(depth + 1);
    else if (first === openBrace && depth < deepest) this.object(depth + 1);
    else if (isDigit(first)) this.count();
    else if (first === minus && isDigit(this.bytes[this.at + 1])) {
      this.at += 1;
      this.count();
    } else if (first === 0x6e) this.expect(isNull);
    else if (first === 0x74) this.expect(isTrue);
    else if (first === 0x66) this.expect(isFalse);
    else this.isOdd = true;
  }

  private list(depth: number): void {
    this.at += 1;
    if (this.ends(closeBracket)) return;
    do this.value(depth);
    while (this.goesOn(closeBracket));
  }

  private object(depth: number): void {
    this.at += 1;
    if (this.ends(closeBrace)) return;
    do {
      this.name();
      this.value(depth);
    } while (this.goesOn(closeBrace));
  }

  private detail(): void {
    this.plan = undefined;
    this.hasFields = false;
    if (this.ends(closeBrace)) return;
    do {
      const start = this.at + 1;
      this.name();
      if (standsAt(this.bytes, start, plan)) this.planIn();
      else {
        if (standsAt(this.bytes, start, fields)) this.hasFields = true;
        this.value(1);
      }
    } while (this.goesOn(closeBrace));
  }

  /** Of two plans `JSON.parse` takes the last. */
  private planIn(): void {
    const start = this.at + 1;
    if (this.bytes[this.at] !== quote || this.plan !== undefined) this.isOdd = true;
    this.value(1);
    if (this.at - 1 - start !== digestDigits || !this.isHex(start, digestDigits)) this.isOdd = true;
    else this.plan = this.plans.read(this.bytes, start, start + digestDigits);
  }

  private isHex(start: number, length: number): boolean {
    for (let at = start; at < start + length; at += 1) {
      const byte = this.bytes[at] as number;
      if (!isDigit(byte) && (byte < 0x61 || byte > 0x66)) return false;
    }
    return true;
  }

  private name(): void {
    if (this.bytes[this.at] !== quote) this.isOdd = true;
    this.at += 1;
    this.text();
    this.at += 1;
    if (this.bytes[this.at] !== colon) this.isOdd = true;
    this.at += 1;
  }

  /** Whether it is the end, which is passed over. */
  private ends(end: number): boolean {
    if (this.bytes[this.at] !== end) return false;
    this.at += 1;
    return true;
  }

  /** Whether a comma follows, and not the end; either is passed over. */
  private goesOn(end: number): boolean {
    if (this.isOdd || this.ends(end)) return false;
    if (this.bytes[this.at] !== comma) this.isOdd = true;
    this.at += 1;
    return !this.isOdd;
  }

  /** A whole number without a sign. */
  private count(): number {
    const { bytes, at: start } = this;
    let at = start;
    let count = 0;
    while (isDigit(bytes[at])) {
      count = count * 10 + (bytes[at] as number) - zero;
      at += 1;
    }
    if (at === start || at - start > mostDigits || (bytes[start] === zero && at - start > 1)) this.isOdd = true;
    this.at = at;
    return count;
  }

  /** As ECMAScript writes it, and a quotation mark. */
  private time(): number {
    const { bytes, at } = this;
    for (let place = 0; place < timeForm.length; place += 1) {
      const byte = bytes[at + place];
      const form = timeForm[place];
      if (form === zero ? !isDigit(byte) : byte !== form) this.isOdd = true;
    }
    // What isn't digits could look like those of a day, which is remembered.
    if (this.isOdd) return Number.NaN;
    const day = (this.digits(at, 4) * 100 + this.digits(at + 5, 2)) * 100 + this.digits(at + 8, 2);
    const hours = this.digits(at + 11, 2);
    const minutes = this.digits(at + 14, 2);
    const seconds = this.digits(at + 17, 2);
    if (hours > 23 || minutes > 59 || seconds > 59) this.isOdd = true;
    if (day !== this.day) {
      this.day = day;
      this.midnight = timeOf(`${bytes.toString('latin1', at, at + dayLength)}T00:00:00.000Z`);
    }
    this.at = at + timeForm.length - 1;
    return this.midnight + ((hours * 60 + minutes) * 60 + seconds) * 1_000 + this.digits(at + 20, 3);
  }

  private digits(start: number, length: number): number {
    let number = 0;
    for (let at = start; at < start + length; at += 1) number = number * 10 + (this.bytes[at] as number) - zero;
    return number;
  }
}

const walk = new Walk();

/**
 * The facts of a leaf that is written as nearly all are, in a third of the time that parsing takes. Undefined, or what `readLeaf` finds: then it
 * is for `readLeaf` to say.
 */
export const glanceAtLeaf = (bytes: Buffer): LeafFacts | undefined => walk.read(bytes);
