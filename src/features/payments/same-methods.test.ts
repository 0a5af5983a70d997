import fc from 'fast-check';
import { placesOf } from './same-methods';

const saved = fc.record({
  fingerprint: fc.constantFrom(null, 'a', 'b'),
  kind: fc.constantFrom('CARD', 'WALLET'),
  last4: fc.constantFrom('4242', '4444'),
  status: fc.constantFrom('ACTIVE', 'EXPIRED', 'REMOVED'),
  isDefault: fc.boolean(),
  createdAt: fc.integer({ min: 0, max: 5 }).map((day) => new Date(day * 86_400_000)),
});

test('each card that is saved several times is shown once, with how often, and nothing else is hidden', () => {
  fc.assert(
    fc.property(fc.array(saved, { maxLength: 12 }), (drawn) => {
      const methods = drawn.map((method, index) => ({ ...method, id: `pm_${index}` }));
      const places = placesOf(methods);
      const byId = new Map(methods.map((method) => [method.id, method]));
      const cardOf = ({ kind, last4, fingerprint }: (typeof methods)[number]) => `${kind} ${last4} ${fingerprint}`;
      const grouped = methods.filter(({ fingerprint, status }) => fingerprint !== null && status !== 'REMOVED');
      const cards = new Set(grouped.map(cardOf));
      const shown = grouped.filter(({ id }) => places.get(id)?.sameAsId === null);
      expect(shown.map(cardOf).sort()).toEqual([...cards].sort());
      for (const one of shown) {
        const same = grouped.filter((each) => cardOf(each) === cardOf(one));
        expect(places.get(one.id)?.timesSaved).toBe(same.length);
        expect(one.isDefault).toBe(same.some(({ isDefault }) => isDefault));
        const rivals = same.filter(({ isDefault }) => isDefault === one.isDefault);
        expect(one.createdAt.getTime()).toBe(Math.max(...rivals.map(({ createdAt }) => createdAt.getTime())));
      }
      for (const { id } of methods) {
        const { sameAsId, timesSaved } = places.get(id) ?? {};
        if (grouped.every((each) => each.id !== id)) expect([sameAsId, timesSaved]).toEqual([null, null]);
        const other = sameAsId ? byId.get(sameAsId) : undefined;
        if (sameAsId) expect([places.get(sameAsId)?.sameAsId, other && cardOf(other)]).toEqual([null, cardOf(byId.get(id)!)]);
      }
      // Whatever order they are listed in.
      expect(placesOf([...methods].reverse())).toEqual(new Map([...places].sort().reverse()));
    }),
    { numRuns: 1_000 },
  );
});
