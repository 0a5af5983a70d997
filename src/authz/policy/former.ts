import { z } from 'zod';
import { type LinkAssurance, linkAssurances, type Role, roles } from '../actor';
import type { Classification } from './classification';
import { type ExposureOptions, ExposurePolicy, type PolicyContents } from './exposure';
import type { RoleEntry } from './reader';
import { type CredentialUpdateKind, credentialUpdateKinds } from './update-policy';
import { readVerdict, type Verdicts } from './verdict';
import { verificationMethodNames } from './verification';

const role = z.enum(roles);
const number = z.int();
const verdict = z.string().transform((text, context) => {
  const read = readVerdict(text);
  if (typeof read !== 'string') return read;
  context.addIssue({ code: 'custom', message: read });
  return z.NEVER;
});
const ticketsOf = z.array(z.enum(['own', 'team', 'assisted']));
const byRole = z.array(z.tuple([role, verdict, verdict, verdict]));
const rolesByCoordinate = z.array(z.tuple([z.string(), z.array(role)]));
const kind = z.enum(credentialUpdateKinds);
const strength = z.enum(verificationMethodNames);
const rule = z.tuple([
  z.string(),
  z.array(kind),
  z.enum(linkAssurances).nullable(),
  z.boolean().nullable(),
  number.nullable(),
  number.nullable(),
]);
const updates = z.tuple([z.array(z.tuple([kind, strength.nullable()])), number, number, number, strength, number, z.array(rule)]);

/** `canonicalText` of a policy, item by item. Another number or another length is another release's. */
const form = z.tuple([
  z.literal(2),
  z.array(z.enum(['own', 'team'])),
  number,
  number,
  z.array(role),
  number,
  z.array(z.tuple([role, ticketsOf])),
  z.array(z.tuple([z.string(), byRole])),
  rolesByCoordinate,
  rolesByCoordinate,
  updates,
  z.array(role),
  z.tuple([number, number]),
  z.tuple([z.string(), z.string(), number, number]),
  z.tuple([number, number, number, number]),
  z.array(z.string()),
]);

const stated = <Value>(value: Value | null): Value | undefined => value ?? undefined;

const updatesOf = ([kinds, linkHours, approvalHours, perCustomerPerDay, strength, contactWindowDays, rules]: z.infer<
  typeof updates
>): PolicyContents['updates'] => ({
  kinds: Object.fromEntries(
    kinds.flatMap(([name, by]): [CredentialUpdateKind, { strength: typeof by }][] =>
      by === null ? [] : [[name, { strength: by }]],
    ),
  ) as PolicyContents['updates']['kinds'],
  linkHours,
  approvalHours,
  quota: { perCustomerPerDay },
  highRisk: {
    strength,
    contactWindowDays,
    rules: rules.map(([name, kinds, link, methodIsDefault, methodYoungerThanDays, disputedWithinDays]) => ({
      name,
      when: {
        kinds,
        link: stated<LinkAssurance>(link),
        methodIsDefault: stated(methodIsDefault),
        methodYoungerThanDays: stated(methodYoungerThanDays),
        disputedWithinDays: stated(disputedWithinDays),
      },
    })),
  },
});

const entryOf = ([name, VERIFIED, MATCHED, NONE]: z.infer<typeof byRole>[number]): [Role, RoleEntry] => {
  const verdicts: Verdicts = { VERIFIED, MATCHED, NONE };
  return [name, { verdicts, path: '', line: null }];
};

/**
 * A policy out of the text that its digest is of (`ExposurePolicy.text`), to be compared: of whichever graph it was for, so it may name fields
 * that today's lacks, and lack others. Null where another release wrote it in a form that this one doesn't read.
 */
export const readFormer = (text: string, classification: Classification, options: ExposureOptions): ExposurePolicy | null => {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  const { data } = form.safeParse(given);
  if (!data) return null;
  const [, automatic, lifetimeMinutes, customersPerHour, approvalFor, requestedMinutes, scope, fields, ...others] = data;
  const [filters, sorts, updated, releasedBy, recognitions, decisions, holds, signatureRequired] = others;
  const [linkHours, perCustomerPerDay] = recognitions;
  const [review, hold, perSubjectPerHour, subjectsPerMinute] = decisions;
  const [agentMinutes, agentDayMinutes, agentMost, supervisorMost] = holds;
  const sets = (lists: typeof filters) => new Map(lists.map(([coordinate, allowed]) => [coordinate, new Set(allowed)]));
  const contents: Omit<PolicyContents, 'classification'> = {
    assistance: {
      automatic,
      lifetimeMinutes,
      quota: { customersPerHour },
      onRequest: { approvalFor, lifetimeMinutes: requestedMinutes },
    },
    scope: Object.fromEntries(scope),
    fields: new Map(fields.map(([coordinate, decided]) => [coordinate, new Map(decided.map(entryOf))])),
    filters: sets(filters),
    sorts: sets(sorts),
    updates: updatesOf(updated),
    brakes: { releasedBy },
    recognitions: { linkHours, perCustomerPerDay },
    decisions: { routes: { review, hold }, quota: { perSubjectPerHour, subjectsPerMinute } },
    holds: { agentMinutes, agentDayMinutes, agentMost, supervisorMost },
    frames: { signatureRequired },
  };
  return ExposurePolicy.former({ ...contents, classification }, options);
};
