import { type Claim, type StatedAmount, traitsOf } from './claim';
import { changesWhatIsStated, isPlain, stands } from './claim-phrases';

// Reads what a customer states of a payment in a text of theirs, in English and German. It rather finds nothing than something wrong: one
// sentence has to state it with known words alone, and no other may change it. Every
// pattern has bounded repetitions alone, and no two that follow each other match the same characters: time grows with the text's length.

/** UTF-16 units of a text that is read; of a longer one nothing is, as more may be stated further down. */
const longestText = 8_000;
const longestLine = 400;
/** Amounts of one sentence: whoever names more states no one payment. */
const mostAmounts = 16;
const day = 86_400_000;
/** A day of which no year is said is the last one before the text was written, with a day for clocks that differ. */
const clocksApart = day;

/** Decimal places of the currencies that are read (ISO 4217). */
const decimals: Readonly<Record<string, number>> = {
  ...{ EUR: 2, USD: 2, GBP: 2, CHF: 2, CAD: 2, AUD: 2, NZD: 2, SEK: 2, NOK: 2, DKK: 2, PLN: 2, CZK: 2 },
  JPY: 0,
};
const dollars = ['USD', 'CAD', 'AUD', 'NZD'];
const called: Readonly<Record<string, readonly string[]>> = {
  '€': ['EUR'],
  EURO: ['EUR'],
  EUROS: ['EUR'],
  '£': ['GBP'],
  POUND: ['GBP'],
  POUNDS: ['GBP'],
  PFUND: ['GBP'],
  FRANKEN: ['CHF'],
  $: dollars,
  DOLLAR: dollars,
  DOLLARS: dollars,
  ...Object.fromEntries(Object.keys(decimals).map((code) => [code, [code]])),
};

/** What it says of a payment is a statement that one was made. */
const paying =
  /(?<![\p{L}\d])(?:charged?|charges|paid|payments?|debited|debit(?![ -]card)|deducted|billed|transactions?|withdrawn|abgebucht(?:e[nrs]?)?|abbuchung(?:en)?|bezahlt(?:e[nrs]?)?|gezahlt(?:e[nrs]?)?|zahlung(?:en)?|belastet(?:e[nrs]?)?|eingezogen(?:e[nrs]?)?|überwiesen(?:e[nrs]?)?)(?![\p{L}\d])/iu;
const replyBegins: readonly RegExp[] = [
  /^-{2,}\s?$/,
  /^_{5,}/,
  /^[-_ ]{2,40}(?:original|forwarded|ursprüngliche|weitergeleitete)/i,
  /^(?:from|von|sent|gesendet|de|da)\s?:/i,
  // A quotation is announced by whom it is of, and when.
  /(?:wrote|writes|schrieb|a écrit|escribió|ha scritto|schreef)\s?:?\s?$/i,
  /[@\d].{0,400}:\s?$/,
];
/** The announcement may be broken in two. */
const announcing = /^(?:on|am|le|el|il|op|em)\s/i;

/** A line that begins so is a sentence of its own, whatever stands before and behind it without a stop. */
const closing =
  /^(?:bye|thanks|thank you|many thanks|(?:kind |best |warm |with |many )?(?:regards|greetings|wishes)|best,?$|cheers|sincerely|yours|danke|vielen dank|besten dank|(?:viele |liebe |beste |schöne |herzliche )?grüße|(?:mit )?freundliche[nr]? grüßen?|mfg|lg|vg|gruß|sent from|von meinem|gesendet von)(?!\p{L})/iu;
const closingAlone = /^[\p{L} ,.!]{2,40}$/u;
const greeting =
  /^(?:hello|hi|hey|dear|good (?:morning|afternoon|evening|day)|hallo|guten (?:tag|morgen|abend)|sehr geehrte[rs]?|liebe[rs]?|moin|servus|grüezi)(?:[ ][\p{L}.' -]{0,60}|,?[ ]sehr geehrte[rs]?[ ][\p{L}.' -]{0,60})?[,!]?$/iu;
const greetingBefore =
  /^(?:hello|hi|hey|hallo|moin|guten (?:tag|morgen|abend)|good (?:morning|afternoon|evening|day))(?:[ ](?:there|everybody|all|team|zusammen))?[,!][ ]/iu;

/** `… for order A-1001. It was …`: behind a reference that ends in a digit a stop ends the sentence, where a word with a capital follows. */
const afterReferences = (sentence: string): readonly string[] =>
  sentence.split(/(?<=(?:[A-Za-z0-9-]{3}\d|\d[.,]\d{2})[.!])[ ](?=\p{Lu})/u);

