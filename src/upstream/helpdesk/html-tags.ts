/** A tag as it stands in HTML. */
export interface Tag {
  /** In lower case. */
  readonly name: string;
  readonly closes: boolean;
  /** It says itself that nothing is inside it. */
  readonly isEmpty: boolean;
  /** The value of its `href` as written, null where it has none. */
  readonly href: string | null;
  /** UTF-16 offset behind it. */
  readonly end: number;
}

const nameAt = /[A-Za-z][^\t\n\f\r />]*/y;
const space = /[\t\n\f\r /]*/y;
const attributeName = /=?[^\t\n\f\r />=]*/y;
const equals = /[\t\n\f\r ]*=[\t\n\f\r ]*/y;
const bareValue = /[^\t\n\f\r >]*/y;

/** What stands at this offset; moves nothing where it doesn't stand there. */
const taken = (pattern: RegExp, text: string, at: number): string | null => {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
};

/**
 * The tag that begins at `from`, a `<`, as a browser reads it (HTML Standard, 13.2.5): a quote begins a value only behind an
 * equals sign, and then may hold a `>`. One that never ends goes to the end of the text. Null where no tag begins.
 */
export const tagAt = (html: string, from: number): Tag | null => {
  const closes = html.charCodeAt(from + 1) === 0x2f;
  const written = taken(nameAt, html, from + (closes ? 2 : 1));
  if (written === null) return null;
  let at = from + (closes ? 2 : 1) + written.length;
  let href: string | null = null;
  for (;;) {
    at += taken(space, html, at)?.length ?? 0;
    if (at >= html.length || html.charCodeAt(at) === 0x3e) break;
    const attribute = taken(attributeName, html, at) ?? '';
    at += attribute.length;
    const sign = taken(equals, html, at);
    if (sign === null) continue;
    at += sign.length;
    const quote = html.charAt(at);
    let value: string;
    if (quote === '"' || quote === "'") {
      const close = html.indexOf(quote, at + 1);
      value = html.slice(at + 1, close === -1 ? html.length : close);
      at = close === -1 ? html.length : close + 1;
    } else {
      value = taken(bareValue, html, at) ?? '';
      at += value.length;
    }
    if (href === null && attribute.toLowerCase() === 'href') href = value;
  }
  const isEmpty = html.charCodeAt(at - 1) === 0x2f;
  return { name: written.toLowerCase(), closes, isEmpty, href, end: Math.min(at + 1, html.length) };
};
