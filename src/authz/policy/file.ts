import { isAlias, isCollection, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { type Role, roles } from '../actor';
import { builtInRisks, credentialUpdateKinds, type UpdatePolicy } from './update-policy';
import { verificationMethodNames } from './verification';

/** One mistake in the policy file: where, what is wrong there, and what was expected. */
export interface PolicyProblem {
  /** Dotted path in the file, such as `fields.Customer.email.AGENT`. */
  readonly path: string;
  /** Line in the file, counted from 1; null where the file lacks what it should have. */
  readonly line: number | null;
  readonly message: string;
}

/** `12: fields.Customer.email: …`, one line for a terminal. */
export const describeProblem = (problem: PolicyProblem): string =>
  `${problem.line === null ? '' : `line ${problem.line}, `}${problem.path || 'file'}: ${problem.message}`;

const role = z.enum(roles, { error: `expected one of ${roles.join(', ')}` });
const minutes = z.int({ error: 'expected whole minutes, 1 to 10080 (a week)' }).min(1).max(10_080);

const assistance = z.strictObject({
  /** Whose open tickets begin an assistance by themselves. */
  automatic: z.array(z.enum(['own', 'team'], { error: 'expected own or team' })),
  lifetimeMinutes: minutes,
  quota: z.strictObject({
    /** Distinct customers an actor may reach within an hour. */
    customersPerHour: z.int({ error: 'expected a whole number, 1 to 100000' }).min(1).max(100_000),
  }),
  onRequest: z.strictObject({
    /** Roles whose requests wait for a supervisor. */
    approvalFor: z.array(role),
    lifetimeMinutes: minutes,
  }),
});

const scope = z.partialRecord(role, z.array(z.enum(['own', 'team', 'assisted'], { error: 'expected own, team or assisted' })), {
  error: `expected a map from a role (${roles.join(', ')}) to a list of own, team and assisted`,
});

const wholeNumber = (smallest: number, largest: number, of: string) => {
  const error = `expected ${of}, ${smallest} to ${largest}`;
  return z.int({ error }).min(smallest, { error }).max(largest, { error });
};
const hours = wholeNumber(1, 168, 'whole hours');
const days = (largest: number) => wholeNumber(1, largest, 'whole days');
const kind = z.enum(credentialUpdateKinds, { error: `expected one of ${credentialUpdateKinds.join(', ')}` });
const strength = z.enum(verificationMethodNames, { error: `expected one of ${verificationMethodNames.join(', ')}` });
const mostRiskRules = 50;

const riskCondition = z
  .strictObject({
    kinds: z.array(kind).min(1, { error: 'expected at least one kind; leave it out for all of them' }).optional(),
    link: z
      .enum(['VERIFIED', 'MATCHED'], { error: 'expected VERIFIED or MATCHED; without a link nothing is changed' })
      .optional(),
    methodIsDefault: z.boolean({ error: 'expected true or false' }).optional(),
    methodYoungerThanDays: days(3650).optional(),
    disputedWithinDays: days(3650).optional(),
  })
  .refine((condition) => Object.values(condition).some((each) => each !== undefined), {
    error: 'expected at least one condition; a rule without any would hold for every update',
  });

const riskRule = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,47}$/, {
      error: 'expected a short name: lower-case letters, digits and hyphens, a letter first, at most 48',
    })
    .refine((name) => !(builtInRisks as readonly string[]).includes(name), {
      error: `expected a name of its own; ${builtInRisks.join(', ')} are built in and always hold`,
    }),
  when: riskCondition,
});

const updates = z.strictObject({
  kinds: z.partialRecord(kind, z.strictObject({ strength }), {
    error: `expected a map from a kind (${credentialUpdateKinds.join(', ')}) to its strength`,
  }),
  linkHours: hours,
  approvalHours: hours,
  quota: z.strictObject({ perCustomerPerDay: wholeNumber(1, 1000, 'a whole number') }),
  highRisk: z.strictObject({
    strength,
    contactWindowDays: days(365),
    rules: z
      .array(riskRule)
      .max(mostRiskRules, { error: `expected at most ${mostRiskRules} rules` })
      .superRefine((rules, context) => {
        const names = new Set<string>();
        for (const [index, { name }] of rules.entries()) {
          if (names.has(name))
            context.addIssue({ code: 'custom', path: [index, 'name'], message: 'expected a name that no other rule has' });
          names.add(name);
        }
      }),
  }),
}) satisfies z.ZodType<UpdatePolicy>;