/** What whoever wrote the text wrote themselves, a sentence an item: nothing that they answer to, and no signature. */
const ownSentences = (text: string): readonly string[] => {
  const own: string[] = [];
  for (const line of text.split(/\r\n|\r|\n/)) {
    const trimmed = line.trim();
    if (trimmed.startsWith('>') || trimmed.startsWith('|')) continue;
    const seen = trimmed.slice(0, longestLine);
    if (replyBegins.some((begins) => begins.test(seen))) {
      if (announcing.test(own.at(-1) ?? '')) own.pop();
      break;
    }
    if (greeting.test(seen)) continue;
    if (closing.test(seen)) own.push('', ...(closingAlone.test(seen) ? [] : [trimmed]), '');
    else own.push(trimmed.replace(greetingBefore, ''));
  }
  const paragraphs = own.join('\n').split(/\n{2,}/);
  // Lines are broken anywhere; behind a figure a stop is that of a date or a number.
  return paragraphs
    .flatMap((paragraph) => paragraph.replaceAll('\n', ' ').split(/(?<=[^\d][.!?])\s(?!\d)/))
    .flatMap(afterReferences)
    .filter((sentence) => /[\p{L}\d]/u.test(sentence));
};

const currency = '€|£|\\$|EUR|EURO|EUROS|USD|GBP|CHF|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|JPY|DOLLARS?|POUNDS?|PFUND|FRANKEN';
const figure = "\\d[\\d.,'’]{0,14}";
const amounts = new RegExp(
  `(?:(?<![\\p{L}])(${currency})[ \\u00a0]{0,2}(${figure})|(?<![\\p{L}\\d.,'’])(${figure})[ \\u00a0]{0,2}(${currency}))(?![\\p{L}\\d])`,
  'giu',
);
/** Parts of a number that are apart: where it begins nobody can tell. */
const numberBefore = /\d[ \u00a0]{1,2}$/;

type Found<T> = { readonly found: T } | 'unclear';

