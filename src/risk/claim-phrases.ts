// Of what a sentence may consist that states of one payment that the whole of it was made, in English and German. What isn't here, nobody
// knows the meaning of: one more word (a fee, a part, how often, who else, where else) makes another statement of it.

/** Stand for what is read by itself; they are no letters of any text. */
export const stands = { amount: '\ue001', date: '\ue002', order: '\ue003', card: '\ue004' } as const;
const { amount: A, date: D, order: O, card: C } = stands;

const det = '(?:(?:my|our|the|this|a|an) )?';
const means = `(?:visa |mastercard |amex )?(?:(?:credit|debit|bank) )?(?:(?:card|account)(?: statement)?|statement)`;
const noun = '(?:payment|charge|transaction|debit|sum|amount|total)';
const wem = '(?:(?:meine[mnr]?|unsere[mnr]?|der|dem|die|das|diese[mnr]?) )?';
const karte =
  '(?:visa-?|kredit|debit|bank|giro|ec-)?(?:karte|konto)(?:nabrechnung|auszug)?|konto(?:auszug)|kreditkartenabrechnung|bankkonto|girokonto';
const buchung = '(?:abbuchung|zahlung|belastung|betrag|gesamtbetrag|summe)';

/** Several words at once: a preposition is known with what it is about alone, `10 EUR of the order` is another thing than `a payment of 10 EUR`. */
const phrases: readonly string[] = [
  `${noun}(?: (?:from|on|of) ${D})? of ${A}`,
  `in the amount of ${A}`,
  `in (?:total|full)`,
  `for (?:${A}|${det}(?:${O}|order))`,
  `under ${det}${O}`,
  `(?:about|regarding|concerning) (?:the|a|my|our|this)(?= ${noun})`,
  `(?:with|by|to|from|on|in|using|via) ${det}${means}`,
  `with ${A}`,
  `(?:credit|debit|bank) (?:card|account)`,
  `(?:with|using|by|via) paypal`,
  `to you`,
  `(?:from|by) (?:you|me|us)`,
  `and(?= (?:i|we|you|was|were|have|had|paid|charged|debited|billed) )`,
  `(?:on|from|dated) (?:the )?(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,? )?${D}`,
  `(?:i|we)'ve`,
  `i'm writing|i am writing|we are writing|there (?:is|was)`,
  `${buchung}(?: (?:vom|am) ${D})?(?: in höhe)? (?:über|von) ${A}`,
  `in höhe von ${A}`,
  `(?:für|zu|zur) ${wem}(?:${O}|bestellung)`,
  `(?:für|mit) ${A}`,
  `und(?= (?:ich|wir|sie|abgebucht|belastet|bezahlt)(?!\\p{L}))`,
  `(?:von|mit|per|über) ${wem}(?:${karte})`,
  `auf ${wem}(?:\\p{L}{0,20}auszug|\\p{L}{0,20}abrechnung)`,
  `(?:vom|am|im) (?:${karte})`,
  `(?:per|mit|über) (?:paypal|lastschrift|überweisung)`,
  `(?:von|an) (?:mir|uns|ihnen|sie|euch|dich)`,
  `(?:vom|am) (?:(?:mon|diens|donners|frei|sams|sonn)tag,? (?:den |dem )?|mittwoch,? (?:den |dem )?)?${D}`,
  `(?:wegen|bezüglich) (?:der|meiner|einer)(?= ${buchung})`,
  `es geht um(?= (?:die|eine|meine) (?:${buchung}|${O}))`,
  ...[A, D, O, C],
];

/** By themselves. No plural of what is paid: that are several. */
const words =
  'i we you me us my our the a an this that is was were am are have has had been got made see saw found just already placed ' +
  'paid charged charge debited debit billed deducted withdrawn payment transaction order amount sum total card account bought ' +
  'ich wir sie du ihnen mir mich uns mein meine meinen meinem meiner unser unsere unseren unserem unserer ' +
  'der die das den dem ein eine einen einem einer habe haben hast habt wurde wurden worden ist sind war waren dass ' +
  'sehe schon bereits bezahlt gezahlt abgebucht belastet eingezogen überwiesen berechnet insgesamt ' +
  'abbuchung zahlung belastung betrag gesamtbetrag summe bestellung bestellt karte kreditkarte konto';

const known = new RegExp(`(?:${phrases.join('|')}|${words.split(' ').join('|')})(?![\\p{L}\\p{N}'])`, 'yu');
/** Between them; a dash before an amount may be a sign. */
const between = new RegExp(`(?:[\\s,.;:!()]|[ ][-–—][ ](?!${A}))+`, 'yu');

