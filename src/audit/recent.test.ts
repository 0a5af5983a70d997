import fc from 'fast-check';
import { partOf } from './bytes';
import { Recent } from './recent';

describe('what was seen of late', () => {
  test('is remembered as a map would, over one turn and not over two', () => {
    const step = fc.oneof(
      { weight: 30, arbitrary: fc.nat(400).map((number) => `name ${number}`) },
      { weight: 1, arbitrary: fc.constant(null) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 3_000, size: 'max' }), (steps) => {
        const recent = new Recent();
        let [younger, older] = [new Map<string, number>(), new Map<string, number>()];
        steps.forEach((name, leaf) => {
          if (name === null) {
            recent.turn();
            [younger, older] = [new Map(), younger];
            return;
          }
          const before = younger.get(name) ?? older.get(name);
          expect(recent.move(partOf(name), leaf, leaf % 7)).toEqual(
            before === undefined ? undefined : { leaf: before, ordinal: before % 7 },
          );
          younger.set(name, leaf);
        });
      }),
      { numRuns: 20 },
    );
  });

  test('isn’t mixed up among many', () => {
    const recent = new Recent();
    const mixedUp: number[] = [];
    for (let leaf = 0; leaf < 200_000; leaf += 1)
      if (recent.move(partOf(`evt_01K4ZJ0000${leaf * 7919}`), leaf, 0) !== undefined) mixedUp.push(leaf);
    expect(mixedUp).toEqual([]);
    expect(recent.move(partOf('evt_01K4ZJ00000'), 5, 0)).toEqual({ leaf: 0, ordinal: 0 });
  });
});
