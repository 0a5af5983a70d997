import {
  type GraphQLObjectType,
  type GraphQLOutputType,
  getNamedType,
  isCompositeType,
  isListType,
  isNonNullType,
  isObjectType,
  type SelectionSetNode,
} from 'graphql';
import { type DenialReason, ProgrammingError } from '../../failure';
import {
  Allowance,
  type Condition,
  collectFields,
  identities,
  isIntrospection,
  type Operation,
  possibleTypes,
  subselections,
} from './selection';

/** A selection that the actor's role, or its session, doesn't get. */
export interface DeniedSelection {
  /** `Type.field`, of the object type. */
  readonly coordinate: string;
  readonly reason: DenialReason;
  /** Response keys down to the selection, or down to the first list on the way: one error stands for all of its items. */
  readonly path: readonly string[];
}

/** What happens to one field of one object type; the reason is null where it is left out without an error. */
export type FieldDecision = { readonly kept: true } | { readonly kept: false; readonly reason: DenialReason | null };

export type Decide = (typeName: string, fieldName: string) => FieldDecision;

/** The path of what is selected below a field: it stops growing at the first list. */
export const pathBelow = (path: readonly string[], ended: boolean, key: string): readonly string[] =>
  ended ? path : [...path, key];

export const holdsList = (type: GraphQLOutputType): boolean => {
  if (isNonNullType(type)) return holdsList(type.ofType);
  return isListType(type);
};

type ObjectValue = Record<string, unknown>;

/** Stands for a null that has to move up to the nearest nullable ancestor. */
const bubbled = Symbol('bubbled');

/** Index of an entry's denial in the tree; -1 for a cut without an error. */
interface CutEntry {
  readonly key: string;
  readonly denial: number;
  readonly nonNull: boolean;
}

interface KeptEntry {
  readonly key: string;
  readonly denial: null;
  readonly nonNull: boolean;
  /** Null: nothing was cut below, the value stays as it is. */
  readonly below: Restorer | null;
}

/** The response keys of one object type, in the order of uncut execution. */
type Shape = readonly (CutEntry | KeptEntry)[];

type Restorer =
  | { readonly kind: 'object'; readonly shape: Shape }
  | { readonly kind: 'abstract'; readonly shapes: ReadonlyMap<string, Shape> }
  | { readonly kind: 'list'; readonly item: Restorer; readonly itemNonNull: boolean };

/** A restoration for one set of values of the conditions. */
export interface RestorationTree {
  readonly root: Shape;
  readonly denials: readonly DeniedSelection[];
  readonly hiddenKey: string;
  /** Entries of all shapes: what it takes to keep it. */
  readonly size: number;
}

/** Compiles what uncut execution would have returned, as far down as something was cut. */
export const compileRestoration = (
  operation: Operation,
  decide: Decide,
  touched: ReadonlySet<SelectionSetNode>,
  hiddenKey: string,
  condition: Condition,
): RestorationTree => {
  const allowance = new Allowance();
  const denials: DeniedSelection[] = [];
  const shapes = new Map<string, Shape>();
  const identityOf = identities();

  const shapeOf = (
    type: GraphQLObjectType,
    sets: readonly SelectionSetNode[],
    path: readonly string[],
    ended: boolean,
    depth: number,
  ): Shape => {
    // The same selections of the same type at the same path, reached by another type in between.
    const identity = `${type.name} ${path.join('.')} ${identityOf(sets)}`;
    const known = shapes.get(identity);
    if (known) return known;
    const shape: (CutEntry | KeptEntry)[] = [];
    for (const [key, nodes] of collectFields(operation, type, sets, condition, depth, allowance)) {
      const [node] = nodes;
      if (!node) continue;
      if (isIntrospection(node)) {
        shape.push({ key, denial: null, nonNull: false, below: null });
        continue;
      }
      const name = node.name.value;
      const field = type.getFields()[name];
      if (!field) throw new ProgrammingError(`The document was not validated: ${type.name} has no field ${name}.`);
      const nonNull = isNonNullType(field.type);
      const decision = decide(type.name, name);
      if (!decision.kept) {
        let denial = -1;
        if (decision.reason !== null) {
          denial = denials.length;
          denials.push({ coordinate: `${type.name}.${name}`, reason: decision.reason, path: pathBelow(path, ended, key) });
        }
        shape.push({ key, denial, nonNull });
        continue;
      }
      const below = subselections(nodes);
      if (!below.some((set) => touched.has(set))) {
        shape.push({ key, denial: null, nonNull, below: null });
        continue;
      }
      const restorer = restorerOf(field.type, below, pathBelow(path, ended, key), ended || holdsList(field.type), depth + 1);
      shape.push({ key, denial: null, nonNull, below: restorer });
    }
    shapes.set(identity, shape);
    return shape;
  };

  const restorerOf = (
    type: GraphQLOutputType,
    sets: readonly SelectionSetNode[],
    path: readonly string[],
    ended: boolean,
    depth: number,
  ): Restorer => {
    if (isNonNullType(type)) return restorerOf(type.ofType, sets, path, ended, depth);
    if (isListType(type)) {
      return { kind: 'list', item: restorerOf(type.ofType, sets, path, ended, depth), itemNonNull: isNonNullType(type.ofType) };
    }
    const named = getNamedType(type);
    if (!isCompositeType(named)) throw new ProgrammingError(`The document was not validated: ${named.name} has no fields.`);
    if (isObjectType(named)) return { kind: 'object', shape: shapeOf(named, sets, path, ended, depth) };
    const byType = possibleTypes(operation.schema, named).map(
      (each) => [each.name, shapeOf(each, sets, path, ended, depth)] as const,
    );
    return { kind: 'abstract', shapes: new Map(byType) };
  };

  const root = shapeOf(operation.root, [operation.definition.selectionSet], [], false, 0);
  let size = denials.length;
  for (const shape of shapes.values()) size += shape.length + 1;
  return { root, denials, hiddenKey, size };
};

