import {
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
} from 'graphql';
import type { z } from 'zod';
import { type LinkAssurance, linkAssurances } from '../actor';
import { type Classification, type ClassifiedField, type FieldClass, fieldClasses, isPoliced } from './classification';
import { fieldMark, filterMark, markOf, sortMark } from './marks';

export interface ClassificationOptions {
  /** Names of scalars that may leave. A scalar of free form (JSON) would put arbitrary content under one verdict. */
  readonly scalars?: readonly string[];
}

export const defaultScalars = ['String', 'Int', 'Float', 'Boolean', 'ID', 'DateTime', 'SafeInt', 'CurrencyCode'] as const;

/** Everything that is wrong with a schema's marks, so that one start reports all of it. */
export class ClassificationError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The schema can't be served:\n${problems.map((problem) => `- ${problem}`).join('\n')}`);
    this.name = 'ClassificationError';
  }
}

const classesOf = (mark: z.infer<typeof fieldMark>): Record<LinkAssurance, FieldClass> => ({
  VERIFIED: mark.classByAssurance?.VERIFIED ?? mark.class,
  MATCHED: mark.classByAssurance?.MATCHED ?? mark.class,
  NONE: mark.classByAssurance?.NONE ?? mark.class,
});

/** Classes are listed from harmless to secret. */
const isLower = (one: FieldClass, other: FieldClass): boolean => fieldClasses.indexOf(one) < fieldClasses.indexOf(other);

const rootOf = (schema: GraphQLSchema, type: GraphQLObjectType): ClassifiedField['root'] => {
  if (type === schema.getQueryType()) return 'query';
  if (type === schema.getMutationType()) return 'mutation';
  return type === schema.getSubscriptionType() ? 'subscription' : null;
};

/** The lists and non-nulls around a type: `[_!]!`. */
export const wrapping = (type: GraphQLOutputType): string => {
  if (isNonNullType(type)) return `${wrapping(type.ofType)}!`;
  return isListType(type) ? `[${wrapping(type.ofType)}]` : '_';
};

/**
 * Reads the class of every field of a schema.
 * @throws ClassificationError with every problem of the schema.
 */
