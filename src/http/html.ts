import { escapeUTF8 } from 'entities/escape';

/** HTML that is written as it stands: what `html` made, or a constant of ours. Never a text from anywhere else. */
export class Markup {
  constructor(readonly source: string) {}
}

type Part = Markup | string | number | null | readonly Markup[];

/** Safe in an element's text and in a quoted attribute; a backtick quotes one in some old browsers. What no page may hold (controls, halves of a pair) is replaced. */
const escaped = (text: string): string => escapeUTF8(text.replace(/[^\P{Cc}\t\r\n]|\p{Cs}/gu, '\ufffd')).replaceAll('`', '&#96;');

const written = (part: Part): string => {
  if (part === null) return '';
  if (part instanceof Markup) return part.source;
  return typeof part === 'object' ? part.map(written).join('') : escaped(String(part));
};

/** A template whose texts are escaped, all but `Markup`: whoever writes a page can't forget it. Attributes stand in double quotes. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Markup =>
  new Markup(strings.map((string, index) => string + written(parts[index] ?? null)).join(''));
