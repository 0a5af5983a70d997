import {
  GraphQLEnumType,
  GraphQLInputObjectType,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
} from 'graphql';
import { roles } from '../actor';
import { type Ceiling, ceiling, type FieldClass, fieldClasses } from './classification';
import { ClassificationError, classifySchema } from './classify-schema';

const marked = (mark: unknown) => ({ extensions: { counterfoil: mark } });

const problemsOf = (schema: GraphQLSchema, scalars?: readonly string[]): readonly string[] => {
  try {
    classifySchema(schema, scalars ? { scalars } : {});
    return [];
  } catch (error) {
    if (!(error instanceof ClassificationError)) throw error;
    return error.problems;
  }
};

describe('the ceiling', () => {
  const table: Record<FieldClass, { admin: Ceiling; others: Ceiling }> = {
    PUBLIC: { admin: 'reveal', others: 'reveal' },
    INTERNAL: { admin: 'reveal', others: 'reveal' },
    PERSONAL: { admin: 'deny', others: 'reveal' },
    PAYMENT: { admin: 'deny', others: 'reveal' },
    CREDENTIAL: { admin: 'deny', others: 'mask' },
    SECRET: { admin: 'deny', others: 'deny' },
  };
  it.each(fieldClasses)('of %s holds for every role', (fieldClass) => {
    for (const role of roles)
      for (const assurance of ['VERIFIED', 'MATCHED'] as const)
        expect(ceiling(fieldClass, role, assurance)).toBe(table[fieldClass][role === 'ADMIN' ? 'admin' : 'others']);
  });

  it('without a link is omit for what a customer pays with, and nothing else changes', () => {
    for (const role of roles.filter((each) => each !== 'ADMIN')) {
      expect(['PAYMENT', 'CREDENTIAL'].map((each) => ceiling(each as FieldClass, role, 'NONE'))).toEqual(['omit', 'omit']);
      for (const each of ['PUBLIC', 'INTERNAL', 'PERSONAL', 'SECRET'] as const)
        expect(ceiling(each, role, 'NONE')).toBe(ceiling(each, role, 'VERIFIED'));
    }
    for (const each of fieldClasses) expect(ceiling(each, 'ADMIN', 'NONE')).toBe(ceiling(each, 'ADMIN', 'VERIFIED'));
  });
});

