import { domainToASCII, domainToUnicode } from 'node:url';
import { normalForm } from './digests';

/** Characters; no address is longer, and the patterns below needn't be fast on more. */
const longestInput = 512;

/** Letters, marks and digits, and between them dashes and the joiners that some scripts need (RFC 5892, appendix A.1 and A.2). */
const label = /^[\p{L}\p{N}](?:(?:[\p{L}\p{M}\p{N}-]|\u200c|\u200d)*[\p{L}\p{M}\p{N}])?$/u;
/** A joiner is invisible, and allowed only where the DNS distinguishes names by it. */
const isLabel = (part: string): boolean =>
  label.test(part) && (!/\u200c|\u200d/.test(part) || domainToUnicode(domainToASCII(part)) === part);
const isAscii = /^[\0-\x7f]*$/;

/**
 * A label in its Unicode form (U-label, RFC 5890): `xn--bcher-kva` as `bücher`. Both forms are one name in the DNS, and only what converts
 * there and back to itself is converted: a label that UTS 46 would map to another (full width, `ß` as `ss` in software before
 * 2016, a final sigma) stays what it is, since its other reading can be somebody else's domain.
 */
const unicodeLabel = (text: string): string => {
  if (!text.startsWith('xn--')) return text;
  const unicode = domainToUnicode(text);
  return unicode !== '' && !isAscii.test(unicode) && normalForm(unicode) === unicode && domainToASCII(unicode) === text
    ? unicode
    : text;
};

/** Letter by letter: in a whole word a capital sigma at the end becomes another letter than in the DNS. */
const lowerCase = (domain: string): string =>
  [...domain.normalize('NFC')]
    .map((letter) => letter.toLowerCase())
    .join('')
    .normalize('NFC');

/** Null where a capital means another domain to some programs than to others: `ẞ` is `ss` or `ß`. */
const unicodeDomain = (written: string): string | null => {
  if (written.includes('ẞ')) return null;
  return lowerCase(written).split('.').map(unicodeLabel).join('.');
};

/**
 * An address in the form in which addresses are compared: trimmed, lower case, Unicode NFC, the domain's labels in their Unicode form. Nothing
 * else: dots and plus-tags stay, and compatibility forms (NFKC) aren't folded, because mailboxes that differ in them can belong to two
 * people and a link between customers hangs on this. Null for what isn't one bare address (RFC 5321 lengths, no quoted local part),
 * holds invisible characters, or is of a domain that programs read differently.
 */
export const normalizeEmail = (text: string): string | null => {
  if (text.length > longestInput) return null;
  const address = text.trim().normalize('NFC');
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at).toLowerCase().normalize('NFC');
  const domain = unicodeDomain(address.slice(at + 1));
  const isAddress =
    at > 0 &&
    domain !== null &&
    Buffer.byteLength(local) <= 64 &&
    Buffer.byteLength(`${local}@${domain}`) <= 254 &&
    /^[^\s\p{C}@"(),:;<>[\\\]]+$/u.test(local) &&
    domain.split('.').every(isLabel);
  return isAddress ? `${local}@${domain}` : null;
};

/** The domain of a compared address in the form in which it stands in the DNS (A-labels); as it is where it has none. */
const asciiDomain = (domain: string): string =>
  domain
    .split('.')
    .map((part) => {
      if (isAscii.test(part)) return part;
      const ascii = domainToASCII(part);
      // Only where it leads back: what UTS 46 maps is another name.
      return ascii.startsWith('xn--') && domainToUnicode(ascii) === part ? ascii : part;
    })
    .join('.');

/**
 * The forms in which a compared address may be kept elsewhere, the compared one first: with the domain in Unicode or in ASCII, and each with
 * letters beyond ASCII composed or not (NFC, NFD). A source that compares bytes is asked for all of them.
 */
export const formsOfEmail = (normalized: string): readonly string[] => {
  const at = normalized.lastIndexOf('@');
  const ascii = `${normalized.slice(0, at)}@${asciiDomain(normalized.slice(at + 1))}`;
  return [...new Set([normalized, ascii, normalized.normalize('NFD'), ascii.normalize('NFD')])];
};
