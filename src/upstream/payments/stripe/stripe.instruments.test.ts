import fc from 'fast-check';
import { z } from 'zod';
import { type Instrument, instrumentOf, paymentMethodDetails } from './stripe.instruments';

const seen = (type: string, own: object) => instrumentOf({ type, [type]: own });
const instrumentSchema = {
  parse: (details: unknown) => paymentMethodDetails({ other: z.unknown().optional() }).parse(details)?.instrument ?? null,
};
const card = { brand: 'visa', last4: '4242', exp_month: 8, exp_year: 2030, country: 'US' };

/** Every type that Stripe has as of 2026-07-29, with what its objects hold: of the method, or of the payments that are made with it. */
const known: readonly [string, object, Partial<Instrument>][] = [
  [
    'ach_credit_transfer',
    { bank_name: 'TEST BANK', account_number: 'test_52796e3294dc' },
    { kind: 'OTHER', brand: 'TEST BANK', last4: null },
  ],
  [
    'ach_debit',
    { bank_name: 'TEST BANK', country: 'US', last4: '6789' },
    { kind: 'BANK_DEBIT', brand: 'TEST BANK', country: 'US', last4: '6789' },
  ],
  ['acss_debit', { bank_name: 'TEST BANK', last4: '6789' }, { kind: 'BANK_DEBIT', brand: 'TEST BANK', last4: '6789' }],
  ['affirm', {}, { kind: 'OTHER', brand: 'affirm' }],
  ['afterpay_clearpay', {}, { kind: 'OTHER', brand: 'afterpay_clearpay' }],
  ['alipay', {}, { kind: 'WALLET', brand: 'alipay' }],
  ['alma', {}, { kind: 'OTHER', brand: 'alma' }],
  [
    'amazon_pay',
    { funding: { type: 'card', card } },
    { kind: 'WALLET', brand: 'visa', last4: '4242', expiryMonth: 8, expiryYear: 2030, country: 'US' },
  ],
  ['au_becs_debit', { bsb_number: '000000', last4: '3456' }, { kind: 'BANK_DEBIT', brand: 'au_becs_debit', last4: '3456' }],
  ['bacs_debit', { last4: '2345', sort_code: '108800' }, { kind: 'BANK_DEBIT', brand: 'bacs_debit', last4: '2345' }],
  [
    'bancontact',
    { bank_name: 'VAN DE LANSCHOT', iban_last4: '7061' },
    { kind: 'OTHER', brand: 'VAN DE LANSCHOT', last4: '7061' },
  ],
  ['billie', {}, { kind: 'OTHER', brand: 'billie' }],
  ['bizum', {}, { kind: 'OTHER', brand: 'bizum' }],
  ['blik', {}, { kind: 'OTHER', brand: 'blik' }],
  ['boleto', { tax_id: '000.000.000-00' }, { kind: 'OTHER', brand: 'boleto' }],
  [
    'card',
    { ...card, display_brand: 'visa' },
    { kind: 'CARD', brand: 'visa', last4: '4242', expiryMonth: 8, expiryYear: 2030, country: 'US' },
  ],
  ['card', { ...card, wallet: { type: 'apple_pay', dynamic_last4: '9999' } }, { kind: 'WALLET', brand: 'visa', last4: '4242' }],
  ['card_present', { ...card, country: 'FR', wallet: null }, { kind: 'CARD', brand: 'visa', last4: '4242', country: 'FR' }],
  ['cashapp', { cashtag: '$kim' }, { kind: 'WALLET', brand: 'cashapp' }],
  ['crypto', { buyer_address: '0x0', network: 'base' }, { kind: 'OTHER', brand: 'crypto' }],
  ['customer_balance', {}, { kind: 'OTHER', brand: 'customer_balance' }],
  ['eps', { bank: 'erste_bank_und_sparkassen' }, { kind: 'OTHER', brand: 'erste_bank_und_sparkassen' }],
  ['fpx', { bank: 'maybank2u' }, { kind: 'OTHER', brand: 'maybank2u' }],
  ['giropay', { bank_name: 'TESTBANK' }, { kind: 'OTHER', brand: 'TESTBANK' }],
  ['grabpay', {}, { kind: 'WALLET', brand: 'grabpay' }],
  ['ideal', { bank: 'rabobank', iban_last4: '4300' }, { kind: 'OTHER', brand: 'rabobank', last4: '4300' }],
  [
    'interac_present',
    { ...card, brand: 'interac', country: 'CA' },
    { kind: 'CARD', brand: 'interac', last4: '4242', country: 'CA' },
  ],
  ['kakao_pay', {}, { kind: 'WALLET', brand: 'kakao_pay' }],
  ['klarna', { payer_details: { address: { country: 'SE' } } }, { kind: 'OTHER', brand: 'klarna', country: 'SE' }],
  ['konbini', {}, { kind: 'OTHER', brand: 'konbini' }],
  ['kr_card', { brand: 'hyundai', last4: '1234' }, { kind: 'CARD', brand: 'hyundai', last4: '1234' }],
  ['link', { country: 'DE', email: 'a@b.example' }, { kind: 'WALLET', brand: 'link', country: 'DE' }],
  ['mb_way', {}, { kind: 'WALLET', brand: 'mb_way' }],
  ['mobilepay', { card: { ...card, country: 'DK' } }, { kind: 'WALLET', brand: 'visa', last4: '4242', country: 'DK' }],
  ['multibanco', { entity: '11111', reference: '123' }, { kind: 'OTHER', brand: 'multibanco', last4: null }],
  ['naver_pay', { funding: 'card' }, { kind: 'WALLET', brand: 'naver_pay' }],
  ['nz_bank_account', { bank_name: 'TEST BANK', last4: '6789' }, { kind: 'BANK_DEBIT', brand: 'TEST BANK', last4: '6789' }],
  ['oxxo', {}, { kind: 'OTHER', brand: 'oxxo' }],
  ['p24', { bank: 'ing' }, { kind: 'OTHER', brand: 'ing' }],
  ['pay_by_bank', {}, { kind: 'OTHER', brand: 'pay_by_bank' }],
  ['payco', {}, { kind: 'WALLET', brand: 'payco' }],
  ['paynow', {}, { kind: 'OTHER', brand: 'paynow' }],
  ['paypal', { country: 'NL', payer_email: 'a@b.example' }, { kind: 'WALLET', brand: 'paypal', country: 'NL' }],
  ['payto', { bsb_number: '000000', last4: '3456' }, { kind: 'BANK_DEBIT', brand: 'payto', last4: '3456' }],
  ['pix', { bank_transaction_id: 'x' }, { kind: 'OTHER', brand: 'pix' }],
  ['promptpay', {}, { kind: 'OTHER', brand: 'promptpay' }],
  [
    'revolut_pay',
    { funding: { type: 'card', card: { ...card, country: 'GB' } } },
    { kind: 'WALLET', brand: 'visa', last4: '4242', country: 'GB' },
  ],
  ['samsung_pay', {}, { kind: 'WALLET', brand: 'samsung_pay' }],
  ['satispay', {}, { kind: 'WALLET', brand: 'satispay' }],
  ['scalapay', {}, { kind: 'OTHER', brand: 'scalapay' }],
  [
    'sepa_credit_transfer',
    { bank_name: 'TEST BANK', iban: 'DE89370400440532013000' },
    { kind: 'OTHER', brand: 'TEST BANK', last4: null },
  ],
  ['sepa_debit', { country: 'DE', last4: '3000' }, { kind: 'BANK_DEBIT', brand: 'sepa_debit', last4: '3000', country: 'DE' }],
  ['sepa_debit', { country: 'MT', last4: '01aB' }, { kind: 'BANK_DEBIT', last4: '01AB', country: 'MT' }],
  ['sequra', {}, { kind: 'OTHER', brand: 'sequra' }],
  [
    'sofort',
    { bank_name: 'TESTBANK', country: 'AT', iban_last4: '3000' },
    { kind: 'OTHER', brand: 'TESTBANK', last4: '3000', country: 'AT' },
  ],
  ['sunbit', {}, { kind: 'OTHER', brand: 'sunbit' }],
  ['swish', { verified_phone_last4: '5678' }, { kind: 'WALLET', brand: 'swish', last4: null }],
  ['twint', {}, { kind: 'WALLET', brand: 'twint' }],
  ['upi', {}, { kind: 'OTHER', brand: 'upi' }],
  [
    'us_bank_account',
    { bank_name: 'TEST BANK', last4: '6789', routing_number: '110000000' },
    { kind: 'BANK_DEBIT', brand: 'TEST BANK', last4: '6789' },
  ],
  ['wechat_pay', {}, { kind: 'WALLET', brand: 'wechat_pay' }],
  ['zip', {}, { kind: 'OTHER', brand: 'zip' }],
];

