import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isCompositeType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import { Failure, ProgrammingError } from '../../failure';

/** Nesting of selections, spread fragments included. Beyond any useful query, far below what recursion can take. */
const deepest = 200;

/** Fields of an operation once its fragments are spread out: what a document of a few lines can multiply to without a bound. */
const widest = 20_000;

const tooLarge = (): Failure => Failure.invalid('query', 'nested too deeply or selecting too many fields; ask for less at once');

const conditional = new Set(['include', 'skip']);

const emptyInventory = (): Inventory => ({
  responseKeys: new Set(),
  fragments: new Set(),
  variables: new Set(),
  conditions: new Set(),
});

/** Counts the work on one operation, so that a document can't make planning expensive. */
export class Allowance {
  private left = widest;

  spend(depth: number): void {
    this.left -= 1;
    if (this.left < 0 || depth > deepest) throw tooLarge();
  }
}

/** What a selection set names, at any depth, without the fragments that it spreads. */
export interface Inventory {
  readonly responseKeys: Set<string>;
  readonly fragments: Set<string>;
  readonly variables: Set<string>;
  /** Of the variables, those of `@include` and `@skip`. */
  readonly conditions: Set<string>;
}

const addVariables = (value: ValueNode, into: Set<string>, depth: number): void => {
  if (depth > deepest) throw tooLarge();
  if (value.kind === Kind.VARIABLE) into.add(value.name.value);
  if (value.kind === Kind.LIST) for (const each of value.values) addVariables(each, into, depth + 1);
  if (value.kind === Kind.OBJECT) for (const each of value.fields) addVariables(each.value, into, depth + 1);
};

const addDirectives = (directives: readonly DirectiveNode[] | undefined, into: Inventory): void => {
  for (const directive of directives ?? []) {
    for (const { value } of directive.arguments ?? []) {
      addVariables(value, into.variables, 0);
      if (value.kind === Kind.VARIABLE && conditional.has(directive.name.value)) into.conditions.add(value.name.value);
    }
  }
};

/**
 * Takes stock of selections by plain recursion; the visitor of graphql-js takes many times as long.
 * @throws Failure `INVALID` for what is nested too deeply.
 */
export const inventoryOf = (
  set: SelectionSetNode,
  into: Inventory = emptyInventory(),
  depth = 0,
  directives: readonly DirectiveNode[] = [],
): Inventory => {
  if (depth > deepest) throw tooLarge();
  addDirectives(directives, into);
  for (const node of set.selections) {
    addDirectives(node.directives, into);
    if (node.kind === Kind.FRAGMENT_SPREAD) into.fragments.add(node.name.value);
    if (node.kind === Kind.FIELD) {
      into.responseKeys.add(responseKey(node));
      for (const { value } of node.arguments ?? []) addVariables(value, into.variables, 0);
    }
    if (node.kind !== Kind.FRAGMENT_SPREAD && node.selectionSet) inventoryOf(node.selectionSet, into, depth + 1);
  }
  return into;
};

/** The operation that is to run, and the fragments of its document. */
export interface Operation {
  readonly schema: GraphQLSchema;
  readonly definition: OperationDefinitionNode;
  readonly root: GraphQLObjectType;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Of the operation and all fragments of its document. */
  readonly inventory: Inventory;
}

/**
 * @throws Failure `INVALID` if the document holds no such operation, or a response key that no executor returns faithfully.
 */
export const operationOf = (
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
): Operation => {
  const fragments = new Map<string, FragmentDefinitionNode>();
  const operations: OperationDefinitionNode[] = [];
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
    if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition);
  }
  const [definition, second] = operations.filter((each) => !operationName || each.name?.value === operationName);
  if (!definition || second) throw Failure.invalid('operationName', 'expected the name of one operation of the document');
  const root = schema.getRootType(definition.operation);
  if (!root) throw Failure.invalid('query', `this graph has no ${definition.operation}`);
  const inventory = inventoryOf(definition.selectionSet, undefined, 0, definition.directives);
  for (const fragment of fragments.values()) inventoryOf(fragment.selectionSet, inventory);
  // As a key of an object it would set the prototype instead of a value.
  if (inventory.responseKeys.has('__proto__')) throw Failure.invalid('query', 'a response key must not be __proto__');
  return { schema, definition, root, fragments, inventory };
};

