/**
 * JSON Canonicalization Scheme, RFC 8785: one byte sequence per value, so that a hash of it means the value.
 * ECMAScript's own number and string serialization is what the RFC prescribes; what is left is the order of the
 * members (UTF-16 code units, which is how JavaScript compares strings) and the refusal of what JSON can't say.
 */
export type CanonicalValue =
  | string
  | number
  | boolean
  | null
  | readonly CanonicalValue[]
  | { readonly [name: string]: CanonicalValue };

/** ECMAScript 2024, in every Node that runs this; the compiler's library is a year older. */
interface WellFormed {
  isWellFormed(): boolean;
}

const quote = (text: string): string => {
  if (!(text as unknown as WellFormed).isWellFormed())
    throw new TypeError('canonical JSON: a lone surrogate has no UTF-8 form (RFC 8785, 3.2.2.2)');
  return JSON.stringify(text);
};

/** Throws TypeError for NaN, infinities, lone surrogates, `undefined` and anything that is no JSON value. */
export const canonicalize = (value: CanonicalValue): string => {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value))
      throw new TypeError('canonical JSON: NaN and infinities are not JSON numbers (RFC 8785, 3.2.2.3)');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    let items = '';
    // By index, as `map` would pass over a hole and leave nothing between two commas.
    for (let at = 0; at < value.length; at += 1) items += `${at > 0 ? ',' : ''}${canonicalize(value[at] as CanonicalValue)}`;
    return `[${items}]`;
  }
  if (typeof value === 'object') {
    const prototype: unknown = Object.getPrototypeOf(value);
    // A date or a buffer has members of its own, or none, and would be logged as those.
    if (prototype !== Object.prototype && prototype !== null)
      throw new TypeError('canonical JSON: only plain objects are JSON values');
    const members = value as { readonly [name: string]: CanonicalValue };
    let text = '';
    for (const name of Object.keys(members).sort())
      text += `${text === '' ? '' : ','}${quote(name)}:${canonicalize(members[name] as CanonicalValue)}`;
    return `{${text}}`;
  }
  throw new TypeError(`canonical JSON: ${typeof value} is no JSON value`);
};
