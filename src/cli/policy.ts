import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { loadPolicy } from '../app';
import { type LinkAssurance, linkAssurances, type Role, roles } from '../authz/actor';
import { diffPolicies, type ExposurePolicy, explain, type PolicyChange, verdictText } from '../authz/exposure';
import { ConfigInvalid, loadLocalConfig } from '../config';
import { describeGraph } from '../features/schema';
import { CommandFailed } from './report';

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const shownPath = (file: string): string => {
  const path = relative(process.cwd(), file);
  return path.startsWith('..') ? file : path;
};

/** `reveal`, `mask`, `omit` and `deny` in this order, each with how often it occurs. */
interface VerdictCounts {
  reveal: number;
  mask: number;
  omit: number;
  deny: number;
}

/** How the policy covers the graph; a field whose verdict depends on the link counts once for each assurance's kind. */
const coverageOf = (policy: ExposurePolicy) => {
  const fields = [...policy.classification.fields.values()];
  const classes: Record<string, number> = {};
  for (const field of fields) classes[field.class] = (classes[field.class] ?? 0) + 1;
  const verdicts = Object.fromEntries(roles.map((role) => [role, { reveal: 0, mask: 0, omit: 0, deny: 0 }])) as Record<
    Role,
    VerdictCounts
  >;
  for (const entry of policy.entries()) {
    const kinds = new Set(linkAssurances.map((assurance) => entry.verdicts[assurance].kind));
    for (const kind of kinds) verdicts[entry.role][kind] += 1;
  }
  return {
    fields: fields.length,
    types: new Set(fields.map(({ typeName }) => typeName)).size,
    policed: fields.filter(({ policed }) => policed).length,
    classes,
    verdicts,
    filters: policy.classification.filterable.size,
    sorts: policy.classification.sortable.size,
    digest: policy.digest,
  };
};

const check = (file: string, json: boolean): void => {
  const local = loadLocalConfig();
  let policy: ExposurePolicy;
  try {
    policy = loadPolicy(file, describeGraph().classification, local);
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
  if (json) {
    print(JSON.stringify({ ok: true, file: shownPath(file), ...coverage }));
    return;
  }
  const classes = Object.entries(coverage.classes).map(([name, count]) => `${count} ${name}`);
  print(
    `${shownPath(file)}: every one of ${coverage.fields} fields of ${coverage.types} types has a verdict for every role (${roles.length}).`,
  );
  print(`${coverage.policed} fields are policed. By class: ${classes.join(', ')}.`);
  print(`${coverage.filters} filters and ${coverage.sorts} sorts are named.`);
  print('');
  const column = (text: string | number) => String(text).padStart(8);
  print(`${'fields by role'.padEnd(16)}${['reveal', 'mask', 'omit', 'deny'].map(column).join('')}`);
  for (const role of roles) {
    const { reveal, mask, omit, deny } = coverage.verdicts[role];
    print(`${role.padEnd(16)}${[reveal, mask, omit, deny].map(column).join('')}`);
  }
  print('A field whose verdict depends on the link stands in more than one column.');
  print(`digest ${coverage.digest}`);
};

interface ExplainOptions {
  readonly role: Role;
  readonly assurance?: LinkAssurance;
  readonly mfa: boolean;
  readonly policy?: string;
  readonly json?: boolean;
}

const explainField = (field: string, options: ExplainOptions): void => {
  const local = loadLocalConfig();
  const file = options.policy === undefined ? local.policyFile : resolve(options.policy);
  const { classification } = describeGraph();
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

const diff = (older: string, newer: string, json: boolean): void => {
  const local = loadLocalConfig();
  const { classification } = describeGraph();
  const changes = diffPolicies(
    loadPolicy(resolve(older), classification, local),
    loadPolicy(newer, classification, local),
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

/** Fails where the file can't be read, so that a mistyped name isn't reported as an empty policy. */
const readable = (file: string): string => {
  try {
    readFileSync(file);
    return file;
  } catch {
    throw new CommandFailed(`${shownPath(file)} can't be read.`);
  }
};

/** `counterfoil policy`: what the payments team's file says, without a database and without a gateway. */
export const policyCommand = (program: Command): void => {
  const policy = program.command('policy').description('Check, explain and compare exposure policies. Needs no database.');
  policy
    .command('check')
    .description('Check a policy against the graph: coverage, or every problem with its line (exit code 1).')
    .argument('[file]', 'policy file (default: POLICY_FILE or schema/exposure.yaml)')
    .option('--json', 'print one JSON object')
    .action((file: string | undefined, { json = false }: { json?: boolean }) =>
      check(readable(file === undefined ? loadLocalConfig().policyFile : resolve(file)), json),
    );
  policy
    .command('explain')
    .description('Say whether and why a role sees a field, and what would lift it.')
    .argument('<field>', 'a field of the graph, such as Customer.email')
    .addOption(new Option('--role <role>', 'whose view').choices(roles).makeOptionMandatory())
    .addOption(new Option('--assurance <link>', 'under this link only (default: each)').choices(linkAssurances))
    .option('--no-mfa', 'for a session without a second factor')
    .option('--policy <file>', 'policy file (default: POLICY_FILE or schema/exposure.yaml)')
    .option('--json', 'print JSON: one object for one link, otherwise a list')
    .action((field: string, options: ExplainOptions) => explainField(field, options));
  policy
    .command('diff')
    .description('Say in words what a change of the policy exposes. Exit code 0: both mean the same; 1: they differ.')
    .argument('<old>', 'policy file before the change')
    .argument('[new]', 'policy file after it (default: POLICY_FILE or schema/exposure.yaml)')
    .option('--json', 'print one JSON object')
    .action((older: string, newer: string | undefined, { json = false }: { json?: boolean }) =>
      diff(readable(resolve(older)), readable(newer === undefined ? loadLocalConfig().policyFile : resolve(newer)), json),
    );
};
