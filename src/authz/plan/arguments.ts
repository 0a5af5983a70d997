import {
  type FieldNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  Kind,
  type ValueNode,
  type VariableDefinitionNode,
} from 'graphql';
import { Failure } from '../../failure';
import type { AccessClass } from '../actor';
import type { ExposurePolicy } from '../policy/exposure';
import { filtersOf, sortsOf } from '../policy/marks';

/** Nesting of an argument's value: lists and input objects in each other. */
const deepest = 64;

/** An argument as one field of the operation gives it, or leaves to its default. */
interface GivenArgument {
  readonly argument: GraphQLArgument;
  readonly node: ValueNode | undefined;
}

const guardedInputs = new WeakMap<GraphQLSchema, ReadonlySet<string>>();

/** Names of input types that filter or sort by something, themselves or somewhere inside. */
const guardedInputsOf = (schema: GraphQLSchema): ReadonlySet<string> => {
  const known = guardedInputs.get(schema);
  if (known) return known;
  const guarded = new Set<string>();
  const types = Object.values(schema.getTypeMap());
  for (const type of types) {
    if (isEnumType(type) && type.getValues().some((value) => sortsOf(value).length > 0)) guarded.add(type.name);
  }
  // Until nothing is added: input types may contain each other in circles.
  for (let size = -1; size !== guarded.size; ) {
    size = guarded.size;
    for (const type of types) {
      if (!isInputObjectType(type)) continue;
      const fields = Object.values(type.getFields());
      if (fields.some((field) => filtersOf(field).length > 0 || guarded.has(getNamedType(field.type).name)))
        guarded.add(type.name);
    }
  }
  guardedInputs.set(schema, guarded);
  return guarded;
};

/** Absent is not null: an absent value gives way to a default. */
type Given = { readonly node: ValueNode } | { readonly value: unknown } | 'absent';

/** The arguments of an operation that could filter or sort by something, gathered once; checked with each request's variables. */
export class ArgumentGuard {
  private readonly given: GivenArgument[] = [];
  private readonly seen = new Map<FieldNode, Set<GraphQLField<unknown, unknown>>>();
  private readonly defaults: ReadonlyMap<string, ValueNode | undefined>;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly policy: ExposurePolicy,
    private readonly access: AccessClass,
    variables: readonly VariableDefinitionNode[],
  ) {
    this.defaults = new Map(variables.map((each) => [each.variable.name.value, each.defaultValue]));
  }

  /** Adds the arguments of a field that may run, and the defaults of those that it doesn't give. */
  add(node: FieldNode, field: GraphQLField<unknown, unknown>): void {
    if (field.args.length === 0 || this.seen.get(node)?.has(field)) return;
    this.seen.set(node, (this.seen.get(node) ?? new Set()).add(field));
    const guarded = guardedInputsOf(this.schema);
    for (const argument of field.args) {
      if (filtersOf(argument).length === 0 && !guarded.has(getNamedType(argument.type).name)) continue;
      this.given.push({ argument, node: node.arguments?.find((each) => each.name.value === argument.name)?.value });
    }
  }

  /**
   * The first filter or sort that the actor may not use, as the failure of the whole operation; null if there is none.
   * `variables` are the request's, before coercion.
   */
  refuse(variables: Readonly<Record<string, unknown>>): Failure | null {
    for (const { argument, node } of this.given) {
      const refusal = this.refuseField(argument, node ? { node } : 'absent', variables, 0);
      if (refusal) return refusal;
    }
    return null;
  }

  /** What stands for a node: itself, or its variable's value or default. */
  private resolve(given: Given, variables: Readonly<Record<string, unknown>>): Given {
    if (given === 'absent' || !('node' in given) || given.node.kind !== Kind.VARIABLE) return given;
    const name = given.node.name.value;
    if (Object.hasOwn(variables, name) && variables[name] !== undefined) return { value: variables[name] };
    const fallback = this.defaults.get(name);
    return fallback ? { node: fallback } : 'absent';
  }

  /** An argument or an input field: whether it is given at all, by what it filters, and what is inside. */
  private refuseField(
    carrier: Pick<GraphQLArgument, 'type' | 'defaultValue' | 'extensions'>,
    by: Given,
    variables: Readonly<Record<string, unknown>>,
    depth: number,
  ): Failure | null {
    const resolved = this.resolve(by, variables);
    const given: Given = resolved === 'absent' ? { value: carrier.defaultValue } : resolved;
    const isNull = 'node' in given ? given.node.kind === Kind.NULL : given.value === null || given.value === undefined;
    if (isNull) return null;
    for (const coordinate of filtersOf(carrier)) {
      const reason = this.policy.filterDenial(coordinate, this.access);
      if (reason) return Failure.denied(reason, coordinate);
    }
    return this.refuseValue(carrier.type, given, variables, depth);
  }

  private refuseValue(
    type: GraphQLInputType,
    by: Given,
    variables: Readonly<Record<string, unknown>>,
    depth: number,
  ): Failure | null {
    if (depth > deepest) return Failure.invalid('variables', `nested deeper than ${deepest} levels`);
    const given = this.resolve(by, variables);
    if (given === 'absent') return null;
    if (isNonNullType(type)) return this.refuseValue(type.ofType, given, variables, depth);
    const { node, value } = 'node' in given ? { node: given.node, value: undefined } : { node: undefined, value: given.value };
    if (node ? node.kind === Kind.NULL : value === null || value === undefined) return null;
    if (isListType(type)) {
      let items: Given[] = [given];
      if (node?.kind === Kind.LIST) items = node.values.map((each) => ({ node: each }));
      else if (Array.isArray(value)) items = value.map((each: unknown) => ({ value: each }));
      for (const item of items) {
        const refusal = this.refuseValue(type.ofType, item, variables, depth + 1);
        if (refusal) return refusal;
      }
      return null;
    }
    if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) {
        let inner: Given = 'absent';
        if (node?.kind === Kind.OBJECT) {
          const own = node.fields.find((each) => each.name.value === field.name);
          if (own) inner = { node: own.value };
        } else if (typeof value === 'object' && value !== null) {
          const own: unknown = (value as Record<string, unknown>)[field.name];
          if (own !== undefined) inner = { value: own };
        }
        const refusal = this.refuseField(field, inner, variables, depth + 1);
        if (refusal) return refusal;
      }
      return null;
    }
    if (!isEnumType(type)) return null;
    const named: unknown = node?.kind === Kind.ENUM ? node.value : value;
    for (const each of type.getValues()) {
      // Variables carry the name, defaults of the schema the internal value; either may not be used.
      if (each.name !== named && each.value !== named) continue;
      for (const coordinate of sortsOf(each)) {
        const reason = this.policy.sortDenial(coordinate, this.access);
        if (reason) return Failure.denied(reason, coordinate);
      }
    }
    return null;
  }
}
