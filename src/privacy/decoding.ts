import { decodeHTML, replaceCodePoint } from 'entities/decode';
import { DecodedText, type Edit } from './decoded-text';

/*
 * In which ways a text may be read. A mail's source, a page's, a log's line or an export's cell reaches a ticket as it is, so what
 * may be encoded is decoded before anything is looked for: character references, percent encoding, quoted-printable, escapes of JSON and
 * of programs, UTF-8 that was read as Latin-1, Base64 and hexadecimal that are text, tags. One layer after the other, so that what
 * was encoded twice is read too. Nothing tells whether "=42" is a byte or an amount, so the text as written is always one of the
 * readings, and what any of them shows counts. Each layer takes time linear in the text.
 */

/** How often a text is decoded; deeper only in texts that were made for it. */
const mostLayers = 5;

/**
 * What is taken for quoted-printable: nothing; bytes that no encoder would leave as they are, so that "card=4242" stays; or all that
 * has its form.
 */
type QuotedPrintable = 'none' | 'needed' | 'all';

/** What is taken for percent encoding: what can't be a percent sign before a number, so that "100%4242" stays; or all that has its form. */
type PercentEncoding = 'certain' | 'all';

interface Byte {
  readonly value: number;
  readonly start: number;
  readonly end: number;
}

/** The bytes' characters: those of UTF-8 where they are such (RFC 3629), else of Windows-1252, each with its place. */
const charactersOf = (bytes: readonly Byte[]): Edit[] => {
  const edits: Edit[] = [];
  for (let index = 0; index < bytes.length; ) {
    const { value, start } = bytes[index]!;
    const length = value < 0xc2 ? 1 : value < 0xe0 ? 2 : value < 0xf0 ? 3 : value < 0xf5 ? 4 : 1;
    let codePoint = length === 1 ? value : value & (0x7f >> length);
    let taken = 1;
    for (; taken < length; taken++) {
      const next = bytes[index + taken]?.value ?? 0;
      if ((next & 0xc0) !== 0x80) break;
      codePoint = (codePoint << 6) | (next & 0x3f);
    }
    const isWhole = taken === length && codePoint <= 0x10ffff && (codePoint < 0xd800 || codePoint > 0xdfff);
    if (!isWhole) taken = 1;
    const text = String.fromCodePoint(isWhole && length > 1 ? codePoint : value === 0 ? 0 : replaceCodePoint(value));
    edits.push({ start, end: bytes[index + taken - 1]!.end, text });
    index += taken;
  }
  return edits;
};

/** Reads at one place of a text; nothing where what stands there isn't of its form. */
type Decoder = (text: string, start: number) => readonly Edit[];

const none: readonly Edit[] = [];

const matchAt = (pattern: RegExp, text: string, start: number): RegExpExecArray | null => {
  pattern.lastIndex = start;
  return pattern.exec(text);
};

const numericReference = /&#(?:0*([0-9]{1,7})|[xX]0*([0-9a-fA-F]{1,6}));?/y;
const namedReference = /&[a-zA-Z]{2,31}[0-9]{0,2};?/y;

/** HTML's character references, with their semicolon or without it. */
const reference: Decoder = (text, start) => {
  const numeric = matchAt(numericReference, text, start);
  if (numeric) {
    const [whole, decimal, hexadecimal] = numeric;
    const codePoint = decimal === undefined ? Number.parseInt(hexadecimal!, 16) : Number(decimal);
    return [{ start, end: start + whole.length, text: String.fromCodePoint(replaceCodePoint(codePoint)) }];
  }
  const whole = matchAt(namedReference, text, start)?.[0];
  const decoded = whole === undefined ? undefined : decodeHTML(whole);
  if (whole === undefined || decoded === undefined || decoded === whole) return none;
  const isWhole = whole.endsWith(';') && (!decoded.endsWith(';') || decoded === ';');
  if (isWhole) return [{ start, end: start + whole.length, text: decoded }];
  // Those that need no semicolon are one unit each; what follows them stays.
  return [{ start, end: start + whole.length - (decoded.length - 1), text: decoded.charAt(0) }];
};

const percentUnicode = /%u([0-9a-fA-F]{4})/y;
const percentByte = /%([0-9a-fA-F]{2})/y;

/** What may as well be a percent sign and the first digits after it: "%42", but not a blank, a tab or a percent sign that were encoded. */
const ambiguousPercent = /%(?!20|09|25)[0-9]{2}/y;
const hasAmbiguousPercent = new RegExp(ambiguousPercent.source);

