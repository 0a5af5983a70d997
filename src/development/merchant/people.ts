import type { AddressRecord } from '../../upstream/payments/payments.port';
import { Random } from './random';

export type DemoLanguage = 'en' | 'de' | 'fr' | 'es' | 'pt' | 'ja';

/** A place the merchant's customers come from. Names in another script carry their Latin form after a bar. */
interface Locale {
  readonly country: string;
  readonly currency: string;
  readonly language: DemoLanguage;
  /** Written before the given name, with this between them. */
  readonly familyFirst?: string;
  readonly given: readonly string[];
  readonly family: readonly string[];
  readonly cities: readonly string[];
  /** Of each city, where addresses of the country have one. */
  readonly states?: readonly string[];
  readonly streets: readonly string[];
  /** `#` is a digit. */
  readonly postalCode: string | null;
  /** Numbers that the country's regulator keeps for fiction; `#` is a digit. Null where it keeps none. */
  readonly phone: string | null;
}

const names = (text: string): readonly string[] => text.split(', ');

/** Weighted by repetition in `mixture` below. */
const locales = {
  gb: {
    country: 'GB',
    currency: 'GBP',
    language: 'en',
    given: names('Amelia, Callum, Eilidh, Freya, George, Imogen, Niamh, Oliver, Rhys, Siân, Tariq, Zara'),
    family: names(
      'Ashworth, Blackwood, Carmichael, Dunmore, Ellery, Fairweather, Griffiths, Hartnell, Llewellyn, Okonkwo, Penhale, Whitlock',
    ),
    cities: ['Leeds', 'Bristol', 'Cardiff', 'Dundee'],
    streets: ['Sample Lane', 'Lantern Row', 'Old Mill Close', 'Fictional Street'],
    postalCode: 'ZZ# #ZZ',
    phone: '+44 7700 900###',
  },
  us: {
    country: 'US',
    currency: 'USD',
    language: 'en',
    given: names('Aaliyah, Brandon, Camila, Dakota, Ethan, Grace, Hunter, Jasmine, Logan, Nevaeh, Tyler, Xavier'),
    family: names(
      'Abernathy, Beaumont, Castellanos, Delacroix, Eastwick, Featherstone, Holloway, Jefferson, Lockhart, Montoya, Santangelo, Winslow',
    ),
    cities: ['Portland', 'Austin', 'Columbus', 'Albany'],
    states: ['OR', 'TX', 'OH', 'NY'],
    streets: ['Example Avenue', 'Placeholder Drive', 'Juniper Sample Road', 'Nowhere Boulevard'],
    postalCode: '000##',
    phone: '+1 212 555 01##',
  },
  ie: {
    country: 'IE',
    currency: 'EUR',
    language: 'en',
    given: names('Aoife, Cillian, Gráinne, Oisín, Pádraig, Róisín, Saoirse, Tadhg, Ciarán, Órla'),
    family: names('Ó Briain, Ní Dhomhnaill, Mac Cárthaigh, O’Sullivan, Ó Súilleabháin, Breathnach, De Búrca, O’Farrell'),
    cities: ['Galway', 'Cork', 'Sligo'],
    streets: ['Sráid an Sampla', 'Fiction Quay', 'Thornbush Lane'],
    postalCode: null,
    phone: '+353 20 91# ####',
  },
  au: {
    country: 'AU',
    currency: 'AUD',
    language: 'en',
    given: names('Banjo, Charlotte, Darcy, Indigo, Jarrah, Kirra, Lachlan, Matilda, Noah, Talia'),
    family: names('Armitage, Brumby, Coolidge, Drysdale, Kingsley, Nguyen, Pemberton, Rafferty, Wattlebird, Yarrow'),
    cities: ['Hobart', 'Geelong', 'Darwin'],
    states: ['TAS', 'VIC', 'NT'],
    streets: ['Wattle Sample Street', 'Imaginary Parade', 'Billabong Court'],
    postalCode: '00##',
    phone: '+61 2 5550 ####',
  },
  de: {
    country: 'DE',
    currency: 'EUR',
    language: 'de',
    given: names('Anneliese, Björn, Cläre, Detlef, Friederike, Günther, Hannelore, Jörg, Käthe, Lütfi, Mareike, Sören'),
    family: names(
      'Achterberg, Brückner, Drögemüller, Fährmann, Groß, Hölscher, Jägersberg, Köhler, Lüdtke, Schönfeldt, Süßmilch, Weißhaupt',
    ),
    cities: ['Kassel', 'Lübeck', 'Görlitz', 'Würzburg'],
    streets: ['Musterweg', 'Beispielallee', 'Phantasiestraße', 'Am Probenhof'],
    postalCode: '000##',
    phone: '+49 30 23125 ###',
  },
  at: {
    country: 'AT',
    currency: 'EUR',
    language: 'de',
    given: names('Alois, Burgi, Evi, Florian, Leopold, Rosl, Vroni, Xaver'),
    family: names('Ebner, Gruber-Höß, Hölzl, Kaltenböck, Oberhuber, Prünster, Steinböck, Zwölfer'),
    cities: ['Graz', 'Linz', 'Krems'],
    streets: ['Mustergasse', 'Erfundener Steig'],
    postalCode: '00##',
    phone: null,
  },
  fr: {
    country: 'FR',
    currency: 'EUR',
    language: 'fr',
    given: names('Aimée, Benoît, Céline, Désirée, Éloïse, François, Gaëlle, Hélène, Jérôme, Loïc, Maëlle, Théo'),
    family: names(
      'Arnoult, Bélanger, Côté-Rivière, Desprès, Évrard, Gauthier, Lefèvre, Léonetti, Mérieux, Noël, Quéméneur, Thévenot',
    ),
    cities: ['Nîmes', 'Orléans', 'Besançon', 'Saint-Étienne'],
    streets: ['rue de l’Exemple', 'allée Imaginaire', 'chemin des Essais'],
    postalCode: '000##',
    phone: '+33 6 39 98 ## ##',
  },
  es: {
    country: 'ES',
    currency: 'EUR',
    language: 'es',
    given: names('Adrián, Begoña, Concepción, Íñigo, José, Leocadia, Martín, Nuria, Óscar, Pilar, Ramón, Sofía'),
    family: names(
      'Álvarez, Bermúdez, Cañizares, Domínguez, Echeverría, Fernández, Ibáñez, Muñoz, Núñez, Peñalver, Sáenz, Zúñiga',
    ),
    cities: ['Logroño', 'Cádiz', 'Ávila'],
    states: ['La Rioja', 'Cádiz', 'Ávila'],
    streets: ['calle de la Muestra', 'avenida Ficticia', 'plaza del Ensayo'],
    postalCode: '000##',
    phone: null,
  },
  br: {
    country: 'BR',
    currency: 'BRL',
    language: 'pt',
    given: names('Antônia, Caetano, Conceição, Flávio, Iara, João, Lúcia, Mônica, Otávio, Raíssa, Sebastião, Thaís'),
    family: names(
      'Araújo, Brandão, Conceição, D’Ávila, Falcão, Gonçalves, Guimarães, Leitão, Magalhães, Simões, Teixeira, Vilaça',
    ),
    cities: ['Maringá', 'Olinda', 'Goiânia'],
    states: ['PR', 'PE', 'GO'],
    streets: ['Rua do Exemplo', 'Travessa Imaginária'],
    postalCode: '000##-000',
    phone: null,
  },
  pl: {
    country: 'PL',
    currency: 'PLN',
    language: 'en',
    given: names('Agnieszka, Błażej, Celina, Grażyna, Jędrzej, Łucja, Małgorzata, Paweł, Stanisław, Żaneta'),
    family: names('Bąk, Chrząszcz, Dąbrowski, Głowacz, Jaśkiewicz, Krzyżanowski, Mączka, Pięta, Świątek, Żółkiewski'),
    cities: ['Łódź', 'Toruń', 'Rzeszów'],
    streets: ['ul. Przykładowa', 'ul. Zmyślona'],
    postalCode: '00-0##',
    phone: null,
  },
  cz: {
    country: 'CZ',
    currency: 'CZK',
    language: 'en',
    given: names('Bořivoj, Daniela, Jiří, Kateřina, Ludmila, Matěj, Ondřej, Růžena, Šárka, Zdeněk'),
    family: names('Černý, Dvořáková, Hůlka, Jiráček, Křížová, Němec, Příhoda, Růžička, Šťastná, Žižka'),
    cities: ['Plzeň', 'Ústí nad Labem'],
    streets: ['Příkladná', 'Smyšlená'],
    postalCode: '000 ##',
    phone: null,
  },
  se: {
    country: 'SE',
    currency: 'SEK',
    language: 'en',
    given: names('Åsa, Björn, Göran, Håkan, Ingrid, Märta, Öyvind, Sölve, Tuva, Ylva'),
    family: names('Ångström, Björkman, Ekelöf, Hägglund, Höglander, Löfgren, Nyström, Sjöberg, Träskman, Öberg'),
    cities: ['Malmö', 'Umeå', 'Örebro'],
    streets: ['Exempelgatan', 'Påhittade vägen'],
    postalCode: '000 ##',
    phone: '+46 70 174 06 5#',
  },
  tr: {
    country: 'TR',
    currency: 'TRY',
    language: 'en',
    given: names('Ayşe, Barış, Çağla, Defne, Gökçe, İbrahim, Işıl, Müjde, Oğuz, Şükrü'),
    family: names('Akyıldız, Çetinkaya, Doğan, Erdoğmuş, Güneş, Işık, Kılıç, Özdemir, Şahin, Yüksel'),
    cities: ['İzmir', 'Eskişehir'],
    streets: ['Örnek Sokak', 'Hayali Cadde'],
    postalCode: '00###',
    phone: null,
  },
  vn: {
    country: 'VN',
    currency: 'VND',
    language: 'en',
    familyFirst: ' ',
    given: names('Bảo Châu, Đức Huy, Hồng Nhung, Minh Tuấn, Ngọc Ánh, Phương Thảo, Quang Vinh, Thùy Dương'),
    family: names('Bùi, Đặng, Đỗ, Hoàng, Lê, Ngô, Nguyễn, Phạm, Trần, Vũ'),
    cities: ['Đà Nẵng', 'Huế'],
    streets: ['Đường Ví Dụ', 'Ngõ Mẫu'],
    postalCode: '000###',
    phone: null,
  },
  gr: {
    country: 'GR',
    currency: 'EUR',
    language: 'en',
    given: names(
      'Αθηνά|Athina, Δημήτρης|Dimitris, Ελένη|Eleni, Θανάσης|Thanasis, Ιωάννα|Ioanna, Κώστας|Kostas, Χρήστος|Christos, Φωτεινή|Foteini',
    ),
    family: names(
      'Αγγελόπουλος|Angelopoulos, Βλάχος|Vlachos, Καραγιάννη|Karagianni, Μαυρίδης|Mavridis, Παπαδάκη|Papadaki, Σταύρου|Stavrou, Τσάκαλος|Tsakalos',
    ),
    cities: ['Πάτρα', 'Χανιά'],
    streets: ['Οδός Παραδείγματος', 'Οδός Δοκιμής'],
    postalCode: '000 ##',
    phone: null,
  },
  ua: {
    country: 'UA',
    currency: 'UAH',
    language: 'en',
    given: names(
      'Богдан|Bohdan, Галина|Halyna, Євген|Yevhen, Зоряна|Zoriana, Іванна|Ivanna, Лесь|Les, Оксана|Oksana, Тарас|Taras',
    ),
    family: names(
      'Бойко|Boiko, Гончаренко|Honcharenko, Дяченко|Diachenko, Їжакевич|Yizhakevych, Левченко|Levchenko, Поліщук|Polishchuk, Шевчук|Shevchuk',
    ),
    cities: ['Львів', 'Полтава'],
    streets: ['вулиця Прикладна', 'вулиця Вигадана'],
    postalCode: '000##',
    phone: null,
  },
  kw: {
    country: 'KW',
    currency: 'KWD',
    language: 'en',
    given: names('أحمد|Ahmad, بدر|Badr, حصة|Hessa, خالد|Khaled, دلال|Dalal, فاطمة|Fatima, نورة|Noura, يوسف|Yousef'),
    family: names('الأنصاري|Al-Ansari, البدر|Al-Bader, الحداد|Al-Haddad, الخطيب|Al-Khatib, الصالح|Al-Saleh, النجار|Al-Najjar'),
    cities: ['حولي', 'الجهراء'],
    streets: ['شارع المثال', 'شارع الخيال'],
    postalCode: '000##',
    phone: null,
  },
  in: {
    country: 'IN',
    currency: 'INR',
    language: 'en',
    given: names('अनन्या|Ananya, आरव|Aarav, ईशा|Isha, कबीर|Kabir, दीपिका|Deepika, नीरज|Neeraj, रोहन|Rohan, सुनीता|Sunita'),
    family: names(
      'अग्रवाल|Agrawal, चतुर्वेदी|Chaturvedi, जोशी|Joshi, त्रिपाठी|Tripathi, मिश्रा|Mishra, शर्मा|Sharma, श्रीवास्तव|Shrivastava',
    ),
    cities: ['जयपुर', 'नागपुर'],
    states: ['राजस्थान', 'महाराष्ट्र'],
    streets: ['उदाहरण मार्ग', 'काल्पनिक गली'],
    postalCode: '000###',
    phone: null,
  },
  jp: {
    country: 'JP',
    currency: 'JPY',
    language: 'ja',
    familyFirst: ' ',
    given: names('葵|Aoi, 健太|Kenta, 結衣|Yui, さくら|Sakura, 大輔|Daisuke, 美咲|Misaki, 陽子|Yoko, 蓮|Ren'),
    family: names(
      '青山|Aoyama, 石川|Ishikawa, 小野寺|Onodera, 加藤|Kato, 佐々木|Sasaki, 高橋|Takahashi, 中島|Nakajima, 渡辺|Watanabe',
    ),
    cities: ['仙台市', '金沢市'],
    states: ['宮城県', '石川県'],
    streets: ['見本町', '架空台'],
    postalCode: '000-00##',
    phone: null,
  },
  kr: {
    country: 'KR',
    currency: 'KRW',
    language: 'en',
    familyFirst: '',
    given: names('민준|Minjun, 서연|Seoyeon, 지우|Jiwoo, 하은|Haeun, 도윤|Doyun, 수아|Sua, 예준|Yejun, 유나|Yuna'),
    family: names('강|Kang, 김|Kim, 박|Park, 송|Song, 이|Lee, 정|Jung, 최|Choi, 한|Han'),
    cities: ['대전', '전주'],
    states: ['대전광역시', '전북특별자치도'],
    streets: ['예시로', '가상길'],
    postalCode: '000##',
    phone: null,
  },
  sg: {
    country: 'SG',
    currency: 'SGD',
    language: 'en',
    familyFirst: '',
    given: names('嘉怡|Jiayi, 俊杰|Junjie, 美玲|Meiling, 文强|Wenqiang, 晓彤|Xiaotong, 志伟|Zhiwei, 欣妍|Xinyan'),
    family: names('陈|Chen, 黄|Huang, 李|Li, 林|Lin, 王|Wang, 吴|Wu, 张|Zhang, 郑|Zheng'),
    cities: ['Singapore'],
    streets: ['Specimen Road', 'Imaginary Crescent'],
    postalCode: '0000##',
    phone: null,
  },
} as const satisfies Record<string, Locale>;

