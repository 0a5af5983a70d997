/** Behind `/confirm/`, in characters of the address as it was sent. What is longer was made, not glued. */
const longest = 400;

/**
 * 256 bits in base64url without padding (RFC 4648, 5), with nothing before and behind it that could be a part of one; but for what a
 * text sets in italics or bold with (`_`). Behind a bracket, a quote or an ampersand begins something else: a tag, the link once more, parameters.
 */
const glued = /^[^A-Za-z0-9_-]*([A-Za-z0-9_-]{43})(?:[^A-Za-z0-9-]*|[^A-Za-z0-9/-]*[<>()[\]{}"'&|?#].*)$/s;

/** Percent-encoding of ASCII as the character, any other as a blank; never fails, as decoding bytes that aren't UTF-8 does. */
const decoded = (text: string): string =>
  text.replace(/%(?:([2-7][0-9a-f])|[0-9a-f]{2})?/gi, (_escape, ascii: string | undefined) =>
    ascii === undefined ? ' ' : String.fromCharCode(Number.parseInt(ascii, 16)),
  );

/** What encodings of mails leave of a `>` or a blank: `&gt;`, `&#62;`, `=3E`, and the `=` of a line that was broken. */
const leftovers =
  /&(?!amp;)(?:(?:[a-z]{2,6}|#\d{1,5}|#x[0-9a-f]{1,4});|(?:gt|lt|quot|nbsp)(?![a-z0-9=]))|=(?:[0-9A-F]{2}(?![A-Za-z0-9_-]))?/gi;

/**
 * The address of a confirmation without what mail programs and copying glued to the token: brackets, quotes, full stops, blanks that nobody
 * sees, plain, encoded or encoded twice. The token is the first run of its characters, and exactly as long as one; every other
 * address stays as it is.
 */
export const withoutGlue = (url: string): string => {
  const [, prefix = '', rest = '', query = ''] = /^(\/confirm\/)([^?#]*)(.*)$/s.exec(url) ?? [];
  if (rest === '' || rest.length > longest) return url;
  const [, token] = glued.exec(decoded(decoded(rest)).replace(leftovers, ' ')) ?? [];
  return token === undefined ? url : `${prefix}${token}${query}`;
};
