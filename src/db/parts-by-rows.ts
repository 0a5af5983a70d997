/**
 * Lists in parts, in their order, such that the rows of a part's lists are at most `most` together, or it is one list: what a
 * statement reads is held, and made into rows, at once.
 */
export const partsByRows = <T>(lists: readonly T[], rowsOf: (list: T) => number, most: number): T[][] => {
  const parts: T[][] = [];
  let rows = Number.POSITIVE_INFINITY;
  for (const list of lists) {
    rows += rowsOf(list);
    const part = parts.at(-1);
    if (part && rows <= most) part.push(list);
    else {
      parts.push([list]);
      rows = rowsOf(list);
    }
  }
  return parts;
};
