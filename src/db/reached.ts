declare const reached: unique symbol;

/**
 * The id of something that a request has reached: it stands in a row that the request was given, found within its own scope. What a caller sent is none, so
 * that nothing is looked up by it together with what others ask for.
 */
export type Reached = string & { readonly [reached]: true };

/** The ids of a list that a row of this request names. */
export const allReachedBy = <P extends string>(row: { readonly [name in P]: readonly string[] }, name: P): readonly Reached[] =>
  row[name] as never;

/** The id that a row of this request names; null where it names none. */
export const reachedBy = <Row extends object, P extends keyof Row>(
  row: Row,
  name: P,
): Row[P] extends string ? Reached : Row[P] extends string | null ? Reached | null : never => row[name] as never;
