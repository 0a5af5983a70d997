import { describePlace, isStill, type MethodSummary, methodSummarySchema } from './method-summary';

const address = { line1: '1 Old St', line2: null, city: 'Springfield', state: 'CA', postalCode: '94000', country: 'US' };
const summary = (billingAddress: MethodSummary['billingAddress']): MethodSummary => ({
  ...{ kind: 'CARD', brand: 'visa', last4: '4242', expiryMonth: 8, expiryYear: 2030, country: 'US', isDefault: true },
  billingAddress,
});
const { state: _, ...withoutState } = address;

it('a place is told with its state, where it has one', () => {
  expect([address, { ...address, state: null }, withoutState, null].map(describePlace)).toEqual([
    'Springfield, CA, US',
    'Springfield, US',
    'Springfield, US',
    'no address',
  ]);
});

it.each([
  ['the same', address, address, true],
  ['another state', address, { ...address, state: 'IL' }, false],
  ['a state that went', address, { ...address, state: null }, false],
  ['a state that nobody knew when it was asked for', withoutState, address, true],
  ['none, and one with a state', null, { ...address, line1: null, city: null, postalCode: null, country: null }, false],
])('an address that was confirmed holds against %s: %j, %j', (_name, before, now, expected) => {
  expect(isStill(summary(before), summary(now), { address: true, default: true })).toBe(expected);
  expect(isStill(summary(before), summary(now), { address: false, default: true })).toBe(true);
});

it('what was kept before there were states can be read', () => {
  expect(methodSummarySchema.parse(summary(withoutState)).billingAddress).toEqual(withoutState);
});
