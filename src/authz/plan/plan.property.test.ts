import fc from 'fast-check';
import {
  doTypesOverlap,
  execute,
  type GraphQLCompositeType,
  type GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLOutputType,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  parse,
  print,
  validate,
} from 'graphql';
import { markedSchema } from '../../../test/support/marked-schema';
import type { AccessClass } from '../actor';
import { classifySchema } from '../policy/classify-schema';
import { ExposurePolicy } from '../policy/exposure';
import { describeProblem } from '../policy/file';
import { planAccess } from './plan';

/** Interfaces over interfaces, narrower return types, unions, lists of lists, circles, non-null chains and arguments. */
const schema = markedSchema(`
  interface Node {
    id: ID! @is(class: "PUBLIC")
    label: String @is(class: "INTERNAL")
    peer: Node @is(class: "INTERNAL")
    others: [Node!] @is(class: "INTERNAL")
    grid: [[Node]!] @is(class: "INTERNAL")
  }
  interface Named implements Node {
    id: ID! @is(class: "PUBLIC")
    label: String @is(class: "INTERNAL")
    peer: Node @is(class: "INTERNAL")
    others: [Node!] @is(class: "INTERNAL")
    grid: [[Node]!] @is(class: "INTERNAL")
    name(s: String): String @is(class: "INTERNAL")
    best: Named! @is(class: "INTERNAL")
  }
  type A implements Node & Named {
    id: ID! @is(class: "PUBLIC")
    label: String @is(class: "INTERNAL")
    peer: B @is(class: "INTERNAL")
    others: [Named!] @is(class: "INTERNAL")
    grid: [[Node]!] @is(class: "INTERNAL")
    name(s: String): String @is(class: "INTERNAL")
    best: Named! @is(class: "INTERNAL")
    either: U @is(class: "INTERNAL")
    sure: B! @is(class: "INTERNAL")
  }
  type B implements Node & Named {
    id: ID! @is(class: "PUBLIC")
    label: String @is(class: "INTERNAL")
    peer: Named @is(class: "INTERNAL")
    others: [B!] @is(class: "INTERNAL")
    grid: [[C]!] @is(class: "INTERNAL")
    name(s: String): String @is(class: "INTERNAL")
    best: B! @is(class: "INTERNAL")
    count: Int! @is(class: "INTERNAL")
    secret: String @is(class: "INTERNAL")
  }
  type C implements Node {
    id: ID! @is(class: "PUBLIC")
    label: String @is(class: "INTERNAL")
    peer: C @is(class: "INTERNAL")
    others: [Node!] @is(class: "INTERNAL")
    grid: [[Node]!] @is(class: "INTERNAL")
    both: [U!]! @is(class: "INTERNAL")
    secret: String @is(class: "INTERNAL")
  }
  union U = A | C
  type Query {
    node: Node @is(class: "PUBLIC")
    named: Named @is(class: "PUBLIC")
    nodes: [Node!]! @is(class: "PUBLIC")
    a: A @is(class: "PUBLIC")
    must: C! @is(class: "PUBLIC")
    union: U @is(class: "PUBLIC")
    unions: [U] @is(class: "PUBLIC")
    text(s: String): String @is(class: "PUBLIC")
  }
`);
// More runs, or others: PLAN_RUNS=50000 PLAN_SEED=7 npx jest src/authz/plan/plan.property
const runs = Number(process.env.PLAN_RUNS ?? 2500);
const seed = Number(process.env.PLAN_SEED ?? 20_251_120);
const classification = classifySchema(schema);
const access: AccessClass = { roles: ['AGENT'], mfa: true };

type Random = () => number;
const randomFrom = (seed: number): Random => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};
const hash = (...parts: readonly (string | number)[]): number => {
  let result = 2_166_136_261;
  for (const character of parts.join(' ')) result = Math.imul(result ^ (character.codePointAt(0) ?? 0), 16_777_619);
  return result >>> 0;
};

