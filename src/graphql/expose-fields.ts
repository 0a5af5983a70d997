import { defaultFieldResolver, type GraphQLSchema } from 'graphql';
import type { Classification } from '../authz/policy/classification';
import { narrowingsOf } from './narrowing';
import type { RequestAccess } from './request-access';
import { fieldsOf, searchedIn } from './served-fields';
import type { Shown } from './shown';

export interface AccessContext {
  readonly access: RequestAccess;
}

/**
 * Lets every policed field leave through the request's verdicts, whoever wrote its resolver: the schema's own fields are
 * wrapped, so no slice has to remember it. What a list is narrowed or ordered by must be shown in clear under its parent's link. Unpoliced fields keep the compiled default access.
 */
export const exposeFields = (schema: GraphQLSchema, classification: Classification): GraphQLSchema => {
  for (const { field, coordinate } of fieldsOf(schema)) {
    if (!classification.fields.get(coordinate)?.policed) continue;
    const name = field.name;
    const original = field.resolve;
    const searched = searchedIn(field);
    const isPlain = original === undefined || original === defaultFieldResolver;
    field.resolve = isPlain
      ? (parent: Shown, _args, { access }: AccessContext) => {
          const verdict = access.admit(coordinate, parent);
          if (verdict === null) return null;
          return access.leave(verdict, coordinate, parent, (parent as unknown as Record<string, unknown>)[name], searched);
        }
      : (parent: Shown, args, context: AccessContext, info) => {
          const { access } = context;
          const verdict = access.admit(coordinate, parent);
          if (verdict === null) return null;
          if (field.args.length > 0) for (const narrowing of narrowingsOf(field, args)) access.expectClear(narrowing, parent);
          return access.leave(verdict, coordinate, parent, original(parent, args, context, info), searched);
        };
  }
  return schema;
};
