/** Bytes of UTF-8 that one message's body may have. */
export const bodyLimit = 64 * 1024;

/** The text cut to `limit` bytes of UTF-8, never inside a character. */
export const boundedText = (text: string, limit = bodyLimit): string => {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= limit) return text;
  let end = limit;
  // 10xxxxxx continues a character that began before
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
};

const namedEntities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  ensp: ' ',
  emsp: ' ',
  thinsp: ' ',
  shy: '',
  zwnj: '',
  zwj: '',
  ndash: '–',
  mdash: '—',
  hellip: '…',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  bull: '•',
  middot: '·',
  euro: '€',
  pound: '£',
  copy: '©',
  reg: '®',
  auml: 'ä',
  ouml: 'ö',
  uuml: 'ü',
  Auml: 'Ä',
  Ouml: 'Ö',
  Uuml: 'Ü',
  szlig: 'ß',
  eacute: 'é',
  egrave: 'è',
  agrave: 'à',
  ccedil: 'ç',
  ntilde: 'ñ',
};

const decodeEntities = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{2,8}));?/g, (whole, decimal, hexadecimal, name) => {
    if (name !== undefined) return Object.hasOwn(namedEntities, name) ? (namedEntities[name] ?? whole) : whole;
    const point = decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number.parseInt(decimal, 10);
    if (point === 0xa0) return ' ';
    const isCharacter = (point >= 0x20 || point === 9 || point === 10 || point === 13) && point <= 0x10ffff;
    return isCharacter && !(point >= 0xd800 && point <= 0xdfff) ? String.fromCodePoint(point) : '';
  });

/** Elements whose content is not what the reader saw. */
const unseen = new Set(['script', 'style', 'head', 'title', 'template', 'noscript', 'iframe', 'object', 'svg', 'textarea']);

const lineBreaking = new Set(
  'address article aside blockquote br dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tbody tfoot thead tr ul'.split(
    ' ',
  ),
);

/** Where the tag that begins at `from` ends (behind its `>`); quotes may hold a `>`. */
const tagEnd = (html: string, from: number): number => {
  let quote = '';
  for (let at = from; at < html.length; at += 1) {
    const character = html.charAt(at);
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '>') return at + 1;
    else if (character === '"' || character === "'") quote = character;
  }
  return html.length;
};

/**
 * What a reader of the HTML would have seen, as plain text; for display and redaction, never as HTML again. One pass,
 * linear in the input. Inline tags vanish without a trace, so that a card number split over several of them is whole
 * again before the redaction looks for it.
 */
export const textOfHtml = (html: string): string => {
  // not toLowerCase(): that lengthens some letters, and the indexes would no longer agree
  const lower = html.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  const parts: string[] = [];
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf('<', at);
    if (open === -1) {
      parts.push(html.slice(at));
      break;
    }
    parts.push(html.slice(at, open).replace(/[\t\r\n ]+/g, ' '));
    if (html.startsWith('<!--', open)) {
      const end = html.indexOf('-->', open + 4);
      at = end === -1 ? html.length : end + 3;
      continue;
    }
    const name = /^<(\/?)([a-z][a-z0-9]*)/.exec(lower.slice(open, open + 24));
    if (name === null) {
      // `<!doctype`, `<?xml`: markup; anything else is a lone less-than sign
      if (/^<[!?/]/.test(lower.slice(open, open + 2))) at = tagEnd(html, open + 1);
      else {
        parts.push('&lt;');
        at = open + 1;
      }
      continue;
    }
    const tag = name[2] ?? '';
    at = tagEnd(html, open + name[0].length);
    if (name[1] === '' && unseen.has(tag)) {
      const close = lower.indexOf(`</${tag}`, at);
      at = close === -1 ? html.length : tagEnd(html, close + tag.length + 2);
    } else if (lineBreaking.has(tag)) parts.push('\n');
    else if (tag === 'td' || tag === 'th') parts.push(' ');
  }
  return decodeEntities(parts.join(''))
    .split('\n')
    .map((line) => line.replace(/[\t\r\u00a0 ]+/g, ' ').trim())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
};