describe('a schema', () => {
  it('is classified by coordinate, link assurance, filters and sorts', () => {
    const customer = new GraphQLObjectType({
      name: 'Customer',
      fields: {
        email: { type: GraphQLString, ...marked({ class: 'PERSONAL', classByAssurance: { MATCHED: 'CREDENTIAL' } }) },
        status: { type: GraphQLString, ...marked({ class: 'INTERNAL' }) },
      },
    });
    const filter: GraphQLInputObjectType = new GraphQLInputObjectType({
      name: 'CustomerFilter',
      fields: () => ({
        status: { type: GraphQLString, ...marked({ filters: 'Customer.status' }) },
        and: { type: new GraphQLList(filter) },
      }),
    });
    const order = new GraphQLEnumType({
      name: 'CustomerOrder',
      values: { STATUS: { ...marked({ sorts: ['Customer.status'] }) } },
    });
    const schema = new GraphQLSchema({
      query: new GraphQLObjectType({
        name: 'Query',
        fields: {
          customers: {
            type: new GraphQLNonNull(new GraphQLList(customer)),
            args: { filter: { type: filter }, order: { type: order } },
            ...marked({ class: 'PUBLIC' }),
          },
        },
      }),
    });
    const classification = classifySchema(schema);
    expect(classification.fields.get('Customer.email')).toEqual({
      coordinate: 'Customer.email',
      typeName: 'Customer',
      fieldName: 'email',
      class: 'PERSONAL',
      classes: { VERIFIED: 'PERSONAL', MATCHED: 'CREDENTIAL', NONE: 'PERSONAL' },
      policed: true,
      nullable: true,
      namedType: 'String',
      leaf: true,
      root: null,
    });
    expect(classification.fields.get('Query.customers')).toMatchObject({
      policed: false,
      nullable: false,
      leaf: false,
      root: 'query',
    });
    expect([...classification.filterable]).toEqual(['Customer.status']);
    expect([...classification.sortable]).toEqual(['Customer.status']);
  });

  it('is refused with every problem at once', () => {
    const json = new GraphQLScalarType({ name: 'JSON' });
    const node = new GraphQLInterfaceType({
      name: 'Node',
      fields: {
        label: { type: GraphQLString, ...marked({ class: 'PERSONAL' }) },
        kind: { type: GraphQLString, ...marked({ class: 'PUBLIC', classByAssurance: { NONE: 'INTERNAL' } }) },
        size: { type: GraphQLString, ...marked({ class: 'PUBLIC' }) },
      },
    });
    const thing = new GraphQLObjectType({
      name: 'Thing',
      interfaces: [node],
      fields: {
        label: { type: GraphQLString, ...marked({ class: 'PUBLIC' }) },
        kind: { type: GraphQLString, ...marked({ class: 'PUBLIC' }) },
        size: { type: new GraphQLNonNull(GraphQLString), ...marked({ class: 'PUBLIC' }) },
        bare: { type: GraphQLString },
        odd: { type: GraphQLString, ...marked({ class: 'PUBLIC', classByAssurances: { NONE: 'SECRET' } }) },
        token: { type: GraphQLString, ...marked({ class: 'SECRET' }) },
        hiddenToken: { type: GraphQLString, ...marked({ class: 'PUBLIC', classByAssurance: { NONE: 'SECRET' } }) },
        card: { type: new GraphQLNonNull(GraphQLString), ...marked({ class: 'PAYMENT' }) },
        late: {
          type: new GraphQLNonNull(GraphQLString),
          ...marked({ class: 'PUBLIC', classByAssurance: { MATCHED: 'CREDENTIAL' } }),
        },
        raw: { type: new GraphQLList(json), ...marked({ class: 'PUBLIC' }) },
      },
    });
    const filter = new GraphQLInputObjectType({
      name: 'ThingFilter',
      fields: {
        bare: { type: GraphQLString },
        wrong: { type: GraphQLString, ...marked({ filters: 'Thing.nothing' }) },
        odd: { type: GraphQLString, ...marked({ filter: 'Thing.label' }) },
      },
    });
    const order = new GraphQLEnumType({
      name: 'ThingOrder',
      values: { BARE: {}, WRONG: { ...marked({ sorts: 'Node.label' }) } },
    });
    const schema = new GraphQLSchema({
      query: new GraphQLObjectType({
        name: 'Query',
        fields: {
          node: { type: node, args: { filter: { type: filter }, order: { type: order } }, ...marked({ class: 'PUBLIC' }) },
        },
      }),
      types: [thing],
    });
    const expected = [
      /Thing\.label and Node\.label differ in class/,
      /Thing\.kind and Node\.kind differ in class/,
      /Thing\.size and Node\.size differ in lists or nullability/,
      /Thing\.bare has no class/,
      /Thing\.odd has a malformed mark/,
      /Thing\.token is SECRET/,
      /Thing\.hiddenToken is SECRET/,
      /Thing\.card is policed \(PAYMENT\) and must be nullable/,
      /Thing\.late is policed/,
      /Thing\.raw is of scalar JSON/,
      /ThingFilter\.bare doesn't say/,
      /ThingFilter\.wrong refers to Thing\.nothing/,
      /ThingFilter\.odd has a malformed mark/,
      /ThingOrder\.BARE doesn't say/,
      /ThingOrder\.WRONG refers to Node\.label/,
    ];
    const problems = problemsOf(schema);
    for (const pattern of expected) expect(problems).toContainEqual(expect.stringMatching(pattern));
    expect(problems.filter((problem) => !expected.some((pattern) => pattern.test(problem)))).toEqual([]);
  });

  it('refuses a field below what it is derived from, under whichever link, and a name that is no field', () => {
    const thing = new GraphQLObjectType({
      name: 'Thing',
      fields: {
        email: { type: GraphQLString, ...marked({ class: 'PERSONAL', classByAssurance: { MATCHED: 'CREDENTIAL' } }) },
        card: { type: GraphQLString, ...marked({ class: 'PAYMENT' }) },
        told: { type: GraphQLString, ...marked({ class: 'INTERNAL', derivedFrom: ['Thing.card'] }) },
        hinted: { type: GraphQLString, ...marked({ class: 'PERSONAL', derivedFrom: ['Thing.card', 'Thing.email'] }) },
        matched: { type: GraphQLString, ...marked({ class: 'PAYMENT', derivedFrom: ['Thing.email'] }) },
        retold: { type: GraphQLString, ...marked({ class: 'PERSONAL', derivedFrom: ['Thing.same'] }) },
        same: { type: GraphQLString, ...marked({ class: 'PAYMENT', derivedFrom: ['Thing.card'] }) },
        higher: { type: GraphQLString, ...marked({ class: 'CREDENTIAL', derivedFrom: ['Thing.card', 'Thing.email'] }) },
        misspelt: { type: GraphQLString, ...marked({ class: 'CREDENTIAL', derivedFrom: ['Thing.cart'] }) },
        itself: { type: GraphQLString, ...marked({ class: 'CREDENTIAL', derivedFrom: ['Thing.itself'] }) },
      },
    });
    const schema = new GraphQLSchema({
      query: new GraphQLObjectType({ name: 'Query', fields: { thing: { type: thing, ...marked({ class: 'PUBLIC' }) } } }),
    });
    const must = 'it must be at least that.';
    expect(problemsOf(schema)).toEqual([
      `Thing.told is INTERNAL and derived from Thing.card, which is PAYMENT: ${must}`,
      `Thing.hinted is PERSONAL and derived from Thing.card, which is PAYMENT: ${must}`,
      `Thing.hinted is PERSONAL and derived from Thing.email, which is CREDENTIAL on MATCHED links: ${must}`,
      `Thing.matched is PAYMENT and derived from Thing.email, which is CREDENTIAL on MATCHED links: ${must}`,
      `Thing.retold is PERSONAL and derived from Thing.same, which is PAYMENT: ${must}`,
      'Thing.misspelt is derived from Thing.cart, which is no other classified field of an object type.',
      'Thing.itself is derived from Thing.itself, which is no other classified field of an object type.',
    ]);
  });

  it('may only use the scalars it lists', () => {
    const schema = new GraphQLSchema({
      query: new GraphQLObjectType({ name: 'Query', fields: { a: { type: GraphQLString, ...marked({ class: 'PUBLIC' }) } } }),
    });
    expect(problemsOf(schema)).toEqual([]);
    expect(problemsOf(schema, ['Int'])).toEqual([expect.stringMatching(/Query\.a is of scalar String/)]);
  });
});
