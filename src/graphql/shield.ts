import { type GraphQLSchema, getNamedType, isLeafType, isObjectType } from 'graphql';
import { applyMiddleware, type IMiddlewareTypeMap } from 'graphql-middleware';
import { allow, deny, shield, rule as shieldRule } from 'graphql-shield';
import type { SignedInActor } from '../authz/actor';
import { type DenialReason, Failure } from '../failure';
import type { RequestAccess } from './request-access';
import type { Shown } from './shown';

/** What a relation rule may look at: who asks, what they hold, and the object that the relation starts from. All of it is loaded. */
export interface RelationView {
  readonly actor: SignedInActor;
  readonly access: RequestAccess;
}

/** Says why a relation may not be followed from this object; null where it may. */
export type RelationRule<Parent = never> = (view: RelationView, parent: Parent) => DenialReason | null;

/** `open`: whoever may see the object may follow this; its fields have verdicts of their own. */
export type RelationRules = Readonly<Record<string, Readonly<Record<string, RelationRule | 'open'>>>>;

type Rules = Record<string, Record<string, ReturnType<ReturnType<typeof shieldRule>> | typeof allow>>;

const guard = (coordinate: string, relation: RelationRule) =>
  // The rule reads the parent: any of shield's caches would answer every row with the first row's answer.
  shieldRule(coordinate, { cache: 'no_cache' })((parent: unknown, _args: unknown, context: unknown) => {
    const reason = relation(context as RelationView, parent as never);
    if (reason === null) return true;
    return Failure.denied(reason, coordinate, (parent as Partial<Shown> | undefined)?.shown?.ticketId) as Error;
  });

/**
 * Puts graphql-shield's rules on every root and relation field. What isn't named is denied: a new field that leads to an
 * object is closed until its slice says what it depends on. Fields that hold a value are decided by the access plan.
 */
export const guardRelations = (schema: GraphQLSchema, relations: RelationRules): GraphQLSchema => {
  const tree: Rules = {};
  const unguarded = new Set<string>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const isRoot = [schema.getQueryType(), schema.getMutationType()].includes(type);
    const rules: Rules[string] = {};
    for (const field of Object.values(type.getFields())) {
      const coordinate = `${type.name}.${field.name}`;
      const relation = relations[type.name]?.[field.name];
      if (typeof relation === 'function') {
        rules[field.name] = guard(coordinate, relation);
      } else if (relation === 'open' || (!isRoot && isLeafType(getNamedType(field.type)))) {
        rules[field.name] = allow;
        unguarded.add(coordinate);
      }
    }
    tree[type.name] = rules;
  }
  const unknown = Object.entries(relations).flatMap(([type, fields]) =>
    Object.keys(fields)
      .filter((field) => !tree[type]?.[field])
      .map((field) => `${type}.${field}`),
  );
  if (unknown.length > 0) throw new Error(`rules for fields that don't exist: ${unknown.join(', ')}`);
  // shield allows unlisted fields unless told otherwise, and hides every error unless told otherwise; ours are coded and masked later.
  const middleware = shield(tree, { fallbackRule: deny, allowExternalErrors: true, debug: false }).generate(
    schema,
  ) as unknown as IMiddlewareTypeMap;
  // shield makes each field it wraps asynchronous. Where the rule is "allow" the wrapper decides nothing, so it goes; safe because the tree is total.
  for (const coordinate of unguarded) {
    const [type, field] = coordinate.split('.') as [string, string];
    const fields = middleware[type];
    if (fields && typeof fields === 'object') delete (fields as Record<string, unknown>)[field];
  }
  return applyMiddleware(schema, middleware);
};
