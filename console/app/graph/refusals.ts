import type { CombinedError } from '@urql/core';

/** Why something, or a part of it, isn't here, in the gateway's words. */
export interface Refusal {
  /** `DENIED`, `NOT_FOUND`, `INVALID` … as the gateway codes it; `OFFLINE` where nothing answered, `INTERNAL` where that made no sense. */
  readonly code: string;
  /** Of `DENIED`: `MFA_REQUIRED`, `ROLE` … */
  readonly reason: string | null;
  /** The field, as `Type.field`, or the rule that said no. */
  readonly rule: string | null;
  readonly message: string;
  readonly remedy: string | null;
  /** Names of the fields that lead to it, without places in lists. */
  readonly path: readonly string[];
  /** The same with places in lists; up to the first list where it was said once for all rows. */
  readonly place: readonly (string | number)[];
  /** Seconds after which it may succeed. */
  readonly retryAfter: number | null;
}

/** As the gateway says it. */
export const saidBy = ({ message, remedy }: Refusal): string => [message, remedy].filter(Boolean).join(' ');

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** Of what nothing answered. */
export const offline: Refusal = {
  code: 'OFFLINE',
  reason: null,
  rule: null,
  message: '',
  remedy: null,
  path: [],
  place: [],
  retryAfter: null,
};

/** All that an answer was refused. */
export class Refusals {
  constructor(readonly all: readonly Refusal[]) {}

  /** Of a field by its coordinate, such as `Transaction.risk`. */
  of(coordinate: string): Refusal | null {
    return this.all.find(({ rule }) => rule === coordinate) ?? null;
  }

  /** Of what lies at these fields, or of something around it. */
  at(...path: readonly string[]): Refusal | null {
    return this.all.find((each) => each.path.length <= path.length && each.path.every((name, at) => name === path[at])) ?? null;
  }

  /** What concerns this place, such as one row of a list: what was refused in it, or of something around it. */
  below(...place: readonly (string | number)[]): Refusals {
    return new Refusals(this.all.filter((each) => each.place.every((step, at) => at >= place.length || step === place[at])));
  }

  get first(): Refusal | null {
    return this.all[0] ?? null;
  }
}

interface GivenError {
  readonly message: string;
  readonly path?: readonly (string | number)[] | undefined;
  readonly extensions: Readonly<Record<string, unknown>>;
}

const refusalOf = ({ message, path, extensions }: GivenError): Refusal => ({
  code: text(extensions.code) ?? 'INTERNAL',
  reason: text(extensions.reason),
  rule: text(extensions.rule),
  message,
  remedy: text(extensions.remedy),
  path: (path ?? []).filter((part) => typeof part === 'string'),
  place: path ?? [],
  retryAfter: typeof extensions.retryAfter === 'number' ? extensions.retryAfter : null,
});

/** Why a route beside the graph said no; it says so in the graph's form. */
export const refusalIn = async (response: Response): Promise<Refusal> => {
  try {
    const { errors } = (await response.json()) as { readonly errors: readonly GivenError[] };
    return refusalOf(errors[0] as GivenError);
  } catch {
    return { ...offline, code: 'INTERNAL' };
  }
};

export const refusalsIn = (error: CombinedError | undefined): Refusals => {
  if (error === undefined) return new Refusals([]);
  if (error.graphQLErrors.length === 0)
    return new Refusals([error.response?.ok === false ? { ...offline, code: 'INTERNAL' } : offline]);
  return new Refusals(error.graphQLErrors.map(refusalOf));
};
