import type { z } from 'zod';

/** One thing that is wrong with the configuration: where, and what was expected there. Never the value. */
export interface ConfigProblem {
  /** A file, or `environment`. */
  readonly in: string;
  /** A path within the file, or the variable's name. */
  readonly at: string;
  readonly line?: number;
  readonly expected: string;
}

/** Everything that is wrong, at once. */
export class ConfigInvalid extends Error {
  constructor(readonly problems: readonly ConfigProblem[]) {
    super(
      problems
        .map(({ in: where, at, line, expected }) => `${where}${line === undefined ? '' : `:${line}`}  ${at}: ${expected}`)
        .join('\n'),
    );
    this.name = 'ConfigInvalid';
  }
}

/** A path as people write it: `sources.helpdesk[0].url`. */
export const pathText = (path: readonly PropertyKey[]): string =>
  path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`)).join('') ||
  '(the whole)';

/** What a `kind` may be, by section of the file. */
const knownKinds: Readonly<Record<string, string>> = {
  sources: 'expected a known kind: rt or demo for a helpdesk, stripe or demo for payments',
  delivery: 'expected a known kind: smtp for mail, http for short messages, or, in development, files',
  audit: 'expected a known kind: file or witness',
};

/** Names that stood in the file once, and where what they said stands. */
const movedNames: Readonly<Record<string, string>> = {
  signatureRequired: 'expected in the policy file, as frames.signatureRequired',
};

/** zod's own words for what can't be said per field; none of them repeats the input. */
export const expectedOf = (issue: z.core.$ZodIssue): string => {
  if (issue.code === 'unrecognized_keys') {
    const moved = issue.keys.flatMap((key) => (Object.hasOwn(movedNames, key) ? [`; ${movedNames[key]}`] : []));
    return `unknown ${issue.keys.length > 1 ? 'names' : 'name'} ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}${moved.join('')}`;
  }
  if (issue.code === 'invalid_union' && 'note' in issue && issue.note === 'No matching discriminator')
    return knownKinds[String(issue.path[0])] ?? 'expected a known kind';
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? 'expected another name';
  return issue.message.replace(/^(Invalid input|Too small|Too big): /, '').replace(/, received undefined$/, '');
};
