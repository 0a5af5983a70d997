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

/** A claim that is one text or a list of them, without repetition; anything else counts as absent. At most 256 values. */
export const textsAt = (claims: unknown, path: readonly string[]): readonly string[] => {
  const claim = claimAt(claims, path);
  const values = Array.isArray(claim) ? claim : [claim];
  return [...new Set(values.filter((value): value is string => typeof value === 'string' && value !== ''))].slice(0, 256);
};
