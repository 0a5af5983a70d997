let segmenter: Intl.Segmenter | undefined;
/**
 * What a reader takes for one character (UAX 29): a letter with its marks, an emoji of several. The rules depend on no language.
 * Made when it is asked for, which takes longer than most modules.
 */
const graphemes = (): Intl.Segmenter => {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return segmenter;
};

/**
 * The text cut to `most` UTF-16 units, before the grapheme that would not fit. One grapheme that is longer than all that
 * nobody writes: it is cut between two code points, so that there is a bound whatever a stranger sends.
 */
export const cutAtGrapheme = (text: string, most: number): string => {
  if (text.length <= most) return text;
  // Whether there is a boundary depends on what is before it and on one code point after it.
  const start =
    graphemes()
      .segment(text.slice(0, most + 2))
      .containing(most)?.index ?? most;
  if (start > 0) return text.slice(0, start);
  return text.slice(0, most).replace(/[\ud800-\udbff]$/, '');
};

/** The same with a bound in bytes of UTF-8. */
export const cutAtBytes = (text: string, most: number): string => {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= most) return text;
  let end = most;
  // 10xxxxxx continues a code point that began before.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  const whole = bytes.toString('utf8', 0, end);
  // With what follows, so that it is seen whether the grapheme at the end goes on.
  return cutAtGrapheme(text.slice(0, whole.length + 2), whole.length);
};
