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

type Carrier = Parameters<typeof markOf>[0];

/** What is read out of marks is read once: a schema's don't change, and it is asked for at each request. */
const readOnce = <Read>(read: (carrier: Carrier) => Read): ((carrier: Carrier) => Read) => {
  const known = new WeakMap<Carrier, { readonly mark: unknown; readonly read: Read }>();
  return (carrier) => {
    const mark = markOf(carrier);
    const before = known.get(carrier);
    if (before?.mark === mark && before !== undefined) return before.read;
    const made = read(carrier);
    known.set(carrier, { mark, read: made });
    return made;
  };
};

/** In free text everything, in others' numbers addresses. */
export const searchedFor = readOnce((carrier): Searched => {
  const holds = fieldMark.safeParse(markOf(carrier)).data?.holds;
  if (holds === undefined) return 'EVERYTHING';
  return holds === 'REFERENCE' ? 'ADDRESSES' : 'NOTHING';
});

/** Output coordinates that an input field filters by; empty without a mark. */
export const filtersOf = readOnce((carrier): readonly string[] => filterMark.safeParse(markOf(carrier)).data?.filters ?? []);

/** Output coordinates that an enum value sorts by; empty without a mark. */
export const sortsOf = readOnce((carrier): readonly string[] => sortMark.safeParse(markOf(carrier)).data?.sorts ?? []);
