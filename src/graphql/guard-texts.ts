import {
  defaultFieldResolver,
  type GraphQLInputType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';
import { Failure, ProgrammingError } from '../failure';
import { expectNoCardData } from '../privacy/text-guard';
import { oneLine } from '../upstream/source-text';
import { inOwnTurn } from './work';

interface WellFormed {
  toWellFormed(): string;
}

/** What a text of a type becomes. An id is left as it is but for halves of a pair, of which neither a digest nor a database can be made: then it is absent. */
const forms: ReadonlyMap<string, (text: string) => string> = new Map([
  ['String', oneLine],
  ['ID', (id) => (id as unknown as WellFormed).toWellFormed()],
]);

/** Texts without what turns their direction or that nobody sees, each on one line: they are shown to others beside words that aren't their writer's. */
const cleaned = (type: GraphQLInputType, value: unknown): unknown => {
  if (isNonNullType(type)) return cleaned(type.ofType, value);
  if (isListType(type)) return Array.isArray(value) ? value.map((item) => cleaned(type.ofType, item)) : value;
  if (isInputObjectType(type) && typeof value === 'object' && value !== null) {
    const fields = type.getFields();
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, fields[name] ? cleaned(fields[name].type, each) : each]),
    );
  }
  return typeof value === 'string' && !isEnumType(type) ? (forms.get(type.name)?.(value) ?? value) : value;
};

/** Scalars in which nobody can write anything: their values have a form. */
const formal = new Set(['Int', 'Float', 'Boolean', 'DateTime', 'SafeInt', 'CurrencyCode']);

/** Our own ids (prefixed ULIDs): where one is asked for, its digits are nobody's. Among texts it could be anything that looks like one. */
const ownId = /^[a-z]{2,8}_[0-9A-HJKMNP-TV-Z]{26}$/;
/** What programs make as keys (RFC 9562). One in a thousand has digits that would pass for a card number; letters tell it from one. */
const uuid = /^(?=(?:[^a-f]*[a-f]){4})[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Of one text, in UTF-16 units. No argument takes one as long; each says its own limit. */
const longest = 4_000;

/** Refuses what a value holds of card data, however deep. Throws `INVALID` that names the place. */
type Check = (place: string, value: unknown) => void;

const checkText: Check = (place, value) => {
  if (typeof value !== 'string' || uuid.test(value)) return;
  if (value.length > longest) throw Failure.invalid(place, `expected at most ${longest.toLocaleString('en')} characters`);
  expectNoCardData(place, value);
};

/** One that is longer than any id is absent like every other that isn't there: what it is answered tells nothing. */
const checkId: Check = (place, value) => {
  if (typeof value === 'string' && (ownId.test(value) || value.length > longest)) return;
  checkText(place, value);
};

const free: ReadonlyMap<string, Check> = new Map([
  ['String', checkText],
  ['ID', checkId],
]);

/** What looks at the values of a type; null for one in which no text fits. */
const checkOf = (type: GraphQLInputType, checks: Map<string, Check | null>): Check | null => {
  if (isNonNullType(type)) return checkOf(type.ofType, checks);
  if (isListType(type)) {
    const check = checkOf(type.ofType, checks);
    return (
      check &&
      ((place, value) => {
        if (Array.isArray(value)) for (const item of value) check(place, item);
      })
    );
  }
  if (isEnumType(type)) return null;
  if (!isInputObjectType(type)) {
    const text = free.get(type.name);
    if (text) return text;
    if (formal.has(type.name)) return null;
    throw new ProgrammingError(
      `The scalar ${type.name} is no input of a mutation as long as nobody says whether it holds a text.`,
    );
  }
  const known = checks.get(type.name);
  if (known !== undefined) return known;
  const inner: [name: string, check: Check][] = [];
  const check: Check = (place, value) => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, each] of inner) each(`${place}.${name}`, (value as Record<string, unknown>)[name]);
  };
  // An input type may contain itself.
  checks.set(type.name, check);
  for (const field of Object.values(type.getFields())) {
    const each = checkOf(field.type, checks);
    if (each) inner.push([field.name, each]);
  }
  return check;
};

/**
 * Refuses card data in every text that a mutation takes, literal or variable, before its resolver sees it: what people write is
 * kept, and shown to others. Then takes from it what nobody sees, and its lines (`source-text.ts`). Holds for whatever argument is added, without anybody thinking of it.
 */
export const guardTexts = (schema: GraphQLSchema): GraphQLSchema => {
  const checks = new Map<string, Check | null>();
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const ofArguments = field.args.flatMap(({ name, type }): [string, Check][] => {
      const check = checkOf(type, checks);
      return check ? [[name, check]] : [];
    });
    if (ofArguments.length === 0) continue;
    const resolve = field.resolve ?? defaultFieldResolver;
    field.resolve = async (parent, args, context, info) => {
      // Mutations of one document follow each other without a pause of their own.
      await inOwnTurn();
      for (const [name, check] of ofArguments) check(name, (args as Record<string, unknown>)[name]);
      const clean = Object.fromEntries(
        field.args.flatMap(({ name, type }) =>
          name in args ? [[name, cleaned(type, (args as Record<string, unknown>)[name])]] : [],
        ),
      );
      return resolve(parent, clean, context, info);
    };
  }
  return schema;
};
