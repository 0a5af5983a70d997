import { dayOf } from './history';
import type { Answer, Ask } from './rule';
import type { Signal } from './signal';
import { attempts, days, daysIn, hours } from './windows';

/** What is usual for a customer, from before the time that is judged. */
export interface Familiar {
  readonly countries: ReadonlySet<string>;
  readonly devices: ReadonlySet<string>;
  /** Largest payment that succeeded, in minor units, by currency. */
  readonly largest: ReadonlyMap<string, number>;
  /** How often the customer was seen with a country or a device. */
  readonly sightings: number;
  /** Payments that succeeded. */
  readonly paid: number;
  /** The first day of which anything is known before that time, as `DaySummary` has it; infinite where nothing is. */
  readonly firstDay: number;
}

export interface FamiliarSince {
  readonly unseenDays: number;
  /** What began less than so long ago isn't usual yet: whoever has just got into an account isn't its history. */
  readonly settledHours: number;
}

const usual = [...attempts, 'ticket.contact', 'credential.changed', 'account.recovery'] as const;

export const familiarNeeds = ({ unseenDays }: Pick<FamiliarSince, 'unseenDays'>) =>
  [{ of: 'days', subject: 'customer', types: usual, back: unseenDays * days }] as const;

/** Asks for what is usual for the customer before an instant. */
export function* familiarTo(
  customer: string,
  before: Date,
  { unseenDays, settledHours }: FamiliarSince,
): Generator<Ask, Familiar, Answer> {
  const settled = new Date(before.getTime() - settledHours * hours);
  const from = new Date(before.getTime() - unseenDays * days);
  const lastDay = dayOf(settled);
  const [summaries = []] = yield* daysIn({ subject: 'customer', value: customer, types: usual, from, to: settled });
  const countries = new Set<string>();
  const devices = new Set<string>();
  const largest = new Map<string, number>();
  let sightings = 0;
  let paid = 0;
  let firstDay = Number.POSITIVE_INFINITY;
  for (const { type, day, country, device, currency, count, mostMinorUnits } of summaries) {
    firstDay = Math.min(firstDay, day);
    // The day in which the time is that isn't settled yet counts with it.
    if (day >= lastDay) continue;
    if (country !== null) countries.add(country);
    if (device !== null) devices.add(device);
    if (country !== null || device !== null) sightings += count;
    if (type === 'payment.attempt.succeeded') paid += count;
    if (type === 'payment.attempt.succeeded' && currency !== null && mostMinorUnits !== null)
      largest.set(currency, Math.max(largest.get(currency) ?? 0, mostMinorUnits));
  }
  return { countries, devices, largest, sightings, paid, firstDay };
}

/** Where nothing is usual yet, nothing is unusual. */
export const isNewCountry = ({ facts: { country } }: Signal, { countries }: Familiar): boolean =>
  country !== undefined && countries.size > 0 && !countries.has(country);
export const isNewDevice = ({ subjects: { device } }: Signal, { devices }: Familiar): boolean =>
  device !== undefined && devices.size > 0 && !devices.has(device);

/** Of a payment that tells of no device, such as a renewal, the country says where it is from. */
export const isHomeAsFarAsTold = (signal: Signal, familiar: Familiar): boolean =>
  signal.subjects.device === undefined
    ? signal.facts.country !== undefined && familiar.countries.has(signal.facts.country)
    : isAtHome(signal, familiar);

/** What comes from a device and a country that are both the customer's own. Where one isn't told, it may be anybody's. */
export const isAtHome = ({ subjects: { device }, facts: { country } }: Signal, familiar: Familiar): boolean =>
  device !== undefined && country !== undefined && familiar.devices.has(device) && familiar.countries.has(country);

/** What comes from a device of the customer's own, and from no country but theirs where one is told: senders of some payments tell of none. */
export const isOnOwnDevice = ({ subjects: { device }, facts: { country } }: Signal, familiar: Familiar): boolean =>
  device !== undefined && familiar.devices.has(device) && (country === undefined || familiar.countries.has(country));

export const isPlaced = ({ subjects: { device }, facts: { country } }: Pick<Signal, 'subjects' | 'facts'>): boolean =>
  device !== undefined || country !== undefined;

/** Nothing is told of a device or a country that isn't the customer's own, nor need anything be told. */
export const isNowhereElse = ({ subjects: { device }, facts: { country } }: Signal, familiar: Familiar): boolean =>
  (device === undefined || familiar.devices.has(device)) && (country === undefined || familiar.countries.has(country));
