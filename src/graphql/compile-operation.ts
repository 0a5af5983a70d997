import {
  type ArgumentNode,
  type DocumentNode,
  type ExecutionResult,
  type FieldNode,
  type GraphQLError,
  type GraphQLField,
  type GraphQLLeafType,
  type GraphQLNonNull,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getArgumentValues,
  getNullableType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  locatedError,
  type SelectionSetNode,
} from 'graphql';
import {
  Allowance,
  collectFields,
  isWrite,
  type Operation,
  operationOf,
  possibleTypes,
  subselections,
} from '../authz/plan/selection';
import type { Verdicts } from '../authz/policy/verdict';
import type { OfAbstractType } from './abstract-types';
import { open, type RelationRule, type RelationView, refusalOf } from './guarded';
import { type Exit, exitOf } from './request-access';
import type { ServedField, ServedFields } from './served-fields';
import type { Shown } from './shown';

type NullableOutputType = Exclude<GraphQLOutputType, GraphQLNonNull<never>>;

/** Stands for a null that moves up to the nearest place that may be null (GraphQL, October 2021, 6.4.4). */
const lost = Symbol('lost');

/** A response key, or an index. */
type Key = GraphQLResolveInfo['path']['key'];

type Holder = Record<Key, unknown>;

/** Where an object or a list stands in the answer; followed upwards, its path. */
interface Place {
  readonly above: Place | null;
  readonly holder: Holder;
  readonly key: Key;
  readonly nullable: boolean;
}

const pathTo = (place: Place, key: Key): Key[] => {
  const path = [key];
  for (let at = place; at.above !== null; at = at.above) path.push(at.key);
  return path.reverse();
};

/** One execution. */
class Run {
  readonly errors: GraphQLError[] = [];
  /** The arguments of each field that has some: they are the same for every object that it is read from. */
  private readonly given: (Readonly<Record<string, unknown>> | undefined)[] = [];
  private pending = 0;
  private whenDone: (() => void) | undefined;

  constructor(
    readonly context: RelationView,
    readonly variables: Readonly<Record<string, unknown>>,
  ) {}

  /** Throws where a variable doesn't fit. */
  argumentsOf(slot: number, field: GraphQLField<unknown, unknown>, node: FieldNode): Readonly<Record<string, unknown>> {
    const known = this.given[slot];
    if (known) return known;
    const given = getArgumentValues(field, node, this.variables);
    this.given[slot] = given;
    return given;
  }

  fail(error: unknown, { nodes }: Step, path: readonly Key[]): void {
    this.errors.push(locatedError(error, nodes, path));
  }

  wait(): void {
    this.pending += 1;
  }

  arrive(): void {
    this.pending -= 1;
    if (this.pending === 0) this.whenDone?.();
  }

  result(answer: Holder): ExecutionResult | Promise<ExecutionResult> {
    const made = (): ExecutionResult => {
      const data = answer.data as Record<string, unknown> | null;
      return this.errors.length > 0 ? { data, errors: this.errors } : { data };
    };
    if (this.pending === 0) return made();
    return new Promise((resolve) => {
      this.whenDone = () => resolve(made());
    });
  }
}

/** Throws what becomes the field's error. */
type Read = (run: Run, parent: unknown, place: Place, step: Step) => unknown;
/** Makes a value of the answer of one that was read, or `lost`. Throws what becomes the field's error. */
type Complete = (run: Run, value: unknown, step: Step, place: Place, key: Key, holder: Holder) => unknown;

