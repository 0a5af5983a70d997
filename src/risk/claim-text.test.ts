import fc from 'fast-check';
import { type Claim, judgeClaim, type PaymentRecord, type RecordedPayment } from './claim';
import { claimInText } from './claim-text';
import type { ClaimedTrait } from './signal';

const writtenAt = new Date('2026-08-20T10:00:00.000Z');
const eur = (minorUnits: number, slack = 0) => [{ minorUnits, currency: 'EUR', slack }];
const read = (text: string) => {
  const claim = claimInText(text, writtenAt);
  if (claim === null) return null;
  const { amount, date, order, card } = claim;
  return {
    ...(amount === null ? {} : { amount }),
    ...(date === null ? {} : { date: date.toISOString().slice(0, 10) }),
    ...(order === null ? {} : { order }),
    ...(card === null ? {} : { card }),
  };
};

const plainOnes: readonly string[] = [
  'I was charged 49.90 EUR for order A-12.',
  'You charged me $5.00 for order A-12',
  'Hi,\nI have been charged €49.90 for my order A-12.\nThanks\nAnna Quill',
  'Hello Anna,\n\nwe paid 49,90 € for order number A-12 on 3 March 2026.\n\nKind regards\nPeter',
  'On March 3rd, you debited 49.90 EUR from my account for order A-12.',
  '49.90 EUR was debited from my credit card for order A-12. The parcel never came.',
  'My card ending in 4242 was charged 49.90 EUR on 2026-08-01.',
  'I see a charge of 49.90 EUR for order A-12 on my credit card statement.',
  'There is a charge of USD 49.90 on my card.',
  'I paid for order A-12 with my card ending in 9191.',
  'I paid 49.90 EUR by credit card for my order A-12. Where is the parcel?',
  'We have paid 1,049.90 EUR for order A-12 already.',
  'You have billed us 49.90 EUR for order #A-12!',
  'The total of 49.90 EUR was charged for order A-12.',
  'I was charged 49.90 EUR in total for order A-12. This is not correct.',
  'I was charged 76,543.21 EUR for order ZQA-12. That is fraud!',
  'I was billed EUR 49.90 for order A-12. Please look into it.',
  'I placed order A-12 and you charged me 49.90 EUR yesterday.',
  'Für Bestellung A-12 wurden 49,90 EUR abgebucht.',
  'Mir wurden gestern 49,90 € für die Bestellung A-12 berechnet und abgebucht.',
  'Guten Tag,\nSie haben mir 49,90 EUR für meine Bestellung A-12 abgebucht.\nMit freundlichen Grüßen\nAnna Quill',
  'Hallo, ich habe 49,90 Euro für Bestellung Nr. 77123 bezahlt. Das Paket kam nie an.',
  'Ich habe die Bestellung A-12 am 3.3.2026 mit meiner Karte, die auf 4242 endet, bezahlt.',
  'Von meinem Konto wurden am 3. März 49,90 EUR für die Bestellung A-12 eingezogen.',
  'Die Zahlung über 49,90 EUR vom 03.03.2026 war für Bestellung A-12.',
  'Meine Kreditkarte wurde mit 49,90 EUR für Bestellung A-12 belastet.',
  'Wir haben Ihnen 49,90 EUR für die Bestellung A-12 überwiesen.',
  'Es geht um die Abbuchung von 49,90 EUR für Bestellung A-12.',
  'I am writing about the payment of 49.90 EUR for order A-12.',
  'Dear Sir or Madam,\nI was charged 49.90 EUR for order A-12 on 01.08.2026. Please check this.\nBest regards',
  'My credit card was charged 49.90 EUR for order A-12. I would like to know why.',
  'In my bank statement I see a debit of 49.90 EUR for order A-12.',
  'Order A-12\n\nI was charged 49.90 EUR on 1 August 2026.',
];

