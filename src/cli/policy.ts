import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { type LinkAssurance, linkAssurances, type Role, roles } from '../authz/actor';
import type { PolicyChange } from '../authz/policy/change';
import { coverageOf } from '../authz/policy/coverage';
import { diffPolicies } from '../authz/policy/diff';
import { explain } from '../authz/policy/explain';
import type { ExposurePolicy } from '../authz/policy/exposure';
import { undemanded } from '../authz/policy/signed-frames';
import { verdictText } from '../authz/policy/verdict';
import { loadLocalConfig } from '../config/local';
import { loadPolicy } from '../config/policy';
import { ConfigInvalid } from '../config/problems';
import { CommandFailed } from './report';
import { graphClassification } from './stored-classification';

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const shownPath = (file: string): string => {
  const path = relative(process.cwd(), file);
  return path.startsWith('..') ? file : path;
};

/** Fails where the file can't be read, so that a mistyped name isn't reported as an empty policy. */
const readable = (file: string): string => {
  try {
    readFileSync(file);
    return file;
  } catch {
    throw new CommandFailed(`${shownPath(file)} can't be read.`);
  }
};

/** The policy file of an argument; without one, the configured one. Throws `CommandFailed` where it can't be read. */
const policyFileOf = (argument: string | undefined): string =>
  readable(argument === undefined ? loadLocalConfig().policyFile : resolve(argument));

const undemandedNotice = (sources: readonly string[]): string =>
  `Frames show a ticket also where nothing was signed, though these sign: ${sources.join(', ')} (frames.signatureRequired).`;

/** `counterfoil policy check`. */
export const check = (argument: string | undefined, json: boolean): void => {
  const file = policyFileOf(argument);
  const local = loadLocalConfig();
  let policy: ExposurePolicy;
  try {
    policy = loadPolicy(file, graphClassification(), local);
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    const problems = error.problems.map(({ at, line, expected }) => ({
      file: shownPath(file),
      line: line ?? null,
      at,
      expected,
    }));
    if (json) print(JSON.stringify({ ok: false, problems }));
    const lines = problems.map(
      (each) => `${each.file}${each.line === null ? '' : `:${each.line}`}  ${each.at}: ${each.expected}`,
    );
    throw new CommandFailed([...lines, `${problems.length} problem${problems.length === 1 ? '' : 's'}.`].join('\n'));
  }
  const coverage = coverageOf(policy);
  const found = [...coverage.classes].filter(([, count]) => count > 0);
  const notDemanded = undemanded(policy.frames, local.embeds ?? []);
  if (json) {
    const [classes, verdicts] = [Object.fromEntries(found), Object.fromEntries(coverage.verdicts)];
    const frames = { signatureRequired: policy.frames.signatureRequired, signedButNotRequired: notDemanded };
    print(JSON.stringify({ ok: true, file: shownPath(file), ...coverage, classes, verdicts, frames }));
    return;
  }
  const classes = found.map(([name, count]) => `${count} ${name}`);
  print(
    `${shownPath(file)}: every one of ${coverage.fields} fields of ${coverage.types} types has a verdict for every role (${roles.length}).`,
  );
  print(`${coverage.policed} fields are policed. By class: ${classes.join(', ')}.`);
  print(`${coverage.filters} filters and ${coverage.sorts} sorts are named.`);
  print('');
  const column = (text: string | number) => String(text).padStart(8);
  print(`${'fields by role'.padEnd(16)}${['reveal', 'mask', 'omit', 'deny'].map(column).join('')}`);
  for (const [role, { reveal, mask, omit, deny }] of coverage.verdicts)
    print(`${role.padEnd(16)}${[reveal, mask, omit, deny].map(column).join('')}`);
  print('A field whose verdict depends on the link stands in more than one column.');
  const { signatureRequired } = policy.frames;
  if (signatureRequired.length > 0) print(`Frames show a ticket only where it was signed for: ${signatureRequired.join(', ')}.`);
  if (notDemanded.length > 0) print(undemandedNotice(notDemanded));
  print(`digest ${coverage.digest}`);
};

export interface ExplainFlags {
  readonly role: Role;
  readonly assurance?: LinkAssurance;
  readonly mfa: boolean;
  readonly policy?: string;
  readonly json?: boolean;
}

/** `counterfoil policy explain`. */
export const explainField = (field: string, options: ExplainFlags): void => {
  const local = loadLocalConfig();
  const file = options.policy === undefined ? local.policyFile : resolve(options.policy);
  const classification = graphClassification();
  if (!classification.fields.has(field)) {
    const [type = ''] = field.split('.');
    const near = [...classification.fields.values()]
      .filter(({ typeName }) => typeName === type)
      .map(({ coordinate }) => coordinate);
    throw new CommandFailed(
      near.length > 0
        ? `${type} has no such field. Expected one of ${near.join(', ')}.`
        : 'Expected a field of the graph as Type.field, such as Customer.email.',
    );
  }
  const policy = loadPolicy(file, classification, local);
  const explanations = (options.assurance ? [options.assurance] : linkAssurances).map((assurance) => {
    const found = explain(policy, field, { roles: [options.role], mfa: options.mfa }, assurance);
    return {
      field,
      role: options.role,
      mfa: options.mfa,
      assurance,
      class: found.class,
      verdict: verdictText(found.verdict),
      reason: found.verdict.kind === 'deny' ? found.verdict.reason : null,
      ceiling: found.ceiling,
      decidedBy: found.decidedBy && { path: found.decidedBy.path, file: shownPath(file), line: found.decidedBy.line },
      lift: found.lift,
    };
  });
  if (options.json) {
    print(JSON.stringify(options.assurance ? explanations[0] : explanations));
    return;
  }
  print(`${field} for ${options.role}, ${options.mfa ? 'with' : 'without'} a second factor:`);
  for (const { assurance, verdict, reason, class: fieldClass, ceiling, decidedBy, lift } of explanations) {
    print(`  ${`${assurance} link`.padEnd(14)}${verdict}${reason === null ? '' : ` (${reason})`}`);
    print(`    class ${fieldClass}, at most ${ceiling} for this role`);
    if (decidedBy)
      print(`    decided by ${decidedBy.path}, ${decidedBy.file}${decidedBy.line === null ? '' : `:${decidedBy.line}`}`);
    print(`    ${lift}`);
  }
};

const marks: Readonly<Record<PolicyChange['effect'], string>> = { exposes: '+', restricts: '-', changes: '~' };

/** `counterfoil policy diff`. */
export const diff = (older: string, newer: string | undefined, json: boolean): void => {
  const files = [policyFileOf(older), policyFileOf(newer)] as const;
  const local = loadLocalConfig();
  const classification = graphClassification();
  const changes = diffPolicies(
    loadPolicy(files[0], classification, local),
    loadPolicy(files[1], classification, local),
    classification,
  );
  if (changes.length > 0) process.exitCode = 1;
  if (json) {
    print(JSON.stringify({ changes }));
    return;
  }
  if (changes.length === 0) {
    print('Both mean the same.');
    return;
  }
  const order = ['exposes', 'changes', 'restricts'] as const;
  for (const effect of order) {
    for (const change of changes.filter((each) => each.effect === effect))
      print(`${marks[effect]} ${effect}: ${change.sentence}`);
  }
  const count = (effect: PolicyChange['effect']) => changes.filter((each) => each.effect === effect).length;
  print(`${count('exposes')} expose more, ${count('restricts')} less, ${count('changes')} otherwise.`);
};
