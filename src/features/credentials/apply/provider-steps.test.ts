import fc from 'fast-check';
import { credentialUpdateKinds } from '../../../authz/policy/update-policy';
import type { AddressRecord, MethodState, ProviderStep } from '../../../upstream/payments/payments.port';
import { type PlannedStep, planSteps, type StepsWanted } from './provider-steps';

const method = (reference: string): MethodState['method'] => ({
  reference,
  kind: 'CARD',
  brand: 'visa',
  last4: '4242',
  expiryMonth: 8,
  expiryYear: 2030,
  status: 'ACTIVE',
  isDefault: false,
  billingAddress: { line1: 'Old street 1', line2: null, city: 'Oldtown', postalCode: '1000', country: 'IE' },
  createdAt: new Date('2026-01-01T00:00:00Z'),
});
const current = (over: Partial<MethodState> = {}): MethodState => ({
  method: method('old'),
  defaultMethod: null,
  subscriptions: [],
  ...over,
});
const wanted = (over: Partial<StepsWanted>): StepsWanted => ({
  kind: 'SET_DEFAULT',
  customer: 'c',
  current: current(),
  replacement: null,
  address: null,
  ...over,
});

/** `SET_DEFAULT new`, `SET_SUBSCRIPTION_DEFAULT s1 new`: what a reader compares. */
const told = (step: ProviderStep): string =>
  [step.action, 'subscription' in step ? step.subscription : '', 'method' in step ? String(step.method) : '']
    .filter((part) => part !== '')
    .join(' ');
const plan = (over: Partial<StepsWanted>) => {
  const steps = planSteps(wanted(over));
  return typeof steps === 'string' ? steps : steps.map(({ step }) => told(step));
};
const replacement = { method: 'new', isAttached: true };

