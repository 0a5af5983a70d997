import fc from 'fast-check';
import { explainDecline, plainDecline } from './declines';

/** Stripe's codes that speak of the card's holder, or of what the bank or the shop suspects. */
const accusing = [
  ...['stolen_card', 'lost_card', 'pickup_card', 'fraudulent', 'restricted_card', 'security_violation', 'merchant_blacklist'],
  ...[
    'highest_risk_level',
    'elevated_risk_level',
    'rule',
    'suspected_fraud',
    'STOLEN_CARD',
    '41',
    '43',
    'constructor',
    '__proto__',
  ],
];
const revealing = /stol|steal|theft|thief|lost|fraud|pick|suspici|suspect|black|risk|restrict|secur(?!ity code)|polic[ey]/i;

test.each(accusing)('%s reads as any decline', (code) => {
  expect([plainDecline(code), explainDecline(code, null)]).toEqual(['generic_decline', explainDecline('generic_decline', null)]);
  expect(explainDecline(code, 'do_not_try_again')).toBe(explainDecline('generic_decline', 'do_not_try_again'));
});

test('no explanation accuses the customer, whatever the code and the advice', () => {
  const known = [
    'insufficient_funds',
    'expired_card',
    'incorrect_cvc',
    'do_not_honor',
    'authentication_required',
    'processing_error',
  ];
  const code = fc.option(fc.oneof(fc.constantFrom(...accusing, ...known), fc.string()));
  const advice = fc.option(
    fc.oneof(fc.constantFrom('try_again_later', 'do_not_try_again', 'confirm_card_data', 'network_advice_03'), fc.string()),
  );
  fc.assert(
    fc.property(code, advice, (given, advised) => {
      const told = explainDecline(given, advised);
      expect(told === null).toBe(given === null && advised === null);
      if (told === null) return;
      expect(told).not.toMatch(revealing);
      expect(told).toMatch(/^[A-Z].*\.$/);
      expect(given === null || plainDecline(given) === given || !told.includes(given) || given.length < 4).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  [null, null, null],
  ['insufficient_funds', null, 'There wasn’t enough money, or limit, for this payment. The customer can pay in another way.'],
  [
    'insufficient_funds',
    'try_again_later',
    'There wasn’t enough money, or limit, for this payment. The customer can pay in another way. Another try, later, may succeed.',
  ],
  ['expired_card', 'an_advice_of_next_year', 'The card has expired. The customer should use another, or enter the new one.'],
  [
    null,
    'do_not_try_again',
    'The bank declined the payment and gave no reason. The customer can ask their bank, or pay in another way. Another try with the same card won’t succeed.',
  ],
])('%s with %s is told as %s', (code, advice, expected) => {
  expect(explainDecline(code, advice)).toBe(expected);
});