const ofWords = (all: string): RegExp => new RegExp(`(?<![\\p{L}'])(?:${all})(?![\\p{L}'])`, 'u');
const verbs =
  /(?<!\p{L})(?:paid|charged|debited|deducted|billed|withdrawn|bezahlt|gezahlt|abgebucht|belastet|eingezogen|überwiesen)(?!\p{L})/gu;
/** Whoever pays what is called by a word of its own pays that, and not an order: a charge, a debit. */
const pays = ofWords('paid|bezahlt|gezahlt|überwiesen');
const something = ofWords('charge|debit(?! card)|transaction|payment|abbuchung|zahlung|belastung');
/** Money that comes instead of going, and what others write to the customer. */
const otherWay = ofWords(
  [
    'you (?:have |had |already |just ){0,3}(?:paid|made)|you (?:are|were|was|have been|had been|got)|paid (?:me|us)',
    "(?:i|we)(?:'ve)? (?:was |were |am |are |have |had |been |got |already |just ){0,3}(?:was|were|am|are|been|got) (?:already |just )?paid",
    '(?:i|we) (?:have |had )?(?:charged|billed|debited) (?:you|us|me)',
    '(?:sie|du) (?:wurden?|ist|sind|war|waren)|(?:wurden?|ist|sind|war|waren) (?:sie|du|ihnen)|ihnen (?:wurden?|ist|sind|war|waren)',
  ].join('|'),
);
const toThem = ofWords('mir|uns|mich|sie haben|du hast|haben sie|hast du');
const ontoAccount = new RegExp(`(?<!\\p{L})to ${det}${means}`, 'u');

/** Whether it is of one payment of the writer's, as far as its known words tell. */
const isOneOfTheirs = (text: string): boolean => {
  if ([...text.matchAll(verbs)].length > 1 || otherWay.test(text)) return false;
  if (ontoAccount.test(text) && !ofWords('charged|debited|billed').test(text)) return false;
  return !(pays.test(text) && (something.test(text) || toThem.test(text)));
};

/** Whether a sentence, with what is read by itself replaced, says nothing else than that a payment was made. */
export const isPlain = (sentence: string): boolean => {
  const text = sentence
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('’', "'")
    .replace(/[ \t\u00a0]+/g, ' ')
    .trim();
  if (!isOneOfTheirs(text)) return false;
  let at = 0;
  const take = (what: RegExp): boolean => {
    what.lastIndex = at;
    const isTaken = what.test(text);
    if (isTaken) at = what.lastIndex;
    return isTaken;
  };
  take(between);
  while (at < text.length) {
    if (!take(known)) return false;
    if (!take(between) && at < text.length) return false;
  }
  return true;
};

const withinWords = (stems: string): RegExp => new RegExp(`(?<!\\p{L})(?:${stems})(?!\\p{L})`, 'iu');