const otherOnes: readonly string[] = [
  // Another kind of it.
  'My bank charged a fee of 1.50 EUR. It is about order A-12.',
  'I paid 12.00 EUR customs for order A-12.',
  'I paid customs, 24.90 EUR, for order A-12',
  'I paid 5.00 EUR shipping for order A-12.',
  'I was charged 3.00 EUR fee by my bank for order A-12',
  'I paid 5 EUR deposit for order A-12, the rest by PayPal',
  'I was charged 2.00 EUR interest for order A-12.',
  'I paid a charge of 12.00 EUR for order A-12.',
  'I paid charges of 12.00 EUR for order A-12.',
  'I paid 12.00 EUR for order A-12. It was the postman who wanted that.',
  'I paid 12.00 EUR for order A-12. That was the import VAT.',
  'I paid 12.00 EUR for order A-12. For the delivery.',
  'The courier wanted money. I paid 12.00 EUR for order A-12.',
  'I paid 4.00 EUR for gift wrapping of order A-12.',
  'I paid 9.00 EUR for the return of order A-12.',
  'I paid the import duty of 9.00 EUR for order A-12.',
  'I was charged 1.00 EUR to verify my card for order A-12.',
  'Meine Bank hat 1,50 EUR Gebühr abgebucht für Bestellung A-12',
  'Ich habe 24,90 EUR Zoll bezahlt für Bestellung A-12',
  'Ich habe 10,00 EUR Anzahlung bezahlt für Bestellung A-12.',
  'Ich habe 5,90 EUR Versandkosten für Bestellung A-12 bezahlt.',
  'Für die Bestellung A-12 wurden 3,00 EUR Auslandseinsatzentgelt abgebucht.',
  'Ich habe 12,00 EUR für Bestellung A-12 bezahlt. Das war die Einfuhrumsatzsteuer.',
  'Ich habe 12,00 EUR für Bestellung A-12 bezahlt. Für den Versand.',
  'Für Bestellung A-12 wurden mir 7,50 EUR Mahnkosten belastet.',
  // A part of it, or more than it.
  'The first instalment of 24.90 EUR was debited for order A-12.',
  'I paid half of order A-12: 10.00 EUR',
  'I have paid 10.00 EUR too much for order A-12.',
  'I paid 10.00 EUR too little for order A-12',
  'I paid 10.00 EUR extra for order A-12',
  'I got charged 10.00 EUR more for order A-12',
  'I paid 10.00 EUR of order A-12.',
  'You deducted 10.00 EUR from order A-12.',
  'You charged 10.00 EUR on top for order A-12.',
  'I paid 10.00 EUR towards order A-12.',
  'I paid 10.00 EUR for order A-12 in advance.',
  'I paid 10.00 EUR for order A-12. The remainder is open.',
  'I paid 10.00 EUR for order A-12. That was the first of three.',
  'I was charged 10.00 EUR for one item of order A-12.',
  'I paid for the socks in order A-12 10.00 EUR.',
  'I was charged the difference of 10.00 EUR for order A-12.',
  'Ich habe die erste Rate von 24,90 EUR bezahlt für Bestellung A-12',
  'Ich habe 10,00 EUR von der Bestellung A-12 bezahlt.',
  'Ich habe 10,00 EUR zu viel für Bestellung A-12 bezahlt.',
  'Ich habe die Hälfte, 10,00 EUR, für Bestellung A-12 bezahlt.',
  'Für Bestellung A-12 wurden schon mal 10,00 EUR abgebucht.',
  'Von den 49,90 EUR der Bestellung A-12 habe ich einen Teil bezahlt.',
  'Ich habe 10,00 EUR für Bestellung A-12 bezahlt, der Rest folgt.',
  'Für Bestellung A-12 habe ich bisher 10,00 EUR gezahlt.',
  // Several.
  'I was charged 10 EUR five times for order A-12',
  'I paid two times 10.00 EUR for order A-12',
  'I was charged 2 x 10.00 EUR for order A-12.',
  'I was charged 10.00 EUR twice for order A-12.',
  'I pay 10.00 EUR monthly, you charged order A-12.',
  'Payments of 10.00 EUR were made for order A-12.',
  'I was charged 10.00 EUR a month for order A-12.',
  'I paid 10.00 EUR for order A-12. I was charged in March. I paid 10.00 EUR for order A-12 again.',
  'Ich wurde fünfmal mit 10,00 EUR für Bestellung A-12 belastet.',
  'Für Bestellung A-12 wurden jeden Monat 10,00 EUR abgebucht.',
  'Zwei Zahlungen von 10,00 EUR für Bestellung A-12.',
  // By somebody else, somewhere else.
  'My wife paid 33.00 EUR in another shop. My order A-12 has not come.',
  'My wife paid 50.00 EUR for order A-12.',
  'A scammer told me that you charged 50.00 EUR for order A-12',
  'I paid 50.00 EUR to another shop with my card ending in 9999.',
  'I paid 24.90 EUR for the same item last year, order A-12 is the new one',
  'A friend says that you charged 50.00 EUR for order A-12.',
  'Somebody called. You charged 50.00 EUR for order A-12.',
  'I read that I paid 50.00 EUR for order A-12.',
  'They said I paid 50.00 EUR for order A-12.',
  'Your colleague claims I paid 50.00 EUR for order A-12.',
  'I was charged 50.00 EUR for order A-12 at Amazon.',
  'I paid 50.00 EUR yesterday. My order A-12 has not come.',
  'Order A-12 was for my neighbour. I paid 50.00 EUR.',
  'Mein Mann hat 33,00 EUR in einem anderen Laden bezahlt. Meine Bestellung A-12 ist noch da.',
  'Ein Betrüger sagte mir, dass Sie 50,00 EUR für Bestellung A-12 abgebucht haben.',
  'Meine Mutter hat 50,00 EUR für Bestellung A-12 bezahlt.',
  'Ich habe 50,00 EUR bei einem Händler mit der Karte, die auf 9999 endet, bezahlt.',
  'Angeblich habe ich 50,00 EUR für Bestellung A-12 bezahlt.',
  // The other way round, and what the shop or somebody else wrote to them.
  'You have paid me 50.00 EUR for order A-12.',
  'You paid 50.00 EUR for order A-12.',
  'I was paid 50.00 EUR for order A-12.',
  '50.00 EUR was paid to me for order A-12.',
  'A payment of 50.00 EUR to my account for order A-12.',
  'Your card was charged 50.00 EUR for order A-12.',
  'You were charged 50.00 EUR for order A-12.',
  '"I paid 50.00 EUR for order A-12."',
  'Order A-12 was already paid and you charged me 10.00 EUR.',
  'I paid for order A-12 and 5.00 EUR.',
  'Mir wurden 50,00 EUR für Bestellung A-12 überwiesen.',
  'Sie haben 50,00 EUR für Bestellung A-12 bezahlt.',
  'Sie hat 50,00 EUR für Bestellung A-12 bezahlt.',
  'Ihre Karte wurde mit 50,00 EUR für Bestellung A-12 belastet.',
  'Ihnen wurden 50,00 EUR für Bestellung A-12 abgebucht.',
  'Ihre Zahlung von 50,00 EUR für Bestellung A-12.',
  'The shop wrote. I paid 10.00 EUR for order A-12.',
  'Mastercard charged 49.90 EUR for order A-12',
  // Not made, not yet, or not said to be.
  'I paid -50.00 EUR for order A-12.',
  'The amount to be paid for order A-12 is 50.00 EUR.',
  'I will have paid 50.00 EUR for order A-12.',
  'You charged back 50.00 EUR for order A-12.',
  'I was charged at least 50.00 EUR for order A-12.',
  'Suppose I paid 50.00 EUR for order A-12.',
  'I hope I paid 50.00 EUR for order A-12.',
  'I was charged 50.00 EUR for order A-12. Sorry, I mean another order.',
  'I was charged 50.00 EUR for order A-12 and A-13.',
  'Order 4242424242424242 was charged 5.00 EUR',
  'Ich habe 12,50 EUR bezahlt, Kundennummer 123, Bestellung A-12',
  'Für Bestellung A-12 sind 50,00 EUR zu zahlen, bezahlt habe ich noch nichts.',
  'Ich habe für Bestellung A-12 über 50,00 EUR bezahlt.',
  'Ich soll 50,00 EUR für Bestellung A-12 bezahlt haben.',
];

