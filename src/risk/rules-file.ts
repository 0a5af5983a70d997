import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { rules } from './catalogue';
import type { RuleSetting } from './evaluator';
import { type Rule, type RuleEffect, type RuleMode, ruleEffects, ruleModes, ruleNames } from './rule';

/** One mistake in the file: where, and what was expected there. */
export interface RulesProblem {
  /** Dotted path in the file, such as `rules.card-testing.thresholds.cards`. */
  readonly path: string;
  /** Line in the file, counted from 1; null where the file lacks what it should have. */
  readonly line: number | null;
  readonly message: string;
}

/** What the file says: every rule, in the order of the catalogue. */
export interface RulesFile {
  readonly settings: readonly RuleSetting[];
  /** In lower case. */
  readonly sharedMailDomains: ReadonlySet<string>;
}

export type ParsedRules =
  | { readonly ok: true; readonly file: RulesFile }
  | { readonly ok: false; readonly problems: readonly RulesProblem[] };

const mode = z.enum(ruleModes, { error: `expected one of ${ruleModes.join(', ')}` });

const effectsOf = ({ effects }: Rule) => {
  const error = `expected a list of one or more of ${effects.join(', ')}, each once`;
  return z
    .array(z.enum(ruleEffects, { error }), { error })
    .min(1, { error })
    .refine((list) => new Set(list).size === list.length && list.every((each) => effects.includes(each)), { error });
};

const settingOf = (rule: Rule) => {
  const takesNone = rule.thresholds.safeParse({}).success;
  return z.strictObject({
    mode,
    effects: effectsOf(rule),
    thresholds: takesNone ? rule.thresholds.default({}) : rule.thresholds,
  });
};

const domain = z
  .string()
  .max(253)
  .regex(/^(?!-)[a-z0-9-]+(?:\.[a-z0-9-]+)+$/, { error: 'expected a domain in lower case such as mail.example' });

/** The whole file. */
export const rulesFileSchema = z.strictObject({
  version: z.literal(1, { error: 'expected 1' }),
  rules: z.strictObject(Object.fromEntries(rules.map((rule) => [rule.name, settingOf(rule)])), {
    error: `expected a map of every rule: ${ruleNames.join(', ')}`,
  }),
  /** Domains of mail providers that anybody may have an address at. */
  sharedMailDomains: z.array(domain, { error: 'expected a list of domains' }),
});

/** 1 MiB: far above the largest file that somebody reviews. */
const maximumLength = 1_048_576;

const kinds: Readonly<Record<string, string>> = { record: 'a map', object: 'a map', array: 'a list' };
const explained = (issue: z.core.$ZodIssue): string => {
  if (issue.code === 'unrecognized_keys') {
    const expected = issue.path.length === 1 && issue.path[0] === 'rules' ? `; expected ${ruleNames.join(', ')}` : '';
    return `unknown ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}${expected}`;
  }
  const missing = issue.input === undefined ? 'missing; ' : '';
  if (issue.code === 'invalid_type' && !issue.message.startsWith('expected '))
    return `${missing}expected ${kinds[issue.expected] ?? issue.expected}`;
  return `${missing}${issue.message.replace(/^Invalid input: /, '')}`;
};

/** Reads the YAML of a rules file. Never throws: whatever is wrong stands in `problems`. */
export const parseRules = (text: string): ParsedRules => {
  const wrong = (...problems: RulesProblem[]): ParsedRules => ({ ok: false, problems });
  if (text.length > maximumLength)
    return wrong({ path: '', line: null, message: `longer than the ${maximumLength} characters that are accepted` });
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const syntax = [...document.errors, ...document.warnings].map((error) => ({
    path: '',
    line: lineAt(error.pos[0]),
    message: error.code === 'DUPLICATE_KEY' ? 'a key stands here twice; expected each key once' : error.message,
  }));
  if (syntax.length > 0) return wrong(...syntax);
  const aliases: RulesProblem[] = [];
  const look = (node: unknown): void => {
    if (isAlias(node))
      aliases.push({ path: '', line: lineAt(node.range?.[0] ?? 0), message: 'aliases are not accepted; write it out' });
    else if (isMap(node))
      for (const { key, value } of node.items) {
        look(key);
        look(value);
      }
    else if (isSeq(node)) node.items.forEach(look);
  };
  look(document.contents);
  if (aliases.length > 0) return wrong(...aliases);

  /** The line of a path, or of the deepest part of it that the file has. */
  const lineOf = (path: readonly PropertyKey[]): number | null => {
    let node: unknown = document.contents;
    let line: number | null = null;
    for (const segment of path) {
      let at: number | undefined;
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(segment));
        at = pair && isScalar(pair.key) ? pair.key.range?.[0] : undefined;
        node = pair?.value;
      } else if (isSeq(node)) {
        node = node.items[Number(segment)];
        at = isScalar(node) || isMap(node) ? node.range?.[0] : undefined;
      } else return line;
      if (at === undefined) return line;
      line = lineAt(at);
    }
    return line;
  };
  const parsed = rulesFileSchema.safeParse(document.toJS(), { reportInput: true });
  if (!parsed.success)
    return wrong(
      ...parsed.error.issues.map((issue) => ({
        path: issue.path.map(String).join('.'),
        line: lineOf(issue.path),
        message: explained(issue),
      })),
    );
  const settings = parsed.data.rules as Readonly<
    Record<string, { readonly mode: RuleMode; readonly effects: readonly RuleEffect[]; readonly thresholds: unknown }>
  >;
  return {
    ok: true,
    file: {
      settings: rules.map((rule) => ({ rule, ...settings[rule.name]! })),
      sharedMailDomains: new Set(parsed.data.sharedMailDomains),
    },
  };
};
