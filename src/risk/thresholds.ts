import { z } from 'zod';

/** Thresholds as the file has them, each with what it is told when it is something else. */
export const whole = (smallest: number, largest: number) => {
  const error = `expected a whole number, ${smallest} to ${largest}`;
  return z.int({ error }).min(smallest, { error }).max(largest, { error });
};
export const factor = () => {
  const error = 'expected a number, 1 to 100';
  return z.number({ error }).min(1, { error }).max(100, { error });
};
/** The largest are what signals and their days are kept for. */
export const withinMinutes = () => whole(1, 1_440);
export const withinHours = () => whole(1, 672);
export const withinDays = () => whole(1, 180);
