import {
  type DocumentNode,
  doTypesOverlap,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLOutputType,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { Failure, ProgrammingError } from '../../failure';
import { wrapping } from '../policy/classify-schema';
import { Allowance, compositeType, inventoryOf, isIntrospection, type Operation, possibleTypes } from './selection';

/** A document without what its reader may not have. */
export interface CutDocument {
  /** The one operation and the fragments that it still uses, valid by the schema. The original if nothing was cut. */
  readonly document: DocumentNode;
  /** Selection sets of the original, below fields, out of which something was cut or into which `hiddenKey` was put. */
  readonly touched: ReadonlySet<SelectionSetNode>;
  /** Response key of the added `__typename`s. */
  readonly hiddenKey: string;
}

interface Cut {
  readonly selections: readonly SelectionNode[];
  readonly touched: boolean;
}

/** A response key that the document doesn't use. */
const unusedKey = (used: ReadonlySet<string>): string => {
  let key = '_counterfoil';
  while (used.has(key)) key += '_';
  return key;
};

/** Cuts each selection set once, in the type that it stands in, so that fragments stay fragments and the work stays linear. */
class Cutter {
  readonly touched = new Set<SelectionSetNode>();
  private readonly fragments = new Map<string, Cut | 'cutting'>();
  private readonly allowance = new Allowance();

  constructor(
    private readonly operation: Operation,
    private readonly isKept: (typeName: string, fieldName: string) => boolean,
    private readonly hidden: FieldNode,
  ) {}

  fragment(name: string, depth: number): Cut {
    const known = this.fragments.get(name);
    if (known === 'cutting') throw Failure.invalid('query', 'fragments must not spread themselves');
    if (known) return known;
    const definition = this.operation.fragments.get(name);
    if (!definition) throw Failure.invalid('query', 'a fragment that is spread must be defined');
    this.fragments.set(name, 'cutting');
    const type = compositeType(this.operation.schema, definition.typeCondition.name.value);
    const cut = this.selectionSet(definition.selectionSet, type, depth);
    this.fragments.set(name, cut);
    return cut;
  }

  selectionSet(set: SelectionSetNode, parent: GraphQLCompositeType, depth: number, split = false): Cut {
    const selections: SelectionNode[] = [];
    let touched = false;
    for (const node of set.selections) {
      this.allowance.spend(depth);
      const kept = this.selection(node, parent, depth, split);
      if (kept.touched) touched = true;
      selections.push(...kept.selections);
    }
    return touched ? { selections, touched } : { selections: set.selections, touched };
  }

  private selection(node: SelectionNode, parent: GraphQLCompositeType, depth: number, split: boolean): Cut {
    const untouched = { selections: [node], touched: false };
    const nothing = { selections: [], touched: true };
    if (node.kind === Kind.FIELD) return this.field(node, parent, depth, split);
    const { schema } = this.operation;
    if (node.kind === Kind.INLINE_FRAGMENT) {
      const type = node.typeCondition ? compositeType(schema, node.typeCondition.name.value) : parent;
      // Only where an interface's field was split by type: there the narrower type may rule a fragment out.
      if (!doTypesOverlap(schema, type, parent)) return nothing;
      const cut = this.selectionSet(node.selectionSet, type, depth + 1, split);
      if (!cut.touched) return untouched;
      if (cut.selections.length === 0) return nothing;
      return { selections: [{ ...node, selectionSet: { ...node.selectionSet, selections: cut.selections } }], touched: true };
    }
    const cut = this.fragment(node.name.value, depth + 1);
    const definition = this.operation.fragments.get(node.name.value);
    const type = definition && compositeType(schema, definition.typeCondition.name.value);
    if (cut.selections.length === 0 || !type || !doTypesOverlap(schema, type, parent)) return nothing;
    return cut.touched ? { selections: [node], touched: true } : untouched;
  }

  private field(node: FieldNode, parent: GraphQLCompositeType, depth: number, split: boolean): Cut {
    if (isIntrospection(node) || isIntrospectionType(parent)) return { selections: [node], touched: false };
    const name = node.name.value;
    const own = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
    if (!own) throw new ProgrammingError(`The document was not validated: ${parent.name} has no field ${name}.`);
    const types = possibleTypes(this.operation.schema, parent);
    const kept = types.filter((type) => this.isKept(type.name, name));
    if (kept.length === types.length) return this.below(node, own.type, depth, split);
    // A verdict on an interface would be escaped by its implementations; each type is decided for itself.
    const selections = kept.map((type): SelectionNode => {
      const field = type.getFields()[name];
      if (!field || wrapping(field.type) !== wrapping(own.type)) {
        throw new ProgrammingError(`${type.name}.${name} and ${parent.name}.${name} differ in lists or nullability.`);
      }
      return {
        kind: Kind.INLINE_FRAGMENT,
        typeCondition: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: type.name } },
        selectionSet: { kind: Kind.SELECTION_SET, selections: this.below(node, field.type, depth, true).selections },
      };
    });
    return { selections, touched: true };
  }

  /**
   * `split`: the field stands below one that was split by type, so its selection set is cut once for each of the types. Each
   * copy then counts as touched, that of a type without cuts too: restoration knows only the one set they are copies of.
   */
  private below(node: FieldNode, type: GraphQLOutputType, depth: number, split: boolean): Cut {
    const named = getNamedType(type);
    if (!node.selectionSet || !isCompositeType(named)) return { selections: [node], touched: false };
    if (isIntrospectionType(named)) return { selections: [node], touched: false };
    const cut = this.selectionSet(node.selectionSet, named, depth + 1, split);
    if (!cut.touched && !split) return { selections: [node], touched: false };
    this.touched.add(node.selectionSet);
    // An emptied parent still runs, with its rules, and shows whether it is null; an abstract one must tell its type.
    const needsType = cut.selections.length === 0 || !isObjectType(named);
    const selections = needsType ? [...cut.selections, this.hidden] : cut.selections;
    return { selections: [{ ...node, selectionSet: { ...node.selectionSet, selections } }], touched: true };
  }
}

