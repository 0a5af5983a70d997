import { readdirSync } from 'node:fs';
import { migrations, migrationsOf } from '../../migrations';

class First1700000000000 {}
class AddTwoThings1700000000001 {}
const contents: Record<string, Record<string, unknown>> = {
  '1700000000000-first.ts': { First1700000000000 },
  '1700000000001-add-two-things.ts': { AddTwoThings1700000000001 },
  '1700000000001-first.ts': { First1700000000000 },
  '1700000000002-empty.ts': {},
  '1700000000003-two.ts': { Two1700000000003: First1700000000000, Three1700000000003: First1700000000000 },
};
const listed = (...files: string[]) => migrationsOf(files, '.ts', (file) => contents[file] ?? {});

describe('the list of migrations', () => {
  it('is what the folder has, oldest first', () => {
    const times = readdirSync('migrations').flatMap((name) => /^\d+/.exec(name)?.[0] ?? []);
    expect(times.length).toBeGreaterThan(3);
    expect(migrations.map(({ name }) => name.slice(-13))).toEqual(times.sort());
  });

  it('is in the order of the times, whatever order the folder gives; what the compiler adds is no migration', () => {
    const files = [
      '1700000000001-add-two-things.ts',
      'tables.ts',
      '1700000000000-first.ts',
      'index.ts',
      '1700000000000-first.d.ts',
    ];
    expect(listed(...files, '1700000000000-first.js.map')).toEqual([First1700000000000, AddTwoThings1700000000001]);
  });

  it.each([
    ['add-network.ts', /migrations\/add-network\.ts isn't called/],
    ['1700000000-first.ts', /migrations\/1700000000-first\.ts isn't called/],
    ['1700000000000-First.ts', /migrations\/1700000000000-First\.ts isn't called/],
    ['1700000000001-first.ts', /1700000000001-first\.ts has to export the class First1700000000001 and nothing else/],
    ['1700000000002-empty.ts', /1700000000002-empty\.ts has to export the class Empty1700000000002 and nothing else/],
    ['1700000000003-two.ts', /1700000000003-two\.ts has to export the class Two1700000000003 and nothing else/],
  ])('refuses %s, and says why', (file, why) => {
    expect(() => listed(file)).toThrow(why);
  });

  it('refuses two of one time', () => {
    expect(() => listed('1700000000001-first.ts', '1700000000001-add-two-things.ts')).toThrow(
      /1700000000001-first\.ts has the time of migrations\/1700000000001-add-two-things\.ts/,
    );
  });
});
