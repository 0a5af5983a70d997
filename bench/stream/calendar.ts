import type { Random } from './random';

export const seconds = 1_000;
export const minutes = 60 * seconds;
export const hours = 60 * minutes;
export const days = 24 * hours;

/** Monday, 1 September 2025: terms begin, and Black Friday, Christmas and the January sales are among the days after the warm-up. */
export const beginning = Date.UTC(2025, 8, 1);

/** What a shop sells on a day, over what it sells on others. */
const salesDays: Readonly<Record<string, number>> = {
  '2025-11-28': 4,
  '2025-11-29': 2,
  '2025-12-01': 3,
  '2025-12-26': 1.6,
  '2026-01-02': 2,
  '2026-02-14': 1.5,
};

export const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

export const demandOn = (day: number): number => salesDays[dateOf(day)] ?? (isWeekend(day) ? 1.15 : 1);
export const isSale = (day: number): boolean => (salesDays[dateOf(day)] ?? 1) >= 2;
export const isWeekend = (day: number): boolean => [0, 6].includes(new Date(day).getUTCDay());
export const dayOfMonth = (day: number): number => new Date(day).getUTCDate();
export const isLastWorkday = (day: number): boolean => {
  if (isWeekend(day)) return false;
  const ahead = new Date(day).getUTCDay() === 5 ? 3 : 1;
  return new Date(day + ahead * days).getUTCMonth() !== new Date(day).getUTCMonth();
};

/** Hours of a day by how many people shop then, where they live. */
const shopping = [1, 1, 0.5, 0.3, 0.3, 0.5, 1, 2, 3, 4, 4.5, 5, 5.5, 5, 4.5, 4.5, 5, 5.5, 6, 7, 8, 7, 4.5, 2.5].map(
  (weight, hour) => [hour, weight] as const,
);
/** Hours ahead of UTC; what isn't named is about Central Europe. */
const ahead: Readonly<Record<string, number>> = {
  US: -6,
  CA: -5,
  BR: -3,
  GB: 0,
  PT: 0,
  IE: 0,
  TR: 3,
  TH: 7,
  VN: 7,
  JP: 9,
  AU: 10,
};

/** A moment of a day (UTC) when somebody in a country shops. */
export const whenShopping = (random: Random, day: number, country: string): number => {
  const local = random.weighted(shopping) - (ahead[country] ?? 1);
  return day + (((local + 24) % 24) + random.next()) * hours;
};

/** A moment within an office's hours of a day, UTC. */
export const whenAtWork = (random: Random, day: number): number => day + Math.floor(random.between(7.5, 16) * hours);
