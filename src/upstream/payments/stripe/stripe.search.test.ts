import fc from 'fast-check';
import { emailClause, isMetadataKey, metadataClause, quoted } from './stripe.search';

test('a value stands in quotes, with quotes inside escaped', () => {
  expect(metadataClause('helpdesk_customer', 'rt:42')).toBe('metadata["helpdesk_customer"]:"rt:42"');
  expect(emailClause(`o'brien@example.com`)).toBe(`email:"o'brien@example.com"`);
  expect(quoted('a" OR email~"b')).toBe('"a\\" OR email~\\"b"');
});

test.each(['', 'a\\', 'a\\" OR email~"b', 'a\nb', 'a\u0000', 'a\u200bb', 'a\u2028b', '\ud800', 'x'.repeat(501)])(
  '%p is not searched for',
  (value) => {
    expect(quoted(value)).toBeNull();
  },
);

test('no value ends its own quotes', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('"', '\\', "'", ' ', 'O', 'R', ':', '~', 'é') }), (value) => {
      const literal = quoted(value);
      if (literal === null) return;
      expect(literal.slice(1, -1).replaceAll('\\"', '')).not.toContain('"');
      expect(literal.slice(1, -1).replaceAll('\\"', '"')).toBe(value);
    }),
    { numRuns: 500 },
  );
});

test.each(['helpdesk_customer', 'crm.id', 'A-1'])('%p may be a metadata key', (key) => {
  expect(isMetadataKey(key)).toBe(true);
});

test.each(['', 'a"]:"x" OR metadata["b', 'a b', "a'b", 'a[b]', '__proto__', 'k'.repeat(41)])('%p may not', (key) => {
  expect(isMetadataKey(key)).toBe(false);
  expect(metadataClause(key, 'v')).toBeNull();
});
