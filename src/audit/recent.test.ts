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

  test('takes as long for names that were chosen to be alike as for any others', () => {
    // By FNV-1a, which isn't keyed: of each pair either word leads to the same low bits, so that all names made of them do.
    const step = (from: number, word: string): number =>
      [...word].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193), from) & 0x3f_ffff;
    let state = 0x811c9dc5;
    const pairs = Array.from({ length: 16 }, (_, level) => {
      const seen = new Map<number, string>();
      for (let number = 0; ; number += 1) {
        const word = `${number.toString(36)}.${level}`;
        const next = step(state, word);
        const other = seen.get(next);
        if (other !== undefined) {
          state = next;
          return [other, word] as const;
        }
        seen.set(next, word);
      }
    });
    const alike = (number: number): string => pairs.map((pair, place) => pair[(number >> place) & 1]).join('');
    const timeOf = (name: (number: number) => string): number => {
      const names = Array.from({ length: 40_000 }, (_, number) => partOf(name(number)));
      const recent = new Recent();
      const before = process.cpuUsage();
      names.forEach((each, leaf) => {
        recent.move(each, leaf, 0);
      });
      return process.cpuUsage(before).user;
    };
    const other = (number: number): string => `${number}`.repeat(12);
    timeOf(other);
    expect(timeOf(alike)).toBeLessThan(20 * timeOf(other) + 100_000);
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
