import { decodeHTML } from 'entities/decode';
import { tagAt } from './html-tags';
import { linkNote } from './link-hosts';

/** The longest name of a character has 31 letters and digits (HTML Standard, 13.5). */
const reference = /&(?:#\d{1,9}|#x[\da-f]{1,8}|[a-z][a-z\d]{0,31});?/gi;

/** References to characters as those; to none, or to one that nobody sees, as nothing. */
const decoded = (text: string): string =>
  text.includes('&')
    ? text.replace(reference, (whole) => decodeHTML(whole).replace(/(?![\t\n\r])[\p{Cc}\p{Cs}\ufffd]/gu, ''))
    : text;

/** Elements whose content is no markup, and not what the reader saw: it ends with their end alone. */
const raw = new Set(['script', 'style', 'title', 'textarea', 'iframe', 'noembed', 'noframes', 'xmp']);
/** Elements whose content is not what the reader saw, where they end. */
const unseen = new Set(['template', 'noscript', 'object', 'svg', 'audio', 'video', 'canvas']);

const lineBreaking = new Set(
  'address article aside blockquote br caption center dd details dialog dir div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr legend li listing main menu nav ol option p pre section summary table tbody tfoot thead tr ul'.split(
    ' ',
  ),
);

const comment = /--!?>/g;

/** What may stand between the digits of one number. */
const separators = '\\p{Pd}\\p{Cf}\\p{Zs}\\t\\n\\r._*/';
const endsInNumber = new RegExp(`\\p{Nd}[${separators}]*$`, 'u');
const numberGoesOn = new RegExp(`^(?:[${separators}]*\\p{Nd})+`, 'u');
const onlySeparators = new RegExp(`^[${separators}]*$`, 'u');

/** Of a chunk behind a number, what is looked at for its going on: no number is as long. */
const longestNumber = 64;

/** The text as it grows. What is said of a link never stands inside a number: a card's would then not be found. */
class SeenText {
  private readonly parts: string[] = [];
  /** Of the link that is open; null where none is. */
  private link: { readonly href: string; readonly said: string[] } | null = null;
  /** What is still to be said of links, each once. */
  private readonly notes = new Set<string>();

  add(text: string): void {
    this.link?.said.push(text);
    if (this.notes.size === 0 || onlySeparators.test(text)) {
      this.parts.push(text);
      return;
    }
    const goesOn = numberGoesOn.exec(text.slice(0, longestNumber))?.[0].length ?? 0;
    this.parts.push(text.slice(0, goesOn));
    if (goesOn === text.length) return;
    this.sayNotes();
    this.parts.push(text.slice(goesOn));
  }

  breakLine(): void {
    this.sayNotes();
    this.link?.said.push('\n');
    this.parts.push('\n');
  }

  beginLink(href: string | null): void {
    this.endLink();
    this.link = href === null ? null : { href: decoded(href), said: [] };
  }

  endLink(): void {
    if (this.link === null) return;
    const said = this.link.said.join('');
    const note = linkNote(said, this.link.href);
    this.link = null;
    if (note === '') return;
    this.notes.add(note);
    if (!endsInNumber.test(said.slice(-longestNumber))) this.sayNotes();
  }

  whole(): string {
    this.endLink();
    this.sayNotes();
    return this.parts.join('');
  }

  /** Before the blanks and line breaks that the link ended with. */
  private sayNotes(): void {
    if (this.notes.size === 0) return;
    const blanks: string[] = [];
    for (let last = this.parts.pop(); last !== undefined; last = this.parts.pop()) {
      const end = last.trimEnd().length;
      blanks.push(last.slice(end));
      if (end === 0) continue;
      this.parts.push(last.slice(0, end));
      break;
    }
    for (const note of this.notes) this.parts.push(` ${note}`);
    for (const blank of blanks.reverse()) this.parts.push(blank);
    this.notes.clear();
  }
}

/**
 * What a reader of the HTML would have seen, as plain text; for display and redaction, never as HTML again. One pass,
 * linear in the input. Inline tags vanish without a trace, so that a card number split over several of them is whole
 * again before the redaction looks for it. Behind a link stands the host that it leads to where its text doesn't say so.
 */
export const textOfHtml = (html: string): string => {
  const seen = new SeenText();
  /** Elements that never end from here on: they aren't looked for again. */
  const endless = new Set<string>();
  /** Within it line breaks are as written, but for the first. */
  let isPreformatted = false;
  const say = (text: string): void =>
    seen.add(decoded(isPreformatted ? text.replace(/[\t ]+/g, ' ').replace(/\r\n?/g, '\n') : text.replace(/[\t\r\n ]+/g, ' ')));
  /** Behind the end of the element, null where it has none. */
  const endOf = (name: string, from: number): number | null => {
    if (endless.has(name)) return null;
    const close = new RegExp(`</${name}(?=[\\t\\n\\f\\r />])`, 'gi');
    close.lastIndex = from;
    const found = close.exec(html);
    if (found === null) {
      endless.add(name);
      return null;
    }
    return tagAt(html, found.index)?.end ?? html.length;
  };
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf('<', at);
    if (open === -1) {
      say(html.slice(at));
      break;
    }
    if (open > at) say(html.slice(at, open));
    if (html.startsWith('<!--', open)) {
      // `<!-->` is a whole one
      comment.lastIndex = open + 2;
      at = comment.exec(html) === null ? html.length : comment.lastIndex;
      continue;
    }
    const tag = tagAt(html, open);
    if (tag === null) {
      // `<!doctype`, `<?xml`, `</>`: markup; anything else is a lone less-than sign
      if ('!?/'.includes(html.charAt(open + 1) || ' ')) {
        const end = html.indexOf('>', open + 1);
        at = end === -1 ? html.length : end + 1;
      } else {
        seen.add('<');
        at = open + 1;
      }
      continue;
    }
    at = tag.end;
    const { name, closes } = tag;
    if (!closes && raw.has(name)) at = endOf(name, at) ?? html.length;
    else if (!closes && unseen.has(name)) at = tag.isEmpty ? at : (endOf(name, at) ?? at);
    else if (name === 'a') {
      if (closes) seen.endLink();
      else seen.beginLink(tag.href);
    } else if (lineBreaking.has(name)) {
      seen.breakLine();
      if (name === 'pre' || name === 'listing') {
        isPreformatted = !closes;
        if (!closes) at += /^\r?\n/.exec(html.slice(at, at + 2))?.[0].length ?? 0;
      }
    } else if (name === 'td' || name === 'th') seen.add(' ');
  }
  return seen
    .whole()
    .replaceAll('\u00ad', '')
    .split('\n')
    .map((line) => line.replace(/[\t\r\u00a0 ]+/g, ' ').trim())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
};
