import fc from 'fast-check';
import { Failure } from '../failure';
import { answerText, writeAnswer } from './answer-text';
import { Work } from './work';

const work = (isLarge: boolean, answerBytes = 1_000_000): Work => {
  const made = new Work({ objects: 100_000, answerBytes });
  if (isLarge) made.addObjects(3_000);
  return made;
};
const written = async (data: Record<string, unknown>, isLarge: boolean, most = 1_000_000): Promise<string> => {
  const own = work(isLarge, most);
  try {
    await writeAnswer(data, own, most);
    return answerText({ data });
  } finally {
    own.end();
  }
};

describe('the text of an answer', () => {
  test('is that of JSON.stringify, in pieces as at once', async () => {
    const instant = new Date('2026-08-20T10:00:00.000Z');
    const values = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.double(),
        fc.boolean(),
        fc.constantFrom(null, undefined, instant, ''),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
      ),
    })).value;
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), values), async (data) => {
        const expected = `${JSON.stringify({ data })}\n`;
        expect([await written(data, false), await written(data, true)]).toEqual([expected, expected]);
      }),
      { numRuns: 300 },
    );
  });

  test('has errors and data in the order in which they are given, and small answers without data', async () => {
    const data = { a: [{ b: 1 }] };
    await writeAnswer(data, work(false), 1_000);
    const errors = [{ message: 'x' }];
    expect(answerText({ errors, data } as { data: unknown })).toBe('{"errors":[{"message":"x"}],"data":{"a":[{"b":1}]}}\n');
    expect(answerText({ data: null })).toBe('{"data":null}\n');
    expect(answerText({ errors: undefined, data } as { data: unknown })).toBe('{"data":{"a":[{"b":1}]}}\n');
  });

  test.each([
    ['at once', false],
    ['in pieces', true],
  ])('ends at its bytes, not its characters: %s', async (_name, isLarge) => {
    const data = { a: 'ü'.repeat(100), b: ['€'] };
    const bytes = Buffer.byteLength(JSON.stringify(data));
    await expect(written(data, isLarge, bytes)).resolves.toContain('€');
    await expect(written(data, isLarge, bytes - 1)).rejects.toThrow(Failure);
    await expect(written(data, isLarge, bytes - 1)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  });
});
