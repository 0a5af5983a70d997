import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { Failure } from '../failure';

export interface OperationLimits {
  /** Fields within fields. */
  readonly depth: number;
  /** Fields with an alias. */
  readonly aliases: number;
  /** Fields that may be resolved, with lists counted by their `first`. */
  readonly cost: number;
}

export const defaultLimits: OperationLimits = { depth: 12, aliases: 50, cost: 25_000 };

/** What a list without `first` is taken for. */
const assumedLength = 10;

/**
 * Refuses an operation that asks for too much before anything is planned or fetched. `first` counts, literal or by
 * variable, so that a page of a page of a page is as expensive here as it is to serve. Throws `INVALID`.
 */
export const checkLimits = (
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  limits: OperationLimits,
): void => {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  // Unset variables have the operation's default; the names that every object inherits are no variables.
  const given = (name: string): unknown => {
    if (Object.hasOwn(variables, name)) return variables[name];
    const otherwise = operation.variableDefinitions?.find(({ variable }) => variable.name.value === name)?.defaultValue;
    return otherwise?.kind === Kind.INT ? Number(otherwise.value) : undefined;
  };
  let aliases = 0;
  let cost = 0;
  const lengthOf = (node: FieldNode, type: GraphQLObjectType | undefined): number => {
    const field = type?.getFields()[node.name.value];
    if (!field) return 1;
    const first = node.arguments?.find((argument) => argument.name.value === 'first')?.value;
    const declared = field.args.find((argument) => argument.name === 'first');
    if (first || declared) {
      const value =
        first?.kind === Kind.INT ? Number(first.value) : first?.kind === Kind.VARIABLE ? given(first.name.value) : null;
      const length = value ?? declared?.defaultValue;
      return typeof length === 'number' && length > 0 ? length : assumedLength;
    }
    return isListType(getNullableType(field.type)) && !type?.name.endsWith('Connection') ? assumedLength : 1;
  };
  const walk = (set: SelectionSetNode, type: GraphQLObjectType | undefined, depth: number, times: number): void => {
    if (depth > limits.depth) throw tooMuch('depth', limits.depth, 'levels of fields');
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        // The graph about itself: no row is behind it, and where strangers could ask it is switched off.
        if (selection.name.value === '__schema' || selection.name.value === '__type') continue;
        if (selection.alias) aliases += 1;
        cost += times;
        if (aliases > limits.aliases) throw tooMuch('aliases', limits.aliases, 'fields with an alias');
        if (cost > limits.cost) throw tooMuch('cost', limits.cost, 'fields, lists counted by their first');
        if (selection.selectionSet) {
          const named = type?.getFields()[selection.name.value]
            ? getNamedType(type.getFields()[selection.name.value]?.type)
            : undefined;
          walk(selection.selectionSet, concrete(named), depth + 1, times * lengthOf(selection, type));
        }
      } else {
        const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
        if (!fragment) continue;
        const condition = fragment.typeCondition?.name.value;
        walk(fragment.selectionSet, condition ? concrete(schema.getType(condition)) : type, depth, times);
      }
    }
  };
  walk(operation.selectionSet, concrete(schema.getRootType(operation.operation)), 1, 1);
};

/** The fields of an interface are enough to know its lists. */
const concrete = (type: unknown): GraphQLObjectType | undefined =>
  isObjectType(type) ? type : isInterfaceType(type) ? (type as unknown as GraphQLObjectType) : undefined;

const tooMuch = (what: string, limit: number, of: string): Failure =>
  Failure.invalid('query', `more than ${limit} ${of} (${what}); ask for less at a time`);