export type DemoLocale = keyof typeof locales;

const mixture: readonly DemoLocale[] =
  'gb gb gb gb us us us us us ie ie au au de de de de de at fr fr fr fr es es es br br pl pl cz se se tr vn gr gr ua kw in in jp jp jp kr kr sg'.split(
    ' ',
  ) as DemoLocale[];

/** ISO 3166-1 alpha-2, every country that a customer may live in. */
export const demoCountries: readonly string[] = [...new Set(Object.values(locales).map((locale) => locale.country))];

const domains = ['example.com', 'example.org', 'example.net'] as const;

const withoutMarks: Readonly<Record<string, string>> = { ß: 'ss', ł: 'l', Ł: 'L', đ: 'd', Đ: 'D', ı: 'i', ø: 'o', Ø: 'O' };

/** Letters without their marks. */
const plainLatin = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[ßłŁđĐıøØ]/g, (letter) => withoutMarks[letter] ?? letter);

const localPart = (text: string): string =>
  plainLatin(text)
    .toLowerCase()
    .replace(/[^a-z]/g, '');

interface Name {
  readonly written: string;
  readonly latin: string;
  readonly local: string;
}

// Every name is spelled out once; composing 5,000 people from raw text costs more than all the rest of a person.
const spelled = new Map<string, Name>();
const spell = (name: string): Name => {
  const known = spelled.get(name);
  if (known) return known;
  const [written = name, given] = name.split('|');
  const latin = given ?? plainLatin(written);
  const made = { written, latin, local: localPart(latin) };
  spelled.set(name, made);
  return made;
};