test.each(known)('%s tells what stands in its places: %j', (type, own, expected) => {
  expect(seen(type, own)).toMatchObject({ type, ...expected });
  // Whatever Stripe adds to an object of a type, the same is read.
  expect(seen(type, { ...own, something_new: { country: 'XX', last4: '0000' } })).toEqual(seen(type, own));
});

test('a type that Stripe invents tomorrow tells what stands in the usual places', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z]{3,9}(_[a-z]{3,6})?$/),
      fc.constantFrom<(card: object) => object>(
        (own) => own,
        (own) => ({ card: own }),
        (own) => ({ funding: { type: 'card', card: own } }),
        (own) => ({ funding: { type: 'stored_card', stored_card: own } }),
      ),
      (type, put) => {
        fc.pre(!['card', 'funding'].includes(type));
        expect(seen(type, put(card))).toMatchObject({
          brand: 'visa',
          last4: '4242',
          expiryMonth: 8,
          expiryYear: 2030,
          country: 'US',
        });
        expect(seen(type, put({ country: 'MT', last4: '01AB' }))).toMatchObject({
          last4: '01AB',
          country: 'MT',
          expiryYear: null,
        });
      },
    ),
  );
});

test.each([
  ['amex', null, 'amex'],
  ['amex', 'american_express', 'amex'],
  ['visa', 'other', 'visa'],
  ['diners', 'diners_club', 'diners'],
  ['eftpos_au', 'eftpos_australia', 'eftpos_au'],
  ['unionpay', 'union_pay', 'unionpay'],
  ['visa', 'cartes_bancaires', 'cartes_bancaires'],
  ['mastercard', 'interac', 'interac'],
  ['American Express', undefined, 'amex'],
  ['MasterCard', undefined, 'mastercard'],
  ['Diners Club', undefined, 'diners'],
  ['unknown', 'other', null],
  [null, null, null],
  ['4242424242424242', null, null],
  ['visa 4242 4242 4242 4242', null, null],
])('of brand %s, displayed as %s, one word is shown: %s', (brand, display, expected) => {
  expect(seen('card', { ...card, brand, display_brand: display }).brand).toBe(expected);
});

