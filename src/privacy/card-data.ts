import { Failure } from '../failure';
import { containsCardNumber } from './redaction';

/*
 * How card data is recognised, beside complete card numbers, which stand in `card-numbers.ts`:
 * - The text is folded (case, accents, invisible characters, digits of any script, a few Cyrillic letters that look Latin)
 *   and read as words and runs of digits. A label may be spelled with anything short between its letters: "C.V.C".
 * - A security code is 3 or 4 digits beside a label of one. An expiry is a month and a year beside a label of one, or
 *   with a code of 3 or 4 digits right beside it. A card number is 12 to 19 digits beside a label of one, even where
 *   Luhn's check fails: it is a mistyped one.
 * - What has a name of its own is none of these: "order 4242", "house number 123", a whole date, an amount.
 * What is spelled out in words ("one two three") is not recognised.
 */

export type CardDataKind = 'CARD_NUMBER' | 'CVC' | 'EXPIRY';

/** Latin letters that stand where Cyrillic ones look the same: whoever types on two layouts mixes them. */
const lookalikes: Readonly<Record<string, string>> = { а: 'a', е: 'e', о: 'o', р: 'p', с: 'c', х: 'x', і: 'i' };

/** Decimal digits stand in the code charts as whole runs from 0 to 9 (Unicode, section 4.6): counting back to the first gives the value. */
const digitValue = (digit: string): string => {
  const codePoint = digit.codePointAt(0)!;
  let first = codePoint;
  while (first > codePoint - 9 && /^\p{Nd}$/u.test(String.fromCodePoint(first - 1))) first -= 1;
  return String(codePoint - first);
};

const folded = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    // Hangul fillers and the empty Braille cell are as invisible as what is in Cf, but count as letter and symbol.
    .replace(/[\p{M}\p{Cf}\u115f\u1160\u2800]/gu, '')
    .replace(/[аеорсхі]/g, (letter) => lookalikes[letter]!)
    .replace(/(?![0-9])\p{Nd}/gu, digitValue);

/** As a label is looked up: folded, and without what stands between its letters. */
const squeezed = (text: string): string => folded(text).replace(/[^\p{L}]/gu, '');
const labels = (...texts: readonly string[]): ReadonlySet<string> =>
  new Set(texts.flatMap((text) => text.split(',')).map(squeezed));

const codeLabels = labels(
  'cvc,cvv,csc,cvn,cav,cid,cvd,cve,icvv,cvccode,cvvcode,cvcnumber,cvvnumber,cvcnr,cvvnr,cardcvc,cardcvv',
  'security code,security number,security digits,card code,card verification,verification value,verification number,card verification code,card verification value,signature panel code',
  'digits on the back,number on the back,numbers on the back,code on the back',
  'Prüfziffer,Prüfnummer,Prüfzahl,Kartenprüfnummer,Kartenprüfziffer,Kartencode,Kartenprüfcode,KPN,Sicherheitscode,Sicherheitsnummer,Sicherheitsziffer,Kartensicherheitscode',
  'cryptogramme,cryptogramme visuel,code de sécurité,code de vérification,code de contrôle,code sécurité',
  'código de seguridad,código de verificación,código seguridad,clave de seguridad',
  'codice di sicurezza,codice sicurezza,codice di verifica,codice di controllo',
  'código de segurança,código de verificação,código segurança',
  'kod CVC,kod CVV,kod bezpieczeństwa,kod zabezpieczający,bezpečnostní kód,bezpečnostný kód',
  'beveiligingscode,veiligheidscode,säkerhetskod,sikkerhetskode,sikkerhedskode,kontrolcifre,turvakoodi,turvaluku',
  'güvenlik kodu,код безопасности,код проверки,код карты,код на обороте,安全码,安全碼,セキュリティコード,보안코드,رمز الأمان,κωδικός ασφαλείας',
);