export const classifySchema = (schema: GraphQLSchema, options: ClassificationOptions = {}): Classification => {
  const scalars = new Set<string>(options.scalars ?? defaultScalars);
  const problems: string[] = [];
  const fields = new Map<string, ClassifiedField>();
  const interfaces = new Set<string>();
  const filterable = new Set<string>();
  const sortable = new Set<string>();
  const derived: { readonly field: ClassifiedField; readonly from: readonly string[] }[] = [];
  const types: readonly GraphQLNamedType[] = Object.values(schema.getTypeMap()).filter((type) => !isIntrospectionType(type));

  const classify = (type: GraphQLObjectType | GraphQLInterfaceType, field: GraphQLField<unknown, unknown>): void => {
    const coordinate = `${type.name}.${field.name}`;
    const named = getNamedType(field.type);
    if (isScalarType(named) && !scalars.has(named.name)) {
      problems.push(`${coordinate} is of scalar ${named.name}, which is not on the list of scalars that may leave.`);
    }
    const parsed = fieldMark.safeParse(markOf(field));
    if (!parsed.success) {
      problems.push(
        markOf(field) === undefined
          ? `${coordinate} has no class; accepted: ${fieldClasses.join(', ')}.`
          : `${coordinate} has a malformed mark: ${parsed.error.issues.map((issue) => issue.message).join('; ')}.`,
      );
      return;
    }
    const classes = classesOf(parsed.data);
    const every = [parsed.data.class, ...Object.values(classes)];
    const policed = every.some(isPoliced);
    if (every.includes('SECRET')) problems.push(`${coordinate} is SECRET and must not be in the schema.`);
    if (policed && isNonNullType(field.type)) {
      problems.push(`${coordinate} is policed (${parsed.data.class}) and must be nullable, so that it can be withheld alone.`);
    }
    if (!isObjectType(type)) return;
    const classified: ClassifiedField = {
      coordinate,
      typeName: type.name,
      fieldName: field.name,
      class: parsed.data.class,
      classes,
      policed,
      nullable: !isNonNullType(field.type),
      namedType: named.name,
      leaf: isLeafType(named),
      root: rootOf(schema, type),
    };
    fields.set(coordinate, classified);
    if (parsed.data.derivedFrom) derived.push({ field: classified, from: parsed.data.derivedFrom });
  };

  const compare = (type: GraphQLInterfaceType): void => {
    const { objects, interfaces: narrower } = schema.getImplementations(type);
    for (const field of Object.values(type.getFields())) {
      const expected = fieldMark.safeParse(markOf(field));
      for (const implementation of [...objects, ...narrower]) {
        const own = implementation.getFields()[field.name];
        if (!own) continue;
        const coordinates = `${implementation.name}.${field.name} and ${type.name}.${field.name}`;
        // A plan splits an interface's field by type; fields of one response key must then have one shape to stay mergeable.
        if (wrapping(own.type) !== wrapping(field.type)) problems.push(`${coordinates} differ in lists or nullability.`);
        const actual = fieldMark.safeParse(markOf(own));
        if (!expected.success || !actual.success) continue;
        const differing =
          expected.data.class !== actual.data.class ||
          linkAssurances.some((each) => classesOf(expected.data)[each] !== classesOf(actual.data)[each]);
        if (differing) problems.push(`${coordinates} differ in class.`);
      }
    }
  };

  for (const type of types) {
    if (isObjectType(type) || isInterfaceType(type)) {
      if (isInterfaceType(type)) interfaces.add(type.name);
      for (const field of Object.values(type.getFields())) classify(type, field);
      if (isInterfaceType(type)) compare(type);
    }
  }
  // What is told of a value by another field is worth what the value is worth.
  for (const { field, from } of derived) {
    for (const coordinate of from) {
      const source = fields.get(coordinate);
      if (!source || source === field) {
        problems.push(`${field.coordinate} is derived from ${coordinate}, which is no other classified field of an object type.`);
        continue;
      }
      const below = linkAssurances.filter((each) => isLower(field.classes[each], source.classes[each]));
      const [first] = below;
      if (first === undefined) continue;
      const links = below.length === linkAssurances.length ? '' : ` on ${below.join(' and ')} links`;
      problems.push(
        `${field.coordinate} is ${field.classes[first]} and derived from ${coordinate}, which is ${source.classes[first]}${links}: it must be at least that.`,
      );
    }
  }
  const refer = (carrier: string, targets: readonly string[], into: Set<string>): void => {
    for (const target of targets) {
      if (fields.has(target)) into.add(target);
      else problems.push(`${carrier} refers to ${target}, which is no classified field of an object type.`);
    }
  };
  for (const type of types) {
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        for (const argument of field.args) {
          if (markOf(argument) === undefined) continue;
          const carrier = `${type.name}.${field.name}(${argument.name}:)`;
          const parsed = filterMark.safeParse(markOf(argument));
          if (parsed.success) refer(carrier, parsed.data.filters, filterable);
          else problems.push(`${carrier} has a malformed mark; accepted: { filters: 'Type.field' }.`);
        }
      }
    }
    if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) {
        const carrier = `${type.name}.${field.name}`;
        const parsed = filterMark.safeParse(markOf(field));
        const named = getNamedType(field.type);
        // `and: [TicketFilter!]` narrows by nothing itself: the fields of the nested filter carry the marks.
        const combines = isInputObjectType(named) && named.name.endsWith('Filter');
        if (parsed.success) refer(carrier, parsed.data.filters, filterable);
        else if (markOf(field) !== undefined)
          problems.push(`${carrier} has a malformed mark; accepted: { filters: 'Type.field' }.`);
        else if (type.name.endsWith('Filter') && !combines) problems.push(`${carrier} doesn't say by which field it filters.`);
      }
    }
    if (isEnumType(type)) {
      for (const value of type.getValues()) {
        const carrier = `${type.name}.${value.name}`;
        const parsed = sortMark.safeParse(markOf(value));
        if (parsed.success) refer(carrier, parsed.data.sorts, sortable);
        else if (markOf(value) !== undefined)
          problems.push(`${carrier} has a malformed mark; accepted: { sorts: 'Type.field' }.`);
        else if (type.name.endsWith('Order')) problems.push(`${carrier} doesn't say by which field it sorts.`);
      }
    }
  }
  if (problems.length > 0) throw new ClassificationError(problems);
  return { fields, interfaces, filterable, sortable };
};
