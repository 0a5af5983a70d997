import { hasCardDataInAddress } from '../../../privacy/text-guard';
import type { Problem } from '../../invitations/invitation.view';
import { areaAsSent, areaOf } from './administrative-areas';
import type { ConfirmationField, NewAddress } from './confirmation.view';
import { countryCodes } from './country-codes';

/** What was typed, without blanks that mean nothing; a state by its code where the country has some. */
export const trimmed = (address: NewAddress): NewAddress => {
  const clean = (text: string) => text.normalize('NFC').replace(/\s+/g, ' ').trim();
  const country = clean(address.country).toUpperCase();
  const state = clean(address.state);
  return {
    line1: clean(address.line1),
    line2: clean(address.line2),
    city: clean(address.city),
    state: areaAsSent(country, state) ?? state,
    postalCode: clean(address.postalCode),
    country,
  };
};

/** Characters that a provider's address takes, in each part. */
const longest: Readonly<Record<keyof NewAddress, number>> = {
  line1: 200,
  line2: 200,
  city: 100,
  state: 100,
  postalCode: 20,
  country: 2,
};
const labels: Readonly<Record<keyof NewAddress, string>> = {
  line1: 'Street and house number',
  line2: 'Further details',
  city: 'City',
  state: 'State, province or county',
  postalCode: 'Postal code',
  country: 'Country',
};

/** What is wrong with an address: never with its value, which may be anything. */
export const problemsOf = (address: NewAddress | null): Problem<ConfirmationField>[] => {
  if (!address) return [['line1', 'Enter the new billing address.']];
  const problems: Problem<ConfirmationField>[] = [];
  const area = areaOf(address.country);
  const nameOf = (field: keyof NewAddress) => (field === 'state' && area.isUsed ? area.name : labels[field]);
  const needed: readonly (keyof NewAddress)[] = ['line1', 'city', 'country', ...(area.isNeeded ? (['state'] as const) : [])];
  for (const field of ['line1', 'line2', 'city', 'state', 'postalCode', 'country'] as const) {
    const value = address[field];
    if (value === '' && needed.includes(field)) problems.push([field, `${nameOf(field)}: this is needed.`]);
    else if (value.length > longest[field]) problems.push([field, `${nameOf(field)}: at most ${longest[field]} characters.`]);
    else if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value))
      problems.push([field, `${nameOf(field)}: letters, digits and punctuation only.`]);
    else if (hasCardDataInAddress(value))
      problems.push([field, `${nameOf(field)}: card data doesn’t belong here. Enter the address only.`]);
    else if (field === 'state' && areaAsSent(address.country, value) === null)
      problems.push([field, `${nameOf(field)}: this country has none of that name. Enter its name or its two letters.`]);
    else if (field === 'country' && !countryCodes.has(value)) problems.push([field, `${nameOf(field)}: choose one of the list.`]);
  }
  // A card number may be spread over several fields.
  if (problems.length === 0 && hasCardDataInAddress(Object.values(address).join(' ')))
    problems.push(['line1', 'Card data doesn’t belong here. Enter the address only.']);
  return problems;
};
