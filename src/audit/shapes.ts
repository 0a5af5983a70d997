/** What a value is that was read from JSON. */
export const isText = (value: unknown): value is string => typeof value === 'string';
export const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);

/** A whole number from 0 on that JavaScript has exactly. */
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
export const isCounts = (value: unknown): value is readonly number[] => Array.isArray(value) && value.every(isCount);

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const digest = /^[0-9a-f]{64}$/;

/** SHA-256 in lower-case hexadecimal. */
export const isDigest = (value: unknown): value is string => isText(value) && digest.test(value);
