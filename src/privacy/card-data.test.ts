import fc from 'fast-check';
import { Failure } from '../failure';
import { type CardDataKind, gravestCardData, gravestInAddress } from './card-data';
import { expectNoCardData } from './text-guard';

const refused: Readonly<Record<Exclude<CardDataKind, 'TRACK'>, readonly string[]>> = {
  CARD_NUMBER: [
    '4242 4242 4242 4242',
    '4242;4242;4242;4242',
    '[4242] [4242] [4242] [4242]',
    'The new card is 4242-4242-4242-4242, CVC 123, exp 12/29',
    '４２４２４２４２４２４２４２４２',
    // Labelled, with a wrong digit: mistyped, and still nearly all of it.
    'card number 4242 4242 4242 4243',
    'Card no.: 4242424242424243',
    'Kartennummer: 4242 4242 4242 4243',
    'numéro de carte 4242.4242.4242.4243',
    'número de tarjeta: 4242-4242-4242-4243',
    'номер карты 4242 4242 4242 4243',
  ],
  CVC: [
    'CVC 123',
    'cvc:123',
    'CVC123',
    'CVV=1234',
    'CVV2: 123',
    'cvc2 1234',
    'CID 1234',
    'CSC: 987',
    'my cvv is 123',
    'my CVV number is: 123',
    'the CVC for that one: 123',
    'security code 123',
    'Security-Code: 123',
    'security_code=123',
    '"securityCode": "123"',
    'the security code on the back of my card is 123',
    'card code 4321',
    '123 is the CVC',
    '(123) CVV',
    '1 2 3 is the cvc',
    'C V C 123',
    'C.V.V.: 123',
    'c-v-c 1-2-3',
    'CVC 1 2 3',
    'CVC: 1.2.3.4',
    'CVC ......... 123',
    'CVC\n123',
    'the number on the back of the card is 123',
    'ＣＶＣ １２３',
    '𝐂𝐕𝐂 𝟏𝟐𝟑',
    'C\u200bV\u200bC 1\u200b2\u200b3',
    'CV\u00adC 123',
    'C\u3164VC 123',
    'CVC ١٢٣',
    'CVC 1️⃣2️⃣3️⃣',
    'CVC ①②③',
    // With Cyrillic letters that look Latin.
    'СVС 123',
    'Prüfziffer 123',
    'Die Prüfnummer lautet 123',
    'Kartenprüfnummer: 123',
    'Kreditkartenprüfnummer 123',
    'KARTENPRUFNUMMER 123',
    'Der Sicherheitscode auf der Rückseite ist 123',
    'cryptogramme : 123',
    'le cryptogramme visuel est 123',
    'Code de sécurité : 123',
    'código de seguridad: 123',
    'CODIGO DE SEGURIDAD 123',
    'el código de seguridad de mi tarjeta es 123',
    'codice di sicurezza 123',
    'código de segurança é 123',
    'kod CVC 123',
    'kod bezpieczeństwa: 123',
    'beveiligingscode 123',
    'güvenlik kodu 123',
    'код безопасности 123',
    '安全码是123',
    'セキュリティコードは123です',
    'exp 12/29, cvc 123',
    'CCV 123',
    'my sec code is 123',
    'verification code on the card 123',
    'the 3 digits on the reverse: 123',
    'Pruefziffer 123',
    'die dreistellige Nummer hinten ist 123',
    'Die drei Zahlen auf der Rueckseite: 123',
    'Kontrollnummer der Karte 123',
    'le code à trois chiffres au dos est 123',
    'les trois derniers chiffres au dos de la carte : 123',
    'numéro de sécurité : 123',
    'los tres dígitos de atrás son 123',
    'los 3 dígitos del reverso: 123',
    'número de seguridad 123',
    'le tre cifre sul retro: 123',
    'os três dígitos no verso: 123',
    'biztonsági kód 123',
    'セキュリティ番号は123です',
    '<tr><td>CVC</td><td>123</td></tr>',
  ],
  EXPIRY: [
    'exp 12/29',
    'Exp. 12/29',
    'EXP:12/2029',
    'exp1229',
    'exp 1229',
    'exp 122029',
    'exp 8/27',
    'exp 12 / 29',
    'exp 12 29',
    'exp 12-29',
    'exp 12.29',
    'exp 12\u200b/\u200b29',
    'exp 12⁄29',
    'ｅｘｐ １２／２９',
    'e.x.p. 12/29',
    'exp 12 slash 29',
    'exp 12/29, 3 attempts',
    'expiry date is 12/29',
    'expires 2029-12',
    'expires 12/29',
    'the card expires in December 2029',
    'expires Dec 29',
    "exp Dec '29",
    'expiration: 05/19',
    'my new one is valid thru 12/29',
    'valid until: 12/29',
    'good thru 12/29',
    'MM/YY: 12/29',
    '12/29 is the expiry',
    'Visa 4242 12/29 exp',
    'gültig bis 12/29',
    'gueltig bis 12/29',
    'Karte läuft 12/29 ab',
    'Die Karte läuft im Dezember 2029 ab',
    'laeuft 12/2029 ab',
    'Ablaufmonat 12, Ablaufjahr 2029',
    'expMonth=12&expYear=2029',
    'valable jusqu’à 12/29',
    'valide jusque 12/2029',
    'vto. 12/29',
    '<td>Exp</td><td>12/29</td>',
    'Gültig bis: 12.2029',
    'gültig bis Dezember 2029',
    'Ablaufdatum 12/29',
    'Das Ablaufdatum ist 12/29',
    'läuft ab 12/29',
    'expire fin 12/29',
    "date d'expiration : 12/29",
    'fin de validité déc. 2029',
    'caducidad 12/29',
    'fecha de caducidad: 12/29',
    'válida hasta 12/29',
    'vencimiento: 12/29',
    'scadenza 12/29',
    'data di scadenza: dicembre 2029',
    'validade 12/29',
    'ważna do 12/29',
    'geldig tot 12/29',
    'срок действия 12/29',
    '有效期12/29',
    // Not labelled, but beside each other.
    '12/29 123',
    '12/29, 1234',
    '123 12/29',
    '12/2029 - 123',
    '(12/29) [123]',
    '12/29/123',
    '12|2029|123',
    '12/29 and 123',
    '12 slash 29 123',
    '１２／２９ １２３',
    'Visa 4242 12/29',
    'Visa •••• 4242 08/2030',
    '4242 4242 4242 4243 12/29 123',
  ],
};

