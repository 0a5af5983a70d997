import { type GraphQLSchema, isListType, isObjectType, Kind, type SelectionSetNode, type ValueNode } from 'graphql';

export interface IntrospectedDocument {
  readonly schema: GraphQLSchema;
  readonly fragmentOf: (name: string) => { readonly selectionSet: SelectionSetNode } | undefined;
  /** The value of an argument, as it will be. */
  readonly argumentOf: (node: ValueNode) => unknown;
}

/**
 * Walks what a selection asks of the graph about itself, object by object, as execution will: how much it is depends on the types
 * that are named, and the same few lines ask for hundreds or for millions. `spend` is told each field and ends the walk by throwing.
 */
export const spendIntrospection = (
  { schema, fragmentOf, argumentOf }: IntrospectedDocument,
  root: '__schema' | '__type',
  selected: { readonly selectionSet?: SelectionSetNode | undefined; readonly name: unknown },
  spend: () => void,
): void => {
  const walk = (typeName: string, value: unknown, set: SelectionSetNode): void => {
    const type = schema.getType(typeName);
    if (!isObjectType(type)) return;
    for (const node of set.selections) {
      spend();
      if (node.kind !== Kind.FIELD) {
        const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragmentOf(node.name.value) : node;
        if (fragment) walk(typeName, value, fragment.selectionSet);
        continue;
      }
      const field = type.getFields()[node.name.value];
      if (!field || !node.selectionSet) continue;
      const args = Object.fromEntries((node.arguments ?? []).map((each) => [each.name.value, argumentOf(each.value)]));
      // The fields of these types are read, not looked up: their resolvers take nothing but the schema.
      const found: unknown = field.resolve?.(value, args, {}, { schema } as never);
      for (const each of Array.isArray(found) ? found : [found])
        if (each !== undefined && each !== null) walk(nameOf(field.type), each, node.selectionSet);
    }
  };
  const value = root === '__schema' ? schema : schema.getType(String(selected.name));
  if (value && selected.selectionSet) walk(root === '__schema' ? '__Schema' : '__Type', value, selected.selectionSet);
};

const nameOf = (type: unknown): string => {
  let named = type as { ofType?: unknown; name?: string };
  while (isListType(named) || named.ofType !== undefined) named = named.ofType as typeof named;
  return named.name ?? '';
};
