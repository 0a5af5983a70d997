import { Session } from 'node:inspector/promises';
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

describe('a map of many keys', () => {
  /** How often functions were called, whichever they were: what a text takes, whatever else the machine does. */
  const callsOf = async (text: string): Promise<number> => {
    const session = new Session();
    session.connect();
    try {
      await session.post('Profiler.enable');
      await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
      parseExposureFile(text);
      const { result } = await session.post('Profiler.takePreciseCoverage');
      const counts = result.flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges.map(({ count }) => count)));
      return counts.reduce((sum, count) => sum + count, 0);
    } finally {
      session.disconnect();
    }
  };

  test.each<[string, (key: string) => string, string]>([
    ['types', (key) => `  ${key}: { field: { AGENT: reveal } }`, 'version: 1\nfields:'],
    ['words between commas', (key) => `  ${key}: x,`, 'fields: {\n  Type: x,'],
    ['roles', (key) => `      ${key}: reveal`, 'version: 1\nfields:\n  Customer:\n    email:'],
  ])('takes what its keys take, not what each takes with all others: %s', async (_, line, beginning) => {
    const of = (keys: number) =>
      [beginning, ...Array.from({ length: keys }, (_each, at) => line(`Key${at}`)), beginning.includes('{') ? '}' : ''].join(
        '\n',
      );
    await callsOf(of(10));
    const [some, four] = [await callsOf(of(400)), await callsOf(of(1_600))];
    expect(four / some).toBeLessThan(5);
  });

  test.each([
    ['in a block', 'version: 1\nversion: 1', 2],
    ['between brackets', 'version: 1\nfields: { a: {},\n a: {} }', 3],
    ['of which one is in quotes', 'version: 1\nfields:\n  1: {}\n  "1": {}', 4],
  ])('has none twice: %s', (_, text, line) => {
    expect(parseExposureFile(text).problems).toContainEqual({ path: '', line, message: expect.stringContaining('twice') });
  });
});
