import { type GraphQLFieldResolver, type GraphQLSchema, isObjectType } from 'graphql';
import { getMetadataStorage } from 'type-graphql';

// biome-ignore lint/suspicious/noExplicitAny: as graphql-js types the fields of an object
type Resolve = GraphQLFieldResolver<any, any>;
type Storage = ReturnType<typeof getMetadataStorage>;
type Described = Storage['queries'][number] | Storage['fieldResolvers'][number];
type Parameter = NonNullable<Described['params']>[number];

/** What is given for a parameter. */
type Give = (...given: Parameters<Resolve>) => unknown;

/** type-graphql would give it as it is, but for what it makes an object of a class; it validates nothing of it. */
const isPlain = (parameter: Parameter): boolean => {
  switch (parameter.kind) {
    case 'arg':
      return parameter.validateFn === undefined && parameter.validateSettings === undefined;
    case 'root':
      return parameter.propertyName === undefined;
    case 'context':
    case 'info':
      return true;
    default:
      return false;
  }
};

const giving = (parameter: Parameter): Give => {
  if (parameter.kind === 'arg') {
    const { name } = parameter;
    return (_parent, args) => args[name];
  }
  if (parameter.kind === 'root') return (parent) => parent;
  if (parameter.kind === 'info') return (_parent, _args, _context, info) => info;
  const name = parameter.kind === 'context' ? parameter.propertyName : undefined;
  return name === undefined ? (_parent, _args, context) => context : (_parent, _args, context) => context[name];
};

/** The method called with what the field is given; null where type-graphql has more to do than that. */
const called = (described: Described, original: Resolve, isInput: (type: unknown) => boolean): Resolve | null => {
  const { target, methodName, params = [], roles, middlewares = [] } = described;
  if (roles !== undefined || middlewares.length > 0 || !params.every(isPlain)) return null;
  const instance = new (target as new () => Record<string, (...given: unknown[]) => unknown>)();
  const method = instance[methodName];
  const inOrder = [...params].sort((a, b) => a.index - b.index);
  if (method === undefined || inOrder.some(({ index }, at) => index !== at)) return null;
  const gives = inOrder.map(giving);
  const inputs = inOrder.flatMap((each) => (each.kind === 'arg' && isInput(each.getType()) ? [each.name] : []));
  const roots = inOrder.flatMap((each) => (each.kind === 'root' && each.getType ? [each.getType() as new () => object] : []));
  return (parent, args, context, info) => {
    for (const name of inputs) if (args[name] !== undefined && args[name] !== null) return original(parent, args, context, info);
    for (const root of roots) if (!(parent instanceof root)) return original(parent, args, context, info);
    const given = new Array<unknown>(gives.length);
    for (let at = 0; at < gives.length; at += 1) given[at] = gives[at]?.(parent, args, context, info);
    return method.apply(instance, given);
  };
};

/**
 * Has queries and fields call the methods of their resolver classes. type-graphql puts the parameters in order at each call, and takes each argument
 * through a promise for a validation that isn't configured: for fifty lists of a page some hundreds of them. Arguments that are inputs with a value still
 * go through it, and so does every mutation.
 */
export const callResolvers = (schema: GraphQLSchema): GraphQLSchema => {
  const storage = getMetadataStorage();
  const inputs = new Set<unknown>(storage.inputTypes.map(({ target }) => target));
  const typeNames = new Map<unknown, string>(storage.objectTypes.map(({ target, name }) => [target, name]));
  const direct = (typeName: string | undefined, described: Described): void => {
    const type = schema.getType(typeName ?? '');
    const field = isObjectType(type) ? type.getFields()[described.schemaName] : undefined;
    if (field?.resolve) field.resolve = called(described, field.resolve, (each) => inputs.has(each)) ?? field.resolve;
  };
  for (const query of storage.queries) direct(schema.getQueryType()?.name, query);
  for (const resolver of storage.fieldResolvers)
    if (resolver.kind === 'external') direct(typeNames.get(resolver.getObjectType?.()), resolver);
  return schema;
};
