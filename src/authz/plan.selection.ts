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
  visit,
} from 'graphql';
import { Failure, ProgrammingError } from '../failure';

/** Nesting of selections, spread fragments included. Beyond any useful query, far below what recursion can take. */
const deepest = 200;

/** Fields of an operation once its fragments are spread out: what a document of a few lines can multiply to without a bound. */
const widest = 20_000;

const tooLarge = (): Failure => Failure.invalid('query', 'nested too deeply or selecting too many fields; ask for less at once');

/** Counts the work on one operation, so that a document can't make planning expensive. */
export class Allowance {
  private left = widest;

  spend(depth: number): void {
    this.left -= 1;
    if (this.left < 0 || depth > deepest) throw tooLarge();
  }
}

/** The operation that is to run, and the fragments of its document. */
export interface Operation {
  readonly schema: GraphQLSchema;
  readonly definition: OperationDefinitionNode;
  readonly root: GraphQLObjectType;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
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
  visit(document, {
    Field: (node) => {
      // As a key of an object it would set the prototype instead of a value.
      if (node.alias?.value === '__proto__') throw Failure.invalid('query', 'a response key must not be __proto__');
    },
  });
  return { schema, definition, root, fragments };
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

/** Selection sets below merged fields. */
export const subselections = (nodes: readonly FieldNode[]): SelectionSetNode[] =>
  nodes.flatMap((node) => (node.selectionSet ? [node.selectionSet] : []));

export const isRead = (operation: Operation): boolean => operation.definition.operation === OperationTypeNode.QUERY;
