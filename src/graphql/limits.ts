import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
  valueFromASTUntyped,
} from 'graphql';
import { Failure } from '../failure';
import { largestPage } from './cursor';
import { type IntrospectedDocument, spendIntrospection } from './introspection-cost';
import type { OperationLimits } from './limits.section';
import { isList, type ListMark, listMarkOf } from './listed';

type SelectedFrom = GraphQLObjectType | GraphQLInterfaceType;

const tooMuch = (what: string, limit: number, of: string): Failure =>
  Failure.invalid('query', `more than ${limit} ${of} (${what}); ask for less at a time`);

/** Where a selection stands. */
interface Place {
  readonly type: SelectedFrom | undefined;
  readonly depth: number;
  /** How often it may come to stand there: by the lists above it, each as long as it may be. */
  readonly times: number;
  /** What the `first` of the field above asked for; the lists of its page are as long. */
  readonly page: number;
}

export interface OperationCost {
  readonly cost: number;
  /** With other variables it may be another one. */
  readonly byVariables: boolean;
}

/**
 * Refuses an operation that asks for too much before anything is planned or fetched. Every list counts as long as it may be: by
 * its `first`, literal or by variable, otherwise by its declared maximum; lists within lists multiply, and fragments count
 * where they are spread. Throws `INVALID`.
 */
export const checkLimits = (
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  limits: Pick<OperationLimits, 'depth' | 'aliases' | 'cost'>,
): OperationCost => {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  // Unset variables have the operation's default; the names that every object inherits are no variables.
  let byVariables = false;
  const given = (name: string): unknown => {
    byVariables = true;
    if (Object.hasOwn(variables, name)) return variables[name];
    const otherwise = operation.variableDefinitions?.find(({ variable }) => variable.name.value === name)?.defaultValue;
    return otherwise && valueFromASTUntyped(otherwise);
  };
  // Neither a page's size nor a type's name has parts in which a variable could stand.
  const argumentOf = (node: ValueNode): unknown =>
    node.kind === Kind.VARIABLE ? given(node.name.value) : valueFromASTUntyped(node);
  const graph: IntrospectedDocument = { schema, fragmentOf: (name) => fragments.get(name), argumentOf };

  let aliases = 0;
  let cost = 0;
  const spend = (values: number): void => {
    cost += values;
    if (cost > limits.cost) throw tooMuch('cost', limits.cost, 'values, each list counted as long as it may be');
  };
  /** What `first` asks for; null where the field has none. A size that can't be one counts as the largest page. */
  const firstOf = (node: FieldNode, field: GraphQLField<unknown, unknown>): number | null => {
    const declared = field.args.find((argument) => argument.name === 'first');
    if (!declared) return null;
    const argument = node.arguments?.find(({ name }) => name.value === 'first');
    const value = (argument && argumentOf(argument.value)) ?? declared.defaultValue;
    return typeof value === 'number' && value > 0 ? value : largestPage;
  };
  const field = (node: FieldNode, { type, depth, times, page }: Place): void => {
    if (node.alias) aliases += 1;
    if (aliases > limits.aliases) throw tooMuch('aliases', limits.aliases, 'fields with an alias');
    spend(times);
    const name = node.name.value;
    if (name === '__schema' || name === '__type') {
      const named = node.arguments?.find((each) => each.name.value === 'name')?.value;
      const selected = { selectionSet: node.selectionSet, name: named && argumentOf(named) };
      spendIntrospection(graph, name, selected, () => spend(1));
      return;
    }
    const own = type?.getFields()[name];
    if (!own) return;
    const first = firstOf(node, own);
    const mark = listMarkOf(own);
    const length = isList(own) ? lengthOf(mark, first, page) : 1;
    if (node.selectionSet)
      walk(node.selectionSet, {
        type: selectedFrom(getNamedType(own.type)),
        depth: depth + 1,
        times: times * length,
        page: first ?? largestPage,
      });
    else if (length > 1 && !mark?.parts) spend(times * length);
  };
  const walk = (set: SelectionSetNode, place: Place): void => {
    if (place.depth > limits.depth) throw tooMuch('depth', limits.depth, 'levels of fields');
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        field(selection, place);
        continue;
      }
      // Without it, fragments of nothing but fragments could spread without end.
      spend(1);
      const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
      if (!fragment) continue;
      const condition = fragment.typeCondition?.name.value;
      walk(fragment.selectionSet, { ...place, type: condition ? selectedFrom(schema.getType(condition)) : place.type });
    }
  };
  walk(operation.selectionSet, { type: selectedFrom(schema.getRootType(operation.operation)), depth: 1, times: 1, page: 1 });
  return { cost, byVariables };
};

/** What a list of parts of one object is taken for. */
const usualParts = 10;

const lengthOf = (mark: ListMark | undefined, first: number | null, page: number): number => {
  if (mark?.ofPage) return page;
  const most = first ?? mark?.most ?? largestPage;
  return mark?.parts ? Math.min(most, usualParts) : most;
};

const selectedFrom = (type: unknown): SelectedFrom | undefined =>
  isObjectType(type) || isInterfaceType(type) ? type : undefined;