const accepted: readonly string[] = [
  '',
  'The customer asks for it on the phone.',
  'house number 123',
  'I live at 123 Main Street',
  'order 4242',
  'Order no. 4242, the CVC was wrong',
  'the CVC was wrong on order 4242',
  'ticket 123: CVC rejected three times',
  'CVC, house number 123',
  'ticket 123',
  'see ticket 4242 of 12/24',
  'order 4242, 12/24: called back',
  'on 12/24 I called',
  'on 12/24 and 12/29 I called',
  'called on 12/24/2026 at 14:30',
  'On 12/24 2026 I called',
  'between 12/24 and 12/29',
  'On 12/24 the card expired',
  'Card expired, customer called on 12/24',
  'The card expired. Called on 12/24.',
  'Her card expired in 2024',
  'the offer expires 24.12.2026',
  'the offer expires on 2026-12-24',
  'the offer expires December 24, 2026',
  'the offer expires on 24 December 2026',
  'the link expires at 12:30',
  'Die Karte läuft seit 12/24 nicht mehr',
  'Die Aktion läuft bis 12/24',
  'Kontrollnummer 12345 der Rechnung',
  'les chiffres de 12/24',
  'la commande est au dos de la facture 123',
  'the link expires in 24 hours',
  'the link expires in 10-12 days',
  'expired three months ago',
  'code 482913',
  'security code 482913 from the SMS',
  'the CVC failed since 2024',
  'CVC mismatch on 12.03.2024',
  'CVC declined, amount 150.00 EUR',
  'the CVC check failed, $150 open',
  'The CVC is on the back of the card. 123 Main Street is the address.',
  'paid 150 EUR on 12/24',
  '12/24 $150',
  'number 123 of 12.10.2023',
  '+49 30 1234567',
  '030 12 29 123 45',
  '030-12-29-123',
  'Tel. 0301234567, 12/24',
  'called 12/24 030 1234567',
  'the card ending 4242',
  'Visa ending in 4242, the CVC was wrong',
  'card number ending 4242',
  'the new card number is with the bank',
  'gift card number 1234567890123456',
  'Bestellung 4242 vom 12.11.',
  'Hausnummer 123, Straße 12',
  'Am 24.12. rief die Kundin an, Karte abgelaufen',
  'Die Karte ist abgelaufen, Rechnung 4242',
  'Die Prüfziffer der Karte fehlt',
  'Commande 4242 du 12/11',
  'le 12/11 elle a appelé',
  'Pedido 4242, llamó el 12/11',
  'Ordine 4242 del 12/11',
  'room 12/29',
  'Calle del Cid 123, 28001 Madrid',
  'Hauptstraße 12/24, 1010 Wien',
  'Lange Gasse 12/24 1080 Wien',
  'Hauptstr. 123 12/24',
  'a 3-digit code',
  '24/7',
  'ISO 4217 and RFC 9449',
];

