import { buildSchema, parse, specifiedRules, validate } from 'graphql';
import { Failure } from '../failure';
import { measureDocument } from './document-size';
import { defaultLimits } from './limits.section';

const refusalOf = (text: string): string | null => {
  try {
    measureDocument(parse(text, { noLocation: true }), defaultLimits);
    return null;
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
};
const times = (many: number, each: (index: number) => string): string =>
  Array.from({ length: many }, (_, at) => each(at)).join(' ');

describe('the size of a document', () => {
  test('what clients send is admitted', () => {
    const field = (n: number) => `f${n}(a: [1, 2], b: { c: "d" }) @include(if: $a) { id name }`;
    expect(refusalOf(`query($a: Boolean = true) { me { ${times(100, field)} } }`)).toBeNull();
    const fragments = times(20, (n) => `fragment F${n} on Q { __typename id a${n} { __typename id } }`);
    expect(refusalOf(`{ q { ${times(20, (n) => `...F${n}`)} } } ${fragments}`)).toBeNull();
  });

  test.each([
    ['one key many times', `{ ${'viewer { id } '.repeat(490)} }`, /pairs/],
    ['one key many times under one alias', `{ ${times(200, (n) => `a: f${n}`)} }`, /pairs/],
    [
      'one key in many fragments',
      `{ ${times(150, (n) => `...F${n}`)} } ${times(150, (n) => `fragment F${n} on Q { id }`)}`,
      /pairs/,
    ],
    [
      'many fragments at one place',
      `{ ${times(150, (n) => `...F${n}`)} } ${times(150, (n) => `fragment F${n} on Q { f${n} }`)}`,
      /pairs/,
    ],
    ['pairs below pairs', `{ ${`a { ${'b { c } '.repeat(12)} } `.repeat(14)} }`, /pairs/],
    [
      'fragments that double at each level',
      `{ a { ...F0 } } ${times(14, (n) => `fragment F${n} on Q { x: q { ...F${n + 1} } y: q { ...F${n + 1} } }`)} fragment F14 on Q { id }`,
      /selections/,
    ],
    ['fields within fields', `{ ${'a { '.repeat(60)} b ${'} '.repeat(60)} }`, /levels/],
    ['operations', times(30, (n) => `query Q${n} { a }`), /operations/],
    ['variables', `query(${times(101, (n) => `$v${n}: Int`)}) { a }`, /variables/],
    ['directives', `{ a ${'@skip(if: true) '.repeat(201)} }`, /directives/],
    ['items of a list', `{ a(b: { c: [${'1 '.repeat(101)}] }) }`, /at most 100 items/],
    ['items of a default', `query($v: [Int] = [${'1 '.repeat(101)}]) { a(b: $v) }`, /at most 100 items/],
    ['items of a list in a directive', `{ a @x(y: [${'1 '.repeat(101)}]) }`, /at most 100 items/],
    ['lists within lists', `{ a(b: ${'['.repeat(20)}1${']'.repeat(20)}) }`, /deeper/],
  ])('%s is refused, and says by what', (_name, text, says) => {
    expect(refusalOf(text)).toMatch(says);
  });

  test('a circle of fragments is named as one, however it is reached', () => {
    for (const text of [
      '{ ...A } fragment A on Q { ...A }',
      '{ a } fragment A on Q { a { ...B } } fragment B on Q { ... { b { ...A } } }',
    ])
      expect(measureDocument(parse(text), defaultLimits).isCircular).toBe(true);
    expect(
      measureDocument(parse('{ ...A ...A a { ...A } } fragment A on Q { ...B } fragment B on Q { b }'), defaultLimits).isCircular,
    ).toBe(false);
  });

  test('whatever is admitted is validated in milliseconds', () => {
    const schema = buildSchema('type Query { q(a: Int): Query id: ID s: String }');
    const worst = [
      `{ ${'q { id } '.repeat(99)} }`,
      `{ ${times(90, (n) => `...F${n}`)} } ${times(90, (n) => `fragment F${n} on Query { a${n}: q { id s } }`)}`,
      `{ ${times(12, () => `q { ${'q { id s } '.repeat(5)} }`)} }`,
      `{ ${times(300, (n) => `a${n}: q(a: ${n}) { id }`)} }`,
      `{ ${times(18, (n) => `a${n}: q { ...F }`)} } fragment F on Query { ${times(50, (n) => `b${n}: q { id }`)} }`,
    ];
    for (const text of worst) {
      const document = parse(text, { noLocation: true });
      measureDocument(document, defaultLimits);
      validate(schema, document, specifiedRules);
      // Processor time: others may be using this machine.
      const began = process.cpuUsage();
      for (let run = 0; run < 5; run += 1) validate(schema, document, specifiedRules);
      const { user, system } = process.cpuUsage(began);
      expect((user + system) / 5_000).toBeLessThan(40);
    }
  });
});