/**
 * Takes out of an operation every field that isn't kept, through fragments and interfaces.
 * @throws Failure `INVALID` for fragments that spread themselves, and for what is too large.
 */
export const cutDocument = (
  operation: Operation,
  document: DocumentNode,
  isKept: (typeName: string, fieldName: string) => boolean,
): CutDocument => {
  const hiddenKey = unusedKey(operation.inventory.responseKeys);
  const hidden: FieldNode = {
    kind: Kind.FIELD,
    alias: { kind: Kind.NAME, value: hiddenKey },
    name: { kind: Kind.NAME, value: '__typename' },
  };
  const cutter = new Cutter(operation, isKept, hidden);
  const { definition } = operation;
  const root = cutter.selectionSet(definition.selectionSet, operation.root, 0);
  if (!root.touched) return { document, touched: cutter.touched, hiddenKey };

  const selections = root.selections.length > 0 ? root.selections : [hidden];
  const selectionSet: SelectionSetNode = { ...definition.selectionSet, selections };
  const fragments = new Map<string, FragmentDefinitionNode>();
  const { variables, fragments: pending } = inventoryOf(selectionSet, undefined, 0, definition.directives);
  // A set's iteration reaches what is added to it on the way.
  for (const name of pending) {
    const original = operation.fragments.get(name);
    if (!original) continue;
    const cut = cutter.fragment(name, 0);
    const fragment = cut.touched
      ? { ...original, selectionSet: { ...original.selectionSet, selections: cut.selections } }
      : original;
    fragments.set(name, fragment);
    const used = inventoryOf(fragment.selectionSet, undefined, 0, fragment.directives);
    for (const each of used.fragments) pending.add(each);
    for (const each of used.variables) variables.add(each);
  }
  const variableDefinitions = (definition.variableDefinitions ?? []).filter((each) => variables.has(each.variable.name.value));
  return {
    document: { kind: Kind.DOCUMENT, definitions: [{ ...definition, variableDefinitions, selectionSet }, ...fragments.values()] },
    touched: cutter.touched,
    hiddenKey,
  };
};
