import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { GraphQLScalarType } from 'graphql';

const here = createRequire(__filename);
/** One file of a package whose entry loads all of its ninety scalars. */
const scalars = (file: string) =>
  here(join(dirname(here.resolve('graphql-scalars')), 'scalars', file)) as typeof import('graphql-scalars');

export const DateTime = scalars('iso-date/DateTime.js').GraphQLDateTime;
export const SafeInt = scalars('SafeInt.js').GraphQLSafeInt;

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