describe('what a customer states of a payment', () => {
  it.each<readonly [string, ReturnType<typeof read>]>([
    ['I was charged 49.90 EUR on 3 March 2026.', { amount: eur(4_990), date: '2026-03-03' }],
    [
      'You charged €1,049.90 on March 3rd, 2026 for order #A-1001.',
      { amount: eur(104_990), date: '2026-03-03', order: 'A-1001' },
    ],
    ['Order number: A-1001\n\nI paid EUR 20 yesterday.', { amount: eur(2_000, 99), date: '2026-08-19', order: 'A-1001' }],
    [
      'I am writing about the payment of 12,00 €\non 2026-08-01 with my credit card ending in 4242.',
      { amount: eur(1_200), date: '2026-08-01', card: '4242' },
    ],
    ['Payment of 12.00 EUR with card **** 4242 for order no. 77123', { amount: eur(1_200), card: '4242', order: '77123' }],
    ['Am 3. März wurden 49,90 € abgebucht.', { amount: eur(4_990), date: '2026-03-03' }],
    [
      'Am 03.03.2026 wurden mir 1.049,90 Euro von der Karte, die auf 4242 lautet, abgebucht.',
      { amount: eur(104_990), date: '2026-03-03', card: '4242' },
    ],
    [
      'Für die Bestellung Nr. 77123 habe ich gestern 49,90 EUR bezahlt, Karte endet auf 4242.',
      { amount: eur(4_990), date: '2026-08-19', order: '77123', card: '4242' },
    ],
    ['Die Abbuchung vom 3.3. über 49,90 EUR', { amount: eur(4_990), date: '2026-03-03' }],
    ['I paid on 12/13/2025 the sum of £5.00', { amount: [{ minorUnits: 500, currency: 'GBP', slack: 0 }], date: '2025-12-13' }],
    ['I paid 500 JPY', { amount: [{ minorUnits: 500, currency: 'JPY', slack: 0 }] }],
    ['I paid $5.25', { amount: ['USD', 'CAD', 'AUD', 'NZD'].map((currency) => ({ minorUnits: 525, currency, slack: 0 })) }],
    // What they answer to is not theirs.
    ['I paid 5.00 EUR.\n\nOn Monday the shop wrote:\n> You paid 6.00 EUR', { amount: eur(500) }],
    ['I paid 5.00 EUR.\n\n-----Original Message-----\nYou paid 6.00 EUR', { amount: eur(500) }],
    ['I paid 5.00 EUR.\nAm 3. März 2026 schrieb der Laden:\nSie haben 6,00 EUR bezahlt', { amount: eur(500) }],
    ['I paid 5.00 EUR.\nOn Mon, 3 Mar 2026 at 10:00, Shop <shop@example.com>\nwrote:\nYou paid 6.00 EUR', { amount: eur(500) }],
    ['I paid 5.00 EUR.\n-- \nSpend 6.00 EUR, get paid', { amount: eur(500) }],
    // A day that can be read in two ways is none.
    ['I paid 5.00 EUR on 03/04/2026', { amount: eur(500) }],
  ])('is read: %j', (text, expected) => expect(read(text)).toEqual(expected));

  it.each([
    '',
    'The blender costs 49.90 EUR on your page.',
    'I would have paid 49.90 EUR.',
    'I was charged about 50 EUR on 3 March.',
    'I was not charged 49.90 EUR.',
    "I didn't pay 49.90 EUR.",
    'Was I charged 49.90 EUR on 3 March?',
    'I was charged 49.90 EUR instead of 39.90 EUR.',
    'I was charged 49.90 EUR. The invoice says 39.90 EUR.',
    'I paid 5.00 EUR on 3 March, and it came on 5 March.',
    'I paid on 3 March.',
    'I paid 1 234,56 EUR.',
    'I paid 1.23.4 EUR.',
    'I paid 12.5 JPY',
    'I paid for orders: order A-1001 and order A-1002',
    'Ich habe 49,90 EUR nicht bezahlt.',
    'Mir wurden etwa 50 EUR abgebucht.',
    '> I was charged 49.90 EUR on 3 March.',
  ])('is nothing where it isn’t plain: %j', (text) => expect(read(text)).toBeNull());

  it.each(plainOnes)('is read where it is said plainly: %j', (text) => {
    const claim = read(text);
    expect([text, claim?.amount ?? claim?.card ?? null]).not.toEqual([text, null]);
    if (/A-12|77123/.test(text)) expect(claim).toHaveProperty('order');
  });

  it.each(otherOnes)('is nothing where something else was paid, or by others, or elsewhere: %j', (text) => {
    expect([text, read(text)]).toEqual([text, null]);
  });

  it('is nothing where more may stand further down', () => {
    expect(read(`I paid 5.00 EUR.${' x'.repeat(3_900)}`)).not.toBeNull();
    expect(read(`I paid 5.00 EUR.${' x'.repeat(4_000)}`)).toBeNull();
  });

  it('is read in bounded time, and never has a form that it can’t have, whatever was written', () => {
    const bits = [
      '1',
      '9',
      '12',
      '.',
      ',',
      ' ',
      '\n',
      '>',
      '€',
      'EUR',
      '$',
      'paid ',
      'order #',
      'A-1',
      '*',
      '****',
      '4242',
      '-',
      '/',
      ':',
      '@',
    ];
    const texts = fc.array(fc.oneof(fc.constantFrom(...bits, 'March ', '2026', 'letzten vier Ziffern ', 'wrote:'), fc.string()), {
      maxLength: 400,
    });
    fc.assert(
      fc.property(texts, (parts) => {
        const claim = claimInText(parts.join(''), writtenAt);
        if (claim === null) return;
        expect(claim.card ?? '0000').toMatch(/^\d{4}$/);
        expect(claim.order ?? '000').toMatch(/^[A-Za-z0-9-]{3,40}$/);
        expect((claim.date ?? writtenAt).getTime()).toBeLessThanOrEqual(writtenAt.getTime() + 86_400_000);
        for (const each of claim.amount ?? []) expect(Number.isSafeInteger(each.minorUnits) && each.minorUnits >= 0).toBe(true);
      }),
      { numRuns: 300 },
    );
    for (const bit of [
      ...bits,
      '1.',
      '1,',
      '1 ',
      '€ ',
      '1.1.',
      '1/',
      'x1',
      'März ',
      'no ',
      'order ',
      "n't ",
      'On 1:\n',
      '.\n',
      'ending in ',
    ])
      for (const end of ['', ' paid 1', ':', ' EUR paid!']) {
        const text = `${bit.repeat(Math.floor(7_900 / bit.length))}${end}`;
        const began = performance.now();
        claimInText(text, writtenAt);
        expect([bit, end, performance.now() - began < 1_000]).toEqual([bit, end, true]);
      }
  });
});