/** URLs' percent encoding (RFC 3986) and that of JavaScript's `escape`. */
const percent =
  (style: PercentEncoding): Decoder =>
  (text, start) => {
    const unicode = matchAt(percentUnicode, text, start);
    if (unicode) return [{ start, end: start + 6, text: String.fromCharCode(Number.parseInt(unicode[1]!, 16)) }];
    const bytes: Byte[] = [];
    for (let at = start; ; at += 3) {
      const match = matchAt(percentByte, text, at);
      if (!match || (style === 'certain' && matchAt(ambiguousPercent, text, at))) return charactersOf(bytes);
      bytes.push({ value: Number.parseInt(match[1]!, 16), start: at, end: at + 3 });
    }
  };

const quotedByte = /=([0-9a-fA-F]{2})/y;
const softLineBreak = /=[ \t]{0,8}\r?\n/y;
/** A byte that an encoder had no need to encode, and that may as well be the first digits of something. */
const isNeedless = (hexadecimal: string): boolean => /^(?!20|09)[0-9]{2}$/.test(hexadecimal);

/** Quoted-printable (RFC 2045, section 6.7). */
const quoted =
  (style: QuotedPrintable): Decoder =>
  (text, start) => {
    const bytes: Byte[] = [];
    for (let at = start; ; ) {
      const match = matchAt(quotedByte, text, at);
      if (!match || (style === 'needed' && isNeedless(match[1]!))) break;
      bytes.push({ value: Number.parseInt(match[1]!, 16), start: at, end: at + 3 });
      at += 3;
      // A line may end amid the bytes of one character.
      const broken = matchAt(softLineBreak, text, at);
      if (broken && quotedByteFollows(text, at + broken[0].length)) at += broken[0].length;
    }
    if (bytes.length > 0) return charactersOf(bytes);
    const broken = matchAt(softLineBreak, text, start);
    return broken ? [{ start, end: start + broken[0].length, text: '' }] : none;
  };

