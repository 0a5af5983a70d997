import { Extensions, Field } from 'type-graphql';
import type { LinkAssurance } from '../authz/actor';
import type { FieldClass } from '../authz/policy/classification';
import type { FieldMark, FilterMark } from '../authz/policy/marks';

type ReturnType = Parameters<typeof Field>[0];
interface ClassOptions {
  /** The class where the link's assurance raises it. */
  readonly under?: Partial<Record<LinkAssurance, FieldClass>>;
  /** Fields that the value tells something of, as `Type.field`: the gateway doesn't start with a class below any of theirs. */
  readonly from?: readonly string[];
  /** What a text is that isn't free text: see `FieldMark`. */
  readonly holds?: FieldMark['holds'];
}
interface FieldOptions extends ClassOptions {
  readonly nullable?: boolean;
  readonly description?: string;
  readonly name?: string;
}

/** A field of the graph with its class. Policed classes are nullable, so that a denial costs the field and not the page. */
export const Exposed =
  (
    fieldClass: FieldClass,
    type: ReturnType,
    { under, from, holds, ...options }: FieldOptions = {},
  ): PropertyDecorator & MethodDecorator =>
  (target: object, key: string | symbol, descriptor?: PropertyDescriptor) => {
    const field = Field(
      type as never,
      { nullable: fieldClass !== 'PUBLIC' && fieldClass !== 'INTERNAL', ...options } as never,
    ) as MethodDecorator;
    field(target, key, descriptor as never);
    marked(fieldClass, { under, from, holds }, descriptor?.get !== undefined)(target, key, descriptor as never);
  };

/** The class of a query, a mutation or a field with a resolver of its own. */
export const Classified = (fieldClass: FieldClass, options: ClassOptions = {}): PropertyDecorator & MethodDecorator =>
  marked(fieldClass, options, false);

/** `isGetter`: type-graphql gives getters a resolver that only reads them, which is none of their own. */
const marked = (
  fieldClass: FieldClass,
  { under, from, holds }: { readonly [Option in keyof ClassOptions]: ClassOptions[Option] | undefined },
  isGetter: boolean,
): PropertyDecorator & MethodDecorator =>
  Extensions({
    counterfoil: {
      class: fieldClass,
      ...(under ? { classByAssurance: under } : {}),
      ...(from ? { derivedFrom: from } : {}),
      ...(holds ? { holds } : {}),
    } satisfies FieldMark,
    isGetter,
  }) as PropertyDecorator & MethodDecorator;

/** An input field that filters by an output field: whoever may read it need not be allowed to search by it. */
export const FiltersBy = (coordinate: string): PropertyDecorator =>
  Extensions({ counterfoil: { filters: coordinate } satisfies FilterMark }) as PropertyDecorator;