type Effect = 'reveal' | 'deny' | 'omit';
interface Case {
  readonly policy: ExposurePolicy;
  readonly effects: ReadonlyMap<string, Effect>;
}
const cases = new Map<string, Case>();
/** `calm`: only nullable fields are denied, so that no null has to move up. */
const caseFor = (seed: number, calm: boolean): Case => {
  const key = `${seed} ${calm}`;
  const known = cases.get(key);
  if (known) return known;
  const effects = new Map<string, Effect>();
  const fields: Record<string, Record<string, Record<string, string>>> = {};
  const density = ((seed % 4) + 1) / 8;
  for (const field of classification.fields.values()) {
    const drawn = randomFrom(hash(seed, field.coordinate))();
    let effect: Effect = 'reveal';
    if (drawn < density && (field.nullable || !calm)) effect = drawn < density / 3 && field.nullable ? 'omit' : 'deny';
    effects.set(field.coordinate, effect);
    const byField = fields[field.typeName] ?? {};
    byField[field.fieldName] = { AGENT: effect, '*': 'deny' };
    fields[field.typeName] = byField;
  }
  const assistance = {
    automatic: [],
    lifetimeMinutes: 1,
    quota: { customersPerHour: 1 },
    onRequest: { approvalFor: [], lifetimeMinutes: 1 },
  };
  const updates = {
    kinds: {},
    linkHours: 1,
    approvalHours: 1,
    quota: { perCustomerPerDay: 1 },
    highRisk: { strength: 'link', contactWindowDays: 1, rules: [] },
  };
  const text = JSON.stringify({ version: 1, assistance, scope: {}, updates, fields, filters: {}, sorts: {} });
  const loaded = ExposurePolicy.load(text, classification);
  if (!loaded.ok) throw new Error(loaded.problems.map(describeProblem).join('\n'));
  const made = { policy: loaded.policy, effects };
  cases.set(key, made);
  return made;
};

interface Value {
  readonly __typename: string;
  readonly seed: number;
}

/** A value of a type out of a seed, with nulls and, unless calm, with faults where they hurt most. */
const answerTo = (type: GraphQLOutputType, seed: number, calm: boolean): unknown => {
  const random = randomFrom(seed);
  const drawn = random();
  if (isNonNullType(type)) return !calm && drawn < 0.04 ? null : nonNullAnswerTo(type.ofType, seed, calm, random);
  if (drawn < 0.12) return null;
  if (!calm && drawn < 0.15) throw new Error('a fault of the source');
  return nonNullAnswerTo(type, seed, calm, random);
};
const nonNullAnswerTo = (type: GraphQLOutputType, seed: number, calm: boolean, random: Random): unknown => {
  if (isListType(type)) {
    return Array.from({ length: Math.floor(random() * 3.5) }, (_, index) => answerTo(type.ofType, hash(seed, index), calm));
  }
  const named = getNamedType(type);
  if (isLeafType(named)) return named.name === 'Int' ? seed % 1000 : `v${seed}`;
  const types = isAbstractType(named) ? schema.getPossibleTypes(named) : [named];
  const picked = types[Math.floor(random() * types.length)];
  return { __typename: picked?.name ?? '', seed } satisfies Value;
};

class Denied extends Error {
  constructor(readonly coordinate: string) {
    super('denied');
  }
}

interface Context {
  readonly calm: boolean;
  readonly called: Set<string>;
  readonly effects: ReadonlyMap<string, Effect> | null;
}

const resolve: GraphQLFieldResolver<Value, Context> = (
  source,
  given,
  { calm, called, effects },
  { parentType, fieldName, returnType },
) => {
  const coordinate = `${parentType.name}.${fieldName}`;
  called.add(coordinate);
  const effect = effects?.get(coordinate);
  if (effect === 'deny') throw new Denied(coordinate);
  if (effect === 'omit') return null;
  return answerTo(returnType, hash(source.seed, fieldName, JSON.stringify(given)), calm);
};

