import {
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { ProgrammingError } from '../failure';
import type { AccessContext } from './expose-fields';
import { isList, listMarkOf } from './listed';
import type { Work } from './work';

type Resolve = NonNullable<GraphQLField<unknown, AccessContext>['resolve']>;

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';

/** Counts what a field makes, and lets others be heard before and after it where the operation has gone on for long. */
const paced = (coordinate: string, original: Resolve, most: number | null, nothing: (work: Work) => unknown): Resolve => {
  // Functions apart make what a callback needs where there is one only.
  const inTurn = (work: Work, value: unknown): Promise<unknown> =>
    work.turn().then(() => (work.over === null ? value : nothing(work)));
  const made = (work: Work, value: unknown): unknown => {
    if (Array.isArray(value)) {
      if (most !== null && value.length > most)
        throw new ProgrammingError(`${coordinate} has ${value.length} items and declares ${most} at most.`);
      work.addObjects(value.length);
    } else if (value !== null && value !== undefined) {
      work.addObjects(1);
    }
    if (work.over !== null) return nothing(work);
    return work.mustWait ? inTurn(work, value) : value;
  };
  const madeLater = (work: Work, value: Promise<unknown>): Promise<unknown> => value.then((settled) => made(work, settled));
  const make: Resolve = (parent, args, context, info) => {
    const { work } = context.access;
    if (work.over !== null) return nothing(work);
    const value: unknown = original(parent, args, context, info);
    return isPromise(value) ? madeLater(work, value) : made(work, value);
  };
  const makeInTurn: Resolve = (parent, args, context, info) =>
    context.access.work.turn().then(() => make(parent, args, context, info));
  return (parent, args, context, info) =>
    context.access.work.mustWait ? makeInTurn(parent, args, context, info) : make(parent, args, context, info);
};

/**
 * Makes execution count, compiled or not, and give the event loop back: every list, and every field with a resolver that leads to
 * further fields, is told to the operation's work. A list that is longer than it declares is a fault. An operation that is
 * over gets nothing more: it is cheaper to end than an error for each field.
 */
export const paceFields = (schema: GraphQLSchema): GraphQLSchema => {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      const list = isList(field);
      const isRead = field.resolve === undefined || field.resolve === defaultFieldResolver;
      const resolves = !isRead || field.extensions.isGetter === true;
      if (!list && !(resolves && isCompositeType(getNamedType(field.type)))) continue;
      const nothing = (work: Work): unknown => {
        if (list) return [];
        if (isNonNullType(field.type)) throw work.over;
        return null;
      };
      const original = (field.resolve ?? defaultFieldResolver) as Resolve;
      const most = listMarkOf(field)?.most ?? null;
      const pacedField = paced(`${type.name}.${field.name}`, original, most, nothing);
      const resolve: Resolve =
        type === schema.getQueryType()
          ? (parent, args, context, info) => context.access.work.root(() => pacedField(parent, args, context, info))
          : pacedField;
      field.resolve = resolve as NonNullable<typeof field.resolve>;
    }
  }
  return schema;
};
