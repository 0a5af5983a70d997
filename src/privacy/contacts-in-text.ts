import { normalizeEmail } from './mail-addresses';
import { comparableNumber, e164 } from './phone-numbers';

/** What can stand in a text that is called something else. */
export type ContainedKind = 'EMAIL' | 'PHONE' | 'LAST4';

export interface Contained {
  readonly kind: ContainedKind;
  /** UTF-16 offsets; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
}

/** A person's own number, by which one that is written as at home is recognized. */
export interface KnownContact {
  readonly phone: string | null;
  /** ISO 3166-1 alpha-2. */
  readonly region: string | null;
}

const mayBeAddress = /[@＠﹫]|%40/;
/** As much as RFC 5321 allows on each side; what is no address is sorted out afterwards. */
const address = /[^\s\p{C}"'`“”„«»()*,:;<>@＠﹫[\\\]|]{1,64}(?:[@＠﹫]|%40)(?:[\p{L}\p{M}\p{N}.-]|\u200c|\u200d){1,255}/gu;

const addressesIn = (text: string): Contained[] => {
  if (!mayBeAddress.test(text)) return [];
  return [...text.matchAll(address)].flatMap(({ 0: found, index }) => {
    const before = /^[^\p{L}\p{N}]*/u.exec(found)?.[0].length ?? 0;
    const written = found.slice(before).replace(/[.-]+$/, '');
    const [start, end] = [index + before, index + before + written.length];
    const normalized = normalizeEmail(written.replace(/[＠﹫]|%40/, '@'));
    return normalized?.split('@').at(-1)?.includes('.') ? [{ kind: 'EMAIL' as const, start, end }] : [];
  });
};

/** Seven digits and more, with what people write between them. */
const number = /(?:[+＋﹢] ?)?[(（]?\p{Nd}(?:[\s()./\p{Pd}（）\u2212\u200b-\u200f\u00ad\u2060]{0,3}\p{Nd}){6,19}/gu;
const spokenOf =
  /(?:tel|phone|telephone|telefon|telefono|teléfono|téléphone|tél|mobile|mobil|handy|cell|call|fax|sms|whatsapp)[^\p{L}\p{N}]{0,3}$/iu;

const numbersIn = (text: string, known: KnownContact | null): Contained[] => {
  if (!/(?:\p{Nd}.{0,3}){7}/u.test(text)) return [];
  const whole = text.trim();
  const own = known?.phone ? comparableNumber(known.phone, known.region) : null;
  return [...text.matchAll(number)].flatMap(({ 0: found, index }) => {
    const isPhone =
      (/^[+＋﹢]/.test(found) && e164(found) !== null) ||
      (/^[(（]?(?:00|011)/.test(found) && e164(found) !== null) ||
      spokenOf.test(text.slice(Math.max(0, index - 16), index)) ||
      // A name that is nothing but a number as it is dialled at home.
      (found === whole && /^[(（]?0/.test(found)) ||
      (own !== null && comparableNumber(found, known?.region ?? null) === own);
    return isPhone ? [{ kind: 'PHONE' as const, start: index, end: index + found.length }] : [];
  });
};

const brand = 'visa|master ?card|maestro|amex|american express|discover|diners(?: club)?|jcb|union ?pay|girocard';
const anyCard = 'card|karte|carte|tarjeta|cartão|carta|account|konto';
const gap = '[^\\p{L}\\p{N}\\n]{0,6}';
const bullets = '[•*xX·#…]{2,16}[ -]{0,2}';
const ending =
  '(?:ending|ends|no|nr|number|numero|número|last (?:4|four)(?: digits)?)(?:[^\\p{L}\\p{N}\\n]{1,3}(?:in|with|on|are|is))?';
/** `Visa 4242`, `card ending in 4242`, `•••• 4242`, `last four: 4242`. */
const lastFour = new RegExp(
  `(?<![\\p{L}\\p{N}])(?:(?:${brand})${gap}(?:${ending}${gap})?(?:${bullets}){0,4}|(?:${anyCard})${gap}(?:${ending})${gap}|(?:ending|ends|last (?:4|four))(?: digits)?(?: in| with| are)?${gap}|(?:${bullets}){1,4})` +
    `(\\d{4})(?![\\p{L}\\p{N}])`,
  'giu',
);

const lastFoursIn = (text: string): Contained[] =>
  /\d{4}/.test(text)
    ? [...text.matchAll(lastFour)].map(({ 0: found, 1: digits = '', index }) => {
        const end = index + found.length;
        return { kind: 'LAST4' as const, start: end - digits.length, end };
      })
    : [];

/**
 * E-mail addresses, telephone numbers and the last digits of cards in a text, in its order, none over another. Telephone numbers: in an international
 * form, behind a word that says so, as a whole text, or the known one in any writing. Linear in the text.
 */
export const contactsIn = (text: string, known: KnownContact | null = null): readonly Contained[] => {
  if (text.length < 4) return [];
  const found = [...addressesIn(text), ...numbersIn(text, known), ...lastFoursIn(text)].sort((a, b) => a.start - b.start);
  let end = 0;
  return found.filter((each) => {
    if (each.start < end) return false;
    end = each.end;
    return true;
  });
};