describe('the calls that bring an update about', () => {
  it.each<[string, Partial<StepsWanted>, unknown]>([
    ['a default moves on the customer', {}, ['SET_DEFAULT old']],
    [
      'and on subscriptions with a method of their own',
      {
        current: current({
          defaultMethod: 'x',
          subscriptions: [
            { reference: 's1', method: 'x' },
            { reference: 's2', method: null },
            { reference: 's3', method: 'old' },
          ],
        }),
      },
      ['SET_DEFAULT old', 'SET_SUBSCRIPTION_DEFAULT s1 old'],
    ],
    ['nothing where it is the default already', { current: current({ defaultMethod: 'old' }) }, []],
    ['an address is set on the method', { kind: 'BILLING_ADDRESS', address: null }, ['SET_ADDRESS old']],
    [
      'a card that is saved more than once goes everywhere, the one that was decided on last',
      { kind: 'REMOVE', copies: [current({ method: method('again') }), current({ method: method('once more') })] },
      ['DETACH again', 'DETACH once more', 'DETACH old'],
    ],
    [
      'and nowhere while something is paid with one of them',
      {
        kind: 'REMOVE',
        copies: [current({ method: method('again'), subscriptions: [{ reference: 's1', method: 'again' }] })],
      },
      'METHOD_IN_USE',
    ],
    [
      'and nowhere while one of them is the default that something is paid with',
      {
        kind: 'REMOVE',
        copies: [
          current({ method: method('again'), defaultMethod: 'again', subscriptions: [{ reference: 's1', method: null }] }),
        ],
      },
      'METHOD_IN_USE',
    ],
    [
      'a new card takes the place of each of them',
      {
        kind: 'REPLACE_CARD',
        replacement,
        current: current({ defaultMethod: 'again', subscriptions: [{ reference: 's1', method: 'again' }] }),
        copies: [
          current({
            method: method('again'),
            defaultMethod: 'again',
            subscriptions: [{ reference: 's1', method: 'again' }],
          }),
        ],
      },
      ['SET_DEFAULT new', 'SET_SUBSCRIPTION_DEFAULT s1 new', 'DETACH again', 'DETACH old'],
    ],
    [
      'an address is set on each of them',
      { kind: 'BILLING_ADDRESS', copies: [current({ method: method('again') })] },
      ['SET_ADDRESS again', 'SET_ADDRESS old'],
    ],
    ['a method that nothing charges is detached', { kind: 'REMOVE' }, ['DETACH old']],
    [
      'one that a subscription charges is not',
      { kind: 'REMOVE', current: current({ subscriptions: [{ reference: 's', method: 'old' }] }) },
      'METHOD_IN_USE',
    ],
    [
      'nor one that a subscription charges by default',
      { kind: 'REMOVE', current: current({ defaultMethod: 'old', subscriptions: [{ reference: 's', method: null }] }) },
      'METHOD_IN_USE',
    ],
    ['a default that nothing charges may go', { kind: 'REMOVE', current: current({ defaultMethod: 'old' }) }, ['DETACH old']],
    ['a new card takes the place of the old', { kind: 'REPLACE_CARD', replacement }, ['DETACH old']],
    [
      'everywhere where the old one stood, and only there',
      {
        kind: 'REPLACE_CARD',
        replacement: { ...replacement, isAttached: false },
        current: current({
          defaultMethod: 'old',
          subscriptions: [
            { reference: 's1', method: 'old' },
            { reference: 's2', method: 'x' },
          ],
        }),
      },
      ['ATTACH new', 'SET_DEFAULT new', 'SET_SUBSCRIPTION_DEFAULT s1 new', 'DETACH old'],
    ],
    ['no new card, no replacement', { kind: 'REPLACE_CARD' }, 'METHOD_GONE'],
    ['never by itself', { kind: 'REPLACE_CARD', replacement: { method: 'old', isAttached: true } }, 'METHOD_GONE'],
  ])('%s', (_, over, expected) => {
    expect(plan(over)).toEqual(expected);
  });

  it('can all be taken back but for the last', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...credentialUpdateKinds),
        fc.constantFrom(null, 'old', 'x'),
        fc.array(fc.record({ reference: fc.uuid(), method: fc.constantFrom(null, 'old', 'x') }), { maxLength: 5 }),
        fc.boolean(),
        (kind, defaultMethod, subscriptions, isAttached) => {
          const steps = planSteps(
            wanted({ kind, current: current({ defaultMethod, subscriptions }), replacement: { method: 'new', isAttached } }),
          );
          if (typeof steps === 'string') return;
          const undoable = steps.slice(0, -1) as readonly PlannedStep[];
          expect(undoable.filter(({ undo }) => undo === null)).toEqual([]);
          // Taking back sets what was there before: a default is never left on a card that goes.
          for (const { undo } of steps) if (undo?.action === 'SET_DEFAULT') expect(undo.method).toBe(defaultMethod);
        },
      ),
    );
  });
});

describe('an address that was confirmed before there was a state', () => {
  const confirmed = { line1: '12 New Ave', line2: null, city: 'Springfield', postalCode: '94000', country: 'US' };
  const set = (address: AddressRecord, present: AddressRecord | null) => {
    const steps = planSteps(
      wanted({ kind: 'BILLING_ADDRESS', address, current: current({ method: { ...method('old'), billingAddress: present } }) }),
    ) as readonly PlannedStep[];
    return steps.map(({ step, undo }) =>
      [step, undo].map((each) => (each?.action === 'SET_ADDRESS' ? each.address.state : undefined)),
    );
  };
  const present = { ...confirmed, line1: '1 Old St', state: 'CA' };

  it.each<[string, AddressRecord, AddressRecord | null, unknown]>([
    ['keeps the provider’s', confirmed, present, [['CA', 'CA']]],
    ['takes none to another country', { ...confirmed, country: 'IE' }, present, [[null, 'CA']]],
    ['has none where the provider has none', confirmed, null, [[null, null]]],
    ['is no other than one that was confirmed since', { ...confirmed, state: 'IL' }, present, [['IL', 'CA']]],
    ['nor than one that was left empty', { ...confirmed, state: null }, present, [[null, 'CA']]],
  ])('%s', (_, address, before, expected) => {
    expect(set(address, before)).toEqual(expected);
  });
});
