import { buildSchema, type GraphQLObjectType, getIntrospectionQuery, type OperationDefinitionNode, parse } from 'graphql';
import { Failure } from '../failure';
import { checkLimits } from './limits';
import { defaultLimits } from './limits.section';
import type { ListMark } from './listed';

const schema = buildSchema(`
  interface Named { friends(first: Int = 20): [Person!]! }
  type Person implements Named { id: ID! friends(first: Int = 20): [Person!]! pets: [Pet!] page(first: Int = 5): PersonConnection }
  type PersonConnection { nodes: [Person!]! edges: [PersonEdge!]! totalCount: Int! }
  type PersonEdge { node: Person! }
  type Pet { id: ID! names: [String!]! words: [String!]! marks: [Mark!]! few: [Mark!]! }
  type Mark { name: String! }
  union Being = Person | Pet
  type Query { me: Person named: Named being: Being }
  type Mutation { change: Person }
`);

const mark = (type: string, field: string, listed: ListMark) => {
  const own = (schema.getType(type) as GraphQLObjectType).getFields()[field];
  if (own) own.extensions = { listed };
};
mark('Person', 'pets', { most: 30 });
mark('Pet', 'names', { most: 200 });
mark('Pet', 'marks', { most: 200, parts: true });
mark('Pet', 'words', { most: 200, parts: true });
mark('Pet', 'few', { most: 3, parts: true });
mark('PersonConnection', 'nodes', { most: 100, ofPage: true });
mark('PersonConnection', 'edges', { most: 100, ofPage: true });

const refusalOf = (text: string, variables: Record<string, unknown> = {}, limits = defaultLimits) => {
  const document = parse(text);
  const operation = document.definitions.find((each) => each.kind === 'OperationDefinition') as OperationDefinitionNode;
  try {
    checkLimits(schema, document, operation, variables, limits);
    return null;
  } catch (error) {
    return error instanceof Failure ? /\((\w+)\)/.exec(error.message)?.[1] : error;
  }
};

const costOf = (text: string, variables: Record<string, unknown> = {}) => {
  const document = parse(text);
  return checkLimits(schema, document, document.definitions[0] as OperationDefinitionNode, variables, defaultLimits);
};

const deep = (levels: number) => `{ me { ${'friends(first: 1) { '.repeat(levels)} id ${'} '.repeat(levels)} } }`;