/** `__typename`, `__schema` and `__type`, and whatever is selected below them. */
export const isIntrospection = (node: FieldNode): boolean => node.name.value.startsWith('__');

export const responseKey = (node: FieldNode): string => node.alias?.value ?? node.name.value;

export const compositeType = (schema: GraphQLSchema, name: string): GraphQLCompositeType => {
  const type = schema.getType(name);
  if (!isCompositeType(type)) throw new ProgrammingError(`The document was not validated: ${name} is no type to select from.`);
  return type;
};

export const possibleTypes = (schema: GraphQLSchema, type: GraphQLCompositeType): readonly GraphQLObjectType[] =>
  isObjectType(type) ? [type] : schema.getPossibleTypes(type);

/** The value of a variable in `@include` and `@skip`; undefined where both values have to be thought of. */
export type Condition = (variable: string) => boolean | undefined;

const holds = (directive: DirectiveNode, condition: Condition): boolean | undefined => {
  const value = directive.arguments?.find((each) => each.name.value === 'if')?.value;
  if (value?.kind === Kind.BOOLEAN) return value.value;
  return value?.kind === Kind.VARIABLE ? condition(value.name.value) : undefined;
};

/** Whether a selection takes part. An undecided condition counts as taking part. */
export const isActive = (node: { readonly directives?: readonly DirectiveNode[] }, condition: Condition): boolean =>
  (node.directives ?? []).every((directive) => {
    if (directive.name.value === 'include') return holds(directive, condition) !== false;
    return directive.name.value !== 'skip' || holds(directive, condition) !== true;
  });

/**
 * Fields by response key, in the order of execution, for one object type: CollectFields of the GraphQL specification
 * (October 2021, §6.3.2), which also merges what stands under one key several times.
 */
export const collectFields = (
  operation: Operation,
  type: GraphQLObjectType,
  sets: readonly SelectionSetNode[],
  condition: Condition,
  depth: number,
  allowance: Allowance,
): Map<string, FieldNode[]> => {
  const collected = new Map<string, FieldNode[]>();
  const visited = new Set<string>();
  const applies = (name: string): boolean => {
    const on = compositeType(operation.schema, name);
    return on === type || (!isObjectType(on) && operation.schema.isSubType(on, type));
  };
  const collect = (set: SelectionSetNode, level: number): void => {
    for (const node of set.selections) {
      allowance.spend(level);
      if (!isActive(node, condition)) continue;
      if (node.kind === Kind.FIELD) {
        const same = collected.get(responseKey(node));
        if (same) same.push(node);
        else collected.set(responseKey(node), [node]);
      } else if (node.kind === Kind.INLINE_FRAGMENT) {
        if (!node.typeCondition || applies(node.typeCondition.name.value)) collect(node.selectionSet, level + 1);
      } else {
        const name = node.name.value;
        const fragment = operation.fragments.get(name);
        if (!fragment || visited.has(name)) continue;
        visited.add(name);
        if (applies(fragment.typeCondition.name.value)) collect(fragment.selectionSet, level + 1);
      }
    }
  };
  for (const set of sets) collect(set, depth);
  return collected;
};

/** Gives lists of selection sets a text that is equal exactly where they are the same nodes of the document. */
export const identities = (): ((sets: readonly SelectionSetNode[]) => string) => {
  const numbers = new Map<SelectionSetNode, number>();
  const numberOf = (set: SelectionSetNode): number => {
    const number = numbers.get(set) ?? numbers.size;
    numbers.set(set, number);
    return number;
  };
  return (sets) => sets.map(numberOf).join(',');
};

/** Selection sets below merged fields. */
export const subselections = (nodes: readonly FieldNode[]): SelectionSetNode[] =>
  nodes.flatMap((node) => (node.selectionSet ? [node.selectionSet] : []));

export const isRead = (operation: Operation): boolean => operation.definition.operation === OperationTypeNode.QUERY;

export const isWrite = (operation: Operation): boolean => operation.definition.operation === OperationTypeNode.MUTATION;
