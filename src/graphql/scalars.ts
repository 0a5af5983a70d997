import { GraphQLScalarType } from 'graphql';
import { GraphQLDateTime, GraphQLSafeInt } from 'graphql-scalars';

export const DateTime = GraphQLDateTime;
export const SafeInt = GraphQLSafeInt;

/** ISO 4217 alphabetic code. Output only. */
export const CurrencyCode = new GraphQLScalarType<string, string>({
  name: 'CurrencyCode',
  description: 'A currency by its ISO 4217 alphabetic code, such as EUR.',
  serialize: (value) => {
    if (typeof value === 'string' && /^[A-Z]{3}$/.test(value)) return value;
    throw new TypeError('not an ISO 4217 code');
  },
  parseValue: (value) => {
    if (typeof value === 'string' && /^[A-Z]{3}$/.test(value)) return value;
    throw new TypeError('expected an ISO 4217 code, such as EUR');
  },
});