describe('the limits of one operation', () => {
  test('depth: fields within fields, through fragments, without counting fragments themselves', () => {
    expect(refusalOf(deep(10))).toBeNull();
    expect(refusalOf(deep(11))).toBe('depth');
    expect(refusalOf('mutation { change { friends { friends { id } } } }', {}, { ...defaultLimits, depth: 3 })).toBe('depth');
    const spread = `{ me { ...A } } fragment A on Person { friends(first: 1) { ...B } } fragment B on Person { friends(first: 1) { id } }`;
    expect(refusalOf(spread, {}, { ...defaultLimits, depth: 4 })).toBeNull();
    expect(refusalOf(spread, {}, { ...defaultLimits, depth: 3 })).toBe('depth');
    expect(refusalOf('{ ... { ... { ... { me { id } } } } }', {}, { ...defaultLimits, depth: 2 })).toBeNull();
    expect(refusalOf('{ being { ... on Person { friends { id } } } }', {}, { ...defaultLimits, depth: 2 })).toBe('depth');
  });

  test.each([
    ['a literal', 'query { me { friends(first: 50) { friends(first: 50) { id } } } }', {}],
    ['a variable', 'query($n: Int) { me { friends(first: $n) { friends(first: $n) { id } } } }', { n: 50 }],
    ['a default', 'query($n: Int = 50) { me { friends(first: $n) { friends(first: $n) { id } } } }', {}],
    [
      'a default that a null does not take',
      'query($n: Int = 50) { me { friends(first: $n) { friends(first: 50) { friends(first: 3) { id } } } } }',
      { n: null },
    ],
    ['the default of the field', '{ me { friends { friends { friends { id } } } } }', {}],
    [
      'the default of the field for null',
      '{ me { friends(first: null) { friends(first: null) { friends(first: null) { id } } } } }',
      {},
    ],
    ['lists without first by their maximum', '{ me { friends(first: 50) { page(first: 5) { nodes { pets { id } } } } } }', {}],
    ['the items of lists of scalars', '{ me { friends(first: 50) { pets { names } } } }', {}],
    ['connections by nodes', '{ me { page(first: 50) { nodes { page(first: 50) { nodes { id } } } } } }', {}],
    ['connections by edges', '{ me { page(first: 50) { edges { node { page(first: 50) { edges { node { id } } } } } } } }', {}],
    ['interfaces', '{ named { friends(first: 50) { friends(first: 50) { id } } } }', {}],
    ['unions', '{ being { ... on Person { friends(first: 50) { friends(first: 50) { id } } } } }', {}],
    ['mutations', 'mutation { change { friends(first: 50) { friends(first: 50) { id } } } }', {}],
    ['a skipped field', '{ me { friends(first: 50) @skip(if: true) { friends(first: 50) { id } } } }', {}],
  ])('cost counts %s', (_name, text, variables) => {
    expect(refusalOf(text, variables, { ...defaultLimits, cost: 2_500 })).toBe('cost');
    expect(refusalOf(text, variables, { ...defaultLimits, cost: 400_000 })).toBeNull();
  });

  test.each([
    ['negative', -5],
    ['nothing', 0],
    ['no number', 'x'],
    ['not finite', Number.NaN],
  ])('cost is not lowered by a first that is %s', (_name, n) => {
    const text = 'query($n: Int) { me { friends(first: $n) { friends(first: 50) { id } } } }';
    expect(refusalOf(text, { n }, { ...defaultLimits, cost: 300 })).toBe('cost');
  });

  test('cost of infinity is a refusal', () => {
    expect(refusalOf('query($n: Int) { me { friends(first: $n) { id } } }', { n: Number.POSITIVE_INFINITY })).toBe('cost');
  });

  test('a name that objects inherit is no variable', () => {
    const text = 'query($toString: Int = 50) { me { friends(first: $toString) { friends(first: 50) { id } } } }';
    expect(refusalOf(text, {}, { ...defaultLimits, cost: 2_500 })).toBe('cost');
  });

  test.each([
    ['pets', '{ me { pets { id } } }', 32],
    ['names', '{ me { pets { names } } }', 2 + 30 + 30 * 200],
    ['parts', '{ me { pets { marks { name } } } }', 2 + 30 + 30 * 10],
    ['fewer parts', '{ me { pets { few { name } } } }', 2 + 30 + 30 * 3],
    ['parts that are scalars', '{ me { pets { words } } }', 2 + 30],
    ['a page', '{ me { page(first: 7) { nodes { id } totalCount } } }', 4 + 7],
    ['a page of the default size', '{ me { page { edges { node { id } } } } }', 3 + 5 + 5],
    ['a list without a mark', '{ me { friends { page(first: 2) { totalCount } } } }', 2 + 20 + 20],
  ])('cost of %s is exactly what it may hold', (_name, text, cost) => {
    expect(refusalOf(text, {}, { ...defaultLimits, cost })).toBeNull();
    expect(refusalOf(text, {}, { ...defaultLimits, cost: cost - 1 })).toBe('cost');
  });

  test('fragments count where they are spread, those of nothing but fragments too', () => {
    const levels = Array.from({ length: 24 }, (_, n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`).join(' ');
    expect(refusalOf(`{ ...F0 } ${levels} fragment F24 on Query { __schema { description } }`)).toBe('cost');
  });

  test('the graph about itself counts by the objects that it returns', () => {
    expect(refusalOf(getIntrospectionQuery())).toBeNull();
    const deep = `{ __schema { types { ${'ofType { '.repeat(20)} name ${'} '.repeat(20)} } } }`;
    expect(refusalOf(deep)).toBeNull();
    const wide = '{ __schema { types { fields { name type { name ofType { name fields { name } } } } } } }';
    expect(refusalOf(wide)).toBeNull();
    expect(refusalOf(wide, {}, { ...defaultLimits, cost: 100 })).toBe('cost');
    const named = 'query($n: String!) { __type(name: $n) { fields { type { ofType { ofType { fields { name } } } } } } }';
    expect(refusalOf(named, { n: 'Nobody' }, { ...defaultLimits, cost: 12 })).toBeNull();
    expect(refusalOf(named, { n: 'Person' }, { ...defaultLimits, cost: 12 })).toBe('cost');
    const spread = '{ __schema { ...A } } fragment A on __Schema { types { ...B } } fragment B on __Type { fields { name } }';
    expect(refusalOf(spread, {}, { ...defaultLimits, cost: 60 })).toBe('cost');
  });
});

test('what an operation costs is said to depend on variables wherever one stands for a size, given, defaulted or missing', () => {
  expect(costOf('query($n: ID) { me { friends(first: 7) { id } } }', { n: '1' })).toEqual({ cost: 9, byVariables: false });
  const sized = 'query($n: Int = 3) { me { friends(first: $n) { id } } }';
  expect(costOf(sized)).toEqual({ cost: 5, byVariables: true });
  expect(costOf(sized, { n: 5 })).toEqual({ cost: 7, byVariables: true });
  expect(costOf('query($n: Int) { me { friends(first: $n) { id } } }')).toMatchObject({ byVariables: true });
  const spread = 'query($n: Int) { me { ...F } } fragment F on Person { friends(first: $n) { id } }';
  expect(costOf(spread, { n: 4 })).toEqual({ cost: 7, byVariables: true });
});