test.each(['42424', '424', '4242424242424242', '42a2', '４２４２', '4242\n', 4242])(
  'last four of a card that are %p are none',
  (last4) => {
    for (const type of ['card', 'card_present', 'kr_card']) expect(seen(type, { ...card, last4 }).last4).toBeNull();
    expect(seen('amazon_pay', { funding: { type: 'card', card: { ...card, last4 } } }).last4).toBeNull();
  },
);

test.each(['DEU', 'D', '', 49, 'de\n', 'D1'])('a country that is %p is none', (country) => {
  expect(seen('card', { ...card, country }).country).toBeNull();
});

test('no name, no number and no address of who pays is read, and nothing of another type', () => {
  const secret = 'canary';
  const read = JSON.stringify([
    seen('paypal', { payer_email: secret, payer_name: secret, payer_id: secret, country: 'NL' }),
    seen('klarna', { payer_details: { address: { country: 'SE', line1: secret, last4: '1111' }, name: secret } }),
    seen('card', { ...card, fingerprint: secret, cardholder_name: secret, iin: secret, number: secret, cvc: secret }),
    instrumentOf({ type: 'paypal', paypal: {}, card: { ...card, last4: '7777' } }),
  ]);
  expect(read).not.toMatch(/canary|1111|7777/);
});

test('one number is one fingerprint, wherever it stands, and never Stripe’s own word', () => {
  const fingerprint = 'AOB934RVNwzk6xtn';
  const one = seen('card', { ...card, fingerprint }).fingerprint;
  expect(one).toMatch(/^[\w-]{22}$/);
  expect(one).not.toContain(fingerprint);
  expect(seen('card', { ...card, exp_year: 2035, fingerprint }).fingerprint).toBe(one);
  expect(seen('sepa_debit', { last4: '3000', fingerprint: 'hgyZkZtYhZ8G0Wvt' }).fingerprint).not.toBe(one);
  for (const none of [undefined, null, '', 4242, 'a sentence of a bank'])
    expect(seen('card', { ...card, fingerprint: none }).fingerprint).toBeNull();
});

test('details of any shape are read or none', () => {
  expect(instrumentSchema.parse({ card })).toBeNull();
  fc.assert(
    fc.property(
      fc.object({ key: fc.constantFrom('type', 'card', 'funding', 'last4', 'country', 'payer_details', '__proto__') }),
      (junk) => {
        expect(() => instrumentSchema.parse(junk)).not.toThrow();
        expect(() => instrumentSchema.parse({ ...junk, type: 'card' })).not.toThrow();
      },
    ),
  );
});

test.each([
  [{ type: 'link', link: { country: 'DE' } }, 'DE'],
  [{ type: 'card_present', card_present: { country: 'FR' } }, 'FR'],
  [{ type: 'paypal', paypal: { country: 'NL' } }, 'NL'],
  [{ type: 'amazon_pay', amazon_pay: { funding: { type: 'card', card: { country: 'US' } } } }, 'US'],
  [{ type: 'klarna', klarna: { payer_details: { address: { country: 'SE' } } } }, 'SE'],
  [{ type: 'klarna', klarna: null }, null],
  [{ paypal: { country: 'NL' } }, null],
  [null, null],
])('the details of a payment, %j, tell the country %s', (details, expected) => {
  expect(instrumentSchema.parse(details)?.country ?? null).toBe(expected);
});