/** A random query over the schema: often valid, always nasty. */
const queryFrom = (random: Random): string => {
  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[Math.floor(random() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  };
  const composites = Object.values(schema.getTypeMap()).filter(
    (type): type is GraphQLCompositeType => isCompositeType(type) && !type.name.startsWith('__') && type.name !== 'Query',
  );
  const fragmentTypes = [pick(composites), pick(composites), pick(composites)];
  const directive = (): string => {
    if (random() > 0.2) return '';
    const value = pick(['$v0', '$v1', '$v2', '$v3', '$v0', '$v1', 'true', 'false']);
    return ` @${pick(['include', 'skip'])}(if: ${value})`;
  };
  const selection = (type: GraphQLCompositeType, depth: number, from: number): string => {
    const drawn = random();
    if (drawn < 0.06) return `${random() < 0.3 ? 'kind: ' : ''}__typename${directive()}`;
    if (drawn < 0.22 && depth > 0) {
      const overlapping = composites.filter((each) => doTypesOverlap(schema, each, type));
      const on = overlapping.length > 0 && random() < 0.85 ? pick(overlapping) : null;
      return `...${on ? ` on ${on.name}` : ''}${directive()} ${selectionSet(on ?? type, depth - 1, from)}`;
    }
    if (drawn < 0.36) {
      const spreads = [0, 1, 2].filter((index) => index >= from && doTypesOverlap(schema, fragmentTypes[index] ?? type, type));
      if (spreads.length > 0) return `...F${pick(spreads)}${directive()}`;
    }
    if (!isObjectType(type) && !isInterfaceType(type)) return '__typename';
    const fields = Object.values(type.getFields()).filter((field) => depth > 0 || isLeafType(getNamedType(field.type)));
    const field = pick(fields);
    const argument = field.args.length > 0 ? pick(['', '(s: $s0)', '(s: "x")', '(s: $s1)']) : '';
    const named = argument === '' ? field.name : `${field.name}_${argument.replace(/\W/g, '')}`;
    let alias = argument === '' ? '' : `${named}: `;
    if (random() < 0.25) alias = `${named}_${pick(['1', '2'])}: `;
    if (random() < 0.03) alias = `${pick(['x', '_counterfoil', 'id'])}: `;
    const leaf = isLeafType(getNamedType(field.type));
    const inner = getNamedType(field.type);
    const below = leaf || !isCompositeType(inner) ? '' : ` ${selectionSet(inner, depth - 1, from)}`;
    return `${alias}${field.name}${argument}${directive()}${below}`;
  };
  const selectionSet = (type: GraphQLCompositeType, depth: number, from: number): string => {
    const count = 1 + Math.floor(random() * (depth > 3 ? 4 : 2.4));
    return `{ ${Array.from({ length: count }, () => selection(type, depth, from)).join(' ')} }`;
  };
  const root = schema.getQueryType();
  if (!root) throw new Error('no query type');
  const body = selectionSet(root, 4, 0);
  const fragments = fragmentTypes.map((type, index) => `fragment F${index} on ${type.name} ${selectionSet(type, 2, index + 1)}`);
  const used = new Set<number>();
  const reach = (text: string): void => {
    for (const [, index] of text.matchAll(/\.\.\.F(\d)/g)) {
      if (used.has(Number(index))) continue;
      used.add(Number(index));
      reach(fragments[Number(index)] ?? '');
    }
  };
  reach(body);
  const text = [body, ...fragments.filter((_, index) => used.has(index))].join('\n');
  const definitions = [
    'v0: Boolean!',
    'v1: Boolean!',
    'v2: Boolean! = true',
    'v3: Boolean = false',
    's0: String',
    's1: String = "d"',
  ]
    .filter((definition) => text.includes(`$${definition.slice(0, 2)}`))
    .map((definition) => `$${definition}`);
  return `query Q${definitions.length > 0 ? `(${definitions.join(', ')})` : ''} ${text}`;
};

const upToList = (path: readonly (string | number)[] | undefined): string => {
  const end = (path ?? []).findIndex((each) => typeof each === 'number');
  return (end === -1 ? (path ?? []) : (path ?? []).slice(0, end)).join('.');
};

describe('an operation that is cut, executed and restored', () => {
  // Thousands of errors are made on purpose, and their stacks take longer than everything that is tested.
  const { stackTraceLimit } = Error;
  beforeAll(() => {
    Error.stackTraceLimit = 0;
  });
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  it(
    'answers as uncut execution would, without having asked for anything that is denied or left out',
    () => {
      let valid = 0;
      let cut = 0;
      let bubbledToRoot = 0;
      let errors = 0;
      const seen = { split: 0, hidden: 0, fragments: 0 };
      const numbers = fc.record({
        query: fc.nat(),
        policy: fc.nat(59),
        values: fc.nat(),
        calm: fc.boolean(),
        switches: fc.nat(15),
      });
      fc.assert(
        fc.property(numbers, ({ query, policy: policySeed, values, calm, switches }) => {
          const text = queryFrom(randomFrom(query));
          const document = parse(text);
          if (validate(schema, document).length > 0) return;
          valid += 1;
          const { policy, effects } = caseFor(policySeed, calm);
          const variables: Record<string, unknown> = { v0: (switches & 1) > 0, v1: (switches & 2) > 0, s0: 'given' };
          if ((switches & 4) > 0) variables.v2 = false;
          if ((switches & 8) > 0) variables.v3 = true;

          const plan = planAccess({ schema, classification, policy, document, access });
          expect(validate(schema, plan.document)).toEqual([]);
          const run = (of: typeof document, context: Context) => {
            const result = execute({
              schema,
              document: of,
              rootValue: { seed: values },
              contextValue: context,
              variableValues: variables,
              fieldResolver: resolve,
            });
            if (result instanceof Promise) throw new Error('expected synchronous execution');
            return result as { data?: Record<string, unknown> | null; errors?: readonly GraphQLError[] };
          };
          const uncut = run(document, { calm, called: new Set(), effects });
          const called = new Set<string>();
          const executed = run(plan.document, { calm, called, effects: null });
          const restored = plan.restore(executed.data, variables);

          const explanation = () => `${text}\n${JSON.stringify(variables)}\n${print(plan.document)}`;
          if (JSON.stringify(restored.data) !== JSON.stringify(uncut.data)) {
            throw new Error(
              `expected ${JSON.stringify(uncut.data)}\nreceived ${JSON.stringify(restored.data)}\n${explanation()}`,
            );
          }
          const escaped = [...called].filter((coordinate) => effects.get(coordinate) !== 'reveal');
          if (escaped.length > 0) throw new Error(`asked for ${escaped.join(', ')}\n${explanation()}`);

          const met = (uncut.errors ?? []).flatMap(({ originalError, path }) =>
            originalError instanceof Denied ? [`${originalError.coordinate} at ${upToList(path)}`] : [],
          );
          const told = restored.errors.map(({ path, extensions }) => `${String(extensions.rule)} at ${(path ?? []).join('.')}`);
          const planned = new Set(plan.denials.map(({ coordinate, path }) => `${coordinate} at ${path.join('.')}`));
          expect(told.filter((each) => !planned.has(each))).toEqual([]);
          // Where a null moves up, either execution may have stopped before it met the rest.
          const sorted = (of: readonly string[]) => [...new Set(of)].sort().join('; ');
          if (calm) expect(sorted(told)).toBe(sorted(met));
          if (restored.data === null && executed.data !== null) expect(told).not.toEqual([]);
          if (calm) expect(executed.errors).toEqual(undefined);

          if (plan.document !== document) cut += 1;
          else expect(restored.data).toBe(executed.data);
          if (uncut.data === null) bubbledToRoot += 1;
          if (restored.errors.length > 0) errors += 1;
          // Printing takes longer than all the rest, so the reach is measured on a tenth.
          if (valid % 10 > 0) return;
          const printed = print(plan.document);
          if (printed.includes('_counterfoil: __typename')) seen.hidden += 1;
          if (printed.includes('fragment F')) seen.fragments += 1;
          if ((printed.match(/\.\.\. on [ABC] \{/g) ?? []).length > (print(document).match(/\.\.\. on [ABC] \{/g) ?? []).length) {
            seen.split += 1;
          }
        }),
        { numRuns: runs, seed },
      );
      // The generator has to reach what it was made for, or the property says little.
      expect(valid).toBeGreaterThan(2000);
      expect(cut).toBeGreaterThan(1000);
      expect(bubbledToRoot).toBeGreaterThan(30);
      for (const count of Object.values(seen)) expect(count).toBeGreaterThan(50);
      expect(errors).toBeGreaterThan(500);
    },
    60_000 + runs * 20,
  );
});
