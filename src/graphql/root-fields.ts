import { type DocumentNode, type FieldNode, type GraphQLSchema, getArgumentValues, type OperationDefinitionNode } from 'graphql';
import { Allowance, collectFields, operationOf } from '../authz/plan/selection';

/** A root field that takes part, as `Query.ticket`, with its arguments. */
export interface RootCall {
  readonly field: string;
  readonly given: Readonly<Record<string, unknown>>;
}

/** An operation of a document that may have others, cut to what may be asked for. */
interface Cut {
  readonly operation: OperationDefinitionNode;
  readonly plan: { readonly document: DocumentNode };
}
type Coerced = Readonly<Record<string, unknown>>;

/** Its root fields that take part, by response key. */
export const rootFieldsOf = (
  { operation, plan: { document } }: Cut,
  schema: GraphQLSchema,
  variables: Coerced,
): [key: string, nodes: FieldNode[]][] => {
  const of = operationOf(schema, document, operation.name?.value ?? null);
  const sets = [of.definition.selectionSet];
  return [...collectFields(of, of.root, sets, (name) => variables[name] === true, 0, new Allowance())];
};

/** The same with their arguments; what describes the graph has none that say anything, and is left out. */
export const rootCallsOf = (cut: Cut, schema: GraphQLSchema, variables: Coerced): RootCall[] => {
  const type = schema.getRootType(cut.operation.operation);
  return rootFieldsOf(cut, schema, variables).flatMap(([, nodes]) =>
    nodes.flatMap((node) => {
      const field = type?.getFields()[node.name.value];
      return type && field
        ? [{ field: `${type.name}.${field.name}`, given: getArgumentValues(field, node, { ...variables }) }]
        : [];
    }),
  );
};