/** When an assistance begins, how long it lives, and how many customers an hour it may reach. */
export type AssistancePolicy = z.infer<typeof assistance>;
/** Which tickets a role sees in lists; a role that isn't named sees none. */
export type ScopePolicy = z.infer<typeof scope>;

const verdictEntry = z.union([z.string(), z.strictObject({ VERIFIED: z.string(), MATCHED: z.string(), NONE: z.string() })], {
  error: 'expected one verdict, or a map with exactly VERIFIED, MATCHED and NONE',
});
export type VerdictEntry = z.infer<typeof verdictEntry>;

const fields = z.record(z.string(), z.record(z.string(), z.record(z.string(), verdictEntry)));
const rolesByCoordinate = z.record(z.string(), z.array(role));

const brakes = z
  .strictObject({
    /** Roles of other teams that release a brake, two people each time. */
    releasedBy: z.array(role).min(1, { error: `expected at least one role of ${roles.join(', ')}` }),
  })
  .default({ releasedBy: ['SUPERVISOR'] });
/** Who releases what rules stop people in. */
export type BrakePolicy = z.infer<typeof brakes>;

const recognitions = z
  .strictObject({
    /** How long the customer's link works. */
    linkHours: hours,
    perCustomerPerDay: wholeNumber(1, 100, 'a whole number'),
  })
  .default({ linkHours: 24, perCustomerPerDay: 3 });
/** How long customers have to say whether a payment is theirs, and how often one is asked within a day. */
export type RecognitionPolicy = z.infer<typeof recognitions>;
const routeError = 'expected a word of lower-case letters, digits and hyphens, a letter first, at most 48';
const route = z.string({ error: routeError }).regex(/^[a-z][a-z0-9-]{0,47}$/, { error: routeError });
const decisions = z
  .strictObject({
    /** The word by which the pipeline reroutes a payment that is to be reviewed, and one that is held. */
    routes: z.strictObject({ review: route, hold: route }),
    quota: z.strictObject({
      /** How often a service may ask about one subject within an hour. */
      perSubjectPerHour: wholeNumber(1, 100_000, 'a whole number'),
      /** About how many subjects that it didn't ask about in that hour a service may ask within a minute. */
      subjectsPerMinute: wholeNumber(1, 10_000_000, 'a whole number'),
    }),
  })
  .default({ routes: { review: 'review', hold: 'hold' }, quota: { perSubjectPerHour: 30, subjectsPerMinute: 600 } });
/** What the payment pipeline is told, and how often it may ask. */
export type DecisionPolicy = z.infer<typeof decisions>;
const holds = z
  .strictObject({
    /** The longest that a hold of an agent's stands. */
    agentMinutes: wholeNumber(1, 1_440, 'whole minutes'),
    /** Holds of one agent's that stand at once. */
    agentMost: wholeNumber(1, 100, 'a whole number'),
    /** For how long agents make one customer wait within any 24 hours, whoever of them and by however many holds. Left out: four hours, or what one may stand. */
    agentDayMinutes: wholeNumber(1, 1_440, 'whole minutes').optional(),
    /** The same of a supervisor's. */
    supervisorMost: wholeNumber(1, 500, 'a whole number').default(20),
  })
  .transform(({ agentDayMinutes, ...given }) => ({
    ...given,
    agentDayMinutes: agentDayMinutes ?? Math.max(240, given.agentMinutes),
  }))
  .default({ agentMinutes: 120, agentDayMinutes: 240, agentMost: 5, supervisorMost: 20 });
/** For how long agents may hold payments, and how many each of the staff at once. */
export type HoldPolicy = z.infer<typeof holds>;

