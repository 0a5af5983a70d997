import { type GraphQLSchema, isEnumType } from 'graphql';
import type { SortMark } from '../authz/policy/marks';

/** Marks the values of order enumerations with the field that they sort by: type-graphql can't put extensions on them. */
export const sortedBy = (
  schema: GraphQLSchema,
  orders: Readonly<Record<string, Readonly<Record<string, string>>>>,
): GraphQLSchema => {
  for (const [name, values] of Object.entries(orders)) {
    const type = schema.getType(name);
    if (!isEnumType(type)) throw new Error(`no enumeration ${name}`);
    for (const [value, coordinate] of Object.entries(values)) {
      const known = type.getValue(value);
      if (!known) throw new Error(`${name} has no value ${value}`);
      known.extensions = { ...known.extensions, counterfoil: { sorts: coordinate } satisfies SortMark };
    }
  }
  return schema;
};
