import { Failure } from '../failure';
import { defaultLimits } from './limits.section';
import { checkVariableSizes } from './values';

const refusalOf = (variables: Record<string, unknown>, limits = defaultLimits): string | null => {
  try {
    checkVariableSizes(variables, limits);
    return null;
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
};
const many = (length: number) => Array.from({ length }, () => 'OPEN');
const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: [nested(levels - 1)] });

describe('the size of variables', () => {
  test.each([
    ['a list', { v: many(101) }, '$v: expected at most 100 items in a list'],
    ['a list in an input object', { filter: { status: many(101) } }, '$filter: expected at most 100 items in a list'],
    ['a list in a list', { v: [many(101)] }, '$v: expected at most 100 items in a list'],
    ['a list in no variable of the operation', { v: 1, other: many(101) }, '$other: expected at most 100 items in a list'],
    ['lists that are short each', { v: many(100).map(() => many(100)) }, 'variables: expected at most 1000 values in all'],
    [
      'an object of many keys',
      { v: Object.fromEntries(many(1_001).map((_, n) => [n, 1])) },
      'variables: expected at most 1000 values in all',
    ],
    ['many variables', Object.fromEntries(many(1_001).map((_, n) => [n, 1])), 'variables: expected at most 1000 values in all'],
    ['nesting', { v: nested(9) }, '$v: nested deeper than 16 levels'],
  ])('%s beyond the bound is refused by name', (_what, variables, says) => {
    expect(refusalOf(variables)).toBe(says);
  });

  test('what is within the bounds passes, and the bound of lists is configured', () => {
    expect(refusalOf({ v: many(100), filter: { status: many(100), nothing: null }, deep: nested(8) })).toBeNull();
    expect(refusalOf({ v: many(3) }, { ...defaultLimits, listArgument: 2 })).toBe('$v: expected at most 2 items in a list');
  });
});