export const mostHelpdesks = 64;
const frames = z
  .strictObject({
    /** Helpdesks in whose pages' frames a ticket is shown only where the helpdesk signed for it. */
    signatureRequired: z
      .array(z.string())
      .max(mostHelpdesks, { error: `expected at most ${mostHelpdesks} helpdesks` })
      .superRefine((names, context) => {
        names.forEach((name, index) => {
          if (names.indexOf(name) === index) return;
          context.addIssue({ code: 'custom', path: [index], message: 'expected each helpdesk once' });
        });
      }),
  })
  .default({ signatureRequired: [] });
/** What frames in helpdesks' pages have to bring. */
export type FramePolicy = z.infer<typeof frames>;

const contents = z.strictObject({
  version: z.literal(1, { error: 'expected 1' }),
  assistance,
  scope,
  updates,
  brakes,
  recognitions,
  decisions,
  holds,
  frames,
  fields,
  filters: rolesByCoordinate,
  sorts: rolesByCoordinate,
});

/** The file with its sections read as far as they are well-formed: a section with a problem is null. */
export interface ExposureFile {
  readonly assistance: AssistancePolicy | null;
  readonly scope: ScopePolicy | null;
  readonly updates: UpdatePolicy | null;
  readonly brakes: BrakePolicy | null;
  readonly recognitions: RecognitionPolicy | null;
  readonly decisions: DecisionPolicy | null;
  readonly holds: HoldPolicy | null;
  readonly frames: FramePolicy | null;
  /** Type → field or `*` → role or `*` → entry; malformed entries are left out and stand among the problems. */
  readonly fields: ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<string, VerdictEntry>>>;
  readonly filters: ReadonlyMap<string, readonly Role[]>;
  readonly sorts: ReadonlyMap<string, readonly Role[]>;
  readonly problems: readonly PolicyProblem[];
  /** The line of a path, or of the deepest part of it that the file has; null if the file has none of it. */
  lineOf(path: readonly PropertyKey[]): number | null;
}

/** 1 MiB: two orders of magnitude above the largest policy one would want to review. */
const maximumLength = 1_048_576;

const entriesOf = (value: unknown): [string, unknown][] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];

const explained = (issue: z.core.$ZodIssue): string => {
  if (issue.code === 'unrecognized_keys') {
    const expected = issue.message.startsWith('expected ') ? `; ${issue.message}` : '';
    return `unknown ${issue.keys.join(', ')}${expected}`;
  }
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message;
  if (issue.code === 'invalid_type' && ['record', 'object', 'array', 'string'].includes(issue.expected)) {
    const expected = { record: 'a map', object: 'a map', array: 'a list' }[issue.expected as string] ?? issue.expected;
    return `${issue.input === undefined ? 'missing; ' : ''}expected ${expected}`;
  }
  return issue.message.replace(/^Invalid input: /, '');
};

/** Where a key of a map or an item of a list stands in the file, and what is below it. */
interface Place {
  readonly line: number | null;
  readonly inner: Places;
}
type Places = ReadonlyMap<string, Place>;

const nothing = (problems: readonly PolicyProblem[]): ExposureFile => ({
  assistance: null,
  scope: null,
  updates: null,
  brakes: null,
  recognitions: null,
  decisions: null,
  holds: null,
  frames: null,
  fields: new Map(),
  filters: new Map(),
  sorts: new Map(),
  problems,
  lineOf: () => null,
});

