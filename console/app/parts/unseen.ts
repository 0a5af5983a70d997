/**
 * A text with all that isn't seen in it, or turns what is around it (controls, formats, separators of lines), as JSON escapes it: what is looked at
 * to be judged says what it says in the order in which it says it.
 */
export const withUnseen = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (found) =>
    Array.from({ length: found.length }, (_, at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  );
