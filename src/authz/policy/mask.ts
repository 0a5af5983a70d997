import { plainDecline } from './declines';

/** What a masked value is made from. Anything else that a resolver may return is hidden whole. */
export type Maskable = string | number | Date;

/** What a mask needs from outside: it holds no key itself. */
export interface MaskTools {
  /** Keyed digest of a text (hexadecimal or base64url), so that equal values get equal pseudonyms that nobody can compute offline. */
  digest(text: string): string;
}

export interface Mask {
  /** What the payments team reads about it: what is shown of which value. */
  readonly description: string;
  /** The most characters of the clear value that the output may hold. */
  readonly shows: number;
  /** Names of the GraphQL types whose value stays valid when masked; a list is masked item by item. */
  readonly fits: readonly string[];
  readonly apply: (value: Maskable, tools: MaskTools) => string;
}

const hidden = '•••';

const textOf = (value: Maskable): string => {
  if (!(value instanceof Date)) return String(value);
  return Number.isNaN(value.getTime()) ? '' : value.toISOString();
};

// An ideograph or syllable is often a whole family name: what an initial says of a Latin name, it doesn't say of these.
const wholeWordScripts = /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]/u;

/** First letter or digit of a word that has at least two, else a bullet. Combining marks and emoji aren't initials. */
const initialOf = (word: string): string => {
  const points = Array.from(word.normalize('NFC'));
  const [first] = points;
  const letters = points.filter((point) => /^[\p{L}\p{N}]$/u.test(point));
  return first === undefined || first !== letters[0] || letters.length < 2 || wholeWordScripts.test(first) ? '•' : first;
};

const asInitial = (word: string): string => {
  const letter = initialOf(word);
  if (letter === '•') return letter;
  // Some letters become several as capitals.
  const capital = letter.toUpperCase().normalize('NFC');
  return `${Array.from(capital).length === 1 ? capital : letter}.`;
};

const words = (text: string): string[] => text.split(/[\s,]+/u).filter((word) => word !== '');

const email = (value: Maskable): string => {
  const [, local, host, top] = /^([^\s@]+)@([^\s@]+)\.([^\s@.]+)$/u.exec(textOf(value)) ?? [];
  if (local === undefined || host === undefined || top === undefined) return hidden;
  // The longest country or generic ending worth showing; beyond it the ending can be a company's own name.
  const ending = /^[\p{L}]{2,6}$/u.test(top) ? top : hidden;
  return `${initialOf(local)}${hidden}@${initialOf(host)}${hidden}.${ending}`;
};

// ITU-T E.164 country codes of one and two digits; every other one has three.
const countryCode = /^(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3})/;

const phone = (value: Maskable): string => {
  const text = textOf(value).trim();
  const digits = text.replace(/\D/g, '');
  if (digits.length < 7) return hidden;
  const prefix = text.startsWith('+') ? `+${countryCode.exec(digits)?.[0] ?? ''} ` : '';
  return `${prefix}${hidden} ${digits.slice(-2)}`;
};

const last4 = (value: Maskable): string => {
  const digits = textOf(value).replace(/\D/g, '');
  return digits.length < 8 ? '••••' : `•••• ${digits.slice(-4)}`;
};

const postal = (value: Maskable): string => {
  const code = textOf(value).toUpperCase().replace(/[\s-]/g, '');
  // The United Kingdom's outward code and Canada's forward sortation area: what stands before the last three characters.
  const [, outward] = /^([A-Z]{1,2}\d[A-Z\d]?)\d[A-Z]{2}$/.exec(code) ?? /^([A-Z]\d[A-Z])\d[A-Z]\d$/.exec(code) ?? [];
  if (outward !== undefined) return `${outward} ${hidden}`;
  return /^[A-Z\d]{4,10}$/.test(code) ? `${code.slice(0, 2)}${hidden}` : hidden;
};

const year = (value: Maskable): string => {
  const [, found] = /^(\d{4})-\d{2}-\d{2}(?:$|[T ])/.exec(textOf(value)) ?? [];
  return found ?? hidden;
};

const text = ['String'] as const;

/** Every mask that a policy may name as `mask:<name>`. Pure, and never longer or clearer than it says. */
export const masks = {
  hidden: { description: 'a constant ••• for any value', shows: 0, fits: ['String', 'ID'], apply: () => hidden },
  digest: {
    description: 'a short pseudonym (#4f9a01c2d3): equal values look equal, the value itself is not shown',
    shows: 0,
    fits: ['String', 'ID'],
    apply: (value, tools) => `#${tools.digest(textOf(value)).slice(0, 10)}`,
  },
  initial: { description: 'the first letter', shows: 1, fits: text, apply: (value) => asInitial(textOf(value).trim()) },
  name: {
    description: 'initials of the first and the last word',
    shows: 2,
    fits: text,
    apply: (value) => {
      const all = words(textOf(value));
      const ends = all.length > 1 ? [all[0] ?? '', all[all.length - 1] ?? ''] : all;
      return ends.length === 0 ? hidden : ends.map(asInitial).join(' ');
    },
  },
  last4: { description: 'the last four digits, of at least eight', shows: 4, fits: text, apply: last4 },
  year: { description: 'the year of a date', shows: 4, fits: text, apply: year },
  postal: { description: 'the outward part, elsewhere the first two characters', shows: 4, fits: text, apply: postal },
  phone: { description: 'country code and last two digits', shows: 5, fits: text, apply: phone },
  email: {
    description: 'first letters of name and domain, and the ending',
    shows: 8,
    fits: text,
    apply: email,
  },
  decline: {
    description: 'the code of a decline where it accuses nobody, generic_decline for any other',
    shows: 64,
    fits: text,
    apply: (value) => plainDecline(textOf(value)),
  },
} as const satisfies Record<string, Mask>;

export type MaskName = keyof typeof masks;

export const maskNames = Object.keys(masks) as readonly MaskName[];

export const isMaskName = (name: string): name is MaskName => Object.hasOwn(masks, name);

export const maskNamed = (name: MaskName): Mask => masks[name];

const maskOne = (mask: Mask, value: unknown, tools: MaskTools): string =>
  typeof value === 'string' || typeof value === 'number' || value instanceof Date ? mask.apply(value, tools) : hidden;

/** The masked form of what a resolver returned: null stays null, a list is masked item by item, what a mask can't read is hidden. */
export const maskValue = (name: MaskName, value: unknown, tools: MaskTools): unknown => {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map((item) => maskValue(name, item, tools));
  return maskOne(masks[name], value, tools);
};