/** Reads the YAML of an exposure policy. Never throws: whatever is wrong stands in `problems`. */
export const parseExposureFile = (text: string): ExposureFile => {
  if (text.length > maximumLength) {
    return nothing([{ path: '', line: null, message: `longer than the ${maximumLength} characters that are accepted` }]);
  }
  const lines = new LineCounter();
  // The parser holds each key against all others of its map; here each is looked up once (`placesOf`).
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const syntax = [...document.errors, ...document.warnings].map((error) => ({
    path: '',
    line: lineAt(error.pos[0]),
    message: error.message,
  }));
  if (syntax.length > 0) return nothing(syntax);

  const problems: PolicyProblem[] = [];
  const note = (offset: number, message: string) => problems.push({ path: '', line: lineAt(offset), message });
  /** Looks at every node once: what can't be accepted is noted, and where each key and item stands. */
  const placesOf = (node: unknown): Places => {
    const places = new Map<string, Place>();
    // What an alias repeats can't be read where it counts, and its line would be another entry's.
    if (isAlias(node)) note(node.range?.[0] ?? 0, 'aliases are not accepted; write it out');
    else if (isMap(node)) {
      for (const { key, value } of node.items) {
        const offset = isScalar(key) ? key.range?.[0] : undefined;
        // Assigned to an object it would vanish, and with it an entry that the author relies on.
        if (isScalar(key) && key.value === '__proto__') note(offset ?? 0, '__proto__ is no type, field or role');
        // Made the text that a key has to be, one within another takes minutes, and a warning of the process repeats it.
        if (isCollection(key)) note(key.range?.[0] ?? 0, 'a map or a list is no key; expected a word');
        else placesOf(key);
        const inner = placesOf(value);
        const name = isScalar(key) ? String(key.value) : null;
        if (name === null) continue;
        if (places.has(name)) note(offset ?? 0, 'a key stands here twice; expected each key once');
        else places.set(name, { line: offset === undefined ? null : lineAt(offset), inner });
      }
    } else if (isSeq(node)) {
      node.items.forEach((item, index) => {
        const offset = isScalar(item) ? item.range?.[0] : undefined;
        places.set(String(index), { line: offset === undefined ? null : lineAt(offset), inner: placesOf(item) });
      });
    }
    return places;
  };
  const places = placesOf(document.contents);
  if (problems.length > 0) return nothing(problems);

  const lineOf = (path: readonly PropertyKey[]): number | null => {
    let inner = places;
    let line: number | null = null;
    for (const segment of path) {
      const place = inner.get(String(segment));
      if (!place) return line;
      line = place.line ?? line;
      inner = place.inner;
    }
    return line;
  };
  const source: unknown = document.toJS();
  const parsed = contents.safeParse(source, { reportInput: true });
  if (parsed.success) {
    const { assistance, scope, updates, brakes, holds, recognitions, decisions, frames, fields, filters, sorts } = parsed.data;
    const byName = <Value>(values: Readonly<Record<string, Value>>) => new Map(Object.entries(values));
    return {
      assistance,
      scope,
      updates,
      brakes,
      recognitions,
      decisions,
      holds,
      frames,
      fields: new Map(
        Object.entries(fields).map(([type, byField]) => [
          type,
          new Map(Object.entries(byField).map(([field, byRole]) => [field, byName(byRole)])),
        ]),
      ),
      filters: byName(filters),
      sorts: byName(sorts),
      problems,
      lineOf,
    };
  }
  for (const issue of parsed.error.issues) {
    problems.push({ path: issue.path.map(String).join('.'), line: lineOf(issue.path), message: explained(issue) });
  }
  const section = (name: string): unknown => entriesOf(source).find(([key]) => key === name)?.[1];
  const roleLists = (name: string): Map<string, readonly Role[]> =>
    new Map(entriesOf(section(name)).map(([coordinate, list]) => [coordinate, z.array(role).safeParse(list).data ?? []]));
  const wellFormed = (value: unknown): [string, VerdictEntry][] =>
    entriesOf(value).flatMap(([key, entry]): [string, VerdictEntry][] => {
      const checked = verdictEntry.safeParse(entry);
      return checked.success ? [[key, checked.data]] : [];
    });
  return {
    assistance: assistance.safeParse(section('assistance')).data ?? null,
    scope: scope.safeParse(section('scope')).data ?? null,
    updates: updates.safeParse(section('updates')).data ?? null,
    brakes: brakes.safeParse(section('brakes')).data ?? null,
    recognitions: recognitions.safeParse(section('recognitions')).data ?? null,
    decisions: decisions.safeParse(section('decisions')).data ?? null,
    holds: holds.safeParse(section('holds')).data ?? null,
    frames: frames.safeParse(section('frames')).data ?? null,
    fields: new Map(
      entriesOf(section('fields')).map(([type, byField]) => [
        type,
        new Map(entriesOf(byField).map(([field, byRole]) => [field, new Map(wellFormed(byRole))])),
      ]),
    ),
    filters: roleLists('filters'),
    sorts: roleLists('sorts'),
    problems,
    lineOf,
  };
};