/** What makes something else of a payment that is spoken of beside it: what it was for, which part of it, how often, by whom, where. */
const qualifying = withinWords(
  [
    // What kind of it.
    'fees?|customs|duty|duties|tax|taxes|tariffs?|vat|shipping|postage|freight|handling|deliver(?:y|ing) (?:costs?|fees?|charges?)|surcharges?|charges|interest|deposits?|prepayments?|tips?|donations?|gifts?|insurance|commission|penalt(?:y|ies)|subscriptions?|membership|rent|top-?ups?|exchange|wrapping',
    '\\p{L}{0,20}gebühr(?:en)?|gebühren\\p{L}{0,20}|zoll\\p{L}{0,20}|einfuhr\\p{L}{0,20}|\\p{L}{0,20}steuern?|versand\\p{L}{0,20}|porto|fracht\\p{L}{0,20}|liefer(?:kosten|gebühr|pauschale)|zuschlag|zuschläge|aufschlag|zinsen|\\p{L}{0,20}anzahlung(?:en)?|kaution|pfand|trinkgeld|spenden?|\\p{L}{0,20}versicherung|provision|\\p{L}{0,10}abo|abonnement|miete|guthaben|geschenk\\p{L}{0,20}|spesen|nebenkosten|mahn\\p{L}{0,20}|nachnahme\\p{L}{0,20}',
    // Which part of it.
    'part|parts|partly|partial(?:ly)?|half|halves|quarter|percent|rest|remaining|remainder|balance|outstanding|first|second|third|final|instal?lments?|rates?|advance|in advance|extra|additional(?:ly)?|difference|too (?:much|little|high|low)|only|rounded|portion|share|split|shared',
    '\\p{L}{0,10}teil(?:e|en|s|weise)?|teilzahlung(?:en)?|teilbetrag|hälfte|halbe[nrs]?|viertel|drittel|prozent|rest\\p{L}{0,20}|restliche[nrs]?|offene[nrs]?|erste[nrs]?|zweite[nrs]?|dritte[nrs]?|letzte[nrs]?|raten?|ratenzahlung|monatsrate|vorkasse|vorschuss|vorab|zusätzlich(?:e[nrs]?)?|differenz|zu (?:viel|wenig)|zuviel|zuwenig|nur|anteil(?:ig)?|davon|übrige[nrs]?',
    // How often.
    'twice|thrice|once more|times|double|doubled|triple|both|several|multiple|each|every|monthly|weekly|yearly|per|repeatedly|again',
    'zweimal|dreimal|viermal|fünfmal|zehnmal|\\p{L}{1,10}mal|mal|doppelt|dreifach|beide[nrs]?|mehrere[nrs]?|mehrfach|jede[nrsm]?|jeweils|monatlich(?:e[nrs]?)?|wöchentlich|jährlich|erneut|nochmal[s]?|wieder',
    // By whom, and where.
    'another|others?|different|else|elsewhere|someone|somebody|anyone|anybody|wife|husband|partner|mother|father|mom|mum|dad|parents?|son|daughter|brother|sister|friends?|neighbou?rs?|colleagues?|boss|child|children|kids?|grand\\p{L}{1,10}|girlfriend|boyfriend|stranger|scam\\p{L}{0,10}|phish\\p{L}{0,10}|sellers?|amazon|ebay|marketplaces?|courier|postman|post office|restaurant|hotel|supermarket',
    'andere[nrsm]?|anders\\p{L}{0,10}|woanders|fremde[nrsm]?|jemand(?:em|en)?|frau|mann|ehe\\p{L}{1,10}|partnerin|mutter|vater|mama|papa|eltern|sohn|tochter|bruder|schwester|freund(?:e|in|en)?|nachbar(?:n|in)?|kolleg(?:e|en|in)|chef|(?:mein|unser|ein)e?[mns]? kind|kinder|oma|opa|betrüger\\p{L}{0,4}|händler\\p{L}{0,4}|verkäufer\\p{L}{0,4}|zusteller\\p{L}{0,4}|postbote[n]?|paketbote[n]?|briefträger',
    // Who says so.
    'wrote|writes|said|says|told|tells|claims|claimed|asked|schrieb|schreibt|sagte?|sagen|behauptet|behauptete|angeblich|allegedly',
    // That it was otherwise.
    'correction|i mean|i meant|sorry|mistaken|mistyped|typo|instead|actually|joke|joking|kidding|example|imagine|suppose|quote|hypothetical(?:ly)?|korrektur|ich meine|ich meinte|verschrieben|vertippt|stattdessen|eigentlich|beispiel|scherz|spaß|angenommen|zitat',
  ].join('|'),
);

const pointsBack =
  /(?<!\p{L})(?:(?:that|this|it|they|these|those|which)(?:['’]s|[ ](?:is|was|were|are|includes?|included|covers?|covered|went|contains?))|(?:das|dies|dieser|diese|dieses|es|er|sie|darin|dabei|dafür)[ ](?:ist|war|sind|waren|enthält|enthielt|umfasst|ging|gingen)|(?:war|ist)[ ](?:das|dies|es))(?!\p{L})/iu;
/** What is said of it without changing what it was. */
const verdict =
  /^(?:that|this|it|das|dies|es)(?:['’]s|[ ](?:is|was|ist|war))[ ](?:not[ ]|nicht[ ]|so[ ]|clearly[ ]|a[ ]|an[ ]|ein[ ]|my[ ]|meine?[ ]|the[ ]){0,3}(?:right|correct|wrong|acceptable|ok|okay|fraud|theft|mistake|error|scandal|me|mine|richtig|korrekt|falsch|betrug|diebstahl|fehler|ich|in ordnung)[.!\s]*$/iu;
/** A sentence that begins so goes on with the one before. */
const goesOn =
  /^[\s"“„(]*(?:for|as|because|since|to|at|by|from|but|and|or|plus|of|in|with|without|including|excluding|namely|für|als|weil|da|denn|bei|beim|an|von|vom|aber|und|oder|plus|aus|mit|ohne|inklusive|inkl|exklusive|zzgl|abzüglich|zuzüglich|nämlich|also)(?!\p{L})/iu;

/** Whether a sentence that states nothing of a payment itself changes what another one states. */
export const changesWhatIsStated = (sentence: string, isNextToIt: boolean): boolean => {
  if (qualifying.test(sentence)) return true;
  if (!isNextToIt) return false;
  return goesOn.test(sentence) || (pointsBack.test(sentence) && !verdict.test(sentence.trim()));
};
