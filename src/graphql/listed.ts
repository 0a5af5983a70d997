import { type GraphQLField, type GraphQLSchema, getNullableType, isInterfaceType, isListType, isObjectType } from 'graphql';
import { Extensions } from 'type-graphql';

/** How long a list may be. */
export interface ListMark {
  /** Items at most. What makes the list keeps to it; an answer with more is a fault, and nothing of it leaves. */
  readonly most: number;
  /**
   * Its items are parts of the object itself: nothing is read for them, and nothing leads on from them. An operation's cost takes
   * such a list for a usual one, of ten, and an object's maximum counts where it is made: else the few that may be long would
   * forbid pages of those that are short.
   */
  readonly parts?: boolean;
  /** It holds what the `first` of the field above asked for: the nodes and edges of a page. */
  readonly ofPage?: boolean;
}

/**
 * How long a list may be: beside every field that is one, since the cost of an operation is counted by it. Where the field has a
 * `first`, that counts instead.
 */
export const Listed = (mark: ListMark): PropertyDecorator & MethodDecorator =>
  // type-graphql merges extensions shallowly: under a key of its own.
  Extensions({ listed: mark }) as PropertyDecorator & MethodDecorator;

export const isList = (field: Pick<GraphQLField<unknown, unknown>, 'type'>): boolean => isListType(getNullableType(field.type));

/** The mark of a field, undefined where it has none. */
export const listMarkOf = (field: Pick<GraphQLField<unknown, unknown>, 'extensions'>): ListMark | undefined =>
  field.extensions.listed as ListMark | undefined;

/** Everything that is wrong with a schema's lists, so that one start reports all of it. */
export class ListError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The schema can't be served:\n${problems.map((problem) => `- ${problem}`).join('\n')}`);
    this.name = 'ListError';
  }
}

/**
 * Holds every list of a schema against its mark.
 * @throws ListError naming each list without a maximum, each list of lists, and each maximum beside what is no list.
 */
export const requireListMarks = (schema: GraphQLSchema): void => {
  const problems: string[] = [];
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__') || !(isObjectType(type) || isInterfaceType(type))) continue;
    for (const field of Object.values(type.getFields())) {
      const coordinate = `${type.name}.${field.name}`;
      const mark = listMarkOf(field);
      if (!isList(field)) {
        if (mark) problems.push(`${coordinate} is no list: take @Listed away.`);
        continue;
      }
      const nullable = getNullableType(field.type);
      if (isListType(nullable) && isListType(getNullableType(nullable.ofType)))
        problems.push(`${coordinate} is a list of lists: make the inner one a field of its own.`);
      if (!mark) problems.push(`${coordinate} has no maximum: put @Listed({ most }) beside it.`);
      else if (!Number.isInteger(mark.most) || mark.most < 1)
        problems.push(`${coordinate} has no maximum that is a whole number from 1.`);
    }
  }
  if (problems.length > 0) throw new ListError(problems);
};
