import { setImmediate } from 'node:timers/promises';
import { parseExposureFile } from './file';

describe('keys that are maps or lists', () => {
  const warnings: string[] = [];
  const keep = ({ message }: Error) => void warnings.push(message);
  beforeAll(() => void process.on('warning', keep));
  afterAll(() => void process.off('warning', keep));

  // Read on, forty such lines are eleven seconds in which nobody else is answered; that this was read at all is why it takes any time.
  test.each([
    ['one within another', Array<string>(40).fill('? '.repeat(195)).join('\n')],
    ['lists within them', Array<string>(40).fill('? - '.repeat(97)).join('\n')],
    ['one', '? {canary: 1}\n: 1'],
    ['one beside others', 'version: 1\nfields:\n  ? [canary]\n  : {}\n'],
  ])('are refused before anything is made of them, and repeated nowhere: %s', async (_, text) => {
    const begun = performance.now();
    const { problems } = parseExposureFile(text);
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(problems[0]?.message).toBe('a map or a list is no key; expected a word');
    expect(JSON.stringify(problems)).not.toContain('canary');
    await setImmediate();
    expect(warnings).toEqual([]);
  });

  test('say on which line they stand', () => {
    expect(parseExposureFile('version: 1\nfields:\n  ? [canary]\n  : {}\n').problems).toMatchObject([{ line: 3 }]);
  });
});