/** One field of one place of the operation. */
interface Step {
  readonly key: string;
  readonly nodes: readonly FieldNode[];
  readonly nullable: boolean;
  readonly read: Read;
  readonly complete: Complete;
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';

/** What is above a value that got lost becomes null, as far up as it must. */
const giveUp = (place: Place): void => {
  let at = place;
  while (!at.nullable && at.above !== null) at = at.above;
  at.holder[at.key] = null;
};

/** Puts the value of a field, or of an item of a list, into its place once it is there; until then there is null. */
const putLater = (
  run: Run,
  value: PromiseLike<unknown>,
  step: Step,
  { place, key, holder, nullable, complete }: { place: Place; key: Key; holder: Holder; nullable: boolean; complete: Complete },
): void => {
  holder[key] = null;
  run.wait();
  const put = (make: () => unknown): void => {
    let made: unknown;
    try {
      made = make();
    } catch (error) {
      run.fail(error, step, pathTo(place, key));
      made = nullable ? null : lost;
    }
    if (made === lost) giveUp(place);
    else holder[key] = made;
    run.arrive();
  };
  value.then(
    (settled) => put(() => complete(run, settled, step, place, key, holder)),
    (error: unknown) =>
      put(() => {
        throw error;
      }),
  );
};

/** Reads one field and puts it into the object; false where the object is lost with it. */
const put = (run: Run, step: Step, parent: unknown, holder: Holder, place: Place): boolean => {
  const { key, nullable, complete } = step;
  let made: unknown;
  try {
    const value = step.read(run, parent, place, step);
    if (isPromise(value)) {
      putLater(run, value, step, { place, key, holder, nullable, complete });
      return true;
    }
    made = complete(run, value, step, place, key, holder);
  } catch (error) {
    run.fail(error, step, pathTo(place, key));
    made = nullable ? null : lost;
  }
  if (made === lost) return false;
  holder[key] = made;
  return true;
};

/** An object of the answer, or `lost`. */
const fill = (run: Run, steps: readonly Step[], value: unknown, place: Place): Holder | typeof lost => {
  const made: Holder = {};
  for (const step of steps) if (!put(run, step, value, made, place)) return lost;
  return made;
};

const completeObject =
  (steps: readonly Step[], nullable: boolean): Complete =>
  (run, value, _step, above, key, holder) =>
    fill(run, steps, value, { above, holder, key, nullable });

const completeList =
  (item: Complete, nullable: boolean, itemNullable: boolean): Complete =>
  (run, value, step, above, key, holder) => {
    if (typeof value !== 'object' || value === null || !(Symbol.iterator in value)) throw new TypeError('Expected a list.');
    const made: unknown[] = [];
    const place = { above, holder, key, nullable };
    const into = made as unknown as Holder;
    for (const each of value as Iterable<unknown>) {
      const at = made.length;
      if (isPromise(each)) {
        putLater(run, each, step, { place, key: at, holder: into, nullable: itemNullable, complete: item });
        continue;
      }
      // Its place is taken before what is in it may look for it.
      made.push(null);
      let completed: unknown;
      try {
        completed = item(run, each, step, place, at, into);
      } catch (error) {
        run.fail(error, step, pathTo(place, at));
        completed = itemNullable ? null : lost;
      }
      if (completed === lost) return lost;
      made[at] = completed;
    }
    return made;
  };

const completeLeaf = (type: GraphQLLeafType): Complete => {
  const serialize = (value: unknown): unknown => {
    const text = type.serialize(value);
    if (text === undefined || text === null || Number.isNaN(text)) throw new TypeError(`Expected a value of ${type.name}.`);
    return text;
  };
  if (type.name !== 'String' && type.name !== 'ID') return (_run, value) => serialize(value);
  return (_run, value) => (typeof value === 'string' ? value : serialize(value));
};

/** Null where there is nothing, if that may be. */
const orNull =
  (complete: Complete, nullable: boolean, coordinate: string): Complete =>
  (run, value, step, place, key, holder) => {
    if (value instanceof Error) throw value;
    if (value === null || value === undefined) {
      if (nullable) return null;
      throw new Error(`Cannot return null for non-nullable field ${coordinate}.`);
    }
    const made = complete(run, value, step, place, key, holder);
    return made === lost && nullable ? null : made;
  };

const guarded =
  (coordinate: string, relation: RelationRule, read: Read): Read =>
  (run, parent, place, step) => {
    const refusal = refusalOf(coordinate, relation, run.context, parent);
    if (refusal) throw refusal;
    return read(run, parent, place, step);
  };

const readsProperty =
  (name: string): Read =>
  (_run, parent) =>
    (parent as Record<string, unknown>)[name];

const leavesBy =
  (exit: Exit, name: string): Read =>
  (run, parent) =>
    run.context.access.leaveBy(exit, parent as Shown, name);

const asPath = (place: Place, key: Key): GraphQLResolveInfo['path'] => ({
  prev: place.above === null ? undefined : asPath(place.above, place.key),
  key,
  typename: undefined,
});

/** What is known of a field at its place of the operation. */
interface Known extends Pick<GraphQLResolveInfo, 'parentType' | 'schema' | 'operation' | 'fragments'> {
  readonly field: GraphQLField<unknown, unknown>;
  readonly nodes: readonly FieldNode[];
}

/** What a resolver may ask about its field. Hardly any does, so that nothing is made before. */
class Info implements GraphQLResolveInfo {
  readonly rootValue: unknown;