const restoreObject = (
  tree: RestorationTree,
  shape: Shape,
  source: ObjectValue,
  reached: Uint8Array,
): ObjectValue | typeof bubbled => {
  const target: ObjectValue = {};
  let bubbles = false;
  for (const entry of shape) {
    if (entry.denial !== null) {
      if (entry.denial >= 0) reached[entry.denial] = 1;
      if (entry.nonNull) bubbles = true;
      else target[entry.key] = null;
      continue;
    }
    const value = source[entry.key];
    if (entry.below === null || value === null || value === undefined) {
      target[entry.key] = value;
      continue;
    }
    const restored = restoreValue(tree, entry.below, value, reached);
    if (restored !== bubbled) target[entry.key] = restored;
    else if (entry.nonNull) bubbles = true;
    else target[entry.key] = null;
  }
  return bubbles ? bubbled : target;
};

const restoreValue = (tree: RestorationTree, restorer: Restorer, value: unknown, reached: Uint8Array): unknown => {
  if (restorer.kind === 'list') {
    if (!Array.isArray(value)) throw new ProgrammingError('An executor returned something else than a list for a list.');
    const items: unknown[] = new Array(value.length);
    let bubbles = false;
    for (let index = 0; index < value.length; index += 1) {
      const item: unknown = value[index];
      const restored = item === null || item === undefined ? null : restoreValue(tree, restorer.item, item, reached);
      if (restored !== bubbled) items[index] = restored;
      else if (restorer.itemNonNull) bubbles = true;
      else items[index] = null;
    }
    return bubbles ? bubbled : items;
  }
  const source = value as ObjectValue;
  if (restorer.kind === 'object') return restoreObject(tree, restorer.shape, source, reached);
  const shape = restorer.shapes.get(String(source[tree.hiddenKey]));
  // Without its type nothing says what was cut here; guessing could answer with less, or more, than the policy.
  if (!shape) throw new ProgrammingError('An object came back without the type that its restoration needs.');
  return restoreObject(tree, shape, source, reached);
};

/** Data as uncut execution would have returned it, and the denials that it met. */
export const restoreTree = (
  tree: RestorationTree,
  data: Record<string, unknown> | null,
): { readonly data: Record<string, unknown> | null; readonly denials: readonly DeniedSelection[] } => {
  const reached = new Uint8Array(tree.denials.length);
  // The root was executed even where an error of another field took all of its data.
  if (data === null) for (const entry of tree.root) if (entry.denial !== null && entry.denial >= 0) reached[entry.denial] = 1;
  const restored = data === null ? bubbled : restoreObject(tree, tree.root, data, reached);
  return {
    data: restored === bubbled ? null : restored,
    denials: tree.denials.filter((_, index) => reached[index] === 1),
  };
};
