import {
  buildSchema,
  type ConstDirectiveNode,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  valueFromASTUntyped,
} from 'graphql';

const directives = `
  directive @is(class: String!, verified: String, matched: String, none: String) on FIELD_DEFINITION
  directive @filters(by: [String!]!) on INPUT_FIELD_DEFINITION
  directive @sorts(by: [String!]!) on ENUM_VALUE
  scalar DateTime
`;

interface Carrier {
  extensions: object;
  readonly astNode?: { readonly directives?: readonly ConstDirectiveNode[] | undefined } | null | undefined;
}

const mark = (carrier: Carrier, directive: string, read: (given: Record<string, unknown>) => unknown): void => {
  const node = carrier.astNode?.directives?.find((each) => each.name.value === directive);
  if (!node) return;
  const given = Object.fromEntries((node.arguments ?? []).map((each) => [each.name.value, valueFromASTUntyped(each.value)]));
  carrier.extensions = { counterfoil: read(given) };
};

/** A schema from SDL whose fields carry their marks as directives: `@is(class: "PERSONAL")`, `@filters(by: …)`, `@sorts(by: …)`. */
export const markedSchema = (sdl: string): GraphQLSchema => {
  const schema = buildSchema(directives + sdl);
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type)) continue;
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        mark(field, 'is', ({ class: base, verified, matched, none }) => {
          const given = Object.entries({ VERIFIED: verified, MATCHED: matched, NONE: none });
          const byAssurance = Object.fromEntries(given.filter(([, value]) => value !== undefined));
          return { class: base, ...(Object.keys(byAssurance).length > 0 ? { classByAssurance: byAssurance } : {}) };
        });
      }
    }
    if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) mark(field, 'filters', ({ by }) => ({ filters: by }));
    }
    if (isEnumType(type)) for (const value of type.getValues()) mark(value, 'sorts', ({ by }) => ({ sorts: by }));
  }
  return schema;
};