  constructor(
    private readonly known: Known,
    private readonly place: Place,
    private readonly key: string,
    readonly variableValues: GraphQLResolveInfo['variableValues'],
  ) {}

  get fieldName(): string {
    return this.known.field.name;
  }

  get fieldNodes(): readonly FieldNode[] {
    return this.known.nodes;
  }

  get returnType(): GraphQLOutputType {
    return this.known.field.type;
  }

  get parentType(): GraphQLObjectType {
    return this.known.parentType;
  }

  get schema(): GraphQLSchema {
    return this.known.schema;
  }

  get operation(): GraphQLResolveInfo['operation'] {
    return this.known.operation;
  }

  get fragments(): GraphQLResolveInfo['fragments'] {
    return this.known.fragments;
  }

  get path(): GraphQLResolveInfo['path'] {
    return asPath(this.place, this.key);
  }
}

/** The arguments of a field where they are the same at each execution; null where a variable is among them, or what isn't taken. */
const fixedArguments = (field: GraphQLField<unknown, unknown>, node: FieldNode): Readonly<Record<string, unknown>> | null => {
  const isFixed = ({ value }: ArgumentNode): boolean =>
    value.kind !== Kind.VARIABLE && value.kind !== Kind.LIST && value.kind !== Kind.OBJECT;
  if (!(node.arguments ?? []).every(isFixed)) return null;
  try {
    return Object.freeze(getArgumentValues(field, node));
  } catch {
    return null;
  }
};

/** Fields at all places together of an operation that is compiled: a fragment is compiled once for each place and type. */
const mostSteps = 1_000;

class Compiler {
  private readonly allowance = new Allowance();
  private steps = 0;
  private exits = 0;
  private withArguments = 0;
  /** False as soon as something is met that is interpreted only. */
  isPossible = true;

  constructor(
    private readonly input: CompileInput,
    private readonly operation: Operation,
  ) {}

  stepsOf(type: GraphQLObjectType, sets: readonly SelectionSetNode[], depth: number): readonly Step[] {
    const condition = (name: string): boolean => this.input.conditions.get(name) === true;
    const fields = collectFields(this.operation, type, sets, condition, depth, this.allowance);
    this.steps += fields.size;
    if (this.steps > mostSteps || type.isTypeOf) this.isPossible = false;
    if (!this.isPossible) return [];
    return [...fields].flatMap(([key, nodes]) => this.step(type, key, nodes, depth) ?? []);
  }

  private step(type: GraphQLObjectType, key: string, nodes: readonly FieldNode[], depth: number): Step | null {
    const [node] = nodes;
    const name = node?.name.value ?? '';
    if (name === '__typename') return { key, nodes, nullable: false, read: () => type.name, complete: (_run, value) => value };
    const coordinate = `${type.name}.${name}`;
    const field = type.getFields()[name];
    const served = this.input.fields.get(coordinate);
    if (!node || !field || !served) {
      this.isPossible = false;
      return null;
    }
    const read = this.read(type, field, served, nodes);
    return {
      key,
      nodes,
      nullable: !isNonNullType(field.type),
      read: served.relation === open ? read : guarded(coordinate, served.relation, read),
      complete: this.complete(field.type, coordinate, subselections(nodes), depth + 1),
    };
  }