/** A figure as whole units and hundredths; null where it is read in more than one way. */
const figureOf = (written: string): { readonly units: number; readonly fraction: string } | null => {
  const text = written.replace(/[.,'’]$/, '').replaceAll('’', "'");
  const [plain, units = '', fraction = ''] = /^(\d{1,9})(?:[.,](\d{1,2}))?$/.exec(text) ?? [];
  if (plain !== undefined) return { units: Number(units), fraction };
  const grouped = /^(\d{1,3})(?:([.,'])\d{3})(?:\2\d{3}){0,2}(?:([.,])(\d{2}))?$/.exec(text);
  if (!grouped || grouped[2] === grouped[3]) return null;
  const [whole = ''] = grouped[3] === undefined ? [text] : [text.slice(0, -3)];
  return { units: Number(whole.replace(/[.,']/g, '')), fraction: grouped[4] ?? '' };
};

const statedAmount = (written: string, name: string): readonly StatedAmount[] | null => {
  const read = figureOf(written);
  const codes = called[name.toUpperCase()];
  if (!read || !codes) return null;
  const stated: StatedAmount[] = [];
  for (const code of codes) {
    const places = decimals[code] ?? 2;
    if (read.fraction.length > places) return null;
    const one = 10 ** places;
    const minorUnits = read.units * one + Number(read.fraction.padEnd(places, '0') || '0');
    if (!Number.isSafeInteger(minorUnits)) return null;
    // Who says whole units leaves out what is less than one.
    stated.push({ minorUnits, currency: code, slack: read.fraction === '' ? one - 1 : 0 });
  }
  return stated;
};

const amountsIn = (sentence: string): Found<readonly (readonly StatedAmount[])[]> => {
  const found: (readonly StatedAmount[])[] = [];
  for (const match of sentence.matchAll(amounts)) {
    const [, before = '', one, other = '', after = ''] = match;
    const read = statedAmount(one ?? other, before || after);
    if (!read || found.length === mostAmounts || numberBefore.test(sentence.slice(Math.max(0, match.index - 4), match.index)))
      return 'unclear';
    found.push(read);
  }
  return { found };
};

const months: readonly (readonly string[])[] = [
  ['january', 'jan', 'januar', 'jänner'],
  ['february', 'feb', 'februar'],
  ['march', 'mar', 'märz', 'mrz'],
  ['april', 'apr'],
  ['may', 'mai'],
  ['june', 'jun', 'juni'],
  ['july', 'jul', 'juli'],
  ['august', 'aug'],
  ['september', 'sept', 'sep'],
  ['october', 'oct', 'oktober', 'okt'],
  ['november', 'nov'],
  ['december', 'dec', 'dezember', 'dez'],
];
const monthNames = months
  .flat()
  .sort((one, other) => other.length - one.length)
  .join('|');
const monthOf = (name: string): number => months.findIndex((names) => names.includes(name.toLowerCase())) + 1;

const isoDay = /(?<!\d)(20\d{2})-(\d{2})-(\d{2})(?!\d)/g;
const dottedDay = /(?<![\d.,])(\d{1,2})\.[ ]?(\d{1,2})\.[ ]?(20\d{2}|\d{2})?(?![\d,]|\.\d)/g;
const slashedDay = /(?<![\d/])(\d{1,2})\/(\d{1,2})\/(20\d{2}|\d{2})(?![\d/])/g;
const dayAndMonth = new RegExp(
  `(?<![\\p{L}\\d.,])(\\d{1,2})(?:st|nd|rd|th|\\.)?[ ]{1,2}(?:of[ ])?(${monthNames})(?![\\p{L}])\\.?(?:,?[ ](20\\d{2}))?`,
  'giu',
);
const monthAndDay = new RegExp(
  `(?<![\\p{L}])(${monthNames})(?![\\p{L}])\\.?[ ]{1,2}(\\d{1,2})(?:st|nd|rd|th)?(?![\\p{L}\\d])(?:,?[ ](20\\d{2}))?`,
  'giu',
);
const today = /(?<!\p{L})(?:today|heute)(?!\p{L})/iu;
const yesterday = /(?<!\p{L})(?:yesterday|gestern)(?!\p{L})/iu;

/** The midnight of a day of the calendar; null where there is no such day. */
const midnight = (year: number, month: number, dayOfMonth: number): number | null => {
  const at = new Date(Date.UTC(year, month - 1, dayOfMonth));
  return at.getUTCMonth() === month - 1 && at.getUTCDate() === dayOfMonth ? at.getTime() : null;
};

const datesIn = (sentence: string, writtenAt: Date): Found<readonly number[]> => {
  const found: number[] = [];
  let isUnclear = false;
  const latest = writtenAt.getTime() + clocksApart;
  const add = (year: string | undefined, month: number, dayOfMonth: number): void => {
    const now = writtenAt.getUTCFullYear();
    const years = year === undefined ? [now, now - 1] : [Number(year.length === 2 ? `20${year}` : year)];
    const at = years.map((each) => midnight(each, month, dayOfMonth)).find((each) => each !== null && each <= latest);
    if (at == null) isUnclear = true;
    else found.push(at);
  };
  for (const [, year, month, date] of sentence.matchAll(isoDay)) add(year, Number(month), Number(date));
  for (const [, date, month, year] of sentence.matchAll(dottedDay)) add(year, Number(month), Number(date));
  for (const [, one, other, year] of sentence.matchAll(slashedDay)) {
    const [first, second] = [Number(one), Number(other)];
    // Some write the month first.
    if (first <= 12 && second <= 12 && first !== second) isUnclear = true;
    else if (first > 12) add(year, second, first);
    else add(year, first, second);
  }
  for (const [, date, month = '', year] of sentence.matchAll(dayAndMonth)) add(year, monthOf(month), Number(date));
  for (const [, month = '', date, year] of sentence.matchAll(monthAndDay)) add(year, monthOf(month), Number(date));
  const begun = Math.floor(writtenAt.getTime() / day) * day;
  if (today.test(sentence)) found.push(begun);
  if (yesterday.test(sentence)) found.push(begun - day);
  return isUnclear ? 'unclear' : { found };
};

const orders =
  /(?<!\p{L})(?:order|bestellung|auftrag|bestellnummer|bestellnr|auftragsnummer|ordernumber)(?:[ ](?:number|no|nr|nummer|ref|reference|id))?\.?[ ]?[:#]?[ ]?#?([A-Za-z0-9][A-Za-z0-9-]{2,39})(?![\p{L}\d-])/giu;
const cards =
  /(?:ending(?: (?:in|with|on))?|(?:that |which )?ends (?:in|with)|(?:with the )?last (?:four|4)(?: digits)?(?: (?:are|is))?|endet (?:auf|mit)|(?:endend|endung) auf|(?:mit )?endziffern|(?:mit den |die )?letzten (?:vier|4) (?:ziffern|stellen)(?: (?:sind|lauten))?|[*•·x]{4})[: -]{0,2}(\d{4})(?![\p{L}\d])|(?:die |deren nummer )?auf (\d{4}) (?:endet|lautet)(?!\p{L})/giu;

/** A sentence with the sentence's parts that are read by themselves, and what stands in their place. */
interface Taken {
  readonly amounts: Found<readonly (readonly StatedAmount[])[]>;
  readonly dates: Found<readonly number[]>;
  readonly orders: readonly string[];
  readonly cards: readonly string[];
  readonly rest: string;
}

/** Digits of a card are no order. */
const isReference = (order: string): boolean => /\d/.test(order) && !/^\d{13,19}$/.test(order);

const taken = (sentence: string, writtenAt: Date): Taken => {
  const ordersFound: string[] = [];
  const cardsFound: string[] = [];
  let rest = sentence
    .replace(amounts, ` ${stands.amount} `)
    .replace(orders, (whole: string, order: string) => {
      if (!isReference(order)) return whole;
      ordersFound.push(order);
      return ` ${stands.order} `;
    })
    .replace(cards, (_: string, one?: string, other?: string) => {
      cardsFound.push(one ?? other ?? '');
      return ` ${stands.card} `;
    });
  const dates = datesIn(rest, writtenAt);
  for (const each of [isoDay, dottedDay, slashedDay, dayAndMonth, monthAndDay, today, yesterday])
    rest = rest.replace(each, ` ${stands.date} `);
  return { amounts: amountsIn(sentence), dates, orders: ordersFound, cards: cardsFound, rest };
};

/** A sentence that names an order and nothing else, as above a letter. */
const isHeading = ({ rest, orders: named }: Taken): boolean =>
  named.length > 0 && new RegExp(`^(?:re: |my |our |meine |unsere )?\\s*${stands.order}[\\s.,:;!]*$`, 'iu').test(rest.trim());

/** The only one of these; null where there is none, `several` where they differ. */
const only = <T>(all: readonly T[], keyOf: (each: T) => string): T | null | 'several' => {
  const distinct = new Map(all.map((each) => [keyOf(each), each]));
  if (distinct.size > 1) return 'several';
  return all[0] ?? null;
};

const namesSomething = ({ amounts: sums, dates, orders: named, cards: used }: Taken): boolean =>
  sums === 'unclear' ||
  sums.found.length > 0 ||
  dates === 'unclear' ||
  dates.found.length > 0 ||
  named.length > 0 ||
  used.length > 0;

/**
 * What the writer of a message states of one payment in their own words; null where they state nothing, or it isn't plain: one sentence has to
 * say it with words whose meaning is known, and nothing beside it may make a part of it, a fee, or somebody else's payment. A day alone is no
 * claim. `writtenAt` is what `yesterday` is said at.
 */
export const claimInText = (text: string, writtenAt: Date): Claim | null => {
  // What stands for something isn't written.
  if (text.length > longestText || /[\ue001-\ue004]/.test(text)) return null;
  const sentences = ownSentences(text);
  const isStating = sentences.map((sentence) => paying.test(sentence));
  if (!isStating.includes(true)) return null;
  const all = sentences.map((sentence) => taken(sentence, writtenAt));
  const isChanged = sentences.some(
    (sentence, at) => !isStating[at] && changesWhatIsStated(sentence, Boolean(isStating[at - 1] || isStating[at + 1])),
  );
  const stating = all.filter((_, at) => isStating[at]);
  if (isChanged || !stating.every(({ rest }) => isPlain(rest))) return null;
  const [stated, ...more] = stating.filter(namesSomething);
  if (!stated || more.length > 0) return null;
  const others = all.filter((each) => each !== stated);
  // An order that stands anywhere else may be another one than was paid.
  if (others.some((each) => each.orders.length > 0 && !isHeading(each))) return null;
  // Another amount further down may be the one that is meant.
  const amountsFound: (readonly StatedAmount[])[] = [];
  for (const { amounts: each } of all) {
    if (each === 'unclear') return null;
    amountsFound.push(...each.found);
  }
  const amount = only(amountsFound, (each) => JSON.stringify(each));
  const date = stated.dates === 'unclear' ? null : only(stated.dates.found, String);
  const order = only(
    all.flatMap((each) => each.orders),
    (each) => each.toUpperCase(),
  );
  const card = only(stated.cards, (each) => each);
  if (amount === 'several' || date === 'several' || order === 'several' || card === 'several') return null;
  const isAmountStated = stated.amounts !== 'unclear' && stated.amounts.found.length > 0;
  const claim: Claim = {
    amount: isAmountStated ? amount : null,
    date: date === null ? null : new Date(date),
    order,
    card,
  };
  return traitsOf(claim).some((trait) => trait !== 'date') ? claim : null;
};
