import { containsCardNumber } from '../privacy/redaction';
import {
  advice,
  credentialChanges,
  dayOrInstant,
  declineCode,
  instant,
  outcomes,
  type Signal,
  type SignalFacts,
  type SubjectName,
  type Subjects,
  signalTypes,
  subjectNames,
} from './signal';

const types: ReadonlySet<unknown> = new Set(signalTypes);
const comes: ReadonlySet<unknown> = new Set(outcomes);
const changes: ReadonlySet<unknown> = new Set(credentialChanges);

const plainId = /^[\x21-\x7e]{1,255}$/;
/** A card number has twelve digits, and each of them takes a character, in whatever way ASCII is read. */
const shortestNumber = 12;
const isId = (value: unknown): value is string =>
  typeof value === 'string' && plainId.test(value) && (value.length < shortestNumber || !containsCardNumber(value));

const longestSubject = 256;
const hasSurrogates = /[\ud800-\udfff]/;
const isSubject = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= longestSubject && !hasSurrogates.test(value);

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

const subjectsOf = (value: unknown): Subjects | null => {
  if (!isObject(value)) return null;
  const subjects: { [name in SubjectName]?: string } = {};
  for (const name of subjectNames) {
    const subject = value[name];
    if (subject === undefined || subject === null) continue;
    // What a team is called is judged otherwise, and few are told of.
    if (name === 'team' || !isSubject(subject)) return null;
    subjects[name] = subject;
  }
  return subjects;
};

const twoLetters = /^[A-Z]{2}$/;
const threeLetters = /^[A-Z]{3}$/;
const isText = (value: unknown, form: RegExp): value is string => typeof value === 'string' && form.test(value);

/** How each fact is read: undefined is none that is certain. */
const readings: { readonly [name in keyof SignalFacts]-?: (value: unknown) => SignalFacts[name] } = {
  country: (value) => (isText(value, twoLetters) ? value : undefined),
  amount: (value) => {
    if (!isObject(value)) return undefined;
    const { minorUnits, currency } = value;
    return Number.isSafeInteger(minorUnits) && isText(currency, threeLetters)
      ? { minorUnits: minorUnits as number, currency }
      : undefined;
  },
  declineCode: (value) => declineCode.safeParse(value).data,
  advice: (value) => advice.safeParse(value).data,
  customerSince: (value) => dayOrInstant.safeParse(value).data,
  outcome: (value) => (comes.has(value) ? (value as SignalFacts['outcome']) : undefined),
  change: (value) => (changes.has(value) ? (value as SignalFacts['change']) : undefined),
  deadline: (value) => instant.safeParse(value).data,
};
const factNames = Object.keys(readings) as (keyof SignalFacts)[];

const factsOf = (value: unknown): SignalFacts | null => {
  if (!isObject(value)) return null;
  const facts: { [name: string]: unknown } = {};
  for (const name of factNames) {
    const told = value[name];
    if (told === undefined || told === null) continue;
    const fact = readings[name](told);
    if (fact === undefined) return null;
    facts[name] = fact;
  }
  return facts;
};

/**
 * A signal of this source as `signalSchema` reads it, where it is certain that it does so; null where it isn't: then that schema tells, and what is
 * wrong. Nearly all that are sent are right, and to judge one by the schema takes several times as long.
 */
export const usualSignal = (value: unknown, source: string): Signal | null => {
  if (!isObject(value) || source === '' || source.length > 64) return null;
  const { id, type } = value;
  if (!isId(id) || !types.has(type) || (value.source !== undefined && value.source !== source)) return null;
  const occurredAt = instant.safeParse(value.occurredAt).data;
  const subjects = value.subjects === undefined ? {} : subjectsOf(value.subjects);
  const facts = value.facts === undefined ? {} : factsOf(value.facts);
  if (!occurredAt || !subjects || !facts) return null;
  return { source, id, type: type as string, occurredAt, subjects, facts };
};
