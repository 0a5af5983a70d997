import { type GraphQLSchema, isAbstractType } from 'graphql';

/** An object that is met where the schema says only an interface or a union. */
export interface OfAbstractType {
  /** Name of its object type. */
  readonly graphType: string;
}

/** type-graphql answers for the runtime type with a promise, which compiled execution doesn't wait for: the object says it itself. */
export const resolveAbstractTypes = (schema: GraphQLSchema): GraphQLSchema => {
  for (const type of Object.values(schema.getTypeMap())) {
    if (isAbstractType(type) && !type.name.startsWith('__')) type.resolveType = (value: OfAbstractType) => value.graphType;
  }
  return schema;
};