const digits = (pattern: string, random: Random): string => pattern.replace(/#/g, () => String(random.below(10)));

/** How helpdesk and payment side agree about a person; `HOUSEHOLD`: two payment customers share the e-mail, neither names anybody. */
export type DemoLink = 'VERIFIED' | 'MATCHED' | 'HOUSEHOLD' | 'STRANGER';

export interface Person {
  /** From 1. */
  readonly number: number;
  readonly country: string;
  readonly currency: string;
  readonly language: DemoLanguage;
  readonly displayName: string;
  /** The given name as used in a greeting. */
  readonly givenName: string;
  /** As a card carries it: Latin letters, given name first. */
  readonly cardName: string;
  readonly link: DemoLink;
  readonly helpdeskEmail: string | null;
  readonly paymentEmail: string | null;
  readonly phone: string | null;
  readonly address: AddressRecord;
}

const kinds = { person: 11, pair: 12, name: 13 } as const;

/** Customers 1 to 14 are written by hand (see `cast`); their links and places are fixed. */
const castLinks: Readonly<Record<number, DemoLink>> = { 2: 'MATCHED', 3: 'HOUSEHOLD', 4: 'HOUSEHOLD' };
const castLocales: Readonly<Record<number, DemoLocale>> = {
  1: 'fr',
  2: 'de',
  3: 'ie',
  4: 'ie',
  5: 'gb',
  6: 'es',
  7: 'us',
  8: 'br',
  9: 'kw',
  10: 'jp',
  11: 'pl',
  12: 'gb',
};
export const castSize = 12;

const linkOf = (seed: number, number: number): DemoLink => {
  if (number <= castSize) return castLinks[number] ?? 'VERIFIED';
  const pair = Math.floor((number - 1) / 2);
  if (new Random(seed, kinds.pair, pair).chance(0.015)) return 'HOUSEHOLD';
  const draw = new Random(seed, kinds.pair, -number).fraction();
  return draw < 0.914 ? 'VERIFIED' : draw < 0.985 ? 'MATCHED' : 'STRANGER';
};

/** The first customer of a household of two, who gave it the name and the e-mail. */
const headOf = (number: number, link: DemoLink): number => (link === 'HOUSEHOLD' && number % 2 === 0 ? number - 1 : number);

/** The hand-written customers can be called wherever their country has numbers for fiction; of the others one in four can't. */
const phoneOf = (locale: Locale, number: number, random: Random): string | null => {
  if (locale.phone === null) return null;
  return random.chance(0.25) && number > castSize ? null : digits(locale.phone, random);
};

/** A person who doesn't exist, always the same for the same seed and number. */
export const personOf = (seed: number, number: number): Person => {
  const link = linkOf(seed, number);
  const head = headOf(number, link);
  const family = new Random(seed, kinds.name, head);
  const locale: Locale = locales[castLocales[number] ?? family.pick(mixture)];
  const familyName = spell(family.pick(locale.family));
  const address = family.pick(locale.streets);
  const houseNumber = family.between(1, 240);
  const city = family.pick(locale.cities);
  const postalCode = locale.postalCode === null ? null : digits(locale.postalCode, family);
  const domain = family.pick(domains);

  const random = new Random(seed, kinds.person, number);
  const givenName = spell(random.pick(locale.given));
  // The number in every local part keeps two people from sharing an e-mail by chance, and leads from an e-mail to its person.
  const mailbox =
    link === 'HOUSEHOLD' ? `family.${familyName.local}.${head}` : `${givenName.local}.${familyName.local}.${number}`;
  const email = `${mailbox}@${domain}`;
  const capitalized = random.chance(0.15);
  const variant = random.fraction();
  const helpdeskEmail =
    link === 'STRANGER' && variant < 0.4
      ? null
      : capitalized
        ? `${mailbox.replace(/(^|\.)[a-z]/g, (letter) => letter.toUpperCase())}@${domain}`
        : email;
  let paymentEmail: string | null = email;
  if (link === 'STRANGER') paymentEmail = variant < 0.7 ? `${mailbox}+shop@${domain}` : `${familyName.local}.${number}@${domain}`;
  if (link === 'VERIFIED' && number > castSize && variant < 0.1) {
    paymentEmail = variant < 0.02 ? null : `${familyName.local}.${givenName.local}.${number}@${domain}`;
  }
  return {
    number,
    country: locale.country,
    currency: locale.currency,
    language: locale.language,
    displayName:
      locale.familyFirst === undefined
        ? `${givenName.written} ${familyName.written}`
        : `${familyName.written}${locale.familyFirst}${givenName.written}`,
    givenName: givenName.written,
    cardName: `${givenName.latin} ${familyName.latin}`,
    link,
    helpdeskEmail,
    paymentEmail,
    phone: phoneOf(locale, number, random),
    address: {
      line1: `${address} ${houseNumber}`,
      line2: houseNumber % 9 === 0 ? `c/o ${familyName.latin}` : null,
      city,
      state: locale.states?.[locale.cities.indexOf(city)] ?? null,
      postalCode,
      country: locale.country,
    },
  };
};

/** The customers whose e-mail an address may be: the number in its local part, and the partner of a household. Empty for any other text. */
export const numbersBehind = (email: string): readonly number[] => {
  const found = /\.(\d{1,9})(?:\+[^@]*)?@example\.(?:com|org|net)$/i.exec(email);
  const number = found ? Number(found[1]) : 0;
  return number < 1 ? [] : number % 2 === 1 ? [number, number + 1] : [number];
};
