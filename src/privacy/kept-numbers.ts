import { countrySpecs, isValidIBAN } from 'ibantools';
import type { Span } from './card-numbers';
import type { FoldedText } from './folded-text';

/*
 * What certainly isn't a card, though some of its digits may pass for one:
 * - An account (IBAN, ISO 13616): its country's length and form, and check digits that are right.
 * - A telephone number: what follows `+`, `00`, `011`, `tel:`, `wa.me/` or a word for one, up to 15 digits (ITU-T E.164).
 * - A parcel: digits with a carrier's letters glued to them, or with any letters behind a word for a parcel.
 * - A licence, a passport, a device: what has a name that says so, up to 15 digits.
 * - What stands in the path, the query or the fragment of a link.
 * All but an account give way where a number is spoken of as a card, or written as one is printed: none of these is a hiding place.
 */

/** A part of a text in which no card is looked for. */
export interface Kept extends Span {
  readonly isAccount: boolean;
}

/** What may stand between two characters of an account or a telephone number. */
const mostBetween = 3;
const isSeparator = (character: string | undefined): boolean =>
  character !== undefined && /[\s.·/()\p{Pd}\u2212]/u.test(character);

/** Where the next character stands that is no separator; -1 where too many do. */
const pastSeparators = (text: string, position: number): number => {
  let at = position;
  while (at - position <= mostBetween && isSeparator(text[at])) at += 1;
  return at - position > mostBetween ? -1 : at;
};

const accountBegins = /(?<![a-z0-9])(?:iban)?(?=([a-z]{2})[0-9]{2})/g;

/** The account that begins here, by its country's length, and the index after it; -1 where its check fails. */
const endOfAccount = (text: string, start: number, country: string): number => {
  const length = countrySpecs[country]?.chars ?? 0;
  let account = '';
  let end = start;
  for (let at = start; account.length < length; at = pastSeparators(text, end)) {
    const character = text[at];
    if (at < 0 || character === undefined || !/[a-z0-9]/.test(character)) return -1;
    account += character.toUpperCase();
    end = at + 1;
  }
  return length > 0 && !/[0-9]/.test(text[end] ?? '') && isValidIBAN(account) ? end : -1;
};

const telephoneWords =
  'tel|telefon|telefono|telefone|telephone|phone|mobile|mobil|movil|portable|handy|cell|cellphone|fax|whatsapp|callto|sms|smsto';
const telephoneBegins = new RegExp(
  `(?<![0-9])(?:\\+|00(?=[ .(/-]{0,2}[1-9])|011(?=[ .(/-]{0,2}[1-9]))|(?<![a-z])(?:${telephoneWords})(?:\\.?[:=]|\\.)?\\s{0,2}\\+?(?=[ (]{0,2}[0-9])|wa\\.me/\\+?(?=[0-9])`,
  'g',
);
const fewestTelephoneDigits = 7;
/** ITU-T E.164, with its country's code. */
const mostTelephoneDigits = 15;

/** Index after the longest whole groups of digits from here on that a telephone number may have; -1 where they are too few. */
const endOfTelephone = (text: string, start: number): number => {
  let digits = 0;
  let end = -1;
  for (let at = pastSeparators(text, start); at >= 0; ) {
    const group = /^[0-9]{1,16}/.exec(text.slice(at, at + mostTelephoneDigits + 1))?.[0] ?? '';
    // "+49 (0)30": dialled within the country only.
    const isTrunk = group === '0' && text[at - 1] === '(' && text[at + 1] === ')';
    if (!isTrunk) digits += group.length;
    if (group === '' || digits > mostTelephoneDigits) break;
    at += group.length;
    if (digits >= fewestTelephoneDigits) end = at;
    const next = pastSeparators(text, at);
    if (next <= at || /[\n\r]/.test(text.slice(at, next))) break;
    at = next;
  }
  return end;
};

/** What carriers glue to their numbers (and the Universal Postal Union's S10 to its own). */
const carriers =
  'yt|j?jd|jvgl|lp|tba|sf|4px|gm|cnusup|cnbr|uus|ups|usps|dhl|dpd|gls|ems|zto|sto|yto|jt|spx|brt|hermes|evri|sy[a-z]{2}|wnb[a-z]{2}';
const parcel = new RegExp(
  `(?<![a-z0-9])(?:1z[0-9a-z]{16}|[a-z]{2}[0-9]{9}[a-z]{2}|[cd][0-9]{14}|h[0-9]{19,20}|(?:${carriers})[0-9]{10,24}[a-z]{0,3})(?![a-z0-9])`,
  'g',
);
const parcelWords =
  'tracking|track|trackingnumber|trackingnummer|sendung|sendungsnummer|sendungsnr|sendungsverfolgung|paket|paketnummer|parcel|package|shipment|shipping|consignment|waybill|awb|delivery|colis|suivi|envio|seguimiento|spedizione|tracciamento|przesylka|przesylki|zending|pakket|forsendelse|rastreio|encomenda';
const namedParcel = new RegExp(
  `(?<![a-z])(?:${parcelWords})[ ._-]{0,2}(?:number|no|nr|num|nummer|numero|id|code|ref)?[.:#=\\s]{0,3}(?:is|ist|est|es)?[:\\s]{0,2}(?!card|visa|master|amex|maestro|pan|cc|cvc|exp|kart|carte|tarj)[a-z]{1,6}[0-9]{10,24}[a-z]{0,3}(?![a-z0-9])`,
  'g',
);

/** A person's or a thing's own number, by its name: letters of its own and 15 digits at most. */
const named =
  /(?<![a-z])(?:licen[sc]e|passport|fuhrerschein|reisepass|personalausweis|imei|imsi|serial|isbn|gtin|ean)(?:[ ._-]{0,2}(?:number|no|nr|num|nummer|id))?[.:#=\s]{0,3}(?:is|ist|was)?[:\s]{0,2}[a-z]{0,3}[0-9]{12,15}(?![0-9])/g;

/** With its scheme, or `www.`, or the name of a host and a path. */
const link =
  /(?:(?:https?|ftp):\/\/|(?<![a-z0-9@.-])www\.)[^\s<>"']+|(?<![a-z0-9@.\-/])(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}\/[^\s<>"']+/g;

/** The host, with whatever stands before it: everything behind it is the link's path, query and fragment. */
const host = /^(?:[a-z]+:\/\/)?[^/?#]*/;

/** What is kept in a text, in any order. Offsets are those of the text that was folded. Time is linear in it. */
export const keptNumbers = (folded: FoldedText): readonly Kept[] => {
  const { text } = folded;
  const kept: Kept[] = [];
  const keep = (start: number, end: number, isAccount = false): void => {
    if (end > start) kept.push({ start: folded.startOf(start), end: folded.endOf(end - 1), isAccount });
  };
  for (const { 0: prefix, 1: country, index } of text.matchAll(accountBegins)) {
    const start = index + prefix.length;
    keep(start, endOfAccount(text, start, country!.toUpperCase()), true);
  }
  for (const { 0: prefix, index } of text.matchAll(telephoneBegins)) keep(index, endOfTelephone(text, index + prefix.length));
  for (const pattern of [parcel, namedParcel, named])
    for (const { 0: whole, index } of text.matchAll(pattern)) keep(index, index + whole.length);
  for (const { 0: whole, index } of text.matchAll(link)) keep(index + host.exec(whole)![0].length, index + whole.length);
  return kept;
};
