/** As many placeholders as there are values, for `IN (…)` and `VALUES (…)`. */
export const marks = (values: readonly unknown[]): string => values.map(() => '?').join(',');

/** `a = ?, b = ?` for an UPDATE of these columns. */
export const assignments = (row: Readonly<Record<string, unknown>>): string =>
  Object.keys(row)
    .map((column) => `${column} = ?`)
    .join(', ');
