/** Written from right to left, or saying so: R, AL, AN and explicit formatting characters (Unicode Standard Annex #9). */
const turning =
  /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const end = '\u2069';

/**
 * A text of somebody else's that ends no isolate but its own, and leaves none open: U+2069 in it would otherwise end the one around it, an element's
 * (`bdi`) included, and what follows could turn the rest of the line. They end with the line, as what separates paragraphs ends them all.
 */
export const closed = (text: string): string => {
  let open = 0;
  const ended = () => {
    const ends = end.repeat(open);
    open = 0;
    return ends;
  };
  const kept = text.replace(/[\u2066-\u2069\u2029]|\p{Cc}/gu, (mark) => {
    if (mark < '\u2066') return ended() + (/[\n\t]/.test(mark) ? mark : ' ');
    if (mark !== end) open += 1;
    else if (open === 0) return '';
    else open -= 1;
    return mark;
  });
  return kept + ended();
};

/** The same within a sentence that is no markup: it has a direction of its own, and reaches nothing around it. */
export const isolated = (text: string): string => (turning.test(text) ? `\u2068${closed(text)}${end}` : text);