const expiryLabels = labels(
  'exp,expy,expiry,expires,expire,expired,expiring,expiration,exp date,expdate,expiry date,expiration date,date of expiry',
  'valid thru,valid through,valid to,valid until,valid till,good thru,good through,good until,mm yy,mm yyyy,mmyy,mm jj,mm aa',
  'gültig bis,gültig,Ablauf,Ablaufdatum,abgelaufen,läuft ab,Verfall,Verfallsdatum,Verfalldatum,Gültigkeit,Gültigkeitsdatum,gültig bis Ende',
  'expire fin,expire le,date d’expiration,date expiration,fin de validité,validité,date de validité,valable jusqu’en,valable jusqu’au',
  'caducidad,caduca,fecha de caducidad,vencimiento,vence,válida hasta,válido hasta,fecha de vencimiento',
  'scadenza,scade,data di scadenza,valida fino,valido fino,valida fino al,valida fino a',
  'validade,vencimento,válido até,válida até,data de validade,expira,expira em',
  'ważna do,ważność,data ważności,termin ważności,platnost,platnost do,platná do',
  'vervaldatum,vervalt,geldig tot,giltig till,utgångsdatum,gyldig til,utløpsdato,udløbsdato,voimassa,viimeinen voimassaolo',
  'son kullanma,son kullanma tarihi,geçerlilik,срок действия,действует до,действительна до,истекает,有效期,有效期至,有効期限,유효기간,λήξη,تاريخ الانتهاء',
);

/** Those that a month and a year may also stand before: "12/29 expiry". Before a verb they tell when something happened. */
const expiryNounLabels = labels(
  'exp,expiry,expiration,exp date,expdate,expiry date,expiration date,mm yy,mmyy,Ablaufdatum,Verfallsdatum,Verfalldatum,Gültigkeitsdatum',
  'date d’expiration,fin de validité,caducidad,fecha de caducidad,vencimiento,scadenza,data di scadenza,validade,vervaldatum,data ważności,срок действия,有效期,有効期限',
);

const numberLabels = labels(
  'card number,card no,card nr,card num,cardnumber,credit card,debit card,credit card number,debit card number,cc number,cc no,ccnum,pan,account number of the card',
  'Kartennummer,Kreditkartennummer,Kartennr,Kreditkarte,Karten Nr',
  'numéro de carte,numéro carte,n° de carte,carte bancaire,carte de crédit,número de tarjeta,tarjeta de crédito,numero di carta,numero carta,carta di credito,número do cartão,cartão de crédito',
  'numer karty,kaartnummer,kortnummer,číslo karty,kart numarası,номер карты,卡号,カード番号',
);

/** A number after one of these is that, whatever stands near it. */
const ownNames = labels(
  'order,orders,ticket,tickets,case,invoice,receipt,reference,ref,booking,request,issue,error,house,street,road,avenue,room,flat,apartment,suite,floor,page,phone,extension,ext,ending,last four,zip,plz,gift,loyalty,membership,sim',
  'Bestellung,Bestellnummer,Auftrag,Auftragsnummer,Rechnung,Rechnungsnummer,Vorgang,Hausnummer,Straße,Zimmer,Fehler,Seite,Durchwahl,Postleitzahl',
  'commande,facture,dossier,rue,chambre,erreur,téléphone,poste,pedido,factura,caso,calle,avenida,plaza,paseo,habitación,ordine,fattura,pratica,via,camera,telefono,zamówienie,faktura,bestelling,rekening',
);

/** Says nothing between a label and its number. */
const connectors = labels(
  'is,was,are,no,nr,num,number,code,digits,date,value,the,a,an,of,on,in,at,to,by,and,my,your,his,her,our,their,this,that,s,it,its,card,back,front,reads,equals,as,with,end,month,year,here',
  'ist,war,sind,lautet,der,die,das,des,dem,den,auf,am,von,zu,im,und,meine,meiner,mein,ihre,ihrer,Karte,Rückseite,Nummer,Ziffer,Datum,Ende',
  'est,sont,le,la,les,l,de,du,del,d,au,dos,et,ma,mon,sa,carte,numéro,fin,es,son,el,los,y,mi,su,tarjeta,número,fecha,en,è,e,il,lo,della,di,mia,carta,numero,al,data,fine',
  'é,o,do,da,em,minha,cartão,jest,to,na,mojej,karty,numer,i,het,een,van,mijn,kaart,är,på,mitt,kort,er,din,код,карты,это,до',
);

