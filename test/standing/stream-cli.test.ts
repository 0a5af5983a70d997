import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuiltGateway } from '../support/built';

let built: BuiltGateway;
beforeAll(() => {
  built = BuiltGateway.make();
}, 120_000);
afterAll(() => built.remove());

/** Seventeen weeks in place of twenty-four: in the first nine there is little to go by of anybody, and of few campaigns each false alert is some percent. */
const small = ['--days', '119'];
const stream = (...args: readonly string[]) => built.bench('stream.js', args);

describe('the rules on the labelled stream, as npm run bench:stream asks them', () => {
  test('find the campaigns that can be told from people, and say no more falsely than before', async () => {
    const { code, stdout, stderr } = await stream('--seeds', '6-7', ...small, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const last = JSON.parse(stdout.trimEnd().split('\n').at(-1) as string);
    expect(Object.keys(last.seeds)).toEqual(['6', '7']);
    // The aims, but for alerts, of which half are to be right over all of the time: what is reached here may only become more.
    expect(last.ratios.found).toBeGreaterThanOrEqual(0.9);
    expect(last.ratios.falseHolds).toBeLessThanOrEqual(1);
    expect(last.ratios.alerts).toBeGreaterThanOrEqual(0.48);
    expect(last.ratios.holds).toBeGreaterThanOrEqual(0.8);
    // Every word of an effect that finds or holds is one that the score knows.
    expect(last.rules.length).toBeGreaterThan(8);
    expect(last.ratios.challenges).not.toBeNull();
    expect(last.ratios.brakes).not.toBeNull();
  });

  test('an aim that is missed is said, and with --aims an error', async () => {
    const { code, stdout } = await stream('--seeds', '6', '--customers', '500', '--days', '12', '--aims');
    expect(code).toBe(1);
    expect(stdout).toContain('missed: campaigns found before the fifth success: null, not 0.9');
  });

  test('it writes the stream and what it means, for whoever has other rules', async () => {
    const folder = join(built.folder, 'streams');
    const { code } = await stream('--seeds', '3', '--customers', '300', '--days', '7', '--write', folder);
    expect(code).toBe(0);
    expect(readFileSync(join(folder, '3.ndjson'), 'utf8').split('\n').length).toBeGreaterThan(300);
    expect(JSON.parse(readFileSync(join(folder, '3.labels.json'), 'utf8'))).toMatchObject({ customers: 300, scoredDays: 7 });
  });

  test.each([
    [['--seeds', '7-6'], '--seeds'],
    [['--customers', '0'], '--customers'],
    [['--times', 'many'], '--times'],
    [['--seeds', '1', '--customers', '300', '--days', '3', '--rules', 'absent.yaml'], 'absent.yaml'],
  ])('%j is refused in words', async (args, said) => {
    const { code, stderr } = await stream(...args);
    expect({ code, said: stderr.includes(said), stack: /^\s+at /m.test(stderr) }).toEqual({ code: 1, said: true, stack: false });
  });
});
