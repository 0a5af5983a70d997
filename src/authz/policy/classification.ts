import type { LinkAssurance, Role } from '../actor';

/** What kind of value a field holds, from harmless to what must never be in the graph. */
export const fieldClasses = ['PUBLIC', 'INTERNAL', 'PERSONAL', 'PAYMENT', 'CREDENTIAL', 'SECRET'] as const;
export type FieldClass = (typeof fieldClasses)[number];

/** Policed classes need a second factor to read, a named entry in the exposure policy, and a disclosure record. */
export const isPoliced = (of: FieldClass): boolean => of !== 'PUBLIC' && of !== 'INTERNAL';

/** The most that an exposure policy may grant. */
export type Ceiling = 'reveal' | 'mask' | 'omit' | 'deny';

/** Whose payments these are is known by the link: without one, nothing of them is shown. */
export const needsLink = (of: FieldClass): boolean => of === 'PAYMENT' || of === 'CREDENTIAL';

/** The ceiling of a class for a role under a link. No file lifts it: changing it is a change of code, with its review. */
export const ceiling = (fieldClass: FieldClass, role: Role, assurance: LinkAssurance): Ceiling => {
  if (fieldClass === 'SECRET') return 'deny';
  if (!isPoliced(fieldClass)) return 'reveal';
  if (role === 'ADMIN') return 'deny';
  if (assurance === 'NONE' && needsLink(fieldClass)) return 'omit';
  return fieldClass === 'CREDENTIAL' ? 'mask' : 'reveal';
};

/** One output field of an object type, as the policy sees it. */
export interface ClassifiedField {
  /** `Type.field` */
  readonly coordinate: string;
  readonly typeName: string;
  readonly fieldName: string;
  readonly class: FieldClass;
  readonly classes: Readonly<Record<LinkAssurance, FieldClass>>;
  /** Policed under at least one assurance. */
  readonly policed: boolean;
  readonly nullable: boolean;
  /** Name of the field's type without lists and non-nulls. */
  readonly namedType: string;
  /** The type is a scalar or an enum, so that there is a value to mask. */
  readonly leaf: boolean;
  /** The operation that starts at this field; null for fields of other types. */
  readonly root: 'query' | 'mutation' | 'subscription' | null;
}

/** The fields of a schema that passed `classifySchema`, and which of them arguments can filter or sort by. */
export interface Classification {
  /** Fields of object types by coordinate. Interfaces have no entry: a field is decided on the type that it is read from. */
  readonly fields: ReadonlyMap<string, ClassifiedField>;
  /** Names of interfaces, to explain why the policy can't name them. */
  readonly interfaces: ReadonlySet<string>;
  /** Coordinates of output fields that some input field filters by. */
  readonly filterable: ReadonlySet<string>;
  /** Coordinates of output fields that some enum value sorts by. */
  readonly sortable: ReadonlySet<string>;
}
