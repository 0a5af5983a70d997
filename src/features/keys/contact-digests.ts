import { normalForm } from '../../privacy/digests';
import { formsOfEmail, normalizeEmail } from '../../privacy/mail-addresses';
import { comparableNumber } from '../../privacy/phone-numbers';
import type { Keys } from './keys.service';

/*
 * How contacts are compared where they are stored: by keyed digests of one form. What was stored in a form of an earlier version is never
 * taken for another contact: rows are opened and digested anew where their digest differs, and what holds a digest alone is looked
 * up under all forms of the value.
 */

/** What stands in a column for an e-mail address; null for none. */
export const emailDigest = (keys: Keys, email: string | null): string | null =>
  keys.searchDigest('email', email === null ? null : normalizeEmail(email));

/** What stands in a column for a telephone number; null for none. */
export const phoneDigest = (keys: Keys, phone: string | null): string | null =>
  keys.searchDigest('phone', phone === null ? null : comparableNumber(phone));

/** The form of numbers before E.164. An update that waits since then was asked for under its digest. */
const digitsAlone = (phone: string): string => phone.replace(/[^\d+]/g, '');

/** Whether a digest was made of this address, in today's form or an earlier one. */
export const isDigestOfEmail = (keys: Keys, digest: string, email: string): boolean => {
  const normalized = normalizeEmail(email);
  return normalized !== null && formsOfEmail(normalized).some((form) => keys.searchDigest('email', form) === digest);
};

/** Whether a digest was made of this number, in today's form or an earlier one. */
export const isDigestOfPhone = (keys: Keys, digest: string, phone: string): boolean =>
  [comparableNumber(phone), digitsAlone(phone)].some((form) => keys.searchDigest('phone', form) === digest);

/** What stands in a column for the address of a member of staff. */
export const staffDigest = (keys: Keys, email: string | null): string | null =>
  keys.searchDigest('staff', email === null ? null : normalizeEmail(email));

/** What stands in a column for the name by which somebody is found among the staff; null for none. */
export const personDigest = (keys: Keys, name: string | null): string | null =>
  staffDigest(keys, name) ?? keys.searchDigest('staff', name === null ? null : normalForm(name));

/** All digests under which a member of staff may be kept whom somebody names by login or address. */
export const staffDigests = (keys: Keys, name: string | null): readonly string[] => {
  if (name === null) return [];
  const email = normalizeEmail(name);
  const forms = [normalForm(name), ...(email === null ? [] : formsOfEmail(email))];
  return [...new Set(forms.flatMap((form) => keys.searchDigest('staff', form) ?? []))];
};
