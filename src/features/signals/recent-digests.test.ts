import { inspect } from 'node:util';
import { RecentDigests } from './recent-digests';

const counted = () => {
  const made: string[] = [];
  const make = (name: string): string => {
    made.push(name);
    return `digest of ${name}`;
  };
  return { made, make };
};

afterEach(() => jest.restoreAllMocks());

describe('digests of names that were told of lately', () => {
  it('are made once for each kind', () => {
    const { made, make } = counted();
    const recent = new RecentDigests();
    for (let times = 0; times < 3; times += 1) {
      const [customers, cards] = [recent.of('customer', make), recent.of('card', (name) => `${make(name)} of a card`)];
      expect([customers('a'), cards('a'), customers('b')]).toEqual(['digest of a', 'digest of a of a card', 'digest of b']);
    }
    expect(made).toEqual(['a', 'a', 'b']);
  });

  it('are bounded: what wasn’t told of for long is made anew, and what was stays', () => {
    const { made, make } = counted();
    const recent = new RecentDigests();
    const name = (index: number) => `${index} ${'x'.repeat(1_000)}`;
    recent.of('customer', make)('first');
    // Twice what is kept, and as much again.
    for (let index = 0; index < 16_000; index += 1) {
      recent.of('customer', make)(name(index));
      recent.of('customer', make)('stays');
    }
    recent.of('customer', make)('first');
    expect(made.filter((each) => each === 'stays')).toHaveLength(1);
    expect(made.filter((each) => each === 'first')).toHaveLength(2);
  });

  it('are forgotten after a while, whether there is room or not', () => {
    const { made, make } = counted();
    let now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    const recent = new RecentDigests();
    for (const minutes of [0, 4, 6, 9]) {
      now = minutes * 60_000;
      recent.of('customer', make)('a');
    }
    expect(made).toEqual(['a']);
    now = 60 * 60_000;
    recent.of('customer', make)('a');
    expect(made).toEqual(['a', 'a']);
  });

  it('show nothing of the names', () => {
    const recent = new RecentDigests();
    recent.of('ip', () => 'digest')('203.0.113.9');
    expect(inspect(recent, { showHidden: true, depth: 9 })).not.toContain('203.0.113.9');
    expect(JSON.stringify(recent)).toBe('{}');
  });
});