const months = labels(
  'jan,january,januar,janvier,enero,ene,gennaio,gen,janeiro,januari,feb,february,februar,février,fév,febrero,febbraio,fevereiro,fev,februari',
  'mar,march,märz,mrz,mars,marzo,março,maart,apr,april,avril,avr,abril,abr,aprile,may,mai,mayo,maggio,mag,maio,mei,maj',
  'jun,june,juni,juin,junio,giugno,giu,junho,jul,july,juli,juillet,juil,julio,luglio,lug,julho',
  'aug,august,août,agosto,ago,augustus,augusti,sep,sept,september,septembre,septiembre,settembre,set,setembro',
  'oct,october,okt,oktober,octobre,octubre,ottobre,ott,outubro,out,nov,november,novembre,noviembre,novembro',
  'dec,december,dez,dezember,décembre,déc,diciembre,dic,dicembre,dezembro',
);

/** What separates month and year where it is said rather than written. */
const spokenSeparators = labels(
  'slash,stroke,dash,hyphen,dot,point,Schrägstrich,Strich,Bindestrich,Punkt,barre,tiret,trait,barra,guion,trattino',
);

/** What joins a date to a code without naming either. */
const conjunctions = labels('and,plus,with,code,und,mit,et,avec,y,con,e,i,oraz,en,och,og');

/** What stands before the day on which something happened. */
const beforeDates = labels('on,since,from,am,vom,seit,le,du,depuis,el,desde,il,dal,dnia,op,den');

/** What is counted or paid rather than written on a card. */
const units = labels(
  'eur,euro,euros,usd,dollar,dollars,gbp,pounds,chf,pln,seconds,minutes,mins,min,hours,hour,days,day,weeks,week,times,percent,people,customers',
  'Sekunden,Minuten,Stunden,Tage,Tagen,Wochen,Uhr,Mal,minutos,horas,días,veces,jours,heures,fois,giorni,ore,minuti,volte',
);

interface Token {
  readonly isNumber: boolean;
  readonly text: string;
  /** What stands before it, back to the token before. */
  readonly gap: string;
}

const tokensOf = (text: string): Token[] => {
  const tokens: Token[] = [];
  let end = 0;
  for (const match of text.matchAll(/[0-9]+|\p{L}+/gu)) {
    const [found] = match;
    tokens.push({ isNumber: found <= ':', text: found, gap: text.slice(end, match.index) });
    end = match.index + found.length;
  }
  return tokens;
};

/** Bounds of a label: its words, its letters, and the characters between two of its words. */
const mostLabelWords = 5;
const mostLabelLetters = 40;
const mostBetweenLetters = 4;
/** A compound that ends in a label of so many letters is one too (Kreditkartenprüfnummer). */
const shortestCompoundEnd = 9;
const mostCompoundLetters = 64;

const isCjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

/** Labels of one kind of card data, as they are looked for. */
class Labels {
  private readonly ends: readonly string[];
  private readonly inner: readonly string[];

  constructor(private readonly all: ReadonlySet<string>) {
    this.inner = [...all].filter((label) => isCjk.test(label));
    this.ends = [...all].filter((label) => label.length >= shortestCompoundEnd && !isCjk.test(label));
  }

  /** How many tokens from `index` on are a label; 0 where none is. The longest counts. */
  at(tokens: readonly Token[], index: number): number {
    let joined = '';
    let found = 0;
    for (let count = 0; count < mostLabelWords; count++) {
      const token = tokens[index + count];
      if (!token || token.isNumber || (count > 0 && token.gap.length > mostBetweenLetters)) break;
      joined += token.text;
      if (joined.length > mostLabelLetters) break;
      if (this.all.has(joined)) found = count + 1;
    }
    return found === 0 && this.isCompound(tokens[index]!) ? 1 : found;
  }

  private isCompound({ isNumber, text }: Token): boolean {
    if (isNumber || text.length > mostCompoundLetters) return false;
    // These scripts write no spaces.
    if (isCjk.test(text)) return this.inner.some((label) => text.includes(label));
    return text.length > shortestCompoundEnd && this.ends.some((label) => text.endsWith(label));
  }
}

const codes = new Labels(codeLabels);
const expiries = new Labels(expiryLabels);
const expiryNouns = new Labels(expiryNounLabels);
const numbers = new Labels(numberLabels);

/** How far what is labelled may stand from its label, in tokens. */
const mostBeside = 14;

const endsSentence = (gap: string): boolean => /[.!?…。](?:\s|$)|\n\s*\n/u.test(gap);
const endsClause = (gap: string): boolean => /[,;]/.test(gap) || endsSentence(gap);

