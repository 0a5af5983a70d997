import {
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  getNamedType,
  isLeafType,
  isObjectType,
} from 'graphql';
import type { Classification } from '../authz/policy/classification';
import { type Searched, searchedFor } from '../authz/policy/marks';
import type { Guards, RelationRule } from './guarded';
import { isList } from './listed';

/** One field of the graph as it is served, in its parts: what compiled execution puts together anew, for one operation and class of access. */
export interface ServedField {
  /** Asked before anything else. */
  readonly relation: RelationRule;
  /** Makes its value with all that protects it but the rule; undefined where it is read from its object, in clear for everybody. */
  readonly resolve: GraphQLFieldResolver<unknown, unknown> | undefined;
  /** Of a policed value that is read from its object: what is searched for in it. Null for every other field. */
  readonly searched: Searched | null;
}

/** By `Type.field`, of object types. */
export type ServedFields = ReadonlyMap<string, ServedField>;

// biome-ignore lint/suspicious/noExplicitAny: as graphql-js types the fields of an object
type Field = GraphQLField<any, any>;

/** Every field of an object type, introspection's left out. */
export function* fieldsOf(schema: GraphQLSchema): Generator<{ readonly field: Field; readonly coordinate: string }> {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) yield { field, coordinate: `${type.name}.${field.name}` };
  }
}

/**
 * Lets execution read getters as it reads properties. type-graphql gives each a resolver that does nothing else, through
 * middleware, of which there is none.
 */
export const readGetters = (schema: GraphQLSchema): GraphQLSchema => {
  for (const { field } of fieldsOf(schema)) if (field.extensions.isGetter === true) delete field.resolve;
  return schema;
};

/** What of a policed value is searched, for its verdict to hold: others' contacts in a text. */
export const searchedIn = (field: Field): Searched =>
  getNamedType(field.type).name === 'String' ? searchedFor(field) : 'NOTHING';

/** Those that are read from their objects. The schema is as it was described, its getters among them. */
export const plainFields = (schema: GraphQLSchema): ReadonlySet<string> =>
  new Set([...fieldsOf(schema)].flatMap(({ field, coordinate }) => (field.resolve === undefined ? coordinate : [])));

/** The parts of every field. In `schema` they are wrapped in all but their rules. */
export const servedFields = (
  schema: GraphQLSchema,
  { plain, classification, guards }: { plain: ReadonlySet<string>; classification: Classification; guards: Guards },
): ServedFields => {
  const served = new Map<string, ServedField>();
  for (const { field, coordinate } of fieldsOf(schema)) {
    const relation = guards.get(coordinate);
    // Without a rule it is denied, and nothing that selects it is compiled.
    if (!relation) continue;
    const isValue = plain.has(coordinate) && isLeafType(getNamedType(field.type)) && !isList(field);
    const isPoliced = classification.fields.get(coordinate)?.policed === true;
    served.set(coordinate, { relation, resolve: field.resolve, searched: isValue && isPoliced ? searchedIn(field) : null });
  }
  return served;
};
