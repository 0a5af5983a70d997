import { type GraphQLField, type GraphQLInputType, isEnumType, isInputObjectType, isListType, isNonNullType } from 'graphql';
import { filtersOf, sortsOf } from '../authz/policy/marks';

/** An output field by whose value an answer is narrowed or ordered. */
export interface Narrowing {
  readonly coordinate: string;
  readonly by: 'filter' | 'sort';
}

type Carrier = { readonly type: GraphQLInputType; readonly extensions: Readonly<Record<string, unknown>> };

const ofType = (type: GraphQLInputType, value: unknown): readonly Narrowing[] => {
  if (value === null || value === undefined) return [];
  if (isNonNullType(type)) return ofType(type.ofType, value);
  if (isListType(type)) return Array.isArray(value) ? value.flatMap((item) => ofType(type.ofType, item)) : [];
  if (isInputObjectType(type))
    return Object.values(type.getFields()).flatMap((field) => ofCarrier(field, (value as Record<string, unknown>)[field.name]));
  if (!isEnumType(type)) return [];
  const given = type.getValues().find((each) => each.value === value);
  return given ? sortsOf(given).map((coordinate) => ({ coordinate, by: 'sort' })) : [];
};

const ofCarrier = (carrier: Carrier, value: unknown): readonly Narrowing[] =>
  value === null || value === undefined
    ? []
    : [...filtersOf(carrier).map((coordinate): Narrowing => ({ coordinate, by: 'filter' })), ...ofType(carrier.type, value)];

/** By what the arguments of a field, as execution has coerced them, narrow and order it. An order that is the default asks for nothing. */
export const narrowingsOf = (
  field: Pick<GraphQLField<unknown, unknown>, 'args'>,
  args: Readonly<Record<string, unknown>>,
): readonly Narrowing[] =>
  field.args.flatMap((argument) => {
    const value = args[argument.name];
    return value === argument.defaultValue ? [] : ofCarrier(argument, value);
  });
