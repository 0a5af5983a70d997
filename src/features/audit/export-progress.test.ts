import fc from 'fast-check';
import { ExportProgress } from './export-progress';

describe('what is known of an export', () => {
  const written = (lengths: readonly number[], from = 0, progress = new ExportProgress()) => {
    let bytes = lengths.slice(0, from).reduce((sum, each) => sum + each, 0);
    const places = new Map<number, number>();
    for (let leaf = from; leaf < lengths.length; leaf += 1) {
      places.set(leaf, bytes);
      progress.pass({ leaf, bytes });
      bytes += lengths[leaf] as number;
    }
    return { progress, places, bytes };
  };

  test('is a place near any byte that was written, which is where that leaf’s line begins', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 3_000, size: 'max' }), fc.nat(), (lengths, at) => {
        const { progress, places, bytes } = written(lengths);
        const byte = at % (bytes + 1);
        const place = progress.before(byte);
        if (place === null) return expect(lengths).toEqual([]);
        expect(place.bytes).toBe(places.get(place.leaf));
        expect(place.bytes).toBeLessThanOrEqual(byte);
        expect(byte - place.bytes).toBeLessThanOrEqual(64 * 900);
      }),
      { numRuns: 30 },
    );
  });

  test('doesn’t grow with the export, and stays as near as a thousandth of it', () => {
    const lengths = Array.from({ length: 1_000_000 }, () => 1);
    const { progress } = written(lengths);
    expect((Reflect.get(progress, 'places') as unknown[]).length).toBeLessThan(1_024);
    for (const byte of [5_000, 123_456, 999_999]) expect(byte - (progress.before(byte)?.bytes ?? 0)).toBeLessThan(2_048);
  });

  test('is the same whoever adds to it, from whichever place', () => {
    const lengths = Array.from({ length: 500 }, (_, leaf) => 1 + (leaf % 7));
    const { progress, places } = written(lengths.slice(0, 300));
    written(lengths, progress.before(400)?.leaf, progress);
    const { progress: whole } = written(lengths);
    expect(Reflect.get(progress, 'places')).toEqual(Reflect.get(whole, 'places'));
    expect(places.get(256)).toBe(progress.before(places.get(256) as number)?.bytes);
  });
});
