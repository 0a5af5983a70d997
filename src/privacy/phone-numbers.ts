import { digitValue } from './folded-text';

/** Loaded when the first number is compared: its tables of all countries take tens of milliseconds, which no command pays that needs none. */
const library = () => require('libphonenumber-js/max') as typeof import('libphonenumber-js/max');

/** Characters; no number is longer, with a country's code, brackets and an extension. */
const longestNumber = 64;

/**
 * A number with digits of any script as ASCII's, one kind of plus, dash and blank, and without what nobody sees; without `tel:` and brackets around
 * the country's code. For comparing and for calling, never to show.
 */
const plainNumber = (text: string): string =>
  text
    .replace(/[\p{Cf}\p{M}]/gu, '')
    .replace(/(?![0-9])\p{Nd}/gu, digitValue)
    .replace(/[＋﹢⁺₊]/gu, '+')
    .replace(/[\p{Pd}\u2212\u30fc]/gu, '-')
    .replace(/[（﹙]/gu, '(')
    .replace(/[）﹚]/gu, ')')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/^tel: ?/i, '')
    .replace(/^\( ?(\+ ?\d{1,3}) ?\)/, '$1');

const parsed = (text: string, region: string | null) => {
  const { parsePhoneNumberFromString, isSupportedCountry } = library();
  const country = region?.toUpperCase();
  const given = country !== undefined && isSupportedCountry(country) ? { defaultCountry: country } : {};
  return parsePhoneNumberFromString(text, { ...given, extract: false });
};

/** A number with its country's code. Where no number there has a zero before it, one in brackets is a habit of other countries. */
const parsedAbroad = (text: string) => {
  const number = parsed(text, null);
  if (number === undefined || number.isValid()) return number;
  const bare = text.replace(/\( ?0 ?\)/, '');
  const without = bare === text ? undefined : parsed(bare, null);
  return without?.isValid() ? without : number;
};

/**
 * A telephone number in E.164 (ITU-T), `+` and up to 15 digits; null for what is no one number in an international form, or a national
 * one whose country isn't known. `region` (ISO 3166-1 alpha-2) is the country of a number without country code. Reads every usual
 * writing: `00` and `011` in front, the trunk prefix in brackets (`+49 (0)30`) but not the zero that belongs to the number (`+39 06`), digits of any
 * script, invisible characters. An extension is no part of E.164 and is left out.
 */
export const e164 = (text: string, region: string | null = null): string | null => {
  if (text.length > longestNumber) return null;
  const number = plainNumber(text);
  if (number.startsWith('+')) return parsedAbroad(number)?.number ?? null;
  const national = region === null ? undefined : parsed(number, region);
  if (national?.isValid()) return national.number;
  // What is dialled before a country's code: 00 nearly everywhere, 011 in North America. Some area codes begin with 011.
  const dialled = /^\(?(00|011)\)?[ .-]?(?=[ (.-]?[1-9])/.exec(number);
  const abroad = dialled ? parsedAbroad(`+${number.slice(dialled[0].length)}`) : undefined;
  if (abroad && (dialled?.[1] === '00' ? abroad.isPossible() : abroad.isValid())) return abroad.number;
  return national?.isPossible() ? national.number : null;
};

/** The form in which telephone numbers are compared: E.164, and the digits as they are of what has none. Empty where there are no digits. */
export const comparableNumber = (text: string, region: string | null = null): string =>
  e164(text, region) ?? digitsOf(plainNumber(text.slice(0, 512)));

const digitsOf = (text: string): string => text.replace(/[^\d+]/g, '');