describe('card data is found', () => {
  for (const kind of ['CARD_NUMBER', 'CVC', 'EXPIRY'] as const) {
    it.each(refused[kind])(`${kind}: %j`, (text) => {
      expect(gravestCardData(text)).toBe(kind);
    });
  }

  it.each(accepted)('in none of %j', (text) => {
    expect(gravestCardData(text)).toBeNull();
  });
});

describe('in an address', () => {
  it.each([
    'Graben 12/24/123',
    'Kärntner Ring 5/24 1010 Wien',
    'Unit 12/24 123 Smith Street',
    'H.No. 12/24/123',
    'Door 5/28 123',
    'Fleischmarkt 10/24 1010 Wien 1010 AT',
  ])('house, stairs and door are none: %s', (text) => {
    expect(gravestInAddress(text)).toBeNull();
  });

  it.each([
    ['4242 4242 4242 4242', 'CARD_NUMBER'],
    ['4242 4242 4242 4242 12/29 123', 'CARD_NUMBER'],
    ['Main Street 1, CVC 123', 'CVC'],
    ['Main Street 1, exp 12/29', 'EXPIRY'],
    ['Visa 4242 12/29', 'EXPIRY'],
    ['my card 12/29 123', 'EXPIRY'],
  ])('card data is found: %s', (text, kind) => {
    expect(gravestInAddress(text)).toBe(kind);
  });
});

describe('an argument with card data', () => {
  const refusal = (text: string): unknown => {
    try {
      expectNoCardData('input.reason', text);
      return null;
    } catch (error) {
      return error;
    }
  };

  it('is refused with its name and what is accepted, and nothing of its value', () => {
    const said = new Set(
      Object.values(refused)
        .flat()
        .map((text) => {
          const error = refusal(text);
          expect(error).toBeInstanceOf(Failure);
          expect(error).toMatchObject({ code: 'INVALID', details: { argument: 'input.reason' } });
          return (error as Failure).message;
        }),
    );
    expect([...said]).toEqual([
      'input.reason: expected a text without card number, security code and expiry date; the last four digits of a card say which one it is',
    ]);
  });

  it('is accepted where there is none', () => {
    for (const text of accepted) expect(refusal(text)).toBeNull();
  });
});