const isYear = (text: string): boolean => /^(?:19|20)[0-9]{2}$/.test(text);
const isMonth = (text: string): boolean => /^(?:0?[1-9]|1[0-2])$/.test(text);
const isCodeLong = ({ isNumber, text }: Token): boolean => isNumber && (text.length === 3 || text.length === 4);

/** Where house and door are written like a month and a year ("Hauptstraße 12/24, 1010 Wien"). */
const streetEnd = /(?:stra(?:ß|ss)e|str|gasse|platz|weg|allee|straat|laan|gade|vej|gatan|vagen)$/;

/** A number after a noun that says what it is: "order no. 4242". Looks back to `from` at most. */
const hasOwnName = (tokens: readonly Token[], index: number, from: number): boolean => {
  for (let before = index - 1; before >= Math.max(from, index - 4); before--) {
    const token = tokens[before]!;
    if (token.isNumber) return false;
    if (ownNames.has(token.text) || streetEnd.test(token.text)) return true;
    if (!connectors.has(token.text)) return false;
  }
  return false;
};

/** An amount, a count, a year, a number with a name: nothing that is printed on a card. */
const isSomethingElse = (tokens: readonly Token[], index: number, from: number): boolean => {
  const { text, gap } = tokens[index]!;
  const next = tokens[index + 1];
  return (
    isYear(text) ||
    /[#+$€£¥]\s?$/u.test(gap) ||
    (next !== undefined && /^\s?[%$€£¥]/u.test(next.gap)) ||
    (next !== undefined && !next.isNumber && next.gap.length < 3 && units.has(next.text)) ||
    (next?.isNumber === true && /^[.,]$/.test(next.gap) && next.text.length === 2) ||
    hasOwnName(tokens, index, from)
  );
};

/** Digits of groups that stand close together, from `index` on: how many, and whether each stands by itself. */
const groupsFrom = (tokens: readonly Token[], index: number, most: number) => {
  let digits = 0;
  let areSingle = true;
  for (let at = index; at < index + most; at++) {
    const token = tokens[at];
    if (!token?.isNumber || (at > index && token.gap.length > mostBetweenLetters)) return { digits, areSingle };
    digits += token.text.length;
    if (token.text.length > 1) areSingle = false;
  }
  return { digits, areSingle };
};

/** Three or four digits that each stand by themselves: "1 2 3". */
const isSpacedCode = (tokens: readonly Token[], index: number): boolean => {
  const { digits, areSingle } = groupsFrom(tokens, index, 5);
  return areSingle && (digits === 3 || digits === 4);
};

/** What stands between a label and what it may label. */
interface Between {
  words: number;
  strangers: number;
  hasClauseEnd: boolean;
  hasSentenceEnd: boolean;
}

/** Looks from a label's end on for what it labels, past words that say nothing and at most `strangers` others. */
const isLabelledAfter = (
  tokens: readonly Token[],
  from: number,
  strangers: number,
  stops: (between: Between) => boolean,
  isIt: (index: number, between: Between) => boolean,
): boolean => {
  const between: Between = { words: 0, strangers: 0, hasClauseEnd: false, hasSentenceEnd: false };
  for (let index = from; index < Math.min(tokens.length, from + mostBeside); index++) {
    const token = tokens[index]!;
    // The point of an abbreviation ("exp.", "no.") ends nothing.
    const isAbbreviated = between.words < 2 && between.strangers === 0;
    if (!isAbbreviated && endsSentence(token.gap)) between.hasSentenceEnd = true;
    if (endsClause(token.gap)) between.hasClauseEnd = true;
    if (stops(between)) return false;
    if (isIt(index, between)) return true;
    if (token.isNumber) continue;
    between.words += 1;
    if (!connectors.has(token.text) && !spokenSeparators.has(token.text)) between.strangers += 1;
    if (between.strangers > strangers || stops(between)) return false;
  }
  return false;
};

/** A number right before a label, with nothing but words that say nothing between; -1 where none stands there. */
const numberBefore = (tokens: readonly Token[], label: number): number => {
  for (let index = label - 1; index >= Math.max(0, label - 4); index--) {
    if (endsSentence(tokens[index + 1]!.gap)) return -1;
    const token = tokens[index]!;
    if (token.isNumber) return index;
    if (!connectors.has(token.text)) return -1;
  }
  return -1;
};

const hasLabelledCode = (tokens: readonly Token[], start: number, end: number): boolean => {
  // Calle del Cid 123 is an address, and whatever else has a name before it somebody's reference.
  if (tokens[start]!.text === 'cid' && hasOwnName(tokens, start, 0)) return false;
  const follows = isLabelledAfter(
    tokens,
    end,
    2,
    ({ hasSentenceEnd }) => hasSentenceEnd,
    (index, { words, strangers }) => {
      if (!tokens[index]!.isNumber) return false;
      if (isSpacedCode(tokens, index)) return true;
      const { digits } = groupsFrom(tokens, index, 4);
      if (words === 0 && (digits === 3 || digits === 4)) return true;
      return isCodeLong(tokens[index]!) && (strangers === 0 || !isSomethingElse(tokens, index, end));
    },
  );
  if (follows) return true;
  const before = numberBefore(tokens, start);
  if (before < 0) return false;
  let first = before;
  while (first > 0 && before - first < 3 && tokens[first]!.text.length === 1 && tokens[first - 1]!.isNumber) first -= 1;
  if (first < before && isSpacedCode(tokens, first)) return true;
  return isCodeLong(tokens[before]!) && !isSomethingElse(tokens, before, 0);
};

/** What separates the parts of a date; a colon is a time's. */
const dateGap = /^\s{0,2}(?:[./|,'’_\\~*\u2044\u2215\u2212]|\p{Pd}){0,2}\s{0,2}$/u;

/** A month and a year that begin at `index`, and the index after them; -1 where none do. A whole date is none. */
const endOfMonthAndYear = (tokens: readonly Token[], index: number): number => {
  const first = tokens[index]!;
  const next = tokens[index + 1];
  const isSpoken = next !== undefined && !next.isNumber && spokenSeparators.has(next.text);
  const secondAt = isSpoken ? index + 2 : index + 1;
  const second = tokens[secondAt];
  const third = tokens[secondAt + 1];
  if (!second?.isNumber || !(isSpoken || dateGap.test(second.gap))) return -1;
  // A day stands before the month or after it; a figure separated otherwise belongs to something else.
  const isDay = (token: Token | undefined, gap: string): boolean =>
    token?.isNumber === true &&
    (first.isNumber ? gap === second.gap && (token.text.length < 3 || isYear(token.text)) : token.text.length < 3);
  const isYearAfter = !first.isNumber && third !== undefined && isYear(third.text) && dateGap.test(third.gap);
  const isWholeDate = isDay(tokens[index - 1], first.gap) || isYearAfter || (first.isNumber && isDay(third, third?.gap ?? ''));
  if (isWholeDate || (third !== undefined && !third.isNumber && units.has(third.text))) return -1;
  const isYearLike = (text: string) => text.length === 2 || isYear(text);
  const isMonthFirst = (isMonth(first.text) || months.has(first.text)) && isYearLike(second.text);
  return isMonthFirst || (isYear(first.text) && isMonth(second.text)) ? secondAt + 1 : -1;
};

/** `1229` or `122029`. */
const isGluedMonthAndYear = (tokens: readonly Token[], index: number): boolean => {
  const { isNumber, text } = tokens[index]!;
  const next = tokens[index + 1];
  return isNumber && /^(?:0[1-9]|1[0-2])(?:(?:19|20)?[0-9]{2})$/.test(text) && !(next !== undefined && units.has(next.text));
};

const hasLabelledExpiry = (tokens: readonly Token[], start: number, end: number): boolean => {
  const follows = isLabelledAfter(
    tokens,
    end,
    1,
    // "The card expired, customer called on 12/24": another clause tells of something else.
    ({ hasClauseEnd, hasSentenceEnd, strangers }) => hasSentenceEnd || (hasClauseEnd && strangers > 0),
    (index) => isGluedMonthAndYear(tokens, index) || endOfMonthAndYear(tokens, index) > 0,
  );
  if (follows) return true;
  if (expiryNouns.at(tokens, start) === 0) return false;
  const before = numberBefore(tokens, start);
  if (before < 0) return false;
  for (let index = before; index >= Math.max(0, before - 2); index--) {
    const isExpiry = index === before ? isGluedMonthAndYear(tokens, index) : endOfMonthAndYear(tokens, index) === before + 1;
    if (isExpiry) return index === 0 || !beforeDates.has(tokens[index - 1]!.text);
  }
  return false;
};

const shortestNumber = 12;
const mostNumberGroups = 19;

const hasLabelledNumber = (tokens: readonly Token[], start: number, end: number): boolean =>
  !(start > 0 && ownNames.has(tokens[start - 1]!.text)) &&
  isLabelledAfter(
    tokens,
    end,
    1,
    ({ hasSentenceEnd }) => hasSentenceEnd,
    (index) => groupsFrom(tokens, index, mostNumberGroups).digits >= shortestNumber,
  );

/** A card's years, so that amounts and days of the month are seldom taken for an expiry that nothing labels. */
const isCardYear = (text: string): boolean => /^(?:20)?[2-4][0-9]$/.test(text);

/** What may stand between an expiry and a code beside it. */
const mostBesideExpiry = 8;
const isBeside = (gap: string): boolean => gap.length <= mostBesideExpiry && !endsSentence(gap) && !/[#+$€£¥:]\s?$/u.test(gap);

/** An expiry that nothing labels, with three or four digits right before or after it. */
const hasExpiryBesideCode = (tokens: readonly Token[], index: number): boolean => {
  const month = tokens[index]!;
  if (!month.isNumber || !isMonth(month.text) || hasOwnName(tokens, index, 0)) return false;
  const end = endOfMonthAndYear(tokens, index);
  const year = tokens[end - 1];
  if (end < 0 || !year || !isCardYear(year.text)) return false;
  const separator = end > index + 2 ? '/' : year.gap.trim();
  if (separator === '') return false;
  // "030-12-29-123": one chain of groups is a telephone number or an article's.
  const isChained = (gap: string) => gap.trim() === separator && !/[/|]/.test(separator);
  const isCode = (at: number, gap: string): boolean =>
    tokens[at] !== undefined && isCodeLong(tokens[at]) && isBeside(gap) && !isChained(gap) && !isSomethingElse(tokens, at, 0);
  const isLong = (token: Token | undefined, gap: string): boolean =>
    token?.isNumber === true && token.text.length > 4 && gap.length < 3;

  const joins = tokens[end] !== undefined && !tokens[end].isNumber && conjunctions.has(tokens[end].text);
  const after = joins ? end + 1 : end;
  const afterGap = tokens[after]?.gap ?? '';
  if (isCode(after, afterGap) && !isLong(tokens[after + 1], tokens[after + 1]?.gap ?? '')) return true;
  const joined = index > 1 && !tokens[index - 1]!.isNumber && conjunctions.has(tokens[index - 1]!.text);
  const before = joined ? index - 2 : index - 1;
  return isCode(before, tokens[before + 1]?.gap ?? '') && !isLong(tokens[before - 1], tokens[before]?.gap ?? '');
};

/** The gravest card data in a text; null where there is none. Time is linear in the text: it may be a stranger's. */
export const findCardData = (text: string): CardDataKind | null => {
  if (containsCardNumber(text)) return 'CARD_NUMBER';
  const tokens = tokensOf(folded(text));
  let found: CardDataKind | null = null;
  for (let index = 0; index < tokens.length; index++) {
    const number = numbers.at(tokens, index);
    if (number > 0 && hasLabelledNumber(tokens, index, index + number)) return 'CARD_NUMBER';
    if (found === 'CVC') continue;
    const code = codes.at(tokens, index);
    if (code > 0 && hasLabelledCode(tokens, index, index + code)) {
      found = 'CVC';
      continue;
    }
    if (found === 'EXPIRY') continue;
    const expiry = expiries.at(tokens, index);
    if ((expiry > 0 && hasLabelledExpiry(tokens, index, index + expiry)) || hasExpiryBesideCode(tokens, index)) found = 'EXPIRY';
  }
  return found;
};

/**
 * Refuses a text with card data in it before anything is stored or logged of it.
 * @throws Failure `INVALID` that names the argument and what is accepted, whichever kind was found, and nothing of the text.
 */
export const expectNoCardData = (argument: string, text: string): void => {
  if (findCardData(text) === null) return;
  throw Failure.invalid(
    argument,
    'expected a text without card number, security code and expiry date; the last four digits of a card say which one it is',
  );
};