const quotedByteFollows = (text: string, at: number): boolean => matchAt(quotedByte, text, at) !== null;

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v', '0': '\0' };
const escapeSequence = /\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([nrtbfv"'\\/ -])|(0)(?![0-9]))/y;

/** Escapes of JSON strings (RFC 8259) and of programs. */
const backslash: Decoder = (text, start) => {
  const match = matchAt(escapeSequence, text, start);
  if (!match) return none;
  const [whole, braced, four, two, character, zero] = match;
  const end = start + whole.length;
  const hexadecimal = braced ?? four ?? two;
  if (hexadecimal === undefined) {
    const escaped = character ?? zero!;
    return [{ start, end, text: escapes[escaped] ?? escaped }];
  }
  const codePoint = Number.parseInt(hexadecimal, 16);
  return codePoint > 0x10ffff ? none : [{ start, end, text: String.fromCodePoint(codePoint) }];
};

/** The name is taken whole: a search that gave its letters back one by one would go to the text's end for each. */
const tag = /<[/!?]?([a-zA-Z][a-zA-Z0-9]{0,63})(?![a-zA-Z0-9])[^<>]*>/y;
/** Within a line: what stands before such a tag and behind it is one word. */
const inlineTags = new Set(
  'a,abbr,acronym,b,bdi,bdo,big,cite,code,data,del,dfn,em,font,i,ins,kbd,label,mark,o,q,ruby,s,samp,small,span,strike,strong,sub,sup,tt,u,var,wbr'.split(
    ',',
  ),
);

/** Tags and comments show nothing. */
const markup: Decoder = (text, start) => {
  if (text.startsWith('<!--', start)) {
    const end = text.indexOf('-->', start + 4);
    return end < 0 ? none : [{ start, end: end + 3, text: '' }];
  }
  const match = matchAt(tag, text, start);
  if (!match) return none;
  return [{ start, end: start + match[0].length, text: inlineTags.has(match[1]!.toLowerCase()) ? '' : ' ' }];
};

/** Classes of characters, as a pattern takes them. */
const invisibleCharacters =
  '\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u20e3\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0';
const ornamentalDigits = '\\u00b2\\u00b3\\u00b9\\u2070-\\u2089\\u2460-\\u2490\\u24ea\\u24f5-\\u24ff\\u2776-\\u2792';
const isInvisible = new RegExp(`[${invisibleCharacters}]`);

/** What nobody sees amid digits: characters that join, part and direct, variation selectors, the frame of a key's cap. */
const invisible: Decoder = (text, start) => {
  let end = start + 1;
  while (end < text.length && isInvisible.test(text[end]!)) end += 1;
  return [{ start, end, text: '' }];
};

/** Digits that are no decimal digits of any script: raised, lowered, in circles, in brackets, with a full stop. */
const ornamental = new Map(
  (
    [
      [0x2070, 0, 1],
      [0xb9, 1, 1],
      [0xb2, 2, 2],
      [0x2074, 4, 6],
      [0x2080, 0, 10],
      [0x24ea, 0, 1],
      [0x2460, 1, 9],
      [0x2474, 1, 9],
      [0x2488, 1, 9],
      [0x24ff, 0, 1],
      [0x24f5, 1, 9],
      [0x2776, 1, 9],
      [0x2780, 1, 9],
      [0x278a, 1, 9],
    ] as const
  ).flatMap(([first, digit, count]) =>
    Array.from({ length: count }, (_, index) => [first + index, String(digit + index)] as const),
  ),
);

/** What Windows-1252 has where Latin-1 has control characters, by its byte. */
const windowsBytes = new Map(Array.from({ length: 0x20 }, (_, index) => [replaceCodePoint(0x80 + index), 0x80 + index] as const));
const byteOf = (unit: number): number => (unit < 0x100 ? unit : (windowsBytes.get(unit) ?? 0));

/** UTF-8 that was read as Latin-1 or Windows-1252: "Â " is a no-break space. */
const misread: Decoder = (text, start) => {
  const lead = text.charCodeAt(start);
  if (lead < 0xc2 || lead > 0xf4) return none;
  // The no-break space has become an ordinary one since.
  if (lead === 0xc2 && text[start + 1] === ' ') return [{ start, end: start + 2, text: ' ' }];
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const bytes: Byte[] = [];
  for (let at = start; at < start + length; at++) {
    const value = at < text.length ? byteOf(text.charCodeAt(at)) : 0;
    if (at > start && (value & 0xc0) !== 0x80) return none;
    bytes.push({ value, start: at, end: at + 1 });
  }
  const characters = charactersOf(bytes);
  return characters.length === 1 ? characters : none;
};

const base64Run = /[A-Za-z0-9+/_-]{16,}={0,2}/y;
const base64Rest = /[A-Za-z0-9+/_-]{2,}={0,2}/y;
/** Nothing but text: no control characters, no U+FFFD for bytes that are no UTF-8. */
const isText = (text: string): boolean => !/[^\t\r\n\P{Cc}]|\ufffd/u.test(text);

/** Base64 (RFC 4648), in both alphabets, line by line, where what it holds is text. Each character comes from all of the four that hold its byte. */
const base64 = (text: string, start: number, isContinued: boolean): readonly Edit[] => {
  const whole = matchAt(isContinued ? base64Rest : base64Run, text, start)?.[0];
  if (whole === undefined || whole.replace(/=+$/, '').length % 4 === 1) return none;
  const bytes = Buffer.from(whole, 'base64');
  if (!isText(bytes.toString('utf8'))) return none;
  const end = start + whole.length;
  // Padding belongs to the last group.
  const placed = Array.from(bytes, (value, index): Byte => {
    const from = start + Math.floor(index / 3) * 4;
    return { value, start: from, end: Math.min(from + 4, end) };
  });
  const edits = charactersOf(placed);
  // Characters of one group of four become one replacement: edits don't overlap.
  const apart: Edit[] = [];
  for (const edit of edits) {
    const last = apart.at(-1);
    if (last && edit.start < last.end)
      apart[apart.length - 1] = { ...last, end: Math.max(last.end, edit.end), text: last.text + edit.text };
    else apart.push(edit);
  }
  return apart;
};

const hexadecimalRun = /(?:3[0-9]|20|2[dD]){12,}(?![0-9a-zA-Z])/y;

/** Digits written as their bytes in hexadecimal, with blanks and hyphens among them. */
const hexadecimal: Decoder = (text, start) => {
  const whole = matchAt(hexadecimalRun, text, start)?.[0];
  if (whole === undefined) return none;
  return Array.from({ length: whole.length / 2 }, (_, index) => ({
    start: start + index * 2,
    end: start + index * 2 + 2,
    text: String.fromCharCode(Number.parseInt(whole.slice(index * 2, index * 2 + 2), 16)),
  }));
};

/** Between groups of digits that are read aloud or counted up. */
const spokenBetween =
  '(?<=[0-9]{3}),?\\s{1,3}(?:dash|hyphen|minus|space|blank|slash|point|dot|then|and|strich|bindestrich|leerzeichen|und|dann|tiret|espace|et|puis|guion|y|trattino|e)\\s{1,3}(?=[0-9]{3})';

/** Where something may be encoded: a sign of its encoding, or a long run of what Base64 and hexadecimal are made of. */
const signs = new RegExp(
  `[&%=\\\\<\\u00c2-\\u00f4${ornamentalDigits}${invisibleCharacters}]|${spokenBetween}|(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}`,
  'g',
);
const toNextLine = /\r?\n(?=[A-Za-z0-9+/_-]{2,}={0,2}(?:[\r\n]|$))/y;

/** A run that begins here, and the lines of Base64 after it. */
const runFrom: Decoder = (text, start) => {
  const asDigits = hexadecimal(text, text.startsWith('0x', start) ? start + 2 : start);
  if (asDigits.length > 0) return asDigits;
  const edits: Edit[] = [];
  for (let line = base64(text, start, false); line.length > 0; ) {
    for (const edit of line) edits.push(edit);
    const end = line.at(-1)!.end;
    const lineBreak = matchAt(toNextLine, text, end)?.[0];
    line = lineBreak === undefined ? none : base64(text, end + lineBreak.length, true);
  }
  return edits;
};

/** A character that isn't what it looks like. */
const character: Decoder = (text, start) => {
  const digit = ornamental.get(text.charCodeAt(start));
  if (digit !== undefined) return [{ start, end: start + 1, text: digit }];
  return isInvisible.test(text[start]!) ? invisible(text, start) : misread(text, start);
};

/** Edits that take one layer of encoding off the text. */
const layer = (text: string, style: QuotedPrintable, percentStyle: PercentEncoding): Edit[] => {
  const edits: Edit[] = [];
  const quotedPrintable = quoted(style);
  const percentEncoded = percent(percentStyle);
  // Looked for once: where no comment ends any more, none that begins is one.
  const lastCommentEnd = text.lastIndexOf('-->');
  signs.lastIndex = 0;
  for (let match = signs.exec(text); match; match = signs.exec(text)) {
    const { 0: sign, index } = match;
    let found: readonly Edit[] = none;
    if (/^[\s,]/.test(sign)) found = [{ start: index, end: index + sign.length, text: '-' }];
    else if (sign.length > 1) found = runFrom(text, index);
    else if (sign === '&') found = reference(text, index);
    else if (sign === '%') found = percentEncoded(text, index);
    else if (sign === '\\') found = backslash(text, index);
    else if (sign === '=') found = style === 'none' ? none : quotedPrintable(text, index);
    else if (sign === '<') found = text.startsWith('<!--', index) && index > lastCommentEnd ? none : markup(text, index);
    else found = character(text, index);
    for (const edit of found) edits.push(edit);
    signs.lastIndex = Math.max(signs.lastIndex, found.at(-1)?.end ?? 0);
  }
  return edits;
};

/** Every different reading of a text, the text as written first. */
export const readingsOf = (text: string): readonly DecodedText[] => {
  const written = DecodedText.asWritten(text);
  const readings = [written];
  // Most texts of a record are a word.
  signs.lastIndex = 0;
  if (!signs.test(text)) return readings;
  const seen = new Set([text]);
  /** Takes layers off a reading of this depth, one after the other, and returns what they leave. */
  const taken = (
    from: DecodedText,
    depth: number,
    style: QuotedPrintable,
    percentStyle: PercentEncoding,
  ): readonly DecodedText[] => {
    const left: DecodedText[] = [];
    let reading = from;
    for (let count = depth; count < mostLayers; count++) {
      const edits = layer(reading.text, style, percentStyle);
      if (edits.length === 0) break;
      reading = reading.edited(edits);
      left.push(reading);
      if (seen.has(reading.text)) continue;
      seen.add(reading.text);
      readings.push(reading);
    }
    return left;
  };
  /** The same with percent signs that only stand before digits, from the text as written on and from each reading that has such signs. */
  const takenWithSigns = (style: QuotedPrintable): readonly DecodedText[] => {
    const left = taken(written, 0, style, 'all');
    for (const [depth, reading] of [written, ...left].entries())
      if (hasAmbiguousPercent.test(reading.text)) taken(reading, depth, style, 'certain');
    return left;
  };
  takenWithSigns('none');
  // Without an equals sign in any reading there is no quoted-printable, and the other ways are the first once more.
  if (!readings.some((each) => each.text.includes('='))) return readings;
  takenWithSigns('needed');
  const withAll = takenWithSigns('all');
  // What was a byte may have been made a sign before digits: "card==36=30" is "card=60".
  for (const [index, reading] of withAll.entries()) if (reading.text.includes('=')) taken(reading, index + 1, 'needed', 'all');
  return readings;
};
