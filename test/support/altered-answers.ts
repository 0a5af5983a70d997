import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildSchema,
  type GraphQLCompositeType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
} from 'graphql';

let schema: GraphQLSchema | undefined;
const theSchema = (): GraphQLSchema => {
  schema ??= buildSchema(readFileSync(join(__dirname, '..', '..', 'schema', 'schema.graphql'), 'utf8'));
  return schema;
};

type Answer = { readonly data: Record<string, unknown> | null; errors?: unknown[] };

/** One field of an answer: where it stands, and what there is to put in its place. */
interface Given {
  readonly coordinate: string;
  readonly value: unknown;
  readonly isNullable: boolean;
  readonly isText: boolean;
  readonly isList: boolean;
  /** Fields that lead to it, up to the first list, as the gateway tells it. */
  readonly path: readonly string[];
}

/** An answer to an operation with what `alter` makes of each of its fields, outermost first. Undefined leaves one as it is. */
const altered = (text: string, answer: Answer, alter: (given: Given) => unknown): Answer => {
  const document = parse(text);
  const fragments = new Map(
    document.definitions.flatMap((each) => (each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each]] : [])),
  );
  const operation = document.definitions.find((each): each is OperationDefinitionNode => each.kind === Kind.OPERATION_DEFINITION);
  const walk = (
    set: SelectionSetNode,
    type: GraphQLCompositeType,
    value: Record<string, unknown>,
    path: readonly string[],
    isListed: boolean,
  ): void => {
    for (const each of set.selections) {
      if (each.kind !== Kind.FIELD) {
        const of = each.kind === Kind.FRAGMENT_SPREAD ? fragments.get(each.name.value) : each;
        const on = of?.typeCondition ? theSchema().getType(of.typeCondition.name.value) : type;
        if (of && isCompositeType(on)) walk(of.selectionSet, on, value, path, isListed);
        continue;
      }
      const key = each.alias?.value ?? each.name.value;
      const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[each.name.value] : undefined;
      if (!field || value[key] === undefined || value[key] === null) continue;
      const here = isListed ? path : [...path, key];
      const isList = isListType(getNullableType(field.type));
      const named = getNamedType(field.type);
      const next = alter({
        coordinate: `${type.name}.${field.name}`,
        value: value[key],
        isNullable: !isNonNullType(field.type),
        isText: named.name === 'String',
        isList,
        path: here,
      });
      if (next !== undefined) value[key] = next;
      if (!each.selectionSet || !isCompositeType(named)) continue;
      for (const item of [value[key]].flat())
        if (item) walk(each.selectionSet, named, item as Record<string, unknown>, here, isListed || isList);
    }
  };
  const copy = structuredClone(answer);
  if (copy.data && operation)
    walk(operation.selectionSet, theSchema().getQueryType() as GraphQLCompositeType, copy.data, [], false);
  return copy;
};

/** The same where there is none of anything. */
export const emptied = (text: string, answer: Answer): Answer =>
  altered(text, answer, ({ coordinate, isList }) =>
    isList ? [] : coordinate.endsWith('.totalCount') ? 0 : coordinate === 'PageInfo.hasNextPage' ? false : undefined,
  );

/** The same to whom a policy denies each field that it may, and that something else doesn't need. */
export const denied = (text: string, answer: Answer, isPoliced: (coordinate: string) => boolean): Answer => {
  const errors: unknown[] = [...(answer.errors ?? [])];
  const copy = altered(text, answer, ({ coordinate, isNullable, path }) => {
    if (!isNullable || path.length < 2 || !isPoliced(coordinate)) return undefined;
    errors.push({
      message: `Denied (ROLE): ${coordinate}.`,
      path,
      extensions: { code: 'DENIED', rule: coordinate, reason: 'ROLE', remedy: 'Ask the payments team.' },
    });
    return null;
  });
  return errors.length === 0 ? copy : { ...copy, errors };
};

/** What ends an isolate that it didn't begin, and turns what follows (Unicode Standard Annex #9). */
const turning = '\u2069\u202e';

/** Texts of the gateway's own, word by word. */
const ours =
  /^(Audit|Policy|Field|Role|Type|Access|Class|Risk|Previewed|Disclosed|Withheld|Source|Examin|Brake\.|ActorName)|\.(declineAdvice|declineExplanation|rule|text)$/;

/** The same with texts that would turn the rest of their line, where somebody else could have written them. */
export const turned = (text: string, answer: Answer): Answer =>
  altered(text, answer, ({ coordinate, value, isText, isList }) => {
    const marked = (each: unknown) => (typeof each === 'string' ? `${each}${turning}abc` : each);
    return isText && !ours.test(coordinate) ? (isList ? (value as unknown[]).map(marked) : marked(value)) : undefined;
  });