  private read(
    parentType: GraphQLObjectType,
    field: GraphQLField<unknown, unknown>,
    { resolve, searched }: ServedField,
    nodes: readonly FieldNode[],
  ): Read {
    const { schema, verdicts } = this.input;
    if (searched !== null) {
      const coordinate = `${parentType.name}.${field.name}`;
      const own = verdicts.get(coordinate);
      // A field without a verdict was never named to anybody.
      if (!own) return () => null;
      this.exits += 1;
      return leavesBy(exitOf(coordinate, own, searched, this.exits - 1), field.name);
    }
    if (!resolve) return readsProperty(field.name);
    const [node] = nodes as readonly [FieldNode];
    const { definition: operation, fragments } = this.operation;
    const known = { field, nodes, parentType, schema, operation, fragments: Object.fromEntries(fragments) };
    const slot = this.withArguments;
    const fixed = fixedArguments(field, node);
    if (!fixed) this.withArguments += 1;
    return (run, parent, place, { key }) => {
      const given = fixed ?? run.argumentsOf(slot, field, node);
      return resolve(parent, given, run.context, new Info(known, place, key, run.variables));
    };
  }

  private complete(type: GraphQLOutputType, coordinate: string, sets: readonly SelectionSetNode[], depth: number): Complete {
    const nullable = !isNonNullType(type);
    return orNull(this.present(getNullableType(type), nullable, coordinate, sets, depth), nullable, coordinate);
  }

  /** Of a value that is there. */
  private present(
    type: NullableOutputType,
    nullable: boolean,
    coordinate: string,
    sets: readonly SelectionSetNode[],
    depth: number,
  ): Complete {
    if (isLeafType(type)) return completeLeaf(type);
    if (isListType(type))
      return completeList(this.complete(type.ofType, coordinate, sets, depth), nullable, !isNonNullType(type.ofType));
    const objectOf = (each: GraphQLObjectType) => completeObject(this.stepsOf(each, sets, depth), nullable);
    if (isObjectType(type)) return objectOf(type);
    const byType = new Map(possibleTypes(this.operation.schema, type).map((each) => [each.name, objectOf(each)]));
    return (run, value, step, place, key, holder) => {
      const { graphType } = value as Partial<OfAbstractType>;
      const complete = byType.get(graphType ?? '');
      if (!complete) throw new TypeError(`${String(graphType)} is no ${type.name}.`);
      return complete(run, value, step, place, key, holder);
    };
  }
}

/** What compiled execution is made for. */
export interface CompileInput {
  readonly schema: GraphQLSchema;
  readonly fields: ServedFields;
  /** Of the class of access that it is for. */
  readonly verdicts: ReadonlyMap<string, Verdicts>;
  /** As its plan cut it. */
  readonly document: DocumentNode;
  readonly operationName: string | null;
  /** The values of the variables that decide what takes part. */
  readonly conditions: ReadonlyMap<string, boolean>;
}

/** Runs a query, or a subscription for one event, for one class of access, with variables as they are coerced. */
export type CompiledOperation = (
  context: RelationView,
  variables: Readonly<Record<string, unknown>>,
  /** What a subscription tells of. */
  event?: object,
) => ExecutionResult | Promise<ExecutionResult>;

/**
 * Compiles a query or a subscription: its selections are collected, its rules and verdicts looked up and its types taken apart once, so that a value costs a
 * call and a count. Answers and errors are those that graphql-js has of the schema that is served. Null for what is interpreted only:
 * mutations, introspection, and what its fragments make too large.
 */
export const compileOperation = (input: CompileInput): CompiledOperation | null => {
  const operation = operationOf(input.schema, input.document, input.operationName);
  if (isWrite(operation)) return null;
  const compiler = new Compiler(input, operation);
  const steps = compiler.stepsOf(operation.root, [operation.definition.selectionSet], 0);
  if (!compiler.isPossible) return null;
  return (context, variables, event) => {
    const answer: Holder = { data: null };
    const run = new Run(context, variables);
    const made = fill(run, steps, event, { above: null, holder: answer, key: 'data', nullable: true });
    answer.data = made === lost ? null : made;
    return run.result(answer);
  };
};
