import { domainToASCII } from 'node:url';
import { withoutHeapedMarks } from '../source-text';

/** Endings of files: `invoice.pdf` is no host. `.zip` and `.mov` are both, and people mean the file. */
const fileEndings = new Set(
  'asp aspx bmp csv doc docx eml gif gz heic htm html ics jpeg jpg json key mov mp3 mp4 msg numbers odt ods pages pdf php png ppt pptx rar rtf svg tar tif tiff txt webp xls xlsx xml zip'.split(
    ' ',
  ),
);

/** An address that an address relative to nothing would get. */
const nowhere = 'relative.invalid';

const withoutWww = (host: string): string => (host.startsWith('www.') ? host.slice(4) : host);

/** The host that a link leads to, in its A-form (RFC 5890); null where it leads to none by itself. */
export const hostOf = (href: string): string | null => {
  try {
    // With an address of the same scheme to lean on, `https:host` would be a path.
    const written = href.trim();
    const { protocol, hostname, pathname } = new URL(written, URL.canParse(written) ? undefined : `https://${nowhere}/`);
    if (protocol === 'mailto:') {
      const [, domain] = /^[^@?,]*(?:@|%40)([^@?,%]+)(?:\?|$)/i.exec(pathname) ?? [];
      return domain === undefined ? null : domainToASCII(domain) || null;
    }
    return (protocol === 'https:' || protocol === 'http:') && hostname !== nowhere && hostname !== '' ? hostname : null;
  } catch {
    return null;
  }
};

/** The hosts that a text names, in their A-form. Words are cut first: what is looked at twice is never long. */
const hostsIn = (text: string): string[] =>
  withoutHeapedMarks(text)
    .normalize('NFKC')
    .replace(/[\p{Cf}\p{Cc}]/gu, ' ')
    .split(/[^\p{L}\p{M}\p{N}.-]+/u)
    .filter((word) => word.length <= 253)
    .flatMap((word) => {
      const labels = word.replace(/^[.-]+|[.-]+$/g, '').split('.');
      const last = labels.at(-1)?.toLowerCase() ?? '';
      const isAddress = labels.length === 4 && labels.every((label) => /^\d{1,3}$/.test(label));
      if (labels.length < 2 || labels.includes('')) return [];
      if (!isAddress && (!/^(?:\p{L}\p{M}*){2,}$|^xn--/u.test(last) || fileEndings.has(last))) return [];
      const host = domainToASCII(labels.join('.').toLowerCase());
      return host === '' ? [] : [withoutWww(host)];
    });

/**
 * What is said behind the text of a link: the host that it leads to, unless the text says so itself. Where the text names another
 * host, that is said as well, as this is how people are led astray. Hosts of one domain are none of each other's. Empty where
 * there is nothing to say.
 */
export const linkNote = (text: string, href: string): string => {
  const host = hostOf(href);
  if (host === null || /^[\s\p{Cf}]*$/u.test(text)) return '';
  const target = withoutWww(host);
  const named = hostsIn(text);
  const isOther = (name: string) => name !== target && !target.endsWith(`.${name}`) && !name.endsWith(`.${target}`);
  if (named.some(isOther)) return `(warning: this link leads to ${host})`;
  return named.includes(target) ? '' : `(${host})`;
};
