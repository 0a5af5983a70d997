/** A metadata key that can stand in a search clause; Stripe allows 40 characters and no square brackets. */
export const isMetadataKey = (key: string): boolean => /^[A-Za-z0-9_.-]{1,40}$/.test(key) && key !== '__proto__';

/**
 * A value as a quoted string of Stripe's search language, or null when it can't be written there for certain. Double
 * quotes are escaped as Stripe documents; how it reads a backslash or a control character isn't documented, so such a
 * value is not searched for. Values are a customer's own e-mail address and a helpdesk's reference: text of strangers.
 */
export const quoted = (value: string): string | null =>
  value === '' || value.length > 500 || /[\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(value)
    ? null
    : `"${value.replaceAll('"', '\\"')}"`;

/** `metadata["key"]:"value"`. Matches regardless of case, and late: the finder compares and re-reads what is found. */
export const metadataClause = (key: string, value: string): string | null => {
  const literal = quoted(value);
  return literal === null || !isMetadataKey(key) ? null : `metadata["${key}"]:${literal}`;
};

export const emailClause = (email: string): string | null => {
  const literal = quoted(email);
  return literal === null ? null : `email:${literal}`;
};
