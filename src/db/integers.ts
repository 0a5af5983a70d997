import { ProgrammingError } from '../failure';

const refuse = (value: number, where: string): never => {
  throw new ProgrammingError(`The database holds ${value} as ${where}: numbers are safe integers here.`);
};

/** The number of a column, which is below 2^53: the drivers round what isn't, and a rounded number is never a safe integer. */
export const safeInteger = (value: number, where = 'an integer'): number => {
  if (!Number.isSafeInteger(value)) refuse(value, where);
  return value;
};

/** The rows as they are, once each number in them is a safe integer. Throws `ProgrammingError`. */
export const safeRows = <Row extends object>(rows: Row[]): Row[] => {
  for (const row of rows) {
    for (const name in row) {
      const value = row[name];
      if (typeof value === 'number' && !Number.isSafeInteger(value)) refuse(value, name);
    }
  }
  return rows;
};
