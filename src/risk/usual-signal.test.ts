import fc from 'fast-check';
import { containsCardNumber } from '../privacy/redaction';
import { credentialChanges, outcomes, signalSchema, signalTypes, subjectNames } from './signal';
import { usualSignal } from './usual-signal';

const usual = {
  id: 'evt-1',
  type: 'payment.attempt.declined',
  occurredAt: '2026-09-01T09:30:00.250+02:00',
  subjects: { customer: 'c-1', card: 'k-1', device: 'd-1', ip: '198.51.100.7', emailDomain: 'example.com', order: null },
  facts: {
    country: 'DE',
    amount: { minorUnits: 1_999, currency: 'EUR', note: 'not a word of ours' },
    declineCode: 'insufficient_funds',
    advice: 'whatever',
    customerSince: '2024-02-01',
    outcome: 'declined',
    change: null,
    deadline: '2026-09-02T00:00:00Z',
  },
  more: ['not known'],
};

/** Anything that may stand where a text is expected. */
const anything = fc.oneof(
  fc.constantFrom<unknown>(null, undefined, '', 7, -0, true, [], {}, ['c-1'], { customer: 'c-1' }, Number.NaN, 1e300, 0.5),
  fc.constantFrom<unknown>('DE', 'de', 'EUR', 'x'.repeat(256), 'x'.repeat(257), '\ud83d\ude00', '\ud83d', '4242424242424242'),
  fc.constantFrom<unknown>(
    '2026-02-29T00:00:00Z',
    '2026-02-28T24:00:00Z',
    '2026-02-28',
    '2026-02-28T10:00Z',
    '2026-02-28t10:00:00z',
  ),
  fc.constantFrom<unknown>(
    '4.242424242e13',
    '5.555555555554444e15',
    'NDI0MjQyNDI0MjQyNDI0Mg==',
    'evt 1',
    'Müller',
    'do-not-honor',
    '05',
  ),
  fc.constantFrom<unknown>(...signalTypes, ...outcomes, ...credentialChanges, 'staff.unheard.of'),
  fc.string(),
);
const paths: readonly (readonly string[])[] = [
  ...['id', 'type', 'occurredAt', 'subjects', 'facts', 'source'].map((name) => [name]),
  ...subjectNames.map((name) => ['subjects', name]),
  ...Object.keys(usual.facts).map((name) => ['facts', name]),
  ...['minorUnits', 'currency'].map((name) => ['facts', 'amount', name]),
];

const changed = (value: unknown, [name, ...rest]: readonly string[], to: unknown): unknown => {
  if (name === undefined) return to;
  const object = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  return { ...object, [name]: changed(object[name], rest, to) };
};

describe('a usual signal', () => {
  it('is read as by the schema, wherever it is read at all', () => {
    let read = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...paths), anything), { maxLength: 3 }), (changes) => {
        // As JSON tells it: undefined is left out.
        const value: unknown = JSON.parse(
          JSON.stringify(changes.reduce<unknown>((before, [path, to]) => changed(before, path, to), usual)),
        );
        const signal = usualSignal(value, 'shop');
        if (signal === null) return;
        read += 1;
        expect(signal).toStrictEqual(signalSchema.parse({ source: 'shop', ...(value as object) }));
      }),
      { numRuns: 1_500 },
    );
    expect(read).toBeGreaterThan(150);
  });

  it('is one that senders send', () => {
    expect(usualSignal(usual, 'shop')).toStrictEqual(signalSchema.parse({ source: 'shop', ...usual }));
    expect(usualSignal({ id: 'e', type: 'ticket.contact', occurredAt: usual.occurredAt }, 'shop')).toEqual({
      source: 'shop',
      id: 'e',
      type: 'ticket.contact',
      occurredAt: new Date('2026-09-01T07:30:00.250Z'),
      subjects: {},
      facts: {},
    });
  });

  it.each([
    ['no object', 'evt-1'],
    ['a list', [usual]],
    ['another source', { ...usual, source: 'other' }],
    ['a type that nobody knows', { ...usual, type: 'loyalty.joined' }],
    ['a team', { ...usual, subjects: { team: 'cards' } }],
    ['a card number for an id', { ...usual, id: '4242424242424242' }],
    ['an id in which one is encoded', { ...usual, id: Buffer.from('4242424242424242').toString('base64') }],
    ['an id with a blank', { ...usual, id: 'evt 1' }],
    ['half a character', { ...usual, subjects: { customer: 'c\ud83d' } }],
    ['an impossible day', { ...usual, occurredAt: '2026-02-30T10:00:00Z' }],
    ['a sentence for a code', { ...usual, facts: { declineCode: 'Ana Müller was here' } }],
  ])('is not %s: that is for the schema to say', (_, value) => {
    expect(usualSignal(value, 'shop')).toBeNull();
  });

  it('has no card number in an id of fewer than twelve characters', () => {
    const figures = fc.constantFrom(...'0123456789ABCDEFabcdefZ=%.,eE+-_:;/\\^&#x'.split(''));
    fc.assert(
      fc.property(fc.string({ unit: figures, minLength: 1, maxLength: 11 }), (id) => expect(containsCardNumber(id)).toBe(false)),
      { numRuns: 5_000 },
    );
  });
});
