import { type GraphQLField, type GraphQLObjectType, type GraphQLSchema, isInterfaceType, isObjectType } from 'graphql';
import type { IMiddlewareTypeMap } from 'graphql-middleware';
import { generateResolverFromSchemaAndMiddleware } from 'graphql-middleware/applicator';
import { allow, deny, shield, rule as shieldRule } from 'graphql-shield';
import { Extensions } from 'type-graphql';
import type { SignedInActor } from '../authz/actor';
import { type DenialReason, Failure } from '../failure';
import type { RequestAccess } from './request-access';
import type { Shown } from './shown';

/** What a relation rule may look at: who asks, their live assistances, and the object that the relation starts from. All of it is loaded. */
export interface RelationView {
  readonly actor: SignedInActor;
  readonly access: RequestAccess;
}

/** Says why a field may not be followed from this object; null where it may. */
export type RelationRule<Parent = never> = (view: RelationView, parent: Parent) => DenialReason | null;

/** Whoever may see the object may follow this. Its rows are narrowed in SQL, its action has a rule, or its fields have verdicts. */
export const open: RelationRule<unknown> = () => null;

/** The rule of every field of an object type, by coordinate. */
export type Guards = ReadonlyMap<string, RelationRule>;

/** A decorator that compiles only beside a field of what its rule judges. */
interface Guard<Parent> {
  /** Beside a getter of the object itself. */
  (target: Parent, key: string, descriptor: PropertyDescriptor): void;
  /** Beside a resolver, whose first argument is the object. */
  <Root extends Parent>(target: object, key: string, descriptor: { value?: (root: Root, ...rest: never[]) => unknown }): void;
}

/**
 * The rule of a query, a mutation or a field with a resolver or method of its own: none of them is served without one. A getter
 * may have one too, where seeing the object isn't enough.
 */
export const Guarded = <Parent>(rule: RelationRule<Parent>): Guard<Parent> =>
  // type-graphql merges extensions shallowly: under the key of the field's class, one of the two would be lost.
  Extensions({ guard: rule }) as Guard<Parent>;

const ruleOf = (field: GraphQLField<unknown, unknown>): RelationRule | undefined =>
  field.extensions.guard as RelationRule | undefined;

/** The field is worked out where it is asked for, not read from its object. */
const isResolved = (field: GraphQLField<unknown, unknown>): boolean =>
  field.subscribe !== undefined || (field.resolve !== undefined && field.extensions.isGetter !== true);

/** Everything that is wrong with a schema's rules, so that one start reports all of it. */
export class GuardError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The schema can't be served:\n${problems.map((problem) => `- ${problem}`).join('\n')}`);
    this.name = 'GuardError';
  }
}

/**
 * Reads the rule of every field from beside its resolver. A part without a resolver of its own is open: its fields have verdicts.
 * The schema is as it was described, before its fields are wrapped.
 * @throws GuardError naming each root field and each resolver that has no rule.
 */
export const guardsOf = (schema: GraphQLSchema): Guards => {
  const guards = new Map<string, RelationRule>();
  const problems: string[] = [];
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    if (isObjectType(type)) {
      for (const field of Object.values(type.getFields())) {
        const coordinate = `${type.name}.${field.name}`;
        const rule = ruleOf(field);
        if (rule) guards.set(coordinate, rule);
        else if (roots.includes(type) || isResolved(field))
          problems.push(`${coordinate} has no rule: put @Guarded(rule) beside its resolver.`);
        else guards.set(coordinate, open);
      }
    }
    // shield ignores rules on interfaces: each type must have the rule itself.
    if (isInterfaceType(type)) {
      const { objects, interfaces } = schema.getImplementations(type);
      for (const field of Object.values(type.getFields())) {
        for (const each of [...objects, ...interfaces]) {
          const own = each.getFields()[field.name];
          if (own && ruleOf(field) && ruleOf(own) !== ruleOf(field))
            problems.push(`${each.name}.${field.name} doesn't have the rule of ${type.name}.${field.name}.`);
        }
      }
    }
  }
  if (problems.length > 0) throw new GuardError(problems);
  return guards;
};

/** What a rule says of a field of this object; null where it may be followed. */
export const refusalOf = (coordinate: string, relation: RelationRule, view: RelationView, parent: unknown): Failure | null => {
  const reason = relation(view, parent as never);
  return reason === null ? null : Failure.denied(reason, coordinate, (parent as Partial<Shown> | undefined)?.shown?.ticketId);
};

/** What graphql-middleware makes of a field. */
type Wrapped = Pick<GraphQLField<unknown, unknown>, 'resolve' | 'subscribe'>;

const guard = (coordinate: string, relation: RelationRule) =>
  // The rule reads the parent: any of shield's caches would answer every row with the first row's answer.
  shieldRule(coordinate, { cache: 'no_cache' })(
    (parent: unknown, _args: unknown, context: unknown) =>
      (refusalOf(coordinate, relation, context as RelationView, parent) as Error | null) ?? true,
  );

/** Puts graphql-shield's rules on every field of this schema. A field without one is denied. */
export const guardFields = (schema: GraphQLSchema, guards: Guards): GraphQLSchema => {
  const tree: Record<string, Record<string, ReturnType<typeof guard> | typeof allow>> = {};
  const unguarded: [type: string, field: string][] = [];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const rules: (typeof tree)[string] = {};
    for (const field of Object.values(type.getFields())) {
      const coordinate = `${type.name}.${field.name}`;
      const relation = guards.get(coordinate);
      if (relation === open) {
        rules[field.name] = allow;
        unguarded.push([type.name, field.name]);
      } else if (relation) {
        rules[field.name] = guard(coordinate, relation);
      }
    }
    tree[type.name] = rules;
  }
  // shield allows unlisted fields unless told otherwise, and hides every error unless told otherwise; ours are coded and masked later.
  const middleware = shield(tree, { fallbackRule: deny, allowExternalErrors: true, debug: false }).generate(
    schema,
  ) as unknown as IMiddlewareTypeMap;
  // shield makes each field it wraps asynchronous. Where the rule is "allow" the wrapper decides nothing, so it goes; safe because the tree is total.
  for (const [type, field] of unguarded) {
    const fields = middleware[type];
    if (fields && typeof fields === 'object') delete (fields as Record<string, unknown>)[field];
  }
  const guarded = generateResolverFromSchemaAndMiddleware(schema, { onlyDeclaredResolvers: false }, middleware);
  for (const [name, fields] of Object.entries(guarded as Record<string, Record<string, Wrapped>>)) {
    const type = schema.getType(name) as GraphQLObjectType;
    for (const [key, { resolve, subscribe }] of Object.entries(fields))
      Object.assign(type.getFields()[key] as object, { resolve, subscribe });
  }
  return schema;
};
