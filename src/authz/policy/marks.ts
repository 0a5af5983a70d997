import { z } from 'zod';
import { type LinkAssurance, linkAssurances } from '../actor';
import { type FieldClass, fieldClasses } from './classification';

/** `field.extensions.counterfoil` of every output field. Unknown keys are refused, so that a misspelt one can't loosen a field. */
export interface FieldMark {
  readonly class: FieldClass;
  /** The class where it depends on the link, such as an e-mail that is `CREDENTIAL` under `MATCHED`. */
  readonly classByAssurance?: Partial<Record<LinkAssurance, FieldClass>>;
  /** Output fields that its value tells something of: its class is at least the highest of theirs, under every assurance. */
  readonly derivedFrom?: readonly string[];
  /**
   * A text of the graph is free text unless it says otherwise: contacts and card digits in it are masked as their own fields are.
   * `VALUE`: it is a value of one kind, and its verdict is about that. `REFERENCE`: others' number for something; its digits are that, and an
   * e-mail address in it is masked. `CONVERSATION`: what was said, which is read whole or not at all.
   */
  readonly holds?: 'VALUE' | 'REFERENCE' | 'CONVERSATION';
}

/** `extensions.counterfoil` of an input field or an argument: the output field or fields by whose value it narrows. */
export interface FilterMark {
  readonly filters: string | readonly string[];
}

/** `extensions.counterfoil` of an enum value: the output field or fields by whose value it orders. */
export interface SortMark {
  readonly sorts: string | readonly string[];
}

export const fieldMark = z.strictObject({
  class: z.enum(fieldClasses),
  classByAssurance: z.partialRecord(z.enum(linkAssurances), z.enum(fieldClasses)).optional(),
  derivedFrom: z.array(z.string()).min(1).optional(),
  holds: z.enum(['VALUE', 'REFERENCE', 'CONVERSATION']).optional(),
});
const coordinates = z.union([z.string(), z.array(z.string()).min(1)]).transform((value) => [value].flat());
export const filterMark = z.strictObject({ filters: coordinates });
export const sortMark = z.strictObject({ sorts: coordinates });

/** `extensions.counterfoil` of anything that carries it. */
export const markOf = (carrier: { readonly extensions?: Readonly<Record<string, unknown>> | null }): unknown =>
  carrier.extensions?.counterfoil;

/** Which values of other fields are looked for in a text, and shown as those are. */
export type Searched = 'EVERYTHING' | 'ADDRESSES' | 'NOTHING';

/** In free text everything, in others' numbers addresses. */
export const searchedFor = (carrier: Parameters<typeof markOf>[0]): Searched => {
  const holds = fieldMark.safeParse(markOf(carrier)).data?.holds;
  if (holds === undefined) return 'EVERYTHING';
  return holds === 'REFERENCE' ? 'ADDRESSES' : 'NOTHING';
};

/** Output coordinates that an input field filters by; empty without a mark. */
export const filtersOf = (carrier: Parameters<typeof markOf>[0]): readonly string[] =>
  filterMark.safeParse(markOf(carrier)).data?.filters ?? [];

/** Output coordinates that an enum value sorts by; empty without a mark. */
export const sortsOf = (carrier: Parameters<typeof markOf>[0]): readonly string[] =>
  sortMark.safeParse(markOf(carrier)).data?.sorts ?? [];