describe('a claim', () => {
  const at = (text: string) => new Date(`${text}T12:00:00.000Z`);
  const payment = (id: string, over: Partial<RecordedPayment> = {}): RecordedPayment => ({
    id,
    createdAt: at('2026-08-10'),
    amounts: [{ minorUnits: 4_990, currency: 'EUR' }],
    order: 'A-1001',
    card: '4242',
    ...over,
  });
  const one = payment('txn_1');
  const other = payment('txn_2', {
    createdAt: at('2026-06-01'),
    amounts: [{ minorUnits: 700, currency: 'EUR' }],
    order: 'A-1002',
    card: '0005',
  });
  const claim = (stated: Partial<Record<ClaimedTrait, unknown>>): Claim => ({
    amount: null,
    date: null,
    order: null,
    card: null,
    ...(stated as Partial<Claim>),
  });
  const midnight = (text: string) => new Date(`${text}T00:00:00.000Z`);
  const record = (payments: readonly RecordedPayment[], isAboutThatTime = true): PaymentRecord => ({
    payments,
    completeFrom: midnight('2026-05-20'),
    completeTo: at('2026-08-20'),
    isAboutThatTime,
  });
  const judged = (stated: Parameters<typeof claim>[0], of: PaymentRecord = record([one, other])) => {
    const found = judgeClaim(claim(stated), of);
    return found && (found.paymentId === null ? found.outcome : `${found.outcome} ${found.paymentId}`);
  };

  it.each<readonly [string, Parameters<typeof claim>[0], string | null]>([
    ['an amount', { amount: eur(4_990) }, 'matched txn_1'],
    ['a whole amount', { amount: eur(4_900, 99) }, 'matched txn_1'],
    ['all of it', { amount: eur(4_990), date: midnight('2026-08-12'), order: '#a-1001', card: '4242' }, 'matched txn_1'],
    ['an order with another amount', { order: 'A-1001', amount: eur(9_990) }, 'contradicted txn_1'],
    ['an order with another card', { order: 'A-1001', card: '1111' }, 'contradicted txn_1'],
    ['an order with another day', { order: 'A-1001', date: midnight('2026-07-15') }, 'contradicted txn_1'],
    [
      'an order with its amount, and another day',
      { order: 'A-1001', amount: eur(4_990), date: midnight('2026-07-15') },
      'contradicted txn_1',
    ],
    ['an order with a day nearby', { order: 'A-1001', date: midnight('2026-08-20') }, null],
    [
      'an amount of a day with another order',
      { amount: eur(4_990), date: midnight('2026-08-10'), order: 'A-9' },
      'contradicted txn_1',
    ],
    [
      'an amount of a day with another card',
      { amount: eur(4_990), date: midnight('2026-08-10'), card: '1111' },
      'contradicted txn_1',
    ],
    ['what is true of another payment', { order: 'A-1001', amount: eur(700) }, null],
    ['an amount of none', { amount: eur(12_345) }, 'unmatched'],
    ['an amount of none on a day of one', { amount: eur(12_345), date: midnight('2026-08-10') }, 'unmatched'],
    ['an amount of one on a day of none', { amount: eur(4_990), date: midnight('2026-07-10') }, null],
    ['an amount before what is known', { amount: eur(12_345), date: midnight('2026-05-01') }, null],
    ['an amount of tomorrow', { amount: eur(12_345), date: midnight('2026-08-22') }, null],
    ['an amount in another currency', { amount: [{ minorUnits: 5_300, currency: 'USD', slack: 0 }] }, null],
    ['a number that is no order of theirs by its form', { order: '1Z999AA1' }, null],
    ['an order of none', { order: 'B-7' }, 'unmatched'],
    ['a card of none', { card: '1111' }, 'unmatched'],
    ['a day of none', { date: midnight('2026-07-10') }, 'unmatched'],
    ['nothing', {}, null],
  ])('of %s', (_, stated, expected) => expect(judged(stated)).toBe(expected));

  it('is about no time that isn’t said, unless it is said of all', () => {
    expect(judged({ amount: eur(12_345) }, record([one], false))).toBeNull();
    expect(judged({ amount: eur(12_345), date: midnight('2026-08-10') }, record([one], false))).toBe('unmatched');
  });

  it('tells nothing where there are no payments, or too little is known of one', () => {
    expect(judged({ amount: eur(1) }, record([]))).toBeNull();
    expect(judged({ card: '1111' }, record([one, payment('txn_3', { card: null })]))).toBeNull();
    expect(judged({ order: 'A-1001', card: '1111' }, record([payment('txn_3', { card: null })]))).toBeNull();
  });

  it('contradicts no order that was paid in parts, and one that was tried twice', () => {
    const parts = [one, payment('txn_3', { amounts: [{ minorUnits: 1_000, currency: 'EUR' }] })];
    expect(judged({ order: 'A-1001', amount: eur(5_990) }, record(parts))).not.toMatch('contradicted');
    const tries = [one, payment('txn_3', { createdAt: at('2026-08-11') })];
    expect(judged({ order: 'A-1001', amount: eur(9_980) }, record(tries))).not.toMatch('contradicted');
    expect(judged({ order: 'A-1001', amount: eur(1_000) }, record(tries))).toBe('contradicted txn_3');
  });
});
