import { z } from 'zod';

/** Where a claim stands in the token: the names from the payload's top level down. */

const forbiddenNames = new Set(['__proto__', 'constructor', 'prototype']);

const claimName = z
  .string()
  .min(1, 'a claim name may not be empty')
  .max(256, 'a claim name has at most 256 characters')
  .refine((name) => !forbiddenNames.has(name), 'no claim has this name');

/**
 * `realm_access.roles` is two names, `https://merchant.example/roles` (a namespaced claim) is one; a list of names is
 * taken as it stands, for claims whose own name has a dot.
 */
export const claimPath = z
  .union([z.string(), z.array(z.string())], { error: 'a claim, such as roles, realm_access.roles or a list of names' })
  .transform((written) => (typeof written !== 'string' ? written : written.includes('://') ? [written] : written.split('.')))
  .pipe(z.tuple([claimName], claimName, { error: 'a claim, such as roles, realm_access.roles or a list of names' }));

/** The claim at the path, undefined where there is none. Own members of JSON objects only: nothing inherited, no list index. */
export const claimAt = (claims: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (holder, name) =>
      typeof holder === 'object' && holder !== null && !Array.isArray(holder) && Object.hasOwn(holder, name)
        ? (holder as Record<string, unknown>)[name]
        : undefined,
    claims,
  );

/** Values that a claim may have. A directory of 200 groups is usual; cutting a longer list would take away roles at random. */
export const mostValues = 1_000;

/** Some providers name a role by a member, whose value, an object, says where it was given. */
const namesOf = (object: object): readonly string[] =>
  Object.entries(object).flatMap(([name, value]) => (typeof value === 'object' && value !== null ? [name] : []));

/**
 * A claim that is one text, a list of them, or an object whose members' names they are, without repetition; anything else
 * counts as absent. Null where there are more than `mostValues`.
 */
export const textsAt = (claims: unknown, path: readonly string[]): readonly string[] | null => {
  const claim = claimAt(claims, path);
  const values: readonly unknown[] = Array.isArray(claim)
    ? claim
    : typeof claim === 'object' && claim !== null
      ? namesOf(claim)
      : [claim];
  if (values.length > mostValues) return null;
  return [...new Set(values.filter((value): value is string => typeof value === 'string' && value !== ''))];
};
