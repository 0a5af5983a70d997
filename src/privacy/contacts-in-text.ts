import { FoldedText, squeezed } from './folded-text';
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

/*
 * Texts are searched folded (NFKD, lower case, digits of any script as ASCII's, without marks and what nobody sees): what reads the same
 * is the same. Everything below is said of folded texts.
 */

const at = '(?:@|%(?:25)?40|&(?:#0{0,4}64|#x0{0,4}40|commat);?)';
const mayBeAddress = new RegExp(`[@＠﹫]|${at}`, 'i');
const atSign = new RegExp(`[ \\t]{0,2}${at}{1,3}[ \\t]{0,2}`, 'g');
/** As much as RFC 5321 allows before the sign, quoted too. */
const localPart = /(?:"[^"\n]{1,64}"|(?:&#?[a-z0-9]{2,6};|[^\s\p{C}"`“”„«»(),:;<>@[\\\]|]){1,64})$/u;
/** A name with a dot in it whose last label isn't a figure: "2 @ 3.50" is a price. */
const domainPart = /^(?:[\p{L}\p{N}_-]|\.{1,2}|。){1,255}|^\[[0-9a-f.:]{3,64}\]/u;
const isDomain = /[.。]\p{L}[\p{L}\p{N}-]*$|^\[/u;
const longestLocal = 66;
const longestDomain = 256;

const addressesIn = ({ text }: FoldedText): Contained[] => {
  const found: Contained[] = [];
  for (const { 0: sign, index } of text.matchAll(atSign)) {
    const local =
      localPart.exec(text.slice(Math.max(0, index - longestLocal), index))?.[0].replace(/^[^"\p{L}\p{N}]+/u, '') ?? '';
    const behind = index + sign.length;
    const domain = (domainPart.exec(text.slice(behind, behind + longestDomain))?.[0] ?? '').replace(/[.。_-]+$/, '');
    if (local !== '' && isDomain.test(domain))
      found.push({ kind: 'EMAIL', start: index - local.length, end: behind + domain.length });
  }
  return found;
};

const plus = '(?:\\+|%(?:25)?2b|&(?:#0{0,4}43|#x0{0,4}2b|plus);?)';
const between = '(?:[\\s()[\\]./_·\\p{Pd}\\u2212]|,(?=\\d)|%(?:25)?20)';
/** Seven digits and more, with what people write between them. */
const number = new RegExp(`(?:${plus} ?)?[([]?\\d(?:${between}{0,3}\\d){6,19}\\d*`, 'gu');
const telephoneWords =
  'tel,phone,telephone,telefon,telefono,teléfono,téléphone,tél,telefoon,telefone,mobile,mobil,móvil,portable,handy,cell,call,fax,sms,whatsapp,ruf,тел,телефон,моб,電話,电话,手机,전화,هاتف,טלפון'
    .split(',')
    .map(squeezed)
    .join('|');
const spokenOf = new RegExp(
  `(?:(?:${telephoneWords})\\.?(?: ?(?:number|nummer|numero|no|nr|n))?|[☎☏✆📞📱]|(?<![\\p{L}\\p{N}])[tmf][.:])[^\\p{L}\\p{N}]{0,3}$`,
  'u',
);
/** As it is written in North America: no order has these groups. */
const northAmerican = /^\(?\d{3}(?:\) ?|[ .-])\d{3}[ .-]\d{4}$/;

const numbersIn = ({ text }: FoldedText, known: KnownContact | null): Contained[] => {
  const whole = text.trim();
  const own = known?.phone ? comparableNumber(known.phone, known.region) : null;
  return [...text.matchAll(number)].flatMap(({ 0: found, index }) => {
    const [sign = ''] = new RegExp(`^${plus}`).exec(found) ?? [];
    const digits = found.slice(sign.length).replace(/%(?:25)?20|[[\]_·,]/g, ' ');
    const isPhone =
      sign !== '' ||
      (/^\(?(?:00|011)/.test(digits) && e164(digits) !== null) ||
      northAmerican.test(digits) ||
      spokenOf.test(text.slice(Math.max(0, index - 24), index)) ||
      // A name that is nothing but a number as it is dialled at home.
      (found === whole && /^\(?0/.test(digits)) ||
      (own !== null && isOwn(digits, own, known?.region ?? null));
    return isPhone ? [{ kind: 'PHONE' as const, start: index, end: index + found.length }] : [];
  });
};

/** In any writing, its country's code without what is dialled before it too. */
const isOwn = (digits: string, own: string, region: string | null): boolean =>
  comparableNumber(digits, region) === own || `+${digits.replace(/\D/g, '')}` === own;

const brand =
  '(?:visa|master ?card|maestro|amex|american express|discover|diners(?: club)?|jcb|union ?pay|girocard)(?: (?:credit|debit|kredit|credito|debito))?(?: ?(?:card|karte|carte|tarjeta|cartao|carta))?';
const onlyCard = 'card|karte|carte|tarjeta|cartao|carta';
const anyCard = `${onlyCard}|account|konto`;
const gap = '[^\\p{L}\\p{N}\\n]{0,6}';
const bullets = '[•*x·#.]{2,16}[ -]{0,2}';
const digitWords = '(?: (?:digits|ziffern|chiffres|digitos|cifre))?';
const endings = [
  'ending|ends|no|nr|number|numero|nummer',
  `last (?:4|four)${digitWords}|letzten? (?:4|vier)${digitWords}|(?:(?:4|quatre) )?derniers${digitWords}|ultimos (?:4|cuatro|quatro)${digitWords}|ultime (?:4|quattro)${digitWords}`,
  'endet|endend|endung|se terminant|terminant|finissant|(?:que |che )?termina|terminada|terminando|final',
].join('|');
const ending = `(?:${endings})(?:[^\\p{L}\\p{N}\\n]{1,3}(?:in|with|on|are|is|auf|mit|par|en|con|em|sind|sont|son|sono|sao))?`;
/** Says by itself that digits behind it are a card's last ones. */
const lone = `(?:ending|ends|last (?:4|four))${digitWords}(?: in| with| are)?|(?:letzten? (?:4|vier)|(?:4|quatre) derniers|ultimos (?:4|cuatro|quatro)|ultime (?:4|quattro))${digitWords}(?: sind| sont| son| sono| sao)?`;
/** `Visa 4242`, `card ending in 4242`, `•••• 4242`, `last four: 4242`. */
const lastFour = new RegExp(
  `(?<![\\p{L}\\p{N}])(?:(?:${brand})${gap}(?:${ending}${gap})?(?:(?:${bullets}){0,4}|x[ -]?)|(?:${anyCard})${gap}(?:${ending})${gap}|(?:${onlyCard}) ?[•*x·#]{1,4}[ -]?|(?:${lone})${gap}|(?:${bullets}){1,4})` +
    `(\\d{4})(?![\\p{L}\\p{N}])`,
  'gu',
);

const lastFoursIn = ({ text }: FoldedText): Contained[] =>
  [...text.matchAll(lastFour)].map(({ 0: found, 1: digits = '', index }) => {
    const end = index + found.length;
    return { kind: 'LAST4' as const, start: end - digits.length, end };
  });

/** Of a text of ASCII only: no sign of an address, written or encoded, and fewer than four digits. Most texts are told by this, in one pass. */
export const holdsNoContact = (text: string): boolean => {
  let digits = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0x7f || code === 0x40 || code === 0x25 || code === 0x26) return false;
    if (code >= 0x30 && code <= 0x39) {
      digits += 1;
      if (digits === 4) return false;
    }
  }
  return true;
};

/**
 * E-mail addresses, telephone numbers and the last digits of cards in a text, in its order, none over another. Telephone numbers: in an international
 * form, behind a word that says so, as a whole text, or the known one in any writing. Linear in the text.
 */
export const contactsIn = (text: string, known: KnownContact | null = null): readonly Contained[] => {
  const hasAddress = mayBeAddress.test(text);
  const hasDigits = /(?:\p{N}\P{N}*){4}/u.test(text);
  if (!hasAddress && !hasDigits) return [];
  const folded = new FoldedText(text);
  const found = [
    ...(hasAddress ? addressesIn(folded) : []),
    ...(/(?:\d\D*){7}/.test(folded.text) ? numbersIn(folded, known) : []),
    ...(/\d{4}/.test(folded.text) ? lastFoursIn(folded) : []),
  ].sort((a, b) => a.start - b.start);
  let end = 0;
  return found.flatMap((each) => {
    if (each.start < end) return [];
    end = each.end;
    return [{ kind: each.kind, start: folded.startOf(each.start), end: folded.endOf(each.end - 1) }];
  });
};
