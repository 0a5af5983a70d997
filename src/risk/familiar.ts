import { dayOf } from './history';
import type { Answer, Ask } from './rule';
import type { Signal } from './signal';
import { days, daysIn, hours } from './windows';

/** What is usual for a customer, from before the time that is judged. */
export interface Familiar {
  readonly countries: ReadonlySet<string>;
  readonly devices: ReadonlySet<string>;
  /** Largest payment that succeeded, in minor units, by currency. */
  readonly largest: ReadonlyMap<string, number>;
}

export interface FamiliarSince {
  readonly unseenDays: number;
  /** What began less than so long ago isn't usual yet: whoever has just got into an account isn't its history. */
  readonly settledHours: number;
}

const usual = ['payment.attempt.succeeded', 'ticket.contact'] as const;

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
  for (const { type, day, country, device, currency, mostMinorUnits } of summaries) {
    // The day in which the time is that isn't settled yet counts with it.
    if (day >= lastDay) continue;
    if (country !== null) countries.add(country);
    if (device !== null) devices.add(device);
    if (type === 'payment.attempt.succeeded' && currency !== null && mostMinorUnits !== null)
      largest.set(currency, Math.max(largest.get(currency) ?? 0, mostMinorUnits));
  }
  return { countries, devices, largest };
}

/** Where nothing is usual yet, nothing is unusual. */
export const isNewCountry = ({ facts: { country } }: Signal, { countries }: Familiar): boolean =>
  country !== undefined && countries.size > 0 && !countries.has(country);
export const isNewDevice = ({ subjects: { device } }: Signal, { devices }: Familiar): boolean =>
  device !== undefined && devices.size > 0 && !devices.has(device);