describe('whatever stands around it,', () => {
  const label = fc.constantFrom('CVC', 'cvv', 'CVV2', 'security code', 'Prüfziffer', 'cryptogramme', 'código de seguridad');
  const code = fc.stringMatching(/^[0-9]{3,4}$/);
  const separator = fc.constantFrom(' ', ':', ': ', ' = ', ' - ', '\n', '\t', ' \u200b', '\u00a0', ' is ', ' (', ' number: ');
  const prose = fc
    .array(fc.constantFrom('hello', 'the customer', 'asked;', 'Bonjour.', 'order 4242,', 'on 12/24', '14:30', '€ 12.50', '…'), {
      maxLength: 8,
    })
    .map((words) => words.join(' '));
  const month = fc.integer({ min: 1, max: 12 }).map((value) => String(value).padStart(2, '0'));
  const year = fc.integer({ min: 24, max: 45 }).map(String);
  const dateSeparator = fc.constantFrom('/', ' / ', '-', '.', '|', '\u2044', '／', ' slash ', '');

  it('a labelled code is found', () => {
    fc.assert(
      fc.property(prose, label, separator, code, prose, (before, name, between, digits, after) => {
        expect(gravestCardData(`${before}. ${name}${between}${digits}. ${after}`)).not.toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  it('a labelled expiry is found', () => {
    const expiryLabel = fc.constantFrom(
      'exp',
      'Exp.',
      'expires',
      'valid thru',
      'gültig bis',
      'expire fin',
      'caducidad',
      'scadenza',
    );
    fc.assert(
      fc.property(prose, expiryLabel, month, dateSeparator, year, prose, (before, name, mm, between, yy, after) => {
        expect(gravestCardData(`${before}. ${name} ${mm}${between}${yy}. ${after}`)).not.toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  it('an expiry beside a code is found, in either order', () => {
    const notYear = code.filter((digits) => !/^(?:19|20)..$/.test(digits));
    const beside = fc.constantFrom(' ', ', ', ' - ', '; ', ' | ');
    fc.assert(
      fc.property(month, year, notYear, beside, fc.boolean(), (mm, yy, digits, between, isFirst) => {
        const expiry = `${mm}/${yy}`;
        expect(gravestCardData(isFirst ? `${expiry}${between}${digits}` : `${digits}${between}${expiry}`)).not.toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  it('a code alone, or a date alone, is none', () => {
    const word = fc.constantFrom('house number', 'order', 'ticket', 'code', 'about', 'I live at');
    fc.assert(
      fc.property(word, code, month, year, (name, digits, mm, yy) => {
        expect(gravestCardData(`${name} ${digits}`)).toBeNull();
        expect(gravestCardData(`on ${mm}/${yy} I called`)).toBeNull();
      }),
    );
  });

  it('no text makes it throw', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc
        .array(
          fc.constantFrom('cvc', 'exp', 'c', 'v', '1', '12', '29', '123', '/', ' ', '.', '\n', '١', 'é', '\ud800', 'card number'),
          {
            maxLength: 60,
          },
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(anything, (text) => {
        expect([null, 'CARD_NUMBER', 'CVC', 'EXPIRY']).toContain(gravestCardData(text));
      }),
      { numRuns: 1_000 },
    );
  });

  // Were the work to grow with the square of the length, none of these would end before the runner gives up.
  it.each([
    'cvc ',
    '4242424242424242 ',
    '4242;',
    'c v c ',
    'cvc a ',
    'exp ',
    'exp 1 ',
    'exp is ',
    '12/29 ',
    '12 ',
    '1 ',
    '123 ',
    '4242 12/29 4',
    'card number 1 ',
    'is ',
    '\n ',
    '\n-',
    '. ',
    '1',
    '\u0660',
    'e\u0301',
    '安全',
    'x',
    '\u200b',
  ])('a text of 200,000 characters is read to its end, made of %j', (part) => {
    const long = part.repeat(Math.ceil(200_000 / part.length));
    expect(gravestCardData(`${long} . order CVC: 123`)).not.toBeNull();
  });
});
